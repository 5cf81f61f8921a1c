//! `paytill backup`: copies of a journal that is in use, and what they are worth.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use crate::fixture::{PACE, PendingPayment, Ran, TestShop, code, sweep};

fn said(output: &Output) -> String {
    String::from_utf8([output.stdout.clone(), output.stderr.clone()].concat()).unwrap()
}

/// What a journal says that is put in the shop's place, with the shop's key.
fn read_with_key(shop: &TestShop, journal: &str, arguments: &[&str]) -> Output {
    let config = fs::read_to_string(shop.config()).unwrap();
    let config = config.replace(
        "path = \"journal.sqlite\"",
        &format!("path = \"{journal}\"\nkey_file = \"journal.sqlite.key\""),
    );
    let other = shop.path().join("other.toml");
    fs::write(&other, config).unwrap();
    shop.command(arguments).env("PAYTILL_CONFIG", other).output().unwrap()
}

#[test]
fn a_copy_is_made_while_a_payment_is_open_and_the_till_writes() {
    let shop = TestShop::open(None, PACE);
    assert_eq!(shop.pay("12.34", &code("ok", 1)).exit, 0);
    let mut pending = PendingPayment::start(&shop, "8.00", &code("walks-away", 2));
    for number in 1..=3 {
        let made = shop.run(&["backup", &format!("copy-{number}.sqlite")]);
        assert_eq!(made.status.code(), Some(0), "{made:?}");
        let line = String::from_utf8(made.stdout).unwrap();
        assert!(line.contains("opened and verified (orders: 2,"), "{line}");
        let advice = String::from_utf8(made.stderr).unwrap();
        assert!(advice.contains("journal.sqlite.key") && advice.contains(".head"), "{advice}");
    }
    assert!(pending.is_running(), "the till was not disturbed");
    drop(pending);
    for name in ["copy-1.sqlite", "copy-1.sqlite.head"] {
        let mode = shop.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let left = fs::read_dir(shop.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_str().unwrap().contains(".new")));
    let listed = read_with_key(&shop, "copy-1.sqlite", &["orders", "--json"]);
    let orders = Ran::of(listed);
    assert_eq!((orders.exit, orders.lines.len()), (0, 2), "{orders:?}");
    assert_eq!(orders.lines[1]["state"], "paid");
    assert_eq!(orders.lines[0]["open"], true);
    // It is a journal to go on with.
    let went_on = read_with_key(&shop, "copy-1.sqlite", &["recover", "--json"]);
    assert_eq!(went_on.status.code(), Some(0), "{went_on:?}");
}

#[test]
fn a_copy_that_was_changed_or_cut_or_has_no_key_is_refused() {
    let shop = TestShop::open(None, PACE);
    assert_eq!(shop.pay("12.34", &code("ok", 1)).exit, 0);
    assert_eq!(shop.run(&["backup", "copy.sqlite"]).status.code(), Some(0));
    let copy = shop.path().join("copy.sqlite");
    let whole = fs::read(&copy).unwrap();
    let place = |text: &[u8]| whole.windows(text.len()).position(|part| part == text).unwrap();
    for at in [place(b"\"Begun\""), place(b"total_fee"), place(b"micropay")] {
        let mut bytes = whole.clone();
        bytes[at + 2] ^= 1;
        fs::write(&copy, bytes).unwrap();
        let doctor = read_with_key(&shop, "copy.sqlite", &["doctor", "--json"]);
        assert!(said(&doctor).contains("is damaged"), "{doctor:?}");
        let again = read_with_key(&shop, "copy.sqlite", &["backup", "copy-of-copy.sqlite"]);
        assert_eq!(again.status.code(), Some(5), "{again:?}");
        assert!(!shop.path().join("copy-of-copy.sqlite").exists());
    }
    fs::write(&copy, &whole[..whole.len() / 2]).unwrap();
    let listed = read_with_key(&shop, "copy.sqlite", &["orders"]);
    assert_eq!(listed.status.code(), Some(5), "{listed:?}");
    fs::write(&copy, &whole).unwrap();
    assert_eq!(read_with_key(&shop, "copy.sqlite", &["orders"]).status.code(), Some(0));
    fs::rename(shop.path().join("journal.sqlite.key"), shop.path().join("key")).unwrap();
    let listed = read_with_key(&shop, "copy.sqlite", &["orders"]);
    assert_eq!(listed.status.code(), Some(5), "{listed:?}");
}

#[test]
fn nothing_is_replaced_and_nothing_is_said_to_be_done_that_was_not() {
    let shop = TestShop::open(None, PACE);
    let none = shop.run(&["backup", "copy.sqlite"]);
    assert_eq!(none.status.code(), Some(5), "{none:?}");
    assert!(said(&none).contains("no journal yet"));
    assert_eq!(shop.pay("12.34", &code("ok", 1)).exit, 0);
    fs::write(shop.path().join("copy.sqlite"), "mine").unwrap();
    for (name, exit, word) in [
        ("copy.sqlite", 2, "already"),
        ("journal.sqlite", 2, "already"),
        ("journal.sqlite-wal", 2, "belongs to the journal"),
        ("nowhere/copy.sqlite", 1, "no copy was made"),
        (".", 2, "is a folder"),
        ("secrets", 2, "is a folder"),
        ("/", 2, "is a folder"),
    ] {
        for (language, words) in [("en", word), ("zh-CN", "")] {
            let refused = shop.run(&["backup", name, "--lang", language]);
            assert_eq!(refused.status.code(), Some(exit), "{name}: {refused:?}");
            assert!(refused.stdout.is_empty() && said(&refused).contains(words), "{refused:?}");
        }
    }
    assert_eq!(fs::read(shop.path().join("copy.sqlite")).unwrap(), b"mine");
}

#[test]
fn a_disk_that_fails_at_any_write_leaves_no_copy_and_the_journal_as_it_was() {
    let shop = TestShop::open(None, PACE);
    let note = "tea and a long talk about it ".repeat(20);
    for serial in 1..=20 {
        let ran = shop.run(&["pay", "1", "--note", &note, "--code", &code("ok", serial)]);
        assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    }
    let orders = shop.orders();
    let left = || -> Vec<String> {
        let names = fs::read_dir(shop.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap());
        names.filter(|name| name.contains(".bak")).collect()
    };
    let mut refused = 0;
    for operation in sweep::share((1..60).step_by(5), 3) {
        for fault in ["enospc", "eio", "erofs"] {
            let fault = format!("{fault}:{operation}");
            let ran = shop.faulty(&["backup", "journal.sqlite.bak"], &fault).output().unwrap();
            if ran.status.code() == Some(0) {
                assert_eq!(left().len(), 2, "{fault}");
                for name in left() {
                    fs::remove_file(shop.path().join(name)).unwrap();
                }
                continue;
            }
            assert!(matches!(ran.status.code(), Some(1 | 5)), "{fault}: {ran:?}");
            assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{fault}: {ran:?}");
            assert_eq!(left(), [""; 0], "{fault}: {ran:?}");
            refused += 1;
        }
    }
    assert!(refused > 2, "{refused}");
    // No file may be as large as the copy.
    let limited = shop.by_shell("ulimit -f 80; exec \"$@\"", &["backup", "x.bak"]);
    let ran = { limited }.output().unwrap();
    assert_eq!((ran.status.code(), left().len()), (Some(1), 0), "{ran:?}");
    assert_eq!(shop.orders(), orders);
}
