//! One payment by payment code, from the submission to its end, as a pure state machine.
//!
//! [`State::step`] is the only way a payment changes. It reads no clock and does no I/O: the screen,
//! `paytill pay`, recovery and the simulations all drive this same code. Its time line counts from
//! the submission, so a stored state means the same after a restart or a changed clock.
//!
//! Two rules carry the rest. Silence proves nothing: what is unclear is asked about, then reversed.
//! And a query is no fence: only a reversal stops money that may still be on its way.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `answer` | what a gateway says, a type for each call; why a payment is where it is |
//! | `status` | what people are told; the times; where the money is |
//! | `state` | where a payment stands, and what can be asked of it |
//! | `step` | what each event does to each stage |
//! | `reversal` | the loop that ends an order at its gateway |

mod answer;
mod reversal;
#[cfg(test)]
pub(crate) mod says;
mod state;
mod status;
mod step;
#[cfg(test)]
mod tests;

pub use answer::{
    Answer, Call, CallKind, Cause, Ending, Found, Inconclusive, Proof, Reason, Reversed, Submitted,
    TillCause,
};
pub use state::{Event, State};
pub use status::{Funds, Outlook, Rules, Status};
