//! The schema's versions: bringing a database to this program's is a command of its own.

use paytill_core::clock::Timestamp;

use super::Store;
use super::error::StoreError;
use super::tx::Tx;
use super::value::Value;

/// The version that this program works with.
pub const VERSION: i64 = 1;

const SCHEMA: &str = include_str!("schema.sql");

/// Makes the tables of an empty database. Two that do so at once: one of them waits or fails, and
/// nothing is half made.
pub(super) async fn migrate(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    match version(store).await {
        Ok(VERSION) => return Ok(()),
        Ok(found) if found > VERSION => {
            return Err(StoreError::Schema { found, needed: VERSION });
        }
        Ok(_) | Err(StoreError::Schema { .. }) => {}
        Err(error) => return Err(error),
    }
    store
        .run(move |tx| {
            Box::pin(async move {
                create(tx).await?;
                let insert = "INSERT INTO meta (merchant, name, value) VALUES ($1, $2, $3)";
                let version = VERSION.to_string();
                tx.change(insert, &["".into(), "schema".into(), version.into()]).await?;
                let at = now.to_rfc3339();
                tx.change(insert, &["".into(), "made_at".into(), at.into()]).await?;
                Ok(())
            })
        })
        .await
}

async fn create(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    match tx {
        Tx::Sqlite(connection) => Ok(connection.execute_batch(&for_sqlite())?),
        Tx::Postgres(transaction) => Ok(transaction.batch_execute(SCHEMA).await?),
    }
}

fn for_sqlite() -> String {
    SCHEMA.replace("BIGINT", "INTEGER").replace("BYTEA", "BLOB").replace("\n);", "\n) STRICT;")
}

/// The version of a database's schema; 0 if it has none.
pub(super) async fn version(store: &Store) -> Result<i64, StoreError> {
    let found = store
        .run(|tx| {
            Box::pin(async move {
                let tables = match tx {
                    Tx::Sqlite(_) => {
                        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = $1"
                    }
                    Tx::Postgres(_) => {
                        "SELECT tablename::text FROM pg_tables
                         WHERE schemaname = current_schema() AND tablename = $1"
                    }
                };
                if tx.row(tables, &["meta".into()]).await?.is_none() {
                    return Ok(None);
                }
                let read = "SELECT value FROM meta WHERE merchant = $1 AND name = $2";
                let values: [Value; 2] = ["".into(), "schema".into()];
                tx.row(read, &values).await?.map(|mut row| row.text()).transpose()
            })
        })
        .await?;
    Ok(found.and_then(|version| version.parse().ok()).unwrap_or(0))
}
