//! The pages of cash, shifts and bills.

crate::catalogue! {
    /// The texts of the page of cash, and of what is paid in cash.
    pub struct CashWords;

    title => "CASH", "现金收款";
    due(amount: &str) => "Due: {amount}", "应收：{amount}";
    /// Cash was taken of this sale before.
    part_taken(taken: &str, due: &str) =>
        "{taken} of {due} was taken in cash.", "这笔 {due} 中已收现金 {taken}。";
    change(amount: &str) => "Change: {amount}", "找零：{amount}";
    left(amount: &str) => "Left to pay: {amount}", "余款：{amount}";
    type_given =>
        "Type what the customer gives, or press Enter for the exact amount.",
        "请输入实收金额；刚好的话直接按回车键。";
    then_take => "Press Enter to take it.", "按回车键确认收到。";
    key_exact => "Exact amount", "刚好";
    key_take => "Take", "收下";
    /// After it was taken.
    given_for(given: &str, due: &str) => "{given} given for {due}.", "应收 {due}，实收 {given}。";
    change_of(change: &str, given: &str, due: &str) =>
        "Change {change}: {given} given for {due}.", "找零 {change}（应收 {due}，实收 {given}）。";
    cash_received => "Cash received.", "已收现金。";
    give_change(amount: &str) =>
        "Give {amount} change, then hand over the goods.", "请找零 {amount}，然后交付商品。";
    rest_by_code(left: &str) =>
        "Scan a payment code for the rest, {left}. F6: in cash. Esc: give the cash back.",
        "余款 {left}：请扫付款码；按 F6 键收现金，按 Esc 键退还现金。";
    ask_much(given: &str, due: &str) =>
        "Did the customer really give {given} for {due}?", "应收 {due}，确认实收 {given}？";
    ask_return(amount: &str) =>
        "Give {amount} cash back and end this sale?", "退还现金 {amount}，取消这笔交易？";
    ask_return_detail =>
        "The rest is not paid. The drawer opens once this is recorded.", "余款未付。记录后钱箱会打开。";
    key_return => "Give back", "退还";
    returned => "Recorded: give the cash back.", "已记录，请把现金退还顾客。";
    noted => "Recorded.", "已记录。";
    waits_again(left: &str, due: &str) =>
        "A sale is paid in part: {left} of {due} is left.", "有一笔交易只付了一部分：{due} 中还有 {left} 未付。";
    reason_first => "Type a reason first.", "请先输入原因。";

    drawer => "Cash drawer", "钱箱";
    no_sale => "Open the drawer without a sale", "非收款打开钱箱";
    cash_in => "Cash in", "存入现金";
    cash_out => "Cash out", "取出现金";
    go_on(left: &str, due: &str) =>
        "Go on with the sale of {due}: {left} is left", "继续 {due} 的交易：余款 {left}";
    type_amount => "Type the amount.", "请输入金额。";
    type_reason => "Type the reason, then press Enter.", "请输入原因，再按回车键。";
    reason(reason: &str) => "Reason: {reason}", "原因：{reason}";
    key_reason => "Next", "下一步";
    key_record => "Record", "记录";
    key_cash => "Cash", "现金";
}

crate::catalogue! {
    /// The page of shifts.
    pub struct ShiftPageWords;

    title => "Shift", "班次";
    reading => "Reading the journal...", "正在读取交易记录…";
    working => "Saving...", "正在保存…";
    cannot_read(why: &str) => "The journal cannot be read: {why}.", "无法读取交易记录：{why}。";
    open => "Open the shift", "开班";
    close => "Close the shift: count the drawer", "交班：清点现金";
    print => "Print this report", "打印本报表";
    opening => "OPEN SHIFT", "开班";
    closing => "CLOSE SHIFT", "交班";
    type_float =>
        "Type what is in the drawer, or press Enter for nothing.", "请输入钱箱内备用金，没有则直接按回车键。";
    type_count =>
        "Count the drawer and type the sum. What it should be is shown afterwards.",
        "请清点钱箱并输入现金总额，输入后才显示应有金额。";
    ask_close(counted: &str) =>
        "Close the shift with {counted} counted?", "实点现金 {counted}，确认交班？";
    ask_close_detail => "A Z report cannot be changed afterwards.", "Z 报表生成后不能更改。";
    unresolved =>
        "These payments are not settled, and stand in the way of the close:", "以下支付尚未完成，暂不能交班：";
    carry =>
        "Wait until they are settled, or press Enter: a manager carries them over to the next shift.",
        "请等待处理完成；或按回车键，由店长同意结转到下一班。";
    is_open(since: &str) => "A shift has been open since {since}.", "当前班次已于 {since} 开班。";
    shift_first => "Open the shift first: press F10.", "请先按 F10 键开班。";
    forgotten(day: &str) => "The shift of {day} is not closed yet: press F10.", "{day} 的班次还没有交班，请按 F10 键。";
    more => "more: Up/Down", "上/下键翻看";
    key_open => "Open", "开班";
    key_close => "Close shift", "交班";
    key_carry => "Carry over", "结转";
    key_shift => "Shift", "班次";
    printed => "The report was sent to the printer.", "报表已发送到打印机。";
    not_printed(why: &str) => "The report was not printed: {why}.", "报表未打印：{why}。";
    unprinted(title: &str) => "{title}: not printed", "{title}：未打印";
    press_f10 => "Press F10.", "请按 F10 键。";
    print_again(title: &str) => "Print again: {title}", "重新打印：{title}";
    give_up(title: &str) => "Do without: {title}", "不再打印：{title}";
}

crate::catalogue! {
    /// The page of a day's bill.
    pub struct BillPageWords;

    compare(day: &str) => "Compare with the bill of {day}", "核对 {day} 的微信支付账单";
    title(day: &str) => "WeChat Pay's bill of {day}", "{day} 微信支付账单";
    asking =>
        "Downloading the bill and comparing it with the journal...", "正在下载账单，与交易记录核对…";
    nothing_compared(why: &str) => "Nothing was compared: {why}.", "未能核对：{why}。";
    order(number: &str) => "Order {number}", "订单 {number}";
    counted(count: u64, amount: &str) => "{count} x  {amount}", "{count} 笔  {amount}";
    hidden(count: usize, day: &str) =>
        "{count} more differences: paytill reconcile {day} lists them all.",
        "另有 {count} 处不一致，可运行 paytill reconcile {day} 查看全部。";
    key_again => "Try again", "重试";
    key_day_before => "The day before", "前一天";
}
