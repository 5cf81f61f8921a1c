//! Checks the journal, and the disk it is on.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::FindingReporter;
use crate::clock::Millis;
use crate::config::JournalConfig;
use crate::journal::{Audit, JournalError, JournalReader};
use crate::text::doctor::{Finding, Verdict};
use crate::text::{journal as text, system};
use paytill_host::clock::Clock;

/// A day of sales takes a few MiB.
const LITTLE_MIB: u64 = 200;
const TOO_LITTLE_MIB: u64 = 16;
const MIB: u64 = 1024 * 1024;
/// The size of one write, that of an SQLite page.
const PAGE: [u8; 4096] = [0x5a; 4096];
/// For how long flushes are timed, and how many at most.
const TRIAL: Millis = Millis(60);
const MOST_FLUSHES: u64 = 20_000;
/// No disk stores anything faster than this, except one with a cache that survives a power cut
/// (journal 2).
const TOO_FAST_US: u64 = 30;

/// Verifies the whole journal, and tests the disk under it.
pub(super) fn check(
    journal: &JournalConfig,
    is_running: bool,
    clock: &Clock,
    reporter: &mut FindingReporter,
) {
    let path = journal.path.as_path();
    match audit(journal) {
        Ok(None) => reporter.report(&Finding::NoJournal(path.display().to_string())),
        Ok(Some(Audit {
            head,
            orders,
            open,
            attention,
            numbers_taken,
            is_closed,
            refunds_unclear,
        })) => {
            reporter.report(&Finding::JournalWhole { orders, open, head });
            if !is_closed && !is_running {
                reporter.report(&Finding::JournalNotClosed);
            }
            if attention > 0 {
                reporter.report(&Finding::JournalAttention(attention));
            }
            if refunds_unclear > 0 {
                reporter.report(&Finding::RefundsUnclear(refunds_unclear));
            }
            if numbers_taken > 0 {
                reporter.report(&Finding::NumbersTaken(numbers_taken));
            }
        }
        Err(error) => {
            let sentence = text::sentence(&error, reporter.language);
            reporter.report(&Finding::JournalWrong(sentence));
        }
    }
    let folder = standing(path);
    match disk(&folder, clock) {
        Ok(findings) => findings.iter().for_each(|finding| reporter.report(finding)),
        Err(error) => reporter.report(&Finding::DiskUnwritable {
            folder: folder.display().to_string(),
            why: system::words(&error, reporter.language),
        }),
    }
}

fn audit(journal: &JournalConfig) -> Result<Option<Audit>, JournalError> {
    JournalReader::open(&journal.path, journal.key_file.as_deref())?
        .map(|mut reader| reader.audit())
        .transpose()
}

/// The journal's folder, or the nearest folder above it that exists.
fn standing(path: &Path) -> PathBuf {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut above = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
    above.find(|folder| folder.is_dir()).unwrap_or_else(|| Path::new(".")).to_owned()
}

fn disk(folder: &Path, clock: &Clock) -> io::Result<Vec<Finding>> {
    let room = rustix::fs::statvfs(folder)?;
    let free_mib = room.f_bavail.saturating_mul(room.f_frsize) / MIB;
    let flush_us = DiskTrial::new(folder)?.flush_us(clock)?;
    let mut findings = Vec::new();
    if free_mib < LITTLE_MIB {
        let is_too_little = free_mib < TOO_LITTLE_MIB;
        let verdict = if is_too_little { Verdict::Fault } else { Verdict::Warning };
        findings.push(Finding::DiskFull { free_mib, verdict });
    }
    if flush_us < TOO_FAST_US {
        findings.push(Finding::FlushTooFast(flush_us));
    }
    if findings.is_empty() {
        findings.push(Finding::DiskGood { free_mib, flush_us });
    }
    Ok(findings)
}

/// A file beside the journal for timing the disk, removed on drop.
struct DiskTrial {
    path: PathBuf,
    file: File,
}

impl DiskTrial {
    fn new(folder: &Path) -> io::Result<Self> {
        let path = folder.join(format!(".paytill-doctor-{}", std::process::id()));
        let file = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { path, file })
    }

    /// The average time of a flushed write, in microseconds.
    fn flush_us(&self, clock: &Clock) -> io::Result<u64> {
        let started = clock.uptime();
        let mut flushes = 0;
        loop {
            self.file.write_all_at(&PAGE, 0)?;
            self.file.sync_data()?;
            flushes += 1;
            let elapsed = clock.uptime().since(started);
            if elapsed >= TRIAL || flushes >= MOST_FLUSHES {
                return Ok(elapsed.0.saturating_mul(1000) / flushes);
            }
        }
    }
}

impl Drop for DiskTrial {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
