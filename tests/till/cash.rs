//! Cash at the desk, sales that are paid in two ways, and shifts: the real binary with a drawer and a
//! printer on another line.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use crate::fixture::fake_printer::{FakePrinter, Skills};
use crate::fixture::tui_session::{CTRL_Q, Device, ESC, F6, F8, F9, Socket, TuiSession};
use crate::fixture::{DEVICES, PACE, PendingPayment, Ran, TestShop, code};
use crate::paper::Printout;

const OPENS: &[u8] = b"\x1bp";

pub(crate) struct Desk {
    pub(crate) shop: TestShop,
    pub(crate) session: TuiSession,
    pub(crate) scanner: Device,
    pub(crate) printer: FakePrinter,
    _socket: Socket,
}

impl Desk {
    fn open() -> Self {
        Self::of(TestShop::open(None, PACE), "en")
    }

    pub(crate) fn of(shop: TestShop, language: &str) -> Self {
        shop.configure(&DEVICES.replace("\"printer\"\n", "\"printer\"\ndrawer = \"pin2\"\n"));
        shop.reconfigure("language = \"en\"", &format!("language = \"{language}\""));
        let socket = Socket::new(&shop, "printer");
        let printer = socket.plug_printer(Skills::SYNC_POINT);
        let scanner = Socket::new(&shop, "scanner").plug();
        let session = TuiSession::open(&shop);
        Self { shop, session, scanner, printer, _socket: socket }
    }

    /// How often the drawer was opened.
    fn openings(&self) -> usize {
        self.printer.paper().windows(OPENS.len()).filter(|bytes| *bytes == OPENS).count()
    }

    pub(crate) fn drawer_opens(&mut self, times: usize) {
        let (printer, opens) = (&self.printer, OPENS);
        self.session.watch_until("the drawer", || {
            printer.paper().windows(opens.len()).filter(|bytes| *bytes == opens).count() == times
        });
    }

    pub(crate) fn leave(&mut self) {
        self.session.press(CTRL_Q);
        assert_eq!(self.session.wait_for_end().exit_code(), 0);
    }
}

pub(crate) fn json(shop: &TestShop, arguments: &[&str]) -> Value {
    let ran = Ran::of(shop.run(arguments));
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.last().clone()
}

pub(crate) fn minor(report: &Value, path: &str) -> i64 {
    report.pointer(path).and_then(Value::as_i64).unwrap_or_else(|| panic!("{path}: {report}"))
}

#[test]
fn a_sale_is_paid_in_cash_and_another_in_cash_and_by_code_over_a_kill() {
    let mut desk = Desk::open();
    desk.session.see(&["Enter the amount.", "Printer ready", "Scanner ready"]);
    desk.session.press("80");
    desk.session.press(F6);
    desk.session.see(&["Due: ￥80.00"]);
    assert_eq!(desk.openings(), 0, "nothing was taken");
    desk.session.press("100");
    desk.session.see(&["Change: ￥20.00"]);
    desk.session.answer("\r");
    desk.session.see(&["PAID", "Give ￥20.00 change"]);
    desk.drawer_opens(1);
    desk.session.answer("\r");
    // Fifty of eighty, and then the till is killed.
    desk.session.press("80");
    desk.session.press(F6);
    desk.session.see(&["Due: ￥80.00"]);
    desk.session.press("50");
    desk.session.answer("\r");
    desk.session.see(&["￥50.00 of ￥80.00 was taken in cash."]);
    desk.drawer_opens(2);
    desk.session.send(Signal::KILL);
    desk.session.wait_for_end();
    desk.scanner = Socket::new(&desk.shop, "scanner").plug();
    desk.session = TuiSession::open(&desk.shop);
    desk.session.see(&["￥50.00 of ￥80.00 was taken in cash.", "Scanner ready"]);
    desk.scanner.scan(&code("notenough", 1));
    desk.session.see(&["NOT PAID", "give the cash back"]);
    desk.scanner.scan(&code("ok", 2));
    desk.session.see(&["PAID", "Payment received."]);
    let receipts = |printer: &FakePrinter| Printout::read(&without_drawer(&printer.paper())).ok();
    desk.session.watch_until("one receipt of each", || {
        let is_paid = |all: Printout| all.lines().filter(|line| *line == "PAID").count() == 2;
        receipts(&desk.printer).is_some_and(is_paid)
    });
    desk.leave();
    let orders = desk.shop.orders();
    let paid: Vec<(&str, i64)> = orders
        .values()
        .filter(|order| order["state"] == "paid")
        .map(|order| (order["channel"].as_str().unwrap(), minor(order, "/amount")))
        .collect();
    assert_eq!(paid.iter().map(|(_, amount)| amount).sum::<i64>(), 16_000, "{paid:?}");
    assert!(paid.contains(&("micropay", 3000)) && paid.contains(&("cash", 5000)), "{paid:?}");
    let receipts = receipts(&desk.printer).unwrap();
    let printed = |line: &str| receipts.lines().filter(|all| all.starts_with(line)).count();
    assert_eq!(printed("PAID"), 2, "one of each sale, also over the kill");
    assert_eq!((printed("Given"), printed("Change"), printed("Left to pay")), (2, 2, 0));
    let whole = receipts.lines().filter(|line| line.ends_with("80.00")).count();
    assert_eq!(whole, 2, "each says the whole");
    desk.shop.assert_books_agree(false);
    let (number, _) = orders.iter().find(|(_, order)| order["channel"] == "cash").unwrap();
    let found = json(&desk.shop, &["find", number, "--ask", "--json"]);
    assert_eq!(
        (&found["verdict"], &found["verdict_reason"]["code"]),
        (&"paid".into(), &"cash".into())
    );
    let shown = json(&desk.shop, &["show", number, "--json"]);
    assert_eq!(shown["sale"]["tenders"][0]["channel"], "cash", "{shown}");
    let made = desk.shop.run(&["evidence", number, "--out", "cash.json"]);
    assert!(made.status.success(), "{made:?}");
    let proved = desk.shop.run(&["evidence", "--verify", "cash.json"]);
    assert!(proved.status.success(), "{proved:?}");
    let x = json(&desk.shop, &["shift", "--json"]);
    assert_eq!(minor(&x, "/by_tender/cash/amount"), 13_000);
    assert_eq!(minor(&x, "/sales/count"), 2);
}

#[test]
fn what_was_paid_in_cash_is_given_back_in_two_parts_and_each_has_its_slip() {
    let mut desk = Desk::open();
    desk.session.see(&["Enter the amount.", "Printer ready"]);
    desk.session.press("80");
    desk.session.press(F6);
    desk.session.see(&["Due: ￥80.00"]);
    TuiSession::pause();
    desk.session.answer("\r");
    desk.session.see(&["PAID"]);
    desk.drawer_opens(1);
    desk.session.press(F8);
    desk.session.see(&["How much goes back?", "￥80.00 can be refunded"]);
    desk.session.press("30");
    desk.session.answer("\r");
    desk.session.see(&["Customer changed their mind"]);
    desk.session.answer("\r");
    desk.session.see(&["Give ￥30.00 of order", "back in cash?"]);
    desk.session.answer(F8);
    desk.session.see(&["REFUNDED. Give it to the customer in cash."]);
    desk.drawer_opens(2);
    let has = |printer: &FakePrinter, times: usize, line: &str| {
        let printed = Printout::read(&without_drawer(&printer.paper()));
        printed.is_ok_and(|all| all.lines().filter(|all| all.contains(line)).count() == times)
    };
    let once = "The money was given back in cash.";
    desk.session.watch_until("its slip", || has(&desk.printer, 1, once));
    desk.session.press(F9);
    desk.session.watch_until("copies of both", || {
        has(&desk.printer, 2, once) && has(&desk.printer, 4, "COPY 1")
    });
    assert_eq!(desk.openings(), 2, "a copy opens nothing");
    desk.session.press(ESC);
    desk.leave();
    let (number, _) = desk.shop.orders().into_iter().next().unwrap();
    let refund = |amount: &str| {
        let arguments = ["refund", number.as_str(), amount, "--reason", "cold", "--json"];
        Ran::of(desk.shop.run(&arguments))
    };
    let more = refund("50.01");
    assert_eq!((more.exit, &more.last()["reason"]["code"]), (10, &"more_than_left".into()));
    let rest = refund("50");
    assert_eq!((rest.exit, &rest.last()["state"]), (0, &"done".into()), "{rest:?}");
    assert_eq!((rest.lines.len(), minor(rest.last(), "/refunded")), (1, 8000));
    assert!(has(&desk.printer, 3, once), "the command prints its slip, too");
    assert_eq!(refund("1").last()["reason"]["code"], "nothing_left");
    let made = desk.shop.run(&["evidence", &number, "--out", "cash.json"]);
    assert!(made.status.success(), "{made:?}");
    let proved = desk.shop.run(&["evidence", "--verify", "cash.json"]);
    assert!(proved.status.success(), "{proved:?}");
    let x = json(&desk.shop, &["shift", "--json"]);
    assert_eq!((minor(&x, "/cash/refunds"), minor(&x, "/cash/expected")), (8000, 0));
    let asked: usize = desk.shop.ledger().iter().map(|entry| entry.refund_calls.len()).sum();
    assert_eq!(asked, 0, "no gateway hears of it");
}

/// A printer emulator reads receipts; what opens the drawer is between them.
pub(crate) fn without_drawer(paper: &[u8]) -> Vec<u8> {
    let mut rest = paper;
    let mut receipts = Vec::new();
    while let Some((first, behind)) = rest.split_first() {
        if rest.starts_with(OPENS) {
            rest = &rest[5..];
        } else {
            receipts.push(*first);
            rest = behind;
        }
    }
    receipts
}

#[test]
fn what_is_unresolved_blocks_the_close_until_it_is_carried_over() {
    let shop = TestShop::open(None, PACE);
    let run = |arguments: &[&str]| {
        let ran = shop.run(arguments);
        let told = [ran.stdout, ran.stderr].concat();
        (ran.status.code().unwrap(), String::from_utf8(told).unwrap())
    };
    assert_eq!(run(&["shift", "open", "--float", "200", "--operator", "Anna"]).0, 0);
    let (exit, told) = run(&["shift", "open"]);
    assert!(exit == 2 && told.contains("A shift has been open since"), "{told}");
    assert_eq!(run(&["cash", "in", "50", "--reason", "=change"]).0, 0);
    assert_eq!(run(&["cash", "out", "20.5", "--reason", "stamps"]).0, 0);
    for wrong in [
        &["cash", "in", "0", "--reason", "x"][..],
        &["cash", "out", "-5", "--reason", "x"],
        &["cash", "out", "5", "--reason", " "],
        &["shift", "close"],
        &["shift", "close", "--counted", "much"],
        &["shift", "z", "1"],
    ] {
        assert_eq!(run(wrong).0, 2, "{wrong:?}");
    }
    drop(PendingPayment::start(&shop, "5", &code("walks-away", 1)));
    let number = shop.orders().into_keys().next().unwrap();
    let (exit, told) = run(&["shift", "close", "--counted", "229.5"]);
    assert!(exit == 12 && told.contains(&number), "{told}");
    let x = json(&shop, &["shift", "--json"]);
    assert_eq!((&x["z"], &x["unresolved"][0]), (&Value::Null, &number.as_str().into()));
    let z = json(&shop, &["shift", "close", "--counted", "229.5", "--carry", "--json"]);
    assert_eq!((minor(&z, "/z"), minor(&z, "/cash/difference")), (1, 0));
    assert_eq!((minor(&z, "/cash/in"), minor(&z, "/cash/out")), (5000, 2050));
    assert_eq!((&z["unresolved"][0], &z["operator"]), (&number.as_str().into(), &"Anna".into()));
    // A shift in which nothing happens closes, too, and numbers go on.
    assert_eq!(shop.recover().exit, 0);
    let empty = json(&shop, &["shift", "close", "--counted", "0", "--json"]);
    assert_eq!((minor(&empty, "/z"), minor(&empty, "/sales/count")), (2, 0));
    assert_eq!(json(&shop, &["shift", "z", "1", "--json"]), z, "it stays what it was");
    let (exit, told) = run(&["shift", "report", "today", "--csv", "day.csv"]);
    assert!(exit == 0 && told.contains("Z REPORT 1") && told.contains("Z REPORT 2"), "{told}");
    let csv = fs::read_to_string(shop.path().join("day.csv")).unwrap();
    assert!(csv.contains("movement,'=change,,50.00,CNY"), "{csv}");
    assert_eq!(run(&["shift", "report", "today", "--csv", "day.csv"]).0, 2, "nothing is replaced");
    // Beside a till that sells: whoever reads is let in, whoever writes is not.
    let _selling = PendingPayment::start(&shop, "5", &code("walks-away", 2));
    for (arguments, expected) in [
        (&["shift"][..], 0),
        (&["shift", "z", "1"], 0),
        (&["shift", "open"], 4),
        (&["shift", "close", "--counted", "0"], 4),
        (&["cash", "in", "1", "--reason", "x"], 4),
    ] {
        assert_eq!(run(arguments).0, expected, "{arguments:?}");
    }
}
