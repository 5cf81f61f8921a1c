//! Refunds: begun by a till that has the right to it, and asked about.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use paytill_core::gateway::backend::message::{
    LONGEST_WAIT, Refund, RefundList, RefundRequest, Refused,
};
use paytill_core::order::OutTradeNo;

use super::App;
use super::signed::{Caller, Refusing};
use crate::desk;
use crate::store::{PaymentRow, RefundKey, RefundRow};
use crate::work::refunds::refusal;

/// How long a request is held open while the gateway has not answered.
const PATIENCE: Duration = Duration::from_millis(LONGEST_WAIT);

type Answer = Result<Response, Refusing>;

/// `PUT /v1/payments/{number}/refunds/{refund}`
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((number, refund)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    let (payment, key) = found(&app, &caller, number, refund).await?;
    let request: RefundRequest = serde_json::from_slice(&body)
        .map_err(|_| Refusing(Refused::BadRequest, "the body is not a refund"))?;
    let new = desk::refund(&caller.till, key.clone(), &request, app.work.now())?;
    let begun = app.work.begin_refund(new, caller.till.store.clone(), caller.till.rights).await?;
    if let Err(why) = begun {
        return Err(Refusing(refusal(&why), why.word()));
    }
    let row = app.work.refund_news(&key, PATIENCE).await?.ok_or(Refused::Failed)?;
    Ok(told(&app, &payment, &row))
}

/// `GET /v1/payments/{number}/refunds/{refund}`
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((number, refund)): Path<(String, String)>,
) -> Answer {
    let (payment, key) = found(&app, &caller, number, refund).await?;
    let row = app.work.refund_news(&key, Duration::ZERO).await?.ok_or(Refused::NotFound)?;
    Ok(told(&app, &payment, &row))
}

/// `GET /v1/payments/{number}/refunds`
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(number): Path<String>,
) -> Answer {
    let payment = payment(&app, &caller, number).await?;
    let refunds =
        app.work.parts.store.refunds(payment.key.clone()).await.map_err(|error| failed(&error))?;
    let refunds = refunds.iter().map(|row| object(&app, &payment, row)).collect();
    Ok(Json(RefundList { refunds }).into_response())
}

async fn found(
    app: &App,
    caller: &Caller,
    number: String,
    refund: String,
) -> Result<(PaymentRow, RefundKey), Refusing> {
    let payment = payment(app, caller, number).await?;
    let key = desk::refund_key(&payment, refund)?;
    Ok((payment, key))
}

/// A payment of the caller's store: any till there may give its money back, if it has the right to.
async fn payment(app: &App, caller: &Caller, number: String) -> Result<PaymentRow, Refusing> {
    let number = OutTradeNo::try_from(number)
        .map_err(|_| Refusing(Refused::BadRequest, "not an order number"))?;
    let row = app
        .work
        .parts
        .store
        .payment(app.work.key(&number))
        .await
        .map_err(|error| failed(&error))?;
    row.filter(|row| row.store == caller.till.store).ok_or_else(|| Refused::NotFound.into())
}

fn failed(error: &crate::store::StoreError) -> Refusing {
    tracing::error!(%error, "refunds cannot be read");
    Refused::Failed.into()
}

fn told(app: &App, payment: &PaymentRow, row: &RefundRow) -> Response {
    let status = if row.state.is_open() { StatusCode::ACCEPTED } else { StatusCode::OK };
    (status, Json(object(app, payment, row))).into_response()
}

fn object(app: &App, payment: &PaymentRow, row: &RefundRow) -> Refund {
    desk::refund_told(payment, row, app.work.now())
}
