//! Payments: begun, asked about, taken back.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use zeroize::Zeroizing;

use paytill_core::clean::clean;
use paytill_core::clock::{Millis, Timestamp};
use paytill_core::gateway::backend::message::{
    Channel, Hello, LONGEST_WAIT, Payment, PaymentList, PaymentRequest, Refused,
};
use paytill_core::money::{Currency, Money};
use paytill_core::order::{Order, OutTradeNo, TillId};
use paytill_core::payment::{State as PaymentState, Status};

use super::App;
use super::signed::{Caller, Refusing};
use crate::store::{Filter, PaymentRow};
use crate::work::decide;

/// How long a request to be paid is held open while the gateway has not answered.
const PATIENCE: Duration = Duration::from_millis(LONGEST_WAIT);
/// How long a code of ours may be scanned at most.
const LONGEST_CODE: Millis = Millis::seconds(2 * 3600);
/// How many payments are listed at once.
const PAGE: i64 = 100;

type Answer = Result<Response, Refusing>;

/// `PUT /v1/payments/{number}`
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(number): Path<String>,
    body: Bytes,
) -> Answer {
    let body = Zeroizing::new(body.to_vec());
    let out_trade_no = own_number(&caller, number)?;
    let request: PaymentRequest = serde_json::from_slice(&body)
        .map_err(|_| Refusing(Refused::BadRequest, "the body is not a payment"))?;
    let rights = caller.till.rights;
    let may = match request.channel {
        Channel::Micropay => rights.charge,
        Channel::Native => rights.charge && rights.qr,
    };
    if caller.till.revoked_at.is_some() {
        return Err(Refused::Revoked.into());
    }
    if !may {
        return Err(Refused::NotAllowed.into());
    }
    if request.auth_code.is_some() != (request.channel == Channel::Micropay) {
        return Err(Refusing(Refused::BadRequest, "auth_code belongs to micropay alone"));
    }
    if request.amount <= 0 || Currency::from_code(&request.currency) != Some(app.currency) {
        return Err(Refusing(Refused::BadRequest, "amount or currency"));
    }
    let new = row(&app, &caller, out_trade_no, &request);
    let key = new.key.clone();
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
    Query(asked): Query<Asked>,
) -> Answer {
    let out_trade_no = own_number(&caller, number)?;
    let wait = Duration::from_millis(asked.wait_ms.unwrap_or(0).min(LONGEST_WAIT));
    let row = app.work.news(&app.work.key(&out_trade_no), asked.known, wait).await?;
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
    let out_trade_no = own_number(&caller, number)?;
    let order = Order::of_number(out_trade_no, app.work.parts.merchant.clone(), app.currency);
    let unseen = PaymentRow {
        state: decide::never_came(),
        fingerprint: Vec::new(),
        ..fresh(&app, &caller, order, Channel::Micropay)
    };
    let row = app.work.reverse(unseen).await?;
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
    Query(listed): Query<Listed>,
) -> Answer {
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
        currency: app.currency.code().to_owned(),
        rules: (&app.work.parts.rules).into(),
        rights: caller.till.rights,
    })
    .into_response())
}

/// A number that this till may use: those that begin with its id.
fn own_number(caller: &Caller, number: String) -> Result<OutTradeNo, Refusing> {
    let not_own = Refusing(Refused::NotAllowed, "not a number of this till");
    let Ok(number) = OutTradeNo::try_from(number) else { return Err(not_own) };
    let till = TillId::new(&caller.till.till);
    if till.is_some_and(|till| number.is_of(&till)) { Ok(number) } else { Err(not_own) }
}

fn row(app: &App, caller: &Caller, number: OutTradeNo, request: &PaymentRequest) -> PaymentRow {
    let order = Order {
        out_trade_no: number,
        amount: Money::from_minor(request.amount),
        currency: app.currency,
        merchant: app.work.parts.merchant.clone(),
        body: cut(&clean(&request.description, 127), 127),
        device_info: cut(&clean(&request.device, 32), 32),
        client_ip: cut(&clean(&request.client_ip, 45), 45),
        mark: cut(&clean(&request.mark, 32), 32),
    };
    let amount = request.amount.to_string();
    let lasts = request.lasts_ms.map(|lasts| lasts.to_string()).unwrap_or_default();
    let code = request.auth_code.as_ref().map(|code| code.expose()).unwrap_or_default();
    let fingerprint = app.work.fingerprint(&[
        request.channel.word(),
        &amount,
        &request.currency,
        code,
        &request.description,
        &request.device,
        &request.mark,
        &lasts,
    ]);
    let jitter = paytill_host::random::draw::<1>().map_or(0, |[jitter]| jitter);
    let state = match request.channel {
        Channel::Micropay => PaymentState::begin(&app.work.parts.rules, jitter),
        Channel::Native => {
            let lasts = request.lasts_ms.map_or(LONGEST_CODE, Millis).min(LONGEST_CODE);
            PaymentState::begin_qr(lasts, jitter)
        }
    };
    PaymentRow { state, fingerprint, ..fresh(app, caller, order, request.channel) }
}

fn fresh(app: &App, caller: &Caller, order: Order, channel: Channel) -> PaymentRow {
    let now = app.work.now();
    PaymentRow {
        key: app.work.key(&order.out_trade_no),
        store: caller.till.store.clone(),
        till: caller.till.till.clone(),
        channel,
        order,
        fingerprint: Vec::new(),
        state: decide::never_came(),
        version: 1,
        began_at: now,
        wake_at: None,
        lease: None,
        seen: 0,
        as_of: None,
        created_at: now,
        updated_at: now,
    }
}

/// The longest beginning of so many bytes.
fn cut(text: &str, bytes: usize) -> String {
    text[..text.floor_char_boundary(bytes)].to_owned()
}

fn told(app: &App, row: &PaymentRow) -> Response {
    let status = if row.state.is_settled() { StatusCode::OK } else { StatusCode::ACCEPTED };
    (status, Json(object(app, row))).into_response()
}

/// A payment as tills are told of it.
fn object(app: &App, row: &PaymentRow) -> Payment {
    crate::work::told::payment(row, app.work.now())
}
