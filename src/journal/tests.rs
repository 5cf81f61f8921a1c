//! Journals on real files: what is kept, what is noticed, and what is refused.

mod acts;
mod copies;
mod edges;
mod growth;
mod keys;
mod lines;
mod migration;
mod paper;
mod refunds;
mod rows;
mod seals;
mod shifts;

use std::path::Path;

use tempfile::TempDir;

use super::writer::FailStop;
use super::*;
use paytill_core::clock::{Millis, TimeZone, Timestamp, Uptime};
use paytill_core::engine::{SaleEntry, Subject};
use paytill_core::money::{Currency, Money};
use paytill_core::order::{Order, OutTradeNo};
use paytill_core::payment::{
    Answer, Event, Found, Inconclusive, Proof, Rules, Submitted, TillCause,
};

const NOW: Timestamp = Timestamp(1_795_318_200_000);

fn order(number: i64) -> Order {
    Order {
        out_trade_no: OutTradeNo::try_from(format!("T01-{number:06}")).unwrap(),
        amount: Money::from_minor(1234),
        currency: Currency::CNY,
        merchant: Merchant {
            app_id: "wx8888888888888888".into(),
            mch_id: "1900000109".into(),
            sub_app_id: String::new(),
            sub_mch_id: String::new(),
        },
        body: "Corner Coffee T01".into(),
        device_info: "S001".into(),
        client_ip: "203.0.113.7".into(),
        mark: "0123456789abcdef".into(),
    }
}

fn begin(attempt: i64) -> Entry {
    let state = State::begin(&Rules::default(), 0);
    Entry {
        attempt,
        at: NOW,
        age: Millis(0),
        sent_at: Uptime(5_000),
        boot: 7,
        event: Event::Begun,
        by: None,
        state,
        wire: vec![("total_fee".into(), "1234".into())],
        begin: Some(Box::new(Begin {
            sale: SaleEntry {
                id: attempt,
                new: Some("table 7".into()),
                due: order(1).amount,
                sold: std::sync::Arc::default(),
            },
            order: order(attempt),
            code_hash: Some([u8::try_from(attempt % 256).unwrap(); 16]),
            day: NOW.day(&TimeZone::UTC),
        })),
    }
}

fn paid(attempt: i64) -> Entry {
    let mut state = State::begin(&Rules::default(), 0);
    let transaction_id = "4200002026112200000000000001".to_owned();
    let proof = Proof { transaction_id, paid_at: NOW, coupon: None };
    let event = Event::Answered(0, Answer::Submitted(Submitted::Paid(proof)));
    assert_eq!(state.step(&event, Millis(200), &Rules::default()), None);
    let at = Timestamp(NOW.0 + 200);
    Entry { at, age: Millis(200), event, state, wire: Vec::new(), begin: None, ..begin(attempt) }
}

fn waiting(attempt: i64) -> Entry {
    let mut state = State::begin(&Rules::default(), 0);
    let event = Event::Answered(0, Answer::Submitted(Submitted::Paying));
    assert_eq!(state.step(&event, Millis(300), &Rules::default()), None);
    Entry { age: Millis(300), event, state, begin: None, ..begin(attempt) }
}

fn journal_in(folder: &TempDir) -> PathBuf {
    folder.path().join("state/journal.sqlite")
}

/// A journal with two orders, one of them open.
fn filled(folder: &TempDir) -> PathBuf {
    let path = journal_in(folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    for entry in [begin(1), paid(1), begin(2), waiting(2)] {
        journal.append(&entry).unwrap();
    }
    path
}

/// Copies the files while the journal is held, as a power cut would leave them.
fn cut(from: &Path, into: &TempDir) -> PathBuf {
    let copy = into.path().join("journal.sqlite");
    for suffix in ["", "-wal", ".head", ".key"] {
        let file = beside(from, suffix);
        if file.exists() {
            std::fs::copy(file, beside(&copy, suffix)).unwrap();
        }
    }
    copy
}

fn refusal(path: &Path) -> JournalError {
    match Journal::open(path, None) {
        Err(error) => error,
        Ok(_) => panic!("{} was opened", path.display()),
    }
}

#[test]
fn what_was_appended_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    let (_journal, past) = Journal::open(&path, None).unwrap();
    assert_eq!((past.last_attempt, past.last_sale), (2, 2));
    assert_eq!(past.codes.len(), 2);
    let [open] = past.open.as_slice() else { panic!("{:?}", past.open) };
    assert_eq!(open.order, order(2));
    assert_eq!(open.age, Millis(300));
    assert_eq!((open.boot, open.sent_at), (7, Uptime(5_000)));
    assert_eq!(open.state, waiting(2).state);
}

#[test]
fn orders_can_be_read_while_a_till_holds_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append(&begin(1)).unwrap();
    let reader = JournalReader::open(&path, None).unwrap().unwrap();
    assert_eq!(reader.orders(&Filter::default()).unwrap().len(), 1);
    journal.append(&paid(1)).unwrap();
    let rows = reader.orders(&Filter::default()).unwrap();
    assert_eq!(rows[0].state, paid(1).state);
    assert_eq!(rows[0].note, "table 7");
    let entries = reader.entries(rows[0].attempt).unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].event, Event::Begun.into());
    assert_eq!(entries[0].wire, r#"{"total_fee":"1234"}"#);
    assert_eq!(entries[1].age, Millis(200));
}

#[test]
fn orders_are_filtered_by_day_state_and_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    let reader = JournalReader::open(&path, None).unwrap().unwrap();
    let count = |filter: &Filter| reader.orders(filter).unwrap().len();
    let day = Some(NOW.day(&TimeZone::UTC).to_string());
    assert_eq!(count(&Filter { day, ..Filter::default() }), 2);
    assert_eq!(count(&Filter { day: Some("2001-01-01".into()), ..Filter::default() }), 0);
    let status = Some(paytill_core::payment::Status::Waiting);
    assert_eq!(count(&Filter { status, ..Filter::default() }), 1);
    let latest = reader.orders(&Filter { limit: Some(1), ..Filter::default() }).unwrap();
    assert_eq!(latest[0].out_trade_no, order(2).out_trade_no);
    assert!(reader.order("T01-000001").unwrap().is_some());
    assert!(reader.order("T01-000009").unwrap().is_none());
}

#[test]
fn one_till_holds_a_journal_by_whatever_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (journal, _) = Journal::open(&path, None).unwrap();
    assert!(matches!(refusal(&path), JournalError::Held(_)));
    let link = folder.path().join("link.sqlite");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(refusal(&link), JournalError::Held(_)));
    drop(journal);
    assert!(Journal::open(&link, None).is_ok());
}

#[test]
fn what_was_acknowledged_survives_without_a_goodbye() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    for entry in [begin(1), paid(1), begin(2)] {
        journal.append(&entry).unwrap();
    }
    let (_copy, past) = Journal::open(&cut(&path, &elsewhere), None).unwrap();
    assert_eq!(past.last_attempt, 2);
    assert_eq!(past.open.len(), 1);
}

#[test]
fn a_missing_or_foreign_wal_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    for entry in [begin(1), paid(1), begin(2)] {
        journal.append(&entry).unwrap();
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = cut(&path, &elsewhere);
    std::fs::remove_file(beside(&copy, "-wal")).unwrap();
    let read = JournalReader::open(&copy, None).map(|reader| reader.is_some());
    assert!(matches!(read, Err(JournalError::Damaged { .. })), "{read:?}");
    assert!(matches!(refusal(&copy), JournalError::Damaged { .. }));

    let (other, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let other_path = journal_in(&other);
    let (mut other_journal, _) = Journal::open(&other_path, None).unwrap();
    other_journal.append(&begin(1)).unwrap();
    let copy = cut(&path, &elsewhere);
    std::fs::copy(beside(&other_path, "-wal"), beside(&copy, "-wal")).unwrap();
    assert!(matches!(refusal(&copy), JournalError::Damaged { .. }));
}

#[test]
fn an_older_copy_put_in_its_place_is_noticed() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = filled(&folder);
    let old = elsewhere.path().join("old.sqlite");
    std::fs::copy(&path, &old).unwrap();
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append(&paid(2)).unwrap();
    drop(journal);
    std::fs::copy(&old, &path).unwrap();
    assert!(matches!(refusal(&path), JournalError::Damaged { .. }));
}

#[test]
fn a_gone_or_emptied_journal_is_noticed_and_not_replaced() {
    for emptied in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let path = filled(&folder);
        if emptied {
            std::fs::write(&path, "").unwrap();
        } else {
            std::fs::remove_file(&path).unwrap();
        }
        assert!(matches!(refusal(&path), JournalError::Damaged { .. }));
        assert_eq!(path.exists(), emptied, "nothing was made in its place");
    }
}

#[test]
fn a_changed_deleted_or_swapped_entry_is_noticed() {
    for tampering in [
        "UPDATE entry SET state = replace(state, '4200', '4300') WHERE seq = 2",
        "UPDATE entry SET at = at + 1 WHERE seq = 3",
        "UPDATE entry SET wire = '' WHERE seq = 1",
        "DELETE FROM entry WHERE seq = 2",
        "DELETE FROM entry WHERE seq = 4",
        "UPDATE entry SET chain = zeroblob(16) WHERE seq = 4",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = filled(&folder);
        let db = Connection::open(&path).unwrap();
        assert_eq!(db.execute(tampering, []).unwrap(), 1);
        drop(db);
        assert!(matches!(refusal(&path), JournalError::Damaged { .. }), "{tampering}");
    }
}

#[test]
fn what_is_not_a_journal_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let junk = folder.path().join("junk.sqlite");
    std::fs::write(&junk, "dear diary ".repeat(1000)).unwrap();
    assert!(matches!(refusal(&junk), JournalError::Foreign(_)));
    assert_eq!(std::fs::read_to_string(&junk).unwrap(), "dear diary ".repeat(1000));

    let other = folder.path().join("other.sqlite");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE cats (name TEXT)").unwrap();
    assert!(matches!(refusal(&other), JournalError::Foreign(_)));

    let newer = filled(&folder);
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(refusal(&newer), JournalError::Newer { format: 99, .. }));
}

#[test]
fn a_kill_between_commit_and_mirror_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    let head = beside(&path, ".head");
    let before = std::fs::read(&head).unwrap();
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append(&paid(2)).unwrap();
    drop(journal);
    std::fs::write(&head, before).unwrap();
    let (_, past) = Journal::open(&path, None).unwrap();
    assert!(past.open.is_empty());
}

#[test]
fn a_disk_that_refuses_stops_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(&journal_in(&folder), None).unwrap();
    journal.append(&begin(1)).unwrap();
    journal.db.pragma_update(None, "max_page_count", 1).unwrap();
    let mut large = begin(2);
    large.wire = vec![("note".into(), "x".repeat(200_000))];
    assert!(matches!(journal.append(&large), Err(JournalError::Write(_))));
}

#[test]
fn an_answer_that_changes_nothing_is_kept_as_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    let unclear = Inconclusive::Unknown(TillCause::NoAnswer.into());
    let event = Event::Answered(9, Answer::Found(Found::Inconclusive(unclear)));
    let entry = Entry { event: event.clone(), ..waiting(2) };
    journal.append(&entry).unwrap();
    let reader = JournalReader::open(&path, None).unwrap().unwrap();
    assert_eq!(reader.entries(2).unwrap().last().unwrap().event, event.into());
}

#[test]
fn the_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(&beside(&path, ".head")), 0o600);
    assert_eq!(mode(&beside(&path, ".lock")), 0o600);
}

#[test]
fn every_entry_that_is_handed_over_is_reported_and_none_is_written_after_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (journal, _) = Journal::open(&path, None).unwrap();
    journal
        .db
        .execute_batch(
            "CREATE TEMP TRIGGER full BEFORE INSERT ON main.entry WHEN NEW.attempt = 2
             BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
        )
        .unwrap();
    let (report, reported) = std::sync::mpsc::channel();
    let writer = Writer::start(journal, move |written: Written| {
        let Subject::Attempt(attempt) = written.subject else { panic!("a refund") };
        report.send((attempt, written.result.is_ok())).unwrap();
    })
    .unwrap();
    for attempt in 1..=3 {
        assert!(writer.write(begin(attempt)));
    }
    let reports: Vec<_> = (0..3).map(|_| reported.recv().unwrap()).collect();
    assert_eq!(reports, [(1, true), (2, false), (3, false)]);
    assert!(matches!(refusal(&path), JournalError::Held(_)), "held to the end");
    drop(writer);
    let (_, past) = Journal::open(&path, None).unwrap();
    assert_eq!(past.last_attempt, 1);
}

/// The till takes `Stopped` for the echo of a failure that it has already reported.
#[test]
fn a_checkpoint_that_fails_is_reported_as_what_it_is() {
    use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(&journal_in(&folder), None).unwrap();
    journal.append(&begin(1)).unwrap();
    journal.entries_in_wal = ENTRIES_IN_WAL - 1;
    journal
        .db
        .authorizer(Some(|context: AuthContext<'_>| match context.action {
            AuthAction::Pragma { pragma_name: "wal_checkpoint", .. } => Authorization::Deny,
            _ => Authorization::Allow,
        }))
        .unwrap();
    let mut fail_stop = FailStop::new(journal);
    assert!(fail_stop.append(&begin(2)).is_ok());
    fail_stop.checkpoint();
    let result = fail_stop.append(&begin(3));
    assert!(matches!(result, Err(JournalError::Write(_))), "nobody is told why: {result:?}");
    assert!(matches!(fail_stop.append(&begin(4)), Err(JournalError::Stopped)));
}
