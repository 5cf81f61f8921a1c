//! Slips that were altered by hand stay so, and cost nothing but themselves; and each end that says
//! something else has a slip of its own.

use super::rows::{Says, never_known, paid_late, until, walks_away};
use super::*;
use paytill_core::payment::{Reason, Status};

fn printing(path: &Path) -> Journal {
    let (mut journal, _) = Journal::open(path, None).unwrap();
    journal.queue_slips();
    journal
}

fn reader(path: &Path) -> JournalReader {
    JournalReader::open(path, None).unwrap().unwrap()
}

#[test]
fn a_row_that_was_altered_by_hand_is_not_made_to_fit_by_what_follows() {
    for altered in [
        "UPDATE slip SET status = 'reversed' WHERE id = 1",
        "UPDATE slip SET stage = 'done' WHERE id = 1",
        "UPDATE slip SET copy = 9223372036854775807 WHERE id = 1",
        "UPDATE slip SET at = 0 WHERE id = 2",
        "UPDATE slip SET seal = x'00' WHERE id = 2",
        "UPDATE slip SET id = 9223372036854775807 WHERE id = 2",
        "DELETE FROM slip WHERE id = 1",
        "DELETE FROM slip WHERE id = 2",
        "DELETE FROM slip",
        "INSERT INTO slip SELECT id + 2, attempt, status, copy, at, stage, seal FROM slip",
        "INSERT INTO slip SELECT 3, 3, status, copy, at, stage, seal FROM slip WHERE id = 1",
        "UPDATE last_slip SET slip = 1",
        "UPDATE last_slip SET slip = 9223372036854775807",
        "UPDATE last_slip SET slip = 1; DELETE FROM slip WHERE id = 2",
        "UPDATE last_slip SET seal = zeroblob(16)",
        "DELETE FROM last_slip",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = journal_in(&folder);
        let mut journal = printing(&path);
        journal.append_all(&[begin(1), paid(1), begin(2), paid(2), begin(3)]).unwrap();
        drop(journal);
        let db = Connection::open(&path).unwrap();
        db.execute_batch(&format!("PRAGMA foreign_keys = OFF; {altered}")).unwrap();
        drop(db);
        assert!(reader(&path).audit().is_err(), "{altered}");
        let mut journal = printing(&path);
        for (slip, stage) in [
            (1, SlipStage::Begun),
            (2, SlipStage::Begun),
            (1, SlipStage::Done),
            (2, SlipStage::Missing),
        ] {
            journal.mark_slip(slip, stage).unwrap();
        }
        // What follows has its slip all the same, and copies are to be had.
        journal.append(&paid(3)).unwrap();
        assert_eq!(journal.take_slips().len(), 1, "{altered}");
        for number in 1..=2 {
            let copy = journal.queue_copy(&order(number).out_trade_no, NOW, None).unwrap();
            assert!(copy.is_some_and(|(copy, _)| copy.copy > 0), "{altered}");
        }
        journal.append_all(&[begin(4), paid(4)]).unwrap();
        drop(journal);
        let mut reader = reader(&path);
        assert!(reader.slips().is_ok(), "{altered}");
        let found = reader.audit();
        assert!(matches!(found, Err(JournalError::Damaged { .. })), "{altered}: {found:?}");
        assert!(reader.audit_with(false).is_ok(), "{altered}");
    }
}

#[test]
fn a_row_of_an_earlier_moment_is_not_made_to_fit_and_comes_out_no_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let mut journal = printing(&path);
    journal.append_all(&[begin(1), paid(1), begin(2), paid(2)]).unwrap();
    drop(journal);
    let earlier = folder.path().join("earlier");
    std::fs::copy(&path, &earlier).unwrap();
    let mut journal = printing(&path);
    for slip in 1..=2 {
        journal.mark_slip(slip, SlipStage::Begun).unwrap();
        journal.mark_slip(slip, SlipStage::Done).unwrap();
    }
    drop(journal);
    for row in [
        "REPLACE INTO slip SELECT * FROM other.slip WHERE id = 1",
        "REPLACE INTO last_slip SELECT * FROM other.last_slip",
    ] {
        let again = tempfile::tempdir().unwrap();
        let copy = cut(&path, &again);
        let db = Connection::open(&copy).unwrap();
        db.execute("ATTACH ? AS other", [earlier.to_str().unwrap()]).unwrap();
        db.execute_batch(&format!("PRAGMA foreign_keys = OFF; {row}")).unwrap();
        drop(db);
        assert!(reader(&copy).audit().is_err(), "{row}");
        let mut journal = printing(&copy);
        journal.mark_slip(1, SlipStage::Done).unwrap();
        journal.append_all(&[begin(3), paid(3)]).unwrap();
        journal.queue_copy(&order(1).out_trade_no, NOW, None).unwrap().unwrap();
        drop(journal);
        assert!(reader(&copy).audit().is_err(), "{row}");
    }
}

#[test]
fn an_odd_row_hides_no_other_slip_and_is_printed_by_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let mut journal = printing(&path);
    journal.append_all(&[begin(1), paid(1), begin(2), paid(2)]).unwrap();
    drop(journal);
    let altered = "UPDATE slip SET at = at + 1 WHERE id = 1";
    Connection::open(&path).unwrap().execute_batch(altered).unwrap();
    let left: Vec<i64> = reader(&path).slips().unwrap().iter().map(|slip| slip.id).collect();
    assert_eq!(left, [2]);
    // It is no reason to leave an end without a slip, either.
    let odd = "INSERT INTO slip VALUES (3, 3, 'paid', 0, 0, 'done', zeroblob(16))";
    let mut journal = printing(&path);
    journal.append(&begin(3)).unwrap();
    journal.db.execute_batch(odd).unwrap();
    journal.append(&paid(3)).unwrap();
    assert_eq!(journal.take_slips().len(), 1);
}

/// The slips that come of an order that goes on so, and those that are left at the end. What is
/// printed in between is done.
fn slips_of(ends: &[(Status, Says)], prints: bool) -> (Vec<Status>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let mut journal = printing(&path);
    let mut entries = vec![begin(1)];
    let mut statuses = Vec::new();
    for (status, says) in ends {
        let known = entries.len() - usize::from(statuses.is_empty() && entries.len() == 1);
        until(&mut entries, *status, says);
        journal.append_all(&entries[known..]).unwrap();
        for slip in journal.take_slips() {
            statuses.push(slip.says.payment().unwrap());
            if prints {
                journal.mark_slip(slip.id, SlipStage::Begun).unwrap();
                journal.mark_slip(slip.id, SlipStage::Done).unwrap();
            }
        }
    }
    drop(journal);
    reader(&path).audit().unwrap();
    (statuses, reader(&path).slips().unwrap().len())
}

#[test]
fn each_end_that_says_something_else_has_a_slip_of_its_own() {
    let reversed = Status::Reversed;
    let declined = Says { before: Found::Failed(Reason::gateway("PAYERROR", "")), ..walks_away() };
    for prints in [true, false] {
        let left = usize::from(!prints);
        // Nothing was charged, it said; then the money was found after all.
        let twice = [(reversed, never_known()), (reversed, paid_late())];
        assert_eq!(slips_of(&twice, prints), (vec![reversed; 2], left));
        // Found again, and again nothing was charged.
        let same = [(reversed, never_known()), (reversed, walks_away())];
        assert_eq!(slips_of(&same, prints), (vec![reversed], left));
        assert_eq!(slips_of(&[(reversed, declined.clone())], prints), (vec![reversed], left));
    }
}

#[test]
fn money_that_is_found_after_a_decline_has_a_slip_when_it_is_returned() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let mut journal = printing(&path);
    let mut entries = vec![begin(1), begin(1)];
    let why = Reason::gateway("NOTENOUGH", "");
    let declined = Event::Answered(0, Answer::Submitted(Submitted::Declined(why)));
    assert!(entries[1].state.step(&declined, Millis(400), &Rules::default()).is_some());
    (entries[1].event, entries[1].begin) = (declined, None);
    journal.append_all(&entries).unwrap();
    assert_eq!(journal.take_slips(), []);
    let known = entries.len();
    until(&mut entries, Status::Reversed, &paid_late());
    journal.append_all(&entries[known..]).unwrap();
    assert_eq!(journal.take_slips().len(), 1);
}

#[test]
fn a_sale_that_is_charged_again_has_a_slip_of_each_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let mut journal = printing(&path);
    for attempt in 1..=3 {
        let mut entries = vec![begin(attempt)];
        let sale = &mut entries[0].begin.as_mut().unwrap().sale;
        (sale.id, sale.new) = (1, sale.new.take().filter(|_| attempt == 1));
        until(&mut entries, Status::Reversed, &walks_away());
        journal.append_all(&entries).unwrap();
        assert_eq!(journal.take_slips().len(), 1, "{attempt}");
    }
}
