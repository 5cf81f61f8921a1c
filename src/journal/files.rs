//! The files of a journal apart from what SQLite does with them: who holds it, its write-ahead log
//! as plain bytes, and the mirror of the chain's last hash.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::head::LENGTH;
use super::key::{self, KeyFault, Secret};
use super::{APPLICATION_ID, JournalError, beside};

/// Where SQLite keeps the application id in a database (its file format, 1.3.17).
const APPLICATION_ID_AT: u64 = 68;
/// How many bytes of the log are moved at once.
const PIECE: usize = 65_536;
/// How much of the main file's end is fetched before it is opened: some 500 orders.
const READ_AHEAD: u64 = 1 << 20;

/// What a journal is stored in: the files of this machine, or the disk of a simulation. Whoever has
/// it is the only one to write there.
pub trait Files: Send {
    /// A connection to the database, which is created if there is none.
    fn connect(&self) -> rusqlite::Result<Connection>;

    /// Rewrites what the write-ahead log shows, and flushes it. After a failed flush the kernel
    /// shows bytes that are not on the disk and that no later flush would put there.
    fn settle_log(&self) -> io::Result<()>;

    /// The first bytes of the mirror; none if it is new.
    fn read_mirror(&self) -> io::Result<Vec<u8>>;

    /// Writes `record` at the beginning of the mirror, in one piece.
    fn write_mirror(&self, record: &[u8]) -> io::Result<()>;

    /// Flushes the mirror, and its name.
    fn flush_mirror(&self) -> io::Result<()>;

    /// The chain's key; `None` if there is none.
    fn read_key(&self) -> Result<Option<Secret>, KeyFault>;

    /// The key for a new journal, flushed with its name. One that is there is kept: an earlier start
    /// may have come no further, and another journal may have it too.
    fn make_key(&self) -> Result<Secret, KeyFault>;

    /// What the key is called in errors.
    fn key_path(&self) -> PathBuf;

    /// What the copy is called that is kept of the journal, which is of an older format. `None` where
    /// there is no place for one.
    fn name_of_copy(&self, format: i32) -> Option<PathBuf> {
        let _ = format;
        None
    }
}

/// What is beside a journal. Of a copy nothing of it may be there before: SQLite would play a log
/// that was left behind into the copy.
pub(super) const COMPANIONS: [&str; 6] = ["", "-wal", "-shm", "-journal", ".head", ".checked"];

/// The files of this machine.
pub(super) struct OnDisk {
    path: PathBuf,
    key: PathBuf,
    mirror: File,
    /// Held as long as this lives; the kernel releases it however the process ends.
    _lock: File,
}

impl OnDisk {
    /// Takes hold of the journal at a path, and creates its folder.
    pub(super) fn hold(path: &Path, key: Option<&Path>) -> Result<Self, JournalError> {
        let unusable = |source| JournalError::Unusable { path: path.to_owned(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true).mode(0o700).create(folder).map_err(unusable)?;
        }
        // One file has one lock, whatever path leads to it.
        let path = resolved(path).map_err(unusable)?;
        refuse_pipes(&path)?;
        let lock = lock(&path)?;
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mirror = options
            .custom_flags(no_link())
            .open(beside(&path, ".head"))
            .map_err(|source| JournalError::Unusable { path: path.clone(), source })?;
        let key = key::place(&path, key);
        Ok(Self { path, key, mirror, _lock: lock })
    }

    /// Its resolved path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Files for OnDisk {
    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(&self.path, flags)
    }

    fn settle_log(&self) -> io::Result<()> {
        // Neither the log of another program, nor one that is not a plain file.
        if !is_ours(&self.path)? {
            return Ok(());
        }
        let mut options = File::options();
        let log = options.read(true).write(true).custom_flags(no_link());
        let log = match log.open(beside(&self.path, "-wal")) {
            Ok(log) => log,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let end = log.metadata().map(|log| if log.is_file() { log.len() } else { 0 })?;
        let mut piece = vec![0; PIECE];
        let mut at = 0;
        while at < end {
            let length = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
            log.read_exact_at(&mut piece[..length], at)?;
            log.write_all_at(&piece[..length], at)?;
            at += length as u64;
        }
        log.sync_data()
    }

    fn read_mirror(&self) -> io::Result<Vec<u8>> {
        first_bytes(&self.mirror)
    }

    fn write_mirror(&self, record: &[u8]) -> io::Result<()> {
        self.mirror.write_all_at(record, 0)
    }

    fn flush_mirror(&self) -> io::Result<()> {
        self.mirror.sync_all()?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
    }

    fn read_key(&self) -> Result<Option<Secret>, KeyFault> {
        key::read(&self.key)
    }

    fn make_key(&self) -> Result<Secret, KeyFault> {
        key::make(&self.key)
    }

    fn key_path(&self) -> PathBuf {
        self.key.clone()
    }

    fn name_of_copy(&self, format: i32) -> Option<PathBuf> {
        Some(beside(&self.path, &format!(".format{format}")))
    }
}

/// What is already where a copy and the files beside it would be.
pub(super) fn taken(file: &Path) -> Option<PathBuf> {
    COMPANIONS
        .into_iter()
        .map(|suffix| beside(file, suffix))
        .find(|path| path.symlink_metadata().is_ok())
}

/// A planted link is not followed, and a pipe not waited for.
fn no_link() -> i32 {
    (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits().cast_signed()
}

/// Refuses a journal where it, or a file that SQLite or the till keeps beside it, is a pipe or a
/// device: to open one may wait for ever. A link beside it would lead the till to write elsewhere.
pub(super) fn refuse_pipes(journal: &Path) -> Result<(), JournalError> {
    for suffix in ["", "-wal", "-shm", "-journal", ".head", ".lock", ".checked"] {
        let path = beside(journal, suffix);
        // The journal itself may be reached by a link, which is followed before it is opened.
        if !suffix.is_empty() && path.is_symlink() {
            return Err(JournalError::NoFile(path));
        }
        let is_pipe = |kind: std::fs::FileType| {
            kind.is_fifo() || kind.is_char_device() || kind.is_block_device()
        };
        if path.metadata().is_ok_and(|file| is_pipe(file.file_type())) {
            return Err(JournalError::NoFile(path));
        }
    }
    Ok(())
}

/// The mirror of a journal that another process may hold; empty if there is none.
pub(super) fn read_mirror(journal: &Path) -> io::Result<Vec<u8>> {
    match File::open(beside(journal, ".head")) {
        Ok(mirror) => first_bytes(&mirror),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// What a start reads lies at the end of the file, and its pages are far apart there: the system
/// fetches them at once, in one piece.
pub(super) fn read_ahead(file: &File) {
    let end = file.metadata().map_or(0, |file| file.len());
    for (at, length) in [(0, PIECE as u64), (end.saturating_sub(READ_AHEAD), READ_AHEAD)] {
        let length = std::num::NonZeroU64::new(length);
        // Only a hint.
        let _ = rustix::fs::fadvise(file, at, length, rustix::fs::Advice::WillNeed);
    }
}

/// Whether a file is marked as a journal. One that is not marked yet has no entries, and nothing to
/// settle.
fn is_ours(path: &Path) -> io::Result<bool> {
    let mut id = [0; 4];
    match File::open(path).and_then(|file| file.read_exact_at(&mut id, APPLICATION_ID_AT)) {
        Ok(()) => Ok(i32::from_be_bytes(id) == APPLICATION_ID),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn first_bytes(mirror: &File) -> io::Result<Vec<u8>> {
    let length = usize::try_from(mirror.metadata()?.len()).unwrap_or(LENGTH).min(LENGTH);
    let mut bytes = vec![0; length];
    mirror.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// A path without links, if there is such a file or at least its folder.
pub(super) fn resolved(path: &Path) -> io::Result<PathBuf> {
    match path.canonicalize() {
        Ok(resolved) => Ok(resolved),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or_else(|| Path::new(".")).canonicalize()?;
            match path.read_link() {
                // It is yet to be created, where the link leads.
                Ok(target) => resolved(&folder.join(target)),
                Err(_) => Ok(folder.join(path.file_name().unwrap_or_default())),
            }
        }
        Err(error) => Err(error),
    }
}

/// Whether a process holds the journal at a path now. Takes hold of nothing itself, except for the
/// moment of the test.
pub fn is_held(path: &Path) -> bool {
    let Ok(path) = resolved(path) else { return false };
    let lock = match refuse_pipes(&path) {
        Ok(()) => File::open(beside(&path, ".lock")),
        Err(_) => return false,
    };
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn lock(path: &Path) -> Result<File, JournalError> {
    let unusable = |source| JournalError::Unusable { path: path.to_owned(), source };
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(no_link())
        .open(beside(path, ".lock"))
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Held(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}
