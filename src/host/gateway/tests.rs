//! The sections as a second program reads them, and what is opened from them. The till's own tests
//! hold every sentence.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use paytill_core::clock::Timestamp;
use paytill_core::gateway::notice::{Delivery, Notice};
use tempfile::TempDir;

use super::*;
use crate::clock::Clock;
use crate::config::file::Known;

const V2_KEY: &str = "TESTONLYv2key0123456789ABCDEFGHI";
const V3_KEY: &str = "TESTONLYv3key0123456789abcdefghi";
const NOTIFY_URL: &str = "https://pay.example.com/notify/wechat/v3/token";
const ACCOUNT: &str =
    "app_id = \"wx8888888888888888\"\nmch_id = \"1900000109\"\nca_file = \"ca.pem\"";
const V2: &str = "sign_type = \"MD5\"\napi_key_file = \"v2.key\"\nclient_cert_file = \"cert.pem\"\n\
    client_key_file = \"key.pem\"";
const V3: &str = "api_v3_key_file = \"v3.key\"\nmerchant_key_file = \"merchant_key.pem\"\n\
    merchant_serial = \"5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A\"\n\
    public_key_file = \"pub_key.pem\"\n\
    public_key_id = \"PUB_KEY_ID_0114232134912410000000000000\"";
const NOTICE_V2: &[u8] = include_bytes!("../../core/gateway/wechat/fixtures/notice_md5.xml");
const NOTICE_V3: &[u8] = include_bytes!("../../core/gateway/wechat/fixtures/v3/notice.json");
const SIGNATURE_V3: &str = include_str!("../../core/gateway/wechat/fixtures/v3/notice.sig");
/// When the second was signed.
const SIGNED_AT: Timestamp = Timestamp(1_795_320_900_000);

/// A program with a gateway of its own besides.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Simulator,
    Wechat(Version),
    Own,
}

const CHOICES: [Choice<Kind>; 4] = [
    Choice { word: "simulator", section: None, kind: Kind::Simulator },
    Version::V2.choice(Kind::Wechat(Version::V2)),
    Version::V3.choice(Kind::Wechat(Version::V3)),
    Choice { word: "own", section: Some("gateway.own"), kind: Kind::Own },
];
const KNOWN: &Known = &[
    ("gateway", &["kind"]),
    (Version::V2.section(), Version::V2.keys()),
    (Version::V3.section(), Version::V3.keys()),
];

fn chosen(text: &str) -> Result<Kind, String> {
    let document = Document::parse("backend.toml", text).unwrap();
    kind(&document, &CHOICES, Kind::Simulator).map_err(|error| error.to_string())
}

/// A folder with the secrets of both versions.
fn bench() -> TempDir {
    let folder = TempDir::new().unwrap();
    let pair = rcgen::generate_simple_self_signed(["1900000109".to_owned()]).unwrap();
    let (certificate, key) = (pair.cert.pem(), pair.signing_key.serialize_pem());
    let merchant_key = include_str!("../../core/gateway/wechat/fixtures/v3/merchant_key.pem");
    let public_key = include_str!("../../core/gateway/wechat/fixtures/v3/platform_public.pem");
    for (name, text) in [
        ("v2.key", V2_KEY),
        ("cert.pem", &certificate),
        ("key.pem", &key),
        ("ca.pem", &certificate),
        ("v3.key", V3_KEY),
        ("merchant_key.pem", merchant_key),
        ("pub_key.pem", public_key),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }
    folder
}

fn wechat(used: Option<Version>, folder: &TempDir, secrets: Secrets) -> Option<Wechat> {
    let text =
        format!("[gateway.wechat-v2]\n{ACCOUNT}\n{V2}\n[gateway.wechat-v3]\n{ACCOUNT}\n{V3}\n");
    let document = Document::parse("backend.toml", &text).unwrap();
    document.check_keys(KNOWN).unwrap();
    let around =
        Surroundings { folder: folder.path(), file: None, environment: &|_| None, secrets };
    read(&document, used, &around).unwrap()
}

#[test]
fn a_program_names_its_own_gateways_beside_these() {
    assert_eq!(chosen(""), Ok(Kind::Simulator));
    assert_eq!(chosen("gateway.kind = \"simulator\""), Ok(Kind::Simulator));
    let v2 = "[gateway]\nkind = \"wechat-v2\"\n";
    assert!(chosen(v2).unwrap_err().contains("there is no [gateway.wechat-v2]"));
    let v2 = format!("{v2}[gateway.wechat-v2]\n");
    assert_eq!(chosen(&v2), Ok(Kind::Wechat(Version::V2)));
    let own = "[gateway.own]\n";
    assert!(chosen(own).unwrap_err().contains("write kind = \"own\""));
    assert_eq!(chosen(&format!("[gateway]\nkind = \"own\"\n{own}")), Ok(Kind::Own));
    assert!(chosen("[gateway]\nkind = \"own\"\n").unwrap_err().contains("no [gateway.own]"));
    let allowed = chosen("[gateway]\nkind = \"other\"\n").unwrap_err();
    assert!(allowed.contains("simulator, wechat-v2, wechat-v3 or own"), "{allowed}");
}

#[test]
fn only_the_used_sections_secrets_are_read() {
    let bench = bench();
    assert!(wechat(None, &bench, Secrets::Read).is_none());
    for used in [Version::V2, Version::V3] {
        assert!(wechat(Some(used), &bench, Secrets::Leave).is_none());
    }
    fs::remove_file(bench.path().join("v3.key")).unwrap();
    assert!(matches!(wechat(Some(Version::V2), &bench, Secrets::Read), Some(Wechat::V2(_))));
}

#[tokio::test]
async fn what_was_opened_believes_its_own_notifications() {
    let bench = bench();
    let mut signed = http::HeaderMap::new();
    for (name, value) in [
        ("Wechatpay-Timestamp", "1795320900"),
        ("Wechatpay-Nonce", "c5ac7061fccab6bf3e254dcf98995b8c"),
        ("Wechatpay-Serial", "PUB_KEY_ID_0114232134912410000000000000"),
        ("Wechatpay-Signature", SIGNATURE_V3.trim()),
    ] {
        signed.insert(name, value.parse().unwrap());
    }
    for (version, body, headers) in
        [(Version::V2, NOTICE_V2, http::HeaderMap::new()), (Version::V3, NOTICE_V3, signed)]
    {
        let wechat = wechat(Some(version), &bench, Secrets::Read).unwrap();
        let wechat = wechat.notifying(NOTIFY_URL.to_owned());
        let told = match &wechat {
            Wechat::V2(gateway) => gateway.notify_url.as_deref(),
            Wechat::V3(gateway) => gateway.notify_url.as_deref(),
        };
        assert_eq!((told, wechat.merchant().mch_id.as_str()), (Some(NOTIFY_URL), "1900000109"));
        let opened = wechat.open(&Clock::start()).await.unwrap();
        assert_eq!(opened.host, "api.mch.weixin.qq.com");
        assert!(opened.renewal.is_none());
        let mut delivery: Delivery = http::Request::new(body.to_vec());
        *delivery.headers_mut() = headers;
        let Ok(Notice::Paid(paid)) = opened.notice(&delivery, SIGNED_AT) else { panic!() };
        assert_eq!(paid.out_trade_no, "POS01202611220002");
        let forged = String::from_utf8(body.to_vec()).unwrap().replacen("20261122", "20261123", 1);
        *delivery.body_mut() = forged.into_bytes();
        opened.notice(&delivery, SIGNED_AT).unwrap_err();
    }
}
