//! Payments at work: each is written down, then called for, and driven to its end whether its till asks
//! or not.
//!
//! A change is decided on a locked row ([`decide`]) and committed; only then is the call made that it
//! leads to. Whoever makes a call holds a lease on the payment; if it does not come back, any instance
//! goes on, as a till does after a restart. A submission is made by nobody but the instance that took
//! the request: the payment code is in its memory and nowhere else.

pub mod bills;
pub mod decide;
pub mod decide_notice;
pub mod decide_refund;
mod hub;
pub mod notices;
pub mod outbox;
pub mod refunds;
mod sweep;
#[cfg(test)]
mod tests;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{Notify, Semaphore, watch};

use paytill_core::clock::{Millis, Timestamp};
use paytill_core::gateway::backend::message::Refused;
use paytill_core::gateway::{Ask, Decoded, Gateway, Stamp};
use paytill_core::order::{AuthCode, OutTradeNo};
use paytill_core::payment::{Answer, Call, CallKind, Event, Inconclusive, Status, TillCause};
use paytill_host::clock::Clock;
use paytill_host::gateway::Renewal;
use paytill_host::random;
use paytill_host::transport::{Transport, TransportFailure};

use crate::desk::Desk;
use crate::metrics::{Metrics, Outcome as CallOutcome, Shed};
use crate::store::{Acknowledged, Change, Lease, PaymentKey, PaymentRow, Store, StoreError};
use decide::{Begun, Decided, Deciding};
use hub::Hub;
use turn::Turn;

/// How often the answer to a call is written before it is left to whoever takes over.
pub const WRITES: u32 = 6;
/// A question is held so long while a refusal is being confirmed: where the gateway has charged all the
/// same, its till must not hear that nothing was.
const CONFIRMING: Duration = Duration::from_secs(3);
/// Another instance's news are looked for this often while somebody waits for them.
const LOOK: Duration = Duration::from_millis(250);

/// How long a new payment waits for the database before it is refused.
const QUEUE: Duration = Duration::from_millis(200);
/// So many requests wait for news at once; the others are answered with what there is.
const LONG_POLLS: usize = 10_000;

/// What it takes to work.
pub struct WorkParts {
    pub store: Store,
    pub gateway: Arc<dyn Gateway>,
    pub transport: Transport,
    /// Keeps the platform's certificates fresh as long as it lives, where they are used.
    pub renewal: Option<Renewal>,
    pub desk: Desk,
    /// For an entire call, from dialling to the last byte.
    pub request_timeout: Millis,
    /// So many new payments are written down at once. Beside them there is room for questions and
    /// reversals, which go before new ones.
    pub new_at_once: usize,
    /// No other instance works on the same database.
    pub is_alone: bool,
    pub clock: Clock,
    /// Names this run of this program.
    pub instance: String,
}

/// The payments of a merchant.
pub struct Work {
    pub(crate) parts: WorkParts,
    /// What was done so far.
    pub metrics: Metrics,
    hub: Hub,
    new: Semaphore,
    long_polls: Semaphore,
    /// Rings when something may be due earlier than was thought.
    earlier: Notify,
    /// Rings when there may be something new to tell others.
    told: Notify,
    /// How many calls and notes are under way.
    under_way: watch::Sender<usize>,
}

/// A request that was not done.
pub type Outcome<T> = Result<T, Refused>;

impl Work {
    /// Nothing is looked at before [`Work::sweep`].
    pub fn new(parts: WorkParts) -> Arc<Self> {
        Arc::new(Self {
            new: Semaphore::new(parts.new_at_once),
            long_polls: Semaphore::new(LONG_POLLS),
            parts,
            metrics: Metrics::default(),
            hub: Hub::default(),
            earlier: Notify::new(),
            told: Notify::new(),
            under_way: watch::Sender::new(0),
        })
    }

    /// The books.
    pub const fn store(&self) -> &Store {
        &self.parts.store
    }

    /// The merchant's name in the database.
    pub fn merchant(&self) -> &str {
        &self.parts.desk.merchant.mch_id
    }

    /// Which payment of this merchant.
    pub fn key(&self, out_trade_no: &OutTradeNo) -> PaymentKey {
        self.parts.desk.key(out_trade_no)
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.parts.clock.wall()
    }

    /// Writes down a request to be paid, and only then sends it on. `new` is the row that it makes. One
    /// that waits too long for the database is refused before anything of it is written.
    pub async fn begin(
        self: &Arc<Self>,
        new: PaymentRow,
        code: Option<AuthCode>,
    ) -> Outcome<PaymentRow> {
        let turn = Arc::new(Turn::default());
        let (key, again, deciding) = (new.key.clone(), new.clone(), Arc::clone(&turn));
        let queued = async {
            let _place = self.new.acquire().await;
            let decide = move |row: Option<&PaymentRow>, now: Deciding<'_>| {
                if deciding.comes() {
                    decide::begin(row, &new, now)
                } else {
                    Change::none(Begun::Refused(Refused::NotSent))
                }
            };
            self.change(key, decide).await
        };
        let mut queued = std::pin::pin!(queued);
        let written = match tokio::time::timeout(QUEUE, &mut queued).await {
            Err(_) if turn.give_up() => {
                self.metrics.shed(Shed::Queue);
                Err(Refused::NotSent)
            }
            Err(_) => queued.await.map_err(|error| unwritten(&error)),
            Ok(written) => written.map_err(|error| unwritten(&error)),
        };
        let begun = match written {
            Ok(begun) => begun,
            Err(refused) => self.known(&again).await.unwrap_or(Err(refused))?,
        };
        self.begun(begun, code)
    }

    /// What an earlier copy of a request that could not be written down has led to, wherever that came
    /// in: its money may be on its way. `None` if there was none; where even that cannot be read,
    /// nothing is claimed.
    async fn known(&self, new: &PaymentRow) -> Option<Outcome<Begun>> {
        match self.parts.store.payment(new.key.clone()).await {
            Ok(None) => None,
            Ok(Some(row)) => {
                Some(Ok(self.deciding(|now| decide::begin(Some(&row), new, now)).result))
            }
            Err(error) => Some(Err(failed(&error))),
        }
    }

    /// The till takes a payment back, or one that never came: `unseen` is the row for that.
    pub async fn reverse(self: &Arc<Self>, unseen: PaymentRow) -> Outcome<PaymentRow> {
        let key = unseen.key.clone();
        let begun = self.change(key, move |row, now| decide::reversed(row, &unseen, now)).await;
        self.begun(begun.map_err(|error| failed(&error))?, None)
    }

    fn begun(self: &Arc<Self>, begun: Begun, code: Option<AuthCode>) -> Outcome<PaymentRow> {
        match begun {
            Begun::New(decided) => {
                let row = decided.row.clone();
                self.follow(*decided, code);
                Ok(row)
            }
            Begun::Known(row) => Ok(*row),
            Begun::Refused(refused) => Err(refused),
        }
    }

    /// A payment as it is, as soon as its state is another one than now or than `known`; at the latest
    /// after `wait`.
    pub async fn news(
        &self,
        key: &PaymentKey,
        known: Option<i64>,
        wait: Duration,
    ) -> Outcome<Option<PaymentRow>> {
        let mut first = None;
        let is_news = |row: &PaymentRow| {
            decide::is_news(row, known, *first.get_or_insert_with(|| row.state.status()))
        };
        self.once(key, wait, is_news).await
    }

    /// The answer to a till's question: the news, once a refusal among them is confirmed.
    pub async fn answer(
        &self,
        key: &PaymentKey,
        known: Option<i64>,
        wait: Duration,
    ) -> Outcome<Option<PaymentRow>> {
        let row = self.news(key, known, wait).await?;
        if row.as_ref().is_none_or(|row| !row.state.is_being_confirmed()) {
            return Ok(row);
        }
        self.once(key, CONFIRMING, |row| !row.state.is_being_confirmed()).await
    }

    /// A payment once it is so, or as it is after `wait`.
    async fn once(
        &self,
        key: &PaymentKey,
        wait: Duration,
        mut is_so: impl FnMut(&PaymentRow) -> bool,
    ) -> Outcome<Option<PaymentRow>> {
        let waiting = self.hub.wait_for(key.clone());
        let (_waits, wait) = self.long_poll(wait);
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            let bell = waiting.bell().map(Notify::notified);
            let mut bell = std::pin::pin!(bell);
            if let Some(bell) = bell.as_mut().as_pin_mut() {
                bell.enable();
            }
            let row =
                self.parts.store.payment(key.clone()).await.map_err(|error| failed(&error))?;
            let Some(row) = row else { return Ok(None) };
            let now = tokio::time::Instant::now();
            if is_so(&row) || now >= deadline || self.hub.is_over() {
                return Ok(Some(row));
            }
            let look = self.next_look(deadline);
            if let Some(bell) = bell.as_mut().as_pin_mut() {
                let _ = tokio::time::timeout_at(look, bell).await;
            }
        }
    }

    /// A place among those who wait, and how long that may take: not at all if there is none.
    fn long_poll(&self, wait: Duration) -> (Option<LongPoll<'_>>, Duration) {
        if wait.is_zero() {
            return (None, wait);
        }
        let Ok(place) = self.long_polls.try_acquire() else {
            self.metrics.shed(Shed::LongPoll);
            return (None, Duration::ZERO);
        };
        self.metrics.long_polls.inc();
        (Some(LongPoll { _place: place, count: &self.metrics.long_polls }), wait)
    }

    /// Something has happened to a payment: decides what becomes of it, writes that down, and makes the
    /// call that it leads to.
    pub async fn happened(
        self: &Arc<Self>,
        key: PaymentKey,
        event: Event,
        wire: Vec<(String, String)>,
    ) -> Result<(), StoreError> {
        let change = self.change(key, move |row, now| decide::happened(row, &event, &wire, now));
        if let Some(decided) = change.await? {
            self.follow(*decided, None);
        }
        Ok(())
    }

    /// A till has its payment on record as paid. `None`: it has no such payment.
    pub async fn acknowledged(
        self: &Arc<Self>,
        key: PaymentKey,
        till: &str,
    ) -> Outcome<Option<PaymentRow>> {
        let till = till.to_owned();
        let noted = self.change(key, move |row, _| decide::acknowledged(row, &till)).await;
        noted.map_err(|error| failed(&error))
    }

    /// A payment is told to its till. That it is paid is noted, and nobody waits for that. A till that
    /// says so itself is not to be guessed at.
    pub fn tells(self: &Arc<Self>, row: &PaymentRow) {
        let is_news = row.acknowledged == Acknowledged::Never && row.seen < row.version;
        if row.state.status() != Status::Paid || !is_news {
            return;
        }
        let (key, version) = (row.key.clone(), row.version);
        self.spawn(|work| async move {
            let number = key.out_trade_no.clone();
            let noted = work.change(key, move |row, _| decide::seen(row, version)).await;
            if let Err(error) = noted {
                let number = number.as_str();
                tracing::warn!(out_trade_no = number, %error, "not noted that its till was told");
            }
        });
    }

    /// Waits until nothing that was begun is under way.
    pub async fn drained(&self) {
        let mut under_way = self.under_way.subscribe();
        let _ = under_way.wait_for(|count| *count == 0).await;
    }

    /// Everybody who waits for news is answered with what there is.
    pub fn answer_all(&self) {
        self.hub.ring_all();
    }

    fn deciding<T>(&self, decide: impl FnOnce(Deciding<'_>) -> T) -> T {
        let WorkParts { desk, instance, request_timeout, is_alone, .. } = &self.parts;
        let lease = decide::lease_for(*request_timeout);
        let (at, is_alone) = (self.now(), *is_alone);
        decide(Deciding { at, rules: &desk.rules, instance, lease, is_alone })
    }

    /// Has a change of a payment decided and made, and notes how long that takes.
    async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        key: PaymentKey,
        decide: impl Fn(Option<&PaymentRow>, Deciding<'_>) -> Change<T> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let work = Arc::clone(self);
        let decide = move |row: Option<&PaymentRow>| work.deciding(|now| decide(row, now));
        self.timed(self.parts.store.change(key, decide)).await
    }

    /// A change of the books, and how long it takes.
    async fn timed<T>(&self, change: impl Future<Output = T>) -> T {
        let begun = tokio::time::Instant::now();
        let changed = change.await;
        self.metrics.stored(begun.elapsed());
        changed
    }

    /// What follows from a decision that is on disk.
    fn follow(self: &Arc<Self>, decided: Decided, code: Option<AuthCode>) {
        let Decided { row, call } = decided;
        tracing::info!(
            out_trade_no = row.key.out_trade_no.as_str(),
            status = row.state.status().word(),
            version = row.version,
            "moved"
        );
        if !row.state.is_open() {
            self.metrics.ended("payment", row.state.status().word());
        }
        self.hub.ring(&row.key);
        self.earlier.notify_one();
        self.told.notify_one();
        let Some(call) = call else { return };
        self.spawn(|work| async move { work.call(row, call, code).await });
    }

    /// Begins something that a process which is to end waits for.
    fn spawn<F>(self: &Arc<Self>, begin: impl FnOnce(Arc<Self>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let under_way = UnderWay::new(Arc::clone(self));
        let errand = begin(Arc::clone(self));
        tokio::spawn(async move {
            let _under_way = under_way;
            errand.await;
        });
    }

    /// Another instance's news ring no bell here.
    fn next_look(&self, deadline: tokio::time::Instant) -> tokio::time::Instant {
        let look = tokio::time::Instant::now() + LOOK;
        if self.parts.is_alone { deadline } else { deadline.min(look) }
    }

    /// Whether a call may still be made: somebody else may have taken over while this process was
    /// stopped.
    fn is_in_time(&self, lease: Option<&Lease>) -> bool {
        decide::is_in_time(lease, self.now(), self.parts.request_timeout)
    }

    /// One call, there and back, and its answer written down.
    async fn call(self: &Arc<Self>, row: PaymentRow, call: Call, code: Option<AuthCode>) {
        let result = if self.is_in_time(row.lease.as_ref()) {
            self.carry(&row, call, code).await
        } else {
            Err(TransportFailure::not_sent(TillCause::NoAnswer))
        };
        let (answer, wire) = match result {
            Ok(Decoded { answer, record }) => (answer, record),
            Err(failure) => (Answer::inconclusive(call.kind, Inconclusive::from(failure)), vec![]),
        };
        self.metrics.called(word(call.kind), outcome(answer.as_inconclusive()));
        until_written(row.key.out_trade_no.as_str(), || {
            let event = Event::Answered(call.number, answer.clone());
            self.happened(row.key.clone(), event, wire.clone())
        })
        .await;
    }

    async fn carry(
        self: &Arc<Self>,
        row: &PaymentRow,
        call: Call,
        code: Option<AuthCode>,
    ) -> Result<Decoded, TransportFailure> {
        let WorkParts { gateway, transport, clock, .. } = &self.parts;
        let order = &row.order;
        let ask = Ask::of(call.kind, order, code.as_ref())
            .ok_or_else(|| TransportFailure::not_sent(TillCause::NoCode))?;
        let nonce =
            random::nonce().ok_or_else(|| TransportFailure::not_sent(TillCause::NoRandomness))?;
        let outgoing = gateway.encode(ask, &Stamp { time: clock.wall(), nonce });
        let reply = match call.kind {
            CallKind::Submit => {
                // This process may have been stopped while the connection was made.
                let (work, lease) = (Arc::clone(self), row.lease.clone());
                let may_leave = move || work.is_in_time(lease.as_ref());
                transport.carry_if(&outgoing, clock.uptime(), may_leave).await
            }
            CallKind::Query
            | CallKind::Reverse
            | CallKind::RefundQuery
            | CallKind::Order
            | CallKind::Close => transport.ask(&outgoing, clock.uptime()).await,
        };
        if let Err(failure) = &reply {
            let number = order.out_trade_no.as_str();
            tracing::warn!(out_trade_no = number, call = call.number, ?failure, "no answer");
        }
        Ok(gateway.decode(ask, &reply?, clock.wall()))
    }
}

/// A call's name in figures.
const fn word(kind: CallKind) -> &'static str {
    match kind {
        CallKind::Submit => "submit",
        CallKind::Query => "query",
        CallKind::Reverse => "reverse",
        CallKind::RefundQuery => "refund_query",
        CallKind::Order => "order",
        CallKind::Close => "close",
    }
}

/// What an answer counts as.
const fn outcome(inconclusive: Option<&Inconclusive>) -> CallOutcome {
    match inconclusive {
        None => CallOutcome::Answered,
        Some(Inconclusive::NotSent(_)) => CallOutcome::NotSent,
        Some(Inconclusive::Unknown(_) | Inconclusive::Unsigned(_)) => CallOutcome::Unknown,
    }
}

/// Somebody who waits for news, counted as long as they do.
struct LongPoll<'a> {
    _place: tokio::sync::SemaphorePermit<'a>,
    count: &'a Gauge,
}

impl Drop for LongPoll<'_> {
    fn drop(&mut self) {
        self.count.dec();
    }
}

/// Something under way, counted until it has ended.
struct UnderWay(Arc<Work>);

impl UnderWay {
    fn new(work: Arc<Work>) -> Self {
        work.under_way.send_modify(|count| *count += 1);
        Self(work)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|count| *count -= 1);
    }
}

/// Writes the answer to a call, of the payment or the refund with this number; some times, and then it
/// is left to whoever takes over.
async fn until_written<F>(number: &str, write: impl Fn() -> F)
where
    F: Future<Output = Result<(), StoreError>>,
{
    for tried in 0..WRITES {
        let Err(error) = write().await else { return };
        tracing::error!(number, %error, "an answer is not written yet");
        tokio::time::sleep(pause_after(tried)).await;
    }
}

/// How long to wait after an answer could not be written for the n-th time.
pub const fn pause_after(write: u32) -> Duration {
    Duration::from_millis(100 << write)
}

fn unwritten(error: &StoreError) -> Refused {
    tracing::error!(%error, "a request was not written down");
    decide::unwritten(error)
}

fn failed(error: &StoreError) -> Refused {
    tracing::error!(%error, "a request failed");
    Refused::Failed
}
