//! Why a journal cannot be used, and what SQLite's errors come to.

use std::path::{Path, PathBuf};

use super::FORMAT;
use super::key::KeyFault;
use paytill_core::both;
use paytill_core::clean::clean;
use paytill_core::language::Text;

/// How much of a library's own text on damage is shown, in cells.
const WORDS: usize = 120;

/// Why there is no journal to write to. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("another paytill holds the journal {}; close it first", .0.display())]
    Held(PathBuf),
    #[error(
        "the journal {} is damaged ({what}); nothing was sent and nothing was changed. \
         Move it away together with the files beside it, keep them for support, and start again or \
         restore a backup", path.display()
    )]
    Damaged { path: PathBuf, what: Text },
    #[error(
        "the journal {} is damaged ({what}), which was noticed while the till was running; nothing \
         more is sold and nothing more is written. Close the till, move the journal away together \
         with the files beside it, keep them for support, and start again or restore a backup",
        path.display()
    )]
    FoundDamaged { path: PathBuf, what: Text },
    #[error(
        "the journal {path} was not closed, and {path}.head is not beside it: it may lack the newest \
         payments; nothing was sent and nothing was changed. Copy {path}, {path}-wal, {path}.head \
         and {path}.key together from where it was last in use, and start again; if they are lost, \
         move it away, keep it for support, and start again", path = .0.display()
    )]
    Alone(PathBuf),
    #[error(
        "{} is a link, a pipe or a device and not a file; remove it or choose another journal.path, and \
         start again", .0.display()
    )]
    NoFile(PathBuf),
    #[error(
        "the journal {} was not opened, nothing was sent and nothing was changed: its key {} {fault}",
        path.display(), key.display()
    )]
    Key { path: PathBuf, key: PathBuf, fault: KeyFault },
    #[error("{} is not a journal of paytill; choose another journal.path or move the file", .0.display())]
    Foreign(PathBuf),
    #[error(
        "the journal {} has a second name, a hard link; remove the link or start again with a copy: \
         reached by two names it would be written as two journals", .0.display()
    )]
    Linked(PathBuf),
    #[error(
        "the journal {} was written by a newer paytill (format {format}); install that version",
        path.display()
    )]
    Newer { path: PathBuf, format: i32 },
    #[error(
        "the journal {} was written by an older paytill (format {format}), which this version does \
         not read; move it away together with the files beside it, and start again",
        path.display()
    )]
    Older { path: PathBuf, format: i32 },
    #[error(
        "the journal {} was written by an older paytill (format {format}) and is brought to this \
         version's format only after a copy was kept, which failed: {}: {source}. Nothing was sent \
         and the journal was not changed; check the folder and its free space, and start again",
        path.display(), copy.display()
    )]
    NotKept { path: PathBuf, format: i32, copy: PathBuf, source: std::io::Error },
    #[error("the journal {} cannot be opened: {source}; check the folder's owner and free space", path.display())]
    Unusable { path: PathBuf, source: std::io::Error },
    #[error(
        "the journal {} cannot be opened: its file system allows no write-ahead log; put it on a \
         local disk", .0.display()
    )]
    NoLog(PathBuf),
    #[error(
        "the journal could not be written: {0}; free disk space or check the disk, then start again"
    )]
    Write(#[from] rusqlite::Error),
    #[error("the journal has failed before; nothing is written until the next start")]
    Stopped,
    #[error("the journal's thread has ended; nothing is written until the next start")]
    Ended,
    #[error("a journal entry could not be encoded: {0}")]
    Encode(#[from] serde_json::Error),
}

impl JournalError {
    /// Whether it is about one odd row, which was left as it was, and not about the disk: only of a
    /// row that no payment rests on.
    pub fn is_of_a_row(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            // Without a code it is the library's own: a value of another type, or no value.
            Self::Write(error) => error
                .sqlite_error_code()
                .is_none_or(|code| code == rusqlite::ErrorCode::ConstraintViolation),
            _ => false,
        }
    }

    /// The fault of the disk that SQLite reports, if that is the cause.
    pub fn disk_fault(&self) -> Option<DiskFault> {
        let of_sqlite = match self {
            Self::Write(error) => error,
            Self::Unusable { source, .. } => source.get_ref()?.downcast_ref()?,
            Self::Held(_)
            | Self::Damaged { .. }
            | Self::FoundDamaged { .. }
            | Self::Alone(_)
            | Self::NoFile(_)
            | Self::Key { .. }
            | Self::Foreign(_)
            | Self::Linked(_)
            | Self::Older { .. }
            | Self::Newer { .. }
            | Self::NotKept { .. }
            | Self::NoLog(_)
            | Self::Stopped
            | Self::Ended
            | Self::Encode(_) => return None,
        };
        DiskFault::of(of_sqlite)
    }
}

/// Why SQLite cannot read or write, distinguished by what the owner can do about it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DiskFault {
    Full,
    ReadOnly,
    /// The disk is failing.
    Io,
    Corrupt,
    /// There is no such file, or it may not be opened.
    CannotOpen,
    /// Another program has locked it.
    Busy,
    OutOfMemory,
    TooLarge,
}

impl DiskFault {
    fn of(error: &rusqlite::Error) -> Option<Self> {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code()? {
            ErrorCode::DiskFull => Some(Self::Full),
            ErrorCode::ReadOnly => Some(Self::ReadOnly),
            ErrorCode::SystemIoFailure => Some(Self::Io),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Some(Self::Corrupt),
            ErrorCode::CannotOpen | ErrorCode::PermissionDenied => Some(Self::CannotOpen),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Some(Self::Busy),
            ErrorCode::OutOfMemory => Some(Self::OutOfMemory),
            ErrorCode::TooBig => Some(Self::TooLarge),
            _ => None,
        }
    }
}

/// One of our journals, in a format that this version does not read.
pub(super) fn other_format(path: PathBuf, format: i32) -> JournalError {
    match format {
        ..1 => JournalError::Damaged { path, what: both!("unknown format", "格式未知") },
        1..=FORMAT => JournalError::Older { path, format },
        _ => JournalError::Newer { path, format },
    }
}

/// SQLite's errors on opening, distinguished by what the owner can do about them.
pub(super) fn refused(path: &Path, error: rusqlite::Error) -> JournalError {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            sqlite_damage(path, &error.to_string())
        }
        Some(_) => {
            JournalError::Unusable { path: path.to_owned(), source: std::io::Error::other(error) }
        }
        // A column's type is not the one it was written with.
        None => sqlite_damage(path, &error.to_string()),
    }
}

/// Damage in SQLite's own words.
pub(super) fn sqlite_damage(path: &Path, words: &str) -> JournalError {
    let words = clean(words, WORDS);
    JournalError::Damaged { path: path.to_owned(), what: both!("{words}", "SQLite 报告 {words}") }
}

/// An entry that is not what was written.
pub(super) fn illegible(path: &Path, error: &serde_json::Error) -> JournalError {
    let why = clean(&error.to_string(), WORDS);
    JournalError::Damaged {
        path: path.to_owned(), what: both!("{why}", "记录无法读取，{why}")
    }
}
