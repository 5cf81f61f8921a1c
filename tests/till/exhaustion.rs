//! The system runs out: no descriptors, no memory, no room in a file, no threads. The till ends
//! before anything is sent and says why, or finishes what is open; whatever happened, a recovery
//! with enough resources reconciles the books. Every limit has its day (`fixture/sweep.rs`); with
//! `PAYTILL_SWEEP=1` all are tried.

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::fixture::tui_session::TuiSession;
use crate::fixture::{DEVICES, PACE, TestShop, code, in_lanes, sweep, thread_faults};

const LANES: usize = 24;
/// Runs in one shop.
const IN_ONE_SHOP: usize = 6;
const CUSTOMERS: [&str; 2] = ["password-8", "walks-away"];

/// How the runs that lacked something ended.
#[derive(Default)]
struct Outcomes {
    /// Before anything was sent, with a message and an exit code.
    refused: AtomicUsize,
    /// The payment reached a result that can be shown to the cashier.
    finished: AtomicUsize,
    /// The payment was left open, and reported so.
    open: AtomicUsize,
    /// The process was killed by the system.
    ended: AtomicUsize,
}

impl Outcomes {
    /// Runs a payment and a recovery that lack something, and then a recovery that lacks nothing.
    fn check(
        &self,
        story: &str,
        shop: &TestShop,
        customer: &str,
        serial: usize,
        lacking: &dyn Fn(&[&str]) -> Command,
    ) {
        let before = shop.ledger().len();
        let code = code(customer, serial);
        let ran = lacking(&["pay", "12.34", "--code", &code, "--json"]).output().unwrap();
        let errors = String::from_utf8_lossy(&ran.stderr).into_owned();
        let sent = shop.ledger().len() - before;
        let story = format!("{story}, {customer}: {ran:?}");
        let outcome = match ran.status.code() {
            Some(1 | 3 | 5) => {
                assert!(sent == 0 && ran.stdout.is_empty(), "{story}");
                assert!(!errors.trim().is_empty(), "{story}");
                assert!(!errors.contains("panicked"), "{story}");
                &self.refused
            }
            Some(0 | 10 | 11) => &self.finished,
            Some(12) => {
                assert!(!errors.is_empty(), "{story}");
                &self.open
            }
            // Not even loaded: 127 is the loader's exit code.
            Some(127) | None => {
                assert!(ran.status.signal().is_some() || sent == 0, "{story}");
                &self.ended
            }
            Some(_) => panic!("{story}"),
        };
        outcome.fetch_add(1, Ordering::Relaxed);
        lacking(&["recover"]).output().unwrap();
        let recovered = shop.recover();
        assert_eq!(recovered.exit, 0, "{story}: {recovered:?}");
        shop.assert_books_agree(true);
    }

    fn tell(&self, what: &str) {
        let [refused, finished, open, ended] =
            [&self.refused, &self.finished, &self.open, &self.ended]
                .map(|count| count.load(Ordering::Relaxed));
        let all = refused + finished + open + ended;
        println!(
            "exhaustion, {what}: {all} injected, {refused} refused before sending, {finished} \
             finished, {open} left open, {ended} ended by the system, 0 lost"
        );
        assert!(refused + ended > 0 && finished > 0, "{what}: too much or too little of it");
    }
}

/// Runs payments under each of these limits of a shell's `ulimit`.
fn under(what: &str, option: &str, limits: &[usize]) -> Outcomes {
    let outcomes = Outcomes::default();
    let runs: Vec<(&str, &[usize])> = CUSTOMERS
        .iter()
        .flat_map(|customer| limits.chunks(IN_ONE_SHOP).map(|limits| (*customer, limits)))
        .collect();
    in_lanes(LANES, &runs, |(customer, limits)| {
        let shop = TestShop::open(None, PACE);
        for (serial, limit) in (1..).zip(*limits) {
            let script = format!("ulimit {option} {limit} && exec \"$@\"");
            let lacking = |arguments: &[&str]| shop.by_shell(&script, arguments);
            outcomes.check(&format!("{what} {limit}"), &shop, customer, serial, &lacking);
        }
    });
    outcomes
}

#[test]
fn without_enough_descriptors_nothing_is_lost() {
    let limits = sweep::share(3..36, 3);
    under("descriptors", "-n", &limits).tell("descriptors");
}

/// The address space, in KiB, with which the program just starts: it grows with the program.
fn smallest_start() -> usize {
    let shop = TestShop::open(None, PACE);
    let starts = |limit: &usize| {
        let script = format!("ulimit -v {limit} && exec \"$@\"");
        shop.by_shell(&script, &["--version"]).output().unwrap().status.success()
    };
    (8_192..1 << 20).step_by(1_024).find(starts).unwrap()
}

#[test]
fn without_enough_memory_nothing_is_lost() {
    // In KiB. The smallest do not even let the process start.
    let starts = smallest_start();
    let little = (0..4).map(|step| starts / 4 * step + 1_024);
    let limits = sweep::share(little.chain((starts..starts + 14_336).step_by(512)), 3);
    under("memory", "-v", &limits).tell("address space");
}

#[test]
fn without_room_in_a_file_nothing_is_lost() {
    // In blocks of 512 bytes: within the header, the first pages and the frames of the log.
    let limits = (0..30).chain((30..160).step_by(5)).chain([200, 300, 500, 4000]);
    let limits = sweep::share(limits, 3);
    let outcomes = under("file size", "-f", &limits);
    assert_eq!(outcomes.ended.load(Ordering::Relaxed), 0, "a full file is a failed write");
    outcomes.tell("file size");
}

#[test]
fn without_threads_nothing_is_lost() {
    let library = thread_faults();
    let outcomes = Outcomes::default();
    let threads: Vec<usize> = (0..8).collect();
    in_lanes(LANES, &threads, |from| {
        let shop = TestShop::open(None, PACE);
        for (serial, customer) in (1..).zip(CUSTOMERS) {
            let lacking = |arguments: &[&str]| {
                let mut command = shop.command(arguments);
                command.env("LD_PRELOAD", &library).env("PAYTILL_THREADS", from.to_string());
                command
            };
            outcomes.check(&format!("{from} threads"), &shop, customer, serial, &lacking);
        }
    });
    assert_eq!(outcomes.ended.load(Ordering::Relaxed), 0, "no thread is no reason to die");
    outcomes.tell("threads");
}

#[test]
fn a_screen_without_threads_says_so_and_gives_the_terminal_back() {
    let library = thread_faults();
    let threads: Vec<usize> = (0..8).collect();
    let refused = AtomicUsize::new(0);
    in_lanes(LANES, &threads, |from| {
        let shop = TestShop::open(None, PACE);
        shop.configure(DEVICES);
        let count = from.to_string();
        let environment =
            [("LD_PRELOAD", library.as_os_str()), ("PAYTILL_THREADS", OsStr::new(&count))];
        let mut session = TuiSession::open_with(&shop, &environment);
        let mut is_over = false;
        session.see_that("the till, or why there is none", |screen| {
            screen.contains("Enter the amount.") || screen.contains("paytill: ")
        });
        if session.screen().contains("Enter the amount.") {
            session.press("\x11");
        } else {
            is_over = true;
        }
        let status = session.wait_for_end();
        let story = format!("{from} threads: {status:?}\n{}", session.screen());
        assert!(session.is_given_back(), "{story}");
        assert_eq!(status.exit_code(), u32::from(is_over), "{story}");
        assert!(!session.tape().contains("panicked"), "{story}");
        refused.fetch_add(usize::from(is_over), Ordering::Relaxed);
    });
    let refused = refused.into_inner();
    assert!(refused > 0);
    println!("exhaustion, threads of the screen: {} injected, {refused} refused", threads.len());
}
