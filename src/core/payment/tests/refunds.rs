//! Refunds that somebody else makes, at the merchant platform.

use super::*;
use crate::payment::Refunds;

const HOUR: u64 = 3_600_000;

fn part() -> Says {
    Says::Refunds(Refunds::Part(TillCause::PartlyRefunded.into()))
}

/// A payment whose first query finds that money went back.
fn refunded() -> PaymentBench {
    let mut bench = PaymentBench::begin();
    bench.answer(lost());
    bench.now = Millis(5_000);
    bench.handle(&Event::Tick);
    assert_eq!(bench.answer(Says::Ended(Ending::Refunded)), Status::Reversing);
    assert_eq!(bench.state.money(), Funds::Held, "until all of it is known to be back");
    assert_eq!(bench.last.kind, CallKind::RefundQuery);
    bench
}

#[test]
fn a_refund_of_all_is_the_end() {
    let mut bench = refunded();
    assert_eq!(bench.answer(Says::Refunds(Refunds::Whole)), Status::Reversed);
    assert_eq!(bench.state.money(), Funds::Returned);
}

#[test]
fn a_refund_of_a_part_needs_a_person_who_may_return_the_rest() {
    let mut bench = refunded();
    assert_eq!(bench.answer(part()), Status::Attention);
    bench.until(HOUR, |kind| match kind {
        CallKind::Query => Says::Ended(Ending::Refunded),
        CallKind::RefundQuery => part(),
        _ => panic!("the till returned the rest"),
    });
    assert_eq!(bench.state.status(), Status::Attention);
    assert_eq!(bench.state.money(), Funds::Held);
    assert_eq!(bench.state.reason().unwrap().code(), "partly_refunded");
    assert!(bench.times(CallKind::RefundQuery).len() < 130, "at most twice a minute");
    bench.until(2 * HOUR, |kind| match kind {
        CallKind::RefundQuery => Says::Refunds(Refunds::Whole),
        _ => Says::Ended(Ending::Refunded),
    });
    assert_eq!(bench.state.status(), Status::Reversed);
    assert_eq!(bench.state.money(), Funds::Returned);
}

#[test]
fn while_it_is_unclear_how_much_went_back_nothing_is_reversed() {
    let mut bench = refunded();
    bench.answer(lost());
    bench.until(HOUR, |_| lost());
    assert_eq!(bench.times(CallKind::Reverse).len(), 0);
    assert_eq!(bench.state.status(), Status::Attention);
}

#[test]
fn what_our_own_reversal_returned_may_be_no_refund_but_is_never_a_part() {
    for (refunds, status) in [
        (Says::Refunds(Refunds::Whole), Status::Reversed),
        (Says::Refunds(Refunds::None), Status::Reversed),
        (part(), Status::Attention),
    ] {
        let mut bench = PaymentBench::begin();
        bench.answer(Says::Paying);
        let mut reversed = false;
        bench.until(60_000, |kind| {
            reversed |= kind == CallKind::Reverse;
            match (kind, reversed) {
                (CallKind::Reverse, _) => Says::Accepted,
                (CallKind::RefundQuery, _) => refunds.clone(),
                (_, true) => Says::Ended(Ending::Refunded),
                (_, false) => Says::Paying,
            }
        });
        assert_eq!(bench.state.status(), status);
        assert_eq!(bench.times(CallKind::Reverse).len(), 1);
    }
}

#[test]
fn a_reversal_whose_answer_was_lost_is_made_again_where_no_refund_is_known() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    let mut reversals = 0;
    bench.until(120_000, |kind| {
        reversals += i32::from(kind == CallKind::Reverse);
        match (kind, reversals) {
            (CallKind::Reverse, 1) => lost(),
            (CallKind::Reverse, _) => Says::Accepted,
            (_, 0) => Says::Paying,
            (CallKind::RefundQuery, _) => Says::Refunds(Refunds::None),
            (_, _) => Says::Ended(Ending::Refunded),
        }
    });
    assert_eq!(bench.state.status(), Status::Reversed);
    assert_eq!((bench.times(CallKind::RefundQuery).len(), reversals), (2, 2));
}

#[test]
fn a_refund_of_which_nobody_says_how_much_needs_a_person_unless_it_is_our_reversal() {
    let untold = || Says::Refunds(Refunds::Untold);
    let mut bench = refunded();
    assert_eq!(bench.answer(untold()), Status::Attention);
    bench.until(HOUR, |kind| match kind {
        CallKind::Query => Says::Ended(Ending::Refunded),
        CallKind::RefundQuery => untold(),
        other => panic!("{other:?}: the till returned the rest"),
    });
    assert_eq!(bench.state.reason().unwrap().code(), "refund_untold");
    assert_eq!(bench.state.money(), Funds::Held);
    for first in [Says::Accepted, lost()] {
        let mut bench = PaymentBench::begin();
        bench.answer(Says::Paying);
        let mut reversals = 0;
        bench.until(120_000, |kind| {
            reversals += i32::from(kind == CallKind::Reverse);
            match (kind, reversals) {
                (CallKind::Reverse, 1) => first.clone(),
                (CallKind::Reverse, _) => Says::Accepted,
                (_, 0) => Says::Paying,
                (CallKind::RefundQuery, _) => untold(),
                (_, _) => Says::Ended(Ending::Refunded),
            }
        });
        assert_eq!(bench.state.status(), Status::Reversed);
        assert_eq!(bench.state.money(), Funds::Returned);
        assert_eq!(reversals, if first == Says::Accepted { 1 } else { 2 });
    }
}

/// A payment whose reversal was accepted although the gateway never knew its number.
fn reversed_without_being_known() -> PaymentBench {
    let mut bench = PaymentBench::begin();
    bench.answer(lost());
    bench.until(
        90_000,
        |kind| if kind == CallKind::Reverse { Says::Accepted } else { Says::NotFound },
    );
    assert!(bench.state.is_to_be_rechecked());
    bench
}

#[test]
fn a_number_that_nobody_knew_and_that_was_refunded_since_is_asked_about() {
    let mut bench = reversed_without_being_known();
    bench.until(HOUR, |kind| {
        if kind == CallKind::RefundQuery { part() } else { Says::Ended(Ending::Refunded) }
    });
    assert_eq!(bench.state.status(), Status::Attention);
    assert_eq!(bench.state.money(), Funds::Held);
}

#[test]
fn where_nobody_says_how_much_went_back_of_a_number_that_was_reversed_the_reversal_is_repeated() {
    let mut bench = reversed_without_being_known();
    let before = bench.times(CallKind::Reverse).len();
    // It was delivered late, and another copy of the reversal after it.
    bench.until(HOUR, |kind| match kind {
        CallKind::Reverse => Says::Accepted,
        CallKind::RefundQuery => Says::Refunds(Refunds::Untold),
        _ => Says::Ended(Ending::Refunded),
    });
    assert_eq!((bench.state.status(), bench.state.money()), (Status::Reversed, Funds::Returned));
    assert_eq!(bench.times(CallKind::Reverse).len(), before + 1);
}
