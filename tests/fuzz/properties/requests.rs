//! The simulated gateway faces a network too: any bytes at its front door, any fields in its
//! requests.

use paytill::clock::{Millis, Timestamp};
use paytill::order::Merchant;
use paytill::payment::CallKind;
use paytill::simulator::server::{Parsed, parse};
use paytill::simulator::v3::{KeysError, PlatformKeys, RequestV3};
use paytill::simulator::{Account, Action, Bank, GatewayRequest, Script};

use std::sync::OnceLock;

use super::answers::KEY;
use super::draw::Draw;
use super::plain::assert_plain;
use super::reading;

const PATHS: [&str; 10] = [
    "/pay/micropay",
    "/pay/orderquery",
    "/secapi/pay/reverse",
    "/",
    "/pay/micropay?x=1",
    "/pay/unifiedorder",
    "/pay/closeorder",
    "/secapi/pay/refund",
    "/pay/refundquery",
    "/pay/downloadbill",
];
/// Of API v3, with what is sent to it.
const V3: [(&str, &str, &str); 9] = [
    ("POST", "/v3/pay/transactions/codepay", CODEPAY),
    ("POST", "/v3/pay/transactions/native", NATIVE),
    ("GET", "/v3/pay/transactions/out-trade-no/T01261122113000123456?mchid=1900000109", ""),
    ("POST", "/v3/pay/transactions/out-trade-no/T01261122113000123456/reverse", IDS),
    ("POST", "/v3/pay/transactions/out-trade-no/T01261122113000123456/close", CLOSE),
    ("POST", "/v3/refund/domestic/refunds", REFUND),
    ("GET", "/v3/refund/domestic/refunds/T01261122113000123456-1", ""),
    ("GET", "/v3/bill/tradebill?bill_date=2026-11-22&bill_type=ALL", ""),
    ("GET", "/v3/certificates", ""),
];
/// The customer's, in [`CODEPAY`].
const CODE: &str = "130000000000000000";
const IDS: &str = r#"{"appid":"wx8888888888888888","mchid":"1900000109"}"#;
const CLOSE: &str = r#"{"mchid":"1900000109"}"#;
const CODEPAY: &str = r#"{"appid":"wx8888888888888888","mchid":"1900000109","description":"coffee","out_trade_no":"T01261122113000123456","attach":"0123456789abcdef","payer":{"auth_code":"130000000000000000"},"amount":{"total":1234,"currency":"CNY"},"scene_info":{"device_id":"S001","device_ip":"203.0.113.7","store_info":{"out_id":"S001"}}}"#;
const NATIVE: &str = r#"{"appid":"wx8888888888888888","mchid":"1900000109","description":"coffee","out_trade_no":"T01261122113000123456","attach":"0123456789abcdef","notify_url":"https://notify.invalid/none","amount":{"total":1234,"currency":"CNY"},"scene_info":{"payer_client_ip":"203.0.113.7","device_id":"S001"}}"#;
const REFUND: &str = r#"{"out_trade_no":"T01261122113000123456","out_refund_no":"T01261122113000123456-1","reason":"cold","amount":{"refund":234,"total":1234,"currency":"CNY"}}"#;
const NAMES: [&str; 20] = [
    "out_trade_no",
    "total_fee",
    "auth_code",
    "fee_type",
    "body",
    "spbill_create_ip",
    "appid",
    "mch_id",
    "nonce_str",
    "sign_type",
    "transaction_id",
    "device_info",
    "attach",
    "detail",
    "sub_mch_id",
    "neues_feld",
    "trade_type",
    "product_id",
    "notify_url",
    "out_refund_no",
];
const VALUES: [&str; 20] = [
    "",
    "T01261122113000123456",
    "T01261122113000123457",
    "1",
    "1234",
    "999999999999",
    "0",
    "01",
    "-1",
    "130000000000000000",
    "130000000000000108",
    "130000000000000200",
    "130000000000009999",
    "CNY",
    "USD",
    "203.0.113.7",
    "MD5",
    "HMAC-SHA256",
    "NATIVE",
    "https://notify.invalid/none",
];

pub fn check(data: &[u8]) {
    let mut draw = Draw(data);
    let account = Account {
        other_app_id: None,
        merchant: Merchant {
            app_id: "wx8888888888888888".into(),
            mch_id: "1900000109".into(),
            sub_app_id: String::new(),
            sub_mch_id: String::new(),
        },
        api_key: KEY.to_owned(),
    };
    let started = Timestamp(1_795_318_200_000);
    let mut bank = Bank::new(account, Script::default(), u64::from(draw.byte()), started);
    match draw.byte() {
        head if head & 1 == 1 => raw(&mut bank, draw.0),
        head if head & 2 == 2 => signed_v3(&mut bank.with_v3(keys()), &mut draw, started),
        _ => signed(&mut bank, &mut draw),
    }
}

/// Of the simulation, which are nobody else's.
fn keys() -> PlatformKeys {
    static KEYS: OnceLock<PlatformKeys> = OnceLock::new();
    let parts: Vec<&str> =
        include_str!("../../simulation/keys.pem").split("-----BEGIN PRIVATE KEY-----").collect();
    let pair = |nth: usize| {
        let at = parts[nth].find("-----BEGIN CERT").unwrap();
        let (key, certificate) = parts[nth].split_at(at);
        [format!("-----BEGIN PRIVATE KEY-----{key}"), certificate.to_owned()]
    };
    let load = |name: &'static str| {
        let (nth, half) = match name {
            "secrets/v3_apiclient_key.pem" => (1, 0),
            "secrets/v3_apiclient_cert.pem" => (1, 1),
            "secrets/platform_key.pem" => (2, 0),
            "secrets/platform_id_cert.pem" => (2, 1),
            "secrets/platform_cert_key.pem" => (3, 0),
            "secrets/platform_cert.pem" => (3, 1),
            "secrets/pub_key.id" => return Ok::<_, KeysError>("PUB_KEY_ID_01".to_owned()),
            _ => return Ok(KEY.to_owned()),
        };
        Ok(pair(nth)[half].clone())
    };
    KEYS.get_or_init(|| PlatformKeys::load(load).unwrap()).clone()
}

/// Requests of API v3 with anything in place of some of their bytes, most of them signed.
fn signed_v3(bank: &mut Bank, draw: &mut Draw<'_>, started: Timestamp) {
    let mut now = Millis(0);
    let keys = keys();
    for _ in 0..16 {
        if draw.is_over() {
            break;
        }
        let (method, target, body) = draw.one_of(&V3);
        now = now.plus(Millis(u64::from(draw.byte()) * 200));
        let at = Timestamp(started.0 + i64::try_from(now.0).unwrap());
        let (mut target, mut body) = (target.to_owned(), body.to_owned());
        for _ in 0..draw.byte() % 3 {
            let text = if draw.bit() { &mut target } else { &mut body };
            let words = ["1234", "T01261122113000123456", "1900000109", "\"", "CNY", "{", "S001"];
            let with = if draw.bit() { draw.text() } else { draw.one_of(&VALUES).to_owned() };
            *text = text.replacen(draw.one_of(&words), &with, 1);
        }
        let time = at.0 / 1000;
        let message = format!("{method}\n{target}\n{time}\nabc\n{body}\n");
        let signature = if draw.byte() < 16 { draw.text() } else { keys.forge(message.as_bytes()) };
        let authorization = format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"1900000109\",nonce_str=\"abc\",\
             signature=\"{signature}\",timestamp=\"{time}\",serial_no=\"{}\"",
            keys.merchant_serial()
        );
        let headers = [
            ("Accept", "application/json"),
            ("Content-Type", "application/json"),
            ("User-Agent", "fuzz"),
            ("Authorization", &authorization),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let target = target.as_str();
        let bytes = body.as_bytes();
        let request = RequestV3 { method, target, headers: &headers, body: bytes, at };
        let reaction = bank.handle_v3(&request, now);
        assert_plain(&reaction.story, "a line of the story");
        // Unless it was also given as something else.
        let is_code = body.matches(CODE).count() == 1 && !target.contains(CODE);
        let is_code = is_code && body.contains(&format!("\"auth_code\":\"{CODE}\""));
        assert!(!is_code || !reaction.story.contains(CODE), "{}", reaction.story);
        if let Action::Headed { body, .. } = &reaction.action {
            assert!(!body.windows(KEY.len()).any(|part| part == KEY.as_bytes()));
        }
        books(bank);
    }
    bank.advance(now.plus(Millis::seconds(3600)));
    books(bank);
}

/// Bytes as they arrive from the network, one request after another.
fn raw(bank: &mut Bank, bytes: &[u8]) {
    let mut rest = bytes;
    loop {
        match parse(rest) {
            Parsed::Partial => return,
            Parsed::Refused(status) => return assert!((400..500).contains(&status), "{status}"),
            Parsed::Complete(head) => {
                let end = head.length + head.body;
                assert!(head.length > 0 && end <= rest.len());
                let body = &rest[head.length..end];
                for client_certificate in [false, true] {
                    let (method, path) = (head.method.as_str(), head.path.as_str());
                    let request = GatewayRequest { method, path, body, client_certificate };
                    handle(bank, &request, Millis(5), "");
                }
                rest = &rest[end..];
            }
        }
    }
}

/// Signed requests with any fields, in any order, at any time.
fn signed(bank: &mut Bank, draw: &mut Draw<'_>) {
    let mut now = Millis(0);
    for _ in 0..16 {
        if draw.is_over() {
            break;
        }
        let path = draw.one_of(&PATHS);
        now = now.plus(Millis(u64::from(draw.byte()) * 200));
        let mut fields = vec![
            ("appid", "wx8888888888888888".to_owned()),
            ("mch_id", "1900000109".to_owned()),
            ("nonce_str", "0123456789abcdef".to_owned()),
            ("sign_type", "HMAC-SHA256".to_owned()),
            ("out_trade_no", "T01261122113000123456".to_owned()),
            ("total_fee", "1234".to_owned()),
            ("auth_code", "130000000000000000".to_owned()),
            ("body", "coffee".to_owned()),
            ("spbill_create_ip", "203.0.113.7".to_owned()),
        ];
        for _ in 0..draw.byte() % 5 {
            let name = draw.one_of(&NAMES);
            let value = if draw.bit() { draw.text() } else { draw.one_of(&VALUES).to_owned() };
            fields.retain(|(known, _)| *known != name);
            fields.push((name, value));
        }
        let fields: Vec<_> =
            fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let is_md5 = !fields.contains(&("sign_type".into(), "HMAC-SHA256".into()));
        let mut all = fields.clone();
        let with_code = fields.iter().filter(|(_, value)| value.contains("13000000000000"));
        // The customer's code, unless it was also given as something else.
        let code = match with_code.collect::<Vec<_>>()[..] {
            [(name, code)] if name == "auth_code" => code.clone(),
            _ => String::new(),
        };
        let map = fields.into_iter().collect();
        all.push(("sign".into(), reading::signature(&map, KEY, is_md5)));
        let body = reading::document(&all);
        let request =
            GatewayRequest { method: "POST", path, body: &body, client_certificate: draw.bit() };
        handle(bank, &request, now, &code);
    }
    bank.advance(now.plus(Millis::seconds(3600)));
    books(bank);
}

fn handle(bank: &mut Bank, request: &GatewayRequest<'_>, now: Millis, code: &str) {
    let reaction = bank.handle(request, now);
    assert_plain(&reaction.story, "a line of the story");
    assert!(code.len() != 18 || !reaction.story.contains(code), "{}", reaction.story);
    if let Action::Answer { status: 200, body } = &reaction.action {
        let told = reading::fields(body);
        let proven = told.filter(|fields| fields.contains_key("sign"));
        if let Some(fields) = proven {
            assert!(!fields.values().any(|value| value.contains(KEY)), "{fields:?}");
        }
    }
    books(bank);
}

/// Each order number is submitted once and charged once.
fn books(bank: &Bank) {
    for entry in bank.ledger() {
        assert!(entry.charged <= entry.amount, "{entry:?}");
        assert!(entry.returned <= entry.charged, "{entry:?}");
        let has_money = entry.charged.minor() > 0;
        let mut asked = [CallKind::Submit, CallKind::Order].into_iter();
        let has_asked = asked.any(|kind| entry.times_of(kind).next().is_some());
        assert!(!has_money || has_asked, "{entry:?}");
    }
}
