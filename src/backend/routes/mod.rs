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

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request};
use axum::routing::{get, post, put};

use paytill_core::gateway::backend::message::LONGEST;
use paytill_core::gateway::backend::signed::SigningKey;

use crate::admission::{Nonces, Rates, network};
use crate::config::Limits;
use crate::metrics::Shed;
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
    /// Tills that ask to be paid, and addresses that ask without a signature.
    by_till: Mutex<Rates<String>>,
    by_address: Mutex<Rates<IpAddr>>,
}

impl App {
    /// Answers for these payments.
    pub fn new(
        (work, bills): (Arc<Work>, Arc<Bills>),
        key: SigningKey,
        ca_pem: Option<String>,
        limits: Limits,
    ) -> Arc<Self> {
        let by_till = Mutex::new(Rates::new(limits.new_payments));
        let by_address = Mutex::new(Rates::new(limits.unsigned));
        let nonces = Mutex::default();
        Arc::new(Self { work, bills, key, ca_pem, nonces, by_till, by_address })
    }

    /// Whether a till may ask for one more new payment now.
    fn may_begin(&self, till: &str) -> bool {
        let mut rates = self.by_till.lock().unwrap_or_else(PoisonError::into_inner);
        rates.takes(till.to_owned(), self.work.now())
    }

    /// Whether somebody may ask for one more thing without a signature now.
    fn may_ask_unsigned(&self, request: &Request) -> bool {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let address = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        let mut rates = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let may = rates.takes(network(address), self.work.now());
        if !may {
            self.work.metrics.shed(Shed::Address);
        }
        may
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
    let unsigned = Router::new()
        .route("/v1/enrolment", post(enrolment::enrol))
        .route("/v1/openapi.json", get(openapi::document))
        .route_layer(axum::middleware::from_fn_with_state(Arc::clone(&app), signed::unsigned));
    unsigned
        .merge(proved)
        .fallback(signed::nothing_here)
        .layer(DefaultBodyLimit::max(LONGEST))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&app), health::counted))
        .with_state(app)
}
