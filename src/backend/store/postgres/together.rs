//! Many changes in one transaction, where many wait for a connection: their statements go out together,
//! and one commit writes them all. It happens only then, since a change that waits for others' is
//! slower than one by itself.
//!
//! All of it is written, or nothing; if nothing, each is done again by itself, so that a failure is told
//! to whoever caused it and to nobody else.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use deadpool_postgres::Object;
use tokio::sync::oneshot;

use super::{Ended, Postgres};
use crate::store::error::StoreError;
use crate::store::payments::PaymentKey;
use crate::store::tx::{Doing, Tx, Under};

/// How many must wait for a connection before others share one.
const QUEUE: usize = 16;
/// How many share a transaction at most.
const TOGETHER: usize = 64;
/// How many connections are shared at most.
const LANES: usize = 2;

/// What has become of a shared transaction.
enum Shared {
    Written,
    /// Told to all, since it is true of all.
    Failed(StoreError),
    /// Nothing was written: each by itself.
    Apart,
}

/// A change that waits to be made together with others.
trait Job: Send {
    fn work<'t>(&'t mut self, tx: &'t mut Tx<'_>) -> Doing<'t, ()>;
    fn tell(self: Box<Self>, shared: &Shared);
}

struct Change<T, W> {
    work: Arc<W>,
    result: Option<T>,
    told: oneshot::Sender<Result<T, Option<StoreError>>>,
}

impl<T, W> Job for Change<T, W>
where
    T: Send,
    W: for<'t, 'c> Fn(&'t mut Tx<'c>) -> Doing<'t, T> + Send + Sync,
{
    fn work<'t>(&'t mut self, tx: &'t mut Tx<'_>) -> Doing<'t, ()> {
        Box::pin(async move {
            self.result = Some((self.work)(tx).await?);
            Ok(())
        })
    }

    fn tell(self: Box<Self>, shared: &Shared) {
        let told = match shared {
            Shared::Written => self.result.ok_or(None),
            Shared::Failed(error) => Err(Some(error.clone())),
            Shared::Apart => Err(None),
        };
        // Whoever asked may be gone; what was done stays done.
        let _ = self.told.send(told);
    }
}

/// What waits to be done together.
pub(super) struct Lanes {
    /// [`QUEUE`], but in tests.
    queue: usize,
    waiting: Mutex<Waiting>,
}

impl Default for Lanes {
    fn default() -> Self {
        Self { queue: QUEUE, waiting: Mutex::default() }
    }
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<(PaymentKey, Box<dyn Job>)>,
    lanes: usize,
}

impl Lanes {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another lane is to be opened for it.
    fn add(&self, key: PaymentKey, job: Box<dyn Job>) -> bool {
        let mut waiting = self.lock();
        waiting.jobs.push((key, job));
        let is_another = waiting.lanes < LANES;
        waiting.lanes += usize::from(is_another);
        is_another
    }

    /// What is done together next, one change of each payment: the second must see what the first has
    /// made. In the order of the payments, so that no two lanes, here or elsewhere, wait for each
    /// other. `None`: the lane is closed.
    fn take(&self) -> Option<Vec<Box<dyn Job>>> {
        let mut waiting = self.lock();
        if waiting.jobs.is_empty() {
            waiting.lanes -= 1;
            return None;
        }
        // Those of one payment stay in the order in which they came.
        waiting.jobs.sort_by(|(one, _), (other, _)| one.cmp(other));
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        let mut last = None;
        for (key, job) in std::mem::take(&mut waiting.jobs) {
            if taken.len() == TOGETHER || last.as_ref() == Some(&key) {
                left.push((key, job));
            } else {
                last = Some(key);
                taken.push(job);
            }
        }
        waiting.jobs = left;
        Some(taken)
    }
}

impl Postgres {
    /// Does something to one payment, and to nothing else that is locked, in a transaction.
    pub(in crate::store) async fn change<T, W>(
        &self,
        key: PaymentKey,
        work: W,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'t, 'c> Fn(&'t mut Tx<'c>) -> Doing<'t, T> + Send + Sync + 'static,
    {
        let waiting = self.pool.status().waiting;
        let Some(lanes) = self.lanes.as_ref().filter(|lanes| waiting >= lanes.queue) else {
            return self.run(work).await;
        };
        let work = Arc::new(work);
        let (told, telling) = oneshot::channel();
        let job = Change { work: Arc::clone(&work), result: None, told };
        if lanes.add(key, Box::new(job)) {
            tokio::spawn(serve(self.clone(), Arc::clone(lanes)));
        }
        match telling.await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(Some(error))) => Err(error),
            Ok(Err(None)) => self.run(move |tx| work(tx)).await,
            Err(_) => Err(StoreError::Unsure("its task has ended".to_owned())),
        }
    }

    /// The same pool with every change in a shared transaction, however few wait.
    #[cfg(test)]
    pub(in crate::store) fn together_always(self) -> Self {
        let lanes = Lanes { queue: 0, waiting: Mutex::default() };
        Self { lanes: Some(Arc::new(lanes)), ..self }
    }

    /// How many changes wait to be made together.
    #[cfg(test)]
    pub(in crate::store) fn waiting_together(&self) -> usize {
        self.lanes.as_ref().map_or(0, |lanes| lanes.lock().jobs.len())
    }

    /// One shared transaction.
    async fn together(&self, client: Object, jobs: &mut [Box<dyn Job>]) -> Shared {
        let shared = self.transaction(client, async |transaction, failure| {
            let new = |_: &_| Tx::Postgres(Under { transaction, failure });
            let mut txs: Vec<Tx<'_>> = jobs.iter().map(new).collect();
            all(jobs.iter_mut().zip(&mut txs).map(|(job, tx)| job.work(tx)).collect()).await
        });
        match shared.await {
            Ok(()) => Shared::Written,
            Err(Ended::For(error @ StoreError::Unsure(_))) => Shared::Failed(error),
            Err(Ended::For(_) | Ended::Between(_) | Ended::Stale(_)) => Shared::Apart,
        }
    }
}

/// Does what waits, until nothing does.
async fn serve(postgres: Postgres, lanes: Arc<Lanes>) {
    loop {
        // Until there is a connection others join.
        let client = postgres.pool.get().await;
        let Some(mut jobs) = lanes.take() else { return };
        let shared = match client {
            Ok(client) => postgres.together(client, &mut jobs).await,
            Err(error) => Shared::Failed(error.into()),
        };
        for job in jobs {
            job.tell(&shared);
        }
    }
}

/// Does all of it on one task: what they ask goes out before the first is answered. None goes on once one
/// has failed.
async fn all(mut works: Vec<Doing<'_, ()>>) -> Result<(), StoreError> {
    poll_fn(|context| {
        let mut failed = None;
        works.retain_mut(|work| match work.as_mut().poll(context) {
            Poll::Pending => true,
            Poll::Ready(Ok(())) => false,
            Poll::Ready(Err(error)) => {
                failed.get_or_insert(error);
                false
            }
        });
        match failed {
            Some(error) => Poll::Ready(Err(error)),
            None if works.is_empty() => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    })
    .await
}
