//! How an order is reported to programs and to people.

use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::engine::Attempt;
use crate::journal::OrderRow;
use crate::language::Language;
use crate::money::{Currency, Money};
use crate::payment::{State, Status};
use crate::say;
use crate::text::{reason, screen};

/// What is reported about an order (interface 3).
pub struct OrderReport<'a> {
    pub order_no: &'a str,
    pub status: Status,
    pub at: Timestamp,
    pub amount: Money,
    pub currency: Currency,
    pub created_at: Timestamp,
    pub channel: &'a str,
    pub state: &'a State,
    /// Who began it, as far as the journal was asked.
    pub operator: Option<&'a str>,
    /// How much was given back.
    pub refunded: Money,
}

impl<'a> OrderReport<'a> {
    /// Of an attempt that has just changed.
    pub fn of_attempt(attempt: &'a Attempt) -> Self {
        Self {
            order_no: attempt.out_trade_no.as_str(),
            status: attempt.state.status(),
            at: attempt.updated_at,
            amount: attempt.amount,
            currency: attempt.currency,
            created_at: attempt.created_at,
            channel: attempt.state.channel(),
            state: &attempt.state,
            operator: None,
            // A payment that has just moved has no refunds.
            refunded: Money::default(),
        }
    }

    /// Of a row in the journal.
    pub fn of_row(row: &'a OrderRow) -> Self {
        Self {
            order_no: row.out_trade_no.as_str(),
            status: row.state.status(),
            at: row.updated_at,
            amount: row.amount,
            currency: row.currency,
            created_at: row.created_at,
            channel: &row.channel,
            state: &row.state,
            operator: row.by.as_ref().map(|by| by.operator.as_str()),
            refunded: row.refunded,
        }
    }

    /// One line of JSON; amounts in minor units.
    pub fn json(&self, language: Language) -> Value {
        let (proof, cash) = (self.state.proof(), self.state.cash());
        // Cash is paid with its first entry.
        let paid_at = proof.map(|proof| proof.paid_at).or_else(|| cash.map(|_| self.created_at));
        let why = self
            .state
            .reason()
            .map(|why| json!({ "code": why.code(), "text": reason::of(self.state, language) }));
        let mut report = json!({
            "order_no": self.order_no,
            "state": self.status.word(),
            "at": self.at.to_rfc3339(),
            "amount": self.amount.minor(),
            "currency": self.currency.code(),
            "coupon": proof.and_then(|proof| proof.coupon),
            "transaction_id": proof.map(|proof| proof.transaction_id.as_str()),
            "paid_at": paid_at.map(Timestamp::to_rfc3339),
            "reason": why,
            "created_at": self.created_at.to_rfc3339(),
            "updated_at": self.at.to_rfc3339(),
            "refunded": self.refunded.minor(),
            "refund_state": self.refund_state(),
            "open": self.state.is_open(),
            "channel": self.channel,
            "operator": self.operator,
        });
        if let Some(cash) = cash {
            report["tendered"] = cash.tendered().minor().into();
            report["change"] = cash.change().minor().into();
            report["left"] = cash.left().minor().into();
        }
        report
    }

    /// How much of it was given back, as a word for programs (interface 2).
    fn refund_state(&self) -> &'static str {
        match self.refunded.minor() {
            0 => "none",
            part if part < self.amount.minor() => "partly",
            _ => "fully",
        }
    }

    /// One line for people: status, amount, order number, and why.
    pub fn line(&self, language: Language) -> String {
        self.cells(language).join("  ").trim_end().to_owned()
    }

    /// The same, part by part; the last is empty if there is nothing to add.
    pub fn cells(&self, language: Language) -> [String; 4] {
        let word = screen::ScreenWords::of(language).word_of(self.state);
        let amount = self.currency.group(self.amount);
        let more = match (self.state.proof(), reason::of(self.state, language)) {
            (Some(proof), _) if self.refunded > Money::default() => {
                let refunded = self.currency.group(self.refunded);
                say!(
                    language,
                    "{id}  refunded {refunded}",
                    "{id}  已退款 {refunded}",
                    id = proof.transaction_id
                )
            }
            (Some(proof), _) => proof.transaction_id.clone(),
            (None, None) if self.state.cash().is_some() => {
                let cash = language.pick("cash", "现金");
                if self.refunded > Money::default() {
                    let refunded = self.currency.group(self.refunded);
                    say!(language, "{cash}  refunded {refunded}", "{cash}  已退款 {refunded}")
                } else {
                    cash.to_owned()
                }
            }
            (None, why) => why.unwrap_or_default(),
        };
        let amount = format!("{} {amount}", self.currency.code());
        [word.to_owned(), amount, self.order_no.to_owned(), more]
    }
}
