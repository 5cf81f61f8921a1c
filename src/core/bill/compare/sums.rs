//! What a bill adds up to, for this till and for the others of the same merchant.

use std::collections::BTreeMap;

use crate::bill::amount::Exact;
use crate::bill::row::{RefundState, Row, RowKind};
use crate::money::{Currency, Money};

/// How many other tills are told apart.
const MOST_TILLS: usize = 200;
/// How many digits follow a till's id in an order number.
const DIGITS: usize = 18;

/// Payments, what went back, and fees. Amounts are in the till's currency; rows in another are only
/// counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums {
    pub rows: u64,
    pub payments: u64,
    pub paid: Exact,
    pub refunds: u64,
    pub refunded: Exact,
    /// What the merchant is owed for the payments, less what went back.
    pub settled: Exact,
    pub fees: Exact,
    pub in_other_currencies: u64,
}

impl Sums {
    fn add(&mut self, row: &Row<'_>, currency: Currency) {
        self.rows += 1;
        if row.currency != currency {
            self.in_other_currencies += 1;
            return;
        }
        let exact = |amount: Money| Exact::of(amount, currency);
        match row.kind {
            RowKind::Paid => {
                self.payments += 1;
                self.paid = self.paid.plus(exact(row.amount));
                self.settled = self.settled.plus(exact(row.settled));
            }
            RowKind::Refund | RowKind::Revoked if row.refund_state == RefundState::Failed => {}
            RowKind::Refund | RowKind::Revoked => {
                self.refunds += 1;
                self.refunded = self.refunded.plus(exact(row.refund));
                self.settled = self.settled.minus(exact(row.refund_settled));
            }
        }
        self.fees = self.fees.plus(row.fee);
    }

    /// What reaches the merchant.
    pub fn net(&self) -> Exact {
        self.settled.minus(self.fees)
    }
}

/// The sums of this till, and of the others by the id that their numbers begin with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tills {
    pub own: Sums,
    /// What is no till's number, such as a web shop's, is under the empty id.
    pub others: BTreeMap<String, Sums>,
}

impl Tills {
    /// Adds a row; `other` is its number, unless it is this till's.
    pub(super) fn add(&mut self, row: &Row<'_>, other: Option<&str>, currency: Currency) {
        let Some(number) = other else { return self.own.add(row, currency) };
        let till = till_of(number);
        let has_room = self.others.len() < MOST_TILLS || self.others.contains_key(till);
        let till = if has_room { till } else { "" };
        match self.others.get_mut(till) {
            Some(sums) => sums.add(row, currency),
            None => self.others.entry(till.to_owned()).or_default().add(row, currency),
        }
    }
}

/// The till's id in an order number; empty if it has no till's form.
fn till_of(number: &str) -> &str {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let split = number.len().checked_sub(DIGITS).and_then(|at| number.split_at_checked(at));
    match split {
        Some((till, rest)) if (1..=8).contains(&till.len()) && digits(rest) => till,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_begins_with_the_tills_id() {
        for (number, till) in [
            ("T02112212030189345607", "T02"),
            ("LOBBY123112212030189345607", "LOBBY123"),
            ("112212030189345607", ""),
            ("TOOLONG99112212030189345607", ""),
            ("web-2026-11-22-0001", ""),
            ("甲112212030189345607", "甲"),
            ("甲", ""),
        ] {
            assert_eq!(till_of(number), till, "{number}");
        }
    }
}
