//! A safe copy of a journal while a till may be writing it.
//!
//! It is read through a reader's connection in one snapshot: the writer goes on, and what it writes
//! meanwhile is left out. The copy is made in a folder of its own beside where it is to be, closed
//! like a journal after a clean end, so that it is whole by itself, flushed, opened and verified to
//! its first entry, and only then gets its name. Nothing is ever replaced.

use std::fs::{DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use super::files::{COMPANIONS, taken};
use super::key::{self, hex};
use super::read::{Audit, JournalReader};
use super::{JournalError, Tip, beside, head};
use paytill_core::both;
use paytill_core::language::Text;

const TIP: &str = "SELECT seq, chain FROM entry ORDER BY seq DESC LIMIT 1";

/// A copy that was opened and verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Backup {
    /// Where it is.
    pub file: PathBuf,
    /// The mirror of its last entry, beside it.
    pub mirror: PathBuf,
    /// What is not in it, and without which nobody can read it.
    pub key: PathBuf,
    pub audit: Audit,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{} is there already, and nothing is replaced; choose another name", .0.display())]
    Exists(PathBuf),
    #[error("{} is a folder; name the file that the copy is to be", .0.display())]
    Folder(PathBuf),
    #[error(
        "{} is the name of a file that belongs to the journal itself; choose another one",
        .0.display()
    )]
    OfTheJournal(PathBuf),
    #[error("no copy was made at {}: {source}; check the folder, its owner and its free space", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error(
        "no copy was made: what reached the disk at {} is not what the journal holds ({what}). The \
         journal itself is good; copy to another disk", path.display()
    )]
    Differs { path: PathBuf, what: Text },
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl JournalReader {
    /// Makes a verified copy at `file`, where there must be nothing yet. `key` is as for
    /// [`JournalReader::open`].
    pub fn back_up(&mut self, file: &Path, key: Option<&Path>) -> Result<Backup, BackupError> {
        self.back_up_and(file, key, |_| ())
    }

    /// As [`JournalReader::back_up`]; `meanwhile` sees the copy before it is verified.
    pub(super) fn back_up_and(
        &mut self,
        file: &Path,
        key: Option<&Path>,
        meanwhile: impl FnOnce(&Path),
    ) -> Result<Backup, BackupError> {
        let workshop = |file: &Path| Workshop::new(file);
        self.make(file, key, workshop, true, meanwhile)
    }

    /// As [`JournalReader::back_up`], of a journal that is held, before it is brought to another
    /// format. Slips that are odd are copied as they are: they must not be in the way of a start.
    pub(super) fn keep(&mut self, file: &Path, key: &Path) -> Result<Backup, BackupError> {
        let workshop = |file: &Path| Workshop::of_holder(file).or_else(|_| Workshop::new(file));
        self.make(file, Some(key), workshop, false, |_| ())
    }

    fn make(
        &mut self,
        file: &Path,
        key: Option<&Path>,
        workshop: impl FnOnce(&Path) -> io::Result<Workshop>,
        slips: bool,
        meanwhile: impl FnOnce(&Path),
    ) -> Result<Backup, BackupError> {
        let failed = |source| BackupError::File { path: file.to_owned(), source };
        let key = key::place(&self.path, key);
        if file.is_dir() {
            return Err(BackupError::Folder(file.to_owned()));
        }
        let (folder, file) = place(file).map_err(failed)?;
        self.refuse_taken(&file)?;
        let failed = |source| BackupError::File { path: file.clone(), source };
        let workshop = workshop(&file).map_err(failed)?;
        let copy = workshop.0.join("journal");
        let mirror = beside(&copy, ".head");
        let before = tip(&self.db).map_err(JournalError::from)?;
        self.copy_to(&copy, &file)?;
        let tip = closed(&copy).map_err(failed)?;
        write_new(&mirror, &head::record(tip.seq, &tip.chain)).map_err(failed)?;
        flush(&copy).map_err(failed)?;
        meanwhile(&copy);
        let audit = match verified(&copy, &key, slips) {
            Ok(audit) if ends_at(&audit, tip) && self.has(tip)? && tip.seq >= before.seq => audit,
            Ok(_) => return Err(differs(&file, both!("its end", "末尾不同"))),
            Err(fault) => {
                // It may be the journal that is damaged, and not its copy.
                self.audit_with(slips)?;
                return Err(differs(&file, said(fault)));
            }
        };
        let mut named = Named(Vec::new());
        for (from, to) in [(&mirror, beside(&file, ".head")), (&copy, file.clone())] {
            put(from, &to).map_err(failed)?;
            named.0.push(to);
        }
        File::open(&folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        // By its name, as a till would.
        if let Err(fault) = Self::open(&file, Some(&key)) {
            return Err(differs(&file, said(fault)));
        }
        named.0.clear();
        Ok(Backup { mirror: beside(&file, ".head"), file, key, audit })
    }

    fn refuse_taken(&self, file: &Path) -> Result<(), BackupError> {
        for suffix in COMPANIONS.into_iter().chain([".lock", ".key"]) {
            if *file == beside(&self.path, suffix) && !suffix.is_empty() {
                return Err(BackupError::OfTheJournal(file.to_owned()));
            }
        }
        taken(file).map_or(Ok(()), |taken| Err(BackupError::Exists(taken)))
    }

    /// Copies what a reader sees now. The writer is not kept waiting, but its log grows meanwhile.
    fn copy_to(&mut self, copy: &Path, file: &Path) -> Result<(), BackupError> {
        let failed = |source| BackupError::File { path: file.to_owned(), source };
        // An empty file is taken by SQLite, and has its mode from the beginning.
        write_new(copy, &[]).map_err(failed)?;
        let name = copy.to_str().ok_or_else(|| {
            failed(io::Error::new(io::ErrorKind::InvalidInput, "its name is not UTF-8"))
        })?;
        match self.db.execute("VACUUM INTO ?", [name]) {
            Ok(_) => Ok(()),
            Err(error) => {
                if matches!(
                    error.sqlite_error_code(),
                    Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
                ) {
                    self.audit_with(false)?;
                }
                Err(failed(of_sqlite(error)))
            }
        }
    }

    /// Whether this entry is in the journal that was copied.
    fn has(&self, Tip { seq, chain }: Tip) -> Result<bool, JournalError> {
        let find = "SELECT chain FROM entry WHERE seq = ?";
        let found: Option<[u8; 16]> =
            self.db.query_row(find, [seq], |row| row.get(0)).optional()?;
        Ok(found.map_or(seq == 0, |found| found == chain))
    }
}

/// The folder of a file that is to be made, and its whole path.
fn place(file: &Path) -> io::Result<(PathBuf, PathBuf)> {
    let name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new(".")).canonicalize()?;
    let file = folder.join(name);
    Ok((folder, file))
}

fn ends_at(audit: &Audit, tip: Tip) -> bool {
    let head = audit.head.as_ref();
    head.map_or(tip.seq == 0, |head| (head.entry, &head.digest) == (tip.seq, &hex(&tip.chain)))
}

fn differs(file: &Path, what: Text) -> BackupError {
    BackupError::Differs { path: file.to_owned(), what }
}

/// What is wrong with the copy, without advice that is about journals.
fn said(fault: JournalError) -> Text {
    match fault {
        JournalError::Damaged { what, .. } => what,
        other => both!("{other}", "无法打开"),
    }
}

pub(super) fn tip(db: &Connection) -> rusqlite::Result<Tip> {
    let found = db.query_row(TIP, [], |row| Ok(Tip { seq: row.get(0)?, chain: row.get(1)? }));
    Ok(found.optional()?.unwrap_or_default())
}

/// Takes back the mark of a process that has the journal in use: the copy is whole without the
/// files beside the journal. Returns its last entry.
fn closed(copy: &Path) -> io::Result<Tip> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let close = || {
        let db = Connection::open_with_flags(copy, flags)?;
        db.execute("UPDATE in_use SET is_open = 0", [])?;
        tip(&db)
    };
    close().map_err(of_sqlite)
}

/// An error of SQLite's as one of the system's, as far as there is such a one.
fn of_sqlite(error: rusqlite::Error) -> io::Error {
    use rusqlite::ErrorCode;
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => io::ErrorKind::StorageFull,
        Some(ErrorCode::ReadOnly) => io::ErrorKind::ReadOnlyFilesystem,
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            io::ErrorKind::PermissionDenied
        }
        Some(ErrorCode::OutOfMemory) => io::ErrorKind::OutOfMemory,
        Some(ErrorCode::TooBig) => io::ErrorKind::FileTooLarge,
        Some(ErrorCode::SystemIoFailure) => return Errno::IO.into(),
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

/// Opens a copy and verifies all of it, as far as possible from the disk and not from memory.
fn verified(copy: &Path, key: &Path, slips: bool) -> Result<Audit, JournalError> {
    let nothing = || JournalError::Damaged {
        path: copy.to_owned(),
        what: both!("it is empty", "文件为空"),
    };
    JournalReader::open(copy, Some(key))?.ok_or_else(nothing)?.audit_with(slips)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Puts it on the disk, and lets the next reader fetch it from there.
fn flush(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    file.sync_all()?;
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    Ok(())
}

/// Gives a finished file its name, where there is none of that name.
fn put(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system that cannot do it so; nothing was there a moment ago.
        Err(Errno::INVAL | Errno::NOSYS) => std::fs::rename(from, to),
        renamed => Ok(renamed?),
    }
}

/// What has its name already. It is removed again if the rest fails.
struct Named(Vec<PathBuf>);

impl Drop for Named {
    fn drop(&mut self) {
        for path in &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A folder of the copy's own while it is not finished. It is removed whatever happens, unless the
/// process is killed.
struct Workshop(PathBuf);

/// What may be in it.
const PARTS: [&str; 5] =
    ["journal", "journal-journal", "journal-wal", "journal-shm", "journal.head"];

impl Workshop {
    /// Under a name that only whoever holds the journal uses, so that what was left there by one who
    /// was killed is known.
    fn of_holder(file: &Path) -> io::Result<Self> {
        let path = beside(file, ".new");
        clear(&path)?;
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    fn new(file: &Path) -> io::Result<Self> {
        let mut chance = [0; 8];
        aws_lc_rs::rand::fill(&mut chance).map_err(|_| io::Error::other("no random numbers"))?;
        let path = beside(file, &format!(".{}.new", hex(&chance)));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Removes what a holder of the journal left there that was killed. Whatever else is there stays.
pub(super) fn clear(workshop: &Path) -> io::Result<()> {
    let facts = match workshop.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        facts => facts?,
    };
    let is_ours = facts.is_dir()
        && facts.uid() == rustix::process::geteuid().as_raw()
        && facts.mode() & 0o7777 == 0o700;
    if !is_ours {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let mut parts = Vec::new();
    for part in workshop.read_dir()? {
        let part = part?;
        let is_known = part.file_name().to_str().is_some_and(|name| PARTS.contains(&name));
        if !is_known || !part.file_type()?.is_file() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        parts.push(part.path());
    }
    parts.iter().try_for_each(std::fs::remove_file)?;
    std::fs::remove_dir(workshop)
}
