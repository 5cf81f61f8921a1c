//! The page of a day's bill.

use super::*;
use crate::bill::compare::{Cause, Difference, Outcome, Side, Sums, Tills};
use crate::bill::{Exact, Extent};
use crate::both;
use crate::reconcile::Reconciled;
use crate::shift::Report;

fn says(bench: &ScreenBench, words: &str) -> bool {
    packed(&bench.drawn(120, 40)).contains(&packed(words))
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// The page of the shift, with the bill's line chosen.
fn shift() -> ScreenBench {
    let mut bench = ScreenBench::new(settings());
    bench.key(Key::F(10));
    let shift = MoneyNews::ShiftRead(Ok(Box::default()));
    bench.send(ScreenMessage::Money(shift));
    bench.key(Key::Tab);
    bench.key(Key::Tab);
    bench.key(Key::Tab);
    bench
}

fn asked() -> ScreenBench {
    let mut bench = shift();
    assert_eq!(bench.key(Key::Enter), [ScreenCommand::ReadBill(day("2026-11-21"))]);
    bench
}

fn read(bench: &mut ScreenBench, result: Result<Reconciled, Text>) -> Vec<ScreenCommand> {
    bench.send(ScreenMessage::Money(MoneyNews::BillRead(result.map(Box::new))))
}

fn sums(payments: u64, fen: i64) -> Sums {
    let exact = |fen| Exact::of(Money::from_minor(fen), Currency::CNY);
    Sums {
        rows: payments,
        payments,
        paid: exact(fen),
        settled: exact(fen),
        fees: exact(fen * 6 / 1000),
        ..Sums::default()
    }
}

fn agreed() -> Reconciled {
    Reconciled {
        day: day("2026-11-21"),
        has_bill: true,
        extent: Extent { rows: 14, of_others: 0 },
        outcome: Outcome {
            differences: Vec::new(),
            not_listed: 0,
            matched: 12,
            journal_rows: 12,
            sums: Tills { own: sums(12, 128_050), others: [("T02".into(), sums(2, 5000))].into() },
        },
        asked: 0,
        settled: 0,
    }
}

fn found(serial: i64, cause: Cause, here: Option<i64>, bill: Option<i64>) -> Difference {
    let side = |state, amount: i64| Side {
        state,
        amount: Money::from_minor(amount),
        currency: Currency::CNY,
    };
    Difference {
        cause,
        order_no: format!("T0126112112000034500{serial}"),
        refund_no: String::new(),
        transaction_id: String::new(),
        here: here.map(|amount| side("paid", amount)),
        bill: bill.map(|amount| side("paid", amount)),
        at: Some(Timestamp(NOON - 86_400_000 + serial * 60_000)),
    }
}

fn differ() -> Reconciled {
    let mut reconciled = agreed();
    reconciled.outcome.differences = vec![
        found(1, Cause::NotInBill(None), Some(1250), None),
        found(2, Cause::Amount, Some(800), Some(900)),
        found(3, Cause::NotInJournal, None, Some(2000)),
        found(4, Cause::OpenPaid, Some(600), Some(600)),
    ];
    reconciled
}

fn not_ready() -> Text {
    crate::text::reconcile::not_ready(day("2026-11-21"))
}

#[test]
fn yesterdays_bill_is_compared_from_the_page_of_the_shift() {
    let mut bench = shift();
    assert!(says(&bench, "> Compare with the bill of 2026-11-21"), "{}", bench.drawn(80, 24));
    assert_eq!(bench.key(Key::Enter), [ScreenCommand::ReadBill(day("2026-11-21"))]);
    assert!(says(&bench, "Downloading the bill"));
    // It is one day's, and asked for once.
    assert_eq!([bench.key(Key::Enter), bench.key(Key::Tab)], [[], []]);
    read(&mut bench, Ok(agreed()));
    for words in [
        "Bill and journal agree. Orders: 12.",
        "Payments 12 x 1,280.50",
        "Fees 7.68",
        "Net 1,272.82",
        "Till T02",
    ] {
        assert!(says(&bench, words), "{words}\n{}", bench.drawn(120, 40));
    }
    assert_eq!(bench.key(Key::Esc), [ScreenCommand::ReadShift]);
}

#[test]
fn each_difference_is_named_with_both_sides_and_what_to_do() {
    let mut bench = asked();
    read(&mut bench, Ok(differ()));
    for words in [
        "Differences: 4. Orders that agree: 12.",
        "Paid here, not in the bill",
        "Order T01261121120000345001",
        "Journal: PAID CNY 12.50; bill: nothing",
        "Find it with F7, and press F5",
        "Journal: PAID CNY 8.00; bill: PAID CNY 9.00",
        "The till goes on with it by itself.",
    ] {
        assert!(says(&bench, words), "{words}\n{}", bench.drawn(120, 40));
    }
    assert!(!says(&bench, "paytill "), "no command is typed here");
    // In a low window the rest is scrolled to, and back at once.
    let top = bench.drawn(80, 24);
    assert!(top.contains("not in the bill") && !top.contains("Net "), "{top}");
    for _ in 0..100 {
        bench.key(Key::Down);
    }
    assert!(bench.drawn(80, 24).contains("Till T02"), "{}", bench.drawn(80, 24));
    for _ in 0..100 {
        bench.key(Key::Up);
    }
    assert_eq!(bench.drawn(80, 24), top);
    assert!(packed(&bench.drawn(40, 12)).contains(&packed("Differences: 4.")));
}

#[test]
fn why_there_is_no_bill_is_said_and_it_can_be_tried_again() {
    let mut bench = asked();
    read(&mut bench, Err(not_ready()));
    assert!(says(&bench, "on 2026-11-22, Beijing time."), "{}", bench.drawn(80, 24));
    assert_eq!(bench.key(Key::Enter), [ScreenCommand::ReadBill(day("2026-11-21"))]);
    read(&mut bench, Err(both!("WeChat Pay cannot be reached.", "无法连接微信支付。")));
    let once = "Nothing was compared: WeChat Pay cannot be reached.";
    assert!(says(&bench, once) && !says(&bench, "reached.."), "{}", bench.drawn(80, 24));
    bench.key(Key::Enter);
    read(&mut bench, Ok(Reconciled { has_bill: false, ..agreed() }));
    assert!(says(&bench, "WeChat Pay has no bill of 2026-11-21"));
    assert_eq!(bench.key(Key::Tab), [ScreenCommand::ReadBill(day("2026-11-20"))]);
    read(&mut bench, Ok(agreed()));
    // What the gateway keeps no more is not asked for.
    for _ in 0..95 {
        bench.key(Key::Tab);
        read(&mut bench, Ok(agreed()));
    }
    assert!(says(&bench, "more than three months ago"), "{}", bench.drawn(80, 24));
}

#[test]
fn one_bill_is_on_its_way_at_a_time_and_what_nobody_waits_for_is_not_shown() {
    let mut bench = asked();
    bench.key(Key::Esc);
    bench.send(ScreenMessage::Money(MoneyNews::ShiftRead(Ok(Box::default()))));
    for _ in 0..3 {
        bench.key(Key::Tab);
    }
    assert_eq!(bench.key(Key::Enter), [], "it is still on its way");
    read(&mut bench, Err(both!("first", "一")));
    assert!(says(&bench, "first"));
    bench.key(Key::Enter);
    bench.key(Key::Esc);
    bench.key(Key::Esc);
    bench.type_text("12.5");
    assert_eq!(read(&mut bench, Ok(differ())), []);
    assert!(!says(&bench, "Differences"));
    bench.key(Key::Enter);
    assert_eq!(bench.model.takes_codes(), Some(SaleRef::New(Money::from_minor(1250))));
    assert_eq!(bench.model.bill_asked, None);
}

#[test]
fn a_bill_that_came_too_late_for_its_day_is_asked_for_anew() {
    let mut bench = asked();
    bench.key(Key::Esc);
    bench.now += 86_400_000;
    bench.send(ScreenMessage::Money(MoneyNews::ShiftRead(Ok(Box::default()))));
    for _ in 0..3 {
        bench.key(Key::Tab);
    }
    assert_eq!(bench.key(Key::Enter), []);
    let next = ScreenCommand::ReadBill(day("2026-11-22"));
    assert_eq!(read(&mut bench, Ok(agreed())), [next]);
    assert!(says(&bench, "Downloading the bill"));
}

#[test]
fn a_bill_of_something_else_does_not_fill_each_frame() {
    let mut bench = asked();
    let mut reconciled = differ();
    let many = |serial| found(serial, Cause::NotInJournal, None, Some(100));
    reconciled.outcome.differences = (0..10_000).map(many).collect();
    read(&mut bench, Ok(reconciled));
    for _ in 0..1000 {
        bench.key(Key::Down);
    }
    assert!(says(&bench, "9900 more differences: paytill reconcile 2026-11-21"));
}

#[test]
fn training_has_no_merchant_and_no_bill() {
    let mut bench = ScreenBench::new(Settings { training: Some(vec!["ok".into()]), ..settings() });
    bench.key(Key::F(10));
    let report: Box<Report> = Box::default();
    bench.send(ScreenMessage::Money(MoneyNews::ShiftRead(Ok(report))));
    assert!(says(&bench, "Open the shift") && !says(&bench, "Compare with the bill"));
}

#[test]
fn pictures_of_a_bill() {
    let mut bench = asked();
    pictures("bill_asked", &mut bench);
    read(&mut bench, Err(not_ready()));
    pictures("bill_not_ready", &mut bench);
    bench.key(Key::Enter);
    read(&mut bench, Ok(agreed()));
    pictures("bill_agrees", &mut bench);
    let mut bench = asked();
    read(&mut bench, Ok(differ()));
    pictures("bill_differs", &mut bench);
}
