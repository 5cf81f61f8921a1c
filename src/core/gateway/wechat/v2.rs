//! WeChat Pay API v2: micropay, orderquery and reverse (protocol 2 to 5).

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::fields::{Fields, SignType};
use crate::clean::clean;
use crate::clock::Timestamp;
use crate::gateway::{Ask, Decoded, Gateway, Outgoing, Reply};
use crate::order::{Merchant, Order};
use crate::payment::{Answer, CallKind, Ending, Proof, Reason};

/// Cells of one value that are kept for the record.
const RECORDED_CELLS: usize = 200;
/// Fields of an answer that say nothing to whoever reads the record, or too much about the payer.
const NOT_RECORDED: [&str; 9] = [
    "appid",
    "is_subscribe",
    "mch_id",
    "nonce_str",
    "openid",
    "sign",
    "sub_appid",
    "sub_mch_id",
    "sub_openid",
];

/// The codec of one merchant.
pub struct WechatV2 {
    merchant: Merchant,
    sign_type: SignType,
    api_key: SecretString,
}

impl WechatV2 {
    /// The codec of a merchant with its API v2 key.
    pub fn new(merchant: Merchant, sign_type: SignType, api_key: SecretString) -> Self {
        Self { merchant, sign_type, api_key }
    }

    fn fields(&self, ask: Ask<'_>) -> Fields {
        let order = ask.order();
        let mut fields = Fields::default();
        fields.set("appid", &order.merchant.app_id);
        fields.set("mch_id", &order.merchant.mch_id);
        fields.set("sub_appid", &order.merchant.sub_app_id);
        fields.set("sub_mch_id", &order.merchant.sub_mch_id);
        fields.set("sign_type", self.sign_type.word());
        fields.set("out_trade_no", order.out_trade_no.as_str());
        if let Ask::Submit(order, code) = ask {
            fields.set("device_info", &order.device_info);
            fields.set("body", &order.body);
            fields.set("total_fee", order.amount.minor().to_string());
            fields.set("fee_type", order.currency.code());
            fields.set("spbill_create_ip", &order.client_ip);
            fields.set("auth_code", code.expose());
        }
        fields
    }

    /// The order of decisions is protocol 2.4: whole, signed, ours, and only then what it says.
    fn read(&self, ask: Ask<'_>, reply: &Reply, now: Timestamp) -> (Answer, Fields) {
        if reply.status != 200 {
            let reason =
                Reason { code: "http_status".into(), text: format!("HTTP {}", reply.status) };
            return (Answer::Unknown(reason), Fields::default());
        }
        let Ok(fields) = Fields::from_xml(&reply.body) else {
            return (unknown("bad_answer"), Fields::default());
        };
        let answer = self.read_fields(ask, &fields, now);
        (answer, fields)
    }

    fn read_fields(&self, ask: Ask<'_>, fields: &Fields, now: Timestamp) -> Answer {
        match fields.get("return_code") {
            Some("SUCCESS") => {}
            Some("FAIL") => {
                let text = clean(fields.get("return_msg").unwrap_or_default(), RECORDED_CELLS);
                return Answer::Refused(Reason { code: "refused".into(), text });
            }
            Some(_) | None => return unknown("bad_answer"),
        }
        if !fields.is_signed(self.sign_type, self.api_key.expose_secret()) {
            return unknown("bad_signature");
        }
        if !is_of(fields, &self.merchant) {
            return unknown("wrong_merchant");
        }
        let number = fields.get("out_trade_no");
        if number.is_some_and(|number| number != ask.order().out_trade_no.as_str()) {
            return unknown("wrong_number");
        }
        match (ask.kind(), fields.get("result_code")) {
            (CallKind::Submit, Some("SUCCESS")) => paid(fields, ask.order(), now),
            (CallKind::Submit, Some("FAIL")) => submit_failed(fields),
            (CallKind::Query, Some("SUCCESS")) => trade_state(fields, ask.order(), now),
            (CallKind::Query, Some("FAIL")) => query_failed(fields),
            (CallKind::Reverse, Some("SUCCESS")) => match fields.get("recall") {
                Some("N") => Answer::Withdrawn,
                // Without the word that it is done, it is not done.
                Some(_) | None => Answer::NotYet(Reason::new("recall")),
            },
            (CallKind::Reverse, Some("FAIL")) => reverse_failed(fields),
            (CallKind::Submit | CallKind::Query | CallKind::Reverse, _) => unknown("bad_answer"),
        }
    }
}

impl Gateway for WechatV2 {
    fn encode(&self, ask: Ask<'_>, nonce: &str) -> Outgoing {
        let mut fields = self.fields(ask);
        fields.set("nonce_str", nonce);
        fields.sign(self.sign_type, self.api_key.expose_secret());
        let (path, certificate) = match ask {
            Ask::Submit(..) => ("/pay/micropay", false),
            Ask::Query(_) => ("/pay/orderquery", false),
            Ask::Reverse(_) => ("/secapi/pay/reverse", true),
        };
        Outgoing { path, body: Zeroizing::new(fields.to_xml().into_bytes()), certificate }
    }

    fn record(&self, ask: Ask<'_>) -> Vec<(String, String)> {
        let mut fields = self.fields(ask);
        if let Ask::Submit(_, code) = ask {
            fields.set("auth_code", code.masked());
        }
        recorded(&fields)
    }

    fn decode(&self, ask: Ask<'_>, reply: &Reply, now: Timestamp) -> Decoded {
        let (answer, fields) = self.read(ask, reply, now);
        let mut record = recorded(&fields);
        if let Ask::Submit(_, code) = ask {
            // Nothing asks the gateway to repeat it, and nothing keeps it from doing so.
            record.retain(|(_, value)| !value.contains(code.expose()));
        }
        Decoded { answer, record }
    }
}

/// `err_code` of micropay (protocol 4.2). What is not in the table proves nothing.
fn submit_failed(fields: &Fields) -> Answer {
    let reason = reason(fields);
    match reason.code.as_str() {
        "USERPAYING" => Answer::Paying,
        "AUTHCODEEXPIRE" | "NOTENOUGH" | "NOTSUPORTCARD" | "ORDERCLOSED" | "ORDERREVERSED"
        | "AUTH_CODE_ERROR" | "AUTH_CODE_INVALID" | "TRADE_ERROR" => Answer::Declined(reason),
        // Our set-up: no customer can mend it.
        "PARAM_ERROR"
        | "NOAUTH"
        | "XML_FORMAT_ERROR"
        | "REQUIRE_POST_METHOD"
        | "SIGNERROR"
        | "APPID_NOT_EXIST"
        | "MCHID_NOT_EXIST"
        | "APPID_MCHID_NOT_MATCH" => Answer::Declined(reason),
        // Not `ORDERPAID`: a query that does not see the payment yet would be taken against it.
        "BUYER_MISMATCH" | "OUT_TRADE_NO_USED" | "INVALID_REQUEST" => Answer::Doubtful(reason),
        // Certain by one copy of the table, unknown by another.
        "LACK_PARAMS" | "NOT_UTF8" => Answer::Doubtful(reason),
        _ => Answer::Unknown(reason),
    }
}

/// `err_code` of orderquery (protocol 4.4). A query that fails says nothing of the payment.
fn query_failed(fields: &Fields) -> Answer {
    let reason = reason(fields);
    match reason.code.as_str() {
        "ORDERNOTEXIST" => Answer::Absent,
        _ => Answer::Unknown(reason),
    }
}

/// `err_code` of reverse (protocol 4.5).
fn reverse_failed(fields: &Fields) -> Answer {
    let reason = reason(fields);
    match (reason.code.as_str(), fields.get("recall")) {
        ("REVERSE_EXPIRE", _) => Answer::Expired(reason),
        (_, Some("Y")) | ("SYSTEMERROR" | "USERPAYING", _) => Answer::NotYet(reason),
        (
            "INVALID_TRANSACTIONID"
            | "PARAM_ERROR"
            | "REQUIRE_POST_METHOD"
            | "SIGNERROR"
            | "INVALID_REQUEST"
            | "TRADE_ERROR",
            _,
        ) => Answer::Irreversible(reason),
        _ => Answer::Unknown(reason),
    }
}

/// `trade_state` (protocol 4.3).
fn trade_state(fields: &Fields, order: &Order, now: Timestamp) -> Answer {
    // It must say which order it speaks of: this answer may end the payment.
    if fields.get("out_trade_no").is_none() {
        return unknown("wrong_number");
    }
    match fields.get("trade_state") {
        Some("SUCCESS") => paid(fields, order, now),
        Some("USERPAYING" | "ACCEPT") => Answer::Paying,
        Some("NOTPAY") => Answer::NotPaid,
        // Not an end: the gateway asks us to reverse it.
        Some("PAYERROR") => {
            let text = clean(fields.get("trade_state_desc").unwrap_or_default(), RECORDED_CELLS);
            Answer::Failed(Reason { code: "PAYERROR".into(), text })
        }
        Some("CLOSED") => Answer::Ended(Ending::Closed),
        // Reversed after it was paid: only a payment has a time.
        Some("REVOKED") if fields.get("time_end").is_some() => Answer::Ended(Ending::Refunded),
        Some("REVOKED") => Answer::Ended(Ending::Revoked),
        Some("REFUND") => Answer::Ended(Ending::Refunded),
        // A word we do not know proves nothing.
        Some(_) | None => unknown("bad_answer"),
    }
}

fn paid(fields: &Fields, order: &Order, now: Timestamp) -> Answer {
    if fields.get("out_trade_no").is_none() {
        return unknown("wrong_number");
    }
    if fields.get("total_fee") != Some(order.amount.minor().to_string().as_str()) {
        return unknown("wrong_amount");
    }
    if fields.get("fee_type").unwrap_or("CNY") != order.currency.code() {
        return unknown("wrong_currency");
    }
    let plain = |id: &&str| id.len() <= 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let Some(transaction_id) = fields.get("transaction_id").filter(plain) else {
        return unknown("bad_answer");
    };
    Answer::Paid(Proof {
        transaction_id: transaction_id.to_owned(),
        paid_at: fields.get("time_end").and_then(Timestamp::from_beijing).unwrap_or(now),
        coupon: fields.get("coupon_fee").and_then(|fee| fee.parse().ok()),
    })
}

fn is_of(fields: &Fields, merchant: &Merchant) -> bool {
    let is = |name: &str, ours: &str| fields.get(name).unwrap_or_default() == ours;
    is("appid", &merchant.app_id)
        && is("mch_id", &merchant.mch_id)
        && is("sub_mch_id", &merchant.sub_mch_id)
        // The gateway leaves it out where it was not needed.
        && fields.get("sub_appid").is_none_or(|theirs| theirs == merchant.sub_app_id)
}

fn reason(fields: &Fields) -> Reason {
    Reason {
        code: clean(fields.get("err_code").unwrap_or("no_err_code"), 32),
        text: clean(fields.get("err_code_des").unwrap_or_default(), RECORDED_CELLS),
    }
}

fn unknown(code: &str) -> Answer {
    Answer::Unknown(Reason::new(code))
}

fn recorded(fields: &Fields) -> Vec<(String, String)> {
    fields
        .iter()
        .filter(|(name, value)| !NOT_RECORDED.contains(name) && !value.is_empty())
        .take(60)
        .map(|(name, value)| (clean(name, 32), clean(value, RECORDED_CELLS)))
        .collect()
}

#[cfg(test)]
mod tests;
