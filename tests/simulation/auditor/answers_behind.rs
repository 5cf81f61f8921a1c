//! A second, independent reader of what the merchant's backend says: in the fields of API v2, so that the
//! same is demanded of a till behind one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paytill::order::Order;
use paytill::payment::CallKind;
use serde_json::Value;

use crate::keys;
use crate::world::Said;

type Fields = BTreeMap<String, String>;

/// Refusals for which nothing was sent on under this number, or ever will be by this request.
const REFUSALS: [&str; 7] =
    ["closed", "revoked", "not_allowed", "clock", "unauthorized", "bad_request", "not_sent"];

/// What may be believed of an answer: what the backend has signed for the request with this nonce.
pub fn believed(said: &Said, nonce: &str, order: &Order, kind: CallKind) -> Option<Fields> {
    if !is_signed(said, nonce) {
        return None;
    }
    let object: Value = serde_json::from_slice(&said.body).ok()?;
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let is = |name: &str| object.get(name).and_then(Value::as_bool).unwrap_or_default();
    let mut fields = Fields::new();
    let mut says = |name: &str, value: &str| {
        fields.insert(name.to_owned(), value.to_owned());
    };
    // It acts for one merchant, and its signature says so.
    says("return_code", "SUCCESS");
    says("mch_id", &order.merchant.mch_id);
    says("appid", &order.merchant.app_id);
    if !matches!(said.status, 200 | 202) {
        says("result_code", "FAIL");
        match text("code") {
            "not_found" => says("err_code", "ORDERNOTEXIST"),
            code if kind == CallKind::Submit && REFUSALS.contains(&code) => {
                says("err_code", "ORDERCLOSED");
            }
            code => says("err_code", code),
        }
        return Some(fields);
    }
    says("out_trade_no", text("out_trade_no"));
    says("fee_type", text("currency"));
    says("total_fee", &object.get("amount").map(Value::to_string).unwrap_or_default());
    if !text("mark").is_empty() {
        says("attach", text("mark"));
    }
    says("result_code", "SUCCESS");
    let (state, is_closed) = (text("state"), is("closed"));
    let (is_held, is_returned) = (is("money_held"), is("money_returned"));
    let is_without = is_returned || !is_held;
    match (kind, state) {
        (CallKind::Submit, "paid") => {}
        (CallKind::Submit, "declined") if !is_held && !is_returned => {
            says("result_code", "FAIL");
            says("err_code", "ORDERCLOSED");
        }
        (CallKind::Submit, _) => says("result_code", "FAIL"),
        (CallKind::Query, "paid") => says("trade_state", "SUCCESS"),
        (CallKind::Query, _) if is_returned && state == "reversed" => {
            says("trade_state", "REVOKED");
        }
        (CallKind::Query, _) if is_held || is_returned => says("trade_state", "PAYERROR"),
        (CallKind::Query, "declined" | "reversed" | "closed") if is_closed => {
            says("trade_state", "REVOKED");
        }
        // It will not be paid, and the backend is closing it.
        (CallKind::Query, "declined" | "reversed" | "closed") => {
            says("trade_state", "NOTPAY");
            says("behind", "closing");
        }
        (CallKind::Query, "reversing") => says("trade_state", "PAYERROR"),
        (CallKind::Query, "waiting") if object.get("code_url").is_some_and(Value::is_string) => {
            says("trade_state", "NOTPAY");
        }
        (CallKind::Query, _) => says("trade_state", "USERPAYING"),
        (CallKind::Reverse | CallKind::Close, "reversed" | "closed") if is_without => {
            says("recall", "N");
        }
        (CallKind::Reverse | CallKind::Close, "declined") if is_closed => says("recall", "N"),
        (CallKind::Reverse | CallKind::Close, _) => {
            says("result_code", "FAIL");
            says("recall", "Y");
        }
        (CallKind::RefundQuery, _) if is_returned => {
            says("refund_fee_0", &order.amount.minor().to_string());
        }
        (CallKind::RefundQuery | CallKind::Order, _) => {}
    }
    Some(fields)
}

fn is_signed(said: &Said, nonce: &str) -> bool {
    let header = |name| said.header(name).unwrap_or_default();
    let mut digest = String::new();
    for byte in digest::digest(&digest::SHA256, &said.body).as_ref() {
        let _ = write!(digest, "{byte:02x}");
    }
    let text = format!("{}\n{nonce}\n{}\n{digest}\n", said.status, header("paytill-timestamp"));
    let signature = STANDARD.decode(header("paytill-signature")).unwrap_or_default();
    UnparsedPublicKey::new(&ED25519, keys::backend()).verify(text.as_bytes(), &signature).is_ok()
}
