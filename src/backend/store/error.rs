//! Why the store did not do something.

use paytill_core::both;
use paytill_core::clean::clean;
use paytill_core::language::Text;

/// Why the store did not do something. Nothing was changed, for certain, but for [`Self::Unsure`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StoreError {
    /// The commit went out and its answer did not come: whether the change was made is not known.
    #[error("it is not known whether the database has written it: {0}")]
    Unsure(String),
    /// It cannot be reached, or was lost before the commit.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    #[error("the database's disk is full")]
    Full,
    #[error("the database is read-only")]
    ReadOnly,
    /// Somebody else held it for too long.
    #[error("the database is busy")]
    Busy,
    /// Another transaction came in between: once more.
    #[error("another transaction came in between")]
    Again,
    /// Its schema is another version's.
    #[error("the database has schema {found}, this program needs {needed}")]
    Schema { found: i64, needed: i64 },
    /// Another backend serves on the same file.
    #[error("another backend has this database open")]
    Held,
    /// A text that not every database can hold.
    #[error("a text holds what the database cannot store")]
    Text,
    /// What was read is not what this program writes.
    #[error("the database holds something unexpected: {0}")]
    Spoilt(String),
    #[error("the database failed: {0}")]
    Failed(String),
}

impl StoreError {
    /// One sentence for people: what is wrong and what to do.
    pub fn sentence(&self) -> Text {
        match self {
            Self::Unsure(why) => both!(
                "it is not known whether the database has written it ({why}): look at it again",
                "无法确定数据库是否已写入（{why}）：请重新查询"
            ),
            Self::Unreachable(why) => both!(
                "the database cannot be reached ({why}): check that it runs and that database.url is \
                 right",
                "无法连接数据库（{why}）：请检查数据库是否在运行、database.url 是否正确"
            ),
            Self::Full => both!(
                "the disk of the database is full: nothing can be recorded, so nothing is sent",
                "数据库磁盘已满：无法记录，因此不会发出任何请求"
            ),
            Self::ReadOnly => both!(
                "the database is read-only: nothing can be recorded, so nothing is sent",
                "数据库为只读：无法记录，因此不会发出任何请求"
            ),
            Self::Busy | Self::Again => {
                both!("the database is busy; try again", "数据库繁忙，请重试")
            }
            Self::Schema { found: 0, .. } => both!(
                "the database is empty: run `paytill-backend migrate` first",
                "数据库为空：请先运行 paytill-backend migrate"
            ),
            Self::Schema { found, needed } if found < needed => both!(
                "the database has schema {found} and this program needs {needed}: run \
                 `paytill-backend migrate`",
                "数据库结构版本为 {found}，本程序需要 {needed}：请运行 paytill-backend migrate"
            ),
            Self::Schema { found, needed } => both!(
                "the database has schema {found}, which is newer than this program's {needed}: use a \
                 newer paytill-backend",
                "数据库结构版本 {found} 比本程序的 {needed} 新：请使用更新的 paytill-backend"
            ),
            Self::Held => both!(
                "another paytill-backend serves on this database file",
                "另一个 paytill-backend 正在使用此数据库文件"
            ),
            Self::Text => both!(
                "a text holds a character that the database cannot store",
                "文本中含有数据库无法保存的字符"
            ),
            Self::Spoilt(what) => both!(
                "the database holds something that this program did not write: {what}",
                "数据库中有非本程序写入的内容：{what}"
            ),
            Self::Failed(why) => both!("the database failed: {why}", "数据库出错：{why}"),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::CannotOpen | ErrorCode::NotADatabase) => {
                Self::Unreachable(clean(&error.to_string(), 200))
            }
            _ => Self::Failed(clean(&error.to_string(), 200)),
        }
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;
        let why = described(&error);
        let Some(state) = error.code() else {
            // A statement of ours that is wrong says nothing about the connection.
            let source = std::error::Error::source(&error);
            let is_ours =
                source.is_some_and(<dyn std::error::Error>::is::<tokio_postgres::types::WrongType>);
            return if is_ours { Self::Failed(why) } else { Self::Unreachable(why) };
        };
        match *state {
            // A number or a table that somebody else has made since it was looked for.
            SqlState::T_R_SERIALIZATION_FAILURE
            | SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::UNIQUE_VIOLATION
            | SqlState::DUPLICATE_TABLE
            | SqlState::DUPLICATE_OBJECT => Self::Again,
            SqlState::DISK_FULL => Self::Full,
            SqlState::READ_ONLY_SQL_TRANSACTION => Self::ReadOnly,
            SqlState::LOCK_NOT_AVAILABLE
            | SqlState::QUERY_CANCELED
            | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Self::Busy,
            SqlState::UNDEFINED_TABLE => Self::Schema { found: 0, needed: super::VERSION },
            SqlState::CHARACTER_NOT_IN_REPERTOIRE | SqlState::UNTRANSLATABLE_CHARACTER => {
                Self::Text
            }
            SqlState::ADMIN_SHUTDOWN
            | SqlState::CRASH_SHUTDOWN
            | SqlState::CANNOT_CONNECT_NOW
            | SqlState::TOO_MANY_CONNECTIONS
            | SqlState::INVALID_CATALOG_NAME
            | SqlState::INVALID_PASSWORD
            | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => Self::Unreachable(why),
            _ if state.code().starts_with("08") => Self::Unreachable(why),
            _ => Self::Failed(why),
        }
    }
}

impl StoreError {
    /// What a commit of SQLite's that failed means. After a failed flush, what it was to flush may
    /// still be found after a crash.
    pub(super) fn of_commit_sqlite(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::SystemIoFailure) | None => Self::Unsure(clean(&error.to_string(), 200)),
            Some(_) => error.into(),
        }
    }

    /// What a commit of PostgreSQL's that failed means: it was not made only if the server says so and
    /// goes on. One that stops may have made it, and so may one of which nothing is heard.
    pub(super) fn of_commit_postgres(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::{Severity, SqlState};
        let is_refused = error.as_db_error().is_some_and(|error| {
            error.parsed_severity() == Some(Severity::Error)
                && *error.code() != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
                && !error.code().code().starts_with("08")
        });
        if is_refused { error.into() } else { Self::Unsure(described(&error)) }
    }

    /// The same for something that changes nothing: a lost commit of it is a lost connection.
    pub(super) fn of_reading(self) -> Self {
        if let Self::Unsure(why) = self { Self::Unreachable(why) } else { self }
    }
}

impl From<deadpool_postgres::PoolError> for StoreError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Backend(error) => error.into(),
            deadpool_postgres::PoolError::Timeout(_) => Self::Busy,
            other => Self::Unreachable(clean(&other.to_string(), 200)),
        }
    }
}

/// What went wrong. The server's details are left out: they quote whole rows.
fn described(error: &tokio_postgres::Error) -> String {
    let text = match error.as_db_error() {
        Some(error) => format!("{} ({})", error.message(), error.code().code()),
        None => chain(error),
    };
    clean(&text, 200)
}

/// An error with its causes: the outermost alone says little.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
