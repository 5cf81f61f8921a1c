//! Journals of older formats: a newer program brings them to its own, after a copy was kept.
//!
//! Nothing is changed before the journal was found good and its copy was opened and verified, and
//! then everything is changed in one transaction. A start that is interrupted leaves either format
//! whole. An older program refuses what came of it, by its format.

use std::io;
use std::path::{Path, PathBuf};

use super::backup::BackupError;
use super::read::JournalReader;
use super::{FORMAT, Journal, JournalError, slips};

/// The oldest format that is still read.
pub(super) const OLDEST: i32 = 3;

/// What a start has done to an older journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Migrated {
    pub journal: PathBuf,
    pub from: i32,
    pub to: i32,
    /// As it was before, readable with the same key; `None` where the files can have no copy.
    pub copy: Option<PathBuf>,
}

impl Journal {
    /// What this start has brought to a newer format.
    pub fn migrated(&self) -> Option<&Migrated> {
        self.migrated.as_ref()
    }

    fn keep_copy(&self, copy: &Path, format: i32) -> Result<PathBuf, JournalError> {
        let key = self.files.key_path();
        let mut reader = JournalReader::of_held(&self.path, Some(&key))?;
        let source = match reader.back_up(copy, Some(&key)) {
            Ok(backup) => return Ok(backup.file),
            Err(BackupError::Journal(error)) => return Err(error),
            Err(BackupError::File { source, .. }) => source,
            Err(BackupError::Exists(_) | BackupError::OfTheJournal(_)) => {
                io::ErrorKind::AlreadyExists.into()
            }
            Err(error @ BackupError::Differs { .. }) => io::Error::other(error.to_string()),
        };
        Err(JournalError::NotKept { path: self.path.clone(), format, copy: copy.into(), source })
    }

    /// Brings a journal of an older format to this one's, step by step.
    pub(super) fn migrate(&mut self, from: i32) -> Result<(), JournalError> {
        let journal = self.path.clone();
        let copy = self.files.place_for_copy(from);
        let copy = copy.map(|copy| self.keep_copy(&copy, from)).transpose()?;
        let transaction = self.db.transaction()?;
        if from < slips::SINCE {
            transaction.execute_batch(include_str!("slips.sql"))?;
            slips::begin(&transaction, &self.key)?;
            transaction.execute_batch(include_str!("refunds.sql"))?;
        }
        transaction.pragma_update(None, "user_version", FORMAT)?;
        transaction.commit()?;
        self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        self.migrated = Some(Migrated { journal, from, to: FORMAT, copy });
        Ok(())
    }
}
