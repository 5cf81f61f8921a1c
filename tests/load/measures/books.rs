//! Databases of their own, and payments that come and are paid in them: what the backend writes for one,
//! without anything around it.

use std::time::Duration;

use paytill_backend::store::{
    Acknowledged, Change, PaymentKey, PaymentRow, Postgres, Sqlite, Store, Write,
};
use paytill_core::clock::{Millis, Timestamp};
use paytill_core::gateway::backend::message::Channel;
use paytill_core::money::{Currency, Money};
use paytill_core::order::{Merchant, Order, OutTradeNo};
use paytill_core::payment::{Answer, Event, Proof, Rules, State, Submitted};
use paytill_host::clock::Clock;
use tokio::time::Instant;

pub(crate) const SHOP: &str = "1900000109";
/// As many connections as the backend has without being told.
pub(crate) const CONNECTIONS: usize = 8;

/// A database with the backend's tables and nothing in them.
pub(crate) struct Books {
    pub(crate) store: Store,
    /// How others reach it: PostgreSQL's address, or a file.
    pub(crate) place: String,
    _folder: Option<tempfile::TempDir>,
}

impl Books {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("books.sqlite");
        let store = Store::Sqlite(Sqlite::open(&file).unwrap());
        store.migrate(now()).await.unwrap();
        Self { store, place: file.to_str().unwrap().to_owned(), _folder: Some(folder) }
    }

    /// In a schema of that name, where `scripts/with-postgres` has started a server.
    pub(crate) async fn postgres(name: &str) -> Option<Self> {
        let base = std::env::var("PAYTILL_TEST_POSTGRES").ok()?;
        let name = format!("load_{}_{name}", std::process::id());
        asked(&base, &format!("CREATE SCHEMA {name}")).await;
        let place = format!("{base}?options=-c%20search_path%3D{name}");
        let store = Store::Postgres(Postgres::new(&place, None, CONNECTIONS, None).unwrap());
        store.migrate(now()).await.unwrap();
        Some(Self { store, place, _folder: None })
    }
}

impl Books {
    /// As a configuration names it.
    pub(crate) fn address(&self) -> String {
        match self.store {
            Store::Sqlite(_) => format!("sqlite:{}", self.place),
            Store::Postgres(_) => self.place.clone(),
        }
    }
}

/// Does statements at a PostgreSQL that no store knows of.
pub(crate) async fn asked(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    let _ = connection.await;
}

pub(crate) fn now() -> Timestamp {
    Clock::start().wall()
}

/// A payment that has just begun. Numbers are drawn, so that rows lie where they fall.
fn begun(number: u64, at: Timestamp) -> PaymentRow {
    let out_trade_no = numbered(number);
    let merchant = Merchant {
        app_id: "wx8888888888888888".to_owned(),
        mch_id: SHOP.to_owned(),
        sub_app_id: String::new(),
        sub_mch_id: String::new(),
    };
    PaymentRow {
        key: PaymentKey { merchant: SHOP.to_owned(), out_trade_no: out_trade_no.clone() },
        store: "S001".to_owned(),
        till: "T01".to_owned(),
        channel: Channel::Micropay,
        order: Order {
            out_trade_no,
            amount: Money::from_minor(1_234),
            currency: Currency::CNY,
            merchant,
            body: "Corner Coffee T01".to_owned(),
            device_info: "S001".to_owned(),
            client_ip: "192.0.2.1".to_owned(),
            mark: "0123456789abcdef".to_owned(),
        },
        fingerprint: vec![7; 32],
        state: State::begin(&Rules::default(), 7),
        version: 1,
        began_at: at,
        wake_at: Some(at.after(Millis(15_000))),
        lease: None,
        seen: 0,
        acknowledged: Acknowledged::NotYet,
        as_of: None,
        created_at: at,
        updated_at: at,
    }
}

/// One payment, as the backend writes it: it begins, and is paid; each is a transaction of its own.
pub(crate) async fn pay(store: &Store, number: u64) {
    begin(store, number).await;
    be_paid(store, number).await;
}

pub(crate) async fn begin(store: &Store, number: u64) {
    let new = begun(number, now());
    let key = new.key.clone();
    let write = move |row: Option<&PaymentRow>| {
        assert!(row.is_none());
        let event = Some((Event::Begun, Vec::new()));
        Change { write: Some(Write { row: new.clone(), event, outbox: vec![] }), result: () }
    };
    store.change(key, write).await.unwrap();
}

pub(crate) async fn be_paid(store: &Store, number: u64) {
    let key = PaymentKey { merchant: SHOP.to_owned(), out_trade_no: numbered(number) };
    let at = now();
    store.change(key, move |row| paid(row.unwrap(), number, at)).await.unwrap();
}

/// Any number; none is drawn twice.
pub(crate) fn drawn() -> u64 {
    fastrand::u64(100_000_000_000_000_000..1_000_000_000_000_000_000)
}

fn numbered(number: u64) -> OutTradeNo {
    OutTradeNo::try_from(format!("T01{number:018}")).unwrap()
}

fn paid(row: &PaymentRow, number: u64, at: Timestamp) -> Change<()> {
    let transaction_id = format!("4200002{number:021}");
    let wire = [
        ("result_code", "SUCCESS"),
        ("return_code", "SUCCESS"),
        ("time_end", "20261122113000"),
        ("trade_type", "MICROPAY"),
        ("transaction_id", &transaction_id),
    ];
    let wire = wire.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let proof = Proof { transaction_id, paid_at: at, coupon: None };
    let event = Event::Answered(0, Answer::Submitted(Submitted::Paid(proof)));
    let mut state = row.state.clone();
    let _ = state.step(&event, Millis(400), &Rules::default());
    let row = PaymentRow {
        state,
        version: row.version + 1,
        wake_at: None,
        as_of: Some(at),
        updated_at: at,
        ..row.clone()
    };
    let write = Write { row, event: Some((event, wire)), outbox: vec!["payment.paid"] };
    Change { write: Some(write), result: () }
}

/// What came of a turn.
pub(crate) struct Turn {
    /// Payments a second.
    pub(crate) rate: f64,
    /// How long each took, in milliseconds.
    pub(crate) times: Vec<f64>,
}

/// So many who pay one after another, all at once, for so long.
pub(crate) async fn paying(store: &Store, clients: usize, seconds: f64) -> Turn {
    let start = Instant::now();
    let until = start + Duration::from_secs_f64(seconds);
    let mut paying = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let store = store.clone();
        paying.spawn(async move {
            let mut times = Vec::new();
            while Instant::now() < until {
                let begun = Instant::now();
                pay(&store, drawn()).await;
                times.push(1000.0 * begun.elapsed().as_secs_f64());
            }
            times
        });
    }
    let times = paying.join_all().await.concat();
    #[expect(clippy::cast_precision_loss, reason = "far fewer")]
    let rate = times.len() as f64 / start.elapsed().as_secs_f64();
    Turn { rate, times }
}
