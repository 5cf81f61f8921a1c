//! Every scenario, driven to its end by the till's own state machine on a virtual clock.

use super::*;
use paytill_core::payment::{Answer, Call, Ending, Event, Proof, Reason, Rules, State, Status};

/// A till waits no longer for an answer.
const REQUEST_TIMEOUT: Millis = Millis::seconds(10);
/// By then the latest look at a number that the gateway never knew has been taken.
const LONG_AFTER: Millis = Millis::seconds(3600);

#[test]
fn every_scenario_ends_as_it_says() {
    let mut wrong = Vec::new();
    for scenario in Scenario::all() {
        for seed in 0..4 {
            let (drawn, end) = run(scenario, seed);
            let expected = drawn.expected().unwrap();
            if end != expected {
                wrong.push(format!("{} (seed {seed}): {end:?}", drawn.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn timed_scenarios_end_as_they_say() {
    for seconds in [0, 1, 9, 12, 20, 24, 26, 29, 31, 40, 60, 99] {
        for base in ["password", "cancels", "revoked", "closed", "slow", "answer-late"] {
            let scenario = named(&format!("{base}-{seconds}"));
            assert_eq!(run(scenario, 1).1, scenario.expected().unwrap(), "{}", scenario.name());
        }
    }
}

#[test]
fn chance_draws_many_scenarios() {
    let drawn: HashSet<_> = (0..50).map(|seed| run(Scenario::Random, seed).0.name()).collect();
    assert!(drawn.len() > 25, "{drawn:?}");
}

fn run(scenario: Scenario, seed: u64) -> (Scenario, Expected) {
    let rules = Rules::default();
    let mut desk = Desk::new(seed);
    let (mut state, call) = State::begin(&rules, 64);
    let code = scenario.code(seed);
    let mut coming: Vec<(Millis, Event)> = Vec::new();
    let mut now = Millis(0);
    let mut next = Some(call);
    loop {
        if let Some(call) = next {
            coming.push(make(&mut desk, call, now, &code));
        }
        let answer = coming.iter().enumerate().min_by_key(|(_, (at, _))| *at);
        let answer = answer.map(|(index, (at, _))| (*at, index));
        let (at, event) = match (answer, state.wake_at(&rules)) {
            (Some((at, index)), wake) if wake.is_none_or(|wake| at <= wake) => {
                (at, coming.remove(index).1)
            }
            (_, Some(wake)) => (wake, Event::Tick),
            (_, None) => break,
        };
        now = now.max(at);
        if now > LONG_AFTER {
            break;
        }
        let (stepped, call) = state.step(&event, now, &rules);
        (state, next) = (stepped, call);
    }
    desk.bank.advance(now);
    let entry = desk.bank.entry(NUMBER).unwrap();
    let end = Expected { status: state.status(), net_charged: entry.net().minor() > 0 };
    assert_eq!(entry.submissions(), 1);
    let early = entry.times_of(CallKind::Reverse).any(|at| at < rules.reverse_not_before);
    assert!(!early, "{}", entry.scenario.name());
    if !matches!(state.status(), Status::Attention) {
        assert!(!state.is_open(), "{}: {state:?}", entry.scenario.name());
    }
    (entry.scenario, end)
}

const NUMBER: &str = "T01-000001";

fn make(desk: &mut Desk, call: Call, now: Millis, code: &str) -> (Millis, Event) {
    desk.now = now;
    let reaction = match call.kind {
        CallKind::Submit => desk.send("/pay/micropay", submission(NUMBER, code)),
        CallKind::Query => desk.send("/pay/orderquery", about(NUMBER)),
        CallKind::Reverse => desk.send("/secapi/pay/reverse", about(NUMBER)),
    };
    let (after, answer) = match reaction.deed {
        Deed::Answer { status: 200, body } => (reaction.after, read(call.kind, &body)),
        Deed::Answer { .. } | Deed::Raw(_) | Deed::Close | Deed::Reset => {
            (reaction.after, unknown("broken"))
        }
        Deed::Drip { .. } | Deed::Silence => (REQUEST_TIMEOUT, unknown("timeout")),
    };
    if after > REQUEST_TIMEOUT {
        return (now.plus(REQUEST_TIMEOUT), Event::Answered(call, unknown("timeout")));
    }
    (now.plus(after), Event::Answered(call, answer))
}

/// A careful reading, only as complete as these tests need it.
fn read(kind: CallKind, body: &[u8]) -> Answer {
    let Ok(fields) = Fields::from_xml(body) else { return unknown("not_xml") };
    if fields.get("return_code") != Some("SUCCESS") {
        return Answer::Refused(Reason::new("FAIL"));
    }
    let is_ours = fields.get("mch_id") == Some(identity::MCH_ID)
        && fields.get("out_trade_no").is_none_or(|number| number == NUMBER);
    if !fields.is_signed(SignType::HmacSha256, KEY) || !is_ours {
        return unknown("bad_signature");
    }
    let reason = |name| Reason::new(fields.get(name).unwrap_or_default());
    let code = fields.get("err_code");
    match kind {
        CallKind::Submit => match code {
            None => paid(&fields),
            Some("USERPAYING") => Answer::Paying,
            Some("ORDERPAID" | "SYSTEMERROR" | "BANKERROR" | "UNHEARD_OF_CODE") => {
                unknown("systemerror")
            }
            Some("BUYER_MISMATCH" | "OUT_TRADE_NO_USED" | "INVALID_REQUEST") => {
                Answer::Doubtful(reason("err_code"))
            }
            Some(_) => Answer::Declined(reason("err_code")),
        },
        CallKind::Query if code == Some("ORDERNOTEXIST") => Answer::Absent,
        CallKind::Query => match fields.get("trade_state") {
            Some("SUCCESS") => paid(&fields),
            Some("NOTPAY") => Answer::NotPaid,
            Some("USERPAYING") => Answer::Paying,
            Some("PAYERROR") => Answer::Failed(reason("trade_state")),
            Some("CLOSED") => Answer::Ended(Ending::Closed),
            Some("REVOKED") => Answer::Ended(Ending::Revoked),
            Some("REFUND") => Answer::Ended(Ending::Refunded),
            _ => unknown("unclear"),
        },
        CallKind::Reverse => match (code, fields.get("recall")) {
            (None, Some("N")) => Answer::Withdrawn,
            (Some("TRADE_ERROR"), _) => Answer::Irreversible(reason("err_code")),
            (Some("REVERSE_EXPIRE"), _) => Answer::Expired(reason("err_code")),
            _ => Answer::NotYet(reason("err_code")),
        },
    }
}

fn paid(fields: &Fields) -> Answer {
    let fits = fields.get("total_fee") == Some("1230") && fields.get("fee_type") == Some("CNY");
    let Some(transaction_id) = fields.get("transaction_id").filter(|_| fits) else {
        return unknown("wrong");
    };
    let proof = Proof { transaction_id: transaction_id.into(), paid_at: STARTED, coupon: None };
    Answer::Paid(proof)
}

fn unknown(code: &str) -> Answer {
    Answer::Unknown(Reason::new(code))
}
