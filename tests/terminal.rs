//! The whole till as a cashier has it: the real binary in a pseudo-terminal, a scanner and a printer
//! on two more, and the simulated gateway behind it.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::iter::once;

use common::counter::{Counter, Device, Socket};
use common::paper::{CUT, Receipt};
use common::{PACE, Ran, Shop};
use paytill::clock::Millis;
use paytill::payment::CallKind;
use paytill::simulator::Scenario;
use paytill_host::clock::Clock;
use rustix::process::Signal;

/// Slow enough that no query is skipped because the machine is busy.
const WALK: u32 = 5;
const ESC: &str = "\x1b";
const DOWN: &str = "\x1b[B";
const CTRL_L: &str = "\x0c";
const CTRL_Q: &str = "\x11";
const SERIAL_SCANNER: &str = "[scanner]\nkind = \"serial\"\nport = \"scanner\"\n";
const SERIAL_PRINTER: &str = "[printer]\nkind = \"escpos-serial\"\nport = \"printer\"\n";
const ASKS_FOR_CODE: &[&str] = &["READY", "Scan the customer's payment code."];
const IS_PAID: &[&str] = &["PAID", "Payment received."];
const IS_WAITING: &[&str] = &["WAITING FOR CUSTOMER", "The customer is entering the password"];
const IS_REVERSING: &[&str] = &["REVERSING", "The payment is being reversed."];
const IS_REVERSED: &[&str] = &["REVERSED", "The customer was not charged."];

/// A shop where every payment code says what its customer does.
fn shop(pace: u32) -> Shop {
    let shop = Shop::open(None, pace);
    shop.configure(SERIAL_SCANNER);
    shop
}

/// The till in its window, and its scanner, ready.
fn open(shop: &Shop) -> (Counter, Device) {
    let scanner = Socket::new(shop, "scanner").plug();
    let mut counter = Counter::open(shop);
    counter.see(&["Enter the amount.", "WeChat Pay ready", "Scanner ready"]);
    (counter, scanner)
}

/// The payment code of a customer who does this.
fn code(scenario: &str, serial: u64) -> String {
    Scenario::from_name(scenario).unwrap().code(serial)
}

/// Types an amount and scans a customer's code.
fn charge(counter: &mut Counter, scanner: &mut Device, scenario: &str) {
    counter.press("12.34\r");
    counter.see(ASKS_FOR_CODE);
    scanner.scan(&code(scenario, 1));
}

/// Leaves an idle till, settles what may be left, and compares the books.
fn close(shop: &Shop, mut counter: Counter) {
    counter.press(CTRL_Q);
    assert_eq!(counter.wait_for_end().exit_code(), 0);
    assert!(counter.is_given_back(), "{}", counter.screen());
    let recovered = shop.recover();
    assert_eq!(recovered.exit, 0, "{recovered:?}");
    shop.assert_books_agree(true);
}

/// The last six digits of the only order's number.
fn tail(shop: &Shop) -> String {
    let orders = shop.orders();
    assert_eq!(orders.len(), 1, "{orders:?}");
    let number = orders.keys().next().unwrap();
    number[number.len() - 6..].to_owned()
}

/// What the bank was asked about the only order, each with the bank's time since the till wrote the
/// order down. The till's own time began no sooner: a slow machine makes these times later only.
fn calls(shop: &Shop) -> Vec<(CallKind, Millis)> {
    let order = shop.orders().into_values().next().unwrap();
    let created: jiff::Timestamp = order["created_at"].as_str().unwrap().parse().unwrap();
    let now = shop.server.now();
    let ago = Clock::start().wall().0 - created.as_millisecond();
    let created = now.minus(Millis(u64::try_from(ago).unwrap()).times(shop.pace.into()));
    let ledger = shop.ledger();
    assert_eq!(ledger.len(), 1, "{ledger:?}");
    ledger[0].calls.iter().map(|(kind, at)| (*kind, at.minus(created))).collect()
}

/// Not before so many seconds, but for what clocks cut off.
fn is_due(at: Millis, seconds: u64) -> bool {
    at.plus(Millis(100)) >= Millis::seconds(seconds)
}

fn sells_and_prints(shop: &Shop, receipt: &Receipt) {
    let ledger = shop.ledger();
    assert_eq!(ledger.len(), 1);
    assert_eq!(ledger[0].net().minor(), 1234);
    assert_eq!(receipt.barcodes, [ledger[0].out_trade_no.clone()]);
    assert_eq!(receipt.qr_codes, [ledger[0].transaction_id.clone()]);
    assert_eq!(receipt.cuts, 1);
}

#[test]
fn a_sale_from_the_amount_to_the_receipt() {
    let shop = Shop::open(None, PACE);
    let receipt = "[receipt]\nheader = [\"Corner Coffee\", \"No. 1 Example Road\"]\n\
                   footer = [\"Thank you\"]\n";
    shop.configure(&[SERIAL_SCANNER, SERIAL_PRINTER, receipt].concat());
    let mut printer = Socket::new(&shop, "printer").plug();
    let (mut counter, mut scanner) = open(&shop);
    counter.see(&["Printer ready"]);
    charge(&mut counter, &mut scanner, "ok");
    counter.see(IS_PAID);
    let transaction = &shop.ledger()[0].transaction_id;
    counter.see(&[&format!("transaction {}", &transaction[transaction.len() - 8..])]);
    let receipt = Receipt::print(&printer.take_until(CUT));
    sells_and_prints(&shop, &receipt);
    for line in ["Corner Coffee", "No. 1 Example Road", "￥12.34", "PAID", "Thank you"] {
        assert!(receipt.has(line), "{line}: {receipt:?}");
    }
    counter.see(&["The receipt was sent to the printer."]);
    close(&shop, counter);
}

#[test]
fn the_same_sale_in_chinese() {
    let shop = Shop::open(None, PACE);
    let receipt =
        "[receipt]\nheader = [\"幸福超市\", \"示范路１号\"]\nfooter = [\"谢谢惠顾，欢迎再来！\"]\n";
    shop.configure(&[SERIAL_SCANNER, SERIAL_PRINTER, receipt].concat());
    let config = std::fs::read_to_string(shop.config()).unwrap();
    let config = config.replace("language = \"en\"", "language = \"zh-CN\"");
    std::fs::write(shop.config(), config.replace("Corner Coffee", "幸福超市南门店")).unwrap();
    let mut printer = Socket::new(&shop, "printer").plug();
    let mut scanner = Socket::new(&shop, "scanner").plug();
    let mut counter = Counter::open(&shop);
    counter.see(&["幸福超市南门店", "请输入金额。", "微信支付 就绪", "扫码枪 就绪", "打印机 就绪"]);
    counter.press("12.34\r");
    counter.see(&["待支付", "请扫顾客的付款码。"]);
    scanner.scan(&code("password", 1));
    counter.see(&["等待顾客输入密码", "顾客正在手机上输入密码。"]);
    counter.see(&["支付成功", "已收款。", "请把商品交给顾客。"]);
    let receipt = Receipt::print(&printer.take_until(CUT));
    sells_and_prints(&shop, &receipt);
    for line in
        ["幸福超市", "示范路１号", "收款小票", "￥12.34", "支付成功", "谢谢惠顾，欢迎再来！"]
    {
        assert!(receipt.has(line), "{line}: {receipt:?}");
    }
    for (name, value) in [("门店", "幸福超市南门店"), ("收银机", "T01"), ("支付方式", "微信支付")]
    {
        let stands = |line: &String| line.starts_with(name) && line.ends_with(value);
        assert!(receipt.lines.iter().any(stands), "{name} {value}: {receipt:?}");
    }
    close(&shop, counter);
}

#[test]
fn a_customer_who_types_a_password_is_waited_for() {
    let shop = shop(PACE);
    let (mut counter, mut scanner) = open(&shop);
    charge(&mut counter, &mut scanner, "password");
    counter.see(IS_WAITING);
    counter.see(IS_PAID);
    close(&shop, counter);
}

#[test]
fn a_customer_who_walks_away_is_asked_about_every_5_seconds_and_withdrawn_after_30() {
    let shop = shop(WALK);
    let (mut counter, mut scanner) = open(&shop);
    charge(&mut counter, &mut scanner, "walks-away");
    counter.see(IS_WAITING);
    counter.see(IS_REVERSING);
    counter.see(IS_REVERSED);
    let calls = calls(&shop);
    let kinds: Vec<_> = calls.iter().map(|(kind, _)| *kind).collect();
    let expected = once(CallKind::Submit)
        .chain([CallKind::Query; 6])
        .chain([CallKind::Reverse, CallKind::Query]);
    assert_eq!(kinds, expected.collect::<Vec<_>>(), "{calls:?}");
    for (query, seconds) in (1..=6).zip([5, 10, 15, 20, 25, 30]) {
        assert!(is_due(calls[query].1, seconds), "{calls:?}");
    }
    close(&shop, counter);
}

#[test]
fn a_cashier_gives_up_after_3_seconds_and_the_reversal_is_held_back_until_15() {
    let shop = shop(WALK);
    let (mut counter, mut scanner) = open(&shop);
    charge(&mut counter, &mut scanner, "walks-away");
    counter.see(IS_WAITING);
    let submitted = shop.ledger()[0].times_of(CallKind::Submit).next().unwrap();
    let three_seconds_later = submitted.plus(Millis::seconds(3));
    counter.watch_until("three seconds", || shop.server.now() >= three_seconds_later);
    counter.press(ESC);
    counter.see(&["WAITING FOR CUSTOMER", "Cancel this payment?"]);
    counter.press("\r");
    counter.see(&["REVERSING", "The cashier cancelled the payment.", "reverses in"]);
    counter.see(IS_REVERSED);
    let calls = calls(&shop);
    let reversal = calls.iter().position(|(kind, _)| *kind == CallKind::Reverse).unwrap();
    assert!(is_due(calls[reversal].1, 15), "{calls:?}");
    let late = calls[..reversal].iter().filter(|(_, at)| is_due(*at, 15));
    let late: Vec<_> = late.map(|(kind, _)| *kind).collect();
    assert_eq!(late, [CallKind::Query], "one look just before: {calls:?}");
    let after: Vec<_> = calls[reversal..].iter().map(|(kind, _)| *kind).collect();
    assert_eq!(after, [CallKind::Reverse, CallKind::Query], "{calls:?}");
    close(&shop, counter);
}

#[test]
fn what_is_no_payment_code_is_named_and_nothing_is_sent() {
    let shop = shop(PACE);
    let (mut counter, mut scanner) = open(&shop);
    let strangers = [
        ("6901234567892", "product barcode (6901234567892)"),
        ("281234567890123456", "an Alipay code"),
        ("T01261122113000123456", "our own receipt, order 123456"),
        ("https://qr.alipay.com/fkx123", "for receiving money"),
        ("half a co", "The scan could not be read."),
    ];
    for at_the_code in [false, true] {
        if at_the_code {
            counter.press("12.34\r");
            counter.see(ASKS_FOR_CODE);
        }
        let instead =
            if at_the_code { "Scan the customer's WeChat" } else { "Enter the amount first" };
        for (scanned, name) in strangers {
            scanner.scan(scanned);
            counter.see(&[name, "Nothing was sent.", instead]);
        }
    }
    assert!(shop.ledger().is_empty() && shop.orders().is_empty());
    scanner.scan(&code("ok", 1));
    counter.see(IS_PAID);
    close(&shop, counter);
}

#[test]
fn a_code_scanned_while_a_payment_is_open_is_refused_and_does_not_wait() {
    let shop = shop(WALK);
    let (mut counter, mut scanner) = open(&shop);
    charge(&mut counter, &mut scanner, "walks-away");
    counter.see(IS_WAITING);
    scanner.scan(&code("ok", 2));
    counter.see(&["That was a WeChat payment code.", "Finish the payment on the screen first."]);
    // Here the till would take a code again.
    counter.see(IS_REVERSED);
    counter.press("\r");
    counter.see(&["Enter the amount."]);
    assert_eq!(shop.ledger().len(), 1);
    close(&shop, counter);
}

#[test]
fn a_burst_of_keys_is_a_scan_and_everything_else_is_typed() {
    let shop = shop(PACE);
    let (mut counter, _scanner) = open(&shop);
    counter.burst("55555");
    counter.press("\r");
    counter.see(&["Charge ￥55,555.00?"]);
    counter.press(ESC);
    counter.see_that("the question goes", |screen| !screen.contains("Charge ￥"));
    counter.press(ESC);
    counter.see(&["Enter the amount."]);
    counter.burst("111111111111");
    counter.see(&["The limit for one sale is"]);
    counter.press(ESC);
    counter.see(&["Enter the amount."]);
    counter.burst(&format!("{}\r", code("ok", 1)));
    counter.see(&["That was a WeChat payment code.", "Enter the amount first"]);
    assert!(shop.ledger().is_empty() && shop.orders().is_empty());
    counter.press("12.34\r");
    counter.see(ASKS_FOR_CODE);
    counter.burst(&format!("{}\r", code("password", 2)));
    counter.see(IS_PAID);
    close(&shop, counter);
}

/// A machine that is slow to draw must not take the middle of a scan for its end.
#[test]
fn bursts_that_queue_up_are_still_scans() {
    let shop = shop(PACE);
    let (mut counter, _scanner) = open(&shop);
    counter.burst(&"6901234567892\r".repeat(60));
    counter.burst("4006381333931\r");
    counter.see(&["product barcode (4006381333931)", "Enter the amount."]);
    let tape = counter.tape();
    assert!(!tape.contains("did not end with Enter"), "a scan was torn");
    close(&shop, counter);
}

#[test]
fn a_scanner_that_comes_back_elsewhere_works_again() {
    let shop = shop(PACE);
    let socket = Socket::new(&shop, "scanner");
    let (mut counter, scanner) = open(&shop);
    drop(scanner);
    counter.see(&["Scanner searching"]);
    let mut scanner = socket.plug();
    counter.see(&["Scanner ready"]);
    charge(&mut counter, &mut scanner, "ok");
    counter.see(IS_PAID);
    close(&shop, counter);
}

#[test]
fn a_printer_that_takes_nothing_stops_no_sale() {
    let shop = Shop::open(None, PACE);
    // So long that it does not fit where the system may still find room.
    let long = format!("[receipt]\nheader = {:?}\ncopies = 3\n", vec!["long ".repeat(19); 20]);
    shop.configure(&[SERIAL_SCANNER, SERIAL_PRINTER, &long].concat());
    let mut printer = Socket::new(&shop, "printer").plug_to_jam();
    let (mut counter, mut scanner) = open(&shop);
    counter.see(&["Printer ready"]);
    printer.jam();
    for customer in ["password-1", "password-2", "password-3"] {
        charge(&mut counter, &mut scanner, customer);
        counter.see(IS_PAID);
        if customer == "password-2" {
            counter.see(&["Printer fault"]);
            counter.press(CTRL_L);
            counter.see(&["支付成功", "打印机 故障"]);
            counter.press(CTRL_L);
            counter.see(IS_PAID);
        }
        counter.press("\r");
        counter.see(&["Enter the amount."]);
    }
    close(&shop, counter);
}

/// Starts again after a `SIGKILL`; the customer meanwhile does what they do.
fn killed_and_started_again(scenario: &str, end: &str) {
    let shop = shop(WALK);
    let (mut counter, mut scanner) = open(&shop);
    charge(&mut counter, &mut scanner, scenario);
    counter.see(IS_WAITING);
    counter.send(Signal::KILL);
    counter.wait_for_end();
    let order = format!("order {}", tail(&shop));
    let mut counter = Counter::open(&shop);
    counter.see(&["Enter the amount."]);
    let first = counter.screen();
    assert!(first.contains(&order) && first.contains("￥12.34"), "not pinned:\n{first}");
    let ended = format!("{end}   ￥12.34   {order}");
    counter.see(&[&ended, "Enter: OK"]);
    counter.press("\r");
    counter.see_that("the notice goes", |screen| !screen.contains("Enter: OK"));
    close(&shop, counter);
}

#[test]
fn an_open_payment_is_on_the_first_screen_after_a_crash_and_ends_by_itself() {
    killed_and_started_again("password-12", "PAID");
    killed_and_started_again("walks-away", "REVERSED");
}

#[test]
fn signals_end_the_till_and_give_the_terminal_back() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        for is_waiting in [false, true] {
            let story = format!("{signal:?} {is_waiting}");
            let shop = shop(WALK);
            let (mut counter, mut scanner) = open(&shop);
            assert!(!counter.is_given_back());
            if is_waiting {
                charge(&mut counter, &mut scanner, "walks-away");
                counter.see(IS_WAITING);
            }
            counter.send(signal);
            let status = counter.wait_for_end();
            // What is open needs somebody to start the till again.
            let expected = if is_waiting { 12 } else { 0 };
            assert_eq!((status.exit_code(), status.signal()), (expected, None), "{story}");
            assert!(counter.is_given_back(), "{story}");
            let tape = counter.tape();
            for last in ["\x1b[?1049l", "\x1b[?25h"] {
                assert!(tape.rfind(last) > tape.rfind("\x1b[?1049h"), "{story}: {last:?}");
            }
            assert_eq!(shop.orders().len(), usize::from(is_waiting), "{story}");
        }
    }
}

#[test]
fn one_till_holds_the_journal_and_others_may_read_it() {
    let shop = shop(WALK);
    let (mut counter, mut scanner) = open(&shop);
    charge(&mut counter, &mut scanner, "walks-away");
    counter.see(IS_WAITING);
    let mut second = Counter::open(&shop);
    assert_eq!(second.wait_for_end().exit_code(), 4);
    assert!(!second.tape().contains("\x1b[?1049h") && !second.screen().is_empty());
    let pay = Ran::of(shop.run(&["pay", "1.00", "--code", &code("ok", 2), "--json"]));
    assert_eq!((pay.exit, pay.lines.len()), (4, 0), "{}", pay.errors);
    let orders = shop.orders();
    assert_eq!(orders.len(), 1);
    assert!(orders.values().all(|order| order["amount"] == 1234), "{orders:?}");
    counter.see(IS_REVERSED);
    close(&shop, counter);
}

#[test]
fn a_gateway_that_comes_back_is_told_though_nobody_sells() {
    let mut shop = shop(WALK);
    let address = shop.close_gateway();
    let mut counter = Counter::open(&shop);
    counter.see(&["Enter the amount.", "WeChat Pay fault"]);
    shop.open_gateway(address);
    counter.see(&["WeChat Pay ready"]);
    counter.press(CTRL_Q);
    assert_eq!(counter.wait_for_end().exit_code(), 0);
}

#[test]
fn a_window_that_is_too_small_still_shows_the_open_payment() {
    let shop = shop(1);
    let (mut counter, mut scanner) = open(&shop);
    charge(&mut counter, &mut scanner, "walks-away");
    counter.see(IS_WAITING);
    let begins = |lines: Vec<&'static str>| {
        move |screen: &str| screen.lines().map(str::trim_end).take(lines.len()).eq(lines.clone())
    };
    counter.resize(40, 10);
    counter.see_that("40x10", begins(vec!["WAITING FOR CUSTOMER", "￥12.34"]));
    counter.see(&["Window too small"]);
    counter.resize(10, 3);
    counter.see_that("10x3", begins(vec!["WAITING", "FOR", "CUSTOMER"]));
    counter.resize(10, 2);
    counter.see_that("10x2", begins(vec!["WAITING FO", "R CUSTOMER"]));
    counter.resize(80, 24);
    counter.see(IS_WAITING);
    counter.see(&["Scanner ready", "Stop waiting", "Quit"]);
    counter.press(CTRL_Q);
    counter.see(&["A payment is still open. Quit anyway?"]);
    counter.press("\r");
    assert_eq!(counter.wait_for_end().exit_code(), 0);
    assert!(counter.is_given_back());
}

#[test]
fn a_sale_put_aside_is_charged_again_and_the_first_attempt_is_withdrawn() {
    let shop = shop(2);
    let (mut counter, mut scanner) = open(&shop);
    charge(&mut counter, &mut scanner, "walks-away");
    counter.see(IS_WAITING);
    let first = tail(&shop);
    counter.press(ESC);
    counter.see(&["Cancel this payment?"]);
    counter.press("\r");
    counter.see(IS_REVERSING);
    counter.press("\r");
    counter.see(&["What next?", "> Next customer"]);
    counter.press(DOWN);
    counter.see(&["> Charge this sale again with a new code"]);
    counter.press("\r");
    counter.see(ASKS_FOR_CODE);
    counter.see(&["The same sale is charged again", "￥12.34"]);
    // No customer is as quick as this test: the decision is on disk before the next code is shown.
    let number = shop.orders().keys().next().unwrap().clone();
    let is_aside = || {
        let shown = shop.run(&["show", &number, "--json"]).stdout;
        String::from_utf8_lossy(&shown).contains("put aside by the cashier")
    };
    counter.watch_until("the decision in the journal", is_aside);
    scanner.scan(&code("ok", 2));
    counter.see(IS_PAID);
    counter.see(&[&format!("REVERSED   ￥12.34   order {first}"), "Enter: OK"]);
    let ledger = shop.ledger();
    let net: Vec<_> = ledger.iter().map(|entry| entry.net().minor()).collect();
    assert_eq!(net, [0, 1234], "{ledger:?}");
    close(&shop, counter);
}

#[test]
fn a_sale_that_was_not_paid_is_charged_again_under_a_new_number() {
    let shop = shop(PACE);
    let (mut counter, mut scanner) = open(&shop);
    charge(&mut counter, &mut scanner, "notenough");
    counter.see(&["NOT PAID", "Not enough balance. No money moved."]);
    scanner.scan(&code("password", 2));
    counter.see(IS_PAID);
    let ledger = shop.ledger();
    let sums: Vec<_> =
        ledger.iter().map(|entry| (entry.amount.minor(), entry.net().minor())).collect();
    assert_eq!(sums, [(1234, 0), (1234, 1234)], "{ledger:?}");
    counter.see_that("the first number is closed", |screen| {
        !screen.lines().any(|line| line.trim_start().starts_with("NOT PAID"))
    });
    close(&shop, counter);
}

#[test]
fn a_terminal_that_hangs_holds_up_no_payment() {
    let shop = shop(PACE);
    let (mut counter, mut scanner) = open(&shop);
    counter.press("12.34");
    counter.press("\r");
    counter.see(&["READY"]);
    let window = counter.window();
    let frozen = window.lock().unwrap();
    // Whole frames, until nothing more goes into the terminal.
    for _ in 0..60 {
        counter.burst("\x0c");
    }
    scanner.scan(&code("walks-away", 1));
    let ended = || shop.orders().values().any(|order| order["state"] == "reversed");
    counter.watch_until("the end of the payment", ended);
    drop(frozen);
    counter.see(&["REVERSED"]);
    close(&shop, counter);
}
