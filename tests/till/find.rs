//! `paytill find`: "I have paid", by whatever the customer shows, with the gateway reachable and not.

use serde_json::Value;

use crate::fixture::{PACE, PendingPayment, Ran, TestShop, code};

fn find(shop: &TestShop, text: &str) -> Vec<Value> {
    let ran = Ran::of(shop.run(&["find", text, "--json"]));
    assert_eq!(ran.exit, 0, "{text}: {}", ran.errors);
    ran.lines
}

/// The one verdict on a number.
fn verdict(shop: &TestShop, text: &str) -> Value {
    let ran = Ran::of(shop.run(&["find", text, "--ask", "--json"]));
    assert_eq!((ran.exit, ran.lines.len()), (0, 1), "{text}: {ran:?}");
    ran.last()["verdict"].clone()
}

fn number(ran: &Ran) -> String {
    ran.last()["order_no"].as_str().unwrap().to_owned()
}

#[test]
fn an_order_is_found_by_all_that_a_customer_can_show() {
    let shop = TestShop::open(None, PACE);
    let first = number(&shop.pay("12.34", &code("ok", 1)));
    let second = number(&shop.pay("99.50", &code("notenough", 2)));
    let order = shop.orders()[&first].clone();
    let transaction = order["transaction_id"].as_str().unwrap();
    let time = &order["created_at"].as_str().unwrap()[11..16];
    let day = &order["created_at"].as_str().unwrap()[..10];
    for text in [
        first.as_str(),
        &format!(" {first}\r"),
        &format!("]C1{first}"),
        &first[first.len() - 6..],
        transaction,
        &transaction[transaction.len() - 5..],
        "12.34",
        "￥12.34",
        "paid",
        "支付成功",
    ] {
        let found = find(&shop, text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found[0]["order_no"], first.as_str(), "{text}");
        assert_eq!(found[0].get("verdict"), None);
    }
    assert!(find(&shop, time).iter().any(|order| order["order_no"] == first.as_str()));
    assert!(!find(&shop, &format!("{day} {time}")).is_empty());
    assert_eq!(find(&shop, "99.5")[0]["order_no"], second.as_str());
    assert!(
        find(&shop, "1.99").is_empty() && find(&shop, "4200000000000000000000000000").is_empty()
    );
    let code = code("ok", 3);
    for (wrong, why) in [
        (code.clone(), "That was a WeChat payment code. That is not an order number"),
        (format!("Q{code}"), "turn off its code ID prefix"),
        (format!("{code}{code}"), "Two scans came as one"),
        (code[..12].to_owned(), "Only 12 of the 18 digits were read"),
        ("?!".to_owned(), "this is not an order number, an amount"),
    ] {
        let refused = shop.run(&["find", &wrong, "--ask"]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(said.contains(why) && !said.contains(&code[..12]), "{said}");
    }
}

#[test]
fn a_number_has_one_word_of_verdict_and_none_is_guessed() {
    let mut shop = TestShop::open(None, PACE);
    let paid = number(&shop.pay("12.34", &code("ok", 1)));
    let declined = number(&shop.pay("8.00", &code("notenough", 2)));
    let reversed = number(&shop.pay("9.00", &code("walks-away", 3)));
    assert_eq!(shop.recover().exit, 0);
    let calls = shop.orders();
    assert_eq!(calls[&reversed]["state"], "reversed");
    assert_eq!(verdict(&shop, &paid), "paid");
    assert_eq!(verdict(&shop, &reversed), "reversed");
    assert!(["unpaid", "reversed"].contains(&verdict(&shop, &declined).as_str().unwrap()));
    assert_eq!(verdict(&shop, "X9-20261122-000345"), "foreign");
    for (language, word) in [("en", "PAID"), ("zh-CN", "支付成功")] {
        let shown = shop.run(&["find", &paid, "--ask", "--lang", language]).stdout;
        let shown = String::from_utf8(shown).unwrap();
        let line = shown.lines().next().unwrap();
        assert!(shown.lines().count() == 1 && line.ends_with(word) && line.contains(&paid));
    }
    let stranger = "4200001234202611220123456789";
    assert_eq!(verdict(&shop, stranger), "foreign");
    let foreign = shop.run(&["find", "X9-20261122-000345", "--ask"]).stdout;
    assert!(String::from_utf8(foreign).unwrap().contains("NOT OURS"));
    // While a payment is open, no answer is the last word on it.
    let open = PendingPayment::start(&shop, "7.00", &code("walks-away", 4));
    let number = find(&shop, "7.00")[0]["order_no"].as_str().unwrap().to_owned();
    assert_eq!(verdict(&shop, &number), "unknown");
    drop(open);
    shop.close_gateway();
    for text in [paid.as_str(), &reversed, "X9-20261122-000345", stranger] {
        let ran = Ran::of(shop.run(&["find", text, "--ask", "--json"]));
        assert_eq!(ran.last()["verdict"], "unknown", "{ran:?}");
        assert!(ran.last()["verdict_reason"]["text"].is_string(), "{ran:?}");
    }
    assert!(find(&shop, &paid)[0]["state"] == "paid", "the journal knows what it knew");
}

#[test]
fn a_payment_that_somebody_refunded_at_the_platform_is_called_refunded() {
    let shop = TestShop::open(None, PACE);
    let refunded = number(&shop.pay("12.34", &code("refunded-elsewhere", 1)));
    assert_eq!(verdict(&shop, &refunded), "refunded");
}

#[test]
fn a_transaction_that_no_answer_has_named_is_asked_for_and_leads_to_its_order() {
    let shop = TestShop::open(None, PACE);
    let order = number(&shop.pay("12.34", &code("ok", 1)));
    let transaction = shop.ledger()[0].transaction_id.clone();
    let ran = Ran::of(shop.run(&["find", &transaction, "--ask", "--json"]));
    assert_eq!((ran.last()["order_no"].as_str(), ran.lines.len()), (Some(order.as_str()), 1));
    // A till with another journal: the number is of its form, and it does not have it.
    std::fs::remove_file(shop.journal()).unwrap();
    for beside in ["-wal", "-shm", ".head", ".checked", ".lock", ".key"] {
        std::fs::remove_file(shop.path().join(format!("journal.sqlite{beside}"))).ok();
    }
    assert_eq!(shop.pay("1.00", &code("ok", 3)).exit, 0);
    let ran = Ran::of(shop.run(&["find", &transaction, "--ask", "--json"]));
    assert_eq!(ran.last()["verdict_reason"]["code"], "not_in_journal", "{ran:?}");
}

#[test]
fn show_says_what_the_journal_alone_knows() {
    let shop = TestShop::open(None, PACE);
    let paid = number(&shop.pay("12.34", &code("ok", 1)));
    let declined = number(&shop.pay("8.00", &code("notenough", 2)));
    for (order, word, english, chinese) in
        [(paid, "paid", "PAID", "支付成功"), (declined, "unpaid", "NOT PAID", "未支付")]
    {
        let shown = Ran::of(shop.run(&["show", &order, "--json"]));
        assert_eq!(shown.last()["verdict"], word);
        assert_eq!(shown.last()["verdict_by"], "journal");
        for (language, line) in [
            ("en", format!("by this till's journal: {english}")),
            ("zh-CN", format!("本机交易记录：{chinese}")),
        ] {
            let shown = shop.run(&["show", &order, "--lang", language]).stdout;
            let shown = String::from_utf8(shown).unwrap();
            assert_eq!(shown.lines().nth(1), Some(line.as_str()), "{shown}");
        }
    }
}

#[test]
fn only_ten_are_asked_about_and_the_journal_is_left_as_it_is() {
    let shop = TestShop::open(None, PACE);
    for serial in 1..=12 {
        assert_eq!(shop.pay("5.00", &code("ok", serial)).exit, 0);
    }
    // Whoever reads leaves an empty log behind, as SQLite does.
    assert_eq!(shop.orders().len(), 12);
    let (calls, files) = (shop.calls(), shop.files());
    let ran = Ran::of(shop.run(&["find", "5.00", "--ask", "--json"]));
    assert_eq!(ran.lines.len(), 12);
    let asked = ran.lines.iter().filter(|line| line["verdict"] == "paid").count();
    let not_asked = ran.lines.iter().filter(|line| line["verdict"].is_null()).count();
    assert_eq!((asked, not_asked, shop.calls() - calls), (10, 2, 10));
    assert!(files == shop.files(), "it writes nothing");
}
