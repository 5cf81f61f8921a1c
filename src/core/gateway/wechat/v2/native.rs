//! unifiedorder of trade type NATIVE (protocol 3.7).

use super::unknown;
use crate::gateway::wechat::fields::Fields;
use crate::order::{CodeUrl, Order};
use crate::payment::{Ordered, TillCause};

/// The trade type of an order whose code the customer scans.
const NATIVE: &str = "NATIVE";

/// The fields that an order has in place of a payment code.
pub(super) fn order(fields: &mut Fields, order: &Order, notify_url: &str) {
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
