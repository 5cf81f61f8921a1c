//! Product codes: EAN-13, EAN-8, UPC-A, UPC-E, GTIN-14, and a shop's own numbers.
//!
//! A number of the GS1 system is one number, however many zeros a scanner or a spreadsheet leaves
//! out: it is kept with 8, 13 or 14 digits. Its check digit is never put right.

/// The longest code.
pub const LONGEST: usize = 20;

/// Why a text is no product's code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotACode {
    Empty,
    TooLong,
    /// Something else than letters, digits and `-._/`.
    Character(char),
    CheckDigit,
    /// A spreadsheet has rounded it: `6.90123E+12`.
    Rounded,
    /// So many digits are for codes that stand for money.
    TooManyDigits,
}

/// More digits than a product's code has.
const MOST_DIGITS: usize = 14;

/// The one form of a code, by which it is kept and found.
pub fn canonical(text: &str) -> Result<String, NotACode> {
    let text = text.trim();
    if text.is_empty() {
        return Err(NotACode::Empty);
    }
    if is_digits(text) {
        return number(text);
    }
    if is_rounded(text) {
        return Err(NotACode::Rounded);
    }
    let is_mark = |mark: &char| mark.is_ascii_alphanumeric() || "-._/".contains(*mark);
    if let Some(other) = text.chars().find(|mark| !is_mark(mark)) {
        return Err(NotACode::Character(other));
    }
    if text.len() > LONGEST { Err(NotACode::TooLong) } else { Ok(text.to_ascii_uppercase()) }
}

fn number(digits: &str) -> Result<String, NotACode> {
    match digits.len() {
        8 if has_check_digit(digits) => Ok(digits.to_owned()),
        8 => from_upc_e(digits).map(|code| gtin(&code)).ok_or(NotACode::CheckDigit),
        12..=MOST_DIGITS if has_check_digit(digits) => Ok(gtin(digits)),
        12..=MOST_DIGITS => Err(NotACode::CheckDigit),
        // A spreadsheet drops leading zeros.
        9..12 if has_check_digit(digits) => Ok(gtin(digits)),
        0..=MOST_DIGITS => Ok(digits.to_owned()),
        _ => Err(NotACode::TooManyDigits),
    }
}

/// What a scanned number may mean, the likeliest first. A UPC-E and an EAN-8 look alike.
pub fn meanings(scanned: &str) -> Vec<String> {
    let as_it_is = canonical(scanned).ok();
    let upc_e = from_upc_e(scanned).map(|code| gtin(&code));
    let mut meanings: Vec<String> = as_it_is.into_iter().chain(upc_e).collect();
    meanings.dedup();
    meanings
}

/// A number of the GS1 system with 8, 13 or 14 digits.
fn gtin(digits: &str) -> String {
    let bare = digits.trim_start_matches('0');
    let width = if bare.len() <= 8 { 8 } else { bare.len().max(13) };
    format!("{bare:0>width$}")
}

/// The twelve digits of a UPC-A, of which a UPC-E leaves zeros out; `None` if it is none.
pub fn from_upc_e(digits: &str) -> Option<String> {
    if digits.len() != 8 || !is_digits(digits) || !digits.starts_with(['0', '1']) {
        return None;
    }
    let (system, rest) = digits.split_at(1);
    let (body, check) = rest.split_at(6);
    let (first, last) = body.split_at(5);
    let code = match last {
        "0" | "1" | "2" => format!("{system}{}{last}0000{}{check}", &first[..2], &first[2..]),
        "3" => format!("{system}{}00000{}{check}", &first[..3], &first[3..]),
        "4" => format!("{system}{}00000{}{check}", &first[..4], &first[4..]),
        _ => format!("{system}{first}0000{last}{check}"),
    };
    has_check_digit(&code).then_some(code)
}

/// Whether the last digit is right: from the right, every second digit counts three times.
pub fn has_check_digit(digits: &str) -> bool {
    let weights = [1_u32, 3].into_iter().cycle();
    let sum: u32 = digits
        .bytes()
        .rev()
        .zip(weights)
        .map(|(byte, weight)| u32::from(byte.wrapping_sub(b'0')) * weight)
        .sum();
    is_digits(digits) && sum.is_multiple_of(10)
}

pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_rounded(text: &str) -> bool {
    let Some((number, exponent)) = text.split_once(['E', 'e']) else { return false };
    let is_number =
        number.contains('.') && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_number && exponent.strip_prefix('+').is_some_and(is_digits)
}
