//! Reversals: what proves one, what contradicts it, and how long the till goes on.

use super::*;

#[test]
fn a_reversal_that_is_not_done_is_repeated_with_growing_waits() {
    for unfinished in [
        Says::Repeat(reason("recall")),
        Says::Repeat(reason("USERPAYING")),
        Says::Repeat(reason("SYSTEMERROR")),
        lost(),
        Says::Unsigned(reason("refused")),
        Says::NotSent(reason("no_connection")),
    ] {
        let mut bench = PaymentBench::begin();
        bench.answer(Says::Paying);
        bench.until(100_000, |kind| match kind {
            CallKind::Reverse => unfinished.clone(),
            _ => Says::Paying,
        });
        let reversals = bench.times(CallKind::Reverse);
        assert_eq!(reversals, [30_000, 35_000, 45_000, 65_000, 95_000], "{unfinished:?}");
        assert_eq!(bench.state.status(), Status::Reversing);
        bench.until(1_000_000, nobody_pays());
        assert_eq!(bench.state.status(), Status::Reversed);
    }
}

#[test]
fn the_word_of_a_reversal_is_not_enough() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    let mut reversals = 0;
    bench.until(90_000, |kind| match (kind, reversals) {
        (CallKind::Reverse, _) => {
            reversals += 1;
            Says::Accepted
        }
        (_, 0) => Says::Paying,
        (_, 1 | 2) => Says::Paid(proof()),
        _ => Says::Ended(Ending::Revoked),
    });
    assert_eq!(bench.times(CallKind::Reverse).len(), 3);
    assert_eq!(bench.state.status(), Status::Reversed);
    assert_eq!(bench.state.money(), Funds::Returned, "the customer had paid, and it was seen");
}

#[test]
fn what_was_paid_is_not_reversed_by_an_order_that_nobody_knows() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    let mut looks = 0;
    let forgets = |kind| match kind {
        CallKind::Reverse => Says::Accepted,
        _ if looks < 8 => {
            looks += 1;
            if looks < 8 { Says::Paying } else { Says::Paid(proof()) }
        }
        _ => Says::NotFound,
    };
    bench.until(900_000, forgets);
    assert_eq!(bench.state.status(), Status::Attention);
    assert_eq!(bench.state.money(), Funds::Held);
    bench.until(1_000_000, |_| Says::Ended(Ending::Returned));
    assert_eq!(bench.state.status(), Status::Reversed);
    assert_eq!(bench.state.money(), Funds::Returned);
}

#[test]
fn a_reversal_found_untrue_long_after_it_is_repeated_at_once() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    let (mut reversals, mut looks) = (0, 0);
    bench.until(200_000, |kind| {
        if kind == CallKind::Reverse {
            reversals += 1;
            return Says::Accepted;
        }
        looks += i32::from(reversals == 1);
        // Five queries go unanswered; meanwhile the waits have grown.
        match (reversals, looks) {
            (0, _) => Says::Paying,
            (1, 1..=5) => lost(),
            (1, _) => Says::Paid(proof()),
            _ => Says::Ended(Ending::Returned),
        }
    });
    let looked: Vec<u64> =
        bench.times(CallKind::Query).into_iter().filter(|at| *at > 30_000).collect();
    assert_eq!(looked, [35_000, 45_000, 65_000, 95_000, 125_000, 125_000]);
    assert_eq!(bench.times(CallKind::Reverse), [30_000, 125_000]);
    assert_eq!(bench.state.status(), Status::Reversed);
}

#[test]
fn once_a_reversal_is_on_the_wire_it_never_becomes_paid() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    bench.until(29_000, |_| Says::Paying);
    bench.now = Millis(30_000);
    bench.handle(&Event::Tick);
    bench.answer(Says::Paying);
    assert_eq!(bench.last.kind, CallKind::Reverse);
    for number in 0..bench.last.number {
        let kind = if number == 0 { CallKind::Submit } else { CallKind::Query };
        let status = bench.answer_to(number, kind, Says::Paid(proof()));
        assert_eq!(status, Status::Reversing);
    }
    bench.answer(Says::Accepted);
    assert_eq!(bench.answer(Says::Ended(Ending::Revoked)), Status::Reversed);
    assert_eq!(bench.state.reason().unwrap().code(), "paid_at_last_moment");
}

#[test]
fn a_late_answer_to_an_earlier_query_confirms_nothing() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    bench.now = Millis(5_000);
    bench.handle(&Event::Tick);
    let stale = bench.last;
    bench.now = Millis(30_000);
    bench.handle(&Event::Tick);
    bench.answer(Says::Paying);
    bench.answer(Says::Accepted);
    for answer in [Says::Ended(Ending::Closed), Says::NotFound, Says::NotFound] {
        bench.handle(&answer.in_answer_to(stale));
        assert_eq!(bench.state.status(), Status::Reversing);
    }
}

#[test]
fn a_number_the_gateway_never_knew_is_confirmed_twice_and_rechecked_later() {
    let mut bench = PaymentBench::begin();
    bench.answer(lost());
    let unknown = |kind| if kind == CallKind::Reverse { Says::Accepted } else { Says::NotFound };
    bench.until(39_000, unknown);
    assert_eq!(bench.state.status(), Status::Reversing);
    bench.until(40_000, unknown);
    assert_eq!(bench.state.status(), Status::Reversed);
    assert!(!bench.state.is_open() && bench.state.is_to_be_rechecked());
    let asked = bench.calls.len();
    bench.until(2_000_000, unknown);
    assert_eq!(bench.calls[asked..], [(160_000, CallKind::Query), (640_000, CallKind::Query)]);
    assert!(!bench.state.is_to_be_rechecked());
}

#[test]
fn a_question_before_its_time_uses_up_no_recheck() {
    let mut bench = PaymentBench::begin();
    bench.answer(lost());
    let unknown = |kind| if kind == CallKind::Reverse { Says::Accepted } else { Says::NotFound };
    bench.until(45_000, unknown);
    assert!(bench.state.is_to_be_rechecked());
    for _ in 0..3 {
        bench.handle(&Event::CheckNow);
        bench.answer(Says::NotFound);
    }
    let asked = bench.calls.len();
    bench.until(2_000_000, unknown);
    assert_eq!(bench.calls[asked..], [(160_000, CallKind::Query), (640_000, CallKind::Query)]);
}

#[test]
fn a_request_delivered_after_its_reversal_is_found_and_reversed_again() {
    let mut bench = PaymentBench::begin();
    bench.answer(lost());
    let unknown = |kind| if kind == CallKind::Reverse { Says::Accepted } else { Says::NotFound };
    bench.until(100_000, unknown);
    assert_eq!(bench.state.status(), Status::Reversed);
    let mut reversed = false;
    let mut seen = Vec::new();
    bench.until(400_000, |kind| {
        seen.push(kind);
        match kind {
            CallKind::Reverse => {
                reversed = true;
                Says::Accepted
            }
            _ if reversed => Says::Ended(Ending::Returned),
            _ => Says::Paid(proof()),
        }
    });
    assert_eq!(seen, [CallKind::Query, CallKind::Reverse, CallKind::Query]);
    assert_eq!(bench.state.status(), Status::Reversed);
    assert_eq!(bench.state.money(), Funds::Returned);
}

#[test]
fn still_unknown_needs_a_person_and_the_work_goes_on_for_seven_days() {
    // An order that was never proved ours may be another till's: it is asked about, not reversed.
    for (first, work) in [(Says::Paying, CallKind::Reverse), (lost(), CallKind::Query)] {
        let mut bench = PaymentBench::begin();
        bench.answer(first);
        bench.until(209_999, |_| lost());
        assert_eq!(bench.state.status(), Status::Reversing);
        bench.until(210_000, |_| lost());
        assert_eq!(bench.state.status(), Status::Attention);
        let week = 7 * 24 * 3600 * 1000;
        bench.until(week + 100_000, |_| lost());
        let last = *bench.times(work).last().unwrap();
        assert!(last <= week && last > week - 60_000, "{last}");
        assert_eq!(bench.times(CallKind::Reverse).is_empty(), work == CallKind::Query);
        assert_eq!(bench.state.status(), Status::Attention);
        assert!(bench.state.is_open());
    }
}

#[test]
fn an_order_is_reversed_only_once_it_is_proved_ours_or_not_there() {
    for proof in [Says::NotFound, Says::NotPaid, Says::Paying, Says::Failed(reason("PAYERROR"))] {
        let mut bench = PaymentBench::begin();
        bench.answer(lost());
        bench.until(100_000, |_| lost());
        assert_eq!(bench.times(CallKind::Reverse).len(), 0);
        bench.until(140_000, |kind| if kind == CallKind::Query { proof.clone() } else { lost() });
        assert_eq!(bench.times(CallKind::Reverse).len(), 1, "{proof:?}");
        bench.until(200_000, |_| lost());
        assert!(bench.times(CallKind::Reverse).len() > 1, "it stays proved");
    }
}

#[test]
fn attention_ends_by_itself_once_there_is_proof() {
    let mut bench = PaymentBench::begin();
    bench.answer(lost());
    bench.until(300_000, |_| lost());
    assert_eq!(bench.state.status(), Status::Attention);
    bench.until(400_000, nobody_pays());
    assert_eq!(bench.state.status(), Status::Reversed);
}

#[test]
fn a_refused_reversal_needs_a_person() {
    for refusal in
        [Says::ReversalRefused(reason("TRADE_ERROR")), Says::Expired(reason("REVERSE_EXPIRE"))]
    {
        let mut bench = PaymentBench::begin();
        bench.answer(Says::Paying);
        bench.until(31_000, |kind| match kind {
            CallKind::Reverse => refusal.clone(),
            _ => Says::Paying,
        });
        assert_eq!(bench.state.status(), Status::Attention, "{refusal:?}");
        assert!(bench.state.is_open());
    }
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    bench.until(100_000, |kind| match kind {
        CallKind::Reverse => Says::Expired(reason("REVERSE_EXPIRE")),
        _ => Says::Paying,
    });
    assert_eq!(bench.times(CallKind::Reverse).len(), 1, "what is too old is not tried again");
}
