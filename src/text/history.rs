//! What happened to an order, as `paytill show` tells it.

use crate::language::Language;
use crate::payment::{Answer, Call, CallKind, Event};
use crate::say;

/// One event.
pub fn event(event: &Event, language: Language) -> String {
    match event {
        Event::Begun => language.pick("started", "开始").to_owned(),
        Event::Answered(call, answer) => say!(
            language,
            "answer to {call}: {answer}",
            "{call} 的结果：{answer}",
            call = self::call(*call, language),
            answer = self::answer(answer, language)
        ),
        Event::Tick => language.pick("time passed", "到时").to_owned(),
        Event::Abandon => language.pick("cancelled by the cashier", "收银员取消").to_owned(),
        Event::PutAside => language.pick("put aside by the cashier", "收银员转后台处理").to_owned(),
        Event::AskNow => language.pick("checked now by the cashier", "收银员立即查询").to_owned(),
        Event::Restarted { .. } => language.pick("the till restarted", "收银机重新启动").to_owned(),
    }
}

/// A call, by its number.
pub fn call(call: Call, language: Language) -> String {
    let Call { kind, number } = call;
    let name = match kind {
        CallKind::Submit => language.pick("payment request", "收款请求"),
        CallKind::Query => language.pick("query", "查询"),
        CallKind::Reverse => language.pick("reversal", "撤销"),
    };
    format!("{name} {number}")
}

/// An answer: in the gateway's own words, which are the same in every language.
pub fn answer(answer: &Answer, language: Language) -> String {
    match answer {
        Answer::Paid(proof) => {
            say!(language, "paid {id}", "已支付 {id}", id = proof.transaction_id)
        }
        Answer::Paying => "USERPAYING".into(),
        Answer::NotPaid => "NOTPAY".into(),
        Answer::Ended(ending) => ending.code().into(),
        Answer::Absent => "ORDERNOTEXIST".into(),
        Answer::Withdrawn => "SUCCESS, recall=N".into(),
        Answer::Failed(reason)
        | Answer::Declined(reason)
        | Answer::Doubtful(reason)
        | Answer::Refused(reason)
        | Answer::NotYet(reason)
        | Answer::Irreversible(reason)
        | Answer::Expired(reason)
        | Answer::NotSent(reason)
        | Answer::Unknown(reason) => reason.code.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::Reason;

    #[test]
    fn events_are_told_in_the_language_and_answers_in_the_gateways_own_words() {
        let query = Call { kind: CallKind::Query, number: 2 };
        let answered = Event::Answered(query, Answer::NotPaid);
        assert_eq!(event(&answered, Language::English), "answer to query 2: NOTPAY");
        assert_eq!(event(&answered, Language::Chinese), "查询 2 的结果：NOTPAY");
        let lost = Event::Answered(query, Answer::Unknown(Reason::new("timeout")));
        assert_eq!(event(&lost, Language::Chinese), "查询 2 的结果：timeout");
        for each in [Event::Begun, Event::Tick, Event::Abandon, Event::PutAside, Event::AskNow] {
            assert!(event(&each, Language::English).is_ascii());
            assert!(event(&each, Language::Chinese).chars().all(crate::text::is_chinese));
        }
    }
}
