//! Keys and certificates for a simulated gateway and its merchant, and a configuration that points
//! a till at it. None of it is worth protecting, but tills refuse secrets that others can read.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;

use super::v3::{self, KeysError, PlatformKeys};
use super::{Account, Bank, Script};
use paytill_core::clock::Timestamp;
use paytill_core::order::Merchant;

/// The merchant of every simulated gateway.
pub const APP_ID: &str = "wx8888888888888888";
/// Its merchant number.
pub const MCH_ID: &str = "1900000109";
/// The first line of every configuration written here.
const OURS: &str = "# A till on the simulated gateway: no money moves.";

const CONFIG: &str = "paytill.toml";
const AUTHORITY: &str = "ca.pem";
const API_KEY: &str = "secrets/api_v2.key";
const CLIENT_CERT: &str = "secrets/apiclient_cert.pem";
const CLIENT_KEY: &str = "secrets/apiclient_key.pem";
const SERVER_CERT: &str = "secrets/server_cert.pem";
const SERVER_KEY: &str = "secrets/server_key.pem";

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("{} was not written by the simulated gateway; choose an empty folder", .0.display())]
    NotOurs(PathBuf),
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("no random bytes from the system")]
    NoRandomness,
    #[error("{path}: {cause}")]
    File { path: PathBuf, cause: io::Error },
    #[error("the keys and certificates do not fit together: {0}")]
    Tls(#[from] rustls::Error),
    #[error("not a PEM file: {0}")]
    Pem(#[from] rustls::pki_types::pem::Error),
    #[error("the keys of API v3 cannot be used: {0}")]
    Keys(#[from] KeysError),
    #[error("the authority's certificate cannot verify clients: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

/// Everything the two sides need to recognize each other.
#[derive(Clone)]
pub struct Identity {
    authority: String,
    server_certificate: String,
    server_key: String,
    client_certificate: String,
    client_key: String,
    api_key: String,
    /// For API v3, if it is spoken.
    v3: Option<PlatformKeys>,
}

/// Which version of its API a configuration names.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Api {
    #[default]
    V2,
    V3,
    /// API v3 without a public key: platform certificates, downloaded.
    V3Certificates,
}

impl Identity {
    /// A new one, in memory. The authority's own key is dropped at once.
    pub fn generate() -> Result<Self, IdentityError> {
        let mut params = named("paytill simulator authority", Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        let mut params = named("paytill simulator", names)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let server_key = KeyPair::generate()?;
        let server = params.signed_by(&server_key, &authority)?;

        let mut params = named(MCH_ID, Vec::new())?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let client_key = KeyPair::generate()?;
        let client = params.signed_by(&client_key, &authority)?;

        Ok(Self {
            authority: authority.pem(),
            server_certificate: server.pem(),
            server_key: server_key.serialize_pem(),
            client_certificate: client.pem(),
            client_key: client_key.serialize_pem(),
            api_key: random_key()?,
            v3: None,
        })
    }

    /// The same with keys for API v3, new ones if it has none. RSA keys take their time.
    pub fn with_v3(mut self) -> Result<Self, IdentityError> {
        if self.v3.is_none() {
            self.v3 = Some(PlatformKeys::generate(MCH_ID)?);
        }
        Ok(self)
    }

    /// The same with these keys for API v3.
    #[must_use]
    pub fn with_v3_keys(self, keys: PlatformKeys) -> Self {
        Self { v3: Some(keys), ..self }
    }

    /// The keys of API v3.
    pub fn v3_keys(&self) -> Option<&PlatformKeys> {
        self.v3.as_ref()
    }

    /// A gateway with empty books for the merchant it belongs to.
    pub fn bank(&self, script: Script, seed: u64, started: Timestamp) -> Bank {
        let bank = Bank::new(self.account(), script, seed, started);
        match &self.v3 {
            Some(keys) => bank.with_v3(keys.clone()),
            None => bank,
        }
    }

    /// The one stored in a folder, or a new one if the folder holds none.
    pub fn load_or_generate(folder: &Path) -> Result<Self, IdentityError> {
        if folder.join(SERVER_KEY).exists() { Self::load(folder) } else { Self::generate() }
    }

    /// The one that [`Identity::write`] stored there.
    pub fn load(folder: &Path) -> Result<Self, IdentityError> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|cause| IdentityError::File { path, cause })
        };
        let identity = Self {
            authority: read(AUTHORITY)?,
            server_certificate: read(SERVER_CERT)?,
            server_key: read(SERVER_KEY)?,
            client_certificate: read(CLIENT_CERT)?,
            client_key: read(CLIENT_KEY)?,
            api_key: read(API_KEY)?.trim().to_owned(),
            v3: folder.join(v3::MARK).exists().then(|| PlatformKeys::load(read)).transpose()?,
        };
        // A bad identity should fail here and not at the first connection.
        identity.tls()?;
        Ok(identity)
    }

    /// Writes it into a folder, with a configuration that points a till at `address`. Files of an
    /// earlier identity are replaced, those of a real till never. Secrets and folders are for their
    /// owner only.
    pub fn write(&self, folder: &Path, address: SocketAddr) -> Result<(), IdentityError> {
        self.write_for(Api::V2, folder, address)
    }

    /// The same for a till that speaks this version.
    pub fn write_for(
        &self,
        api: Api,
        folder: &Path,
        address: SocketAddr,
    ) -> Result<(), IdentityError> {
        refuse_what_is_not_ours(folder)?;
        for folder in [folder.to_owned(), folder.join("secrets")] {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
            made.map_err(|cause| IdentityError::File { path: folder, cause })?;
        }
        let api_key = format!("{}\n", self.api_key);
        let files = [
            (API_KEY, api_key.as_str(), 0o600),
            (CLIENT_CERT, &self.client_certificate, 0o600),
            (CLIENT_KEY, &self.client_key, 0o600),
            (SERVER_CERT, &self.server_certificate, 0o600),
            (SERVER_KEY, &self.server_key, 0o600),
            (AUTHORITY, &self.authority, 0o644),
            (CONFIG, &configuration(address, api, self.v3.as_ref()), 0o644),
        ];
        let v3 = self.v3.as_ref().map(PlatformKeys::files).unwrap_or_default();
        let v3 = v3.iter().map(|(name, text)| (*name, text.as_str(), 0o600));
        for (name, text, mode) in v3.chain(files) {
            let path = folder.join(name);
            replace(&path, text, mode).map_err(|cause| IdentityError::File { path, cause })?;
        }
        Ok(())
    }

    /// The merchant it belongs to.
    pub fn account(&self) -> Account {
        Account { merchant: merchant(), other_app_id: None, api_key: self.api_key.clone() }
    }

    /// The authority's certificate, PEM: the only root a till needs to trust.
    pub fn authority_pem(&self) -> &str {
        &self.authority
    }

    /// The merchant's certificate, PEM.
    pub fn client_certificate_pem(&self) -> &str {
        &self.client_certificate
    }

    /// The merchant's private key, PEM.
    pub fn client_key_pem(&self) -> &str {
        &self.client_key
    }

    /// The `APIv2` key.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The server's side of TLS: 1.2 and 1.3, client certificates optional but verified.
    pub(super) fn tls(&self) -> Result<rustls::ServerConfig, IdentityError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.as_bytes())?)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
            .allow_unauthenticated()
            .build()?;
        let certificate = CertificateDer::from_pem_slice(self.server_certificate.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(self.server_key.as_bytes())?;
        Ok(rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate], key)?)
    }
}

/// [`APP_ID`] and [`MCH_ID`], without a service provider.
pub fn merchant() -> Merchant {
    Merchant {
        app_id: APP_ID.to_owned(),
        mch_id: MCH_ID.to_owned(),
        sub_app_id: String::new(),
        sub_mch_id: String::new(),
    }
}

fn named(name: &str, subjects: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(subjects)?;
    params.distinguished_name.push(DnType::CommonName, name);
    // Years on either side of the present, whatever the clock says.
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2049, 12, 31);
    Ok(params)
}

/// 32 characters, as the merchant platform requires.
fn random_key() -> Result<String, IdentityError> {
    let mut bytes = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| IdentityError::NoRandomness)?;
    let mut key = String::new();
    for byte in bytes {
        let _ = write!(key, "{byte:02x}");
    }
    Ok(key)
}

/// A folder whose configuration or secrets were not written here may belong to a real till.
fn refuse_what_is_not_ours(folder: &Path) -> Result<(), IdentityError> {
    let ours = fs::read_to_string(folder.join(CONFIG)).is_ok_and(|text| text.starts_with(OURS));
    match [CONFIG, API_KEY, CLIENT_CERT, CLIENT_KEY]
        .into_iter()
        .chain(v3::TILLS)
        .find(|name| folder.join(name).exists())
    {
        Some(name) if !ours => Err(IdentityError::NotOurs(folder.join(name))),
        Some(_) | None => Ok(()),
    }
}

fn configuration(address: SocketAddr, api: Api, keys: Option<&PlatformKeys>) -> String {
    let host = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let base_url = format!("https://{}", SocketAddr::new(host, address.port()));
    let ids = format!("app_id = \"{APP_ID}\"\nmch_id = \"{MCH_ID}\"\n");
    let (kind, files) = match (api, keys) {
        (Api::V3, Some(keys)) => ("wechat-v3", keys.settings(true)),
        (Api::V3Certificates, Some(keys)) => ("wechat-v3", keys.settings(false)),
        (Api::V2 | Api::V3 | Api::V3Certificates, _) => {
            let files = format!(
                "api_key_file = \"{API_KEY}\"\n\
                 client_cert_file = \"{CLIENT_CERT}\"\n\
                 client_key_file = \"{CLIENT_KEY}\"\n"
            );
            ("wechat-v2", files)
        }
    };
    format!(
        "{OURS}\n\
         [store]\nname = \"Training Store\"\n\n\
         [till]\nid = \"T01\"\n\n\
         [gateway]\nkind = \"{kind}\"\n\n\
         [gateway.{kind}]\n\
         base_url = \"{base_url}\"\n\
         {ids}{files}\
         ca_file = \"{AUTHORITY}\"\n\n\
         # Beside this file: what is simulated never gets into real books.\n\
         [journal]\npath = \"journal.sqlite\"\n"
    )
}

/// Replaces a file. Never follows a link there, and never leaves it readable by others meanwhile.
fn replace(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let fresh = path.with_extension("new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&fresh)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(text.as_bytes())?;
    fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8443);

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_files_of_a_real_till_are_never_replaced() {
        let identity = Identity::generate().unwrap();
        for name in [CONFIG, API_KEY, CLIENT_KEY] {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("secrets")).unwrap();
            fs::write(folder.path().join(name), "of a real till").unwrap();
            let refused = identity.write(folder.path(), ADDRESS);
            assert!(matches!(refused, Err(IdentityError::NotOurs(_))), "{name}");
            let kept = fs::read_to_string(folder.path().join(name)).unwrap();
            assert_eq!(kept, "of a real till");
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("till");
        let identity = Identity::load_or_generate(&folder).unwrap();
        identity.write(&folder, ADDRESS).unwrap();
        let again = Identity::load_or_generate(&folder).unwrap();
        assert_eq!(again.api_key(), identity.api_key());
        assert_eq!(again.authority_pem(), identity.authority_pem());
        again.write(&folder, ADDRESS).unwrap();
        for name in [API_KEY, CLIENT_CERT, CLIENT_KEY, SERVER_KEY] {
            assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
        }
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("secrets")), 0o700);
    }

    #[test]
    fn the_configuration_names_an_address_that_can_be_dialled() {
        let config: toml::Table = configuration(ADDRESS, Api::V2, None).parse().unwrap();
        let gateway = &config["gateway"]["wechat-v2"];
        assert_eq!(gateway["base_url"].as_str(), Some("https://127.0.0.1:8443"));
        assert_eq!(gateway["mch_id"].as_str(), Some(MCH_ID));
        let v6 = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 1);
        assert!(configuration(v6, Api::V2, None).contains("https://[::1]:1"));
    }

    #[test]
    fn keys_of_api_v3_are_written_read_back_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::generate().unwrap().with_v3().unwrap();
        let named = |api| {
            identity.write_for(api, folder.path(), ADDRESS).unwrap();
            let text = fs::read_to_string(folder.path().join(CONFIG)).unwrap();
            let config: toml::Table = text.parse().unwrap();
            let kind = config["gateway"]["kind"].as_str().unwrap().to_owned();
            let section = config["gateway"][&kind].as_table().unwrap().clone();
            for (_, file) in section.iter().filter(|(key, _)| key.ends_with("_file")) {
                let file = file.as_str().unwrap();
                assert!(file.is_empty() || folder.path().join(file).exists(), "{file}");
            }
            (kind, section)
        };
        assert_eq!(named(Api::V2).0, "wechat-v2");
        let (kind, section) = named(Api::V3);
        let keys = identity.v3_keys().unwrap();
        assert_eq!(kind, "wechat-v3");
        assert_eq!(section["public_key_id"].as_str(), Some(keys.public_key_id()));
        assert_eq!(named(Api::V3Certificates).1["public_key_file"].as_str(), Some(""));
        let again = Identity::load(folder.path()).unwrap();
        let again = again.v3_keys().unwrap();
        assert_eq!(again.files(), keys.files());
        assert_eq!(again.merchant_serial().len(), 40);
        for (name, _) in keys.files() {
            assert_eq!(mode(&folder.path().join(name)), 0o600, "{name}");
        }
    }

    #[test]
    fn half_an_identity_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::generate().unwrap();
        identity.write(folder.path(), ADDRESS).unwrap();
        fs::remove_file(folder.path().join(CLIENT_KEY)).unwrap();
        let error = Identity::load_or_generate(folder.path()).err().unwrap();
        assert!(error.to_string().contains(CLIENT_KEY), "{error}");
    }

    #[test]
    fn keys_are_32_characters_and_differ() {
        let (one, other) = (random_key().unwrap(), random_key().unwrap());
        assert_eq!(one.len(), 32);
        assert_ne!(one, other);
    }
}
