//! Replies that nobody at WeChat Pay has made.

use super::*;
use crate::gateway::wechat::tests::{MUTATIONS, draws, mutated};

const PAID: &str = r#"{"appid":"wx8888888888888888","mchid":"1900000109","out_trade_no":"POS01202611220001","transaction_id":"4200002026112200000000000001","trade_state":"SUCCESS","amount":{"total":3150,"currency":"CNY"}}"#;

fn is_believed(says: &Says) -> bool {
    !matches!(says, Says::Unknown(_) | Says::Unsigned(_) | Says::NotSent(_))
}

#[test]
fn forged_unsigned_stale_and_probing_answers_prove_nothing() {
    let right = || Signed::of("platform_key.pem", PAID.as_bytes());
    assert!(matches!(decode(CallKind::Submit, &right().on(200, PAID.as_bytes())), Says::Paid(_)));
    let at = |seconds: i64| {
        let key = der::private_key_of_pem(&fixture("platform_key.pem")).unwrap();
        Signed::by(&key, PUBLIC_KEY_ID, Timestamp(NOW.0 + seconds * 1000), PAID.as_bytes())
    };
    let with = |change: &dyn Fn(&mut Signed)| {
        let mut signed = right();
        change(&mut signed);
        signed
    };
    let merchants = Signed::of("merchant_key.pem", PAID.as_bytes());
    let text = |text: &str| Some(text.to_owned());
    let probe = format!("WECHATPAY/SIGNTEST/{}", right().signature.unwrap());
    for (what, signed, code) in [
        ("no time", with(&|s| s.time = None), "bad_signature"),
        ("no nonce", with(&|s| s.nonce = None), "bad_signature"),
        ("no serial", with(&|s| s.serial = None), "bad_signature"),
        ("no signature", with(&|s| s.signature = None), "bad_signature"),
        ("an empty one", with(&|s| s.signature = text("")), "bad_signature"),
        ("no base64", with(&|s| s.signature = text("~~~~")), "bad_signature"),
        ("a short one", with(&|s| s.signature = text("AAAA")), "bad_signature"),
        ("a probe", with(&|s| s.signature = Some(probe.clone())), "bad_signature"),
        ("another nonce", with(&|s| s.nonce = text("c5ac7061")), "bad_signature"),
        ("another time", with(&|s| s.time = text("1795320004")), "bad_signature"),
        ("a time of words", with(&|s| s.time = text("+1795320003")), "bad_signature"),
        ("a time too long", with(&|s| s.time = text("1795320003000")), "bad_signature"),
        ("another serial", with(&|s| s.serial = text(SERIAL)), "bad_signature"),
        (
            "the serial in lower case",
            with(&|s| s.serial = text("pub_key_id_01142")),
            "bad_signature",
        ),
        ("the merchant's own key", merchants, "bad_signature"),
        ("five minutes ago", at(-300), "answer_time"),
        ("in five minutes", at(300), "answer_time"),
    ] {
        let says = decode(CallKind::Submit, &signed.on(200, PAID.as_bytes()));
        assert_eq!(reason(&says).code(), code, "{what}");
    }
    for seconds in [-299, 299] {
        let says = decode(CallKind::Submit, &at(seconds).on(200, PAID.as_bytes()));
        assert!(matches!(says, Says::Paid(_)), "{seconds}");
    }
    let says = decode(CallKind::Submit, &at(400).on(200, PAID.as_bytes()));
    assert_eq!(reason(&says).text, "+400 s");
    // A header that occurs twice has two readings.
    let mut twice = right().on(200, PAID.as_bytes());
    let serial = http::HeaderValue::from_static(PUBLIC_KEY_ID);
    twice.headers_mut().append("Wechatpay-Serial", serial);
    assert_eq!(reason(&decode(CallKind::Submit, &twice)).code(), "bad_signature");
}

#[test]
fn a_certificate_verifies_on_its_days_alone() {
    let certificate = Certificate::of_pem(&fixture("platform_cert.pem")).unwrap();
    let key = der::private_key_of_pem(&fixture("platform_key.pem")).unwrap();
    let order = order();
    for (seconds, is_valid) in [(-1, false), (0, true)] {
        for (at, sign) in [(certificate.from, 1), (certificate.until, -1)] {
            let now = Timestamp(at.0 + sign * seconds * 1000);
            let gateway = WechatV3::new(signing_key(), None, VerifyingKeys::default());
            gateway.replace_certificates(std::slice::from_ref(&certificate));
            let reply = Signed::by(&key, SERIAL, now, PAID.as_bytes()).on(200, PAID.as_bytes());
            let says: Says = gateway.decode(Ask::Query(&order), &reply, now).answer.into();
            assert_eq!(is_believed(&says), is_valid, "{says:?}");
        }
    }
}

#[test]
fn there_is_one_reading_of_a_message_or_none() {
    let read = |text: &str| json::Object::read(text.as_bytes());
    for text in [
        "",
        "[]",
        "null",
        "{}{}",
        "{} x",
        r#"{"a":1"#,
        r#"{"a":1,}"#,
        r#"{"a":1,"a":1}"#,
        r#"{"a":{"b":1,"b":2}}"#,
        r#"{"a":1,"\u0061":2}"#,
        r"{'a':1}",
        r#"{"a":01}"#,
        r#"{"a":+1}"#,
        r#"{"a":NaN}"#,
        r#"{"a":"\ud800"}"#,
        "{\"a\":\"\u{1}\"}",
        "\u{feff}{}",
        "/* */{}",
        "<xml></xml>",
    ] {
        assert_eq!(read(text), Err(json::NotAMessage), "{text}");
    }
    let deep = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    assert!(read(&deep(16)).is_ok());
    assert!(read(&deep(17)).is_err() && read(&deep(1000)).is_err() && read(&deep(60_000)).is_err());
    let of_length = |length: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(length - 8));
    assert!(read(&of_length(64 * 1024)).is_ok());
    assert!(read(&of_length(64 * 1024 + 1)).is_err());
    let object = read(r#"{"n":1e2,"big":1e400,"t":"","null":null,"o":{},"l":[1]}"#);
    assert!(object.is_err(), "a number without any value");
    let object = read(r#"{"n":1e2,"t":"","null":null,"o":{},"l":[1]}"#).unwrap();
    assert!(object.whole("n").is_err() && object.whole("t").is_err());
    assert_eq!(
        (object.text("t"), object.text("null"), object.whole("null")),
        (Ok(None), Ok(None), Ok(None))
    );
    assert!(object.object("l").is_err() && object.objects("l").is_err());
    assert!(object.objects("o").is_err() && object.text("o").is_err());
}

#[test]
fn a_signed_message_of_wrong_types_proves_nothing() {
    for (from, to) in [
        (r#""SUCCESS""#, "true"),
        (r#""SUCCESS""#, r#"["SUCCESS"]"#),
        ("3150", "[3150]"),
        (r#"{"total":3150,"currency":"CNY"}"#, "3150"),
        (r#""POS01202611220001""#, "1"),
        (r#""1900000109""#, "1900000109"),
    ] {
        let body = PAID.replace(from, to);
        assert_ne!(body, PAID);
        for kind in [CallKind::Submit, CallKind::Query] {
            let says = decode(kind, &signed(200, &body));
            assert_eq!(reason(&says).code(), "bad_answer", "{to}");
        }
    }
}

#[test]
fn a_page_is_quoted_and_recorded_but_never_with_the_code() {
    let (order, code) = (order(), code());
    let decode = |status: u16, body: &str| {
        let mut reply = bare(status, body);
        let html = http::HeaderValue::from_static("text/html; charset=gbk");
        reply.headers_mut().insert(http::header::CONTENT_TYPE, html);
        gateway().decode(Ask::Submit(&order, &code), &reply, NOW)
    };
    let said = |decoded: &Decoded| decoded.answer.reason().unwrap().clone();
    let decoded = decode(502, "<html><title>502 Bad Gateway</title></html>");
    assert_eq!(said(&decoded).code(), "http_status");
    assert_eq!(said(&decoded).text, "HTTP 502, text/html: 502 Bad Gateway");
    assert_eq!(decoded.record[0], ("http_status".to_owned(), "502".to_owned()));
    let decoded = decode(200, "<html>Please log in</html>");
    assert_eq!(said(&decoded).code(), "bad_answer");
    for status in [200, 302, 400, 404, 500] {
        let decoded = decode(status, &format!("Bad request: {}", code.expose()));
        assert!(!format!("{decoded:?}").contains(code.expose()), "{status}");
        let json = format!(r#"{{"code":"PARAM_ERROR","message":"{}"}}"#, code.expose());
        let decoded = decode(status, &json);
        assert!(!format!("{decoded:?}").contains(code.expose()), "{status} {decoded:?}");
    }
}

#[test]
fn no_mutated_answer_is_believed() {
    let bodies = [PAID, r#"{"code":"ORDER_NOT_EXIST","message":"订单不存在"}"#];
    let mut draw = draws();
    let gateway = gateway();
    let (order, code) = (order(), code());
    for body in bodies {
        let right = Signed::of("platform_key.pem", body.as_bytes());
        for _ in 0..MUTATIONS {
            let bytes = mutated(body.as_bytes(), &mut draw);
            if bytes == body.as_bytes() {
                continue;
            }
            let reply = right.clone().on(200, &bytes);
            let ask = Ask::of(KINDS[draw(KINDS.len())], &order, Some(&code)).unwrap();
            let says: Says = gateway.decode(ask, &reply, NOW).answer.into();
            assert!(!is_believed(&says), "{says:?}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic_or_pay(
        body: Vec<u8>, text in ".*", status in 100_u16..600, time in ".{0,20}", signature in "[ -~]{0,64}",
    ) {
        let json = format!("{{\"code\":{text:?},\"trade_state\":\"SUCCESS\"}}");
        for body in [body, text.into_bytes(), json.into_bytes()] {
            let signed = Signed {
                time: http::HeaderValue::from_str(&time).is_ok().then(|| time.clone()),
                nonce: Some("nonce".into()),
                serial: Some(PUBLIC_KEY_ID.into()),
                signature: Some(signature.clone()),
            };
            for reply in [signed.on(status, &body), bare(status, &String::from_utf8_lossy(&body))] {
                for kind in KINDS {
                    let says = decode(kind, &reply);
                    let proves = matches!(says, Says::Paid(_) | Says::Paying | Says::Ended(_));
                    proptest::prop_assert!(!proves, "{:?}", says);
                }
            }
        }
    }
}
