//! The one form of an evidence file, and the digests over it.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest as sha};
use serde_json::Value;
use unicode_width::UnicodeWidthChar as _;

use crate::clean::is_unsafe;

/// The members that make changes show. The others are the content.
pub(super) const PARTS: &str = "parts";
pub(super) const SEAL: &str = "seal";
pub(super) const DIGEST: &str = "digest";
/// The digits of a part's digest: enough to name what changed; the whole has a full one.
const DIGITS: usize = 16;

/// The text of the file. It can be printed as it is: nothing in it commands a terminal.
pub(super) fn written(value: &Value) -> String {
    let pretty = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut text = String::with_capacity(pretty.len() + 1);
    for letter in pretty.chars() {
        if letter != '\n' && (is_unsafe(letter) || letter.width() == Some(0)) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(letter);
        }
    }
    text.push('\n');
    text
}

/// The digest of a text.
pub(super) fn digest(text: &str) -> String {
    let digest = sha(&SHA256, text.as_bytes());
    digest.as_ref().iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

/// The content without a member.
pub(super) fn without(value: &Value, names: &[&str]) -> Value {
    let mut rest = value.clone();
    if let Some(members) = rest.as_object_mut() {
        members.retain(|name, _| !names.contains(&name.as_str()));
    }
    rest
}

/// A digest for each part of the content, by its path: each member, and each of the order's and of
/// an event's.
pub(super) fn parts(whole: &Value) -> Vec<(String, String)> {
    let mut parts = Vec::new();
    for (name, value) in whole.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            (PARTS | SEAL | DIGEST, _) => {}
            ("order", Value::Object(_)) => descend(name, value, &mut parts),
            ("events", Value::Array(events)) => {
                for (at, event) in events.iter().enumerate() {
                    descend(&format!("{name}[{at}]"), event, &mut parts);
                }
            }
            _ => parts.push(part(name, value)),
        }
    }
    parts
}

fn descend(path: &str, value: &Value, parts: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            parts
                .extend(members.iter().map(|(name, value)| part(&format!("{path}.{name}"), value)));
        }
        _ => parts.push(part(path, value)),
    }
}

fn part(path: &str, value: &Value) -> (String, String) {
    let mut digits = digest(&value.to_string());
    digits.truncate(DIGITS);
    (path.to_owned(), digits)
}
