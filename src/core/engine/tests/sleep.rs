//! A machine that was suspended, and what it queries when it wakes.

use super::*;

/// This many attempts waiting for their customers, one begun every half second.
fn waiting(attempts: u8) -> EngineBench {
    let mut bench = EngineBench::new();
    for attempt in 1..=attempts {
        bench.sell(attempt).unwrap();
        bench.disk(attempt.into(), true);
        bench.answer(attempt.into(), Says::Paying);
        bench.pass(500);
    }
    bench.calls.clear();
    bench
}

impl EngineBench {
    /// Nothing happens for `millis`; then the timer fires, and the disk writes the results.
    fn sleep(&mut self, millis: u64) {
        self.now += millis;
        let (now, wall) = self.at();
        let written = self.written.len();
        let effects = self.engine.tick(now, wall);
        self.take(effects);
        let attempts: Vec<i64> =
            self.written[written..].iter().map(|entry| entry.attempt).collect();
        for attempt in attempts {
            self.disk(attempt, true);
        }
    }

    fn asked(&self) -> Vec<i64> {
        self.calls.iter().map(|(attempt, ..)| *attempt).collect()
    }
}

#[test]
fn what_was_slept_over_is_asked_about_one_by_one_the_newest_first() {
    let mut bench = waiting(8);
    bench.sleep(20_000);
    assert_eq!(bench.asked(), [8], "the first at once: its customer may stand there");
    bench.pass(199);
    assert_eq!(bench.asked(), [8]);
    bench.pass(1);
    assert_eq!(bench.asked(), [8, 7]);
    bench.pass(1_200);
    assert_eq!(bench.asked(), [8, 7, 6, 5, 4, 3, 2, 1]);
}

#[test]
fn a_tick_that_is_a_little_late_checks_at_once() {
    for (pause, at_once) in [(2_999, true), (3_000, false)] {
        let mut bench = EngineBench::new();
        for attempt in 1..=3 {
            bench.sell(attempt).unwrap();
            bench.disk(attempt.into(), true);
            bench.answer(attempt.into(), Says::Paying);
        }
        bench.pass(4_000);
        bench.calls.clear();
        bench.sleep(pause);
        assert_eq!(bench.calls.len() == 3, at_once, "{pause}: {:?}", bench.calls);
    }
}

#[test]
fn while_money_is_open_a_tick_is_wanted_every_second() {
    let mut bench = EngineBench::new();
    assert_eq!(bench.engine.wake_at(), None);
    bench.sell(1).unwrap();
    for _ in 0..3 {
        assert_eq!(bench.engine.wake_at(), Some(Uptime(bench.now + 1_000)));
        bench.pass(1_000);
    }
    bench.disk(1, true);
    bench.answer(1, paid());
    assert_eq!(bench.engine.wake_at(), None);
}

#[test]
fn what_was_open_during_a_sleep_waits_for_its_turn_once() {
    let mut bench = waiting(3);
    bench.sleep(12_000);
    bench.pass(400);
    assert_eq!(bench.asked(), [3, 2, 1]);
    for attempt in 1..=3 {
        bench.answer(attempt, Says::Paying);
    }
    // By now all is as before: a check that a person asks for is not kept waiting.
    bench.calls.clear();
    bench.now += 1_000;
    for attempt in 1..=3 {
        bench.handle(attempt, Event::CheckNow);
        bench.disk(attempt, true);
    }
    assert_eq!(bench.asked(), [1, 2, 3]);
}

#[test]
fn a_sale_rung_up_right_after_a_sleep_goes_out_at_once() {
    let mut bench = waiting(3);
    bench.sleep(12_000);
    bench.sell(4).unwrap();
    bench.disk(4, true);
    assert_eq!(bench.asked(), [3, 4]);
    // It is sent while others are still waiting for their turn.
    let (_, call, with_code) = *bench.calls.last().unwrap();
    assert_eq!((call.kind, with_code), (CallKind::Submit, true));
}

#[test]
fn a_sale_rung_up_as_the_machine_wakes_was_not_slept_over() {
    let mut bench = waiting(1);
    bench.now += 60_000;
    bench.sell(2).unwrap();
    assert!(bench.engine.attempts[&1].slept_over);
    assert!(!bench.engine.attempts[&2].slept_over);
}

#[test]
fn a_submission_that_was_slept_over_in_a_slow_write_goes_out_at_once() {
    let mut bench = waiting(3);
    bench.sell(4).unwrap();
    bench.sleep(12_000);
    bench.disk(4, true);
    let (attempt, call, _) = *bench.calls.last().unwrap();
    assert_eq!((attempt, call.kind), (4, CallKind::Submit));
}

#[test]
fn a_question_that_waits_for_its_turn_is_overtaken_by_the_next_and_not_asked_twice() {
    let mut bench = waiting(3);
    bench.sleep(16_000);
    bench.handle(1, Event::Cancel);
    bench.disk(1, true);
    let asked = bench.written.last().unwrap().state.awaited();
    bench.pass(400);
    let of_the_first: Vec<Call> =
        bench.calls.iter().filter(|(of, ..)| *of == 1).map(|(_, call, _)| *call).collect();
    assert_eq!(of_the_first, [asked.unwrap()]);
}

#[test]
fn the_fifteen_seconds_still_count_from_when_it_left_though_it_was_slept_over() {
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    bench.disk(1, true);
    bench.sleep(8_000);
    // Only now is there a connection.
    bench.engine.mark_sent(1, Uptime(bench.now));
    let left = bench.now;
    bench.handle(1, Event::Cancel);
    bench.disk(1, true);
    while bench.calls.iter().all(|(_, call, _)| call.kind != CallKind::Reverse) {
        bench.answer(1, Says::NotPaid);
        bench.pass(500);
    }
    assert!(bench.now - left >= 15_000);
}

#[test]
fn a_start_asks_about_the_newest_first() {
    let open = (1..=3).map(|id| stored(id, "1900000109", 7)).collect();
    let bench = EngineBench::with(Recovered { last_attempt: 3, open, ..Recovered::default() });
    let written: Vec<i64> = bench.written.iter().map(|entry| entry.attempt).collect();
    assert_eq!(written, [3, 2, 1]);
}

#[test]
fn what_comes_in_before_the_first_tick_after_a_sleep_asks_in_turn_too() {
    // All answers are lost at once with their connections; what the disk had is written.
    for at_the_disk in [false, true] {
        let mut bench = waiting(3);
        bench.pass(20_000);
        for attempt in 1..=3 {
            bench.handle(attempt, Event::Cancel);
            bench.disk(attempt, true);
        }
        bench.calls.clear();
        let lost = |bench: &mut EngineBench, attempt| {
            let query = bench.engine.attempts[&attempt].state.awaited().unwrap();
            let answer = Says::Unknown(reason("no_answer"));
            bench.handle(attempt, answer.in_answer_to(query));
        };
        if at_the_disk {
            (1..=3).for_each(|attempt| lost(&mut bench, attempt));
        }
        bench.now += 60_000;
        if !at_the_disk {
            (1..=3).for_each(|attempt| lost(&mut bench, attempt));
        }
        (1..=3).for_each(|attempt| bench.disk(attempt, true));
        assert_eq!(bench.asked(), [1]);
        bench.pass(400);
        assert_eq!(bench.asked(), [1, 2, 3]);
        assert!(bench.calls.iter().all(|(_, call, _)| call.kind == CallKind::Reverse));
    }
}
