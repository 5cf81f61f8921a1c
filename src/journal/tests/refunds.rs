//! Refunds: what is kept, what is noticed, and journals that were made before there were any.

use super::*;
use paytill_core::engine::{RefundBegin, RefundEntry};
use paytill_core::refund::{
    Looked, OutRefundNo, Queried, Refund, RefundAnswer, RefundEvent, RefundPage, RefundPlan,
    RefundProof, RefundSaid, RefundState, RefundStatus,
};

fn refund_no(refund: i64) -> OutRefundNo {
    OutRefundNo::try_from(format!("T01-000001R{refund:02}0001")).unwrap()
}

fn by() -> By {
    By { operator: "Anna".into(), consent: Some("Ben".into()) }
}

/// The entries of a refund of order 1 of so much, up to where it is done.
pub(super) fn refund(id: i64, amount: i64) -> Vec<RefundEntry> {
    let what = Refund {
        out_refund_no: refund_no(id),
        order: order(1),
        amount: Money::from_minor(amount),
        reason: "cold".into(),
        approved_by: String::new(),
    };
    let plan = RefundPlan { amount: what.amount, paid: what.order.amount, earlier: Vec::new() };
    let mut state = RefundState::begin(plan, 0);
    let mut entry = RefundEntry {
        refund: id,
        attempt: 1,
        at: Timestamp(NOW.0 + 60_000 * id),
        age: Millis(0),
        begun_at: Uptime(70_000),
        boot: 7,
        event: RefundEvent::Begun,
        by: Some(by()),
        state: state.clone(),
        wire: vec![("refund_fee".into(), amount.to_string())],
        begin: Some(Box::new(RefundBegin { refund: what, day: NOW.day(&TimeZone::UTC) })),
    };
    let mut entries = vec![entry.clone()];
    let proof = RefundProof { refund_id: "5".into(), done_at: NOW };
    for answer in [
        Some(RefundAnswer::Looked(Looked::Page(RefundPage::default()))),
        Some(RefundAnswer::Said(RefundSaid::Accepted)),
        None,
        Some(RefundAnswer::Queried(Queried::Done(proof))),
    ] {
        entry.age = entry.age.plus(Millis::seconds(5));
        let number = state.awaited().map(|call| call.number);
        entry.event = match (number, answer) {
            (Some(number), Some(answer)) => RefundEvent::Answered(number, answer),
            _ => RefundEvent::Tick,
        };
        let _ = state.step(&entry.event, entry.age, &Rules::default());
        entry.state = state.clone();
        (entry.begin, entry.by) = (None, None);
        entry.wire = vec![("transaction_id".into(), "4200002026112200000000000001".into())];
        entries.push(entry.clone());
    }
    assert_eq!(state.status(), RefundStatus::Done);
    entries
}

/// A journal with a paid order, a refund of it that is done and one that was accepted.
fn with_refunds(folder: &TempDir) -> PathBuf {
    let path = journal_in(folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    for entry in [begin(1), paid(1)] {
        journal.append(&entry).unwrap();
    }
    let accepted = refund(2, 34).into_iter().take(3);
    for entry in refund(1, 200).into_iter().chain(accepted) {
        journal.append_refund(&entry).unwrap();
    }
    path
}

fn changed(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_refund_is_read_back_and_those_with_work_left_are_continued() {
    let folder = tempfile::tempdir().unwrap();
    let path = with_refunds(&folder);
    let (_journal, past) = Journal::open(&path, None).unwrap();
    assert_eq!((past.last_refund, past.last_attempt), (2, 1));
    let [open] = past.refunds.as_slice() else { panic!("{:?}", past.refunds) };
    assert_eq!((open.id, open.attempt, open.age), (2, 1, Millis::seconds(10)));
    assert_eq!(open.refund.order, order(1));
    assert_eq!(open.refund.out_refund_no, refund_no(2));
    assert_eq!((open.refund.amount.minor(), open.refund.reason.as_str()), (34, "cold"));
    assert_eq!(open.refund.approved_by, by().approver());
    assert_eq!((open.boot, open.begun_at), (7, Uptime(70_000)));
    assert_eq!(open.state.status(), RefundStatus::Accepted);
}

#[test]
fn an_order_shows_what_was_given_back_and_each_refund_its_story() {
    let folder = tempfile::tempdir().unwrap();
    let path = with_refunds(&folder);
    let reader = JournalReader::open(&path, None).unwrap().unwrap();
    let rows = reader.orders(&Filter::default()).unwrap();
    assert_eq!(rows.len(), 1, "a refund is no order");
    assert_eq!(rows[0].refunded.minor(), 234);
    assert_eq!(reader.order("T01-000001").unwrap().unwrap().refunded.minor(), 234);
    let refunds = reader.refunds(1).unwrap();
    let statuses: Vec<RefundStatus> = refunds.iter().map(|row| row.state.status()).collect();
    assert_eq!(statuses, [RefundStatus::Done, RefundStatus::Accepted]);
    let entries = reader.entries(1).unwrap();
    assert_eq!(entries.len(), 10, "its own and those of both refunds");
    assert!(entries[2..].iter().all(|entry| entry.state == entries[1].state), "it stays paid");
    let StoredEvent::Refund(told) = &entries[2].event else { panic!("{:?}", entries[2]) };
    assert_eq!((entries[2].number, told.refund, &told.event), (3, 1, &RefundEvent::Begun));
    assert_eq!((entries[2].by.clone(), entries[3].by.clone()), (Some(by()), None));
    assert_eq!(entries[2].wire, r#"{"refund_fee":"200"}"#);
    let StoredEvent::Refund(told) = &entries[9].event else { panic!("{:?}", entries[9]) };
    assert_eq!((told.refund, told.state.status()), (2, RefundStatus::Accepted));
    // The gateway's number is in the refund's answers as well.
    let found = reader.with_transaction("4200002026112200000000000001").unwrap().unwrap();
    assert_eq!(found.out_trade_no.as_str(), "T01-000001");
}

#[test]
fn refunds_are_in_the_one_chain_and_nothing_of_them_is_changed_unnoticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = with_refunds(&folder);
    let mut reader = JournalReader::open(&path, None).unwrap().unwrap();
    let audit = reader.audit().unwrap();
    assert_eq!(audit.refunds_unclear, 0, "one is done, the other accepted");
    let head = audit.head.unwrap();
    assert_eq!((audit.orders, head.entry), (1, 10));
    assert_eq!(head.out_trade_no, "T01-000001", "the order that the last entry belongs to");
    drop(reader);
    for sql in [
        "UPDATE refund SET amount = 201 WHERE id = 1",
        "UPDATE refund SET reason = 'warm' WHERE id = 1",
        "UPDATE refund SET out_refund_no = 'T01-000001R090001' WHERE id = 2",
        "UPDATE refund SET attempt = 2 WHERE id = 1",
        "UPDATE refund SET status = 'refused' WHERE id = 2",
        "UPDATE refund SET progress = 'done' WHERE id = 2",
        "UPDATE refund SET last_entry = 8 WHERE id = 2",
        "DELETE FROM refund WHERE id = 1",
        "DELETE FROM refund WHERE id = 2",
        "UPDATE entry SET attempt = -2 WHERE seq = 10",
        "UPDATE entry SET event = replace(event, '\"refund\":2', '\"refund\":1') WHERE seq = 10",
        "UPDATE entry SET state = replace(state, 'Accepted', 'Checking') WHERE seq = 10",
        "DELETE FROM entry WHERE seq = 10",
        "INSERT INTO refund SELECT 3, attempt, 'T01-000001R030001', amount, reason, created_at, day,
             updated_at, status, progress, last_entry FROM refund WHERE id = 2",
    ] {
        let elsewhere = tempfile::tempdir().unwrap();
        let copy = cut(&path, &elsewhere);
        changed(&copy, &format!("PRAGMA foreign_keys = off; {sql}"));
        let audit = JournalReader::open(&copy, None).and_then(|reader| reader.unwrap().audit());
        assert!(matches!(audit, Err(JournalError::Damaged { .. })), "{sql}: {audit:?}");
        let opened = Journal::open(&copy, None).map(|(_, past)| past);
        assert!(matches!(opened, Err(JournalError::Damaged { .. })), "{sql}: {opened:?}");
    }
}

#[test]
fn a_refund_number_is_given_out_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = with_refunds(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    let mut again = refund(3, 1).swap_remove(0);
    again.begin.as_mut().unwrap().refund.out_refund_no = refund_no(1);
    assert!(journal.append_refund(&again).is_err());
    drop(journal);
    let (_journal, past) = Journal::open(&path, None).unwrap();
    assert_eq!(past.last_refund, 2, "nothing of it is there");
}

#[test]
fn the_writer_reports_a_refund_as_one_and_reads_what_it_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    for entry in [begin(1), paid(1)] {
        journal.append(&entry).unwrap();
    }
    let (report, written) = std::sync::mpsc::channel();
    let writer = Writer::start(journal, move |written| {
        report.send((written.subject, written.result.is_ok())).unwrap();
    })
    .unwrap();
    for entry in refund(1, 200) {
        assert!(writer.write_refund(entry));
        assert_eq!(written.recv().unwrap(), (Subject::Refund(1), true));
    }
    let refunds = writer.reader().unwrap().refunds(1).unwrap();
    assert_eq!(given_back(&refunds).minor(), 200);
}

#[test]
fn a_copy_has_the_refunds_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = with_refunds(&folder);
    let mut reader = JournalReader::open(&path, None).unwrap().unwrap();
    let copy = folder.path().join("copy.sqlite");
    let backup = reader.back_up(&copy, None).unwrap();
    assert_eq!(backup.audit.head.unwrap().entry, 10, "a refund's entry is the last one");
    let copied = JournalReader::open(&copy, Some(&backup.key)).unwrap().unwrap();
    assert_eq!(given_back(&copied.refunds(1).unwrap()).minor(), 234);
}
