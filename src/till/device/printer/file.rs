//! Receipts appended to a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
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
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn failed(error: &io::Error) -> Health {
    Health::Failed(DeviceFault::of(error))
}
