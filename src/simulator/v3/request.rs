//! What API v3 demands of a request before it looks at an order.

use super::{PlatformKeys, RequestV3};
use crate::notice_case::NoticeForm;
use crate::request::{Incoming as OrderRequest, is_number, is_order_number};
use crate::{Account, Script};
use paytill_core::clock::Date;
use paytill_core::gateway::wechat::fields::{Fields, SignType};
use paytill_core::gateway::wechat::v3::json::Object;
use paytill_core::payment::CallKind;

const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048 ";
/// How far the time of a request may be off, in seconds.
const WINDOW: u64 = 300;
const DIRECT: &str = "/v3/pay/transactions/";
const PARTNER: &str = "/v3/pay/partner/transactions/";
const REFUNDS: &str = "/v3/refund/domestic/refunds";

/// A request that is in order.
pub(super) enum Incoming {
    /// As the gateway's books understand it: in the fields of API v2.
    Order(OrderRequest),
    Certificates,
    /// The bill of a day, and whether it is to be compressed.
    Bill(Date, bool),
    /// A file by its token.
    File(usize),
}

/// Why a request is not in order. None of these answers is signed.
pub(super) enum Rejection {
    /// A status without a body.
    Empty(u16),
    Coded(u16, &'static str, String),
}

/// What a request is for.
enum Call<'a> {
    Certificates,
    Bill,
    File,
    Codepay,
    Native,
    Refund,
    RefundQuery(&'a str),
    Query(&'a str),
    QueryById(&'a str),
    Reverse(&'a str),
    Close(&'a str),
}

/// Where a member is, its type and length, and whether it must be there.
struct Rule {
    name: &'static str,
    /// The field of API v2 that it becomes.
    field: &'static str,
    longest: usize,
    required: bool,
}

const fn rule(name: &'static str, field: &'static str, longest: usize, required: bool) -> Rule {
    Rule { name, field, longest, required }
}

/// Of codepay and of native.
const OF_GOODS: [Rule; 4] = [
    rule("description", "body", 127, true),
    rule("out_trade_no", "out_trade_no", 32, true),
    rule("attach", "attach", 128, false),
    rule("goods_tag", "goods_tag", 32, false),
];

pub(super) fn read(
    account: &Account,
    script: &Script,
    keys: &PlatformKeys,
    request: &RequestV3<'_>,
) -> Result<Incoming, Rejection> {
    let (path, query) = request.target.split_once('?').unwrap_or((request.target, ""));
    let is_provider = !account.merchant.sub_mch_id.is_empty();
    let (call, method) = call(path, is_provider).ok_or(Rejection::Empty(404))?;
    if request.method != method {
        return Err(Rejection::Empty(405));
    }
    verify(account, keys, request)?;
    let call = match call {
        Call::Certificates => return Ok(Incoming::Certificates),
        Call::Bill => return bill(query, &account.merchant.sub_mch_id),
        Call::File => {
            let token = query.strip_prefix("token=").and_then(|token| token.parse().ok());
            let invalid = || Rejection::Coded(400, "INVALID_REQUEST", "token".to_owned());
            return token.map(Incoming::File).ok_or_else(invalid);
        }
        call => call,
    };
    let mut fields = Fields::default();
    let is_refund = matches!(call, Call::Refund);
    let sign_type = SignType::HmacSha256;
    // What it leads to is told as it is answered.
    let by_certificate = request.header("Wechatpay-Serial") != Some(keys.public_key_id());
    let form = NoticeForm::V3 { by_certificate };
    let incoming = |kind, fields| OrderRequest { kind, is_refund, fields, sign_type, form };
    match call {
        Call::Certificates | Call::Bill | Call::File => Err(Rejection::Empty(404)),
        Call::Query(number) | Call::QueryById(number) => {
            whose(account, query)?;
            own_ids(account, &mut fields);
            let name = match call {
                Call::QueryById(_) => "transaction_id",
                _ => "out_trade_no",
            };
            fields.set(name, order_number(number)?);
            Ok(Incoming::Order(incoming(CallKind::Query, fields)))
        }
        Call::RefundQuery(number) => {
            let shop = &account.merchant.sub_mch_id;
            let expected =
                if shop.is_empty() { String::new() } else { format!("sub_mchid={shop}") };
            if query != expected || number.len() > 64 || !is_number(number) {
                return Err(wrong("out_refund_no"));
            }
            own_ids(account, &mut fields);
            fields.set("out_refund_no", number);
            Ok(Incoming::Order(incoming(CallKind::RefundQuery, fields)))
        }
        Call::Refund => {
            refund(account, &body(request)?, &mut fields)?;
            Ok(Incoming::Order(incoming(CallKind::RefundQuery, fields)))
        }
        Call::Reverse(number) => {
            let body = body(request)?;
            ids(account, &body, &[], &mut fields)?;
            fields.set("out_trade_no", order_number(number)?);
            Ok(Incoming::Order(incoming(CallKind::Reverse, fields)))
        }
        Call::Native => {
            let body = body(request)?;
            native(account, script, &body, &mut fields)?;
            Ok(Incoming::Order(incoming(CallKind::Order, fields)))
        }
        Call::Close(number) => {
            closes(account, &body(request)?)?;
            own_ids(account, &mut fields);
            fields.set("out_trade_no", order_number(number)?);
            Ok(Incoming::Order(incoming(CallKind::Close, fields)))
        }
        Call::Codepay => {
            let body = body(request)?;
            codepay(account, script, &body, &mut fields)?;
            Ok(Incoming::Order(incoming(CallKind::Submit, fields)))
        }
    }
}

fn call(path: &str, is_provider: bool) -> Option<(Call<'_>, &'static str)> {
    if path == "/v3/certificates" {
        return Some((Call::Certificates, "GET"));
    }
    match path {
        "/v3/bill/tradebill" => return Some((Call::Bill, "GET")),
        REFUNDS => return Some((Call::Refund, "POST")),
        "/v3/billdownload/file" => return Some((Call::File, "GET")),
        _ => {}
    }
    if let Some(number) = path.strip_prefix(REFUNDS).and_then(|rest| rest.strip_prefix('/')) {
        return Some((Call::RefundQuery(number), "GET"));
    }
    let rest = path.strip_prefix(if is_provider { PARTNER } else { DIRECT })?;
    if rest == "codepay" {
        return Some((Call::Codepay, "POST"));
    }
    if rest == "native" {
        return Some((Call::Native, "POST"));
    }
    if let Some(id) = rest.strip_prefix("id/") {
        return Some((Call::QueryById(id), "GET"));
    }
    let number = rest.strip_prefix("out-trade-no/")?;
    let posted = |suffix| number.strip_suffix(suffix);
    Some(match (posted("/reverse"), posted("/close")) {
        (Some(number), _) => (Call::Reverse(number), "POST"),
        (None, Some(number)) => (Call::Close(number), "POST"),
        (None, None) => (Call::Query(number), "GET"),
    })
}

fn bill(query: &str, sub_mch_id: &str) -> Result<Incoming, Rejection> {
    let (mut day, mut is_compressed) = (None, false);
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("bill_date", date)) => day = Date::strptime("%Y-%m-%d", date).ok(),
            Some(("bill_type", "ALL")) => {}
            Some(("tar_type", "GZIP")) => is_compressed = true,
            Some(("sub_mchid", id)) if id == sub_mch_id => {}
            _ => return Err(wrong(pair)),
        }
    }
    day.map(|day| Incoming::Bill(day, is_compressed)).ok_or_else(|| wrong("bill_date"))
}

/// Who sends it: the signature over what was sent, by a certificate of the merchant, of this moment.
fn verify(
    account: &Account,
    keys: &PlatformKeys,
    request: &RequestV3<'_>,
) -> Result<(), Rejection> {
    let refused = |text: &str| Rejection::Coded(401, "SIGN_ERROR", text.to_owned());
    if request.header("User-Agent").is_none_or(str::is_empty) {
        let text = "Http头缺少Accept或User-Agent".to_owned();
        return Err(Rejection::Coded(400, "INVALID_REQUEST", text));
    }
    let accept = request.header("Accept").unwrap_or_default();
    let mut accepted = accept.split(',').map(media_type);
    if !accepted.any(|kind| kind == "application/json") {
        return Err(Rejection::Coded(406, "INVALID_REQUEST", "Accept".to_owned()));
    }
    let malformed =
        || refused("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》");
    let header = request.header("Authorization").and_then(|it| it.strip_prefix(SCHEME));
    let header = header.ok_or_else(malformed)?;
    let mut values = [""; 5];
    let names = ["mchid", "nonce_str", "signature", "timestamp", "serial_no"];
    for pair in header.split(',') {
        let (name, value) = pair.split_once('=').ok_or_else(malformed)?;
        let place = names.iter().position(|known| *known == name).ok_or_else(malformed)?;
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        if !values[place].is_empty() {
            return Err(malformed());
        }
        values[place] = value.ok_or_else(malformed)?;
    }
    if values.iter().any(|value| value.is_empty()) || values[1].len() > 32 {
        return Err(malformed());
    }
    let [mch_id, nonce, signature, time, serial] = values;
    let seconds: i64 = time.parse().map_err(|_| malformed())?;
    if (request.at.0 / 1000).abs_diff(seconds) > WINDOW {
        return Err(refused("签名时间戳与当前时间相差超过5分钟"));
    }
    if mch_id != account.merchant.mch_id || serial != keys.merchant_serial() {
        return Err(refused("商户证书序列号有误"));
    }
    let head = format!("{}\n{}\n{time}\n{nonce}\n", request.method, request.target);
    let message = [head.as_bytes(), request.body, b"\n"].concat();
    if !keys.is_merchants(&message, signature) {
        return Err(refused("错误的签名，验签失败"));
    }
    Ok(())
}

fn wrong(name: &str) -> Rejection {
    Rejection::Coded(400, "PARAM_ERROR", format!("参数错误:{name}"))
}

/// Without what stands behind it, such as a character set.
fn media_type(text: &str) -> &str {
    text.split(';').next().unwrap_or_default().trim()
}

fn body(request: &RequestV3<'_>) -> Result<Object, Rejection> {
    if request.header("Content-Type").map(media_type) != Some("application/json") {
        return Err(Rejection::Coded(415, "INVALID_REQUEST", "Content-Type".to_owned()));
    }
    Object::read(request.body).map_err(|_| wrong("body"))
}

/// Unknown members, and known ones that are `null`, are refused.
fn only(object: &Object, known: &[&str]) -> Result<(), Rejection> {
    for (name, is_null) in object.members() {
        if is_null || !known.contains(&name) {
            return Err(wrong(&format!("非法的多余参数 {name}")));
        }
    }
    Ok(())
}

fn text<'a>(
    object: &'a Object,
    name: &str,
    longest: usize,
    required: bool,
) -> Result<Option<&'a str>, Rejection> {
    let value = object.text(name).map_err(|_| wrong(name))?;
    let fits = value.is_none_or(|value| value.len() <= longest && value == value.trim());
    if value.is_none() && required || !fits { Err(wrong(name)) } else { Ok(value) }
}

fn object<'a>(object: &'a Object, name: &str) -> Result<&'a Object, Rejection> {
    object.object(name).ok().flatten().ok_or_else(|| wrong(name))
}

/// The members that say whose it is, beside those of `more`.
fn ids(
    account: &Account,
    body: &Object,
    more: &[&'static str],
    fields: &mut Fields,
) -> Result<(), Rejection> {
    let merchant = &account.merchant;
    let is_provider = !merchant.sub_mch_id.is_empty();
    let names: &[(&str, &str, &str)] = if is_provider {
        &[
            ("sp_appid", "appid", &merchant.app_id),
            ("sp_mchid", "mch_id", &merchant.mch_id),
            ("sub_appid", "sub_appid", &merchant.sub_app_id),
            ("sub_mchid", "sub_mch_id", &merchant.sub_mch_id),
        ]
    } else {
        &[("appid", "appid", &merchant.app_id), ("mchid", "mch_id", &merchant.mch_id)]
    };
    let known: Vec<&str> =
        names.iter().map(|(name, ..)| *name).chain(more.iter().copied()).collect();
    only(body, &known)?;
    for (name, field, ours) in names {
        let theirs = text(body, name, 32, !ours.is_empty())?.unwrap_or_default();
        let is_ours =
            theirs == *ours || *field == "appid" && account.other_app_id.as_deref() == Some(theirs);
        if !is_ours {
            let code = if *field == "mch_id" { "MCH_NOT_EXISTS" } else { "APPID_MCHID_NOT_MATCH" };
            return Err(Rejection::Coded(400, code, (*name).to_owned()));
        }
        fields.set(field, theirs);
    }
    Ok(())
}

fn own_ids(account: &Account, fields: &mut Fields) {
    fields.set("appid", &account.merchant.app_id);
    fields.set("mch_id", &account.merchant.mch_id);
}

fn whose(account: &Account, query: &str) -> Result<(), Rejection> {
    let merchant = &account.merchant;
    let expected = if merchant.sub_mch_id.is_empty() {
        format!("mchid={}", merchant.mch_id)
    } else {
        format!("sp_mchid={}&sub_mchid={}", merchant.mch_id, merchant.sub_mch_id)
    };
    if query == expected { Ok(()) } else { Err(wrong("mchid")) }
}

fn order_number(number: &str) -> Result<&str, Rejection> {
    let is_long_enough = number.len() >= 6;
    if is_long_enough && is_order_number(number) { Ok(number) } else { Err(wrong("out_trade_no")) }
}

/// A refund: its two numbers, and its amounts.
fn refund(account: &Account, body: &Object, fields: &mut Fields) -> Result<(), Rejection> {
    only(body, &["sub_mchid", "out_trade_no", "out_refund_no", "reason", "notify_url", "amount"])?;
    let shop = text(body, "sub_mchid", 32, false)?.unwrap_or_default();
    if shop != account.merchant.sub_mch_id {
        return Err(wrong("sub_mchid"));
    }
    own_ids(account, fields);
    let number = text(body, "out_trade_no", 32, true)?.unwrap_or_default();
    fields.set("out_trade_no", order_number(number)?);
    let number = text(body, "out_refund_no", 64, true)?.unwrap_or_default();
    if !is_number(number) {
        return Err(wrong("out_refund_no"));
    }
    fields.set("out_refund_no", number);
    fields.set("refund_desc", text(body, "reason", 80, false)?.unwrap_or_default());
    fields.set("notify_url", text(body, "notify_url", 255, false)?.unwrap_or_default());
    let amount = object(body, "amount")?;
    only(amount, &["refund", "total", "currency"])?;
    for (name, field) in [("refund", "refund_fee"), ("total", "total_fee")] {
        let value = amount.whole(name).ok().flatten().filter(|value| *value > 0);
        fields.set(field, value.ok_or_else(|| wrong(name))?.to_string());
    }
    let currency = text(amount, "currency", 16, true)?.unwrap_or_default();
    fields.set("refund_fee_type", currency);
    Ok(())
}

/// The members that every order has, beside those of `more`.
fn goods(
    account: &Account,
    body: &Object,
    more: &[&'static str],
    fields: &mut Fields,
) -> Result<(), Rejection> {
    let mut known: Vec<&'static str> = OF_GOODS.iter().map(|rule| rule.name).collect();
    known.extend(["amount", "scene_info", "support_fapiao", "detail", "settle_info"]);
    known.extend(more);
    ids(account, body, &known, fields)?;
    for Rule { name, field, longest, required } in OF_GOODS {
        let value = text(body, name, longest, required)?;
        fields.set(field, value.unwrap_or_default());
    }
    order_number(fields.get("out_trade_no").unwrap_or_default())?;
    Ok(())
}

fn amount(script: &Script, body: &Object, fields: &mut Fields) -> Result<(), Rejection> {
    let amount = object(body, "amount")?;
    only(amount, &["total", "currency"])?;
    let total =
        amount.whole("total").ok().flatten().filter(|total| (1..=10_i64.pow(12)).contains(total));
    fields.set("total_fee", total.ok_or_else(|| wrong("total"))?.to_string());
    let currency = text(amount, "currency", 16, false)?.unwrap_or("CNY");
    if currency != "CNY" && currency != script.currency.code() {
        return Err(wrong("currency"));
    }
    fields.set("fee_type", currency);
    Ok(())
}

/// An order for a code, as API v2 would have it: there its kind and a number of ours are demanded.
fn native(
    account: &Account,
    script: &Script,
    body: &Object,
    fields: &mut Fields,
) -> Result<(), Rejection> {
    goods(account, body, &["notify_url", "time_expire"], fields)?;
    let number = fields.get("out_trade_no").unwrap_or_default().to_owned();
    fields.set("product_id", number);
    fields.set("trade_type", "NATIVE");
    fields.set("notify_url", text(body, "notify_url", 255, true)?.unwrap_or_default());
    amount(script, body, fields)?;
    // This till always sends it.
    let scene = object(body, "scene_info")?;
    only(scene, &["payer_client_ip", "device_id", "store_info"])?;
    fields.set("device_info", text(scene, "device_id", 32, false)?.unwrap_or_default());
    fields.set("spbill_create_ip", text(scene, "payer_client_ip", 45, true)?.unwrap_or_default());
    if let Some(store) = scene.object("store_info").map_err(|_| wrong("store_info"))? {
        only(store, &["id", "name", "area_code", "address"])?;
        text(store, "id", 32, true)?;
    }
    Ok(())
}

/// Whose order is to be closed: nothing else may be said.
fn closes(account: &Account, body: &Object) -> Result<(), Rejection> {
    let merchant = &account.merchant;
    let names: &[(&str, &str)] = if merchant.sub_mch_id.is_empty() {
        &[("mchid", &merchant.mch_id)]
    } else {
        &[("sp_mchid", &merchant.mch_id), ("sub_mchid", &merchant.sub_mch_id)]
    };
    let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
    only(body, &known)?;
    for (name, ours) in names {
        if text(body, name, 32, true)? != Some(ours) {
            return Err(Rejection::Coded(400, "MCH_NOT_EXISTS", (*name).to_owned()));
        }
    }
    Ok(())
}

fn codepay(
    account: &Account,
    script: &Script,
    body: &Object,
    fields: &mut Fields,
) -> Result<(), Rejection> {
    goods(account, body, &["payer"], fields)?;
    let payer = object(body, "payer")?;
    only(payer, &["auth_code"])?;
    fields.set("auth_code", text(payer, "auth_code", 32, true)?.unwrap_or_default());
    amount(script, body, fields)?;
    let scene = object(body, "scene_info")?;
    only(scene, &["device_id", "device_ip", "store_info"])?;
    fields.set("device_info", text(scene, "device_id", 32, false)?.unwrap_or_default());
    // One of the official libraries demands it, and this till always sends it.
    fields.set("spbill_create_ip", text(scene, "device_ip", 45, true)?.unwrap_or_default());
    let store = object(scene, "store_info")?;
    only(store, &["id", "out_id"])?;
    let id = text(store, "id", 32, false)?;
    let out_id = text(store, "out_id", 256, id.is_none())?;
    let is_plain = |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if id.is_some_and(|id| !id.bytes().all(|byte| byte.is_ascii_digit()))
        || out_id.is_some_and(|id| !is_plain(id))
    {
        return Err(wrong("store_info"));
    }
    Ok(())
}
