//! What this program has done since it was started, for whoever watches it.
//!
//! No number of an order and no name of a till or a customer is ever part of a figure: those are in
//! the books and in the log.

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The bounds of the store's times, in seconds: a commit on a good disk, up to a database in trouble.
const STORE_BOUNDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

type Labels<const N: usize> = [(&'static str, String); N];

/// Counters, shared by all that count.
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels<3>, Counter>,
    calls: Family<Labels<2>, Counter>,
    ended: Family<Labels<2>, Counter>,
    store: Histogram,
    shed: Family<Labels<1>, Counter>,
    /// Connections now.
    pub connections: Gauge,
    /// Requests that wait for news now.
    pub long_polls: Gauge,
    open: Gauge,
    oldest: Gauge,
}

/// What came of a call to the gateway.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// An answer that could be believed.
    Answered,
    /// None, or one that proves nothing.
    Unknown,
    /// Not a byte left.
    NotSent,
}

/// Why a request was refused, or not held open, for the sake of the others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shed {
    /// A new payment has waited too long for the database.
    Queue,
    /// Too many wait for news already.
    LongPoll,
    /// A till asks to be paid too often.
    Till,
    /// An address asks too often without a signature.
    Address,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("paytill"),
            requests: Family::default(),
            calls: Family::default(),
            ended: Family::default(),
            store: Histogram::new(STORE_BOUNDS),
            shed: Family::default(),
            connections: Gauge::default(),
            long_polls: Gauge::default(),
            open: Gauge::default(),
            oldest: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Answers, by route", metrics.requests.clone());
        let calls = "Calls to the gateway, by what came of them";
        registry.register("gateway_calls", calls, metrics.calls.clone());
        let ended = "Payments and refunds without work left, by state; one of which more is learnt \
                     later counts again";
        registry.register("ended", ended, metrics.ended.clone());
        let store = "How long a change takes from its request to its commit";
        registry.register("store_change_seconds", store, metrics.store.clone());
        let shed = "Requests that were refused, or not held open, for the sake of others";
        registry.register("shed", shed, metrics.shed.clone());
        let polls = "Requests that wait for news now";
        registry.register("long_polls", polls, metrics.long_polls.clone());
        registry.register("connections", "Connections now", metrics.connections.clone());
        let open = "Payments with work left, of all instances";
        registry.register("open_payments", open, metrics.open.clone());
        let oldest = "The age of the oldest of them";
        registry.register("oldest_open_payment_seconds", oldest, metrics.oldest.clone());
        metrics
    }
}

impl Metrics {
    /// A request was answered. `route` is a pattern, never a path as it came.
    pub fn answered(&self, method: &str, route: &str, status: u16) {
        let labels = [
            ("method", method.to_owned()),
            ("route", route.to_owned()),
            ("status", status.to_string()),
        ];
        self.requests.get_or_create(&labels).inc();
    }

    /// A call to the gateway has come to an end.
    pub fn called(&self, kind: &str, outcome: Outcome) {
        let outcome = match outcome {
            Outcome::Answered => "answered",
            Outcome::Unknown => "unknown",
            Outcome::NotSent => "not_sent",
        };
        let labels = [("call", kind.to_owned()), ("outcome", outcome.to_owned())];
        self.calls.get_or_create(&labels).inc();
    }

    /// A request was refused, or not held open.
    pub fn shed(&self, why: Shed) {
        let why = match why {
            Shed::Queue => "queue",
            Shed::LongPoll => "long_poll",
            Shed::Till => "till",
            Shed::Address => "address",
        };
        self.shed.get_or_create(&[("why", why.to_owned())]).inc();
    }

    /// A payment or a refund has no work left.
    pub fn ended(&self, what: &str, state: &str) {
        let labels = [("what", what.to_owned()), ("state", state.to_owned())];
        self.ended.get_or_create(&labels).inc();
    }

    /// A change of the books has taken so long.
    pub fn stored(&self, took: Duration) {
        self.store.observe(took.as_secs_f64());
    }

    /// So many payments are open, the oldest for so many seconds.
    pub fn is_open(&self, count: i64, oldest: i64) {
        self.open.set(count);
        self.oldest.set(oldest);
    }

    /// All of it, in the text form of Prometheus and `OpenMetrics`.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
