//! Files that are no journal, or none that this program may write.

use super::*;

/// Every command that writes refuses this journal and leaves it unchanged.
#[track_caller]
fn refuses_journal(shop: &TestShop, what: &str) -> Vec<String> {
    let (ledger, before) = (shop.ledger().len(), shop.files());
    let commands: [&[&str]; 3] =
        [&["pay", "12.34", "--code", UNUSED_CODE], &["recover"], &["recover", "--json"]];
    let sentences = commands.map(|command| {
        let output = shop.run(command);
        assert_eq!(output.status.code(), Some(5), "{what}: {command:?}: {output:?}");
        let sentence = sentence(&output, 5);
        let after = shop.files();
        for (path, bytes) in &before {
            let same = after.get(path) == Some(bytes);
            assert!(same, "{what}: {} was changed by {command:?}: {sentence}", path.display());
        }
        sentence
    });
    assert_eq!(shop.ledger().len(), ledger, "{what}: {sentences:?}");
    sentences.to_vec()
}

#[test]
fn a_file_that_is_no_journal_is_refused_and_left_alone() {
    let junk: [&[u8]; 4] = [b"x", b"not a journal at all\n", &[0; 8192], &[0xa5; 9000]];
    for junk in junk {
        let shop = shop();
        fs::write(shop.journal(), junk).unwrap();
        let sentences = refuses_journal(&shop, "junk");
        assert!(sentences[0].contains("not a journal"), "{sentences:?}");
        for command in [&["orders"] as &[&str], &["orders", "--json"], &["show", "T0126112200"]] {
            let sentence = refused(&shop, command, 5);
            assert!(sentence.contains("not a journal"), "{sentence}");
        }
    }
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let pragmas = [
        "",
        "PRAGMA journal_mode = WAL;",
        "PRAGMA application_id = 7;",
        "PRAGMA user_version = 1;",
        "PRAGMA application_id = 7; PRAGMA auto_vacuum = FULL;",
    ];
    for pragmas in pragmas {
        let shop = shop();
        let db = Connection::open(shop.journal()).unwrap();
        db.execute_batch(&format!("{pragmas} CREATE TABLE recipe (name TEXT);")).unwrap();
        db.execute("INSERT INTO recipe VALUES ('soup')", []).unwrap();
        db.close().unwrap();
        let sentences = refuses_journal(&shop, pragmas);
        assert!(sentences[0].contains("not a journal"), "{sentences:?}");
        sentence(&shop.run(&["orders"]), 5);
    }
}

#[test]
fn a_journal_of_a_newer_version_is_refused_and_left_alone() {
    let shop = shop();
    assert_eq!(shop.pay("12.34", CODE).exit, 0);
    let db = Connection::open(shop.journal()).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    db.close().unwrap();
    let sentences = refuses_journal(&shop, "newer");
    assert!(sentences[0].contains("format 99"), "{sentences:?}");
    assert!(sentence(&shop.run(&["orders"]), 5).contains("format 99"));
}

#[test]
fn a_journal_of_an_older_version_is_copied_and_brought_to_this_one_and_that_is_said() {
    let shop = shop();
    assert_eq!(shop.pay("12.34", CODE).exit, 0);
    let db = Connection::open(shop.journal()).unwrap();
    let older = "ALTER TABLE sale DROP COLUMN lines; DROP TABLE refund; DROP TABLE slip;
         DROP TABLE last_slip; PRAGMA user_version = 3;";
    db.execute_batch(older).unwrap();
    db.close().unwrap();
    // Whoever only reads leaves it as it is.
    let before = shop.files();
    for command in [&["orders"] as &[&str], &["doctor"], &["find", "12.34"]] {
        shop.run(command);
    }
    let after = shop.files();
    assert_eq!(before.get(&shop.journal()), after.get(&shop.journal()));
    assert_eq!(shop.orders().len(), 1);
    let copy = shop.path().join("journal.sqlite.format3");
    assert!(!copy.exists());
    let ran = shop.run(&["pay", "1", "--code", &code("ok", 7)]);
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{said}");
    let begins = said.find("is brought from format 3 to format 6").expect("said before");
    let done = said.find("was brought from format 3 to format 6").expect("and after");
    assert!(begins < done, "{said}");
    assert!(said.contains("journal.sqlite.format3; it opens with the same key"), "{said}");
    assert_eq!(shop.orders().len(), 2);
    let again = shop.run(&["recover"]);
    assert!(!String::from_utf8(again.stderr).unwrap().contains("format"), "once");
    // The copy is what was there, and can be put back.
    let kept = JournalReader::open(&copy, Some(&shop.path().join("journal.sqlite.key")));
    assert_eq!(kept.unwrap().unwrap().audit().unwrap().orders, 1);
}

#[test]
fn a_journal_cut_short_is_refused_and_left_alone() {
    let shop = shop();
    for serial in 0..4 {
        assert_eq!(shop.pay("12.34", &code("ok", serial)).exit, 0);
    }
    let whole = fs::read(shop.journal()).unwrap();
    let lengths = [0, 1, 15, 16, 99, 100, 512, 4095, 4096, 5000, whole.len() / 2, whole.len() - 1];
    for length in lengths {
        fs::write(shop.journal(), &whole[..length]).unwrap();
        refuses_journal(&shop, &format!("cut to {length} of {}", whole.len()));
    }
    fs::remove_file(shop.journal()).unwrap();
    let sentences = refuses_journal(&shop, "gone");
    assert!(sentences[0].contains("gone"), "{sentences:?}");
    assert!(sentence(&shop.run(&["orders"]), 5).contains("gone"));
    assert!(!shop.journal().exists(), "a journal that is missed is not replaced");
    fs::write(shop.journal(), &whole).unwrap();
    assert_eq!(shop.recover().exit, 0, "put back it is good");
}

#[test]
fn a_journal_without_its_latest_entries_is_refused_and_left_alone() {
    let shop = shop();
    let (wal, head) = ("journal.sqlite-wal", "journal.sqlite.head");
    assert_eq!(shop.pay("12.34", CODE).exit, 0);
    let files = ["journal.sqlite", head].map(|file| shop.path().join(file));
    let whole = files.each_ref().map(|file| fs::read(file).unwrap());
    let [_, before] = &whole;
    // Until one is killed after its first entry, before the WAL is copied into the journal. The next
    // start would copy what another left there.
    for operation in 1..MOST_OPERATIONS {
        let _ = fs::remove_file(shop.path().join(wal));
        for (file, bytes) in files.iter().zip(&whole) {
            fs::write(file, bytes).unwrap();
        }
        let code = code("ok", u64::from(operation));
        let pay = ["pay", "5", "--code", &code];
        shop.faulty(&pay, &format!("before:{operation}")).output().unwrap();
        if fs::read(shop.path().join(head)).unwrap() != *before {
            break;
        }
    }
    let kept = fs::read(shop.path().join(wal)).unwrap();
    assert!(!kept.is_empty());
    for what in ["missing", "empty"] {
        if what == "missing" {
            fs::remove_file(shop.path().join(wal)).unwrap();
        } else {
            fs::write(shop.path().join(wal), "").unwrap();
        }
        let sentences = refuses_journal(&shop, what);
        assert!(sentences[0].contains("-wal"), "{sentences:?}");
    }
    fs::write(shop.path().join(wal), kept).unwrap();
    assert_eq!(shop.recover().exit, 0, "put back it is good");
    shop.assert_books_agree(true);
}

#[test]
fn a_journal_where_none_can_be_is_refused() {
    let shop = shop();
    fs::write(shop.path().join("file"), "a regular file").unwrap();
    fs::create_dir(shop.path().join("folder")).unwrap();
    symlink("nowhere/journal.sqlite", shop.path().join("dangling")).unwrap();
    symlink("loop", shop.path().join("loop")).unwrap();
    let right = fs::read_to_string(shop.config()).unwrap();
    for path in ["file/journal.sqlite", "folder", "dangling", "loop", "/proc/journal.sqlite"] {
        fs::write(shop.config(), &right).unwrap();
        shop.reconfigure("path = \"journal.sqlite\"", &format!("path = {path:?}"));
        let output = shop.run(&["pay", "12.34", "--code", CODE]);
        let errors = String::from_utf8(output.stderr.clone()).unwrap();
        // Beside such a journal there can be no log either, which deserves a line of its own.
        let journal = errors.lines().filter(|line| line.starts_with("paytill: "));
        assert_eq!(journal.count(), 1, "{path}: {errors}");
        assert_eq!(output.status.code(), Some(5), "{path}: {errors}");
        assert!(output.stdout.is_empty() && shop.ledger().is_empty());
    }
    assert_eq!(fs::read(shop.path().join("file")).unwrap(), b"a regular file");
}

#[test]
fn where_no_journal_is_yet_there_are_no_orders_and_reading_makes_none() {
    let shop = shop();
    for path in ["journal.sqlite", "not/there/journal.sqlite"] {
        shop.reconfigure("path = \"journal.sqlite\"", &format!("path = {path:?}"));
        assert!(shop.orders().is_empty());
        assert!(!shop.path().join(path).exists());
        assert!(!shop.path().join(format!("{path}.head")).exists());
        shop.reconfigure(&format!("path = {path:?}"), "path = \"journal.sqlite\"");
    }
}

#[test]
fn a_journal_that_another_till_holds_is_not_waited_for_by_whatever_path() {
    // At a shop's pace: the customer keeps the payment open as long as there.
    let shop = TestShop::open(None, 1);
    let mut pending = PendingPayment::start(&shop, "12.34", &code("walks-away", 1));
    symlink(shop.journal(), shop.path().join("link.sqlite")).unwrap();
    symlink(shop.path(), shop.path().join("shop")).unwrap();
    let right = fs::read_to_string(shop.config()).unwrap();
    for path in ["journal.sqlite", "./journal.sqlite", "link.sqlite", "shop/journal.sqlite"] {
        fs::write(shop.config(), &right).unwrap();
        shop.reconfigure("path = \"journal.sqlite\"", &format!("path = {path:?}"));
        for command in [&["pay", "12.34", "--code", CODE] as &[&str], &["recover"]] {
            let sentence = sentence(&shop.run(command), 4);
            assert!(sentence.contains("another paytill"), "{path}: {sentence}");
        }
        let orders = shop.orders();
        assert_eq!(orders.len(), 1, "reading needs no hold");
        assert_eq!(orders.values().next().unwrap()["state"], "waiting");
    }
    assert!(pending.is_running(), "the first one still holds it");
    assert_eq!(shop.ledger().len(), 1);
}
