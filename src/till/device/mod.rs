//! The till's devices: receipt printer, customer display and barcode scanners.
//!
//! Each device is a thread that owns its port and communicates by messages, so nothing else ever
//! blocks on a port, not even on closing one, which can take half a minute (devices 1.5). A
//! configured device that is lost is searched for once a second by its path, and the path is
//! resolved anew each time because a link may have moved. Devices without a path in the
//! configuration are found when they are plugged in. Health is reported only when it changes.

pub mod display;
pub mod inventory;
pub mod learned;
mod output;
mod people;
pub mod printer;
pub mod role;
pub mod scanner;
#[cfg(test)]
mod tests;
mod watch;

pub use people::is_somebodys_terminal;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use serialport::TTYPort;

use crate::clean::clean;
use crate::hardware::{Flow, Parity};

/// Interval between searches for a device, and between checks of an idle one.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// A port just plugged in belongs to root until udev has set its group, so this many denied
/// attempts are tolerated before it counts as a fault (devices 1.3).
const DENIALS: u8 = 2;

/// A device's state for the status line. Reported when it changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Health {
    /// Open. A serial line cannot show whether anything is connected to its far end.
    Ready,
    /// Printers only: working, but the paper is running low.
    PaperLow,
    /// Not present; searched for once a second.
    Searching,
    /// Present but unusable until somebody acts. Retried continuously.
    Failed(DeviceFault),
}

/// Why a device that is present cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DeviceFault {
    /// This user may not open it.
    #[error("no permission to open it; on most systems the group dialout may")]
    Denied,
    /// This user may not open a HID device; that takes a udev rule.
    #[error("no permission to open it; install the rules in assets/70-paytill.rules")]
    DeniedHid,
    /// Another program has it open.
    #[error("another program uses it")]
    Busy,
    #[error("it is not a serial port")]
    NotSerial,
    /// Somebody types there.
    #[error("it is somebody's terminal, not a device")]
    Terminal,
    /// The printer accepts no data: out of paper, cover open or switched offline.
    #[error("it takes no data; look for paper and cover")]
    Stalled,
    /// The display accepts no data, although only its own line could hold it up.
    #[error("it takes no data; look at its cable and power")]
    Blocked,
    /// The printer answered before and no longer does.
    #[error("it does not answer any more; look at its switch and cable")]
    Silent,
    /// A fault the printer itself reports.
    #[error("{0}")]
    Printer(printer::Trouble),
    /// What comes from the printer's port is scans.
    #[error("what comes from it is scans; scanner.port and printer.port may be swapped")]
    Swapped,
    /// What is plugged in at the scanner's port says that it is a printer.
    #[error("it is a printer; scanner.port and printer.port may be swapped")]
    SwappedPrinter,
    /// Any other error, in the system's own words.
    #[error("{0}")]
    Other(String),
}

impl DeviceFault {
    fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::Denied,
            io::ErrorKind::ResourceBusy => Self::Busy,
            _ => Self::Other(clean(&error.to_string(), 60)),
        }
    }
}

/// Opens a serial port once and closes it again, to see whether it can be used. `baud` is in bits
/// per second.
pub fn probe(port: &Path, baud: u32) -> Health {
    match Address::new(port.to_owned(), baud).try_open(|_| Ok(())) {
        Ok(_) => Health::Ready,
        Err(health) => health,
    }
}

/// A serial port, identified by its path.
struct Address {
    path: PathBuf,
    baud: u32,
    parity: Parity,
    flow: Flow,
    denials: u8,
}

impl Address {
    fn new(path: PathBuf, baud: u32) -> Self {
        Self { path, baud, parity: Parity::None, flow: Flow::None, denials: 0 }
    }

    fn with_parity(self, parity: Parity) -> Self {
        Self { parity, ..self }
    }

    fn with_flow(self, flow: Flow) -> Self {
        Self { flow, ..self }
    }

    /// Opens the port for this process alone. `between` runs once the path is known to be a
    /// character device, and before the port is locked.
    fn open<T>(&mut self, between: impl Fn(&Path) -> io::Result<T>) -> Result<OpenPort<T>, Health> {
        let opened = self.try_open(between);
        self.denials = match opened {
            Err(Health::Failed(DeviceFault::Denied)) => self.denials.saturating_add(1),
            Err(_) | Ok(_) => 0,
        };
        opened.map_err(|health| match health {
            Health::Failed(DeviceFault::Denied) if self.denials <= DENIALS => Health::Searching,
            other => other,
        })
    }

    fn try_open<T>(&self, between: impl Fn(&Path) -> io::Result<T>) -> Result<OpenPort<T>, Health> {
        // Open the target rather than the link, so that the two are known to belong together.
        let target = self.path.canonicalize().map_err(|error| health_of(&error))?;
        let kind = target.metadata().map_err(|error| health_of(&error))?.file_type();
        if !kind.is_char_device() {
            return Err(Health::Failed(DeviceFault::NotSerial));
        }
        if is_somebodys_terminal(&target) {
            return Err(Health::Failed(DeviceFault::Terminal));
        }
        let extra = between(&target).map_err(|error| health_of(&error))?;
        let port = serialport::new(target.to_string_lossy(), self.baud)
            .parity(match self.parity {
                Parity::None => serialport::Parity::None,
                Parity::Odd => serialport::Parity::Odd,
                Parity::Even => serialport::Parity::Even,
            })
            .timeout(POLL_INTERVAL)
            .flow_control(match self.flow {
                Flow::None => serialport::FlowControl::None,
                Flow::XonXoff => serialport::FlowControl::Software,
                Flow::RtsCts => serialport::FlowControl::Hardware,
            })
            .dtr_on_open(true)
            .open_native()
            .map_err(|error| match error.kind() {
                // The path existed a moment ago, so it is the lock that failed.
                serialport::ErrorKind::NoDevice => Health::Failed(DeviceFault::Busy),
                serialport::ErrorKind::Io(_) => health_of(&io::Error::from(error)),
                serialport::ErrorKind::InvalidInput | serialport::ErrorKind::Unknown => {
                    Health::Failed(DeviceFault::Other(clean(&error.description, 60)))
                }
            })?;
        Ok(OpenPort { port, target, extra })
    }

    /// Whether the path now leads to a different port. While it leads nowhere, the open port is
    /// kept.
    fn has_moved<T>(&self, opened: &OpenPort<T>) -> bool {
        self.path.canonicalize().is_ok_and(|target| target != opened.target)
    }
}

fn health_of(error: &io::Error) -> Health {
    // The node may outlive its device for a moment.
    let is_gone =
        matches!(Errno::from_io_error(error), Some(Errno::NXIO | Errno::NODEV | Errno::IO));
    if error.kind() == io::ErrorKind::NotFound || is_gone {
        Health::Searching
    } else {
        Health::Failed(DeviceFault::of(error))
    }
}

/// An open port.
struct OpenPort<T> {
    port: TTYPort,
    /// Where the path led when it was opened.
    target: PathBuf,
    extra: T,
}

impl<T: Send + 'static> OpenPort<T> {
    /// Closes the port without blocking: flushing what it still holds may take half a minute.
    fn close(self) {
        let closing = thread::Builder::new().name("closing".to_owned()).spawn(move || drop(self));
        // If no thread could be spawned, the port was closed right here: slow, but correct.
        drop(closing);
    }
}

/// A handle to the port that never blocks; the port's own `write` may, for as long as the device
/// likes.
fn open_unblocked(target: &Path) -> io::Result<File> {
    let flags = OFlags::NOCTTY | OFlags::NONBLOCK;
    OpenOptions::new().read(true).write(true).custom_flags(flags.bits().cast_signed()).open(target)
}

/// Lets a health through only when it differs from the last one.
struct Reported(Option<Health>);

impl Reported {
    fn changes_to(&mut self, health: &Health) -> bool {
        let is_new = self.0.as_ref() != Some(health);
        if is_new {
            self.0 = Some(health.clone());
        }
        is_new
    }
}

/// A device's thread, which is asked to stop when this is dropped. Nobody joins it.
struct Worker(Arc<WorkerState>);

/// State shared between a thread and its owner.
struct WorkerState {
    is_wanted: AtomicBool,
    bell: OwnedFd,
}

impl Worker {
    fn start(name: &str, work: impl FnOnce(WorkerHandle) + Send + 'static) -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let call = Arc::new(WorkerState { is_wanted: AtomicBool::new(true), bell });
        let handle = WorkerHandle(Arc::clone(&call));
        thread::Builder::new().name(name.to_owned()).spawn(move || work(handle))?;
        Ok(Self(call))
    }

    /// Ends a pause early: there is work to do.
    fn wake(&self) {
        // Fails only when the counter is full, and then the thread wakes anyway.
        let _ = rustix::io::write(&self.0.bell, &1_u64.to_ne_bytes());
    }

    /// Whether the thread has dropped its [`WorkerHandle`].
    fn is_finished(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.is_wanted.store(false, Ordering::Relaxed);
        self.wake();
    }
}

/// The thread's side of [`Worker`].
struct WorkerHandle(Arc<WorkerState>);

/// How a pause ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Pause {
    Over,
    /// There may be work to do.
    Woken,
    /// The line was hung up.
    HungUp,
}

impl WorkerHandle {
    fn is_wanted(&self) -> bool {
        self.0.is_wanted.load(Ordering::Relaxed)
    }

    /// Sleeps for `length`, or less when woken or asked to stop.
    fn pause(&self, length: Duration) {
        self.wait(&mut [PollFd::new(&self.0.bell, PollFlags::IN)], length);
    }

    /// Like [`Self::pause`], but also ends when the line is hung up; data waiting to be read does
    /// not end it.
    fn pause_at(&self, line: &impl AsFd, length: Duration) -> Pause {
        let mut both =
            [PollFd::new(&self.0.bell, PollFlags::IN), PollFd::new(line, PollFlags::empty())];
        let is_over = self.wait(&mut both, length);
        if !both[1].revents().is_empty() {
            Pause::HungUp
        } else if is_over {
            Pause::Over
        } else {
            Pause::Woken
        }
    }

    /// Returns whether the full time has passed.
    fn wait(&self, for_these: &mut [PollFd<'_>], length: Duration) -> bool {
        let length = Timespec::try_from(length).ok();
        let is_over = self.is_wanted() && poll(for_these, length.as_ref()) == Ok(0);
        // The counter stays set, and would end the next pause too, until it is read.
        let _ = rustix::io::read(&self.0.bell, &mut [0; 8]);
        is_over
    }
}
