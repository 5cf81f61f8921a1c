//! API v3 as its users meet it: what the doctor says, bills, and where an order's money is.

use std::process::Output;

use crate::fixture::{PACE, Ran, TestShop, code};
use paytill::simulator::{Api, Bills};

fn said(output: &Output) -> String {
    let text = [output.stdout.clone(), output.stderr.clone()].concat();
    String::from_utf8(text).unwrap()
}

/// What the doctor complains of, but for this machine's devices and disk.
fn complaints(shop: &TestShop) -> Vec<String> {
    let ran = Ran::of(shop.run(&["doctor", "--json"]));
    let machines = ["disk", "scanner", "printer", "display", "terminal"];
    let lines = ran.lines.iter().filter(|line| {
        line["result"] != "ok" && !machines.contains(&line["check"].as_str().unwrap())
    });
    lines.map(|line| format!("{} {}", line["text"], line["advice"])).collect()
}

#[test]
fn the_doctor_finds_the_keys_in_order_and_names_those_that_are_not() {
    for api in [Api::V3, Api::V3Certificates] {
        let shop = TestShop::open_for(api, None, PACE);
        assert_eq!(complaints(&shop), [""; 0], "{api:?}");
        let text = said(&shop.run(&["doctor"]));
        let verified = if api == Api::V3 {
            "verified with PUB_KEY_ID_"
        } else {
            "Platform certificates downloaded: 1"
        };
        assert!(text.contains(verified), "{text}");
        assert!(text.contains("Merchant 1900000109 sells on its own account."), "{text}");
    }
    // A key that fits in form alone.
    let shop = TestShop::open_for(Api::V3, None, PACE);
    let other = include_str!("../../src/core/gateway/wechat/fixtures/v3/platform_public.pem");
    std::fs::write(shop.path().join("secrets/pub_key.pem"), other).unwrap();
    let found = complaints(&shop).join("\n");
    assert!(found.contains("signature was wrong") && found.contains("public_key_file"), "{found}");
    // The APIv2 key in its place is found out, whichever key verifies.
    for api in [Api::V3, Api::V3Certificates] {
        let shop = TestShop::open_for(api, None, PACE);
        let secrets = shop.path().join("secrets");
        std::fs::copy(secrets.join("api_v2.key"), secrets.join("api_v3.key")).unwrap();
        let found = complaints(&shop).join("\n");
        assert!(found.contains("The APIv3 key does not fit"), "{found}");
        assert!(found.contains("Is it the APIv2 key?"), "{found}");
    }
    let shop = TestShop::open_for(Api::V3Certificates, None, PACE);
    // Another serial number than that of the certificate whose key signs.
    let serial = "5A".repeat(20);
    shop.reconfigure(
        "merchant_cert_file = \"secrets/v3_apiclient_cert.pem\"",
        &format!("merchant_serial = \"{serial}\""),
    );
    let found = complaints(&shop).join("\n");
    assert!(found.contains("SIGNERROR") && found.contains("serial number"), "{found}");
}

#[test]
fn with_platform_certificates_a_payment_is_made_found_and_agrees_with_the_bill() {
    let shop = TestShop::open_for(Api::V3Certificates, None, PACE);
    let paid = shop.pay("12.34", &code("ok", 1));
    assert_eq!(paid.exit, 0, "{paid:?}");
    let number = paid.last()["transaction_id"].as_str().unwrap().to_owned();
    let reversed = shop.pay("5", &code("walks-away", 2));
    assert_eq!(reversed.exit, 11, "{reversed:?}");
    let found = said(&shop.run(&["find", &number, "--ask", "--json"]));
    assert!(found.contains("\"verdict\":\"paid\""), "{found}");
    let order = paid.last()["order_no"].as_str().unwrap();
    let refund = shop.run(&["refund", order, "2.34", "--reason", "broken", "--json"]);
    assert_eq!(refund.status.code(), Some(0), "{}", said(&refund));
    // The digest is of the file at one time, of what is in it at another.
    for _ in 0..4 {
        let reconciled = Ran::of(shop.run(&["reconcile", "today", "--json"]));
        assert_eq!(reconciled.exit, 0, "{reconciled:?}");
        let bill = reconciled.last();
        assert_eq!((&bill["paid"], &bill["refunded"]), (&1234.into(), &234.into()), "{bill}");
    }
    shop.server.bank().set_bills(Bills::Truncated);
    let cut = shop.run(&["reconcile", "today"]);
    assert_eq!(cut.status.code(), Some(1));
    assert!(said(&cut).contains("not what WeChat Pay has signed"), "{}", said(&cut));
    for (bills, exit) in [(Bills::Creating, 1), (Bills::Page, 1)] {
        shop.server.bank().set_bills(bills);
        let output = shop.run(&["reconcile", "today"]);
        assert_eq!(output.status.code(), Some(exit), "{bills:?}: {}", said(&output));
    }
    let recovered = shop.recover();
    assert_eq!(recovered.exit, 0, "{recovered:?}");
    let kept: i64 = shop.ledger().iter().map(|entry| entry.net().minor()).sum();
    assert_eq!(kept, 1000, "paid 12.34, 2.34 given back, 5.00 reversed");
}

#[test]
fn an_order_that_was_open_when_the_till_moved_to_api_v3_is_resolved_there() {
    let mut shop = TestShop::open_for(Api::V3, None, PACE);
    shop.api = Api::V2;
    shop.configure("");
    let waits = crate::fixture::PendingPayment::start(&shop, "12.34", &code("walks-away", 1));
    drop(waits);
    shop.api = Api::V3;
    shop.configure("");
    let recovered = shop.recover();
    assert_eq!((recovered.exit, &recovered.last()["state"]), (0, &"reversed".into()));
    shop.assert_books_agree(true);
}

#[test]
fn a_certificate_that_changes_while_a_customer_types_loses_no_payment() {
    let shop = TestShop::open_for(Api::V3Certificates, None, PACE);
    // The till may ask for certificates 5 s after the last time; that leaves it some more of these.
    shop.reconfigure("give_up_after_ms = 1500", "give_up_after_ms = 60000");
    shop.server.bank().v3_keys().unwrap().prepare().unwrap();
    let paid = std::thread::scope(|scope| {
        let pays = scope.spawn(|| shop.pay("12.34", &code("password", 1)));
        // The first answer is signed with the old one.
        while shop.calls() == 0 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        shop.server.bank().v3_keys().unwrap().rotate().unwrap();
        pays.join().unwrap()
    });
    assert_eq!(paid.exit, 0, "{paid:?}");
    assert_eq!(paid.states().last(), Some(&"paid"));
    let [entry] = &shop.ledger()[..] else { panic!("one order") };
    assert_eq!((entry.submissions(), entry.net().minor()), (1, 1234));
    let queries = entry.times_of(paytill::payment::CallKind::Query).count();
    assert!(queries > 1, "what nobody could verify was asked about again: {queries}");
    // And the next one finds it known at once.
    assert_eq!(shop.pay("5", &code("ok", 2)).exit, 0);
}
