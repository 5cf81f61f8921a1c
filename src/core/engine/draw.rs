//! The random draw that an attempt is begun with, and what is made of it.

use std::fmt::Write as _;

/// Random bytes, drawn afresh for each attempt.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Draw(pub [u8; 12]);

impl Draw {
    /// For the order's number.
    pub(super) const fn number(self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]])
    }

    /// Lengthens the attempt's repeated waits.
    pub(super) const fn jitter(self) -> u8 {
        self.0[2]
    }

    /// The order's mark: 16 hexadecimal digits.
    pub(super) fn mark(self) -> String {
        let mut mark = String::with_capacity(16);
        for byte in &self.0[4..] {
            let _ = write!(mark, "{byte:02x}");
        }
        mark
    }
}
