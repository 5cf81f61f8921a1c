//! The customers that training offers, in words for the cashier.

use crate::language::Language;

/// What a training customer does, by the scenario's name.
pub fn customer(scenario: &str, language: Language) -> &str {
    let (english, chinese) = match scenario {
        "ok" => ("pays at once", "立即付款"),
        "password" => ("types a password, pays after 8 s", "输入密码，8 秒后付款"),
        "walks-away" => ("walks away without paying", "不付款就离开"),
        "cancels" => ("cancels on the phone after 8 s", "8 秒后在手机上取消"),
        "notenough" => ("has not enough money", "余额不足"),
        "auth-code-expire" => ("shows an expired code", "付款码已过期"),
        "notsupportcard" => ("has a card that is not accepted", "银行卡不支持"),
        "slow" => ("pays, the gateway answers slowly", "付款成功，但网关响应慢"),
        "answer-lost" => ("pays, the answer is lost", "已付款，但应答丢失"),
        "request-lost" => ("the request is lost", "请求丢失"),
        "systemerror" => ("pays, the gateway says system error", "已付款，网关却报系统错误"),
        "forged" => ("a forged answer claims payment", "伪造的“支付成功”应答"),
        "wrong-amount" => ("pays, the answer has another amount", "已付款，应答金额不符"),
        "recall" => ("never pays, reversal must be repeated", "不付款，撤销需要重试"),
        "pays-during-reversal" => ("pays in the moment of the reversal", "撤销的同时付了款"),
        "reverse-refused" => ("pays late, no reversal is accepted", "迟付款，且撤销被拒"),
        "signerror" => ("the shop's key is wrong", "商户密钥配置错误"),
        "random" => ("anything may happen", "随机情况"),
        other => (other, other),
    };
    match language {
        Language::English => english,
        Language::Chinese => chinese,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::Scenario;

    #[test]
    fn every_customer_of_the_menu_has_words_in_both_languages() {
        for scenario in Scenario::menu() {
            let name = scenario.name();
            assert_ne!(customer(&name, Language::Chinese), name);
            assert_ne!(customer(&name, Language::English), customer(&name, Language::Chinese));
        }
    }
}
