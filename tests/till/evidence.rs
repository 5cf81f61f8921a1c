//! `paytill evidence`: one file that settles a dispute, and every way to tamper with it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use serde_json::Value;

use crate::fixture::{PACE, PendingPayment, TestShop, code};

fn said(output: &Output) -> String {
    String::from_utf8([output.stdout.clone(), output.stderr.clone()].concat()).unwrap()
}

/// A shop that has sold, and the number of an order that took some steps.
fn sold() -> (TestShop, String) {
    let shop = TestShop::open(None, PACE);
    assert_eq!(shop.pay("3.00", &code("ok", 1)).exit, 0);
    let order = shop.pay("12.34", &code("password", 2));
    assert_eq!(order.exit, 0, "{order:?}");
    assert_eq!(shop.pay("4.00", &code("notenough", 3)).exit, 10);
    let number = order.last()["order_no"].as_str().unwrap().to_owned();
    (shop, number)
}

fn verify(shop: &TestShop, file: &str) -> Output {
    shop.run(&["evidence", "--verify", file])
}

#[test]
fn an_order_is_proved_with_the_key_and_without_the_journal() {
    let (shop, number) = sold();
    let made = shop.run(&["evidence", &number, "--out", "order.json"]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let file = shop.path().join("order.json");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["order"]["state"], "paid");
    let shown = shop.run(&["show", &number, "--json"]).stdout;
    let shown: Value = serde_json::from_slice(&shown).unwrap();
    let events = value["events"].as_array().unwrap();
    for (event, shown) in events.iter().zip(shown["events"].as_array().unwrap()) {
        for (name, value) in shown.as_object().unwrap() {
            assert_eq!(event[name.as_str()], *value, "{name}");
        }
    }
    // The same by its last digits and on standard output, but for when it was made.
    let printed = shop.run(&["evidence", &number[number.len() - 6..]]).stdout;
    fs::write(shop.path().join("printed.json"), &printed).unwrap();
    for file in shop.files().keys().filter(|file| file.extension().is_none_or(|e| e != "key")) {
        fs::remove_file(file).unwrap();
    }
    for name in ["order.json", "printed.json"] {
        let proved = verify(&shop, name);
        assert_eq!(proved.status.code(), Some(0), "{proved:?}");
        let words = said(&proved);
        assert!(words.contains(&number) && words.contains("proved with the journal's key"));
    }
    assert!(said(&verify(&shop, "order.json")).contains("PAID"));
    // Without the key it is only consistent, and that is said.
    fs::rename(shop.path().join("journal.sqlite.key"), shop.path().join("key")).unwrap();
    for (language, words) in [("en", "not proved"), ("zh-CN", "未能证实")] {
        let alone = shop.run(&["evidence", "--verify", "order.json", "--lang", language]);
        assert_eq!(alone.status.code(), Some(12), "{alone:?}");
        assert!(said(&alone).contains(words), "{alone:?}");
    }
    assert!(!shop.journal().exists(), "it makes none");
}

#[test]
fn every_kind_of_change_is_refused_and_named() {
    let (shop, number) = sold();
    let text = String::from_utf8(shop.run(&["evidence", &number]).stdout).unwrap();
    let seal = text.lines().find(|line| line.contains("\"seal\"")).unwrap().to_owned();
    let alterations = [
        ("\"amount\": 1234", "\"amount\": 1235", "order.amount was changed"),
        ("\"state\": \"paid\",\n    \"at\"", "\"state\": \"void\",\n    \"at\"", "order.state"),
        ("\"sale\": ", "\"sole\": ", "order.sole was put in"),
        ("\"event\": \"begun\"", "\"event\": \"began\"", "events[0].event"),
        ("\"record\": {\n        \"attempt\"", "\"record\": {\n        \"attemps\"", "record"),
        ("\"wire\": {", "\"wire\":  {", "line"),
        ("\"digests\": [", "\"digests\":  [", "line"),
        ("\"key\": \"", "\"key\": \"0", "key was changed"),
        ("\"format\": \"paytill evidence 1\"", "\"format\": \"paytill evidence 2\"", "format"),
        ("WeChat", "WeChot", ""),
        ("the key", "the kez", "shows was changed"),
        (&seal, &seal.replace("\"seal\": \"", "\"seal\": \"0"), "its seal"),
        ("{", "[", "line "),
        ("}\n", "}", "line"),
        ("}\n", "}\n\n", "line"),
    ];
    for (from, to, named) in alterations {
        if !text.contains(from) {
            assert_eq!(named, "", "{from} is in the file");
            continue;
        }
        // The file's end, or the first place.
        let changed = if from == "}\n" {
            format!("{}{to}", text.strip_suffix(from).unwrap())
        } else {
            text.replacen(from, to, 1)
        };
        fs::write(shop.path().join("changed.json"), changed).unwrap();
        let refused = verify(&shop, "changed.json");
        assert_eq!(refused.status.code(), Some(5), "{from}: {refused:?}");
        let words = said(&refused);
        assert!(refused.stdout.is_empty() && words.contains(named), "{from}: {words}");
    }
    for (bytes, exit) in [(&b"{}"[..], 5), (b"", 5), (b"\xff\xfe", 5)] {
        fs::write(shop.path().join("foreign.json"), bytes).unwrap();
        assert_eq!(verify(&shop, "foreign.json").status.code(), Some(exit));
    }
    assert_eq!(verify(&shop, "nowhere.json").status.code(), Some(2));
}

#[test]
fn evidence_is_taken_while_a_payment_is_open_and_replaces_nothing() {
    let shop = TestShop::open(None, PACE);
    let mut pending = PendingPayment::start(&shop, "8.00", &code("walks-away", 1));
    let number = shop.orders().into_keys().next().unwrap();
    for _ in 0..3 {
        let file = "order.json";
        assert_eq!(shop.run(&["evidence", &number, "--out", file]).status.code(), Some(0));
        assert_eq!(verify(&shop, file).status.code(), Some(0));
        let again = shop.run(&["evidence", &number, "--out", file]);
        assert_eq!(again.status.code(), Some(2), "{again:?}");
        assert!(said(&again).contains("order.json is there already"), "{again:?}");
        fs::remove_file(shop.path().join(file)).unwrap();
    }
    assert!(pending.is_running());
    for wrong in
        [&["evidence"] as &[&str], &["evidence", "000000"], &["evidence", "1", "--verify", "x"]]
    {
        assert_eq!(shop.run(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn a_payment_code_in_a_note_is_masked_before_anything_is_written() {
    let shop = TestShop::open(None, PACE);
    let (code, other) = (code("ok", 1), code("ok", 2));
    let note = format!("scanned {other}, twice");
    let paid = shop.run(&["pay", "1", "--code", &code, "--note", &note]);
    assert_eq!(paid.status.code(), Some(0), "{paid:?}");
    let number = shop.orders().into_keys().next().unwrap();
    assert_eq!(shop.run(&["backup", "copy.sqlite"]).status.code(), Some(0));
    let copy =
        String::from_utf8_lossy(&fs::read(shop.path().join("copy.sqlite")).unwrap()).into_owned();
    for text in [copy, said(&shop.run(&["evidence", &number])), said(&shop.run(&["show", &number]))]
    {
        assert!(text.contains("scanned 13") && text.contains(", twice"), "the note is there");
        assert!(!text.contains(&other) && !text.contains(&code), "a code is there");
    }
}
