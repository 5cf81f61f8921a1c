//! What differs, once all rows are there.

use std::collections::HashSet;

use super::difference::{Cause, Difference, Side};
use super::{Billed, BilledRefund, Comparison, Here, Outcome, OwnOrder, OwnRefund, Tracked};
use crate::bill::beijing;
use crate::bill::row::RefundState;
use crate::money::Money;

impl Comparison {
    /// What differs. Only a bill that was read to its end may be held against the journal.
    pub fn finish(mut self) -> Outcome {
        let mut differences = self.refunds();
        let refunded: HashSet<String> =
            differences.iter().map(|difference| difference.order_no.clone()).collect();
        let (mut matched, mut journal_rows) = (0, 0);
        for tracked in self.own.values() {
            match self.cause(tracked) {
                Some(cause) => differences.push(Self::difference(tracked, cause)),
                None if !self.concerns(tracked) => continue,
                None => matched += u64::from(!refunded.contains(&tracked.order.number)),
            }
            journal_rows += 1;
        }
        let strangers = self.strangers.iter().filter(|(_, billed)| billed.is_payment());
        differences.extend(strangers.map(|(number, billed)| self.stranger(number, billed)));
        differences.sort_by(|one, other| {
            (&one.order_no, &one.refund_no).cmp(&(&other.order_no, &other.refund_no))
        });
        let sums = std::mem::take(&mut self.sums);
        Outcome { differences, not_listed: self.not_listed, matched, journal_rows, sums }
    }

    /// Whether an order in which nothing differs is any of the day's business.
    fn concerns(&self, tracked: &Tracked) -> bool {
        let is_paid = matches!(tracked.order.here, Here::Paid { at, .. } if self.is_of_the_day(at));
        is_paid || tracked.billed.at.is_some()
    }

    /// In what an order differs.
    fn cause(&self, Tracked { order, billed }: &Tracked) -> Option<Cause> {
        let is_paid = billed.payments > 0;
        let went_back = billed.revoked > 0 || billed.returned >= order.amount.minor();
        let is_kept = is_paid && !went_back;
        if billed.payments > 1 {
            return Some(Cause::Times(billed.payments));
        }
        match &order.here {
            Here::Paid { at, .. } if !billed.is_payment() => {
                self.is_of_the_day(*at).then(|| Cause::NotInBill(self.other_day(*at)))
            }
            // Done or not: it is not all ours for certain.
            Here::Paid { .. } if billed.reversals > billed.not_revoked => Some(Cause::Reversed),
            Here::Paid { transaction_id, .. } => {
                if billed.currency.is_some() {
                    Some(Cause::Currency)
                } else if is_paid && billed.amount != order.amount.minor() {
                    Some(Cause::Amount)
                } else {
                    let is_other = is_paid && billed.transaction_id != *transaction_id;
                    is_other.then_some(Cause::Transaction)
                }
            }
            Here::NotPaid { open } if is_kept => {
                Some(if *open { Cause::OpenPaid } else { Cause::PaidInBill })
            }
            Here::NotPaid { .. } => None,
            // Said of the refund.
            Here::Returned | Here::Reversed if billed.has_failed => None,
            // What was reversed after midnight goes back in a later bill.
            Here::Returned | Here::Reversed if is_kept => self.not_returned(order),
            // And must be in that bill, if it is this one.
            Here::Returned if !is_paid && !went_back => {
                let is_earlier = order.created_at.day(&beijing()) < self.day;
                is_earlier.then(|| self.not_returned(order)).flatten()
            }
            Here::Returned | Here::Reversed => None,
            Here::Open if is_kept => Some(Cause::OpenPaid),
            Here::Open if billed.at.is_some() => Some(Cause::OpenReturned),
            Here::Open => self.is_of_the_day(order.created_at).then_some(Cause::OpenNotInBill),
            Here::Settled => is_kept.then_some(Cause::SettledPaid),
        }
    }

    /// An order that was reversed and of which the bill has nothing that went back.
    fn not_returned(&self, order: &OwnOrder) -> Option<Cause> {
        let at = order.updated_at;
        self.is_of_the_day(at).then(|| Cause::NotReturned(self.other_day(at)))
    }

    fn difference(Tracked { order, billed }: &Tracked, cause: Cause) -> Difference {
        let currency = billed.currency.unwrap_or(order.currency);
        let bill = billed.side(currency);
        let (paid_at, transaction_id) = match &order.here {
            Here::Paid { at, transaction_id } => (*at, transaction_id.clone()),
            _ => (order.created_at, String::new()),
        };
        Difference {
            cause,
            order_no: order.number.clone(),
            refund_no: String::new(),
            transaction_id: Some(billed.transaction_id.clone())
                .filter(|number| !number.is_empty())
                .unwrap_or(transaction_id),
            here: Some(Side {
                state: order.status.word(),
                amount: order.amount,
                currency: order.currency,
            }),
            bill,
            at: billed.at.or(Some(paid_at)),
        }
    }

    fn stranger(&self, number: &str, billed: &Billed) -> Difference {
        Difference {
            cause: Cause::NotInJournal,
            order_no: number.to_owned(),
            refund_no: String::new(),
            transaction_id: billed.transaction_id.clone(),
            here: None,
            bill: billed.side(billed.currency.unwrap_or(self.currency)),
            at: billed.at,
        }
    }

    /// In what the refunds differ. What went back of a payment that the journal does not count as paid
    /// belongs to what is said of the payment; what failed is always said.
    fn refunds(&mut self) -> Vec<Difference> {
        let billed = std::mem::take(&mut self.billed_refunds);
        let mut expected = std::mem::take(&mut self.expected_refunds);
        let mut differences = Vec::new();
        for refund in &billed {
            let is_theirs = |own: &OwnRefund| own.order_no == refund.order_no;
            let is_known = expected.get(&refund.refund_no).is_some_and(is_theirs);
            // A second row for it is one too many.
            let own = is_known.then(|| expected.remove(&refund.refund_no)).flatten();
            let cause = match &own {
                _ if refund.state.is_failed() => Cause::RefundFailed,
                None if !self.is_refundable(&refund.order_no) => continue,
                None => Cause::RefundNotInJournal,
                Some(own) if own.amount != refund.amount => Cause::RefundAmount,
                Some(_) => continue,
            };
            differences.push(self.refund_difference(cause, Some(refund), own.as_ref()));
        }
        for own in expected.values() {
            let Some(at) = own.accepted_at.filter(|at| self.is_of_the_day(*at)) else { continue };
            let cause = Cause::RefundNotInBill(self.other_day(at));
            differences.push(self.refund_difference(cause, None, Some(own)));
        }
        differences
    }

    /// Whether a refund of this order stands for itself.
    fn is_refundable(&self, number: &str) -> bool {
        match self.own.get(number) {
            Some(tracked) => matches!(tracked.order.here, Here::Paid { .. }),
            None => self.strangers.get(number).is_none_or(|billed| !billed.is_payment()),
        }
    }

    fn refund_difference(
        &self,
        cause: Cause,
        billed: Option<&BilledRefund>,
        own: Option<&OwnRefund>,
    ) -> Difference {
        let order_no =
            billed.map(|refund| &refund.order_no).or_else(|| own.map(|own| &own.order_no));
        let order_no = order_no.cloned().unwrap_or_default();
        let tracked = self.own.get(&order_no);
        let currency = tracked.map_or(self.currency, |tracked| tracked.order.currency);
        let side = |state, amount| Side { state, amount, currency };
        let refund_no =
            billed.map(|refund| &refund.refund_no).or_else(|| own.map(|own| &own.refund_no));
        Difference {
            cause,
            refund_no: refund_no.cloned().unwrap_or_default(),
            transaction_id: match tracked.map(|tracked| &tracked.order.here) {
                Some(Here::Paid { transaction_id, .. }) => transaction_id.clone(),
                _ => String::new(),
            },
            here: own.map(|own| side("refunded", own.amount)),
            bill: billed.map(|refund| side(word(refund.state), refund.amount)),
            at: billed.and_then(|refund| refund.at).or_else(|| own?.accepted_at),
            order_no,
        }
    }
}

impl Billed {
    /// Whether it has a payment, even one that went back.
    const fn is_payment(&self) -> bool {
        self.payments > 0 || self.reversals > 0
    }

    fn side(&self, currency: crate::money::Currency) -> Option<Side> {
        let side = |state, amount| Side { state, amount: Money::from_minor(amount), currency };
        match (self.payments, self.revoked) {
            (0, 0) if self.returned > 0 => Some(side("refunded", self.returned)),
            (0, 0) if self.coming > 0 => Some(side("refund_processing", self.coming)),
            (0, 0) => None,
            (_, 0) if self.coming > 0 => Some(side("refund_processing", self.coming)),
            (_, 0) => Some(side("paid", self.amount)),
            (0, _) => Some(side("reversed", self.returned)),
            (_, _) => Some(side("reversed", self.amount)),
        }
    }
}

const fn word(state: RefundState) -> &'static str {
    match state {
        RefundState::Failed => "refund_failed",
        RefundState::Abnormal => "refund_abnormal",
        RefundState::Processing => "refund_processing",
        RefundState::None | RefundState::Done | RefundState::Unknown => "refunded",
    }
}
