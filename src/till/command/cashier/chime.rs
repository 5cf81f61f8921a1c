//! What the cashier hears: the number of bells says how a payment ended.
//!
//! A terminal knows one bell only, and swallows those that come too fast.

use crate::clock::{Millis, Uptime};
use crate::screen::Sound;

/// From one bell to the next.
const APART: Millis = Millis(300);
/// How long a visual bell lasts.
const FLASH: Millis = Millis(120);

/// The bells that are still to ring.
#[derive(Debug, Default)]
pub(super) struct Chime {
    left: u8,
    next_at: Uptime,
    flash_until: Option<Uptime>,
}

impl Chime {
    /// Begins a sound in place of the last.
    pub(super) fn begin(&mut self, sound: Sound, now: Uptime) {
        self.left = match sound {
            Sound::Paid => 1,
            Sound::NotPaid => 2,
            Sound::NeedsYou => 3,
        };
        // A bell that has just rung is not heard as the first of the new sound.
        self.next_at = self.next_at.max(now);
    }

    /// Whether the bell rings now; true once for each bell.
    pub(super) fn strikes(&mut self, now: Uptime) -> bool {
        self.flash_until = self.flash_until.filter(|until| *until > now);
        if self.left == 0 || now < self.next_at {
            return false;
        }
        self.left -= 1;
        self.next_at = now.after(APART);
        self.flash_until = Some(now.after(FLASH));
        true
    }

    /// Whether a visual bell is on the screen.
    pub(super) const fn is_flashing(&self) -> bool {
        self.flash_until.is_some()
    }

    /// When something changes by itself.
    pub(super) fn wake_at(&self) -> Option<Uptime> {
        let next = (self.left > 0).then_some(self.next_at);
        next.into_iter().chain(self.flash_until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_told_apart_by_their_bells() {
        for (sound, bells) in [(Sound::Paid, 1), (Sound::NotPaid, 2), (Sound::NeedsYou, 3)] {
            let mut chime = Chime::default();
            chime.begin(sound, Uptime(1000));
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
            assert_eq!(rung, [1000, 1300, 1600][..bells]);
            assert!(!chime.is_flashing());
        }
    }

    #[test]
    fn a_new_sound_takes_the_place_of_the_last() {
        let mut chime = Chime::default();
        chime.begin(Sound::NeedsYou, Uptime(1000));
        assert!(chime.strikes(Uptime(1000)));
        chime.begin(Sound::Paid, Uptime(1100));
        assert!(!chime.strikes(Uptime(1100)), "it would not be heard");
        assert!(chime.strikes(Uptime(1300)) && !chime.strikes(Uptime(1600)));
    }
}
