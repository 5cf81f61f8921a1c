//! The same scenarios once more with the merchant's backend between till and gateway: the till's journal,
//! the backend's books and the bank's ledger agree.

use crate::fixture::{PACE, TestShop, in_lanes};
use paytill::payment::Status;
use paytill::simulator::{Scenario, SpecialCase};

/// Payments that run concurrently; they mostly wait.
const LANES: usize = 12;

fn check(scenario: Scenario) {
    let name = scenario.name();
    let shop = TestShop::open_behind_a_backend(Some(scenario), PACE);
    let ran = shop.pay("12.34", "130000000000000000");
    let expected = scenario.expected().unwrap();
    let last = ran.last();
    let behind = shop.behind.as_ref().unwrap();
    let story = || {
        let books = behind.payments(&shop.runtime);
        let ledger = shop.ledger();
        format!(
            "{name}: {:?} exit {}\n{last}\n{}\n{books:#?}\n{ledger:#?}",
            ran.states(),
            ran.exit,
            ran.errors
        )
    };
    assert_eq!(last["state"], expected.status.word(), "{}", story());
    assert_eq!(last["transaction_id"].is_string(), expected.status == Status::Paid, "{}", story());
    let is_late = scenario == Scenario::Odd(SpecialCase::DeliveredLate);
    let attention = expected.status == Status::Attention;
    if !attention && !is_late {
        shop.assert_books_agree(false);
    }
    let recovered = shop.recover();
    assert_eq!(recovered.exit, if attention { 12 } else { 0 }, "{recovered:?} {}", story());
    if attention || is_late {
        return;
    }
    shop.assert_books_agree(true);
    let books = behind.payments(&shop.runtime);
    assert_eq!(books.len(), 1, "{}", story());
    let theirs = books[0].state.status();
    let agree =
        theirs == expected.status || theirs.is_over_unpaid() && expected.status.is_over_unpaid();
    assert!(agree, "the backend says {theirs:?}: {}", story());
}

#[test]
fn every_scenario_ends_as_it_should() {
    let scenarios: Vec<Scenario> =
        Scenario::all().into_iter().filter(|scenario| scenario.expected().is_some()).collect();
    assert!(scenarios.len() > 100);
    in_lanes(LANES, &scenarios, |scenario| check(*scenario));
}
