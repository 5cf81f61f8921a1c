//! Who may see the owner's page, and who is logged in.

use std::sync::Arc;

use paytill_core::clock::{Millis, Timestamp};

use super::Store;
use super::attempts::Counted;
use super::audit::{Action, By};
use super::error::StoreError;
use super::value::{Row, Value};

/// The longest that somebody stays logged in.
pub const LONGEST: Millis = Millis::seconds(12 * 3600);

/// Somebody with a password.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AdminRow {
    pub name: String,
    pub salt: Vec<u8>,
    pub hash: Vec<u8>,
    /// What the hash cost: KiB of memory, and passes over it.
    pub memory: i64,
    pub passes: i64,
    pub created_at: Timestamp,
}

/// Somebody who is logged in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionRow {
    pub admin: String,
    pub created_at: Timestamp,
    /// When a page was last asked for.
    pub seen_at: Timestamp,
}

/// Somebody logs in.
#[derive(Clone, Debug)]
pub struct Login {
    /// As they were when the password was checked.
    pub admin: AdminRow,
    /// Of the session's token.
    pub digest: Vec<u8>,
    pub at: Timestamp,
    /// The address that they come from.
    pub from: String,
    /// What the attempt was counted under.
    pub counted: Vec<Counted>,
}

macro_rules! columns {
    () => {
        "name, salt, hash, memory, passes, created_at"
    };
}

pub(super) const READ: &str =
    concat!("SELECT ", columns!(), " FROM admin WHERE merchant = $1 AND name = $2");
pub(super) const READ_LOCKED: &str =
    concat!("SELECT ", columns!(), " FROM admin WHERE merchant = $1 AND name = $2 FOR UPDATE");
pub(super) const LIST: &str =
    concat!("SELECT ", columns!(), " FROM admin WHERE merchant = $1 ORDER BY name");
pub(super) const INSERT: &str = "INSERT INTO admin (merchant, name, salt, hash, memory, passes, \
    created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (merchant, name) DO NOTHING";
pub(super) const DELETE: &str = "DELETE FROM admin WHERE merchant = $1 AND name = $2";
pub(super) const READ_SESSION: &str = "SELECT admin, created_at, seen_at FROM session \
    WHERE merchant = $1 AND digest = $2";
pub(super) const INSERT_SESSION: &str = "INSERT INTO session (merchant, digest, admin, \
    created_at, seen_at) VALUES ($1, $2, $3, $4, $5)";
pub(super) const SEEN: &str = "UPDATE session SET seen_at = $1 WHERE merchant = $2 AND digest = $3";
pub(super) const END: &str = "DELETE FROM session WHERE merchant = $1 AND digest = $2";
pub(super) const DROP_SESSIONS: &str = "DELETE FROM session WHERE merchant = $1 AND admin = $2";

/// All of them, as with payments.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    READ,
    READ_LOCKED,
    LIST,
    INSERT,
    DELETE,
    READ_SESSION,
    INSERT_SESSION,
    SEEN,
    END,
    DROP_SESSIONS,
];

impl Store {
    /// Lets somebody in from now on; `false` if there is one of that name.
    pub async fn add_admin(
        &self,
        merchant: &str,
        admin: AdminRow,
        by: By,
    ) -> Result<bool, StoreError> {
        let shared = Arc::new((merchant.to_owned(), admin, by));
        self.run(move |tx| {
            let shared = Arc::clone(&shared);
            Box::pin(async move {
                let (merchant, admin, by) = &*shared;
                let values: [Value; 7] = [
                    merchant.as_str().into(),
                    admin.name.as_str().into(),
                    admin.salt.as_slice().into(),
                    admin.hash.as_slice().into(),
                    admin.memory.into(),
                    admin.passes.into(),
                    admin.created_at.0.into(),
                ];
                let is_new = tx.change(INSERT, &values).await? == 1;
                if is_new {
                    tx.note(merchant, by, Action::AdminAdded, (&admin.name, "")).await?;
                }
                Ok(is_new)
            })
        })
        .await
    }

    /// Somebody of that name.
    pub async fn admin(&self, merchant: &str, name: &str) -> Result<Option<AdminRow>, StoreError> {
        let values: [Value; 2] = [merchant.into(), name.into()];
        self.read(move |tx| {
            let values = values.clone();
            Box::pin(async move { tx.row(READ, &values).await?.map(read).transpose() })
        })
        .await
    }

    /// All who are let in.
    pub async fn admins(&self, merchant: &str) -> Result<Vec<AdminRow>, StoreError> {
        let values: [Value; 1] = [merchant.into()];
        self.read(move |tx| {
            let values = values.clone();
            Box::pin(async move {
                tx.rows(LIST, &values).await?.into_iter().map(read).collect::<Result<_, _>>()
            })
        })
        .await
    }

    /// Lets somebody in no longer, from this moment on; `false` if there is none of that name.
    pub async fn remove_admin(
        &self,
        merchant: &str,
        name: &str,
        by: By,
    ) -> Result<bool, StoreError> {
        let shared = Arc::new((merchant.to_owned(), name.to_owned(), by));
        self.run(move |tx| {
            let shared = Arc::clone(&shared);
            Box::pin(async move {
                let (merchant, name, by) = &*shared;
                let values: [Value; 2] = [merchant.as_str().into(), name.as_str().into()];
                let is_there = tx.change(DELETE, &values).await? == 1;
                tx.change(DROP_SESSIONS, &values).await?;
                if is_there {
                    tx.note(merchant, by, Action::AdminRemoved, (name, "")).await?;
                }
                Ok(is_there)
            })
        })
        .await
    }

    /// Somebody has logged in with this password; `false` if meanwhile nobody has it any more.
    pub async fn begin_session(&self, merchant: &str, login: Login) -> Result<bool, StoreError> {
        let shared = Arc::new((merchant.to_owned(), login));
        self.run(move |tx| {
            let shared = Arc::clone(&shared);
            Box::pin(async move {
                let (merchant, Login { admin, digest, at, from, counted }) = &*shared;
                let named: [Value; 2] = [merchant.as_str().into(), admin.name.as_str().into()];
                let row = tx.row(READ_LOCKED, &named).await?;
                if row.map(read).transpose()?.as_ref() != Some(admin) {
                    return Ok(false);
                }
                let [merchant_value, name] = named;
                let digest = digest.as_slice().into();
                let values = [merchant_value, digest, name, at.0.into(), at.0.into()];
                tx.change(INSERT_SESSION, &values).await?;
                tx.forgive(merchant, counted).await?;
                let by = By::admin(&admin.name, *at);
                tx.note(merchant, &by, Action::LoggedIn, ("", from)).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Who is logged in with the token of this digest.
    pub async fn session(
        &self,
        merchant: &str,
        digest: &[u8],
    ) -> Result<Option<SessionRow>, StoreError> {
        let values: [Value; 2] = [merchant.into(), digest.into()];
        self.read(move |tx| {
            let values = values.clone();
            Box::pin(async move {
                let row = tx.row(READ_SESSION, &values).await?;
                row.map(|mut row| {
                    Ok(SessionRow {
                        admin: row.text()?,
                        created_at: Timestamp(row.int()?),
                        seen_at: Timestamp(row.int()?),
                    })
                })
                .transpose()
            })
        })
        .await
    }

    /// Notes that somebody who is logged in has asked for a page.
    pub async fn session_seen(
        &self,
        merchant: &str,
        digest: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let values: [Value; 3] = [now.0.into(), merchant.into(), digest.into()];
        self.run(move |tx| {
            let values = values.clone();
            Box::pin(async move { tx.change(SEEN, &values).await.map(|_| ()) })
        })
        .await
    }

    /// Somebody logs out.
    pub async fn end_session(&self, merchant: &str, digest: &[u8]) -> Result<(), StoreError> {
        let values: [Value; 2] = [merchant.into(), digest.into()];
        self.run(move |tx| {
            let values = values.clone();
            Box::pin(async move { tx.change(END, &values).await.map(|_| ()) })
        })
        .await
    }
}

fn read(mut row: Row) -> Result<AdminRow, StoreError> {
    Ok(AdminRow {
        name: row.text()?,
        salt: row.bytes()?,
        hash: row.bytes()?,
        memory: row.int()?,
        passes: row.int()?,
        created_at: Timestamp(row.int()?),
    })
}
