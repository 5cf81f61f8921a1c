//! The refund machine: every transition, and what no order of events may break.

mod limits;
mod told;

use proptest::prelude::*;

use super::*;
use crate::clock::{Millis, Timestamp};
use crate::money::Money;
use crate::order::OutTradeNo;
use crate::payment::{Inconclusive, Reason, Rules, TillCause};

const RULES: Rules = Rules {
    query_interval: Millis::seconds(5),
    give_up_after: Millis::seconds(30),
    reverse_not_before: Millis::seconds(15),
    attention_after: Millis::seconds(180),
};

fn money(minor: i64) -> Money {
    Money::from_minor(minor)
}

fn number(of: &str) -> OutRefundNo {
    OutRefundNo::try_from(of.to_owned()).unwrap()
}

fn plan(amount: i64) -> RefundPlan {
    RefundPlan { amount: money(amount), paid: money(1234), earlier: Vec::new() }
}

fn page(total: u32, refunds: &[(&str, i64, bool)]) -> RefundAnswer {
    let refund = |(number, amount, counts): &(&str, i64, bool)| KnownRefund {
        number: (*number).to_owned(),
        amount: money(*amount),
        counts: *counts,
    };
    let refunds = refunds.iter().map(refund).collect();
    RefundAnswer::Looked(Looked::Page(RefundPage { total, refunds }))
}

fn nothing_yet() -> RefundAnswer {
    page(0, &[])
}

fn why(code: &str) -> Reason {
    Reason::gateway(code, "")
}

fn said(said: RefundSaid) -> RefundAnswer {
    RefundAnswer::Said(said)
}

fn queried(queried: Queried) -> RefundAnswer {
    RefundAnswer::Queried(queried)
}

fn lost() -> RefundAnswer {
    said(RefundSaid::Inconclusive(Inconclusive::Unknown(TillCause::NoAnswer.into())))
}

fn done() -> RefundAnswer {
    let refund_id = "50000000000000000000000000001".to_owned();
    queried(Queried::Done(RefundProof { refund_id, done_at: Timestamp(1) }))
}

/// A refund with its clock and the call that was made last.
struct Bench {
    state: RefundState,
    now: Millis,
    call: Option<RefundCall>,
}

impl Bench {
    fn new(plan: RefundPlan) -> Self {
        let state = RefundState::begin(plan, 0);
        Self { state, now: Millis(0), call: Some(RefundState::FIRST) }
    }

    /// Whose look has found nothing, so that its refund is out.
    fn sent(amount: i64) -> Self {
        let mut bench = Self::new(plan(amount));
        bench.answer(nothing_yet());
        assert_eq!(bench.kind(), Some(RefundCallKind::Refund));
        assert_eq!(bench.state.status(), RefundStatus::Sent);
        bench
    }

    fn kind(&self) -> Option<RefundCallKind> {
        self.call.map(|call| call.kind)
    }

    fn event(&mut self, event: &RefundEvent) {
        self.call = self.state.step(event, self.now, &RULES);
    }

    fn answer(&mut self, answer: RefundAnswer) {
        let number = self.state.awaited().expect("a call is awaited").number;
        self.event(&RefundEvent::Answered(number, answer));
    }

    /// To the next tick that is due; how long that took.
    fn tick(&mut self) -> u64 {
        let at = self.state.wake_at(&RULES).expect("it goes on");
        let waited = at.minus(self.now).0 / 1000;
        self.now = self.now.max(at);
        self.event(&RefundEvent::Tick);
        waited
    }

    /// The next query is answered like this.
    fn query(&mut self, answer: Queried) -> u64 {
        let waited = self.tick();
        assert_eq!(self.kind(), Some(RefundCallKind::Query));
        self.answer(queried(answer));
        waited
    }
}

#[test]
fn accepted_is_not_done_and_is_asked_about_ever_more_rarely_until_it_is() {
    let mut bench = Bench::sent(1234);
    bench.answer(said(RefundSaid::Accepted));
    assert_eq!((bench.state.status(), bench.call), (RefundStatus::Accepted, None));
    let waits: Vec<u64> = (0..13).map(|_| bench.query(Queried::Processing)).collect();
    let hour = 3_600;
    let expected =
        [5, 10, 30, 60, 120, 300, 600, 1_200, hour, 2 * hour, 6 * hour, 24 * hour, 24 * hour];
    assert_eq!(waits, expected);
    assert!(bench.state.is_open() && !bench.state.is_unclear());
    bench.tick();
    bench.answer(done());
    assert_eq!(bench.state.status(), RefundStatus::Done);
    assert!(!bench.state.is_open() && bench.state.proof().is_some());
    assert_eq!(bench.state.wake_at(&RULES), None);
}

#[test]
fn what_the_gateway_closes_or_cannot_deliver_needs_a_person() {
    for (answer, code, is_open, counts) in
        [(Queried::Closed, "REFUNDCLOSE", false, false), (Queried::Abnormal, "CHANGE", true, true)]
    {
        let mut bench = Bench::sent(500);
        bench.answer(said(RefundSaid::Accepted));
        bench.query(answer);
        assert_eq!(bench.state.status(), RefundStatus::Attention);
        assert_eq!(bench.state.reason().unwrap().code(), code);
        assert_eq!((bench.state.is_open(), bench.state.counts()), (is_open, counts));
    }
    // The shop has sent it in another way.
    let mut bench = Bench::sent(500);
    bench.answer(said(RefundSaid::Accepted));
    bench.query(Queried::Abnormal);
    bench.tick();
    bench.answer(done());
    assert_eq!(bench.state.status(), RefundStatus::Done);
}

#[test]
fn a_person_settles_what_needs_one_and_nothing_else() {
    let settled = RefundEvent::Settled("in cash".into());
    let mut bench = Bench::sent(234);
    let before = bench.state.clone();
    assert_eq!(bench.state.step(&settled, bench.now, &RULES), None);
    assert_eq!(bench.state, before, "it may still end by itself");
    bench.answer(said(RefundSaid::Accepted));
    bench.query(Queried::Abnormal);
    assert_eq!(bench.state.step(&settled, bench.now, &RULES), None);
    assert_eq!(bench.state.status(), RefundStatus::Attention);
    assert!(!bench.state.is_open() && bench.state.wake_at(&RULES).is_none());
    assert!(bench.state.counts(), "its money may be with the customer");
}

#[test]
fn nothing_leaves_before_the_look_and_nothing_at_all_if_it_fails_for_half_a_minute() {
    let mut bench = Bench::new(plan(1234));
    let failed = RefundAnswer::Looked(Looked::Inconclusive(Inconclusive::Unknown(
        TillCause::NoConnection.into(),
    )));
    let mut looks = 0;
    while bench.state.is_open() {
        if bench.state.awaited().is_some() {
            looks += 1;
            bench.answer(failed.clone());
            assert_eq!(bench.state.status(), RefundStatus::Checking);
        }
        bench.tick();
        assert_ne!(bench.kind(), Some(RefundCallKind::Refund));
    }
    assert_eq!((bench.state.status(), looks), (RefundStatus::Refused, 6));
    assert!(bench.state.reason().unwrap().is(TillCause::NoConnection));
    assert!(!bench.state.counts());
    // One that is never answered.
    let mut bench = Bench::new(plan(1234));
    assert_eq!(bench.tick(), 30);
    assert_eq!(bench.state.status(), RefundStatus::Refused);
    assert!(bench.state.reason().unwrap().is(TillCause::NoAnswer));
    // Its answer comes too late.
    bench.event(&RefundEvent::Answered(0, nothing_yet()));
    assert_eq!((bench.state.status(), bench.call), (RefundStatus::Refused, None));
}

#[test]
fn what_was_refunded_elsewhere_is_noticed_and_no_more_than_is_left_is_asked_for() {
    let ours = number("T01-000001R010001");
    let booked = Booked { number: ours.clone(), amount: money(200), counts: true };
    let plan = |amount| RefundPlan {
        amount: money(amount),
        paid: money(1234),
        earlier: vec![booked.clone()],
    };
    for (answer, elsewhere, left) in [
        // Ours is known, and somebody else's.
        (page(2, &[(ours.as_str(), 200, true), ("P1", 1000, true)]), 1000, 34),
        // Ours is not known yet, and counts all the same.
        (page(1, &[("P1", 1000, true)]), 1000, 34),
        // A closed one gives nothing back.
        (page(2, &[("P1", 1000, false), ("P2", 900, true)]), 900, 134),
        (page(1, &[(ours.as_str(), 200, false)]), 0, 1234),
        (nothing_yet(), 0, 1034),
    ] {
        let mut bench = Bench::new(plan(left));
        bench.answer(answer.clone());
        assert_eq!(bench.kind(), Some(RefundCallKind::Refund), "{answer:?}");
        assert_eq!(bench.state.elsewhere(), money(elsewhere));
        let mut bench = Bench::new(plan(left + 1));
        bench.answer(answer);
        assert_eq!((bench.state.status(), bench.call), (RefundStatus::Refused, None));
        assert_eq!(bench.state.left(), Some(money(left)));
        assert_eq!(bench.state.elsewhere(), money(elsewhere));
        assert!(bench.state.reason().unwrap().is(TillCause::MoreThanLeft));
    }
}

#[test]
fn a_list_of_many_refunds_is_read_to_its_end_before_anything_leaves() {
    let names: Vec<String> = (0..25).map(|at| format!("P{at}")).collect();
    let part = |from: usize, to: usize| {
        let refunds: Vec<(&str, i64, bool)> =
            names[from..to].iter().map(|name| (name.as_str(), 10, true)).collect();
        page(25, &refunds)
    };
    let mut bench = Bench::new(plan(984));
    for (from, to) in [(0, 10), (10, 20)] {
        bench.answer(part(from, to));
        let offset = u32::try_from(to).unwrap();
        assert_eq!(bench.kind(), Some(RefundCallKind::Look { offset }));
    }
    bench.answer(part(20, 25));
    assert_eq!(bench.kind(), Some(RefundCallKind::Refund));
    assert_eq!(bench.state.elsewhere(), money(250));
    // A page twice, an empty one, and a list that changes meanwhile prove nothing.
    for odd in [part(0, 10), page(25, &[]), page(24, &[("P99", 10, true)])] {
        let mut bench = Bench::new(plan(984));
        bench.answer(part(0, 10));
        bench.answer(odd);
        assert_eq!((bench.call, bench.state.status()), (None, RefundStatus::Checking));
        bench.tick();
        assert_eq!(bench.kind(), Some(RefundCallKind::Look { offset: 0 }));
    }
}

#[test]
fn a_lost_answer_is_asked_about_and_the_same_refund_repeated_only_when_it_is_not_there() {
    let mut bench = Bench::sent(1234);
    bench.now = Millis::seconds(10);
    bench.answer(lost());
    assert_eq!((bench.state.status(), bench.call), (RefundStatus::Checking, None));
    assert!(bench.state.is_unclear() && bench.state.counts());
    assert_eq!(bench.query(Queried::NotFound), 5);
    assert_eq!(bench.kind(), Some(RefundCallKind::Refund), "an interval after the time-out");
    bench.answer(lost());
    // This time it is there.
    assert_eq!(bench.query(Queried::Processing), 10);
    assert_eq!(bench.state.status(), RefundStatus::Accepted);
    assert_eq!(bench.state.reason(), None);
    for unclear in [
        Inconclusive::Unsigned(TillCause::Refused.into()),
        Inconclusive::Unknown(why("SYSTEMERROR")),
        Inconclusive::Unknown(why("FREQUENCY_LIMITED")),
    ] {
        let mut bench = Bench::sent(1234);
        bench.answer(said(RefundSaid::Inconclusive(unclear)));
        assert_eq!(bench.state.status(), RefundStatus::Checking);
        bench.query(Queried::NotFound);
        assert_eq!(bench.kind(), Some(RefundCallKind::Refund));
    }
}

#[test]
fn that_it_is_not_there_counts_only_an_interval_after_the_answer() {
    let mut bench = Bench::sent(1234);
    bench.answer(lost());
    bench.now = Millis::seconds(1);
    bench.event(&RefundEvent::Restarted { oldest: Millis::seconds(1) });
    assert_eq!(bench.kind(), Some(RefundCallKind::Query));
    bench.answer(queried(Queried::NotFound));
    assert_eq!(bench.call, None, "it may just not be visible");
    assert_eq!(bench.query(Queried::NotFound), 5);
    assert_eq!(bench.kind(), Some(RefundCallKind::Refund));
}

#[test]
fn a_signed_refusal_ends_it_only_once_a_query_does_not_know_the_number() {
    let mut bench = Bench::sent(1234);
    bench.answer(said(RefundSaid::Refused(why("NOTENOUGH"))));
    assert_eq!(bench.state.status(), RefundStatus::Checking);
    assert_eq!(bench.query(Queried::Inconclusive(Inconclusive::Unknown(why("SYSTEMERROR")))), 5);
    assert_eq!(bench.state.status(), RefundStatus::Checking);
    assert_eq!(bench.state.reason().unwrap().code(), "NOTENOUGH", "that says more");
    bench.query(Queried::NotFound);
    assert_eq!((bench.state.status(), bench.call), (RefundStatus::Refused, None));
    assert_eq!(bench.state.reason().unwrap().code(), "NOTENOUGH");
    // A copy of it was held up, and arrives after all.
    assert!(!bench.state.is_open() && bench.state.is_to_be_rechecked());
    let mut late = bench.state.clone();
    assert_eq!(bench.query(Queried::NotFound), 120);
    assert_eq!((bench.state.status(), bench.state.wake_at(&RULES)), (RefundStatus::Refused, None));
    std::mem::swap(&mut late, &mut bench.state);
    bench.query(Queried::Processing);
    assert_eq!(bench.state.status(), RefundStatus::Accepted);
    bench.tick();
    bench.answer(done());
    assert_eq!(bench.state.status(), RefundStatus::Done);
    // A query that finds it wins.
    let mut bench = Bench::sent(1234);
    bench.answer(said(RefundSaid::Refused(why("ERROR"))));
    bench.tick();
    bench.answer(done());
    assert_eq!(bench.state.status(), RefundStatus::Done);
}

#[test]
fn a_refusal_after_a_lost_answer_waits_until_the_lost_one_cannot_arrive_any_more() {
    let mut bench = Bench::sent(1234);
    bench.answer(lost());
    bench.query(Queried::NotFound);
    bench.answer(said(RefundSaid::Refused(why("NOTENOUGH"))));
    bench.query(Queried::NotFound);
    assert_eq!(bench.state.status(), RefundStatus::Checking, "two minutes are not over");
    bench.query(Queried::NotFound);
    assert_eq!(bench.state.status(), RefundStatus::Refused);
    assert!(bench.now >= Millis::seconds(120));
}

#[test]
fn too_many_requests_are_given_a_minute() {
    let mut bench = Bench::sent(1234);
    bench.answer(said(RefundSaid::Blocked(why("INVALID_REQ_TOO_MUCH"))));
    assert_eq!(bench.query(Queried::NotFound), 60);
    assert_eq!(bench.kind(), Some(RefundCallKind::Refund));
}

#[test]
fn what_never_left_is_refused_at_once_and_what_may_have_left_before_is_not() {
    let not_sent =
        || said(RefundSaid::Inconclusive(Inconclusive::NotSent(TillCause::NoConnection.into())));
    let mut bench = Bench::sent(1234);
    bench.answer(not_sent());
    assert_eq!(bench.state.status(), RefundStatus::Refused);
    let mut bench = Bench::sent(1234);
    bench.answer(lost());
    bench.query(Queried::NotFound);
    bench.answer(not_sent());
    assert_eq!(bench.state.status(), RefundStatus::Checking);
}

#[test]
fn a_certificate_that_does_not_serve_keeps_its_cause() {
    let mut bench = Bench::sent(1234);
    let cause = TillCause::OwnCertificate;
    bench.answer(said(RefundSaid::Inconclusive(Inconclusive::Unknown(cause.into()))));
    bench.query(Queried::Inconclusive(Inconclusive::Unknown(TillCause::NoAnswer.into())));
    assert!(bench.state.reason().unwrap().is(cause));
    bench.query(Queried::NotFound);
    assert!(bench.state.reason().unwrap().is(cause));
}

#[test]
fn what_was_accepted_and_is_not_found_is_repeated_after_three_minutes_with_the_same_number() {
    let mut bench = Bench::sent(1234);
    bench.answer(said(RefundSaid::Accepted));
    while bench.kind() != Some(RefundCallKind::Refund) {
        assert_eq!(bench.state.status(), RefundStatus::Accepted);
        bench.query(Queried::NotFound);
    }
    assert!((180..=360).contains(&(bench.now.0 / 1000)), "{:?}", bench.now);
}

#[test]
fn a_restart_before_anything_left_ends_it_unless_it_comes_at_once() {
    let mut bench = Bench::new(plan(1234));
    bench.event(&RefundEvent::Restarted { oldest: Millis::seconds(3) });
    assert_eq!(bench.kind(), Some(RefundCallKind::Look { offset: 0 }));
    let mut bench = Bench::new(plan(1234));
    bench.event(&RefundEvent::Restarted { oldest: Millis::seconds(30) });
    assert_eq!((bench.state.status(), bench.call), (RefundStatus::Refused, None));
    assert!(bench.state.reason().unwrap().is(TillCause::Restarted));
}

#[test]
fn a_restart_asks_at_once_about_what_may_have_left() {
    let mut bench = Bench::sent(1234);
    bench.now = Millis::seconds(2);
    bench.event(&RefundEvent::Restarted { oldest: Millis(u64::MAX) });
    assert_eq!(bench.kind(), Some(RefundCallKind::Query));
    assert_eq!(bench.state.status(), RefundStatus::Checking);
    bench.answer(queried(Queried::NotFound));
    assert_eq!(bench.query(Queried::NotFound), 5);
    assert_eq!(bench.kind(), Some(RefundCallKind::Refund));
}

#[test]
fn another_merchants_refund_is_left_alone_until_its_own_is_back() {
    let mut bench = Bench::sent(1234);
    bench.event(&RefundEvent::MerchantChanged);
    assert_eq!((bench.state.status(), bench.call), (RefundStatus::Attention, None));
    assert!(bench.state.reason().unwrap().is(TillCause::MerchantChanged));
    assert_eq!(bench.state.wake_at(&RULES), None);
    assert!(bench.state.is_open() && bench.state.is_unclear());
    bench.event(&RefundEvent::Restarted { oldest: Millis::seconds(100) });
    assert_eq!(bench.state.status(), RefundStatus::Checking);
    bench.answer(done());
    assert_eq!(bench.state.status(), RefundStatus::Done);
    let mut bench = Bench::new(plan(1234));
    bench.event(&RefundEvent::MerchantChanged);
    assert_eq!(bench.state.status(), RefundStatus::Refused);
}

#[test]
fn a_person_may_ask_at_once_but_not_again_and_again() {
    let mut bench = Bench::sent(1234);
    bench.answer(said(RefundSaid::Accepted));
    bench.now = Millis::seconds(1);
    bench.event(&RefundEvent::CheckNow);
    assert_eq!(bench.call, None);
    bench.now = Millis::seconds(5);
    bench.event(&RefundEvent::CheckNow);
    assert_eq!(bench.kind(), Some(RefundCallKind::Query));
    bench.event(&RefundEvent::CheckNow);
    assert_eq!(bench.call, None);
}

#[test]
fn numbers_name_their_order_and_are_what_the_gateway_takes() {
    let longest = OutTradeNo::try_from("0123456789ABCDEFGHIJabcdefghij_-".to_owned()).unwrap();
    let number = OutRefundNo::new(&longest, 7, 61_234);
    assert_eq!(number.as_str(), "0123456789ABCDEFGHIJabcdefghij_-R071234");
    assert_eq!(OutRefundNo::try_from(String::from(number.clone())), Ok(number));
    for wrong in ["", "short", "has space", "T01\u{1b}[2J", &"9".repeat(65)] {
        assert!(OutRefundNo::try_from(wrong.to_owned()).is_err(), "{wrong:?}");
    }
}

fn any_answer() -> impl Strategy<Value = RefundAnswer> {
    let unclear = prop_oneof![
        Just(Inconclusive::NotSent(TillCause::NoConnection.into())),
        Just(Inconclusive::Unsigned(TillCause::Refused.into())),
        Just(Inconclusive::Unknown(TillCause::NoAnswer.into())),
    ];
    let looked = prop_oneof![
        3 => Just(nothing_yet()),
        1 => Just(page(1, &[("P1", 1, true)])),
        1 => Just(page(2, &[("P1", 1, true)])),
        1 => Just(page(1, &[("P1", 1234, true)])),
        1 => unclear.clone().prop_map(|what| RefundAnswer::Looked(Looked::Inconclusive(what))),
    ];
    let refunded = prop_oneof![
        Just(RefundSaid::Accepted),
        Just(RefundSaid::Refused(why("NOTENOUGH"))),
        Just(RefundSaid::Blocked(why("INVALID_REQ_TOO_MUCH"))),
        unclear.clone().prop_map(RefundSaid::Inconclusive),
    ];
    let found = prop_oneof![
        1 => Just(done()),
        2 => Just(queried(Queried::Processing)),
        1 => Just(queried(Queried::Closed)),
        1 => Just(queried(Queried::Abnormal)),
        4 => Just(queried(Queried::NotFound)),
        1 => unclear.prop_map(|what| queried(Queried::Inconclusive(what))),
    ];
    prop_oneof![looked, refunded.prop_map(RefundAnswer::Said), found]
}

#[derive(Clone, Debug)]
enum Happens {
    Answer(RefundAnswer),
    Late(u32, RefundAnswer),
    Event(RefundEvent),
}

fn anything() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => any_answer().prop_map(Happens::Answer),
        1 => (0_u32..6, any_answer()).prop_map(|(number, answer)| Happens::Late(number, answer)),
        4 => Just(Happens::Event(RefundEvent::Tick)),
        1 => Just(Happens::Event(RefundEvent::CheckNow)),
        1 => Just(Happens::Event(RefundEvent::MerchantChanged)),
        1 => (0_u64..100_000).prop_map(|oldest| {
            Happens::Event(RefundEvent::Restarted { oldest: Millis(oldest) })
        }),
    ]
}

proptest! {
    #[test]
    fn no_order_of_events_breaks_the_rules(
        story in prop::collection::vec((0_u64..40_000, anything()), 1..80)
    ) {
        let mut state = RefundState::begin(plan(1234), 9);
        let mut now = Millis(0);
        let (mut looked, mut left) = (false, false);
        // The last refund call: whether its last word was a signed refusal, and when it came.
        let mut refused_at = None;
        for (pause, happens) in story {
            now = now.plus(Millis(pause));
            let before = state.clone();
            let awaited = before.awaited();
            let event = match happens {
                Happens::Event(event) => event,
                Happens::Late(number, answer) => RefundEvent::Answered(number, answer),
                Happens::Answer(answer) => match awaited {
                    Some(call) if answer.answers(call.kind) => {
                        RefundEvent::Answered(call.number, answer)
                    }
                    _ => continue,
                },
            };
            let call = state.step(&event, now, &RULES);
            let is_answer = matches!(&event, RefundEvent::Answered(number, answer)
                if awaited.is_some_and(|call| call.number == *number && answer.answers(call.kind)));
            if let (RefundEvent::Answered(_, answer), true) = (&event, is_answer) {
                looked |= matches!(answer, RefundAnswer::Looked(Looked::Page(_)));
                if let RefundAnswer::Said(said) = answer {
                    left |= !matches!(said, RefundSaid::Inconclusive(Inconclusive::NotSent(_)));
                    refused_at = matches!(said, RefundSaid::Refused(_)).then_some(now);
                }
            }
            if let Some(call) = call {
                prop_assert_eq!(state.awaited(), Some(call), "every call is awaited");
                prop_assert_ne!(Some(call), awaited, "each call has a number of its own");
                if call.kind == RefundCallKind::Refund {
                    prop_assert!(looked, "a refund leaves only after a look");
                }
            }
            if matches!(event, RefundEvent::MerchantChanged | RefundEvent::Restarted { .. })
                && awaited.is_some_and(|call| call.kind == RefundCallKind::Refund)
            {
                left = true;
                refused_at = None;
            }
            match (before.status(), state.status()) {
                (RefundStatus::Done, after) => prop_assert_eq!(after, RefundStatus::Done),
                (RefundStatus::Refused, after) => {
                    let found = matches!(&event, RefundEvent::Answered(_, RefundAnswer::Queried(
                        Queried::Done(_) | Queried::Processing | Queried::Abnormal,
                    )));
                    prop_assert!(after == RefundStatus::Refused || found && is_answer);
                }
                (_, RefundStatus::Done) => {
                    prop_assert!(is_answer, "done takes an answer");
                    let proved = matches!(&event,
                        RefundEvent::Answered(_, RefundAnswer::Queried(Queried::Done(_))));
                    prop_assert!(proved, "done takes proof: {event:?}");
                }
                (_, RefundStatus::Refused) if left => {
                    let not_there = matches!(&event,
                        RefundEvent::Answered(_, RefundAnswer::Queried(Queried::NotFound)));
                    prop_assert!(not_there && is_answer, "{event:?}");
                    let since = refused_at.map(|at| now.minus(at));
                    prop_assert!(since.is_some_and(|since| since >= RULES.query_interval));
                }
                _ => {}
            }
            // A step depends only on its arguments, and its result survives serialization.
            let text = serde_json::to_string(&state).unwrap();
            prop_assert_eq!(&serde_json::from_str::<RefundState>(&text).unwrap(), &state);
            let mut again = before.clone();
            prop_assert_eq!((again.step(&event, now, &RULES), &again), (call, &state));
            // A tick that is due always moves on: no till spins.
            let mut ticked = state.clone();
            for _ in 0..3 {
                if ticked.wake_at(&RULES).is_none_or(|wake| wake > now) {
                    break;
                }
                let _ = ticked.step(&RefundEvent::Tick, now, &RULES);
            }
            prop_assert!(ticked.wake_at(&RULES).is_none_or(|wake| wake > now), "{:?}", ticked);
        }
    }
}
