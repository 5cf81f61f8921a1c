//! What a sale sells, as a JSON text in its row. The digest of an order's first entry covers it with
//! the other facts; a sale of an amount alone has none, and the facts that it always had.

use std::sync::Arc;

use rusqlite::Connection;

use super::JournalError;
use super::tables::REFUNDS;
use paytill_core::sale::Sold;

pub(super) const OF_SALE: &str = "SELECT lines FROM sale WHERE id = ?";
pub(super) const OF_ATTEMPT: &str =
    "SELECT lines FROM sale WHERE id = (SELECT sale FROM attempt WHERE id = ?)";

/// As they are stored.
pub(super) fn text(sold: &Sold) -> Result<String, serde_json::Error> {
    if sold.is_bare() { Ok(String::new()) } else { serde_json::to_string(sold) }
}

/// Of a sale.
pub(super) fn of_sale(db: &Connection, sale: i64) -> Result<Arc<Sold>, JournalError> {
    read(&stored(db, OF_SALE, sale)?)
}

/// Of the sale that an order is about.
pub(super) fn of_attempt(db: &Connection, attempt: i64) -> Result<Arc<Sold>, JournalError> {
    read(&stored(db, OF_ATTEMPT, attempt)?)
}

fn read(text: &str) -> Result<Arc<Sold>, JournalError> {
    if text.is_empty() { Ok(Arc::default()) } else { Ok(Arc::new(serde_json::from_str(text)?)) }
}

/// Puts them behind an order's other facts.
pub(super) fn add_to(facts: String, db: &Connection, attempt: i64) -> rusqlite::Result<String> {
    let lines = stored(db, OF_ATTEMPT, attempt)?;
    if lines.is_empty() {
        return Ok(facts);
    }
    let others = facts.strip_suffix(']').unwrap_or(&facts);
    // A text as JSON cannot fail.
    let lines = serde_json::to_string(&lines).unwrap_or_default();
    Ok(format!("{others},{lines}]"))
}

/// The text that a query leads to; empty in a journal of an older format.
fn stored(db: &Connection, sql: &str, of: i64) -> rusqlite::Result<String> {
    let mut statement = match db.prepare_cached(sql) {
        Ok(statement) => statement,
        Err(error) => {
            let format: i32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
            return if format < REFUNDS { Ok(String::new()) } else { Err(error) };
        }
    };
    statement.query_row([of], |row| row.get(0))
}
