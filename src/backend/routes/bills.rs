//! The gateway's bill of a day, as far as it is the till's own.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use paytill_core::bill::beijing;
use paytill_core::clock::Date;
use paytill_core::gateway::backend::message::Refused;
use paytill_core::order::TillId;

use super::App;
use super::signed::{Caller, Refusing};

#[derive(Deserialize)]
pub(super) struct Listed {
    after: Option<usize>,
}

/// `GET /v1/bills/{date}`
pub(super) async fn page(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(date): Path<String>,
    Query(listed): Query<Listed>,
) -> Result<Response, Refusing> {
    if caller.till.revoked_at.is_some() {
        return Err(Refused::Revoked.into());
    }
    let day = date.parse::<Date>().ok().filter(|day| *day <= app.work.now().day(&beijing()));
    let day = day.ok_or(Refusing(Refused::BadRequest, "not a day that has a bill"))?;
    let till = TillId::new(&caller.till.till).ok_or(Refused::NotAllowed)?;
    Ok(Json(app.bills.page(day, till, listed.after.unwrap_or(0)).await).into_response())
}
