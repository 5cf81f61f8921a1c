//! The whole till as a cashier uses it: the real binary in a pseudo-terminal, a scanner and a
//! printer on two more, and the simulated gateway behind it.

mod scans;

use std::iter::once;
use std::time::Duration;

use crate::fixture::tui_session::{CTRL_L, CTRL_Q, DOWN, Device, ESC, Socket, TuiSession};
use crate::fixture::{PACE, Ran, SERIAL_PRINTER, SERIAL_SCANNER, TestShop, code};
use crate::paper::{CUT, Printout};
use paytill::clock::Millis;
use paytill::payment::CallKind;
use paytill_host::clock::Clock;
use rustix::process::Signal;

/// Slow enough that a busy machine skips no query.
const WALK: u32 = 5;
/// Longer than the silence that ends a scan.
const BETWEEN_SCANS: Duration = Duration::from_millis(150);
/// How long a line may hold back the rest of a key.
const HELD_BACK: Duration = Duration::from_millis(450);
const ASKS_FOR_CODE: &[&str] = &["READY", "Scan the customer's payment code."];
const IS_PAID: &[&str] = &["PAID", "Payment received."];
const IS_WAITING: &[&str] = &["WAITING FOR CUSTOMER", "The customer is entering the password"];
const IS_REVERSING: &[&str] = &["REVERSING", "The payment is being reversed."];
const IS_REVERSED: &[&str] = &["REVERSED", "The customer was not charged."];

/// A shop where each payment code selects its customer's behaviour.
fn shop(pace: u32) -> TestShop {
    let shop = TestShop::open(None, pace);
    shop.configure(SERIAL_SCANNER);
    shop
}

/// A till in its window with its scanner, ready to sell.
fn open(shop: &TestShop) -> (TuiSession, Device) {
    let scanner = Socket::new(shop, "scanner").plug();
    let mut session = TuiSession::open(shop);
    session.see(&["Enter the amount.", "WeChat Pay ready", "Scanner ready"]);
    (session, scanner)
}

/// Types an amount and scans a customer's code.
fn charge(session: &mut TuiSession, scanner: &mut Device, scenario: &str) {
    session.press("12.34\r");
    session.see(ASKS_FOR_CODE);
    scanner.scan(&code(scenario, 1));
}

/// Quits an idle till, recovers what may be left, and compares the books.
fn close(shop: &TestShop, mut session: TuiSession) {
    session.press(CTRL_Q);
    assert_eq!(session.wait_for_end().exit_code(), 0);
    assert!(session.is_given_back(), "{}", session.screen());
    let recovered = shop.recover();
    assert_eq!(recovered.exit, 0, "{recovered:?}");
    shop.assert_books_agree(true);
}

/// The last six digits of the only order's number.
fn tail(shop: &TestShop) -> String {
    let orders = shop.orders();
    assert_eq!(orders.len(), 1, "{orders:?}");
    let number = orders.keys().next().unwrap();
    number[number.len() - 6..].to_owned()
}

/// The calls to the bank about the only order, each with the bank's time since the till recorded
/// it. The till's own time did not begin earlier, so a slow machine can only make these times
/// later.
fn calls(shop: &TestShop) -> Vec<(CallKind, Millis)> {
    let order = shop.orders().into_values().next().unwrap();
    let created: jiff::Timestamp = order["created_at"].as_str().unwrap().parse().unwrap();
    let now = shop.server.now();
    let ago = Clock::start().wall().0 - created.as_millisecond();
    let created = now.minus(Millis(u64::try_from(ago).unwrap()).times(shop.pace.into()));
    let ledger = shop.ledger();
    assert_eq!(ledger.len(), 1, "{ledger:?}");
    ledger[0].calls.iter().map(|(kind, at)| (*kind, at.minus(created))).collect()
}

/// Whether this many seconds have passed, allowing for rounding by the clocks.
fn is_due(at: Millis, seconds: u64) -> bool {
    at.plus(Millis(100)) >= Millis::seconds(seconds)
}

fn sells_and_prints(shop: &TestShop, receipt: &Printout) {
    let ledger = shop.ledger();
    assert_eq!(ledger.len(), 1);
    assert_eq!(ledger[0].net().minor(), 1234);
    assert_eq!(receipt.barcodes(), [ledger[0].out_trade_no.clone()]);
    assert_eq!(receipt.qr_codes(), [ledger[0].transaction_id.clone()]);
    assert_eq!(receipt.cuts(), 1);
}

#[test]
fn a_sale_from_the_amount_to_the_receipt() {
    let shop = TestShop::open(None, PACE);
    let receipt = "[receipt]\nheader = [\"Corner Coffee\", \"No. 1 Example Road\"]\n\
                   footer = [\"Thank you\"]\n";
    shop.configure(&[SERIAL_SCANNER, SERIAL_PRINTER, receipt].concat());
    let mut printer = Socket::new(&shop, "printer").plug();
    let (mut session, mut scanner) = open(&shop);
    session.see(&["Printer ready"]);
    charge(&mut session, &mut scanner, "ok");
    session.see(IS_PAID);
    let transaction = &shop.ledger()[0].transaction_id;
    session.see(&[&format!("transaction {}", &transaction[transaction.len() - 8..])]);
    let receipt = Printout::read(&printer.take_until(CUT)).unwrap();
    sells_and_prints(&shop, &receipt);
    for line in ["Corner Coffee", "No. 1 Example Road", "CNY 12.34", "PAID", "Thank you"] {
        assert!(receipt.has(line), "{line}: {receipt:?}");
    }
    session.see(&["The receipt was sent to the printer."]);
    close(&shop, session);
}

#[test]
fn the_same_sale_in_chinese() {
    let shop = TestShop::open(None, PACE);
    let receipt =
        "[receipt]\nheader = [\"幸福超市\", \"示范路１号\"]\nfooter = [\"谢谢惠顾，欢迎再来！\"]\n";
    shop.configure(&[SERIAL_SCANNER, SERIAL_PRINTER, receipt].concat());
    let config = std::fs::read_to_string(shop.config()).unwrap();
    let config = config.replace("language = \"en\"", "language = \"zh-CN\"");
    std::fs::write(shop.config(), config.replace("Corner Coffee", "幸福超市南门店")).unwrap();
    let mut printer = Socket::new(&shop, "printer").plug();
    let mut scanner = Socket::new(&shop, "scanner").plug();
    let mut session = TuiSession::open(&shop);
    session.see(&["幸福超市南门店", "请输入金额。", "微信支付 就绪", "扫码枪 就绪", "打印机 就绪"]);
    session.press("12.34\r");
    session.see(&["待支付", "请扫顾客的付款码。"]);
    scanner.scan(&code("password", 1));
    session.see(&["等待顾客输入密码", "顾客正在手机上输入密码。"]);
    session.see(&["支付成功", "已收款。", "请把商品交给顾客。"]);
    let receipt = Printout::read(&printer.take_until(CUT)).unwrap();
    sells_and_prints(&shop, &receipt);
    for line in
        ["幸福超市", "示范路１号", "收款小票", "￥12.34", "支付成功", "谢谢惠顾，欢迎再来！"]
    {
        assert!(receipt.has(line), "{line}: {receipt:?}");
    }
    for (name, value) in [("门店", "幸福超市南门店"), ("收银机", "T01"), ("支付方式", "微信支付")]
    {
        let stands = |line: &str| line.starts_with(name) && line.ends_with(value);
        assert!(receipt.lines().any(stands), "{name} {value}: {receipt:?}");
    }
    close(&shop, session);
}

#[test]
fn a_customer_who_types_a_password_is_waited_for() {
    let shop = shop(PACE);
    let (mut session, mut scanner) = open(&shop);
    charge(&mut session, &mut scanner, "password");
    session.see(IS_WAITING);
    session.see(IS_PAID);
    close(&shop, session);
}

#[test]
fn a_payment_that_nobody_confirms_is_queried_every_5_seconds_and_reversed_after_30() {
    let shop = shop(WALK);
    let (mut session, mut scanner) = open(&shop);
    charge(&mut session, &mut scanner, "walks-away");
    session.see(IS_WAITING);
    session.see(IS_REVERSING);
    session.see(IS_REVERSED);
    let calls = calls(&shop);
    let kinds: Vec<_> = calls.iter().map(|(kind, _)| *kind).collect();
    let expected = once(CallKind::Submit)
        .chain([CallKind::Query; 6])
        .chain([CallKind::Reverse, CallKind::Query]);
    assert_eq!(kinds, expected.collect::<Vec<_>>(), "{calls:?}");
    for (query, seconds) in (1..=6).zip([5, 10, 15, 20, 25, 30]) {
        assert!(is_due(calls[query].1, seconds), "{calls:?}");
    }
    close(&shop, session);
}

#[test]
fn a_cashier_cancels_after_3_seconds_and_the_reversal_is_held_back_until_15() {
    // Slow enough for the look at the question.
    let shop = shop(2);
    let (mut session, mut scanner) = open(&shop);
    charge(&mut session, &mut scanner, "walks-away");
    session.see(IS_WAITING);
    let submitted = shop.ledger()[0].times_of(CallKind::Submit).next().unwrap();
    let three_seconds_later = submitted.plus(Millis::seconds(3));
    session.watch_until("three seconds", || shop.server.now() >= three_seconds_later);
    session.press(ESC);
    session.see(&["WAITING FOR CUSTOMER", "Cancel this payment?"]);
    session.answer("\r");
    session.see(&["REVERSING", "The cashier cancelled the payment.", "reverses in"]);
    session.see(IS_REVERSED);
    let calls = calls(&shop);
    let reversal = calls.iter().position(|(kind, _)| *kind == CallKind::Reverse).unwrap();
    assert!(is_due(calls[reversal].1, 15), "{calls:?}");
    let late = calls[..reversal].iter().filter(|(_, at)| is_due(*at, 15));
    let late: Vec<_> = late.map(|(kind, _)| *kind).collect();
    assert_eq!(late, [CallKind::Query], "one look just before: {calls:?}");
    let after: Vec<_> = calls[reversal..].iter().map(|(kind, _)| *kind).collect();
    assert_eq!(after, [CallKind::Reverse, CallKind::Query], "{calls:?}");
    close(&shop, session);
}

#[test]
fn what_is_no_payment_code_is_named_and_nothing_is_sent() {
    let shop = shop(PACE);
    let (mut session, mut scanner) = open(&shop);
    let strangers = [
        ("6901234567892", "product barcode (6901234567892)"),
        ("281234567890123456", "an Alipay code"),
        ("T01261122113000123456", "our own receipt, order 123456"),
        ("https://qr.alipay.com/fkx123", "for receiving money"),
        ("half a co", "The scan could not be read."),
    ];
    for at_the_code in [false, true] {
        if at_the_code {
            session.press("12.34\r");
            session.see(ASKS_FOR_CODE);
        }
        let instead =
            if at_the_code { "Scan the customer's WeChat" } else { "Enter the amount first" };
        for (scanned, name) in strangers {
            scanner.scan(scanned);
            session.see(&[name, "Nothing was sent.", instead]);
        }
    }
    assert!(shop.ledger().is_empty() && shop.orders().is_empty());
    scanner.scan(&code("ok", 1));
    session.see(IS_PAID);
    close(&shop, session);
}

#[test]
fn a_code_scanned_while_a_payment_is_open_is_refused_and_does_not_wait() {
    let shop = shop(WALK);
    let (mut session, mut scanner) = open(&shop);
    charge(&mut session, &mut scanner, "walks-away");
    session.see(IS_WAITING);
    scanner.scan(&code("ok", 2));
    session.see(&["That was a WeChat payment code.", "Finish the payment on the screen first, or"]);
    // The till would accept a code again now.
    session.see(IS_REVERSED);
    session.press("\r");
    session.see(&["Enter the amount."]);
    assert_eq!(shop.ledger().len(), 1);
    close(&shop, session);
}

/// What scanners type, `C` being a code that would be paid, and keys that a line may cut.
const INPUTS: [&str; 12] = [
    "6901234567892\r",
    "\x1b0.01\rC\r",
    "123456789012712\r",
    "0.01\rC\r",
    "\x1b[20~",
    "25100102C\r",
    "1\r2\r",
    "https://qr.alipay.com/fkx123\r",
    "6901234567892",
    // A lone Enter or Ctrl-Q in front of a pause is what it is, and changes some screens.
    "\r6901234567892\r",
    "6901234567892\r\r",
    "\x11\r",
];
/// How many of them no screen answers to.
const HARMLESS: usize = 9;
const PAUSES: [u64; 8] = [1, 51, 80, 105, 300, 500, 552, 600];

#[test]
fn a_scanner_that_comes_back_elsewhere_works_again() {
    let shop = shop(PACE);
    let socket = Socket::new(&shop, "scanner");
    let (mut session, scanner) = open(&shop);
    drop(scanner);
    session.see(&["Scanner searching"]);
    let mut scanner = socket.plug();
    session.see(&["Scanner ready"]);
    charge(&mut session, &mut scanner, "ok");
    session.see(IS_PAID);
    close(&shop, session);
}

#[test]
fn a_printer_that_takes_nothing_stops_no_sale() {
    let shop = TestShop::open(None, PACE);
    // Too long for the buffers of the system.
    let long = format!("[receipt]\nheader = {:?}\ncopies = 3\n", vec!["long ".repeat(19); 20]);
    shop.configure(&[SERIAL_SCANNER, SERIAL_PRINTER, &long].concat());
    let mut printer = Socket::new(&shop, "printer").plug_to_jam();
    let (mut session, mut scanner) = open(&shop);
    session.see(&["Printer ready"]);
    printer.jam();
    for customer in ["password-1", "password-2", "password-3"] {
        charge(&mut session, &mut scanner, customer);
        session.see(IS_PAID);
        if customer == "password-2" {
            session.see(&["Printer fault"]);
            session.press(CTRL_L);
            session.see(&["支付成功", "打印机 故障"]);
            session.press(CTRL_L);
            session.see(IS_PAID);
        }
        session.press("\r");
        session.see(&["Enter the amount."]);
    }
    close(&shop, session);
}

/// Restarts the till after a `SIGKILL`; meanwhile the customer carries on.
fn killed_and_started_again(scenario: &str, end: &str) {
    let shop = shop(WALK);
    let (mut session, mut scanner) = open(&shop);
    charge(&mut session, &mut scanner, scenario);
    session.see(IS_WAITING);
    session.send(Signal::KILL);
    session.wait_for_end();
    let order = format!("order {}", tail(&shop));
    let mut session = TuiSession::open(&shop);
    session.see(&["Enter the amount."]);
    let first = session.screen();
    assert!(first.contains(&order) && first.contains("￥12.34"), "not pinned:\n{first}");
    let ended = format!("{end}   ￥12.34   {order}");
    session.see(&[&ended, "Enter: OK"]);
    session.press("\r");
    session.see_that("the notice goes", |screen| !screen.contains("Enter: OK"));
    close(&shop, session);
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
            let (mut session, mut scanner) = open(&shop);
            assert!(!session.is_given_back());
            if is_waiting {
                charge(&mut session, &mut scanner, "walks-away");
                session.see(IS_WAITING);
            }
            session.send(signal);
            let status = session.wait_for_end();
            // What is open needs somebody to start the till again.
            let expected = if is_waiting { 12 } else { 0 };
            assert_eq!((status.exit_code(), status.signal()), (expected, None), "{story}");
            assert!(session.is_given_back(), "{story}");
            let tape = session.tape();
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
    let (mut session, mut scanner) = open(&shop);
    charge(&mut session, &mut scanner, "walks-away");
    session.see(IS_WAITING);
    let mut second = TuiSession::open(&shop);
    assert_eq!(second.wait_for_end().exit_code(), 4);
    assert!(!second.tape().contains("\x1b[?1049h") && !second.screen().is_empty());
    let pay = Ran::of(shop.run(&["pay", "1.00", "--code", &code("ok", 2), "--json"]));
    assert_eq!((pay.exit, pay.lines.len()), (4, 0), "{}", pay.errors);
    let orders = shop.orders();
    assert_eq!(orders.len(), 1);
    assert!(orders.values().all(|order| order["amount"] == 1234), "{orders:?}");
    session.see(IS_REVERSED);
    close(&shop, session);
}

#[test]
fn a_gateway_that_comes_back_is_shown_even_if_nobody_sells() {
    let mut shop = shop(WALK);
    let address = shop.close_gateway();
    let mut session = TuiSession::open(&shop);
    session.see(&["Enter the amount.", "WeChat Pay fault"]);
    shop.open_gateway(address);
    session.see(&["WeChat Pay ready"]);
    session.press(CTRL_Q);
    assert_eq!(session.wait_for_end().exit_code(), 0);
}

#[test]
fn a_window_that_is_too_small_still_shows_the_open_payment() {
    let shop = shop(1);
    let (mut session, mut scanner) = open(&shop);
    charge(&mut session, &mut scanner, "walks-away");
    session.see(IS_WAITING);
    let begins = |lines: Vec<&'static str>| {
        move |screen: &str| screen.lines().map(str::trim_end).take(lines.len()).eq(lines.clone())
    };
    session.resize(40, 10);
    session.see_that("40x10", begins(vec!["WAITING FOR CUSTOMER", "￥12.34"]));
    session.see(&["Window too small"]);
    session.resize(10, 3);
    session.see_that("10x3", begins(vec!["WAITING", "FOR", "CUSTOMER"]));
    session.resize(10, 2);
    session.see_that("10x2", begins(vec!["WAITING FO", "R CUSTOMER"]));
    session.resize(80, 24);
    session.see(IS_WAITING);
    session.see(&["Scanner ready", "Stop waiting", "Next customer"]);
    session.press(CTRL_Q);
    session.see(&["A payment is still open. Quit anyway?"]);
    session.answer(CTRL_Q);
    assert_eq!(session.wait_for_end().exit_code(), 0);
    assert!(session.is_given_back());
}

#[test]
fn a_sale_is_not_charged_again_while_its_money_may_be_held_and_the_next_customer_is_served() {
    let shop = shop(1);
    let (mut session, mut scanner) = open(&shop);
    charge(&mut session, &mut scanner, "walks-away");
    session.see(IS_WAITING);
    let first = tail(&shop);
    session.press(ESC);
    session.see(&["Cancel this payment?"]);
    session.answer("\r");
    session.see(IS_REVERSING);
    session.press("\r");
    session.see(&["Serve the next customer?", "Do not charge this sale again"]);
    session.press(DOWN);
    scanner.scan(&code("ok", 2));
    session.see(&["Serve the next customer?", "Nothing was sent."]);
    // An arrow may have been a scanner's, too.
    std::thread::sleep(HELD_BACK);
    session.answer("\r");
    session.see(&["Enter the amount."]);
    session.press("5\r");
    session.see(ASKS_FOR_CODE);
    scanner.scan(&code("ok", 3));
    session.see(IS_PAID);
    session.see(&[&format!("REVERSED   ￥12.34   order {first}"), "Enter: OK"]);
    let ledger = shop.ledger();
    let net: Vec<_> = ledger.iter().map(|entry| entry.net().minor()).collect();
    assert_eq!(net, [0, 500], "{ledger:?}");
    close(&shop, session);
}

#[test]
fn a_sale_that_was_not_paid_is_charged_again_under_a_new_number() {
    let shop = shop(PACE);
    let (mut session, mut scanner) = open(&shop);
    charge(&mut session, &mut scanner, "notenough");
    session.see(&["NOT PAID", "Not enough balance. No money moved."]);
    scanner.scan(&code("password", 2));
    session.see(IS_PAID);
    let ledger = shop.ledger();
    let sums: Vec<_> =
        ledger.iter().map(|entry| (entry.amount.minor(), entry.net().minor())).collect();
    assert_eq!(sums, [(1234, 0), (1234, 1234)], "{ledger:?}");
    let closed = || shop.orders().values().all(|order| order["open"] == false);
    session.watch_until("the first number is closed", closed);
    close(&shop, session);
}

#[test]
fn a_terminal_that_hangs_holds_up_no_payment() {
    let shop = shop(PACE);
    let (mut session, mut scanner) = open(&shop);
    session.press("12.34");
    session.press("\r");
    session.see(&["READY"]);
    let window = session.window();
    let frozen = window.lock().unwrap();
    // Complete frames, until the terminal accepts no more.
    for _ in 0..30 {
        session.resize(81, 24);
        session.resize(80, 24);
        session.press(CTRL_L);
    }
    scanner.scan(&code("walks-away", 1));
    let ended = || shop.orders().values().any(|order| order["state"] == "reversed");
    session.watch_until("the end of the payment", ended);
    drop(frozen);
    session.see(&["REVERSED"]);
    close(&shop, session);
}
