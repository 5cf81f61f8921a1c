//! A cashier's till in the terminal, for shops that accept WeChat Pay payment codes.
//!
//! The library of the `paytill` binary: commands, screen, devices and receipts around the engine of
//! `paytill_core`, which is re-exported here together with the journal and the simulator.

pub mod catalogue;
pub mod cli;
pub mod command;
pub mod config;
pub mod device;
pub mod display;
pub mod encode;
pub mod find;
pub mod hardware;
pub mod operators;
pub mod picture;
pub mod qr;
pub mod receipt;
pub mod reconcile;
pub mod scan;
pub mod screen;
pub mod text;
pub mod till;

#[cfg(test)]
#[path = "../core/payment/says.rs"]
mod says;
#[cfg(test)]
#[path = "../../tests/fixture/sweep.rs"]
mod sweep;

pub use paytill_core::{
    bill, both, catalogue, clean, clock, engine, gateway, goods, language, money, order, payment,
    refund, sale, say, shift,
};
pub use paytill_journal as journal;
pub use paytill_simulator as simulator;
