//! unifiedorder of trade type NATIVE, and closeorder (protocol 3.7, 3.8, 4.8, 4.9).

use super::{failure, unknown};
use crate::gateway::wechat::fields::Fields;
use crate::order::{CodeUrl, Order};
use crate::payment::{CloseSaid, Inconclusive, Ordered, TillCause};

/// The trade type of an order whose code the customer scans.
const NATIVE: &str = "NATIVE";
/// Sent where nobody takes notifications: the gateway demands an address. A name that can never be
/// anybody's (RFC 6761): what it would tell is nobody else's business.
pub const NO_NOTIFY_URL: &str = "https://notify.invalid/none";

/// The fields of an order, which no payment code goes with.
pub(super) fn order(fields: &mut Fields, order: &Order, notify_url: &str) {
    fields.set("device_info", &order.device_info);
    fields.set("body", &order.body);
    fields.set("total_fee", order.amount.minor().to_string());
    fields.set("fee_type", order.currency.code());
    fields.set("spbill_create_ip", &order.client_ip);
    fields.set("attach", &order.mark);
    fields.set("trade_type", NATIVE);
    // Ours to choose, and demanded in older pages.
    fields.set("product_id", order.out_trade_no.as_str());
    fields.set("notify_url", notify_url);
}

/// The code, in an answer that reports success.
pub(super) fn ordered(fields: &Fields) -> Ordered {
    if fields.get("trade_type").is_some_and(|of| of != NATIVE) {
        return Ordered::Inconclusive(unknown(TillCause::BadAnswer));
    }
    let code = fields.get("code_url").map(|code| CodeUrl::try_from(code.to_owned()));
    match code {
        Some(Ok(code)) => Ordered::Code(code),
        Some(Err(_)) | None => Ordered::Inconclusive(unknown(TillCause::BadAnswer)),
    }
}

/// `err_code` of unifiedorder (protocol 4.8). A code that is not in the table proves nothing.
pub(super) fn order_failed(fields: &Fields) -> Ordered {
    let (code, reason) = failure(fields);
    match code {
        "ORDERCLOSED" | "NOTENOUGH" => Ordered::Refused(reason),
        // Our set-up: no customer can fix it.
        "NOAUTH"
        | "APPID_NOT_EXIST"
        | "MCHID_NOT_EXIST"
        | "APPID_MCHID_NOT_MATCH"
        | "LACK_PARAMS"
        | "SIGNERROR"
        | "XML_FORMAT_ERROR"
        | "REQUIRE_POST_METHOD"
        | "POST_DATA_EMPTY"
        | "NOT_UTF8"
        | "PARAM_ERROR" => Ordered::Refused(reason),
        "ORDERPAID" | "OUT_TRADE_NO_USED" | "INVALID_REQUEST" => Ordered::Ambiguous(reason),
        _ => Ordered::Inconclusive(Inconclusive::Unknown(reason)),
    }
}

/// `err_code` of closeorder (protocol 4.9).
pub(super) fn close_failed(fields: &Fields) -> CloseSaid {
    let (code, reason) = failure(fields);
    match code {
        "ORDERPAID" => CloseSaid::Paid(reason),
        "ORDERCLOSED" | "ORDERNOTEXIST" => CloseSaid::Accepted,
        "SYSTEMERROR" => CloseSaid::Repeat(reason),
        "SIGNERROR"
        | "REQUIRE_POST_METHOD"
        | "XML_FORMAT_ERROR"
        | "PARAM_ERROR"
        | "LACK_PARAMS"
        | "NOAUTH"
        | "APPID_NOT_EXIST"
        | "MCHID_NOT_EXIST"
        | "APPID_MCHID_NOT_MATCH" => CloseSaid::Refused(reason),
        _ => CloseSaid::Inconclusive(Inconclusive::Unknown(reason)),
    }
}
