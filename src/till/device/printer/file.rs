//! Receipts appended to a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use super::{DeviceFault, Done, Health, JobFault, PrinterReport, Queued, Spooler};
use crate::clean::clean;

impl<R: Fn(PrinterReport)> Spooler<R> {
    /// Appends every job to the file, which is reopened for each.
    pub(super) fn append_to(mut self, path: &Path) {
        let health = open_file(path).map_or_else(|error| failed(&error), |_| Health::Ready);
        self.report_health(health);
        while let Ok(Queued { job, .. }) = self.jobs.recv() {
            let result = open_file(path).and_then(|mut file| {
                file.write_all(&job.page.repeat(job.copies.into()))?;
                file.flush()
            });
            let health = result.as_ref().map_or_else(failed, |()| Health::Ready);
            self.report_health(health);
            let words = |error: io::Error| JobFault::NotWritten(clean(&error.to_string(), 60));
            self.settle(job.id, result.map(|()| Done::Sent).map_err(words));
        }
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    // Nobody may read at the other end of a pipe: it is refused, and not waited for.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let mut options = OpenOptions::new();
    let file = options.append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
    match file.metadata()?.file_type() {
        kind if kind.is_fifo() => Err(io::Error::from(rustix::io::Errno::NXIO)),
        _ => Ok(file),
    }
}

fn failed(error: &io::Error) -> Health {
    Health::Failed(DeviceFault::of(error))
}
