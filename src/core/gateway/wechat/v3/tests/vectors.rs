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
    let reply = published(200, fixture("paid.json"), "paid.sig", "PUB_KEY_ID_1");
    let says: Says = gateway.decode(Ask::Query(&order), &reply, NOW).answer.into();
    assert!(reason(&says).is(TillCause::BadSignature));
    assert!(gateway.take_lack_of_certificate() && !gateway.take_lack_of_certificate());
}

#[test]
fn a_notification_is_verified_and_decrypted() {
    let mut keys = VerifyingKeys::default();
    keys.add_public_key(PUBLIC_KEY_ID, &fixture("platform_public.pem"));
    let body = fixture("notice.json");
    let signed = Signed {
        time: Some("1795320900".to_owned()),
        nonce: Some("c5ac7061fccab6bf3e254dcf98995b8c".to_owned()),
        serial: Some(PUBLIC_KEY_ID.to_owned()),
        signature: Some(line("notice.sig")),
    };
    assert_eq!(keys.verify(&signed.on(200, &body), Timestamp(1_795_320_900_000)), Ok(()));
    let notice = json::Object::read(&body).unwrap();
    let resource = notice.object("resource").unwrap().unwrap();
    let sealed = resource.text("ciphertext").unwrap().unwrap();
    assert_eq!(sealed, line("notice.cipher"));
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

#[test]
#[ignore = "a measurement"]
#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn signing_and_verifying_cost_little_more_than_the_bare_operations() {
    use std::time::Instant;
    const TIMES: u32 = 400;
    let (order, code) = (order(), code());
    let ask = Ask::Submit(&order, &code);
    let gateway = gateway();
    let body = line("paid.json");
    let reply = signed(200, &body);
    let key = der::private_key_of_pem(&fixture("merchant_key.pem")).unwrap();
    let public = der::public_key_of_pem(&fixture("platform_public.pem")).unwrap();
    let request = gateway.encode(ask, &stamp()).request;
    let message = [b"POST\n", request.body().as_slice()].concat();
    let signature = STANDARD.decode(reply.headers()["Wechatpay-Signature"].as_bytes()).unwrap();
    let time = reply.headers()["Wechatpay-Timestamp"].to_str().unwrap();
    let text = format!("{time}\nc5ac7061fccab6bf3e254dcf98995b8c\n{body}\n");
    let mut out = vec![0; key.public_modulus_len()];
    let (mut ours, mut bare) = ([0.0_f64; 2], [0.0_f64; 2]);
    for _ in 0..TIMES {
        let start = Instant::now();
        let _ = gateway.encode(ask, &stamp());
        ours[0] += start.elapsed().as_secs_f64();
        let start = Instant::now();
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &message, &mut out).unwrap();
        bare[0] += start.elapsed().as_secs_f64();
        let start = Instant::now();
        gateway.verify(&reply, NOW).unwrap();
        ours[1] += start.elapsed().as_secs_f64();
        let start = Instant::now();
        public.verify_sig(text.as_bytes(), &signature).unwrap();
        bare[1] += start.elapsed().as_secs_f64();
    }
    let ratios = [ours[0] / bare[0], ours[1] / bare[1]];
    eprintln!("sign {:.3} times, verify {:.3} times the bare operation", ratios[0], ratios[1]);
    assert!(ratios.iter().all(|ratio| *ratio <= 1.15), "{ratios:?}");
}
