//! What is written of an attempt, and what is read back: the values between an engine and whoever
//! keeps its journal.

use crate::clock::{Date, Millis, Timestamp, Uptime};
use crate::money::{Currency, Money};
use crate::order::{Order, OutTradeNo};
use crate::payment::{Event, State};

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
    pub boot: i64,
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
    /// The shop's calendar day, decided once.
    pub day: Date,
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
    pub boot: i64,
    /// On the time line of `boot`.
    pub sent_at: Uptime,
    /// The age at its last entry: the least it has now.
    pub age: Millis,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub state: State,
}

/// What a till needs to know of the past to go on.
#[derive(Debug, Default)]
pub struct Recovered {
    pub last_attempt: i64,
    pub last_sale: i64,
    /// Attempts with work left, the oldest first.
    pub open: Vec<StoredAttempt>,
    /// The latest sales that are paid.
    pub paid_sales: Vec<i64>,
    /// Keyed hashes of the latest payment codes, each with its attempt.
    pub codes: Vec<([u8; 16], OutTradeNo)>,
}

impl Recovered {
    /// Payment codes live for a minute; so many of the latest are told again by their hash.
    pub const CODES_REMEMBERED: u32 = 500;
    /// Sales whose outcome is remembered to keep them from being charged twice.
    pub const SALES_REMEMBERED: u32 = 64;
}

/// An attempt as it may be told: what is on disk, but where it says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    pub out_trade_no: OutTradeNo,
    pub sale: i64,
    pub amount: Money,
    pub currency: Currency,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// On this process's time line.
    pub sent_at: Uptime,
    pub state: State,
    /// `false`: the outcome is known, but could not be written down.
    pub recorded: bool,
}
