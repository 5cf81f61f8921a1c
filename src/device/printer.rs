//! A receipt printer: bytes to a serial port, or appended to a file.
//!
//! What is told of a job is only what is known: *sent* means that the system has handed on every
//! byte, not that paper came out. A job that has begun is never begun again by itself, since the
//! customer could get two receipts; it fails, and somebody may print it once more, marked as a
//! copy. A job that has not begun waits for a printer that is away, for two minutes.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use rustix::fs::OFlags;
use serialport::{ClearBuffer, SerialPort};

use super::{Address, Fault, Health, LOOK, Opened, Reported, Wanted, Worker};
use crate::clean::clean;
use crate::clock::{Clock, Millis, Uptime};

/// Jobs that wait; a till that prints more than that has lost its printer.
const QUEUE: usize = 32;
/// Small enough for any driver to take or leave (devices 2.7).
const CHUNK: usize = 256;
/// Between two tries while the line takes nothing.
const NUDGE: Duration = Duration::from_millis(50);
/// A printer that takes nothing for so long is named on the status line.
const STALLED: Millis = Millis::seconds(2);
/// Ends whatever line the printer was left in, and cuts half a receipt off the next.
const AFTER_INTERRUPTION: &[u8] = b"\n\x1b@\x1dV\x42\x00";

/// Which printer, and how long it is waited for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PrinterSettings {
    pub kind: PrinterKind,
    pub patience: Patience,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PrinterKind {
    /// Any terminal's path, or a link to one, and its bits a second.
    Serial { port: PathBuf, baud: u32 },
    /// Made if it is not there, for this user alone; always appended to. A printer's own node
    /// (`/dev/usb/lp0`) is a file too.
    File { path: PathBuf },
}

/// How long a printer may keep a job waiting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Patience {
    /// Until a job is begun, from when it was given: new paper and a plug take time.
    pub away: Millis,
    /// Without taking a byte, once it has begun.
    pub stalled: Millis,
}

impl Default for Patience {
    fn default() -> Self {
        Self { away: Millis::seconds(120), stalled: Millis::seconds(60) }
    }
}

/// Bytes to print, and the name under which they are reported.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Job {
    pub id: u64,
    pub bytes: Vec<u8>,
}

/// What a printer tells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PrinterReport {
    Health(Health),
    /// The system has handed every byte of the job on.
    Sent(u64),
    /// The job will not be printed. Of one that was interrupted, a part may have been.
    Failed(u64, JobFault),
}

/// Why a job was not printed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JobFault {
    #[error("the printer was away too long")]
    Away,
    /// A part of it may be on paper.
    #[error("the printer stopped taking data")]
    Stalled,
    /// A part of it may be on paper.
    #[error("the printer was unplugged while printing")]
    Unplugged,
    /// In the words of the system.
    #[error("{0}")]
    NotWritten(String),
}

/// Too many jobs wait; this one was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("too many receipts wait for the printer")]
pub struct QueueFull;

/// A printer at work. What waits is given up when this is dropped.
pub struct Printer {
    queue: SyncSender<Queued>,
    clock: Clock,
    _worker: Worker,
}

struct Queued {
    job: Job,
    at: Uptime,
}

impl Printer {
    /// Starts looking for the printer; what becomes of it and its jobs is reported from its own
    /// thread. Fails only if the system gives no thread.
    pub fn start(
        settings: PrinterSettings,
        clock: Clock,
        report: impl Fn(PrinterReport) + Send + 'static,
    ) -> io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let own_clock = clock.clone();
        let worker = Worker::start("printer", move |wanted| {
            let patience = settings.patience;
            let desk = Desk { jobs, patience, clock, report, reported: Reported(None), wanted };
            match settings.kind {
                PrinterKind::Serial { port, baud } => {
                    Line { desk, address: Address::new(port, baud), open: None, is_cut_off: false }
                        .run();
                }
                PrinterKind::File { path } => desk.append_to(&path),
            }
        })?;
        Ok(Self { queue, clock: own_clock, _worker: worker })
    }

    /// Takes a job, without ever waiting. Exactly one report will tell what became of it.
    pub fn print(&self, job: Job) -> Result<(), QueueFull> {
        let queued = Queued { job, at: self.clock.uptime() };
        self.queue.try_send(queued).map_err(|refused| match refused {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => QueueFull,
        })
    }
}

/// Where jobs come in and reports go out.
struct Desk<R> {
    jobs: Receiver<Queued>,
    patience: Patience,
    clock: Clock,
    report: R,
    reported: Reported,
    wanted: Wanted,
}

impl<R: Fn(PrinterReport)> Desk<R> {
    fn tell(&mut self, health: Health) {
        if self.reported.changes_to(&health) {
            (self.report)(PrinterReport::Health(health));
        }
    }

    fn settle(&self, id: u64, result: Result<(), JobFault>) {
        (self.report)(match result {
            Ok(()) => PrinterReport::Sent(id),
            Err(fault) => PrinterReport::Failed(id, fault),
        });
    }

    fn is_overdue(&self, queued: &Queued) -> bool {
        self.clock.uptime().since(queued.at) >= self.patience.away
    }

    fn append_to(mut self, path: &Path) {
        let health = open_file(path).map_or_else(|error| failed(&error), |_| Health::Ready);
        self.tell(health);
        while let Ok(Queued { job, .. }) = self.jobs.recv() {
            let result = open_file(path).and_then(|mut file| {
                file.write_all(&job.bytes)?;
                file.flush()
            });
            let health = result.as_ref().map_or_else(failed, |()| Health::Ready);
            self.tell(health);
            let words = |error: io::Error| JobFault::NotWritten(clean(&error.to_string(), 60));
            self.settle(job.id, result.map_err(words));
        }
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn failed(error: &io::Error) -> Health {
    Health::Failed(Fault::of(error))
}

/// A printer on a serial line.
struct Line<R> {
    desk: Desk<R>,
    address: Address,
    /// The bytes go through a handle of their own that never blocks: the port's own `write` may,
    /// for as long as the printer likes.
    open: Option<Opened<File>>,
    /// A job stopped in its middle, and the printer may still hold the half of it.
    is_cut_off: bool,
}

/// How the writing of a job ended early.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Stop {
    /// Patience is at its end.
    Stalled,
    Gone,
    /// Nobody waits for it any more.
    Unwanted,
}

/// How far a job has come.
struct Progress {
    /// Bytes of it that the line has taken.
    sent: usize,
    /// When it took the last of them.
    moved_at: Uptime,
}

impl<R: Fn(PrinterReport)> Line<R> {
    fn run(mut self) {
        let mut waiting: Option<Queued> = None;
        while self.desk.wanted.is_true() {
            self.look();
            waiting = match waiting.take() {
                Some(queued) => self.serve(queued),
                None => match self.desk.jobs.recv_timeout(LOOK) {
                    Ok(queued) => Some(queued),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => break,
                },
            };
        }
        self.close();
    }

    /// Sees to it that the port is open, if it can be.
    fn look(&mut self) {
        let is_lost =
            self.open.as_mut().is_some_and(|open| is_gone(open) || self.address.has_moved(open));
        if is_lost {
            self.close();
        }
        if self.open.is_none() {
            let health = match self.address.open(open_line) {
                Ok(open) => {
                    self.open = Some(open);
                    Health::Ready
                }
                Err(health) => health,
            };
            self.desk.tell(health);
        }
    }

    /// Prints a job; gives it back if it has not begun and may still wait.
    fn serve(&mut self, queued: Queued) -> Option<Queued> {
        let id = queued.job.id;
        if self.desk.is_overdue(&queued) {
            self.desk.settle(id, Err(JobFault::Away));
            return None;
        }
        let Some(mut open) = self.open.take() else {
            self.desk.wanted.pause(LOOK);
            return Some(queued);
        };
        let mut progress = Progress { sent: 0, moved_at: self.desk.clock.uptime() };
        let result = self
            .part_from_the_half(&mut open, &queued)
            .and_then(|()| self.write(&mut open, &queued, &queued.job.bytes, &mut progress))
            .and_then(|()| self.drain(&open, &queued, &mut progress));
        self.open = Some(open);
        let has_begun = progress.sent > 0;
        match result {
            Ok(()) => self.desk.settle(id, Ok(())),
            Err(Stop::Unwanted) => {}
            Err(stop) => {
                if stop == Stop::Gone {
                    self.close();
                    self.desk.tell(Health::Searching);
                }
                if !has_begun {
                    return Some(queued);
                }
                self.is_cut_off = true;
                self.forget_unsent();
                let is_gone = stop == Stop::Gone;
                let fault = if is_gone { JobFault::Unplugged } else { JobFault::Stalled };
                self.desk.settle(id, Err(fault));
            }
        }
        None
    }

    /// What the line still holds of a failed job must not come out by itself later. A line that
    /// cannot forget prints it before the cut.
    fn forget_unsent(&self) {
        if let Some(open) = &self.open {
            open.port.clear(ClearBuffer::Output).ok();
        }
    }

    fn part_from_the_half(&mut self, open: &mut Opened<File>, queued: &Queued) -> Result<(), Stop> {
        if self.is_cut_off {
            let mut progress = Progress { sent: 0, moved_at: self.desk.clock.uptime() };
            self.write(open, queued, AFTER_INTERRUPTION, &mut progress)?;
            self.is_cut_off = false;
        }
        Ok(())
    }

    fn write(
        &mut self,
        open: &mut Opened<File>,
        queued: &Queued,
        bytes: &[u8],
        progress: &mut Progress,
    ) -> Result<(), Stop> {
        while progress.sent < bytes.len() {
            let rest = &bytes[progress.sent..];
            match open.extra.write(&rest[..rest.len().min(CHUNK)]) {
                Ok(count) if count > 0 => {
                    progress.sent += count;
                    progress.moved_at = self.desk.clock.uptime();
                    self.desk.tell(Health::Ready);
                }
                Ok(_) => self.wait(queued, progress)?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(queued, progress)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Stop::Gone),
            }
        }
        Ok(())
    }

    /// Waits until the system holds nothing back. Drivers count as they like; only zero is sure.
    fn drain(
        &mut self,
        open: &Opened<File>,
        queued: &Queued,
        progress: &mut Progress,
    ) -> Result<(), Stop> {
        let mut held_before = u32::MAX;
        loop {
            let held = open.port.bytes_to_write().map_err(|_| Stop::Gone)?;
            if held == 0 {
                return Ok(());
            }
            if held < held_before {
                held_before = held;
                progress.moved_at = self.desk.clock.uptime();
            }
            self.wait(queued, progress)?;
        }
    }

    /// Gives a line that takes nothing a little time.
    fn wait(&mut self, queued: &Queued, progress: &Progress) -> Result<(), Stop> {
        let still = self.desk.clock.uptime().since(progress.moved_at);
        if still >= STALLED {
            self.desk.tell(Health::Failed(Fault::Stalled));
        }
        let is_over = if progress.sent > 0 {
            still >= self.desk.patience.stalled
        } else {
            self.desk.is_overdue(queued)
        };
        if is_over {
            return Err(Stop::Stalled);
        }
        if !self.desk.wanted.is_true() {
            return Err(Stop::Unwanted);
        }
        self.desk.wanted.pause(NUDGE);
        Ok(())
    }

    /// Closes the port without waiting for it: what it still holds may take half a minute.
    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let closing = thread::Builder::new().name("closing".to_owned()).spawn(move || drop(open));
        // Without a thread it was closed here, which is late but right.
        drop(closing);
    }
}

fn open_line(target: &Path) -> io::Result<File> {
    let flags = OFlags::NOCTTY | OFlags::NONBLOCK;
    OpenOptions::new().read(true).write(true).custom_flags(flags.bits().cast_signed()).open(target)
}

/// Whether the line was hung up. What the printer sent is read on the way, and not used.
fn is_gone(open: &mut Opened<File>) -> bool {
    match open.extra.read(&mut [0; 4096]) {
        Ok(count) => count == 0,
        Err(error) => {
            !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
        }
    }
}
