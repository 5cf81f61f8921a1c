//! A customer's display on a serial line: it is told what to show, and it never answers (devices 3).
//!
//! Only the newest state counts. It takes the place of one that still waits, and is sent again
//! after the display was away. A display that takes nothing is tried once a second.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::output::PortGone;
use super::{
    Address, DeviceFault, Health, OpenPort, POLL_INTERVAL, Pause, Reported, Worker, WorkerHandle,
    open_unblocked,
};
use crate::clock::{Millis, Uptime};
use crate::hardware::Parity;
use paytill_host::clock::Clock;

/// Between two tries while the line takes nothing.
const NUDGE: Duration = Duration::from_millis(20);
/// So long a display may take nothing. The largest state needs 0.5 s at 1200 bits a second.
const PATIENCE: Millis = Millis::seconds(1);

/// Which display.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DisplaySettings {
    /// Any terminal's path, or a link to one.
    pub port: PathBuf,
    /// Bits a second.
    pub baud: u32,
    pub parity: Parity,
    /// Sent to a display in an unknown state: before the first of ours, and after an interruption.
    pub start: Vec<u8>,
}

/// A display at work. What it shows stays when this is dropped.
pub struct Display {
    newest: Mailbox,
    worker: Worker,
}

impl Display {
    /// Starts looking for the display; its health is reported from its own thread. Fails only if
    /// the system gives no thread.
    pub fn start(
        settings: DisplaySettings,
        clock: Clock,
        report: impl Fn(Health) + Send + 'static,
    ) -> io::Result<Self> {
        let newest = Mailbox::default();
        let inbox = newest.clone();
        let worker = Worker::start("display", move |wanted| {
            let DisplaySettings { port, baud, parity, start } = settings;
            let address = Address::new(port, baud).with_parity(parity);
            let (state, shows, reported) = (Vec::new(), Shows::Unknown, Reported(None));
            let open = None;
            SerialDisplay {
                address,
                start,
                inbox,
                state,
                shows,
                open,
                clock,
                report,
                reported,
                wanted,
            }
            .run();
        })?;
        Ok(Self { newest, worker })
    }

    /// Shows a state, as the bytes that make it, in place of the last. Never waits.
    pub fn show(&self, state: Vec<u8>) {
        self.newest.put(state);
        self.worker.wake();
    }
}

/// Room for one state: a newer one throws the older out.
#[derive(Clone, Default)]
struct Mailbox(Arc<Mutex<Option<Vec<u8>>>>);

impl Mailbox {
    fn put(&self, state: Vec<u8>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
    }

    fn take(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

struct SerialDisplay<R> {
    address: Address,
    start: Vec<u8>,
    inbox: Mailbox,
    /// What is to be shown now; empty before the first.
    state: Vec<u8>,
    shows: Shows,
    /// The bytes go through a handle of their own.
    open: Option<OpenPort<File>>,
    clock: Clock,
    report: R,
    reported: Reported,
    wanted: WorkerHandle,
}

/// What the display shows.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Shows {
    /// Anything: it was away, or a state was cut off on its way.
    Unknown,
    Older,
    Newest,
}

/// How the writing of a state ended early.
enum Stop {
    Blocked,
    Gone,
    /// Nobody waits for it any more.
    Unwanted,
}

impl From<PortGone> for Stop {
    fn from(PortGone: PortGone) -> Self {
        Self::Gone
    }
}

impl<R: Fn(Health)> SerialDisplay<R> {
    fn run(mut self) {
        while self.wanted.is_wanted() {
            self.keep_open();
            if let Some(newest) = self.inbox.take() {
                self.state = newest;
                if self.shows == Shows::Newest {
                    self.shows = Shows::Older;
                }
            }
            self.refresh();
            if self.inbox.is_empty() {
                self.idle();
            }
        }
        self.close();
    }

    /// Makes sure that the port is open, if it can be.
    fn keep_open(&mut self) {
        let is_lost =
            self.open.as_mut().is_some_and(|open| is_gone(open) || self.address.has_moved(open));
        if is_lost {
            self.close();
        }
        if self.open.is_none() {
            let health = match self.address.open(open_unblocked) {
                Ok(open) => {
                    self.open = Some(open);
                    self.shows = Shows::Unknown;
                    Health::Ready
                }
                Err(health) => health,
            };
            self.report_health(health);
        }
    }

    /// Until there is something new to show, the line is hung up, or it is time to look at it.
    fn idle(&mut self) {
        match &self.open {
            None => self.wanted.pause(POLL_INTERVAL),
            Some(open) => {
                if self.wanted.pause_at(&open.extra, POLL_INTERVAL) == Pause::HungUp {
                    self.close();
                    self.report_health(Health::Searching);
                    // Its node goes a moment later.
                    self.wanted.pause(NUDGE);
                }
            }
        }
    }

    fn refresh(&mut self) {
        let bytes = match self.shows {
            _ if self.state.is_empty() => return,
            Shows::Unknown => [&*self.start, &*self.state].concat(),
            Shows::Older => self.state.clone(),
            Shows::Newest => return,
        };
        let Some(mut open) = self.open.take() else { return };
        let result = self.write(&mut open, &bytes);
        self.open = Some(open);
        match result {
            Ok(()) => {
                self.shows = Shows::Newest;
                self.report_health(Health::Ready);
            }
            Err(Stop::Blocked) => {
                self.discard_unsent();
                self.shows = Shows::Unknown;
                self.report_health(Health::Failed(DeviceFault::Blocked));
            }
            Err(Stop::Gone) => {
                self.close();
                self.report_health(Health::Searching);
            }
            Err(Stop::Unwanted) => {}
        }
    }

    fn write(&self, open: &mut OpenPort<File>, mut rest: &[u8]) -> Result<(), Stop> {
        let mut moved_at = self.clock.uptime();
        while !rest.is_empty() {
            match open.offer(rest)? {
                0 => self.wait(moved_at)?,
                count => {
                    rest = rest.get(count..).unwrap_or_default();
                    moved_at = self.clock.uptime();
                }
            }
        }
        self.drain(open)
    }

    /// Waits until the line has taken it all: else a slow one would show what is long past. Drivers
    /// count as they like, so one that never comes to nothing is no fault.
    fn drain(&self, open: &OpenPort<File>) -> Result<(), Stop> {
        let since = self.clock.uptime();
        while open.held()? > 0 {
            match self.wait(since) {
                Err(Stop::Blocked) => return Ok(()),
                result => result?,
            }
        }
        Ok(())
    }

    fn wait(&self, since: Uptime) -> Result<(), Stop> {
        if !self.wanted.is_wanted() {
            return Err(Stop::Unwanted);
        }
        if self.clock.uptime().since(since) >= PATIENCE {
            return Err(Stop::Blocked);
        }
        self.wanted.pause(NUDGE);
        Ok(())
    }

    /// What the line still holds of a state would be in the way of a newer one, and of the closing.
    fn discard_unsent(&self) {
        if let Some(open) = &self.open {
            open.discard_unsent();
        }
    }

    /// Closes the port without waiting for it.
    fn close(&mut self) {
        self.discard_unsent();
        if let Some(open) = self.open.take() {
            open.close();
        }
    }

    fn report_health(&mut self, health: Health) {
        if self.reported.changes_to(&health) {
            (self.report)(health);
        }
    }
}

/// Whether the line was hung up. A display has nothing to say; what comes all the same is dropped.
fn is_gone(open: &mut OpenPort<File>) -> bool {
    match open.extra.read(&mut [0; 256]) {
        Ok(count) => count == 0,
        Err(error) => {
            !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
        }
    }
}
