//! What operators and their machines ask: whether this instance lives, whether it may be given work,
//! and figures. On a port of its own, unsigned: nothing here tells of a payment or a till.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use tokio::sync::watch;

use super::App;
use crate::work::Work;

/// How long the database may take to write one row before this instance is given no more work.
const PATIENCE: Duration = Duration::from_secs(2);
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone)]
struct Watched {
    work: Arc<Work>,
    /// True from the moment on that the process is to end.
    end: watch::Receiver<bool>,
}

/// All that operators may ask for.
pub fn router(work: Arc<Work>, end: watch::Receiver<bool>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Watched { work, end })
}

/// `GET /readyz`. Its key and its gateway's keys were loaded, or it would not serve.
async fn ready(State(watched): State<Watched>) -> Response {
    let Watched { work, end } = watched;
    let not_ready = |why: String| (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    if *end.borrow() {
        return not_ready("draining\n".to_owned());
    }
    let touched = work.parts.store.touch(work.merchant(), work.now());
    match tokio::time::timeout(PATIENCE, touched).await {
        Ok(Ok(())) => "ready\n".into_response(),
        Ok(Err(error)) => not_ready(format!("{error}\n")),
        Err(_) => not_ready("the database does not answer in time\n".to_owned()),
    }
}

/// `GET /metrics`
async fn metrics(State(Watched { work, .. }): State<Watched>) -> Response {
    let open = work.parts.store.open_payments(work.merchant());
    if let Ok(Ok((count, oldest))) = tokio::time::timeout(PATIENCE, open).await {
        let age = oldest.map_or(0, |oldest| work.now().0.saturating_sub(oldest.0).max(0));
        work.metrics.is_open(count, age / 1000);
    } else {
        // The other figures are wanted most when the database is in trouble.
        tracing::warn!("open payments could not be counted");
    }
    ([(header::CONTENT_TYPE, METRICS)], work.metrics.text()).into_response()
}

/// Counts an answer by its route.
pub(super) async fn counted(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let method = match request.method().as_str() {
        known @ ("GET" | "PUT" | "POST") => known.to_owned(),
        // Whatever else somebody sends makes no figure of its own.
        _ => "other".to_owned(),
    };
    let route = request.extensions().get::<MatchedPath>().cloned();
    let answer = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    app.work.metrics.answered(&method, route, answer.status().as_u16());
    answer
}
