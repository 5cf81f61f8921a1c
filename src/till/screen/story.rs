//! The story of one payment: what happened and when, kept as facts so that it can be told in any
//! language.

use super::AttemptView;
use crate::clock::Timestamp;
use crate::payment::{Answer, CallKind, Ending, Event, Reason, Status};

/// Lines kept of one payment; a long reversal repeats itself.
const LINES_MAX: usize = 24;

/// What happened to a payment, oldest first.
#[derive(Debug, Default)]
pub(super) struct Story {
    lines: Vec<Line>,
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) fact: Fact,
    /// How often in a row.
    pub(super) times: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fact {
    Sent,
    AtPassword,
    NotPaidYet,
    NotKnownYet,
    Unclear(Reason),
    Refused(Reason),
    NeverSent(Reason),
    Failed(Reason),
    Paid,
    /// Paid, but too late: it goes back.
    MoneyGoesBack,
    GivenUp,
    TimeUp,
    PutAside,
    Restarted,
    WithdrawalTaken,
    WithdrawalRepeats(Reason),
    WithdrawalRefused(Reason),
    Ended(Ending),
    NoEnd,
}

impl Story {
    /// Adds what the event did, if it is worth a line.
    pub(super) fn tell(&mut self, event: &Event, before: Option<Status>, view: &AttemptView) {
        let Some(fact) = fact(event, before, view) else { return };
        if let Some(last) = self.lines.last_mut().filter(|line| line.fact == fact) {
            last.at = view.updated_at;
            last.times += 1;
            return;
        }
        if self.lines.len() == LINES_MAX {
            self.lines.remove(1);
        }
        self.lines.push(Line { at: view.updated_at, fact, times: 1 });
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }
}

fn fact(event: &Event, before: Option<Status>, view: &AttemptView) -> Option<Fact> {
    let status = view.state.status();
    match event {
        Event::Begun => Some(Fact::Sent),
        Event::Abandon => (before != Some(status)).then_some(Fact::GivenUp),
        Event::PutAside => Some(Fact::PutAside),
        Event::AskNow => None,
        Event::Restarted { .. } => Some(Fact::Restarted),
        Event::Tick if before == Some(status) => None,
        Event::Tick => match status {
            Status::Reversing => Some(Fact::TimeUp),
            Status::Attention => Some(Fact::NoEnd),
            Status::Created
            | Status::Sent
            | Status::Waiting
            | Status::Checking
            | Status::Paid
            | Status::Declined
            | Status::Reversed => None,
        },
        Event::Answered(call, answer) => Some(match answer {
            Answer::Paid(_) if status == Status::Paid => Fact::Paid,
            Answer::Paid(_) => Fact::MoneyGoesBack,
            Answer::Paying => Fact::AtPassword,
            Answer::NotPaid => Fact::NotPaidYet,
            Answer::Absent => Fact::NotKnownYet,
            Answer::Failed(reason) => Fact::Failed(reason.clone()),
            Answer::Ended(ending) => Fact::Ended(*ending),
            Answer::Withdrawn => Fact::WithdrawalTaken,
            Answer::NotYet(reason) => Fact::WithdrawalRepeats(reason.clone()),
            Answer::Irreversible(reason) | Answer::Expired(reason) => {
                Fact::WithdrawalRefused(reason.clone())
            }
            Answer::NotSent(reason) if call.kind == CallKind::Submit => {
                Fact::NeverSent(reason.clone())
            }
            Answer::Declined(reason) | Answer::Doubtful(reason) | Answer::Refused(reason) => {
                Fact::Refused(reason.clone())
            }
            Answer::NotSent(reason) | Answer::Unknown(reason) => Fact::Unclear(reason.clone()),
        }),
    }
}
