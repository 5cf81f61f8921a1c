//! What `paytill reconcile` says.

use std::path::Path;

use crate::bill::compare::{Cause, Difference, Side};
use crate::clock::Date;
use crate::language::{Language, Text};
use crate::payment::Status;
use crate::text::screen::ScreenWords;
use crate::{both, catalogue};
pub use paytill_core::text::bill::{
    BillWords, altered, busy, fault, in_the_future, not_downloaded, not_ready,
};

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
        BillWords::of(self.0).cause(cause)
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

/// The gateway gives it no more.
pub fn too_old(day: Date) -> Text {
    both!(
        "{day} is more than three months ago, and WeChat Pay gives no bill of it: download it on the \
         merchant platform if that still has it, and name the file with --bill",
        "{day} 已超过三个月，微信支付不再提供账单：如商户平台仍可下载，请下载后用 --bill 指定文件"
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
