//! What is written about an attempt and read back: the values that pass between an engine and the
//! journal behind it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::{Date, Millis, Timestamp, Uptime};
use crate::money::{Currency, Money};
use crate::order::{CodeUrl, Order, OutTradeNo};
use crate::payment::{Event, State, Status};
use crate::refund::{OutRefundNo, Refund, RefundEvent, RefundState};
use crate::sale::Sold;
use crate::sale::tender::Balance;
use crate::shift::Report;

/// What an entry or a call is about, by its number in the journal.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Subject {
    Attempt(i64),
    Refund(i64),
}

/// The sale to charge, and how much of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SaleRef {
    /// A new sale of this amount.
    New(Money),
    /// A sale that was tried before: its number in the journal, and what is left of it.
    Again(i64, Money),
}

impl SaleRef {
    /// The amount to charge.
    pub const fn amount(self) -> Money {
        match self {
            Self::New(amount) | Self::Again(_, amount) => amount,
        }
    }
}

/// Who has done something, where people sign in.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct By {
    pub operator: String,
    /// The manager who agreed to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
}

impl By {
    /// Who answers for it: the manager, if one agreed.
    pub fn approver(&self) -> String {
        self.consent.as_ref().unwrap_or(&self.operator).clone()
    }
}

/// What a person did at the till that moves no payment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Act {
    pub at: Timestamp,
    pub kind: ActKind,
    pub by: Option<By>,
}

/// Which of them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum ActKind {
    /// An order's slip was asked for again, as this copy.
    Reprint { copy: u32 },
    /// The drawer was opened by its key.
    Drawer,
    /// Cash that was taken of an order went back to the customer, since the rest was not paid.
    CashReturned { amount: Money },
    /// Cash was put into the drawer, outside sales.
    CashIn { amount: Money, reason: String },
    /// Cash was taken out of it.
    CashOut { amount: Money, reason: String },
    /// A shift began with so much in the drawer.
    ShiftOpened { float: Money },
    /// A shift ended, with the whole of its Z report.
    ShiftClosed(Box<Report>),
}

/// A fact to write: an event and the state it led to.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The attempt's number in the journal.
    pub attempt: i64,
    pub at: Timestamp,
    /// Time since the submission; zero while it is not certain to have left.
    pub age: Millis,
    /// When the submission left, as far as known so far.
    pub sent_at: Uptime,
    /// The boot that `sent_at` counts from; 0 if unknown.
    pub boot: i64,
    pub event: Event,
    /// Whose doing it is.
    pub by: Option<By>,
    pub state: State,
    /// Fields sent or received, cleaned, with codes masked.
    pub wire: Vec<(String, String)>,
    /// The attempt itself; only with its first entry.
    pub begin: Option<Box<Begin>>,
}

/// An attempt as first written, and its sale if that is new.
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
    /// The note of a new sale; `None` for a sale that is in the journal already.
    pub new: Option<String>,
    pub due: Money,
    /// What is sold; bare for an amount alone.
    pub sold: Arc<Sold>,
}

/// An attempt read back to be continued.
#[derive(Clone, Debug)]
pub struct StoredAttempt {
    pub id: i64,
    pub sale: i64,
    pub order: Order,
    pub boot: i64,
    /// When the submission left, on the time line of `boot`.
    pub sent_at: Uptime,
    /// The age at its last entry: now it is at least this old.
    pub age: Millis,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub state: State,
    /// What its sale sells.
    pub sold: Arc<Sold>,
}

/// As [`Entry`], of a refund.
#[derive(Clone, Debug)]
pub struct RefundEntry {
    /// The refund's number in the journal.
    pub refund: i64,
    /// Its order's.
    pub attempt: i64,
    pub at: Timestamp,
    /// Time since its beginning.
    pub age: Millis,
    /// When it began, on the time line of `boot`.
    pub begun_at: Uptime,
    /// The boot that `begun_at` counts from; 0 if unknown.
    pub boot: i64,
    pub event: RefundEvent,
    /// Whose doing it is.
    pub by: Option<By>,
    pub state: RefundState,
    /// Fields sent or received, cleaned.
    pub wire: Vec<(String, String)>,
    /// The refund itself; only with its first entry.
    pub begin: Option<Box<RefundBegin>>,
}

/// A refund as first written.
#[derive(Clone, Debug)]
pub struct RefundBegin {
    pub refund: Refund,
    /// The shop's calendar day, decided once.
    pub day: Date,
}

/// A refund read back to be continued.
#[derive(Clone, Debug)]
pub struct StoredRefund {
    pub id: i64,
    pub attempt: i64,
    pub refund: Refund,
    pub boot: i64,
    pub begun_at: Uptime,
    /// The age at its last entry: now it is at least this old.
    pub age: Millis,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub state: RefundState,
}

/// What a till needs from earlier runs in order to continue.
#[derive(Debug, Default)]
pub struct Recovered {
    pub last_attempt: i64,
    pub last_sale: i64,
    pub last_refund: i64,
    /// Refunds with work left, oldest first.
    pub refunds: Vec<StoredRefund>,
    /// Attempts with work left, oldest first.
    pub open: Vec<StoredAttempt>,
    /// The most recent sales, oldest first, and what was paid of each.
    pub sales: Vec<(i64, Balance)>,
    /// Keyed hashes of the most recent payment codes, each with its attempt's order number.
    pub codes: Vec<([u8; 16], OutTradeNo)>,
}

impl Recovered {
    /// How many recent payment codes are recognized by their hash. A code lives for a minute.
    pub const CODES_REMEMBERED: u32 = 500;
    /// How many sales are remembered with their outcome, so that none is charged twice.
    pub const SALES_REMEMBERED: u32 = 64;
}

/// An attempt as people may see it: what is on disk, unless `recorded` says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    pub out_trade_no: OutTradeNo,
    pub sale: i64,
    pub amount: Money,
    pub currency: Currency,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When the submission left, on this process's time line.
    pub sent_at: Uptime,
    pub state: State,
    /// What its sale sells.
    pub sold: Arc<Sold>,
    /// `false`: the outcome is known, but could not be written.
    pub recorded: bool,
}

impl Attempt {
    /// The code that the customer may scan. One that is not on disk is nobody's to see: the next start
    /// knows nothing of it, and may say that nothing was paid. After a restart it may be paid already.
    pub fn code_to_show(&self) -> Option<&CodeUrl> {
        let is_waiting = self.state.status() == Status::Waiting;
        self.state.code_url().filter(|_| self.recorded && is_waiting)
    }
}

/// A refund as people may see it: what is on disk, unless `recorded` says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct RefundRecord {
    pub out_refund_no: OutRefundNo,
    pub out_trade_no: OutTradeNo,
    pub attempt: i64,
    pub amount: Money,
    pub currency: Currency,
    pub reason: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub state: RefundState,
    /// `false`: where it is is known, but could not be written.
    pub recorded: bool,
}
