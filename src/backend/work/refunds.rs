//! Refunds at work: as payments are, each is written down before anything is asked of the gateway.

use std::sync::Arc;
use std::time::Duration;

use paytill_core::clock::Timestamp;
use paytill_core::gateway::backend::message::{Refused, Rights};
use paytill_core::gateway::{DecodedRefund, RefundAsk, Stamp};
use paytill_core::payment::{Inconclusive, TillCause};
use paytill_core::refund::{
    Refund, RefundAnswer, RefundCall, RefundCallKind, RefundEvent, RefundRefusal,
};
use paytill_host::random;
use paytill_host::transport::TransportFailure;

use super::decide::Deciding;
use super::decide_refund::{self, RefundBegun, RefundDecided};
use super::{Outcome, Work, WorkParts, failed, outcome, until_written, unwritten};
use crate::store::{PaymentKey, RefundBooks, RefundChange, RefundKey, RefundRow, StoreError};

/// A day, in milliseconds: what a till may give back in one counts from so long ago.
const DAY: i64 = 24 * 3600 * 1000;

impl Work {
    /// Writes down a request to give money back, and only then asks the gateway.
    pub async fn begin_refund(
        self: &Arc<Self>,
        new: RefundRow,
        store: String,
        rights: Rights,
    ) -> Outcome<Result<RefundRow, RefundRefusal>> {
        let since = Timestamp(self.now().0.saturating_sub(DAY));
        let by = Some((new.till.clone(), since));
        let (payment, key) = (new.key.payment.clone(), new.key.clone());
        let again = (new.till.clone(), new.amount);
        let jitter = random::draw::<1>().map_or(0, |[jitter]| jitter);
        let merchant = self.parts.desk.merchant.clone();
        let begun = self.change_refund(payment, by, move |books, now| {
            decide_refund::begin(books, &new, &store, (&rights, &merchant), jitter, now)
        });
        let begun = match begun.await {
            Ok(begun) => begun,
            // An earlier copy of it may have been written down, wherever that came in.
            Err(error) => match self.refund_news(&key, Duration::ZERO).await? {
                Some(row) if (row.till.clone(), row.amount) == again => {
                    RefundBegun::Known(Box::new(row))
                }
                Some(_) => return Err(Refused::NumberUsed),
                None => return Err(unwritten(&error)),
            },
        };
        match begun {
            RefundBegun::New(decided) => {
                let row = decided.row.clone();
                self.follow_refund(*decided);
                Ok(Ok(row))
            }
            RefundBegun::Known(row) => Ok(Ok(*row)),
            RefundBegun::Refused(refused) => Err(refused),
            RefundBegun::NotNow(refusal) => Ok(Err(refusal)),
        }
    }

    /// A refund as it is, once it is no longer on its way; at the latest after `wait`.
    pub async fn refund_news(&self, key: &RefundKey, wait: Duration) -> Outcome<Option<RefundRow>> {
        let waiting = self.hub.wait_for(key.payment.clone());
        let (_waits, wait) = self.long_poll(wait);
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            let mut bell = std::pin::pin!(waiting.bell().map(tokio::sync::Notify::notified));
            if let Some(bell) = bell.as_mut().as_pin_mut() {
                bell.enable();
            }
            let refunds = self
                .parts
                .store
                .refunds(key.payment.clone())
                .await
                .map_err(|error| failed(&error))?;
            let row = refunds.into_iter().find(|row| row.key == *key);
            let is_under_way = row.as_ref().is_some_and(|row| row.state.is_unclear());
            let now = tokio::time::Instant::now();
            if !is_under_way || now >= deadline || self.hub.is_over() {
                return Ok(row);
            }
            let look = self.next_look(deadline);
            if let Some(bell) = bell.as_mut().as_pin_mut() {
                let _ = tokio::time::timeout_at(look, bell).await;
            }
        }
    }

    /// Looks at a refund whose time has come.
    pub(super) async fn wake_refund(self: &Arc<Self>, key: RefundKey) {
        let number = key.out_refund_no.clone();
        let woken = self.change_refund(key.payment, None, move |books, now| {
            decide_refund::woken(books, &number, now)
        });
        match woken.await {
            Ok(Some(decided)) => self.follow_refund(*decided),
            Ok(None) => {}
            Err(error) => {
                let number = key.out_refund_no.as_str();
                tracing::error!(out_refund_no = number, %error, "not looked at");
            }
        }
    }

    async fn refund_happened(
        self: &Arc<Self>,
        key: RefundKey,
        event: RefundEvent,
        wire: Vec<(String, String)>,
    ) -> Result<(), StoreError> {
        let number = key.out_refund_no;
        let change = self.change_refund(key.payment, None, move |books, now| {
            decide_refund::happened(books, &number, &event, &wire, now)
        });
        if let Some(decided) = change.await? {
            self.follow_refund(*decided);
        }
        Ok(())
    }

    /// As [`Work::change`], of a refund; `by` as with the store.
    async fn change_refund<T: Send + 'static>(
        self: &Arc<Self>,
        payment: PaymentKey,
        by: Option<(String, Timestamp)>,
        decide: impl Fn(&RefundBooks, Deciding<'_>) -> RefundChange<T> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let work = Arc::clone(self);
        let decide = move |books: &RefundBooks| work.deciding(|now| decide(books, now));
        self.timed(self.parts.store.change_refund(payment, by, decide)).await
    }

    pub(super) fn follow_refund(self: &Arc<Self>, decided: RefundDecided) {
        let RefundDecided { row, payment, call } = decided;
        tracing::info!(
            out_refund_no = row.key.out_refund_no.as_str(),
            status = row.state.status().word(),
            version = row.version,
            "moved"
        );
        if !row.state.is_open() {
            self.metrics.ended("refund", row.state.status().word());
        }
        self.hub.ring(&row.key.payment);
        self.earlier.notify_one();
        self.told.notify_one();
        let Some(call) = call else { return };
        let refund = row.refund(&payment);
        self.spawn(|work| async move { work.call_refund(row, refund, call).await });
    }

    async fn call_refund(self: &Arc<Self>, row: RefundRow, refund: Refund, call: RefundCall) {
        let result = if self.is_in_time(row.lease.as_ref()) {
            self.carry_refund(&refund, call).await
        } else {
            Err(TransportFailure::not_sent(TillCause::NoAnswer))
        };
        let (answer, wire) = match result {
            Ok(DecodedRefund { answer, record }) => (answer, record),
            Err(failure) => {
                (RefundAnswer::inconclusive(call.kind, Inconclusive::from(failure)), vec![])
            }
        };
        self.metrics.called(word(call.kind), outcome(answer.as_inconclusive()));
        until_written(row.key.out_refund_no.as_str(), || {
            let event = RefundEvent::Answered(call.number, answer.clone());
            self.refund_happened(row.key.clone(), event, wire.clone())
        })
        .await;
    }

    async fn carry_refund(
        &self,
        refund: &Refund,
        call: RefundCall,
    ) -> Result<DecodedRefund, TransportFailure> {
        let WorkParts { gateway, transport, clock, .. } = &self.parts;
        let ask = RefundAsk { kind: call.kind, refund };
        let nonce =
            random::nonce().ok_or_else(|| TransportFailure::not_sent(TillCause::NoRandomness))?;
        let outgoing = gateway.encode_refund(ask, &Stamp { time: clock.wall(), nonce });
        let reply = match call.kind {
            // Sent once: its number makes a second one harmless, and the machine decides on it.
            RefundCallKind::Refund => transport.carry(&outgoing, clock.uptime(), || {}).await,
            RefundCallKind::Look { .. } | RefundCallKind::Query => {
                transport.ask(&outgoing, clock.uptime()).await
            }
        };
        Ok(gateway.decode_refund(ask, &reply?, clock.wall()))
    }
}

/// A call's name in figures.
const fn word(kind: RefundCallKind) -> &'static str {
    match kind {
        RefundCallKind::Look { .. } => "refund_look",
        RefundCallKind::Refund => "refund",
        RefundCallKind::Query => "refund_query",
    }
}

/// A refusal by the rules between refunds, as a till is told.
pub fn refusal(refusal: &RefundRefusal) -> Refused {
    match refusal {
        RefundRefusal::Stopped => Refused::NotSent,
        RefundRefusal::NotPaid(_)
        | RefundRefusal::PartPaid
        | RefundRefusal::AnotherMerchants
        | RefundRefusal::TooOld
        | RefundRefusal::NothingLeft
        | RefundRefusal::MoreThanLeft(_)
        | RefundRefusal::TooMany
        | RefundRefusal::Unclear(_)
        | RefundRefusal::TooSoon(_) => Refused::NotAllowed,
    }
}
