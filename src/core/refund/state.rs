//! The state of a refund, and what can be asked of it.

use serde::{Deserialize, Serialize};

use super::answer::{KnownRefund, RefundAnswer, RefundCall, RefundCallKind, RefundProof};
use super::number::OutRefundNo;
use crate::clock::Millis;
use crate::money::Money;
use crate::payment::{Reason, Rules, TillCause};

/// No further call.
pub(super) const NEVER: Millis = Millis(u64::MAX);

/// A refund as shown to people and scripts (interface 2).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RefundStatus {
    /// The refund is out; no answer yet.
    Sent,
    /// The till looks at what was refunded before, or an answer was lost or unclear.
    Checking,
    /// The gateway has it, and the money is on its way.
    Accepted,
    /// Proven by a query: the gateway has given the money back.
    Done,
    /// Nothing was given back, for certain.
    Refused,
    /// Closed or abnormal at the gateway: a person must look.
    Attention,
}

impl RefundStatus {
    /// All of them, in the order a refund may pass through them.
    pub const ALL: [Self; 6] =
        [Self::Checking, Self::Sent, Self::Accepted, Self::Done, Self::Refused, Self::Attention];

    /// The word in `--json` and in the journal.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Checking => "checking",
            Self::Accepted => "accepted",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Attention => "attention",
        }
    }
}

/// What can happen to a refund.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum RefundEvent {
    /// It was recorded. The first event of every refund.
    Begun,
    /// The call with this number has ended. Every call that is made ends exactly once, unless the
    /// process ends first.
    Answered(u32, RefundAnswer),
    /// [`RefundState::wake_at`] was reached. Early and repeated ticks do nothing.
    Tick,
    /// A person wants the gateway asked now.
    CheckNow,
    /// The till was started for another merchant: it cannot do anything about this refund.
    MerchantChanged,
    /// A person has settled it outside the till, and says how.
    Settled(String),
    /// The till was restarted. `oldest` is the greatest age the refund can have by any clock.
    Restarted { oldest: Millis },
}

/// What is to be given back, and what the books say of the order: all that a look is held against.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RefundPlan {
    pub amount: Money,
    /// What the order was paid with.
    pub paid: Money,
    /// The order's earlier refunds in our books.
    pub earlier: Vec<Booked>,
}

/// A refund in our books.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Booked {
    pub number: OutRefundNo,
    pub amount: Money,
    /// Whether its money was given back or may be.
    pub counts: bool,
}

/// The state of a refund. Times in it count from its beginning.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RefundState {
    /// Calls made so far.
    pub(super) calls: u32,
    /// Lengthens repeated waits, so that tills do not poll in step: 0 to 255 of 1024.
    pub(super) jitter: u8,
    /// What others have refunded of the order, as far as the look has seen.
    #[serde(default)]
    pub(super) elsewhere: Money,
    pub(super) stage: Stage,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Stage {
    /// Nothing has left that could give money back.
    Looking(Looking),
    /// The refund may be under way.
    Pursued(Pursuit),
    Done(RefundProof),
    /// Given back in cash with its first entry: nothing is sent, and nothing proves it but the entry.
    Cash,
    /// Nothing was given back, and nothing that could do so is under way.
    Refused {
        reason: Reason,
        /// How much could have been given back, where it was too much.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<Money>,
        /// Something had left: it is asked about once more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recheck: Option<Recheck>,
    },
    /// The gateway has closed it: nothing was given back.
    Closed(Reason),
    /// It needed a person, who has settled it. Whether the money went back by it is not known, so it
    /// counts.
    Settled,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Looking {
    pub(super) plan: RefundPlan,
    pub(super) next_at: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) awaiting: Option<RefundCall>,
    /// What the pages so far have listed, and how many there are to be.
    pub(super) seen: Vec<KnownRefund>,
    pub(super) total: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Pursuit {
    pub(super) shown: Shown,
    pub(super) next_at: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) awaiting: Option<RefundCall>,
    /// The last query, or the refund if there was none.
    pub(super) polled_at: Millis,
    /// When the last refund call was answered or given up.
    pub(super) ended_at: Millis,
    /// Whether any refund call may have left.
    pub(super) has_left: bool,
    /// Until when a refund call that got no verified answer may still arrive.
    pub(super) late_until: Millis,
    /// The signed refusal of the last refund call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<Reason>,
    /// How often a wait has passed without an end.
    pub(super) waits: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
    /// Another merchant's since the till was started for this one.
    #[serde(default)]
    pub(super) is_foreign: bool,
}

/// The last query about a refused refund: a copy of it may have been held up in the network.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Recheck {
    pub(super) at: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) awaiting: Option<RefundCall>,
}

/// What people see while it is pursued.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Shown {
    Sent,
    Checking,
    Accepted,
    Abnormal,
}

impl RefundState {
    /// A refund's first state. Its first call, a look, is [`RefundState::FIRST`]. `jitter` is
    /// random.
    pub fn begin(plan: RefundPlan, jitter: u8) -> Self {
        let stage = Stage::Looking(Looking {
            plan,
            next_at: Millis(0),
            awaiting: Some(Self::FIRST),
            seen: Vec::new(),
            total: 0,
            reason: None,
        });
        Self { calls: 1, jitter, elsewhere: Money::default(), stage }
    }

    /// A refund in cash: done from its first entry on.
    pub fn given_in_cash() -> Self {
        Self { calls: 0, jitter: 0, elsewhere: Money::default(), stage: Stage::Cash }
    }

    /// The first call of every refund that a gateway carries out. It moves nothing.
    pub const FIRST: RefundCall =
        RefundCall { kind: RefundCallKind::Look { offset: 0 }, number: 0 };

    /// What people are shown.
    pub const fn status(&self) -> RefundStatus {
        match &self.stage {
            Stage::Looking(_) => RefundStatus::Checking,
            Stage::Pursued(Pursuit { is_foreign: true, .. }) => RefundStatus::Attention,
            Stage::Pursued(pursuit) => match pursuit.shown {
                Shown::Sent => RefundStatus::Sent,
                Shown::Checking => RefundStatus::Checking,
                Shown::Accepted => RefundStatus::Accepted,
                Shown::Abnormal => RefundStatus::Attention,
            },
            Stage::Done(_) | Stage::Cash => RefundStatus::Done,
            Stage::Refused { .. } => RefundStatus::Refused,
            Stage::Closed(_) | Stage::Settled => RefundStatus::Attention,
        }
    }

    /// Why it is where it is.
    pub fn reason(&self) -> Option<Reason> {
        match &self.stage {
            Stage::Looking(looking) => looking.reason.clone(),
            Stage::Pursued(Pursuit { is_foreign: true, .. }) => {
                Some(TillCause::MerchantChanged.into())
            }
            Stage::Pursued(pursuit) => pursuit.reason.clone(),
            Stage::Done(_) | Stage::Cash => None,
            Stage::Settled => Some(TillCause::Settled.into()),
            Stage::Refused { reason, .. } | Stage::Closed(reason) => Some(reason.clone()),
        }
    }

    /// How much could have been given back, where it was refused as too much.
    pub const fn left(&self) -> Option<Money> {
        match &self.stage {
            Stage::Refused { left, .. } => *left,
            _ => None,
        }
    }

    /// What others have refunded of the order, as far as this refund has seen.
    pub const fn elsewhere(&self) -> Money {
        self.elsewhere
    }

    /// Whether it is one in cash.
    pub const fn is_cash(&self) -> bool {
        matches!(self.stage, Stage::Cash)
    }

    /// The proof, if a gateway has done it.
    pub const fn proof(&self) -> Option<&RefundProof> {
        match &self.stage {
            Stage::Done(proof) => Some(proof),
            _ => None,
        }
    }

    /// The call whose answer is awaited.
    pub const fn awaited(&self) -> Option<RefundCall> {
        match &self.stage {
            Stage::Looking(looking) => looking.awaiting,
            Stage::Pursued(pursuit) => pursuit.awaiting,
            Stage::Refused { recheck: Some(recheck), .. } => recheck.awaiting,
            Stage::Done(_)
            | Stage::Cash
            | Stage::Refused { .. }
            | Stage::Closed(_)
            | Stage::Settled => None,
        }
    }

    /// Whether a refused one is still to be asked about once more. Nothing is expected of that.
    pub const fn is_to_be_rechecked(&self) -> bool {
        matches!(self.stage, Stage::Refused { recheck: Some(_), .. })
    }

    /// Whether the till still has work to do on it, such a recheck aside.
    pub const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Looking(_) | Stage::Pursued(_))
    }

    /// Whether its money was given back, or may be: it counts against what is left of the order.
    pub const fn counts(&self) -> bool {
        !matches!(self.stage, Stage::Refused { .. } | Stage::Closed(_))
    }

    /// Whether the gateway has it and gives the money back, or has done so.
    pub const fn is_given(&self) -> bool {
        matches!(self.status(), RefundStatus::Accepted | RefundStatus::Done)
    }

    /// Whether nobody knows yet what becomes of it: no second refund of its order may begin.
    pub const fn is_unclear(&self) -> bool {
        matches!(&self.stage, Stage::Looking(_))
            || matches!(&self.stage, Stage::Pursued(pursuit)
                if pursuit.is_foreign || matches!(pursuit.shown, Shown::Sent | Shown::Checking))
    }

    /// When this refund next needs an [`RefundEvent::Tick`].
    pub fn wake_at(&self, rules: &Rules) -> Option<Millis> {
        match &self.stage {
            Stage::Looking(looking) if looking.awaiting.is_some() => Some(rules.give_up_after),
            Stage::Looking(looking) => Some(looking.next_at.min(rules.give_up_after)),
            Stage::Pursued(pursuit) => Some(pursuit.next_at)
                .filter(|at| pursuit.awaiting.is_none() && !pursuit.is_foreign && *at < NEVER),
            Stage::Refused { recheck: Some(Recheck { at, awaiting: None }), .. } => Some(*at),
            Stage::Done(_)
            | Stage::Cash
            | Stage::Refused { .. }
            | Stage::Closed(_)
            | Stage::Settled => None,
        }
    }
}
