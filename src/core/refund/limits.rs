//! Whether an order may be refunded, and how much of it: the rules between an order's refunds.

use super::number::{OutRefundNo, Refund};
use super::state::{Booked, RefundPlan, RefundState};
use crate::clock::{Millis, Timestamp};
use crate::money::Money;
use crate::order::{Merchant, Order, OutTradeNo};
use crate::payment::{Proof, Rules, State, Status};

/// The gateway takes no refund of an older payment (protocol 3.6).
const REFUNDABLE_FOR: Millis = Millis::seconds(365 * 24 * 3600);
/// How many refunds of an order it takes.
const MOST: usize = 50;
/// How many numbers there are for an order's refunds, refused ones included.
const NUMBERS: usize = 99;
/// The least time between two refunds of an order, in query intervals: a minute.
const APART: u64 = 12;

/// An order's earlier refund.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlierRefund {
    pub number: OutRefundNo,
    pub amount: Money,
    pub state: RefundState,
    pub begun_at: Timestamp,
}

/// Why an order is not refunded. Nothing was written or sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RefundRefusal {
    /// The journal cannot be written to.
    Stopped,
    /// The order is not paid, but where this says.
    NotPaid(Status),
    /// Cash was taken of its sale, and the rest is not paid yet: the whole sale is ended instead.
    PartPaid,
    /// It was paid to another merchant than the one that is configured now.
    AnotherMerchants,
    /// It was paid more than a year ago.
    TooOld,
    /// All of it was given back.
    NothingLeft,
    /// Only this much is left.
    MoreThanLeft(Money),
    /// It has as many refunds as the gateway takes.
    TooMany,
    /// What becomes of this one is not known yet.
    Unclear(OutRefundNo),
    /// The last one was begun less than a minute ago; so long is to be waited.
    TooSoon(Millis),
}

impl RefundRefusal {
    /// The stable word for programs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Stopped => "journal",
            Self::NotPaid(_) => "not_paid",
            Self::PartPaid => "part_paid",
            Self::AnotherMerchants => "merchant_changed",
            Self::TooOld => "too_old",
            Self::NothingLeft => "nothing_left",
            Self::MoreThanLeft(_) => "more_than_left",
            Self::TooMany => "too_many",
            Self::Unclear(_) => "unclear",
            Self::TooSoon(_) => "too_soon",
        }
    }
}

/// What the rules look at.
pub struct RefundLimits<'a> {
    pub order: &'a Order,
    pub payment: &'a State,
    /// The order's refunds so far, oldest first.
    pub earlier: &'a [EarlierRefund],
    /// Whom the till sells for.
    pub merchant: &'a Merchant,
    pub now: Timestamp,
    pub rules: &'a Rules,
}

impl RefundLimits<'_> {
    /// How much is left by our books, and what was refunded elsewhere by the last look.
    pub fn left(&self) -> Money {
        left_of(self.order.amount, self.earlier)
    }

    /// What a refund of this amount, or of all that is left, is to do; or why there is none.
    pub fn plan(&self, amount: Option<Money>) -> Result<RefundPlan, RefundRefusal> {
        let Some(proof) = self.payment.proof() else {
            return Err(RefundRefusal::NotPaid(self.payment.status()));
        };
        if self.order.merchant.mch_id != self.merchant.mch_id {
            return Err(RefundRefusal::AnotherMerchants);
        }
        if is_too_old(proof, self.now) {
            return Err(RefundRefusal::TooOld);
        }
        if let Some(unclear) = self.earlier.iter().find(|refund| refund.state.is_unclear()) {
            return Err(RefundRefusal::Unclear(unclear.number.clone()));
        }
        let counted = self.earlier.iter().filter(|refund| refund.state.counts()).count();
        if counted >= MOST || self.earlier.len() >= NUMBERS {
            return Err(RefundRefusal::TooMany);
        }
        let amount = self.of_what_is_left(amount)?;
        if let Some(wait) = self.wait() {
            return Err(RefundRefusal::TooSoon(wait));
        }
        let booked = |refund: &EarlierRefund| Booked {
            number: refund.number.clone(),
            amount: refund.amount,
            counts: refund.state.counts(),
        };
        let earlier = self.earlier.iter().map(booked).collect();
        Ok(RefundPlan { amount, paid: self.order.amount, earlier })
    }

    /// How much is given back of an order that was paid in cash, or why nothing is. No gateway has
    /// a rule for it; only the numbers have an end.
    pub fn cash(&self, amount: Option<Money>) -> Result<Money, RefundRefusal> {
        if self.payment.cash().is_none() {
            return Err(RefundRefusal::NotPaid(self.payment.status()));
        }
        if self.earlier.len() >= NUMBERS {
            return Err(RefundRefusal::TooMany);
        }
        self.of_what_is_left(amount)
    }

    fn of_what_is_left(&self, amount: Option<Money>) -> Result<Money, RefundRefusal> {
        let left = self.left();
        let amount = amount.unwrap_or(left);
        if left == Money::default() || amount.minor() < 1 {
            return Err(RefundRefusal::NothingLeft);
        }
        if amount > left {
            return Err(RefundRefusal::MoreThanLeft(left));
        }
        Ok(amount)
    }

    /// The number of the next refund: none that was given out before.
    pub fn number(&self, chance: u16) -> OutRefundNo {
        let order: &OutTradeNo = &self.order.out_trade_no;
        let sequence = u8::try_from(self.earlier.len() + 1).unwrap_or(u8::MAX);
        OutRefundNo::new(order, sequence, chance)
    }

    /// The refund itself.
    pub fn refund(
        &self,
        amount: Money,
        (reason, approved_by): (String, String),
        chance: u16,
    ) -> Refund {
        let (out_refund_no, order) = (self.number(chance), self.order.clone());
        Refund { out_refund_no, order, amount, reason, approved_by }
    }

    /// How long the next one has to wait. Those that were refused before anything left count too:
    /// the gateway was asked.
    fn wait(&self) -> Option<Millis> {
        let last = self.earlier.iter().map(|refund| refund.begun_at).max()?;
        // A clock that was set back says nothing.
        let since = u64::try_from(self.now.0.checked_sub(last.0)?).ok()?;
        let apart = self.rules.query_interval.times(APART);
        (since < apart.0).then(|| apart.minus(Millis(since)))
    }
}

/// How much is left of what was paid, by our books, and what was refunded elsewhere by the last look.
pub fn left_of(paid: Money, earlier: &[EarlierRefund]) -> Money {
    let counted = earlier.iter().filter(|refund| refund.state.counts());
    let ours = counted.fold(0_i64, |sum, refund| sum.saturating_add(refund.amount.minor()));
    let taken = ours.saturating_add(elsewhere(earlier).minor());
    Money::from_minor(paid.minor().saturating_sub(taken).max(0))
}

/// What others have refunded, by the last refund that has looked.
fn elsewhere(earlier: &[EarlierRefund]) -> Money {
    earlier.iter().map(|refund| refund.state.elsewhere()).max().unwrap_or_default()
}

fn is_too_old(proof: &Proof, now: Timestamp) -> bool {
    let age = now.0.saturating_sub(proof.paid_at.0);
    u64::try_from(age).is_ok_and(|age| age > REFUNDABLE_FOR.0)
}
