//! What nobody honest sends.

use axum::body::Body;
use http::{Request, StatusCode, header};
use paytill_core::clock::{Millis, Timestamp};
use paytill_core::gateway::backend::message::{LONGEST, Refusal};
use paytill_core::gateway::{Ask, Gateway as _, Stamp};
use paytill_core::payment::Answer;

use super::{Office, RIGHTS, Till, code};

fn sent(till: &Till, ask: Ask<'_>, stamp: &Stamp) -> Request<Body> {
    till.codec.encode(ask, stamp).request.map(|body| Body::from(body.to_vec()))
}

#[tokio::test]
async fn what_is_not_signed_is_told_nothing_and_the_answer_proves_nothing() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = till.order(1);
    let stamp = office.stamp();
    let mut bare = sent(&till, Ask::Submit(&order, &code()), &stamp);
    bare.headers_mut().remove(header::AUTHORIZATION);
    let reply = office.answer(bare).await;
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    assert!(reply.headers().get("paytill-signature").is_none());
    assert_eq!(office.ledger().len(), 0);
}

#[tokio::test]
async fn a_request_that_was_changed_on_its_way_is_refused() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let (order, stamp) = (till.order(1), office.stamp());
    let outgoing = till.codec.encode(Ask::Submit(&order, &code()), &stamp);
    let body = String::from_utf8(outgoing.request.body().to_vec()).unwrap();
    let changed = body.replace("1234", "9234");
    assert_ne!(body, changed);
    let mut request = outgoing.request.map(|_| Body::from(changed));
    assert_eq!(office.answer(request).await.status(), StatusCode::UNAUTHORIZED);
    request = sent(&till, Ask::Submit(&order, &code()), &stamp);
    *request.uri_mut() = format!("/v1/payments/{}", till.order(2).out_trade_no).parse().unwrap();
    assert_eq!(office.answer(request).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(office.ledger().len(), 0);
}

#[tokio::test]
async fn a_request_that_is_sent_again_by_others_moves_nothing() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let (order, stamp) = (till.order(1), office.stamp());
    let first = office.answer(sent(&till, Ask::Submit(&order, &code()), &stamp)).await;
    assert_eq!(first.status(), StatusCode::OK);
    let reply = office.answer(sent(&till, Ask::Submit(&order, &code()), &stamp)).await;
    let refusal: Refusal = serde_json::from_slice(reply.body()).unwrap();
    assert_eq!((reply.status(), refusal.code.as_str()), (StatusCode::CONFLICT, "replayed"));
    assert_eq!(office.ledger().len(), 1);
}

#[tokio::test]
async fn a_request_of_another_time_is_refused_and_the_till_learns_why() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let now = office.app.work.now();
    for time in [Timestamp(now.0 - 121_000), now.after(Millis::seconds(121))] {
        let stamp = Stamp { time, ..office.stamp() };
        let reply = office.answer(sent(&till, Ask::Query(&till.order(1)), &stamp)).await;
        let refusal: Refusal = serde_json::from_slice(reply.body()).unwrap();
        assert_eq!(refusal.code, "clock");
        assert!(reply.headers().get("paytill-signature").is_some(), "it can be believed");
    }
}

#[tokio::test]
async fn bodies_are_bounded_and_nonsense_is_refused() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = till.order(1);
    let mut request = sent(&till, Ask::Submit(&order, &code()), &office.stamp());
    *request.body_mut() = Body::from(vec![b' '; LONGEST + 1]);
    assert_eq!(office.answer(request).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    for path in ["/", "/v1/payments/%00", "/v1/payments/..%2f..%2f", "/v1/none", "/admin"] {
        let reply = office.answer(Request::get(path).body(Body::empty()).unwrap()).await;
        assert!(reply.status().is_client_error(), "{path}: {}", reply.status());
    }
    let enrolment = Request::post("/v1/enrolment").body(Body::from("{}")).unwrap();
    assert_eq!(office.answer(enrolment).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn words_of_sql_and_commands_are_only_words() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let mut order = till.order(1);
    order.body = "'; DROP TABLE payment; --\u{1b}[2J\"\n".to_owned();
    let answer = office.ask(&till, Ask::Submit(&order, &code())).await;
    assert!(matches!(answer, Answer::Submitted(_)) && answer.proof().is_some(), "{answer:?}");
    let row = office.app.work.parts.store.payment(office.app.work.key(&order.out_trade_no));
    let row = row.await.unwrap().unwrap();
    assert_eq!(row.order.body, "'; DROP TABLE payment; --[2J\"");
}
