//! The loop that closes an order at its gateway: query, act, and query again until the gateway
//! proves it, with growing waits.
//!
//! That a gateway accepts an act is no proof that it was done, and an order it does not know may
//! still be in transit. So an accepted act is confirmed by a query; one that proves untrue is
//! repeated, the usual wait after its answer; and "no such order" counts only if it is said twice.
//! What the act is, and what its end means, is up to the payment.

use serde::{Deserialize, Serialize};

use super::answer::Call;
use crate::clock::Millis;

/// Waits between acts double up to this many query intervals.
const LONGEST_WAIT_IN_INTERVALS: u64 = 6;
/// Two answers "no such order", this many intervals apart, confirm the end of a number that the
/// gateway has never seen.
const NOT_FOUND_APART: u64 = 2;

/// No further poll.
pub(super) const NEVER: Millis = Millis(u64::MAX);

/// The current time, and how fast the loop goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Time since the submission.
    pub(super) now: Millis,
    /// Time between two queries.
    pub(super) interval: Millis,
    /// Lengthens repeated waits, so that tills do not poll in step: 0 to 255 of 1024.
    pub(super) jitter: u8,
}

impl Pace {
    /// The longest wait between two polls.
    pub(super) const fn longest_wait(self) -> Millis {
        self.interval.times(LONGEST_WAIT_IN_INTERVALS)
    }
}

/// The state of the loop. Times count from the submission.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Reversal {
    /// The next poll, while no answer is awaited.
    next_at: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    awaiting: Option<Call>,
    polled_at: Millis,
    /// When the gateway accepted the act, unless something has contradicted it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted_at: Option<Millis>,
    /// Since when it has answered "no such order" after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_found_since: Option<Millis>,
    /// How often an act did not help, or its outcome stayed unclear.
    failures: u32,
    /// The gateway no longer acts on an order this old.
    expired: bool,
    /// The act was sent, once at least.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    acted: bool,
}

impl Reversal {
    /// Decided now; nothing has been queried or done yet.
    pub(super) const fn new(now: Millis) -> Self {
        Self {
            next_at: now,
            awaiting: None,
            polled_at: now,
            accepted_at: None,
            not_found_since: None,
            failures: 0,
            expired: false,
            acted: false,
        }
    }

    /// The call whose answer is awaited.
    pub(super) const fn awaiting(&self) -> Option<Call> {
        self.awaiting
    }

    /// Whether the answer to a query is awaited.
    pub(super) fn is_polling(&self) -> bool {
        self.awaiting.is_some_and(|call| !call.kind.ends_an_order())
    }

    /// When the last query was sent.
    pub(super) const fn polled_at(&self) -> Millis {
        self.polled_at
    }

    /// Whether an act is on the wire, or was accepted.
    pub(super) fn is_under_way(&self) -> bool {
        self.accepted_at.is_some() || self.awaiting.is_some() && !self.is_polling()
    }

    /// Whether no act has failed yet.
    pub(super) const fn is_first(&self) -> bool {
        self.failures == 0
    }

    /// Whether the gateway has accepted the act, as far as known.
    pub(super) const fn is_accepted(&self) -> bool {
        self.accepted_at.is_some()
    }

    /// When the next poll is due; `None` while an answer is awaited.
    pub(super) fn next_at(&self) -> Option<Millis> {
        Some(self.next_at).filter(|at| self.awaiting.is_none() && *at < NEVER)
    }

    /// Whether the next poll is due.
    pub(super) fn is_due(&self, now: Millis) -> bool {
        self.next_at().is_some_and(|at| now >= at)
    }

    /// Whether a person may poll now. Each poll may lead to an act, so they are no closer together
    /// than queries normally are.
    pub(super) fn may_poll(&self, pace: Pace) -> bool {
        self.awaiting.is_none() && pace.now >= self.polled_at.plus(pace.interval)
    }

    /// Sets the time of the next poll.
    pub(super) const fn poll_at(&mut self, at: Millis) {
        self.next_at = at;
    }

    /// The query is sent now.
    pub(super) const fn poll(&mut self, query: Call, now: Millis) {
        self.polled_at = now;
        self.awaiting = Some(query);
    }

    /// The act is sent now. Not allowed once it has [expired](Self::has_expired).
    pub(super) const fn act(&mut self, act: Call) {
        self.awaiting = Some(act);
        self.acted = true;
    }

    /// The act was sent before this loop began, and it may have been carried out.
    pub(super) const fn has_tried_before(&mut self) {
        self.acted = true;
    }

    /// Whether the act was sent before, whatever came of it.
    pub(super) const fn has_acted(&self) -> bool {
        self.acted
    }

    /// Whether this is the awaited call; if so, it is awaited no longer.
    pub(super) fn take_answer(&mut self, call: Call) -> bool {
        self.awaiting.take_if(|awaited| *awaited == call).is_some()
    }

    /// The gateway accepted the act; a query must confirm it.
    pub(super) const fn accept(&mut self, now: Millis) {
        self.accepted_at = Some(now);
        self.not_found_since = None;
    }

    /// The gateway refused the act because the order is too old.
    pub(super) const fn expire(&mut self) {
        self.expired = true;
    }

    /// Whether the gateway has said that it is too late to act.
    pub(super) const fn has_expired(&self) -> bool {
        self.expired
    }

    /// An act did not help or its outcome is unclear: polls later, after a longer wait each time.
    pub(super) fn poll_later(&mut self, pace: Pace) {
        self.next_at = pace.now.plus(self.next_wait(pace));
    }

    /// A query contradicts an accepted act. Returns whether there was one; it is then repeated, the
    /// usual wait after its answer.
    pub(super) fn contradicted(&mut self, pace: Pace) -> bool {
        let Some(answered) = self.accepted_at.take() else { return false };
        self.next_at = answered.plus(self.next_wait(pace));
        true
    }

    /// The gateway does not know the order after an accepted act. Returns whether that confirms the
    /// act; after the first time, another poll is needed.
    pub(super) fn confirms_not_found(&mut self, pace: Pace) -> bool {
        let first = *self.not_found_since.get_or_insert(pace.now);
        let second = first.plus(pace.interval.times(NOT_FOUND_APART));
        if pace.now < second {
            self.next_at = second;
            return false;
        }
        true
    }

    /// Doubles each time, up to the longest wait.
    fn next_wait(&mut self, pace: Pace) -> Millis {
        self.failures = self.failures.saturating_add(1);
        let doubled = 1_u64 << (self.failures - 1).min(16);
        let wait = pace.interval.times(doubled).min(pace.longest_wait());
        wait.plus(Millis(wait.0 / 1024 * u64::from(pace.jitter)))
    }
}
