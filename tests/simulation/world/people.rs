//! Customers come, and the cashier acts.

use std::sync::Arc;

use paytill::engine::{Draw, Effect, Refusal, SaleRef, Start};
use paytill::gateway::{Ask, Stamp};
use paytill::money::{Currency, LARGEST, Money};
use paytill::order::{AuthCode, Order, OutTradeNo};
use paytill::payment::Event;
use paytill::sale::{Discount, Line, Quantity, Rate, Sale, Sold};
use paytill::simulator::{Api, Scenario};

use super::line::Sent;
use super::{Due, World};
use crate::invariants::Invariant;
use crate::plan::CashierAction;

/// The serial numbers of other tills' customers.
const OTHER_CUSTOMERS: u64 = 10_000_000;

impl World {
    pub(super) fn customer(&mut self, sale: usize) {
        if self.climate.crowd > 0 {
            return self.counter.queue.push_back(sale);
        }
        if self.till.is_none() {
            // The customer waits until the till is back.
            let later = self.now + 2_000;
            return self.plan_at(later, Due::Customer(sale));
        }
        if self.takes_cash(sale) {
            return;
        }
        if self.is_to_scan(sale) {
            return self.orders_a_code(sale);
        }
        let scenario = self.sales[&sale].customer.scenario;
        self.charge(sale, scenario, None);
    }

    /// What a customer buys: an amount alone, or lines that come to it.
    pub(super) fn sold(&self, sale: usize) -> Arc<Sold> {
        let due = self.sales[&sale].customer.due;
        let mut rng = self.plan.chance("lines", sale as u64);
        let count = rng.usize(..4);
        let off = if rng.bool() { rng.i64(1..200) } else { 0 };
        if due + off > LARGEST.minor() {
            return Arc::default();
        }
        let mut left = due + off;
        let mut line = |nth: usize| {
            let price = if nth + 1 == count { left } else { rng.i64(0..=left) };
            left -= price;
            let rate = Rate::from_hundredths([0, 900, 1300][rng.usize(..3)]).unwrap();
            let price = Money::from_minor(price);
            Line { name: "Tea".into(), rate, ..Line::of_amount(price, Quantity::ONE) }
        };
        let lines: Vec<Line> = (0..count).map(&mut line).collect();
        if lines.is_empty() {
            return Arc::default();
        }
        let discount = (off > 0).then_some(Discount::Amount(Money::from_minor(off)));
        Arc::new(Sale { lines, discount, consent: None }.total().unwrap())
    }

    pub(super) fn action(&mut self, sale: usize, action: CashierAction) {
        let Some(number) = self.sales[&sale].latest.clone() else { return };
        // The cashier of a crowd works at the screen alone.
        if self.climate.crowd > 0 {
            return;
        }
        match action {
            CashierAction::Cancel => self.person(&number, Event::Cancel, "cancels"),
            CashierAction::CheckNow => {
                let mut rng = self.plan.chance("presses", sale as u64);
                for _ in 0..rng.u8(1..4) {
                    self.person(&number, Event::CheckNow, "wants the gateway asked about");
                }
            }
            CashierAction::ChargeAgain if sale.is_multiple_of(3) => self.pays_the_rest(sale),
            CashierAction::ChargeAgain if self.is_to_scan(sale) => self.orders_a_code(sale),
            CashierAction::ChargeAgain => self.charge(sale, Scenario::Pays, None),
            CashierAction::ScanAgain => {
                let code = self.sales[&sale].last_code.clone();
                self.charge(sale, Scenario::Pays, code);
            }
        }
    }

    pub(super) fn charge(&mut self, sale: usize, scenario: Scenario, same_code: Option<String>) {
        let Some(known) = self.sales.get(&sale) else { return };
        let serial = sale as u64 * 100 + known.attempts;
        let code = same_code.unwrap_or_else(|| scenario.code(serial));
        let due = known.customer.due;
        // As the cashier types it.
        let typed = format!("{}.{:02}", due / 100, due % 100);
        let amount = Currency::CNY.read(&typed, paytill::money::AmountEntry::Major);
        if amount.as_ref().ok().map(|amount| amount.minor()) != Some(due) {
            return self.auditor.broken(Invariant::SameMoney, format!("{typed} reads {amount:?}"));
        }
        let amount = Money::from_minor(due);
        let reference = match known.id {
            Some(id) => SaleRef::Again(id, amount),
            None => SaleRef::New(amount),
        };
        if let Err(refusal) = self.begin(sale, reference, &code, &scenario.name()) {
            self.tell(|| format!("sale {sale} is not begun: {refusal:?}"));
            let left = self.left_of(sale, &refusal).zip(self.sales[&sale].id);
            if let Some((left, id)) = left
                && let Err(refusal) =
                    self.begin(sale, SaleRef::Again(id, left), &code, &scenario.name())
            {
                self.tell(|| format!("sale {sale} is not begun: {refusal:?}"));
            }
        }
    }

    /// Has the till charge a code.
    pub(super) fn begin(
        &mut self,
        sale: usize,
        reference: SaleRef,
        code: &str,
        how: &str,
    ) -> Result<(), Refusal> {
        let (due, serial) =
            (reference.amount().minor(), sale as u64 * 100 + self.sales[&sale].attempts);
        let mut rng = self.plan.chance("draw", serial);
        let mut draw = [0; 12];
        rng.fill(&mut draw);
        let draw = Draw(draw);
        let (now, wall) = (self.uptime(), self.wall());
        let Some(auth_code) = AuthCode::new(code) else { return Ok(()) };
        let code_hash = auth_code.keyed_hash(b"simulation");
        let client_ip = "203.0.113.7".to_owned();
        let note = String::new();
        let start = Start {
            sale: reference,
            note,
            sold: self.sold(sale),
            code: auth_code,
            code_hash,
            by: None,
            client_ip,
            draw,
        };
        let Some(till) = &mut self.till else { return Ok(()) };
        let (number, effects) = till.engine.begin(start, now, wall)?;
        self.tell(|| format!("{number} is begun: sale {sale}, {due}, {how}"));
        self.auditor.begun(number.as_str(), sale, due, code);
        self.counts.sales += 1;
        self.counts.by_v3 += u64::from(self.api != Api::V2);
        self.counts.behind += u64::from(self.office.is_some());
        self.sale_of.insert(number.to_string(), sale);
        let id = id_of(&effects);
        let begin = effects.iter().find_map(|effect| match effect {
            Effect::Write(entry) => entry.begin.as_ref(),
            _ => None,
        });
        let order = begin.map(|begin| begin.order.clone());
        if let Some(order) = order.filter(|_| self.roll(&mut rng, self.climate.other_tills)) {
            self.another_till(order, serial);
        }
        if let Some(known) = self.sales.get_mut(&sale) {
            known.id = id;
            known.latest = Some(number);
            known.attempts += 1;
            known.last_code = Some(code.to_owned());
        }
        self.perform(effects);
        Ok(())
    }

    /// Another till with the same id has given out the same number, and charges its own customer.
    fn another_till(&mut self, order: Order, serial: u64) {
        let mut rng = self.plan.chance("another till", serial);
        let more = if rng.bool() { 0 } else { rng.i64(1..500) };
        let amount = Money::from_minor(order.amount.minor().saturating_sub(more).max(1));
        let theirs = Order { mark: format!("{:016x}", rng.u64(..)), amount, ..order };
        // API v3 tells the mark of what is paid alone: before that, nobody can know whose it is.
        let is_marked = rng.bool() || self.climate.api_v3 > 0;
        let scenario = if is_marked { Scenario::Pays } else { Scenario::Password(rng.u8(1..40)) };
        let Some(code) = AuthCode::new(&scenario.code(OTHER_CUSTOMERS + serial)) else { return };
        let stamp = Stamp { time: self.banks_clock(), nonce: format!("{serial:032}") };
        let outgoing = self.line.codec.encode(Ask::Submit(&theirs, &code), &stamp);
        self.tell(|| "another till:".to_owned());
        self.bank_takes(&Sent::of(theirs.out_trade_no.as_str(), &outgoing));
        self.counts.faults += 1;
        self.auditor.is_anothers(theirs.out_trade_no.as_str());
    }

    pub(super) fn person(&mut self, number: &OutTradeNo, event: Event, does: &str) {
        self.tell(|| format!("the cashier {does} {number}"));
        self.auditor.called_for(number.as_str(), &event);
        let (now, wall) = (self.uptime(), self.wall());
        if let Some(till) = &mut self.till {
            let effects = till.engine.handle_event_of(number, event, None, now, wall);
            self.perform(effects);
        }
    }
}

/// The journal's number of a sale that is begun.
pub(super) fn id_of(effects: &[Effect]) -> Option<i64> {
    effects.iter().find_map(|effect| match effect {
        Effect::Write(entry) => entry.begin.as_ref().map(|begin| begin.sale.id),
        Effect::Call { .. }
        | Effect::Report(_)
        | Effect::WriteRefund(_)
        | Effect::CallRefund { .. }
        | Effect::ReportRefund(_) => None,
    })
}
