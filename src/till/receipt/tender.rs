//! What a sale was paid with, on its slip: one receipt says all of it, whatever it was paid with.

use super::{ReceiptBuilder, ReceiptOutcome, Slip, price};
use crate::engine::Attempt;
use crate::journal::Tender;
use crate::language::Language;
use crate::money::Money;
use crate::order::OutTradeNo;
use crate::text::receipt::ReceiptWords;

/// One of several, its amount formatted like the slip's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TenderLine {
    pub out_trade_no: OutTradeNo,
    pub amount: String,
    pub is_cash: bool,
}

/// Cash that was given for a sale, its amounts formatted like the slip's.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CashLines {
    pub tendered: String,
    pub change: String,
    /// What is left of the sale; empty if it is settled.
    pub left: String,
}

fn sum(amounts: impl Iterator<Item = Money>) -> Money {
    Money::from_minor(amounts.map(Money::minor).fold(0, i64::saturating_add))
}

/// What the slip of a paid order is about: the whole of what was paid.
pub(super) fn whole(attempt: &Attempt, tenders: &[Tender]) -> Money {
    let all = sum(tenders.iter().map(|tender| tender.amount));
    if tenders.is_empty() { attempt.amount } else { all }
}

impl TenderLine {
    pub(super) fn of(attempt: &Attempt, tenders: &[Tender]) -> Vec<Self> {
        let line = |tender: &Tender| Self {
            out_trade_no: tender.out_trade_no.clone(),
            amount: attempt.currency.group(tender.amount),
            is_cash: tender.cash.is_some(),
        };
        tenders.iter().map(line).collect()
    }
}

impl CashLines {
    /// All that was given of the sale; `None` if there was no cash.
    pub(super) fn of(attempt: &Attempt, tenders: &[Tender]) -> Option<Self> {
        let own = attempt.state.cash();
        let mut given: Vec<_> = tenders.iter().filter_map(|tender| tender.cash).collect();
        if tenders.is_empty() {
            given.extend(own);
        }
        // Later tenders have taken from what was left after this one.
        let later = tenders.iter().rev().take_while(|of| of.out_trade_no != attempt.out_trade_no);
        let later = sum(later.map(|tender| tender.amount));
        let left = own.map_or(0, |cash| cash.left().minor().saturating_sub(later.minor()));
        let group = |amount| attempt.currency.group(amount);
        (!given.is_empty()).then(|| Self {
            tendered: group(sum(given.iter().map(|cash| cash.tendered()))),
            change: group(sum(given.iter().map(|cash| cash.change()))),
            left: if left > 0 { group(Money::from_minor(left)) } else { String::new() },
        })
    }
}

impl Slip {
    /// How it was paid, or was to be.
    pub(super) fn lay_out_tenders(&self, builder: &mut ReceiptBuilder, language: Language) {
        let words = ReceiptWords::of(language);
        let price = |amount: &str| price(&self.symbol, amount);
        let method = |is_cash| if is_cash { words.cash() } else { words.wechat_pay() };
        if self.outcome != ReceiptOutcome::Paid {
            builder.pair(words.method(), words.wechat_pay());
            for tender in &self.tenders {
                builder.pair(words.paid_before(), &price(&tender.amount));
            }
            return;
        }
        if self.tenders.is_empty() {
            builder.pair(words.paid_by(), method(self.cash.is_some()));
        }
        for tender in &self.tenders {
            builder.pair(method(tender.is_cash), &price(&tender.amount));
            if tender.out_trade_no != self.out_trade_no {
                builder.pair(words.order_number(), tender.out_trade_no.as_str());
            }
        }
        if let Some(cash) = &self.cash {
            builder.pair(words.tendered(), &price(&cash.tendered));
            builder.pair(words.change(), &price(&cash.change));
            if !cash.left.is_empty() {
                builder.pair(words.left(), &price(&cash.left));
            }
        }
    }
}
