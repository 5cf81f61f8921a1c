//! Reading a journal: what a start needs, and what `orders` and `show` print while a till may be
//! running.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Row};

use super::{
    APPLICATION_ID, FORMAT, JournalError, StoredRequest, files, head, illegible, other_format,
    refused,
};
use paytill_core::clock::{Millis, Timestamp, Uptime};
use paytill_core::engine::{Attempt, Recovered, StoredAttempt};
use paytill_core::money::{Currency, Money};
use paytill_core::order::{Order, OutTradeNo};
use paytill_core::payment::{Event, State, Status};

/// How long a reader waits for a process that is changing the file.
const PATIENCE: Duration = Duration::from_secs(2);

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
            recorded: true,
        }
    }
}

/// One entry of an order.
#[derive(Clone, Debug)]
pub struct StoredEntry {
    pub at: Timestamp,
    pub age: Millis,
    pub event: Event,
    pub state: State,
    /// The fields sent or received, as JSON; empty if there were none.
    pub wire: String,
}

/// What a complete journal adds up to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Audit {
    pub orders: i64,
    /// Orders with work left.
    pub open: i64,
    /// Open orders that need a person.
    pub attention: i64,
    /// Orders whose number the gateway had seen before.
    pub numbers_taken: i64,
}

/// A read-only view of a journal. It takes no lock.
pub struct JournalReader {
    db: Connection,
    path: PathBuf,
}

impl JournalReader {
    /// Reads a journal that this process holds, and so has checked.
    ///
    /// The file is opened by SQLite alone: closing any other handle would release the locks that
    /// SQLite holds for the entire process, and another one could then remove the write-ahead log.
    pub fn of_held(path: &Path) -> Result<Self, JournalError> {
        let path = files::resolved(path)
            .map_err(|source| JournalError::Unusable { path: path.to_owned(), source })?;
        let db = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .and_then(|db| db.busy_timeout(PATIENCE).map(|()| db))
            .map_err(|error| refused(&path, error))?;
        Ok(Self { db, path })
    }

    /// Opens a journal to read; `None` if there is none yet.
    pub fn open(path: &Path) -> Result<Option<Self>, JournalError> {
        let path = match files::resolved(path) {
            Ok(path) => path,
            // Not even its folder exists.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(JournalError::Unusable { path: path.to_owned(), source }),
        };
        // Read first: the entry it names is in the journal by now.
        let head = head::read(files::read_mirror(&path));
        super::check::start(&path, head.is_some())?;
        if path.metadata().map_or(true, |metadata| metadata.len() == 0) {
            return Ok(None);
        }
        let open = || -> rusqlite::Result<(Connection, i32, i32, i64)> {
            let db = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            db.busy_timeout(PATIENCE)?;
            let application = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
            let format = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
            let tables =
                db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            Ok((db, application, format, tables))
        };
        match open() {
            Ok((db, APPLICATION_ID, FORMAT, _)) => {
                super::check::holds(&db, &path, head)?;
                // Damage would otherwise show as fewer or different orders. A till may be writing
                // meanwhile.
                let mut reader = Self { db, path };
                let checked = reader.db.execute_batch("BEGIN").map_err(JournalError::from);
                let checked = checked.and_then(|()| {
                    super::check::complete(&mut reader.db, &reader.path)?;
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

    /// Checks the entire file and all entries back to the first, and counts the orders.
    pub fn audit(&mut self) -> Result<Audit, JournalError> {
        // What a till writes meanwhile is left out.
        let begun = self.db.execute_batch("BEGIN").map_err(JournalError::from);
        let audited = begun.and_then(|()| {
            super::check::all(&mut self.db, &self.path)?;
            let audit = self.count()?;
            self.db.execute_batch("COMMIT")?;
            Ok(audit)
        });
        self.guard(|| audited)
    }

    fn count(&self) -> rusqlite::Result<Audit> {
        let count = |sql| self.db.query_row(sql, [], |row| row.get(0));
        Ok(Audit {
            orders: count("SELECT count(*) FROM attempt")?,
            open: count("SELECT count(*) FROM attempt WHERE progress = 'open'")?,
            attention: count("SELECT count(*) FROM attempt WHERE status = 'attention'")?,
            numbers_taken: count(
                "SELECT count(DISTINCT attempt) FROM entry
                 WHERE instr(wire, '\"OUT_TRADE_NO_USED\"') > 0",
            )?,
        })
    }

    /// Reads over a given connection, wherever the journal's bytes are.
    pub fn on(db: Connection, name: &Path) -> Self {
        Self { db, path: name.to_owned() }
    }

    /// Orders, newest first.
    pub fn orders(&self, filter: &Filter) -> Result<Vec<OrderRow>, JournalError> {
        let mut sql = format!("{ORDER} WHERE true");
        let mut values: Vec<String> = Vec::new();
        if let Some(day) = &filter.day {
            sql += " AND attempt.day = ?";
            values.push(day.clone());
        }
        if let Some(status) = filter.status {
            sql += " AND attempt.status = ?";
            values.push(status.word().to_owned());
        }
        if filter.open {
            sql += " AND attempt.progress = 'open'";
        }
        sql += " ORDER BY attempt.id DESC";
        if let Some(limit) = filter.limit {
            sql += " LIMIT ?";
            values.push(limit.to_string());
        }
        self.guard(|| {
            let mut statement = self.db.prepare(&sql)?;
            let rows = statement.query_and_then(rusqlite::params_from_iter(&values), order_row)?;
            rows.collect()
        })
    }

    /// One order, by its number; `None` if it is not in the journal.
    pub fn order(&self, out_trade_no: &str) -> Result<Option<OrderRow>, JournalError> {
        self.guard(|| {
            let sql = format!("{ORDER} WHERE attempt.out_trade_no = ?");
            let mut statement = self.db.prepare(&sql)?;
            let mut rows = statement.query_and_then([out_trade_no], order_row)?;
            rows.next().transpose()
        })
    }

    /// Orders whose number ends so, newest first, at most `limit`; if there are none, those whose
    /// transaction number does.
    pub fn ending(&self, tail: &str, limit: u32) -> Result<Vec<OrderRow>, JournalError> {
        let find = |ends: &str, tail: &str| {
            self.guard(|| {
                let sql = format!("{ORDER} WHERE {ends} ORDER BY attempt.id DESC LIMIT ?");
                let mut statement = self.db.prepare(&sql)?;
                statement.query_and_then((tail, limit), order_row)?.collect::<Result<Vec<_>, _>>()
            })
        };
        let orders = find("substr(out_trade_no, -length(?1)) = ?1", tail)?;
        if !orders.is_empty() {
            return Ok(orders);
        }
        // It ends a text of the state, which is JSON.
        let mut paid = find("instr(entry.state, ?1) > 0", &format!("{tail}\""))?;
        paid.retain(|row| {
            row.state.proof().is_some_and(|proof| proof.transaction_id.ends_with(tail))
        });
        Ok(paid)
    }

    /// All entries of an order, oldest first.
    pub fn entries(&self, attempt: i64) -> Result<Vec<StoredEntry>, JournalError> {
        self.guard(|| {
            let mut statement = self.db.prepare(
                "SELECT at, age, event, state, wire FROM entry WHERE attempt = ? ORDER BY seq",
            )?;
            let rows = statement.query_and_then([attempt], |row| {
                Ok(StoredEntry {
                    at: Timestamp(row.get(0)?),
                    age: millis(row.get(1)?),
                    event: serde_json::from_str(row.get_ref(2)?.as_str().map_err(wrong_type)?)?,
                    state: serde_json::from_str(row.get_ref(3)?.as_str().map_err(wrong_type)?)?,
                    wire: row.get(4)?,
                })
            })?;
            rows.collect()
        })
    }

    fn guard<T>(&self, read: impl FnOnce() -> Result<T, JournalError>) -> Result<T, JournalError> {
        read().map_err(|error| match error {
            JournalError::Write(error) => refused(&self.path, error),
            JournalError::Encode(error) => illegible(&self.path, &error),
            other => other,
        })
    }
}

const ORDER: &str = "SELECT attempt.id, sale, out_trade_no, channel, amount, currency, note,
     attempt.created_at, attempt.updated_at, entry.sent_at, entry.state
     FROM attempt JOIN sale ON sale.id = attempt.sale
     JOIN entry ON entry.seq = attempt.last_entry";

/// What a till needs in order to continue.
pub(super) fn past(db: &Connection) -> Result<Recovered, JournalError> {
    let last = |table: &str| -> rusqlite::Result<i64> {
        db.query_row(&format!("SELECT coalesce(max(id), 0) FROM {table}"), [], |row| row.get(0))
    };
    let last_attempt = last("attempt")?;
    let mut statement = db.prepare(
        "SELECT attempt.id, sale, out_trade_no, amount, currency, request, boot, sent_at, age,
         created_at, updated_at, state
         FROM attempt JOIN sale ON sale.id = attempt.sale
         JOIN entry ON entry.seq = attempt.last_entry
         WHERE progress <> 'done' ORDER BY attempt.id",
    )?;
    let open =
        statement.query_and_then([], stored_attempt)?.collect::<Result<_, JournalError>>()?;
    let mut statement = db.prepare(
        "SELECT code_hash, out_trade_no FROM attempt
         WHERE id > ? AND code_hash IS NOT NULL ORDER BY id",
    )?;
    let codes = statement
        .query_and_then([last_attempt - i64::from(Recovered::CODES_REMEMBERED)], |row| {
            Ok((row.get(0)?, number(row.get(1)?)?))
        })?
        .collect::<Result<_, JournalError>>()?;
    let mut statement =
        db.prepare("SELECT sale FROM attempt WHERE id > ? AND status = 'paid' ORDER BY id")?;
    let paid_sales = statement
        .query_map([last_attempt - i64::from(Recovered::SALES_REMEMBERED)], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(Recovered { last_attempt, last_sale: last("sale")?, open, paid_sales, codes })
}

fn stored_attempt(row: &Row<'_>) -> Result<StoredAttempt, JournalError> {
    let request: StoredRequest =
        serde_json::from_str(row.get_ref(5)?.as_str().map_err(wrong_type)?)?;
    Ok(StoredAttempt {
        id: row.get(0)?,
        sale: row.get(1)?,
        order: Order {
            out_trade_no: number(row.get(2)?)?,
            amount: Money::from_minor(row.get(3)?),
            currency: currency(&row.get::<_, String>(4)?)?,
            merchant: request.merchant,
            body: request.body,
            device_info: request.device_info,
            client_ip: request.client_ip,
            mark: request.mark,
        },
        boot: row.get(6)?,
        sent_at: Uptime(millis(row.get(7)?).0),
        age: millis(row.get(8)?),
        created_at: Timestamp(row.get(9)?),
        updated_at: Timestamp(row.get(10)?),
        state: serde_json::from_str(row.get_ref(11)?.as_str().map_err(wrong_type)?)?,
    })
}

fn order_row(row: &Row<'_>) -> Result<OrderRow, JournalError> {
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
    })
}

fn number(text: String) -> Result<OutTradeNo, rusqlite::Error> {
    OutTradeNo::try_from(text).map_err(|error| unreadable(Box::new(error)))
}

fn currency(code: &str) -> Result<Currency, rusqlite::Error> {
    Currency::from_code(code).ok_or_else(|| unreadable("unknown currency".into()))
}

fn wrong_type(error: rusqlite::types::FromSqlError) -> rusqlite::Error {
    unreadable(Box::new(error))
}

fn unreadable(error: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error)
}

fn millis(stored: i64) -> Millis {
    Millis(u64::try_from(stored).unwrap_or(0))
}
