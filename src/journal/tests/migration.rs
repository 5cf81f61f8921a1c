//! Journals of older formats, and starts that were cut off while they brought one to this format.

use std::os::unix::fs::DirBuilderExt as _;

use super::*;

/// A journal as format 3 had it, before there were slips.
fn of_format_3(path: &Path) {
    let db = Connection::open(path).unwrap();
    db.execute_batch(
        "ALTER TABLE sale DROP COLUMN lines; DROP TABLE refund;
         DROP TABLE slip; DROP TABLE last_slip; DROP INDEX attempt_by_tail;
         PRAGMA user_version = 3;",
    )
    .unwrap();
}

/// A journal as format 4 had it, before the slips had a sum.
fn of_format_4(path: &Path) {
    let key = Key::new(&key::read(&beside(path, ".key")).unwrap().unwrap());
    let db = Connection::open(path).unwrap();
    let last: i64 = db.query_row("SELECT slip FROM last_slip", [], |row| row.get(0)).unwrap();
    let seal = key.hash(&[0; 16], &[b"last slip", &last.to_be_bytes(), b""]);
    db.execute_batch(
        "ALTER TABLE sale DROP COLUMN lines; DROP TABLE refund; DROP TABLE last_slip;
         CREATE TABLE last_slip (id INTEGER PRIMARY KEY CHECK (id = 1), slip INTEGER NOT NULL,
             seal BLOB NOT NULL) STRICT;
         PRAGMA user_version = 4;",
    )
    .unwrap();
    db.execute("INSERT INTO last_slip VALUES (1, ?, ?)", params![last, seal]).unwrap();
}

/// A journal as format 5 had it, before there were refunds.
fn of_format_5(path: &Path) {
    let db = Connection::open(path).unwrap();
    db.execute_batch(
        "ALTER TABLE sale DROP COLUMN lines; DROP TABLE refund; PRAGMA user_version = 5;",
    )
    .unwrap();
}

/// A journal with slips, one of them done.
fn with_slips(folder: &TempDir) -> PathBuf {
    let path = journal_in(folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.queue_slips();
    journal.append_all(&[begin(1), paid(1), begin(2), paid(2), begin(3), waiting(3)]).unwrap();
    journal.mark_slip(1, SlipStage::Done).unwrap();
    path
}

fn format(path: &Path) -> i32 {
    let db = Connection::open(path).unwrap();
    db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

/// The names beside a journal that a migration makes, without the journal's own.
fn copies(path: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names
        .filter_map(|name| name.strip_prefix("journal.sqlite.format").map(str::to_owned))
        .collect();
    names.sort();
    names
}

fn audit(path: &Path, key: &Path) -> Result<Audit, JournalError> {
    JournalReader::open(path, Some(key)).unwrap().unwrap().audit()
}

#[test]
fn slips_of_earlier_formats_are_kept_and_counted() {
    for (older, number) in [(of_format_4 as fn(&Path), 4), (of_format_5, 5)] {
        slips_are_kept_and_counted(older, number);
    }
}

fn slips_are_kept_and_counted(older: fn(&Path), number: i32) {
    let folder = tempfile::tempdir().unwrap();
    let path = with_slips(&folder);
    let key = beside(&path, ".key");
    older(&path);
    assert_eq!(audit(&path, &key).unwrap().orders, 3, "read as it is");
    let slips =
        |path: &Path| JournalReader::open(path, Some(&key)).unwrap().unwrap().slips().unwrap();
    let before = slips(&path);
    assert_eq!(before.len(), 1);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    assert_eq!(slips(&path), before);
    journal.mark_slip(2, SlipStage::Done).unwrap();
    drop(journal);
    assert!(audit(&path, &key).is_ok());
    assert_eq!(copies(&path), [format!("{number}"), format!("{number}.head")]);
    let copy = beside(&path, &format!(".format{number}"));
    assert_eq!((format(&copy), format(&path)), (number, FORMAT));
    assert_eq!((audit(&copy, &key).unwrap().open, slips(&copy)), (1, before));
}

#[test]
fn a_slip_that_was_altered_stands_in_no_start_and_is_still_named() {
    for altered in [
        "UPDATE slip SET at = at + 1 WHERE id = 1",
        "DELETE FROM slip WHERE id = 1",
        "DELETE FROM slip WHERE id = 2",
        "UPDATE last_slip SET slip = 1",
        "DELETE FROM last_slip",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = with_slips(&folder);
        of_format_4(&path);
        Connection::open(&path).unwrap().execute_batch(altered).unwrap();
        let (mut journal, past) = Journal::open(&path, None).unwrap();
        assert_eq!(past.open.len(), 1);
        journal.queue_slips();
        journal.append(&paid(3)).unwrap();
        assert_eq!(journal.take_slips().len(), 1, "{altered}");
        drop(journal);
        for path in [&path, &beside(&path, ".format4")] {
            let found = audit(path, &beside(&journal_in(&folder), ".key"));
            assert!(matches!(found, Err(JournalError::Damaged { .. })), "{altered}: {found:?}");
        }
    }
}

#[test]
fn it_is_said_before_it_begins_and_with_the_name_of_the_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    of_format_3(&path);
    let mut told = Vec::new();
    let (journal, _) = Journal::open_or_migrate(&path, None, |migrated| {
        assert_eq!((copies(&path), format(&path)), (Vec::new(), 3), "nothing was done yet");
        told.push(migrated.clone());
    })
    .unwrap();
    assert_eq!(told, [journal.migrated().unwrap().clone()]);
    drop(journal);
    let again = Journal::open_or_migrate(&path, None, |_| panic!("it is of this format"));
    assert!(again.is_ok());
}

/// Leaves something beside a journal.
type Leave<'a> = &'a dyn Fn(&Path);

/// Whatever a start that was killed has left, the next one makes or finds one verified copy, and
/// nothing else stays.
#[test]
fn what_a_killed_start_has_left_of_a_copy_is_used_or_cleared_away() {
    let partial = |path: &Path, parts: &[&str]| {
        let workshop = beside(path, ".format3.new");
        std::fs::DirBuilder::new().mode(0o700).create(&workshop).unwrap();
        for part in parts {
            std::fs::write(workshop.join(part), "a part").unwrap();
        }
    };
    let stages: [(&str, Leave<'_>); 6] = [
        ("an empty folder", &|path| partial(path, &[])),
        ("a part of the copy", &|path| partial(path, &["journal", "journal-journal"])),
        ("the copy and its mirror", &|path| partial(path, &["journal", "journal.head"])),
        ("the mirror's name", &|path| {
            partial(path, &["journal"]);
            std::fs::copy(beside(path, ".head"), beside(path, ".format3.head")).unwrap();
        }),
        ("both names", &|path| {
            let mut reader = JournalReader::open(path, None).unwrap().unwrap();
            reader.back_up(&beside(path, ".format3"), None).unwrap();
            partial(path, &[]);
        }),
        ("the copy without its mirror", &|path| {
            let mut reader = JournalReader::open(path, None).unwrap().unwrap();
            reader.back_up(&beside(path, ".format3"), None).unwrap();
            std::fs::remove_file(beside(path, ".format3.head")).unwrap();
        }),
    ];
    for (what, leave) in stages {
        let folder = tempfile::tempdir().unwrap();
        let path = filled(&folder);
        of_format_3(&path);
        leave(&path);
        let (journal, past) = Journal::open(&path, None).unwrap();
        assert_eq!(past.last_attempt, 2, "{what}");
        drop(journal);
        let kept: Vec<String> = copies(&path).into_iter().filter(|name| name != "3.head").collect();
        assert_eq!(kept, ["3"], "{what}");
        assert_eq!(format(&path), FORMAT, "{what}");
        let audit = audit(&beside(&path, ".format3"), &beside(&path, ".key")).unwrap();
        assert_eq!(audit.orders, 2, "{what}");
    }
}

#[test]
fn what_is_not_its_own_is_left_where_it_is() {
    let leave: [Leave<'_>; 5] = [
        // A folder with something else in it, one that others can read, a file, a link, a mirror of
        // another journal.
        &|workshop| {
            std::fs::DirBuilder::new().mode(0o700).create(workshop).unwrap();
            std::fs::write(workshop.join("photos"), "mine").unwrap();
        },
        &|workshop| {
            std::fs::DirBuilder::new().mode(0o750).create(workshop).unwrap();
            std::fs::write(workshop.join("journal"), "mine").unwrap();
        },
        &|workshop| std::fs::write(workshop, "mine").unwrap(),
        &|workshop| {
            let elsewhere = workshop.with_file_name("elsewhere");
            std::fs::DirBuilder::new().mode(0o700).create(&elsewhere).unwrap();
            std::fs::write(elsewhere.join("journal"), "mine").unwrap();
            std::os::unix::fs::symlink("elsewhere", workshop).unwrap();
        },
        &|workshop| {
            let mirror = workshop.with_file_name("journal.sqlite.format3.head");
            std::fs::write(mirror, head::record(4, &[7; 16])).unwrap();
        },
    ];
    for (number, leave) in leave.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let path = filled(&folder);
        of_format_3(&path);
        leave(&beside(&path, ".format3.new"));
        let before = copies(&path);
        let (journal, _) = Journal::open(&path, None).unwrap();
        let copy = journal.migrated().unwrap().copy.clone().unwrap();
        assert!(audit(&copy, &beside(&path, ".key")).is_ok());
        drop(journal);
        let after = copies(&path);
        assert!(before.iter().all(|name| after.contains(name)), "{number}: {after:?}");
        assert_eq!(after.len(), before.len() + 2, "{number}: {after:?}");
        let photos = beside(&path, ".format3.new").join("photos");
        assert_eq!(photos.exists(), number == 0);
    }
}

#[test]
fn starts_that_fail_again_and_again_keep_one_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    of_format_3(&path);
    let (old, head) =
        (std::fs::read(&path).unwrap(), std::fs::read(beside(&path, ".head")).unwrap());
    for _ in 0..4 {
        let (journal, _) = Journal::open(&path, None).unwrap();
        let copy = journal.migrated().unwrap().copy.clone().unwrap();
        assert!(copy.ends_with("journal.sqlite.format3"), "{}", copy.display());
        drop(journal);
        assert_eq!(copies(&path), ["3", "3.head"]);
        // As if it had got no further.
        std::fs::write(&path, &old).unwrap();
        std::fs::write(beside(&path, ".head"), &head).unwrap();
    }
    // One that is no longer what the journal holds is not taken for its copy, nor replaced.
    let copy = beside(&path, ".format3");
    let before = std::fs::read(&copy).unwrap();
    let db = Connection::open(&copy).unwrap();
    db.execute_batch("UPDATE entry SET at = at + 1 WHERE seq = 1").unwrap();
    drop(db);
    let altered = std::fs::read(&copy).unwrap();
    let (journal, _) = Journal::open(&path, None).unwrap();
    let other = journal.migrated().unwrap().copy.clone().unwrap();
    assert!(other.ends_with("journal.sqlite.format3-2"), "{}", other.display());
    assert!(before != altered && std::fs::read(&copy).unwrap() == altered);
}

#[test]
fn a_journal_from_before_cash_is_brought_to_this_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    of_format_5(&path);
    let (journal, past) = Journal::open(&path, None).unwrap();
    let migrated = journal.migrated().unwrap();
    assert_eq!((migrated.from, migrated.to, past.last_attempt), (5, FORMAT, 2));
    drop(journal);
    assert!(JournalReader::open(&path, None).unwrap().unwrap().audit().is_ok());
}
