//! What happened to an order, as a journal or a backend's books tell it.

use crate::engine::By;
use crate::language::Language;
use crate::payment::{
    Answer, Call, CallKind, CloseSaid, Event, Found, Inconclusive, Ordered, Proof, Reason, Refunds,
    Reversed, Submitted,
};
use crate::refund::{Looked, Queried, RefundAnswer, RefundEvent, RefundSaid};
use crate::say;

/// One event.
pub fn event(event: &Event, language: Language) -> String {
    match event {
        Event::Begun => language.pick("started", "开始").to_owned(),
        Event::Answered(number, said) => say!(
            language,
            "answer to {call}: {answer}",
            "{call} 的结果：{answer}",
            call = call(Call { kind: said.kind(), number: *number }, language),
            answer = answer(said, language)
        ),
        Event::Tick => language.pick("time passed", "到时").to_owned(),
        Event::Cancel => language.pick("cancelled by the cashier", "收银员取消").to_owned(),
        Event::MerchantChanged => language
            .pick("the till sells for another merchant", "收银机已改用其他商户号")
            .to_owned(),
        Event::Settled(how) => say!(language, "settled by a person: {how}", "人工处理：{how}"),
        Event::Billed { day, listed: true } => {
            say!(language, "in the bill of {day}", "{day} 的账单中有这笔")
        }
        Event::Billed { day, listed: false } => {
            say!(language, "not in the bill of {day}", "{day} 的账单中没有这笔")
        }
        Event::CheckNow => language.pick("checked now by the cashier", "收银员立即查询").to_owned(),
        Event::Restarted { .. } => language.pick("the till restarted", "收银机重新启动").to_owned(),
    }
}

/// Behind what somebody did: who it was, and who agreed to it.
pub fn by(by: &By, language: Language) -> String {
    let By { operator, consent } = by;
    match consent {
        None => say!(language, " (by {operator})", "（操作员：{operator}）"),
        Some(manager) => say!(
            language,
            " (by {operator}, with the consent of {manager})",
            "（操作员：{operator}，店长同意：{manager}）"
        ),
    }
}

/// One event of a refund.
pub fn refund_event(event: &RefundEvent, language: Language) -> String {
    let (english, chinese) = match event {
        RefundEvent::Begun => ("started", "开始"),
        RefundEvent::Answered(number, said) => {
            let answer = refund_answer(said);
            let call = match said {
                RefundAnswer::Said(_) => language.pick("refund", "退款"),
                RefundAnswer::Looked(_) | RefundAnswer::Queried(_) => {
                    language.pick("refund query", "退款查询")
                }
            };
            return say!(
                language,
                "answer to {call} {number}: {answer}",
                "{call} {number} 的结果：{answer}"
            );
        }
        RefundEvent::Tick => ("time passed", "到时"),
        RefundEvent::Settled(how) => {
            return say!(language, "settled by a person: {how}", "人工处理：{how}");
        }
        RefundEvent::CheckNow => ("checked now by the cashier", "收银员立即查询"),
        RefundEvent::MerchantChanged => {
            ("the till sells for another merchant", "收银机已改用其他商户号")
        }
        RefundEvent::Restarted { .. } => ("the till restarted", "收银机重新启动"),
    };
    language.pick(english, chinese).to_owned()
}

/// As [`answer`], about a refund.
pub fn refund_answer(answer: &RefundAnswer) -> String {
    match answer {
        RefundAnswer::Looked(Looked::Page(page)) => format!("refund_count={}", page.total),
        RefundAnswer::Said(RefundSaid::Accepted) => "SUCCESS".into(),
        RefundAnswer::Said(RefundSaid::Refused(reason) | RefundSaid::Blocked(reason)) => {
            code(reason)
        }
        RefundAnswer::Queried(queried) => match queried {
            Queried::Done(_) => "SUCCESS".into(),
            Queried::Processing => "PROCESSING".into(),
            Queried::Closed => "REFUNDCLOSE".into(),
            Queried::Abnormal => "CHANGE".into(),
            Queried::NotFound => "REFUNDNOTEXIST".into(),
            Queried::Inconclusive(what) => inconclusive(what),
        },
        RefundAnswer::Looked(Looked::Inconclusive(what))
        | RefundAnswer::Said(RefundSaid::Inconclusive(what)) => inconclusive(what),
    }
}

/// A call, by its number.
pub fn call(call: Call, language: Language) -> String {
    let Call { kind, number } = call;
    let name = match kind {
        CallKind::Submit => language.pick("payment request", "收款请求"),
        CallKind::Query => language.pick("query", "查询"),
        CallKind::Reverse => language.pick("reversal", "撤销"),
        CallKind::RefundQuery => language.pick("refund query", "退款查询"),
        CallKind::Order => language.pick("order for a QR code", "下单取码"),
        CallKind::Close => language.pick("closing", "关闭订单"),
    };
    format!("{name} {number}")
}

/// An answer, in the gateway's own words, which are the same in every language.
pub fn answer(answer: &Answer, language: Language) -> String {
    match answer {
        Answer::Submitted(submitted) => match submitted {
            Submitted::Paid(proof) => paid(proof, language),
            Submitted::Paying => "USERPAYING".into(),
            Submitted::Asked(reason)
            | Submitted::Declined(reason)
            | Submitted::Ambiguous(reason) => code(reason),
            Submitted::Inconclusive(what) => inconclusive(what),
        },
        Answer::Found(found) => match found {
            Found::Paid(proof) => paid(proof, language),
            Found::Paying => "USERPAYING".into(),
            Found::NotPaid => "NOTPAY".into(),
            Found::Failed(reason)
            | Found::Declined { reason, .. }
            | Found::AnotherTills(reason) => code(reason),
            Found::Returning => language.pick("being returned", "款项退回中").into(),
            Found::Ended(ending) => ending.code().into(),
            Found::NotFound => "ORDERNOTEXIST".into(),
            Found::Inconclusive(what) => inconclusive(what),
        },
        Answer::Reversed(reversed) => match reversed {
            Reversed::Accepted => "SUCCESS, recall=N".into(),
            Reversed::Repeat(reason) | Reversed::Refused(reason) | Reversed::Expired(reason) => {
                code(reason)
            }
            Reversed::Inconclusive(what) => inconclusive(what),
        },
        Answer::Ordered(ordered) => match ordered {
            Ordered::Code(code_url) => code_url.as_str().to_owned(),
            Ordered::Refused(reason) | Ordered::Ambiguous(reason) => code(reason),
            Ordered::Inconclusive(what) => inconclusive(what),
        },
        Answer::Closed(said) => match said {
            CloseSaid::Accepted => "SUCCESS".into(),
            CloseSaid::Paid(reason) | CloseSaid::Repeat(reason) | CloseSaid::Refused(reason) => {
                code(reason)
            }
            CloseSaid::Inconclusive(what) => inconclusive(what),
        },
        Answer::Refunds(refunds) => match refunds {
            Refunds::Whole => language.pick("refunded in full", "已全额退款").into(),
            Refunds::Part(reason) => format!("{} {}", code(reason), reason.text),
            Refunds::Untold => language.pick("refunded", "已退款").into(),
            Refunds::None => "REFUNDNOTEXIST".into(),
            Refunds::Inconclusive(what) => inconclusive(what),
        },
    }
}

fn paid(proof: &Proof, language: Language) -> String {
    say!(language, "paid {id}", "已支付 {id}", id = proof.transaction_id)
}

fn inconclusive(what: &Inconclusive) -> String {
    code(what.reason())
}

fn code(reason: &Reason) -> String {
    reason.code().to_owned()
}

/// An event for programs: the same in every language and version.
pub fn event_words(event: &Event) -> String {
    match event {
        Event::Begun => "begun".into(),
        Event::Answered(number, said) => {
            let answer = answer(said, Language::English);
            format!("answer to {} {number}: {answer}", said.kind().word())
        }
        Event::Tick => "time".into(),
        Event::Cancel => "cancelled by the cashier".into(),
        Event::MerchantChanged => "the till sells for another merchant".into(),
        Event::Settled(_) => "settled by a person".into(),
        Event::Billed { day, listed: true } => format!("in the bill of {day}"),
        Event::Billed { day, listed: false } => format!("not in the bill of {day}"),
        Event::CheckNow => "checked now by the cashier".into(),
        Event::Restarted { .. } => "the till started again".into(),
    }
}

/// The same of a refund.
pub fn refund_event_words(event: &RefundEvent) -> String {
    match event {
        RefundEvent::Begun => "begun".into(),
        RefundEvent::Answered(number, said) => {
            format!("answer to {} {number}: {}", said.word(), refund_answer(said))
        }
        RefundEvent::Tick => "time".into(),
        RefundEvent::Settled(_) => "settled by a person".into(),
        RefundEvent::CheckNow => "checked now by the cashier".into(),
        RefundEvent::MerchantChanged => "the till sells for another merchant".into(),
        RefundEvent::Restarted { .. } => "the till started again".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::TillCause;

    #[test]
    fn events_are_reported_in_the_language_and_answers_in_the_gateways_own_words() {
        let answered = Event::Answered(2, Answer::Found(Found::NotPaid));
        assert_eq!(event(&answered, Language::English), "answer to query 2: NOTPAY");
        assert_eq!(event(&answered, Language::Chinese), "查询 2 的结果：NOTPAY");
        let lost = Inconclusive::Unknown(TillCause::NoAnswer.into());
        let lost = Event::Answered(2, Answer::inconclusive(CallKind::Query, lost));
        assert_eq!(event(&lost, Language::Chinese), "查询 2 的结果：no_answer");
        for each in [Event::Begun, Event::Tick, Event::Cancel, Event::CheckNow] {
            assert!(event(&each, Language::English).is_ascii());
            let is_chinese = |letter: char| ('\u{4e00}'..='\u{9fff}').contains(&letter);
            assert!(event(&each, Language::Chinese).chars().all(is_chinese));
        }
    }
}
