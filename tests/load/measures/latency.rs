//! What the backend adds to a gateway that takes 50 ms, for 64 tills that pay one after another.

use std::sync::Arc;
use std::time::Duration;

use paytill_core::payment::{Answer, Submitted};
use paytill_simulator::{Scenario, Script};
use tokio::time::Instant;

use super::Extent;
use super::books::Books;
use super::office::{Office, Till};
use super::table::{Goal, Table, median, percentile};

const TILLS: usize = 64;
const GOAL: (Goal, &str) = (Goal::AtMost(5.0), "ms");
/// At this pace the bank's second, which [`Scenario::Slow`] takes, is 50 ms.
const PACE: u32 = 20;

pub(crate) async fn measured(extent: Extent, table: &mut Table) {
    for name in ["SQLite", "PostgreSQL"] {
        let what = format!("what it adds to 50 ms, {TILLS} tills, {name}, p99");
        let books = match name {
            "SQLite" => Some(Books::sqlite().await),
            _ => Books::postgres("latency").await,
        };
        let Some(books) = books else {
            table.skip(what, GOAL, "no PostgreSQL");
            continue;
        };
        let script = Script { scenario: Some(Scenario::Slow(1)), ..Script::default() };
        let office = Office::open(books, script, PACE).await;
        let tills = if extent.is_smoke { 4 } else { TILLS };
        let mut behind = Vec::new();
        for serial in 0..tills {
            behind.push(Arc::new(office.till(serial).await));
        }
        let direct: Vec<_> =
            (tills..2 * tills).map(|serial| Arc::new(office.direct(serial))).collect();
        // Whoever dials only now is not measured.
        let mut serial = 0;
        paying(&behind, &mut serial, 0.2).await;
        paying(&direct, &mut serial, 0.2).await;
        let mut figures: [Vec<f64>; 4] = Default::default();
        let (mut paid, mut shed) = (0, 0);
        for _ in 0..extent.rounds {
            let (alone, _) = paying(&direct, &mut serial, extent.seconds).await;
            let (through, refused) = paying(&behind, &mut serial, extent.seconds).await;
            paid += through.len() as u64;
            shed += refused;
            let p99 = [&alone, &through].map(|times| percentile(times.clone(), 99));
            let figure = [p99[1] - p99[0], p99[0], p99[1], median(through) - median(alone)];
            for (all, figure) in figures.iter_mut().zip(figure) {
                all.push(figure);
            }
        }
        let [added, alone, through, middle] = figures.map(median);
        let made_of = format!(
            "p99 {through:.1} / {alone:.1} ms; {middle:.1} ms at the median; {shed} refused beside {paid}"
        );
        table.add(what, GOAL, (added, made_of));
    }
}

/// All tills pay, for so long: how long each payment took, in milliseconds, and how many were refused
/// because the backend had no room.
async fn paying(tills: &[Arc<Till>], serial: &mut u64, seconds: f64) -> (Vec<f64>, u64) {
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    let mut paying = tokio::task::JoinSet::new();
    for till in tills {
        let till = Arc::clone(till);
        let first = *serial;
        *serial += 10_000;
        paying.spawn(async move {
            let (mut times, mut tried, mut refused) = (Vec::new(), 0, 0);
            while Instant::now() < until {
                let order = till.order(first + tried);
                let code = Scenario::Slow(1).code(first + tried);
                let begun = Instant::now();
                let answer = till.charge(&order, &code).await;
                tried += 1;
                match answer {
                    Answer::Submitted(Submitted::Paid(_)) => {
                        times.push(1000.0 * begun.elapsed().as_secs_f64());
                    }
                    // More came than the database can take: it was refused before anything was done.
                    Answer::Submitted(Submitted::Declined(why)) if why.code() == "not_sent" => {
                        refused += 1;
                    }
                    answer => panic!("{answer:?}"),
                }
            }
            (times, refused)
        });
    }
    let (times, refused): (Vec<_>, Vec<u64>) = paying.join_all().await.into_iter().unzip();
    (times.concat(), refused.iter().sum())
}
