//! SQLite: one thread owns the connection, and what waits for it is committed together.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::error::StoreError;
use super::tx::{Doing, Tx};

/// How many jobs share one commit at most.
const TOGETHER: usize = 64;

/// A job: what it has done is only told once that is on disk.
type Job = Box<dyn FnOnce(&mut Connection) -> Tell + Send>;
type Tell = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// The database file, behind its thread.
#[derive(Clone)]
pub struct Sqlite {
    jobs: mpsc::Sender<Job>,
}

impl Sqlite {
    /// Opens a file, or makes it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.set_prepared_statement_cache_capacity(64);
        let (jobs, incoming) = mpsc::channel();
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || serve(connection, &incoming))
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Self { jobs })
    }

    /// Does something in a transaction.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl for<'t, 'c> Fn(&'t mut Tx<'c>) -> Doing<'t, T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (told, telling) = oneshot::channel();
        let job = move |connection: &mut Connection| -> Tell {
            let result = alone(connection, work);
            Box::new(move |committed| {
                // Whoever asked may be gone; what was done stays done.
                let _ = told.send(committed.and(result));
            })
        };
        let gone = || StoreError::Failed("its thread has ended".to_owned());
        self.jobs.send(Box::new(job)).map_err(|_| gone())?;
        telling.await.map_err(|_| gone())?
    }
}

/// Who serves on a file: the only one.
pub fn hold(path: &Path) -> Result<std::fs::File, StoreError> {
    let lock = path.with_added_extension("lock");
    let failed = |error: std::io::Error| StoreError::Failed(error.to_string());
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(lock)
        .map_err(failed)?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::Held),
        Err(error) => Err(failed(error.into())),
    }
}

/// The file that a `sqlite:` address names.
pub fn file_of(url: &str, folder: &Path) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:").filter(|path| !path.is_empty())?;
    Some(folder.join(path))
}

fn serve(mut connection: Connection, incoming: &mpsc::Receiver<Job>) {
    while let Ok(first) = incoming.recv() {
        let mut tells = Vec::new();
        let committed = together(&mut connection, first, incoming, &mut tells);
        if committed.is_err() {
            let _ = connection.execute_batch("ROLLBACK");
        }
        for tell in tells {
            tell(committed.clone());
        }
    }
}

fn together(
    connection: &mut Connection,
    first: Job,
    incoming: &mpsc::Receiver<Job>,
    tells: &mut Vec<Tell>,
) -> Result<(), StoreError> {
    let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(StoreError::from);
    // Without a transaction it fails, and says so to the one who asked.
    tells.push(first(connection));
    begun?;
    while tells.len() < TOGETHER
        && let Ok(job) = incoming.try_recv()
    {
        tells.push(job(connection));
    }
    Ok(connection.execute_batch("COMMIT")?)
}

/// One job by itself: if it fails, nothing of it stays, and the others are not touched.
fn alone<T>(
    connection: &mut Connection,
    work: impl for<'t, 'c> Fn(&'t mut Tx<'c>) -> Doing<'t, T>,
) -> Result<T, StoreError> {
    if connection.is_autocommit() {
        return Err(StoreError::Busy);
    }
    connection.execute_batch("SAVEPOINT job")?;
    let result = at_once(work(&mut Tx::Sqlite(connection)));
    let end = if result.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    connection.execute_batch(end)?;
    result
}

/// With SQLite nothing is ever waited for.
fn at_once<T>(doing: Doing<'_, T>) -> Result<T, StoreError> {
    match pin!(doing).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(StoreError::Failed("it waits for something else".to_owned())),
    }
}
