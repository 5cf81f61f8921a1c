//! A day's figures, and what a person should look at. Nothing here changes anything.

use paytill_core::clock::Timestamp;
use paytill_core::money::Money;
use paytill_core::refund::RefundEvent;

use super::Store;
use super::error::StoreError;
use super::payments::{Acknowledged, PaymentKey, PaymentRow};
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
pub(super) const REFUNDS: &str = "SELECT till, CAST(COALESCE(SUM(amount), 0) AS BIGINT) \
    FROM refund \
    WHERE merchant = $1 AND created_at >= $2 AND created_at < $3 AND counts = 1 \
    GROUP BY till ORDER BY till";
pub(super) const OPEN: &str = "SELECT out_trade_no FROM payment \
    WHERE merchant = $1 AND wake_at IS NOT NULL ORDER BY wake_at LIMIT $2";
pub(super) const ATTENTION: &str = "SELECT out_trade_no FROM payment \
    WHERE merchant = $1 AND status = 'attention' ORDER BY created_at DESC LIMIT $2";
pub(super) const UNSEEN: &str = "SELECT out_trade_no FROM payment \
    WHERE merchant = $1 AND created_at >= $2 AND updated_at < $3 AND status = 'paid' \
    AND acknowledged < 2 AND (acknowledged = 1 OR seen_version < version) ORDER BY created_at DESC LIMIT $4";
pub(super) const OPEN_REFUNDS: &str = "SELECT out_trade_no, out_refund_no FROM refund \
    WHERE merchant = $1 AND wake_at IS NOT NULL ORDER BY wake_at LIMIT $2";
pub(super) const ATTENTION_REFUNDS: &str = "SELECT out_trade_no, out_refund_no FROM refund \
    WHERE merchant = $1 AND status = 'attention' ORDER BY created_at DESC LIMIT $2";
pub(super) const REFUNDS_BETWEEN: &str = "SELECT out_trade_no, out_refund_no FROM refund \
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
    REFUNDS_BETWEEN,
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
                let attention = tx.keys(ATTENTION, &merchant, &[limit.into()]).await?;
                let open = tx.keys(OPEN, &merchant, &[limit.into()]).await?;
                let mut rows = tx.those(either(attention, open)).await?;
                rows.sort_by_key(|row| std::cmp::Reverse(row.created_at));
                Ok(rows)
            })
        })
        .await
    }

    /// Payments from `from` on that are paid, and which their till does not have on record, or has not been
    /// told of if it is one that does not say that, although it was known before `known`.
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
                let values = [from.0.into(), known.0.into(), limit.into()];
                let keys = tx.keys(UNSEEN, &merchant, &values).await?;
                let mut unseen = Vec::new();
                for row in tx.those(keys).await? {
                    if row.acknowledged == Acknowledged::NotYet {
                        unseen.push(row);
                        continue;
                    }
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
                let attention =
                    tx.refund_keys(ATTENTION_REFUNDS, &merchant, &[limit.into()]).await?;
                let open = tx.refund_keys(OPEN_REFUNDS, &merchant, &[limit.into()]).await?;
                let mut rows = tx.those_refunds(either(attention, open)).await?;
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
                let values = [from.0.into(), until.0.into(), limit.into()];
                let keys = tx.refund_keys(REFUNDS_BETWEEN, &merchant, &values).await?;
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
    async fn those(&mut self, keys: Vec<PaymentKey>) -> Result<Vec<PaymentRow>, StoreError> {
        let mut rows = Vec::with_capacity(keys.len());
        for key in keys {
            rows.extend(self.payment(&key, false).await?);
        }
        Ok(rows)
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

/// What is in either list, once.
fn either<K: PartialEq>(mut one: Vec<K>, other: Vec<K>) -> Vec<K> {
    for key in other {
        if !one.contains(&key) {
            one.push(key);
        }
    }
    one
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
    Ok(RefundFigure { till: row.text()?, sum: Money::from_minor(row.int()?) })
}

fn refund_event(mut row: Row) -> Result<RefundEventRow, StoreError> {
    Ok(RefundEventRow {
        out_refund_no: row.text()?,
        at: Timestamp(row.int()?),
        event: row.json()?,
        status: row.text()?,
    })
}
