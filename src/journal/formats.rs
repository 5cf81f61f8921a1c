//! Journals of older formats: a newer program brings them to its own, after a copy was kept.
//!
//! Nothing is changed before the journal was found good and its copy was opened and verified, and
//! then everything is changed in one transaction. A start that is interrupted leaves either format
//! whole; the next one goes on with the copy that it finds, and clears away what it finds of one
//! that was not finished. An older program refuses what came of it, by its format.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::backup::{self, BackupError};
use super::check::Check;
use super::files::{self, taken};
use super::key::Key;
use super::read::JournalReader;
use super::{FORMAT, Journal, JournalError, beside, head, register, tables};

/// Early journals of format 3 lack this index.
const TAIL: &str =
    "CREATE INDEX IF NOT EXISTS attempt_by_tail ON attempt (substr(out_trade_no, -4))";

/// What a start is about to do to an older journal, or has done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Migrated {
    pub journal: PathBuf,
    pub from: i32,
    pub to: i32,
    /// As it was before, readable with the same key; `None` where the files can have no copy.
    pub copy: Option<PathBuf>,
}

/// Brings the tables of an older format to this one's; for a new journal from the oldest.
pub(super) fn steps(db: &Connection, key: &Key, from: i32) -> rusqlite::Result<()> {
    register::migrate(db, key, from)?;
    tables::add(db, from.max(tables::SLIP_SUMS), FORMAT)
}

impl Journal {
    /// What this start has brought to a newer format.
    pub fn migrated(&self) -> Option<&Migrated> {
        self.migrated.as_ref()
    }

    /// Brings a journal of an older format to this one's; `begins` hears of it before, and where the
    /// copy will be.
    pub(super) fn migrate(
        &mut self,
        from: i32,
        begins: &mut dyn FnMut(&Migrated),
    ) -> Result<(), JournalError> {
        let journal = self.path.clone();
        Check { db: &self.db, key: &self.key, path: &journal }.tables()?;
        let mut migrated = Migrated { journal, from, to: FORMAT, copy: None };
        match self.files.name_of_copy(from) {
            Some(name) => self.keep_copy(&name, &mut migrated, begins)?,
            None => begins(&migrated),
        }
        let transaction = self.db.transaction()?;
        steps(&transaction, &self.key, from)?;
        transaction.execute_batch(TAIL)?;
        transaction.pragma_update(None, "user_version", FORMAT)?;
        transaction.commit()?;
        self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        self.migrated = Some(migrated);
        Ok(())
    }

    /// Sees to it that there is a verified copy of the journal as it is.
    fn keep_copy(
        &self,
        name: &Path,
        migrated: &mut Migrated,
        begins: &mut dyn FnMut(&Migrated),
    ) -> Result<(), JournalError> {
        let key = self.files.key_path();
        let mut reader = JournalReader::of_held(&self.path, Some(&key))?;
        let mut is_told = false;
        let others = (2..).map(|number| beside(name, &format!("-{number}")));
        for copy in std::iter::once(name.to_owned()).chain(others) {
            self.clear_remains(&copy);
            let is_free = taken(&copy).is_none();
            // An earlier start has kept it, and came no further.
            let kept = if is_free { None } else { self.kept(&copy, &key) };
            if !is_free && kept.is_none() {
                continue;
            }
            migrated.copy = Some(copy.clone());
            if !std::mem::replace(&mut is_told, true) {
                begins(migrated);
            }
            let Some(kept) = kept else {
                let made = reader.keep(&copy, &key);
                return made.map(drop).map_err(|error| self.not_kept(migrated, copy, error));
            };
            if reader.is_the_same(kept) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Removes what is left of a copy that a killed start has not finished: nobody but the journal's
    /// holder makes one under these names.
    fn clear_remains(&self, copy: &Path) {
        let _ = backup::clear(&beside(copy, ".new"));
        let mirror = beside(copy, ".head");
        let is_alone = taken(copy).is_some_and(|taken| taken == mirror);
        // It got its name, and the copy did not.
        let is_ours = is_alone
            && mirror.symlink_metadata().is_ok_and(|mirror| mirror.is_file())
            && head::read(files::read_mirror(copy))
                .is_some_and(|(seq, chain)| (seq, chain) == (self.tip.seq, self.tip.chain));
        if is_ours {
            let _ = std::fs::remove_file(mirror);
        }
    }

    /// A copy that ends where this journal does.
    fn kept(&self, copy: &Path, key: &Path) -> Option<JournalReader> {
        let kept = JournalReader::open(copy, Some(key)).ok().flatten()?;
        let ends = backup::tip(&kept.db).is_ok_and(|tip| tip == self.tip);
        ends.then_some(kept)
    }

    fn not_kept(&self, migrated: &Migrated, copy: PathBuf, error: BackupError) -> JournalError {
        let source = match error {
            BackupError::Journal(error) => return error,
            BackupError::File { source, .. } => source,
            BackupError::Exists(_) | BackupError::Folder(_) | BackupError::OfTheJournal(_) => {
                io::ErrorKind::AlreadyExists.into()
            }
            error @ BackupError::Differs { .. } => io::Error::other(error.to_string()),
        };
        let (path, format) = (self.path.clone(), migrated.from);
        JournalError::NotKept { path, format, copy, source }
    }
}

impl JournalReader {
    /// Whether another file holds the same, which is verified: all entries, by the chain that ends
    /// with the same digest, and what is in no chain.
    fn is_the_same(&self, mut other: Self) -> bool {
        let format = |db: &Connection| -> rusqlite::Result<i32> {
            db.pragma_query_value(None, "user_version", |row| row.get(0))
        };
        let same = || -> rusqlite::Result<bool> {
            Ok(format(&self.db)? == format(&other.db)? && register::is_same(&self.db, &other.db)?)
        };
        same().unwrap_or_default() && other.audit_with(false).is_ok()
    }
}
