//! From what a scanner's device delivers to reports of scans: the same for all kinds of them.

use std::time::Duration;

use zeroize::Zeroizing;

use super::ScannerReport;
use super::health::ScannerHealth;
use crate::clock::Uptime;
use crate::device::POLL_INTERVAL;
use crate::scan::{Assembler, ScanLine, Suffix};
use paytill_host::clock::Clock;

const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// One scanner's way to the till.
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

    /// How long may be waited for more: not beyond the silence that ends a scan, nor beyond
    /// `other`.
    pub(super) fn wait(&self, other: Option<Uptime>) -> Duration {
        let now = self.now();
        let next = self.assembler.silence_at().into_iter().chain(other).min();
        next.map_or(POLL_INTERVAL, |at| Duration::from(at.since(now)))
            .clamp(SHORTEST_WAIT, POLL_INTERVAL)
    }

    /// Takes bytes as they come. Tells whether they ended a scan.
    pub(super) fn push(&mut self, bytes: &[u8]) -> bool {
        let lines = self.assembler.push(bytes, self.now());
        self.report(lines)
    }

    /// Takes a scan whose end the scanner has told.
    pub(super) fn complete(&mut self, scan: &Zeroizing<Vec<u8>>) {
        let lines = self.assembler.complete(scan, self.now());
        self.report(lines);
    }

    /// Takes note of a scan that never came to its end.
    pub(super) fn partial(&mut self) {
        let line = self.assembler.partial(self.now());
        self.report(line);
    }

    /// Takes note that something of a scan was lost on its way.
    pub(super) fn lost(&mut self) {
        let line = self.assembler.lost(self.now());
        self.report(line);
    }

    /// Takes note of silence: nothing came in all the time that was to be waited. Tells whether it
    /// ended a scan.
    pub(super) fn tick(&mut self) -> bool {
        let lines = self.assembler.tick(self.now());
        self.report(lines)
    }

    /// The scanner is gone, and with it what it had begun.
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
