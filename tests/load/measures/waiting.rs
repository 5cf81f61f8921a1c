//! How soon a till that waits for news has it, while 1,000 wait.

use std::sync::Arc;
use std::time::Duration;

use paytill_backend::store::PaymentKey;
use paytill_core::clock::Millis;
use paytill_core::gateway::Ask;
use paytill_core::payment::{Answer, Found, Inconclusive, Ordered};
use paytill_simulator::{Scenario, Script};

use super::Extent;
use super::books::{Books, SHOP};
use super::office::Office;
use super::table::{Goal, Table, percentile};

const TILLS: usize = 1_000;
const GOAL: (Goal, &str) = (Goal::AtMost(50.0), "ms");
/// Between two orders.
const APART: Duration = Duration::from_millis(10);

pub(crate) async fn measured(extent: Extent, table: &mut Table) {
    for name in ["SQLite", "PostgreSQL"] {
        let what = format!("news for a waiting till, {TILLS} waiting, {name}, p99");
        let books = match name {
            "SQLite" => Some(Books::sqlite().await),
            _ => Books::postgres("waiting").await,
        };
        let Some(books) = books else {
            table.skip(what, GOAL, "no PostgreSQL");
            continue;
        };
        let tills = if extent.is_smoke { 10 } else { TILLS };
        // Customers scan once all tills wait, one after another as the codes were ordered.
        let patience = APART * u32::try_from(tills).unwrap() + Duration::from_secs(2);
        let script = Script {
            scenario: Some(Scenario::Pays),
            scans_after: Millis(u64::try_from(patience.as_millis()).unwrap()),
            ..Script::default()
        };
        let office = Office::open(books, script, 1).await;
        let times = waited(&office, tills).await;
        let (middle, most) = (percentile(times.clone(), 50), percentile(times.clone(), 100));
        let made_of = format!("from its decision; {middle:.0} ms at the median, {most:.0} at most");
        table.add(what, GOAL, (percentile(times, 99), made_of));
    }
}

/// From the backend's decision that a payment is paid to its till's reading that, in milliseconds.
async fn waited(office: &Office, tills: usize) -> Vec<f64> {
    let mut waiting = tokio::task::JoinSet::new();
    let mut ready = Vec::new();
    for serial in 0..tills {
        ready.push(Arc::new(office.till(serial).await));
    }
    for (serial, till) in ready.into_iter().enumerate() {
        waiting.spawn(async move {
            let order = till.order(serial as u64);
            // Where so many wait, the backend may have no room for one more at first.
            loop {
                match till.ask(Ask::Order(&order), false).await {
                    Answer::Ordered(Ordered::Code(_)) => break,
                    Answer::Ordered(Ordered::Inconclusive(Inconclusive::NotSent(_))) => {}
                    answer => panic!("{answer:?}"),
                }
            }
            loop {
                let answer = till.ask(Ask::Query(&order), true).await;
                match answer {
                    Answer::Found(Found::Paid(_)) => return (order.out_trade_no, till.now()),
                    Answer::Found(Found::Paying | Found::NotPaid) => {}
                    answer => panic!("{answer:?}"),
                }
            }
        });
        tokio::time::sleep(APART).await;
    }
    let mut times = Vec::new();
    for (out_trade_no, heard_at) in waiting.join_all().await {
        let key = PaymentKey { merchant: SHOP.to_owned(), out_trade_no };
        let row = office.books.store.payment(key).await.unwrap().unwrap();
        #[expect(clippy::cast_precision_loss, reason = "some milliseconds")]
        times.push((heard_at.0 - row.updated_at.0) as f64);
    }
    times
}
