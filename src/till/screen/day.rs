//! What the day has come to: how many orders ended how, and the sum of what was paid.
//!
//! A day is the shop's calendar day on which an order began, as `paytill orders --day` counts it. The
//! till knows what happens while it runs; the rest is read from the journal beside it, once a day.
//! Orders are kept by number, so that it does not matter which of the two comes first, or whether one
//! is told of twice. Money that was not paid for certain is never part of the sum.

use std::collections::HashMap;

use super::model::Model;
use super::{AttemptView, ScreenCommand};
use crate::clock::Date;
use crate::money::Money;
use crate::order::OutTradeNo;
use crate::payment::Status;

/// An order, as far as it matters to the day.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DayOrder {
    pub out_trade_no: OutTradeNo,
    pub status: Status,
    pub amount: Money,
}

/// The orders of one day.
#[derive(Debug, Default)]
pub(super) struct DayBook {
    date: Option<Date>,
    orders: HashMap<OutTradeNo, (Status, Money)>,
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

/// The figures of a day, each order in one of them.
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
}

impl Model {
    pub(super) fn figures(&self) -> Figures {
        let mut figures = Figures::default();
        for (order, (status, amount)) in &self.day.orders {
            // Open ones are counted below, whatever day they are of.
            if self.attempt(order).is_some_and(|attempt| is_unclear(&attempt.view)) {
                continue;
            }
            let sum = match status {
                Status::Paid => &mut figures.paid,
                Status::Reversed => &mut figures.reversed,
                Status::Declined => &mut figures.not_paid,
                Status::Created
                | Status::Sent
                | Status::Waiting
                | Status::Checking
                | Status::Reversing
                | Status::Attention => &mut figures.open,
            };
            sum.add(*amount);
        }
        let currency = self.settings.currency;
        let open = self.attempts.iter().map(|attempt| &attempt.view);
        for view in open.filter(|view| is_unclear(view) && view.currency == currency) {
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

/// A new day has begun if it has: its orders are to be read.
pub(super) fn turn(model: &mut Model) -> Option<ScreenCommand> {
    let today = model.wall.day(&model.settings.time_zone);
    if model.day.date == Some(today) {
        return None;
    }
    model.day = DayBook { date: Some(today), ..DayBook::default() };
    let known: Vec<AttemptView> =
        model.attempts.iter().map(|attempt| attempt.view.clone()).collect();
    for view in &known {
        moved(model, view);
    }
    Some(ScreenCommand::ReadDay(today))
}

/// An order has changed.
pub(super) fn moved(model: &mut Model, view: &AttemptView) {
    let day = view.created_at.day(&model.settings.time_zone);
    if model.day.date == Some(day) && view.currency == model.settings.currency {
        let known = (view.state.status(), view.amount);
        model.day.orders.insert(view.out_trade_no.clone(), known);
    }
}

/// The journal's orders of a day; `None`: they cannot be read.
pub(super) fn read(model: &mut Model, date: Date, orders: Option<Vec<DayOrder>>) {
    if model.day.date != Some(date) {
        return;
    }
    model.day.past = if orders.is_some() { Past::Known } else { Past::Unreadable };
    for DayOrder { out_trade_no, status, amount } in orders.unwrap_or_default() {
        // What the till has seen itself is newer.
        model.day.orders.entry(out_trade_no).or_insert((status, amount));
    }
}
