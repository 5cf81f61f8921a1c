//! The trust in the gateway: which roots, the certificate that we show, and why TLS failed.
//!
//! Roots come from `ca_file` or from the system's own files, never from the environment: who sets a
//! variable must not decide whom the till sends its payment codes to.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WantsClientCert, WebPkiServerVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct,
    OtherError, RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use super::RouteError;
use crate::certificate::Names;
use paytill_core::clean::clean;
use paytill_core::clock::Timestamp;
use paytill_core::payment::{Reason, TillCause};

/// Where systems keep their roots, each in one file.
const BUNDLES: [&str; 9] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ssl/certs/ca-bundle.crt",
    "/etc/pki/tls/cacert.pem",
    "/etc/ssl/cert.pem",
    "/usr/share/ca-certificates/ca-bundle.crt",
];
/// How much of a name is told, in cells.
const NAME_CELLS: usize = 60;

/// The roots of a PEM text, or of the system. Those that cannot be used are passed over, as there
/// are some in most bundles; one at least must be left.
pub(super) fn roots(ca_pem: Option<&[u8]>) -> Result<RootCertStore, RouteError> {
    let store = match ca_pem {
        Some(pem) => of_pem(pem),
        None => of_system(&BUNDLES.map(Path::new)),
    };
    if store.is_empty() { Err(RouteError::NoRoots { named: ca_pem.is_some() }) } else { Ok(store) }
}

/// The roots in the first of these files that has any.
fn of_system(bundles: &[&Path]) -> RootCertStore {
    let stores = bundles.iter().filter_map(|bundle| std::fs::read(bundle).ok());
    let mut stores = stores.map(|pem| of_pem(&pem));
    stores.find(|store| !store.is_empty()).unwrap_or_else(RootCertStore::empty)
}

fn of_pem(pem: &[u8]) -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).filter_map(Result::ok));
    store
}

/// TLS 1.2 and 1.3 for a client that trusts these roots, and shows a certificate if it is given
/// one, with its key, in PEM.
pub(super) fn config(
    roots: RootCertStore,
    identity_pem: Option<&[u8]>,
) -> Result<ClientConfig, RouteError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| RouteError::Identity(error.to_string()))?;
    let builder = verified_by(Arc::new(Explaining(verifier)), provider)?;
    let Some(pem) = identity_pem else { return Ok(builder.with_no_client_auth()) };
    let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| RouteError::Identity(error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(pem);
    let key = key.map_err(|error| RouteError::Identity(error.to_string()))?;
    builder.with_client_auth_cert(chain, key).map_err(|error| identity(&error))
}

/// For a client that takes any certificate, as long as the other side has its key.
pub(super) fn of_anybody() -> Result<ClientConfig, RouteError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let anybody = Anybody(provider.signature_verification_algorithms);
    Ok(verified_by(Arc::new(anybody), provider)?.with_no_client_auth())
}

fn verified_by(
    verifier: Arc<dyn ServerCertVerifier>,
    provider: Arc<CryptoProvider>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, RouteError> {
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| identity(&error))?;
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier))
}

/// Trusts whoever it is.
#[derive(Debug)]
struct Anybody(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

fn identity(error: &rustls::Error) -> RouteError {
    RouteError::Identity(error.to_string())
}

/// The usual verifier. Where it refuses, the refusal says what people need to know of it.
#[derive(Debug)]
struct Explaining(Arc<WebPkiServerVerifier>);

/// Why a certificate was refused.
#[derive(Debug)]
struct Refusal(Reason);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.code(), self.0.text)
    }
}

impl std::error::Error for Refusal {}

impl ServerCertVerifier for Explaining {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified =
            self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.map_err(|error| match error {
            rustls::Error::InvalidCertificate(complaint) => {
                let refusal = Refusal(refused(&complaint, end_entity));
                CertificateError::Other(OtherError(Arc::new(refusal))).into()
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

fn refused(complaint: &CertificateError, certificate: &CertificateDer<'_>) -> Reason {
    use CertificateError as Complaint;
    match complaint {
        Complaint::NotValidYetContext { time, not_before } => {
            let dates = format!("{} < {}", day(*time), day(*not_before));
            Reason::quoting(TillCause::ClockBehind, dates)
        }
        Complaint::NotValidYet => TillCause::ClockBehind.into(),
        Complaint::ExpiredContext { time, not_after } => {
            let dates = format!("{} > {}", day(*time), day(*not_after));
            Reason::quoting(TillCause::CertificateExpired, dates)
        }
        Complaint::Expired => TillCause::CertificateExpired.into(),
        Complaint::NotValidForNameContext { presented, .. } => {
            let names = presented.iter().map(|name| plain(name)).collect::<Vec<_>>().join(", ");
            Reason::quoting(TillCause::WrongHostName, clean(&names, NAME_CELLS))
        }
        Complaint::NotValidForName => TillCause::WrongHostName.into(),
        // The last two: a root of its own, shown as it is, or one that only has a known name.
        Complaint::UnknownIssuer | Complaint::Other(_) | Complaint::BadSignature => {
            let issuer = Names::of(certificate).issuer.unwrap_or_default();
            Reason::quoting(TillCause::UnknownRoot, clean(&issuer, NAME_CELLS))
        }
        other => Reason::quoting(TillCause::Certificate, clean(&format!("{other:?}"), NAME_CELLS)),
    }
}

/// `example.com` of `DnsName("example.com")`.
fn plain(name: &str) -> &str {
    name.split('"').nth(1).unwrap_or(name)
}

fn day(at: UnixTime) -> String {
    let at = i64::try_from(at.as_secs()).ok().and_then(|seconds| seconds.checked_mul(1000));
    let mut day = at.map_or_else(String::new, |at| Timestamp(at).to_rfc3339());
    day.truncate("2026-11-29".len());
    day
}

/// Why TLS failed, if that is what is behind an error. `shows_certificate` says whether we showed
/// one.
pub(super) fn cause(
    error: &(dyn std::error::Error + 'static),
    shows_certificate: bool,
) -> Option<Reason> {
    let mut source = Some(error);
    while let Some(error) = source {
        if let Some(error) = tls_error(error) {
            return Some(reason(error, shows_certificate));
        }
        source = error.source();
    }
    None
}

/// The chain of sources skips the error inside an `io::Error`, which may hold yet another one.
fn tls_error<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e rustls::Error> {
    error.downcast_ref::<rustls::Error>().or_else(|| {
        tls_error(error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref)?)
    })
}

fn reason(error: &rustls::Error, shows_certificate: bool) -> Reason {
    use AlertDescription as Alert;
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(other))) => {
            match other.downcast_ref::<Refusal>() {
                Some(Refusal(reason)) => reason.clone(),
                None => TillCause::Certificate.into(),
            }
        }
        rustls::Error::InvalidMessage(_) => TillCause::PlainHttp.into(),
        rustls::Error::AlertReceived(
            Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::CertificateRequired
            | Alert::DecryptError,
        ) if shows_certificate => TillCause::OwnCertificate.into(),
        other => Reason::quoting(TillCause::Certificate, clean(&other.to_string(), NAME_CELLS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_roots_are_those_of_the_first_file_that_has_any() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let root = || rcgen::generate_simple_self_signed(["root".to_owned()]).unwrap().cert.pem();
        let broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        let [gone, empty] = [folder.path().join("gone"), file("empty", "no roots")];
        let mixed = file("mixed", &format!("{}{broken}{}", root(), root()));
        let other = file("other", &root());
        assert_eq!(of_system(&[&gone, &empty, &mixed, &other]).len(), 2);
        assert!(of_system(&[&gone, &empty]).is_empty());
        assert!(matches!(roots(Some(b"none")), Err(RouteError::NoRoots { named: true })));
    }
}
