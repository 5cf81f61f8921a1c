//! What a process keeps to itself. Each test needs a process of its own, and runs this binary again
//! with only that test.

use std::process::{Command, Output};

use paytill::language::Language;
use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource};

const IN_ITS_OWN: &str = "PAYTILL_TEST_IN_ITS_OWN_PROCESS";
const CODE: &str = "138492017563840200";

fn is_in_its_own() -> bool {
    std::env::var_os(IN_ITS_OWN).is_some()
}

/// Runs a test of this file in a process of its own.
fn alone(test: &str) -> Output {
    let (_, room) = module_path!().split_once("::").unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{room}::{test}"), "--nocapture", "--test-threads", "1"])
        .env(IN_ITS_OWN, CODE)
        .env("RUST_BACKTRACE", "full")
        .output()
        .unwrap()
}

#[test]
fn a_hardened_process_leaves_no_core_and_no_open_file() {
    if !is_in_its_own() {
        let output = alone("a_hardened_process_leaves_no_core_and_no_open_file");
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8(output.stdout).unwrap().contains("1 passed"));
        return;
    }
    paytill_host::process::harden(Language::English).unwrap();
    assert_eq!(rustix::process::getrlimit(Resource::Core).current, Some(0));
    let dumpable = rustix::process::dumpable_behavior().unwrap();
    assert_eq!(dumpable, DumpableBehavior::NotDumpable);
    let mask = Mode::RWXG | Mode::RWXO;
    assert_eq!(rustix::process::umask(mask), mask);
}

#[test]
fn a_panic_reports_where_and_nothing_of_what_was_in_hand() {
    if is_in_its_own() {
        paytill_host::process::harden(Language::English).unwrap();
        panic!("{CODE:?} is not what it should be");
    }
    let output = alone("a_panic_reports_where_and_nothing_of_what_was_in_hand");
    let errors = String::from_utf8(output.stderr).unwrap();
    let place = concat!("paytill: an unexpected fault at ", file!(), ":");
    assert!(errors.contains(place), "{errors}");
    assert!(!errors.contains(CODE) && !errors.contains("what it should be"), "{errors}");
    assert!(!String::from_utf8(output.stdout).unwrap().contains(CODE));
}
