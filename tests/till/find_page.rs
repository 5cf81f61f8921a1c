//! "I have paid" at the counter: a number is scanned at F7, and its verdict comes in one step, with
//! the gateway reachable and not.

use crate::fixture::tui_session::{CTRL_Q, ESC, F7, Socket, TuiSession};
use crate::fixture::{PACE, Ran, SERIAL_SCANNER, TestShop, code};

const STRANGER: &str = "4200001234202611220123456789";
const FOREIGN: &str = "X9-20261122-000345";

fn number(ran: &Ran) -> String {
    ran.last()["order_no"].as_str().unwrap().to_owned()
}

fn tail(number: &str) -> String {
    format!("order {}", &number[number.len() - 6..])
}

#[test]
fn a_scan_of_the_customers_page_has_its_verdict_in_one_step() {
    let mut shop = TestShop::open(None, PACE);
    shop.configure(SERIAL_SCANNER);
    let paid = number(&shop.pay("12.34", &code("ok", 1)));
    let refunded = number(&shop.pay("5.00", &code("refunded-elsewhere", 2)));
    let partly = number(&shop.pay("6.00", &code("partly-refunded", 3)));
    let reversed = number(&shop.pay("9.00", &code("walks-away", 4)));
    let declined = number(&shop.pay("8.00", &code("notenough", 5)));
    // What was refunded in part needs a person.
    assert_eq!(shop.recover().exit, 12);
    let orders = shop.orders();
    assert_eq!(orders[&reversed]["state"], "reversed");
    let transaction = orders[&paid]["transaction_id"].as_str().unwrap().to_owned();

    let mut scanner = Socket::new(&shop, "scanner").plug();
    let mut session = TuiSession::open(&shop);
    session.see(&["Enter the amount.", "WeChat Pay ready", "Scanner ready"]);
    session.press("3.2");
    session.see(&["Press Enter to charge."]);
    session.press(F7);
    session.see(&["Find an order", "Latest orders", "￥12.34", &tail(&declined)]);
    // By the scanner and typed into the terminal, our number and the gateway's.
    for (scan, order, word, means) in [
        (&paid, &paid, "PAID", "This order is paid:"),
        (&refunded, &refunded, "REFUNDED", "and then refunded in part or in full"),
        (&transaction, &paid, "PAID", "This order is paid:"),
        (&partly, &partly, "REFUNDED", "and then refunded in part or in full"),
        (&reversed, &reversed, "REVERSED", "Keep the goods"),
    ] {
        scanner.scan(scan);
        session.see(&[word, means, &tail(order), "asked at", "What happened"]);
    }
    session.type_scan(&paid);
    session.see(&["PAID", "This order is paid:", &tail(&paid), "asked at"]);
    for foreign in [FOREIGN, STRANGER] {
        scanner.scan(foreign);
        session.see(&["NOT OURS", foreign, "Do not hand over goods for it", "asked at"]);
    }
    // A payment code is named, and reaches neither the gateway nor the journal.
    let numbers = shop.ledger().len();
    scanner.scan(&code("ok", 6));
    session.see(&["That was a WeChat payment code. That is not an order number"]);
    assert!(!session.screen().contains("NOT OURS"), "{}", session.screen());
    session.press(F7);
    session.see_that("a new search", |screen| {
        screen.contains("Latest orders") && !screen.contains("payment code")
    });
    session.type_scan(&code("ok", 7));
    session.see(&["That was a WeChat payment code. That is not an order number"]);
    assert_eq!((shop.ledger().len(), shop.orders().len()), (numbers, 5));
    assert!(shop.ledger().iter().all(|entry| entry.submissions() <= 1));

    shop.close_gateway();
    for (scan, shown) in [
        (paid.as_str(), tail(&paid)),
        (&reversed, tail(&reversed)),
        (&declined, tail(&declined)),
        (FOREIGN, FOREIGN.to_owned()),
        (STRANGER, STRANGER.to_owned()),
    ] {
        scanner.scan(scan);
        session.see(&["UNKNOWN", "The result is not certain: keep the goods", &shown, "asked at"]);
        assert!(!session.screen().contains("NOT PAID"), "{}", session.screen());
    }
    session.press(ESC);
    session.see_that("the sale as it was left", |screen| {
        screen.contains("Press Enter to charge.") && !screen.contains("UNKNOWN")
    });
    session.press(CTRL_Q);
    session.see(&["A payment is still open. Quit anyway?"]);
    session.answer(CTRL_Q);
    assert_eq!(session.wait_for_end().exit_code(), 0);
    // Each code is masked wherever it stands.
    assert!(!session.tape().contains(&code("ok", 6)));
}

#[test]
fn an_open_payment_goes_on_beside_the_page_and_is_asked_about_by_the_till_itself() {
    let shop = TestShop::open(None, 1);
    let (mut session, mut scanner) = TuiSession::open_waiting(&shop, &code("password-12", 1));
    session.press(F7);
    session.see(&["WAITING FOR CUSTOMER", "Find an order", "Latest orders"]);
    let number = shop.orders().into_keys().next().unwrap();
    scanner.scan(&number);
    session.see(&["WAITING FOR CUSTOMER", "UNKNOWN", "keep the goods", "asked at", &tail(&number)]);
    let bells = session.bells();
    // It is paid meanwhile: the strip at the top says so, and the page what the journal has.
    session.see(&[
        "Payment received.",
        "Enter: OK",
        "by this till's journal",
        "Paid and verified.",
    ]);
    session.hear(bells + 1);
    session.press("\x1b[15~");
    session.see(&["This order is paid:", "asked at"]);
    session.press(ESC);
    session.see(&["PAID", "Hand over the goods."]);
    assert!(!session.screen().contains("Enter: OK"));
    session.press(CTRL_Q);
    assert_eq!(session.wait_for_end().exit_code(), 0);
    shop.assert_books_agree(true);
    assert!(shop.ledger().iter().all(|entry| entry.submissions() == 1));
}
