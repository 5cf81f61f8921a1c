//! One payment by payment code, from its submission to its outcome, as a pure state machine.
//!
//! [`State::step`] is the only way a payment changes. It reads no clock and does no I/O: the
//! screen, `paytill pay`, recovery and the simulations all drive the same code. Its time line
//! counts from the submission, so a stored state means the same after a restart or a changed clock.
//!
//! Two rules carry the rest. Silence proves nothing: an unclear outcome is queried, then reversed.
//! And a query stops nothing: money that may still be in transit is only stopped by a reversal.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `answer` | what a gateway says, one type for each call; why a payment is where it is |
//! | `event` | what can happen to a payment |
//! | `status` | what people are shown; the times a payment keeps to; where the money is |
//! | `state` | the state of a payment, and what can be asked of it |
//! | `step` | what each event does in each stage |
//! | `recheck` | looking once more for an order that was over |
//! | `reversal` | the loop that closes an order at its gateway |
//! | `qr` | an order whose code the customer scans: a machine of its own |

mod answer;
mod event;
mod qr;
mod recheck;
mod reversal;
#[cfg(test)]
pub(crate) mod says;
mod state;
mod status;
mod step;
#[cfg(test)]
mod tests;

pub use answer::{
    Answer, Call, CallKind, Cause, CloseSaid, Ending, Found, Inconclusive, Ordered, Proof, Reason,
    Refunds, Reversed, Submitted, TillCause,
};
pub use event::Event;
pub use qr::QrState;
pub use state::State;
pub use status::{Funds, Outlook, Rules, Status};
