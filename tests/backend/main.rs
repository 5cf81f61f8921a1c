//! The real `paytill-backend`, as tills, operators and whoever else can reach it meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it fails")]

mod program;
mod till;

mod commands;
mod figures;
mod hostile;
mod start;
mod stop;
