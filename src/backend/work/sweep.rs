//! What must be looked at: times that have come, and calls whose caller has not come back.

use std::sync::Arc;
use std::time::Duration;

use paytill_core::clock::Timestamp;

use super::Work;
use super::decide;
use crate::store::{PaymentKey, RefundKey, StoreError};

/// At most so long between two looks: another instance may have left something.
const LONGEST: Duration = Duration::from_millis(500);
/// How often what is old is dropped.
const CLEARING: Duration = Duration::from_hours(1);
/// How many payments are taken at once, the latest first.
const BATCH: i64 = 64;

impl Work {
    /// Looks after all payments, and after what is too old to be kept, for ever.
    pub async fn sweep(self: Arc<Self>) {
        tokio::join!(self.look_after_payments(), self.clear());
    }

    /// Drops what nobody needs any longer, and logs where the audit ends: whoever keeps the log elsewhere
    /// can prove later what was written by then.
    async fn clear(&self) {
        loop {
            let cleared = async {
                let gone = self.parts.store.drop_old(self.merchant(), self.now()).await?;
                Ok::<_, StoreError>((gone, self.parts.store.audit_head(self.merchant()).await?))
            };
            match cleared.await {
                Ok((gone, head)) => {
                    let (entries, digest) =
                        head.map(|head| (head.position, head.hex())).unwrap_or_default();
                    tracing::info!(gone, audit_entries = entries, audit_digest = digest, "cleared");
                }
                Err(error) => tracing::error!(%error, "what is old was not cleared"),
            }
            tokio::time::sleep(CLEARING).await;
        }
    }

    async fn look_after_payments(self: &Arc<Self>) {
        if self.parts.is_alone {
            self.resume().await;
        }
        loop {
            let pause = match self.look().await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::error!(%error, "open payments cannot be looked at");
                    LONGEST
                }
            };
            let _ = tokio::time::timeout(pause, self.earlier.notified()).await;
        }
    }

    /// After a start: whoever had a call under way is gone.
    async fn resume(self: &Arc<Self>) {
        let store = &self.parts.store;
        let all = Timestamp(i64::MAX);
        let open = async {
            let (payments, _) = store.due(self.merchant(), all, i64::MAX).await?;
            let (refunds, _) = store.refunds_due(self.merchant(), all, i64::MAX).await?;
            Ok::<_, StoreError>((payments, refunds))
        };
        match open.await {
            Ok((payments, refunds)) => self.wake_all(payments, refunds).await,
            Err(error) => tracing::error!(%error, "open payments cannot be read"),
        }
    }

    async fn look(self: &Arc<Self>) -> Result<Duration, StoreError> {
        let now = self.now();
        let (due, next) = self.parts.store.due(self.merchant(), now, BATCH).await?;
        let (refunds, later) = self.parts.store.refunds_due(self.merchant(), now, BATCH).await?;
        if due.is_empty() && refunds.is_empty() {
            let next = next.into_iter().chain(later).min();
            let wait = next.map(|next| next.0.saturating_sub(self.now().0).max(0));
            let wait = wait.and_then(|wait| u64::try_from(wait).ok()).map(Duration::from_millis);
            return Ok(wait.unwrap_or(LONGEST).min(LONGEST));
        }
        self.wake_all(due, refunds).await;
        Ok(Duration::ZERO)
    }

    async fn wake_all(self: &Arc<Self>, payments: Vec<PaymentKey>, refunds: Vec<RefundKey>) {
        for key in payments {
            self.wake(key).await;
        }
        for key in refunds {
            self.wake_refund(key).await;
        }
    }

    async fn wake(self: &Arc<Self>, key: PaymentKey) {
        let number = key.out_trade_no.clone();
        match self.change(key, decide::woken).await {
            Ok(Some(decided)) => self.follow(*decided, None),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(out_trade_no = number.as_str(), %error, "not looked at");
            }
        }
    }
}
