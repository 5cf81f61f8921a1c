//! Why a payment is where it is, in plain words: what happened, whether money moved, what to do.

use crate::clean::clean;
use crate::language::Language;
use crate::payment::{LAST_MOMENT, Reason, State, Status};

/// The most cells of the gateway's own words that are repeated.
const GATEWAY_WORDS: usize = 100;

/// Why a payment is where it is and whether money moved, as one text without line breaks; `None`
/// where there is no reason.
pub fn of(state: &State, language: Language) -> Option<String> {
    let (status, reason) = (state.status(), state.reason()?);
    if !state.money_held() {
        return Some(sentence(status, reason, language));
    }
    Some(joined(&behind(status, reason, language), money_held(language), language))
}

/// What happened and whether money moved, as far as status and reason tell.
fn sentence(status: Status, reason: &Reason, language: Language) -> String {
    joined(&behind(status, reason, language), money(status, reason, language), language)
}

fn joined(happened: &str, money: &str, language: Language) -> String {
    match language {
        Language::Chinese => format!("{happened}{money}"),
        Language::English => format!("{happened} {money}"),
    }
}

fn behind(status: Status, reason: &Reason, language: Language) -> String {
    match status {
        Status::Attention => refused_withdrawal(reason, language),
        _ => happened(reason, language),
    }
}

/// What happened to a withdrawal. Some words speak of it there, and not of the payment.
pub fn refused_withdrawal(reason: &Reason, language: Language) -> String {
    match reason.code.as_str() {
        "TRADE_ERROR" | "INVALID_REQUEST" => {
            let what = language
                .pick("WeChat Pay refuses to reverse the payment.", "微信支付拒绝撤销这笔支付。");
            repeated(what.to_owned(), reason, language)
        }
        _ => happened(reason, language),
    }
}

/// Of a payment that is undone, where a query has found it.
pub fn money_held(language: Language) -> &'static str {
    language.pick(
        "The customer has paid, and the money has not been returned yet.",
        "顾客已付款，款项尚未退回。",
    )
}

/// What happened, without a word about the money. It ends with a full stop.
pub fn happened(reason: &Reason, language: Language) -> String {
    let known = explain(&reason.code);
    let (what, repeat) = match (&known, language) {
        (Some(cause), Language::Chinese) => (cause.chinese.to_owned(), cause.repeats_gateway),
        (Some(cause), Language::English) => (cause.english.to_owned(), cause.repeats_gateway),
        (None, Language::Chinese) => (format!("微信支付返回 {}。", code(reason)), true),
        (None, Language::English) => (format!("WeChat Pay answered {}.", code(reason)), true),
    };
    if repeat { repeated(what, reason, language) } else { what }
}

/// With the gateway's own words behind, if there are any.
fn repeated(what: String, reason: &Reason, language: Language) -> String {
    let said = clean(&reason.text, GATEWAY_WORDS);
    match (said.is_empty(), language) {
        (true, _) => what,
        (false, Language::Chinese) => format!("{what}微信支付提示：“{said}”。"),
        (false, Language::English) => format!("{what} WeChat Pay says: \"{said}\"."),
    }
}

/// Whether money moved, as far as it is known.
pub fn money(status: Status, reason: &Reason, language: Language) -> &'static str {
    let returned = reason.code == LAST_MOMENT;
    let (english, chinese) = match status {
        Status::Created => ("Nothing was sent.", "未扣款。"),
        Status::Declined => ("No money moved.", "没有扣款。"),
        Status::Paid => ("Payment received.", "已收款。"),
        Status::Reversed if returned => {
            ("The money is being returned to the customer.", "款项将原路退回。")
        }
        Status::Reversed => ("The customer was not charged.", "未向顾客扣款。"),
        Status::Reversing if returned => {
            ("The money is being returned to the customer.", "款项将原路退回。")
        }
        Status::Reversing => ("Any money taken will be returned.", "如已扣款，将原路退回。"),
        Status::Sent | Status::Waiting | Status::Checking | Status::Attention => {
            ("It is not known yet whether money moved.", "暂不确定是否已扣款。")
        }
    };
    language.pick(english, chinese)
}

/// What the cashier does now.
pub fn advice(state: &State, language: Language) -> &'static str {
    if state.money_held() && state.is_irreversible() {
        return language.pick(
            "Do not charge again. Tell the manager: the merchant platform shows this payment.",
            "请勿重复收款。请通知店长在商户平台处理这笔支付。",
        );
    }
    advice_on(state.status(), state.reason(), language)
}

fn advice_on(status: Status, reason: Option<&Reason>, language: Language) -> &'static str {
    let remedy = reason.and_then(|reason| explain(&reason.code)).map(|cause| cause.remedy);
    let (english, chinese) = match status {
        Status::Created => ("Scan the customer's payment code.", "请扫顾客的付款码。"),
        Status::Sent | Status::Checking => {
            ("Please wait. Keep the goods for now.", "请稍候，先不要交付商品。")
        }
        Status::Waiting => {
            ("Ask the customer to confirm on the phone.", "请顾客在手机上输入密码确认。")
        }
        Status::Paid => ("Hand over the goods.", "请把商品交给顾客。"),
        Status::Reversing => ("Keep the goods until this is finished.", "处理完成前请勿交付商品。"),
        Status::Attention if remedy == Some(Remedy::Manager) => (
            "Keep the goods. Tell the manager what it says here.",
            "请先不要交付商品，并把以上原因告诉店长。",
        ),
        Status::Attention => (
            "Keep the goods. Check the payment on the customer's phone.",
            "请先不要交付商品，查看顾客手机上的支付结果。",
        ),
        Status::Reversed => (
            "Keep the goods. To charge again, scan a new code.",
            "请勿交付商品。如需重新收款，请顾客刷新付款码后再扫。",
        ),
        Status::Declined => return remedy.unwrap_or(Remedy::AskCustomer).says(language),
    };
    language.pick(english, chinese)
}

/// What helps against a payment that was not made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Remedy {
    FreshCode,
    OtherFunds,
    AskCustomer,
    ScanAgain,
    Manager,
    Network,
}

impl Remedy {
    fn says(self, language: Language) -> &'static str {
        let (english, chinese) = match self {
            Self::FreshCode => (
                "Ask the customer to refresh the payment code, then scan it.",
                "请顾客刷新付款码，然后再扫一次。",
            ),
            Self::OtherFunds => (
                "Ask the customer to choose another card, then scan the code again.",
                "请顾客更换支付方式（零钱或其他银行卡），然后再扫付款码。",
            ),
            Self::AskCustomer => (
                "Check the customer's phone. Scan a new code, or use another way to pay.",
                "请查看顾客手机上的提示。可扫新的付款码，或改用其他方式收款。",
            ),
            Self::ScanAgain => (
                "Scan the customer's code again; it gets a new order number.",
                "请再扫一次付款码，会自动使用新的订单号。",
            ),
            Self::Manager => (
                "Do not retry: tell the manager, and use cash or another way to pay.",
                "请勿重试：请通知店长，并改用现金或其他方式收款。",
            ),
            Self::Network => (
                "Check the network, then scan the customer's code again.",
                "请检查网络，然后再扫一次付款码。",
            ),
        };
        language.pick(english, chinese)
    }
}

struct Cause {
    english: &'static str,
    chinese: &'static str,
    remedy: Remedy,
    /// The gateway's own words say more than the code does.
    repeats_gateway: bool,
}

/// The gateway's codes (protocol 4.2 to 4.5) and the till's own words.
fn explain(code: &str) -> Option<Cause> {
    payment_code(code).or_else(|| set_up_code(code)).or_else(|| own_word(code))
}

/// Codes about this payment, this customer or this moment.
fn payment_code(code: &str) -> Option<Cause> {
    use Remedy::{AskCustomer, FreshCode, Network, OtherFunds, ScanAgain};
    Some(match code {
        "AUTHCODEEXPIRE" => told(FreshCode, "The payment code has expired.", "付款码已过期。"),
        "AUTH_CODE_ERROR" => told(
            FreshCode,
            "This payment code was already used; each code works only once.",
            "付款码已经用过，每个码只能用一次。",
        ),
        "AUTH_CODE_INVALID" => told(
            FreshCode,
            "This is not a valid WeChat payment code, or it has expired.",
            "付款码无效：已失效或不是微信付款码。",
        ),
        "NOTENOUGH" => told(OtherFunds, "Not enough balance.", "顾客余额不足。"),
        "NOTSUPORTCARD" => told(
            OtherFunds,
            "The customer's card cannot be used for this payment.",
            "顾客的银行卡不支持这笔支付。",
        ),
        "TRADE_ERROR" => quoted(
            AskCustomer,
            "The payment was refused on the customer's side.",
            "交易被拒绝（顾客未确认、账户异常或风控限制）。",
        ),
        "PAYERROR" => {
            quoted(AskCustomer, "The payment failed on the customer's side.", "顾客支付失败。")
        }
        "recall" => {
            told(AskCustomer, "WeChat Pay asks to repeat the reversal.", "微信支付要求再次撤销。")
        }
        "USERPAYING" => told(
            AskCustomer,
            "The customer is still confirming on the phone.",
            "顾客仍在手机上确认。",
        ),
        "SYSTEMERROR" => {
            told(ScanAgain, "WeChat Pay had an internal error.", "微信支付系统繁忙或出错。")
        }
        "BANKERROR" => {
            told(ScanAgain, "The customer's bank did not answer in time.", "银行系统超时。")
        }
        "ORDERPAID" => told(
            ScanAgain,
            "WeChat Pay says that this order number was already paid.",
            "该订单号已支付过。",
        ),
        "ORDERCLOSED" | "CLOSED" => {
            told(ScanAgain, "The order is closed at WeChat Pay.", "该订单已关闭。")
        }
        "ORDERREVERSED" | "REVOKED" => {
            told(ScanAgain, "The order was reversed at WeChat Pay.", "该订单已撤销。")
        }
        "REFUND" => told(
            ScanAgain,
            "WeChat Pay says that this order is being refunded.",
            "该订单已转入退款。",
        ),
        "BUYER_MISMATCH" => told(
            ScanAgain,
            "The code belongs to a different customer than the first one for this order number.",
            "付款人与该订单号之前的付款人不一致。",
        ),
        "OUT_TRADE_NO_USED" => {
            told(ScanAgain, "This order number was used before.", "该订单号已被使用过。")
        }
        "ORDERNOTEXIST" => {
            told(ScanAgain, "WeChat Pay does not know this order.", "微信支付查不到该订单。")
        }
        "REVERSE_EXPIRE" => told(
            Remedy::Manager,
            "The payment is too old to be reversed; any money taken must be refunded.",
            "订单已超过可撤销期限；如已扣款，请办理退款。",
        ),
        "FREQUENCY_LIMITED" | "RATELIMIT_EXCEED" => told(
            Network,
            "WeChat Pay received too many requests.",
            "请求过于频繁，被微信支付限制。",
        ),
        _ => return None,
    })
}

/// Codes about the shop's set-up: trying again cannot help.
fn set_up_code(code: &str) -> Option<Cause> {
    use Remedy::Manager;
    Some(match code {
        "NOAUTH" => quoted(
            Manager,
            "The shop may not take this kind of payment code.",
            "商户没有付款码支付权限，或不能使用此付款码。",
        ),
        "INVALID_REQUEST" => quoted(
            Manager,
            "WeChat Pay refused the request: a permission, a certificate, a repeated number or \
             too many requests.",
            "微信支付拒绝了请求：权限、证书、重复提交或频率问题。",
        ),
        "PARAM_ERROR" => quoted(Manager, "A value in the request is wrong.", "请求参数有误。"),
        "LACK_PARAMS" => quoted(Manager, "A value is missing from the request.", "请求缺少参数。"),
        "SIGNERROR" => told(
            Manager,
            "WeChat Pay refused the signature: the API key or the sign type is wrong.",
            "签名错误：API 密钥或签名方式不对。",
        ),
        "XML_FORMAT_ERROR" | "POST_DATA_EMPTY" => told(
            Manager,
            "WeChat Pay could not read the request.",
            "微信支付无法读取请求（格式错误）。",
        ),
        "REQUIRE_POST_METHOD" => told(
            Manager,
            "The request reached WeChat Pay in the wrong form; something in between changed it.",
            "请求方式错误，可能被中间设备改动。",
        ),
        "NOT_UTF8" => told(
            Manager,
            "WeChat Pay could not read the characters of the request.",
            "请求的字符编码有误。",
        ),
        "APPID_NOT_EXIST" => told(
            Manager,
            "WeChat Pay does not know the shop's app_id.",
            "应用编号（app_id）不存在。",
        ),
        "MCHID_NOT_EXIST" => told(
            Manager,
            "WeChat Pay does not know the shop's merchant number.",
            "商户号（mch_id）不存在。",
        ),
        "APPID_MCHID_NOT_MATCH" => quoted(
            Manager,
            "The shop's app_id and merchant number do not belong together.",
            "应用编号与商户号不匹配。",
        ),
        "INVALID_TRANSACTIONID" => told(
            Manager,
            "WeChat Pay does not accept the transaction number.",
            "微信支付查不到该交易单号。",
        ),
        _ => return None,
    })
}

/// The till's own stable words.
fn own_word(code: &str) -> Option<Cause> {
    use Remedy::{AskCustomer, Manager, Network, ScanAgain};
    Some(match code {
        "timeout" => {
            told(AskCustomer, "The customer did not confirm in time.", "顾客没有在规定时间内确认。")
        }
        "given_up" => told(AskCustomer, "The cashier cancelled the payment.", "收银员已取消等待。"),
        "put_aside" => told(
            AskCustomer,
            "This payment was replaced: the sale is charged again.",
            "这笔支付已转后台，交易重新收款。",
        ),
        "restarted" => told(
            ScanAgain,
            "The till was restarted while this payment was open.",
            "支付未完成时收银机重新启动。",
        ),
        "no_answer" => {
            told(Network, "WeChat Pay did not answer in time.", "微信支付没有及时答复。")
        }
        "connection_lost" => {
            told(Network, "The connection to WeChat Pay was lost.", "与微信支付的连接中断。")
        }
        "no_connection" => told(Network, "WeChat Pay cannot be reached.", "连接不上微信支付。"),
        "certificate" => told(
            Manager,
            "WeChat Pay's certificate or the shop's own was not accepted.",
            "微信支付证书或商户证书未通过验证。",
        ),
        "bad_signature" => told(
            Manager,
            "The answer's signature was wrong; it was ignored.",
            "返回结果的签名不正确，已忽略。",
        ),
        "bad_answer" => told(
            Network,
            "The answer could not be read; it was ignored.",
            "返回结果无法识别，已忽略。",
        ),
        "http_status" => quoted(
            Network,
            "WeChat Pay sent an error page instead of an answer.",
            "微信支付返回了错误页面，没有给出结果。",
        ),
        "wrong_amount" => told(
            Manager,
            "WeChat Pay answered with a different amount.",
            "微信支付返回的金额与本单不符。",
        ),
        "wrong_number" => told(
            Manager,
            "WeChat Pay answered for a different order.",
            "微信支付返回的订单号与本单不符。",
        ),
        "wrong_merchant" => told(
            Manager,
            "WeChat Pay answered for a different merchant.",
            "微信支付返回的商户与本店不符。",
        ),
        "wrong_currency" => told(
            Manager,
            "WeChat Pay answered with a different currency.",
            "微信支付返回的币种与本单不符。",
        ),
        "configuration" => quoted(
            Manager,
            "WeChat Pay refused the request as a whole; the till is probably set up wrongly.",
            "微信支付拒绝了整个请求，可能是收银机配置有误。",
        ),
        "refused" => {
            quoted(ScanAgain, "WeChat Pay refused the payment.", "微信支付拒绝了这笔支付。")
        }
        "delivered_late" => told(
            AskCustomer,
            "The request reached WeChat Pay late, after the reversal; it is being reversed again.",
            "请求在撤销之后才送达，正在再次撤销。",
        ),
        LAST_MOMENT => {
            told(AskCustomer, "The customer paid at the last moment.", "顾客在最后一刻付了款。")
        }
        "not_confirmed" => told(
            Manager,
            "WeChat Pay did not confirm the result of this payment.",
            "微信支付没有确认这笔支付的结果。",
        ),
        "merchant_changed" => told(
            Manager,
            "This payment was made with another merchant than the till is set up for now.",
            "这笔支付使用的商户与当前配置不同。",
        ),
        _ => return None,
    })
}

const fn told(remedy: Remedy, english: &'static str, chinese: &'static str) -> Cause {
    Cause { english, chinese, remedy, repeats_gateway: false }
}

const fn quoted(remedy: Remedy, english: &'static str, chinese: &'static str) -> Cause {
    Cause { english, chinese, remedy, repeats_gateway: true }
}

fn code(reason: &Reason) -> String {
    clean(&reason.code, 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODES: &str = "SYSTEMERROR BANKERROR USERPAYING PARAM_ERROR ORDERPAID NOAUTH \
        AUTHCODEEXPIRE NOTENOUGH NOTSUPORTCARD ORDERCLOSED ORDERREVERSED AUTH_CODE_ERROR \
        AUTH_CODE_INVALID BUYER_MISMATCH OUT_TRADE_NO_USED INVALID_REQUEST TRADE_ERROR \
        XML_FORMAT_ERROR REQUIRE_POST_METHOD SIGNERROR LACK_PARAMS NOT_UTF8 APPID_NOT_EXIST \
        MCHID_NOT_EXIST APPID_MCHID_NOT_MATCH ORDERNOTEXIST INVALID_TRANSACTIONID REVERSE_EXPIRE \
        PAYERROR CLOSED REVOKED REFUND timeout given_up put_aside restarted no_answer \
        connection_lost no_connection certificate bad_signature bad_answer http_status \
        wrong_amount wrong_number wrong_merchant wrong_currency configuration refused \
        delivered_late paid_at_last_moment not_confirmed merchant_changed";

    #[test]
    fn every_documented_code_and_word_is_explained_in_both_languages() {
        for code in CODES.split_whitespace() {
            let cause = explain(code).unwrap_or_else(|| panic!("{code} is not explained"));
            assert!(cause.english.ends_with('.'), "{code}");
            assert!(cause.chinese.ends_with('。'), "{code}");
            assert!(cause.english.is_ascii(), "{code}");
            for language in [Language::Chinese, Language::English] {
                for status in Status::ALL {
                    let reason = Reason::new(code);
                    assert!(!sentence(status, &reason, language).is_empty());
                    assert!(!advice_on(status, Some(&reason), language).is_empty());
                    assert!(!advice_on(status, None, language).is_empty());
                }
            }
        }
    }

    #[test]
    fn says_what_happened_and_that_no_money_moved() {
        let reason = Reason::new("NOTENOUGH");
        assert_eq!(
            sentence(Status::Declined, &reason, Language::English),
            "Not enough balance. No money moved."
        );
        assert_eq!(
            sentence(Status::Declined, &reason, Language::Chinese),
            "顾客余额不足。没有扣款。"
        );
    }

    #[test]
    fn an_unknown_code_is_told_in_the_gateways_own_cleaned_words() {
        let reason = Reason { code: "NEW\u{1b}CODE".into(), text: "look\u{202e} here".into() };
        assert_eq!(
            sentence(Status::Declined, &reason, Language::English),
            "WeChat Pay answered NEWCODE. WeChat Pay says: \"look here\". No money moved."
        );
        assert_eq!(
            happened(&reason, Language::Chinese),
            "微信支付返回 NEWCODE。微信支付提示：“look here”。"
        );
    }

    #[test]
    fn a_fault_of_the_set_up_never_asks_the_customer_to_try_again() {
        for code in ["NOAUTH", "SIGNERROR", "MCHID_NOT_EXIST", "XML_FORMAT_ERROR", "PARAM_ERROR"] {
            let advice = advice_on(Status::Declined, Some(&Reason::new(code)), Language::English);
            assert!(advice.starts_with("Do not retry"), "{code}");
        }
    }

    #[test]
    fn what_is_unknown_is_never_called_not_charged() {
        for code in CODES.split_whitespace() {
            let said = sentence(Status::Attention, &Reason::new(code), Language::English);
            assert!(said.ends_with("not known yet whether money moved."), "{said}");
        }
    }
}
