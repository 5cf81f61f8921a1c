//! Whoever can reach the port and means no good.

use std::io::Write as _;

use crate::program::{Answer, Place};
use crate::till::{Till, bytes, number};

#[test]
fn a_head_that_does_not_end_is_cut_and_others_are_served() {
    let place = Place::new();
    let served = place.serve();
    let mut slow = served.dial();
    slow.write_all(b"GET /v1/hello HTTP/1.1\r\nhost: localhost\r\nx: ").unwrap();
    slow.flush().unwrap();
    // Not a byte more is sent; that the connection ends is the other side's doing.
    let answer = Answer::read(&mut slow);
    assert!(matches!(answer.status, 0 | 408), "{answer:?}");
    let answer = served.exchange(&bytes("GET", "/v1/hello", "", ""));
    assert_eq!(answer.status, 401, "{answer:?}");
}

#[test]
fn floods_of_bodies_and_headers_are_refused() {
    let place = Place::new();
    let served = place.serve();
    let till = Till::enrol(&place, &served);
    let large = " ".repeat(64 * 1024 + 1);
    let target = format!("/v1/payments/{}", number(1));
    assert_eq!(till.ask(&served, ("PUT", &target, &large)).status, 413);
    assert_eq!(served.exchange(&bytes("POST", "/v1/enrolment", "", &large)).status, 413);
    let many = "x-same: y\r\n".repeat(10_000);
    let one = format!("x: {}\r\n", "y".repeat(1024 * 1024));
    for headers in [many, one] {
        let answer = served.exchange(&bytes("GET", "/v1/hello", &headers, ""));
        assert!(matches!(answer.status, 0 | 431), "{answer:?}");
    }
    assert_eq!(till.ask(&served, ("GET", "/v1/hello", "")).status, 200);
}
