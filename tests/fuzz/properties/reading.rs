//! A second parser of the gateway's messages, written from the protocol and not from the code: what
//! is signed in one reading must not mean anything else in another.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use md5::{Digest as _, Md5};

/// The fields of a flat document; `None` if it is anything else.
pub fn fields(bytes: &[u8]) -> Option<BTreeMap<String, String>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // A parser reports one kind of line end.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut reader = Reader(&text);
    reader.skip_misc(true)?;
    reader.tag("<", "xml")?;
    let mut fields = BTreeMap::new();
    loop {
        reader.skip_blanks();
        if reader.0.starts_with("</") {
            reader.tag("</", "xml")?;
            reader.skip_misc(false)?;
            return reader.0.is_empty().then_some(fields);
        }
        // Blanks may also be written as CDATA or as references.
        if reader.0.starts_with("<![CDATA[") || reader.0.starts_with('&') {
            if !reader.content()?.chars().all(|blank| blank.is_ascii_whitespace()) {
                return None;
            }
            continue;
        }
        let name = reader.name_of("<")?.to_owned();
        if let Some(rest) = reader.0.strip_prefix("/>") {
            reader.0 = rest;
            fields.insert(name, String::new()).is_none().then_some(())?;
            continue;
        }
        reader.close()?;
        let value = reader.content()?;
        reader.tag("</", &name)?;
        fields.insert(name, value).is_none().then_some(())?;
    }
}

struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn skip_blanks(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t', '\n']);
    }

    /// Comments and processing instructions around the document.
    fn skip_misc(&mut self, at_start: bool) -> Option<()> {
        if at_start && self.0.starts_with("<?xml") {
            self.skip_past("?>")?;
        }
        loop {
            self.skip_blanks();
            if self.0.starts_with("<!--") {
                self.0 = &self.0[4..];
                self.skip_past("-->")?;
            } else if self.0.starts_with("<?") {
                self.skip_past("?>")?;
            } else {
                return Some(());
            }
        }
    }

    fn skip_past(&mut self, end: &str) -> Option<()> {
        let at = self.0.find(end)?;
        self.0 = &self.0[at + end.len()..];
        Some(())
    }

    /// A complete tag of this name.
    fn tag(&mut self, open: &str, name: &str) -> Option<()> {
        (self.name_of(open)? == name).then_some(())?;
        self.close()
    }

    fn name_of(&mut self, open: &str) -> Option<&'a str> {
        let rest = self.0.strip_prefix(open)?;
        let end = rest.find([' ', '\t', '\n', '>', '/'])?;
        let (name, rest) = rest.split_at(end);
        let is_name = !name.is_empty() && !name.contains(['<', '&', '"', '\'', '=', ':', '!', '?']);
        self.0 = rest.trim_start_matches([' ', '\t', '\n']);
        is_name.then_some(name)
    }

    fn close(&mut self) -> Option<()> {
        self.0 = self.0.strip_prefix('>')?;
        Some(())
    }

    /// Text up to the next tag.
    fn content(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            if let Some(rest) = self.0.strip_prefix("<![CDATA[") {
                let end = rest.find("]]>")?;
                text.push_str(&rest[..end]);
                self.0 = &rest[end + 3..];
            } else if let Some(rest) = self.0.strip_prefix('&') {
                let end = rest.find(';')?;
                text.push(reference(&rest[..end])?);
                self.0 = &rest[end + 1..];
            } else if self.0.starts_with('<') {
                return Some(text);
            } else {
                let character = self.0.chars().next()?;
                text.push(character);
                self.0 = &self.0[character.len_utf8()..];
            }
        }
    }
}

fn reference(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// The signature of all fields but `sign` (protocol 2.2), implemented from the standards alone.
pub fn signature(fields: &BTreeMap<String, String>, key: &str, is_md5: bool) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if name != "sign" && !value.is_empty() {
            text.push_str(&[name, "=", value, "&"].concat());
        }
    }
    text.push_str(&["key=", key].concat());
    if is_md5 {
        return hex(&Md5::digest(text.as_bytes()));
    }
    // RFC 2104 with a key shorter than a block.
    let pad = |mask: u8| {
        let mut block = [mask; 64];
        block.iter_mut().zip(key.bytes()).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = sha256(&[&pad(0x36)[..], text.as_bytes()].concat());
    hex(&sha256(&[&pad(0x5c)[..], &inner].concat()))
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap().to_ascii_uppercase();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// A document with these fields, all values as character references.
pub fn document(fields: &[(String, String)]) -> Vec<u8> {
    let mut xml = String::from("<xml>");
    for (name, value) in fields {
        let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        xml.push_str(&["<", name, ">", &value, "</", name, ">"].concat());
    }
    (xml + "</xml>").into_bytes()
}
