//! What `paytill reconcile` says.

use std::path::Path;

use crate::bill::compare::{Cause, Difference, Side};
use crate::bill::{Fault, RowFault};
use crate::clock::Date;
use crate::language::{Language, Text};
use crate::payment::Status;
use crate::text::screen::ScreenWords;
use crate::{both, catalogue};

catalogue! {
    /// The report: sums, differences, and what to do about each.
    pub struct ReconcileWords;
    head(day: &str, rows: u64) => "Bill of {day}, rows: {rows}", "{day} 账单：共 {rows} 行";
    this_till => "this till", "本机";
    other_till(id: &str) => "till {id}", "收银机 {id}";
    no_till => "not a till", "非收银机";
    payments => "payments", "收款";
    refunds => "refunds", "退款";
    fees => "fees", "手续费";
    net => "net", "净额";
    of_others(rows: u64) =>
        "left out, rows of other sub-merchants: {rows}",
        "另有 {rows} 行属于其他特约商户，未计入";
    other_currencies(rows: u64) =>
        "not in the sums, rows in another currency: {rows}",
        "另有 {rows} 行为其他币种，未计入合计";
    equal(matched: u64) =>
        "Bill and journal agree. Orders: {matched}.",
        "账单与交易记录一致，共 {matched} 笔。";
    differ(differ: u64, matched: u64) =>
        "Differences: {differ}. Orders that agree: {matched}.",
        "{differ} 处不一致；{matched} 笔一致。";
    asked(asked: usize, settled: usize) =>
        "Open orders that WeChat Pay was asked about: {asked}, settled by its answer: {settled}.",
        "向微信支付查询了 {asked} 笔未了结的订单，其中 {settled} 笔已了结。";
    not_listed(rows: u64) =>
        "Not listed, rows under numbers of this till that the journal does not know: {rows}.",
        "另有 {rows} 行使用本机单号，交易记录中没有，未逐一列出。";
    here(state: &str, amount: &str) => "journal: {state} {amount}", "交易记录：{state} {amount}";
    bill(state: &str, amount: &str) => "bill: {state} {amount}", "账单：{state} {amount}";
    nothing => "nothing", "无";
    refund_of(number: &str) => "refund {number}", "退款单 {number}";
    written(file: &str) => "the differences are in {file}", "不一致的订单已写入 {file}";
    no_bill(day: &str) =>
        "WeChat Pay has no bill of {day}: nothing was paid and nothing refunded.",
        "微信支付没有 {day} 的账单：当天没有收款，也没有退款。";

    paid => "paid", "已支付";
    refunded => "refunded", "已退款";
    reversed => "reversed", "已撤销";
    refund_failed => "refund failed", "退款失败";
    refund_abnormal => "refund abnormal", "退款异常";
    refund_processing => "refund on its way", "退款处理中";

    not_in_bill => "paid here, not in the bill", "本机已收款，账单中没有";
    not_in_journal => "in the bill, not in this journal", "账单中有，本机没有记录";
    amount => "different amounts", "金额不一致";
    currency => "different currencies", "币种不一致";
    times(times: u32) => "{times} times in the bill", "账单中出现 {times} 次";
    paid_in_bill => "not paid here, paid in the bill", "本机未收款，账单为已支付";
    open_paid => "open here, paid in the bill", "本机未了结，账单为已支付";
    open_returned => "open here, given back in the bill", "本机未了结，账单为已退回";
    open_not_in_bill => "open here, not in the bill", "本机未了结，账单中没有";
    settled_paid => "settled by a person, paid in the bill", "已由人工处理，账单为已支付";
    reversed_in_bill => "paid here, reversed in the bill", "本机已收款，账单为已撤销";
    not_returned => "reversed here, not given back in the bill", "本机已撤销，账单未见退回";
    transaction => "another WeChat Pay number", "微信支付单号不同";
    refund_not_in_journal => "a refund that this till did not make", "账单中的退款不是本机办理";
    refund_not_in_bill => "refunded here, not in the bill", "本机已退款，账单中没有";
    refund_amount => "different amounts of a refund", "退款金额不一致";
    refund_failed_in_bill => "the refund failed by the bill", "账单显示退款未成功";

    ask(number: &str) =>
        "Ask WeChat Pay: paytill find {number} --ask. If it says otherwise than the journal, look on \
         the merchant platform.",
        "请运行 paytill find {number} --ask 查询；结果与交易记录不符时，请到商户平台核实。";
    other_bill(day: &str) =>
        "It was close to midnight: look in the bill of {day} too (paytill reconcile {day}).",
        "时间临近零点：请再核对 {day} 的账单（paytill reconcile {day}）。";
    who_sold_it =>
        "Find out who sold it: a second till with the same id, or an older journal. What nobody \
         knows is refunded on the merchant platform.",
        "请查明是谁收的款：是否有另一台机器用了同一编号，或换过交易记录。查不到的，请在商户平台退款。";
    on_the_platform =>
        "Look the order up on the merchant platform: WeChat Pay settles by the bill.",
        "请到商户平台核实：微信支付以账单为准结算。";
    paid_twice =>
        "Look on the merchant platform whether the customer paid more than once, and return what is \
         too much.",
        "请到商户平台核实顾客是否多付，多付的请退还。";
    charged_for_nothing =>
        "The customer was charged: refund it on the merchant platform, or hand over the goods.",
        "顾客已被扣款：请在商户平台退款，或把商品交给顾客。";
    recover =>
        "Run paytill recover: it asks WeChat Pay and settles the order.",
        "请运行 paytill recover：向微信支付查询并了结这笔订单。";
    see_how(number: &str) =>
        "Check how it was settled: paytill show {number}.",
        "请核对当时如何处理：paytill show {number}。";
    who_gave_back =>
        "The money went back to the customer: find out on the merchant platform who did it.",
        "款项已退回顾客：请到商户平台查明是谁操作的。";
    // The same on the till's own screen.
    ask_at_the_till =>
        "Find it with F7, and press F5 to ask WeChat Pay. If it says otherwise than the journal, look \
         on the merchant platform.",
        "请按 F7 查找这笔订单，再按 F5 查询；结果与交易记录不符时，请到商户平台核实。";
    other_bill_at_the_till(day: &str) =>
        "It was close to midnight: look in the bill of {day} too.", "时间临近零点：请再核对 {day} 的账单。";
    goes_on_at_the_till =>
        "The till goes on with it by itself. To ask WeChat Pay now, find it with F7 and press F5.",
        "本机会继续自动处理。如需立即查询，请按 F7 查找这笔订单，再按 F5。";
    see_how_at_the_till =>
        "Check how it was settled: find it with F7.", "请按 F7 查找这笔订单，核对当时如何处理。";
    may_not_have_it =>
        "Look on the merchant platform: the customer may not have the money yet.",
        "请到商户平台核实：顾客可能尚未收到退款。";
}

impl ReconcileWords {
    /// What differs.
    pub fn cause(self, cause: Cause) -> String {
        match cause {
            Cause::NotInBill(_) => self.not_in_bill(),
            Cause::NotInJournal => self.not_in_journal(),
            Cause::Amount => self.amount(),
            Cause::Currency => self.currency(),
            Cause::Times(times) => return self.times(times),
            Cause::PaidInBill => self.paid_in_bill(),
            Cause::OpenPaid => self.open_paid(),
            Cause::OpenReturned => self.open_returned(),
            Cause::OpenNotInBill => self.open_not_in_bill(),
            Cause::SettledPaid => self.settled_paid(),
            Cause::Reversed => self.reversed_in_bill(),
            Cause::NotReturned(_) => self.not_returned(),
            Cause::Transaction => self.transaction(),
            Cause::RefundNotInJournal => self.refund_not_in_journal(),
            Cause::RefundNotInBill(_) => self.refund_not_in_bill(),
            Cause::RefundAmount => self.refund_amount(),
            Cause::RefundFailed => self.refund_failed_in_bill(),
        }
        .to_owned()
    }

    /// What to do about it.
    pub fn advice(self, cause: Cause, number: &str) -> String {
        match cause {
            Cause::NotInBill(Some(day))
            | Cause::RefundNotInBill(Some(day))
            | Cause::NotReturned(Some(day)) => {
                return self.other_bill(&day.to_string());
            }
            Cause::NotInBill(None) | Cause::RefundNotInBill(None) | Cause::NotReturned(None) => {
                return self.ask(number);
            }
            Cause::SettledPaid => return self.see_how(number),
            Cause::NotInJournal => self.who_sold_it(),
            Cause::Amount | Cause::Currency | Cause::Transaction | Cause::RefundAmount => {
                self.on_the_platform()
            }
            Cause::Times(_) => self.paid_twice(),
            Cause::PaidInBill => self.charged_for_nothing(),
            Cause::OpenPaid | Cause::OpenReturned | Cause::OpenNotInBill => self.recover(),
            Cause::Reversed | Cause::RefundNotInJournal => self.who_gave_back(),
            Cause::RefundFailed => self.may_not_have_it(),
        }
        .to_owned()
    }

    /// The same on the till's own screen, where no command is typed.
    pub fn advice_at_the_till(self, cause: Cause) -> String {
        match cause {
            Cause::NotInBill(Some(day))
            | Cause::RefundNotInBill(Some(day))
            | Cause::NotReturned(Some(day)) => self.other_bill_at_the_till(&day.to_string()),
            Cause::NotInBill(None) | Cause::RefundNotInBill(None) | Cause::NotReturned(None) => {
                self.ask_at_the_till().to_owned()
            }
            Cause::OpenPaid | Cause::OpenReturned | Cause::OpenNotInBill => {
                self.goes_on_at_the_till().to_owned()
            }
            Cause::SettledPaid => self.see_how_at_the_till().to_owned(),
            cause => self.advice(cause, ""),
        }
    }

    /// A state of the bill in words; `None` for one of the journal's.
    pub fn state(self, word: &str) -> Option<&'static str> {
        Some(match word {
            "paid" => self.paid(),
            "refunded" => self.refunded(),
            "reversed" => self.reversed(),
            "refund_failed" => self.refund_failed(),
            "refund_abnormal" => self.refund_abnormal(),
            "refund_processing" => self.refund_processing(),
            _ => return None,
        })
    }
}

/// What each side says of it, on one line.
pub fn sides(difference: &Difference, language: Language) -> String {
    let words = ReconcileWords::of(language);
    let side = |side: Option<&Side>| match side {
        Some(side) => (state(side, language), amount(side)),
        None => (words.nothing().to_owned(), String::new()),
    };
    let (here, bill) = (side(difference.here.as_ref()), side(difference.bill.as_ref()));
    let here = words.here(&here.0, &here.1);
    let bill = words.bill(&bill.0, &bill.1);
    format!("{}{}{}", here.trim_end(), language.pick("; ", "；"), bill.trim_end())
}

/// A status of ours by the screen's word, a state of the bill by its own.
fn state(side: &Side, language: Language) -> String {
    let own = Status::from_word(side.state);
    match own {
        Some(status) => ScreenWords::of(language).word(status).to_owned(),
        None => ReconcileWords::of(language).state(side.state).unwrap_or_default().to_owned(),
    }
}

fn amount(side: &Side) -> String {
    format!("{} {}", side.currency.code(), side.currency.group(side.amount))
}

/// Why nothing was compared: the bill of that day cannot be used.
pub fn fault(fault: &Fault, merchant: &str, day: Date) -> Text {
    match fault {
        Fault::Empty => both!("this bill is empty", "账单是空的"),
        Fault::Page(words) if words.is_empty() => both!(
            "this is a web page and no bill: log in to the network if it asks for that",
            "这是网页，不是账单：如网络需要登录，请先登录"
        ),
        Fault::Page(words) => both!(
            "this is a web page and no bill ({words}): log in to the network if it asks for that",
            "这是网页，不是账单（{words}）：如网络需要登录，请先登录"
        ),
        Fault::Message => both!("this is a message and no bill", "这是一条消息，不是账单"),
        Fault::Archive => both!(
            "this is a ZIP or Excel file: unpack it, or save it as text first",
            "这是 ZIP 或 Excel 文件：请先解压，或另存为文本"
        ),
        Fault::NotUtf8 { line } => both!(
            "line {line} is not UTF-8 text: use the file as it was downloaded",
            "第 {line} 行不是 UTF-8 文本：请使用下载的原始文件"
        ),
        Fault::FundFlow => both!(
            "this is the bill of the account's movements: download the bill of transactions (ALL)",
            "这是资金账单：请下载交易账单（ALL）"
        ),
        Fault::NotABill(words) => both!(
            "this is no bill of WeChat Pay; it begins: {words}",
            "这不是微信支付账单，开头为：{words}"
        ),
        Fault::MissingColumn(name) => both!("this bill has no column {name}", "账单缺少列“{name}”"),
        Fault::Row { line, what: RowFault::Columns { found, expected } } => both!(
            "line {line} of the bill has {found} values for {expected} columns",
            "账单第 {line} 行有 {found} 个值，应为 {expected} 列"
        ),
        Fault::Row { line, what: RowFault::Value { column, value } } => both!(
            "line {line} of the bill: {value:?} does not fit column {column}",
            "账单第 {line} 行：{value:?} 不符合列“{column}”"
        ),
        Fault::TooLong { line } => {
            both!("line {line} of the bill is too long", "账单第 {line} 行过长")
        }
        Fault::TooLarge => both!("this bill is too large", "账单过大"),
        Fault::Damaged => {
            both!("this bill is damaged: download it again", "账单文件已损坏：请重新下载")
        }
        Fault::Truncated { rows } => both!(
            "this bill breaks off after {rows} rows, before its totals: download it again",
            "账单不完整，读到 {rows} 行后中断，没有合计：请重新下载"
        ),
        Fault::AfterTotals { line } => both!(
            "line {line} of the bill stands behind its totals: use one bill at a time",
            "账单第 {line} 行在合计之后：请一次只核对一份账单"
        ),
        Fault::OtherMerchant { line, found } => both!(
            "this is the bill of merchant {found}, not of {merchant} (line {line})",
            "这是商户 {found} 的账单，不是 {merchant} 的（第 {line} 行）"
        ),
        Fault::OtherDay { line, found } => both!(
            "this is the bill of {found}, not of {day} (line {line})",
            "这是 {found} 的账单，不是 {day} 的（第 {line} 行）"
        ),
        Fault::Totals { name, said, summed } => both!(
            "the totals of the bill do not fit its rows: {name} is {said}, the rows add up to {summed}; \
             download it again",
            "账单合计与明细不符：{name}为 {said}，明细相加为 {summed}；请重新下载"
        ),
    }
}

/// It is too early for the bill.
pub fn not_ready(day: Date) -> Text {
    let next = day.tomorrow().unwrap_or(day);
    both!(
        "the bill of {day} is not ready: try again after 10:00 on {next}, Beijing time",
        "{day} 的账单尚未生成：请在 {next} 10:00（北京时间）之后再试"
    )
}

/// The day has not begun.
pub fn in_the_future(day: Date) -> Text {
    both!("{day} is still to come", "{day} 还没有到")
}

/// The gateway gives it no more.
pub fn too_old(day: Date) -> Text {
    both!(
        "{day} is more than three months ago, and WeChat Pay gives no bill of it: download it on the \
         merchant platform if that still has it, and name the file with --bill",
        "{day} 已超过三个月，微信支付不再提供账单：如商户平台仍可下载，请下载后用 --bill 指定文件"
    )
}

/// The gateway is in trouble.
pub fn busy(words: &str) -> Text {
    both!(
        "WeChat Pay cannot give the bill now ({words}): try again later",
        "微信支付暂时无法提供账单（{words}）：请稍后再试"
    )
}

/// It does not take the request.
pub fn refused(words: &str) -> Text {
    both!(
        "WeChat Pay refuses to give the bill: {words}; see paytill doctor",
        "微信支付拒绝提供账单：{words}；请运行 paytill doctor"
    )
}

/// There is nobody to ask, and no merchant.
pub fn training() -> Text {
    both!(
        "the till is in training: there is no merchant, and no bill",
        "练习模式没有商户，也没有账单"
    )
}

/// The till has no account at WeChat Pay: its backend has.
pub fn of_the_backend() -> Text {
    both!(
        "the bill is the backend's: it has the merchant's account; run paytill-backend reconcile there",
        "账单由商户后台持有；请在后台运行 paytill-backend reconcile"
    )
}

/// No bill came.
pub fn not_downloaded() -> Text {
    both!("the bill was not downloaded", "账单未能下载")
}

/// A file with a bill cannot be read.
pub fn not_read(file: &Path) -> Text {
    let file = file.display();
    both!("{file} cannot be read", "无法读取 {file}")
}

/// The bill cannot be put beside the journal while it is read.
pub fn not_kept(file: &Path) -> Text {
    let file = file.display();
    both!("the bill cannot be written to {file}", "账单无法写入 {file}")
}

/// There is too little room beside the journal.
pub fn no_room(file: &Path) -> Text {
    let folder = file.parent().unwrap_or(file).display();
    both!(
        "the bill was not downloaded: too little room in {folder}, which the till needs to sell; free \
         some, or download the bill elsewhere and name it with --bill",
        "账单未下载：{folder} 所在磁盘空间不足，须留给收银使用；请清理磁盘，或在别处下载账单后用 --bill 指定"
    )
}

/// The file for the differences cannot be written.
pub fn not_exported(file: &Path) -> Text {
    let file = file.display();
    both!("{file} was not written", "{file} 未能写入")
}

/// The journal that is missing.
pub fn without_journal(language: Language, path: &Path) -> String {
    let path = path.display();
    crate::say!(
        language,
        "there is no journal yet at {path}: everything in the bill is unknown here",
        "{path} 还没有交易记录：账单中的各笔在本机都没有记录"
    )
}
