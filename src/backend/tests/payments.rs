//! Payments through the backend, as its till sees them.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use paytill_core::gateway::{Ask, Gateway as _};
use paytill_core::order::Order;
use paytill_core::payment::{
    Answer, CloseSaid, Ending, Found, Inconclusive, Ordered, Reversed, Submitted,
};
use tokio::task::JoinSet;

use super::{Office, RIGHTS, Till, code};
use crate::store::Acknowledged;

#[tokio::test]
async fn a_payment_is_taken_once_however_often_it_is_asked_for() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = till.order(1);
    let answer = office.ask(&till, Ask::Submit(&order, &code())).await;
    let Answer::Submitted(Submitted::Paid(proof)) = answer else { panic!("{answer:?}") };
    let again = office.ask(&till, Ask::Submit(&order, &code())).await;
    assert_eq!(again, Answer::Submitted(Submitted::Paid(proof.clone())));
    assert_eq!(office.end(&till, &order).await, Found::Paid(proof));
    assert_eq!((office.ledger().len(), office.net()), (1, 1234));
}

#[tokio::test]
async fn a_hundred_copies_at_once_are_one_submission() {
    let office = Arc::new(Office::open("ok").await);
    let till = Arc::new(office.till("S001", "T01", RIGHTS).await);
    let mut copies = JoinSet::new();
    for _ in 0..100 {
        let (office, till) = (Arc::clone(&office), Arc::clone(&till));
        copies.spawn(async move {
            let order = till.order(1);
            office.ask(&till, Ask::Submit(&order, &code())).await
        });
    }
    let answers = copies.join_all().await;
    assert!(answers.iter().all(|answer| answer.proof().is_some()), "{answers:?}");
    assert_eq!((office.ledger().len(), office.net()), (1, 1234));
}

#[tokio::test]
async fn another_body_with_the_same_number_is_refused_and_changes_nothing() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = till.order(1);
    office.ask(&till, Ask::Submit(&order, &code())).await;
    let other = paytill_core::order::AuthCode::new("130000000000000001").unwrap();
    let answer = office.ask(&till, Ask::Submit(&order, &other)).await;
    assert!(
        !matches!(answer, Answer::Submitted(Submitted::Paid(_))),
        "not this submission: {answer:?}"
    );
    assert_eq!((office.ledger().len(), office.net()), (1, 1234));
}

#[tokio::test]
async fn a_number_that_was_reversed_before_it_came_is_never_sent_on() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = till.order(1);
    let reversed = office.ask(&till, Ask::Reverse(&order)).await;
    assert_eq!(reversed, Answer::Reversed(Reversed::Accepted));
    let answer = office.ask(&till, Ask::Submit(&order, &code())).await;
    assert!(matches!(answer, Answer::Submitted(Submitted::Declined(_))), "{answer:?}");
    let found = office.end(&till, &order).await;
    assert!(matches!(found, Found::Ended(_) | Found::Declined { closed: true, .. }), "{found:?}");
    assert_eq!(office.ledger().len(), 0);
}

#[tokio::test]
async fn the_backend_reverses_by_itself_when_nobody_enters_a_password() {
    let office = Office::open("walks-away").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = till.order(1);
    let answer = office.ask(&till, Ask::Submit(&order, &code())).await;
    assert!(
        matches!(answer, Answer::Submitted(Submitted::Paying | Submitted::Asked(_))),
        "{answer:?}"
    );
    assert_eq!(office.end(&till, &order).await, Found::Ended(Ending::Revoked));
    assert_eq!(office.net(), 0);
}

/// A till that asks what became of a refusal tells its cashier the answer, and may not ask again.
#[tokio::test]
async fn a_refusal_that_was_charged_all_the_same_is_not_told_before_the_gateway_was_asked() {
    let office = Office::open("notsupportcard-paid").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = till.order(1);
    let answer = office.ask(&till, Ask::Submit(&order, &code())).await;
    assert!(matches!(answer, Answer::Submitted(Submitted::Declined(_))), "{answer:?}");
    let answer = office.ask(&till, Ask::Query(&order)).await;
    assert!(
        matches!(answer, Answer::Found(Found::Returning | Found::Ended(Ending::Returned))),
        "{answer:?}"
    );
    assert_eq!(office.end(&till, &order).await, Found::Ended(Ending::Returned));
    assert_eq!(office.net(), 0);
}

#[tokio::test]
async fn a_till_that_has_not_seen_a_payment_takes_it_back() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = till.order(1);
    office.ask(&till, Ask::Submit(&order, &code())).await;
    let answer = office.ask(&till, Ask::Reverse(&order)).await;
    assert!(matches!(answer, Answer::Reversed(Reversed::Repeat(_))), "{answer:?}");
    assert_eq!(office.end(&till, &order).await, Found::Ended(Ending::Returned));
    assert_eq!(office.net(), 0);
}

async fn seen(office: &Office, till: &Till, order: &Order) -> StatusCode {
    let stamp = office.stamp();
    let outgoing = till.codec.encode_seen(&order.out_trade_no, &stamp).unwrap();
    office.carried(till, outgoing, &stamp).await.status()
}

#[tokio::test]
async fn what_the_till_has_on_record_as_paid_is_not_taken_back() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let other = office.till("S001", "T02", RIGHTS).await;
    let order = till.order(1);
    assert_eq!(seen(&office, &till, &order).await, StatusCode::NOT_FOUND);
    office.ask(&till, Ask::Submit(&order, &code())).await;
    assert!(matches!(office.end(&till, &order).await, Found::Paid(_)));
    assert_eq!(seen(&office, &other, &order).await, StatusCode::FORBIDDEN);
    assert_eq!(seen(&office, &till, &order).await, StatusCode::OK);
    let answer = office.ask(&till, Ask::Reverse(&order)).await;
    assert!(matches!(answer, Answer::Reversed(Reversed::Repeat(_))), "{answer:?}");
    assert!(matches!(office.end(&till, &order).await, Found::Paid(_)));
    assert_eq!(office.net(), 1234);
}

#[tokio::test]
async fn what_is_not_paid_cannot_have_been_seen_paid() {
    let office = Office::open("walks-away").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = till.order(1);
    office.ask(&till, Ask::Submit(&order, &code())).await;
    assert_eq!(seen(&office, &till, &order).await, StatusCode::ACCEPTED);
    let row = office.app.work.store().payment(office.app.work.key(&order.out_trade_no)).await;
    assert_eq!(row.unwrap().unwrap().acknowledged, Acknowledged::NotYet);
}

#[tokio::test]
async fn a_code_of_ours_is_shown_and_closed() {
    let office = Office::open("walks-away").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = till.order(1);
    let answer = office.ask(&till, Ask::Order(&order)).await;
    let Answer::Ordered(Ordered::Code(code)) = answer else { panic!("{answer:?}") };
    let again = office.ask(&till, Ask::Order(&order)).await;
    assert_eq!(again, Answer::Ordered(Ordered::Code(code)));
    let closed = office.ask(&till, Ask::Close(&order)).await;
    assert!(matches!(closed, Answer::Closed(CloseSaid::Accepted | CloseSaid::Repeat(_))));
    let found = office.end(&till, &order).await;
    assert!(matches!(found, Found::Ended(Ending::Closed) | Found::Paid(_)), "{found:?}");
}

#[tokio::test]
async fn a_number_that_never_came_is_not_found() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let answer = office.ask(&till, Ask::Query(&till.order(1))).await;
    assert_eq!(answer, Answer::Found(Found::NotFound));
}

#[tokio::test]
async fn the_payment_code_is_written_nowhere() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    office.ask(&till, Ask::Submit(&till.order(1), &code())).await;
    let written = office.written();
    let code = code();
    let found = written.windows(18).any(|bytes| bytes == code.expose().as_bytes());
    assert!(!found && !written.is_empty());
}

#[tokio::test]
async fn whoever_waits_hears_of_an_end_at_once() {
    let office = Arc::new(Office::open("password").await);
    let till = Arc::new(office.till("S001", "T01", RIGHTS).await);
    let order = till.order(1);
    office.ask(&till, Ask::Submit(&order, &code())).await;
    let found = office.end(&till, &order).await;
    assert!(matches!(found, Found::Paid(_)), "{found:?}");
    let answer = office.ask(&till, Ask::Query(&order)).await;
    assert!(!matches!(answer, Answer::Found(Found::Inconclusive(Inconclusive::Unknown(_)))));
}

#[tokio::test]
async fn who_waits_is_answered_with_what_there_is_once_the_program_is_to_end() {
    let office = Office::open("walks-away").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = till.order(1);
    let work = Arc::clone(&office.app.work);
    let key = work.key(&order.out_trade_no);
    office.ask(&till, Ask::Submit(&order, &code())).await;
    let waiting = tokio::spawn({
        let work = Arc::clone(&work);
        async move { work.news(&key, Some(i64::MAX), Duration::from_hours(1)).await }
    });
    work.answer_all();
    let row = tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("answered");
    assert_eq!(row.unwrap().unwrap().unwrap().key.out_trade_no, order.out_trade_no);
}
