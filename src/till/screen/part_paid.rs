//! Sales of which a part was taken in cash, until the rest is paid or the cash goes back. None of
//! them is lost: not with the next sale, nor with a locked or a restarted till.

use crate::engine::SaleRef;
use crate::money::Money;
use crate::order::OutTradeNo;

/// A sale that is paid in part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PartPaid {
    pub sale: i64,
    pub left: Money,
    /// What was taken in cash, and with which orders.
    pub cash: Vec<(OutTradeNo, Money)>,
}

impl PartPaid {
    /// What was taken in cash.
    pub fn taken(&self) -> Money {
        let taken = self.cash.iter().map(|(_, amount)| amount.minor());
        Money::from_minor(taken.fold(0, i64::saturating_add))
    }

    /// What the whole sale comes to.
    pub fn due(&self) -> Money {
        Money::from_minor(self.left.minor().saturating_add(self.taken().minor()))
    }

    /// The rest, to be charged.
    pub(super) const fn rest(&self) -> SaleRef {
        SaleRef::Again(self.sale, self.left)
    }
}
