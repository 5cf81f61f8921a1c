//! Slips in the journal: what is queued, what is known of it after a crash, and the formats before
//! there were any.

use super::refunds::refund;
use super::*;
use paytill_core::engine::RefundEntry;
use paytill_core::payment::Status;
use paytill_core::refund::RefundStatus;

/// A journal of format 3, as it was before there were slips.
fn of_format_3(path: &Path) {
    let db = Connection::open(path).unwrap();
    db.execute_batch(
        "ALTER TABLE sale DROP COLUMN lines; DROP TABLE refund; DROP TABLE slip;
         DROP TABLE last_slip; PRAGMA user_version = 3;",
    )
    .unwrap();
}

fn slips(path: &Path) -> Vec<Slip> {
    JournalReader::open(path, None).unwrap().unwrap().slips().unwrap()
}

fn stages(path: &Path) -> Vec<(i64, u32, SlipStage)> {
    slips(path).into_iter().map(|slip| (slip.id, slip.copy, slip.stage)).collect()
}

/// A till that prints.
fn printing(path: &Path) -> Journal {
    let (mut journal, _) = Journal::open(path, None).unwrap();
    journal.queue_slips();
    journal
}

#[test]
fn the_end_of_a_payment_and_its_slip_are_written_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let mut journal = printing(&path);
    for entry in [begin(1), waiting(1)] {
        journal.append(&entry).unwrap();
        assert_eq!(journal.take_slips(), []);
    }
    journal.append(&paid(1)).unwrap();
    let queued = journal.take_slips();
    let expected = Slip {
        id: 1,
        out_trade_no: order(1).out_trade_no,
        says: SlipSays::Payment(Status::Paid),
        copy: 0,
        at: paid(1).at,
        stage: SlipStage::Waiting,
        tenders: Vec::new(),
    };
    assert_eq!(queued, [expected]);
    let crashed = tempfile::tempdir().unwrap();
    assert_eq!(slips(&cut(&path, &crashed)), queued);
    // Told once more, it is no second end.
    journal.append(&paid(1)).unwrap();
    assert_eq!(journal.take_slips(), []);
    assert!(journal.append_all(&[begin(2), paid(2)]).is_ok());
    assert_eq!(journal.take_slips().len(), 1);
}

#[test]
fn a_till_without_a_printer_queues_none() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(slips(&filled(&folder)), []);
}

#[test]
fn what_is_known_of_a_slip_survives_a_crash_at_every_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let mut journal = printing(&path);
    journal.append_all(&[begin(1), paid(1), begin(2), paid(2)]).unwrap();
    let known = || {
        let crashed = tempfile::tempdir().unwrap();
        let copy = cut(&path, &crashed);
        drop(Journal::open(&copy, None).unwrap());
        let mut reader = JournalReader::open(&copy, None).unwrap().unwrap();
        reader.audit().unwrap();
        stages(&copy)
    };
    let second = (2, 0, SlipStage::Waiting);
    assert_eq!(known(), [(1, 0, SlipStage::Waiting), second]);
    journal.mark_slip(1, SlipStage::Begun).unwrap();
    assert_eq!(known(), [(1, 0, SlipStage::Begun), second]);
    journal.mark_slip(1, SlipStage::Missing).unwrap();
    assert_eq!(known(), [(1, 0, SlipStage::Missing), second]);
    let (copy, attempt) = journal.queue_copy(&order(1).out_trade_no, NOW, None).unwrap().unwrap();
    assert_eq!(attempt.state, paid(1).state);
    assert_eq!((copy.id, copy.copy, copy.says), (3, 1, SlipSays::Payment(Status::Paid)));
    assert_eq!(known(), [second, (3, 1, SlipStage::Waiting)]);
    // What the printer says of the first one comes too late.
    assert!(!journal.mark_slip(1, SlipStage::Done).unwrap());
    assert!(!journal.mark_slip(1, SlipStage::Begun).unwrap(), "nor may it begin");
    assert!(!journal.mark_slip(9, SlipStage::Begun).unwrap(), "there is no such slip");
    assert!(journal.mark_slip(3, SlipStage::Begun).unwrap());
    journal.mark_slip(3, SlipStage::Done).unwrap();
    assert_eq!(known(), [second]);
    journal.mark_slip(2, SlipStage::Begun).unwrap();
    journal.mark_slip(2, SlipStage::Done).unwrap();
    assert_eq!(known(), []);
}

#[test]
fn a_printer_that_was_away_for_long_holds_up_no_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let mut journal = printing(&path);
    let entries: Vec<Entry> = (1..=150).flat_map(|id| [begin(id), paid(id)]).collect();
    journal.append_all(&entries).unwrap();
    let left: Vec<i64> = slips(&path).iter().map(|slip| slip.id).collect();
    assert_eq!(left, (51..=150).collect::<Vec<_>>());
}

#[test]
fn copies_are_counted_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    for copy in 1..=3 {
        let mut journal = printing(&path);
        if copy == 1 {
            journal.append_all(&[begin(1), paid(1), begin(2), paid(2)]).unwrap();
        }
        let (slip, _) = journal.queue_copy(&order(1).out_trade_no, NOW, None).unwrap().unwrap();
        assert_eq!(slip.copy, copy);
    }
    let mut journal = printing(&path);
    let (other, _) = journal.queue_copy(&order(2).out_trade_no, NOW, None).unwrap().unwrap();
    assert_eq!(other.copy, 1, "each order has its own count");
    assert!(journal.queue_copy(&order(7).out_trade_no, NOW, None).unwrap().is_none());
}

#[test]
fn a_slip_that_says_what_is_no_longer_so_is_not_offered() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let mut journal = printing(&path);
    journal.append_all(&[begin(1), waiting(1)]).unwrap();
    assert!(journal.queue_copy(&order(1).out_trade_no, NOW, None).unwrap().is_none());
    journal.append(&paid(1)).unwrap();
    assert_eq!(slips(&path).len(), 1);
    journal.append(&waiting(1)).unwrap();
    assert_eq!(slips(&path), []);
}

#[test]
fn a_first_write_about_a_slip_marks_the_journal_as_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let mut journal = printing(&path);
    journal.append_all(&[begin(1), paid(1)]).unwrap();
    drop(journal);
    let mut journal = printing(&path);
    assert!(!journal.is_marked);
    journal.mark_slip(1, SlipStage::Begun).unwrap();
    assert!(check::is_marked(&journal.db).unwrap());
    drop(journal);
    assert!(matches!(stages(&path)[..], [(1, 0, SlipStage::Begun)]));
}

#[test]
fn slips_go_through_the_writer_and_an_odd_row_costs_no_sale() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(&journal_in(&folder), None).unwrap();
    journal.queue_slips();
    let odd = "CREATE TEMP TRIGGER full BEFORE INSERT ON main.slip WHEN NEW.id = 2
         BEGIN SELECT RAISE(ABORT, 'an odd row'); END";
    journal.db.execute_batch(odd).unwrap();
    let (report, reported) = std::sync::mpsc::channel();
    let written = report.clone();
    let writer = Writer::start(journal, move |Written { slip, result, .. }| {
        written.send((slip.map(|slip| slip.id), result.is_ok())).unwrap();
    })
    .unwrap();
    assert!(writer.write(begin(1)) && writer.write(paid(1)));
    for _ in 0..2 {
        let report = report.clone();
        let order = order(1).out_trade_no;
        let work = SlipWork::Copy { order, at: NOW, by: None };
        assert!(
            writer.write_slip(work, move |result| report.send((None, result.is_ok())).unwrap())
        );
    }
    assert!(writer.write(begin(2)) && writer.write(paid(2)));
    let reports: Vec<_> = (0..6).map(|_| reported.recv().unwrap()).collect();
    let failed = (None, false);
    // The second sale is paid and recorded; only its slip is missing.
    let recorded = (None, true);
    assert_eq!(reports, [recorded, (Some(1), true), failed, failed, recorded, recorded]);
}

#[test]
fn an_older_journal_is_copied_and_brought_to_this_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    of_format_3(&path);
    // Read as it is, and not touched, until somebody is to write it.
    let reader = JournalReader::open(&path, None).unwrap().unwrap();
    assert_eq!(reader.orders(&Filter::default()).unwrap().len(), 2);
    assert_eq!(reader.slips().unwrap(), []);
    drop(reader);
    let (mut journal, past) = Journal::open(&path, None).unwrap();
    assert_eq!((past.last_attempt, past.open.len()), (2, 1));
    let migrated = journal.migrated().unwrap().clone();
    let copy = beside(&path.canonicalize().unwrap(), ".format3");
    assert_eq!((migrated.from, migrated.to, migrated.copy), (3, FORMAT, Some(copy.clone())));
    journal.queue_slips();
    journal.append(&paid(2)).unwrap();
    assert_eq!(journal.take_slips().len(), 1);
    drop(journal);
    let (journal, _) = Journal::open(&path, None).unwrap();
    assert_eq!(journal.migrated(), None, "once");
    drop(journal);
    let mut kept = JournalReader::open(&copy, Some(&beside(&path, ".key"))).unwrap().unwrap();
    assert_eq!((kept.audit().unwrap().open, kept.slips().unwrap()), (1, Vec::new()));
    let format = |path: &Path| -> i32 {
        let db = Connection::open(path).unwrap();
        db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    };
    assert_eq!((format(&copy), format(&path)), (3, FORMAT));
}

#[test]
fn a_start_that_was_cut_off_while_it_migrated_leaves_either_format_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    of_format_3(&path);
    // One that came as far as the copy.
    std::fs::write(beside(&path, ".format3"), "an earlier copy").unwrap();
    let before = tempfile::tempdir().unwrap();
    let old = cut(&path, &before);
    let (journal, _) = Journal::open(&path, None).unwrap();
    let copy = journal.migrated().unwrap().copy.clone().unwrap();
    assert!(copy.ends_with("journal.sqlite.format3-2"), "{}", copy.display());
    let kept = std::fs::read(beside(&path, ".format3")).unwrap();
    assert_eq!(kept, b"an earlier copy", "nothing is replaced");
    // Power goes at once.
    let after = tempfile::tempdir().unwrap();
    let new = cut(&path, &after);
    for path in [old, new] {
        let (_, past) = Journal::open(&path, None).unwrap();
        assert_eq!(past.last_attempt, 2);
        assert_eq!(slips(&path), []);
    }
}

#[test]
fn an_older_journal_that_is_damaged_is_left_as_it_is_and_what_a_kill_left_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    of_format_3(&path);
    let whole = std::fs::read(&path).unwrap();
    let tamper = "UPDATE sale SET note = 'x' WHERE id = 1";
    Connection::open(&path).unwrap().execute_batch(tamper).unwrap();
    assert!(matches!(refusal(&path), JournalError::Damaged { .. }));
    assert!(!beside(&path, ".format3").exists());
    std::fs::write(&path, &whole).unwrap();
    // Killed when only one of the two had its name.
    std::fs::write(beside(&path, ".format3.head"), "").unwrap();
    let (journal, _) = Journal::open(&path, None).unwrap();
    let copy = journal.migrated().and_then(|migrated| migrated.copy.clone()).unwrap();
    assert_eq!(copy, beside(&path, ".format3-2"));
}

/// The slips of refunds that these entries have put into the queue.
fn refunded(journal: &mut Journal, entries: &[RefundEntry]) -> Vec<(Slip, RefundPaper)> {
    for entry in entries {
        journal.append_refund(entry).unwrap();
    }
    journal.take_refund_slips()
}

#[test]
fn a_refund_has_one_slip_by_itself_once_the_money_is_on_its_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let mut journal = printing(&path);
    journal.append_all(&[begin(1), paid(1)]).unwrap();
    let entries = refund(1, 200);
    assert_eq!(refunded(&mut journal, &entries[..2]), [], "it is only sent");
    let queued = refunded(&mut journal, &entries[2..3]);
    let [(slip, paper)] = &queued[..] else { panic!("{queued:?}") };
    assert_eq!(slip.says, SlipSays::Refund(1, RefundStatus::Accepted));
    assert_eq!((slip.id, slip.copy, slip.stage), (2, 0, SlipStage::Waiting));
    assert_eq!((paper.refund.amount.minor(), paper.refund.reason.as_str()), (200, "cold"));
    let by = paper.by.as_ref().unwrap();
    assert_eq!((by.operator.as_str(), by.consent.as_deref()), ("Anna", Some("Ben")));
    // The payment's own slip is as good as before.
    assert_eq!(slips(&path).len(), 2);
    assert_eq!(refunded(&mut journal, &entries[3..]), [], "it has one");
    let now = JournalReader::open(&path, None).unwrap().unwrap().refund_paper(1).unwrap();
    assert_eq!(now.unwrap().refund.state.status(), RefundStatus::Done);
    assert_eq!(slips(&path).len(), 2, "on its way was true, and so is done");
    drop(journal);
    let mut reader = JournalReader::open(&path, None).unwrap().unwrap();
    assert!(reader.audit().is_ok() && reader.refund_paper(2).unwrap().is_none());
}

#[test]
fn copies_of_a_refunds_slip_have_a_count_of_their_own_and_take_the_place_of_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let mut journal = printing(&path);
    journal.append_all(&[begin(1), paid(1)]).unwrap();
    let number = order(1).out_trade_no;
    assert_eq!(journal.queue_refund_copies(&number, NOW).unwrap(), []);
    refunded(&mut journal, &refund(1, 200));
    refunded(&mut journal, &refund(2, 100)[..2]);
    refunded(&mut journal, &refund(3, 100)[..3]);
    journal.queue_copy(&number, NOW, None).unwrap().unwrap();
    journal.mark_slip(2, SlipStage::Missing).unwrap();
    for copy in 1..=2 {
        let copies = journal.queue_refund_copies(&number, NOW).unwrap();
        let says: Vec<(SlipSays, u32)> =
            copies.iter().map(|(slip, _)| (slip.says, slip.copy)).collect();
        let done = SlipSays::Refund(1, RefundStatus::Done);
        let accepted = SlipSays::Refund(3, RefundStatus::Accepted);
        assert_eq!(says, [(done, copy), (accepted, copy)], "what is only sent has none");
    }
    assert!(!slips(&path).iter().any(|slip| slip.id == 2));
    drop(journal);
    assert!(JournalReader::open(&path, None).unwrap().unwrap().audit().is_ok());
}

#[test]
fn what_a_slip_says_is_read_as_it_was_written() {
    for says in [
        SlipSays::Payment(Status::Reversed),
        SlipSays::Refund(1, RefundStatus::Accepted),
        SlipSays::Refund(i64::MAX, RefundStatus::Done),
    ] {
        assert_eq!(SlipSays::read(&says.text()), Some(says));
    }
    for odd in ["", "refund", "refund 1", "refund x done", "refund 1 gone", "gone"] {
        assert_eq!(SlipSays::read(odd), None, "{odd}");
    }
}

#[test]
fn a_sale_that_is_paid_in_parts_has_one_slip_and_that_says_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let mut journal = printing(&path);
    let (first, second) = (order(1).out_trade_no, order(2).out_trade_no);
    journal.append(&shifts::cash(1, (1, 1734), true, [1734, 500])).unwrap();
    assert_eq!(journal.take_slips(), [], "the rest is not paid yet");
    let (copy, _) = journal.queue_copy(&first, NOW, None).unwrap().unwrap();
    assert_eq!((copy.copy, &copy.tenders[..]), (1, &[][..]), "whoever asks for one gets it");
    journal.mark_slip(copy.id, SlipStage::Done).unwrap();
    let mut rest = begin(2);
    rest.begin.as_mut().unwrap().sale.id = 1;
    rest.begin.as_mut().unwrap().sale.new = None;
    journal.append_all(&[rest, paid(2)]).unwrap();
    let queued = journal.take_slips();
    let tenders = |slip: &Slip| -> Vec<(OutTradeNo, i64, bool)> {
        let all = slip.tenders.iter();
        all.map(|of| (of.out_trade_no.clone(), of.amount.minor(), of.cash.is_some())).collect()
    };
    let both = [(first.clone(), 500, true), (second.clone(), 1234, false)];
    assert_eq!((queued.len(), &queued[0].out_trade_no), (1, &second));
    assert_eq!(tenders(&queued[0]), both);
    assert_eq!(slips(&path), queued, "after a crash, too");
    let (copy, _) = journal.queue_copy(&first, NOW, None).unwrap().unwrap();
    assert_eq!(tenders(&copy), both, "of whichever of them");
    let reader = JournalReader::open(&path, None).unwrap().unwrap();
    assert_eq!(reader.tenders(1, &first).unwrap(), copy.tenders);
    drop(journal);
    let db = Connection::open(&path).unwrap();
    db.execute_batch("UPDATE attempt SET amount = 9900 WHERE id = 1").unwrap();
    assert!(reader.slips().is_err(), "it says nothing of a payment that was altered");
}
