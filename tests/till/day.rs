//! The figures of the day beside the sale: what the journal holds and what the till adds to it.

use crate::fixture::tui_session::{CTRL_Q, Socket, TuiSession};
use crate::fixture::{PACE, SERIAL_SCANNER, TestShop, code};

/// The line of the figures that begins with this word, without the gaps.
fn figures(screen: &str, word: &str) -> Option<String> {
    let column = |line: &str| line.chars().skip(80).collect::<String>();
    let line = screen.lines().map(column).find(|line| line.trim_start().starts_with(word))?;
    Some(line.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn the_day_goes_on_where_an_earlier_run_has_left_it() {
    let shop = TestShop::open(None, PACE);
    shop.configure(SERIAL_SCANNER);
    assert_eq!(shop.pay("1500", &code("ok", 1)).exit, 0);
    assert_eq!(shop.pay("8", &code("notenough", 2)).exit, 10);
    let mut scanner = Socket::new(&shop, "scanner").plug();
    let mut session = TuiSession::open_sized(&shop, 120, 40);
    session.see(&["Enter the amount.", "Scanner ready", "Today"]);
    session.see_that("the day's figures", |screen| {
        figures(screen, "PAID").as_deref() == Some("PAID 1 ￥1,500.00")
            && figures(screen, "NOT PAID").as_deref() == Some("NOT PAID 1")
    });
    session.press("12.34\r");
    session.see(&["Scan the customer's payment code."]);
    scanner.scan(&code("ok", 3));
    session.see_that("the sale among them", |screen| {
        figures(screen, "PAID").as_deref() == Some("PAID 2 ￥1,512.34")
    });
    session.press(CTRL_Q);
    assert_eq!(session.wait_for_end().exit_code(), 0);
    shop.assert_books_agree(false);
}
