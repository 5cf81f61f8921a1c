//! Copies of a journal that is in use, and proofs that are taken out of it.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

fn reader(path: &Path) -> JournalReader {
    JournalReader::open(path, None).unwrap().unwrap()
}

fn count(path: &Path, key: &Path) -> Audit {
    JournalReader::open(path, Some(key)).unwrap().unwrap().audit().unwrap()
}

/// What is in a folder, by name.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_copy_is_whole_by_itself_while_a_till_has_the_journal_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append_all(&[begin(1), paid(1), begin(2), waiting(2)]).unwrap();
    let into = tempfile::tempdir().unwrap();
    let copy = into.path().join("copy.sqlite");
    let backup = reader(&path).back_up(&copy, None).unwrap();
    let head = backup.audit.head.unwrap();
    assert_eq!((head.entry, backup.audit.orders, backup.audit.open), (4, 2, 1));
    assert_eq!(backup.key, beside(&path, ".key"));
    assert_eq!(names(into.path()), ["copy.sqlite", "copy.sqlite.head"]);
    for name in names(into.path()) {
        let mode = into.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // The till goes on, and the copy opens where there is nothing but its key.
    journal.append(&begin(3)).unwrap();
    for suffix in ["", ".head"] {
        let restored = tempfile::tempdir().unwrap();
        let place = restored.path().join("journal.sqlite");
        std::fs::copy(&copy, &place).unwrap();
        if !suffix.is_empty() {
            std::fs::copy(beside(&copy, suffix), beside(&place, suffix)).unwrap();
        }
        std::fs::copy(beside(&path, ".key"), beside(&place, ".key")).unwrap();
        let (mut again, past) = Journal::open(&place, None).unwrap();
        assert_eq!((past.last_attempt, past.open.len()), (2, 1));
        again.append(&begin(3)).unwrap();
    }
}

#[test]
fn a_copy_made_while_the_till_writes_is_a_beginning_of_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append_all(&[begin(1), paid(1)]).unwrap();
    let done = AtomicBool::new(false);
    let copies: Vec<(PathBuf, i64)> = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut next = 2;
            while !done.load(Ordering::Relaxed) {
                journal.append_all(&[begin(next), paid(next)]).unwrap();
                next += 1;
            }
            next
        });
        let copies = (0..8).map(|number| {
            let copy = folder.path().join(format!("copy-{number}"));
            let backup = reader(&path).back_up(&copy, None).unwrap();
            (copy, backup.audit.head.unwrap().entry)
        });
        let copies = copies.collect();
        done.store(true, Ordering::Relaxed);
        assert!(writer.join().unwrap() > 2, "it has written");
        copies
    });
    drop(journal);
    let whole = reader(&path);
    for (copy, last) in copies {
        let audit = count(&copy, &beside(&path, ".key"));
        let head = audit.head.unwrap();
        assert_eq!((head.entry, last % 2, audit.orders), (last, 0, last / 2));
        let digest = whole.check().hash_of(last).unwrap();
        assert_eq!(head.digest, key::hex(&digest));
    }
}

#[test]
fn a_copy_that_is_not_what_the_journal_holds_is_noticed_and_not_left_there() {
    let damages: [fn(&Path); 6] = [
        // A bit of a page, the end, everything, an entry, the last entry, all of an order.
        |copy| {
            let mut bytes = std::fs::read(copy).unwrap();
            let at = bytes.windows(7).position(|part| part == b"table 7").unwrap();
            bytes[at] ^= 1;
            std::fs::write(copy, bytes).unwrap();
        },
        |copy| {
            let file = std::fs::File::options().write(true).open(copy).unwrap();
            file.set_len(file.metadata().unwrap().size() - 1).unwrap();
        },
        |copy| std::fs::write(copy, b"").unwrap(),
        |copy| change(copy, "UPDATE entry SET at = at + 1 WHERE seq = 1"),
        |copy| change(copy, "DELETE FROM entry WHERE seq = 4"),
        |copy| {
            change(copy, "DELETE FROM entry WHERE attempt = 2; DELETE FROM attempt WHERE id = 2;");
        },
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    for damage in damages {
        let into = tempfile::tempdir().unwrap();
        let copy = into.path().join("copy.sqlite");
        let error = reader(&path).back_up_and(&copy, None, damage).unwrap_err();
        assert!(matches!(error, BackupError::Differs { .. }), "{error}");
        assert_eq!(names(into.path()), [""; 0]);
    }
    assert!(reader(&path).back_up(&folder.path().join("copy"), None).is_ok());
}

#[test]
fn an_older_copy_put_in_place_with_its_mirror_is_not_taken_for_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    let older = folder.path().join("older");
    reader(&path).back_up(&older, None).unwrap();
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append(&begin(3)).unwrap();
    let exchange = |copy: &Path| {
        for suffix in ["", ".head"] {
            std::fs::copy(beside(&older, suffix), beside(copy, suffix)).unwrap();
        }
    };
    let copy = folder.path().join("copy");
    let error = reader(&path).back_up_and(&copy, None, exchange).unwrap_err();
    assert!(matches!(error, BackupError::Differs { .. }), "{error}");
    assert_eq!(names(folder.path()), ["older", "older.head", "state"]);
}

#[test]
fn what_is_found_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    for attempt in 1..=40 {
        let mut paid = paid(attempt);
        paid.wire = vec![("transaction_id".into(), format!("42000000{attempt:020}"))];
        journal.append_all(&[begin(attempt), paid]).unwrap();
    }
    drop(journal);
    change(&path, "UPDATE attempt SET amount = 1 WHERE id = 3");
    let reader = reader(&path);
    let number = |attempt: i64| format!("42000000{attempt:020}");
    assert!(reader.with_transaction(&number(2)).unwrap().is_some());
    assert!(matches!(reader.with_transaction(&number(3)), Err(JournalError::Damaged { .. })));
    let cheap = reader.latest(50, 9, |row| row.amount.minor() == 1);
    assert!(matches!(cheap, Err(JournalError::Damaged { .. })));
    assert!(matches!(reader.request(3), Err(JournalError::Damaged { .. })));
}

fn change(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_damaged_journal_is_named_and_not_copied() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    for attempt in 1..=40 {
        journal.append_all(&[begin(attempt), paid(attempt)]).unwrap();
    }
    drop(journal);
    // Further back than a reader looks by itself.
    change(&path, "UPDATE entry SET at = at + 1 WHERE seq = 2");
    let error = reader(&path).back_up(&folder.path().join("copy"), None).unwrap_err();
    let BackupError::Journal(JournalError::Damaged { path: named, .. }) = &error else {
        panic!("{error}")
    };
    assert_eq!(*named, path);
    assert_eq!(names(folder.path()), ["state"]);
}

#[test]
fn a_copy_replaces_nothing_and_is_no_part_of_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    let copy = folder.path().join("copy");
    for taken in ["", "-wal", "-shm", "-journal", ".head", ".checked"] {
        std::fs::write(beside(&copy, taken), "mine").unwrap();
        let error = reader(&path).back_up(&copy, None).unwrap_err();
        assert!(matches!(&error, BackupError::Exists(path) if *path == beside(&copy, taken)));
        assert_eq!(std::fs::read(beside(&copy, taken)).unwrap(), b"mine");
        std::fs::remove_file(beside(&copy, taken)).unwrap();
    }
    std::os::unix::fs::symlink("nowhere", &copy).unwrap();
    assert!(matches!(reader(&path).back_up(&copy, None), Err(BackupError::Exists(_))));
    std::fs::remove_file(&copy).unwrap();
    assert!(matches!(reader(&path).back_up(&path, None), Err(BackupError::Exists(_))));
    for suffix in ["-wal", "-journal", ".head", ".lock", ".key", ".checked"] {
        let error = reader(&path).back_up(&beside(&path, suffix), None).unwrap_err();
        assert!(matches!(error, BackupError::OfTheJournal(_)), "{suffix}: {error}");
    }
    let nowhere = folder.path().join("none/copy");
    assert!(matches!(reader(&path).back_up(&nowhere, None), Err(BackupError::File { .. })));
    assert_eq!(names(folder.path()), ["state"]);
}

#[test]
fn a_journal_without_entries_has_a_copy_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    drop(Journal::open(&path, None).unwrap());
    let copy = folder.path().join("copy");
    assert_eq!(reader(&path).back_up(&copy, None).unwrap().audit.head, None);
    let (_again, past) = Journal::open(&copy, Some(&beside(&path, ".key"))).unwrap();
    assert_eq!(past.last_attempt, 0);
}

#[test]
fn a_proof_has_every_entry_of_an_order_and_the_digests_to_the_journals_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append_all(&[begin(1), begin(2), paid(2), paid(1), begin(3)]).unwrap();
    let reader = reader(&path);
    let ChainProof { records, first, digests } = reader.proof(2).unwrap();
    assert_eq!((first, digests.len()), (2, 4));
    assert_eq!(records.iter().map(|record| record.number).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(records[1].before, records[0].digest);
    assert_eq!(
        records.iter().map(|record| &record.digest).collect::<Vec<_>>(),
        [&digests[0], &digests[1]]
    );
    assert!(records[0].facts.contains("T01-000002") && records[1].facts.is_empty());
    let seal = Seal::of(&path, None).unwrap().unwrap();
    assert_eq!(seal.mark(), reader.seal().mark());
    assert!(records.iter().all(|record| seal.fits(record)));
    // Another key makes none of it.
    let other = tempfile::tempdir().unwrap();
    let other = Seal::of(&filled(&other), None).unwrap().unwrap();
    assert!(other.mark() != seal.mark() && !other.fits(&records[0]));
    assert!(other.over(b"text") != seal.over(b"text"));
    assert!(Seal::of(&folder.path().join("none/journal"), None).unwrap().is_none());
}

#[test]
fn a_record_with_anything_changed_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let reader = reader(&filled(&folder));
    let (seal, record) = (reader.seal(), reader.proof(1).unwrap().records.remove(0));
    let alterations: [fn(&mut Record); 12] = [
        |record| record.number += 1,
        |record| record.attempt += 1,
        |record| record.at += 1,
        |record| record.age += 1,
        |record| record.boot += 1,
        |record| record.sent_at += 1,
        |record| record.event.push(' '),
        |record| record.state.push(' '),
        |record| record.wire.push(' '),
        |record| record.facts = record.facts.replace("1234", "1235"),
        |record| record.before = record.before.replace('0', "1"),
        |record| record.digest = record.digest.to_uppercase(),
    ];
    assert!(seal.fits(&record));
    for (number, change) in alterations.into_iter().enumerate() {
        let mut changed = record.clone();
        change(&mut changed);
        // The first entry's digest before it is all zeros.
        assert!(changed != record && !seal.fits(&changed), "{number}");
    }
    for before in ["", "0", "+0000000000000000000000000000000", &"g".repeat(32)] {
        assert!(!seal.fits(&Record { before: before.into(), ..record.clone() }), "{before}");
    }
}

#[test]
fn nothing_is_proved_from_a_journal_that_was_changed_between_an_order_and_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    for attempt in 1..=40 {
        journal.append_all(&[begin(attempt), paid(attempt)]).unwrap();
    }
    drop(journal);
    change(&path, "UPDATE entry SET at = at + 1 WHERE seq = 20");
    let reader = reader(&path);
    assert!(matches!(reader.proof(2), Err(JournalError::Damaged { .. })));
    assert!(reader.proof(15).is_ok(), "what follows is whole");
}

#[test]
fn an_order_is_found_by_any_number_that_the_gateway_ever_gave_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    let number = "4200002026112200000000000007";
    let mut answered = waiting(2);
    answered.wire = vec![("transaction_id".into(), number.into())];
    journal.append_all(&[begin(1), paid(1), begin(2), answered]).unwrap();
    let reader = reader(&path);
    assert_eq!(reader.with_transaction(number).unwrap().unwrap().attempt, 2);
    for unknown in ["4200002026112200000000000008", "\"", "%", ""] {
        assert!(reader.with_transaction(unknown).unwrap().is_none(), "{unknown}");
    }
    assert_eq!(reader.request(2).unwrap(), order(2));
    let orders = |limit, fits: fn(&OrderRow) -> bool| {
        let rows = reader.latest(50, limit, fits).unwrap();
        rows.iter().map(|row| row.attempt).collect::<Vec<_>>()
    };
    assert_eq!(orders(9, |row| row.amount.minor() == 1234), [2, 1]);
    assert_eq!(orders(1, |_| true), [2]);
    assert_eq!(orders(9, |row| row.state.proof().is_some()), [1]);
    assert!(orders(9, |_| false).is_empty());
}
