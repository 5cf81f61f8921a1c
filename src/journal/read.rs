//! Reading a journal: what a start needs, and what `orders` and `show` print while a till may be
//! running.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::acts::{StoredEvent, Told};
use super::key::{self, Key, KeyFault, Secret, hex};
use super::{
    APPLICATION_ID, FORMAT, JournalError, OLDEST, PATIENCE, READ_ONLY, Tip, check, files, head,
    illegible, lines, other_format, refused,
};
use paytill_core::clock::{Millis, Timestamp, Uptime};
use paytill_core::engine::{ActKind, Attempt, By};
use paytill_core::money::{Currency, Money};
use paytill_core::order::OutTradeNo;
use paytill_core::payment::{State, Status};
use paytill_core::sale::Sold;

/// Which orders to list. The default is all of them.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The shop's calendar day, `YYYY-MM-DD`.
    pub day: Option<String>,
    pub status: Option<Status>,
    /// Only those with work left.
    pub open: bool,
    pub limit: Option<u32>,
}

impl Filter {
    /// Whether it leaves none out, but for the oldest.
    const fn is_for_all(&self) -> bool {
        self.day.is_none() && self.status.is_none() && !self.open
    }
}

/// An order as people are shown it.
#[derive(Clone, Debug)]
pub struct OrderRow {
    pub attempt: i64,
    pub sale: i64,
    pub out_trade_no: OutTradeNo,
    pub channel: String,
    pub amount: Money,
    pub currency: Currency,
    pub note: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub sent_at: Uptime,
    pub state: State,
    /// Who began it.
    pub by: Option<By>,
    /// What its sale sells.
    pub sold: Arc<Sold>,
    /// How much of it was given back, as far as its refunds know.
    pub refunded: Money,
}

impl From<OrderRow> for Attempt {
    fn from(row: OrderRow) -> Self {
        Self {
            out_trade_no: row.out_trade_no,
            sale: row.sale,
            amount: row.amount,
            currency: row.currency,
            created_at: row.created_at,
            updated_at: row.updated_at,
            sent_at: row.sent_at,
            state: row.state,
            sold: row.sold,
            recorded: true,
        }
    }
}

/// One entry of an order.
#[derive(Clone, Debug)]
pub struct StoredEntry {
    /// Entries are numbered from 1.
    pub number: i64,
    /// Covers it and all before it, and cannot be made without the key.
    pub digest: String,
    pub at: Timestamp,
    pub age: Millis,
    pub event: StoredEvent,
    /// Whose doing it was.
    pub by: Option<By>,
    pub state: State,
    /// The fields sent or received, as JSON; empty if there were none.
    pub wire: String,
}

/// Whether the cash that an order was paid with went back since the rest of its sale was not paid.
pub fn is_cash_returned(entries: &[StoredEntry]) -> bool {
    let is_return =
        |entry: &StoredEntry| matches!(entry.event, StoredEvent::Act(ActKind::CashReturned { .. }));
    entries.iter().any(is_return)
}

/// What a complete journal adds up to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Audit {
    /// The end of the chain; `None` if there are no entries.
    pub head: Option<Head>,
    pub orders: i64,
    /// Orders with work left.
    pub open: i64,
    /// Open orders that need a person.
    pub attention: i64,
    /// No process has it in use, and the last one that had has closed it.
    pub is_closed: bool,
    /// Orders whose number the gateway had seen before.
    pub numbers_taken: i64,
    /// Open refunds of which nobody knows what becomes, or that need a person.
    pub refunds_unclear: i64,
}

/// The last entry. Noted elsewhere, it shows whether the entries up to it were made anew.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Head {
    pub entry: i64,
    /// In hexadecimal digits, as in [`StoredEntry`].
    pub digest: String,
    /// The order it belongs to.
    pub out_trade_no: String,
}

/// A read-only view of a journal. It takes no lock, and checks what it reads.
pub struct JournalReader {
    pub(super) db: Connection,
    pub(super) key: Key,
    pub(super) path: PathBuf,
}

impl JournalReader {
    /// Reads a journal that this process holds, and so has opened.
    ///
    /// The file is opened by SQLite alone: closing any other handle would release the locks that
    /// SQLite holds for the entire process, and another one could then remove the write-ahead log.
    pub fn of_held(path: &Path, key: Option<&Path>) -> Result<Self, JournalError> {
        let path = files::resolved(path)
            .map_err(|source| JournalError::Unusable { path: path.to_owned(), source })?;
        let db = Connection::open_with_flags(&path, READ_ONLY)
            .and_then(|db| db.busy_timeout(PATIENCE).map(|()| db))
            .map_err(|error| refused(&path, error))?;
        let key = key_of(&db, &path, key)?;
        Ok(Self { db, key, path })
    }

    /// As [`JournalReader::of_held`], where its key is known.
    pub(super) fn beside(path: &Path, key: &Key) -> Result<Self, JournalError> {
        let db = Connection::open_with_flags(path, READ_ONLY)
            .and_then(|db| db.busy_timeout(PATIENCE).map(|()| db))
            .map_err(|error| refused(path, error))?;
        Ok(Self { db, key: key.clone(), path: path.to_owned() })
    }

    /// Opens a journal to read; `None` if there is none yet. `key` is as for [`super::Journal::open`].
    pub fn open(path: &Path, key: Option<&Path>) -> Result<Option<Self>, JournalError> {
        let path = match files::resolved(path) {
            Ok(path) => path,
            // Not even its folder exists.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(JournalError::Unusable { path: path.to_owned(), source }),
        };
        files::refuse_pipes(&path)?;
        // Read first: the entry it names is in the journal by now.
        let head = head::read(files::read_mirror(&path));
        check::start(&path, head::has_entries(head))?;
        if path.metadata().map_or(true, |metadata| metadata.len() == 0) {
            return Ok(None);
        }
        let open = || -> rusqlite::Result<(Connection, i32, i32, i64)> {
            let db = Connection::open_with_flags(&path, READ_ONLY)?;
            db.busy_timeout(PATIENCE)?;
            let application = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
            let format = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
            let tables =
                db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            Ok((db, application, format, tables))
        };
        match open() {
            Ok((db, APPLICATION_ID, OLDEST..=FORMAT, _)) => {
                check::holds(&db, &path, head)?;
                // Not that of a moment ago: a till may just have made it.
                check::is_not_alone(&db, &path, || {
                    head.is_some() || head::read(files::read_mirror(&path)).is_some()
                })?;
                let key = key_of(&db, &path, key)?;
                // Damage would otherwise show as fewer or different orders. A till may be writing
                // meanwhile.
                let mut reader = Self { db, key, path };
                let checked = reader.db.execute_batch("BEGIN").map_err(JournalError::from);
                let checked = checked.and_then(|()| {
                    let Self { db, key, path } = &mut reader;
                    check::complete(db, key, path, check::VERIFIED_TO_READ)?;
                    Ok(reader.db.execute_batch("COMMIT")?)
                });
                reader.guard(|| checked)?;
                Ok(Some(reader))
            }
            // Just created by another process that has got no further yet.
            Ok((_, 0, 0, 0)) => Ok(None),
            Ok((_, APPLICATION_ID, format, _)) => Err(other_format(path, format)),
            Ok(_) => Err(JournalError::Foreign(path)),
            Err(error) => Err(refused(&path, error)),
        }
    }

    /// Checks the entire file, all entries back to the first and all slips, and counts the orders.
    pub fn audit(&mut self) -> Result<Audit, JournalError> {
        self.audit_with(true)
    }

    /// As [`JournalReader::audit`], with or without the slips, which no payment rests on.
    pub(super) fn audit_with(&mut self, slips: bool) -> Result<Audit, JournalError> {
        // What a till writes meanwhile is left out.
        let begun = self.db.execute_batch("BEGIN").map_err(JournalError::from);
        let audited = begun.and_then(|()| {
            let tip = check::all(&mut self.db, &self.key, &self.path)?;
            if slips {
                self.check().slips()?;
            }
            let audit = self.count(tip)?;
            self.db.execute_batch("COMMIT")?;
            Ok(audit)
        });
        if !self.db.is_autocommit() {
            self.db.execute_batch("ROLLBACK")?;
        }
        self.guard(|| audited)
    }

    fn count(&self, Tip { seq, chain }: Tip) -> rusqlite::Result<Audit> {
        let count = |sql| self.db.query_row(sql, [], |row| row.get(0));
        // What concerns no order is named by the one before it.
        let order = "SELECT out_trade_no FROM attempt WHERE id = (SELECT abs(attempt) FROM entry
             WHERE seq <= ? AND attempt <> 0 ORDER BY seq DESC LIMIT 1)";
        let order = self.db.query_row(order, [seq], |row| row.get(0)).optional()?;
        let out_trade_no = order.unwrap_or_else(|| "-".to_owned());
        let head = Head { entry: seq, digest: hex(&chain), out_trade_no };
        Ok(Audit {
            head: (seq > 0).then_some(head),
            orders: count("SELECT count(*) FROM attempt")?,
            open: count("SELECT count(*) FROM attempt WHERE progress = 'open'")?,
            attention: count(
                "SELECT count(*) FROM attempt WHERE status = 'attention' AND progress = 'open'",
            )?,
            is_closed: !check::is_marked(&self.db)?,
            refunds_unclear: self.refunds_unclear()?,
            numbers_taken: count(
                "SELECT count(DISTINCT attempt) FROM entry
                 WHERE instr(wire, '\"OUT_TRADE_NO_USED\"') > 0",
            )?,
        })
    }

    #[cfg(test)]
    pub(super) const fn connection(&mut self) -> &mut Connection {
        &mut self.db
    }

    /// Reads over a given connection, wherever the journal's bytes are.
    pub fn on(db: Connection, key: &Secret, name: &Path) -> Self {
        Self { db, key: Key::new(key), path: name.to_owned() }
    }

    /// Orders, newest first.
    pub fn orders(&self, filter: &Filter) -> Result<Vec<OrderRow>, JournalError> {
        let (sql, values) = query(filter);
        self.guard(|| {
            // What a till writes meanwhile is left out.
            let _snapshot = self.db.unchecked_transaction()?;
            let mut statement = self.db.prepare(&sql)?;
            let rows = statement.query_and_then(rusqlite::params_from_iter(&values), order_row)?;
            let mut rows: Vec<OrderRow> = rows.collect::<Result<_, JournalError>>()?;
            let check = self.check();
            for row in &mut rows {
                self.complete(row)?;
            }
            if filter.is_for_all() {
                self.none_is_missing(&check, &rows, filter.limit)?;
            }
            Ok(rows)
        })
    }

    /// Attempts are numbered from 1, without gaps.
    fn none_is_missing(
        &self,
        check: &check::Check<'_>,
        rows: &[OrderRow],
        limit: Option<u32>,
    ) -> Result<(), JournalError> {
        let newest = last_attempt(&self.db)?;
        let wanted = limit.map_or(newest, |limit| newest.min(i64::from(limit)));
        let expected = (newest - wanted + 1..=newest).rev();
        match expected
            .zip(rows.iter().map(|row| Some(row.attempt)).chain(std::iter::repeat(None)))
            .find(|(expected, found)| Some(*expected) != *found)
        {
            Some((missing, _)) => Err(check.misplaced(missing)),
            None => Ok(()),
        }
    }

    /// One order, by its number; `None` if it is not in the journal.
    pub fn order(&self, out_trade_no: &str) -> Result<Option<OrderRow>, JournalError> {
        self.guard(|| {
            let _snapshot = self.db.unchecked_transaction()?;
            let sql = format!("{ORDER} WHERE attempt.out_trade_no = ?");
            let mut statement = self.db.prepare(&sql)?;
            let mut rows = statement.query_and_then([out_trade_no], order_row)?;
            let mut row = rows.next().transpose()?;
            if let Some(row) = &mut row {
                self.complete(row)?;
            }
            Ok(row)
        })
    }

    /// Orders whose number ends so, at least four characters, newest first and at most `limit`; if
    /// there are none, those of the latest whose transaction number does.
    pub fn ending(&self, tail: &str, limit: u32) -> Result<Vec<OrderRow>, JournalError> {
        let find = |which: &str, tail: &str| {
            self.guard(|| {
                let _snapshot = self.db.unchecked_transaction()?;
                let mut statement = self.db.prepare(&ending(which))?;
                let rows = statement.query_and_then((tail, limit), order_row)?;
                let mut rows: Vec<OrderRow> = rows.collect::<Result<_, JournalError>>()?;
                rows.iter_mut().try_for_each(|row| self.complete(row))?;
                Ok(rows)
            })
        };
        let orders = find(BY_NUMBER, tail)?;
        if !orders.is_empty() {
            return Ok(orders);
        }
        // It ends a text of the state, which is JSON.
        let mut paid = find(BY_TRANSACTION, &format!("{tail}\""))?;
        paid.retain(|row| {
            row.state.proof().is_some_and(|proof| proof.transaction_id.ends_with(tail))
        });
        Ok(paid)
    }

    /// Verifies an order, and adds what its sale sells and how much was given back.
    pub(super) fn complete(&self, row: &mut OrderRow) -> Result<(), JournalError> {
        self.check().order(row.attempt)?;
        row.sold = lines::of_sale(&self.db, row.sale)?;
        self.add_refunds(std::slice::from_mut(row))
    }

    /// All entries of an order, oldest first.
    pub fn entries(&self, attempt: i64) -> Result<Vec<StoredEntry>, JournalError> {
        self.guard(|| {
            let _snapshot = self.db.unchecked_transaction()?;
            let check = self.check();
            let mut entries: Vec<StoredEntry> = Vec::new();
            for number in check.entries_of(attempt)? {
                let entry = check.entry(number)?;
                let is_first = entries.is_empty();
                let facts = if is_first { check::facts(&self.db, attempt)? } else { String::new() };
                let before = entries.last().map(|last| &last.state);
                let Told { event, by, state } =
                    Told::read(&entry.event, &entry.state, &facts, before)?;
                entries.push(StoredEntry {
                    number,
                    digest: hex(&check.hash_of(number)?),
                    at: Timestamp(entry.at),
                    age: millis(entry.age),
                    event,
                    by,
                    state,
                    wire: entry.wire,
                });
            }
            Ok(entries)
        })
    }

    pub(super) fn check(&self) -> check::Check<'_> {
        check::Check { db: &self.db, key: &self.key, path: &self.path }
    }

    pub(super) fn guard<T>(
        &self,
        read: impl FnOnce() -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        read().map_err(|error| match error {
            JournalError::Write(error) => refused(&self.path, error),
            JournalError::Encode(error) => illegible(&self.path, &error),
            other => other,
        })
    }
}

/// The key that a journal was made with.
fn key_of(db: &Connection, path: &Path, named: Option<&Path>) -> Result<Key, JournalError> {
    let file = key::place(path, named);
    let found = key::read(&file).and_then(|found| found.ok_or(KeyFault::Missing));
    let fault = match found.map(|secret| Key::new(&secret)) {
        Ok(key) if check::is_key(db, &key).map_err(|error| refused(path, error))? => {
            return Ok(key);
        }
        Ok(_) => KeyFault::Foreign,
        Err(fault) => fault,
    };
    Err(JournalError::Key { path: path.to_owned(), key: file, fault })
}

pub(super) const ORDER: &str =
    "SELECT attempt.id, sale, out_trade_no, channel, amount, currency, note,
     attempt.created_at, attempt.updated_at, entry.sent_at, entry.state,
     json_extract(request, '$.by')
     FROM attempt JOIN sale ON sale.id = attempt.sale
     JOIN entry ON entry.seq = attempt.last_entry";

/// Which orders end with certain characters: by the index of the last four, or among the latest.
pub(super) const BY_NUMBER: &str = "substr(out_trade_no, -4) = substr(?1, -4)
     AND substr(out_trade_no, -length(?1)) = ?1";
pub(super) const BY_TRANSACTION: &str =
    "attempt.id > (SELECT max(id) FROM attempt) - 5000 AND instr(entry.state, ?1) > 0";

pub(super) fn ending(which: &str) -> String {
    format!("{ORDER} WHERE {which} ORDER BY attempt.id DESC LIMIT ?2")
}

/// The query for orders, and its values.
pub(super) fn query(filter: &Filter) -> (String, Vec<String>) {
    let mut sql = format!("{ORDER} WHERE true");
    let mut values: Vec<String> = Vec::new();
    if let Some(day) = &filter.day {
        sql += " AND attempt.day = ?";
        values.push(day.clone());
    }
    if let Some(status) = filter.status {
        sql += " AND attempt.status = ?";
        values.push(status.word().to_owned());
        // Said once more, in the words of the index.
        if status != Status::Paid && filter.day.is_none() {
            sql += " AND attempt.status <> 'paid'";
        }
    }
    if filter.open {
        sql += " AND attempt.progress = 'open' AND attempt.progress <> 'done'";
    }
    sql += " ORDER BY attempt.id DESC";
    if let Some(limit) = filter.limit {
        sql += " LIMIT ?";
        values.push(limit.to_string());
    }
    (sql, values)
}

pub(super) fn last_attempt(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("SELECT coalesce(max(id), 0) FROM attempt", [], |row| row.get(0))
}

pub(super) fn order_row(row: &Row<'_>) -> Result<OrderRow, JournalError> {
    Ok(OrderRow {
        attempt: row.get(0)?,
        sale: row.get(1)?,
        out_trade_no: number(row.get(2)?)?,
        channel: row.get(3)?,
        amount: Money::from_minor(row.get(4)?),
        currency: currency(&row.get::<_, String>(5)?)?,
        note: row.get(6)?,
        created_at: Timestamp(row.get(7)?),
        updated_at: Timestamp(row.get(8)?),
        sent_at: Uptime(millis(row.get(9)?).0),
        state: serde_json::from_str(row.get_ref(10)?.as_str().map_err(wrong_type)?)?,
        by: match row.get::<_, Option<String>>(11)? {
            Some(by) => Some(serde_json::from_str(&by)?),
            None => None,
        },
        sold: Arc::default(),
        refunded: Money::default(),
    })
}

pub(super) fn number(text: String) -> Result<OutTradeNo, rusqlite::Error> {
    OutTradeNo::try_from(text).map_err(|error| unreadable(Box::new(error)))
}

pub(super) fn currency(code: &str) -> Result<Currency, rusqlite::Error> {
    Currency::from_code(code).ok_or_else(|| unreadable("unknown currency".into()))
}

pub(super) fn wrong_type(error: rusqlite::types::FromSqlError) -> rusqlite::Error {
    unreadable(Box::new(error))
}

pub(super) fn unreadable(error: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error)
}

pub(super) fn millis(stored: i64) -> Millis {
    Millis(u64::try_from(stored).unwrap_or(0))
}
