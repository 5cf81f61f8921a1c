//! Calls that wait for their turn, so that a long list never storms the gateway.

use std::collections::VecDeque;

use crate::clock::{Millis, Uptime};
use crate::payment::Call;

/// Between two calls.
const PAUSE: Millis = Millis(200);

/// Calls by their attempts, one each, in the order in which they go out.
pub(super) struct Pacer {
    waiting: VecDeque<(i64, Call)>,
    next_at: Uptime,
}

impl Pacer {
    pub(super) fn new(now: Uptime) -> Self {
        Self { waiting: VecDeque::new(), next_at: now }
    }

    /// Puts an attempt's call in the place of its earlier one that still waits: whether there is one.
    pub(super) fn replace(&mut self, attempt: i64, call: Call) -> bool {
        let earlier = self.waiting.iter_mut().find(|(of, _)| *of == attempt);
        earlier.map(|(_, waiting)| *waiting = call).is_some()
    }

    /// Whether it is this call's turn; if not, it waits.
    pub(super) fn may_go(&mut self, attempt: i64, call: Call, now: Uptime) -> bool {
        if now < self.next_at || !self.waiting.is_empty() {
            self.waiting.push_back((attempt, call));
            return false;
        }
        self.next_at = now.after(PAUSE);
        true
    }

    /// The call whose turn has come.
    pub(super) fn next(&mut self, now: Uptime) -> Option<(i64, Call)> {
        if now < self.next_at {
            return None;
        }
        let next = self.waiting.pop_front()?;
        self.next_at = now.after(PAUSE);
        Some(next)
    }

    /// When the next turn comes, if anything waits for it.
    pub(super) fn wake_at(&self) -> Option<Uptime> {
        (!self.waiting.is_empty()).then_some(self.next_at)
    }
}
