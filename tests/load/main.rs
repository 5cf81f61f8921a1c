//! What the backend bears, each beside what it stands on: what `scripts/load` runs.
//!
//!     load [MEASURE...] [--rounds N] [--seconds S]
//!
//! Those that are compared take turns in one run, so that whatever else the machine does falls on all of
//! them alike. It ends with 1 if a goal is missed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a tool for tests")]
#![allow(clippy::float_arithmetic, reason = "it compares times")]

mod measures;

use std::process::ExitCode;

use measures::{Extent, MEASURES};

fn main() -> ExitCode {
    let mut extent = Extent { rounds: 5, seconds: 3.0, is_smoke: false };
    let mut names = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(given) = arguments.next() {
        let mut number = || arguments.next().and_then(|number| number.parse::<u32>().ok());
        match (given.as_str(), MEASURES.iter().find(|name| **name == given)) {
            (_, Some(name)) => names.push(*name),
            ("--rounds", None) => extent.rounds = number().unwrap() as usize,
            ("--seconds", None) => extent.seconds = number().unwrap().into(),
            (other, None) => {
                println!("{other} is not measured, only {}", MEASURES.join(", "));
                return ExitCode::from(2);
            }
        }
    }
    if names.is_empty() {
        names = MEASURES.to_vec();
    }
    let table = measures::done(&names, extent);
    table.print();
    if table.is_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
