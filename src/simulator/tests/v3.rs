//! The same gateway in API v3, asked by the till's own codec.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::ends::{NUMBER, REQUEST_TIMEOUT};
use super::*;
use crate::v3::{PlatformKeys, RequestV3};
use paytill_core::gateway::wechat::WechatV3;
use paytill_core::gateway::wechat::v3::certificates;
use paytill_core::gateway::wechat::v3::{SigningKey, VerifyingKeys};
use paytill_core::gateway::{Ask, Gateway as _, Outgoing, Reply, Stamp};
use paytill_core::money::Money;
use paytill_core::order::{AuthCode, Order, OutTradeNo};
use paytill_core::payment::{
    Answer, Call, Event, Found, Inconclusive, Reversed, Submitted, TillCause,
};

/// Made once: an RSA key takes its time.
pub(super) fn keys() -> PlatformKeys {
    static KEYS: OnceLock<PlatformKeys> = OnceLock::new();
    KEYS.get_or_init(|| PlatformKeys::generate(identity::MCH_ID).unwrap()).clone()
}

pub(super) fn speak(desk: &mut Desk) -> WechatV3 {
    let other = Bank::new(desk.bank.account.clone(), Script::default(), 0, STARTED);
    let bank = std::mem::replace(&mut desk.bank, other);
    desk.bank = bank.with_v3(keys());
    codec(true)
}

pub(super) fn codec(with_public_key: bool) -> WechatV3 {
    let keys = keys();
    let signing = SigningKey::new(keys.merchant_serial(), keys.merchant_key_pem().as_bytes());
    let mut verifying = VerifyingKeys::default();
    let id = keys.public_key_id();
    assert!(verifying.add_public_key(id, keys.public_key_pem().as_bytes()));
    if with_public_key {
        WechatV3::new(signing.unwrap(), Some(id), verifying)
    } else {
        WechatV3::new(signing.unwrap(), None, VerifyingKeys::default())
    }
}

fn order(number: &str) -> Order {
    Order {
        out_trade_no: OutTradeNo::try_from(number.to_owned()).unwrap(),
        amount: Money::from_minor(1230),
        currency: Currency::CNY,
        merchant: identity::merchant(),
        body: "测试".into(),
        device_info: "S001".into(),
        client_ip: "203.0.113.7".into(),
        mark: "0123456789abcdef".into(),
    }
}

pub(super) fn wall(now: Millis) -> Timestamp {
    Timestamp(STARTED.0 + i64::try_from(now.0).unwrap())
}

pub(super) fn stamp(now: Millis) -> Stamp {
    Stamp { time: wall(now), nonce: "5K8264ILTKCH16CQ2502SI8ZNMTM67VS".into() }
}

fn headers(outgoing: &Outgoing) -> Vec<(String, String)> {
    let headers = outgoing.request.headers().iter();
    let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    headers.push(("user-agent".into(), "test".into()));
    headers
}

fn send(desk: &mut Desk, outgoing: &Outgoing, now: Millis) -> Reaction {
    carry(&mut desk.bank, outgoing, now)
}

pub(super) fn carry(bank: &mut Bank, outgoing: &Outgoing, now: Millis) -> Reaction {
    let headers = headers(outgoing);
    let target = outgoing.request.uri().to_string();
    let request = RequestV3 {
        method: outgoing.request.method().as_str(),
        target: &target,
        headers: &headers,
        body: outgoing.request.body(),
        at: wall(now),
    };
    bank.handle_v3(&request, now)
}

pub(super) fn reply(action: Action) -> Option<Reply> {
    let Action::Headed { status, headers, body } = action else { return None };
    let mut reply = http::Response::builder().status(status);
    for (name, value) in headers {
        reply = reply.header(name, value);
    }
    Some(reply.body(body).unwrap())
}

pub(super) fn make(
    desk: &mut Desk,
    codec: &WechatV3,
    call: Call,
    now: Millis,
    code: &str,
) -> (Millis, Event) {
    let (order, code) = (order(NUMBER), AuthCode::new(code).unwrap());
    let ask = Ask::of(call.kind, &order, Some(&code)).unwrap();
    let outgoing = codec.encode(ask, &stamp(now));
    let reaction = send(desk, &outgoing, now);
    let lost = || {
        let what = Inconclusive::Unknown(TillCause::NoAnswer.into());
        Answer::inconclusive(call.kind, what)
    };
    let (after, answer) = match reaction.action {
        Action::Drip { .. } | Action::Silence => (REQUEST_TIMEOUT, lost()),
        action => match reply(action) {
            Some(reply) if reply.body().len() <= paytill_core::gateway::LARGEST_REPLY => {
                (reaction.after, codec.decode(ask, &reply, wall(now)).answer)
            }
            _ => (reaction.after, lost()),
        },
    };
    if after > REQUEST_TIMEOUT {
        return (now.plus(REQUEST_TIMEOUT), Event::Answered(call.number, lost()));
    }
    (now.plus(after), Event::Answered(call.number, answer))
}

fn answer(desk: &mut Desk, codec: &WechatV3, ask: Ask<'_>, seconds: u64) -> Answer {
    let now = Millis::seconds(seconds);
    let reaction = send(desk, &codec.encode(ask, &stamp(now)), now);
    let reply = reply(reaction.action).unwrap();
    codec.decode(ask, &reply, wall(now)).answer
}

#[test]
fn what_one_version_has_made_the_other_knows() {
    let mut desk = Desk::new(1);
    let codec = speak(&mut desk);
    let order = order(NUMBER);
    let code = AuthCode::new(&Scenario::Pays.code(1)).unwrap();
    let paid = answer(&mut desk, &codec, Ask::Submit(&order, &code), 0);
    assert!(paid.proof().is_some(), "{paid:?}");
    assert_eq!(desk.at(5).query(NUMBER).get("trade_state"), Some("SUCCESS"));
    assert_eq!(desk.query(NUMBER).get("attach"), Some("0123456789abcdef"));
    let done = answer(&mut desk, &codec, Ask::Reverse(&order), 16);
    assert_eq!(done, Answer::Reversed(Reversed::Accepted));
    assert_eq!(desk.bank.entry(NUMBER).unwrap().net().minor(), 0);
    desk.at(20).submit("T01-000002", &named("password-20").code(2));
    let found = answer(&mut desk, &codec, Ask::Query(&self::order("T01-000002")), 21);
    assert_eq!(found, Answer::Found(Found::Paying));
    let found = answer(&mut desk, &codec, Ask::Query(&self::order("T01-000003")), 22);
    assert_eq!(found, Answer::Found(Found::NotFound));
}

#[test]
fn the_same_number_never_charges_again_and_a_code_is_good_for_one_order() {
    let mut desk = Desk::new(1);
    let codec = speak(&mut desk);
    let order = order(NUMBER);
    let code = AuthCode::new(&Scenario::Pays.code(1)).unwrap();
    let submit = |desk: &mut Desk, order: &Order, code: &AuthCode| {
        answer(desk, &codec, Ask::Submit(order, code), 0)
    };
    submit(&mut desk, &order, &code);
    let again = submit(&mut desk, &order, &code);
    assert_eq!(again.reason().unwrap().code(), "ORDERPAID");
    let other = AuthCode::new(&Scenario::Pays.code(2)).unwrap();
    let again = submit(&mut desk, &order, &other);
    assert!(matches!(again, Answer::Submitted(Submitted::Ambiguous(_))), "{again:?}");
    let again = submit(&mut desk, &self::order("T01-000002"), &code);
    assert!(matches!(again, Answer::Submitted(Submitted::Declined(_))), "{again:?}");
    assert_eq!(desk.bank.entry(NUMBER).unwrap().charged.minor(), 1230);
}

#[test]
fn a_reversal_that_is_too_early_is_refused() {
    let mut desk = Desk::new(1);
    let codec = speak(&mut desk);
    let order = order(NUMBER);
    let code = AuthCode::new(&Scenario::Pays.code(1)).unwrap();
    answer(&mut desk, &codec, Ask::Submit(&order, &code), 0);
    let early = answer(&mut desk, &codec, Ask::Reverse(&order), 5);
    assert!(matches!(early, Answer::Reversed(Reversed::Repeat(_))), "{early:?}");
    assert_eq!(desk.bank.entry(NUMBER).unwrap().net().minor(), 1230);
}

#[test]
fn certificates_are_downloaded_and_one_that_is_new_verifies_once_it_is() {
    let mut desk = Desk::new(1);
    speak(&mut desk);
    let codec = codec(false);
    let merchant = identity::merchant();
    let key = keys().api_v3_key().into();
    let download = |desk: &mut Desk, now: Millis| {
        let asked = codec.encode_certificates(&merchant, &stamp(now));
        let reply = reply(send(desk, &asked, now).action).unwrap();
        certificates::read(&reply, &key, wall(now))
    };
    let order = order(NUMBER);
    let code = AuthCode::new(&Scenario::Pays.code(1)).unwrap();
    let lacks = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&lacks);
    codec.when_lacking(move || {
        let _ = count.fetch_add(1, Ordering::Relaxed);
    });
    let is_paid = |desk: &mut Desk, seconds| {
        let before = lacks.load(Ordering::Relaxed);
        let is_paid = answer(desk, &codec, Ask::Query(&order), seconds).proof().is_some();
        assert_eq!(lacks.load(Ordering::Relaxed) - before, usize::from(!is_paid));
        is_paid
    };
    answer(&mut desk, &codec, Ask::Submit(&order, &code), 0);
    assert!(!is_paid(&mut desk, 1));
    codec.replace_certificates(&download(&mut desk, Millis::seconds(2)).unwrap());
    assert!(is_paid(&mut desk, 3));
    desk.bank.v3_keys().unwrap().rotate().unwrap();
    assert!(!is_paid(&mut desk, 4));
    let both = download(&mut desk, Millis::seconds(5)).unwrap();
    assert_eq!(both.len(), 2);
    codec.replace_certificates(&both);
    assert!(is_paid(&mut desk, 6));
}

/// The status and code of an answer to a request that was changed.
fn refused(change: impl FnOnce(&mut RequestParts)) -> (u16, String) {
    refused_of(CallKind::Submit, change)
}

pub(super) fn refused_of(kind: CallKind, change: impl FnOnce(&mut RequestParts)) -> (u16, String) {
    let mut desk = Desk::new(1);
    let codec = speak(&mut desk);
    let (order, code) = (order(NUMBER), AuthCode::new(&Scenario::Pays.code(1)).unwrap());
    let outgoing = codec.encode(Ask::of(kind, &order, Some(&code)).unwrap(), &stamp(Millis(0)));
    let mut parts = RequestParts {
        method: "POST".into(),
        target: outgoing.request.uri().to_string(),
        headers: headers(&outgoing),
        body: String::from_utf8(outgoing.request.body().to_vec()).unwrap(),
        at: STARTED,
        is_signed_anew: false,
    };
    change(&mut parts);
    if parts.is_signed_anew {
        parts.sign();
    }
    let request = RequestV3 {
        method: &parts.method,
        target: &parts.target,
        headers: &parts.headers,
        body: parts.body.as_bytes(),
        at: parts.at,
    };
    let reaction = desk.bank.handle_v3(&request, Millis(0));
    let paid: i64 = desk.bank.ledger().map(|entry| entry.charged.minor()).sum();
    let Action::Headed { status, body, .. } = reaction.action else { panic!() };
    let has_paid = status == 200 && kind != CallKind::Close;
    assert_eq!(paid > 0, has_paid, "{}", String::from_utf8_lossy(&body));
    let body = String::from_utf8(body).unwrap();
    let code = body.split("\"code\":\"").nth(1).and_then(|rest| rest.split('"').next());
    (status, code.unwrap_or_default().to_owned())
}

pub(super) struct RequestParts {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
    at: Timestamp,
    is_signed_anew: bool,
}

impl RequestParts {
    fn header(&mut self, name: &str, value: &str) {
        self.headers.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
    }

    pub(super) fn body(&mut self, from: &str, to: &str) {
        assert!(self.body.contains(from), "{from}");
        (self.body, self.is_signed_anew) = (self.body.replacen(from, to, 1), true);
    }

    /// As the merchant would have.
    fn sign(&mut self) {
        let (time, nonce) = (self.at.0 / 1000, "n0nce");
        let message = format!("{}\n{}\n{time}\n{nonce}\n{}\n", self.method, self.target, self.body);
        let keys = keys();
        let signature = keys.forge(message.as_bytes());
        let value = format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"{nonce}\",\
             signature=\"{signature}\",timestamp=\"{time}\",serial_no=\"{}\"",
            identity::MCH_ID,
            keys.merchant_serial()
        );
        self.header("authorization", &value);
    }
}

#[test]
fn who_cannot_be_verified_is_refused() {
    let sign_error = (401, "SIGN_ERROR".to_owned());
    assert_eq!(refused(|_| {}).0, 200);
    assert_eq!(refused(|parts| parts.is_signed_anew = true).0, 200);
    assert_eq!(refused(|parts| parts.header("authorization", "")), sign_error);
    assert_eq!(refused(|parts| parts.header("authorization", "Basic x")), sign_error);
    for seconds in [-301, 301] {
        let late = |parts: &mut RequestParts| parts.at.0 += seconds * 1000;
        assert_eq!(refused(late), sign_error, "{seconds}");
    }
    assert_eq!(refused(|parts| parts.body.push(' ')), sign_error);
    assert_eq!(refused(|parts| parts.target.push_str("?x=1")), sign_error);
    for (from, to) in [
        ("serial_no=\"", "serial_no=\"0"),
        ("mchid=\"", "mchid=\"0"),
        ("nonce_str=\"", "nonce_str=\"0"),
        ("timestamp=\"", "timestamp=\"0"),
        ("signature=\"", "signature=\"A"),
        ("nonce_str", "nonce"),
        ("\",", "\", "),
    ] {
        let spoilt = |parts: &mut RequestParts| {
            let (_, header) = parts.headers.iter().find(|(it, _)| it == "authorization").unwrap();
            let header = header.replacen(from, to, 1);
            parts.header("authorization", &header);
        };
        // A zero in front of a number is the same number, in another text.
        assert_eq!(refused(spoilt), sign_error, "{from} {to}");
    }
    assert_eq!(refused(|parts| parts.header("user-agent", "")).0, 400);
    assert_eq!(refused(|parts| parts.header("accept", "*/*")).0, 406);
    assert_eq!(refused(|parts| parts.header("content-type", "text/xml")).0, 415);
    assert_eq!(refused(|parts| parts.method = "GET".into()).0, 405);
    assert_eq!(refused(|parts| parts.target = "/v3/nowhere".into()).0, 404);
    let partner = "/v3/pay/partner/transactions/codepay".to_owned();
    assert_eq!(refused(|parts| parts.target = partner).0, 404);
}

#[test]
fn members_have_their_form_and_no_others_are_taken() {
    let wrong = (400, "PARAM_ERROR".to_owned());
    for (from, to) in [
        ("{\"appid\"", "{\"extra\":1,\"appid\""),
        ("{\"appid\"", "{\"goods_tag\":null,\"appid\""),
        ("{\"appid\"", "{\"appid\":\"x\",\"appid\""),
        ("1230", "0"),
        ("1230", "12.30"),
        ("1230", "\"1230\""),
        ("1230", "1e3"),
        ("\"CNY\"", "\"USD\""),
        ("\"CNY\"", "\"CNY\",\"more\":1"),
        ("\"测试\"", "\"\""),
        ("\"测试\"", "\" blank \""),
        ("T01-000001", "T01 000001"),
        ("T01-000001", "short"),
        ("\"out_id\":\"S001\"", "\"out_id\":\"S-1\""),
        ("\"out_id\":\"S001\"", ""),
        (",\"store_info\":{\"out_id\":\"S001\"}", ""),
        ("\"device_ip\":\"203.0.113.7\"", "\"device_ip\":7"),
        ("{\"auth_code\"", "{\"code\""),
    ] {
        assert_eq!(refused(|parts| parts.body(from, to)), wrong, "{from} {to}");
    }
    let long = "店".repeat(43);
    assert_eq!(refused(|parts| parts.body("测试", &long)), wrong);
    assert_eq!(refused(|parts| parts.body("wx8888", "wx0000")).1, "APPID_MCHID_NOT_MATCH");
    assert_eq!(refused(|parts| parts.body(identity::MCH_ID, "1900000100")).1, "MCH_NOT_EXISTS");
    assert_eq!(
        refused(|parts| parts.body("\"auth_code\":\"13", "\"auth_code\":\"28")).1,
        "AUTH_CODE_INVALID"
    );
}

#[test]
fn the_story_masks_codes() {
    let mut desk = Desk::new(1);
    let codec = speak(&mut desk);
    let text = Scenario::Pays.code(123_456);
    let (order, code) = (order(NUMBER), AuthCode::new(&text).unwrap());
    let outgoing = codec.encode(Ask::Submit(&order, &code), &stamp(Millis(0)));
    let reaction = send(&mut desk, &outgoing, Millis(0));
    assert!(!reaction.story.contains(&text), "{}", reaction.story);
    assert!(reaction.story.contains("13************0000 ok: SUCCESS"), "{}", reaction.story);
}

proptest::proptest! {
    #[test]
    fn no_request_makes_it_panic(
        method in ".{0,8}",
        target in proptest::prop_oneof![
            proptest::prelude::Just("/v3/pay/transactions/codepay".to_owned()), "/v3/.{0,40}", ".{0,20}"
        ],
        name in ".{0,20}",
        value in ".{0,80}",
        body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
    ) {
        let mut desk = Desk::new(1);
        speak(&mut desk);
        let headers = [(name, value.clone()), ("Authorization".into(), value)];
        let request = RequestV3 { method: &method, target: &target, headers: &headers, body: &body, at: STARTED };
        desk.bank.handle_v3(&request, Millis(0));
    }
}
