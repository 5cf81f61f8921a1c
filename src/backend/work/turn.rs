//! Whether a request that waits for the database is still worth doing: decided once, by whoever is
//! first.

use std::sync::atomic::{AtomicU8, Ordering};

const WAITING: u8 = 0;
const COME: u8 = 1;
const GIVEN_UP: u8 = 2;

/// The turn of one request. Either it comes, or it was given up before: never both, so that a request
/// that is refused was not written, and will not be.
#[derive(Default)]
pub(super) struct Turn(AtomicU8);

impl Turn {
    /// It has come, unless it was given up. It may come again: a transaction may be done twice.
    pub(super) fn comes(&self) -> bool {
        let come = self.0.compare_exchange(WAITING, COME, Ordering::SeqCst, Ordering::SeqCst);
        come.is_ok() || come == Err(COME)
    }

    /// Nobody waits for it any longer, unless it has come.
    pub(super) fn give_up(&self) -> bool {
        let given = self.0.compare_exchange(WAITING, GIVEN_UP, Ordering::SeqCst, Ordering::SeqCst);
        given.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_comes_or_is_given_up_and_never_both() {
        let turn = Turn::default();
        assert!(turn.comes() && turn.comes() && !turn.give_up());
        let turn = Turn::default();
        assert!(turn.give_up() && !turn.comes() && !turn.give_up());
    }
}
