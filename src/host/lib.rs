//! What a program needs from its machine: clocks, randomness, a log, configuration and secrets,
//! HTTPS to a gateway, and WeChat Pay's account as it is configured.
//!
//! Each of these is read in exactly one place. What the programs decide with them is in the core,
//! which receives them as arguments.

pub mod certificate;
pub mod clock;
pub mod config;
pub mod gateway;
pub mod log;
pub mod process;
pub mod random;
pub mod times;
pub mod transport;
pub mod typed;
