//! What is said of a file that is not what it should be, with the command that makes of it what a
//! till can use.

use std::path::Path;

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::fault::SecretFault;
use super::form::{API_KEY_LENGTH, Form, Odd, P12, is_api_key, odd, trimmed};
use super::step::{self, Asks, Command, Line, Step};
use super::{Of, shown};

/// The full-width digits and letters that an input method types, and what they stand for.
const WIDE_LETTERS: &str = "０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ\
                            ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ";
const LETTERS: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// An `APIv2` key. What stands around it is no part of it: a byte-order mark, blanks, line ends.
pub(super) fn api_key(bytes: &[u8], file: Option<&Path>) -> Result<SecretString, SecretFault> {
    let is_wide_text = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    if is_wide_text {
        return Err(SecretFault::Encoding(file.map(from_utf16)));
    }
    // Characters that are counted and never shown.
    let text = String::from_utf8_lossy(bytes);
    let text = Zeroizing::new(text.into_owned());
    let key = trimmed(&text);
    if is_api_key(key) {
        return Ok(SecretString::from(key));
    }
    if let Some(fault) = file.and_then(|file| other(bytes, file)) {
        return Err(fault);
    }
    let first_odd = key.chars().enumerate().find_map(|(at, letter)| Some((at + 1, odd(letter)?)));
    let length = key.chars().count();
    let (is_note, step) = match file.map(|file| not_a_key(bytes, key, file)) {
        Some((is_note, step)) => (is_note, Some(step)),
        None => (false, None),
    };
    Err(SecretFault::NotAKey { length, odd: first_odd, is_note, step })
}

/// Another secret in the file of an `APIv2` key.
fn other(bytes: &[u8], file: &Path) -> Option<SecretFault> {
    match Form::of(bytes) {
        Form::Other | Form::ApiKey => None,
        form => other_form(form, file, Of::ApiKey),
    }
}

/// What is in a file in place of an `APIv2` key, and what makes one of it.
fn not_a_key(bytes: &[u8], key: &str, file: &Path) -> (bool, Step) {
    if let Some(command) = mending(key, file) {
        return (false, Step::Run(command, Asks::Nothing, Vec::new()));
    }
    match taken_out(bytes, file) {
        Some(step) => (true, step),
        // Whatever else is in it may be the only copy.
        None if is_more_than_a_key(bytes) => (false, Step::instead_of(file, Of::ApiKey)),
        None => (false, Step::Paste(step::pasted(file), None)),
    }
}

fn is_more_than_a_key(bytes: &[u8]) -> bool {
    bytes.len() > 2 * API_KEY_LENGTH || bytes.trim_ascii().contains(&b'\n')
}

/// What makes a key of the right length of it, if a simple command can.
fn mending(key: &str, file: &Path) -> Option<Command> {
    let is_wide = |letter: char| WIDE_LETTERS.contains(letter);
    let of_use = |letter: &char| odd(*letter).is_none() || is_wide(*letter);
    let droppable =
        |letter: char| matches!(odd(letter), Some(Odd::Blank | Odd::LineEnd | Odd::Invisible));
    let has_only = key.chars().all(|letter| of_use(&letter) || droppable(letter));
    if !has_only || key.chars().filter(of_use).count() != API_KEY_LENGTH {
        return None;
    }
    let file = shown(file);
    let narrow = format!("LC_ALL=C.UTF-8 sed 'y/{WIDE_LETTERS}/{LETTERS}/'");
    Some(Command(match (key.chars().any(is_wide), key.chars().any(droppable)) {
        (true, false) => in_place(&format!("{narrow} <"), "", &file),
        (true, true) => in_place(&format!("{narrow} <"), " | LC_ALL=C tr -cd '!-~'", &file),
        (false, _) => in_place("LC_ALL=C tr -cd '!-~' <", "", &file),
    }))
}

/// What takes the key out of a note, if there is one word in it that is as long. The note is kept:
/// the word may be another one after all.
fn taken_out(note: &[u8], file: &Path) -> Option<Step> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut words = note
        .split(|byte| !is_word(byte))
        .filter(|word| word.len() == API_KEY_LENGTH && !word.contains(&b'_'));
    words.next().filter(|_| words.next().is_none())?;
    let new = file.with_extension("apiv2.key");
    let (from, to) = (shown(file), shown(&new));
    let run =
        format!("(umask 077; LC_ALL=C grep -aowE '[0-9A-Za-z]{{{API_KEY_LENGTH}}}' {from} > {to})");
    Some(Step::Run(Command(run), Asks::Nothing, vec![Line::of(Of::ApiKey, &new)]))
}

/// A command whose output replaces the file it reads, for its owner alone.
fn in_place(filter: &str, then: &str, file: &str) -> String {
    let new = format!("{file}.new");
    format!("(umask 077; {filter} {file}{then} > {new}) && mv {new} {file}")
}

fn from_utf16(file: &Path) -> Command {
    Command(in_place("iconv -f UTF-16 -t UTF-8", "", &shown(file)))
}

/// What to say of such a file where another one is needed; `None` if there is nothing special
/// to say.
pub(super) fn other_form(form: Form, path: &Path, of: Of) -> Option<SecretFault> {
    let converted = |how: &str, new: &str, asks| {
        let new = path.with_extension(new);
        let run = format!("openssl {how} -in {} -out {}", shown(path), shown(&new));
        Step::Run(Command(run), asks, vec![Line::of(of, &new)])
    };
    let step = match (form, of) {
        (Form::Other, _) => return None,
        (Form::Utf16, _) => return Some(SecretFault::Encoding(Some(from_utf16(path)))),
        (Form::Zip | Form::ZipOfPkcs12, Of::Certificate | Of::Key) => unpacked(form, path),
        (Form::Pkcs12, Of::Certificate | Of::Key) => taken_apart(path),
        (Form::DerCertificate, Of::Certificate | Of::Roots) => {
            converted("x509 -inform DER", "cert.pem", Asks::Nothing)
        }
        (Form::DerKey, Of::Key) => converted("pkey -inform DER", "key.pem", Asks::Nothing),
        (Form::EncryptedKey, Of::Key) => converted("pkey", "plain.pem", Asks::Password),
        // It is what was asked for, and damaged.
        (Form::Certificate, Of::Certificate) | (Form::PrivateKey, Of::Key) => return None,
        _ => Step::instead_of(path, of),
    };
    Some(SecretFault::OtherForm { file: shown(path), form, step })
}

/// Out of the platform's archive, into a folder beside it.
fn unpacked(form: Form, path: &Path) -> Step {
    let folder = path.with_extension("unpacked");
    let [certificate, key] = match form {
        Form::ZipOfPkcs12 => [P12, P12],
        _ => [Of::Certificate, Of::Key].map(Of::usual_name),
    };
    let run = |file: &str, _: &Path, _: &Path| {
        let into = shown(&folder);
        // Whatever folder they are in: `-j` leaves that out.
        let of = if certificate == key {
            format!("'*{P12}'")
        } else {
            format!("'*{certificate}' '*{key}'")
        };
        let run = format!("(umask 077; unzip -j {file} {of} -d {into} && chmod 600 {into}/*)");
        (run, Asks::Nothing)
    };
    Step::both_out_of(path, run, (folder.join(certificate), folder.join(key)))
}

/// Certificate and key out of PKCS#12, in files that are not there yet.
fn taken_apart(path: &Path) -> Step {
    let usual = [Of::Certificate, Of::Key].map(|of| path.with_file_name(of.usual_name()));
    let is_free = usual.iter().all(|file| !file.exists());
    let own = ["cert.pem", "key.pem"].map(|extension| path.with_extension(extension));
    let [certificate, key] = if is_free { usual } else { own };
    let run = |file: &str, certificate: &Path, key: &Path| {
        let (certificate, key) = (shown(certificate), shown(key));
        let run = format!(
            "(umask 077; openssl pkcs12 -in {file} -clcerts -nokeys -out {certificate} && openssl \
             pkcs12 -in {file} -nocerts -nodes -out {key})"
        );
        (run, Asks::OldPassword)
    };
    Step::both_out_of(path, run, (certificate, key))
}
