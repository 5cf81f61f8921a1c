//! What is checked before a journal is trusted: the file, the chain of its entries, and whether
//! everything that was written is still there.
//!
//! A start checks the latest entries and as much of the file as some tenths of a second allow; an
//! audit goes back to the first entry, however long it takes. Changed, missing or reordered
//! entries, a lost WAL and an older copy put in place are all noticed. A journal that fails a check
//! is left as it was.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row};

use super::{Journal, JournalError, Tip, beside, head, progress, refused, sqlite_damage};
use paytill_core::both;
use paytill_core::language::Text;
use paytill_core::payment::State;

const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
/// The magic, followed by the page size.
const HEADER: usize = SQLITE_MAGIC.len() + 2;
/// What an attempt and its sale were begun with, as one text. It never changes afterwards, and the
/// hash of the first entry covers it.
const FACTS: &str =
    "SELECT json_array(out_trade_no, sale, channel, amount, request, hex(code_hash),
     created_at, attempt.day, sale.at, sale.day, due, currency, note)
     FROM attempt JOIN sale ON sale.id = attempt.sale WHERE attempt.id = ?";
/// The event of an attempt's first entry, as stored.
const BEGUN: &str = "\"Begun\"";
/// How many of the latest entries have their chain and attempts verified at every start.
const VERIFIED_AT_START: i64 = 1000;
/// Steps of SQLite's virtual machine in each round. The rounds that a start spends on checking the
/// file take some tenths of a second; a larger file is checked only that far.
const CHECK_STEPS: i32 = 1000;
const CHECK_ROUNDS: u32 = 5_000;

/// An entry as stored.
pub(super) struct EntryRow {
    pub(super) seq: i64,
    pub(super) attempt: i64,
    pub(super) at: i64,
    pub(super) age: i64,
    pub(super) boot: i64,
    pub(super) sent_at: i64,
    pub(super) event: String,
    pub(super) state: String,
    pub(super) wire: String,
}

impl EntryRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            attempt: row.get(1)?,
            at: row.get(2)?,
            age: row.get(3)?,
            boot: row.get(4)?,
            sent_at: row.get(5)?,
            event: row.get(6)?,
            state: row.get(7)?,
            wire: row.get(8)?,
        })
    }

    /// Its hash in the chain. `facts` belongs to an attempt's first entry and is empty otherwise.
    pub(super) fn hash(&self, before: &[u8; 16], facts: &str) -> [u8; 16] {
        let numbers = [self.seq, self.attempt, self.at, self.age, self.boot, self.sent_at];
        let numbers: Vec<u8> = numbers.into_iter().flat_map(i64::to_be_bytes).collect();
        let texts = [&self.event, &self.state, &self.wire].map(String::as_bytes);
        head::hash(before, &[&numbers, texts[0], texts[1], texts[2], facts.as_bytes()])
    }
}

/// What an attempt was begun with.
pub(super) fn facts(db: &Connection, attempt: i64) -> rusqlite::Result<String> {
    db.prepare_cached(FACTS)?.query_row([attempt], |row| row.get(0))
}

/// Refuses what SQLite would take for a new or complete database although it is not. `has_entries`:
/// entries were written to it, according to the head.
pub(super) fn start(path: &Path, has_entries: bool) -> Result<(), JournalError> {
    let unusable = |source| JournalError::Unusable { path: path.to_owned(), source };
    let damaged = |what| JournalError::Damaged { path: path.to_owned(), what };
    let mut start = Vec::new();
    let mut length = 0;
    match File::open(path) {
        Ok(file) => {
            let metadata = file.metadata().map_err(unusable)?;
            // The lock and the write-ahead log go by the file's name.
            if metadata.is_file() && metadata.nlink() > 1 {
                return Err(JournalError::Linked(path.to_owned()));
            }
            length = metadata.len();
            file.take(HEADER as u64).read_to_end(&mut start).map_err(unusable)?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(unusable(source)),
    }
    match start.strip_prefix(SQLITE_MAGIC) {
        None if start.is_empty() && has_entries => Err(damaged(both!(
            "it is gone or empty, but entries were written to it",
            "文件丢失或为空，而它曾有记录"
        ))),
        None if start.is_empty() => Ok(()),
        None if has_entries => Err(damaged(both!("its first bytes", "文件开头不对"))),
        None => Err(JournalError::Foreign(path.to_owned())),
        Some(&[high, low]) if !is_complete(length, u16::from_be_bytes([high, low]), path) => {
            Err(damaged(both!("its last page is cut short", "文件末尾不完整")))
        }
        Some(_) => Ok(()),
    }
}

/// SQLite reads the missing part of a page as zeros. That is harmless only if a WAL has the page.
fn is_complete(length: u64, page_size: u16, path: &Path) -> bool {
    let page_size = if page_size == 1 { 65_536 } else { u64::from(page_size) };
    let has_wal = beside(path, "-wal").metadata().is_ok_and(|wal| wal.len() > 0);
    has_wal || length.checked_rem(page_size) == Some(0)
}

/// Refuses a journal that has lost entries: its WAL was deleted or belongs to another file, or an
/// older copy was put in place.
pub(super) fn holds(
    db: &Connection,
    path: &Path,
    head: Option<(i64, [u8; 16])>,
) -> Result<(), JournalError> {
    let Some((seq, chain)) = head else { return Ok(()) };
    let find = || -> rusqlite::Result<(i64, Option<[u8; 16]>)> {
        let last = db.query_row("SELECT coalesce(max(seq), 0) FROM entry", [], |row| row.get(0))?;
        let ours = db
            .query_row("SELECT chain FROM entry WHERE seq = ?", [seq], |row| row.get(0))
            .optional()?;
        Ok((last, ours))
    };
    let (last, ours) = find().map_err(|error| refused(path, error))?;
    if ours == Some(chain) {
        return Ok(());
    }
    let what = both!(
        "it ends at entry {last}, but entry {seq} was written; its -wal file is missing or of \
         another journal",
        "只到第 {last} 条，而第 {seq} 条已写入；其 -wal 文件丢失或属于别处"
    );
    Err(JournalError::Damaged { path: path.to_owned(), what })
}

/// Checks as much as a start has time for; returns the last entry.
pub(super) fn complete(db: &mut Connection, path: &Path) -> Result<Tip, JournalError> {
    let mut check = ChainCheck { db, path };
    check.file(CHECK_ROUNDS)?;
    check.chain(VERIFIED_AT_START)
}

/// Checks the entire file and all entries, however long it takes.
pub(super) fn all(db: &mut Connection, path: &Path) -> Result<Tip, JournalError> {
    let mut check = ChainCheck { db, path };
    check.file(u32::MAX)?;
    check.chain(i64::MAX)
}

pub(super) struct ChainCheck<'a> {
    pub(super) db: &'a mut Connection,
    pub(super) path: &'a Path,
}

impl ChainCheck<'_> {
    /// Lets SQLite check the file's structure, as far as it gets in `rounds` rounds.
    pub(super) fn file(&mut self, mut rounds: u32) -> Result<(), JournalError> {
        self.db.progress_handler(
            CHECK_STEPS,
            Some(move || {
                let over = rounds == 0;
                rounds = rounds.saturating_sub(1);
                over
            }),
        )?;
        let verdict: rusqlite::Result<String> =
            self.db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
        self.db.progress_handler(0, None::<fn() -> bool>)?;
        match verdict {
            Ok(verdict) if verdict == "ok" => Ok(()),
            Ok(verdict) => Err(sqlite_damage(self.path, &verdict)),
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) =>
            {
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Recomputes the chain over the `latest` entries.
    fn chain(&self, latest: i64) -> Result<Tip, JournalError> {
        let last: i64 =
            self.db.query_row("SELECT coalesce(max(seq), 0) FROM entry", [], |row| row.get(0))?;
        let since = last.saturating_sub(latest);
        let mut tip = Tip::default();
        let mut statement = self.db.prepare(
            "SELECT seq, attempt, at, age, boot, sent_at, event, state, wire, chain FROM entry
             WHERE seq >= ? ORDER BY seq",
        )?;
        let mut rows = statement.query([since])?;
        while let Some(row) = rows.next()? {
            let chain: [u8; 16] = row.get(9)?;
            let entry = EntryRow::read(row)?;
            let seq = entry.seq;
            let follows = tip.seq != 0 || since <= 1;
            // Written together with the attempt itself, which is then part of the hash.
            let facts =
                if entry.event == BEGUN { facts(self.db, entry.attempt)? } else { String::new() };
            let right = entry.hash(&tip.chain, &facts);
            if follows && (seq != tip.seq + 1 || right != chain) {
                return Err(self.damaged(both!(
                    "entry {seq} was changed or does not follow",
                    "第 {seq} 条记录被改动或前后不连"
                )));
            }
            tip = Tip { seq, chain };
        }
        if tip.seq != last {
            return Err(self.damaged(both!("entries are missing", "缺少记录")));
        }
        self.attempts(since)?;
        Ok(tip)
    }

    /// Attempts must be where their last entry left them.
    fn attempts(&self, since: i64) -> Result<(), JournalError> {
        let mut statement = self.db.prepare(
            "SELECT last.attempt, last.seq = last_entry AND entry.at = updated_at, status, progress, state
             FROM (SELECT attempt, max(seq) AS seq FROM entry WHERE seq >= ? GROUP BY attempt) last
             JOIN entry ON entry.seq = last.seq LEFT JOIN attempt ON attempt.id = last.attempt",
        )?;
        let mut rows = statement.query([since])?;
        while let Some(row) = rows.next()? {
            let state: State = serde_json::from_str(&row.get::<_, String>(4)?)?;
            let is_last = row.get::<_, Option<bool>>(1)? == Some(true);
            let is_right = row.get::<_, String>(2)? == state.status().word()
                && row.get::<_, String>(3)? == progress(&state);
            if !is_last || !is_right {
                let attempt: i64 = row.get(0)?;
                return Err(self.damaged(both!(
                    "attempt {attempt} is not where its last entry left it",
                    "第 {attempt} 笔与其最后一条记录不符"
                )));
            }
        }
        Ok(())
    }

    fn damaged(&self, what: Text) -> JournalError {
        JournalError::Damaged { path: self.path.to_owned(), what }
    }
}

impl Journal {
    /// Nothing that was written may be missing. From now on the mirror is up to date.
    pub(super) fn compare_head(&self) -> Result<(), JournalError> {
        holds(&self.db, &self.path, head::read(self.files.read_mirror()))?;
        if self.tip.seq > 0 {
            self.files
                .write_mirror(&head::record(self.tip.seq, &self.tip.chain))
                .map_err(|source| JournalError::Unusable { path: self.path.clone(), source })?;
        }
        Ok(())
    }
}
