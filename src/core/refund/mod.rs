//! One refund of a paid order, from its intent to its end, as a pure state machine.
//!
//! [`RefundState::step`] is the only way a refund changes. Like a payment's, its time counts from
//! its beginning, so that a stored state means the same after a restart or a changed clock.
//!
//! Three rules carry the rest. A refund has one number and one set of parameters until its end is
//! known: the gateway carries out a number once, however often it is sent. That it was accepted is
//! no proof that it was done. And that nothing was given back takes either that nothing has left,
//! or a signed refusal and, an interval later, a query that does not know the number.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `number` | the refund's number, and what a gateway learns of it |
//! | `answer` | what a gateway says, one type for each call |
//! | `limits` | whether an order may be refunded, and how much of it |
//! | `state` | the state of a refund, and what can be asked of it |
//! | `step` | what each event does in each stage |

mod answer;
mod limits;
mod number;
mod state;
mod step;
#[cfg(test)]
mod tests;

pub use answer::{
    KnownRefund, Looked, Queried, RefundAnswer, RefundCall, RefundCallKind, RefundPage,
    RefundProof, RefundSaid,
};
pub use limits::{EarlierRefund, RefundLimits, RefundRefusal, left_of};
pub use number::{NotARefundNumber, OutRefundNo, Refund};
pub use state::{Booked, RefundEvent, RefundPlan, RefundState, RefundStatus};
