//! Whoever asks too much, and a database that keeps everybody waiting.

use std::sync::Mutex;
use std::sync::mpsc;

use axum::body::Body;
use http::{Request, StatusCode};
use paytill_core::gateway::{Ask, Gateway as _};
use paytill_core::order::AuthCode;
use paytill_core::payment::{Answer, Found, Reversed, Submitted};
use paytill_host::gateway::Version;
use paytill_simulator::{Scenario, Script};

use super::{Office, RIGHTS, code};
use crate::config::Limits;
use crate::store::{Change, PaymentRow};

async fn within(limits: Limits) -> Office {
    let scenario = Some(Scenario::from_name("ok").unwrap());
    Office::within(Version::V2, Script { scenario, ..Script::default() }, limits).await
}

/// A customer's code, another one for each number.
fn code_of(number: u32) -> AuthCode {
    AuthCode::new(&format!("1300000000000001{number:02}")).unwrap()
}

#[tokio::test]
async fn a_till_that_asks_to_be_paid_too_often_is_refused_new_payments_alone() {
    let office = within(Limits { new_payments: 2, ..Limits::default() }).await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let ask = async |number| {
        let (order, code) = (till.order(number), code_of(number));
        office.ask(&till, Ask::Submit(&order, &code)).await
    };
    assert!(ask(1).await.proof().is_some() && ask(2).await.proof().is_some());
    let Answer::Submitted(Submitted::Declined(why)) = ask(3).await else { panic!() };
    assert_eq!(why.code(), "limit");
    assert_eq!(office.ledger().len(), 2, "nothing was sent on");
    // What is known here is not called refused, and is asked about and taken back as ever.
    assert!(ask(1).await.proof().is_some());
    let order = till.order(2);
    let found = office.ask(&till, Ask::Query(&order)).await;
    assert!(matches!(found, Answer::Found(Found::Paid(_))), "{found:?}");
    let order = till.order(3);
    let reversed = office.ask(&till, Ask::Reverse(&order)).await;
    assert_eq!(reversed, Answer::Reversed(Reversed::Accepted));
    let other = office.till("S001", "T02", RIGHTS).await;
    let order = other.order(4);
    assert!(office.ask(&other, Ask::Submit(&order, &code_of(4))).await.proof().is_some());
    assert!(office.app.work.metrics.text().contains("paytill_shed_total{why=\"till\"} 1"));
}

#[tokio::test]
async fn who_asks_too_often_without_a_signature_is_not_heard_and_tills_are() {
    let office = within(Limits { unsigned: 3, ..Limits::default() }).await;
    // Its enrolment is the first.
    let till = office.till("S001", "T01", RIGHTS).await;
    let ask = async |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        office.answer(request).await.status()
    };
    assert_eq!(ask("GET", "/v1/hello").await, StatusCode::UNAUTHORIZED);
    assert_eq!(ask("GET", "/v1/openapi.json").await, StatusCode::OK);
    for (method, path) in
        [("GET", "/v1/hello"), ("POST", "/v1/enrolment"), ("GET", "/v1/openapi.json")]
    {
        assert_eq!(ask(method, path).await, StatusCode::TOO_MANY_REQUESTS, "{path}");
    }
    let order = till.order(1);
    assert!(office.ask(&till, Ask::Submit(&order, &code())).await.proof().is_some());
    assert!(office.app.work.metrics.text().contains("paytill_shed_total{why=\"address\"} 3"));
}

#[tokio::test]
async fn a_payment_that_waits_too_long_for_the_database_is_refused_and_never_written() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let (known, order) = (till.order(1), till.order(2));
    office.ask(&till, Ask::Submit(&known, &code())).await;
    // Somebody keeps the books to themselves.
    let (release, released) = mpsc::channel::<()>();
    let (held, holds) = tokio::sync::oneshot::channel();
    let (held, released) = (Mutex::new(Some(held)), Mutex::new(released));
    let (store, key) = (office.app.work.store().clone(), office.app.work.key(&order.out_trade_no));
    let holding = tokio::spawn(async move {
        let decide = move |_: Option<&PaymentRow>| {
            if let Some(held) = held.lock().unwrap().take() {
                held.send(()).unwrap();
            }
            let _ = released.lock().unwrap().recv();
            Change::none(())
        };
        store.change(key, decide).await.unwrap();
    });
    holds.await.unwrap();
    let stamp = office.stamp();
    let outgoing = till.codec.encode(Ask::Submit(&order, &code()), &stamp);
    let reply = office.carried(&till, outgoing, &stamp).await;
    assert_eq!(reply.status(), StatusCode::SERVICE_UNAVAILABLE);
    let answer = till.codec.decode(Ask::Submit(&order, &code()), &reply, office.app.work.now());
    let Answer::Submitted(Submitted::Declined(why)) = answer.answer else { panic!() };
    assert_eq!(why.code(), "not_sent", "and it is signed");
    assert!(office.app.work.metrics.text().contains("paytill_shed_total{why=\"queue\"} 1"));
    // Who asks is answered meanwhile.
    let found = office.ask(&till, Ask::Query(&known)).await;
    assert!(matches!(found, Answer::Found(Found::Paid(_))), "{found:?}");
    release.send(()).unwrap();
    holding.await.unwrap();
    // A change behind it shows that its turn has passed.
    let reversed = office.ask(&till, Ask::Reverse(&order)).await;
    assert_eq!(reversed, Answer::Reversed(Reversed::Accepted));
    assert_eq!(office.ledger().len(), 1);
    let key = office.app.work.key(&order.out_trade_no);
    let row = office.app.work.store().payment(key).await.unwrap().unwrap();
    assert!(row.fingerprint.is_empty(), "the reversal was the first to come");
}
