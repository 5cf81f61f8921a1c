//! What signing and verifying cost beside the bare operation: what `scripts/signing` runs.
//!
//! The two take turns in one run, and their medians are compared: with API v3 a whole request is made,
//! and an answer's signature is checked over its bytes, beside RSA of aws-lc-rs over the same bytes;
//! with API v2 a message is signed and checked, beside HMAC-SHA256 over the same text.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool for tests")]
#![allow(clippy::float_arithmetic, reason = "it compares times")]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paytill_core::clock::Timestamp;
use paytill_core::gateway::wechat::WechatV3;
use paytill_core::gateway::wechat::fields::{Fields, SignType};
use paytill_core::gateway::wechat::v3::{SigningKey, VerifyingKeys};
use paytill_core::gateway::{Ask, Gateway as _, Stamp};
use paytill_core::money::{Currency, Money};
use paytill_core::order::{AuthCode, Merchant, Order, OutTradeNo};

/// How often each of a pair is measured.
const ROUNDS: usize = 2_000;
const V3_LIMIT: f64 = 1.15;
const V2_LIMIT: f64 = 1.3;
const KEY: &str = "TESTONLYv2key0123456789ABCDEFGHI";
const ID: &str = "PUB_KEY_ID_0114232134912410000000000000";
const NOW: Timestamp = Timestamp(1_795_320_003_000);
const PAID: &str = include_str!("../../src/core/gateway/wechat/fixtures/v3/paid.json");

macro_rules! key {
    ($name:literal) => {
        include_str!(concat!("../../src/core/gateway/wechat/fixtures/v3/", $name))
    };
}

fn main() -> ExitCode {
    let [sign, verify] = v3();
    let [sign_v2, verify_v2] = v2();
    let pairs = [
        ("API v3, signing a request", sign, V3_LIMIT),
        ("API v3, verifying an answer", verify, V3_LIMIT),
        ("API v2, signing a message", sign_v2, V2_LIMIT),
        ("API v2, verifying a message", verify_v2, V2_LIMIT),
    ];
    let mut is_within = true;
    for (what, Medians { ours, bare }, limit) in pairs {
        let ratio = ours / bare;
        let verdict = if ratio <= limit { "" } else { ": TOO MUCH" };
        is_within &= ratio <= limit;
        println!(
            "{what:<28} {ours:>8.2} µs, bare {bare:>8.2} µs: {ratio:.3} times (at most {limit}){verdict}"
        );
    }
    if is_within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn order() -> Order {
    Order {
        out_trade_no: OutTradeNo::try_from("POS01202611220001".to_owned()).unwrap(),
        amount: Money::from_minor(3150),
        currency: Currency::CNY,
        merchant: Merchant {
            app_id: "wx8888888888888888".into(),
            mch_id: "1900000109".into(),
            sub_app_id: String::new(),
            sub_mch_id: String::new(),
        },
        body: "测试门店-拿铁咖啡".into(),
        device_info: "A1111".into(),
        client_ip: "203.0.113.7".into(),
        mark: "0123456789abcdef".into(),
    }
}

fn v3() -> [Medians; 2] {
    let merchant = key!("merchant_key.pem");
    let signing = SigningKey::new("1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C", merchant.as_bytes());
    let mut keys = VerifyingKeys::default();
    assert!(keys.add_public_key(ID, key!("platform_public.pem").as_bytes()));
    let gateway = WechatV3::new(signing.unwrap(), Some(ID), VerifyingKeys::default());
    let (order, code) = (order(), AuthCode::new("134567890123456789").unwrap());
    let ask = Ask::Submit(&order, &code);
    let stamp = Stamp { time: NOW, nonce: "593BEC0C930BF1AFEB40B4A08C8FB242".into() };
    let request = gateway.encode(ask, &stamp).request;
    let head = "POST\n/v3/pay/transactions/codepay\n1795320003\n593BEC0C930BF1AFEB40B4A08C8FB242\n";
    let message = [head.as_bytes(), request.body().as_slice(), b"\n"].concat();
    let key = KeyPair::from_pkcs8(&der(merchant)).unwrap();
    let (random, mut signature) = (SystemRandom::new(), vec![0; key.public_modulus_len()]);
    let sign = measured(
        1,
        || drop(black_box(gateway.encode(black_box(ask), &stamp))),
        || key.sign(&RSA_PKCS1_SHA256, &random, black_box(&message), &mut signature).unwrap(),
    );

    let body = PAID.trim_end();
    let (time, nonce) = ("1795320003", "c5ac7061fccab6bf3e254dcf98995b8c");
    let message = format!("{time}\n{nonce}\n{body}\n");
    let platform = KeyPair::from_pkcs8(&der(key!("platform_key.pem"))).unwrap();
    let mut signature = vec![0; platform.public_modulus_len()];
    platform.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).unwrap();
    let mut headers = http::HeaderMap::new();
    for (name, value) in [
        ("Wechatpay-Timestamp", time),
        ("Wechatpay-Nonce", nonce),
        ("Wechatpay-Serial", ID),
        ("Wechatpay-Signature", &STANDARD.encode(&signature)),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    let public = der(key!("platform_public.pem"));
    let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &public).unwrap();
    let verify = measured(
        8,
        || assert!(keys.verifies(&headers, black_box(body.as_bytes()), NOW)),
        || public.verify_sig(black_box(message.as_bytes()), &signature).unwrap(),
    );
    [sign, verify]
}

fn v2() -> [Medians; 2] {
    let mut fields = Fields::from_iter([
        ("appid", "wx8888888888888888"),
        ("attach", "0123456789abcdef"),
        ("bank_type", "CCB_DEBIT"),
        ("cash_fee", "3150"),
        ("fee_type", "CNY"),
        ("is_subscribe", "N"),
        ("mch_id", "1900000109"),
        ("nonce_str", "593BEC0C930BF1AFEB40B4A08C8FB242"),
        ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
        ("out_trade_no", "POS01202611220001"),
        ("result_code", "SUCCESS"),
        ("return_code", "SUCCESS"),
        ("return_msg", "OK"),
        ("sign_type", "HMAC-SHA256"),
        ("time_end", "20261122120301"),
        ("total_fee", "3150"),
        ("trade_type", "MICROPAY"),
        ("transaction_id", "4200002026112200000000000001"),
    ]);
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let text = format!("{}&key={KEY}", pairs.join("&"));
    let bare = || {
        let key = hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes());
        black_box(hmac::sign(&key, black_box(text.as_bytes())));
    };
    let mut signed = fields.clone();
    signed.sign(SignType::HmacSha256, KEY);
    let sign = measured(64, || fields.sign(SignType::HmacSha256, black_box(KEY)), bare);
    assert_eq!(fields, signed);
    let verify =
        measured(64, || assert!(signed.is_signed(SignType::HmacSha256, black_box(KEY))), bare);
    [sign, verify]
}

/// What is between the first lines of a PEM text.
fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

/// In microseconds.
struct Medians {
    ours: f64,
    bare: f64,
}

/// Both by turns, so many times at once that the clock can tell.
fn measured(at_once: u32, mut ours: impl FnMut(), mut bare: impl FnMut()) -> Medians {
    let mut times = [Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS)];
    for round in 0..ROUNDS {
        // Neither is always the first.
        for which in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            let start = now();
            for _ in 0..at_once {
                if which == 0 {
                    ours();
                } else {
                    bare();
                }
            }
            times[which].push(start.elapsed());
        }
    }
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1e6 / f64::from(at_once)
    };
    let [ours, bare] = times.map(median);
    Medians { ours, bare }
}

#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn now() -> Instant {
    Instant::now()
}
