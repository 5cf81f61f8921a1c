//! A customer display on a serial line: it is sent what to show and never answers (devices 3).
//!
//! Only the latest state matters. It replaces one that is still waiting, and is sent again after
//! the display was away. A caller never blocks: a display that accepts no data is reported, retried
//! once a second, and holds up nothing else.

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

/// Interval between attempts while the line accepts nothing.
const NUDGE: Duration = Duration::from_millis(20);
/// How long a display may accept nothing. The largest state needs 0.5 s at 1200 bits per second.
const PATIENCE: Millis = Millis::seconds(1);

/// Which display, and how it is driven.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DisplaySettings {
    /// The path of any terminal, or a link to one.
    pub port: PathBuf,
    /// Bits per second.
    pub baud: u32,
    pub parity: Parity,
    /// Sent to a display in an unknown state: before our first state, and after an interruption.
    pub start: Vec<u8>,
}

/// A running display. What it shows stays when this is dropped.
pub struct Display {
    newest: Mailbox,
    worker: Worker,
}

impl Display {
    /// Starts searching for the display; its health is reported from its own thread. Fails only if
    /// the system cannot provide a thread.
    pub fn start(
        settings: DisplaySettings,
        clock: Clock,
        report: impl Fn(Health) + Send + 'static,
    ) -> io::Result<Self> {
        let newest = Mailbox::default();
        let inbox = newest.clone();
        let worker = Worker::start("display", move |handle| {
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
                rests_until: Uptime(0),
                handle,
            }
            .run();
        })?;
        Ok(Self { newest, worker })
    }

    /// Shows a state, given as the bytes to send, in place of the last. Never blocks.
    pub fn show(&self, state: Vec<u8>) {
        self.newest.put(state);
        self.worker.wake();
    }
}

/// Holds one state: a newer one replaces it.
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
    /// The state to show now; empty before the first.
    state: Vec<u8>,
    shows: Shows,
    /// Bytes are written through a non-blocking handle of their own.
    open: Option<OpenPort<File>>,
    clock: Clock,
    report: R,
    reported: Reported,
    /// A line that took nothing is left alone until then: what was discarded made room in it, so it
    /// would only seem to be well again.
    rests_until: Uptime,
    handle: WorkerHandle,
}

/// What the display is currently showing.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Shows {
    /// Unknown contents: it was away, or a state was cut off halfway.
    Unknown,
    Older,
    Newest,
}

/// Why writing a state ended early.
enum Stop {
    Blocked,
    Gone,
    /// The owner no longer wants it.
    Unwanted,
}

impl From<PortGone> for Stop {
    fn from(PortGone: PortGone) -> Self {
        Self::Gone
    }
}

impl<R: Fn(Health)> SerialDisplay<R> {
    fn run(mut self) {
        while self.handle.is_wanted() {
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

    /// Opens the port if it is closed and can be opened.
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

    /// Sleeps until there is a new state, the line is hung up, or the next check is due.
    fn idle(&mut self) {
        match &self.open {
            None => self.handle.pause(POLL_INTERVAL),
            Some(open) => {
                if self.handle.pause_at(&open.extra, POLL_INTERVAL) == Pause::HungUp {
                    self.close();
                    self.report_health(Health::Searching);
                    // The node disappears a moment later.
                    self.handle.pause(NUDGE);
                }
            }
        }
    }

    fn refresh(&mut self) {
        if self.clock.uptime() < self.rests_until {
            return;
        }
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
                self.rests_until = self.clock.uptime().after(PATIENCE);
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

    /// Waits until the line has sent everything; otherwise a slow one would lag behind with
    /// outdated states. Drivers count differently, so one that never reaches zero is not a fault.
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
        if !self.handle.is_wanted() {
            return Err(Stop::Unwanted);
        }
        if self.clock.uptime().since(since) >= PATIENCE {
            return Err(Stop::Blocked);
        }
        self.handle.pause(NUDGE);
        Ok(())
    }

    /// Unsent bytes of an old state would delay both a newer one and the closing.
    fn discard_unsent(&self) {
        if let Some(open) = &self.open {
            open.discard_unsent();
        }
    }

    /// Closes the port without blocking.
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

/// Whether the line was hung up. Displays have nothing to say, so any input is dropped.
fn is_gone(open: &mut OpenPort<File>) -> bool {
    match open.extra.read(&mut [0; 256]) {
        Ok(count) => count == 0,
        Err(error) => {
            !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
        }
    }
}
