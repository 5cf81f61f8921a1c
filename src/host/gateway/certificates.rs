//! The platform's certificates, with which answers of API v3 are verified: downloaded, and kept fresh.

use std::sync::Arc;
use std::time::Duration;

use paytill_core::gateway::wechat::WechatV3;
use paytill_core::gateway::wechat::v3::Certificate;
use paytill_core::gateway::wechat::v3::certificates::{self, NoCertificates};
use paytill_core::gateway::{Reply, Stamp};
use paytill_core::payment::Reason;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::WechatV3Config;
use crate::clock::Clock;
use crate::random::nonce;
use crate::transport::Transport;

/// Downloads the platform certificates; the codec believes them from then on. Why not is said in the
/// words of whoever was in the way.
pub async fn fetch(
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
pub struct KeysTried {
    /// Whether the `APIv3` key decrypts what is in it; `None` if there is nothing.
    pub fits: Option<bool>,
    /// Why the public key does not verify it.
    pub unverified: Option<Reason>,
}

/// Tries the `APIv3` key and the public key on the one answer that is signed and encrypted, and that can
/// be had without a payment.
pub async fn try_keys(
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
pub struct Renewal(JoinHandle<()>);

impl Renewal {
    /// The first download is waited for: without any, no answer can be believed.
    pub async fn start(
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
