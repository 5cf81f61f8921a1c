//! A printer on a serial line: finding it, handing it its jobs in small pieces, and waiting for
//! its word that they are done.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::TryRecvError;
use std::time::Duration;

use serialport::{ClearBuffer, SerialPort};

use super::status::{FENCE, QUESTIONS, TELL_CHANGES, ask_when_printed};
use super::talk::{Asker, Gone, Talk};
use super::{Address, Desk, Done, Fault, Health, JobFault, PrinterReport, Proof, Queued};
use crate::clock::{Millis, Uptime};
use crate::device::{LOOK, Opened, Pause, open_unblocked};

/// Small enough for any driver to take or leave (devices 1.5).
const CHUNK: usize = 256;
/// Between two tries while the line takes nothing.
const NUDGE: Duration = Duration::from_millis(50);
/// A printer that takes nothing for so long is named on the status line.
const STALLED: Millis = Millis::seconds(2);
/// Between two questions about a job that is not done yet.
const POLL: Millis = Millis::seconds(1);
/// A job is given so much longer than it should take (devices 2.6).
const GRACE: Millis = Millis::seconds(5);
/// A byte of text is so much paper that a slow printer takes this long for it, a picture's far
/// less (devices 2.6); and no receipt is longer than the longest.
const PRINTING_A_BYTE: Millis = Millis(5);
const LONGEST_PRINTING: Millis = Millis::seconds(20);
/// Bits on the line for a byte.
const BITS: u64 = 10;
/// A printer that has not answered is asked again at its first looks, since it may just have been
/// switched on, and then every so many.
const FIRST_LOOKS: u8 = 3;
const LOOKS_TO_ASK_AGAIN: u8 = 10;
/// A printer that has answered before and misses so many questions in a row is switched off.
const MISSES: u8 = 3;
/// What every page begins with; it also ends what [`TELL_CHANGES`] has begun.
const RESET: &[u8] = b"\x1b@";

/// A printer on a serial line.
pub(super) struct Line<R> {
    desk: Desk<R>,
    address: Address,
    baud: u32,
    proof: Proof,
    parting: Vec<u8>,
    /// The bytes go through a handle of their own.
    open: Option<Opened<File>>,
    talk: Talk,
    /// Questions in a row that were not answered.
    misses: u8,
    /// Looks at a printer that has never answered.
    looks: u8,
    /// A job stopped in its middle, and the printer may still hold the half of it.
    is_cut_off: bool,
    /// Numbers the ends of printing that are asked for, rising (devices 2.6).
    last_end: u16,
}

/// How the writing of a job ended early.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Stop {
    /// Patience is at its end.
    Stalled,
    /// The printer no longer says what it says otherwise.
    Unconfirmed,
    Gone,
    /// Nobody waits for it any more.
    Unwanted,
}

impl From<Gone> for Stop {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

/// How far a job has come.
struct Progress {
    /// Bytes of it that the line has taken.
    sent: usize,
    /// When it took the last of them, or the printer last gave a sign of being at it.
    moved_at: Uptime,
}

impl<R: Fn(PrinterReport)> Line<R> {
    pub(super) fn new(
        desk: Desk<R>,
        address: Address,
        baud: u32,
        proof: Proof,
        parting: Vec<u8>,
    ) -> Self {
        Self {
            desk,
            address,
            baud,
            proof,
            parting,
            open: None,
            talk: Talk::default(),
            misses: 0,
            looks: 0,
            is_cut_off: false,
            last_end: 0,
        }
    }

    pub(super) fn run(mut self) {
        let mut waiting: Option<Queued> = None;
        while self.desk.wanted.is_true() {
            self.look();
            waiting = match waiting.take() {
                Some(queued) => self.serve(queued),
                None => match self.desk.jobs.try_recv() {
                    Ok(queued) => Some(queued),
                    Err(TryRecvError::Empty) => {
                        if self.rest() == Pause::Over {
                            self.check();
                        }
                        None
                    }
                    Err(TryRecvError::Disconnected) => break,
                },
            };
        }
        self.close();
    }

    /// Until there is a job, the line is hung up, or it is time to look at it.
    fn rest(&mut self) -> Pause {
        let Some(open) = &self.open else {
            self.desk.wanted.pause(LOOK);
            return Pause::Over;
        };
        let pause = self.desk.wanted.pause_at(&open.extra, LOOK);
        if pause == Pause::HungUp {
            self.lose();
            self.desk.tell(Health::Searching);
            // Its node goes a moment later.
            self.desk.wanted.pause(NUDGE);
        }
        pause
    }

    /// Sees to it that the port is open, if it can be.
    fn look(&mut self) {
        let is_lost = self.open.as_mut().is_some_and(|open| {
            self.talk.listen(&mut open.extra).is_err() || self.address.has_moved(open)
        });
        if is_lost {
            self.lose();
        }
        if self.open.is_none() {
            match self.address.open(open_unblocked) {
                Ok(open) => self.greet(open),
                Err(health) => self.desk.tell(health),
            }
        }
    }

    fn greet(&mut self, open: Opened<File>) {
        (self.talk, self.misses, self.looks) = (Talk::default(), 0, 0);
        self.open = Some(open);
        // Questions would be lost in a picture of which only a half has come.
        let result = match self.part_from_the_half() {
            Err(Stop::Gone) => Err(Gone),
            Ok(()) | Err(_) => self.meet(),
        };
        match result {
            Ok(()) => self.tell_status(),
            Err(Gone) => self.lose(),
        }
    }

    fn meet(&mut self) -> Result<(), Gone> {
        self.with_line(Talk::meet)?;
        (self.desk.report)(PrinterReport::Answers(self.talk.answers.clone()));
        Ok(())
    }

    /// Looks after an idle printer.
    fn check(&mut self) {
        if self.open.is_none() {
            return;
        }
        let result = if self.talk.answers.status {
            self.ask_state()
        } else if self.talk.speaks_up() {
            self.meet()
        } else {
            self.looks += 1;
            if self.looks > FIRST_LOOKS {
                if self.looks < FIRST_LOOKS + LOOKS_TO_ASK_AGAIN {
                    return;
                }
                self.looks = FIRST_LOOKS;
            }
            // Nobody waits for the answer: a later look hears it.
            self.with_line(|_, asker| asker.say(&QUESTIONS[0]).map(drop))
        };
        match result {
            Ok(()) if self.talk.answers.status => self.tell_status(),
            Ok(()) => {}
            Err(Gone) => self.lose(),
        }
    }

    /// Asks an idle printer, and makes its acquaintance anew when it comes back from silence.
    fn ask_state(&mut self) -> Result<(), Gone> {
        let was_silent = self.is_silent();
        if self.with_line(Talk::glance)? {
            self.misses = 0;
            if was_silent {
                return self.meet();
            }
            self.with_line(Talk::try_fence)
        } else {
            self.misses = self.misses.saturating_add(1);
            Ok(())
        }
    }

    fn is_silent(&self) -> bool {
        self.misses >= MISSES
    }

    fn tell_status(&mut self) {
        let health = if self.is_silent() {
            Health::Failed(Fault::Silent)
        } else if let Some(trouble) = self.talk.status.trouble() {
            Health::Failed(Fault::Printer(trouble))
        } else if self.talk.status.is_paper_low() {
            Health::PaperLow
        } else {
            Health::Ready
        };
        self.desk.tell(health);
    }

    /// Prints a job; gives it back if it has not begun and may still wait.
    fn serve(&mut self, queued: Queued) -> Option<Queued> {
        let id = queued.job.id;
        if self.desk.is_overdue(&queued) {
            let trouble = self.talk.status.trouble().filter(|_| self.open.is_some());
            self.desk.settle(id, Err(trouble.map_or(JobFault::Away, JobFault::Trouble)));
            return None;
        }
        let mut progress = Progress { sent: 0, moved_at: self.desk.clock.uptime() };
        let result = match self.is_ready_for_it() {
            Ok(true) => self.do_it(&queued, &mut progress).map(Some),
            Ok(false) => Ok(None),
            Err(stop) => Err(stop),
        };
        let has_begun = progress.sent > 0;
        match result {
            Ok(Some(done)) => self.desk.settle(id, Ok(done)),
            Ok(None) => {
                self.rest();
                return Some(queued);
            }
            Err(Stop::Unwanted) => {}
            Err(stop) => {
                let trouble = self.talk.status.trouble();
                self.forget_unsent();
                if stop == Stop::Gone {
                    self.lose();
                    self.desk.tell(Health::Searching);
                }
                if !has_begun {
                    return Some(queued);
                }
                self.is_cut_off = true;
                self.desk.settle(id, Err(fault(stop, trouble)));
            }
        }
        None
    }

    /// Whether a job may be begun: nothing is sent to a printer that says it would not print.
    fn is_ready_for_it(&mut self) -> Result<bool, Stop> {
        if self.open.is_none() {
            return Ok(false);
        }
        if self.is_cut_off {
            self.part_from_the_half()?;
            // It may have been switched off and on: its acquaintance is made anew once it answers.
            if self.talk.answers.status {
                self.misses = MISSES;
            }
        }
        if !self.talk.answers.status && self.talk.speaks_up() {
            self.meet()?;
        }
        if !self.talk.answers.status {
            return Ok(true);
        }
        if !self.with_line(Talk::ask_all)? {
            self.misses = self.misses.saturating_add(1);
        } else if self.is_silent() {
            self.misses = 0;
            self.meet()?;
        } else {
            self.misses = 0;
            self.with_line(Talk::try_fence)?;
        }
        self.tell_status();
        Ok(self.misses == 0 && self.talk.status.trouble().is_none())
    }

    fn do_it(&mut self, queued: &Queued, progress: &mut Progress) -> Result<Done, Stop> {
        let bytes = self.with_status(&queued.job.page).repeat(queued.job.copies.into());
        self.write(&bytes, progress, Some(queued))?;
        self.drain(progress, Some(queued))?;
        self.prove(bytes.len(), progress)
    }

    /// A page begins with a reset, which would end the printer's telling of changes.
    fn with_status(&self, page: &[u8]) -> Vec<u8> {
        match page.strip_prefix(RESET) {
            Some(rest) if self.talk.answers.changes => [RESET, &TELL_CHANGES, rest].concat(),
            _ => page.to_vec(),
        }
    }

    /// Waits until the printer says that it has done all that it was sent (devices 2.6). One that
    /// says what is missing is waited for; the rest comes out by itself then.
    fn prove(&mut self, length: usize, progress: &mut Progress) -> Result<Done, Stop> {
        if !self.talk.answers.status {
            return Ok(Done::Sent);
        }
        let asks_for_end = self.proof == Proof::PrintEnd && !self.talk.has_no_end;
        let has_fence = self.talk.answers.fence != Some(false);
        let end = self.next_end();
        let mut question = Vec::new();
        if asks_for_end {
            question.extend(ask_when_printed(end));
        }
        if has_fence {
            question.extend(FENCE);
        }
        (self.talk.has_passed, self.talk.printed) = (false, None);
        let mut asking = Progress { sent: 0, moved_at: self.desk.clock.uptime() };
        self.write(&question, &mut asking, None)?;
        let mut needed = self.time_on_the_line(length);
        if asks_for_end || has_fence {
            needed = needed.plus(time_on_paper(length)).plus(GRACE);
        } else {
            self.with_line(Talk::ask_all)?;
        }
        let mut asked_at = self.desk.clock.uptime();
        let mut due = asked_at.after(needed);
        progress.moved_at = asked_at;
        loop {
            self.with_line(|talk, asker| talk.listen(asker.line))?;
            let now = self.desk.clock.uptime();
            let is_printed = asks_for_end && self.talk.printed == Some(end);
            // A printer that passes the fence and knows no end of printing has been given time.
            if is_printed || (self.talk.has_passed && (!asks_for_end || now >= due)) {
                self.talk.has_no_end = asks_for_end && !is_printed;
                self.talk.answers.fence.get_or_insert(true);
                if self.talk.status.trouble().is_some() {
                    self.with_line(Talk::ask_all)?;
                }
                self.tell_status();
                return Ok(Done::Printed);
            }
            if now.since(asked_at) >= POLL {
                asked_at = now;
                if self.with_line(Talk::ask_all)? {
                    progress.moved_at = self.desk.clock.uptime();
                    self.misses = 0;
                } else if now >= due {
                    self.misses = MISSES;
                }
                self.tell_status();
            }
            let still = now.since(progress.moved_at);
            if self.talk.status.trouble().is_some() {
                due = now.after(needed);
                if now.since(asking.moved_at) >= self.desk.patience.trouble {
                    return Err(Stop::Stalled);
                }
            } else if now >= due && self.misses == 0 {
                // All is well, and there is no answer: this printer gives none, or it has
                // forgotten what it was sent.
                if self.talk.answers.fence == Some(true) {
                    return Err(Stop::Unconfirmed);
                }
                self.talk.answers.fence = Some(false);
                self.talk.has_no_end = true;
                return Ok(Done::Sent);
            }
            if still >= self.desk.patience.stalled {
                return Err(Stop::Stalled);
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

    /// What the line still holds of a failed job must not come out by itself later. A line that
    /// cannot forget prints it before the cut.
    fn forget_unsent(&self) {
        if let Some(open) = &self.open {
            open.port.clear(ClearBuffer::Output).ok();
        }
    }

    fn part_from_the_half(&mut self) -> Result<(), Stop> {
        if self.is_cut_off {
            let mut progress = Progress { sent: 0, moved_at: self.desk.clock.uptime() };
            let parting = self.parting.clone();
            self.write(&parting, &mut progress, None)?;
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
    ) -> Result<(), Stop> {
        while progress.sent < bytes.len() {
            // What stands still may throw away what it has no room for.
            if progress.sent > 0 && queued.is_some() && self.talk.status.trouble().is_some() {
                self.wait(progress, queued)?;
                continue;
            }
            let rest = &bytes[progress.sent..];
            let Some(open) = &mut self.open else { return Err(Stop::Gone) };
            match open.extra.write(&rest[..rest.len().min(CHUNK)]) {
                Ok(count) if count > 0 => {
                    progress.sent += count;
                    progress.moved_at = self.desk.clock.uptime();
                    self.talk.listen(&mut open.extra)?;
                    if queued.is_some() {
                        self.tell_status();
                    }
                }
                Ok(_) => self.wait(progress, queued)?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(progress, queued)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Stop::Gone),
            }
        }
        Ok(())
    }

    /// Waits until the system holds nothing back. Drivers count as they like; only zero is sure.
    fn drain(&mut self, progress: &mut Progress, queued: Option<&Queued>) -> Result<(), Stop> {
        let mut held_before = u32::MAX;
        loop {
            let Some(open) = &mut self.open else { return Err(Stop::Gone) };
            let held = open.port.bytes_to_write().map_err(|_| Stop::Gone)?;
            if held == 0 {
                return Ok(());
            }
            if held < held_before {
                held_before = held;
                progress.moved_at = self.desk.clock.uptime();
            }
            self.wait(progress, queued)?;
        }
    }

    /// Gives a line that takes nothing a little time.
    fn wait(&mut self, progress: &Progress, queued: Option<&Queued>) -> Result<(), Stop> {
        self.with_line(|talk, asker| talk.listen(asker.line))?;
        let still = self.desk.clock.uptime().since(progress.moved_at);
        let trouble = self.talk.status.trouble();
        if trouble.is_some() {
            self.tell_status();
        } else if still >= STALLED {
            self.desk.tell(Health::Failed(Fault::Stalled));
        }
        let patience = self.desk.patience;
        let is_over = match queued {
            // What is good for a moment is of no use later, whatever of it the line holds already.
            Some(queued) if progress.sent == 0 || queued.job.good_for.is_some() => {
                self.desk.is_overdue(queued)
            }
            _ if trouble.is_some() => still >= patience.trouble,
            _ => still >= patience.stalled,
        };
        if is_over {
            return Err(Stop::Stalled);
        }
        self.wait_a_little()
    }

    fn wait_a_little(&self) -> Result<(), Stop> {
        if !self.desk.wanted.is_true() {
            return Err(Stop::Unwanted);
        }
        self.desk.wanted.pause(NUDGE);
        Ok(())
    }

    fn with_line<T>(
        &mut self,
        work: impl FnOnce(&mut Talk, &mut Asker<'_>) -> Result<T, Gone>,
    ) -> Result<T, Gone> {
        let Some(open) = &mut self.open else { return Err(Gone) };
        let (clock, wanted) = (&self.desk.clock, &self.desk.wanted);
        work(&mut self.talk, &mut Asker { line: &mut open.extra, clock, wanted })
    }

    fn lose(&mut self) {
        self.close();
        (self.talk, self.misses) = (Talk::default(), 0);
    }

    /// Closes the port without waiting for it: what it still holds may take half a minute.
    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            open.close();
        }
    }
}

fn fault(stop: Stop, trouble: Option<super::Trouble>) -> JobFault {
    match (stop, trouble) {
        (Stop::Gone, _) => JobFault::Unplugged,
        (Stop::Unconfirmed, _) => JobFault::Unconfirmed,
        (Stop::Stalled | Stop::Unwanted, Some(trouble)) => JobFault::Trouble(trouble),
        (Stop::Stalled | Stop::Unwanted, None) => JobFault::Stalled,
    }
}

fn time_on_paper(length: usize) -> Millis {
    PRINTING_A_BYTE.times(u64::try_from(length).unwrap_or(u64::MAX)).min(LONGEST_PRINTING)
}
