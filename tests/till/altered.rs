//! Rows of a journal that somebody has altered, as `paytill doctor` names them. Every row and column
//! is altered beside the journal (`src/journal/tests/rows.rs`); here is what the owner reads.

use std::fs;

use rusqlite::Connection;

use crate::fixture::{PACE, TestShop, code};

/// What `doctor` says of the journal, and its exit code.
fn doctor(shop: &TestShop, language: &str) -> (Option<i32>, String) {
    let ran = shop.run(&["doctor", "--json", "--lang", language]);
    let said = String::from_utf8(ran.stdout).unwrap();
    let journal: Vec<&str> =
        said.lines().filter(|line| line.contains("\"check\":\"journal\"")).collect();
    (ran.status.code(), journal.join("\n"))
}

#[test]
fn doctor_names_a_row_that_was_altered() {
    let shop = TestShop::open(None, PACE);
    shop.configure("[printer]\nkind = \"escpos-file\"\nport = \"receipts.bin\"\n");
    assert_eq!(shop.pay("12.34", &code("ok", 1)).exit, 0);
    let earlier = shop.path().join("earlier.sqlite");
    fs::copy(shop.journal(), &earlier).unwrap();
    assert_eq!(shop.pay("3.00", &code("notenough", 2)).exit, 10);
    assert_eq!(shop.pay("5.00", &code("ok", 3)).exit, 0);
    assert_eq!(shop.recover().exit, 0);
    let (exit, said) = doctor(&shop, "en");
    assert!(exit != Some(5) && said.contains("Verified: 3 orders"), "{exit:?} {said}");
    let whole = shop.files();
    let cases = [
        ("UPDATE sale SET note = 'x' WHERE id = 1", "entry 1 was changed", "第 1 条记录被改动"),
        ("UPDATE attempt SET amount = 1 WHERE id = 1", "entry 1 was changed", "第 1 条记录被改动"),
        (
            "UPDATE attempt SET status = 'declined' WHERE id = 1",
            "attempt 1 is not where",
            "第 1 笔与其最后一条记录不符",
        ),
        ("UPDATE entry SET wire = '' WHERE seq = 2", "entry 2 was changed", "第 2 条"),
        ("DELETE FROM entry WHERE seq = 2", "entry 2 was changed", "第 2 条"),
        ("UPDATE slip SET at = at + 1 WHERE id = 1", "slip 1 was changed", "第 1 张小票"),
        ("DELETE FROM slip WHERE id = 2", "slip 2 was changed or is missing", "第 2 张小票"),
        ("DELETE FROM last_slip", "slip 0 was changed or is missing", "小票"),
        ("UPDATE in_use SET is_open = 1", "It was not closed", "没有正常关闭"),
        ("UPDATE chain_key SET mark = zeroblob(16)", "belongs to another journal", "属于另一份"),
        (
            "CREATE TRIGGER quiet BEFORE INSERT ON entry BEGIN SELECT RAISE(IGNORE); END",
            "was added to its tables",
            "增加或缺少",
        ),
        // As it was before the second and third sale.
        (
            "REPLACE INTO last_slip SELECT * FROM earlier.last_slip",
            "slip 2 was changed or is missing",
            "第 2 张小票",
        ),
        ("REPLACE INTO attempt SELECT * FROM other.attempt WHERE id = 1", "", ""),
    ];
    let other = TestShop::open(None, PACE);
    assert_eq!(other.pay("12.34", &code("ok", 9)).exit, 0);
    for (sql, english, chinese) in cases {
        for (path, bytes) in &whole {
            fs::write(path, bytes).unwrap();
        }
        let db = Connection::open(shop.journal()).unwrap();
        db.execute("ATTACH ? AS earlier", [earlier.to_str().unwrap()]).unwrap();
        db.execute("ATTACH ? AS other", [other.journal().to_str().unwrap()]).unwrap();
        db.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
        drop(db);
        for (language, words) in [("en", english), ("zh-CN", chinese)] {
            let (exit, said) = doctor(&shop, language);
            assert!(said.contains(words), "{sql}: {said}");
            let is_fault = !sql.contains("in_use");
            assert_eq!(exit == Some(5), is_fault, "{sql}: {exit:?} {said}");
        }
    }
    // The whole file of an earlier moment.
    for (path, bytes) in &whole {
        fs::write(path, bytes).unwrap();
    }
    fs::copy(&earlier, shop.journal()).unwrap();
    let (exit, said) = doctor(&shop, "en");
    assert!(exit == Some(5) && said.contains("it ends at entry"), "{exit:?} {said}");
}
