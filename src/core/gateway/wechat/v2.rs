//! WeChat Pay API v2: micropay, orderquery, reverse and refund (protocol 2 to 5), and notifications
//! (protocol 9).
//!
//! Requests are signed with the configured algorithm, and only replies signed with the same one are
//! believed. The tables below translate the gateway's codes into answers; a code that is not in
//! them proves nothing.

pub mod bill;
mod native;
mod notice;
mod refund;

pub use notice::refund_notice_key;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::fields::{Fields, SignType};
use super::native::{NO_NOTIFY_URL, close_failed, order_failed};
use crate::clean::clean;
use crate::clock::Timestamp;
use crate::gateway::page::Page;
use crate::gateway::{
    Ask, Decoded, DecodedRefund, Gateway, Lookup, Outgoing, Owner, RefundAsk, Reply, Stamp,
};
use crate::order::{Merchant, Order, OutTradeNo};
use crate::payment::{
    Answer, CallKind, CloseSaid, Ending, Found, Inconclusive, Proof, Reason, Reversed, Submitted,
    TillCause,
};

const CONTENT_TYPE: http::HeaderValue = http::HeaderValue::from_static("text/xml; charset=utf-8");
/// How much of one value is recorded, in cells.
const RECORDED_CELLS: usize = 200;
/// Fields left out of the record: they mean nothing to its reader, or reveal the payer.
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

/// Where a refund went: the customer's bank and the last digits of the card (the gateway's spelling).
const CUSTOMERS_ACCOUNT: &str = "refund_recv_accout";

/// The codec of one merchant's key. An answer must carry the ids that its order was made with.
pub struct WechatV2 {
    sign_type: SignType,
    api_key: SecretString,
    /// Where the gateway is to tell of payments that no call of ours asked for.
    notify_url: Option<String>,
}

impl WechatV2 {
    /// The codec for a merchant's API v2 key.
    pub const fn new(sign_type: SignType, api_key: SecretString) -> Self {
        Self { sign_type, api_key, notify_url: None }
    }

    /// With an address that takes notifications.
    #[must_use]
    pub fn notifying(mut self, url: String) -> Self {
        self.notify_url = Some(url).filter(|url| !url.is_empty());
        self
    }

    fn fields(&self, ask: Ask<'_>) -> Fields {
        let order = ask.order();
        let mut fields = self.of(&order.merchant);
        fields.set("out_trade_no", order.out_trade_no.as_str());
        if let Ask::Submit(..) | Ask::Order(_) = ask {
            fields.set("device_info", &order.device_info);
            fields.set("body", &order.body);
            fields.set("total_fee", order.amount.minor().to_string());
            fields.set("fee_type", order.currency.code());
            fields.set("spbill_create_ip", &order.client_ip);
            fields.set("attach", &order.mark);
        }
        match ask {
            Ask::Submit(_, code) => fields.set("auth_code", code.expose()),
            Ask::Order(_) => {
                let notify_url = self.notify_url.as_deref().unwrap_or(NO_NOTIFY_URL);
                native::order(&mut fields, order, notify_url);
            }
            Ask::Query(_) | Ask::Reverse(_) | Ask::RefundQuery(_) | Ask::Close(_) => {}
        }
        fields
    }

    fn outgoing(
        &self,
        path: &'static str,
        certificate: bool,
        mut fields: Fields,
        stamp: &Stamp,
    ) -> Outgoing {
        fields.set("nonce_str", &stamp.nonce);
        fields.sign(self.sign_type, self.api_key.expose_secret());
        let mut request = http::Request::new(Zeroizing::new(fields.to_xml().into_bytes()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = http::Uri::from_static(path);
        request.headers_mut().insert(http::header::CONTENT_TYPE, CONTENT_TYPE);
        Outgoing { request, certificate }
    }

    /// The fields that every request has.
    fn of(&self, merchant: &Merchant) -> Fields {
        let mut fields = Fields::default();
        fields.set("appid", &merchant.app_id);
        fields.set("mch_id", &merchant.mch_id);
        fields.set("sub_appid", &merchant.sub_app_id);
        fields.set("sub_mch_id", &merchant.sub_mch_id);
        fields.set("sign_type", self.sign_type.word());
        fields
    }

    /// Checks in the order of protocol 2.4: complete, signed, ours, and only then what it says.
    fn read(&self, ask: Ask<'_>, reply: &Reply, now: Timestamp) -> (Answer, Vec<(String, String)>) {
        if reply.status() != http::StatusCode::OK {
            return no_message(ask, reply, TillCause::HttpStatus);
        }
        let Ok(fields) = Fields::from_xml(reply.body()) else {
            return no_message(ask, reply, TillCause::BadAnswer);
        };
        let answer = match self.check(ask, &fields) {
            Err(Inconclusive::Unknown(reason))
                if reason.is(TillCause::AnotherTill) && ask.kind() == CallKind::Query =>
            {
                Answer::Found(Found::AnotherTills(reason))
            }
            Err(what) => Answer::inconclusive(ask.kind(), what),
            Ok(is_success) => match ask {
                Ask::Submit(order, _) if is_success => Answer::Submitted(
                    paid(&fields, order, now).map_or_else(Submitted::Inconclusive, Submitted::Paid),
                ),
                Ask::Submit(..) => Answer::Submitted(submit_failed(&fields)),
                Ask::Query(order) if is_success => Answer::Found(trade_state(&fields, order, now)),
                Ask::Query(_) => Answer::Found(query_failed(&fields)),
                Ask::Reverse(_) if is_success => Answer::Reversed(match fields.get("recall") {
                    Some("N") => Reversed::Accepted,
                    // Unless the gateway says that it is done, it is not.
                    Some(_) | None => Reversed::Repeat(TillCause::Recall.into()),
                }),
                Ask::Reverse(_) => Answer::Reversed(reverse_failed(&fields)),
                Ask::Order(_) => Answer::Ordered(if is_success {
                    native::ordered(&fields)
                } else {
                    let (code, reason) = failure(&fields);
                    order_failed(code, reason)
                }),
                Ask::Close(_) if is_success => Answer::Closed(CloseSaid::Accepted),
                Ask::Close(_) => {
                    let (code, reason) = failure(&fields);
                    Answer::Closed(close_failed(code, reason))
                }
                Ask::RefundQuery(order) => Answer::Refunds(if is_success {
                    refund::refunds(&fields, order)
                } else {
                    refund::refund_query_failed(&fields)
                }),
            },
        };
        (answer, recorded(&fields))
    }

    /// Whose a transaction is (protocol 3.3): the answer must repeat its number and name the order's.
    fn owner(&self, lookup: Lookup<'_>, reply: &Reply) -> Result<Owner, Inconclusive> {
        if reply.status() != http::StatusCode::OK {
            return Err(unknown(TillCause::HttpStatus));
        }
        let fields = Fields::from_xml(reply.body()).map_err(|_| unknown(TillCause::BadAnswer))?;
        self.check_sender(&fields, lookup.merchant)?;
        if !is_success(&fields)? {
            let (code, reason) = failure(&fields);
            return match code {
                "ORDERNOTEXIST" => Ok(Owner::Nobody),
                _ => Err(Inconclusive::Unknown(reason)),
            };
        }
        if fields.get("transaction_id") != Some(lookup.transaction_id) {
            return Err(unknown(TillCause::WrongNumber));
        }
        let number = fields.get("out_trade_no").unwrap_or_default().to_owned();
        let number = OutTradeNo::try_from(number);
        number.map(Owner::Order).map_err(|_| unknown(TillCause::WrongNumber))
    }

    /// Whether a message is complete, signed, and about this merchant.
    fn check_sender(&self, fields: &Fields, merchant: &Merchant) -> Result<(), Inconclusive> {
        match fields.get("return_code") {
            Some("SUCCESS") => {}
            Some("FAIL") => {
                let why = Reason::quoting(TillCause::Refused, refusal(fields));
                return Err(Inconclusive::Unsigned(why));
            }
            Some(_) | None => {
                let why = Reason::quoting(TillCause::BadAnswer, refusal(fields));
                return Err(Inconclusive::Unknown(why));
            }
        }
        // When the gateway is in trouble it leaves the signature out. What it says then proves
        // nothing, but it is not a wrong signature.
        if fields.get("sign").is_none()
            && fields.get("result_code") == Some("FAIL")
            && fields.get("err_code").is_some()
        {
            return Err(Inconclusive::Unknown(failure(fields).1));
        }
        if !fields.is_signed(self.sign_type, self.api_key.expose_secret()) {
            return Err(unknown(TillCause::BadSignature));
        }
        if let Some(id) = foreign_id(fields, merchant) {
            let theirs = clean(fields.get(id).unwrap_or("-"), 32);
            let text = format!("{id} {theirs}");
            return Err(Inconclusive::Unknown(Reason::quoting(TillCause::WrongMerchant, text)));
        }
        Ok(())
    }

    /// Whether a message that is signed and ours reports success.
    fn check(&self, ask: Ask<'_>, fields: &Fields) -> Result<bool, Inconclusive> {
        self.check_sender(fields, &ask.order().merchant)?;
        let number = fields.get("out_trade_no");
        if number.is_some_and(|number| number != ask.order().out_trade_no.as_str()) {
            return Err(unknown(TillCause::WrongNumber));
        }
        if is_anothers(fields, ask.order()) {
            return Err(unknown(TillCause::AnotherTill));
        }
        is_success(fields)
    }
}

impl Gateway for WechatV2 {
    fn encode(&self, ask: Ask<'_>, stamp: &Stamp) -> Outgoing {
        let (path, certificate) = match ask {
            Ask::Submit(..) => ("/pay/micropay", false),
            Ask::Query(_) => ("/pay/orderquery", false),
            Ask::Reverse(_) => ("/secapi/pay/reverse", true),
            Ask::RefundQuery(_) => ("/pay/refundquery", false),
            Ask::Order(_) => ("/pay/unifiedorder", false),
            Ask::Close(_) => ("/pay/closeorder", false),
        };
        self.outgoing(path, certificate, self.fields(ask), stamp)
    }

    fn record(&self, ask: Ask<'_>) -> Vec<(String, String)> {
        let mut fields = self.fields(ask);
        if let Ask::Submit(_, code) = ask {
            fields.set("auth_code", code.masked());
        }
        recorded(&fields)
    }

    fn decode(&self, ask: Ask<'_>, reply: &Reply, now: Timestamp) -> Decoded {
        let (answer, record) = self.read(ask, reply, now);
        Decoded::of(ask, answer, record)
    }

    fn encode_refund(&self, ask: RefundAsk<'_>, stamp: &Stamp) -> Outgoing {
        let (path, certificate) = refund::path(ask.kind);
        self.outgoing(path, certificate, self.refund_fields(ask), stamp)
    }

    fn record_refund(&self, ask: RefundAsk<'_>) -> Vec<(String, String)> {
        recorded(&self.refund_fields(ask))
    }

    fn decode_refund(&self, ask: RefundAsk<'_>, reply: &Reply, now: Timestamp) -> DecodedRefund {
        self.read_refund(ask, reply, now)
    }

    fn encode_lookup(&self, lookup: Lookup<'_>, stamp: &Stamp) -> Outgoing {
        let mut fields = self.of(lookup.merchant);
        fields.set("transaction_id", lookup.transaction_id);
        self.outgoing("/pay/orderquery", false, fields, stamp)
    }

    fn decode_lookup(&self, lookup: Lookup<'_>, reply: &Reply, _: Timestamp) -> Owner {
        self.owner(lookup, reply).unwrap_or_else(Owner::Inconclusive)
    }
}

/// An answer that is none of the protocol's. It is quoted, unless it repeats the payment code.
fn no_message(ask: Ask<'_>, reply: &Reply, cause: TillCause) -> (Answer, Vec<(String, String)>) {
    let mut page = Page::of(reply.status(), reply.headers(), reply.body());
    if let Ask::Submit(_, code) = ask
        && page.line().contains(code.expose())
    {
        page.first_words.clear();
        page.content_type.clear();
    }
    let what = Inconclusive::Unknown(Reason::quoting(cause, page.line()));
    (Answer::inconclusive(ask.kind(), what), page.record())
}

fn is_success(fields: &Fields) -> Result<bool, Inconclusive> {
    match fields.get("result_code") {
        Some("SUCCESS") => Ok(true),
        Some("FAIL") => Ok(false),
        Some(_) | None => Err(unknown(TillCause::BadAnswer)),
    }
}

/// The words of a message that is refused as a whole, whichever of its old names they have.
fn refusal(fields: &Fields) -> String {
    let names = ["return_msg", "retmsg", "error_msg", "err_code_des"];
    let text = names.into_iter().find_map(|name| fields.get(name));
    clean(text.unwrap_or_default(), RECORDED_CELLS)
}

/// Whether the words of a `USERPAYING` say more than that the password is asked for.
fn says_more(words: &str) -> bool {
    let usual = ["需要用户输入支付密码", "用户支付中，需要输入密码", "用户支付中,需要输入密码"];
    words.contains(char::is_alphabetic) && !usual.contains(&words)
}

/// `err_code` of micropay (protocol 4.2). A code that is not in the table proves nothing.
fn submit_failed(fields: &Fields) -> Submitted {
    let (code, reason) = failure(fields);
    match code {
        // The usual words say nothing that the status does not; others may, such as that the same
        // amount was paid a minute ago.
        "USERPAYING" if says_more(&reason.text) => Submitted::Asked(reason),
        "USERPAYING" => Submitted::Paying,
        "AUTHCODEEXPIRE" | "NOTENOUGH" | "NOTSUPORTCARD" | "ORDERCLOSED" | "ORDERREVERSED"
        | "AUTH_CODE_ERROR" | "AUTH_CODE_INVALID" | "TRADE_ERROR" => Submitted::Declined(reason),
        // Our set-up: no customer can fix it.
        "PARAM_ERROR"
        | "NOAUTH"
        | "XML_FORMAT_ERROR"
        | "REQUIRE_POST_METHOD"
        | "SIGNERROR"
        | "APPID_NOT_EXIST"
        | "MCHID_NOT_EXIST"
        | "APPID_MCHID_NOT_MATCH" => Submitted::Declined(reason),
        // Not `ORDERPAID`: a query that does not see the payment yet would count against it.
        "BUYER_MISMATCH" | "OUT_TRADE_NO_USED" | "INVALID_REQUEST" => Submitted::Ambiguous(reason),
        // One copy of the table calls these certain, another unknown.
        "LACK_PARAMS" | "NOT_UTF8" => Submitted::Ambiguous(reason),
        _ => Submitted::Inconclusive(Inconclusive::Unknown(reason)),
    }
}

/// `err_code` of orderquery (protocol 4.4). A failed query says nothing about the payment.
fn query_failed(fields: &Fields) -> Found {
    let (code, reason) = failure(fields);
    match code {
        "ORDERNOTEXIST" => Found::NotFound,
        _ => Found::Inconclusive(Inconclusive::Unknown(reason)),
    }
}

/// `err_code` of reverse (protocol 4.5).
fn reverse_failed(fields: &Fields) -> Reversed {
    let (code, reason) = failure(fields);
    match (code, fields.get("recall")) {
        ("REVERSE_EXPIRE", _) => Reversed::Expired(reason),
        (_, Some("Y")) | ("SYSTEMERROR" | "USERPAYING", _) => Reversed::Repeat(reason),
        (
            "INVALID_TRANSACTIONID"
            | "PARAM_ERROR"
            | "REQUIRE_POST_METHOD"
            | "SIGNERROR"
            | "INVALID_REQUEST"
            | "TRADE_ERROR",
            _,
        ) => Reversed::Refused(reason),
        _ => Reversed::Inconclusive(Inconclusive::Unknown(reason)),
    }
}

/// `trade_state` (protocol 4.3).
fn trade_state(fields: &Fields, order: &Order, now: Timestamp) -> Found {
    // It must name its order: this answer may end the payment.
    if fields.get("out_trade_no").is_none() {
        return Found::Inconclusive(unknown(TillCause::WrongNumber));
    }
    match fields.get("trade_state") {
        Some("SUCCESS") if is_unlike(fields, order) => {
            Found::AnotherTills(TillCause::AnotherTill.into())
        }
        Some("SUCCESS") => paid(fields, order, now).map_or_else(Found::Inconclusive, Found::Paid),
        Some("USERPAYING" | "ACCEPT") => Found::Paying,
        Some("NOTPAY") => Found::NotPaid,
        // Not final: the gateway asks us to reverse it.
        Some("PAYERROR") => {
            let text = clean(fields.get("trade_state_desc").unwrap_or_default(), RECORDED_CELLS);
            Found::Failed(Reason::gateway("PAYERROR", text))
        }
        Some("CLOSED") => Found::Ended(Ending::Closed),
        // Reversed after payment: only a payment has a time.
        Some("REVOKED") if fields.get("time_end").is_some() => Found::Ended(Ending::Returned),
        Some("REVOKED") => Found::Ended(Ending::Revoked),
        Some("REFUND") => Found::Ended(Ending::Refunded),
        // An unknown word proves nothing.
        Some(_) | None => Found::Inconclusive(unknown(TillCause::BadAnswer)),
    }
}

/// Whether the order of this number carries another till's mark: both have given out the same
/// number. What is no mark at all was put there by somebody else, and says nothing.
fn is_anothers(fields: &Fields, order: &Order) -> bool {
    let is_mark =
        |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    !order.mark.is_empty()
        && fields.get("attach").is_some_and(|text| is_mark(text) && text != order.mark)
}

/// Whether a payment carries no mark, and is of another amount than ours: not the order we sent.
fn is_unlike(fields: &Fields, order: &Order) -> bool {
    let amount = order.amount.minor().to_string();
    !order.mark.is_empty()
        && fields.get("attach").is_none()
        && fields.get("total_fee").is_some_and(|fee| fee != amount)
}

/// The proof in a message that reports a payment, if it matches the order in every part.
fn paid(fields: &Fields, order: &Order, now: Timestamp) -> Result<Proof, Inconclusive> {
    if fields.get("out_trade_no").is_none() {
        return Err(unknown(TillCause::WrongNumber));
    }
    if fields.get("total_fee") != Some(order.amount.minor().to_string().as_str()) {
        return Err(unknown(TillCause::WrongAmount));
    }
    if fields.get("fee_type").unwrap_or("CNY") != order.currency.code() {
        return Err(unknown(TillCause::WrongCurrency));
    }
    let plain = |id: &&str| id.len() <= 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let Some(transaction_id) = fields.get("transaction_id").filter(plain) else {
        return Err(unknown(TillCause::BadAnswer));
    };
    Ok(Proof {
        transaction_id: transaction_id.to_owned(),
        paid_at: fields.get("time_end").and_then(Timestamp::from_beijing).unwrap_or(now),
        coupon: fields.get("coupon_fee").and_then(|fee| fee.parse().ok()),
    })
}

/// The first id in which the message is about another merchant. `sub_mch_id` says who gets the
/// money: it must be ours, and none where we have none. `sub_appid` is only another name of the
/// payer's account: the gateway leaves it out or fills it in as it likes, so one that we did not set
/// may be anything.
fn foreign_id(fields: &Fields, merchant: &Merchant) -> Option<&'static str> {
    let must_be = [
        ("appid", &merchant.app_id),
        ("mch_id", &merchant.mch_id),
        ("sub_mch_id", &merchant.sub_mch_id),
    ];
    let differs = |(name, ours): &(&str, &String)| fields.get(name).unwrap_or_default() != *ours;
    if let Some((name, _)) = must_be.into_iter().find(|id| differs(id)) {
        return Some(name);
    }
    let ours = merchant.sub_app_id.as_str();
    let is_foreign = |theirs: &str| !ours.is_empty() && theirs != ours;
    fields.get("sub_appid").is_some_and(is_foreign).then_some("sub_appid")
}

/// The gateway's code, and the reason made from it.
fn failure(fields: &Fields) -> (&str, Reason) {
    let Some(code) = fields.get("err_code") else { return ("", TillCause::NoErrorCode.into()) };
    let text = clean(fields.get("err_code_des").unwrap_or_default(), RECORDED_CELLS);
    (code, Reason::gateway(clean(code, 32), text))
}

fn unknown(cause: TillCause) -> Inconclusive {
    Inconclusive::Unknown(cause.into())
}

fn recorded(fields: &Fields) -> Vec<(String, String)> {
    fields
        .iter()
        .filter(|(name, value)| !NOT_RECORDED.contains(name) && !value.is_empty())
        .filter(|(name, _)| !name.starts_with(CUSTOMERS_ACCOUNT))
        .take(60)
        .map(|(name, value)| (clean(name, 32), clean(value, RECORDED_CELLS)))
        .collect()
}

#[cfg(test)]
mod tests;
