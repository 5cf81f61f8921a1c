//! Payments of a day or a till, and the search for one.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use paytill_core::clean::clean;
use paytill_core::clock::{Date, Timestamp};
use paytill_core::order::OutTradeNo;

use super::session::Visitor;
use super::view::Item;
use super::{Frame, Pages, Problem, Tab, answer, is_full, page};
use crate::store::Filter;

/// How many a page lists.
const LISTED: i64 = 50;
/// The longest number that is searched for.
const NUMBER: usize = 64;

/// What is looked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    q: String,
    #[serde(default)]
    day: String,
    #[serde(default)]
    till: String,
    /// Only those from before this moment.
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "payments.html")]
struct PaymentsPage {
    f: Frame,
    q: String,
    day: String,
    till: String,
    tills: Vec<(String, bool)>,
    is_lost: bool,
    items: Vec<Item>,
    earlier: Option<i64>,
}

/// `GET /admin/payments`
pub(super) async fn list(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    // What cannot be read is as good as nothing.
    let Query(wanted) = wanted.unwrap_or_default();
    let made = made(&pages, visitor.clone(), wanted).await;
    answer(&visitor, made)
}

async fn made(pages: &Pages, visitor: Visitor, wanted: Wanted) -> Result<Response, Problem> {
    let q: String = clean(&wanted.q, NUMBER).split_whitespace().collect();
    if let Some(number) = found(pages, &q).await? {
        return Ok(Redirect::to(&format!("/admin/payments/{number}")).into_response());
    }
    let (store, merchant) = (pages.work.store(), pages.merchant());
    let day: Date = wanted.day.parse().unwrap_or_else(|_| pages.today());
    let (from, until) = pages.bounds(day);
    let till = Some(clean(&wanted.till, 8)).filter(|till| !till.is_empty());
    let filter = Filter {
        till: till.clone(),
        from: Some(from),
        until: Some(wanted.before.map_or(until, |before| until.min(Timestamp(before)))),
        limit: LISTED,
        ..Filter::default()
    };
    let is_lost = !q.is_empty();
    let rows = if is_lost { Vec::new() } else { store.payments(merchant, filter).await? };
    let eye = pages.eye(visitor.words);
    let is_full = is_full(rows.len(), LISTED);
    let till = till.unwrap_or_default();
    let tills = store.tills(merchant).await?.into_iter();
    Ok(page(&PaymentsPage {
        f: Frame::new(pages, visitor, Tab::Payments),
        q,
        day: day.to_string(),
        tills: tills.map(|row| (row.till.clone(), row.till == till)).collect(),
        till,
        is_lost,
        items: rows.iter().map(|row| eye.payment(row)).collect(),
        // Others of the same moment may not have found room: that moment is shown again.
        earlier: rows.last().filter(|_| is_full).map(|row| row.created_at.0 + 1),
    }))
}

/// The order with this number, or whose refund has it, or which the gateway calls so.
async fn found(pages: &Pages, q: &str) -> Result<Option<OutTradeNo>, Problem> {
    if q.is_empty() {
        return Ok(None);
    }
    let (store, merchant) = (pages.work.store(), pages.merchant());
    if let Ok(number) = OutTradeNo::try_from(q.to_owned())
        && let Some(row) = store.payment(pages.work.key(&number)).await?
    {
        return Ok(Some(row.key.out_trade_no));
    }
    if let Some(number) = store.of_transaction(merchant, q).await? {
        return Ok(Some(number));
    }
    Ok(store.of_refund(merchant, q).await?)
}
