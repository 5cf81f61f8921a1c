//! The page of the shift.

use super::*;
use crate::journal::ShiftDone;
use crate::operators::{Operator, Role};
use crate::shift::{Movement, NotNow, Report, Sum};

fn fen(minor: i64) -> Money {
    Money::from_minor(minor)
}

fn says(bench: &ScreenBench, words: &str) -> bool {
    packed(&bench.drawn(120, 40)).contains(&packed(words))
}

fn report(z: Option<u32>, opened: bool) -> Report {
    let at = Timestamp(NOON + 3_600_000);
    let sum = |count, minor| Sum { count, amount: fen(minor) };
    let mut report = Report {
        z,
        day: "2026-11-22".into(),
        opened_at: opened.then_some(Timestamp(NOON)),
        opened_by: opened.then(|| "Anna".into()),
        began_at: Some(Timestamp(NOON)),
        at,
        sales: sum(12, 128_050),
        refunds: sum(1, 1200),
        by_tender: [("cash".into(), sum(5, 40_000)), ("micropay".into(), sum(8, 88_050))].into(),
        no_sales: 2,
        movements: vec![Movement {
            at,
            amount: fen(-5000),
            reason: "买零钱".into(),
            operator: None,
        }],
        ..Report::default()
    };
    report.drawer.float = fen(20_000);
    report.drawer.sales = fen(40_000);
    report.drawer.cash_out = fen(5000);
    if z.is_some() {
        report.drawer.counted = Some(fen(54_900));
        report.closed_by = Some("Anna".into());
    }
    report
}

/// The page of a till whose shift is as this says.
fn opened(open: bool) -> ScreenBench {
    let mut bench = ScreenBench::new(settings());
    assert_eq!(bench.key(Key::F(10)), [ScreenCommand::ReadShift]);
    bench.send(ScreenMessage::Money(MoneyNews::ShiftRead(Ok(Box::new(report(None, open))))));
    bench
}

#[test]
fn the_shift_so_far_is_shown_at_any_time() {
    let mut bench = opened(true);
    for words in ["X REPORT", "12 x 1,280.50", "Cash", "WeChat Pay", "Float", "Expected 550.00"] {
        assert!(says(&bench, words), "{words}: {}", bench.drawn(120, 40));
    }
    bench.key(Key::Esc);
    assert!(says(&bench, "Enter the amount."));
    bench.type_text("12.5");
    bench.key(Key::F(10));
    bench.key(Key::Esc);
    bench.key(Key::Enter);
    let left = SaleRef::New(fen(1250));
    assert_eq!(bench.model.takes_codes(), Some(left), "the desk is as it was left");
}

#[test]
fn a_shift_is_opened_with_what_is_in_the_drawer() {
    for (typed, float) in [("200", 20_000), ("0", 0), ("", 0)] {
        let mut bench = opened(false);
        bench.key(Key::Enter);
        bench.type_text(typed);
        let float = fen(float);
        assert_eq!(bench.key(Key::Enter), [ScreenCommand::OpenShift { float }], "{typed}");
        let opened = ShiftDone::Opened(Box::new(report(None, true)));
        bench.send(ScreenMessage::Money(MoneyNews::ShiftDone(opened)));
        assert!(bench.model.shift_is_open && says(&bench, "X REPORT"));
    }
}

#[test]
fn the_count_comes_before_what_it_should_be() {
    let mut bench = opened(true);
    bench.key(Key::Enter);
    assert!(!says(&bench, "550.00") && says(&bench, "Count the drawer"));
    bench.type_text("549");
    bench.key(Key::Enter);
    assert!(says(&bench, "Close the shift with ￥549.00 counted?") && !says(&bench, "550.00"));
    let close = ScreenCommand::CloseShift { counted: fen(54_900), carry: false };
    assert_eq!(bench.key(Key::Enter), [close]);
    assert_eq!(bench.key(Key::Enter), [], "once");
    let z = Box::new(report(Some(7), true));
    let printed = ScreenCommand::PrintReport { report: z.clone(), is_copy: false };
    assert_eq!(
        bench.send(ScreenMessage::Money(MoneyNews::ShiftDone(ShiftDone::Closed(z)))),
        [printed]
    );
    assert!(says(&bench, "Z REPORT 7") && says(&bench, "Expected 550.00"));
    assert!(says(&bench, "Counted 549.00") && says(&bench, "Difference -1.00"));
    assert!(!bench.model.shift_is_open);
}

#[test]
fn a_report_that_did_not_come_out_stays_in_sight_until_it_is_printed_or_given_up() {
    let news = |bench: &mut ScreenBench, z, how| {
        let report = Box::new(report(z, true));
        bench.send(ScreenMessage::Money(MoneyNews::ReportPrinted(report, how)));
    };
    let failed = || Printing::Failed("out of paper".into());
    let read = |bench: &mut ScreenBench| {
        bench.key(Key::F(10));
        bench.send(ScreenMessage::Money(MoneyNews::ShiftRead(Ok(Box::new(report(None, true))))));
    };
    let mut bench = opened(true);
    news(&mut bench, Some(7), failed());
    assert!(says(&bench, "out of paper"));
    bench.key(Key::Esc);
    for (width, height) in [(80, 24), (120, 40)] {
        let drawn = packed(&bench.drawn(width, height));
        assert!(drawn.contains(&packed("Z REPORT 7: not printed")), "{drawn}");
    }
    // The next sale does not take it away, nor does an X report that came out.
    bench.cash(SaleRef::New(fen(500)), 500);
    news(&mut bench, None, Printing::Printed);
    assert!(says(&bench, "Z REPORT 7: not printed") && says(&bench, "Press F10."));
    bench.key(Key::Enter);
    read(&mut bench);
    assert!(says(&bench, "Print again: Z REPORT 7"));
    let [ScreenCommand::PrintReport { report: z, is_copy: true }] = &bench.key(Key::Enter)[..]
    else {
        panic!("{}", bench.drawn(120, 40))
    };
    assert_eq!(z.z, Some(7));
    news(&mut bench, Some(7), failed());
    news(&mut bench, Some(8), failed());
    assert_eq!(bench.model.unprinted.len(), 2, "each once");
    news(&mut bench, Some(7), Printing::Sent);
    assert!(says(&bench, "Print again: Z REPORT 8"));
    bench.key(Key::Tab);
    bench.key(Key::Enter);
    bench.key(Key::Esc);
    assert!(!says(&bench, "not printed"));
}

#[test]
fn a_count_is_typed_and_may_be_nothing() {
    let mut bench = opened(true);
    bench.key(Key::Enter);
    assert_eq!(bench.key(Key::Enter), []);
    assert!(says(&bench, "Enter the amount first"), "{}", bench.drawn(120, 40));
    bench.type_text("0");
    bench.key(Key::Enter);
    assert!(says(&bench, "Close the shift with ￥0.00 counted?"));
}

#[test]
fn what_is_unresolved_is_named_and_a_manager_may_carry_it_over() {
    let mut bench = ScreenBench::new(Settings { operators: true, ..settings() });
    let sign_in = |bench: &mut ScreenBench, name: &str, role, serial| {
        bench.type_text("8352");
        bench.key(Key::Enter);
        let found = Ok(Some(Operator { name: name.into(), role }));
        bench.send(ScreenMessage::SignedIn { serial, found })
    };
    sign_in(&mut bench, "Anna", Role::Cashier, 1);
    bench.wait(2000);
    bench.key(Key::F(10));
    bench.send(ScreenMessage::Money(MoneyNews::ShiftRead(Ok(Box::new(report(None, true))))));
    assert!(!says(&bench, "Expected"), "whoever counts is not told");
    bench.key(Key::Enter);
    bench.type_text("549");
    bench.key(Key::Enter);
    bench.key(Key::Enter);
    let numbers = vec!["T0126112212000034500".to_owned()];
    let not = ShiftDone::Not(NotNow::Unresolved(numbers));
    bench.send(ScreenMessage::Money(MoneyNews::ShiftDone(not)));
    assert!(says(&bench, "T0126112212000034500") && says(&bench, "stand in the way"));
    assert_eq!(bench.key(Key::Enter), []);
    assert!(says(&bench, "MANAGER NEEDED"));
    let close = ScreenCommand::CloseShift { counted: fen(54_900), carry: true };
    assert_eq!(sign_in(&mut bench, "王芳", Role::Manager, 2), [close]);
    let z = ShiftDone::Closed(Box::new(report(Some(8), true)));
    bench.send(ScreenMessage::Money(MoneyNews::ShiftDone(z)));
    assert!(says(&bench, "Z REPORT 8"));
}

#[test]
fn a_shift_that_was_forgotten_is_said_at_the_start() {
    let mut bench = ScreenBench::new(settings());
    bench.send(ScreenMessage::Money(MoneyNews::ShiftOpenSince(Some(Timestamp(NOON)))));
    assert!(!says(&bench, "not closed") && bench.model.shift_is_open);
    bench.send(ScreenMessage::Money(MoneyNews::ShiftOpenSince(Some(Timestamp(NOON - 86_400_000)))));
    assert!(says(&bench, "The shift of 2026-11-21 is not closed yet: press F10."));
}

#[test]
fn pictures_of_a_shift() {
    pictures("shift_x", &mut opened(true));
    let mut bench = opened(true);
    bench.key(Key::Enter);
    bench.type_text("549");
    pictures("shift_count", &mut bench);
    bench.key(Key::Enter);
    bench.key(Key::Enter);
    let z = ShiftDone::Closed(Box::new(report(Some(7), true)));
    bench.send(ScreenMessage::Money(MoneyNews::ShiftDone(z)));
    pictures("shift_z", &mut bench);
}
