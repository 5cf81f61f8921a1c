//! How a till and the backend come to know each other's keys: by a one-time code that a person
//! carries from one to the other.
//!
//! Part of the code names it. The rest is never sent: each side proves with it that it knows the
//! code, over all that it says, so that whoever is in between can neither learn it nor put in a key.

use std::fmt;

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::message::{Enrolment, EnrolmentRequest, Refusal, Refused};
use super::signed::PublicKey;
use crate::clean::clean;
use crate::gateway::page::Page;
use crate::gateway::{Outgoing, Reply};
use crate::payment::{Reason, TillCause};

const TARGET: http::uri::PathAndQuery = http::uri::PathAndQuery::from_static("/v1/enrolment");
/// How much of the backend's own text is repeated, in cells.
const WORDS: usize = 200;
/// Digits in a group, as the code is shown.
const GROUP: usize = 4;
/// All groups; the first of them name the code.
const GROUPS: usize = 8;
const NAMING_GROUPS: usize = 2;

/// A one-time code. Reveals nothing in `Debug`, and is wiped from memory when dropped.
#[derive(Clone, Eq, PartialEq)]
pub struct Code {
    /// Digits alone.
    digits: Zeroizing<String>,
}

impl Code {
    /// The code that these random bytes make.
    pub fn from_random(bytes: &[u8; 4 * GROUPS]) -> Self {
        let mut digits = Zeroizing::new(String::with_capacity(GROUP * GROUPS));
        for chunk in bytes.as_chunks::<4>().0 {
            // 2^32 is so much larger that no group is noticeably likelier than another.
            let group = u32::from_be_bytes(*chunk) % 10_000;
            for place in [1_000, 100, 10, 1] {
                digits.push(char::from_digit(group / place % 10, 10).unwrap_or('0'));
            }
        }
        Self { digits }
    }

    /// What a person typed, with spaces and dashes anywhere; `None` unless it is 32 digits.
    pub fn read(typed: &str) -> Option<Self> {
        let mut digits = Zeroizing::new(String::with_capacity(GROUP * GROUPS));
        for character in typed.chars() {
            match character {
                '0'..='9' if digits.len() < GROUP * GROUPS => digits.push(character),
                ' ' | '\t' | '\n' | '\r' | '-' => {}
                _ => return None,
            }
        }
        (digits.len() == GROUP * GROUPS).then_some(Self { digits })
    }

    /// What names it, as it is sent and stored: its first groups.
    pub fn name(&self) -> String {
        self.groups()[..NAMING_GROUPS].join("-")
    }

    /// All of it, for the person who carries it to the till.
    pub fn shown(&self) -> Zeroizing<String> {
        Zeroizing::new(self.groups().join("-"))
    }

    /// What the backend stores: enough to check a proof, and not the code.
    pub fn kept(&self) -> Zeroizing<[u8; 32]> {
        let secret = &self.digits[GROUP * NAMING_GROUPS..];
        kept(secret)
    }

    fn groups(&self) -> Vec<&str> {
        (0..GROUPS).map(|group| &self.digits[group * GROUP..(group + 1) * GROUP]).collect()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

/// What is kept of the secret digits of a code, without spaces or dashes.
pub fn kept(secret: &str) -> Zeroizing<[u8; 32]> {
    let text = Zeroizing::new(format!("paytill enrolment\n{secret}\n"));
    let mut kept = Zeroizing::new([0; 32]);
    kept.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    kept
}

impl EnrolmentRequest {
    /// Fills in the proof that the sender knows the code.
    pub fn prove(&mut self, kept: &[u8; 32]) {
        self.proof = STANDARD.encode(hmac::sign(&key(kept), &self.proved()));
    }

    /// Whether the sender knows the code, and nobody has changed a word.
    pub fn is_proved(&self, kept: &[u8; 32]) -> bool {
        is_proved(kept, &self.proved(), &self.proof)
    }

    /// What is sent. Nothing signs it but its proof: nobody knows the till's key yet.
    pub fn encode(&self) -> Outgoing {
        let body = serde_json::to_vec(self).unwrap_or_default();
        let mut request = http::Request::new(body.into());
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = http::Uri::from(TARGET);
        let json = http::HeaderValue::from_static("application/json");
        request.headers_mut().insert(http::header::CONTENT_TYPE, json);
        Outgoing { request, certificate: false }
    }

    /// What came back, if it is proved. Otherwise why not, in words that anybody may have sent.
    pub fn answered(&self, kept: &[u8; 32], reply: &Reply) -> Result<Enrolment, Reason> {
        let page = || Page::of(reply.status(), reply.headers(), reply.body()).line();
        if reply.status() != http::StatusCode::OK {
            let refusal = serde_json::from_slice::<Refusal>(reply.body());
            let refusal = refusal.map_err(|_| Reason::quoting(TillCause::HttpStatus, page()))?;
            let text = clean(&refusal.text, WORDS);
            return Err(match Refused::from_word(&refusal.code) {
                Some(refused) => Reason::gateway(refused.word(), text),
                None => Reason::quoting(TillCause::Refused, text),
            });
        }
        let answer = serde_json::from_slice::<Enrolment>(reply.body());
        let answer = answer.map_err(|_| Reason::quoting(TillCause::BadAnswer, page()))?;
        if answer.is_proved(kept, self) { Ok(answer) } else { Err(TillCause::BadSignature.into()) }
    }

    fn proved(&self) -> Vec<u8> {
        let Self { code, public_key, nonce, version, proof: _ } = self;
        text(&["till", code, public_key, nonce, version])
    }
}

impl Enrolment {
    /// Fills in the proof that the sender knows the code, in answer to this request.
    pub fn prove(&mut self, kept: &[u8; 32], request: &EnrolmentRequest) {
        self.proof = STANDARD.encode(hmac::sign(&key(kept), &self.proved(request)));
    }

    /// Whether the sender knows the code and answers this request, and nobody has changed a word.
    pub fn is_proved(&self, kept: &[u8; 32], request: &EnrolmentRequest) -> bool {
        is_proved(kept, &self.proved(request), &self.proof)
    }

    fn proved(&self, request: &EnrolmentRequest) -> Vec<u8> {
        let Self { merchant, store, till, currency, public_key, ca_pem, proof: _ } = self;
        let has_ca = if ca_pem.is_some() { "with a root" } else { "without a root" };
        let ca_pem = ca_pem.as_deref().unwrap_or_default();
        let EnrolmentRequest { nonce, public_key: asking, .. } = request;
        let backend = "backend";
        text(&[backend, nonce, asking, merchant, store, till, currency, public_key, has_ca, ca_pem])
    }
}

/// Six digits that both sides show. They differ if somebody in between has put in a key of their own.
pub fn comparison(till: &PublicKey, backend: &PublicKey) -> String {
    let text = [&b"paytill comparison\n"[..], till.bytes(), backend.bytes()].concat();
    let digest = digest::digest(&digest::SHA256, &text);
    let number = digest.as_ref()[..8].iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    format!("{:06}", number % 1_000_000)
}

fn key(kept: &[u8; 32]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, kept)
}

/// In a time that tells nothing about the right proof.
fn is_proved(kept: &[u8; 32], text: &[u8], proof: &str) -> bool {
    let proof = STANDARD.decode(proof).unwrap_or_default();
    hmac::verify(&key(kept), text, &proof).is_ok()
}

/// Each member with its length in front, so that none can run into the next.
fn text(members: &[&str]) -> Vec<u8> {
    let mut text = Vec::new();
    for member in members {
        text.extend_from_slice(format!("{}\n", member.len()).as_bytes());
        text.extend_from_slice(member.as_bytes());
        text.push(b'\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> Code {
        Code::read("1234-5678-9012-3456-7890-1234-5678-9012").unwrap()
    }

    fn request() -> EnrolmentRequest {
        let mut request = EnrolmentRequest {
            code: code().name(),
            public_key: "dGlsbA==".to_owned(),
            nonce: "0123456789abcdef".to_owned(),
            version: "1.2.3".to_owned(),
            proof: String::new(),
        };
        request.prove(&code().kept());
        request
    }

    fn answer() -> Enrolment {
        let mut answer = Enrolment {
            merchant: "corner".to_owned(),
            store: "S001".to_owned(),
            till: "T01".to_owned(),
            currency: "CNY".to_owned(),
            public_key: "YmFja2VuZA==".to_owned(),
            ca_pem: Some("-----BEGIN CERTIFICATE-----".to_owned()),
            proof: String::new(),
        };
        answer.prove(&code().kept(), &request());
        answer
    }

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = code();
        assert_eq!(code.name(), "1234-5678");
        assert_eq!(code.shown().as_str(), "1234-5678-9012-3456-7890-1234-5678-9012");
        for typed in [
            "12345678901234567890123456789012",
            " 1234 5678 9012 3456 7890 1234 5678 9012\n",
            "1234-5678-9012-3456--7890 1234 5678 90 12",
        ] {
            assert_eq!(Code::read(typed), Some(code.clone()), "{typed}");
        }
        for wrong in [
            "",
            "1234-5678-9012-3456-7890-1234-5678-901",
            "1234-5678-9012-3456-7890-1234-5678-90123",
            "1234-5678-9012-3456-7890-1234-5678-901x",
            "１２３４-5678-9012-3456-7890-1234-5678-9012",
        ] {
            assert_eq!(Code::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn random_bytes_make_a_code_that_is_read_back_and_does_not_show_itself() {
        let bytes = std::array::from_fn(|place| u8::try_from(place * 7).unwrap());
        let code = Code::from_random(&bytes);
        assert_eq!(Code::read(&code.shown()), Some(code.clone()));
        assert_ne!(code, Code::from_random(&[0; 32]));
        assert_eq!(Code::from_random(&[0; 32]).name(), "0000-0000");
        assert_eq!(format!("{code:?}"), "Code(..)");
    }

    #[test]
    fn what_is_kept_depends_on_the_secret_alone() {
        assert_eq!(code().kept(), kept("901234567890123456789012"));
        assert_ne!(code().kept(), kept("901234567890123456789013"));
        let renamed = Code::read("0000-0000-9012-3456-7890-1234-5678-9012").unwrap();
        assert_eq!(renamed.kept(), code().kept());
    }

    #[test]
    fn a_till_proves_every_word_of_its_request() {
        let kept = code().kept();
        assert!(request().is_proved(&kept));
        assert!(!request().is_proved(&super::kept("000000000000000000000000")));
        let tampering: [fn(&mut EnrolmentRequest); 5] = [
            |request| request.code.push('1'),
            |request| request.public_key.push('1'),
            |request| request.nonce.push('1'),
            |request| request.version.push('1'),
            |request| request.proof.clear(),
        ];
        for change in tampering {
            let mut changed = request();
            change(&mut changed);
            assert!(!changed.is_proved(&kept), "{changed:?}");
        }
    }

    #[test]
    fn a_member_cannot_run_into_the_next_one() {
        let mut moved = request();
        let first = moved.nonce.remove(0);
        moved.public_key.push(first);
        assert!(!moved.is_proved(&code().kept()));
    }

    #[test]
    fn the_backend_proves_every_word_of_its_answer_and_which_request_it_answers() {
        let kept = code().kept();
        assert!(answer().is_proved(&kept, &request()));
        assert!(!answer().is_proved(&super::kept("000000000000000000000000"), &request()));
        let tampering: [fn(&mut Enrolment); 8] = [
            |answer| answer.merchant.push('1'),
            |answer| answer.store.push('1'),
            |answer| answer.till.push('1'),
            |answer| answer.currency.push('1'),
            |answer| answer.public_key.push('1'),
            |answer| answer.ca_pem = None,
            |answer| answer.ca_pem = Some(String::new()),
            |answer| answer.proof = request().proof,
        ];
        for change in tampering {
            let mut changed = answer();
            change(&mut changed);
            assert!(!changed.is_proved(&kept, &request()), "{changed:?}");
        }
        let mut without = answer();
        without.ca_pem = None;
        without.prove(&kept, &request());
        without.ca_pem = Some(String::new());
        assert!(!without.is_proved(&kept, &request()));
        let tampering: [fn(&mut EnrolmentRequest); 2] =
            [|request| request.nonce.push('1'), |request| request.public_key.push('1')];
        for change in tampering {
            let mut other = request();
            change(&mut other);
            assert!(!answer().is_proved(&kept, &other), "{other:?}");
        }
    }

    #[test]
    fn only_a_proved_answer_is_taken() {
        let kept = code().kept();
        let reply = |status: http::StatusCode, body: Vec<u8>| {
            let mut reply = Reply::new(body);
            *reply.status_mut() = status;
            request().answered(&kept, &reply)
        };
        let body = serde_json::to_vec(&answer()).unwrap();
        assert_eq!(reply(http::StatusCode::OK, body.clone()), Ok(answer()));
        let cause = |result: Result<Enrolment, Reason>| result.unwrap_err().code().to_owned();
        let other = String::from_utf8(body).unwrap().replace("corner", "others");
        assert_eq!(cause(reply(http::StatusCode::OK, other.into_bytes())), "bad_signature");
        assert_eq!(cause(reply(http::StatusCode::OK, b"<html>".to_vec())), "bad_answer");
        assert_eq!(cause(reply(http::StatusCode::BAD_GATEWAY, b"<html>".to_vec())), "http_status");
        let refusal = br#"{"code":"unauthorized","text":"spent"}"#.to_vec();
        assert_eq!(cause(reply(http::StatusCode::UNAUTHORIZED, refusal)), "unauthorized");
        let sent = request().encode().request;
        assert_eq!((sent.method().as_str(), sent.uri().path()), ("POST", "/v1/enrolment"));
        assert!(!String::from_utf8_lossy(sent.body()).contains("9012"), "the secret stays here");
    }

    #[test]
    fn both_keys_are_in_the_comparison_value() {
        let key = |byte| PublicKey::from_base64(&STANDARD.encode([byte; 32])).unwrap();
        let (till, backend) = (key(1), key(2));
        let value = comparison(&till, &backend);
        assert_eq!(value.len(), 6);
        assert!(value.bytes().all(|byte| byte.is_ascii_digit()));
        assert_eq!(value, comparison(&till, &backend));
        assert_ne!(value, comparison(&backend, &till));
    }
}
