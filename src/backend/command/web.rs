//! What the serving program needs for the web's door and the merchant's systems.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;

use paytill_core::both;
use paytill_core::gateway::backend::signed::PublicKey;
use paytill_host::config::secret;
use paytill_host::gateway::Version;
use paytill_host::random;

use super::open::{Books, no_randomness, not_listening, roots};
use crate::config::{WebTls, WebhookConfig};
use crate::exit::{Exit, Failure};
use crate::files::Tls;
use crate::pages::password::Cost;
use crate::pages::{Pages, PagesParts};
use crate::routes::notify::path;
use crate::store::Store;
use crate::work::Work;
use crate::work::outbox::Webhook;

/// Under this name the token in the address of notifications is kept.
const TOKEN: &str = "notify_token";
/// A shorter secret could be guessed.
const SHORTEST_SECRET: usize = 24;

/// The web's door before anybody is let in, and what the gateway is told of it.
pub(super) struct Entrance {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) tls: Option<Arc<rustls::ServerConfig>>,
    pub(super) token: String,
    is_plain: bool,
}

impl Entrance {
    /// Listens, so that the address is known before the gateway is told.
    pub(super) async fn open(books: &Books<'_>, store: &Store, tls: &Tls) -> Result<Self, Failure> {
        let web = books.config.web;
        let failed = |error: std::io::Error| not_listening(web.address, &error);
        let listener = TcpListener::bind(web.address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let fresh = random::nonce().ok_or_else(no_randomness)?;
        let token = store.kept_word(&books.merchant(), TOKEN, fresh).await?;
        let is_plain = web.tls == WebTls::Proxy;
        let tls = (!is_plain).then(|| Arc::clone(&tls.config));
        Ok(Self { listener, address, tls, token, is_plain })
    }

    /// Where a gateway in the world delivers, if the world can reach us.
    pub(super) fn public(&self, url: Option<&str>, version: Version) -> Option<String> {
        url.map(|url| format!("{url}{}", path(version, &self.token)))
    }

    /// Where a gateway on this machine delivers.
    pub(super) fn local(&self) -> String {
        format!("{}{}", self.here(), path(Version::V2, &self.token))
    }

    /// How this machine reaches it.
    pub(super) fn here(&self) -> String {
        let scheme = if self.is_plain { "http" } else { "https" };
        let here = if self.address.ip().is_unspecified() {
            SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.address.port())
        } else {
            self.address
        };
        format!("{scheme}://{here}")
    }
}

/// The owner's page.
pub(super) fn pages(books: &Books<'_>, work: &Arc<Work>, key: PublicKey) -> Arc<Pages> {
    Pages::new(PagesParts {
        work: Arc::clone(work),
        zone: books.config.time_zone.clone(),
        key,
        is_simulated: books.config.gateway.is_none(),
        is_behind_proxy: books.config.web.tls == WebTls::Proxy,
        cost: Cost::default(),
    })
}

/// The webhook that is configured, with its secret.
pub(super) fn webhook(config: Option<&WebhookConfig>) -> Result<Option<Webhook>, Failure> {
    let Some(config) = config else { return Ok(None) };
    let wrong = |text| Failure::new(Exit::Configuration, text);
    let secret = secret::own_file(&config.secret_file).map_err(|fault| wrong(fault.text()))?;
    let secret = secret.trim_ascii();
    if secret.len() < SHORTEST_SECRET {
        let file = secret::shown(&config.secret_file);
        return Err(wrong(both!(
            "{file} holds no secret of at least {SHORTEST_SECRET} characters; make one: \
             openssl rand -hex 32",
            "{file} 中没有至少 {SHORTEST_SECRET} 个字符的密钥；可用 openssl rand -hex 32 生成"
        )));
    }
    let ca = roots(config.ca_file.as_deref())?;
    let webhook = Webhook::new(config.url.clone(), secret, ca.as_deref());
    webhook.map(Some).map_err(|error| wrong(error.text()))
}
