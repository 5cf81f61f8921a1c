//! Decides whether a serial line is being read at the scanner's speed. Only the received bytes can
//! tell: at the right speed, a code is printable from beginning to end (scans 2.2).

use crate::clock::{Millis, Uptime};

/// Bits per second, the most common settings first.
pub const SPEEDS: [u32; 6] = [9600, 115_200, 38400, 19200, 57600, 4800];

/// Fewer characters prove nothing: noise may look like them.
const SHORTEST: usize = 6;
/// A scan is over after this much silence, and so is any garbage from one at the wrong speed.
const SILENCE: Millis = Millis(300);

/// What the bytes of one scan say about the speed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SpeedVerdict {
    /// The speed is right; the number of characters read.
    Right(usize),
    Wrong,
}

/// Examines the bytes that arrive at one speed. Keeps none of them.
#[derive(Debug, Default)]
pub struct SpeedTrial {
    characters: usize,
    is_garbled: bool,
    last_at: Option<Uptime>,
}

impl SpeedTrial {
    /// Takes bytes as they arrive. Returns a verdict once one scan has shown the speed.
    pub fn push(&mut self, bytes: &[u8], at: Uptime) -> Option<SpeedVerdict> {
        if let Some(verdict) = self.tick(at) {
            return Some(verdict);
        }
        for byte in bytes {
            self.last_at = Some(at);
            match byte {
                b' '..=b'~' => self.characters += 1,
                b'\r' | b'\n' | b'\t' | 3 if self.is_right() => return self.end(),
                // Allowed around a code and between its fields.
                b'\r' | b'\n' | b'\t' | 2 | 3 | 0x1d => {}
                _ => self.is_garbled = true,
            }
        }
        None
    }

    /// When to call [`SpeedTrial::tick`] if nothing arrives before.
    pub fn silence_at(&self) -> Option<Uptime> {
        self.last_at.map(|at| at.after(SILENCE))
    }

    /// Handles silence. Early and repeated ticks do nothing.
    pub fn tick(&mut self, now: Uptime) -> Option<SpeedVerdict> {
        self.silence_at().filter(|end| now >= *end)?;
        self.end()
    }

    fn is_right(&self) -> bool {
        !self.is_garbled && self.characters >= SHORTEST
    }

    fn end(&mut self) -> Option<SpeedVerdict> {
        let verdict = if self.is_right() {
            Some(SpeedVerdict::Right(self.characters))
        } else {
            // A line end after a scan that was already judged says nothing.
            (self.is_garbled || self.characters > 0).then_some(SpeedVerdict::Wrong)
        };
        *self = Self::default();
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_bytes_with_an_end_are_right_at_once() {
        for end in ["\r", "\r\n", "\n", "\t", "\u{3}"] {
            let mut trial = SpeedTrial::default();
            let scan = format!("\u{2}6901234567892{end}");
            assert_eq!(
                trial.push(scan.as_bytes(), Uptime(0)),
                Some(SpeedVerdict::Right(13)),
                "{end:?}"
            );
        }
    }

    #[test]
    fn printable_bytes_without_an_end_are_right_after_silence() {
        let mut trial = SpeedTrial::default();
        assert_eq!(trial.push(b"690123", Uptime(0)), None);
        assert_eq!(trial.push(b"4567892", Uptime(299)), None);
        assert_eq!(trial.silence_at(), Some(Uptime(599)));
        assert_eq!(trial.tick(Uptime(598)), None);
        assert_eq!(trial.tick(Uptime(599)), Some(SpeedVerdict::Right(13)));
        assert_eq!(trial.tick(Uptime(9999)), None);
    }

    #[test]
    fn garbage_is_wrong_once_all_of_it_has_come() {
        let mut trial = SpeedTrial::default();
        assert_eq!(trial.push(b"6901234567892\xff\xfe\r\0", Uptime(0)), None);
        assert_eq!(trial.push(b"\x80123456\r", Uptime(100)), None);
        assert_eq!(trial.tick(Uptime(400)), Some(SpeedVerdict::Wrong));
        assert_eq!(trial.push(b"6901234567892\r", Uptime(500)), Some(SpeedVerdict::Right(13)));
    }

    #[test]
    fn a_few_characters_prove_nothing() {
        let mut trial = SpeedTrial::default();
        assert_eq!(trial.push(b"abc\r", Uptime(0)), None);
        assert_eq!(trial.tick(Uptime(300)), Some(SpeedVerdict::Wrong));
        assert_eq!(trial.push(b"\r\n", Uptime(400)), None);
        assert_eq!(trial.tick(Uptime(700)), None, "line ends alone are no scan");
    }
}
