//! Who signs: the merchant's private key for requests, WeChat Pay's public keys for answers.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::der::{self, Certificate};
use crate::clean::clean;
use crate::clock::Timestamp;
use crate::gateway::Reply;
use crate::payment::TillCause;

/// How far the time of an answer may be from ours, in milliseconds (apiv3 2.3).
const WINDOW: u64 = 300_000;
/// The longest header that is looked at; a signature of a key of 8192 bits has 1368 digits.
const LONGEST_HEADER: usize = 2048;

/// The merchant's private key, and the serial number of its certificate.
pub struct SigningKey {
    serial: String,
    key: KeyPair,
}

impl SigningKey {
    /// Of a private key in PEM form; `None` unless it is an RSA key of 2048 bits at least.
    pub fn new(serial: &str, pem: &[u8]) -> Option<Self> {
        let key = der::private_key_of_pem(pem)?;
        (key.public_modulus_len() >= 256).then(|| Self { serial: serial.to_owned(), key })
    }

    /// The certificate's serial number.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// The value of `Authorization` (apiv3 2.2). `None` only if the system is out of memory.
    pub(super) fn authorization(
        &self,
        mch_id: &str,
        request: (&str, &str, &[u8]),
        (time, nonce): (Timestamp, &str),
    ) -> Option<String> {
        let (method, target, body) = request;
        let time = time.0.div_euclid(1000);
        let length = method.len() + target.len() + nonce.len() + body.len() + 32;
        // It holds the body, and so the payment code.
        let mut message = Zeroizing::new(Vec::with_capacity(length));
        for part in [method.as_bytes(), target.as_bytes(), time.to_string().as_bytes()] {
            message.extend_from_slice(part);
            message.push(b'\n');
        }
        for part in [nonce.as_bytes(), body] {
            message.extend_from_slice(part);
            message.push(b'\n');
        }
        // A digest in one go keeps nothing of the message behind.
        let digest = digest::digest(&digest::SHA256, &message);
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut signature).ok()?;
        let mut header = String::from("WECHATPAY2-SHA256-RSA2048 ");
        let _ = write!(
            header,
            "mchid=\"{mch_id}\",nonce_str=\"{nonce}\",signature=\"{}\",timestamp=\"{time}\",\
             serial_no=\"{}\"",
            STANDARD.encode(&signature),
            self.serial
        );
        Some(header)
    }
}

/// One key that answers may be signed with.
struct VerifyingKey {
    serial: String,
    key: ParsedPublicKey,
    /// The days of a certificate; a public key has none.
    days: Option<(Timestamp, Timestamp)>,
}

/// WeChat Pay's keys by serial number: a public key, platform certificates, or both while the
/// merchant changes over.
#[derive(Default)]
pub struct VerifyingKeys(Vec<VerifyingKey>);

/// Why an answer is not believed. The words are the header's at fault, for people who look closer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Unverified {
    pub(super) cause: TillCause,
    pub(super) words: String,
    /// It names a certificate that is not known, or not any more: it may be a new one.
    pub(super) is_unknown_serial: bool,
}

impl VerifyingKeys {
    /// Adds the public key with its id; `false` unless it is one.
    pub fn add_public_key(&mut self, id: &str, pem: &[u8]) -> bool {
        let Some(key) = der::public_key_of_pem(pem) else { return false };
        self.add(VerifyingKey { serial: id.to_owned(), key, days: None });
        true
    }

    /// Adds a platform certificate; `false` unless its key can be used.
    pub fn add_certificate(&mut self, certificate: &Certificate) -> bool {
        let Some(key) = der::public_key(&certificate.key) else { return false };
        let days = Some((certificate.from, certificate.until));
        self.add(VerifyingKey { serial: certificate.serial.clone(), key, days });
        true
    }

    fn add(&mut self, key: VerifyingKey) {
        self.0.retain(|known| known.serial != key.serial);
        self.0.push(key);
    }

    /// Replaces all platform certificates; the public key stays.
    pub fn replace_certificates(&mut self, certificates: &[Certificate]) {
        self.0.retain(|known| known.days.is_none());
        for certificate in certificates {
            self.add_certificate(certificate);
        }
    }

    /// Whether a public key in PEM form is that of a certificate.
    pub fn is_key_of(pem: &[u8], certificate: &Certificate) -> bool {
        der::public_key_der(pem).is_some_and(|der| *der == certificate.key)
    }

    /// Whether nothing can be verified.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether somebody whose key is among these has signed a message within five minutes of `now`.
    pub fn verifies(&self, headers: &http::HeaderMap, body: &[u8], now: Timestamp) -> bool {
        self.verify((headers, body), now).is_ok()
    }

    /// Verifies a message over its bytes (apiv3 2.3).
    pub(super) fn verify(
        &self,
        (headers, body): (&http::HeaderMap, &[u8]),
        now: Timestamp,
    ) -> Result<(), Unverified> {
        let wrong = |words: &str| Unverified {
            cause: TillCause::BadSignature,
            words: words.to_owned(),
            is_unknown_serial: false,
        };
        let header = |name: &str| header(headers, name).ok_or_else(|| wrong(name));
        let [time, nonce, signature, serial] =
            ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature", "Wechatpay-Serial"]
                .map(header);
        let (time, nonce, signature, serial) = (time?, nonce?, signature?, serial?);
        let is_time = (1..=12).contains(&time.len()) && time.bytes().all(|b| b.is_ascii_digit());
        let seconds: i64 = time.parse().map_err(|_| wrong("Wechatpay-Timestamp"))?;
        let off = (seconds.saturating_mul(1000)).saturating_sub(now.0);
        if !is_time {
            return Err(wrong("Wechatpay-Timestamp"));
        }
        if off.unsigned_abs() >= WINDOW {
            let words = format!("{:+} s", off / 1000);
            let cause = TillCause::AnswerTime;
            return Err(Unverified { cause, words, is_unknown_serial: false });
        }
        let known = self.0.iter().find(|known| known.serial == serial);
        let is_valid =
            |key: &&VerifyingKey| key.days.is_none_or(|(from, until)| from <= now && now <= until);
        let Some(key) = known.filter(is_valid) else {
            let words = format!("Wechatpay-Serial {}", clean(serial, 64));
            let cause = TillCause::BadSignature;
            return Err(Unverified { cause, words, is_unknown_serial: true });
        };
        let signature = STANDARD.decode(signature).map_err(|_| wrong("Wechatpay-Signature"))?;
        let mut message =
            Zeroizing::new(Vec::with_capacity(time.len() + nonce.len() + body.len() + 3));
        for part in [time.as_bytes(), nonce.as_bytes(), body] {
            message.extend_from_slice(part);
            message.push(b'\n');
        }
        let verified = key.key.verify_sig(&message, &signature);
        verified.map_err(|_| wrong("Wechatpay-Signature"))
    }
}

/// Whether an answer claims to be signed.
pub(super) fn claims_signature(reply: &Reply) -> bool {
    reply.headers().contains_key("Wechatpay-Signature")
}

/// A header that is there once.
fn header<'a>(headers: &'a http::HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|value| value.len() <= LONGEST_HEADER)?;
    if values.next().is_some() { None } else { value.to_str().ok().filter(|text| !text.is_empty()) }
}
