//! Refunds of our own: what is sent, and what is believed (apiv3 3.6 and 4.6).

use super::json::{Object, Value};
use super::read::{Message, bad, check_merchant, unknown};
use super::{NOT_RECORDED, RECORDED_CELLS, WechatV3, root, whose};
use crate::clean::clean;
use crate::clock::Timestamp;
use crate::gateway::{DecodedRefund, Outgoing, RefundAsk, Reply, Stamp, escaped};
use crate::payment::{Inconclusive, Reason, TillCause};
use crate::refund::{
    Looked, Queried, Refund, RefundAnswer, RefundCallKind, RefundPage, RefundProof, RefundSaid,
};

const REFUNDS: &str = "/v3/refund/domestic/refunds";
/// The longest reason for a refund, in bytes (protocol 3.6).
const LONGEST_REASON: usize = 80;

impl WechatV3 {
    pub(super) fn refund_request(&self, ask: RefundAsk<'_>, stamp: &Stamp) -> Outgoing {
        let RefundAsk { kind, refund } = ask;
        let merchant = &refund.order.merchant;
        let shop = escaped(&merchant.sub_mch_id);
        match kind {
            RefundCallKind::Look { .. } => {
                let number = escaped(refund.order.out_trade_no.as_str());
                let (root, whose) = (root(merchant), whose(merchant));
                self.get(&format!("{root}/out-trade-no/{number}?{whose}"), merchant, stamp)
            }
            RefundCallKind::Query => {
                let number = escaped(refund.out_refund_no.as_str());
                let whose =
                    if shop.is_empty() { String::new() } else { format!("?sub_mchid={shop}") };
                self.get(&format!("{REFUNDS}/{number}{whose}"), merchant, stamp)
            }
            RefundCallKind::Refund => {
                let body = body(refund).to_bytes();
                self.outgoing(http::Method::POST, REFUNDS, body, merchant, stamp)
            }
        }
    }

    pub(super) fn refund_answer(
        &self,
        ask: RefundAsk<'_>,
        reply: &Reply,
        now: Timestamp,
    ) -> DecodedRefund {
        let answer = self.message(reply, now).and_then(|message| match message {
            Message::Done(http::StatusCode::OK, object) => done(ask, &object, now),
            // Accepted and not finished, which a query tells from not there.
            Message::Done(..) => Err(unknown(TillCause::HttpStatus)),
            Message::Failed { status, code, reason } => failed(ask.kind, status, &code, reason),
        });
        let answer = answer.unwrap_or_else(|what| RefundAnswer::inconclusive(ask.kind, what));
        DecodedRefund { answer, record: super::read::recorded(None, reply) }
    }
}

/// The request's fields for the record.
pub(super) fn record(ask: RefundAsk<'_>) -> Vec<(String, String)> {
    let refund = ask.refund;
    let number = ("out_trade_no".to_owned(), refund.order.out_trade_no.as_str().to_owned());
    match ask.kind {
        RefundCallKind::Look { .. } => vec![number],
        RefundCallKind::Query => {
            vec![("out_refund_no".to_owned(), refund.out_refund_no.as_str().to_owned())]
        }
        RefundCallKind::Refund => body(refund).flat(&NOT_RECORDED, RECORDED_CELLS),
    }
}

fn body(refund: &Refund) -> Value<'_> {
    let order = &refund.order;
    let text = Value::Text;
    Value::Members(vec![
        ("sub_mchid", text(&order.merchant.sub_mch_id)),
        ("out_trade_no", text(order.out_trade_no.as_str())),
        ("out_refund_no", text(refund.out_refund_no.as_str())),
        ("reason", text(shortened(&refund.reason))),
        (
            "amount",
            Value::Members(vec![
                ("refund", Value::Whole(refund.amount.minor())),
                ("total", Value::Whole(order.amount.minor())),
                ("currency", text(order.currency.code())),
            ]),
        ),
    ])
}

/// A reason as long as the gateway takes it, and without a blank at its end.
fn shortened(reason: &str) -> &str {
    let mut end = reason.len().min(LONGEST_REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason[..end].trim()
}

fn done(ask: RefundAsk<'_>, object: &Object, now: Timestamp) -> Result<RefundAnswer, Inconclusive> {
    let RefundAsk { kind, refund } = ask;
    let is_look = matches!(kind, RefundCallKind::Look { .. });
    // Answers about refunds name no merchant: their numbers are the merchant's own.
    check_merchant(object, &refund.order.merchant, is_look)?;
    if object.text("out_trade_no").map_err(bad)? != Some(refund.order.out_trade_no.as_str()) {
        return Err(unknown(TillCause::WrongNumber));
    }
    if is_look {
        // No call lists the refunds of an order. What is too much the gateway itself refuses.
        return match object.text("trade_state").map_err(bad)? {
            Some("SUCCESS" | "REFUND") => {
                Ok(RefundAnswer::Looked(Looked::Page(RefundPage::default())))
            }
            _ => Err(unknown(TillCause::BadAnswer)),
        };
    }
    is_it(object, refund)?;
    if kind == RefundCallKind::Refund {
        return Ok(RefundAnswer::Said(RefundSaid::Accepted));
    }
    let refund_id = object.text("refund_id").map_err(bad)?.unwrap_or_default();
    let done_at = object.text("success_time").map_err(bad)?;
    Ok(RefundAnswer::Queried(match object.text("status").map_err(bad)? {
        Some("SUCCESS") => Queried::Done(RefundProof {
            refund_id: clean(refund_id, 32),
            done_at: done_at.and_then(Timestamp::from_rfc3339).unwrap_or(now),
        }),
        Some("PROCESSING") => Queried::Processing,
        Some("CLOSED") => Queried::Closed,
        Some("ABNORMAL") => Queried::Abnormal,
        // An unknown word proves nothing.
        Some(_) | None => return Err(unknown(TillCause::BadAnswer)),
    }))
}

/// Whether a message is about this very refund.
fn is_it(object: &Object, refund: &Refund) -> Result<(), Inconclusive> {
    if object.text("out_refund_no").map_err(bad)? != Some(refund.out_refund_no.as_str()) {
        return Err(unknown(TillCause::WrongNumber));
    }
    let amount = object.object("amount").map_err(bad)?;
    let amount = amount.ok_or_else(|| unknown(TillCause::WrongAmount))?;
    let is_ours = amount.whole("refund").map_err(bad)? == Some(refund.amount.minor())
        && amount.whole("total").map_err(bad)? == Some(refund.order.amount.minor());
    if !is_ours {
        return Err(unknown(TillCause::WrongAmount));
    }
    let currency = amount.text("currency").map_err(bad)?.unwrap_or("CNY");
    if currency == refund.order.currency.code() {
        Ok(())
    } else {
        Err(unknown(TillCause::WrongCurrency))
    }
}

/// An error by its status and code. A refusal is one only once a query does not know the number.
fn failed(
    kind: RefundCallKind,
    status: http::StatusCode,
    code: &str,
    reason: Reason,
) -> Result<RefundAnswer, Inconclusive> {
    let is_not_there = status == http::StatusCode::NOT_FOUND
        && matches!(code, "RESOURCE_NOT_EXISTS" | "REFUNDNOTEXIST");
    let said = match (kind, code) {
        (RefundCallKind::Query, _) if is_not_there => {
            return Ok(RefundAnswer::Queried(Queried::NotFound));
        }
        (RefundCallKind::Refund, _) if status == http::StatusCode::TOO_MANY_REQUESTS => {
            RefundSaid::Blocked(reason)
        }
        (
            RefundCallKind::Refund,
            "APPID_MCHID_NOT_MATCH"
            | "INVALID_REQUEST"
            | "INVALID_TRANSACTIONID"
            | "MCHID_NOT_EXIST"
            | "NOAUTH"
            | "NOTENOUGH"
            | "ORDERNOTEXIST"
            | "PARAM_ERROR"
            | "REFUND_FEE_MISMATCH"
            | "RESOURCE_NOT_EXISTS"
            | "TRADE_OVERDUE"
            | "USER_ACCOUNT_ABNORMAL",
        ) if status.is_client_error() => RefundSaid::Refused(reason),
        _ => return Err(Inconclusive::Unknown(reason)),
    };
    Ok(RefundAnswer::Said(said))
}
