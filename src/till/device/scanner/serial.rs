//! Serial scanners: RS-232, CDC-ACM, an adapter, or a pseudo-terminal.

use std::io::{self, Read};
use std::path::PathBuf;

use serialport::{SerialPort, TTYPort};
use zeroize::{Zeroize, Zeroizing};

use super::ScannerSettings;
use super::health::ScannerHealth;
use super::pipeline::ScanPipeline;
use crate::device::{Address, Health, OpenPort, POLL_INTERVAL, Worker, WorkerHandle};
use paytill_host::clock::Clock;

/// Bytes taken at once.
const READ: usize = 1024;

/// Reads the serial port at a path, and looks for it again and again while it is away.
pub(super) fn follow(
    port: PathBuf,
    settings: &ScannerSettings,
    clock: &Clock,
    overall: &ScannerHealth,
) -> io::Result<Worker> {
    let mut address = Address::new(port.clone(), settings.baud);
    let mut pipeline = ScanPipeline::new(settings.suffix, clock.clone(), overall.clone());
    let overall = overall.clone();
    Worker::start("scanner", move |wanted| {
        while wanted.is_wanted() {
            match address.open(|_| Ok(())) {
                Ok(mut opened) => {
                    tracing::info!(node = %opened.target.display(), "scanner opened");
                    overall.set(&port, Health::Ready);
                    read(&address, &mut opened, &mut pipeline, &wanted);
                    tracing::info!(node = %opened.target.display(), "scanner gone");
                    // The dead handle goes before the search, else the port comes back under
                    // another name (devices 1.2).
                    drop(opened);
                    pipeline.reset();
                    if wanted.is_wanted() {
                        overall.set(&port, Health::Searching);
                    }
                }
                Err(health) => {
                    overall.set(&port, health);
                    wanted.pause(POLL_INTERVAL);
                }
            }
        }
    })
}

/// Reads until the port is gone, or another one is where the path leads.
pub(super) fn read(
    address: &Address,
    opened: &mut OpenPort<()>,
    pipeline: &mut ScanPipeline,
    wanted: &WorkerHandle,
) {
    let mut bytes = Zeroizing::new([0; READ]);
    while wanted.is_wanted() {
        let Ok(count) = take(&mut opened.port, &mut bytes[..], pipeline) else { return };
        match count {
            0 if address.has_moved(opened) => return,
            0 => {
                pipeline.tick();
            }
            count => {
                pipeline.push(&bytes[..count]);
            }
        }
        bytes[..count].zeroize();
    }
}

/// Waits for bytes, no longer than the scan can. None is silence, an error the end.
fn take(port: &mut TTYPort, bytes: &mut [u8], pipeline: &ScanPipeline) -> io::Result<usize> {
    port.set_timeout(pipeline.wait(None))?;
    match port.read(bytes) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Err(error) if is_silence(&error) => Ok(0),
        result => result,
    }
}

/// Everything else means that the port is gone (devices 1.2).
pub(super) fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
