//! Tells every `paytill customer-view` of this machine what the customer may see.
//!
//! A socket beside the journal, for the till's user alone. Nothing that comes in through it is read.
//! While nobody looks, a change costs a comparison; who looks too slowly is left.

use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};

use crate::command::customer_view::{place, reachable};
use crate::display::{Told, View};
use crate::order::CodeUrl;

/// How many may look at once.
const MOST_VIEWERS: usize = 8;
/// How long one may take nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between attempts when the system has no room for another connection.
const PAUSE: Duration = Duration::from_secs(1);

/// The till's end of the socket.
pub(super) struct SecondScreen {
    told: watch::Sender<Told>,
    is_training: bool,
    /// Removed again; `None` if there is no socket.
    place: Option<PathBuf>,
}

impl SecondScreen {
    /// Whoever starts this holds the journal: a socket that is there is a dead till's. Without one
    /// the till sells all the same.
    pub(super) fn start(journal: &Path, is_training: bool) -> Self {
        let (told, _) = watch::channel(Told { is_training, ..Told::default() });
        let place = place(journal);
        let place = match listen(&place) {
            Ok(listener) => {
                tokio::spawn(accept(listener, told.clone()));
                Some(place)
            }
            Err(error) => {
                tracing::warn!(%error, "no screen for the customer");
                None
            }
        };
        Self { told, is_training, place }
    }

    /// Never blocks.
    pub(super) fn show(&self, view: View, code: Option<&CodeUrl>) {
        let is_training = self.is_training;
        self.told.send_if_modified(|told| {
            let is_new = told.view != view || told.code.as_ref() != code;
            if is_new {
                *told = Told { view, is_training, code: code.cloned() };
            }
            is_new
        });
    }
}

impl Drop for SecondScreen {
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            let _ = std::fs::remove_file(place);
        }
    }
}

fn listen(place: &Path) -> io::Result<UnixListener> {
    if place.symlink_metadata().is_ok_and(|facts| facts.file_type().is_socket()) {
        std::fs::remove_file(place)?;
    }
    let (_folder, path) = reachable(place)?;
    UnixListener::bind(path)
}

async fn accept(listener: UnixListener, told: watch::Sender<Told>) {
    let places = Arc::new(Semaphore::new(MOST_VIEWERS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let told = told.subscribe();
            tokio::spawn(async move {
                let _ = tell(stream, told).await;
                drop(place);
            });
        }
    }
}

/// Until either end is gone.
async fn tell(mut stream: UnixStream, mut told: watch::Receiver<Told>) -> io::Result<()> {
    loop {
        let line = told.borrow_and_update().to_line();
        tokio::time::timeout(PATIENCE, stream.write_all(line.as_bytes())).await??;
        tokio::select! {
            changed = told.changed() => if changed.is_err() { return Ok(()) },
            // It has nothing to say.
            _ = stream.read_u8() => return Ok(()),
        }
    }
}
