//! What a scan that cannot be read shows of the scanner's settings.
//!
//! It is only ever said, to be set right: nothing is cut off or put right to make a payment code.

use zeroize::Zeroizing;

use super::{narrow, trim};
use crate::order::AuthCode;

/// Digits of a payment code.
const DIGITS: usize = 18;
/// The most characters that scanners add in front or behind to name the kind of code.
const LONGEST_MARK: usize = 4;
/// Fewer digits could be anything.
const SHORTEST_CUT: usize = 10;
/// What the keys 1 to 9 and 0 type on a French keyboard.
const FRENCH: [char; 10] = ['&', 'é', '"', '\'', '(', '-', 'è', '_', 'ç', 'à'];
/// The same on an American one with Shift.
const SHIFTED: [char; 10] = ['!', '@', '#', '$', '%', '^', '&', '*', '(', ')'];

/// What is wrong with a scan, as far as it shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Oddity {
    /// Letters or marks in front of a payment code or behind it: the scanner names the kind of code.
    Marked,
    /// A control character within: separators of GS1, or a header.
    Control,
    /// Digits as the keys of another keyboard layout, or with Shift or Caps Lock held.
    Layout,
    /// Two scans in one: no suffix tells them apart.
    Joined,
    /// The beginning of a payment code, of this many digits.
    Cut(usize),
}

impl Oddity {
    /// What a text that has no name looks like.
    pub(super) fn of(raw: &str) -> Option<Self> {
        let text = narrow(raw);
        let text = trim(&text);
        let is_code = |text: &str| AuthCode::new(text).is_some();
        if text.chars().any(char::is_control) {
            // Wiped like the original: it may be a code.
            let plain: Zeroizing<String> =
                Zeroizing::new(text.chars().filter(|mark| !mark.is_control()).collect());
            return is_code(&plain).then_some(Self::Control);
        }
        if [FRENCH, SHIFTED].iter().any(|keys| {
            text.chars().count() == DIGITS && text.chars().all(|mark| keys.contains(&mark))
        }) {
            return Some(Self::Layout);
        }
        if !text.is_ascii() {
            return None;
        }
        let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let begins = text.get(..2).is_some_and(|two| ("10".."16").contains(&two));
        if is_digits && begins && (SHORTEST_CUT..DIGITS).contains(&text.len()) {
            return Some(Self::Cut(text.len()));
        }
        let halves: Vec<&str> = text.split_ascii_whitespace().collect();
        let is_joined = match halves[..] {
            [whole] if whole.len() == 2 * DIGITS => {
                is_code(&whole[..DIGITS]) && is_code(&whole[DIGITS..])
            }
            [first, second] => is_code(first) && is_code(second),
            _ => false,
        };
        if is_joined {
            return Some(Self::Joined);
        }
        let extra = text.len().checked_sub(DIGITS).filter(|extra| *extra <= LONGEST_MARK)?;
        let at = (0..=extra).find(|at| is_code(&text[*at..*at + DIGITS]))?;
        let around = [&text[..at], &text[at + DIGITS..]].concat();
        let is_mark = !around.is_empty() && !around.bytes().any(|byte| byte.is_ascii_digit());
        is_mark.then_some(Self::Marked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "134567890123456789";

    #[test]
    fn a_scan_says_what_is_wrong_with_the_scanner_as_far_as_it_shows() {
        for (raw, oddity) in [
            (format!("Q{CODE}"), Oddity::Marked),
            (format!("QR:{CODE}"), Oddity::Marked),
            (format!("{CODE}Q"), Oddity::Marked),
            (format!("1345\u{1d}{}", &CODE[4..]), Oddity::Control),
            ("&\"'(-è_çà&é\"'(-è_ç".to_owned(), Oddity::Layout),
            ("!#$%^&*()!@#$%^&*(".to_owned(), Oddity::Layout),
            (format!("{CODE}{CODE}"), Oddity::Joined),
            (format!("{CODE} {CODE}"), Oddity::Joined),
            (CODE[..17].to_owned(), Oddity::Cut(17)),
            (CODE[..10].to_owned(), Oddity::Cut(10)),
        ] {
            assert_eq!(Oddity::of(&raw), Some(oddity), "{raw:?}");
        }
        for nothing in ["", "1", "%%NoRead", "TERMID131", "https://example.com/", "690123456789"] {
            assert_eq!(Oddity::of(nothing), None, "{nothing}");
        }
        assert_eq!(Oddity::of(&format!("{CODE}0")), None, "another digit is no mark");
    }
}
