//! A cashier's till in the terminal for shops that take WeChat Pay payment codes.

pub mod clean;
pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod device;
pub mod display;
pub mod encode;
pub mod engine;
pub mod gateway;
pub mod hardware;
pub mod journal;
pub mod language;
pub mod log;
pub mod money;
pub mod order;
pub mod payment;
pub mod picture;
pub mod process;
pub mod random;
pub mod receipt;
pub mod scan;
pub mod screen;
pub mod simulator;
pub mod text;
pub mod till;
