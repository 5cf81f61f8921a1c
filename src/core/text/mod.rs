//! Sentences that every program of the project shares: why a payment is where it is, what
//! happened to it, and what the operating system reports.
//!
//! Each is written for a cashier, in every language, and says nothing that is not certain.

mod backend;
pub mod bill;
mod connection;
pub mod history;
mod qr;
pub mod reason;
pub mod refund;
pub mod status;
pub mod story;
pub mod system;
