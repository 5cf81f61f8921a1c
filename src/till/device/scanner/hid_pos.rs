//! HID POS scanners, read from their hidraw node. The node is locked, so that of two tills only one
//! handles a scan.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use hidapi::{HidApi, HidDevice};
use rustix::fs::{FlockOperation, flock};
use zeroize::{Zeroize, Zeroizing};

use super::health_of_hid;
use super::pipeline::ScanPipeline;
use crate::clean::clean;
use crate::clock::Uptime;
use crate::device::{DeviceFault, Health, WorkerHandle};
use crate::scan::hid_pos::{Joined, Joiner, ReportLayout, Symbology};
use paytill_host::clock::Clock;

/// Longer than any report.
const READ: usize = 4096;

/// An open scanner. The kernel delivers every report to everyone who has the node open, so the
/// holder of the lock is the one that listens.
pub(super) struct Open {
    device: HidDevice,
    layout: ReportLayout,
    joiner: Joiner,
    report: Zeroizing<[u8; READ]>,
    has_failed: bool,
    _lock: File,
}

/// Reading fails in only one way, whatever the message says: the scanner is gone.
pub(super) struct HidGone;

pub(super) fn open(node: &Path, layout: &ReportLayout) -> Result<Open, Health> {
    let lock =
        File::options().read(true).write(true).open(node).map_err(|error| health_of_hid(&error))?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|error| {
        let is_held = error == rustix::io::Errno::WOULDBLOCK;
        let fault =
            if is_held { DeviceFault::Busy } else { DeviceFault::of(&io::Error::from(error)) };
        Health::Failed(fault)
    })?;
    let path = CString::new(node.as_os_str().as_bytes()).unwrap_or_default();
    let device = HidApi::new()
        .and_then(|api| api.open_path(&path))
        .map_err(|error| Health::Failed(DeviceFault::Other(clean(&error.to_string(), 60))))?;
    if let Some(greeting) = layout.greeting() {
        // Scanners that need it act on it; the others ignore it (scans 2.3).
        let _ = device.send_feature_report(&greeting);
    }
    let layout = layout.clone();
    let report = Zeroizing::new([0; READ]);
    Ok(Open { device, layout, joiner: Joiner::new(), report, has_failed: false, _lock: lock })
}

impl Open {
    /// When silence ends the current scan.
    pub(super) fn ends_at(&self) -> Option<Uptime> {
        self.joiner.ends_at()
    }

    /// Waits up to `wait` for a report, and returns the scan that it completes.
    pub(super) fn take(
        &mut self,
        wait: Duration,
        clock: &Clock,
    ) -> Result<Option<Joined>, HidGone> {
        let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        let Ok(count) = self.device.read_timeout(&mut self.report[..], wait) else {
            // A signal also ends a wait with an error, and nothing tells the two apart.
            return if std::mem::replace(&mut self.has_failed, true) {
                Err(HidGone)
            } else {
                Ok(None)
            };
        };
        self.has_failed = false;
        let now = clock.uptime();
        if count == 0 {
            return Ok(self.joiner.tick(now));
        }
        let part = self.layout.read(&self.report[..count]);
        let ended = part.and_then(|part| self.joiner.push(&part, now));
        self.report[..count].zeroize();
        Ok(ended)
    }
}

/// Reads until the scanner is gone.
pub(super) fn read(open: &mut Open, pipeline: &mut ScanPipeline, handle: &WorkerHandle) {
    let clock = pipeline.clock();
    while handle.is_wanted() {
        let Ok(ended) = open.take(pipeline.wait(open.ends_at()), &clock) else { return };
        pipeline.tick();
        match ended {
            Some(Joined::Scan(scan)) => {
                tracing::debug!(symbology = scan.symbology.map(Symbology::name), "scanned");
                pipeline.complete(&scan.data);
            }
            Some(Joined::Partial) => pipeline.partial(),
            None => {}
        }
    }
}
