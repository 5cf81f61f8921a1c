//! The section of API v2: its key, and the certificate that reversal and refund need.

use std::path::PathBuf;

use paytill_core::both;
use paytill_core::gateway::wechat::fields::SignType;
use paytill_core::order::Merchant;
use secrecy::SecretString;

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
    "sign_type",
    "api_key_file",
    "client_cert_file",
    "client_key_file",
    "ca_file",
    "client_ip",
    "notify_url",
    "proxy",
    "proxy_login_file",
    "connect_timeout_ms",
    "request_timeout_ms",
];

/// `WeChat` Pay's API v2, and the secrets it needs.
#[derive(Clone, Debug)]
pub struct WechatV2Config {
    pub line: LineConfig,
    pub merchant: Merchant,
    pub sign_type: SignType,
    /// 32 printable ASCII characters.
    pub api_key: SecretString,
    /// The merchant's certificate followed by its private key, as PEM; the two match.
    pub client_identity_pem: SecretString,
    /// Where payments by our code are told of. Nothing depends on it: whoever waits asks.
    pub notify_url: Option<String>,
}

/// Checks the section even if it is not used, but reads its secrets only if it is.
pub(super) fn read(
    document: &Document<'_>,
    is_used: bool,
    around: &Surroundings<'_>,
) -> Result<Option<WechatV2Config>, ConfigError> {
    let section = document.section(Version::V2.section());
    let line = Line::read(section, around)?;
    let merchant = merchant(section)?;
    let sign_types = [SignType::HmacSha256, SignType::Md5].map(|kind| (kind.word(), kind));
    let sign_type = section.word("sign_type", &sign_types, SignType::default())?;
    let api_key_file = section.path("api_key_file", around.folder)?;
    let certificate_file = section.path("client_cert_file", around.folder)?;
    let key_file = section.path("client_key_file", around.folder)?;
    let notify_url = notify_url(section)?;
    if !is_used {
        return Ok(None);
    }

    let mut each = Collected::from(missing_ids(section, &merchant));
    if line.base_url.is_none() {
        return Err(section.wrong("base_url", &both!("is empty", "为空")));
    }
    if around.secrets == Secrets::Leave {
        return each.checked().map(|()| None);
    }
    if let Some(fault) = unguarded(around) {
        return Err(fault);
    }
    let api_key = each.kept(api_key(section, api_key_file, around).map_err(|fault| vec![fault]));
    let client_identity_pem = each.kept(identity(section, certificate_file, key_file));
    let line = line.complete(section, &mut each);
    let (Some(api_key), Some(client_identity_pem), Some(line), true) =
        (api_key, client_identity_pem, line, each.is_empty())
    else {
        return Err(each.refused(section));
    };
    Ok(Some(WechatV2Config { line, merchant, sign_type, api_key, client_identity_pem, notify_url }))
}

fn api_key(
    section: Section<'_>,
    file: Option<PathBuf>,
    around: &Surroundings<'_>,
) -> Result<SecretString, ConfigError> {
    const VARIABLE: &str = "PAYTILL_API_KEY";
    if let Some(key) = variable(around.environment, VARIABLE) {
        return secret::api_key(key.as_encoded_bytes()).map_err(|fault| {
            ConfigError::new(fault.text().map(|fault| format!("${VARIABLE} {fault}")))
        });
    }
    let file = file.ok_or_else(|| {
        let sentence = both!(
            "is missing; name the file with the merchant's APIv2 key, or set ${VARIABLE}",
            "没有设置；请指定商户 APIv2 密钥文件，或设置 ${VARIABLE}"
        );
        section.wrong("api_key_file", &PlatformValue::ApiV2Key.found(&sentence))
    })?;
    secret::api_key_file(&file).map_err(|fault| section.wrong("api_key_file", &fault.text()))
}

fn identity(
    section: Section<'_>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<SecretString, Vec<ConfigError>> {
    let missing = |name| {
        let sentence = both!(
            "is missing; reversal and refund need the merchant's certificate",
            "没有设置；撤销和退款需要商户证书"
        );
        let value = match name {
            "client_key_file" => PlatformValue::PrivateKey,
            _ => PlatformValue::Certificate,
        };
        section.wrong(name, &value.found(&sentence))
    };
    let (certificate, key) = match (certificate, key) {
        (Some(certificate), Some(key)) => (certificate, key),
        (certificate, key) => {
            let places = [("client_cert_file", certificate), ("client_key_file", key)];
            let unset = places.into_iter().filter(|(_, path)| path.is_none());
            return Err(unset.map(|(name, _)| missing(name)).collect());
        }
    };
    let wrong = |(of, fault): (Of, SecretFault)| {
        let sentence = match fault {
            SecretFault::Missing(file) => both!(
                "names {file}, which does not exist; reversal and refund need the merchant's \
                 certificate",
                "指定的 {file} 不存在；撤销和退款需要商户证书"
            ),
            fault => fault.text(),
        };
        section.wrong(of.setting(), &sentence)
    };
    let identity = secret::identity(&certificate, &key);
    identity.map_err(|faults| faults.into_iter().map(wrong).collect())
}
