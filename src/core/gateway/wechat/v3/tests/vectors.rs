//! Published signatures: they are deterministic, so ours are the same, byte for byte.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM};

use super::*;
use crate::payment::TillCause;

const API_V3_KEY: &[u8] = b"TESTONLYv3key0123456789abcdefghi";

#[test]
fn requests_are_signed_like_the_vectors() {
    let key = signing_key();
    let number = "/v3/pay/transactions/out-trade-no/POS01202611220001";
    let reverse = br#"{"appid":"wx8888888888888888","mchid":"1900000109"}"#.to_vec();
    for (method, target, body, signature) in [
        (
            "POST",
            "/v3/pay/transactions/codepay",
            fixture("codepay_request.json"),
            "codepay_request",
        ),
        ("GET", &format!("{number}?mchid=1900000109"), Vec::new(), "query_request"),
        ("POST", &format!("{number}/reverse"), reverse, "reverse_request"),
        ("POST", "/v3/pay/transactions/native", fixture("native_request.json"), "native_request"),
    ] {
        let stamp = stamp();
        let made = (stamp.time, stamp.nonce.as_str());
        let header = key.authorization("1900000109", (method, target, &body), made).unwrap();
        let expected = line(&format!("{signature}.sig"));
        assert!(header.contains(&format!("signature=\"{expected}\"")), "{target}: {header}");
        if signature == "codepay_request" {
            assert_eq!(format!("Authorization: {header}"), line("codepay_request.authorization"));
        }
    }
}

#[test]
fn the_answers_of_the_vectors_are_verified_with_the_public_key_and_with_the_certificate() {
    let certificate = Certificate::of_pem(&fixture("platform_cert.pem")).unwrap();
    let mut keys = VerifyingKeys::default();
    assert!(keys.is_empty());
    assert!(keys.add_public_key(PUBLIC_KEY_ID, &fixture("platform_public.pem")));
    assert!(keys.add_certificate(&certificate));
    let gateway = WechatV3::new(signing_key(), Some(PUBLIC_KEY_ID), keys);
    let (order, code) = (order(), code());
    let published = |status: u16, body: Vec<u8>, signature: &str, serial: &str| {
        let signed = Signed {
            time: Some("1795320003".to_owned()),
            nonce: Some("c5ac7061fccab6bf3e254dcf98995b8c".to_owned()),
            serial: Some(serial.to_owned()),
            signature: Some(line(signature)),
        };
        signed.on(status, &body)
    };
    for serial in [PUBLIC_KEY_ID, SERIAL] {
        let says =
            |ask: Ask<'_>, reply: &Reply| -> Says { gateway.decode(ask, reply, NOW).answer.into() };
        let submit = Ask::Submit(&order, &code);
        let paid = Proof {
            transaction_id: "4200002026112200000000000001".into(),
            paid_at: Timestamp::from_beijing("20261122120301").unwrap(),
            coupon: None,
        };
        let reply = published(200, fixture("paid.json"), "paid.sig", serial);
        assert_eq!(says(submit, &reply), Says::Paid(paid.clone()));
        assert_eq!(says(Ask::Query(&order), &reply), Says::Paid(paid));
        let reply = published(202, fixture("paying.json"), "paying.sig", serial);
        assert_eq!(says(submit, &reply), Says::Paying);
        let reply = published(204, Vec::new(), "empty.sig", serial);
        assert_eq!(says(Ask::Reverse(&order), &reply), Says::Accepted);
        // An answer that was signed, to another question.
        let reply = published(200, fixture("paying.json"), "paid.sig", serial);
        assert_eq!(reason(&says(submit, &reply)).code(), "bad_signature");
    }
    let lacks = lacks_of(&gateway);
    let reply = published(200, fixture("paid.json"), "paid.sig", "PUB_KEY_ID_1");
    let says: Says = gateway.decode(Ask::Query(&order), &reply, NOW).answer.into();
    assert!(reason(&says).is(TillCause::BadSignature));
    assert_eq!(lacks.load(Ordering::Relaxed), 1);
}

#[test]
fn what_was_encrypted_is_read_with_the_right_key_nonce_and_name() {
    let certificate = [fixture("platform_cert.pem"), b"\n".to_vec()].concat();
    let certificate = String::from_utf8(certificate).unwrap().trim_end().to_owned() + "\n";
    for (name, nonce, plain, sealed) in [
        ("transaction", "d215b0511e9c", line("notice_plain.json"), "notice.cipher"),
        ("refund", "fdasfjihihih", line("refund_plain.json"), "refund.cipher"),
        ("certificate", "61f9c719728a", certificate, "certificate.cipher"),
    ] {
        let open = |key: &[u8], nonce: &str, name: &str, sealed: &str| {
            aead::open(&AES_256_GCM, key, (nonce, name), sealed)
        };
        let sealed = line(sealed);
        let opened = open(API_V3_KEY, nonce, name, &sealed).unwrap();
        assert_eq!(String::from_utf8_lossy(&opened), plain, "{name}");
        let mut other = API_V3_KEY.to_vec();
        other[0] ^= 1;
        assert_eq!(open(&other, nonce, name, &sealed), None);
        assert_eq!(open(&other[1..], nonce, name, &sealed), None);
        assert_eq!(open(API_V3_KEY, "d215b0511e9d", name, &sealed), None);
        assert_eq!(open(API_V3_KEY, "short", name, &sealed), None);
        assert_eq!(open(API_V3_KEY, nonce, "", &sealed), None);
        assert_eq!(open(API_V3_KEY, nonce, name, &sealed[4..]), None);
        assert_eq!(open(API_V3_KEY, nonce, name, "*"), None);
    }
    let independent = aead::open(
        &AES_128_GCM,
        b"testAPIv3Key0000",
        ("wCq51qZv4Yfg", "Dl56FrqWQJF1t9LtC3vEUsniZKvbqdR8"),
        "FsdXzxryWfKwvLJKf8LG/ToRPTRh8RN9wROC",
    );
    assert_eq!(independent.unwrap().as_slice(), b"Hello World");
}
