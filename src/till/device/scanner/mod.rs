//! Barcode scanners: serial, HID POS, and those that type like a keyboard. Each has a thread of its
//! own, and all deliver the same scans. One more thread sleeps until something is plugged in, and
//! starts what is a scanner.

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

use zeroize::Zeroizing;

use self::health::ScannerHealth;
use self::search::Search;
use super::inventory::Roots;
use super::role;
use super::watch::{Ring, Watch};
use super::{DeviceFault, Health, Worker, WorkerHandle, health_of};
use crate::scan::Suffix;
use crate::scan::keyboard::Layout;
use paytill_host::clock::Clock;

/// Which scanners there are to be, and how they speak.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScannerSettings {
    /// A serial scanner by its path: any terminal's, or a link to one. It is waited for.
    pub port: Option<PathBuf>,
    /// Bits a second; without meaning for USB and pseudo-terminals.
    pub baud: u32,
    pub suffix: Suffix,
    /// Of scanners that type.
    pub layout: Layout,
    /// What is looked for beside the port.
    pub wanted: role::DeviceFilter,
    /// Whether the absence of all scanners is to be told.
    pub is_missed: bool,
    pub roots: Roots,
}

/// What scanners tell.
#[derive(Debug, Eq, PartialEq)]
pub enum ScannerReport {
    /// How they are together: ready if one of them is.
    Health(Health),
    /// A whole scan. It may be a payment code: [`crate::scan::Scan::name`] tells.
    Scanned(Zeroizing<String>),
    /// Something came that was no scan.
    Noise,
}

/// Scanners at work. They end, within a second, when this is dropped.
pub struct Scanners {
    // In this order: the search ends when it rings and is no longer wanted.
    _port: Option<Worker>,
    _search: Option<Worker>,
    _ring: Option<Ring>,
}

impl Scanners {
    /// Starts looking for scanners; what they say is reported from their own threads, and while a
    /// report waits, so does its scanner. Fails only if the system gives too little.
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
        let looks = settings.wanted.serial || settings.wanted.hid_pos || settings.wanted.keyboards;
        let (search, ring) = if looks {
            let watch = Watch::new(settings.roots.dev.clone())?;
            let ring = watch.ring();
            let work = move |wanted: WorkerHandle| {
                Search::new(settings, clock, overall).run(watch, &wanted);
            };
            (Some(Worker::start("scanners", work)?), Some(ring))
        } else {
            (None, None)
        };
        Ok(Self { _port: port, _search: search, _ring: ring })
    }
}

fn health_of_hid(error: &io::Error) -> Health {
    match health_of(error) {
        Health::Failed(DeviceFault::Denied) => Health::Failed(DeviceFault::DeniedHid),
        other => other,
    }
}
