//! Platform certificates.

use secrecy::SecretString;

use std::sync::atomic::Ordering;

use super::*;
use crate::clock::Millis;
use crate::gateway::wechat::v3::certificates::{NoCertificates, Renewal, key_fits, read};

const KEY: &str = "TESTONLYv3key0123456789abcdefghi";

fn key() -> SecretString {
    KEY.into()
}

fn download(change: impl Fn(String) -> String) -> String {
    change(format!(
        r#"{{"data":[{{"serial_no":"{SERIAL}","effective_time":"2026-01-01T08:00:00+08:00","expire_time":1924992000,"encrypt_certificate":{{"algorithm":"AEAD_AES_256_GCM","nonce":"61f9c719728a","associated_data":"certificate","ciphertext":"{}"}}}}]}}"#,
        line("certificate.cipher")
    ))
}

fn reply(body: &str) -> Reply {
    let key = der::private_key_of_pem(&fixture("platform_key.pem")).unwrap();
    Signed::by(&key, SERIAL, NOW, body.as_bytes()).on(200, body.as_bytes())
}

#[test]
fn a_certificate_has_its_serial_its_days_and_its_key() {
    let certificate = Certificate::of_pem(&fixture("platform_cert.pem")).unwrap();
    assert_eq!(certificate.serial, SERIAL);
    assert_eq!(certificate.from.to_rfc3339(), "2026-01-01T00:00:00.000+00:00");
    assert_eq!(certificate.until.to_rfc3339(), "2031-01-01T00:00:00.000+00:00");
    assert!(der::public_key(&certificate.key).is_some());
    let pem = line("platform_cert.pem");
    for cut in 0..pem.len() - 1 {
        assert_eq!(Certificate::of_pem(&pem.as_bytes()[..cut]), None);
    }
    assert_eq!(
        Certificate::of_pem(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"),
        None
    );
}

#[test]
fn the_first_download_is_believed_by_its_key_and_its_own_signature() {
    let body = download(|body| body);
    let certificates = read(&reply(&body), &key(), NOW).unwrap();
    assert_eq!(certificates, [Certificate::of_pem(&fixture("platform_cert.pem")).unwrap()]);
    // Another algorithm's is passed over.
    let more = download(|body| {
        body.replace("\"data\":[", r#""data":[{"encrypt_certificate":{"algorithm":"SM4"}},"#)
    });
    assert_eq!(read(&reply(&more), &key(), NOW).unwrap().len(), 1);
    let other: SecretString = KEY.to_uppercase().into();
    assert_eq!(read(&reply(&body), &other, NOW), Err(NoCertificates::WrongKey));
    // Whether the key fits can be told of any answer.
    assert_eq!(key_fits(&bare(200, &body), &key()), Ok(Some(true)));
    assert_eq!(key_fits(&bare(200, &body), &other), Ok(Some(false)));
    assert_eq!(key_fits(&bare(200, "{}"), &key()), Ok(None));
    let none = bare(404, r#"{"code":"RESOURCE_NOT_EXISTS","message":"无可用的平台证书"}"#);
    assert_eq!(key_fits(&none, &key()), Err(NoCertificates::PublicKeyOnly));
    let unbelievable = |reply: &Reply, now| match read(reply, &key(), now) {
        Err(NoCertificates::Unbelievable(words)) => words,
        other => panic!("{other:?}"),
    };
    let forged = Signed::of("merchant_key.pem", body.as_bytes()).on(200, body.as_bytes());
    assert!(unbelievable(&forged, NOW).contains(PUBLIC_KEY_ID));
    assert_eq!(unbelievable(&bare(200, &body), NOW), "Wechatpay-Timestamp");
    let ended = Timestamp::from_rfc3339("2031-01-01T00:00:01Z").unwrap();
    assert_eq!(unbelievable(&reply(&body), ended), "data");
    let renamed = download(|body| body.replace(SERIAL, MERCHANT_SERIAL));
    assert_eq!(unbelievable(&reply(&renamed), NOW), "encrypt_certificate");
    for wrong in ["{}", r#"{"data":{}}"#, r#"{"data":[1]}"#, r#"{"data":[{}]}"#, "<html>"] {
        unbelievable(&reply(wrong), NOW);
    }
}

#[test]
fn a_merchant_without_certificates_is_told() {
    let none = bare(404, r#"{"code":"RESOURCE_NOT_EXISTS","message":"无可用的平台证书"}"#);
    assert_eq!(read(&none, &key(), NOW), Err(NoCertificates::PublicKeyOnly));
    let refused = bare(401, r#"{"code":"SIGN_ERROR","message":"签名错误"}"#);
    let expected =
        NoCertificates::Refused { code: "SIGNERROR".into(), text: "签名错误".into() };
    assert_eq!(read(&refused, &key(), NOW), Err(expected));
    let page = read(&bare(502, "<html>Bad Gateway</html>"), &key(), NOW);
    assert_eq!(page, Err(NoCertificates::Unbelievable("HTTP 502: Bad Gateway".into())));
}

#[test]
fn new_certificates_take_the_place_of_old_ones_and_the_public_key_stays() {
    let certificate = Certificate::of_pem(&fixture("platform_cert.pem")).unwrap();
    let gateway = gateway();
    let lacks = lacks_of(&gateway);
    let body = "{}";
    let with = |serial: &str| {
        let key = der::private_key_of_pem(&fixture("platform_key.pem")).unwrap();
        Signed::by(&key, serial, NOW, body.as_bytes()).on(200, body.as_bytes())
    };
    let verifies = |serial: &str| gateway.verify(&with(serial), NOW).is_ok();
    assert!(verifies(PUBLIC_KEY_ID) && !verifies(SERIAL));
    assert_eq!(lacks.load(Ordering::Relaxed), 1);
    gateway.replace_certificates(std::slice::from_ref(&certificate));
    assert!(verifies(PUBLIC_KEY_ID) && verifies(SERIAL));
    assert_eq!(lacks.load(Ordering::Relaxed), 1);
    let next = Certificate { serial: MERCHANT_SERIAL.into(), ..certificate };
    gateway.replace_certificates(&[next]);
    assert!(verifies(PUBLIC_KEY_ID) && !verifies(SERIAL) && verifies(MERCHANT_SERIAL));
}

#[test]
fn certificates_are_asked_for_before_they_end_and_again_soon_after_a_failure() {
    let until = |seconds: i64| {
        let certificate = Certificate::of_pem(&fixture("platform_cert.pem")).unwrap();
        [Certificate { until: Timestamp(NOW.0 + seconds * 1000), ..certificate }]
    };
    let mut renewal = Renewal::default();
    assert_eq!(renewal.renewed(&until(1_000_000), NOW), Millis::seconds(36_000));
    assert_eq!(renewal.renewed(&until(10_000), NOW), Millis::seconds(5_000));
    assert_eq!(renewal.renewed(&until(-10), NOW), Renewal::at_least());
    assert_eq!(renewal.renewed(&[], NOW), Renewal::at_least());
    let waits: Vec<_> = (0..12).map(|_| renewal.failed().0 / 1000).collect();
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
    renewal.renewed(&until(1_000_000), NOW);
    assert_eq!(renewal.failed(), Millis::seconds(5));
}
