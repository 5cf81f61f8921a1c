//! The slips that are to be printed, and how far each came.
//!
//! A slip is here before the printer hears of it: the one that an end calls for is written together
//! with that end. It is marked before its first byte leaves, and again when the printer has taken
//! it. So it is known after a crash which were certainly never begun, and which are perhaps on paper
//! already; those are only offered, never printed again by themselves.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::key::Key;
use super::read::{JournalReader, ORDER, order_row};
use super::{Journal, JournalError, Tip, acts, check};
use paytill_core::both;
use paytill_core::clock::Timestamp;
use paytill_core::engine::{Act, ActKind, Attempt, By};
use paytill_core::order::OutTradeNo;
use paytill_core::payment::Status;

const COLUMNS: &str =
    "slip.id, slip.attempt, slip.status, slip.copy, slip.at, slip.stage, slip.seal";
/// The first format that has them.
pub(super) const SINCE: i32 = 4;
pub(super) const LAST: &str = "SELECT slip, seal FROM last_slip";
/// The newest: a printer that has been away for months holds up no start.
pub(super) const IN_PROGRESS: &str =
    "SELECT slip.id, slip.attempt, slip.status, slip.copy, slip.at, slip.stage, slip.seal,
     out_trade_no, attempt.status FROM slip JOIN attempt ON attempt.id = slip.attempt
     WHERE stage NOT IN ('done', 'replaced') ORDER BY slip.id DESC LIMIT 100";
/// Those of an order that say the same.
pub(super) const OF_ORDER: &str =
    "SELECT slip.id, slip.attempt, slip.status, slip.copy, slip.at, slip.stage, slip.seal
     FROM slip WHERE attempt = ? AND status = ? ORDER BY id";

/// A slip of an order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Slip {
    pub id: i64,
    pub out_trade_no: OutTradeNo,
    /// Where the order was when it was asked for: what the slip says.
    pub status: Status,
    /// Which copy it is; 0 for the first slip, which is none.
    pub copy: u32,
    /// When it was asked for.
    pub at: Timestamp,
    pub stage: SlipStage,
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
    /// Perhaps not printed, and a copy was asked for in its place.
    Replaced,
}

impl SlipStage {
    const ALL: [Self; 5] = [Self::Waiting, Self::Begun, Self::Done, Self::Missing, Self::Replaced];

    const fn word(self) -> &'static str {
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
struct SlipRow {
    id: i64,
    attempt: i64,
    status: String,
    copy: i64,
    at: i64,
    stage: String,
}

impl SlipRow {
    fn seal(&self, key: &Key) -> [u8; 16] {
        let numbers = [self.id, self.attempt, self.copy, self.at];
        let numbers: Vec<u8> = numbers.into_iter().flat_map(i64::to_be_bytes).collect();
        // An entry has five parts.
        key.hash(&[0; 16], &[b"slip", &numbers, self.status.as_bytes(), self.stage.as_bytes()])
    }
}

fn seal_of_last(key: &Key, last: i64) -> [u8; 16] {
    key.hash(&[0; 16], &[b"last slip", &last.to_be_bytes(), b""])
}

/// Begins the table's numbers.
pub(super) fn begin(db: &Connection, key: &Key) -> rusqlite::Result<()> {
    db.execute("INSERT INTO last_slip VALUES (1, 0, ?)", [seal_of_last(key, 0)]).map(drop)
}

/// Puts the slip that an order's new state calls for into the queue, if it calls for one.
pub(super) fn queue_of_end(
    transaction: &Transaction<'_>,
    key: &Key,
    attempt: i64,
    (before, status): (&str, Status),
    at: Timestamp,
) -> Result<Option<Slip>, JournalError> {
    if before == status.word() || !status.has_slip() {
        return Ok(None);
    }
    // No money depends on it: a row that is odd costs a slip, and not the entry.
    transaction.execute_batch("SAVEPOINT slip")?;
    let queued = queue_once(transaction, key, attempt, status, at);
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
    attempt: i64,
    status: Status,
    at: Timestamp,
) -> Result<Option<Slip>, JournalError> {
    let has_one = transaction.prepare_cached(OF_ORDER)?.exists(params![attempt, status.word()])?;
    if has_one {
        return Ok(None);
    }
    let number = "SELECT out_trade_no FROM attempt WHERE id = ?";
    let out_trade_no =
        transaction.prepare_cached(number)?.query_row([attempt], |row| row.get(0))?;
    let found = Found { attempt, out_trade_no, status: status.word().to_owned() };
    insert(transaction, key, found, 0, at).map(Some)
}

/// The order that a slip is for.
struct Found {
    attempt: i64,
    out_trade_no: String,
    status: String,
}

fn insert(
    transaction: &Transaction<'_>,
    key: &Key,
    found: Found,
    copy: i64,
    at: Timestamp,
) -> Result<Slip, JournalError> {
    let last: i64 = transaction.prepare_cached(LAST)?.query_row([], |row| row.get(0))?;
    let row = SlipRow {
        id: last + 1,
        attempt: found.attempt,
        status: found.status,
        copy,
        at: at.0,
        stage: SlipStage::Waiting.word().to_owned(),
    };
    transaction
        .prepare_cached(
            "INSERT INTO slip (id, attempt, status, copy, at, stage, seal)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            row.id,
            row.attempt,
            row.status,
            row.copy,
            row.at,
            row.stage,
            row.seal(key)
        ])?;
    transaction
        .prepare_cached("UPDATE last_slip SET slip = ?, seal = ?")?
        .execute(params![row.id, seal_of_last(key, row.id)])?;
    slip(&row, found.out_trade_no)
}

fn move_on(
    transaction: &Transaction<'_>,
    key: &Key,
    row: &SlipRow,
    stage: SlipStage,
) -> rusqlite::Result<()> {
    let row = SlipRow { stage: stage.word().to_owned(), ..row.clone() };
    transaction
        .prepare_cached("UPDATE slip SET stage = ?, seal = ? WHERE id = ?")?
        .execute(params![row.stage, row.seal(key), row.id])
        .map(drop)
}

fn read(row: &Row<'_>) -> rusqlite::Result<(SlipRow, [u8; 16])> {
    let slip = SlipRow {
        id: row.get(0)?,
        attempt: row.get(1)?,
        status: row.get(2)?,
        copy: row.get(3)?,
        at: row.get(4)?,
        stage: row.get(5)?,
    };
    Ok((slip, row.get(6)?))
}

fn slip(row: &SlipRow, out_trade_no: String) -> Result<Slip, JournalError> {
    let unreadable = |error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error)
    };
    let stage = SlipStage::ALL.into_iter().find(|stage| stage.word() == row.stage);
    let known = Status::from_word(&row.status).zip(stage).zip(u32::try_from(row.copy).ok());
    let ((status, stage), copy) = known.ok_or_else(|| unreadable("an unknown slip".into()))?;
    let out_trade_no =
        OutTradeNo::try_from(out_trade_no).map_err(|error| unreadable(Box::new(error)))?;
    Ok(Slip { id: row.id, out_trade_no, status, copy, at: Timestamp(row.at), stage })
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

    /// Puts a slip of an order as it is now into the queue, and tells what the order is; `None` if
    /// the journal has no such order, or nothing is printed of where it is.
    /// A copy is numbered, and takes the place of those that were perhaps not printed; who asked for
    /// it, if that is known, is an entry of the order. Its errors
    /// are as final as those of [`Journal::append`].
    pub fn queue_slip(
        &mut self,
        order: &OutTradeNo,
        is_copy: bool,
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
            let earlier: Vec<SlipRow> = transaction
                .prepare_cached(OF_ORDER)?
                .query_map(params![found.attempt, found.status], |row| Ok(read(row)?.0))?
                .collect::<rusqlite::Result<_>>()?;
            let mut copy = 0;
            if is_copy {
                copy = 1 + earlier.iter().map(|slip| slip.copy).max().unwrap_or(0);
                let open = [SlipStage::Begun, SlipStage::Missing].map(SlipStage::word);
                for slip in earlier.iter().filter(|slip| open.contains(&slip.stage.as_str())) {
                    move_on(transaction, key, slip, SlipStage::Replaced)?;
                }
            }
            check::Check { db: transaction, key, path: &path }.order(found.attempt)?;
            let one = format!("{ORDER} WHERE attempt.id = ?");
            let row = transaction
                .prepare_cached(&one)?
                .query_and_then([found.attempt], order_row)?
                .next()
                .transpose()?;
            let attempt = found.attempt;
            let slip = insert(transaction, key, found, copy, at)?;
            if let (true, Some(by)) = (is_copy, by) {
                let act =
                    Act { at, kind: ActKind::Reprint { copy: slip.copy }, by: Some(by.clone()) };
                tip = acts::insert(transaction, key, tip, &act, attempt)?;
            }
            Ok((row.map(|row| (slip, row.into())), tip))
        })
    }

    /// Writes down how far a slip has come. A fault of the disk is as final as
    /// one of [`Journal::append`].
    pub fn mark_slip(&mut self, id: i64, stage: SlipStage) -> Result<(), JournalError> {
        self.commit_slip(|transaction, key, tip| {
            let one = format!("SELECT {COLUMNS} FROM slip WHERE id = ?");
            let row = transaction
                .prepare_cached(&one)?
                .query_row([id], |row| Ok(read(row)?.0))
                .optional()?;
            // A copy has taken its place meanwhile.
            let row = row.filter(|row| row.stage != SlipStage::Replaced.word());
            if let Some(row) = row {
                move_on(transaction, key, &row, stage)?;
            }
            Ok(((), tip))
        })
    }
}

impl JournalReader {
    /// The newest slips that were not certainly printed, oldest first. Those that say what is no longer so
    /// are left out.
    pub fn slips(&self) -> Result<Vec<Slip>, JournalError> {
        if !has_slips(&self.db)? {
            return Ok(Vec::new());
        }
        self.guard(|| {
            let _snapshot = self.db.unchecked_transaction()?;
            let check = self.check();
            let mut statement = self.db.prepare(IN_PROGRESS)?;
            let mut rows = statement.query([])?;
            let mut slips = Vec::new();
            while let Some(row) = rows.next()? {
                let found = check.slip(row)?;
                check.order(found.attempt)?;
                if found.status == row.get::<_, String>(8)? {
                    slips.push(slip(&found, row.get(7)?)?);
                }
            }
            slips.reverse();
            Ok(slips)
        })
    }
}

/// Whether the journal is of a format that has them.
pub(super) fn has_slips(db: &Connection) -> rusqlite::Result<bool> {
    let format: i32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(format >= SINCE)
}

impl check::Check<'_> {
    fn slip(&self, row: &Row<'_>) -> Result<SlipRow, JournalError> {
        let (slip, seal) = read(row)?;
        if slip.seal(self.key) != seal {
            return Err(self.not_sealed(slip.id));
        }
        Ok(slip)
    }

    fn not_sealed(&self, id: i64) -> JournalError {
        self.damaged(both!(
            "slip {id} was changed or is missing",
            "第 {id} 张小票的记录被改动或丢失"
        ))
    }

    /// Verifies all slips: their seals, and that none is missing.
    pub(super) fn slips(&self) -> Result<(), JournalError> {
        if !has_slips(self.db)? {
            return Ok(());
        }
        let last = self.db.query_row(LAST, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (last, seal): (i64, [u8; 16]) = last.ok_or_else(|| self.not_sealed(0))?;
        if seal_of_last(self.key, last) != seal {
            return Err(self.not_sealed(last));
        }
        let mut statement = self.db.prepare(&format!("SELECT {COLUMNS} FROM slip ORDER BY id"))?;
        let mut rows = statement.query([])?;
        let mut expected = 1;
        while let Some(row) = rows.next()? {
            if self.slip(row)?.id != expected {
                return Err(self.not_sealed(expected));
            }
            expected += 1;
        }
        if expected != last + 1 {
            return Err(self.not_sealed(expected));
        }
        Ok(())
    }
}

/// What the writer does with a slip.
pub enum SlipWork {
    Queue { order: OutTradeNo, is_copy: bool, at: Timestamp, by: Option<By> },
    Mark(i64, SlipStage),
}

impl Journal {
    /// Does one of them; the slip that was put into the queue, if it was that.
    pub(super) fn do_slip(
        &mut self,
        work: &SlipWork,
    ) -> Result<Option<(Slip, Attempt)>, JournalError> {
        match work {
            SlipWork::Queue { order, is_copy, at, by } => {
                self.queue_slip(order, *is_copy, *at, by.as_ref())
            }
            SlipWork::Mark(id, stage) => self.mark_slip(*id, *stage).map(|()| None),
        }
    }

    /// As [`Journal::commit`], but only a fault of the disk is final: a row that is odd was rolled
    /// back, and concerns no payment.
    fn commit_slip<T>(
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
