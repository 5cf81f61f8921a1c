//! What is checked before a journal is trusted: the file, the chain of its entries, and whether
//! everything that was written is still there.
//!
//! A start takes no longer for a longer journal: it checks the latest entries and what is read, and
//! the file only if that is small. An audit goes back to the first entry, however long it takes, and
//! so do the rounds beside a till that sells. Changed, missing or reordered entries, a lost WAL and
//! an older copy put in place are all noticed. A journal that fails a check is left as it was.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row};

use super::key::{Key, hex};
use super::{
    Journal, JournalError, OLDEST, Tip, beside, head, lines, progress, refused, sqlite_damage,
    tables,
};
use paytill_core::both;
use paytill_core::language::Text;
use paytill_core::payment::State;

const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
/// The magic, followed by the page size.
const HEADER: usize = SQLITE_MAGIC.len() + 2;
/// What an attempt and its sale were begun with, as one text. It never changes afterwards, and the
/// hash of the first entry covers it; what the sale sells comes behind it ([`lines`]).
const FACTS: &str =
    "SELECT json_array(out_trade_no, sale, channel, amount, request, hex(code_hash),
     created_at, attempt.day, sale.at, sale.day, due, currency, note)
     FROM attempt JOIN sale ON sale.id = attempt.sale WHERE attempt.id = ?";
/// The event of an attempt's first entry, as stored.
const BEGUN: &str = "\"Begun\"";
/// A file of at most this many pages is checked whole at every start, in some milliseconds.
const FEW_PAGES: i64 = 128;
/// How many of the latest entries have their chain and attempts verified then.
pub(super) const VERIFIED_AT_START: i64 = 200;
/// The same for a reader, which verifies what it reads besides.
pub(super) const VERIFIED_TO_READ: i64 = 20;
/// How many entries are verified at once where all are.
pub(super) const PIECE: i64 = 500;
/// Steps of SQLite's virtual machine between two questions whether to go on.
const STEPS: i32 = 1000;
const LAST: &str = "SELECT coalesce(max(seq), 0) FROM entry";
const FIRST_OF: &str = "SELECT min(seq) FROM entry WHERE attempt = ?";
const HASH_OF: &str = "SELECT chain FROM entry WHERE seq = ?";
const ONE: &str = "SELECT seq, attempt, at, age, boot, sent_at, event, state, wire, chain
     FROM entry WHERE seq = ?";
const IN_LINE: &str = "SELECT seq, attempt, at, age, boot, sent_at, event, state, wire, chain
     FROM entry WHERE seq > ? ORDER BY seq LIMIT ?";
/// Where an attempt is, and whether its last entry left it there.
const WHERE_IT_IS: &str = "SELECT last_entry, status, progress, state,
     last_entry = (SELECT max(seq) FROM entry AS any WHERE any.attempt = attempt.id)
         AND entry.attempt = attempt.id AND entry.at = updated_at
     FROM attempt LEFT JOIN entry ON entry.seq = last_entry WHERE attempt.id = ?";

/// The entries of an order, and with minus its number what else concerns it.
pub(super) const OF_ATTEMPT: &str = "SELECT seq FROM entry WHERE attempt = ? ORDER BY seq";

/// The queries that a start and a reader make, again and again.
#[cfg(test)]
pub(super) const QUERIES: [&str; 11] = [
    lines::OF_SALE,
    lines::OF_ATTEMPT,
    FACTS,
    WHERE_IT_IS,
    LAST,
    FIRST_OF,
    HASH_OF,
    IN_LINE,
    ONE,
    OF_ATTEMPT,
    "SELECT coalesce(max(id), 0) FROM attempt",
];

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

    /// Whether it is an attempt's first one.
    pub(super) fn is_begun(&self) -> bool {
        self.event == BEGUN
    }

    /// Its hash in the chain. `facts` belongs to the first entry of an attempt or a refund, and is
    /// empty otherwise.
    pub(super) fn hash(&self, key: &Key, before: &[u8; 16], facts: &str) -> [u8; 16] {
        let numbers = [self.seq, self.attempt, self.at, self.age, self.boot, self.sent_at];
        let numbers: Vec<u8> = numbers.into_iter().flat_map(i64::to_be_bytes).collect();
        let texts = [&self.event, &self.state, &self.wire].map(String::as_bytes);
        key.hash(before, &[&numbers, texts[0], texts[1], texts[2], facts.as_bytes()])
    }
}

/// What an attempt was begun with.
pub(super) fn facts(db: &Connection, attempt: i64) -> rusqlite::Result<String> {
    let facts = db.prepare_cached(FACTS)?.query_row([attempt], |row| row.get(0))?;
    lines::add_to(facts, db, attempt)
}

/// Refuses what SQLite would take for a new or complete database although it is not. `has_entries`:
/// entries were written to it, according to the head.
pub(super) fn start(path: &Path, has_entries: bool) -> Result<(), JournalError> {
    let unusable = |source| JournalError::Unusable { path: path.to_owned(), source };
    let damaged = |what| JournalError::Damaged { path: path.to_owned(), what };
    let mut start = Vec::new();
    let mut length = 0;
    super::files::refuse_pipes(path)?;
    match File::open(path) {
        Ok(file) => {
            super::files::read_ahead(&file);
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
    let Some((seq, chain)) = head.filter(|(seq, _)| *seq > 0) else { return Ok(()) };
    let find = || -> rusqlite::Result<(i64, Option<[u8; 16]>)> {
        let last = db.query_row(LAST, [], |row| row.get(0))?;
        let ours = db.query_row(HASH_OF, [seq], |row| row.get(0)).optional()?;
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

/// Whether a process has the journal in use, or died while it had.
pub(super) fn is_marked(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("SELECT max(is_open) FROM in_use", [], |row| row.get(0))
}

/// Whether this is the key that the journal was made with.
pub(super) fn is_key(db: &Connection, key: &Key) -> rusqlite::Result<bool> {
    let mark: Option<Vec<u8>> =
        db.query_row("SELECT mark FROM chain_key", [], |row| row.get(0)).optional()?;
    Ok(mark.is_some_and(|mark| hex(&mark) == key.mark()))
}

/// Refuses a main file without its mirror, unless it was closed: its write-ahead log may be missing
/// just as well, and nothing else would tell.
pub(super) fn is_not_alone(
    db: &Connection,
    path: &Path,
    has_mirror: impl Fn() -> bool,
) -> Result<(), JournalError> {
    let is_marked = is_marked(db).map_err(|error| refused(path, error))?;
    // In this order: the mirror is there before the mark.
    if is_marked && !has_mirror() {
        return Err(JournalError::Alone(path.to_owned()));
    }
    Ok(())
}

/// Checks what a start has time for, however long the journal is: so many of the latest entries, and
/// a small file whole. Returns the last entry.
pub(super) fn complete(
    db: &mut Connection,
    key: &Key,
    path: &Path,
    most: i64,
) -> Result<Tip, JournalError> {
    let pages: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if pages <= FEW_PAGES {
        file(db, path, None, || false)?;
    }
    Check { db, key, path }.latest(most)
}

/// Checks the entire file and all entries, however long it takes: all that payments rest on.
/// Returns the last entry.
pub(super) fn all(db: &mut Connection, key: &Key, path: &Path) -> Result<Tip, JournalError> {
    file(db, path, None, || false)?;
    let check = Check { db, key, path };
    check.tables()?;
    let last = check.last()?;
    let mut tip = Tip::default();
    while tip.seq < last {
        tip = check.chain(tip, PIECE)?;
    }
    let begun = format!("SELECT count(*) FROM entry WHERE event = '{BEGUN}'");
    let (attempts, begun): (i64, i64) =
        db.query_row(&format!("SELECT (SELECT count(*) FROM attempt), ({begun})"), [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    check.refunds()?;
    if attempts != begun {
        return Err(check.damaged(both!("an attempt was never begun", "有一笔没有起始记录")));
    }
    // Written together with its first attempt, whose first entry covers it.
    let alone = "SELECT count(*) FROM sale WHERE id NOT IN (SELECT sale FROM attempt)";
    if db.query_row(alone, [], |row| row.get::<_, i64>(0))? > 0 {
        return Err(check.damaged(both!("a sale has no order", "有一笔销售没有订单")));
    }
    // The first entry covers its digits: of none, and of an empty one, there are none.
    let odd = "SELECT count(*) FROM attempt WHERE length(code_hash) = 0";
    if db.query_row(odd, [], |row| row.get::<_, i64>(0))? > 0 {
        return Err(
            check.damaged(both!("a payment code's hash is empty", "有一笔的付款码摘要为空"))
        );
    }
    Ok(tip)
}

/// The tables that have one row.
const SINGLE: &str = "SELECT count(*) = 1 AND max(id) = 1 AND max(is_open) IN (0, 1)
         AND (SELECT count(*) = 1 AND max(id) = 1 FROM chain_key) FROM in_use";
/// What is in the file, and the columns of what has some. Indexes only make it quick: early journals of
/// format 3 lack one.
const MADE: &str = "SELECT type || name || coalesce((SELECT group_concat(name) FROM
         pragma_table_info(made.name)), '') FROM sqlite_schema AS made
     WHERE name NOT LIKE 'sqlite_%' AND type <> 'index' ORDER BY name";

/// Lets SQLite check the structure of the file, or of one table, for as long as it may go on.
pub(super) fn file(
    db: &mut Connection,
    path: &Path,
    table: Option<&str>,
    stops: impl FnMut() -> bool + Send + 'static,
) -> Result<(), JournalError> {
    db.progress_handler(STEPS, Some(stops))?;
    let what = table.unwrap_or("1");
    let verdict: rusqlite::Result<String> =
        db.query_row(&format!("PRAGMA integrity_check({what})"), [], |row| row.get(0));
    db.progress_handler(0, None::<fn() -> bool>)?;
    match verdict {
        Ok(verdict) if verdict == "ok" => Ok(()),
        Ok(verdict) => Err(sqlite_damage(path, &verdict)),
        Err(error)
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) =>
        {
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Checks what is read.
pub(super) struct Check<'a> {
    pub(super) db: &'a Connection,
    pub(super) key: &'a Key,
    pub(super) path: &'a Path,
}

impl Check<'_> {
    /// Verifies the latest entries and their attempts.
    fn latest(&self, most: i64) -> Result<Tip, JournalError> {
        let last = self.last()?;
        let base = last.saturating_sub(most).max(0);
        let tip = self.chain(Tip { seq: base, chain: self.hash_of(base)? }, most)?;
        if tip.seq != last {
            return Err(self.damaged(both!("entries are missing", "缺少记录")));
        }
        Ok(tip)
    }

    /// The number of the last entry.
    pub(super) fn last(&self) -> Result<i64, JournalError> {
        Ok(self.db.query_row(LAST, [], |row| row.get(0))?)
    }

    /// Recomputes the chain over at most so many entries after the one that is known to be right,
    /// and looks at their attempts. Returns the last of them.
    pub(super) fn chain(&self, mut tip: Tip, most: i64) -> Result<Tip, JournalError> {
        let (mut attempts, mut refunds) = (BTreeSet::new(), BTreeSet::new());
        let mut statement = self.db.prepare_cached(IN_LINE)?;
        let mut rows = statement.query([tip.seq, most])?;
        while let Some(row) = rows.next()? {
            let entry = EntryRow::read(row)?;
            if entry.seq != tip.seq + 1 {
                return Err(self.not_in_line(tip.seq + 1));
            }
            // What moves no order leaves it where it is.
            if entry.attempt > 0 {
                attempts.insert(entry.attempt);
            }
            refunds.extend(entry.refund());
            tip = Tip { seq: entry.seq, chain: self.verify(&entry, &tip.chain, &row.get(9)?)? };
        }
        drop(rows);
        for attempt in attempts {
            self.attempt(attempt)?;
        }
        for refund in refunds {
            self.is_where_it_was_left(refund)?;
        }
        Ok(tip)
    }

    /// Verifies an order as it is shown: what it was begun with, and where it is.
    pub(super) fn order(&self, attempt: i64) -> Result<(), JournalError> {
        let last = self.attempt(attempt)?;
        let Some(first) = self.first_of(attempt)? else { return Err(self.misplaced(attempt)) };
        if !self.entry(first)?.is_begun() {
            return Err(self.misplaced(attempt));
        }
        if last != first {
            self.entry(last)?;
        }
        Ok(())
    }

    /// The numbers of all entries that concern an order, oldest first.
    pub(super) fn entries_of(&self, attempt: i64) -> rusqlite::Result<Vec<i64>> {
        let mut statement = self.db.prepare_cached(OF_ATTEMPT)?;
        let mut numbers = Vec::new();
        for attempt in [attempt, -attempt] {
            for number in statement.query_map([attempt], |row| row.get(0))? {
                numbers.push(number?);
            }
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The first entry of an attempt.
    fn first_of(&self, attempt: i64) -> rusqlite::Result<Option<i64>> {
        self.db.prepare_cached(FIRST_OF)?.query_row([attempt], |row| row.get(0))
    }

    /// Verifies an entry by the one before it.
    pub(super) fn entry(&self, seq: i64) -> Result<EntryRow, JournalError> {
        let found = self
            .db
            .prepare_cached(ONE)?
            .query_row([seq], |row| Ok((EntryRow::read(row)?, row.get(9)?)))
            .optional()?;
        let Some((entry, chain)) = found else { return Err(self.not_in_line(seq)) };
        self.verify(&entry, &self.hash_of(seq - 1)?, &chain)?;
        Ok(entry)
    }

    fn verify(
        &self,
        entry: &EntryRow,
        before: &[u8; 16],
        chain: &[u8; 16],
    ) -> Result<[u8; 16], JournalError> {
        // Written together with the attempt or refund itself, which is then part of the hash.
        let facts = self.facts_of(entry)?;
        if entry.hash(self.key, before, &facts) != *chain {
            return Err(self.not_in_line(entry.seq));
        }
        Ok(*chain)
    }

    /// The stored hash of an entry; before the first one it is all zeros.
    pub(super) fn hash_of(&self, seq: i64) -> Result<[u8; 16], JournalError> {
        if seq == 0 {
            return Ok([0; 16]);
        }
        self.db
            .prepare_cached(HASH_OF)?
            .query_row([seq], |row| row.get(0))
            .optional()?
            .ok_or_else(|| self.not_in_line(seq))
    }

    /// An attempt must be where its last entry left it. Returns that entry.
    fn attempt(&self, attempt: i64) -> Result<i64, JournalError> {
        let found = self
            .db
            .prepare_cached(WHERE_IT_IS)?
            .query_row([attempt], |row| {
                let is_last = row.get::<_, Option<bool>>(4)? == Some(true);
                let state = row.get::<_, Option<String>>(3)?.filter(|_| is_last);
                Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, state))
            })
            .optional()?;
        let Some((last, status, in_progress, Some(state))) = found else {
            return Err(self.misplaced(attempt));
        };
        let state: State = serde_json::from_str(&state)?;
        if status != state.status().word() || in_progress != progress(&state) {
            return Err(self.misplaced(attempt));
        }
        Ok(last)
    }

    /// What is in no chain, nor sealed: the tables that have one row, and that there is nothing else,
    /// such as a program that runs with the next entry.
    pub(super) fn tables(&self) -> Result<(), JournalError> {
        let format: i32 = self.db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let new = Connection::open_in_memory()?;
        new.execute_batch(include_str!("schema.sql"))?;
        tables::add(&new, OLDEST, format)?;
        let names = |db: &Connection| -> rusqlite::Result<Vec<String>> {
            db.prepare(MADE)?.query_map([], |row| row.get(0))?.collect()
        };
        if names(self.db)? != names(&new)? {
            return Err(self.damaged(both!(
                "something was added to its tables, or taken from them",
                "表中增加或缺少了内容"
            )));
        }
        if !self.db.query_row(SINGLE, [], |row| row.get::<_, Option<bool>>(0))?.unwrap_or_default()
        {
            return Err(self.damaged(both!(
                "what it says of its key and its use was changed",
                "密钥标记或使用标记被改动"
            )));
        }
        Ok(())
    }

    fn not_in_line(&self, seq: i64) -> JournalError {
        self.damaged(both!(
            "entry {seq} was changed or does not follow",
            "第 {seq} 条记录被改动或前后不连"
        ))
    }

    pub(super) fn misplaced(&self, attempt: i64) -> JournalError {
        self.damaged(both!(
            "attempt {attempt} is not where its last entry left it",
            "第 {attempt} 笔与其最后一条记录不符"
        ))
    }

    pub(super) fn damaged(&self, what: Text) -> JournalError {
        JournalError::Damaged { path: self.path.to_owned(), what }
    }
}

impl Journal {
    /// Nothing that was written may be missing. From now on the mirror is up to date.
    pub(super) fn compare_head(&self) -> Result<(), JournalError> {
        let head = head::read(self.files.read_mirror());
        holds(&self.db, &self.path, head)?;
        if self.tip.seq > 0 { self.write_mirror(self.tip) } else { Ok(()) }
    }
}
