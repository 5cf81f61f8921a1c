//! What the books have to hold against the gateway's bill of a day, and what came of it.

use paytill_core::bill::compare::{Cause, OwnRefund};
use paytill_core::clock::{Date, Timestamp};
use paytill_core::refund::RefundStatus;
use serde::{Deserialize, Serialize};

use super::Store;
use super::error::StoreError;
use super::payments::PaymentRow;
use super::tx::Tx;
use super::value::{Row, Value, json};

/// A bill that was held against the books.
#[derive(Clone, Debug, PartialEq)]
pub struct BillRow {
    /// By Beijing's calendar.
    pub day: Date,
    pub compared_at: Timestamp,
    pub bill_rows: i64,
    /// Orders that are alike.
    pub matched: i64,
    pub differ: i64,
    /// The first of them.
    pub differences: Vec<BillDifference>,
}

/// In what they differ.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct BillDifference {
    pub cause: Cause,
    pub order_no: String,
    /// Empty unless it is about a refund.
    pub refund_no: String,
    pub transaction_id: String,
    /// What the books say, and what the bill: a state and an amount, in words.
    pub here: Option<BillSide>,
    pub bill: Option<BillSide>,
    pub at: Option<Timestamp>,
}

/// What one of the two says.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct BillSide {
    pub state: String,
    pub amount: i64,
    pub currency: String,
}

/// Where a list that is read page by page goes on: behind this number, begun then.
pub type After = (Timestamp, String);

pub(super) const REFUNDS: &str = "SELECT out_trade_no, out_refund_no, amount, status, created_at \
    FROM refund WHERE merchant = $1 AND created_at >= $2 AND created_at < $3 \
    AND (created_at > $4 OR out_refund_no > $5) ORDER BY created_at, out_refund_no LIMIT $6";
pub(super) const ACCEPTED: &str = "SELECT MIN(at) FROM refund_event WHERE merchant = $1 \
    AND out_trade_no = $2 AND out_refund_no = $3 AND status IN ('accepted', 'done')";
pub(super) const WRITE: &str = "INSERT INTO bill (merchant, day, compared_at, bill_rows, matched, \
    differ, differences) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (merchant, day) DO UPDATE \
    SET compared_at = excluded.compared_at, bill_rows = excluded.bill_rows, \
    matched = excluded.matched, differ = excluded.differ, differences = excluded.differences";
pub(super) const LIST: &str = "SELECT day, compared_at, bill_rows, matched, differ, differences \
    FROM bill WHERE merchant = $1 AND day >= $2 ORDER BY day DESC LIMIT $3";

/// All of them, as with payments.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[REFUNDS, ACCEPTED, WRITE, LIST];

impl Store {
    /// The payments that began from one moment up to another, the oldest first, `limit` at once.
    pub async fn payments_after(
        &self,
        merchant: &str,
        until: Timestamp,
        after: After,
        limit: i64,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        let asked = std::sync::Arc::new((merchant.to_owned(), after));
        self.read(move |tx| {
            let asked = std::sync::Arc::clone(&asked);
            Box::pin(async move {
                let (merchant, (from, number)) = &*asked;
                tx.payments_after(merchant, until, (*from, number), limit).await
            })
        })
        .await
    }

    /// The refunds that began from one moment up to another, the oldest first, with when each began;
    /// `limit` at once. What was refused is in no bill.
    pub async fn refunds_after(
        &self,
        merchant: &str,
        until: Timestamp,
        after: After,
        limit: i64,
    ) -> Result<Vec<(Timestamp, OwnRefund, RefundStatus)>, StoreError> {
        let asked = std::sync::Arc::new((merchant.to_owned(), after));
        self.read(move |tx| {
            let asked = std::sync::Arc::clone(&asked);
            Box::pin(async move {
                let (merchant, (from, number)) = &*asked;
                let from: Value = from.0.into();
                let values = [
                    merchant.as_str().into(),
                    from.clone(),
                    until.0.into(),
                    from,
                    number.as_str().into(),
                    limit.into(),
                ];
                let mut refunds = Vec::new();
                for row in tx.rows(REFUNDS, &values).await? {
                    refunds.push(tx.own_refund(merchant, row).await?);
                }
                Ok(refunds)
            })
        })
        .await
    }

    /// Writes down what came of a bill, in place of what came of it before.
    pub async fn write_bill(&self, merchant: &str, row: &BillRow) -> Result<(), StoreError> {
        let values: [Value; 7] = [
            merchant.into(),
            row.day.to_string().into(),
            row.compared_at.0.into(),
            row.bill_rows.into(),
            row.matched.into(),
            row.differ.into(),
            json(&row.differences)?,
        ];
        self.run(move |tx| {
            let values = values.clone();
            Box::pin(async move { tx.change(WRITE, &values).await.map(|_| ()) })
        })
        .await
    }

    /// What came of the bills from a day on, the newest first.
    pub async fn bills(
        &self,
        merchant: &str,
        from: Date,
        limit: i64,
    ) -> Result<Vec<BillRow>, StoreError> {
        let values: [Value; 3] = [merchant.into(), from.to_string().into(), limit.into()];
        self.read(move |tx| {
            let values = values.clone();
            Box::pin(async move {
                tx.rows(LIST, &values).await?.into_iter().map(read).collect::<Result<_, _>>()
            })
        })
        .await
    }
}

impl Tx<'_> {
    async fn own_refund(
        &mut self,
        merchant: &str,
        mut row: Row,
    ) -> Result<(Timestamp, OwnRefund, RefundStatus), StoreError> {
        let (order_no, refund_no) = (row.text()?, row.text()?);
        let amount = paytill_core::money::Money::from_minor(row.int()?);
        let status = row.text()?;
        let status = RefundStatus::ALL.into_iter().find(|known| known.word() == status);
        let status = status.ok_or_else(|| StoreError::Spoilt("a refund's status".to_owned()))?;
        let began = Timestamp(row.int()?);
        let named = [merchant.into(), order_no.as_str().into(), refund_no.as_str().into()];
        let accepted_at = self.time(ACCEPTED, &named).await?;
        Ok((began, OwnRefund { order_no, refund_no, amount, accepted_at }, status))
    }
}

fn read(mut row: Row) -> Result<BillRow, StoreError> {
    let day = row.text()?;
    Ok(BillRow {
        day: day.parse().map_err(|_| StoreError::Spoilt("a day".to_owned()))?,
        compared_at: Timestamp(row.int()?),
        bill_rows: row.int()?,
        matched: row.int()?,
        differ: row.int()?,
        differences: row.json()?,
    })
}
