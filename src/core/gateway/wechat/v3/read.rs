//! What a reply says: first whether it can be believed, then its status, then its code or state
//! (apiv3 2.4 and 4). A code or state that is not in the tables proves nothing.

use super::json::{NotAMessage, Object};
use super::{NOT_RECORDED, RECORDED_CELLS, WechatV3, keys};
use crate::clean::clean;
use crate::clock::Timestamp;
use crate::gateway::page::Page;
use crate::gateway::wechat::codes::in_one_spelling;
use crate::gateway::wechat::native::{close_failed, order_failed};
use crate::gateway::{Ask, Lookup, Owner, Reply};
use crate::order::{AuthCode, CodeUrl, Merchant, Order, OutTradeNo};
use crate::payment::{
    Answer, CloseSaid, Ending, Found, Inconclusive, Ordered, Proof, Reason, Refunds, Reversed,
    Submitted, TillCause,
};

/// The most values of one answer that are recorded.
const MOST_RECORDED: usize = 60;
/// The words of a wait for the password that say nothing else.
const USUAL_WORDS: [&str; 3] =
    ["需要用户输入支付密码", "用户支付中，需要输入密码", "用户支付中,需要输入密码"];

/// A reply that is whole and may be believed, as far as its kind can be.
pub(super) enum Message {
    /// 2xx, signed.
    Done(http::StatusCode, Object),
    /// 4xx or 5xx with a code. It is signed, or does not claim to be.
    Failed { status: http::StatusCode, code: String, reason: Reason },
}

impl WechatV3 {
    pub(super) fn read(
        &self,
        ask: Ask<'_>,
        reply: &Reply,
        now: Timestamp,
    ) -> (Answer, Vec<(String, String)>) {
        let code = match ask {
            Ask::Submit(_, code) => Some(code),
            _ => None,
        };
        let record = recorded(code, reply);
        let answer = self.message(reply, now).and_then(|message| match message {
            Message::Done(status, object) => done(ask, status, &object, now),
            Message::Failed { status, code, reason } => failed(ask, status, &code, reason),
        });
        let answer = answer.unwrap_or_else(|what| match (ask, what) {
            (Ask::Query(_), Inconclusive::Unknown(reason)) if reason.is(TillCause::AnotherTill) => {
                Answer::Found(Found::AnotherTills(reason))
            }
            (_, what) => Answer::inconclusive(ask.kind(), what),
        });
        (answer, record)
    }

    /// Whose a transaction is: the answer must repeat its number and name the order's.
    pub(super) fn owner(
        &self,
        lookup: Lookup<'_>,
        reply: &Reply,
        now: Timestamp,
    ) -> Result<Owner, Inconclusive> {
        let object = match self.message(reply, now)? {
            Message::Done(http::StatusCode::OK, object) => object,
            Message::Done(..) => return Err(unknown(TillCause::HttpStatus)),
            Message::Failed { status: http::StatusCode::NOT_FOUND, code, .. }
                if code == "ORDERNOTEXIST" =>
            {
                return Ok(Owner::Nobody);
            }
            Message::Failed { reason, .. } => return Err(Inconclusive::Unknown(reason)),
        };
        let wrong_number = || unknown(TillCause::WrongNumber);
        check_merchant(&object, lookup.merchant, true)?;
        if object.text("transaction_id").map_err(bad)? != Some(lookup.transaction_id) {
            return Err(wrong_number());
        }
        let number = object.text("out_trade_no").map_err(bad)?.unwrap_or_default();
        OutTradeNo::try_from(number.to_owned()).map(Owner::Order).map_err(|_| wrong_number())
    }

    /// Checks in the order of apiv3 2.4: the status, then the signature, then the form.
    pub(super) fn message(&self, reply: &Reply, now: Timestamp) -> Result<Message, Inconclusive> {
        let status = reply.status();
        let page = |cause| {
            let page = Page::of(status, reply.headers(), reply.body());
            Inconclusive::Unknown(Reason::quoting(cause, page.line()))
        };
        let is_done = status.is_success();
        if !is_done && !status.is_client_error() && !status.is_server_error() {
            return Err(page(TillCause::HttpStatus));
        }
        if is_done || keys::claims_signature(reply) {
            // A page in place of an answer has no signature either: it says more than that.
            if !keys::claims_signature(reply) && Object::read(reply.body()).is_err() {
                let is_empty = reply.body().is_empty() && status == http::StatusCode::NO_CONTENT;
                return Err(if is_empty {
                    unknown(TillCause::BadSignature)
                } else {
                    page(TillCause::BadAnswer)
                });
            }
            self.verify(reply, now)
                .map_err(|why| Inconclusive::Unknown(Reason::quoting(why.cause, why.words)))?;
        }
        if status == http::StatusCode::NO_CONTENT && reply.body().is_empty() {
            return Ok(Message::Done(status, Object::default()));
        }
        let otherwise = if is_done { TillCause::BadAnswer } else { TillCause::HttpStatus };
        let object = Object::read(reply.body()).map_err(|_| page(otherwise))?;
        if is_done {
            return Ok(Message::Done(status, object));
        }
        let code = object.text("code").map_err(|_| page(otherwise))?;
        let code = clean(in_one_spelling(code.ok_or_else(|| page(otherwise))?), 32);
        let text = object.text("message").map_err(|_| page(otherwise))?;
        let text = clean(text.unwrap_or_default(), RECORDED_CELLS);
        let reason = Reason::gateway(code.clone(), text);
        if status == http::StatusCode::UNAUTHORIZED {
            let words = format!("{} {}", reason.code(), reason.text);
            let reason = Reason::quoting(TillCause::Refused, words.trim_end());
            return Err(Inconclusive::Unsigned(reason));
        }
        Ok(Message::Failed { status, code, reason })
    }
}

/// A 2xx answer with its signature: about our merchant and order, and only then what it says.
fn done(
    ask: Ask<'_>,
    status: http::StatusCode,
    object: &Object,
    now: Timestamp,
) -> Result<Answer, Inconclusive> {
    let order = ask.order();
    // One that is only accepted may be an error's form, without names.
    let is_accepted = status == http::StatusCode::ACCEPTED;
    let is_empty = status == http::StatusCode::NO_CONTENT;
    // The answer to an order holds a code and nothing else.
    let must_name = !is_accepted && !is_empty && !matches!(ask, Ask::Order(_));
    check_merchant(object, &order.merchant, must_name)?;
    let number = object.text("out_trade_no").map_err(bad)?;
    if number.is_some_and(|number| number != order.out_trade_no.as_str()) {
        return Err(unknown(TillCause::WrongNumber));
    }
    if is_anothers(object, order)? {
        return Err(unknown(TillCause::AnotherTill));
    }
    match ask {
        Ask::Submit(..) if is_accepted => Ok(Answer::Submitted(paying(object)?)),
        Ask::Reverse(_) if is_accepted => {
            Ok(Answer::Reversed(Reversed::Repeat(TillCause::Recall.into())))
        }
        // Accepted, and it must be confirmed by a query: it ends nothing by itself.
        Ask::Reverse(_) => Ok(Answer::Reversed(Reversed::Accepted)),
        Ask::Close(_) if is_empty || status == http::StatusCode::OK => {
            Ok(Answer::Closed(CloseSaid::Accepted))
        }
        _ if status != http::StatusCode::OK => Err(unknown(TillCause::HttpStatus)),
        Ask::Submit(..) => submitted(object, order, now).map(Answer::Submitted),
        Ask::Query(_) => found(object, order, now).map(Answer::Found),
        Ask::RefundQuery(_) => refunds(object, order).map(Answer::Refunds),
        Ask::Order(_) => ordered(object).map(Answer::Ordered),
        // Done, or it is none of the answers to it.
        Ask::Close(_) => Err(unknown(TillCause::HttpStatus)),
    }
}

fn ordered(object: &Object) -> Result<Ordered, Inconclusive> {
    let code = object.text("code_url").map_err(bad)?.unwrap_or_default();
    let code = CodeUrl::try_from(code.to_owned());
    code.map(Ordered::Code).map_err(|_| unknown(TillCause::BadAnswer))
}

fn submitted(object: &Object, order: &Order, now: Timestamp) -> Result<Submitted, Inconclusive> {
    let state = object.text("trade_state").map_err(bad)?.unwrap_or_default();
    match state {
        "SUCCESS" => paid(object, order, now).map(Submitted::Paid),
        "USERPAYING" => paying(object),
        "ACCEPT" => Ok(Submitted::Paying),
        // No state of an order that was submitted this moment, for the first time: query first.
        "NOTPAY" | "PAYERROR" | "CLOSED" | "REVOKED" | "REFUND" => {
            Ok(Submitted::Ambiguous(Reason::gateway(state, state_words(object)?)))
        }
        _ => Err(unknown(TillCause::BadAnswer)),
    }
}

/// The customer is asked for the password. Usual words say nothing that the status does not.
fn paying(object: &Object) -> Result<Submitted, Inconclusive> {
    let message = object.text("message").map_err(bad)?.unwrap_or_default();
    let words = state_words(object)?;
    let words = if words.is_empty() { clean(message, RECORDED_CELLS) } else { words };
    let says_more = words.contains(char::is_alphabetic) && !USUAL_WORDS.contains(&words.as_str());
    Ok(if says_more {
        Submitted::Asked(Reason::gateway("USERPAYING", words))
    } else {
        Submitted::Paying
    })
}

/// `trade_state` (apiv3 4.3).
fn found(object: &Object, order: &Order, now: Timestamp) -> Result<Found, Inconclusive> {
    // It must name its order: this answer may end the payment.
    if object.text("out_trade_no").map_err(bad)?.is_none() {
        return Err(unknown(TillCause::WrongNumber));
    }
    let state = object.text("trade_state").map_err(bad)?.unwrap_or_default();
    if is_unlike(object, order)? {
        return Ok(Found::AnotherTills(TillCause::AnotherTill.into()));
    }
    Ok(match state {
        "SUCCESS" => Found::Paid(paid(object, order, now)?),
        "USERPAYING" | "ACCEPT" => Found::Paying,
        "NOTPAY" => Found::NotPaid,
        // Not final: the gateway asks us to reverse it.
        "PAYERROR" => Found::Failed(Reason::gateway("PAYERROR", state_words(object)?)),
        "CLOSED" => Found::Ended(Ending::Closed),
        // Reversed after payment: only a payment has a time.
        "REVOKED" if object.text("success_time").map_err(bad)?.is_some() => {
            Found::Ended(Ending::Returned)
        }
        "REVOKED" => Found::Ended(Ending::Revoked),
        "REFUND" => Found::Ended(Ending::Refunded),
        // An unknown word proves nothing.
        _ => return Err(unknown(TillCause::BadAnswer)),
    })
}

/// No call lists the refunds of an order (apiv3 3.6): only its state says something about them.
fn refunds(object: &Object, order: &Order) -> Result<Refunds, Inconclusive> {
    if object.text("out_trade_no").map_err(bad)? != Some(order.out_trade_no.as_str()) {
        return Err(unknown(TillCause::WrongNumber));
    }
    match object.text("trade_state").map_err(bad)?.unwrap_or_default() {
        "REFUND" => Ok(Refunds::Untold),
        "REVOKED" | "CLOSED" => Ok(Refunds::Whole),
        "SUCCESS" => Ok(Refunds::None),
        _ => Err(unknown(TillCause::BadAnswer)),
    }
}

/// An error by its status and code (apiv3 4.2). What is not in the tables proves nothing; neither
/// does anything from a server in trouble.
fn failed(
    ask: Ask<'_>,
    status: http::StatusCode,
    code: &str,
    reason: Reason,
) -> Result<Answer, Inconclusive> {
    let is_refusal = status.is_client_error() && status != http::StatusCode::TOO_MANY_REQUESTS;
    let unknown = |reason| Err(Inconclusive::Unknown(reason));
    let is_not_there = status == http::StatusCode::NOT_FOUND && code == "ORDERNOTEXIST";
    match ask {
        Ask::Submit(..) if is_refusal => match submit_refused(code) {
            Refusal::Certain => Ok(Answer::Submitted(Submitted::Declined(reason))),
            Refusal::AskFirst => Ok(Answer::Submitted(Submitted::Ambiguous(reason))),
            Refusal::Unclear => unknown(reason),
        },
        Ask::Query(_) if is_not_there => Ok(Answer::Found(Found::NotFound)),
        // An order that it does not know is taken for reversed elsewhere (protocol 5.4).
        Ask::Reverse(_) if is_not_there || code == "NOT_FOUND" => {
            Ok(Answer::Reversed(Reversed::Accepted))
        }
        Ask::Reverse(_) => Ok(Answer::Reversed(match code {
            "REVERSE_EXPIRE" if is_refusal => Reversed::Expired(reason),
            // Nothing to do, or not now: a query says which.
            "SYSTEMERROR" | "BANKERROR" | "USERPAYING" | "FREQUENCY_LIMITED" | "ORDERCLOSED"
            | "ORDERREVERSED" => Reversed::Repeat(reason),
            "APPID_MCHID_NOT_MATCH"
            | "INVALID_REQUEST"
            | "MCHID_NOT_EXIST"
            | "NOAUTH"
            | "PARAM_ERROR"
            | "RULE_LIMIT"
            | "TRADE_ERROR"
                if is_refusal =>
            {
                Reversed::Refused(reason)
            }
            _ => return unknown(reason),
        })),
        Ask::Order(_) if is_refusal => Ok(Answer::Ordered(order_failed(code, reason))),
        Ask::Close(_) if is_not_there || code == "NOT_FOUND" => {
            Ok(Answer::Closed(CloseSaid::Accepted))
        }
        Ask::Close(_) => Ok(Answer::Closed(match code {
            "SYSTEMERROR" | "BANKERROR" | "FREQUENCY_LIMITED" => CloseSaid::Repeat(reason),
            _ if !is_refusal => return unknown(reason),
            "INVALID_REQUEST" | "TRADE_ERROR" | "RULE_LIMIT" => CloseSaid::Refused(reason),
            _ => close_failed(code, reason),
        })),
        Ask::Submit(..) | Ask::Query(_) | Ask::RefundQuery(_) | Ask::Order(_) => unknown(reason),
    }
}

enum Refusal {
    /// This submission took nothing.
    Certain,
    /// It may stem from an earlier delivery of the same number, or is a word that nobody knows.
    AskFirst,
    Unclear,
}

fn submit_refused(code: &str) -> Refusal {
    match code {
        "AUTHCODEEXPIRE" | "NOTENOUGH" | "NOTSUPORTCARD" | "ORDERCLOSED" | "ORDERREVERSED"
        | "AUTH_CODE_ERROR" | "AUTH_CODE_INVALID" | "TRADE_ERROR" => Refusal::Certain,
        // Our set-up: no customer can fix it.
        "PARAM_ERROR"
        | "NOAUTH"
        | "APPID_NOT_EXIST"
        | "MCHID_NOT_EXIST"
        | "APPID_MCHID_NOT_MATCH" => Refusal::Certain,
        // Not `ORDERPAID`: a query that does not see the payment yet would count against it.
        "ORDERPAID" | "SYSTEMERROR" | "BANKERROR" | "USERPAYING" | "FREQUENCY_LIMITED" => {
            Refusal::Unclear
        }
        _ => Refusal::AskFirst,
    }
}

/// The proof in a message that reports a payment, if it matches the order in every part.
fn paid(object: &Object, order: &Order, now: Timestamp) -> Result<Proof, Inconclusive> {
    if object.text("out_trade_no").map_err(bad)?.is_none() {
        return Err(unknown(TillCause::WrongNumber));
    }
    let ours = order.amount.minor();
    let amount = object.object("amount").map_err(bad)?;
    let amount = amount.ok_or_else(|| unknown(TillCause::WrongAmount))?;
    if amount.whole("total").map_err(bad)? != Some(ours) {
        return Err(unknown(TillCause::WrongAmount));
    }
    let currency = amount.text("currency").map_err(bad)?.unwrap_or("CNY");
    if currency != order.currency.code() {
        return Err(unknown(TillCause::WrongCurrency));
    }
    let plain = |id: &&str| id.len() <= 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let transaction_id = object.text("transaction_id").map_err(bad)?.filter(plain);
    let transaction_id = transaction_id.ok_or_else(|| unknown(TillCause::BadAnswer))?;
    let payer_currency = amount.text("payer_currency").map_err(bad)?.unwrap_or(currency);
    let payer_total = amount.whole("payer_total").map_err(bad)?;
    let payer_total = payer_total.filter(|paid| payer_currency == currency && *paid >= 0);
    let success_time = object.text("success_time").map_err(bad)?;
    Ok(Proof {
        transaction_id: transaction_id.to_owned(),
        paid_at: success_time.and_then(Timestamp::from_rfc3339).unwrap_or(now),
        coupon: payer_total.map(|paid| ours - paid).filter(|coupon| *coupon > 0),
    })
}

/// Whether the order of this number carries another till's mark: both have given out the same
/// number. What is no mark at all was put there by somebody else, and says nothing.
fn is_anothers(object: &Object, order: &Order) -> Result<bool, Inconclusive> {
    let is_mark =
        |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let theirs = object.text("attach").map_err(bad)?;
    let is_other = theirs.is_some_and(|text| is_mark(text) && text != order.mark);
    Ok(!order.mark.is_empty() && is_other)
}

/// Whether an order carries no mark, and is of another amount than ours: not the one we sent. Unpaid
/// orders are told without their mark.
fn is_unlike(object: &Object, order: &Order) -> Result<bool, Inconclusive> {
    let amount = object.object("amount").map_err(bad)?;
    let total = amount.map(|amount| amount.whole("total").map_err(bad)).transpose()?.flatten();
    let is_unmarked = object.text("attach").map_err(bad)?.is_none();
    let differs = total.is_some_and(|total| total != order.amount.minor());
    Ok(!order.mark.is_empty() && is_unmarked && differs)
}

/// Whether a message is about another merchant. Where `must_name`, it has to name ours. `appid` may
/// be left out; `sub_appid` is only another name of the payer's account, and one that we did not set
/// may be anything.
pub(super) fn check_merchant(
    object: &Object,
    merchant: &Merchant,
    must_name: bool,
) -> Result<(), Inconclusive> {
    let is_provider = !merchant.sub_mch_id.is_empty();
    let (app, mch, foreign) = if is_provider {
        ("sp_appid", "sp_mchid", "mchid")
    } else {
        ("appid", "mchid", "sub_mchid")
    };
    let rules = [
        (mch, merchant.mch_id.as_str(), must_name),
        ("sub_mchid", merchant.sub_mch_id.as_str(), must_name && is_provider),
        (app, merchant.app_id.as_str(), false),
        ("sub_appid", merchant.sub_app_id.as_str(), false),
        (foreign, "", false),
    ];
    for (name, ours, required) in rules {
        let theirs = object.text(name).map_err(bad)?;
        let is_wrong = match theirs {
            None => required,
            Some(_) if name == "sub_appid" && ours.is_empty() => false,
            Some(theirs) => theirs != ours,
        };
        if is_wrong {
            let text = format!("{name} {}", clean(theirs.unwrap_or("-"), 32));
            let reason = Reason::quoting(TillCause::WrongMerchant, text);
            return Err(Inconclusive::Unknown(reason));
        }
    }
    Ok(())
}

fn state_words(object: &Object) -> Result<String, Inconclusive> {
    let words = object.text("trade_state_desc").map_err(bad)?;
    Ok(clean(words.unwrap_or_default(), RECORDED_CELLS))
}

/// The members received and the number that support asks for, or what a page says.
pub(super) fn recorded(code: Option<&AuthCode>, reply: &Reply) -> Vec<(String, String)> {
    let status = reply.status();
    let mut record = if let Ok(object) = Object::read(reply.body()) {
        let mut flat = object.flat(&NOT_RECORDED, RECORDED_CELLS);
        flat.truncate(MOST_RECORDED);
        if status != http::StatusCode::OK {
            flat.push(("http_status".to_owned(), status.as_u16().to_string()));
        }
        flat
    } else {
        let mut page = Page::of(status, reply.headers(), reply.body());
        if code.is_some_and(|code| page.line().contains(code.expose())) {
            page.first_words.clear();
            page.content_type.clear();
        }
        page.record()
    };
    let id = reply.headers().get("Request-ID").and_then(|id| id.to_str().ok());
    record.extend(id.map(|id| ("request_id".to_owned(), clean(id, 80))));
    record
}

pub(super) fn bad(NotAMessage: NotAMessage) -> Inconclusive {
    unknown(TillCause::BadAnswer)
}

pub(super) fn unknown(cause: TillCause) -> Inconclusive {
    Inconclusive::Unknown(cause.into())
}
