//! Every scenario, driven to its outcome by the till's own state machine on a virtual clock.

use super::*;
use paytill_core::payment::{
    Answer, Call, Ending, Event, Found, Inconclusive, Proof, Reason, Refunds, Reversed, Rules,
    State, Status, Submitted, TillCause,
};

/// How long a till waits for an answer.
pub(super) const REQUEST_TIMEOUT: Millis = Millis::seconds(10);
/// By then the last recheck of a number that the gateway never knew has been made.
const LONG_AFTER: Millis = Millis::seconds(3600);

#[test]
fn every_scenario_ends_as_it_says() {
    let mut wrong = Vec::new();
    for scenario in Scenario::all() {
        for (api, seed) in Api::BOTH.into_iter().flat_map(|api| (0..4).map(move |seed| (api, seed)))
        {
            let (drawn, end) = run(api, scenario, seed);
            if Some(end) != api.expected(drawn) {
                wrong.push(format!("{} ({api:?}, seed {seed}): {end:?}", drawn.name()));
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
            for api in Api::BOTH {
                let expected = api.expected(scenario).unwrap();
                assert_eq!(run(api, scenario, 1).1, expected, "{} {api:?}", scenario.name());
            }
        }
    }
}

#[test]
fn chance_draws_many_scenarios() {
    let drawn: HashSet<_> =
        (0..50).map(|seed| run(Api::V2, Scenario::Random, seed).0.name()).collect();
    assert!(drawn.len() > 25, "{drawn:?}");
}

/// In which form the same things are said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Api {
    V2,
    V3,
}

impl Api {
    const BOTH: [Self; 2] = [Self::V2, Self::V3];

    fn expected(self, scenario: Scenario) -> Option<Expected> {
        match self {
            Self::V2 => scenario.expected(),
            Self::V3 => scenario.expected_by_v3(),
        }
    }
}

fn run(api: Api, scenario: Scenario, seed: u64) -> (Scenario, Expected) {
    let rules = Rules::default();
    let mut desk = Desk::new(seed);
    let codec = v3::speak(&mut desk);
    let mut state = State::begin(&rules, 64);
    let code = scenario.code(seed);
    let mut coming: Vec<(Millis, Event)> = Vec::new();
    let mut now = Millis(0);
    let mut next = Some(Call::SUBMISSION);
    loop {
        if let Some(call) = next {
            coming.push(match api {
                Api::V2 => make(&mut desk, call, now, &code),
                Api::V3 => v3::make(&mut desk, &codec, call, now, &code),
            });
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
        next = state.step(&event, now, &rules);
    }
    desk.bank.advance(now);
    let entry = desk.bank.entry(NUMBER).unwrap();
    let end = Expected { status: state.status(), net_charged: entry.net().minor() > 0 };
    assert_eq!(entry.submissions(), 1);
    let early = entry.times_of(CallKind::Reverse).any(|at| at < rules.reverse_not_before);
    assert!(!early, "{}", entry.scenario.name());
    // In either version of the API: one query an interval until it is reversed, and some that are
    // called for by a refusal, or by the time to reverse.
    let reversed = entry.times_of(CallKind::Reverse).min().unwrap_or(now);
    let queries = entry.times_of(CallKind::Query).filter(|at| *at <= reversed).count();
    let most = 4 + reversed.0 / rules.query_interval.0;
    assert!(queries as u64 <= most, "{} {api:?}: {queries} queries", entry.scenario.name());
    if entry.calls.len() == 2 && state.status() == Status::Paid {
        assert_eq!(queries, 1, "{} {api:?}", entry.scenario.name());
    }
    if !matches!(state.status(), Status::Attention) {
        assert!(!state.is_open(), "{}: {state:?}", entry.scenario.name());
    }
    (entry.scenario, end)
}

pub(super) const NUMBER: &str = "T01-000001";

fn make(desk: &mut Desk, call: Call, now: Millis, code: &str) -> (Millis, Event) {
    desk.now = now;
    let reaction = match call.kind {
        CallKind::Submit => desk.send("/pay/micropay", submission(NUMBER, code)),
        CallKind::Query => desk.send("/pay/orderquery", about(NUMBER)),
        CallKind::Reverse => desk.send("/secapi/pay/reverse", about(NUMBER)),
        CallKind::RefundQuery => desk.send("/pay/refundquery", about(NUMBER)),
        CallKind::Order | CallKind::Close => unreachable!("a payment by code"),
    };
    let kind = call.kind;
    let (after, answer) = match reaction.action {
        Action::Answer { status: 200, body } => (reaction.after, read(kind, &body)),
        Action::Answer { .. } | Action::Raw(_) | Action::Close | Action::Reset => {
            (reaction.after, Answer::inconclusive(kind, unknown()))
        }
        Action::Headed { .. } => panic!("an answer of API v3"),
        Action::Drip { .. } | Action::Silence => {
            (REQUEST_TIMEOUT, Answer::inconclusive(kind, unknown()))
        }
    };
    if after > REQUEST_TIMEOUT {
        let late = Answer::inconclusive(kind, unknown());
        return (now.plus(REQUEST_TIMEOUT), Event::Answered(call.number, late));
    }
    (now.plus(after), Event::Answered(call.number, answer))
}

/// A careful reading, only as complete as these tests need.
fn read(kind: CallKind, body: &[u8]) -> Answer {
    let Ok(fields) = Fields::from_xml(body) else { return Answer::inconclusive(kind, unknown()) };
    if fields.get("return_code") != Some("SUCCESS") {
        return Answer::inconclusive(kind, Inconclusive::Unsigned(TillCause::Refused.into()));
    }
    let is_ours = fields.get("mch_id") == Some(identity::MCH_ID)
        && fields.get("out_trade_no").is_none_or(|number| number == NUMBER);
    if !fields.is_signed(SignType::HmacSha256, KEY) || !is_ours {
        return Answer::inconclusive(kind, unknown());
    }
    let code = fields.get("err_code");
    let reason = || Reason::gateway(code.unwrap_or_default(), "");
    match kind {
        CallKind::Submit => Answer::Submitted(match code {
            None => paid(&fields).map_or_else(Submitted::Inconclusive, Submitted::Paid),
            Some("USERPAYING") => Submitted::Paying,
            Some("ORDERPAID" | "SYSTEMERROR" | "BANKERROR" | "UNHEARD_OF_CODE") => {
                Submitted::Inconclusive(unknown())
            }
            Some("BUYER_MISMATCH" | "OUT_TRADE_NO_USED" | "INVALID_REQUEST") => {
                Submitted::Ambiguous(reason())
            }
            Some(_) => Submitted::Declined(reason()),
        }),
        CallKind::Query if code == Some("ORDERNOTEXIST") => Answer::Found(Found::NotFound),
        CallKind::Query => Answer::Found(match fields.get("trade_state") {
            Some("SUCCESS") => paid(&fields).map_or_else(Found::Inconclusive, Found::Paid),
            Some("NOTPAY") => Found::NotPaid,
            Some("USERPAYING") => Found::Paying,
            Some("PAYERROR") => Found::Failed(Reason::gateway("PAYERROR", "")),
            Some("CLOSED") => Found::Ended(Ending::Closed),
            Some("REVOKED") => Found::Ended(Ending::Revoked),
            Some("REFUND") => Found::Ended(Ending::Refunded),
            _ => Found::Inconclusive(unknown()),
        }),
        CallKind::Reverse => Answer::Reversed(match (code, fields.get("recall")) {
            (None, Some("N")) => Reversed::Accepted,
            (Some("TRADE_ERROR"), _) => Reversed::Refused(reason()),
            (Some("REVERSE_EXPIRE"), _) => Reversed::Expired(reason()),
            _ => Reversed::Repeat(reason()),
        }),
        CallKind::Order | CallKind::Close => unreachable!("a payment by code"),
        CallKind::RefundQuery => Answer::Refunds(match (code, fields.get("refund_fee_0")) {
            (None, Some("1230")) => Refunds::Whole,
            (None, Some(_)) => Refunds::Part(TillCause::PartlyRefunded.into()),
            (Some("REFUNDNOTEXIST"), _) => Refunds::None,
            _ => Refunds::Inconclusive(unknown()),
        }),
    }
}

fn paid(fields: &Fields) -> Result<Proof, Inconclusive> {
    let fits = fields.get("total_fee") == Some("1230") && fields.get("fee_type") == Some("CNY");
    let transaction_id = fields.get("transaction_id").filter(|_| fits).ok_or_else(unknown)?;
    Ok(Proof { transaction_id: transaction_id.into(), paid_at: STARTED, coupon: None })
}

fn unknown() -> Inconclusive {
    Inconclusive::Unknown(TillCause::BadAnswer.into())
}
