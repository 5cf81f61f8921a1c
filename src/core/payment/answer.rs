//! What a gateway says about a payment: one type for each call, so that no call can get an answer
//! that belongs to another.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::order::CodeUrl;

/// The kinds of calls.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CallKind {
    /// micropay
    Submit,
    /// orderquery
    Query,
    /// reverse
    Reverse,
    /// refundquery
    RefundQuery,
    /// unifiedorder
    Order,
    /// closeorder
    Close,
}

impl CallKind {
    /// The protocol's name for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Submit => "micropay",
            Self::Query => "orderquery",
            Self::Reverse => "reverse",
            Self::RefundQuery => "refundquery",
            Self::Order => "unifiedorder",
            Self::Close => "closeorder",
        }
    }

    /// Whether it ends the order, where that is still possible.
    pub const fn ends_an_order(self) -> bool {
        matches!(self, Self::Reverse | Self::Close)
    }
}

/// A call to make. Its number, counted within the payment, tells its answer from a late one to an
/// earlier call.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Call {
    pub kind: CallKind,
    pub number: u32,
}

impl Call {
    /// The one submission of a payment, and its first call.
    pub const SUBMISSION: Self = Self { kind: CallKind::Submit, number: 0 };
    /// Under this number is written what the gateway tells unasked. No call ever has it.
    pub const UNASKED: u32 = u32::MAX;
}

/// Why a payment is where it is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Reason {
    pub cause: Cause,
    /// The gateway's own text, cleaned; empty if there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

impl Reason {
    /// A reason that the gateway gave: its code and its text, both cleaned by the caller.
    pub fn gateway(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self { cause: Cause::Gateway(code.into()), text: text.into() }
    }

    /// A cause of ours, quoting the gateway's text.
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

impl Reason {
    /// Whether it says what the customer is asked, while that is under way.
    pub(super) fn is_of_the_customer(&self) -> bool {
        self.code() == "USERPAYING"
    }

    /// The reason for the end of the wait: what was said to the customer is kept as words alone.
    pub(super) fn at_the_end(self, cause: TillCause) -> Self {
        if self.is_of_the_customer() { Self::quoting(cause, self.text) } else { self }
    }
}

impl From<TillCause> for Reason {
    fn from(cause: TillCause) -> Self {
        Self { cause: Cause::Till(cause), text: String::new() }
    }
}

/// Who a reason comes from.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// The gateway's own code, cleaned, such as `NOTENOUGH`. New ones may appear at any time.
    Gateway(String),
    Till(TillCause),
}

/// What the till itself found.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TillCause {
    /// The customer did not confirm in time.
    Timeout,
    /// The cashier cancelled.
    Cancelled,
    /// The till was restarted while the payment was open.
    Restarted,
    NoAnswer,
    ConnectionLost,
    NoConnection,
    /// A certificate was not accepted for another reason than those below.
    Certificate,
    /// The gateway's certificate is not valid yet by this machine's clock.
    ClockBehind,
    /// The gateway's certificate is not valid any more by this machine's clock.
    CertificateExpired,
    /// The gateway's certificate comes from nobody whom this machine trusts.
    UnknownRoot,
    /// The certificate belongs to another host than the one that was dialled.
    WrongHostName,
    /// What answered does not speak TLS.
    PlainHttp,
    /// The other side refused the shop's certificate.
    OwnCertificate,
    /// The proxy did not let the connection through.
    ProxyRefused,
    BadSignature,
    /// The answer is not of this moment, by this machine's clock.
    AnswerTime,
    BadAnswer,
    /// An error page instead of an answer.
    HttpStatus,
    WrongAmount,
    WrongNumber,
    WrongMerchant,
    WrongCurrency,
    /// The order of this number is another till's, which has the same id.
    AnotherTill,
    /// Somebody has returned a part of the money, at the gateway.
    PartlyRefunded,
    /// Somebody has returned money, at the gateway, which does not say how much.
    RefundUntold,
    /// The order is of another merchant than the one that is configured now.
    MerchantChanged,
    /// A person has settled it outside the till.
    Settled,
    /// The gateway refuses all requests: the set-up is wrong.
    Configuration,
    /// An unsigned refusal.
    Refused,
    /// The request reached the gateway after its reversal.
    DeliveredLate,
    /// The money was taken and is being returned.
    PaidAtLastMoment,
    /// The gateway wants the reversal repeated.
    Recall,
    /// The payment code was no longer available.
    NoCode,
    /// The system provided no random bytes.
    NoRandomness,
    /// The gateway failed a call without giving a code.
    NoErrorCode,
    /// More was to be refunded than is left of the order at the gateway.
    MoreThanLeft,
    /// Nobody paid while the code could be scanned.
    CodeExpired,
    /// The customer paid, although the code had been taken away.
    PaidAfterAll,
    /// The merchant's backend is still at it.
    InProgress,
}

impl TillCause {
    /// All of them.
    pub const ALL: [Self; 39] = [
        Self::Timeout,
        Self::Cancelled,
        Self::Restarted,
        Self::NoAnswer,
        Self::ConnectionLost,
        Self::NoConnection,
        Self::Certificate,
        Self::ClockBehind,
        Self::CertificateExpired,
        Self::UnknownRoot,
        Self::WrongHostName,
        Self::PlainHttp,
        Self::OwnCertificate,
        Self::ProxyRefused,
        Self::BadSignature,
        Self::AnswerTime,
        Self::BadAnswer,
        Self::HttpStatus,
        Self::WrongAmount,
        Self::WrongNumber,
        Self::WrongMerchant,
        Self::WrongCurrency,
        Self::AnotherTill,
        Self::PartlyRefunded,
        Self::RefundUntold,
        Self::MerchantChanged,
        Self::Settled,
        Self::Configuration,
        Self::Refused,
        Self::DeliveredLate,
        Self::PaidAtLastMoment,
        Self::Recall,
        Self::NoCode,
        Self::NoRandomness,
        Self::NoErrorCode,
        Self::MoreThanLeft,
        Self::CodeExpired,
        Self::PaidAfterAll,
        Self::InProgress,
    ];

    /// The stable word for programs (interface 3).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Restarted => "restarted",
            Self::NoAnswer => "no_answer",
            Self::ConnectionLost => "connection_lost",
            Self::NoConnection => "no_connection",
            Self::Certificate => "certificate",
            Self::ClockBehind => "clock_behind",
            Self::CertificateExpired => "certificate_expired",
            Self::UnknownRoot => "unknown_root",
            Self::WrongHostName => "wrong_host_name",
            Self::PlainHttp => "plain_http",
            Self::OwnCertificate => "own_certificate",
            Self::ProxyRefused => "proxy_refused",
            Self::BadSignature => "bad_signature",
            Self::AnswerTime => "answer_time",
            Self::BadAnswer => "bad_answer",
            Self::HttpStatus => "http_status",
            Self::WrongAmount => "wrong_amount",
            Self::WrongNumber => "wrong_number",
            Self::WrongMerchant => "wrong_merchant",
            Self::WrongCurrency => "wrong_currency",
            Self::AnotherTill => "another_till",
            Self::PartlyRefunded => "partly_refunded",
            Self::RefundUntold => "refund_untold",
            Self::MerchantChanged => "merchant_changed",
            Self::Settled => "settled",
            Self::Configuration => "configuration",
            Self::Refused => "refused",
            Self::DeliveredLate => "delivered_late",
            Self::PaidAtLastMoment => "paid_at_last_moment",
            Self::Recall => "recall",
            Self::NoCode => "no_code",
            Self::NoRandomness => "no_randomness",
            Self::NoErrorCode => "no_err_code",
            Self::MoreThanLeft => "more_than_left",
            Self::CodeExpired => "code_expired",
            Self::PaidAfterAll => "paid_after_all",
            Self::InProgress => "in_progress",
        }
    }
}

/// A verified payment that matches its order in merchant, number, amount and currency.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Proof {
    /// The gateway's number for it.
    pub transaction_id: String,
    /// When it was paid by the gateway's word, or when the answer came if that is missing.
    pub paid_at: Timestamp,
    /// The part paid by coupons, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<i64>,
}

/// How an order ended at the gateway.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Ending {
    /// `CLOSED`
    Closed,
    /// `REVOKED`: reversed before anybody had paid.
    Revoked,
    /// `REVOKED` after a payment: all of the money is being returned.
    Returned,
    /// `REFUND`: there was a payment, and at least a part of it is being returned.
    Refunded,
}

impl Ending {
    /// The gateway's code for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Closed => "CLOSED",
            Self::Revoked | Self::Returned => "REVOKED",
            Self::Refunded => "REFUND",
        }
    }
}

/// The outcome of a call of any kind. Everything in it was verified, unless it says otherwise.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Answer {
    Submitted(Submitted),
    Found(Found),
    Reversed(Reversed),
    Refunds(Refunds),
    Ordered(Ordered),
    Closed(CloseSaid),
}

impl Answer {
    /// The outcome of a call that brought no credible answer.
    pub const fn inconclusive(kind: CallKind, what: Inconclusive) -> Self {
        match kind {
            CallKind::Submit => Self::Submitted(Submitted::Inconclusive(what)),
            CallKind::Query => Self::Found(Found::Inconclusive(what)),
            CallKind::Reverse => Self::Reversed(Reversed::Inconclusive(what)),
            CallKind::RefundQuery => Self::Refunds(Refunds::Inconclusive(what)),
            CallKind::Order => Self::Ordered(Ordered::Inconclusive(what)),
            CallKind::Close => Self::Closed(CloseSaid::Inconclusive(what)),
        }
    }

    /// The kind of call it answers.
    pub const fn kind(&self) -> CallKind {
        match self {
            Self::Submitted(_) => CallKind::Submit,
            Self::Found(_) => CallKind::Query,
            Self::Reversed(_) => CallKind::Reverse,
            Self::Refunds(_) => CallKind::RefundQuery,
            Self::Ordered(_) => CallKind::Order,
            Self::Closed(_) => CallKind::Close,
        }
    }

    /// What went wrong, if the call brought no credible answer.
    pub const fn as_inconclusive(&self) -> Option<&Inconclusive> {
        match self {
            Self::Submitted(Submitted::Inconclusive(what))
            | Self::Found(Found::Inconclusive(what))
            | Self::Reversed(Reversed::Inconclusive(what))
            | Self::Refunds(Refunds::Inconclusive(what))
            | Self::Ordered(Ordered::Inconclusive(what))
            | Self::Closed(CloseSaid::Inconclusive(what)) => Some(what),
            Self::Submitted(_)
            | Self::Found(_)
            | Self::Reversed(_)
            | Self::Refunds(_)
            | Self::Ordered(_)
            | Self::Closed(_) => None,
        }
    }

    /// The reason it gives, if any.
    pub const fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Submitted(
                Submitted::Asked(reason)
                | Submitted::Declined(reason)
                | Submitted::Ambiguous(reason),
            )
            | Self::Found(
                Found::Failed(reason)
                | Found::Declined { reason, .. }
                | Found::AnotherTills(reason),
            )
            | Self::Reversed(
                Reversed::Repeat(reason) | Reversed::Refused(reason) | Reversed::Expired(reason),
            )
            | Self::Refunds(Refunds::Part(reason))
            | Self::Ordered(Ordered::Refused(reason) | Ordered::Ambiguous(reason))
            | Self::Closed(
                CloseSaid::Paid(reason) | CloseSaid::Repeat(reason) | CloseSaid::Refused(reason),
            ) => Some(reason),
            _ => match self.as_inconclusive() {
                Some(what) => Some(what.reason()),
                None => None,
            },
        }
    }

    /// Takes away the gateway's words where they repeat a secret, such as a payment code.
    pub fn conceal(&mut self, secret: &str) {
        let reason = match self {
            Self::Submitted(
                Submitted::Asked(reason)
                | Submitted::Declined(reason)
                | Submitted::Ambiguous(reason)
                | Submitted::Inconclusive(
                    Inconclusive::NotSent(reason)
                    | Inconclusive::Unsigned(reason)
                    | Inconclusive::Unknown(reason),
                ),
            ) => reason,
            // Only a submission's answer can know it.
            Self::Submitted(Submitted::Paid(_) | Submitted::Paying)
            | Self::Found(_)
            | Self::Reversed(_)
            | Self::Refunds(_)
            | Self::Ordered(_)
            | Self::Closed(_) => return,
        };
        if reason.text.contains(secret) {
            reason.text.clear();
        }
        if matches!(&reason.cause, Cause::Gateway(code) if code.contains(secret)) {
            reason.cause = Cause::Till(TillCause::NoErrorCode);
        }
    }

    /// Whether it shows that the order of this number is ours. A refusal shows nothing: another till
    /// with the same id may have given out the number.
    pub const fn shows_ours(&self) -> bool {
        matches!(
            self,
            Self::Submitted(Submitted::Paid(_) | Submitted::Paying | Submitted::Asked(_))
                | Self::Found(
                    Found::Paid(_)
                        | Found::Paying
                        | Found::NotPaid
                        | Found::Failed(_)
                        | Found::Declined { .. }
                        | Found::Returning
                        | Found::Ended(_)
                )
                | Self::Ordered(Ordered::Code(_))
        )
    }

    /// The payment it proves, if any.
    pub const fn proof(&self) -> Option<&Proof> {
        match self {
            Self::Submitted(Submitted::Paid(proof)) | Self::Found(Found::Paid(proof)) => {
                Some(proof)
            }
            Self::Submitted(_)
            | Self::Found(_)
            | Self::Reversed(_)
            | Self::Refunds(_)
            | Self::Ordered(_)
            | Self::Closed(_) => None,
        }
    }
}

/// The answer to a submission.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Submitted {
    /// The money was taken for this order.
    Paid(Proof),
    /// The customer is entering the password: `USERPAYING`.
    Paying,
    /// The same, with words of the gateway that say more: why it asks, or what it noticed.
    Asked(Reason),
    /// This submission took no money.
    Declined(Reason),
    /// A refusal that may stem from an earlier delivery of the same number: query first.
    Ambiguous(Reason),
    Inconclusive(Inconclusive),
}

/// What a query found.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Found {
    /// The money was taken for this order.
    Paid(Proof),
    /// The customer is entering the password: `USERPAYING`.
    Paying,
    /// The order is open and nobody has paid: `NOTPAY`.
    NotPaid,
    /// Over for the customer, but still open at the gateway: `PAYERROR`. It must be reversed.
    Failed(Reason),
    /// By the word of whoever submitted it for us, the submission took no money. `closed`: the number
    /// can take none any more.
    Declined {
        reason: Reason,
        closed: bool,
    },
    /// The customer had paid, and whoever reverses it for us is returning the money.
    Returning,
    /// The order can no longer take money.
    Ended(Ending),
    /// The gateway does not know the number: `ORDERNOTEXIST`.
    NotFound,
    /// The order of this number is another till's: nothing of it is ours to take or to reverse.
    AnotherTills(Reason),
    Inconclusive(Inconclusive),
}

/// The answer to a reversal.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Reversed {
    /// `SUCCESS` and `recall=N`. Only a query proves it.
    Accepted,
    /// It must be repeated: `recall=Y`, `SYSTEMERROR`, `USERPAYING`.
    Repeat(Reason),
    /// Refused for a reason that repeating does not fix.
    Refused(Reason),
    /// Refused because the order is too old: `REVERSE_EXPIRE`.
    Expired(Reason),
    Inconclusive(Inconclusive),
}

/// How much of a payment was returned: the answer to a refund query.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Refunds {
    /// All of it was returned or is on its way.
    Whole,
    /// A part of it; the reason quotes how much.
    Part(Reason),
    /// Nothing.
    None,
    /// Something, and the gateway has no call that says how much.
    Untold,
    Inconclusive(Inconclusive),
}

/// The answer to an order that is to be paid by scanning its code.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Ordered {
    /// The code to show. The same order again gives the same one.
    Code(CodeUrl),
    /// There is no such order, and there will be none.
    Refused(Reason),
    /// A refusal that may stem from an earlier delivery of the same number: query first.
    Ambiguous(Reason),
    Inconclusive(Inconclusive),
}

/// The answer to closing an order.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum CloseSaid {
    /// `SUCCESS`, or the gateway says that there is nothing to close. Only a query proves it.
    Accepted,
    /// `ORDERPAID`: paid before it could be closed. Only a query proves it.
    Paid(Reason),
    /// Not done: again.
    Repeat(Reason),
    /// Refused for a reason that repeating does not fix.
    Refused(Reason),
    Inconclusive(Inconclusive),
}

/// How any call may end without a credible answer.
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
