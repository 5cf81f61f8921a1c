//! The slips of refunds. Each refund has one by itself, once the gateway has accepted it or it is
//! done: whoever has waited for it leaves the shop with that. What else becomes of it is on its
//! copies.

use std::path::Path;

use rusqlite::Transaction;

use super::check::Check;
use super::key::Key;
use super::refund_paper::{RefundPaper, paper};
use super::register::Register;
use super::slips::{Found, Slip, SlipRow, SlipSays, SlipStage, insert, move_on, of_order, or_none};
use super::{FORMAT, Journal, JournalError};
use paytill_core::clock::Timestamp;
use paytill_core::engine::RefundEntry;
use paytill_core::order::OutTradeNo;

pub(super) const GIVEN: &str = "SELECT refund.id FROM refund
     JOIN attempt ON attempt.id = refund.attempt
     WHERE out_trade_no = ? AND refund.status IN ('accepted', 'done') ORDER BY refund.id";

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
    or_none(transaction, || queue_once(transaction, key, entry))
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
