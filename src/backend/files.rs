//! What the backend keeps beside its database: the key that it signs with, and a certificate of its own
//! making where it was given none.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use paytill_core::both;
use paytill_core::gateway::backend::signed::SigningKey;
use paytill_core::language::Text;
use paytill_host::config::secret;

const KEY: &str = "backend.key";
const ROOT: &str = "tls-root.pem";
const CERTIFICATE: &str = "tls-cert.pem";
const CERTIFICATE_KEY: &str = "tls-key.pem";

/// A file that cannot be made or used, as one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FileError(pub Text);

/// The certificate to show, and the root to trust where it is of our own making.
pub struct Tls {
    pub config: Arc<rustls::ServerConfig>,
    pub root_pem: Option<String>,
}

/// Makes the folder if it is not there, for its owner alone.
pub fn make_folder(folder: &Path) -> Result<(), FileError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| of_system(folder, &error))
}

/// Where that key is.
pub fn key_path(folder: &Path) -> PathBuf {
    folder.join(KEY)
}

/// A certificate of our own making, and the root that vouches for it.
pub struct OwnCertificate {
    pub root: PathBuf,
    pub certificate: PathBuf,
}

/// Where they are, or will be.
pub fn own_certificate(folder: &Path) -> OwnCertificate {
    OwnCertificate { root: folder.join(ROOT), certificate: folder.join(CERTIFICATE) }
}

/// The key that every answer is signed with; a new one if there is none.
pub fn signing_key(folder: &Path) -> Result<(SigningKey, Zeroizing<Vec<u8>>), FileError> {
    let path = folder.join(KEY);
    if !path.exists() {
        let key = SigningKey::generate().ok_or_else(|| {
            FileError(both!("the system provides no random bytes", "系统无法提供随机数"))
        })?;
        let body = Zeroizing::new(STANDARD.encode(&*key));
        let pem = Zeroizing::new(format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            *body
        ));
        write_secret(&path, pem.as_bytes())?;
    }
    let pem = secret::own_file(&path).map_err(|fault| FileError(fault.text()))?;
    let key = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| unusable(&path, "it is not a private key in PEM form"))?;
    let signing = SigningKey::from_pkcs8(key.secret_der())
        .ok_or_else(|| unusable(&path, "it is not an Ed25519 key"))?;
    Ok((signing, Zeroizing::new(key.secret_der().to_vec())))
}

/// The certificate in the files named, or one of our own making for these names.
pub fn tls(
    folder: &Path,
    given: Option<(&Path, &Path)>,
    names: &[String],
) -> Result<Tls, FileError> {
    if let Some((certificate, key)) = given {
        return Ok(Tls { config: server(certificate, key)?, root_pem: None });
    }
    let [root, certificate, key] =
        [ROOT, CERTIFICATE, CERTIFICATE_KEY].map(|name| folder.join(name));
    if !key.exists() {
        let made = make(names).map_err(|error| unusable(&key, &error.to_string()))?;
        write_secret(&root, made.root.as_bytes())?;
        write_secret(&certificate, made.certificate.as_bytes())?;
        // Last: where it is, the others are.
        write_secret(&key, made.key.as_bytes())?;
    }
    let root_pem = std::fs::read_to_string(&root).map_err(|error| of_system(&root, &error))?;
    Ok(Tls { config: server(&certificate, &key)?, root_pem: Some(root_pem) })
}

struct Made {
    root: String,
    certificate: String,
    key: Zeroizing<String>,
}

/// A root and a certificate that it vouches for. The root's own key is dropped at once.
fn make(names: &[String]) -> Result<Made, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "paytill backend authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let mut params = CertificateParams::new(names.to_vec())?;
    params.distinguished_name.push(DnType::CommonName, "paytill backend");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &authority)?;
    let key = Zeroizing::new(key.serialize_pem());
    Ok(Made { root: authority.pem(), certificate: certificate.pem(), key })
}

/// The names that a certificate of our own making is for.
pub fn names(listen: IpAddr, public: Option<&str>) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.extend(Some(listen).filter(|ip| !ip.is_unspecified()).map(|ip| ip.to_string()));
    names.extend(rustix::system::uname().nodename().to_str().ok().map(str::to_owned));
    names.extend(public.map(str::to_owned));
    names.retain(|name| !name.is_empty() && name != "(none)");
    names.sort();
    names.dedup();
    names
}

fn server(certificate: &Path, key: &Path) -> Result<Arc<rustls::ServerConfig>, FileError> {
    let wrong = |path: &Path| unusable(path, "it is not in PEM form");
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|_| wrong(certificate))?;
    let pem = secret::own_file(key).map_err(|fault| FileError(fault.text()))?;
    let private = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| wrong(key))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(certificate, &error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| unusable(certificate, &error.to_string()))?;
    Ok(Arc::new(config))
}

/// Writes a new file that only its owner can read: whole, or not at all.
fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let failed = |error: io::Error| of_system(path, &error);
    let new = path.with_added_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&new, path).map_err(failed)
}

fn unusable(path: &Path, why: &str) -> FileError {
    FileError(both!(
        "{path} cannot be used: {why}",
        "无法使用 {path}：{why}",
        path = path.display()
    ))
}

fn of_system(path: &Path, error: &io::Error) -> FileError {
    let what = both!("{path} cannot be used", "无法使用 {path}", path = path.display());
    FileError(what.because(&paytill_core::text::system::text(error)))
}
