//! Scanners that type like a keyboard. Their event node is grabbed, so that no key reaches a console,
//! a window or an input method (devices 1.2). A crash lets go of it.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use evdev::raw_stream::RawDevice;
use evdev::{EventType, SynchronizationCode};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use zeroize::{Zeroize, Zeroizing};

use super::feed::Feed;
use super::health_of_hid;
use crate::clock::{Clock, Millis, Uptime};
use crate::device::inventory::{RawKeyboard, Roots, raw_keyboard};
use crate::device::{Fault, Health, Wanted};
use crate::scan::keyboard::{Keyboard, Layout, Motion, Reports};

/// Longer than any report.
const READ: usize = 4096;
/// Reports that the kernel keeps, of which a key makes two; it drops the newest after them, and does
/// not tell (devices 1.3).
const KEPT: usize = 63;
/// As long as udev may take to set the group of a node that was just made; rules for event nodes
/// alone are possible too.
const REPORTS_DENIED_FOR: Millis = Millis::seconds(1);

/// Opens a keyboard's event node, without taking it away from anybody.
pub(super) fn listen(node: &Path) -> io::Result<RawDevice> {
    RawDevice::from_fd(open_to_read(node)?.into())
}

/// A scanner on its way to being opened: grabbed at once, and then waited for.
pub(super) struct Grab {
    node: PathBuf,
    raw: Option<RawKeyboard>,
    grabbed: Option<RawDevice>,
    clock: Clock,
    since: Uptime,
}

impl Grab {
    pub(super) fn new(node: &Path, roots: &Roots, clock: Clock) -> Self {
        let since = clock.uptime();
        let raw = raw_keyboard(roots, node);
        Self { node: node.to_owned(), raw, grabbed: None, clock, since }
    }

    /// Opens the scanner for the till alone. Its reports are read where that is allowed, and else its
    /// key events, of which the kernel keeps only some ten digits for a till that is busy.
    pub(super) fn open(&mut self) -> Result<Grabbed, Health> {
        if self.grabbed.is_none() {
            let mut device = listen(&self.node).map_err(|error| health_of_hid(&error))?;
            // Whoever cannot have it alone does not read it: the keys would land somewhere else as well.
            device.grab().map_err(|error| health_of_hid(&error))?;
            self.grabbed = Some(device);
        }
        let reports = match self.raw.as_ref().map(OpenReports::open) {
            None => None,
            Some(Ok(reports)) => Some(reports),
            Some(Err(error)) => {
                let health = health_of_hid(&error);
                let is_young = self.clock.uptime().since(self.since) < REPORTS_DENIED_FOR;
                if health == Health::Failed(Fault::DeniedHid) && is_young {
                    return Err(health);
                }
                tracing::info!(%error, "a scanner's reports cannot be read; its keys are");
                None
            }
        };
        let Some(events) = self.grabbed.take() else { return Err(Health::Searching) };
        Ok(Grabbed { events, reports })
    }
}

/// A scanner that types for the till alone.
pub(super) struct Grabbed {
    /// Held, even where it is not read: the grab ends with it.
    events: RawDevice,
    reports: Option<OpenReports>,
}

impl Grabbed {
    /// Waits for keys no longer than this, and takes those that are there; an error is the end.
    fn take(&mut self, wait: Duration) -> io::Result<Vec<Key>> {
        match &mut self.reports {
            Some(reports) => reports.take(wait),
            None => take(&mut self.events, wait),
        }
    }
}

/// A scanner's reports, as they come.
struct OpenReports {
    file: File,
    reports: Reports,
    report: Zeroizing<[u8; READ]>,
}

impl OpenReports {
    fn open(raw: &RawKeyboard) -> io::Result<Self> {
        let file = open_to_read(&raw.node)?;
        // A device may have two event nodes for the same reports.
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self { file, reports: raw.reports.clone(), report: Zeroizing::new([0; READ]) })
    }

    fn take(&mut self, wait: Duration) -> io::Result<Vec<Key>> {
        let mut keys = Vec::new();
        if !is_ready(&self.file, wait)? {
            return Ok(keys);
        }
        for number in 1..=2 * KEPT {
            match self.file.read(&mut self.report[..]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    let motions = self.reports.take(&self.report[..count]);
                    self.report[..count].zeroize();
                    keys.extend(motions.into_iter().map(|(code, motion)| Key::Moved(code, motion)));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // It will be the same the next time, once what came before is taken.
                Err(_) if !keys.is_empty() => break,
                Err(error) => return Err(error),
            }
            if number == KEPT {
                keys.push(Key::Lost);
            }
        }
        Ok(keys)
    }
}

/// Waits for key events no longer than this, and takes those that are there; an error is the end.
pub(super) fn take(device: &mut RawDevice, wait: Duration) -> io::Result<Vec<Key>> {
    if !is_ready(device, wait)? {
        return Ok(Vec::new());
    }
    match device.fetch_events() {
        Ok(events) => Ok(events.filter_map(Key::of).collect()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn open_to_read(node: &Path) -> io::Result<File> {
    let flags = i32::try_from((OFlags::NONBLOCK | OFlags::CLOEXEC).bits()).unwrap_or(0);
    File::options().read(true).custom_flags(flags).open(node)
}

fn is_ready(device: &impl AsFd, wait: Duration) -> io::Result<bool> {
    let wait = Timespec::try_from(wait).ok();
    match poll(&mut [PollFd::new(device, PollFlags::IN)], wait.as_ref()) {
        Ok(0) | Err(Errno::INTR) => Ok(false),
        Ok(_) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// What came from a keyboard.
#[derive(Clone, Copy)]
pub(super) enum Key {
    Moved(u16, Motion),
    /// More came than the kernel keeps, and some keys are lost.
    Lost,
}

impl Key {
    fn of(event: evdev::InputEvent) -> Option<Self> {
        match event.event_type() {
            EventType::KEY => {
                Motion::of(event.value()).map(|motion| Self::Moved(event.code(), motion))
            }
            EventType::SYNCHRONIZATION if event.code() == SynchronizationCode::SYN_DROPPED.0 => {
                Some(Self::Lost)
            }
            _ => None,
        }
    }
}

/// Reads until the scanner is gone.
pub(super) fn read(scanner: &mut Grabbed, layout: Layout, feed: &mut Feed, wanted: &Wanted) {
    let mut keyboard = Keyboard::new(layout);
    while wanted.is_true() {
        let Ok(keys) = scanner.take(feed.wait(None)) else { return };
        if feed.tick() {
            keyboard.rest();
        }
        for key in keys {
            match key {
                Key::Moved(code, motion) => {
                    feed.push(&keyboard.take(code, motion));
                }
                Key::Lost => {
                    tracing::warn!("this machine was too slow for a scanner's keys");
                    feed.reset();
                    feed.half();
                    keyboard = Keyboard::new(layout);
                }
            }
        }
    }
}
