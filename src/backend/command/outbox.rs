//! `paytill-backend outbox`: what the merchant's systems were told, and what not.

use clap::Subcommand;

use paytill_core::both;
use paytill_core::clean::clean;
use paytill_core::clock::Timestamp;
use paytill_core::language::Language;

use super::open::Books;
use super::{print_line, print_message};
use crate::exit::{Exit, Failure};
use crate::store::OutboxRow;

/// How many are listed.
const LISTED: i64 = 1000;

/// `paytill-backend outbox`
#[derive(Debug, Subcommand)]
pub enum OutboxCommand {
    /// What the merchant's systems are to be told, the newest first.
    List {
        /// Only what is not tried any more.
        #[arg(long)]
        dead: bool,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Tell something again, from the first attempt on: KIND and SUBJECT as the list has them.
    Resend { kind: String, subject: String },
}

pub(super) async fn run(
    books: &Books<'_>,
    command: &OutboxCommand,
    language: Language,
) -> Result<Exit, Failure> {
    match command {
        OutboxCommand::List { dead, json } => list(books, *dead, *json, language).await,
        OutboxCommand::Resend { kind, subject } => resend(books, kind, subject, language).await,
    }
}

async fn list(
    books: &Books<'_>,
    only_dead: bool,
    json: bool,
    language: Language,
) -> Result<Exit, Failure> {
    let rows = books.ready().await?.outbox(&books.merchant(), only_dead, LISTED).await?;
    for row in rows {
        if json {
            print_line(&object(&row).to_string());
            continue;
        }
        let OutboxRow { kind, subject, tries, last_error, .. } = &row;
        let created_at = row.created_at.to_rfc3339();
        let state = match (row.done_at, row.due_at) {
            (Some(_), _) => language.pick("told", "已通知"),
            (None, Some(_)) => language.pick("waiting", "待通知"),
            (None, None) => language.pick("given up", "已放弃"),
        };
        let line = format!("{created_at}  {kind}  {subject}  {state}  {tries}  {last_error}");
        print_line(line.trim_end());
    }
    Ok(Exit::Done)
}

fn object(row: &OutboxRow) -> serde_json::Value {
    let state = match (row.done_at, row.due_at) {
        (Some(_), _) => "done",
        (None, Some(_)) => "waiting",
        (None, None) => "dead",
    };
    serde_json::json!({
        "kind": row.kind,
        "subject": row.subject,
        "state": state,
        "tries": row.tries,
        "created_at": row.created_at.to_rfc3339(),
        "due_at": row.due_at.map(Timestamp::to_rfc3339),
        "done_at": row.done_at.map(Timestamp::to_rfc3339),
        "last_error": row.last_error,
    })
}

async fn resend(
    books: &Books<'_>,
    kind: &str,
    subject: &str,
    language: Language,
) -> Result<Exit, Failure> {
    let opened = books.ready().await?;
    if opened.resend(&books.merchant(), (kind, subject), books.by()).await? {
        print_message(
            language
                .pick("it is sent again as soon as the backend runs", "后端运行时将立即重新发送"),
        );
        return Ok(Exit::Done);
    }
    let (kind, subject) = (clean(kind, 40), clean(subject, 64));
    Err(Failure::usage(both!(
        "there is nothing to tell of {subject} under {kind}; see paytill-backend outbox list",
        "没有 {subject} 的 {kind} 通知；请查看 paytill-backend outbox list"
    )))
}
