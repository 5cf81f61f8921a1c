//! Searches in the journal, each on a thread of its own: the screen never waits for the disk.

use std::path::PathBuf;

use tokio::sync::mpsc::UnboundedSender;

use crate::both;
use crate::clock::TimeZone;
use crate::config::Config;
use crate::find::{Findings, Wanted};
use crate::journal::JournalReader;
use crate::screen::ScreenMessage;
use crate::text::{journal, system};

/// The journal that this till holds, to read.
pub(super) struct Archive {
    path: PathBuf,
    key: Option<PathBuf>,
    zone: TimeZone,
    report: UnboundedSender<ScreenMessage>,
}

impl Archive {
    pub(super) fn new(config: &Config, report: UnboundedSender<ScreenMessage>) -> Self {
        let (path, key) = (config.journal.path.clone(), config.journal.key_file.clone());
        Self { path, key, zone: config.store.time_zone.clone(), report }
    }

    /// Begins a search, and reports what came of it.
    pub(super) fn search(&self, serial: u64, wanted: Wanted) {
        let (path, key, zone) = (self.path.clone(), self.key.clone(), self.zone.clone());
        let report = self.report.clone();
        let search = move || {
            let found = JournalReader::of_held(&path, key.as_deref())
                .and_then(|reader| Findings::of(&reader, &wanted, &zone));
            let found = found.map_err(|error| {
                tracing::warn!(%error, "a search failed");
                journal::text(&error)
            });
            let _ = report.send(ScreenMessage::Found { serial, result: found });
        };
        let thread = std::thread::Builder::new().name("search".into()).spawn(search);
        if let Err(error) = thread {
            let what = both!("a thread", "线程");
            let result = Err(what.because(&system::text(&error)));
            let _ = self.report.send(ScreenMessage::Found { serial, result });
        }
    }
}
