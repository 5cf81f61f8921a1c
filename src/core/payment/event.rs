//! What can happen to a payment.

use serde::{Deserialize, Serialize};

use super::answer::Answer;
use crate::clock::{Date, Millis};

/// What can happen to a payment.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Event {
    /// It was recorded and its request handed out. The first event of every payment.
    Begun,
    /// The call with this number has ended. Every call that is made ends exactly once, unless the
    /// process ends first.
    Answered(u32, Answer),
    /// [`State::wake_at`](super::State::wake_at) was reached. Early and repeated ticks do nothing.
    Tick,
    /// The cashier stops waiting.
    Cancel,
    /// A person wants the gateway queried now.
    CheckNow,
    /// The till was started for another merchant: it cannot do anything about this payment.
    MerchantChanged,
    /// A person has settled outside the till what needed attention, and says how. What the till knows
    /// of the money stays as it is.
    Settled(String),
    /// The gateway's bill of that day was read, and has a payment of this number or has none. It is
    /// not signed, and so no proof: the gateway is asked.
    Billed { day: Date, listed: bool },
    /// The till was restarted. `oldest` is the greatest age the payment can have by any clock; the
    /// time line itself continues from what is certain.
    Restarted { oldest: Millis },
}

impl Event {
    /// Whether it is what others say of the payment, and so recorded even if it changes nothing.
    pub const fn is_evidence(&self) -> bool {
        matches!(self, Self::Answered(..) | Self::Billed { .. })
    }

    /// Whether the submission has ended: nothing more of it will be sent.
    pub const fn ends_submission(&self) -> bool {
        matches!(self, Self::Answered(_, Answer::Submitted(_)))
    }
}
