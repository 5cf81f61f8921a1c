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
            let what = pick(
                language,
                "The gateway refuses to withdraw the payment.",
                "网关拒绝撤销这笔支付。",
            );
            repeated(what.to_owned(), reason, language)
        }
        _ => happened(reason, language),
    }
}

/// Of a payment that is undone, where a query has found it.
pub fn money_held(language: Language) -> &'static str {
    pick(
        language,
        "The customer has paid, and the money has not gone back yet.",
        "顾客已付款，款项尚未退回。",
    )
}

/// What happened, without a word about the money. It ends with a full stop.
pub fn happened(reason: &Reason, language: Language) -> String {
    let known = explain(&reason.code);
    let (what, repeat) = match (&known, language) {
        (Some(cause), Language::Chinese) => (cause.chinese.to_owned(), cause.repeats_gateway),
        (Some(cause), Language::English) => (cause.english.to_owned(), cause.repeats_gateway),
        (None, Language::Chinese) => (format!("网关返回 {}。", code(reason)), true),
        (None, Language::English) => (format!("The gateway answered {}.", code(reason)), true),
    };
    if repeat { repeated(what, reason, language) } else { what }
}

/// With the gateway's own words behind, if there are any.
fn repeated(what: String, reason: &Reason, language: Language) -> String {
    let said = clean(&reason.text, GATEWAY_WORDS);
    match (said.is_empty(), language) {
        (true, _) => what,
        (false, Language::Chinese) => format!("{what}网关说明：「{said}」。"),
        (false, Language::English) => format!("{what} The gateway says: \"{said}\"."),
    }
}

/// Whether money moved, as far as it is known.
pub fn money(status: Status, reason: &Reason, language: Language) -> &'static str {
    let returned = reason.code == LAST_MOMENT;
    let (english, chinese) = match status {
        Status::Created => ("Nothing was sent.", "尚未提交。"),
        Status::Declined => ("No money moved.", "没有扣款。"),
        Status::Paid => ("The money was taken.", "已收款。"),
        Status::Reversed if returned => {
            ("The money goes back to the customer.", "款项将退还给顾客。")
        }
        Status::Reversed => ("The customer is not charged.", "顾客不会被扣款。"),
        Status::Reversing if returned => {
            ("The money is being sent back to the customer.", "款项正在退还给顾客。")
        }
        Status::Reversing => ("Money that was taken goes back.", "如已扣款，将原路退回。"),
        Status::Sent | Status::Waiting | Status::Checking | Status::Attention => {
            ("It is not known yet whether money moved.", "是否扣款还不清楚。")
        }
    };
    pick(language, english, chinese)
}

/// What the cashier does now.
pub fn advice(state: &State, language: Language) -> &'static str {
    if state.money_held() && state.is_irreversible() {
        return pick(
            language,
            "Do not charge again. Tell the manager: the merchant platform shows this payment.",
            "请勿重复收款。请告诉店长，在商户平台处理这笔支付。",
        );
    }
    advice_on(state.status(), state.reason(), language)
}

fn advice_on(status: Status, reason: Option<&Reason>, language: Language) -> &'static str {
    let remedy = reason.and_then(|reason| explain(&reason.code)).map(|cause| cause.remedy);
    let (english, chinese) = match status {
        Status::Created => ("Scan the customer's payment code.", "请扫顾客的付款码。"),
        Status::Sent | Status::Checking => {
            ("Please wait. Goods stay at the counter.", "请稍候，商品先留在柜台。")
        }
        Status::Waiting => {
            ("Ask the customer to confirm on the phone.", "请顾客在手机上输入密码确认。")
        }
        Status::Paid => ("Hand over the goods.", "请把商品交给顾客。"),
        Status::Reversing => {
            ("Goods stay at the counter until this has ended.", "结束之前商品留在柜台。")
        }
        Status::Attention if remedy == Some(Remedy::Manager) => (
            "Keep the goods at the counter. Tell the manager what it says here.",
            "商品留在柜台。请把以上原因告诉店长。",
        ),
        Status::Attention => (
            "Keep the goods at the counter. Ask to see the payment on the phone.",
            "商品留在柜台。请查看顾客手机上的支付结果。",
        ),
        Status::Reversed => (
            "Goods stay here. To charge again, scan a fresh code.",
            "商品不要交付。如需重新收款，请扫新的付款码。",
        ),
        Status::Declined => return remedy.unwrap_or(Remedy::AskCustomer).says(language),
    };
    pick(language, english, chinese)
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
                "Look at the customer's phone together. Scan a fresh code, or take another payment.",
                "请看顾客手机上的提示。可再扫新的付款码，或改用其他方式收款。",
            ),
            Self::ScanAgain => (
                "Scan the customer's code again; the till uses a new number by itself.",
                "请再扫一次付款码，收银机会自动使用新单号。",
            ),
            Self::Manager => (
                "Do not try again: tell the manager, and take another payment.",
                "不要重试：请通知店长，并改用其他方式收款。",
            ),
            Self::Network => (
                "Check the network, then scan the customer's code again.",
                "请检查网络，然后再扫一次付款码。",
            ),
        };
        pick(language, english, chinese)
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
            "This payment code was used before; each code works only once.",
            "付款码已被使用过，每个码只能用一次。",
        ),
        "AUTH_CODE_INVALID" => told(
            FreshCode,
            "The gateway does not accept this code as a payment code.",
            "网关不认这个付款码，可能已失效或不是微信付款码。",
        ),
        "NOTENOUGH" => told(OtherFunds, "The customer's balance is not enough.", "顾客余额不足。"),
        "NOTSUPORTCARD" => told(
            OtherFunds,
            "The customer's card cannot be used for this payment.",
            "顾客的银行卡不支持本次支付。",
        ),
        "TRADE_ERROR" => quoted(
            AskCustomer,
            "The payment was refused on the customer's side.",
            "交易被拒绝（顾客未确认、账户异常或风控限制）。",
        ),
        "PAYERROR" => {
            quoted(AskCustomer, "The payment failed on the customer's side.", "顾客支付失败。")
        }
        "recall" => told(
            AskCustomer,
            "The gateway asks for the withdrawal to be repeated.",
            "网关要求再次撤销。",
        ),
        "USERPAYING" => told(
            AskCustomer,
            "The customer is still confirming on the phone.",
            "顾客仍在手机上确认。",
        ),
        "SYSTEMERROR" => {
            told(ScanAgain, "The gateway had a fault of its own.", "网关系统繁忙或出错。")
        }
        "BANKERROR" => {
            told(ScanAgain, "The customer's bank did not answer in time.", "银行系统超时。")
        }
        "ORDERPAID" => told(
            ScanAgain,
            "The gateway says that this order number was paid before.",
            "网关称此单号已支付过。",
        ),
        "ORDERCLOSED" | "CLOSED" => {
            told(ScanAgain, "The order is closed at the gateway.", "此订单在网关已关闭。")
        }
        "ORDERREVERSED" | "REVOKED" => {
            told(ScanAgain, "The order was withdrawn at the gateway.", "此订单在网关已撤销。")
        }
        "REFUND" => told(
            ScanAgain,
            "The gateway says that the money of this order goes back.",
            "网关称此订单已转入退款。",
        ),
        "BUYER_MISMATCH" => told(
            ScanAgain,
            "The code belongs to another customer than the first one of this order number.",
            "与此单号之前的付款人不一致。",
        ),
        "OUT_TRADE_NO_USED" => told(
            ScanAgain,
            "The gateway has seen this order number before.",
            "此单号在网关已被使用过。",
        ),
        "ORDERNOTEXIST" => {
            told(ScanAgain, "The gateway does not know this order.", "网关查不到此订单。")
        }
        "REVERSE_EXPIRE" => told(
            Remedy::Manager,
            "The payment is too old to be withdrawn; money that was taken must be refunded.",
            "订单已超过可撤销期限；如已扣款须办理退款。",
        ),
        "FREQUENCY_LIMITED" | "RATELIMIT_EXCEED" => {
            told(Network, "The gateway was asked too often.", "请求过于频繁，被网关限制。")
        }
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
            "The gateway refused the request: a permission, a certificate, a repeated number or too \
             many requests.",
            "网关拒绝了请求：权限、证书、重复提交或频率问题。",
        ),
        "PARAM_ERROR" => {
            quoted(Manager, "The gateway found a wrong value in the request.", "请求参数有误。")
        }
        "LACK_PARAMS" => {
            quoted(Manager, "The gateway missed a value in the request.", "请求缺少参数。")
        }
        "SIGNERROR" => told(
            Manager,
            "The gateway refused the signature: the API key or the way of signing is wrong.",
            "签名错误：API 密钥或签名方式不对。",
        ),
        "XML_FORMAT_ERROR" | "POST_DATA_EMPTY" => told(
            Manager,
            "The gateway could not read the request.",
            "网关无法读取请求（格式错误）。",
        ),
        "REQUIRE_POST_METHOD" => told(
            Manager,
            "The request reached the gateway in the wrong form; something in between changed it.",
            "请求方式错误，可能被中间设备改动。",
        ),
        "NOT_UTF8" => told(
            Manager,
            "The gateway could not read the characters of the request.",
            "请求的字符编码有误。",
        ),
        "APPID_NOT_EXIST" => told(
            Manager,
            "The gateway does not know the shop's app_id.",
            "应用编号（app_id）不存在。",
        ),
        "MCHID_NOT_EXIST" => told(
            Manager,
            "The gateway does not know the shop's merchant number.",
            "商户号（mch_id）不存在。",
        ),
        "APPID_MCHID_NOT_MATCH" => quoted(
            Manager,
            "The shop's app_id and merchant number do not belong together.",
            "应用编号与商户号不匹配。",
        ),
        "INVALID_TRANSACTIONID" => told(
            Manager,
            "The gateway does not accept the transaction number.",
            "网关不认此交易号。",
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
        "given_up" => told(AskCustomer, "The cashier stopped waiting.", "收银员放弃了等待。"),
        "put_aside" => told(
            AskCustomer,
            "This payment was put aside, and the sale is charged anew.",
            "此笔支付已搁置，交易另行收款。",
        ),
        "restarted" => told(
            ScanAgain,
            "The till was started again while this payment was open.",
            "支付未完成时收银机重新启动。",
        ),
        "no_answer" => told(Network, "The gateway did not answer in time.", "网关没有及时答复。"),
        "connection_lost" => {
            told(Network, "The connection to the gateway broke.", "与网关的连接中断。")
        }
        "no_connection" => told(Network, "The gateway could not be reached.", "连接不上网关。"),
        "certificate" => told(
            Manager,
            "The gateway's certificate or the shop's own was not accepted.",
            "网关证书或商户证书未通过验证。",
        ),
        "bad_signature" => told(
            Manager,
            "An answer came whose signature is wrong; it was not believed.",
            "收到的答复签名不正确，未采信。",
        ),
        "bad_answer" => told(
            Network,
            "An answer came that cannot be read; it was not believed.",
            "收到的答复无法识别，未采信。",
        ),
        "http_status" => quoted(
            Network,
            "Instead of an answer the gateway sent an error page.",
            "网关返回了错误页面，没有给出结果。",
        ),
        "wrong_amount" => told(
            Manager,
            "The gateway speaks of another amount than this sale's.",
            "网关答复的金额与本单不符。",
        ),
        "wrong_number" => told(
            Manager,
            "The gateway speaks of another order than this one.",
            "网关答复的单号与本单不符。",
        ),
        "wrong_merchant" => told(
            Manager,
            "The gateway speaks of another merchant than this shop.",
            "网关答复的商户与本店不符。",
        ),
        "wrong_currency" => told(
            Manager,
            "The gateway speaks of another currency than this sale's.",
            "网关答复的币种与本单不符。",
        ),
        "configuration" => quoted(
            Manager,
            "The gateway refused the request as a whole; most likely the till is set up wrongly.",
            "网关整体拒绝了请求，多半是收银机配置有误。",
        ),
        "refused" => quoted(ScanAgain, "The gateway refused the payment.", "网关拒绝了本次支付。"),
        "delivered_late" => told(
            AskCustomer,
            "The request reached the gateway late, after it had been withdrawn; it is withdrawn \
             again.",
            "请求在撤销之后才到达网关，正在再次撤销。",
        ),
        LAST_MOMENT => {
            told(AskCustomer, "The customer had paid in the last moment.", "顾客在最后一刻付了款。")
        }
        "not_confirmed" => told(
            Manager,
            "The gateway did not confirm the end of this payment.",
            "网关没有确认此笔支付的结果。",
        ),
        "merchant_changed" => told(
            Manager,
            "This payment was made with another merchant than the till is set up for now.",
            "此笔支付使用的商户与当前配置不同。",
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

fn pick(language: Language, english: &'static str, chinese: &'static str) -> &'static str {
    match language {
        Language::Chinese => chinese,
        Language::English => english,
    }
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
            "The customer's balance is not enough. No money moved."
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
            "The gateway answered NEWCODE. The gateway says: \"look here\". No money moved."
        );
        assert_eq!(
            happened(&reason, Language::Chinese),
            "网关返回 NEWCODE。网关说明：「look here」。"
        );
    }

    #[test]
    fn a_fault_of_the_set_up_never_asks_the_customer_to_try_again() {
        for code in ["NOAUTH", "SIGNERROR", "MCHID_NOT_EXIST", "XML_FORMAT_ERROR", "PARAM_ERROR"] {
            let advice = advice_on(Status::Declined, Some(&Reason::new(code)), Language::English);
            assert!(advice.starts_with("Do not try again"), "{code}");
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
