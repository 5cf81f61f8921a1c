//! Standard output and standard error. A line can neither control the terminal nor reveal a payment
//! code.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use unicode_width::UnicodeWidthChar;

use crate::clean::escape;
use crate::order::AuthCode;

/// Prints a line on standard output; `false` if it could not be written. A payment goes on whether
/// or not anybody reads it. Control characters are escaped, wherever the line came from.
pub fn print_line(line: &str) -> bool {
    print_lines(&[line])
}

/// As [`print_line`], for several in one piece.
pub fn print_lines(lines: &[impl AsRef<str>]) -> bool {
    let lines: Vec<String> = lines.iter().map(|line| harmless(line.as_ref())).collect();
    let Some(first) = lines.first() else { return true };
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", lines.join("\n")).and_then(|()| out.flush()) {
        Ok(()) => true,
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => true,
        Err(error) => {
            // Not translated: it is about the stream, and the line itself is in the right language
            // already.
            print_message(&format!("paytill: stdout: {error}: {first}"));
            false
        }
    }
}

/// Prints a line for people on standard error, as [`print_line`] does, with payment codes masked:
/// something typed in the wrong place may be one.
pub fn print_message(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", harmless(&masked(line)));
}

/// Prints on standard error what somebody at the terminal is to type, who types behind it.
pub(super) fn print_prompt(prompt: &str) {
    let mut out = io::stderr().lock();
    let _ = write!(out, "{}", harmless(prompt)).and_then(|()| out.flush());
}

/// Combining marks allowed on one character, as everywhere.
const MARKS_MAX: usize = 2;

/// The line without anything that controls the terminal or runs into other lines.
fn harmless(line: &str) -> String {
    let mut marks = 0;
    let is_kept = |character: &char| {
        marks = if character.width() == Some(0) { marks + 1 } else { 0 };
        marks <= MARKS_MAX
    };
    escape(line).chars().filter(is_kept).collect()
}

/// Where a code is drawn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stream {
    Output,
    Error,
}

/// Draws lines of half blocks on a terminal: white on black, which no theme changes.
pub(super) fn draw_blocks(lines: &[String], with_colours: bool, on: Stream) {
    let (begins, ends) =
        if with_colours { ("\x1b[38;5;231;48;5;16m", "\x1b[0m") } else { ("", "") };
    let is_block = |letter: &char| matches!(letter, '█' | '▀' | '▄' | ' ');
    let mut drawing = String::new();
    for line in lines {
        drawing.push_str(begins);
        drawing.extend(line.chars().filter(is_block));
        drawing.push_str(ends);
        drawing.push('\n');
    }
    // Whoever does not see it still has the file, or asks again.
    let _ = match on {
        Stream::Output => io::stdout().lock().write_all(drawing.as_bytes()),
        Stream::Error => io::stderr().lock().write_all(drawing.as_bytes()),
    };
}

/// The text with every payment code masked.
pub(super) fn masked(text: &str) -> String {
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

/// Writes a new file that only its owner may read. One that is there stays as it is.
pub fn put_new(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    let mut out = options.write(true).create_new(true).mode(0o600).open(file)?;
    let written = out.write_all(bytes).and_then(|()| out.sync_all());
    if written.is_err() {
        let _ = std::fs::remove_file(file);
    }
    written
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
