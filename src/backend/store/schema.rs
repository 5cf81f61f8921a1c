//! The schema's versions: bringing a database to this program's is a command of its own.

use paytill_core::clock::Timestamp;

use super::Store;
use super::error::StoreError;
use super::tx::Tx;
use super::value::Value;

/// The version that this program works with.
pub const VERSION: i64 = 1;

const SCHEMA: &str = include_str!("schema.sql");

/// Where the version stands, and when the tables were made.
const INSERT: &str = "INSERT INTO meta (merchant, name, value) VALUES ($1, $2, $3)";
const READ: &str = "SELECT value FROM meta WHERE merchant = $1 AND name = $2";

/// Makes the tables of an empty database. Of two that do so at once one waits, or begins again and
/// finds them made.
pub(super) async fn migrate(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    store
        .run(move |tx| {
            Box::pin(async move {
                match read(tx).await? {
                    Some(VERSION) => return Ok(()),
                    Some(found) => return Err(StoreError::Schema { found, needed: VERSION }),
                    None => {}
                }
                tx.batch(&for_sqlite(), SCHEMA).await?;
                let version = VERSION.to_string();
                tx.change(INSERT, &["".into(), "schema".into(), version.into()]).await?;
                let at = now.to_rfc3339();
                tx.change(INSERT, &["".into(), "made_at".into(), at.into()]).await?;
                Ok(())
            })
        })
        .await
}

fn for_sqlite() -> String {
    SCHEMA.replace("BIGINT", "INTEGER").replace("BYTEA", "BLOB").replace("\n);", "\n) STRICT;")
}

/// The version of a database's schema; 0 if it has none.
pub(super) async fn version(store: &Store) -> Result<i64, StoreError> {
    let found = store.read(|tx| Box::pin(async move { read(tx).await })).await?;
    Ok(found.unwrap_or(0))
}

/// The version, if there are tables.
async fn read(tx: &mut Tx<'_>) -> Result<Option<i64>, StoreError> {
    let tables = match tx {
        Tx::Sqlite(_) => "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = $1",
        Tx::Postgres(_) => {
            "SELECT tablename::text FROM pg_tables \
             WHERE schemaname = current_schema() AND tablename::text = $1"
        }
    };
    if tx.row(tables, &["meta".into()]).await?.is_none() {
        return Ok(None);
    }
    let values: [Value; 2] = ["".into(), "schema".into()];
    let spoilt = || StoreError::Spoilt("no version of its schema".to_owned());
    let mut row = tx.row(READ, &values).await?.ok_or_else(spoilt)?;
    row.text()?.parse().map(Some).map_err(|_| spoilt())
}
