//! Refunds through the backend.

use std::time::Duration;

use paytill_core::gateway::backend::message::Rights;
use paytill_core::gateway::{Ask, Gateway as _, RefundAsk};
use paytill_core::money::Money;
use paytill_core::order::Order;
use paytill_core::refund::{
    Looked, OutRefundNo, Queried, Refund, RefundAnswer, RefundCallKind, RefundSaid,
};

use super::{Office, RIGHTS, Till, code};

fn refund(order: &Order, sequence: u8, amount: i64) -> Refund {
    Refund {
        out_refund_no: OutRefundNo::new(&order.out_trade_no, sequence, 7),
        order: order.clone(),
        amount: Money::from_minor(amount),
        reason: "cold coffee".to_owned(),
        approved_by: String::new(),
    }
}

async fn ask(office: &Office, till: &Till, kind: RefundCallKind, refund: &Refund) -> RefundAnswer {
    let (ask, stamp) = (RefundAsk { kind, refund }, office.stamp());
    let outgoing = till.codec.encode_refund(ask, &stamp);
    let reply = office.carried(till, outgoing, &stamp).await;
    till.codec.decode_refund(ask, &reply, office.app.work.now()).answer
}

async fn paid(office: &Office, till: &Till) -> Order {
    let order = till.order(1);
    let answer = office.ask(till, Ask::Submit(&order, &code())).await;
    assert!(answer.proof().is_some(), "{answer:?}");
    order
}

/// Asks until the money has gone back.
async fn done(office: &Office, till: &Till, refund: &Refund) {
    for _ in 0..1000 {
        let queried = ask(office, till, RefundCallKind::Query, refund).await;
        if matches!(queried, RefundAnswer::Queried(Queried::Done(_))) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it is never done");
}

#[tokio::test]
async fn money_goes_back_once_however_often_it_is_asked_for() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = paid(&office, &till).await;
    let half = refund(&order, 1, 600);
    let looked = ask(&office, &till, RefundCallKind::Look { offset: 0 }, &half).await;
    assert!(matches!(looked, RefundAnswer::Looked(Looked::Page(ref page)) if page.total == 0));
    for _ in 0..2 {
        let said = ask(&office, &till, RefundCallKind::Refund, &half).await;
        assert_eq!(said, RefundAnswer::Said(RefundSaid::Accepted));
    }
    done(&office, &till, &half).await;
    assert_eq!(office.net(), 634);
}

#[tokio::test]
async fn a_till_gives_back_no_more_than_it_may() {
    let office = Office::open("ok").await;
    let few = Rights { refund_up_to: 500, refund_per_day: 500, ..RIGHTS };
    let till = office.till("S001", "T01", few).await;
    let order = paid(&office, &till).await;
    let said = ask(&office, &till, RefundCallKind::Refund, &refund(&order, 1, 501)).await;
    assert!(matches!(said, RefundAnswer::Said(RefundSaid::Refused(_))), "{said:?}");
    let second = refund(&order, 2, 400);
    let said = ask(&office, &till, RefundCallKind::Refund, &second).await;
    assert_eq!(said, RefundAnswer::Said(RefundSaid::Accepted));
    done(&office, &till, &second).await;
    let said = ask(&office, &till, RefundCallKind::Refund, &refund(&order, 3, 101)).await;
    assert!(matches!(said, RefundAnswer::Said(RefundSaid::Refused(_))), "{said:?}");
    assert_eq!(office.net(), 834);
}

#[tokio::test]
async fn another_store_s_till_gives_nothing_back() {
    let office = Office::open("ok").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let other = office.till("S002", "T02", RIGHTS).await;
    let order = paid(&office, &till).await;
    let said = ask(&office, &other, RefundCallKind::Refund, &refund(&order, 1, 100)).await;
    assert!(!matches!(said, RefundAnswer::Said(RefundSaid::Accepted)), "{said:?}");
    assert_eq!(office.net(), 1234);
}
