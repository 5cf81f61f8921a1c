//! The books as a whole: whether they can be written, and how much is open in them.

use paytill_core::clock::Timestamp;

use super::Store;
use super::error::StoreError;

/// The one row that shows that the database takes writes.
const TOUCH: &str = "INSERT INTO meta (merchant, name, value) VALUES ($1, 'touched_at', $2) \
    ON CONFLICT (merchant, name) DO UPDATE SET value = excluded.value";
const OPEN: &str = "SELECT COUNT(*), MIN(created_at) FROM payment \
    WHERE merchant = $1 AND wake_at IS NOT NULL";

/// All of them, as with payments.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[TOUCH, OPEN];

impl Store {
    /// Writes the time, to see whether that can be done.
    pub async fn touch(&self, merchant: &str, now: Timestamp) -> Result<(), StoreError> {
        let values = [merchant.into(), now.to_rfc3339().as_str().into()];
        self.run(move |tx| {
            let values = values.clone();
            Box::pin(async move { tx.change(TOUCH, &values).await.map(|_| ()) })
        })
        .await
    }

    /// How many payments have work left, and when the oldest of them came.
    pub async fn open_payments(
        &self,
        merchant: &str,
    ) -> Result<(i64, Option<Timestamp>), StoreError> {
        let values = [merchant.into()];
        self.read(move |tx| {
            let values = values.clone();
            Box::pin(async move {
                let Some(mut row) = tx.row(OPEN, &values).await? else { return Ok((0, None)) };
                Ok((row.int()?, row.maybe_int()?.map(Timestamp)))
            })
        })
        .await
    }
}
