//! Orders by what a customer shows or remembers.

use rusqlite::OptionalExtension as _;

use super::read::{self, JournalReader, ORDER, OrderRow};
use super::{JournalError, StoredRequest};
use paytill_core::order::Order;

/// Which entry had such a number in it, from the newest on; every answer that names it counts, also
/// that of a payment which was reversed later, or of a refund.
pub(super) const BY_WIRE: &str =
    "SELECT abs(attempt) FROM entry WHERE instr(wire, ?1) > 0 ORDER BY seq DESC LIMIT 1";

impl JournalReader {
    /// The order that the gateway's number belongs to, by any of its answers in the whole journal.
    pub fn with_transaction(&self, number: &str) -> Result<Option<OrderRow>, JournalError> {
        self.guard(|| {
            let _snapshot = self.db.unchecked_transaction()?;
            let wanted = format!("\"transaction_id\":{}", serde_json::to_string(number)?);
            let found: Option<i64> =
                self.db.query_row(BY_WIRE, [wanted], |row| row.get(0)).optional()?;
            found.map(|attempt| self.row(attempt)).transpose()
        })
    }

    /// The orders of a sale, oldest first.
    pub fn orders_of(&self, sale: i64) -> Result<Vec<OrderRow>, JournalError> {
        self.guard(|| {
            let _snapshot = self.db.unchecked_transaction()?;
            let sql = format!("{ORDER} WHERE sale = ? ORDER BY attempt.id");
            let mut statement = self.db.prepare(&sql)?;
            let rows = statement.query_and_then([sale], read::order_row)?;
            let rows: Vec<OrderRow> = rows.collect::<Result<_, JournalError>>()?;
            rows.iter().try_for_each(|row| self.check().order(row.attempt))?;
            Ok(rows)
        })
    }

    /// Those of the latest `among` orders that fit, newest first, at most `limit`.
    pub fn latest(
        &self,
        among: u32,
        limit: usize,
        fits: impl Fn(&OrderRow) -> bool,
    ) -> Result<Vec<OrderRow>, JournalError> {
        self.guard(|| {
            let _snapshot = self.db.unchecked_transaction()?;
            let mut statement =
                self.db.prepare(&format!("{ORDER} ORDER BY attempt.id DESC LIMIT ?"))?;
            let mut found = Vec::new();
            for row in statement.query_and_then([among], read::order_row)? {
                let mut row = row?;
                if fits(&row) {
                    self.complete(&mut row)?;
                    found.push(row);
                    if found.len() == limit {
                        break;
                    }
                }
            }
            Ok(found)
        })
    }

    /// An order as the gateway was told of it, to ask about it again.
    pub fn request(&self, attempt: i64) -> Result<Order, JournalError> {
        self.guard(|| {
            let _snapshot = self.db.unchecked_transaction()?;
            let row = self.row(attempt)?;
            let sql = "SELECT request FROM attempt WHERE id = ?";
            let request: String = self.db.query_row(sql, [attempt], |row| row.get(0))?;
            let request: StoredRequest = serde_json::from_str(&request)?;
            Ok(Order {
                out_trade_no: row.out_trade_no,
                amount: row.amount,
                currency: row.currency,
                merchant: request.merchant,
                body: request.body,
                device_info: request.device_info,
                client_ip: request.client_ip,
                mark: request.mark,
            })
        })
    }

    fn row(&self, attempt: i64) -> Result<OrderRow, JournalError> {
        let mut statement = self.db.prepare(&format!("{ORDER} WHERE attempt.id = ?"))?;
        let mut rows = statement.query_and_then([attempt], read::order_row)?;
        let mut row = rows.next().ok_or_else(|| self.check().misplaced(attempt))??;
        self.complete(&mut row)?;
        Ok(row)
    }
}
