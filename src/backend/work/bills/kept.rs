//! Where bills are kept: a file a day, as it came.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use paytill_core::bill::ready_at;
use paytill_core::clock::{Date, Timestamp};

use crate::files;

/// So many bills are kept; an older one is fetched again.
const KEPT: usize = 31;
/// What begins like this is not whole yet.
const PART: &str = "part-";
/// Whoever has not come to an end after so long is gone.
const LONGEST: Duration = Duration::from_hours(1);

/// The bill of a day, if it is there. `anew`: not if it was kept before the gateway's final one.
pub(super) fn open(folder: &Path, day: Date, anew: bool) -> Option<File> {
    let file = File::open(folder.join(day.to_string())).ok()?;
    let at = file.metadata().and_then(|metadata| metadata.modified()).ok()?;
    let is_final = ready_at(day).is_some_and(|ready| time(at) >= ready);
    (is_final || !anew).then_some(file)
}

/// Where one is put while it comes.
pub(super) fn begin(folder: &Path) -> io::Result<PathBuf> {
    if !folder.exists() {
        files::make_folder(folder).map_err(|_| io::Error::from(io::ErrorKind::PermissionDenied))?;
    }
    Ok(folder.join(format!("{PART}{}", std::process::id())))
}

/// It is whole: it gets its name, and the oldest ones go.
pub(super) fn keep(folder: &Path, part: &Path, day: Date) -> io::Result<()> {
    fs::rename(part, folder.join(day.to_string()))?;
    let mut days: Vec<Date> = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if let Ok(known) = name.parse() {
            days.push(known);
        } else if name.starts_with(PART) && is_left(&entry) {
            drop_part(&entry.path());
        }
    }
    days.sort_unstable();
    let old = days.len().saturating_sub(KEPT);
    for old in days.iter().take(old).filter(|old| **old != day) {
        let _ = fs::remove_file(folder.join(old.to_string()));
    }
    Ok(())
}

fn is_left(entry: &fs::DirEntry) -> bool {
    let at = entry.metadata().and_then(|metadata| metadata.modified());
    at.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > LONGEST))
}

/// It is of no use.
pub(super) fn drop_part(part: &Path) {
    let _ = fs::remove_file(part);
}

fn time(at: SystemTime) -> Timestamp {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_what_is_asked_for_is_one_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let first = Date::new(2026, 1, 1).unwrap();
        let put = |day: Date| {
            let part = begin(folder.path()).unwrap();
            fs::write(&part, b"a bill").unwrap();
            keep(folder.path(), &part, day).unwrap();
        };
        let mut day = first;
        for _ in 0..KEPT + 2 {
            day = day.tomorrow().unwrap();
            put(day);
        }
        let is_kept = |day: Date| open(folder.path(), day, true).is_some();
        assert!(is_kept(day) && !is_kept(first.tomorrow().unwrap()));
        put(first);
        assert!(is_kept(first), "it was just asked for");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), KEPT + 1);
    }

    #[test]
    fn what_was_kept_before_the_final_one_is_fetched_again() {
        let folder = tempfile::tempdir().unwrap();
        let day = Date::new(2999, 1, 1).unwrap();
        let part = begin(folder.path()).unwrap();
        fs::write(&part, b"a bill").unwrap();
        keep(folder.path(), &part, day).unwrap();
        assert!(open(folder.path(), day, true).is_none());
        assert!(open(folder.path(), day, false).is_some(), "its next page");
    }
}
