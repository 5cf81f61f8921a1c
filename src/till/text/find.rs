//! What `paytill find` says.

use crate::language::Text;
use crate::{both, catalogue};

/// One word on what became of an order at the gateway.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    Paid,
    /// It took no money, and will take none.
    Unpaid,
    /// Withdrawn; money that was taken goes back.
    Reversed,
    /// Paid, and at least a part of it was given back.
    Refunded,
    Unknown,
    /// No order of this till.
    Foreign,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Paid, Self::Unpaid, Self::Reversed, Self::Refunded, Self::Unknown, Self::Foreign];

    /// The word for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Unpaid => "unpaid",
            Self::Reversed => "reversed",
            Self::Refunded => "refunded",
            Self::Unknown => "unknown",
            Self::Foreign => "foreign",
        }
    }
}

catalogue! {
    /// The words of the verdicts, and what is said around them.
    pub struct FindWords;
    paid => "PAID", "支付成功";
    unpaid => "NOT PAID", "未支付";
    reversed => "REVERSED", "已撤销";
    refunded => "REFUNDED", "已退款";
    unknown => "UNKNOWN", "结果未知";
    foreign => "NOT OURS", "非本机订单";
    verdict(word: &str) => "now: {word}", "当前：{word}";
    by_journal(word: &str) => "by this till's journal: {word}", "本机交易记录：{word}";
    not_in_journal =>
        "WeChat Pay knows this number, but the journal does not have it. Look it up on the merchant \
         platform.",
        "微信支付有这个单号，但交易记录中没有。请到商户平台查看。";
    not_counted_yet =>
        "The customer has paid, but this till has not recorded it yet: ask again in a moment.",
        "顾客已付款，但本机尚未入账，请稍后再查。";
    being_ended =>
        "The customer has paid, but this till is reversing or closing the order: its own result \
         counts.",
        "顾客已付款，但本机正在撤销或关闭这笔订单：请以本机的最终结果为准。";
    held_after_all =>
        "WeChat Pay shows this order as paid, but this till has ended it without the money. Look it \
         up on the merchant platform.",
        "微信支付显示已付款，但本机已结束这笔订单。请到商户平台核实。";
    being_refunded =>
        "The customer has paid, but this till is giving money of it back: ask again in a moment.",
        "顾客已付款，但本机正在办理退款，请稍后再查。";
    training =>
        "In training the till is not connected to WeChat Pay, which cannot be asked.",
        "练习模式未连接微信支付，无法查询。";
    cash =>
        "It was paid in cash: WeChat Pay knows nothing of it and was not asked.",
        "这笔是现金收款，微信支付没有记录，未查询。";
    none => "no matching orders", "没有符合条件的订单";
    asked(count: usize) =>
        "only the newest {count} were asked about; give more of the number",
        "只查询了最新的 {count} 笔；请多输入几位";
}

impl FindWords {
    /// The word of a verdict.
    pub const fn word(self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Paid => self.paid(),
            Verdict::Unpaid => self.unpaid(),
            Verdict::Reversed => self.reversed(),
            Verdict::Refunded => self.refunded(),
            Verdict::Unknown => self.unknown(),
            Verdict::Foreign => self.foreign(),
        }
    }
}

/// Why nothing was searched for.
pub fn not_searched() -> Text {
    both!(
        "this is not an order number, an amount, a time or a state; payment codes are never searched \
         for. Scan the receipt, or the number on the customer's payment page",
        "这不是单号、金额、时间或状态；付款码不能用来查找。请扫小票，或扫顾客账单页上的商户单号"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn every_verdict_has_a_word_of_its_own_in_both_languages() {
        for language in Language::ALL {
            let words = Verdict::ALL.map(|verdict| FindWords::of(language).word(verdict));
            for (at, word) in words.iter().enumerate() {
                assert!(!words[..at].contains(word), "{word}");
            }
        }
    }
}
