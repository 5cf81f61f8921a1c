//! The slips that are to be printed, and how far each came.
//!
//! A slip is here before the printer hears of it: the one that an end calls for is written together
//! with that end. It is marked before its first byte leaves, and again when the printer has taken
//! it. So it is known after a crash which were certainly never begun, and which are perhaps on paper
//! already; those are only offered, never printed again by themselves.
//!
//! A row whose seal does not fit is left as it is: nothing here makes it fit, nothing is printed
//! because of it, and it costs no other slip. `doctor` names it.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::key::Key;
use super::read::{JournalReader, ORDER, order_row};
use super::refund_paper::RefundPaper;
use super::register::Register;
use super::tables::SLIPS;
use super::tenders::{self, Tender};
use super::{FORMAT, Journal, JournalError, Tip, acts, check};
use paytill_core::both;
use paytill_core::clock::Timestamp;
use paytill_core::engine::{Act, ActKind, Attempt, By, Entry};
use paytill_core::order::OutTradeNo;
use paytill_core::payment::{State, Status};
use paytill_core::refund::RefundStatus;

const COLUMNS: &str =
    "slip.id, slip.attempt, slip.status, slip.copy, slip.at, slip.stage, slip.seal";
/// The newest: a printer that has been away for months holds up no start.
pub(super) const IN_PROGRESS: &str =
    "SELECT slip.id, slip.attempt, slip.status, slip.copy, slip.at, slip.stage, slip.seal,
     out_trade_no, attempt.status FROM slip JOIN attempt ON attempt.id = slip.attempt
     WHERE stage NOT IN ('done', 'replaced') ORDER BY slip.id DESC LIMIT 100";
pub(super) const OF_ORDER: &str =
    "SELECT slip.id, slip.attempt, slip.status, slip.copy, slip.at, slip.stage, slip.seal
     FROM slip WHERE attempt = ? ORDER BY id";
/// Where an order was before its last entry.
pub(super) const EARLIER: &str = "SELECT state FROM entry WHERE attempt = ?
     AND seq < (SELECT last_entry FROM attempt WHERE id = entry.attempt) ORDER BY seq DESC";

/// A slip of an order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Slip {
    pub id: i64,
    pub out_trade_no: OutTradeNo,
    /// What it is about, and where that was when it was asked for.
    pub says: SlipSays,
    /// Which copy it is; 0 for the first slip, which is none.
    pub copy: u32,
    /// When it was asked for.
    pub at: Timestamp,
    pub stage: SlipStage,
    /// The paid orders of its sale, if there are others than its own: it says them, too.
    pub tenders: Vec<Tender>,
}

/// What a slip says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SlipSays {
    /// Where the payment is.
    Payment(Status),
    /// Where a refund of it is, by the refund's number in the journal.
    Refund(i64, RefundStatus),
}

/// Before the number of a refund.
const REFUND: &str = "refund ";

impl SlipSays {
    /// As stored.
    pub(super) fn text(self) -> String {
        match self {
            Self::Payment(status) => status.word().to_owned(),
            Self::Refund(refund, status) => format!("{REFUND}{refund} {}", status.word()),
        }
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let Some(refund) = text.strip_prefix(REFUND) else {
            return Status::from_word(text).map(Self::Payment);
        };
        let (number, word) = refund.split_once(' ')?;
        let status = RefundStatus::ALL.into_iter().find(|status| status.word() == word)?;
        Some(Self::Refund(number.parse().ok()?, status))
    }

    /// The refund that it is about.
    pub fn refund(self) -> Option<i64> {
        match self {
            Self::Payment(_) => None,
            Self::Refund(refund, _) => Some(refund),
        }
    }

    /// Where the payment is, if it is about that.
    pub fn payment(self) -> Option<Status> {
        match self {
            Self::Payment(status) => Some(status),
            Self::Refund(..) => None,
        }
    }
}

/// How far a slip came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SlipStage {
    /// Nothing of it has left for the printer.
    Waiting,
    /// It may be on paper, or a part of it.
    Begun,
    /// The printer has taken it.
    Done,
    /// It was given up; a part of it may be on paper.
    Missing,
    /// Not printed, or perhaps not: another one came in its place, a copy or that of a later end, or it
    /// was out of date before it began.
    Replaced,
}

impl SlipStage {
    const ALL: [Self; 5] = [Self::Waiting, Self::Begun, Self::Done, Self::Missing, Self::Replaced];

    /// As stored, of those that are not certainly on paper.
    const OPEN: [&str; 3] = [Self::Waiting.word(), Self::Begun.word(), Self::Missing.word()];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Missing => "missing",
            Self::Replaced => "replaced",
        }
    }
}

/// A slip as stored.
#[derive(Clone)]
pub(super) struct SlipRow {
    id: i64,
    attempt: i64,
    pub(super) status: String,
    pub(super) copy: i64,
    at: i64,
    pub(super) stage: String,
    /// As stored: whether it fits is another question.
    seal: Vec<u8>,
}

impl SlipRow {
    fn is_sealed(&self, key: &Key) -> bool {
        self.seal == self.seal(key)
    }

    fn seal(&self, key: &Key) -> [u8; 16] {
        let numbers = [self.id, self.attempt, self.copy, self.at];
        let numbers: Vec<u8> = numbers.into_iter().flat_map(i64::to_be_bytes).collect();
        // An entry has five parts.
        key.hash(&[0; 16], &[b"slip", &numbers, self.status.as_bytes(), self.stage.as_bytes()])
    }
}

/// Puts the slip that an order's new state calls for into the queue, if it calls for one. The entry
/// is written already; `before` is where the order was.
pub(super) fn queue_of_end(
    transaction: &Transaction<'_>,
    key: &Key,
    entry: &Entry,
    before: &str,
) -> Result<Option<Slip>, JournalError> {
    let status = entry.state.status();
    // Cash that pays a part of a sale is on the receipt of the whole.
    if before == status.word() || !entry.state.brings_slip() {
        return Ok(None);
    }
    or_none(transaction, || queue_once(transaction, key, entry, status))
}

/// Queues a slip. No money depends on it: a row that is odd costs a slip, and not the entry that
/// brings it.
pub(super) fn or_none<T>(
    transaction: &Transaction<'_>,
    queue: impl FnOnce() -> Result<Option<T>, JournalError>,
) -> Result<Option<T>, JournalError> {
    transaction.execute_batch("SAVEPOINT slip")?;
    let queued = queue();
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
    entry: &Entry,
    status: Status,
) -> Result<Option<Slip>, JournalError> {
    let (earlier, _) = of_order(transaction, key, entry.attempt)?;
    let has_one = earlier.iter().any(|slip| slip.status == status.word());
    if has_one && was_there(transaction, entry)? {
        return Ok(None);
    }
    let mut register = Register::read(transaction, key, FORMAT)?;
    // What they say is no longer so.
    let is_open = |slip: &&SlipRow| {
        SlipStage::OPEN.contains(&slip.stage.as_str()) && !slip.status.starts_with(REFUND)
    };
    for slip in earlier.iter().filter(is_open) {
        move_on(transaction, key, &mut register, slip, SlipStage::Replaced)?;
    }
    let number = "SELECT out_trade_no FROM attempt WHERE id = ?";
    let out_trade_no =
        transaction.prepare_cached(number)?.query_row([entry.attempt], |row| row.get(0))?;
    let status = status.word().to_owned();
    let found = Found { attempt: entry.attempt, out_trade_no, status };
    insert(transaction, key, register, found, 0, entry.at).map(Some)
}

/// Whether the order has been at this end before, with the money where it is now: its slip said the
/// same.
fn was_there(transaction: &Transaction<'_>, entry: &Entry) -> rusqlite::Result<bool> {
    let mut statement = transaction.prepare_cached(EARLIER)?;
    let mut rows = statement.query([entry.attempt])?;
    while let Some(row) = rows.next()? {
        let state: Option<State> = serde_json::from_str(&row.get::<_, String>(0)?).ok();
        if let Some(state) = state.filter(|state| state.status() == entry.state.status()) {
            return Ok(state.money() == entry.state.money());
        }
    }
    Ok(false)
}

/// The slips of an order whose seals fit, oldest first, and how many there are besides.
pub(super) fn of_order(
    transaction: &Transaction<'_>,
    key: &Key,
    attempt: i64,
) -> rusqlite::Result<(Vec<SlipRow>, u32)> {
    let mut statement = transaction.prepare_cached(OF_ORDER)?;
    let mut rows = statement.query([attempt])?;
    let (mut slips, mut odd) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let slip = read(row)?;
        if slip.is_sealed(key) {
            slips.push(slip);
        } else {
            odd += 1;
        }
    }
    Ok((slips, odd))
}

/// The order that a slip is for.
pub(super) struct Found {
    pub(super) attempt: i64,
    pub(super) out_trade_no: String,
    pub(super) status: String,
}

pub(super) fn insert(
    transaction: &Transaction<'_>,
    key: &Key,
    mut register: Register,
    found: Found,
    copy: i64,
    at: Timestamp,
) -> Result<Slip, JournalError> {
    let mut row = SlipRow {
        id: register.next(transaction)?,
        attempt: found.attempt,
        status: found.status,
        copy,
        at: at.0,
        stage: SlipStage::Waiting.word().to_owned(),
        seal: Vec::new(),
    };
    row.seal = row.seal(key).to_vec();
    transaction
        .prepare_cached(
            "INSERT INTO slip (id, attempt, status, copy, at, stage, seal)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![row.id, row.attempt, row.status, row.copy, row.at, row.stage, row.seal])?;
    register.last = row.id;
    register.exchange(&[], &row.seal);
    register.write(transaction, key)?;
    slip(transaction, &row, found.out_trade_no)
}

/// Takes a slip whose seal fits to another stage.
pub(super) fn move_on(
    transaction: &Transaction<'_>,
    key: &Key,
    register: &mut Register,
    row: &SlipRow,
    stage: SlipStage,
) -> rusqlite::Result<()> {
    let moved = SlipRow { stage: stage.word().to_owned(), ..row.clone() };
    let seal = moved.seal(key);
    register.exchange(&row.seal, &seal);
    transaction
        .prepare_cached("UPDATE slip SET stage = ?, seal = ? WHERE id = ?")?
        .execute(params![moved.stage, seal, row.id])
        .map(drop)
}

fn read(row: &Row<'_>) -> rusqlite::Result<SlipRow> {
    Ok(SlipRow {
        id: row.get(0)?,
        attempt: row.get(1)?,
        status: row.get(2)?,
        copy: row.get(3)?,
        at: row.get(4)?,
        stage: row.get(5)?,
        seal: row.get(6)?,
    })
}

fn slip(db: &Connection, row: &SlipRow, out_trade_no: String) -> Result<Slip, JournalError> {
    let unreadable = |error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error)
    };
    let stage = SlipStage::ALL.into_iter().find(|stage| stage.word() == row.stage);
    let known = SlipSays::read(&row.status).zip(stage).zip(u32::try_from(row.copy).ok());
    let ((says, stage), copy) = known.ok_or_else(|| unreadable("an unknown slip".into()))?;
    let out_trade_no =
        OutTradeNo::try_from(out_trade_no).map_err(|error| unreadable(Box::new(error)))?;
    let tenders = match says {
        SlipSays::Payment(_) => tenders::of(db, row.attempt)?,
        SlipSays::Refund(..) => Vec::new(),
    };
    Ok(Slip { id: row.id, out_trade_no, says, copy, at: Timestamp(row.at), stage, tenders })
}

impl Journal {
    /// From now on the end of a payment puts its slip into the queue, in the same transaction:
    /// [`Journal::take_slips`].
    pub fn queue_slips(&mut self) {
        self.queues_slips = true;
    }

    /// The slips that the entries since the last call have put into the queue.
    pub fn take_slips(&mut self) -> Vec<Slip> {
        std::mem::take(&mut self.queued)
    }

    /// Puts a copy of an order's slip, as the order is now, into the queue, and tells what the order
    /// is; `None` if the journal has no such order, or nothing is printed of where it is. Copies are
    /// numbered, and take the place of what was perhaps not printed; who asked for one, if that is
    /// known, is an entry of the order. Its errors are as final as those of [`Journal::append`].
    pub fn queue_copy(
        &mut self,
        order: &OutTradeNo,
        at: Timestamp,
        by: Option<&By>,
    ) -> Result<Option<(Slip, Attempt)>, JournalError> {
        let path = self.path.clone();
        self.commit_slip(|transaction, key, mut tip| {
            let find = "SELECT id, out_trade_no, status FROM attempt WHERE out_trade_no = ?";
            let found = transaction
                .prepare_cached(find)?
                .query_row([order.as_str()], |row| {
                    Ok(Found {
                        attempt: row.get(0)?,
                        out_trade_no: row.get(1)?,
                        status: row.get(2)?,
                    })
                })
                .optional()?;
            let has_slip =
                |found: &Found| Status::from_word(&found.status).is_some_and(Status::has_slip);
            let Some(found) = found.filter(has_slip) else { return Ok((None, tip)) };
            let (mut earlier, odd) = of_order(transaction, key, found.attempt)?;
            earlier.retain(|slip| slip.status == found.status);
            // What is odd may have been a copy.
            let copy = earlier.iter().map(|slip| slip.copy).max().unwrap_or(0) + 1 + i64::from(odd);
            let mut register = Register::read(transaction, key, FORMAT)?;
            let open = [SlipStage::Begun, SlipStage::Missing].map(SlipStage::word);
            for slip in earlier.iter().filter(|slip| open.contains(&slip.stage.as_str())) {
                move_on(transaction, key, &mut register, slip, SlipStage::Replaced)?;
            }
            check::Check { db: transaction, key, path: &path }.with_tenders(found.attempt)?;
            let one = format!("{ORDER} WHERE attempt.id = ?");
            let row = transaction
                .prepare_cached(&one)?
                .query_and_then([found.attempt], order_row)?
                .next()
                .transpose()?;
            let attempt = found.attempt;
            let slip = insert(transaction, key, register, found, copy, at)?;
            if let Some(by) = by {
                let act =
                    Act { at, kind: ActKind::Reprint { copy: slip.copy }, by: Some(by.clone()) };
                tip = acts::insert(transaction, key, tip, &act, attempt)?;
            }
            Ok((row.map(|row| (slip, row.into())), tip))
        })
    }

    /// Writes down how far a slip has come, and tells whether it did: not if another one has taken
    /// its place, or its row is odd or missing. A fault of the disk is as final as one of
    /// [`Journal::append`].
    pub fn mark_slip(&mut self, id: i64, stage: SlipStage) -> Result<bool, JournalError> {
        self.commit_slip(|transaction, key, tip| {
            let one = format!("SELECT {COLUMNS} FROM slip WHERE id = ?");
            let row = transaction.prepare_cached(&one)?.query_row([id], read).optional()?;
            // Not if another one has taken its place meanwhile. And one that is odd, or gone, comes
            // out of no later start anyway.
            let row =
                row.filter(|row| row.stage != SlipStage::Replaced.word() && row.is_sealed(key));
            if let Some(row) = &row {
                let mut register = Register::read(transaction, key, FORMAT)?;
                move_on(transaction, key, &mut register, row, stage)?;
                register.write(transaction, key)?;
            }
            Ok((row.is_some(), tip))
        })
    }
}

impl JournalReader {
    /// The newest slips that were not certainly printed, oldest first. Those that say what is no longer so
    /// are left out, and those whose seal does not fit.
    pub fn slips(&self) -> Result<Vec<Slip>, JournalError> {
        if format(&self.db)? < SLIPS {
            return Ok(Vec::new());
        }
        self.guard(|| {
            let _snapshot = self.db.unchecked_transaction()?;
            let check = self.check();
            let mut statement = self.db.prepare(IN_PROGRESS)?;
            let mut rows = statement.query([])?;
            let mut slips = Vec::new();
            while let Some(row) = rows.next()? {
                let found = read(row)?;
                if !found.is_sealed(&self.key) {
                    continue;
                }
                check.with_tenders(found.attempt)?;
                let says = SlipSays::read(&found.status);
                let is_so = match says.and_then(SlipSays::refund) {
                    Some(refund) => check.is_refund_given(refund)?,
                    None => found.status == row.get::<_, String>(8)?,
                };
                if is_so {
                    slips.push(slip(&self.db, &found, row.get(7)?)?);
                }
            }
            slips.reverse();
            Ok(slips)
        })
    }
}

fn format(db: &Connection) -> rusqlite::Result<i32> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

impl check::Check<'_> {
    fn not_sealed(&self, id: i64) -> JournalError {
        self.damaged(both!(
            "slip {id} was changed or is missing",
            "第 {id} 张小票的记录被改动或丢失"
        ))
    }

    /// Verifies all slips: their seals, that none is missing, and that each is at its last stage.
    pub(super) fn slips(&self) -> Result<(), JournalError> {
        let format = format(self.db)?;
        if format < SLIPS {
            return Ok(());
        }
        let register = Register::read(self.db, self.key, format)?;
        if !register.is_sound || !Register::is_single(self.db)? {
            return Err(self.not_sealed(register.last));
        }
        let mut statement = self.db.prepare(&format!("SELECT {COLUMNS} FROM slip ORDER BY id"))?;
        let mut rows = statement.query([])?;
        let mut expected = 1;
        let mut sum = Register::new(format);
        while let Some(row) = rows.next()? {
            let slip = read(row)?;
            if slip.id != expected || !slip.is_sealed(self.key) {
                return Err(self.not_sealed(expected));
            }
            sum.exchange(&[], &slip.seal);
            expected += 1;
        }
        let next = register.last.saturating_add(1);
        if expected != next {
            return Err(self.not_sealed(expected.min(next)));
        }
        if !register.agrees(&sum) {
            return Err(self.damaged(both!(
                "a slip was put back to an earlier stage",
                "有小票的记录被改回较早的状态"
            )));
        }
        Ok(())
    }
}

/// What the writer does with a slip.
pub enum SlipWork {
    Copy { order: OutTradeNo, at: Timestamp, by: Option<By> },
    Mark(i64, SlipStage),
}

/// What came of it.
#[derive(Debug)]
pub enum SlipDone {
    /// The copy, and where its order is, nothing if there is none to print; and those of its refunds.
    Copied(Option<(Slip, Box<Attempt>)>, Vec<(Slip, RefundPaper)>),
    /// Whether the slip is at that stage now.
    Marked(bool),
}

impl Journal {
    /// Does one of them.
    pub(super) fn do_slip(&mut self, work: &SlipWork) -> Result<SlipDone, JournalError> {
        match work {
            SlipWork::Copy { order, at, by } => {
                let queued = self.queue_copy(order, *at, by.as_ref())?;
                let queued = queued.map(|(slip, of)| (slip, Box::new(of)));
                // The copy of the order's own slip waits for nothing that is odd about a refund.
                let refunds = match self.queue_refund_copies(order, *at) {
                    Err(error) if error.is_of_a_row() => Vec::new(),
                    refunds => refunds?,
                };
                Ok(SlipDone::Copied(queued, refunds))
            }
            SlipWork::Mark(id, stage) => self.mark_slip(*id, *stage).map(SlipDone::Marked),
        }
    }

    /// As [`Journal::commit`], but only a fault of the disk is final: a row that is odd was rolled
    /// back, and concerns no payment.
    pub(super) fn commit_slip<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &Key, Tip) -> Result<(T, Tip), JournalError>,
    ) -> Result<T, JournalError> {
        let done = self.write(work);
        if done.as_ref().is_err_and(|error| !error.is_of_a_row()) {
            self.leave_as_it_is();
        }
        done
    }

    /// Does something in one transaction, and returns once it is on disk.
    pub(super) fn commit<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &Key, Tip) -> Result<(T, Tip), JournalError>,
    ) -> Result<T, JournalError> {
        let done = self.write(work);
        if done.is_err() {
            self.leave_as_it_is();
        }
        done
    }
}
