//! The sections of the gateway: who moves the money, and the secrets for it.

mod v3;

use std::net::IpAddr;
use std::path::PathBuf;

use secrecy::SecretString;

use super::super::{ConfigError, GatewayConfig, LineConfig, Secrets, WechatV2Config};
use super::{ID_LENGTH, NAME_CELLS, Surroundings};
use crate::clock::Millis;
use crate::gateway::wechat::fields::SignType;
use crate::language::Text;
use crate::order::Merchant;
use crate::text::platform::PlatformValue;
use crate::{both, say};
use paytill_host::config::file::{Document, Section};
use paytill_host::config::secret::{self, Of, SecretFault};
use paytill_host::config::variable;

/// The gateway in mainland China and its backup host (protocol 1.1).
const BASE_URL: &str = "https://api.mch.weixin.qq.com";
const BACKUP_URL: &str = "https://api2.mch.weixin.qq.com";
const URL_CELLS: usize = 255;

/// Who moves the money.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Simulator,
    V2,
    V3,
}

/// What the file names, and that its section is there.
pub(super) fn kind(document: &Document<'_>) -> Result<Kind, ConfigError> {
    let section = document.section("gateway");
    let kinds = [
        ("simulator", Some(Kind::Simulator)),
        ("wechat-v2", Some(Kind::V2)),
        ("wechat-v3", Some(Kind::V3)),
        ("backend", None),
    ];
    let sections = [("wechat-v2", "gateway.wechat-v2"), ("wechat-v3", "gateway.wechat-v3")];
    let is_there = |kind| {
        let of_it = sections.into_iter().find(|(known, _)| *known == kind);
        of_it.is_some_and(|(_, name)| document.section(name).is_there())
    };
    let meant = sections.into_iter().find(|(_, name)| document.section(name).is_there());
    if let Some((meant, _)) = meant
        && !section.has("kind")
    {
        let sentence = both!(
            "is missing; write kind = \"{meant}\", or \"simulator\" for training",
            "没有设置；请写 kind = \"{meant}\"，练习则写 \"simulator\""
        );
        return Err(section.wrong("kind", &sentence));
    }
    let lacking = |kind| {
        let sentence = both!(
            "is \"{kind}\", but there is no [gateway.{kind}]",
            "为 \"{kind}\"，但没有 [gateway.{kind}]"
        );
        section.wrong("kind", &sentence)
    };
    match section.word("kind", &kinds, Some(Kind::Simulator))? {
        Some(Kind::V2) if !is_there("wechat-v2") => Err(lacking("wechat-v2")),
        Some(Kind::V3) if !is_there("wechat-v3") => Err(lacking("wechat-v3")),
        Some(kind) => Ok(kind),
        None => Err(section.wrong(
            "kind",
            &both!(
                "is not built yet; simulator, wechat-v2 and wechat-v3 are",
                "尚不支持；目前可用 simulator、wechat-v2 和 wechat-v3"
            ),
        )),
    }
}

/// Where WeChat Pay tells of payments by our code: an address with a path and without a query.
pub(super) fn notify_url(section: Section<'_>) -> Result<Option<String>, ConfigError> {
    let Some(text) = section.text("notify_url", 256)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte));
    let has_path = rest
        .and_then(|rest| rest.split_once('/'))
        .is_some_and(|(host, path)| !host.is_empty() && !path.is_empty());
    if is_plain && has_path {
        return Ok(Some(text));
    }
    let sentence = both!(
        "must be an address such as https://pay.example.com/notify, without ? and #, or \"\"",
        "必须是 https://pay.example.com/notify 这样的地址，不含 ? 和 #，或 \"\""
    );
    Err(section.wrong("notify_url", &sentence))
}

/// Checks every section even in training, but reads the secrets only of the one that is used.
pub(super) fn read(
    document: &Document<'_>,
    kind: Kind,
    around: &Surroundings<'_>,
) -> Result<GatewayConfig, ConfigError> {
    let v2 = v2(document.section("gateway.wechat-v2"), kind == Kind::V2, around)?;
    let v3 = v3::read(document, kind == Kind::V3, around)?;
    Ok(if kind == Kind::V3 { v3 } else { v2 })
}

/// The way to the gateway, before any file was read.
struct Line {
    base_url: Option<String>,
    backup_url: Option<String>,
    ca_file: Option<PathBuf>,
    client_ip: Option<IpAddr>,
    proxy: Option<String>,
    login_file: Option<PathBuf>,
    connect_timeout: Millis,
    request_timeout: Millis,
}

impl Line {
    fn read(section: Section<'_>, around: &Surroundings<'_>) -> Result<Self, ConfigError> {
        let base_url = url(section, "base_url", "https", BASE_URL)?;
        // If another gateway is named, its requests must not go to the real one.
        let backup = if base_url.as_deref() == Some(BASE_URL) { BACKUP_URL } else { "" };
        let backup_url = url(section, "backup_url", "https", backup)?;
        let ca_file = section.path("ca_file", around.folder)?;
        let client_ip = match section.text("client_ip", NAME_CELLS)?.as_deref() {
            None | Some("") => None,
            Some(text) => Some(text.parse().map_err(|_| {
                let sentence = both!(
                    "must be an address such as 203.0.113.7, or \"\"",
                    "必须是 IP 地址，如 203.0.113.7，或 \"\""
                );
                section.wrong("client_ip", &sentence)
            })?),
        };
        let proxy = url(section, "proxy", "http", "")?;
        let login_file = section.path("proxy_login_file", around.folder)?;
        if login_file.is_some() && proxy.is_none() {
            let sentence = both!("is of use only together with proxy", "只能与 proxy 一起使用");
            return Err(section.wrong("proxy_login_file", &sentence));
        }
        let timeout = |key, default| section.whole(key, 100..=60_000, default).map(Millis);
        let connect_timeout = timeout("connect_timeout_ms", 3000)?;
        let request_timeout = timeout("request_timeout_ms", 10_000)?;
        Ok(Self {
            base_url,
            backup_url,
            ca_file,
            client_ip,
            proxy,
            login_file,
            connect_timeout,
            request_timeout,
        })
    }

    /// With what its files hold.
    fn complete(self, section: Section<'_>, each: &mut Collected<'_>) -> Option<LineConfig> {
        let ca_pem = self.ca_file.map(|path| secret::roots(&path)).transpose();
        let ca_pem = each.kept(ca_pem.map_err(|why| vec![section.wrong("ca_file", &why.text())]));
        let login = self.login_file.map(|path| secret::login(&path)).transpose();
        let login = login.map_err(|why| vec![section.wrong("proxy_login_file", &why.text())]);
        let login = each.kept(login);
        let empty = || vec![section.wrong("base_url", &both!("is empty", "为空"))];
        let base_url = each.kept(self.base_url.ok_or_else(empty));
        Some(LineConfig {
            base_url: base_url?,
            backup_url: self.backup_url,
            ca_pem: ca_pem?,
            client_ip: self.client_ip,
            proxy: self.proxy,
            proxy_login: login?,
            connect_timeout: self.connect_timeout,
            request_timeout: self.request_timeout,
        })
    }
}

/// The ids that WeChat Pay gave to the merchant and that are missing.
fn missing_ids(section: Section<'_>, merchant: &Merchant) -> Vec<ConfigError> {
    let missing = |key, value: PlatformValue| {
        let sentence = both!(
            "is missing; WeChat Pay gave it to the merchant",
            "没有设置；开通微信支付时会提供给商户"
        );
        section.wrong(key, &value.found(&sentence))
    };
    let ids = [
        ("app_id", &merchant.app_id, PlatformValue::AppId),
        ("mch_id", &merchant.mch_id, PlatformValue::MerchantId),
    ];
    let lacking = ids.into_iter().filter(|(_, id, _)| id.is_empty());
    lacking.map(|(key, _, value)| missing(key, value)).collect()
}

/// All faults as one.
fn refused(section: Section<'_>, faults: Vec<ConfigError>) -> ConfigError {
    let none = || section.wrong("kind", &both!("cannot be used", "无法使用"));
    ConfigError::all(faults).unwrap_or_else(none)
}

fn v2(
    section: Section<'_>,
    is_used: bool,
    around: &Surroundings<'_>,
) -> Result<GatewayConfig, ConfigError> {
    let line = Line::read(section, around)?;
    let merchant = merchant(section)?;
    let sign_types = [SignType::HmacSha256, SignType::Md5].map(|kind| (kind.word(), kind));
    let sign_type = section.word("sign_type", &sign_types, SignType::default())?;
    let api_key_file = section.path("api_key_file", around.folder)?;
    let certificate_file = section.path("client_cert_file", around.folder)?;
    let key_file = section.path("client_key_file", around.folder)?;
    let notify_url = notify_url(section)?;
    if !is_used {
        return Ok(GatewayConfig::Simulator);
    }

    let mut faults = missing_ids(section, &merchant);
    if line.base_url.is_none() {
        return Err(section.wrong("base_url", &both!("is empty", "为空")));
    }
    if around.secrets == Secrets::Leave {
        return ConfigError::all(faults).map_or(Ok(GatewayConfig::Unread), Err);
    }
    if let Some(fault) = unguarded(around) {
        return Err(fault);
    }
    let mut each = Collected { faults: &mut faults };
    let api_key = each.kept(api_key(section, api_key_file, around).map_err(|fault| vec![fault]));
    let client_identity_pem = each.kept(identity(section, certificate_file, key_file));
    let line = line.complete(section, &mut each);
    let (Some(api_key), Some(client_identity_pem), Some(line), true) =
        (api_key, client_identity_pem, line, each.faults.is_empty())
    else {
        return Err(refused(section, faults));
    };
    Ok(GatewayConfig::WechatV2(WechatV2Config {
        base_url: line.base_url,
        backup_url: line.backup_url,
        merchant,
        sign_type,
        api_key,
        client_identity_pem,
        ca_pem: line.ca_pem,
        client_ip: line.client_ip,
        notify_url,
        proxy: line.proxy,
        proxy_login: line.proxy_login,
        connect_timeout: line.connect_timeout,
        request_timeout: line.request_timeout,
    }))
}

/// All that is wrong, so that nobody has to mend one thing to hear of the next.
struct Collected<'f> {
    faults: &'f mut Vec<ConfigError>,
}

impl Collected<'_> {
    fn kept<T>(&mut self, result: Result<T, Vec<ConfigError>>) -> Option<T> {
        result.map_err(|faults| self.faults.extend(faults)).ok()
    }
}

/// Whoever can write the file that names the gateway can send payment codes to a host of his own.
fn unguarded(around: &Surroundings<'_>) -> Option<ConfigError> {
    let file = around.file?;
    let why = match secret::guarded(file).err()? {
        SecretFault::WritableByOthers { file } => both!(
            "others than its owner can change it; run: chmod go-w {file}",
            "其他用户可以修改它；请运行：chmod go-w {file}"
        ),
        SecretFault::FolderWritable { folder } => both!(
            "others than its owner can write in its folder; run: chmod go-w {folder}",
            "其他用户可写入它所在的目录；请运行：chmod go-w {folder}"
        ),
        SecretFault::NotOurs(file) => both!(
            "{file} belongs to another user; it must be yours or root's",
            "{file} 属于其他用户；必须属于您或 root"
        ),
        SecretFault::FolderNotOurs { folder } => both!(
            "its folder {folder} belongs to another user; it must be yours or root's",
            "它所在的目录 {folder} 属于其他用户；必须属于您或 root"
        ),
        other => other.text(),
    };
    let name = secret::shown(file);
    let sentence = Text::each(|language| {
        let why = why.in_language(language);
        say!(
            language,
            "{name}: this file decides where the money goes, but {why}",
            "{name}: 此文件决定款项去向，但{why}"
        )
    });
    Some(ConfigError::new(sentence).in_section("gateway").unguarded())
}

fn merchant(section: Section<'_>) -> Result<Merchant, ConfigError> {
    let id = |key| {
        let id = section.text(key, NAME_CELLS)?.unwrap_or_default();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if id.len() <= ID_LENGTH && id.bytes().all(allowed) {
            return Ok(id);
        }
        let sentence = both!(
            "must be at most {ID_LENGTH} letters and digits of ASCII",
            "必须是英文字母和数字，最多 {ID_LENGTH} 个"
        );
        Err(section.wrong(key, &sentence))
    };
    let merchant = Merchant {
        app_id: id("app_id")?,
        mch_id: id("mch_id")?,
        sub_app_id: id("sub_app_id")?,
        sub_mch_id: id("sub_mch_id")?,
    };
    if merchant.sub_mch_id.is_empty() && !merchant.sub_app_id.is_empty() {
        let sentence =
            both!("is of use only together with sub_mch_id", "只能与 sub_mch_id 一起使用");
        return Err(section.wrong("sub_app_id", &PlatformValue::ShopId.found(&sentence)));
    }
    Ok(merchant)
}

/// `scheme://host`, with or without a port, and nothing else; `None` if it is empty. An invalid one
/// is not repeated: it may contain a password.
fn url(
    section: Section<'_>,
    key: &str,
    scheme: &str,
    default: &str,
) -> Result<Option<String>, ConfigError> {
    let text = section.text(key, URL_CELLS)?.unwrap_or_else(|| default.to_owned());
    if text.is_empty() {
        return Ok(None);
    }
    let url = url::Url::parse(&text)
        .ok()
        .filter(|_| text.strip_prefix(scheme).is_some_and(|rest| rest.starts_with("://")));
    let Some(url) = url else {
        let sentence = both!(
            "must be {scheme}://host or {scheme}://host:port",
            "必须是 {scheme}://主机 或 {scheme}://主机:端口"
        );
        return Err(section.wrong(key, &sentence));
    };
    if !url.username().is_empty() || url.password().is_some() {
        let sentence = both!(
            "must be {scheme}://host or {scheme}://host:port, without user and password",
            "必须是 {scheme}://主机 或 {scheme}://主机:端口，不含用户名和密码"
        );
        let sentence = if key == "proxy" {
            both!(
                "must be http://host or http://host:port; name and password go into a file that \
                 proxy_login_file names",
                "必须是 http://主机 或 http://主机:端口；用户名和密码请放在 proxy_login_file 指定的文件中"
            )
        } else {
            sentence
        };
        return Err(section.wrong(key, &sentence));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        let sentence = both!(
            "must be {scheme}://host or {scheme}://host:port, and nothing behind it",
            "必须是 {scheme}://主机 或 {scheme}://主机:端口，后面不能有其他内容"
        );
        return Err(section.wrong(key, &sentence));
    }
    Ok(Some(url.origin().ascii_serialization()))
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
