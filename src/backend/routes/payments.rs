//! Payments: begun, asked about, taken back.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use zeroize::Zeroizing;

use paytill_core::clock::Timestamp;
use paytill_core::gateway::backend::message::{
    Hello, LONGEST_WAIT, Payment, PaymentList, PaymentRequest, Refused,
};
use paytill_core::payment::Status;
use paytill_host::random;

use super::App;
use super::signed::{Caller, Refusing};
use crate::desk;
use crate::metrics::Shed;
use crate::store::{Filter, PaymentRow};

/// How long a request to be paid is held open while the gateway has not answered.
const PATIENCE: Duration = Duration::from_millis(LONGEST_WAIT);
/// How many payments are listed at once.
const PAGE: i64 = 100;

const NO_QUERY: Refusing = Refusing(Refused::BadRequest, "the query is not as described");

type Answer = Result<Response, Refusing>;

/// `PUT /v1/payments/{number}`
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(number): Path<String>,
    body: Bytes,
) -> Answer {
    let body = Zeroizing::new(body.to_vec());
    let out_trade_no = desk::own_number(&caller.till, number)?;
    let request: PaymentRequest = serde_json::from_slice(&body)
        .map_err(|_| Refusing(Refused::BadRequest, "the body is not a payment"))?;
    let jitter = random::draw::<1>().map_or(0, |[jitter]| jitter);
    let desk = &app.work.parts.desk;
    let new = desk.payment(&caller.till, out_trade_no, &request, app.work.now(), jitter)?;
    let key = new.key.clone();
    // The limit proves that a payment was not sent on, so it is told of none that is known here.
    if !app.may_begin(&caller.till.till)
        && app.work.news(&key, None, Duration::ZERO).await?.is_none()
    {
        app.work.metrics.shed(Shed::Till);
        return Err(Refusing(Refused::Limit, "too many new payments in a minute"));
    }
    let begun = app.work.begin(new, request.auth_code).await?;
    let row = if begun.state.status() == Status::Sent {
        app.work.news(&key, Some(begun.version), PATIENCE).await?.unwrap_or(begun)
    } else {
        begun
    };
    Ok(told(&app, &row))
}

#[derive(Deserialize)]
pub(super) struct Asked {
    known: Option<i64>,
    wait_ms: Option<u64>,
}

/// `GET /v1/payments/{number}`
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(number): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Answer {
    let Query(asked) = asked.map_err(|_| NO_QUERY)?;
    let out_trade_no = desk::own_number(&caller.till, number)?;
    let wait = Duration::from_millis(asked.wait_ms.unwrap_or(0).min(LONGEST_WAIT));
    let row = app.work.answer(&app.work.key(&out_trade_no), asked.known, wait).await?;
    match row {
        Some(row) if row.till == caller.till.till => Ok(told(&app, &row)),
        Some(_) | None => Err(Refused::NotFound.into()),
    }
}

/// `POST /v1/payments/{number}/reversal` and `/close`: also for a till that was locked, since what is
/// open must end.
pub(super) async fn reverse(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(number): Path<String>,
) -> Answer {
    let out_trade_no = desk::own_number(&caller.till, number)?;
    let unseen = app.work.parts.desk.unseen(&caller.till, out_trade_no, app.work.now());
    let row = app.work.reverse(unseen).await?;
    Ok(told(&app, &row))
}

/// `POST /v1/payments/{number}/seen`: the till has it on record as paid. It is the till's own word, so a
/// locked till may say it, too.
pub(super) async fn seen(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(number): Path<String>,
) -> Answer {
    let out_trade_no = desk::own_number(&caller.till, number)?;
    let key = app.work.key(&out_trade_no);
    let row = app.work.acknowledged(key, &caller.till.till).await?.ok_or(Refused::NotFound)?;
    Ok(told(&app, &row))
}

#[derive(Deserialize)]
pub(super) struct Listed {
    transaction_id: Option<String>,
    #[serde(default)]
    open: bool,
    after: Option<i64>,
}

/// `GET /v1/payments`: what this till may see.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    listed: Result<Query<Listed>, QueryRejection>,
) -> Answer {
    let Query(listed) = listed.map_err(|_| NO_QUERY)?;
    let store = &app.work.parts.store;
    let failed = |error| {
        tracing::error!(%error, "payments cannot be listed");
        Refusing::from(Refused::Failed)
    };
    let rows = if let Some(id) = &listed.transaction_id {
        let number = store.of_transaction(app.work.merchant(), id).await.map_err(failed)?;
        match number {
            Some(number) => store.payment(app.work.key(&number)).await.map_err(failed)?,
            None => None,
        }
        .into_iter()
        .filter(|row| row.till == caller.till.till)
        .collect()
    } else {
        let filter = Filter {
            till: Some(caller.till.till.clone()),
            until: listed.after.map(Timestamp),
            open: listed.open,
            limit: PAGE,
            ..Filter::default()
        };
        store.payments(app.work.merchant(), filter).await.map_err(failed)?
    };
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count >= PAGE);
    let next = rows.last().filter(|_| is_full).map(|row| row.created_at.0.to_string());
    let payments = rows.iter().map(|row| object(&app, row)).collect();
    Ok(Json(PaymentList { payments, next }).into_response())
}

/// `GET /v1/hello`
pub(super) async fn hello(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Answer {
    if caller.till.revoked_at.is_some() {
        return Err(Refused::Revoked.into());
    }
    Ok(Json(Hello {
        now: app.work.now().0,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        merchant: app.work.merchant().to_owned(),
        store: caller.till.store,
        till: caller.till.till,
        currency: app.work.parts.desk.currency.code().to_owned(),
        rules: (&app.work.parts.desk.rules).into(),
        rights: caller.till.rights,
    })
    .into_response())
}

fn told(app: &App, row: &PaymentRow) -> Response {
    let status = if row.state.is_settled() { StatusCode::OK } else { StatusCode::ACCEPTED };
    (status, Json(object(app, row))).into_response()
}

fn object(app: &App, row: &PaymentRow) -> Payment {
    app.work.tells(row);
    desk::told(row, app.work.now())
}
