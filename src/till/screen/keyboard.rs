//! The bytes of a terminal as keys.
//!
//! A key with a name of its own arrives as several bytes that begin with Esc, and a slow line may
//! cut them anywhere. An Esc is therefore reported as a key, and taken back if `[` or `O` follows.
//! The keypad is understood in both of its modes, whoever has switched it.

use super::Key;
use crate::clock::{Millis, Uptime};

/// The longest pause inside one key, a little less than an Esc is held for.
const CUT: Millis = Millis(630);
/// No key of any terminal is longer.
const LONGEST: usize = 12;
const ESC: u8 = 0x1b;

/// What the bytes say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pressed {
    Key(Key, Uptime),
    /// The terminal's answer: the column of a cursor in the second line.
    Cursor(u16),
    /// The last key, an Esc, was the beginning of another one.
    NoEscape,
}

/// Reads keys out of bytes as they arrive.
#[derive(Debug, Default)]
pub struct KeyReader {
    /// The key that has begun. At first it is only an Esc, which has been reported.
    pending: Vec<u8>,
    is_reported: bool,
    /// The bytes of a character that is not complete.
    character: Vec<u8>,
    last_at: Uptime,
}

impl KeyReader {
    /// Takes what was read at once, and when.
    pub fn read(&mut self, bytes: &[u8], at: Uptime) -> Vec<Pressed> {
        let mut pressed = Vec::new();
        if at.since(self.last_at) > CUT {
            self.give_up(&mut pressed);
        }
        self.last_at = at;
        for byte in bytes {
            self.take(*byte, at, &mut pressed);
        }
        if self.pending == [ESC] && !self.is_reported {
            pressed.push(Pressed::Key(Key::Esc, at));
            self.is_reported = true;
        }
        pressed
    }

    /// What has begun will not be finished. It was no key, but somebody or something pressed it.
    fn give_up(&mut self, pressed: &mut Vec<Pressed>) {
        if self.pending.len() > 1 {
            pressed.push(Pressed::Key(Key::Unknown, self.last_at));
        }
        self.pending.clear();
        self.character.clear();
    }

    fn take(&mut self, byte: u8, at: Uptime, pressed: &mut Vec<Pressed>) {
        match self.pending.as_slice() {
            [] if byte == ESC => {
                self.character.clear();
                self.pending.push(ESC);
                self.is_reported = false;
            }
            [] => self.plain(byte, at, pressed),
            [_] if matches!(byte, b'[' | b'O') => {
                if self.is_reported {
                    pressed.push(Pressed::NoEscape);
                }
                self.pending.push(byte);
            }
            [_] => {
                if !self.is_reported {
                    pressed.push(Pressed::Key(Key::Esc, at));
                }
                self.pending.clear();
                self.take(byte, at, pressed);
            }
            [_, kind, rest @ ..] => {
                let is_last = match (kind, rest) {
                    (b'O', _) => byte >= b' ',
                    // The Linux console: ESC [ [ A.
                    (_, []) if byte == b'[' => false,
                    _ => (0x40..=0x7e).contains(&byte),
                };
                if is_last {
                    self.pending.push(byte);
                    pressed.push(match cursor(&self.pending[1..]) {
                        Some(column) => Pressed::Cursor(column),
                        None => Pressed::Key(named(&self.pending[1..]), at),
                    });
                    self.pending.clear();
                } else if (b' '..0x7f).contains(&byte) && self.pending.len() < LONGEST {
                    self.pending.push(byte);
                } else {
                    // No key at all, but a text that happened to begin like one.
                    pressed.push(Pressed::Key(Key::Esc, at));
                    for byte in std::mem::take(&mut self.pending).into_iter().skip(1) {
                        self.plain(byte, at, pressed);
                    }
                    self.take(byte, at, pressed);
                }
            }
        }
    }

    fn plain(&mut self, byte: u8, at: Uptime, pressed: &mut Vec<Pressed>) {
        let key = match byte {
            b'\r' => Key::Enter,
            b'\n' => Key::LineFeed,
            b'\t' => Key::Tab,
            0x08 | 0x7f => Key::Backspace,
            1..=26 => Key::Ctrl(char::from(b'a' + byte - 1)),
            0..b' ' => Key::Unknown,
            b' '..=b'~' => Key::Char(char::from(byte)),
            0x80.. => {
                self.character.push(byte);
                match std::str::from_utf8(&self.character) {
                    Ok(text) => text.chars().next().map_or(Key::Unknown, Key::Char),
                    Err(error) if error.error_len().is_none() => return,
                    Err(_) => Key::Unknown,
                }
            }
        };
        self.character.clear();
        pressed.push(Pressed::Key(key, at));
    }
}

/// In the first line it would be F3 with another key.
fn cursor(sequence: &[u8]) -> Option<u16> {
    let column = sequence.strip_prefix(b"[2;")?.strip_suffix(b"R")?;
    std::str::from_utf8(column).ok()?.parse().ok()
}

/// The key of a sequence, without its Esc.
fn named(sequence: &[u8]) -> Key {
    match sequence {
        b"[A" | b"OA" => Key::Up,
        b"[B" | b"OB" => Key::Down,
        b"OP" | b"[11~" | b"[[A" => Key::F(1),
        b"OQ" | b"[12~" | b"[[B" => Key::F(2),
        b"OR" | b"[13~" | b"[[C" => Key::F(3),
        b"OS" | b"[14~" | b"[[D" => Key::F(4),
        b"[15~" | b"[[E" => Key::F(5),
        b"[17~" => Key::F(6),
        b"[18~" => Key::F(7),
        b"[19~" => Key::F(8),
        b"[20~" => Key::F(9),
        b"[21~" => Key::F(10),
        b"[23~" => Key::F(11),
        b"[24~" => Key::F(12),
        // The keypad in application mode: each character 0x40 further on.
        b"OM" => Key::Enter,
        b"OI" => Key::Tab,
        b"OX" => Key::Char('='),
        [b'O', symbol @ b'j'..=b'y'] => Key::Char(char::from(symbol - 0x40)),
        _ => Key::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(pieces: &[&[u8]], pause: u64) -> Vec<Key> {
        let (mut reader, mut keys, mut at) = (KeyReader::default(), Vec::new(), 1000);
        for piece in pieces {
            for pressed in reader.read(piece, Uptime(at)) {
                match pressed {
                    Pressed::Key(key, _) => keys.push(key),
                    Pressed::Cursor(column) => assert_eq!(column, 3),
                    Pressed::NoEscape => assert_eq!(keys.pop(), Some(Key::Esc)),
                }
            }
            at += pause;
        }
        keys
    }

    #[test]
    fn a_key_that_is_cut_anywhere_is_one_key() {
        for (bytes, key) in [
            (b"\x1b[20~".as_slice(), Key::F(9)),
            (b"\x1bOP", Key::F(1)),
            (b"\x1b[[E", Key::F(5)),
            (b"\x1b[A", Key::Up),
            (b"\x1bOB", Key::Down),
            (b"\x1b[1;5A", Key::Unknown),
        ] {
            assert_eq!(keys(&[bytes], 0), [key]);
            for cut in 1..bytes.len() {
                assert_eq!(keys(&[&bytes[..cut], &bytes[cut..]], 600), [key], "{bytes:?} {cut}");
            }
            let bytes: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(keys(&bytes, 600), [key]);
        }
    }

    #[test]
    fn where_the_cursor_is_is_no_key() {
        assert_eq!(keys(&[b"1\x1b[2;3R2"], 0), [Key::Char('1'), Key::Char('2')]);
        assert_eq!(keys(&[b"\x1b[2", b";3R"], 300), []);
        assert_eq!(keys(&[b"\x1b[1;2R"], 0), [Key::Unknown], "Shift-F3");
    }

    #[test]
    fn the_keypad_types_in_application_mode() {
        let typed = keys(&[b"\x1bOq\x1bOr\x1bOn\x1bOu\x1bOp\x1bOM"], 0);
        let expected = [
            Key::Char('1'),
            Key::Char('2'),
            Key::Char('.'),
            Key::Char('5'),
            Key::Char('0'),
            Key::Enter,
        ];
        assert_eq!(typed, expected);
    }

    #[test]
    fn an_escape_alone_is_a_key_and_so_is_what_follows_later() {
        assert_eq!(keys(&[b"\x1b"], 0), [Key::Esc]);
        assert_eq!(keys(&[b"\x1b", b"5"], 100), [Key::Esc, Key::Char('5')]);
        assert_eq!(keys(&[b"\x1b", b"[", b"5"], 700), [Key::Esc, Key::Char('['), Key::Char('5')]);
        assert_eq!(keys(&[b"\x1b\x1b"], 0), [Key::Esc, Key::Esc]);
        assert_eq!(keys(&[b"\x1b\r"], 0), [Key::Esc, Key::Enter], "no Alt-Enter");
    }

    #[test]
    fn a_text_that_begins_like_a_key_is_a_text() {
        let typed = keys(&[b"\x1b[134567890123456789\r"], 0);
        assert_eq!((typed[0], typed[1], typed.len()), (Key::Esc, Key::Char('['), 21));
        assert_eq!(typed.last(), Some(&Key::Enter));
        assert_eq!(keys(&[b"\x1b[20", b"5"], 700), [Key::Unknown, Key::Char('5')]);
    }

    #[test]
    fn control_keys_and_characters() {
        assert_eq!(
            keys(&[b"\x11\n\x7f\x00"], 0),
            [Key::Ctrl('q'), Key::LineFeed, Key::Backspace, Key::Unknown]
        );
        let wide = "１余".as_bytes();
        assert_eq!(keys(&[&wide[..4], &wide[4..]], 5), [Key::Char('１'), Key::Char('余')]);
        assert_eq!(keys(&[b"\xff5"], 0), [Key::Unknown, Key::Char('5')]);
    }

    #[test]
    fn any_bytes_are_taken_and_little_is_kept() {
        let mut reader = KeyReader::default();
        for (count, byte) in (0..=255_u8).cycle().take(9000).enumerate() {
            let at = Uptime(count as u64);
            reader.read(&[ESC, b'[', b'9', byte], at);
            assert!(reader.pending.len() <= LONGEST && reader.character.len() <= 4);
        }
    }
}
