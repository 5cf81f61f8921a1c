//! What must be true of each call as it is made.

use paytill::payment::{Call, CallKind, Event, Rules};

use super::Wrong;
use super::attempted::Attempted;
use crate::invariants::Invariant;

/// How long a customer has, unless the cashier cancels.
const GIVE_UP_AFTER: u64 = 30_000;
/// No reversal before this age.
const REVERSE_NOT_BEFORE: u64 = 15_000;
/// How often a code is asked for.
const MOST_ORDERS: usize = 5;
/// The first and the longest wait between two reversals.
const FIRST_WAIT: u64 = 5_000;
const LONGEST_WAIT: u64 = 30_000;

impl Attempted {
    /// What is wrong with making this call now.
    pub fn judge_call(&self, call: Call, now: u64) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        // The first entry records the intent to submit; every other call is recorded in the state
        // that awaits it.
        let is_kept = match call.kind {
            CallKind::Submit => !self.kept.is_empty(),
            CallKind::Query
            | CallKind::Reverse
            | CallKind::RefundQuery
            | CallKind::Order
            | CallKind::Close => {
                self.kept.iter().rev().any(|(_, state)| state.awaited() == Some(call))
            }
        };
        if !is_kept {
            wrong.push((Invariant::IntentBeforeWire, "sent before it was on the disk"));
        }
        match call.kind {
            CallKind::Submit if !self.body.is_empty() => {
                wrong.push((Invariant::OneSubmission, "submitted again"));
            }
            CallKind::Submit => {}
            CallKind::Query | CallKind::RefundQuery
                if self.queries.len() >= self.most_queries(now) =>
            {
                wrong.push((Invariant::NoStorm, "more queries than intervals"));
            }
            CallKind::Query | CallKind::RefundQuery => {}
            CallKind::Order => {
                if self.is_shown {
                    wrong.push((Invariant::OneSubmission, "ordered again, and its code is there"));
                }
                if self.orders >= MOST_ORDERS {
                    wrong.push((Invariant::NoStorm, "a code is asked for again and again"));
                }
            }
            CallKind::Close => self.judge_closing(now, &mut wrong),
            CallKind::Reverse => self.judge_reversal(now, &mut wrong),
        }
        wrong
    }

    /// What is wrong with ordering a code by this body: each time it says the same.
    pub fn judge_order(&self, body: &[u8]) -> Option<Wrong> {
        let is_same = self.body.is_empty() || lasting(&self.body) == lasting(body);
        (!is_same).then_some((Invariant::OneSubmission, "another order under the same number"))
    }

    fn most_queries(&self, now: u64) -> usize {
        // An order that was given up before it left is asked about, too.
        let since = self.sent_at.into_iter().chain(self.queries.first().copied()).min();
        let age = now - since.unwrap_or(now);
        // While a code is shown, three in the time of five.
        let interval = Rules::default().query_interval.0;
        let interval = if self.scanned.is_some() { interval * 3 / 5 } else { interval };
        usize::try_from(age / interval).unwrap_or(0)
            + 2
            + self.calls_for
            + 2 * self.restarts
            + 2 * (self.reversals.len() + self.closings.len())
    }

    fn judge_reversal(&self, now: u64, wrong: &mut Vec<Wrong>) {
        let left = self.left_at.unwrap_or(0);
        if now < left + REVERSE_NOT_BEFORE {
            wrong.push((Invariant::ReversalDiscipline, "reversed before 15 s"));
        }
        let is_called_for = self.cancelled || self.failed || self.refused;
        if now < left + GIVE_UP_AFTER && !is_called_for && self.restarts == 0 {
            wrong.push((Invariant::ReversalDiscipline, "reversed a customer who has time"));
        }
        if !self.has_just_asked() {
            wrong.push((Invariant::ReversalDiscipline, "reversed without a query"));
        }
        let in_a_row = &self.reversals[self.told_reversed..];
        if self.is_too_soon_after(in_a_row, now) {
            wrong.push((Invariant::NoStorm, "the waits between reversals do not grow"));
        }
    }

    fn judge_closing(&self, now: u64, wrong: &mut Vec<Wrong>) {
        let is_good = |(at, lasts): (u64, u64)| self.is_shown && now < at + lasts;
        let is_called_for = self.cancelled || self.failed || self.restarts > 0;
        if self.scanned.is_some_and(is_good) && !is_called_for {
            wrong.push((Invariant::ReversalDiscipline, "closed on a customer who has time"));
        }
        if !self.has_just_asked() {
            wrong.push((Invariant::ReversalDiscipline, "closed without a query"));
        }
        if self.is_too_soon_after(&self.closings, now) {
            wrong.push((Invariant::NoStorm, "the waits between closings do not grow"));
        }
    }

    /// Whether the last answer was one to a query. A code that comes late changes nothing.
    fn has_just_asked(&self) -> bool {
        let answers = self.kept.iter().rev().filter_map(|(event, _)| match event {
            Event::Answered(_, answer) => Some(answer.kind()),
            _ => None,
        });
        let mut answers = answers.filter(|kind| *kind != CallKind::Order);
        matches!(answers.next(), Some(CallKind::Query | CallKind::RefundQuery))
    }

    fn is_too_soon_after(&self, in_a_row: &[u64], now: u64) -> bool {
        let Some(before) = in_a_row.last().filter(|_| self.asks + self.restarts == 0) else {
            return false;
        };
        let doubled = FIRST_WAIT << (in_a_row.len() - 1).min(8);
        now < before + doubled.min(LONGEST_WAIT)
    }
}

/// What of a request is the same each time.
fn lasting(body: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    for (from, to) in [("<nonce_str>", "</nonce_str>"), ("<sign>", "</sign>")] {
        let cut = text.find(from).zip(text.find(to));
        if let Some((from, end)) = cut.filter(|(from, end)| from < end) {
            text.replace_range(from..end, "");
        }
    }
    text
}
