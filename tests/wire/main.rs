//! The connection to the gateway: lines that are cut, replies that are broken, and a gateway that
//! answers with the worst there is.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it fails")]
#![allow(unreachable_pub, reason = "the modules of one test")]

#[path = "../fixture/mod.rs"]
mod fixture;
#[path = "../fuzz/properties/mod.rs"]
mod properties;
mod server;

mod backend;
mod cut;
mod download;
mod hostile;
mod transport;
mod trust;
