//! Everything that a terminal may be sent, as an automaton: the sequences of the drawing library
//! and the till, with the range of their numbers, and printable text. Any other byte is refused.

use std::collections::BTreeMap;

use super::plain::is_plain;

/// The most rows or columns of a window.
const FARTHEST: u32 = 2000;
/// Combining marks allowed on one character.
const MARKS: usize = 2;

/// The contents of a stream: how often each kind of sequence occurred.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    pub sequences: BTreeMap<String, usize>,
    pub characters: usize,
}

/// Where the bytes go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// The whole way from the shell to the screen and back.
    Terminal,
    /// Frames only.
    Frames,
    /// Lines of text, without any sequence.
    Lines,
}

/// Reads a stream to its end, or reports what does not belong there.
pub fn read(bytes: &[u8], place: Place) -> Result<Tally, String> {
    let mut tally = Tally::default();
    let (mut rest, mut is_on_screen, mut marks) = (bytes, place == Place::Frames, 0);
    while let Some(first) = rest.first() {
        let at = bytes.len() - rest.len();
        let shown = || String::from_utf8_lossy(&rest[..rest.len().min(24)]).into_owned();
        let refused = |what: &str| Err(format!("{what} at byte {at}: {:?}", shown()));
        let length = match first {
            0x1b if place != Place::Lines => match sequence(rest) {
                Some((length, kind)) => {
                    match kind.as_str() {
                        "?1049h" if place == Place::Terminal => is_on_screen = true,
                        "?1049l" if place == Place::Terminal => is_on_screen = false,
                        "?1049h" | "?1049l" => return refused("a screen is taken or given back"),
                        _ => {}
                    }
                    *tally.sequences.entry(kind).or_default() += 1;
                    marks = 0;
                    length
                }
                None => return refused("no sequence of ours"),
            },
            0x07 if is_on_screen && place == Place::Terminal => {
                *tally.sequences.entry("bell".into()).or_default() += 1;
                1
            }
            // On the screen every character is positioned; lines end only before and after it.
            b'\n' | b'\r' if !is_on_screen => 1,
            0..=0x1f | 0x7f => return refused("a control byte"),
            _ => match character(rest) {
                Some(character) if is_plain(character) => {
                    tally.characters += 1;
                    let is_mark = unicode_width::UnicodeWidthChar::width(character) == Some(0);
                    marks = if is_mark { marks + 1 } else { 0 };
                    if marks > MARKS {
                        return refused("a pile of marks");
                    }
                    character.len_utf8()
                }
                Some(_) => return refused("no plain character"),
                None => return refused("no UTF-8"),
            },
        };
        rest = &rest[length..];
    }
    Ok(tally)
}

fn character(bytes: &[u8]) -> Option<char> {
    let length = match bytes[0] {
        0..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    std::str::from_utf8(bytes.get(..length)?).ok()?.chars().next()
}

/// The length and the kind of a sequence.
fn sequence(bytes: &[u8]) -> Option<(usize, String)> {
    // The keypad in its usual mode, once at the start.
    if bytes.starts_with(b"\x1b>") {
        return Some((2, ">".to_owned()));
    }
    let body = bytes.strip_prefix(b"\x1b[")?;
    let end = body.iter().position(|byte| (0x40..=0x7e).contains(byte))?;
    let (numbers, last) = (std::str::from_utf8(&body[..end]).ok()?, body[end]);
    let kind = match last {
        // Hides and shows the cursor, enters and leaves the alternate screen.
        b'h' if ["?25", "?1049"].contains(&numbers) => format!("{numbers}h"),
        b'l' if ["?1", "?25", "?1049"].contains(&numbers) => format!("{numbers}l"),
        b'J' if numbers == "2" => "2J".to_owned(),
        b'H' => {
            let (row, column) = numbers.split_once(';')?;
            let is_near = |text: &str| number(text).is_some_and(|at| (1..=FARTHEST).contains(&at));
            (is_near(row) && is_near(column)).then(|| "H".to_owned())?
        }
        // Where the cursor is, once at the start.
        b'n' if numbers == "6" => "6n".to_owned(),
        b'm' => style(numbers)?,
        _ => return None,
    };
    Some((2 + end + 1, kind))
}

/// Palette colours and the few styles in use.
fn style(numbers: &str) -> Option<String> {
    let parts: Vec<u32> = numbers.split(';').map(number).collect::<Option<_>>()?;
    let mut rest = parts.as_slice();
    while !rest.is_empty() {
        rest = match rest {
            [38 | 48, 5, 0..=255, rest @ ..] => rest,
            [39 | 49 | 59, rest @ ..] => rest,
            // Reset, bold, dim, italic, underlined, inverse, and each of them switched off.
            [0 | 1 | 2 | 3 | 4 | 7 | 22 | 23 | 24 | 27, rest @ ..] => rest,
            _ => return None,
        };
    }
    let is_colour = matches!(parts[0], 38 | 39 | 48 | 49 | 59);
    Some(if is_colour { "colour".to_owned() } else { format!("{}m", parts[0]) })
}

/// A number in its canonical form.
fn number(text: &str) -> Option<u32> {
    let is_plain = !text.is_empty()
        && text.len() <= 4
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}
