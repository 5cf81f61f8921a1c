//! SQLite: one thread owns the connection that writes, and what waits for it is committed together.
//! Another one reads, and so waits for no commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
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
/// How long another process on the same file is waited for.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// A job within a commit that others share.
type Job = Box<dyn FnOnce(&mut Connection) -> Done + Send>;
/// Tells whoever asked, once it is known whether the commit is on disk.
type Tell = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
type Reading = Box<dyn FnOnce(&mut Connection) + Send>;

/// What a job has come to.
struct Done {
    tell: Tell,
    /// Why nothing of the whole transaction stays, if it is so: not this job's work, nor the others'.
    lost: Option<StoreError>,
}

/// The database file, behind its threads.
#[derive(Clone)]
pub struct Sqlite {
    jobs: mpsc::Sender<Job>,
    readings: mpsc::Sender<Reading>,
}

impl Sqlite {
    /// Opens a file, or makes it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let writing = connection(path)?;
        writing.pragma_update(None, "journal_mode", "WAL")?;
        writing.pragma_update(None, "synchronous", "FULL")?;
        let mut reading = connection(path)?;
        reading.pragma_update(None, "query_only", true)?;
        let (jobs, incoming) = mpsc::channel();
        thread("store", move || serve(writing, &incoming))?;
        let (readings, incoming) = mpsc::channel::<Reading>();
        thread("store-reader", move || {
            while let Ok(reads) = incoming.recv() {
                reads(&mut reading);
            }
        })?;
        Ok(Self { jobs, readings })
    }

    /// Does something in a transaction.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl for<'t, 'c> Fn(&'t mut Tx<'c>) -> Doing<'t, T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (told, telling) = oneshot::channel();
        let job = move |connection: &mut Connection| {
            let (result, lost) = alone(connection, work);
            let tell = move |committed: Result<(), StoreError>| {
                // Whoever asked may be gone; what was done stays done.
                let _ = told.send(committed.and(result));
            };
            Done { tell: Box::new(tell), lost }
        };
        self.jobs.send(Box::new(job)).map_err(|_| StoreError::Failed(GONE.to_owned()))?;
        telling.await.map_err(|_| StoreError::Unsure(GONE.to_owned()))?
    }

    /// Reads what is committed.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl for<'t, 'c> Fn(&'t mut Tx<'c>) -> Doing<'t, T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (told, telling) = oneshot::channel();
        let reading = move |connection: &mut Connection| {
            let _ = told.send(at_one_moment(connection, work));
        };
        let gone = || StoreError::Failed(GONE.to_owned());
        self.readings.send(Box::new(reading)).map_err(|_| gone())?;
        telling.await.map_err(|_| gone())?
    }
}

const GONE: &str = "its thread has ended";

fn connection(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn thread(name: &str, serving: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(serving);
    thread.map(|_| ()).map_err(|error| StoreError::Failed(error.to_string()))
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
        if committed.is_err() && !connection.is_autocommit() {
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
    let mut next = Some(first);
    while let Some(job) = next {
        // Without a transaction it does nothing, and all are told why there is none.
        let Done { tell, lost } = job(connection);
        tells.push(tell);
        begun.clone()?;
        if let Some(error) = lost {
            return Err(error);
        }
        next = if tells.len() < TOGETHER { incoming.try_recv().ok() } else { None };
    }
    connection.execute_batch("COMMIT").map_err(StoreError::of_commit_sqlite)
}

/// One job by itself: if it fails, nothing of it stays, and the others are not touched, unless the whole
/// transaction is lost by that.
fn alone<T>(
    connection: &mut Connection,
    work: impl for<'t, 'c> Fn(&'t mut Tx<'c>) -> Doing<'t, T>,
) -> (Result<T, StoreError>, Option<StoreError>) {
    if connection.is_autocommit() {
        return (Err(StoreError::Busy), None);
    }
    if let Err(error) = connection.execute_batch("SAVEPOINT job") {
        let error = StoreError::from(error);
        return (Err(error.clone()), Some(error));
    }
    let result = at_once(&work, connection);
    let end = if result.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    // After some errors, such as a full disk, SQLite has undone everything by itself.
    let ended = connection.execute_batch(end).map_err(StoreError::from);
    match (result, ended) {
        (result, Ok(())) => (result, None),
        (Err(error), Err(_)) | (Ok(_), Err(error)) => (Err(error.clone()), Some(error)),
    }
}

/// Reads all of it as it stands at one moment.
fn at_one_moment<T>(
    connection: &mut Connection,
    work: impl for<'t, 'c> Fn(&'t mut Tx<'c>) -> Doing<'t, T>,
) -> Result<T, StoreError> {
    connection.execute_batch("BEGIN")?;
    let result = at_once(&work, connection);
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    result
}

/// Does the work on this thread: with SQLite nothing is ever waited for. A panic in it is a failure of
/// it alone.
fn at_once<T>(
    work: &impl for<'t, 'c> Fn(&'t mut Tx<'c>) -> Doing<'t, T>,
    connection: &mut Connection,
) -> Result<T, StoreError> {
    let failed = |why: &str| Err(StoreError::Failed(why.to_owned()));
    let done = catch_unwind(AssertUnwindSafe(|| {
        let mut tx = Tx::Sqlite(connection);
        pin!(work(&mut tx)).poll(&mut Context::from_waker(Waker::noop()))
    }));
    match done {
        Ok(Poll::Ready(result)) => result,
        Ok(Poll::Pending) => failed("it waits for something else"),
        Err(_) => failed("a decision has panicked"),
    }
}
