//! The page of a code that the customer scans.

crate::catalogue! {
    /// The texts around a code of ours.
    pub struct CodeWords;

    key_code => "Our code", "出示收款码";
    key_bill => "Print bill", "打印付款单";
    ordering => "Ordering a code from WeChat Pay.", "正在向微信支付申请收款码。";
    to_scan => "The customer scans this code with WeChat.", "请顾客用微信扫码付款。";
    being_closed => "The order is being closed.", "正在关闭这笔订单。";
    /// `left` is a span of time, such as 1:59:30.
    valid_for(left: &str) => "code valid for {left}", "收款码剩余 {left}";
    expired => "the code has expired", "收款码已过期";
    ordered_again_in(seconds: u64) => "asks again in {seconds} s", "{seconds} 秒后再次申请";
    waits_for_answer => "waiting for the answer", "等待微信支付返回";

    // What the keys do beside a code.
    bill => "print it as a bill", "打印成付款单";
    aside => "next customer, code stays", "接待下一位，收款码继续有效";
    check => "ask WeChat Pay now", "立即查询是否付款";
    give_up => "close the order", "关闭这笔订单";

    ask_close => "Take this code away and close the order?", "撤下收款码并关闭这笔订单？";
    ask_close_detail =>
        "If the customer has paid by then, the payment counts.", "如果顾客在此之前已付款，按已收款处理。";
    key_close_order => "Close order", "关闭订单";
    key_keep_showing => "Keep it", "继续出示";

    // Where it cannot be drawn.
    no_room(width: usize, height: usize) =>
        "The code does not fit: it needs a window of {width}x{height}.",
        "窗口太小，收款码画不下：至少需要 {width}x{height}。";
    cannot_draw => "This terminal cannot draw the code.", "这个终端画不出收款码。";
    or_print => "Press F9 to print it, or let the customer scan it from their own screen.",
        "可按 F9 键打印，或让顾客扫顾客屏上的收款码。";
    or_their_screen => "Let the customer scan it from their own screen.", "请让顾客扫顾客屏上的收款码。";

    // A bill that was printed.
    bill_sent(which: &str) => "The bill for {which} was sent to the printer.", "{which}的付款单已发送到打印机。";
    bill_printed(which: &str) => "The bill for {which} was printed.", "{which}的付款单已打印。";
    bill_waits(which: &str) =>
        "The bill for {which} is waiting for the printer.", "打印机未就绪，{which}的付款单排队中。";
    bill_failed(which: &str, why: &str) =>
        "The bill for {which} was not printed: {why}.", "{which}的付款单未打印：{why}。";
    bill_too_late(which: &str) =>
        "The code for {which} is no longer valid: no bill was printed.", "{which}的收款码已失效，付款单未打印。";
}
