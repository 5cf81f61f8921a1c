//! Listens to everything that may be a scanner until one of them is used, for
//! `paytill devices --learn`.
//!
//! Nothing is grabbed: a keyboard that is being listened to keeps typing wherever it normally does.
//! Serial ports are tried at one common speed after another. Reports give the length and kind of a
//! code, never its contents.

use std::io::{self, Read as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serialport::{ClearBuffer, SerialPort as _};
use zeroize::{Zeroize as _, Zeroizing};

use super::key::ScannerKey;
use super::{health_of_hid, hid_pos, keyboard};
use crate::clock::Uptime;
use crate::device::inventory::{Device, DeviceClass, Roots};
use crate::device::{Address, DeviceFault, Health, Worker, WorkerHandle};
use crate::scan::hid_pos::{Joined, ReportLayout, Symbology};
use crate::scan::keyboard::{Keyboard, Layout as Keys};
use crate::scan::speed::{SPEEDS, SpeedTrial, SpeedVerdict};
use crate::scan::{BurstKey, BurstOutcome, EndKey, KeyBurst, SCAN_LENGTH};
use paytill_host::clock::Clock;

const READ: usize = 1024;

/// What a detection reports.
#[derive(Debug, Eq, PartialEq)]
pub enum DetectionReport {
    /// A scan would be heard from now on, whichever of the usable devices it comes from. Reported
    /// once.
    Listening,
    Heard(Heard),
    /// Something arrived, but not at the speed the port was read at; `next`, in bits per second, is
    /// tried from here on.
    Garbled {
        device: Device,
        next: u32,
    },
    /// It cannot be listened to.
    Unusable {
        device: Device,
        fault: DeviceFault,
    },
}

/// A scanner that was used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Heard {
    pub device: Device,
    /// Bits per second; zero unless it is a serial port.
    pub baud: u32,
    pub characters: usize,
    /// The kind of code, if the scanner reports it.
    pub symbology: Option<&'static str>,
}

/// A running detection. Ends within a second of being dropped.
pub struct Detection {
    _workers: Vec<Worker>,
}

impl Detection {
    /// Listens to all these devices, each on its own thread. Fails only if the system cannot
    /// provide a thread.
    pub fn start(
        devices: Vec<Device>,
        roots: &Roots,
        keys: Keys,
        clock: &Clock,
        report: impl Fn(DetectionReport) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let unopened = Arc::new(AtomicUsize::new(devices.len()));
        let workers = devices.into_iter().map(|device| {
            let (report, clock, roots) = (report.clone(), clock.clone(), roots.clone());
            let unopened = unopened.clone();
            Worker::start("detection", move |handle| {
                let detector = Detector { device, clock, report, unopened };
                if let Err(fault) = detector.listen(keys, &roots, &handle) {
                    let device = detector.device.clone();
                    (detector.report)(DetectionReport::Unusable { device, fault });
                    detector.opened();
                }
            })
        });
        Ok(Self { _workers: workers.collect::<io::Result<_>>()? })
    }
}

struct Detector<R> {
    device: Device,
    clock: Clock,
    report: R,
    /// How many devices are still being opened.
    unopened: Arc<AtomicUsize>,
}

impl<R: Fn(DetectionReport)> Detector<R> {
    /// Tells of the last one: a scan before that may come from one that nobody listens to yet.
    fn opened(&self) {
        if self.unopened.fetch_sub(1, Ordering::AcqRel) == 1 {
            (self.report)(DetectionReport::Listening);
        }
    }

    /// Runs until the device is used, gone, or no longer wanted.
    fn listen(&self, keys: Keys, roots: &Roots, handle: &WorkerHandle) -> Result<(), DeviceFault> {
        let listened = match &self.device.class {
            DeviceClass::Serial => self.to_port(handle),
            DeviceClass::HidPos(layout) => self.to_reports(layout, handle),
            DeviceClass::Keyboard => self.to_keys(keys, roots, handle),
            DeviceClass::OtherHid => {
                self.opened();
                Ok(())
            }
        };
        match listened {
            Err(Health::Failed(fault)) => Err(fault),
            _ => Ok(()),
        }
    }

    fn to_port(&self, handle: &WorkerHandle) -> Result<(), Health> {
        let mut speeds = SPEEDS.into_iter().cycle();
        let mut baud = speeds.next().unwrap_or_default();
        let mut port = Address::new(self.device.node.clone(), baud).try_open(|_| Ok(()))?.port;
        self.opened();
        let mut trial = SpeedTrial::default();
        let mut bytes = Zeroizing::new([0; READ]);
        while handle.is_wanted() {
            if port.set_timeout(self.wait(trial.silence_at())).is_err() {
                return Ok(());
            }
            let count = match port.read(&mut bytes[..]) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if super::serial::is_silence(&error) => 0,
                Err(_) => return Ok(()),
            };
            let now = self.clock.uptime();
            let verdict =
                if count == 0 { trial.tick(now) } else { trial.push(&bytes[..count], now) };
            bytes[..count].zeroize();
            match verdict {
                Some(SpeedVerdict::Right(characters)) => {
                    self.heard(baud, characters, None);
                    return Ok(());
                }
                Some(SpeedVerdict::Wrong) => {
                    baud = speeds.next().unwrap_or(baud);
                    if port
                        .set_baud_rate(baud)
                        .and_then(|()| port.clear(ClearBuffer::Input))
                        .is_err()
                    {
                        return Ok(());
                    }
                    let device = self.device.clone();
                    (self.report)(DetectionReport::Garbled { device, next: baud });
                }
                None => {}
            }
        }
        Ok(())
    }

    fn to_reports(&self, layout: &ReportLayout, handle: &WorkerHandle) -> Result<(), Health> {
        let mut open = hid_pos::open(&self.device.node, layout)?;
        self.opened();
        while handle.is_wanted() {
            let Ok(ended) = open.take(self.wait(open.ends_at()), &self.clock) else {
                return Ok(());
            };
            if let Some(Joined::Scan(scan)) = ended {
                self.heard(0, scan.data.len(), scan.symbology.map(Symbology::name));
                return Ok(());
            }
        }
        Ok(())
    }

    /// Nobody types as fast as a scanner, so the timing shows which keyboard is one.
    fn to_keys(&self, keys: Keys, roots: &Roots, handle: &WorkerHandle) -> Result<(), Health> {
        let mut pressed = keyboard::Keys::listen(&self.device.node, roots)
            .map_err(|error| health_of_hid(&error))?;
        self.opened();
        let mut keyboard = Keyboard::new(keys);
        let mut burst = KeyBurst::<()>::new();
        let mut characters = 0;
        while handle.is_wanted() {
            let now = || self.clock.uptime();
            let mut outcomes = Vec::new();
            let wait = self.wait(burst.wake_at());
            let taken = pressed.take(wait, |key| {
                let ScannerKey::Moved(code, motion) = key else { return };
                for byte in keyboard.take(code, motion).iter() {
                    let key = match byte {
                        b'\r' => BurstKey::End(EndKey::Enter),
                        b'\t' => BurstKey::End(EndKey::Tab),
                        byte => BurstKey::Char(char::from(*byte)),
                    };
                    characters += usize::from(matches!(key, BurstKey::Char(_)));
                    outcomes.extend(burst.push(key, now()));
                }
            });
            if taken.is_err() {
                return Ok(());
            }
            outcomes.extend(burst.tick(now()));
            for outcome in outcomes {
                // A terminal could not use a scan without a terminator, but it is a scan all the
                // same.
                let is_scan =
                    matches!(outcome, BurstOutcome::Scanned(_) | BurstOutcome::Dropped { .. });
                if is_scan && characters >= SCAN_LENGTH {
                    self.heard(0, characters, None);
                    return Ok(());
                }
                characters = 0;
            }
        }
        Ok(())
    }

    fn heard(&self, baud: u32, characters: usize, symbology: Option<&'static str>) {
        let device = self.device.clone();
        (self.report)(DetectionReport::Heard(Heard { device, baud, characters, symbology }));
    }

    fn wait(&self, until: Option<Uptime>) -> Duration {
        super::wait_until(until, self.clock.uptime())
    }
}
