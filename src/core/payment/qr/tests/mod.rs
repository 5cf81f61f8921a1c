//! QR orders driven by scripted gateways: every path to an outcome, and the rules that always hold.

mod races;
mod rules;

use super::QrState;
use crate::clock::{Millis, Timestamp};
use crate::order::CodeUrl;
use crate::payment::says::Says;
use crate::payment::{
    Call, CallKind, Ending, Event, Funds, Proof, Reason, Refunds, Rules, Status, TillCause,
};

const RULES: Rules = Rules {
    query_interval: Millis::seconds(5),
    give_up_after: Millis::seconds(30),
    reverse_not_before: Millis::seconds(15),
    attention_after: Millis::seconds(180),
};
const TWO_HOURS: Millis = Millis::seconds(7_200);

fn code() -> CodeUrl {
    CodeUrl::try_from("weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00".to_owned()).unwrap()
}

fn proof() -> Proof {
    let transaction_id = "4200002026113000000000000001".to_owned();
    Proof { transaction_id, paid_at: Timestamp(0), coupon: None }
}

fn why(code: &str) -> Reason {
    Reason::gateway(code, "")
}

fn lost() -> Says {
    Says::Unknown(TillCause::NoAnswer.into())
}

/// Drives an order as the till does, and answers its calls by a script.
struct Bench {
    state: QrState,
    now: Millis,
    /// When each call was made, in milliseconds, and its kind.
    calls: Vec<(u64, CallKind)>,
    last: Call,
}

impl Bench {
    fn new() -> Self {
        Self::lasting(TWO_HOURS)
    }

    fn lasting(lasts: Millis) -> Self {
        Self {
            state: QrState::begin(lasts, 0),
            now: Millis(0),
            calls: vec![(0, CallKind::Order)],
            last: QrState::FIRST,
        }
    }

    /// Whose code is shown.
    fn shown() -> Self {
        let mut bench = Self::new();
        assert_eq!(bench.answer(Says::Code(code())), Status::Waiting);
        bench
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

    fn at(&mut self, seconds: u64, event: &Event) -> Status {
        self.now = Millis::seconds(seconds);
        self.handle(event);
        self.state.status()
    }

    /// Lets time pass until `end` seconds; every call meanwhile is answered at once.
    fn until(&mut self, end: u64, mut answers: impl FnMut(CallKind) -> Says) {
        let end = Millis::seconds(end);
        while let Some(wake) = self.state.wake_at(&RULES).filter(|wake| *wake <= end) {
            let before = (self.now, self.state.clone());
            self.now = wake.max(self.now);
            self.handle(&Event::Tick);
            while self.state.awaited() == Some(self.last) {
                assert!(self.calls.len() < 10_000, "the gateway is stormed");
                let answer = answers(self.last.kind);
                self.answer(answer);
            }
            assert_ne!((self.now, &self.state), (before.0, &before.1), "a due tick did nothing");
        }
        self.now = end;
    }

    fn times(&self, kind: CallKind) -> Vec<u64> {
        self.calls.iter().filter(|(_, made)| *made == kind).map(|(at, _)| at / 1000).collect()
    }

    fn code(&self) -> &str {
        self.state.reason().map_or("", Reason::code)
    }
}

/// A gateway on which nobody pays: the order is open until it is closed.
fn nobody_pays() -> impl FnMut(CallKind) -> Says {
    let mut closed = false;
    move |kind| match kind {
        CallKind::Close => {
            closed = true;
            Says::Accepted
        }
        CallKind::Order => Says::Code(code()),
        _ if closed => Says::Ended(Ending::Closed),
        _ => Says::NotPaid,
    }
}

#[test]
fn an_order_is_written_before_it_leaves_and_its_code_is_shown_only_while_it_can_be_paid() {
    let mut bench = Bench::new();
    assert_eq!((bench.state.status(), bench.state.code_url()), (Status::Sent, None));
    assert_eq!(bench.state.awaited(), Some(QrState::FIRST));
    bench.answer(Says::Code(code()));
    assert_eq!(bench.state.code_url(), Some(&code()));
    assert_eq!(bench.state.outlook().gives_up_at, Some(TWO_HOURS));
    assert_eq!(bench.at(3, &Event::Tick), Status::Waiting);
    assert_eq!(bench.answer(Says::Paid(proof())), Status::Paid);
    assert_eq!((bench.state.code_url(), bench.state.proof()), (None, Some(&proof())));
    assert!(!bench.state.is_open() && !bench.state.is_paid_late());
    assert_eq!((bench.state.money(), bench.state.wake_at(&RULES)), (Funds::Taken, None));
    assert_eq!(bench.calls.len(), 2);
}

#[test]
fn a_shown_code_is_asked_about_every_three_seconds_and_then_ever_more_slowly() {
    let mut bench = Bench::shown();
    bench.until(7_199, nobody_pays());
    let asked = bench.times(CallKind::Query);
    let first: Vec<u64> = (1..=20).map(|at| at * 3).collect();
    assert_eq!(asked[..20], first);
    let gaps = |from: u64, to: u64| -> Vec<u64> {
        let within: Vec<u64> =
            asked.iter().copied().filter(|at| (from..=to).contains(at)).collect();
        within.windows(2).map(|pair| pair[1] - pair[0]).collect()
    };
    assert!(gaps(60, 300).iter().all(|gap| *gap == 5));
    assert!(gaps(300, 900).iter().all(|gap| *gap == 10));
    assert!(gaps(900, 7_199).iter().all(|gap| *gap == 30));
    // 60/3 + 240/5 + 600/10 + 6300/30, less the one that falls on the end.
    assert_eq!(asked.len(), 20 + 48 + 60 + 209);
    assert_eq!(bench.state.status(), Status::Waiting);
}

#[test]
fn an_expired_code_is_queried_closed_and_queried_again() {
    let mut bench = Bench::lasting(Millis::seconds(10));
    bench.answer(Says::Code(code()));
    bench.until(9, nobody_pays());
    assert!(bench.times(CallKind::Close).is_empty());
    bench.until(10, nobody_pays());
    assert_eq!(
        bench.calls[bench.calls.len() - 3..].iter().map(|(_, kind)| *kind).collect::<Vec<_>>(),
        [CallKind::Query, CallKind::Close, CallKind::Query]
    );
    assert_eq!((bench.state.status(), bench.code()), (Status::Closed, "code_expired"));
    assert_eq!(bench.state.money(), Funds::NotMoved);
    assert!(!bench.state.is_open() && !bench.state.is_to_be_rechecked());
}

#[test]
fn cancelling_takes_the_code_away_and_closes_by_the_gateways_word_only() {
    let mut bench = Bench::shown();
    assert_eq!(bench.at(2, &Event::Cancel), Status::Reversing);
    assert_eq!((bench.state.code_url(), bench.last.kind), (None, CallKind::Query));
    assert_eq!(bench.state.money(), Funds::Unknown);
    bench.handle(&Event::Cancel);
    assert_eq!(bench.calls.len(), 2, "a second Esc changes nothing");
    assert_eq!(bench.answer(Says::NotPaid), Status::Reversing);
    assert_eq!(bench.last.kind, CallKind::Close);
    assert_eq!(bench.answer(Says::Accepted), Status::Reversing, "no proof");
    assert_eq!(bench.last.kind, CallKind::Query);
    assert_eq!(bench.answer(Says::Ended(Ending::Closed)), Status::Closed);
    assert_eq!(bench.code(), "cancelled");
}

#[test]
fn a_payment_between_the_last_query_and_the_closing_is_taken_and_told() {
    for (close, queried) in [
        (Says::AlreadyPaid(why("ORDERPAID")), 1),
        // The gateway says that it has closed it, and the money is there.
        (Says::Accepted, 1),
        (lost(), 1),
        (Says::Repeat(why("SYSTEMERROR")), 1),
    ] {
        let mut bench = Bench::shown();
        bench.at(2, &Event::Cancel);
        bench.answer(Says::NotPaid);
        bench.answer(close.clone());
        let mut queries = 0;
        bench.until(60, |_| {
            queries += 1;
            Says::Paid(proof())
        });
        if bench.last.kind == CallKind::Query && queries == 0 {
            bench.answer(Says::Paid(proof()));
        }
        assert_eq!(bench.state.status(), Status::Paid, "{close:?}");
        assert!(bench.state.is_paid_late());
        assert_eq!(bench.code(), "paid_after_all");
        assert!(queries <= queried);
    }
}

#[test]
fn an_order_that_was_paid_is_asked_about_at_once_and_not_in_a_storm() {
    let mut bench = Bench::shown();
    bench.at(2, &Event::Cancel);
    bench.answer(Says::NotPaid);
    bench.answer(Says::AlreadyPaid(why("ORDERPAID")));
    assert_eq!(*bench.calls.last().unwrap(), (2_000, CallKind::Query));
    // A gateway at odds with itself.
    bench.answer(Says::NotPaid);
    assert!(bench.state.awaited().is_none(), "it waits");
    let before = bench.calls.len();
    bench.until(182, |kind| match kind {
        CallKind::Close => Says::AlreadyPaid(why("ORDERPAID")),
        _ => Says::NotPaid,
    });
    assert_eq!(bench.state.status(), Status::Attention, "nobody knows");
    assert!(bench.calls.len() - before <= 20);
    bench.until(230, |_| Says::Paid(proof()));
    assert_eq!(bench.state.status(), Status::Paid);
}

#[test]
fn no_code_is_asked_for_again_with_the_same_order_and_given_up_after_half_a_minute() {
    let mut bench = Bench::new();
    assert_eq!(bench.answer(lost()), Status::Checking);
    bench.until(30, |kind| match kind {
        CallKind::Order => lost(),
        _ => Says::NotFound,
    });
    assert_eq!(bench.times(CallKind::Order), [0, 1, 3, 7, 15]);
    assert_eq!((bench.state.status(), bench.code()), (Status::Declined, "no_answer"));
    assert_eq!(bench.state.money(), Funds::NotMoved, "nobody had the code");
    // What may have arrived is closed, and looked for again.
    assert!(bench.state.is_open());
    bench.until(60, |kind| match kind {
        CallKind::Close => Says::Accepted,
        _ => Says::NotFound,
    });
    assert!(!bench.state.is_open() && bench.state.is_to_be_rechecked());
    let ended = bench.now;
    let mut late = nobody_pays();
    bench.until(400, &mut late);
    assert!(bench.times(CallKind::Close).len() >= 2, "it had arrived after all");
    assert_eq!(bench.state.status(), Status::Declined);
    bench.until(ended.0 / 1000 + 3_600, |_| Says::Ended(Ending::Closed));
    assert_eq!(bench.state.wake_at(&RULES), None);
}

#[test]
fn a_code_that_comes_at_the_second_try_is_shown() {
    for first in
        [lost(), Says::Unsigned(TillCause::Refused.into()), Says::Unknown(why("SYSTEMERROR"))]
    {
        let mut bench = Bench::new();
        bench.answer(first);
        bench.until(1, |_| Says::Code(code()));
        assert_eq!((bench.state.status(), bench.code()), (Status::Waiting, ""));
        assert_eq!(bench.times(CallKind::Order), [0, 1]);
    }
}

#[test]
fn a_refusal_is_told_at_once_and_confirmed_by_one_query() {
    let mut bench = Bench::new();
    assert_eq!(bench.answer(Says::Declined(why("NOAUTH"))), Status::Declined);
    assert!(bench.state.is_being_confirmed());
    assert_eq!(bench.answer(Says::NotFound), Status::Declined);
    assert_eq!((bench.code(), bench.state.is_open()), ("NOAUTH", false));
    assert_eq!(bench.calls.len(), 2);
    assert!(!bench.state.is_to_be_rechecked());
    // It is there, and open: an earlier try had arrived.
    let mut bench = Bench::new();
    bench.answer(lost());
    let mut gateway = nobody_pays();
    bench.until(1, |kind| match kind {
        CallKind::Order => Says::Declined(why("PARAM_ERROR")),
        _ => gateway(kind),
    });
    assert_eq!((bench.state.status(), bench.code()), (Status::Declined, "PARAM_ERROR"));
    assert!(!bench.state.is_open());
}

#[test]
fn a_number_that_was_used_is_asked_about_before_anything_is_said() {
    for used in ["OUT_TRADE_NO_USED", "INVALID_REQUEST", "ORDERPAID"] {
        let ambiguous = || {
            let mut bench = Bench::new();
            assert_eq!(bench.answer(Says::Ambiguous(why(used))), Status::Reversing);
            assert_eq!(bench.last.kind, CallKind::Query);
            bench
        };
        let another = Says::AnotherTills(TillCause::AnotherTill.into());
        for (found, status) in [
            (Says::NotFound, Status::Declined),
            (another, Status::Declined),
            (Says::Paid(proof()), Status::Paid),
        ] {
            let mut bench = ambiguous();
            assert_eq!(bench.answer(found), status);
            assert!(!bench.state.is_open());
            assert!(bench.times(CallKind::Close).is_empty(), "not ours to close");
        }
    }
}

#[test]
fn what_never_left_is_over_at_once() {
    let mut bench = Bench::new();
    let never = || Says::NotSent(TillCause::NoConnection.into());
    assert_eq!(bench.answer(never()), Status::Declined);
    assert!(!bench.state.is_open() && bench.calls.len() == 1);
    // An earlier one may have.
    let mut bench = Bench::new();
    bench.answer(lost());
    bench.until(1, |_| never());
    assert_eq!(bench.state.status(), Status::Checking);
}

#[test]
fn an_order_nobody_can_read_is_not_closed_before_it_is_known_to_be_ours() {
    let mut bench = Bench::new();
    bench.answer(lost());
    bench.at(2, &Event::Cancel);
    assert_eq!((bench.state.status(), bench.code()), (Status::Declined, "cancelled"));
    bench.answer(lost());
    bench.until(16, |_| lost());
    assert!(bench.times(CallKind::Close).is_empty());
    bench.until(40, nobody_pays());
    assert_eq!(bench.state.status(), Status::Declined);
    assert!(!bench.state.is_open());
}

#[test]
fn what_ends_at_the_gateway_ends_here() {
    for (found, status) in [
        (Says::Ended(Ending::Closed), Status::Closed),
        (Says::Ended(Ending::Revoked), Status::Closed),
        (Says::Ended(Ending::Returned), Status::Reversed),
    ] {
        let mut bench = Bench::shown();
        bench.at(3, &Event::Tick);
        assert_eq!(bench.answer(found), status);
        assert!(!bench.state.is_open());
    }
    let mut bench = Bench::shown();
    bench.at(3, &Event::Tick);
    assert_eq!(bench.answer(Says::Failed(why("PAYERROR"))), Status::Reversing);
    assert_eq!(bench.last.kind, CallKind::Close);
}

#[test]
fn money_that_a_backend_returns_is_shown_until_it_is_returned() {
    let mut given_up = Bench::shown();
    given_up.at(2, &Event::Cancel);
    let mut refused = Bench::new();
    assert_eq!(refused.answer(Says::Declined(why("NOAUTH"))), Status::Declined);
    let mut shown = Bench::shown();
    shown.at(3, &Event::Tick);
    for mut bench in [shown, given_up, refused] {
        assert_eq!(bench.answer(Says::Returning), Status::Reversing);
        assert_eq!(bench.state.money(), Funds::Held);
        bench.until(60, |_| Says::TookNothing { reason: why("NOAUTH"), closed: true });
        assert_eq!(bench.state.money(), Funds::Held, "a payment does not vanish");
        bench.until(120, |_| Says::Ended(Ending::Returned));
        assert_eq!(
            (bench.state.status(), bench.state.money()),
            (Status::Reversed, Funds::Returned)
        );
    }
}

#[test]
fn an_order_that_never_had_a_code_by_the_backends_word_is_over() {
    let mut bench = Bench::shown();
    bench.at(3, &Event::Tick);
    let took_nothing = |closed| Says::TookNothing { reason: why("NOAUTH"), closed };
    assert_eq!(bench.answer(took_nothing(false)), Status::Reversing);
    assert_eq!(bench.last.kind, CallKind::Close);
    bench.answer(Says::Accepted);
    assert_eq!(bench.answer(took_nothing(true)), Status::Closed);
    assert!(!bench.state.is_open());
}

#[test]
fn an_order_that_is_said_to_be_paid_is_not_closed_again_at_once() {
    for unclear in [lost(), Says::NotPaid, Says::NotFound] {
        let mut bench = Bench::shown();
        bench.at(2, &Event::Cancel);
        bench.answer(Says::NotPaid);
        bench.answer(Says::AlreadyPaid(why("ORDERPAID")));
        assert_eq!(bench.last.kind, CallKind::Query);
        bench.answer(unclear.clone());
        assert_eq!(bench.times(CallKind::Close), [2]);
        // The next query is due: if it does not show the payment either, it is tried again.
        bench.until(8, |_| unclear.clone());
        assert_eq!(bench.times(CallKind::Close), [2, 7]);
        bench.until(60, |kind| match kind {
            CallKind::Close => Says::AlreadyPaid(why("ORDERPAID")),
            _ => Says::Paid(proof()),
        });
        assert_eq!(bench.state.status(), Status::Paid);
    }
}

#[test]
fn refunds_by_somebody_else_are_looked_at() {
    for (refunds, status, money) in [
        (Refunds::Whole, Status::Reversed, Funds::Returned),
        (Refunds::Part(TillCause::PartlyRefunded.into()), Status::Attention, Funds::Held),
        (Refunds::Untold, Status::Attention, Funds::Held),
        (Refunds::None, Status::Reversing, Funds::Held),
    ] {
        let mut bench = Bench::shown();
        bench.at(3, &Event::Tick);
        assert_eq!(bench.answer(Says::Ended(Ending::Refunded)), Status::Reversing);
        assert_eq!(bench.last.kind, CallKind::RefundQuery);
        assert_eq!(bench.answer(Says::Refunds(refunds)), status);
        assert_eq!(bench.state.money(), money);
        assert!(bench.times(CallKind::Close).is_empty(), "there is nothing to close");
    }
}

#[test]
fn a_refused_closing_needs_a_person_and_goes_on() {
    let mut bench = Bench::shown();
    bench.at(2, &Event::Cancel);
    bench.answer(Says::NotPaid);
    assert_eq!(bench.answer(Says::ReversalRefused(why("SIGNERROR"))), Status::Attention);
    assert!(bench.state.is_closing_refused());
    bench.until(200, nobody_pays());
    assert_eq!((bench.state.status(), bench.code()), (Status::Closed, "cancelled"));
    // Without any answer it takes three minutes to say so, and days to stop.
    let mut bench = Bench::shown();
    bench.at(2, &Event::Cancel);
    bench.answer(lost());
    bench.answer(lost());
    bench.until(181, |_| lost());
    assert_eq!(bench.state.status(), Status::Reversing);
    bench.until(182, |_| lost());
    assert_eq!((bench.state.status(), bench.code()), (Status::Attention, "no_answer"));
    bench.handle(&Event::Settled("on the phone".to_owned()));
    assert_eq!((bench.state.status(), bench.state.is_open()), (Status::Attention, false));
}

#[test]
fn a_restart_goes_on_where_it_was() {
    // The code is shown again, once the gateway has said that nobody paid meanwhile.
    let mut bench = Bench::shown();
    let restarted = |seconds| Event::Restarted { oldest: Millis::seconds(seconds) };
    assert_eq!(bench.at(50, &restarted(60)), Status::Checking);
    assert_eq!(bench.last.kind, CallKind::Query);
    assert_eq!(bench.state.code_url(), Some(&code()));
    let mut paid = Bench::shown();
    paid.at(50, &restarted(60));
    assert_eq!(bench.answer(Says::NotPaid), Status::Waiting);
    assert_eq!(paid.answer(Says::Paid(proof())), Status::Paid, "while the till was off");
    assert!(!paid.state.is_paid_late());
    // Expired by any clock.
    let mut bench = Bench::shown();
    assert_eq!(bench.at(50, &restarted(7_200)), Status::Reversing);
    bench.answer(Says::NotPaid);
    // Killed in the middle of closing.
    assert_eq!(bench.at(55, &restarted(7_300)), Status::Reversing);
    assert_eq!(bench.last.kind, CallKind::Query);
    assert_eq!(bench.answer(Says::Ended(Ending::Closed)), Status::Closed);
    // Before any code had come.
    let mut bench = Bench::new();
    bench.at(0, &restarted(5));
    assert_eq!(bench.last.kind, CallKind::Order, "the same again gives the same code");
    assert_eq!(bench.answer(Says::Code(code())), Status::Waiting);
    let mut bench = Bench::new();
    assert_eq!(bench.at(0, &restarted(30)), Status::Declined);
    assert_eq!((bench.last.kind, bench.code()), (CallKind::Query, "restarted"));
}

#[test]
fn another_merchants_order_is_left_alone_until_the_till_is_started_for_it_again() {
    let mut bench = Bench::shown();
    assert_eq!(bench.at(5, &Event::MerchantChanged), Status::Attention);
    assert_eq!(bench.code(), "merchant_changed");
    assert_eq!(bench.state.wake_at(&RULES), None);
    bench.at(9, &Event::Restarted { oldest: Millis::seconds(9) });
    assert_eq!(bench.last.kind, CallKind::Query);
    bench.until(60, nobody_pays());
    assert_eq!(bench.state.status(), Status::Attention, "the query is not answered");
    bench.answer(Says::NotPaid);
    bench.answer(Says::Accepted);
    assert_eq!(bench.answer(Says::Ended(Ending::Closed)), Status::Closed);
}

#[test]
fn a_person_may_ask_but_not_flood() {
    let mut bench = Bench::shown();
    bench.at(1, &Event::CheckNow);
    assert_eq!(bench.last.kind, CallKind::Query);
    bench.answer(Says::NotPaid);
    for _ in 0..50 {
        bench.handle(&Event::CheckNow);
    }
    assert_eq!(bench.times(CallKind::Query), [1]);
    assert_eq!(bench.state.outlook().checks_at, Some(Millis::seconds(4)));
}
