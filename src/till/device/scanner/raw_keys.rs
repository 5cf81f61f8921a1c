//! The reports of a scanner that types, read from its hidraw node beside the grab: the kernel keeps
//! a whole scan of them for a till that is busy, and of key events only some ten digits.

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
/// Reports that the kernel keeps, of which a key makes two; it drops the newest after them, and does
/// not tell (devices 1.6).
const KEPT: usize = 63;

pub(super) struct RawKeys {
    file: File,
    reports: KeyReports,
    report: Zeroizing<[u8; READ]>,
    /// Reports in a row that were there when they were asked for.
    run: usize,
}

impl RawKeys {
    /// `NotFound` where the node has yet to come.
    pub(super) fn open(raw: &RawKeyboard) -> io::Result<Self> {
        let node = raw.node.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let file = open_to_read(node)?;
        // It is read once, whatever other ways into the device there are.
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        let report = Zeroizing::new([0; READ]);
        Ok(Self { file, reports: raw.reports.clone(), report, run: 0 })
    }

    /// Waits for reports no longer than this, and hands on the keys of those that are there. Tells
    /// whether there were any; an error is the end.
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
                    // What comes behind those may have lost what was before it.
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
                // It will be the same the next time, once what came before is taken.
                Err(_) if number > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Nothing more waits. Tells whether some may have been lost.
    fn end_run(&mut self, hand_on: &mut impl FnMut(ScannerKey)) -> bool {
        let may_have_lost = std::mem::take(&mut self.run) >= KEPT;
        if may_have_lost {
            self.reports.forget();
            hand_on(ScannerKey::Lost);
        }
        may_have_lost
    }
}
