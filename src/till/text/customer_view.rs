//! The texts of the customer's screen. Whoever reads them waits at the counter, and shall know what to
//! do with the telephone; why a payment did not come about is between them and the cashier.

use crate::payment::Status;

crate::catalogue! {
    /// What the customer should do now, below the amount.
    pub struct CustomerViewWords;

    welcome => "Welcome", "欢迎光临";
    /// Below an amount that is still being typed.
    amount => "Your total", "应付金额";
    show_code => "Please show your payment code", "请出示付款码";
    /// Beside a code of ours.
    scan => "Scan with WeChat to pay", "请用微信扫码付款";
    /// Where the code is not on the customer's screen.
    scan_elsewhere => "Please scan the code that the cashier shows you", "请扫收银员出示的收款码";
    /// Below the change that goes back to them.
    change => "Your change. Thank you!", "请收好找零，谢谢";
    due_and_given(due: &str, given: &str) =>
        "Total {due}, given {given}", "应付 {due}，实付 {given}";
    one_moment => "One moment, please", "正在处理，请稍候";
    confirm => "Please confirm on your phone", "请在手机上确认";
    checking => "We are checking your payment, one moment please", "正在查询，请稍候";
    reversing => "The payment is being cancelled, one moment please", "正在撤销，请稍候";
    paid => "Paid. Thank you!", "支付成功，谢谢";
    not_paid => "Not paid. Please ask the cashier", "支付未成功，请询问收银员";
    reversed => "The payment was cancelled", "这笔支付已撤销";
    ask_cashier => "Please ask the cashier", "请询问收银员";
    /// No till runs that could say anything.
    closed => "This till is closed at the moment", "本收银台暂停收款";
    training => "TRAINING – no money moves", "练习模式 · 不会真实扣款";
}

impl CustomerViewWords {
    /// For the state of the customer's payment.
    pub const fn status(self, status: Status) -> &'static str {
        match status {
            Status::Created | Status::Sent => self.one_moment(),
            Status::Waiting => self.confirm(),
            Status::Checking => self.checking(),
            Status::Reversing => self.reversing(),
            Status::Paid => self.paid(),
            Status::Declined | Status::Closed => self.not_paid(),
            Status::Reversed => self.reversed(),
            Status::Attention => self.ask_cashier(),
        }
    }
}
