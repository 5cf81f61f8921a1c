//! Refunds of a day.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use paytill_core::clock::Date;
use paytill_core::refund::RefundStatus;

use super::session::Visitor;
use super::view::RefundItem;
use super::{Frame, Pages, Problem, Tab, answer, is_full, page};
use crate::store::RefundRow;

/// How many are listed.
const LISTED: i64 = 200;

/// Which day.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    day: String,
}

#[derive(Template)]
#[template(path = "refunds.html")]
struct RefundsPage {
    f: Frame,
    day: String,
    /// Those of any day that have no end yet.
    open: Vec<RefundItem>,
    items: Vec<RefundItem>,
    is_cut: bool,
}

/// `GET /admin/refunds`
pub(super) async fn list(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    // What cannot be read is as good as nothing.
    let Query(wanted) = wanted.unwrap_or_default();
    let made = made(&pages, visitor.clone(), &wanted).await;
    answer(&visitor, made)
}

async fn made(pages: &Pages, visitor: Visitor, wanted: &Wanted) -> Result<Response, Problem> {
    let (store, merchant) = (pages.work.store(), pages.merchant());
    let day: Date = wanted.day.parse().unwrap_or_else(|_| pages.today());
    let rows = store.refunds_between(merchant, pages.bounds(day), LISTED).await?;
    let open = store.unresolved_refunds(merchant, LISTED).await?;
    let eye = pages.eye(visitor.words);
    let currency = pages.work.parts.desk.currency;
    let needs_somebody = |row: &RefundRow| row.state.status() == RefundStatus::Attention;
    let open = open.iter().filter(|row| row.state.is_open() || needs_somebody(row));
    Ok(page(&RefundsPage {
        day: day.to_string(),
        open: open.map(|row| eye.refund(row, currency)).collect(),
        items: rows.iter().map(|row| eye.refund(row, currency)).collect(),
        is_cut: is_full(rows.len(), LISTED),
        f: Frame::new(pages, visitor, Tab::Refunds),
    }))
}
