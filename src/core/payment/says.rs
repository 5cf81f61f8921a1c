//! For tests: what a gateway says, whichever call it answers.

use crate::order::CodeUrl;
use crate::payment::{
    Answer, Call, CallKind, Cause, CloseSaid, Ending, Event, Found, Inconclusive, Ordered, Proof,
    Reason, Refunds, Reversed, Submitted, TillCause,
};

/// An answer in short form. One that makes no sense for a call is unknown there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Says {
    Paid(Proof),
    Paying,
    Asked(Reason),
    NotPaid,
    Failed(Reason),
    /// Of a query.
    TookNothing {
        reason: Reason,
        closed: bool,
    },
    Returning,
    Ended(Ending),
    NotFound,
    AnotherTills(Reason),
    Declined(Reason),
    Ambiguous(Reason),
    Unsigned(Reason),
    Accepted,
    Repeat(Reason),
    ReversalRefused(Reason),
    Expired(Reason),
    Refunds(Refunds),
    Code(CodeUrl),
    AlreadyPaid(Reason),
    NotSent(Reason),
    Unknown(Reason),
}

impl Says {
    /// As the answer to a kind of call.
    pub(crate) fn to(self, kind: CallKind) -> Answer {
        use CallKind::{Close, Order, Query, RefundQuery, Reverse, Submit};
        match (self, kind) {
            (Self::Paid(proof), Submit) => Answer::Submitted(Submitted::Paid(proof)),
            (Self::Paying, Submit) => Answer::Submitted(Submitted::Paying),
            (Self::Asked(why), Submit) => Answer::Submitted(Submitted::Asked(why)),
            (Self::Declined(why), Submit) => Answer::Submitted(Submitted::Declined(why)),
            (Self::Ambiguous(why), Submit) => Answer::Submitted(Submitted::Ambiguous(why)),
            (Self::Paid(proof), Query) => Answer::Found(Found::Paid(proof)),
            (Self::Paying, Query) => Answer::Found(Found::Paying),
            (Self::NotPaid, Query) => Answer::Found(Found::NotPaid),
            (Self::Failed(why), Query) => Answer::Found(Found::Failed(why)),
            (Self::TookNothing { reason, closed }, Query) => {
                Answer::Found(Found::Declined { reason, closed })
            }
            (Self::Returning, Query) => Answer::Found(Found::Returning),
            (Self::Ended(ending), Query) => Answer::Found(Found::Ended(ending)),
            (Self::NotFound, Query) => Answer::Found(Found::NotFound),
            (Self::AnotherTills(why), Query) => Answer::Found(Found::AnotherTills(why)),
            (Self::Accepted, Reverse) => Answer::Reversed(Reversed::Accepted),
            (Self::Repeat(why), Reverse) => Answer::Reversed(Reversed::Repeat(why)),
            (Self::ReversalRefused(why), Reverse) => Answer::Reversed(Reversed::Refused(why)),
            (Self::Expired(why), Reverse) => Answer::Reversed(Reversed::Expired(why)),
            (Self::Code(code), Order) => Answer::Ordered(Ordered::Code(code)),
            (Self::Declined(why), Order) => Answer::Ordered(Ordered::Refused(why)),
            (Self::Ambiguous(why), Order) => Answer::Ordered(Ordered::Ambiguous(why)),
            (Self::Accepted, Close) => Answer::Closed(CloseSaid::Accepted),
            (Self::AlreadyPaid(why), Close) => Answer::Closed(CloseSaid::Paid(why)),
            (Self::Repeat(why), Close) => Answer::Closed(CloseSaid::Repeat(why)),
            (Self::ReversalRefused(why), Close) => Answer::Closed(CloseSaid::Refused(why)),
            (Self::Refunds(refunds), RefundQuery) => Answer::Refunds(refunds),
            (Self::Unsigned(why), kind) => Answer::inconclusive(kind, Inconclusive::Unsigned(why)),
            (Self::NotSent(why), kind) => Answer::inconclusive(kind, Inconclusive::NotSent(why)),
            (Self::Unknown(why), kind) => Answer::inconclusive(kind, Inconclusive::Unknown(why)),
            (_, kind) => {
                Answer::inconclusive(kind, Inconclusive::Unknown(TillCause::BadAnswer.into()))
            }
        }
    }

    /// As the outcome of a call.
    pub(crate) fn in_answer_to(self, call: Call) -> Event {
        Event::Answered(call.number, self.to(call.kind))
    }
}

impl From<Answer> for Says {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Submitted(Submitted::Paid(proof)) | Answer::Found(Found::Paid(proof)) => {
                Self::Paid(proof)
            }
            Answer::Submitted(Submitted::Paying) | Answer::Found(Found::Paying) => Self::Paying,
            Answer::Submitted(Submitted::Asked(why)) => Self::Asked(why),
            Answer::Submitted(Submitted::Declined(why)) => Self::Declined(why),
            Answer::Submitted(Submitted::Ambiguous(why)) => Self::Ambiguous(why),
            Answer::Found(Found::NotPaid) => Self::NotPaid,
            Answer::Found(Found::Failed(why)) => Self::Failed(why),
            Answer::Found(Found::Declined { reason, closed }) => {
                Self::TookNothing { reason, closed }
            }
            Answer::Found(Found::Returning) => Self::Returning,
            Answer::Found(Found::Ended(ending)) => Self::Ended(ending),
            Answer::Found(Found::NotFound) => Self::NotFound,
            Answer::Reversed(Reversed::Accepted) | Answer::Closed(CloseSaid::Accepted) => {
                Self::Accepted
            }
            Answer::Ordered(Ordered::Code(code)) => Self::Code(code),
            Answer::Ordered(Ordered::Refused(why)) => Self::Declined(why),
            Answer::Ordered(Ordered::Ambiguous(why)) => Self::Ambiguous(why),
            Answer::Closed(CloseSaid::Paid(why)) => Self::AlreadyPaid(why),
            Answer::Closed(CloseSaid::Repeat(why)) => Self::Repeat(why),
            Answer::Closed(CloseSaid::Refused(why)) => Self::ReversalRefused(why),
            Answer::Reversed(Reversed::Repeat(why)) => Self::Repeat(why),
            Answer::Reversed(Reversed::Refused(why)) => Self::ReversalRefused(why),
            Answer::Reversed(Reversed::Expired(why)) => Self::Expired(why),
            Answer::Found(Found::AnotherTills(why)) => Self::AnotherTills(why),
            Answer::Refunds(
                refunds @ (Refunds::Whole | Refunds::Part(_) | Refunds::None | Refunds::Untold),
            ) => Self::Refunds(refunds),
            Answer::Submitted(Submitted::Inconclusive(what))
            | Answer::Found(Found::Inconclusive(what))
            | Answer::Reversed(Reversed::Inconclusive(what))
            | Answer::Refunds(Refunds::Inconclusive(what))
            | Answer::Ordered(Ordered::Inconclusive(what))
            | Answer::Closed(CloseSaid::Inconclusive(what)) => match what {
                Inconclusive::NotSent(why) => Self::NotSent(why),
                Inconclusive::Unsigned(why) => Self::Unsigned(why),
                Inconclusive::Unknown(why) => Self::Unknown(why),
            },
        }
    }
}

/// A reason by its code, without text.
pub(crate) fn reason(code: &str) -> Reason {
    let cause = TillCause::ALL.into_iter().find(|cause| cause.word() == code);
    Reason {
        cause: cause.map_or_else(|| Cause::Gateway(code.to_owned()), Cause::Till),
        text: String::new(),
    }
}
