//! What both versions of the API have in common about orders whose code the customer scans.

use crate::payment::{CloseSaid, Inconclusive, Ordered, Reason};

/// Sent where nobody takes notifications: the gateway demands an address. A name that can never be
/// anybody's (RFC 6761): what it would tell is nobody else's business.
pub(super) const NO_NOTIFY_URL: &str = "https://notify.invalid/none";

/// Why there is no code, by the gateway's code (protocol 4.8). One that is not in the table proves
/// nothing.
pub(super) fn order_failed(code: &str, reason: Reason) -> Ordered {
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

/// Why an order was not closed, by the gateway's code (protocol 4.9).
pub(super) fn close_failed(code: &str, reason: Reason) -> CloseSaid {
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
