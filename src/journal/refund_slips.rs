//! The slips of refunds. Each refund has one by itself, once the gateway has accepted it or it is
//! done: whoever has waited for it leaves the shop with that. What else becomes of it is on its
//! copies.

use std::path::Path;

use rusqlite::{Connection, Row, Transaction};

use super::check::Check;
use super::key::Key;
use super::read::{JournalReader, currency, number, unreadable};
use super::refund_event;
use super::refunds::{FIRST_OF, refund_number};
use super::register::Register;
use super::slips::{Found, Slip, SlipRow, SlipSays, SlipStage, insert, move_on, of_order};
use super::{FORMAT, Journal, JournalError};
use paytill_core::clock::Timestamp;
use paytill_core::engine::{By, RefundEntry, RefundRecord};
use paytill_core::money::Money;
use paytill_core::order::OutTradeNo;

/// A refund as it is now.
pub(super) const AS_IT_IS: &str =
    "SELECT out_refund_no, out_trade_no, refund.attempt, refund.amount, currency, reason,
     refund.created_at, refund.updated_at, entry.state
     FROM refund JOIN attempt ON attempt.id = refund.attempt JOIN sale ON sale.id = attempt.sale
     JOIN entry ON entry.seq = refund.last_entry WHERE refund.id = ?";
pub(super) const EVENT: &str = "SELECT event FROM entry WHERE seq = ?";
pub(super) const GIVEN: &str = "SELECT refund.id FROM refund
     JOIN attempt ON attempt.id = refund.attempt
     WHERE out_trade_no = ? AND refund.status IN ('accepted', 'done') ORDER BY refund.id";

/// What the slip of a refund tells.
#[derive(Clone, Debug, PartialEq)]
pub struct RefundPaper {
    pub refund: RefundRecord,
    /// Who has given the money back, and which manager has agreed.
    pub by: Option<By>,
}

/// Puts the slip of a refund into the queue, if this entry is the first by which the money goes back.
/// It is written already.
pub(super) fn queue_of_refund(
    transaction: &Transaction<'_>,
    key: &Key,
    entry: &RefundEntry,
) -> Result<Option<(Slip, RefundPaper)>, JournalError> {
    if !entry.state.is_given() {
        return Ok(None);
    }
    // No money depends on it: a row that is odd costs a slip, and not the entry.
    transaction.execute_batch("SAVEPOINT slip")?;
    let queued = queue_once(transaction, key, entry);
    match queued {
        Err(error) if !error.is_of_a_row() => return Err(error),
        Ok(_) => transaction.execute_batch("RELEASE slip")?,
        Err(_) => transaction.execute_batch("ROLLBACK TO slip; RELEASE slip")?,
    }
    Ok(queued.unwrap_or_default())
}

fn queue_once(
    transaction: &Transaction<'_>,
    key: &Key,
    entry: &RefundEntry,
) -> Result<Option<(Slip, RefundPaper)>, JournalError> {
    let (earlier, _) = of_order(transaction, key, entry.attempt)?;
    if earlier.iter().any(|slip| is_of(slip, entry.refund)) {
        return Ok(None);
    }
    let paper = paper(transaction, entry.refund)?;
    let register = Register::read(transaction, key, FORMAT)?;
    let slip = insert(transaction, key, register, found(entry.refund, &paper), 0, entry.at)?;
    Ok(Some((slip, paper)))
}

fn is_of(slip: &SlipRow, refund: i64) -> bool {
    SlipSays::read(&slip.status).and_then(SlipSays::refund) == Some(refund)
}

fn found(refund: i64, paper: &RefundPaper) -> Found {
    let status = paper.refund.state.status();
    Found {
        attempt: paper.refund.attempt,
        out_trade_no: paper.refund.out_trade_no.to_string(),
        status: SlipSays::Refund(refund, status).text(),
    }
}

/// What the journal has of a refund now.
fn paper(db: &Connection, refund: i64) -> Result<RefundPaper, JournalError> {
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

impl Journal {
    /// The slips that the entries of refunds since the last call have put into the queue.
    pub fn take_refund_slips(&mut self) -> Vec<(Slip, RefundPaper)> {
        std::mem::take(&mut self.queued_refunds)
    }

    /// Puts copies of the slips of an order's refunds, as they are now, into the queue: of those by
    /// which money went back or is on its way. As [`Journal::queue_copy`].
    pub fn queue_refund_copies(
        &mut self,
        order: &OutTradeNo,
        at: Timestamp,
    ) -> Result<Vec<(Slip, RefundPaper)>, JournalError> {
        let path = self.path.clone();
        self.commit_slip(|transaction, key, tip| {
            let mut statement = transaction.prepare_cached(GIVEN)?;
            let refunds = statement.query_map([order.as_str()], |row| row.get(0))?;
            let refunds: Vec<i64> = refunds.collect::<Result<_, _>>()?;
            let copies =
                refunds.into_iter().map(|refund| copy(transaction, key, &path, refund, at));
            Ok((copies.collect::<Result<_, JournalError>>()?, tip))
        })
    }
}

fn copy(
    transaction: &Transaction<'_>,
    key: &Key,
    path: &Path,
    refund: i64,
    at: Timestamp,
) -> Result<(Slip, RefundPaper), JournalError> {
    Check { db: transaction, key, path }.refund(refund)?;
    let paper = paper(transaction, refund)?;
    let (mut earlier, odd) = of_order(transaction, key, paper.refund.attempt)?;
    earlier.retain(|slip| is_of(slip, refund));
    // What is odd may have been a copy.
    let copy = earlier.iter().map(|slip| slip.copy).max().unwrap_or(0) + 1 + i64::from(odd);
    let mut register = Register::read(transaction, key, FORMAT)?;
    let open = [SlipStage::Begun, SlipStage::Missing].map(SlipStage::word);
    for slip in earlier.iter().filter(|slip| open.contains(&slip.stage.as_str())) {
        move_on(transaction, key, &mut register, slip, SlipStage::Replaced)?;
    }
    let slip = insert(transaction, key, register, found(refund, &paper), copy, at)?;
    Ok((slip, paper))
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
