//! The edges of the rules: what comes a moment early, late, or twice.

use super::*;

/// A payment that nobody pays, past its give-up time, whose first two reversals did not help: the
/// next poll is due at 45 s, the last was at 35 s.
fn twice_not_yet() -> PaymentBench {
    let mut bench = PaymentBench::begin();
    bench.answer(lost());
    bench.until(35_000, |kind| match kind {
        CallKind::Reverse => Says::Repeat(reason("recall")),
        _ => Says::NotPaid,
    });
    assert_eq!(bench.times(CallKind::Reverse), [30_000, 35_000]);
    bench
}

#[test]
fn a_tick_that_comes_early_does_nothing() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    for early in [1, 4_999] {
        bench.now = Millis(early);
        let before = bench.state.clone();
        bench.handle(&Event::Tick);
        assert_eq!(bench.state, before);
    }
    let mut bench = twice_not_yet();
    for early in [35_000, 44_999] {
        bench.now = Millis(early);
        let before = bench.state.clone();
        bench.handle(&Event::Tick);
        assert_eq!(bench.state, before);
    }
}

#[test]
fn an_overtaken_query_has_no_say_any_more() {
    for late in [Says::Failed(reason("PAYERROR")), Says::Ended(Ending::Closed)] {
        let mut bench = PaymentBench::begin();
        bench.answer(Says::Paying);
        bench.now = Millis(5_000);
        bench.handle(&Event::Tick);
        let overtaken = bench.last;
        bench.now = Millis(7_000);
        bench.handle(&Event::Restarted { oldest: Millis(7_000) });
        assert_ne!(bench.last, overtaken);
        bench.handle(&late.in_answer_to(overtaken));
        assert_eq!(bench.state.status(), Status::Waiting);
    }
}

#[test]
fn asking_by_hand_during_a_reversal_is_no_faster_than_the_till_itself() {
    let mut bench = twice_not_yet();
    let calls = bench.calls.len();
    bench.now = Millis(39_999);
    bench.handle(&Event::CheckNow);
    assert_eq!(bench.calls.len(), calls, "less than an interval after the last look");
    bench.now = Millis(40_000);
    bench.handle(&Event::CheckNow);
    assert_eq!(bench.calls[calls..], [(40_000, CallKind::Query)]);
    bench.now = Millis(50_000);
    bench.handle(&Event::CheckNow);
    bench.handle(&Event::Tick);
    assert_eq!(bench.calls.len(), calls + 1, "one question at a time");
}

#[test]
fn a_payment_cancelled_and_found_paid_an_hour_after_a_restart_goes_back() {
    for (oldest, status) in [(90_000, Status::Paid), (90_001, Status::Reversing)] {
        let mut bench = PaymentBench::begin();
        bench.answer(Says::Paying);
        bench.now = Millis(8_000);
        bench.handle(&Event::Cancel);
        bench.handle(&Event::Restarted { oldest: Millis(oldest) });
        assert_eq!(bench.answer(Says::Paid(proof())), status, "{oldest}");
    }
}

#[test]
fn a_failing_query_names_the_trouble_only_where_nothing_better_is_known() {
    let asked = |bench: &mut PaymentBench, at: u64| {
        bench.now = Millis(at);
        bench.handle(&Event::Tick);
        bench.answer(Says::Unknown(reason("certificate")));
        bench.state.reason().map(|reason| reason.code().to_owned())
    };
    let mut bench = PaymentBench::begin();
    bench.answer(lost());
    assert_eq!(asked(&mut bench, 5_000).as_deref(), Some("certificate"), "the latest trouble");
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    assert_eq!(asked(&mut bench, 5_000), None, "the customer is at it: one lost answer is nothing");
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Ambiguous(reason("ORDERPAID")));
    bench.answer(lost());
    assert_eq!(asked(&mut bench, 5_000).as_deref(), Some("ORDERPAID"), "the gateway's own word");
}

#[test]
fn a_payment_cancelled_and_found_paid_after_a_long_sleep_goes_back() {
    for (found, status) in [(90_000, Status::Paid), (90_001, Status::Reversing)] {
        let mut bench = PaymentBench::begin();
        bench.answer(Says::Paying);
        bench.now = Millis(16_000);
        bench.handle(&Event::Cancel);
        bench.now = Millis(found);
        assert_eq!(bench.answer(Says::Paid(proof())), status, "{found}");
    }
}

#[test]
fn a_reversal_is_tried_to_the_last_moment_of_the_seven_days_and_not_after() {
    let week = 7 * 24 * 3600 * 1000;
    for (at, tried) in [(week, true), (week + 1, false)] {
        let mut bench = twice_not_yet();
        let calls = bench.calls.len();
        bench.now = Millis(at);
        bench.handle(&Event::Tick);
        assert_eq!(bench.calls.len() > calls, tried, "{at}");
        assert_eq!(bench.state.status(), Status::Attention);
    }
}

#[test]
fn a_refused_number_that_cannot_be_closed_in_seven_days_is_let_go() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Declined(reason("NOTENOUGH")));
    bench.answer(lost());
    bench.until(8 * 24 * 3600 * 1000, |_| lost());
    assert_eq!(bench.state.status(), Status::Declined);
    assert!(!bench.state.is_open());
}

#[test]
fn a_number_the_gateway_never_knew_is_rechecked_though_its_submission_was_refused() {
    for refusal in [Says::Declined(reason("NOTENOUGH")), Says::Unsigned(reason("refused"))] {
        let mut bench = PaymentBench::begin();
        bench.answer(refusal);
        bench.answer(Says::NotFound);
        bench.until(5_000, |_| Says::NotFound);
        let unknown =
            |kind| if kind == CallKind::Reverse { Says::Accepted } else { Says::NotFound };
        bench.until(100_000, unknown);
        assert_eq!(bench.state.status(), Status::Declined);
        assert!(!bench.state.is_open() && bench.state.is_to_be_rechecked());
        bench.until(200_000, |_| Says::Paid(proof()));
        assert_eq!(bench.state.status(), Status::Reversing, "money was found");
    }
}

/// A payment the gateway never knew, reversed at 40 s; the first recheck is due at 160 s.
fn never_known() -> PaymentBench {
    let mut bench = PaymentBench::begin();
    bench.answer(lost());
    let unknown = |kind| if kind == CallKind::Reverse { Says::Accepted } else { Says::NotFound };
    bench.until(40_000, unknown);
    assert_eq!(bench.state.wake_at(&RULES), Some(Millis(160_000)));
    bench
}

#[test]
fn a_recheck_is_one_question_at_its_time_or_when_a_person_asks() {
    let mut bench = never_known();
    let calls = bench.calls.len();
    bench.now = Millis(159_999);
    bench.handle(&Event::Tick);
    assert_eq!(bench.calls.len(), calls, "not yet");
    bench.handle(&Event::CheckNow);
    assert_eq!(bench.calls.len(), calls + 1, "a person asks");
    assert_eq!(bench.state.wake_at(&RULES), None, "the answer is awaited");
    bench.now = Millis(160_000);
    bench.handle(&Event::CheckNow);
    bench.handle(&Event::Tick);
    assert_eq!(bench.calls.len(), calls + 1, "one question at a time");
}

#[test]
fn an_answer_nobody_waits_for_reopens_nothing() {
    let mut bench = never_known();
    let stale = bench.last;
    bench.now = Millis(160_000);
    bench.handle(&Event::Tick);
    bench.handle(&Says::Paying.in_answer_to(stale));
    assert_eq!(bench.state.status(), Status::Reversed);
    assert_eq!(bench.answer(Says::Paying), Status::Reversing, "this one was asked for");
}

#[test]
fn cancelling_at_fifteen_seconds_need_not_wait() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    bench.now = Millis(15_000);
    bench.handle(&Event::Cancel);
    assert_eq!(bench.calls.last(), Some(&(15_000, CallKind::Query)));
}

#[test]
fn the_last_query_is_made_at_the_give_up_time_even_if_the_reversal_must_wait() {
    let rules = Rules { give_up_after: Millis::seconds(10), ..RULES };
    let mut state = State::begin(&rules, 0);
    let paying = |call| Says::Paying.in_answer_to(call);
    assert_eq!(state.step(&paying(Call::SUBMISSION), Millis(300), &rules), None);
    let call = state.step(&Event::Tick, Millis(10_000), &rules).unwrap();
    assert_eq!(call.kind, CallKind::Query);
    let call = state.step(&paying(call), Millis(10_100), &rules);
    assert_eq!((call, state.wake_at(&rules)), (None, Some(Millis(15_000))));
}

#[test]
fn a_held_back_reversal_leaves_on_time_whatever_the_interval() {
    use CallKind::{Query, Reverse};
    let rules = Rules { query_interval: Millis::seconds(4), ..RULES };
    let mut state = State::begin(&rules, 0);
    let paying = |call| Says::Paying.in_answer_to(call);
    assert_eq!(state.step(&paying(Call::SUBMISSION), Millis(300), &rules), None);
    assert_eq!(state.step(&Event::Cancel, Millis(1_000), &rules), None);
    let mut made = Vec::new();
    while made.iter().all(|(_, kind)| *kind == Query) {
        let now = state.wake_at(&rules).unwrap();
        let mut call = state.step(&Event::Tick, now, &rules);
        while let Some(asked) = call {
            made.push((now.0, asked.kind));
            assert!(made.len() < 10, "{made:?}");
            if asked.kind == Reverse {
                break;
            }
            call = state.step(&paying(asked), now, &rules);
        }
    }
    let expected =
        [(4_000, Query), (8_000, Query), (12_000, Query), (15_000, Query), (15_000, Reverse)];
    assert_eq!(made, expected);
}

#[test]
fn an_unsigned_refusal_is_asked_about_again_an_interval_later_and_not_at_once() {
    for (refused, next, status) in [
        (14_000, 19_000, Status::Checking),
        (15_000, 20_000, Status::Attention),
        (15_001, 20_000, Status::Attention),
    ] {
        let mut bench = PaymentBench::begin();
        bench.now = Millis(refused);
        bench.answer(Says::Unsigned(reason("refused")));
        assert_eq!(bench.answer(Says::Unsigned(reason("refused"))), status, "{refused}");
        assert_eq!(bench.state.wake_at(&RULES), Some(Millis(next)), "{refused}");
    }
}

#[test]
fn tills_that_wait_for_the_same_gateway_do_not_ask_in_step() {
    for wait in [5_000, 10_000, 20_000, 30_000] {
        let next = |jitter| {
            let mut state = State::begin(&RULES, jitter);
            let mut answer = Says::Paying.in_answer_to(Call::SUBMISSION);
            assert_eq!(state.step(&answer, Millis(300), &RULES), None);
            let (mut now, mut last) = (Millis(30_000), 0);
            while last < wait {
                let call = state.step(&Event::Tick, now, &RULES);
                answer = Says::Paying.in_answer_to(call.unwrap());
                let call = state.step(&answer, now, &RULES);
                answer = lost().in_answer_to(call.unwrap());
                assert_eq!(state.step(&answer, now, &RULES), None);
                let wake = state.wake_at(&RULES).unwrap();
                (last, now) = (wake.minus(now).0, wake);
            }
            last
        };
        assert_eq!(next(0), wait);
        assert!((wait + wait / 10..wait + wait / 8).contains(&next(127)), "{}", next(127));
        assert!((wait + wait / 5..=wait + wait / 4).contains(&next(255)), "{}", next(255));
    }
}

#[test]
fn a_person_may_ask_a_fifth_of_an_interval_after_the_last_question() {
    for (at, asked) in [(5_999, 1), (6_000, 2)] {
        let mut bench = PaymentBench::begin();
        bench.answer(Says::Paying);
        bench.until(5_000, |_| Says::Paying);
        bench.now = Millis(at);
        bench.handle(&Event::CheckNow);
        assert_eq!(bench.times(CallKind::Query).len(), asked, "{at}");
    }
}

#[test]
fn what_is_another_tills_is_neither_taken_nor_reversed() {
    let anothers = || Says::AnotherTills(reason("another_till"));
    // Refused as used, or its answer lost; found while pending, and while it is being reversed.
    for first in [Says::Ambiguous(reason("OUT_TRADE_NO_USED")), lost()] {
        for found_at in [5_000, 10_000, 25_000] {
            let mut bench = PaymentBench::begin();
            bench.answer(first.clone());
            if bench.last.kind == CallKind::Query {
                bench.answer(lost());
            }
            bench.until(found_at - 1, |kind| {
                assert_ne!(kind, CallKind::Reverse);
                lost()
            });
            bench.until(found_at, |_| anothers());
            assert_eq!(bench.state.status(), Status::Declined, "{first:?} {found_at}");
            assert_eq!(bench.state.money(), Funds::NotMoved);
            assert_eq!(bench.state.reason().unwrap().code(), "another_till");
            assert!(!bench.state.is_open());
        }
    }
}

#[test]
fn a_payment_that_another_till_made_under_our_number_is_not_taken() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Unknown(TillCause::AnotherTill.into()));
    assert_eq!(bench.last.kind, CallKind::Query, "asked about at once");
    bench.answer(Says::AnotherTills(TillCause::AnotherTill.into()));
    assert_eq!(bench.state.status(), Status::Declined);
    assert!(bench.times(CallKind::Reverse).is_empty());
}

#[test]
fn a_person_settles_only_what_needs_attention_and_the_money_stays_as_it_is_known() {
    let settled = || Event::Settled("refunded by hand".into());
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    let before = bench.state.clone();
    bench.handle(&settled());
    assert_eq!(bench.state, before, "a customer is being waited for");
    bench.until(40_000, |kind| match kind {
        CallKind::Reverse => Says::ReversalRefused(reason("TRADE_ERROR")),
        _ => Says::Paying,
    });
    assert_eq!(bench.state.status(), Status::Attention);
    bench.handle(&settled());
    assert_eq!(bench.state.status(), Status::Attention);
    assert_eq!(bench.state.money(), Funds::Unknown);
    let why = bench.state.reason().unwrap();
    assert_eq!((why.code(), why.text.as_str()), ("settled", "refunded by hand"));
    assert!(!bench.state.is_open() && !bench.state.may_be_charged_again());
    assert_eq!(bench.state.wake_at(&RULES), None);
}

#[test]
fn a_bill_is_no_proof_and_has_the_gateway_asked() {
    let day = crate::clock::Date::constant(2026, 11, 29);
    for listed in [true, false] {
        let billed = Event::Billed { day, listed };
        let mut bench = PaymentBench::begin();
        bench.answer(Says::Paying);
        bench.until(4_000, |_| Says::Paying);
        bench.handle(&billed);
        assert_eq!(bench.state.status(), Status::Waiting);
        assert_eq!(bench.last.kind, CallKind::Query);
        bench.answer(Says::Paid(proof()));
        assert_eq!(bench.state.status(), Status::Paid);

        let mut bench = PaymentBench::begin();
        bench.until(40_000, |kind| match kind {
            CallKind::Reverse => Says::ReversalRefused(reason("TRADE_ERROR")),
            _ => Says::Paying,
        });
        let queries = bench.times(CallKind::Query).len();
        bench.handle(&billed);
        assert_eq!(bench.state.status(), Status::Attention);
        assert_eq!(bench.times(CallKind::Query).len(), queries + 1);
    }
}
