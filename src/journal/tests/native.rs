//! QR orders in the journal: attempts of channel `native`, with the code in their state.

use super::shifts::{cash, close};
use super::*;
use paytill_core::order::CodeUrl;
use paytill_core::payment::{CallKind, CloseSaid, Ending, Found, Ordered, QrState, Status};
use paytill_core::shift::{Carry, NotNow, Report};

const CODE: &str = "weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00";

fn ordered(attempt: i64) -> [Entry; 2] {
    let state = State::begin_qr(Millis::seconds(7_200), 0);
    let first = Entry { state: state.clone(), ..begin(attempt) };
    let mut shown = state;
    let code = CodeUrl::try_from(CODE.to_owned()).unwrap();
    let event = Event::Answered(QrState::FIRST.number, Answer::Ordered(Ordered::Code(code)));
    assert_eq!(shown.step(&event, Millis(300), &Rules::default()), None);
    let second = Entry { age: Millis(300), event, state: shown, begin: None, ..first.clone() };
    [first, second]
}

#[test]
fn an_order_whose_code_is_shown_is_read_back_with_its_code_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append_all(&[begin(1), paid(1)]).unwrap();
    journal.append_all(&ordered(2)).unwrap();
    let reader = JournalReader::open(&path, None).unwrap().unwrap();
    let rows = reader.orders(&Filter::default()).unwrap();
    let channels: Vec<_> = rows.iter().map(|row| row.channel.as_str()).collect();
    assert_eq!(channels, ["native", "micropay"], "newest first");
    drop((reader, journal));
    let (_journal, past) = Journal::open(&path, None).unwrap();
    let [open] = past.open.as_slice() else { panic!("{:?}", past.open) };
    assert_eq!(open.state.code_url().map(CodeUrl::as_str), Some(CODE));
    assert_eq!(open.state, ordered(2)[1].state);
}

/// What the cashier's cancelling comes to, by these answers to queries; the closing is accepted.
fn cancelled(shown: &Entry, found: impl IntoIterator<Item = Found>) -> Vec<Entry> {
    let (mut entries, mut event, mut found) = (Vec::new(), Event::Cancel, found.into_iter());
    let mut state = shown.state.clone();
    loop {
        let age = Millis(5_000);
        let call = state.step(&event, age, &Rules::default());
        let entry = Entry { age, event, state: state.clone(), begin: None, ..shown.clone() };
        entries.push(entry);
        let Some(call) = call else { return entries };
        let answer = match call.kind {
            CallKind::Close => Answer::Closed(CloseSaid::Accepted),
            _ => Answer::Found(found.next().unwrap()),
        };
        event = Event::Answered(call.number, answer);
    }
}

fn shift(journal: &mut Journal, carry: Carry) -> Result<Report, NotNow> {
    match journal.do_shift(close(0, carry), &TimeZone::UTC).unwrap() {
        ShiftDone::Closed(report) => Ok(*report),
        ShiftDone::Not(why) => Err(why),
        ShiftDone::Opened(_) => panic!("opened"),
    }
}

#[test]
fn a_code_that_is_shown_is_in_the_way_of_a_close_and_once_closed_is_no_sale() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    let shown = ordered(1);
    journal.append_all(&shown).unwrap();
    let number = order(1).out_trade_no.to_string();
    let unresolved = NotNow::Unresolved(vec![number.clone()]);
    assert_eq!(shift(&mut journal, Carry::No), Err(unresolved));
    let carried = shift(&mut journal, Carry::Yes(None)).unwrap();
    assert_eq!((carried.unresolved, carried.sales.count), (vec![number], 0));
    let closed = cancelled(&shown[1], [Found::NotPaid, Found::Ended(Ending::Closed)]);
    assert_eq!(closed.last().unwrap().state.status(), Status::Closed);
    journal.append_all(&closed).unwrap();
    let report = shift(&mut journal, Carry::No).unwrap();
    assert_eq!((report.sales.count, report.reversals.count), (0, 0));
    assert!(report.by_tender.is_empty() && report.unresolved.is_empty());
}

#[test]
fn the_rest_of_a_sale_in_cash_counts_by_our_code_and_settles_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_in(&folder);
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    let rest = order(2).amount;
    let due = Money::from_minor(5000 + rest.minor());
    journal.append(&cash(1, (1, due.minor()), true, [due.minor(), 5000])).unwrap();
    let mut shown = ordered(2);
    let (new, sold) = (None, std::sync::Arc::default());
    shown[0].begin.as_mut().unwrap().sale = SaleEntry { id: 1, new, due: rest, sold };
    journal.append_all(&shown).unwrap();
    assert!(shift(&mut journal, Carry::No).is_err());
    let Event::Answered(_, Answer::Submitted(Submitted::Paid(proof))) = paid(2).event else {
        panic!("not paid")
    };
    journal.append_all(&cancelled(&shown[1], [Found::Paid(proof)])).unwrap();
    let first = order(1).out_trade_no;
    let reader = JournalReader::open(&path, None).unwrap().unwrap();
    let tenders = reader.tenders(1, &first).unwrap();
    let tenders: Vec<_> = tenders.iter().map(|of| (of.amount, of.cash.is_some())).collect();
    assert_eq!(tenders, [(Money::from_minor(5000), true), (rest, false)], "as its receipt says");
    let report = shift(&mut journal, Carry::No).unwrap();
    let sums: Vec<_> =
        report.by_tender.iter().map(|(tender, sum)| (tender.as_str(), sum.amount)).collect();
    assert_eq!(sums, [("cash", Money::from_minor(5000)), ("native", rest)]);
    assert_eq!((report.sales.count, report.sales.amount, report.no_rate), (1, due, due));
}
