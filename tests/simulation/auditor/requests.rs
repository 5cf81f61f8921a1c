//! What a request says, in either version of the API.

use serde_json::Value;

/// The members of API v3 by the names that they have in API v2.
const MEMBERS: [(&str, &str); 3] = [
    ("out_trade_no", "/out_trade_no"),
    ("total_fee", "/amount/total"),
    ("refund_fee", "/amount/refund"),
];

/// Whether a field has this value.
pub fn says(body: &[u8], name: &str, value: &str) -> bool {
    if body.starts_with(b"<") {
        let text = String::from_utf8_lossy(body);
        return text.contains(&format!("<{name}>{value}</{name}>"));
    }
    let member = MEMBERS.iter().find(|(known, _)| *known == name).map_or("", |(_, path)| path);
    let object: Value = serde_json::from_slice(body).unwrap_or_default();
    // The merchant's own backend is told the amount of what it is asked for.
    let plain = object.pointer("/amount").filter(|amount| amount.is_number());
    match object.pointer(member).or(plain) {
        Some(Value::String(text)) => text == value,
        Some(Value::Number(number)) => number.as_i64() == value.parse().ok(),
        _ => false,
    }
}

/// Whether two requests ask for the same. What was asked in the other version is not compared.
pub fn is_one(first: &[u8], second: &[u8]) -> bool {
    first.first() != second.first() || lasting(first) == lasting(second)
}

/// What of a request is the same each time.
fn lasting(body: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    for (from, to) in [("<nonce_str>", "</nonce_str>"), ("<sign>", "</sign>")] {
        let cut = text.find(from).zip(text.find(to));
        if let Some((from, end)) = cut.filter(|(from, end)| from < end) {
            text.replace_range(from..end, "");
        }
    }
    text
}
