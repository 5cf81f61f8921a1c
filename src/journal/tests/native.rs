//! QR orders in the journal: attempts of channel `native`, with the code in their state.

use super::*;
use paytill_core::order::CodeUrl;
use paytill_core::payment::{Ordered, QrState};

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
