//! What every program of the project says in the same words: why a payment is where it is, and what the
//! system says.

pub mod reason;
pub mod system;
