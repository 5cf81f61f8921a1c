//! Who waits for news of a payment, within this process.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::store::PaymentKey;

/// Payments that somebody waits for.
#[derive(Default)]
pub(super) struct Hub {
    bells: Mutex<HashMap<PaymentKey, Arc<Notify>>>,
    is_over: AtomicBool,
}

/// One who waits. Nothing is kept of a payment for which nobody does.
pub(super) struct Waiting<'a> {
    hub: &'a Hub,
    key: PaymentKey,
    bell: Option<Arc<Notify>>,
}

impl Hub {
    /// Begins to wait: all news from now on are heard.
    pub(super) fn wait_for(&self, key: PaymentKey) -> Waiting<'_> {
        let mut waiting = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        let bell = Some(Arc::clone(waiting.entry(key.clone()).or_default()));
        Waiting { hub: self, key, bell }
    }

    /// There is something new of a payment.
    pub(super) fn ring(&self, key: &PaymentKey) {
        let waiting = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = waiting.get(key) {
            bell.notify_waiters();
        }
    }

    /// Nobody waits any longer, now or later: this process is about to end.
    pub(super) fn ring_all(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        let waiting = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.values().for_each(|bell| bell.notify_waiters());
    }

    /// Whether what there is must do.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    #[cfg(test)]
    fn waited_for(&self) -> usize {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Waiting<'_> {
    /// The bell. What is new between two looks is heard only by who has asked for it before the first.
    pub(super) fn bell(&self) -> Option<&Notify> {
        self.bell.as_deref()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waiting = self.hub.bells.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.bell.take());
        if waiting.get(&self.key).is_some_and(|bell| Arc::strong_count(bell) == 1) {
            waiting.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paytill_core::order::OutTradeNo;

    #[test]
    fn nothing_is_kept_of_a_payment_for_which_nobody_waits() {
        let hub = Hub::default();
        let out_trade_no = OutTradeNo::try_from("T01112203300089345607".to_owned()).unwrap();
        let key = PaymentKey { merchant: "m".to_owned(), out_trade_no };
        let (one, other) = (hub.wait_for(key.clone()), hub.wait_for(key));
        drop(one);
        assert_eq!(hub.waited_for(), 1);
        drop(other);
        assert_eq!(hub.waited_for(), 0);
    }
}
