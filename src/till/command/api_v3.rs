//! What a till needs beside the codec to speak API v3: the codec with its keys, the route, and
//! platform certificates that are downloaded and kept fresh.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Exit, Failure};
use crate::both;
use crate::config::WechatV3Config;
use crate::gateway::wechat::WechatV3;
use crate::gateway::wechat::v3::certificates::{self, NoCertificates};
use crate::gateway::wechat::v3::{Certificate, SigningKey, VerifyingKeys};
use crate::gateway::{Reply, Stamp};
use crate::payment::Reason;
use paytill_host::clock::Clock;
use paytill_host::random::nonce;
use paytill_host::transport::{Route, Transport};

/// What speaks to the configured gateway.
pub(super) fn codec(gateway: &WechatV3Config) -> Result<WechatV3, Failure> {
    use secrecy::ExposeSecret as _;
    let key = gateway.merchant_key_pem.expose_secret().as_bytes();
    let signing = SigningKey::new(&gateway.merchant_serial, key).ok_or_else(|| {
        let sentence = both!("the merchant's key cannot be used", "商户私钥无法使用");
        Failure::new(Exit::Configuration, sentence)
    })?;
    let mut verifying = VerifyingKeys::default();
    let id = gateway.public_key.as_ref().map(|(id, pem)| {
        verifying.add_public_key(id, pem);
        id.as_str()
    });
    let codec = WechatV3::new(signing, id, verifying);
    Ok(codec.notifying(gateway.notify_url.clone().unwrap_or_default()))
}

/// The route to the configured gateway. It asks for no certificate of ours.
pub(super) fn route(gateway: &WechatV3Config) -> Route {
    let line = &gateway.line;
    let hosts = [Some(line.base_url.clone()), line.backup_url.clone()];
    Route {
        hosts: hosts.into_iter().flatten().collect(),
        identity_pem: Vec::new().into(),
        ca_pem: line.ca_pem.clone(),
        proxy: line.proxy.clone(),
        proxy_login: line.proxy_login.clone(),
        connect_timeout: line.connect_timeout,
        request_timeout: line.request_timeout,
    }
}

/// Downloads the platform certificates; the codec believes them from then on. Why not is said in the
/// words of whoever was in the way.
pub(super) async fn fetch(
    codec: &WechatV3,
    gateway: &WechatV3Config,
    transport: &Transport,
    clock: &Clock,
) -> Result<Vec<Certificate>, NoCertificates> {
    let reply = download(codec, gateway, transport, clock).await?;
    let certificates = certificates::read(&reply, &gateway.api_v3_key, clock.wall())?;
    codec.replace_certificates(&certificates);
    Ok(certificates)
}

/// What an answer shows of the keys, to whoever verifies with a public key.
pub(super) struct KeysTried {
    /// Whether the `APIv3` key decrypts what is in it; `None` if there is nothing.
    pub(super) fits: Option<bool>,
    /// Why the public key does not verify it.
    pub(super) unverified: Option<Reason>,
}

/// Tries the `APIv3` key and the public key on the one answer that is signed and encrypted, and that can
/// be had without a payment.
pub(super) async fn try_keys(
    codec: &WechatV3,
    gateway: &WechatV3Config,
    transport: &Transport,
    clock: &Clock,
) -> Result<KeysTried, NoCertificates> {
    let reply = download(codec, gateway, transport, clock).await?;
    let fits = certificates::key_fits(&reply, &gateway.api_v3_key)?;
    Ok(KeysTried { fits, unverified: codec.check_signature(&reply, clock.wall()).err() })
}

async fn download(
    codec: &WechatV3,
    gateway: &WechatV3Config,
    transport: &Transport,
    clock: &Clock,
) -> Result<Reply, NoCertificates> {
    let unbelievable = |words: &str| NoCertificates::Unbelievable(words.to_owned());
    let nonce = nonce().ok_or_else(|| unbelievable("no_randomness"))?;
    let stamp = Stamp { time: clock.wall(), nonce };
    let outgoing = codec.encode_certificates(&gateway.merchant, &stamp);
    transport.ask(&outgoing, clock.uptime()).await.map_err(|failure| {
        let reason = failure.reason();
        let words = format!("{} {}", reason.code(), reason.text);
        unbelievable(words.trim_end())
    })
}

/// Downloads the certificates as often as they must be. It ends when this is dropped.
pub(super) struct Renewal(JoinHandle<()>);

impl Renewal {
    /// The first download is waited for: without any, no answer can be believed.
    pub(super) async fn start(
        codec: &Arc<WechatV3>,
        gateway: &WechatV3Config,
        transport: Transport,
        clock: &Clock,
    ) -> Self {
        let (codec, gateway, clock) = (Arc::clone(codec), gateway.clone(), clock.clone());
        let lack = Arc::new(Notify::new());
        let seen = Arc::clone(&lack);
        codec.when_lacking(move || seen.notify_one());
        let mut renewal = certificates::Renewal::default();
        let mut wait = ask(&mut renewal, &codec, &gateway, &transport, &clock).await;
        Self(tokio::spawn(async move {
            loop {
                let soonest = Instant::now() + Duration::from(certificates::Renewal::at_least());
                let lacks = async {
                    lack.notified().await;
                    sleep_until(soonest).await;
                };
                tokio::select! {
                    () = sleep(wait) => {}
                    () = lacks => {}
                }
                wait = ask(&mut renewal, &codec, &gateway, &transport, &clock).await;
            }
        }))
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks once, and says how long to wait before the next time.
async fn ask(
    renewal: &mut certificates::Renewal,
    codec: &WechatV3,
    gateway: &WechatV3Config,
    transport: &Transport,
    clock: &Clock,
) -> Duration {
    let wait = match fetch(codec, gateway, transport, clock).await {
        Ok(certificates) => renewal.renewed(&certificates, clock.wall()),
        Err(why) => {
            tracing::warn!(?why, "no platform certificates");
            renewal.failed()
        }
    };
    wait.into()
}
