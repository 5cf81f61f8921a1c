//! Cash, and sales that are paid in several ways.

use std::sync::Arc;

use super::*;

fn fen(minor: i64) -> Money {
    Money::from_minor(minor)
}

impl EngineBench {
    fn cash(&mut self, sale: SaleRef, tendered: i64) -> Result<OutTradeNo, Refusal> {
        let (now, wall) = self.at();
        let (note, by, tendered) = (String::new(), self.by.clone(), fen(tendered));
        let (sold, draw) = (Arc::default(), Draw([1; 12]));
        let start = CashStart { sale, note, sold, tendered, by, draw };
        let (number, effects) = self.engine.take_cash(start, now, wall)?;
        self.take(effects);
        Ok(number)
    }

    /// Takes it and has it written.
    fn has_cash(&mut self, sale: SaleRef, tendered: i64) {
        self.cash(sale, tendered).unwrap();
        self.disk(self.engine.last_attempt, true);
    }

    fn left(&self, sale: i64) -> i64 {
        self.engine.balance(sale).unwrap().left().minor()
    }
}

#[test]
fn cash_is_one_entry_that_is_reported_once_it_is_on_disk_and_sends_nothing() {
    let mut bench = EngineBench::new();
    bench.by = Some(By { operator: "Anna".into(), consent: None });
    bench.cash(SaleRef::New(fen(8000)), 10_000).unwrap();
    assert!(bench.reported.is_empty(), "not on disk");
    bench.disk(1, true);
    assert_eq!((bench.statuses(), bench.calls.len()), (vec![Status::Paid], 0));
    let [entry] = &bench.written[..] else { panic!("{:?}", bench.written) };
    let begin = entry.begin.as_ref().unwrap();
    let amounts = (begin.order.amount, begin.sale.due);
    assert_eq!((amounts, entry.event.clone()), ((fen(8000), fen(8000)), Event::Begun));
    assert_eq!((entry.state.channel(), begin.code_hash), ("cash", None));
    assert_eq!(entry.state.cash().unwrap().change(), fen(2000));
    assert_eq!(entry.by, bench.by);
    assert!(bench.engine.attempts.is_empty() && bench.engine.wake_at().is_none());
}

#[test]
fn cash_that_did_not_reach_the_disk_was_not_taken() {
    let mut bench = EngineBench::new();
    bench.cash(SaleRef::New(fen(8000)), 10_000).unwrap();
    bench.disk(1, false);
    assert!(bench.reported.is_empty() && bench.left(1) == 8000);
    assert_eq!(bench.cash(SaleRef::Again(1, fen(8000)), 8000), Err(Refusal::Stopped));
}

#[test]
fn a_code_is_charged_for_what_cash_has_left_and_never_for_more() {
    let mut bench = EngineBench::new();
    bench.has_cash(SaleRef::New(fen(8000)), 5000);
    assert_eq!(bench.left(1), 3000);
    for more in [3001, 8000] {
        let again = SaleRef::Again(1, fen(more));
        assert_eq!(bench.begin(again, 1), Err(Refusal::MoreThanLeft(fen(3000))), "{more}");
    }
    let rest = SaleRef::Again(1, fen(3000));
    bench.begin(rest, 1).unwrap();
    assert!(matches!(bench.cash(rest, 3000), Err(Refusal::Unsettled(_))));
    bench.disk(2, true);
    assert!(matches!(bench.cash(rest, 3000), Err(Refusal::Unsettled(_))));
    bench.answer(2, paid());
    assert_eq!(bench.left(1), 0);
    assert_eq!(bench.begin(rest, 2), Err(Refusal::AlreadyPaid));
    assert_eq!(bench.cash(rest, 3000), Err(Refusal::AlreadyPaid));
    assert_eq!(bench.written[1].begin.as_ref().unwrap().sale.new, None, "one sale");
}

#[test]
fn nothing_is_begun_while_cash_is_being_written() {
    let mut bench = EngineBench::new();
    bench.cash(SaleRef::New(fen(8000)), 5000).unwrap();
    let rest = SaleRef::Again(1, fen(3000));
    assert!(matches!(bench.begin(rest, 1), Err(Refusal::Unsettled(_))));
    assert!(matches!(bench.cash(rest, 3000), Err(Refusal::Unsettled(_))));
    assert_eq!(bench.engine.give_up_sale(1), Err(Refusal::NothingTaken));
    bench.disk(1, true);
    bench.begin(rest, 1).unwrap();
}

#[test]
fn where_the_code_failed_the_rest_is_paid_with_another_or_in_cash() {
    let mut bench = EngineBench::new();
    bench.has_cash(SaleRef::New(fen(8000)), 5000);
    let rest = SaleRef::Again(1, fen(3000));
    bench.begin(rest, 1).unwrap();
    bench.disk(2, true);
    bench.answer(2, Says::Declined(reason("NOTENOUGH")));
    assert_eq!(bench.left(1), 3000, "the cash stays");
    // Whatever the screen believes to be left, no more is taken.
    bench.has_cash(SaleRef::Again(1, fen(2000)), 10_000);
    let last = bench.written.iter().rev().find_map(|entry| entry.state.cash()).unwrap();
    assert_eq!((last.taken(), last.change(), bench.left(1)), (fen(3000), fen(7000), 0));
}

#[test]
fn cash_that_goes_back_ends_the_sale() {
    let mut bench = EngineBench::new();
    bench.has_cash(SaleRef::New(fen(8000)), 5000);
    let rest = SaleRef::Again(1, fen(3000));
    bench.begin(rest, 1).unwrap();
    bench.disk(2, true);
    assert!(matches!(bench.engine.give_up_sale(1), Err(Refusal::Unsettled(_))), "still waited for");
    bench.answer(2, Says::Declined(reason("NOTENOUGH")));
    assert_eq!(bench.engine.give_up_sale(1).unwrap().taken(), fen(5000));
    assert_eq!(bench.engine.give_up_sale(1), Err(Refusal::NothingTaken), "it goes back once");
    assert_eq!(bench.begin(rest, 2), Err(Refusal::AlreadyPaid));
    assert_eq!(bench.cash(rest, 3000), Err(Refusal::AlreadyPaid));
    // A settled sale is refunded, and not given up.
    bench.has_cash(SaleRef::New(fen(100)), 100);
    assert_eq!(bench.engine.give_up_sale(2), Err(Refusal::NothingTaken));
}

#[test]
fn a_restart_knows_what_is_left() {
    let mut balance = Balance::new(fen(8000));
    balance.pay(fen(5000));
    let mut gone = balance;
    gone.give_up();
    let past = Recovered { sales: vec![(1, balance), (2, gone)], ..Recovered::default() };
    let mut bench = EngineBench::with(past);
    let again = |sale, left| SaleRef::Again(sale, fen(left));
    assert_eq!(bench.begin(again(1, 8000), 1), Err(Refusal::MoreThanLeft(fen(3000))));
    assert_eq!(bench.begin(again(2, 3000), 1), Err(Refusal::AlreadyPaid));
    bench.begin(again(1, 3000), 1).unwrap();
}

#[test]
fn a_sale_that_waits_for_its_rest_is_not_forgotten() {
    let mut bench = EngineBench::new();
    bench.has_cash(SaleRef::New(fen(8000)), 5000);
    for _ in 0..2 * Recovered::SALES_REMEMBERED {
        bench.has_cash(SaleRef::New(fen(100)), 100);
    }
    assert_eq!(bench.left(1), 3000);
    assert_eq!(bench.engine.sales.len(), Recovered::SALES_REMEMBERED as usize);
}

#[test]
fn what_nobody_gives_is_refused() {
    let mut bench = EngineBench::new();
    for tendered in [0, -1, crate::money::LARGEST.minor() + 1] {
        let found = bench.cash(SaleRef::New(fen(8000)), tendered);
        assert_eq!(found, Err(Refusal::NoSuchCash), "{tendered}");
    }
    assert!(bench.written.is_empty());
}
