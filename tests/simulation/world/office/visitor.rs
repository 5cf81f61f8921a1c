//! Another till of the same merchant: it pays, repeats itself, takes back, asks about what is not its own,
//! and goes away without waiting for an end.

use paytill::gateway::{Ask, Gateway, Stamp};
use paytill::money::{Currency, Money};
use paytill::order::{AuthCode, Order, OutTradeNo};
use paytill::simulator::Scenario;

use super::{Asker, Due, OfficeDue, Said, Sent, VISITOR, World, codec, merchant_behind};
use crate::invariants::Invariant;
use crate::plan::HEALED;

/// The serial numbers of its customers.
const CUSTOMERS: u64 = 20_000_000;

impl World {
    pub(super) fn visits(&mut self, visit: u64) {
        let mut rng = self.plan.chance("visit", visit);
        let scenarios = ["ok", "ok", "password-8", "walks-away", "notenough", "request-lost"];
        let scenario = Scenario::from_name(scenarios[rng.usize(..scenarios.len())]).unwrap();
        let code = AuthCode::new(&scenario.code(CUSTOMERS + visit)).unwrap();
        let number = format!("{VISITOR}11220330{visit:010}");
        let number = OutTradeNo::try_from(number).unwrap();
        let order = Order {
            amount: Money::from_minor(rng.i64(1..50_000)),
            mark: format!("{visit:016x}"),
            body: "Corner Coffee".into(),
            ..Order::of_number(number, merchant_behind(&self.plan), Currency::CNY)
        };
        self.tell(|| format!("{} is paid at {VISITOR}", order.out_trade_no));
        self.auditor.is_anothers(order.out_trade_no.as_str());
        let (soon, later) = (self.now, self.now + rng.u64(1..40_000));
        match rng.u8(..6) {
            0 => {
                // Taken back before it came.
                self.visitor_asks(soon, Ask::Reverse(&order));
                self.visitor_asks(later, Ask::Submit(&order, &code));
            }
            1 => {
                // One number, two bodies.
                self.visitor_asks(soon, Ask::Submit(&order, &code));
                let more =
                    Order { amount: Money::from_minor(order.amount.minor() + 1), ..order.clone() };
                self.visitor_asks(later, Ask::Submit(&more, &code));
                let other = AuthCode::new(&Scenario::Pays.code(2 * CUSTOMERS + visit)).unwrap();
                self.visitor_asks(later, Ask::Submit(&order, &other));
            }
            2 => {
                self.visitor_asks(soon, Ask::Submit(&order, &code));
                self.visitor_asks(later, Ask::Submit(&order, &code));
                self.visitor_asks(later, Ask::Query(&order));
            }
            3 => {
                self.visitor_asks(soon, Ask::Submit(&order, &code));
                self.visitor_asks(later, Ask::Reverse(&order));
            }
            4 => {
                self.visitor_asks(soon, Ask::Submit(&order, &code));
                self.spies(visit, later);
            }
            _ => self.visitor_asks(soon, Ask::Submit(&order, &code)),
        }
    }

    /// Asks about a number of the other till's, and uses it.
    fn spies(&mut self, visit: u64, at: u64) {
        let numbers: Vec<_> = self.sale_of.keys().cloned().collect();
        let mut rng = self.plan.chance("spy", visit);
        let Some(number) = rng.choice(numbers) else { return };
        let Ok(number) = OutTradeNo::try_from(number) else { return };
        let order = Order::of_number(number, merchant_behind(&self.plan), Currency::CNY);
        let code = AuthCode::new(&Scenario::Pays.code(3 * CUSTOMERS + visit)).unwrap();
        for ask in [Ask::Query(&order), Ask::Reverse(&order), Ask::Submit(&order, &code)] {
            self.visitor_asks(at, ask);
        }
    }

    fn visitor_asks(&mut self, at: u64, ask: Ask<'_>) {
        let mut rng = self.office_chance("visitor");
        let nonce = format!("{:032x}", rng.u128(..));
        let time = self.banks_clock().after(paytill::clock::Millis(at - self.now));
        let outgoing = codec(VISITOR).encode(ask, &Stamp { time, nonce });
        let sent = Sent::of(ask.order().out_trade_no.as_str(), &outgoing);
        let wants = match ask {
            Ask::Submit(order, _) => Some(order.amount.minor()),
            Ask::Query(_)
            | Ask::Reverse(_)
            | Ask::RefundQuery(_)
            | Ask::Order(_)
            | Ask::Close(_) => None,
        };
        let asker = Asker::Visitor { wants };
        let is_twofold = self.roll(&mut rng, self.climate.twofold_requests);
        let is_lost = self.roll(&mut rng, self.climate.lost_requests);
        let late = (at + rng.u64(1..100_000)).min(HEALED.max(at));
        let on_time = (!is_lost).then_some(at + rng.u64(5..2_000));
        for at in is_twofold.then_some(late).into_iter().chain(on_time) {
            self.plan_at(at, Due::Office(OfficeDue::Comes { asker, sent: sent.clone() }));
        }
    }

    /// What it is told of another till's order is nothing.
    pub(super) fn visitor_hears(&mut self, number: &str, wants: Option<i64>, said: &Said) {
        if !(200..300).contains(&said.status) {
            return;
        }
        let told = String::from_utf8_lossy(&said.body);
        if !number.starts_with(VISITOR) {
            let what = format!("{number} is told to {VISITOR}: {told}");
            return self.auditor.broken(Invariant::OnlyOurs, what);
        }
        let is_of_another =
            wants.is_some_and(|amount| !told.contains(&format!("\"amount\":{amount},")));
        if is_of_another {
            let what = format!("{number}: another body was asked for, {wants:?}: {told}");
            self.auditor.broken(Invariant::OneSubmission, what);
        }
    }
}

impl World {
    /// An answer leaves the backend.
    pub(super) fn goes_back(&mut self, asker: Asker, number: String, said: Said) {
        let mut rng = self.office_chance("answer");
        if let Asker::Visitor { wants } = asker {
            return self.visitor_hears(&number, wants, &said);
        }
        let Some(said) = self.comes_back(number, Some(said), &mut rng) else { return };
        let at = self.now + self.delay(&mut rng);
        match asker {
            Asker::Payment { process, call } => {
                self.plan_at(at, Due::Answered { process, call, reply: Some(said) });
            }
            Asker::Refund { process, call } => {
                self.plan_at(at, Due::RefundAnswered { process, call, reply: Some(said) });
            }
            Asker::Visitor { .. } => {}
        }
    }
}
