//! What came of the gateway's bills of the last days.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use paytill_core::bill::beijing;
use paytill_core::clock::Date;
use paytill_core::money::{Currency, Money};
use paytill_core::text::bill::BillWords;

use super::session::Visitor;
use super::view::{Eye, amount};
use super::{Frame, Pages, Problem, Tab, answer, page};
use crate::store::{BillDifference, BillRow, BillSide, StoreError};

/// So many days are shown.
const DAYS: i64 = 14;

#[derive(Template)]
#[template(path = "bills.html")]
struct BillsPage {
    f: Frame,
    days: Vec<Day>,
}

/// A day's bill against the books.
struct Day {
    date: String,
    compared: String,
    matched: i64,
    differ: i64,
    found: Vec<Found>,
    /// There are more differences than are listed.
    is_cut: bool,
}

/// In what they differ.
struct Found {
    order: String,
    refund: String,
    at: String,
    what: String,
    here: String,
    bill: String,
}

/// `GET /admin/bills`
pub(super) async fn list(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let made = made(&pages, visitor.clone()).await;
    answer(&visitor, made)
}

/// Those of the last days, the newest first.
pub(super) async fn last(pages: &Pages) -> Result<Vec<BillRow>, StoreError> {
    let today = pages.work.now().day(&beijing());
    let from: Date = today.checked_sub(jiff::Span::new().days(DAYS)).unwrap_or(today);
    pages.work.store().bills(pages.merchant(), from, DAYS + 1).await
}

async fn made(pages: &Pages, visitor: Visitor) -> Result<Response, Problem> {
    let eye = pages.eye(visitor.words);
    let rows = last(pages).await?;
    let days = rows.iter().map(|row| Day {
        date: row.day.to_string(),
        compared: eye.w.compared(&eye.time(row.compared_at)),
        matched: row.matched,
        differ: row.differ,
        found: row.differences.iter().map(|found| shown(&eye, found)).collect(),
        is_cut: i64::try_from(row.differences.len()).is_ok_and(|listed| listed < row.differ),
    });
    let days = days.collect();
    Ok(page(&BillsPage { days, f: Frame::new(pages, visitor, Tab::Bills) }))
}

fn shown(eye: &Eye, found: &BillDifference) -> Found {
    let side = |side: &Option<BillSide>| match side {
        None => eye.w.nothing().to_owned(),
        Some(side) => match Currency::from_code(&side.currency) {
            Some(currency) => amount(currency, Money::from_minor(side.amount)),
            None => String::new(),
        },
    };
    Found {
        order: found.order_no.clone(),
        refund: found.refund_no.clone(),
        at: found.at.map(|at| eye.time(at)).unwrap_or_default(),
        what: BillWords::of(eye.w.language()).cause(found.cause),
        here: side(&found.here),
        bill: side(&found.bill),
    }
}
