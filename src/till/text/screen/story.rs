//! The lines of a payment's story.

crate::catalogue! {
    /// What happened to a payment. If there is a reason, it follows.
    pub struct StoryWords;

    title => "This payment", "这笔支付";
    sent => "Sent to WeChat Pay.", "已向微信支付发起收款。";
    at_password => "Waiting for the password.", "顾客正在输入密码。";
    at_password_still(checks: u32) =>
        "Waiting for the password (asked {checks} times).", "顾客正在输入密码（{checks} 次）。";
    not_paid_yet => "Checked: not paid yet.", "查询：尚未付款。";
    not_known_yet => "Checked: no such order yet.", "查询：暂无此订单。";
    unclear => "No clear answer.", "未收到明确结果。";
    refused => "Refused.", "被拒绝。";
    never_sent => "It was not sent.", "请求未发出。";
    paid => "Paid and verified.", "支付成功，已核实。";
    paid_late => "The customer had paid; reversing the payment.", "顾客已付款，正在撤销。";
    cancelled => "Cancelled by the cashier.", "收银员已取消等待。";
    time_up => "Time is up; reversing the payment.", "等待超时，正在撤销。";
    restarted => "The till was restarted; checking.", "收银机已重新启动，继续查询。";
    reversal_accepted => "Reversal accepted; confirming.", "撤销已受理，正在核实。";
    code_ordered => "A code was ordered from WeChat Pay.", "已向微信支付申请收款码。";
    code_expired => "The code has expired; closing the order.", "收款码已过期，正在关闭订单。";
    code_ready => "The code can be scanned.", "收款码可以扫了。";
    closing_accepted => "Closing accepted; confirming.", "关单已受理，正在核实。";
    closing_failed => "Not closed yet; trying again.", "尚未关单，稍后重试。";
    reversal_repeats => "The reversal must be repeated.", "撤销需要重试。";
    reversal_refused => "The reversal was refused.", "撤销被拒绝。";
    closed => "Confirmed: closed, not paid.", "已确认：订单已关闭，未付款。";
    revoked => "Confirmed: reversed.", "已确认：撤销成功。";
    returned => "Confirmed: the money is being returned.", "已确认：款项原路退回。";
    refunded => "WeChat Pay says that this order had been paid and money went back.",
        "微信支付：该订单已付款，并有退款。";
    not_returned => "WeChat Pay knows no refund of this order.", "微信支付：该订单没有退款。";
    cash => "Paid in cash.", "现金收款。";
    cash_returned => "The rest was not paid; the cash went back.", "余款未付，现金已退还顾客。";
    reprinted(copy: u32) => "The slip was printed again, copy {copy}.", "补打小票（第 {copy} 次）。";
    refund(id: i64, word: &str) => "Refund {id}: {word}.", "退款 {id}：{word}。";

    /// Happened this many times in a row; `sentence` comes without its full stop.
    repeated(sentence: &str, times: u32) => "{sentence} ({times} times).", "{sentence}（{times} 次）。";
}
