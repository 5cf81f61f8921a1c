//! `paytill pay` with every scenario of the simulated gateway: the status, the exit code and the
//! bank's ledger agree, and after `recover` nothing is open that could be resolved.

use crate::fixture::{PACE, PendingPayment, TestShop, code, in_lanes};
use paytill::payment::Status;
use paytill::simulator::{Api, Scenario, SpecialCase};

/// Payments that run concurrently; they mostly wait.
const LANES: usize = 12;

fn exit_code(status: Status) -> i32 {
    match status {
        Status::Paid => 0,
        Status::Declined => 10,
        Status::Reversed => 11,
        _ => 12,
    }
}

/// Runs one scenario and checks its outcome.
fn check(api: Api, scenario: Scenario) {
    let name = format!("{} ({api:?})", scenario.name());
    let shop = TestShop::open_for(api, Some(scenario), PACE);
    let ran = shop.pay("12.34", "130000000000000000");
    let expected = match api {
        Api::V2 => scenario.expected(),
        Api::V3 | Api::V3Certificates => scenario.expected_by_v3(),
    };
    let expected = expected.unwrap();
    let last = ran.last();
    let story = format!("{name}: {:?} exit {}\n{last}\n{}", ran.states(), ran.exit, ran.errors);
    assert_eq!(last["state"], expected.status.word(), "{story}");
    assert_eq!(ran.exit, exit_code(expected.status), "{story}");
    assert_eq!(&ran.states()[..2], ["created", "sent"], "{story}");
    assert_eq!(last["amount"], 1234, "{story}");
    assert_eq!(last["transaction_id"].is_string(), expected.status == Status::Paid, "{story}");
    assert_eq!(last["reason"].is_null(), expected.status == Status::Paid, "{story}");
    // The request arrives after everything has ended, and how soon depends on the speed of this
    // machine. A till that keeps running finds it with its rechecks; the simulation covers those.
    let is_late = scenario == Scenario::Odd(SpecialCase::DeliveredLate);
    if expected.status != Status::Attention && !is_late {
        shop.assert_books_agree(false);
    }
    let net: i64 = shop.ledger().iter().map(|entry| entry.net().minor()).sum();
    let charged = match scenario {
        Scenario::Odd(SpecialCase::PartlyRefunded) => 1234 - 124,
        _ if expected.net_charged => 1234,
        _ => 0,
    };
    assert!(net == charged || is_late, "{story}: {net}");

    let recovered = shop.recover();
    let attention = expected.status == Status::Attention;
    assert_eq!(recovered.exit, if attention { 12 } else { 0 }, "{name}: {recovered:?}");
    if !attention && !is_late {
        shop.assert_books_agree(true);
    }
    let after = shop.orders();
    assert_eq!(after.len(), 1);
    let state = after.values().next().unwrap()["state"].clone();
    assert_eq!(state, expected.status.word(), "{name}: recovery changed the end");
}

#[test]
fn every_scenario_ends_as_it_should() {
    let scenarios: Vec<Scenario> =
        Scenario::all().into_iter().filter(|scenario| scenario.expected().is_some()).collect();
    assert!(scenarios.len() > 100);
    let both = [Api::V2, Api::V3].into_iter();
    let all: Vec<_> = both.flat_map(|api| scenarios.iter().map(move |it| (api, *it))).collect();
    in_lanes(LANES, &all, |(api, scenario)| check(*api, *scenario));
}

#[test]
fn the_code_alone_chooses_the_customer() {
    let shop = TestShop::open(None, PACE);
    for (scenario, status) in
        [("ok", "paid"), ("notenough", "declined"), ("walks-away", "reversed")]
    {
        let code = code(scenario, 7);
        let ran = shop.pay("5", &code);
        assert_eq!(ran.last()["state"], status, "{ran:?}");
    }
}

#[test]
fn recovery_reports_each_step_once_and_says_so_where_there_is_nothing_to_do() {
    let shop = TestShop::open(Scenario::from_name("walks-away"), PACE);
    drop(PendingPayment::start(&shop, "12.34", "130000000000000000"));
    let recovered = shop.recover();
    assert_eq!(recovered.exit, 0, "{recovered:?}");
    assert_eq!(recovered.states(), ["waiting", "reversing", "reversed"]);
    assert!(!recovered.errors.contains("nothing is open"), "{recovered:?}");
    let again = shop.recover();
    assert_eq!((again.exit, again.lines.len()), (0, 0), "{again:?}");
    assert!(!again.errors.contains("nothing is open"), "that is for people: {again:?}");
    let for_people = shop.run(&["recover"]);
    assert!(for_people.stdout.is_empty());
    assert!(String::from_utf8_lossy(&for_people.stderr).contains("nothing is open"));
}

#[test]
fn recovery_finds_what_arrived_after_its_end_once_it_is_due_to_be_queried_again() {
    let shop = TestShop::open(Scenario::from_name("delivered-late"), PACE);
    let ran = shop.pay("12.34", "130000000000000000");
    assert_eq!(ran.last()["state"], "reversed", "{ran:?}");
    // The request arrives; the till is off. Each recovery asks only about what is due.
    let mut recovered = shop.recover();
    while !shop.ledger().iter().any(|entry| entry.charged.minor() > 0 && entry.net().minor() == 0) {
        assert_eq!(recovered.exit, 0, "{recovered:?}");
        recovered = shop.recover();
    }
    assert_eq!(recovered.states(), ["reversing", "reversed"], "{recovered:?}");
    shop.assert_books_agree(true);
}

#[test]
fn random_customers_never_part_the_books() {
    let shop = TestShop::open_seeded(Scenario::from_name("random"), PACE, 7);
    for serial in 0..12 {
        let code = format!("13{serial:016}");
        let ran = shop.pay("1.00", &code);
        assert!([0, 10, 11, 12].contains(&ran.exit), "{ran:?}");
        shop.assert_books_agree(false);
    }
}
