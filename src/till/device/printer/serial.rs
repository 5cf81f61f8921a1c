//! A printer on a serial line: finding it, sending its jobs in small pieces, and waiting for its
//! confirmation that they are done.
//!
//! Nothing is sent to a printer that reports it would not print, and a job that fails halfway is
//! cut off cleanly before the next one. No job waits longer than
//! [`Patience`](super::Patience) allows.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::mpsc::TryRecvError;
use std::time::Duration;

use super::session::{Asker, Session};
use super::status::{QUESTIONS, REPORT_CHANGES, SYNC_POINT, ask_when_printed};
use super::{
    Address, DeviceFault, Done, Health, JobFault, PrintProof, PrinterReport, Queued, Spooler,
};
use crate::clock::{Millis, Uptime};
use crate::device::output::PortGone;
use crate::device::{OpenPort, POLL_INTERVAL, Pause, open_unblocked};
use crate::hardware::StatusUse;

/// Interval between attempts while the line accepts nothing.
const NUDGE: Duration = Duration::from_millis(50);
/// A printer that accepts nothing for this long is reported on the status line.
const STALLED: Millis = Millis::seconds(2);
/// Interval between status queries about a job that is not done yet.
const POLL: Millis = Millis::seconds(1);
/// Allowance on top of the time a job should take (devices 2.6).
const GRACE: Millis = Millis::seconds(5);
/// A slow printer needs this long for the paper that a byte of text takes up, far less for a byte
/// of a picture (devices 2.6); the cap is for the longest receipt.
const PRINTING_A_BYTE: Millis = Millis(5);
const LONGEST_PRINTING: Millis = Millis::seconds(20);
/// Bits on the line per byte.
const BITS: u64 = 10;
/// A printer that has not answered is asked at each of its first polls, since it may just have been
/// switched on, and after that only once in this many.
const FIRST_POLLS: u8 = 3;
const POLLS_TO_ASK_AGAIN: u8 = 10;
/// A printer that answered before and misses this many questions in a row is switched off.
const MISSES: u8 = 3;
/// What every page begins with; it also ends what [`REPORT_CHANGES`] started.
const RESET: &[u8] = b"\x1b@";

/// A printer on a serial line.
pub(super) struct SerialPrinter<R> {
    spooler: Spooler<R>,
    address: Address,
    baud: u32,
    proof: PrintProof,
    uses: StatusUse,
    terminator: Vec<u8>,
    /// Bytes are written through a non-blocking handle of their own.
    open: Option<OpenPort<File>>,
    session: Session,
    /// Consecutive questions without an answer.
    misses: u8,
    /// Polls of a printer that has never answered.
    polls: u8,
    /// A job was cut off, and the printer may still hold part of it.
    is_cut_off: bool,
    /// The last ID requested for an end of printing; IDs rise (devices 2.6).
    last_end: u16,
}

/// Why writing a job ended early.
#[derive(Clone, Copy, Eq, PartialEq)]
enum JobStop {
    /// Patience ran out.
    Stalled,
    /// The printer no longer confirms what it used to.
    Unconfirmed,
    Gone,
    /// The owner no longer wants it.
    Unwanted,
}

impl From<PortGone> for JobStop {
    fn from(PortGone: PortGone) -> Self {
        Self::Gone
    }
}

/// How far a job has got.
struct Progress {
    /// Bytes of it that the line has accepted.
    sent: usize,
    /// When the line last accepted a byte, or the printer last showed that it is working.
    moved_at: Uptime,
}

impl<R: Fn(PrinterReport)> SerialPrinter<R> {
    pub(super) fn new(
        spooler: Spooler<R>,
        address: Address,
        baud: u32,
        (proof, uses): (PrintProof, StatusUse),
        terminator: Vec<u8>,
    ) -> Self {
        Self {
            spooler,
            address,
            baud,
            proof,
            uses,
            terminator,
            open: None,
            session: Session::new(uses),
            misses: 0,
            polls: 0,
            is_cut_off: false,
            last_end: 0,
        }
    }

    pub(super) fn run(mut self) {
        let mut waiting: VecDeque<Queued> = VecDeque::new();
        while self.spooler.handle.is_wanted() {
            self.keep_open();
            self.let_pass(&mut waiting);
            if let Some(queued) = waiting.pop_front() {
                if let Some(queued) = self.serve(queued) {
                    waiting.push_front(queued);
                }
                continue;
            }
            match self.spooler.jobs.try_recv() {
                Ok(queued) => waiting.push_back(queued),
                Err(TryRecvError::Empty) => {
                    if self.idle() == Pause::Over {
                        self.check();
                    }
                }
                Err(TryRecvError::Disconnected) => break,
            }
        }
        self.close();
    }

    /// The job that is printed whatever the printer says passes those that wait for its word.
    fn let_pass(&mut self, waiting: &mut VecDeque<Queued>) {
        let is_it = |spooler: &Spooler<R>, queued: &Queued| {
            queued.job.regardless || spooler.is_overruled(&queued.job)
        };
        match waiting.front() {
            Some(front) if !is_it(&self.spooler, front) => {}
            Some(_) | None => return,
        }
        waiting.extend(self.spooler.jobs.try_iter());
        let passes = waiting.iter().position(|queued| is_it(&self.spooler, queued));
        if let Some(queued) = passes.and_then(|at| waiting.remove(at)) {
            waiting.push_front(queued);
        }
    }

    /// Sleeps until there is a job, the line is hung up, or the next check is due.
    fn idle(&mut self) -> Pause {
        let Some(open) = &self.open else {
            self.spooler.handle.pause(POLL_INTERVAL);
            return Pause::Over;
        };
        let pause = self.spooler.handle.pause_at(&open.extra, POLL_INTERVAL);
        if pause == Pause::HungUp {
            self.lose();
            self.spooler.report_health(Health::Searching);
            // The node disappears a moment later.
            self.spooler.handle.pause(NUDGE);
        }
        pause
    }

    /// Opens the port if it is closed and can be opened.
    fn keep_open(&mut self) {
        let is_lost = self.open.as_mut().is_some_and(|open| {
            self.session.listen(&mut open.extra).is_err() || self.address.has_moved(open)
        });
        if is_lost {
            self.lose();
        }
        if self.open.is_none() {
            match self.address.open(open_unblocked) {
                Ok(open) => self.connect(open),
                Err(health) => self.spooler.report_health(health),
            }
        }
    }

    fn connect(&mut self, open: OpenPort<File>) {
        (self.session, self.misses, self.polls) = (Session::new(self.uses), 0, 0);
        // What comes after XOFF is lost, whether or not it is configured (devices 2.1).
        open.obey_xoff();
        self.open = Some(open);
        // Questions sent into a picture that was cut off would be lost as part of it.
        let result = match self.end_partial_page() {
            Err(JobStop::Gone) => Err(PortGone),
            Ok(()) | Err(_) => self.identify(),
        };
        match result {
            Ok(()) => self.report_status(),
            Err(PortGone) => self.lose(),
        }
    }

    fn identify(&mut self) -> Result<(), PortGone> {
        self.with_line(Session::identify)?;
        (self.spooler.report)(PrinterReport::Answers(self.session.answers.clone()));
        Ok(())
    }

    /// Checks on an idle printer.
    fn check(&mut self) {
        if self.session.has_scanned() {
            return self.report_status();
        }
        if self.open.is_none() || !self.session.asks() {
            return;
        }
        let result = if self.session.answers.status {
            self.ask_state()
        } else if self.session.has_answered() {
            self.identify()
        } else {
            self.polls += 1;
            if self.polls > FIRST_POLLS {
                if self.polls < FIRST_POLLS + POLLS_TO_ASK_AGAIN {
                    return;
                }
                self.polls = FIRST_POLLS;
            }
            // Do not wait for the answer: a later poll will read it.
            self.with_line(|_, asker| asker.send(&QUESTIONS[0]).map(drop))
        };
        match result {
            Ok(()) if self.session.answers.status => self.report_status(),
            Ok(()) => {}
            Err(PortGone) => self.lose(),
        }
    }

    /// Polls an idle printer, and identifies it again when it returns from silence.
    fn ask_state(&mut self) -> Result<(), PortGone> {
        let was_silent = self.is_silent();
        let is_answered = self.with_line(Session::poll)?;
        let is_late = self.session.take_late();
        if is_answered || is_late {
            self.misses = 0;
        } else {
            self.misses = self.misses.saturating_add(1);
        }
        if is_answered {
            if was_silent {
                return self.identify();
            }
            self.with_line(Session::try_sync_point)?;
        }
        Ok(())
    }

    fn is_silent(&self) -> bool {
        self.misses >= MISSES
    }

    fn report_status(&mut self) {
        let health = if self.session.has_scanned() {
            Health::Failed(DeviceFault::Swapped)
        } else if self.is_silent() {
            Health::Failed(DeviceFault::Silent)
        } else if let Some(trouble) = self.session.trouble() {
            Health::Failed(DeviceFault::Printer(trouble))
        } else if self.session.is_paper_low() {
            Health::PaperLow
        } else {
            Health::Ready
        };
        self.spooler.report_health(health);
    }

    /// Prints a job; returns it if it has not begun and may still wait.
    fn serve(&mut self, mut queued: Queued) -> Option<Queued> {
        queued.job.regardless |= self.spooler.is_overruled(&queued.job);
        let id = queued.job.id;
        if self.spooler.is_withdrawn(&queued.job) {
            self.spooler.settle(id, Err(JobFault::Withdrawn));
            return None;
        }
        if self.spooler.is_overdue(&queued) {
            let trouble = self.session.trouble().filter(|_| self.open.is_some());
            self.spooler.settle(id, Err(trouble.map_or(JobFault::Away, JobFault::Trouble)));
            return None;
        }
        let mut progress = Progress { sent: 0, moved_at: self.spooler.clock.uptime() };
        let result = match self.can_begin(queued.job.regardless) {
            Ok(is_ready) if self.spooler.may_begin(&queued.job, is_ready) => {
                self.print(&queued, &mut progress).map(Some)
            }
            Ok(_) => Ok(None),
            Err(stop) => Err(stop),
        };
        let has_begun = progress.sent > 0;
        match result {
            Ok(Some(done)) => self.spooler.settle(id, Ok(done)),
            Ok(None) => {
                self.idle();
                return Some(queued);
            }
            Err(JobStop::Unwanted) => {}
            Err(stop) => {
                let trouble = self.session.trouble();
                self.discard_unsent();
                if stop == JobStop::Gone {
                    self.lose();
                    self.spooler.report_health(Health::Searching);
                }
                if !has_begun {
                    self.spooler.must_ask_again();
                    return Some(queued);
                }
                self.is_cut_off = true;
                self.spooler.settle(id, Err(fault(stop, trouble)));
            }
        }
        None
    }

    /// Whether a job may begin: nothing is sent to a printer that says it would not print.
    fn can_begin(&mut self, regardless: bool) -> Result<bool, JobStop> {
        if self.open.is_none() {
            return Ok(false);
        }
        if self.is_cut_off {
            self.end_partial_page()?;
            // It may have been switched off and on, so identify it again once it answers.
            if self.session.answers.status {
                self.misses = MISSES;
            }
        }
        if !self.session.answers.status && self.session.has_answered() {
            self.identify()?;
        }
        if !self.session.answers.status {
            return Ok(true);
        }
        if !self.with_line(Session::ask_all)? {
            self.misses = if self.session.take_late() { 0 } else { self.misses.saturating_add(1) };
        } else if self.is_silent() {
            self.misses = 0;
            self.identify()?;
        } else {
            self.misses = 0;
            self.with_line(Session::try_sync_point)?;
        }
        self.report_status();
        Ok(regardless || (self.misses == 0 && self.session.trouble().is_none()))
    }

    fn print(&mut self, queued: &Queued, progress: &mut Progress) -> Result<Done, JobStop> {
        let bytes = self.with_status(&queued.job.page).repeat(queued.job.copies.into());
        self.write(&bytes, progress, Some(queued))?;
        self.drain(progress, Some(queued))?;
        if queued.job.regardless && (self.misses > 0 || self.session.trouble().is_some()) {
            return Ok(Done::Sent);
        }
        self.prove(bytes.len(), progress)
    }

    /// A page begins with a reset, which would end the automatic status reports.
    fn with_status(&self, page: &[u8]) -> Vec<u8> {
        match page.strip_prefix(RESET) {
            Some(rest) if self.session.answers.changes => [RESET, &REPORT_CHANGES, rest].concat(),
            _ => page.to_vec(),
        }
    }

    /// Waits for the printer to confirm everything it was sent (devices 2.6). If it reports what is
    /// wrong, wait: the rest comes out by itself once that is fixed.
    fn prove(&mut self, length: usize, progress: &mut Progress) -> Result<Done, JobStop> {
        if !self.session.may_prove() {
            return Ok(Done::Sent);
        }
        let asks_for_end = self.proof == PrintProof::PrintEnd && !self.session.has_no_end;
        let has_sync_point = self.session.answers.sync_point != Some(false);
        let end = self.next_end();
        let mut question = Vec::new();
        if asks_for_end {
            question.extend(ask_when_printed(end));
        }
        if has_sync_point {
            question.extend(SYNC_POINT);
        }
        (self.session.has_passed, self.session.printed) = (false, None);
        let mut asking = Progress { sent: 0, moved_at: self.spooler.clock.uptime() };
        self.write(&question, &mut asking, None)?;
        let mut needed = self.time_on_the_line(length);
        if asks_for_end || has_sync_point {
            needed = needed.plus(time_on_paper(length)).plus(GRACE);
        } else {
            self.with_line(Session::ask_all)?;
        }
        let mut asked_at = self.spooler.clock.uptime();
        let mut due = asked_at.after(needed);
        progress.moved_at = asked_at;
        loop {
            self.with_line(|session, asker| session.listen(asker.line))?;
            let now = self.spooler.clock.uptime();
            let is_printed = asks_for_end && self.session.printed == Some(end);
            // A printer that passes the sync point but confirms no end of printing has been given
            // its time.
            if is_printed || (self.session.has_passed && (!asks_for_end || now >= due)) {
                self.session.has_no_end = asks_for_end && !is_printed;
                self.session.answers.sync_point.get_or_insert(true);
                if self.session.trouble().is_some() {
                    self.with_line(Session::ask_all)?;
                }
                self.report_status();
                return Ok(Done::Printed);
            }
            if now.since(asked_at) >= POLL {
                asked_at = now;
                if self.with_line(Session::ask_all)? {
                    progress.moved_at = self.spooler.clock.uptime();
                    self.misses = 0;
                } else if now >= due {
                    self.misses = MISSES;
                }
                self.report_status();
            }
            let still = now.since(progress.moved_at);
            if self.session.trouble().is_some() {
                due = now.after(needed);
                if now.since(asking.moved_at) >= self.spooler.patience.trouble {
                    return Err(JobStop::Stalled);
                }
            } else if now >= due && self.misses == 0 {
                // All is well but no answer came: either this printer gives none, or it has lost
                // what it was sent.
                if self.session.answers.sync_point == Some(true) {
                    return Err(JobStop::Unconfirmed);
                }
                self.session.answers.sync_point = Some(false);
                self.session.has_no_end = true;
                return Ok(Done::Sent);
            }
            if still >= self.spooler.patience.stalled {
                return Err(JobStop::Stalled);
            }
            self.wait_a_little()?;
        }
    }

    fn time_on_the_line(&self, length: usize) -> Millis {
        let bits = u64::try_from(length).unwrap_or(u64::MAX).saturating_mul(BITS);
        Millis(bits.saturating_mul(1000) / u64::from(self.baud.max(1)))
    }

    /// Four digits.
    fn next_end(&mut self) -> [u8; 4] {
        self.last_end = (self.last_end + 1) % 10_000;
        let digit = |place: u16| b'0' + u8::try_from(self.last_end / place % 10).unwrap_or(0);
        [digit(1000), digit(100), digit(10), digit(1)]
    }

    /// What the line still holds of a failed job must not come out later on its own. A driver that
    /// cannot discard it prints it ahead of the cut.
    fn discard_unsent(&self) {
        if let Some(open) = &self.open {
            open.discard_unsent();
            // Whatever stopped it may have been no XOFF at all.
            open.forget_xoff();
        }
    }

    fn end_partial_page(&mut self) -> Result<(), JobStop> {
        if self.is_cut_off {
            let mut progress = Progress { sent: 0, moved_at: self.spooler.clock.uptime() };
            let terminator = self.terminator.clone();
            self.write(&terminator, &mut progress, None)?;
            self.is_cut_off = false;
        }
        Ok(())
    }

    /// Writes in small pieces. A job that has not begun may be kept waiting until it is overdue.
    fn write(
        &mut self,
        bytes: &[u8],
        progress: &mut Progress,
        queued: Option<&Queued>,
    ) -> Result<(), JobStop> {
        while progress.sent < bytes.len() {
            // A stopped printer may discard what it has no room for.
            let must_wait = queued.is_some_and(|queued| !queued.job.regardless);
            if progress.sent > 0 && must_wait && self.session.trouble().is_some() {
                self.wait(progress, queued)?;
                continue;
            }
            let rest = &bytes[progress.sent..];
            let Some(open) = &mut self.open else { return Err(JobStop::Gone) };
            match open.offer(rest)? {
                0 => self.wait(progress, queued)?,
                count => {
                    progress.sent += count;
                    progress.moved_at = self.spooler.clock.uptime();
                    self.session.listen(&mut open.extra)?;
                    if queued.is_some() {
                        self.report_status();
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits until the system holds nothing back. Drivers count differently; only zero is reliable.
    fn drain(&mut self, progress: &mut Progress, queued: Option<&Queued>) -> Result<(), JobStop> {
        let mut held_before = u32::MAX;
        loop {
            let Some(open) = &mut self.open else { return Err(JobStop::Gone) };
            let held = open.held()?;
            if held == 0 {
                return Ok(());
            }
            if held < held_before {
                held_before = held;
                progress.moved_at = self.spooler.clock.uptime();
            }
            self.wait(progress, queued)?;
        }
    }

    /// Gives a line that accepts nothing a little time.
    fn wait(&mut self, progress: &Progress, queued: Option<&Queued>) -> Result<(), JobStop> {
        self.with_line(|session, asker| session.listen(asker.line))?;
        let still = self.spooler.clock.uptime().since(progress.moved_at);
        let trouble = self.session.trouble();
        if trouble.is_some() {
            self.report_status();
        } else if still >= STALLED {
            self.spooler.report_health(Health::Failed(DeviceFault::Stalled));
        }
        let patience = self.spooler.patience;
        let is_over = match queued {
            // A job good only for a moment is useless later, however much of it the line already
            // holds.
            Some(queued) if progress.sent == 0 || queued.job.good_for.is_some() => {
                self.spooler.is_overdue(queued)
            }
            _ if trouble.is_some() => still >= patience.trouble,
            _ => still >= patience.stalled,
        };
        if is_over {
            return Err(JobStop::Stalled);
        }
        self.wait_a_little()
    }

    fn wait_a_little(&self) -> Result<(), JobStop> {
        if !self.spooler.handle.is_wanted() {
            return Err(JobStop::Unwanted);
        }
        self.spooler.handle.pause(NUDGE);
        Ok(())
    }

    fn with_line<T>(
        &mut self,
        work: impl FnOnce(&mut Session, &mut Asker<'_>) -> Result<T, PortGone>,
    ) -> Result<T, PortGone> {
        let Some(open) = &mut self.open else { return Err(PortGone) };
        let (clock, handle) = (&self.spooler.clock, &self.spooler.handle);
        work(&mut self.session, &mut Asker { line: &mut open.extra, clock, handle })
    }

    fn lose(&mut self) {
        self.close();
        (self.session, self.misses) = (Session::new(self.uses), 0);
    }

    /// Closes the port without blocking: flushing what it still holds may take half a minute.
    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            open.close();
        }
    }
}

fn fault(stop: JobStop, trouble: Option<super::Trouble>) -> JobFault {
    match (stop, trouble) {
        (JobStop::Gone, _) => JobFault::Unplugged,
        (JobStop::Unconfirmed, _) => JobFault::Unconfirmed,
        (JobStop::Stalled | JobStop::Unwanted, Some(trouble)) => JobFault::Trouble(trouble),
        (JobStop::Stalled | JobStop::Unwanted, None) => JobFault::Stalled,
    }
}

fn time_on_paper(length: usize) -> Millis {
    PRINTING_A_BYTE.times(u64::try_from(length).unwrap_or(u64::MAX)).min(LONGEST_PRINTING)
}
