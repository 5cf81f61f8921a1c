//! Labels from a shop's scales: numbers that begin with 2 and hold a product's number with a weight,
//! a sum, or both.
//!
//! Every make has its own order of digits, so the owner writes it down, such as `22CCCCCPPPPPK`: a
//! digit stands for itself, `C` for the product's number, `W` for thousandths of a unit, `P` for the
//! sum in minor units, `K` for the check digit and `X` for what does not matter.

use super::Good;
use super::code::{has_check_digit, is_digits};
use crate::money::Money;
use crate::sale::{Line, Quantity};

/// Where what stands in a label's number.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern(String);

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotAPattern {
    /// It has neither 13 nor 18 characters.
    Length,
    /// A character that means nothing.
    Character(char),
    /// It does not begin with 20 to 29, or with 20 to 24 where it has 18 digits.
    Prefix,
    /// It has no `C`, or neither `W` nor `P`.
    Incomplete,
    /// One letter in two places, or a check digit that is not the last.
    Torn,
}

/// What a label says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Label {
    /// The product's number in the label.
    pub number: String,
    pub weight: Option<Quantity>,
    pub sum: Option<Money>,
}

impl Pattern {
    pub fn read(text: &str) -> Result<Self, NotAPattern> {
        let text = text.trim().to_ascii_uppercase();
        let is_known = |mark: &char| mark.is_ascii_digit() || "CWPKX".contains(*mark);
        if let Some(other) = text.chars().find(|mark| !is_known(mark)) {
            return Err(NotAPattern::Character(other));
        }
        let last = match text.len() {
            13 => b'9',
            // 25 and above begin the codes of a wallet.
            18 => b'4',
            _ => return Err(NotAPattern::Length),
        };
        let bytes = text.as_bytes();
        if bytes[0] != b'2' || !(b'0'..=last).contains(&bytes[1]) {
            return Err(NotAPattern::Prefix);
        }
        let has = |mark: char| text.contains(mark);
        if !has('C') || !(has('W') || has('P')) {
            return Err(NotAPattern::Incomplete);
        }
        let is_torn =
            |mark: char| text.trim_matches(|other| other != mark).contains(|other| other != mark);
        let check = text.find('K').is_some_and(|at| at + 1 != text.len());
        if ['C', 'W', 'P', 'K'].into_iter().any(is_torn) || check {
            return Err(NotAPattern::Torn);
        }
        Ok(Self(text))
    }

    /// What a scanned number says by this pattern; `None` if it is no such label.
    pub fn label(&self, digits: &str) -> Option<Label> {
        if digits.len() != self.0.len() || !is_digits(digits) || !has_check_digit(digits) {
            return None;
        }
        let pairs = || self.0.chars().zip(digits.chars());
        if pairs().any(|(mark, digit)| mark.is_ascii_digit() && mark != digit) {
            return None;
        }
        let part = |wanted: char| -> String {
            pairs().filter(|(mark, _)| *mark == wanted).map(|(_, digit)| digit).collect()
        };
        let (weight, sum) = (part('W'), part('P'));
        let weight = if weight.is_empty() { None } else { Some(weight.parse().ok()?) };
        let sum = if sum.is_empty() { None } else { Some(sum.parse().ok()?) };
        // A label of nothing is none.
        let weight = match weight {
            Some(weight) => Some(Quantity::from_thousandths(weight)?),
            None => None,
        };
        let sum = match sum {
            Some(0) => return None,
            sum => sum.map(Money::from_minor),
        };
        Some(Label { number: part('C'), weight, sum })
    }
}

impl Label {
    /// By what the product may be listed: its number in the label, also without leading zeros.
    pub fn codes(&self) -> Vec<String> {
        let bare = self.number.trim_start_matches('0');
        let mut codes = vec![self.number.clone()];
        if !bare.is_empty() && bare != self.number {
            codes.push(bare.to_owned());
        }
        codes
    }

    /// What was weighed, as a line. The sum on the label stands.
    pub fn line(&self, good: Good) -> Line {
        let mut line = good.line(self.weight.unwrap_or(Quantity::ONE));
        match (self.weight, self.sum) {
            (None, Some(sum)) => line.price = sum,
            (_, sum) => line.label = sum,
        }
        line
    }
}
