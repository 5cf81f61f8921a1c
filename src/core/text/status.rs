//! The words of a payment's state, for people: the same on the till's screen and in a backend's lists.

use crate::language::Language;
use crate::payment::{State, Status};

/// A status in a word or two, as the interface defines them.
pub const fn word(status: Status, language: Language) -> &'static str {
    let (english, chinese) = match status {
        Status::Created => ("READY", "待支付"),
        Status::Sent => ("SENDING", "提交中"),
        Status::Waiting => ("WAITING FOR CUSTOMER", "等待顾客输入密码"),
        Status::Checking => ("CHECKING", "查询中"),
        Status::Reversing => ("REVERSING", "撤销中"),
        Status::Paid => ("PAID", "支付成功"),
        Status::Declined => ("NOT PAID", "支付失败"),
        Status::Reversed => ("REVERSED", "已撤销"),
        Status::Closed => ("CLOSED", "已关闭"),
        Status::Attention => ("NEEDS ATTENTION", "需人工处理"),
    };
    language.pick(english, chinese)
}

/// The word of a state: nobody types a password for a code of ours that nobody has scanned.
pub fn of(state: &State, language: Language) -> &'static str {
    match (state.status(), state.qr().is_some()) {
        (Status::Waiting, true) => language.pick("WAITING FOR CUSTOMER", "等待顾客扫码"),
        (status, _) => word(status, language),
    }
}
