//! The help page: what to do now, and the keys.

crate::catalogue! {
    /// The page that F1 opens.
    pub struct HelpWords;

    title => "Help", "帮助";
    amount => [
        "Enter the amount, such as 12.5 or 12.50, and press Enter.",
        "输入金额，例如 12.5 或 12.50，然后按回车键。"
    ], [
        "Then scan the customer's payment code; F4 shows ours for them to scan.",
        "然后扫顾客的付款码；也可按 F4 键出示收款码，让顾客来扫。"
    ], [
        "A scanned code is never taken for an amount: the screen says what it was, and nothing is sent.",
        "扫到的码不会被当作金额：屏幕会提示扫到了什么，不会扣款。"
    ];
    code => [
        "Scan the payment code on the customer's phone. It has 18 digits and is valid for a minute.",
        "请扫顾客手机上的付款码：18 位数字，一分钟内有效。"
    ], [
        "Nothing has been sent yet: press Esc to cancel.",
        "还没有发起收款：按 Esc 键可取消。"
    ];
    our_code => [
        "The customer scans this code. It is paid once the screen says PAID.",
        "请顾客扫这个收款码，屏幕显示“支付成功”才算收到款。"
    ], [
        "Ctrl-N puts it aside, still valid; Tab brings it back; F9 prints it.",
        "按 Ctrl-N 先接待下一位，收款码继续有效，按 Tab 键可调回；F9 打印付款单。"
    ], [
        "Esc and Enter close the order; a payment that still comes in counts.",
        "按 Esc 键并确认即关闭订单；如果顾客抢先付了款，按已收款处理。"
    ];
    waiting => [
        "The payment was sent; the result is checked automatically.",
        "已发起收款，系统会自动查询结果。"
    ], [
        "Keep the goods until the screen says PAID.",
        "屏幕显示“支付成功”之前，请勿交付商品。"
    ], [
        "To stop waiting, press Esc and confirm: the payment is then reversed.",
        "按 Esc 键停止等待：确认后撤销这笔支付。"
    ], [
        "The next customer need not wait: Ctrl-N keeps this payment at the top, and Tab brings it back.",
        "不必让下一位顾客等候：按 Ctrl-N 后这笔支付留在上方继续处理，按 Tab 键可调回。"
    ];
    unsettled => [
        "This payment is being reversed, or its result is not known yet. The till keeps trying.",
        "这笔支付正在撤销，或结果还不明确，系统会继续自动处理。"
    ], [
        "Keep the goods until the screen says PAID.",
        "屏幕显示“支付成功”之前，请勿交付商品。"
    ], [
        "The next customer need not wait: Ctrl-N keeps this payment at the top, and Tab brings it back.",
        "不必让下一位顾客等候：按 Ctrl-N 后这笔支付留在上方继续处理，按 Tab 键可调回。"
    ];
    result => [
        "PAID: hand over the goods.",
        "支付成功：请把商品交给顾客。"
    ], [
        "NOT PAID, REVERSED, CLOSED: scan a new code within a minute to charge the same sale again.",
        "支付失败、已撤销、已关闭：一分钟内扫新的付款码，可重新收这一笔。"
    ], [
        "For the next sale, press Enter. After PAID you can enter the amount at once.",
        "按回车键开始下一笔；支付成功后也可直接输入金额。"
    ];

    find => [
        "Scan our receipt, or the number on the customer's payment page: WeChat Pay is asked at once.",
        "扫本店小票，或顾客账单页上的单号：会立即向微信支付查询。"
    ], [
        "Or type the last digits, an amount (12.34), a time (14:05) or a state, and press Enter.",
        "也可输入单号末几位、金额（12.34）、时间（14:05）或状态，再按回车键。"
    ], [
        "F5 asks WeChat Pay again. Nothing is charged here, but an order that is being reversed may be \
         reversed sooner. Esc goes back to the sale.",
        "按 F5 可再次查询。这里不会收款；正在撤销的订单可能因此提前撤销。按 Esc 键返回收款。"
    ];

    lock => [
        "Type your PIN and press Enter. It says who you are: no name is asked for.",
        "输入自己的密码，再按回车键。凭密码即可识别操作员，无需输入姓名。"
    ], [
        "Open payments go on: they are above, they ring when they end, and their slips are printed.",
        "未完成的支付会继续处理：显示在上方，完成时会响铃并打印小票。"
    ], [
        "Scans, sales and reprints wait until somebody has signed in.",
        "登录之后才能扫码、收款和补打小票。"
    ];

    cash => [
        "Type what the customer gives and press Enter; Enter alone takes the exact amount.",
        "输入实收金额后按回车键；直接按回车键表示刚好。"
    ], [
        "The drawer opens once it is recorded. If it is less than due, the rest is paid by code or in cash.",
        "记录后钱箱打开。如少于应收，余款可扫付款码或再收现金。"
    ], [
        "Without a sale, F6 opens the drawer, or records cash that goes in or out, with its reason.",
        "没有交易时，按 F6 键可打开钱箱，或记录存入、取出的现金及原因。"
    ];
    shift => [
        "This is the shift so far (X). Tab chooses what to do, Enter does it, the arrows turn the report.",
        "这是当班至今的 X 报表。按 Tab 键选择操作，回车执行，上下键翻看报表。"
    ], [
        "To close: count the drawer and type the sum. What it should be is shown afterwards, with the Z report.",
        "交班：清点钱箱并输入总额，之后显示应有金额和 Z 报表。"
    ], [
        "A payment without a result stands in the way; a manager can carry it over.",
        "有未完成的支付时不能交班，可由店长同意结转。"
    ];

    bill => [
        "What WeChat Pay's bill of a day and this till's journal differ in, and what to do about each.",
        "列出当天微信支付账单与本机交易记录的不一致之处，以及如何处理。"
    ], [
        "The bill of a day is there from 10:00 on the next, Beijing time. Tab shows the day before.",
        "账单在次日 10:00（北京时间）之后可以下载。按 Tab 键看前一天。"
    ], [
        "Nothing is changed here. The arrows scroll, Esc goes back, and F7 finds an order.",
        "这里只核对，不改动任何记录。上下键翻看，Esc 键返回，按 F7 可查找订单。"
    ];

    key_enter => "the step on the screen", "屏幕提示的下一步";
    key_esc => "cancel, or stop waiting", "取消，或停止等待";
    key_next_customer => "the next customer", "接待下一位顾客";
    key_come_back => "the next open payment", "调回未完成的支付";
    key_help => "this help", "本帮助";
    goods => [
        "Scan the products; each adds a line. An amount with Enter adds a line without a name.",
        "逐件扫商品条码，每件加一行；输入金额再按回车键，可加一行无名商品。"
    ], [
        "3* and a scan is three of it; 3* and Enter changes the marked line, and 0* removes it.",
        "先输入 3* 再扫码为 3 件；输入 3* 再按回车键修改所选行，输入 0* 删除该行。"
    ], [
        "10% or -2.50 with Enter is a discount on the marked line; below the last line, on the whole sale.",
        "输入 10%（减 10%）或 -2.50（减 2.50）再按回车键，为所选行打折；选到最后一行之下则为整单打折。"
    ];
    key_goods => "search the goods", "查找商品";
    key_hold => "hold or recall a sale", "挂单、取单";
    key_code => "show our code to scan", "出示收款码，顾客来扫";
    key_check_now => "check the payment now", "立即查询未完成的支付";
    key_find => "find an order, ask now", "查找订单、核实付款";
    key_refund => "give money back", "退款";
    key_drawer => "cash, the drawer", "现金、钱箱";
    key_shift => "shift, X and Z reports", "班次、X / Z 报表";
    key_reprint => "reprint the last receipt", "补打最近的小票";
    key_language => "Chinese / English", "中文 / English";
    key_training => "training customers", "模拟顾客";
    key_commands => "all commands, to search", "全部命令，可搜索";
    key_lock => "lock (or Ctrl-K)", "锁定（或 Ctrl-K）";
    key_quit => "quit", "退出";
    key_function => "F1 to F10", "代替 F1 至 F10";
    key_function_or_lock => "F1 to F10; = is F12", "代替 F1 至 F10，= 为 F12";
    key_control => "Ctrl and the letter", "代替 Ctrl 加字母";
}
