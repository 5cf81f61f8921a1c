//! The door that is open to the public: where it is, and who ends TLS there.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use paytill_core::both;
use paytill_host::config::ConfigError;
use paytill_host::config::file::Section;

use super::address;

/// Who ends TLS on the web's door.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WebTls {
    /// This program, with the certificate that tills meet, too.
    Own,
    /// A proxy in front of it, on this machine or in a network of its own: plain HTTP comes in.
    Proxy,
}

/// The web's door. It is the only one that the public need ever reach.
#[derive(Clone, Copy, Debug)]
pub struct Web {
    pub address: SocketAddr,
    pub tls: WebTls,
}

/// Without an address: on loopback, at the port after the tills'.
pub(super) fn web(listen: &Section<'_>, tills: SocketAddr) -> Result<Web, ConfigError> {
    let port = match tills.port() {
        0 => 0,
        port => port.checked_add(1).unwrap_or(port - 1),
    };
    let default = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let words = [("own", WebTls::Own), ("proxy", WebTls::Proxy)];
    Ok(Web {
        address: address(listen, "web")?.unwrap_or(default),
        tls: listen.word("tls", &words, WebTls::Own)?,
    })
}

/// The merchant's own system that is told of what happens.
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    pub url: String,
    /// What both sides sign with.
    pub secret_file: PathBuf,
    /// Trust these roots only.
    pub ca_file: Option<PathBuf>,
}

pub(super) fn webhook(
    section: &Section<'_>,
    folder: &Path,
) -> Result<Option<WebhookConfig>, ConfigError> {
    let Some(url) = section.text("url", 500)?.filter(|url| !url.is_empty()) else {
        return Ok(None);
    };
    if !may_be_told(&url) {
        let sentence = both!(
            "must be an address such as \"https://shop.example.com/paytill\", without a name, a \
             password or #; http:// only to this machine",
            "应类似 \"https://shop.example.com/paytill\"，不含用户名、密码或 #；http:// 仅限本机"
        );
        return Err(section.wrong("url", &sentence));
    }
    let Some(secret_file) = section.path("secret_file", folder)? else {
        let sentence = both!(
            "is missing: the file with the secret that both sides sign with",
            "没有设置：请指定双方签名所用密钥的文件"
        );
        return Err(section.wrong("secret_file", &sentence));
    };
    Ok(Some(WebhookConfig { url, secret_file, ca_file: section.path("ca_file", folder)? }))
}

/// What is told is nobody else's business: in plain text it does not leave this machine.
fn may_be_told(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let host = authority.host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_here =
        bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    !host.is_empty()
        && !authority.as_str().contains('@')
        && !url.contains('#')
        && (scheme == "https" || scheme == "http" && is_here)
}

#[cfg(test)]
mod tests {
    use paytill_core::language::Language;
    use paytill_host::config::file::Document;

    use super::*;

    const TILLS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8444);

    fn listens(text: &str) -> Result<Web, ConfigError> {
        web(&Document::parse("backend.toml", text)?.section("listen"), TILLS)
    }

    fn told(text: &str) -> Result<Option<WebhookConfig>, ConfigError> {
        let document = Document::parse("backend.toml", text)?;
        webhook(&document.section("webhook"), Path::new("/etc/paytill"))
    }

    #[test]
    fn the_public_s_door_is_on_this_machine_unless_it_is_said_where() {
        let web = listens("").unwrap();
        assert_eq!((web.address.to_string().as_str(), web.tls), ("127.0.0.1:8445", WebTls::Own));
        let web = listens("[listen]\nweb = \"0.0.0.0:443\"\ntls = \"proxy\"").unwrap();
        assert_eq!((web.address.to_string().as_str(), web.tls), ("0.0.0.0:443", WebTls::Proxy));
        let error = listens("[listen]\ntls = \"prox\"").unwrap_err();
        assert!(error.text().in_language(Language::English).contains("tls"), "{error:?}");
    }

    #[test]
    fn a_webhook_has_an_address_and_a_secret() {
        assert!(told("").unwrap().is_none() && told("[webhook]\nurl = \"\"").unwrap().is_none());
        let url = "[webhook]\nurl = \"https://shop.example.com/paytill\"\n";
        let error = told(url).unwrap_err();
        assert!(error.text().in_language(Language::English).contains("secret_file"), "{error:?}");
        let hook = told(&format!("{url}secret_file = \"hook.key\"")).unwrap().unwrap();
        assert_eq!(hook.secret_file, Path::new("/etc/paytill/hook.key"));
        assert!(told("[webhook]\nurl = \"http://shop.example.com/\"").is_err());
    }

    #[test]
    fn plain_text_stays_on_this_machine() {
        for (url, may) in [
            ("https://shop.example.com/paytill?from=till", true),
            ("https://shop.example.com:8443", true),
            ("http://127.0.0.1:8080/hook", true),
            ("http://[::1]:8080/hook", true),
            ("http://localhost/hook", true),
            ("http://127.0.0.1.example.com/hook", false),
            ("http://192.0.2.7/hook", false),
            ("http://shop.example.com/hook", false),
            ("https://name:word@shop.example.com/", false),
            ("https://shop.example.com/#a", false),
            ("shop.example.com/hook", false),
            ("ftp://shop.example.com/", false),
            ("/hook", false),
        ] {
            assert_eq!(may_be_told(url), may, "{url}");
        }
    }
}
