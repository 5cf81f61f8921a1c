//! The raw reports of a scanner that types, read from its hidraw node alongside the grab. For a
//! busy till the kernel buffers a complete scan of reports, but only some ten digits of key events.

use std::fs::File;
use std::io::{self, Read as _};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use zeroize::{Zeroize, Zeroizing};

use super::key::{ScannerKey, is_ready, open_to_read};
use crate::device::inventory::RawKeyboard;
use crate::scan::keyboard::KeyReports;

/// Longer than any report.
const READ: usize = 4096;
/// Reports that the kernel buffers; a key makes two. Beyond them it silently drops the newest
/// (devices 1.6).
const KEPT: usize = 63;

pub(super) struct RawKeys {
    file: File,
    reports: KeyReports,
    report: Zeroizing<[u8; READ]>,
    /// Consecutive reports that were already there when read.
    run: usize,
}

impl RawKeys {
    /// Fails with `NotFound` while the node has yet to appear.
    pub(super) fn open(raw: &RawKeyboard) -> io::Result<Self> {
        let node = raw.node.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let file = open_to_read(node)?;
        // Locked, so that it is read only once, however many ways into the device there are.
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        let report = Zeroizing::new([0; READ]);
        Ok(Self { file, reports: raw.reports.clone(), report, run: 0 })
    }

    /// Waits up to `wait` for reports and passes on their keys. Returns whether there were any; an
    /// error means the scanner is gone.
    pub(super) fn take(
        &mut self,
        wait: Duration,
        mut hand_on: impl FnMut(ScannerKey),
    ) -> io::Result<bool> {
        if !is_ready(&self.file, wait)? {
            return Ok(self.end_run(&mut hand_on));
        }
        for number in 0..2 * KEPT {
            match self.file.read(&mut self.report[..]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    self.run += 1;
                    // Reports beyond those may follow a gap.
                    if self.run <= KEPT {
                        let moved = |code, motion| hand_on(ScannerKey::Moved(code, motion));
                        self.reports.take(&self.report[..count], moved);
                    }
                    self.report[..count].zeroize();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.end_run(&mut hand_on);
                    break;
                }
                // The error recurs at the next call, once what came before it has been handled.
                Err(_) if number > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// The buffer is empty. Returns whether some reports may have been lost.
    fn end_run(&mut self, hand_on: &mut impl FnMut(ScannerKey)) -> bool {
        let may_have_lost = std::mem::take(&mut self.run) >= KEPT;
        if may_have_lost {
            self.reports.forget();
            hand_on(ScannerKey::Lost);
        }
        may_have_lost
    }
}
