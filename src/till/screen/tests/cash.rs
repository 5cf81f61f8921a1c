//! Cash at the desk, and the drawer.

use super::*;
use crate::display::{SaleStage, View};
use crate::operators::{Operator, Role};

fn bench() -> ScreenBench {
    ScreenBench::new(Settings { drawer: true, ..settings() })
}

fn fen(minor: i64) -> Money {
    Money::from_minor(minor)
}

fn says(bench: &ScreenBench, words: &str) -> bool {
    packed(&bench.drawn(120, 40)).contains(&packed(words))
}

/// An amount, F6, and what the customer gives.
fn given(bench: &mut ScreenBench, amount: &str, tendered: &str) -> Vec<ScreenCommand> {
    bench.type_text(amount);
    bench.key(Key::F(6));
    bench.type_text(tendered);
    bench.key(Key::Enter)
}

/// Eighty, of which fifty was taken in cash.
fn part() -> ScreenBench {
    let mut bench = bench();
    let new = SaleRef::New(fen(8000));
    assert_eq!(
        given(&mut bench, "80", "50"),
        [ScreenCommand::TakeCash { sale: new, tendered: fen(5000) }]
    );
    bench.cash(new, 5000);
    bench
}

#[test]
fn cash_is_taken_once_the_journal_has_it_and_the_change_is_large() {
    let mut bench = bench();
    bench.type_text("80");
    assert_eq!(bench.key(Key::F(6)), []);
    assert!(says(&bench, "Due: ￥80.00") && says(&bench, "Enter Exact amount"));
    bench.type_text("100");
    assert!(says(&bench, "Change: ￥20.00"));
    let sale = SaleRef::New(fen(8000));
    let take = ScreenCommand::TakeCash { sale, tendered: fen(10_000) };
    assert_eq!(bench.key(Key::Enter), [take]);
    assert!(!says(&bench, "Give ￥20.00") && says(&bench, "Saving the payment..."));
    let index = bench.cash(sale, 10_000);
    assert!(says(&bench, "PAID") && says(&bench, "Give ￥20.00 change"));
    assert!(says(&bench, "￥100.00 given for ￥80.00."));
    let (given, change) = (fen(10_000), fen(2000));
    let stage = SaleStage::Change { given, change };
    assert_eq!(bench.model.for_the_customer(), View::Sale { amount: fen(8000), stage });
    let out_trade_no = bench.order(index);
    assert!(bench.commands.contains(&ScreenCommand::Print { out_trade_no, copy: false }));
    assert_eq!(bench.model.figures().paid.total, fen(8000));
    bench.key(Key::Enter);
    assert_eq!(bench.model.for_the_customer(), View::Welcome);
}

#[test]
fn enter_alone_takes_exactly_what_is_due_but_not_at_once() {
    let mut bench = bench();
    bench.type_text("80");
    bench.key(Key::F(6));
    bench.now += 100;
    assert_eq!(bench.send(ScreenMessage::Key(Key::Enter)), []);
    assert!(says(&bench, "That was too quick."));
    let sale = SaleRef::New(fen(8000));
    let take = ScreenCommand::TakeCash { sale, tendered: fen(8000) };
    assert_eq!(bench.key(Key::Enter), [take]);
}

#[test]
fn a_sum_that_nobody_gives_is_asked_about() {
    let mut bench = bench();
    assert_eq!(given(&mut bench, "80", "8000"), []);
    assert!(says(&bench, "Did the customer really give ￥8,000.00 for ￥80.00?"));
    bench.key(Key::Esc);
    for _ in 0..2 {
        bench.key(Key::Backspace);
    }
    assert_eq!(bench.key(Key::Enter).len(), 1, "eighty");
}

#[test]
fn the_rest_is_charged_by_code_and_never_more_than_that() {
    let mut bench = part();
    assert!(says(&bench, "￥50.00 of ￥80.00 was taken in cash.") && says(&bench, "￥30.00"));
    let again = SaleRef::Again(1, fen(3000));
    let [ScreenCommand::Begin { sale, .. }] = bench.scan(7)[..] else { panic!() };
    assert_eq!(sale, again);
    let index = bench.obey(again);
    bench.answer(index, Says::Paid(proof()));
    assert!(says(&bench, "PAID"));
    assert!(bench.model.part_paid.is_empty());
    let prints = |command: &&ScreenCommand| matches!(command, ScreenCommand::Print { .. });
    let printed: Vec<_> = bench.commands.iter().filter(prints).collect();
    let out_trade_no = bench.order(index);
    assert_eq!(printed, [&ScreenCommand::Print { out_trade_no, copy: false }], "one, of the whole");
    let paid = bench.model.figures().paid;
    assert_eq!((paid.count, paid.total), (2, fen(8000)));
}

#[test]
fn where_the_code_fails_the_cash_stays_and_another_code_or_cash_pays_the_rest() {
    let mut bench = part();
    let again = SaleRef::Again(1, fen(3000));
    let index = bench.begin(7);
    bench.answer(index, Says::Declined(reason("NOTENOUGH")));
    assert!(says(&bench, "NOT PAID") && says(&bench, "give the cash back"));
    // However long it takes: the cash is here.
    bench.wait(600_000);
    assert_eq!(bench.model.takes_codes(), Some(again));
    bench.key(Key::F(6));
    assert!(says(&bench, "Due: ￥30.00") && says(&bench, "￥50.00 of ￥80.00"));
    bench.type_text("50");
    let take = ScreenCommand::TakeCash { sale: again, tendered: fen(5000) };
    assert_eq!(bench.key(Key::Enter), [take]);
    bench.cash(again, 5000);
    assert!(says(&bench, "Give ￥20.00 change") && bench.model.part_paid.is_empty());
}

#[test]
fn the_cash_goes_back_only_when_somebody_says_so() {
    for declined in [false, true] {
        let mut bench = part();
        if declined {
            let index = bench.begin(7);
            bench.answer(index, Says::Declined(reason("NOTENOUGH")));
        }
        let cash = vec![(bench.order(0), fen(5000))];
        bench.key(Key::Esc);
        assert!(says(&bench, "Give ￥50.00 cash back and end this sale?"));
        bench.key(Key::Esc);
        assert!(bench.model.part_paid(1).is_some());
        bench.key(Key::Esc);
        assert_eq!(bench.key(Key::Enter), [ScreenCommand::ReturnCash { sale: 1, cash }]);
        assert!(bench.model.part_paid(1).is_some(), "not written yet");
        bench.send(ScreenMessage::Money(MoneyNews::CashReturned(1)));
        assert!(bench.model.part_paid.is_empty());
        assert!(says(&bench, "give the cash back") && says(&bench, "Enter the amount."));
    }
}

#[test]
fn a_sale_paid_in_part_is_kept_by_a_locked_till_and_found_after_a_restart() {
    let part = PartPaid { sale: 9, left: fen(3000), cash: vec![(number(9), fen(5000))] };
    let mut bench = ScreenBench::new(Settings { operators: true, drawer: true, ..settings() });
    bench.send(ScreenMessage::Money(MoneyNews::PartPaid(part)));
    assert!(bench.model.is_locked());
    let operator = Operator { name: "Anna".into(), role: Role::Cashier };
    bench.type_text("8352");
    bench.key(Key::Enter);
    bench.send(ScreenMessage::SignedIn { serial: 1, found: Ok(Some(operator)) });
    assert!(says(&bench, "￥50.00 of ￥80.00 was taken in cash."), "{}", bench.drawn(120, 40));
    bench.key(Key::F(12));
    assert_eq!(bench.model.takes_codes(), Some(SaleRef::Again(9, fen(3000))));
}

#[test]
fn a_sale_paid_in_part_comes_back_from_the_drawers_page() {
    let mut bench = part();
    let index = bench.begin(7);
    bench.answer(index, Says::Paying);
    bench.key(Key::Ctrl('n'));
    bench.key(Key::F(6));
    assert!(!says(&bench, "Go on with the sale"), "its code is still waited for");
    bench.key(Key::Esc);
    bench.later(index, 30_000);
    bench.answer(index, Says::NotPaid);
    bench.answer(index, Says::Accepted);
    bench.answer(index, Says::Ended(payment::Ending::Revoked));
    bench.key(Key::Enter);
    bench.key(Key::F(6));
    assert!(says(&bench, "Go on with the sale of ￥80.00: ￥30.00 is left"));
    bench.key(Key::Enter);
    assert_eq!(bench.model.takes_codes(), Some(SaleRef::Again(1, fen(3000))));
}

#[test]
fn no_scan_is_taken_for_cash() {
    let mut bench = bench();
    bench.type_text("80");
    bench.key(Key::F(6));
    assert_eq!(bench.scan(1), []);
    assert!(says(&bench, "Press Esc first, then scan again."));
    bench.now += 50;
    assert_eq!(bench.send(ScreenMessage::Key(Key::Enter)), [], "its own Enter");
    // A scan that was typed: its first digits had been taken for an amount.
    let began = Uptime(bench.now + 300);
    bench.now += 200;
    bench.send(ScreenMessage::Key(Key::Char('1')));
    bench.now += 300;
    let scan = Scan::Payment(code(2));
    bench.send(ScreenMessage::KeyScan { scan, text: raw(""), began, is_alone: false });
    assert!(says(&bench, "type what the customer gives") || says(&bench, "Type what the customer"));
    assert!(
        bench.commands.iter().all(|command| !matches!(command, ScreenCommand::TakeCash { .. }))
    );
}

#[test]
fn cash_goes_in_and_out_with_a_reason() {
    for (downs, is_out) in [(1, false), (2, true)] {
        let mut bench = bench();
        bench.key(Key::F(6));
        for _ in 0..downs {
            bench.key(Key::Down);
        }
        bench.key(Key::Enter);
        bench.type_text("12.5");
        bench.key(Key::Enter);
        assert_eq!(bench.key(Key::Enter), [], "no reason");
        assert!(says(&bench, "Type a reason first."));
        bench.type_text("零钱 A");
        let (amount, reason) = (fen(1250), "零钱 A".to_owned());
        assert_eq!(bench.key(Key::Enter), [ScreenCommand::MoveCash { is_out, amount, reason }]);
        bench.send(ScreenMessage::Money(MoneyNews::CashMoved));
        assert!(says(&bench, "Recorded."));
    }
}

#[test]
fn nothing_is_sold_before_a_shift_is_open_where_that_is_required() {
    let mut bench = ScreenBench::new(Settings { shift_required: true, ..settings() });
    bench.type_text("80");
    for key in [Key::Enter, Key::F(6)] {
        assert_eq!(bench.key(key), []);
        assert!(says(&bench, "Open the shift first: press F10."), "{key:?}");
    }
    bench.model.shift_is_open = true;
    bench.key(Key::Enter);
    assert!(bench.model.takes_codes().is_some());
}

#[test]
fn pictures_of_cash() {
    let mut bench = bench();
    bench.type_text("80");
    bench.key(Key::F(6));
    bench.type_text("100");
    pictures("cash_given", &mut bench);
    bench.key(Key::Enter);
    bench.cash(SaleRef::New(fen(8000)), 10_000);
    pictures("cash_change", &mut bench);
    pictures("cash_rest", &mut part());
    let mut bench = self::bench();
    bench.key(Key::F(6));
    pictures("drawer", &mut bench);
}
