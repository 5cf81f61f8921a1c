//! An order that the customer pays by scanning a code, from its intent to its end, as a pure state
//! machine. [How it decides](README.md).
//!
//! [`QrState::step`] is the only way it changes. Two rules carry the rest. Until a code has come,
//! nobody can pay. And once one has, only the gateway's word ends the order: paid by proof, or
//! closed.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `state` | the state of an order, and what can be asked of it |
//! | `step` | what each event does while it is ordered and while the code is shown |
//! | `step/closing` | what each event does while it is being closed, and after |

mod state;
mod step;
#[cfg(test)]
mod tests;

pub use state::QrState;
