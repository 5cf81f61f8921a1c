//! Scanners that type like a keyboard, read from their event node. The node is grabbed, so that no
//! key reaches a console, a window or an input method (devices 1.2). A crash lets go of it.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use evdev::raw_stream::RawDevice;
use evdev::{EventType, SynchronizationCode};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

use super::feed::Feed;
use super::health_of_hid;
use crate::device::{Health, Wanted};
use crate::scan::keyboard::{Keyboard, Layout, Motion};

/// Opens a keyboard's event node, without taking it away from anybody.
pub(super) fn listen(node: &Path) -> io::Result<RawDevice> {
    let flags = i32::try_from((OFlags::NONBLOCK | OFlags::CLOEXEC).bits()).unwrap_or(0);
    let file = File::options().read(true).custom_flags(flags).open(node)?;
    RawDevice::from_fd(file.into())
}

/// Opens a scanner's event node for the till alone.
pub(super) fn open(node: &Path) -> Result<RawDevice, Health> {
    let mut device = listen(node).map_err(|error| health_of_hid(&error))?;
    // Whoever cannot have it alone does not read it: the keys would land somewhere else as well.
    device.grab().map_err(|error| health_of_hid(&error))?;
    Ok(device)
}

/// Waits for keys no longer than this, and takes those that are there; an error is the end.
pub(super) fn take(device: &mut RawDevice, wait: Duration) -> io::Result<Vec<Taken>> {
    let wait = Timespec::try_from(wait).ok();
    match poll(&mut [PollFd::new(&device.as_fd(), PollFlags::IN)], wait.as_ref()) {
        Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(Vec::new()),
        Ok(_) => {}
        Err(error) => return Err(error.into()),
    }
    match device.fetch_events() {
        Ok(events) => Ok(events.filter_map(Taken::of).collect()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// What came from a keyboard.
#[derive(Clone, Copy)]
pub(super) enum Taken {
    Key(u16, Motion),
    /// More came than the kernel keeps, and some keys are lost.
    Lost,
}

impl Taken {
    fn of(event: evdev::InputEvent) -> Option<Self> {
        match event.event_type() {
            EventType::KEY => {
                Motion::of(event.value()).map(|motion| Self::Key(event.code(), motion))
            }
            EventType::SYNCHRONIZATION if event.code() == SynchronizationCode::SYN_DROPPED.0 => {
                Some(Self::Lost)
            }
            _ => None,
        }
    }
}

/// Reads until the scanner is gone.
pub(super) fn read(device: &mut RawDevice, layout: Layout, feed: &mut Feed, wanted: &Wanted) {
    let mut keyboard = Keyboard::new(layout);
    while wanted.is_true() {
        let Ok(taken) = take(device, feed.wait(None)) else { return };
        if feed.tick() {
            keyboard.rest();
        }
        for taken in taken {
            match taken {
                Taken::Key(code, motion) => {
                    feed.push(&keyboard.take(code, motion));
                }
                Taken::Lost => {
                    tracing::warn!("this machine was too slow for a scanner's keys");
                    feed.reset();
                    feed.half();
                    keyboard = Keyboard::new(layout);
                }
            }
        }
    }
}
