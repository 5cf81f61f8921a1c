//! The merchant's own backend as a till's gateway: it holds the keys of WeChat Pay, the till only its own.

use std::path::PathBuf;
use std::sync::Arc;

use paytill_host::transport::{Route, RouteError, Transport};
use secrecy::{ExposeSecret, SecretString};

use crate::clock::Millis;
use crate::gateway::backend::signed::{PublicKey, SigningKey};
use crate::gateway::backend::{Backend, WAIT};
use crate::order::{Merchant, TillId};
use crate::payment::Rules;

/// Where the backend is, and the keys with which each proves itself.
#[derive(Clone, Debug)]
pub struct BackendConfig {
    pub url: String,
    /// Where to go if `url` gives no answer.
    pub backup_url: Option<String>,
    /// The till's private key: Ed25519, as PEM.
    pub key_pem: SecretString,
    /// With which the backend signs.
    pub backend_key: PublicKey,
    pub till: TillId,
    pub merchant: Merchant,
    /// If set, only these roots are trusted.
    pub ca_pem: Option<Vec<u8>>,
    pub connect_timeout: Millis,
    pub request_timeout: Millis,
    /// How long a question may be held open.
    pub wait: Millis,
    /// How long codes of ours may be scanned.
    pub qr_lasts: Millis,
}

impl BackendConfig {
    /// What speaks to the backend. `None` cannot be: the key was checked when it was read.
    pub fn codec(&self) -> Option<Arc<Backend>> {
        let key = SigningKey::from_pem(self.key_pem.expose_secret().as_bytes())?;
        let codec = Backend::new(key, self.till.clone(), self.backend_key);
        Some(Arc::new(codec.waiting(self.wait).lasting(self.qr_lasts)))
    }

    /// The route to it.
    pub fn route(&self) -> Route {
        let hosts = [Some(self.url.clone()), self.backup_url.clone()];
        Route {
            hosts: hosts.into_iter().flatten().collect(),
            identity_pem: zeroize::Zeroizing::default(),
            ca_pem: self.ca_pem.clone(),
            proxy: None,
            proxy_login: None,
            connect_timeout: self.connect_timeout,
            request_timeout: self.request_timeout,
        }
    }

    /// What carries requests to it.
    pub fn transport(&self) -> Result<Transport, RouteError> {
        Transport::new(&self.route())
    }
}

/// How long a question may be held open: answers come well before anybody stops waiting for them.
pub(super) fn wait(rules: &Rules, request_timeout: Millis) -> Millis {
    let bounds = [rules.query_interval.0, rules.give_up_after.0 / 2, request_timeout.0 / 2];
    Millis(bounds.into_iter().fold(WAIT.0, u64::min))
}

/// The files that enrolment writes, whether the till uses a backend yet or not.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BackendFiles {
    /// Whether it is the till's gateway.
    pub is_used: bool,
    pub key: PathBuf,
    pub backend_key: PathBuf,
    /// `None`: the system's roots are trusted.
    pub ca: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_held_open_for_less_than_anybody_waits_for_it() {
        let held = |rules: &Rules, timeout| wait(rules, Millis(timeout)).0;
        let usual = Rules::default();
        assert_eq!(held(&usual, 10_000), 4_000);
        assert_eq!(held(&Rules { query_interval: Millis(100), ..usual }, 10_000), 100);
        assert_eq!(held(&Rules { give_up_after: Millis(500), ..usual }, 10_000), 250);
        assert_eq!(held(&usual, 1_000), 500);
    }
}
