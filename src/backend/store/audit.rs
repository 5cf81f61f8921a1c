//! What people did, written in the transaction of the act itself: a chain in which each entry holds the
//! digest of the one before it, so that none can be changed, taken out or put in without a trace.
//!
//! The digest is SHA-256 over that of the entry before (32 zeros before the first) and then, each with its length
//! in front as 8 bytes, the merchant, the position, the time, who, the action, the subject and the detail as
//! text. Where the chain ends is kept in a row of its own. It is locked by whoever appends, last of all
//! that is locked, and shows when the newest entries are gone.

use aws_lc_rs::digest::{Context, SHA256};

use paytill_core::clock::Timestamp;

use super::Store;
use super::error::StoreError;
use super::tx::Tx;
use super::value::{Row, Value};

/// Who acts, and when.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct By {
    pub who: String,
    pub at: Timestamp,
}

impl By {
    /// Somebody at the owner's page.
    pub fn admin(name: &str, at: Timestamp) -> Self {
        Self { who: format!("admin:{name}"), at }
    }

    /// Somebody at a till.
    pub(super) fn till(till: &str, at: Timestamp) -> Self {
        Self { who: format!("till:{till}"), at }
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    TillAdded,
    TillEnrolled,
    TillRevoked,
    AdminAdded,
    AdminRemoved,
    LoggedIn,
    LoginFailed,
    MessageResent,
    Recovered,
    Refunded,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::TillAdded,
        Self::TillEnrolled,
        Self::TillRevoked,
        Self::AdminAdded,
        Self::AdminRemoved,
        Self::LoggedIn,
        Self::LoginFailed,
        Self::MessageResent,
        Self::Recovered,
        Self::Refunded,
    ];

    /// Its word in the books.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TillAdded => "till.add",
            Self::TillEnrolled => "till.enroll",
            Self::TillRevoked => "till.revoke",
            Self::AdminAdded => "admin.add",
            Self::AdminRemoved => "admin.remove",
            Self::LoggedIn => "login",
            Self::LoginFailed => "login.failed",
            Self::MessageResent => "outbox.resend",
            Self::Recovered => "recover",
            Self::Refunded => "refund",
        }
    }

    /// The action of a word, if this version knows it.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.word() == word)
    }
}

/// An entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditRow {
    pub position: i64,
    pub at: Timestamp,
    pub who: String,
    /// The word of an [`Action`].
    pub action: String,
    /// What it was done to.
    pub subject: String,
    pub detail: String,
    pub previous: Vec<u8>,
    pub digest: Vec<u8>,
}

impl AuditRow {
    /// The chain up to here.
    pub fn head(&self) -> Head {
        Head { position: self.position, digest: self.digest.clone() }
    }

    fn right_digest(&self, merchant: &str) -> Vec<u8> {
        let mut digest = Context::new(&SHA256);
        digest.update(&self.previous);
        let (position, at) = (self.position.to_string(), self.at.0.to_string());
        let texts = [&position, &at, &self.who, &self.action, &self.subject, &self.detail];
        for text in [merchant].into_iter().chain(texts.map(String::as_str)) {
            digest.update(&(text.len() as u64).to_be_bytes());
            digest.update(text.as_bytes());
        }
        digest.finish().as_ref().to_vec()
    }
}

/// The end of a chain: how many entries it has, and the digest of the last.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Head {
    pub position: i64,
    pub digest: Vec<u8>,
}

impl Head {
    /// Before the first entry.
    fn nothing() -> Self {
        Self { position: 0, digest: vec![0; SHA256.output_len()] }
    }

    /// The digest in hexadecimal digits.
    pub fn hex(&self) -> String {
        self.digest.iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
    }

    fn word(&self) -> String {
        format!("{} {}", self.position, self.hex())
    }

    fn of_word(word: &str) -> Option<Self> {
        let (position, hex) = word.split_once(' ')?;
        let digits = hex.as_bytes().chunks(2).map(std::str::from_utf8);
        let digest = digits.map(|pair| u8::from_str_radix(pair.ok()?, 16).ok());
        Some(Self { position: position.parse().ok()?, digest: digest.collect::<Option<_>>()? })
    }
}

/// Reads a chain from its first entry on.
struct Verifier {
    merchant: String,
    last: Head,
}

impl Verifier {
    /// Nothing was read yet.
    fn new(merchant: &str) -> Self {
        Self { merchant: merchant.to_owned(), last: Head::nothing() }
    }

    /// Whether that is the next entry, as it was written.
    fn takes(&mut self, row: &AuditRow) -> bool {
        let is_next = row.position == self.last.position + 1 && row.previous == self.last.digest;
        let is_right = is_next && row.right_digest(&self.merchant) == row.digest;
        if is_right {
            self.last = row.head();
        }
        is_right
    }
}

/// How a chain was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verified {
    Whole(Head),
    /// The first position at which there is no entry, or another one than was written.
    Broken(i64),
}

/// How many entries are read at once.
const PAGE: i64 = 1000;

macro_rules! columns {
    () => {
        "position, at, who, action, subject, detail, previous, digest"
    };
}

pub(super) const READ_HEAD: &str = "SELECT value FROM meta WHERE merchant = $1 AND name = $2";
pub(super) const LOCK_HEAD: &str =
    "SELECT value FROM meta WHERE merchant = $1 AND name = $2 FOR UPDATE";
pub(super) const SET_HEAD: &str = "INSERT INTO meta (merchant, name, value) VALUES ($1, $2, $3) \
    ON CONFLICT (merchant, name) DO UPDATE SET value = excluded.value";
pub(super) const INSERT: &str = concat!(
    "INSERT INTO audit (merchant, ",
    columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
);
pub(super) const FROM: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM audit WHERE merchant = $1 AND position > $2 ORDER BY position LIMIT $3"
);
pub(super) const NEWEST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM audit WHERE merchant = $1 ORDER BY position DESC LIMIT $2"
);

/// All of them, as with payments.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[READ_HEAD, LOCK_HEAD, SET_HEAD, INSERT, FROM, NEWEST];

impl Store {
    /// Notes an act that has no transaction of its own.
    pub async fn note(
        &self,
        merchant: &str,
        by: By,
        action: Action,
        (subject, detail): (&str, &str),
    ) -> Result<(), StoreError> {
        let shared = (merchant.to_owned(), by, subject.to_owned(), detail.to_owned());
        let shared = std::sync::Arc::new(shared);
        self.run(move |tx| {
            let shared = std::sync::Arc::clone(&shared);
            Box::pin(async move {
                let (merchant, by, subject, detail) = &*shared;
                tx.note(merchant, by, action, (subject, detail)).await
            })
        })
        .await
    }

    /// Reads the whole chain, the oldest entry first; `each` is given every one that is as it was
    /// written.
    pub async fn verify_audit(
        &self,
        merchant: &str,
        mut each: impl FnMut(&AuditRow),
    ) -> Result<Verified, StoreError> {
        let head = self.audit_head(merchant).await?;
        let mut verifier = Verifier::new(merchant);
        // What is appended meanwhile is read another time.
        let end = head.clone().map_or(i64::MAX, |head| head.position);
        loop {
            let read = verifier.last.position;
            let rows = self.audit_from(merchant, read, PAGE.min(end - read)).await?;
            for row in &rows {
                if !verifier.takes(row) {
                    return Ok(Verified::Broken(verifier.last.position + 1));
                }
                each(row);
            }
            if rows.is_empty() || verifier.last.position == end {
                break;
            }
        }
        let is_whole = head.unwrap_or_else(Head::nothing) == verifier.last;
        let next = verifier.last.position + 1;
        Ok(if is_whole { Verified::Whole(verifier.last) } else { Verified::Broken(next) })
    }

    /// Where the chain ends; none if nothing was ever done.
    pub async fn audit_head(&self, merchant: &str) -> Result<Option<Head>, StoreError> {
        let values = of_head(merchant);
        self.read(move |tx| {
            let values = values.clone();
            Box::pin(async move { tx.row(READ_HEAD, &values).await?.map(head).transpose() })
        })
        .await
    }

    /// The newest entries, the last one first.
    pub async fn newest_audit(
        &self,
        merchant: &str,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.audit(NEWEST, vec![merchant.into(), limit.into()]).await
    }

    async fn audit_from(
        &self,
        merchant: &str,
        after: i64,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.audit(FROM, vec![merchant.into(), after.into(), limit.into()]).await
    }

    async fn audit(
        &self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.read(move |tx| {
            let values = values.clone();
            Box::pin(async move {
                tx.rows(sql, &values).await?.into_iter().map(read).collect::<Result<_, _>>()
            })
        })
        .await
    }
}

impl Tx<'_> {
    /// Appends what is done in this transaction. It comes last in it: until its end nobody else appends.
    pub(super) async fn note(
        &mut self,
        merchant: &str,
        by: &By,
        action: Action,
        (subject, detail): (&str, &str),
    ) -> Result<(), StoreError> {
        let named = of_head(merchant);
        let last = match self.row(LOCK_HEAD, &named).await? {
            Some(row) => head(row)?,
            // Of two that write the first entry at once the database refuses one, which begins again.
            None => self.last_entry(merchant).await?,
        };
        let mut row = AuditRow {
            position: last.position + 1,
            at: by.at,
            who: by.who.clone(),
            action: action.word().to_owned(),
            subject: subject.to_owned(),
            detail: detail.to_owned(),
            previous: last.digest,
            digest: Vec::new(),
        };
        row.digest = row.right_digest(merchant);
        let head = row.head();
        let values = [
            merchant.into(),
            row.position.into(),
            row.at.0.into(),
            row.who.into(),
            row.action.into(),
            row.subject.into(),
            row.detail.into(),
            row.previous.as_slice().into(),
            row.digest.as_slice().into(),
        ];
        self.change(INSERT, &values).await?;
        let [merchant, name] = named;
        self.change(SET_HEAD, &[merchant, name, head.word().into()]).await?;
        Ok(())
    }

    async fn last_entry(&mut self, merchant: &str) -> Result<Head, StoreError> {
        let row = self.row(NEWEST, &[merchant.into(), 1.into()]).await?.map(read).transpose()?;
        Ok(row.map_or_else(Head::nothing, |row| row.head()))
    }
}

/// What names the row that holds where the chain ends.
fn of_head(merchant: &str) -> [Value; 2] {
    [merchant.into(), "audit_head".into()]
}

fn head(mut row: Row) -> Result<Head, StoreError> {
    let spoilt = || StoreError::Spoilt("the end of the audit cannot be read".to_owned());
    Head::of_word(&row.text()?).ok_or_else(spoilt)
}

fn read(mut row: Row) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        position: row.int()?,
        at: Timestamp(row.int()?),
        who: row.text()?,
        action: row.text()?,
        subject: row.text()?,
        detail: row.text()?,
        previous: row.bytes()?,
        digest: row.bytes()?,
    })
}
