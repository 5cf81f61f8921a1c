//! What the day has come to: how many orders ended how, and the sum of what was paid.
//!
//! A day is the shop's calendar day on which an order began, as `paytill orders --day` counts it. The
//! till knows what happens while it runs; the rest is read from the journal beside it, once a day.
//! Orders are kept by number, so that it does not matter which of the two comes first, or whether one
//! is told of twice. Money that was not paid for certain is never part of the sum.

use std::collections::HashMap;

use super::AttemptView;
use crate::clock::{Date, TimeZone};
use crate::money::{Currency, Money};
use crate::order::OutTradeNo;
use crate::payment::Status;

/// An order, as far as it matters to the day.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DayOrder {
    pub out_trade_no: OutTradeNo,
    pub status: Status,
    /// Whether its end is still to come. A person may have settled one whose money is not known.
    pub is_open: bool,
    pub amount: Money,
}

/// The orders of one day.
#[derive(Debug, Default)]
pub(super) struct DayBook {
    date: Option<Date>,
    orders: HashMap<OutTradeNo, (Status, bool, Money)>,
    past: Past,
}

/// What the journal holds of the day.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Past {
    #[default]
    Asked,
    Known,
    Unreadable,
}

/// How many orders, and what they come to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Sum {
    pub(super) count: usize,
    pub(super) total: Money,
}

/// The figures of a day, each order in one of them, but for what a person has settled.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Figures {
    pub(super) paid: Sum,
    pub(super) reversed: Sum,
    pub(super) not_paid: Sum,
    /// Without a certain end, of this day or an earlier one.
    pub(super) open: Sum,
}

impl Sum {
    fn add(&mut self, amount: Money) {
        self.count += 1;
        self.total = Money::from_minor(self.total.minor().saturating_add(amount.minor()));
    }
}

impl DayBook {
    pub(super) const fn date(&self) -> Option<Date> {
        self.date
    }

    pub(super) const fn past(&self) -> Past {
        self.past
    }

    #[cfg(test)]
    pub(super) const fn set(&mut self, past: Past) {
        self.past = past;
    }

    /// Begins a new day, if this is another one; its orders are to be read then.
    pub(super) fn turn(&mut self, today: Date) -> bool {
        let is_new = self.date != Some(today);
        if is_new {
            *self = Self { date: Some(today), ..Self::default() };
        }
        is_new
    }

    /// An order has changed.
    pub(super) fn moved(&mut self, view: &AttemptView, zone: &TimeZone, currency: Currency) {
        if self.date == Some(view.created_at.day(zone)) && view.currency == currency {
            let known = (view.state.status(), view.state.is_open(), view.amount);
            self.orders.insert(view.out_trade_no.clone(), known);
        }
    }

    /// The journal's orders of a day; `None`: they cannot be read.
    pub(super) fn read(&mut self, date: Date, orders: Option<Vec<DayOrder>>) {
        if self.date != Some(date) {
            return;
        }
        self.past = if orders.is_some() { Past::Known } else { Past::Unreadable };
        for DayOrder { out_trade_no, status, is_open, amount } in orders.unwrap_or_default() {
            // What the till has seen itself is newer.
            self.orders.entry(out_trade_no).or_insert((status, is_open, amount));
        }
    }

    /// What the orders come to, beside those that the till has at hand, of whatever day.
    pub(super) fn figures<'a>(
        &self,
        at_hand: impl Iterator<Item = &'a AttemptView>,
        currency: Currency,
    ) -> Figures {
        let mut figures = Figures::default();
        let unclear = at_hand.filter(|view| is_unclear(view));
        let unclear: HashMap<_, _> = unclear.map(|view| (&view.out_trade_no, view)).collect();
        for (order, (status, is_open, amount)) in &self.orders {
            // They are counted below.
            if unclear.contains_key(order) {
                continue;
            }
            let sum = match status {
                Status::Paid => &mut figures.paid,
                Status::Reversed => &mut figures.reversed,
                Status::Declined | Status::Closed => &mut figures.not_paid,
                Status::Created
                | Status::Sent
                | Status::Waiting
                | Status::Checking
                | Status::Reversing
                | Status::Attention
                    if *is_open =>
                {
                    &mut figures.open
                }
                // A person has settled it outside the till: none of its money is known here.
                Status::Created
                | Status::Sent
                | Status::Waiting
                | Status::Checking
                | Status::Reversing
                | Status::Attention => continue,
            };
            sum.add(*amount);
        }
        for view in unclear.into_values().filter(|view| view.currency == currency) {
            figures.open.add(view.amount);
        }
        figures
    }
}

/// Whether how it ends is not certain. An outcome that could not be recorded may be another after the
/// next start.
fn is_unclear(view: &AttemptView) -> bool {
    !view.recorded || (view.state.is_open() && !view.state.is_settled())
}
