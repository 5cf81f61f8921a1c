//! The wall clock jumps under a running till. Payments keep the bank's time, numbers stay unique,
//! and nothing is polled more often than usual.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::fixture::tui_session::{Socket, TuiSession};
use crate::fixture::{SERIAL_SCANNER, TestShop, clock_faults, code, in_lanes};
use paytill::clock::Millis;
use paytill::payment::CallKind;
use paytill_host::clock::Clock;
use serde_json::Value;

const LANES: usize = 12;
/// Slow enough that no query is skipped because the machine is busy.
const WALK: u32 = 5;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// The last second that fits into 32 bits.
const YEAR_2038: i64 = 0x7fff_ffff;

/// One shop's wall clock.
struct Wall {
    path: PathBuf,
    file: File,
}

impl Wall {
    fn new(shop: &TestShop) -> Self {
        let path = shop.path().join("clock");
        std::fs::write(&path, [0; 8]).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        Self { path, file }
    }

    /// Makes the clock wrong by this many seconds from now on.
    fn jump(&self, seconds: i64) {
        self.file.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }

    fn environment(&self) -> [(&'static str, PathBuf); 2] {
        [("LD_PRELOAD", clock_faults()), ("PAYTILL_CLOCK", self.path.clone())]
    }
}

/// Ways in which a clock goes wrong: the successive errors in seconds.
fn jumps() -> Vec<(&'static str, Vec<i64>)> {
    let now = Clock::start().wall().0 / 1000;
    vec![
        ("an hour back", vec![-HOUR]),
        ("a day ahead", vec![DAY]),
        ("a minute back and ahead", vec![-60, 60, 0]),
        ("to 1970", vec![-now]),
        ("to 1970 and back again", vec![-now, 0]),
        ("to 2038", vec![YEAR_2038 - now - 3]),
        ("everywhere", vec![-HOUR, DAY, -now, YEAR_2038 - now, 7, -7, 0]),
    ]
}

/// The bank was polled no more often than every five seconds: a slow machine polls later, but never
/// sooner than the transit time allows. And the payment was reversed once its time was over.
fn keeps_time(shop: &TestShop, customer: &str, story: &str) {
    const WAY: Millis = Millis(2_000);
    let ledger = shop.ledger();
    assert_eq!(ledger.len(), 1, "{story}: {ledger:?}");
    let entry = &ledger[0];
    let submitted = entry.times_of(CallKind::Submit).next().unwrap();
    let since = |at: Millis| at.minus(submitted);
    let reversed = entry.times_of(CallKind::Reverse).next().map(since);
    let queries: Vec<Millis> = entry.times_of(CallKind::Query).map(since).collect();
    let waiting = queries.iter().filter(|at| reversed.is_none_or(|reversed| **at < reversed));
    for (at, seconds) in waiting.zip((5..).step_by(5)) {
        assert!(at.plus(WAY) >= Millis::seconds(seconds), "{story}: {entry:?}");
    }
    if customer == "walks-away" {
        // The upper bound only shows that nothing waited for the wall clock.
        assert!(queries[0] < Millis::seconds(25), "{story}: {entry:?}");
        if let Some(reversed) = reversed {
            let in_time = Millis::seconds(28) <= reversed && reversed < Millis::seconds(90);
            assert!(in_time, "{story}: {entry:?}");
        }
    }
}

/// Before any certificate is valid.
fn is_ancient(seconds: i64) -> bool {
    seconds < -10_000 * DAY
}

#[test]
fn a_clock_that_jumps_under_a_payment_changes_neither_its_times_nor_its_end() {
    let customers = ["walks-away", "password-13", "answer-lost"];
    let cases: Vec<_> = jumps()
        .into_iter()
        .flat_map(|jump| customers.map(|customer| (jump.clone(), customer)))
        .collect();
    in_lanes(LANES, &cases, |((what, seconds), customer)| {
        let story = format!("{what}, {customer}");
        let shop = TestShop::open(None, WALK);
        // A certificate is not valid at just any time: while none can be presented, the payment
        // stays open until the clock is right again. This test does not wait for that long.
        let stays_open = seconds.iter().any(|seconds| is_ancient(*seconds));
        if stays_open {
            shop.reconfigure("attention_after_ms = 36000", "attention_after_ms = 3000");
        }
        let wall = Wall::new(&shop);
        let code = code(customer, 1);
        let mut pay = shop.command(&["pay", "12.34", "--code", &code, "--json"]);
        pay.envs(wall.environment()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pay.spawn().unwrap();
        let (post, lines) = channel();
        let reader = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            reader.lines().try_for_each(|line| post.send(line.unwrap())).ok();
        });
        let mut last = Value::Null;
        let mut jumps = seconds.iter();
        let mut next = None;
        loop {
            match lines.recv_timeout(Duration::from_millis(10)) {
                Ok(line) => last = serde_json::from_str(&line).unwrap(),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // Once the bank has the request, the clock goes wrong, and again every four seconds.
            let is_there = last["state"] == "waiting" || last["state"] == "checking";
            if next.map_or(is_there, |next| shop.server.now() >= next) {
                next = Some(shop.server.now().plus(Millis::seconds(4)));
                if let Some(seconds) = jumps.next() {
                    wall.jump(*seconds);
                }
            }
        }
        let ran = child.wait_with_output().unwrap();
        let story = format!("{story}: {last} {ran:?}");
        assert!(next.is_some(), "it never jumped: {story}");
        keeps_time(&shop, customer, &story);
        match ran.status.code() {
            Some(0) => assert_eq!(last["state"], "paid", "{story}"),
            Some(11) => assert_eq!(last["state"], "reversed", "{story}"),
            Some(12) => assert!(stays_open, "{story}"),
            _ => panic!("{story}"),
        }
        wall.jump(0);
        let recovered = shop.recover();
        assert_eq!(recovered.exit, 0, "{story}: {recovered:?}");
        shop.assert_books_agree(true);
    });
    println!("wall clock: {} jumps under a payment, {0} kept their time", cases.len());
}

#[test]
fn a_clock_that_jumps_between_payments_gives_no_number_twice() {
    let shop = TestShop::open(None, WALK);
    let wall = Wall::new(&shop);
    let mut numbers = BTreeSet::new();
    let mut sales = 0;
    for round in 0..2 {
        for (_, seconds) in jumps() {
            for seconds in seconds {
                wall.jump(seconds);
                let code = code("ok", sales);
                let mut pay = shop.command(&["pay", "2.00", "--code", &code, "--json"]);
                let ran = crate::fixture::Ran::of(pay.envs(wall.environment()).output().unwrap());
                let story = format!("{round} {seconds}: {ran:?}");
                // Far in the past no certificate is valid yet, and nothing is sent.
                assert!(ran.exit == 0 || (ran.exit == 10 && is_ancient(seconds)), "{story}");
                assert!(numbers.insert(ran.last()["order_no"].to_string()), "{story}");
                sales += 1;
            }
        }
    }
    wall.jump(0);
    assert_eq!(shop.recover().exit, 0);
    shop.assert_books_agree(true);
    assert_eq!(shop.orders().len() as u64, sales);
    println!("wall clock: {sales} jumps between payments, {} numbers", numbers.len());
}

#[test]
fn a_clock_that_jumps_under_the_screen_changes_neither_times_nor_pace() {
    let cases = jumps();
    in_lanes(LANES, &cases, |(what, seconds)| {
        let shop = TestShop::open(None, WALK);
        shop.configure(SERIAL_SCANNER);
        let wall = Wall::new(&shop);
        let mut scanner = Socket::new(&shop, "scanner").plug();
        let environment = wall.environment();
        let environment = environment.each_ref().map(|(name, value)| (*name, OsStr::new(value)));
        let mut session = TuiSession::open_with(&shop, &environment);
        session.see(&["Enter the amount.", "WeChat Pay ready", "Scanner ready"]);
        session.press("12.34\r");
        session.see(&["Scan the customer's payment code."]);
        scanner.scan(&code("walks-away", 1));
        session.see(&["WAITING FOR CUSTOMER"]);
        let drawn = session.tape().len();
        for seconds in seconds {
            wall.jump(*seconds);
            let later = shop.server.now().plus(Millis::seconds(3));
            session.watch_until("three seconds", || shop.server.now() >= later);
        }
        session.see(&["REVERSING"]);
        // A screen that redraws without pausing would draw megabytes in this time.
        let more = session.tape().len() - drawn;
        assert!(more < 60_000, "{what}: {more} bytes drawn");
        wall.jump(0);
        session.see(&["REVERSED"]);
        keeps_time(&shop, "walks-away", what);
        session.press("\x11");
        assert_eq!(session.wait_for_end().exit_code(), 0, "{what}");
        assert_eq!(shop.recover().exit, 0, "{what}");
        shop.assert_books_agree(true);
    });
    println!("wall clock: {} jumps under the screen, {0} kept their time", cases.len());
}
