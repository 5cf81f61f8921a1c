//! A second, independent reading of what a payment leaves for people and programs: the bytes of a
//! receipt, and a line of JSON.

use std::collections::BTreeSet;

/// What a receipt or a report says.
#[derive(Debug, Eq, PartialEq)]
pub struct Says {
    /// In fen.
    pub amount: i64,
    pub number: String,
}

/// `￥` in GB18030.
const YUAN: &[u8] = &[0xa3, 0xa4];

/// The one price on a receipt, and its one number; `None` if it cannot be read.
pub fn receipt(mut bytes: &[u8]) -> Option<Says> {
    let (mut line, mut lines) = (Vec::new(), Vec::new());
    while let [first, rest @ ..] = bytes {
        bytes = match (first, rest) {
            (0x1b | 0x1c, [b'@' | b'&', rest @ ..]) => rest,
            (
                0x1b | 0x1d,
                [b'!' | b'E' | b'-' | b'3' | b'a' | b'd' | b'J' | b'H' | b'h' | b'w', _, rest @ ..],
            ) => rest,
            (0x1d, [b'k', 73, length, rest @ ..]) => rest.get(usize::from(*length)..)?,
            (0x1d, [b'(', b'k', low, high, rest @ ..]) => {
                rest.get(usize::from(u16::from_le_bytes([*low, *high]))..)?
            }
            (0x1d, [b'V', b'B', 0, rest @ ..]) => rest,
            (b'\n', rest) => {
                lines.push(std::mem::take(&mut line));
                rest
            }
            (b' '..=b'~' | 0x80.., rest) => {
                line.push(*first);
                rest
            }
            _ => return None,
        };
    }
    let lines: Vec<&[u8]> = lines.iter().map(|line| line.trim_ascii()).collect();
    let amount = only(lines.iter().filter_map(|line| line.strip_prefix(YUAN)))?;
    let is_number =
        |line: &&&[u8]| line.starts_with(b"T01") && line.iter().all(u8::is_ascii_alphanumeric);
    let number = only(lines.iter().filter(is_number).collect::<BTreeSet<_>>().into_iter())?;
    Some(Says { amount: fen(amount)?, number: String::from_utf8(number.to_vec()).ok()? })
}

/// As `orders --json` and `pay --json` tell it.
pub fn report(line: &str) -> Option<Says> {
    let value = |name: &str| {
        let (_, rest) = line.split_once(&format!("\"{name}\":"))?;
        rest.split([',', '}']).next().map(|value| value.trim_matches('"').to_owned())
    };
    let (amount, is_yuan) = (value("amount")?, value("currency")? == "CNY");
    let is_whole = amount.bytes().all(|digit| digit.is_ascii_digit());
    let says = Says { amount: amount.parse().ok()?, number: value("order_no")? };
    (is_whole && is_yuan).then_some(says)
}

fn only<T>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    all.next().is_none().then_some(first)
}

/// `12.34` is 1234.
fn fen(price: &[u8]) -> Option<i64> {
    let [yuan @ .., b'.', tens, ones] = price else { return None };
    if yuan.is_empty() || !yuan.iter().chain([tens, ones]).all(u8::is_ascii_digit) {
        return None;
    }
    let digits = yuan.iter().chain([tens, ones]);
    Some(digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}
