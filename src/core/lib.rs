//! What decides: values, the payment machine, the engine, the gateways' codecs.
//!
//! Nothing in here reads a clock, draws by chance, opens a file or a socket, or waits. Whoever drives
//! it hands in time and chance and carries its effects out: the till, the simulations, a backend. Its
//! `Cargo.toml` holds it to that: there is no runtime, database or HTTP client to use.

pub mod clean;
pub mod clock;
pub mod engine;
pub mod gateway;
pub mod language;
pub mod money;
pub mod order;
pub mod payment;
pub mod text;
