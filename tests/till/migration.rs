//! A till that is killed at any write while it brings a journal of an older version to its own.

use std::fs;

use paytill::journal::JournalReader;
use rusqlite::Connection;

use crate::fixture::{PACE, TestShop, code, in_lanes, sweep};

/// What a migration leaves beside the journal.
fn copies(shop: &TestShop) -> Vec<String> {
    let names = fs::read_dir(shop.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.contains(".format")).collect();
    names.sort();
    names
}

/// A shop whose journal is of format 3.
fn old_shop() -> TestShop {
    let shop = TestShop::open(None, PACE);
    for serial in 1..=3 {
        assert_eq!(shop.pay("12.34", &code("ok", serial)).exit, 0);
    }
    let db = Connection::open(shop.journal()).unwrap();
    let older = "ALTER TABLE sale DROP COLUMN lines; DROP TABLE refund; DROP TABLE slip; \
                 DROP TABLE last_slip; PRAGMA user_version = 3;";
    db.execute_batch(older).unwrap();
    db.close().unwrap();
    shop
}

fn format(shop: &TestShop) -> i32 {
    let db = Connection::open(shop.journal()).unwrap();
    db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

#[test]
fn killed_at_any_write_of_a_migration_the_next_start_ends_it_with_one_copy() {
    // How many writes there are.
    let shop = old_shop();
    let ended = |operation: u32| {
        let fault = format!("before:{operation}");
        shop.faulty(&["recover"], &fault).output().unwrap().status.code().is_some()
    };
    // Each of these starts goes on from where the one before was killed.
    let last = (1..400).find(|operation| ended(*operation)).expect("it comes to an end");
    assert!(last > 1 && format(&shop) == 6);
    assert_eq!(copies(&shop), ["journal.sqlite.format3", "journal.sqlite.format3.head"]);
    let operations: Vec<u32> = sweep::share((1..120).step_by(4), 3);
    in_lanes(2, &operations, |operation| {
        let shop = old_shop();
        for when in ["before", "after"] {
            let fault = format!("{when}:{operation}");
            let killed = shop.faulty(&["recover"], &fault).output().unwrap();
            let found = copies(&shop);
            let story = format!("{fault}: {killed:?} {found:?}");
            assert!(found.len() <= 3, "{story}");
        }
        let ran = shop.recover();
        assert_eq!(ran.exit, 0, "{operation}: {ran:?}");
        assert_eq!(format(&shop), 6, "{operation}");
        let found = copies(&shop);
        assert_eq!(found, ["journal.sqlite.format3", "journal.sqlite.format3.head"], "{operation}");
        let key = shop.path().join("journal.sqlite.key");
        let copy = shop.path().join("journal.sqlite.format3");
        let kept = JournalReader::open(&copy, Some(&key)).unwrap().unwrap().audit().unwrap();
        assert_eq!(kept.orders, 3, "{operation}");
        assert_eq!(shop.orders().len(), 3);
    });
}
