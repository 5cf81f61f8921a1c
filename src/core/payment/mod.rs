//! One payment by payment code, from the submission to its end, as a pure state machine.
//!
//! [`State::step`] is the only way a payment changes. It reads no clock and does no I/O: the screen,
//! `paytill pay`, recovery and the simulations all drive this same code. Its time line counts from
//! the submission, so a stored state means the same after a restart or a changed clock.
//!
//! Two rules carry the rest. Silence proves nothing: what is unclear is asked about, then undone.
//! And a query is no fence: only a reversal stops money that may still be on its way.

mod step;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::clock::{Millis, Timestamp};
use step::Step;

/// The reason of a payment whose money was taken and went back.
pub const LAST_MOMENT: &str = "paid_at_last_moment";

/// The times a payment keeps to, counted from its submission.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rules {
    /// Between two queries.
    pub query_interval: Millis,
    /// When the customer has had time enough.
    pub give_up_after: Millis,
    /// A reversal sooner than this may miss a payment the gateway is still settling.
    pub reverse_not_before: Millis,
    /// So long after giving up without an end, a person must look.
    pub attention_after: Millis,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            query_interval: Millis::seconds(5),
            give_up_after: Millis::seconds(30),
            reverse_not_before: Millis::seconds(15),
            attention_after: Millis::seconds(180),
        }
    }
}

/// What people and scripts are told of a payment.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// In the journal; nothing was sent.
    Created,
    /// The request is out; no answer yet.
    Sent,
    /// The gateway waits for the customer's password.
    Waiting,
    /// The answer was lost or unclear; the till asks.
    Checking,
    /// The till withdraws the payment.
    Reversing,
    /// Proven by a verified answer that matches.
    Paid,
    /// Nothing was charged, for certain.
    Declined,
    /// Withdrawn, and confirmed by a query.
    Reversed,
    /// Still unknown after all automatic steps; a person must look. The till goes on.
    Attention,
}

impl Status {
    /// All of them, in the order a payment may pass them.
    pub const ALL: [Self; 9] = [
        Self::Created,
        Self::Sent,
        Self::Waiting,
        Self::Checking,
        Self::Reversing,
        Self::Paid,
        Self::Declined,
        Self::Reversed,
        Self::Attention,
    ];

    /// The word in `--json`, on the command line and in the journal.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Sent => "sent",
            Self::Waiting => "waiting",
            Self::Checking => "checking",
            Self::Reversing => "reversing",
            Self::Paid => "paid",
            Self::Declined => "declined",
            Self::Reversed => "reversed",
            Self::Attention => "attention",
        }
    }

    /// The status of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Whether the cashier need not wait any longer.
    pub const fn is_final_for_cashier(self) -> bool {
        matches!(self, Self::Paid | Self::Declined | Self::Reversed | Self::Attention)
    }
}

/// Why a payment is where it is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Reason {
    /// The gateway's own code, or a stable word of ours in lower case.
    pub code: String,
    /// The gateway's words, cleaned; empty where there are none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

impl Reason {
    /// A reason without words of the gateway.
    pub fn new(code: &str) -> Self {
        Self { code: code.to_owned(), text: String::new() }
    }
}

/// A verified payment that matches in merchant, number, amount and currency.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Proof {
    /// The gateway's number of it.
    pub transaction_id: String,
    /// When the gateway says it was paid.
    pub paid_at: Timestamp,
    /// What coupons paid, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<i64>,
}

/// How an order came to its end at the gateway.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Ending {
    /// `CLOSED`
    Closed,
    /// `REVOKED`; whether money had moved is not said.
    Revoked,
    /// `REFUND`: money had been taken and goes back.
    Refunded,
}

impl Ending {
    /// The gateway's word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Closed => "CLOSED",
            Self::Revoked => "REVOKED",
            Self::Refunded => "REFUND",
        }
    }
}

/// What a reply says of the money. Everything in it was verified, but where it says otherwise.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Answer {
    /// Taken, and it is ours.
    Paid(Proof),
    /// The customer is at it: `USERPAYING`.
    Paying,
    /// The order stands open and nobody has paid: `NOTPAY`.
    NotPaid,
    /// Ended on the customer's side, but open at the gateway: `PAYERROR`. It must be reversed.
    Failed(Reason),
    /// The order can take no money any more.
    Ended(Ending),
    /// The gateway does not know the number: `ORDERNOTEXIST`.
    Absent,
    /// This submission took no money.
    Declined(Reason),
    /// A refusal that may stem from an earlier delivery of the same number: ask first.
    Doubtful(Reason),
    /// `return_code=FAIL`. It carries no signature, so it proves nothing.
    Refused(Reason),
    /// A reversal was accepted: `SUCCESS` and `recall=N`.
    Withdrawn,
    /// A reversal must be repeated: `recall=Y`, `SYSTEMERROR`, `USERPAYING`.
    NotYet(Reason),
    /// A reversal was refused for a cause that repeating does not cure.
    Irreversible(Reason),
    /// A reversal was refused for age: `REVERSE_EXPIRE`.
    Expired(Reason),
    /// The request provably never left this machine.
    NotSent(Reason),
    /// Nothing can be concluded: a timeout, a bad signature, an unknown word.
    Unknown(Reason),
}

/// The three calls.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CallKind {
    /// micropay
    Submit,
    /// orderquery
    Query,
    /// reverse
    Reverse,
}

impl CallKind {
    /// The protocol's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Submit => "micropay",
            Self::Query => "orderquery",
            Self::Reverse => "reverse",
        }
    }
}

/// A call to make. Its number tells its answer from a late one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Call {
    pub kind: CallKind,
    pub number: u32,
}

/// What can happen to a payment.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Event {
    /// It was written down and its request handed out. The first event of every payment.
    Begun,
    /// A call came to its end. Every call that is made has exactly one, or the process ends.
    Answered(Call, Answer),
    /// [`State::wake_at`] was reached. Early and repeated ticks do nothing.
    Tick,
    /// The cashier gave up waiting.
    Abandon,
    /// The cashier charges this sale anew and leaves this payment behind: should it be paid after
    /// all, the money goes back.
    PutAside,
    /// A person wants the gateway asked now.
    AskNow,
    /// The till started again. `oldest` is the age the payment has by any clock; the time line
    /// itself goes on from what is certain.
    Restarted { oldest: Millis },
}

/// Where a payment stands. Times in it count from the submission.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct State {
    /// Calls made so far.
    calls: u32,
    /// Lengthens repeated waits, so that tills do not ask in step: 0 to 255 of 1024.
    spread: u8,
    stage: Stage,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Stage {
    /// The money may have moved, and a payment is what everybody hopes for.
    Pending(Pending),
    /// It is being undone, or a number that took nothing is being closed.
    Undoing(Undoing),
    Paid(Proof),
    /// Over, without the money.
    Closed(Closed),
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Pending {
    phase: Phase,
    ask_at: Millis,
    #[serde(default)]
    asked_at: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    awaiting: Option<u32>,
    /// The submission was refused in a way that one query can settle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doubt: Option<Doubt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Phase {
    Sent,
    Waiting,
    Checking,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Doubt {
    /// A signed refusal that may be the echo of an earlier delivery.
    QueryFirst,
    /// An unsigned refusal: likely our set-up, but anybody could have said it.
    Unsigned,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, in any combination")]
struct Undoing {
    told: Told,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// When it was decided.
    since: Millis,
    /// The next look at the order, while no answer is awaited.
    next_at: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    awaiting: Option<Call>,
    /// The last look that was made.
    looked_at: Millis,
    /// What stands in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trouble: Option<Reason>,
    /// The cashier charges this sale anew.
    put_aside: bool,
    /// A payment found now still counts. Never again once a reversal is on the wire.
    payable: bool,
    /// When the gateway accepted a reversal, where nothing since contradicts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted_at: Option<Millis>,
    /// Since when it answers "no such order" after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    absent_since: Option<Millis>,
    /// Reversals that did not help.
    tries: u32,
    /// The last reversal was refused for a cause that repeating does not cure.
    refused: bool,
    /// The gateway reverses nothing so old.
    expired: bool,
    /// The money is known to have been taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<Proof>,
}

/// What the cashier has been told while it is undone.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Told {
    Reversing,
    Declined,
    Attention,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Closed {
    /// [`Status::Declined`] or [`Status::Reversed`].
    status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// The gateway never knew the number: looked at again later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    watch: Option<Watch>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Watch {
    at: Millis,
    /// The look after this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    then: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    awaiting: Option<u32>,
}

/// What a person can be told of the time ahead.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Outlook {
    /// The next query.
    pub asks_at: Option<Millis>,
    /// The end of waiting.
    pub gives_up_at: Option<Millis>,
    /// The first reversal, while it is held back.
    pub reverses_at: Option<Millis>,
}

impl State {
    /// A payment's first state, and its only submission. `spread` is any number.
    pub fn begin(rules: &Rules, spread: u8) -> (Self, Call) {
        let stage = Stage::Pending(Pending {
            phase: Phase::Sent,
            ask_at: rules.query_interval,
            asked_at: Millis(0),
            awaiting: None,
            doubt: None,
            reason: None,
        });
        (Self { calls: 1, spread, stage }, Call { kind: CallKind::Submit, number: 0 })
    }

    /// The next state, and the call to make once that state is on disk. `now` counts from the
    /// submission.
    #[must_use]
    pub fn step(&self, event: &Event, now: Millis, rules: &Rules) -> (Self, Option<Call>) {
        let mut step = Step::new(self.calls, self.spread, now, rules);
        let stage = match &self.stage {
            Stage::Pending(pending) => step.pending(pending.clone(), event),
            Stage::Undoing(undoing) => step.undoing(undoing.clone(), event),
            Stage::Paid(proof) => Stage::Paid(proof.clone()),
            Stage::Closed(closed) => step.closed(closed.clone(), event),
        };
        let (calls, call) = step.end();
        (Self { calls, spread: self.spread, stage }, call)
    }

    /// What people are told.
    pub fn status(&self) -> Status {
        match &self.stage {
            Stage::Pending(pending) => match pending.phase {
                Phase::Sent => Status::Sent,
                Phase::Waiting => Status::Waiting,
                Phase::Checking => Status::Checking,
            },
            Stage::Undoing(undoing) => match undoing.told {
                Told::Reversing => Status::Reversing,
                Told::Declined => Status::Declined,
                Told::Attention => Status::Attention,
            },
            Stage::Paid(_) => Status::Paid,
            Stage::Closed(closed) => closed.status,
        }
    }

    /// Why.
    pub fn reason(&self) -> Option<&Reason> {
        match &self.stage {
            Stage::Pending(pending) => pending.reason.as_ref(),
            Stage::Undoing(undoing) => undoing.trouble.as_ref().or(undoing.reason.as_ref()),
            Stage::Paid(_) => None,
            Stage::Closed(closed) => closed.reason.as_ref(),
        }
    }

    /// The payment, if it is one.
    pub fn proof(&self) -> Option<&Proof> {
        match &self.stage {
            Stage::Paid(proof) => Some(proof),
            Stage::Pending(_) | Stage::Undoing(_) | Stage::Closed(_) => None,
        }
    }

    /// The query or reversal whose answer is awaited.
    pub fn awaited(&self) -> Option<Call> {
        let query =
            |number: Option<u32>| number.map(|number| Call { kind: CallKind::Query, number });
        match &self.stage {
            Stage::Pending(pending) => query(pending.awaiting),
            Stage::Undoing(undoing) => undoing.awaiting,
            Stage::Paid(_) => None,
            Stage::Closed(closed) => query(closed.watch.as_ref().and_then(|watch| watch.awaiting)),
        }
    }

    /// Whether the till still has work to do on it. Later looks at a number that the gateway never
    /// knew do not count: nothing is expected of them.
    pub fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Pending(_) | Stage::Undoing(_))
    }

    /// Whether such later looks are still to come.
    pub fn is_watched(&self) -> bool {
        matches!(&self.stage, Stage::Closed(closed) if closed.watch.is_some())
    }

    /// Whether a failure that was told is just being confirmed by a query.
    pub fn is_being_confirmed(&self) -> bool {
        matches!(&self.stage, Stage::Undoing(undoing) if undoing.told == Told::Declined
            && undoing.awaiting.is_some_and(|call| call.kind == CallKind::Query))
    }

    /// Whether its outcome is known for certain.
    pub fn is_settled(&self) -> bool {
        matches!(self.status(), Status::Paid | Status::Declined | Status::Reversed)
    }

    /// Whether the cashier has left it behind: whatever it takes goes back.
    pub fn is_put_aside(&self) -> bool {
        matches!(&self.stage, Stage::Undoing(undoing) if undoing.put_aside)
    }

    /// Whether the gateway has said that it will not reverse it.
    pub fn is_irreversible(&self) -> bool {
        matches!(&self.stage, Stage::Undoing(undoing) if undoing.told == Told::Attention
            && undoing.refused)
    }

    /// Whether the customer is known to have paid, and the money is not known to have gone back.
    pub fn money_held(&self) -> bool {
        matches!(&self.stage, Stage::Undoing(undoing) if undoing.held.is_some())
    }

    /// Whether the money was taken and went back, or is on its way back.
    pub fn money_returned(&self) -> bool {
        match &self.stage {
            Stage::Undoing(undoing) => undoing.held.is_some(),
            Stage::Closed(closed) => {
                closed.reason.as_ref().is_some_and(|reason| reason.code == LAST_MOMENT)
            }
            Stage::Pending(_) | Stage::Paid(_) => false,
        }
    }

    /// When this payment next wants a [`Event::Tick`].
    pub fn wake_at(&self, rules: &Rules) -> Option<Millis> {
        match &self.stage {
            Stage::Pending(pending) => Some(pending.ask_at.min(rules.give_up_after)),
            Stage::Undoing(undoing) => {
                let look = Some(undoing.next_at).filter(|_| undoing.awaiting.is_none());
                let attention = Some(undoing.since.plus(rules.attention_after))
                    .filter(|_| undoing.told == Told::Reversing);
                look.into_iter().chain(attention).min()
            }
            Stage::Paid(_) => None,
            Stage::Closed(closed) => {
                closed.watch.as_ref().filter(|watch| watch.awaiting.is_none()).map(|watch| watch.at)
            }
        }
    }

    /// What lies ahead, for the countdowns.
    pub fn outlook(&self, rules: &Rules) -> Outlook {
        match &self.stage {
            Stage::Pending(pending) => Outlook {
                asks_at: Some(pending.ask_at.min(rules.give_up_after)),
                gives_up_at: Some(rules.give_up_after),
                reverses_at: None,
            },
            Stage::Undoing(undoing) => Outlook {
                asks_at: Some(undoing.next_at).filter(|_| undoing.awaiting.is_none()),
                gives_up_at: None,
                reverses_at: Some(rules.reverse_not_before)
                    .filter(|_| undoing.told == Told::Reversing && undoing.tries == 0)
                    .filter(|_| !self.is_reversal_under_way()),
            },
            Stage::Paid(_) | Stage::Closed(_) => Outlook::default(),
        }
    }

    fn is_reversal_under_way(&self) -> bool {
        let Stage::Undoing(undoing) = &self.stage else { return false };
        undoing.accepted_at.is_some()
            || undoing.awaiting.is_some_and(|call| call.kind == CallKind::Reverse)
    }
}
