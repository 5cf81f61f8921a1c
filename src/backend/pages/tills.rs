//! The tills, and the button that locks one.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};

use paytill_core::gateway::backend::enrolment;
use paytill_core::gateway::backend::message::Rights;
use paytill_core::money::{Currency, Money};

use super::session::Visitor;
use super::view::amount;
use super::words::PageWords;
use super::{Frame, Pages, Problem, Tab, answer, page};
use crate::store::{By, TillRow};

#[derive(Template)]
#[template(path = "tills.html")]
struct TillsPage {
    f: Frame,
    tills: Vec<Shown>,
}

#[derive(Template)]
#[template(path = "lock.html")]
struct LockPage {
    f: Frame,
    till: Shown,
}

/// A till as it is shown.
struct Shown {
    till: String,
    store: String,
    state: &'static str,
    class: &'static str,
    may_be_locked: bool,
    heard: String,
    heard_at: String,
    rights: String,
    comparison: String,
    program: String,
}

/// `GET /admin/tills`
pub(super) async fn list(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let made = async {
        let tills = pages.work.store().tills(pages.merchant()).await?;
        let tills = tills.iter().map(|till| shown(till, &pages, visitor.words)).collect();
        Ok(page(&TillsPage { tills, f: Frame::new(&pages, visitor.clone(), Tab::Tills) }))
    };
    let made = made.await;
    answer(&visitor, made)
}

/// `GET /admin/tills/{till}/lock`: asks whether that is meant.
pub(super) async fn question(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
    Path(till): Path<String>,
) -> Response {
    let made = async {
        let row = pages.work.store().till(pages.merchant(), &till).await?;
        let till = shown(&row.ok_or(Problem::NotFound)?, &pages, visitor.words);
        Ok(page(&LockPage { till, f: Frame::new(&pages, visitor.clone(), Tab::Tills) }))
    };
    let made = made.await;
    answer(&visitor, made)
}

/// `POST /admin/tills/{till}/lock`
pub(super) async fn lock(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
    Path(till): Path<String>,
) -> Response {
    let made = async {
        let (store, merchant) = (pages.work.store(), pages.merchant());
        let row = store.till(merchant, &till).await?.ok_or(Problem::NotFound)?;
        let by = By::admin(&visitor.name, pages.work.now());
        if store.revoke(merchant, &row.till, by).await? {
            tracing::info!(till = row.till, by = visitor.name, "a till was locked");
        }
        Ok(Redirect::to("/admin/tills").into_response())
    };
    let made = made.await;
    answer(&visitor, made)
}

fn shown(row: &TillRow, pages: &Pages, w: PageWords) -> Shown {
    let (state, class) = match (&row.key, row.revoked_at) {
        (_, Some(_)) => (w.locked(), "bad"),
        (None, None) => (w.not_enrolled(), "quiet"),
        (Some(_), None) => (w.works(), "good"),
    };
    let eye = pages.eye(w);
    let comparison = row.key.map(|key| enrolment::comparison(&key, &pages.key));
    Shown {
        till: row.till.clone(),
        store: row.store.clone(),
        state,
        class,
        may_be_locked: row.revoked_at.is_none(),
        heard: row.last_seen_at.map_or_else(|| w.never().to_owned(), |at| eye.ago(at)),
        heard_at: row.last_seen_at.map(|at| eye.time(at)).unwrap_or_default(),
        rights: rights(&row.rights, pages.work.parts.desk.currency, w),
        comparison: comparison.unwrap_or_else(|| "–".to_owned()),
        program: row.program.clone(),
    }
}

fn rights(rights: &Rights, currency: Currency, w: PageWords) -> String {
    let show = |minor| amount(currency, Money::from_minor(minor));
    let refunds = (rights.refund_up_to > 0)
        .then(|| w.may_refund(&show(rights.refund_up_to), &show(rights.refund_per_day)));
    let charge = rights.charge.then(|| w.may_charge().to_owned());
    let codes = (rights.charge && rights.qr).then(|| w.may_show_codes().to_owned());
    let all: Vec<_> = [charge, codes, refunds].into_iter().flatten().collect();
    if all.is_empty() {
        return w.may_nothing().to_owned();
    }
    all.join(w.language().pick(", ", "、"))
}
