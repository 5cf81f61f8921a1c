//! What the gateway tells unasked: notifications of payments and refunds.
//!
//! Anybody can send bytes to the address that takes them. A [`Notice`] comes out of a delivery only if
//! it is signed, of this moment where that can be told, and about our merchant. Even then it moves
//! nothing by itself: its amounts cannot be read, only held against an order or a refund of ours.

use crate::clock::Timestamp;
use crate::money::Money;
use crate::order::{Merchant, Order};
use crate::payment::{Inconclusive, Proof, TillCause};
use crate::refund::{Queried, Refund, RefundProof};

/// A delivery as it came: its headers and its very bytes.
pub type Delivery = http::Request<Vec<u8>>;

/// What a verified delivery is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    Paid(PaymentNotice),
    Refund(RefundNotice),
    /// Encrypted and not signed: a reason to ask about this refund, and nothing more.
    Hint(RefundHint),
    /// Signed, and about something else: the gateway's word for it.
    Other(String),
}

/// The gateway says that an order was paid.
#[derive(Clone, Debug, PartialEq)]
pub struct PaymentNotice {
    /// The same in every delivery of it.
    pub id: String,
    pub out_trade_no: String,
    pub transaction_id: String,
    pub(super) merchant: Merchant,
    /// The order's mark, if it comes back.
    pub(super) attach: Option<String>,
    pub(super) total: Money,
    pub(super) currency: String,
    pub(super) paid_at: Option<Timestamp>,
    pub(super) coupon: Option<i64>,
}

impl PaymentNotice {
    /// The proof that an order was paid, if it matches in merchant, number, mark, amount and currency.
    pub fn proof(&self, order: &Order, now: Timestamp) -> Result<Proof, Inconclusive> {
        let is_mark =
            |text: &&str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mark = self.attach.as_deref().filter(is_mark);
        let wrong = if self.merchant != order.merchant {
            Some(TillCause::WrongMerchant)
        } else if self.out_trade_no != order.out_trade_no.as_str() {
            Some(TillCause::WrongNumber)
        } else if !order.mark.is_empty() && mark.is_some_and(|mark| mark != order.mark) {
            Some(TillCause::AnotherTill)
        } else if self.total != order.amount {
            Some(TillCause::WrongAmount)
        } else if self.currency != order.currency.code() {
            Some(TillCause::WrongCurrency)
        } else {
            None
        };
        if let Some(cause) = wrong {
            return Err(Inconclusive::Unknown(cause.into()));
        }
        Ok(Proof {
            transaction_id: self.transaction_id.clone(),
            paid_at: self.paid_at.unwrap_or(now),
            coupon: self.coupon,
        })
    }
}

/// The gateway says what became of a refund.
#[derive(Clone, Debug, PartialEq)]
pub struct RefundNotice {
    /// The same in every delivery of it.
    pub id: String,
    pub out_trade_no: String,
    pub out_refund_no: String,
    pub(super) merchant: Merchant,
    pub(super) refund_id: String,
    pub(super) status: RefundWord,
    pub(super) amount: Money,
    pub(super) total: Money,
    pub(super) done_at: Option<Timestamp>,
}

/// `refund_status`
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RefundWord {
    Done,
    Processing,
    Closed,
    Abnormal,
}

impl RefundNotice {
    /// What became of a refund, if it is this one: merchant, both numbers and both amounts.
    pub fn outcome(&self, refund: &Refund, now: Timestamp) -> Result<Queried, Inconclusive> {
        let order = &refund.order;
        let wrong = if self.merchant != order.merchant {
            Some(TillCause::WrongMerchant)
        } else if self.out_trade_no != order.out_trade_no.as_str()
            || self.out_refund_no != refund.out_refund_no.as_str()
        {
            Some(TillCause::WrongNumber)
        } else if self.amount != refund.amount || self.total != order.amount {
            Some(TillCause::WrongAmount)
        } else {
            None
        };
        if let Some(cause) = wrong {
            return Err(Inconclusive::Unknown(cause.into()));
        }
        Ok(match self.status {
            RefundWord::Done => Queried::Done(RefundProof {
                refund_id: self.refund_id.clone(),
                done_at: self.done_at.unwrap_or(now),
            }),
            RefundWord::Processing => Queried::Processing,
            RefundWord::Closed => Queried::Closed,
            RefundWord::Abnormal => Queried::Abnormal,
        })
    }
}

/// A refund that somebody who knows the key, or has seen other messages, wants asked about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefundHint {
    pub out_trade_no: String,
    pub out_refund_no: String,
}
