//! The disk fails, once or from some point on, or returns bytes other than those written. Nothing
//! is sent that is not written, the outcome is reported truthfully, and nothing is silently wrong.
//! Every moment has its day (`fixture/sweep.rs`); with `PAYTILL_SWEEP=1` all are tried.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::fixture::tui_session::TuiSession;
use crate::fixture::{
    PACE, Pays, PendingPayment, Ran, TestShop, code, disk_faults, in_lanes, scenario, sweep,
};
use paytill::journal::{Filter, Journal, JournalError, JournalReader};
use paytill::simulator::Api;

const LANES: usize = 24;
const NOT_RECORDED: &str = "COULD NOT BE WRITTEN";

/// A customer, the kind of journal, and the operations on it at which the disk fails.
struct Case {
    pays: Pays,
    customer: &'static str,
    /// Whether the journal is new.
    is_first: bool,
    /// More operations than this payment needs.
    most: usize,
    step: usize,
}

const V2: Pays = Pays::ByCode(Api::V2);
const CASES: [Case; 5] = [
    Case { pays: V2, customer: "walks-away", is_first: false, most: 280, step: 9 },
    Case { pays: V2, customer: "ok", is_first: true, most: 170, step: 1 },
    Case { pays: V2, customer: "ok", is_first: false, most: 90, step: 1 },
    Case { pays: Pays::ByScan(Api::V3), customer: "ok", is_first: false, most: 120, step: 2 },
    Case {
        pays: Pays::ByScan(Api::V2),
        customer: "walks-away",
        is_first: true,
        most: 280,
        step: 9,
    },
];
/// Payments with a fault in one shop that has sold before.
const IN_ONE_SHOP: usize = 8;

/// How the disk fails (`disk_faults.c`), and the step between the operations that are tried.
const FAULTS: [(&str, usize); 5] =
    [("eio", 1), ("enospc", 1), ("short", 5), ("torn", 3), ("erofs", 3)];

/// A payment on a disk that fails at one operation, and what must hold afterwards. Returns its exit
/// code.
fn check(shop: &TestShop, case: &Case, fault: &str, operation: usize) -> i32 {
    let before = shop.ledger().len();
    let pay = case.pays.command(case.customer, operation);
    let ran = Ran::of(shop.faulty(&pay, &format!("{fault}:{operation}")).output().unwrap());
    let ledger = shop.ledger();
    let number = ran.lines.last().map(|line| line["order_no"].as_str().unwrap());
    let ours = ledger.iter().find(|entry| Some(entry.out_trade_no.as_str()) == number);
    let story = format!("{} {fault}:{operation} {ran:?}\n{ours:?}", case.customer);
    let recorded = !ran.errors.contains(NOT_RECORDED);
    match (ran.exit, ours) {
        (5, _) => {
            assert_eq!(ledger.len(), before, "nothing was sent: {story}");
            assert!(ran.lines.is_empty() && !ran.errors.is_empty(), "{story}");
        }
        (0, Some(ours)) => {
            assert_eq!(ours.net().minor(), 1234, "{story}");
            assert_eq!(ran.last()["state"], "paid", "{story}");
        }
        (10 | 11, Some(ours)) => assert_eq!(ours.net().minor(), 0, "{story}"),
        (12, _) => assert!(!recorded, "the cashier knows why: {story}"),
        _ => panic!("{story}"),
    }
    if fault == "short" || (operation + case.step > case.most && fault != "erofs") {
        assert!(recorded && [0, 10, 11].contains(&ran.exit), "it needs more operations: {story}");
    }
    // Nobody has seen a code that the disk does not have.
    let shown = ran
        .lines
        .iter()
        .find_map(|line| Some((line["order_no"].as_str()?, line["code_url"].as_str()?)));
    if let Some((number, code)) = shown {
        let kept = String::from_utf8(shop.run(&["show", number]).stdout).unwrap();
        assert!(kept.contains(code), "{story}\n{kept}");
    }
    // The disk works again. Whatever was not reported as unwritten is written.
    if recorded && let Some(number) = number {
        assert_eq!(shop.orders()[number]["state"], ran.last()["state"], "{story}");
    }
    let recovered = shop.recover();
    assert_eq!(recovered.exit, 0, "{recovered:?}\n{story}");
    shop.assert_books_agree(true);
    ran.exit
}

/// How often each exit code occurred.
#[derive(Default)]
struct Exits(Mutex<BTreeMap<i32, usize>>);

impl Exits {
    fn count(&self, exit: i32) {
        *self.0.lock().unwrap().entry(exit).or_default() += 1;
    }

    fn tell(&self, what: &str) {
        let exits = self.0.lock().unwrap();
        let all: usize = exits.values().sum();
        println!("disk, {what}: {all} injected, exit codes {exits:?}, 0 lost");
    }
}

#[test]
fn a_disk_that_fails_at_any_moment_costs_no_money_and_no_truth() {
    let mut runs = Vec::new();
    let exits: BTreeMap<&str, Exits> = FAULTS.map(|(fault, _)| (fault, Exits::default())).into();
    for case in &CASES {
        let in_one_shop = if case.is_first { 1 } else { IN_ONE_SHOP };
        for (fault, every) in FAULTS {
            let operations = sweep::share((1..=case.most).step_by(case.step * every), 4);
            let shops = operations.chunks(in_one_shop).map(<[usize]>::to_vec);
            runs.extend(shops.map(|operations| (case, fault, operations)));
        }
    }
    in_lanes(LANES, &runs, |(case, fault, operations)| {
        let shop = case.pays.open(case.customer);
        if !case.is_first {
            assert_eq!(shop.pay("1.00", &code("ok", 0)).exit, 0);
        }
        for operation in operations {
            exits[fault].count(check(&shop, case, fault, *operation));
        }
    });
    for (fault, exits) in &exits {
        exits.tell(&format!("payments, {fault}"));
    }
}

#[test]
fn a_disk_that_fails_at_any_moment_of_a_recovery_costs_no_money_and_no_truth() {
    const MOST: usize = 80;
    let exits: BTreeMap<&str, Exits> = FAULTS.map(|(fault, _)| (fault, Exits::default())).into();
    let mut runs = Vec::new();
    for (fault, every) in FAULTS {
        let operations = sweep::share((1..=MOST).step_by(every), 4);
        runs.extend(operations.chunks(IN_ONE_SHOP).map(|operations| (fault, operations.to_vec())));
    }
    in_lanes(LANES, &runs, |(fault, operations)| {
        let shop = TestShop::open(None, PACE);
        let mut is_open = false;
        for operation in operations {
            if !is_open {
                let customer = code("walks-away", *operation);
                drop(PendingPayment::start(&shop, "5", &customer));
            }
            let before = shop.ledger().len();
            let fault_now = format!("{fault}:{operation}");
            let ran = Ran::of(shop.faulty(&["recover", "--json"], &fault_now).output().unwrap());
            let story = format!("{fault_now} {ran:?}");
            assert!([0, 5, 12].contains(&ran.exit), "{story}");
            assert!(ran.exit == 0 || !ran.errors.is_empty(), "{story}");
            assert_eq!(shop.ledger().len(), before, "no new payment: {story}");
            shop.assert_books_agree(ran.exit == 0);
            is_open = ran.exit != 0;
            exits[fault].count(ran.exit);
        }
        let recovered = shop.recover();
        assert_eq!(recovered.exit, 0, "{fault} {operations:?} {recovered:?}");
        shop.assert_books_agree(true);
    });
    for (fault, exits) in &exits {
        exits.tell(&format!("recoveries, {fault}"));
    }
}

/// The screen on a disk that fails during the start or the first sale: it sells, or says why not.
#[test]
fn a_screen_whose_disk_fails_says_so_or_sells() {
    let library = disk_faults();
    let cases = ["eio", "erofs"]
        .into_iter()
        .flat_map(|fault| (1..50).step_by(4).map(move |operation| (fault, operation)));
    let cases: Vec<(&str, usize)> = sweep::share(cases, 3);
    let exits = Exits::default();
    in_lanes(8, &cases, |(fault, operation)| {
        let shop = TestShop::open(Some(scenario("ok")), PACE);
        assert_eq!(shop.pay("1.00", &code("ok", 1)).exit, 0);
        let fault = format!("{fault}:{operation}");
        let environment =
            [("LD_PRELOAD", library.as_os_str()), ("PAYTILL_FAULT", OsStr::new(&fault))];
        let mut session = TuiSession::open_with(&shop, &environment);
        session.see_that("the till, or why there is none", |screen| {
            screen.contains("WeChat Pay ready") || screen.contains("paytill: ")
        });
        let mut exit = 5;
        if session.screen().contains("WeChat Pay ready") {
            session.press("12.34\r");
            session.see(&["Scan the customer's payment code."]);
            session.type_scan("130000000000000002");
            let stopped = "Payments cannot be saved";
            session.see_that(&format!("{fault}: an end"), |screen| {
                screen.contains("Payment received.") || screen.contains(stopped)
            });
            exit = if session.screen().contains(stopped) { 12 } else { 0 };
        } else {
            assert_eq!(session.wait_for_end().exit_code(), 5, "{fault}: {}", session.screen());
            assert_eq!(shop.ledger().len(), 1, "{fault}");
        }
        drop(session);
        let recovered = shop.recover();
        assert_eq!(recovered.exit, 0, "{fault}: {recovered:?}");
        shop.assert_books_agree(true);
        exits.count(exit);
    });
    exits.tell("screens");
}

#[test]
fn after_the_disk_was_full_the_till_sells_again() {
    let shop = TestShop::open(Some(scenario("ok")), PACE);
    for (serial, operation) in (10..).zip([1, 4, 9, 16, 25]) {
        let fails = code("ok", serial);
        let pay = ["pay", "12.34", "--code", &fails];
        shop.faulty(&pay, &format!("enospc:{operation}")).output().unwrap();
        assert_eq!(shop.pay("2.00", &code("ok", serial + 10)).exit, 0);
    }
    assert_eq!(shop.recover().exit, 0);
    shop.assert_books_agree(true);
}

/// Everything that a journal says.
fn said(journal: &Path) -> Result<Vec<String>, JournalError> {
    let Some(reader) = JournalReader::open(journal, None)? else { return Ok(Vec::new()) };
    let mut said = Vec::new();
    for row in reader.orders(&Filter::default())? {
        let again = reader.order(row.out_trade_no.as_str())?;
        let entries = reader.entries(row.attempt)?;
        said.push(format!("{row:?} {again:?} {entries:?}"));
    }
    Ok(said)
}

/// Everything that a till would resume.
fn remembered(journal: &Path) -> Result<String, JournalError> {
    loop {
        match Journal::open(journal, None) {
            // For a moment, a process started by another test holds this one's locks.
            Err(JournalError::Held(_)) => std::thread::yield_now(),
            opened => return opened.map(|(_, past)| format!("{past:?}")),
        }
    }
}

#[test]
fn bytes_that_changed_on_the_disk_are_noticed_or_change_nothing() {
    const REGION: usize = 512;
    let shop = TestShop::open(None, PACE);
    for (serial, name) in (1..).zip(["ok", "notenough", "ok", "walks-away", "ok", "password-7"]) {
        let code = code(name, serial);
        shop.run(&["pay", "12.34", "--note", "tea", "--code", &code]);
    }
    // One payment is left open, for a till to resume.
    drop(PendingPayment::start(&shop, "5", &code("walks-away", 9)));
    let taken_in = remembered(&shop.journal()).unwrap();
    let (right, past) = (said(&shop.journal()).unwrap(), remembered(&shop.journal()).unwrap());
    assert!(past.contains("amount: Money(500)") && past == taken_in, "{past}");
    let whole = fs::read(shop.journal()).unwrap();
    let regions = sweep::share((0..whole.len()).step_by(REGION), 2);
    let noticed = AtomicUsize::new(0);
    in_lanes(2, &regions, |region| {
        let mut random = fastrand::Rng::with_seed(*region as u64);
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal.sqlite");
        for _ in 0..8 {
            let mut changed = whole.clone();
            let (at, bit) = (region + random.usize(..REGION), 1_u8 << random.u8(..8));
            changed[at] ^= bit;
            fs::write(&journal, &changed).unwrap();
            fs::copy(
                shop.path().join("journal.sqlite.head"),
                folder.path().join("journal.sqlite.head"),
            )
            .unwrap();
            let story = format!("byte {at}, bit {bit}");
            match remembered(&journal) {
                Err(_) => {
                    assert_eq!(fs::read(&journal).unwrap(), changed, "{story}: changed");
                    noticed.fetch_add(1, Ordering::Relaxed);
                }
                Ok(remembered) => {
                    assert!(remembered == past, "{story} is not noticed");
                    assert!(said(&journal).unwrap() == right, "{story} is not noticed");
                }
            }
        }
    });
    println!(
        "disk: {} bits flipped, {noticed:?} noticed, 0 that change anything",
        8 * regions.len()
    );
}
