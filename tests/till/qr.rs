//! `paytill qr` over HTTPS: a code is shown, paid or closed, whatever happens to the till meanwhile.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use crate::fixture::tui_session::TuiSession;
use crate::fixture::{PACE, Ran, TestShop, scenario};
use paytill::payment::CallKind;
use paytill::simulator::Api;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

fn qr(shop: &TestShop, more: &[&str]) -> Ran {
    Ran::of(shop.run(&[&["qr", "12.34", "--json"], more].concat()))
}

fn shop(customer: &str) -> TestShop {
    shop_of(Api::V2, customer)
}

fn shop_of(api: Api, customer: &str) -> TestShop {
    TestShop::open_for(api, Some(scenario(customer)), PACE)
}

/// A till whose code is shown, and the lines it will print.
struct Showing {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Showing {
    fn start(shop: &TestShop) -> (Self, Value) {
        let mut command = shop.command(&["qr", "12.34", "--json"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut showing = Self { child, lines };
        let first = showing.line();
        assert_eq!(first["state"], "waiting", "{first}");
        (showing, first)
    }

    fn line(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().expect("a line").unwrap()).unwrap()
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn end(mut self) -> (i32, Vec<Value>) {
        let rest = self.lines.by_ref().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        let rest = rest.collect();
        (self.child.wait().unwrap().code().unwrap_or(-1), rest)
    }
}

impl Drop for Showing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(side: usize, is_dark: impl Fn(usize, usize) -> bool) -> String {
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
        if is_dark(x, y) { 0 } else { 255 }
    });
    picture.detect_grids()[0].decode().unwrap().1
}

/// What a phone reads from a PNG file.
fn scanned(file: &std::path::Path) -> String {
    let decoder = png::Decoder::new(BufReader::new(std::fs::File::open(file).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    let side = usize::try_from(info.width).unwrap();
    read(side, |x, y| bytes[y * info.line_size + x / 8] & (0x80 >> (x % 8)) == 0)
}

#[test]
fn a_customer_who_scans_the_code_has_paid() {
    a_customer_scans_and_pays(Api::V2);
}

#[test]
fn a_customer_who_scans_the_code_of_api_v3_has_paid() {
    a_customer_scans_and_pays(Api::V3);
}

fn a_customer_scans_and_pays(api: Api) {
    let shop = shop_of(api, "password-8");
    let file = shop.path().join("code.png");
    let ran = qr(&shop, &["--note", "table 4", "--png", "code.png"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    let first = &ran.lines[0];
    let code = first["code_url"].as_str().unwrap();
    assert_eq!(scanned(&file), code);
    assert_eq!(shop.ledger()[0].code_url(), Some(code));
    assert!(first["expires_at"].as_str().unwrap() > first["created_at"].as_str().unwrap());
    assert_eq!((&first["state"], &first["channel"]), (&"waiting".into(), &"native".into()));
    let last = ran.last();
    assert_eq!((&last["state"], &last["reason"]), (&"paid".into(), &Value::Null));
    assert!(last["transaction_id"].is_string() && last["code_url"].is_null());
    let orders = shop.orders();
    assert_eq!(orders.values().next().unwrap()["channel"], "native");
    shop.assert_books_agree(true);
    // A file that is there is never replaced, and nothing is ordered for it.
    let again = qr(&shop, &["--png", "code.png"]);
    assert_eq!((again.exit, shop.ledger().len()), (2, 1), "{again:?}");
    let number = last["order_no"].as_str().unwrap();
    let shown = shop.run(&["show", number]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains(code) && shown.contains("table 4"), "{shown}");
    // It is given back as any other.
    let refunded = shop.run(&["refund", number, "--reason", "cold", "--json"]);
    assert_eq!(refunded.status.code(), Some(0), "{refunded:?}");
}

#[test]
fn an_order_that_nobody_pays_is_closed_when_its_code_expires() {
    let shop = shop("walks-away");
    shop.reconfigure("[journal]", "qr_lasts_ms = 1000\n[journal]");
    let ran = qr(&shop, &[]);
    assert_eq!(ran.exit, 10, "{ran:?}");
    assert_eq!(ran.states(), ["waiting", "reversing", "closed"]);
    assert_eq!(ran.last()["reason"]["code"], "code_expired");
    shop.assert_books_agree(true);
    let entry = &shop.ledger()[0];
    assert_eq!(entry.times_of(CallKind::Close).count(), 1);
    assert_eq!(shop.recover().lines.len(), 0);
}

#[test]
fn an_interrupt_closes_the_order_before_it_ends_and_a_late_payment_counts() {
    for (api, customer, exit, state) in [
        (Api::V2, "walks-away", 10, "closed"),
        (Api::V2, "pays-during-reversal", 0, "paid"),
        (Api::V3, "walks-away", 10, "closed"),
        (Api::V3Certificates, "pays-during-reversal", 0, "paid"),
    ] {
        let shop = shop_of(api, customer);
        let (showing, _) = Showing::start(&shop);
        showing.send(Signal::INT);
        let (ended, rest) = showing.end();
        assert_eq!(ended, exit, "{customer}: {rest:?}");
        let last = rest.last().unwrap();
        assert_eq!(last["state"], state, "{customer}");
        let why = if state == "paid" { "paid_after_all" } else { "cancelled" };
        assert_eq!(last["reason"]["code"], why);
        shop.assert_books_agree(true);
    }
}

#[test]
fn a_till_that_is_killed_while_its_code_is_shown_finds_the_payment_or_closes_the_order() {
    for (api, customer, state) in
        [(Api::V2, "password-30", "paid"), (Api::V3, "walks-away", "closed")]
    {
        let shop = shop_of(api, customer);
        let (showing, first) = Showing::start(&shop);
        let number = first["order_no"].as_str().unwrap().to_owned();
        showing.send(Signal::KILL);
        drop(showing);
        let close = ["shift", "close", "--counted", "0", "--json"];
        assert_eq!(shop.run(&close).status.code(), Some(12), "its end is not known");
        while state == "paid" && shop.ledger()[0].net().minor() == 0 {
            std::thread::yield_now();
        }
        let recovered = shop.recover();
        assert_eq!(recovered.exit, 0, "{recovered:?}");
        let order = &shop.orders()[&number];
        assert_eq!(order["state"], state, "{order}");
        let closed = Ran::of(shop.run(&close));
        let taken = &closed.last()["by_tender"]["native"]["count"];
        assert_eq!(
            (closed.exit, taken.as_u64()),
            (0, (state == "paid").then_some(1)),
            "{closed:?}"
        );
        shop.assert_books_agree(true);
    }
}

#[test]
fn a_refused_order_shows_no_code_and_costs_nothing() {
    let shop = shop("noauth");
    let ran = qr(&shop, &[]);
    assert_eq!((ran.exit, ran.states()), (10, vec!["declined"]), "{ran:?}");
    assert_eq!(ran.last()["reason"]["code"], "NOAUTH");
    assert!(ran.last()["code_url"].is_null());
    shop.assert_books_agree(true);
    for wrong in [["qr", "0"], ["qr", "134567890123456789"], ["qr", "12.345"]] {
        assert_eq!(shop.run(&wrong).status.code(), Some(2), "{wrong:?}");
    }
    assert_eq!(shop.ledger().len(), 1);
}

#[test]
fn the_code_in_a_terminal_of_80_by_24_is_read_by_a_phone() {
    let shop = shop("walks-away");
    let mut session = TuiSession::open_command(&shop, &["qr", "12.34"]);
    session.see(&["The customer scans this code"]);
    let screen = session.look();
    let is_code =
        |line: &&str| line.chars().count() > 30 && line.chars().all(|cell| "█▀▄ ".contains(cell));
    let lines: Vec<Vec<char>> =
        screen.lines().filter(is_code).map(|line| line.chars().collect()).collect();
    let dots = 4;
    let size = lines[0].len();
    let is_dark = |x: usize, y: usize| {
        let Some(cell) = lines.get(y / dots / 2).and_then(|line| line.get(x / dots)) else {
            return false;
        };
        let light = if (y / dots).is_multiple_of(2) { '▀' } else { '▄' };
        *cell != '█' && *cell != light
    };
    let code = read(size * dots, is_dark);
    assert_eq!(shop.ledger()[0].code_url(), Some(code.as_str()));
    assert!(session.tape().contains("\u{1b}[38;5;231;48;5;16m"), "light on dark in every theme");
    session.send(Signal::INT);
    assert_eq!(session.wait_for_end().exit_code(), 10);
    session.see(&["CLOSED"]);
    shop.assert_books_agree(true);
}
