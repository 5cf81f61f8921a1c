//! The state of a payment, and what can be asked of it.

use serde::{Deserialize, Serialize};

use super::answer::{Call, CallKind, Proof, Reason};
use super::qr::QrState;
use super::recheck::Recheck;
use super::reversal::Reversal;
use super::status::{Funds, Outlook, Rules, Status};
use crate::clock::Millis;
use crate::order::CodeUrl;
use crate::sale::tender::Cash;

/// The state of a payment. Times in it count from the submission.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct State {
    /// Calls made so far.
    pub(super) calls: u32,
    /// Lengthens repeated waits, so that tills do not poll in step: 0 to 255 of 1024.
    pub(super) jitter: u8,
    /// A verified answer has shown that the order of this number is ours, or that there is none: only
    /// then is it reversed.
    #[serde(default)]
    pub(super) is_ours: bool,
    pub(super) stage: Stage,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Stage {
    /// The money may have moved, and a payment is still hoped for.
    Pending(Pending),
    /// It is being reversed, or a number that took nothing is being closed.
    Reversing(Reversing),
    Paid(Proof),
    /// Paid in cash: nothing is sent, and nothing proves it but the entry.
    Cash(Cash),
    /// Over, without the money.
    Closed(Closed),
    /// Paid by scanning our code, which is a life of its own.
    Qr(Box<QrState>),
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Pending {
    pub(super) phase: Phase,
    /// The next query.
    pub(super) poll_at: Millis,
    /// The last query, or the submission if there was none.
    pub(super) polled_at: Millis,
    /// The number of the query whose answer is awaited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) awaiting: Option<u32>,
    /// The submission was refused in a way that one query can settle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) doubt: Option<Doubt>,
    /// When that refusal came.
    #[serde(default)]
    pub(super) doubted_at: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Phase {
    Sent,
    Waiting,
    Checking,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Doubt {
    /// A signed refusal that may echo an earlier delivery.
    Echo,
    /// An unsigned refusal: probably our set-up, but anyone could have sent it.
    Unsigned,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Reversing {
    pub(super) shown: Shown,
    /// Why it is reversed.
    pub(super) reason: Reason,
    /// What has kept it from being reversed so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) obstacle: Option<Reason>,
    /// When the reversal was decided.
    pub(super) since: Millis,
    /// A payment found now still counts; never again once a reversal is on the wire.
    pub(super) payable: bool,
    /// The last reversal was refused for a reason that repeating does not fix.
    pub(super) refused: bool,
    pub(super) held: Held,
    pub(super) reversal: Reversal,
}

/// What is known of the customer's money during the reversal.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Held {
    /// It was never seen to be taken.
    #[default]
    Unseen,
    /// It was taken.
    Taken,
    /// It was taken, and somebody else is returning it or a part of it: the till returns nothing.
    Refunded,
}

/// What the cashier sees during the reversal.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Shown {
    Reversing,
    Declined,
    Attention,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Closed {
    pub(super) outcome: Outcome,
    pub(super) reason: Reason,
    /// The gateway never knew the number, which is therefore queried again later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) recheck: Option<Recheck>,
}

/// How a payment ended without the money.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Outcome {
    /// Nothing was taken.
    Declined,
    /// Reversed, and never seen paid.
    Reversed,
    /// Reversed after it was paid: the money is being returned.
    Returned,
    /// Unknown to the till: a person has settled it.
    Settled,
}

impl State {
    /// A payment's first state; its only submission is [`Call::SUBMISSION`]. `jitter` is random.
    pub fn begin(rules: &Rules, jitter: u8) -> Self {
        let stage = Stage::Pending(Pending {
            phase: Phase::Sent,
            poll_at: rules.query_interval,
            polled_at: Millis(0),
            awaiting: None,
            doubt: None,
            doubted_at: Millis(0),
            reason: None,
        });
        Self { calls: 1, jitter, is_ours: false, stage }
    }

    /// A payment that was never sent, and never will be: closed from the start.
    pub const fn refused(reason: Reason) -> Self {
        let closed = Closed { outcome: Outcome::Declined, reason, recheck: None };
        Self { calls: 0, jitter: 0, is_ours: false, stage: Stage::Closed(closed) }
    }

    /// The first state of an order whose code the customer may scan for so long; its first call is
    /// [`QrState::FIRST`].
    pub fn begin_qr(lasts: Millis, jitter: u8) -> Self {
        let stage = Stage::Qr(Box::new(QrState::begin(lasts, jitter)));
        Self { calls: 0, jitter: 0, is_ours: false, stage }
    }

    /// The life of an order that is paid by scanning our code.
    pub fn qr(&self) -> Option<&QrState> {
        match &self.stage {
            Stage::Qr(qr) => Some(qr),
            _ => None,
        }
    }

    /// The code that the customer may scan now.
    pub fn code_url(&self) -> Option<&CodeUrl> {
        self.qr().and_then(QrState::code_url)
    }

    /// Whether it was paid after it had been given up: the customer may be gone.
    pub fn is_paid_late(&self) -> bool {
        self.qr().is_some_and(QrState::is_paid_late)
    }

    /// A payment in cash: paid from its first entry on.
    pub const fn paid_in_cash(cash: Cash) -> Self {
        Self { calls: 0, jitter: 0, is_ours: true, stage: Stage::Cash(cash) }
    }

    /// What people are shown.
    pub fn status(&self) -> Status {
        match &self.stage {
            Stage::Pending(pending) => match pending.phase {
                Phase::Sent => Status::Sent,
                Phase::Waiting => Status::Waiting,
                Phase::Checking => Status::Checking,
            },
            Stage::Reversing(reversing) => match reversing.shown {
                Shown::Reversing => Status::Reversing,
                Shown::Declined => Status::Declined,
                Shown::Attention => Status::Attention,
            },
            Stage::Paid(_) | Stage::Cash(_) => Status::Paid,
            Stage::Closed(closed) => match closed.outcome {
                Outcome::Declined => Status::Declined,
                Outcome::Reversed | Outcome::Returned => Status::Reversed,
                Outcome::Settled => Status::Attention,
            },
            Stage::Qr(qr) => qr.status(),
        }
    }

    /// Where the customer's money is, as far as known.
    pub fn money(&self) -> Funds {
        match &self.stage {
            Stage::Pending(_) => Funds::Unknown,
            Stage::Reversing(Reversing { held: Held::Taken | Held::Refunded, .. }) => Funds::Held,
            Stage::Reversing(Reversing { shown: Shown::Declined, .. }) => Funds::NotMoved,
            Stage::Reversing(_) => Funds::Unknown,
            Stage::Paid(_) | Stage::Cash(_) => Funds::Taken,
            Stage::Closed(closed) => match closed.outcome {
                Outcome::Declined | Outcome::Reversed => Funds::NotMoved,
                Outcome::Returned => Funds::Returned,
                Outcome::Settled => Funds::Unknown,
            },
            Stage::Qr(qr) => qr.money(),
        }
    }

    /// Whether its sale may be charged with another attempt: the customer's money is certainly not
    /// held. While it may be, charging again could take it twice.
    pub fn may_be_charged_again(&self) -> bool {
        matches!(self.money(), Funds::NotMoved | Funds::Returned)
    }

    /// Why the payment is where it is.
    pub fn reason(&self) -> Option<&Reason> {
        match &self.stage {
            Stage::Pending(pending) => pending.reason.as_ref(),
            Stage::Reversing(reversing) => {
                Some(reversing.obstacle.as_ref().unwrap_or(&reversing.reason))
            }
            Stage::Paid(_) | Stage::Cash(_) => None,
            Stage::Closed(closed) => Some(&closed.reason),
            Stage::Qr(qr) => qr.reason(),
        }
    }

    /// What stands in the way of its reversal, if anything did when it was last tried.
    pub fn obstacle(&self) -> Option<&Reason> {
        match &self.stage {
            Stage::Reversing(reversing) => reversing.obstacle.as_ref(),
            Stage::Qr(qr) => qr.obstacle(),
            Stage::Pending(_) | Stage::Paid(_) | Stage::Cash(_) | Stage::Closed(_) => None,
        }
    }

    /// The proof, if the gateway has said that it is paid.
    pub fn proof(&self) -> Option<&Proof> {
        match &self.stage {
            Stage::Paid(proof) => Some(proof),
            Stage::Qr(qr) => qr.proof(),
            Stage::Pending(_) | Stage::Reversing(_) | Stage::Cash(_) | Stage::Closed(_) => None,
        }
    }

    /// The cash, if it was paid so.
    pub const fn cash(&self) -> Option<&Cash> {
        match &self.stage {
            Stage::Cash(cash) => Some(cash),
            _ => None,
        }
    }

    /// Whether a slip is printed of it by itself: not of cash that pays a part of a sale, which is on
    /// the receipt of the whole.
    pub fn brings_slip(&self) -> bool {
        self.status().has_slip() && self.cash().is_none_or(|cash| cash.left().minor() == 0)
    }

    /// How it is paid, as the journal and `--json` have it.
    pub const fn channel(&self) -> &'static str {
        match &self.stage {
            Stage::Cash(_) => "cash",
            Stage::Qr(_) => "native",
            Stage::Pending(_) | Stage::Reversing(_) | Stage::Paid(_) | Stage::Closed(_) => {
                "micropay"
            }
        }
    }

    /// The query or reversal whose answer is awaited.
    pub fn awaited(&self) -> Option<Call> {
        let query =
            |number: Option<u32>| number.map(|number| Call { kind: CallKind::Query, number });
        match &self.stage {
            Stage::Pending(pending) => query(pending.awaiting),
            Stage::Reversing(reversing) => reversing.reversal.awaiting(),
            Stage::Paid(_) | Stage::Cash(_) => None,
            Stage::Closed(closed) => query(closed.recheck.as_ref().and_then(Recheck::awaiting)),
            Stage::Qr(qr) => qr.awaited(),
        }
    }

    /// Whether the till still has work to do on it. Rechecks of a number that the gateway never
    /// knew do not count: they are not expected to find anything.
    pub fn is_open(&self) -> bool {
        match &self.stage {
            Stage::Pending(_) | Stage::Reversing(_) => true,
            Stage::Paid(_) | Stage::Cash(_) | Stage::Closed(_) => false,
            Stage::Qr(qr) => qr.is_open(),
        }
    }

    /// Whether such rechecks are still to come.
    pub fn is_to_be_rechecked(&self) -> bool {
        match &self.stage {
            Stage::Closed(closed) => closed.recheck.is_some(),
            Stage::Qr(qr) => qr.is_to_be_rechecked(),
            Stage::Pending(_) | Stage::Reversing(_) | Stage::Paid(_) | Stage::Cash(_) => false,
        }
    }

    /// Whether a failure that was shown is still being confirmed by a query.
    pub fn is_being_confirmed(&self) -> bool {
        match &self.stage {
            Stage::Reversing(reversing) => {
                reversing.shown == Shown::Declined && reversing.reversal.is_polling()
            }
            Stage::Qr(qr) => qr.is_being_confirmed(),
            Stage::Pending(_) | Stage::Paid(_) | Stage::Cash(_) | Stage::Closed(_) => false,
        }
    }

    /// Whether its reversal was decided and nothing of that has left: a payment found now still counts.
    pub fn is_still_payable(&self) -> bool {
        matches!(&self.stage, Stage::Reversing(reversing)
            if reversing.payable && reversing.shown == Shown::Reversing)
    }

    /// Whether its outcome is known for certain.
    pub fn is_settled(&self) -> bool {
        self.status().is_settled()
    }

    /// Whether the gateway has said that it will not reverse or close it.
    pub fn is_reversal_refused(&self) -> bool {
        match &self.stage {
            Stage::Reversing(reversing) => reversing.shown == Shown::Attention && reversing.refused,
            Stage::Qr(qr) => qr.is_closing_refused(),
            Stage::Pending(_) | Stage::Paid(_) | Stage::Cash(_) | Stage::Closed(_) => false,
        }
    }

    /// When this payment next needs an [`Event::Tick`].
    pub fn wake_at(&self, rules: &Rules) -> Option<Millis> {
        match &self.stage {
            Stage::Pending(pending) => Some(pending.poll_at.min(rules.give_up_after)),
            Stage::Reversing(reversing) => {
                let attention = Some(reversing.since.plus(rules.attention_after))
                    .filter(|_| reversing.shown == Shown::Reversing);
                reversing.reversal.next_at().into_iter().chain(attention).min()
            }
            Stage::Paid(_) | Stage::Cash(_) => None,
            Stage::Closed(closed) => closed.recheck.as_ref().and_then(Recheck::wake_at),
            Stage::Qr(qr) => qr.wake_at(rules),
        }
    }

    /// What lies ahead, for the countdowns.
    pub fn outlook(&self, rules: &Rules) -> Outlook {
        match &self.stage {
            Stage::Pending(pending) => Outlook {
                checks_at: Some(pending.poll_at.min(rules.give_up_after)),
                gives_up_at: Some(rules.give_up_after),
                reverses_at: None,
            },
            Stage::Reversing(Reversing { shown, reversal, .. }) => Outlook {
                checks_at: reversal.next_at(),
                gives_up_at: None,
                reverses_at: Some(rules.reverse_not_before)
                    .filter(|_| *shown == Shown::Reversing && reversal.is_first())
                    .filter(|_| !reversal.is_under_way()),
            },
            Stage::Paid(_) | Stage::Cash(_) | Stage::Closed(_) => Outlook::default(),
            Stage::Qr(qr) => qr.outlook(),
        }
    }
}
