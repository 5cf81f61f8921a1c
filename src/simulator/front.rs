//! What the connections of the server and the notifier share: the bank, its time, and who listens.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsConnector;

use super::Bank;
use paytill_core::clock::Millis;
use paytill_host::clock::Clock;

/// Receives one line for each request, with payment codes masked.
pub type Log = Box<dyn Fn(Millis, &str) + Send + Sync>;

/// The bank's time, and how fast it goes.
#[derive(Clone, Copy)]
pub(super) struct Time {
    pub(super) started: Instant,
    pub(super) pace: u32,
}

impl Time {
    pub(super) fn now(self) -> Millis {
        let real = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Millis(real).times(u64::from(self.pace))
    }

    /// For ever, if there is no such time.
    pub(super) async fn until(self, at: Option<Millis>) {
        match at {
            // A little more than exactly, so that it has come.
            Some(at) => self.pass(at.minus(self.now()).plus(Millis(1))).await,
            None => std::future::pending().await,
        }
    }

    pub(super) async fn pass(self, wait: Millis) {
        sleep(Duration::from(wait) / self.pace.max(1)).await;
    }
}

/// What all connections share.
pub(super) struct Front {
    pub(super) bank: Mutex<Bank>,
    pub(super) time: Time,
    pub(super) log: Option<Log>,
    pub(super) clock: Clock,
    /// Something has happened in the bank.
    pub(super) changed: Notify,
    pub(super) receivers: Mutex<TlsConnector>,
}

impl Front {
    /// A panic in one test must not make the ledger unreadable.
    pub(super) fn lock(&self) -> MutexGuard<'_, Bank> {
        self.bank.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How receivers of notifications are recognized.
    pub(super) fn receivers(&self) -> TlsConnector {
        self.receivers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn tell(&self, now: Millis, story: &str) {
        if let Some(log) = &self.log {
            log(now, story);
        }
    }
}
