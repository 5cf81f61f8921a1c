//! Waits until something is plugged in or out, asleep until then: the kernel tells of nodes that
//! come and go in `/dev` (inotify), and whoever has news rings.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

use super::POLL_INTERVAL;

/// Bytes of events that are read at once.
const READ: usize = 4096;

/// The waiting side.
pub(super) struct Watch {
    dev: PathBuf,
    /// None where the system gives no more of it: then there is a look every second.
    nodes: Option<OwnedFd>,
    bell: Arc<OwnedFd>,
}

/// Ends a wait when it goes.
pub(super) struct Ring(Arc<OwnedFd>);

impl Drop for Ring {
    fn drop(&mut self) {
        // It can only fail if it has rung often enough.
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

    /// Returns once a node has come or gone, or it has rung.
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

    /// Takes what waits, and tells whether it was about devices of a till.
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

    /// A folder that comes later is watched from then on; one that is watched already stays so.
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
