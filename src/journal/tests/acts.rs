//! Who did what, in the chain.

use super::*;
use paytill_core::engine::{Act, ActKind};
use paytill_core::payment::Status;

fn by(name: &str) -> By {
    By { operator: name.into(), consent: None }
}

fn opened(at: i64, by: Option<By>) -> Act {
    Act { at: Timestamp(NOW.0 + at), kind: ActKind::Drawer, by }
}

/// Two orders, of which Anna began one that Ben had queried and printed again, and the drawer.
fn told(path: &Path) {
    let (mut journal, _) = Journal::open(path, None).unwrap();
    journal.queue_slips();
    journal.append_act(&opened(0, None)).unwrap();
    journal.append(&Entry { by: Some(by("Anna")), ..begin(1) }).unwrap();
    journal.append_all(&[begin(2), waiting(2)]).unwrap();
    journal.append(&Entry { by: Some(by("Ben")), event: Event::CheckNow, ..waiting(1) }).unwrap();
    journal.append(&paid(1)).unwrap();
    let consent = By { operator: "Ben".into(), consent: Some("王芳".into()) };
    let later = Timestamp(NOW.0 + 9_000);
    for copy in 1..=2 {
        let number = order(1).out_trade_no;
        let (slip, _) = journal.queue_copy(&number, later, Some(&consent)).unwrap().unwrap();
        assert_eq!(slip.copy, copy);
    }
    journal.append_act(&opened(10_000, Some(by("Anna")))).unwrap();
}

fn reader(path: &Path) -> JournalReader {
    JournalReader::open(path, None).unwrap().unwrap()
}

#[test]
fn an_order_tells_who_began_it_and_who_did_what_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    told(&path);
    let row = reader(&path).order("T01-000001").unwrap().unwrap();
    assert_eq!((row.by, row.state.status()), (Some(by("Anna")), Status::Paid));
    assert_eq!(row.updated_at, paid(1).at, "a copy does not move it");
    let entries = reader(&path).entries(1).unwrap();
    let told: Vec<(i64, Option<&str>)> = entries
        .iter()
        .map(|entry| (entry.number, entry.by.as_ref().map(|by| by.operator.as_str())))
        .collect();
    let expected =
        [(2, Some("Anna")), (5, Some("Ben")), (6, None), (7, Some("Ben")), (8, Some("Ben"))];
    assert_eq!(told, expected);
    assert_eq!(entries[1].event, Event::CheckNow.into());
    assert_eq!(entries[4].event, StoredEvent::Act(ActKind::Reprint { copy: 2 }));
    assert_eq!(entries[4].state, paid(1).state);
    assert_eq!(entries[4].by.as_ref().unwrap().consent.as_deref(), Some("王芳"));
    let other = reader(&path).entries(2).unwrap();
    assert!(other.len() == 2 && other.iter().all(|entry| entry.by.is_none()));
    let row = reader(&path).order("T01-000002").unwrap().unwrap();
    assert_eq!(row.by, None);
    // A till goes on with all of it.
    let (_, past) = Journal::open(&path, None).unwrap();
    assert_eq!((past.last_attempt, past.open.len()), (2, 1));
}

#[test]
fn a_journal_that_ends_with_the_drawer_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    told(&path);
    let audit = reader(&path).audit().unwrap();
    let head = audit.head.unwrap();
    assert_eq!((head.entry, head.out_trade_no.as_str(), audit.orders), (9, "T01-000001", 2));
    let other = tempfile::tempdir().unwrap();
    let path = journal_in(&other);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append_act(&opened(0, None)).unwrap();
    drop(journal);
    let head = reader(&path).audit().unwrap().head.unwrap();
    assert_eq!((head.entry, head.out_trade_no.as_str()), (1, "-"));
    drop(Journal::open(&path, None).unwrap());
}

#[test]
fn whoever_changes_a_name_or_takes_an_act_away_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    told(&path);
    assert!(reader(&path).audit().is_ok());
    for sql in [
        "UPDATE entry SET event = replace(event, 'Ben', 'Eve') WHERE seq = 5",
        "UPDATE entry SET event = replace(event, '王芳', 'Eve') WHERE seq = 7",
        "UPDATE entry SET event = replace(event, 'Anna', 'Eve') WHERE seq = 9",
        "UPDATE entry SET event = '\"CheckNow\"' WHERE seq = 5",
        "UPDATE entry SET attempt = -2 WHERE seq = 7",
        "UPDATE entry SET attempt = 0 WHERE seq = 7",
        "UPDATE attempt SET request = replace(request, 'Anna', 'Eve') WHERE id = 1",
        "UPDATE attempt SET request = json_remove(request, '$.by') WHERE id = 1",
        "DELETE FROM entry WHERE seq = 7",
        "DELETE FROM entry WHERE seq = 9",
        "DELETE FROM entry WHERE seq = 1",
    ] {
        let copied = tempfile::tempdir().unwrap();
        let copy = cut(&path, &copied);
        assert_eq!(Connection::open(&copy).unwrap().execute(sql, []).unwrap(), 1, "{sql}");
        let found = JournalReader::open(&copy, None).and_then(|reader| reader.unwrap().audit());
        assert!(matches!(found, Err(JournalError::Damaged { .. })), "{sql}: {found:?}");
    }
}

#[test]
fn the_writers_thread_writes_acts_in_their_turn() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (journal, _) = Journal::open(&path, None).unwrap();
    let (report, reports) = std::sync::mpsc::channel();
    let act_report = report.clone();
    let entries = move |Written { subject, result, .. }: Written| {
        report.send((subject, result.is_ok())).unwrap();
    };
    let writer = Writer::start(journal, entries).unwrap();
    let act = move |result: Result<(), JournalError>| {
        act_report.send((Subject::Attempt(0), result.is_ok())).unwrap();
    };
    assert!(writer.write(begin(1)) && writer.write_act(opened(5, Some(by("Anna"))), act));
    assert_eq!(
        reports.iter().take(2).collect::<Vec<_>>(),
        [(Subject::Attempt(1), true), (Subject::Attempt(0), true)]
    );
    drop(writer);
    assert_eq!(reader(&path).audit().unwrap().head.unwrap().entry, 2);
}
