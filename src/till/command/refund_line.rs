//! How a refund is reported to programs and to people.

use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::engine::RefundRecord;
use crate::journal::{OrderRow, RefundRow};
use crate::language::Language;
use crate::money::{Currency, Money};
use crate::refund::RefundState;
use crate::text::refund;

/// What is reported about a refund (interface 3).
pub struct RefundLine<'a> {
    order_no: &'a str,
    refund_no: &'a str,
    amount: Money,
    currency: Currency,
    state: &'a RefundState,
    at: Timestamp,
    /// What was given back of the order, this refund included.
    refunded: Money,
}

impl<'a> RefundLine<'a> {
    /// Of a refund that has just changed; `others`: its order's refunds, by the journal.
    pub fn of_record(refund: &'a RefundRecord, others: &[RefundRow]) -> Self {
        let is_other = |row: &&RefundRow| row.out_refund_no != refund.out_refund_no;
        let all = others.iter().filter(is_other);
        let states = all.clone().map(|row| (row.amount, &row.state));
        let states = states.chain([(refund.amount, &refund.state)]);
        let given = states.clone().filter(|(_, state)| state.is_given());
        let given = given.fold(0_i64, |sum, (amount, _)| sum.saturating_add(amount.minor()));
        let elsewhere = states.map(|(_, state)| state.elsewhere().minor()).max().unwrap_or(0);
        Self {
            order_no: refund.out_trade_no.as_str(),
            refund_no: refund.out_refund_no.as_str(),
            amount: refund.amount,
            currency: refund.currency,
            state: &refund.state,
            at: refund.updated_at,
            refunded: Money::from_minor(given.saturating_add(elsewhere)),
        }
    }

    /// Of a row in the journal.
    pub fn of_row(order: &'a OrderRow, refund: &'a RefundRow) -> Self {
        Self {
            order_no: order.out_trade_no.as_str(),
            refund_no: refund.out_refund_no.as_str(),
            amount: refund.amount,
            currency: order.currency,
            state: &refund.state,
            at: refund.updated_at,
            refunded: order.refunded,
        }
    }

    /// One line of JSON; amounts in minor units.
    pub fn json(&self, language: Language) -> Value {
        let why = self.state.reason().map(|why| {
            json!({
                "code": why.code(),
                "text": refund::of(self.state, self.currency, language),
            })
        });
        let proof = self.state.proof();
        json!({
            "order_no": self.order_no,
            "refund_no": self.refund_no,
            "state": self.state.status().word(),
            "amount": self.amount.minor(),
            "refunded": self.refunded.minor(),
            "reason": why,
            "at": self.at.to_rfc3339(),
            "refund_id": proof.map(|proof| proof.refund_id.as_str()),
            "open": self.state.is_open(),
        })
    }

    /// One line for people: status, amount, refund number, and why.
    pub fn line(&self, language: Language) -> String {
        let word = refund::word(self.state.status(), language);
        let amount = self.currency.group(self.amount);
        let why = refund::of(self.state, self.currency, language).unwrap_or_default();
        let line = format!("{word}  {} {amount}  {}  {why}", self.currency.code(), self.refund_no);
        line.trim_end().to_owned()
    }
}
