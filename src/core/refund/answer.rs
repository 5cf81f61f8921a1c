//! What a gateway says about a refund: one type for each call, so that no call can get an answer
//! that belongs to another.

use serde::{Deserialize, Serialize};

use super::number::OutRefundNo;
use crate::clock::Timestamp;
use crate::money::Money;
use crate::payment::{Inconclusive, Reason};

/// The kinds of calls.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RefundCallKind {
    /// refundquery by order number: what there is already, from this place of the list on. It moves
    /// nothing.
    Look { offset: u32 },
    /// refund
    Refund,
    /// refundquery by refund number
    Query,
}

impl RefundCallKind {
    /// The protocol's name for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Look { .. } | Self::Query => "refundquery",
        }
    }
}

/// A call to make. Its number, counted within the refund, tells its answer from a late one to an
/// earlier call.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RefundCall {
    pub kind: RefundCallKind,
    pub number: u32,
}

/// A verified refund that matches in merchant, order, number, amount, total and currency, and that
/// the gateway has carried out.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RefundProof {
    /// The gateway's number for it; empty if it was not told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub refund_id: String,
    /// When it was done by the gateway's word, or when the answer came if that is missing.
    pub done_at: Timestamp,
}

/// The outcome of a call of any kind. Everything in it was verified, unless it says otherwise.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum RefundAnswer {
    Looked(Looked),
    Said(RefundSaid),
    Queried(Queried),
}

/// All that a look at an order's refunds has brought so far.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Looked {
    Page(RefundPage),
    Inconclusive(Inconclusive),
}

/// A page of the list of an order's refunds.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct RefundPage {
    /// How many refunds the order has.
    pub total: u32,
    /// Those on this page.
    pub refunds: Vec<KnownRefund>,
}

/// A refund that the gateway knows, whoever asked for it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KnownRefund {
    /// As its maker numbered it, cleaned.
    pub number: String,
    pub amount: Money,
    /// Whether its money has left the shop or is to leave it: only a closed one's has not.
    pub counts: bool,
}

/// The answer to a refund.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum RefundSaid {
    /// The gateway has it. Only a query proves that it is done.
    Accepted,
    /// Refused, for a reason that repeating does not fix at once.
    Refused(Reason),
    /// Too many requests: not before a minute has passed.
    Blocked(Reason),
    Inconclusive(Inconclusive),
}

/// What a query by the refund's number found.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Queried {
    /// `SUCCESS`
    Done(RefundProof),
    /// `PROCESSING`
    Processing,
    /// `REFUNDCLOSE`: nothing was given back, and this number never will be.
    Closed,
    /// `CHANGE`: the customer's card does not take it.
    Abnormal,
    /// `REFUNDNOTEXIST`
    NotFound,
    Inconclusive(Inconclusive),
}

impl RefundAnswer {
    /// The outcome of a call that brought no credible answer.
    pub const fn inconclusive(kind: RefundCallKind, what: Inconclusive) -> Self {
        match kind {
            RefundCallKind::Look { .. } => Self::Looked(Looked::Inconclusive(what)),
            RefundCallKind::Refund => Self::Said(RefundSaid::Inconclusive(what)),
            RefundCallKind::Query => Self::Queried(Queried::Inconclusive(what)),
        }
    }

    /// Whether it answers this kind of call.
    pub const fn answers(&self, kind: RefundCallKind) -> bool {
        match self {
            Self::Looked(_) => matches!(kind, RefundCallKind::Look { .. }),
            Self::Said(_) => matches!(kind, RefundCallKind::Refund),
            Self::Queried(_) => matches!(kind, RefundCallKind::Query),
        }
    }

    /// The protocol's name of the call that it answers.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Said(_) => RefundCallKind::Refund.word(),
            Self::Looked(_) | Self::Queried(_) => RefundCallKind::Query.word(),
        }
    }

    /// What went wrong, if the call brought no credible answer.
    pub const fn as_inconclusive(&self) -> Option<&Inconclusive> {
        match self {
            Self::Looked(Looked::Inconclusive(what))
            | Self::Said(RefundSaid::Inconclusive(what))
            | Self::Queried(Queried::Inconclusive(what)) => Some(what),
            Self::Looked(_) | Self::Said(_) | Self::Queried(_) => None,
        }
    }
}

impl KnownRefund {
    /// Whether it has this number.
    pub(super) fn is(&self, number: &OutRefundNo) -> bool {
        self.number == number.as_str()
    }
}
