//! Carries out the engine's effects: entries go to the disk, calls to the network, and reports to
//! people.

use paytill::clock::Millis;
use paytill::engine::{Effect, Entry, Report};
use paytill::journal::{FailStop, JournalError};
use paytill::language::Text;
use paytill::screen::ScreenMessage;
use simulated_disk::Trouble;

use super::{Due, OPERATIONS_OF_AN_ENTRY, QUIET, Queued, World};
use crate::invariants::Invariant;
use crate::plan::HEALED;

impl Queued {
    pub(super) fn append(&self, journal: &mut FailStop) -> Result<(), JournalError> {
        match self {
            Self::Attempt(entry) => journal.append(entry),
            Self::Refund(entry) => journal.append_refund(entry),
            Self::CashBack(back) => journal.append_acts_of(&back.acts),
        }
    }
}

impl World {
    pub(super) fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Write(entry) => self.write(*entry),
                Effect::Call { attempt, order, call, code, may_wait } => {
                    self.send(attempt, *order, (call, may_wait), code);
                }
                Effect::Report(report) => self.reported(&report),
                Effect::WriteRefund(entry) => self.write_refund(*entry),
                Effect::CallRefund { refund, what, call } => self.send_refund(refund, *what, call),
                Effect::ReportRefund(report) => self.refund_reported(&report),
            }
        }
    }

    pub(super) fn write(&mut self, entry: Entry) {
        self.auditor.handed(&entry);
        self.queue(Queued::Attempt(Box::new(entry)));
    }

    pub(super) fn queue(&mut self, entry: Queued) {
        let Some(till) = &mut self.till else { return };
        till.queue.push_back(entry);
        if till.queue.len() == 1 {
            let slowest = if self.is_healed() { 5 } else { self.climate.slow_disk };
            let at = self.now + self.disk_chance.u64(1..=slowest.max(1));
            self.plan_at(at, Due::Disk { process: self.process });
        }
    }

    pub(super) fn disk(&mut self) {
        let next = self.till.as_ref().and_then(|till| till.queue.front());
        // It is rare, and is to meet trouble all the same.
        let times = if matches!(next, Some(Queued::CashBack(_))) { 3 } else { 1 };
        self.draw_trouble(
            times * self.climate.death_at_the_disk,
            self.climate.failing_disk,
            OPERATIONS_OF_AN_ENTRY,
        );
        let Some(till) = &mut self.till else { return };
        let Some(entry) = till.queue.pop_front() else { return };
        let result = entry.append(&mut till.journal);
        till.entries += 1;
        self.counts.entries += 1;
        if self.disk.is_dead() {
            return self.die("died within a write");
        }
        self.disk.disarm();
        let on_disk = result.is_ok();
        match result {
            Ok(()) => match &entry {
                Queued::Attempt(entry) => self.auditor.kept(entry),
                Queued::Refund(entry) => self.auditor.refund_kept(entry),
                Queued::CashBack(back) => self.went_back(back),
            },
            Err(error) => self.disk_failed(&error),
        }
        let (now, wall) = (self.uptime(), self.wall());
        let Some(till) = &mut self.till else { return };
        let effects = match entry {
            Queued::Attempt(entry) => till.engine.written(entry.attempt, on_disk, now, wall),
            Queued::Refund(entry) => till.engine.refund_written(entry.refund, on_disk, now, wall),
            Queued::CashBack(_) if on_disk => Vec::new(),
            Queued::CashBack(_) => till.engine.written(0, false, now, wall),
        };
        let (is_empty, entries) = (till.queue.is_empty(), till.entries);
        if is_empty {
            self.plan_at(self.now + QUIET, Due::Quiet { process: self.process, entries });
        } else {
            self.plan_at(self.now + 1, Due::Disk { process: self.process });
        }
        self.perform(effects);
    }

    pub(super) fn quiet(&mut self, entries: u64) {
        self.draw_trouble(
            self.climate.death_at_the_disk,
            self.climate.failing_disk,
            OPERATIONS_OF_AN_ENTRY,
        );
        let Some(till) = &mut self.till else { return };
        if till.entries == entries && till.queue.is_empty() {
            till.journal.checkpoint();
        }
        if self.disk.is_dead() {
            self.die("died within a checkpoint");
        }
        self.disk.disarm();
    }

    pub(super) fn draw_trouble(&mut self, death: u64, failure: u64, operations: u32) {
        let chance = &mut self.disk_chance;
        let (drawn, after) = (chance.u64(..1000), chance.u32(..operations));
        if self.is_healed() {
            return;
        }
        let trouble = if drawn < death {
            Trouble::Death
        } else if drawn < death + failure {
            [Trouble::Broken, Trouble::Hiccup, Trouble::Full][after as usize % 3]
        } else {
            return;
        };
        self.disk.trouble_after(after, trouble);
    }

    pub(super) fn disk_failed(&mut self, error: &JournalError) {
        self.counts.faults += 1;
        self.tell(|| format!("THE DISK FAILED: {error}"));
        // A disk that fails loses nothing that was written.
        if matches!(error, JournalError::Damaged { .. } | JournalError::FoundDamaged { .. }) {
            self.auditor.broken(Invariant::NothingLost, error.to_string());
        }
        let started_again = self.now + self.disk_chance.u64(1_000..30_000);
        let Some(till) = &mut self.till else { return };
        if !std::mem::replace(&mut till.disk_failed, true) {
            self.plan_at(started_again.min(HEALED - 1).max(self.now), Due::Kill);
            let why = Text::each(|_| error.to_string());
            self.show(ScreenMessage::JournalFailed(why), None);
        }
    }

    pub(super) fn reported(&mut self, report: &Report) {
        let Report { attempt, event, before, .. } = report;
        let number = attempt.out_trade_no.clone();
        self.tell(|| format!("{number} {event:?}: {:?}", attempt.state.status()));
        self.bank.advance(Millis(self.now));
        self.auditor.told(attempt, event, &self.bank);
        self.shows(attempt);
        if *before != Some(attempt.state.status()) {
            self.hand_out(attempt);
        }
        let (now, wall) = (self.uptime(), self.wall());
        let Some(till) = &mut self.till else { return };
        let seen = till.screen.seen();
        let commands = till.screen.reported(report, now, wall, &mut self.auditor);
        till.screen.check(&mut self.auditor);
        self.obey(commands, &seen, None);
        self.read_the_verdict();
    }
}
