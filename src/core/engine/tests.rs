//! The engine on a bench: what is written before what is sent, and what a restart makes of it.

mod cash;
mod edges;
mod qr;
mod refunds;
mod restart;
mod sleep;

use super::*;
use crate::clock::TimeZone;
use crate::gateway::{Decoded, DecodedRefund, Lookup, Outgoing, Owner, RefundAsk, Reply, Stamp};
use crate::money::{Currency, Money};
use crate::order::{AuthCode, Merchant, TillId};
use crate::payment::says::{Says, reason};
use crate::payment::{Ending, Found, Funds, Proof, TillCause};
use crate::refund::{RefundAnswer, RefundCall};

const RULES: Rules = Rules {
    query_interval: Millis::seconds(5),
    give_up_after: Millis::seconds(30),
    reverse_not_before: Millis::seconds(15),
    attention_after: Millis::seconds(180),
};

/// Used only for its record here.
struct Mute;

impl Gateway for Mute {
    fn encode(&self, _: Ask<'_>, _: &Stamp) -> Outgoing {
        Outgoing { request: http::Request::default(), certificate: false }
    }

    fn record(&self, ask: Ask<'_>) -> Vec<(String, String)> {
        vec![("out_trade_no".into(), ask.order().out_trade_no.to_string())]
    }

    fn decode(&self, _: Ask<'_>, _: &Reply, _: Timestamp) -> Decoded {
        Decoded { answer: Answer::Found(Found::NotFound), record: Vec::new() }
    }

    fn encode_refund(&self, _: RefundAsk<'_>, _: &Stamp) -> Outgoing {
        Outgoing { request: http::Request::default(), certificate: false }
    }

    fn record_refund(&self, ask: RefundAsk<'_>) -> Vec<(String, String)> {
        vec![("out_refund_no".into(), ask.refund.out_refund_no.to_string())]
    }

    fn decode_refund(&self, ask: RefundAsk<'_>, _: &Reply, _: Timestamp) -> DecodedRefund {
        let nothing = Inconclusive::Unknown(TillCause::BadAnswer.into());
        DecodedRefund { answer: RefundAnswer::inconclusive(ask.kind, nothing), record: Vec::new() }
    }

    fn encode_lookup(&self, _: Lookup<'_>, _: &Stamp) -> Outgoing {
        Outgoing { request: http::Request::default(), certificate: false }
    }

    fn decode_lookup(&self, _: Lookup<'_>, _: &Reply, _: Timestamp) -> Owner {
        Owner::Nobody
    }
}

fn merchant(mch_id: &str) -> Merchant {
    Merchant {
        app_id: "wx8888888888888888".into(),
        mch_id: mch_id.into(),
        sub_app_id: String::new(),
        sub_mch_id: String::new(),
    }
}

fn template() -> OrderTemplate {
    OrderTemplate {
        till: TillId::new("T01").unwrap(),
        merchant: merchant("1900000109"),
        currency: Currency::CNY,
        body: "Corner Coffee T01".into(),
        device_info: "S001".into(),
        time_zone: TimeZone::UTC,
    }
}

/// An engine with a clock, and what it has asked for so far.
struct EngineBench {
    by: Option<By>,
    engine: Engine,
    now: u64,
    written: Vec<Entry>,
    calls: Vec<(i64, Call, bool)>,
    /// Whether the latest call may be held open.
    may_wait: bool,
    reported: Vec<(i64, Status, bool)>,
    /// Those reports that are news to people.
    news: Vec<Status>,
    refunds_written: Vec<RefundEntry>,
    refund_calls: Vec<(i64, RefundCall, String)>,
    refunds_reported: Vec<RefundReport>,
}

impl EngineBench {
    fn new() -> Self {
        Self::with(Recovered::default())
    }

    fn with(past: Recovered) -> Self {
        let now = Uptime(1_000_000);
        let wall = Timestamp(1_795_318_200_000);
        let boot = 7;
        let (engine, effects) =
            Engine::new(template(), RULES, Arc::new(Mute), boot, past, now, wall);
        let mut bench = Self {
            engine,
            now: now.0,
            written: Vec::new(),
            calls: Vec::new(),
            may_wait: false,
            reported: Vec::new(),
            news: Vec::new(),
            by: None,
            refunds_written: Vec::new(),
            refund_calls: Vec::new(),
            refunds_reported: Vec::new(),
        };
        bench.take(effects);
        bench
    }

    fn at(&self) -> (Uptime, Timestamp) {
        (Uptime(self.now), Timestamp(1_795_318_200_000 + i64::try_from(self.now).unwrap()))
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Write(entry) => self.written.push(*entry),
                Effect::Call { attempt, call, code, may_wait, .. } => {
                    self.may_wait = may_wait;
                    self.calls.push((attempt, call, code.is_some()));
                }
                Effect::Report(report) => {
                    if report.is_news() {
                        self.news.push(report.attempt.state.status());
                    }
                    let attempt = report.attempt;
                    let number = attempt.out_trade_no.as_str();
                    let counter = number[15..19].parse().unwrap();
                    self.reported.push((counter, attempt.state.status(), attempt.recorded));
                }
                Effect::WriteRefund(entry) => self.refunds_written.push(*entry),
                Effect::CallRefund { refund, what, call } => {
                    self.refund_calls.push((refund, call, what.out_refund_no.to_string()));
                }
                Effect::ReportRefund(report) => self.refunds_reported.push(*report),
            }
        }
    }

    fn begin(&mut self, sale: SaleRef, code: u8) -> Result<OutTradeNo, Refusal> {
        let auth_code = AuthCode::new("134567890123456789").unwrap();
        let (now, wall) = self.at();
        let start = Start {
            sale,
            note: String::new(),
            sold: Arc::default(),
            code: auth_code,
            by: self.by.clone(),
            code_hash: [code; 16],
            client_ip: "203.0.113.7".into(),
            draw: Draw([0, 7, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
        };
        let (number, effects) = self.engine.begin(start, now, wall)?;
        self.take(effects);
        Ok(number)
    }

    fn sell(&mut self, code: u8) -> Result<OutTradeNo, Refusal> {
        self.begin(SaleRef::New(Money::from_minor(1234)), code)
    }

    /// The disk reports on an attempt's entry.
    fn disk(&mut self, attempt: i64, on_disk: bool) {
        let (now, wall) = self.at();
        let effects = self.engine.written(attempt, on_disk, now, wall);
        self.take(effects);
    }

    fn handle(&mut self, attempt: i64, event: Event) {
        let (now, wall) = self.at();
        let effects = self.engine.handle_event(attempt, event, Vec::new(), now, wall);
        self.take(effects);
    }

    /// The latest call of an attempt is answered, and the disk writes at once.
    fn answer(&mut self, attempt: i64, answer: Says) {
        let call = self.calls.iter().rfind(|(of, ..)| *of == attempt).unwrap().1;
        self.handle(attempt, answer.in_answer_to(call));
        self.disk(attempt, true);
    }

    /// Lets time pass; the disk writes at once and the gateway stays silent.
    fn pass(&mut self, millis: u64) {
        let end = self.now + millis;
        while let Some(wake) = self.engine.wake_at().filter(|wake| wake.0 <= end) {
            let before = self.now;
            self.now = self.now.max(wake.0);
            let (now, wall) = self.at();
            let written = self.written.len();
            let effects = self.engine.tick(now, wall);
            assert!(self.now > before || !effects.is_empty(), "a due tick did nothing");
            self.take(effects);
            let attempts: Vec<i64> =
                self.written[written..].iter().map(|entry| entry.attempt).collect();
            for attempt in attempts {
                self.disk(attempt, true);
            }
        }
        self.now = end;
    }

    fn statuses(&self) -> Vec<Status> {
        self.reported.iter().map(|(_, status, _)| *status).collect()
    }
}

fn paid() -> Says {
    let transaction_id = "4200002026112200000000000001".to_owned();
    Says::Paid(Proof { transaction_id, paid_at: Timestamp(0), coupon: None })
}

fn stored(id: i64, mch_id: &str, boot: i64) -> StoredAttempt {
    let mut state = State::begin(&RULES, 0);
    let call = state.step(&Says::Paying.in_answer_to(Call::SUBMISSION), Millis(300), &RULES);
    assert_eq!(call, None);
    let number = format!("T01261122113000{id:04}07");
    StoredAttempt {
        sold: Arc::default(),
        id,
        sale: id,
        order: Order {
            out_trade_no: OutTradeNo::try_from(number).unwrap(),
            amount: Money::from_minor(1234),
            currency: Currency::CNY,
            merchant: merchant(mch_id),
            body: String::new(),
            device_info: String::new(),
            client_ip: String::new(),
            mark: String::new(),
        },
        boot,
        sent_at: Uptime(990_000),
        age: Millis(300),
        created_at: Timestamp(1_795_318_200_000),
        updated_at: Timestamp(1_795_318_200_000),
        state,
    }
}

#[test]
fn nothing_is_sent_or_reported_before_it_is_on_disk() {
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    assert_eq!(bench.written.len(), 1, "one commit lies between scan and wire");
    assert!(bench.written[0].begin.is_some());
    assert!(bench.calls.is_empty() && bench.reported.is_empty());
    bench.disk(1, true);
    assert_eq!(bench.statuses(), [Status::Sent]);
    assert_eq!(bench.calls.len(), 1);
    let call = bench.calls[0].1;
    bench.handle(1, paid().in_answer_to(call));
    assert_eq!(bench.statuses(), [Status::Sent], "not reported before it is written");
    bench.disk(1, true);
    assert_eq!(bench.statuses(), [Status::Sent, Status::Paid]);
}

#[test]
fn what_cannot_be_written_is_not_sent_and_nothing_is_sold_any_more() {
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    bench.disk(1, false);
    assert!(bench.calls.is_empty() && bench.reported.is_empty());
    assert_eq!(bench.sell(2), Err(Refusal::Stopped));
    assert!(!bench.engine.is_open());
}

#[test]
fn an_outcome_that_cannot_be_written_is_reported_as_such_and_ends_all_calls() {
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    bench.disk(1, true);
    let call = bench.calls[0].1;
    bench.handle(1, Says::Paying.in_answer_to(call));
    bench.disk(1, false);
    assert_eq!(bench.reported.last(), Some(&(1, Status::Waiting, false)));
    bench.pass(120_000);
    assert_eq!(bench.calls.len(), 1, "no query, no reversal: they could not be written down");
    assert_eq!(bench.sell(2), Err(Refusal::Stopped));
}

#[test]
fn events_wait_for_the_disk_and_none_is_lost() {
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    bench.disk(1, true);
    bench.now += 2_000;
    let submit = bench.calls[0].1;
    bench.handle(1, Says::Paying.in_answer_to(submit));
    bench.handle(1, Event::CheckNow);
    bench.handle(1, Event::Cancel);
    assert_eq!(bench.written.len(), 2);
    bench.disk(1, true);
    bench.disk(1, true);
    bench.disk(1, true);
    assert_eq!(bench.written.len(), 4);
    assert_eq!(bench.statuses().last(), Some(&Status::Reversing));
}

#[test]
fn the_payment_code_goes_out_once_and_is_gone_with_the_answer() {
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    bench.disk(1, true);
    assert!(bench.engine.attempts[&1].code.is_some());
    bench.answer(1, Says::Paying);
    assert!(bench.engine.attempts[&1].code.is_none());
    bench.pass(6_000);
    assert_eq!(bench.calls.iter().filter(|(_, _, with_code)| *with_code).count(), 1);
    assert!(!format!("{:?}", bench.written).contains("134567890123456789"));
}

#[test]
fn an_entry_says_whose_doing_it_is() {
    let mut bench = EngineBench::new();
    let by = |name: &str| Some(By { operator: name.into(), consent: None });
    bench.by = by("Anna");
    let number = bench.sell(1).unwrap();
    bench.disk(1, true);
    bench.answer(1, Says::Paying);
    let (now, wall) = bench.at();
    let effects = bench.engine.handle_event_of(&number, Event::Cancel, by("Ben"), now, wall);
    bench.take(effects);
    let names: Vec<Option<&str>> = bench
        .written
        .iter()
        .map(|entry| entry.by.as_ref().map(|by| by.operator.as_str()))
        .collect();
    assert_eq!(names, [Some("Anna"), None, Some("Ben")]);
}

#[test]
fn a_sale_is_charged_again_only_when_its_attempt_is_settled() {
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    let again = SaleRef::Again(1, Money::from_minor(1234));
    assert!(matches!(bench.begin(again, 2), Err(Refusal::Unsettled(_))), "at the disk");
    bench.disk(1, true);
    assert!(matches!(bench.begin(again, 2), Err(Refusal::Unsettled(_))), "sent");
    bench.answer(1, Says::Unknown(reason("no_answer")));
    assert!(matches!(bench.begin(again, 2), Err(Refusal::Unsettled(_))), "checking");
    bench.handle(1, Event::Cancel);
    bench.disk(1, true);
    assert!(matches!(bench.begin(again, 2), Err(Refusal::Unsettled(_))), "reversing");
    bench.pass(60_000);
    assert!(matches!(bench.begin(again, 2), Err(Refusal::Unsettled(_))), "still reversing");
    bench.pass(600_000);
    assert_eq!(bench.statuses().last(), Some(&Status::Attention));
    assert!(matches!(bench.begin(again, 2), Err(Refusal::Unsettled(_))), "nobody knows");
}

#[test]
fn a_declined_sale_may_be_charged_again_and_a_paid_one_never() {
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    bench.disk(1, true);
    bench.answer(1, Says::Declined(reason("NOTENOUGH")));
    let again = SaleRef::Again(1, Money::from_minor(1234));
    bench.begin(again, 2).unwrap();
    assert_eq!(bench.written.last().unwrap().begin.as_ref().unwrap().sale.id, 1);
    bench.disk(2, true);
    bench.answer(2, paid());
    assert_eq!(bench.begin(again, 3), Err(Refusal::AlreadyPaid));
}

#[test]
fn a_payment_code_that_was_used_is_noticed() {
    let mut bench = EngineBench::new();
    let number = bench.sell(1).unwrap();
    bench.disk(1, true);
    assert_eq!(bench.engine.code_used_by(&[1; 16]), Some(&number));
    assert_eq!(bench.engine.code_used_by(&[2; 16]), None);
    assert_eq!(bench.sell(1), Err(Refusal::CodeUsed(number.clone())));
    bench.answer(1, paid());
    assert_eq!(bench.engine.code_used_by(&[1; 16]), Some(&number));
    assert_eq!(bench.sell(1), Err(Refusal::CodeUsed(number)), "it is dead");
}

#[test]
fn the_past_is_asked_about_without_a_storm() {
    let open = (1..=20).map(|id| stored(id, "1900000109", 7)).collect();
    let mut bench = EngineBench::with(Recovered { last_attempt: 20, open, ..Recovered::default() });
    for attempt in 1..=20 {
        bench.disk(attempt, true);
    }
    assert_eq!(bench.calls.len(), 1, "the first at once");
    bench.now += 1;
    bench.pass(999);
    assert_eq!(bench.calls.len(), 5 + 1, "then five a second");
    bench.pass(3_200);
    let asked: std::collections::BTreeSet<i64> = bench.calls.iter().map(|(of, ..)| *of).collect();
    assert_eq!(asked.len(), 20);
    assert!(bench.calls.iter().all(|(_, call, _)| call.kind == CallKind::Query));
}

#[test]
fn what_has_ended_leaves_nothing_behind() {
    let mut bench = EngineBench::new();
    for code in 1..=200 {
        bench.sell(code).unwrap();
        let attempt = bench.engine.last_attempt;
        bench.disk(attempt, true);
        bench.answer(attempt, paid());
    }
    assert!(bench.engine.attempts.is_empty());
    assert!(bench.engine.sales.len() <= Recovered::SALES_REMEMBERED as usize);
    assert!(bench.engine.codes.len() <= Recovered::CODES_REMEMBERED as usize);
    assert_eq!(bench.engine.wake_at(), None);
}

#[test]
fn a_complete_reversal_is_written_step_by_step() {
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    bench.disk(1, true);
    bench.answer(1, Says::Paying);
    for _ in 0..6 {
        bench.pass(5_000);
        bench.answer(1, Says::Paying);
    }
    let (_, call, _) = *bench.calls.last().unwrap();
    assert_eq!(call.kind, CallKind::Reverse);
    bench.answer(1, Says::Accepted);
    bench.answer(1, Says::Ended(Ending::Revoked));
    assert_eq!(bench.statuses().last(), Some(&Status::Reversed));
    assert!(!bench.engine.is_open());
}

#[test]
fn a_sale_whose_payment_is_just_being_written_down_is_not_charged_again() {
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    bench.disk(1, true);
    bench.answer(1, Says::Paying);
    bench.now += 3_000;
    bench.handle(1, Event::Cancel);
    bench.disk(1, true);
    bench.pass(2_000);
    let call = bench.calls.last().unwrap().1;
    bench.handle(1, paid().in_answer_to(call));
    let again = SaleRef::Again(1, Money::from_minor(1234));
    assert!(matches!(bench.begin(again, 2), Err(Refusal::Unsettled(_))));
    bench.disk(1, true);
    assert_eq!(bench.begin(again, 2), Err(Refusal::AlreadyPaid));
}

#[test]
fn the_fifteen_seconds_count_from_when_the_request_leaves() {
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    // A slow disk, and then a connection that must be made first.
    bench.now += 20_000;
    bench.disk(1, true);
    bench.now += 2_000;
    bench.engine.mark_sent(1, Uptime(bench.now));
    let left = bench.now;
    bench.handle(1, Event::Cancel);
    bench.disk(1, true);
    bench.pass(13_000);
    bench.answer(1, Says::Paying);
    assert!(bench.calls.iter().all(|(_, call, _)| call.kind != CallKind::Reverse));
    while bench.calls.iter().all(|(_, call, _)| call.kind != CallKind::Reverse) {
        bench.pass(500);
        bench.answer(1, Says::Paying);
    }
    assert!(bench.now - left >= 15_000);
}

#[test]
fn a_code_that_never_left_may_be_shown_again() {
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    bench.disk(1, true);
    bench.answer(1, Says::NotSent(reason("no_connection")));
    assert_eq!(bench.engine.code_used_by(&[1; 16]), None);
}

#[test]
fn asking_now_again_and_again_is_no_storm() {
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    bench.disk(1, true);
    bench.answer(1, Says::Paying);
    let before = bench.calls.len();
    for _ in 0..20 {
        bench.now += 100;
        bench.handle(1, Event::CheckNow);
        bench.disk(1, true);
        bench.answer(1, Says::Paying);
    }
    let asked = bench.calls.len() - before;
    assert!(asked <= 2, "{asked} queries in two seconds");
}

#[test]
fn when_the_journal_fails_for_one_attempt_the_other_is_reported_or_still_woken() {
    let mut bench = EngineBench::new();
    for attempt in 1..=2 {
        bench.sell(u8::try_from(attempt).unwrap()).unwrap();
        bench.disk(attempt, true);
        bench.answer(attempt, Says::Paying);
    }
    let reported = bench.reported.len();
    // The query of the first cannot be written.
    bench.now += 5_000;
    let (now, wall) = bench.at();
    let effects = bench.engine.tick(now, wall);
    bench.take(effects);
    bench.disk(1, false);
    bench.disk(2, false);
    let ours =
        bench.reported[reported..].iter().any(|(attempt, _, recorded)| *attempt == 2 && !recorded);
    assert!(ours || bench.engine.wake_at().is_some());
    // As above, but the disk has nothing of the second: it waits between two queries.
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    bench.disk(1, true);
    bench.answer(1, Says::Paying);
    bench.now += 3_000;
    bench.sell(2).unwrap();
    bench.disk(2, true);
    bench.answer(2, Says::Paying);
    let reported = bench.reported.len();
    bench.now += 2_000;
    let (now, wall) = bench.at();
    let effects = bench.engine.tick(now, wall);
    bench.take(effects);
    bench.disk(1, false);
    let ours =
        bench.reported[reported..].iter().any(|(attempt, _, recorded)| *attempt == 2 && !recorded);
    assert!(ours || bench.engine.wake_at().is_some(), "`pay` waits for ever");
}

#[test]
fn a_payment_that_is_found_late_goes_back_however_it_is_found() {
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    bench.disk(1, true);
    // The machine is suspended; the answer waits in the socket.
    bench.now += 36_000_000;
    bench.answer(1, paid());
    assert_ne!(bench.statuses().last(), Some(&Status::Paid), "ten hours later");
}
