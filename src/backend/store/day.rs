//! A day's figures, and what a person should look at. Nothing here changes anything.

use paytill_core::clock::Timestamp;
use paytill_core::money::Money;
use paytill_core::refund::{OutRefundNo, RefundEvent};

use super::Store;
use super::error::StoreError;
use super::payments::{PaymentKey, PaymentRow, number};
use super::refunds::{RefundKey, RefundRow};
use super::tx::Tx;
use super::value::{Row, Value};

/// The payments of one till that stand alike.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PaymentFigure {
    pub store: String,
    pub till: String,
    pub currency: String,
    pub status: String,
    pub count: i64,
    pub sum: Money,
}

/// What one till has given back, or may have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefundFigure {
    pub till: String,
    pub count: i64,
    pub sum: Money,
}

/// One event of a refund's story.
#[derive(Clone, Debug, PartialEq)]
pub struct RefundEventRow {
    pub out_refund_no: String,
    pub at: Timestamp,
    pub event: RefundEvent,
    pub status: String,
}

/// What has begun between two moments.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Figures {
    pub payments: Vec<PaymentFigure>,
    pub refunds: Vec<RefundFigure>,
}

pub(super) const PAYMENTS: &str = "SELECT store, till, currency, status, COUNT(*), \
    CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM payment \
    WHERE merchant = $1 AND created_at >= $2 AND created_at < $3 \
    GROUP BY store, till, currency, status ORDER BY store, till, currency, status";
pub(super) const REFUNDS: &str = "SELECT till, COUNT(*), \
    CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM refund \
    WHERE merchant = $1 AND created_at >= $2 AND created_at < $3 AND counts = 1 \
    GROUP BY till ORDER BY till";
pub(super) const OPEN: &str = "SELECT out_trade_no FROM payment \
    WHERE merchant = $1 AND wake_at IS NOT NULL ORDER BY wake_at LIMIT $2";
pub(super) const ATTENTION: &str = "SELECT out_trade_no FROM payment \
    WHERE merchant = $1 AND status = 'attention' ORDER BY created_at DESC LIMIT $2";
pub(super) const UNSEEN: &str = "SELECT out_trade_no FROM payment \
    WHERE merchant = $1 AND created_at >= $2 AND updated_at < $3 AND status = 'paid' \
    AND seen_version < version ORDER BY created_at DESC LIMIT $4";
pub(super) const OPEN_REFUNDS: &str = "SELECT out_trade_no, out_refund_no FROM refund \
    WHERE merchant = $1 AND wake_at IS NOT NULL ORDER BY wake_at LIMIT $2";
pub(super) const ATTENTION_REFUNDS: &str = "SELECT out_trade_no, out_refund_no FROM refund \
    WHERE merchant = $1 AND status = 'attention' ORDER BY created_at DESC LIMIT $2";
pub(super) const LATE_REFUNDS: &str = "SELECT out_trade_no, out_refund_no FROM refund \
    WHERE merchant = $1 AND created_at >= $2 AND created_at < $3 ORDER BY created_at DESC LIMIT $4";

pub(super) const REFUND_STORY: &str = "SELECT out_refund_no, at, event, status FROM refund_event \
    WHERE merchant = $1 AND out_trade_no = $2 ORDER BY at, out_refund_no, version";

/// All of them, as with payments.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    PAYMENTS,
    REFUNDS,
    OPEN,
    ATTENTION,
    UNSEEN,
    OPEN_REFUNDS,
    ATTENTION_REFUNDS,
    LATE_REFUNDS,
    REFUND_STORY,
];

impl Store {
    /// What has begun from a moment on, up to another.
    pub async fn figures(
        &self,
        merchant: &str,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<Figures, StoreError> {
        let values: [Value; 3] = [merchant.into(), from.0.into(), until.0.into()];
        self.read(move |tx| {
            let values = values.clone();
            Box::pin(async move {
                let payments = tx.rows(PAYMENTS, &values).await?.into_iter().map(payment_figure);
                let payments = payments.collect::<Result<_, _>>()?;
                let refunds = tx.rows(REFUNDS, &values).await?.into_iter().map(refund_figure);
                Ok(Figures { payments, refunds: refunds.collect::<Result<_, _>>()? })
            })
        })
        .await
    }

    /// The payments with work left, and those that a person must look at, the newest first.
    pub async fn unresolved(
        &self,
        merchant: &str,
        limit: i64,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        let merchant = merchant.to_owned();
        self.read(move |tx| {
            let merchant = merchant.clone();
            Box::pin(async move {
                let values: [Value; 2] = [merchant.as_str().into(), limit.into()];
                let mut keys = tx.keys(&merchant, ATTENTION, &values).await?;
                for key in tx.keys(&merchant, OPEN, &values).await? {
                    if !keys.contains(&key) {
                        keys.push(key);
                    }
                }
                let mut rows = tx.those(keys).await?;
                rows.sort_by_key(|row| std::cmp::Reverse(row.created_at));
                Ok(rows)
            })
        })
        .await
    }

    /// Payments from `from` on that are paid, and whose till has not been told so although that was
    /// known before `known`.
    pub async fn unseen(
        &self,
        merchant: &str,
        (from, known): (Timestamp, Timestamp),
        limit: i64,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        let merchant = merchant.to_owned();
        self.read(move |tx| {
            let merchant = merchant.clone();
            Box::pin(async move {
                let values: [Value; 4] =
                    [merchant.as_str().into(), from.0.into(), known.0.into(), limit.into()];
                let keys = tx.keys(&merchant, UNSEEN, &values).await?;
                let mut unseen = Vec::new();
                for row in tx.those(keys).await? {
                    // What was learnt once it was paid need not be told.
                    let story = tx.story(&row.key).await?;
                    let paid = story.iter().find(|event| event.status == "paid");
                    if paid.is_some_and(|event| row.seen < event.version) {
                        unseen.push(row);
                    }
                }
                Ok(unseen)
            })
        })
        .await
    }

    /// The refunds with work left, and those that a person must look at, the newest first.
    pub async fn unresolved_refunds(
        &self,
        merchant: &str,
        limit: i64,
    ) -> Result<Vec<RefundRow>, StoreError> {
        let merchant = merchant.to_owned();
        self.read(move |tx| {
            let merchant = merchant.clone();
            Box::pin(async move {
                let values: [Value; 2] = [merchant.as_str().into(), limit.into()];
                let mut keys = tx.refund_keys(&merchant, ATTENTION_REFUNDS, &values).await?;
                for key in tx.refund_keys(&merchant, OPEN_REFUNDS, &values).await? {
                    if !keys.contains(&key) {
                        keys.push(key);
                    }
                }
                let mut rows = tx.those_refunds(keys).await?;
                rows.sort_by_key(|row| std::cmp::Reverse(row.created_at));
                Ok(rows)
            })
        })
        .await
    }

    /// The refunds that have begun from a moment on, up to another, the newest first.
    pub async fn refunds_between(
        &self,
        merchant: &str,
        (from, until): (Timestamp, Timestamp),
        limit: i64,
    ) -> Result<Vec<RefundRow>, StoreError> {
        let merchant = merchant.to_owned();
        self.read(move |tx| {
            let merchant = merchant.clone();
            Box::pin(async move {
                let values: [Value; 4] =
                    [merchant.as_str().into(), from.0.into(), until.0.into(), limit.into()];
                let keys = tx.refund_keys(&merchant, LATE_REFUNDS, &values).await?;
                tx.those_refunds(keys).await
            })
        })
        .await
    }

    /// All that has happened to the refunds of a payment.
    pub async fn refund_story(&self, key: &PaymentKey) -> Result<Vec<RefundEventRow>, StoreError> {
        let values: [Value; 2] = [key.merchant.as_str().into(), key.out_trade_no.as_str().into()];
        self.read(move |tx| {
            let values = values.clone();
            Box::pin(async move {
                let rows = tx.rows(REFUND_STORY, &values).await?;
                rows.into_iter().map(refund_event).collect::<Result<_, _>>()
            })
        })
        .await
    }
}

impl Tx<'_> {
    async fn keys(
        &mut self,
        merchant: &str,
        sql: &'static str,
        values: &[Value],
    ) -> Result<Vec<PaymentKey>, StoreError> {
        let rows = self.rows(sql, values).await?;
        rows.into_iter().map(|mut row| key(merchant, &mut row)).collect()
    }

    async fn those(&mut self, keys: Vec<PaymentKey>) -> Result<Vec<PaymentRow>, StoreError> {
        let mut rows = Vec::with_capacity(keys.len());
        for key in keys {
            rows.extend(self.payment(&key, false).await?);
        }
        Ok(rows)
    }

    async fn refund_keys(
        &mut self,
        merchant: &str,
        sql: &'static str,
        values: &[Value],
    ) -> Result<Vec<RefundKey>, StoreError> {
        let rows = self.rows(sql, values).await?;
        let keys = rows.into_iter().map(|mut row| {
            let payment = key(merchant, &mut row)?;
            let out_refund_no = OutRefundNo::try_from(row.text()?)
                .map_err(|error| StoreError::Spoilt(error.to_string()))?;
            Ok(RefundKey { payment, out_refund_no })
        });
        keys.collect()
    }

    async fn those_refunds(&mut self, keys: Vec<RefundKey>) -> Result<Vec<RefundRow>, StoreError> {
        let mut rows = Vec::with_capacity(keys.len());
        for key in keys {
            let all = self.refunds(&key.payment).await?;
            rows.extend(all.into_iter().find(|refund| refund.key == key));
        }
        Ok(rows)
    }
}

fn key(merchant: &str, row: &mut Row) -> Result<PaymentKey, StoreError> {
    Ok(PaymentKey { merchant: merchant.to_owned(), out_trade_no: number(row.text()?)? })
}

fn payment_figure(mut row: Row) -> Result<PaymentFigure, StoreError> {
    Ok(PaymentFigure {
        store: row.text()?,
        till: row.text()?,
        currency: row.text()?,
        status: row.text()?,
        count: row.int()?,
        sum: Money::from_minor(row.int()?),
    })
}

fn refund_figure(mut row: Row) -> Result<RefundFigure, StoreError> {
    Ok(RefundFigure { till: row.text()?, count: row.int()?, sum: Money::from_minor(row.int()?) })
}

fn refund_event(mut row: Row) -> Result<RefundEventRow, StoreError> {
    Ok(RefundEventRow {
        out_refund_no: row.text()?,
        at: Timestamp(row.int()?),
        event: row.json()?,
        status: row.text()?,
    })
}
