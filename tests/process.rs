//! What a process keeps to itself. Alone in its file: it changes the process it runs in.

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource};

#[test]
fn a_hardened_process_leaves_no_core_and_no_open_file() {
    paytill::process::harden().unwrap();
    assert_eq!(rustix::process::getrlimit(Resource::Core).current, Some(0));
    let dumpable = rustix::process::dumpable_behavior().unwrap();
    assert_eq!(dumpable, DumpableBehavior::NotDumpable);
    let mask = Mode::RWXG | Mode::RWXO;
    assert_eq!(rustix::process::umask(mask), mask);
}
