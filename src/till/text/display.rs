//! The words on the customer's display: at most 20 columns, a Chinese character being two. The
//! English ones are ASCII, which every display can show.

use crate::language::Language;
use crate::payment::Status;

/// Above an amount that is still being typed.
pub const fn amount(language: Language) -> &'static str {
    pick(language, "AMOUNT", "金额")
}

/// The customer is to show a payment code.
pub const fn show_code(language: Language) -> &'static str {
    pick(language, "SHOW PAYMENT CODE", "请出示付款码")
}

/// How a payment stands, as its customer needs to know it.
pub const fn status(status: Status, language: Language) -> &'static str {
    match status {
        Status::Created | Status::Sent => pick(language, "PLEASE WAIT", "请稍候"),
        Status::Waiting => pick(language, "ENTER PASSWORD", "请输入密码"),
        Status::Checking => pick(language, "CHECKING", "查询中"),
        Status::Reversing => pick(language, "REVERSING", "撤销中"),
        Status::Paid => pick(language, "PAID", "支付成功"),
        Status::Declined => pick(language, "NOT PAID", "支付失败"),
        Status::Reversed => pick(language, "REVERSED", "已撤销"),
        Status::Attention => pick(language, "ASK THE CASHIER", "请询问收银员"),
    }
}

const fn pick(language: Language, english: &'static str, chinese: &'static str) -> &'static str {
    match language {
        Language::English => english,
        Language::Chinese => chinese,
    }
}
