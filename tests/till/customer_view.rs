//! The customer's own screen, in a second terminal beside the cashier's.

use rustix::process::Signal;

use crate::fixture::tui_session::{CTRL_Q, Socket, TuiSession};
use crate::fixture::{PACE, SERIAL_SCANNER, TestShop, code};

/// What is in English may be drawn in large letters; the Chinese below it is text.
fn look(shop: &TestShop) -> TuiSession {
    TuiSession::open_command(shop, &["customer-view"])
}

#[test]
fn the_customer_sees_this_sale_and_no_other_and_the_till_may_come_and_go() {
    let shop = TestShop::open(None, PACE);
    shop.configure(SERIAL_SCANNER);
    let mut scanner = Socket::new(&shop, "scanner").plug();
    // Before any till runs.
    let mut customer = look(&shop);
    customer.see(&["Corner Coffee", "本收银台暂停收款"]);
    let mut till = TuiSession::open(&shop);
    till.see(&["Enter the amount.", "Scanner ready"]);
    customer.see(&["欢迎光临"]);
    till.press("12.50");
    customer.see(&["应付金额"]);
    till.press("\r");
    customer.see(&["请出示付款码"]);
    scanner.scan(&code("password", 1));
    customer.see(&["请在手机上确认"]);
    // A second one looks too, and what is typed there reaches nobody.
    let mut other = look(&shop);
    other.see(&["请在手机上确认"]);
    other.press("5.00\r\x1b");
    customer.see(&["支付成功，谢谢"]);
    other.see(&["支付成功，谢谢"]);
    other.press(CTRL_Q);
    assert_eq!(other.wait_for_end().exit_code(), 0);
    till.see(&["PAID"]);

    // The next customer's screen shows nothing of the one who still pays.
    till.press("\r");
    till.press("88\r");
    till.see(&["Scan the customer's payment code."]);
    scanner.scan(&code("walks-away", 2));
    customer.see(&["请在手机上确认"]);
    till.press("\x0e");
    customer.see(&["欢迎光临"]);
    assert!(!customer.screen().contains("88.00"));

    till.send(Signal::KILL);
    till.wait_for_end();
    customer.see(&["本收银台暂停收款"]);
    let mut till = TuiSession::open(&shop);
    till.see(&["Enter the amount."]);
    customer.see(&["欢迎光临"]);
    till.see(&["REVERSED"]);
    till.press(CTRL_Q);
    till.wait_for_end();
    customer.see(&["本收银台暂停收款"]);
    customer.press(CTRL_Q);
    assert_eq!(customer.wait_for_end().exit_code(), 0);
    assert!(customer.is_given_back());
}

#[test]
fn without_a_terminal_it_is_wrong_usage() {
    let shop = TestShop::open(None, PACE);
    let output = shop.command(&["customer-view"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
