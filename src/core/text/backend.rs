//! Why the merchant's backend did not do what it was asked.

use crate::gateway::backend::message::Refused;

/// The sentence for one of its codes in English and Chinese, and whether only the manager can help;
/// `None` if it has no such code.
pub(super) fn words(code: &str) -> Option<(&'static str, &'static str, bool)> {
    Some(match Refused::from_word(code)? {
        Refused::NotFound => {
            ("The shop's backend does not know this order.", "商户后台查不到该订单。", false)
        }
        Refused::NumberUsed => (
            "This order number was already used for something else.",
            "该订单号已用于其他订单。",
            false,
        ),
        Refused::Closed => (
            "The order was reversed before the request arrived.",
            "请求送达之前该订单已撤销。",
            false,
        ),
        Refused::NotSent => (
            "The shop's backend cannot record the payment, so nothing was sent to WeChat Pay.",
            "商户后台无法记录这笔支付，未向微信支付发出请求。",
            true,
        ),
        Refused::Revoked => {
            ("This till was locked at the office.", "这台收银机已被后台停用。", true)
        }
        Refused::NotAllowed => {
            ("This till has no right to do that.", "这台收银机没有此项权限。", true)
        }
        Refused::Limit => {
            ("That is more than this till may refund.", "超过这台收银机的退款限额。", true)
        }
        Refused::Clock => (
            "This machine's clock differs too much from the backend's. Check the clock.",
            "本机时间与商户后台相差过大，请检查本机时间。",
            true,
        ),
        Refused::Replayed => (
            "The request reached the shop's backend twice; one of the two was refused.",
            "同一请求重复送达商户后台，其中一次被拒绝。",
            false,
        ),
        Refused::Unauthorized => (
            "The shop's backend does not know this till's key. Register the till again.",
            "商户后台不认识这台收银机的密钥，请重新登记。",
            true,
        ),
        Refused::BadRequest => {
            ("The shop's backend could not read the request.", "商户后台无法读取请求。", true)
        }
        Refused::Failed => {
            ("The shop's backend had an internal error.", "商户后台出现内部错误。", false)
        }
    })
}

/// There is no answer yet.
pub(super) const IN_PROGRESS: (&str, &str) =
    ("The shop's backend is still waiting for WeChat Pay.", "商户后台仍在等待微信支付的结果。");
