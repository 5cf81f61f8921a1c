//! The codec against published vectors, and against everything a reply can get wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::money::{Currency, Money};
use crate::order::{AuthCode, OutTradeNo};
use crate::payment::says::Says;
use crate::payment::{Ending, Proof, Refunds};

mod answers;
mod bills;
mod certificates;
mod hostile;
mod native;
mod notices;
mod refunds;
mod requests;
mod vectors;

/// Beside the time of the published answers.
const NOW: Timestamp = Timestamp(1_795_320_003_000);
const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0114232134912410000000000000";
const SERIAL: &str = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1";
const MERCHANT_SERIAL: &str = "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C";
const NUMBER: &str = "POS01202611220001";

pub(in crate::gateway::wechat) fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/gateway/wechat/fixtures/v3/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

pub(in crate::gateway::wechat) fn line(name: &str) -> String {
    String::from_utf8(fixture(name)).unwrap().trim_end().to_owned()
}

fn merchant() -> Merchant {
    Merchant {
        app_id: "wx8888888888888888".into(),
        mch_id: "1900000109".into(),
        sub_app_id: String::new(),
        sub_mch_id: String::new(),
    }
}

pub(in crate::gateway::wechat) fn order() -> Order {
    Order {
        out_trade_no: OutTradeNo::try_from(NUMBER.to_owned()).unwrap(),
        amount: Money::from_minor(3150),
        currency: Currency::CNY,
        merchant: merchant(),
        body: "测试门店-拿铁咖啡".into(),
        device_info: "A1111".into(),
        client_ip: "203.0.113.7".into(),
        mark: String::new(),
    }
}

pub(in crate::gateway::wechat) fn code() -> AuthCode {
    AuthCode::new("134567890123456789").unwrap()
}

pub(in crate::gateway::wechat) fn gateway() -> WechatV3 {
    let mut keys = VerifyingKeys::default();
    assert!(keys.add_public_key(PUBLIC_KEY_ID, &fixture("platform_public.pem")));
    WechatV3::new(signing_key(), Some(PUBLIC_KEY_ID), keys)
}

/// How often it finds that it lacks a certificate, from now on.
fn lacks_of(gateway: &WechatV3) -> Arc<AtomicUsize> {
    let lacks = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&lacks);
    gateway.when_lacking(move || {
        let _ = count.fetch_add(1, Ordering::Relaxed);
    });
    lacks
}

fn signing_key() -> SigningKey {
    SigningKey::new(MERCHANT_SERIAL, &fixture("merchant_key.pem")).unwrap()
}

fn stamp() -> Stamp {
    Stamp { time: Timestamp(1_795_320_000_000), nonce: "593BEC0C930BF1AFEB40B4A08C8FB242".into() }
}

/// How the headers of an answer are made; what is `None` is left out.
#[derive(Clone)]
struct Signed {
    time: Option<String>,
    nonce: Option<String>,
    serial: Option<String>,
    signature: Option<String>,
}

impl Signed {
    fn of(key: &str, body: &[u8]) -> Self {
        let key = der::private_key_of_pem(&fixture(key)).unwrap();
        Self::by(&key, PUBLIC_KEY_ID, NOW, body)
    }

    fn by(key: &KeyPair, serial: &str, at: Timestamp, body: &[u8]) -> Self {
        let (time, nonce) = ((at.0 / 1000).to_string(), "c5ac7061fccab6bf3e254dcf98995b8c");
        let mut message = format!("{time}\n{nonce}\n").into_bytes();
        message.extend_from_slice(body);
        message.push(b'\n');
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &message, &mut signature).unwrap();
        Self {
            time: Some(time),
            nonce: Some(nonce.to_owned()),
            serial: Some(serial.to_owned()),
            signature: Some(STANDARD.encode(signature)),
        }
    }

    fn on(self, status: u16, body: &[u8]) -> Reply {
        let mut reply = bare(status, "");
        *reply.headers_mut() = self.headers();
        *reply.body_mut() = body.to_vec();
        reply
    }

    fn headers(self) -> http::HeaderMap {
        let mut headers = http::HeaderMap::new();
        for (name, value) in [
            ("Wechatpay-Timestamp", self.time),
            ("Wechatpay-Nonce", self.nonce),
            ("Wechatpay-Serial", self.serial),
            ("Wechatpay-Signature", self.signature),
            ("Request-ID", Some("08F6A1-268435461".to_owned())),
        ] {
            if let Some(value) = value {
                headers.insert(name, value.parse().unwrap());
            }
        }
        headers
    }
}

/// A reply that is signed with the public key's pair.
pub(in crate::gateway::wechat) fn signed(status: u16, body: &str) -> Reply {
    Signed::of("platform_key.pem", body.as_bytes()).on(status, body.as_bytes())
}

/// A reply without any signature.
pub(in crate::gateway::wechat) fn bare(status: u16, body: &str) -> Reply {
    http::Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap()
}

pub(in crate::gateway::wechat) fn decode(kind: CallKind, reply: &Reply) -> Says {
    let (order, code) = (order(), code());
    let ask = Ask::of(kind, &order, Some(&code)).unwrap();
    gateway().decode(ask, reply, NOW).answer.into()
}

fn reason(says: &Says) -> &Reason {
    match says {
        Says::Unknown(reason)
        | Says::Declined(reason)
        | Says::Asked(reason)
        | Says::Ambiguous(reason)
        | Says::Unsigned(reason)
        | Says::Repeat(reason)
        | Says::ReversalRefused(reason)
        | Says::Expired(reason)
        | Says::AnotherTills(reason)
        | Says::AlreadyPaid(reason)
        | Says::Failed(reason) => reason,
        _ => panic!("{says:?}"),
    }
}

const KINDS: [CallKind; 6] = [
    CallKind::Submit,
    CallKind::Query,
    CallKind::Reverse,
    CallKind::RefundQuery,
    CallKind::Order,
    CallKind::Close,
];
