//! What is known of the latest sales: what each comes to, and what was paid of it.

use std::collections::VecDeque;

use super::Recovered;
use crate::money::Money;
use crate::sale::tender::Balance;

/// The latest sales, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Sales(VecDeque<(i64, Balance)>);

impl Sales {
    pub(super) fn new(past: Vec<(i64, Balance)>) -> Self {
        Self(past.into())
    }

    /// A sale is about to be paid. `due` is what it comes to, or for all that is known what is left
    /// of it.
    pub(super) fn begin(&mut self, sale: i64, due: Money) {
        let known = self.take(sale).unwrap_or_else(|| Balance::new(due));
        self.0.push_back((sale, known));
        if self.0.len() > Recovered::SALES_REMEMBERED as usize {
            // One that money was taken of waits for the rest, however long that takes.
            let oldest = self.0.iter().position(|(_, balance)| !balance.is_partly_paid());
            oldest.map(|at| self.0.remove(at));
        }
    }

    pub(super) fn balance(&self, sale: i64) -> Option<Balance> {
        self.0.iter().find(|(known, _)| *known == sale).map(|(_, balance)| *balance)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, Balance)> {
        self.0.iter().copied()
    }

    pub(super) fn pay(&mut self, sale: i64, amount: Money) {
        self.change(sale, |balance| balance.pay(amount));
    }

    pub(super) fn give_up(&mut self, sale: i64) {
        self.change(sale, Balance::give_up);
    }

    fn change(&mut self, sale: i64, change: impl FnOnce(&mut Balance)) {
        let known = self.0.iter_mut().find(|(known, _)| *known == sale);
        if let Some((_, balance)) = known {
            change(balance);
        }
    }

    fn take(&mut self, sale: i64) -> Option<Balance> {
        let at = self.0.iter().position(|(known, _)| *known == sale)?;
        self.0.remove(at).map(|(_, balance)| balance)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
