//! Refunds: rows that only their state machine moves, decided beside all other refunds of the payment.

use paytill_core::clock::Timestamp;
use paytill_core::money::Money;
use paytill_core::refund::{EarlierRefund, OutRefundNo, Refund, RefundEvent, RefundState};

use super::audit::{Action, By};
use super::error::StoreError;
use super::payments::{Change, Lease, PaymentKey, PaymentRow, Write};
use super::tx::Tx;
use super::value::{Row, Value, json};

/// Which refund, of which payment.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct RefundKey {
    pub payment: PaymentKey,
    pub out_refund_no: OutRefundNo,
}

/// One refund.
#[derive(Clone, Debug, PartialEq)]
pub struct RefundRow {
    pub key: RefundKey,
    pub till: String,
    pub amount: Money,
    pub reason: String,
    /// Who agreed to it at the till.
    pub approved_by: String,
    pub state: RefundState,
    pub version: i64,
    pub began_at: Timestamp,
    pub wake_at: Option<Timestamp>,
    pub lease: Option<Lease>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl RefundRow {
    /// As the rules between a payment's refunds look at it.
    pub fn earlier(&self) -> EarlierRefund {
        EarlierRefund {
            number: self.key.out_refund_no.clone(),
            amount: self.amount,
            state: self.state.clone(),
            begun_at: self.created_at,
        }
    }

    /// As the gateway is told of it.
    pub fn refund(&self, payment: &PaymentRow) -> Refund {
        Refund {
            out_refund_no: self.key.out_refund_no.clone(),
            order: payment.order.clone(),
            amount: self.amount,
            reason: self.reason.clone(),
            approved_by: self.approved_by.clone(),
        }
    }
}

/// All that a refund is decided by, while nobody else can touch it.
pub struct RefundBooks {
    pub payment: Option<PaymentRow>,
    /// All refunds of the payment, the oldest first.
    pub refunds: Vec<RefundRow>,
    /// What the till has given back since the time that was asked for.
    pub given: Money,
}

impl RefundBooks {
    /// The refund with this number.
    pub fn refund(&self, number: &OutRefundNo) -> Option<&RefundRow> {
        self.refunds.iter().find(|refund| refund.key.out_refund_no == *number)
    }
}

/// What is to become of a refund.
pub type RefundChange<T> = Change<T, RefundWrite>;

/// A refund's row as it is to be, and what has led to it.
pub type RefundWrite = Write<RefundRow, RefundEvent>;

macro_rules! columns {
    () => {
        "out_refund_no, till, amount, reason, approved_by, state, version, began_at, wake_at, owner, \
         lease_until, created_at, updated_at"
    };
}

pub(super) const OF_PAYMENT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM refund WHERE merchant = $1 AND out_trade_no = $2 ORDER BY created_at, out_refund_no"
);
pub(super) const GIVEN: &str = "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM refund \
    WHERE merchant = $1 AND till = $2 AND created_at >= $3 AND counts = 1";
pub(super) const LOCK_TILL: &str =
    "SELECT till FROM till WHERE merchant = $1 AND till = $2 FOR UPDATE";
pub(super) const INSERT: &str = "INSERT INTO refund (merchant, out_trade_no, out_refund_no, till, \
    amount, reason, approved_by, status, state, counts, version, began_at, wake_at, owner, \
    lease_until, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
pub(super) const UPDATE: &str = "UPDATE refund SET status = $1, state = $2, counts = $3, \
    version = $4, wake_at = $5, owner = $6, lease_until = $7, updated_at = $8 \
    WHERE merchant = $9 AND out_trade_no = $10 AND out_refund_no = $11 AND version = $12";
pub(super) const INSERT_EVENT: &str = "INSERT INTO refund_event (merchant, out_trade_no, \
    out_refund_no, version, at, event, wire, status) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
pub(super) const DUE: &str = "SELECT out_trade_no, out_refund_no FROM refund \
    WHERE merchant = $1 AND wake_at <= $2 ORDER BY wake_at DESC LIMIT $3";
pub(super) const NEXT: &str =
    "SELECT MIN(wake_at) FROM refund WHERE merchant = $1 AND wake_at IS NOT NULL";

/// All of them, as with payments.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] =
    &[OF_PAYMENT, GIVEN, LOCK_TILL, INSERT, UPDATE, INSERT_EVENT, DUE, NEXT];

impl Tx<'_> {
    /// All refunds of a payment, the oldest first.
    pub(super) async fn refunds(
        &mut self,
        payment: &PaymentKey,
    ) -> Result<Vec<RefundRow>, StoreError> {
        let named = [payment.merchant.as_str().into(), Value::from(payment.out_trade_no.as_str())];
        let rows = self.rows(OF_PAYMENT, &named).await?;
        rows.into_iter().map(|row| read(payment, row)).collect()
    }

    /// Has a change of a refund decided while its payment is locked, and makes it. With `by` the till
    /// is locked as well, and what it has given back since then is told.
    pub(super) async fn change_refund<T>(
        &mut self,
        payment: &PaymentKey,
        by: Option<&(String, Timestamp)>,
        decide: &(impl Fn(&RefundBooks) -> RefundChange<T> + ?Sized),
    ) -> Result<T, StoreError> {
        let mut given = 0;
        if let Some((till, since)) = by {
            let merchant = payment.merchant.as_str();
            self.row(LOCK_TILL, &[merchant.into(), till.as_str().into()]).await?;
            let values = [merchant.into(), till.as_str().into(), since.0.into()];
            if let Some(mut row) = self.row(GIVEN, &values).await? {
                given = row.int()?;
            }
        }
        let row = self.payment(payment, true).await?;
        let refunds = self.refunds(payment).await?;
        let books = RefundBooks { payment: row, refunds, given: Money::from_minor(given) };
        let RefundChange { write, result } = decide(&books);
        if let Some(write) = write {
            self.write_refund(books.refund(&write.row.key.out_refund_no), &write).await?;
        }
        Ok(result)
    }

    pub(super) async fn write_refund(
        &mut self,
        before: Option<&RefundRow>,
        write: &RefundWrite,
    ) -> Result<(), StoreError> {
        let row = &write.row;
        let status = row.state.status().word();
        let counts = Value::Int(i64::from(row.state.counts()));
        let [owner, until] = Lease::values(row.lease.as_ref());
        let named = named(&row.key);
        let noted = [row.wake_at.map(|at| at.0).into(), owner, until];
        let state = json(&row.state)?;
        if let Some(before) = before {
            let moving = [status.into(), state, counts, row.version.into()];
            let updated = [row.updated_at.0.into()];
            let values = [&moving[..], &noted, &updated, &named, &[before.version.into()]];
            if self.change(UPDATE, &values.concat()).await? != 1 {
                return Err(StoreError::Again);
            }
        } else {
            let made = [
                row.till.as_str().into(),
                row.amount.minor().into(),
                row.reason.as_str().into(),
                row.approved_by.as_str().into(),
                status.into(),
                state,
                counts,
                row.version.into(),
                row.began_at.0.into(),
            ];
            let times = [row.created_at.0.into(), row.updated_at.0.into()];
            self.change(INSERT, &[&named[..], &made, &noted, &times].concat()).await?;
        }
        if let Some((event, wire)) = &write.event {
            let what = [
                row.version.into(),
                row.updated_at.0.into(),
                json(event)?,
                json(wire)?,
                status.into(),
            ];
            self.change(INSERT_EVENT, &[&named[..], &what].concat()).await?;
        }
        let subject = (row.key.payment.merchant.as_str(), row.key.out_refund_no.as_str());
        self.tell(subject, &write.outbox, row.updated_at).await?;
        if before.is_none() {
            let (merchant, number) = subject;
            let (amount, approver) = (row.amount.minor(), &row.approved_by);
            let detail = format!("amount={amount} approved_by={approver}");
            let by = By::till(&row.till, row.created_at);
            self.note(merchant, &by, Action::Refunded, (number, &detail)).await?;
        }
        Ok(())
    }

    /// The refunds that a statement names.
    pub(super) async fn refund_keys(
        &mut self,
        sql: &'static str,
        merchant: &str,
        rest: &[Value],
    ) -> Result<Vec<RefundKey>, StoreError> {
        let rows = self.rows(sql, &[&[merchant.into()], rest].concat()).await?;
        let keys = rows.into_iter().map(|mut row| {
            let payment = super::payments::key(merchant, &mut row)?;
            Ok(RefundKey { payment, out_refund_no: number(row.text()?)? })
        });
        keys.collect()
    }
}

fn named(key: &RefundKey) -> [Value; 3] {
    [
        key.payment.merchant.as_str().into(),
        key.payment.out_trade_no.as_str().into(),
        key.out_refund_no.as_str().into(),
    ]
}

fn number(text: String) -> Result<OutRefundNo, StoreError> {
    OutRefundNo::try_from(text).map_err(|error| StoreError::Spoilt(error.to_string()))
}

fn read(payment: &PaymentKey, mut row: Row) -> Result<RefundRow, StoreError> {
    let key = RefundKey { payment: payment.clone(), out_refund_no: number(row.text()?)? };
    Ok(RefundRow {
        key,
        till: row.text()?,
        amount: Money::from_minor(row.int()?),
        reason: row.text()?,
        approved_by: row.text()?,
        state: row.json()?,
        version: row.int()?,
        began_at: Timestamp(row.int()?),
        wake_at: row.maybe_int()?.map(Timestamp),
        lease: Lease::read(&mut row)?,
        created_at: Timestamp(row.int()?),
        updated_at: Timestamp(row.int()?),
    })
}
