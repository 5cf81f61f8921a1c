//! Who asks, and what proves the answer.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};

use paytill_core::clock::Timestamp;
use paytill_core::gateway::backend::message::{LONGEST, Refusal, Refused};
use paytill_core::gateway::backend::signed::{Credentials, WINDOW};

use super::App;
use crate::desk::NotDone;
use crate::store::TillRow;

/// How many nonces of one till are remembered. A till that asks more often within the window is refused
/// nothing: its payments are safe without them, since one number has one body.
const NONCES: usize = 4096;

/// The till that asks, proved by its signature.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) till: TillRow,
}

/// The nonces of the last minutes, by till.
#[derive(Default)]
pub(super) struct Nonces(Mutex<HashMap<String, VecDeque<(Timestamp, String)>>>);

impl Nonces {
    /// Whether a nonce is new; from then on it is not.
    fn is_new(&self, till: &str, nonce: &str, now: Timestamp) -> bool {
        let mut tills = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = tills.entry(till.to_owned()).or_default();
        while seen.front().is_some_and(|(at, _)| now.0.abs_diff(at.0) > 2 * WINDOW)
            || seen.len() >= NONCES
        {
            seen.pop_front();
        }
        if seen.iter().any(|(_, known)| known == nonce) {
            return false;
        }
        seen.push_back((now, nonce.to_owned()));
        true
    }
}

/// A refusal as an answer.
pub(super) struct Refusing(pub(super) Refused, pub(super) &'static str);

impl From<Refused> for Refusing {
    fn from(refused: Refused) -> Self {
        Self(refused, "")
    }
}

impl From<NotDone> for Refusing {
    fn from((refused, text): NotDone) -> Self {
        Self(refused, text)
    }
}

impl IntoResponse for Refusing {
    fn into_response(self) -> Response {
        let Self(refused, text) = self;
        let refusal = Refusal { code: refused.word().to_owned(), text: text.to_owned() };
        (refused.status(), Json(refusal)).into_response()
    }
}

/// Lets through what a living till has signed, and signs the answer.
pub(super) async fn proved(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(credentials) = Credentials::read(request.headers()) else {
        return Refusing(Refused::Unauthorized, "not signed").into_response();
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LONGEST).collect().await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let body = body.to_bytes();
    let till = match app.work.parts.store.till(app.work.merchant(), &credentials.till).await {
        Ok(till) => till,
        Err(error) => {
            tracing::error!(%error, "a till cannot be looked up");
            // Who asks is not known, so this is not signed, and proves nothing.
            return Refusing::from(Refused::Failed).into_response();
        }
    };
    let target = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
    let signed = (parts.method.as_str(), target.as_str(), &body[..]);
    let known = till.and_then(|till| till.key.map(|key| (key, till)));
    let Some((_, till)) = known.filter(|(key, _)| credentials.are_of(key, signed)) else {
        return Refusing(Refused::Unauthorized, "not signed by a till that is known here")
            .into_response();
    };
    let now = app.work.now();
    let refused = if !credentials.are_of_now(now) {
        Some(Refused::Clock)
    } else if !app.nonces.is_new(&till.till, &credentials.nonce, now) {
        Some(Refused::Replayed)
    } else {
        None
    };
    let answer = if let Some(refused) = refused {
        Refusing::from(refused).into_response()
    } else {
        heard(&app, &till, now);
        let mut request = Request::from_parts(parts, Body::from(body));
        request.extensions_mut().insert(Caller { till });
        next.run(request).await
    };
    vouched(&app, answer, &credentials.nonce).await
}

/// Notes that a till was heard, at most once a minute, and without anybody waiting for it.
fn heard(app: &Arc<App>, till: &TillRow, now: Timestamp) {
    if till.last_seen_at.is_some_and(|at| now.0.abs_diff(at.0) < 60_000) {
        return;
    }
    let (app, till) = (Arc::clone(app), till.till.clone());
    tokio::spawn(async move {
        if let Err(error) = app.work.parts.store.heard(app.work.merchant(), &till, now).await {
            tracing::warn!(%error, "not noted that a till was heard");
        }
    });
}

/// The same answer, signed and bound to the request.
async fn vouched(app: &App, answer: Response, nonce: &str) -> Response {
    let (mut parts, body) = answer.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let now = app.work.now();
    app.key.vouch((parts.status, &body), nonce, now, &mut parts.headers);
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Response::from_parts(parts, Body::from(body))
}

/// An address that does not exist: nothing was asked for, and nothing is proved.
pub(super) async fn nothing_here() -> Response {
    Refusing(Refused::NotFound, "there is nothing at this address").into_response()
}
