//! What the gateway demands of a request before it looks at an order (protocol 2 and 3).

use std::net::IpAddr;

use aws_lc_rs::digest;

use super::notice_case::NoticeForm;
use super::{Account, GatewayRequest, Script};
use paytill_core::gateway::wechat::fields::{Fields, NotAMessage, SignType};
use paytill_core::money::Money;
use paytill_core::order::AuthCode;
use paytill_core::payment::CallKind;

/// Where each call goes.
const PATHS: [(&str, CallKind); 7] = [
    ("/pay/micropay", CallKind::Submit),
    ("/pay/orderquery", CallKind::Query),
    ("/secapi/pay/reverse", CallKind::Reverse),
    ("/pay/refundquery", CallKind::RefundQuery),
    (REFUND, CallKind::RefundQuery),
    ("/pay/unifiedorder", CallKind::Order),
    ("/pay/closeorder", CallKind::Close),
];
/// A refund is no call about a payment; its answers are made like those to queries.
const REFUND: &str = "/secapi/pay/refund";

/// The longest values, in bytes. The documentation says 127 for `body`; the strictest reading is
/// used.
const LONGEST: [(&str, usize); 27] = [
    ("appid", 32),
    ("mch_id", 32),
    ("sub_appid", 32),
    ("sub_mch_id", 32),
    ("nonce_str", 32),
    ("device_info", 32),
    ("body", 127),
    ("version", 32),
    ("detail", 6000),
    ("attach", 127),
    ("out_trade_no", 32),
    ("transaction_id", 32),
    ("fee_type", 16),
    ("spbill_create_ip", 64),
    ("goods_tag", 32),
    ("limit_pay", 32),
    ("time_start", 14),
    ("time_expire", 14),
    ("receipt", 8),
    ("scene_info", 256),
    ("out_refund_no", 64),
    ("refund_desc", 80),
    ("refund_fee_type", 8),
    ("notify_url", 256),
    ("trade_type", 16),
    ("product_id", 32),
    ("openid", 128),
];

/// A request that is in order.
pub(super) struct Incoming {
    pub(super) kind: CallKind,
    /// Whether it is a refund.
    pub(super) is_refund: bool,
    pub(super) fields: Fields,
    pub(super) sign_type: SignType,
    /// How what it leads to is told.
    pub(super) form: NoticeForm,
}

/// Why a request is not in order.
pub(super) enum Rejection {
    /// Not one of the gateway's addresses.
    NoSuchPath,
    /// The root path, which answers with an empty body.
    FrontDoor,
    /// A call that needs a client certificate came without one: no reply at all.
    NoCertificate,
    /// `return_code=FAIL` with this text, which is never signed.
    Unsigned(&'static str),
    /// `err_code` and its text, signed as the request was.
    Signed(SignType, &'static str, String),
}

/// What a submission asks for.
pub(super) struct Submission {
    pub(super) amount: Money,
    pub(super) currency: String,
    pub(super) code: AuthCode,
    /// Digest of all fields that must not differ when a number is submitted again.
    pub(super) fingerprint: [u8; 32],
    /// Digest of the code alone.
    pub(super) code_print: [u8; 32],
}

/// What an order for a code asks for.
pub(super) struct NativeOrder {
    pub(super) amount: Money,
    pub(super) currency: String,
    /// Digest of all fields that must not differ when a number is ordered again.
    pub(super) fingerprint: [u8; 32],
}

/// Reads a request: first the address, then the message, its sender and its fields.
pub(super) fn read(account: &Account, request: &GatewayRequest<'_>) -> Result<Incoming, Rejection> {
    let path = request.path.split('?').next().unwrap_or_default();
    if path == "/" {
        return Err(Rejection::FrontDoor);
    }
    let Some((_, kind)) = PATHS.into_iter().find(|(known, _)| *known == path) else {
        return Err(Rejection::NoSuchPath);
    };
    let is_refund = path == REFUND;
    if (kind == CallKind::Reverse || is_refund) && !request.client_certificate {
        return Err(Rejection::NoCertificate);
    }
    let (fields, sign_type) = message(account, request)?;
    let signed = |code, text: String| Rejection::Signed(sign_type, code, text);
    for (name, longest) in LONGEST {
        if fields.get(name).is_some_and(|value| value.len() > longest) {
            return Err(signed("PARAM_ERROR", format!("参数错误:{name}过长")));
        }
    }
    if fields.iter().any(|(_, value)| value != value.trim()) {
        return Err(signed("PARAM_ERROR", "参数错误:首尾空格".to_owned()));
    }
    let takes_id = !matches!(kind, CallKind::Submit | CallKind::Order | CallKind::Close);
    let id = fields.get("transaction_id").filter(|_| takes_id);
    let refund =
        fields.get("out_refund_no").filter(|_| kind == CallKind::RefundQuery && !is_refund);
    if fields.get("out_trade_no").or(id).or(refund).is_none() {
        return Err(signed("LACK_PARAMS", "缺少参数:out_trade_no".to_owned()));
    }
    if fields.get("out_trade_no").is_some_and(|number| !is_order_number(number)) {
        return Err(signed("PARAM_ERROR", "参数错误:out_trade_no".to_owned()));
    }
    if fields.get("out_refund_no").is_some_and(|number| !is_number(number)) {
        return Err(signed("PARAM_ERROR", "参数错误:out_refund_no".to_owned()));
    }
    let form = NoticeForm::V2(sign_type);
    Ok(Incoming { kind, is_refund, fields, sign_type, form })
}

/// Reads a message and verifies its sender.
pub(super) fn message(
    account: &Account,
    request: &GatewayRequest<'_>,
) -> Result<(Fields, SignType), Rejection> {
    if request.method != "POST" {
        return Err(Rejection::Unsigned("请使用post方法"));
    }
    if request.body.is_empty() {
        return Err(Rejection::Unsigned("post数据为空"));
    }
    if std::str::from_utf8(request.body).is_err() {
        return Err(Rejection::Unsigned("编码格式错误"));
    }
    let fields = Fields::from_xml(request.body).map_err(|fault| match fault {
        NotAMessage::TooLarge => Rejection::Unsigned("post数据过大"),
        NotAMessage::NotXml | NotAMessage::NotFlat => Rejection::Unsigned("XML格式错误"),
    })?;
    let sign_type = verify(account, &fields)?;
    Ok((fields, sign_type))
}

/// Verifies the sender by the signature; returns the algorithm.
fn verify(account: &Account, fields: &Fields) -> Result<SignType, Rejection> {
    let merchant = &account.merchant;
    let sign_type = match fields.get("sign_type") {
        None | Some("MD5") => SignType::Md5,
        Some("HMAC-SHA256") => SignType::HmacSha256,
        Some(_) => return Err(Rejection::Unsigned("签名类型错误")),
    };
    for (name, text) in [
        ("appid", "缺少参数:appid"),
        ("mch_id", "缺少参数:mch_id"),
        ("nonce_str", "缺少参数:nonce_str"),
        ("sign", "缺少参数:sign"),
    ] {
        if fields.get(name).is_none() {
            return Err(Rejection::Unsigned(text));
        }
    }
    // Without a known merchant there is no key to check the signature with.
    if fields.get("mch_id") != Some(&merchant.mch_id) {
        return Err(Rejection::Unsigned("商户号mch_id不存在"));
    }
    if !fields.is_signed(sign_type, &account.api_key) {
        return Err(Rejection::Unsigned("签名错误"));
    }
    let signed = |code, text: &str| Err(Rejection::Signed(sign_type, code, text.to_owned()));
    let app_id = fields.get("appid");
    if app_id != Some(&merchant.app_id) && app_id != account.other_app_id.as_deref() {
        return signed("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配");
    }
    if fields.get("sub_mch_id").unwrap_or_default() != merchant.sub_mch_id
        || fields.get("sub_appid").unwrap_or_default() != merchant.sub_app_id
    {
        return signed("INVALID_REQUEST", "sub_mch_id与sub_appid不匹配");
    }
    Ok(sign_type)
}

impl Incoming {
    /// The fields of a submission, or the `err_code` and text that name the first wrong one.
    pub(super) fn submission(&self, script: &Script) -> Result<Submission, (&'static str, String)> {
        let required = |name: &str| {
            let missing = || ("LACK_PARAMS", format!("缺少参数:{name}"));
            self.fields.get(name).ok_or_else(missing)
        };
        let wrong = |name: &str| ("PARAM_ERROR", format!("参数错误:{name}"));
        for name in ["body", "out_trade_no", "total_fee", "spbill_create_ip", "auth_code"] {
            required(name)?;
        }
        let amount = whole_number(required("total_fee")?).ok_or_else(|| wrong("total_fee"))?;
        required("spbill_create_ip")?.parse::<IpAddr>().map_err(|_| wrong("spbill_create_ip"))?;
        let currency = self.fields.get("fee_type").unwrap_or("CNY");
        if currency != "CNY" && currency != script.currency.code() {
            return Err(wrong("fee_type"));
        }
        let code = AuthCode::new(required("auth_code")?)
            .ok_or_else(|| ("AUTH_CODE_INVALID", "付款码检验错误".to_owned()))?;
        let code_print = print_of(code.expose());
        Ok(Submission {
            amount: Money::from_minor(amount),
            currency: currency.to_owned(),
            code,
            fingerprint: self.fingerprint(),
            code_print,
        })
    }

    /// The fields of an order for a code, or the `err_code` and text that name the first wrong one.
    pub(super) fn native(&self, script: &Script) -> Result<NativeOrder, (&'static str, String)> {
        let required = |name: &str| {
            let missing = || ("LACK_PARAMS", format!("缺少参数:{name}"));
            self.fields.get(name).ok_or_else(missing)
        };
        let wrong = |name: &str| ("PARAM_ERROR", format!("参数错误:{name}"));
        for name in ["body", "total_fee", "spbill_create_ip", "notify_url", "trade_type"] {
            required(name)?;
        }
        if required("trade_type")? != "NATIVE" {
            return Err(wrong("trade_type"));
        }
        required("product_id")?;
        if !is_notify_url(required("notify_url")?) {
            return Err(wrong("notify_url"));
        }
        // A payment code has no business here.
        if self.fields.get("auth_code").is_some() {
            return Err(wrong("auth_code"));
        }
        let amount = whole_number(required("total_fee")?).ok_or_else(|| wrong("total_fee"))?;
        required("spbill_create_ip")?.parse::<IpAddr>().map_err(|_| wrong("spbill_create_ip"))?;
        let currency = self.fields.get("fee_type").unwrap_or("CNY");
        if currency != "CNY" && currency != script.currency.code() {
            return Err(wrong("fee_type"));
        }
        Ok(NativeOrder {
            amount: Money::from_minor(amount),
            currency: currency.to_owned(),
            fingerprint: self.fingerprint(),
        })
    }

    fn fingerprint(&self) -> [u8; 32] {
        let changing = ["nonce_str", "sign", "sign_type"];
        let mut same = Fields::default();
        for (name, value) in self.fields.iter().filter(|(name, _)| !changing.contains(name)) {
            same.set(name, value);
        }
        print_of(&same.to_xml())
    }
}

pub(super) fn is_order_number(text: &str) -> bool {
    text.len() <= 32 && is_number(text)
}

pub(super) fn is_number(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

/// An address with a path and without a query (protocol 3.7).
fn is_notify_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.and_then(|rest| rest.split_once('/')).is_some_and(|(host, path)| {
        !host.is_empty() && !path.is_empty() && !path.contains(['?', '#', ' '])
    })
}

/// A positive integer in its canonical form.
fn whole_number(text: &str) -> Option<i64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| plain && text.len() <= 12)
}

fn print_of(text: &str) -> [u8; 32] {
    let mut print = [0; 32];
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    print.copy_from_slice(digest.as_ref());
    print
}
