//! Cash, and what the shifts add up to: every order that is paid is in one report, and in no other.

use std::collections::{BTreeMap, BTreeSet};

use paytill::journal::OrderRow;
use paytill::payment::Status;
use paytill::shift::Report;

use super::Auditor;
use crate::invariants::Invariant;

impl Auditor {
    /// This number is paid in cash: no gateway hears of it.
    pub fn is_cash(&mut self, number: &str) {
        if let Some(attempted) = self.attempts.get_mut(number) {
            attempted.is_cash = true;
        }
    }

    /// What cash was taken of a sale, as far as the disk has it or may have it.
    pub fn cash_of(&self, sale: usize) -> i64 {
        let of_it = self.attempts.values().filter(|one| one.sale == sale && one.is_cash);
        of_it.filter(|one| !one.kept.is_empty() || !one.handed.is_empty()).map(|one| one.due).sum()
    }

    /// Whether nobody knows yet how it ends.
    pub fn is_unsettled(&self, number: &str) -> bool {
        let state = self.attempts.get(number).and_then(|attempted| attempted.kept.last());
        state.is_some_and(|(_, state)| state.is_open() && !state.is_settled())
    }

    /// A shift was closed over these orders.
    pub fn closed_over(&mut self, named: &[String], may_carry: bool) {
        let unsettled: BTreeSet<&String> =
            self.attempts.keys().filter(|number| self.is_unsettled(number)).collect();
        let named: BTreeSet<&String> = named.iter().collect();
        let is_right = named == unsettled && (may_carry || named.is_empty());
        let what = format!("closed over {named:?}, and {unsettled:?} are unsettled");
        self.check(is_right, Invariant::ShiftsAddUp, || what);
    }

    /// The Z reports, and what has come after them.
    pub fn shifts(
        &mut self,
        closed: Vec<Report>,
        open: &Report,
        rows: &[OrderRow],
        due: &BTreeMap<i64, i64>,
    ) {
        let known = self.closed.len();
        let is_same = closed.len() >= known && closed[..known] == self.closed[..];
        self.check(is_same, Invariant::ShiftsAddUp, || "a Z report is another".to_owned());
        let mut taken = [0, 0];
        let mut by_sale: BTreeMap<i64, i64> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.state.status() == Status::Paid) {
            let amount = row.amount.minor();
            taken[0] += amount;
            taken[1] += if row.state.cash().is_some() { amount } else { 0 };
            *by_sale.entry(row.sale).or_default() += amount;
        }
        let reports = || closed.iter().chain([open]);
        let sales: i64 = reports().map(|report| report.sales.amount.minor()).sum();
        let cash: i64 = reports().map(|report| report.drawer.sales.minor()).sum();
        let tenders: i64 = reports()
            .flat_map(|report| report.by_tender.values())
            .map(|sum| sum.amount.minor())
            .sum();
        self.check(
            [sales, cash, tenders] == [taken[0], taken[1], taken[0]],
            Invariant::ShiftsAddUp,
            || format!("the shifts have {sales}, {cash} in cash, and the journal {taken:?}"),
        );
        for (sale, taken) in by_sale {
            let due = due.get(&sale).copied().unwrap_or(i64::MAX);
            self.check(taken <= due, Invariant::NeverAboveDue, || {
                format!("{taken} was taken of sale {sale}, and {due} is due")
            });
        }
        self.closed = closed;
    }
}
