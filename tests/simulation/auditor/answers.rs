//! A second, independent parser of the gateway's answers to check the till's own. It understands
//! only the form that the simulated bank writes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aws_lc_rs::hmac;

/// The fields of a correctly signed answer; `None` for anything else.
pub fn signed(status: u16, body: &[u8], key: &str) -> Option<BTreeMap<String, String>> {
    let fields = flat(std::str::from_utf8(body).ok().filter(|_| status == 200)?)?;
    let text: String = fields
        .iter()
        .filter(|(name, value)| *name != "sign" && !value.is_empty())
        .map(|(name, value)| format!("{name}={value}&"))
        .chain([format!("key={key}")])
        .collect();
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let sign = hmac::sign(&key, text.as_bytes());
    let sign = sign.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02X}");
        hex
    });
    (fields.get("sign") == Some(&sign)).then_some(fields)
}

fn flat(text: &str) -> Option<BTreeMap<String, String>> {
    let mut rest = text.strip_prefix("<xml>")?.strip_suffix("</xml>")?;
    let mut fields = BTreeMap::new();
    while !rest.is_empty() {
        let (name, after) = rest.strip_prefix('<')?.split_once('>')?;
        let end = format!("</{name}>");
        let (value, after) = match after.strip_prefix("<![CDATA[") {
            Some(_) => literal(after)
                .and_then(|(value, after)| Some((value, after.strip_prefix(&end)?)))?,
            None => after.split_once(&end).map(|(value, after)| (value.to_owned(), after))?,
        };
        if fields.insert(name.to_owned(), value).is_some() {
            return None;
        }
        rest = after;
    }
    Some(fields)
}

/// Consecutive CDATA sections joined into one text, and the rest.
fn literal(mut rest: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    while let Some(section) = rest.strip_prefix("<![CDATA[") {
        let (piece, after) = section.split_once("]]>")?;
        text.push_str(piece);
        rest = after;
    }
    Some((text, rest))
}
