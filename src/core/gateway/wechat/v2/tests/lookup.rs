//! Whose a transaction is.

use super::*;

const TRANSACTION: &str = "4200002026112200000000000001";
const FOUND: [(&str, &str); 4] = [
    ("result_code", "SUCCESS"),
    ("trade_state", "SUCCESS"),
    ("transaction_id", TRANSACTION),
    ("out_trade_no", "POS01202611220001"),
];

fn owner(reply: &Reply) -> Owner {
    let merchant = merchant();
    let lookup = Lookup { merchant: &merchant, transaction_id: TRANSACTION };
    gateway(SignType::HmacSha256).decode_lookup(lookup, reply, NOW)
}

/// The answer with one field changed, added or, if it is empty, left out.
fn with(name: &str, value: &str) -> Reply {
    let mut pairs: Vec<_> = FOUND.into_iter().filter(|(known, _)| *known != name).collect();
    if !value.is_empty() {
        pairs.push((name, value));
    }
    reply(200, signed(&pairs))
}

fn why(owner: Owner) -> String {
    let Owner::Inconclusive(what) = owner else { panic!("{owner:?}") };
    what.reason().code().to_owned()
}

#[test]
fn a_transaction_is_asked_about_by_its_number_alone_and_signed() {
    let merchant = merchant();
    let lookup = Lookup { merchant: &merchant, transaction_id: TRANSACTION };
    let sent = gateway(SignType::HmacSha256).encode_lookup(lookup, &stamp("nonce"));
    assert_eq!((sent.request.uri().path(), sent.certificate), ("/pay/orderquery", false));
    let fields = Fields::from_xml(sent.request.body()).unwrap();
    assert!(fields.is_signed(SignType::HmacSha256, KEY));
    assert_eq!(fields.get("transaction_id"), Some(TRANSACTION));
    assert_eq!(fields.get("mch_id"), Some("1900000109"));
    assert_eq!((fields.get("out_trade_no"), fields.get("auth_code")), (None, None));
}

#[test]
fn the_answer_names_the_order_or_says_that_there_is_none() {
    let number = OutTradeNo::try_from("POS01202611220001".to_owned()).unwrap();
    assert_eq!(owner(&reply(200, signed(&FOUND))), Owner::Order(number));
    let none = signed(&[("result_code", "FAIL"), ("err_code", "ORDERNOTEXIST")]);
    assert_eq!(owner(&reply(200, none)), Owner::Nobody);
}

#[test]
fn an_answer_about_anything_else_is_no_answer() {
    for (name, value) in [
        ("transaction_id", "4200002026112200000000000002"),
        ("transaction_id", ""),
        ("out_trade_no", ""),
        ("out_trade_no", "has space"),
    ] {
        assert_eq!(why(owner(&with(name, value))), "wrong_number", "{name} {value:?}");
    }
    assert_eq!(why(owner(&with("mch_id", "1900009999"))), "wrong_merchant");
    assert_eq!(why(owner(&with("result_code", ""))), "bad_answer");
    let forged = signed_with(SignType::HmacSha256, "another key", &FOUND);
    assert_eq!(why(owner(&reply(200, forged))), "bad_signature");
    assert_eq!(why(owner(&reply(502, signed(&FOUND)))), "http_status");
    assert_eq!(why(owner(&reply(200, b"<html>".to_vec()))), "bad_answer");
    let failed = signed(&[("result_code", "FAIL"), ("err_code", "SYSTEMERROR")]);
    assert_eq!(why(owner(&reply(200, failed))), "SYSTEMERROR");
    let unsigned = Fields::from_iter([("return_code", "FAIL"), ("return_msg", "busy")]);
    assert_eq!(why(owner(&reply(200, unsigned.to_xml().into_bytes()))), "refused");
    // Whoever is in trouble does not sign, and that there is no order is not said so.
    let none = [("return_code", "SUCCESS"), ("result_code", "FAIL"), ("err_code", "ORDERNOTEXIST")];
    let none = Fields::from_iter(none).to_xml().into_bytes();
    assert_eq!(why(owner(&reply(200, none))), "ORDERNOTEXIST");
}
