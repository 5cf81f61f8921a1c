//! How it ends: nothing that is under way is cut.

use std::io::Write as _;

use crate::program::{Answer, Place};
use crate::till::{Till, number};

/// Takes the money at once and answers after 3 seconds.
const ANSWERS_LATE: &str = "130000000000000703";
/// Is asked for the password, and never pays.
const WALKS_AWAY: &str = "130000000000000200";

#[test]
fn a_payment_under_way_is_answered_written_and_found_again() {
    let place = Place::new();
    let served = place.serve();
    let till = Till::enrol(&place, &served);
    let mut stream = served.dial();
    stream.write_all(&till.charge(&number(1), ANSWERS_LATE)).unwrap();
    stream.flush().unwrap();
    let has_begun = |figures: &str| {
        figures.contains("paytill_open_payments 1") || figures.contains("paytill_ended_total{")
    };
    while !has_begun(&served.watched("/metrics").body) {}
    served.terminate();
    let answer = Answer::read(&mut stream);
    assert!(matches!(answer.status, 200 | 202), "{answer:?}");
    assert_eq!(served.ended(), Some(0));
    let served = place.serve();
    let target = format!("/v1/payments/{}?wait_ms=8000", number(1));
    let answer = till.ask(&served, ("GET", &target, ""));
    assert!(answer.body.contains("\"state\":\"paid\""), "{answer:?}");
    served.terminate();
    assert_eq!(served.ended(), Some(0));
}

#[test]
fn who_waits_for_news_is_answered_and_the_payment_stays_open() {
    let place = Place::new();
    let served = place.serve();
    let till = Till::enrol(&place, &served);
    let answer = served.exchange(&till.charge(&number(1), WALKS_AWAY));
    assert!(answer.body.contains("\"state\":\"waiting\""), "{answer:?}");
    let target = format!("/v1/payments/{}?known=1000000&wait_ms=8000", number(1));
    let mut stream = served.dial();
    stream.write_all(&till.request("GET", &target, "")).unwrap();
    stream.flush().unwrap();
    served.terminate();
    let answer = Answer::read(&mut stream);
    // Either it was heard in time, or its connection was not taken: half an answer is none of these.
    assert!(matches!(answer.status, 0 | 202), "{answer:?}");
    assert_eq!(served.ended(), Some(0));
}
