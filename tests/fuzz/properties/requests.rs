//! The simulated gateway faces a network too: any bytes at its front door, any fields in its
//! requests.

use paytill::clock::{Millis, Timestamp};
use paytill::order::Merchant;
use paytill::payment::CallKind;
use paytill::simulator::server::{Parsed, parse};
use paytill::simulator::{Account, Action, Bank, GatewayRequest, Script};

use super::answers::KEY;
use super::draw::Draw;
use super::plain::assert_plain;
use super::reading;

const PATHS: [&str; 5] =
    ["/pay/micropay", "/pay/orderquery", "/secapi/pay/reverse", "/", "/pay/micropay?x=1"];
const NAMES: [&str; 16] = [
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
];
const VALUES: [&str; 18] = [
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
    if draw.bit() { raw(&mut bank, draw.0) } else { signed(&mut bank, &mut draw) }
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
