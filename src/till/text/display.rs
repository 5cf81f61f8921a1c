//! The texts of the customer's display: at most 20 columns, with two columns per Chinese character.
//! The English ones are ASCII, which every display can show.

use crate::payment::Status;

crate::catalogue! {
    /// The upper line of the display; the lower one shows the amount.
    pub struct DisplayWords;

    /// Above an amount that is still being typed.
    amount => "AMOUNT", "金额";
    /// The customer should show a payment code.
    show_code => "SHOW PAYMENT CODE", "请出示付款码";
    /// The customer should scan our code.
    scan => "SCAN TO PAY", "请扫码支付";
    /// Cash, above the change.
    given => "GIVEN", "实收";
    change => "CHANGE", "找零";
    please_wait => "PLEASE WAIT", "请稍候";
    enter_password => "ENTER PASSWORD", "请输入密码";
    checking => "CHECKING", "查询中";
    reversing => "REVERSING", "撤销中";
    paid => "PAID", "支付成功";
    not_paid => "NOT PAID", "支付失败";
    reversed => "REVERSED", "已撤销";
    ask_cashier => "ASK THE CASHIER", "请询问收银员";
}

impl DisplayWords {
    /// The status of a payment, as far as its customer needs to know.
    pub const fn status(self, status: Status) -> &'static str {
        match status {
            Status::Created | Status::Sent => self.please_wait(),
            Status::Waiting => self.enter_password(),
            Status::Checking => self.checking(),
            Status::Reversing => self.reversing(),
            Status::Paid => self.paid(),
            Status::Declined | Status::Closed => self.not_paid(),
            Status::Reversed => self.reversed(),
            Status::Attention => self.ask_cashier(),
        }
    }
}
