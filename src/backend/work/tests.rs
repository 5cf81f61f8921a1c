//! What becomes of a payment's row, without a database or a gateway.

use std::collections::HashSet;

use paytill_core::clock::{Millis, Timestamp};
use paytill_core::gateway::backend::message::{Channel, PaymentRequest, Refused, Rights};
use paytill_core::money::Currency;
use paytill_core::order::{AuthCode, Merchant, OutTradeNo};
use paytill_core::payment::{
    Answer, Call, CallKind, Event, Found, Inconclusive, Proof, Rules, Status, Submitted, TillCause,
};

use super::decide::{self, Begun, Decided, Deciding};
use crate::desk::{self, Desk};
use crate::store::{Change, PaymentRow, TillRow};

const STARTED: Timestamp = Timestamp(1_795_318_200_000);
const LEASE: Millis = Millis::seconds(15);

/// A backend with one row, as the store would keep it.
struct Book {
    desk: Desk,
    row: Option<PaymentRow>,
    now: Timestamp,
    instance: &'static str,
    is_alone: bool,
    told: Vec<&'static str>,
}

impl Book {
    fn open() -> Self {
        let merchant = Merchant {
            app_id: "wx8888888888888888".to_owned(),
            mch_id: "1900000109".to_owned(),
            sub_app_id: String::new(),
            sub_mch_id: String::new(),
        };
        let desk = Desk {
            merchant,
            currency: Currency::from_code("CNY").unwrap(),
            rules: Rules::default(),
            qr_lasts: Millis::seconds(7200),
            digest_key: aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"a test's"),
        };
        Self { desk, row: None, now: STARTED, instance: "one", is_alone: false, told: Vec::new() }
    }

    fn later(&mut self, seconds: u64) {
        self.now = self.now.after(Millis::seconds(seconds));
    }

    fn decide<T>(
        &mut self,
        decide: impl Fn(&Desk, Option<&PaymentRow>, Deciding<'_>) -> Change<T>,
    ) -> T {
        let (at, instance, is_alone) = (self.now, self.instance, self.is_alone);
        let rules = &self.desk.rules;
        let now = Deciding { at, rules, instance, lease: LEASE, is_alone };
        let Change { write, result } = decide(&self.desk, self.row.as_ref(), now);
        if let Some(write) = write {
            let version = self.row.as_ref().map_or(0, |row| row.version);
            let grows = i64::from(write.event.is_some());
            assert_eq!(write.row.version, version + grows, "a version for each event");
            self.told.extend(&write.outbox);
            self.row = Some(write.row);
        }
        result
    }

    fn begin(&mut self, till: &str, code: &str) -> Begun {
        self.decide(|desk, row, now| {
            let new = desk.payment(&till_row(till), number(), &request(code), now.at, 0);
            decide::begin(row, &new.unwrap(), now)
        })
    }

    fn reverse(&mut self, till: &str) -> Begun {
        self.decide(|desk, row, now| {
            decide::reversed(row, &desk.unseen(&till_row(till), number(), now.at), now)
        })
    }

    fn answer(&mut self, call: Call, answer: &Answer) -> Option<Box<Decided>> {
        let event = Event::Answered(call.number, answer.clone());
        self.decide(|_, row, now| decide::happened(row, &event, &[], now))
    }

    fn wake(&mut self) -> Option<Box<Decided>> {
        self.decide(|_, row, now| decide::woken(row, now))
    }

    fn row(&self) -> &PaymentRow {
        self.row.as_ref().unwrap()
    }

    fn status(&self) -> Status {
        self.row().state.status()
    }
}

fn till_row(till: &str) -> TillRow {
    TillRow {
        till: till.to_owned(),
        store: "S001".to_owned(),
        rights: Rights { charge: true, qr: true, refund_up_to: 0, refund_per_day: 0 },
        key: None,
        enrolled_at: None,
        revoked_at: None,
        last_seen_at: None,
        program: String::new(),
    }
}

fn number() -> OutTradeNo {
    OutTradeNo::try_from("T01112203300089345607".to_owned()).unwrap()
}

fn request(code: &str) -> PaymentRequest {
    PaymentRequest {
        channel: Channel::Micropay,
        amount: 1234,
        currency: "CNY".to_owned(),
        auth_code: AuthCode::new(code),
        description: "Corner Coffee".to_owned(),
        device: "S001".to_owned(),
        client_ip: String::new(),
        mark: "0123456789abcdef".to_owned(),
        acknowledges: false,
        lasts_ms: None,
    }
}

fn paid() -> Proof {
    let transaction_id = "4200000000000000000000000001".to_owned();
    Proof { transaction_id, paid_at: STARTED, coupon: None }
}

fn lost(kind: CallKind) -> Answer {
    Answer::inconclusive(kind, Inconclusive::Unknown(TillCause::NoAnswer.into()))
}

const CODE: &str = "134567890123456789";

#[test]
fn a_new_request_is_written_down_and_submitted_by_nobody_else() {
    let mut book = Book::open();
    let Begun::New(decided) = book.begin("T01", CODE) else { panic!() };
    assert_eq!(decided.call, Some(Call::SUBMISSION));
    assert_eq!(book.row().lease.as_ref().unwrap().owner, "one");
    let Begun::Known(known) = book.begin("T01", CODE) else { panic!() };
    assert_eq!(&*known, book.row());
}

#[test]
fn one_number_has_one_body_and_one_till() {
    let mut book = Book::open();
    book.begin("T01", CODE);
    let row = book.row().clone();
    let other = book.begin("T01", "134567890123456780");
    assert_eq!(other, Begun::Refused(Refused::NumberUsed));
    assert_eq!(book.begin("T02", CODE), Begun::Refused(Refused::NumberUsed));
    assert_eq!(book.reverse("T02"), Begun::Refused(Refused::NumberUsed));
    assert_eq!(*book.row(), row);
}

#[test]
fn a_number_that_was_reversed_first_is_refused_for_ever() {
    let mut book = Book::open();
    let Begun::New(decided) = book.reverse("T01") else { panic!() };
    assert_eq!(decided.call, None);
    let told = desk::told(book.row(), book.now);
    assert!(told.closed && told.state == "declined", "{told:?}");
    assert_eq!(book.row().wake_at, None, "nothing is left to do");
    assert_eq!(book.begin("T01", CODE), Begun::Refused(Refused::Closed));
}

#[test]
fn whoever_does_not_come_back_is_replaced_by_a_query_and_never_by_a_submission() {
    let mut book = Book::open();
    book.begin("T01", CODE);
    book.instance = "two";
    for _ in 0..14 {
        book.later(1);
        let woken = book.wake();
        let calls = woken.and_then(|decided| decided.call);
        assert_ne!(calls.map(|call| call.kind), Some(CallKind::Submit));
    }
    let mut kinds = HashSet::new();
    for _ in 0..200 {
        book.later(1);
        let Some(call) = book.wake().and_then(|decided| decided.call) else { continue };
        kinds.insert(call.kind.word());
        book.answer(call, &lost(call.kind));
    }
    // Without one answer the order is not known to be ours, and is not reversed.
    assert_eq!(kinds, HashSet::from(["orderquery"]));
    assert_eq!(book.status(), Status::Attention, "and still asked about");
    assert!(book.row().wake_at.is_some());
}

#[test]
fn an_instance_that_is_alone_does_not_wait_for_its_predecessor_s_lease() {
    let mut book = Book::open();
    book.begin("T01", CODE);
    book.instance = "two";
    assert_eq!(book.wake(), None, "another may still have it");
    book.is_alone = true;
    let call = book.wake().and_then(|decided| decided.call).unwrap();
    assert_eq!(call.kind, CallKind::Query);
}

#[test]
fn looking_too_early_or_twice_does_nothing() {
    let mut book = Book::open();
    let Begun::New(decided) = book.begin("T01", CODE) else { panic!() };
    book.answer(decided.call.unwrap(), &Answer::Submitted(Submitted::Paying));
    let row = book.row().clone();
    assert_eq!(book.wake(), None);
    assert_eq!(*book.row(), row);
    book.later(5);
    assert!(book.wake().and_then(|decided| decided.call).is_some());
    assert_eq!(book.wake(), None);
}

#[test]
fn what_is_due_and_has_nothing_to_do_is_not_due_again_at_once() {
    let mut book = Book::open();
    book.begin("T01", CODE);
    // Overdue by any clock, with the lease gone.
    for _ in 0..100 {
        let before = book.now;
        book.wake();
        let wake_at = book.row().wake_at.unwrap_or_else(|| panic!("{:?}", book.row()));
        assert!(wake_at > before, "it would be looked at without an end");
        book.now = wake_at;
    }
}

#[test]
fn an_end_is_told_to_others_once() {
    let mut book = Book::open();
    let Begun::New(decided) = book.begin("T01", CODE) else { panic!() };
    book.answer(decided.call.unwrap(), &Answer::Submitted(Submitted::Paid(paid())));
    book.answer(Call { kind: CallKind::Query, number: 7 }, &Answer::Found(Found::Paid(paid())));
    assert_eq!(book.told, ["payment.paid"]);
    assert_eq!((book.status(), book.row().wake_at), (Status::Paid, None));
    assert!(book.row().lease.is_none());
}

#[test]
fn a_paid_one_that_its_till_takes_back_is_reversed_and_its_money_returned() {
    let mut book = Book::open();
    let Begun::New(decided) = book.begin("T01", CODE) else { panic!() };
    book.answer(decided.call.unwrap(), &Answer::Submitted(Submitted::Paid(paid())));
    let Begun::New(decided) = book.reverse("T01") else { panic!() };
    assert!(decided.call.is_some());
    let told = desk::told(book.row(), book.now);
    assert!(told.state == "reversing" && told.money_held && !told.closed, "{told:?}");
}

#[test]
fn a_till_does_not_hear_of_a_reversal_while_a_payment_still_counts() {
    let mut book = Book::open();
    let Begun::New(decided) = book.begin("T01", CODE) else { panic!() };
    book.answer(decided.call.unwrap(), &Answer::Submitted(Submitted::Paying));
    book.later(30);
    let last = book.wake().and_then(|decided| decided.call).unwrap();
    assert_eq!((book.status(), last.kind), (Status::Reversing, CallKind::Query));
    assert_eq!(desk::told(book.row(), book.now).state, "checking");
    let mut paid_late = Book { row: book.row.clone(), ..Book::open() };
    paid_late.now = book.now;
    paid_late.answer(last, &Answer::Found(Found::Paid(paid())));
    assert_eq!(paid_late.status(), Status::Paid);
    let reversal = book.answer(last, &Answer::Found(Found::Paying)).and_then(|it| it.call);
    assert_eq!(reversal.map(|call| call.kind), Some(CallKind::Reverse));
    assert_eq!(desk::told(book.row(), book.now).state, "reversing");
}

#[test]
fn what_was_paid_a_day_ago_is_refunded_and_not_taken_back() {
    let mut book = Book::open();
    let Begun::New(decided) = book.begin("T01", CODE) else { panic!() };
    book.answer(decided.call.unwrap(), &Answer::Submitted(Submitted::Paid(paid())));
    book.later(24 * 3600 + 1);
    let row = book.row().clone();
    assert_eq!(book.reverse("T01"), Begun::Known(Box::new(row)));
    assert_eq!(book.status(), Status::Paid);
}

#[test]
fn a_clock_that_was_set_back_turns_no_time_back() {
    let mut book = Book::open();
    let Begun::New(decided) = book.begin("T01", CODE) else { panic!() };
    book.later(60);
    book.answer(decided.call.unwrap(), &Answer::Submitted(Submitted::Paying));
    let updated_at = book.row().updated_at;
    book.now = STARTED;
    book.reverse("T01");
    assert!(book.row().updated_at >= updated_at);
}

#[tokio::test]
async fn beyond_ten_thousand_who_wait_others_are_answered_at_once() {
    use std::time::Duration;

    let office = crate::tests::Office::open("walks-away").await;
    let work = std::sync::Arc::clone(&office.app.work);
    let all = work.long_polls.acquire_many(10_000).await.unwrap();
    let key = work.key(&OutTradeNo::try_from("T01-00000001".to_owned()).unwrap());
    let for_ever = Duration::from_hours(1);
    let (place, wait) = work.long_poll(for_ever);
    assert!(place.is_none() && wait.is_zero());
    assert!(work.metrics.text().contains("paytill_shed_total{why=\"long_poll\"} 1"));
    assert_eq!(work.news(&key, None, for_ever).await, Ok(None));
    drop(all);
    let (place, wait) = work.long_poll(for_ever);
    assert_eq!(wait, for_ever);
    assert!(work.metrics.text().contains("paytill_long_polls 1"));
    drop(place);
    assert!(work.metrics.text().contains("paytill_long_polls 0"));
}
