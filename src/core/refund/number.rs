//! The number of a refund, and what a gateway learns of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::order::{Order, OutTradeNo};

/// Our number for a refund, and its idempotency key at the gateway: at most 64 letters, digits, `_`
/// and `-` (protocol 3.6). The gateway carries out each number once.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct OutRefundNo(String);

/// The text is not a refund's number.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("a refund number is 6 to 64 letters, digits, _ or -")]
pub struct NotARefundNumber;

impl OutRefundNo {
    /// A new number: the order's, `R`, which refund of the order it is, and four random digits. They
    /// tell it from one that a till whose journal was lost has given out before.
    pub fn new(order: &OutTradeNo, sequence: u8, chance: u16) -> Self {
        Self(format!("{order}R{:02}{:04}", sequence % 100, chance % 10_000))
    }

    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OutRefundNo {
    type Error = NotARefundNumber;

    fn try_from(text: String) -> Result<Self, NotARefundNumber> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (6..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(NotARefundNumber)
        }
    }
}

impl From<OutRefundNo> for String {
    fn from(number: OutRefundNo) -> Self {
        number.0
    }
}

impl fmt::Display for OutRefundNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a gateway learns about one refund. It never changes: one number, one body.
#[derive(Clone, Debug, PartialEq)]
pub struct Refund {
    pub out_refund_no: OutRefundNo,
    /// The order as it was paid.
    pub order: Order,
    /// How much of it is given back.
    pub amount: Money,
    /// Why, in the cashier's words; the customer may see it.
    pub reason: String,
    /// The manager who agreed to it, or else who gives it; empty where nobody signs in. The merchant's
    /// backend hears of it, `WeChat` Pay does not.
    pub approved_by: String,
}
