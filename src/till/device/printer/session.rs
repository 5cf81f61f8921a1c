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
};
use super::{Answers, WorkerHandle};
use crate::clock::Millis;
use crate::device::output::PortGone;
use paytill_host::clock::Clock;

/// A printer that answers at all does so within this time (devices 2.6).
const ANSWER: Millis = Millis(500);
/// Interval between two polls for an answer.
const POLL_WAIT: Duration = Duration::from_millis(5);
/// Indices into [`QUESTIONS`] in the order of asking: state, cause, paper, error.
const ORDER: [usize; 4] = [0, 1, 3, 2];

/// What is known about the printer on an open line; reset when the line is lost.
#[derive(Default)]
pub(super) struct Session {
    parser: StatusParser,
    pub(super) status: PrinterStatus,
    pub(super) answers: Answers,
    /// The answer to the latest question.
    real_time: Option<u8>,
    /// The sync point was answered since it was last requested.
    pub(super) has_passed: bool,
    /// The end of printing reported last.
    pub(super) printed: Option<[u8; 4]>,
    /// Asked for an end of printing, the printer passed the sync point but reported none.
    pub(super) has_no_end: bool,
    has_changed: bool,
}

impl Session {
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

    fn push(&mut self, byte: u8) {
        match self.parser.push(byte) {
            Some(PrinterAnswer::RealTime(byte)) => self.real_time = Some(byte),
            Some(PrinterAnswer::Automatic(bytes)) => {
                self.status.learn_automatic(bytes);
                self.has_changed = true;
            }
            Some(PrinterAnswer::Passed(_)) => self.has_passed = true,
            Some(PrinterAnswer::Printed(id)) => self.printed = Some(id),
            Some(PrinterAnswer::Name(name)) => self.answers.model = Some(name),
            None => {}
        }
    }

    /// Finds out what kind of printer this is. One that answers none of the first three questions
    /// is not asked further here, and what was known about it is kept.
    pub(super) fn identify(&mut self, line: &mut Asker<'_>) -> Result<(), PortGone> {
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

    /// Whether the sync point works is only known while the printer can print.
    pub(super) fn try_sync_point(&mut self, line: &mut Asker<'_>) -> Result<(), PortGone> {
        if self.answers.sync_point.is_none() && self.status.trouble().is_none() {
            self.listen(line.line)?;
            self.has_passed = false;
            self.answers.sync_point =
                Some(line.ask(&SYNC_POINT, self, |session| session.has_passed)?);
        }
        Ok(())
    }

    /// Asks for the state and all causes; false if no question is answered.
    pub(super) fn ask_all(&mut self, line: &mut Asker<'_>) -> Result<bool, PortGone> {
        let mut is_answered = false;
        for question in ORDER {
            // After three unanswered questions, the fourth would not be answered either.
            if is_answered || question != ORDER[3] {
                is_answered |= self.ask(question, line)?;
            }
        }
        Ok(is_answered)
    }

    /// Asks for the state alone, and for the causes only if it has changed or is not in order.
    pub(super) fn poll(&mut self, line: &mut Asker<'_>) -> Result<bool, PortGone> {
        let before = self.status;
        if !self.ask(ORDER[0], line)? {
            return Ok(false);
        }
        let is_old = self.status == before && self.status.trouble().is_none();
        if is_old && self.answers.changes { Ok(true) } else { self.ask_all(line) }
    }

    fn ask(&mut self, question: usize, line: &mut Asker<'_>) -> Result<bool, PortGone> {
        // Discard any late answer to an earlier question.
        self.listen(line.line)?;
        self.real_time = None;
        line.ask(&QUESTIONS[question], self, |session| session.real_time.is_some())?;
        if let Some(byte) = self.real_time {
            self.status.answered(question, byte);
        }
        Ok(self.real_time.is_some())
    }

    /// Whether a question sent without waiting has been answered since.
    pub(super) fn has_answered(&self) -> bool {
        self.real_time.is_some()
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
    /// Sends a question and waits for its answer, up to [`ANSWER`]; false if none came.
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
            let is_late = self.clock.uptime().since(since) >= ANSWER;
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
