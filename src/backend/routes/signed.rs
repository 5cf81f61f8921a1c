//! Who asks, and what proves the answer.

use std::sync::{Arc, PoisonError};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};

use paytill_core::clock::Timestamp;
use paytill_core::gateway::backend::message::{LONGEST, Refusal, Refused};
use paytill_core::gateway::backend::signed::Credentials;

use super::App;
use crate::admission::{Admission, admit};
use crate::desk::NotDone;
use crate::store::TillRow;

/// The till that asks, proved by its signature.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) till: TillRow,
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
        if !app.may_ask_unsigned(&request) {
            return StatusCode::TOO_MANY_REQUESTS.into_response();
        }
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
    let now = app.work.now();
    let admission = {
        let mut nonces = app.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        admit(&credentials, till, signed, now, &mut nonces)
    };
    let answer = match admission {
        Admission::Stranger => {
            return Refusing(Refused::Unauthorized, "not signed by a till that is known here")
                .into_response();
        }
        Admission::Refused(refused) => Refusing::from(refused).into_response(),
        Admission::Heard(till) => {
            heard(&app, &till, now);
            let mut request = Request::from_parts(parts, Body::from(body));
            request.extensions_mut().insert(Caller { till: *till });
            next.run(request).await
        }
    };
    vouched(&app, answer, &credentials.nonce).await
}

/// Lets through what needs no signature, and not too much of it from one address.
pub(super) async fn unsigned(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    if app.may_ask_unsigned(&request) {
        next.run(request).await
    } else {
        StatusCode::TOO_MANY_REQUESTS.into_response()
    }
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
