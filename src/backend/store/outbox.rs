//! What is to be told to others: one row for each thing, written with what it tells of.
//!
//! A row with `due_at` waits for its turn. Whoever takes it moves that beyond the end of its lease, so
//! that nobody else does; if it does not come back, the row is due again by itself.

use std::sync::Arc;

use paytill_core::clock::Timestamp;
use paytill_core::order::OutTradeNo;

use super::Store;
use super::audit::{Action, By};
use super::error::StoreError;
use super::tx::Tx;
use super::value::{Row, Value};

/// One thing to be told, and how far that has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OutboxRow {
    pub kind: String,
    /// The order's number, or the refund's.
    pub subject: String,
    pub created_at: Timestamp,
    pub due_at: Option<Timestamp>,
    /// How often it was tried.
    pub tries: i64,
    pub lease_until: Option<Timestamp>,
    pub done_at: Option<Timestamp>,
    pub last_error: String,
}

impl OutboxRow {
    /// Whether it is not tried any more, and was not told.
    pub const fn is_dead(&self) -> bool {
        self.due_at.is_none() && self.done_at.is_none()
    }
}

/// How an attempt to tell something has ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Told {
    Done,
    /// It is tried again then.
    Later(Timestamp, String),
    /// It is not tried again.
    Dead(String),
}

macro_rules! columns {
    () => {
        "kind, subject, created_at, due_at, tries, lease_until, done_at, last_error"
    };
}

pub(super) const DUE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM outbox WHERE merchant = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3"
);
pub(super) const NEXT: &str =
    "SELECT MIN(due_at) FROM outbox WHERE merchant = $1 AND due_at IS NOT NULL";
pub(super) const INSERT: &str = "INSERT INTO outbox (merchant, kind, subject, created_at, \
    due_at, tries, last_error) VALUES ($1, $2, $3, $4, $5, 0, '') \
    ON CONFLICT (merchant, kind, subject) DO NOTHING";
pub(super) const CLAIM: &str = "UPDATE outbox SET due_at = $1, lease_until = $2, tries = $3 \
    WHERE merchant = $4 AND kind = $5 AND subject = $6 AND due_at = $7";
pub(super) const FINISH: &str = "UPDATE outbox SET due_at = $1, lease_until = NULL, done_at = $2, \
    last_error = $3 WHERE merchant = $4 AND kind = $5 AND subject = $6 AND lease_until = $7";
pub(super) const RESEND: &str = "UPDATE outbox SET due_at = $1, tries = 0, lease_until = NULL, \
    done_at = NULL, last_error = '' WHERE merchant = $2 AND kind = $3 AND subject = $4";
pub(super) const PUT_ASIDE: &str = "UPDATE outbox SET due_at = NULL, lease_until = NULL, \
    done_at = $1, last_error = $2 WHERE merchant = $3 AND due_at <= $4";
pub(super) const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM outbox WHERE merchant = $1 \
     AND (CAST($2 AS BIGINT) = 0 OR (due_at IS NULL AND done_at IS NULL)) \
     ORDER BY created_at DESC, kind, subject LIMIT $3"
);
pub(super) const ODD: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM outbox WHERE merchant = $1 AND created_at >= $2 \
     AND kind IN ('payment.paid_late', 'payment.mismatch', 'refund.mismatch') \
     ORDER BY created_at DESC, kind, subject LIMIT $3"
);
pub(super) const OF_REFUND: &str =
    "SELECT out_trade_no FROM refund WHERE merchant = $1 AND out_refund_no = $2";

/// All of the above.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] =
    &[DUE, NEXT, INSERT, CLAIM, FINISH, RESEND, PUT_ASIDE, LIST, ODD, OF_REFUND];

impl Store {
    /// Puts aside all that is due, told to nobody, with the reason why.
    pub async fn put_aside(
        &self,
        merchant: &str,
        why: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let values: [Value; 4] = [now.0.into(), why.into(), merchant.into(), now.0.into()];
        self.run(move |tx| {
            let values = values.clone();
            Box::pin(async move { tx.change(PUT_ASIDE, &values).await })
        })
        .await
    }

    /// Takes what is due until `until`, at most so much. Nobody else takes it before then.
    pub async fn claim_outbox(
        &self,
        merchant: &str,
        (now, until): (Timestamp, Timestamp),
        limit: i64,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let merchant = merchant.to_owned();
        self.run(move |tx| {
            let merchant = merchant.clone();
            Box::pin(async move {
                let mut taken = Vec::new();
                for row in tx.due_outbox(&merchant, now, limit).await? {
                    let values: [Value; 4] = [
                        until.0.into(),
                        until.0.into(),
                        (row.tries + 1).into(),
                        merchant.as_str().into(),
                    ];
                    let was: [Value; 1] = [row.due_at.map(|at| at.0).into()];
                    let values = [&values[..], &named(&row), &was].concat();
                    // Another instance may have been quicker.
                    if tx.change(CLAIM, &values).await? == 1 {
                        let (due_at, lease_until) = (Some(until), Some(until));
                        taken.push(OutboxRow { due_at, lease_until, tries: row.tries + 1, ..row });
                    }
                }
                Ok(taken)
            })
        })
        .await
    }

    /// Notes how an attempt has ended; `false` if somebody else has taken the row meanwhile.
    pub async fn finish_outbox(
        &self,
        merchant: &str,
        row: OutboxRow,
        told: Told,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (due_at, done_at, error) = match told {
            Told::Done => (None, Some(now), String::new()),
            Told::Later(at, error) => (Some(at), None, error),
            Told::Dead(error) => (None, None, error),
        };
        let ended: [Value; 4] = [
            due_at.map(|at| at.0).into(),
            done_at.map(|at| at.0).into(),
            error.into(),
            merchant.into(),
        ];
        let lease: [Value; 1] = [row.lease_until.map(|at| at.0).into()];
        let values = Arc::new([&ended[..], &named(&row), &lease].concat());
        self.run(move |tx| {
            let values = Arc::clone(&values);
            Box::pin(async move { Ok(tx.change(FINISH, &values).await? == 1) })
        })
        .await
    }

    /// When the next row is due.
    pub async fn next_outbox(&self, merchant: &str) -> Result<Option<Timestamp>, StoreError> {
        let values: [Value; 1] = [merchant.into()];
        self.read(move |tx| {
            let values = values.clone();
            Box::pin(async move { tx.time(NEXT, &values).await })
        })
        .await
    }

    /// What is to be told and was, the newest first; or only what was given up.
    pub async fn outbox(
        &self,
        merchant: &str,
        only_dead: bool,
        limit: i64,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let values: [Value; 3] = [merchant.into(), i64::from(only_dead).into(), limit.into()];
        self.read(move |tx| {
            let values = values.clone();
            Box::pin(async move {
                tx.rows(LIST, &values).await?.into_iter().map(read).collect::<Result<_, _>>()
            })
        })
        .await
    }

    /// Payments from a moment on that were paid late, and what the gateway has reported otherwise than it is
    /// in the books; the newest first. Each is listed whether others were told or not.
    pub async fn odd(
        &self,
        merchant: &str,
        from: Timestamp,
        limit: i64,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let values: [Value; 3] = [merchant.into(), from.0.into(), limit.into()];
        self.read(move |tx| {
            let values = values.clone();
            Box::pin(async move {
                tx.rows(ODD, &values).await?.into_iter().map(read).collect::<Result<_, _>>()
            })
        })
        .await
    }

    /// Has something told again, from the beginning; `false` if there is no such thing.
    pub async fn resend(
        &self,
        merchant: &str,
        (kind, subject): (&str, &str),
        by: By,
    ) -> Result<bool, StoreError> {
        let named = (merchant.to_owned(), kind.to_owned(), subject.to_owned(), by);
        let named = Arc::new(named);
        self.run(move |tx| {
            let named = Arc::clone(&named);
            Box::pin(async move {
                let (merchant, kind, subject, by) = &*named;
                let values: [Value; 4] = [
                    by.at.0.into(),
                    merchant.as_str().into(),
                    kind.as_str().into(),
                    subject.as_str().into(),
                ];
                let is_there = tx.change(RESEND, &values).await? == 1;
                if is_there {
                    tx.note(merchant, by, Action::MessageResent, (subject, kind)).await?;
                }
                Ok(is_there)
            })
        })
        .await
    }

    /// The order of the refund with this number.
    pub async fn of_refund(
        &self,
        merchant: &str,
        out_refund_no: &str,
    ) -> Result<Option<OutTradeNo>, StoreError> {
        let values: [Value; 2] = [merchant.into(), out_refund_no.into()];
        self.read(move |tx| {
            let values = values.clone();
            Box::pin(async move {
                let row = tx.row(OF_REFUND, &values).await?;
                row.map(|mut row| super::payments::number(row.text()?)).transpose()
            })
        })
        .await
    }
}

impl Tx<'_> {
    /// What is to be told of an order or a refund of this merchant's, once of each kind.
    pub(super) async fn tell(
        &mut self,
        (merchant, subject): (&str, &str),
        kinds: &[&'static str],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        for kind in kinds {
            let at: Value = at.0.into();
            let values = [merchant.into(), (*kind).into(), subject.into(), at.clone(), at];
            self.change(INSERT, &values).await?;
        }
        Ok(())
    }

    async fn due_outbox(
        &mut self,
        merchant: &str,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let rows = self.rows(DUE, &[merchant.into(), now.0.into(), limit.into()]).await?;
        rows.into_iter().map(read).collect()
    }
}

fn named(row: &OutboxRow) -> [Value; 2] {
    [row.kind.as_str().into(), row.subject.as_str().into()]
}

fn read(mut row: Row) -> Result<OutboxRow, StoreError> {
    Ok(OutboxRow {
        kind: row.text()?,
        subject: row.text()?,
        created_at: Timestamp(row.int()?),
        due_at: row.maybe_int()?.map(Timestamp),
        tries: row.int()?,
        lease_until: row.maybe_int()?.map(Timestamp),
        done_at: row.maybe_int()?.map(Timestamp),
        last_error: row.text()?,
    })
}
