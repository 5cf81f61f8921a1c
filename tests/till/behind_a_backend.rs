//! The same scenarios once more with the merchant's backend between till and gateway: the till's journal,
//! the backend's books and the bank's ledger agree.

use crate::fixture::{PACE, TestShop, in_lanes, sweep};
use paytill::payment::Status;
use paytill::simulator::{Scenario, SpecialCase};

/// Payments that run concurrently: each has a backend of its own.
const LANES: usize = 4;
/// A share of the scenarios each day: all of them through one more process load a small machine.
const ONE_IN: usize = 4;

fn check(scenario: Scenario) {
    let name = scenario.name();
    let shop = TestShop::open_behind_a_backend(Some(scenario), PACE);
    let ran = shop.pay("12.34", "130000000000000000");
    let expected = scenario.expected().unwrap().status;
    let last = ran.last();
    let behind = shop.behind.as_ref().unwrap();
    let story = || {
        let books = behind.payments(&shop.runtime);
        let ledger = shop.ledger();
        let said = format!("{:?} exit {}\n{last}\n{}", ran.states(), ran.exit, ran.errors);
        format!("{name}: {said}\n{books:#?}\n{ledger:#?}")
    };
    // Refused, and charged all the same: the till may have said "not paid" before the backend found the
    // money, which then goes back.
    let first = last["state"].as_str().unwrap();
    let is_so = first == expected.word()
        || expected == Status::Reversed && first == Status::Declined.word();
    assert!(is_so, "{first} for {}: {}", expected.word(), story());
    assert_eq!(last["transaction_id"].is_string(), expected == Status::Paid, "{}", story());
    let is_late = scenario == Scenario::Odd(SpecialCase::DeliveredLate);
    let attention = expected == Status::Attention;
    let recovered = shop.recover();
    assert_eq!(recovered.exit, if attention { 12 } else { 0 }, "{recovered:?} {}", story());
    if attention || is_late {
        return;
    }
    shop.assert_books_agree(true);
    let orders = shop.orders();
    let state = orders.values().next().unwrap()["state"].as_str().unwrap();
    let is_so = state == expected.word()
        || expected == Status::Reversed && state == Status::Declined.word();
    assert!(is_so, "{state} after all: {}", story());
    let books = behind.payments(&shop.runtime);
    assert_eq!(books.len(), 1, "{}", story());
    let theirs = books[0].state.status();
    let agree = theirs == expected || theirs.is_over_unpaid() && expected.is_over_unpaid();
    assert!(agree, "the backend says {theirs:?}: {}", story());
}

#[test]
fn every_scenario_ends_as_it_should() {
    let scenarios: Vec<Scenario> =
        Scenario::all().into_iter().filter(|scenario| scenario.expected().is_some()).collect();
    assert!(scenarios.len() > 100);
    in_lanes(LANES, &sweep::share(scenarios, ONE_IN), |scenario| check(*scenario));
}
