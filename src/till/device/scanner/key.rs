//! Key events in one form, whichever node they are read from, and how those nodes are opened and
//! polled.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::scan::keyboard::Motion;

/// An event from a keyboard.
#[derive(Clone, Copy)]
pub(super) enum ScannerKey {
    Moved(u16, Motion),
    /// More arrived than the kernel buffers, so some keys are lost.
    Lost,
}

pub(super) fn open_to_read(node: &Path) -> io::Result<File> {
    let flags = i32::try_from((OFlags::NONBLOCK | OFlags::CLOEXEC).bits()).unwrap_or(0);
    File::options().read(true).custom_flags(flags).open(node)
}

/// Waits up to `wait` for something to read; an error means the device is gone.
pub(super) fn is_ready(device: &impl AsFd, wait: Duration) -> io::Result<bool> {
    let wait = Timespec::try_from(wait).ok();
    let mut polled = [PollFd::new(device, PollFlags::IN)];
    match poll(&mut polled, wait.as_ref()) {
        Ok(0) | Err(Errno::INTR) => Ok(false),
        Ok(_) if polled[0].revents().contains(PollFlags::IN) => Ok(true),
        Ok(_) => Err(Errno::NODEV.into()),
        Err(error) => Err(error.into()),
    }
}
