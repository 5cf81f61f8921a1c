//! Which characters are on the keys of a keyboard.

/// The country whose layout a scanner types in; it must match the scanner's own setting.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Layout {
    #[default]
    Us,
    /// AZERTY: digits are typed with Shift.
    French,
    /// QWERTZ.
    German,
}

/// The keys from 1 to =, from Q to ], from A to the one above Tab, from the one beside Enter to /,
/// and the one between Shift and Z: the code of the first, and the characters on them.
type Rows = [(u16, &'static str); 5];

const NUMBERS: u16 = 2;
const UPPER: u16 = 16;
const MIDDLE: u16 = 30;
const LOWER: u16 = 43;
const EXTRA: u16 = 86;
const SPACE: u16 = 57;

const US: Rows = [
    (NUMBERS, "1234567890-="),
    (UPPER, "qwertyuiop[]"),
    (MIDDLE, "asdfghjkl;'`"),
    (LOWER, "\\zxcvbnm,./"),
    (EXTRA, "<"),
];
const US_SHIFTED: Rows = [
    (NUMBERS, "!@#$%^&*()_+"),
    (UPPER, "QWERTYUIOP{}"),
    (MIDDLE, "ASDFGHJKL:\"~"),
    (LOWER, "|ZXCVBNM<>?"),
    (EXTRA, ">"),
];
const FRENCH: Rows = [
    (NUMBERS, "&é\"'(-è_çà)="),
    (UPPER, "azertyuiop^$"),
    (MIDDLE, "qsdfghjklmù²"),
    (LOWER, "*wxcvbn,;:!"),
    (EXTRA, "<"),
];
const FRENCH_SHIFTED: Rows = [
    (NUMBERS, "1234567890°+"),
    (UPPER, "AZERTYUIOP¨£"),
    (MIDDLE, "QSDFGHJKLM%"),
    (LOWER, "µWXCVBN?./§"),
    (EXTRA, ">"),
];
const FRENCH_ALT_GR: Rows =
    [(3, "~#{[|`\\^@]}"), (UPPER + 2, "€"), (UPPER + 11, "¤"), (LOWER, ""), (EXTRA, "")];
const GERMAN: Rows = [
    (NUMBERS, "1234567890ß´"),
    (UPPER, "qwertzuiopü+"),
    (MIDDLE, "asdfghjklöä^"),
    (LOWER, "#yxcvbnm,.-"),
    (EXTRA, "<"),
];
const GERMAN_SHIFTED: Rows = [
    (NUMBERS, "!\"§$%&/()=?`"),
    (UPPER, "QWERTZUIOPÜ*"),
    (MIDDLE, "ASDFGHJKLÖÄ°"),
    (LOWER, "'YXCVBNM;:_"),
    (EXTRA, ">"),
];
const GERMAN_ALT_GR: Rows =
    [(8, "{[]}\\"), (UPPER, "@"), (UPPER + 2, "€"), (UPPER + 11, "~"), (EXTRA, "|")];

impl Layout {
    pub(super) fn plain(self, code: u16) -> Option<char> {
        match self {
            Self::Us => on(&US, code),
            Self::French => on(&FRENCH, code),
            Self::German => on(&GERMAN, code),
        }
    }

    pub(super) fn shifted(self, code: u16) -> Option<char> {
        match self {
            Self::Us => on(&US_SHIFTED, code),
            Self::French => on(&FRENCH_SHIFTED, code),
            Self::German => on(&GERMAN_SHIFTED, code),
        }
    }

    pub(super) fn with_alt_gr(self, code: u16) -> Option<char> {
        match self {
            Self::Us => None,
            Self::French => on(&FRENCH_ALT_GR, code),
            Self::German => on(&GERMAN_ALT_GR, code),
        }
    }
}

/// The keypad, which is the same everywhere.
pub(super) fn keypad(code: u16) -> Option<char> {
    const SEVEN: u16 = 71;
    match code {
        55 => Some('*'),
        98 => Some('/'),
        SEVEN..=83 => "789-456+1230.".chars().nth(usize::from(code - SEVEN)),
        _ => None,
    }
}

fn on(rows: &Rows, code: u16) -> Option<char> {
    if code == SPACE {
        return Some(' ');
    }
    rows.iter().find_map(|(first, keys)| keys.chars().nth(usize::from(code.checked_sub(*first)?)))
}
