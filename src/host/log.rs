//! The log: one line of JSON for each event, in one file a day, never on the terminal.
//!
//! It may fail or fall behind without anything waiting for it: lines are then dropped, not sales.
//! Nor can it fill the disk: a day's file ends at 32 MiB, and 30 of them are kept.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use tracing::Subscriber;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;

use crate::clock::Clock;
use paytill_core::both;
use paytill_core::clean::escape;
use paytill_core::clock::{Date, TimeZone};
use paytill_core::language::Text;
use paytill_core::text::system;

/// The prefix of all crate names of the project.
const OURS: &str = "paytill";
const FILES_KEPT: usize = 30;
const LARGEST_FILE: u64 = 32 * 1024 * 1024;
/// How many lines may wait for the disk before new ones are dropped.
const LINES_WAITING: usize = 10_000;

/// Why there is no log. That is worth a warning, but the till can sell without one.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("the log cannot be written to {path}: {source}")]
    Open { path: PathBuf, source: io::Error },
    #[error("the log gets no thread: {0}")]
    Thread(#[source] io::Error),
    #[error("there is a log already")]
    Twice,
}

impl LogError {
    /// The error in all languages.
    pub fn text(&self) -> Text {
        match self {
            Self::Open { path, source } => both!(
                "the log cannot be written to {path}",
                "无法写入日志 {path}",
                path = path.display()
            )
            .because(&system::text(source)),
            Self::Thread(source) => {
                both!("the log gets no thread", "无法启动日志线程").because(&system::text(source))
            }
            Self::Twice => both!("there is a log already", "日志已在运行"),
        }
    }
}

/// Pending lines are written when this is dropped.
#[must_use = "the log ends when this is dropped"]
pub struct LogGuard {
    _worker: Option<WorkerGuard>,
}

/// Opens the log for the entire process; the day in the shop's zone is appended to `path`. Nothing
/// is opened if the level is `off`.
pub fn start(path: &Path, level: LevelFilter, zone: TimeZone) -> Result<LogGuard, LogError> {
    if level == LevelFilter::OFF {
        return Ok(LogGuard { _worker: None });
    }
    let clock = Clock::start();
    let days = clock.clone();
    let daily = Daily::open(path, Box::new(move || days.wall().day(&zone)))
        .map_err(|source| LogError::Open { path: path.to_owned(), source })?;
    // The library's writer would end the process if it got no thread.
    let probe = std::thread::Builder::new().name("log".into()).spawn(|| ());
    drop(probe.map_err(LogError::Thread)?.join());
    let (subscriber, worker) = subscriber(daily, level, clock);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Twice)?;
    Ok(LogGuard { _worker: Some(worker) })
}

fn subscriber(
    daily: Daily,
    level: LevelFilter,
    clock: Clock,
) -> (impl Subscriber + Send + Sync, WorkerGuard) {
    let (writer, worker) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES_WAITING)
        .thread_name("log")
        .finish(daily);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_timer(WallTime(clock))
        .log_internal_errors(false)
        .with_writer(writer);
    // Only warnings from libraries: their details may contain what we must not keep.
    let filter = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target(OURS, level);
    (tracing_subscriber::registry().with(lines).with(filter), worker)
}

struct WallTime(Clock);

impl FormatTime for WallTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        writer.write_str(&self.0.wall().to_rfc3339())
    }
}

/// One file a day, named after the shop's calendar day.
struct Daily {
    path: PathBuf,
    today: Box<dyn FnMut() -> Date + Send>,
    day: Date,
    file: File,
    /// Bytes in the file so far.
    size: u64,
    largest: u64,
}

impl Daily {
    fn open(path: &Path, mut today: Box<dyn FnMut() -> Date + Send>) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let day = today();
        let (file, size) = open(path, day)?;
        prune(path);
        Ok(Self { path: path.to_owned(), today, day, file, size, largest: LARGEST_FILE })
    }

    fn turn_the_page(&mut self) -> io::Result<()> {
        let day = (self.today)();
        if day != self.day {
            (self.file, self.size) = open(&self.path, day)?;
            self.day = day;
            prune(&self.path);
        }
        Ok(())
    }
}

impl Write for Daily {
    /// Takes complete lines. One that no longer fits is dropped.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.turn_the_page()?;
        let escaped = escape(&String::from_utf8_lossy(line));
        let length = u64::try_from(escaped.len()).unwrap_or(u64::MAX);
        if self.size.saturating_add(length) <= self.largest {
            self.file.write_all(escaped.as_bytes())?;
            self.size += length;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Opens a day's file for appending: only a file of our own, and never what a link points to.
fn open(path: &Path, day: Date) -> io::Result<(File, u64)> {
    let flags = OFlags::WRONLY
        | OFlags::APPEND
        | OFlags::CREATE
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(dated(path, day), flags, Mode::RUSR | Mode::WUSR)?);
    let facts = file.metadata()?;
    if !facts.is_file() || facts.uid() != rustix::process::geteuid().as_raw() {
        let foreign = "it is not a file of our own";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, foreign));
    }
    Ok((file, facts.len()))
}

/// Removes all but the newest files of this log. Only files named as this log names them can go,
/// since the journal may be in the same folder. Failing to remove one is no error.
fn prune(path: &Path) {
    let Some(Ok(entries)) = path.parent().map(Path::read_dir) else { return };
    let mut days: Vec<Date> =
        entries.flatten().filter_map(|entry| day_of(path, &entry.path())).collect();
    days.sort_unstable();
    let old = days.len().saturating_sub(FILES_KEPT);
    for day in &days[..old] {
        let _ = std::fs::remove_file(dated(path, *day));
    }
}

fn dated(path: &Path, day: Date) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{day}"));
    name.into()
}

fn day_of(path: &Path, file: &Path) -> Option<Date> {
    let day: Date = file.extension()?.to_str()?.parse().ok()?;
    (dated(path, day) == file).then_some(day)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::{Arc, Mutex};

    use jiff::civil::date;
    use tempfile::TempDir;

    use super::*;

    const DAY: Date = date(2026, 11, 22);

    fn daily(folder: &TempDir, day: &Arc<Mutex<Date>>) -> Daily {
        let day = Arc::clone(day);
        Daily::open(&folder.path().join("till/till.log"), Box::new(move || *day.lock().unwrap()))
            .unwrap()
    }

    fn text(folder: &TempDir, day: &str) -> String {
        fs::read_to_string(folder.path().join(format!("till/till.log.{day}"))).unwrap()
    }

    #[test]
    fn each_day_has_its_file() {
        let (folder, day) = (TempDir::new().unwrap(), Arc::new(Mutex::new(DAY)));
        let mut daily = daily(&folder, &day);
        daily.write_all(b"one\n").unwrap();
        *day.lock().unwrap() = DAY.tomorrow().unwrap();
        daily.write_all(b"two\n").unwrap();
        assert_eq!(text(&folder, "2026-11-22"), "one\n");
        assert_eq!(text(&folder, "2026-11-23"), "two\n");
    }

    #[test]
    fn keeps_thirty_files_and_touches_nothing_else() {
        let (folder, day) = (TempDir::new().unwrap(), Arc::new(Mutex::new(DAY)));
        let mut daily = daily(&folder, &day);
        let till = folder.path().join("till");
        let others = ["till.log.sqlite", "till.log", "till.log.20261101", "other.log.2020-01-01"];
        for other in others {
            fs::write(till.join(other), "").unwrap();
        }
        for _ in 0..40 {
            let tomorrow = day.lock().unwrap().tomorrow().unwrap();
            *day.lock().unwrap() = tomorrow;
            daily.write_all(b"line\n").unwrap();
        }
        assert_eq!(till.read_dir().unwrap().count(), FILES_KEPT + others.len());
        assert!(others.iter().all(|other| till.join(other).exists()));
        assert!(till.join(format!("till.log.{}", day.lock().unwrap())).exists());
    }

    #[test]
    fn a_days_file_does_not_grow_without_end() {
        let (folder, day) = (TempDir::new().unwrap(), Arc::new(Mutex::new(DAY)));
        let mut first = daily(&folder, &day);
        first.largest = 10;
        first.write_all(b"12345\n").unwrap();
        first.write_all(b"too long\n").unwrap();
        first.write_all(b"678\n").unwrap();
        drop(first);
        let mut second = daily(&folder, &day);
        second.largest = 10;
        second.write_all(b"\n").unwrap();
        assert_eq!(text(&folder, "2026-11-22"), "12345\n678\n");
    }

    #[test]
    fn only_the_owner_can_read_it() {
        let (folder, day) = (TempDir::new().unwrap(), Arc::new(Mutex::new(DAY)));
        let _daily = daily(&folder, &day);
        let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().mode() & 0o777;
        assert_eq!(mode("till"), 0o700);
        assert_eq!(mode("till/till.log.2026-11-22"), 0o600);
    }

    #[test]
    fn follows_no_link() {
        let folder = TempDir::new().unwrap();
        let victim = folder.path().join("victim");
        fs::write(&victim, "books").unwrap();
        let path = folder.path().join("till.log");
        std::os::unix::fs::symlink(&victim, dated(&path, DAY)).unwrap();
        assert!(Daily::open(&path, Box::new(|| DAY)).is_err());
        assert_eq!(fs::read_to_string(victim).unwrap(), "books");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error_with_its_path() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let path = folder.path().join("file/till.log");
        let error = start(&path, LevelFilter::INFO, TimeZone::UTC).err().unwrap().to_string();
        assert!(error.starts_with("the log cannot be written to /"), "{error}");
    }

    #[test]
    fn writes_lines_of_json_in_which_nothing_commands_a_terminal() {
        let (folder, day) = (TempDir::new().unwrap(), Arc::new(Mutex::new(DAY)));
        let (subscriber, worker) =
            subscriber(daily(&folder, &day), LevelFilter::INFO, Clock::start());
        tracing::subscriber::with_default(subscriber, || {
            let hostile = "余额\u{1b}[2J\u{9b}31m\u{202e}\r\n\u{e0041}{\"level\":\"forged\"}";
            tracing::info!(out_trade_no = "T01", hostile, "paid");
            tracing::debug!("not at this level");
            tracing::info!(target: "hyper", "libraries are heard only when they warn");
            tracing::warn!(target: "hyper", "a warning");
        });
        drop(worker);
        let text = text(&folder, "2026-11-22");
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(
            !text
                .chars()
                .any(|character| character != '\n' && paytill_core::clean::is_unsafe(character))
        );
        assert_eq!(lines[0]["message"], "paid");
        assert_eq!(lines[0]["level"], "INFO");
        assert_eq!(lines[0]["out_trade_no"], "T01");
        assert!(
            lines[0]["hostile"].as_str().unwrap().starts_with("余额\u{1b}[2J\u{9b}31m\u{202e}")
        );
        assert!(lines[0]["timestamp"].as_str().unwrap().ends_with("+00:00"));
        assert_eq!(lines[1]["message"], "a warning");
    }
}
