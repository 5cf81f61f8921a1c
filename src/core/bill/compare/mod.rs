//! A bill against the journal of that day, by order number and refund number.
//!
//! Give it what the journal has paid about that day ([`Comparison::expect`],
//! [`Comparison::expect_refund`]), then every row of the bill ([`Comparison::row`]); the bill having
//! been read to its end, [`Comparison::finish`] says what differs. It keeps the orders of one till
//! and day, and of the bill only what concerns them.
//!
//! Payments count by the day on which they were made, in Beijing. Numbers that have the form of
//! another till's are not this journal's business: they are counted apart. The books of a backend are
//! those of several tills.

mod difference;
mod sums;
mod verdict;

use std::collections::HashMap;

pub use difference::{Cause, Difference, Kind, Side};
pub use sums::{Sums, Tills};

use super::beijing;
use super::reader::near;
use super::row::{RefundState, Row, RowKind};
use crate::clock::{Date, Timestamp};
use crate::money::{Currency, Money};
use crate::order::{OutTradeNo, TillId};
use crate::payment::{Funds, State, Status};

/// How many differences are kept in full. More means that the bill belongs to something else.
pub const MOST_LISTED: usize = 10_000;

/// What the journal knows of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnOrder {
    pub number: String,
    pub amount: Money,
    pub currency: Currency,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub status: Status,
    pub here: Here,
}

/// Where its money is by the journal.
#[derive(Clone, Debug, PartialEq)]
pub enum Here {
    Paid {
        at: Timestamp,
        transaction_id: String,
    },
    /// Nothing was taken; `open` while its number is still being closed.
    NotPaid {
        open: bool,
    },
    /// It was taken and went back.
    Returned,
    /// Reversed, and never seen paid: the bill may have both.
    Reversed,
    /// Not known, or held: the till has work left.
    Open,
    /// Not known to the till: a person has settled it.
    Settled,
}

impl Here {
    /// As a payment's state has it.
    pub fn of(state: &State) -> Self {
        match (state.proof(), state.money(), state.is_open()) {
            (Some(proof), ..) => {
                Self::Paid { at: proof.paid_at, transaction_id: proof.transaction_id.clone() }
            }
            (None, Funds::NotMoved, _) if state.status() == Status::Reversed => Self::Reversed,
            (None, Funds::NotMoved, open) => Self::NotPaid { open },
            (None, Funds::Returned, _) => Self::Returned,
            (None, Funds::Held | Funds::Unknown | Funds::Taken, true) => Self::Open,
            (None, Funds::Held | Funds::Unknown | Funds::Taken, false) => Self::Settled,
        }
    }
}

/// What the journal knows of a refund that was not refused.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnRefund {
    pub order_no: String,
    /// `out_refund_no`
    pub refund_no: String,
    pub amount: Money,
    /// When the gateway accepted it; `None` while that is not known: the bill may have it or not.
    pub accepted_at: Option<Timestamp>,
}

/// An order of ours and what the bill has of it.
#[derive(Debug)]
struct Tracked {
    order: OwnOrder,
    billed: Billed,
}

/// What the bill has of one order number.
#[derive(Debug, Default)]
struct Billed {
    payments: u32,
    amount: i64,
    /// The currency of a payment that is not the order's.
    currency: Option<Currency>,
    transaction_id: String,
    /// Rows of reversals, however far they had come.
    reversals: u32,
    /// Of them, those that are done.
    revoked: u32,
    /// And those that failed.
    not_revoked: u32,
    /// What went back, by refund and by reversal.
    returned: i64,
    /// What is not known to have gone back yet, nor to have failed.
    coming: i64,
    /// Whether something failed to go back.
    has_failed: bool,
    /// When the last row was.
    at: Option<Timestamp>,
}

/// A refund in the bill.
#[derive(Debug)]
struct BilledRefund {
    order_no: String,
    refund_no: String,
    amount: Money,
    state: RefundState,
    at: Option<Timestamp>,
}

/// The bill of a day against the journal.
pub struct Comparison {
    day: Date,
    tills: Vec<TillId>,
    currency: Currency,
    own: HashMap<String, Tracked>,
    expected_refunds: HashMap<String, OwnRefund>,
    billed_refunds: Vec<BilledRefund>,
    strangers: HashMap<String, Billed>,
    /// Rows of ours that were only counted.
    not_listed: u64,
    sums: Tills,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// By order number.
    pub differences: Vec<Difference>,
    /// Rows of this till, unknown to the journal, of which no more are listed.
    pub not_listed: u64,
    /// Orders that are alike.
    pub matched: u64,
    /// Orders of the journal that were held against the bill.
    pub journal_rows: u64,
    pub sums: Tills,
}

impl Outcome {
    /// How many differences there are, listed or not.
    pub fn differ(&self) -> u64 {
        self.differences.len() as u64 + self.not_listed
    }
}

impl Comparison {
    /// Nothing yet. `day` is Beijing's; the journal is that of these tills.
    pub fn new(day: Date, tills: Vec<TillId>, currency: Currency) -> Self {
        Self {
            day,
            tills,
            currency,
            own: HashMap::new(),
            expected_refunds: HashMap::new(),
            billed_refunds: Vec::new(),
            strangers: HashMap::new(),
            not_listed: 0,
            sums: Tills::default(),
        }
    }

    /// An order of the journal from about that day. One that is none of the day's business does no
    /// harm.
    pub fn expect(&mut self, order: OwnOrder) {
        let tracked = Tracked { order, billed: Billed::default() };
        self.own.insert(tracked.order.number.clone(), tracked);
    }

    /// A refund about that day, or earlier.
    pub fn expect_refund(&mut self, refund: OwnRefund) {
        self.expected_refunds.insert(refund.refund_no.clone(), refund);
    }

    /// A row of the bill. `look_up` is asked for an order of this till that was not expected: one
    /// that was paid long ago and is refunded now, or by a clock that was wrong.
    pub fn row<E>(
        &mut self,
        row: &Row<'_>,
        look_up: impl FnOnce(&str) -> Result<Option<OwnOrder>, E>,
    ) -> Result<(), E> {
        let number = row.order_no.as_ref();
        let mut is_ours = self.own.contains_key(number);
        if !is_ours && self.has_our_form(number) {
            if !self.strangers.contains_key(number)
                && let Some(order) = look_up(number)?
            {
                self.expect(order);
            }
            is_ours = true;
        }
        self.sums.add(row, (!is_ours).then_some(number), self.currency);
        if !is_ours {
            return Ok(());
        }
        let is_known = self.own.contains_key(number) || self.strangers.contains_key(number);
        if !is_known && self.strangers.len() >= MOST_LISTED {
            self.not_listed += 1;
            return Ok(());
        }
        let billed = match self.own.get_mut(number) {
            Some(tracked) => {
                if row.currency != tracked.order.currency {
                    tracked.billed.currency = Some(row.currency);
                }
                &mut tracked.billed
            }
            None => self.strangers.entry(number.to_owned()).or_default(),
        };
        billed.add(row);
        let is_refund = match row.kind {
            RowKind::Paid => false,
            RowKind::Refund => true,
            RowKind::Revoked => row.refund_state.is_failed(),
        };
        if is_refund && self.billed_refunds.len() < MOST_LISTED {
            self.billed_refunds.push(BilledRefund {
                order_no: number.to_owned(),
                refund_no: row.refund_no.clone().into_owned(),
                amount: row.refund,
                state: row.refund_state,
                at: row.at.timestamp(),
            });
        } else if is_refund {
            self.not_listed += 1;
        }
        Ok(())
    }

    fn has_our_form(&self, number: &str) -> bool {
        OutTradeNo::try_from(number.to_owned())
            .is_ok_and(|number| self.tills.iter().any(|till| number.is_of(till)))
    }

    /// Whether something of this moment belongs into the bill.
    fn is_of_the_day(&self, at: Timestamp) -> bool {
        at.day(&beijing()) == self.day
    }

    /// The other day in whose bill it may be, if it is close to a midnight.
    fn other_day(&self, at: Timestamp) -> Option<Date> {
        let days = [self.day.yesterday(), self.day.tomorrow()];
        days.into_iter().flatten().find(|day| near(at, *day))
    }
}

impl Billed {
    fn add(&mut self, row: &Row<'_>) {
        match row.kind {
            RowKind::Paid => {
                self.payments = self.payments.saturating_add(1);
                self.amount = self.amount.saturating_add(row.amount.minor());
                self.transaction_id = row.transaction_id.clone().into_owned();
            }
            RowKind::Revoked => self.reversals = self.reversals.saturating_add(1),
            RowKind::Refund => {}
        }
        if row.kind != RowKind::Paid {
            let amount = row.refund.minor();
            match row.refund_state {
                RefundState::Done => {
                    self.revoked += u32::from(row.kind == RowKind::Revoked);
                    self.returned = self.returned.saturating_add(amount);
                }
                RefundState::Failed | RefundState::Abnormal => {
                    self.not_revoked += u32::from(row.kind == RowKind::Revoked);
                    self.has_failed = true;
                }
                RefundState::Processing | RefundState::None | RefundState::Unknown => {
                    self.coming = self.coming.saturating_add(amount);
                }
            }
        }
        self.at = row.at.timestamp();
    }
}
