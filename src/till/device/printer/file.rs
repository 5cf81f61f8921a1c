//! Receipts appended to a file.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use super::{DeviceFault, Done, Health, JobFault, PrinterReport, Queued, Spooler};
use crate::device::is_somebodys_terminal;

impl<R: Fn(PrinterReport)> Spooler<R> {
    /// Appends every job to the file, which is reopened for each.
    pub(super) fn append_to(mut self, path: &Path) {
        let health = open_file(path).map_or_else(Health::Failed, |_| Health::Ready);
        self.report_health(health);
        while let Ok(Queued { job, .. }) = self.jobs.recv() {
            let result = open_file(path).and_then(|mut file| {
                let written = file.write_all(&job.page.repeat(job.copies.into()));
                written.and_then(|()| file.flush()).map_err(|error| DeviceFault::of(&error))
            });
            self.report_health(result.clone().map_or_else(Health::Failed, |()| Health::Ready));
            self.settle(job.id, result.map(|()| Done::Sent).map_err(JobFault::NotWritten));
        }
    }
}

fn open_file(path: &Path) -> Result<File, DeviceFault> {
    if is_somebodys_terminal(path) {
        return Err(DeviceFault::Terminal);
    }
    let mut options = OpenOptions::new();
    // A tty that is named as a file must not become this process's own.
    let options = options.append(true).create(true).mode(0o600);
    let options = options.custom_flags(OFlags::NOCTTY.bits().cast_signed());
    options.open(path).map_err(|error| DeviceFault::of(&error))
}
