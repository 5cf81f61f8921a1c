//! The section of the merchant's own backend: where it is, and the keys that prove each to the other.

use std::path::PathBuf;

use paytill_host::config::file::Document;
use paytill_host::config::secret::{self, SecretFault};
use paytill_host::gateway::Secrets;
use paytill_host::gateway::reading::{self, Collected, timeouts, unguarded};
use secrecy::SecretString;

use super::super::super::backend::wait;
use super::super::super::{BackendConfig, BackendFiles, ConfigError, PaymentConfig};
use super::super::Surroundings;
use crate::both;
use crate::gateway::backend::KnownBackend;
use crate::gateway::backend::signed::SigningKey;
use crate::language::Text;
use crate::order::TillId;

/// Its name.
pub(in super::super) const SECTION: &str = "gateway.backend";
/// Its keys.
pub(in super::super) const KEYS: &[&str] = &[
    "url",
    "backup_url",
    "key_file",
    "backend_key_file",
    "ca_file",
    "connect_timeout_ms",
    "request_timeout_ms",
];
const KEY_FILE: &str = "secrets/till.key";
const BACKEND_KEY_FILE: &str = "secrets/backend.pub";

/// The files that the section names, or those that enrolment makes.
pub(in super::super) fn files(
    document: &Document<'_>,
    is_used: bool,
    around: &Surroundings<'_>,
) -> Result<BackendFiles, ConfigError> {
    let section = document.section(SECTION);
    let named = |key, default: &str| -> Result<PathBuf, ConfigError> {
        let path = section.path(key, around.folder)?;
        Ok(path.unwrap_or_else(|| around.folder.join(default)))
    };
    Ok(BackendFiles {
        is_used,
        key: named("key_file", KEY_FILE)?,
        backend_key: named("backend_key_file", BACKEND_KEY_FILE)?,
        ca: section.path("ca_file", around.folder)?,
    })
}

/// Checks the section even if it is not used, but reads its files only if it is. `None`: they are left
/// alone.
pub(super) fn read(
    document: &Document<'_>,
    files: &BackendFiles,
    till: &TillId,
    payment: &PaymentConfig,
    around: &Surroundings<'_>,
) -> Result<Option<BackendConfig>, ConfigError> {
    let section = document.section(SECTION);
    let url = reading::url(section, "url", "https", "")?;
    let backup_url = reading::url(section, "backup_url", "https", "")?;
    let [connect_timeout, request_timeout] = timeouts(section)?;
    if !files.is_used {
        return Ok(None);
    }
    let Some(url) = url else {
        let sentence = both!(
            "is missing; it is where paytill enroll has registered the till",
            "没有设置；填写登记收银机（paytill enroll）时使用的地址"
        );
        return Err(section.wrong("url", &sentence));
    };
    if around.secrets == Secrets::Leave {
        return Ok(None);
    }
    if let Some(fault) = unguarded(&around.of_gateway()) {
        return Err(fault);
    }
    let mut each = Collected::default();
    let wrong = |key: &str, sentence: &Text| vec![section.wrong(key, sentence)];
    let key_pem = key(files).map_err(|why| wrong("key_file", &why));
    let key_pem = each.kept(key_pem);
    let known = known(files, till).map_err(|why| wrong("backend_key_file", &why));
    let known = each.kept(known);
    let ca_pem = files.ca.as_deref().map(secret::roots).transpose();
    let ca_pem = each.kept(ca_pem.map_err(|why| wrong("ca_file", &why.text())));
    let (Some(key_pem), Some(known), Some(ca_pem)) = (key_pem, known, ca_pem) else {
        return Err(each.refused(section));
    };
    Ok(Some(BackendConfig {
        url,
        backup_url,
        key_pem,
        backend_key: known.key,
        merchant: known.merchant(),
        till: known.till,
        ca_pem,
        connect_timeout,
        request_timeout,
        wait: wait(&payment.rules, request_timeout),
        qr_lasts: payment.qr_lasts,
    }))
}

/// The till's own key, which nobody else may read.
fn key(files: &BackendFiles) -> Result<SecretString, Text> {
    let name = secret::shown(&files.key);
    let pem = secret::own_file(&files.key).map_err(|fault| enrolled(fault, &name))?;
    let text = std::str::from_utf8(&pem).ok().filter(|_| SigningKey::from_pem(&pem).is_some());
    text.map(SecretString::from).ok_or_else(|| {
        both!(
            "names {name}, which is not a till's key; paytill enroll makes one",
            "指定的 {name} 不是收银机密钥；请用 paytill enroll 生成"
        )
    })
}

/// The backend's key, and which till this one is to it.
fn known(files: &BackendFiles, till: &TillId) -> Result<KnownBackend, Text> {
    let name = secret::shown(&files.backend_key);
    let text = secret::trusted(&files.backend_key).map_err(|fault| enrolled(fault, &name))?;
    let known = std::str::from_utf8(&text).ok().and_then(KnownBackend::read);
    let known = known.ok_or_else(|| {
        both!(
            "names {name}, which holds no backend's key; paytill enroll writes one",
            "指定的 {name} 中没有商户后台的公钥；请用 paytill enroll 生成"
        )
    })?;
    if known.till == *till {
        return Ok(known);
    }
    let (theirs, ours) = (known.till.as_str(), till.as_str());
    Err(both!(
        "names {name}, which is of till {theirs}, but till.id is {ours}; set till.id = \"{theirs}\"",
        "指定的 {name} 属于收银机 {theirs}，而 till.id 是 {ours}；请设置 till.id = \"{theirs}\""
    ))
}

/// A file that is not there comes from enrolment.
fn enrolled(fault: SecretFault, name: &str) -> Text {
    match fault {
        SecretFault::Missing(_) => both!(
            "names {name}, which does not exist; register the till with paytill enroll",
            "指定的 {name} 不存在；请用 paytill enroll 登记收银机"
        ),
        fault => fault.text(),
    }
}
