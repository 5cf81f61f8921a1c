//! The sentences of a story.

use super::{Fact, StoryLine};
use crate::language::Language;
use crate::payment::{Ending, Reason};
use crate::text::{history, reason, refund};

crate::catalogue! {
    /// What happened to a payment. If there is a reason, it follows.
    pub struct StoryWords;

    title => "This payment", "这笔支付";
    sent => "Sent to WeChat Pay.", "已向微信支付发起收款。";
    at_password => "Waiting for the password.", "顾客正在输入密码。";
    at_password_still(checks: u32) =>
        "Waiting for the password (asked {checks} times).", "顾客正在输入密码（{checks} 次）。";
    not_paid_yet => "Checked: not paid yet.", "查询：尚未付款。";
    not_known_yet => "Checked: no such order yet.", "查询：暂无此订单。";
    unclear => "No clear answer.", "未收到明确结果。";
    refused => "Refused.", "被拒绝。";
    never_sent => "It was not sent.", "请求未发出。";
    paid => "Paid and verified.", "支付成功，已核实。";
    paid_late => "The customer had paid; reversing the payment.", "顾客已付款，正在撤销。";
    cancelled => "Cancelled by the cashier.", "收银员已取消等待。";
    time_up => "Time is up; reversing the payment.", "等待超时，正在撤销。";
    restarted => "The till was restarted; checking.", "收银机已重新启动，继续查询。";
    reversal_accepted => "Reversal accepted; confirming.", "撤销已受理，正在核实。";
    code_ordered => "A code was ordered from WeChat Pay.", "已向微信支付申请收款码。";
    code_expired => "The code has expired; closing the order.", "收款码已过期，正在关闭订单。";
    code_ready => "The code can be scanned.", "收款码可以扫了。";
    closing_accepted => "Closing accepted; confirming.", "关单已受理，正在核实。";
    closing_failed => "Not closed yet; trying again.", "尚未关单，稍后重试。";
    reversal_repeats => "The reversal must be repeated.", "撤销需要重试。";
    reversal_refused => "The reversal was refused.", "撤销被拒绝。";
    closed => "Confirmed: closed, not paid.", "已确认：订单已关闭，未付款。";
    revoked => "Confirmed: reversed.", "已确认：撤销成功。";
    returned => "Confirmed: the money is being returned.", "已确认：款项原路退回。";
    refunded => "WeChat Pay says that this order had been paid and money went back.",
        "微信支付：该订单已付款，并有退款。";
    not_returned => "WeChat Pay knows no refund of this order.", "微信支付：该订单没有退款。";
    no_end =>
        "Still no clear result: someone must check. The till keeps trying.",
        "结果仍不明确，需人工处理，系统会继续自动处理。";
    cash => "Paid in cash.", "现金收款。";
    cash_returned => "The rest was not paid; the cash went back.", "余款未付，现金已退还顾客。";
    reprinted(copy: u32) => "The slip was printed again, copy {copy}.", "补打小票（第 {copy} 次）。";
    refund(id: i64, word: &str) => "Refund {id}: {word}.", "退款 {id}：{word}。";

    /// Happened this many times in a row; `sentence` comes without its full stop.
    repeated(sentence: &str, times: u32) => "{sentence} ({times} times).", "{sentence}（{times} 次）。";
}

/// A line of a story.
pub fn sentence(line: &StoryLine, language: Language) -> String {
    let words = StoryWords::of(language);
    let mut sentence = of(&line.fact, language);
    if let Some(by) = &line.by {
        let end = sentence.trim_end_matches(['.', '。']).len();
        sentence.insert_str(end, &history::by(by, language));
    }
    match (&line.fact, line.times) {
        (_, 1) => sentence,
        (Fact::Paying, times) => words.at_password_still(times),
        (_, times) => words.repeated(sentence.trim_end_matches(['.', '。']), times),
    }
}

fn of(fact: &Fact, language: Language) -> String {
    let words = StoryWords::of(language);
    let with = |start: &str, why: String| format!("{start}{}{why}", language.pick(" ", ""));
    let because =
        |start: &str, reason: &Reason| with(start, reason::cause_sentence(reason, language));
    match fact {
        Fact::Sent => words.sent().into(),
        Fact::Paying => words.at_password().into(),
        Fact::Asked(reason) => reason::cause_sentence(reason, language),
        Fact::NotPaidYet => words.not_paid_yet().into(),
        Fact::NotFoundYet => words.not_known_yet().into(),
        Fact::Unclear(reason) => because(words.unclear(), reason),
        Fact::Refused(reason) => because(words.refused(), reason),
        Fact::NeverSent(reason) => because(words.never_sent(), reason),
        Fact::Failed(reason) => reason::cause_sentence(reason, language),
        Fact::Paid => words.paid().into(),
        Fact::PaidLate => words.paid_late().into(),
        Fact::Cancelled => words.cancelled().into(),
        Fact::TimeUp => words.time_up().into(),
        Fact::Restarted => words.restarted().into(),
        Fact::ReversalAccepted => words.reversal_accepted().into(),
        Fact::CodeOrdered => words.code_ordered().into(),
        Fact::CodeReady => words.code_ready().into(),
        Fact::CodeExpired => words.code_expired().into(),
        Fact::ClosingAccepted => words.closing_accepted().into(),
        Fact::ClosingFailed(reason) => because(words.closing_failed(), reason),
        Fact::ReversalRepeats(reason) => because(words.reversal_repeats(), reason),
        Fact::ReversalRefused(reason) => {
            with(words.reversal_refused(), reason::reversal_cause(reason, language))
        }
        Fact::Ended(Ending::Closed) => words.closed().into(),
        Fact::Ended(Ending::Revoked) => words.revoked().into(),
        Fact::Ended(Ending::Returned) | Fact::Returned => words.returned().into(),
        Fact::Ended(Ending::Refunded) => words.refunded().into(),
        Fact::PartlyReturned(reason) => reason::cause_sentence(reason, language),
        Fact::NotReturned => words.not_returned().into(),
        Fact::Cash => words.cash().into(),
        Fact::CashReturned => words.cash_returned().into(),
        Fact::Reprinted(copy) => words.reprinted(*copy),
        Fact::Refund(id, status) => words.refund(*id, refund::word(*status, language)),
        Fact::NoEnd => words.no_end().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_the_title_are_sentences_in_both_languages() {
        for [english, chinese] in StoryWords::all().into_iter().skip(1) {
            assert!(english.ends_with(['.', '}']), "{english}");
            assert!(chinese.ends_with(['。', '}']), "{chinese}");
        }
    }
}
