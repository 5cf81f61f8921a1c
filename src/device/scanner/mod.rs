//! Barcode scanners: serial, HID POS, and those that type like a keyboard. Each has a thread of its
//! own, and all feed the same scans. One more thread sleeps until something is plugged in, and
//! starts what is a scanner.

mod board;
mod feed;
mod hid_pos;
mod keyboard;
pub mod lesson;
mod serial;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use self::board::Board;
use self::feed::Feed;
use super::inventory::{Class, Device, Roots, plugged_in};
use super::role::{self, Role, Why};
use super::watch::{Ring, Watch};
use super::{Address, Fault, Health, LOOK, Wanted, Worker, health_of};
use crate::clock::{Clock, Millis};
use crate::scan::Suffix;
use crate::scan::keyboard::Layout;

/// A node that was just made belongs to root until udev has set its group; so long is it tried
/// again before that is a fault (devices 1.4).
const DENIED_FOR: Millis = Millis::seconds(2);
const RETRY: Duration = Duration::from_millis(50);

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
    pub wanted: role::Wanted,
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
        let board = Board::new(settings.is_missed, Arc::new(report));
        let port = match &settings.port {
            Some(port) => Some(follow(port.clone(), &settings, &clock, &board)?),
            None => None,
        };
        let looks = settings.wanted.serial || settings.wanted.hid_pos || settings.wanted.keyboards;
        let (search, ring) = if looks {
            let watch = Watch::new(settings.roots.dev.clone())?;
            let ring = watch.ring();
            let work = move |wanted: Wanted| {
                Search { settings, clock, board, running: BTreeMap::new() }.run(watch, &wanted);
            };
            (Some(Worker::start("scanners", work)?), Some(ring))
        } else {
            (None, None)
        };
        Ok(Self { _port: port, _search: search, _ring: ring })
    }
}

/// Reads the serial port at a path, and looks for it again and again while it is away.
fn follow(
    port: PathBuf,
    settings: &ScannerSettings,
    clock: &Clock,
    board: &Board,
) -> io::Result<Worker> {
    let mut address = Address::new(port.clone(), settings.baud);
    let mut feed = Feed::new(settings.suffix, clock.clone(), board.clone());
    let board = board.clone();
    Worker::start("scanner", move |wanted| {
        while wanted.is_true() {
            match address.open(|_| Ok(())) {
                Ok(mut opened) => {
                    board.set(&port, Health::Ready);
                    serial::read(&address, &mut opened, &mut feed, &wanted);
                    // The dead handle goes before the search, else the port comes back under
                    // another name (devices 1.4).
                    drop(opened);
                    feed.reset();
                    if wanted.is_true() {
                        board.set(&port, Health::Searching);
                    }
                }
                Err(health) => {
                    board.set(&port, health);
                    wanted.pause(LOOK);
                }
            }
        }
    })
}

/// Starts a thread for every scanner that is there.
struct Search {
    settings: ScannerSettings,
    clock: Clock,
    board: Board,
    /// By their nodes.
    running: BTreeMap<PathBuf, Worker>,
}

impl Search {
    fn run(mut self, mut watch: Watch, wanted: &Wanted) {
        while wanted.is_true() {
            self.running.retain(|_, worker| !worker.is_finished());
            for device in plugged_in(&self.settings.roots) {
                let Role::Scanner(why) = self.settings.wanted.role(&device) else { continue };
                let is_followed = device.class == Class::Serial
                    && why == Why::Named
                    && self.settings.port.is_some();
                if is_followed || self.running.contains_key(&device.node) {
                    continue;
                }
                let node = device.node.clone();
                match self.attend(device, why, watch.ring()) {
                    Ok(worker) => {
                        self.running.insert(node, worker);
                    }
                    Err(error) => tracing::warn!(%error, "no thread for a scanner"),
                }
            }
            if self.running.is_empty() && self.settings.port.is_none() {
                self.board.found_none();
            }
            watch.wait();
        }
    }

    /// Reads a scanner that is there until it is gone. It rings then.
    fn attend(&self, device: Device, why: Why, ring: Ring) -> io::Result<Worker> {
        let mut feed = Feed::new(self.settings.suffix, self.clock.clone(), self.board.clone());
        let attendant = Attendant { node: device.node.clone(), board: self.board.clone() };
        let layout = self.settings.layout;
        let baud = match why {
            Why::Learned(baud) => baud,
            Why::HidPos | Why::Named | Why::Known | Why::CallsItselfOne => self.settings.baud,
        };
        Worker::start("scanner", move |wanted| {
            let node = device.node.as_path();
            match &device.class {
                Class::Serial => {
                    let address = Address::new(node.to_owned(), baud);
                    let open = || address.try_open(|_| Ok(()));
                    if let Some(mut opened) = attendant.open(open, &feed, &wanted) {
                        serial::read(&address, &mut opened, &mut feed, &wanted);
                    }
                }
                Class::HidPos(layout) => {
                    let open = || hid_pos::open(node, layout);
                    if let Some(mut opened) = attendant.open(open, &feed, &wanted) {
                        hid_pos::read(&mut opened, &mut feed, &wanted);
                    }
                }
                Class::Keyboard => {
                    let open = || keyboard::open(node);
                    if let Some(mut opened) = attendant.open(open, &feed, &wanted) {
                        keyboard::read(&mut opened, layout, &mut feed, &wanted);
                    }
                }
                Class::OtherHid => {}
            }
            attendant.leave(&wanted);
            // In this order: who hears it ring finds it finished.
            drop(wanted);
            drop(ring);
        })
    }
}

fn health_of_hid(error: &io::Error) -> Health {
    match health_of(error) {
        Health::Failed(Fault::Denied) => Health::Failed(Fault::DeniedHid),
        other => other,
    }
}

fn is_denied(health: &Health) -> bool {
    matches!(health, Health::Failed(Fault::Denied | Fault::DeniedHid))
}

/// What a scanner's thread does whatever its scanner is.
struct Attendant {
    node: PathBuf,
    board: Board,
}

impl Attendant {
    /// Opens the scanner, however often that takes; `None` when it is gone again.
    fn open<T>(
        &self,
        mut open: impl FnMut() -> Result<T, Health>,
        feed: &Feed,
        wanted: &Wanted,
    ) -> Option<T> {
        let since = feed.now();
        while wanted.is_true() {
            match open() {
                Ok(opened) => {
                    tracing::info!(node = %self.node.display(), "scanner opened");
                    self.board.set(&self.node, Health::Ready);
                    return Some(opened);
                }
                Err(Health::Searching | Health::Ready) => return None,
                // It was plugged in just now, and udev has yet to set its group (devices 1.4).
                Err(health) if is_denied(&health) && feed.now().since(since) < DENIED_FOR => {
                    wanted.pause(RETRY);
                }
                Err(health) => {
                    self.board.set(&self.node, health);
                    wanted.pause(LOOK);
                }
            }
        }
        None
    }

    /// The scanner is gone, or is there and cannot be read, which must not become a race.
    fn leave(&self, wanted: &Wanted) {
        self.board.remove(&self.node);
        if self.node.exists() {
            wanted.pause(LOOK);
        }
    }
}
