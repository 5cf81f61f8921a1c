//! Order numbers, till ids, payment codes and times: each has one form, and nothing else is
//! accepted.

use paytill::clock::{TimeZone, Timestamp};
use paytill::order::{AuthCode, OutTradeNo, TillId};
use paytill::scan::Scan;

use super::draw::Draw;

pub fn check(data: &[u8]) {
    let mut draw = Draw(data);
    // Clocks show years of four digits.
    let wall = Timestamp(draw.number().rem_euclid(253_402_000_000_000));
    let (counter, chance) = (draw.number(), draw.byte());
    let text = String::from_utf8_lossy(draw.0);
    let in_alphabet =
        |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-');
    let till = TillId::new(&text);
    let is_id = (1..=8).contains(&text.len()) && text.bytes().all(in_alphabet);
    assert_eq!(till.is_some(), is_id, "{text:?}");
    let number = OutTradeNo::try_from(text.to_string());
    let is_number = (6..=32).contains(&text.len()) && text.bytes().all(in_alphabet);
    assert_eq!(number.is_ok(), is_number, "{text:?}");
    if let Ok(number) = number {
        assert_eq!((number.as_str(), number.tail().len()), (&*text, 6));
    }
    let made_by = till.unwrap_or_else(|| TillId::new("T01").unwrap());
    let made =
        OutTradeNo::new(&made_by, wall, &TimeZone::UTC, counter.unsigned_abs(), chance.into());
    assert_eq!(OutTradeNo::try_from(String::from(made.clone())).as_ref(), Ok(&made), "{made}");
    assert_eq!(made.as_str().len(), made_by.as_str().len() + 18, "{made}");
    assert!(made.is_of(&made_by), "{made}");
    code(&text);
    time(&text, wall);
    if let Scan::OwnReceipt(own) = Scan::name(&text, &made_by) {
        assert!(own.is_of(&made_by));
    }
}

fn code(text: &str) {
    let is_code = text.len() == 18
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && ["10", "11", "12", "13", "14", "15"].iter().any(|prefix| text.starts_with(prefix));
    let code = AuthCode::new(text);
    assert_eq!(code.is_some(), is_code, "{text:?}");
    let Some(code) = code else { return };
    assert_eq!(code.expose(), text);
    let masked = code.masked();
    assert_eq!(masked.len(), 18);
    assert_eq!(masked.matches('*').count(), 12);
    assert!(!format!("{code:?}").contains(|letter: char| letter.is_ascii_digit()));
    assert_ne!(code.keyed_hash(b"one"), code.keyed_hash(b"two"));
}

fn time(text: &str, wall: Timestamp) {
    if let Some(moment) = Timestamp::from_beijing(text) {
        // A leap second is read as the second before it.
        let again = moment.to_beijing();
        assert!(again == text || text.ends_with("60"), "{text} {again}");
    }
    assert!(wall.to_rfc3339().ends_with("+00:00"));
    let _ = (wall.day(&TimeZone::UTC), wall.local("%Y-%m-%d %H:%M:%S", &TimeZone::UTC));
}
