//! QR orders in the engine: attempts like any other.

use super::*;
use crate::order::CodeUrl;
use crate::payment::QrState;
use crate::sale::{Line, Quantity, Sale};

const TWO_HOURS: Millis = Millis::seconds(7_200);

fn code() -> CodeUrl {
    CodeUrl::try_from("weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00".to_owned()).unwrap()
}

impl EngineBench {
    fn order(&mut self, sale: SaleRef) -> Result<OutTradeNo, Refusal> {
        self.order_of(sale, Arc::default())
    }

    fn order_of(&mut self, sale: SaleRef, sold: Arc<Sold>) -> Result<OutTradeNo, Refusal> {
        let (now, wall) = self.at();
        let start = QrStart {
            sale,
            note: "table 4".into(),
            sold,
            lasts: TWO_HOURS,
            by: None,
            client_ip: "203.0.113.7".into(),
            draw: Draw([0, 7, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
        };
        let (number, effects) = self.engine.begin_qr(start, now, wall)?;
        self.take(effects);
        Ok(number)
    }

    fn shown(&mut self) -> OutTradeNo {
        self.shown_for(SaleRef::New(Money::from_minor(1234)))
    }

    fn shown_for(&mut self, sale: SaleRef) -> OutTradeNo {
        let number = self.order(sale).unwrap();
        let attempt = self.written.last().unwrap().attempt;
        self.disk(attempt, true);
        self.answer(attempt, Says::Code(code()));
        number
    }

    /// The disk has the first attempt's entry: the code that people are shown then.
    fn shows(&mut self) -> Option<CodeUrl> {
        let (now, wall) = self.at();
        let effects = self.engine.written(1, true, now, wall);
        let shown = effects.iter().find_map(|effect| match effect {
            Effect::Report(report) => report.attempt.code_to_show().cloned(),
            _ => None,
        });
        self.take(effects);
        shown
    }
}

#[test]
fn nothing_is_ordered_before_the_intent_is_on_disk_and_no_code_shown_before_it_is() {
    let mut bench = EngineBench::new();
    bench.order(SaleRef::New(Money::from_minor(1234))).unwrap();
    let begin = bench.written[0].begin.as_ref().unwrap();
    assert_eq!((begin.code_hash, begin.sale.new.as_deref()), (None, Some("table 4")));
    assert_eq!(bench.written[0].state.channel(), "native");
    assert!(bench.calls.is_empty() && bench.reported.is_empty());
    bench.disk(1, true);
    assert_eq!(bench.calls, [(1, QrState::FIRST, false)]);
    bench.handle(1, Says::Code(code()).in_answer_to(QrState::FIRST));
    assert_eq!(bench.statuses(), [Status::Sent]);
    bench.disk(1, true);
    assert_eq!(bench.statuses(), [Status::Sent, Status::Waiting]);
    assert_eq!(bench.written[1].state.code_url(), Some(&code()));
    bench.pass(3_000);
    bench.answer(1, paid());
    assert_eq!(bench.statuses().last(), Some(&Status::Paid));
    assert!(!bench.engine.is_open());
    let again = SaleRef::Again(1, Money::from_minor(1234));
    assert_eq!(bench.order(again), Err(Refusal::AlreadyPaid));
    assert_eq!(bench.begin(again, 1), Err(Refusal::AlreadyPaid));
}

#[test]
fn a_code_that_could_not_be_written_is_not_shown() {
    for on_disk in [true, false] {
        let mut bench = EngineBench::new();
        bench.order(SaleRef::New(Money::from_minor(1234))).unwrap();
        bench.disk(1, true);
        bench.handle(1, Says::Code(code()).in_answer_to(QrState::FIRST));
        let (now, wall) = bench.at();
        let effects = bench.engine.written(1, on_disk, now, wall);
        let attempt = effects.iter().find_map(|effect| match effect {
            Effect::Report(report) => Some(&report.attempt),
            _ => None,
        });
        let attempt = attempt.unwrap();
        assert_eq!(attempt.state.code_url(), Some(&code()));
        assert_eq!(attempt.code_to_show(), on_disk.then_some(&code()));
    }
}

#[test]
fn several_codes_are_shown_at_once_beside_a_payment_and_each_goes_its_own_way() {
    let mut bench = EngineBench::new();
    let first = bench.shown();
    let second = bench.shown();
    assert_ne!(first, second);
    bench.sell(1).unwrap();
    bench.disk(3, true);
    bench.answer(3, paid());
    let (now, wall) = bench.at();
    let effects = bench.engine.handle_event_of(&first, Event::Cancel, None, now, wall);
    bench.take(effects);
    bench.disk(1, true);
    bench.answer(1, Says::NotPaid);
    bench.answer(1, Says::Accepted);
    bench.answer(1, Says::Ended(Ending::Closed));
    let of = |attempt| {
        let mine = bench.reported.iter().filter(move |(of, ..)| *of == attempt);
        mine.map(|(_, status, _)| *status).next_back()
    };
    assert_eq!(of(1), Some(Status::Closed));
    assert_eq!(of(2), Some(Status::Waiting));
    assert_eq!(of(3), Some(Status::Paid));
}

#[test]
fn a_sale_is_charged_in_another_way_only_once_its_order_is_closed() {
    let mut bench = EngineBench::new();
    let number = bench.shown();
    let again = SaleRef::Again(1, Money::from_minor(1234));
    assert_eq!(bench.begin(again, 1), Err(Refusal::Unsettled(number.clone())));
    let (now, wall) = bench.at();
    let effects = bench.engine.handle_event_of(&number, Event::Cancel, None, now, wall);
    bench.take(effects);
    bench.disk(1, true);
    bench.answer(1, Says::NotPaid);
    assert_eq!(bench.begin(again, 1), Err(Refusal::Unsettled(number)));
    bench.answer(1, Says::Accepted);
    bench.answer(1, Says::Ended(Ending::Closed));
    assert!(bench.begin(again, 1).is_ok());
}

/// An order whose code was shown when the till died.
fn shown_before(age: u64) -> StoredAttempt {
    let mut state = State::begin_qr(TWO_HOURS, 0);
    let call = state.step(&Says::Code(code()).in_answer_to(QrState::FIRST), Millis(300), &RULES);
    assert_eq!(call, None);
    let mut shown = stored(1, "1900000109", 0);
    (shown.state, shown.age) = (state, Millis::seconds(age));
    shown
}

#[test]
fn after_a_restart_a_code_that_has_not_expired_can_still_be_paid() {
    let open = vec![shown_before(60)];
    let mut bench = EngineBench::with(Recovered { last_attempt: 1, open, ..Recovered::default() });
    // Nobody is shown it before the gateway has said that it was not paid meanwhile.
    assert_eq!(bench.shows(), None);
    assert_eq!(bench.statuses(), [Status::Checking]);
    assert_eq!(bench.calls.last().unwrap().1.kind, CallKind::Query);
    assert_eq!(bench.written[0].state.code_url(), Some(&code()));
    let number = bench.calls.last().unwrap().1;
    bench.handle(1, Says::NotPaid.in_answer_to(number));
    assert_eq!(bench.shows(), Some(code()));
    assert_eq!(bench.statuses().last(), Some(&Status::Waiting));
    let open = vec![shown_before(7_200)];
    let mut bench = EngineBench::with(Recovered { last_attempt: 1, open, ..Recovered::default() });
    bench.disk(1, true);
    bench.answer(1, Says::NotPaid);
    bench.pass(300);
    assert_eq!(bench.calls.last().unwrap().1.kind, CallKind::Close);
}

#[test]
fn the_rest_of_a_sale_is_paid_by_our_code_as_by_any_other() {
    let mut bench = EngineBench::new();
    let fen = Money::from_minor;
    bench.has_cash(SaleRef::New(fen(8000)), 5000);
    let more = SaleRef::Again(1, fen(3001));
    assert_eq!(bench.order(more), Err(Refusal::MoreThanLeft(fen(3000))));
    let rest = SaleRef::Again(1, fen(3000));
    let number = bench.shown_for(rest);
    // While its code is shown nothing else is taken, and no cash goes back.
    assert_eq!(bench.begin(rest, 1), Err(Refusal::Unsettled(number.clone())));
    assert_eq!(bench.engine.give_up_sale(1), Err(Refusal::Unsettled(number.clone())));
    let (now, wall) = bench.at();
    let effects = bench.engine.handle_event_of(&number, Event::Cancel, None, now, wall);
    bench.take(effects);
    bench.disk(2, true);
    bench.answer(2, Says::NotPaid);
    bench.answer(2, Says::Accepted);
    bench.answer(2, Says::Ended(Ending::Closed));
    assert_eq!(bench.left(1), 3000, "a closed order has paid nothing");
    bench.shown_for(rest);
    bench.pass(3_000);
    bench.answer(3, paid());
    assert_eq!(bench.left(1), 0);
    assert_eq!(bench.order(rest), Err(Refusal::AlreadyPaid));
    assert_eq!(bench.engine.give_up_sale(1), Err(Refusal::NothingTaken));
    assert_eq!(bench.written.last().unwrap().state.status(), Status::Paid);
}

#[test]
fn what_is_sold_goes_along() {
    let mut bench = EngineBench::new();
    let due = Money::from_minor(1234);
    let lines = vec![Line::of_amount(due, Quantity::ONE)];
    let sold = Arc::new(Sale { lines, ..Sale::default() }.total().unwrap());
    bench.order_of(SaleRef::New(due), Arc::clone(&sold)).unwrap();
    assert_eq!(bench.written[0].begin.as_ref().unwrap().sale.sold, sold);
}

#[test]
fn a_sale_whose_code_is_shown_is_not_forgotten() {
    let mut bench = EngineBench::new();
    let number = bench.shown();
    for _ in 0..2 * Recovered::SALES_REMEMBERED {
        bench.has_cash(SaleRef::New(Money::from_minor(100)), 100);
    }
    bench.pass(3_000);
    bench.answer(1, paid());
    let again = SaleRef::Again(1, Money::from_minor(1234));
    assert_eq!(bench.begin(again, 1), Err(Refusal::AlreadyPaid), "{number}");
}

#[test]
fn without_a_journal_no_code_is_ordered() {
    let mut bench = EngineBench::new();
    bench.order(SaleRef::New(Money::from_minor(1234))).unwrap();
    bench.disk(1, false);
    assert!(bench.calls.is_empty() && bench.reported.is_empty());
    assert_eq!(bench.order(SaleRef::New(Money::from_minor(1))), Err(Refusal::Stopped));
}
