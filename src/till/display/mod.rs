//! The customer display, also called pole display: what it shows, as bytes (devices 3).
//!
//! Pure: the same view always gives the same bytes. Each view is sent in full, so that the next one
//! repairs whatever was lost on the line. An amount that does not fit is never cut off, because it
//! would read as another amount. The device thread that sends the bytes is `device::display`.

mod line;
#[cfg(test)]
mod tests;

use crate::clean::clean;
use crate::config::{DisplayConfig, DisplayKind, DisplayText, Lights};
use crate::encode::encode;
use crate::language::Language;
use crate::money::{Currency, Money};
use crate::payment::Status;
use crate::text::display::DisplayWords;

pub use line::{LONGEST_LINE, Told};

/// Columns of a two-line display.
pub const COLUMNS: usize = 20;
/// Digits of a display that has only digits.
pub const DIGITS: usize = 8;
/// A display switched on in the middle of a command takes the first of these for its operand, and
/// the second ends a line that was cut off.
const RESYNCHRONIZE: &[u8] = b"\r\r";
/// Leaves the line mode, in which other commands are ignored; resets to the power-up state; hides
/// the cursor.
const START_CD5220: &[u8] = b"\x0c\x1b@\x1b_\x00";
/// Resets to the power-up state, hides the cursor, and selects overwrite mode.
const START_ESCPOS: &[u8] = b"\x1b@\x0c\x1fC\x00\x1f\x01";
const START_LED8: &[u8] = b"\x1b@\x0c";
/// Shown for a number that does not fit; cut off, it would be another number.
const TOO_LONG: &str = "--------";

/// What the customer may see.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum View {
    /// No sale in progress.
    #[default]
    Welcome,
    Sale {
        amount: Money,
        stage: SaleStage,
    },
}

/// How far a sale has progressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SaleStage {
    /// The amount is being entered.
    Typing,
    /// Waiting for the customer's code.
    Code,
    /// The customer scans a code of ours.
    Scan,
    Payment(Status),
    /// Paid in cash, with change to give.
    Change {
        given: Money,
        change: Money,
    },
}

/// What a display needs before its first view after being switched on or plugged in.
pub fn start(display: &DisplayConfig) -> Vec<u8> {
    let start = match display.kind {
        DisplayKind::Cd5220 => START_CD5220,
        DisplayKind::Escpos => START_ESCPOS,
        DisplayKind::Led8 => START_LED8,
        DisplayKind::None => return Vec::new(),
    };
    [RESYNCHRONIZE, start].concat()
}

/// A view as bytes that replace the one before.
pub fn show(view: View, display: &DisplayConfig, currency: Currency) -> Vec<u8> {
    match display.kind {
        DisplayKind::Cd5220 => {
            let [upper, lower] = lines(view, display, currency);
            [b"\x1bQA", &*upper, b"\r\x1bQB", &*lower, b"\r"].concat()
        }
        DisplayKind::Escpos => {
            let [upper, lower] = lines(view, display, currency);
            [b"\x1f$\x01\x01", &*upper, b"\x1f$\x01\x02", &*lower].concat()
        }
        DisplayKind::Led8 => digits(view, display.lights, currency),
        DisplayKind::None => Vec::new(),
    }
}

/// Both lines, each exactly [`COLUMNS`] bytes.
fn lines(view: View, display: &DisplayConfig, currency: Currency) -> [Vec<u8>; 2] {
    let text = display.text;
    match view {
        View::Welcome => [0, 1].map(|index| {
            let line = display.welcome.get(index).map(String::as_str).unwrap_or_default();
            let bytes = bytes_of(line, text);
            let before = (COLUMNS - bytes.len()) / 2;
            pad(&bytes, before)
        }),
        View::Sale { stage: SaleStage::Change { given, change }, .. } => {
            let words = DisplayWords::of(language(text));
            [(words.given(), given), (words.change(), change)]
                .map(|(word, amount)| pair(word, amount, text, currency))
        }
        View::Sale { amount, stage } => {
            let words = DisplayWords::of(language(text));
            let word = match stage {
                SaleStage::Change { .. } => words.change(),
                SaleStage::Typing => words.amount(),
                SaleStage::Code => words.show_code(),
                SaleStage::Scan => words.scan(),
                SaleStage::Payment(status) => words.status(status),
            };
            let amount = bytes_of(&money(amount, text, currency), text);
            let before = COLUMNS - amount.len();
            [pad(&bytes_of(word, text), 0), pad(&amount, before)]
        }
    }
}

/// The language a display can show.
const fn language(text: DisplayText) -> Language {
    match text {
        DisplayText::Ascii => Language::English,
        DisplayText::Gb18030 => Language::Chinese,
    }
}

fn money(amount: Money, text: DisplayText, currency: Currency) -> String {
    let number = currency.group(amount);
    match (text, currency.symbol()) {
        (DisplayText::Gb18030, symbol @ "￥") => format!("{symbol}{number}"),
        (DisplayText::Gb18030, symbol) => format!("{symbol} {number}"),
        (DisplayText::Ascii, _) => format!("{} {number}", currency.code()),
    }
}

/// Text in the display's own encoding, cut to one line at a character boundary; a byte is a column.
fn bytes_of(text: &str, charset: DisplayText) -> Vec<u8> {
    let mut bytes = match charset {
        DisplayText::Gb18030 => encode(text),
        DisplayText::Ascii => clean(text, usize::MAX)
            .chars()
            .map(|character| ascii(character).unwrap_or(b'?'))
            .collect(),
    };
    let mut end = 0;
    while let Some(byte) = bytes.get(end) {
        let width = if byte.is_ascii() { 1 } else { 2 };
        if end + width > COLUMNS {
            break;
        }
        end += width;
    }
    bytes.truncate(end);
    bytes
}

/// A word on the left and its amount on the right, without the currency if there is no room for it.
fn pair(word: &str, amount: Money, text: DisplayText, currency: Currency) -> Vec<u8> {
    let word = bytes_of(word, text);
    let fits = |amount: &Vec<u8>| word.len() + amount.len() < COLUMNS;
    let amounts = [money(amount, text, currency), currency.group(amount), currency.show(amount)];
    let amount = amounts.iter().map(|amount| bytes_of(amount, text)).find(fits);
    let amount = amount.unwrap_or_else(|| TOO_LONG.into());
    let mut line = pad(&word, 0);
    line.truncate(COLUMNS - amount.len());
    line.extend(amount);
    line
}

fn ascii(character: char) -> Option<u8> {
    u8::try_from(character).ok().filter(|byte| (b' '..=b'~').contains(byte))
}

fn pad(bytes: &[u8], before: usize) -> Vec<u8> {
    let mut line = vec![b' '; before];
    line.extend(bytes);
    line.resize(COLUMNS, b' ');
    line
}

/// The number first, then the light (devices 3.2).
fn digits(view: View, lights: Lights, currency: Currency) -> Vec<u8> {
    let (number, light) = match view {
        View::Welcome => (currency.show(Money::default()), Light::None),
        View::Sale { stage: stage @ SaleStage::Change { change, .. }, .. } => {
            (currency.show(change), Light::of(stage))
        }
        View::Sale { amount, stage } => (currency.show(amount), Light::of(stage)),
    };
    let places = number.bytes().filter(|byte| *byte != b'.').count();
    let number = if places > DIGITS { TOO_LONG } else { &number };
    [b"\x1bQA", number.as_bytes(), b"\r\x1bs", &[light.operand(lights)]].concat()
}

/// Which light a digits-only display turns on beside its number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Light {
    None,
    /// 单价.
    Price,
    /// 总计.
    Total,
    /// 收款.
    Received,
    /// 找零.
    Change,
}

impl Light {
    fn of(stage: SaleStage) -> Self {
        match stage {
            SaleStage::Typing => Self::Price,
            SaleStage::Change { .. } => Self::Change,
            SaleStage::Payment(Status::Paid) => Self::Received,
            SaleStage::Code
            | SaleStage::Scan
            | SaleStage::Payment(
                Status::Created
                | Status::Sent
                | Status::Waiting
                | Status::Checking
                | Status::Declined
                | Status::Closed,
            ) => Self::Total,
            // A number alone cannot say whether it is still due.
            SaleStage::Payment(Status::Reversing | Status::Reversed | Status::Attention) => {
                Self::None
            }
        }
    }

    /// Makers disagree: some expect an ASCII digit, others the number itself.
    fn operand(self, lights: Lights) -> u8 {
        let number = match self {
            Self::None => 0,
            Self::Price => 1,
            Self::Total => 2,
            Self::Received => 3,
            Self::Change => 4,
        };
        match lights {
            Lights::Ascii => b'0' + number,
            Lights::Binary => number,
        }
    }
}
