//! What a voice says for each sound: short, and the outcome before the sum.

use crate::money::Currency;
use crate::payment::Status;

crate::catalogue! {
    /// The sentences that `screen.voice` is given.
    pub struct VoiceWords;

    /// Something that is not the end of a payment.
    look => "Please look at the screen", "请看屏幕";
    /// The payment is not the one at the desk.
    another(what: &str) => "Another customer: {what}", "另一位顾客：{what}";
    paid(sum: &str) => "paid, {sum}", "收款成功，{sum}";
    not_paid(sum: &str) => "not paid, {sum}", "支付失败，{sum}";
    reversed(sum: &str) => "reversed, {sum}", "已撤销，{sum}";
    attention(sum: &str) => "needs attention, {sum}", "需人工处理，{sum}";
    yuan(amount: &str) => "{amount} yuan", "{amount}元";
    foreign(amount: &str, code: &str) => "{amount} {code}", "{amount} {code}";
}

impl VoiceWords {
    /// A sum as it is spoken.
    pub fn sum(self, currency: Currency, amount: &str) -> String {
        match currency.code() {
            "CNY" => self.yuan(amount),
            code => self.foreign(amount, code),
        }
    }

    /// How a payment has ended.
    pub fn ended(self, status: Status, sum: &str) -> String {
        match status {
            Status::Paid => self.paid(sum),
            Status::Declined | Status::Closed => self.not_paid(sum),
            Status::Reversed => self.reversed(sum),
            Status::Created
            | Status::Sent
            | Status::Waiting
            | Status::Checking
            | Status::Reversing
            | Status::Attention => self.attention(sum),
        }
    }
}
