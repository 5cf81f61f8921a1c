//! The thread that writes, so that a slow disk delays a sale and never the screen.
//!
//! Entries reach the disk in the order they are handed over, and each is reported once, as written
//! or failed. The first failure is final: nothing more is written until the next start.

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::key::Key;
use super::read::JournalReader;
use super::refund_paper::RefundPaper;
use super::rounds::Rounds;
use super::shift::{ShiftDone, ShiftWork};
use super::slips::{Slip, SlipDone, SlipWork};
use super::{Journal, JournalError};
use paytill_core::both;
use paytill_core::clock::TimeZone;
use paytill_core::engine::{Act, Entry, RefundEntry, Subject};
use paytill_core::order::OutTradeNo;

/// The outcome of writing an entry.
#[derive(Debug)]
pub struct Written {
    /// What it is about; attempt 0 where damage was found while nothing was written.
    pub subject: Subject,
    pub result: Result<(), JournalError>,
    /// The slip that it has put into the queue.
    pub slip: Option<Slip>,
    /// The same of a refund.
    pub refund_slip: Option<Box<(Slip, RefundPaper)>>,
}

/// How long the till waits for a slow disk when it ends. What is not acknowledged by then was not
/// acted upon either.
const PATIENCE: Duration = Duration::from_secs(1);
/// After this long without an entry, nobody is at the counter.
const QUIET: Duration = Duration::from_secs(5);

enum Job {
    Write(Box<Entry>),
    WriteRefund(Box<RefundEntry>),
    Slip(SlipWork, SlipReport),
    Act(Act, ActReport),
    ActsOf(Vec<(Act, OutTradeNo)>, ActReport),
    Shift(ShiftWork, TimeZone, ShiftReport),
    Stop(JournalError),
}

type SlipReport = Box<dyn FnOnce(Result<SlipDone, JournalError>) + Send>;

type ActReport = Box<dyn FnOnce(Result<(), JournalError>) + Send>;

type ShiftReport = Box<dyn FnOnce(Result<ShiftDone, JournalError>) + Send>;

fn write_acts_of(journal: &mut Journal, acts: &[(Act, OutTradeNo)]) -> Result<(), JournalError> {
    if journal.append_acts_of(acts)? {
        return Ok(());
    }
    Err(journal.damaged(both!("an order that was recorded is missing", "缺少已记录的订单")))
}

/// Hands entries to the disk in order.
pub struct Writer {
    /// First: it has a sender as well.
    rounds: Option<Rounds>,
    jobs: Option<mpsc::Sender<Job>>,
    done: mpsc::Receiver<()>,
    path: PathBuf,
    key: Key,
}

impl Writer {
    /// Starts the thread, which calls `report` for every entry once it is on disk or has failed.
    /// After a failure nothing more is written: what the disk holds is unknown until the next
    /// start. The journal stays held to the end, so that no other process takes over meanwhile.
    pub fn start(
        journal: Journal,
        report: impl Fn(Written) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let (finished, done) = mpsc::channel();
        let (path, key) = (journal.path.clone(), journal.key.clone());
        std::thread::Builder::new().name("journal".into()).spawn(move || {
            let mut fail_stop = FailStop::new(journal);
            let mut next = inbox.recv().ok();
            while let Some(job) = next.take() {
                match job {
                    Job::Write(entry) => {
                        let result = fail_stop.append(&entry);
                        let slip = fail_stop.journal.take_slips().pop();
                        let subject = Subject::Attempt(entry.attempt);
                        report(Written { subject, result, slip, refund_slip: None });
                    }
                    Job::WriteRefund(entry) => {
                        let result = fail_stop.append_refund(&entry);
                        let refund_slip = fail_stop.journal.take_refund_slips().pop().map(Box::new);
                        let subject = Subject::Refund(entry.refund);
                        report(Written { subject, result, slip: None, refund_slip });
                    }
                    Job::Slip(work, report) => {
                        report(fail_stop.do_slip(&work));
                    }
                    Job::Act(act, report) => {
                        report(fail_stop.append_act(&act));
                    }
                    Job::ActsOf(acts, report) => {
                        report(fail_stop.append_acts_of(&acts));
                    }
                    Job::Shift(work, zone, report) => {
                        report(fail_stop.do_shift(work, &zone));
                    }
                    Job::Stop(error) => {
                        fail_stop.fail();
                        let subject = Subject::Attempt(0);
                        let result = Err(error);
                        report(Written { subject, result, slip: None, refund_slip: None });
                    }
                }
                next = match inbox.recv_timeout(QUIET) {
                    Err(RecvTimeoutError::Timeout) => {
                        fail_stop.checkpoint();
                        inbox.recv().ok()
                    }
                    received => received.ok(),
                };
            }
            drop(fail_stop);
            let _ = finished.send(());
        })?;
        Ok(Self { rounds: None, jobs: Some(jobs), done, path, key })
    }

    /// Checks the whole journal in the background. Damage is reported like a failed write, and ends
    /// all writing like one.
    pub fn check_everything(&mut self) -> std::io::Result<()> {
        let Some(jobs) = self.jobs.clone() else { return Ok(()) };
        self.rounds = Some(Rounds::start(self.path.clone(), self.key.clone(), move |error| {
            let _ = jobs.send(Job::Stop(error));
        })?);
        Ok(())
    }

    /// Waits for the check to end by itself.
    #[cfg(test)]
    pub(super) fn finish_check(&mut self) {
        self.rounds.iter().for_each(Rounds::wait);
        self.rounds = None;
    }

    /// Hands over what is to be written about a slip; `report` is called once it is on disk or has
    /// failed. `false` if the thread is gone.
    pub fn write_slip(
        &self,
        work: SlipWork,
        report: impl FnOnce(Result<SlipDone, JournalError>) + Send + 'static,
    ) -> bool {
        let job = Job::Slip(work, Box::new(report));
        self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok())
    }

    /// Hands over what a person is about to do that concerns no order; `report` is called once it is
    /// on disk or has failed. `false` if the thread is gone.
    pub fn write_act(
        &self,
        act: Act,
        report: impl FnOnce(Result<(), JournalError>) + Send + 'static,
    ) -> bool {
        let job = Job::Act(act, Box::new(report));
        self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok())
    }

    /// The same for what concerns these orders, all of it or nothing.
    pub fn write_acts_of(
        &self,
        acts: Vec<(Act, OutTradeNo)>,
        report: impl FnOnce(Result<(), JournalError>) + Send + 'static,
    ) -> bool {
        let job = Job::ActsOf(acts, Box::new(report));
        self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok())
    }

    /// Hands over what is done with a shift; `report` is called once it is on disk, was refused or has
    /// failed. `false` if the thread is gone.
    pub fn write_shift(
        &self,
        work: ShiftWork,
        zone: TimeZone,
        report: impl FnOnce(Result<ShiftDone, JournalError>) + Send + 'static,
    ) -> bool {
        let job = Job::Shift(work, zone, Box::new(report));
        self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok())
    }

    /// Hands over an entry; `false` if the thread is gone.
    pub fn write(&self, entry: Entry) -> bool {
        self.jobs.as_ref().is_some_and(|jobs| jobs.send(Job::Write(Box::new(entry))).is_ok())
    }

    /// As [`Writer::write`], an entry of a refund.
    pub fn write_refund(&self, entry: RefundEntry) -> bool {
        self.jobs.as_ref().is_some_and(|jobs| jobs.send(Job::WriteRefund(Box::new(entry))).is_ok())
    }

    /// Reads the journal that it writes.
    pub fn reader(&self) -> Result<JournalReader, JournalError> {
        JournalReader::beside(&self.path, &self.key)
    }
}

/// A journal that refuses all writes once one has failed.
pub struct FailStop {
    journal: Journal,
    /// What went wrong while nobody was selling; reported with the next entry.
    failure: Option<JournalError>,
    failed: bool,
}

impl FailStop {
    /// Nothing has failed yet.
    pub fn new(journal: Journal) -> Self {
        Self { journal, failure: None, failed: false }
    }

    /// Writes an entry as [`Journal::append`] does, unless something failed before.
    pub fn append(&mut self, entry: &Entry) -> Result<(), JournalError> {
        self.unless_failed(|journal| journal.append(entry))
    }

    /// Writes an entry as [`Journal::append_refund`] does, unless something failed before.
    pub fn append_refund(&mut self, entry: &RefundEntry) -> Result<(), JournalError> {
        self.unless_failed(|journal| journal.append_refund(entry))
    }

    /// Writes what a person did as [`Journal::append_act`] does, unless something failed before.
    pub fn append_act(&mut self, act: &Act) -> Result<(), JournalError> {
        self.unless_failed(|journal| journal.append_act(act))
    }

    /// As [`Journal::append_acts_of`], unless something failed before. The orders were read from this
    /// journal: one that it does not have any more is damage.
    pub fn append_acts_of(&mut self, acts: &[(Act, OutTradeNo)]) -> Result<(), JournalError> {
        self.unless_failed(|journal| write_acts_of(journal, acts))
    }

    /// As [`Journal::do_shift`], unless something failed before.
    pub fn do_shift(
        &mut self,
        work: ShiftWork,
        zone: &TimeZone,
    ) -> Result<ShiftDone, JournalError> {
        self.unless_failed(|journal| journal.do_shift(work, zone))
    }

    fn do_slip(&mut self, work: &SlipWork) -> Result<SlipDone, JournalError> {
        if self.failed {
            return Err(JournalError::Stopped);
        }
        let result = self.journal.do_slip(work);
        if result.as_ref().is_err_and(|error| !error.is_of_a_row()) {
            self.fail();
        }
        result
    }

    fn unless_failed<T>(
        &mut self,
        work: impl FnOnce(&mut Journal) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let result = match self.failure.take() {
            Some(error) => Err(error),
            None if self.failed => Err(JournalError::Stopped),
            None => work(&mut self.journal),
        };
        if result.is_err() {
            self.fail();
        }
        result
    }

    /// Nobody is at the counter: time for work that a sale should not wait for.
    pub fn checkpoint(&mut self) {
        if !self.failed {
            self.failure = self.journal.checkpoint().err();
            if self.failure.is_some() {
                self.fail();
            }
        }
    }

    fn fail(&mut self) {
        self.failed = true;
        self.journal.leave_as_it_is();
    }
}

impl Drop for Writer {
    /// Waits for what was handed over, unless the disk hangs.
    fn drop(&mut self) {
        // Its reading would keep the log from being moved into the main file.
        drop(self.rounds.take());
        drop(self.jobs.take());
        let _ = self.done.recv_timeout(PATIENCE);
    }
}
