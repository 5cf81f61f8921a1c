//! What a sale costs the cashier: the digits of the amount, Enter, and a scan. Counted on the real
//! binary, sale after sale.

use crate::fixture::tui_session::{CTRL_Q, ESC, Socket, TuiSession};
use crate::fixture::{PACE, SERIAL_SCANNER, TestShop, code};

const SALES: [(&str, i64); 4] = [("12.34", 1_234), ("8", 800), ("0.5", 50), ("199.99", 19_999)];

#[test]
fn a_sale_is_an_amount_one_enter_and_a_scan_and_nothing_after_paid() {
    let shop = TestShop::open(None, PACE);
    shop.configure(SERIAL_SCANNER);
    let mut scanner = Socket::new(&shop, "scanner").plug();
    let mut session = TuiSession::open(&shop);
    session.see(&["Enter the amount.", "WeChat Pay ready", "Scanner ready"]);
    let mut pressed = 0;
    for (serial, (amount, _)) in (1..).zip(SALES) {
        // Over PAID, from the second sale on.
        session.press(amount);
        session.press("\r");
        pressed += amount.len() + 1;
        session.see(&["READY", "Scan the customer's payment code."]);
        scanner.scan(&code("ok", serial));
        session.see(&["PAID", "Payment received.", "Hand over the goods."]);
    }
    let typed: usize = SALES.iter().map(|(amount, _)| amount.len()).sum();
    assert_eq!(pressed, typed + SALES.len(), "one key a sale beside its digits");
    session.press(CTRL_Q);
    assert_eq!(session.wait_for_end().exit_code(), 0);
    let mut paid: Vec<i64> = shop.ledger().iter().map(|order| order.net().minor()).collect();
    let mut sold = SALES.map(|(_, minor)| minor).to_vec();
    paid.sort_unstable();
    sold.sort_unstable();
    assert_eq!(paid, sold);
    shop.assert_books_agree(true);
}

#[test]
fn esc_and_then_a_key_stands_for_keys_that_a_terminal_keeps_for_itself() {
    let shop = TestShop::open(None, PACE);
    let mut session = TuiSession::open(&shop);
    session.see(&["Enter the amount."]);
    for (second, shown) in [
        ("1", "Enter the amount, such as"),
        ("p", "Type what you want to do."),
        ("7", "Find an order"),
    ] {
        session.press(ESC);
        session.press(second);
        session.see(&[shown]);
        TuiSession::pause();
        session.press(ESC);
        session.see(&["Enter the amount."]);
        TuiSession::pause();
    }
    session.press(ESC);
    session.press("l");
    session.see(&["请输入金额。"]);
    session.press(ESC);
    session.press("q");
    assert_eq!(session.wait_for_end().exit_code(), 0);
}
