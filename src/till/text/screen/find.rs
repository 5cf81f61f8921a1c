//! The page that finds an order and asks the gateway about it.

use crate::text::find::Verdict;

crate::catalogue! {
    /// The texts of the page.
    pub struct FindPageWords;

    title => "Find an order", "查找订单";
    prompt =>
        "Scan our receipt, or the number on the customer's payment page.",
        "请扫本店小票，或顾客账单页上的单号。";
    prompt_typed =>
        "Or type the last digits, an amount, a time or a state, and press Enter.",
        "也可输入单号末几位、金额、时间或状态，再按回车键。";
    another => "Scan or type another number.", "可继续扫码或输入其他单号。";
    latest => "Latest orders", "最近订单";
    found(count: usize) => "{count} orders", "{count} 笔订单";
    reading => "Searching...", "正在查找…";
    none => "No matching order.", "没有符合条件的订单。";
    none_yet => "There are no orders yet.", "还没有订单。";
    cannot_read(why: &str) => "The journal cannot be read: {why}.", "无法读取交易记录：{why}。";

    story => "What happened", "处理经过";
    entries => "All entries", "全部记录";
    more_above => "more above", "上面还有";
    more_below => "more below", "下面还有";
    created(time: &str) => "created {time}", "下单时间 {time}";

    by_journal => "by this till's journal", "本机交易记录";
    ask => "Press F5 to ask WeChat Pay now.", "按 F5 立即向微信支付查询。";
    ask_again => "Press F5 to ask again.", "按 F5 再次查询。";
    asking => "ASKING", "正在查询";
    asking_what => "Asking WeChat Pay about this number.", "正在向微信支付查询这个单号。";
    asked_at(time: &str) => "asked at {time}", "查询时间 {time}";
    partly_refunded => "PARTLY REFUNDED", "部分退款";
    went_back(amount: &str, left: &str) =>
        "Refund: {amount}. Left of the payment: {left}.", "退款 {amount}，剩余 {left}。";
    all_went_back(amount: &str) => "Refund: {amount}, the whole payment.", "全额退款 {amount}。";
    not_here => "NOT IN THE JOURNAL", "本机无此订单";
    not_here_what =>
        "This number is not in this till's journal.", "本机交易记录中没有这个单号。";

    // What a verdict means for the goods on the counter.
    paid =>
        "This order is paid: check that its amount and time match the goods.",
        "这笔订单已收款：请核对金额和下单时间，相符即可交付。";
    unpaid =>
        "Nothing was charged, and nothing will be. Keep the goods.",
        "没有扣款，也不会再扣款。请勿交付商品。";
    reversed =>
        "The payment was reversed; any money taken will be returned. Keep the goods.",
        "这笔支付已撤销，如已扣款将原路退回。请勿交付商品。";
    refunded =>
        "This order was paid, and then refunded in part or in full. Do not hand over goods for it.",
        "这笔订单付过款，但已有退款。请勿凭此交付商品。";
    unknown =>
        "The result is not certain: keep the goods, and ask again.", "结果不明确：请勿交付商品，稍后再查。";
    foreign =>
        "This was not paid at this till. Do not hand over goods for it.",
        "这笔款项不是本机收取的。请勿凭此交付商品。";
    call_the_manager =>
        "Keep the goods, and call the manager.", "请勿交付商品，并通知店长。";

    // What the keys do.
    key_find => "Find order", "查找订单";
    key_search => "Find", "查找";
    key_open => "Open", "打开";
    key_ask => "Ask WeChat Pay", "立即查询";
    key_entries => "All entries", "全部记录";
    key_story => "What happened", "处理经过";
}

crate::catalogue! {
    /// Giving money of an order back.
    pub struct RefundWords;

    title => "Refund", "退款";
    which_order => "Refund: which order?", "退款：请选择订单";
    left(amount: &str) => "{amount} can be refunded", "可退 {amount}";
    how_much => "How much goes back?", "退多少？";
    why => "Why? Choose with the arrow keys.", "退款原因？用方向键选择。";
    own_words => "Or type the reason.", "也可直接输入原因。";
    ask(amount: &str, order: &str) =>
        "Give {amount} of {order} back to the customer?", "确定把{order} 的 {amount} 退给顾客？";
    ask_cash(amount: &str, order: &str) =>
        "Give {amount} of {order} back in cash?", "确定以现金退还{order} 的 {amount}？";
    f8_or_esc(yes: &str, no: &str) => "F8 {yes}   Esc {no}", "F8 {yes}   Esc {no}";
    attention => "REFUND NEEDS YOU", "退款需人工处理";
    press_f7 => "F7 shows the order", "按 F7 查看订单";
    key_refund => "Refund", "退款";
    key_next => "Next", "下一步";

    changed_mind => "Customer changed their mind", "顾客不想要了";
    wrong_amount => "Wrong amount charged", "收款金额有误";
    returned => "Goods returned", "顾客退货";
    sold_out => "Out of stock", "商品缺货";
    charged_twice => "Charged twice", "重复收款";
}

impl RefundWords {
    /// The usual reasons.
    pub const fn reasons(self) -> [&'static str; 5] {
        [
            self.changed_mind(),
            self.wrong_amount(),
            self.returned(),
            self.sold_out(),
            self.charged_twice(),
        ]
    }
}

impl FindPageWords {
    /// What a verdict means for the goods.
    pub const fn meaning(self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Paid => self.paid(),
            Verdict::Unpaid => self.unpaid(),
            Verdict::Reversed => self.reversed(),
            Verdict::Refunded => self.refunded(),
            Verdict::Unknown => self.unknown(),
            Verdict::Foreign => self.foreign(),
        }
    }
}
