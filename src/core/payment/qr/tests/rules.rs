//! What no order of events, no gateway and no restart may break.

use proptest::prelude::*;

use super::races::Gateway;
use super::*;
use crate::payment::qr::step::POLLS;

/// The most queries that the table allows until this age, in seconds.
fn most_queries(age: u64) -> u64 {
    let mut from = 0;
    let mut most = 1;
    for (until, apart) in POLLS {
        let to = until.min(age.max(from));
        most += (to - from).div_ceil(apart);
        from = to;
    }
    most
}

/// How a call goes wrong on an otherwise honest gateway.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    None,
    /// It never arrives.
    LostThere,
    /// It is carried out, and its answer lost.
    LostBack,
    /// An unsigned refusal.
    Refused,
    /// The till dies before the answer, and starts again after so many seconds.
    Killed(u64),
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        4 => Just(Trouble::None),
        1 => Just(Trouble::LostThere),
        1 => Just(Trouble::LostBack),
        1 => Just(Trouble::Refused),
        1 => (0_u64..600).prop_map(Trouble::Killed),
    ]
}

fn anything() -> impl Strategy<Value = Says> {
    prop_oneof![
        Just(Says::Code(code())),
        Just(Says::Paid(proof())),
        Just(Says::Paying),
        Just(Says::NotPaid),
        Just(Says::NotFound),
        Just(Says::Failed(why("PAYERROR"))),
        Just(Says::Ended(Ending::Closed)),
        Just(Says::Ended(Ending::Revoked)),
        any::<bool>().prop_map(|closed| Says::TookNothing { reason: why("NOTENOUGH"), closed }),
        Just(Says::Returning),
        Just(Says::Ended(Ending::Returned)),
        Just(Says::Ended(Ending::Refunded)),
        Just(Says::AnotherTills(TillCause::AnotherTill.into())),
        Just(Says::Declined(why("NOAUTH"))),
        Just(Says::Ambiguous(why("INVALID_REQUEST"))),
        Just(Says::Accepted),
        Just(Says::AlreadyPaid(why("ORDERPAID"))),
        Just(Says::Repeat(why("SYSTEMERROR"))),
        Just(Says::ReversalRefused(why("SIGNERROR"))),
        Just(Says::Refunds(Refunds::Whole)),
        Just(Says::Refunds(Refunds::None)),
        Just(Says::Refunds(Refunds::Untold)),
        Just(Says::Refunds(Refunds::Part(TillCause::PartlyRefunded.into()))),
        Just(Says::NotSent(TillCause::NoConnection.into())),
        Just(Says::Unsigned(TillCause::Refused.into())),
        Just(lost()),
    ]
}

#[derive(Clone, Debug)]
enum Happens {
    Answer(Says),
    LateAnswer(Says),
    Event(Event),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => anything().prop_map(Happens::Answer),
        1 => anything().prop_map(Happens::LateAnswer),
        4 => Just(Happens::Event(Event::Tick)),
        1 => Just(Happens::Event(Event::Cancel)),
        1 => Just(Happens::Event(Event::CheckNow)),
        1 => Just(Happens::Event(Event::MerchantChanged)),
        1 => Just(Happens::Event(Event::Settled("by hand".to_owned()))),
        1 => (0_u64..8_000).prop_map(|oldest| {
            Happens::Event(Event::Restarted { oldest: Millis::seconds(oldest) })
        }),
    ]
}

/// How far along it is: an order never goes back.
const fn rank(status: Status) -> u8 {
    match status {
        Status::Created | Status::Sent => 0,
        Status::Checking | Status::Waiting => 1,
        Status::Reversing | Status::Declined | Status::Attention => 2,
        Status::Paid | Status::Closed | Status::Reversed => 3,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_events_breaks_the_rules(
        script in proptest::collection::vec((happens(), 0_u64..20_000), 1..60),
    ) {
        let mut state = QrState::begin(TWO_HOURS, 0);
        let mut now = Millis(0);
        let mut last = QrState::FIRST;
        let mut numbers = 1;
        let mut had_code = false;
        for (what, later) in script {
            now = now.plus(Millis(later));
            let before = state.clone();
            let awaited = state.awaited();
            let event = match what {
                Happens::Event(event) => event,
                Happens::Answer(says) => says.in_answer_to(awaited.unwrap_or(last)),
                Happens::LateAnswer(says) => says.in_answer_to(QrState::FIRST),
            };
            let call = state.step(&event, now, &RULES);
            let (was, is) = (before.status(), state.status());
            prop_assert!(rank(is) >= rank(was), "{was:?} to {is:?} by {event:?}");
            let proven = matches!(&event, Event::Answered(_, answer) if answer.proof().is_some());
            prop_assert!(is != Status::Paid || was == Status::Paid || proven, "{event:?}");
            prop_assert_eq!(is == Status::Paid, state.money() == Funds::Taken);
            prop_assert_eq!(is == Status::Paid, state.proof().is_some());
            if rank(was) == 3 && !before.is_to_be_rechecked() {
                prop_assert_eq!(&state, &before, "an end was left");
            }
            if !before.is_open() && !before.is_to_be_rechecked() {
                prop_assert_eq!(call, None, "asked after its end");
            }
            had_code |= state.code_url().is_some();
            // Before a code has come nobody can pay; afterwards only the gateway says that nobody did.
            if is == Status::Closed && was != Status::Closed {
                let said = matches!(&event, Event::Answered(_, answer) if answer.kind() == CallKind::Query);
                prop_assert!(said, "closed by {event:?}");
            }
            if let Some(call) = call {
                prop_assert_eq!(call.number, numbers);
                numbers += 1;
                last = call;
                prop_assert_eq!(state.awaited(), Some(call));
                if call.kind == CallKind::Order {
                    prop_assert!(!had_code, "ordered again although the code is there");
                }
                if call.kind == CallKind::Close {
                    prop_assert_eq!(state.code_url(), None, "closed while it is shown");
                }
            }
            if state.code_url().is_some() {
                prop_assert!(matches!(is, Status::Waiting | Status::Checking));
            }
            let text = serde_json::to_string(&state).unwrap();
            let read: QrState = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read, &state);
            let mut ticked = state.clone();
            for _ in 0..3 {
                if ticked.wake_at(&RULES).is_none_or(|wake| wake > now) {
                    break;
                }
                let _ = ticked.step(&Event::Tick, now, &RULES);
            }
            prop_assert!(ticked.wake_at(&RULES).is_none_or(|wake| wake > now), "{:?}", ticked);
        }
    }

    #[test]
    fn on_an_honest_gateway_it_ends_as_the_books_say_and_nothing_stays_open(
        pays_at in proptest::option::of(0_u64..9_000),
        cancels_at in proptest::option::of(0_u64..8_000),
        lasts in 5_u64..7_200,
        troubles in proptest::collection::vec(trouble(), 0..40),
    ) {
        let mut bench = Bench::lasting(Millis::seconds(lasts));
        let mut gateway = Gateway::new(pays_at.map(|at| at * 1_000));
        let mut troubles = troubles.into_iter();
        let (mut had_code, mut shown_for) = (false, 0);
        let mut kills = 0;
        let mut cancel = cancels_at.map(|at| at * 1_000);
        let mut first = true;
        loop {
            // The call that is under way, if any.
            while std::mem::take(&mut first) || bench.state.awaited() == Some(bench.last) {
                prop_assert!(bench.calls.len() < 5_000, "the gateway is stormed");
                gateway.advance(bench.now.0, had_code);
                let call = bench.last;
                match troubles.next().unwrap_or(Trouble::None) {
                    Trouble::None => {
                        let says = gateway.take(call.kind);
                        bench.answer(says);
                    }
                    Trouble::LostThere => { bench.answer(lost()); }
                    Trouble::LostBack => {
                        let _ = gateway.take(call.kind);
                        bench.answer(lost());
                    }
                    Trouble::Refused => { bench.answer(Says::Unsigned(TillCause::Refused.into())); }
                    Trouble::Killed(away) => {
                        let _ = gateway.take(call.kind);
                        kills += 1;
                        bench.now = bench.now.plus(Millis::seconds(away));
                        bench.handle(&Event::Restarted { oldest: bench.now });
                    }
                }
                had_code |= bench.state.code_url().is_some();
            }
            let Some(wake) = bench.state.wake_at(&RULES) else { break };
            if bench.state.code_url().is_some() {
                shown_for = bench.now.0;
            }
            if let Some(at) = cancel.take_if(|at| *at <= wake.0) {
                bench.now = bench.now.max(Millis(at));
                bench.handle(&Event::Cancel);
            } else {
                bench.now = bench.now.max(wake);
                bench.handle(&Event::Tick);
            }
        }
        let status = bench.state.status();
        prop_assert!(!bench.state.is_open() && !bench.state.is_to_be_rechecked());
        prop_assert_eq!(status == Status::Paid, gateway.paid, "{:?}", status);
        prop_assert!(!gateway.is_open(), "an unpaid order stays open");
        prop_assert!(matches!(status, Status::Paid | Status::Closed | Status::Declined));
        prop_assert_eq!(status == Status::Declined, !had_code);
        // Closing and its rechecks take a few more, and each restart asks once.
        let queries = u64::try_from(bench.times(CallKind::Query).len()).unwrap();
        prop_assert!(queries <= most_queries(shown_for / 1_000) + 60 + kills, "{queries}");
        prop_assert!(bench.times(CallKind::Order).len() <= 5);
        prop_assert!(bench.times(CallKind::Close).len() <= 40);
    }
}

#[test]
fn what_the_gateway_tells_unasked_counts_whatever_the_order_has_come_to() {
    let ended = |ending| {
        let mut bench = Bench::shown();
        bench.at(3, &Event::Tick);
        bench.answer(Says::Ended(ending));
        bench
    };
    let mut closing = Bench::shown();
    closing.at(10, &Event::Cancel);
    for (mut bench, is_late) in [
        (Bench::new(), false),
        (Bench::shown(), false),
        (closing, true),
        (ended(Ending::Closed), true),
    ] {
        assert_eq!(bench.state.notified(&proof(), Millis::seconds(11), &RULES), None);
        assert_eq!((bench.state.status(), bench.state.is_paid_late()), (Status::Paid, is_late));
        assert_eq!(bench.state.proof(), Some(&proof()));
        let paid = bench.state.clone();
        assert_eq!(bench.state.notified(&proof(), Millis::seconds(12), &RULES), None);
        assert_eq!(bench.state, paid, "a repeat changes nothing");
    }
}

#[test]
fn a_notice_of_a_payment_that_was_returned_does_not_make_it_paid_again() {
    let mut returning = Bench::shown();
    returning.at(3, &Event::Tick);
    returning.answer(Says::Returning);
    let mut returned = Bench::shown();
    returned.at(3, &Event::Tick);
    returned.answer(Says::Ended(Ending::Returned));
    for mut bench in [returning, returned] {
        let before = bench.state.clone();
        assert_eq!(bench.state.notified(&proof(), Millis::seconds(4), &RULES), None);
        assert_eq!(bench.state, before);
    }
}
