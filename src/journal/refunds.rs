//! Refunds: records of their own on a paid order, written and verified as its attempt is.
//!
//! An entry of a refund is one of minus its order's attempt: it concerns the order, and does not move
//! it. Which refund it is stands at the start of its event, and where that is now in its state.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::acts::StoredEvent;
use super::check::{self, Check, EntryRow};
use super::key::Key;
use super::read::{JournalReader, OrderRow, StoredEntry, currency, millis, number, unreadable};
use super::refund_event::{self, BEGUN, REFUND, refund_of};
use super::{JournalError, StoredRequest, insert_row, stored, tables, wire_json};
use paytill_core::both;
use paytill_core::clock::{Timestamp, Uptime};
use paytill_core::engine::{By, Recovered, RefundBegin, RefundEntry, RefundRecord, StoredRefund};
use paytill_core::money::Money;
use paytill_core::order::{Order, OutTradeNo};
use paytill_core::refund::{EarlierRefund, OutRefundNo, Refund, RefundState};

/// What a refund was begun with, as one text; the hash of its first entry covers it.
const FACTS: &str = "SELECT json_array(out_refund_no, attempt, amount, reason, created_at, day)
     FROM refund WHERE id = ?";
/// Where a refund is, and whether its last entry left it there.
const WHERE_IT_IS: &str = "SELECT last_entry, status, progress, state,
     last_entry = (SELECT max(seq) FROM entry AS any WHERE any.attempt = -refund.attempt
             AND instr(any.event, '{\"refund\":' || refund.id || ',') = 1)
         AND entry.at = updated_at
     FROM refund LEFT JOIN entry ON entry.seq = last_entry WHERE refund.id = ?";
pub(super) const FIRST_OF: &str =
    "SELECT min(seq) FROM entry JOIN refund ON entry.attempt = -refund.attempt
     WHERE refund.id = ? AND instr(event, '{\"refund\":' || refund.id || ',') = 1";
const LAST: &str = "SELECT coalesce(max(id), 0) FROM refund";
const OF_ORDER: &str =
    "SELECT refund.id, out_refund_no, amount, reason, created_at, updated_at, entry.state
     FROM refund JOIN entry ON entry.seq = last_entry
     WHERE refund.attempt = ? ORDER BY refund.id";
const OPEN: &str =
    "SELECT refund.id, refund.attempt, out_refund_no, refund.amount, reason, out_trade_no,
     attempt.amount, currency, request, boot, sent_at, age, refund.created_at, refund.updated_at,
     entry.state
     FROM refund JOIN attempt ON attempt.id = refund.attempt JOIN sale ON sale.id = attempt.sale
     JOIN entry ON entry.seq = refund.last_entry
     WHERE refund.progress <> 'done' ORDER BY refund.id";
const LATEST: &str = "SELECT id, progress FROM refund WHERE id > ? ORDER BY id";
/// How many of the latest refunds are looked for at a start.
const LOOKED_FOR: i64 = 100;

/// Cash that went back since the rest of its sale was not paid. It concerns its order.
const CASH_RETURNED: &str = "SELECT seq FROM entry WHERE attempt = ?
     AND event LIKE '{\"act\":{\"CashReturned\"%' ORDER BY seq LIMIT 1";

/// The queries that a start and a reader make, again and again.
#[cfg(test)]
pub(super) const QUERIES: [&str; 8] =
    [FACTS, WHERE_IT_IS, FIRST_OF, LAST, OF_ORDER, OPEN, LATEST, CASH_RETURNED];

/// A refund as people are shown it.
#[derive(Clone, Debug)]
pub struct RefundRow {
    pub id: i64,
    pub out_refund_no: OutRefundNo,
    pub amount: Money,
    pub reason: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub state: RefundState,
}

impl RefundRow {
    /// With what its order says of it.
    pub fn of(self, order: &OrderRow) -> RefundRecord {
        let Self { out_refund_no, amount, reason, created_at, updated_at, state, .. } = self;
        let (attempt, currency) = (order.attempt, order.currency);
        RefundRecord {
            out_refund_no,
            out_trade_no: order.out_trade_no.clone(),
            attempt,
            amount,
            currency,
            reason,
            created_at,
            updated_at,
            state,
            recorded: true,
        }
    }
}

impl From<RefundRow> for EarlierRefund {
    fn from(row: RefundRow) -> Self {
        let RefundRow { out_refund_no, amount, created_at, state, .. } = row;
        Self { number: out_refund_no, amount, state, begun_at: created_at }
    }
}

/// A refund with its order, and when the gateway had it by the journal.
#[derive(Clone, Debug)]
pub struct BegunRefund {
    pub out_trade_no: OutTradeNo,
    pub refund: RefundRow,
    pub accepted_at: Option<Timestamp>,
}

/// How much of an order was given back, as far as its refunds know: what the gateway has accepted or
/// done, and what others have refunded.
pub fn given_back(refunds: &[RefundRow]) -> Money {
    let given = refunds.iter().filter(|refund| refund.state.is_given());
    let ours = given.fold(0_i64, |sum, refund| sum.saturating_add(refund.amount.minor()));
    let others = refunds.iter().map(|refund| refund.state.elsewhere().minor()).max();
    Money::from_minor(ours.saturating_add(others.unwrap_or(0)))
}

/// Whether the journal is of a format that has them.
fn has_refunds(db: &Connection) -> rusqlite::Result<bool> {
    let format: i32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(format >= tables::REFUNDS)
}

/// Whether there is a table of them: without it what the entries say of them fits nothing.
fn has_table(db: &Connection) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = 'refund'")?.exists([])
}

/// What a refund was begun with; nothing if there is no such refund.
fn facts(db: &Connection, refund: i64) -> rusqlite::Result<String> {
    let found = db.prepare_cached(FACTS)?.query_row([refund], |row| row.get(0)).optional()?;
    Ok(found.unwrap_or_default())
}

pub(super) fn insert_entry(
    transaction: &Transaction<'_>,
    key: &Key,
    entry: &RefundEntry,
    seq: i64,
    before: &[u8; 16],
) -> Result<[u8; 16], JournalError> {
    let mut own_facts = String::new();
    if let Some(begin) = &entry.begin {
        insert_refund(transaction, entry, begin)?;
        own_facts = facts(transaction, entry.refund)?;
    }
    let row = EntryRow {
        seq,
        attempt: -entry.attempt,
        at: entry.at.0,
        age: stored(entry.age.0),
        boot: entry.boot,
        sent_at: stored(entry.begun_at.0),
        event: refund_event::text(entry)?,
        state: serde_json::to_string(&entry.state)?,
        wire: wire_json(&entry.wire)?,
    };
    let chain = insert_row(transaction, key, &row, before, &own_facts)?;
    let update = "UPDATE refund SET updated_at = ?, status = ?, progress = ?, last_entry = ?
         WHERE id = ?";
    transaction.prepare_cached(update)?.execute(params![
        entry.at.0,
        entry.state.status().word(),
        progress(&entry.state),
        seq,
        entry.refund
    ])?;
    Ok(chain)
}

fn insert_refund(
    transaction: &Transaction<'_>,
    entry: &RefundEntry,
    begin: &RefundBegin,
) -> Result<(), JournalError> {
    let refund = &begin.refund;
    transaction
        .prepare_cached(
            "INSERT INTO refund (id, attempt, out_refund_no, amount, reason, created_at, day,
             updated_at, status, progress, last_entry) VALUES (?, ?, ?, ?, ?, ?, ?, 0, '', 'open', 0)",
        )?
        .execute(params![
            entry.refund,
            entry.attempt,
            refund.out_refund_no.as_str(),
            refund.amount.minor(),
            refund.reason,
            entry.at.0,
            begin.day.to_string()
        ])?;
    Ok(())
}

/// What is to be rechecked is continued, but does not count as open.
const fn progress(state: &RefundState) -> &'static str {
    if state.is_open() {
        "open"
    } else if state.is_to_be_rechecked() {
        "recheck"
    } else {
        "done"
    }
}

impl EntryRow {
    /// The refund that it is about.
    pub(super) fn refund(&self) -> Option<i64> {
        refund_of(&self.event).map(|(refund, _)| refund)
    }
}

impl Check<'_> {
    /// What an entry was written together with, which its hash covers: the attempt or refund that it
    /// begins. Nothing for any other.
    pub(super) fn facts_of(&self, entry: &EntryRow) -> rusqlite::Result<String> {
        if entry.is_begun() {
            return check::facts(self.db, entry.attempt);
        }
        match refund_of(&entry.event) {
            Some((refund, true)) if has_table(self.db)? => facts(self.db, refund),
            _ => Ok(String::new()),
        }
    }

    /// Verifies a refund as it is shown: what it was begun with, and where it is.
    pub(super) fn refund(&self, refund: i64) -> Result<(), JournalError> {
        let last = self.is_where_it_was_left(refund)?;
        let first = self.first_of_refund(refund)?;
        if refund_of(&self.entry(first)?.event) != Some((refund, true)) {
            return Err(self.refund_misplaced(refund));
        }
        if last != first {
            self.entry(last)?;
        }
        Ok(())
    }

    fn first_of_refund(&self, refund: i64) -> Result<i64, JournalError> {
        let mut statement = self.db.prepare_cached(FIRST_OF)?;
        let first: Option<i64> = statement.query_row([refund], |row| row.get(0))?;
        first.ok_or_else(|| self.refund_misplaced(refund))
    }

    /// A refund must be where its last entry left it. Returns that entry.
    pub(super) fn is_where_it_was_left(&self, refund: i64) -> Result<i64, JournalError> {
        if !has_table(self.db)? {
            return Err(self.refund_misplaced(refund));
        }
        let found = self
            .db
            .prepare_cached(WHERE_IT_IS)?
            .query_row([refund], |row| {
                let is_last = row.get::<_, Option<bool>>(4)? == Some(true);
                let state = row.get::<_, Option<String>>(3)?.filter(|_| is_last);
                Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, state))
            })
            .optional()?;
        let Some((last, status, in_progress, Some(state))) = found else {
            return Err(self.refund_misplaced(refund));
        };
        let state: RefundState = serde_json::from_str(&state)?;
        if status != state.status().word() || in_progress != progress(&state) {
            return Err(self.refund_misplaced(refund));
        }
        Ok(last)
    }

    /// Verifies that every refund was begun once.
    pub(super) fn refunds(&self) -> Result<(), JournalError> {
        if !has_refunds(self.db)? {
            return Ok(());
        }
        let count = "SELECT (SELECT count(*) FROM refund) = (SELECT count(*) FROM entry
             WHERE attempt < 0 AND instr(event, ?) = 1 AND instr(event, ?) > 0)";
        if !self.db.query_row(count, [REFUND, BEGUN], |row| row.get::<_, bool>(0))? {
            return Err(self.damaged(both!("a refund was never begun", "有一笔退款没有起始记录")));
        }
        Ok(())
    }

    fn refund_misplaced(&self, refund: i64) -> JournalError {
        self.damaged(both!(
            "refund {refund} is not where its last entry left it",
            "第 {refund} 笔退款与其最后一条记录不符"
        ))
    }
}

/// Adds what a till needs of its refunds in order to continue. It is checked, too.
pub(super) fn past(
    db: &Connection,
    key: &Key,
    path: &Path,
    past: &mut Recovered,
) -> Result<(), JournalError> {
    if !has_refunds(db)? {
        return Ok(());
    }
    let check = Check { db, key, path };
    past.last_refund = db.query_row(LAST, [], |row| row.get(0))?;
    let mut statement = db.prepare(OPEN)?;
    past.refunds = statement.query_and_then([], stored_refund)?.collect::<Result<_, _>>()?;
    let open: BTreeSet<i64> = past.refunds.iter().map(|refund| refund.id).collect();
    for refund in &open {
        check.refund(*refund)?;
    }
    for refund in &mut past.refunds {
        let first = check.first_of_refund(refund.id)?;
        let by = refund_event::by(&check.entry(first)?.event)?;
        refund.refund.approved_by = by.as_ref().map(By::approver).unwrap_or_default();
    }
    let mut expected = (past.last_refund - LOOKED_FOR).max(0);
    let mut statement = db.prepare(LATEST)?;
    let mut rows = statement.query([expected])?;
    while let Some(row) = rows.next()? {
        expected += 1;
        let (id, progress): (i64, String) = (row.get(0)?, row.get(1)?);
        // The index that leads to the open ones must not have lost one.
        if id != expected || !(progress == "done" || open.contains(&id)) {
            return Err(check.refund_misplaced(expected));
        }
    }
    Ok(())
}

fn stored_refund(row: &Row<'_>) -> Result<StoredRefund, JournalError> {
    let request: StoredRequest = serde_json::from_str(&row.get::<_, String>(8)?)?;
    Ok(StoredRefund {
        id: row.get(0)?,
        attempt: row.get(1)?,
        refund: Refund {
            out_refund_no: refund_number(row.get(2)?)?,
            amount: Money::from_minor(row.get(3)?),
            reason: row.get(4)?,
            // It is in the first entry.
            approved_by: String::new(),
            order: Order {
                out_trade_no: number(row.get(5)?)?,
                amount: Money::from_minor(row.get(6)?),
                currency: currency(&row.get::<_, String>(7)?)?,
                merchant: request.merchant,
                body: request.body,
                device_info: request.device_info,
                client_ip: request.client_ip,
                mark: request.mark,
            },
        },
        boot: row.get(9)?,
        begun_at: Uptime(millis(row.get(10)?).0),
        age: millis(row.get(11)?),
        created_at: Timestamp(row.get(12)?),
        updated_at: Timestamp(row.get(13)?),
        state: serde_json::from_str(&row.get::<_, String>(14)?)?,
    })
}

pub(super) fn refund_number(text: String) -> Result<OutRefundNo, rusqlite::Error> {
    OutRefundNo::try_from(text).map_err(|error| unreadable(Box::new(error)))
}

fn refund_row(row: &Row<'_>) -> Result<RefundRow, JournalError> {
    Ok(RefundRow {
        id: row.get(0)?,
        out_refund_no: refund_number(row.get(1)?)?,
        amount: Money::from_minor(row.get(2)?),
        reason: row.get(3)?,
        created_at: Timestamp(row.get(4)?),
        updated_at: Timestamp(row.get(5)?),
        state: serde_json::from_str(&row.get::<_, String>(6)?)?,
    })
}

impl JournalReader {
    /// The refunds of an order, oldest first.
    pub fn refunds(&self, attempt: i64) -> Result<Vec<RefundRow>, JournalError> {
        self.guard(|| {
            let _snapshot = self.db.unchecked_transaction()?;
            self.refunds_of(attempt)
        })
    }

    fn refunds_of(&self, attempt: i64) -> Result<Vec<RefundRow>, JournalError> {
        if !has_refunds(&self.db)? {
            return Ok(Vec::new());
        }
        let mut statement = self.db.prepare_cached(OF_ORDER)?;
        let rows = statement.query_and_then([attempt], refund_row)?;
        let rows: Vec<RefundRow> = rows.collect::<Result<_, JournalError>>()?;
        rows.iter().try_for_each(|row| self.check().refund(row.id))?;
        Ok(rows)
    }

    /// The refunds that were begun from one day of the shop to another, oldest first.
    pub fn refunds_begun(&self, from: &str, to: &str) -> Result<Vec<BegunRefund>, JournalError> {
        if !has_refunds(&self.db)? {
            return Ok(Vec::new());
        }
        let of_days = "SELECT refund.id, refund.attempt, out_trade_no FROM refund
             JOIN attempt ON attempt.id = refund.attempt
             WHERE refund.day BETWEEN ? AND ? ORDER BY refund.id";
        let mut statement = self.db.prepare(of_days)?;
        let found = statement.query_map([from, to], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?))
        })?;
        let found: Vec<(i64, i64, String)> = found.collect::<Result<_, _>>()?;
        let mut begun = Vec::new();
        for (id, attempt, number) in found {
            let rows = self.refunds(attempt)?;
            let Some(refund) = rows.into_iter().find(|row| row.id == id) else { continue };
            let is_given = |entry: &StoredEntry| match &entry.event {
                StoredEvent::Refund(told) => told.refund == id && told.state.is_given(),
                StoredEvent::Payment(_) | StoredEvent::Act(_) => false,
            };
            let entries = self.entries(attempt)?;
            let accepted_at = entries.iter().find(|entry| is_given(entry)).map(|entry| entry.at);
            let number = OutTradeNo::try_from(number);
            let out_trade_no = number.map_err(|error| unreadable(Box::new(error)))?;
            begun.push(BegunRefund { out_trade_no, refund, accepted_at });
        }
        Ok(begun)
    }

    /// How many refunds have no end yet, but for those that the gateway has accepted.
    pub(super) fn refunds_unclear(&self) -> rusqlite::Result<i64> {
        if !has_refunds(&self.db)? {
            return Ok(0);
        }
        let count = "SELECT count(*) FROM refund WHERE progress = 'open' AND status <> 'accepted'";
        self.db.query_row(count, [], |row| row.get(0))
    }

    /// Says of each order how much of it was given back.
    pub(super) fn add_refunds(&self, rows: &mut [OrderRow]) -> Result<(), JournalError> {
        let is_paid =
            |row: &&mut OrderRow| row.state.proof().is_some() || row.state.cash().is_some();
        for row in rows.iter_mut().filter(is_paid) {
            let has_returned = row.state.cash().is_some() && self.has_returned(row.attempt)?;
            row.refunded =
                if has_returned { row.amount } else { given_back(&self.refunds_of(row.attempt)?) };
        }
        Ok(())
    }

    /// Whether the cash of an order went back since the rest of its sale was not paid.
    fn has_returned(&self, attempt: i64) -> Result<bool, JournalError> {
        let mut statement = self.db.prepare_cached(CASH_RETURNED)?;
        let entry = statement.query_row([-attempt], |row| row.get(0)).optional()?;
        entry.map(|entry| self.check().entry(entry)).transpose().map(|entry| entry.is_some())
    }
}
