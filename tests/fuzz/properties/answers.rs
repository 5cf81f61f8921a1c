//! The gateway's answers: they are believed only if a second parser finds the same bytes correctly
//! signed and about our order.

use std::collections::BTreeMap;

use paytill::clock::Timestamp;
use paytill::gateway::wechat::fields::{Fields, SignType};
use paytill::gateway::wechat::v2::WechatV2;
use paytill::gateway::{Ask, Decoded, Gateway as _, Reply};
use paytill::money::{Currency, Money};
use paytill::order::{AuthCode, Merchant, Order, OutTradeNo};
use paytill::payment::{Answer, Inconclusive, Ordered};

use super::draw::Draw;
use super::plain::assert_plain;
use super::reading;

pub const KEY: &str = "0123456789abcdef0123456789ABCDEF";
pub const CODE: &str = "134567890123456789";
pub const NUMBER: &str = "T01261122113000123456";
const NOW: Timestamp = Timestamp(1_795_318_200_000);
/// In a document, stands for the correct signature.
const SIGN_HERE: &str = "@SIGN@";
/// The fields to change, and an unknown one.
const NAMES: [&str; 25] = [
    "return_code",
    "return_msg",
    "result_code",
    "err_code",
    "err_code_des",
    "appid",
    "mch_id",
    "sub_appid",
    "sub_mch_id",
    "out_trade_no",
    "total_fee",
    "fee_type",
    "transaction_id",
    "time_end",
    "trade_state",
    "trade_state_desc",
    "recall",
    "coupon_fee",
    "openid",
    "attach",
    "bank_type",
    "sign",
    "sign_type",
    "neu\u{200d}es_feld",
    "code_url",
];
/// Values that have a meaning in some field.
const VALUES: [&str; 43] = [
    "",
    "SUCCESS",
    "FAIL",
    "success",
    "Y",
    "N",
    "1234",
    "1235",
    "01234",
    "+1234",
    "1234.0",
    "12.34",
    "1234 ",
    " 1234",
    "-1234",
    "CNY",
    "USD",
    "cny",
    NUMBER,
    "T01261122113000123457",
    "USERPAYING",
    "NOTPAY",
    "PAYERROR",
    "REVOKED",
    "CLOSED",
    "REFUND",
    "ACCEPT",
    "ORDERNOTEXIST",
    "SYSTEMERROR",
    "NOTENOUGH",
    "REVERSE_EXPIRE",
    "20261122113005",
    "99991231235960",
    "4200001234202611220123456789",
    CODE,
    "1900000109",
    "1900000110",
    "wx8888888888888888",
    "MD5",
    "9223372036854775808",
    "weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00",
    "ORDERPAID",
    "ORDERCLOSED",
];

/// The order that the requests are about.
pub fn order() -> Order {
    Order {
        out_trade_no: OutTradeNo::try_from(NUMBER.to_owned()).unwrap(),
        amount: Money::from_minor(1234),
        currency: Currency::CNY,
        merchant: Merchant {
            app_id: "wx8888888888888888".into(),
            mch_id: "1900000109".into(),
            sub_app_id: String::new(),
            sub_mch_id: String::new(),
        },
        body: "Corner Coffee T01".into(),
        device_info: "S001".into(),
        client_ip: "203.0.113.7".into(),
        mark: "0123456789abcdef".into(),
    }
}

/// The first byte selects the request, and whether the rest is a document or a series of changes to
/// the document that says *paid*.
pub fn check(data: &[u8]) {
    let mut draw = Draw(data);
    let head = draw.byte();
    let (order, code) = (order(), AuthCode::new(CODE).unwrap());
    let ask = match (head & 3, head & 32 != 0) {
        (1, true) => Ask::Order(&order),
        (2, true) => Ask::Close(&order),
        (1, false) => Ask::Query(&order),
        (2, false) => Ask::Reverse(&order),
        (3, _) => Ask::RefundQuery(&order),
        _ => Ask::Submit(&order, &code),
    };
    let is_md5 = head & 4 != 0;
    let status = if head & 8 != 0 { draw.short() } else { 200 };
    let body = if head & 16 != 0 { changed(&mut draw) } else { draw.0.to_vec() };
    let body = signed(body, is_md5);
    holds(ask, is_md5, &reply(status, body));
}

/// The document of a payment with some fields changed, in the order of the changes.
fn changed(draw: &mut Draw<'_>) -> Vec<u8> {
    let start = [
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", "wx8888888888888888"),
        ("mch_id", "1900000109"),
        ("out_trade_no", NUMBER),
        ("total_fee", "1234"),
        ("fee_type", "CNY"),
        ("transaction_id", "4200001234202611220123456789"),
        ("time_end", "20261122113005"),
        ("trade_state", "SUCCESS"),
        ("recall", "N"),
        ("sign", SIGN_HERE),
    ];
    let mut fields: Vec<_> =
        start.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    while !draw.is_over() {
        let (deed, name) = (draw.byte(), draw.one_of(&NAMES));
        match deed % 4 {
            0 => fields.retain(|(known, _)| known != name),
            1 => fields.push((name.to_owned(), draw.one_of(&VALUES).to_owned())),
            2 => {
                let value = draw.one_of(&VALUES).to_owned();
                fields.retain(|(known, _)| known != name);
                fields.push((name.to_owned(), value));
            }
            _ => {
                let value = draw.text();
                fields.retain(|(known, _)| known != name);
                fields.push((name.to_owned(), value));
            }
        }
    }
    reading::document(&fields)
}

/// Signs a document if it contains [`SIGN_HERE`].
fn signed(body: Vec<u8>, is_md5: bool) -> Vec<u8> {
    let asks = body.windows(SIGN_HERE.len()).any(|window| window == SIGN_HERE.as_bytes());
    let Some(fields) = reading::fields(&body).filter(|_| asks) else { return body };
    let sign = reading::signature(&fields, KEY, is_md5);
    String::from_utf8(body).unwrap().replace(SIGN_HERE, &sign).into_bytes()
}

/// A reply with this HTTP status.
pub fn reply(status: u16, body: Vec<u8>) -> Reply {
    let mut reply = Reply::new(body);
    *reply.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::OK);
    reply
}

/// What must hold for any reply to any request.
pub fn holds(ask: Ask<'_>, is_md5: bool, reply: &Reply) -> Decoded {
    let sign_type = if is_md5 { SignType::Md5 } else { SignType::HmacSha256 };
    let codec = WechatV2::new(sign_type, KEY.to_owned().into());
    let decoded = codec.decode(ask, reply, NOW);
    assert_eq!(codec.decode(ask, reply, NOW), decoded, "the same bytes say the same");
    for (name, value) in &decoded.record {
        assert_plain(name, "a recorded name");
        assert_plain(value, "a recorded value");
        let is_code = matches!(ask, Ask::Submit(..)) && value.contains(CODE);
        assert!(!is_code && !name.contains(KEY) && !value.contains(KEY), "{name}: {value}");
    }
    if let Some(reason) = decoded.answer.reason() {
        assert_plain(reason.code(), "a reason's code");
        assert_plain(&reason.text, "a reason's text");
        assert!(reason.code().len() <= 400 && reason.text.len() <= 2000, "{reason:?}");
    }
    if let Ok(fields) = Fields::from_xml(reply.body()) {
        let again = Fields::from_xml(fields.to_xml().as_bytes());
        assert_eq!(again.as_ref(), Ok(&fields), "what was read can be written");
        let second = reading::fields(reply.body()).expect("a second reading");
        // The parser keeps a CR directly before a reference, where the standard demands an LF.
        // Signature and decision use the same map, so this makes no difference.
        let same = |value: &str| value.replace("\r\n", "\n").replace('\r', "\n");
        let first: BTreeMap<_, _> =
            fields.iter().map(|(name, value)| (name.to_owned(), same(value))).collect();
        // An empty field is none: it is neither signed nor looked at.
        let second = second.into_iter().filter(|(_, value)| !value.is_empty());
        let second: BTreeMap<_, _> = second.map(|(name, value)| (name, same(&value))).collect();
        assert_eq!(first, second, "two readings of one message");
    }
    assert_eq!(decoded.answer.kind(), ask.kind(), "the answer to another call");
    match decoded.answer.as_inconclusive() {
        Some(Inconclusive::Unknown(_)) => {}
        Some(Inconclusive::Unsigned(_)) => {
            let fields = reading::fields(reply.body()).expect("it was read");
            assert_eq!(fields.get("return_code").map(String::as_str), Some("FAIL"));
        }
        Some(Inconclusive::NotSent(_)) => panic!("it was sent: there is a reply"),
        None => is_proven(ask, is_md5, reply, &decoded.answer),
    }
    decoded
}

/// Whatever is believed is signed, and about our merchant and no other order number.
fn is_proven(ask: Ask<'_>, is_md5: bool, reply: &Reply, answer: &Answer) {
    assert_eq!(reply.status(), 200, "{answer:?}");
    let fields = reading::fields(reply.body()).expect("it was read");
    let get = |name: &str| fields.get(name).map_or("", String::as_str);
    assert_eq!(get("sign"), reading::signature(&fields, KEY, is_md5), "{answer:?}");
    let order = ask.order();
    assert_eq!(get("return_code"), "SUCCESS");
    assert_eq!((get("appid"), get("mch_id")), ("wx8888888888888888", "1900000109"));
    assert_eq!((get("sub_appid"), get("sub_mch_id")), ("", ""));
    assert!(["", order.out_trade_no.as_str()].contains(&get("out_trade_no")), "{fields:?}");
    if let Answer::Ordered(Ordered::Code(code)) = answer {
        assert_eq!(get("code_url"), code.as_str(), "verbatim");
        assert_plain(code.as_str(), "what a code says");
    }
    let Some(proof) = answer.proof() else {
        return assert!(["SUCCESS", "FAIL"].contains(&get("result_code")));
    };
    assert_eq!(get("result_code"), "SUCCESS");
    assert_eq!(get("out_trade_no"), NUMBER);
    assert_eq!(get("total_fee"), "1234");
    assert!(["", "CNY"].contains(&get("fee_type")));
    assert_eq!(get("transaction_id"), proof.transaction_id);
    let id = &proof.transaction_id;
    assert!((1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    match ask {
        Ask::Submit(..) => {}
        Ask::Query(_) => assert_eq!(get("trade_state"), "SUCCESS"),
        Ask::Reverse(_) | Ask::RefundQuery(_) | Ask::Order(_) | Ask::Close(_) => {
            panic!("this call proves no payment")
        }
    }
}
