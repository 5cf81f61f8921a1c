//! Where a refund is and why, in plain words: what happened, whether the money went back, what to do.

use super::reason::cause_sentence;
use crate::language::Language;
use crate::money::{Currency, Money};
use crate::payment::{Cause, Reason, Status, TillCause};
use crate::refund::{RefundRefusal, RefundState, RefundStatus};
use crate::say;

/// A refund's status in a word or two.
pub const fn word(status: RefundStatus, language: Language) -> &'static str {
    let (english, chinese) = match status {
        RefundStatus::Sent => ("SENDING REFUND", "退款提交中"),
        RefundStatus::Checking => ("CHECKING REFUND", "退款查询中"),
        RefundStatus::Accepted => ("REFUND ACCEPTED", "退款已受理"),
        RefundStatus::Done => ("REFUNDED", "已退款"),
        RefundStatus::Refused => ("NOT REFUNDED", "未退款"),
        RefundStatus::Attention => ("NEEDS ATTENTION", "需人工处理"),
    };
    language.pick(english, chinese)
}

/// Why a refund is where it is, and whether the money went back, as one text; `None` if there is no
/// reason.
pub fn of(state: &RefundState, currency: Currency, language: Language) -> Option<String> {
    let reason = state.reason()?;
    // Where its money is only that person knows.
    if reason.cause == Cause::Till(TillCause::Settled) {
        return Some(cause_sentence(&reason, language));
    }
    let happened = happened(&reason, state.left(), currency, language);
    let gap = language.pick(" ", "");
    Some(format!("{happened}{gap}{}", money(state, language)))
}

/// Whether the money went back, as far as known.
pub const fn money(state: &RefundState, language: Language) -> &'static str {
    let (english, chinese) = match state.status() {
        RefundStatus::Done if state.is_cash() => {
            ("Give it to the customer in cash.", "请以现金退给顾客。")
        }
        RefundStatus::Done => ("The money was returned to the customer.", "款项已退给顾客。"),
        RefundStatus::Accepted => {
            ("The money is on its way to the customer.", "款项正在原路退回。")
        }
        RefundStatus::Refused => ("Nothing was given back.", "没有退款。"),
        RefundStatus::Attention if !state.counts() => ("Nothing was given back.", "没有退款。"),
        RefundStatus::Attention => {
            ("The customer has not received the money.", "顾客尚未收到退款。")
        }
        RefundStatus::Sent | RefundStatus::Checking => {
            ("It is not known yet whether the money goes back.", "暂不确定是否已退款。")
        }
    };
    language.pick(english, chinese)
}

/// What the cashier should do now.
pub const fn advice(state: &RefundState, language: Language) -> &'static str {
    let (english, chinese) = match state.status() {
        RefundStatus::Sent | RefundStatus::Checking => (
            "Do not give the money back in another way: the till finds out, also after a restart.",
            "请勿用其他方式退款：收银机会继续查询，重新启动后也会继续。",
        ),
        RefundStatus::Done if state.is_cash() => {
            ("Give the customer this money from the drawer.", "请从钱箱取出现金，交给顾客。")
        }
        RefundStatus::Accepted | RefundStatus::Done => (
            "The customer sees the refund in WeChat: at once, or in up to three days on a card.",
            "顾客可在微信中查看：零钱即时到账，银行卡一般三个工作日内到账。",
        ),
        RefundStatus::Refused => (
            "See to the cause and refund again, or give the money back in another way.",
            "请排除原因后重新退款，或用其他方式退款。",
        ),
        RefundStatus::Attention => (
            "Tell the manager: the merchant platform shows this refund.",
            "请通知店长在商户平台处理这笔退款。",
        ),
    };
    language.pick(english, chinese)
}

fn happened(
    reason: &Reason,
    left: Option<Money>,
    currency: Currency,
    language: Language,
) -> String {
    let (english, chinese) = match &reason.cause {
        Cause::Till(TillCause::MoreThanLeft) => {
            return more_than_left(left.unwrap_or_default(), currency, language);
        }
        Cause::Till(TillCause::Restarted) => {
            ("The till was restarted during the refund.", "退款过程中收银机重新启动。")
        }
        Cause::Till(TillCause::MerchantChanged) => (
            "This refund is of another mch_id, and the till cannot ask about it. Set that mch_id and \
             its key again and restart the till, or see to it at the merchant platform.",
            "这笔退款属于另一个商户号，收银机无法查询。请改回原商户号及密钥后重新启动，或在商户平台处理。",
        ),
        Cause::Till(_) => return cause_sentence(reason, language),
        Cause::Gateway(code) => match refund_code(code) {
            Some(sentences) => sentences,
            None => return cause_sentence(reason, language),
        },
    };
    let said = language.pick(english, chinese).to_owned();
    if reason.code() != "ERROR" || reason.text.is_empty() {
        return said;
    }
    // The code alone says nothing.
    let text = crate::clean::clean(&reason.text, GATEWAY_WORDS);
    say!(language, "{said} WeChat Pay says: \"{text}\".", "{said}微信支付提示：“{text}”。")
}

/// How much of the gateway's own text is repeated, in cells.
const GATEWAY_WORDS: usize = 100;

/// Codes that mean something else of a refund than of a payment (protocol 4.6, 4.7).
fn refund_code(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "NOTENOUGH" => (
            "The shop's balance at WeChat Pay is too low: top it up, then refund again.",
            "商户在微信支付的余额不足：请充值后重新退款。",
        ),
        "TRADE_OVERDUE" => (
            "The payment is more than a year old: return the money in another way.",
            "付款已超过一年：请用其他方式退款。",
        ),
        "USER_ACCOUNT_ABNORMAL" => (
            "The customer's account is closed: return the money in another way.",
            "顾客账户异常或已注销：请用其他方式退款。",
        ),
        "ERROR" => ("WeChat Pay refuses the refund.", "微信支付拒绝了这笔退款。"),
        "REFUNDCLOSE" => ("WeChat Pay has closed the refund.", "退款已被微信支付关闭。"),
        "CHANGE" => (
            "The customer's card does not take the refund: it must be returned at the merchant \
             platform.",
            "退款异常（顾客的银行卡已注销或冻结）：请到商户平台处理。",
        ),
        "SYSTEMERROR" | "BIZERR_NEED_RETRY" => (
            "WeChat Pay was busy or had an internal error; the same refund is sent again.",
            "微信支付系统繁忙或出错，将重新提交同一笔退款。",
        ),
        "FREQUENCY_LIMITED" | "INVALID_REQ_TOO_MUCH" => (
            "WeChat Pay received too many requests; the same refund is sent again later.",
            "请求过于频繁，稍后将重新提交同一笔退款。",
        ),
        _ => return None,
    })
}

fn more_than_left(left: Money, currency: Currency, language: Language) -> String {
    let left = format!("{} {}", currency.code(), currency.group(left));
    say!(language, "Only {left} of this payment can be refunded.", "这笔付款最多还可退 {left}。")
}

/// Why an order is not refunded, as one text. Nothing was sent.
pub fn refusal(why: &RefundRefusal, currency: Currency, language: Language) -> String {
    let (english, chinese) = match why {
        RefundRefusal::Stopped => ("The journal cannot be written.", "无法保存交易记录。"),
        RefundRefusal::NotPaid(Status::Declined | Status::Reversed) => {
            ("This order was not paid, or its money went back.", "这笔订单没有收款，或款项已退回。")
        }
        RefundRefusal::NotPaid(_) => (
            "This order is not settled yet: only a paid one can be refunded.",
            "这笔订单尚未完成，只有支付成功的订单才能退款。",
        ),
        RefundRefusal::PartPaid => (
            "The rest of this sale is not paid yet: take it, or end the sale and give its cash back.",
            "本次销售还有余款未付：请先收取余款，或结束销售并退回已收的现金。",
        ),
        RefundRefusal::AnotherMerchants => (
            "This order was paid to another mch_id than the one that is configured now.",
            "这笔订单属于另一个商户号，不是当前配置的商户号。",
        ),
        RefundRefusal::TooOld => (
            "The payment is more than a year old: return the money in another way.",
            "付款已超过一年：请用其他方式退款。",
        ),
        RefundRefusal::NothingLeft => {
            ("All of this payment was refunded before.", "这笔付款已全部退款。")
        }
        RefundRefusal::MoreThanLeft(left) => return more_than_left(*left, currency, language),
        RefundRefusal::TooMany => {
            ("This order was refunded as often as an order can be.", "这笔订单的退款次数已达上限。")
        }
        RefundRefusal::Unclear(number) => {
            return say!(
                language,
                "What becomes of refund {number} is not known yet: wait for its end.",
                "退款 {number} 的结果尚不明确，请等它完成。"
            );
        }
        RefundRefusal::TooSoon(wait) => {
            let seconds = wait.seconds_up();
            return say!(
                language,
                "Two refunds of an order are a minute apart: try again in {seconds} s.",
                "同一订单两次退款须间隔一分钟，请 {seconds} 秒后再试。"
            );
        }
    };
    language.pick(english, chinese).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;
    use crate::payment::{Inconclusive, Rules};
    use crate::refund::{
        KnownRefund, Looked, OutRefundNo, Queried, RefundAnswer, RefundEvent, RefundPage,
        RefundPlan, RefundSaid,
    };

    /// A refund whose calls are answered like this, one after the other.
    fn refund(answers: &[RefundAnswer]) -> RefundState {
        let paid = Money::from_minor(1234);
        let mut state =
            RefundState::begin(RefundPlan { amount: paid, paid, earlier: Vec::new() }, 0);
        let rules = Rules::default();
        let mut now = Millis(0);
        for answer in answers {
            if state.awaited().is_none() {
                now = state.wake_at(&rules).unwrap();
                let _ = state.step(&RefundEvent::Tick, now, &rules);
            }
            let number = state.awaited().unwrap().number;
            let _ = state.step(&RefundEvent::Answered(number, answer.clone()), now, &rules);
        }
        state
    }

    fn nothing_yet() -> RefundAnswer {
        RefundAnswer::Looked(Looked::Page(RefundPage::default()))
    }

    fn said(state: &RefundState, language: Language) -> String {
        of(state, Currency::CNY, language).unwrap()
    }

    #[test]
    fn a_refund_is_told_as_one_whatever_the_code_means_of_a_payment() {
        let not_there = RefundAnswer::Queried(Queried::NotFound);
        let refused = |code: &str, text: &str| {
            let why = Reason::gateway(code, text);
            let answer = RefundAnswer::Said(RefundSaid::Refused(why));
            refund(&[nothing_yet(), answer, not_there.clone()])
        };
        let state = refused("NOTENOUGH", "");
        assert_eq!(
            said(&state, Language::English),
            "The shop's balance at WeChat Pay is too low: top it up, then refund again. Nothing was \
             given back."
        );
        assert_eq!(
            said(&state, Language::Chinese),
            "商户在微信支付的余额不足：请充值后重新退款。没有退款。"
        );
        let english = said(&refused("ERROR", "订单\u{1b}异常"), Language::English);
        assert!(english.contains("says: \"订单异常\""), "{english}");
        for code in ["TRADE_OVERDUE", "USER_ACCOUNT_ABNORMAL", "PARAM_ERROR", "SIGNERROR", "NEW"] {
            let state = refused(code, "");
            assert!(said(&state, Language::English).ends_with(". Nothing was given back."));
            assert!(said(&state, Language::Chinese).ends_with("。没有退款。"), "{code}");
        }
    }

    #[test]
    fn what_is_left_is_named_and_what_is_unknown_is_not_called_refused() {
        let elsewhere =
            KnownRefund { number: "P1".into(), amount: Money::from_minor(1000), counts: true };
        let page = RefundPage { total: 1, refunds: vec![elsewhere] };
        let state = refund(&[RefundAnswer::Looked(Looked::Page(page))]);
        let english = said(&state, Language::English);
        assert!(english.starts_with("Only CNY 2.34 of this payment"), "{english}");
        let lost = Inconclusive::Unknown(TillCause::NoAnswer.into());
        let lost = RefundAnswer::Said(RefundSaid::Inconclusive(lost));
        let english = said(&refund(&[nothing_yet(), lost]), Language::English);
        assert!(english.ends_with("It is not known yet whether the money goes back."), "{english}");
        let accepted = RefundAnswer::Said(RefundSaid::Accepted);
        for (queried, word, end) in [
            (Queried::Closed, "closed", "Nothing was given back."),
            (Queried::Abnormal, "card", "The customer has not received the money."),
        ] {
            let state = refund(&[nothing_yet(), accepted.clone(), RefundAnswer::Queried(queried)]);
            let english = said(&state, Language::English);
            assert!(english.contains(word) && english.ends_with(end), "{english}");
            assert!(said(&state, Language::Chinese).ends_with('。'));
        }
    }

    #[test]
    fn every_refusal_has_its_own_sentence_in_both_languages() {
        let number = OutRefundNo::try_from("T01-000001R010001".to_owned()).unwrap();
        let all = [
            RefundRefusal::Stopped,
            RefundRefusal::NotPaid(Status::Reversed),
            RefundRefusal::NotPaid(Status::Attention),
            RefundRefusal::PartPaid,
            RefundRefusal::AnotherMerchants,
            RefundRefusal::TooOld,
            RefundRefusal::NothingLeft,
            RefundRefusal::MoreThanLeft(Money::from_minor(1)),
            RefundRefusal::TooMany,
            RefundRefusal::Unclear(number),
            RefundRefusal::TooSoon(Millis(1)),
        ];
        for language in Language::ALL {
            let said = all.iter().map(|why| refusal(why, Currency::CNY, language));
            let said: std::collections::BTreeSet<String> = said.collect();
            assert_eq!(said.len(), all.len());
            for sentence in said {
                assert!(sentence.ends_with(language.pick('.', '。')), "{sentence}");
                assert_eq!(sentence.is_ascii(), language == Language::English, "{sentence}");
            }
            let words = RefundStatus::ALL.map(|status| word(status, language));
            let words: std::collections::BTreeSet<&str> = words.into_iter().collect();
            assert_eq!(words.len(), RefundStatus::ALL.len());
        }
    }
}
