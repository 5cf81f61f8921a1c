//! The messages between tills and the backend, as JSON. Amounts are in the currency's minor unit, times
//! in milliseconds since 1970. Unknown members are ignored, so that either side may be newer.

use serde::{Deserialize, Serialize};

use crate::order::AuthCode;
use crate::payment::{Cause, Reason, TillCause};

/// The longest body of a request or an answer, in bytes.
pub const LONGEST: usize = 64 * 1024;
/// How long a question may be held open for something new, in milliseconds.
pub const LONGEST_WAIT: u64 = 8_000;

/// How the customer pays.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// The customer shows a code.
    Micropay,
    /// The customer scans one of ours.
    Native,
}

impl Channel {
    /// The word in messages and in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Micropay => "micropay",
            Self::Native => "native",
        }
    }
}

/// `PUT /v1/payments/{out_trade_no}`: one number, one body.
#[derive(Debug, Deserialize, Serialize)]
pub struct PaymentRequest {
    pub channel: Channel,
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// Only of a customer who shows one.
    #[serde(default, with = "code", skip_serializing_if = "Option::is_none")]
    pub auth_code: Option<AuthCode>,
    /// What the customer's phone shows as the goods.
    pub description: String,
    pub device: String,
    pub client_ip: String,
    /// [`Order::mark`](crate::order::Order::mark).
    #[serde(default)]
    pub mark: String,
    /// How long a code of ours may be scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts_ms: Option<u64>,
    /// This till says so once it has a paid payment on record: `POST .../seen`.
    #[serde(default)]
    pub acknowledges: bool,
}

/// `POST /v1/payments/{out_trade_no}/reversal` and `/close`, also of a number that was never seen: from
/// then on it is refused.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct ReversalRequest {
    /// For the record.
    #[serde(default)]
    pub reason: String,
}

/// A payment as the backend knows it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Payment {
    pub out_trade_no: String,
    /// Grows with every change.
    pub version: u64,
    /// A word of [`Status`](crate::payment::Status).
    pub state: String,
    /// Nothing more will come of this number: no work is left on it.
    pub closed: bool,
    pub amount: i64,
    pub currency: String,
    /// As the till gave it; empty of a number that was reversed before it came.
    #[serde(default)]
    pub mark: String,
    /// Only of a paid one.
    #[serde(default)]
    pub transaction_id: Option<String>,
    #[serde(default)]
    pub paid_at: Option<i64>,
    #[serde(default)]
    pub coupon: Option<i64>,
    /// The customer had paid, and it is not the shop's: it is being returned, or was.
    #[serde(default)]
    pub money_held: bool,
    /// All of it was returned, by the gateway's word.
    #[serde(default)]
    pub money_returned: bool,
    #[serde(default)]
    pub reason: Option<Told>,
    /// What the customer may scan now.
    #[serde(default)]
    pub code_url: Option<String>,
    #[serde(default)]
    pub expires_at: Option<i64>,
    /// When the gateway last said something that could be believed.
    #[serde(default)]
    pub as_of: Option<i64>,
    pub now: i64,
}

/// A page of payments, the newest first.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct PaymentList {
    pub payments: Vec<Payment>,
    /// What to ask for next as `after`, if there are more.
    #[serde(default)]
    pub next: Option<String>,
}

/// `PUT /v1/payments/{out_trade_no}/refunds/{out_refund_no}`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct RefundRequest {
    pub amount: i64,
    pub reason: String,
    /// Who agreed to it at the till.
    #[serde(default)]
    pub approved_by: String,
}

/// A refund as the backend knows it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Refund {
    pub out_trade_no: String,
    pub out_refund_no: String,
    pub version: u64,
    /// A word of [`RefundStatus`](crate::refund::RefundStatus).
    pub state: String,
    /// Whether its money has left the shop or may leave it.
    pub counts: bool,
    pub amount: i64,
    /// What the order was paid with.
    pub total: i64,
    pub currency: String,
    /// The gateway's number, of one that is done.
    #[serde(default)]
    pub refund_id: Option<String>,
    #[serde(default)]
    pub done_at: Option<i64>,
    #[serde(default)]
    pub reason: Option<Told>,
    pub now: i64,
}

/// `GET /v1/payments/{out_trade_no}/refunds`: all refunds of a payment.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct RefundList {
    pub refunds: Vec<Refund>,
}

/// `GET /v1/hello`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Hello {
    pub now: i64,
    /// Of the backend's program.
    pub version: String,
    pub merchant: String,
    pub store: String,
    pub till: String,
    pub currency: String,
    pub rules: Rules,
    pub rights: Rights,
}

/// The times that payments keep to at the backend.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Rules {
    pub query_interval_ms: u64,
    pub give_up_after_ms: u64,
    pub reverse_not_before_ms: u64,
    pub attention_after_ms: u64,
}

impl From<&crate::payment::Rules> for Rules {
    fn from(rules: &crate::payment::Rules) -> Self {
        Self {
            query_interval_ms: rules.query_interval.0,
            give_up_after_ms: rules.give_up_after.0,
            reverse_not_before_ms: rules.reverse_not_before.0,
            attention_after_ms: rules.attention_after.0,
        }
    }
}

/// What a till may do.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Rights {
    pub charge: bool,
    /// Codes of ours.
    pub qr: bool,
    /// The largest refund, in minor units; 0: none.
    pub refund_up_to: i64,
    /// All refunds of a day.
    pub refund_per_day: i64,
}

/// `POST /v1/enrolment`: a till introduces itself. Nothing in it is secret.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct EnrolmentRequest {
    /// The part of the code that names it.
    pub code: String,
    /// The till's new key.
    pub public_key: String,
    pub nonce: String,
    /// Of the till's program.
    pub version: String,
    /// That the sender knows the other part of the code.
    pub proof: String,
}

/// The backend's answer to a till that has proved itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Enrolment {
    pub merchant: String,
    pub store: String,
    pub till: String,
    pub currency: String,
    /// With which the backend signs.
    pub public_key: String,
    /// The root of its certificate, where that is of its own making.
    #[serde(default)]
    pub ca_pem: Option<String>,
    /// That the sender knows the code, over both keys and all of the above.
    pub proof: String,
}

/// Why a request was not done.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Refusal {
    /// A word of [`Refused`].
    pub code: String,
    /// For a person, in English.
    #[serde(default)]
    pub text: String,
}

/// Why a request was not done.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Refused {
    /// The backend has no such payment or refund.
    NotFound,
    /// This number was used with another body, or by another till.
    NumberUsed,
    /// This number was reversed before it came: it will never be sent on.
    Closed,
    /// The request could not be written down, so nothing was sent on.
    NotSent,
    /// The till's key was ended at the office.
    Revoked,
    /// The till has no right to it.
    NotAllowed,
    /// More than the till may refund.
    Limit,
    /// The request is not of this moment: the till's clock is wrong, or somebody sends it again.
    Clock,
    /// The nonce was used before.
    Replayed,
    /// Not signed by a till that is known here.
    Unauthorized,
    /// The message is not as described.
    BadRequest,
    /// Something failed here, and it is not known how far the request came.
    Failed,
}

impl Refused {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::NotFound,
        Self::NumberUsed,
        Self::Closed,
        Self::NotSent,
        Self::Revoked,
        Self::NotAllowed,
        Self::Limit,
        Self::Clock,
        Self::Replayed,
        Self::Unauthorized,
        Self::BadRequest,
        Self::Failed,
    ];

    /// The word in messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::NumberUsed => "number_used",
            Self::Closed => "closed",
            Self::NotSent => "not_sent",
            Self::Revoked => "revoked",
            Self::NotAllowed => "not_allowed",
            Self::Limit => "limit",
            Self::Clock => "clock",
            Self::Replayed => "replayed",
            Self::Unauthorized => "unauthorized",
            Self::BadRequest => "bad_request",
            Self::Failed => "failed",
        }
    }

    /// The one with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refused| refused.word() == word)
    }

    /// The status that it is answered with.
    pub const fn status(self) -> http::StatusCode {
        match self {
            Self::NotFound => http::StatusCode::NOT_FOUND,
            Self::NumberUsed | Self::Closed | Self::Replayed => http::StatusCode::CONFLICT,
            Self::NotSent => http::StatusCode::SERVICE_UNAVAILABLE,
            Self::Revoked | Self::NotAllowed | Self::Limit => http::StatusCode::FORBIDDEN,
            Self::Clock | Self::Unauthorized => http::StatusCode::UNAUTHORIZED,
            Self::BadRequest => http::StatusCode::BAD_REQUEST,
            Self::Failed => http::StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A reason as it is told: its code and the gateway's own text.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Told {
    pub code: String,
    #[serde(default)]
    pub text: String,
}

impl From<&Reason> for Told {
    fn from(reason: &Reason) -> Self {
        Self { code: reason.code().to_owned(), text: reason.text.clone() }
    }
}

impl From<&Told> for Reason {
    fn from(told: &Told) -> Self {
        let code = crate::clean::clean(&told.code, 64);
        let ours = TillCause::ALL.into_iter().find(|cause| cause.word() == code);
        let cause = ours.map_or_else(|| Cause::Gateway(code), Cause::Till);
        Self { cause, text: crate::clean::clean(&told.text, 200) }
    }
}

/// A payment code in a message: checked when it is read, wiped when dropped.
mod code {
    use serde::{Deserialize as _, Deserializer, Serializer, de};
    use zeroize::Zeroizing;

    use crate::order::AuthCode;

    #[expect(clippy::ref_option, reason = "serde hands it over like this")]
    pub(super) fn serialize<S: Serializer>(
        code: &Option<AuthCode>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match code {
            Some(code) => serializer.serialize_str(code.expose()),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<AuthCode>, D::Error> {
        let Some(digits) = Option::<String>::deserialize(deserializer)?.map(Zeroizing::new) else {
            return Ok(None);
        };
        AuthCode::new(&digits)
            .map(Some)
            .ok_or_else(|| de::Error::custom("auth_code is not a payment code of 18 digits"))
    }
}
