//! Whether a payment takes longer when there are many already.

use std::fmt::Write as _;

use paytill_backend::store::Store;

use super::Extent;
use super::books::{self, Books};
use super::table::{Goal, Table, median, percentile};

const GOAL: (Goal, &str) = (Goal::AtMost(1.3), "times");
/// Few, and as many as are made within some minutes and fit beside others.
const SIZES: [u64; 2] = [100_000, 1_000_000];
/// The tables of payments that were paid; the others do not grow with them.
const TABLES: [(&str, &str); 3] =
    [("payment", "out_trade_no"), ("payment_event", "out_trade_no"), ("outbox", "subject")];
const CLIENTS: usize = 8;

pub(crate) async fn measured(extent: Extent, table: &mut Table) {
    let sizes = if extent.is_smoke { [10, 100] } else { SIZES };
    for name in ["SQLite", "PostgreSQL"] {
        let what = format!("p99 at {} payments beside {}, {name}", sizes[1], sizes[0]);
        let few = books(name, "few").await;
        let Some((few, many)) = few.zip(books(name, "many").await) else {
            table.skip(what, GOAL, "no PostgreSQL");
            continue;
        };
        fill(&few, sizes[0]).await;
        fill(&many, sizes[1]).await;
        let mut p99s: [Vec<f64>; 2] = Default::default();
        for _ in 0..extent.rounds {
            for (p99s, books) in p99s.iter_mut().zip([&few, &many]) {
                let turn = books::paying(&books.store, CLIENTS, extent.seconds).await;
                p99s.push(percentile(turn.times, 99));
            }
        }
        let [few, many] = p99s.map(median);
        table.add(what, GOAL, (many / few, format!("{many:.1} / {few:.1} ms, {CLIENTS} clients")));
    }
}

async fn books(name: &str, schema: &str) -> Option<Books> {
    if name == "SQLite" { Some(Books::sqlite().await) } else { Books::postgres(schema).await }
}

/// Makes payments that were paid, like one that was, by the database's own means.
async fn fill(books: &Books, count: u64) {
    books::pay(&books.store, books::drawn()).await;
    let mut sql = String::new();
    for (table, number) in TABLES {
        let columns = columns(table);
        // Each is as far from the one before as drawn numbers are; their order in time is another.
        let drawn =
            "'T01' || (100000000000000000 + (n * 7368787) % 899999999999 * 1000000 + n % 1000000)";
        let values = columns.replace(number, drawn).replace("created_at", "created_at + n");
        let series = match books.store {
            Store::Sqlite(_) => format!(
                "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count})"
            ),
            Store::Postgres(_) => {
                format!("WITH s(n) AS (SELECT generate_series(1, {count}::BIGINT))")
            }
        };
        let _ = write!(
            sql,
            "INSERT INTO {table} ({columns}) {series} SELECT {values} FROM {table}, s;"
        );
    }
    match &books.store {
        Store::Postgres(_) => {
            sql.push_str("ANALYZE; CHECKPOINT");
            books::asked(&books.place, &sql).await;
        }
        Store::Sqlite(_) => {
            let place = books.place.clone();
            let filled = tokio::task::spawn_blocking(move || {
                let file = rusqlite::Connection::open(place).unwrap();
                file.execute_batch(&sql).unwrap();
                file.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
            });
            filled.await.unwrap();
        }
    }
}

/// The columns of a table, as they stand in the schema.
fn columns(table: &str) -> String {
    let schema = include_str!("../../../src/backend/store/schema.sql");
    let (_, rest) = schema.split_once(&format!("CREATE TABLE {table} (")).unwrap();
    let (body, _) = rest.split_once("\n);").unwrap();
    let lines = body
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.is_empty() && !line.starts_with("--") && !line.starts_with("PRIMARY"));
    let names: Vec<&str> = lines.map(|line| line.split(' ').next().unwrap()).collect();
    names.join(", ")
}
