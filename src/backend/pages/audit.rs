//! What people did, the newest first.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use super::session::Visitor;
use super::view::Eye;
use super::words::PageWords;
use super::{Frame, Pages, Problem, Tab, answer, is_full, page};
use crate::store::{Action, AuditRow};

/// How many are listed.
const LISTED: i64 = 200;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    f: Frame,
    entries: Vec<Entry>,
    is_cut: bool,
}

/// An entry as it is shown.
struct Entry {
    position: i64,
    at: String,
    who: String,
    what: String,
    subject: String,
    detail: String,
    class: &'static str,
}

/// `GET /admin/audit`
pub(super) async fn list(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let made = async {
        let rows = pages.work.store().newest_audit(pages.merchant(), LISTED).await?;
        let eye = pages.eye(visitor.words);
        let entries = rows.into_iter().map(|row| shown(row, &eye)).collect::<Vec<_>>();
        let is_cut = is_full(entries.len(), LISTED);
        let f = Frame::new(&pages, visitor.clone(), Tab::Audit);
        Ok::<_, Problem>(page(&AuditPage { f, entries, is_cut }))
    };
    let made = made.await;
    answer(&visitor, made)
}

fn shown(row: AuditRow, eye: &Eye) -> Entry {
    let action = Action::from_word(&row.action);
    Entry {
        position: row.position,
        at: eye.time(row.at),
        who: actor(&row.who, eye.w),
        what: action.map_or(row.action, |action| named(action, eye.w).to_owned()),
        subject: row.subject,
        detail: row.detail,
        class: if action == Some(Action::LoginFailed) { "bad" } else { "quiet" },
    }
}

fn actor(who: &str, w: PageWords) -> String {
    match who.split_once(':') {
        Some(("admin" | "address", name)) => name.to_owned(),
        Some(("till", till)) => w.at_a_till(till),
        Some(("command", who)) => w.by_command(who),
        Some(_) | None => who.to_owned(),
    }
}

const fn named(action: Action, w: PageWords) -> &'static str {
    match action {
        Action::TillAdded => w.till_added(),
        Action::TillEnrolled => w.till_enrolled(),
        Action::TillRevoked => w.till_revoked(),
        Action::AdminAdded => w.admin_added(),
        Action::AdminRemoved => w.admin_removed(),
        Action::LoggedIn => w.logged_in(),
        Action::LoginFailed => w.login_failed(),
        Action::MessageResent => w.message_resent(),
        Action::Recovered => w.recovered(),
        Action::Refunded => w.refund_begun(),
    }
}
