//! Gateways: how a call becomes bytes, and how a reply is read.
//!
//! A [`Gateway`] is a pure codec. It turns a call into an HTTP request without a host, and a reply
//! into an [`Answer`] that the payment machine understands; a transport carries the bytes. A reply
//! is believed only if it is complete, correctly signed, and about this merchant and order.
//! Decoding never fails: whatever cannot be believed comes out as inconclusive. What is kept for
//! the record holds no full payment code, no key and no signature.

pub mod backend;
mod enquiry;
pub mod notice;
pub mod page;
pub mod wechat;

use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::order::{AuthCode, Order, OutTradeNo};
use crate::payment::{Answer, CallKind};
use crate::refund::{Refund, RefundAnswer, RefundCallKind};

pub use enquiry::{Enquired, Lookup, Owner, Question};
pub use notice::{Delivery, Notice};

/// The largest reply that is read; real ones stay under 8 KiB.
pub const LARGEST_REPLY: usize = 64 * 1024;

/// A call with what it needs. Only a submission carries the payment code.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a> {
    Submit(&'a Order, &'a AuthCode),
    Query(&'a Order),
    Reverse(&'a Order),
    RefundQuery(&'a Order),
    Order(&'a Order),
    Close(&'a Order),
}

impl<'a> Ask<'a> {
    /// A kind of call about an order; `None` for a submission whose code is gone.
    pub const fn of(kind: CallKind, order: &'a Order, code: Option<&'a AuthCode>) -> Option<Self> {
        match (kind, code) {
            (CallKind::Submit, Some(code)) => Some(Self::Submit(order, code)),
            (CallKind::Submit, None) => None,
            (CallKind::Query, _) => Some(Self::Query(order)),
            (CallKind::Reverse, _) => Some(Self::Reverse(order)),
            (CallKind::RefundQuery, _) => Some(Self::RefundQuery(order)),
            (CallKind::Order, _) => Some(Self::Order(order)),
            (CallKind::Close, _) => Some(Self::Close(order)),
        }
    }

    /// The order it is about.
    pub const fn order(self) -> &'a Order {
        match self {
            Self::Submit(order, _)
            | Self::Query(order)
            | Self::Reverse(order)
            | Self::RefundQuery(order)
            | Self::Order(order)
            | Self::Close(order) => order,
        }
    }

    /// Which kind of call it is.
    pub const fn kind(self) -> CallKind {
        match self {
            Self::Submit(..) => CallKind::Submit,
            Self::Query(_) => CallKind::Query,
            Self::Reverse(_) => CallKind::Reverse,
            Self::RefundQuery(_) => CallKind::RefundQuery,
            Self::Order(_) => CallKind::Order,
            Self::Close(_) => CallKind::Close,
        }
    }
}

/// A call about a refund, with what it needs.
#[derive(Clone, Copy, Debug)]
pub struct RefundAsk<'a> {
    pub kind: RefundCallKind,
    pub refund: &'a Refund,
}

/// When a request is made, and what makes it unique.
#[derive(Clone, Debug)]
pub struct Stamp {
    pub time: Timestamp,
    /// 32 letters and digits, drawn afresh for each request.
    pub nonce: String,
}

/// A codec. Pure: no socket, no clock, no randomness.
pub trait Gateway: Send + Sync {
    /// The request: method, path, headers and body.
    fn encode(&self, ask: Ask<'_>, stamp: &Stamp) -> Outgoing;

    /// The same of a payment that is waiting for news: a gateway that can holds the question open
    /// until there is some. Elsewhere it is the same request.
    fn encode_waiting(&self, ask: Ask<'_>, stamp: &Stamp) -> Outgoing {
        self.encode(ask, stamp)
    }

    /// Says that a payment is on record here as paid, where somebody wants to know: from then on it is
    /// not taken back, and nobody looks for a till that has missed it.
    fn encode_seen(&self, _out_trade_no: &OutTradeNo, _stamp: &Stamp) -> Option<Outgoing> {
        None
    }

    /// Between the transport and decoding, whoever has carried the request with this stamp hands over
    /// its reply: where answers are bound to their requests, that is checked here. Without it such a
    /// gateway believes nothing.
    fn receive(&self, _stamp: &Stamp, _reply: &mut Reply) {}

    /// The request's fields for the record: no signature or nonce, and the code masked.
    fn record(&self, ask: Ask<'_>) -> Vec<(String, String)>;

    /// Never fails: what cannot be trusted is [`Inconclusive`](crate::payment::Inconclusive). `now`
    /// stands in if a verified payment does not say when it was made.
    fn decode(&self, ask: Ask<'_>, reply: &Reply, now: Timestamp) -> Decoded;

    /// The request about a refund, like [`Gateway::encode`].
    fn encode_refund(&self, ask: RefundAsk<'_>, stamp: &Stamp) -> Outgoing;

    /// Its fields for the record, like [`Gateway::record`].
    fn record_refund(&self, ask: RefundAsk<'_>) -> Vec<(String, String)>;

    /// Never fails, like [`Gateway::decode`].
    fn decode_refund(&self, ask: RefundAsk<'_>, reply: &Reply, now: Timestamp) -> DecodedRefund;

    /// The question whose order a transaction is.
    fn encode_lookup(&self, lookup: Lookup<'_>, stamp: &Stamp) -> Outgoing;

    /// Never fails, like [`Gateway::decode`]. `now` tells a fresh answer from one that is repeated.
    fn decode_lookup(&self, lookup: Lookup<'_>, reply: &Reply, now: Timestamp) -> Owner;
}

/// A complete request except for the host.
#[derive(Debug)]
pub struct Outgoing {
    /// Its target is only a path. The body is wiped when dropped: it may hold a payment code.
    pub request: http::Request<Zeroizing<Vec<u8>>>,
    /// Whether the merchant's client certificate must be presented.
    pub certificate: bool,
}

/// A complete reply with its headers, which may hold the signature.
pub type Reply = http::Response<Vec<u8>>;

/// A text within a target. Whatever is not plain is escaped: what is signed is what is sent.
fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// What a reply says, and its fields for the record.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    pub answer: Answer,
    /// The fields received, cleaned; no signatures, nonces or anything that identifies a person.
    pub record: Vec<(String, String)>,
}

impl Decoded {
    /// What the reply to `ask` says. The gateway has no reason to echo a payment code, but nothing
    /// stops it: it is kept nowhere.
    pub fn of(ask: Ask<'_>, mut answer: Answer, mut record: Vec<(String, String)>) -> Self {
        if let Ask::Submit(_, code) = ask {
            answer.conceal(code.expose());
            record.retain(|(_, value)| !value.contains(code.expose()));
        }
        Self { answer, record }
    }
}

/// As [`Decoded`], about a refund.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedRefund {
    pub answer: RefundAnswer,
    pub record: Vec<(String, String)>,
}
