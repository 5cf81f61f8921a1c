//! The words on receipts.

use crate::language::Language;

/// What a receipt says, in one language.
#[derive(Debug)]
pub struct ReceiptText {
    pub receipt: &'static str,
    pub withdrawn_slip: &'static str,
    pub copy: &'static str,
    pub training: &'static str,
    pub no_money_moved: &'static str,
    pub paid: &'static str,
    pub withdrawn: &'static str,
    /// Where nothing had been charged.
    pub nothing_charged: &'static str,
    /// Where the customer had paid.
    pub money_goes_back: &'static str,
    pub store: &'static str,
    pub till: &'static str,
    pub paid_by: &'static str,
    pub wechat_pay: &'static str,
    pub order_number: &'static str,
    pub transaction: &'static str,
    pub time: &'static str,
    pub note: &'static str,
}

impl ReceiptText {
    /// The words of a language.
    pub const fn of(language: Language) -> &'static Self {
        match language {
            Language::Chinese => &CHINESE,
            Language::English => &ENGLISH,
        }
    }
}

const CHINESE: ReceiptText = ReceiptText {
    receipt: "收款小票",
    withdrawn_slip: "撤销凭证",
    copy: "重打",
    training: "训练",
    no_money_moved: "未发生收款",
    paid: "支付成功",
    withdrawn: "已撤销",
    nothing_charged: "本次支付已撤销，未向顾客收款。",
    money_goes_back: "顾客已付款，本次支付已撤销，款项将原路退回顾客账户。",
    store: "门店",
    till: "收银机",
    paid_by: "支付方式",
    wechat_pay: "微信支付",
    order_number: "订单号",
    transaction: "交易单号",
    time: "时间",
    note: "备注",
};

const ENGLISH: ReceiptText = ReceiptText {
    receipt: "RECEIPT",
    withdrawn_slip: "PAYMENT WITHDRAWN",
    copy: "DUPLICATE",
    training: "TRAINING",
    no_money_moved: "NO MONEY MOVED",
    paid: "PAID",
    withdrawn: "REVERSED",
    nothing_charged: "This payment was withdrawn. The customer was not charged.",
    money_goes_back: "The customer had paid. This payment was withdrawn, and the money goes back to \
                      where it came from.",
    store: "Store",
    till: "Till",
    paid_by: "Paid by",
    wechat_pay: "WeChat Pay",
    order_number: "Order",
    transaction: "Transaction",
    time: "Time",
    note: "Note",
};
