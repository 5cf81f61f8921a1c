//! What can go wrong with one answer, whichever call it answers.

use paytill_core::payment::CallKind;

/// A fault of the network, of something in between, or of the answer's content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Processed; the connection is closed without an answer.
    AnswerLost,
    /// Never processed; the connection is closed without an answer.
    RequestLost,
    /// Processed; the connection is reset.
    Reset,
    /// Processed; the connection stays open and nothing comes.
    Silent,
    /// Processed at once; the answer comes [`LATE_SECONDS`] later.
    Late,
    /// The answer comes a byte a second.
    Drip,
    /// Random bytes in a well-formed HTTP answer.
    Garbage,
    /// Bytes that are not HTTP.
    NotHttp,
    /// The HTTP answer breaks off at a random place.
    Truncated,
    /// A captive portal's page.
    Html,
    /// HTTP 200 without a body.
    Empty,
    /// A correctly signed answer of more than 64 KiB.
    Huge,
    /// A correctly signed answer behind a document type declaration.
    Doctype,
    /// A correctly signed answer with one field twice.
    RepeatedField,
    /// The signature is missing.
    Unsigned,
    /// Success claimed by someone without the key, and no payment behind it.
    Forged,
    /// Signed with the algorithm that the request did not use.
    Downgraded,
    /// Correctly signed, for one fen more.
    WrongAmount,
    /// Correctly signed, for another order.
    WrongNumber,
    /// Correctly signed, for another merchant.
    WrongMerchant,
    /// Correctly signed, in another currency.
    WrongCurrency,
    /// HTTP 500 around a correctly signed answer.
    Http500,
    /// HTTP 429 around a correctly signed answer.
    Http429,
    /// HTTP 307 to another host.
    Redirect,
    /// `return_code=FAIL`, which is never signed.
    ReturnFail,
}

/// How long after the request a [`Fault::Late`] answer comes.
pub const LATE_SECONDS: u8 = 12;

impl Fault {
    /// All of them. Their order is part of the codes that select them: add at the end only.
    pub const ALL: [Self; 25] = [
        Self::AnswerLost,
        Self::RequestLost,
        Self::Reset,
        Self::Silent,
        Self::Late,
        Self::Drip,
        Self::Garbage,
        Self::NotHttp,
        Self::Truncated,
        Self::Html,
        Self::Empty,
        Self::Huge,
        Self::Doctype,
        Self::RepeatedField,
        Self::Unsigned,
        Self::Forged,
        Self::Downgraded,
        Self::WrongAmount,
        Self::WrongNumber,
        Self::WrongMerchant,
        Self::WrongCurrency,
        Self::Http500,
        Self::Http429,
        Self::Redirect,
        Self::ReturnFail,
    ];

    /// Its name, as part of a scenario's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AnswerLost => "answer-lost",
            Self::RequestLost => "request-lost",
            Self::Reset => "reset",
            Self::Silent => "silent",
            Self::Late => "late",
            Self::Drip => "drip",
            Self::Garbage => "garbage",
            Self::NotHttp => "not-http",
            Self::Truncated => "truncated",
            Self::Html => "html",
            Self::Empty => "empty",
            Self::Huge => "huge",
            Self::Doctype => "doctype",
            Self::RepeatedField => "repeated-field",
            Self::Unsigned => "unsigned",
            Self::Forged => "forged",
            Self::Downgraded => "downgraded",
            Self::WrongAmount => "wrong-amount",
            Self::WrongNumber => "wrong-number",
            Self::WrongMerchant => "wrong-merchant",
            Self::WrongCurrency => "wrong-currency",
            Self::Http500 => "http-500",
            Self::Http429 => "http-429",
            Self::Redirect => "redirect",
            Self::ReturnFail => "return-fail",
        }
    }

    /// Whether it makes sense for a call: the answer to a reversal, and those that go with a code to
    /// scan, name neither amount nor currency,
    /// and a late answer to a submission is a scenario of its own.
    pub const fn applies_to(self, call: CallKind) -> bool {
        match self {
            Self::Late => !matches!(call, CallKind::Submit),
            Self::WrongAmount | Self::WrongCurrency => {
                !matches!(call, CallKind::Reverse | CallKind::Order | CallKind::Close)
            }
            _ => true,
        }
    }

    /// Whether a call with this fault is carried out.
    pub const fn is_processed(self) -> bool {
        !matches!(self, Self::RequestLost | Self::Forged | Self::ReturnFail)
    }
}
