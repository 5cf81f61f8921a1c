//! A sale as a value: its lines, what is taken off, the tax in it, and the sum that is due.
//!
//! All amounts are integers in the minor unit. There is one rule for rounding: half a unit goes away
//! from zero, and each figure is rounded once, from whole numbers: a line's sum, a discount, the tax
//! in a line. A discount on the whole sale is divided among the lines so that their sums are the
//! sale's, to the last unit. What would overflow, or would be negative, is refused.

mod line;
pub mod tender;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::money::{LARGEST, Money};
pub use line::{Discount, Line, NotAQuantity, Quantity, Rate, SoldLine};

/// The most lines of one sale.
pub const MOST_LINES: usize = 500;

/// A sale that is being rung up.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Sale {
    pub lines: Vec<Line>,
    /// Taken off what the lines come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Discount>,
    /// The manager who has agreed to what was taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
}

/// A sale that was put aside, and when.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Held {
    pub at: Timestamp,
    pub sale: Sale,
}

/// What a sale comes to, with all its figures: so it is charged, written down and printed. The
/// default is a sale without lines, of an amount alone.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Sold {
    pub lines: Vec<SoldLine>,
    /// What was taken off the whole sale; the lines hold their shares of it.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub discount: Money,
    pub due: Money,
    /// The manager who has agreed to what was taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
}

/// Why lines make no sale.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotASale {
    TooManyLines,
    /// Some sum is above [`LARGEST`].
    TooLarge,
    /// A discount takes off more than there is, or a price is negative.
    Negative,
}

impl Sale {
    /// All figures of it.
    pub fn total(&self) -> Result<Sold, NotASale> {
        if self.lines.len() > MOST_LINES {
            return Err(NotASale::TooManyLines);
        }
        let mut lines: Vec<SoldLine> =
            self.lines.iter().map(Line::sold).collect::<Result<_, NotASale>>()?;
        let sum = added(lines.iter().map(SoldLine::before_share))?;
        let discount = match self.discount {
            Some(discount) => discount.of(sum)?,
            None => Money::default(),
        };
        divide(&mut lines, discount, sum);
        for line in &mut lines {
            line.settle();
        }
        let due = added(lines.iter().map(|line| line.net))?;
        Ok(Sold { lines, discount, due, consent: self.consent.clone() })
    }
}

impl Sold {
    /// Whether it is a sale of an amount alone.
    pub fn is_bare(&self) -> bool {
        self.lines.is_empty()
    }

    /// What was taken off, by line and from the whole.
    pub fn taken_off(&self) -> Money {
        let by_line: i64 = self.lines.iter().map(|line| line.discount.minor()).sum();
        Money::from_minor(by_line.saturating_add(self.discount.minor()))
    }

    /// For each rate, lowest first, what was sold at it and the tax in that.
    pub fn taxes(&self) -> Vec<(Rate, Money, Money)> {
        let mut rates: Vec<Rate> = self.lines.iter().map(|line| line.rate).collect();
        rates.sort_unstable();
        rates.dedup();
        let of = |rate: Rate, part: fn(&SoldLine) -> Money| {
            let lines = self.lines.iter().filter(|line| line.rate == rate);
            Money::from_minor(lines.map(|line| part(line).minor()).sum())
        };
        rates
            .into_iter()
            .map(|rate| (rate, of(rate, |line| line.net), of(rate, |line| line.tax)))
            .collect()
    }

    /// The same of so much that went back, where it is known: of all of it, or where there is one rate.
    /// Of a part the tax is in proportion.
    pub fn taxes_of_refund(&self, amount: Money) -> Option<Vec<(Rate, Money, Money)>> {
        let taxes = self.taxes();
        if amount == self.due && !taxes.is_empty() {
            return Some(taxes);
        }
        let [(rate, _, tax)] = taxes[..] else { return None };
        if amount > self.due {
            return None;
        }
        let part = portion(i128::from(tax.minor()), i128::from(amount.minor()), self.due.minor());
        Some(vec![(rate, amount, Money::from_minor(part))])
    }

    /// The greatest part that is taken off any line, in hundredths of a percent, rounded up.
    pub fn deepest_discount(&self) -> u32 {
        let of = |line: &SoldLine| {
            let (gross, net) = (line.gross.minor(), line.net.minor());
            let off = i128::from(gross - net) * i128::from(Rate::WHOLE);
            if gross == 0 { 0 } else { (off + i128::from(gross) - 1) / i128::from(gross) }
        };
        self.lines.iter().map(of).max().and_then(|most| u32::try_from(most).ok()).unwrap_or(0)
    }

    /// Whether the figures agree with each other: lines from elsewhere are not taken on trust.
    pub fn is_consistent(&self) -> bool {
        let shares: i128 = self.lines.iter().map(|line| i128::from(line.share.minor())).sum();
        let nets: i128 = self.lines.iter().map(|line| i128::from(line.net.minor())).sum();
        self.lines.iter().all(SoldLine::is_consistent)
            && shares == i128::from(self.discount.minor())
            && nets == i128::from(self.due.minor())
    }
}

/// Gives each line its share of the sale's discount: in order, so that the shares up to each line
/// are the discount on all lines up to it.
fn divide(lines: &mut [SoldLine], discount: Money, sum: Money) {
    if sum == Money::default() {
        return;
    }
    let (mut so_far, mut given) = (0_i128, 0_i64);
    for line in lines {
        so_far += i128::from(line.before_share().minor());
        let up_to_here = portion(i128::from(discount.minor()), so_far, sum.minor());
        line.share = Money::from_minor(up_to_here - given);
        given = up_to_here;
    }
}

/// `amount * part / whole`, rounded. The result is no larger than the amount, which fits.
fn portion(amount: i128, part: i128, whole: i64) -> i64 {
    i64::try_from(rounded(amount * part, i128::from(whole))).unwrap_or(i64::MAX)
}

/// A quotient, with half a unit away from zero. `by` is positive.
fn rounded(number: i128, by: i128) -> i128 {
    let half = if number < 0 { -by } else { by };
    (2 * number + half) / (2 * by)
}

fn added(amounts: impl Iterator<Item = Money>) -> Result<Money, NotASale> {
    in_range(amounts.map(|amount| i128::from(amount.minor())).sum())
}

/// An amount between nothing and the largest.
fn in_range(minor: i128) -> Result<Money, NotASale> {
    if minor < 0 {
        return Err(NotASale::Negative);
    }
    let amount = i64::try_from(minor).map(Money::from_minor).map_err(|_| NotASale::TooLarge)?;
    if amount > LARGEST { Err(NotASale::TooLarge) } else { Ok(amount) }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_nothing(amount: &Money) -> bool {
    *amount == Money::default()
}
