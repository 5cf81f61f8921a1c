//! `paytill-backend audit`: what people did, and whether that is still as it was written.

use serde_json::json;

use paytill_core::clean::clean;
use paytill_core::language::Language;
use paytill_core::say;

use super::open::Books;
use super::{print_line, print_message};
use crate::exit::{Exit, Failure};
use crate::store::{AuditRow, Head, Verified};

pub(super) async fn run(
    books: &Books<'_>,
    json: bool,
    language: Language,
) -> Result<Exit, Failure> {
    let zone = &books.config.time_zone;
    let print = |row: &AuditRow| {
        let AuditRow { position, who, action, subject, detail, .. } = row;
        if json {
            let at = row.at.to_rfc3339();
            let line = json!({
                "position": position, "at": at, "who": who, "action": action, "subject": subject,
                "detail": detail, "digest": row.head().hex(),
            });
            return print_line(&line.to_string());
        }
        let at = row.at.local("%Y-%m-%d %H:%M:%S", zone);
        // Some of it was typed by whoever was not let in.
        let rest = clean(&format!("{who}  {action}  {subject}  {detail}"), 500);
        print_line(format!("{at}  {position:>6}  {rest}").trim_end());
    };
    let verified = books.ready().await?.verify_audit(&books.merchant(), print).await?;
    let (head, broken_at) = match &verified {
        Verified::Whole(head) => (Some(head), None),
        Verified::Broken(position) => (None, Some(*position)),
    };
    if json {
        let digest = head.map(Head::hex);
        let entries = head.map(|head| head.position);
        let line = json!({ "entries": entries, "digest": digest, "broken_at": broken_at });
        print_line(&line.to_string());
    }
    match verified {
        Verified::Whole(head) => {
            if !json {
                let (count, digest) = (head.position, head.hex());
                print_message(&say!(
                    language,
                    "{count} entries, all as they were written, up to {digest}",
                    "共 {count} 条，均未被改动，末条摘要 {digest}"
                ));
            }
            Ok(Exit::Done)
        }
        Verified::Broken(position) => Err(Failure::new(Exit::Database, broken(position))),
    }
}

/// The chain is broken there.
pub(super) fn broken(position: i64) -> paytill_core::language::Text {
    paytill_core::both!(
        "entry {position} is not as it was written, or is gone: somebody has changed the database; keep \
         a copy of it before anything else",
        "第 {position} 条记录已被改动或缺失：有人改动过数据库，请先保留一份副本"
    )
}
