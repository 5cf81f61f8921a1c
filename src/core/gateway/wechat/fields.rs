//! The messages of API v2: flat XML documents, signed over all their fields (protocol 2).
//!
//! Parsing is strict: bytes have one reading as a message, or none. Values are wiped from memory,
//! since a payment code may be among them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aws_lc_rs::hmac;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use crate::gateway::LARGEST_REPLY;

/// The most fields a message may have. Real ones have under 60, and three more for each coupon.
const MOST_FIELDS: usize = 300;
/// The nodes of such a message in its tree: for each field its element, its text, and the blanks
/// behind it.
const MOST_NODES: u32 = 3 * 300 + 10;

/// How a message is signed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize)]
pub enum SignType {
    #[default]
    #[serde(rename = "HMAC-SHA256")]
    HmacSha256,
    #[serde(rename = "MD5")]
    Md5,
}

impl SignType {
    /// Its value in `sign_type`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::HmacSha256 => "HMAC-SHA256",
            Self::Md5 => "MD5",
        }
    }
}

/// A message: names and values, none of them empty.
///
/// It is kept as the text that is signed, so that a signature costs little more than its digest. The
/// text is wiped when dropped or moved: a payment code may be in it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Fields {
    /// `name=value&` for each field but `sign`, by name.
    text: Zeroizing<String>,
    /// Where each of them is.
    places: Vec<Place>,
    sign: Option<Zeroizing<String>>,
}

/// Where a field begins in the text, and how long its name and its value are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Place {
    start: usize,
    name: usize,
    value: usize,
}

impl Place {
    /// With the two characters around the value.
    const fn length(self) -> usize {
        self.name + self.value + 2
    }
}

/// The field that signs the others.
const SIGN: &str = "sign";
/// Room for a usual message: it is not moved while it grows.
const ROOM: usize = 1024;

/// Why bytes are not a message.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotAMessage {
    #[error("larger than {LARGEST_REPLY} bytes or {MOST_FIELDS} fields")]
    TooLarge,
    #[error("not a well-formed XML document without a DTD")]
    NotXml,
    /// A message must not allow two readings.
    #[error("not a flat <xml> document with each field once")]
    NotFlat,
}

impl Fields {
    /// Sets a field; an empty value is neither signed nor sent.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = Zeroizing::new(value.into());
        if name == SIGN {
            self.sign = Some(value).filter(|value| !value.is_empty());
            return;
        }
        let at = match self.place(name) {
            Ok(at) => {
                self.remove(at);
                at
            }
            Err(at) => at,
        };
        if !value.is_empty() {
            self.insert(at, name, &value);
        }
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.places.binary_search_by(|place| self.name(*place).cmp(name))
    }

    fn remove(&mut self, at: usize) {
        let place = self.places.remove(at);
        let end = place.start + place.length();
        self.text.replace_range(place.start..end, "");
        for later in self.places.iter_mut().skip(at) {
            later.start -= place.length();
        }
    }

    fn insert(&mut self, at: usize, name: &str, value: &str) {
        let start = self.places.get(at).map_or(self.text.len(), |place| place.start);
        let place = Place { start, name: name.len(), value: value.len() };
        let needed = self.text.len() + place.length();
        if needed > self.text.capacity() {
            // Growing by itself would leave a copy behind.
            let mut larger = Zeroizing::new(String::with_capacity(ROOM.max(2 * needed)));
            larger.push_str(&self.text);
            self.text = larger;
        }
        for part in ["&", value, "=", name] {
            self.text.insert_str(start, part);
        }
        for later in self.places.iter_mut().skip(at) {
            later.start += place.length();
        }
        self.places.insert(at, place);
    }

    fn name(&self, place: Place) -> &str {
        &self.text[place.start..][..place.name]
    }

    fn value(&self, place: Place) -> &str {
        &self.text[place.start + place.name + 1..][..place.value]
    }

    /// A field's value; `None` if it is missing or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        if name == SIGN {
            return self.sign.as_ref().map(|value| value.as_str());
        }
        let at = self.place(name).ok()?;
        self.places.get(at).map(|place| self.value(*place))
    }

    /// All fields, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let before = self.places.partition_point(|place| self.name(*place) < SIGN);
        let (before, after) = self.places.split_at(before);
        let field = |place: &Place| (self.name(*place), self.value(*place));
        let sign = self.sign.iter().map(|value| (SIGN, value.as_str()));
        before.iter().map(field).chain(sign).chain(after.iter().map(field))
    }

    /// Adds the signature over all other fields.
    pub fn sign(&mut self, sign_type: SignType, key: &str) {
        let sign = self.signature(sign_type, key);
        self.set(SIGN, sign.as_str());
    }

    /// Whether the message carries the one correct signature by `sign_type`, which we choose and
    /// never the sender. An empty key verifies nothing.
    pub fn is_signed(&self, sign_type: SignType, key: &str) -> bool {
        let Some(claimed) = self.get(SIGN) else { return false };
        let right = self.signature(sign_type, key);
        !key.is_empty()
            && aws_lc_rs::constant_time::verify_slices_are_equal(
                claimed.as_bytes(),
                right.as_str().as_bytes(),
            )
            .is_ok()
    }

    fn signature(&self, sign_type: SignType, key: &str) -> Digits {
        let parts = [self.text.as_str(), "key=", key];
        match sign_type {
            SignType::Md5 => {
                let mut digest = Md5::new();
                for part in parts {
                    digest.update(part);
                }
                Digits::of(&digest.finalize())
            }
            SignType::HmacSha256 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
                let mut context = hmac::Context::with_key(&key);
                for part in parts {
                    context.update(part.as_bytes());
                }
                Digits::of(context.sign().as_ref())
            }
        }
    }

    /// The document to send.
    pub fn to_xml(&self) -> String {
        // Large enough not to be reallocated, which would leave a copy behind.
        let mut xml = String::with_capacity(4096);
        xml.push_str("<xml>");
        for (name, value) in self.iter() {
            let _ = write!(xml, "<{name}>");
            for character in value.chars() {
                match character {
                    '&' => xml.push_str("&amp;"),
                    '<' => xml.push_str("&lt;"),
                    '>' => xml.push_str("&gt;"),
                    // Otherwise it would be read as a line end.
                    '\r' => xml.push_str("&#13;"),
                    other => xml.push(other),
                }
            }
            let _ = write!(xml, "</{name}>");
        }
        xml.push_str("</xml>");
        xml
    }

    /// Parses a document. It has one reading or none: a DTD, a repeated field, an element within a
    /// field, an attribute or a namespace is refused.
    pub fn from_xml(bytes: &[u8]) -> Result<Self, NotAMessage> {
        Self::of_document(bytes, "xml")
    }

    /// The same of a document whose root has another name.
    pub(super) fn of_document(bytes: &[u8], name: &str) -> Result<Self, NotAMessage> {
        if bytes.len() > LARGEST_REPLY {
            return Err(NotAMessage::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| NotAMessage::NotXml)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        // The parser refuses a DTD by default; a test makes sure that it still does.
        let options = roxmltree::ParsingOptions { nodes_limit: MOST_NODES, ..Default::default() };
        let document = roxmltree::Document::parse_with_options(text, options)
            .map_err(|_| NotAMessage::NotXml)?;
        let root = document.root_element();
        if root.tag_name().name() != name || !is_bare(root, text) {
            return Err(NotAMessage::NotFlat);
        }
        let mut fields = BTreeMap::<String, Zeroizing<String>>::new();
        for child in root.children() {
            if child.is_text() && child.text().is_none_or(|text| text.trim_ascii().is_empty()) {
                continue;
            }
            let flat = child.is_element()
                && is_bare(child, text)
                && child.children().all(|inner| inner.is_text());
            let value: String = child.children().filter_map(|inner| inner.text()).collect();
            let name = child.tag_name().name();
            if !flat || fields.insert(name.to_owned(), value.into()).is_some() {
                return Err(NotAMessage::NotFlat);
            }
            if fields.len() > MOST_FIELDS {
                return Err(NotAMessage::TooLarge);
            }
        }
        let mut message = Self::default();
        for (name, value) in &fields {
            message.set(name, value.as_str());
        }
        Ok(message)
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Fields {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        let mut fields = Self::default();
        for (name, value) in pairs {
            fields.set(name, value);
        }
        fields
    }
}

/// Whether an element's tag holds its name and nothing else: no attribute, prefix or namespace.
fn is_bare(element: roxmltree::Node<'_, '_>, text: &str) -> bool {
    let tag = text[element.range()].strip_prefix('<');
    let rest = tag.and_then(|tag| tag.strip_prefix(element.tag_name().name()));
    rest.is_some_and(|rest| rest.trim_ascii_start().starts_with(['>', '/']))
}

/// A digest in upper-case hexadecimal digits.
struct Digits {
    digits: [u8; 64],
    length: usize,
}

impl Digits {
    /// Of at most 32 bytes.
    fn of(bytes: &[u8]) -> Self {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        let mut digits = [0; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        Self { digits, length: 2 * bytes.len().min(32) }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.digits[..self.length]).unwrap_or_default()
    }
}
