//! Values of both databases, and rows of them.

use tokio_postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};

use super::error::StoreError;

/// A value of a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        match self {
            Self::Null => rusqlite::ToSql::to_sql(&rusqlite::types::Null),
            Self::Int(value) => rusqlite::ToSql::to_sql(value),
            Self::Text(value) => rusqlite::ToSql::to_sql(value),
            Self::Bytes(value) => rusqlite::ToSql::to_sql(value),
        }
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) => ToSql::to_sql(value, kind, out),
            Self::Text(value) => ToSql::to_sql(value, kind, out),
            Self::Bytes(value) => ToSql::to_sql(value, kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

/// A row that was read: its values are taken in order.
#[derive(Debug)]
pub(super) struct Row(std::vec::IntoIter<Value>);

impl Row {
    /// A row of SQLite's.
    pub(super) fn of_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        use rusqlite::types::ValueRef;
        let columns = row.as_ref().column_count();
        let values = (0..columns).map(|column| {
            Ok(match row.get_ref(column)? {
                ValueRef::Null | ValueRef::Real(_) => Value::Null,
                ValueRef::Integer(value) => Value::Int(value),
                ValueRef::Text(value) => Value::Text(String::from_utf8_lossy(value).into_owned()),
                ValueRef::Blob(value) => Value::Bytes(value.to_vec()),
            })
        });
        Ok(Self(values.collect::<rusqlite::Result<Vec<_>>>()?.into_iter()))
    }

    /// A row of PostgreSQL's.
    pub(super) fn of_postgres(row: &tokio_postgres::Row) -> Result<Self, StoreError> {
        let values = row.columns().iter().enumerate().map(|(column, described)| {
            Ok(match *described.type_() {
                Type::INT8 => row.try_get::<_, Option<i64>>(column)?.into(),
                Type::BYTEA => {
                    row.try_get::<_, Option<Vec<u8>>>(column)?.map_or(Value::Null, Value::Bytes)
                }
                _ => row.try_get::<_, Option<String>>(column)?.into(),
            })
        });
        Ok(Self(values.collect::<Result<Vec<_>, tokio_postgres::Error>>()?.into_iter()))
    }

    fn next(&mut self) -> Value {
        self.0.next().unwrap_or(Value::Null)
    }

    /// The next value, a number.
    pub(super) fn int(&mut self) -> Result<i64, StoreError> {
        self.maybe_int()?.ok_or_else(|| StoreError::Spoilt("no number".to_owned()))
    }

    /// The next value, a number or nothing.
    pub(super) fn maybe_int(&mut self) -> Result<Option<i64>, StoreError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Int(value) => Ok(Some(value)),
            Value::Text(_) | Value::Bytes(_) => Err(StoreError::Spoilt("no number".to_owned())),
        }
    }

    /// The next value, a text.
    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        self.maybe_text()?.ok_or_else(|| StoreError::Spoilt("no text".to_owned()))
    }

    /// The next value, a text or nothing.
    pub(super) fn maybe_text(&mut self) -> Result<Option<String>, StoreError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Text(value) => Ok(Some(value)),
            Value::Int(_) | Value::Bytes(_) => Err(StoreError::Spoilt("no text".to_owned())),
        }
    }

    /// The next value, bytes.
    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.next() {
            Value::Bytes(value) => Ok(value),
            Value::Null | Value::Int(_) | Value::Text(_) => {
                Err(StoreError::Spoilt("no bytes".to_owned()))
            }
        }
    }

    /// The next value, JSON of that type.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        let text = self.text()?;
        // The message of the parser may quote what was read.
        serde_json::from_str(&text).map_err(|_| StoreError::Spoilt("unreadable JSON".to_owned()))
    }
}

/// A value as JSON for a column of text.
pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<Value, StoreError> {
    let text = serde_json::to_string(value);
    text.map(Value::Text).map_err(|error| StoreError::Failed(error.to_string()))
}
