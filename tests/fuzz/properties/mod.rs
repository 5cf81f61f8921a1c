//! What must hold for any bytes from outside. The fuzzer searches for bytes that break a property,
//! and `cargo test` replays what it found; both call these functions.
#![allow(dead_code, unreachable_pub, reason = "each fuzz target uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what does not hold ends here")]

pub mod amounts;
pub mod answers;
pub mod bills;
pub mod draw;
pub mod journals;
pub mod numbers;
#[path = "../../fixture/paper.rs"]
pub mod paper;
pub mod plain;
pub mod reading;
pub mod receipts;
pub mod requests;
pub mod scans;
pub mod screens;
pub mod settings;
pub mod status;
pub mod terminal;

/// A property of any bytes; panics if they break it.
pub type Property = fn(&[u8]);

/// Every target with its property, under the name of its corpus.
pub const ALL: [(&str, Property); 11] = [
    ("amounts", amounts::check),
    ("answers", answers::check),
    ("bills", bills::check),
    ("journals", journals::check),
    ("numbers", numbers::check),
    ("receipts", receipts::check),
    ("requests", requests::check),
    ("scans", scans::check),
    ("screens", screens::check),
    ("settings", settings::check),
    ("status", status::check),
];
