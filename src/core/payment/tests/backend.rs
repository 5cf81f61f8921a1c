//! A till behind its merchant's backend, which reverses by itself; and what only the backend does.

use super::*;

/// As a till behind a backend has them: the backend decides first, and no reversal is too early.
const BEHIND: Rules = Rules {
    query_interval: Millis::seconds(5),
    give_up_after: Millis::seconds(32),
    reverse_not_before: Millis(0),
    attention_after: Millis::seconds(180),
};

/// A payment whose answer was lost, with a query out at this time.
fn queried_at(seconds: u64) -> PaymentBench {
    let mut bench = PaymentBench::begin();
    bench.answer(lost());
    bench.now = Millis::seconds(seconds);
    bench.handle(&Event::Tick);
    assert_eq!(bench.last.kind, CallKind::Query);
    bench
}

/// The same, given up by the cashier.
fn reversing() -> PaymentBench {
    let mut bench = queried_at(20);
    bench.answer(Says::Paying);
    bench.handle(&Event::Cancel);
    assert_eq!(bench.state.status(), Status::Reversing);
    bench
}

/// The same, shown as not paid.
fn declined() -> PaymentBench {
    let mut bench = PaymentBench::begin();
    assert_eq!(bench.answer(Says::Declined(reason("NOTENOUGH"))), Status::Declined);
    bench
}

fn took_nothing(closed: bool) -> Says {
    Says::TookNothing { reason: reason("NOTENOUGH"), closed }
}

#[test]
fn what_somebody_reversed_meanwhile_is_reversed_and_may_be_charged_again() {
    let mut bench = queried_at(5);
    assert_eq!(bench.answer(Says::Ended(Ending::Revoked)), Status::Reversed);
    assert_eq!(bench.state.money(), Funds::NotMoved);
    assert!(bench.state.may_be_charged_again() && !bench.state.is_open());
    let mut closed = queried_at(5);
    assert_eq!(closed.answer(Says::Ended(Ending::Closed)), Status::Declined);
    assert!(closed.state.may_be_charged_again());
}

#[test]
fn money_that_is_being_returned_is_shown_as_such_whatever_was_shown_before() {
    for mut bench in [queried_at(5), reversing(), declined()] {
        assert_eq!(bench.answer(Says::Returning), Status::Reversing);
        assert_eq!(bench.state.money(), Funds::Held);
        assert!(!bench.state.may_be_charged_again());
        assert_eq!(bench.times(CallKind::Reverse), [0; 0], "whoever returns it is at it");
        // It does not become ours any more, and it does not vanish.
        bench.until(60_000, |_| Says::Paid(proof()));
        assert_eq!(bench.state.status(), Status::Reversing);
        bench.until(120_000, |_| took_nothing(true));
        assert_eq!(bench.state.money(), Funds::Held);
        bench.until(180_000, |_| Says::Ended(Ending::Returned));
        assert_eq!(
            (bench.state.status(), bench.state.money()),
            (Status::Reversed, Funds::Returned)
        );
    }
}

#[test]
fn money_that_does_not_come_back_needs_attention() {
    let mut bench = queried_at(5);
    bench.answer(Says::Returning);
    bench.until(600_000, |_| Says::Returning);
    assert_eq!((bench.state.status(), bench.state.money()), (Status::Attention, Funds::Held));
    assert!(bench.state.is_open());
}

#[test]
fn money_that_turns_up_at_a_late_look_is_being_returned() {
    let mut bench = queried_at(25);
    bench.answer(Says::NotFound);
    bench.until(300_000, |kind| match kind {
        CallKind::Reverse => Says::Accepted,
        _ => Says::NotFound,
    });
    assert!(bench.state.is_to_be_rechecked());
    bench.handle(&Event::CheckNow);
    assert_eq!(bench.answer(Says::Returning), Status::Reversing);
    assert_eq!(bench.state.money(), Funds::Held);
}

#[test]
fn a_refusal_whose_answer_was_lost_is_shown_at_once_and_its_number_closed_in_the_background() {
    for mut bench in [queried_at(5), reversing(), declined()] {
        assert_eq!(bench.answer(took_nothing(false)), Status::Declined);
        assert_eq!(bench.state.reason().unwrap().code(), "NOTENOUGH");
        assert!(bench.state.may_be_charged_again() && bench.state.is_open());
        if bench.last.kind == CallKind::Reverse {
            bench.answer(Says::Repeat(reason("in_progress")));
        }
        bench.until(40_000, |kind| match kind {
            CallKind::Reverse => Says::Repeat(reason("in_progress")),
            _ => took_nothing(false),
        });
        assert_eq!(bench.state.status(), Status::Declined);
        bench.until(100_000, |kind| match kind {
            CallKind::Reverse => Says::Accepted,
            _ => took_nothing(true),
        });
        assert_eq!(bench.state.status(), Status::Declined);
        assert_eq!(bench.state.reason().unwrap().code(), "NOTENOUGH");
        assert!(!bench.state.is_open());
    }
}

#[test]
fn a_refusal_of_a_number_that_is_closed_already_ends_it() {
    for mut bench in [queried_at(5), reversing(), declined()] {
        assert_eq!(bench.answer(took_nothing(true)), Status::Declined);
        assert_eq!(bench.state.reason().unwrap().code(), "NOTENOUGH");
        assert!(!bench.state.is_open());
    }
}

#[test]
fn behind_a_backend_a_cancelled_payment_is_reversed_without_waiting() {
    let mut state = State::begin(&BEHIND, 0);
    let _ = state.step(&Says::Paying.in_answer_to(Call::SUBMISSION), Millis(200), &BEHIND);
    let query = state.step(&Event::Cancel, Millis(900), &BEHIND).unwrap();
    assert_eq!(query.kind, CallKind::Query);
    let reverse = state.step(&Says::Paying.in_answer_to(query), Millis(950), &BEHIND).unwrap();
    assert_eq!(reverse.kind, CallKind::Reverse);
    let query = state.step(&Says::Accepted.in_answer_to(reverse), Millis(990), &BEHIND).unwrap();
    let revoked = Says::Ended(Ending::Revoked).in_answer_to(query);
    assert_eq!(state.step(&revoked, Millis(1_000), &BEHIND), None);
    assert_eq!(state.status(), Status::Reversed);
    assert_eq!(state.reason().unwrap().code(), "cancelled");
}

#[test]
fn what_is_refused_before_it_is_sent_is_closed_from_the_start() {
    let mut state = State::refused(reason("limit"));
    assert_eq!((state.status(), state.money()), (Status::Declined, Funds::NotMoved));
    assert_eq!(state.reason().unwrap().code(), "limit");
    assert!(!state.is_open() && !state.is_to_be_rechecked());
    assert_eq!(state.wake_at(&RULES), None);
    let before = state.clone();
    let restarted = Event::Restarted { oldest: Millis(0) };
    for event in [Event::Tick, Event::CheckNow, Event::Cancel, restarted] {
        assert_eq!(state.step(&event, Millis(90_000), &RULES), None);
        assert_eq!(state, before);
    }
}

#[test]
fn a_payment_that_its_till_never_saw_is_taken_back_until_the_money_is_returned() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paid(proof()));
    bench.now = Millis(2_000);
    let call = bench.state.take_back(bench.now, &RULES).unwrap();
    assert_eq!(call.kind, CallKind::Query);
    bench.last = call;
    assert_eq!((bench.state.status(), bench.state.money()), (Status::Reversing, Funds::Held));
    assert_eq!(bench.answer(Says::Paid(proof())), Status::Reversing, "it is given up for good");
    let mut is_reversed = false;
    bench.until(60_000, |kind| match kind {
        CallKind::Reverse => {
            is_reversed = true;
            Says::Accepted
        }
        _ if is_reversed => Says::Ended(Ending::Returned),
        _ => Says::Paid(proof()),
    });
    assert_eq!(bench.times(CallKind::Reverse), [15_000]);
    assert_eq!((bench.state.status(), bench.state.money()), (Status::Reversed, Funds::Returned));
}

#[test]
fn nothing_but_a_paid_micropay_can_be_taken_back() {
    let begun = State::begin(&RULES, 0);
    let mut qr = State::begin_qr(Millis::seconds(7_200), 0);
    let paid = Says::Paid(proof()).to(CallKind::Query);
    let code = "weixin://wxpay/bizpayurl?pr=1".to_owned().try_into().unwrap();
    let _ = qr.step(&Says::Code(code).in_answer_to(QrState::FIRST), Millis(1), &RULES);
    let _ = qr.step(&Event::Answered(9, paid), Millis(2), &RULES);
    assert_eq!(qr.status(), Status::Paid);
    for mut state in [begun, qr, declined().state, State::refused(reason("limit"))] {
        let before = state.clone();
        assert_eq!(state.take_back(Millis(2_000), &RULES), None);
        assert_eq!(state, before);
    }
}

#[test]
fn what_the_gateway_tells_unasked_pays_what_is_still_hoped_for() {
    for mut bench in [PaymentBench::begin(), queried_at(5)] {
        assert_eq!(bench.state.notified(&proof(), bench.now, &RULES), None);
        assert_eq!(bench.state.status(), Status::Paid);
        assert_eq!(bench.state.notified(&proof(), bench.now, &RULES), None);
        assert_eq!(bench.state.proof(), Some(&proof()));
    }
}

#[test]
fn a_payment_that_was_over_and_is_told_of_goes_back_and_is_asked_about_first() {
    let mut closed = queried_at(5);
    closed.answer(Says::Ended(Ending::Closed));
    let mut reversed = queried_at(5);
    reversed.answer(Says::Ended(Ending::Revoked));
    for mut bench in [closed, reversed] {
        let call = bench.state.notified(&proof(), bench.now, &RULES).unwrap();
        assert_eq!(call.kind, CallKind::Query);
        bench.last = call;
        assert_eq!((bench.state.status(), bench.state.money()), (Status::Reversing, Funds::Held));
        let mut returned = bench.state.clone();
        bench.answer(Says::Ended(Ending::Returned));
        assert_eq!(bench.state.money(), Funds::Returned);
        // Told again of the time before.
        let before = bench.state.clone();
        assert_eq!(bench.state.notified(&proof(), bench.now, &RULES), None);
        assert_eq!(bench.state, before);
        let event = Says::Paid(proof()).in_answer_to(call);
        let call = returned.step(&event, Millis::seconds(20), &RULES).unwrap();
        assert_eq!(call.kind, CallKind::Reverse);
    }
}
