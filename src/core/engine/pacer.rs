//! Spaces out calls, so that a long backlog never floods the gateway.

use std::collections::{BTreeSet, VecDeque};

use crate::clock::{Millis, Uptime};
use crate::payment::Call;

/// The least time between two calls.
const PAUSE: Millis = Millis(200);

/// Waiting calls, one for each attempt. Those that were asked before and those that were not take
/// turns: however long the backlog is, what was begun comes to its end, and nobody waits behind
/// those that never do.
pub(super) struct Pacer {
    new: VecDeque<(i64, Call)>,
    known: VecDeque<(i64, Call)>,
    asked: BTreeSet<i64>,
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

    /// Replaces an attempt's earlier call that is still waiting; returns whether there was one.
    pub(super) fn replace(&mut self, attempt: i64, call: Call) -> bool {
        let mut waiting = self.new.iter_mut().chain(&mut self.known);
        let earlier = waiting.find(|(of, _)| *of == attempt);
        earlier.map(|(_, waiting)| *waiting = call).is_some()
    }

    /// Whether this call may go out now; if not, it joins the queue.
    pub(super) fn may_go(&mut self, attempt: i64, call: Call, now: Uptime) -> bool {
        if now < self.next_at || !self.new.is_empty() || !self.known.is_empty() {
            let was_asked = self.asked.contains(&attempt);
            let queue = if was_asked { &mut self.known } else { &mut self.new };
            queue.push_back((attempt, call));
            return false;
        }
        self.asked.insert(attempt);
        self.next_at = now.after(PAUSE);
        true
    }

    /// The next call whose turn has come.
    pub(super) fn next(&mut self, now: Uptime) -> Option<(i64, Call)> {
        if now < self.next_at {
            return None;
        }
        let queues = [&mut self.new, &mut self.known];
        let [first, second] = if self.is_turn_of_known { [1, 0] } else { [0, 1] };
        let next = queues[first].pop_front().or_else(|| queues[second].pop_front())?;
        self.is_turn_of_known = !self.is_turn_of_known;
        self.asked.insert(next.0);
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
        let call = |kind| Call { kind, number: 1 };
        let mut pacer = Pacer::new(Uptime(0));
        let mut now = Uptime(0);
        for attempt in 0..1_000 {
            assert_eq!(pacer.may_go(attempt, call(CallKind::Query), now), attempt == 0);
        }
        // The first answer leads to a reversal, and so does every other one.
        assert!(!pacer.may_go(0, call(CallKind::Reverse), now));
        let mut reversed = Vec::new();
        let mut turns = 0;
        while let Some(at) = pacer.wake_at() {
            now = at;
            let (attempt, next) = pacer.next(now).unwrap();
            assert_eq!(pacer.next(now), None, "one at a time");
            turns += 1;
            match next.kind {
                CallKind::Reverse => reversed.push((turns, attempt)),
                _ => assert!(!pacer.may_go(attempt, call(CallKind::Reverse), now)),
            }
        }
        assert_eq!(reversed.len(), 1_000, "nobody is left out");
        assert_eq!(reversed[0], (1, 0));
        assert!(reversed[20].0 <= 42, "{reversed:?}");
        assert_eq!(turns, 999 + 1_000);
    }

    #[test]
    fn those_that_are_asked_again_and_again_starve_nobody() {
        let query = Call { kind: CallKind::Query, number: 1 };
        let mut pacer = Pacer::new(Uptime(0));
        let mut now = Uptime(0);
        for attempt in 0..100 {
            pacer.may_go(attempt, query, now);
        }
        let mut asked = BTreeSet::from([0]);
        for _ in 0..200 {
            now = pacer.wake_at().unwrap();
            let (attempt, _) = pacer.next(now).unwrap();
            asked.insert(attempt);
            pacer.may_go(attempt, query, now);
        }
        assert_eq!(asked.len(), 100);
    }
}
