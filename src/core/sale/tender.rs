//! What a sale is paid with: cash, a payment code, or one after the other.
//!
//! All amounts are whole minor units, and nothing is rounded: no rule for CNY says that it must be.
//! Never more than what is left is taken, and change is given only by the tender that settles the
//! sale, since a smaller one has none to give.

use serde::{Deserialize, Serialize};

use crate::money::{LARGEST, Money};

/// A sale and what it has been paid so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Balance {
    due: Money,
    taken: Money,
    /// What was taken went back to the customer, and nothing more is taken.
    is_given_up: bool,
}

impl Balance {
    /// A sale that nothing was paid of.
    pub const fn new(due: Money) -> Self {
        Self { due, taken: Money::from_minor(0), is_given_up: false }
    }

    /// What the whole sale comes to.
    pub const fn due(self) -> Money {
        self.due
    }

    /// What was taken of it.
    pub const fn taken(self) -> Money {
        self.taken
    }

    /// What may still be taken, never below nothing.
    pub fn left(self) -> Money {
        if self.is_given_up {
            return Money::default();
        }
        Money::from_minor(self.due.minor().saturating_sub(self.taken.minor()).max(0))
    }

    /// Whether a part of it was taken and a part is left.
    pub fn is_partly_paid(self) -> bool {
        self.taken > Money::default() && self.left() > Money::default()
    }

    /// Takes in that so much was paid. It may be more than was left, if proof came of two payments:
    /// then nothing is left.
    pub const fn pay(&mut self, amount: Money) {
        self.taken = Money::from_minor(self.taken.minor().saturating_add(amount.minor()));
    }

    /// Whether what was taken went back to the customer.
    pub const fn is_given_up(self) -> bool {
        self.is_given_up
    }

    /// What was taken goes back to the customer.
    pub const fn give_up(&mut self) {
        self.is_given_up = true;
    }
}

/// Cash that a customer gave.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Cash {
    /// What was left of the sale before.
    due: Money,
    tendered: Money,
    change: Money,
}

impl Cash {
    /// Takes what a customer gives; `None` if either is no amount of money.
    pub fn take(due: Money, tendered: Money) -> Option<Self> {
        let is_amount = |money: Money| money > Money::default() && money <= LARGEST;
        let change = Money::from_minor((tendered.minor() - due.minor()).max(0));
        (is_amount(due) && is_amount(tendered)).then_some(Self { due, tendered, change })
    }

    /// What was left of the sale before.
    pub const fn due(self) -> Money {
        self.due
    }

    /// What the customer gave.
    pub const fn tendered(self) -> Money {
        self.tendered
    }

    /// What the customer gets back.
    pub const fn change(self) -> Money {
        self.change
    }

    /// What stays in the drawer.
    pub const fn taken(self) -> Money {
        Money::from_minor(self.tendered.minor() - self.change.minor())
    }

    /// What is left of the sale after it.
    pub const fn left(self) -> Money {
        Money::from_minor(self.due.minor() - self.taken().minor())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn fen(minor: i64) -> Money {
        Money::from_minor(minor)
    }

    #[test]
    fn cash_is_taken_up_to_what_is_due_and_the_rest_is_change() {
        for (due, tendered, taken, change, left) in [
            (8000, 8000, 8000, 0, 0),
            (8000, 10_000, 8000, 2000, 0),
            (8000, 5000, 5000, 0, 3000),
            (1, LARGEST.minor(), 1, LARGEST.minor() - 1, 0),
        ] {
            let cash = Cash::take(fen(due), fen(tendered)).unwrap();
            let shown = [cash.taken(), cash.change(), cash.left()].map(Money::minor);
            assert_eq!(shown, [taken, change, left]);
        }
    }

    #[test]
    fn what_is_no_amount_is_not_taken() {
        let above = LARGEST.minor() + 1;
        for (due, tendered) in [(0, 1), (1, 0), (-1, 1), (1, -1), (above, 1), (1, above)] {
            assert_eq!(Cash::take(fen(due), fen(tendered)), None, "{due} {tendered}");
        }
    }

    #[test]
    fn what_went_back_leaves_nothing_to_take() {
        let mut balance = Balance::new(fen(8000));
        assert!(!balance.is_partly_paid());
        balance.pay(fen(5000));
        assert!(balance.is_partly_paid() && balance.left() == fen(3000));
        balance.give_up();
        assert_eq!((balance.left(), balance.is_partly_paid()), (fen(0), false));
    }

    proptest! {
        #[test]
        fn whatever_is_given_in_whatever_pieces_comes_to_the_due(
            due in 1..=LARGEST.minor(),
            given in prop::collection::vec(1..=LARGEST.minor(), 1..12),
        ) {
            let mut balance = Balance::new(fen(due));
            let mut change = 0;
            for tendered in given {
                let Some(cash) = Cash::take(balance.left(), fen(tendered)) else {
                    prop_assert_eq!(balance.left(), fen(0));
                    break;
                };
                prop_assert_eq!(cash.change().minor(), tendered - cash.taken().minor());
                prop_assert!(cash.change() == fen(0) || cash.left() == fen(0));
                change += cash.change().minor();
                balance.pay(cash.taken());
                prop_assert_eq!(balance.left(), cash.left());
                prop_assert!(balance.taken() <= balance.due());
                prop_assert_eq!(balance.taken().minor() + balance.left().minor(), due);
            }
            prop_assert!(change >= 0);
        }
    }
}
