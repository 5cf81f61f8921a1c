//! The texts of the cashier's screen.

mod cash;
mod code;
mod command;
mod find;
mod goods;
mod help;
mod lock;
mod note;

use super::status;
use crate::payment::{State, Status};

pub use cash::{BillPageWords, CashWords, ShiftPageWords};
pub use code::CodeWords;
pub use command::CommandWords;
pub use find::{FindPageWords, RefundWords};
pub use goods::GoodsPageWords;
pub use help::HelpWords;
pub use lock::LockWords;
pub use note::NoteWords;

crate::catalogue! {
    /// The texts of the screen itself. Sentences end with a full stop; labels do not.
    pub struct ScreenWords;

    /// Between two sentences.
    gap => " ", "";
    till => "till", "收银机";
    training_banner => "TRAINING – no money moves", "练习模式 · 不会真实扣款";

    // The amount.
    amount_due => "Amount due", "应收金额";
    enter_amount => "Enter the amount.", "请输入金额。";
    keep_typing => "Keep typing.", "请继续输入。";
    correct_it => "Press Backspace to correct it.", "请按退格键修改。";
    then_press_enter => "Press Enter to charge.", "按回车键收款。";

    // The payment code.
    scan_the_code => "Scan the customer's payment code.", "请扫顾客的付款码。";
    where_the_code_is =>
        "On the customer's phone: WeChat > Me > Services > Money.",
        "顾客手机：微信“我”→“服务”→“收付款”。";
    scanner_is_missing =>
        "The scanner is not ready: check its cable and power.",
        "扫码枪未就绪：请检查连接线和电源。";
    scanner_failed(why: &str) => "The scanner cannot be used: {why}.", "扫码枪无法使用：{why}。";
    charged_again =>
        "The same sale is charged again, with a new order number.",
        "同一笔交易重新收款，使用新的订单号。";
    same_amount_is_open(tail: &str) =>
        "Order {tail} for the same amount is still open. Make sure that this is another customer.",
        "订单尾号 {tail} 金额相同，尚未完成：请确认这是另一位顾客。";
    being_saved => "Saving the payment...", "正在保存订单…";

    // A payment in progress, and the time ahead.
    was_sent => "Sent to WeChat Pay.", "已向微信支付发起收款。";
    customer_confirms => "The customer is entering the password.", "顾客正在手机上输入密码。";
    no_clear_answer =>
        "No clear answer. Checking with WeChat Pay.", "未收到明确结果，正在查询。";
    /// Follows a reason.
    checking_result => "Checking the result.", "正在查询结果。";
    being_reversed => "The payment is being reversed.", "正在撤销这笔支付。";
    next_check_in(seconds: u64) => "next check in {seconds} s", "{seconds} 秒后再次查询";
    checking_now => "checking now", "正在查询";
    stops_waiting_in(seconds: u64) => "stops waiting in {seconds} s", "{seconds} 秒后停止等待并撤销";
    stops_waiting_now => "stops waiting now", "即将停止等待并撤销";
    reverses_in(seconds: u64) => "reverses in {seconds} s", "{seconds} 秒后撤销";
    reversing_now => "reversing now", "正在撤销";
    next_try_in(seconds: u64) => "next attempt in {seconds} s", "{seconds} 秒后重试";
    keeps_trying => "the till keeps trying", "系统会继续自动处理";
    another_is_open(count: usize) => "and {count} more open", "另有 {count} 笔未完成";

    // How a payment ended, and what to do next.
    payment_received => "Payment received.", "已收款。";
    payment_received_with_coupon(coupon: &str) =>
        "Payment received, {coupon} of it by coupon.", "已收款，其中优惠 {coupon}。";
    was_reversed => "The payment was reversed.", "这笔支付已撤销。";
    money_being_returned =>
        "The customer had paid; the money is being returned.", "顾客已付款，款项将原路退回。";
    order(tail: &str) => "order {tail}", "订单尾号 {tail}";
    transaction(tail: &str) => "transaction {tail}", "交易单号尾号 {tail}";
    not_recorded =>
        "This result could not be saved: write it down, and keep the goods until the till has been \
         restarted.",
        "结果未能保存：请手工记录，收银机重新启动并确认结果之前请勿交付商品。";
    hand_over => "Hand over the goods.", "请把商品交给顾客。";
    after_paid => "Then enter the next amount.", "然后可输入下一笔金额。";
    after_declined => "Or press Enter for the next sale.", "或按回车键开始下一笔。";
    after_the_minute => "Press Enter for the next sale.", "请按回车键开始下一笔。";
    next_customer_meanwhile =>
        "Press Ctrl-N to serve the next customer in the meantime.", "可按 Ctrl-N 先接待下一位顾客。";
    notice_more(count: usize) => "{count} more after this", "后面还有 {count} 条";

    // Sales have stopped.
    stop => "STOP - NO SALES", "停止收款";
    stop_what =>
        "Payments cannot be saved, so none are taken.", "无法保存交易记录，已停止收款。";
    stop_next =>
        "Tell the manager: free up or repair the disk, then restart the till. It checks all open \
         payments.",
        "请通知店长：清理或修复磁盘后重新启动收银机，未完成的支付会自动查询。";

    // Questions.
    ask_large_amount(amount: &str) => "Charge {amount}?", "确认收款 {amount}？";
    ask_cancel => "Cancel this payment?", "停止等待并撤销这笔支付？";
    ask_cancel_detail =>
        "It will be reversed. Any money taken will be returned.", "如已扣款，将原路退回。";
    ask_next_customer =>
        "Serve the next customer? This payment is not settled yet.",
        "先接待下一位顾客？这笔支付尚未完成。";
    ask_next_customer_detail =>
        "It stays at the top. Do not charge this sale again: the payment may still go through.",
        "它会留在屏幕上方。请勿重复收款：这笔支付仍可能成功。";
    ask_print_anyway => "Print anyway?", "仍要打印吗？";
    ask_print_anyway_detail(why: &str) =>
        "The printer reports: {why}. If that is so, the receipt may be lost.",
        "打印机报告：{why}。如果属实，小票可能打不出来。";
    ask_quit => "A payment is still open. Quit anyway?", "还有未完成的支付，确定退出吗？";
    ask_quit_detail =>
        "It continues at the next start. Keep the goods until then.",
        "下次启动后会继续处理，处理完成前请勿交付商品。";
    enter_or_esc(yes: &str, no: &str) => "Enter: {yes}      Esc: {no}", "回车：{yes}      Esc：{no}";
    ctrl_q_or_esc(yes: &str, no: &str) => "Ctrl-Q: {yes}      Esc: {no}", "Ctrl-Q：{yes}      Esc：{no}";
    enter_does(what: &str) => "Enter: {what}", "回车：{what}";

    today => "Today", "今日";
    /// Without a certain end.
    open_now => "OPEN", "未完成";
    last_sales => "Last sales", "最近交易";
    no_sales_yet => "None yet.", "暂无交易。";

    training_title => "Training customers", "模拟顾客";
    training_what =>
        "Choose who shows a payment code, or scans ours. No money moves.",
        "请选择由谁出示付款码，或由谁扫收款码。不会真实扣款。";

    // The gateway and the devices.
    gateway => "WeChat Pay", "微信支付";
    scanner => "Scanner", "扫码枪";
    printer => "Printer", "打印机";
    display => "Display", "客显";
    link_off => "off", "未启用";
    link_keyboard => "keyboard", "键盘";
    link_searching => "searching", "连接中";
    link_ready => "ready", "就绪";
    link_failed => "fault", "故障";

    // What the keys do.
    arrows => "Up/Down", "上/下";
    key_help => "Help", "帮助";
    key_check_now => "Check now", "立即查询";
    key_tray => "Open payments", "未完成支付";
    key_drawer => "Drawer", "钱箱";
    key_reprint => "Reprint", "补打小票";
    key_print => "Print", "打印";
    key_training => "Customers", "模拟顾客";
    key_language => "中文", "English";
    key_lock => "Lock", "锁定";
    key_quit => "Quit", "退出";
    key_close => "Close", "关闭";
    key_back => "Back", "返回";
    key_choose => "Choose", "选择";
    key_show_code => "Show code", "出示付款码";
    key_do => "Select", "执行";
    commands_title => "Commands", "命令";
    commands_find => "Type what you want to do.", "输入要做的事，例如“打印”。";
    commands_none => "No matching command.", "没有符合的命令。";
    not_now => "(not now)", "（现在不可用）";
    key_ask_for_code => "Charge", "收款";
    key_charge => "Charge", "确认收款";
    key_cancel => "Cancel", "取消";
    key_cancel_payment => "Cancel payment", "撤销";
    key_keep_waiting => "Keep waiting", "继续等待";
    key_stop_waiting => "Stop waiting", "停止等待";
    key_ok => "OK", "知道了";
    key_clear => "Clear", "清除";
    key_next_customer => "Next customer", "下一位顾客";
    key_next_sale => "Next sale", "下一笔";

    too_small(width: u16, height: u16, is_width: u16, is_height: u16) =>
        "Window too small: {width}x{height} needed, {is_width}x{is_height} now.",
        "窗口太小：需要 {width}x{height}，现在 {is_width}x{is_height}。";
}

impl ScreenWords {
    /// The word for where a payment is: what its customer does is not the same in each channel.
    pub fn word_of(self, state: &State) -> &'static str {
        status::of(state, self.0)
    }

    /// The word of a status.
    pub const fn word(self, status: Status) -> &'static str {
        status::word(status, self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;
    use crate::language::Language;
    use crate::order::CodeUrl;
    use crate::payment::{Answer, Event, Ordered, Rules};

    #[test]
    fn the_state_words_are_those_of_the_interface() {
        let [english, chinese] = [Language::English, Language::Chinese].map(ScreenWords::of);
        assert_eq!(english.word(Status::Created), "READY");
        assert_eq!(english.word(Status::Waiting), "WAITING FOR CUSTOMER");
        assert_eq!(english.word(Status::Declined), "NOT PAID");
        assert_eq!(chinese.word(Status::Waiting), "等待顾客输入密码");
        assert_eq!(chinese.word(Status::Attention), "需人工处理");
        let mut order = State::begin_qr(Millis::seconds(7200), 0);
        let call = order.awaited().unwrap();
        let code = CodeUrl::try_from("weixin://wxpay/s/An4baqw".to_owned()).unwrap();
        let shown = Event::Answered(call.number, Answer::Ordered(Ordered::Code(code)));
        let _ = order.step(&shown, Millis(200), &Rules::default());
        assert_eq!(chinese.word_of(&order), "等待顾客扫码");
    }
}
