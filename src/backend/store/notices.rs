//! What the gateway told unasked: each notification is kept as it came, in one transaction with all
//! that follows from it.

use paytill_core::clock::Timestamp;
use paytill_core::money::Money;
use paytill_core::order::OutTradeNo;

use super::Store;
use super::error::StoreError;
use super::payments::{PaymentKey, Write};
use super::refunds::{RefundBooks, RefundWrite};
use super::tx::Tx;
use super::value::{Row, Value, json};

/// A notification as it is kept.
#[derive(Clone, Debug)]
pub struct NoticeRow {
    pub merchant: String,
    /// The same in every delivery of it.
    pub id: String,
    pub received_at: Timestamp,
    pub headers: Vec<(String, String)>,
    /// The very bytes: only they prove anything later.
    pub body: Vec<u8>,
    /// The order that it names, if it is a number at all.
    pub out_trade_no: Option<OutTradeNo>,
}

/// What was made of a notification.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It is about a payment or a refund of ours, which has moved by it if it was news.
    Taken,
    /// There is no such order or refund.
    Unknown,
    /// It says something else than our books: nothing has moved by it.
    Mismatch,
    /// It is about something else.
    Other,
}

impl Verdict {
    /// The word in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Unknown => "unknown",
            Self::Mismatch => "mismatch",
            Self::Other => "other",
        }
    }
}

/// What follows from a notification, decided while nobody else can touch what it is about.
pub struct Judged<T> {
    pub verdict: Verdict,
    pub step: Option<NoticeStep<T>>,
}

impl<T> Judged<T> {
    /// The number that it is kept under: one that contradicts our books must not hide the right one with
    /// the same number.
    pub fn kept_as(&self, row: &NoticeRow) -> String {
        match self.verdict {
            Verdict::Mismatch => format!("{}-mismatch", row.id),
            Verdict::Taken | Verdict::Unknown | Verdict::Other => row.id.clone(),
        }
    }

    /// What is to be written, by whether it is received for the first time.
    pub fn to_write(self, is_new: bool) -> Option<NoticeStep<T>> {
        self.step.filter(|step| is_new || !step.is_evidence)
    }
}

/// What a notification leads to.
pub struct NoticeStep<T> {
    pub write: NoticeWrite,
    /// Nothing moves: the event is written as evidence, and only the first time.
    pub is_evidence: bool,
    pub result: T,
}

/// The row that a notification moves.
pub enum NoticeWrite {
    Payment(Box<Write>),
    Refund(Box<RefundWrite>),
}

/// A notification in a list, without its contents.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoticeSeen {
    pub id: String,
    pub received_at: Timestamp,
    pub out_trade_no: Option<String>,
    /// The word of its [`Verdict`].
    pub verdict: String,
    /// How often it came.
    pub times: i64,
}

/// A notification that is on disk.
#[derive(Clone, Debug)]
pub struct NoticeKept<T> {
    pub verdict: Verdict,
    /// It was never received before.
    pub is_new: bool,
    /// What was written because of it.
    pub done: Option<T>,
}

pub(super) const SEEN: &str = "SELECT times FROM notice WHERE merchant = $1 AND id = $2";
pub(super) const KEEP: &str = "INSERT INTO notice (merchant, id, received_at, headers, body, \
    out_trade_no, verdict, times) VALUES ($1, $2, $3, $4, $5, $6, $7, 1) \
    ON CONFLICT (merchant, id) DO UPDATE SET times = notice.times + 1, verdict = excluded.verdict";
pub(super) const LIST: &str = "SELECT id, received_at, out_trade_no, verdict, times FROM notice \
    WHERE merchant = $1 ORDER BY received_at DESC, id LIMIT $2";
pub(super) const UNKNOWN: &str = "SELECT id, received_at, out_trade_no, verdict, times FROM notice \
    WHERE merchant = $1 AND received_at >= $2 AND verdict = 'unknown' \
    ORDER BY received_at DESC, id LIMIT $3";
pub(super) const META: &str = "SELECT value FROM meta WHERE merchant = $1 AND name = $2";
pub(super) const MAKE_META: &str = "INSERT INTO meta (merchant, name, value) VALUES ($1, $2, $3) \
    ON CONFLICT (merchant, name) DO NOTHING";

/// All of the above.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[SEEN, KEEP, LIST, UNKNOWN, META, MAKE_META];

impl Store {
    /// Keeps a notification together with what follows from it. `decide` is given the payment that it
    /// names, with its refunds, and may be called several times.
    pub async fn noticed<T: Send + 'static>(
        &self,
        row: NoticeRow,
        decide: impl Fn(&RefundBooks) -> Judged<T> + Send + Sync + 'static,
    ) -> Result<NoticeKept<T>, StoreError> {
        let shared = std::sync::Arc::new((row, decide));
        self.run(move |tx| {
            let shared = std::sync::Arc::clone(&shared);
            Box::pin(async move { tx.noticed(&shared.0, &shared.1).await })
        })
        .await
    }

    /// What the gateway has told, the newest first.
    pub async fn notices(&self, merchant: &str, limit: i64) -> Result<Vec<NoticeSeen>, StoreError> {
        let values: [Value; 2] = [merchant.into(), limit.into()];
        self.read(move |tx| {
            let values = values.clone();
            Box::pin(async move { tx.rows(LIST, &values).await?.into_iter().map(listed).collect() })
        })
        .await
    }

    /// What the gateway has told from a moment on of orders that are not in the books, the newest first.
    pub async fn unknown_notices(
        &self,
        merchant: &str,
        from: Timestamp,
        limit: i64,
    ) -> Result<Vec<NoticeSeen>, StoreError> {
        let values: [Value; 3] = [merchant.into(), from.0.into(), limit.into()];
        self.read(move |tx| {
            let values = values.clone();
            Box::pin(
                async move { tx.rows(UNKNOWN, &values).await?.into_iter().map(listed).collect() },
            )
        })
        .await
    }

    /// A word that is kept for a merchant under a name; `fresh` from now on if there was none.
    pub async fn kept_word(
        &self,
        merchant: &str,
        name: &'static str,
        fresh: String,
    ) -> Result<String, StoreError> {
        let values: [Value; 3] = [merchant.into(), name.into(), fresh.into()];
        self.run(move |tx| {
            let values = values.clone();
            Box::pin(async move {
                tx.change(MAKE_META, &values).await?;
                let row = tx.row(META, &values[..2]).await?;
                let word = row.map(|mut row| row.text()).transpose()?;
                word.ok_or_else(|| StoreError::Spoilt("a word that was kept is gone".to_owned()))
            })
        })
        .await
    }
}

impl Tx<'_> {
    async fn noticed<T>(
        &mut self,
        row: &NoticeRow,
        decide: &(impl Fn(&RefundBooks) -> Judged<T> + ?Sized),
    ) -> Result<NoticeKept<T>, StoreError> {
        let mut books = RefundBooks { payment: None, refunds: Vec::new(), given: Money::default() };
        if let Some(out_trade_no) = row.out_trade_no.clone() {
            let key = PaymentKey { merchant: row.merchant.clone(), out_trade_no };
            books.payment = self.payment(&key, true).await?;
            if books.payment.is_some() {
                books.refunds = self.refunds(&key).await?;
            }
        }
        let judged = decide(&books);
        let verdict = judged.verdict;
        let named: [Value; 2] = [row.merchant.as_str().into(), judged.kept_as(row).into()];
        let is_new = self.row(SEEN, &named).await?.is_none();
        let kept: [Value; 5] = [
            row.received_at.0.into(),
            json(&row.headers)?,
            row.body.as_slice().into(),
            row.out_trade_no.as_ref().map(OutTradeNo::as_str).into(),
            verdict.word().into(),
        ];
        self.change(KEEP, &[&named[..], &kept].concat()).await?;
        let Some(step) = judged.to_write(is_new) else {
            return Ok(NoticeKept { verdict, is_new, done: None });
        };
        match &step.write {
            NoticeWrite::Payment(write) => {
                self.write_payment(books.payment.as_ref(), write).await?;
            }
            NoticeWrite::Refund(write) => {
                let before = books.refund(&write.row.key.out_refund_no);
                self.write_refund(before, write).await?;
            }
        }
        Ok(NoticeKept { verdict, is_new, done: Some(step.result) })
    }
}

fn listed(mut row: Row) -> Result<NoticeSeen, StoreError> {
    Ok(NoticeSeen {
        id: row.text()?,
        received_at: Timestamp(row.int()?),
        out_trade_no: row.maybe_text()?,
        verdict: row.text()?,
        times: row.int()?,
    })
}
