//! The check of the whole journal beside a till that sells: every entry from the first to the last,
//! then the file's structure. It works in small pieces and rests between them; where it is
//! interrupted, the next start goes on. Damage is told as soon as it is seen.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::Thread;
use std::time::Duration;

use rusqlite::Connection;

use super::check::{self, Check, PIECE};
use super::key::Key;
use super::{DiskFault, JournalError, PATIENCE, READ_ONLY, Tip, beside, head, illegible, refused};

/// The rest after each piece. A piece takes some milliseconds.
const REST: Duration = Duration::from_millis(5);
/// After how many thousand steps of SQLite's check of a table it rests.
const STEPS: u32 = 20;
/// How long the end of the till waits for a disk that hangs.
const GOODBYE: Duration = Duration::from_secs(1);
/// What is checked last, and cannot be done in pieces.
const TABLES: [&str; 8] =
    ["attempt", "sale", "entry", "refund", "in_use", "chain_key", "slip", "last_slip"];

/// A check under way; it ends when this is dropped.
pub(super) struct Rounds {
    stop: Arc<AtomicBool>,
    thread: Thread,
    done: mpsc::Receiver<()>,
}

impl Rounds {
    /// Starts the thread, which calls `found` if there is damage.
    pub(super) fn start(
        path: PathBuf,
        key: Key,
        found: impl FnOnce(JournalError) + Send + 'static,
    ) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stops = Arc::clone(&stop);
        let (finished, done) = mpsc::channel();
        let thread = std::thread::Builder::new().name("journal-check".into()).spawn(move || {
            if let Some(error) =
                go_round(&path, &key, &stops).err().and_then(|why| damage(&path, why))
            {
                found(error);
            }
            drop(finished);
        })?;
        Ok(Self { stop, thread: thread.thread().clone(), done })
    }

    #[cfg(test)]
    pub(super) fn wait(&self) {
        let _ = self.done.recv();
    }
}

impl Drop for Rounds {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.unpark();
        let _ = self.done.recv_timeout(GOODBYE);
    }
}

/// What an error says about the journal: nothing if the check had to give way.
fn damage(path: &Path, error: JournalError) -> Option<JournalError> {
    let error = match error {
        JournalError::Write(error) => refused(path, error),
        JournalError::Encode(error) => illegible(path, &error),
        other => other,
    };
    match error {
        JournalError::Damaged { path, what } => Some(JournalError::FoundDamaged { path, what }),
        error if error.disk_fault() == Some(DiskFault::Io) => Some(error),
        _ => None,
    }
}

/// One round from where the last one came to; then the next begins at the first entry.
pub(super) fn go_round(path: &Path, key: &Key, stop: &Arc<AtomicBool>) -> Result<(), JournalError> {
    let mut db = Connection::open_with_flags(path, READ_ONLY)?;
    db.busy_timeout(PATIENCE)?;
    db.pragma_update(None, "cell_size_check", true)?;
    let mut bookmark = Bookmark::open(path);
    let mut tip = bookmark.tip;
    let check = Check { db: &db, key, path };
    // It may be another journal's.
    if tip.seq > check.last()? || check.hash_of(tip.seq)? != tip.chain {
        tip = Tip::default();
    }
    loop {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let snapshot = db.unchecked_transaction()?;
        let last = check.last()?;
        tip = check.chain(tip, PIECE)?;
        drop(snapshot);
        bookmark.set(tip);
        if tip.seq >= last {
            break;
        }
        std::thread::park_timeout(REST);
    }
    for table in TABLES {
        let stops = Arc::clone(stop);
        let mut thousands = 0_u32;
        check::file(&mut db, path, Some(table), move || {
            thousands += 1;
            if thousands.is_multiple_of(STEPS) {
                std::thread::park_timeout(REST);
            }
            stops.load(Ordering::Relaxed)
        })?;
    }
    if !stop.load(Ordering::Relaxed) {
        bookmark.set(Tip::default());
    }
    Ok(())
}

/// How far everything was found good, in a small file beside the journal. Nothing depends on it: if
/// it is lost, the round begins anew.
struct Bookmark {
    file: Option<File>,
    tip: Tip,
}

impl Bookmark {
    fn open(journal: &Path) -> Self {
        let nofollow = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        options.custom_flags(nofollow.bits().cast_signed());
        let file = options.open(beside(journal, ".checked")).ok();
        let file = file.filter(|file| file.metadata().is_ok_and(|file| file.is_file()));
        let mut record = vec![0; head::LENGTH];
        let read = file.as_ref().is_some_and(|file| file.read_exact_at(&mut record, 0).is_ok());
        let known = if read { head::read(Ok(record)) } else { None };
        let tip = known.filter(|(seq, _)| (1..i64::MAX).contains(seq));
        let tip = tip.map_or_else(Tip::default, |(seq, chain)| Tip { seq, chain });
        Self { file, tip }
    }

    fn set(&mut self, tip: Tip) {
        self.tip = tip;
        if let Some(file) = &self.file {
            let _ = file.write_all_at(&head::record(tip.seq, &tip.chain), 0);
        }
    }
}
