//! The part that decides: values, the payment state machine, the engine, the gateway codecs.
//!
//! Nothing in here reads a clock, draws random numbers, opens a file or a socket, or waits. The
//! caller passes in time and randomness and carries out the resulting effects; the till, the
//! simulations and a backend all drive the same code. `Cargo.toml` enforces this: there is no
//! runtime, database or HTTP client to use.

pub mod bill;
pub mod clean;
pub mod clock;
pub mod der;
pub mod engine;
pub mod gateway;
pub mod goods;
pub mod language;
pub mod money;
pub mod order;
pub mod payment;
pub mod refund;
pub mod sale;
pub mod shift;
pub mod text;
