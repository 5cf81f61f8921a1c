//! What is said on standard output and standard error: lines that command no terminal and repeat no
//! payment code.

use std::io::Write;

use unicode_width::UnicodeWidthChar;

use crate::clean::escape;
use crate::order::AuthCode;

/// Prints a line on standard output, and tells if that cannot be. Whether anybody reads it changes
/// nothing for a payment. What could command a terminal is escaped, wherever the line came from.
pub fn print_line(line: &str) -> bool {
    let line = &harmless(line);
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Ok(()) => true,
        // Whoever read it has read enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => true,
        Err(error) => {
            // In no language: this is of the stream, and the line itself is in the right one.
            print_message(&format!("paytill: stdout: {error}: {line}"));
            false
        }
    }
}

/// Prints a line for people on standard error, as [`say`] does, with payment codes masked: whatever
/// was typed in the wrong place may be one.
pub fn print_message(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", harmless(&masked(line)));
}

/// Marks that may stand on one character, as everywhere.
const MARKS_MAX: usize = 2;

/// The line with nothing in it that commands a terminal or smears over other lines.
fn harmless(line: &str) -> String {
    let mut marks = 0;
    let is_kept = |character: &char| {
        marks = if character.width() == Some(0) { marks + 1 } else { 0 };
        marks <= MARKS_MAX
    };
    escape(line).chars().filter(is_kept).collect()
}

/// The text with every payment code in it masked.
fn masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_alphanumeric()) {
        let word = &rest[start..];
        let end = word.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(word.len());
        masked.push_str(&rest[..start]);
        match AuthCode::new(&word[..end]) {
            Some(code) => masked.push_str(&code.masked()),
            None => masked.push_str(&word[..end]),
        }
        rest = &word[end..];
    }
    masked + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payment_codes_are_masked_and_numbers_of_orders_are_not() {
        let code = "134567890123456789";
        assert_eq!(
            masked(&format!("'{code}' 余 {code}")),
            "'13************6789' 余 13************6789"
        );
        for plain in
            ["T01261122113000123456", "4200001234202611220123456789", "x134567890123456789"]
        {
            assert_eq!(masked(plain), plain);
        }
    }
}
