//! What the slip of a refund tells, as the journal has it.

use rusqlite::{Connection, Row};

use super::JournalError;
use super::check::Check;
use super::read::{JournalReader, currency, number, unreadable};
use super::refund_event;
use super::refunds::{FIRST_OF, refund_number};
use paytill_core::clock::Timestamp;
use paytill_core::engine::{By, RefundRecord};
use paytill_core::money::Money;

/// A refund as it is now.
pub(super) const AS_IT_IS: &str =
    "SELECT out_refund_no, out_trade_no, refund.attempt, refund.amount, currency, reason,
     refund.created_at, refund.updated_at, entry.state
     FROM refund JOIN attempt ON attempt.id = refund.attempt JOIN sale ON sale.id = attempt.sale
     JOIN entry ON entry.seq = refund.last_entry WHERE refund.id = ?";
pub(super) const EVENT: &str = "SELECT event FROM entry WHERE seq = ?";

/// What the slip of a refund tells.
#[derive(Clone, Debug, PartialEq)]
pub struct RefundPaper {
    pub refund: RefundRecord,
    /// Who has given the money back, and which manager has agreed.
    pub by: Option<By>,
}

/// What the journal has of a refund now.
pub(super) fn paper(db: &Connection, refund: i64) -> Result<RefundPaper, JournalError> {
    let read = |row: &Row<'_>| -> rusqlite::Result<RefundRecord> {
        let state = serde_json::from_str(&row.get::<_, String>(8)?);
        Ok(RefundRecord {
            out_refund_no: refund_number(row.get(0)?)?,
            out_trade_no: number(row.get(1)?)?,
            attempt: row.get(2)?,
            amount: Money::from_minor(row.get(3)?),
            currency: currency(&row.get::<_, String>(4)?)?,
            reason: row.get(5)?,
            created_at: Timestamp(row.get(6)?),
            updated_at: Timestamp(row.get(7)?),
            state: state.map_err(|error| unreadable(Box::new(error)))?,
            recorded: true,
        })
    };
    let record = db.prepare_cached(AS_IT_IS)?.query_row([refund], read)?;
    let first: i64 = db.prepare_cached(FIRST_OF)?.query_row([refund], |row| row.get(0))?;
    let event: String = db.prepare_cached(EVENT)?.query_row([first], |row| row.get(0))?;
    Ok(RefundPaper { refund: record, by: refund_event::by(&event)? })
}

impl Check<'_> {
    /// Whether the money of a refund went back or is on its way, by the journal: else its slip says
    /// what is no longer so.
    pub(super) fn is_refund_given(&self, refund: i64) -> Result<bool, JournalError> {
        self.refund(refund)?;
        Ok(paper(self.db, refund)?.refund.state.is_given())
    }
}

impl JournalReader {
    /// What the slip of a refund tells now; `None` if there is no such refund.
    pub fn refund_paper(&self, refund: i64) -> Result<Option<RefundPaper>, JournalError> {
        self.guard(|| {
            let _snapshot = self.db.unchecked_transaction()?;
            if !self.db.prepare_cached("SELECT 1 FROM refund WHERE id = ?")?.exists([refund])? {
                return Ok(None);
            }
            self.check().refund(refund)?;
            Ok(Some(paper(&self.db, refund)?))
        })
    }
}
