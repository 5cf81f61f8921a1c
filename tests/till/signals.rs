//! Signals in every state, to the screen and to `pay`: the journal stays correct, the terminal is
//! restored, the exit code says whether something is open, and readers that go away stop no
//! payment.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::fixture::tui_session::{CTRL_L, CTRL_Q, Device, ESC, Socket, TuiSession};
use crate::fixture::{DEVICES, PACE, TestShop, code, in_lanes};
use paytill::clock::Millis;
use paytill::payment::CallKind;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const LANES: usize = 8;
/// Slow enough that a state lasts until its signal is sent.
const WALK: u32 = 5;
const ENDS: [Signal; 4] = [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT];

/// The state of a till when it gets the signal.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    Idle,
    Typed,
    Ready,
    Sending,
    Waiting,
    Checking,
    Reversing,
    Paid,
    Printing,
}

impl Moment {
    const ALL: [Self; 9] = [
        Self::Idle,
        Self::Typed,
        Self::Ready,
        Self::Sending,
        Self::Waiting,
        Self::Checking,
        Self::Reversing,
        Self::Paid,
        Self::Printing,
    ];

    fn customer(self) -> Option<&'static str> {
        match self {
            Self::Idle | Self::Typed | Self::Ready => None,
            Self::Sending => Some("slow-25"),
            Self::Checking => Some("answer-lost"),
            Self::Waiting | Self::Reversing => Some("walks-away"),
            Self::Paid | Self::Printing => Some("ok"),
        }
    }

    fn is_open(self) -> bool {
        matches!(self, Self::Sending | Self::Waiting | Self::Checking | Self::Reversing)
    }

    fn words(self) -> &'static str {
        match self {
            Self::Idle | Self::Typed | Self::Ready => "READY",
            Self::Sending => "SENDING",
            Self::Waiting => "WAITING FOR CUSTOMER",
            Self::Checking => "CHECKING",
            Self::Reversing => "REVERSING",
            Self::Paid | Self::Printing => "PAID",
        }
    }
}

/// A till in this state, with the devices that must stay connected.
fn bring(shop: &TestShop, moment: Moment) -> (TuiSession, Device, Device) {
    let mut scanner = Socket::new(shop, "scanner").plug();
    let mut printer = Socket::new(shop, "printer").plug_to_jam();
    let mut session = TuiSession::open(shop);
    session.see(&["Enter the amount.", "WeChat Pay ready", "Scanner ready", "Printer ready"]);
    if moment == Moment::Printing {
        printer.jam();
    }
    if moment != Moment::Idle {
        session.press("12.34");
        session.see(&["Press Enter to charge."]);
    }
    if !matches!(moment, Moment::Idle | Moment::Typed) {
        session.press("\r");
        session.see(&["Scan the customer's payment code."]);
    }
    if let Some(customer) = moment.customer() {
        scanner.scan(&code(customer, 1));
        if moment == Moment::Reversing {
            session.see(&["WAITING FOR CUSTOMER"]);
            session.press(ESC);
            session.see(&["Cancel this payment?"]);
            session.answer("\r");
        }
        session.see(&[moment.words()]);
    }
    if moment == Moment::Sending {
        // A till that is stopped between its note of the time and the wire knows less than the bank.
        session.watch_until("the request", || shop.calls() > 0);
    }
    (session, scanner, printer)
}

fn settle(shop: &TestShop, story: &str) {
    let recovered = shop.recover();
    assert_eq!(recovered.exit, 0, "{story}: {recovered:?}");
    shop.assert_books_agree(true);
}

#[test]
fn a_signal_that_ends_the_screen_gives_the_terminal_back_and_says_what_is_open() {
    let cases: Vec<_> =
        Moment::ALL.into_iter().flat_map(|moment| ENDS.map(|signal| (moment, signal))).collect();
    in_lanes(LANES, &cases, |(moment, signal)| {
        let story = format!("{signal:?} at {moment:?}");
        let shop = TestShop::open(None, WALK);
        shop.configure(DEVICES);
        let (mut session, _scanner, _printer) = bring(&shop, *moment);
        session.send(*signal);
        let status = session.wait_for_end();
        let expected = if moment.is_open() { 12 } else { 0 };
        assert_eq!((status.exit_code(), status.signal()), (expected, None), "{story}");
        assert!(session.is_given_back(), "{story}");
        let orders = shop.orders();
        assert_eq!(orders.len(), usize::from(moment.customer().is_some()), "{story}");
        for order in orders.values() {
            assert_eq!(order["open"], moment.is_open(), "{story}: {order}");
        }
        settle(&shop, &story);
    });
    println!("signals: {} that end the screen, {0} ended as they should", cases.len());
}

/// Whether a process is stopped: `/proc` says `T`.
fn is_stopped(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap();
    stat.rsplit(')').next().unwrap().trim_start().starts_with('T')
}

/// Stops a process for this much of the bank's time, then lets it continue.
fn stop(shop: &TestShop, pid: Pid, length: Millis, watch: impl FnOnce(&dyn Fn() -> bool)) {
    kill_process(pid, Signal::STOP).unwrap();
    while !is_stopped(pid) {
        std::thread::yield_now();
    }
    let until = shop.server.now().plus(length);
    watch(&|| shop.server.now() >= until);
    kill_process(pid, Signal::CONT).unwrap();
}

#[test]
fn a_screen_that_is_stopped_or_loses_a_pipe_goes_on() {
    let cases: Vec<_> =
        Moment::ALL.into_iter().flat_map(|moment| [(moment, false), (moment, true)]).collect();
    in_lanes(LANES, &cases, |(moment, stops)| {
        let story = format!("{} at {moment:?}", if *stops { "SIGSTOP" } else { "SIGPIPE" });
        let shop = TestShop::open(None, WALK);
        shop.configure(DEVICES);
        let (mut session, _scanner, _printer) = bring(&shop, *moment);
        let pid = session.pid();
        if *stops {
            stop(&shop, pid, Millis::seconds(20), |has_passed| {
                session.watch_until("the stop's end", has_passed);
            });
        } else {
            session.send(Signal::PIPE);
        }
        // It reacts to keys, and what was open ends.
        session.press(CTRL_L);
        session.see_that("another language", |screen| screen.contains("扫码枪"));
        session.press(CTRL_L);
        session.see_that("the first language", |screen| screen.contains("Scanner"));
        if moment.is_open() {
            session.see_that("an end", |screen| {
                ["PAID", "REVERSED"].iter().any(|end| screen.contains(end))
            });
        }
        assert!(session.is_running(), "{story}");
        session.press(CTRL_Q);
        let status = session.wait_for_end();
        assert_eq!((status.exit_code(), session.is_given_back()), (0, true), "{story}");
        settle(&shop, &story);
        let queries =
            shop.ledger().first().map_or(0, |entry| entry.times_of(CallKind::Query).count());
        assert!(queries <= 10, "{story}: {queries} queries");
    });
    println!("signals: {} that the screen survives, {0} went on", cases.len());
}

/// A payment without the screen, up to the line that reports this state.
struct Payment {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    last: Value,
}

impl Payment {
    fn start(shop: &TestShop, customer: &str, state: &str) -> Self {
        let mut pay = shop.command(&["pay", "12.34", "--code", &code(customer, 1), "--json"]);
        let mut child = pay.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut payment = Self { child, lines, last: Value::Null };
        while payment.last["state"] != state {
            assert!(payment.next(), "{customer} is never {state}: {}", payment.last);
        }
        payment
    }

    fn next(&mut self) -> bool {
        let Some(line) = self.lines.next() else { return false };
        self.last = serde_json::from_str(&line.unwrap()).unwrap();
        true
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap()).unwrap()
    }

    /// Its exit code, its messages to people, and the last status it reported.
    fn end(mut self) -> (Option<i32>, String, Value) {
        while self.next() {}
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (self.child.wait().unwrap().code(), errors, self.last["state"].clone())
    }
}

const STATES: [(&str, &str); 6] = [
    ("walks-away", "created"),
    ("slow-8", "sent"),
    ("walks-away", "waiting"),
    ("answer-lost", "checking"),
    ("walks-away", "reversing"),
    ("recall", "reversing"),
];

type Case = ((&'static str, &'static str), Signal);

fn in_each_state(signals: [Signal; 3]) -> Vec<Case> {
    STATES.into_iter().flat_map(|state| signals.map(|signal| (state, signal))).collect()
}

#[test]
fn a_signal_that_ends_a_payment_leaves_it_open_and_says_so() {
    let signals = [Signal::TERM, Signal::HUP, Signal::QUIT];
    let cases = in_each_state(signals);
    let too_late = AtomicUsize::new(0);
    in_lanes(LANES, &cases, |((customer, state), signal)| {
        let story = format!("{signal:?} at {customer} {state}");
        let shop = TestShop::open(None, PACE);
        let payment = Payment::start(&shop, customer, state);
        kill_process(payment.pid(), *signal).unwrap();
        let (exit, errors, _) = payment.end();
        // On a busy machine, an outcome that is one answer away may come before the signal.
        if matches!((*state, exit), ("sent" | "checking" | "reversing", Some(0 | 11))) {
            too_late.fetch_add(1, Ordering::Relaxed);
            return shop.assert_books_agree(true);
        }
        assert_eq!(exit, Some(12), "{story}: {errors}");
        assert!(errors.contains("paytill recover"), "{story}: {errors}");
        let orders = shop.orders();
        assert!(orders.len() == 1 && orders.values().all(|order| order["open"] == true), "{story}");
        settle(&shop, &story);
    });
    let left_open = cases.len() - too_late.into_inner();
    println!("signals: {} that end `pay`, {left_open} left it open and said so", cases.len());
}

#[test]
fn a_payment_that_is_interrupted_stopped_or_loses_a_pipe_comes_to_its_end() {
    let signals = [Signal::INT, Signal::PIPE, Signal::STOP];
    let cases = in_each_state(signals);
    in_lanes(LANES, &cases, |((customer, state), signal)| {
        let story = format!("{signal:?} at {customer} {state}");
        let shop = TestShop::open(None, PACE);
        let payment = Payment::start(&shop, customer, state);
        if *signal == Signal::STOP {
            stop(&shop, payment.pid(), Millis::seconds(40), |has_passed| {
                while !has_passed() {
                    std::thread::yield_now();
                }
            });
        } else {
            kill_process(payment.pid(), *signal).unwrap();
        }
        let (exit, errors, last) = payment.end();
        match exit {
            Some(0) => assert_eq!(last, "paid", "{story}: {errors}"),
            Some(11) => assert_eq!(last, "reversed", "{story}: {errors}"),
            _ => panic!("{story}: {exit:?} {errors}"),
        }
        shop.assert_books_agree(true);
        settle(&shop, &story);
    });
    println!("signals: {} that `pay` survives, {0} came to their end", cases.len());
}

#[test]
fn readers_that_go_away_stop_no_payment() {
    let ways = [
        "\"$@\" | head -n 1",
        "\"$@\" | true",
        "\"$@\" 2>&1 | true",
        "\"$@\" >&-",
        "\"$@\" >&- 2>&-",
        "\"$@\" <&- >&- 2>&-",
        "\"$@\" >/dev/full",
        "\"$@\" >/dev/full 2>/dev/full",
    ];
    let customers = [("ok", "paid"), ("password-8", "paid"), ("walks-away", "reversed")];
    let cases: Vec<_> =
        ways.into_iter().flat_map(|way| customers.map(|customer| (way, customer))).collect();
    in_lanes(LANES, &cases, |(way, (customer, end))| {
        for json in [&["--json"][..], &[]] {
            let shop = TestShop::open(None, PACE);
            let code = code(customer, 1);
            let arguments = [&["pay", "12.34", "--code", &code][..], json].concat();
            let mut shell: Command = shop.by_shell(way, &arguments);
            shell.env("PATH", "/usr/bin:/bin").output().unwrap();
            let orders = shop.orders();
            let story = format!("{way} {customer}: {orders:?}");
            assert!(
                orders.len() == 1 && orders.values().all(|order| order["state"] == *end),
                "{story}"
            );
            shop.assert_books_agree(true);
        }
    });
    println!("signals: {} lost readers, {0} payments came to their end", 2 * cases.len());
}
