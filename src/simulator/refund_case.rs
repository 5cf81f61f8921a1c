//! What can become of refunds, and how the gateway keeps them.

use super::fault::Fault;
use super::notice_case::NotifyTo;
use paytill_core::clock::Millis;
use paytill_core::money::Money;

/// What happens to the refunds of one order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RefundCase {
    /// It is in progress for 20 minutes.
    Slow,
    /// The shop's balance is too low for the first refund number.
    NotEnough,
    /// Accepted, and closed: nothing is given back.
    Closed,
    /// Accepted, and the customer's card does not take it.
    Abnormal,
    /// The first refund is carried out, and its answer lost.
    AnswerLost,
    /// The first refund never arrives.
    RequestLost,
    /// The first answer has another key's signature, and nothing is done.
    Forged,
    /// The first answer is an unsigned `FAIL`, and nothing is done.
    Unsigned,
    /// The first answer is `SYSTEMERROR`, and the refund is carried out.
    SystemError,
    /// Half was refunded at the merchant platform before a till first looks.
    Elsewhere,
    /// The first two refund queries answer `SYSTEMERROR`.
    QueryFails,
}

impl RefundCase {
    /// All of them. Their order is part of the codes that select them: add at the end only.
    pub const ALL: [Self; 11] = [
        Self::Slow,
        Self::NotEnough,
        Self::Closed,
        Self::Abnormal,
        Self::AnswerLost,
        Self::RequestLost,
        Self::Forged,
        Self::Unsigned,
        Self::SystemError,
        Self::Elsewhere,
        Self::QueryFails,
    ];

    /// Its scenario's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slow => "refund-slow",
            Self::NotEnough => "refund-notenough",
            Self::Closed => "refund-closed",
            Self::Abnormal => "refund-abnormal",
            Self::AnswerLost => "refund-answer-lost",
            Self::RequestLost => "refund-request-lost",
            Self::Forged => "refund-forged",
            Self::Unsigned => "refund-unsigned",
            Self::SystemError => "refund-systemerror",
            Self::Elsewhere => "refund-elsewhere",
            Self::QueryFails => "refund-query-fails",
        }
    }

    /// What happens to the answer to the first refund call.
    pub(super) const fn fault(self) -> Option<Fault> {
        match self {
            Self::AnswerLost => Some(Fault::AnswerLost),
            Self::RequestLost => Some(Fault::RequestLost),
            Self::Forged => Some(Fault::Forged),
            Self::Unsigned => Some(Fault::ReturnFail),
            _ => None,
        }
    }
}

/// A refund in the gateway's books.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BankRefund {
    /// `out_refund_no`
    pub number: String,
    pub amount: Money,
    pub stage: RefundStage,
    /// The gateway's number for it.
    pub refund_id: String,
    /// When it was accepted.
    pub at: Millis,
    /// When it ends, and how; `None` once it has.
    pub(super) ends: Option<(Millis, RefundStage)>,
    /// When it ended.
    pub(super) ended_at: Millis,
    /// Where to tell of its end; `None` once that is noted.
    pub(super) notify: Option<NotifyTo>,
}

/// `refund_status`
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RefundStage {
    Processing,
    Success,
    Closed,
    Abnormal,
}

impl RefundStage {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Processing => "PROCESSING",
            Self::Success => "SUCCESS",
            Self::Closed => "REFUNDCLOSE",
            Self::Abnormal => "CHANGE",
        }
    }
}
