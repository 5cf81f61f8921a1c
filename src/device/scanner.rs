//! A serial barcode scanner: RS-232, CDC-ACM, an adapter, or a pseudo-terminal.

use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use serialport::{SerialPort, TTYPort};
use zeroize::{Zeroize, Zeroizing};

use super::{Address, Health, LOOK, Opened, Reported, Wanted, Worker};
use crate::clock::Clock;
use crate::scan::Suffix;
use crate::scan::{Assembler, Line};

/// Bytes taken at once.
const READ: usize = 1024;
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// Where the scanner is, and how it speaks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScannerSettings {
    /// Any terminal's path, or a link to one.
    pub port: PathBuf,
    /// Bits a second; without meaning for USB and pseudo-terminals.
    pub baud: u32,
    pub suffix: Suffix,
}

/// What a scanner tells.
#[derive(Debug, Eq, PartialEq)]
pub enum ScannerReport {
    Health(Health),
    /// A whole scan. It may be a payment code: [`crate::scan::Scan::name`] tells.
    Scanned(Zeroizing<String>),
    /// Something came that was no scan.
    Noise,
}

/// A scanner at work. It ends, within a second, when this is dropped.
pub struct Scanner {
    _worker: Worker,
}

impl Scanner {
    /// Starts looking for the scanner; what it says is reported from its own thread, and while a
    /// report waits, so does the scanner. Fails only if the system gives no thread.
    pub fn start(
        settings: ScannerSettings,
        clock: Clock,
        report: impl Fn(ScannerReport) + Send + 'static,
    ) -> io::Result<Self> {
        let worker = Worker::start("scanner", move |wanted| {
            let assembler = Assembler::new(settings.suffix);
            let address = Address::new(settings.port, settings.baud);
            Reader { address, assembler, clock, report, reported: Reported(None) }.run(&wanted);
        })?;
        Ok(Self { _worker: worker })
    }
}

struct Reader<R> {
    address: Address,
    assembler: Assembler,
    clock: Clock,
    report: R,
    reported: Reported,
}

impl<R: Fn(ScannerReport)> Reader<R> {
    fn run(mut self, wanted: &Wanted) {
        while wanted.is_true() {
            match self.address.open(|_| Ok(())) {
                Ok(mut opened) => {
                    self.tell(Health::Ready);
                    self.read_until_gone(&mut opened, wanted);
                    // The dead handle goes before the search, else the port comes back under
                    // another name (devices 1.4).
                    drop(opened);
                    self.assembler.reset();
                    if wanted.is_true() {
                        self.tell(Health::Searching);
                    }
                }
                Err(health) => {
                    self.tell(health);
                    wanted.pause(LOOK);
                }
            }
        }
    }

    fn read_until_gone(&mut self, opened: &mut Opened<()>, wanted: &Wanted) {
        let mut bytes = Zeroizing::new([0; READ]);
        while wanted.is_true() {
            let Ok(count) = self.read(&mut opened.port, &mut bytes[..]) else { return };
            let now = self.clock.uptime();
            let lines = match count {
                0 if self.address.has_moved(opened) => return,
                0 => self.assembler.tick(now),
                count => self.assembler.push(&bytes[..count], now),
            };
            bytes[..count].zeroize();
            for line in lines {
                (self.report)(match line {
                    Line::Text(text) => ScannerReport::Scanned(text),
                    Line::Noise => ScannerReport::Noise,
                });
            }
        }
    }

    /// Waits for bytes, no longer than the assembler can. None is silence, an error the end.
    fn read(&self, port: &mut TTYPort, bytes: &mut [u8]) -> io::Result<usize> {
        let wait = self
            .assembler
            .silence_at()
            .map_or(LOOK, |at| Duration::from(at.since(self.clock.uptime())))
            .clamp(SHORTEST_WAIT, LOOK);
        port.set_timeout(wait)?;
        match port.read(bytes) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if is_silence(&error) => Ok(0),
            result => result,
        }
    }

    fn tell(&mut self, health: Health) {
        if self.reported.changes_to(&health) {
            (self.report)(ScannerReport::Health(health));
        }
    }
}

/// Everything else means that the port is gone (devices 1.4).
fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
