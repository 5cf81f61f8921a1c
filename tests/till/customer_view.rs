//! The customer's own screen, in a second terminal beside the cashier's.

use rustix::process::Signal;

use crate::fixture::tui_session::{CTRL_Q, Socket, TuiSession};
use crate::fixture::{PACE, SERIAL_SCANNER, TestShop, code};

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
    customer.see(&["Corner Coffee", "This till is closed at the moment", "本收银台暂停收款"]);
    let mut till = TuiSession::open(&shop);
    till.see(&["Enter the amount.", "Scanner ready"]);
    customer.see(&["Welcome", "欢迎光临"]);
    till.press("12.50");
    customer.see(&["Your total"]);
    till.press("\r");
    customer.see(&["Please show your payment code", "请出示付款码"]);
    scanner.scan(&code("password", 1));
    customer.see(&["Please confirm on your phone"]);
    // A second one looks too, and what is typed there reaches nobody.
    let mut other = look(&shop);
    other.see(&["Please confirm on your phone"]);
    other.press("5.00\r\x1b");
    customer.see(&["Paid. Thank you!", "支付成功"]);
    other.see(&["Paid. Thank you!"]);
    other.press(CTRL_Q);
    assert_eq!(other.wait_for_end().exit_code(), 0);
    till.see(&["PAID"]);

    // The next customer's screen shows nothing of the one who still pays.
    till.press("\r");
    till.press("88\r");
    till.see(&["Scan the customer's payment code."]);
    scanner.scan(&code("walks-away", 2));
    customer.see(&["Please confirm on your phone"]);
    till.press("\x0e");
    customer.see(&["Welcome"]);
    assert!(!customer.screen().contains("88.00"));

    till.send(Signal::KILL);
    till.wait_for_end();
    customer.see(&["This till is closed at the moment"]);
    let mut till = TuiSession::open(&shop);
    till.see(&["Enter the amount."]);
    customer.see(&["Welcome"]);
    till.see(&["REVERSED"]);
    till.press(CTRL_Q);
    till.wait_for_end();
    customer.see(&["This till is closed at the moment"]);
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
