//! What was sold, as a slip lists it: each line with its quantity and price, what was taken off, and
//! the tax that is in the sum.

use super::ReceiptBuilder;
use crate::language::Language;
use crate::money::{Currency, Money};
use crate::sale::{Quantity, Sold, SoldLine};
use crate::text::receipt::ReceiptWords;

/// The goods of a slip, its amounts formatted like the slip's. Empty for an amount alone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Goods {
    pub lines: Vec<GoodsLine>,
    /// Taken off the whole sale; empty if nothing was.
    pub discount: String,
    /// The rates, and the tax at each.
    pub taxes: Vec<(String, String)>,
}

/// One of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GoodsLine {
    /// Empty for an amount that was typed.
    pub name: String,
    /// Such as `3 x 3.50`; empty for one piece.
    pub count: String,
    pub sum: String,
    /// Taken off this line; empty if nothing was.
    pub discount: String,
}

impl Goods {
    pub(super) fn of(sold: &Sold, currency: Currency) -> Self {
        let amount = |amount| currency.group(amount);
        let off = |off: Money| {
            if off == Money::default() { String::new() } else { format!("-{}", amount(off)) }
        };
        let lines = sold.lines.iter().map(|line| GoodsLine {
            name: line.name.clone(),
            count: count(line, currency),
            sum: amount(line.gross),
            discount: off(line.discount),
        });
        let taxed = sold.taxes().into_iter().filter(|(rate, ..)| rate.hundredths() > 0);
        Self {
            lines: lines.collect(),
            discount: off(sold.discount),
            taxes: taxed.map(|(rate, _, tax)| (rate.show(), amount(tax))).collect(),
        }
    }

    pub(super) fn lay_out(&self, builder: &mut ReceiptBuilder, language: Language) {
        if self.lines.is_empty() {
            return;
        }
        let words = ReceiptWords::of(language);
        for line in &self.lines {
            let name = if line.name.is_empty() { words.item() } else { &line.name };
            if line.count.is_empty() {
                builder.pair(name, &line.sum);
            } else {
                builder.left(name);
                builder.pair(&line.count, &line.sum);
            }
            builder.pair(words.discount(), &line.discount);
        }
        builder.pair(words.discount_on_sale(), &self.discount);
        for (rate, tax) in &self.taxes {
            builder.pair(&words.tax_in_it(rate), tax);
        }
        builder.rule();
    }
}

/// How many at which price, unless it is one piece.
fn count(line: &SoldLine, currency: Currency) -> String {
    let SoldLine { quantity, unit, price, .. } = line;
    if *quantity == Quantity::ONE && unit.is_empty() {
        return String::new();
    }
    format!("{}{unit} x {}", quantity.show(), currency.group(*price))
}
