//! Makes text from outside safe to display, log, print and store.
//!
//! [`clean`] drops every character that a terminal or printer could take for a command and bounds
//! the width; [`escape`] spells such characters out instead. Neither fails, whatever the input.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

/// Combining marks kept on one character; more would only smear the screen.
const MARKS_MAX: usize = 2;

/// Drops everything that a terminal, printer or log could take for a command (control characters,
/// direction marks, invisible and line-breaking characters) and cuts the text to `cells` columns.
pub fn clean(text: &str, cells: usize) -> String {
    let mut cleaned = String::new();
    let (mut used, mut marks) = (0, 0);
    for character in text.chars() {
        let character = if matches!(character, '\t' | '\n' | '\r') { ' ' } else { character };
        if is_unsafe(character) {
            continue;
        }
        match character.width() {
            Some(0) if marks < MARKS_MAX && used > 0 => marks += 1,
            None | Some(0) => continue,
            Some(width) if used + width > cells => break,
            Some(width) => {
                used += width;
                marks = 0;
            }
        }
        cleaned.push(character);
    }
    cleaned.truncate(cleaned.trim_end().len());
    cleaned
}

/// Whether a character could control a terminal, printer or log, or hide in one: control
/// characters, line breaks, direction marks, and all that Unicode calls default ignorable.
pub fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{ffff}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Writes every unsafe character except line ends as `\\uXXXX`, as JSON does: a log can be read
/// with `cat`, and a line of JSON stays valid JSON on one line.
pub fn escape(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    for character in line.chars() {
        if character != '\n' && is_unsafe(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn keeps_what_people_write() {
        for text in ["余额不足", "Not enough money (¥12.30)", "a\u{301}"] {
            assert_eq!(clean(text, 80), text);
        }
    }

    #[test]
    fn drops_what_commands_a_terminal() {
        assert_eq!(clean("\u{1b}[2J\u{1b}]0;x\u{7}PAID", 80), "[2J]0;xPAID");
        assert_eq!(clean("a\u{202e}b\u{2066}c\u{200b}d\u{9b}e\u{7f}\0", 80), "abcde");
        assert_eq!(clean("one\r\ntwo\tthree", 80), "one  two three");
        assert_eq!(clean("z\u{301}\u{301}\u{301}\u{301}", 80), "z\u{301}\u{301}");
    }

    #[test]
    fn drops_what_hides_in_a_text() {
        let hidden = "\u{34f}\u{115f}\u{1160}\u{17b4}\u{180b}\u{180f}\u{3164}\u{ffa0}\u{fff0}\u{1bca0}\u{1d173}";
        assert_eq!(clean(&format!("a{hidden}b"), 80), "ab");
    }

    #[test]
    fn cuts_by_cells_and_never_inside_a_wide_character() {
        assert_eq!(clean("支付成功", 5), "支付");
    }

    proptest! {
        #[test]
        fn nothing_unprintable_gets_through(text in "\\PC*|.*", cells in 0_usize..50) {
            let cleaned = clean(&text, cells);
            prop_assert!(cleaned.width() <= cells);
            prop_assert!(!cleaned.chars().any(is_unsafe));
        }
    }
}
