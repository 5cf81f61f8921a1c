//! refund and refundquery (protocol 3.5, 3.6, 4.6, 4.7).

use super::{WechatV2, failure, is_success, recorded, unknown};
use crate::clean::clean;
use crate::clock::Timestamp;
use crate::gateway::page::Page;
use crate::gateway::wechat::fields::Fields;
use crate::gateway::{DecodedRefund, RefundAsk, Reply};
use crate::money::Money;
use crate::order::Order;
use crate::payment::{Inconclusive, Reason, Refunds, TillCause};
use crate::refund::{
    KnownRefund, Looked, Queried, Refund, RefundAnswer, RefundCallKind, RefundPage, RefundProof,
    RefundSaid,
};

/// The longest reason for a refund, in bytes (protocol 3.6).
const LONGEST_REASON: usize = 80;
/// The most refunds of an order (protocol 3.6).
const MOST: u32 = 50;

/// Where a call goes, and whether it needs the certificate.
pub(super) const fn path(kind: RefundCallKind) -> (&'static str, bool) {
    match kind {
        RefundCallKind::Refund => ("/secapi/pay/refund", true),
        RefundCallKind::Look { .. } | RefundCallKind::Query => ("/pay/refundquery", false),
    }
}

impl WechatV2 {
    pub(super) fn refund_fields(&self, ask: RefundAsk<'_>) -> Fields {
        let RefundAsk { kind, refund } = ask;
        let Refund { out_refund_no, order, amount, reason, .. } = refund;
        let mut fields = self.of(&order.merchant);
        match kind {
            RefundCallKind::Look { offset } => {
                fields.set("out_trade_no", order.out_trade_no.as_str());
                if offset > 0 {
                    fields.set("offset", offset.to_string());
                }
            }
            RefundCallKind::Query => fields.set("out_refund_no", out_refund_no.as_str()),
            RefundCallKind::Refund => {
                fields.set("out_trade_no", order.out_trade_no.as_str());
                fields.set("out_refund_no", out_refund_no.as_str());
                fields.set("total_fee", order.amount.minor().to_string());
                fields.set("refund_fee", amount.minor().to_string());
                fields.set("refund_fee_type", order.currency.code());
                fields.set("refund_desc", shortened(reason));
            }
        }
        fields
    }

    /// Checks in the order of protocol 2.4: complete, signed, ours, and only then what it says.
    pub(super) fn read_refund(
        &self,
        ask: RefundAsk<'_>,
        reply: &Reply,
        now: Timestamp,
    ) -> DecodedRefund {
        let no_message = |cause| {
            let page = Page::of(reply.status(), reply.headers(), reply.body());
            let what = Inconclusive::Unknown(Reason::quoting(cause, page.line()));
            DecodedRefund {
                answer: RefundAnswer::inconclusive(ask.kind, what),
                record: page.record(),
            }
        };
        if reply.status() != http::StatusCode::OK {
            return no_message(TillCause::HttpStatus);
        }
        let Ok(fields) = Fields::from_xml(reply.body()) else {
            return no_message(TillCause::BadAnswer);
        };
        let answer = self
            .refund_answer(ask, &fields, now)
            .unwrap_or_else(|what| RefundAnswer::inconclusive(ask.kind, what));
        DecodedRefund { answer, record: recorded(&fields) }
    }

    fn refund_answer(
        &self,
        ask: RefundAsk<'_>,
        fields: &Fields,
        now: Timestamp,
    ) -> Result<RefundAnswer, Inconclusive> {
        let refund = ask.refund;
        self.check_sender(fields, &refund.order.merchant)?;
        let number = fields.get("out_trade_no");
        if number.is_some_and(|number| number != refund.order.out_trade_no.as_str()) {
            return Err(unknown(TillCause::WrongNumber));
        }
        let is_success = is_success(fields)?;
        Ok(match ask.kind {
            RefundCallKind::Refund if is_success => {
                is_it(fields, refund, "out_refund_no", "refund_fee")?;
                RefundAnswer::Said(RefundSaid::Accepted)
            }
            RefundCallKind::Refund => RefundAnswer::Said(refund_failed(fields, refund)?),
            RefundCallKind::Look { offset } if is_success => {
                RefundAnswer::Looked(Looked::Page(page(fields, &refund.order, offset)?))
            }
            RefundCallKind::Look { .. } => {
                none_exists(fields)?;
                RefundAnswer::Looked(Looked::Page(RefundPage::default()))
            }
            RefundCallKind::Query if is_success => {
                RefundAnswer::Queried(status(fields, refund, now)?)
            }
            RefundCallKind::Query => {
                none_exists(fields)?;
                RefundAnswer::Queried(Queried::NotFound)
            }
        })
    }
}

/// `err_code` of refund (protocol 4.7). A code that is not in the table proves nothing.
fn refund_failed(fields: &Fields, refund: &Refund) -> Result<RefundSaid, Inconclusive> {
    let number = fields.get("out_refund_no");
    if number.is_some_and(|number| number != refund.out_refund_no.as_str()) {
        return Err(unknown(TillCause::WrongNumber));
    }
    let (code, reason) = failure(fields);
    Ok(match code {
        "NOTENOUGH"
        | "TRADE_OVERDUE"
        | "USER_ACCOUNT_ABNORMAL"
        | "ERROR"
        | "INVALID_TRANSACTIONID"
        | "ORDERNOTEXIST"
        | "PARAM_ERROR"
        | "APPID_NOT_EXIST"
        | "MCHID_NOT_EXIST"
        | "REQUIRE_POST_METHOD"
        | "SIGNERROR"
        | "XML_FORMAT_ERROR" => RefundSaid::Refused(reason),
        "INVALID_REQ_TOO_MUCH" => RefundSaid::Blocked(reason),
        _ => RefundSaid::Inconclusive(Inconclusive::Unknown(reason)),
    })
}

/// Whether a failed refundquery says that there is no such refund.
fn none_exists(fields: &Fields) -> Result<(), Inconclusive> {
    match failure(fields) {
        ("REFUNDNOTEXIST", _) => Ok(()),
        (_, reason) => Err(Inconclusive::Unknown(reason)),
    }
}

/// Whether a message is about this order as it was paid.
fn is_of_order(fields: &Fields, order: &Order) -> Result<(), Inconclusive> {
    if fields.get("out_trade_no").is_none() {
        return Err(unknown(TillCause::WrongNumber));
    }
    if fields.get("total_fee") != Some(order.amount.minor().to_string().as_str()) {
        return Err(unknown(TillCause::WrongAmount));
    }
    if fields.get("fee_type").unwrap_or("CNY") != order.currency.code() {
        return Err(unknown(TillCause::WrongCurrency));
    }
    Ok(())
}

/// Whether a message is about this very refund, whose number and amount have these names in it.
fn is_it(fields: &Fields, refund: &Refund, number: &str, amount: &str) -> Result<(), Inconclusive> {
    is_of_order(fields, &refund.order)?;
    if fields.get(number) != Some(refund.out_refund_no.as_str()) {
        return Err(unknown(TillCause::WrongNumber));
    }
    if fields.get(amount) != Some(refund.amount.minor().to_string().as_str()) {
        return Err(unknown(TillCause::WrongAmount));
    }
    Ok(())
}

/// `refund_status` of the refund that was asked about (protocol 4.6).
fn status(fields: &Fields, refund: &Refund, now: Timestamp) -> Result<Queried, Inconclusive> {
    if fields.get("refund_count") != Some("1") {
        return Err(unknown(TillCause::BadAnswer));
    }
    is_it(fields, refund, "out_refund_no_0", "refund_fee_0")?;
    Ok(match fields.get("refund_status_0") {
        Some("SUCCESS") => Queried::Done(RefundProof {
            refund_id: clean(fields.get("refund_id_0").unwrap_or_default(), 32),
            done_at: fields.get("refund_success_time_0").and_then(beijing).unwrap_or(now),
        }),
        Some("PROCESSING") => Queried::Processing,
        Some("REFUNDCLOSE") => Queried::Closed,
        Some("CHANGE") => Queried::Abnormal,
        // An unknown word proves nothing.
        Some(_) | None => return Err(unknown(TillCause::BadAnswer)),
    })
}

/// `yyyy-MM-dd HH:mm:ss`
fn beijing(text: &str) -> Option<Timestamp> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    Timestamp::from_beijing(&digits).filter(|_| text.len() == 19)
}

/// A page of the list of an order's refunds, from a place of it on.
fn page(fields: &Fields, order: &Order, offset: u32) -> Result<RefundPage, Inconclusive> {
    let odd = || unknown(TillCause::BadAnswer);
    is_of_order(fields, order)?;
    let number = |name: &str| fields.get(name).map(|count| count.parse::<u32>().map_err(|_| odd()));
    let count = number("refund_count").transpose()?.ok_or_else(odd)?;
    // Left out where one page holds them all.
    let total =
        number("total_refund_count").transpose()?.unwrap_or_else(|| offset.saturating_add(count));
    if count > total || total > MOST {
        return Err(odd());
    }
    let refund = |at: u32| {
        let field = |name: &str| fields.get(&format!("{name}_{at}"));
        let amount = field("refund_fee")?.parse::<i64>().ok().filter(|fee| *fee > 0)?;
        let counts = match field("refund_status")? {
            "SUCCESS" | "PROCESSING" | "CHANGE" => true,
            "REFUNDCLOSE" => false,
            _ => return None,
        };
        let number = clean(field("out_refund_no")?, LONGEST_NUMBER);
        Some(KnownRefund { number, amount: Money::from_minor(amount), counts })
    };
    let refunds = (0..count).map(refund).collect::<Option<Vec<_>>>().ok_or_else(odd)?;
    Ok(RefundPage { total, refunds })
}

/// The longest refund number, in cells.
const LONGEST_NUMBER: usize = 64;

/// A reason as long as the gateway takes it, and without a blank at its end.
fn shortened(reason: &str) -> &str {
    let mut end = reason.len().min(LONGEST_REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason[..end].trim()
}

/// `err_code` of refundquery (protocol 4.6).
pub(super) fn refund_query_failed(fields: &Fields) -> Refunds {
    let (code, reason) = failure(fields);
    match code {
        "REFUNDNOTEXIST" => Refunds::None,
        _ => Refunds::Inconclusive(Inconclusive::Unknown(reason)),
    }
}

/// The refunds of an order (protocol 4.6): what was returned or is on its way, against what was
/// paid. An answer lists ten refunds at most; those beyond only make it more.
pub(super) fn refunds(fields: &Fields, order: &Order) -> Refunds {
    let inconclusive = |cause| Refunds::Inconclusive(unknown(cause));
    if fields.get("out_trade_no").is_none() {
        return inconclusive(TillCause::WrongNumber);
    }
    let total = order.amount.minor();
    if fields.get("total_fee") != Some(total.to_string().as_str()) {
        return inconclusive(TillCause::WrongAmount);
    }
    let Some(count) = fields.get("refund_count").and_then(|count| count.parse::<u8>().ok()) else {
        return inconclusive(TillCause::BadAnswer);
    };
    let mut returned: i64 = 0;
    for at in 0..count {
        let fee = fields.get(&format!("refund_fee_{at}")).and_then(|fee| fee.parse::<i64>().ok());
        match (fields.get(&format!("refund_status_{at}")), fee) {
            (Some("SUCCESS" | "PROCESSING"), Some(fee)) if fee > 0 => {
                returned = returned.saturating_add(fee);
            }
            // Closed, or stuck at the customer's bank.
            (Some("REFUNDCLOSE" | "CHANGE"), _) => {}
            _ => return inconclusive(TillCause::BadAnswer),
        }
    }
    if returned >= total {
        return Refunds::Whole;
    }
    let parts = [returned, total].map(|minor| order.currency.show(Money::from_minor(minor)));
    match returned {
        0 => Refunds::None,
        _ => Refunds::Part(Reason::quoting(TillCause::PartlyRefunded, parts.join(" / "))),
    }
}
