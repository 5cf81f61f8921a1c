//! Tells the merchant's own systems, by webhook. What there is to tell is in the outbox since the moment
//! it happened; nothing here can hold up a payment.
//!
//! Delivered at least once: the receiver knows a repeat by its id. The body is built when it is sent, so
//! that what arrives late is not out of date. How receivers are to read it stands in `webhooks.md`.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::task::JoinSet;

use paytill_core::clean::clean;
use paytill_core::clock::{Millis, Timestamp};
use paytill_core::order::OutTradeNo;
use paytill_host::transport::{RouteError, client_tls};

use super::Work;
use crate::desk;
use crate::store::{OutboxRow, StoreError, Told};

/// The waits before each attempt, in seconds: the gateway's own ladder for notifications.
const LADDER: [u64; 16] =
    [0, 15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600];
/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Whoever has taken a row is given up after so long. Its attempt has ended well before.
const LEASE: Millis = Millis::seconds(30);
/// How many are under way at once.
const AT_ONCE: usize = 4;
/// At most so long between two looks: another instance may have written something.
const LONGEST: Duration = Duration::from_secs(1);
/// How much of an error is kept, in cells.
const ERROR: usize = 120;
/// Of the form of the body: it changes only if members change their meaning.
const VERSION: u64 = 1;
/// What the list shows of a row that was told to nobody.
const NOBODY: &str = "no webhook was configured";

/// When an event is tried next that has been tried so often; `None`: not again.
pub fn next_try(tries: i64, now: Timestamp) -> Option<Timestamp> {
    let wait = usize::try_from(tries).ok().and_then(|tries| LADDER.get(tries))?;
    Some(now.after(Millis::seconds(*wait)))
}

/// Where and how the merchant's systems are told.
pub struct Webhook {
    url: String,
    secret: hmac::Key,
    client: reqwest::Client,
    patience: Duration,
}

impl Webhook {
    /// Prepares it; nothing is dialled. `ca_pem`: the only roots to trust, the system's if `None`.
    pub fn new(url: String, secret: &[u8], ca_pem: Option<&[u8]>) -> Result<Self, RouteError> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .pool_max_idle_per_host(AT_ONCE)
            .user_agent(concat!("paytill-backend/", env!("CARGO_PKG_VERSION")));
        if url.starts_with("https:") {
            builder = builder.https_only(true).tls_backend_preconfigured(client_tls(ca_pem)?);
        }
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        Ok(Self { url, secret, client: builder.build()?, patience: PATIENCE })
    }

    /// The same with another time for an attempt.
    #[cfg(test)]
    pub(crate) fn waiting(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// One attempt. Why not is in words for the list, and names neither address nor contents.
    async fn send(&self, id: &str, body: Vec<u8>, now: Timestamp) -> Result<(), String> {
        let at = now.0.div_euclid(1000).to_string();
        let request = self
            .client
            .post(&self.url)
            .timeout(self.patience)
            .header("content-type", "application/json")
            .header("paytill-id", id)
            .header("paytill-timestamp", &at)
            .header("paytill-signature", signature(&self.secret, id, &at, &body))
            .body(body);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(format!("HTTP {}", answer.status().as_u16())),
            Err(error) if error.is_timeout() => Err("no answer in time".to_owned()),
            Err(error) if error.is_connect() => Err("no connection".to_owned()),
            Err(error) => Err(clean(&error.without_url().to_string(), ERROR)),
        }
    }
}

fn signature(secret: &hmac::Key, id: &str, at: &str, body: &[u8]) -> String {
    let mut signing = hmac::Context::with_key(secret);
    for part in [id.as_bytes(), b".", at.as_bytes(), b".", body] {
        signing.update(part);
    }
    format!("v1,{}", STANDARD.encode(signing.sign().as_ref()))
}

/// Delivers what is in the outbox.
pub struct Outbox {
    work: Arc<Work>,
    /// Without one there is nobody to tell: what is due is put aside at once, so that a webhook that
    /// is configured one day is not flooded with the past. It can still be sent again by hand.
    webhook: Option<Arc<Webhook>>,
}

impl Outbox {
    /// Nothing is sent before [`Outbox::run`].
    pub fn new(work: Arc<Work>, webhook: Option<Webhook>) -> Self {
        Self { work, webhook: webhook.map(Arc::new) }
    }

    /// Delivers, for ever. What is under way when this is dropped is delivered again by whoever comes
    /// next.
    pub async fn run(self) {
        let Some(webhook) = &self.webhook else { return self.put_aside().await };
        let mut under_way = JoinSet::new();
        loop {
            while under_way.try_join_next().is_some() {}
            let pause = match self.look(webhook, &mut under_way).await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot be looked at");
                    LONGEST
                }
            };
            tokio::select! {
                () = self.work.told.notified() => {}
                () = tokio::time::sleep(pause) => {}
                Some(_) = under_way.join_next(), if !under_way.is_empty() => {}
            }
        }
    }

    /// As long as there is nobody to tell: in no hurry, and all at once.
    async fn put_aside(&self) {
        let (store, merchant) = (&self.work.parts.store, self.work.merchant());
        loop {
            if let Err(error) = store.put_aside(merchant, NOBODY, self.work.now()).await {
                tracing::error!(%error, "the outbox cannot be put aside");
            }
            tokio::time::sleep(LONGEST).await;
        }
    }

    /// Takes what is due, as far as there is room; how long there is nothing to do then.
    async fn look(
        &self,
        webhook: &Arc<Webhook>,
        under_way: &mut JoinSet<()>,
    ) -> Result<Duration, StoreError> {
        let room = AT_ONCE.saturating_sub(under_way.len());
        if room == 0 {
            return Ok(LONGEST);
        }
        let (store, merchant) = (&self.work.parts.store, self.work.merchant());
        let now = self.work.now();
        let limit = i64::try_from(room).unwrap_or(1);
        let taken = store.claim_outbox(merchant, (now, now.after(LEASE)), limit).await?;
        if taken.is_empty() {
            let next = store.next_outbox(merchant).await?;
            let wait = next.and_then(|at| u64::try_from(at.0.saturating_sub(now.0)).ok());
            return Ok(wait.map_or(LONGEST, Duration::from_millis).min(LONGEST));
        }
        for row in taken {
            let (work, webhook) = (Arc::clone(&self.work), Arc::clone(webhook));
            under_way.spawn(async move { deliver(&work, &webhook, row).await });
        }
        Ok(Duration::ZERO)
    }
}

async fn deliver(work: &Work, webhook: &Webhook, row: OutboxRow) {
    let told = match body(work, &row).await {
        Ok(None) => Told::Dead("it is not in the books".to_owned()),
        Ok(Some(body)) => {
            let sent = webhook.send(&id(&row), body, work.now()).await;
            ended(sent, row.tries, work.now())
        }
        Err(error) => {
            tracing::error!(%error, kind = row.kind, subject = row.subject, "not read");
            // The row is due again when its lease is over.
            return;
        }
    };
    let (kind, subject) = (row.kind.as_str(), row.subject.as_str());
    match &told {
        Told::Done => tracing::debug!(kind, subject, "told"),
        Told::Later(_, why) => tracing::warn!(kind, subject, why, "not told yet"),
        Told::Dead(why) => tracing::error!(kind, subject, why, "not told, and not tried again"),
    }
    let finished = work.parts.store.finish_outbox(work.merchant(), row, told, work.now()).await;
    if let Err(error) = finished {
        tracing::error!(%error, "not noted how a delivery has ended");
    }
}

/// What becomes of an event after an attempt.
fn ended(sent: Result<(), String>, tries: i64, now: Timestamp) -> Told {
    match sent {
        Ok(()) => Told::Done,
        Err(why) => match next_try(tries, now) {
            Some(at) => Told::Later(at, why),
            None => Told::Dead(why),
        },
    }
}

/// The same each time that an event is sent.
fn id(row: &OutboxRow) -> String {
    format!("{}:{}", row.kind, row.subject)
}

/// What is sent, as things stand now.
async fn body(work: &Work, row: &OutboxRow) -> Result<Option<Vec<u8>>, StoreError> {
    let (store, merchant) = (&work.parts.store, work.merchant());
    let is_refund = row.kind.starts_with("refund.");
    let number = if is_refund {
        store.of_refund(merchant, &row.subject).await?
    } else {
        OutTradeNo::try_from(row.subject.clone()).ok()
    };
    let Some(number) = number else { return Ok(None) };
    let key = work.key(&number);
    let Some(payment) = store.payment(key.clone()).await? else { return Ok(None) };
    let now = work.now();
    let mut body = json!({
        "id": id(row),
        "type": row.kind,
        "version": VERSION,
        "created_at": row.created_at.0,
        "merchant": merchant,
        "store": payment.store,
        "till": payment.till,
        "channel": payment.channel.word(),
        "payment": desk::told(&payment, now),
    });
    if is_refund {
        let refunds = store.refunds(key).await?;
        let refund = refunds.iter().find(|it| it.key.out_refund_no.as_str() == row.subject);
        let Some(refund) = refund else { return Ok(None) };
        body["refund"] = json!(desk::refund_told(&payment, refund, now));
    }
    Ok(Some(body.to_string().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    #[test]
    fn it_is_tried_for_a_day_and_then_given_up() {
        let waits: Vec<i64> =
            (0..).map_while(|tries| next_try(tries, NOW)).map(|at| (at.0 - NOW.0) / 1000).collect();
        assert_eq!(waits.len(), 16);
        assert_eq!(&waits[..7], &[0, 15, 15, 30, 180, 600, 1200]);
        assert_eq!(waits.iter().sum::<i64>(), 24 * 3600 + 4 * 60);
        assert_eq!((next_try(16, NOW), next_try(-1, NOW)), (None, None));
    }

    #[test]
    fn an_attempt_that_fails_is_repeated_until_the_last() {
        let failed = || Err("HTTP 500".to_owned());
        let later = NOW.after(Millis::seconds(15));
        assert_eq!(ended(failed(), 1, NOW), Told::Later(later, "HTTP 500".to_owned()));
        assert_eq!(ended(failed(), 16, NOW), Told::Dead("HTTP 500".to_owned()));
        assert_eq!(ended(Ok(()), 16, NOW), Told::Done);
    }

    #[test]
    fn a_signature_covers_id_time_and_body() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"0123456789abcdef0123456789abcdef");
        let right = signature(&key, "payment.paid:T01", "1800000000", b"{}");
        assert_eq!(right, "v1,BKNz3vmti6e3V8ysFER9mrRtbQz+K1h8E/QmO07JTzA=");
        for wrong in [
            signature(&key, "payment.paid:T02", "1800000000", b"{}"),
            signature(&key, "payment.paid:T01", "1800000001", b"{}"),
            signature(&key, "payment.paid:T01", "1800000000", b"{ }"),
        ] {
            assert_ne!(right, wrong);
        }
    }
}
