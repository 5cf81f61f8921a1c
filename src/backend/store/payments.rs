//! Payments: rows that only a state machine moves, and the story of each.

use paytill_core::clock::Timestamp;
use paytill_core::gateway::backend::message::Channel;
use paytill_core::money::{Currency, Money};
use paytill_core::order::{Merchant, Order, OutTradeNo};
use paytill_core::payment::{Event, State};
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::tx::Tx;
use super::value::{Row, Value, json};

/// Which payment, of which merchant.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PaymentKey {
    pub merchant: String,
    pub out_trade_no: OutTradeNo,
}

/// One attempt to be paid.
#[derive(Clone, Debug, PartialEq)]
pub struct PaymentRow {
    pub key: PaymentKey,
    pub store: String,
    pub till: String,
    pub channel: Channel,
    pub order: Order,
    /// A keyed digest of the request, its code included; empty where there was none.
    pub fingerprint: Vec<u8>,
    pub state: State,
    /// Grows with every event.
    pub version: i64,
    /// From when the state's times count.
    pub began_at: Timestamp,
    /// When somebody must look at it next.
    pub wake_at: Option<Timestamp>,
    /// Who has a call under way for it, and until when that is believed.
    pub lease: Option<Lease>,
    /// The newest paid version that its till has been told; 0 before.
    pub seen: i64,
    pub acknowledged: Acknowledged,
    /// When the gateway last said something that could be believed.
    pub as_of: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Whether a till has said that it has a payment on record as paid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Acknowledged {
    /// It is not known to say so.
    Never,
    /// It will.
    NotYet,
    /// It has.
    Yes,
}

impl Acknowledged {
    const ALL: [Self; 3] = [Self::Never, Self::NotYet, Self::Yes];

    const fn number(self) -> i64 {
        match self {
            Self::Never => 0,
            Self::NotYet => 1,
            Self::Yes => 2,
        }
    }
}

/// A call under way: nobody else makes one until its time has passed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lease {
    pub owner: String,
    pub until: Timestamp,
}

impl Lease {
    /// As two columns.
    pub(super) fn values(lease: Option<&Self>) -> [Value; 2] {
        let (owner, until) = lease.map(|lease| (lease.owner.as_str(), lease.until.0)).unzip();
        [owner.into(), until.into()]
    }

    /// The next two columns of a row.
    pub(super) fn read(row: &mut Row) -> Result<Option<Self>, StoreError> {
        let (owner, until) = (row.maybe_text()?, row.maybe_int()?);
        Ok(owner.zip(until).map(|(owner, until)| Self { owner, until: Timestamp(until) }))
    }
}

/// What is to become of a row, decided by whoever has it locked. It may be decided again.
pub struct Change<T, W = Write> {
    pub write: Option<W>,
    pub result: T,
}

impl<T, W> Change<T, W> {
    /// Nothing changes.
    pub const fn none(result: T) -> Self {
        Self { write: None, result }
    }
}

/// A row as it is to be, and what has led to it.
pub struct Write<R = PaymentRow, E = Event> {
    pub row: R,
    /// The event and the fields that came with it; without one only the row's notes change.
    pub event: Option<(E, Vec<(String, String)>)>,
    /// What is to be told to others, once each.
    pub outbox: Vec<&'static str>,
}

impl<R, E> Write<R, E> {
    /// Only the row's notes change.
    pub const fn note(row: R) -> Self {
        Self { row, event: None, outbox: Vec::new() }
    }
}

/// One event of a payment's story.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    pub version: i64,
    pub at: Timestamp,
    pub event: Event,
    pub wire: Vec<(String, String)>,
    pub status: String,
}

/// Which payments are listed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub till: Option<String>,
    /// Created at or after.
    pub from: Option<Timestamp>,
    /// Created before.
    pub until: Option<Timestamp>,
    pub status: Option<String>,
    /// Only those with work left.
    pub open: bool,
    pub limit: i64,
}

/// What of an order is in no column of its own.
#[derive(Deserialize, Serialize)]
struct OrderTold {
    merchant: Merchant,
    body: String,
    device_info: String,
    client_ip: String,
    mark: String,
}

macro_rules! columns {
    () => {
        "store, till, channel, amount, currency, order_told, fingerprint, state, version, began_at, \
         wake_at, owner, lease_until, seen_version, acknowledged, as_of, created_at, \
         updated_at"
    };
}

pub(super) const READ: &str = concat!(
    "SELECT out_trade_no, ",
    columns!(),
    " FROM payment WHERE merchant = $1 AND out_trade_no = $2"
);
pub(super) const READ_LOCKED: &str = concat!(
    "SELECT out_trade_no, ",
    columns!(),
    " FROM payment WHERE merchant = $1 AND out_trade_no = $2 FOR UPDATE"
);
pub(super) const AFTER: &str = concat!(
    "SELECT out_trade_no, ",
    columns!(),
    " FROM payment WHERE merchant = $1 AND created_at >= $2 AND created_at < $3 \
     AND (created_at > $4 OR out_trade_no > $5) ORDER BY created_at, out_trade_no LIMIT $6"
);
pub(super) const INSERT: &str = "INSERT INTO payment (merchant, out_trade_no, store, till, channel, \
    amount, currency, order_told, fingerprint, status, state, version, transaction_id, began_at, \
    wake_at, owner, lease_until, seen_version, acknowledged, as_of, created_at, \
    updated_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
    $20, $21, $22)";
pub(super) const UPDATE: &str = "UPDATE payment SET status = $1, state = $2, version = $3, \
    transaction_id = $4, wake_at = $5, owner = $6, lease_until = $7, seen_version = $8, \
    acknowledged = $9, as_of = $10, updated_at = $11 \
    WHERE merchant = $12 AND out_trade_no = $13 AND version = $14";
pub(super) const INSERT_EVENT: &str = "INSERT INTO payment_event (merchant, out_trade_no, version, \
    at, event, wire, status) VALUES ($1, $2, $3, $4, $5, $6, $7)";
pub(super) const DUE: &str = "SELECT out_trade_no FROM payment \
    WHERE merchant = $1 AND wake_at <= $2 ORDER BY wake_at DESC LIMIT $3";
pub(super) const NEXT: &str =
    "SELECT MIN(wake_at) FROM payment WHERE merchant = $1 AND wake_at IS NOT NULL";
pub(super) const STORY: &str = "SELECT version, at, event, wire, status FROM payment_event \
    WHERE merchant = $1 AND out_trade_no = $2 ORDER BY version";
pub(super) const OF_TRANSACTION: &str =
    "SELECT out_trade_no FROM payment WHERE merchant = $1 AND transaction_id = $2";
pub(super) const LIST: &str = concat!(
    "SELECT out_trade_no, ",
    columns!(),
    " FROM payment WHERE merchant = $1 AND created_at >= $2 AND created_at < $3 \
     AND ($4 = '' OR till = $5) AND ($6 = '' OR status = $7) AND (CAST($8 AS BIGINT) = 0 OR wake_at IS NOT NULL) \
     ORDER BY created_at DESC, out_trade_no DESC LIMIT $9"
);

/// All of them: they are held to the rules of databases that are spread over several machines.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    READ,
    AFTER,
    READ_LOCKED,
    INSERT,
    UPDATE,
    INSERT_EVENT,
    DUE,
    NEXT,
    STORY,
    OF_TRANSACTION,
    LIST,
];

impl Tx<'_> {
    /// Reads a payment; with `lock` nobody else changes it before this transaction ends.
    pub(super) async fn payment(
        &mut self,
        key: &PaymentKey,
        lock: bool,
    ) -> Result<Option<PaymentRow>, StoreError> {
        let sql = if lock { READ_LOCKED } else { READ };
        let row = self.row(sql, &named(key)).await?;
        row.map(|row| read(&key.merchant, row)).transpose()
    }

    /// Has a change decided on a row that nobody else can touch, and makes it.
    pub(super) async fn change_payment<T>(
        &mut self,
        key: &PaymentKey,
        decide: &(impl Fn(Option<&PaymentRow>) -> Change<T> + ?Sized),
    ) -> Result<T, StoreError> {
        let before = self.payment(key, true).await?;
        let Change { write, result } = decide(before.as_ref());
        if let Some(write) = write {
            self.write_payment(before.as_ref(), &write).await?;
        }
        Ok(result)
    }

    pub(super) async fn write_payment(
        &mut self,
        before: Option<&PaymentRow>,
        write: &Write,
    ) -> Result<(), StoreError> {
        let row = &write.row;
        let status = row.state.status().word();
        let transaction = row.state.proof().map(|proof| proof.transaction_id.as_str());
        let [owner, until] = Lease::values(row.lease.as_ref());
        let [merchant, number] = named(&row.key);
        let moving = [status.into(), json(&row.state)?, row.version.into(), transaction.into()];
        let noted = [
            row.wake_at.map(|at| at.0).into(),
            owner,
            until,
            row.seen.into(),
            row.acknowledged.number().into(),
            row.as_of.map(|at| at.0).into(),
        ];
        if let Some(before) = before {
            let values = [
                &moving[..],
                &noted,
                &[row.updated_at.0.into(), merchant, number, before.version.into()],
            ];
            if self.change(UPDATE, &values.concat()).await? != 1 {
                return Err(StoreError::Again);
            }
        } else {
            let told = OrderTold {
                merchant: row.order.merchant.clone(),
                body: row.order.body.clone(),
                device_info: row.order.device_info.clone(),
                client_ip: row.order.client_ip.clone(),
                mark: row.order.mark.clone(),
            };
            let made = [
                merchant,
                number,
                row.store.as_str().into(),
                row.till.as_str().into(),
                row.channel.word().into(),
                row.order.amount.minor().into(),
                row.order.currency.code().into(),
                json(&told)?,
                row.fingerprint.as_slice().into(),
            ];
            let times =
                [vec![row.began_at.0.into()], noted.to_vec(), vec![row.created_at.0.into()]];
            let values = [&made[..], &moving, &times.concat(), &[row.updated_at.0.into()]].concat();
            self.change(INSERT, &values).await?;
        }
        if let Some((event, wire)) = &write.event {
            let [merchant, number] = named(&row.key);
            let values = [
                merchant,
                number,
                row.version.into(),
                row.updated_at.0.into(),
                json(event)?,
                json(wire)?,
                status.into(),
            ];
            self.change(INSERT_EVENT, &values).await?;
        }
        let subject = (row.key.merchant.as_str(), row.key.out_trade_no.as_str());
        self.tell(subject, &write.outbox, row.updated_at).await
    }

    pub(super) async fn story(&mut self, key: &PaymentKey) -> Result<Vec<EventRow>, StoreError> {
        let rows = self.rows(STORY, &named(key)).await?;
        let events = rows.into_iter().map(|mut row| {
            Ok(EventRow {
                version: row.int()?,
                at: Timestamp(row.int()?),
                event: row.json()?,
                wire: row.json()?,
                status: row.text()?,
            })
        });
        events.collect()
    }

    pub(super) async fn payments(
        &mut self,
        merchant: &str,
        filter: &Filter,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        let till = filter.till.as_deref().unwrap_or_default();
        let status = filter.status.as_deref().unwrap_or_default();
        let values = [
            merchant.into(),
            filter.from.map_or(i64::MIN, |at| at.0).into(),
            filter.until.map_or(i64::MAX, |at| at.0).into(),
            till.into(),
            till.into(),
            status.into(),
            status.into(),
            i64::from(filter.open).into(),
            filter.limit.into(),
        ];
        let rows = self.rows(LIST, &values).await?;
        rows.into_iter().map(|row| read(merchant, row)).collect()
    }

    /// The payments behind this number that began from that moment up to another, the oldest first.
    pub(super) async fn payments_after(
        &mut self,
        merchant: &str,
        until: Timestamp,
        (from, number): (Timestamp, &str),
        limit: i64,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        let from: Value = from.0.into();
        let bounds = [from.clone(), until.0.into(), from, number.into(), limit.into()];
        let rows = self.rows(AFTER, &[&[merchant.into()][..], &bounds].concat()).await?;
        rows.into_iter().map(|row| read(merchant, row)).collect()
    }

    /// The payments that a statement names.
    pub(super) async fn keys(
        &mut self,
        sql: &'static str,
        merchant: &str,
        rest: &[Value],
    ) -> Result<Vec<PaymentKey>, StoreError> {
        let rows = self.rows(sql, &[&[merchant.into()], rest].concat()).await?;
        rows.into_iter().map(|mut row| key(merchant, &mut row)).collect()
    }
}

fn named(key: &PaymentKey) -> [Value; 2] {
    [key.merchant.as_str().into(), key.out_trade_no.as_str().into()]
}

/// The next column of a row, an order number of this merchant's.
pub(super) fn key(merchant: &str, row: &mut Row) -> Result<PaymentKey, StoreError> {
    Ok(PaymentKey { merchant: merchant.to_owned(), out_trade_no: number(row.text()?)? })
}

pub(super) fn number(text: String) -> Result<OutTradeNo, StoreError> {
    OutTradeNo::try_from(text).map_err(|error| StoreError::Spoilt(error.to_string()))
}

fn read(merchant: &str, mut row: Row) -> Result<PaymentRow, StoreError> {
    let spoilt = |what: &str| StoreError::Spoilt(what.to_owned());
    let out_trade_no = number(row.text()?)?;
    let (store, till) = (row.text()?, row.text()?);
    let channel = match row.text()?.as_str() {
        "micropay" => Channel::Micropay,
        "native" => Channel::Native,
        _ => return Err(spoilt("a channel")),
    };
    let amount = Money::from_minor(row.int()?);
    let currency = Currency::from_code(&row.text()?).ok_or_else(|| spoilt("a currency"))?;
    let told: OrderTold = row.json()?;
    let fingerprint = row.bytes()?;
    let state = row.json()?;
    let version = row.int()?;
    let began_at = Timestamp(row.int()?);
    let wake_at = row.maybe_int()?.map(Timestamp);
    let lease = Lease::read(&mut row)?;
    Ok(PaymentRow {
        order: Order {
            out_trade_no: out_trade_no.clone(),
            amount,
            currency,
            merchant: told.merchant,
            body: told.body,
            device_info: told.device_info,
            client_ip: told.client_ip,
            mark: told.mark,
        },
        key: PaymentKey { merchant: merchant.to_owned(), out_trade_no },
        store,
        till,
        channel,
        fingerprint,
        state,
        version,
        began_at,
        wake_at,
        lease,
        seen: row.int()?,
        acknowledged: {
            let number = row.int()?;
            let known = Acknowledged::ALL.into_iter().find(|known| known.number() == number);
            known.ok_or_else(|| spoilt("what a till has said"))?
        },
        as_of: row.maybe_int()?.map(Timestamp),
        created_at: Timestamp(row.int()?),
        updated_at: Timestamp(row.int()?),
    })
}
