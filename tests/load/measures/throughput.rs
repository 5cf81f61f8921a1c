//! How many payments a second the store takes: on PostgreSQL beside `pgbench` with the same statements,
//! on SQLite beside PostgreSQL.

use paytill_backend::store::Store;

use super::Extent;
use super::books::{self, Books};
use super::floor::Floor;
use super::table::{Goal, Table, median};

/// How many pay at once, and what share of `pgbench` is wanted then.
const CLIENTS: [(usize, f64); 3] = [(1, 0.7), (8, 0.85), (64, 1.15)];
/// The same with nothing in common between those who pay at once.
const DIRECT: f64 = 0.7;
/// What SQLite is to do beside PostgreSQL.
const SQLITE: f64 = 2.0;
const UNIT: &str = "times";

pub(crate) async fn measured(extent: Extent, table: &mut Table) {
    let sqlite = Books::sqlite().await;
    let Some(postgres) = Books::postgres("store").await else {
        books::paying(&sqlite.store, 8, extent.seconds).await;
        return table.skip(
            "the store's throughput, beside pgbench and PostgreSQL",
            (Goal::AtLeast(DIRECT), UNIT),
            "no PostgreSQL",
        );
    };
    let bare = Books::postgres("floor").await.unwrap();
    let floor = Floor::of(&bare).await;
    let Store::Postgres(apart) = postgres.store.clone() else { unreachable!() };
    let apart = Store::Postgres(apart.apart());
    for (clients, adaptive) in CLIENTS {
        let mut rates: [Vec<f64>; 4] = Default::default();
        for _ in 0..extent.rounds {
            if let Some(floor) = &floor {
                rates[0].push(floor.rate(clients, extent.seconds).await);
            }
            let stores = [&apart, &postgres.store, &sqlite.store];
            for (place, store) in stores.into_iter().enumerate() {
                rates[1 + place].push(books::paying(store, clients, extent.seconds).await.rate);
            }
        }
        let [floor, direct, batched, sqlite] = rates.map(median);
        let shares = [("each by itself", direct, DIRECT), ("adaptive", batched, adaptive)];
        for (how, rate, share) in shares {
            let what = format!("payments beside pgbench, {clients} clients, {how}");
            let goal = (Goal::AtLeast(share), UNIT);
            if floor.is_nan() {
                table.skip(what, goal, "no pgbench");
            } else {
                table.add(what, goal, (rate / floor, format!("{rate:.0} / {floor:.0} a second")));
            }
        }
        table.add(
            format!("SQLite, {clients} clients, beside PostgreSQL"),
            (Goal::AtLeast(SQLITE), UNIT),
            (sqlite / batched, format!("{sqlite:.0} / {batched:.0} a second")),
        );
    }
}
