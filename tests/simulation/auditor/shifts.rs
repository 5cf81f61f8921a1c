//! Cash, and what the shifts add up to: every order that is paid is in one report, and in no other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use paytill::engine::ActKind;
use paytill::journal::{JournalError, JournalReader, OrderRow, StoredEvent};
use paytill::payment::Status;
use paytill::sale::Sold;
use paytill::shift::Report;
use paytill::simulator::{Bank, RefundStage};

use super::Auditor;
use crate::invariants::Invariant;

/// A sum that the journal has, and a last part of which nobody knows whether it has it.
#[derive(Default)]
pub struct Expected {
    pub sure: i64,
    doubtful: i64,
}

impl Expected {
    /// It was being written when the disk failed or the process died.
    pub const fn may_be(&mut self, amount: i64) {
        self.doubtful = amount;
    }

    /// Whether it may be so much. From then on it is that.
    fn settle(&mut self, found: i64) -> bool {
        let is_right = found == self.sure || found == self.sure + self.doubtful;
        (self.sure, self.doubtful) = (found, 0);
        is_right
    }
}

/// What was done with the drawer besides sales.
#[derive(Default)]
pub struct Drawer {
    /// Of all shifts.
    pub floats: Expected,
    pub put_in: Expected,
    /// Whether somebody has opened the shift that is not closed.
    pub is_open: bool,
    /// Nobody knows whether the last close is on the disk.
    pub is_in_doubt: bool,
    /// Sales whose cash was to go back.
    returning: BTreeSet<usize>,
    /// Orders whose cash went back for certain.
    went_back: BTreeMap<String, i64>,
}

/// What a customer buys.
pub struct Bought {
    pub due: i64,
    pub sold: Arc<Sold>,
}

/// What the journal has.
pub struct Books {
    pub rows: Vec<OrderRow>,
    /// Those that are done: order, number, amount.
    pub refunds: Vec<(String, String, i64)>,
    /// Cash that went back, by order.
    pub returned: BTreeMap<String, i64>,
}

/// What was sold and the tax in it by rate, and under [`NO_RATE`] what has none.
type Rates = BTreeMap<u16, (i64, i64)>;
const NO_RATE: u16 = u16::MAX;

impl Auditor {
    /// This number is paid in cash: no gateway hears of it.
    pub fn is_cash(&mut self, number: &str) {
        if let Some(attempted) = self.attempts.get_mut(number) {
            attempted.is_cash = true;
        }
    }

    /// What cash was taken of a sale, as far as the disk has it or may have it.
    pub fn cash_of(&self, sale: usize) -> i64 {
        self.cash_orders(sale).iter().map(|(_, amount)| amount).sum()
    }

    /// The same by order.
    pub fn cash_orders(&self, sale: usize) -> Vec<(String, i64)> {
        let of_it = self.attempts.values().filter(|one| one.sale == sale && one.is_cash);
        let taken = of_it.filter(|one| !one.kept.is_empty() || !one.handed.is_empty());
        taken.map(|one| (one.number.clone(), one.due)).collect()
    }

    /// The cash of a sale is to go back.
    pub fn goes_back(&mut self, sale: usize) {
        self.drawer.returning.insert(sale);
    }

    /// The disk has acknowledged that it did.
    pub fn went_back(&mut self, sale: usize, orders: &[(String, i64)]) {
        for (number, amount) in orders {
            let is_first = self.drawer.went_back.insert(number.clone(), *amount).is_none();
            self.check(is_first, Invariant::NeverAboveDue, || {
                format!("the cash of sale {sale} goes back twice")
            });
        }
    }

    /// What cash went back by the journal.
    pub fn read_returned(
        &self,
        reader: &JournalReader,
        rows: &[OrderRow],
    ) -> Result<BTreeMap<String, i64>, JournalError> {
        let mut returned = BTreeMap::new();
        for row in rows.iter().filter(|row| row.state.cash().is_some()) {
            let number = row.out_trade_no.to_string();
            let sale = self.attempts.get(&number).map(|attempted| attempted.sale);
            if !sale.is_some_and(|sale| self.drawer.returning.contains(&sale)) {
                continue;
            }
            for entry in reader.entries(row.attempt)? {
                if let StoredEvent::Act(ActKind::CashReturned { amount }) = entry.event {
                    *returned.entry(number.clone()).or_default() += amount.minor();
                }
            }
        }
        Ok(returned)
    }

    /// Whether nobody knows yet how it ends.
    pub fn is_unsettled(&self, number: &str) -> bool {
        let state = self.attempts.get(number).and_then(|attempted| attempted.kept.last());
        state.is_some_and(|(_, state)| state.is_open() && !state.is_settled())
    }

    /// Whether what was written last about the drawer or a shift may or may not be on the disk.
    pub const fn doubts_the_drawer(&self) -> bool {
        let Drawer { floats, put_in, is_in_doubt, .. } = &self.drawer;
        *is_in_doubt || floats.doubtful != 0 || put_in.doubtful != 0
    }

    /// Whether a shift may be opened without leaving out what came before it.
    pub fn may_open(&self) -> bool {
        let is_new = self.drawer.put_in.sure == 0 && self.drawer.put_in.doubtful == 0;
        !self.closed.is_empty() || is_new && self.attempts.values().all(|one| one.kept.is_empty())
    }

    /// A shift was opened.
    pub fn opened(&mut self, float: i64, report: &Report) {
        let is_right = report.drawer.float.minor() == float && !self.drawer.is_open;
        self.check(is_right, Invariant::ShiftsAddUp, || {
            format!("opened with {float}: {:?}", report.drawer)
        });
        self.drawer.floats.sure += float;
        self.drawer.is_open = true;
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
        books: &Books,
        bought: &BTreeMap<i64, Bought>,
    ) {
        let known = self.closed.len();
        let is_same = closed.len() >= known && closed[..known] == self.closed[..];
        self.check(is_same, Invariant::ShiftsAddUp, || "a Z report is another".to_owned());
        let mut taken = [0, 0];
        let mut by_sale: BTreeMap<i64, i64> = BTreeMap::new();
        for row in books.rows.iter().filter(|row| row.state.status() == Status::Paid) {
            let amount = row.amount.minor();
            taken[0] += amount;
            taken[1] += if row.state.cash().is_some() { amount } else { 0 };
            *by_sale.entry(row.sale).or_default() += amount;
        }
        let reports = || closed.iter().chain([open]);
        let sum = |of: fn(&Report) -> i64| -> i64 { reports().map(of).sum() };
        let sales = sum(|report| report.sales.amount.minor());
        let cash = sum(|report| report.drawer.sales.minor());
        let tenders = sum(|report| report.by_tender.values().map(|sum| sum.amount.minor()).sum());
        self.check(
            [sales, cash, tenders] == [taken[0], taken[1], taken[0]],
            Invariant::ShiftsAddUp,
            || format!("the shifts have {sales}, {cash} in cash, and the journal {taken:?}"),
        );
        let refunds = sum(|report| report.refunds.amount.minor());
        let cash_back = sum(|report| report.drawer.refunds.minor());
        let returned: i64 = books.returned.values().sum();
        let refunded: i64 = books.refunds.iter().map(|(.., amount)| amount).sum();
        self.check(
            [refunds, cash_back] == [refunded + returned, returned],
            Invariant::ShiftsAddUp,
            || {
                format!(
                    "the shifts have {refunds} given back, {cash_back} in cash, and the journal \
                     {refunded} and {returned} in cash"
                )
            },
        );
        let floats = sum(|report| report.drawer.float.minor());
        let put_in = sum(|report| report.drawer.cash_in.minor());
        let is_right = self.drawer.floats.settle(floats) & self.drawer.put_in.settle(put_in);
        self.check(is_right, Invariant::ShiftsAddUp, || {
            format!("{floats} of floats and {put_in} of cash put in is not what was written")
        });
        (self.drawer.is_open, self.drawer.is_in_doubt) = (open.opened_at.is_some(), false);
        self.rates_add_up(&closed, open, books, bought, &by_sale);
        self.is_never_above(books, bought, by_sale);
        self.closed = closed;
    }

    fn is_never_above(
        &mut self,
        books: &Books,
        bought: &BTreeMap<i64, Bought>,
        by_sale: BTreeMap<i64, i64>,
    ) {
        let mut back: BTreeMap<i64, i64> = BTreeMap::new();
        for row in &books.rows {
            let number = row.out_trade_no.as_str();
            let Some(amount) = books.returned.get(number) else { continue };
            *back.entry(row.sale).or_default() += amount;
        }
        for (sale, taken) in by_sale {
            let due = bought.get(&sale).map_or(i64::MAX, |bought| bought.due);
            self.check(taken <= due, Invariant::NeverAboveDue, || {
                format!("{taken} was taken of sale {sale}, and {due} is due")
            });
            let back = back.get(&sale).copied();
            self.check(back.is_none_or(|back| back == taken), Invariant::NeverAboveDue, || {
                format!("{back:?} of {taken} went back in cash of sale {sale}")
            });
        }
        let lost = self
            .drawer
            .went_back
            .iter()
            .find(|(number, amount)| books.returned.get(number.as_str()) != Some(*amount));
        let lost = lost.map(|(number, amount)| format!("{number}: {amount} went back"));
        self.check(lost.is_none(), Invariant::NothingLost, || lost.unwrap_or_default());
    }

    /// What the reports say of rates and discounts, against what the customers bought.
    fn rates_add_up(
        &mut self,
        closed: &[Report],
        open: &Report,
        books: &Books,
        bought: &BTreeMap<i64, Bought>,
        by_sale: &BTreeMap<i64, i64>,
    ) {
        let (mut expected, mut off) = (Rates::new(), (0, 0));
        for (sale, taken) in by_sale {
            let Some(bought) = bought.get(sale).filter(|bought| *taken >= bought.due) else {
                continue;
            };
            bought.count(&mut expected);
            let taken_off = bought.taken_off();
            off = (off.0 + u64::from(taken_off > 0), off.1 + taken_off);
        }
        for (order, _, amount) in &books.refunds {
            let row = books.rows.iter().find(|row| row.out_trade_no.as_str() == order);
            if let Some(bought) = row.and_then(|row| bought.get(&row.sale)) {
                bought.give_back(*amount, &mut expected);
            }
        }
        let (mut found, mut discounts) = (Rates::new(), (0, 0));
        for report in closed.iter().chain([open]) {
            for (rate, taxed) in &report.by_rate {
                add(&mut found, rate.hundredths(), taxed.sold.minor(), taxed.tax.minor());
            }
            add(&mut found, NO_RATE, report.no_rate.minor(), 0);
            discounts.0 += report.discounts.count;
            discounts.1 += report.discounts.amount.minor();
        }
        for rates in [&mut found, &mut expected] {
            rates.retain(|_, sums| *sums != (0, 0));
        }
        self.check(found == expected, Invariant::ShiftsAddUp, || {
            format!("by rate the shifts have {found:?}, and the sales {expected:?}")
        });
        self.check(discounts == off, Invariant::ShiftsAddUp, || {
            format!("the shifts have discounts of {discounts:?}, and the sales {off:?}")
        });
    }

    /// What the journal counts as paid and as given back, the bank has taken and given back.
    pub fn against_the_ledger(&mut self, books: &Books, bank: &Bank) {
        for row in &books.rows {
            let number = row.out_trade_no.as_str();
            let is_paid = row.state.status() == Status::Paid && row.state.cash().is_none();
            if !is_paid || self.others.contains(number) {
                continue;
            }
            let charged = bank.entry(number).map(|entry| entry.charged.minor());
            self.check(charged == Some(row.amount.minor()), Invariant::ShiftsAddUp, || {
                format!("{number} counts {}, and the bank has {charged:?}", row.amount.minor())
            });
        }
        for (order, number, amount) in &books.refunds {
            let given = bank.entry(order).and_then(|entry| {
                entry
                    .refunds
                    .iter()
                    .find(|refund| refund.number == *number && refund.stage == RefundStage::Success)
            });
            let given = given.map(|refund| refund.amount.minor());
            self.check(given == Some(*amount), Invariant::ShiftsAddUp, || {
                format!("{number} counts {amount}, and the bank has {given:?}")
            });
        }
    }
}

impl Bought {
    fn taken_off(&self) -> i64 {
        let lines = self.sold.lines.iter();
        lines.map(|line| line.gross.minor() - line.net.minor()).sum()
    }

    fn count(&self, rates: &mut Rates) {
        if self.sold.lines.is_empty() {
            add(rates, NO_RATE, self.due, 0);
        }
        for line in &self.sold.lines {
            add(rates, line.rate.hundredths(), line.net.minor(), line.tax.minor());
        }
    }

    /// A part is of a known rate if all lines have that one.
    fn give_back(&self, amount: i64, rates: &mut Rates) {
        let mut whole = Rates::new();
        self.count(&mut whole);
        let is_all = amount == self.due;
        if !is_all && whole.len() > 1 {
            return add(rates, NO_RATE, -amount, 0);
        }
        for (rate, (net, tax)) in whole {
            let part = |of: i64| {
                let exact = 2 * i128::from(of) * i128::from(amount) + i128::from(self.due);
                i64::try_from(exact / (2 * i128::from(self.due))).unwrap()
            };
            let (net, tax) = if is_all { (net, tax) } else { (amount, part(tax)) };
            add(rates, rate, -net, -tax);
        }
    }
}

fn add(rates: &mut Rates, rate: u16, sold: i64, tax: i64) {
    let sums = rates.entry(rate).or_default();
    *sums = (sums.0 + sold, sums.1 + tax);
}
