//! The texts of the command line: the descriptions of commands and arguments in `--help`, and the
//! error messages for invalid usage.

use crate::catalogue;
use crate::language::Language;

catalogue! {
    /// The frame of the help, and the messages for invalid usage.
    pub struct Words;
    usage => "Usage: ", "用法：";
    commands => "Commands", "命令";
    command => "COMMAND", "命令";
    arguments => "Arguments", "参数";
    options => "Options", "选项";
    any_options => "[OPTIONS]", "[选项]";
    default_value(value: &str) => " [default: {value}]", "（默认 {value}）";
    more(command: &str) => "More: {command} --help", "更多说明：{command} --help";
    or => " or ", " 或 ";

    unexpected(argument: &str) => "unexpected argument {argument}", "多余或无法识别的参数 {argument}";
    unknown_command(name: &str) => "there is no command {name}", "没有名为 {name} 的命令";
    did_you_mean(near: &str) => "; did you mean {near}?", "；是否想用 {near}？";
    needs_value(argument: &str) => "{argument} needs a value", "{argument} 后面缺少值";
    not_for(value: &str, argument: &str) => "{value:?} does not fit {argument}", "{value:?} 不能用于 {argument}";
    allowed(values: &str) => "; allowed is {values}", "；只能是{values}";
    missing(arguments: &str) => "missing: {arguments}", "缺少：{arguments}";
    twice(argument: &str) => "{argument} is given twice", "{argument} 重复出现";
    not_together(argument: &str, other: &str) => "{argument} and {other} do not go together", "{argument} 与 {other} 不能同时使用";
    takes_no(argument: &str, value: &str) => "{argument} does not take {value:?}", "{argument} 不接受 {value:?}";
    not_utf8 => "an argument is not UTF-8 text", "有参数不是 UTF-8 文本";
    wrong(words: &str) => "wrong usage: {words}", "命令用法不对：{words}";

    after_help =>
        "Without a command it opens the cashier's screen. Without a configuration file anywhere it \
         starts in training mode on a simulated gateway, and no money moves.\n\n\
         Exit codes: 0 done, or paid · 1 unexpected fault · 2 wrong usage · 3 configuration or \
         secrets · 4 another paytill holds the journal · 5 journal cannot be written · 10 declined · \
         11 reversed · 12 needs attention · 13 bill and journal differ",
        "不带命令时打开收银界面。 没有任何配置文件时进入练习模式：使用模拟网关，不会真实扣款。\n\n\
         退出码： 0 完成或支付成功 · 1 意外故障 · 2 用法不对 · 3 配置或密钥有误 · \
         4 交易记录正被另一个 paytill 使用 · 5 无法保存交易记录 · 10 支付失败 · 11 已撤销 · \
         12 需人工处理 · 13 账单不符";
}

/// What a command does.
pub fn about(command: &str, language: Language) -> Option<&'static str> {
    let (english, chinese) = match command {
        "paytill" => (
            "A cashier's till in the terminal for WeChat Pay payment codes",
            "终端里的收银机：扫微信付款码收款",
        ),
        "pay" => ("Take one payment without the screen", "不打开收银界面，收一笔款"),
        "qr" => (
            "Show a code that the customer scans, until it is paid or expires",
            "出示收款码，请顾客扫码付款",
        ),
        "refund" => (
            "Give money of a paid order back, whole or in part",
            "退款：退回一笔已支付订单的全部或部分款项",
        ),
        "orders" => ("List orders, newest first", "列出订单，最新的在前"),
        "show" => (
            "Show one order: every event, what was sent and what came back",
            "显示一笔订单：每一步、发出和收到的内容",
        ),
        "find" => (
            "Find orders by a number or scan, last digits, amount, time or state; --ask asks the \
             gateway about them",
            "按单号或扫码、尾号、金额、时间或状态查找订单；--ask 向微信支付查询",
        ),
        "evidence" => (
            "Write one file that proves what happened to an order, or check such a file",
            "生成一份订单凭证文件，或校验这样的文件",
        ),
        "backup" => (
            "Make a verified copy of the journal while the till runs",
            "不停机备份交易记录，并校验副本",
        ),
        "reconcile" => (
            "Hold WeChat Pay's bill of a day against the journal, order by order",
            "用微信支付某一天的账单逐笔核对交易记录",
        ),
        "shift" => (
            "This shift so far (X report); or open it, close it with the next Z report, or show one again",
            "显示当班至今的 X 报表；也可开班、交班（生成下一号 Z 报表）或查看以前的 Z 报表",
        ),
        "open" => ("Open a shift with what is in the drawer", "开班，并登记钱箱里的备用金"),
        "close" => (
            "Close the shift: the count is asked for on a terminal before what it should be is shown",
            "交班：先在终端输入实点金额，再显示应有金额",
        ),
        "z" => ("Show a Z report again", "再次显示某一号 Z 报表"),
        "report" => ("Show all reports of a day", "显示某一天的全部报表"),
        "cash" => {
            ("Put cash into the drawer or take it out, outside sales", "非收款时存入或取出钱箱现金")
        }
        "in" => ("Cash goes into the drawer", "存入现金"),
        "out" => ("Cash is taken out of the drawer", "取出现金"),
        "recover" => ("Resolve all open payments and refunds", "处理完所有未完成的支付和退款"),
        "enroll" => (
            "Register this till with the merchant's backend: makes its key, and says what to configure",
            "在商户后台登记这台收银机：生成密钥，并提示所需配置",
        ),
        "operators" => (
            "Say who works at the till, each with a PIN and a role; without anybody nobody signs in",
            "设置收银机的操作员及其密码和权限；未设置时无需登录",
        ),
        "add" => (
            "Add an operator; the PIN is asked for on the terminal, or read as a line from standard input",
            "添加操作员；密码在终端中输入，或从标准输入读取一行",
        ),
        "list" => ("List them", "列出全部"),
        "goods" => ("The catalogue of the shop's products", "商品目录"),
        "import" => (
            "Replace the catalogue by a table, whole or not at all; a till that runs sees it at once",
            "导入商品表，替换整个商品目录；有错则一行也不导入；运行中的收银机立即可用",
        ),
        "remove" => ("Remove an operator", "删除操作员"),
        "devices" => (
            "List serial ports and HID devices, and what the till takes each for",
            "列出串口和 HID 设备，以及识别结果",
        ),
        "doctor" => (
            "Check configuration, secrets, gateway, clock, journal, disk and devices; say what to do",
            "检查配置、密钥、网络、时钟、交易记录、磁盘和设备，并给出处理办法",
        ),
        "customer-view" => (
            "The customer's own screen, on a second terminal: the amount, what to do, the result",
            "顾客屏幕（用第二个终端打开）：金额、操作提示和支付结果",
        ),
        "print-test" => (
            "Print a test page that shows which profile fits the printer",
            "打印测试页，看哪个 profile 适合打印机",
        ),
        "simulator" => ("Run the simulated gateway on its own", "单独运行模拟网关"),
        "completions" => ("Print shell completions", "输出命令行补全脚本"),
        "man" => ("Print the manual page", "输出 man 手册页"),
        "help" => ("Print this message, or the help of a command", "显示帮助，或某个命令的帮助"),
        _ => return None,
    };
    Some(language.pick(english, chinese))
}

/// What an argument of a command is for, by its identifier in the code.
pub fn help(command: &str, argument: &str, language: Language) -> Option<&'static str> {
    let (english, chinese) = match (command, argument) {
        (_, "config") => {
            ("Configuration file [env: PAYTILL_CONFIG]", "配置文件（环境变量 PAYTILL_CONFIG）")
        }
        (_, "log_level") => (
            "Minimum log level: off, error, warn, info, debug or trace",
            "最低日志级别：off、error、warn、info、debug 或 trace",
        ),
        (_, "lang") => ("Interface language: zh-CN or en", "界面语言：zh-CN 或 en"),
        (_, "help") => ("Print help", "显示帮助"),
        (_, "version") => ("Print version", "显示版本"),
        (_, "json") => ("Print JSON, one object a line", "输出 JSON，每行一个对象"),
        ("pay" | "qr", "amount") => return Some(help_of_amount(language)),
        ("pay", "code") => (
            "The customer's payment code; - reads it from standard input, where no process list \
             shows it",
            "顾客的付款码；写 - 则从标准输入读取，不会出现在进程列表中",
        ),
        ("pay" | "qr", "note") => ("Note kept with the sale", "随销售保存的备注"),
        ("qr", "png") => return Some(help_of_png(language)),
        ("refund", _) if argument != "order_no" => return help_of_refund(argument, language),
        ("orders", "day") => (
            "Only orders of this day: YYYY-MM-DD, today or yesterday",
            "只列这一天的订单：YYYY-MM-DD、today 或 yesterday",
        ),
        ("orders", "state") => (
            "Only orders in this state: created, sent, waiting, checking, reversing, paid, declined, \
             reversed, closed or attention",
            "只列这一状态的订单： created、sent、waiting、checking、 reversing、paid、declined、reversed、closed 或 \
             attention",
        ),
        ("orders", "limit") => ("Maximum number of orders", "最多列出多少笔"),
        ("show" | "refund" | "evidence", "order_no") => (
            "Order number, or its last digits as the screen shows them",
            "订单号，或屏幕上显示的尾号",
        ),
        ("show", "receipt") => return Some(help_of_receipt(language)),
        ("find", "text") => (
            "Order number or transaction number, typed or scanned, or their last digits; an amount \
             (12.50); a time (14:32, also 2026-11-22 14:32); a state (paid)",
            "商户单号或交易单号（输入或扫码均可）或其尾号；金额（12.50）；时间（14:32 或 2026-11-22 14:32）；\
             状态（paid）",
        ),
        ("find", "ask") => (
            "Ask the gateway about each, ten at most; this changes nothing",
            "向微信支付逐笔查询，最多十笔；只查询，不改动任何订单",
        ),
        ("evidence", "out") => {
            ("Write to this new file instead of standard output", "写入这个新文件，而不是标准输出")
        }
        ("evidence", "verify") => (
            "Instead: check this file and name what was changed; needs no journal. Exit code 0: proved \
             with the journal's key, 12: consistent, but the key is not here, 5: changed",
            "改为：校验这份文件，并指出被改动之处；不需要交易记录。退出码 0：已用密钥证实；12：自身一致，但此处没有密钥；\
             5：被改动",
        ),
        ("backup", "file") => (
            "The copy; nothing may be there yet. Keep the journal's key elsewhere",
            "副本的位置，不能是已有文件。密钥请另外保存",
        ),
        ("open" | "close" | "z" | "report" | "in" | "out", _) => {
            return help_of_shift(command, argument, language);
        }
        ("reconcile", _) => return help_of_reconcile(argument, language),
        ("recover", _) => return help_of_recover(argument, language),
        ("enroll", "url") => {
            ("Address of the backend, https://host:port", "商户后台地址，https://主机:端口")
        }
        ("enroll", "one_time_code") => (
            "One-time code from paytill-backend till add: 8 groups of 4 digits",
            "paytill-backend till add 给出的一次性登记码：8 组 4 位数字",
        ),
        ("add" | "remove", "name") => ("Name, as the screen shows it", "姓名，显示在屏幕上"),
        ("add", "role") => (
            "What they may do: cashier, or manager (everything; the first must be one)",
            "权限：cashier（收银员）或 manager（店长，不受限制；第一位必须是店长）",
        ),
        ("import", "table") => return Some(help_of_table(language)),
        ("devices", "learn") => (
            "Scan once to choose the scanner: listens to everything, and remembers what was used",
            "扫一次码来选定扫码枪：监听所有设备，记住所用的那个",
        ),
        ("print-test", "profile") => (
            "Try this profile instead of the configured one: auto, epson, generic, no-cutter, \
             gb2312 or raster",
            "试用此 profile，代替配置中的： auto、epson、generic、 no-cutter、gb2312 或 raster",
        ),
        ("simulator", _) => return help_of_simulator(argument, language),
        ("completions", "shell") => {
            ("bash, zsh, fish, elvish or powershell", "bash、zsh、fish、elvish 或 powershell")
        }
        _ => return None,
    };
    Some(language.pick(english, chinese))
}

fn help_of_amount(language: Language) -> &'static str {
    language.pick("Amount in major units: 12.5 is 12.50", "金额，以元为单位：12.5 即 12.50")
}

fn help_of_png(language: Language) -> &'static str {
    language.pick(
        "Draw the code as a picture (PNG) into this new file, too",
        "同时把收款码画成图片（PNG）写入这个新文件",
    )
}

fn help_of_simulator(argument: &str, language: Language) -> Option<&'static str> {
    let (english, chinese) = match argument {
        "listen" => {
            ("Listen address; port 0 takes any free one", "监听地址；端口 0 表示任选空闲端口")
        }
        "scenario" => (
            "What happens to every payment; without it the last digits of the payment code decide. \
             `list` prints all names",
            "每笔支付的情景；不指定则由付款码的末几位决定。 list 列出全部名称",
        ),
        "seed" => ("Random seed", "随机数种子"),
        "write_config" => (
            "Write a configuration here, with keys and certificates, that points a till at it",
            "在此写入一份配置及密钥和证书，供收银机连接使用",
        ),
        "kind" => (
            "The gateway.kind of that configuration: wechat-v2, wechat-v3 or \
             wechat-v3-certificates",
            "该配置的 gateway.kind： wechat-v2、wechat-v3 或 wechat-v3-certificates",
        ),
        "notices" => (
            "What becomes of notifications to an order's notify_url: prompt, late, twice, never, \
             forged, wrong-amount, probe or foreign",
            "发往订单 notify_url 的通知如何处理： prompt、late、twice、never、forged、\
             wrong-amount、probe 或 foreign",
        ),
        "notify_ca" => (
            "A root certificate (PEM) by which receivers of notifications are recognized",
            "用来验证通知接收方的根证书（PEM）",
        ),
        "rotate_after" => (
            "After so many seconds another platform certificate signs",
            "经过这么多秒后改用另一张平台证书签名",
        ),
        _ => return None,
    };
    Some(language.pick(english, chinese))
}

fn help_of_receipt(language: Language) -> &'static str {
    language.pick(
        "Instead: draw its receipt as a picture (PNG) into this new file, for a customer who wants \
         none on paper; that of a refund by the refund's number",
        "改为：把小票画成图片（PNG）写入这个新文件，供不需要纸质小票的顾客使用；指定退款单号则为退款小票",
    )
}

fn help_of_refund(argument: &str, language: Language) -> Option<&'static str> {
    let (english, chinese) = match argument {
        "amount" => (
            "How much, in major units: 12.5 is 12.50; without it all that is left",
            "退款金额，以元为单位：12.5 即 12.50；不写则退还全部余款",
        ),
        "reason" => (
            "Why; kept with the refund, and the customer may see it",
            "退款原因：随退款保存，顾客可能会看到",
        ),
        _ => return None,
    };
    Some(language.pick(english, chinese))
}

fn help_of_recover(argument: &str, language: Language) -> Option<&'static str> {
    let (english, chinese) = match argument {
        "settle" => (
            "Instead: close this order, which needs attention and was settled outside the till",
            "改为：关闭这笔需人工处理、已在收银机之外处理好的订单",
        ),
        "reason" => ("How it was settled", "处理情况"),
        _ => return None,
    };
    Some(language.pick(english, chinese))
}

fn help_of_table(language: Language) -> &'static str {
    language.pick(
        "CSV (UTF-8 or GB18030) whose first line names its columns: code, name, price; also tax, unit",
        "CSV 文件（UTF-8 或 GB18030），首行为列名：条码、名称、价格，另可有税率、单位",
    )
}

fn help_of_shift(command: &str, argument: &str, language: Language) -> Option<&'static str> {
    let (english, chinese) = match (command, argument) {
        ("open" | "close", "operator") => (
            "Who does it; where people sign in, the PIN is asked for",
            "由谁操作；设置了操作员时会要求输入密码",
        ),
        ("open", "float") => {
            ("What is in the drawer, in major units", "钱箱里的备用金，以元为单位")
        }
        ("close", "counted") => ("What was counted, in major units", "实点现金，以元为单位"),
        ("close", "carry") => (
            "Close over orders that are not settled, too: they are named on the report; a manager's PIN \
             is asked for where people sign in",
            "有未完成的订单也交班：在报表上列出并结转；设置了操作员时要求店长密码",
        ),
        ("z", "number") => ("Number of the Z report", "Z 报表号"),
        ("z", "print") => ("Print it as well, marked as a copy", "同时打印，并注明是副本"),
        ("report", "day") => (
            "Day of the shop: YYYY-MM-DD, today or yesterday",
            "营业日：YYYY-MM-DD、today 或 yesterday",
        ),
        ("report", "csv") => {
            ("Write the figures to this new file as well", "另将数据写入这个新文件")
        }
        ("in" | "out", "amount") => {
            ("Amount in major units: 12.5 is 12.50", "金额，以元为单位：12.5 即 12.50")
        }
        ("in" | "out", "reason") => ("What for", "原因"),
        _ => return None,
    };
    Some(language.pick(english, chinese))
}

fn help_of_reconcile(argument: &str, language: Language) -> Option<&'static str> {
    let (english, chinese) = match argument {
        "day" => (
            "Day of the payments in Beijing: YYYY-MM-DD, today or yesterday; its bill is ready at 10:00 \
             on the next",
            "付款日期（北京时间）：YYYY-MM-DD、today 或 yesterday；账单次日 10:00 后可用",
        ),
        "bill" => (
            "Use this file, plain or gzip, instead of downloading the bill",
            "使用这份账单文件（文本或 gzip），不下载",
        ),
        "csv" => {
            ("Write the differences to this new file as well", "另将不一致的订单写入这个新文件")
        }
        _ => return None,
    };
    Some(language.pick(english, chinese))
}

/// The placeholder for the value of an argument.
pub fn value_name(argument: &str, language: Language) -> Option<&'static str> {
    let (english, chinese) = match argument {
        "config" => ("FILE", "文件"),
        "log_level" => ("LEVEL", "级别"),
        "lang" => ("LANGUAGE", "语言"),
        "amount" | "float" | "counted" => ("AMOUNT", "金额"),
        "number" => ("N", "号码"),
        "code" => ("AUTH_CODE", "付款码"),
        "url" => ("URL", "地址"),
        "one_time_code" => ("CODE", "登记码"),
        "note" => ("TEXT", "备注"),
        "reason" => ("TEXT", "说明"),
        "day" => ("DAY", "日期"),
        "state" => ("STATE", "状态"),
        "limit" => ("N", "数量"),
        "order_no" | "settle" => ("ORDER_NO", "订单号"),
        "text" => ("TEXT", "内容"),
        "out" | "verify" | "file" | "bill" | "csv" | "receipt" | "table" | "png" | "notify_ca" => {
            ("FILE", "文件")
        }
        "profile" => ("NAME", "名称"),
        "name" | "operator" => ("NAME", "姓名"),
        "role" => ("ROLE", "权限"),
        "listen" => ("ADDR", "地址"),
        "scenario" | "notices" => ("NAME", "名称"),
        "seed" => ("N", "数字"),
        "rotate_after" => ("SECONDS", "秒数"),
        "write_config" => ("DIR", "目录"),
        "kind" => ("KIND", "类型"),
        "shell" => ("SHELL", "命令行"),
        _ => return None,
    };
    Some(language.pick(english, chinese))
}

/// The allowed values of an argument that does not accept everything.
pub fn allowed(argument: &str, language: Language) -> Option<&'static str> {
    let (english, chinese) = match argument {
        "log_level" => {
            ("off, error, warn, info, debug or trace", " off、error、warn、info、debug 或 trace")
        }
        "lang" => ("zh-CN or en", " zh-CN 或 en"),
        "day" => (
            "today, yesterday or a date such as 2026-11-22",
            " today、yesterday 或日期，如 2026-11-22",
        ),
        "state" => (
            "created, sent, waiting, checking, reversing, paid, declined, reversed or attention",
            " created、sent、waiting、checking、reversing、paid、declined、reversed 或 attention",
        ),
        "profile" => (
            "auto, epson, generic, no-cutter, gb2312 or raster",
            " auto、epson、generic、no-cutter、gb2312 或 raster",
        ),
        "kind" => (
            "wechat-v2, wechat-v3 or wechat-v3-certificates",
            " wechat-v2、wechat-v3 或 wechat-v3-certificates",
        ),
        "role" => ("cashier or manager", " cashier 或 manager"),
        "listen" => ("an address such as 127.0.0.1:8443", "地址，如 127.0.0.1:8443"),
        "notices" => (
            "prompt, late, twice, never, forged, wrong-amount, probe or foreign",
            " prompt、late、twice、never、forged、wrong-amount、probe 或 foreign",
        ),
        "limit" | "seed" | "number" | "rotate_after" => ("a whole number", "整数"),
        "shell" => {
            ("bash, zsh, fish, elvish or powershell", " bash、zsh、fish、elvish 或 powershell")
        }
        _ => return None,
    };
    Some(language.pick(english, chinese))
}
