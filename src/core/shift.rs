//! A shift: what the drawer and the till come to between two closes.
//!
//! Nothing is stored of a shift but the acts that open and close it. What it comes to is derived from
//! what the journal holds between two closes, in order: [`Tally`] takes it in, and makes an X report,
//! or the Z report that the close holds from then on.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::clock::{Date, TimeZone, Timestamp};
use crate::money::Money;
use crate::payment::{Funds, State, Status};
use crate::sale::{Rate, Sold};

/// How many, and what they come to.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Sum {
    pub count: u64,
    pub amount: Money,
}

impl Sum {
    pub fn add(&mut self, amount: Money) {
        self.count += 1;
        self.amount = plus(self.amount, amount);
    }
}

/// What was sold at one rate of tax, less what went back of it, and the tax in that.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Taxed {
    pub sold: Money,
    pub tax: Money,
}

/// The cash in the drawer.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Drawer {
    /// What it held at the opening.
    pub float: Money,
    /// What sales have put in, without the change.
    pub sales: Money,
    /// What went back to customers.
    pub refunds: Money,
    pub cash_in: Money,
    pub cash_out: Money,
    /// What somebody has counted at the close.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Money>,
}

impl Drawer {
    /// What must be in it.
    pub fn expected(&self) -> Money {
        let into = plus(plus(self.float, self.sales), self.cash_in);
        minus(into, plus(self.refunds, self.cash_out))
    }

    /// How much more was counted than must be there; less than nothing if it was less.
    pub fn difference(&self) -> Option<Money> {
        self.counted.map(|counted| minus(counted, self.expected()))
    }
}

/// Cash that was put into the drawer or taken out, outside sales.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Movement {
    pub at: Timestamp,
    /// Below nothing if it was taken out.
    pub amount: Money,
    pub reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
}

/// What a shift came to: an X report so far, or a Z report for ever.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Report {
    /// Z reports are numbered from 1, without gaps; an X report has no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z: Option<u32>,
    /// The shop's calendar day that it counts for: the one on which the shift began, `YYYY-MM-DD`.
    pub day: String,
    /// When it was opened; `None` where nobody has opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_by: Option<String>,
    /// When the first of it happened, if anything did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Timestamp>,
    /// When it was closed, or for an X report looked at.
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<String>,
    /// The manager who agreed to close it over what is unresolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_by: Option<String>,
    /// Sales that something was taken of, and all that was taken.
    pub sales: Sum,
    /// What went back to customers of what they had paid.
    pub refunds: Sum,
    /// Payments that were taken and withdrawn before they counted.
    pub reversals: Sum,
    /// What was taken, by how it was paid: `cash`, `micropay`.
    pub by_tender: BTreeMap<String, Sum>,
    /// What was taken, by who took it; empty where nobody signs in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_operator: BTreeMap<String, Sum>,
    /// What was taken off sales that were settled, in how many of them.
    #[serde(default)]
    pub discounts: Sum,
    /// What settled sales sold, less what refunds gave back of them: a sale counts once, with the
    /// payment that settles it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_rate: BTreeMap<Rate, Taxed>,
    /// The same where no rate is known: sales of an amount alone, refunds of a part of several rates.
    #[serde(default)]
    pub no_rate: Money,
    /// How often the drawer was opened by its key.
    pub no_sales: u64,
    pub drawer: Drawer,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub movements: Vec<Movement>,
    /// The numbers of the orders whose end is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unresolved: Vec<String>,
}

/// What happened to an order with one entry of it.
#[derive(Clone, Copy, Debug)]
pub struct Moved<'a> {
    pub at: Timestamp,
    pub sale: i64,
    /// How it is paid.
    pub tender: &'a str,
    pub amount: Money,
    /// Who began it.
    pub operator: Option<&'a str>,
    /// Where it was; `None` with its first entry.
    pub before: Option<Status>,
    pub state: &'a State,
}

/// What went back to a customer of what they had paid.
#[derive(Clone, Copy, Debug)]
pub struct Refunded<'a> {
    pub at: Timestamp,
    /// How it went back; only `cash` comes out of the drawer.
    pub tender: &'a str,
    pub amount: Money,
    /// What the sale had sold; `None` of one that was never settled, and counts as none.
    pub sold: Option<&'a Sold>,
}

/// How a shift is closed.
#[derive(Clone, Debug)]
pub struct Closing {
    pub at: Timestamp,
    /// What somebody has counted before they knew what must be there.
    pub counted: Option<Money>,
    pub operator: Option<String>,
    /// Who takes it upon them that orders without a known end go on in the next shift. Without, such
    /// an order is in the way.
    pub carry: Carry,
}

/// Whether orders without a known end may be carried over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Carry {
    No,
    /// On a manager's word, or that of somebody in a shop without operators.
    Yes(Option<String>),
}

/// Why a shift is not closed, or not opened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NotNow {
    /// The ends of these orders are not known.
    Unresolved(Vec<String>),
    /// One has been open since then.
    IsOpen(Timestamp),
}

/// What has happened since the last close.
#[derive(Debug, Default)]
pub struct Tally {
    report: Report,
    last_z: u32,
    sales: BTreeSet<i64>,
}

impl Tally {
    /// After the close with this number; 0: after none.
    pub fn after(last_z: u32) -> Self {
        Self { last_z, ..Self::default() }
    }

    fn begins(&mut self, at: Timestamp) {
        self.report.began_at.get_or_insert(at);
    }

    /// An order has moved.
    pub fn moved(&mut self, moved: &Moved<'_>) {
        self.begins(moved.at);
        let status = moved.state.status();
        if moved.before == Some(status) {
            return;
        }
        match status {
            Status::Paid => self.paid(moved),
            Status::Reversed if moved.state.money() == Funds::Returned => {
                self.report.reversals.add(moved.amount);
            }
            Status::Created
            | Status::Sent
            | Status::Waiting
            | Status::Checking
            | Status::Reversing
            | Status::Declined
            | Status::Reversed
            | Status::Attention => {}
        }
    }

    fn paid(&mut self, moved: &Moved<'_>) {
        let report = &mut self.report;
        let amount = moved.amount;
        if self.sales.insert(moved.sale) {
            report.sales.count += 1;
        }
        report.sales.amount = plus(report.sales.amount, amount);
        report.by_tender.entry(moved.tender.to_owned()).or_default().add(amount);
        if let Some(operator) = moved.operator {
            report.by_operator.entry(operator.to_owned()).or_default().add(amount);
        }
        if moved.state.cash().is_some() {
            report.drawer.sales = plus(report.drawer.sales, amount);
        }
    }

    /// A sale of so much was settled by what has just been paid.
    pub fn settled(&mut self, due: Money, sold: &Sold) {
        let off = sold.taken_off();
        if off > Money::default() {
            self.report.discounts.add(off);
        }
        if sold.is_bare() {
            self.report.no_rate = plus(self.report.no_rate, due);
        }
        for (rate, net, tax) in sold.taxes() {
            let of_rate = self.report.by_rate.entry(rate).or_default();
            *of_rate = Taxed { sold: plus(of_rate.sold, net), tax: plus(of_rate.tax, tax) };
        }
    }

    fn unsold(&mut self, sold: &Sold, amount: Money) {
        let Some(back) = sold.taxes_of_refund(amount) else {
            self.report.no_rate = minus(self.report.no_rate, amount);
            return;
        };
        for (rate, net, tax) in back {
            let of_rate = self.report.by_rate.entry(rate).or_default();
            *of_rate = Taxed { sold: minus(of_rate.sold, net), tax: minus(of_rate.tax, tax) };
        }
    }

    /// Something went back to a customer.
    pub fn refunded(&mut self, refunded: &Refunded<'_>) {
        self.begins(refunded.at);
        self.report.refunds.add(refunded.amount);
        if let Some(sold) = refunded.sold {
            self.unsold(sold, refunded.amount);
        }
        if refunded.tender == CASH {
            let drawer = &mut self.report.drawer;
            drawer.refunds = plus(drawer.refunds, refunded.amount);
        }
    }

    /// The drawer was opened by its key.
    pub fn no_sale(&mut self, at: Timestamp) {
        self.begins(at);
        self.report.no_sales += 1;
    }

    /// Cash was put into the drawer, or taken out.
    pub fn cash(&mut self, movement: Movement) {
        self.begins(movement.at);
        let drawer = &mut self.report.drawer;
        if movement.amount < Money::default() {
            drawer.cash_out = minus(drawer.cash_out, movement.amount);
        } else {
            drawer.cash_in = plus(drawer.cash_in, movement.amount);
        }
        self.report.movements.push(movement);
    }

    /// The shift was opened.
    pub fn opened(&mut self, at: Timestamp, float: Money, operator: Option<String>) {
        self.begins(at);
        self.report.opened_at = Some(at);
        self.report.opened_by = operator;
        self.report.drawer.float = float;
    }

    /// Something else happened that no figure counts.
    pub fn happened(&mut self, at: Timestamp) {
        self.begins(at);
    }

    /// The X report: so far.
    pub fn so_far(mut self, now: Timestamp, unresolved: Vec<String>, zone: &TimeZone) -> Report {
        self.report.day = self.day(now, zone).to_string();
        Report { at: now, unresolved, ..self.report }
    }

    /// The shop's day that the shift counts for.
    fn day(&self, now: Timestamp, zone: &TimeZone) -> Date {
        self.report.opened_at.or(self.report.began_at).unwrap_or(now).day(zone)
    }

    /// The Z report, with the next number.
    pub fn close(
        self,
        closing: Closing,
        unresolved: Vec<String>,
        zone: &TimeZone,
    ) -> Result<Report, NotNow> {
        let carried_by = match closing.carry {
            Carry::No if !unresolved.is_empty() => return Err(NotNow::Unresolved(unresolved)),
            Carry::Yes(manager) if !unresolved.is_empty() => manager,
            Carry::No | Carry::Yes(_) => None,
        };
        let z = Some(self.last_z + 1);
        let mut report = self.so_far(closing.at, unresolved, zone);
        report.drawer.counted = closing.counted;
        Ok(Report { z, closed_by: closing.operator, carried_by, ..report })
    }
}

/// The tender whose money is in the drawer.
pub const CASH: &str = "cash";

fn plus(one: Money, other: Money) -> Money {
    Money::from_minor(one.minor().saturating_add(other.minor()))
}

fn minus(one: Money, other: Money) -> Money {
    Money::from_minor(one.minor().saturating_sub(other.minor()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sale::tender::Cash;
    use crate::sale::{Discount, Line, Quantity, Sale};

    const MORNING: Timestamp = Timestamp(1_795_318_200_000);

    fn fen(minor: i64) -> Money {
        Money::from_minor(minor)
    }

    fn cash(due: i64, tendered: i64) -> State {
        State::paid_in_cash(Cash::take(fen(due), fen(tendered)).unwrap())
    }

    fn paid(tally: &mut Tally, sale: i64, state: &State) {
        let amount = state.cash().unwrap().taken();
        let tender = state.channel();
        let moved = Moved {
            at: MORNING,
            sale,
            tender,
            amount,
            operator: Some("Anna"),
            before: None,
            state,
        };
        tally.moved(&moved);
    }

    fn closing(counted: Option<i64>) -> Closing {
        let at = Timestamp(MORNING.0 + 36_000_000);
        Closing { at, counted: counted.map(fen), operator: Some("Ben".into()), carry: Carry::No }
    }

    #[test]
    fn the_drawer_holds_what_went_in_without_the_change_less_what_came_out() {
        let mut tally = Tally::after(6);
        tally.opened(MORNING, fen(20_000), Some("Anna".into()));
        paid(&mut tally, 1, &cash(8000, 10_000));
        paid(&mut tally, 2, &cash(8000, 5000));
        paid(&mut tally, 2, &cash(3000, 3000));
        for amount in [1500, -500] {
            let reason = "零钱".to_owned();
            tally.cash(Movement { at: MORNING, amount: fen(amount), reason, operator: None });
        }
        tally.refunded(&Refunded { at: MORNING, tender: CASH, amount: fen(1000), sold: None });
        tally.refunded(&Refunded { at: MORNING, tender: "micropay", amount: fen(700), sold: None });
        tally.no_sale(MORNING);
        let report = tally.close(closing(Some(35_900)), Vec::new(), &TimeZone::UTC).unwrap();
        assert_eq!((report.z, report.sales), (Some(7), Sum { count: 2, amount: fen(16_000) }));
        assert_eq!(report.refunds, Sum { count: 2, amount: fen(1700) });
        assert_eq!(report.by_tender[CASH], Sum { count: 3, amount: fen(16_000) });
        assert_eq!(report.by_operator["Anna"].count, 3);
        assert_eq!((report.no_sales, report.movements.len()), (1, 2));
        assert_eq!(report.drawer.expected(), fen(36_000));
        assert_eq!(report.drawer.difference(), Some(fen(-100)));
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    }

    fn sold(lines: &[(i64, u16)], off: i64) -> Sold {
        let line = |(price, rate): &(i64, u16)| Line {
            rate: Rate::from_hundredths(*rate).unwrap(),
            ..Line::of_amount(fen(*price), Quantity::ONE)
        };
        let discount = (off > 0).then_some(Discount::Amount(fen(off)));
        let lines = lines.iter().map(line).collect();
        Sale { lines, discount, consent: None }.total().unwrap()
    }

    #[test]
    fn what_was_sold_is_told_by_rate_less_what_went_back() {
        let back =
            |sold, amount| Refunded { at: MORNING, tender: "micropay", amount: fen(amount), sold };
        let mut tally = Tally::after(0);
        let (mixed, food) = (sold(&[(11_300, 1300), (1090, 900)], 0), sold(&[(2280, 900)], 100));
        for sold in [&mixed, &food, &Sold::default()] {
            tally.settled(if sold.is_bare() { fen(500) } else { sold.due }, sold);
        }
        tally.refunded(&back(Some(&food), 1090));
        tally.refunded(&back(Some(&mixed), 300));
        // Cash that goes back of a sale that was never settled was in none of this.
        tally.refunded(&back(None, 50));
        let report = tally.close(closing(None), Vec::new(), &TimeZone::UTC).unwrap();
        let told: Vec<_> = report
            .by_rate
            .iter()
            .map(|(rate, taxed)| (rate.show(), taxed.sold.minor(), taxed.tax.minor()))
            .collect();
        let food = ("9%".to_owned(), 1090 + 2180 - 1090, 90 + 180 - 90);
        assert_eq!(told, [food, ("13%".to_owned(), 11_300, 1300)]);
        assert_eq!(report.no_rate, fen(500 - 300));
        assert_eq!(report.discounts, Sum { count: 1, amount: fen(100) });
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    }

    #[test]
    fn a_report_from_before_there_were_rates_stays_what_it_was() {
        let report = Tally::after(0).close(closing(Some(0)), Vec::new(), &TimeZone::UTC).unwrap();
        let mut old = serde_json::to_value(&report).unwrap();
        for name in ["discounts", "no_rate"] {
            assert!(old.as_object_mut().unwrap().remove(name).is_some());
        }
        assert_eq!(serde_json::from_value::<Report>(old).unwrap(), report);
    }

    #[test]
    fn a_shift_in_which_nothing_happened_closes_for_the_day_of_the_close() {
        let report = Tally::after(0).close(closing(Some(0)), Vec::new(), &TimeZone::UTC).unwrap();
        assert_eq!((report.z, report.sales.count, report.began_at), (Some(1), 0, None));
        assert_eq!((report.day.as_str(), report.drawer.difference()), ("2026-11-22", Some(fen(0))));
    }

    #[test]
    fn a_close_that_was_forgotten_counts_for_the_day_on_which_its_shift_began() {
        let mut tally = Tally::after(0);
        paid(&mut tally, 1, &cash(800, 800));
        let next_day = Timestamp(MORNING.0 + 86_400_000);
        let late = Closing { at: next_day, ..closing(None) };
        let report = tally.close(late, Vec::new(), &TimeZone::UTC).unwrap();
        assert_eq!((report.day.as_str(), report.at), ("2026-11-22", next_day));
    }

    #[test]
    fn what_is_unresolved_is_in_the_way_or_on_the_report() {
        let open = || vec!["T01-1".to_owned()];
        let found = Tally::after(0).close(closing(None), open(), &TimeZone::UTC);
        assert_eq!(found, Err(NotNow::Unresolved(open())));
        let carry = Carry::Yes(Some("王芳".into()));
        let carried = Closing { carry: carry.clone(), ..closing(None) };
        let report = Tally::after(0).close(carried, open(), &TimeZone::UTC).unwrap();
        assert_eq!((report.unresolved, report.carried_by.as_deref()), (open(), Some("王芳")));
        // Nothing was carried, so nobody has agreed to anything.
        let nothing = Closing { carry, ..closing(None) };
        let report = Tally::after(0).close(nothing, Vec::new(), &TimeZone::UTC).unwrap();
        assert_eq!(report.carried_by, None);
    }

    proptest! {
        #[test]
        fn tenders_and_operators_each_come_to_what_was_taken(
            sales in prop::collection::vec((1..20_i64, 1..100_000_i64, 1..100_000_i64), 0..40),
        ) {
            let mut tally = Tally::after(0);
            for (sale, due, tendered) in &sales {
                paid(&mut tally, *sale, &cash(*due, *tendered));
            }
            let report = tally.so_far(MORNING, Vec::new(), &TimeZone::UTC);
            let total = |sums: &BTreeMap<String, Sum>| -> i64 {
                sums.values().map(|sum| sum.amount.minor()).sum()
            };
            let taken: i64 = sales.iter().map(|(_, due, tendered)| *due.min(tendered)).sum();
            prop_assert_eq!(report.sales.amount.minor(), taken);
            prop_assert_eq!(total(&report.by_tender), taken);
            prop_assert_eq!(total(&report.by_operator), taken);
            prop_assert_eq!(report.drawer.expected().minor(), taken);
        }
    }
}
