//! Statements are such that databases that are spread over several machines take them.

use tokio_postgres::types::Type;

use super::{Books, Place, contract, raw};
use crate::store::StoreError;
use crate::store::tx::{LOCKING, Tx};
use crate::store::{
    admins, attempts, audit, bills, day, notices, old, outbox, overview, payments, refunds, tills,
};

const SCHEMA: &str = include_str!("../schema.sql");
const FILES: [(&str, &[&str], &str); 12] = [
    ("admins", admins::STATEMENTS, include_str!("../admins.rs")),
    ("attempts", attempts::STATEMENTS, include_str!("../attempts.rs")),
    ("audit", audit::STATEMENTS, include_str!("../audit.rs")),
    ("bills", bills::STATEMENTS, include_str!("../bills.rs")),
    ("day", day::STATEMENTS, include_str!("../day.rs")),
    ("notices", notices::STATEMENTS, include_str!("../notices.rs")),
    ("old", old::STATEMENTS, include_str!("../old.rs")),
    ("outbox", outbox::STATEMENTS, include_str!("../outbox.rs")),
    ("overview", overview::STATEMENTS, include_str!("../overview.rs")),
    ("payments", payments::STATEMENTS, include_str!("../payments.rs")),
    ("refunds", refunds::STATEMENTS, include_str!("../refunds.rs")),
    ("tills", tills::STATEMENTS, include_str!("../tills.rs")),
];

fn statements() -> impl Iterator<Item = &'static str> {
    FILES.iter().flat_map(|(_, statements, _)| statements.iter().copied())
}

/// The columns of a table's primary key.
fn primary_key(table: &str) -> Vec<&'static str> {
    let made = SCHEMA.split_once(&format!("CREATE TABLE {table} (")).expect(table).1;
    let key = made.split_once("PRIMARY KEY (").unwrap().1.split_once(')').unwrap().0;
    key.split(", ").collect()
}

fn table(sql: &str) -> &str {
    let after = ["INSERT INTO ", "DELETE FROM ", "UPDATE ", " FROM "]
        .iter()
        .find_map(|before| sql.split_once(before))
        .unwrap()
        .1;
    after.split_whitespace().next().unwrap()
}

/// The columns that are compared by `=`, in order.
fn compared(sql: &str) -> Vec<&str> {
    let Some((_, conditions)) = sql.split_once(" WHERE ") else { return Vec::new() };
    let equal = |condition: &'_ str| condition.split_once(" = $").map(|(column, _)| column.len());
    conditions
        .split(" AND ")
        .filter_map(|condition| equal(condition).map(|length| &condition[..length]))
        .collect()
}

contract!(each_is_understood);

/// By the database itself, with the types that values of ours have.
async fn each_is_understood(books: Books) {
    if let Place::Schema { url } = &books.place {
        let client = raw(url).await;
        for sql in statements() {
            let prepared = client.prepare(sql).await.unwrap_or_else(|why| panic!("{sql}: {why}"));
            let columns = prepared.columns().iter().map(tokio_postgres::Column::type_);
            for kind in prepared.params().iter().chain(columns) {
                assert!([Type::INT8, Type::TEXT, Type::BYTEA].contains(kind), "{kind} in {sql}");
            }
        }
        return;
    }
    let prepared = books.store.run(|tx| {
        let Tx::Sqlite(connection) = tx else { unreachable!() };
        let prepared = statements().try_for_each(|sql| {
            let sql = sql.strip_suffix(LOCKING).unwrap_or(sql);
            connection.prepare(sql).map(|_| ()).map_err(StoreError::from)
        });
        Box::pin(async move { prepared })
    });
    assert_eq!(prepared.await, Ok(()));
}

#[test]
fn all_of_them_are_in_the_lists() {
    for (name, listed, source) in FILES {
        let defined = source.matches(": &str =").count();
        assert_eq!(defined, listed.len(), "of {name}");
        let inline = ["\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE "];
        let words: usize = inline.iter().map(|word| source.matches(word).count()).sum();
        assert_eq!(words, listed.len(), "of {name}: a statement without a name");
    }
}

#[test]
fn each_begins_with_the_merchant() {
    for sql in statements() {
        let table = table(sql);
        assert_eq!(primary_key(table)[0], "merchant");
        if sql.starts_with("INSERT INTO") {
            assert!(sql.starts_with(&format!("INSERT INTO {table} (merchant, ")), "{sql}");
            assert!(sql.contains(" VALUES ($1, "), "{sql}");
        } else {
            assert_eq!(sql.matches(" WHERE ").count(), 1, "{sql}");
            assert!(sql.contains(" WHERE merchant = $"), "{sql}");
        }
    }
    for key in SCHEMA.split("PRIMARY KEY (").skip(1) {
        assert!(key.starts_with("merchant, "), "{key}");
    }
    for index in SCHEMA.split("CREATE INDEX ").skip(1) {
        assert!(index.split_once(" (").unwrap().1.starts_with("merchant, "), "{index}");
    }
}

#[test]
fn what_is_locked_or_changed_is_named_by_its_full_key() {
    // All codes of a till go at once, and so do the sessions of one person, all that is old, and all
    // that is to be told where there is nobody to tell.
    let but = [
        tills::DROP_CODES,
        outbox::PUT_ASIDE,
        admins::DROP_SESSIONS,
        old::DROP_SESSIONS,
        old::DROP_CODES,
        old::DROP_ATTEMPTS,
    ];
    let changes = statements().filter(|sql| {
        sql.ends_with(LOCKING) || sql.starts_with("UPDATE ") || sql.starts_with("DELETE ")
    });
    for sql in changes.filter(|sql| !but.contains(sql)) {
        let key = primary_key(table(sql));
        assert_eq!(compared(sql)[..key.len()], key, "{sql}");
    }
}

#[test]
fn a_conflict_is_of_the_full_key() {
    for sql in statements() {
        if let Some((_, rest)) = sql.split_once("ON CONFLICT (") {
            let named: Vec<_> = rest.split_once(')').unwrap().0.split(", ").collect();
            assert_eq!(named, primary_key(table(sql)), "{sql}");
        }
        assert!(!sql.contains("INSERT OR "), "{sql}");
    }
}

#[test]
fn values_appear_in_order_and_once_each() {
    for sql in statements() {
        let numbers = sql.split('$').skip(1).map(|rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<usize>().unwrap()
        });
        let numbers: Vec<_> = numbers.collect();
        assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>(), "{sql}");
        assert!(!sql.contains(['?', ';']), "{sql}");
    }
}

#[test]
fn none_uses_what_not_all_of_them_have() {
    let avoided = [
        "now()",
        "random(",
        "current_timestamp",
        "current_date",
        "clock_timestamp",
        "datetime(",
        "advisory",
        "nextval",
        "serial",
        "identity",
        "autoincrement",
        "references ",
        "trigger",
        "listen ",
        "notify ",
        "lock table",
        "copy ",
        "cursor",
        "rowid",
        " join ",
        "(select",
        "skip locked",
        "with ",
    ];
    let schema = SCHEMA.lines().filter(|line| !line.trim_start().starts_with("--"));
    let schema = schema.collect::<Vec<_>>().join("\n").to_lowercase();
    for sql in statements().map(str::to_lowercase).chain([schema]) {
        for word in avoided {
            assert!(!sql.contains(word), "{word} in {sql}");
        }
    }
}
