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

/// A message: names and values, in the order in which they are signed.
///
/// Values are wiped when dropped or replaced: a payment code may be among them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Fields(BTreeMap<String, Zeroizing<String>>);

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
        let value = value.into();
        if value.is_empty() {
            self.0.remove(name);
        } else {
            self.0.insert(name.to_owned(), value.into());
        }
    }

    /// A field's value; `None` if it is missing or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_str()).filter(|value| !value.is_empty())
    }

    /// All fields, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Adds the signature over all other fields.
    pub fn sign(&mut self, sign_type: SignType, key: &str) {
        let sign = self.signature(sign_type, key);
        self.set("sign", sign);
    }

    /// Whether the message carries the one correct signature by `sign_type`, which we choose and
    /// never the sender. An empty key verifies nothing.
    pub fn is_signed(&self, sign_type: SignType, key: &str) -> bool {
        let Some(claimed) = self.get("sign") else { return false };
        let right = self.signature(sign_type, key);
        !key.is_empty()
            && aws_lc_rs::constant_time::verify_slices_are_equal(
                claimed.as_bytes(),
                right.as_bytes(),
            )
            .is_ok()
    }

    fn signature(&self, sign_type: SignType, key: &str) -> String {
        let mut text = Zeroizing::new(String::with_capacity(1024));
        for (name, value) in
            self.iter().filter(|(name, value)| *name != "sign" && !value.is_empty())
        {
            text.push_str(name);
            text.push('=');
            text.push_str(value);
            text.push('&');
        }
        text.push_str("key=");
        text.push_str(key);
        match sign_type {
            SignType::Md5 => hex(&Md5::digest(text.as_bytes())),
            SignType::HmacSha256 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
                hex(hmac::sign(&key, text.as_bytes()).as_ref())
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
        let mut fields = BTreeMap::new();
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
        Ok(Self(fields))
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

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02X}");
    }
    text
}
