//! The customer's display, on a pseudo-terminal beside the real binary's screen.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::counter::{Counter, Socket};
use common::{PACE, Shop};
use paytill::simulator::Scenario;

const CTRL_Q: &str = "\x11";
const IS_PAID: &[&str] = &["PAID", "Payment received."];
const START: &[u8] = b"\r\r\x0c\x1b@\x1b_\x00";

/// A shop with a display of this kind, and a scanner.
fn shop(kind: &str) -> Shop {
    let shop = Shop::open(None, PACE);
    shop.configure(&format!(
        "[scanner]\nkind = \"serial\"\nport = \"scanner\"\n\
         [display]\nkind = \"{kind}\"\nport = \"display\"\n"
    ));
    shop
}

/// Both lines, as a CD5220 display is sent them.
fn lines(upper: &str, lower: &str) -> Vec<u8> {
    format!("\x1bQA{upper:<20}\r\x1bQB{lower:>20}\r").into_bytes()
}

fn leave(mut counter: Counter) {
    counter.press(CTRL_Q);
    assert_eq!(counter.wait_for_end().exit_code(), 0);
}

#[test]
fn the_customer_reads_the_amount_what_to_do_and_the_result() {
    let shop = shop("cd5220");
    let mut display = Socket::new(&shop, "display").plug();
    let mut scanner = Socket::new(&shop, "scanner").plug();
    let mut counter = Counter::open(&shop);
    counter.see(&["Enter the amount.", "Scanner ready", "Display ready"]);
    let welcome = "\x1bQA   Corner Coffee    \r\x1bQB                    \r".as_bytes();
    assert_eq!(display.take_until(welcome), [START, welcome].concat());
    for (key, amount) in [("1", "1.00"), ("2", "12.00"), (".5", "12.50")] {
        counter.press(key);
        display.take_until(&lines("AMOUNT", &format!("CNY {amount}")));
    }
    counter.press("\r");
    display.take_until(&lines("SHOW PAYMENT CODE", "CNY 12.50"));
    scanner.scan(&Scenario::from_name("password").unwrap().code(1));
    display.take_until(&lines("ENTER PASSWORD", "CNY 12.50"));
    display.take_until(&lines("PAID", "CNY 12.50"));
    counter.see(IS_PAID);
    counter.press("\r");
    display.take_until(welcome);
    leave(counter);
}

#[test]
fn a_display_that_comes_back_shows_the_present_at_once() {
    let shop = shop("led8");
    let socket = Socket::new(&shop, "display");
    let mut display = socket.plug();
    let mut counter = Counter::open(&shop);
    counter.see(&["Enter the amount.", "Display ready"]);
    counter.press("45.90\r");
    let present = b"\x1bQA45.90\r\x1bs2";
    display.take_until(present);
    drop(display);
    counter.see(&["Display searching"]);
    let mut display = socket.plug();
    counter.see(&["Display ready"]);
    assert_eq!(display.take_until(present), [b"\r\r\x1b@\x0c", &present[..]].concat());
    leave(counter);
}

#[test]
fn a_display_that_reads_nothing_holds_nothing_up() {
    let shop = shop("cd5220");
    let mut display = Socket::new(&shop, "display").plug_to_jam();
    let mut scanner = Socket::new(&shop, "scanner").plug();
    let mut counter = Counter::open(&shop);
    counter.see(&["Enter the amount.", "Scanner ready", "Display ready"]);
    for customer in ["password-1", "password-2", "password-3"] {
        // What a pseudo-terminal holds goes when the till gives up: each time anew.
        display.jam();
        counter.press("12.34\r");
        counter.see(&["READY", "Scan the customer's payment code."]);
        if customer == "password-1" {
            counter.see(&["READY", "Display fault"]);
        }
        scanner.scan(&Scenario::from_name(customer).unwrap().code(1));
        counter.see(IS_PAID);
        counter.press("\r");
        counter.see(&["Enter the amount."]);
    }
    leave(counter);
    shop.assert_books_agree(true);
}
