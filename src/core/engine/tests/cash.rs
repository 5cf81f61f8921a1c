//! Cash, and sales that are paid in several ways.

use std::sync::Arc;

use super::*;
use crate::refund::{RefundRefusal, RefundStatus};

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

impl EngineBench {
    /// Of the order of this attempt, as the journal had it before any refund.
    fn refund_cash(&mut self, attempt: i64, amount: Option<i64>) -> Result<(), RefundRefusal> {
        let of = |entry: &&Entry| entry.attempt == attempt;
        let entry = self.written.iter().find(of).unwrap().clone();
        let begin = entry.begin.unwrap();
        let start = RefundStart {
            attempt,
            sale: begin.sale.id,
            order: begin.order,
            payment: entry.state,
            earlier: Vec::new(),
            amount: amount.map(fen),
            reason: "cold".into(),
            by: None,
            draw: Draw([2; 12]),
        };
        let (now, wall) = self.at();
        let (_, effects) = self.engine.begin_refund(start, now, wall)?;
        self.take(effects);
        Ok(())
    }

    fn refund_of_cash_on_disk(&mut self, refund: i64, on_disk: bool) {
        let (now, wall) = self.at();
        let effects = self.engine.refund_written(refund, on_disk, now, wall);
        self.take(effects);
    }
}

#[test]
fn a_refund_in_cash_is_one_entry_that_is_told_once_it_is_on_disk_and_sends_nothing() {
    let mut bench = EngineBench::new();
    bench.has_cash(SaleRef::New(fen(8000)), 10_000);
    bench.refund_cash(1, None).unwrap();
    assert!(bench.refunds_reported.is_empty(), "not on disk");
    bench.refund_of_cash_on_disk(1, true);
    let [report] = &bench.refunds_reported[..] else { panic!("{:?}", bench.refunds_reported) };
    let refund = &report.refund;
    assert_eq!((refund.amount, refund.recorded, report.before), (fen(8000), true, None));
    assert_eq!(refund.state.status(), RefundStatus::Done);
    assert!(refund.state.is_cash() && refund.state.counts() && !refund.state.is_open());
    let [entry] = &bench.refunds_written[..] else { panic!("{:?}", bench.refunds_written) };
    assert!(entry.wire.is_empty() && entry.begin.is_some());
    assert!(bench.refund_calls.is_empty() && bench.engine.wake_at().is_none());
    assert_eq!(bench.engine.open_refunds().count(), 0);
    assert!(!bench.engine.is_refund_unclear() && !bench.engine.is_refund_busy(bench.at().0));
}

#[test]
fn cash_never_goes_back_twice_however_old_what_was_read_of_its_order_is() {
    let mut bench = EngineBench::new();
    bench.has_cash(SaleRef::New(fen(8000)), 8000);
    assert_eq!(bench.refund_cash(1, Some(8001)), Err(RefundRefusal::MoreThanLeft(fen(8000))));
    bench.refund_cash(1, Some(5000)).unwrap();
    // While it is written, and after that.
    assert_eq!(bench.refund_cash(1, Some(3001)), Err(RefundRefusal::MoreThanLeft(fen(3000))));
    bench.refund_of_cash_on_disk(1, true);
    assert_eq!(bench.refund_cash(1, Some(3001)), Err(RefundRefusal::MoreThanLeft(fen(3000))));
    // No gateway wants a minute between them.
    bench.refund_cash(1, None).unwrap();
    bench.refund_of_cash_on_disk(2, true);
    assert_eq!(bench.refund_cash(1, None), Err(RefundRefusal::NothingLeft));
    let numbers = bench.refunds_written.iter().map(|entry| entry.begin.as_ref().unwrap());
    let numbers: Vec<String> =
        numbers.map(|begin| begin.refund.out_refund_no.to_string()).collect();
    assert!(numbers[0] != numbers[1] && numbers[1].contains("R02"), "{numbers:?}");
}

#[test]
fn a_refund_in_cash_that_did_not_reach_the_disk_was_not_given() {
    let mut bench = EngineBench::new();
    bench.has_cash(SaleRef::New(fen(8000)), 8000);
    bench.refund_cash(1, None).unwrap();
    bench.refund_of_cash_on_disk(1, false);
    assert!(bench.refunds_reported.is_empty());
    assert_eq!(bench.refund_cash(1, None), Err(RefundRefusal::Stopped));
}

#[test]
fn the_cash_of_a_sale_that_waits_for_its_rest_goes_back_by_ending_it_and_only_once() {
    let mut bench = EngineBench::new();
    bench.has_cash(SaleRef::New(fen(8000)), 5000);
    assert_eq!(bench.refund_cash(1, Some(1)), Err(RefundRefusal::PartPaid));
    bench.engine.give_up_sale(1).unwrap();
    assert_eq!(bench.refund_cash(1, Some(1)), Err(RefundRefusal::NothingLeft));
    // Once the rest is paid it is a refund like any other, of what was taken in cash.
    bench.has_cash(SaleRef::New(fen(8000)), 5000);
    bench.has_cash(SaleRef::Again(2, fen(3000)), 3000);
    assert_eq!(bench.refund_cash(2, Some(5001)), Err(RefundRefusal::MoreThanLeft(fen(5000))));
    bench.refund_cash(2, None).unwrap();
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
