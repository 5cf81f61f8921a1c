//! Refunds of our own: what is sent, and what is believed.

use super::*;
use crate::gateway::RefundAsk;
use crate::payment::Inconclusive;
use crate::refund::{
    Looked, OutRefundNo, Queried, Refund, RefundAnswer, RefundCallKind, RefundPage, RefundSaid,
};

const LOOK: RefundCallKind = RefundCallKind::Look { offset: 0 };
const QUERY: RefundCallKind = RefundCallKind::Query;
const REFUND: RefundCallKind = RefundCallKind::Refund;
const GIVEN: &str = r#"{"refund_id":"50200002026112200000000000001","out_refund_no":"POS01202611220001R011234","transaction_id":"4200002026112200000000000001","out_trade_no":"POS01202611220001","user_received_account":"招商银行信用卡0403","status":"SUCCESS","success_time":"2026-11-22T12:30:00+08:00","amount":{"total":3150,"refund":150,"payer_total":3150,"payer_refund":150,"currency":"CNY"}}"#;
const ORDER: &str = r#"{"appid":"wx8888888888888888","mchid":"1900000109","out_trade_no":"POS01202611220001","trade_state":"SUCCESS"}"#;

fn refund() -> Refund {
    Refund {
        out_refund_no: OutRefundNo::try_from("POS01202611220001R011234".to_owned()).unwrap(),
        order: order(),
        amount: Money::from_minor(150),
        reason: "退货：杯子破了".into(),
        approved_by: String::new(),
    }
}

fn answer(kind: RefundCallKind, reply: &Reply) -> RefundAnswer {
    let refund = refund();
    gateway().decode_refund(RefundAsk { kind, refund: &refund }, reply, NOW).answer
}

fn why(answer: &RefundAnswer) -> &str {
    match answer.as_inconclusive() {
        Some(Inconclusive::Unknown(reason) | Inconclusive::Unsigned(reason)) => reason.code(),
        _ => panic!("{answer:?}"),
    }
}

#[test]
fn a_refund_is_sent_with_its_number_and_amount_and_asked_about_by_its_number() {
    let refund = refund();
    let sent = |kind| {
        let outgoing = gateway().encode_refund(RefundAsk { kind, refund: &refund }, &stamp());
        let body = String::from_utf8(outgoing.request.body().to_vec()).unwrap();
        (outgoing.request.uri().to_string(), body)
    };
    let body = r#"{"out_trade_no":"POS01202611220001","out_refund_no":"POS01202611220001R011234","reason":"退货：杯子破了","amount":{"refund":150,"total":3150,"currency":"CNY"}}"#;
    assert_eq!(sent(REFUND), ("/v3/refund/domestic/refunds".into(), body.into()));
    let number = "/v3/refund/domestic/refunds/POS01202611220001R011234";
    assert_eq!(sent(QUERY), (number.into(), String::new()));
    assert!(sent(LOOK).0.ends_with("/out-trade-no/POS01202611220001?mchid=1900000109"));
    let record = gateway().record_refund(RefundAsk { kind: REFUND, refund: &refund });
    assert!(record.contains(&("amount.refund".into(), "150".into())), "{record:?}");
    let long = Refund { reason: "杯".repeat(40), ..refund };
    let outgoing = gateway().encode_refund(RefundAsk { kind: REFUND, refund: &long }, &stamp());
    let sent = json::Object::read(outgoing.request.body()).unwrap();
    assert_eq!(sent.text("reason"), Ok(Some("杯".repeat(26).as_str())));
}

#[test]
fn a_refund_is_done_by_a_signed_word_that_matches_in_every_part() {
    let RefundAnswer::Queried(Queried::Done(proof)) = answer(QUERY, &signed(200, GIVEN)) else {
        panic!()
    };
    assert_eq!(proof.refund_id, "50200002026112200000000000001");
    assert_eq!(Some(proof.done_at), Timestamp::from_rfc3339("2026-11-22T12:30:00+08:00"));
    for (word, expected) in [
        ("PROCESSING", Queried::Processing),
        ("CLOSED", Queried::Closed),
        ("ABNORMAL", Queried::Abnormal),
    ] {
        let body = GIVEN.replace("\"SUCCESS\"", &format!("\"{word}\""));
        assert_eq!(answer(QUERY, &signed(200, &body)), RefundAnswer::Queried(expected));
        let accepted = RefundAnswer::Said(RefundSaid::Accepted);
        assert_eq!(answer(REFUND, &signed(200, &body)), accepted, "a query says what it became");
    }
    for (from, to, code) in [
        ("\"SUCCESS\"", "\"DONE\"", "bad_answer"),
        ("\"SUCCESS\"", "1", "bad_answer"),
        ("R011234", "R011235", "wrong_number"),
        ("POS01202611220001\"", "POS01202611220002\"", "wrong_number"),
        ("\"refund\":150", "\"refund\":151", "wrong_amount"),
        ("\"total\":3150", "\"total\":3151", "wrong_amount"),
        ("\"CNY\"", "\"USD\"", "wrong_currency"),
        ("{\"refund_id\"", "{\"mchid\":\"1900000100\",\"refund_id\"", "wrong_merchant"),
    ] {
        let body = GIVEN.replacen(from, to, 1);
        assert_ne!(body, GIVEN);
        assert_eq!(why(&answer(QUERY, &signed(200, &body))), code, "{to}");
    }
    assert_eq!(why(&answer(QUERY, &bare(200, GIVEN))), "bad_signature");
    assert_eq!(why(&answer(REFUND, &bare(200, GIVEN))), "bad_signature");
    assert_eq!(why(&answer(REFUND, &signed(202, GIVEN))), "http_status");
    let refund = refund();
    let ask = RefundAsk { kind: QUERY, refund: &refund };
    let record = gateway().decode_refund(ask, &signed(200, GIVEN), NOW).record;
    assert!(!format!("{record:?}").contains("招商银行"), "{record:?}");
}

#[test]
fn errors_of_a_refund_have_their_classes() {
    let coded = |status, code: &str| bare(status, &format!(r#"{{"code":"{code}"}}"#));
    for (status, code) in [
        (403, "NOT_ENOUGH"),
        (403, "USER_ACCOUNT_ABNORMAL"),
        (400, "PARAM_ERROR"),
        (400, "INVALID_REQUEST"),
        (404, "RESOURCE_NOT_EXISTS"),
        (404, "MCH_NOT_EXISTS"),
        (400, "TRADE_OVERDUE"),
        (400, "REFUND_FEE_MISMATCH"),
    ] {
        let says = answer(REFUND, &coded(status, code));
        assert!(matches!(says, RefundAnswer::Said(RefundSaid::Refused(_))), "{code}: {says:?}");
    }
    let busy = answer(REFUND, &coded(429, "FREQUENCY_LIMITED"));
    assert!(matches!(busy, RefundAnswer::Said(RefundSaid::Blocked(_))));
    for (status, code) in
        [(500, "SYSTEM_ERROR"), (500, "NOT_ENOUGH"), (400, "NEW"), (400, "BIZERR_NEED_RETRY")]
    {
        assert!(answer(REFUND, &coded(status, code)).as_inconclusive().is_some(), "{code}");
    }
    assert_eq!(why(&answer(REFUND, &coded(401, "SIGN_ERROR"))), "refused");
    let none = RefundAnswer::Queried(Queried::NotFound);
    assert_eq!(answer(QUERY, &coded(404, "RESOURCE_NOT_EXISTS")), none);
    for (status, code) in
        [(400, "RESOURCE_NOT_EXISTS"), (404, "MCH_NOT_EXISTS"), (500, "SYSTEM_ERROR"), (429, "X")]
    {
        assert!(answer(QUERY, &coded(status, code)).as_inconclusive().is_some(), "{code}");
    }
    assert_eq!(why(&answer(QUERY, &bare(404, ""))), "http_status");
}

#[test]
fn a_look_sees_that_the_order_is_paid_and_no_list() {
    let empty = RefundAnswer::Looked(Looked::Page(RefundPage::default()));
    for state in ["SUCCESS", "REFUND"] {
        assert_eq!(answer(LOOK, &signed(200, &ORDER.replace("SUCCESS", state))), empty);
    }
    for state in ["NOTPAY", "REVOKED", "CLOSED", ""] {
        assert_eq!(
            why(&answer(LOOK, &signed(200, &ORDER.replace("SUCCESS", state)))),
            "bad_answer"
        );
    }
    let foreign = ORDER.replace("1900000109", "1900000100");
    assert_eq!(why(&answer(LOOK, &signed(200, &foreign))), "wrong_merchant");
    assert_eq!(why(&answer(LOOK, &bare(200, ORDER))), "bad_signature");
    let none = bare(404, r#"{"code":"ORDER_NOT_EXIST"}"#);
    assert_eq!(why(&answer(LOOK, &none)), "ORDERNOTEXIST");
}
