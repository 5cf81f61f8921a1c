//! What the gateway tells unasked, on the door that anybody can knock at.
//!
//! Whoever has not signed learns nothing, and leaves nothing behind but a number. A notification that is
//! genuine is acknowledged only once it is on disk with all that follows from it; for any failure before
//! that the answer is an error, and the gateway comes again.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};

use paytill_core::clean::clean;
use paytill_core::clock::Timestamp;
use paytill_core::payment::Reason;
use paytill_host::gateway::{NoticeReader, Version};

use crate::store::StoreError;
use crate::work::Work;
use crate::work::notices::Delivered;

/// Real ones have some 2 KiB.
const LARGEST: usize = 64 * 1024;
/// How long the body may take; the gateway itself waits 5 s for the answer.
const BODY: Duration = Duration::from_secs(4);
/// A sample of what was refused is logged this seldom, in milliseconds, and so short, in cells.
const SAMPLED: i64 = 60_000;
const SAMPLE: usize = 120;
/// The headers that are kept: those that are signed, and who says to have sent it.
const KEPT: [&str; 3] = ["content-type", "user-agent", "request-id"];

/// What it takes to hear the gateway.
pub struct Notified {
    work: Arc<Work>,
    reader: NoticeReader,
    token: String,
    refused: AtomicU64,
    sampled_at: AtomicI64,
}

impl Notified {
    /// Only addresses with this token are answered.
    pub fn new(work: Arc<Work>, reader: NoticeReader, token: String) -> Arc<Self> {
        let (refused, sampled_at) = (AtomicU64::new(0), AtomicI64::new(i64::MIN));
        Arc::new(Self { work, reader, token, refused, sampled_at })
    }

    /// Whoever sends many must not fill the disk.
    fn note_refused(&self, why: &Reason, body: &[u8], now: Timestamp) {
        let count = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
        let last = self.sampled_at.load(Ordering::Relaxed);
        if now.0.saturating_sub(last) < SAMPLED
            || self
                .sampled_at
                .compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed)
                .is_err()
        {
            return;
        }
        let sample = clean(&String::from_utf8_lossy(&body[..body.len().min(4 * SAMPLE)]), SAMPLE);
        tracing::warn!(?why, count, sample, "a notification was refused");
    }
}

/// Where the gateway of this version is to deliver, behind the address of the door.
pub fn path(version: Version, token: &str) -> String {
    match version {
        Version::V2 => format!("/notify/wechat/v2/{token}"),
        Version::V3 => format!("/notify/wechat/v3/{token}"),
    }
}

/// All that the gateway may tell.
pub fn notified(notified: Arc<Notified>) -> Router {
    Router::new()
        .route("/notify/wechat/v2/{token}", post(v2))
        .route("/notify/wechat/v3/{token}", post(v3))
        .fallback(super::signed::nothing_here)
        .with_state(notified)
}

async fn v2(
    State(notified): State<Arc<Notified>>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    taken(&notified, Version::V2, &token, request).await
}

async fn v3(
    State(notified): State<Arc<Notified>>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    taken(&notified, Version::V3, &token, request).await
}

async fn taken(notified: &Notified, version: Version, token: &str, request: Request) -> Response {
    let is_it = verify_slices_are_equal(token.as_bytes(), notified.token.as_bytes()).is_ok();
    if !is_it || version != notified.reader.version() {
        return super::signed::nothing_here().await;
    }
    let (parts, body) = request.into_parts();
    let body = tokio::time::timeout(BODY, Limited::new(body, LARGEST).collect()).await;
    let body = match body {
        Ok(Ok(body)) => body.to_bytes().to_vec(),
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    let delivery = http::Request::from_parts(parts, body);
    let now = notified.work.now();
    let notice = match notified.reader.read(&delivery, now) {
        Ok(notice) => notice,
        Err(why) => {
            notified.note_refused(&why, delivery.body(), now);
            return refused(version).into_response();
        }
    };
    let headers = kept(delivery.headers());
    let delivered = Delivered { headers, body: delivery.into_body() };
    let kept = notified.work.noticed(notice, delivered).await;
    if let Err(error) = &kept {
        tracing::error!(%error, "a notification was not kept");
    }
    answer(version, kept.as_ref().map(|_| ())).into_response()
}

fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    let is_kept = |name: &str| name.starts_with("wechatpay-") || KEPT.contains(&name);
    let named = headers.iter().filter(|(name, _)| is_kept(name.as_str()));
    named
        .map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}

/// What is answered to a delivery: a status, and a body with its type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Option<(&'static str, &'static str)>,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let Self { status, body } = self;
        match body {
            Some((kind, text)) => (status, [(header::CONTENT_TYPE, kind)], text).into_response(),
            None => status.into_response(),
        }
    }
}

/// What is answered to a genuine notification once it was kept, or could not be.
pub const fn answer(version: Version, kept: Result<(), &StoreError>) -> Answer {
    match (kept, version) {
        (Err(error), _) => Answer { status: failed(error), body: None },
        (Ok(()), Version::V2) => Answer {
            status: StatusCode::OK,
            body: Some((
                "text/xml",
                "<xml><return_code><![CDATA[SUCCESS]]></return_code>\
                 <return_msg><![CDATA[OK]]></return_msg></xml>",
            )),
        },
        (Ok(()), Version::V3) => Answer { status: StatusCode::NO_CONTENT, body: None },
    }
}

/// What whoever has not signed is told.
pub const fn refused(version: Version) -> Answer {
    let body = match version {
        Version::V2 => ("text/xml", "<xml><return_code><![CDATA[FAIL]]></return_code></xml>"),
        Version::V3 => ("application/json", r#"{"code":"FAIL"}"#),
    };
    Answer { status: StatusCode::UNAUTHORIZED, body: Some(body) }
}

/// Nothing was kept, or it is not known whether: the gateway comes again, and finds out.
const fn failed(error: &StoreError) -> StatusCode {
    match error {
        StoreError::Busy
        | StoreError::Again
        | StoreError::Unreachable(_)
        | StoreError::Unsure(_) => StatusCode::SERVICE_UNAVAILABLE,
        StoreError::Full
        | StoreError::ReadOnly
        | StoreError::Schema { .. }
        | StoreError::Held
        | StoreError::Spoilt(_)
        | StoreError::Text
        | StoreError::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
