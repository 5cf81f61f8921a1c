//! The training customers, in words for the cashier.

use crate::language::Language;

crate::catalogue! {
    /// What is said of a code that no training customer has shown.
    pub struct PractiseWords;

    real_code =>
        "Training: this payment code is only practised with. It always pays, and the customer is \
         not charged.",
        "练习模式：这个付款码仅用于练习，一律按支付成功处理，不会向顾客扣款。";
}

/// What a training customer does, by the name of the scenario.
pub fn customer(scenario: &str, language: Language) -> &str {
    let (english, chinese) = match scenario {
        "ok" => ("pays at once", "立即付款"),
        "password" => ("enters a password, pays after 8 s", "输入密码，8 秒后付款"),
        "walks-away" => ("walks away without paying", "不付款就离开"),
        "cancels" => ("cancels on the phone after 8 s", "8 秒后在手机上取消"),
        "notenough" => ("does not have enough money", "余额不足"),
        "auth-code-expire" => ("shows an expired code", "付款码已过期"),
        "notsupportcard" => ("has a card that is not accepted", "银行卡不支持"),
        "slow" => ("pays, but the answer is slow", "付款成功，但结果返回很慢"),
        "answer-lost" => ("pays, but the answer is lost", "已付款，但结果丢失"),
        "request-lost" => ("the request is lost", "收款请求丢失"),
        "systemerror" => ("pays, but the answer is a system error", "已付款，却返回系统错误"),
        "forged" => ("a forged answer says paid", "伪造的“支付成功”结果"),
        "wrong-amount" => {
            ("pays, but the answer has a different amount", "已付款，但返回的金额不符")
        }
        "recall" => ("never pays, and the reversal must be repeated", "不付款，撤销需要重试"),
        "pays-during-reversal" => ("pays just as the payment is reversed", "撤销的同时付款"),
        "reverse-refused" => ("pays late, and the reversal is refused", "超时后才付款，撤销被拒绝"),
        "signerror" => ("the shop's key is wrong", "商户密钥配置错误"),
        "scans" => ("scans our code, pays after 6 s", "扫我们的收款码，6 秒后付款"),
        "scans-only" => ("scans our code and never pays", "扫我们的收款码，但不付款"),
        "scans-at-the-end" => {
            ("scans our code, pays just as it is closed", "扫我们的收款码，关闭订单的同时付款")
        }
        "random" => ("anything may happen", "随机情况"),
        other => (other, other),
    };
    language.pick(english, chinese)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::{SCANNERS, Scenario};

    #[test]
    fn every_customer_of_the_menu_has_words_in_both_languages() {
        let shows = Scenario::menu().into_iter().map(|scenario| scenario.name().into_owned());
        for name in shows.chain(SCANNERS.map(|(name, _)| name.to_owned())) {
            assert_ne!(customer(&name, Language::Chinese), name);
            assert_ne!(customer(&name, Language::English), customer(&name, Language::Chinese));
        }
    }
}
