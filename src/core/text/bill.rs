//! A bill in words: in what it differs from our books, and why it cannot be used.

pub mod json;

use crate::bill::compare::Cause;
use crate::bill::{Fault, RowFault};
use crate::clock::Date;
use crate::language::Text;
use crate::{both, catalogue};

catalogue! {
    /// In what a bill and our books differ.
    pub struct BillWords;
    not_in_bill => "paid here, not in the bill", "我方已收款，账单中没有";
    not_in_journal => "in the bill, unknown here", "账单中有，我方没有记录";
    amount => "different amounts", "金额不一致";
    currency => "different currencies", "币种不一致";
    times(times: u32) => "{times} times in the bill", "账单中出现 {times} 次";
    paid_in_bill => "not paid here, paid in the bill", "我方未收款，账单为已支付";
    open_paid => "open here, paid in the bill", "我方未了结，账单为已支付";
    open_returned => "open here, given back in the bill", "我方未了结，账单为已退回";
    open_not_in_bill => "open here, not in the bill", "我方未了结，账单中没有";
    settled_paid => "settled by a person, paid in the bill", "已由人工处理，账单为已支付";
    reversed_in_bill => "paid here, reversed in the bill", "我方已收款，账单为已撤销";
    not_returned => "reversed here, not given back in the bill", "我方已撤销，账单未见退回";
    transaction => "another WeChat Pay number", "微信支付单号不同";
    refund_not_in_journal => "a refund that was not made here", "账单中的退款不是我方办理";
    refund_not_in_bill => "refunded here, not in the bill", "我方已退款，账单中没有";
    refund_amount => "different amounts of a refund", "退款金额不一致";
    refund_failed_in_bill => "the refund failed by the bill", "账单显示退款未成功";
}

impl BillWords {
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

/// The gateway is in trouble.
pub fn busy(words: &str) -> Text {
    both!(
        "WeChat Pay cannot give the bill now ({words}): try again later",
        "微信支付暂时无法提供账单（{words}）：请稍后再试"
    )
}

/// No bill came.
pub fn not_downloaded() -> Text {
    both!("the bill was not downloaded", "账单未能下载")
}

/// It came, and is not what was signed.
pub fn altered() -> Text {
    both!("it is not what WeChat Pay has signed", "内容与微信支付签名的摘要不符")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_there_in_both_languages() {
        for [english, chinese] in BillWords::all() {
            assert!(english.is_ascii() && !chinese.is_ascii(), "{english}: {chinese}");
        }
    }
}
