//! What is sent, and what is recorded of it.

use super::*;

#[test]
fn a_request_is_signed_escaped_and_the_same_but_for_its_nonce() {
    let (order, code) = (order(), code());
    for sign_type in [SignType::Md5, SignType::HmacSha256] {
        let outgoing = gateway(sign_type).encode(Ask::Submit(&order, &code), &stamp("nonce1"));
        let first = Fields::from_xml(outgoing.request.body()).unwrap();
        assert!(first.is_signed(sign_type, KEY));
        assert_eq!(first.get("body"), Some("测试门店-拿铁 & <可颂>"));
        assert_eq!(first.get("total_fee"), Some("3150"));
        assert_eq!(first.get("sign_type"), Some(sign_type.word()));
        assert!(!outgoing.certificate);
        let second = gateway(sign_type).encode(Ask::Submit(&order, &code), &stamp("nonce2"));
        let second = Fields::from_xml(second.request.body()).unwrap();
        let differs: Vec<_> =
            first.iter().zip(second.iter()).filter(|(a, b)| a != b).map(|(a, _)| a.0).collect();
        assert_eq!(differs, ["nonce_str", "sign"]);
    }
    let reverse = gateway(SignType::HmacSha256).encode(Ask::Reverse(&order), &stamp("nonce"));
    assert!(reverse.certificate);
    assert_eq!(reverse.request.uri().path(), "/secapi/pay/reverse");
}

#[test]
fn the_record_has_no_code_no_key_and_no_payer() {
    let (order, code) = (order(), code());
    let gateway = gateway(SignType::HmacSha256);
    let sent = format!("{:?}", gateway.record(Ask::Submit(&order, &code)));
    assert!(sent.contains("13************6789") && sent.contains("3150"), "{sent}");
    assert!(!sent.contains("134567890123456789") && !sent.contains(KEY));
    let body = signed(&[
        ("result_code", "FAIL"),
        ("err_code", "NOTENOUGH"),
        ("err_code_des", "余额\u{202e}不足"),
        ("openid", "oUpF8uMuAJO"),
    ]);
    let decoded = gateway.decode(Ask::Submit(&order, &code), &reply(200, body), NOW);
    let received = format!("{:?}", decoded.record);
    assert!(received.contains("余额不足") && !received.contains("oUpF8"), "{received}");
}

#[test]
fn a_request_says_all_that_was_agreed_with_the_customer_and_a_question_only_the_number() {
    let (order, code) = (order(), code());
    let gateway = gateway(SignType::HmacSha256);
    let sent = |ask: Ask<'_>| {
        Fields::from_xml(gateway.encode(ask, &stamp("nonce")).request.body()).unwrap()
    };
    let common = [
        ("appid", "wx8888888888888888"),
        ("mch_id", "1900000109"),
        ("nonce_str", "nonce"),
        ("out_trade_no", "POS01202611220001"),
        ("sign_type", "HMAC-SHA256"),
    ];
    let submission = [
        ("auth_code", "134567890123456789"),
        ("body", "测试门店-拿铁 & <可颂>"),
        ("device_info", "POS-01"),
        ("fee_type", "CNY"),
        ("spbill_create_ip", "203.0.113.7"),
        ("total_fee", "3150"),
    ];
    for (ask, expected) in [
        (Ask::Submit(&order, &code), [&common[..], &submission].concat()),
        (Ask::Query(&order), common.to_vec()),
        (Ask::Reverse(&order), common.to_vec()),
    ] {
        let mut expected: Fields = expected.into_iter().collect();
        expected.sign(SignType::HmacSha256, KEY);
        assert_eq!(sent(ask), expected, "{:?}", ask.kind());
    }
}

#[test]
fn a_payment_code_that_comes_back_is_not_recorded() {
    let (order, code) = (order(), code());
    let gateway = gateway(SignType::HmacSha256);
    let repeated = "your code 134567890123456789 has expired";
    let body = signed(&[
        ("result_code", "FAIL"),
        ("err_code", "AUTHCODEEXPIRE"),
        ("err_code_des", repeated),
        ("attach", repeated),
        ("auth_code", "134567890123456789"),
    ]);
    let decoded = gateway.decode(Ask::Submit(&order, &code), &reply(200, body), NOW);
    assert!(!format!("{:?}", decoded.answer).contains("134567890123456789"));
    assert!(decoded.record.iter().any(|(_, value)| value == "AUTHCODEEXPIRE"));
    assert!(!format!("{:?}", decoded.record).contains("134567890123456789"));
}

#[test]
fn a_submission_needs_its_code_and_no_other_call_does() {
    let (order, code) = (order(), code());
    assert!(Ask::of(CallKind::Submit, &order, None).is_none());
    for kind in [CallKind::Submit, CallKind::Query, CallKind::Reverse] {
        let ask = Ask::of(kind, &order, Some(&code)).unwrap();
        assert_eq!((ask.kind(), ask.order()), (kind, &order));
    }
    for kind in [CallKind::Query, CallKind::Reverse] {
        assert_eq!(Ask::of(kind, &order, None).unwrap().kind(), kind);
    }
}
