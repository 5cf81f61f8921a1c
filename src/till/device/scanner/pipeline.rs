//! Turns what a scanner's device delivers into reports of scans, in the same way for every kind of
//! scanner.

use std::time::Duration;

use zeroize::Zeroizing;

use super::ScannerReport;
use super::health::ScannerHealth;
use crate::clock::Uptime;
use crate::scan::{Assembler, ScanLine, Suffix};
use paytill_host::clock::Clock;

/// One scanner's path to the till.
pub(super) struct ScanPipeline {
    assembler: Assembler,
    clock: Clock,
    overall: ScannerHealth,
}

impl ScanPipeline {
    pub(super) fn new(suffix: Suffix, clock: Clock, overall: ScannerHealth) -> Self {
        Self { assembler: Assembler::new(suffix), clock, overall }
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    pub(super) fn now(&self) -> Uptime {
        self.clock.uptime()
    }

    /// How long to wait for more input: until the silence that ends a scan or until `other`,
    /// whichever comes first.
    pub(super) fn wait(&self, other: Option<Uptime>) -> Duration {
        super::wait_until(self.assembler.silence_at().into_iter().chain(other).min(), self.now())
    }

    /// Takes bytes as they arrive. Returns whether they ended a scan.
    pub(super) fn push(&mut self, bytes: &[u8]) -> bool {
        let lines = self.assembler.push(bytes, self.now());
        self.report(lines)
    }

    /// Takes a scan that the scanner itself has marked as complete.
    pub(super) fn complete(&mut self, scan: &Zeroizing<Vec<u8>>) {
        let lines = self.assembler.complete(scan, self.now());
        self.report(lines);
    }

    /// Records a scan that never completed.
    pub(super) fn partial(&mut self) {
        let line = self.assembler.partial(self.now());
        self.report(line);
    }

    /// Records that part of a scan was lost on the way.
    pub(super) fn lost(&mut self) {
        let line = self.assembler.lost(self.now());
        self.report(line);
    }

    /// Records silence: nothing arrived during the whole wait. Returns whether that ended a scan.
    pub(super) fn tick(&mut self) -> bool {
        let lines = self.assembler.tick(self.now());
        self.report(lines)
    }

    /// The scanner is gone, and any scan it had begun with it.
    pub(super) fn reset(&mut self) {
        self.assembler.reset();
    }

    fn report(&self, lines: impl IntoIterator<Item = ScanLine>) -> bool {
        let mut any = false;
        for line in lines {
            any = true;
            self.overall.report(match line {
                ScanLine::Text(text) => ScannerReport::Scanned(text),
                ScanLine::Noise => ScannerReport::Noise,
            });
        }
        any
    }
}
