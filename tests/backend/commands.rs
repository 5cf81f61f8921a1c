//! What the books say, beside a program that serves and without one.

use serde_json::Value;

use crate::program::Place;
use crate::till::{Till, number};

const PAYS: &str = "130000000000000000";
const WALKS_AWAY: &str = "130000000000000200";

/// Each line of a command's output.
fn lines(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let output = place.run(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// What was found out about each thing.
fn results(place: &Place) -> Vec<(String, String)> {
    let found = place.run(&["doctor", "--json"]).stdout;
    let found = String::from_utf8(found).unwrap();
    let word = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
    let lines = found.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| (word(&line, "check"), word(&line, "result"))).collect()
}

#[test]
fn orders_are_listed_shown_and_found() {
    let place = Place::new();
    let served = place.serve();
    let till = Till::enrol(&place, &served);
    served.exchange(&till.charge(&number(1), PAYS));
    served.exchange(&till.charge(&number(2), WALKS_AWAY));
    let all = lines(&place, &["orders", "--json"]);
    let told = |order: &Value| (order["order_no"].clone(), order["state"].clone());
    assert_eq!(
        all.iter().map(told).collect::<Vec<_>>(),
        [(number(2).into(), "waiting".into()), (number(1).into(), "paid".into())]
    );
    assert_eq!((&all[0]["open"], &all[1]["open"]), (&true.into(), &false.into()));
    let paid = &all[1];
    // The members that the till's have.
    for member in [
        "order_no",
        "state",
        "at",
        "amount",
        "currency",
        "coupon",
        "transaction_id",
        "paid_at",
        "reason",
        "created_at",
        "updated_at",
        "refunded",
        "refund_state",
        "open",
        "channel",
        "operator",
    ] {
        assert!(paid.get(member).is_some(), "{member} is not in {paid}");
    }
    assert_eq!((&paid["amount"], &paid["refunded"]), (&1234.into(), &0.into()));
    assert_eq!((&paid["store"], &paid["till"]), (&"S001".into(), &"T01".into()));
    assert_eq!(lines(&place, &["orders", "--json", "--state", "paid"]), std::slice::from_ref(paid));
    assert_eq!(lines(&place, &["orders", "--json", "--till", "T02"]), Vec::<Value>::new());
    assert_eq!(lines(&place, &["orders", "--json", "--limit", "1"]).len(), 1);
    assert_eq!(lines(&place, &["orders", "--json", "--day", "1999-12-31"]), Vec::<Value>::new());

    let shown = &lines(&place, &["show", &number(1), "--json"])[0];
    let events = shown["events"].as_array().unwrap();
    assert_eq!(events[0]["event"], "begun");
    let end = events.last().unwrap();
    assert_eq!(end["state"], "paid");
    assert!(end["event"].as_str().unwrap().starts_with("answer to micropay 0: paid"), "{end}");
    assert!(!shown.to_string().contains(PAYS), "a code is shown");
    let transaction = paid["transaction_id"].as_str().unwrap();
    for text in [&number(1), transaction, "00000001", "12.34"] {
        let found = lines(&place, &["find", text, "--json"]);
        assert!(found.contains(paid), "{text}: {found:?}");
    }
    assert_eq!(place.run(&["show", "T01999999999"]).status.code(), Some(2));
    assert_eq!(place.run(&["orders", "--day", "someday"]).status.code(), Some(2));
    let text = place.run(&["--lang", "zh-CN", "show", &number(1)]).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("支付成功") && text.contains("CNY 12.34"), "{text}");
}

#[test]
fn what_is_open_is_driven_to_its_end_without_a_till() {
    let more = "[payment]\nquery_interval_ms = 100\ngive_up_after_ms = 500\n";
    let place = Place::with(more);
    let served = place.serve();
    let till = Till::enrol(&place, &served);
    // Beside one that serves there is nothing to do for it.
    assert_eq!(place.run(&["recover"]).status.code(), Some(4));
    served.exchange(&till.charge(&number(1), WALKS_AWAY));
    served.terminate();
    assert_eq!(served.ended(), Some(0));
    let told = lines(&place, &["recover", "--json"]);
    let end = told.last().expect("it tells what moved");
    assert_eq!((&end["order_no"], &end["open"]), (&number(1).into(), &false.into()));
    assert_eq!(lines(&place, &["recover", "--json"]), Vec::<Value>::new());
}

#[test]
fn a_doctor_finds_what_is_wrong() {
    let pair = |check: &str, result: &str| (check.to_owned(), result.to_owned());
    let place = Place::new();
    // Nothing was made yet, and it makes nothing.
    let found = results(&place);
    assert!(found.contains(&pair("database", "ok")) && found.contains(&pair("key", "ok")));
    assert!(!place.folder.path().join("state/backend.sqlite").exists());
    let served = place.serve();
    let url = format!("https://{}", served.tills);
    let toml = place.folder.path().join("backend.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    let text = text.replace("[listen]\n", &format!("[listen]\npublic_url = \"{url}\"\n"));
    std::fs::write(&toml, text).unwrap();
    let found = results(&place);
    assert!(found.contains(&pair("address", "ok")), "{found:?}");
    assert!(found.contains(&pair("certificate", "ok")) && found.contains(&pair("gateway", "ok")));
    assert!(found.contains(&pair("tills", "warning")), "{found:?}");
    assert_eq!(place.run(&["doctor"]).status.code(), Some(0));
    Till::enrol(&place, &served);
    assert!(results(&place).contains(&pair("tills", "ok")));
    served.terminate();
    assert_eq!(served.ended(), Some(0));
    let found = results(&place);
    assert!(found.contains(&pair("address", "fault")), "{found:?}");
    assert_eq!(place.run(&["doctor"]).status.code(), Some(1));
    std::fs::write(&toml, "[database]\nurl = \"nothing\"\n").unwrap();
    let output = place.run(&["doctor", "--json"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stdout).contains("[database] url is neither"));
}

#[test]
fn a_bill_is_asked_for_only_of_a_day_and_a_merchant_that_have_one() {
    let place = Place::new();
    for (day, exit, said) in [
        ("yesterday", 3, "the gateway is simulated"),
        ("2999-01-01", 2, "is still to come"),
        ("monday", 2, "is not a day"),
    ] {
        let output = place.run(&["reconcile", "--day", day]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{day}: {error}");
        assert!(error.contains(said), "{day}: {error}");
    }
}

#[test]
fn the_audit_is_printed_and_what_was_changed_in_it_is_found() {
    let place = Place::new();
    let served = place.serve();
    Till::enrol(&place, &served);
    assert_eq!(place.run(&["till", "revoke", "S001", "T01"]).status.code(), Some(0));
    let all = lines(&place, &["audit", "--json"]);
    let (end, entries) = all.split_last().unwrap();
    let word = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    let acts: Vec<_> = entries.iter().map(|entry| word(entry, "action")).collect();
    assert_eq!(acts, ["till.add", "till.enroll", "till.revoke"]);
    assert!(word(&entries[0], "who").starts_with("command:"));
    assert_eq!(word(&entries[1], "who"), "till:T01");
    assert_eq!((&end["entries"], &end["broken_at"]), (&3.into(), &Value::Null));
    assert_eq!(end["digest"], entries[2]["digest"]);
    assert!(results(&place).contains(&("audit".to_owned(), "ok".to_owned())));

    let books = rusqlite::Connection::open(place.folder.path().join("state/backend.sqlite"));
    let taken_out = "DELETE FROM audit WHERE position = 2";
    assert_eq!(books.unwrap().execute(taken_out, []).unwrap(), 1);
    let output = place.run(&["audit", "--json"]);
    assert_eq!(output.status.code(), Some(5));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.lines().last().unwrap().contains("\"broken_at\":2"), "{told}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("entry 2"));
    assert_eq!(place.run(&["doctor"]).status.code(), Some(5));
    assert!(results(&place).contains(&("audit".to_owned(), "fault".to_owned())));
}
