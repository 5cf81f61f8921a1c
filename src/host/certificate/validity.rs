//! How long a certificate is valid.

use std::sync::Arc;
use std::time::Duration;

use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};

use paytill_core::clock::Timestamp;

/// The last second that a certificate can express, at the end of the year 9999.
const END_OF_TIME: u64 = 253_402_300_799;

/// The first and the last moment at which a certificate is valid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validity {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Validity {
    /// Of the first certificate in a PEM text; `None` if there is none or it cannot be read.
    ///
    /// Asks the verifier that TLS uses, at the beginning and at the end of time: it checks the
    /// dates first, and its refusal contains them.
    pub fn of_pem(pem: &[u8]) -> Option<Self> {
        let certificate = CertificateDer::from_pem_slice(pem).ok()?;
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).ok()?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()?;
        let complaint = |at: u64| {
            let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
            match verifier.verify_client_cert(&certificate, &[], at) {
                Err(rustls::Error::InvalidCertificate(complaint)) => Some(complaint),
                Err(_) | Ok(_) => None,
            }
        };
        let CertificateError::NotValidYetContext { not_before, .. } = complaint(0)? else {
            return None;
        };
        let CertificateError::ExpiredContext { not_after, .. } = complaint(END_OF_TIME)? else {
            return None;
        };
        Some(Self { from: timestamp(not_before)?, until: timestamp(not_after)? })
    }
}

fn timestamp(at: UnixTime) -> Option<Timestamp> {
    i64::try_from(at.as_secs()).ok()?.checked_mul(1000).map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificates_days_are_read_and_of_a_chain_the_first() {
        let key = rcgen::KeyPair::generate().unwrap();
        let pem = |year: i32, is_ca: bool| {
            let mut params = rcgen::CertificateParams::new(vec!["till.example".into()]).unwrap();
            params.not_before = rcgen::date_time_ymd(2026, 11, 22);
            params.not_after = rcgen::date_time_ymd(year, 11, 22);
            if is_ca {
                params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            }
            params.self_signed(&key).unwrap().pem()
        };
        for is_ca in [false, true] {
            let chain = format!("{}{}", pem(2031, is_ca), pem(2099, true));
            let validity = Validity::of_pem(chain.as_bytes()).unwrap();
            assert_eq!(validity.from.to_rfc3339(), "2026-11-22T00:00:00.000+00:00");
            assert_eq!(validity.until.to_rfc3339(), "2031-11-22T00:00:00.000+00:00");
        }
        let nonsense = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        for wrong in ["", "no certificate", nonsense] {
            assert_eq!(Validity::of_pem(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
