//! The edges of what is noticed at a start, and of what is kept.

use std::fs::File;

use super::*;

/// A journal of this many paid attempts, written without waiting for the disk.
fn long(folder: &TempDir, attempts: i64) -> PathBuf {
    let path = journal_in(folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.db.pragma_update(None, "synchronous", "OFF").unwrap();
    for attempt in 1..=attempts {
        journal.append(&begin(attempt)).unwrap();
        journal.append(&paid(attempt)).unwrap();
    }
    path
}

fn tamper(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_start_verifies_the_latest_entries_however_long_the_journal_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = long(&folder, 1_400);
    tamper(&path, "UPDATE entry SET at = at + 1 WHERE seq = 2599");
    tamper(&path, "UPDATE attempt SET status = 'declined' WHERE id = 50");
    let (journal, past) = Journal::open(&path, None).unwrap();
    drop(journal);
    // What lies further back is remembered as far as it can matter.
    assert_eq!(past.codes.len(), Recovered::CODES_REMEMBERED as usize);
    assert_eq!(past.codes[0].1, order(901).out_trade_no);
    assert!(past.sales.iter().all(|(_, balance)| balance.left() == Money::default()));
    let sales: Vec<i64> = past.sales.iter().map(|(sale, _)| *sale).collect();
    assert_eq!(sales, (1_337..=1_400).collect::<Vec<i64>>());
    tamper(&path, "UPDATE entry SET at = at + 1 WHERE seq = 2601");
    assert!(matches!(refusal(&path), JournalError::Damaged { .. }));
}

#[test]
fn an_audit_goes_back_to_the_first_entry() {
    let folder = tempfile::tempdir().unwrap();
    let path = long(&folder, 600);
    let audit = || JournalReader::open(&path, None).unwrap().unwrap().audit();
    let whole = audit().unwrap();
    let head = whole.head.as_ref().unwrap();
    assert_eq!((head.entry, head.out_trade_no.as_str()), (1_200, "T01-000600"));
    let reader = JournalReader::open(&path, None).unwrap().unwrap();
    let last = reader.entries(600).unwrap().pop().unwrap();
    assert_eq!((last.number, &last.digest), (head.entry, &head.digest), "it can be looked up");
    assert_eq!((whole.orders, whole.open, whole.attention, whole.numbers_taken), (600, 0, 0, 0));
    drop(reader);
    let good = std::fs::read(&path).unwrap();
    for tampering in [
        "UPDATE entry SET at = at + 1 WHERE seq = 1",
        "UPDATE entry SET at = at + 1 WHERE seq = 199",
        "DELETE FROM entry WHERE seq = 1",
        "DELETE FROM entry WHERE seq <= 2; DELETE FROM attempt WHERE id = 1",
        "UPDATE attempt SET status = 'declined' WHERE id = 50",
        "UPDATE attempt SET amount = amount + 1 WHERE id = 1",
    ] {
        tamper(&path, &format!("PRAGMA foreign_keys = OFF; {tampering}"));
        assert!(matches!(audit(), Err(JournalError::Damaged { .. })), "{tampering}");
        std::fs::write(&path, &good).unwrap();
    }
    assert_eq!(audit().unwrap(), whole);
}

#[test]
fn an_audit_counts_what_is_open_and_numbers_that_were_in_use_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    let wire = vec![("err_code".into(), "OUT_TRADE_NO_USED".into())];
    journal.append(&Entry { wire, ..waiting(2) }).unwrap();
    assert!(is_held(&path));
    let audit = JournalReader::open(&path, None).unwrap().unwrap().audit().unwrap();
    let Audit { orders, open, attention, numbers_taken, .. } = audit;
    assert_eq!((orders, open, attention, numbers_taken), (2, 1, 0, 1));
    drop(journal);
    assert!(!is_held(&path) && !is_held(&folder.path().join("none.sqlite")));
}

#[test]
fn an_attempt_that_is_not_where_its_last_entry_left_it_is_noticed() {
    for tampering in [
        "UPDATE attempt SET status = 'paid' WHERE id = 2",
        "UPDATE attempt SET progress = 'done' WHERE id = 2",
        "UPDATE attempt SET progress = 'open' WHERE id = 1",
        "UPDATE attempt SET last_entry = 3 WHERE id = 2",
        "UPDATE attempt SET updated_at = updated_at + 1 WHERE id = 2",
        "DELETE FROM attempt WHERE id = 2",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = filled(&folder);
        tamper(&path, &format!("PRAGMA foreign_keys = OFF; {tampering}"));
        assert!(matches!(refusal(&path), JournalError::Damaged { .. }), "{tampering}");
    }
}

#[test]
fn an_index_that_does_not_agree_with_its_table_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    tamper(
        &path,
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE INDEX attempt_of_day ON attempt (sale)'
         WHERE name = 'attempt_of_day'",
    );
    assert!(matches!(refusal(&path), JournalError::Damaged { .. }));
}

#[test]
fn a_check_that_takes_too_long_is_no_damage_but_one_that_fails_is() {
    use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
    let folder = tempfile::tempdir().unwrap();
    let path = long(&folder, 100);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    let check = |journal: &mut Journal, mut rounds: u32| {
        check::file(&mut journal.db, &journal.path, None, move || {
            let over = rounds == 0;
            rounds = rounds.saturating_sub(1);
            over
        })
    };
    assert!(check(&mut journal, 0).is_ok(), "interrupted at once");
    tamper(
        &path,
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE INDEX attempt_of_day ON attempt (sale)'
         WHERE name = 'attempt_of_day'; PRAGMA schema_version = 99",
    );
    assert!(check(&mut journal, 0).is_ok(), "interrupted before it came so far");
    assert!(matches!(check(&mut journal, 1_000), Err(JournalError::Damaged { .. })));
    journal
        .db
        .authorizer(Some(|context: AuthContext<'_>| match context.action {
            AuthAction::Pragma { pragma_name: "integrity_check", .. } => Authorization::Deny,
            _ => Authorization::Allow,
        }))
        .unwrap();
    assert!(matches!(check(&mut journal, 1_000), Err(JournalError::Write(_))));
}

#[test]
fn a_last_page_that_is_cut_short_is_noticed_where_no_wal_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    for (page_size, length, whole) in [
        ([0x10, 0x00], 8_192, true),
        ([0x10, 0x00], 8_191, false),
        ([0x10, 0x00], 8_193, false),
        // In the file format, 1 stands for 65,536.
        ([0x00, 0x01], 131_072, true),
        ([0x00, 0x01], 69_632, false),
        ([0x00, 0x00], 8_192, false),
    ] {
        let mut bytes = [b"SQLite format 3\0".as_slice(), &page_size].concat();
        bytes.resize(length, 0);
        std::fs::write(&path, &bytes).unwrap();
        for (wal, helps) in [(None, false), (Some(""), false), (Some("frames"), true)] {
            let _ = std::fs::remove_file(beside(&path, "-wal"));
            if let Some(wal) = wal {
                std::fs::write(beside(&path, "-wal"), wal).unwrap();
            }
            let result = check::start(&path, true);
            assert_eq!(result.is_ok(), whole || helps, "{page_size:?} {length} {wal:?}");
        }
    }
}

#[test]
fn our_own_journal_with_other_first_bytes_is_damaged_and_not_somebody_elses() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..16].fill(b'x');
    std::fs::write(&path, bytes).unwrap();
    assert!(matches!(refusal(&path), JournalError::Damaged { .. }));
}

#[test]
fn a_format_that_never_was_is_damage_and_an_older_or_newer_one_is_not() {
    for format in [-1, 0, 1, 2, 3, 4, 5, 7] {
        let folder = tempfile::tempdir().unwrap();
        let path = filled(&folder);
        Connection::open(&path).unwrap().pragma_update(None, "user_version", format).unwrap();
        match refusal(&path) {
            JournalError::Damaged { .. } => assert!([-1, 0, 3, 4, 5].contains(&format), "{format}"),
            JournalError::Older { .. } => assert!([1, 2].contains(&format), "{format}"),
            JournalError::Newer { .. } => assert_eq!(format, 7),
            other => panic!("{format}: {other:?}"),
        }
    }
}

#[test]
fn a_mirror_that_is_not_one_is_noticed() {
    for spoil in [
        |bytes: &mut Vec<u8>| bytes[0] ^= 1,
        |bytes: &mut Vec<u8>| bytes[8] ^= 1,
        |bytes: &mut Vec<u8>| bytes[31] ^= 1,
        |bytes: &mut Vec<u8>| bytes.truncate(31),
        |bytes: &mut Vec<u8>| bytes.truncate(1),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = filled(&folder);
        let head = beside(&path, ".head");
        let mut bytes = std::fs::read(&head).unwrap();
        assert_eq!(bytes.len(), 32);
        spoil(&mut bytes);
        std::fs::write(&head, bytes).unwrap();
        assert!(matches!(refusal(&path), JournalError::Damaged { .. }));
        let read = JournalReader::open(&path, None).map(|reader| reader.is_some());
        assert!(matches!(read, Err(JournalError::Damaged { .. })));
    }
}

#[test]
fn a_start_brings_the_mirror_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    let head = beside(&path, ".head");
    let latest = std::fs::read(&head).unwrap();
    // Killed before it was ever written.
    std::fs::write(&head, "").unwrap();
    drop(Journal::open(&path, None).unwrap());
    assert_eq!(std::fs::read(&head).unwrap(), latest);
}

#[test]
fn a_till_that_never_sold_anything_starts_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    drop(Journal::open(&path, None).unwrap());
    assert_eq!(beside(&path, ".head").metadata().unwrap().len(), 0);
    let (_, past) = Journal::open(&path, None).unwrap();
    assert_eq!((past.last_attempt, past.last_sale), (0, 0));
}

#[test]
fn a_path_that_leads_in_a_circle_is_refused_and_nothing_is_made_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    std::os::unix::fs::symlink(&path, &path).unwrap();
    assert!(matches!(refusal(&path), JournalError::Unusable { .. }));
    let read = JournalReader::open(&path, None).map(|reader| reader.is_some());
    assert!(matches!(read, Err(JournalError::Unusable { .. })), "{read:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let nowhere = folder.path().join("nowhere/journal.sqlite");
    assert!(JournalReader::open(&nowhere, None).unwrap().is_none(), "not even its folder is there");
}

#[test]
fn a_quiet_moment_moves_the_wal_into_the_file_once_it_has_grown() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append(&begin(1)).unwrap();
    journal.entries_in_wal = ENTRIES_IN_WAL - 2;
    let mut fail_stop = FailStop::new(journal);
    let rows = |path: &Path| {
        let elsewhere = tempfile::tempdir().unwrap();
        let copy = elsewhere.path().join("main.sqlite");
        std::fs::copy(path, &copy).unwrap();
        let db = Connection::open(&copy).unwrap();
        db.query_row("SELECT count(*) FROM entry", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(rows(&path), 1, "with the mark that it is in use");
    fail_stop.append(&begin(2)).unwrap();
    fail_stop.checkpoint();
    assert_eq!(rows(&path), 1, "too few to disturb the disk");
    fail_stop.append(&begin(3)).unwrap();
    assert_eq!(rows(&path), 1, "not in the middle of a sale");
    fail_stop.checkpoint();
    assert_eq!(rows(&path), 3);
}

#[test]
fn after_a_failure_nothing_is_moved_not_even_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (journal, _) = Journal::open(&path, None).unwrap();
    let mut fail_stop = FailStop::new(journal);
    fail_stop.append(&begin(1)).unwrap();
    // The same attempt cannot begin twice.
    assert!(fail_stop.append(&begin(1)).is_err());
    let (main, wal) =
        (std::fs::read(&path).unwrap(), std::fs::read(beside(&path, "-wal")).unwrap());
    drop(fail_stop);
    assert_eq!(std::fs::read(&path).unwrap(), main);
    assert_eq!(std::fs::read(beside(&path, "-wal")).unwrap(), wal);
    let (_, past) = Journal::open(&path, None).unwrap();
    assert_eq!(past.last_attempt, 1);
}

#[test]
fn a_journal_made_through_a_link_has_one_lock_by_whatever_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let (link, further) = (folder.path().join("link"), folder.path().join("further"));
    std::os::unix::fs::symlink("journal.sqlite", &link).unwrap();
    std::os::unix::fs::symlink(&link, &further).unwrap();
    let (journal, _) = Journal::open(&further, None).unwrap();
    for other in [&further, &link, &path] {
        let refused = Journal::open(other, None).err();
        assert!(matches!(refused, Some(JournalError::Held(_))), "{}: {refused:?}", other.display());
    }
    drop(journal);
    assert!(beside(&path, ".head").exists() && !beside(&further, ".head").exists());
}

#[test]
fn what_cannot_be_read_is_not_called_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    std::fs::remove_file(&path).unwrap();
    // Nobody can open a socket as a file, not even root.
    let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert!(matches!(refusal(&path), JournalError::Unusable { .. }));
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(journal_in(&folder)).unwrap();
    assert!(matches!(refusal(&journal_in(&folder)), JournalError::Unusable { .. }));
}

#[test]
fn what_an_attempt_and_its_sale_were_begun_with_cannot_be_changed_unnoticed() {
    for tampering in [
        "UPDATE attempt SET out_trade_no = 'T01-000003' WHERE id = 1",
        "UPDATE attempt SET amount = 1 WHERE id = 1",
        "UPDATE attempt SET sale = 2 WHERE id = 1",
        "UPDATE attempt SET channel = 'other' WHERE id = 1",
        "UPDATE attempt SET request = replace(request, '1900000109', '1900000110') WHERE id = 1",
        "UPDATE attempt SET code_hash = zeroblob(16) WHERE id = 1",
        "UPDATE attempt SET created_at = created_at - 1 WHERE id = 1",
        "UPDATE attempt SET day = '2001-01-01' WHERE id = 1",
        "UPDATE sale SET due = 1 WHERE id = 1",
        "UPDATE sale SET currency = 'USD' WHERE id = 1",
        "UPDATE sale SET note = 'table 8' WHERE id = 1",
        "UPDATE sale SET at = at - 1 WHERE id = 1",
        "UPDATE sale SET day = '2001-01-01' WHERE id = 1",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = filled(&folder);
        tamper(&path, tampering);
        assert!(matches!(refusal(&path), JournalError::Damaged { .. }), "{tampering}");
    }
}

#[test]
fn the_log_of_a_database_that_is_not_ours_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.sqlite");
    let other = Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE theirs (x)").unwrap();
    let log = File::options().write(true).open(beside(&path, "-wal")).unwrap();
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    log.set_modified(long_ago).unwrap();
    assert!(matches!(Journal::open(&path, None), Err(JournalError::Foreign(_))));
    assert_eq!(log.metadata().unwrap().modified().unwrap(), long_ago);
    assert!(log.metadata().unwrap().len() > 0);
}

/// A journal whose process was killed: its entries are still in the log.
fn left_by_a_dead_process(folder: &TempDir) -> PathBuf {
    let path = journal_in(folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append(&begin(1)).unwrap();
    journal.leave_as_it_is();
    drop(journal);
    assert!(beside(&path, "-wal").metadata().unwrap().len() > 0);
    path
}

#[test]
fn a_start_writes_the_log_once_more_before_it_trusts_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = left_by_a_dead_process(&folder);
    let log = File::options().read(true).write(true).open(beside(&path, "-wal")).unwrap();
    let before = std::fs::read(beside(&path, "-wal")).unwrap();
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    log.set_modified(long_ago).unwrap();
    OnDisk::hold(&path, None).unwrap().settle_log().unwrap();
    assert_ne!(log.metadata().unwrap().modified().unwrap(), long_ago);
    assert!(std::fs::read(beside(&path, "-wal")).unwrap() == before);
    assert_eq!(Journal::open(&path, None).unwrap().1.open.len(), 1);
}

#[test]
fn a_log_that_is_a_link_or_no_file_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = left_by_a_dead_process(&folder);
    let (log, elsewhere) = (beside(&path, "-wal"), folder.path().join("elsewhere"));
    std::fs::rename(&log, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &log).unwrap();
    assert!(matches!(Journal::open(&path, None), Err(JournalError::NoFile(_))));
    std::fs::remove_file(&log).unwrap();
    std::fs::create_dir(&log).unwrap();
    assert!(matches!(Journal::open(&path, None), Err(JournalError::Unusable { .. })));
    std::fs::remove_dir(&log).unwrap();
    std::fs::rename(&elsewhere, &log).unwrap();
    assert_eq!(Journal::open(&path, None).unwrap().1.open.len(), 1);
}

#[test]
fn without_a_mirror_a_journal_is_read_and_with_one_that_cannot_be_opened_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    let mirror = beside(&path, ".head");
    std::fs::remove_file(&mirror).unwrap();
    assert!(
        JournalReader::open(&path, None).unwrap().is_some(),
        "it never sold anything, or is a copy"
    );
    // Nobody can open a socket as a file.
    let _socket = std::os::unix::net::UnixListener::bind(&mirror).unwrap();
    let read = JournalReader::open(&path, None).map(|reader| reader.is_some());
    assert!(matches!(read, Err(JournalError::Damaged { .. })), "{read:?}");
}

#[test]
fn a_log_is_settled_only_beside_a_database_that_can_be_read() {
    let settled = |path: &Path| OnDisk::hold(path, None).unwrap().settle_log();
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    assert!(settled(&path).is_ok(), "there is none yet");
    for short in ["", "half a header"] {
        std::fs::write(&path, short).unwrap();
        assert!(settled(&path).is_ok(), "{short:?}");
    }
    std::fs::remove_file(&path).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert!(settled(&path).is_err());
    let folder = tempfile::tempdir().unwrap();
    let path = left_by_a_dead_process(&folder);
    assert!(settled(&path).is_ok());
    std::fs::remove_file(beside(&path, "-wal")).unwrap();
    assert!(settled(&path).is_ok(), "no log, nothing to settle");
    let held = OnDisk::hold(&path, None).unwrap();
    std::os::unix::fs::symlink(&path, beside(&path, "-wal")).unwrap();
    assert!(held.settle_log().is_err(), "a log that cannot be opened is not taken for none");
}

#[test]
fn a_journal_that_has_a_second_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    let second = folder.path().join("second");
    std::fs::hard_link(&path, &second).unwrap();
    for name in [&path, &second] {
        assert!(matches!(check::start(name, true), Err(JournalError::Linked(_))));
    }
    std::fs::remove_file(&second).unwrap();
    assert!(check::start(&path, true).is_ok());
}
