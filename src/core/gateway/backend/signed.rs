//! Ed25519 signatures over requests and answers.
//!
//! A request signs its method, target, time, nonce and the digest of its body. An answer signs its
//! status, the nonce of the request that it answers, its time and the digest of its body: it proves
//! nothing about any other request. Lines are ended by a line feed, as in API v3.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::gateway::{Reply, Stamp};
use crate::order::TillId;
use crate::payment::{Reason, TillCause};

/// How far the time of a request may be from the backend's, in milliseconds.
pub const WINDOW: u64 = 120_000;

const SCHEME: &str = "PAYTILL-ED25519 ";
/// The longest header that is looked at.
const LONGEST_HEADER: usize = 1024;
const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";
const PEM_LINE: usize = 64;
const NONCE: HeaderName = HeaderName::from_static("paytill-nonce");
const TIMESTAMP: HeaderName = HeaderName::from_static("paytill-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("paytill-signature");
/// Which key has signed an answer.
const KEY: HeaderName = HeaderName::from_static("paytill-key");

/// A private key: a till's, or the backend's.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// A new key, as PKCS#8; `None` if the system provides no random bytes.
    pub fn generate() -> Option<Zeroizing<Vec<u8>>> {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).ok()?;
        Some(Zeroizing::new(key.as_ref().to_vec()))
    }

    /// Of PKCS#8; `None` unless it is an Ed25519 key.
    pub fn from_pkcs8(key: &[u8]) -> Option<Self> {
        Ed25519KeyPair::from_pkcs8(key).ok().map(Self)
    }

    /// Of the same as PEM.
    pub fn from_pem(pem: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(pem).ok()?;
        let (_, text) = text.split_once(PEM_BEGIN)?;
        let (base64, _) = text.split_once(PEM_END)?;
        let mut digits = Zeroizing::new(String::with_capacity(base64.len()));
        digits.extend(base64.split_ascii_whitespace());
        let der = Zeroizing::new(STANDARD.decode(digits.as_bytes()).ok()?);
        Self::from_pkcs8(&der)
    }

    /// PKCS#8 as PEM.
    pub fn pem(pkcs8: &[u8]) -> Zeroizing<String> {
        let base64 = Zeroizing::new(STANDARD.encode(pkcs8));
        let mut pem = Zeroizing::new(String::with_capacity(base64.len() + 128));
        pem.push_str(PEM_BEGIN);
        pem.push('\n');
        for (place, digit) in base64.chars().enumerate() {
            if place > 0 && place % PEM_LINE == 0 {
                pem.push('\n');
            }
            pem.push(digit);
        }
        pem.push('\n');
        pem.push_str(PEM_END);
        pem.push('\n');
        pem
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(key)
    }

    /// A signature, in base64.
    fn sign(&self, text: &str) -> String {
        STANDARD.encode(self.0.sign(text.as_bytes()).as_ref())
    }

    /// The value of a request's `Authorization`.
    pub fn authorize(
        &self,
        till: &TillId,
        request: (&str, &str, &[u8]),
        stamp: &Stamp,
    ) -> Option<HeaderValue> {
        let Stamp { time, nonce } = stamp;
        let signature = self.sign(&asked(request, *time, nonce));
        let (till, key) = (till.as_str(), self.public().id());
        HeaderValue::from_str(&format!(
            "{SCHEME}till=\"{till}\",key=\"{key}\",ts=\"{}\",nonce=\"{nonce}\",sig=\"{signature}\"",
            time.0
        ))
        .ok()
    }

    /// Signs the answer to the request with that nonce.
    pub fn vouch(
        &self,
        answer: (StatusCode, &[u8]),
        nonce: &str,
        now: Timestamp,
        headers: &mut HeaderMap,
    ) {
        let signature = self.sign(&answered(answer, nonce, now));
        for (name, text) in [
            (NONCE, nonce),
            (TIMESTAMP, now.0.to_string().as_str()),
            (KEY, self.public().id().as_str()),
            (SIGNATURE, signature.as_str()),
        ] {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name, value);
            }
        }
    }
}

/// A public key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Of its base64; `None` unless that is 32 bytes.
    pub fn from_base64(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// In base64.
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Eight hexadecimal digits that name it.
    pub fn id(&self) -> String {
        hex(&digest::digest(&digest::SHA256, &self.0).as_ref()[..4])
    }

    fn has_signed(&self, text: &str, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(text.as_bytes(), signature).is_ok()
    }

    /// Whether this key has signed the answer to the request with that nonce: when, or why it is not
    /// believed. The time is only told: the nonce says that the answer is not an older one.
    pub fn has_answered(&self, reply: &Reply, nonce: &str) -> Result<Timestamp, Reason> {
        let header = |name: HeaderName| {
            let value = reply.headers().get(name)?.to_str().ok()?;
            (value.len() <= LONGEST_HEADER).then_some(value)
        };
        let wrong = |what: &str| Reason::quoting(TillCause::BadSignature, what);
        let signature = header(SIGNATURE).ok_or_else(|| wrong(SIGNATURE.as_str()))?;
        let signature = STANDARD.decode(signature).map_err(|_| wrong(SIGNATURE.as_str()))?;
        let at = header(TIMESTAMP).and_then(|text| text.parse().ok());
        let at = Timestamp(at.ok_or_else(|| wrong(TIMESTAMP.as_str()))?);
        if header(NONCE) != Some(nonce) {
            return Err(wrong(NONCE.as_str()));
        }
        let text = answered((reply.status(), reply.body()), nonce, at);
        if self.has_signed(&text, &signature) { Ok(at) } else { Err(wrong(KEY.as_str())) }
    }
}

/// Who says to have sent a request, and what proves it.
#[derive(Clone, Debug, PartialEq)]
pub struct Credentials {
    pub till: String,
    /// [`PublicKey::id`]
    pub key: String,
    pub time: Timestamp,
    pub nonce: String,
    signature: Vec<u8>,
}

impl Credentials {
    /// What `Authorization` says; `None` unless it is of this form.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let text = values.next()?.to_str().ok().filter(|text| text.len() <= LONGEST_HEADER)?;
        if values.next().is_some() {
            return None;
        }
        let mut members = text.strip_prefix(SCHEME)?.split(',');
        let mut member = |name: &str| {
            let value = members.next()?.strip_prefix(name)?.strip_prefix("=\"")?;
            value.strip_suffix('"').filter(|value| !value.contains('"'))
        };
        let credentials = Self {
            till: TillId::new(member("till")?)?.as_str().to_owned(),
            key: member("key").filter(|key| key.len() == 8)?.to_owned(),
            time: Timestamp(member("ts")?.parse().ok()?),
            nonce: member("nonce").filter(|nonce| is_nonce(nonce))?.to_owned(),
            signature: STANDARD.decode(member("sig")?).ok()?,
        };
        members.next().is_none().then_some(credentials)
    }

    /// Whether the holder of that key has made this very request.
    pub fn are_of(&self, key: &PublicKey, request: (&str, &str, &[u8])) -> bool {
        key.id() == self.key
            && key.has_signed(&asked(request, self.time, &self.nonce), &self.signature)
    }

    /// Whether the request is of this moment.
    pub const fn are_of_now(&self, now: Timestamp) -> bool {
        self.time.0.abs_diff(now.0) <= WINDOW
    }
}

fn is_nonce(text: &str) -> bool {
    (16..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn asked(request: (&str, &str, &[u8]), time: Timestamp, nonce: &str) -> String {
    let (method, target, body) = request;
    let digest = hex(digest::digest(&digest::SHA256, body).as_ref());
    format!("{method}\n{target}\n{}\n{nonce}\n{digest}\n", time.0)
}

fn answered(answer: (StatusCode, &[u8]), nonce: &str, at: Timestamp) -> String {
    let digest = hex(digest::digest(&digest::SHA256, answer.1).as_ref());
    format!("{}\n{nonce}\n{}\n{digest}\n", answer.0.as_u16(), at.0)
}

/// Hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
