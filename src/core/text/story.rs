//! The story of one order: what happened and when, kept as facts so that it can be told in any
//! language, on a till's screen and on its owner's page.

mod words;

pub use words::{StoryWords, sentence};

use crate::clock::Timestamp;
use crate::engine::{ActKind, By};
use crate::payment::{
    Answer, CloseSaid, Ending, Event, Found, Inconclusive, Ordered, Reason, Refunds, Reversed,
    State, Status, Submitted, TillCause,
};
use crate::refund::RefundStatus;

/// How many lines are kept for one order; a long reversal repeats itself.
const LINES_MAX: usize = 24;

/// What happened to an order, oldest first.
#[derive(Debug, Default)]
pub struct Story {
    lines: Vec<StoryLine>,
}

/// One fact, or several of the same in a row.
#[derive(Debug)]
pub struct StoryLine {
    /// The last time.
    pub at: Timestamp,
    pub fact: Fact,
    /// How many times in a row.
    pub times: u32,
    /// Whose doing it was.
    pub by: Option<By>,
}

/// How an order is paid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Means {
    /// The shop scans the customer's code.
    TheirCode,
    /// The customer scans the shop's.
    OurCode,
    Cash,
}

impl Means {
    /// Of a payment in this state.
    pub fn of(state: &State) -> Self {
        if state.cash().is_some() {
            Self::Cash
        } else if state.qr().is_some() {
            Self::OurCode
        } else {
            Self::TheirCode
        }
    }
}

/// An event, and what it led to.
#[derive(Clone, Copy, Debug)]
pub struct Happened<'a> {
    pub event: &'a Event,
    /// The status before, unless it is the first event.
    pub before: Option<Status>,
    pub status: Status,
    pub means: Means,
    pub at: Timestamp,
    pub by: Option<&'a By>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    Sent,
    Paying,
    /// The gateway gave a reason of its own.
    Asked(Reason),
    NotPaidYet,
    NotFoundYet,
    Unclear(Reason),
    Refused(Reason),
    NeverSent(Reason),
    Failed(Reason),
    Paid,
    /// Paid too late: the money is being returned.
    PaidLate,
    Cancelled,
    TimeUp,
    Restarted,
    ReversalAccepted,
    /// A code was ordered.
    CodeOrdered,
    /// The customer can scan the code.
    CodeReady,
    /// Nobody paid in time: the order is being closed.
    CodeExpired,
    /// The gateway takes the closing of an order.
    ClosingAccepted,
    /// An order was not closed: it is tried again.
    ClosingFailed(Reason),
    ReversalRepeats(Reason),
    ReversalRefused(Reason),
    Ended(Ending),
    /// All of the money was returned, or is on its way.
    Returned,
    /// Somebody returned a part of it.
    PartlyReturned(Reason),
    NotReturned,
    NoEnd,
    /// The customer paid in cash.
    Cash,
    /// The rest was not paid, and the cash went back.
    CashReturned,
    /// Its slip was printed again, as this copy.
    Reprinted(u32),
    /// Where a refund of it is, by the refund's number in the journal.
    Refund(i64, RefundStatus),
}

impl Story {
    /// Adds what the event did, if it is worth a line.
    pub fn add(&mut self, happened: Happened<'_>) {
        // Its number is only being closed: what is told of that would sound like another end.
        let is_housekeeping =
            [happened.before, Some(happened.status)] == [Some(Status::Declined); 2];
        let Some(fact) = fact(happened).filter(|_| !is_housekeeping) else { return };
        if matches!(fact, Fact::NeverSent(_)) {
            self.lines.retain(|line| !matches!(line.fact, Fact::Sent | Fact::CodeOrdered));
        }
        self.tell(fact, happened.at, happened.by);
    }

    /// Adds what somebody did with the order.
    pub fn add_act(&mut self, act: &ActKind, at: Timestamp, by: Option<&By>) {
        match act {
            ActKind::Reprint { copy } => self.tell(Fact::Reprinted(*copy), at, by),
            ActKind::CashReturned { .. } => self.tell(Fact::CashReturned, at, by),
            // They concern no order.
            ActKind::Drawer
            | ActKind::CashIn { .. }
            | ActKind::CashOut { .. }
            | ActKind::ShiftOpened { .. }
            | ActKind::ShiftClosed(_) => {}
        }
    }

    /// Adds where a refund of the order came to, by its number in the journal, if it was elsewhere
    /// before.
    pub fn add_refund(
        &mut self,
        (refund, status): (i64, RefundStatus),
        at: Timestamp,
        by: Option<&By>,
    ) {
        let fact = Fact::Refund(refund, status);
        let is_its = |fact: &Fact| matches!(fact, Fact::Refund(id, _) if *id == refund);
        let last = self.lines.iter().rev().map(|line| &line.fact).find(|fact| is_its(fact));
        if last != Some(&fact) {
            self.tell(fact, at, by);
        }
    }

    fn tell(&mut self, fact: Fact, at: Timestamp, by: Option<&By>) {
        let is_same = |line: &&mut StoryLine| line.fact == fact && line.by.as_ref() == by;
        if let Some(last) = self.lines.last_mut().filter(is_same) {
            last.at = at;
            last.times += 1;
            return;
        }
        if self.lines.len() == LINES_MAX {
            self.lines.remove(1);
        }
        self.lines.push(StoryLine { at, fact, times: 1, by: by.cloned() });
    }

    /// The oldest first.
    pub fn lines(&self) -> &[StoryLine] {
        &self.lines
    }
}

fn fact(happened: Happened<'_>) -> Option<Fact> {
    let Happened { event, before, status, means, .. } = happened;
    match event {
        Event::Begun => Some(match means {
            Means::Cash => Fact::Cash,
            Means::OurCode => Fact::CodeOrdered,
            Means::TheirCode => Fact::Sent,
        }),
        Event::Cancel => (before != Some(status)).then_some(Fact::Cancelled),
        Event::CheckNow | Event::MerchantChanged | Event::Settled(_) | Event::Billed { .. } => None,
        Event::Restarted { .. } => Some(Fact::Restarted),
        Event::Tick if before == Some(status) => None,
        Event::Tick => match status {
            Status::Reversing if means == Means::OurCode => Some(Fact::CodeExpired),
            Status::Reversing => Some(Fact::TimeUp),
            Status::Attention => Some(Fact::NoEnd),
            Status::Created
            | Status::Sent
            | Status::Waiting
            | Status::Checking
            | Status::Paid
            | Status::Declined
            | Status::Reversed
            | Status::Closed => None,
        },
        Event::Answered(_, answer) => Some(answered(answer, status)),
    }
}

fn answered(answer: &Answer, status: Status) -> Fact {
    if answer.proof().is_some() {
        return if status == Status::Paid { Fact::Paid } else { Fact::PaidLate };
    }
    match answer {
        Answer::Submitted(Submitted::Paid(_)) | Answer::Found(Found::Paid(_)) => Fact::Paid,
        Answer::Submitted(Submitted::Paying) | Answer::Found(Found::Paying) => Fact::Paying,
        Answer::Submitted(Submitted::Asked(reason)) => Fact::Asked(reason.clone()),
        Answer::Submitted(Submitted::Declined(reason) | Submitted::Ambiguous(reason)) => {
            Fact::Refused(reason.clone())
        }
        Answer::Submitted(Submitted::Inconclusive(Inconclusive::NotSent(reason)))
        | Answer::Ordered(Ordered::Inconclusive(Inconclusive::NotSent(reason))) => {
            Fact::NeverSent(reason.clone())
        }
        Answer::Found(Found::NotPaid) => Fact::NotPaidYet,
        Answer::Found(Found::NotFound) => Fact::NotFoundYet,
        Answer::Found(
            Found::Failed(reason) | Found::Declined { reason, .. } | Found::AnotherTills(reason),
        ) => Fact::Failed(reason.clone()),
        Answer::Found(Found::Returning) => Fact::PaidLate,
        Answer::Found(Found::Ended(Ending::Refunded)) if status == Status::Reversed => {
            Fact::Returned
        }
        Answer::Found(Found::Ended(ending)) => Fact::Ended(*ending),
        Answer::Reversed(Reversed::Accepted) => Fact::ReversalAccepted,
        Answer::Reversed(Reversed::Repeat(reason)) => Fact::ReversalRepeats(reason.clone()),
        Answer::Reversed(Reversed::Refused(reason) | Reversed::Expired(reason)) => {
            Fact::ReversalRefused(reason.clone())
        }
        // What was said belongs to the call it came from.
        Answer::Reversed(Reversed::Inconclusive(Inconclusive::Unsigned(reason))) => {
            Fact::ReversalRefused(reason.clone())
        }
        Answer::Submitted(Submitted::Inconclusive(Inconclusive::Unsigned(reason))) => {
            Fact::Refused(reason.clone())
        }
        Answer::Submitted(Submitted::Inconclusive(what))
        | Answer::Found(Found::Inconclusive(what))
        | Answer::Reversed(Reversed::Inconclusive(what))
        | Answer::Refunds(Refunds::Inconclusive(what))
        | Answer::Ordered(Ordered::Inconclusive(what)) => Fact::Unclear(what.reason().clone()),
        Answer::Ordered(Ordered::Code(_)) => Fact::CodeReady,
        Answer::Ordered(Ordered::Refused(reason) | Ordered::Ambiguous(reason)) => {
            Fact::Refused(reason.clone())
        }
        Answer::Closed(CloseSaid::Accepted) => Fact::ClosingAccepted,
        Answer::Closed(
            CloseSaid::Paid(reason) | CloseSaid::Repeat(reason) | CloseSaid::Refused(reason),
        ) => Fact::ClosingFailed(reason.clone()),
        Answer::Closed(CloseSaid::Inconclusive(what)) => Fact::ClosingFailed(what.reason().clone()),
        Answer::Refunds(Refunds::Whole) => Fact::Returned,
        Answer::Refunds(Refunds::Part(reason)) => Fact::PartlyReturned(reason.clone()),
        Answer::Refunds(Refunds::Untold) => Fact::PartlyReturned(TillCause::RefundUntold.into()),
        Answer::Refunds(Refunds::None) => Fact::NotReturned,
    }
}
