//! The way to the gateway: hosts, roots, proxy and time-outs.

use std::net::IpAddr;
use std::path::PathBuf;

use paytill_core::both;
use paytill_core::clock::Millis;
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::reading::{Collected, Surroundings, timeouts, url};
use crate::config::ConfigError;
use crate::config::file::Section;
use crate::config::secret;
use crate::transport::Route;

/// The gateway in mainland China and its backup host (protocol 1.1).
const BASE_URL: &str = "https://api.mch.weixin.qq.com";
const BACKUP_URL: &str = "https://api2.mch.weixin.qq.com";
const ADDRESS_CELLS: usize = 64;

/// The way to the gateway, in either version.
#[derive(Clone, Debug)]
pub struct LineConfig {
    /// `https://host`, with a port unless it is 443, and nothing after it.
    pub base_url: String,
    /// Where to go if `base_url` gives no answer.
    pub backup_url: Option<String>,
    /// If set, only these roots are trusted.
    pub ca_pem: Option<Vec<u8>>,
    /// `None`: the local address of the connection to the gateway.
    pub client_ip: Option<IpAddr>,
    /// `http://host:port`.
    pub proxy: Option<String>,
    /// The proxy's `name:password`.
    pub proxy_login: Option<SecretString>,
    pub connect_timeout: Millis,
    pub request_timeout: Millis,
}

impl LineConfig {
    /// The route to it, with the certificate and key to show where one is asked for.
    pub(super) fn route(&self, identity_pem: Zeroizing<Vec<u8>>) -> Route {
        let hosts = [Some(self.base_url.clone()), self.backup_url.clone()];
        Route {
            hosts: hosts.into_iter().flatten().collect(),
            identity_pem,
            ca_pem: self.ca_pem.clone(),
            proxy: self.proxy.clone(),
            proxy_login: self.proxy_login.clone(),
            connect_timeout: self.connect_timeout,
            request_timeout: self.request_timeout,
        }
    }

    /// The preferred host, for people.
    pub(super) fn host(&self) -> String {
        self.base_url.trim_start_matches("https://").to_owned()
    }
}

/// The way to the gateway, before any file was read.
pub(super) struct Line {
    pub(super) base_url: Option<String>,
    backup_url: Option<String>,
    ca_file: Option<PathBuf>,
    client_ip: Option<IpAddr>,
    proxy: Option<String>,
    login_file: Option<PathBuf>,
    connect_timeout: Millis,
    request_timeout: Millis,
}

impl Line {
    pub(super) fn read(
        section: Section<'_>,
        around: &Surroundings<'_>,
    ) -> Result<Self, ConfigError> {
        let base_url = url(section, "base_url", "https", BASE_URL)?;
        // If another gateway is named, its requests must not go to the real one.
        let backup = if base_url.as_deref() == Some(BASE_URL) { BACKUP_URL } else { "" };
        let backup_url = url(section, "backup_url", "https", backup)?;
        let ca_file = section.path("ca_file", around.folder)?;
        let client_ip = match section.text("client_ip", ADDRESS_CELLS)?.as_deref() {
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
        let [connect_timeout, request_timeout] = timeouts(section)?;
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
    pub(super) fn complete(self, section: Section<'_>, each: &mut Collected) -> Option<LineConfig> {
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
