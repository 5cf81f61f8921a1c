//! A transaction of either database: the same statements run in both.

use std::future::Future;
use std::pin::Pin;

use tokio_postgres::types::ToSql;

use super::error::StoreError;
use super::value::{Row, Value};

/// At the end of a statement that locks what it reads. SQLite has one writer and needs no such thing.
pub(super) const LOCKING: &str = " FOR UPDATE";

/// What is done in a transaction. It may be done again from the start, so it must do nothing else.
pub(super) type Doing<'t, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 't>>;

/// A transaction under way.
pub(super) enum Tx<'c> {
    Sqlite(&'c mut rusqlite::Connection),
    Postgres(deadpool_postgres::Transaction<'c>),
}

impl Tx<'_> {
    /// Reads rows. The values of `$1`, `$2` and so on must appear in this order.
    pub(super) async fn rows(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(connection) => {
                let sql = sql.strip_suffix(LOCKING).unwrap_or(sql);
                let mut statement = connection.prepare_cached(sql)?;
                let rows =
                    statement.query_map(rusqlite::params_from_iter(values), Row::of_sqlite)?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            }
            Self::Postgres(transaction) => {
                let statement = transaction.prepare_cached(sql).await?;
                let rows = transaction.query(&statement, &of_postgres(values)).await?;
                rows.iter().map(Row::of_postgres).collect()
            }
        }
    }

    /// Reads one row, if there is one.
    pub(super) async fn row(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// Changes rows; how many.
    pub(super) async fn change(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                Ok(statement.execute(rusqlite::params_from_iter(values))? as u64)
            }
            Self::Postgres(transaction) => {
                let statement = transaction.prepare_cached(sql).await?;
                Ok(transaction.execute(&statement, &of_postgres(values)).await?)
            }
        }
    }
}

fn of_postgres(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| -> &(dyn ToSql + Sync) { value }).collect()
}
