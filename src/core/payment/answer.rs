//! What a gateway says of a payment: one type for each call, so that no call can be answered in the
//! words of another.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// The three calls.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CallKind {
    /// micropay
    Submit,
    /// orderquery
    Query,
    /// reverse
    Reverse,
}

impl CallKind {
    /// The protocol's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Submit => "micropay",
            Self::Query => "orderquery",
            Self::Reverse => "reverse",
        }
    }
}

/// A call to make. Its number, counted within the payment, tells its answer from a late one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Call {
    pub kind: CallKind,
    pub number: u32,
}

impl Call {
    /// The one submission of a payment, and its first call.
    pub const SUBMISSION: Self = Self { kind: CallKind::Submit, number: 0 };
}

/// Why a payment is where it is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Reason {
    pub cause: Cause,
    /// The gateway's words, cleaned; empty where there are none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

impl Reason {
    /// What the gateway says, by its code and in its words; both cleaned.
    pub fn gateway(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self { cause: Cause::Gateway(code.into()), text: text.into() }
    }

    /// A cause of ours, with words of the gateway.
    pub fn quoting(cause: TillCause, text: impl Into<String>) -> Self {
        Self { cause: Cause::Till(cause), text: text.into() }
    }

    /// The code for programs: the gateway's own, or our stable word in lower case.
    pub fn code(&self) -> &str {
        match &self.cause {
            Cause::Gateway(code) => code,
            Cause::Till(cause) => cause.word(),
        }
    }

    /// Whether this is the cause.
    pub fn is(&self, cause: TillCause) -> bool {
        self.cause == Cause::Till(cause)
    }
}

impl From<TillCause> for Reason {
    fn from(cause: TillCause) -> Self {
        Self { cause: Cause::Till(cause), text: String::new() }
    }
}

/// Whose word a reason rests on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// The gateway's own code, cleaned: `NOTENOUGH`. New ones may come at any time.
    Gateway(String),
    Till(TillCause),
}

/// What the till itself finds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TillCause {
    /// The customer did not confirm in time.
    Timeout,
    /// The cashier stopped waiting.
    Cancelled,
    /// The cashier charged the sale anew.
    Superseded,
    /// The till started again while the payment was open.
    Restarted,
    NoAnswer,
    ConnectionLost,
    NoConnection,
    /// A certificate on the way, the gateway's or ours, was not accepted.
    Certificate,
    BadSignature,
    BadAnswer,
    /// An error page instead of an answer.
    HttpStatus,
    WrongAmount,
    WrongNumber,
    WrongMerchant,
    WrongCurrency,
    /// The gateway refuses requests as a whole: the set-up is wrong.
    Configuration,
    /// An unsigned refusal.
    Refused,
    /// The request reached the gateway after its reversal.
    DeliveredLate,
    /// The money was taken, and goes back.
    PaidAtLastMoment,
    /// The gateway wants the reversal repeated.
    Recall,
    /// The payment code was not at hand any more.
    NoCode,
    /// The system gave no random bytes.
    NoRandomness,
    /// The gateway failed a call without saying why.
    NoErrorCode,
}

impl TillCause {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::Timeout,
        Self::Cancelled,
        Self::Superseded,
        Self::Restarted,
        Self::NoAnswer,
        Self::ConnectionLost,
        Self::NoConnection,
        Self::Certificate,
        Self::BadSignature,
        Self::BadAnswer,
        Self::HttpStatus,
        Self::WrongAmount,
        Self::WrongNumber,
        Self::WrongMerchant,
        Self::WrongCurrency,
        Self::Configuration,
        Self::Refused,
        Self::DeliveredLate,
        Self::PaidAtLastMoment,
        Self::Recall,
        Self::NoCode,
        Self::NoRandomness,
        Self::NoErrorCode,
    ];

    /// The stable word for programs (interface 3).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
            Self::Restarted => "restarted",
            Self::NoAnswer => "no_answer",
            Self::ConnectionLost => "connection_lost",
            Self::NoConnection => "no_connection",
            Self::Certificate => "certificate",
            Self::BadSignature => "bad_signature",
            Self::BadAnswer => "bad_answer",
            Self::HttpStatus => "http_status",
            Self::WrongAmount => "wrong_amount",
            Self::WrongNumber => "wrong_number",
            Self::WrongMerchant => "wrong_merchant",
            Self::WrongCurrency => "wrong_currency",
            Self::Configuration => "configuration",
            Self::Refused => "refused",
            Self::DeliveredLate => "delivered_late",
            Self::PaidAtLastMoment => "paid_at_last_moment",
            Self::Recall => "recall",
            Self::NoCode => "no_code",
            Self::NoRandomness => "no_randomness",
            Self::NoErrorCode => "no_err_code",
        }
    }
}

/// A verified payment that matches in merchant, number, amount and currency.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Proof {
    /// The gateway's number of it.
    pub transaction_id: String,
    /// When the gateway says it was paid.
    pub paid_at: Timestamp,
    /// What coupons paid, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<i64>,
}

/// How an order came to its end at the gateway.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Ending {
    /// `CLOSED`
    Closed,
    /// `REVOKED`; whether money had moved is not said.
    Revoked,
    /// `REFUND`: money had been taken and goes back.
    Refunded,
}

impl Ending {
    /// The gateway's word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Closed => "CLOSED",
            Self::Revoked => "REVOKED",
            Self::Refunded => "REFUND",
        }
    }
}

/// How a call ended, of whichever kind. Everything in it was verified, but where it says otherwise.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Answer {
    Submitted(Submitted),
    Found(Found),
    Reversed(Reversed),
}

impl Answer {
    /// The end of a call that brought no answer which could be believed.
    pub const fn inconclusive(kind: CallKind, what: Inconclusive) -> Self {
        match kind {
            CallKind::Submit => Self::Submitted(Submitted::Inconclusive(what)),
            CallKind::Query => Self::Found(Found::Inconclusive(what)),
            CallKind::Reverse => Self::Reversed(Reversed::Inconclusive(what)),
        }
    }

    /// Which call it answers.
    pub const fn kind(&self) -> CallKind {
        match self {
            Self::Submitted(_) => CallKind::Submit,
            Self::Found(_) => CallKind::Query,
            Self::Reversed(_) => CallKind::Reverse,
        }
    }

    /// The call's end where it brought nothing that could be believed.
    pub const fn as_inconclusive(&self) -> Option<&Inconclusive> {
        match self {
            Self::Submitted(Submitted::Inconclusive(what))
            | Self::Found(Found::Inconclusive(what))
            | Self::Reversed(Reversed::Inconclusive(what)) => Some(what),
            Self::Submitted(_) | Self::Found(_) | Self::Reversed(_) => None,
        }
    }

    /// The reason it gives, if it gives one.
    pub const fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Submitted(Submitted::Declined(reason) | Submitted::Ambiguous(reason))
            | Self::Found(Found::Failed(reason))
            | Self::Reversed(
                Reversed::Repeat(reason) | Reversed::Refused(reason) | Reversed::Expired(reason),
            ) => Some(reason),
            _ => match self.as_inconclusive() {
                Some(what) => Some(what.reason()),
                None => None,
            },
        }
    }

    /// The payment it proves, if it proves one.
    pub const fn proof(&self) -> Option<&Proof> {
        match self {
            Self::Submitted(Submitted::Paid(proof)) | Self::Found(Found::Paid(proof)) => {
                Some(proof)
            }
            Self::Submitted(_) | Self::Found(_) | Self::Reversed(_) => None,
        }
    }
}

/// What a submission is answered.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Submitted {
    /// Taken, and it is ours.
    Paid(Proof),
    /// The customer is at it: `USERPAYING`.
    Paying,
    /// This submission took no money.
    Declined(Reason),
    /// A refusal that may stem from an earlier delivery of the same number: ask first.
    Ambiguous(Reason),
    Inconclusive(Inconclusive),
}

/// What a query finds.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Found {
    /// Taken, and it is ours.
    Paid(Proof),
    /// The customer is at it: `USERPAYING`.
    Paying,
    /// The order stands open and nobody has paid: `NOTPAY`.
    NotPaid,
    /// Ended on the customer's side, but open at the gateway: `PAYERROR`. It must be reversed.
    Failed(Reason),
    /// The order can take no money any more.
    Ended(Ending),
    /// The gateway does not know the number: `ORDERNOTEXIST`.
    NotFound,
    Inconclusive(Inconclusive),
}

/// What a reversal is answered.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Reversed {
    /// `SUCCESS` and `recall=N`. Only a query proves it.
    Accepted,
    /// It must be repeated: `recall=Y`, `SYSTEMERROR`, `USERPAYING`.
    Repeat(Reason),
    /// Refused for a cause that repeating does not cure.
    Refused(Reason),
    /// Refused for age: `REVERSE_EXPIRE`.
    Expired(Reason),
    Inconclusive(Inconclusive),
}

/// How any call may end without an answer that could be believed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Inconclusive {
    /// The request provably never left this machine.
    NotSent(Reason),
    /// `return_code=FAIL`. It carries no signature, so it proves nothing.
    Unsigned(Reason),
    /// A timeout, a bad signature, an unknown word.
    Unknown(Reason),
}

impl Inconclusive {
    /// Why.
    pub const fn reason(&self) -> &Reason {
        match self {
            Self::NotSent(reason) | Self::Unsigned(reason) | Self::Unknown(reason) => reason,
        }
    }
}
