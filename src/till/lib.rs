//! A cashier's till in the terminal for shops that take WeChat Pay payment codes.

pub mod cli;
pub mod command;
pub mod config;
pub mod device;
pub mod display;
pub mod encode;
pub mod hardware;
pub mod picture;
pub mod receipt;
pub mod scan;
pub mod screen;
pub mod text;
pub mod till;

#[cfg(test)]
#[path = "../core/payment/says.rs"]
mod says;

pub use paytill_core::{
    both, catalogue, clean, clock, engine, gateway, language, money, order, payment, say,
};
pub use paytill_journal as journal;
pub use paytill_simulator as simulator;
