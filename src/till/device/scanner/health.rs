//! The combined health of all scanners: one entry for the status line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::ScannerReport;
use crate::device::{Health, Reported};

/// Where reports go. A scanner's thread blocks while its report is being handled.
pub(super) type Sink = Arc<dyn Fn(ScannerReport) + Send + Sync>;

/// The threads of all scanners report their health here.
#[derive(Clone)]
pub(super) struct ScannerHealth {
    state: Arc<Mutex<HealthState>>,
    sink: Sink,
}

struct HealthState {
    scanners: BTreeMap<PathBuf, Health>,
    /// A scanner is expected: one is configured, or there was one before.
    is_missed: bool,
    reported: Reported,
}

impl ScannerHealth {
    pub(super) fn new(is_missed: bool, sink: Sink) -> Self {
        let state = HealthState { scanners: BTreeMap::new(), is_missed, reported: Reported(None) };
        Self { state: Arc::new(Mutex::new(state)), sink }
    }

    /// The first search found no scanner.
    pub(super) fn found_none(&self) {
        self.change(|_| {});
    }

    pub(super) fn set(&self, scanner: &Path, health: Health) {
        self.change(|state| {
            state.is_missed = true;
            state.scanners.insert(scanner.to_owned(), health);
        });
    }

    pub(super) fn remove(&self, scanner: &Path) {
        self.change(|state| {
            state.scanners.remove(scanner);
        });
    }

    pub(super) fn report(&self, report: ScannerReport) {
        (self.sink)(report);
    }

    fn change(&self, change: impl FnOnce(&mut HealthState)) {
        // Reported under the lock, so that the last change is also the last report.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        if let Some(health) = state.together()
            && state.reported.changes_to(&health)
        {
            (self.sink)(ScannerReport::Health(health));
        }
    }
}

impl HealthState {
    /// One working scanner is enough; otherwise a fault outranks a search.
    fn together(&self) -> Option<Health> {
        let healths = || self.scanners.values();
        healths()
            .find(|health| **health == Health::Ready)
            .or_else(|| healths().find(|health| matches!(health, Health::Failed(_))))
            .cloned()
            .or_else(|| self.is_missed.then_some(Health::Searching))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::device::DeviceFault;

    const DENIED: Health = Health::Failed(DeviceFault::Denied);

    /// What is reported for this sequence of changes.
    fn reported(is_missed: bool, changes: &[(&str, Option<Health>)]) -> Vec<Health> {
        let (sender, reports) = channel();
        let overall = ScannerHealth::new(
            is_missed,
            Arc::new(move |report| {
                sender.send(report).ok();
            }),
        );
        overall.found_none();
        for (scanner, health) in changes {
            match health {
                Some(health) => overall.set(Path::new(scanner), health.clone()),
                None => overall.remove(Path::new(scanner)),
            }
        }
        drop(overall);
        let healths = reports.iter().map(|report| match report {
            ScannerReport::Health(health) => health,
            other => panic!("{other:?}"),
        });
        healths.collect()
    }

    #[test]
    fn nobody_is_missed_who_was_never_there() {
        assert_eq!(reported(false, &[]), []);
        assert_eq!(reported(true, &[]), [Health::Searching]);
    }

    #[test]
    fn one_scanner_that_works_is_enough() {
        let changes = [
            ("a", Some(DENIED)),
            ("b", Some(Health::Ready)),
            ("c", Some(Health::Searching)),
            ("b", None),
            ("a", None),
        ];
        let expected = [DENIED, Health::Ready, DENIED, Health::Searching];
        assert_eq!(reported(false, &changes), expected);
    }
}
