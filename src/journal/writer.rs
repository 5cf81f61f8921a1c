//! The thread that writes, so that a slow disk delays a sale and never the screen.

use std::sync::mpsc;
use std::thread::JoinHandle;

use super::{Entry, Journal, JournalError};

/// What became of an entry.
#[derive(Debug)]
pub struct Written {
    /// The attempt it belongs to.
    pub attempt: i64,
    pub result: Result<(), JournalError>,
}

/// Hands entries to the disk in order.
pub struct Writer {
    entries: Option<mpsc::Sender<Entry>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread; `report` is told of every entry, once it is on disk or has failed. After
    /// a failure nothing is written any more: what the disk holds is unknown until the next start.
    pub fn start(
        mut journal: Journal,
        report: impl Fn(Written) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (entries, inbox) = mpsc::channel::<Entry>();
        let thread = std::thread::Builder::new().name("journal".into()).spawn(move || {
            for entry in inbox {
                let result = journal.append(&entry);
                let failed = result.is_err();
                report(Written { attempt: entry.attempt, result });
                if failed {
                    return;
                }
            }
        })?;
        Ok(Self { entries: Some(entries), thread: Some(thread) })
    }

    /// Hands over an entry; `false` when the writer has stopped.
    pub fn write(&self, entry: Entry) -> bool {
        self.entries.as_ref().is_some_and(|entries| entries.send(entry).is_ok())
    }
}

impl Drop for Writer {
    /// Waits for what was handed over: it may already have been acted upon.
    fn drop(&mut self) {
        drop(self.entries.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
