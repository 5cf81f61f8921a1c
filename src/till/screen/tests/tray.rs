//! The tray: the next customer is served while earlier payments go on.

use super::*;
use crate::display::{SaleStage, View};
use crate::says::{Says, reason};
use crate::screen::Sound;
use crate::screen::pages::checkout::CashierTask;

fn bench() -> ScreenBench {
    ScreenBench::new(settings())
}

fn says(bench: &ScreenBench, words: &str) -> bool {
    packed(&bench.drawn(80, 24)).contains(&packed(words))
}

fn idle() -> CashierTask {
    CashierTask::Amount { typed: String::new() }
}

fn lost() -> Says {
    Says::Unknown(reason("no_answer"))
}

/// A customer at the password, in the tray.
fn set_aside(bench: &mut ScreenBench, amount: &str, last: u32) -> usize {
    let index = bench.charge(amount, last);
    bench.answer(index, Says::Paying);
    assert_eq!(bench.key(Key::Ctrl('n')), []);
    assert_eq!(bench.model.task, idle());
    index
}

#[test]
fn one_key_serves_the_next_customer_from_every_state_that_takes_time() {
    for place in [Status::Waiting, Status::Checking, Status::Reversing, Status::Attention] {
        let mut bench = bench();
        let index = bench.charge("12.5", 1);
        match place {
            Status::Waiting => bench.answer(index, Says::Paying),
            Status::Checking => bench.answer(index, lost()),
            Status::Reversing => {
                bench.answer(index, Says::Paying);
                bench.cancel(index);
            }
            _ => bench.until_attention(index),
        }
        assert_eq!(bench.status(index), place);
        assert!(says(&bench, "Ctrl-N Next customer"), "{}", bench.drawn(80, 24));
        assert_eq!(bench.key(Key::Ctrl('n')), []);
        assert_eq!(bench.model.task, idle(), "{place:?}");
        let word = bench.model.text().word(place);
        assert!(says(&bench, word) && says(&bench, "Enter the amount."), "{place:?}");
        assert!(says(
            &bench,
            "￥12.50 (order 345001) is still open above: do not charge it again."
        ));
        let next = bench.charge("3", 2);
        bench.answer(next, Says::Paid(proof()));
        assert!(says(&bench, word) && says(&bench, "Hand over the goods."), "{place:?}");
    }
}

#[test]
fn before_there_is_an_answer_and_after_the_end_it_does_nothing() {
    let mut bench = bench();
    bench.key(Key::Ctrl('n'));
    bench.type_text("12.5");
    bench.key(Key::Ctrl('n'));
    assert_eq!(bench.model.task, CashierTask::Amount { typed: "12.5".into() });
    bench.key(Key::Enter);
    bench.key(Key::Ctrl('n'));
    let index = bench.begin(1);
    assert!(!says(&bench, "Ctrl-N"));
    bench.key(Key::Ctrl('n'));
    assert!(bench.model.is_at_hand(&bench.order(index)));
    assert!(says(&bench, "WeChat Pay has not answered yet."));
    bench.answer(index, Says::Paid(proof()));
    bench.key(Key::Ctrl('n'));
    assert!(says(&bench, "Hand over the goods."), "the result was to be read");
}

#[test]
fn scans_reach_the_sale_at_the_desk_and_none_waits_for_the_next() {
    let mut bench = bench();
    set_aside(&mut bench, "12.5", 1);
    assert_eq!(bench.scan(2), [], "no amount yet");
    assert!(says(&bench, "Nothing was sent. Enter the amount first"));
    bench.type_text("3");
    bench.key(Key::Enter);
    let sale = SaleRef::New(Money::from_minor(300));
    assert_eq!(bench.scan(3), [ScreenCommand::Begin { sale, code: code(3) }]);
    // While that code is being taken.
    let rings = bench.model.rings();
    assert_eq!(bench.scan(4), []);
    assert_eq!((bench.model.rings(), bench.model.sound()), (rings + 1, Sound::NeedsYou));
    assert!(says(&bench, "Nothing was sent. Finish the payment on the screen first."));
    let index = bench.obey(sale);
    assert_eq!(bench.scan(5), [], "sending");
    bench.answer(index, Says::Paying);
    assert_eq!(bench.scan(6), [], "waiting");
    assert!(says(&bench, "or press Ctrl-N for the next customer."));
    bench.key(Key::Ctrl('n'));
    bench.type_text("8");
    assert_eq!(bench.key(Key::Enter), [ScreenCommand::WarmUp], "no code was kept");
    assert_eq!(bench.model.task, CashierTask::Code { sale: SaleRef::New(Money::from_minor(800)) });
}

#[test]
fn a_payment_of_the_tray_comes_back_and_is_acted_on() {
    let mut bench = bench();
    let [first, second, third] =
        [("1", 1), ("2", 2), ("3", 3)].map(|(amount, last)| set_aside(&mut bench, amount, last));
    for index in [first, second, third, first] {
        bench.key(Key::Tab);
        assert!(bench.model.is_at_hand(&bench.order(index)), "the oldest first, and then in turn");
        assert_eq!(bench.model.tray().len(), 2);
    }
    bench.key(Key::Tab);
    assert_eq!(bench.key(Key::F(5)), [ScreenCommand::CheckNow(bench.order(second))]);
    bench.key(Key::Esc);
    assert_eq!(bench.key(Key::Enter), [ScreenCommand::Cancel(bench.order(second))]);
    bench.step(second, Event::Cancel);
    bench.key(Key::Ctrl('n'));
    assert_eq!((&bench.model.task, bench.model.tray().len()), (&idle(), 3));
    assert!(says(&bench, "REVERSING"));
}

#[test]
fn nothing_comes_back_to_a_desk_that_is_in_use() {
    let mut bench = bench();
    let index = set_aside(&mut bench, "12.5", 1);
    bench.type_text("3");
    bench.key(Key::Tab);
    assert_eq!(bench.model.task, CashierTask::Amount { typed: "3".into() });
    assert!(says(&bench, "Finish this sale first, or press Esc to discard it."));
    bench.key(Key::Enter);
    bench.key(Key::Tab);
    assert!(says(&bench, "READY") && says(&bench, "Finish this sale first"));
    let next = bench.begin(2);
    bench.key(Key::Tab);
    assert!(says(&bench, "WeChat Pay has not answered yet."));
    bench.answer(next, Says::Paid(proof()));
    bench.key(Key::Tab);
    assert!(says(&bench, "Hand over the goods.") && says(&bench, "Read this result"));
    bench.key(Key::Enter);
    bench.key(Key::Tab);
    assert!(bench.model.is_at_hand(&bench.order(index)));
    // There is no other one.
    bench.key(Key::Tab);
    assert!(bench.model.is_at_hand(&bench.order(index)) && !says(&bench, "Tab"));
}

#[test]
fn what_ends_in_the_tray_has_a_sound_of_its_own_and_a_notice_and_the_receipt_say_which() {
    let mut bench = bench();
    let index = set_aside(&mut bench, "12.5", 1);
    bench.type_text("8");
    bench.commands.clear();
    let rings = bench.model.rings();
    bench.later(index, 5_000);
    bench.answer(index, Says::Paid(proof()));
    assert_eq!((bench.model.rings(), bench.model.sound()), (rings + 1, Sound::NotAtTheDesk));
    let order = bench.order(index);
    assert_eq!(bench.commands, [ScreenCommand::Print { out_trade_no: order.clone(), copy: false }]);
    assert!(says(&bench, "PAID   ￥12.50   order 345001"));
    assert_eq!(bench.model.task, CashierTask::Amount { typed: "8".into() });
    bench.send(ScreenMessage::Printed { out_trade_no: order.clone(), how: Printing::Printed });
    assert!(says(&bench, "The receipt for ￥12.50 (order 345001) was printed."));
    bench.send(ScreenMessage::Printed { out_trade_no: order, how: Printing::Sent });
    assert!(says(&bench, "The receipt for ￥12.50 (order 345001) was sent to the printer."));

    bench.wait(1_000);
    bench.key(Key::Enter);
    let index = bench.charge("", 2);
    assert_eq!(bench.order(index), number(345_002));
    bench.answer(index, Says::Paying);
    bench.key(Key::Ctrl('n'));
    bench.later(index, 5_000);
    bench.answer(index, Says::Ended(payment::Ending::Closed));
    assert_eq!(bench.model.sound(), Sound::NotAtTheDesk);
    assert!(says(&bench, "NOT PAID   ￥8.00   order 345002"));
}

#[test]
fn a_receipt_that_waits_says_whose_it_is() {
    let mut bench = bench();
    bench.send(ScreenMessage::Printer(Link::Searching));
    let index = set_aside(&mut bench, "12.5", 1);
    bench.later(index, 5_000);
    bench.answer(index, Says::Paid(proof()));
    assert!(says(&bench, "The receipt for ￥12.50 (order 345001) is waiting for the printer."));
}

#[test]
fn a_receipt_that_did_not_come_out_is_printed_beside_the_next_customer() {
    let mut bench = bench();
    let index = set_aside(&mut bench, "12.5", 1);
    let next = bench.charge("3", 2);
    bench.answer(next, Says::Paying);
    assert_eq!(bench.key(Key::F(9)), []);
    bench.later(index, 5_000);
    bench.answer(index, Says::Paid(proof()));
    let out_trade_no = bench.order(index);
    let how = Printing::Failed("no paper".into());
    bench.send(ScreenMessage::Printed { out_trade_no: out_trade_no.clone(), how });
    assert!(says(&bench, "The receipt for order 345001 was not printed") && says(&bench, "F9"));
    assert_eq!(bench.key(Key::F(9)), [ScreenCommand::Print { out_trade_no, copy: true }]);
}

#[test]
fn the_same_amount_again_asks_whether_it_is_another_customer() {
    let mut bench = bench();
    set_aside(&mut bench, "12.5", 1);
    bench.type_text("12.5");
    bench.key(Key::Enter);
    assert!(says(&bench, "Order 345001 for the same amount is still open."));
    bench.key(Key::Esc);
    bench.type_text("12.51");
    bench.key(Key::Enter);
    assert!(!says(&bench, "for the same amount"));
}

#[test]
fn the_customer_at_the_desk_sees_nothing_of_the_tray() {
    let mut bench = bench();
    let index = set_aside(&mut bench, "12.5", 1);
    assert_eq!(bench.model.for_the_customer(), View::Welcome);
    bench.type_text("3");
    bench.later(index, 5_000);
    bench.answer(index, Says::Paid(proof()));
    let amount = Money::from_minor(300);
    assert_eq!(bench.model.for_the_customer(), View::Sale { amount, stage: SaleStage::Typing });
}

#[test]
fn ten_wait_at_once_each_with_its_own_end() {
    let mut bench = bench();
    let all: Vec<usize> =
        (1..=10).map(|last| set_aside(&mut bench, &last.to_string(), last)).collect();
    assert_eq!(bench.model.tray().len(), 10);
    let (small, large) = (bench.drawn(80, 24), bench.drawn(120, 40));
    assert!(small.contains("and 7 more open"), "{small}");
    for index in &all {
        assert!(large.contains(bench.order(*index).tail()), "{large}");
    }
    for index in &all {
        bench.key(Key::Tab);
        assert!(bench.model.is_at_hand(&bench.order(*index)));
    }
    bench.key(Key::Ctrl('n'));
    for index in &all {
        bench.later(*index, 5_000);
        let paid = index % 2 == 0;
        let ends = if paid { Says::Paid(proof()) } else { Says::Ended(payment::Ending::Closed) };
        bench.answer(*index, ends);
    }
    assert_eq!((bench.model.notices.len(), bench.model.tray().len()), (10, 0));
    let prints = |command: &&ScreenCommand| matches!(command, ScreenCommand::Print { .. });
    // What was paid, and what was reversed without anything charged.
    assert_eq!(bench.commands.iter().filter(prints).count(), 10);
}

#[test]
fn a_restart_brings_the_tray_back() {
    let mut before = bench();
    for last in 1..=4 {
        set_aside(&mut before, &last.to_string(), last);
    }
    let recent = before.model.attempts.iter().map(|attempt| attempt.view.clone()).collect();
    let mut bench = bench();
    bench.model = Model::new(settings(), recent);
    assert_eq!(bench.model.tray().len(), 4);
    assert!(says(&bench, "WAITING FOR CUSTOMER") && says(&bench, "and 1 more open"));
    bench.key(Key::Tab);
    assert!(bench.model.is_at_hand(&number(345_001)));
    assert_eq!(bench.key(Key::F(5)), [ScreenCommand::CheckNow(number(345_001))]);
}

#[test]
fn news_of_a_payment_that_is_brought_back_is_read_at_the_desk() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.answer(index, lost());
    bench.key(Key::Ctrl('n'));
    bench.later(index, 30_000);
    for _ in 0..20 {
        bench.later(index, 15_000);
        bench.answer_if_asked(index, lost());
    }
    assert_eq!(
        (bench.status(index), bench.model.sound()),
        (Status::Attention, Sound::NotAtTheDesk)
    );
    assert_eq!(bench.model.notices.len(), 1);
    bench.key(Key::Tab);
    assert!(bench.model.notices.is_empty() && says(&bench, "NEEDS ATTENTION"));
}

#[test]
fn an_enter_for_the_desk_is_not_lost_to_a_notice() {
    let mut bench = bench();
    let index = set_aside(&mut bench, "12.5", 1);
    bench.type_text("3");
    bench.later(index, 5_000);
    bench.answer(index, Says::Paid(proof()));
    // It has just appeared: it stays, and the Enter is the desk's.
    bench.wait(10);
    bench.key(Key::Enter);
    assert!(matches!(bench.model.task, CashierTask::Code { .. }));
    assert_eq!(bench.model.notices.len(), 1);
    bench.key(Key::Esc);
    bench.type_text("3");
    bench.wait(5_000);
    // It has been seen: it goes with the Enter.
    bench.key(Key::Enter);
    assert!(matches!(bench.model.task, CashierTask::Code { .. }));
    assert!(bench.model.notices.is_empty());
}

#[test]
fn how_many_more_have_ended_hides_nothing_of_the_one_that_is_told() {
    let mut bench = ScreenBench::new(Settings { confirm_above: None, ..settings() });
    let amount = |last: u32| format!("{}.09", 7_654_300 + last);
    let waiting: Vec<usize> =
        (1..=11).map(|last| set_aside(&mut bench, &amount(last), last)).collect();
    // The longest word.
    for index in waiting {
        bench.later(index, 30_000);
        for _ in 0..20 {
            bench.later(index, 15_000);
            bench.answer_if_asked(index, lost());
        }
    }
    assert_eq!(bench.model.notices.len(), 11);
    let order = bench.model.notices[0].order.tail().to_owned();
    for width in [80, 84, 90, 120] {
        let drawn = bench.drawn(width, 24);
        let told = drawn.lines().find(|line| line.contains(" OK")).unwrap_or_default();
        let whole = told.contains("￥7,654,301.09") && told.contains(&format!("order {order} "));
        assert!(whole, "{width}: {drawn}");
    }
}
