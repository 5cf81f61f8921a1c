//! What is too old to be of use to anybody, and goes.

use paytill_core::clock::{Millis, Timestamp};

use super::Store;
use super::error::StoreError;
use super::value::Value;
use super::{admins, attempts};

/// How long it is kept what the gateway has told: longer than anything is disputed with it.
const NOTICES: Millis = Millis::seconds(180 * 86_400);
/// So many go in one transaction, so that nobody waits for it.
const TOGETHER: i64 = 500;

pub(super) const OLD_NOTICES: &str = "SELECT id FROM notice \
    WHERE merchant = $1 AND received_at < $2 ORDER BY received_at LIMIT $3";
pub(super) const DROP_NOTICE: &str = "DELETE FROM notice WHERE merchant = $1 AND id = $2";
pub(super) const DROP_SESSIONS: &str =
    "DELETE FROM session WHERE merchant = $1 AND created_at < $2";
pub(super) const DROP_CODES: &str = "DELETE FROM enrolment WHERE merchant = $1 AND expires_at < $2";
pub(super) const DROP_ATTEMPTS: &str = "DELETE FROM attempt WHERE merchant = $1 AND began_at < $2";

/// All of them, as with payments.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] =
    &[OLD_NOTICES, DROP_NOTICE, DROP_SESSIONS, DROP_CODES, DROP_ATTEMPTS];

impl Store {
    /// Drops sessions that have ended, codes that have expired, attempts that no longer count, and what the
    /// gateway told long ago. How much went.
    pub async fn drop_old(&self, merchant: &str, now: Timestamp) -> Result<u64, StoreError> {
        let before = |span: Millis| Timestamp(now.0.saturating_sub_unsigned(span.0));
        let mut gone = 0;
        for (sql, oldest) in [
            (DROP_SESSIONS, before(admins::LONGEST)),
            (DROP_CODES, now),
            (DROP_ATTEMPTS, before(attempts::SPAN)),
        ] {
            let values: [Value; 2] = [merchant.into(), oldest.0.into()];
            let dropped = self.run(move |tx| {
                let values = values.clone();
                Box::pin(async move { tx.change(sql, &values).await })
            });
            gone += dropped.await?;
        }
        loop {
            let values: [Value; 3] = [merchant.into(), before(NOTICES).0.into(), TOGETHER.into()];
            let dropped = self.run(move |tx| {
                let values = values.clone();
                Box::pin(async move {
                    let [merchant, ..] = &values;
                    let rows = tx.rows(OLD_NOTICES, &values).await?;
                    let count = rows.len() as u64;
                    for mut row in rows {
                        tx.change(DROP_NOTICE, &[merchant.clone(), row.text()?.into()]).await?;
                    }
                    Ok(count)
                })
            });
            let dropped = dropped.await?;
            gone += dropped;
            if dropped < TOGETHER.unsigned_abs() {
                return Ok(gone);
            }
        }
    }
}
