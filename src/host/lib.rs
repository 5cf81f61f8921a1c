//! What a program needs of the machine it runs on: its clocks, chance, log, configuration
//! and secrets, and the way to a gateway.

pub mod clock;
pub mod config;
pub mod log;
pub mod process;
pub mod random;
pub mod transport;
