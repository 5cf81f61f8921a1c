//! Wraps text into lines: at spaces, and between wide characters where Chinese typography allows
//! it.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Marks that must not begin a line.
const CLOSING: &str = "，。；：！？、）」”’,.;:!?)";
/// Marks that must not end a line.
const OPENING: &str = "（「“‘(";

/// Wraps the text into lines of at most this many cells.
pub(super) fn wrap(text: &str, cells: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if cells == 0 {
        return lines;
    }
    let mut line = String::new();
    for piece in pieces(text) {
        if line.width() + piece.trim_end().width() > cells && !line.is_empty() {
            lines.push(line.trim_end().to_owned());
            line.clear();
        }
        for character in piece.chars() {
            let wide = line.width() + character.width().unwrap_or(0) > cells;
            if wide && (character == ' ' || line.is_empty()) {
                continue;
            }
            if wide {
                lines.push(std::mem::take(&mut line));
            }
            line.push(character);
        }
    }
    if !line.trim_end().is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// The text in pieces between which a line may break.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        piece.push(character);
        let Some(&next) = characters.peek() else { break };
        let wide = |character: char| character.width() == Some(2) && character != '￥';
        let between_wide = (wide(character) || wide(next)) && next != ' ' && character != '￥';
        let may_break = character == ' ' && next != ' ' || between_wide;
        if may_break && !CLOSING.contains(next) && !OPENING.contains(character) {
            pieces.push(std::mem::take(&mut piece));
        }
    }
    pieces.push(piece);
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn english_breaks_at_spaces() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("incomprehensible", 8), ["incompre", "hensible"]);
    }

    #[test]
    fn chinese_breaks_anywhere_but_before_a_full_stop() {
        assert_eq!(wrap("请扫顾客的付款码。", 10), ["请扫顾客的", "付款码。"]);
        assert_eq!(wrap("请扫付款码。再来", 10), ["请扫付款", "码。再来"]);
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_no_word_is_lost(text in "[a-z ，。付款码]{0,60}", cells in 2_usize..30) {
            let lines = wrap(&text, cells);
            prop_assert!(lines.iter().all(|line| line.width() <= cells));
            let kept: String = lines.concat().replace(' ', "");
            prop_assert_eq!(kept, text.replace(' ', ""));
        }
    }
}
