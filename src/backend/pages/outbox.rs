//! What the merchant's own systems could not be told, and a button to try again.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};

use paytill_core::payment::Status;
use paytill_core::text;

use super::session::{Posted, Visitor};
use super::view::{Eye, refund_status};
use super::words::PageWords;
use super::{Frame, Pages, Problem, Tab, answer, is_full, page};
use crate::store::{By, OutboxRow};

/// How many are listed.
const LISTED: i64 = 200;

#[derive(Template)]
#[template(path = "messages.html")]
struct MessagesPage {
    f: Frame,
    messages: Vec<Message>,
    is_cut: bool,
}

/// A message as it is shown.
struct Message {
    kind: String,
    subject: String,
    what: String,
    at: String,
    tries: String,
    error: String,
}

/// `GET /admin/messages`
pub(super) async fn list(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let made = async {
        let rows = pages.work.store().outbox(pages.merchant(), true, LISTED).await?;
        let eye = pages.eye(visitor.words);
        let messages = rows.into_iter().map(|row| shown(row, &eye)).collect::<Vec<_>>();
        let is_cut = is_full(messages.len(), LISTED);
        let f = Frame::new(&pages, visitor.clone(), Tab::Messages);
        Ok::<_, Problem>(page(&MessagesPage { f, messages, is_cut }))
    };
    let made = made.await;
    answer(&visitor, made)
}

/// `POST /admin/messages/resend`
pub(super) async fn resend(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
    Extension(posted): Extension<Posted>,
) -> Response {
    let made = async {
        let by = By::admin(&visitor.name, pages.work.now());
        let named = (posted.field("kind"), posted.field("subject"));
        if !pages.work.store().resend(pages.merchant(), named, by).await? {
            return Err(Problem::NotFound);
        }
        tracing::info!(subject = named.1, by = visitor.name, "a message is sent again");
        Ok(Redirect::to("/admin/messages").into_response())
    };
    let made = made.await;
    answer(&visitor, made)
}

fn shown(row: OutboxRow, eye: &Eye) -> Message {
    Message {
        what: named(&row.kind, eye.w),
        at: eye.time(row.created_at),
        tries: eye.w.tries(row.tries),
        kind: row.kind,
        subject: row.subject,
        error: row.last_error,
    }
}

/// A kind of message in words; as it is called where there are none.
fn named(kind: &str, w: PageWords) -> String {
    let known = match kind.split_once('.') {
        Some(("payment", word)) => {
            Status::from_word(word).map(|status| w.of_payment(w.status(status)))
        }
        Some(("refund", word)) => {
            refund_status(word).map(|status| text::refund::word(status, w.language()).to_owned())
        }
        Some(_) | None => None,
    };
    let late = (kind == "payment.paid_late").then(|| w.paid_late().to_owned());
    let mismatch = kind.ends_with(".mismatch").then(|| w.mismatch().to_owned());
    known.or(late).or(mismatch).unwrap_or_else(|| kind.to_owned())
}
