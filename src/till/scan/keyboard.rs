//! Scanners that type like a keyboard, read from the device itself (scans 2.4).
//!
//! A key code is a position on the keyboard as Linux numbers them (`input-event-codes.h`). Which
//! character is at that position depends on the layout, and the layout that the scanner types in is
//! a setting of the scanner.

mod layouts;
mod reports;

use zeroize::{Zeroize, Zeroizing};

pub use layouts::Layout;
pub use reports::KeyReports;

const TAB: u16 = 15;
const ENTER: u16 = 28;
const LEFT_CONTROL: u16 = 29;
const LEFT_SHIFT: u16 = 42;
const RIGHT_SHIFT: u16 = 54;
const LEFT_ALT: u16 = 56;
const CAPS_LOCK: u16 = 58;
const KEYPAD_ENTER: u16 = 96;
const RIGHT_CONTROL: u16 = 97;
const RIGHT_ALT: u16 = 100;
/// Digits of one character in Alt and keypad mode; a two-byte character has five.
const ALT_DIGITS: usize = 5;

/// What happened to a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Motion {
    Pressed,
    Released,
}

impl Motion {
    /// Converts the value of a Linux key event. A held key that repeats is not a new press.
    pub fn of(value: i32) -> Option<Self> {
        match value {
            0 => Some(Self::Released),
            1 => Some(Self::Pressed),
            _ => None,
        }
    }
}

/// The modifier keys that are down, and how they affect the next key.
pub struct Keyboard {
    layout: Layout,
    shifts: [bool; 2],
    controls: [bool; 2],
    left_alt: bool,
    right_alt: bool,
    caps_lock: bool,
    /// A character's number, typed on the keypad while Alt is held.
    number: Zeroizing<String>,
}

impl Keyboard {
    pub fn new(layout: Layout) -> Self {
        Self {
            layout,
            shifts: [false; 2],
            controls: [false; 2],
            left_alt: false,
            right_alt: false,
            caps_lock: false,
            number: Zeroizing::new(String::with_capacity(ALT_DIGITS)),
        }
    }

    /// The bytes that a key adds to the scan: none for most, CR for both Enter keys.
    pub fn take(&mut self, code: u16, motion: Motion) -> Zeroizing<Vec<u8>> {
        let is_down = motion == Motion::Pressed;
        let bytes = match (code, motion) {
            (LEFT_SHIFT, _) => self.hold(|keys| &mut keys.shifts[0], is_down),
            (RIGHT_SHIFT, _) => self.hold(|keys| &mut keys.shifts[1], is_down),
            (LEFT_CONTROL, _) => self.hold(|keys| &mut keys.controls[0], is_down),
            (RIGHT_CONTROL, _) => self.hold(|keys| &mut keys.controls[1], is_down),
            (RIGHT_ALT, _) => self.hold(|keys| &mut keys.right_alt, is_down),
            (LEFT_ALT, Motion::Pressed) => {
                self.number.zeroize();
                self.hold(|keys| &mut keys.left_alt, true)
            }
            (LEFT_ALT, Motion::Released) => {
                self.left_alt = false;
                self.numbered()
            }
            (_, Motion::Released) => Vec::new(),
            (CAPS_LOCK, Motion::Pressed) => {
                self.caps_lock = !self.caps_lock;
                Vec::new()
            }
            (ENTER | KEYPAD_ENTER, Motion::Pressed) => self.ended(b'\r'),
            (TAB, Motion::Pressed) => self.ended(b'\t'),
            (code, Motion::Pressed) => self.typed(code),
        };
        Zeroizing::new(bytes)
    }

    /// Resets at the end of a scan, perhaps by silence: some scanners end it with Caps Lock
    /// (scans 2.4).
    pub fn end_scan(&mut self) {
        self.caps_lock = false;
    }

    fn hold(&mut self, key: impl Fn(&mut Self) -> &mut bool, is_down: bool) -> Vec<u8> {
        *key(self) = is_down;
        Vec::new()
    }

    fn ended(&mut self, byte: u8) -> Vec<u8> {
        self.end_scan();
        vec![byte]
    }

    fn typed(&mut self, code: u16) -> Vec<u8> {
        let keypad = layouts::keypad(code);
        if self.left_alt {
            if let Some(digit) = keypad.filter(char::is_ascii_digit)
                && self.number.len() < ALT_DIGITS
            {
                self.number.push(digit);
            }
            return Vec::new();
        }
        let shift = self.shifts.contains(&true);
        let Some(character) = keypad.or_else(|| self.character(code, shift)) else {
            return Vec::new();
        };
        if self.controls.contains(&true) && !self.right_alt {
            return control(character).into_iter().collect();
        }
        character.to_string().into_bytes()
    }

    fn character(&self, code: u16, shift: bool) -> Option<char> {
        if self.right_alt {
            return self.layout.with_alt_gr(code);
        }
        let is_letter = self.layout.plain(code).is_some_and(char::is_alphabetic);
        let is_upper = shift ^ (self.caps_lock && is_letter);
        if is_upper { self.layout.shifted(code) } else { self.layout.plain(code) }
    }

    /// The byte, or the two bytes of a Chinese character, that were entered by number.
    fn numbered(&mut self) -> Vec<u8> {
        let number = self.number.parse::<u16>().ok();
        self.number.zeroize();
        let Some([high, low]) = number.map(u16::to_be_bytes) else { return Vec::new() };
        if high == 0 { vec![low] } else { vec![high, low] }
    }
}

impl std::fmt::Debug for Keyboard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyboard({:?})", self.layout)
    }
}

/// What a key means with Control held: GS, which separates fields, is Control and ].
fn control(character: char) -> Option<u8> {
    match character.to_ascii_uppercase() {
        letter @ '@'..='_' => u8::try_from(letter).ok().map(|letter| letter & 0x1f),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
