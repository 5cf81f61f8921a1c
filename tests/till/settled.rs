//! Orders that the till cannot end by itself, and how a person does.

use crate::fixture::{PACE, PendingPayment, Ran, TestShop, code};

#[test]
fn an_order_of_another_merchant_says_its_way_out_and_a_person_closes_it() {
    let shop = TestShop::open(None, PACE);
    drop(PendingPayment::start(&shop, "5", &code("walks-away", 1)));
    shop.reconfigure("mch_id = \"1900000109\"", "mch_id = \"1900000999\"");
    let recovered = || Ran::of(shop.run(&["recover", "--json"]));
    for ran in [recovered(), recovered()] {
        assert_eq!((ran.exit, ran.lines.len()), (12, 1), "{ran:?}");
        let order = &ran.lines[0];
        assert_eq!((&order["state"], &order["open"]), (&"attention".into(), &true.into()));
        assert_eq!(order["reason"]["code"], "merchant_changed");
    }
    let ran = recovered();
    let number = ran.lines[0]["order_no"].as_str().unwrap();

    let settle = |number: &str, reason: &str| {
        Ran::of(shop.run(&["recover", "--settle", number, "--reason", reason, "--json"]))
    };
    for (number, reason) in [("999999", "refunded"), (number, " "), ("", "refunded")] {
        let ran = settle(number, reason);
        assert_eq!((ran.exit, ran.lines.len()), (2, 0), "{number:?} {ran:?}");
    }
    let calls = shop.calls();
    let ran = settle(&number[number.len() - 6..], "refunded at the merchant platform");
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert_eq!(
        (&ran.lines[0]["state"], &ran.lines[0]["open"]),
        (&"attention".into(), &false.into())
    );
    assert_eq!(ran.lines[0]["reason"]["code"], "settled");
    assert_eq!(shop.calls(), calls, "nothing is sent for it");

    let shown = Ran::of(shop.run(&["show", number, "--json"]));
    let events = shown.lines[0]["events"].as_array().unwrap();
    assert_eq!(events.last().unwrap()["event"], "settled by a person", "{shown:?}");
    assert_eq!(shop.recover().exit, 0, "nothing is open any more");
    assert_eq!(settle(number, "again").exit, 2);
}

#[test]
fn what_else_changes_under_an_open_order_does_not_stop_its_end() {
    let new_shop = "name = \"Corner Tea\"\ntime_zone = \"America/New_York\"";
    for (from, to) in [
        ("id = \"T01\"", "id = \"T09\"\ncurrency = \"HKD\""),
        ("app_id = \"wx8888888888888888\"", "app_id = \"wx1111111111111111\""),
        ("name = \"Corner Coffee\"", new_shop),
    ] {
        let shop = TestShop::open(None, PACE);
        drop(PendingPayment::start(&shop, "5", &code("walks-away", 1)));
        shop.reconfigure(from, to);
        let ran = shop.recover();
        assert_eq!(ran.exit, 0, "{to}: {ran:?}");
        assert_eq!(ran.last()["state"], "reversed", "{to}");
        shop.assert_books_agree(true);
    }
}
