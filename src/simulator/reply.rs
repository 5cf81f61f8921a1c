//! How the gateway replies: signed documents in HTTP, and every way to corrupt them.

use std::fmt::Write as _;

use super::fault::{Fault, LATE_SECONDS};
use super::ledger::LedgerEntry;
use super::request::Submission;
use super::status::OrderStatus;
use super::{Account, Action, Reaction};
use paytill_core::clock::{Millis, Timestamp};
use paytill_core::gateway::LARGEST_REPLY;
use paytill_core::gateway::wechat::fields::{Fields, SignType};
use paytill_core::money::Money;
use paytill_core::payment::CallKind;

/// A forger's key.
pub(super) const NOT_THE_KEY: &str = "00000000000000000000000000000000";

/// What an answer is made from.
pub(super) struct ReplyBuilder<'a> {
    pub(super) account: &'a Account,
    /// The algorithm that signed the request.
    pub(super) sign_type: SignType,
    pub(super) call: CallKind,
    /// The `app_id` in the request.
    pub(super) app_id: &'a str,
    /// The number in the request, from which a wrong number is made.
    pub(super) out_trade_no: &'a str,
    pub(super) fault: Option<Fault>,
    /// How long the answer takes, faults aside.
    pub(super) after: Millis,
}

impl ReplyBuilder<'_> {
    /// Makes the answer, correct or with its fault.
    pub(super) fn say(self, mut fields: Fields, rng: &mut fastrand::Rng) -> Reaction {
        self.address(&mut fields, rng);
        let mut said = in_words(&fields);
        let action = match self.fault {
            None => answer(200, self.signed(fields)),
            Some(fault) => {
                let _ = write!(said, " ({})", fault.name());
                self.corrupt(fault, fields, rng)
            }
        };
        let late = match self.fault {
            Some(Fault::Late) => Millis::seconds(LATE_SECONDS.into()),
            _ => Millis(0),
        };
        Reaction { after: self.after.plus(late), action, story: said }
    }

    /// Adds whom it is for, and a field that no till knows yet.
    fn address(&self, fields: &mut Fields, rng: &mut fastrand::Rng) {
        let merchant = &self.account.merchant;
        fields.set("return_code", "SUCCESS");
        fields.set("return_msg", "OK");
        fields.set("appid", self.app_id);
        fields.set("mch_id", merchant.mch_id.as_str());
        fields.set("sub_appid", merchant.sub_app_id.as_str());
        // The gateway fills it in as it likes.
        if merchant.sub_app_id.is_empty() && !merchant.sub_mch_id.is_empty() && rng.bool() {
            fields.set("sub_appid", "wx3333333333333333");
        }
        fields.set("sub_mch_id", merchant.sub_mch_id.as_str());
        fields.set("nonce_str", nonce(rng));
        if rng.u8(..4) == 0 {
            fields.set("x_future_field", "tolerate <me> & my ]]>");
        }
    }

    fn signed(&self, mut fields: Fields) -> Vec<u8> {
        fields.sign(self.sign_type, &self.account.api_key);
        document(&fields).into_bytes()
    }

    fn corrupt(&self, fault: Fault, mut fields: Fields, rng: &mut fastrand::Rng) -> Action {
        let other = match self.sign_type {
            SignType::HmacSha256 => SignType::Md5,
            SignType::Md5 => SignType::HmacSha256,
        };
        match fault {
            Fault::AnswerLost | Fault::RequestLost => Action::Close,
            Fault::Reset => Action::Reset,
            Fault::Silent => Action::Silence,
            Fault::Late => answer(200, self.signed(fields)),
            Fault::Drip => {
                Action::Drip { bytes: http(200, &self.signed(fields)), every: Millis::seconds(1) }
            }
            Fault::Garbage => answer(200, noise(rng)),
            Fault::NotHttp => Action::Raw(noise(rng)),
            Fault::Truncated => {
                let mut bytes = http(200, &self.signed(fields));
                bytes.truncate(rng.usize(1..bytes.len()));
                Action::Raw(bytes)
            }
            Fault::Html => answer(200, PORTAL.as_bytes().to_vec()),
            Fault::Empty => answer(200, Vec::new()),
            Fault::Huge => {
                fields.set("promotion_detail", "x".repeat(2 * LARGEST_REPLY));
                answer(200, self.signed(fields))
            }
            Fault::Doctype => {
                let mut bytes = b"<!DOCTYPE xml [<!ENTITY e \"SUCCESS\">]>".to_vec();
                bytes.extend(self.signed(fields));
                answer(200, bytes)
            }
            Fault::RepeatedField => {
                let mut bytes = b"<xml><result_code>SUCCESS</result_code>".to_vec();
                bytes.extend(self.signed(fields).split_off("<xml>".len()));
                answer(200, bytes)
            }
            Fault::Unsigned => answer(200, document(&fields).into_bytes()),
            Fault::Forged => {
                fields.sign(self.sign_type, NOT_THE_KEY);
                answer(200, document(&fields).into_bytes())
            }
            Fault::Downgraded => {
                fields.sign(other, &self.account.api_key);
                answer(200, document(&fields).into_bytes())
            }
            Fault::WrongAmount => {
                let amount = fields.get("total_fee").and_then(|fee| fee.parse::<i64>().ok());
                fields.set("total_fee", amount.unwrap_or(0).saturating_add(1).to_string());
                answer(200, self.signed(fields))
            }
            Fault::WrongNumber => {
                let mut number = self.out_trade_no.to_owned();
                let last = number.pop();
                number.push(if last == Some('0') { '1' } else { '0' });
                fields.set("out_trade_no", number);
                answer(200, self.signed(fields))
            }
            Fault::WrongMerchant => {
                fields.set("mch_id", "1900009999");
                answer(200, self.signed(fields))
            }
            Fault::WrongCurrency => {
                fields.set("fee_type", "XTS");
                answer(200, self.signed(fields))
            }
            Fault::Http500 => answer(500, self.signed(fields)),
            Fault::Http429 => answer(429, self.signed(fields)),
            Fault::Redirect => Action::Raw(REDIRECT.as_bytes().to_vec()),
            Fault::ReturnFail => unsigned(if self.call == CallKind::Submit {
                "签名错误"
            } else {
                "系统繁忙"
            }),
        }
    }
}

/// `return_code=FAIL`.
pub(super) fn unsigned(text: &str) -> Action {
    let fields = Fields::from_iter([("return_code", "FAIL"), ("return_msg", text)]);
    answer(200, document(&fields).into_bytes())
}

pub(super) fn answer(status: u16, body: Vec<u8>) -> Action {
    Action::Answer { status, body }
}

/// A complete HTTP answer without a date. The gateway labels its XML plain text (protocol 2.3).
pub(super) fn http(status: u16, body: &[u8]) -> Vec<u8> {
    http_with("", status, body)
}

/// A complete HTTP answer with this date.
pub(super) fn dated_http(at: Timestamp, status: u16, body: &[u8]) -> Vec<u8> {
    http_with(&format!("Date: {}\r\n", at.to_http()), status, body)
}

fn http_with(date: &str, status: u16, body: &[u8]) -> Vec<u8> {
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        411 => "Length Required",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        _ => "Internal Server Error",
    };
    let mut bytes = format!(
        "HTTP/1.1 {status} {reason}\r\nServer: nginx\r\n{date}Content-Type: text/plain\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// `result_code=FAIL` with its code and text.
pub(super) fn failure(code: &str, text: &str) -> Fields {
    Fields::from_iter([("result_code", "FAIL"), ("err_code", code), ("err_code_des", text)])
}

/// Answers a number that is submitted again: it never charges.
pub(super) fn repeated(entry: &LedgerEntry, submission: &Submission) -> Fields {
    let same = entry.details.fingerprint == Some(submission.fingerprint);
    let (code, text) = match entry.status {
        // Of which the shop keeps something: that is no order that was reversed.
        OrderStatus::Refunded if same && entry.net() > Money::default() => {
            ("ORDERPAID", "该订单已支付")
        }
        OrderStatus::Revoked | OrderStatus::Refunded => ("ORDERREVERSED", "订单已撤销"),
        OrderStatus::Closed => ("ORDERCLOSED", "订单已关闭"),
        _ if !same => ("INVALID_REQUEST", "201 商户订单号重复"),
        OrderStatus::Paid => ("ORDERPAID", "该订单已支付"),
        OrderStatus::Paying => ("USERPAYING", "需要用户输入支付密码"),
        OrderStatus::NotFound | OrderStatus::Open | OrderStatus::PayError => {
            ("OUT_TRADE_NO_USED", "商户订单号重复")
        }
    };
    failure(code, text)
}

pub(super) fn accepted(recall: &str) -> Fields {
    Fields::from_iter([("result_code", "SUCCESS"), ("recall", recall)])
}

pub(super) fn recall(code: &str, text: &str, recall: &str) -> Fields {
    let mut fields = failure(code, text);
    fields.set("recall", recall);
    fields
}

/// 32 letters and digits for `nonce_str` and the like.
pub(super) fn nonce(rng: &mut fastrand::Rng) -> String {
    std::iter::repeat_with(|| rng.alphanumeric()).take(32).collect()
}

/// A document as the gateway writes it: all text in CDATA, a form no till may depend on.
pub(super) fn document(fields: &Fields) -> String {
    let mut xml = String::from("<xml>");
    for (name, value) in fields.iter() {
        if value.bytes().all(|byte| byte.is_ascii_digit()) {
            let _ = write!(xml, "<{name}>{value}</{name}>");
        } else {
            let value = value.replace("]]>", "]]]]><![CDATA[>");
            let _ = write!(xml, "<{name}><![CDATA[{value}]]></{name}>");
        }
    }
    xml.push_str("</xml>");
    xml
}

pub(super) fn in_words(fields: &Fields) -> String {
    let words = ["err_code", "trade_state"].into_iter().find_map(|name| fields.get(name));
    let mut said = words.or_else(|| fields.get("result_code")).unwrap_or("nothing").to_owned();
    if let Some(recall) = fields.get("recall") {
        let _ = write!(said, " recall={recall}");
    }
    said
}

pub(super) fn noise(rng: &mut fastrand::Rng) -> Vec<u8> {
    let length = rng.usize(1..512);
    std::iter::repeat_with(|| rng.u8(..)).take(length).collect()
}

pub(super) const PORTAL: &str = "<!DOCTYPE html><html><head><title>Free Wi-Fi</title></head>\
    <body><h1>Please log in</h1><p>Welcome to our network.</p></body></html>";

pub(super) const REDIRECT: &str = "HTTP/1.1 307 Temporary Redirect\r\nServer: nginx\r\n\
    Location: https://payment.example.invalid/pay\r\nContent-Length: 0\r\n\
    Connection: close\r\n\r\n";
