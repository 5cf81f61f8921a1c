//! What must be true of each call as it is made.

use paytill::payment::{Call, CallKind, Event, Rules};

use super::Wrong;
use super::attempted::Attempted;
use crate::invariants::Invariant;

/// How long a customer has, unless the cashier cancels.
const GIVE_UP_AFTER: u64 = 30_000;
/// No reversal before this age.
const REVERSE_NOT_BEFORE: u64 = 15_000;
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
            CallKind::Query | CallKind::RefundQuery | CallKind::Order | CallKind::Close => {}
            CallKind::Reverse => self.judge_reversal(now, &mut wrong),
        }
        wrong
    }

    fn most_queries(&self, now: u64) -> usize {
        let age = now - self.sent_at.unwrap_or(now);
        usize::try_from(age / Rules::default().query_interval.0).unwrap_or(0)
            + 2
            + self.calls_for
            + 2 * self.restarts
            + 2 * self.reversals.len()
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
        let mut answers = self.kept.iter().rev().filter_map(|(event, _)| match event {
            Event::Answered(_, answer) => Some(answer.kind()),
            _ => None,
        });
        if !matches!(answers.next(), Some(CallKind::Query | CallKind::RefundQuery)) {
            wrong.push((Invariant::ReversalDiscipline, "reversed without a query"));
        }
        let in_a_row = &self.reversals[self.told_reversed..];
        if let Some(before) = in_a_row.last()
            && self.asks + self.restarts == 0
        {
            let doubled = FIRST_WAIT << (in_a_row.len() - 1).min(8);
            if now < before + doubled.min(LONGEST_WAIT) {
                wrong.push((Invariant::NoStorm, "the waits between reversals do not grow"));
            }
        }
    }
}
