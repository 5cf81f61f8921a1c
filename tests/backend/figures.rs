//! What operators see, and what is written down for them.

use crate::program::Place;
use crate::till::{Till, number};

const PAYS: &str = "130000000000000000";
const DECLINED: &str = "130000000000001000";

#[test]
fn figures_tell_what_was_done_and_never_to_whom() {
    let place = Place::new();
    let served = place.serve();
    assert_eq!(served.watched("/healthz").body, "ok\n");
    let ready = served.watched("/readyz");
    assert_eq!((ready.status, ready.body.as_str()), (200, "ready\n"));
    let till = Till::enrol(&place, &served);
    let answer = served.exchange(&till.charge(&number(1), PAYS));
    assert!(answer.body.contains("\"state\":\"paid\""), "{answer:?}");
    served.exchange(&till.charge(&number(2), DECLINED));
    till.ask(&served, ("GET", "/v1/no/such/route", ""));
    let answer = served.watched("/metrics");
    assert!(answer.head.contains("application/openmetrics-text"), "{}", answer.head);
    for line in [
        "paytill_requests_total{method=\"PUT\",route=\"/v1/payments/{number}\",status=\"200\"}",
        "paytill_requests_total{method=\"GET\",route=\"none\",status=\"404\"} 1",
        "paytill_gateway_calls_total{call=\"submit\",outcome=\"answered\"} 1",
        "paytill_ended_total{what=\"payment\",state=\"paid\"} 1",
        "paytill_store_change_seconds_count",
        "paytill_connections ",
        "paytill_open_payments ",
        "paytill_oldest_open_payment_seconds ",
    ] {
        assert!(answer.body.contains(line), "{line} is not in\n{}", answer.body);
    }
    assert!(!answer.body.contains("T01"), "{}", answer.body);
    // There and nowhere else.
    assert_eq!(till.ask(&served, ("GET", "/metrics", "")).status, 404);
    assert_eq!(served.watched("/v1/hello").status, 404);
}

#[test]
fn the_log_has_order_numbers_and_neither_codes_nor_keys() {
    let place = Place::new();
    let served = place.serve();
    let till = Till::enrol(&place, &served);
    served.exchange(&till.charge(&number(1), PAYS));
    served.exchange(&till.charge(&number(2), DECLINED));
    served.terminate();
    assert_eq!(served.ended(), Some(0));
    let log = place.log();
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        assert!(line.get("timestamp").is_some() && line.get("level").is_some(), "{line}");
    }
    assert!(log.contains(&number(1)) && log.contains(&number(2)));
    let key = std::fs::read_to_string(place.folder.path().join("state/backend.key")).unwrap();
    let key = key.lines().nth(1).unwrap();
    for secret in [PAYS, DECLINED, key, "PRIVATE KEY", "PAYTILL-ED25519"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    // Nor are the codes in the books.
    let files = std::fs::read_dir(place.folder.path().join("state")).unwrap();
    for file in files.map(|file| file.unwrap().path()) {
        let bytes = std::fs::read(&file).unwrap();
        for code in [PAYS, DECLINED] {
            let is_there = bytes.windows(code.len()).any(|part| part == code.as_bytes());
            assert!(!is_there, "{code} is in {}", file.display());
        }
    }
}
