//! Notifications, and what pretends to be one.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use secrecy::SecretString;

use super::*;
use crate::gateway::notice::{Delivery, Notice};
use crate::gateway::wechat::tests::{MUTATIONS, draws, mutated};
use crate::refund::{OutRefundNo, Queried, Refund};

const KEY: &str = "TESTONLYv3key0123456789abcdefghi";
const PAID: &str = r#"{"mchid":"1900000109","appid":"wx8888888888888888","out_trade_no":"POS01202611220001","transaction_id":"4200002026112200000000000001","trade_state":"SUCCESS","attach":"0123456789abcdef","success_time":"2026-11-22T12:03:01+08:00","amount":{"total":3150,"payer_total":3100,"currency":"CNY"}}"#;
const REFUND: &str = r#"{"mchid":"1900000109","out_trade_no":"POS01202611220001","transaction_id":"4200002026112200000000000001","out_refund_no":"RF202611220001","refund_id":"50200002026112200000000000001","refund_status":"SUCCESS","success_time":"2026-11-22T12:30:00+08:00","amount":{"total":3150,"refund":1000,"payer_total":3150,"payer_refund":1000}}"#;

/// What is encrypted with the key, bound to a text.
fn seal(key: &str, bound: &str, plain: &str) -> String {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_bytes()).unwrap());
    let nonce = Nonce::try_assume_unique_for_key(b"d215b0511e9c").unwrap();
    let mut bytes = plain.as_bytes().to_vec();
    key.seal_in_place_append_tag(nonce, Aad::from(bound), &mut bytes).unwrap();
    STANDARD.encode(bytes)
}

fn message(event: &str, plain: &str) -> String {
    let sealed = seal(KEY, "transaction", plain);
    format!(
        r#"{{"id":"EV-1","create_time":"2026-11-22T12:15:01+08:00","resource_type":"encrypt-resource","event_type":"{event}","summary":"支付成功","resource":{{"original_type":"transaction","algorithm":"AEAD_AES_256_GCM","ciphertext":"{sealed}","associated_data":"transaction","nonce":"d215b0511e9c"}}}}"#
    )
}

fn deliver(signed: Signed, body: &[u8]) -> Delivery {
    let mut delivery = http::Request::new(body.to_vec());
    *delivery.headers_mut() = signed.headers();
    delivery
}

fn read(delivery: &Delivery) -> Result<Notice, Reason> {
    gateway().notice(delivery, &merchant(), &SecretString::from(KEY), NOW)
}

/// Of a message that WeChat Pay has signed.
fn notice(body: &str) -> Result<Notice, Reason> {
    read(&deliver(Signed::of("platform_key.pem", body.as_bytes()), body.as_bytes()))
}

fn proof(plain: &str, order: &Order) -> Result<Proof, String> {
    match notice(&message("TRANSACTION.SUCCESS", plain)).map_err(|why| why.code().to_owned())? {
        Notice::Paid(paid) => {
            paid.proof(order, NOW).map_err(|what| what.reason().code().to_owned())
        }
        other => panic!("{other:?}"),
    }
}

fn refund() -> Refund {
    Refund {
        out_refund_no: OutRefundNo::try_from("RF202611220001".to_owned()).unwrap(),
        order: order(),
        amount: Money::from_minor(1000),
        reason: String::new(),
        approved_by: String::new(),
    }
}

#[test]
fn the_published_notification_is_verified_decrypted_and_proves_its_order() {
    let body = fixture("notice.json");
    let signed = Signed {
        time: Some("1795320900".to_owned()),
        nonce: Some("c5ac7061fccab6bf3e254dcf98995b8c".to_owned()),
        serial: Some(PUBLIC_KEY_ID.to_owned()),
        signature: Some(line("notice.sig")),
    };
    let read = |now| {
        let delivery = deliver(signed.clone(), &body);
        gateway().notice(&delivery, &merchant(), &SecretString::from(KEY), now)
    };
    let at = Timestamp(1_795_320_900_000);
    let Ok(Notice::Paid(paid)) = read(at) else { panic!() };
    assert_eq!(paid.id, "EV-2026112212150000001");
    let number = OutTradeNo::try_from("POS01202611220002".to_owned()).unwrap();
    let order = Order { out_trade_no: number, ..order() };
    assert_eq!(paid.proof(&order, at).unwrap().transaction_id, "4200002026112200000000000002");
    assert_eq!(read(Timestamp(at.0 + 300_000)).unwrap_err().code(), "answer_time");
    assert_eq!(read(Timestamp(at.0 - 300_000)).unwrap_err().code(), "answer_time");
    assert!(read(Timestamp(at.0 + 299_000)).is_ok());
    let other = SecretString::from(KEY.to_uppercase());
    let refused = gateway().notice(&deliver(signed.clone(), &body), &merchant(), &other, at);
    assert_eq!(refused.unwrap_err().text, "ciphertext");
}

#[test]
fn a_payment_is_proved_only_where_everything_matches() {
    let proved = proof(PAID, &order()).unwrap();
    assert_eq!(
        (proved.coupon, proved.paid_at.to_rfc3339().as_str()),
        (Some(50), "2026-11-22T04:03:01.000+00:00")
    );
    for (from, to, code) in [
        ("POS01202611220001", "POS01202611220009", "wrong_number"),
        ("\"total\":3150", "\"total\":3151", "wrong_amount"),
        ("\"total\":3150", "\"total\":3150.0", "bad_answer"),
        ("\"total\":3150,", "", "bad_answer"),
        ("CNY", "HKD", "wrong_currency"),
        ("1900000109", "1900009999", "wrong_merchant"),
        ("\"mchid\":\"1900000109\",", "", "wrong_merchant"),
        ("wx8888888888888888", "wx1111111111111111", "wrong_merchant"),
        ("\"appid\"", "\"sub_mchid\":\"1900009999\",\"appid\"", "wrong_merchant"),
        ("\"SUCCESS\"", "\"REFUND\"", "bad_answer"),
        ("42000020", "4200'020", "bad_answer"),
        ("{\"mchid\"", "{\"mchid\":\"1900000109\",\"mchid\"", "bad_answer"),
        ("\"POS01202611220001\"", "1", "bad_answer"),
    ] {
        let plain = PAID.replacen(from, to, 1);
        assert_ne!(plain, PAID, "{from}");
        assert_eq!(proof(&plain, &order()).unwrap_err(), code, "{to}");
    }
    let marked = |mark: &str| Order { mark: mark.into(), ..order() };
    assert!(proof(PAID, &marked("0123456789abcdef")).is_ok());
    let other = proof(PAID, &marked("fedcba9876543210"));
    assert_eq!(other.unwrap_err(), "another_till");
    let mut moved = order();
    moved.merchant.app_id = "wx1111111111111111".into();
    assert_eq!(proof(PAID, &moved).unwrap_err(), "wrong_merchant");
}

#[test]
fn of_a_refund_the_end_is_told_of_this_very_one() {
    let outcome = |event: &str, plain: &str, refund: &Refund| match notice(&message(event, plain))
        .map_err(|why| {
        why.code().to_owned()
    })? {
        Notice::Refund(it) => {
            it.outcome(refund, NOW).map_err(|what| what.reason().code().to_owned())
        }
        other => panic!("{other:?}"),
    };
    let done = outcome("REFUND.SUCCESS", REFUND, &refund());
    assert!(matches!(done, Ok(Queried::Done(ref proof)) if proof.refund_id.starts_with("502")));
    for (word, expected) in [("CLOSED", Queried::Closed), ("ABNORMAL", Queried::Abnormal)] {
        let plain = REFUND.replace("\"SUCCESS\"", &format!("\"{word}\""));
        assert_eq!(outcome(&format!("REFUND.{word}"), &plain, &refund()), Ok(expected));
        assert_eq!(outcome("REFUND.SUCCESS", &plain, &refund()).unwrap_err(), "bad_answer");
    }
    for (from, to, code) in [
        ("RF202611220001", "RF202611220002", "wrong_number"),
        ("POS01202611220001", "POS01202611220009", "wrong_number"),
        ("\"refund\":1000", "\"refund\":1001", "wrong_amount"),
        ("\"total\":3150", "\"total\":3151", "wrong_amount"),
        ("1900000109", "1900009999", "wrong_merchant"),
        ("\"SUCCESS\"", "\"DONE\"", "bad_answer"),
    ] {
        let plain = REFUND.replacen(from, to, 1);
        assert_eq!(outcome("REFUND.SUCCESS", &plain, &refund()).unwrap_err(), code, "{to}");
    }
    // A payment's content under a refund's name, and the other way round.
    assert!(outcome("REFUND.SUCCESS", PAID, &refund()).is_err());
    assert!(notice(&message("TRANSACTION.SUCCESS", REFUND)).is_err());
}

#[test]
fn forged_stale_probing_and_unreadable_deliveries_say_nothing() {
    let body = message("TRANSACTION.SUCCESS", PAID);
    let right = || Signed::of("platform_key.pem", body.as_bytes());
    let with = |change: &dyn Fn(&mut Signed)| {
        let mut signed = right();
        change(&mut signed);
        read(&deliver(signed, body.as_bytes())).unwrap_err().code().to_owned()
    };
    assert!(read(&deliver(right(), body.as_bytes())).is_ok());
    let probe = format!("WECHATPAY/SIGNTEST/{}", right().signature.unwrap());
    assert_eq!(with(&|s| s.signature = Some(probe.clone())), "bad_signature");
    assert_eq!(with(&|s| s.signature = None), "bad_signature");
    assert_eq!(with(&|s| s.nonce = None), "bad_signature");
    assert_eq!(with(&|s| s.time = None), "bad_signature");
    assert_eq!(with(&|s| s.time = Some("1795320004".into())), "bad_signature");
    let gateway = gateway();
    let lacks = lacks_of(&gateway);
    let unknown = Signed { serial: Some(SERIAL.into()), ..right() };
    let delivery = deliver(unknown, body.as_bytes());
    let refused = gateway.notice(&delivery, &merchant(), &SecretString::from(KEY), NOW);
    assert_eq!(refused.unwrap_err().code(), "bad_signature");
    assert_eq!(lacks.load(Ordering::Relaxed), 0, "anybody can send one");
    let forged = Signed::of("merchant_key.pem", body.as_bytes());
    assert_eq!(read(&deliver(forged, body.as_bytes())).unwrap_err().code(), "bad_signature");
    for (from, to) in [
        ("AEAD_AES_256_GCM", "AEAD_SM4_GCM"),
        ("\"associated_data\":\"transaction\"", "\"associated_data\":\"refund\""),
        ("\"associated_data\":\"transaction\",", ""),
        ("d215b0511e9c", "d215b0511e9d"),
        ("\"resource\":{", "\"resource\":[{"),
        ("\"id\":\"EV-1\",", ""),
        ("{\"id\"", "/* */{\"id\""),
    ] {
        let changed = body.replace(from, to);
        assert_ne!(changed, body, "{from}");
        assert_eq!(notice(&changed).unwrap_err().code(), "bad_answer", "{to}");
    }
    let long = format!("{body}{}", " ".repeat(64 * 1024));
    assert_eq!(notice(&long).unwrap_err().code(), "bad_answer");
    let other = notice(&message("COUPON.USE", "{}")).unwrap();
    assert_eq!(other, Notice::Other("COUPON.USE".into()));
}

#[test]
fn a_service_provider_is_told_of_its_shop_alone() {
    let provider = Merchant { sub_mch_id: "1900000200".into(), ..merchant() };
    let plain = PAID.replace(
        r#""mchid":"1900000109","appid""#,
        r#""sp_mchid":"1900000109","sub_mchid":"1900000200","sp_appid""#,
    );
    let read = |plain: &str| {
        let body = message("TRANSACTION.SUCCESS", plain);
        let signed = Signed::of("platform_key.pem", body.as_bytes());
        let delivery = deliver(signed, body.as_bytes());
        gateway().notice(&delivery, &provider, &SecretString::from(KEY), NOW)
    };
    assert!(matches!(read(&plain), Ok(Notice::Paid(_))));
    assert_eq!(
        read(&plain.replace("1900000200", "1900000201")).unwrap_err().code(),
        "wrong_merchant"
    );
    assert_eq!(read(PAID).unwrap_err().code(), "wrong_merchant");
}

#[test]
fn no_mutated_notification_is_believed() {
    let gateway = gateway();
    let key = SecretString::from(KEY);
    let mut draw = draws();
    for (event, plain) in [("TRANSACTION.SUCCESS", PAID), ("REFUND.SUCCESS", REFUND)] {
        let body = message(event, plain).into_bytes();
        let right = Signed::of("platform_key.pem", &body);
        for _ in 0..MUTATIONS {
            let bytes = mutated(&body, &mut draw);
            let delivery = deliver(right.clone(), &bytes);
            let read = gateway.notice(&delivery, &merchant(), &key, NOW);
            assert!(bytes == body || read.is_err(), "{read:?}");
        }
    }
}

#[test]
fn no_mutated_secret_is_believed_even_if_it_is_signed() {
    // Whoever could sign, but does not have the key, cannot make one that says anything.
    let sealed = STANDARD.decode(seal(KEY, "transaction", PAID)).unwrap();
    let mut draw = draws();
    for _ in 0..MUTATIONS {
        let bytes = mutated(&sealed, &mut draw);
        let opened = aead::open(
            &AES_256_GCM,
            KEY.as_bytes(),
            ("d215b0511e9c", "transaction"),
            &STANDARD.encode(&bytes),
        );
        assert!(bytes == sealed || opened.is_none());
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic_or_believe(
        body: Vec<u8>, text in ".*", time in "[0-9]{0,13}", signature in "[ -~]{0,64}",
    ) {
        let json = format!("{{\"event_type\":\"TRANSACTION.SUCCESS\",\"id\":{text:?}}}");
        for body in [body, text.into_bytes(), json.into_bytes()] {
            let signed = Signed {
                time: Some(time.clone()),
                nonce: Some("nonce".into()),
                serial: Some(PUBLIC_KEY_ID.into()),
                signature: Some(signature.clone()),
            };
            proptest::prop_assert!(read(&deliver(signed, &body)).is_err());
        }
    }
}
