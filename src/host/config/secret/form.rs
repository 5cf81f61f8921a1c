//! In which form a secret comes: what a merchant platform hands out, what editors and mail programs
//! make of it, and the command that makes of it what a till can use.

use std::path::Path;

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::fault::{API_KEY_LENGTH, Command, Odd, SecretFault};
use super::shown;
use paytill_core::clean::is_unsafe;

/// The byte-order mark that some editors put before a text.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// The full-width digits that an input method types.
const WIDE_DIGITS: std::ops::RangeInclusive<char> = '\u{ff10}'..='\u{ff19}';
const WIDE: std::ops::RangeInclusive<char> = '\u{ff01}'..='\u{ff5e}';

/// Whether a character is none that an `APIv2` key has.
fn odd(character: char) -> Option<Odd> {
    match character {
        '!'..='~' => None,
        '\n' | '\r' => Some(Odd::LineEnd),
        _ if character.is_whitespace() => Some(Odd::Blank),
        _ if WIDE.contains(&character) => Some(Odd::Wide),
        _ if is_unsafe(character) => Some(Odd::Invisible),
        _ => Some(Odd::Other),
    }
}

/// An `APIv2` key. What stands around it is no part of it: a byte-order mark, blanks, line ends.
pub(super) fn api_key(bytes: &[u8], file: Option<&Path>) -> Result<SecretString, SecretFault> {
    let is_wide_text = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    if is_wide_text {
        return Err(SecretFault::Encoding(file.map(from_utf16)));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| SecretFault::Encoding(None))?;
    let key = text.trim_matches(|letter: char| letter.is_whitespace() || is_unsafe(letter));
    let first_odd = key.chars().enumerate().find_map(|(at, letter)| Some((at + 1, odd(letter)?)));
    let length = key.chars().count();
    if first_odd.is_none() && length == API_KEY_LENGTH {
        return Ok(SecretString::from(key));
    }
    let run = file.and_then(|file| mending(key, file));
    Err(SecretFault::NotAKey { length, odd: first_odd, run })
}

/// What makes a key of the right length of it, if a simple command can.
fn mending(key: &str, file: &Path) -> Option<Command> {
    let plain = |letter: char| odd(letter).is_none();
    let of_use = |letter: &char| plain(*letter) || WIDE_DIGITS.contains(letter);
    let droppable = |letter: char| {
        matches!(odd(letter), None | Some(Odd::Blank | Odd::LineEnd | Odd::Invisible))
            || WIDE_DIGITS.contains(&letter)
    };
    let has_wide = key.chars().any(|letter| WIDE_DIGITS.contains(&letter));
    if !key.chars().all(droppable) || key.chars().filter(of_use).count() != API_KEY_LENGTH {
        return None;
    }
    let file = shown(file);
    Some(Command(if key.chars().all(|letter| of_use(&letter)) && has_wide {
        format!("LC_ALL=C.UTF-8 sed -i 'y/０１２３４５６７８９/0123456789/' {file}")
    } else if has_wide {
        return None;
    } else {
        in_place("LC_ALL=C tr -cd '!-~' <", &file)
    }))
}

/// A command whose output replaces the file it reads, for its owner alone.
fn in_place(filter: &str, file: &str) -> String {
    let new = format!("{file}.new");
    format!("(umask 077; {filter} {file} > {new}) && mv {new} {file}")
}

fn from_utf16(file: &Path) -> Command {
    Command(in_place("iconv -f UTF-16 -t UTF-8", &shown(file)))
}

/// A PEM text without byte-order marks, which would hide its first line.
pub(super) fn without_marks(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut pem = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(MARK) {
            rest = after;
        } else {
            pem.push(*first);
            rest = after;
        }
    }
    pem
}

/// Whether a PEM text has a private key, encrypted or not.
pub(super) fn has_key(pem: &[u8]) -> bool {
    let has = |words: &[u8]| pem.windows(words.len()).any(|window| window == words);
    has(b"-----BEGIN ") && has(b"PRIVATE KEY-----")
}

/// What a file holds that is not the PEM that was expected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    Pkcs12,
    DerCertificate,
    DerKey,
    EncryptedKey,
    Utf16,
    Other,
}

impl Form {
    pub(super) fn of(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Self::Utf16;
        }
        let has = |words: &[u8]| bytes.windows(words.len()).any(|window| window == words);
        if has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED") {
            return Self::EncryptedKey;
        }
        // A sequence in DER: of version 3 it is PKCS#12, of version 0 or 1 a key; a certificate
        // begins with another sequence.
        match inside(bytes) {
            Some([0x02, 0x01, 0x03, 0x30, ..]) => Self::Pkcs12,
            Some([0x02, 0x01, 0x00 | 0x01, ..]) => Self::DerKey,
            Some([0x30, ..]) => Self::DerCertificate,
            _ => Self::Other,
        }
    }

    /// What to say of such a file; `None` if there is nothing special to say.
    pub(super) fn fault(self, path: &Path) -> Option<SecretFault> {
        let file = shown(path);
        let beside = |name: &str| shown(&path.with_file_name(name));
        let converted = |how: &str, extension: &str| {
            let new = shown(&path.with_extension(extension));
            Command(format!("openssl {how} -in {file} -out {new}"))
        };
        Some(match self {
            Self::Pkcs12 => {
                let (certificate, key) =
                    (beside("apiclient_cert.pem"), beside("apiclient_key.pem"));
                let run = format!(
                    "openssl pkcs12 -in {file} -clcerts -nokeys -out {certificate} && openssl \
                     pkcs12 -in {file} -nocerts -nodes -out {key} && chmod 600 {key}"
                );
                SecretFault::Pkcs12(file, Command(run))
            }
            Self::DerCertificate => {
                let run = converted("x509 -inform DER", "pem");
                SecretFault::Binary(file, run)
            }
            Self::DerKey => {
                let run = converted("pkey -inform DER", "pem");
                SecretFault::Binary(file, run)
            }
            Self::EncryptedKey => {
                let run = converted("pkey", "plain.pem");
                SecretFault::EncryptedKey(file, run)
            }
            Self::Utf16 => SecretFault::Encoding(Some(from_utf16(path))),
            Self::Other => return None,
        })
    }
}

/// What is inside a sequence that fills all the bytes.
fn inside(bytes: &[u8]) -> Option<&[u8]> {
    let (0x30, rest) = bytes.split_first().map(|(tag, rest)| (*tag, rest))? else { return None };
    match rest.split_first()? {
        (0..=0x7e, content) => Some(content),
        // Also of a length that is not told in advance.
        (0x80, content) => Some(content),
        (length @ 0x81..=0x84, content) => content.get(usize::from(length & 0x7f)..),
        _ => None,
    }
}
