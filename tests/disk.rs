//! The disk fails, once or from a moment on, or gives back other bytes than it was given. Nothing
//! is sent that is not written, the outcome is told truthfully, and nothing is silently wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it fails")]

mod common;

use std::fs;
use std::path::Path;

use common::{PACE, Ran, Shop, Waiting, in_lanes};
use paytill::journal::{Filter, Journal, JournalError, Reader};
use paytill::simulator::Scenario;

const LANES: usize = 24;
const NOT_RECORDED: &str = "COULD NOT BE WRITTEN";

fn scenario(name: &str) -> Scenario {
    Scenario::from_name(name).unwrap()
}

/// A customer, on what journal, and at which operations on it the disk fails.
struct Case {
    customer: &'static str,
    /// Whether the journal is new.
    is_first: bool,
    /// More operations than this payment needs.
    most: usize,
    step: usize,
}

const CASES: [Case; 3] = [
    Case { customer: "walks-away", is_first: false, most: 235, step: 9 },
    Case { customer: "ok", is_first: true, most: 90, step: 1 },
    Case { customer: "ok", is_first: false, most: 50, step: 1 },
];
/// Payments with a fault in one shop that has sold before.
const IN_ONE_SHOP: usize = 8;

/// A payment on a disk that fails at one operation, and what must hold after it.
fn check(shop: &Shop, case: &Case, fault: &str, operation: usize) {
    let before = shop.ledger().len();
    let code = scenario(case.customer).code(operation as u64);
    let pay = ["pay", "12.34", "--code", &code, "--json"];
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
        (11, Some(ours)) => assert_eq!(ours.net().minor(), 0, "{story}"),
        (12, _) => assert!(!recorded, "the cashier knows why: {story}"),
        _ => panic!("{story}"),
    }
    if operation + case.step > case.most {
        assert!(recorded && [0, 11].contains(&ran.exit), "it needs more operations: {story}");
    }
    // The disk is well again. What was not told as unwritten is written.
    if recorded && let Some(number) = number {
        assert_eq!(shop.orders()[number]["state"], ran.last()["state"], "{story}");
    }
    let recovered = shop.recover();
    assert_eq!(recovered.exit, 0, "{recovered:?}\n{story}");
    shop.assert_books_agree(true);
}

#[test]
fn a_disk_that_fails_at_any_moment_costs_no_money_and_no_truth() {
    let mut runs = Vec::new();
    for case in &CASES {
        let operations: Vec<usize> = (1..=case.most).step_by(case.step).collect();
        let in_one_shop = if case.is_first { 1 } else { IN_ONE_SHOP };
        for fault in ["eio", "enospc"] {
            let shops = operations.chunks(in_one_shop).map(<[usize]>::to_vec);
            runs.extend(shops.map(|operations| (case, fault, operations)));
        }
    }
    in_lanes(LANES, &runs, |(case, fault, operations)| {
        let shop = Shop::open(None, PACE);
        if !case.is_first {
            assert_eq!(shop.pay("1.00", &scenario("ok").code(0)).exit, 0);
        }
        for operation in operations {
            check(&shop, case, fault, *operation);
        }
    });
}

#[test]
fn after_the_disk_was_full_the_till_sells_again() {
    let shop = Shop::open(Some(scenario("ok")), PACE);
    for (serial, operation) in (10..).zip([1, 4, 9, 16, 25]) {
        let code = scenario("ok").code(serial);
        let pay = ["pay", "12.34", "--code", &code];
        shop.faulty(&pay, &format!("enospc:{operation}")).output().unwrap();
        assert_eq!(shop.pay("2.00", &scenario("ok").code(serial + 10)).exit, 0);
    }
    assert_eq!(shop.recover().exit, 0);
    shop.assert_books_agree(true);
}

/// All that a journal says.
fn said(journal: &Path) -> Result<Vec<String>, JournalError> {
    let Some(reader) = Reader::open(journal)? else { return Ok(Vec::new()) };
    let mut said = Vec::new();
    for row in reader.orders(&Filter::default())? {
        let again = reader.order(row.out_trade_no.as_str())?;
        let entries = reader.entries(row.attempt)?;
        said.push(format!("{row:?} {again:?} {entries:?}"));
    }
    Ok(said)
}

/// All that a till would go on with.
fn remembered(journal: &Path) -> Result<String, JournalError> {
    loop {
        match Journal::open(journal) {
            // For a moment a process that another test starts has this one's locks.
            Err(JournalError::Held(_)) => std::thread::yield_now(),
            opened => return opened.map(|(_, past)| format!("{past:?}")),
        }
    }
}

#[test]
fn bytes_that_changed_on_the_disk_are_noticed_or_change_nothing() {
    const REGION: usize = 512;
    let shop = Shop::open(None, PACE);
    for (serial, name) in (1..).zip(["ok", "notenough", "ok", "walks-away", "ok", "password-7"]) {
        let code = scenario(name).code(serial);
        shop.run(&["pay", "12.34", "--note", "tea", "--code", &code]);
    }
    // One is left open, for a till to go on with.
    drop(Waiting::start(&shop, "5", &scenario("walks-away").code(9)));
    let taken_in = remembered(&shop.journal()).unwrap();
    let (right, past) = (said(&shop.journal()).unwrap(), remembered(&shop.journal()).unwrap());
    assert!(past.contains("amount: Money(500)") && past == taken_in, "{past}");
    let whole = fs::read(shop.journal()).unwrap();
    let regions: Vec<usize> = (0..whole.len()).step_by(REGION).collect();
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
                Err(_) => assert_eq!(fs::read(&journal).unwrap(), changed, "{story}: changed"),
                Ok(remembered) => {
                    assert!(remembered == past, "{story} is not noticed");
                    assert!(said(&journal).unwrap() == right, "{story} is not noticed");
                }
            }
        }
    });
}
