//! A cashier who always goes on: whoever is next is served while others still pay, by keys and scans
//! at the screen.
//!
//! She looks at the screen before each turn and does what fits, or something hasty: scans at the
//! wrong time, goes on too early, brings a payment back in the middle of a sale, looks for an order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use paytill::display::{SaleStage, View};
use paytill::engine::{Refusal, SaleRef};
use paytill::find::Wanted;
use paytill::gateway::{Question, Stamp};
use paytill::order::{AuthCode, TillId};
use paytill::payment::{Event, Status};
use paytill::scan::Scan;
use paytill::screen::{Key, Printing, RawScan, ScreenCommand, ScreenMessage};
use paytill::simulator::Scenario;

use super::{Due, World};
use crate::auditor::desk::AtDesk;
use crate::invariants::Invariant;
use crate::screen::Seen;

/// More payments than this are not walked through at once.
const MOST: usize = 20;
/// The serial numbers of the codes that are shown to her.
const CODES: u64 = 50_000_000;

#[derive(Default)]
pub struct Counter {
    /// Sales whose customers stand in the queue.
    pub queue: VecDeque<usize>,
    /// The sale whose amount was typed.
    serving: Option<usize>,
    /// The sale that could not be charged again yet: the desk asks for another code.
    again: Option<usize>,
    turns: u64,
    codes: u64,
    /// What the page in front of the desk is waiting for.
    pub searches: BTreeMap<u64, Wanted>,
    pub questions: BTreeMap<u64, (Question, Stamp)>,
    /// Those that the till's own query answers.
    pub asked: BTreeMap<i64, (u64, Question)>,
}

impl World {
    /// The cashier comes to a till that has just started.
    pub(super) fn comes_to_the_desk(&mut self) {
        let counter = &mut self.counter;
        (counter.searches, counter.questions, counter.asked) = Default::default();
        if let Some(sale) = counter.serving.take() {
            counter.queue.push_front(sale);
        }
        if self.climate.crowd > 0 && !self.is_healed() {
            self.plan_at(self.now + 500, Due::Turn { process: self.process });
        }
    }

    /// She looks, and does one thing.
    pub(super) fn turn(&mut self) {
        let mut rng = self.plan.chance("turn", self.counter.turns);
        self.counter.turns += 1;
        let Some(seen) = self.seen().filter(|seen| !seen.is_stopped && !self.is_healed()) else {
            return;
        };
        self.plan_at(self.now + rng.u64(100..1_500), Due::Turn { process: self.process });
        if seen.asks {
            return self.press(if rng.u8(..4) == 0 { Key::Esc } else { Key::Enter });
        }
        if seen.is_finding {
            return self.at_the_page(&mut rng);
        }
        match seen.sale {
            View::Welcome => self.at_the_free_desk(&seen, &mut rng),
            View::Sale { stage: SaleStage::Typing, .. } => self.press(Key::Enter),
            View::Sale { stage: SaleStage::Code, .. } => self.at_the_code(&seen, &mut rng),
            View::Sale { stage: SaleStage::Payment(status), .. } => {
                self.at_the_payment(&seen, status, &mut rng);
            }
            View::Sale { stage: SaleStage::Scan, .. } => self.at_our_code(&seen, &mut rng),
            // The crowd pays by code.
            View::Sale { stage: SaleStage::Change { .. }, .. } => self.press(Key::Enter),
        }
    }

    fn at_the_free_desk(&mut self, seen: &Seen, rng: &mut fastrand::Rng) {
        if let Some(sale) = self.counter.serving.take() {
            self.counter.queue.push_front(sale);
        }
        match rng.u8(..16) {
            0 | 1 if !seen.unread.is_empty() => self.press(Key::Enter),
            2 => self.press(Key::Tab),
            3 => self.press(Key::F(7)),
            4 => self.looks_through_the_tray(),
            5 => self.press(Key::F(5)),
            // Nothing was sold yet.
            6 => {
                self.press(Key::F(4));
                self.is_unchanged(seen, "F4");
            }
            _ => self.next_customer(),
        }
    }

    fn next_customer(&mut self) {
        let Some(sale) = self.counter.queue.pop_front() else { return };
        let due = self.sales[&sale].customer.due;
        (self.counter.serving, self.counter.again) = (Some(sale), None);
        for digit in format!("{}.{:02}", due / 100, due % 100).chars() {
            self.press(Key::Char(digit));
        }
        let is_sure = self.plan.chance("at once", sale as u64).bool() && self.is_to_scan(sale);
        self.press(if is_sure { Key::F(4) } else { Key::Enter });
    }

    fn at_the_code(&mut self, seen: &Seen, rng: &mut fastrand::Rng) {
        let sale = self.counter.serving.or(self.counter.again);
        match rng.u8(..12) {
            0 => {
                self.press(Key::Tab);
                self.is_unchanged(seen, "Tab");
            }
            1 => self.press(Key::F(7)),
            2 => {
                self.press(Key::Ctrl('n'));
                self.is_unchanged(seen, "Ctrl-N");
            }
            // The customer looks for the phone; the next one is quicker.
            3 => {
                self.press(Key::Esc);
                let sale = self.counter.serving.take();
                self.counter.queue.extend(sale);
            }
            _ if sale.is_some_and(|sale| self.is_to_scan(sale)) => self.press(Key::F(4)),
            _ => {
                let sale = self.counter.serving;
                let scenario = sale.map(|sale| self.sales[&sale].customer.scenario);
                self.scan(scenario.unwrap_or(Scenario::Pays));
            }
        }
    }

    /// The customer is to scan a code of ours, and some take their time.
    fn at_our_code(&mut self, seen: &Seen, rng: &mut fastrand::Rng) {
        match rng.u8(..16) {
            0 => self.press(Key::F(7)),
            1 => self.press(Key::Tab),
            2 => self.press(Key::F(5)),
            3 | 4 => self.press(Key::Esc),
            // A payment code is shown in its place, which charges nothing.
            5 => {
                self.scan(Scenario::Pays);
                self.is_unchanged(seen, "a payment code");
            }
            6 => self.press(Key::F(9)),
            7 => {
                self.press(Key::F(4));
                self.is_unchanged(seen, "F4");
            }
            8..=10 => {}
            // At a table perhaps: the desk is free for the next.
            _ => {
                self.press(Key::Ctrl('n'));
                self.is_free("Ctrl-N");
            }
        }
    }

    fn at_the_payment(&mut self, seen: &Seen, status: Status, rng: &mut fastrand::Rng) {
        match (status, rng.u8(..16)) {
            (_, 0) => self.press(Key::F(7)),
            (Status::Created | Status::Sent, 1 | 2) => {
                self.press(Key::Ctrl('n'));
                self.is_unchanged(seen, "Ctrl-N");
            }
            (Status::Paid | Status::Declined | Status::Reversed | Status::Closed, 1) => {
                self.press(Key::Ctrl('n'));
                self.is_unchanged(seen, "Ctrl-N");
            }
            // Too early, and whoever shows it is told so.
            (Status::Created | Status::Sent, 3) => self.scan(Scenario::Pays),
            (Status::Created | Status::Sent, 4) => self.press(Key::Esc),
            (Status::Created | Status::Sent, _) => {}
            (Status::Paid, 2..=5) => self.next_customer(),
            (Status::Paid, _) => self.press(Key::Enter),
            // With another code, or by somebody who does not look at the screen.
            (Status::Declined | Status::Reversed | Status::Closed, 2..=5) => {
                self.scan(Scenario::Pays);
            }
            (Status::Declined | Status::Reversed | Status::Closed, 6 | 7) => {
                self.press(Key::F(4));
            }
            (Status::Declined | Status::Reversed | Status::Closed, _) => self.press(Key::Enter),
            (_, 1) => self.press(Key::Tab),
            (_, 2) => self.press(Key::F(5)),
            (_, 3) => self.press(Key::Esc),
            (_, 4) => self.scan(Scenario::Pays),
            (Status::Reversing | Status::Attention, 5) => self.press(Key::Enter),
            (_, 5 | 6) => {}
            _ => {
                self.press(Key::Ctrl('n'));
                self.is_free("Ctrl-N");
            }
        }
    }

    /// "I have paid": orders are looked for and asked about, and what is scanned there charges nothing.
    fn at_the_page(&mut self, rng: &mut fastrand::Rng) {
        match rng.u8(..16) {
            0..=3 => self.press(Key::Esc),
            4 | 5 => self.press(Key::F(5)),
            6 | 7 => self.press(Key::Enter),
            8 => self.press(Key::Down),
            9 => self.press(Key::F(7)),
            10 => self.scan(Scenario::Pays),
            11 => {
                "paid".chars().for_each(|letter| self.press(Key::Char(letter)));
                self.press(Key::Enter);
            }
            12 | 13 => {
                let numbers: Vec<String> = self
                    .sales
                    .values()
                    .filter_map(|sale| Some(sale.latest.as_ref()?.to_string()))
                    // Nobody has seen the others yet.
                    .filter(|number| self.auditor.is_kept(number))
                    .collect();
                if let Some(number) = rng.choice(numbers) {
                    self.scan_text(&number);
                }
            }
            _ => {}
        }
    }

    /// Each open payment comes to the desk in its turn, and goes again.
    fn looks_through_the_tray(&mut self) {
        let Some(till) = &self.till else { return };
        let open: BTreeSet<String> = till.screen.open().map(ToOwned::to_owned).collect();
        let mut came: BTreeSet<String> = BTreeSet::new();
        if open.len() > MOST {
            return;
        }
        for _ in 0..open.len() {
            self.press(Key::Tab);
            let Some(Seen { payment: Some(number), sale, .. }) = self.seen() else { break };
            came.insert(number);
            // What is not answered yet is not left for another.
            if !is_slow(&sale) {
                return;
            }
        }
        if let Some(number) = open.difference(&came).next() {
            let what = format!("{number} is open, and does not come to the desk: {came:?}");
            self.auditor.broken(Invariant::OpenIsVisible, what);
        }
        if !open.is_empty() {
            self.press(Key::Ctrl('n'));
            self.is_free("Ctrl-N");
        }
    }

    fn is_free(&mut self, key: &str) {
        let Some(seen) = self.seen() else { return };
        if seen.payment.is_some() || seen.sale != View::Welcome {
            let what = format!("{key} does not give the desk free: {seen:?}");
            self.auditor.broken(Invariant::DeskAlone, what);
        }
    }

    fn is_unchanged(&mut self, before: &Seen, key: &str) {
        let Some(seen) = self.seen() else { return };
        if (&seen.sale, &seen.payment) != (&before.sale, &before.payment) {
            let what = format!("{key} changes the desk from {before:?} to {seen:?}");
            self.auditor.broken(Invariant::DeskAlone, what);
        }
    }

    fn seen(&self) -> Option<Seen> {
        self.till.as_ref().map(|till| till.screen.seen())
    }

    fn press(&mut self, key: Key) {
        self.tell(|| format!("the cashier presses {key:?}"));
        self.show(ScreenMessage::Key(key), None);
    }

    /// A customer shows a code, and it is scanned, whatever is on the screen.
    fn scan(&mut self, scenario: Scenario) {
        self.counter.codes += 1;
        let code = scenario.code(CODES + self.counter.codes);
        self.tell(|| format!("the cashier scans a code of {}", scenario.name()));
        self.scan_text(&code);
    }

    fn scan_text(&mut self, text: &str) {
        let Some(till) = TillId::new("T01") else { return };
        let is_finding = self.seen().is_some_and(|seen| seen.is_finding);
        let message = if is_finding {
            ScreenMessage::Sought(RawScan(text.to_owned().into()))
        } else {
            ScreenMessage::Scanned(Scan::name(text, &till))
        };
        self.show(message, Some(text));
    }

    /// Tells the screen something that is no report of a payment, and does what it wants done.
    pub(super) fn show(&mut self, message: ScreenMessage, scanned: Option<&str>) {
        let (now, wall) = (self.uptime(), self.wall());
        let Some(till) = &mut self.till else { return };
        let seen = till.screen.seen();
        let commands = till.screen.send(message, now, wall, &mut self.auditor);
        till.screen.check(&mut self.auditor);
        self.obey(commands, &seen, scanned);
        self.read_the_verdict();
    }

    pub(super) fn obey(
        &mut self,
        commands: Vec<ScreenCommand>,
        seen: &Seen,
        scanned: Option<&str>,
    ) {
        for command in commands {
            match command {
                ScreenCommand::Begin { sale, code } => self.charged(seen, scanned, sale, &code),
                ScreenCommand::Cancel(number) => {
                    self.auditor.acted_on(seen, "cancel", number.as_str());
                    self.person(&number, Event::Cancel, "cancels");
                }
                ScreenCommand::CheckNow(number) => {
                    self.auditor.acted_on(seen, "check", number.as_str());
                    self.person(&number, Event::CheckNow, "wants the gateway asked about");
                }
                ScreenCommand::Search { serial, wanted } => self.search(serial, wanted),
                ScreenCommand::Ask { serial, question } => self.enquire(serial, question),
                ScreenCommand::OrderCode { sale } => self.has_them_scan(seen, sale),
                ScreenCommand::PrintBill(number) => {
                    self.auditor.acted_on(seen, "print a bill of", number.as_str());
                    self.auditor.bill_printed(number.as_str());
                    let how = Some(Printing::Sent);
                    self.show(ScreenMessage::BillPrinted { out_trade_no: number, how }, None);
                }
                // Refunds begin by themselves here.
                ScreenCommand::Refund { .. }
                | ScreenCommand::WarmUp
                | ScreenCommand::ReadDay(_)
                | ScreenCommand::SignIn { .. }
                | ScreenCommand::ReadOperators
                | ScreenCommand::Print { .. }
                | ScreenCommand::OverrulePrinter(_)
                | ScreenCommand::OpenDrawer
                // The crowd pays by code.
                | ScreenCommand::TakeCash { .. }
                | ScreenCommand::ReturnCash { .. }
                | ScreenCommand::MoveCash { .. }
                | ScreenCommand::ReadShift
                | ScreenCommand::ReadBill(_)
                | ScreenCommand::OpenShift { .. }
                | ScreenCommand::CloseShift { .. }
                | ScreenCommand::PrintReport { .. }
                | ScreenCommand::Goods(_)
                | ScreenCommand::Train(_)
                | ScreenCommand::Quit => {}
            }
        }
    }

    fn charged(&mut self, seen: &Seen, scanned: Option<&str>, sale: SaleRef, code: &AuthCode) {
        let at_hand = self.at_hand(seen);
        let [first, again] = at_hand.map(|sale| sale.map(|sale| self.known(sale)));
        let what = (sale, code.expose());
        self.auditor.charged(seen, scanned, what, (first.as_ref(), again.as_ref()));
        self.asked_for(sale, at_hand, |world, of| {
            world.begin(of, sale, code.expose(), "at the desk")
        });
    }

    /// F4: the customer is to scan a code of ours.
    fn has_them_scan(&mut self, seen: &Seen, sale: SaleRef) {
        let at_hand = self.at_hand(seen);
        let [first, again] = at_hand.map(|sale| sale.map(|sale| self.known(sale)));
        self.auditor.ordered(seen, sale, (first.as_ref(), again.as_ref()));
        self.asked_for(sale, at_hand, |world, of| world.begin_qr(of, sale));
    }

    /// The sale whose amount was typed, and that of the payment at the desk.
    fn at_hand(&self, seen: &Seen) -> [Option<usize>; 2] {
        let at_desk = seen.payment.as_ref().and_then(|number| self.sale_of.get(number)).copied();
        let asks = matches!(seen.sale, View::Sale { stage: SaleStage::Code, .. });
        [self.counter.serving, at_desk.or_else(|| self.counter.again.filter(|_| asks))]
    }

    fn known(&self, sale: usize) -> AtDesk {
        let sale = &self.sales[&sale];
        AtDesk { id: sale.id, due: sale.customer.due }
    }

    /// The till is to begin something for the sale at the desk, and may refuse.
    fn asked_for(
        &mut self,
        sale: SaleRef,
        [_, at_desk]: [Option<usize>; 2],
        begin: impl FnOnce(&mut Self, usize) -> Result<(), Refusal>,
    ) {
        let of = match sale {
            SaleRef::New(_) => self.counter.serving.take(),
            SaleRef::Again(..) => at_desk,
        };
        let Some(of) = of else { return };
        if let Err(refusal) = begin(self, of) {
            self.show(ScreenMessage::NotBegun(refusal), None);
            // The customer shows another code.
            match sale {
                SaleRef::New(_) => self.counter.serving = Some(of),
                SaleRef::Again(..) => self.counter.again = Some(of),
            }
        }
    }
}

fn is_slow(sale: &View) -> bool {
    if let View::Sale { stage: SaleStage::Scan, .. } = sale {
        return true;
    }
    let View::Sale { stage: SaleStage::Payment(status), .. } = sale else { return false };
    matches!(status, Status::Waiting | Status::Checking | Status::Reversing | Status::Attention)
}
