//! Barcode scanners: serial, HID POS, and those that type like a keyboard.
//!
//! Each scanner has a thread of its own, and all of them deliver scans in the same form. A search
//! thread sleeps until something is plugged in and then starts a thread for whatever is a scanner;
//! a serial port from the configuration is followed by its path. Health is reported for all
//! scanners together. Buffers that held a scan are wiped.

pub mod detection;
mod health;
mod hid_pos;
mod key;
mod keyboard;
mod pipeline;
mod raw_keys;
mod search;
mod serial;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use self::health::ScannerHealth;
use self::search::Search;
use super::inventory::Roots;
use super::role;
use super::watch::{Ring, Watch};
use super::{DeviceFault, Health, POLL_INTERVAL, Worker, WorkerHandle, health_of};
use crate::clock::Uptime;
use crate::scan::Suffix;
use crate::scan::keyboard::Layout;
use paytill_host::clock::Clock;

/// A wait of nothing would spin.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// Which scanners are expected, and how they are read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScannerSettings {
    /// A serial scanner's path: any terminal, or a link to one. The till waits for it to appear.
    pub port: Option<PathBuf>,
    /// Bits per second; meaningless for USB and pseudo-terminals.
    pub baud: u32,
    pub suffix: Suffix,
    /// For scanners that type.
    pub layout: Layout,
    /// What to look for besides the port.
    pub filter: role::DeviceFilter,
    /// Whether to report it when there is no scanner at all.
    pub is_missed: bool,
    pub roots: Roots,
}

/// What scanners report.
#[derive(Debug, Eq, PartialEq)]
pub enum ScannerReport {
    /// Their combined health: ready if any of them is.
    Health(Health),
    /// A complete scan. It may be a payment code: see [`crate::scan::Scan::name`].
    Scanned(Zeroizing<String>),
    /// Something arrived that is not a scan.
    Noise,
}

/// Running scanners. They end within a second of this being dropped.
pub struct Scanners {
    // Drop order matters: the search thread ends once it is no longer wanted and then woken.
    _port: Option<Worker>,
    _search: Option<Worker>,
    _ring: Option<Ring>,
}

impl Scanners {
    /// Starts searching for scanners. Reports come from the scanners' own threads, and a scanner
    /// waits while its report is being handled. Fails only if the system cannot provide a thread or
    /// an event descriptor.
    pub fn start(
        settings: ScannerSettings,
        clock: Clock,
        report: impl Fn(ScannerReport) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let overall = ScannerHealth::new(settings.is_missed, Arc::new(report));
        let port = match &settings.port {
            Some(port) => Some(serial::follow(port.clone(), &settings, &clock, &overall)?),
            None => None,
        };
        let searches =
            settings.filter.serial || settings.filter.hid_pos || settings.filter.keyboards;
        let (search, ring) = if searches {
            let watch = Watch::new(settings.roots.dev.clone())?;
            let ring = watch.ring();
            let work = move |handle: WorkerHandle| {
                Search::new(settings, clock, overall).run(watch, &handle);
            };
            (Some(Worker::start("scanners", work)?), Some(ring))
        } else {
            (None, None)
        };
        Ok(Self { _port: port, _search: search, _ring: ring })
    }
}

/// How long to wait for more input: until this moment, and no longer than a poll interval.
fn wait_until(moment: Option<Uptime>, now: Uptime) -> Duration {
    moment
        .map_or(POLL_INTERVAL, |at| Duration::from(at.since(now)))
        .clamp(SHORTEST_WAIT, POLL_INTERVAL)
}

fn health_of_hid(error: &io::Error) -> Health {
    match health_of(error) {
        Health::Failed(DeviceFault::Denied) => Health::Failed(DeviceFault::DeniedHid),
        other => other,
    }
}
