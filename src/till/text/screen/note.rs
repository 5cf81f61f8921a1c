//! The notes: why a key or a scan did nothing, and how a print job went.

crate::catalogue! {
    /// Shown below the task, in whole sentences.
    pub struct NoteWords;

    // Invalid amounts.
    amount_first =>
        "Enter the amount first, then press Enter.", "请先输入金额，再按回车键。";
    amount_such_as => "Enter an amount such as 12.50.", "请输入金额，例如 12.50。";
    /// `stray` is a character by its name.
    amount_stray(stray: &str) =>
        "An amount cannot contain {stray}. Enter an amount such as 12.50.",
        "金额里不能有{stray}。请输入金额，例如 12.50。";
    amount_two_points => "An amount has only one decimal point.", "金额只能有一个小数点。";
    amount_no_decimals => "This currency has no decimals.", "该币种不能输入小数。";
    amount_decimals(most: u8) => "At most {most} decimal places.", "最多输入 {most} 位小数。";
    amount_zero => "The amount must be more than zero.", "金额必须大于零。";
    amount_too_large(most: &str) => "The limit for one sale is {most}.", "单笔金额不能超过 {most}。";

    // What was scanned.
    nothing_was_sent => "Nothing was sent.", "未扣款。";
    payment_code => "That was a WeChat payment code.", "这是微信付款码。";
    code_used => "This payment code was already used.", "这个付款码已经用过。";
    alipay => "That was an Alipay code, which is not accepted here.", "这是支付宝付款码，本机不支持。";
    unionpay => "That was a UnionPay code, which is not accepted here.", "这是银联付款码，本机不支持。";
    bank_code => "That was a bank's QR code, which is not accepted here.", "这是银行二维码，本机不支持。";
    other_wallet =>
        "That was another wallet's code, which is not accepted here.", "这是其他钱包的付款码，本机不支持。";
    receive_code =>
        "That code is for receiving money or adding a friend, not for paying.",
        "这是收款码或名片码，不是付款码。";
    product(barcode: &str) => "That was a product barcode ({barcode}).", "这是商品条码（{barcode}）。";
    own_receipt(tail: &str) => "That was our own receipt, order {tail}.", "这是本店小票，订单尾号 {tail}。";
    transaction(number: &str) => "That was a transaction number ({number}).", "这是交易单号（{number}）。";
    noise => "The scan could not be read.", "扫码内容无法识别。";
    scan_marked =>
        "The scanner adds letters to the code: turn off its code ID prefix (AIM ID).",
        "扫码枪在码的前后加了字符：请关闭扫码枪的条码标识（Code ID / AIM）。";
    scan_control =>
        "The scanner adds control characters to the code: turn off its GS1 separators and headers.",
        "扫码枪在码中加了控制字符：请关闭扫码枪的 GS 分隔符和前缀。";
    scan_layout =>
        "The scanner types on another keyboard: set its keyboard layout to USA, and turn Caps Lock off.",
        "扫码枪的键盘布局不对：请把扫码枪的键盘布局设为美国（USA），并关闭大写锁定。";
    scan_joined =>
        "Two scans came as one: set the scanner's suffix to Enter (CR).",
        "两次扫码连在了一起：请把扫码枪后缀设为回车（CR）。";
    scan_cut(digits: usize) =>
        "Only {digits} of the 18 digits were read: scan again, with the whole code in view.",
        "只读到 18 位中的 {digits} 位：请对准整个码再扫一次。";
    unended_burst =>
        "That looked like a scan that did not end with Enter. Nothing was sent. Set the scanner's \
         suffix to Enter (CR).",
        "疑似扫码，但没有以回车结尾。未扣款。请把扫码枪后缀设为回车（CR）。";

    too_fast =>
        "Those keys came too fast to have been typed, and were ignored. Type again, key by key.",
        "按键过快，未录入，请逐键重新输入。";
    taken_back =>
        "The amount was restored: it does not contain the scan.", "扫码内容未计入金额，金额已恢复。";
    scan_again =>
        "Other keys came just before that scan. Nothing was sent. Scan the customer's code again.",
        "扫码前刚有其他按键。未扣款。请重新扫顾客的付款码。";
    scan_number_again =>
        "Other keys came just before that scan. Scan the number again.",
        "扫码前刚有其他按键，请重新扫单号。";
    no_number =>
        "That is not an order number, and was neither searched for nor sent. Scan our receipt, or \
         the number on the customer's payment page.",
        "这不是单号，未查找，也未发送。请扫本店小票，或顾客账单页上的单号。";
    not_sought =>
        "Orders cannot be found by that. Type the last four digits or more, an amount such as 12.34, \
         or a time such as 14:05.",
        "无法按此查找。请输入单号的末四位或更多位、金额（例如 12.34）或时间（例如 14:05）。";
    typed_ahead =>
        "Nothing can be typed now: what you typed was not kept. Enter the whole amount later.",
        "现在不能输入，刚才输入的内容未保留，请稍后重新输入完整金额。";
    answer_again => "That was too quick. Wait a second, then press once.", "按得太快，请稍候一秒再按一次。";

    // Why a payment was not started.
    cannot_save => "The till cannot save transactions.", "无法保存交易记录。";
    sale_unsettled(tail: &str) =>
        "Order {tail} of this sale is not finished yet.", "本单的订单尾号 {tail} 尚未完成。";
    sale_paid => "This sale is already paid.", "这笔交易已付款。";

    sale_changed => "Less of this sale is left to pay.", "这笔交易的余款没有这么多。";
    no_such_cash => "That is no amount of cash.", "现金金额不正确。";
    nothing_taken => "No cash was taken of this sale.", "这笔交易没有收过现金。";

    // What to do instead.
    page_first => "Press Esc first, then scan again.", "请先按 Esc 键返回，再扫码。";
    press_esc => "Press Esc for the next sale.", "请按 Esc 键开始下一笔。";
    press_enter_first => "Press Enter first, then scan again.", "请先按回车键收款，再扫付款码。";
    scan_payment_code => "Scan the customer's WeChat payment code.", "请扫顾客的微信付款码。";
    finish_first => "Finish the payment on the screen first.", "请先完成屏幕上的这笔支付。";
    finish_or_go_on =>
        "Finish the payment on the screen first, or press Ctrl-N for the next customer.",
        "请先完成屏幕上的这笔支付，或按 Ctrl-N 接待下一位顾客。";
    next_sale_first =>
        "Press Enter for the next sale, then enter its amount.", "请先按回车键开始下一笔，再输入金额。";
    choose_first => "Press Ctrl-N for the next customer.", "请按 Ctrl-N 接待下一位顾客。";
    stopped => "The till has stopped taking payments.", "已停止收款。";
    consent_first => "Press Esc first: a manager's PIN is asked for.", "正在等待店长输入密码，请先按 Esc 键返回。";
    sign_in_first => "The till is locked: sign in first.", "收银机已锁定，请先登录。";
    esc_first => "To change the amount, press Esc first.", "如需修改金额，请先按 Esc 键。";
    already_reversing => "The payment is already being reversed.", "这笔支付已经在撤销了。";

    // The tray.
    /// A payment by its amount and the last digits of its number.
    which(amount: &str, tail: &str) => "{amount} (order {tail})", "{amount}（订单尾号 {tail}）";
    goes_on(which: &str) =>
        "{which} is still open above: do not charge it again.",
        "{which}仍在上方处理，请勿重复收款。";
    not_answered_yet =>
        "WeChat Pay has not answered yet. Wait a moment, then press again.",
        "微信支付尚未返回结果，请稍候再按一次。";
    sale_first =>
        "Finish this sale first, or press Esc to discard it.",
        "请先完成当前这笔收款，或按 Esc 键取消。";
    read_first => "Read this result and press Enter first.", "请先看清当前结果，再按回车键。";

    // Receipts and the drawer.
    receipt_sent => "The receipt was sent to the printer.", "小票已发送到打印机。";
    receipt_printed => "The receipt was printed.", "小票已打印。";
    receipt_sent_of(which: &str) =>
        "The receipt for {which} was sent to the printer.", "{which}的小票已发送到打印机。";
    receipt_printed_of(which: &str) =>
        "The receipt for {which} was printed.", "{which}的小票已打印。";
    receipt_waits_of(which: &str) =>
        "The receipt for {which} is waiting for the printer.", "打印机未就绪，{which}的小票排队中。";
    receipt_waits => "The receipt is waiting for the printer.", "打印机未就绪，小票排队中。";
    receipt_failed(order: &str, why: &str) =>
        "The receipt for order {order} was not printed: {why}. Press F9 to reprint it.",
        "订单尾号 {order} 的小票未打印：{why}。请按 F9 键补打。";
    slip_missing =>
        "1 slip may not have been printed: press F9 to print it, marked as a copy.",
        "有 1 张小票可能未打印，按 F9 键补打（小票上会注明“补打”）。";
    slips_missing(count: usize) =>
        "{count} slips may not have been printed: press F9 to print each, marked as a copy.",
        "有 {count} 张小票可能未打印，按 F9 键逐张补打（小票上会注明“补打”）。";
    drawer_opened => "Opening the cash drawer.", "正在打开钱箱。";
    refund_not_read(why: &str) =>
        "The order could not be read, and nothing was given back: {why}.", "无法读取订单，未退款：{why}。";
    refund_not_recorded =>
        "This could not be written: note it by hand, and restart the till.", "结果未能保存：请手工记录，并重新启动收银机。";
    drawer_failed(why: &str) => "The cash drawer did not open: {why}.", "钱箱未打开：{why}。";
}
