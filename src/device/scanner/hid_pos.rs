//! HID POS scanners, read from their hidraw node.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use hidapi::{HidApi, HidDevice};
use rustix::fs::{FlockOperation, flock};
use zeroize::{Zeroize, Zeroizing};

use super::feed::Feed;
use super::health_of_hid;
use crate::clean::clean;
use crate::clock::Clock;
use crate::device::{Fault, Health, Wanted};
use crate::scan::hid_pos::{Joined, Joiner, Layout};

/// Longer than any report.
pub(super) const READ: usize = 4096;

/// The one error that there is while reading, in many words: the scanner is gone.
pub(super) struct Gone;

/// An open scanner. The kernel hands every report to everybody who has the node open, so whoever
/// holds the lock is the one who listens.
pub(super) struct Open {
    device: HidDevice,
    _lock: File,
}

pub(super) fn open(node: &Path, layout: &Layout) -> Result<Open, Health> {
    let lock =
        File::options().read(true).write(true).open(node).map_err(|error| health_of_hid(&error))?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|error| {
        let is_held = error == rustix::io::Errno::WOULDBLOCK;
        let fault = if is_held { Fault::Busy } else { Fault::of(&io::Error::from(error)) };
        Health::Failed(fault)
    })?;
    let path = CString::new(node.as_os_str().as_bytes()).unwrap_or_default();
    let device = HidApi::new()
        .and_then(|api| api.open_path(&path))
        .map_err(|error| Health::Failed(Fault::Other(clean(&error.to_string(), 60))))?;
    if let Some(greeting) = layout.greeting() {
        // Those that need it take it; to the others it means nothing (devices 1.3).
        let _ = device.send_feature_report(&greeting);
    }
    Ok(Open { device, _lock: lock })
}

/// Waits for a report no longer than this, and gives what it ends; an error is the end of all.
pub(super) fn take(
    open: &mut Open,
    layout: &Layout,
    joiner: &mut Joiner,
    report: &mut [u8; READ],
    wait: Duration,
    clock: &Clock,
) -> Result<Vec<Joined>, Gone> {
    let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
    let count = open.device.read_timeout(&mut report[..], wait).map_err(|_| Gone)?;
    let now = clock.uptime();
    let joined = match layout.read(&report[..count]) {
        Some(part) => joiner.push(&part, now),
        None => joiner.tick(now).into_iter().collect(),
    };
    report[..count].zeroize();
    Ok(joined)
}

/// Reads until the scanner is gone.
pub(super) fn read(open: &mut Open, layout: &Layout, feed: &mut Feed, wanted: &Wanted) {
    let mut joiner = Joiner::new();
    let mut report = Zeroizing::new([0; READ]);
    let clock = feed.clock();
    while wanted.is_true() {
        let wait = feed.wait(joiner.ends_at());
        let Ok(joined) = take(open, layout, &mut joiner, &mut report, wait, &clock) else { return };
        feed.tick();
        for joined in joined {
            match joined {
                Joined::Scan(scan) => {
                    let symbology = scan.symbology.map(|symbology| symbology.name());
                    tracing::debug!(symbology, "scanned");
                    feed.whole(&scan.data);
                }
                Joined::Half => feed.half(),
            }
        }
    }
}
