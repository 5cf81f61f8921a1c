//! Codes of ours on the cashier's screen, the customer's and on paper.

use rustix::process::Signal;

use crate::cash::Desk;
use crate::fixture::tui_session::{CTRL_N, CTRL_Q, ESC, F4, F9, Socket, TAB, TuiSession};
use crate::fixture::{PACE, TestShop, code};
use crate::paper::Printout;
use paytill::payment::CallKind;

/// An amount and F4, until the code is shown.
fn order(session: &mut TuiSession, amount: &str) -> String {
    session.press(amount);
    session.press(F4);
    session.see_code()
}

fn printed(desk: &Desk) -> Option<Printout> {
    Printout::read(&desk.printer.paper()).ok()
}

fn receipts(desk: &Desk) -> usize {
    let is_paid = |line: &&str| matches!(*line, "PAID" | "支付成功");
    printed(desk).map_or(0, |all| all.lines().filter(is_paid).count())
}

#[test]
fn two_codes_and_a_payment_code_go_on_beside_each_other_and_one_code_is_given_up() {
    let mut desk = Desk::of(TestShop::open_scanning_by_word(PACE), "en");
    desk.session.see(&["Enter the amount.", "Printer ready", "Scanner ready"]);
    let first = order(&mut desk.session, "12");
    assert_eq!(desk.shop.ledger()[0].code_url(), Some(first.as_str()));
    desk.session.see(&["WAITING FOR CUSTOMER", "code valid for 1:59:"]);
    desk.session.press(F9);
    desk.session.see(&["The bill for ￥12.00 (order"]);
    let printer = &desk.printer;
    desk.session.watch_until("the bill", || {
        Printout::read(&printer.paper()).is_ok_and(|all| all.cuts() == 1)
    });
    let bill = printed(&desk).unwrap();
    assert_eq!(bill.qr_codes(), [first.as_str()]);
    assert!(bill.has("SCAN TO PAY") && !bill.has("RECEIPT") && !bill.has("PAID"));
    // The next customers: another code, and a payment code.
    desk.session.press(CTRL_N);
    desk.session.see(&["￥12.00 (order", "is still open above"]);
    let second = order(&mut desk.session, "34");
    assert_ne!(second, first);
    desk.session.press(CTRL_N);
    desk.session.press("56\r");
    desk.session.see(&["Scan the customer's payment code."]);
    desk.scanner.scan(&code("password", 1));
    desk.session.see(&["PAID", "Hand over the goods."]);
    // The first one pays meanwhile.
    desk.shop.scan(&first);
    desk.session.see(&["PAID ￥12.00 order", "Payment received."]);
    let (printer, paid) =
        (&desk.printer, |all: Printout| all.lines().filter(|line| *line == "PAID").count());
    desk.session.watch_until("two receipts", || {
        Printout::read(&printer.paper()).is_ok_and(|all| paid(all) == 2)
    });
    // The second comes back to the desk, and is given up.
    desk.session.answer("\r");
    TuiSession::pause();
    desk.session.press("\r");
    desk.session.see(&["Enter the amount."]);
    desk.session.press(TAB);
    assert_eq!(desk.session.see_code(), second);
    desk.session.press(ESC);
    desk.session.see(&["Take this code away and close the", "order?", "Enter: Close order"]);
    desk.session.answer("\r");
    desk.session.see(&["CLOSED", "The customer was not charged."]);
    assert!(!desk.session.screen().contains("REVERSED"));
    desk.session.press("\r");
    desk.leave();
    assert_eq!(receipts(&desk), 2, "what is closed has none");
    desk.shop.assert_books_agree(true);
    let ledger = desk.shop.ledger();
    let closed = ledger.iter().find(|entry| entry.code_url() == Some(second.as_str())).unwrap();
    assert_eq!(closed.times_of(CallKind::Close).count(), 1);
    let states: Vec<_> =
        desk.shop.orders().into_values().map(|order| order["state"].clone()).collect();
    assert_eq!(states.iter().filter(|state| **state == "paid").count(), 2, "{states:?}");
}

#[test]
fn a_code_that_is_paid_while_the_till_is_dead_is_paid_at_the_next_start_and_without_a_network_it_is_not_known()
 {
    let mut desk = Desk::of(TestShop::open_scanning_by_word(PACE), "zh-CN");
    desk.session.see(&["请输入金额。", "打印机 就绪"]);
    let mut customer = TuiSession::open_command(&desk.shop, &["customer-view"]);
    customer.see(&["Welcome"]);
    let first = order(&mut desk.session, "12");
    desk.session.see(&["等待顾客扫码", "请顾客用微信扫码付款。"]);
    customer.see(&["Scan with WeChat to pay"]);
    assert_eq!(customer.see_code(), first);
    desk.session.send(Signal::KILL);
    desk.session.wait_for_end();
    customer.see(&["This till is closed at the moment"]);
    assert_eq!(customer.scan_screen(), None);
    desk.shop.scan(&first);
    desk.scanner = Socket::new(&desk.shop, "scanner").plug();
    desk.session = TuiSession::open(&desk.shop);
    desk.session.see(&["支付成功 ￥12.00", "已收款。"]);
    let printer = &desk.printer;
    desk.session.watch_until("the receipt", || {
        let is_there = |all: Printout| all.lines().filter(|line| *line == "支付成功").count() == 1;
        Printout::read(&printer.paper()).is_ok_and(is_there)
    });
    TuiSession::pause();
    desk.session.press("\r");
    // Another code, and then nobody answers any more.
    order(&mut desk.session, "34");
    desk.shop.close_gateway();
    desk.session.press(ESC);
    desk.session.see(&["撤下收款码并关闭这笔订单？"]);
    desk.session.answer("\r");
    desk.session.see(&["订单尚未确认关闭。"]);
    assert_eq!(desk.session.scan_screen(), None);
    let screen = desk.session.screen();
    assert!(!screen.contains("已关闭") && !screen.contains("未向顾客扣款"), "{screen}");
    desk.session.press(CTRL_Q);
    desk.session.see(&["还有未完成的支付，确定退出吗？"]);
    desk.session.answer(CTRL_Q);
    assert_eq!(desk.session.wait_for_end().exit_code(), 0);
    let open = desk.shop.orders().into_values().find(|order| order["open"] == true).unwrap();
    assert_eq!((&open["state"], &open["channel"]), (&"reversing".into(), &"native".into()));
}
