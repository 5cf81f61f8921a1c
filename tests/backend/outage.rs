//! The database is gone, or takes no writes, in the middle of payments.

use crate::database::{OwnServer, postgres};
use crate::gateway::Gateway;
use crate::pair::{Asking, LATE, Pair, code, read, serial};
use crate::program::Served;
use crate::till::{Till, number};

/// Pays at once.
const PAYS: &str = "0000";
/// Pays after three seconds of ours.
const TYPES: &str = "0160";

/// A new request to be paid, and its number.
fn request(till: &Till, customer: &str) -> (String, Vec<u8>) {
    let serial = serial();
    let number = number(serial);
    let request = till.charge(&number, &code(customer, serial));
    (number, request)
}

/// Asks to be paid until that is refused; the number that was.
fn refused(till: &Till, instance: &Served<'_>, gateway: &Gateway) -> String {
    loop {
        let (number, request) = request(till, PAYS);
        let answer = instance.exchange(&request);
        // Its connections hear of the change one by one.
        if answer.status == 200 {
            assert_eq!(read(&answer)["state"], "paid", "{answer:?}");
            continue;
        }
        assert_eq!(
            (answer.status, &read(&answer)["code"]),
            (503, &"not_sent".into()),
            "{answer:?}"
        );
        assert!(till.believes(&answer, &request), "{answer:?}");
        assert!(gateway.entry(&number).is_none());
        return number;
    }
}

/// Till, books and gateway have the same of a payment that has ended.
fn agree(asking: &Asking<'_>, pair: &Pair, gateway: &Gateway, number: &str) {
    let told = asking.end(number);
    let entry = gateway.entry(number).unwrap();
    let due = if told["state"] == "paid" { 1234 } else { 0 };
    assert_eq!(entry.net().minor(), due, "{told}\n{entry:#?}");
    let sql = "SELECT status FROM payment WHERE out_trade_no = '";
    assert_eq!(pair.schema.ask(&format!("{sql}{number}'"))[0][0], told["state"], "{told}");
}

#[test]
fn a_database_that_takes_no_writes_refuses_for_certain_and_what_is_open_ends() {
    if postgres().is_none() {
        return;
    }
    let (server, gateway) = (OwnServer::start(), Gateway::open());
    let pair = Pair::open(&server.base, &gateway, LATE);
    let (first, second) = pair.serve();
    let till = Till::enrol(&pair.first, &first);
    let asking = Asking::new(&till, &first, &second);
    let (open, asked) = request(&till, TYPES);
    assert_eq!(read(&first.exchange(&asked))["state"], "waiting");
    let (charged, copy) = request(&till, PAYS);
    assert_eq!(read(&first.exchange(&copy))["state"], "paid");
    server.is_read_only(true);
    let numbers = [&first, &second].map(|instance| refused(&till, instance, &gateway));
    // The other instance has never seen this request: that it was not sent would be a lie.
    let answer = second.exchange(&copy);
    assert_ne!(read(&answer)["code"], "not_sent", "{answer:?}");
    server.is_read_only(false);
    agree(&asking, &pair, &gateway, &open);
    agree(&asking, &pair, &gateway, &charged);
    for number in numbers {
        let target = format!("/v1/payments/{number}");
        assert_eq!(till.ask(&second, ("GET", &target, "")).status, 404);
        assert!(gateway.entry(&number).is_none());
    }
}

#[test]
fn a_database_that_is_started_again_has_what_was_open_ended() {
    if postgres().is_none() {
        return;
    }
    let (mut server, gateway) = (OwnServer::start(), Gateway::open());
    let pair = Pair::open(&server.base, &gateway, LATE);
    let (first, second) = pair.serve();
    let till = Till::enrol(&pair.first, &first);
    let asking = Asking::new(&till, &first, &second);
    let (open, asked) = request(&till, TYPES);
    assert_eq!(read(&first.exchange(&asked))["state"], "waiting");
    server.told("stop");
    for instance in [&first, &second] {
        assert_eq!(instance.watched("/readyz").status, 503);
        let (number, request) = request(&till, PAYS);
        // Who asks cannot be looked up, so that nothing is proved; and nothing is sent.
        let answer = instance.exchange(&request);
        assert_eq!((answer.status, &read(&answer)["code"]), (500, &"failed".into()), "{answer:?}");
        assert!(!till.believes(&answer, &request) && gateway.entry(&number).is_none());
    }
    server.told("start");
    agree(&asking, &pair, &gateway, &open);
    let (number, request) = request(&till, PAYS);
    assert_eq!(read(&first.exchange(&request))["state"], "paid");
    agree(&asking, &pair, &gateway, &number);
}
