//! A queue that keeps moving: five customers overlap, and each has an outcome, a notice, a
//! sound and a receipt of their own, also if the till is killed in the middle of the crowd.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use crate::fixture::tui_session::{CTRL_N, CTRL_Q, Device, ESC, Socket, TAB, TuiSession};
use crate::fixture::{SERIAL_SCANNER, TestShop, code};
use crate::paper::{CUT, Printout};
use paytill::payment::CallKind;
use rustix::process::Signal;
use serde_json::Value;

const PRINTER: &str = "[printer]\nkind = \"escpos-file\"\nport = \"paper\"\n";
const ASKS_FOR_CODE: &str = "Scan the customer's payment code.";
const HAS_NEWS: &str = "Enter: OK";

/// A customer: the amount, the behaviour, and how it ends.
struct Customer(&'static str, &'static str, &'static str);

const PASSWORD: Customer = Customer("1.01", "password-25", "PAID");
const AT_ONCE: Customer = Customer("1.02", "ok", "PAID");
const WALKS_AWAY: Customer = Customer("1.03", "walks-away", "REVERSED");
const LOST: Customer = Customer("1.04", "answer-lost", "PAID");
const GIVEN_UP: Customer = Customer("1.05", "walks-away", "REVERSED");
const IN_TRAY: [Customer; 4] = [PASSWORD, WALKS_AWAY, LOST, GIVEN_UP];

impl Customer {
    /// In fen.
    fn minor(&self) -> i64 {
        self.0.replace('.', "").parse().unwrap()
    }

    fn code(&self) -> String {
        code(self.1, self.minor())
    }
}

/// A cashier who always goes on with the next customer.
struct Desk {
    shop: TestShop,
    session: TuiSession,
    scanner: Device,
    /// What was drawn before the last start.
    tape: Vec<u8>,
    bells: usize,
}

impl Desk {
    fn open() -> Self {
        let shop = TestShop::open(None, 1);
        shop.configure(&[SERIAL_SCANNER, PRINTER].concat());
        let (session, scanner) = sit_down(&shop);
        Self { shop, session, scanner, tape: Vec::new(), bells: 0 }
    }

    fn kill(&mut self) {
        self.session.send(Signal::KILL);
        self.session.wait_for_end();
        self.tape.extend(self.session.tape_bytes());
        self.bells += self.session.bells();
        (self.session, self.scanner) = sit_down(&self.shop);
    }

    fn charge(&mut self, customer: &Customer) {
        self.read_news();
        self.session.press(customer.0);
        // What has ended meanwhile takes an Enter.
        while !self.session.screen().contains(ASKS_FOR_CODE) {
            let before = news(&self.session.screen());
            self.session.press("\r");
            self.session.see_that("the code is asked for, or there are news", |screen| {
                screen.contains(ASKS_FOR_CODE) || news(screen) != before
            });
        }
        self.session.see(&["READY", ASKS_FOR_CODE]);
        self.scanner.scan(&customer.code());
    }

    fn go_on(&mut self) {
        self.session.press(CTRL_N);
        self.session.see(&["is still open above: do not charge it again.", "Enter the amount."]);
    }

    /// Confirms what has ended in the tray.
    fn read_news(&mut self) {
        while let Some(before) = news(&self.session.screen()) {
            self.session.press("\r");
            self.session
                .see_that("other news or none", |screen| news(screen).as_ref() != Some(&before));
        }
    }

    fn watch_until_none_is(&mut self, what: &str, is: impl Fn(&Value) -> bool) {
        let none = || !self.shop.orders().values().any(&is);
        self.session.watch_until(what, none);
    }

    /// Whether this was ever told of a payment.
    fn was_told(&self, end: &str, number: &str, amount: &str) -> bool {
        let line = format!("{end}   ￥{amount}   order {} ", &number[number.len() - 6..]);
        let mut emulator =
            vt100::Parser::new(NonZeroU16::new(24).unwrap(), NonZeroU16::new(80).unwrap(), 0);
        let tape = self.tape.iter().chain(self.session.tape_bytes());
        let tape: Vec<u8> = tape.copied().collect();
        tape.chunks(64).any(|piece| {
            emulator.process(piece);
            let screen = emulator.screen().contents();
            news(&screen).is_some_and(|news| news.starts_with(&line))
        })
    }

    /// Brings payments back until it is this customer's.
    fn bring_back(&mut self, customer: &Customer) {
        let orders = self.shop.orders();
        let mut numbers = orders.iter().filter(|(_, order)| order["amount"] == customer.minor());
        let (number, _) = numbers.next().unwrap();
        let tail = format!("order {}", &number[number.len() - 6..]);
        for _ in 0..5 {
            let before = at_desk(&self.session.screen());
            self.session.press(TAB);
            self.session.see_that("another payment at the desk", |screen| {
                at_desk(screen).is_some_and(|row| Some(&row) != before.as_ref())
            });
            if at_desk(&self.session.screen()).is_some_and(|row| row.contains(&tail)) {
                return;
            }
        }
        panic!("it does not come back:\n{}", self.session.screen());
    }

    /// Three customers who do not pay at once, one of whom is given up in the tray.
    fn crowd(&mut self) {
        self.charge(&PASSWORD);
        self.session.see(&["WAITING FOR CUSTOMER"]);
        // Whoever is next shows a code too soon: it is refused, and not kept.
        self.scanner.scan(&code("ok", 99));
        self.session.see(&["Nothing was sent.", "or press Ctrl-N for the next customer."]);
        self.go_on();
        for customer in [GIVEN_UP, WALKS_AWAY] {
            self.charge(&customer);
            self.session.see(&[&format!("￥{}", PASSWORD.0), "The customer is entering the"]);
            self.go_on();
        }
        self.bring_back(&GIVEN_UP);
        self.session.press(ESC);
        self.session.see(&["Cancel this payment?"]);
        self.session.answer("\r");
        self.session.see(&["The payment is being reversed."]);
        self.go_on();
    }

    /// Waits for every end, and checks each at the till, at the bank, and on paper.
    fn check(mut self) {
        self.charge(&AT_ONCE);
        self.session.see(&["Payment received.", "Hand over the goods."]);
        let is_waited_for = |order: &Value| {
            ["sent", "waiting", "checking"].contains(&order["state"].as_str().unwrap())
        };
        self.watch_until_none_is("nobody is waited for", is_waited_for);
        self.watch_until_none_is("all have ended", |order| order["open"] == true);
        while !self.session.screen().contains("Enter the amount.") {
            let before = self.session.screen();
            self.session.press("\r");
            self.session.see_that("the next sale, or other news", |screen| screen != before);
        }
        self.read_news();
        self.session.see_that("the tray is empty", |screen| !screen.contains("Open payments"));
        // One for the payment at the desk, four for each other, three for the code too soon.
        self.session.hear(1 + 4 * 4 + 3 - self.bells);
        self.session.press(CTRL_Q);
        assert_eq!(self.session.wait_for_end().exit_code(), 0);

        let orders = self.shop.orders();
        for Customer(amount, _, end) in IN_TRAY {
            let fen: i64 = amount.replace('.', "").parse().unwrap();
            let (number, _) = orders.iter().find(|(_, order)| order["amount"] == fen).unwrap();
            assert!(self.was_told(end, number, amount), "{end} {amount}");
        }
        self.shop.assert_books_agree(true);
        let ledger = self.shop.ledger();
        let net: BTreeMap<i64, i64> =
            ledger.iter().map(|entry| (entry.amount.minor(), entry.net().minor())).collect();
        // The code that came too soon was never sent.
        assert_eq!(net, [(101, 101), (102, 102), (103, 0), (104, 104), (105, 0)].into());
        assert!(ledger.iter().all(|entry| entry.times_of(CallKind::Submit).count() == 1));
        // Those that were reversed have a slip, too.
        let mut all: Vec<String> = ledger.iter().map(|entry| entry.out_trade_no.clone()).collect();
        all.sort();
        assert_eq!(receipts(&self.shop), all, "one each");
    }
}

fn sit_down(shop: &TestShop) -> (TuiSession, Device) {
    let scanner = Socket::new(shop, "scanner").plug();
    let mut session = TuiSession::open(shop);
    session.see(&["Enter the amount.", "WeChat Pay ready", "Scanner ready"]);
    (session, scanner)
}

/// What has ended in the tray, if it is on the screen.
fn news(screen: &str) -> Option<String> {
    let row = screen.lines().find(|row| row.contains(HAS_NEWS))?;
    Some(row.trim_start().to_owned())
}

/// The row of the sheet with the order's number.
fn at_desk(screen: &str) -> Option<String> {
    let row = screen.lines().find(|row| row.trim_start().starts_with('│') && row.contains("order"));
    row.map(str::to_owned)
}

/// The order numbers on the receipts, sorted.
fn receipts(shop: &TestShop) -> Vec<String> {
    let paper = std::fs::read(shop.path().join("paper")).unwrap();
    let mut numbers = Vec::new();
    let mut rest = paper.as_slice();
    while let Some(end) = rest.windows(CUT.len()).position(|window| window == CUT) {
        let (slip, after) = rest.split_at(end + CUT.len());
        numbers.extend(Printout::read(slip).unwrap().barcodes().into_iter().map(str::to_owned));
        rest = after;
    }
    numbers.sort();
    numbers
}

#[test]
fn five_customers_overlap_and_each_has_an_end_of_its_own() {
    let mut desk = Desk::open();
    desk.crowd();
    desk.charge(&LOST);
    desk.session.see(&["CHECKING", "Ctrl-N  Next customer"]);
    desk.go_on();
    desk.check();
}

#[test]
fn killed_in_the_middle_of_the_crowd_it_comes_back_and_each_ends_as_it_should() {
    let mut desk = Desk::open();
    desk.crowd();
    desk.charge(&LOST);
    let is_at_the_bank = || desk.shop.ledger().iter().any(|entry| entry.amount.minor() == 104);
    desk.session.watch_until("it is at the bank", is_at_the_bank);
    desk.kill();
    let first = desk.session.screen();
    for sign in ["REVERSING", "￥1.05", "Open payments"] {
        assert!(first.contains(sign), "{sign}:\n{first}");
    }
    desk.check();
}
