//! Customers who scan a code of ours, once the till shows it.

use std::sync::Arc;

use paytill::clock::Millis;
use paytill::engine::{Attempt, Draw, QrStart, Refusal, SaleRef};
use paytill::money::Money;
use paytill::simulator::{Api, Scenario};

use super::people::id_of;
use super::{Due, World, is_refunded_elsewhere};

/// How long a code may be shown: nobody in the simulation waits for two hours.
const LASTS: [u64; 3] = [10_000, 25_000, 40_000];

/// A code that was ordered.
pub struct Ordered {
    scenario: Scenario,
    /// Identifies its random draws.
    key: u64,
    /// A customer has seen it.
    is_seen: bool,
}

impl Ordered {
    /// One whose code was seen somewhere else.
    pub fn is_seen(scenario: Scenario) -> Self {
        Self { scenario, key: 0, is_seen: true }
    }
}

impl World {
    /// Whether the customer of a sale is to scan, this time.
    pub(super) fn is_to_scan(&self, sale: usize) -> bool {
        let nth = sale as u64 * 100 + self.sales[&sale].attempts;
        self.plan.chance("qr", nth).u8(..5) == 0
    }

    /// What the customer does who scans a code of this sale.
    fn scans_as(&self, sale: usize) -> Scenario {
        let known = &self.sales[&sale];
        // Who comes again pays.
        match known.customer.scenario {
            _ if known.attempts > 1 => Scenario::Pays,
            // What somebody does at the merchant platform is played by other sales.
            scenario if is_refunded_elsewhere(scenario) => Scenario::WalksAway,
            scenario => scenario,
        }
    }

    /// Orders a code for a sale, or for the rest of it; the till may refuse.
    pub(super) fn orders_a_code(&mut self, sale: usize) {
        let known = &self.sales[&sale];
        let due = Money::from_minor(known.customer.due);
        let reference = known.id.map_or(SaleRef::New(due), |id| SaleRef::Again(id, due));
        let Err(refusal) = self.begin_qr(sale, reference) else { return };
        let left = self.left_of(sale, &refusal).zip(self.sales[&sale].id);
        let again = left.map(|(left, id)| self.begin_qr(sale, SaleRef::Again(id, left)));
        self.tell(|| format!("no code for sale {sale}: {refusal:?}, {again:?}"));
    }

    /// Has the till order a code.
    pub(super) fn begin_qr(&mut self, sale: usize, reference: SaleRef) -> Result<(), Refusal> {
        let scenario = self.scans_as(sale);
        let (due, serial) =
            (reference.amount().minor(), sale as u64 * 100 + self.sales[&sale].attempts);
        let mut rng = self.plan.chance("qr draw", serial);
        let mut draw = [0; 12];
        rng.fill(&mut draw);
        let lasts = LASTS[rng.usize(..LASTS.len())];
        let start = QrStart {
            sale: reference,
            note: String::new(),
            sold: Arc::clone(&self.sold(sale)),
            lasts: Millis(lasts),
            by: None,
            client_ip: "203.0.113.7".to_owned(),
            draw: Draw(draw),
        };
        let (now, wall) = (self.uptime(), self.wall());
        let Some(till) = &mut self.till else { return Ok(()) };
        let (number, effects) = till.engine.begin_qr(start, now, wall)?;
        let how = scenario.name();
        self.tell(|| format!("{number} is ordered for {lasts}: sale {sale}, {due}, {how}"));
        self.auditor.begun(number.as_str(), sale, due, &format!("qr-{number}"));
        self.auditor.is_scanned(number.as_str(), lasts);
        self.counts.sales += 1;
        self.counts.codes += 1;
        self.counts.by_v3 += u64::from(self.api != Api::V2);
        self.counts.behind += u64::from(self.office.is_some());
        self.sale_of.insert(number.to_string(), sale);
        self.ordered.insert(number.to_string(), Ordered { scenario, key: serial, is_seen: false });
        let id = id_of(&effects);
        if let Some(known) = self.sales.get_mut(&sale) {
            known.id = id;
            known.latest = Some(number);
            known.attempts += 1;
        }
        self.perform(effects);
        Ok(())
    }

    /// What becomes of an order when it first reaches the bank.
    pub(super) fn fate_of(&self, number: &str) -> Option<Scenario> {
        self.ordered.get(number).map(|ordered| ordered.scenario)
    }

    /// A customer sees the code, and takes some time: it may be taken away meanwhile.
    pub(super) fn shows(&mut self, attempt: &Attempt) {
        let number = attempt.out_trade_no.as_str();
        if attempt.code_to_show().is_none() {
            return;
        }
        let Some(ordered) = self.ordered.get_mut(number) else { return };
        if !std::mem::replace(&mut ordered.is_seen, true) {
            let mut rng = self.plan.chance("scans", ordered.key);
            let takes = [2_000, 20_000, 70_000][rng.usize(..3)];
            let at = self.now + rng.u64(100..takes);
            self.plan_at(at, Due::Scan(number.to_owned()));
        }
    }

    pub(super) fn scans(&mut self, number: &str) {
        self.tell(|| format!("the code of {number} is scanned"));
        self.bank.scan(number, Millis(self.now));
        self.bank_tells();
    }
}
