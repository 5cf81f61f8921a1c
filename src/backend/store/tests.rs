//! What must be true of a store, of each kind alike: every test of [`contract!`] runs on SQLite and on
//! PostgreSQL, there also with the strictest isolation, and with changes in shared transactions.
//! `scripts/with-postgres` provides one.

mod admins;
mod audit;
mod bills;
mod link;
mod machines;
mod notices;
mod old;
mod outbox;
mod payments;
mod postgres;
mod schema;
mod sqlite;
mod statements;
mod texts;
mod tills;
mod together;

use std::io::Write as _;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use paytill_core::clock::{Millis, Timestamp};
use paytill_core::gateway::backend::message::Channel;
use paytill_core::money::{Currency, Money};
use paytill_core::order::{Merchant, Order, OutTradeNo};
use paytill_core::payment::{Event, Rules, State};

use super::{
    Acknowledged, By, Change, PaymentKey, PaymentRow, Postgres, Sqlite, Store, StoreError, Write,
};

/// Tests that are run on each kind of store.
macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $name() { crate::store::tests::on_sqlite(super::$name); })*
        }
        mod on_postgres {
            $(#[test] fn $name() { crate::store::tests::on_postgres("", super::$name); })*
        }
        mod on_serializable_postgres {
            $(#[test] fn $name() {
                let strict = "default_transaction_isolation=serializable";
                crate::store::tests::on_postgres(strict, super::$name);
            })*
        }
        mod on_shared_postgres {
            $(#[test] fn $name() { crate::store::tests::on_shared_postgres(super::$name); })*
        }
    };
}
use contract;

/// The merchant of most tests.
const SHOP: &str = "1900000109";
const NOW: Timestamp = Timestamp(1_790_000_000_000);
const RULES: Rules = Rules {
    query_interval: Millis(5_000),
    give_up_after: Millis(30_000),
    reverse_not_before: Millis(15_000),
    attention_after: Millis(180_000),
};

/// A database of its own for one test.
struct Books {
    store: Store,
    place: Place,
}

enum Place {
    File(tempfile::TempDir),
    Schema { url: String },
}

/// So that a test's block, which may use nothing but the store, still takes all of it: the folder goes
/// with it.
impl Drop for Books {
    fn drop(&mut self) {}
}

impl Books {
    fn in_a_file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::Sqlite(Sqlite::open(&folder.path().join("books.sqlite")).unwrap());
        Self { store, place: Place::File(folder) }
    }

    async fn in_a_schema(base: &str, setting: &str) -> Self {
        let url = schema_of_its_own(base, setting).await;
        let store = Store::Postgres(Postgres::new(&url, None, 8, None).unwrap());
        Self { store, place: Place::Schema { url } }
    }

    /// The same database, by another way to it.
    fn map(mut self, way: impl FnOnce(Store) -> Store) -> Self {
        self.store = way(self.store.clone());
        self
    }

    /// The same database as another process sees it.
    fn again(&self) -> Store {
        match &self.place {
            Place::File(folder) => {
                Store::Sqlite(Sqlite::open(&folder.path().join("books.sqlite")).unwrap())
            }
            Place::Schema { url } => Store::Postgres(Postgres::new(url, None, 8, None).unwrap()),
        }
    }

    async fn with_tables(self) -> Self {
        self.store.migrate(NOW).await.unwrap();
        self
    }
}

/// Makes a schema, and says at which address a connection works in it.
async fn schema_of_its_own(base: &str, setting: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_{}_{count}", std::process::id());
    raw(base).await.batch_execute(&format!("CREATE SCHEMA {name}")).await.unwrap();
    let setting = if setting.is_empty() {
        String::new()
    } else {
        format!("%20-c%20{}", setting.replace('=', "%3D"))
    };
    let joint = if base.contains('?') { '&' } else { '?' };
    format!("{base}{joint}options=-c%20search_path%3D{name}{setting}")
}

/// A connection that is no store's.
async fn raw(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Books) -> F) {
    runtime().block_on(async { test(Books::in_a_file().with_tables().await).await });
}

/// Runs a test on PostgreSQL, where there is one. `setting` holds for all its connections.
fn on_postgres<F: Future<Output = ()>>(setting: &str, test: impl FnOnce(Books) -> F) {
    with_postgres(|base| async move {
        test(Books::in_a_schema(&base, setting).await.with_tables().await).await;
    });
}

/// The same with every change in a transaction that is shared with whatever else waits.
fn on_shared_postgres<F: Future<Output = ()>>(test: impl FnOnce(Books) -> F) {
    on_postgres("", |books| {
        test(books.map(|store| {
            let Store::Postgres(postgres) = store else { unreachable!() };
            Store::Postgres(postgres.together_always())
        }))
    });
}

/// Runs a test with the address of PostgreSQL, where there is one.
fn with_postgres<F: Future<Output = ()>>(test: impl FnOnce(String) -> F) {
    static TOLD: Once = Once::new();
    let Ok(base) = std::env::var("PAYTILL_TEST_POSTGRES") else {
        // Past the harness, which keeps what a test prints.
        TOLD.call_once(|| {
            let why = "skipped: the store's tests on PostgreSQL, since PAYTILL_TEST_POSTGRES is not \
                       set. `scripts/with-postgres cargo test -p paytill-backend` runs them.";
            let _ = writeln!(std::io::stderr(), "{why}");
        });
        return;
    };
    runtime().block_on(test(base));
}

/// An operator.
fn by(at: Timestamp) -> By {
    By { who: "command:0@here".to_owned(), at }
}

fn key_of(merchant: &str, number: u32) -> PaymentKey {
    let out_trade_no = OutTradeNo::try_from(format!("T01-{number:08}")).unwrap();
    PaymentKey { merchant: merchant.to_owned(), out_trade_no }
}

fn key(number: u32) -> PaymentKey {
    key_of(SHOP, number)
}

/// A payment that has just begun.
fn payment(key: &PaymentKey) -> PaymentRow {
    PaymentRow {
        key: key.clone(),
        store: "S001".to_owned(),
        till: "T01".to_owned(),
        channel: Channel::Micropay,
        order: Order {
            out_trade_no: key.out_trade_no.clone(),
            amount: Money::from_minor(1_250),
            currency: Currency::from_code("CNY").unwrap(),
            merchant: Merchant {
                app_id: "wx1".to_owned(),
                mch_id: key.merchant.clone(),
                sub_app_id: String::new(),
                sub_mch_id: String::new(),
            },
            body: "Corner Coffee T01".to_owned(),
            device_info: "S001".to_owned(),
            client_ip: "192.0.2.1".to_owned(),
            mark: "mark".to_owned(),
        },
        fingerprint: vec![0, 1, 254, 255],
        state: State::begin(&RULES, 7),
        version: 1,
        began_at: NOW,
        wake_at: Some(NOW.after(Millis(5_000))),
        lease: None,
        seen: 0,
        acknowledged: Acknowledged::Never,
        as_of: None,
        created_at: NOW,
        updated_at: NOW,
    }
}

/// Writes a row as it is, with its first event.
fn insert(row: &PaymentRow) -> Change<bool> {
    let event = Some((Event::Begun, Vec::new()));
    Change { write: Some(Write { row: row.clone(), event, outbox: Vec::new() }), result: true }
}

/// Begins a payment, unless there is one of its number.
async fn begin(store: &Store, row: PaymentRow) -> Result<bool, StoreError> {
    let key = row.key.clone();
    let decide = move |there: Option<&PaymentRow>| match there {
        Some(_) => Change::none(false),
        None => insert(&row),
    };
    store.change(key, decide).await
}
