//! Bills against a journal.

use std::collections::BTreeMap;

use super::made::revoked;
use super::*;
use crate::bill::compare::{
    Cause, Comparison, Difference, Here, Kind, MOST_LISTED, Outcome, OwnOrder, OwnRefund,
};
use crate::clock::Timestamp;
use crate::order::TillId;
use crate::payment::Status;

const FIRST: &str = "T01112212030189345607";
const SECOND: &str = "T01112212040189345608";
const NOON: &str = "20261122120301";

fn at(beijing: &str) -> Timestamp {
    Timestamp::from_beijing(beijing).unwrap()
}

fn order(number: &str, amount: i64, status: Status, here: Here) -> OwnOrder {
    OwnOrder {
        number: number.into(),
        amount: Money::from_minor(amount),
        currency: Currency::CNY,
        created_at: at(NOON),
        updated_at: at(NOON),
        status,
        here,
    }
}

fn paid_at(number: &str, amount: i64, when: &str) -> OwnOrder {
    let here = Here::Paid { at: at(when), transaction_id: format!("42{number}") };
    order(number, amount, Status::Paid, here)
}

fn own(number: &str, amount: i64) -> OwnOrder {
    paid_at(number, amount, NOON)
}

fn open(number: &str, amount: i64) -> OwnOrder {
    order(number, amount, Status::Attention, Here::Open)
}

/// Orders of the day, refunds, and orders that only a look into the journal finds.
#[derive(Default)]
struct Journal {
    orders: Vec<OwnOrder>,
    refunds: Vec<OwnRefund>,
    older: Vec<OwnOrder>,
}

fn held(journal: Journal, bill: Vec<made::MadeRow>) -> Outcome {
    let text = Bill::new(bill).text(Form::All);
    let mut comparison = Comparison::new(day(), vec![TillId::new("T01").unwrap()], Currency::CNY);
    journal.orders.into_iter().for_each(|order| comparison.expect(order));
    journal.refunds.into_iter().for_each(|refund| comparison.expect_refund(refund));
    let older: BTreeMap<String, OwnOrder> =
        journal.older.into_iter().map(|order| (order.number.clone(), order)).collect();
    let result = read(text.as_bytes(), &expected(), |row| {
        comparison.row(row, |number| Ok::<_, Infallible>(older.get(number).cloned()))
    });
    result.unwrap();
    comparison.finish()
}

fn orders(orders: Vec<OwnOrder>) -> Journal {
    Journal { orders, ..Journal::default() }
}

fn causes(outcome: &Outcome) -> Vec<(&str, Cause)> {
    outcome.differences.iter().map(|found| (found.order_no.as_str(), found.cause)).collect()
}

#[test]
fn what_is_alike_matches() {
    let journal = orders(vec![own(FIRST, 1234), own(SECOND, 500)]);
    let outcome = held(journal, vec![paid(FIRST, 1234), paid(SECOND, 500)]);
    assert_eq!(causes(&outcome), []);
    assert_eq!((outcome.matched, outcome.journal_rows, outcome.differ()), (2, 2, 0));
    assert_eq!(outcome.sums.own.payments, 2);
    assert_eq!(outcome.sums.own.paid.show(), "17.34");
    assert_eq!(outcome.sums.own.fees.show(), "0.10");
    assert_eq!(outcome.sums.own.net().show(), "17.24");
}

#[test]
fn a_line_that_is_missing_added_changed_or_doubled_is_named() {
    let journal = || orders(vec![own(FIRST, 1234), own(SECOND, 500)]);
    for (bill, cause) in [
        (vec![paid(FIRST, 1234)], (SECOND, Cause::NotInBill(None))),
        (vec![paid(FIRST, 1234), paid(SECOND, 501)], (SECOND, Cause::Amount)),
        (vec![paid(FIRST, 1234), paid(SECOND, 500), paid(SECOND, 500)], (SECOND, Cause::Times(2))),
        (
            vec![paid(FIRST, 1234), paid(SECOND, 500), paid("T01112212050189345609", 1)],
            ("T01112212050189345609", Cause::NotInJournal),
        ),
    ] {
        let outcome = held(journal(), bill);
        assert_eq!(causes(&outcome), [cause]);
        assert_eq!(outcome.matched, if cause.0 == SECOND { 1 } else { 2 });
    }
    let mut other = paid(FIRST, 1234);
    other.currency = "USD";
    let outcome = held(orders(vec![own(FIRST, 1234)]), vec![other]);
    assert_eq!(causes(&outcome), [(FIRST, Cause::Currency)]);
    assert_eq!(outcome.sums.own.in_other_currencies, 1);
    let mut other = paid(FIRST, 1234);
    other.transaction_id = "4200009".into();
    let outcome = held(orders(vec![own(FIRST, 1234)]), vec![other]);
    assert_eq!(causes(&outcome), [(FIRST, Cause::Transaction)]);
}

#[test]
fn other_tills_are_counted_apart_and_differ_in_nothing() {
    let bill = vec![
        paid(FIRST, 1234),
        paid("T02112212040189345608", 500),
        revoked("T02112212040189345608", 500),
        paid("web-2026-0001", 70),
    ];
    let outcome = held(orders(vec![own(FIRST, 1234)]), bill);
    assert_eq!(causes(&outcome), []);
    let others: Vec<(&str, u64, String)> = outcome
        .sums
        .others
        .iter()
        .map(|(till, sums)| (till.as_str(), sums.rows, sums.paid.show()))
        .collect();
    assert_eq!(others, [("", 1, "0.70".into()), ("T02", 2, "5.00".into())]);
    assert_eq!(outcome.sums.others["T02"].net().show(), "0.00");
}

#[test]
fn an_order_under_an_earlier_id_of_this_till_is_ours_all_the_same() {
    let number = "OLD112212040189345608";
    let outcome = held(orders(vec![own(number, 500)]), vec![paid(number, 501)]);
    assert_eq!(causes(&outcome), [(number, Cause::Amount)]);
}

#[test]
fn payments_count_by_beijings_day_and_midnight_is_looked_at_from_both_sides() {
    for (when, cause) in [
        ("20261121235959", None),
        ("20261122000000", Some(Cause::NotInBill(Some("2026-11-21".parse().unwrap())))),
        ("20261122001100", Some(Cause::NotInBill(None))),
        ("20261122235500", Some(Cause::NotInBill(Some("2026-11-23".parse().unwrap())))),
        ("20261123000000", None),
    ] {
        let outcome = held(orders(vec![paid_at(FIRST, 100, when)]), vec![]);
        assert_eq!(causes(&outcome).first().map(|found| found.1), cause, "{when}");
        // In the bill it is alike, on whichever side of midnight the journal has it.
        let outcome = held(orders(vec![paid_at(FIRST, 100, when)]), vec![paid(FIRST, 100)]);
        assert_eq!((outcome.matched, outcome.differ()), (1, 0), "{when}");
    }
}

#[test]
fn an_order_that_was_not_expected_is_looked_up() {
    let older = vec![paid_at(FIRST, 100, "20251122120301")];
    let outcome = held(Journal { older, ..Journal::default() }, vec![paid(FIRST, 100)]);
    assert_eq!((outcome.matched, outcome.differ()), (1, 0));
}

#[test]
fn what_is_not_paid_here_must_not_be_paid_there() {
    let not_paid = |open| order(FIRST, 100, Status::Declined, Here::NotPaid { open });
    let returned = || order(FIRST, 100, Status::Reversed, Here::Returned);
    let settled = || order(FIRST, 100, Status::Attention, Here::Settled);
    let none = Vec::new;
    let there = || vec![paid(FIRST, 100)];
    let back = || vec![paid(FIRST, 100), revoked(FIRST, 100)];
    let refunded = || vec![paid(FIRST, 100), refund(FIRST, "R", 100)];
    for (order, bill, cause) in [
        (not_paid(false), none(), None),
        (not_paid(false), there(), Some(Cause::PaidInBill)),
        (not_paid(true), there(), Some(Cause::OpenPaid)),
        (not_paid(false), back(), None),
        (returned(), none(), None),
        (returned(), there(), Some(Cause::NotReturned(None))),
        (returned(), back(), None),
        (returned(), refunded(), None),
        (returned(), vec![revoked(FIRST, 100)], None),
        (open(FIRST, 100), none(), Some(Cause::OpenNotInBill)),
        (open(FIRST, 100), there(), Some(Cause::OpenPaid)),
        (open(FIRST, 100), back(), Some(Cause::OpenReturned)),
        (settled(), none(), None),
        (settled(), there(), Some(Cause::SettledPaid)),
        (own(FIRST, 100), back(), Some(Cause::Reversed)),
        (own(FIRST, 100), vec![revoked(FIRST, 100)], Some(Cause::Reversed)),
    ] {
        let said = format!("{order:?} {bill:?}");
        let outcome = held(orders(vec![order]), bill);
        let found: Vec<Cause> = outcome.differences.iter().map(|found| found.cause).collect();
        assert_eq!(found, cause.into_iter().collect::<Vec<_>>(), "{said}");
    }
}

/// As the gateway writes how far a refund has come.
fn as_far_as(state: &'static str, row: made::MadeRow) -> made::MadeRow {
    made::MadeRow { refund_state: state, ..row }
}

#[test]
fn only_what_is_done_went_back() {
    let returned = || order(FIRST, 100, Status::Reversed, Here::Returned);
    for state in ["FAIL", "CHANGE", "PROCESSING", "", "?"] {
        for row in [revoked(FIRST, 100), refund(FIRST, "R", 100)] {
            for own in [returned(), order(FIRST, 100, Status::Attention, Here::Settled)] {
                let said = format!("{own:?} {state:?} {row:?}");
                let bill = vec![paid(FIRST, 100), as_far_as(state, row.clone())];
                let outcome = held(orders(vec![own]), bill);
                assert_eq!(outcome.matched, 0, "{said}");
                let is_failed = matches!(state, "FAIL" | "CHANGE");
                let found = outcome.differences.iter();
                let failures = found.filter(|found| found.cause == Cause::RefundFailed).count();
                assert_eq!(failures, usize::from(is_failed), "{said}");
                assert!(outcome.differ() > 0, "{said}");
            }
        }
    }
    // Nor is what may have gone back the shop's for certain.
    for state in ["PROCESSING", "", "?"] {
        let bill = vec![paid(FIRST, 100), as_far_as(state, revoked(FIRST, 100))];
        let outcome = held(orders(vec![own(FIRST, 100)]), bill);
        assert_eq!(causes(&outcome), [(FIRST, Cause::Reversed)], "{state}");
    }
    // A reversal that failed takes nothing from what was paid.
    let bill = vec![paid(FIRST, 100), as_far_as("FAIL", revoked(FIRST, 100))];
    let outcome = held(orders(vec![own(FIRST, 100)]), bill);
    assert_eq!(causes(&outcome), [(FIRST, Cause::RefundFailed)]);
}

#[test]
fn a_refund_that_failed_did_not_go_back_whoever_made_it() {
    for state in ["FAIL", "CHANGE"] {
        let bill = vec![paid(FIRST, 100), as_far_as(state, refund(FIRST, "R", 100))];
        let outcome = held(orders(vec![own(FIRST, 100)]), bill);
        assert_eq!(causes(&outcome), [(FIRST, Cause::RefundFailed)]);
    }
}

#[test]
fn two_payments_are_one_too_many_wherever_the_money_is() {
    for here in [
        Here::Returned,
        Here::NotPaid { open: false },
        Here::Open,
        Here::Settled,
        Here::Paid { at: at(NOON), transaction_id: format!("42{FIRST}") },
    ] {
        let own = order(FIRST, 100, Status::Attention, here);
        let bill = vec![paid(FIRST, 100), paid(FIRST, 100), revoked(FIRST, 100)];
        let outcome = held(orders(vec![own]), bill);
        assert_eq!(causes(&outcome), [(FIRST, Cause::Times(2))]);
    }
}

#[test]
fn what_is_reversed_after_midnight_goes_back_in_a_later_bill() {
    let mut returned = order(FIRST, 100, Status::Reversed, Here::Returned);
    returned.updated_at = at("20261123000020");
    let outcome = held(orders(vec![returned]), vec![paid(FIRST, 100)]);
    assert_eq!((outcome.matched, outcome.differ()), (1, 0));
    let mut yesterdays = order(FIRST, 100, Status::Reversed, Here::Returned);
    yesterdays.created_at = at("20261121235950");
    let outcome = held(orders(vec![yesterdays]), vec![revoked(FIRST, 100)]);
    assert_eq!((outcome.matched, outcome.differ()), (1, 0));
}

#[test]
fn what_was_reversed_after_midnight_must_be_in_that_days_bill() {
    let reversed_at = |when| {
        let mut order = order(FIRST, 100, Status::Reversed, Here::Returned);
        order.created_at = at("20261121235950");
        order.updated_at = at(when);
        order
    };
    let yesterday = "2026-11-21".parse().unwrap();
    for (when, cause) in [
        ("20261121235959", None),
        ("20261122000020", Some(Cause::NotReturned(Some(yesterday)))),
        ("20261122010000", Some(Cause::NotReturned(None))),
        ("20261123000000", None),
    ] {
        let outcome = held(orders(vec![reversed_at(when)]), vec![]);
        assert_eq!(causes(&outcome).first().map(|found| found.1), cause, "{when}");
        for row in [revoked(FIRST, 100), refund(FIRST, "R", 100)] {
            let outcome = held(orders(vec![reversed_at(when)]), vec![row]);
            assert_eq!((outcome.matched, outcome.differ()), (1, 0), "{when}");
        }
        // On its way is not back.
        let coming = as_far_as("PROCESSING", revoked(FIRST, 100));
        let outcome = held(orders(vec![reversed_at(when)]), vec![coming]);
        assert_eq!(causes(&outcome).first().map(|found| found.1), cause, "{when}");
        let failed = as_far_as("CHANGE", revoked(FIRST, 100));
        let outcome = held(orders(vec![reversed_at(when)]), vec![failed]);
        assert_eq!(causes(&outcome), [(FIRST, Cause::RefundFailed)], "{when}");
    }
}

#[test]
fn one_that_was_never_seen_paid_may_be_reversed_after_midnight_too() {
    use crate::payment::CallKind::{Query, Reverse};
    use crate::payment::says::Says;
    let rules = crate::payment::Rules::default();
    let mut state = crate::payment::State::begin(&rules, 0);
    let call = |kind, number| crate::payment::Call { kind, number };
    for event in [
        crate::payment::Event::Tick,
        Says::NotPaid.in_answer_to(call(Query, 1)),
        Says::Accepted.in_answer_to(call(Reverse, 2)),
        Says::Ended(crate::payment::Ending::Revoked).in_answer_to(call(Query, 3)),
    ] {
        let _ = state.step(&event, rules.give_up_after, &rules);
    }
    assert_eq!((state.status(), Here::of(&state)), (Status::Reversed, Here::Reversed));
    let reversed_at = |when| {
        let mut order = order(FIRST, 100, Status::Reversed, Here::of(&state));
        order.updated_at = at(when);
        order
    };
    for (when, cause) in [
        ("20261122120330", Some(Cause::NotReturned(None))),
        ("20261122235900", Some(Cause::NotReturned(Some("2026-11-23".parse().unwrap())))),
        ("20261123000020", None),
    ] {
        let outcome = held(orders(vec![reversed_at(when)]), vec![paid(FIRST, 100)]);
        assert_eq!(causes(&outcome).first().map(|found| found.1), cause, "{when}");
        // Perhaps nobody paid.
        let outcome = held(orders(vec![reversed_at(when)]), vec![]);
        assert_eq!(outcome.differ(), 0, "{when}");
        let bill = vec![paid(FIRST, 100), revoked(FIRST, 100)];
        assert_eq!(held(orders(vec![reversed_at(when)]), bill).differ(), 0, "{when}");
    }
}

#[test]
fn an_open_order_of_another_day_is_none_of_this_days_business() {
    let mut yesterdays = open(FIRST, 100);
    yesterdays.created_at = at("20261121120000");
    let outcome = held(orders(vec![yesterdays]), vec![]);
    assert_eq!((outcome.journal_rows, outcome.differ()), (0, 0));
}

#[test]
fn an_order_whose_code_was_closed_is_in_no_bill_and_one_that_is_shown_waits_for_its_end() {
    use crate::clock::Millis;
    use crate::payment::says::Says;
    use crate::payment::{Ending, Event, QrState, Rules, State};
    let (rules, now) = (Rules::default(), Millis(300));
    let mut state = State::begin_qr(Millis::seconds(7_200), 0);
    let code = crate::order::CodeUrl::try_from("weixin://wxpay/bizpayurl?pr=x".to_owned()).unwrap();
    let mut call = Some(QrState::FIRST);
    let mut take = |says: Says| {
        call = state.step(&says.in_answer_to(call.unwrap()), now, &rules);
        call = call.or_else(|| state.step(&Event::Cancel, now, &rules));
        (state.status(), Here::of(&state))
    };
    assert_eq!(take(Says::Code(code)).1, Here::Open);
    assert_eq!(take(Says::NotPaid).1, Here::Open);
    assert_eq!(take(Says::Accepted).1, Here::Open);
    let (status, here) = take(Says::Ended(Ending::Closed));
    assert_eq!((status, &here), (Status::Closed, &Here::NotPaid { open: false }));
    let closed = || orders(vec![order(FIRST, 100, status, here.clone())]);
    assert_eq!(held(closed(), vec![]).differ(), 0);
    let outcome = held(closed(), vec![paid(FIRST, 100)]);
    assert_eq!(causes(&outcome).first().map(|found| found.1), Some(Cause::PaidInBill));
}

fn own_refund(refund_no: &str, amount: i64) -> OwnRefund {
    OwnRefund {
        order_no: FIRST.into(),
        refund_no: refund_no.into(),
        amount: Money::from_minor(amount),
        accepted_at: Some(at(NOON)),
    }
}

#[test]
fn refunds_are_held_against_those_of_the_journal() {
    let journal = |refunds| Journal { refunds, ..orders(vec![own(FIRST, 1000)]) };
    let failed = || {
        let mut row = refund(FIRST, "R1", 300);
        row.refund_state = "FAIL";
        row
    };
    for (refunds, row, cause) in [
        (vec![], None, None),
        (vec![], Some(refund(FIRST, "R1", 300)), Some(Cause::RefundNotInJournal)),
        (vec![own_refund("R1", 300)], Some(refund(FIRST, "R1", 300)), None),
        (vec![own_refund("R1", 300)], Some(refund(FIRST, "R1", 301)), Some(Cause::RefundAmount)),
        (vec![own_refund("R1", 300)], Some(failed()), Some(Cause::RefundFailed)),
        (vec![own_refund("R1", 300)], None, Some(Cause::RefundNotInBill(None))),
    ] {
        let bill = std::iter::once(paid(FIRST, 1000)).chain(row).collect();
        let outcome = held(journal(refunds), bill);
        let found: Vec<Cause> = outcome.differences.iter().map(|found| found.cause).collect();
        assert_eq!(found, cause.into_iter().collect::<Vec<_>>());
        assert_eq!(outcome.matched, u64::from(found.is_empty()));
    }
    // What becomes of one is not known here: the bill proves it, or not.
    let unclear = || OwnRefund { accepted_at: None, ..own_refund("R1", 300) };
    for row in [None, Some(refund(FIRST, "R1", 300))] {
        let bill = std::iter::once(paid(FIRST, 1000)).chain(row).collect();
        assert_eq!(held(journal(vec![unclear()]), bill).differ(), 0);
    }
    // Of a payment of long ago, and of one that nobody knows.
    let older = || vec![paid_at(FIRST, 1000, "20251122120301")];
    for (older, count) in [(older(), 1), (vec![], 1)] {
        let journal = Journal { older, ..Journal::default() };
        let outcome = held(journal, vec![refund(FIRST, "R1", 300)]);
        assert_eq!(causes(&outcome), [(FIRST, Cause::RefundNotInJournal)]);
        assert_eq!(outcome.differences.len(), count);
        assert_eq!(outcome.differences[0].refund_no, "R1");
    }
}

#[test]
fn a_bill_of_somebody_else_with_our_numbers_is_counted_and_not_kept() {
    let mut comparison = Comparison::new(day(), vec![TillId::new("T01").unwrap()], Currency::CNY);
    let text = Bill::new(vec![paid(FIRST, 1)]).text(Form::All);
    let mut looked_up = 0;
    let result = read(text.as_bytes(), &expected(), |row| {
        for number in 0..MOST_LISTED + 50 {
            let mut row = row.clone();
            row.order_no = format!("T01{number:018}").into();
            comparison.row(&row, |_| {
                looked_up += 1;
                Ok::<_, Infallible>(None)
            })?;
        }
        Ok::<_, Infallible>(())
    });
    result.unwrap();
    let outcome = comparison.finish();
    assert_eq!((outcome.differences.len(), outcome.not_listed), (MOST_LISTED, 50));
    assert_eq!(outcome.differ(), MOST_LISTED as u64 + 50);
    assert_eq!(looked_up, MOST_LISTED + 50);
}

#[test]
fn every_cause_has_a_word_and_a_kind() {
    let words: Vec<&str> = Kind::ALL.map(Kind::word).to_vec();
    assert_eq!(words, ["only_here", "only_in_bill", "amount", "state", "refund"]);
    let found = Difference {
        cause: Cause::NotInBill(None),
        order_no: FIRST.into(),
        refund_no: String::new(),
        transaction_id: String::new(),
        here: None,
        bill: None,
        at: None,
    };
    assert_eq!((found.cause.kind(), found.cause.word()), (Kind::OnlyHere, "not_in_bill"));
}

proptest! {
    /// Whatever is missing, added or changed is found, and nothing else.
    #[test]
    fn exactly_what_was_changed_is_found(
        amounts in prop::collection::vec(1..100_000_i64, 1..30),
        changes in prop::collection::vec(0..6_u8, 30),
    ) {
        let number = |at: usize| format!("T01{at:018}");
        let journal = amounts.iter().enumerate().map(|(at, amount)| own(&number(at), *amount));
        let journal = orders(journal.collect());
        let mut bill = Vec::new();
        let mut wanted = Vec::new();
        for (at, amount) in amounts.iter().enumerate() {
            let row = paid(&number(at), *amount);
            match changes[at] {
                0 => wanted.push(Kind::OnlyHere),
                1 => {
                    bill.push(paid(&number(at), amount + 1));
                    wanted.push(Kind::Amount);
                }
                2 => {
                    bill.extend([row.clone(), row]);
                    wanted.push(Kind::Amount);
                }
                3 => {
                    bill.extend([row, revoked(&number(at), *amount)]);
                    wanted.push(Kind::State);
                }
                4 => {
                    bill.extend([row, refund(&number(at), "R", 1)]);
                    wanted.push(Kind::Refund);
                }
                _ => bill.push(row),
            }
        }
        let outcome = held(journal, bill);
        let found: Vec<Kind> = outcome.differences.iter().map(|found| found.cause.kind()).collect();
        prop_assert_eq!(outcome.matched, (amounts.len() - wanted.len()) as u64);
        prop_assert_eq!(found, wanted);
    }
}
