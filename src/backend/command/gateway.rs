//! The gateway that is configured, and the payments that are driven through it.

use std::sync::Arc;

use aws_lc_rs::hmac;

use paytill_core::both;
use paytill_host::gateway::{OpenError, Opened, Version, Wechat};
use paytill_host::random;
use paytill_simulator::{Embedded, Script, Server};

use super::open::{Books, no_randomness};
use super::web::Entrance;
use crate::config::Database;
use crate::desk::Desk;
use crate::exit::{Exit, Failure};
use crate::store::Store;
use crate::work::bills::Bills;
use crate::work::{Work, WorkParts};

/// The gateway that is configured, or the simulated one, reached as the real one is.
pub(super) async fn opened(
    books: &Books<'_>,
    entrance: Option<&Entrance>,
) -> Result<(Opened, Option<Server>), Failure> {
    if let Some(wechat) = &books.config.gateway {
        let mut wechat = wechat.clone();
        let version = match &wechat {
            Wechat::V2(_) => Version::V2,
            Wechat::V3(_) => Version::V3,
        };
        let url = books.config.public_url.as_deref();
        match entrance.map(|entrance| entrance.public(url, version)) {
            Some(Some(url)) => wechat = wechat.notifying(url),
            Some(None) => {
                tracing::warn!("no listen.public_url: the gateway tells nothing unasked");
            }
            None => {}
        }
        let opened = wechat.open(books.clock).await;
        let failed = |error: OpenError| Failure::new(Exit::Configuration, error.text());
        return Ok((opened.map_err(failed)?, None));
    }
    let script = Script { currency: books.config.currency, ..Script::default() };
    let seed = u64::from(std::process::id());
    let Embedded { server, opened } =
        Embedded::start(script, seed, entrance.map(Entrance::local), books.clock).await.map_err(
            |error| {
                let why = error.to_string();
                let sentence = both!(
                    "the simulated gateway cannot be started: {why}",
                    "无法启动模拟网关：{why}"
                );
                Failure::new(Exit::Fault, sentence)
            },
        )?;
    Ok((opened, Some(server)))
}

/// The payments in these books, and the gateway's bills.
pub(super) fn work(
    books: &Books<'_>,
    store: Store,
    opened: Opened,
    secret: &[u8],
) -> Result<(Arc<Work>, Arc<Bills>), Failure> {
    let codec = opened.codec.clone();
    let work = payments(books, store, opened, secret)?;
    let bills = Bills::new(Arc::clone(&work), codec, books.config.folder.join("bills"));
    Ok((work, bills))
}

fn payments(
    books: &Books<'_>,
    store: Store,
    opened: Opened,
    secret: &[u8],
) -> Result<Arc<Work>, Failure> {
    let request_timeout = opened.transport.longest_call();
    Ok(Work::new(WorkParts {
        store,
        gateway: opened.codec.gateway(),
        transport: opened.transport,
        renewal: opened.renewal,
        desk: Desk {
            merchant: opened.merchant,
            currency: books.config.currency,
            rules: books.config.rules,
            qr_lasts: books.config.qr_lasts,
            digest_key: digest_key(secret),
        },
        request_timeout,
        new_at_once: match &books.config.database {
            // Several times what one commit takes together.
            Database::Sqlite(_) => 256,
            Database::Postgres { connections, .. } => (connections * 3 / 4).max(1),
        },
        is_alone: books.is_alone(),
        clock: books.clock.clone(),
        instance: random::nonce().ok_or_else(no_randomness)?,
    }))
}

/// For keyed digests of requests: of the key that all instances share.
fn digest_key(secret: &[u8]) -> hmac::Key {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let derived = hmac::sign(&key, b"paytill backend fingerprints");
    hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref())
}
