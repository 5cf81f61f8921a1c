//! The real `paytill-backend`, as tills, operators and whoever else can reach it meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it fails")]

mod cutter;
mod database;
mod gateway;
mod pair;
mod program;
#[path = "../fixture/sweep.rs"]
mod sweep;
mod till;

mod commands;
mod figures;
mod hostile;
mod instances;
mod notices;
mod outage;
mod start;
mod stop;
