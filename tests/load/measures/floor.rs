//! What PostgreSQL does with the backend's statements if nothing is in between: `pgbench`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use paytill_backend::store::OF_A_PAYMENT;
use tokio_postgres::SimpleQueryMessage;

use super::books::{self, Books};

/// The same payments as [`books::pay`] makes them, as a script.
pub(crate) struct Floor {
    script: tempfile::NamedTempFile,
    /// Texts that are sent with each statement, as the backend sends them.
    values: Vec<String>,
    url: String,
}

/// A row's values by column; nothing is a NULL.
type Columns = BTreeMap<String, Option<String>>;

impl Floor {
    /// In a schema of its own; `None` without `pgbench`.
    pub(crate) async fn of(books: &Books) -> Option<Self> {
        Command::new("pgbench").arg("--version").output().ok()?;
        let number = books::drawn();
        books::begin(&books.store, number).await;
        let begun = row(&books.place, "payment").await;
        let first_event = row(&books.place, "payment_event ORDER BY version DESC").await;
        books::be_paid(&books.store, number).await;
        let paid = row(&books.place, "payment").await;
        let second_event = row(&books.place, "payment_event ORDER BY version DESC").await;
        let told = row(&books.place, "outbox").await;

        let [read, insert, insert_event, update, tell] = OF_A_PAYMENT;
        let steps = [
            (read, &begun),
            (insert, &begun),
            (insert_event, &first_event),
            (read, &begun),
            (update, &paid),
            (insert_event, &second_event),
            (tell, &told),
        ];
        let mut values = Vec::new();
        let mut text = "\\set number random(100000000000000000, 999999999999999999)\n".to_owned();
        for (place, (sql, columns)) in steps.into_iter().enumerate() {
            if sql == read {
                text.push_str("BEGIN;\n");
            }
            let _ = writeln!(text, "{};", bound(sql, place, columns, &mut values));
            if place == 2 || place == 6 {
                text.push_str("COMMIT;\n");
            }
        }
        let script = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(script.path(), text).unwrap();
        Some(Self { script, values, url: books.place.clone() })
    }

    /// Payments a second.
    pub(crate) async fn rate(&self, clients: usize, seconds: f64) -> f64 {
        let mut command = Command::new("pgbench");
        let (clients, seconds) = (clients.to_string(), seconds.ceil().to_string());
        let threads = if clients == "1" { "1" } else { "2" };
        command.args(["-n", "-M", "prepared", "-c", &clients, "-j", threads, "-T", &seconds]);
        command.args(["-f", self.script.path().to_str().unwrap()]);
        command.args(self.values.iter().flat_map(|value| ["-D", value])).arg(&self.url);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
        let failed = || panic!("{}", String::from_utf8_lossy(&output.stderr));
        rate.unwrap_or_else(failed).parse().unwrap()
    }
}

/// The only row of a table, or the first in that order.
async fn row(url: &str, table: &str) -> Columns {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let rows = client.simple_query(&format!("SELECT * FROM {table} LIMIT 1")).await.unwrap();
    let row = rows.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let row = row.unwrap();
    let named = row.columns().iter().enumerate();
    named
        .map(|(place, column)| (column.name().to_owned(), row.get(place).map(str::to_owned)))
        .collect()
}

/// A statement with `pgbench`'s variables in place of its parameters.
fn bound(sql: &str, step: usize, columns: &Columns, values: &mut Vec<String>) -> String {
    let names = names(sql);
    let mut bound = sql.to_owned();
    for (place, name) in names.iter().enumerate().rev() {
        let variable = match (*name, &columns[*name]) {
            ("out_trade_no" | "subject", _) => ":number".to_owned(),
            // What an update waits for is the version before.
            ("version", _) if names[..place].contains(name) => "1".to_owned(),
            (_, None) => "NULL".to_owned(),
            // It knows no variable with nothing in it.
            (_, Some(value)) if value.is_empty() => "''".to_owned(),
            (_, Some(value)) => {
                values.push(format!("{name}_{step}={value}"));
                format!(":{name}_{step}")
            }
        };
        bound = bound.replace(&format!("${}", place + 1), &variable);
    }
    bound
}

/// Which column each parameter is of.
fn names(sql: &str) -> Vec<&str> {
    if sql.starts_with("INSERT") {
        let columns = sql.split(['(', ')']).nth(1).unwrap();
        return columns.split(',').map(str::trim).collect();
    }
    let before_each = sql.split(" = $").collect::<Vec<_>>();
    let (_, before_each) = before_each.split_last().unwrap();
    before_each.iter().map(|text| text.rsplit([' ', ',']).next().unwrap()).collect()
}
