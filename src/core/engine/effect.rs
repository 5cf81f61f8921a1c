//! What an engine wants done, and what it reports to people.

use super::{Attempt, Entry, RefundEntry, RefundRecord};
use crate::order::{AuthCode, Order};
use crate::payment::{Call, Event, Status};
use crate::refund::{Refund, RefundCall, RefundEvent, RefundStatus};

/// What the caller must do, in this order.
#[derive(Debug)]
pub enum Effect {
    /// Write the entry, and report the outcome to [`Engine::written`](super::Engine::written).
    Write(Box<Entry>),
    /// Make the call, once, and return its outcome as [`Event::Answered`]. `may_wait`: a query may be
    /// held open until there is news, as nothing else is done about the payment meanwhile.
    Call { attempt: i64, order: Box<Order>, call: Call, code: Option<AuthCode>, may_wait: bool },
    /// Show this to people.
    Report(Box<Report>),
    /// Write the entry, and report the outcome to
    /// [`Engine::refund_written`](super::Engine::refund_written).
    WriteRefund(Box<RefundEntry>),
    /// Make the call, once, and return its outcome as [`RefundEvent::Answered`].
    CallRefund { refund: i64, what: Box<Refund>, call: RefundCall },
    /// Show this to people.
    ReportRefund(Box<RefundReport>),
}

/// What happened to an attempt.
#[derive(Clone, Debug)]
pub struct Report {
    pub attempt: Attempt,
    pub event: Event,
    /// Its status before; `None` where this is the first.
    pub before: Option<Status>,
    /// Whether it was over before: only a recheck of a number that the gateway never knew moves it.
    pub was_over: bool,
}

impl Report {
    /// Whether people need to hear of it. Such a recheck is none, unless it finds money.
    pub fn is_news(&self) -> bool {
        !self.was_over || self.attempt.state.is_open()
    }
}

/// What happened to a refund.
#[derive(Clone, Debug)]
pub struct RefundReport {
    pub refund: RefundRecord,
    pub event: RefundEvent,
    /// Its status before; `None` where this is the first.
    pub before: Option<RefundStatus>,
}
