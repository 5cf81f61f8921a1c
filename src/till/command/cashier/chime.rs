//! What the cashier hears: the number of bells says how a payment ended.
//!
//! A terminal knows one bell only, and swallows those that come too fast. Payments may end together:
//! their sounds follow one another with a silence between, or two that are paid would sound like one
//! that is not.

use std::collections::VecDeque;

use crate::clock::{Millis, Uptime};
use crate::screen::Sound;

/// From one bell to the next.
const APART: Millis = Millis(300);
/// From the last bell of a sound to the first of the next.
const SILENCE: Millis = Millis(900);
/// How long a visual bell lasts.
const FLASH: Millis = Millis(120);

/// The bells that are still to ring.
#[derive(Debug, Default)]
pub(super) struct Chime {
    /// The last sound that has begun, and its bells that are left.
    begun: Option<Sound>,
    left: u8,
    waiting: VecDeque<Sound>,
    next_at: Uptime,
    flash_until: Option<Uptime>,
}

impl Chime {
    /// Adds a sound behind those that have not rung yet. Whoever is being called is not called twice.
    pub(super) fn begin(&mut self, sound: Sound) {
        let last = self.waiting.back().copied().or_else(|| self.begun.filter(|_| self.left > 0));
        if sound != Sound::NeedsYou || last != Some(sound) {
            self.waiting.push_back(sound);
        }
    }

    /// Whether the bell rings now; true once for each bell.
    pub(super) fn strikes(&mut self, now: Uptime) -> bool {
        self.flash_until = self.flash_until.filter(|until| *until > now);
        if now < self.next_at {
            return false;
        }
        if self.left == 0 {
            let Some(sound) = self.waiting.pop_front() else { return false };
            self.begun = Some(sound);
            self.left = match sound {
                Sound::Paid => 1,
                Sound::NotPaid => 2,
                Sound::NeedsYou => 3,
                Sound::NotAtTheDesk => 4,
            };
        }
        self.left -= 1;
        self.next_at = now.after(if self.left == 0 { SILENCE } else { APART });
        self.flash_until = Some(now.after(FLASH));
        true
    }

    /// Whether a visual bell is on the screen.
    pub(super) const fn is_flashing(&self) -> bool {
        self.flash_until.is_some()
    }

    /// When something changes by itself.
    pub(super) fn wake_at(&self) -> Option<Uptime> {
        let is_due = self.left > 0 || !self.waiting.is_empty();
        let next = is_due.then_some(self.next_at);
        next.into_iter().chain(self.flash_until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_told_apart_by_their_bells() {
        for (sound, bells) in
            [(Sound::Paid, 1), (Sound::NotPaid, 2), (Sound::NeedsYou, 3), (Sound::NotAtTheDesk, 4)]
        {
            let mut chime = Chime::default();
            chime.begin(sound);
            let mut rung = Vec::new();
            let mut now = Uptime(1000);
            loop {
                if chime.strikes(now) {
                    rung.push(now.0);
                    assert!(chime.is_flashing());
                }
                let Some(wake) = chime.wake_at() else { break };
                now = now.max(wake);
            }
            assert_eq!(rung, [1000, 1300, 1600, 1900][..bells]);
            assert!(!chime.is_flashing());
        }
    }

    /// The bells, in groups as they are heard.
    fn heard(sounds: &[(u64, Sound)]) -> Vec<usize> {
        let mut chime = Chime::default();
        let (mut groups, mut last) = (Vec::new(), None);
        for now in (1000..20_000).step_by(10) {
            for (_, sound) in sounds.iter().filter(|(at, _)| *at == now) {
                chime.begin(*sound);
            }
            if chime.strikes(Uptime(now)) {
                if last.is_some_and(|last| now - last <= 2 * APART.0) {
                    *groups.last_mut().unwrap() += 1;
                } else {
                    groups.push(1);
                }
                last = Some(now);
            }
        }
        groups
    }

    #[test]
    fn payments_that_end_together_are_heard_one_after_the_other() {
        use Sound::{NeedsYou, NotPaid, Paid};
        assert_eq!(heard(&[(1000, Paid), (1100, Paid)]), [1, 1], "that is not NOT PAID");
        assert_eq!(heard(&[(1000, NotPaid), (1000, Paid)]), [2, 1]);
        assert_eq!(heard(&[(1000, NeedsYou), (1100, Paid), (1200, NotPaid)]), [3, 1, 2]);
        assert_eq!(heard(&[(1000, Paid), (1400, Paid), (9000, NotPaid)]), [1, 1, 2]);
    }

    #[test]
    fn a_call_is_not_repeated_for_each_key() {
        let calls: Vec<_> = (0..40).map(|index| (1000 + index * 20, Sound::NeedsYou)).collect();
        assert_eq!(heard(&calls), [3, 3]);
    }
}
