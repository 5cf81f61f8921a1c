//! The edges of what an engine remembers, reports and holds back.

use super::*;
use crate::sale::{Line, Quantity, Sale};

/// This many attempts waiting for their customers, with the reports so far cleared.
fn waiting(attempts: u8) -> EngineBench {
    let mut bench = EngineBench::new();
    for attempt in 1..=attempts {
        bench.sell(attempt).unwrap();
        bench.disk(attempt.into(), true);
        bench.answer(attempt.into(), Says::Paying);
    }
    bench.reported.clear();
    bench
}

#[test]
fn a_question_is_held_open_only_while_nothing_else_is_done_about_the_payment() {
    let mut bench = waiting(1);
    bench.pass(RULES.query_interval.0);
    assert!(bench.may_wait, "it waits for the customer, and for news");
    bench.answer(1, Says::Paying);
    bench.handle(1, Event::Cancel);
    bench.disk(1, true);
    bench.pass(RULES.reverse_not_before.0);
    assert!(!bench.may_wait, "the last query comes before the reversal");
}

#[test]
fn each_move_is_reported_with_the_status_it_came_from() {
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    let (now, wall) = bench.at();
    let came_from = |effects: Vec<Effect>| match effects.as_slice() {
        [Effect::Report(report), ..] => report.before,
        other => panic!("{other:?}"),
    };
    assert_eq!(came_from(bench.engine.written(1, true, now, wall)), None, "the first of all");
    bench.handle(1, Says::Paying.in_answer_to(Call::SUBMISSION));
    assert_eq!(came_from(bench.engine.written(1, true, now, wall)), Some(Status::Sent));
    bench.handle(1, Event::Cancel);
    assert_eq!(came_from(bench.engine.written(1, true, now, wall)), Some(Status::Waiting));
}

#[test]
fn a_failing_journal_is_reported_once_for_every_attempt_that_it_stops() {
    let mut open = vec![stored(9, "1900000999", 7)];
    open[0].id = 9;
    let mut bench = EngineBench::with(Recovered { last_attempt: 9, open, ..Recovered::default() });
    for attempt in 10..=13 {
        bench.sell(u8::try_from(attempt).unwrap()).unwrap();
        bench.disk(attempt, true);
        bench.answer(attempt, Says::Paying);
    }
    bench.answer(13, paid());
    bench.reported.clear();
    // Two are being written, one waits between two queries, one is paid, one is another merchant's.
    bench.handle(10, Event::Cancel);
    bench.handle(11, Event::Cancel);
    bench.disk(10, false);
    let mut reported = bench.reported.clone();
    reported.sort_unstable_by_key(|(attempt, ..)| *attempt);
    assert_eq!(reported, [(10, Status::Reversing, false), (12, Status::Waiting, false)]);
    bench.disk(11, false);
    assert_eq!(bench.reported[2..], [(11, Status::Reversing, false)], "the rest has heard of it");
    assert_eq!(bench.engine.busy().count(), 0, "nothing can be done about any of them");
    assert!(bench.engine.is_open());
}

#[test]
fn what_comes_in_after_the_journal_failed_is_reported_and_leads_to_nothing() {
    let mut bench = waiting(1);
    bench.pass(5_000);
    bench.handle(1, Event::CheckNow);
    bench.handle(1, Event::Cancel);
    let (calls, written) = (bench.calls.len(), bench.written.len());
    bench.disk(1, false);
    bench.reported.clear();
    bench.handle(1, Event::CheckNow);
    assert!(bench.reported.is_empty(), "a wish cannot be written down, so it is none");
    let query = bench.calls.last().unwrap().1;
    bench.handle(1, paid().in_answer_to(query));
    assert_eq!(bench.reported, [(1, Status::Paid, false)], "an answer is worth telling");
    assert_eq!((bench.calls.len(), bench.written.len()), (calls, written));
}

#[test]
fn the_latest_five_hundred_payment_codes_are_known_and_no_more() {
    let code = |number: i64| {
        let mut hash = [0; 16];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        hash
    };
    let most = i64::from(Recovered::CODES_REMEMBERED);
    let number = |id: i64| OutTradeNo::try_from(format!("T01-{id:06}")).unwrap();
    let codes = (2..=most).map(|id| (code(id), number(id))).collect();
    let mut bench =
        EngineBench::with(Recovered { last_attempt: most, codes, ..Recovered::default() });
    bench.sell(1).unwrap();
    assert!(bench.engine.code_used_by(&code(2)).is_some(), "five hundred fit");
    bench.disk(most + 1, true);
    bench.sell(2).unwrap();
    assert!(bench.engine.code_used_by(&code(2)).is_none(), "the oldest goes first");
    assert!(bench.engine.code_used_by(&code(3)).is_some());
}

#[test]
fn the_latest_sixty_four_sales_are_known_and_no_more() {
    let most = i64::from(Recovered::SALES_REMEMBERED);
    let mut paid = Balance::new(Money::from_minor(1234));
    paid.pay(Money::from_minor(1234));
    let sales = (2..=most).map(|sale| (sale, paid)).collect();
    let past = Recovered { last_sale: most, sales, ..Recovered::default() };
    let mut bench = EngineBench::with(past);
    let again = |sale: i64| SaleRef::Again(sale, Money::from_minor(1234));
    bench.sell(1).unwrap();
    assert_eq!(bench.begin(again(2), 2), Err(Refusal::AlreadyPaid), "sixty-four fit");
    assert_eq!(bench.begin(again(3), 2), Err(Refusal::AlreadyPaid));
    bench.sell(2).unwrap();
    assert_eq!(bench.begin(again(3), 3), Err(Refusal::AlreadyPaid));
    assert!(bench.begin(again(2), 4).is_ok(), "the oldest goes first");
}

#[test]
fn one_sale_does_not_stand_in_the_way_of_another() {
    let mut bench = waiting(2);
    bench.answer(2, Says::Declined(reason("NOTENOUGH")));
    let again = |sale: i64| SaleRef::Again(sale, Money::from_minor(1234));
    assert!(matches!(bench.begin(again(1), 3), Err(Refusal::Unsettled(_))));
    assert!(bench.begin(again(2), 3).is_ok());
}

#[test]
fn a_code_that_has_left_is_dead_whatever_became_of_its_payment() {
    let mut bench = waiting(2);
    let used_by =
        |bench: &EngineBench, code| bench.engine.code_used_by(&[code; 16]).cloned().unwrap();
    for ending in [paid(), Says::Declined(reason("NOTENOUGH"))] {
        bench.answer(1, ending);
        assert_eq!(bench.sell(1), Err(Refusal::CodeUsed(used_by(&bench, 1))));
    }
    assert_eq!(bench.sell(2), Err(Refusal::CodeUsed(used_by(&bench, 2))));
    assert!(bench.sell(3).is_ok(), "and no other waits for it");
}

#[test]
fn only_the_code_that_never_left_may_be_shown_again() {
    let mut bench = waiting(1);
    bench.sell(2).unwrap();
    bench.disk(2, true);
    bench.answer(2, Says::NotSent(reason("no_connection")));
    assert!(bench.engine.code_used_by(&[1; 16]).is_some());
    assert!(bench.engine.code_used_by(&[2; 16]).is_none());
    // A query that does not get through says nothing about the submission.
    bench.pass(5_000);
    bench.answer(1, Says::NotSent(reason("no_connection")));
    assert!(bench.engine.code_used_by(&[1; 16]).is_some());
}

#[test]
fn a_person_reaches_the_order_they_name() {
    let mut bench = waiting(2);
    let second = bench.engine.attempts[&2].order.out_trade_no.clone();
    let (now, wall) = bench.at();
    let effects = bench.engine.handle_event_of(&second, Event::Cancel, None, now, wall);
    bench.take(effects);
    bench.disk(2, true);
    assert_eq!(bench.reported, [(2, Status::Reversing, true)]);
    let nobody = OutTradeNo::try_from("T01-000000".to_owned()).unwrap();
    assert!(bench.engine.handle_event_of(&nobody, Event::Cancel, None, now, wall).is_empty());
}

#[test]
fn a_till_is_busy_with_what_is_open_or_at_the_disk() {
    let mut bench = EngineBench::new();
    assert!(!bench.engine.is_open());
    let number = bench.sell(1).unwrap();
    bench.disk(1, true);
    assert!(bench.engine.is_open());
    assert_eq!(bench.engine.busy().collect::<Vec<_>>(), [&number]);
    // Its outcome is known, but not yet written.
    bench.handle(1, paid().in_answer_to(Call::SUBMISSION));
    assert!(bench.engine.is_open());
    assert_eq!(bench.engine.busy().count(), 1);
    bench.disk(1, true);
    assert!(!bench.engine.is_open());
    assert_eq!(bench.engine.busy().count(), 0);
}

#[test]
fn a_recheck_of_what_is_over_is_news_only_where_it_finds_money() {
    for (first, over) in [
        (Says::Declined(reason("NOTENOUGH")), Status::Declined),
        (Says::Unknown(reason("no_answer")), Status::Reversed),
    ] {
        let mut bench = EngineBench::new();
        bench.sell(1).unwrap();
        bench.disk(1, true);
        bench.answer(1, first);
        let mut asked = 1;
        while bench.engine.is_open() {
            if bench.calls.len() == asked {
                bench.pass(1_000);
                continue;
            }
            asked = bench.calls.len();
            let reversal = bench.calls.last().unwrap().1.kind == CallKind::Reverse;
            bench.answer(1, if reversal { Says::Accepted } else { Says::NotFound });
        }
        assert_eq!(bench.statuses().last(), Some(&over));
        assert_eq!(bench.news.last(), Some(&over), "that it is over is news");
        let news = bench.news.len();
        while bench.calls.len() == asked {
            bench.pass(10_000);
        }
        bench.answer(1, Says::NotFound);
        assert_eq!(bench.news.len(), news, "{over:?}: nothing was found");
        asked = bench.calls.len();
        while bench.calls.len() == asked {
            bench.pass(10_000);
        }
        bench.answer(1, paid());
        assert_eq!(bench.news[news..], [Status::Reversing], "{over:?}: money was found");
    }
}

#[test]
fn rechecks_keep_no_till_busy_and_are_woken_for() {
    let mut bench = EngineBench::new();
    bench.sell(1).unwrap();
    bench.disk(1, true);
    bench.answer(1, Says::Unknown(reason("no_answer")));
    let mut asked = bench.calls.len();
    while bench.reported.last().unwrap().1 != Status::Reversed {
        bench.pass(1_000);
        while asked < bench.calls.len() {
            asked = bench.calls.len();
            let reversal = bench.calls.last().unwrap().1.kind == CallKind::Reverse;
            bench.answer(1, if reversal { Says::Accepted } else { Says::NotFound });
        }
    }
    assert!(!bench.engine.is_open());
    assert_eq!(bench.engine.busy().count(), 0);
    let look = bench.engine.wake_at().expect("it is looked at once more");
    assert!(look > Uptime(bench.now + 60_000));
    // Nor does it while the disk takes its time over one.
    bench.now = look.0;
    let (now, wall) = bench.at();
    let effects = bench.engine.tick(now, wall);
    assert!(matches!(effects[..], [Effect::Write(_)]), "{effects:?}");
    assert!(!bench.engine.is_open());
    bench.take(effects);
    bench.disk(1, true);
    // Without a journal no recheck could be written.
    bench.sell(2).unwrap();
    bench.disk(2, false);
    assert_eq!(bench.engine.wake_at(), None);
}

#[test]
fn after_a_restart_a_payment_counts_only_if_it_is_fresh_by_every_clock_there_is() {
    let hour = 3_600_000;
    for (boot, created_before, status) in [
        (7, 0, Status::Paid),
        (7, hour, Status::Paid),
        (7, -hour, Status::Paid),
        (8, 0, Status::Paid),
        (8, hour, Status::Reversing),
        (8, -hour, Status::Reversing),
    ] {
        let mut attempt = stored(1, "1900000109", boot);
        attempt.created_at = Timestamp(attempt.created_at.0 - created_before);
        let past = Recovered { last_attempt: 1, open: vec![attempt], ..Recovered::default() };
        let mut bench = EngineBench::with(past);
        bench.disk(1, true);
        bench.answer(1, paid());
        assert_eq!(bench.reported.last().unwrap().1, status, "boot {boot}, by {created_before} ms");
    }
}

#[test]
fn a_time_line_that_lies_ahead_is_not_gone_on_with() {
    let mut attempt = stored(1, "1900000109", 7);
    attempt.sent_at = Uptime(2_000_000);
    let bench = EngineBench::with(Recovered {
        last_attempt: 1,
        open: vec![attempt],
        ..Recovered::default()
    });
    assert_eq!(bench.written[0].age, Millis(300));
    assert_eq!(bench.written[0].sent_at, Uptime(1_000_000 - 300));
}

#[test]
fn an_answer_is_written_down_even_where_it_changes_nothing_and_nothing_else_is() {
    let mut bench = waiting(1);
    bench.pass(5_000);
    bench.answer(1, Says::Paying);
    let (written, query) = (bench.written.len(), bench.calls.last().unwrap().1);
    for idle in [Event::Tick, Event::Begun] {
        bench.handle(1, idle);
        assert_eq!(bench.written.len(), written);
    }
    bench.handle(1, Says::Paying.in_answer_to(query));
    assert_eq!(bench.written.len(), written + 1, "it is evidence");
}

#[test]
fn lines_are_written_with_a_new_sale_if_they_come_to_its_amount() {
    let line = Line::of_amount(Money::from_minor(1234), Quantity::ONE);
    let sold = Arc::new(Sale { lines: vec![line], discount: None, consent: None }.total().unwrap());
    for (amount, fits) in [(1234, true), (1233, false)] {
        let mut bench = EngineBench::new();
        let (now, wall) = bench.at();
        let start = Start {
            sale: SaleRef::New(Money::from_minor(amount)),
            note: String::new(),
            sold: Arc::clone(&sold),
            code: AuthCode::new("134567890123456789").unwrap(),
            by: None,
            code_hash: [1; 16],
            client_ip: "203.0.113.7".into(),
            draw: Draw([0; 12]),
        };
        let (_, effects) = bench.engine.begin(start, now, wall).unwrap();
        let [Effect::Write(entry)] = &effects[..] else { panic!("{effects:?}") };
        let written = &entry.begin.as_ref().unwrap().sale.sold;
        assert_eq!(written.is_bare(), !fits, "{amount}");
    }
}
