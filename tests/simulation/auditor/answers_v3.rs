//! A second, independent reader of what the gateway says in API v3: in the fields of API v2, so that
//! the same is demanded of both.

use std::collections::BTreeMap;

use paytill::clock::Timestamp;
use paytill::order::Order;
use paytill::payment::CallKind;
use paytill::simulator::Api;
use serde_json::Value;

use crate::keys;
use crate::world::Said;

/// How far the time of an answer may be from the till's, in milliseconds.
const WINDOW: u64 = 300_000;
/// Codes as API v2 spells them, where API v3 has underscores in other places.
const SPELLED: [&str; 10] = [
    "AUTHCODEEXPIRE",
    "NOAUTH",
    "NOTENOUGH",
    "NOTSUPORTCARD",
    "ORDERCLOSED",
    "ORDERNOTEXIST",
    "ORDERPAID",
    "ORDERREVERSED",
    "SYSTEMERROR",
    "USERPAYING",
];
/// Codes that have another name there.
const RENAMED: [(&str, &str); 2] =
    [("MCH_NOT_EXISTS", "MCHID_NOT_EXIST"), ("RESOURCE_NOT_EXISTS", "REFUNDNOTEXIST")];
/// Where a member is that has another name in API v2.
const MEMBERS: [(&str, &str); 9] = [
    ("/mchid", "mch_id"),
    ("/sp_mchid", "mch_id"),
    ("/appid", "appid"),
    ("/sp_appid", "appid"),
    ("/out_trade_no", "out_trade_no"),
    ("/trade_state", "trade_state"),
    ("/attach", "attach"),
    ("/amount/total", "total_fee"),
    ("/amount/currency", "fee_type"),
];

type Fields = BTreeMap<String, String>;

/// What may be believed of an answer: what is good only with the signature of one of the bank's keys,
/// of this moment; a refusal without any signature, too.
pub fn believed(
    api: Api,
    said: &Said,
    order: &Order,
    kind: CallKind,
    wall: Timestamp,
) -> Option<Fields> {
    let is_good = (200..300).contains(&said.status);
    let claims = said.header("Wechatpay-Signature").is_some();
    if (is_good || claims) && !is_signed(api, said, wall) {
        return None;
    }
    let object: Value =
        if said.body.is_empty() { Value::Null } else { serde_json::from_slice(&said.body).ok()? };
    let mut fields: Fields = MEMBERS
        .iter()
        .filter_map(|(path, name)| Some(((*name).to_owned(), text(object.pointer(path)?))))
        .collect();
    let ours = &order.merchant;
    fields.entry("fee_type".into()).or_insert_with(|| "CNY".into());
    fields.insert("return_code".into(), "SUCCESS".into());
    let names_nobody = !is_good
        || matches!(kind, CallKind::Order | CallKind::Close)
        || matches!(said.status, 202 | 204);
    if names_nobody {
        fields.entry("mch_id".into()).or_insert_with(|| ours.mch_id.clone());
    }
    // Its account's id may be left out.
    fields.entry("appid".into()).or_insert_with(|| ours.app_id.clone());
    let more = if is_good { good(said.status, kind, &fields, order) } else { bad(said, &object)? };
    fields.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    Some(fields)
}

fn is_signed(api: Api, said: &Said, wall: Timestamp) -> bool {
    let header = |name| said.header(name).unwrap_or_default();
    let time = header("Wechatpay-Timestamp");
    let seconds: i64 = time.parse().unwrap_or(i64::MIN);
    let is_of_this_moment = seconds.saturating_mul(1000).abs_diff(wall.0) < WINDOW;
    let text = said.signed_text(time, header("Wechatpay-Nonce"));
    let (serial, signature) = (header("Wechatpay-Serial"), header("Wechatpay-Signature"));
    is_of_this_moment && keys::is_signed(api, serial, &text, signature)
}

fn good(
    status: u16,
    kind: CallKind,
    fields: &Fields,
    order: &Order,
) -> Vec<(&'static str, String)> {
    let state = fields.get("trade_state").map_or("", String::as_str);
    let says = |name, value: &str| (name, value.to_owned());
    let success = says("result_code", "SUCCESS");
    match (kind, status) {
        (CallKind::Submit, 200) if state == "SUCCESS" => vec![success],
        (CallKind::Submit, _) => {
            vec![says("result_code", "FAIL"), says("err_code", "USERPAYING")]
        }
        (CallKind::Reverse, 200 | 204) => vec![success, says("recall", "N")],
        (CallKind::Reverse, _) => vec![success, says("recall", "Y")],
        (CallKind::Query | CallKind::Order, 200) | (CallKind::Close, 200 | 204) => vec![success],
        // Its state is all that is told of an order's refunds.
        (CallKind::RefundQuery, 200) if matches!(state, "REVOKED" | "CLOSED") => {
            vec![success, says("refund_fee_0", &order.amount.minor().to_string())]
        }
        // Whether all of it was, only a reversal of ours tells.
        (CallKind::RefundQuery, 200) if state == "REFUND" => {
            vec![says("result_code", "FAIL"), says("err_code", "REFUNDNOTEXIST")]
        }
        _ => Vec::new(),
    }
}

/// A refusal. What a server in trouble says, or whoever does not know us, says nothing.
fn bad(said: &Said, object: &Value) -> Option<Vec<(&'static str, String)>> {
    let code = object.pointer("/code").map(text)?;
    let letters = |text: &str| text.replace('_', "");
    let known = SPELLED.into_iter().find(|known| letters(known) == letters(&code));
    let renamed = RENAMED.iter().find(|(theirs, _)| *theirs == code).map(|(_, ours)| *ours);
    let code = renamed.or(known).unwrap_or(&code).to_owned();
    let is_refusal = (400..500).contains(&said.status) && !matches!(said.status, 401 | 429);
    let is_there = code != "ORDERNOTEXIST" || said.status == 404;
    (is_refusal && is_there).then(|| vec![("result_code", "FAIL".to_owned()), ("err_code", code)])
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
