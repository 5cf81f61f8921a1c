//! What is sent, and what is recorded of it.

use super::*;

pub(super) fn text(outgoing: &Outgoing) -> String {
    String::from_utf8(outgoing.request.body().to_vec()).unwrap()
}

/// Verifies `Authorization` as the gateway does, over what is sent.
pub(super) fn assert_signed(outgoing: &Outgoing) {
    let request = &outgoing.request;
    let header = request.headers()["Authorization"].to_str().unwrap();
    let fields = header.strip_prefix("WECHATPAY2-SHA256-RSA2048 ").unwrap();
    let field = |name: &str| {
        let found = fields.split(',').find_map(|pair| pair.strip_prefix(&format!("{name}=\"")));
        found.unwrap().strip_suffix('"').unwrap().to_owned()
    };
    assert_eq!(
        (field("mchid").as_str(), field("serial_no").as_str()),
        ("1900000109", MERCHANT_SERIAL)
    );
    let message = format!(
        "{}\n{}\n{}\n{}\n{}\n",
        request.method(),
        request.uri(),
        field("timestamp"),
        field("nonce_str"),
        text(outgoing)
    );
    let key = der::public_key_of_pem(&fixture("merchant_public.pem")).unwrap();
    let signature = STANDARD.decode(field("signature")).unwrap();
    key.verify_sig(message.as_bytes(), &signature).unwrap();
}

#[test]
fn a_submission_says_all_that_was_agreed_and_a_question_only_the_number() {
    let (order, code) = (Order { mark: "0123456789abcdef".into(), ..order() }, code());
    let gateway = gateway();
    let sent = |ask: Ask<'_>| gateway.encode(ask, &stamp());
    let submission = sent(Ask::Submit(&order, &code));
    assert_eq!(
        text(&submission),
        r#"{"appid":"wx8888888888888888","mchid":"1900000109","description":"测试门店-拿铁咖啡","#
            .to_owned()
            + r#""out_trade_no":"POS01202611220001","attach":"0123456789abcdef","#
            + r#""payer":{"auth_code":"134567890123456789"},"amount":{"total":3150,"currency":"CNY"},"#
            + r#""scene_info":{"device_id":"A1111","device_ip":"203.0.113.7","#
            + r#""store_info":{"out_id":"A1111"}}}"#
    );
    assert_eq!(submission.request.uri(), "/v3/pay/transactions/codepay");
    let query = sent(Ask::Query(&order));
    let number = "/v3/pay/transactions/out-trade-no/POS01202611220001";
    assert_eq!(query.request.uri(), &*format!("{number}?mchid=1900000109"));
    assert_eq!((query.request.method(), text(&query).as_str()), (&http::Method::GET, ""));
    assert!(!query.request.headers().contains_key("Content-Type"));
    assert_eq!(sent(Ask::RefundQuery(&order)).request.uri(), query.request.uri());
    let reverse = sent(Ask::Reverse(&order));
    assert_eq!(reverse.request.uri(), &*format!("{number}/reverse"));
    assert_eq!(text(&reverse), r#"{"appid":"wx8888888888888888","mchid":"1900000109"}"#);
    for outgoing in [submission, query, reverse] {
        assert_signed(&outgoing);
        assert!(!outgoing.certificate, "no certificate is shown in API v3");
        let headers = outgoing.request.headers();
        assert_eq!(headers["Accept"], "application/json");
        assert_eq!(headers["Wechatpay-Serial"], PUBLIC_KEY_ID);
    }
}

#[test]
fn a_service_provider_names_its_sub_merchant() {
    let merchant = Merchant {
        sub_app_id: "wx2222222222222222".into(),
        sub_mch_id: "1900000110".into(),
        ..merchant()
    };
    let (order, code) = (Order { merchant, ..order() }, code());
    let gateway = gateway();
    let sent = |ask: Ask<'_>| gateway.encode(ask, &stamp());
    let ids = r#""sp_appid":"wx8888888888888888","sp_mchid":"1900000109","sub_appid":"wx2222222222222222","sub_mchid":"1900000110""#;
    let submission = sent(Ask::Submit(&order, &code));
    assert_eq!(submission.request.uri(), "/v3/pay/partner/transactions/codepay");
    assert!(text(&submission).starts_with(&format!("{{{ids},\"description\":")));
    let number = "/v3/pay/partner/transactions/out-trade-no/POS01202611220001";
    let query = sent(Ask::Query(&order));
    let whose = "sp_mchid=1900000109&sub_mchid=1900000110";
    assert_eq!(query.request.uri(), &*format!("{number}?{whose}"));
    assert_eq!(text(&sent(Ask::Reverse(&order))), format!("{{{ids}}}"));
    let lookup = Lookup { merchant: &order.merchant, transaction_id: "4200 1/2" };
    let lookup = gateway.encode_lookup(lookup, &stamp());
    let target = format!("/v3/pay/partner/transactions/id/4200%201%2F2?{whose}");
    assert_eq!(lookup.request.uri(), &*target);
    assert_signed(&lookup);
}

#[test]
fn the_stores_code_is_letters_and_digits_and_always_there() {
    let scene = |device: &str| {
        let order = Order { device_info: device.into(), ..order() };
        String::from_utf8(scene(&order).to_bytes().to_vec()).unwrap()
    };
    assert!(scene("S001").contains(r#""device_id":"S001""#));
    assert!(scene("S001").contains(r#""out_id":"S001""#));
    assert!(scene("S-1").contains(r#""device_id":"S-1""#));
    assert!(scene("S-1").contains(r#""out_id":"1900000109""#));
    assert!(scene("").contains(r#""out_id":"1900000109""#) && !scene("").contains("device_id"));
}

#[test]
fn the_record_has_no_code_no_key_and_no_payer() {
    let (order, code) = (order(), code());
    let sent = format!("{:?}", gateway().record(Ask::Submit(&order, &code)));
    assert!(sent.contains("13************6789") && sent.contains("amount.total"), "{sent}");
    assert!(!sent.contains("134567890123456789") && !sent.contains("1900000109"), "{sent}");
    let body = r#"{"mchid":"1900000109","trade_state":"USERPAYING","payer":{"openid":"oUpF8uMuAJO"},
        "attach":"your code 134567890123456789","trade_state_desc":"余额\u202e不足","n":null,
        "list":[{"amount":1,"on":true,"rate":0.6}]}"#;
    let decoded = gateway().decode(Ask::Submit(&order, &code), &signed(202, body), NOW);
    let received = format!("{:?}", decoded.record);
    for kept in ["余额不足", "list.0.amount", "request_id", "08F6A1-268435461", "http_status"] {
        assert!(received.contains(kept), "{kept}: {received}");
    }
    for left_out in ["oUpF8", "134567890123456789", "1900000109"] {
        assert!(!received.contains(left_out), "{received}");
    }
}

proptest::proptest! {
    #[test]
    fn what_is_written_is_read_back_and_signed_as_it_is_sent(body in ".{0,60}", device in ".{0,20}") {
        let order = Order { body: body.clone(), device_info: device, ..order() };
        let code = code();
        let outgoing = gateway().encode(Ask::Submit(&order, &code), &stamp());
        assert_signed(&outgoing);
        let read = json::Object::read(outgoing.request.body()).unwrap();
        proptest::prop_assert_eq!(read.text("description").unwrap().unwrap_or_default(), body);
    }

    #[test]
    fn a_signed_text_is_five_lines_and_any_change_of_them_is_another(
        target in "/[a-z0-9/?=&%.-]{0,40}", nonce in "[A-Za-z0-9]{1,32}", body in ".{0,80}",
        at in 0_i64..4_000_000_000, place: usize, mask in 1_u8..=255,
    ) {
        let key = signing_key();
        let time = Timestamp(at * 1000 + 999);
        let of = |target: &str, body: &[u8]| {
            key.authorization("1900000109", ("POST", target, body), (time, &nonce)).unwrap()
        };
        let header = of(&target, body.as_bytes());
        let expected = format!("timestamp=\"{at}\"");
        proptest::prop_assert!(header.contains(&expected));
        let message = format!("POST\n{target}\n{at}\n{nonce}\n{body}\n");
        let signature = header.split("signature=\"").nth(1).unwrap().split('"').next().unwrap();
        let signature = STANDARD.decode(signature).unwrap();
        let public = der::public_key_of_pem(&fixture("merchant_public.pem")).unwrap();
        proptest::prop_assert!(public.verify_sig(message.as_bytes(), &signature).is_ok());
        let mut changed = message.into_bytes();
        let place = place % changed.len();
        changed[place] ^= mask;
        proptest::prop_assert!(public.verify_sig(&changed, &signature).is_err());
    }
}
