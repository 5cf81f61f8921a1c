//! Tills: enrolled, limited, ended.

use paytill_core::gateway::backend::message::Rights;
use paytill_core::gateway::{Ask, Gateway as _};
use paytill_core::payment::{Answer, Found, Inconclusive, Ordered, Submitted};

use super::{Office, RIGHTS, by, code};

/// Whether the till was told that it may not.
fn is_refused(answer: &Answer) -> bool {
    matches!(
        answer,
        Answer::Submitted(Submitted::Declined(_)) | Answer::Ordered(Ordered::Refused(_))
    )
}

#[tokio::test]
async fn a_code_enrols_one_till_once() {
    let office = Office::open("ok").await;
    let code = office.code("S001", "T01", RIGHTS).await;
    assert!(office.enrol(&code, "T01").await.is_ok());
    let again = office.enrol(&code, "T01").await.err().expect("used");
    assert_eq!(again.code, "unauthorized");
}

#[tokio::test]
async fn a_new_key_ends_the_till_s_former_one() {
    let office = Office::open("ok").await;
    let first = office.till("S001", "T01", RIGHTS).await;
    let second = office.till("S001", "T01", RIGHTS).await;
    let answer = office.ask(&first, Ask::Submit(&first.order(1), &code())).await;
    assert!(answer.as_inconclusive().is_some(), "unsigned, and so unknown: {answer:?}");
    let answer = office.ask(&second, Ask::Submit(&second.order(2), &code())).await;
    assert!(answer.proof().is_some(), "{answer:?}");
    assert_eq!(office.ledger().len(), 1);
}

#[tokio::test]
async fn a_till_does_only_what_it_has_the_right_to() {
    let office = Office::open("ok").await;
    let none = Rights { charge: false, qr: false, refund_up_to: 0, refund_per_day: 0 };
    let till = office.till("S001", "T01", none).await;
    assert!(is_refused(&office.ask(&till, Ask::Submit(&till.order(1), &code())).await));
    assert!(is_refused(&office.ask(&till, Ask::Order(&till.order(2))).await));
    let till = office.till("S001", "T02", Rights { charge: true, ..none }).await;
    assert!(is_refused(&office.ask(&till, Ask::Order(&till.order(1))).await));
    assert_eq!(office.ledger().len(), 0);
}

#[tokio::test]
async fn a_till_that_was_locked_charges_no_more_and_its_open_payments_end() {
    let office = Office::open("walks-away").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = till.order(1);
    office.ask(&till, Ask::Submit(&order, &code())).await;
    let work = &office.app.work;
    assert!(work.parts.store.revoke(work.merchant(), "T01", by(work.now())).await.unwrap());
    assert!(is_refused(&office.ask(&till, Ask::Submit(&till.order(2), &code())).await));
    assert!(matches!(office.end(&till, &order).await, Found::Ended(_)));
    let stamp = office.stamp();
    let reply = office.carried(&till, till.codec.encode_hello(&stamp), &stamp).await;
    let hello = till.codec.decode_hello(&reply);
    let Err(Inconclusive::Unknown(reason)) = hello else { panic!("{hello:?}") };
    assert_eq!(reason.code(), "revoked");
}

#[tokio::test]
async fn nobody_sees_or_moves_another_till_s_payment() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let other = office.till("S001", "T02", RIGHTS).await;
    let order = till.order(1);
    office.ask(&till, Ask::Submit(&order, &code())).await;
    for ask in [Ask::Query(&order), Ask::Reverse(&order), Ask::Close(&order)] {
        let answer = office.ask(&other, ask).await;
        assert!(answer.proof().is_none(), "{answer:?}");
    }
    let answer = office.ask(&other, Ask::Submit(&order, &code())).await;
    assert!(is_refused(&answer) || answer.proof().is_none(), "{answer:?}");
    assert_eq!((office.ledger().len(), office.net()), (1, 1234));
}

#[tokio::test]
async fn a_till_is_told_its_rights_and_the_times() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let stamp = office.stamp();
    let outgoing = till.codec.encode_hello(&stamp);
    assert_eq!(outgoing.request.uri(), "/v1/hello");
    let mut reply = office.carried(&till, outgoing, &stamp).await;
    let hello = till.codec.decode_hello(&reply).unwrap();
    assert_eq!((hello.store.as_str(), hello.till.as_str()), ("S001", "T01"));
    assert_eq!(hello.rights, RIGHTS);
    // The same answer to another question proves nothing.
    till.codec.receive(&office.stamp(), &mut reply);
    assert!(till.codec.decode_hello(&reply).is_err());
}
