//! `paytill refund` with the real binary and the simulated gateway: whole, in parts, refused, lost,
//! killed. The till's books and the bank's agree, and nothing is given back twice.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::fixture::tui_session::{CTRL_Q, ESC, F8, TuiSession};
use crate::fixture::{PACE, Ran, TestShop, code, disk_faults, in_lanes, scenario, sweep};
use paytill::simulator::{Api, Scenario};
use serde_json::Value;

/// A shop with a paid order of 12.34 in this scenario, and its number. No answer comes too late for
/// it, however slow the machine is.
fn sold(name: &str) -> (TestShop, String) {
    let (shop, number) = sold_in_haste(name);
    shop.reconfigure("request_timeout_ms = 500", "request_timeout_ms = 60000");
    (shop, number)
}

/// The same, where answers do not come.
fn sold_in_haste(name: &str) -> (TestShop, String) {
    sold_for(Api::V2, name)
}

fn sold_for(api: Api, name: &str) -> (TestShop, String) {
    let shop = TestShop::open_for(api, None, PACE);
    let number = sell(&shop, name, 1);
    (shop, number)
}

fn sell(shop: &TestShop, name: &str, serial: u64) -> String {
    let ran = shop.pay("12.34", &code(name, serial));
    assert_eq!(ran.last()["state"], "paid", "{ran:?}");
    ran.last()["order_no"].as_str().unwrap().to_owned()
}

pub(crate) fn refund(shop: &TestShop, arguments: &[&str]) -> Ran {
    let all: Vec<&str> = ["refund"]
        .iter()
        .chain(arguments)
        .chain(&["--reason", "cold", "--json"])
        .copied()
        .collect();
    Ran::of(shop.run(&all))
}

/// As soon as the minute between two refunds of an order is over.
pub(crate) fn next_refund(shop: &TestShop, arguments: &[&str]) -> Ran {
    loop {
        let ran = refund(shop, arguments);
        if ran.last()["reason"]["code"] != "too_soon" {
            return ran;
        }
        assert_eq!(ran.exit, 10, "{ran:?}");
    }
}

fn show(shop: &TestShop, number: &str) -> Value {
    Ran::of(shop.run(&["show", number, "--json"])).lines.remove(0)
}

/// What the bank has given back of an order, and by how many refunds.
pub(crate) fn given(shop: &TestShop, number: &str) -> (i64, usize) {
    let entry = shop.ledger().into_iter().find(|entry| entry.out_trade_no == number).unwrap();
    assert!(entry.returned <= entry.charged, "{entry:?}");
    let mut numbers: Vec<&str> = entry.refunds.iter().map(|known| known.number.as_str()).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), entry.refunds.len(), "one number, one refund: {entry:?}");
    (entry.returned.minor(), entry.refunds.len())
}

/// Goes on with what is open until nothing is.
pub(crate) fn recovered(shop: &TestShop, number: &str) -> Value {
    loop {
        let ran = shop.recover();
        let shown = show(shop, number);
        let is_open = |refund: &Value| refund["open"] == true;
        if !shown["refunds"].as_array().unwrap().iter().any(is_open) {
            assert_eq!(ran.exit, 0, "{ran:?}");
            return shown;
        }
    }
}

#[test]
fn a_whole_refund_is_accepted_at_once_and_done_when_the_gateway_says_so() {
    let (shop, number) = sold("ok");
    let ran = refund(&shop, &[&number]);
    assert_eq!((ran.exit, ran.states()), (0, vec!["checking", "sent", "accepted"]), "{ran:?}");
    let last = ran.last();
    assert_eq!(last["order_no"], number.as_str());
    assert_eq!((&last["amount"], &last["refunded"]), (&1234.into(), &1234.into()));
    let refund_no = last["refund_no"].as_str().unwrap().to_owned();
    assert!(refund_no.starts_with(&format!("{number}R01")), "{refund_no}");
    assert!(last["reason"].is_null() && last["at"].is_string());
    let shown = recovered(&shop, &number);
    assert_eq!((&shown["state"], &shown["refund_state"]), (&"paid".into(), &"fully".into()));
    assert_eq!((&shown["refunded"], &shown["verdict"]), (&1234.into(), &"refunded".into()));
    let refund = &shown["refunds"][0];
    assert_eq!((&refund["state"], &refund["why"]), (&"done".into(), &"cold".into()));
    assert_eq!(refund["refund_no"], refund_no.as_str());
    assert_eq!(given(&shop, &number), (1234, 1));
    let listed = shop.orders().remove(&number).unwrap();
    assert_eq!((&listed["refunded"], &listed["refund_state"]), (&1234.into(), &"fully".into()));
    let again = next_refund_refused(&shop, &number);
    assert_eq!(again, "nothing_left");
}

fn next_refund_refused(shop: &TestShop, number: &str) -> String {
    let ran = next_refund(shop, &[number]);
    assert_eq!(ran.exit, 10, "{ran:?}");
    assert!(ran.last()["refund_no"].is_null());
    ran.last()["reason"]["code"].as_str().unwrap().to_owned()
}

#[test]
fn only_a_paid_order_that_is_known_here_is_refunded() {
    let shop = TestShop::open(None, PACE);
    let declined = shop.pay("5", &code("notenough", 1));
    let reversed = shop.pay("5", &code("walks-away", 2));
    for ran in [declined, reversed] {
        let number = ran.last()["order_no"].as_str().unwrap().to_owned();
        let refused = refund(&shop, &[&number]);
        assert_eq!((refused.exit, &refused.last()["reason"]["code"]), (10, &"not_paid".into()));
    }
    let calls: usize = shop.ledger().iter().map(|entry| entry.refund_calls.len()).sum();
    assert_eq!(calls, 0);
    let number = sell(&shop, "ok", 3);
    for (arguments, says) in [
        (vec!["T01999999999999999999"], "there is no order"),
        (vec![number.as_str(), "0"], "more than zero"),
        (vec![number.as_str(), "-1"], "minus sign"),
        (vec![number.as_str(), "1.234"], "at most 2 decimals"),
        (vec![number.as_str(), "abc"], "does not belong in an amount"),
    ] {
        let ran = refund(&shop, &arguments);
        assert_eq!(ran.exit, 2, "{ran:?}");
        assert!(ran.errors.contains(says), "{ran:?}");
    }
    let blank = shop.run(&["refund", &number, "--reason", " \u{1b} "]);
    assert_eq!(blank.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&blank.stderr).contains("must say why"));
    assert_eq!(given(&shop, &number), (0, 0));
}

#[test]
fn a_refund_that_the_gateway_refuses_gave_nothing_back_and_may_be_tried_again() {
    let (shop, number) = sold("refund-notenough");
    let ran = refund(&shop, &[&number]);
    assert_eq!((ran.exit, &ran.last()["state"]), (10, &"refused".into()), "{ran:?}");
    assert_eq!(ran.last()["reason"]["code"], "NOTENOUGH");
    assert_eq!(ran.last()["refunded"], 0);
    assert_eq!(given(&shop, &number), (0, 0));
    // Topped up: another refund, with another number.
    let ran = next_refund(&shop, &[&number]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert!(ran.last()["refund_no"].as_str().unwrap().contains("R02"));
    recovered(&shop, &number);
    assert_eq!(given(&shop, &number), (1234, 1));
}

#[test]
fn whatever_becomes_of_the_answer_the_money_goes_back_once() {
    let names = [
        "refund-answer-lost",
        "refund-request-lost",
        "refund-forged",
        "refund-unsigned",
        "refund-systemerror",
        "refund-query-fails",
    ];
    let both = [Api::V2, Api::V3].into_iter();
    let all: Vec<_> = both.flat_map(|api| names.map(|name| (api, name))).collect();
    in_lanes(3, &all, |(api, name)| {
        let (shop, number) = sold_for(*api, name);
        let name = format!("{name} ({api:?})");
        let ran = refund(&shop, &[&number]);
        let state = ran.last()["state"].as_str().unwrap();
        assert_eq!(ran.exit, 0, "{name}: {ran:?}");
        assert!(["accepted", "done"].contains(&state), "{name}: {ran:?}");
        let numbers: std::collections::BTreeSet<&str> =
            ran.lines.iter().filter_map(|line| line["refund_no"].as_str()).collect();
        assert_eq!(numbers.len(), 1, "{name}: the same number to its end");
        let shown = recovered(&shop, &number);
        assert_eq!(shown["refunds"][0]["state"], "done", "{name}");
        assert_eq!(given(&shop, &number), (1234, 1), "{name}");
    });
}

#[test]
fn what_the_gateway_closes_or_cannot_deliver_is_said_to_need_a_person() {
    for (name, why, exit, state) in
        [("refund-closed", "REFUNDCLOSE", 0, "none"), ("refund-abnormal", "CHANGE", 12, "none")]
    {
        let (shop, number) = sold(name);
        assert_eq!(refund(&shop, &[&number]).exit, 0, "accepted");
        let mut ran = shop.recover();
        while show(&shop, &number)["refunds"][0]["state"] != "attention" {
            ran = shop.recover();
        }
        assert_eq!(ran.exit, exit, "{ran:?}");
        let shown = show(&shop, &number);
        assert_eq!(shown["refunds"][0]["reason"]["code"], why);
        assert_eq!((&shown["refund_state"], &shown["refunded"]), (&state.into(), &0.into()));
        assert_eq!(given(&shop, &number).0, 0);
        let how = ["recover", "--settle", &number, "--reason", "in cash", "--json"];
        let settled = Ran::of(shop.run(&how));
        // What the gateway has closed is over.
        assert_eq!(settled.exit, if exit == 12 { 0 } else { 2 }, "{settled:?}");
        if exit == 12 {
            assert_eq!(
                (&settled.last()["state"], &settled.last()["open"]),
                (&"attention".into(), &false.into())
            );
            assert_eq!(shop.recover().exit, 0);
            let shown = show(&shop, &number);
            let last = shown["events"].as_array().unwrap().last().unwrap().clone();
            assert_eq!(last["event"], "settled by a person");
            assert_eq!(refund(&shop, &[&number]).last()["reason"]["code"], "nothing_left");
        }
    }
}

#[test]
fn what_was_refunded_elsewhere_is_noticed_before_anything_is_sent() {
    let (shop, number) = sold("refund-elsewhere");
    let ran = refund(&shop, &[&number]);
    assert_eq!(
        (ran.exit, &ran.last()["reason"]["code"]),
        (10, &"more_than_left".into()),
        "{ran:?}"
    );
    assert_eq!(ran.last()["refunded"], 617, "by others");
    let entry = shop.ledger().remove(0);
    assert_eq!(entry.refund_calls.len(), 0, "nothing was sent");
    let shown = show(&shop, &number);
    assert_eq!((&shown["refunded"], &shown["refund_state"]), (&617.into(), &"partly".into()));
    // All that is left is less now.
    let ran = next_refund(&shop, &[&number]);
    assert_eq!((ran.exit, &ran.last()["amount"]), (0, &617.into()), "{ran:?}");
    assert_eq!(recovered(&shop, &number)["refunded"], 1234);
    assert_eq!(given(&shop, &number), (1234, 2));
}

#[test]
fn a_slow_refund_is_accepted_and_blocks_nobody() {
    let (shop, number) = sold("refund-slow");
    assert_eq!(refund(&shop, &[&number, "5"]).exit, 0);
    let ran = shop.recover();
    assert_eq!((ran.exit, ran.states()), (0, vec!["accepted"]), "{ran:?}");
    let shown = show(&shop, &number);
    assert_eq!(
        (&shown["refunds"][0]["state"], &shown["refunds"][0]["open"]),
        (&"accepted".into(), &true.into())
    );
    // A second one of the same order may follow.
    assert_eq!(next_refund(&shop, &[&number, "5"]).exit, 0);
}

#[test]
fn an_order_of_another_merchant_or_of_long_ago_is_not_refunded() {
    let (shop, number) = sold("ok");
    shop.reconfigure("mch_id = \"1900000109\"", "mch_id = \"1900000999\"");
    let ran = refund(&shop, &[&number]);
    assert_eq!(
        (ran.exit, &ran.last()["reason"]["code"]),
        (10, &"merchant_changed".into()),
        "{ran:?}"
    );
    shop.reconfigure("mch_id = \"1900000999\"", "mch_id = \"1900000109\"");
    let mut late = shop.command(&["refund", &number, "--reason", "cold", "--json"]);
    late.env("LD_PRELOAD", crate::fixture::clock_faults());
    let year_and_a_day: i64 = 366 * 24 * 3600;
    let clock = shop.path().join("clock");
    std::fs::write(&clock, year_and_a_day.to_ne_bytes()).unwrap();
    late.env("PAYTILL_CLOCK", clock);
    let ran = Ran::of(late.output().unwrap());
    assert_eq!((ran.exit, &ran.last()["reason"]["code"]), (10, &"too_old".into()), "{ran:?}");
    assert_eq!(given(&shop, &number), (0, 0));
}

#[test]
fn without_a_gateway_nothing_leaves_and_nothing_is_given_back() {
    let (mut shop, number) = sold("ok");
    shop.close_gateway();
    let ran = refund(&shop, &[&number]);
    assert_eq!((ran.exit, &ran.last()["state"]), (10, &"refused".into()), "{ran:?}");
    assert_eq!(ran.last()["reason"]["code"], "no_connection");
    let text = ran.last()["reason"]["text"].as_str().unwrap();
    assert!(text.ends_with("Nothing was given back."), "{text}");
}

#[test]
fn a_certificate_that_is_not_accepted_is_named_and_the_refund_stays_open() {
    let (shop, number) = sold("ok");
    // Somebody else's, which the gateway does not know.
    let stranger = tempfile::tempdir().unwrap();
    let other = paytill::simulator::Identity::load_or_generate(stranger.path()).unwrap();
    let secrets = shop.path().join("secrets");
    let own: Vec<Vec<u8>> = ["apiclient_cert.pem", "apiclient_key.pem"]
        .map(|name| std::fs::read(secrets.join(name)).unwrap())
        .into();
    std::fs::write(secrets.join("apiclient_cert.pem"), other.client_certificate_pem()).unwrap();
    std::fs::write(secrets.join("apiclient_key.pem"), other.client_key_pem().as_bytes()).unwrap();
    let ran = refund(&shop, &[&number]);
    assert_eq!((ran.exit, &ran.last()["state"]), (12, &"checking".into()), "{ran:?}");
    assert!(ran.errors.contains("do not give the money back in another way"), "{ran:?}");
    let shown = show(&shop, &number);
    assert_eq!(shown["refunds"][0]["reason"]["code"], "own_certificate", "{shown}");
    assert_eq!(given(&shop, &number), (0, 0));
    let second = refund(&shop, &[&number, "1"]);
    assert_eq!((second.exit, &second.last()["reason"]["code"]), (10, &"unclear".into()));
    for (name, bytes) in ["apiclient_cert.pem", "apiclient_key.pem"].iter().zip(own) {
        std::fs::write(secrets.join(name), bytes).unwrap();
    }
    let shown = recovered(&shop, &number);
    assert_eq!(shown["refunds"][0]["state"], "done");
    assert_eq!(given(&shop, &number), (1234, 1));
}

fn with_fault(mut command: Command, fault: &str) -> Command {
    command.env("LD_PRELOAD", disk_faults()).env("PAYTILL_FAULT", fault);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Shops at work at once; they mostly wait.
const LANES: usize = 24;
/// How many of them share the operations of one case.
const SHOPS: u32 = 8;
/// More operations on the journal than any refund needs.
const MOST_OPERATIONS: u32 = 200;

#[test]
fn killed_at_every_write_to_the_journal_it_goes_back_once_or_not_at_all() {
    let cases = [
        ("refund-answer-lost", "before"),
        ("refund-answer-lost", "after"),
        ("refund-request-lost", "before"),
    ];
    let cases = cases
        .into_iter()
        .flat_map(|(name, when)| (1..=SHOPS).map(move |first| (name, when, first)));
    let cases: Vec<(&str, &str, u32)> = sweep::share(cases, 3);
    in_lanes(LANES, &cases, |(name, when, first)| {
        let shop = TestShop::open(Some(scenario(name)), PACE);
        let mut operation = *first;
        let mut serial = 0;
        loop {
            assert!(operation < MOST_OPERATIONS, "{name} never ends");
            serial += 1;
            let number = shop.pay("12.34", &Scenario::Pays.code(serial)).last()["order_no"].clone();
            let number = number.as_str().unwrap();
            let story = format!("{name} {when}:{operation}");
            let refund = shop.command(&["refund", number, "--reason", "cold"]);
            let status = with_fault(refund, &format!("{when}:{operation}")).status().unwrap();
            if operation.is_multiple_of(3) {
                let recover = shop.command(&["recover"]);
                with_fault(recover, &format!("{when}:{}", operation / 3)).status().unwrap();
            }
            let shown = recovered(&shop, number);
            let refunds = shown["refunds"].as_array().unwrap();
            let (returned, count) = given(&shop, number);
            match refunds.first().map(|refund| refund["state"].as_str().unwrap()) {
                Some("done") => assert_eq!((returned, count), (1234, 1), "{story}: {shown}"),
                // Ended before anything had left.
                Some("refused") | None => assert_eq!((returned, count), (0, 0), "{story}: {shown}"),
                other => panic!("{story}: {other:?}"),
            }
            assert_eq!(shown["refunded"], returned, "{story}");
            if status.code().is_some() {
                break;
            }
            operation += SHOPS;
        }
    });
}

#[test]
fn killed_between_sending_and_the_answer_it_goes_on_with_the_same_number() {
    for name in ["refund-slow", "refund-request-lost"] {
        let (shop, number) = sold(name);
        let mut process = shop
            .command(&["refund", &number, "--reason", "cold", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let sent = lines.map_while(Result::ok).find(|line| line.contains("\"sent\"")).unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        let sent: Value = serde_json::from_str(&sent).unwrap();
        let mut shown = show(&shop, &number);
        while ["sent", "checking"].contains(&shown["refunds"][0]["state"].as_str().unwrap()) {
            shop.recover();
            shown = show(&shop, &number);
        }
        let refunds = shown["refunds"].as_array().unwrap();
        assert_eq!((refunds.len(), &refunds[0]["refund_no"]), (1, &sent["refund_no"]), "{name}");
        let expected = if name == "refund-slow" { "accepted" } else { "done" };
        if expected == "done" {
            recovered(&shop, &number);
        }
        assert_eq!(show(&shop, &number)["refunds"][0]["state"], expected, "{name}");
        assert_eq!(given(&shop, &number).1, 1, "{name}");
    }
}

#[test]
fn a_disk_that_fails_lets_nothing_leave_that_it_does_not_hold() {
    let operations = sweep::share(1..=24, 3);
    in_lanes(6, &operations, |operation| {
        let (shop, number) = sold("ok");
        let refund = ["refund", number.as_str(), "--reason", "cold"];
        let output = shop.faulty(&refund, &format!("eio:{operation}")).output().unwrap();
        let story = format!("eio:{operation}: {output:?}");
        // What had not begun when the disk failed is refused; what had is known to be open.
        let exit = output.status.code().unwrap();
        assert!([0, 5, 12].contains(&exit), "{story}");
        if exit == 5 {
            assert_eq!(shop.ledger().remove(0).refund_calls.len(), 0, "{story}");
        }
        let shown = recovered(&shop, &number);
        let (returned, count) = given(&shop, &number);
        assert_eq!(shown["refunded"], returned, "{story}: {shown}");
        assert!(count <= 1 && (exit != 0 || count == 1), "{story}: {shown}");
    });
}

#[test]
fn people_read_what_became_of_it_in_their_language() {
    let (shop, number) = sold("ok");
    let refund = shop.run(&["refund", &number, "5", "--reason", "cold"]);
    let said = String::from_utf8(refund.stdout).unwrap();
    assert!(said.starts_with("REFUND ACCEPTED  CNY 5.00  "), "{said}");
    let advice = String::from_utf8(refund.stderr).unwrap();
    assert!(advice.contains("The customer sees the refund in WeChat"), "{advice}");
    let more = shop.run(&["refund", &number, "9", "--reason", "cold", "--lang", "zh-CN"]);
    let said = String::from_utf8(more.stdout).unwrap();
    assert!(said.starts_with("未退款") && said.contains("最多还可退 CNY 7.34"), "{said}");
    recovered(&shop, &number);
    let shown = String::from_utf8(shop.run(&["show", &number]).stdout).unwrap();
    for line in ["refunded 5.00", "REFUNDED  CNY 5.00", "cold", "answer to refund 1: SUCCESS"] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    let listed = String::from_utf8(shop.run(&["orders"]).stdout).unwrap();
    assert!(listed.contains("refunded 5.00"), "{listed}");
}

#[test]
fn evidence_holds_the_refunds_and_a_change_to_one_is_named() {
    let (shop, number) = sold("ok");
    assert_eq!(refund(&shop, &[&number, "5"]).exit, 0);
    recovered(&shop, &number);
    let written = shop.run(&["evidence", &number, "--out", "proof.json"]);
    assert_eq!(written.status.code(), Some(0), "{written:?}");
    let verified = shop.run(&["evidence", "--verify", "proof.json"]);
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    assert!(said.contains(&format!("REFUNDED  CNY 5.00  {number}R01")), "{said}");
    let path = shop.path().join("proof.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let whole: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&whole["order"]["refunded"], &whole["refunds"][0]["why"]),
        (&500.into(), &"cold".into())
    );
    let is_its = |event: &&Value| event["refund"]["id"] == whole["refunds"][0]["id"];
    assert!(whole["events"].as_array().unwrap().iter().filter(is_its).count() >= 4);
    for (from, to) in [
        ("\"state\": \"done\"", "\"state\": \"refused\""),
        ("\"why\": \"cold\"", "\"why\": \"warm\""),
        ("\"refunded\": 500", "\"refunded\": 0"),
    ] {
        assert!(text.contains(from), "{from}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
        let changed = shop.run(&["evidence", "--verify", "proof.json"]);
        assert_eq!(changed.status.code(), Some(5), "{from}: {changed:?}");
    }
}

#[test]
fn at_the_screen_f8_asks_how_much_and_why_and_confirms() {
    let (shop, number) = sold("refund-abnormal");
    let tail = &number[number.len() - 6..];
    let mut session = TuiSession::open(&shop);
    session.see(&["Enter the amount.", "WeChat Pay ready"]);
    session.press(F8);
    session.see(&["Refund: which order?", tail]);
    session.press(tail);
    session.see(&[&format!("{tail}_")]);
    session.press("\r");
    session.see(&["￥12.34 can be refunded", "How much goes back?"]);
    session.press("5");
    session.see(&["5_"]);
    session.press("\r");
    session.see(&["Why?", "Wrong amount charged"]);
    session.press("\r");
    session.see(&["Give ￥5.00 of order", tail]);
    assert!(shop.ledger()[0].refunds.is_empty(), "nothing has left yet");
    session.answer(F8);
    session.see(&["REFUND NEEDS YOU", "￥5.00", tail]);
    session.press(ESC);
    session.press(CTRL_Q);
    assert_eq!(session.wait_for_end().exit_code(), 0);

    let mut session = TuiSession::open(&shop);
    session.see(&["REFUND NEEDS YOU", "￥5.00", "Enter the amount."]);
    session.press(CTRL_Q);
    assert_eq!(session.wait_for_end().exit_code(), 0);
    let shown = show(&shop, &number);
    assert_eq!(shown["refunds"][0]["why"], "Customer changed their mind");
    assert_eq!(shown["refunds"][0]["amount"], 500);
    assert_eq!(given(&shop, &number).1, 1);
}
