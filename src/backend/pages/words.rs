//! What the owner's page says.

use paytill_core::language::Language;
use paytill_core::payment::Status;

paytill_core::catalogue! {
    /// The texts of the owner's page.
    pub(super) struct PageWords;

    title => "Payments", "收款管理";
    simulated => "Simulated gateway: no money moves.", "模拟网关：不会真实扣款。";
    other_language => "中文", "English";
    log_out => "Log out", "退出";

    // Logging in.
    log_in => "Log in", "登录";
    name => "Name", "用户名";
    password => "Password", "密码";
    wrong_login => "Wrong name or password.", "用户名或密码错误。";
    too_many(minutes: i64) =>
        "Too many attempts. Try again in {minutes} min.", "尝试次数过多，请 {minutes} 分钟后再试。";
    busy => "Too many people are logging in. Try again.", "登录的人太多，请重试。";
    page_is_old =>
        "This page was open too long. Go back, reload it, and try again.",
        "页面已过期，请返回、刷新后重试。";
    not_found => "There is no such page.", "没有这个页面。";
    no_database =>
        "The database does not answer. Payments are not lost. Try again in a minute.",
        "数据库暂时没有响应，款项不会丢失，请稍后再试。";
    back => "Back", "返回";

    // Where things are.
    today => "Today", "今日";
    payments => "Payments", "收款";
    refunds => "Refunds", "退款";
    tills => "Tills", "收银台";
    messages => "Messages", "通知";
    bills => "Bills", "对账";
    exceptions => "Exceptions", "异常";
    audit => "Activity", "操作记录";

    // Today.
    needs_attention => "Needs attention", "需人工处理";
    all_is_well => "Nothing needs your attention.", "没有需要处理的事项。";
    in_progress => "In progress", "进行中";
    paid_unseen => "Paid, but the till does not know", "已收款，但收银台尚未得知";
    paid_unseen_hint =>
        "The money is here. Tell the shop before it charges the customer again.",
        "款项已到账。请告知门店，以免重复收款。";
    messages_failed(count: usize) =>
        "Messages to your system that failed: {count}", "未能送达贵方系统的通知：{count} 条";
    and_more => "There are more; these are the latest.", "还有更多，此处仅列出最近的。";
    at_store(store: &str) => "Store {store}", "门店 {store}";
    till => "Till", "收银台";
    store => "Store", "门店";
    count => "Payments", "笔数";
    sum => "Received", "收款";
    refunded => "Refunded", "退款";
    not_paid => "Not paid", "未成功";
    total => "Total", "合计";
    nothing_today => "No payments yet today.", "今天还没有收款。";

    // Payments.
    search => "Search", "查询";
    search_hint =>
        "Order number, refund number or WeChat Pay's number", "订单号、退款单号或微信支付订单号";
    day => "Day", "日期";
    any_till => "All tills", "全部收银台";
    show => "Show", "显示";
    number_not_found(number: &str) =>
        "No payment has the number {number}.", "没有号码为 {number} 的收款。";
    nothing_found => "No payments on this day.", "这一天没有收款。";
    earlier => "Earlier", "更早";
    order_number => "Order number", "订单号";
    order(tail: &str) => "order {tail}", "订单尾号 {tail}";
    transaction_id => "WeChat Pay's number", "微信支付订单号";
    how => "Paid by", "方式";
    by_payment_code => "customer's payment code", "付款码";
    by_our_code => "customer scans our code", "扫码支付";
    what_for => "For", "商品";
    begun => "Started", "开始";
    paid_at => "Paid", "付款时间";
    coupon => "Of this, coupons", "其中优惠券";
    story => "What happened", "经过";
    entries => "All entries of the books", "全部记录";
    details => "Details", "详情";
    confirmed(at: &str) => "WeChat Pay last confirmed this at {at}.", "微信支付最近确认：{at}。";

    // The statuses of a payment.
    ready => "Not sent yet", "待支付";
    sending => "Sending", "提交中";
    waiting => "Waiting for customer", "等待顾客支付";
    checking => "Checking", "查询中";
    reversing => "Reversing", "撤销中";
    paid => "Paid", "支付成功";
    declined => "Not paid", "支付失败";
    reversed => "Reversed", "已撤销";
    closed => "Closed", "已关闭";

    // What happened.
    told_unasked(what: &str) => "WeChat Pay reported: {what}", "微信支付通知：{what}";
    resumed => "another run of the backend went on with it", "后端重新接手处理";
    taken_over => "Another run of the backend went on with it.", "后端重新接手处理。";
    code_made => "answer to the order: a code for the customer to scan", "下单结果：供顾客扫描的二维码";
    of_refund(number: &str, what: &str) => "refund {number}: {what}", "退款 {number}：{what}";

    // Refunds.
    refunds_of(day: &str) => "Refunds of {day}", "{day} 的退款";
    no_refunds => "No refunds.", "没有退款。";
    approved_by(who: &str) => "approved by {who}", "批准人：{who}";

    // Tills.
    last_heard => "Last contact", "最近联系";
    never => "never", "从未";
    works => "In use", "使用中";
    not_enrolled => "Not enrolled yet", "尚未登记";
    locked => "Locked", "已停用";
    comparison => "Comparison value", "比对码";
    comparison_hint =>
        "The till shows the same six digits when it is enrolled.", "收银台登记时显示相同的六位数字。";
    may => "May", "权限";
    may_charge => "charge", "收款";
    may_show_codes => "show codes", "出示收款码";
    may_refund(up_to: &str, per_day: &str) =>
        "refund up to {up_to}, {per_day} a day", "单笔退款至 {up_to}，每日至 {per_day}";
    may_nothing => "nothing", "无";
    program => "Version", "版本";
    lock => "Lock", "停用";
    lock_question(till: &str) => "Lock till {till}?", "停用收银台 {till}？";
    lock_means =>
        "It can take no more payments, within seconds. What it has open still ends.",
        "数秒内即不能再收款；未完成的支付仍会处理完毕。";
    lock_undo =>
        "To use it again, enrol it again with a new code: paytill-backend till add",
        "如需恢复，请用新的登记码重新登记：paytill-backend till add";
    lock_now => "Yes, lock it", "确定停用";
    cancel => "Cancel", "取消";
    no_tills => "No tills yet. Add one: paytill-backend till add", "还没有收银台。添加：paytill-backend till add";

    // Messages to the merchant's own systems.
    messages_hint =>
        "What your own system could not be told. Nothing here changes a payment.",
        "未能告知贵方系统的事项，不影响任何款项。";
    no_messages => "All messages were delivered or are on their way.", "所有通知均已送达或正在发送。";
    tries(count: i64) => "{count} attempts", "已尝试 {count} 次";
    resend => "Send again", "重新发送";
    of_payment(status: &str) => "Payment: {status}", "支付：{status}";
    paid_late => "Paid after it was closed", "关闭后才付款";
    mismatch => "The gateway reports another amount or state", "网关所报金额或状态不符";

    // What nobody expected.
    exceptions_hint =>
        "Late payments, and reports of WeChat Pay that differ from our records, of the last 31 days.",
        "最近 31 天的迟到付款，以及与我方记录不符的微信支付通知。";
    no_exceptions => "Nothing unusual happened.", "没有异常。";
    booked => "It is booked as paid.", "已入账。";
    being_returned => "The money is being returned to the customer.", "款项正在退还顾客。";
    returned => "The money was returned to the customer.", "款项已退还顾客。";
    not_charged => "By our records nothing was charged.", "按我方记录未扣款。";
    not_known => "Where the money is, is not known yet.", "款项去向尚不明确。";
    mismatch_hint =>
        "Nothing was changed by this report. Look the order up on the merchant platform.",
        "未据此通知更改任何记录，请到商户平台核实。";
    unknown_order => "WeChat Pay reports an order that we do not have", "微信支付通知了我方没有的订单";
    unknown_order_hint =>
        "Nothing was done. If nobody in the shop knows it, refund it on the merchant platform.",
        "未做任何处理；如门店无人知晓，请在商户平台退款。";

    // The gateway's bills against the books.
    bills_hint =>
        "WeChat Pay's bill of each day against our records; days begin and end in Beijing.",
        "微信支付每日账单与我方记录核对；日期按北京时间。";
    no_bills =>
        "No bill was checked yet. Each day's is checked after 10:00 on the next.",
        "尚未核对账单。每日账单在次日 10:00 之后核对。";
    bill_differs(count: i64) => "Differences: {count}.", "{count} 处不一致。";
    bill_agrees(count: i64) => "Orders that agree: {count}.", "{count} 笔一致。";
    compared(at: &str) => "Checked at {at}.", "核对时间：{at}。";
    what_differs => "What differs", "不一致";
    here => "Our records", "我方记录";
    in_bill => "Bill", "账单";
    nothing => "nothing", "无";
    bills_differ(count: i64) =>
        "Differences between WeChat Pay's bills and our records: {count}",
        "微信支付账单与我方记录不一致：{count} 处";

    // What people did.
    nothing_done => "Nobody has done anything yet.", "还没有操作记录。";
    audit_hint =>
        "Nobody can change these entries without a trace: paytill-backend audit checks all of them.",
        "这些记录无法被悄悄改动：paytill-backend audit 可核对全部记录。";
    at_a_till(till: &str) => "till {till}", "收银台 {till}";
    by_command(who: &str) => "command line, {who}", "命令行 {who}";
    till_added => "Till added, or its rights changed", "添加收银台或更改权限";
    till_enrolled => "Till enrolled", "收银台登记";
    till_revoked => "Till locked", "停用收银台";
    admin_added => "Owner's login added", "添加店主账号";
    admin_removed => "Owner's login removed", "删除店主账号";
    logged_in => "Logged in", "登录";
    login_failed => "Failed login", "登录失败";
    message_resent => "Message sent again", "重新发送通知";
    recovered => "Open payments recovered", "处理未完成的支付";
    refund_begun => "Refund requested", "申请退款";

    // Times.
    seconds_ago(n: i64) => "{n} s ago", "{n} 秒前";
    minutes_ago(n: i64) => "{n} min ago", "{n} 分钟前";
    hours_ago(n: i64) => "{n} h ago", "{n} 小时前";
    days_ago(n: i64) => "{n} d ago", "{n} 天前";
}

impl PageWords {
    /// The tag of the language, for the browser.
    pub(super) const fn tag(self) -> &'static str {
        self.language().pick("en", "zh-CN")
    }

    /// The tag of the other language.
    pub(super) const fn other_tag(self) -> &'static str {
        self.language().pick("zh-CN", "en")
    }

    /// The language.
    pub(super) const fn language(self) -> Language {
        self.0
    }

    /// A status in a word or two.
    pub(super) const fn status(self, status: Status) -> &'static str {
        match status {
            Status::Created => self.ready(),
            Status::Sent => self.sending(),
            Status::Waiting => self.waiting(),
            Status::Checking => self.checking(),
            Status::Reversing => self.reversing(),
            Status::Paid => self.paid(),
            Status::Declined => self.declined(),
            Status::Reversed => self.reversed(),
            Status::Closed => self.closed(),
            Status::Attention => self.needs_attention(),
        }
    }

    /// How long ago, in whole units.
    pub(super) fn ago(self, millis: i64) -> String {
        let seconds = (millis / 1000).max(0);
        match seconds {
            0..100 => self.seconds_ago(seconds),
            100..6_000 => self.minutes_ago(seconds / 60),
            6_000..172_800 => self.hours_ago(seconds / 3600),
            172_800.. | ..0 => self.days_ago(seconds / 86_400),
        }
    }
}
