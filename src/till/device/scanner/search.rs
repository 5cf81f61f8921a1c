//! Finds scanners: whenever something is plugged in, every device present is examined, and each
//! scanner gets a thread of its own that opens it and reads it until it is gone.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::health::ScannerHealth;
use super::keyboard::Grab;
use super::pipeline::ScanPipeline;
use super::{ScannerSettings, hid_pos, keyboard, serial};
use crate::clock::Millis;
use crate::device::inventory::{Device, DeviceClass, plugged_in};
use crate::device::role::{Role, Why};
use crate::device::watch::{Ring, Watch};
use crate::device::{Address, DeviceFault, Health, POLL_INTERVAL, Worker, WorkerHandle};
use paytill_host::clock::Clock;

/// A new node belongs to root until udev has set its group; a denial is retried for this long
/// before it counts as a fault (devices 1.3).
const DENIED_FOR: Millis = Millis::seconds(2);
const RETRY: Duration = Duration::from_millis(50);
/// Retries that make up one second.
const LINGERING: usize = 20;

/// Starts a thread for every scanner present.
pub(super) struct Search {
    settings: ScannerSettings,
    clock: Clock,
    overall: ScannerHealth,
    /// Keyed by node.
    running: BTreeMap<PathBuf, Worker>,
}

impl Search {
    pub(super) fn new(settings: ScannerSettings, clock: Clock, overall: ScannerHealth) -> Self {
        Self { settings, clock, overall, running: BTreeMap::new() }
    }

    /// Runs until it is no longer wanted.
    pub(super) fn run(mut self, mut watch: Watch, handle: &WorkerHandle) {
        while handle.is_wanted() {
            self.running.retain(|_, worker| !worker.is_finished());
            for device in plugged_in(&self.settings.roots) {
                let Role::Scanner(why) = self.settings.filter.role(&device) else { continue };
                let is_followed = device.class == DeviceClass::Serial
                    && why == Why::Named
                    && self.settings.port.is_some();
                if is_followed || self.running.contains_key(&device.node) {
                    continue;
                }
                let node = device.node.clone();
                match self.start(device, why, watch.ring()) {
                    Ok(worker) => {
                        self.running.insert(node, worker);
                    }
                    Err(error) => {
                        tracing::warn!(%error, "no thread for a scanner");
                        // The thread that failed to start has rung all the same, so pause or this
                        // would spin.
                        handle.pause(POLL_INTERVAL);
                    }
                }
            }
            if self.running.is_empty() && self.settings.port.is_none() {
                self.overall.found_none();
            }
            watch.wait();
        }
    }

    /// Reads a scanner until it is gone, then rings.
    fn start(&self, device: Device, why: Why, ring: Ring) -> io::Result<Worker> {
        let suffix = match device.class {
            DeviceClass::Keyboard => self.settings.suffix.typed(),
            DeviceClass::Serial | DeviceClass::HidPos(_) | DeviceClass::OtherHid => {
                self.settings.suffix
            }
        };
        let mut pipeline = ScanPipeline::new(suffix, self.clock.clone(), self.overall.clone());
        let task = ScannerTask { node: device.node.clone(), overall: self.overall.clone() };
        let layout = self.settings.layout;
        let roots = self.settings.roots.clone();
        let baud = match why {
            Why::Learned(baud) => baud,
            Why::HidPos | Why::Named | Why::Known | Why::CallsItselfOne => self.settings.baud,
        };
        Worker::start("scanner", move |handle| {
            let node = device.node.as_path();
            match &device.class {
                DeviceClass::Serial => {
                    let address = Address::new(node.to_owned(), baud);
                    let open = || address.try_open(|_| Ok(()));
                    if let Some(mut opened) = task.open(open, &pipeline, &handle) {
                        serial::read(&address, &mut opened, &mut pipeline, &handle);
                    }
                }
                DeviceClass::HidPos(layout) => {
                    let open = || hid_pos::open(node, layout);
                    if let Some(mut opened) = task.open(open, &pipeline, &handle) {
                        hid_pos::read(&mut opened, &mut pipeline, &handle);
                    }
                }
                DeviceClass::Keyboard => {
                    let mut grab = Grab::new(device.clone(), roots, pipeline.clock());
                    let open = || grab.open();
                    if let Some(mut opened) = task.open(open, &pipeline, &handle) {
                        keyboard::read(&mut opened, layout, &mut pipeline, &handle);
                    }
                }
                DeviceClass::OtherHid => {}
            }
            task.leave(&handle);
            // In this order, so that whoever is woken by the ring finds this thread finished.
            drop(handle);
            drop(ring);
        })
    }
}

/// The part of a scanner's thread that is the same for every kind.
struct ScannerTask {
    node: PathBuf,
    overall: ScannerHealth,
}

impl ScannerTask {
    /// Opens the scanner, however many attempts that takes; `None` if it is gone again.
    fn open<T>(
        &self,
        mut open: impl FnMut() -> Result<T, Health>,
        pipeline: &ScanPipeline,
        handle: &WorkerHandle,
    ) -> Option<T> {
        let since = pipeline.now();
        while handle.is_wanted() {
            match open() {
                Ok(opened) => {
                    tracing::info!(node = %self.node.display(), "scanner opened");
                    self.overall.set(&self.node, Health::Ready);
                    return Some(opened);
                }
                Err(Health::Searching | Health::Ready) => return None,
                // Just plugged in: udev has yet to set its group (devices 1.3).
                Err(health) if is_denied(&health) && pipeline.now().since(since) < DENIED_FOR => {
                    handle.pause(RETRY);
                }
                Err(health) => {
                    self.overall.set(&self.node, health);
                    handle.pause(POLL_INTERVAL);
                }
            }
        }
        None
    }

    /// The scanner is gone; its node follows a moment later. A scanner that is still present but
    /// cannot be read is left alone for a second.
    fn leave(&self, handle: &WorkerHandle) {
        tracing::info!(node = %self.node.display(), "scanner gone");
        self.overall.remove(&self.node);
        for _ in 0..LINGERING {
            if !self.node.exists() || !handle.is_wanted() {
                return;
            }
            handle.pause(RETRY);
        }
    }
}

fn is_denied(health: &Health) -> bool {
    matches!(health, Health::Failed(DeviceFault::Denied | DeviceFault::DeniedHid))
}
