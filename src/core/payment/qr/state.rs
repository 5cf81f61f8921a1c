//! The state of a QR order, and what can be asked of it.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::order::CodeUrl;
use crate::payment::recheck::Recheck;
use crate::payment::reversal::Reversal;
use crate::payment::{Call, CallKind, Funds, Outlook, Proof, Reason, Rules, Status};

/// The state of a QR order. Times in it count from its beginning.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct QrState {
    /// Calls made so far.
    pub(super) calls: u32,
    /// Lengthens repeated waits, so that tills do not poll in step: 0 to 255 of 1024.
    pub(super) jitter: u8,
    /// A verified answer has shown that the order of this number is ours, or that there is none: only
    /// then is it closed.
    pub(super) is_ours: bool,
    /// How long its code may be shown.
    pub(super) lasts: Millis,
    pub(super) stage: Stage,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Stage {
    /// No code has come yet.
    Ordering(Ordering),
    /// The customer may pay.
    Waiting(Waiting),
    /// It is being closed.
    Closing(Closing),
    Paid {
        proof: Proof,
        /// It was given up before, and why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        late: Option<Reason>,
    },
    /// Over, without the money.
    Ended(Ended),
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Ordering {
    /// Unified orders sent so far.
    pub(super) tries: u8,
    /// The next one, while no answer is awaited.
    pub(super) next_at: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) awaiting: Option<u32>,
    /// One may have arrived although its answer does not say so.
    pub(super) may_exist: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Waiting {
    pub(super) code_url: CodeUrl,
    /// Nothing was heard of it since a restart.
    #[serde(default)]
    pub(super) is_checking: bool,
    /// The next query, while no answer is awaited.
    pub(super) poll_at: Millis,
    pub(super) polled_at: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) awaiting: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Closing {
    pub(super) shown: Shown,
    /// Why it is closed.
    pub(super) reason: Reason,
    /// What has kept it from being closed so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) obstacle: Option<Reason>,
    /// When closing was decided.
    pub(super) since: Millis,
    /// Whether its code came, and may have been shown.
    pub(super) had_code: bool,
    /// Whether a unified order may still arrive: no answer to it was verified.
    pub(super) may_arrive: bool,
    /// The last closing was refused for a reason that repeating does not fix.
    pub(super) refused: bool,
    /// It failed because the order is paid, and no query has shown that yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) said_paid: bool,
    /// It was paid, and somebody else is returning the money or a part of it.
    pub(super) is_refunded: bool,
    pub(super) reversal: Reversal,
}

/// What the cashier sees while it is being closed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Shown {
    Closing,
    /// No code ever came: nobody can have paid.
    Declined,
    Attention,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) reason: Reason,
    /// An order that may still arrive is looked for later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) recheck: Option<Recheck>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Outcome {
    /// No code ever came.
    Declined,
    /// By the gateway's word it can no longer be paid.
    Closed,
    /// It was paid, and somebody has returned all of the money.
    Returned,
    /// Unknown to the till: a person has settled it.
    Settled,
}

impl QrState {
    /// The first call of every QR order.
    pub const FIRST: Call = Call { kind: CallKind::Order, number: 0 };

    /// The first state of an order whose code may be shown for so long. `jitter` is random.
    pub const fn begin(lasts: Millis, jitter: u8) -> Self {
        let stage = Stage::Ordering(Ordering {
            tries: 1,
            next_at: Millis(0),
            awaiting: Some(Self::FIRST.number),
            may_exist: false,
            reason: None,
        });
        Self { calls: 1, jitter, is_ours: false, lasts, stage }
    }

    /// What people are shown.
    pub const fn status(&self) -> Status {
        match &self.stage {
            Stage::Ordering(Ordering { tries: 1, reason: None, .. }) => Status::Sent,
            Stage::Waiting(Waiting { is_checking: false, .. }) => Status::Waiting,
            Stage::Ordering(_) | Stage::Waiting(_) => Status::Checking,
            Stage::Closing(closing) => match closing.shown {
                Shown::Closing => Status::Reversing,
                Shown::Declined => Status::Declined,
                Shown::Attention => Status::Attention,
            },
            Stage::Paid { .. } => Status::Paid,
            Stage::Ended(ended) => match ended.outcome {
                Outcome::Declined => Status::Declined,
                Outcome::Closed => Status::Closed,
                Outcome::Returned => Status::Reversed,
                Outcome::Settled => Status::Attention,
            },
        }
    }

    /// Where the customer's money is, as far as known.
    pub const fn money(&self) -> Funds {
        match &self.stage {
            Stage::Ordering(_) | Stage::Waiting(_) => Funds::Unknown,
            Stage::Closing(Closing { is_refunded: true, .. }) => Funds::Held,
            Stage::Closing(Closing { shown: Shown::Declined, .. }) => Funds::NotMoved,
            Stage::Closing(_) => Funds::Unknown,
            Stage::Paid { .. } => Funds::Taken,
            Stage::Ended(ended) => match ended.outcome {
                Outcome::Declined | Outcome::Closed => Funds::NotMoved,
                Outcome::Returned => Funds::Returned,
                Outcome::Settled => Funds::Unknown,
            },
        }
    }

    /// Why it is where it is.
    pub fn reason(&self) -> Option<&Reason> {
        match &self.stage {
            Stage::Ordering(ordering) => ordering.reason.as_ref(),
            Stage::Waiting(waiting) => waiting.reason.as_ref(),
            Stage::Closing(closing) => Some(closing.obstacle.as_ref().unwrap_or(&closing.reason)),
            Stage::Paid { late, .. } => late.as_ref(),
            Stage::Ended(ended) => Some(&ended.reason),
        }
    }

    /// What stands in the way of closing it, if anything did when it was last tried.
    pub const fn obstacle(&self) -> Option<&Reason> {
        match &self.stage {
            Stage::Closing(closing) => closing.obstacle.as_ref(),
            _ => None,
        }
    }

    /// The code that the customer may scan now.
    pub const fn code_url(&self) -> Option<&CodeUrl> {
        match &self.stage {
            Stage::Waiting(waiting) => Some(&waiting.code_url),
            _ => None,
        }
    }

    /// When its code expires, counted from its beginning.
    pub const fn expires_at(&self) -> Millis {
        self.lasts
    }

    /// The proof, if it is paid.
    pub const fn proof(&self) -> Option<&Proof> {
        match &self.stage {
            Stage::Paid { proof, .. } => Some(proof),
            _ => None,
        }
    }

    /// Whether it was paid after it had been given up: the customer may be gone.
    pub const fn is_paid_late(&self) -> bool {
        matches!(&self.stage, Stage::Paid { late: Some(_), .. })
    }

    /// The call whose answer is awaited.
    pub fn awaited(&self) -> Option<Call> {
        let call = |kind, number: Option<u32>| number.map(|number| Call { kind, number });
        match &self.stage {
            Stage::Ordering(ordering) => call(CallKind::Order, ordering.awaiting),
            Stage::Waiting(waiting) => call(CallKind::Query, waiting.awaiting),
            Stage::Closing(closing) => closing.reversal.awaiting(),
            Stage::Paid { .. } => None,
            Stage::Ended(ended) => {
                call(CallKind::Query, ended.recheck.as_ref().and_then(Recheck::awaiting))
            }
        }
    }

    /// Whether the till still has work to do on it, rechecks aside.
    pub const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Ordering(_) | Stage::Waiting(_) | Stage::Closing(_))
    }

    /// Whether rechecks are still to come.
    pub const fn is_to_be_rechecked(&self) -> bool {
        matches!(&self.stage, Stage::Ended(ended) if ended.recheck.is_some())
    }

    /// Whether a failure that was shown is still being confirmed by a query.
    pub fn is_being_confirmed(&self) -> bool {
        matches!(&self.stage, Stage::Closing(closing)
            if closing.shown == Shown::Declined && closing.reversal.is_polling())
    }

    /// Whether the gateway has said that it will not close it.
    pub fn is_closing_refused(&self) -> bool {
        matches!(&self.stage, Stage::Closing(closing)
            if closing.shown == Shown::Attention && closing.refused)
    }

    /// When it next needs an [`Event::Tick`](crate::payment::Event::Tick).
    pub fn wake_at(&self, rules: &Rules) -> Option<Millis> {
        match &self.stage {
            Stage::Ordering(ordering) => {
                let next = Some(ordering.next_at).filter(|_| ordering.awaiting.is_none());
                Some(next.unwrap_or(rules.give_up_after).min(rules.give_up_after))
            }
            Stage::Waiting(waiting) => {
                let next = Some(waiting.poll_at).filter(|_| waiting.awaiting.is_none());
                Some(next.unwrap_or(self.lasts).min(self.lasts))
            }
            Stage::Closing(closing) => {
                let attention = Some(closing.since.plus(rules.attention_after))
                    .filter(|_| closing.shown == Shown::Closing);
                closing.reversal.next_at().into_iter().chain(attention).min()
            }
            Stage::Paid { .. } => None,
            Stage::Ended(ended) => ended.recheck.as_ref().and_then(Recheck::wake_at),
        }
    }

    /// What lies ahead, for the countdowns.
    pub fn outlook(&self) -> Outlook {
        match &self.stage {
            Stage::Ordering(ordering) => Outlook {
                checks_at: Some(ordering.next_at).filter(|_| ordering.awaiting.is_none()),
                ..Outlook::default()
            },
            Stage::Waiting(waiting) => Outlook {
                checks_at: Some(waiting.poll_at).filter(|_| waiting.awaiting.is_none()),
                gives_up_at: Some(self.lasts),
                reverses_at: None,
            },
            Stage::Closing(closing) => {
                Outlook { checks_at: closing.reversal.next_at(), ..Outlook::default() }
            }
            Stage::Paid { .. } | Stage::Ended(_) => Outlook::default(),
        }
    }
}
