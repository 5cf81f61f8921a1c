//! The simulated gateway inside a program, over HTTPS on loopback: what is practised is then the same
//! path as with the real one, with the same client and the same certificates.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use paytill_core::clock::Millis;
use paytill_core::gateway::wechat::WechatV2;
use paytill_core::gateway::wechat::fields::SignType;
use paytill_host::clock::Clock;
use paytill_host::gateway::{Codec, OpenError, Opened};
use paytill_host::transport::{Route, Transport};

use super::identity::IdentityError;
use super::server::ServerError;
use super::{Identity, Script, Server};

const CONNECT_TIMEOUT: Millis = Millis::seconds(3);
const REQUEST_TIMEOUT: Millis = Millis::seconds(10);

/// Why there is no simulated gateway.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// A gateway in this process, and an account there that can be asked.
pub struct Embedded {
    /// It must live as long as anybody asks.
    pub server: Server,
    pub opened: Opened,
}

impl Embedded {
    /// Starts one with new keys on a free port. Payments by our code are told of at `notify_url`, if
    /// there is one: on this machine in plain text, too, elsewhere only to whoever a root of
    /// [`Server::trust_receivers_of`] vouches for.
    pub async fn start(
        script: Script,
        seed: u64,
        notify_url: Option<String>,
        clock: &Clock,
    ) -> Result<Self, EmbeddedError> {
        let keys = Identity::generate()?;
        let account = keys.account();
        let bank = keys.bank(script, seed, clock.wall());
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::start(loopback, &keys, bank, None, 1).await?;
        let identity_pem = format!("{}{}", keys.client_certificate_pem(), keys.client_key_pem());
        let route = Route {
            hosts: vec![format!("https://{}", server.local_addr())],
            identity_pem: identity_pem.into_bytes().into(),
            ca_pem: Some(keys.authority_pem().as_bytes().to_vec()),
            proxy: None,
            proxy_login: None,
            connect_timeout: CONNECT_TIMEOUT,
            request_timeout: REQUEST_TIMEOUT,
        };
        let codec = WechatV2::new(SignType::HmacSha256, account.api_key.clone().into());
        let opened = Opened {
            codec: Codec::V2(Arc::new(codec.notifying(notify_url.unwrap_or_default()))),
            transport: Transport::new(&route).map_err(OpenError::from)?,
            merchant: account.merchant,
            key: account.api_key.into(),
            client_ip: None,
            host: "simulator".to_owned(),
            renewal: None,
        };
        Ok(Self { server, opened })
    }
}
