//! What tills ask for, over HTTP. Every request is signed by a till, and every answer to it is signed and
//! bound to it; what is not proved is told nothing.

mod bills;
mod enrolment;
pub mod health;
pub mod notify;
pub mod openapi;
mod payments;
mod refunds;
mod signed;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post, put};

use paytill_core::gateway::backend::message::LONGEST;
use paytill_core::gateway::backend::signed::SigningKey;

use crate::admission::Nonces;
use crate::work::Work;
use crate::work::bills::Bills;

/// What the routes share.
pub struct App {
    pub work: Arc<Work>,
    pub bills: Arc<Bills>,
    /// With which every answer is signed.
    pub key: SigningKey,
    /// The root of the certificate of its own making, if it has one.
    pub ca_pem: Option<String>,
    nonces: Mutex<Nonces>,
}

impl App {
    /// Answers for these payments.
    pub fn new(
        work: Arc<Work>,
        bills: Arc<Bills>,
        key: SigningKey,
        ca_pem: Option<String>,
    ) -> Arc<Self> {
        Arc::new(Self { work, bills, key, ca_pem, nonces: Mutex::default() })
    }
}

/// All that tills may ask for.
pub fn tills(app: Arc<App>) -> Router {
    let proved = Router::new()
        .route("/v1/hello", get(payments::hello))
        .route("/v1/bills/{date}", get(bills::page))
        .route("/v1/payments", get(payments::list))
        .route("/v1/payments/{number}", put(payments::begin).get(payments::ask))
        .route("/v1/payments/{number}/reversal", post(payments::reverse))
        .route("/v1/payments/{number}/close", post(payments::reverse))
        .route("/v1/payments/{number}/seen", post(payments::seen))
        .route("/v1/payments/{number}/refunds", get(refunds::list))
        .route("/v1/payments/{number}/refunds/{refund}", put(refunds::begin).get(refunds::ask))
        .route_layer(axum::middleware::from_fn_with_state(Arc::clone(&app), signed::proved));
    Router::new()
        .route("/v1/enrolment", post(enrolment::enrol))
        .route("/v1/openapi.json", get(openapi::document))
        .merge(proved)
        .fallback(signed::nothing_here)
        .layer(DefaultBodyLimit::max(LONGEST))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&app), health::counted))
        .with_state(app)
}
