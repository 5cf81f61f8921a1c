//! Spaces out calls, so that a long backlog never floods the gateway.

use std::collections::VecDeque;

use crate::clock::{Millis, Uptime};
use crate::payment::Call;

/// The least time between two calls.
const PAUSE: Millis = Millis(200);

/// Waiting calls, one for each attempt, in the order in which they go out.
pub(super) struct Pacer {
    waiting: VecDeque<(i64, Call)>,
    next_at: Uptime,
}

impl Pacer {
    pub(super) fn new(now: Uptime) -> Self {
        Self { waiting: VecDeque::new(), next_at: now }
    }

    /// Replaces an attempt's earlier call that is still waiting; returns whether there was one.
    pub(super) fn replace(&mut self, attempt: i64, call: Call) -> bool {
        let earlier = self.waiting.iter_mut().find(|(of, _)| *of == attempt);
        earlier.map(|(_, waiting)| *waiting = call).is_some()
    }

    /// Whether this call may go out now; if not, it joins the queue.
    pub(super) fn may_go(&mut self, attempt: i64, call: Call, now: Uptime) -> bool {
        if now < self.next_at || !self.waiting.is_empty() {
            self.waiting.push_back((attempt, call));
            return false;
        }
        self.next_at = now.after(PAUSE);
        true
    }

    /// The next call whose turn has come.
    pub(super) fn next(&mut self, now: Uptime) -> Option<(i64, Call)> {
        if now < self.next_at {
            return None;
        }
        let next = self.waiting.pop_front()?;
        self.next_at = now.after(PAUSE);
        Some(next)
    }

    /// When the next turn comes, if a call is waiting for it.
    pub(super) fn wake_at(&self) -> Option<Uptime> {
        (!self.waiting.is_empty()).then_some(self.next_at)
    }
}
