//! Orders and their numbers: the values that gateways, the journal and the screen share.

use std::fmt;

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::{TimeZone, Timestamp};
use crate::money::{Currency, Money};

/// How many digits follow the till's id in an order number.
const NUMBER_DIGITS: usize = 18;

/// Our number for a payment, and its idempotency key at the gateway: 6 to 32 of
/// `0-9 A-Z a-z _ -` (protocol 5.1).
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct OutTradeNo(String);

/// The text is not an order number.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("an order number is 6 to 32 letters, digits, _ or -")]
pub struct NotAnOrderNumber;

impl OutTradeNo {
    /// A new number: the till's id, the shop's date and time to the second without the year, the last
    /// four digits of the journal's counter, and four random digits around them: as many digits as
    /// a barcode on narrow paper has room for.
    ///
    /// The counter makes it unique whatever the clock does. The time tells a till from its own past
    /// if the journal was lost, and the random digits from another till with the same id. Where
    /// even they coincide, the order's mark tells whose it is ([`Order::mark`]).
    pub fn new(till: &TillId, now: Timestamp, zone: &TimeZone, counter: u64, chance: u16) -> Self {
        let time = now.local("%m%d%H%M%S", zone);
        let (left, right) = (chance / 100 % 100, chance % 100);
        Self(format!("{}{time}{left:02}{:04}{right:02}", till.0, counter % 10_000))
    }

    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has the form of this till's numbers.
    pub fn is_of(&self, till: &TillId) -> bool {
        self.0.strip_prefix(&till.0).is_some_and(|rest| {
            rest.len() == NUMBER_DIGITS && rest.bytes().all(|byte| byte.is_ascii_digit())
        })
    }

    /// The last six characters, enough to tell today's orders apart by eye.
    pub fn tail(&self) -> &str {
        &self.0[self.0.len() - 6..]
    }
}

impl TryFrom<String> for OutTradeNo {
    type Error = NotAnOrderNumber;

    fn try_from(text: String) -> Result<Self, NotAnOrderNumber> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (6..=32).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(NotAnOrderNumber)
        }
    }
}

impl From<OutTradeNo> for String {
    fn from(number: OutTradeNo) -> Self {
        number.0
    }
}

impl fmt::Display for OutTradeNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The till's id, with which every order number begins: 1 to 8 of `0-9 A-Z a-z _ -`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TillId(String);

impl TillId {
    /// `None` unless the text is a till's id.
    pub fn new(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let fits = (1..=8).contains(&text.len()) && text.bytes().all(allowed);
        fits.then(|| Self(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The customer's one-time payment code. It is never stored or logged, reveals nothing in `Debug`,
/// and is wiped from memory when dropped.
#[derive(Clone, Eq, PartialEq)]
pub struct AuthCode(Zeroizing<String>);

impl AuthCode {
    /// A payment code of WeChat Pay: 18 digits, the first two from 10 to 15 (protocol 5.2).
    pub fn new(digits: &str) -> Option<Self> {
        let bytes = digits.as_bytes();
        let fits = bytes.len() == 18
            && bytes.iter().all(u8::is_ascii_digit)
            && bytes[0] == b'1'
            && (b'0'..=b'5').contains(&bytes[1]);
        fits.then(|| Self(Zeroizing::new(digits.to_owned())))
    }

    /// The digits, for the request and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A digest that only the holder of `key` can make: a code scanned twice is recognized without
    /// being stored.
    pub fn keyed_hash(&self, key: &[u8]) -> [u8; 16] {
        let hash = self.hashed(key);
        wipe_stack();
        hash
    }

    /// Leaves pieces of the code on the stack: the digest's state is moved, and not wiped where it
    /// was.
    #[inline(never)]
    fn hashed(&self, key: &[u8]) -> [u8; 16] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let mut context = hmac::Context::with_key(&key);
        context.update(b"auth_code ");
        context.update(self.0.as_bytes());
        let mut hash = [0; 16];
        hash.copy_from_slice(&context.sign().as_ref()[..16]);
        hash
    }

    /// The first two and last four digits, for people and records.
    pub fn masked(&self) -> String {
        format!("{}************{}", &self.0[..2], &self.0[14..])
    }
}

/// Wipes what the functions called before have left below this one's caller. Whatever is built there
/// later would carry it along in its unused bytes.
#[inline(never)]
fn wipe_stack() {
    let mut left = Zeroizing::new([1_u8; 4096]);
    std::hint::black_box(&mut left);
}

impl fmt::Debug for AuthCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthCode(..)")
    }
}

/// Who is paid. An order can be queried only with the merchant it was made for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Merchant {
    pub app_id: String,
    pub mch_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sub_app_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sub_mch_id: String,
}

/// What a gateway learns about one attempt to be paid. It never changes: one number, one body.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    pub out_trade_no: OutTradeNo,
    pub amount: Money,
    pub currency: Currency,
    pub merchant: Merchant,
    /// What the customer's phone shows as the goods; at most 127 bytes.
    pub body: String,
    /// The store's id, at most 32 characters.
    pub device_info: String,
    /// The address from which this machine reaches the gateway.
    pub client_ip: String,
    /// Random: sent along, and returned by the gateway whenever it speaks of the order. An order of
    /// this number with another mark is another till's. Empty for an order without one.
    pub mark: String,
}

impl Order {
    /// Only a number, to ask about: nothing else is known of it.
    pub fn of_number(number: OutTradeNo, merchant: Merchant, currency: Currency) -> Self {
        Self {
            out_trade_no: number,
            amount: Money::default(),
            currency,
            merchant,
            body: String::new(),
            device_info: String::new(),
            client_ip: String::new(),
            mark: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_318_200_123);

    #[test]
    fn an_order_number_says_till_time_and_count() {
        let till = TillId::new("T01").unwrap();
        let number = OutTradeNo::new(&till, NOW, &TimeZone::UTC, 123_456, 8_907);
        assert_eq!(number.as_str(), "T01112203300089345607");
        assert!(number.is_of(&till));
        assert!(!number.is_of(&TillId::new("T0").unwrap()));
        assert_eq!(OutTradeNo::try_from(String::from(number.clone())), Ok(number));
    }

    #[test]
    fn the_longest_till_id_still_gives_a_number_the_gateway_takes() {
        let number = OutTradeNo::new(
            &TillId::new("LOBBY123").unwrap(),
            NOW,
            &TimeZone::UTC,
            u64::MAX,
            u16::MAX,
        );
        assert!(number.as_str().len() <= 32);
        assert!(OutTradeNo::try_from(String::from(number)).is_ok());
    }

    #[test]
    fn refuses_ids_and_numbers_outside_the_alphabet() {
        for wrong in ["", "T 1", "T/1", "甲", "TOOLONG99"] {
            assert_eq!(TillId::new(wrong), None, "{wrong:?}");
        }
        for wrong in ["", "short", "has space", "T01\u{1b}[2J", "é12345", &"9".repeat(33)] {
            assert_eq!(OutTradeNo::try_from(wrong.to_owned()), Err(NotAnOrderNumber), "{wrong:?}");
        }
    }

    #[test]
    fn only_eighteen_digits_from_10_to_15_are_a_payment_code() {
        assert!(AuthCode::new("134567890123456789").is_some());
        assert!(AuthCode::new("154567890123456789").is_some());
        for wrong in [
            "164567890123456789",
            "254567890123456789",
            "13456789012345678",
            "1345678901234567890",
            "13456789012345678x",
            "１34567890123456789",
            "",
        ] {
            assert_eq!(AuthCode::new(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn ids_and_numbers_of_the_whole_alphabet_are_taken_and_read_back() {
        for id in ["T", "T_1-zA09"] {
            assert_eq!(TillId::new(id).unwrap().as_str(), id);
        }
        for number in ["T_1-zA", "0123456789ABCDEFGHIJabcdefghij_-"] {
            let read = OutTradeNo::try_from(number.to_owned()).unwrap();
            assert_eq!((read.as_str(), read.to_string().as_str()), (number, number));
            assert_eq!(read.tail(), &number[number.len() - 6..]);
        }
    }

    #[test]
    fn a_number_of_another_length_or_with_letters_is_not_of_this_till() {
        let till = TillId::new("T01").unwrap();
        for (number, ours) in [
            ("T01112211300089345607", true),
            ("T0111221130008934560", false),
            ("T011122113000893456071", false),
            ("T0111221130008934560x", false),
            ("T02112211300089345607", false),
        ] {
            let read = OutTradeNo::try_from(number.to_owned()).unwrap();
            assert_eq!(read.is_of(&till), ours, "{number}");
        }
    }

    #[test]
    fn a_code_shown_twice_is_recognized_by_a_digest_that_only_this_till_can_make() {
        let code = |digits| AuthCode::new(digits).unwrap();
        let (one, other) = (code("134567890123456789"), code("134567890123456780"));
        assert_eq!(one.expose(), "134567890123456789");
        assert_eq!(one.keyed_hash(b"key"), one.clone().keyed_hash(b"key"));
        assert_ne!(one.keyed_hash(b"key"), other.keyed_hash(b"key"));
        assert_ne!(one.keyed_hash(b"key"), one.keyed_hash(b"another key"));
    }

    #[test]
    fn a_payment_code_does_not_show_itself() {
        let code = AuthCode::new("134567890123456789").unwrap();
        assert_eq!(format!("{code:?}"), "AuthCode(..)");
        assert_eq!(code.masked(), "13************6789");
    }
}
