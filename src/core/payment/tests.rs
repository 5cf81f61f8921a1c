//! Payments driven by scripted gateways: every path to an outcome, and the rules that always hold.

mod backend;
mod edges;
mod refunds;
mod report;
mod reversal;

use proptest::prelude::*;

use super::says::{Says, reason};
use super::*;
use crate::clock::{Millis, Timestamp};

const RULES: Rules = Rules {
    query_interval: Millis::seconds(5),
    give_up_after: Millis::seconds(30),
    reverse_not_before: Millis::seconds(15),
    attention_after: Millis::seconds(180),
};

/// More calls than an open payment makes in its seven days.
const MOST_CALLS: usize = 100_000;

/// Drives a payment as the till does, and answers its calls by a script.
struct PaymentBench {
    state: State,
    now: Millis,
    /// When each call was made, and its kind.
    calls: Vec<(u64, CallKind)>,
    last: Call,
}

impl PaymentBench {
    fn begin() -> Self {
        Self {
            state: State::begin(&RULES, 0),
            now: Millis(0),
            calls: vec![(0, CallKind::Submit)],
            last: Call::SUBMISSION,
        }
    }

    fn handle(&mut self, event: &Event) {
        if let Some(call) = self.state.step(event, self.now, &RULES) {
            self.calls.push((self.now.0, call.kind));
            self.last = call;
        }
    }

    /// Answers the latest call.
    fn answer(&mut self, answer: Says) -> Status {
        self.handle(&answer.in_answer_to(self.last));
        self.state.status()
    }

    fn answer_to(&mut self, number: u32, kind: CallKind, answer: Says) -> Status {
        self.handle(&answer.in_answer_to(Call { kind, number }));
        self.state.status()
    }

    /// Lets time pass until `end` milliseconds; every call meanwhile is answered at once.
    fn until(&mut self, end: u64, mut answers: impl FnMut(CallKind) -> Says) {
        let most = self.calls.len() + MOST_CALLS;
        loop {
            let wake = self.state.wake_at(&RULES).filter(|wake| wake.0 <= end);
            let Some(wake) = wake else { break };
            assert!(self.calls.len() < most, "the gateway is stormed");
            let before = (self.now, self.state.clone());
            self.now = wake.max(self.now);
            let made = self.calls.len();
            self.handle(&Event::Tick);
            let mut answered = made;
            while answered < self.calls.len() {
                assert!(self.calls.len() < most, "the gateway is stormed");
                answered = self.calls.len();
                let answer = answers(self.last.kind);
                self.answer(answer);
            }
            assert_ne!((self.now, &self.state), (before.0, &before.1), "a due tick did nothing");
        }
        self.now = Millis(end);
    }

    fn times(&self, kind: CallKind) -> Vec<u64> {
        self.calls.iter().filter(|(_, made)| *made == kind).map(|(at, _)| *at).collect()
    }
}

fn proof() -> Proof {
    let transaction_id = "4200002026112200000000000001".to_owned();
    Proof { transaction_id, paid_at: Timestamp(0), coupon: None }
}

fn lost() -> Says {
    Says::Unknown(reason("no_answer"))
}

/// A gateway on which nobody pays: the order is open until it is reversed.
fn nobody_pays() -> impl FnMut(CallKind) -> Says {
    let mut revoked = false;
    move |kind| match kind {
        CallKind::Reverse => {
            revoked = true;
            Says::Accepted
        }
        _ if revoked => Says::Ended(Ending::Revoked),
        _ => Says::Paying,
    }
}

#[test]
fn a_payment_without_password_is_one_request_and_a_verified_answer() {
    let mut bench = PaymentBench::begin();
    assert_eq!(bench.state.status(), Status::Sent);
    assert_eq!(bench.answer(Says::Paid(proof())), Status::Paid);
    assert_eq!(bench.state.proof(), Some(&proof()));
    assert_eq!(bench.calls.len(), 1);
    assert!(!bench.state.is_open());
    assert_eq!(bench.state.wake_at(&RULES), None);
}

#[test]
fn a_password_is_asked_about_every_five_seconds_and_once_more_at_thirty_before_the_reversal() {
    let mut bench = PaymentBench::begin();
    assert_eq!(bench.answer(Says::Paying), Status::Waiting);
    bench.until(30_000, nobody_pays());
    let asked = bench.times(CallKind::Query);
    assert_eq!(asked, [5_000, 10_000, 15_000, 20_000, 25_000, 30_000, 30_000]);
    assert_eq!(bench.times(CallKind::Reverse), [30_000]);
    assert_eq!(bench.state.status(), Status::Reversed);
    assert_eq!(bench.state.reason().unwrap().code(), "timeout");
}

#[test]
fn a_customer_who_pays_at_the_last_query_has_paid() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    bench.until(29_999, |_| Says::Paying);
    bench.until(30_000, |_| Says::Paid(proof()));
    assert_eq!(bench.state.status(), Status::Paid);
    assert_eq!(bench.times(CallKind::Reverse).len(), 0);
}

#[test]
fn the_customers_refusal_ends_the_wait_at_once() {
    for (answer, status) in [
        (Says::Failed(reason("PAYERROR")), Status::Reversing),
        (Says::Ended(Ending::Revoked), Status::Reversed),
        (Says::Ended(Ending::Closed), Status::Declined),
        (Says::Ended(Ending::Returned), Status::Reversed),
        (Says::Ended(Ending::Refunded), Status::Reversing),
    ] {
        let mut bench = PaymentBench::begin();
        bench.answer(Says::Paying);
        bench.now = Millis(5_000);
        bench.handle(&Event::Tick);
        assert_eq!(bench.answer(answer.clone()), status, "{answer:?}");
        assert_eq!(bench.state.is_open(), status == Status::Reversing);
    }
}

#[test]
fn payerror_is_reversed_but_not_before_fifteen_seconds() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    let mut gateway = nobody_pays();
    bench.until(20_000, |kind| match gateway(kind) {
        Says::Paying => Says::Failed(reason("PAYERROR")),
        other => other,
    });
    assert_eq!(bench.times(CallKind::Reverse), [15_000]);
    assert_eq!(bench.state.status(), Status::Reversed);
    assert_eq!(bench.state.reason().unwrap().code(), "PAYERROR");
}

#[test]
fn cancelling_at_once_still_leaves_the_gateway_fifteen_seconds_and_asks_last() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    bench.now = Millis(3_000);
    bench.handle(&Event::Cancel);
    assert_eq!(bench.state.status(), Status::Reversing);
    assert_eq!(bench.state.outlook(&RULES).reverses_at, Some(Millis(15_000)));
    bench.until(15_000, nobody_pays());
    assert_eq!(bench.times(CallKind::Query), [5_000, 10_000, 15_000, 15_000]);
    assert_eq!(bench.times(CallKind::Reverse), [15_000]);
    assert_eq!(bench.state.status(), Status::Reversed);
    assert_eq!(bench.state.reason().unwrap().code(), "cancelled");
}

#[test]
fn cancelling_later_checks_at_once_and_a_payment_found_then_wins() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    bench.now = Millis(16_000);
    bench.handle(&Event::Cancel);
    assert_eq!(bench.calls.last(), Some(&(16_000, CallKind::Query)));
    bench.handle(&Event::Cancel);
    assert_eq!(bench.calls.len(), 2, "a second Esc changes nothing");
    assert_eq!(bench.answer(Says::Paid(proof())), Status::Paid);
}

#[test]
fn a_certain_failure_is_shown_at_once_confirmed_once_and_closed_in_the_background() {
    let mut bench = PaymentBench::begin();
    bench.now = Millis(200);
    assert_eq!(bench.answer(Says::Declined(reason("NOTENOUGH"))), Status::Declined);
    assert!(bench.state.is_open() && bench.state.is_settled());
    assert_eq!(bench.calls.last(), Some(&(200, CallKind::Query)));
    bench.answer(Says::NotPaid);
    assert_eq!(bench.state.wake_at(&RULES), Some(Millis(15_000)));
    let mut gateway = nobody_pays();
    bench.until(20_000, |kind| match gateway(kind) {
        Says::Paying => Says::NotPaid,
        other => other,
    });
    assert_eq!(bench.times(CallKind::Reverse), [15_000]);
    assert_eq!(bench.state.status(), Status::Declined);
    assert_eq!(bench.state.reason().unwrap().code(), "NOTENOUGH");
    assert!(!bench.state.is_open());
}

#[test]
fn money_found_behind_a_refusal_is_sent_back_and_shown() {
    for found in [Says::Paid(proof()), Says::Paying] {
        let mut bench = PaymentBench::begin();
        bench.answer(Says::Declined(reason("TRADE_ERROR")));
        assert_eq!(bench.answer(found), Status::Reversing);
        let mut reversed = false;
        bench.until(20_000, |kind| match kind {
            CallKind::Reverse => {
                reversed = true;
                Says::Accepted
            }
            _ if reversed => Says::Ended(Ending::Returned),
            _ => Says::Paid(proof()),
        });
        assert_eq!(bench.state.status(), Status::Reversed);
        assert_eq!(bench.state.money(), Funds::Returned);
    }
}

#[test]
fn query_first_codes_are_settled_by_a_query_and_an_absence_only_after_the_interval() {
    for (found, at_once, later) in [
        (Says::Paid(proof()), Status::Paid, Status::Paid),
        (Says::NotFound, Status::Checking, Status::Checking),
        (Says::NotPaid, Status::Checking, Status::Declined),
        (Says::Ended(Ending::Closed), Status::Declined, Status::Declined),
        (Says::Paying, Status::Waiting, Status::Waiting),
        (lost(), Status::Checking, Status::Checking),
    ] {
        for refusal in [Says::Ambiguous(reason("ORDERPAID")), Says::Unsigned(reason("refused"))] {
            let mut bench = PaymentBench::begin();
            bench.now = Millis(100);
            assert_eq!(bench.answer(refusal), Status::Checking);
            assert_eq!(bench.calls.last(), Some(&(100, CallKind::Query)));
            assert_eq!(bench.answer(found.clone()), at_once, "{found:?}");
            bench.until(5_099, |_| found.clone());
            assert_eq!(bench.state.status(), at_once, "{found:?}");
            bench.until(5_100, |_| found.clone());
            assert_eq!(bench.state.status(), later, "{found:?}");
        }
    }
}

#[test]
fn absence_behind_a_refusal_counts_only_when_no_copy_can_be_on_its_way() {
    for refusal in [Says::Ambiguous(reason("ORDERPAID")), Says::Unsigned(reason("refused"))] {
        let mut bench = PaymentBench::begin();
        bench.now = Millis(2_000);
        bench.answer(refusal);
        bench.answer(Says::NotFound);
        bench.until(14_999, |_| Says::NotFound);
        assert_eq!(bench.state.status(), Status::Checking);
        bench.until(15_000, |_| Says::NotFound);
        assert_eq!(bench.state.status(), Status::Declined);
    }
}

#[test]
fn a_live_prompt_behind_an_unsigned_refusal_is_found() {
    let mut bench = PaymentBench::begin();
    bench.now = Millis(200);
    bench.answer(Says::Unsigned(reason("refused")));
    assert_eq!(bench.answer(Says::NotFound), Status::Checking);
    bench.until(5_200, |_| Says::Paying);
    assert_eq!(bench.state.status(), Status::Waiting);
    bench.until(10_000, |_| Says::Paid(proof()));
    assert_eq!(bench.state.status(), Status::Paid);
}

#[test]
fn only_refusals_that_last_say_that_the_set_up_is_wrong() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Unsigned(reason("refused")));
    assert_eq!(bench.answer(Says::Unsigned(reason("refused"))), Status::Checking);
    bench.until(14_000, |_| Says::Unsigned(reason("refused")));
    assert_eq!(bench.state.status(), Status::Checking);
    bench.until(15_000, |_| Says::Unsigned(reason("refused")));
    assert_eq!(bench.state.status(), Status::Attention);
    assert_eq!(bench.state.reason().unwrap().code(), "configuration");
    assert!(bench.state.is_open(), "the work goes on");
    bench.until(40_000, nobody_pays());
    assert_eq!(bench.state.status(), Status::Reversed);
}

#[test]
fn what_never_left_is_not_paid_and_over() {
    let mut bench = PaymentBench::begin();
    let status = bench.answer(Says::NotSent(reason("no_connection")));
    assert_eq!(status, Status::Declined);
    assert!(!bench.state.is_open());
    assert_eq!(bench.calls.len(), 1);
}

#[test]
fn what_never_left_ends_even_a_payment_the_cashier_cancelled() {
    let mut bench = PaymentBench::begin();
    bench.now = Millis(1_000);
    bench.handle(&Event::Cancel);
    let status = bench.answer_to(0, CallKind::Submit, Says::NotSent(reason("no_connection")));
    assert_eq!(status, Status::Declined);
}

#[test]
fn every_unclear_answer_is_asked_about_and_never_not_paid() {
    for answer in [lost(), Says::NotFound, Says::NotPaid, Says::Accepted] {
        let mut bench = PaymentBench::begin();
        assert_eq!(bench.answer(answer.clone()), Status::Checking, "{answer:?}");
        bench.until(29_000, |_| Says::NotFound);
        assert_eq!(bench.state.status(), Status::Checking, "a query is no fence");
        bench.until(31_000, |_| lost());
        assert_eq!(bench.state.status(), Status::Reversing);
    }
}

#[test]
fn a_slow_gateway_is_asked_one_question_at_a_time() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    for at in [5_000, 10_000, 15_000] {
        bench.now = Millis(at);
        bench.handle(&Event::Tick);
    }
    assert_eq!(bench.times(CallKind::Query), [5_000]);
    bench.now = Millis(16_000);
    bench.answer(Says::Paying);
    bench.until(20_000, |_| Says::Paying);
    assert_eq!(bench.times(CallKind::Query), [5_000, 20_000]);
}

#[test]
fn a_restart_checks_at_once_and_never_submits_again() {
    let mut bench = PaymentBench::begin();
    bench.now = Millis(7_000);
    bench.handle(&Event::Restarted { oldest: Millis(7_000) });
    assert_eq!(bench.state.status(), Status::Checking);
    assert_eq!(bench.calls.last(), Some(&(7_000, CallKind::Query)));
    assert_eq!(bench.answer(Says::Paid(proof())), Status::Paid);
}

#[test]
fn a_restart_past_the_end_asks_once_and_reverses() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    bench.now = Millis(60_000);
    bench.handle(&Event::Restarted { oldest: Millis(60_000) });
    assert_eq!(bench.calls.last(), Some(&(60_000, CallKind::Query)));
    bench.answer(Says::Paying);
    assert_eq!(bench.calls.last(), Some(&(60_000, CallKind::Reverse)));
}

#[test]
fn after_a_restart_a_fresh_payment_counts_and_an_old_one_goes_back() {
    for (oldest, status) in [(60_000, Status::Paid), (3_600_000, Status::Reversing)] {
        let mut bench = PaymentBench::begin();
        bench.now = Millis(31_000);
        bench.handle(&Event::Restarted { oldest: Millis(oldest) });
        assert_eq!(bench.answer(Says::Paid(proof())), status);
    }
}

#[test]
fn after_a_restart_of_unknown_length_the_fifteen_seconds_are_kept() {
    let mut bench = PaymentBench::begin();
    bench.now = Millis(2_000);
    bench.handle(&Event::Restarted { oldest: Millis(u64::MAX) });
    bench.answer(Says::Paying);
    bench.until(14_999, |_| Says::Paying);
    assert_eq!(bench.times(CallKind::Reverse).len(), 0);
    bench.until(15_000, nobody_pays());
    assert_eq!(bench.times(CallKind::Reverse), [15_000]);
}

#[test]
fn asking_now_asks_now_and_only_one_question() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Paying);
    bench.now = Millis(2_000);
    bench.handle(&Event::CheckNow);
    bench.handle(&Event::CheckNow);
    assert_eq!(bench.times(CallKind::Query), [2_000]);
}

#[test]
fn asking_by_hand_does_not_shorten_the_time_between_two_answers_of_no_such_order() {
    let mut bench = PaymentBench::begin();
    bench.answer(lost());
    bench.now = Millis(30_000);
    bench.handle(&Event::Tick);
    bench.answer(Says::NotFound);
    bench.answer(Says::Accepted);
    bench.answer(Says::NotFound);
    for pressed in [30_200, 36_000] {
        bench.now = Millis(pressed);
        bench.handle(&Event::CheckNow);
        assert_eq!(bench.answer(Says::NotFound), Status::Reversing, "{pressed}");
    }
    bench.until(40_000, |_| Says::NotFound);
    assert_eq!(bench.state.status(), Status::Reversed);
}

#[test]
fn the_gateway_is_asked_at_once_when_the_till_starts_again() {
    let mut bench = PaymentBench::begin();
    bench.answer(lost());
    // Another boot: old by the wall clock, three seconds by what is certain.
    bench.now = Millis(3_000);
    let calls = bench.calls.len();
    bench.handle(&Event::Restarted { oldest: Millis::seconds(3_600) });
    assert_eq!(bench.calls.len(), calls + 1);
}

#[test]
fn what_stands_in_the_way_of_a_reversal_is_the_reason_that_is_shown() {
    let mut bench = PaymentBench::begin();
    bench.answer(lost());
    bench.until(300_000, |kind| match kind {
        CallKind::Reverse => Says::Unknown(reason("certificate")),
        _ => Says::NotFound,
    });
    assert_eq!(bench.state.status(), Status::Attention);
    assert_eq!(bench.state.reason().unwrap().code(), "certificate");
    bench.until(400_000, nobody_pays());
    assert_eq!(bench.state.reason().unwrap().code(), "no_answer", "why it was reversed");
}

#[test]
fn money_that_had_moved_behind_a_refusal_is_shown_before_it_is_reversed() {
    let mut bench = PaymentBench::begin();
    bench.answer(Says::Declined(reason("NOTENOUGH")));
    assert_eq!(bench.answer(Says::Ended(Ending::Returned)), Status::Reversing);
    assert_eq!(bench.answer(Says::Ended(Ending::Returned)), Status::Reversed);
    assert_eq!(bench.state.money(), Funds::Returned);
}

fn any_answer() -> impl Strategy<Value = Says> {
    prop_oneof![
        Just(Says::Paid(proof())),
        Just(Says::Paying),
        Just(Says::NotPaid),
        Just(Says::Failed(reason("PAYERROR"))),
        Just(Says::Ended(Ending::Revoked)),
        any::<bool>().prop_map(|closed| Says::TookNothing { reason: reason("NOTENOUGH"), closed }),
        Just(Says::Returning),
        Just(Says::Ended(Ending::Returned)),
        Just(Says::Ended(Ending::Refunded)),
        Just(Says::Refunds(Refunds::Whole)),
        Just(Says::Refunds(Refunds::Part(TillCause::PartlyRefunded.into()))),
        Just(Says::Refunds(Refunds::None)),
        Just(Says::Refunds(Refunds::Untold)),
        Just(Says::NotFound),
        Just(Says::Declined(reason("NOTENOUGH"))),
        Just(Says::Ambiguous(reason("ORDERPAID"))),
        Just(Says::Unsigned(reason("refused"))),
        Just(Says::Accepted),
        Just(Says::Repeat(reason("recall"))),
        Just(Says::ReversalRefused(reason("TRADE_ERROR"))),
        Just(Says::Expired(reason("REVERSE_EXPIRE"))),
        Just(Says::NotSent(reason("no_connection"))),
        Just(lost()),
    ]
}

fn any_event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![
        2 => Just(CallKind::Query),
        2 => Just(CallKind::Reverse),
        1 => Just(CallKind::RefundQuery),
    ];
    let call = (0_u32..6, kind);
    prop_oneof![
        8 => (call, any_answer()).prop_map(|((number, kind), answer)| {
            let kind = if number == 0 { CallKind::Submit } else { kind };
            answer.in_answer_to(Call { kind, number })
        }),
        6 => Just(Event::Tick),
        1 => Just(Event::Cancel),
        1 => Just(Event::CheckNow),
        1 => (0_u64..100_000).prop_map(|oldest| Event::Restarted { oldest: Millis(oldest) }),
    ]
}

proptest! {
    /// The rules that hold whatever happens, in any order.
    #[test]
    fn no_order_of_events_breaks_the_rules(
        events in prop::collection::vec((0_u64..9_000, any_event()), 1..60)
    ) {
        let mut state = State::begin(&RULES, 77);
        let mut now = Millis(0);
        let mut reversed = false;
        let mut paid = false;
        for (pause, event) in events {
            now = now.plus(Millis(pause));
            let before = state.clone();
            let mut next = state.clone();
            let call = next.step(&event, now, &RULES);
            // One micropay, ever, and no reversal before its time.
            prop_assert_ne!(call.map(|call| call.kind), Some(CallKind::Submit));
            if call.is_some_and(|call| call.kind == CallKind::Reverse) {
                prop_assert!(now >= RULES.reverse_not_before);
                prop_assert!(!paid);
                reversed = true;
            }
            if let (Some(call), true) = (call, before.calls == 0) {
                prop_assert_ne!(call.number, 0);
            }
            if next.status() == Status::Paid {
                prop_assert!(!reversed, "paid after a reversal was on the wire");
                paid = true;
            }
            prop_assert!(!paid || next.status() == Status::Paid, "nothing leaves paid");
            if matches!(before.status(), Status::Declined | Status::Reversed) {
                let after = next.status();
                prop_assert!(after == before.status() || after == Status::Reversing);
            }
            // A step depends only on its arguments, and its result survives serialization.
            let text = serde_json::to_string(&next).unwrap();
            prop_assert_eq!(&serde_json::from_str::<State>(&text).unwrap(), &next);
            let mut again = before.clone();
            prop_assert_eq!((again.step(&event, now, &RULES), &again), (call, &next));
            state = next;
        }
    }

    /// A tick that is due always moves on: no till spins.
    #[test]
    fn a_due_tick_moves_the_payment_on(
        events in prop::collection::vec((0_u64..40_000, any_event()), 1..40)
    ) {
        let mut state = State::begin(&RULES, 0);
        let mut now = Millis(0);
        for (pause, event) in events {
            now = now.plus(Millis(pause));
            let _ = state.step(&event, now, &RULES);
            for _ in 0..3 {
                if state.wake_at(&RULES).is_none_or(|wake| wake > now) {
                    break;
                }
                let _ = state.step(&Event::Tick, now, &RULES);
            }
            prop_assert!(state.wake_at(&RULES).is_none_or(|wake| wake > now), "{:?}", state);
        }
    }
}
