//! What the backend knows, in SQLite or PostgreSQL: the same statements and the same tests for both.
//!
//! A payment changes in one way only: its row is locked, a pure function decides, and the row, its
//! event and what is to be told to others are committed together ([`Store::change`]). A transaction
//! may be done again from the start, so nothing else happens inside one.

mod admins;
mod attempts;
mod audit;
mod bills;
mod day;
mod error;
mod notices;
mod old;
mod outbox;
mod overview;
mod payments;
mod postgres;
mod refunds;
mod schema;
pub mod sqlite;
#[cfg(test)]
mod tests;
mod tills;
mod tx;
mod value;

use paytill_core::clock::Timestamp;
use paytill_core::gateway::backend::message::Rights;
use paytill_core::gateway::backend::signed::PublicKey;
use paytill_core::order::OutTradeNo;

pub use admins::{AdminRow, LONGEST as LONGEST_SESSION, Login, SessionRow};
pub use attempts::{Counted, SPAN as ATTEMPTS_SPAN};
pub use audit::{Action, AuditRow, By, Head, Verified};
pub use bills::{After, BillDifference, BillRow, BillSide};
pub use day::{Figures, PaymentFigure, RefundEventRow, RefundFigure};
pub use error::StoreError;
pub use notices::{Judged, NoticeKept, NoticeRow, NoticeSeen, NoticeStep, NoticeWrite, Verdict};
pub use outbox::{OutboxRow, Told};
pub use payments::{Acknowledged, Change, EventRow, Filter, Lease, PaymentKey, PaymentRow, Write};
pub use postgres::Postgres;
pub use refunds::{RefundBooks, RefundChange, RefundKey, RefundRow, RefundWrite};
pub use schema::VERSION;
pub use sqlite::Sqlite;
pub use tills::{EnrolmentRow, NotEnrolled, TillRow};
use tx::{Doing, Tx};

/// The statements of a payment that is paid at once, for whoever measures what they cost by themselves: it
/// is looked for and begun, looked for again and changed, with an event each time, and told to others.
pub const OF_A_PAYMENT: [&str; 5] = [
    payments::READ_LOCKED,
    payments::INSERT,
    payments::INSERT_EVENT,
    payments::UPDATE,
    outbox::INSERT,
];

/// A database.
#[derive(Clone)]
pub enum Store {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// Tells the compiler what a closure is that is not passed on at once.
const fn doing<T, W: for<'t, 'c> Fn(&'t mut Tx<'c>) -> Doing<'t, T>>(work: W) -> W {
    work
}

impl Store {
    async fn run<T: Send + 'static>(
        &self,
        work: impl for<'t, 'c> Fn(&'t mut Tx<'c>) -> Doing<'t, T> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.run(work).await,
            Self::Postgres(postgres) => postgres.run(work).await,
        }
    }

    /// The same for what changes nothing: with SQLite it waits for no commit of others.
    async fn read<T: Send + 'static>(
        &self,
        work: impl for<'t, 'c> Fn(&'t mut Tx<'c>) -> Doing<'t, T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let result = match self {
            Self::Sqlite(sqlite) => sqlite.read(work).await,
            Self::Postgres(postgres) => postgres.run(work).await,
        };
        result.map_err(StoreError::of_reading)
    }

    /// Brings the schema to this program's version. What is there already stays.
    pub async fn migrate(&self, now: Timestamp) -> Result<(), StoreError> {
        schema::migrate(self, now).await
    }

    /// Whether it can be used: reachable, and of this program's version.
    pub async fn check(&self) -> Result<(), StoreError> {
        match schema::version(self).await? {
            VERSION => Ok(()),
            found => Err(StoreError::Schema { found, needed: VERSION }),
        }
    }

    /// Has a change of a payment decided while nobody else can touch it, and makes it. `decide` may be
    /// called several times.
    pub async fn change<T: Send + 'static>(
        &self,
        key: PaymentKey,
        decide: impl Fn(Option<&PaymentRow>) -> Change<T> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let shared = std::sync::Arc::new((key.clone(), decide));
        let work = doing(move |tx| {
            let shared = std::sync::Arc::clone(&shared);
            Box::pin(async move { tx.change_payment(&shared.0, &shared.1).await })
        });
        match self {
            Self::Sqlite(sqlite) => sqlite.run(work).await,
            Self::Postgres(postgres) => postgres.change(key, work).await,
        }
    }

    /// Has a change of a refund decided while its payment is locked, and makes it. With `by`, a till
    /// and a time, that till is locked as well, and what it has given back since is told. `decide` may
    /// be called several times.
    pub async fn change_refund<T: Send + 'static>(
        &self,
        payment: PaymentKey,
        by: Option<(String, Timestamp)>,
        decide: impl Fn(&RefundBooks) -> RefundChange<T> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let shared = std::sync::Arc::new((payment, by, decide));
        self.run(move |tx| {
            let shared = std::sync::Arc::clone(&shared);
            Box::pin(async move {
                let (payment, by, decide) = &*shared;
                tx.change_refund(payment, by.as_ref(), decide).await
            })
        })
        .await
    }

    /// All refunds of a payment, the oldest first.
    pub async fn refunds(&self, payment: PaymentKey) -> Result<Vec<RefundRow>, StoreError> {
        self.read(move |tx| {
            let payment = payment.clone();
            Box::pin(async move { tx.refunds(&payment).await })
        })
        .await
    }

    /// As [`Store::due`], of refunds.
    pub async fn refunds_due(
        &self,
        merchant: &str,
        now: Timestamp,
        limit: i64,
    ) -> Result<(Vec<RefundKey>, Option<Timestamp>), StoreError> {
        let merchant = merchant.to_owned();
        self.read(move |tx| {
            let merchant = merchant.clone();
            Box::pin(async move {
                let due =
                    tx.refund_keys(refunds::DUE, &merchant, &[now.0.into(), limit.into()]).await?;
                Ok((due, tx.time(refunds::NEXT, &[merchant.as_str().into()]).await?))
            })
        })
        .await
    }

    /// A payment as it is.
    pub async fn payment(&self, key: PaymentKey) -> Result<Option<PaymentRow>, StoreError> {
        self.read(move |tx| {
            let key = key.clone();
            Box::pin(async move { tx.payment(&key, false).await })
        })
        .await
    }

    /// All that has happened to a payment.
    pub async fn story(&self, key: PaymentKey) -> Result<Vec<EventRow>, StoreError> {
        self.read(move |tx| {
            let key = key.clone();
            Box::pin(async move { tx.story(&key).await })
        })
        .await
    }

    /// Payments of a merchant, the newest first.
    pub async fn payments(
        &self,
        merchant: &str,
        filter: Filter,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        let asked = std::sync::Arc::new((merchant.to_owned(), filter));
        self.read(move |tx| {
            let asked = std::sync::Arc::clone(&asked);
            Box::pin(async move { tx.payments(&asked.0, &asked.1).await })
        })
        .await
    }

    /// Which payments must be looked at by now, the latest first, and when the next one must be.
    pub async fn due(
        &self,
        merchant: &str,
        now: Timestamp,
        limit: i64,
    ) -> Result<(Vec<PaymentKey>, Option<Timestamp>), StoreError> {
        let merchant = merchant.to_owned();
        self.read(move |tx| {
            let merchant = merchant.clone();
            Box::pin(async move {
                let due = tx.keys(payments::DUE, &merchant, &[now.0.into(), limit.into()]).await?;
                Ok((due, tx.time(payments::NEXT, &[merchant.as_str().into()]).await?))
            })
        })
        .await
    }

    /// The order number of a payment that the gateway has given this number.
    pub async fn of_transaction(
        &self,
        merchant: &str,
        transaction_id: &str,
    ) -> Result<Option<OutTradeNo>, StoreError> {
        let asked = [merchant.into(), transaction_id.into()];
        self.read(move |tx| {
            let asked = asked.clone();
            Box::pin(async move {
                let row = tx.row(payments::OF_TRANSACTION, &asked).await?;
                row.map(|mut row| payments::number(row.text()?)).transpose()
            })
        })
        .await
    }

    /// A till, if there is one of that name.
    pub async fn till(&self, merchant: &str, till: &str) -> Result<Option<TillRow>, StoreError> {
        let (merchant, till) = (merchant.to_owned(), till.to_owned());
        self.read(move |tx| {
            let (merchant, till) = (merchant.clone(), till.clone());
            Box::pin(async move { tx.till(&merchant, &till, false).await })
        })
        .await
    }

    /// All tills of a merchant.
    pub async fn tills(&self, merchant: &str) -> Result<Vec<TillRow>, StoreError> {
        let merchant = merchant.to_owned();
        self.read(move |tx| {
            let merchant = merchant.clone();
            Box::pin(async move { tx.tills(&merchant).await })
        })
        .await
    }

    /// Makes a till, or gives one other rights, and a code for it to introduce itself with.
    pub async fn add_till(
        &self,
        merchant: &str,
        store: &str,
        rights: Rights,
        code: EnrolmentRow,
        by: By,
    ) -> Result<(), StoreError> {
        let named = (merchant.to_owned(), store.to_owned(), rights, code, by);
        let named = std::sync::Arc::new(named);
        self.run(move |tx| {
            let named = std::sync::Arc::clone(&named);
            Box::pin(async move {
                let (merchant, store, rights, code, by) = &*named;
                tx.add_till(merchant, store, rights, code, by).await
            })
        })
        .await
    }

    /// Gives a till its key if it proves that it knows the code: `proves` is given what is kept of the
    /// code, and the till that it is for.
    pub async fn enrol(
        &self,
        merchant: &str,
        code: &str,
        (key, program): (PublicKey, &str),
        proves: impl Fn(&[u8], &str) -> bool + Send + Sync + 'static,
        now: Timestamp,
    ) -> Result<Result<(TillRow, Vec<u8>), NotEnrolled>, StoreError> {
        let named =
            std::sync::Arc::new((merchant.to_owned(), code.to_owned(), program.to_owned(), proves));
        self.run(move |tx| {
            let named = std::sync::Arc::clone(&named);
            Box::pin(async move {
                let (merchant, code, program, proves) = &*named;
                tx.enrol(merchant, code, (key, program), proves, now).await
            })
        })
        .await
    }

    /// Ends a till's key; `false` if none lived.
    pub async fn revoke(&self, merchant: &str, till: &str, by: By) -> Result<bool, StoreError> {
        let named = std::sync::Arc::new((merchant.to_owned(), till.to_owned(), by));
        self.run(move |tx| {
            let named = std::sync::Arc::clone(&named);
            Box::pin(async move { tx.revoke(&named.0, &named.1, &named.2).await })
        })
        .await
    }

    /// Notes that a till was heard.
    pub async fn heard(
        &self,
        merchant: &str,
        till: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let values = [now.0.into(), merchant.into(), till.into()];
        self.run(move |tx| {
            let values = values.clone();
            Box::pin(async move { tx.change(tills::SEEN, &values).await.map(|_| ()) })
        })
        .await
    }
}
