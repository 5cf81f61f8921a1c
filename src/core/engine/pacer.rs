//! Spaces out calls, so that a long backlog never floods the gateway.

use std::collections::{BTreeSet, VecDeque};

use super::Subject;
use crate::clock::{Millis, Uptime};
use crate::payment::Call;
use crate::refund::RefundCall;

/// The least time between two calls.
const PAUSE: Millis = Millis(200);

/// A call that may have to wait for its turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Turn {
    Attempt(i64, Call),
    Refund(i64, RefundCall),
}

impl Turn {
    /// Whose it is.
    const fn of(self) -> Subject {
        match self {
            Self::Attempt(attempt, _) => Subject::Attempt(attempt),
            Self::Refund(refund, _) => Subject::Refund(refund),
        }
    }
}

/// Waiting calls, one for each attempt or refund. Those that were asked before and those that were not take
/// turns: however long the backlog is, what was begun comes to its end, and nobody waits behind
/// those that never do.
pub(super) struct Pacer {
    new: VecDeque<Turn>,
    known: VecDeque<Turn>,
    asked: BTreeSet<Subject>,
    is_turn_of_known: bool,
    next_at: Uptime,
}

impl Pacer {
    pub(super) fn new(now: Uptime) -> Self {
        Self {
            new: VecDeque::new(),
            known: VecDeque::new(),
            asked: BTreeSet::new(),
            is_turn_of_known: true,
            next_at: now,
        }
    }

    /// Replaces an earlier call of the same that is still waiting; returns whether there was one.
    pub(super) fn replace(&mut self, turn: Turn) -> bool {
        let mut waiting = self.new.iter_mut().chain(&mut self.known);
        let earlier = waiting.find(|waiting| waiting.of() == turn.of());
        earlier.map(|waiting| *waiting = turn).is_some()
    }

    /// Whether this call may go out now; if not, it joins the queue.
    pub(super) fn may_go(&mut self, turn: Turn, now: Uptime) -> bool {
        if now < self.next_at || !self.new.is_empty() || !self.known.is_empty() {
            let was_asked = self.asked.contains(&turn.of());
            let queue = if was_asked { &mut self.known } else { &mut self.new };
            queue.push_back(turn);
            return false;
        }
        self.asked.insert(turn.of());
        self.next_at = now.after(PAUSE);
        true
    }

    /// The next call whose turn has come.
    pub(super) fn next(&mut self, now: Uptime) -> Option<Turn> {
        if now < self.next_at {
            return None;
        }
        let queues = [&mut self.new, &mut self.known];
        let [first, second] = if self.is_turn_of_known { [1, 0] } else { [0, 1] };
        let next = queues[first].pop_front().or_else(|| queues[second].pop_front())?;
        self.is_turn_of_known = !self.is_turn_of_known;
        self.asked.insert(next.of());
        self.next_at = now.after(PAUSE);
        Some(next)
    }

    /// When the next turn comes, if a call is waiting for it.
    pub(super) fn wake_at(&self) -> Option<Uptime> {
        (!self.new.is_empty() || !self.known.is_empty()).then_some(self.next_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::CallKind;

    #[test]
    fn what_was_begun_is_ended_before_all_else_was_begun() {
        let turn = |attempt, kind| Turn::Attempt(attempt, Call { kind, number: 1 });
        let mut pacer = Pacer::new(Uptime(0));
        let mut now = Uptime(0);
        for attempt in 0..1_000 {
            assert_eq!(pacer.may_go(turn(attempt, CallKind::Query), now), attempt == 0);
        }
        // The first answer leads to a reversal, and so does every other one.
        assert!(!pacer.may_go(turn(0, CallKind::Reverse), now));
        let mut reversed = Vec::new();
        let mut turns = 0;
        while let Some(at) = pacer.wake_at() {
            now = at;
            let Some(Turn::Attempt(attempt, next)) = pacer.next(now) else { panic!() };
            assert_eq!(pacer.next(now), None, "one at a time");
            turns += 1;
            match next.kind {
                CallKind::Reverse => reversed.push((turns, attempt)),
                _ => assert!(!pacer.may_go(turn(attempt, CallKind::Reverse), now)),
            }
        }
        assert_eq!(reversed.len(), 1_000, "nobody is left out");
        assert_eq!(reversed[0], (1, 0));
        assert!(reversed[20].0 <= 42, "{reversed:?}");
        assert_eq!(turns, 999 + 1_000);
    }

    #[test]
    fn those_that_are_asked_again_and_again_starve_nobody() {
        let query = |attempt| Turn::Attempt(attempt, Call { kind: CallKind::Query, number: 1 });
        let mut pacer = Pacer::new(Uptime(0));
        let mut now = Uptime(0);
        for attempt in 0..100 {
            pacer.may_go(query(attempt), now);
        }
        let mut asked = BTreeSet::from([Subject::Attempt(0)]);
        for _ in 0..200 {
            now = pacer.wake_at().unwrap();
            let turn = pacer.next(now).unwrap();
            asked.insert(turn.of());
            pacer.may_go(turn, now);
        }
        assert_eq!(asked.len(), 100);
    }
}
