//! API v3: the keys it needs, and those that are confused with them.

use super::*;
use crate::config::WechatV3Config;

const KEY: &str = "TESTONLYv3key0123456789abcdefghi";
const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0114232134912410000000000000";
const REQUIRED: &str = "[gateway]\nkind = \"wechat-v3\"\n[gateway.wechat-v3]\n\
    app_id = \"wxd930ea5d5a258f4f\"\nmch_id = \"1900000109\"\n\
    api_v3_key_file = \"v3.key\"\nmerchant_cert_file = \"cert.pem\"\n\
    merchant_key_file = \"key.pem\"\npublic_key_file = \"pub_key.pem\"\n\
    public_key_id = \"PUB_KEY_ID_0114232134912410000000000000\"\n";
const MERCHANT_KEY: &str =
    include_str!("../../../core/gateway/wechat/fixtures/v3/merchant_key.pem");
const MERCHANT_PUBLIC: &str =
    include_str!("../../../core/gateway/wechat/fixtures/v3/merchant_public.pem");
const PLATFORM_PUBLIC: &str =
    include_str!("../../../core/gateway/wechat/fixtures/v3/platform_public.pem");
const PLATFORM_CERTIFICATE: &str =
    include_str!("../../../core/gateway/wechat/fixtures/v3/platform_cert.pem");

fn bench() -> ConfigBench {
    let bench = ConfigBench::new();
    bench.write("v3.key", KEY);
    bench.write("key.pem", MERCHANT_KEY);
    bench.write("pub_key.pem", PLATFORM_PUBLIC);
    let key = rcgen::KeyPair::from_pem(MERCHANT_KEY).unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.serial_number = Some(vec![0x5a; 20].into());
    bench.write("cert.pem", &params.self_signed(&key).unwrap().pem());
    bench
}

fn v3(config: &Config) -> &WechatV3Config {
    match &config.gateway {
        GatewayConfig::WechatV3(wechat) => wechat,
        _ => panic!("this is not API v3"),
    }
}

/// Without the lines that begin so, and with another in their place.
fn with(without: &[&str], line: &str) -> String {
    let kept = REQUIRED.lines().filter(|line| !without.iter().any(|name| line.starts_with(name)));
    let kept: Vec<_> = kept.chain([line]).collect();
    kept.join("\n")
}

#[test]
fn a_merchant_is_read_with_its_keys() {
    let bench = bench();
    let config = bench.read(REQUIRED).unwrap();
    let wechat = v3(&config);
    assert_eq!(wechat.line.base_url, "https://api.mch.weixin.qq.com");
    assert_eq!(wechat.line.backup_url.as_deref(), Some("https://api2.mch.weixin.qq.com"));
    assert_eq!(wechat.merchant_serial, "5A".repeat(20));
    assert_eq!(wechat.api_v3_key.expose_secret(), KEY);
    assert_eq!(wechat.public_key.as_ref().unwrap().0, PUBLIC_KEY_ID);
    let certificate = wechat.merchant_certificate_pem.as_ref().unwrap();
    assert!(!String::from_utf8_lossy(certificate).contains("PRIVATE"));
    // Platform certificates, and the serial number alone.
    let text = with(&["merchant_cert_file", "public_key"], "merchant_serial = \"5A5A\"");
    assert!(bench.refusal(&text).contains("merchant_serial must be 40 hexadecimal digits"));
    let serial = "5a".repeat(20);
    let line = format!("merchant_serial = \"{serial}\"");
    let config = bench.read(&with(&["merchant_cert_file", "public_key"], &line)).unwrap();
    assert_eq!(v3(&config).merchant_serial, serial.to_uppercase());
    assert!(v3(&config).public_key.is_none() && v3(&config).merchant_certificate_pem.is_none());
    // In training it is checked, and nothing of it read.
    let training = REQUIRED.replace("kind = \"wechat-v3\"", "kind = \"simulator\"");
    let bench = ConfigBench::new();
    assert!(matches!(bench.read(&training).unwrap().gateway, GatewayConfig::Simulator));
}

#[test]
fn an_address_for_notifications_may_be_named() {
    let bench = bench();
    assert_eq!(v3(&bench.read(REQUIRED).unwrap()).notify_url, None);
    assert_eq!(v3(&bench.read(&with(&["zzz"], "notify_url = \"\"")).unwrap()).notify_url, None);
    let url = "https://pay.example.com/notify";
    let config = bench.read(&with(&["zzz"], &format!("notify_url = \"{url}\""))).unwrap();
    assert_eq!(v3(&config).notify_url.as_deref(), Some(url));
    let refusal = bench.refusal(&with(&["zzz"], "notify_url = \"https://pay.example.com\""));
    assert!(refusal.contains("[gateway.wechat-v3] notify_url must be an address"), "{refusal}");
}

#[test]
fn the_key_may_be_in_the_environment() {
    let mut bench = bench();
    let without = with(&["api_v3_key_file"], "");
    let sentence = "[gateway.wechat-v3] api_v3_key_file is missing; name the file with the \
                    merchant's APIv3 key, or set $PAYTILL_API_V3_KEY (merchant platform: Account \
                    Center > API Security > APIv3 key, never shown again once it is set)";
    assert_eq!(bench.refusal(&without), format!("paytill.toml:3: {sentence}"));
    bench.environment.insert("PAYTILL_API_V3_KEY", KEY.to_uppercase().into());
    let config = bench.read(&without).unwrap();
    assert_eq!(v3(&config).api_v3_key.expose_secret(), KEY.to_uppercase());
    bench.environment.insert("PAYTILL_API_V3_KEY", "short".into());
    let refusal = bench.refusal(&without);
    assert!(refusal.starts_with("$PAYTILL_API_V3_KEY must be 32 printable"), "{refusal}");
}

#[test]
fn keys_that_are_confused_are_named() {
    let says = |change: &dyn Fn(&ConfigBench), text: &str, expected: &str| {
        let bench = bench();
        change(&bench);
        let refusal = bench.refusal(text);
        assert!(refusal.contains(expected), "{expected}: {refusal}");
        assert!(!refusal.contains(" client_"), "{refusal}");
    };
    let nothing = |_: &ConfigBench| {};
    let id_line = |id: &str| format!("public_key_id = \"{id}\"");
    says(
        &nothing,
        &with(&["public_key_id"], &id_line(&"5A".repeat(20))),
        "is the serial number of a certificate",
    );
    says(
        &nothing,
        &with(&["public_key_id"], &id_line("114232134912410")),
        "must begin with PUB_KEY_ID_",
    );
    says(
        &nothing,
        &with(&["public_key_id"], ""),
        "public_key_id is missing; public_key_file is set",
    );
    says(
        &nothing,
        &with(&["public_key_file"], ""),
        "public_key_file is missing; public_key_id is set",
    );
    let serial = |text: &str| with(&["zzz"], &format!("merchant_serial = \"{text}\""));
    says(&nothing, &serial(PUBLIC_KEY_ID), "is the id of WeChat Pay's public key");
    says(&nothing, &serial(&"5B".repeat(20)), "is not that of merchant_cert_file, which is 5A5A");
    let public =
        |text: &'static str| move |bench: &ConfigBench| drop(bench.write("pub_key.pem", text));
    says(&public(PLATFORM_CERTIFICATE), REQUIRED, "which is a certificate; leave public_key_file");
    says(&public(MERCHANT_KEY), REQUIRED, "pub_key.pem, which is a private key");
    says(&public(MERCHANT_PUBLIC), REQUIRED, "which is the merchant's own public key");
    says(&public("no key"), REQUIRED, "holds no public key in PEM form");
    says(
        &|bench| drop(bench.write("cert.pem", PLATFORM_CERTIFICATE)),
        REQUIRED,
        "which is not the key of the certificate in merchant_cert_file",
    );
    let swapped =
        with(&["merchant_"], "merchant_cert_file = \"key.pem\"\nmerchant_key_file = \"cert.pem\"");
    says(&nothing, &swapped, "merchant_key_file names");
    let curve = rcgen::generate_simple_self_signed(["1900000109".to_owned()]).unwrap();
    let (certificate, key) = (curve.cert.pem(), curve.signing_key.serialize_pem());
    says(
        &|bench| {
            bench.write("cert.pem", &certificate);
            bench.write("key.pem", &key);
        },
        REQUIRED,
        "which is no RSA key of 2048 bits",
    );
    says(
        &|bench| drop(bench.write("v3.key", "short")),
        REQUIRED,
        "api_v3_key_file must be 32 printable",
    );
    let both = format!("{REQUIRED}[gateway.wechat-v2]\napi_key_file = \"v2.key\"\n");
    says(&|bench| drop(bench.write("v2.key", KEY)), &both, "names the APIv2 key");
    let bench = bench();
    bench.write("v2.key", &KEY.to_uppercase());
    bench.read(&both).unwrap();
}

#[test]
fn nobody_else_may_read_the_keys_or_change_whom_we_believe() {
    for (file, mode, says) in [
        ("v3.key", 0o640, "chmod 600"),
        ("key.pem", 0o604, "chmod 600"),
        ("pub_key.pem", 0o646, "chmod go-w"),
    ] {
        let bench = bench();
        let path = bench.path(file);
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let refusal = bench.refusal(REQUIRED);
        assert!(refusal.contains(says) && refusal.contains(file), "{refusal}");
    }
    let bench = bench();
    fs::set_permissions(bench.path("pub_key.pem"), Permissions::from_mode(0o644)).unwrap();
    bench.read(REQUIRED).unwrap();
}
