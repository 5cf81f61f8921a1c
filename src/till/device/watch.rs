//! Sleeps until something is plugged in or out. The kernel reports nodes that come and go in `/dev`
//! through inotify; a thread whose device is gone wakes the watcher through a [`Ring`]. Without
//! inotify, it falls back to polling once a second.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

use super::POLL_INTERVAL;

/// Bytes of events read at once.
const READ: usize = 4096;

/// The waiting side.
pub(super) struct Watch {
    dev: PathBuf,
    /// `None` if the system grants no inotify instance: then `/dev` is polled every second.
    nodes: Option<OwnedFd>,
    bell: Arc<OwnedFd>,
}

/// Ends a wait when it is dropped.
pub(super) struct Ring(Arc<OwnedFd>);

impl Drop for Ring {
    fn drop(&mut self) {
        // Fails only when the counter is full, and then the wait ends anyway.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}

impl Watch {
    pub(super) fn new(dev: PathBuf) -> io::Result<Self> {
        let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let nodes = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok();
        let mut watch = Self { dev, nodes, bell };
        watch.list_folders();
        Ok(watch)
    }

    pub(super) fn ring(&self) -> Ring {
        Ring(Arc::clone(&self.bell))
    }

    /// Returns once a node has come or gone, or a [`Ring`] was dropped.
    pub(super) fn wait(&mut self) {
        let look = Timespec::try_from(POLL_INTERVAL).ok();
        loop {
            let bell = PollFd::new(&self.bell, PollFlags::IN);
            let waited = match &self.nodes {
                Some(nodes) => {
                    let mut both = [bell, PollFd::new(nodes, PollFlags::IN)];
                    poll(&mut both, None)
                }
                None => poll(&mut [bell], look.as_ref()),
            };
            let has_rung = rustix::io::read(&self.bell, &mut [0; 8]).is_ok();
            let is_told = self.nodes.is_none() || self.take_events();
            if has_rung || is_told || waited.is_err() {
                self.list_folders();
                return;
            }
        }
    }

    /// Consumes the pending events and returns whether any concerned a till's device.
    fn take_events(&self) -> bool {
        let Some(nodes) = &self.nodes else { return false };
        let mut buffer = [MaybeUninit::uninit(); READ];
        let mut events = inotify::Reader::new(nodes, &mut buffer);
        let mut is_ours = false;
        while let Ok(event) = events.next() {
            let name = event.file_name().and_then(|name| name.to_str().ok()).unwrap_or_default();
            is_ours |= event.events().contains(ReadFlags::QUEUE_OVERFLOW)
                || ["tty", "hidraw", "event", "input"].iter().any(|ours| name.starts_with(ours));
        }
        is_ours
    }

    /// Picks up folders that appeared since the last call; adding a watch twice is harmless.
    fn list_folders(&mut self) {
        let flags = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVED_TO;
        let watch = |folder: &Path| {
            self.nodes
                .as_ref()
                .is_some_and(|nodes| inotify::add_watch(nodes, folder, flags).is_ok())
        };
        watch(&self.dev.join("input"));
        if !watch(&self.dev) {
            self.nodes = None;
        }
    }
}
