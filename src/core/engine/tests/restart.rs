//! What a restart makes of the past.

use super::*;

#[test]
fn numbers_go_on_where_the_journal_ended() {
    let mut bench =
        EngineBench::with(Recovered { last_attempt: 41, last_sale: 17, ..Recovered::default() });
    let number = bench.sell(1).unwrap();
    assert_eq!(&number.as_str()[15..], "004207");
    let begin = bench.written[0].begin.as_ref().unwrap();
    assert_eq!((bench.written[0].attempt, begin.sale.id), (42, 18));
}

#[test]
fn within_one_boot_the_time_line_goes_on_and_after_another_it_is_taken_as_young() {
    for (boot, age) in [(7, 10_000), (8, 300), (0, 300)] {
        let open = vec![stored(1, "1900000109", boot)];
        let bench = EngineBench::with(Recovered { last_attempt: 1, open, ..Recovered::default() });
        assert_eq!(bench.written[0].age, Millis(age), "{boot}");
    }
}

#[test]
fn an_order_of_another_merchant_needs_a_person_and_is_never_touched() {
    let open = vec![stored(1, "1900000999", 7)];
    let mut bench = EngineBench::with(Recovered { last_attempt: 1, open, ..Recovered::default() });
    bench.disk(1, true);
    assert_eq!(bench.statuses(), [Status::Attention]);
    let state = bench.written.last().unwrap().state.clone();
    assert_eq!(state.reason().unwrap().code(), "merchant_changed");
    assert_eq!(state.money(), Funds::Unknown);
    bench.handle(1, Event::CheckNow);
    bench.handle(1, Event::Cancel);
    bench.pass(300_000);
    assert_eq!((bench.calls.len(), bench.written.len()), (0, 1));
    assert!(bench.engine.is_open() && bench.engine.busy().next().is_none());
    // Started for the right merchant again, it is asked about at once.
    let again = StoredAttempt { state, ..stored(1, "1900000109", 7) };
    let mut bench =
        EngineBench::with(Recovered { last_attempt: 1, open: vec![again], ..Recovered::default() });
    bench.disk(1, true);
    assert_eq!(bench.calls.last().unwrap().1.kind, CallKind::Query);
}

#[test]
fn what_a_bill_says_of_an_open_order_is_written_down_although_it_moves_nothing() {
    let open = vec![stored(1, "1900000109", 7)];
    let mut bench = EngineBench::with(Recovered { last_attempt: 1, open, ..Recovered::default() });
    bench.disk(1, true);
    let day = crate::clock::Date::constant(2026, 11, 29);
    bench.handle(1, Event::Billed { day, listed: true });
    bench.disk(1, true);
    let last = bench.written.last().unwrap();
    assert_eq!(last.event, Event::Billed { day, listed: true });
    assert_eq!(bench.calls.len(), 1, "it is being asked about already");
}

#[test]
fn an_order_is_asked_about_after_its_other_ids_were_corrected() {
    let mut mine = stored(1, "1900000109", 7);
    mine.order.merchant.app_id = "wx0000000000000000".into();
    mine.order.merchant.sub_mch_id = "1900000110".into();
    let past = Recovered { last_attempt: 1, open: vec![mine], ..Recovered::default() };
    let mut bench = EngineBench::with(past);
    bench.disk(1, true);
    assert_eq!(bench.calls.last().unwrap().1.kind, CallKind::Query);
    bench.answer(1, paid());
    assert_eq!(bench.statuses().last(), Some(&Status::Paid));
}

#[test]
fn a_sale_that_was_paid_before_the_restart_is_not_charged_again() {
    let mut paid = Balance::new(Money::from_minor(1234));
    paid.pay(Money::from_minor(1234));
    let past = Recovered { sales: vec![(17, paid)], ..Recovered::default() };
    let mut bench = EngineBench::with(past);
    let again = SaleRef::Again(17, Money::from_minor(1234));
    assert_eq!(bench.begin(again, 2), Err(Refusal::AlreadyPaid));
}

/// An attempt on disk, as the next process finds it.
fn kept(written: &[Entry], order: Order) -> StoredAttempt {
    let last = written.last().unwrap();
    StoredAttempt {
        sold: Arc::default(),
        id: last.attempt,
        sale: last.attempt,
        order,
        boot: last.boot,
        sent_at: last.sent_at,
        age: last.age,
        created_at: written[0].at,
        updated_at: last.at,
        state: last.state.clone(),
    }
}

#[test]
fn once_nothing_more_can_leave_the_age_is_certain_though_nobody_saw_it_leave() {
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    bench.disk(1, true);
    bench.now += 4_000;
    bench.handle(1, Event::Cancel);
    bench.disk(1, true);
    assert_eq!(bench.written.last().unwrap().age, Millis(0), "it may still leave");
    bench.now += 6_000;
    bench.answer(1, Says::Unknown(reason("no_answer")));
    bench.disk(1, true);
    // Otherwise a restart would count from zero again, behind the times stored in the state.
    assert_eq!(bench.written.last().unwrap().age, Millis(10_000));
}

#[test]
fn the_fifteen_seconds_count_from_when_the_request_left_after_a_restart_too() {
    for reboots in [false, true] {
        let mut bench = EngineBench::new();
        bench.sell(1).unwrap();
        bench.disk(1, true);
        let order = bench.written[0].begin.as_ref().unwrap().order.clone();
        // Cancelled while the connection is still being made; written; only then it leaves.
        bench.now += 1_000;
        bench.handle(1, Event::Cancel);
        bench.disk(1, true);
        bench.now += 4_500;
        bench.engine.mark_sent(1, Uptime(bench.now));
        let left = bench.now;
        // The process ends, and another continues at once.
        bench.now += 100;
        let past = Recovered {
            last_attempt: 1,
            last_sale: 1,
            open: vec![kept(&bench.written, order)],
            ..Recovered::default()
        };
        let (now, wall) = bench.at();
        let boot = if reboots { 8 } else { 7 };
        let (engine, effects) =
            Engine::new(template(), RULES, Arc::new(Mute), boot, past, now, wall);
        bench.engine = engine;
        bench.calls.clear();
        bench.take(effects);
        bench.disk(1, true);
        while bench.calls.iter().all(|(_, call, _)| call.kind != CallKind::Reverse) {
            bench.answer(1, Says::NotFound);
            bench.pass(500);
        }
        let age = bench.now - left;
        assert!(age >= 15_000, "reboots {reboots}: reversed {age} ms after it left");
    }
}
