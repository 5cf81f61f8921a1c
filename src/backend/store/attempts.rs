//! How often something was tried of late, by all instances together.

use paytill_core::clock::{Millis, Timestamp};

use super::Store;
use super::audit::{Action, By};
use super::error::StoreError;
use super::tx::Tx;
use super::value::Value;

/// Attempts are counted for so long from the first of them on.
pub const SPAN: Millis = Millis::seconds(15 * 60);
/// So many failed logins are noted in that time, whoever tries; the log has them all.
const NOTED: i64 = 50;

/// What is counted, and how many attempts at it there may be.
pub type Counted = (String, i64);

pub(super) const READ: &str = "SELECT began_at, tries FROM attempt \
    WHERE merchant = $1 AND subject = $2 FOR UPDATE";
/// Of two who count the first attempt at once the database refuses one, which begins again.
pub(super) const INSERT: &str =
    "INSERT INTO attempt (merchant, subject, began_at, tries) VALUES ($1, $2, $3, $4)";
pub(super) const SET: &str =
    "UPDATE attempt SET began_at = $1, tries = $2 WHERE merchant = $3 AND subject = $4";
pub(super) const TAKE_BACK: &str = "UPDATE attempt SET tries = tries - 1 \
    WHERE merchant = $1 AND subject = $2 AND tries > 0";
pub(super) const FORGET: &str = "DELETE FROM attempt WHERE merchant = $1 AND subject = $2";

/// All of them, as with payments.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[READ, INSERT, SET, TAKE_BACK, FORGET];

impl Store {
    /// Counts an attempt under each of these, before it is known how it ends; `Err`: it may not be made,
    /// and how long to wait. All who count the same name them in the same order.
    pub async fn attempt(
        &self,
        merchant: &str,
        counted: &[Counted],
        now: Timestamp,
    ) -> Result<Result<(), Millis>, StoreError> {
        let shared = std::sync::Arc::new((merchant.to_owned(), counted.to_vec()));
        self.run(move |tx| {
            let shared = std::sync::Arc::clone(&shared);
            Box::pin(async move { tx.attempt(&shared.0, &shared.1, now).await })
        })
        .await
    }

    /// Somebody was not let in. Of very many only some are noted, so that nobody can flood the books.
    pub async fn login_failed(&self, merchant: &str, by: By, name: &str) -> Result<(), StoreError> {
        let shared = std::sync::Arc::new((merchant.to_owned(), by, name.to_owned()));
        self.run(move |tx| {
            let shared = std::sync::Arc::clone(&shared);
            Box::pin(async move {
                let (merchant, by, name) = &*shared;
                let counted = [("failed logins".to_owned(), NOTED)];
                if tx.attempt(merchant, &counted, by.at).await?.is_ok() {
                    tx.note(merchant, by, Action::LoginFailed, (name, "")).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

impl Tx<'_> {
    async fn attempt(
        &mut self,
        merchant: &str,
        counted: &[Counted],
        now: Timestamp,
    ) -> Result<Result<(), Millis>, StoreError> {
        let mut made = Vec::new();
        for (subject, most) in counted {
            let named: [Value; 2] = [merchant.into(), subject.as_str().into()];
            let found = match self.row(READ, &named).await? {
                Some(mut row) => Some((Timestamp(row.int()?), row.int()?)),
                None => None,
            };
            // A clock that was set back must not shut anybody out.
            let is_recent = |began: Timestamp| began <= now && began.after(SPAN) > now;
            let (began, tries) = found.filter(|(began, _)| is_recent(*began)).unwrap_or((now, 0));
            if tries >= *most {
                let left = began.after(SPAN).0.saturating_sub(now.0);
                return Ok(Err(Millis(u64::try_from(left).unwrap_or(0))));
            }
            made.push((named, found.is_some(), [began.0.into(), (tries + 1).into()]));
        }
        for (named, is_there, count) in made {
            if is_there {
                self.change(SET, &[count, named].concat()).await?;
            } else {
                self.change(INSERT, &[named, count].concat()).await?;
            }
        }
        Ok(Ok(()))
    }

    /// It succeeded: the attempt does not count, and under the last of these no earlier one does.
    pub(super) async fn forgive(
        &mut self,
        merchant: &str,
        counted: &[Counted],
    ) -> Result<(), StoreError> {
        let Some(((last, _), others)) = counted.split_last() else { return Ok(()) };
        for (subject, _) in others {
            self.change(TAKE_BACK, &[merchant.into(), subject.as_str().into()]).await?;
        }
        self.change(FORGET, &[merchant.into(), last.as_str().into()]).await?;
        Ok(())
    }
}
