//! The thread that writes, so that a slow disk delays a sale and never the screen.

use std::sync::mpsc;
use std::time::Duration;

use super::{Entry, Journal, JournalError};

/// What became of an entry.
#[derive(Debug)]
pub struct Written {
    /// The attempt it belongs to.
    pub attempt: i64,
    pub result: Result<(), JournalError>,
}

/// How long the end of the till waits for a slow disk. What is not acknowledged by then was not acted
/// upon either.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Hands entries to the disk in order.
pub struct Writer {
    entries: Option<mpsc::Sender<Entry>>,
    done: mpsc::Receiver<()>,
}

impl Writer {
    /// Starts the thread; `report` is told of every entry, once it is on disk or has failed. After
    /// a failure nothing is written any more: what the disk holds is unknown until the next start.
    /// The journal stays held to the end, so that nobody else goes on with it meanwhile.
    pub fn start(
        mut journal: Journal,
        report: impl Fn(Written) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (entries, inbox) = mpsc::channel::<Entry>();
        let (finished, done) = mpsc::channel();
        std::thread::Builder::new().name("journal".into()).spawn(move || {
            let mut failed = false;
            let mut next = inbox.recv().ok();
            while let Some(entry) = next.take() {
                let result =
                    if failed { Err(JournalError::Stopped) } else { journal.append(&entry) };
                failed |= result.is_err();
                report(Written { attempt: entry.attempt, result });
                next = inbox.try_recv().ok();
                if next.is_none() {
                    // Between sales. A failure is told with the next entry.
                    failed = failed || journal.checkpoint().is_err();
                    next = inbox.recv().ok();
                }
            }
            drop(journal);
            let _ = finished.send(());
        })?;
        Ok(Self { entries: Some(entries), done })
    }

    /// Hands over an entry; `false` when the thread is gone.
    pub fn write(&self, entry: Entry) -> bool {
        self.entries.as_ref().is_some_and(|entries| entries.send(entry).is_ok())
    }
}

impl Drop for Writer {
    /// Waits for what was handed over, unless the disk hangs.
    fn drop(&mut self) {
        drop(self.entries.take());
        let _ = self.done.recv_timeout(PATIENCE);
    }
}
