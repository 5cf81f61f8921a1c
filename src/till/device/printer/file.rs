//! Receipts appended to a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::{DeviceFault, Done, Health, JobFault, PrinterReport, Spooler};
use crate::device::{POLL_INTERVAL, is_somebodys_terminal};

impl<R: Fn(PrinterReport)> Spooler<R> {
    /// Appends every job to the file, which is reopened for each.
    pub(super) fn append_to(mut self, path: &Path) {
        let health = open_file(path).map_or_else(Health::Failed, |_| Health::Ready);
        self.report_health(health);
        while let Ok(queued) = self.jobs.recv() {
            let job = &queued.job;
            while !self.may_begin(job, true) && !self.is_overdue(&queued) && !self.is_withdrawn(job)
            {
                if !self.handle.is_wanted() {
                    return;
                }
                self.handle.pause(POLL_INTERVAL);
            }
            if self.is_withdrawn(job) {
                self.settle(job.id, Err(JobFault::Withdrawn));
                continue;
            }
            if !self.may_begin(job, true) {
                self.settle(job.id, Err(JobFault::Away));
                continue;
            }
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
    // A tty that is named as a file must not become this process's own. Nobody may read at the
    // other end of a pipe: it is refused, and not waited for.
    let flags = (OFlags::NOCTTY | OFlags::NONBLOCK).bits().cast_signed();
    let options = options.append(true).create(true).mode(0o600).custom_flags(flags);
    let file = options.open(path).map_err(|error| DeviceFault::of(&error))?;
    match file.metadata().map_err(|error| DeviceFault::of(&error))?.file_type() {
        kind if kind.is_fifo() => Err(DeviceFault::of(&io::Error::from(rustix::io::Errno::NXIO))),
        _ => Ok(file),
    }
}
