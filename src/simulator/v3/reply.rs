//! How API v3 replies: signed JSON with a status, and every way to corrupt it.

use std::fmt::Write as _;

use super::PlatformKeys;
use crate::fault::{Fault, LATE_SECONDS};
use crate::reply::{PORTAL, REDIRECT, in_words, noise, nonce};
use crate::request::Incoming;
use crate::{Action, Reaction, Said};
use paytill_core::clock::{Millis, Timestamp};
use paytill_core::gateway::LARGEST_REPLY;
use paytill_core::gateway::wechat::fields::Fields;
use paytill_core::gateway::wechat::v3::json::{Value, quoted};
use paytill_core::order::Merchant;
use paytill_core::payment::CallKind;

/// Which of the gateway's keys signs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Signature {
    PublicKey,
    Certificate,
}

/// How an answer is signed.
pub(super) struct Reply<'a> {
    pub(super) keys: &'a PlatformKeys,
    pub(super) signature: Signature,
    /// The gateway's clock.
    pub(super) at: Timestamp,
}

/// A status of API v3 and its spelling of a code of API v2, where they are not 400 and the same.
const CODES: [(&str, u16, &str); 25] = [
    ("AUTHCODEEXPIRE", 400, "AUTH_CODE_EXPIRE"),
    ("BANKERROR", 500, "BANK_ERROR"),
    ("BIZERR_NEED_RETRY", 500, "SYSTEM_ERROR"),
    ("ERROR", 400, "INVALID_REQUEST"),
    ("INVALID_REQ_TOO_MUCH", 429, "FREQUENCY_LIMITED"),
    ("INVALID_TRANSACTIONID", 404, "ORDER_NOT_EXIST"),
    ("LACK_PARAMS", 400, "PARAM_ERROR"),
    ("MCHID_NOT_EXIST", 404, "MCH_NOT_EXISTS"),
    ("NOAUTH", 403, "NO_AUTH"),
    ("NOTENOUGH", 403, "NOT_ENOUGH"),
    ("NOTSUPORTCARD", 403, "NOT_SUPORT_CARD"),
    ("NOT_UTF8", 400, "PARAM_ERROR"),
    ("ORDERCLOSED", 400, "ORDER_CLOSED"),
    ("ORDERNOTEXIST", 404, "ORDER_NOT_EXIST"),
    ("ORDERPAID", 400, "ORDER_PAID"),
    ("ORDERREVERSED", 400, "ORDER_REVERSED"),
    ("OUT_TRADE_NO_USED", 403, "OUT_TRADE_NO_USED"),
    ("REFUNDNOTEXIST", 404, "RESOURCE_NOT_EXISTS"),
    ("REQUIRE_POST_METHOD", 400, "PARAM_ERROR"),
    ("SIGNERROR", 401, "SIGN_ERROR"),
    ("SYSTEMERROR", 500, "SYSTEM_ERROR"),
    ("TRADE_ERROR", 403, "TRADE_ERROR"),
    ("UNHEARD_OF_CODE", 500, "UNHEARD_OF_CODE"),
    ("USERPAYING", 400, "USERPAYING"),
    ("XML_FORMAT_ERROR", 400, "PARAM_ERROR"),
];

/// An answer without a signature.
pub(super) fn bare(status: u16, body: String) -> Reaction {
    let story = if body.is_empty() { status.to_string() } else { format!("{status} {body}") };
    let action = Action::Headed { status, headers: Vec::new(), body: body.into_bytes() };
    Reaction { after: Millis(0), action, story }
}

/// An error's body.
pub(super) fn error(code: &str, text: &str) -> String {
    format!("{{\"code\":{},\"message\":{}}}", quoted(code), quoted(text))
}

impl Reply<'_> {
    /// Puts what the gateway's books say into the form of API v3, correct or with its fault.
    pub(super) fn say(
        &self,
        merchant: &Merchant,
        incoming: &Incoming,
        said: Said,
        rng: &mut fastrand::Rng,
    ) -> Reaction {
        let Said { mut fields, fault, after, .. } = said;
        address(merchant, incoming, &mut fields);
        let mut story = in_words(&fields);
        match fault {
            Some(Fault::WrongAmount) => {
                let amount = fields.get("total_fee").and_then(|fee| fee.parse::<i64>().ok());
                fields.set("total_fee", amount.unwrap_or(0).saturating_add(1).to_string());
            }
            Some(Fault::WrongNumber) => {
                let number = incoming.fields.get("out_trade_no").unwrap_or_default();
                let (start, last) = number.split_at(number.len().saturating_sub(1));
                fields.set("out_trade_no", format!("{start}{}", u8::from(last == "0")));
            }
            Some(Fault::WrongMerchant) => fields.set("mch_id", "1900009999"),
            Some(Fault::WrongCurrency) => fields.set("fee_type", "XTS"),
            _ => {}
        }
        let may_be_empty = fault.is_none();
        let (status, body) = message(merchant, incoming.kind, &fields, may_be_empty, rng);
        let action = match fault {
            None if status >= 400 && rng.u8(..4) > 0 => headed(status, Vec::new(), body),
            None => self.signed(status, body, rng),
            Some(fault) => {
                let _ = write!(story, " ({})", fault.name());
                self.corrupt(fault, status, body, rng)
            }
        };
        let late = match fault {
            Some(Fault::Late) => Millis::seconds(LATE_SECONDS.into()),
            _ => Millis(0),
        };
        Reaction { after: after.plus(late), action, story }
    }

    /// A correct answer.
    pub(super) fn signed(&self, status: u16, body: String, rng: &mut fastrand::Rng) -> Action {
        let by_certificate = self.signature == Signature::Certificate;
        let headers = self.headers(&body, rng, |text| self.keys.sign(by_certificate, text));
        headed(status, headers, body)
    }

    pub(super) fn headers(
        &self,
        body: &str,
        rng: &mut fastrand::Rng,
        sign: impl FnOnce(&[u8]) -> String,
    ) -> Vec<(&'static str, String)> {
        let (time, nonce) = ((self.at.0 / 1000).to_string(), nonce(rng));
        let signature = sign(format!("{time}\n{nonce}\n{body}\n").as_bytes());
        let serial = match self.signature {
            Signature::PublicKey => self.keys.public_key_id(),
            Signature::Certificate => self.keys.certificate_serial(),
        };
        vec![
            ("Wechatpay-Nonce", nonce),
            ("Wechatpay-Signature", signature),
            ("Wechatpay-Timestamp", time),
            ("Wechatpay-Serial", serial.to_owned()),
            ("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048".to_owned()),
            ("Request-ID", format!("{}-0", crate::reply::nonce(rng))),
        ]
    }

    fn corrupt(&self, fault: Fault, status: u16, body: String, rng: &mut fastrand::Rng) -> Action {
        let sent = |action: &Action| match action {
            Action::Headed { status, headers, body } => http(None, *status, headers, body),
            _ => Vec::new(),
        };
        let more = |member: &str| format!("{{{member},{}", body.get(1..).unwrap_or("}"));
        match fault {
            Fault::AnswerLost | Fault::RequestLost => Action::Close,
            Fault::Reset => Action::Reset,
            Fault::Silent => Action::Silence,
            Fault::Late
            | Fault::WrongAmount
            | Fault::WrongNumber
            | Fault::WrongMerchant
            | Fault::WrongCurrency => self.signed(status, body, rng),
            Fault::Drip => {
                let bytes = sent(&self.signed(status, body, rng));
                Action::Drip { bytes, every: Millis::seconds(1) }
            }
            Fault::Garbage => Action::Headed { status: 200, headers: Vec::new(), body: noise(rng) },
            Fault::NotHttp => Action::Raw(noise(rng)),
            Fault::Truncated => {
                let mut bytes = sent(&self.signed(status, body, rng));
                bytes.truncate(rng.usize(1..bytes.len()));
                Action::Raw(bytes)
            }
            Fault::Html => headed(200, Vec::new(), PORTAL.to_owned()),
            Fault::Empty => headed(200, Vec::new(), String::new()),
            Fault::Huge => {
                let text = "x".repeat(2 * LARGEST_REPLY);
                self.signed(200, more(&format!("\"promotion_detail\":\"{text}\"")), rng)
            }
            // What some parsers pass over in front of a message.
            Fault::Doctype => self.signed(200, format!("/* SUCCESS */{body}"), rng),
            Fault::RepeatedField => {
                let again = more("\"trade_state\":\"SUCCESS\",\"trade_state\":\"SUCCESS\"");
                self.signed(200, again, rng)
            }
            Fault::Unsigned => headed(status, Vec::new(), body),
            Fault::Forged => {
                let headers = self.headers(&body, rng, |text| self.keys.forge(text));
                headed(200, headers, body)
            }
            // A probe: whether a till verifies at all.
            Fault::Downgraded => {
                let headers = self.headers(&body, rng, |text| {
                    format!("WECHATPAY/SIGNTEST/{}", self.keys.forge(text))
                });
                headed(status, headers, body)
            }
            Fault::Http500 => self.signed(500, body, rng),
            Fault::Http429 => self.signed(429, body, rng),
            Fault::Redirect => Action::Raw(REDIRECT.as_bytes().to_vec()),
            Fault::ReturnFail => headed(401, Vec::new(), error("SIGN_ERROR", "签名错误")),
        }
    }
}

fn headed(status: u16, headers: Vec<(&'static str, String)>, body: String) -> Action {
    Action::Headed { status, headers, body: body.into_bytes() }
}

/// A complete HTTP answer.
pub(super) fn http(
    at: Option<Timestamp>,
    status: u16,
    headers: &[(&'static str, String)],
    body: &[u8],
) -> Vec<u8> {
    let reason = match status {
        200 => "OK",
        202 => "Accepted",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        429 => "Too Many Requests",
        500..=599 => "Internal Server Error",
        _ => "Error",
    };
    let mut head = format!("HTTP/1.1 {status} {reason}\r\nServer: nginx\r\n");
    if let Some(at) = at {
        let _ = write!(head, "Date: {}\r\n", at.to_http());
    }
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    if status != 204 {
        let _ = write!(head, "Content-Length: {}\r\n", body.len());
    }
    if status != 204 && !headers.iter().any(|(name, _)| *name == "Content-Type") {
        head.push_str("Content-Type: application/json\r\n");
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

/// Whom it is for.
fn address(merchant: &Merchant, incoming: &Incoming, fields: &mut Fields) {
    fields.set("appid", incoming.fields.get("appid").unwrap_or(&merchant.app_id));
    fields.set("mch_id", merchant.mch_id.as_str());
}

/// Status and body. A reversal may be answered without one; a closing always is.
fn message(
    merchant: &Merchant,
    kind: CallKind,
    fields: &Fields,
    may_be_empty: bool,
    rng: &mut fastrand::Rng,
) -> (u16, String) {
    let code = fields.get("err_code");
    let text = fields.get("err_code_des").unwrap_or_default();
    match (code, kind) {
        (Some("USERPAYING"), CallKind::Submit) => {
            let named = [("trade_state", "USERPAYING"), ("trade_state_desc", text)];
            let body = if rng.bool() {
                order(merchant, fields, &named, rng)
            } else {
                error("USERPAYING", text)
            };
            (202, body)
        }
        // Of a refund, or of an order that cannot have one.
        (Some("ORDERNOTEXIST" | "REFUNDNOTEXIST"), CallKind::RefundQuery) => {
            (404, error("RESOURCE_NOT_EXISTS", text))
        }
        (Some(code), _) => {
            let known = CODES.iter().find(|(known, ..)| *known == code);
            let (status, code) = known.map_or((400, code), |(_, status, code)| (*status, *code));
            (status, error(code, text))
        }
        (None, CallKind::Reverse) => match fields.get("recall") {
            Some("N") if may_be_empty && rng.u8(..4) == 0 => (204, String::new()),
            Some("N") => (200, order(merchant, fields, &[], rng)),
            _ => (202, order(merchant, fields, &[], rng)),
        },
        (None, CallKind::Submit) => {
            let named = [("trade_state", "SUCCESS"), ("trade_state_desc", "支付成功")];
            (200, order(merchant, fields, &named, rng))
        }
        (None, CallKind::RefundQuery) => (200, refund(fields)),
        // These two name nobody.
        (None, CallKind::Order) => {
            let code = fields.get("code_url").unwrap_or_default();
            (200, format!("{{\"code_url\":{}}}", quoted(code)))
        }
        (None, CallKind::Close) => (204, String::new()),
        (None, CallKind::Query) => {
            let words = ["trade_state", "trade_state_desc"];
            let named = words.map(|name| (name, fields.get(name).unwrap_or_default()));
            (200, order(merchant, fields, &named, rng))
        }
    }
}

/// An order's members. Of one that nobody has paid, little is told.
pub(super) fn order(
    merchant: &Merchant,
    fields: &Fields,
    named: &[(&'static str, &str)],
    rng: &mut fastrand::Rng,
) -> String {
    let get = |name| fields.get(name).unwrap_or_default();
    let text = |name| Value::Text(get(name));
    let mut members = if merchant.sub_mch_id.is_empty() {
        vec![("appid", text("appid")), ("mchid", text("mch_id"))]
    } else {
        vec![
            ("sp_appid", text("appid")),
            ("sp_mchid", text("mch_id")),
            ("sub_appid", Value::Text(&merchant.sub_app_id)),
            ("sub_mchid", Value::Text(&merchant.sub_mch_id)),
        ]
    };
    members.push(("out_trade_no", text("out_trade_no")));
    members.extend(named.iter().map(|(name, value)| (*name, Value::Text(value))));
    let time = fields.get("time_end").map(rfc3339).unwrap_or_default();
    let whole = |name| get(name).parse::<i64>().map(Value::Whole);
    if fields.get("transaction_id").is_some() {
        members.extend([
            ("transaction_id", text("transaction_id")),
            ("trade_type", text("trade_type")),
            ("bank_type", text("bank_type")),
            ("success_time", Value::Text(&time)),
            ("attach", text("attach")),
            ("payer", Value::Members(vec![("openid", text("openid"))])),
        ]);
        let mut amount = vec![("currency", text("fee_type")), ("payer_currency", text("fee_type"))];
        for (name, field) in [("total", "total_fee"), ("payer_total", "cash_fee")] {
            amount.extend(whole(field).ok().map(|value| (name, value)));
        }
        members.push(("amount", Value::Members(amount)));
    }
    // A member that no till knows yet.
    if rng.u8(..4) == 0 {
        members.push(("x_future_member", Value::Members(vec![("tolerate", Value::Text("me"))])));
    }
    String::from_utf8_lossy(&Value::Members(members).to_bytes()).into_owned()
}

/// A refund's members, which name no merchant.
fn refund(fields: &Fields) -> String {
    let get = |name: &str| {
        let listed = format!("{name}_0");
        fields.get(name).or_else(|| fields.get(&listed)).unwrap_or_default()
    };
    let status = match get("refund_status") {
        "" => "PROCESSING",
        "REFUNDCLOSE" => "CLOSED",
        "CHANGE" => "ABNORMAL",
        word => word,
    };
    let whole = |name| get(name).parse::<i64>().map_or(Value::Text(""), Value::Whole);
    let members = vec![
        ("refund_id", Value::Text(get("refund_id"))),
        ("out_refund_no", Value::Text(get("out_refund_no"))),
        ("transaction_id", Value::Text(get("transaction_id"))),
        ("out_trade_no", Value::Text(get("out_trade_no"))),
        ("channel", Value::Text("ORIGINAL")),
        ("user_received_account", Value::Text("招商银行信用卡0403")),
        ("status", Value::Text(status)),
        (
            "amount",
            Value::Members(vec![
                ("total", whole("total_fee")),
                ("refund", whole("refund_fee")),
                ("currency", Value::Text(get("fee_type"))),
            ]),
        ),
    ];
    String::from_utf8_lossy(&Value::Members(members).to_bytes()).into_owned()
}

fn rfc3339(beijing: &str) -> String {
    let part = |from, to| beijing.get(from..to).unwrap_or_default();
    let (year, month, day) = (part(0, 4), part(4, 6), part(6, 8));
    let (hour, minute, second) = (part(8, 10), part(10, 12), part(12, 14));
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}+08:00")
}
