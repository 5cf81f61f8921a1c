//! Why a payment is where it is, in plain words: what happened, whether money moved, what to do.

use super::{backend, connection, qr};
use crate::clean::clean;
use crate::language::Language;
use crate::payment::{Cause, Funds, Reason, State, Status, TillCause};
use crate::say;

/// How much of the gateway's own text is repeated, in cells.
const GATEWAY_WORDS: usize = 100;

/// Why a payment is where it is and whether money moved, as one text without line breaks; `None` if
/// there is no reason.
pub fn of(state: &State, language: Language) -> Option<String> {
    let happened = match obstacle(state, language) {
        Some(happened) => happened,
        None => cause_sentence(state.reason()?, language),
    };
    let gap = language.pick(" ", "");
    Some(format!("{happened}{gap}{}", money_of(state, language)))
}

/// Whether money of this payment moved, as far as known.
fn money_of(state: &State, language: Language) -> &'static str {
    let words = qr::money(state).map(|(english, chinese)| language.pick(english, chinese));
    words.unwrap_or_else(|| money(state.status(), state.money(), language))
}

#[cfg(test)]
fn and_money(happened: &str, status: Status, funds: Funds, language: Language) -> String {
    let gap = language.pick(" ", "");
    format!("{happened}{gap}{}", money(status, funds, language))
}

/// What stands in the way of the reversal, if anything does: told as a reversal, whatever the code
/// would mean for a payment.
pub fn obstacle(state: &State, language: Language) -> Option<String> {
    let reason = state.obstacle()?;
    let (english, chinese) = match (&reason.cause, state.is_reversal_refused()) {
        (cause, is_refused) if state.qr().is_some() => qr::obstacle(cause, is_refused),
        (Cause::Till(TillCause::Recall), _) => ("", ""),
        (Cause::Gateway(code), _) if code == "REVERSE_EXPIRE" => ("", ""),
        (Cause::Till(TillCause::Refused | TillCause::Configuration), _) | (_, true) => {
            ("WeChat Pay refuses to reverse the payment.", "微信支付拒绝撤销这笔支付。")
        }
        (_, false) => ("The reversal is not confirmed yet.", "撤销尚未确认。"),
    };
    let lead = language.pick(english, chinese);
    let why = reversal_cause(reason, language);
    let gap = if lead.is_empty() || why.is_empty() { "" } else { language.pick(" ", "") };
    Some(format!("{lead}{gap}{why}"))
}

/// Why a reversal did not happen. Where the code means a payment, the gateway's own words alone,
/// if there are any.
pub fn reversal_cause(reason: &Reason, language: Language) -> String {
    let means_a_payment = match &reason.cause {
        Cause::Gateway(code) => {
            matches!(code.as_str(), "TRADE_ERROR" | "INVALID_REQUEST" | "NOAUTH")
        }
        Cause::Till(cause) => matches!(cause, TillCause::Refused | TillCause::Configuration),
    };
    if means_a_payment {
        gateway_says(reason, language).unwrap_or_default()
    } else {
        cause_sentence(reason, language)
    }
}

/// The gateway's own text about a payment that is being made, which may be of more use than ours.
pub fn while_paying(state: &State, language: Language) -> Option<String> {
    state.reason().and_then(|reason| gateway_says(reason, language))
}

/// What happened, without a word about the money. It ends with a full stop.
pub fn cause_sentence(reason: &Reason, language: Language) -> String {
    let Some(explanation) = explain(&reason.cause) else {
        let code = clean(reason.code(), 32);
        let what = say!(language, "WeChat Pay answered {code}.", "微信支付返回 {code}。");
        return repeated(what, reason, language);
    };
    let what = language.pick(explanation.english, explanation.chinese).to_owned();
    match explanation.adds {
        Adds::Nothing => what,
        Adds::GatewayWords => repeated(what, reason, language),
        Adds::Detail => detailed(what, reason, language),
    }
}

/// The sentence, with what the till noted in brackets: dates, a host, the first words of a page.
fn detailed(what: String, reason: &Reason, language: Language) -> String {
    let detail = clean(&reason.text, GATEWAY_WORDS);
    let end = language.pick('.', '。');
    match what.strip_suffix(end) {
        Some(what) if !detail.is_empty() => {
            say!(language, "{what} ({detail}).", "{what}（{detail}）。")
        }
        Some(_) | None => what,
    }
}

/// The sentence, followed by the gateway's own text if there is any.
fn repeated(what: String, reason: &Reason, language: Language) -> String {
    match gateway_says(reason, language) {
        Some(said) => format!("{what}{}{said}", language.pick(" ", "")),
        None => what,
    }
}

fn gateway_says(reason: &Reason, language: Language) -> Option<String> {
    let said = clean(&reason.text, GATEWAY_WORDS);
    let sentence = say!(language, "WeChat Pay says: \"{said}\".", "微信支付提示：“{said}”。");
    (!said.is_empty()).then_some(sentence)
}

/// Whether money moved, as far as known.
pub fn money(status: Status, funds: Funds, language: Language) -> &'static str {
    let (english, chinese) = match (status, funds) {
        (_, Funds::Held) => (
            "The customer has paid, and the money has not been returned yet.",
            "顾客已付款，款项尚未退回。",
        ),
        (_, Funds::Returned) => {
            ("The money is being returned to the customer.", "款项将原路退回。")
        }
        (_, Funds::Taken) => ("Payment received.", "已收款。"),
        (Status::Created, _) => ("Nothing was sent.", "未扣款。"),
        (Status::Reversed | Status::Closed, _) => {
            ("The customer was not charged.", "未向顾客扣款。")
        }
        (_, Funds::NotMoved) => ("No money moved.", "没有扣款。"),
        (Status::Reversing, Funds::Unknown) => {
            ("Any money taken will be returned.", "如已扣款，将原路退回。")
        }
        (_, Funds::Unknown) => ("It is not known yet whether money moved.", "暂不确定是否已扣款。"),
    };
    language.pick(english, chinese)
}

/// What the cashier should do now. `is_recorded`: where it is is on disk.
pub fn advice(state: &State, is_recorded: bool, language: Language) -> &'static str {
    if state.money() == Funds::Held && state.is_reversal_refused() {
        return language.pick(
            "Do not charge again. Tell the manager: the merchant platform shows this payment.",
            "请勿重复收款。请通知店长在商户平台处理这笔支付。",
        );
    }
    if state.money() == Funds::Held && state.obstacle().is_some() {
        return language.pick(
            "Keep the goods, and do not charge again: the money has not been returned yet.",
            "请先不要交付商品，也不要重复收款：款项尚未退回。",
        );
    }
    if let Some((english, chinese)) = qr::advice(state, is_recorded) {
        return language.pick(english, chinese);
    }
    advice_on(state.status(), state.reason(), language)
}

fn advice_on(status: Status, reason: Option<&Reason>, language: Language) -> &'static str {
    let explanation = reason.and_then(|reason| explain(&reason.cause));
    let remedy = explanation.map(|explanation| explanation.remedy);
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
        Status::Closed => (
            "Keep the goods. To charge again, show a new code.",
            "请勿交付商品。如需重新收款，请重新出示收款码。",
        ),
        Status::Declined => return remedy.unwrap_or(Remedy::AskCustomer).says(language),
    };
    language.pick(english, chinese)
}

/// What helps when a payment was not made.
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
                "Ask the customer to refresh the payment code, then scan the new one.",
                "请顾客刷新付款码，然后扫新的付款码。",
            ),
            Self::OtherFunds => (
                "Ask the customer to choose another card, then scan the new code.",
                "请顾客更换支付方式（零钱或其他银行卡），然后扫新的付款码。",
            ),
            Self::AskCustomer => (
                "Check the customer's phone. Scan a new code, or use another way to pay.",
                "请查看顾客手机上的提示。可扫新的付款码，或改用其他方式收款。",
            ),
            Self::ScanAgain => (
                "Scan the customer's new payment code; it gets a new order number.",
                "请扫顾客新的付款码，会自动使用新的订单号。",
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

/// A cause in words.
struct Explanation {
    english: &'static str,
    chinese: &'static str,
    remedy: Remedy,
    adds: Adds,
}

/// What of a reason's own text its sentence repeats.
#[derive(Clone, Copy)]
enum Adds {
    Nothing,
    /// The gateway's own text says more than the code does.
    GatewayWords,
    /// What the till noted of a failure, the same in every language.
    Detail,
}

/// The words for a cause; `None` for a gateway code that is not in the tables.
fn explain(cause: &Cause) -> Option<Explanation> {
    match cause {
        Cause::Gateway(code) => {
            payment_code(code).or_else(|| set_up_code(code)).or_else(|| backend_code(code))
        }
        Cause::Till(cause) => Some(till_cause(*cause)),
    }
}

/// Codes about this payment, this customer or this moment (protocol 4.2 to 4.5).
fn payment_code(code: &str) -> Option<Explanation> {
    use Remedy::{AskCustomer, FreshCode, Network, OtherFunds, ScanAgain};
    Some(match code {
        "AUTHCODEEXPIRE" => plain(FreshCode, "The payment code has expired.", "付款码已过期。"),
        "AUTH_CODE_ERROR" => plain(
            FreshCode,
            "This payment code was already used; each code works only once.",
            "付款码已经用过，每个码只能用一次。",
        ),
        "AUTH_CODE_INVALID" => plain(
            FreshCode,
            "This is not a valid WeChat payment code, or it has expired.",
            "付款码无效：已失效或不是微信付款码。",
        ),
        "NOTENOUGH" => plain(OtherFunds, "Not enough balance.", "顾客余额不足。"),
        "NOTSUPORTCARD" => plain(
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
        "USERPAYING" => quoted(
            AskCustomer,
            "The customer is still confirming on the phone.",
            "顾客仍在手机上确认。",
        ),
        "SYSTEMERROR" => {
            plain(ScanAgain, "WeChat Pay had an internal error.", "微信支付系统繁忙或出错。")
        }
        "BANKERROR" => {
            plain(ScanAgain, "The customer's bank did not answer in time.", "银行系统超时。")
        }
        "ORDERPAID" => plain(
            ScanAgain,
            "WeChat Pay says that this order number was already paid.",
            "该订单号已支付过。",
        ),
        "ORDERCLOSED" | "CLOSED" => {
            plain(ScanAgain, "The order is closed at WeChat Pay.", "该订单已关闭。")
        }
        "ORDERREVERSED" | "REVOKED" => {
            plain(ScanAgain, "The order was reversed at WeChat Pay.", "该订单已撤销。")
        }
        "REFUND" => plain(
            ScanAgain,
            "WeChat Pay says that this order is being refunded.",
            "该订单已转入退款。",
        ),
        "BUYER_MISMATCH" => plain(
            ScanAgain,
            "The code belongs to a different customer than the first one for this order number.",
            "付款人与该订单号之前的付款人不一致。",
        ),
        "OUT_TRADE_NO_USED" => {
            plain(ScanAgain, "This order number was used before.", "该订单号已被使用过。")
        }
        "ORDERNOTEXIST" => {
            plain(ScanAgain, "WeChat Pay does not know this order.", "微信支付查不到该订单。")
        }
        "REVERSE_EXPIRE" => plain(
            Remedy::Manager,
            "The payment is too old to be reversed; any money taken must be refunded.",
            "订单已超过可撤销期限；如已扣款，请办理退款。",
        ),
        "FREQUENCY_LIMITED" | "RATELIMIT_EXCEEDED" => plain(
            Network,
            "WeChat Pay received too many requests.",
            "请求过于频繁，被微信支付限制。",
        ),
        _ => return None,
    })
}

/// Codes of the merchant's backend.
fn backend_code(code: &str) -> Option<Explanation> {
    let (english, chinese, is_managers) = backend::words(code)?;
    Some(plain(if is_managers { Remedy::Manager } else { Remedy::ScanAgain }, english, chinese))
}

/// Codes about the shop's set-up: trying again cannot help.
fn set_up_code(code: &str) -> Option<Explanation> {
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
        "SIGNERROR" => plain(
            Manager,
            "WeChat Pay refused the signature: the API key or the sign type is wrong.",
            "签名错误：API 密钥或签名方式不对。",
        ),
        "XML_FORMAT_ERROR" | "POST_DATA_EMPTY" => plain(
            Manager,
            "WeChat Pay could not read the request.",
            "微信支付无法读取请求（格式错误）。",
        ),
        "REQUIRE_POST_METHOD" => plain(
            Manager,
            "The request reached WeChat Pay in the wrong form; something in between changed it.",
            "请求方式错误，可能被中间设备改动。",
        ),
        "NOT_UTF8" => plain(
            Manager,
            "WeChat Pay could not read the characters of the request.",
            "请求的字符编码有误。",
        ),
        "APPID_NOT_EXIST" => plain(
            Manager,
            "WeChat Pay does not know the shop's app_id.",
            "应用编号（app_id）不存在。",
        ),
        "MCHID_NOT_EXIST" => plain(
            Manager,
            "WeChat Pay does not know the shop's merchant number.",
            "商户号（mch_id）不存在。",
        ),
        "APPID_MCHID_NOT_MATCH" => quoted(
            Manager,
            "The shop's app_id and merchant number do not belong together.",
            "应用编号与商户号不匹配。",
        ),
        "INVALID_TRANSACTIONID" => plain(
            Manager,
            "WeChat Pay does not accept the transaction number.",
            "微信支付查不到该交易单号。",
        ),
        _ => return None,
    })
}

const TOO_MUCH: (&str, &str) =
    ("More was to be refunded than is left of the payment.", "退款金额超过这笔付款的可退余额。");

const NO_CODE: (&str, &str) =
    ("The payment code was no longer at hand; nothing was sent.", "付款码已不可用，未发出请求。");

const UNTOLD: (&str, &str) = (
    "This payment was refunded at the merchant platform, in part or in full. See there how much, and \
     refund the rest there or keep it as a sale.",
    "这笔付款已在商户平台退款，可能是部分退款。请在商户平台查看金额，退还余款，或按已收款处理。",
);

/// What the till itself found.
fn till_cause(cause: TillCause) -> Explanation {
    use Remedy::{AskCustomer, Manager, Network, ScanAgain};
    match cause {
        TillCause::Timeout => quoted(
            AskCustomer,
            "The customer did not confirm in time.",
            "顾客没有在规定时间内确认。",
        ),
        TillCause::Cancelled => {
            quoted(AskCustomer, "The cashier cancelled the payment.", "收银员已取消等待。")
        }
        TillCause::Restarted => plain(
            ScanAgain,
            "The till was restarted while this payment was open.",
            "支付未完成时收银机重新启动。",
        ),
        TillCause::NoConnection => {
            detail(Network, "WeChat Pay cannot be reached.", "连接不上微信支付。")
        }
        TillCause::Certificate => detail(
            Manager,
            "WeChat Pay's certificate or the shop's own was not accepted.",
            "微信支付证书或商户证书未通过验证。",
        ),
        TillCause::ClockBehind
        | TillCause::CertificateExpired
        | TillCause::UnknownRoot
        | TillCause::WrongHostName
        | TillCause::PlainHttp
        | TillCause::OwnCertificate
        | TillCause::ProxyRefused => {
            let (english, chinese) = connection::words(cause);
            detail(Manager, english, chinese)
        }
        TillCause::NoAnswer
        | TillCause::ConnectionLost
        | TillCause::BadSignature
        | TillCause::AnswerTime
        | TillCause::BadAnswer
        | TillCause::HttpStatus
        | TillCause::WrongAmount
        | TillCause::WrongNumber
        | TillCause::WrongMerchant
        | TillCause::WrongCurrency => no_answer(cause),
        TillCause::AnotherTill => plain(
            ScanAgain,
            "Another till has the same till.id and gave out this order number.",
            "另一台收银机使用了相同的 till.id，订单号重复。",
        ),
        TillCause::PartlyRefunded => detail(
            Manager,
            "A part of this payment was refunded at the merchant platform. Refund the rest there, or \
             keep it as a sale.",
            "这笔付款已在商户平台退了一部分。请在商户平台退还余款，或按已收款处理。",
        ),
        TillCause::RefundUntold => plain(Manager, UNTOLD.0, UNTOLD.1),
        TillCause::Settled => {
            detail(Manager, "Settled by a person outside the till.", "已由人工处理。")
        }
        TillCause::MerchantChanged => plain(
            Manager,
            "This payment was made for another mch_id, and the till cannot ask about it. Set that \
             mch_id and its key again and restart the till, or settle it at the merchant platform.",
            "这笔支付属于另一个商户号，收银机无法查询。请改回原商户号及密钥后重新启动，或在商户平台处理。",
        ),
        TillCause::Configuration => quoted(
            Manager,
            "WeChat Pay refused the request as a whole; the till is probably set up wrongly.",
            "微信支付拒绝了整个请求，可能是收银机配置有误。",
        ),
        TillCause::Refused => {
            quoted(ScanAgain, "WeChat Pay refused the request.", "微信支付拒绝了请求。")
        }
        TillCause::DeliveredLate => plain(
            AskCustomer,
            "The request reached WeChat Pay late, after the reversal; it is being reversed again.",
            "请求在撤销之后才送达，正在再次撤销。",
        ),
        TillCause::PaidAtLastMoment => {
            plain(AskCustomer, "The customer paid at the last moment.", "顾客在最后一刻付了款。")
        }
        TillCause::Recall => {
            plain(AskCustomer, "WeChat Pay asks to repeat the reversal.", "微信支付要求再次撤销。")
        }
        TillCause::NoCode => plain(ScanAgain, NO_CODE.0, NO_CODE.1),
        TillCause::NoRandomness => plain(
            Manager,
            "This computer could not provide random numbers; nothing was sent.",
            "本机无法生成随机数，未发出请求。",
        ),
        TillCause::NoErrorCode => plain(
            AskCustomer,
            "WeChat Pay refused without giving a cause.",
            "微信支付拒绝了请求，但没有说明原因。",
        ),
        TillCause::CodeExpired | TillCause::PaidAfterAll => of_a_code(cause),
        TillCause::InProgress => plain(AskCustomer, backend::IN_PROGRESS.0, backend::IN_PROGRESS.1),
        TillCause::MoreThanLeft => plain(Manager, TOO_MUCH.0, TOO_MUCH.1),
    }
}

const fn of_a_code(cause: TillCause) -> Explanation {
    let (english, chinese) = qr::words(cause);
    plain(Remedy::AskCustomer, english, chinese)
}

/// Why there was no answer, or none to be believed.
const fn no_answer(cause: TillCause) -> Explanation {
    use Remedy::{Manager, Network};
    match cause {
        TillCause::NoAnswer => {
            plain(Network, "WeChat Pay did not answer in time.", "微信支付没有及时答复。")
        }
        TillCause::ConnectionLost => {
            plain(Network, "The connection to WeChat Pay was lost.", "与微信支付的连接中断。")
        }
        TillCause::BadSignature => plain(
            Manager,
            "The answer's signature was wrong; it was ignored.",
            "返回结果的签名不正确，已忽略。",
        ),
        TillCause::AnswerTime => detail(
            Manager,
            "By this machine's clock the answer is not of this moment; it was ignored. Check the \
             clock.",
            "按本机时钟，返回结果的时间不对，已忽略。请检查本机时间。",
        ),
        TillCause::BadAnswer => detail(
            Network,
            "The answer could not be read; it was ignored.",
            "返回结果无法识别，已忽略。",
        ),
        TillCause::HttpStatus => detail(
            Network,
            "An error page came instead of WeChat Pay's answer.",
            "收到的是错误页面，不是微信支付的结果。",
        ),
        TillCause::WrongAmount => plain(
            Manager,
            "WeChat Pay answered with a different amount.",
            "微信支付返回的金额与本单不符。",
        ),
        TillCause::WrongNumber => plain(
            Manager,
            "WeChat Pay answered for a different order.",
            "微信支付返回的订单号与本单不符。",
        ),
        TillCause::WrongMerchant => plain(
            Manager,
            "WeChat Pay answered for a different merchant.",
            "微信支付返回的商户与本店不符。",
        ),
        // The only one left.
        _ => plain(
            Manager,
            "WeChat Pay answered with a different currency.",
            "微信支付返回的币种与本单不符。",
        ),
    }
}

const fn plain(remedy: Remedy, english: &'static str, chinese: &'static str) -> Explanation {
    Explanation { english, chinese, remedy, adds: Adds::Nothing }
}

const fn quoted(remedy: Remedy, english: &'static str, chinese: &'static str) -> Explanation {
    Explanation { english, chinese, remedy, adds: Adds::GatewayWords }
}

const fn detail(remedy: Remedy, english: &'static str, chinese: &'static str) -> Explanation {
    Explanation { english, chinese, remedy, adds: Adds::Detail }
}

#[cfg(test)]
mod tests;
