//! What a process keeps to itself. Alone in its file: it changes the process it runs in.

use std::process::Command;

use paytill::language::Language;
use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource};

#[test]
fn a_hardened_process_leaves_no_core_and_no_open_file() {
    paytill_host::process::harden(Language::English).unwrap();
    assert_eq!(rustix::process::getrlimit(Resource::Core).current, Some(0));
    let dumpable = rustix::process::dumpable_behavior().unwrap();
    assert_eq!(dumpable, DumpableBehavior::NotDumpable);
    let mask = Mode::RWXG | Mode::RWXO;
    assert_eq!(rustix::process::umask(mask), mask);
}

const PANICS: &str = "PAYTILL_TEST_PANICS";

#[test]
fn a_panic_tells_where_and_nothing_of_what_was_in_hand() {
    if let Some(code) = std::env::var_os(PANICS) {
        paytill_host::process::harden(Language::English).unwrap();
        panic!("{code:?} is not what it should be");
    }
    let (own_name, code) =
        ("a_panic_tells_where_and_nothing_of_what_was_in_hand", "138492017563840200");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", own_name, "--nocapture", "--test-threads", "1"])
        .env(PANICS, code)
        .env("RUST_BACKTRACE", "full")
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("paytill: an unexpected fault at tests/process.rs:"), "{errors}");
    assert!(!errors.contains(code) && !errors.contains("what it should be"), "{errors}");
    assert!(!String::from_utf8(output.stdout).unwrap().contains(code));
}
