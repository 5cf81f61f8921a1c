//! The scenarios of the simulated gateway, described in a line each.

use crate::language::Language;
use crate::payment::CallKind;
use crate::say;
use crate::simulator::{Fault, RefundCase, Scenario, SpecialCase};

/// The description of a scenario.
pub fn summary(scenario: Scenario, language: Language) -> String {
    match scenario {
        Scenario::Pays => language.pick("pays at once", "立即付款").to_owned(),
        Scenario::Password(seconds) => say!(
            language,
            "types the password, pays after {seconds} s",
            "输入密码，{seconds} 秒后付款"
        ),
        Scenario::WalksAway => language
            .pick("is asked for the password and never pays", "需要输入密码，始终不付款")
            .to_owned(),
        Scenario::Cancels(seconds) => {
            say!(language, "cancels on the phone after {seconds} s", "{seconds} 秒后在手机上取消")
        }
        Scenario::Revoked(seconds) => say!(
            language,
            "the order is revoked elsewhere after {seconds} s",
            "{seconds} 秒后订单在别处被撤销"
        ),
        Scenario::Closed(seconds) => say!(
            language,
            "the order is closed elsewhere after {seconds} s",
            "{seconds} 秒后订单在别处被关闭"
        ),
        Scenario::Slow(seconds) => say!(
            language,
            "WeChat Pay takes the money and answers only after {seconds} s",
            "微信支付 {seconds} 秒后才扣款并应答"
        ),
        Scenario::AnswerLate(seconds) => say!(
            language,
            "paid at once, but the answer comes after {seconds} s",
            "立即扣款，但 {seconds} 秒后才应答"
        ),
        Scenario::Refused { refusal, charged } => say!(
            language,
            "refused with {code}; {money}",
            "拒绝，错误码 {code}；{money}",
            code = refusal.code,
            money = money(charged, language)
        ),
        Scenario::Corrupted { call, fault, charged } => spoilt(call, fault, charged, language),
        Scenario::Odd(special_case) => odd(special_case, language).to_owned(),
        Scenario::Random => language
            .pick("one of all the others, drawn for each order", "每笔订单随机选取以上一种")
            .to_owned(),
    }
}

fn money(charged: bool, language: Language) -> &'static str {
    if charged {
        language.pick("the customer has paid", "顾客已付款")
    } else {
        language.pick("nothing is charged", "未扣款")
    }
}

fn spoilt(call: CallKind, fault: Fault, charged: bool, language: Language) -> String {
    let fault = self::fault(fault, language);
    match call {
        CallKind::Submit => {
            format!("{fault}{}{}", language.pick("; ", "；"), money(charged, language))
        }
        CallKind::Query => say!(
            language,
            "the answer is lost; of two queries, {fault}",
            "收款应答丢失；两次查询时{fault}"
        ),
        CallKind::Reverse | CallKind::RefundQuery => {
            say!(language, "never pays; of two reversals, {fault}", "始终不付款；两次撤销时{fault}")
        }
    }
}

/// A fault as a clause about the answer or the request.
const fn fault(fault: Fault, language: Language) -> &'static str {
    let (english, chinese) = match fault {
        Fault::AnswerLost => ("the connection closes instead of an answer", "连接关闭，没有应答"),
        Fault::RequestLost => ("the request is lost on its way", "请求在途中丢失"),
        Fault::Reset => ("the connection is reset instead of an answer", "连接被重置，没有应答"),
        Fault::Silent => ("no answer ever comes", "一直没有应答"),
        Fault::Late => ("the answer comes after 12 s", "12 秒后才应答"),
        Fault::Drip => ("the answer comes one byte a second", "应答每秒只来一个字节"),
        Fault::Garbage => ("the answer is random bytes", "应答是随机字节"),
        Fault::NotHttp => ("the answer is not even HTTP", "应答不是 HTTP"),
        Fault::Truncated => ("the answer ends in the middle", "应答中途截断"),
        Fault::Html => ("a captive portal answers with a web page", "联网认证页面代为应答"),
        Fault::Empty => ("the answer is empty", "应答为空"),
        Fault::Huge => ("the answer is larger than any real one", "应答异常大"),
        Fault::Doctype => ("the answer declares a document type", "应答含有文档类型声明"),
        Fault::RepeatedField => ("the answer holds a field twice", "应答中有重复字段"),
        Fault::Unsigned => ("the answer is not signed", "应答没有签名"),
        Fault::Forged => ("somebody without the key claims success", "没有密钥者伪造成功"),
        Fault::Downgraded => ("the answer is signed by the wrong algorithm", "应答签名算法不对"),
        Fault::WrongAmount => ("the answer names another amount", "应答金额不符"),
        Fault::WrongNumber => ("the answer is about another order", "应答是别的订单"),
        Fault::WrongMerchant => ("the answer is for another merchant", "应答是别的商户"),
        Fault::WrongCurrency => ("the answer names another currency", "应答币种不符"),
        Fault::Http500 => {
            ("the signed answer comes with HTTP status 500", "应答签名正确，HTTP 状态为 500")
        }
        Fault::Http429 => {
            ("the signed answer comes with HTTP status 429", "应答签名正确，HTTP 状态为 429")
        }
        Fault::Redirect => ("the answer redirects to another host", "应答要求转向其他主机"),
        Fault::ReturnFail => {
            ("the request is refused without a signature", "请求被拒绝，应答没有签名")
        }
    };
    language.pick(english, chinese)
}

const fn odd(special_case: SpecialCase, language: Language) -> &'static str {
    let (english, chinese) = match special_case {
        SpecialCase::DeliveredLate => (
            "held up in the network; reaches WeChat Pay a minute later",
            "在网络中延误，一分钟后才到达微信支付",
        ),
        SpecialCase::QueryFails => (
            "paid, the answer is lost; two queries answer SYSTEMERROR",
            "已付款，应答丢失；两次查询返回 SYSTEMERROR",
        ),
        SpecialCase::QueryNotVisible => (
            "paid, the answer is lost; two queries know no such order",
            "已付款，应答丢失；两次查询查不到此单",
        ),
        SpecialCase::Recall => {
            ("never pays; the reversal must be repeated twice", "始终不付款；撤销需重试两次")
        }
        SpecialCase::ReverseSystemError => {
            ("never pays; two reversals answer SYSTEMERROR", "始终不付款；两次撤销返回 SYSTEMERROR")
        }
        SpecialCase::ReverseUserPaying => (
            "never pays; two reversals are refused with USERPAYING",
            "始终不付款；两次撤销因 USERPAYING 被拒绝",
        ),
        SpecialCase::ReverseRefused => {
            ("pays at the last moment; no reversal is accepted", "最后时刻付款；撤销一直被拒绝")
        }
        SpecialCase::ReverseExpired => {
            ("never pays; reversals are refused as too old", "始终不付款；撤销因超过时限被拒绝")
        }
        SpecialCase::ReverseLies => (
            "never pays; the first reversal claims success, untruly",
            "始终不付款；第一次撤销谎称成功",
        ),
        SpecialCase::PaysDuringReversal => {
            ("pays as the reversal arrives; the money goes back", "撤销到达时付款；款项退回")
        }
        SpecialCase::PartlyRefunded => (
            "paid, the answer is lost; a part is refunded at the merchant platform",
            "已付款，应答丢失；商户平台退了一部分款",
        ),
        SpecialCase::RefundedElsewhere => (
            "paid, the answer is lost; all is refunded at the merchant platform",
            "已付款，应答丢失；商户平台已全额退款",
        ),
        SpecialCase::Refund(case) => refund(case),
    };
    language.pick(english, chinese)
}

const fn refund(case: RefundCase) -> (&'static str, &'static str) {
    match case {
        RefundCase::Slow => ("pays; a refund takes 20 minutes", "付款；退款需要 20 分钟"),
        RefundCase::NotEnough => (
            "pays; the shop's balance is too low for the first refund",
            "付款；第一次退款时商户余额不足",
        ),
        RefundCase::Closed => ("pays; the refund is closed", "付款；退款被关闭"),
        RefundCase::Abnormal => {
            ("pays; the card does not take the refund", "付款；退款异常，银行卡无法入账")
        }
        RefundCase::AnswerLost => {
            ("pays; the answer to the refund is lost", "付款；退款成功，应答丢失")
        }
        RefundCase::RequestLost => ("pays; the refund is lost", "付款；退款请求丢失"),
        RefundCase::Forged => {
            ("pays; the refund's answer has a wrong key", "付款；退款应答的密钥不对")
        }
        RefundCase::Unsigned => {
            ("pays; the refund is refused unsigned", "付款；退款被拒绝，应答没有签名")
        }
        RefundCase::SystemError => (
            "pays; the refund is done, and the answer an error",
            "付款；退款成功，应答却是系统错误",
        ),
        RefundCase::Elsewhere => {
            ("pays; half is refunded at the merchant platform", "付款；商户平台已退一半")
        }
        RefundCase::QueryFails => {
            ("pays; the first refund queries fail", "付款；前两次退款查询出错")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::is_chinese;

    #[test]
    fn every_scenario_has_a_line_of_its_own_in_both_languages() {
        for language in Language::ALL {
            let lines = Scenario::all().into_iter().map(|scenario| summary(scenario, language));
            let mut known = std::collections::HashSet::new();
            for line in lines {
                assert_eq!(line.chars().any(is_chinese), language == Language::Chinese, "{line}");
                assert!(known.insert(line.clone()), "{line}");
            }
        }
    }
}
