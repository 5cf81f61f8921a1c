//! Other tills of the same merchant. One pays, repeats itself, takes back, asks about what is not its own,
//! gives back more than it may, and goes away without waiting for an end. One is locked at the office.

use paytill::clock::Millis;
use paytill::gateway::{Ask, Gateway, RefundAsk, Stamp};
use paytill::money::{Currency, Money};
use paytill::order::{AuthCode, Order, OutTradeNo};
use paytill::refund::{OutRefundNo, Refund, RefundCallKind};
use paytill::simulator::Scenario;

use super::super::account;
use super::super::qr::Ordered;
use super::{
    Asker, Due, LOCKED, OfficeDue, QR_LASTS, Said, Sent, TILL, VISITOR, World, codec,
    merchant_behind, with_key_of,
};
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
        match rng.u8(..11) {
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
            5 => self.visitor_is_scanned(&order, scenario, &mut rng),
            6 => self.visitor_gives_back(&order, visit, &mut rng),
            7 => self.is_paid_elsewhere(&order, &mut rng),
            8 => self.locked_till_asks(visit, &code),
            _ => self.visitor_asks(soon, Ask::Submit(&order, &code)),
        }
    }

    /// It orders a code, shows it, and is never heard of again.
    fn visitor_is_scanned(&mut self, order: &Order, scenario: Scenario, rng: &mut fastrand::Rng) {
        let number = order.out_trade_no.to_string();
        self.ordered.insert(number.clone(), Ordered::is_seen(scenario));
        self.visitor_asks(self.now, Ask::Order(order));
        let longest = [5_000, QR_LASTS.0, 2 * QR_LASTS.0][rng.usize(..3)];
        self.plan_at(self.now + rng.u64(500..longest), Due::Scan(number));
    }

    /// It gives the same money back under two numbers at once, and at times more than it may.
    fn visitor_gives_back(&mut self, order: &Order, visit: u64, rng: &mut fastrand::Rng) {
        let code = AuthCode::new(&Scenario::Pays.code(CUSTOMERS + visit)).unwrap();
        self.visitor_asks(self.now, Ask::Submit(order, &code));
        let mut at = self.now + rng.u64(5_000..20_000);
        for sequence in 1..=rng.u8(2..6) {
            let amount = order.amount.minor();
            let amount = if rng.bool() { amount } else { rng.i64(1..=amount) };
            let refund = Refund {
                out_refund_no: OutRefundNo::new(&order.out_trade_no, sequence, 7),
                order: order.clone(),
                amount: Money::from_minor(amount),
                reason: "cold".into(),
                approved_by: "li".into(),
            };
            let (mut draws, kind) = (self.office_chance("visitor"), RefundCallKind::Refund);
            let stamp = self.visitor_stamp(at, &mut draws);
            let outgoing =
                codec(VISITOR).encode_refund(RefundAsk { kind, refund: &refund }, &stamp);
            let sent = Sent::of(refund.out_refund_no.as_str(), &outgoing);
            self.visitor_sends(at, Asker::Visitor { wants: None }, &sent, &mut draws);
            at += [10, 3_000, 70_000][rng.usize(..3)];
        }
    }

    /// Another system of the merchant's has a code paid, with the backend's address on it.
    fn is_paid_elsewhere(&mut self, order: &Order, rng: &mut fastrand::Rng) {
        let number = order.out_trade_no.to_string();
        let merchant = account(&self.plan).merchant;
        let order = Order { merchant, client_ip: "203.0.113.9".into(), ..order.clone() };
        let Some(office) = &self.office else { return };
        let stamp = Stamp { time: self.banks_clock(), nonce: format!("{:032x}", rng.u128(..)) };
        let outgoing = office.line.codec.encode(Ask::Order(&order), &stamp);
        self.ordered.insert(number.clone(), Ordered::is_seen(Scenario::Pays));
        self.bank.set_scenario(self.fate_of(&number));
        self.bank_takes(&Sent::of(&number, &outgoing));
        self.bank.set_scenario(None);
        self.plan_at(self.now + rng.u64(500..20_000), Due::Scan(number));
    }

    /// A till that was locked wants to be paid.
    fn locked_till_asks(&mut self, visit: u64, code: &AuthCode) {
        let number = OutTradeNo::try_from(format!("{LOCKED}11220330{visit:010}")).unwrap();
        self.auditor.is_anothers(number.as_str());
        let order = Order {
            amount: Money::from_minor(100),
            body: "Corner Coffee".into(),
            ..Order::of_number(number, merchant_behind(&self.plan), Currency::CNY)
        };
        let mut draws = self.office_chance("visitor");
        for ask in [Ask::Submit(&order, code), Ask::Order(&order)] {
            let stamp = self.visitor_stamp(self.now, &mut draws);
            let sent = Sent::of(order.out_trade_no.as_str(), &codec(LOCKED).encode(ask, &stamp));
            self.visitor_sends(self.now, Asker::Visitor { wants: None }, &sent, &mut draws);
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
        // In its own name, and in the other's.
        for speaker in [VISITOR, TILL] {
            for ask in [Ask::Query(&order), Ask::Reverse(&order), Ask::Submit(&order, &code)] {
                self.asks_as(speaker, at, ask);
            }
        }
    }

    fn visitor_asks(&mut self, at: u64, ask: Ask<'_>) {
        self.asks_as(VISITOR, at, ask);
    }

    fn visitor_stamp(&self, at: u64, rng: &mut fastrand::Rng) -> Stamp {
        let nonce = format!("{:032x}", rng.u128(..));
        Stamp { time: self.banks_clock().after(Millis(at - self.now)), nonce }
    }

    /// It says to be this till; it has no key but its own.
    fn asks_as(&mut self, speaker: &str, at: u64, ask: Ask<'_>) {
        let mut rng = self.office_chance("visitor");
        let stamp = self.visitor_stamp(at, &mut rng);
        let outgoing = with_key_of(VISITOR, speaker).encode(ask, &stamp);
        let sent = Sent::of(ask.order().out_trade_no.as_str(), &outgoing);
        let wants = match ask {
            Ask::Submit(order, _) => Some(order.amount.minor()),
            Ask::Query(_)
            | Ask::Reverse(_)
            | Ask::RefundQuery(_)
            | Ask::Order(_)
            | Ask::Close(_) => None,
        };
        self.visitor_sends(at, Asker::Visitor { wants }, &sent, &mut rng);
    }

    fn visitor_sends(&mut self, at: u64, asker: Asker, sent: &Sent, rng: &mut fastrand::Rng) {
        let is_twofold = self.roll(rng, self.climate.twofold_requests);
        let is_lost = self.roll(rng, self.climate.lost_requests);
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
