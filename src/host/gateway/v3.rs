//! The section of API v3: its keys, and those that are confused with them.

use std::path::{Path, PathBuf};

use paytill_core::both;
use paytill_core::gateway::wechat::v3::{Certificate, SigningKey, VerifyingKeys};
use paytill_core::language::Text;
use paytill_core::order::Merchant;
use secrecy::{ExposeSecret, SecretString};

use super::Version;
use super::account::{merchant, missing_ids, notify_url};
use super::line::{Line, LineConfig};
use super::platform::PlatformValue;
use super::reading::{Collected, Secrets, Surroundings, unguarded};
use crate::config::file::{Document, Section};
use crate::config::secret::{self, Of, SecretFault};
use crate::config::{ConfigError, variable};

/// The section's keys.
pub(super) const KEYS: &[&str] = &[
    "base_url",
    "backup_url",
    "app_id",
    "mch_id",
    "sub_app_id",
    "sub_mch_id",
    "api_v3_key_file",
    "merchant_cert_file",
    "merchant_serial",
    "merchant_key_file",
    "public_key_file",
    "public_key_id",
    "ca_file",
    "client_ip",
    "notify_url",
    "proxy",
    "proxy_login_file",
    "connect_timeout_ms",
    "request_timeout_ms",
];

const VARIABLE: &str = "PAYTILL_API_V3_KEY";
const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_";
const ID_CELLS: usize = 64;
const SERIAL_DIGITS: usize = 40;
const END: &str = "-----END CERTIFICATE-----";

/// `WeChat` Pay's API v3, and the keys it needs.
#[derive(Clone, Debug)]
pub struct WechatV3Config {
    pub line: LineConfig,
    pub merchant: Merchant,
    /// 32 printable ASCII characters. It decrypts certificates, and signs nothing.
    pub api_v3_key: SecretString,
    /// Of the merchant's certificate: 40 hexadecimal digits.
    pub merchant_serial: String,
    /// That certificate, if it was named.
    pub merchant_certificate_pem: Option<Vec<u8>>,
    /// The merchant's private key, which signs requests: RSA, as PEM.
    pub merchant_key_pem: SecretString,
    /// As in [`WechatV2Config`].
    pub notify_url: Option<String>,
    /// `WeChat` Pay's public key with its id; `None`: platform certificates, downloaded.
    pub public_key: Option<(String, Vec<u8>)>,
}

/// Checks the section even if it is not used, but reads its secrets only if it is.
pub(super) fn read(
    document: &Document<'_>,
    is_used: bool,
    around: &Surroundings<'_>,
) -> Result<Option<WechatV3Config>, ConfigError> {
    let section = document.section(Version::V3.section());
    let line = Line::read(section, around)?;
    let merchant = merchant(section)?;
    let files = Files {
        api_v3_key: section.path("api_v3_key_file", around.folder)?,
        certificate: section.path("merchant_cert_file", around.folder)?,
        key: section.path("merchant_key_file", around.folder)?,
        public_key: section.path("public_key_file", around.folder)?,
    };
    let notify_url = notify_url(section)?;
    let serial = serial(section)?;
    let public_key_id = public_key_id(section)?;
    if files.public_key.is_some() != public_key_id.is_some() {
        let (lacking, of) = match files.public_key {
            Some(_) => ("public_key_id", "public_key_file"),
            None => ("public_key_file", "public_key_id"),
        };
        let sentence = both!(
            "is missing; {of} is set, and the platform shows the two together",
            "没有设置；已设置 {of}，商户平台上两者在一起"
        );
        let value = match lacking {
            "public_key_id" => PlatformValue::PublicKeyId,
            _ => PlatformValue::PublicKey,
        };
        return Err(section.wrong(lacking, &value.found(&sentence)));
    }
    if !is_used {
        return Ok(None);
    }

    let mut each = Collected::from(missing_ids(section, &merchant));
    if around.secrets == Secrets::Leave {
        return each.checked().map(|()| None);
    }
    if let Some(fault) = unguarded(around) {
        return Err(fault);
    }
    let api_v3_key = each.kept(api_v3_key(document, section, &files, around));
    let signing = each.kept(signing(section, &files, serial));
    let public_key = public_key(section, &files, public_key_id, signing.as_ref());
    let public_key = each.kept(public_key.map_err(|fault| vec![fault]));
    let line = line.complete(section, &mut each);
    let (Some(api_v3_key), Some(signing), Some(public_key), Some(line), true) =
        (api_v3_key, signing, public_key, line, each.is_empty())
    else {
        return Err(each.refused(section));
    };
    Ok(Some(WechatV3Config {
        line,
        merchant,
        api_v3_key,
        merchant_serial: signing.serial,
        merchant_certificate_pem: signing.certificate_pem,
        merchant_key_pem: signing.key_pem,
        notify_url,
        public_key,
    }))
}

struct Files {
    api_v3_key: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    public_key: Option<PathBuf>,
}

/// What requests are signed with.
struct Signing {
    serial: String,
    certificate_pem: Option<Vec<u8>>,
    key_pem: SecretString,
}

/// A fault in the words of API v2's section, in those of this one.
fn in_our_words(text: &Text) -> Text {
    text.clone().map(|text| {
        text.replace("client_cert_file", "merchant_cert_file")
            .replace("client_key_file", "merchant_key_file")
            .replace("api_key_file", "api_v3_key_file")
            .replace("apiv2.key", "apiv3.key")
            .replace("APIv2", "APIv3")
    })
}

/// The serial number that is written down instead of the certificate's file.
fn serial(section: Section<'_>) -> Result<Option<String>, ConfigError> {
    let text = section.text("merchant_serial", ID_CELLS)?.filter(|text| !text.is_empty());
    let Some(text) = text else { return Ok(None) };
    if text.starts_with(PUBLIC_KEY_ID) {
        let sentence = both!(
            "is the id of WeChat Pay's public key; write it as public_key_id, and here the serial \
             number of the merchant's own certificate",
            "是微信支付公钥 ID；请写到 public_key_id，这里写商户 API 证书序列号"
        );
        return Err(section.wrong("merchant_serial", &sentence));
    }
    if text.len() == SERIAL_DIGITS && text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Ok(Some(text.to_ascii_uppercase()));
    }
    let sentence = both!(
        "must be {SERIAL_DIGITS} hexadecimal digits, as the platform shows them",
        "必须是 {SERIAL_DIGITS} 位十六进制数，见商户平台"
    );
    Err(section.wrong("merchant_serial", &PlatformValue::SerialNumber.found(&sentence)))
}

fn public_key_id(section: Section<'_>) -> Result<Option<String>, ConfigError> {
    let text = section.text("public_key_id", ID_CELLS)?.filter(|text| !text.is_empty());
    let Some(text) = text else { return Ok(None) };
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if text.starts_with(PUBLIC_KEY_ID) && is_plain {
        return Ok(Some(text));
    }
    let is_serial = text.len() == SERIAL_DIGITS && text.bytes().all(|it| it.is_ascii_hexdigit());
    let sentence = if is_serial {
        both!(
            "is the serial number of a certificate; the id of the public key begins with \
             {PUBLIC_KEY_ID}",
            "是证书序列号；微信支付公钥 ID 以 {PUBLIC_KEY_ID} 开头"
        )
    } else {
        both!(
            "must begin with {PUBLIC_KEY_ID}, as the platform shows it",
            "必须以 {PUBLIC_KEY_ID} 开头，见商户平台"
        )
    };
    Err(section.wrong("public_key_id", &PlatformValue::PublicKeyId.found(&sentence)))
}

fn api_v3_key(
    document: &Document<'_>,
    section: Section<'_>,
    files: &Files,
    around: &Surroundings<'_>,
) -> Result<SecretString, Vec<ConfigError>> {
    let wrong = |sentence: &Text| vec![section.wrong("api_v3_key_file", sentence)];
    if let Some(key) = variable(around.environment, VARIABLE) {
        return secret::api_key(key.as_encoded_bytes()).map_err(|fault| {
            let fault = in_our_words(&fault.text());
            vec![ConfigError::new(fault.map(|fault| format!("${VARIABLE} {fault}")))]
        });
    }
    let Some(file) = &files.api_v3_key else {
        return Err(wrong(&PlatformValue::ApiV3Key.found(&both!(
            "is missing; name the file with the merchant's APIv3 key, or set ${VARIABLE}",
            "没有设置；请指定商户 APIv3 密钥文件，或设置 ${VARIABLE}"
        ))));
    };
    let key = secret::api_key_file(file);
    let key = key.map_err(|fault| wrong(&in_our_words(&fault.text())))?;
    // Both keys look alike; only that they are the same is certainly wrong.
    let v2 = document.section(Version::V2.section()).path("api_key_file", around.folder);
    let v2 = v2.ok().flatten().and_then(|file| secret::api_key_file(&file).ok());
    if v2.is_some_and(|v2| v2.expose_secret() == key.expose_secret()) {
        return Err(wrong(&both!(
            "names the APIv2 key, that of [gateway.wechat-v2]; the platform has an APIv3 key of \
             its own (API security, APIv3 key)",
            "指定的是 [gateway.wechat-v2] 的 APIv2 密钥；APIv3 密钥要在商户平台另外设置（API 安全）"
        )));
    }
    Ok(key)
}

fn signing(
    section: Section<'_>,
    files: &Files,
    serial: Option<String>,
) -> Result<Signing, Vec<ConfigError>> {
    let wrong = |name: &str, sentence: &Text| vec![section.wrong(name, sentence)];
    let Some(key) = &files.key else {
        return Err(wrong(
            "merchant_key_file",
            &PlatformValue::PrivateKey.found(&both!(
                "is missing; requests are signed with the merchant's private key",
                "没有设置；请求要用商户 API 私钥签名"
            )),
        ));
    };
    let setting = |of: Of| match of {
        Of::Certificate => "merchant_cert_file",
        _ => "merchant_key_file",
    };
    let Some(certificate) = &files.certificate else {
        let Some(serial) = serial else {
            return Err(wrong(
                "merchant_cert_file",
                &PlatformValue::Certificate.found(&both!(
                    "is missing; name the merchant's certificate, or write its serial number as \
                     merchant_serial",
                    "没有设置；请指定商户 API 证书，或用 merchant_serial 写明其序列号"
                )),
            ));
        };
        let key_pem = secret::private_key(key);
        let key_pem =
            key_pem.map_err(|why| wrong("merchant_key_file", &in_our_words(&why.text())))?;
        let signing = Signing { serial, certificate_pem: None, key_pem };
        return is_rsa(section, key, signing);
    };
    let both_pem = secret::identity(certificate, key).map_err(|faults| {
        let told = |(of, fault): (Of, SecretFault)| {
            section.wrong(setting(of), &in_our_words(&fault.text()))
        };
        faults.into_iter().map(told).collect::<Vec<_>>()
    })?;
    let certificate_pem = both_pem.expose_secret().as_bytes().to_vec();
    let read = Certificate::of_pem(&certificate_pem).map(|certificate| certificate.serial);
    let Some(own) = read else {
        let file = secret::shown(certificate);
        return Err(wrong(
            "merchant_cert_file",
            &both!("names {file}, which cannot be read", "指定的 {file} 无法读取"),
        ));
    };
    if serial.as_ref().is_some_and(|serial| *serial != own) {
        return Err(wrong(
            "merchant_serial",
            &both!(
                "is not that of merchant_cert_file, which is {own}; leave it out",
                "与 merchant_cert_file 的序列号 {own} 不符；请删去此项"
            ),
        ));
    }
    let key_pem = secret::private_key(key)
        .map_err(|why| wrong("merchant_key_file", &in_our_words(&why.text())))?;
    let public = only_certificates(&certificate_pem);
    is_rsa(section, key, Signing { serial: own, certificate_pem: Some(public), key_pem })
}

/// Of a certificate with its key, what is not secret.
fn only_certificates(pem: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(pem);
    text.rfind(END).map(|at| text[..at + END.len()].as_bytes().to_vec()).unwrap_or_default()
}

fn is_rsa(
    section: Section<'_>,
    file: &Path,
    signing: Signing,
) -> Result<Signing, Vec<ConfigError>> {
    let pem = signing.key_pem.expose_secret().as_bytes();
    if SigningKey::new(&signing.serial, pem).is_some() {
        return Ok(signing);
    }
    let file = secret::shown(file);
    let sentence = both!(
        "names {file}, which is no RSA key of 2048 bits; the platform's apiclient_key.pem is one",
        "指定的 {file} 不是 2048 位 RSA 私钥；商户平台提供的 apiclient_key.pem 才是"
    );
    Err(vec![section.wrong("merchant_key_file", &sentence)])
}

fn public_key(
    section: Section<'_>,
    files: &Files,
    id: Option<String>,
    signing: Option<&Signing>,
) -> Result<Option<(String, Vec<u8>)>, ConfigError> {
    let (Some(file), Some(id)) = (&files.public_key, id) else { return Ok(None) };
    let wrong = |sentence: &Text| section.wrong("public_key_file", sentence);
    let pem = secret::trusted(file).map_err(|why| wrong(&in_our_words(&why.text())))?;
    let name = secret::shown(file);
    let has = |label: &str| {
        let text = format!("-----BEGIN {label}-----");
        pem.windows(text.len()).any(|window| window == text.as_bytes())
    };
    if has("CERTIFICATE") {
        return Err(wrong(&both!(
            "names {name}, which is a certificate; leave public_key_file and public_key_id empty \
             for platform certificates, which are downloaded",
            "指定的 {name} 是证书；使用平台证书时请把 public_key_file 和 public_key_id 留空，证书会自动下载"
        )));
    }
    if ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"].into_iter().any(has) {
        return Err(wrong(&both!(
            "names {name}, which is a private key; WeChat Pay's public key is pub_key.pem",
            "指定的 {name} 是私钥；微信支付公钥文件是 pub_key.pem"
        )));
    }
    if !VerifyingKeys::default().add_public_key(&id, &pem) {
        return Err(wrong(&both!(
            "names {name}, which holds no public key in PEM form",
            "指定的 {name} 中没有 PEM 格式的公钥"
        )));
    }
    let own = signing.and_then(|signing| signing.certificate_pem.as_deref());
    let own = own.and_then(Certificate::of_pem);
    if own.is_some_and(|own| VerifyingKeys::is_key_of(&pem, &own)) {
        return Err(wrong(&both!(
            "names {name}, which is the merchant's own public key; WeChat Pay's is pub_key.pem",
            "指定的 {name} 是商户自己的公钥；微信支付公钥文件是 pub_key.pem"
        )));
    }
    Ok(Some((id, pem)))
}
