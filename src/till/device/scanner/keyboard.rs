//! Scanners that type like a keyboard.
//!
//! Their event node is grabbed, so that no key reaches a console, a window or an input method
//! (devices 1.6); the kernel releases the grab even if the till crashes. Keys are read from the raw
//! reports where that is allowed, because the kernel buffers more of them than of key events.

use std::io;
use std::path::Path;
use std::time::Duration;

use evdev::raw_stream::RawDevice;
use evdev::{EventType, SynchronizationCode};

use super::health_of_hid;
use super::key::{ScannerKey, is_ready, open_to_read};
use super::pipeline::ScanPipeline;
use super::raw_keys::RawKeys;
use crate::clock::{Millis, Uptime};
use crate::device::inventory::{Device, Roots, raw_keyboard};
use crate::device::{DeviceFault, Health, WorkerHandle};
use crate::scan::keyboard::{Keyboard, Layout, Motion};
use paytill_host::clock::Clock;

/// The hidraw node appears after the event node, and udev sets the group of each in its own time.
/// If the rules cover event nodes only, it never does.
const REPORTS_AWAITED: Millis = Millis::seconds(1);

/// A scanner being opened: grabbed at once, then awaited.
pub(super) struct Grab {
    device: Device,
    roots: Roots,
    clock: Clock,
    grabbed: Option<(KeyEvents, Uptime)>,
}

impl Grab {
    pub(super) fn new(device: Device, roots: Roots, clock: Clock) -> Self {
        Self { device, roots, clock, grabbed: None }
    }

    /// Opens the scanner for the till alone. Its raw reports are read where that is allowed, its
    /// key events otherwise.
    pub(super) fn open(&mut self) -> Result<Keys, Health> {
        let (events, since) = match self.grabbed.take() {
            Some(grabbed) => grabbed,
            None => (self.grab()?, self.clock.uptime()),
        };
        let raw = raw_keyboard(&self.roots, &self.device.node);
        let raw = match raw.as_ref().map(RawKeys::open).transpose() {
            Ok(raw) => raw,
            Err(_) if self.clock.uptime().since(since) < REPORTS_AWAITED => {
                self.grabbed = Some((events, since));
                return Err(Health::Failed(DeviceFault::DeniedHid));
            }
            Err(error) => {
                tracing::warn!(%error, "a scanner's reports cannot be read; its keys are");
                None
            }
        };
        Ok(Keys { events, raw })
    }

    fn grab(&self) -> Result<KeyEvents, Health> {
        let mut events =
            KeyEvents::open(&self.device.node).map_err(|error| health_of_hid(&error))?;
        // Node names are reused, and this one may by now belong to a keyboard that a person types
        // on.
        let id = events.device.input_id();
        if self.device.identity.ids.is_some_and(|ids| ids != (id.vendor(), id.product())) {
            return Err(Health::Searching);
        }
        // Without an exclusive grab it is not read at all: the keys would land somewhere else as
        // well.
        events.device.grab().map_err(|error| health_of_hid(&error))?;
        Ok(events)
    }
}

/// A keyboard's keys, from its raw reports if they may be read, otherwise from its events.
pub(super) struct Keys {
    /// Kept open even when not read: closing it would end the grab.
    events: KeyEvents,
    raw: Option<RawKeys>,
}

impl Keys {
    /// Listens to a keyboard without grabbing it.
    pub(super) fn listen(node: &Path, roots: &Roots) -> io::Result<Self> {
        let events = KeyEvents::open(node)?;
        let raw = raw_keyboard(roots, node).and_then(|raw| RawKeys::open(&raw).ok());
        Ok(Self { events, raw })
    }

    /// Waits up to `wait` for keys and passes on those that are there. Returns whether there were
    /// any; an error means the keyboard is gone.
    pub(super) fn take(
        &mut self,
        wait: Duration,
        hand_on: impl FnMut(ScannerKey),
    ) -> io::Result<bool> {
        match &mut self.raw {
            Some(raw) => raw.take(wait, hand_on),
            None => self.events.take(wait, hand_on),
        }
    }
}

/// A keyboard's key events.
struct KeyEvents {
    device: RawDevice,
    /// Some events were lost, and with them part of everything up to the next report.
    is_torn: bool,
}

impl KeyEvents {
    fn open(node: &Path) -> io::Result<Self> {
        Ok(Self { device: RawDevice::from_fd(open_to_read(node)?.into())?, is_torn: false })
    }

    fn take(&mut self, wait: Duration, mut hand_on: impl FnMut(ScannerKey)) -> io::Result<bool> {
        if !is_ready(&self.device, wait)? {
            return Ok(false);
        }
        let events = match self.device.fetch_events() {
            Ok(events) => events,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        };
        for event in events {
            match event.event_type() {
                EventType::KEY if !self.is_torn => {
                    if let Some(motion) = Motion::of(event.value()) {
                        hand_on(ScannerKey::Moved(event.code(), motion));
                    }
                }
                EventType::SYNCHRONIZATION => {
                    let was_torn = self.is_torn;
                    self.is_torn = event.code() == SynchronizationCode::SYN_DROPPED.0;
                    if was_torn && !self.is_torn {
                        hand_on(ScannerKey::Lost);
                    }
                }
                _ => {}
            }
        }
        Ok(true)
    }
}

/// Reads until the scanner is gone.
pub(super) fn read(
    scanner: &mut Keys,
    layout: Layout,
    pipeline: &mut ScanPipeline,
    handle: &WorkerHandle,
) {
    let mut keyboard = Keyboard::new(layout);
    while handle.is_wanted() {
        let taken = scanner.take(pipeline.wait(None), |key| match key {
            ScannerKey::Moved(code, motion) => {
                pipeline.push(&keyboard.take(code, motion));
            }
            ScannerKey::Lost => {
                tracing::warn!("this machine was too slow for a scanner's keys");
                pipeline.lost();
                keyboard = Keyboard::new(layout);
            }
        });
        match taken {
            Ok(true) => {}
            Ok(false) => {
                if pipeline.tick() {
                    keyboard.end_scan();
                }
            }
            Err(_) => return,
        }
    }
}
