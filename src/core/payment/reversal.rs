//! The loop that ends an order at its gateway: query, act, query again until the gateway proves it,
//! with growing waits.
//!
//! A gateway's word that it will do a thing is no proof that it was done, and an order that it does
//! not know may still be on its way. So an act that was accepted is asked about, one that proves
//! untrue is repeated as long after its answer as two must be apart, and "no such order" counts only
//! when it is said twice. What the act is, and what its end means, is the payment's to say.

use serde::{Deserialize, Serialize};

use super::answer::{Call, CallKind};
use crate::clock::Millis;

/// Waits between acts double up to this many query intervals.
const LONGEST_WAIT_IN_INTERVALS: u64 = 6;
/// Two answers "no such order", so many intervals apart, confirm the end of a number that the
/// gateway has never seen.
const NOT_FOUND_APART: u64 = 2;

/// The time it is, and how fast the loop goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Since the submission.
    pub(super) now: Millis,
    /// Between two queries.
    pub(super) interval: Millis,
    /// Lengthens repeated waits, so that tills do not ask in step: 0 to 255 of 1024.
    pub(super) jitter: u8,
}

impl Pace {
    /// The longest wait between two polls.
    pub(super) const fn longest_wait(self) -> Millis {
        self.interval.times(LONGEST_WAIT_IN_INTERVALS)
    }
}

/// Where the loop stands. Times count from the submission.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Reversal {
    /// The next poll, while no answer is awaited.
    next_at: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    awaiting: Option<Call>,
    polled_at: Millis,
    /// When the gateway accepted the act, where nothing since contradicts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted_at: Option<Millis>,
    /// Since when it answers "no such order" after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_found_since: Option<Millis>,
    /// Acts that did not help.
    failures: u32,
    /// The gateway does nothing to an order so old.
    expired: bool,
}

impl Reversal {
    /// Decided now; nothing was asked or done yet.
    pub(super) const fn new(now: Millis) -> Self {
        Self {
            next_at: now,
            awaiting: None,
            polled_at: now,
            accepted_at: None,
            not_found_since: None,
            failures: 0,
            expired: false,
        }
    }

    /// The call whose answer is awaited.
    pub(super) const fn awaiting(&self) -> Option<Call> {
        self.awaiting
    }

    /// Whether a query is being answered.
    pub(super) fn is_polling(&self) -> bool {
        self.awaiting.is_some_and(|call| call.kind == CallKind::Query)
    }

    /// Whether an act is on the wire, or was accepted.
    pub(super) fn is_under_way(&self) -> bool {
        self.accepted_at.is_some() || self.awaiting.is_some() && !self.is_polling()
    }

    /// Whether no act has failed yet.
    pub(super) const fn is_first(&self) -> bool {
        self.failures == 0
    }

    /// Whether the gateway has accepted the act, as far as is known.
    pub(super) const fn is_accepted(&self) -> bool {
        self.accepted_at.is_some()
    }

    /// When the next poll is due, while no answer is awaited.
    pub(super) fn next_at(&self) -> Option<Millis> {
        Some(self.next_at).filter(|_| self.awaiting.is_none())
    }

    /// Whether it is time for it.
    pub(super) fn is_due(&self, now: Millis) -> bool {
        self.next_at().is_some_and(|at| now >= at)
    }

    /// Whether a person may ask now. Each poll may lead to an act: not faster than queries otherwise
    /// are.
    pub(super) fn may_poll(&self, pace: Pace) -> bool {
        self.awaiting.is_none() && pace.now >= self.polled_at.plus(pace.interval)
    }

    /// Polls at this time, and not before.
    pub(super) const fn poll_at(&mut self, at: Millis) {
        self.next_at = at;
    }

    /// The query goes out now.
    pub(super) const fn poll(&mut self, query: Call, now: Millis) {
        self.polled_at = now;
        self.awaiting = Some(query);
    }

    /// The act goes out now. It must not once it has [expired](Self::has_expired).
    pub(super) const fn act(&mut self, act: Call) {
        self.awaiting = Some(act);
    }

    /// Whether this call is the one that is awaited; if so, it is no longer.
    pub(super) fn take_answer(&mut self, call: Call) -> bool {
        self.awaiting.take_if(|awaited| *awaited == call).is_some()
    }

    /// The gateway accepted the act: it is time to ask about its end.
    pub(super) const fn accept(&mut self, now: Millis) {
        self.accepted_at = Some(now);
        self.not_found_since = None;
    }

    /// The gateway refused the act for age.
    pub(super) const fn expire(&mut self) {
        self.expired = true;
    }

    /// Whether the gateway has said that it is too late to act.
    pub(super) const fn has_expired(&self) -> bool {
        self.expired
    }

    /// An act did not help, or its end is still unclear: polls later, each time after a longer wait.
    pub(super) fn poll_later(&mut self, pace: Pace) {
        self.next_at = pace.now.plus(self.next_wait(pace));
    }

    /// A query contradicts an act that was accepted. Tells whether there was one; it is then repeated
    /// as long after its answer as two must be apart.
    pub(super) fn contradicted(&mut self, pace: Pace) -> bool {
        let Some(answered) = self.accepted_at.take() else { return false };
        self.next_at = answered.plus(self.next_wait(pace));
        true
    }

    /// After an accepted act the gateway does not know the order. Tells whether that confirms it: the
    /// first time it is asked again later.
    pub(super) fn confirms_not_found(&mut self, pace: Pace) -> bool {
        let first = *self.not_found_since.get_or_insert(pace.now);
        let second = first.plus(pace.interval.times(NOT_FOUND_APART));
        if pace.now < second {
            self.next_at = second;
            return false;
        }
        true
    }

    /// Doubles with every act that did not help.
    fn next_wait(&mut self, pace: Pace) -> Millis {
        self.failures = self.failures.saturating_add(1);
        let doubled = 1_u64 << (self.failures - 1).min(16);
        let wait = pace.interval.times(doubled).min(pace.longest_wait());
        wait.plus(Millis(wait.0 / 1024 * u64::from(pace.jitter)))
    }
}
