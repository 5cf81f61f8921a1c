//! The real binary, as a process and on the screen of a pseudo-terminal, with its devices on others
//! and the simulated gateway behind it: what it does, also while everything around it fails.
//!
//! All tests share one process. A test that changes its process belongs in a child: see `process`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it fails")]

#[path = "../fixture/mod.rs"]
mod fixture;
#[path = "../fixture/machine_typing.rs"]
mod machine_typing;
#[path = "../fixture/paper.rs"]
mod paper;

mod altered;
mod api_v3;
mod backup;
mod bad_input;
mod behind_a_backend;
mod cash;
mod crowd;
mod customer_display;
mod customer_view;
mod cut_scans;
mod damage;
mod day;
mod devices;
mod disk;
mod doctor;
mod evidence;
mod exhaustion;
mod find;
mod find_page;
mod flood;
mod goods;
mod hand_outs;
mod instances;
mod keystrokes;
mod kill;
mod leaks;
mod lists;
mod migration;
mod operators;
mod printers;
mod process;
mod qr;
mod qr_screen;
mod reconcile;
mod refund;
mod scenarios;
mod settled;
mod signals;
mod slips;
mod sounds;
mod terminal;
mod wall_clock;
mod whole_day;
mod window;
