//! Cash and shifts in the chain.

use super::*;
use paytill_core::clock::TimeZone;
use paytill_core::engine::{Act, ActKind};
use paytill_core::payment::Status;
use paytill_core::refund::RefundState;
use paytill_core::sale::tender::Cash;
use paytill_core::shift::{Carry, Closing, NotNow, Report};

const HOUR: i64 = 3_600_000;

fn fen(minor: i64) -> Money {
    Money::from_minor(minor)
}

fn by(name: &str) -> By {
    By { operator: name.into(), consent: None }
}

/// An order that was paid in cash, of a sale that is new or goes on.
pub(super) fn cash(attempt: i64, sale: (i64, i64), new: bool, [due, given]: [i64; 2]) -> Entry {
    let cash = Cash::take(fen(due), fen(given)).unwrap();
    let mut entry = begin(attempt);
    entry.state = State::paid_in_cash(cash);
    entry.wire = Vec::new();
    let begin = entry.begin.as_mut().unwrap();
    begin.order.amount = cash.taken();
    begin.code_hash = None;
    let (new, sold) = (new.then(String::new), std::sync::Arc::default());
    begin.sale = SaleEntry { id: sale.0, new, due: fen(sale.1), sold };
    entry
}

pub(super) fn act(kind: ActKind) -> Act {
    Act { at: NOW, kind, by: Some(by("Anna")) }
}

pub(super) fn close(counted: i64, carry: Carry) -> ShiftWork {
    let at = Timestamp(NOW.0 + HOUR);
    let closing = Closing { at, counted: Some(fen(counted)), operator: Some("Ben".into()), carry };
    ShiftWork::Close { closing, by: Some(by("Ben")) }
}

fn open(float: i64) -> ShiftWork {
    ShiftWork::Open { at: NOW, float: fen(float), by: Some(by("Anna")) }
}

fn done(journal: &mut Journal, work: ShiftWork) -> Report {
    match journal.do_shift(work, &TimeZone::UTC).unwrap() {
        ShiftDone::Opened(report) | ShiftDone::Closed(report) => *report,
        ShiftDone::Not(why) => panic!("{why:?}"),
    }
}

fn reader(path: &Path) -> JournalReader {
    JournalReader::open(path, None).unwrap().unwrap()
}

/// A shift with a sale by code, one in cash and one of both; its rest came later than the others.
fn sold(journal: &mut Journal) {
    done(journal, open(20_000));
    journal.append_all(&[begin(1), paid(1), cash(2, (2, 8000), true, [8000, 10_000])]).unwrap();
    journal.append(&cash(3, (3, 5000), true, [5000, 3766])).unwrap();
    let reason = "零钱".to_owned();
    let paid_in = ActKind::CashIn { amount: fen(1000), reason: reason.clone() };
    for kind in [paid_in, ActKind::CashOut { amount: fen(300), reason }, ActKind::Drawer] {
        journal.append_act(&act(kind)).unwrap();
    }
    let mut rest = [begin(4), paid(4)];
    let (new, sold) = (None, std::sync::Arc::default());
    rest[0].begin.as_mut().unwrap().sale = SaleEntry { id: 3, new, due: fen(1234), sold };
    journal.append_all(&rest).unwrap();
}

#[test]
fn a_shift_is_what_lies_between_two_closes() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    sold(&mut journal);
    let x = reader(&path).shift(NOW, &TimeZone::UTC).unwrap();
    assert_eq!((x.z, x.sales.count, x.sales.amount), (None, 3, fen(1234 + 8000 + 5000)));
    let sums = |report: &Report, tender: &str| report.by_tender.get(tender).copied();
    assert_eq!(sums(&x, "cash").unwrap().amount, fen(8000 + 3766));
    assert_eq!(sums(&x, "micropay").unwrap().amount, fen(2468));
    assert_eq!((x.no_sales, x.opened_by.as_deref(), x.opened_at), (1, Some("Anna"), Some(NOW)));
    let expected = fen(20_000 + 8000 + 3766 + 1000 - 300);
    assert_eq!(x.drawer.expected(), expected);
    let z = done(&mut journal, close(expected.minor() - 5, Carry::No));
    assert_eq!((z.z, z.sales, z.drawer.difference()), (Some(1), x.sales, Some(fen(-5))));
    assert_eq!(z.closed_by.as_deref(), Some("Ben"));
    // What comes later is the next one's, also if nothing comes.
    let empty = done(&mut journal, close(0, Carry::No));
    assert_eq!((empty.z, empty.sales.count, empty.opened_at), (Some(2), 0, None));
    journal.append(&cash(5, (4, 100), true, [100, 100])).unwrap();
    let third = done(&mut journal, close(100, Carry::No));
    assert_eq!((third.z, third.sales.count), (Some(3), 1));
    drop(journal);
    let all = reader(&path).closed_shifts(|_| true).unwrap();
    assert_eq!(all, [z, empty, third]);
    assert_eq!(reader(&path).closed_shifts(|report| report.z == Some(2)).unwrap().len(), 1);
    assert!(reader(&path).audit().is_ok());
    drop(Journal::open(&path, None).unwrap());
}

#[test]
fn cash_is_an_order_like_any_other_and_what_is_left_is_known_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append(&cash(1, (1, 8000), true, [8000, 5000])).unwrap();
    journal.append(&cash(2, (2, 8000), true, [8000, 5000])).unwrap();
    let returned = act(ActKind::CashReturned { amount: fen(5000) });
    let of = |number| [(returned.clone(), order(number).out_trade_no)];
    assert!(journal.append_acts_of(&of(2)).unwrap());
    let some = [of(1), of(3)].concat();
    assert!(!journal.append_acts_of(&some).unwrap(), "all of it or nothing");
    drop(journal);
    let row = reader(&path).order("T01-000001").unwrap().unwrap();
    assert_eq!(
        (row.channel.as_str(), row.amount, row.state.status()),
        ("cash", fen(5000), Status::Paid)
    );
    let gone = reader(&path).order("T01-000002").unwrap().unwrap();
    assert_eq!((row.refunded, gone.refunded), (fen(0), fen(5000)), "what went back is not kept");
    let told = reader(&path).entries(2).unwrap();
    assert_eq!(told[1].event, StoredEvent::Act(ActKind::CashReturned { amount: fen(5000) }));
    assert!(reader(&path).proof(2).is_ok());
    let x = reader(&path).shift(NOW, &TimeZone::UTC).unwrap();
    assert_eq!((x.refunds.amount, x.drawer.expected()), (fen(5000), fen(5000)));
    let (_, past) = Journal::open(&path, None).unwrap();
    let left: Vec<(i64, i64)> =
        past.sales.iter().map(|(sale, balance)| (*sale, balance.left().minor())).collect();
    assert_eq!(left, [(1, 3000), (2, 0)]);
    assert!(past.open.is_empty() && past.codes.is_empty());
}

#[test]
fn a_refund_in_cash_goes_out_of_the_drawer_in_the_shift_in_which_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append(&cash(1, (1, 8000), true, [8000, 8000])).unwrap();
    done(&mut journal, close(8000, Carry::No));
    let mut given = refunds::refund(1, 200).swap_remove(0);
    given.state = RefundState::given_in_cash();
    given.wire = Vec::new();
    journal.append_refund(&given).unwrap();
    drop(journal);
    let x = reader(&path).shift(NOW, &TimeZone::UTC).unwrap();
    assert_eq!((x.refunds.count, x.refunds.amount), (1, fen(200)));
    assert_eq!((x.drawer.refunds, x.drawer.expected()), (fen(200), fen(-200)));
    let row = reader(&path).order("T01-000001").unwrap().unwrap();
    assert_eq!(row.refunded, fen(200));
    let [refund] = &reader(&path).refunds(1).unwrap()[..] else { panic!() };
    assert!(refund.state.is_cash());
    assert!(reader(&path).audit().is_ok());
    let (_, past) = Journal::open(&path, None).unwrap();
    assert!(past.refunds.is_empty() && past.last_refund == 1);
}

#[test]
fn a_partly_paid_sale_is_known_after_a_thousand_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append(&cash(1, (1, 8000), true, [8000, 5000])).unwrap();
    let others: Vec<Entry> = (2..=400).map(|id| cash(id, (id, 100), true, [100, 100])).collect();
    journal.append_all(&others).unwrap();
    drop(journal);
    let (_, past) = Journal::open(&path, None).unwrap();
    assert_eq!(past.sales[0].0, 1);
    assert_eq!(past.sales.len(), 1 + Recovered::SALES_REMEMBERED as usize);
}

#[test]
fn what_is_unresolved_is_in_the_way_until_it_is_carried_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    let open = || vec!["T01-000002".to_owned()];
    let found = journal.do_shift(close(0, Carry::No), &TimeZone::UTC).unwrap();
    assert_eq!(found, ShiftDone::Not(NotNow::Unresolved(open())));
    let z = done(&mut journal, close(0, Carry::Yes(Some("王芳".into()))));
    assert_eq!((z.z, &z.unresolved), (Some(1), &open()));
    assert_eq!(z.sales.count, 1);
    // Its end counts where it came.
    let mut late = paid(2);
    late.at = Timestamp(NOW.0 + 2 * HOUR);
    journal.append(&late).unwrap();
    let z = done(&mut journal, close(0, Carry::No));
    assert_eq!((z.z, z.sales.count, z.unresolved.len()), (Some(2), 1, 0));
}

#[test]
fn a_shift_is_opened_once_and_closed_as_often_as_one_likes() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    assert_eq!(done(&mut journal, open(100)).drawer.float, fen(100));
    let again = journal.do_shift(open(200), &TimeZone::UTC).unwrap();
    assert_eq!(again, ShiftDone::Not(NotNow::IsOpen(NOW)));
    // Nothing of it was written, and nothing has failed.
    assert_eq!(done(&mut journal, close(100, Carry::No)).drawer.float, fen(100));
    assert_eq!(done(&mut journal, open(300)).drawer.float, fen(300));
}

#[test]
fn what_was_sold_before_there_were_shifts_is_in_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append(&cash(1, (1, 100), true, [100, 100])).unwrap();
    assert_eq!(reader(&path).shift(NOW, &TimeZone::UTC).unwrap().sales.count, 1);
    assert_eq!(reader(&path).shift_open_since().unwrap(), None);
    assert_eq!(done(&mut journal, open(0)).sales.count, 0);
    assert_eq!(reader(&path).shift_open_since().unwrap(), Some(NOW));
    journal.append(&cash(2, (2, 100), true, [100, 100])).unwrap();
    assert_eq!(done(&mut journal, close(100, Carry::No)).sales.count, 1);
    assert_eq!(reader(&path).shift_open_since().unwrap(), None);
    // From then on nothing falls between two shifts.
    journal.append(&cash(3, (3, 100), true, [100, 100])).unwrap();
    assert_eq!(done(&mut journal, open(0)).sales.count, 1);
}

#[test]
fn whoever_changes_a_report_or_takes_one_away_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    sold(&mut journal);
    for _ in 0..3 {
        done(&mut journal, close(0, Carry::No));
    }
    drop(journal);
    let last: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT max(seq) FROM entry", [], |row| row.get(0))
        .unwrap();
    for sql in [
        format!("UPDATE entry SET event = replace(event, 'Ben', 'Eve') WHERE seq = {}", last - 2),
        format!(
            "UPDATE entry SET event = replace(event, '\"z\":2', '\"z\":9') WHERE seq = {}",
            last - 1
        ),
        format!("DELETE FROM entry WHERE seq = {}", last - 1),
        "UPDATE attempt SET amount = 1 WHERE id = 2".to_owned(),
        "UPDATE attempt SET channel = 'micropay' WHERE id = 2".to_owned(),
        "UPDATE sale SET due = 1 WHERE id = 3".to_owned(),
    ] {
        let copied = tempfile::tempdir().unwrap();
        let copy = cut(&path, &copied);
        assert_eq!(Connection::open(&copy).unwrap().execute(&sql, []).unwrap(), 1, "{sql}");
        let found = JournalReader::open(&copy, None).and_then(|reader| {
            let mut reader = reader.unwrap();
            reader.closed_shifts(|_| true)?;
            reader.audit()
        });
        assert!(matches!(found, Err(JournalError::Damaged { .. })), "{sql}: {found:?}");
    }
}

#[test]
fn cash_that_goes_back_of_an_order_that_is_missing_is_not_reported_as_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(&journal_in(&folder), None).unwrap();
    journal.append_all(&[begin(1)]).unwrap();
    let (report, reported) = std::sync::mpsc::channel();
    let writer = Writer::start(journal, |_| ()).unwrap();
    let returned = act(ActKind::CashReturned { amount: fen(100) });
    let acts = vec![(returned, order(9).out_trade_no)];
    assert!(writer.write_acts_of(acts, move |result| report.send(result.is_ok()).unwrap()));
    assert_eq!(reported.recv(), Ok(false));
}

#[test]
fn a_refund_counts_in_the_shift_in_which_it_is_done_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append_all(&[begin(1), paid(1)]).unwrap();
    let [begun, .., done_at_last] = &refunds::refund(1, 300)[..] else { unreachable!() };
    journal.append_refund(begun).unwrap();
    let first = done(&mut journal, close(0, Carry::No));
    assert_eq!((first.sales.count, first.refunds.count), (1, 0), "it is not done");
    journal.append_refund(done_at_last).unwrap();
    // What comes in about it later changes nothing.
    journal.append_refund(done_at_last).unwrap();
    let second = done(&mut journal, close(0, Carry::No));
    assert_eq!((second.refunds.count, second.refunds.amount), (1, fen(300)));
    assert_eq!(second.drawer.refunds, Money::default(), "no cash left the drawer");
    assert_eq!(done(&mut journal, close(0, Carry::No)).refunds.count, 0);
}

/// What a report has by rate, in hundredths of a percent: what was sold, and the tax in it.
fn by_rate(report: &Report) -> Vec<(u16, i64, i64)> {
    let told = report.by_rate.iter();
    told.map(|(rate, taxed)| (rate.hundredths(), taxed.sold.minor(), taxed.tax.minor())).collect()
}

#[test]
fn what_a_sale_sells_counts_once_when_it_is_settled_and_less_when_it_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    // A part in cash, which settles nothing.
    let sold = lines::sold();
    let due = sold.due.minor();
    let mut part = cash(1, (1, due), true, [due, 234]);
    part.begin.as_mut().unwrap().sale.sold = std::sync::Arc::clone(&sold);
    journal.append(&part).unwrap();
    let first = done(&mut journal, close(0, Carry::No));
    assert_eq!((by_rate(&first), first.discounts.count), (Vec::new(), 0));
    // The rest, in another shift; and proof that comes late of what was settled before.
    let rest = cash(2, (1, due - 234), false, [due - 234, 5000]);
    let late = cash(3, (1, due - 234), false, [due - 234, 5000]);
    journal.append_all(&[rest, late]).unwrap();
    let tax = sold.taxes()[0].2.minor();
    let x = reader(&path).shift(NOW, &TimeZone::UTC).unwrap();
    assert_eq!((by_rate(&x), x.no_rate), (vec![(1300, due, tax)], fen(0)));
    assert_eq!((x.discounts.count, x.discounts.amount), (1, fen(50)));
    assert_eq!(done(&mut journal, close(0, Carry::No)).by_rate, x.by_rate);
    // Of an amount alone no rate is known.
    journal.append(&cash(4, (2, 100), true, [100, 100])).unwrap();
    let third = done(&mut journal, close(0, Carry::No));
    assert_eq!((by_rate(&third), third.no_rate), (Vec::new(), fen(100)));
}

#[test]
fn what_goes_back_of_a_sale_is_less_of_what_it_sold_in_the_shift_in_which_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append_all(&[lines::begun_with_lines(1), paid(1)]).unwrap();
    let sold = lines::sold();
    let (due, tax) = (sold.due.minor(), sold.taxes()[0].2.minor());
    let first = done(&mut journal, close(0, Carry::No));
    assert_eq!(by_rate(&first), [(1300, due, tax)]);
    for entry in refunds::refund(1, 300) {
        journal.append_refund(&entry).unwrap();
    }
    let second = done(&mut journal, close(0, Carry::No));
    let part = (2 * 300 * tax + due) / (2 * due);
    assert_eq!(by_rate(&second), [(1300, -300, -part)]);
    assert_eq!(second.discounts.count, 0);
}

#[test]
fn whoever_changes_a_refund_or_the_rest_of_a_sale_is_noticed_by_the_report() {
    for altered in [
        "UPDATE refund SET amount = 1",
        "UPDATE sale SET lines = '' WHERE id = 1",
        "UPDATE sale SET due = 1 WHERE id = 2",
        "UPDATE attempt SET amount = 1 WHERE id = 2",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = journal_in(&folder);
        let (mut journal, _) = Journal::open(&path, None).unwrap();
        journal.append_all(&[lines::begun_with_lines(1), paid(1)]).unwrap();
        journal.append(&cash(2, (2, 8000), true, [8000, 5000])).unwrap();
        done(&mut journal, close(0, Carry::No));
        for entry in refunds::refund(1, 300) {
            journal.append_refund(&entry).unwrap();
        }
        journal.append(&cash(3, (2, 3000), false, [3000, 3000])).unwrap();
        // Not what a reader notices as it opens.
        let reader = reader(&path);
        assert!(reader.shift(NOW, &TimeZone::UTC).is_ok());
        assert_eq!(journal.db.execute(altered, []).unwrap(), 1, "{altered}");
        let found = reader.shift(NOW, &TimeZone::UTC);
        assert!(matches!(found, Err(JournalError::Damaged { .. })), "{altered}: {found:?}");
    }
}
