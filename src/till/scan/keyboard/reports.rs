//! A keyboard's reports over USB or Bluetooth: which of its keys are down (HID 1.11, B.1).
//!
//! Like the kernel, this derives a key event from each key that differs from the report before.
//! Reports are worth reading because the kernel buffers far more of them than of key events while a
//! till is busy (devices 1.6).

use zeroize::Zeroizing;

use super::{
    CAPS_LOCK, ENTER, KEYPAD_ENTER, LEFT_ALT, LEFT_CONTROL, LEFT_SHIFT, Motion, RIGHT_ALT,
    RIGHT_CONTROL, RIGHT_SHIFT, TAB,
};
use crate::scan::descriptor::{self, DescriptorItem, InputFields, LONGEST_REPORT};

const PAGE: u16 = 0x07;
const NO_KEY: u8 = 0;
/// An array filled with this means that too many keys are down to distinguish.
const ROLL_OVER: u8 = 1;
/// Maximum fields considered, and maximum keys of one field. Keyboards have two or three fields,
/// and there are no more keys than this.
const FIELDS: usize = 16;
const KEYS: usize = 256;

/// Linux key codes (`input-event-codes.h`) in the order of the keyboard usage table, starting at
/// the given usage.
const CODES: [(u8, &[u16]); 7] = [
    // A to Z.
    (
        0x04,
        &[
            30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50, 49, 24, 25, 16, 19, 31, 20, 22, 47,
            17, 45, 21, 44,
        ],
    ),
    // 1 to 0, and Enter.
    (0x1e, &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ENTER]),
    // From Tab to the key above it, to Caps Lock; the one beside Enter has two usages.
    (0x2b, &[TAB, 57, 12, 13, 26, 27, 43, 43, 39, 40, 41, 51, 52, 53, CAPS_LOCK]),
    // The keypad: / * - + Enter, 1 to 0, and the point.
    (0x54, &[98, 55, 74, 78, KEYPAD_ENTER, 79, 80, 81, 75, 76, 77, 71, 72, 73, 82, 83]),
    (0x64, &[86]),
    (0xe0, &[LEFT_CONTROL, LEFT_SHIFT, LEFT_ALT]),
    (0xe4, &[RIGHT_CONTROL, RIGHT_SHIFT, RIGHT_ALT]),
];

/// What a scan needs at least: the digits and Enter.
const NEEDED: std::ops::RangeInclusive<u8> = 0x1e..=0x28;

/// Where a keyboard's keys are in its reports, and which of them are down.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyReports {
    fields: Vec<KeyField>,
    /// By Linux key code: a key may appear in two fields.
    down: Zeroizing<Vec<u16>>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct KeyField {
    id: Option<u8>,
    bit: u32,
    shape: Shape,
    down: Zeroizing<Vec<u8>>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Shape {
    /// One bit for each of these keys.
    Bits(Vec<u8>),
    /// `count` bytes, each with the number of a key that is down; the number of the first of `keys`
    /// is `minimum`.
    Bytes { count: usize, minimum: u8, keys: Vec<u8> },
}

impl KeyReports {
    /// Reads a report descriptor; `None` unless all its keys are understood and include those that
    /// a scan needs.
    pub fn parse(descriptor: &[u8]) -> Option<Self> {
        let (mut fields, mut is_understood) = (Vec::new(), true);
        descriptor::read(descriptor, |entry| match entry {
            DescriptorItem::Delimiter => is_understood = false,
            DescriptorItem::InputFields(input) if has_keys(&input) => match KeyField::of(&input) {
                Some(field) if fields.len() < FIELDS => fields.push(field),
                Some(_) | None => is_understood = false,
            },
            DescriptorItem::InputFields(_)
            | DescriptorItem::Collection(_)
            | DescriptorItem::Feature(_) => {}
        });
        let has = |key| fields.iter().any(|field| field.shape.keys().contains(&key));
        (is_understood && NEEDED.into_iter().all(has))
            .then(|| Self { fields, down: Zeroizing::default() })
    }

    /// Passes on what a report, as it was read from the device, changes: each key by its Linux key
    /// code.
    pub fn take(&mut self, report: &[u8], mut hand_on: impl FnMut(u16, Motion)) {
        for field in &mut self.fields {
            if field.id.is_some_and(|id| report.first() != Some(&id)) {
                continue;
            }
            let Some(down) = field.shape.down(report, field.bit) else { continue };
            let before = std::mem::replace(&mut field.down, down);
            let released = before.iter().filter(|key| !field.down.contains(key));
            for code in released.copied().filter_map(code) {
                if let Some(at) = self.down.iter().position(|down| *down == code) {
                    self.down.remove(at);
                    hand_on(code, Motion::Released);
                }
            }
            let pressed = field.down.iter().filter(|key| !before.contains(key));
            for code in pressed.copied().filter_map(code) {
                if !self.down.contains(&code) {
                    self.down.push(code);
                    hand_on(code, Motion::Pressed);
                }
            }
        }
    }

    /// Reports were lost, so no key is known to be down.
    pub fn forget(&mut self) {
        self.down.clear();
        for field in &mut self.fields {
            field.down.clear();
        }
    }
}

fn has_keys(input: &InputFields<'_>) -> bool {
    !input.is_constant && input.usages.iter().any(|(page, _)| *page == PAGE)
}

impl KeyField {
    /// `None` if the field has a shape that keyboards do not have.
    fn of(input: &InputFields<'_>) -> Option<Self> {
        let count = usize::try_from(input.count).ok()?.min(KEYS);
        let usages = input.usages.iter().map(|(page, usage)| {
            u8::try_from(*usage).ok().filter(|_| *page == PAGE).unwrap_or(NO_KEY)
        });
        let shape = match (input.is_array, input.size) {
            (false, 1) => Shape::Bits(usages.take(count).collect()),
            (true, 8) if input.bit.is_multiple_of(8) => {
                let (minimum, maximum) = (u8::try_from(input.range.0).ok()?, input.range.1);
                let values = usize::try_from(maximum).ok()?.checked_sub(minimum.into())?;
                Shape::Bytes { count, minimum, keys: usages.take(KEYS.min(values + 1)).collect() }
            }
            _ => return None,
        };
        let InputFields { id, bit, .. } = *input;
        (bit < 8 * LONGEST_REPORT).then(|| Self { id, bit, shape, down: Zeroizing::default() })
    }
}

impl Shape {
    fn keys(&self) -> &[u8] {
        match self {
            Self::Bits(keys) | Self::Bytes { keys, .. } => keys,
        }
    }

    /// The keys that are down; `None` if the report does not say.
    fn down(&self, report: &[u8], bit: u32) -> Option<Zeroizing<Vec<u8>>> {
        let start = usize::try_from(bit / 8).ok()?;
        match self {
            Self::Bits(keys) => {
                let is_down = |at: usize| {
                    let bit = usize::try_from(bit).unwrap_or(usize::MAX).saturating_add(at);
                    report.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
                };
                let down = (0..).zip(keys).filter(|(at, _)| is_down(*at)).map(|(_, key)| *key);
                Some(Zeroizing::new(down.collect()))
            }
            Self::Bytes { count, minimum, keys } => {
                let bytes = report.get(start..)?.iter().take(*count);
                let key = |byte: &u8| keys.get(usize::from(byte.checked_sub(*minimum)?)).copied();
                let mut down = Zeroizing::new(Vec::new());
                for key in bytes.filter_map(key) {
                    if key != NO_KEY && !down.contains(&key) {
                        down.push(key);
                    }
                }
                (!down.contains(&ROLL_OVER)).then_some(down)
            }
        }
    }
}

fn code(usage: u8) -> Option<u16> {
    CODES
        .iter()
        .find_map(|(first, codes)| codes.get(usize::from(usage.checked_sub(*first)?)).copied())
}

#[cfg(test)]
mod tests;
