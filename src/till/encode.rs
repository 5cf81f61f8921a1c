//! Text as Chinese printers and displays expect it: the two-byte part of GB18030 at two columns per
//! character, and ASCII at one (devices 2.4). The output never contains a control byte.

use encoding_rs::GB18030;
use unicode_width::UnicodeWidthChar;

use crate::clean::clean;

/// Maximum cells of one field; anything longer was not meant for a receipt.
const LONGEST: usize = 400;
/// Replaces a character that printers have no glyph for.
const MISSING: [u8; 2] = [0xa1, 0xf5];

/// Removes everything that prints nothing. All text is printed through this.
pub fn printable(text: &str) -> String {
    clean(text, LONGEST)
        .chars()
        .filter(|character| character.width() != Some(0))
        .map(|character| if character == '\u{a5}' { '￥' } else { character })
        .collect()
}

/// The printer's bytes, none of which could be a command.
pub fn encode(text: &str) -> Vec<u8> {
    printable(text).chars().flat_map(encode_character).collect()
}

/// Whether printers that know only GB2312 have all the characters.
pub fn is_gb2312(text: &str) -> bool {
    text.chars().filter(|character| !character.is_ascii()).all(|character| {
        // The rows of symbols have gaps; above them are the two levels of characters.
        matches!(
            encode_character(character)[..],
            [0xa1 | 0xa3 | 0xb0..=0xf7, 0xa1..=0xfe]
                | [0xa2, 0xb1..=0xe2 | 0xe5..=0xee | 0xf1..=0xfc]
                | [0xa4, 0xa1..=0xf3]
                | [0xa5, 0xa1..=0xf6]
                | [0xa6, 0xa1..=0xb8 | 0xc1..=0xd8]
                | [0xa7, 0xa1..=0xc1 | 0xd1..=0xf1]
                | [0xa8, 0xa1..=0xba | 0xc5..=0xe9]
                | [0xa9, 0xa4..=0xef]
        )
    })
}

/// Columns of a printable text, measured as the printer does.
pub fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Columns of one printable character, which equal its bytes.
pub fn columns_of(character: char) -> usize {
    if character.is_ascii() { 1 } else { 2 }
}

fn encode_character(character: char) -> Vec<u8> {
    if character.is_ascii() {
        let byte = u8::try_from(character).ok().filter(|byte| (b' '..=b'~').contains(byte));
        return byte.into_iter().collect();
    }
    let mut text = [0; 4];
    let (bytes, _, _) = GB18030.encode(character.encode_utf8(&mut text));
    match *bytes {
        // Second bytes begin at 0x40, so no pair contains a control byte.
        [lead @ 0x81..=0xfe, trail @ (0x40..=0x7e | 0x80..=0xfe)] => vec![lead, trail],
        _ => MISSING.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn chinese_is_two_bytes_a_character() {
        assert_eq!(encode("人民币 A"), b"\xc8\xcb\xc3\xf1\xb1\xd2 A");
        assert_eq!(encode("€…—镕喆"), GB18030.encode("€…—镕喆").0.as_ref());
    }

    #[test]
    fn the_yen_sign_becomes_the_one_printers_have() {
        assert_eq!(encode("\u{a5}1￥2"), b"\xa3\xa41\xa3\xa42");
    }

    #[test]
    fn what_needs_four_bytes_is_a_box() {
        assert_eq!(encode("a𠮷b"), b"a\xa1\xf5b");
        assert_eq!(encode("😀"), b"\xa1\xf5");
    }

    #[test]
    fn old_printers_lack_the_rest() {
        assert!(is_gb2312("Total: ￥12.34 人民币，谢谢惠顾！①"));
        for rare in ["镕", "喆", "€"] {
            assert!(!is_gb2312(rare), "{rare}");
        }
    }

    #[test]
    fn commands_do_not_get_through() {
        assert_eq!(encode("a\u{1b}@b\u{1d}V\0\u{10}\u{4}\u{1}c\u{7f}"), b"a@bVc");
    }

    proptest! {
        #[test]
        fn a_column_is_a_byte(text in "\\PC*|.*") {
            let bytes = encode(&text);
            prop_assert_eq!(bytes.len(), columns(&printable(&text)));
            prop_assert!(bytes.iter().all(|byte| *byte >= b' ' && *byte != 0x7f));
        }
    }
}
