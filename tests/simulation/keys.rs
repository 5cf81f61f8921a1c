//! The keys of API v3 in every story: always the same, so that a seed tells the same one.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{
    KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paytill::gateway::backend::signed::SigningKey as Ed25519;
use paytill::gateway::wechat::v3::{Certificate, SigningKey, VerifyingKeys, WechatV3};
use paytill::simulator::Api;
use paytill::simulator::v3::{KeysError, PlatformKeys};

/// The private key of a till of the merchant's, or of its backend.
pub fn signing_key(of: u8) -> Ed25519 {
    let mut key = PKCS8.to_vec();
    key.extend([of; 32]);
    Ed25519::from_pkcs8(&key).unwrap()
}

/// The public key that tills know their backend by.
pub fn backend() -> &'static [u8; 32] {
    static KEY: OnceLock<[u8; 32]> = OnceLock::new();
    KEY.get_or_init(|| *signing_key(BACKEND).public().bytes())
}

/// Private keys, each with its certificate: the merchant's, that of WeChat Pay's public key, and two
/// platform certificates. Nobody else uses them.
const PEM: &str = include_str!("keys.pem");
const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000001092026112200000000000001";
/// Which of the Ed25519 keys is the backend's.
pub const BACKEND: u8 = 0;
/// What stands before the 32 bytes of an Ed25519 key in PKCS#8.
const PKCS8: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
pub const API_V3_KEY: &str = "TESTONLYv3key0123456789ABCDEFGHI";
const MERCHANT: usize = 0;
const PUBLIC_KEY: usize = 1;
const FIRST: usize = 2;
const NEXT: usize = 3;

struct Pair {
    key_pem: String,
    certificate_pem: String,
    serial: String,
    key: KeyPair,
    public: ParsedPublicKey,
}

fn pairs() -> &'static [Pair] {
    static PAIRS: OnceLock<Vec<Pair>> = OnceLock::new();
    PAIRS.get_or_init(|| {
        let parts: Vec<&str> = PEM.split_inclusive("-----END CERTIFICATE-----\n").collect();
        parts.into_iter().map(Pair::of).collect()
    })
}

impl Pair {
    fn of(pem: &str) -> Self {
        let (key_pem, certificate_pem) = pem.split_at(pem.find("-----BEGIN CERT").unwrap());
        let lines = key_pem.lines().filter(|line| !line.starts_with('-'));
        let key = KeyPair::from_pkcs8(&STANDARD.decode(lines.collect::<String>()).unwrap());
        let key = key.unwrap();
        let public = key.public_key().as_ref();
        Self {
            public: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public).unwrap(),
            serial: Certificate::of_pem(certificate_pem.as_bytes()).unwrap().serial,
            key_pem: key_pem.to_owned(),
            certificate_pem: certificate_pem.to_owned(),
            key,
        }
    }
}

/// Those of the bank.
pub fn platform() -> PlatformKeys {
    static KEYS: OnceLock<PlatformKeys> = OnceLock::new();
    let load = || {
        PlatformKeys::load(|name| {
            let of = |pair: usize| &pairs()[pair];
            Ok::<_, KeysError>(match name {
                "secrets/v3_apiclient_key.pem" => of(MERCHANT).key_pem.clone(),
                "secrets/v3_apiclient_cert.pem" => of(MERCHANT).certificate_pem.clone(),
                "secrets/platform_key.pem" => of(PUBLIC_KEY).key_pem.clone(),
                "secrets/platform_id_cert.pem" => of(PUBLIC_KEY).certificate_pem.clone(),
                "secrets/platform_cert_key.pem" => of(FIRST).key_pem.clone(),
                "secrets/platform_cert.pem" => of(FIRST).certificate_pem.clone(),
                "secrets/pub_key.id" => PUBLIC_KEY_ID.to_owned(),
                _ => API_V3_KEY.to_owned(),
            })
        })
    };
    KEYS.get_or_init(|| load().unwrap()).clone()
}

/// The bank's next platform certificate takes over.
pub fn rotate(keys: &mut PlatformKeys) {
    let next = &pairs()[NEXT];
    keys.rotate_to(&next.key_pem, &next.certificate_pem).unwrap();
}

/// The codec of a till, or of a backend that is told at an address.
pub fn codec(api: Api, told_at: &str) -> Arc<WechatV3> {
    let merchant = &pairs()[MERCHANT];
    let signing = SigningKey::new(&merchant.serial, merchant.key_pem.as_bytes()).unwrap();
    let mut verifying = VerifyingKeys::default();
    let id = (api == Api::V3).then_some(PUBLIC_KEY_ID);
    if let Some(id) = id {
        verifying.add_public_key(id, platform().public_key_pem().as_bytes());
    }
    Arc::new(WechatV3::new(signing, id, verifying).notifying(told_at.to_owned()))
}

/// Whether the bank has signed this with the key of that serial number, which a till may believe.
pub fn is_signed(api: Api, serial: &str, message: &[u8], signature: &str) -> bool {
    let believed: &[(&str, usize)] = match api {
        Api::V2 => &[],
        Api::V3 => &[(PUBLIC_KEY_ID, PUBLIC_KEY)],
        Api::V3Certificates => &[(&pairs()[FIRST].serial, FIRST), (&pairs()[NEXT].serial, NEXT)],
    };
    let key = believed.iter().find(|(known, _)| *known == serial);
    let signature = STANDARD.decode(signature).ok();
    key.zip(signature).is_some_and(|((_, pair), signature)| {
        pairs()[*pair].public.verify_sig(message, &signature).is_ok()
    })
}

/// The bank's signature with the key of that serial number; the merchant's, if there is none.
pub fn sign(serial: &str, message: &[u8]) -> String {
    let pair = if serial == PUBLIC_KEY_ID {
        &pairs()[PUBLIC_KEY]
    } else {
        pairs().iter().find(|pair| pair.serial == serial).unwrap_or_else(|| &pairs()[MERCHANT])
    };
    let mut signature = vec![0; pair.key.public_modulus_len()];
    pair.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
    STANDARD.encode(signature)
}

/// Serial numbers of keys that there are, and of none.
pub fn serials() -> [String; 5] {
    let of = |pair: usize| pairs()[pair].serial.clone();
    [PUBLIC_KEY_ID.to_owned(), of(FIRST), of(NEXT), of(MERCHANT), "5A".repeat(20)]
}
