//! unifiedorder of trade type NATIVE (protocol 3.7).

use super::unknown;
use crate::gateway::wechat::fields::Fields;
use crate::order::{CodeUrl, Order};
use crate::payment::{Ordered, TillCause};

/// The trade type of an order whose code the customer scans.
const NATIVE: &str = "NATIVE";

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
