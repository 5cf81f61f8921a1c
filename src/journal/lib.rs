//! The durable record of every payment: what happened, and the state it led to.
//!
//! SQLite in WAL mode with `synchronous=FULL`: once [`Journal::append`] returns, a power cut loses
//! nothing. One process holds a journal, and one connection in it writes; readers take no lock.
//! Entries are only ever appended, and each carries a digest that covers the one before it. A file
//! that is not ours, damaged or cut short is refused with advice on what to do; a journal is never
//! replaced.

mod acts;
mod backup;
mod check;
mod error;
mod evidence;
mod files;
mod find;
mod formats;
mod head;
mod key;
mod lines;
mod past;
mod read;
mod refund_event;
mod refund_paper;
mod refund_slips;
mod refunds;
mod register;
mod rounds;
mod shift;
mod slips;
mod tables;
mod tenders;
#[cfg(test)]
mod tests;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, params};
use serde::{Deserialize, Serialize};

pub use acts::{StoredEvent, Told};
pub use backup::{Backup, BackupError};
use check::EntryRow;
pub use error::{DiskFault, JournalError};
use error::{illegible, other_format, refused, sqlite_damage};
pub use evidence::{ChainProof, Record, Seal};
use files::OnDisk;
pub use files::{Files, is_held};
pub use formats::Migrated;
use key::Key;
pub use key::{KeyFault, Secret};
use paytill_core::both;
use paytill_core::engine::{Begin, By, Entry, Recovered, RefundEntry};
use paytill_core::language::Text;
use paytill_core::order::Merchant;
use paytill_core::payment::State;
pub use read::{Audit, Filter, Head, JournalReader, OrderRow, StoredEntry, is_cash_returned};
pub use refund_event::ToldOfRefund;
pub use refund_paper::RefundPaper;
pub use refunds::{BegunRefund, RefundRow, given_back};
pub use shift::{ShiftDone, ShiftWork};
pub use slips::{Slip, SlipDone, SlipSays, SlipStage, SlipWork};
use tables::OLDEST;
pub use tenders::Tender;
pub use writer::{FailStop, Writer, Written};

/// Marks the file as one of our journals: "payt".
const APPLICATION_ID: i32 = 0x7061_7974;
/// The format this version writes.
const FORMAT: i32 = 6;
/// How many entries the WAL may hold before it is moved into the main file, once it is quiet.
const ENTRIES_IN_WAL: u32 = 300;
/// The same where it is never quiet.
const MOST_IN_WAL: u32 = 1_000;
/// What is left of the WAL's file after that. A start reads and writes all of it.
const WAL_BYTES: i64 = 1 << 20;
/// A connection is used by one thread at a time, and needs no lock for it.
const READ_ONLY: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);
/// How long another connection may keep this one waiting.
const PATIENCE: Duration = Duration::from_secs(2);
/// The parts of an order that are stored as one JSON text.
#[derive(Deserialize, Serialize)]
struct StoredRequest {
    merchant: Merchant,
    body: String,
    device_info: String,
    client_ip: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    mark: String,
    /// Who began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<By>,
}

/// The one writer of a journal file.
pub struct Journal {
    db: Connection,
    /// Declared after the connection, and so dropped after it.
    files: Box<dyn Files>,
    path: PathBuf,
    key: Key,
    tip: Tip,
    entries_in_wal: u32,
    /// Checked, and nothing has failed since: what is written is as good as what was read.
    is_sound: bool,
    /// Whether the main file says that it is in use.
    is_marked: bool,
    migrated: Option<Migrated>,
    /// Whether the end of a payment puts a slip into the queue.
    queues_slips: bool,
    /// What was put there and not taken yet.
    queued: Vec<Slip>,
    /// The same of refunds.
    queued_refunds: Vec<(Slip, RefundPaper)>,
}

/// The last entry.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Tip {
    seq: i64,
    chain: [u8; 16],
}

impl Journal {
    /// Takes hold of a journal, creates it if there is none, and checks it. Returns what an earlier
    /// run left to continue.
    ///
    /// The chain's key is in the file beside it, unless `key` names another.
    pub fn open(path: &Path, key: Option<&Path>) -> Result<(Self, Recovered), JournalError> {
        Self::open_or_migrate(path, key, |_| ())
    }

    /// As [`Journal::open`]; `begins` is called before a journal of an older format is copied and
    /// brought to this one's, which takes a while if it is large.
    pub fn open_or_migrate(
        path: &Path,
        key: Option<&Path>,
        mut begins: impl FnMut(&Migrated),
    ) -> Result<(Self, Recovered), JournalError> {
        let files = OnDisk::hold(path, key)?;
        let path = files.path().to_owned();
        check::start(&path, head::has_entries(head::read(files.read_mirror())))?;
        Self::take(files, &path, &mut begins)
    }

    /// As [`Journal::open`], on any files; errors call them `name`.
    pub fn on(files: impl Files + 'static, name: &Path) -> Result<(Self, Recovered), JournalError> {
        Self::take(files, name, &mut |_| ())
    }

    fn take(
        files: impl Files + 'static,
        name: &Path,
        begins: &mut dyn FnMut(&Migrated),
    ) -> Result<(Self, Recovered), JournalError> {
        let path = name.to_owned();
        files
            .settle_log()
            .map_err(|source| JournalError::Unusable { path: path.clone(), source })?;
        let db = files.connect().map_err(|error| refused(&path, error))?;
        let files = Box::new(files);
        let mut journal = Self {
            db,
            files,
            path,
            key: Key::default(),
            tip: Tip::default(),
            entries_in_wal: 0,
            is_sound: false,
            is_marked: false,
            migrated: None,
            queues_slips: false,
            queued: Vec::new(),
            queued_refunds: Vec::new(),
        };
        let past = journal.prepare(begins).map_err(|error| match error {
            JournalError::Write(error) => refused(&journal.path, error),
            JournalError::Encode(error) => illegible(&journal.path, &error),
            other => other,
        })?;
        Ok((journal, past))
    }

    /// Writes an entry, and with an attempt's first entry the attempt, and returns once they are on
    /// disk. After an error the journal must not be used again: what reached the disk is unknown.
    pub fn append(&mut self, entry: &Entry) -> Result<(), JournalError> {
        self.append_all(std::slice::from_ref(entry))
    }

    /// As [`Journal::append`], for several at once.
    pub fn append_all(&mut self, entries: &[Entry]) -> Result<(), JournalError> {
        let is_printing = self.queues_slips;
        let new = self.commit(|transaction, key, Tip { mut seq, mut chain }| {
            let mut due = Vec::new();
            for entry in entries {
                seq += 1;
                let before;
                (chain, before) = insert_entry(transaction, key, entry, seq, &chain)?;
                if is_printing {
                    due.extend(slips::queue_of_end(transaction, key, entry, &before)?);
                }
            }
            Ok((due, Tip { seq, chain }))
        })?;
        self.queued.extend(new);
        Ok(())
    }

    /// Writes an entry of a refund, and with its first entry the refund: as [`Journal::append`].
    pub fn append_refund(&mut self, entry: &RefundEntry) -> Result<(), JournalError> {
        let is_printing = self.queues_slips;
        let new = self.commit(|transaction, key, Tip { seq, chain }| {
            let seq = seq + 1;
            let chain = refunds::insert_entry(transaction, key, entry, seq, &chain)?;
            let due = if is_printing {
                refund_slips::queue_of_refund(transaction, key, entry)?
            } else {
                None
            };
            Ok((due, Tip { seq, chain }))
        })?;
        self.queued_refunds.extend(new);
        Ok(())
    }

    fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &Key, Tip) -> Result<(T, Tip), JournalError>,
    ) -> Result<T, JournalError> {
        let is_first = !self.is_marked;
        if is_first {
            // Before the main file says that the mirror belongs to it.
            self.write_mirror(self.tip)?;
            self.files.flush_mirror().map_err(|source| self.unusable(source))?;
        }
        let transaction = self.db.transaction()?;
        if is_first {
            transaction.execute("UPDATE in_use SET is_open = 1", [])?;
        }
        let (done, tip) = work(&transaction, &self.key, self.tip)?;
        transaction.commit()?;
        let new = u32::try_from(tip.seq - self.tip.seq).unwrap_or(MOST_IN_WAL);
        self.tip = tip;
        // A slip fills about as much of the WAL as an entry.
        self.entries_in_wal += new.max(1);
        // Not synced: it only serves to notice a missing WAL, and must never be ahead.
        self.write_mirror(self.tip)?;
        self.is_marked = true;
        if is_first || self.entries_in_wal >= MOST_IN_WAL {
            self.move_wal()?;
        }
        Ok(done)
    }

    /// Moves the WAL into the main file if it has grown. Its errors are as final as those of
    /// [`Journal::append`].
    pub fn checkpoint(&mut self) -> Result<(), JournalError> {
        if self.entries_in_wal >= ENTRIES_IN_WAL {
            self.move_wal()?;
        }
        Ok(())
    }

    fn move_wal(&mut self) -> Result<(), JournalError> {
        self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        self.entries_in_wal = 0;
        Ok(())
    }

    /// After a failure: what did not reach the disk is not retried, not even on closing.
    pub(crate) fn leave_as_it_is(&mut self) {
        self.is_sound = false;
        let _ = self.db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }

    /// The main file is whole by itself from now on, and says so.
    fn close(&self) -> Result<(), JournalError> {
        // Not for a reader's sake: one that is slow keeps the WAL, and that is no loss.
        self.db.busy_timeout(Duration::ZERO)?;
        self.db.execute("UPDATE in_use SET is_open = 0", [])?;
        self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    fn write_mirror(&self, Tip { seq, chain }: Tip) -> Result<(), JournalError> {
        self.files.write_mirror(&head::record(seq, &chain)).map_err(|source| self.unusable(source))
    }

    fn unusable(&self, source: std::io::Error) -> JournalError {
        JournalError::Unusable { path: self.path.clone(), source }
    }

    fn prepare(&mut self, begins: &mut dyn FnMut(&Migrated)) -> Result<Recovered, JournalError> {
        let db = &self.db;
        db.busy_timeout(PATIENCE)?;
        // A journal refused below is left as it was, including its WAL.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        db.pragma_update(None, "trusted_schema", false)?;
        db.pragma_update(None, "cell_size_check", true)?;
        let application: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let format: i32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let tables: i64 =
            db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let is_new = match (application, format) {
            (0, 0) if tables == 0 => true,
            (APPLICATION_ID, OLDEST..=FORMAT) => false,
            (APPLICATION_ID, format) => return Err(other_format(self.path.clone(), format)),
            _ => return Err(JournalError::Foreign(self.path.clone())),
        };
        // Without a WAL, SQLite would silently continue in a mode that loses acknowledged sales.
        let mut mode = String::new();
        let mut switch = db.prepare("PRAGMA journal_mode = WAL")?;
        let mut answers = switch.query([])?;
        // Read to the end: the mode is written only after the answer, and is certain only then.
        while let Some(answer) = answers.next()? {
            mode = answer.get(0)?;
        }
        drop(answers);
        drop(switch);
        if mode != "wal" {
            return Err(JournalError::NoLog(self.path.clone()));
        }
        db.pragma_update(None, "synchronous", "FULL")?;
        // Not in the middle of a sale, but when it is quiet: see `checkpoint`.
        db.pragma_update(None, "wal_autocheckpoint", 0)?;
        db.pragma_update(None, "journal_size_limit", WAL_BYTES)?;
        db.pragma_update(None, "foreign_keys", true)?;
        if is_new {
            self.create()?;
        } else {
            check::is_not_alone(&self.db, &self.path, || {
                head::read(self.files.read_mirror()).is_some()
            })?;
            let key = self.files.read_key().and_then(|found| found.ok_or(KeyFault::Missing));
            self.key =
                key.map(|secret| Key::new(&secret)).map_err(|fault| self.without_key(fault))?;
            if !check::is_key(&self.db, &self.key)? {
                return Err(self.without_key(KeyFault::Foreign));
            }
        }
        self.tip = check::complete(&mut self.db, &self.key, &self.path, check::VERIFIED_AT_START)?;
        self.compare_head()?;
        let mut past = past::past(&self.db, &self.key, &self.path)?;
        refunds::past(&self.db, &self.key, &self.path, &mut past)?;
        self.is_marked = check::is_marked(&self.db)?;
        // What a process that died has left there. It would be written once more at each start.
        if self.is_marked {
            self.db.busy_timeout(Duration::ZERO)?;
            self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            self.db.busy_timeout(PATIENCE)?;
        }
        if !is_new && format < FORMAT {
            self.migrate(format, begins)?;
        }
        self.db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        self.is_sound = true;
        Ok(past)
    }

    fn without_key(&self, fault: KeyFault) -> JournalError {
        JournalError::Key { path: self.path.clone(), key: self.files.key_path(), fault }
    }

    fn create(&mut self) -> Result<(), JournalError> {
        if head::has_entries(head::read(self.files.read_mirror())) {
            return Err(self.damaged(both!(
                "it is empty, but entries were written to it",
                "文件为空，而它曾有记录"
            )));
        }
        // It is on disk before the journal says that it needs it.
        let key = self.files.make_key().map_err(|fault| self.without_key(fault))?;
        self.key = Key::new(&key);
        let transaction = self.db.transaction()?;
        transaction.execute_batch(&format!(
            "{} INSERT INTO chain_key VALUES (1, x'{}'); PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};",
            include_str!("schema.sql"),
            self.key.mark(),
        ))?;
        formats::steps(&transaction, &self.key, OLDEST)?;
        transaction.commit()?;
        // From now on the main file is a journal, even if its WAL gets lost.
        self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    fn damaged(&self, what: Text) -> JournalError {
        JournalError::Damaged { path: self.path.clone(), what }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.is_sound && self.is_marked && self.close().is_err() {
            self.leave_as_it_is();
        }
    }
}

/// Writes an entry into the chain; returns its hash, and the status that its attempt had before.
fn insert_entry(
    transaction: &Transaction<'_>,
    key: &Key,
    entry: &Entry,
    seq: i64,
    before: &[u8; 16],
) -> Result<([u8; 16], String), JournalError> {
    let mut facts = String::new();
    if let Some(begin) = &entry.begin {
        insert_attempt(transaction, entry, begin)?;
        facts = check::facts(transaction, entry.attempt)?;
    }
    let row = EntryRow {
        seq,
        attempt: entry.attempt,
        at: entry.at.0,
        age: stored(entry.age.0),
        boot: entry.boot,
        sent_at: stored(entry.sent_at.0),
        event: acts::event_text(&entry.event, entry.by.as_ref())?,
        state: serde_json::to_string(&entry.state)?,
        wire: wire_json(&entry.wire)?,
    };
    let chain = insert_row(transaction, key, &row, before, &facts)?;
    let status = "SELECT status FROM attempt WHERE id = ?";
    let before = transaction
        .prepare_cached(status)?
        .query_row([entry.attempt], |row| row.get(0))
        .optional()?;
    transaction
        .prepare_cached(
            "UPDATE attempt SET updated_at = ?, status = ?, progress = ?, last_entry = ?
             WHERE id = ?",
        )?
        .execute(params![
            entry.at.0,
            entry.state.status().word(),
            progress(&entry.state),
            seq,
            entry.attempt
        ])?;
    Ok((chain, before.unwrap_or_default()))
}

/// Writes the row of an entry; returns its hash.
fn insert_row(
    transaction: &Transaction<'_>,
    key: &Key,
    row: &EntryRow,
    before: &[u8; 16],
    facts: &str,
) -> Result<[u8; 16], JournalError> {
    let chain = row.hash(key, before, facts);
    transaction
        .prepare_cached(
            "INSERT INTO entry (seq, attempt, at, age, boot, sent_at, event, state, wire, chain)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            row.seq,
            row.attempt,
            row.at,
            row.age,
            row.boot,
            row.sent_at,
            row.event,
            row.state,
            row.wire,
            chain
        ])?;
    Ok(chain)
}

fn insert_attempt(
    transaction: &Transaction<'_>,
    entry: &Entry,
    begin: &Begin,
) -> Result<(), JournalError> {
    let order = &begin.order;
    let day = begin.day.to_string();
    if let Some(note) = &begin.sale.new {
        transaction
            .prepare_cached(
                "INSERT INTO sale (id, at, day, due, currency, note, lines)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                begin.sale.id,
                entry.at.0,
                day,
                begin.sale.due.minor(),
                order.currency.code(),
                note,
                lines::text(&begin.sale.sold)?
            ])?;
    }
    let request = serde_json::to_string(&StoredRequest {
        merchant: order.merchant.clone(),
        body: order.body.clone(),
        device_info: order.device_info.clone(),
        client_ip: order.client_ip.clone(),
        mark: order.mark.clone(),
        by: entry.by.clone(),
    })?;
    transaction
        .prepare_cached(
            "INSERT INTO attempt (id, out_trade_no, sale, channel, amount, request, code_hash,
             created_at, day, updated_at, status, progress, last_entry)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', 'open', 0)",
        )?
        .execute(params![
            entry.attempt,
            order.out_trade_no.as_str(),
            begin.sale.id,
            entry.state.channel(),
            order.amount.minor(),
            request,
            begin.code_hash,
            entry.at.0,
            day
        ])?;
    Ok(())
}

/// An unsigned number as SQLite stores it.
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The `progress` column: what is to be rechecked is continued, but does not count as open.
fn progress(state: &State) -> &'static str {
    if state.is_open() {
        "open"
    } else if state.is_to_be_rechecked() {
        "recheck"
    } else {
        "done"
    }
}

fn wire_json(wire: &[(String, String)]) -> Result<String, serde_json::Error> {
    if wire.is_empty() {
        return Ok(String::new());
    }
    let fields: serde_json::Map<_, _> =
        wire.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    serde_json::to_string(&fields)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
