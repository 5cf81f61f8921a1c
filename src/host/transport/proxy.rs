//! What a proxy says as it refuses a connection, which the HTTP stack keeps to itself.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use zeroize::Zeroizing;

use paytill_core::clean::clean;

/// How long it may take to say how it refuses.
const MAY_TAKE: Duration = Duration::from_secs(3);
/// How long its first line may be, in bytes, and how much of it is shown, in cells.
const FIRST_LINE: usize = 4096;
const SHOWN_CELLS: usize = 60;

/// A proxy and the `name:password` it wants, if any.
pub(super) struct Proxy {
    url: reqwest::Url,
    login: Option<SecretString>,
}

impl Proxy {
    pub(super) fn new(url: &str, login: Option<SecretString>) -> Option<Self> {
        Some(Self { url: reqwest::Url::parse(url).ok()?, login })
    }

    /// Asks once more for a connection to a host: the first line with which it refuses, such as
    /// `HTTP 403 Forbidden`. None if it lets us through now, or says nothing of use in time.
    pub(super) async fn refusal(&self, host: &str) -> Option<String> {
        tokio::time::timeout(MAY_TAKE, self.first_line(host)).await.ok().flatten()
    }

    async fn first_line(&self, host: &str) -> Option<String> {
        let host = reqwest::Url::parse(host).ok()?;
        let target = format!("{}:{}", host.host_str()?, host.port_or_known_default()?);
        let name = self.url.host_str()?.trim_matches(['[', ']']);
        let address = (name, self.url.port_or_known_default()?);
        let mut stream = tokio::net::TcpStream::connect(address).await.ok()?;
        let login = Zeroizing::new(self.login.as_ref().map_or_else(String::new, |login| {
            let login = Zeroizing::new(BASE64_STANDARD.encode(login.expose_secret()));
            format!("Proxy-Authorization: Basic {}\r\n", *login)
        }));
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{}\r\n", *login);
        stream.write_all(Zeroizing::new(request).as_bytes()).await.ok()?;
        let mut head = Vec::new();
        while !head.contains(&b'\n') && head.len() < FIRST_LINE {
            if stream.read_buf(&mut head).await.ok()? == 0 {
                break;
            }
        }
        let head = String::from_utf8_lossy(&head);
        let status = head.lines().next()?.strip_prefix("HTTP/1.")?.split_once(' ')?.1;
        (!status.starts_with('2')).then(|| clean(&format!("HTTP {status}"), SHOWN_CELLS))
    }
}
