//! What the customer's display shows.

use super::*;
use crate::display::{SaleStage, View};
use crate::says::Says;
use crate::screen::Sound;

fn sale(minor: i64, stage: SaleStage) -> View {
    View::Sale { amount: Money::from_minor(minor), stage }
}

fn bench() -> ScreenBench {
    ScreenBench::new(settings())
}

#[test]
fn an_amount_is_shown_as_what_it_comes_to_while_it_is_typed() {
    let mut bench = bench();
    assert_eq!(bench.model.for_the_customer(), View::Welcome);
    let typed = [("1", 100), ("12", 1200), ("12.", 1200), ("12.5", 1250), ("12.50", 1250)];
    for ((_, minor), key) in typed.into_iter().zip("12.50".chars()) {
        bench.key(Key::Char(key));
        assert_eq!(bench.model.for_the_customer(), sale(minor, SaleStage::Typing), "{key}");
    }
    bench.key(Key::Esc);
    assert_eq!(bench.model.for_the_customer(), View::Welcome);
    for (key, minor) in [('0', 0), ('.', 0), ('0', 0), ('5', 5)] {
        bench.key(Key::Char(key));
        assert_eq!(bench.model.for_the_customer(), sale(minor, SaleStage::Typing), "{key}");
    }
    bench.key(Key::Char('9'));
    assert_eq!(bench.model.for_the_customer(), View::Welcome, "no amount is shown as another");
}

#[test]
fn the_customer_follows_the_payment_at_the_desk() {
    let mut bench = bench();
    bench.type_text("12.5");
    bench.key(Key::Enter);
    assert_eq!(bench.model.for_the_customer(), sale(1250, SaleStage::Code));
    let index = bench.begin(1);
    assert_eq!(bench.model.for_the_customer(), sale(1250, SaleStage::Payment(Status::Sent)));
    bench.answer(index, Says::Paying);
    assert_eq!(bench.model.for_the_customer(), sale(1250, SaleStage::Payment(Status::Waiting)));
    bench.later(index, 5000);
    bench.answer(index, Says::Paid(proof()));
    assert_eq!(bench.model.for_the_customer(), sale(1250, SaleStage::Payment(Status::Paid)));
    bench.key(Key::Enter);
    assert_eq!(bench.model.for_the_customer(), View::Welcome);
}

#[test]
fn another_customers_payment_is_nobodys_business() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.until_attention(index);
    assert_eq!(bench.model.for_the_customer(), sale(1250, SaleStage::Payment(Status::Attention)));
    bench.key(Key::Enter);
    bench.key(Key::Enter);
    assert_eq!(bench.model.for_the_customer(), View::Welcome);
    bench.type_text("3");
    bench.wait(60_000);
    bench.step(index, Event::CheckNow);
    bench.answer_if_asked(index, Says::Paid(proof()));
    assert_eq!(bench.model.for_the_customer(), sale(300, SaleStage::Typing));
}

#[test]
fn an_outcome_that_is_not_recorded_is_not_shown_to_the_customer() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.unrecorded(index);
    bench.answer(index, Says::Paid(proof()));
    assert_eq!(bench.model.for_the_customer(), sale(1250, SaleStage::Payment(Status::Attention)));
    // Nor is it rung, or spoken, as paid.
    assert_eq!(bench.model.sound(), Sound::NeedsYou);
    assert_eq!(bench.model.spoken().1, "");
}

/// Three customers at the password, in the tray.
fn with_a_tray() -> (ScreenBench, [usize; 3]) {
    let mut bench = bench();
    let indices = [("12.5", 1), ("20", 2), ("7", 3)].map(|(amount, last)| {
        let index = bench.charge(amount, last);
        bench.answer(index, Says::Paying);
        bench.key(Key::Ctrl('n'));
        index
    });
    (bench, indices)
}

#[test]
fn whoever_comes_back_to_the_desk_sees_the_own_payment_and_no_other_on_the_way_to_it() {
    let (mut bench, indices) = with_a_tray();
    assert_eq!(bench.model.for_the_customer(), View::Welcome);
    // Past the first two, to the third.
    for index in indices {
        bench.key(Key::Tab);
        assert!(bench.model.is_at_hand(&bench.order(index)));
        assert_eq!(bench.model.for_the_customer(), View::Welcome, "not yet");
        assert!(bench.model.counts_seconds());
    }
    bench.wait(2_000);
    let own = |status| sale(700, SaleStage::Payment(status));
    assert_eq!(bench.model.for_the_customer(), own(Status::Waiting));
    bench.step(indices[2], Event::CheckNow);
    bench.answer(indices[2], Says::Paid(proof()));
    assert_eq!(bench.model.for_the_customer(), own(Status::Paid));
    assert_eq!(bench.model.sound(), Sound::Paid);
}

#[test]
fn what_is_done_about_a_payment_shows_it_to_its_customer_at_once() {
    for key in [Key::F(5), Key::Esc] {
        let (mut bench, _) = with_a_tray();
        bench.key(Key::Tab);
        bench.key(key);
        let shown = sale(1250, SaleStage::Payment(Status::Waiting));
        assert_eq!(bench.model.for_the_customer(), shown, "{key:?}");
    }
}

#[test]
fn a_payment_that_ends_while_it_is_passed_says_nothing_to_the_customer_at_the_desk() {
    let (mut bench, indices) = with_a_tray();
    bench.key(Key::Tab);
    bench.step(indices[0], Event::CheckNow);
    bench.answer(indices[0], Says::Paid(proof()));
    assert_eq!(bench.model.for_the_customer(), View::Welcome);
    assert_eq!(bench.model.sound(), Sound::NotAtTheDesk, "it may be another customer's");
    bench.wait(2_000);
    let shown = sale(1250, SaleStage::Payment(Status::Paid));
    assert_eq!(bench.model.for_the_customer(), shown, "the cashier stays at it");
    // A new sale is nobody else's.
    bench.type_text("3");
    assert_eq!(bench.model.for_the_customer(), sale(300, SaleStage::Typing));
    bench.step(indices[1], Event::CheckNow);
    bench.answer(indices[1], Says::Paid(proof()));
    bench.reversed_with_money(indices[2]);
    assert_eq!(bench.model.for_the_customer(), sale(300, SaleStage::Typing));
}

/// Whoever turns to a page has not stayed at the payment, however long the page is open.
#[test]
fn a_payment_that_was_only_passed_is_not_shown_behind_a_page() {
    for page in [Key::F(7), Key::F(1)] {
        let (mut bench, _) = with_a_tray();
        bench.key(Key::Tab);
        bench.key(page);
        for _ in 0..10 {
            bench.wait(1_000);
            assert_eq!(bench.model.for_the_customer(), View::Welcome, "{page:?}");
        }
        bench.key(Key::Esc);
        assert_eq!(bench.model.for_the_customer(), View::Welcome, "it is passed again");
        bench.wait(2_000);
        let found = bench.model.for_the_customer();
        assert_ne!(found, View::Welcome, "the cashier stays at it");
        bench.key(page);
        bench.wait(3_000);
        assert_eq!(bench.model.for_the_customer(), found, "{page:?}");
    }
}

#[test]
fn the_page_in_front_of_the_desk_shows_the_customer_nothing_of_an_order() {
    let (mut bench, _) = with_a_tray();
    bench.key(Key::F(7));
    assert_eq!(bench.model.for_the_customer(), View::Welcome);
}
