//! A conversation with a printer over an open line: questions, the short wait for their answers,
//! and what the printer says unasked.

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
/// Between two polls for an answer.
const GLANCE: Duration = Duration::from_millis(5);
/// In [`QUESTIONS`], in the order of asking: state, cause, paper, error.
const ORDER: [usize; 4] = [0, 1, 3, 2];

/// What is known of the printer on an open line. It forgets all when the line is lost.
#[derive(Default)]
pub(super) struct Session {
    parser: StatusParser,
    pub(super) status: PrinterStatus,
    pub(super) answers: Answers,
    /// The answer to the question that was asked last.
    real_time: Option<u8>,
    /// The sync point was answered since it was last asked for.
    pub(super) has_passed: bool,
    /// The end of printing that was reported last.
    pub(super) printed: Option<[u8; 4]>,
    /// It was asked for an end of printing, passed the sync point, and reported none.
    pub(super) has_no_end: bool,
    has_changed: bool,
}

impl Session {
    /// Takes what the printer has said meanwhile.
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

    /// Finds out what kind of printer this is. One that answers no question of the first three is
    /// not asked again here, and what was known of it stays.
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

    /// Whether the sync point works is only known once the printer prints.
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
            // One that has kept silent three times has nothing to say to the fourth.
            if is_answered || question != ORDER[3] {
                is_answered |= self.ask(question, line)?;
            }
        }
        Ok(is_answered)
    }

    /// Asks for the state alone, and for the causes only where it is another than before.
    pub(super) fn poll(&mut self, line: &mut Asker<'_>) -> Result<bool, PortGone> {
        let before = self.status;
        if !self.ask(ORDER[0], line)? {
            return Ok(false);
        }
        let is_old = self.status == before && self.status.trouble().is_none();
        if is_old && self.answers.changes { Ok(true) } else { self.ask_all(line) }
    }

    fn ask(&mut self, question: usize, line: &mut Asker<'_>) -> Result<bool, PortGone> {
        // A late answer belongs to an earlier question.
        self.listen(line.line)?;
        self.real_time = None;
        line.ask(&QUESTIONS[question], self, |session| session.real_time.is_some())?;
        if let Some(byte) = self.real_time {
            self.status.answered(question, byte);
        }
        Ok(self.real_time.is_some())
    }

    /// Whether a question that nobody waited for was answered.
    pub(super) fn has_answered(&self) -> bool {
        self.real_time.is_some()
    }
}

/// Who asks over a line, and for how long.
pub(super) struct Asker<'a> {
    pub(super) line: &'a mut File,
    pub(super) clock: &'a Clock,
    pub(super) wanted: &'a WorkerHandle,
}

impl Asker<'_> {
    /// Sends a question and waits until it is answered, or would have been.
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
            if is_late || !self.wanted.is_wanted() {
                return Ok(false);
            }
            self.wanted.pause(GLANCE);
        }
    }

    /// Sends a question whole or, where the line takes nothing now, not at all.
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
