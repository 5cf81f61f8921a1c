//! A till introduces itself, by a code that a person has carried to it.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use paytill_core::clean::clean;
use paytill_core::gateway::backend::enrolment::comparison;
use paytill_core::gateway::backend::message::{Enrolment, EnrolmentRequest, Refused};
use paytill_core::gateway::backend::signed::PublicKey;

use super::App;
use super::signed::Refusing;
use crate::store::NotEnrolled;

/// `POST /v1/enrolment`. The answer is proved by the code, since the till knows no key of ours yet.
pub(super) async fn enrol(State(app): State<Arc<App>>, body: Bytes) -> Result<Response, Refusing> {
    let wrong = |what| Refusing(Refused::BadRequest, what);
    let request: EnrolmentRequest =
        serde_json::from_slice(&body).map_err(|_| wrong("the body is not an enrolment"))?;
    let key = PublicKey::from_base64(&request.public_key).ok_or_else(|| wrong("public_key"))?;
    let (merchant, program) = (app.work.merchant().to_owned(), clean(&request.version, 40));
    let asked = request.clone();
    let proves = move |kept: &[u8], _: &str| {
        kept.try_into().is_ok_and(|kept: &[u8; 32]| asked.is_proved(kept))
    };
    let now = app.work.now();
    let enrolled = app
        .work
        .parts
        .store
        .enrol(&merchant, &request.code, (key, &program), proves, now)
        .await
        .map_err(|error| {
            tracing::error!(%error, "a till was not enrolled");
            Refusing::from(Refused::Failed)
        })?;
    let (till, kept) = match enrolled {
        Ok(enrolled) => enrolled,
        Err(why @ (NotEnrolled::NoCode | NotEnrolled::WrongProof)) => {
            tracing::warn!(code = clean(&request.code, 20), ?why, "a till was not enrolled");
            return Err(Refusing(Refused::Unauthorized, "the code is used, expired or wrong"));
        }
    };
    let ours = app.key.public();
    tracing::info!(till = till.till, comparison = comparison(&key, &ours), "a till was enrolled");
    let mut enrolment = Enrolment {
        merchant,
        store: till.store,
        till: till.till,
        currency: app.work.parts.desk.currency.code().to_owned(),
        public_key: ours.to_base64(),
        ca_pem: app.ca_pem.clone(),
        proof: String::new(),
    };
    let kept: [u8; 32] = kept.try_into().map_err(|_| Refusing::from(Refused::Failed))?;
    enrolment.prove(&kept, &request);
    Ok(Json(enrolment).into_response())
}
