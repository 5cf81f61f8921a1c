//! Tills: who may speak for a store, with which key, and what each may do.

use paytill_core::clock::Timestamp;
use paytill_core::gateway::backend::message::Rights;
use paytill_core::gateway::backend::signed::PublicKey;

use super::audit::{Action, By};
use super::error::StoreError;
use super::tx::Tx;
use super::value::{Row, Value, json};

/// A till.
#[derive(Clone, Debug, PartialEq)]
pub struct TillRow {
    pub till: String,
    pub store: String,
    pub rights: Rights,
    /// Its one living key; none before it is enrolled.
    pub key: Option<PublicKey>,
    pub enrolled_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_seen_at: Option<Timestamp>,
    /// The version of its program, as it said when it was enrolled.
    pub program: String,
}

/// A code that one till may introduce itself with, once.
#[derive(Clone, Debug, PartialEq)]
pub struct EnrolmentRow {
    /// The part that names it.
    pub code: String,
    /// What proves the rest of it.
    pub kept: Vec<u8>,
    pub till: String,
    pub expires_at: Timestamp,
}

/// Why a till was not enrolled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotEnrolled {
    /// No such code: used, expired, or never given.
    NoCode,
    /// The proof is not of this code. After a few tries the code is gone.
    WrongProof,
}

/// How often a code may be tried.
const TRIES: i64 = 5;

macro_rules! columns {
    () => {
        "till, store, rights, public_key, enrolled_at, revoked_at, last_seen_at, program"
    };
}

pub(super) const READ: &str =
    concat!("SELECT ", columns!(), " FROM till WHERE merchant = $1 AND till = $2");
pub(super) const READ_LOCKED: &str =
    concat!("SELECT ", columns!(), " FROM till WHERE merchant = $1 AND till = $2 FOR UPDATE");
pub(super) const LIST: &str =
    concat!("SELECT ", columns!(), " FROM till WHERE merchant = $1 ORDER BY store, till");
pub(super) const INSERT: &str = "INSERT INTO till (merchant, till, store, rights, program, \
    created_at) VALUES ($1, $2, $3, $4, '', $5)";
pub(super) const SET_RIGHTS: &str =
    "UPDATE till SET store = $1, rights = $2 WHERE merchant = $3 AND till = $4";
pub(super) const SET_KEY: &str = "UPDATE till SET public_key = $1, enrolled_at = $2, \
    revoked_at = NULL, program = $3 WHERE merchant = $4 AND till = $5";
pub(super) const REVOKE: &str =
    "UPDATE till SET revoked_at = $1 WHERE merchant = $2 AND till = $3 AND revoked_at IS NULL";
pub(super) const SEEN: &str = "UPDATE till SET last_seen_at = $1 WHERE merchant = $2 AND till = $3";
pub(super) const DROP_CODES: &str = "DELETE FROM enrolment WHERE merchant = $1 AND till = $2";
pub(super) const INSERT_CODE: &str = "INSERT INTO enrolment (merchant, code, kept, till, \
    expires_at, tries) VALUES ($1, $2, $3, $4, $5, 0)";
pub(super) const READ_CODE: &str = "SELECT kept, till, expires_at, tries FROM enrolment \
    WHERE merchant = $1 AND code = $2 FOR UPDATE";
pub(super) const COUNT_TRY: &str =
    "UPDATE enrolment SET tries = tries + 1 WHERE merchant = $1 AND code = $2";

/// All of them, as with payments.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    READ,
    READ_LOCKED,
    LIST,
    INSERT,
    SET_RIGHTS,
    SET_KEY,
    REVOKE,
    SEEN,
    DROP_CODES,
    INSERT_CODE,
    READ_CODE,
    COUNT_TRY,
];

impl Tx<'_> {
    pub(super) async fn till(
        &mut self,
        merchant: &str,
        till: &str,
        lock: bool,
    ) -> Result<Option<TillRow>, StoreError> {
        let sql = if lock { READ_LOCKED } else { READ };
        self.row(sql, &[merchant.into(), till.into()]).await?.map(read).transpose()
    }

    pub(super) async fn tills(&mut self, merchant: &str) -> Result<Vec<TillRow>, StoreError> {
        self.rows(LIST, &[merchant.into()]).await?.into_iter().map(read).collect()
    }

    /// Makes a till, or gives one other rights, and the only code that it may introduce itself with.
    /// Its living key stays until another one is enrolled.
    pub(super) async fn add_till(
        &mut self,
        merchant: &str,
        store: &str,
        rights: &Rights,
        code: &EnrolmentRow,
        by: &By,
    ) -> Result<(), StoreError> {
        let till = code.till.as_str();
        let detail = format!(
            "store={store} charge={} qr={} refund_up_to={} refund_per_day={}",
            rights.charge, rights.qr, rights.refund_up_to, rights.refund_per_day
        );
        let rights = json(rights)?;
        if self.till(merchant, till, true).await?.is_some() {
            let values = [store.into(), rights, merchant.into(), till.into()];
            self.change(SET_RIGHTS, &values).await?;
        } else {
            let values = [merchant.into(), till.into(), store.into(), rights, by.at.0.into()];
            self.change(INSERT, &values).await?;
        }
        self.change(DROP_CODES, &[merchant.into(), till.into()]).await?;
        let values: [Value; 5] = [
            merchant.into(),
            code.code.as_str().into(),
            code.kept.as_slice().into(),
            till.into(),
            code.expires_at.0.into(),
        ];
        self.change(INSERT_CODE, &values).await?;
        self.note(merchant, by, Action::TillAdded, (till, &detail)).await
    }

    /// Gives a till its key if it proves that it knows the code, which is used up by that.
    pub(super) async fn enrol(
        &mut self,
        merchant: &str,
        code: &str,
        (key, program): (PublicKey, &str),
        proves: &(impl Fn(&[u8], &str) -> bool + ?Sized),
        now: Timestamp,
    ) -> Result<Result<(TillRow, Vec<u8>), NotEnrolled>, StoreError> {
        let Some(mut row) = self.row(READ_CODE, &[merchant.into(), code.into()]).await? else {
            return Ok(Err(NotEnrolled::NoCode));
        };
        let (kept, till, expires_at, tries) = (row.bytes()?, row.text()?, row.int()?, row.int()?);
        if now.0 >= expires_at || tries >= TRIES {
            return Ok(Err(NotEnrolled::NoCode));
        }
        if !proves(&kept, &till) {
            self.change(COUNT_TRY, &[merchant.into(), code.into()]).await?;
            return Ok(Err(NotEnrolled::WrongProof));
        }
        let values = [
            key.to_base64().into(),
            now.0.into(),
            program.into(),
            merchant.into(),
            till.as_str().into(),
        ];
        self.change(SET_KEY, &values).await?;
        self.change(DROP_CODES, &[merchant.into(), till.as_str().into()]).await?;
        let enrolled = self.till(merchant, &till, false).await?;
        let enrolled =
            enrolled.ok_or_else(|| StoreError::Spoilt("a code of no till".to_owned()))?;
        let (by, detail) = (By::till(&till, now), format!("key={} version={program}", key.id()));
        self.note(merchant, &by, Action::TillEnrolled, (&till, &detail)).await?;
        Ok(Ok((enrolled, kept)))
    }

    /// Ends a till's key; `false` if there was none that lived.
    pub(super) async fn revoke(
        &mut self,
        merchant: &str,
        till: &str,
        by: &By,
    ) -> Result<bool, StoreError> {
        self.change(DROP_CODES, &[merchant.into(), till.into()]).await?;
        let values = [by.at.0.into(), merchant.into(), till.into()];
        let has_lived = self.change(REVOKE, &values).await? > 0;
        if has_lived {
            self.note(merchant, by, Action::TillRevoked, (till, "")).await?;
        }
        Ok(has_lived)
    }
}

fn read(mut row: Row) -> Result<TillRow, StoreError> {
    let (till, store, rights) = (row.text()?, row.text()?, row.json()?);
    let key = row.maybe_text()?.map(|key| {
        PublicKey::from_base64(&key).ok_or_else(|| StoreError::Spoilt("a key".to_owned()))
    });
    Ok(TillRow {
        till,
        store,
        rights,
        key: key.transpose()?,
        enrolled_at: row.maybe_int()?.map(Timestamp),
        revoked_at: row.maybe_int()?.map(Timestamp),
        last_seen_at: row.maybe_int()?.map(Timestamp),
        program: row.text()?,
    })
}
