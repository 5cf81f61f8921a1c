//! A session with a printer over an open line: questions, the short wait for their answers, and
//! what the printer reports unasked.
//!
//! Answers carry no reference to their question, so only one question is outstanding at a time, and
//! a late answer is discarded before the next one is asked.

use std::fs::File;
use std::io::{self, Read, Write};
use std::time::Duration;

use super::status::{
    MODEL, PrinterAnswer, PrinterStatus, QUESTIONS, REPORT_CHANGES, SYNC_POINT, StatusParser,
    Trouble,
};
use super::{Answers, WorkerHandle};
use crate::clock::Millis;
use crate::device::output::PortGone;
use crate::hardware::StatusUse;
use paytill_host::clock::Clock;

/// A printer that answers at all does so within this time (devices 2.6).
const ANSWER: Millis = Millis(500);
/// For one that has been late.
const LATE_ANSWER: Millis = Millis::seconds(2);
/// Interval between two polls for an answer.
const POLL_WAIT: Duration = Duration::from_millis(5);
/// Of the answer to [`SYNC_POINT`].
const NO_PAPER: u8 = 0b1100;
/// This many digits and a line end are a scan.
const SHORTEST_SCAN: u32 = 10;
/// Indices into [`QUESTIONS`] in the order of asking: state, cause, paper, error.
const ORDER: [usize; 4] = [0, 1, 3, 2];

/// What is known about the printer on an open line; reset when the line is lost.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Session {
    uses: StatusUse,
    parser: StatusParser,
    status: PrinterStatus,
    /// The status was well at least once, so it means something.
    was_well: bool,
    /// The printer does what it says it cannot: its status means nothing.
    is_overruled: bool,
    /// It was asked for the sync point although it says that it stands still.
    is_doubted: bool,
    was_late: bool,
    /// How long an answer is waited for.
    patience: Millis,
    pub(super) answers: Answers,
    /// The answer to the latest question.
    real_time: Option<u8>,
    /// The sync point was answered since it was last requested.
    pub(super) has_passed: bool,
    /// That answer says that there is no paper.
    has_no_paper: bool,
    /// The end of printing reported last.
    pub(super) printed: Option<[u8; 4]>,
    /// Asked for an end of printing, the printer passed the sync point but reported none.
    pub(super) has_no_end: bool,
    has_changed: bool,
    /// Digits in a row, as a printer never sends them, and whether a line of them came.
    digits: u32,
    has_scanned: bool,
}

impl Session {
    pub(super) fn new(uses: StatusUse) -> Self {
        Self {
            uses,
            parser: StatusParser::default(),
            status: PrinterStatus::default(),
            was_well: false,
            is_overruled: false,
            is_doubted: false,
            was_late: false,
            patience: ANSWER,
            answers: Answers::default(),
            real_time: None,
            has_passed: false,
            has_no_paper: false,
            printed: None,
            has_no_end: false,
            has_changed: false,
            digits: 0,
            has_scanned: false,
        }
    }

    /// What keeps it from printing, as far as its words count.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.status.trouble().filter(|_| self.is_believed())
    }

    pub(super) fn is_paper_low(&self) -> bool {
        self.is_believed() && self.status.is_paper_low()
    }

    fn is_believed(&self) -> bool {
        self.uses == StatusUse::Auto && !self.is_overruled
    }

    /// Whether it is asked for its status.
    pub(super) fn asks(&self) -> bool {
        self.uses == StatusUse::Auto
    }

    /// Whether anything it answers can prove that a job was printed.
    pub(super) fn may_prove(&self) -> bool {
        self.answers.status || self.uses == StatusUse::Fence
    }

    /// Reads everything the printer has sent so far.
    pub(super) fn listen(&mut self, line: &mut File) -> Result<(), PortGone> {
        let mut bytes = [0; 512];
        loop {
            match line.read(&mut bytes) {
                Ok(0) => return Err(PortGone),
                Ok(count) => bytes[..count].iter().for_each(|byte| self.push(*byte)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(PortGone),
            }
        }
    }

    /// Whether what came from it is a scan: it is a scanner.
    pub(super) const fn has_scanned(&self) -> bool {
        self.has_scanned
    }

    fn push(&mut self, byte: u8) {
        self.has_scanned |= matches!(byte, b'\r' | b'\n') && self.digits >= SHORTEST_SCAN;
        self.digits = if byte.is_ascii_digit() { self.digits.saturating_add(1) } else { 0 };
        match self.parser.push(byte) {
            Some(PrinterAnswer::RealTime(byte)) => self.real_time = Some(byte),
            Some(PrinterAnswer::Automatic(bytes)) => {
                self.status.learn_automatic(bytes);
                self.has_changed = true;
            }
            Some(PrinterAnswer::Passed(paper)) => {
                (self.has_passed, self.has_no_paper) = (true, paper & NO_PAPER != 0);
            }
            Some(PrinterAnswer::Printed(id)) => self.printed = Some(id),
            Some(PrinterAnswer::Name(name)) => self.answers.model = Some(name),
            None => {}
        }
    }

    /// Finds out what kind of printer this is. One that answers none of the first three questions
    /// is not asked further here, and what was known about it is kept.
    pub(super) fn identify(&mut self, line: &mut Asker<'_>) -> Result<(), PortGone> {
        match self.uses {
            StatusUse::Off => return Ok(()),
            StatusUse::Fence => return self.try_sync_point(line),
            StatusUse::Auto => {}
        }
        if !self.ask_all(line)? {
            return Ok(());
        }
        self.answers = Answers { status: true, ..Answers::default() };
        self.try_sync_point(line)?;
        line.ask(&MODEL, self, |session| session.answers.model.is_some())?;
        self.has_changed = false;
        self.answers.changes = line.ask(&REPORT_CHANGES, self, |session| session.has_changed)?;
        Ok(())
    }

    /// Whether the sync point works is only known while the printer can print. One that has said
    /// from the beginning that it cannot, and passes, can.
    pub(super) fn try_sync_point(&mut self, line: &mut Asker<'_>) -> Result<(), PortGone> {
        if self.trouble().is_some() {
            return if self.was_well { Ok(()) } else { self.doubt(line) };
        }
        self.was_well = true;
        if self.answers.sync_point.is_none() {
            let has_passed = self.ask_sync_point(line)?;
            // What has no paper does not answer, so without the status silence proves nothing.
            if has_passed || self.uses == StatusUse::Auto {
                self.answers.sync_point = Some(has_passed);
            }
        }
        Ok(())
    }

    fn ask_sync_point(&mut self, line: &mut Asker<'_>) -> Result<bool, PortGone> {
        self.listen(line.line)?;
        self.has_passed = false;
        line.ask(&SYNC_POINT, self, |session| session.has_passed)
    }

    /// A printer that stands still keeps the sync point until it goes on, so it is asked only once.
    fn doubt(&mut self, line: &mut Asker<'_>) -> Result<(), PortGone> {
        let has_passed = if self.is_doubted {
            self.has_passed
        } else {
            self.is_doubted = true;
            self.ask_sync_point(line)?
        };
        if has_passed && !self.has_no_paper {
            // It may have been set right in between.
            self.is_overruled = self.ask_all(line)? && self.status.trouble().is_some();
            self.answers.sync_point = Some(true);
        }
        Ok(())
    }

    /// Asks for the state and all causes; false if no question is answered.
    pub(super) fn ask_all(&mut self, line: &mut Asker<'_>) -> Result<bool, PortGone> {
        if !self.asks() {
            // It is taken to be there.
            return Ok(true);
        }
        let mut answered = 0;
        for question in ORDER {
            // After three unanswered questions, the fourth would not be answered either.
            if answered > 0 || question != ORDER[3] {
                answered += usize::from(self.ask(question, line)?);
            }
        }
        // No printer has all of these faults at once, and none has the same bits for all of them.
        if answered == ORDER.len() && !self.was_well {
            self.is_overruled |= self.status.is_one_byte();
        }
        Ok(answered > 0)
    }

    /// Asks for the state alone, and for the causes only if it has changed or is not in order.
    pub(super) fn poll(&mut self, line: &mut Asker<'_>) -> Result<bool, PortGone> {
        let before = self.status;
        if !self.ask(ORDER[0], line)? {
            return Ok(false);
        }
        let is_old = self.status == before && self.trouble().is_none();
        if !is_old || !self.answers.changes {
            self.ask_all(line)?;
        }
        Ok(true)
    }

    fn ask(&mut self, question: usize, line: &mut Asker<'_>) -> Result<bool, PortGone> {
        self.listen(line.line)?;
        // A late answer: to which question is not known, but the printer is there, and is given more
        // time from now on.
        if self.real_time.take().is_some() {
            (self.was_late, self.patience) = (true, LATE_ANSWER);
        }
        line.ask(&QUESTIONS[question], self, |session| session.real_time.is_some())?;
        let answer = self.real_time.take();
        if let Some(byte) = answer {
            self.status.answered(question, byte);
        }
        Ok(answer.is_some())
    }

    /// Whether a question sent without waiting has been answered since.
    pub(super) fn has_answered(&mut self) -> bool {
        self.real_time.take().is_some() && self.asks()
    }

    /// Whether a question has been answered after all, since this was last asked.
    pub(super) fn take_late(&mut self) -> bool {
        std::mem::take(&mut self.was_late)
    }
}

/// What a session needs to ask a question: the line, the clock for the time limit, and the stop
/// flag.
pub(super) struct Asker<'a> {
    pub(super) line: &'a mut File,
    pub(super) clock: &'a Clock,
    pub(super) handle: &'a WorkerHandle,
}

impl Asker<'_> {
    /// Sends a question and waits for its answer, for as long as this printer is given; false if none came.
    fn ask(
        &mut self,
        question: &[u8],
        session: &mut Session,
        is_answered: impl Fn(&Session) -> bool,
    ) -> Result<bool, PortGone> {
        if !self.send(question)? {
            return Ok(false);
        }
        let since = self.clock.uptime();
        loop {
            session.listen(self.line)?;
            if is_answered(session) {
                return Ok(true);
            }
            let is_late = self.clock.uptime().since(since) >= session.patience;
            if is_late || !self.handle.is_wanted() {
                return Ok(false);
            }
            self.handle.pause(POLL_WAIT);
        }
    }

    /// Sends a question as a whole; returns false if the line accepts nothing right now.
    pub(super) fn send(&mut self, question: &[u8]) -> Result<bool, PortGone> {
        match self.line.write(question) {
            Ok(count) => Ok(count == question.len()),
            Err(error) if is_for_now(&error) => Ok(false),
            Err(_) => Err(PortGone),
        }
    }
}

fn is_for_now(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
