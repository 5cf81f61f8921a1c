//! Gateways: how a call is said in bytes, and how a reply is read.

pub mod wechat;

use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::order::{AuthCode, Order};
use crate::payment::{Answer, CallKind};

/// The largest reply that is read; real ones stay under 8 KiB.
pub const LARGEST_REPLY: usize = 64 * 1024;

/// A call with what it needs. The payment code lives here and nowhere else.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a> {
    Submit(&'a Order, &'a AuthCode),
    Query(&'a Order),
    Reverse(&'a Order),
}

impl<'a> Ask<'a> {
    /// One kind of call about an order; `None` for a submission whose code is not at hand any more.
    pub const fn of(kind: CallKind, order: &'a Order, code: Option<&'a AuthCode>) -> Option<Self> {
        match (kind, code) {
            (CallKind::Submit, Some(code)) => Some(Self::Submit(order, code)),
            (CallKind::Submit, None) => None,
            (CallKind::Query, _) => Some(Self::Query(order)),
            (CallKind::Reverse, _) => Some(Self::Reverse(order)),
        }
    }

    /// The order it is about.
    pub const fn order(self) -> &'a Order {
        match self {
            Self::Submit(order, _) | Self::Query(order) | Self::Reverse(order) => order,
        }
    }

    /// Which of the calls it is.
    pub const fn kind(self) -> CallKind {
        match self {
            Self::Submit(..) => CallKind::Submit,
            Self::Query(_) => CallKind::Query,
            Self::Reverse(_) => CallKind::Reverse,
        }
    }
}

/// When a request is made, and what makes it unlike any other.
#[derive(Clone, Debug)]
pub struct Stamp {
    pub time: Timestamp,
    /// 32 letters and digits, drawn anew for each request.
    pub nonce: String,
}

/// Pure: no socket, no clock, no randomness. A transport carries the bytes.
pub trait Gateway: Send + Sync {
    /// The request: method, path, headers and body.
    fn encode(&self, ask: Ask<'_>, stamp: &Stamp) -> Outgoing;

    /// What the request says, for the record: without signature and nonce, the code masked.
    fn record(&self, ask: Ask<'_>) -> Vec<(String, String)>;

    /// Never fails: what cannot be trusted is [`Inconclusive`](crate::payment::Inconclusive). `now`
    /// stands in where a verified payment does not say when it was made.
    fn decode(&self, ask: Ask<'_>, reply: &Reply, now: Timestamp) -> Decoded;
}

/// A request, all but the host.
#[derive(Debug)]
pub struct Outgoing {
    /// Its target is a path. The body is wiped when dropped: it may hold a payment code.
    pub request: http::Request<Zeroizing<Vec<u8>>>,
    /// Whether the merchant's certificate must be shown.
    pub certificate: bool,
}

/// A whole reply, its headers too: what signs it may stand there.
pub type Reply = http::Response<Vec<u8>>;

/// What a reply says, and its words for the record.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    pub answer: Answer,
    /// The fields that came back, cleaned; without signatures, nonces and what identifies a person.
    pub record: Vec<(String, String)>,
}
