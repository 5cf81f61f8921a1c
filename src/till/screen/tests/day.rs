//! The day's figures: only what is paid is money, whoever tells of it first.

use super::super::day::Past;
use super::*;
use crate::language::Language;
use crate::says::{Says, reason};

fn earlier(tail: u32, status: Status, minor: i64) -> DayOrder {
    let is_open = !status.is_settled();
    DayOrder { out_trade_no: number(tail), status, is_open, amount: Money::from_minor(minor) }
}

/// Counts and sums: paid, not paid, reversed, open.
fn figures(bench: &ScreenBench) -> [(usize, i64); 4] {
    let figures = bench.model.figures();
    [figures.paid, figures.not_paid, figures.reversed, figures.open]
        .map(|sum| (sum.count, sum.total.minor()))
}

fn bench_after(past: Option<Vec<DayOrder>>) -> ScreenBench {
    ScreenBench::with_past(settings(), past)
}

#[test]
fn only_what_is_paid_is_summed_and_everything_else_stands_apart() {
    let mut bench = bench_after(Some(vec![
        earlier(1, Status::Paid, 10_000),
        earlier(2, Status::Reversed, 777),
        earlier(3, Status::Declined, 888),
        earlier(4, Status::Attention, 999),
        // Settled by a person: there is nothing left to do, and nobody knows.
        DayOrder { is_open: false, ..earlier(5, Status::Attention, 555) },
    ]));
    assert_eq!(figures(&bench), [(1, 10_000), (1, 888), (1, 777), (1, 999)]);
    let paid = bench.charge("12.5", 1);
    assert_eq!(figures(&bench)[3], (2, 999 + 1_250), "open");
    bench.answer(paid, Says::Paid(proof()));
    let declined = bench.charge("8", 2);
    bench.answer(declined, Says::Declined(reason("NOTENOUGH")));
    bench.key(Key::Enter);
    let reversed = bench.charge("6", 3);
    bench.answer(reversed, Says::Paying);
    bench.reversed_with_money(reversed);
    bench.key(Key::Enter);
    let unsaved = bench.charge("5", 4);
    bench.unrecorded(unsaved);
    bench.answer(unsaved, Says::Paid(proof()));
    assert_eq!(
        figures(&bench),
        [(2, 11_250), (2, 1_688), (2, 1_377), (2, 1_499)],
        "an outcome that could not be saved may be another after the next start"
    );
}

#[test]
fn an_order_that_is_told_of_twice_counts_once_and_as_it_is_now() {
    let mut bench = bench_after(Some(Vec::new()));
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Paid(proof()));
    let today = *bench.days.last().unwrap();
    // The journal was read just before the answer came.
    let stale = vec![earlier(345_001, Status::Waiting, 1_250), earlier(1, Status::Paid, 100)];
    bench.send(ScreenMessage::DayRead { date: today, orders: Some(stale) });
    assert_eq!(figures(&bench), [(2, 1_350), (0, 0), (0, 0), (0, 0)]);
}

#[test]
fn the_day_ends_at_midnight_in_the_shops_time_zone() {
    // Noon in Beijing and the thousand seconds that every test begins with: 11:43 to midnight.
    let zone = TimeZone::fixed(jiff::tz::offset(8));
    let to_midnight = 12 * 3_600_000 - 1_000_000;
    let mut bench =
        ScreenBench::with_past(Settings { time_zone: zone, ..settings() }, Some(vec![]));
    let first = bench.charge("12.5", 1);
    bench.answer(first, Says::Paid(proof()));
    bench.key(Key::Enter);
    // It begins on one day and ends on the next: it is counted where it began, as the journal does.
    let left = to_midnight - (bench.now - 1_000_000);
    bench.wait(left - 5_000);
    let late = bench.charge("3", 2);
    bench.answer(late, Says::Paying);
    assert_eq!(figures(&bench)[3], (1, 300));
    bench.later(late, 6_000);
    bench.answer(late, Says::Paid(proof()));
    assert_eq!(bench.days.len(), 2, "{:?}", bench.days);
    assert_eq!(figures(&bench), [(0, 0); 4], "a new day");
    bench.key(Key::Enter);
    let next = bench.charge("4", 3);
    bench.answer(next, Says::Paid(proof()));
    assert_eq!(figures(&bench)[0], (1, 400));
    // What the journal had of the day before comes too late.
    let date = bench.days[0];
    let orders = Some(vec![earlier(9, Status::Paid, 5)]);
    bench.send(ScreenMessage::DayRead { date, orders });
    assert_eq!(figures(&bench)[0], (1, 400));
}

#[test]
fn nothing_moves_when_the_figures_arrive_and_unknown_ones_are_not_made_up() {
    for language in Language::ALL {
        let mut bench = bench_after(Some(vec![earlier(1, Status::Paid, 123_450)]));
        bench.model.language = language;
        let known = bench.drawn(120, 40);
        assert!(known.contains("￥1,234.50"), "{known}");
        let word = bench.model.text().word(Status::Paid);
        let line = |picture: &str| picture.lines().position(|line| line.contains(word)).unwrap();
        for past in [Past::Asked, Past::Unreadable] {
            bench.model.day.set(past);
            let unknown = bench.drawn(120, 40);
            assert_eq!(line(&unknown), line(&known));
            let paid = unknown.lines().nth(line(&unknown)).unwrap();
            assert!(!paid.contains('￥'), "{paid}");
        }
    }
}

#[test]
fn a_journal_that_cannot_be_read_leaves_the_figures_open() {
    let bench = bench_after(None);
    assert_eq!(bench.model.day.past(), Past::Unreadable);
}
