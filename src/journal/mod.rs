//! The durable record of every payment: what happened, and where it led.
//!
//! SQLite in WAL mode with `synchronous=FULL`: after [`Journal::append`] returns, pulling the plug
//! loses nothing. One process holds a journal and one connection in it writes. What is not ours,
//! damaged or cut short is refused with what to do about it; a journal is never replaced.

mod head;
mod read;
#[cfg(test)]
mod tests;
mod writer;

use std::fs::{File, TryLockError};
use std::io::Read as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};
use serde::{Deserialize, Serialize};

use crate::clock::{Millis, Timestamp, Uptime};
use crate::money::Money;
use crate::order::{Merchant, Order, OutTradeNo};
use crate::payment::{Event, State};
use head::Head;
pub use read::{Filter, OrderRow, Reader, StoredEntry};
pub use writer::{Writer, Written};

/// Marks the file as a journal of ours: "payt".
const APPLICATION_ID: i32 = 0x7061_7974;
/// The format this version writes.
const FORMAT: i32 = 1;
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
/// The magic, and behind it the size of a page.
const HEADER: usize = SQLITE_MAGIC.len() + 2;
/// Entries after which the WAL is moved into the main file.
const ENTRIES_IN_WAL: u32 = 300;
/// What an attempt and its sale were begun with, as one text: it never changes afterwards, and the
/// link of the first entry covers it.
const FACTS: &str =
    "SELECT json_array(out_trade_no, sale, channel, amount, request, hex(code_hash),
     created_at, attempt.day, sale.at, sale.day, due, currency, note)
     FROM attempt JOIN sale ON sale.id = attempt.sale WHERE attempt.id = ?";
/// The event of an attempt's first entry, as it is written.
const BEGUN: &str = "\"Begun\"";
/// Entries whose chain and attempts are verified at every start.
const VERIFIED_AT_START: i64 = 1000;
/// Steps of SQLite's machine spent on checking the file at a start, some tenths of a second; a
/// larger file is checked as far as that goes.
const CHECK_STEPS: i32 = 1000;
const CHECK_ROUNDS: u32 = 5_000;

/// Why there is no journal to write to. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("another paytill holds the journal {}; close it first", .0.display())]
    Held(PathBuf),
    #[error(
        "the journal {} is damaged ({what}); nothing was sent and nothing was changed. \
         Move it away together with the files beside it, keep them for support, and start again or \
         restore a backup", path.display()
    )]
    Damaged { path: PathBuf, what: String },
    #[error("{} is not a journal of paytill; choose another journal.path or move the file", .0.display())]
    Foreign(PathBuf),
    #[error(
        "the journal {} was written by a newer paytill (format {format}); install that version",
        path.display()
    )]
    Newer { path: PathBuf, format: i32 },
    #[error("the journal {} cannot be opened: {source}; check the folder's owner and free space", path.display())]
    Unusable { path: PathBuf, source: std::io::Error },
    #[error(
        "the journal could not be written: {0}; free disk space or check the disk, then start again"
    )]
    Write(#[from] rusqlite::Error),
    #[error("the journal has failed before; nothing is written until the next start")]
    Stopped,
    #[error("a journal entry could not be encoded: {0}")]
    Encode(#[from] serde_json::Error),
}

/// A fact to be written: an event and the state it led to.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The attempt's number in the journal.
    pub attempt: i64,
    pub at: Timestamp,
    /// Time since the submission.
    pub age: Millis,
    /// When that was, as far as it is known by now, and which boot it counts from.
    pub sent_at: Uptime,
    pub boot: String,
    pub event: Event,
    pub state: State,
    /// Fields sent or received, cleaned and with codes masked.
    pub wire: Vec<(String, String)>,
    /// The attempt itself, with its first entry.
    pub begin: Option<Box<Begin>>,
}

/// An attempt as it is first written, and its sale if that is new.
#[derive(Clone, Debug)]
pub struct Begin {
    pub sale: SaleEntry,
    pub order: Order,
    pub code_hash: Option<[u8; 16]>,
}

/// The sale an attempt belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct SaleEntry {
    pub id: i64,
    /// Its note where it is new; `None` for one that stands in the journal.
    pub new: Option<String>,
    pub due: Money,
}

/// An attempt read back to go on with.
#[derive(Clone, Debug)]
pub struct StoredAttempt {
    pub id: i64,
    pub sale: i64,
    pub order: Order,
    pub boot: String,
    /// On the time line of `boot`.
    pub sent_at: Uptime,
    /// The age at its last entry: the least it has now.
    pub age: Millis,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub state: State,
}

/// The parts of an order that are kept as one text.
#[derive(Deserialize, Serialize)]
struct Request {
    merchant: Merchant,
    body: String,
    device_info: String,
    client_ip: String,
}

/// The one writer of a journal file.
pub struct Journal {
    db: Connection,
    head: Head,
    path: PathBuf,
    tip: Tip,
    entries_in_wal: u32,
    /// Held for as long as this lives; the kernel lets go of it when the process ends, however.
    _lock: File,
}

/// The last entry.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Tip {
    seq: i64,
    chain: [u8; 16],
}

/// What a till needs to know of the past to go on.
#[derive(Debug, Default)]
pub struct Past {
    pub last_attempt: i64,
    pub last_sale: i64,
    /// Attempts with work left, the oldest first.
    pub open: Vec<StoredAttempt>,
    /// The latest sales that are paid.
    pub paid_sales: Vec<i64>,
    /// Keyed hashes of the latest payment codes, each with its attempt.
    pub codes: Vec<([u8; 16], OutTradeNo)>,
}

impl Journal {
    /// Takes hold of a journal, makes it if there is none, and checks it.
    pub fn open(path: &Path) -> Result<(Self, Past), JournalError> {
        let unusable = |source| JournalError::Unusable { path: path.to_owned(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true).mode(0o700).create(folder).map_err(unusable)?;
        }
        // One file has one lock, by whatever path it is reached.
        let path = resolved(path).map_err(unusable)?;
        let lock = lock(&path)?;
        let head = Head::open(&beside(&path, ".head")).map_err(unusable)?;
        check_start(&path, head.read().is_some())?;
        let db = Connection::open_with_flags(
            &path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        )
        .map_err(|error| refused(&path, error))?;
        let mut journal =
            Self { db, head, path, tip: Tip::default(), entries_in_wal: 0, _lock: lock };
        let past = journal.prepare().map_err(|error| match error {
            JournalError::Write(error) => refused(&journal.path, error),
            JournalError::Encode(error) => journal.damaged(&error.to_string()),
            other => other,
        })?;
        Ok((journal, past))
    }

    /// Writes an entry, and the attempt with its first, and returns once both are on disk. After an
    /// error the journal must not be used again: what reached the disk is unknown.
    pub fn append(&mut self, entry: &Entry) -> Result<(), JournalError> {
        let tip = self.tip;
        let transaction = self.db.transaction()?;
        let mut seq = tip.seq;
        let mut chain = tip.chain;
        let mut facts = String::new();
        if let Some(begin) = &entry.begin {
            insert_attempt(&transaction, entry, begin)?;
            facts =
                transaction.prepare_cached(FACTS)?.query_row([entry.attempt], |row| row.get(0))?;
        }
        seq += 1;
        let event = serde_json::to_string(&entry.event)?;
        let state = serde_json::to_string(&entry.state)?;
        let wire = if entry.wire.is_empty() { String::new() } else { wire_json(&entry.wire)? };
        let age = i64::try_from(entry.age.0).unwrap_or(i64::MAX);
        chain = head::link(
            &chain,
            &[
                &seq.to_be_bytes(),
                &entry.attempt.to_be_bytes(),
                &entry.at.0.to_be_bytes(),
                &age.to_be_bytes(),
                event.as_bytes(),
                state.as_bytes(),
                wire.as_bytes(),
                facts.as_bytes(),
            ],
        );
        transaction
            .prepare_cached(
                "INSERT INTO entry (seq, attempt, at, age, event, state, wire, chain)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![seq, entry.attempt, entry.at.0, age, event, state, wire, chain])?;
        transaction
            .prepare_cached(
                "UPDATE attempt SET boot = ?, sent_at = ?, updated_at = ?, status = ?, work = ?,
                 last_entry = ? WHERE id = ?",
            )?
            .execute(params![
                entry.boot,
                i64::try_from(entry.sent_at.0).unwrap_or(i64::MAX),
                entry.at.0,
                entry.state.status().word(),
                work(&entry.state),
                seq,
                entry.attempt
            ])?;
        transaction.commit()?;
        self.tip = Tip { seq, chain };
        self.entries_in_wal += 1;
        // Not synced: it only has to notice a WAL that was taken away, and must never be ahead.
        self.head
            .write(seq, &chain)
            .map_err(|source| JournalError::Unusable { path: self.path.clone(), source })
    }

    /// Moves what is in the WAL into the main file, if it has grown. Its errors are as final as those
    /// of [`Journal::append`].
    pub fn checkpoint(&mut self) -> Result<(), JournalError> {
        if self.entries_in_wal >= ENTRIES_IN_WAL {
            self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
            self.entries_in_wal = 0;
        }
        Ok(())
    }

    fn prepare(&mut self) -> Result<Past, JournalError> {
        let db = &self.db;
        db.busy_timeout(std::time::Duration::from_secs(2))?;
        // What is refused in the following is left as it was, its WAL too.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        db.pragma_update(None, "trusted_schema", false)?;
        db.pragma_update(None, "cell_size_check", true)?;
        let application: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let format: i32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let tables: i64 =
            db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let is_new = match (application, format) {
            (0, 0) if tables == 0 => true,
            (APPLICATION_ID, FORMAT) => false,
            (APPLICATION_ID, newer) if newer > FORMAT => {
                return Err(JournalError::Newer { path: self.path.clone(), format: newer });
            }
            (APPLICATION_ID, _) => return Err(self.damaged("unknown format")),
            _ => return Err(JournalError::Foreign(self.path.clone())),
        };
        // Where there is no WAL, SQLite would quietly go on in a mode that loses acknowledged sales.
        let mode: String =
            db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        if mode != "wal" {
            return Err(JournalError::Unusable {
                path: self.path.clone(),
                source: std::io::Error::other("its file system allows no write-ahead log"),
            });
        }
        db.pragma_update(None, "synchronous", "FULL")?;
        // In its own time, and not in the middle of a sale: see `checkpoint`.
        db.pragma_update(None, "wal_autocheckpoint", 0)?;
        db.pragma_update(None, "foreign_keys", true)?;
        if is_new {
            self.create()?;
        }
        self.check_file()?;
        self.tip = self.verify_chain()?;
        self.compare_head()?;
        let past = read::past(&self.db)?;
        self.db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        Ok(past)
    }

    fn create(&self) -> Result<(), JournalError> {
        if self.head.read().is_some() {
            return Err(self.damaged("it is empty, but entries were written to it"));
        }
        self.db.execute_batch(&format!(
            "BEGIN; {} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT}; COMMIT;",
            include_str!("schema.sql")
        ))?;
        // The main file is a journal from now on, even should its WAL get lost.
        self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    fn check_file(&mut self) -> Result<(), JournalError> {
        let mut rounds = 0;
        self.db.progress_handler(
            CHECK_STEPS,
            Some(move || {
                rounds += 1;
                rounds > CHECK_ROUNDS
            }),
        )?;
        let verdict: rusqlite::Result<String> =
            self.db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
        self.db.progress_handler(0, None::<fn() -> bool>)?;
        match verdict {
            Ok(verdict) if verdict == "ok" => Ok(()),
            Ok(verdict) => Err(self.damaged(&verdict)),
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) =>
            {
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Recomputes the chain over the latest entries.
    fn verify_chain(&self) -> Result<Tip, JournalError> {
        let last: i64 =
            self.db.query_row("SELECT coalesce(max(seq), 0) FROM entry", [], |row| row.get(0))?;
        let mut tip = Tip::default();
        let mut statement = self.db.prepare(
            "SELECT seq, attempt, at, age, event, state, wire, chain FROM entry
             WHERE seq >= ? ORDER BY seq",
        )?;
        let mut facts_of = self.db.prepare(FACTS)?;
        let mut rows = statement.query([last - VERIFIED_AT_START])?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            let chain: [u8; 16] = row.get(7)?;
            let follows = tip.seq != 0 || seq == 1;
            let number = |column| row.get::<_, i64>(column).map(i64::to_be_bytes);
            let text =
                |column| row.get_ref(column).and_then(|value| Ok(value.as_str()?.to_owned()));
            let attempt: i64 = row.get(1)?;
            // Written with the attempt itself: then the attempt is part of the link.
            let is_first = row.get::<_, String>(4)? == BEGUN;
            let facts: String = if is_first {
                facts_of.query_row([attempt], |row| row.get(0))?
            } else {
                String::new()
            };
            let right = head::link(
                &tip.chain,
                &[
                    &seq.to_be_bytes(),
                    &attempt.to_be_bytes(),
                    &number(2)?,
                    &number(3)?,
                    text(4)?.as_bytes(),
                    text(5)?.as_bytes(),
                    text(6)?.as_bytes(),
                    facts.as_bytes(),
                ],
            );
            if follows && (seq != tip.seq + 1 || right != chain) {
                return Err(self.damaged(&format!("entry {seq} was changed or does not follow")));
            }
            tip = Tip { seq, chain };
        }
        if tip.seq != last {
            return Err(self.damaged("entries are missing"));
        }
        self.compare_attempts(last - VERIFIED_AT_START)?;
        Ok(tip)
    }

    /// Attempts must stand where their last entry left them.
    fn compare_attempts(&self, since: i64) -> Result<(), JournalError> {
        let mut statement = self.db.prepare(
            "SELECT last.attempt, last.seq = last_entry AND entry.at = updated_at, status, work, state
             FROM (SELECT attempt, max(seq) AS seq FROM entry WHERE seq >= ? GROUP BY attempt) last
             JOIN entry ON entry.seq = last.seq LEFT JOIN attempt ON attempt.id = last.attempt",
        )?;
        let mut rows = statement.query([since])?;
        while let Some(row) = rows.next()? {
            let state: State = serde_json::from_str(&row.get::<_, String>(4)?)?;
            let is_last = row.get::<_, Option<bool>>(1)? == Some(true);
            let is_right = row.get::<_, String>(2)? == state.status().word()
                && row.get::<_, i64>(3)? == work(&state);
            if !is_last || !is_right {
                let attempt: i64 = row.get(0)?;
                let what = format!("attempt {attempt} is not where its last entry left it");
                return Err(self.damaged(&what));
            }
        }
        Ok(())
    }

    /// Entries that were written and are not there any more: a WAL that was deleted or is of
    /// another file, or an older copy put in place.
    fn compare_head(&self) -> Result<(), JournalError> {
        if let Some((seq, chain)) = self.head.read() {
            let ours: Option<[u8; 16]> = self
                .db
                .query_row("SELECT chain FROM entry WHERE seq = ?", [seq], |row| row.get(0))
                .map(Some)
                .or_else(|error| match error {
                    rusqlite::Error::QueryReturnedNoRows => Ok(None),
                    other => Err(other),
                })?;
            if ours != Some(chain) {
                return Err(self.damaged(&format!(
                    "it ends at entry {}, but entry {seq} was written; its -wal file is missing or \
                     of another journal",
                    self.tip.seq
                )));
            }
        }
        if self.tip.seq > 0 {
            self.head
                .write(self.tip.seq, &self.tip.chain)
                .map_err(|source| JournalError::Unusable { path: self.path.clone(), source })?;
        }
        Ok(())
    }

    fn damaged(&self, what: &str) -> JournalError {
        let what = crate::clean::clean(what, 120);
        JournalError::Damaged { path: self.path.clone(), what }
    }
}

fn insert_attempt(
    transaction: &rusqlite::Transaction<'_>,
    entry: &Entry,
    begin: &Begin,
) -> Result<(), JournalError> {
    let order = &begin.order;
    let day = entry.at.day().to_string();
    if let Some(note) = &begin.sale.new {
        transaction
            .prepare_cached(
                "INSERT INTO sale (id, at, day, due, currency, note) VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                begin.sale.id,
                entry.at.0,
                day,
                begin.sale.due.minor(),
                order.currency.code(),
                note
            ])?;
    }
    let request = serde_json::to_string(&Request {
        merchant: order.merchant.clone(),
        body: order.body.clone(),
        device_info: order.device_info.clone(),
        client_ip: order.client_ip.clone(),
    })?;
    transaction
        .prepare_cached(
            "INSERT INTO attempt (id, out_trade_no, sale, channel, amount, request, code_hash,
             boot, sent_at, created_at, day, updated_at, status, work, last_entry)
             VALUES (?, ?, ?, 'micropay', ?, ?, ?, '', 0, ?, ?, 0, '', 2, 0)",
        )?
        .execute(params![
            entry.attempt,
            order.out_trade_no.as_str(),
            begin.sale.id,
            order.amount.minor(),
            request,
            begin.code_hash,
            entry.at.0,
            day
        ])?;
    Ok(())
}

/// The `work` column: later looks are gone on with, but do not count as open.
fn work(state: &State) -> i64 {
    if state.is_open() { 2 } else { i64::from(state.is_watched()) }
}

fn wire_json(wire: &[(String, String)]) -> Result<String, serde_json::Error> {
    let fields: serde_json::Map<_, _> =
        wire.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    serde_json::to_string(&fields)
}

fn resolved(path: &Path) -> std::io::Result<PathBuf> {
    match path.canonicalize() {
        Ok(resolved) => Ok(resolved),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or_else(|| Path::new(".")).canonicalize()?;
            Ok(folder.join(path.file_name().unwrap_or_default()))
        }
        Err(error) => Err(error),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn lock(path: &Path) -> Result<File, JournalError> {
    let unusable = |source| JournalError::Unusable { path: path.to_owned(), source };
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0))
        .open(beside(path, ".lock"))
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Held(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// What `SQLite` would take for a new or a whole database although it is none. `has_entries`: some
/// were written to it, by the head.
fn check_start(path: &Path, has_entries: bool) -> Result<(), JournalError> {
    let unusable = |source| JournalError::Unusable { path: path.to_owned(), source };
    let damaged = |what: &str| JournalError::Damaged { path: path.to_owned(), what: what.into() };
    let mut start = Vec::new();
    let mut length = 0;
    match File::open(path) {
        Ok(file) => {
            length = file.metadata().map_err(unusable)?.len();
            file.take(HEADER as u64).read_to_end(&mut start).map_err(unusable)?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(unusable(source)),
    }
    match start.strip_prefix(SQLITE_MAGIC) {
        None if start.is_empty() && has_entries => {
            Err(damaged("it is gone or empty, but entries were written to it"))
        }
        None if start.is_empty() => Ok(()),
        None if has_entries => Err(damaged("its first bytes")),
        None => Err(JournalError::Foreign(path.to_owned())),
        Some(&[high, low]) if !is_whole(length, u16::from_be_bytes([high, low]), path) => {
            Err(damaged("its last page is cut short"))
        }
        Some(_) => Ok(()),
    }
}

/// `SQLite` reads what is missing of a page as zeros. Only where a WAL has that page is it no loss.
fn is_whole(length: u64, page_size: u16, path: &Path) -> bool {
    let page_size = if page_size == 1 { 65_536 } else { u64::from(page_size) };
    let has_wal = beside(path, "-wal").metadata().is_ok_and(|wal| wal.len() > 0);
    has_wal || length.checked_rem(page_size) == Some(0)
}

/// SQLite's errors at the opening, told apart by what the owner can do.
fn refused(path: &Path, error: rusqlite::Error) -> JournalError {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => JournalError::Damaged {
            path: path.to_owned(),
            what: crate::clean::clean(&error.to_string(), 120),
        },
        Some(_) => JournalError::Unusable {
            path: path.to_owned(),
            source: std::io::Error::other(error.to_string()),
        },
        // A column of another type than it was written with.
        None => JournalError::Damaged {
            path: path.to_owned(),
            what: crate::clean::clean(&error.to_string(), 120),
        },
    }
}
