//! The till's devices. Each is a thread that owns its port and speaks in messages: nobody else
//! waits for a port, not even for its closing, which may take half a minute (devices 1.5). A lost
//! device is looked for once a second, by its path, wherever a link may point to by then. What has
//! no path in the configuration is found when it is plugged in.

pub mod display;
pub mod inventory;
pub mod learned;
mod output;
pub mod printer;
pub mod role;
pub mod scanner;
#[cfg(test)]
mod tests;
mod watch;

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

/// Between two searches for a device, and between two looks at an idle one.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// A port just plugged in belongs to root until udev has set its group; so many searches may be
/// denied before it is a fault (devices 1.3).
const DENIALS: u8 = 2;

/// How a device is, for the status line. Reported when it changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Health {
    /// Open. A serial line does not tell whether anything hangs on its other end.
    Ready,
    /// A printer's: it works, and its paper ends soon.
    PaperLow,
    /// Not there; it is looked for once a second.
    Searching,
    /// There, but of no use until somebody acts. It is tried again all the time.
    Failed(DeviceFault),
}

/// Why a device that is there cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DeviceFault {
    /// This user may not open it.
    #[error("no permission to open it; on most systems the group dialout may")]
    Denied,
    /// This user may not open a HID device; it takes a rule of udev's to allow it.
    #[error("no permission to open it; install the rules in assets/70-paytill.rules")]
    DeniedHid,
    /// Another program has it open.
    #[error("another program uses it")]
    Busy,
    #[error("it is not a serial port")]
    NotSerial,
    /// The printer takes no data: no paper, an open cover, switched off line.
    #[error("it takes no data; look for paper and cover")]
    Stalled,
    /// A display takes no data, though nothing but its own line could hold it up.
    #[error("it takes no data; look at its cable and power")]
    Blocked,
    /// The printer answered before and does so no more.
    #[error("it does not answer any more; look at its switch and cable")]
    Silent,
    /// What the printer says of itself.
    #[error("{0}")]
    Printer(printer::Trouble),
    /// In the words of the system.
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

/// Whether a serial port can be opened now, without staying there.
pub fn probe(port: &Path, baud: u32) -> Health {
    match Address::new(port.to_owned(), baud).try_open(|_| Ok(())) {
        Ok(_) => Health::Ready,
        Err(health) => health,
    }
}

/// A serial port by its path.
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

    /// Opens it, for this process alone. `between` does its part after the port is known to be
    /// one, and before it is locked.
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
        // The target is opened, not the link, so that both are known to belong together.
        let target = self.path.canonicalize().map_err(|error| health_of(&error))?;
        let kind = target.metadata().map_err(|error| health_of(&error))?.file_type();
        if !kind.is_char_device() {
            return Err(Health::Failed(DeviceFault::NotSerial));
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
                // The path was there a moment ago: what fails is the lock.
                serialport::ErrorKind::NoDevice => Health::Failed(DeviceFault::Busy),
                serialport::ErrorKind::Io(_) => health_of(&io::Error::from(error)),
                serialport::ErrorKind::InvalidInput | serialport::ErrorKind::Unknown => {
                    Health::Failed(DeviceFault::Other(clean(&error.description, 60)))
                }
            })?;
        Ok(OpenPort { port, target, extra })
    }

    /// Whether the path leads to another port by now. While it leads nowhere, the open one stays.
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
    /// Closes the port without waiting for it: what it still holds may take half a minute.
    fn close(self) {
        let closing = thread::Builder::new().name("closing".to_owned()).spawn(move || drop(self));
        // Without a thread it was closed here, which is late but right.
        drop(closing);
    }
}

/// A handle to a port that never blocks: the port's own `write` may, for as long as the device
/// likes.
fn open_unblocked(target: &Path) -> io::Result<File> {
    let flags = OFlags::NOCTTY | OFlags::NONBLOCK;
    OpenOptions::new().read(true).write(true).custom_flags(flags.bits().cast_signed()).open(target)
}

/// Reports a health only when it is another than before.
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

/// A device's thread, told to end when this is dropped. Nobody waits for it to do so.
struct Worker(Arc<WorkerState>);

/// What a thread shares with whoever started it.
struct WorkerState {
    is_wanted: AtomicBool,
    bell: OwnedFd,
}

impl Worker {
    fn start(name: &str, work: impl FnOnce(WorkerHandle) + Send + 'static) -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let call = Arc::new(WorkerState { is_wanted: AtomicBool::new(true), bell });
        let wanted = WorkerHandle(Arc::clone(&call));
        thread::Builder::new().name(name.to_owned()).spawn(move || work(wanted))?;
        Ok(Self(call))
    }

    /// Ends a pause: there is something to do.
    fn wake(&self) {
        // It can only fail if it has rung often enough.
        let _ = rustix::io::write(&self.0.bell, &1_u64.to_ne_bytes());
    }

    /// Whether its work has given its [`WorkerHandle`] back.
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
    /// There may be something to do.
    Woken,
    /// The line is gone.
    HungUp,
}

impl WorkerHandle {
    fn is_wanted(&self) -> bool {
        self.0.is_wanted.load(Ordering::Relaxed)
    }

    /// Lets so much time pass, or less when it is woken or the end has come.
    fn pause(&self, length: Duration) {
        self.wait(&mut [PollFd::new(&self.0.bell, PollFlags::IN)], length);
    }

    /// The same, and less too when a line is hung up, whatever is there to be read from it.
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

    /// Tells whether all the time has passed.
    fn wait(&self, for_these: &mut [PollFd<'_>], length: Duration) -> bool {
        let length = Timespec::try_from(length).ok();
        let is_over = self.is_wanted() && poll(for_these, length.as_ref()) == Ok(0);
        // It rings for the next pause as well until it is heard.
        let _ = rustix::io::read(&self.0.bell, &mut [0; 8]);
        is_over
    }
}
