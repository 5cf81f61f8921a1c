//! One line of a sale: so much of something, at a price, with what is taken off and the tax in it.

use serde::{Deserialize, Serialize};

use super::{NotASale, in_range, is_nothing, rounded};
use crate::money::{Money, narrow};

/// How much of something, in thousandths of its unit: pieces, or what scales show.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Quantity(i64);

/// Why a text is no quantity.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotAQuantity {
    /// Nothing but digits and one point are.
    Text,
    TooManyDecimals,
    TooLarge,
}

impl Quantity {
    pub const ONE: Self = Self(1000);
    /// 99,999 and a bit: more is a typing error.
    const MOST: i64 = 99_999_999;

    /// So many thousandths; `None` for nothing, less, or too much.
    pub const fn from_thousandths(thousandths: i64) -> Option<Self> {
        if thousandths > 0 && thousandths <= Self::MOST { Some(Self(thousandths)) } else { None }
    }

    pub const fn thousandths(self) -> i64 {
        self.0
    }

    /// Whether it may be a number of pieces.
    pub const fn is_whole(self) -> bool {
        self.0 % 1000 == 0
    }

    /// `None` if it is too much.
    pub const fn plus(self, other: Self) -> Option<Self> {
        Self::from_thousandths(self.0 + other.0)
    }

    /// What a person typed: digits and at most one point. `None` for a written zero.
    pub fn read(typed: &str) -> Result<Option<Self>, NotAQuantity> {
        let typed: String = typed.chars().map(narrow).collect();
        let (whole, part) = typed.split_once('.').unwrap_or((&typed, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && part.is_empty()) || !is_digits(whole) || !is_digits(part) {
            return Err(NotAQuantity::Text);
        }
        if part.len() > 3 {
            return Err(NotAQuantity::TooManyDecimals);
        }
        let thousandths = format!("{whole}{part:0<3}");
        let thousandths: i64 = thousandths.parse().map_err(|_| NotAQuantity::TooLarge)?;
        if thousandths > Self::MOST {
            return Err(NotAQuantity::TooLarge);
        }
        Ok(Self::from_thousandths(thousandths))
    }

    /// `3`, `0.345`.
    pub fn show(self) -> String {
        let number = format!("{}.{:03}", self.0 / 1000, self.0 % 1000);
        without_zeros(&number).to_owned()
    }
}

/// A number with decimals, without those that say nothing.
fn without_zeros(number: &str) -> &str {
    number.trim_end_matches('0').trim_end_matches('.')
}

impl TryFrom<i64> for Quantity {
    type Error = &'static str;

    fn try_from(thousandths: i64) -> Result<Self, Self::Error> {
        Self::from_thousandths(thousandths).ok_or("no quantity")
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

/// A rate of tax or of a discount, in hundredths of a percent: 1300 is 13%.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(try_from = "u16", into = "u16")]
pub struct Rate(u16);

impl Rate {
    /// 100%.
    pub const WHOLE: u16 = 10_000;

    /// `None` above 100%.
    pub const fn from_hundredths(hundredths: u16) -> Option<Self> {
        if hundredths <= Self::WHOLE { Some(Self(hundredths)) } else { None }
    }

    pub const fn hundredths(self) -> u16 {
        self.0
    }

    /// What a person wrote: `13`, `13%`, `0.5`, at most two decimals.
    pub fn read(text: &str) -> Option<Self> {
        let text: String = text.trim().chars().map(narrow).collect();
        let text = text.strip_suffix(['%', '％']).unwrap_or(&text).trim_end();
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_number = !(whole.is_empty() && part.is_empty())
            && is_digits(whole)
            && is_digits(part)
            && whole.len() <= 3
            && part.len() <= 2;
        if !is_number {
            return None;
        }
        format!("{whole}{part:0<2}").parse().ok().and_then(Self::from_hundredths)
    }

    /// `13%`, `0.5%`.
    pub fn show(self) -> String {
        let number = format!("{}.{:02}", self.0 / 100, self.0 % 100);
        format!("{}%", without_zeros(&number))
    }
}

impl TryFrom<u16> for Rate {
    type Error = &'static str;

    fn try_from(hundredths: u16) -> Result<Self, Self::Error> {
        Self::from_hundredths(hundredths).ok_or("above 100%")
    }
}

impl From<Rate> for u16 {
    fn from(rate: Rate) -> Self {
        rate.0
    }
}

/// What is taken off.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Discount {
    Part(Rate),
    Amount(Money),
}

impl Discount {
    /// What it takes off a sum, which it may not exceed.
    pub(super) fn of(self, sum: Money) -> Result<Money, NotASale> {
        let off = match self {
            Self::Part(rate) => {
                let exact = i128::from(sum.minor()) * i128::from(rate.hundredths());
                in_range(rounded(exact, i128::from(Rate::WHOLE)))?
            }
            Self::Amount(amount) => in_range(i128::from(amount.minor()))?,
        };
        if off > sum { Err(NotASale::Negative) } else { Ok(off) }
    }
}

/// A line that is being rung up.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Line {
    /// The product's code; empty for an amount that was typed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it is counted in; empty for pieces.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    pub quantity: Quantity,
    /// Of one unit.
    pub price: Money,
    /// The sum that a label from the scales shows. It stands, whatever the price is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Money>,
    /// Of the tax that is in the price.
    #[serde(default)]
    pub rate: Rate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Discount>,
}

impl Line {
    /// An amount without a name.
    pub const fn of_amount(price: Money, quantity: Quantity) -> Self {
        Self {
            code: String::new(),
            name: String::new(),
            unit: String::new(),
            quantity,
            price,
            label: None,
            rate: Rate(0),
            discount: None,
        }
    }

    /// What it comes to before anything is taken off.
    pub fn gross(&self) -> Result<Money, NotASale> {
        match self.label {
            Some(label) => in_range(i128::from(label.minor())),
            None => product(self.price, self.quantity),
        }
    }

    pub(super) fn sold(&self) -> Result<SoldLine, NotASale> {
        in_range(i128::from(self.price.minor()))?;
        let gross = self.gross()?;
        let discount = match self.discount {
            Some(discount) => discount.of(gross)?,
            None => Money::default(),
        };
        Ok(SoldLine {
            code: self.code.clone(),
            name: self.name.clone(),
            unit: self.unit.clone(),
            quantity: self.quantity,
            price: self.price,
            gross,
            discount,
            share: Money::default(),
            net: Money::default(),
            rate: self.rate,
            tax: Money::default(),
        })
    }
}

fn product(price: Money, quantity: Quantity) -> Result<Money, NotASale> {
    in_range(rounded(i128::from(price.minor()) * i128::from(quantity.0), 1000))
}

/// A line with all its figures.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SoldLine {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    pub quantity: Quantity,
    pub price: Money,
    /// Quantity times price, or what the label says.
    pub gross: Money,
    /// Taken off this line.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub discount: Money,
    /// Its share of what was taken off the whole sale.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub share: Money,
    /// What is paid for it.
    pub net: Money,
    pub rate: Rate,
    /// The tax in what is paid.
    pub tax: Money,
}

impl SoldLine {
    pub(super) fn before_share(&self) -> Money {
        Money::from_minor(self.gross.minor() - self.discount.minor())
    }

    /// What is left, and the tax in it.
    pub(super) fn settle(&mut self) {
        self.net = Money::from_minor(self.before_share().minor() - self.share.minor());
        self.tax = tax_in(self.net, self.rate);
    }

    pub(super) fn is_consistent(&self) -> bool {
        let parts = [self.gross, self.discount, self.share, self.net, self.tax, self.price];
        let off = i128::from(self.discount.minor()) + i128::from(self.share.minor());
        parts.iter().all(|part| in_range(i128::from(part.minor())).is_ok())
            && i128::from(self.gross.minor()) - off == i128::from(self.net.minor())
            && tax_in(self.net, self.rate) == self.tax
    }
}

/// The tax in an amount that contains it. It is less than the amount.
fn tax_in(amount: Money, rate: Rate) -> Money {
    let rate = i128::from(rate.0);
    let tax = rounded(i128::from(amount.minor()) * rate, i128::from(Rate::WHOLE) + rate);
    Money::from_minor(i64::try_from(tax).unwrap_or(0))
}
