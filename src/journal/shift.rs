//! Shifts: what the entries between two closes come to, and the reports of those that are closed.
//!
//! A close is an act that holds the whole Z report. It is made in the transaction that writes it, of
//! every entry before it, so that nothing falls between two reports; and it is in the chain like every
//! entry, so that it stays what it was.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::acts::{self, StoredAct};
use super::check::{Check, EntryRow};
use super::read::JournalReader;
use super::refund_event::{self, REFUND};
use super::{Journal, JournalError, lines};
use paytill_core::both;
use paytill_core::clock::{TimeZone, Timestamp};
use paytill_core::engine::{Act, ActKind, By};
use paytill_core::money::Money;
use paytill_core::payment::{State, Status};
use paytill_core::refund::{RefundState, RefundStatus};
use paytill_core::sale::tender::Balance;
use paytill_core::shift::{CASH, Closing, Moved, Movement, NotNow, Refunded, Report, Tally};

/// The last close, and all of them. Acts that concern no order are found by the index of attempts.
pub(super) const LAST_CLOSE: &str = "SELECT seq FROM entry WHERE attempt = 0
     AND event LIKE '{\"act\":{\"ShiftClosed\"%' ORDER BY seq DESC LIMIT 1";
/// The first opening, and what was done with a shift last.
pub(super) const FIRST_OPENING: &str = "SELECT seq FROM entry WHERE attempt = 0
     AND event LIKE '{\"act\":{\"ShiftOpened\"%' ORDER BY seq LIMIT 1";
pub(super) const LAST_ACT: &str = "SELECT seq FROM entry WHERE attempt = 0
     AND event LIKE '{\"act\":{\"Shift%' ORDER BY seq DESC LIMIT 1";
pub(super) const CLOSES: &str = "SELECT seq FROM entry WHERE attempt = 0
     AND event LIKE '{\"act\":{\"ShiftClosed\"%' ORDER BY seq";
/// What an order was begun with, as far as a report counts it.
pub(super) const OF_ORDER: &str =
    "SELECT sale, channel, amount, json_extract(request, '$.by.operator') FROM attempt
     WHERE id = ?";
/// What a sale comes to, and with which other orders it is paid.
pub(super) const DUE: &str = "SELECT due FROM sale WHERE id = ?";
pub(super) const BESIDE: &str = "SELECT id, amount FROM attempt WHERE sale = ? AND id <> ?";
pub(super) const STATE_BEFORE: &str =
    "SELECT state FROM entry WHERE attempt = ? AND seq <= ? ORDER BY seq DESC LIMIT 1";
/// Where a refund was before an entry.
pub(super) const REFUND_BEFORE: &str = "SELECT state FROM entry
     WHERE attempt = ? AND seq < ? AND event LIKE ? ORDER BY seq DESC LIMIT 1";
pub(super) const OF_REFUND: &str = "SELECT refund.amount, channel FROM refund
     JOIN attempt ON attempt.id = refund.attempt WHERE refund.id = ?";
pub(super) const OPEN: &str = "SELECT attempt.id, out_trade_no, state FROM attempt
     JOIN entry ON entry.seq = attempt.last_entry
     WHERE progress = 'open' AND progress <> 'done' ORDER BY attempt.id";

/// What is done with a shift.
#[derive(Clone, Debug)]
pub enum ShiftWork {
    Open { at: Timestamp, float: Money, by: Option<By> },
    Close { closing: Closing, by: Option<By> },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum ShiftDone {
    /// An X report of the shift that has begun.
    Opened(Box<Report>),
    /// The Z report.
    Closed(Box<Report>),
    /// Nothing was written.
    Not(NotNow),
}

/// An order, as far as a report counts it.
struct Counted {
    sale: i64,
    tender: String,
    amount: Money,
    operator: Option<String>,
    /// Where it is.
    status: Option<Status>,
}

impl Check<'_> {
    fn one(&self, sql: &str) -> rusqlite::Result<Option<i64>> {
        self.db.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()
    }

    /// The entry behind which this shift begins, and the number of the last Z report. Before the first
    /// close it begins with its opening, so that a journal from before there were shifts is not in the
    /// first of them.
    fn last_close(&self) -> Result<(i64, u32), JournalError> {
        let Some(seq) = self.one(LAST_CLOSE)? else {
            let opening = self.one(FIRST_OPENING)?;
            return Ok((opening.map_or(0, |opening| opening - 1), 0));
        };
        let report = self.report(seq)?;
        Ok((seq, report.z.unwrap_or_default()))
    }

    /// Since when a shift is open that somebody has opened.
    fn open_since(&self) -> Result<Option<Timestamp>, JournalError> {
        let Some(seq) = self.one(LAST_ACT)? else { return Ok(None) };
        let entry = self.entry(seq)?;
        let is_opening = stored_act(&entry.event)?
            .is_some_and(|stored| matches!(stored.act, ActKind::ShiftOpened { .. }));
        Ok(is_opening.then_some(Timestamp(entry.at)))
    }

    /// The Z report that an entry holds.
    fn report(&self, seq: i64) -> Result<Report, JournalError> {
        match stored_act(&self.entry(seq)?.event)?.map(|stored| stored.act) {
            Some(ActKind::ShiftClosed(report)) => Ok(*report),
            Some(_) | None => Err(self.damaged(both!(
                "entry {seq} is no close of a shift",
                "第 {seq} 条记录不是交班记录"
            ))),
        }
    }

    /// What has happened since the last close, verified.
    fn tally(&self) -> Result<Tally, JournalError> {
        let (close, z) = self.last_close()?;
        let mut tally = Tally::after(z);
        let mut orders = HashMap::new();
        for seq in close + 1..=self.last()? {
            self.count(&mut tally, &mut orders, &self.entry(seq)?, close)?;
        }
        Ok(tally)
    }

    fn count(
        &self,
        tally: &mut Tally,
        orders: &mut HashMap<i64, Counted>,
        entry: &EntryRow,
        close: i64,
    ) -> Result<(), JournalError> {
        let at = Timestamp(entry.at);
        if let Some(StoredAct { act, by }) = stored_act(&entry.event)? {
            let operator = by.map(|by| by.operator);
            let movement =
                |amount, reason| Movement { at, amount, reason, operator: operator.clone() };
            match act {
                ActKind::Drawer => tally.no_sale(at),
                ActKind::CashReturned { amount } => {
                    tally.refunded(&Refunded { at, tender: CASH, amount, sold: None });
                }
                ActKind::CashIn { amount, reason } => tally.cash(movement(amount, reason)),
                ActKind::CashOut { amount, reason } => {
                    tally.cash(movement(Money::from_minor(-amount.minor()), reason));
                }
                ActKind::ShiftOpened { float } => tally.opened(at, float, operator),
                ActKind::Reprint { .. } | ActKind::ShiftClosed(_) => tally.happened(at),
            }
            return Ok(());
        }
        if entry.attempt <= 0 {
            tally.happened(at);
            return self.count_refund(tally, entry);
        }
        if let std::collections::hash_map::Entry::Vacant(place) = orders.entry(entry.attempt) {
            place.insert(self.counted(entry.attempt, close)?);
        }
        let state: State = serde_json::from_str(&entry.state)?;
        if let Some(order) = orders.get_mut(&entry.attempt) {
            tally.moved(&Moved {
                at,
                sale: order.sale,
                tender: &order.tender,
                amount: order.amount,
                operator: order.operator.as_deref(),
                before: order.status,
                state: &state,
            });
            let before = order.status.replace(state.status());
            if state.status() == Status::Paid && before != Some(Status::Paid) {
                return self.count_sale(tally, entry, order);
            }
        }
        Ok(())
    }

    /// A sale counts by what it sells once it is settled, with the order that settles it.
    fn count_sale(
        &self,
        tally: &mut Tally,
        entry: &EntryRow,
        order: &Counted,
    ) -> Result<(), JournalError> {
        let due = self.db.prepare_cached(DUE)?.query_row([order.sale], |row| row.get(0))?;
        let mut balance = Balance::new(Money::from_minor(due));
        let mut statement = self.db.prepare_cached(BESIDE)?;
        let mut rows = statement.query([order.sale, entry.attempt])?;
        while let Some(row) = rows.next()? {
            let (other, amount): (i64, i64) = (row.get(0)?, row.get(1)?);
            self.order(other)?;
            if self.status_at(other, entry.seq)? == Some(Status::Paid) {
                balance.pay(Money::from_minor(amount));
            }
        }
        let was_settled = balance.left() == Money::default();
        balance.pay(order.amount);
        if !was_settled && balance.left() == Money::default() {
            let sold = lines::of_sale(self.db, order.sale)?;
            tally.settled(balance.due(), &sold);
        }
        Ok(())
    }

    /// Where an order was after an entry.
    fn status_at(&self, attempt: i64, seq: i64) -> Result<Option<Status>, JournalError> {
        let state: Option<String> = self
            .db
            .prepare_cached(STATE_BEFORE)?
            .query_row([attempt, seq], |row| row.get(0))
            .optional()?;
        let state = state.map(|state| serde_json::from_str::<State>(&state)).transpose()?;
        Ok(state.map(|state| state.status()))
    }

    /// A refund counts once it is done, in the shift in which that comes.
    fn count_refund(&self, tally: &mut Tally, entry: &EntryRow) -> Result<(), JournalError> {
        let Some((told, _)) = refund_event::told(&entry.event, &entry.state)? else {
            return Ok(());
        };
        let start = format!("{REFUND}{},%", told.refund);
        let before: Option<String> = self
            .db
            .prepare_cached(REFUND_BEFORE)?
            .query_row(params![entry.attempt, entry.seq, start], |row| row.get(0))
            .optional()?;
        let before =
            before.map(|before| serde_json::from_str::<RefundState>(&before)).transpose()?;
        let is_done = |state: &RefundState| state.status() == RefundStatus::Done;
        if is_done(&told.state) && !before.as_ref().is_some_and(is_done) {
            self.refund(told.refund)?;
            self.order(-entry.attempt)?;
            let sold = lines::of_attempt(self.db, -entry.attempt)?;
            let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
            let (amount, tender) =
                self.db.prepare_cached(OF_REFUND)?.query_row([told.refund], row)?;
            let (at, amount) = (Timestamp(entry.at), Money::from_minor(amount));
            tally.refunded(&Refunded { at, tender: &tender, amount, sold: Some(&sold) });
        }
        Ok(())
    }

    fn counted(&self, attempt: i64, close: i64) -> Result<Counted, JournalError> {
        let status = self.status_at(attempt, close)?;
        // Its first entry may be in an earlier shift.
        self.order(attempt)?;
        Ok(self.db.prepare_cached(OF_ORDER)?.query_row([attempt], |row| {
            Ok(Counted {
                sale: row.get(0)?,
                tender: row.get(1)?,
                amount: Money::from_minor(row.get(2)?),
                operator: row.get(3)?,
                status,
            })
        })?)
    }

    /// The orders whose end is not known, by number.
    fn unresolved(&self) -> Result<Vec<String>, JournalError> {
        let mut statement = self.db.prepare_cached(OPEN)?;
        let mut rows = statement.query([])?;
        let mut numbers = Vec::new();
        while let Some(row) = rows.next()? {
            let state: State = serde_json::from_str(&row.get::<_, String>(2)?)?;
            if !state.is_settled() {
                self.order(row.get(0)?)?;
                numbers.push(row.get(1)?);
            }
        }
        Ok(numbers)
    }
}

/// An act, if the entry is one. Such a text is read as a whole or not at all.
fn stored_act(event: &str) -> Result<Option<StoredAct>, JournalError> {
    if !event.starts_with(acts::ACT) {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(event)?))
}

impl Journal {
    /// Opens or closes a shift. Its errors are as final as those of [`Journal::append`]; what is only
    /// not possible now was not written.
    pub fn do_shift(
        &mut self,
        work: ShiftWork,
        zone: &TimeZone,
    ) -> Result<ShiftDone, JournalError> {
        let path = self.path.clone();
        self.commit(|transaction, key, tip| {
            let db: &Connection = transaction;
            let check = Check { db, key, path: &path };
            let unresolved = check.unresolved()?;
            let (at, kind, by) = match work {
                ShiftWork::Open { at, float, by } => {
                    if let Some(since) = check.open_since()? {
                        return Ok((ShiftDone::Not(NotNow::IsOpen(since)), tip));
                    }
                    (at, ActKind::ShiftOpened { float }, by)
                }
                ShiftWork::Close { closing, by } => {
                    let at = closing.at;
                    match check.tally()?.close(closing, unresolved.clone(), zone) {
                        Ok(report) => (at, ActKind::ShiftClosed(Box::new(report)), by),
                        Err(why) => return Ok((ShiftDone::Not(why), tip)),
                    }
                }
            };
            let act = Act { at, kind, by };
            let tip = acts::insert(transaction, key, tip, &act, 0)?;
            let done = if let ActKind::ShiftClosed(report) = act.kind {
                ShiftDone::Closed(report)
            } else {
                let so_far = check.tally()?.so_far(at, unresolved, zone);
                ShiftDone::Opened(Box::new(so_far))
            };
            Ok((done, tip))
        })
    }
}

impl JournalReader {
    /// The X report: what has happened since the last close.
    pub fn shift(&self, now: Timestamp, zone: &TimeZone) -> Result<Report, JournalError> {
        self.guard(|| {
            let _snapshot = self.db.unchecked_transaction()?;
            let check = self.check();
            Ok(check.tally()?.so_far(now, check.unresolved()?, zone))
        })
    }

    /// Since when a shift is open that somebody has opened; it takes no longer for a longer shift.
    pub fn shift_open_since(&self) -> Result<Option<Timestamp>, JournalError> {
        self.guard(|| {
            let _snapshot = self.db.unchecked_transaction()?;
            self.check().open_since()
        })
    }

    /// All Z reports that fit, the oldest first. Each is verified, and that none is missing.
    pub fn closed_shifts(
        &self,
        fits: impl Fn(&Report) -> bool,
    ) -> Result<Vec<Report>, JournalError> {
        self.guard(|| {
            let _snapshot = self.db.unchecked_transaction()?;
            let check = self.check();
            let mut statement = self.db.prepare_cached(CLOSES)?;
            let mut rows = statement.query([])?;
            let (mut expected, mut found) = (1, Vec::new());
            while let Some(row) = rows.next()? {
                let report = check.report(row.get(0)?)?;
                if report.z != Some(expected) {
                    return Err(check.damaged(both!(
                        "Z report {expected} is missing",
                        "缺少第 {expected} 号日结报表（Z）"
                    )));
                }
                expected += 1;
                if fits(&report) {
                    found.push(report);
                }
            }
            Ok(found)
        })
    }
}
