//! Serial scanners: RS-232, CDC-ACM, a USB adapter or a pseudo-terminal.

use std::io::{self, Read};
use std::path::PathBuf;

use serialport::{SerialPort, TTYPort};
use zeroize::{Zeroize, Zeroizing};

use super::ScannerSettings;
use super::health::ScannerHealth;
use super::pipeline::ScanPipeline;
use crate::device::{Address, Health, OpenPort, POLL_INTERVAL, Worker, WorkerHandle};
use paytill_host::clock::Clock;

/// Bytes read at once.
const READ: usize = 1024;

/// Reads the serial port at a path, and searches for it while it is away.
pub(super) fn follow(
    port: PathBuf,
    settings: &ScannerSettings,
    clock: &Clock,
    overall: &ScannerHealth,
) -> io::Result<Worker> {
    let mut address = Address::new(port.clone(), settings.baud);
    let mut pipeline = ScanPipeline::new(settings.suffix, clock.clone(), overall.clone());
    let overall = overall.clone();
    Worker::start("scanner", move |handle| {
        while handle.is_wanted() {
            match address.open(|_| Ok(())) {
                Ok(mut opened) => {
                    tracing::info!(node = %opened.target.display(), "scanner opened");
                    overall.set(&port, Health::Ready);
                    read(&address, &mut opened, &mut pipeline, &handle);
                    tracing::info!(node = %opened.target.display(), "scanner gone");
                    // Close the dead handle before searching, or the port comes back under another
                    // name (devices 1.2).
                    drop(opened);
                    pipeline.reset();
                    if handle.is_wanted() {
                        overall.set(&port, Health::Searching);
                    }
                }
                Err(health) => {
                    overall.set(&port, health);
                    handle.pause(POLL_INTERVAL);
                }
            }
        }
    })
}

/// Reads until the port is gone, or the path leads to another one.
pub(super) fn read(
    address: &Address,
    opened: &mut OpenPort<()>,
    pipeline: &mut ScanPipeline,
    handle: &WorkerHandle,
) {
    let mut bytes = Zeroizing::new([0; READ]);
    while handle.is_wanted() {
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

/// Waits for bytes, but no longer than the current scan can. Zero bytes mean silence, an error the
/// end.
fn take(port: &mut TTYPort, bytes: &mut [u8], pipeline: &ScanPipeline) -> io::Result<usize> {
    port.set_timeout(pipeline.wait(None))?;
    match port.read(bytes) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Err(error) if is_silence(&error) => Ok(0),
        result => result,
    }
}

/// Any other error means that the port is gone (devices 1.2).
pub(super) fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
