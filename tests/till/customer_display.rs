//! The customer display, on a pseudo-terminal beside the real binary's screen.

use crate::fixture::tui_session::{CTRL_Q, Socket, TuiSession};
use crate::fixture::{PACE, TestShop, code};

const IS_PAID: &[&str] = &["PAID", "Payment received."];
const START: &[u8] = b"\r\r\x0c\x1b@\x1b_\x00";

/// A shop with a display of this kind, and a scanner.
fn shop(kind: &str) -> TestShop {
    let shop = TestShop::open(None, PACE);
    shop.configure(&format!(
        "[scanner]\nkind = \"serial\"\nport = \"scanner\"\n\
         [display]\nkind = \"{kind}\"\nport = \"display\"\n"
    ));
    shop
}

/// Both lines, as sent to a CD5220 display.
fn lines(upper: &str, lower: &str) -> Vec<u8> {
    format!("\x1bQA{upper:<20}\r\x1bQB{lower:>20}\r").into_bytes()
}

fn leave(mut session: TuiSession) {
    session.press(CTRL_Q);
    assert_eq!(session.wait_for_end().exit_code(), 0);
}

#[test]
fn the_customer_reads_the_amount_what_to_do_and_the_result() {
    let shop = shop("cd5220");
    let mut display = Socket::new(&shop, "display").plug();
    let mut scanner = Socket::new(&shop, "scanner").plug();
    let mut session = TuiSession::open(&shop);
    session.see(&["Enter the amount.", "Scanner ready", "Display ready"]);
    let welcome = "\x1bQA   Corner Coffee    \r\x1bQB                    \r".as_bytes();
    assert_eq!(display.take_until(welcome), [START, welcome].concat());
    for (key, amount) in [("1", "1.00"), ("2", "12.00"), (".5", "12.50")] {
        session.press(key);
        display.take_until(&lines("AMOUNT", &format!("CNY {amount}")));
    }
    session.press("\r");
    display.take_until(&lines("SHOW PAYMENT CODE", "CNY 12.50"));
    scanner.scan(&code("password", 1));
    display.take_until(&lines("ENTER PASSWORD", "CNY 12.50"));
    display.take_until(&lines("PAID", "CNY 12.50"));
    session.see(IS_PAID);
    session.press("\r");
    display.take_until(welcome);
    leave(session);
}

#[test]
fn a_display_that_comes_back_shows_the_present_at_once() {
    let shop = shop("led8");
    let socket = Socket::new(&shop, "display");
    let mut display = socket.plug();
    let mut session = TuiSession::open(&shop);
    session.see(&["Enter the amount.", "Display ready"]);
    session.press("45.90\r");
    let present = b"\x1bQA45.90\r\x1bs2";
    display.take_until(present);
    drop(display);
    session.see(&["Display searching"]);
    let mut display = socket.plug();
    session.see(&["Display ready"]);
    assert_eq!(display.take_until(present), [b"\r\r\x1b@\x0c", &present[..]].concat());
    leave(session);
}

#[test]
fn a_display_that_reads_nothing_holds_nothing_up() {
    let shop = shop("cd5220");
    let mut display = Socket::new(&shop, "display").plug_to_jam();
    let mut scanner = Socket::new(&shop, "scanner").plug();
    let mut session = TuiSession::open(&shop);
    session.see(&["Enter the amount.", "Scanner ready", "Display ready"]);
    for customer in ["password-1", "password-2", "password-3"] {
        // The till discards what the pseudo-terminal holds when it stops waiting, so jam it again
        // each time.
        display.jam();
        session.press("12.34\r");
        session.see(&["READY", "Scan the customer's payment code."]);
        if customer == "password-1" {
            session.see(&["READY", "Display fault"]);
        }
        scanner.scan(&code(customer, 1));
        session.see(IS_PAID);
        session.press("\r");
        session.see(&["Enter the amount."]);
    }
    leave(session);
    shop.assert_books_agree(true);
}
