//! A transaction of either database: the same statements run in both.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use paytill_core::clock::Timestamp;
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
    Postgres(Under<'c>),
}

/// A transaction of PostgreSQL's. After a statement has failed, it answers a COMMIT by rolling back and
/// reports no error: the failure is kept, so that nothing is called written that is not.
/// Several may work in one.
pub(super) struct Under<'c> {
    pub(super) transaction: &'c deadpool_postgres::Transaction<'c>,
    pub(super) failure: &'c OnceLock<StoreError>,
}

impl Under<'_> {
    fn kept<T>(&self, result: Result<T, tokio_postgres::Error>) -> Result<T, StoreError> {
        result.map_err(|error| {
            let error = StoreError::from(error);
            let _ = self.failure.set(error.clone());
            error
        })
    }

    async fn rows(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let prepared = self.transaction.prepare_cached(sql).await;
        let statement = self.kept(prepared)?;
        let rows = self.transaction.query(&statement, &of_postgres(values)).await;
        self.kept(rows)?.iter().map(Row::of_postgres).collect()
    }

    async fn change(&self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let prepared = self.transaction.prepare_cached(sql).await;
        let statement = self.kept(prepared)?;
        let changed = self.transaction.execute(&statement, &of_postgres(values)).await;
        self.kept(changed)
    }

    async fn batch(&self, sql: &str) -> Result<(), StoreError> {
        let done = self.transaction.batch_execute(sql).await;
        self.kept(done)
    }
}

impl Tx<'_> {
    /// Reads rows. The values of `$1`, `$2` and so on must appear in this order.
    pub(super) async fn rows(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        storable(values)?;
        match self {
            Self::Sqlite(connection) => {
                let sql = sql.strip_suffix(LOCKING).unwrap_or(sql);
                let mut statement = connection.prepare_cached(sql)?;
                let rows =
                    statement.query_map(rusqlite::params_from_iter(values), Row::of_sqlite)?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            }
            Self::Postgres(under) => under.rows(sql, values).await,
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

    /// Reads one time, if there is one.
    pub(super) async fn time(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<Option<Timestamp>, StoreError> {
        let row = self.row(sql, values).await?;
        Ok(row.map(|mut row| row.maybe_int()).transpose()?.flatten().map(Timestamp))
    }

    /// Changes rows; how many.
    pub(super) async fn change(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<u64, StoreError> {
        storable(values)?;
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                Ok(statement.execute(rusqlite::params_from_iter(values))? as u64)
            }
            Self::Postgres(under) => under.change(sql, values).await,
        }
    }

    /// Does several statements without values: the making of tables.
    pub(super) async fn batch(&mut self, sqlite: &str, postgres: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch(sqlite)?),
            Self::Postgres(under) => under.batch(postgres).await,
        }
    }
}

/// PostgreSQL has no texts with a NUL, so neither has SQLite.
fn storable(values: &[Value]) -> Result<(), StoreError> {
    let holds_nul = |value: &Value| matches!(value, Value::Text(text) if text.contains('\0'));
    if values.iter().any(holds_nul) { Err(StoreError::Text) } else { Ok(()) }
}

fn of_postgres(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| -> &(dyn ToSql + Sync) { value }).collect()
}
