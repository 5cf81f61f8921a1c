//! What the gateway tells unasked: the simulated one's deliveries, and such as are made by hand.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use paytill_core::clock::Timestamp;
use paytill_core::gateway::wechat::fields::{Fields, SignType};
use paytill_core::gateway::{Ask, Gateway as _, RefundAsk, Reply};
use paytill_core::money::Money;
use paytill_core::order::Order;
use paytill_core::payment::{Answer, Found, Status};
use paytill_core::refund::{OutRefundNo, Queried, Refund, RefundAnswer, RefundCallKind};
use paytill_host::gateway::Version;
use paytill_simulator::{NoticeCase, Scenario, Script, identity};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use super::{Office, RIGHTS, Till, code};
use crate::store::{Acknowledged, PaymentRow};

impl Office {
    /// A delivery by hand, in API v2.
    async fn deliver(&self, body: String) -> Reply {
        let path = format!("/notify/wechat/v2/{}", self.token);
        self.post(&path, body.into_bytes()).await
    }

    async fn post(&self, path: &str, body: Vec<u8>) -> Reply {
        let request = Request::post(path).body(Body::from(body)).unwrap();
        let answer = self.web.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        Reply::from_parts(parts, body.collect().await.unwrap().to_bytes().to_vec())
    }

    /// Says in the gateway's name that so much was paid.
    fn paid(order: &Order, fee: i64, key: &str) -> String {
        let merchant = identity::merchant();
        let transaction_id = format!("42{:0>26}", &order.out_trade_no.as_str()[13..]);
        let fee = fee.to_string();
        let mut fields = Fields::from_iter([
            ("return_code", "SUCCESS"),
            ("result_code", "SUCCESS"),
            ("appid", merchant.app_id.as_str()),
            ("mch_id", merchant.mch_id.as_str()),
            ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
            ("sign_type", "HMAC-SHA256"),
            ("out_trade_no", order.out_trade_no.as_str()),
            ("transaction_id", transaction_id.as_str()),
            ("total_fee", fee.as_str()),
            ("fee_type", "CNY"),
            ("time_end", "20261130200000"),
            ("attach", order.mark.as_str()),
        ]);
        fields.sign(SignType::HmacSha256, key);
        fields.to_xml()
    }

    async fn row(&self, order: &Order) -> PaymentRow {
        let work = &self.app.work;
        work.parts.store.payment(work.key(&order.out_trade_no)).await.unwrap().unwrap()
    }

    /// The kinds of what is to be told of an order.
    async fn told(&self, order: &Order) -> Vec<String> {
        let work = &self.app.work;
        let rows = work.parts.store.outbox(work.merchant(), false, 10_000).await.unwrap();
        let rows = rows.into_iter().filter(|row| row.subject == order.out_trade_no.as_str());
        let mut kinds: Vec<_> = rows.map(|row| row.kind).collect();
        kinds.sort();
        kinds
    }

    /// Verdict and count of all notifications that were kept, by id.
    async fn heard(&self) -> Vec<(String, String, i64)> {
        let work = &self.app.work;
        let seen = work.parts.store.notices(work.merchant(), 10_000).await.unwrap();
        let mut seen: Vec<_> =
            seen.into_iter().map(|seen| (seen.id, seen.verdict, seen.times)).collect();
        seen.sort();
        seen
    }

    /// The numbers of what is paid and its till was not told of.
    async fn unseen(&self) -> Vec<String> {
        let work = &self.app.work;
        work.drained().await;
        let ever = (Timestamp(0), Timestamp(i64::MAX));
        let rows = work.store().unseen(work.merchant(), ever, 10_000).await.unwrap();
        rows.iter().map(|row| row.key.out_trade_no.to_string()).collect()
    }

    /// A code of ours, shown to a customer.
    async fn shown(&self, till: &Till, serial: u32) -> Order {
        let order = till.order(serial);
        let answer = self.ask(till, Ask::Order(&order)).await;
        assert!(matches!(answer, Answer::Ordered(_)), "{answer:?}");
        order
    }
}

fn verdicts(heard: &[(String, String, i64)]) -> Vec<&str> {
    heard.iter().map(|(_, verdict, _)| verdict.as_str()).collect()
}

#[tokio::test]
async fn the_gateway_s_word_alone_makes_a_payment_paid_and_a_repeat_changes_nothing() {
    let office = Office::open("walks-away").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = office.shown(&till, 1).await;
    let body = Office::paid(&order, 1234, &office.api_key);
    let reply = office.deliver(body.clone()).await;
    assert_eq!(reply.status(), StatusCode::OK);
    assert!(String::from_utf8_lossy(reply.body()).contains("SUCCESS"));
    let row = office.row(&order).await;
    assert_eq!(row.state.status(), Status::Paid);
    assert_eq!(office.deliver(body).await.status(), StatusCode::OK);
    assert_eq!(office.row(&order).await, row);
    assert_eq!(office.told(&order).await, ["payment.paid"]);
    let heard = office.heard().await;
    assert_eq!((verdicts(&heard), heard[0].2), (vec!["taken"], 2));
    let found = office.ask(&till, Ask::Query(&order)).await;
    assert!(matches!(found, Answer::Found(Found::Paid(_))), "{found:?}");
}

#[tokio::test]
async fn a_hundred_copies_at_once_of_twenty_notices_are_one_event_each() {
    let office = Arc::new(Office::open("walks-away").await);
    let till = office.till("S001", "T01", RIGHTS).await;
    let mut orders = Vec::new();
    for serial in 1..=20 {
        orders.push(office.shown(&till, serial).await);
    }
    let mut copies = JoinSet::new();
    for _ in 0..100 {
        for order in &orders {
            let body = Office::paid(order, 1234, &office.api_key);
            let office = Arc::clone(&office);
            copies.spawn(async move { office.deliver(body).await.status() });
        }
    }
    let answers = copies.join_all().await;
    assert!(answers.iter().all(|status| *status == StatusCode::OK));
    for order in &orders {
        assert_eq!(office.told(order).await, ["payment.paid"]);
        assert_eq!(office.row(order).await.state.status(), Status::Paid);
    }
    let heard = office.heard().await;
    assert_eq!(heard.len(), 20);
    assert!(heard.iter().all(|(_, verdict, times)| verdict == "taken" && *times == 100));
}

#[tokio::test]
async fn what_is_not_signed_leaves_nothing_behind() {
    let office = Office::open("walks-away").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = office.shown(&till, 1).await;
    let forged = Office::paid(&order, 1234, "00000000000000000000000000000000");
    let reply = office.deliver(forged.clone()).await;
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    assert!(String::from_utf8_lossy(reply.body()).contains("FAIL"));
    for body in ["", "<xml></xml>", "{}", "<!DOCTYPE x>"] {
        assert_eq!(office.deliver(body.to_owned()).await.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(office.heard().await, []);
    assert_eq!(office.row(&order).await.state.status(), Status::Waiting);
    // Only the right address, in the version that is spoken, and nothing endless.
    let right = Office::paid(&order, 1234, &office.api_key).into_bytes();
    let token = &office.token;
    for path in [
        "/notify/wechat/v2/".to_owned(),
        "/notify/wechat/v2/0123456789abcdef0123456789abcdef".to_owned(),
        format!("/notify/wechat/v3/{token}"),
        format!("/notify/wechat/v2/{token}/more"),
    ] {
        assert_eq!(office.post(&path, right.clone()).await.status(), StatusCode::NOT_FOUND);
    }
    let large = " ".repeat(64 * 1024) + &Office::paid(&order, 1234, &office.api_key);
    assert_eq!(office.deliver(large).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(office.heard().await, []);
}

#[tokio::test]
async fn another_amount_pays_nothing_and_does_not_hide_the_right_one() {
    let office = Office::open("walks-away").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = office.shown(&till, 1).await;
    for _ in 0..3 {
        let body = Office::paid(&order, 1235, &office.api_key);
        assert_eq!(office.deliver(body).await.status(), StatusCode::OK);
    }
    assert_eq!(office.row(&order).await.state.status(), Status::Waiting);
    assert_eq!(office.told(&order).await, ["payment.mismatch"]);
    let work = &office.app.work;
    let story = work.parts.store.story(work.key(&order.out_trade_no)).await.unwrap();
    let evidence = story.iter().filter(|event| event.wire.iter().any(|it| it.0 == "notice"));
    assert_eq!(evidence.count(), 1);
    let body = Office::paid(&order, 1234, &office.api_key);
    assert_eq!(office.deliver(body).await.status(), StatusCode::OK);
    assert_eq!(office.row(&order).await.state.status(), Status::Paid);
    assert_eq!(office.told(&order).await, ["payment.mismatch", "payment.paid"]);
    assert_eq!(verdicts(&office.heard().await), ["taken", "mismatch"]);
}

#[tokio::test]
async fn the_token_of_a_merchant_is_made_once() {
    let office = Office::open("walks-away").await;
    let store = &office.app.work.parts.store;
    let kept = async |merchant: &str, fresh: &str| {
        store.kept_word(merchant, "notify_token", fresh.to_owned()).await.unwrap()
    };
    assert_eq!(kept("one", "first").await, "first");
    assert_eq!(kept("one", "second").await, "first");
    assert_eq!(kept("other", "second").await, "second");
}

#[tokio::test]
async fn an_order_that_is_not_known_is_kept_and_acknowledged() {
    let office = Office::open("walks-away").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let body = Office::paid(&till.order(77), 1234, &office.api_key);
    assert_eq!(office.deliver(body).await.status(), StatusCode::OK);
    assert_eq!(verdicts(&office.heard().await), ["unknown"]);
}

#[tokio::test]
async fn a_closed_order_that_is_paid_after_all_is_booked_and_listed() {
    let office = Office::open("walks-away").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = office.shown(&till, 1).await;
    office.ask(&till, Ask::Close(&order)).await;
    office.end(&till, &order).await;
    assert_eq!(office.row(&order).await.state.status(), Status::Closed);
    let body = Office::paid(&order, 1234, &office.api_key);
    assert_eq!(office.deliver(body).await.status(), StatusCode::OK);
    let state = office.row(&order).await.state;
    assert!(state.status() == Status::Paid && state.is_paid_late(), "{state:?}");
    assert_eq!(office.told(&order).await, ["payment.closed", "payment.paid_late"]);
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_acknowledged() {
    let office = Office::open("walks-away").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = office.shown(&till, 1).await;
    let file = rusqlite::Connection::open(office.folder.path().join("books.sqlite")).unwrap();
    file.execute_batch("ALTER TABLE outbox RENAME TO gone").unwrap();
    let body = Office::paid(&order, 1234, &office.api_key);
    let reply = office.deliver(body.clone()).await;
    assert_eq!((reply.status(), reply.body().len()), (StatusCode::INTERNAL_SERVER_ERROR, 0));
    assert_eq!(office.row(&order).await.state.status(), Status::Waiting, "all of it or nothing");
    assert_eq!(office.heard().await, []);
    file.execute_batch("ALTER TABLE gone RENAME TO outbox").unwrap();
    assert_eq!(office.deliver(body).await.status(), StatusCode::OK);
    assert_eq!(office.told(&order).await, ["payment.paid"]);
}

#[tokio::test]
async fn whatever_becomes_of_deliveries_a_payment_is_paid_and_told_once() {
    for version in [Version::V2, Version::V3] {
        for notices in NoticeCase::ALL {
            let scenario = Scenario::from_name("ok");
            let script = Script { scenario, notices, ..Script::default() };
            let office = Office::with(version, script).await;
            let till = office.till("S001", "T01", RIGHTS).await;
            let order = office.shown(&till, 1).await;
            let found = office.end(&till, &order).await;
            assert!(matches!(found, Found::Paid(_)), "{notices:?}: {found:?}");
            let mut told = office.told(&order).await;
            told.retain(|kind| kind != "payment.mismatch");
            assert_eq!(told, ["payment.paid"], "{version:?} {notices:?}");
            assert_eq!(office.net(), 1234);
        }
    }
}

#[tokio::test]
async fn the_gateway_s_own_deliveries_are_heard_in_both_versions() {
    for version in [Version::V2, Version::V3] {
        let scenario = Scenario::from_name("ok");
        let office = Office::with(version, Script { scenario, ..Script::default() }).await;
        let till = office.till("S001", "T01", RIGHTS).await;
        let order = office.shown(&till, 1).await;
        office.until(|heard| heard.iter().any(|it| it.0.starts_with("paid-"))).await;
        let refund = Refund {
            out_refund_no: OutRefundNo::new(&order.out_trade_no, 1, 7),
            order: order.clone(),
            amount: Money::from_minor(400),
            reason: "cold coffee".to_owned(),
            approved_by: String::new(),
        };
        refunded(&office, &till, &refund).await;
        let is_refund =
            |it: &(String, String, i64)| it.0.starts_with("hint-") || it.0.starts_with("refund-");
        office.until(|heard| heard.iter().any(is_refund)).await;
        let heard = office.heard().await;
        assert!(heard.iter().all(|(_, verdict, _)| verdict == "taken"), "{heard:?}");
        // It tells of the time before the refund.
        let state = office.row(&order).await.state;
        assert_eq!(state.status(), Status::Paid);
        assert_eq!(office.net(), 834);
    }
}

impl Office {
    async fn until(&self, is_it: impl Fn(&[(String, String, i64)]) -> bool) {
        for _ in 0..1000 {
            if is_it(&self.heard().await) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("nothing is heard: {:?}", self.heard().await);
    }
}

async fn refunded(office: &Office, till: &Till, refund: &Refund) {
    for kind in std::iter::once(RefundCallKind::Refund)
        .chain(std::iter::repeat_n(RefundCallKind::Query, 1000))
    {
        let (ask, stamp) = (RefundAsk { kind, refund }, office.stamp());
        let outgoing = till.codec.encode_refund(ask, &stamp);
        let reply = office.carried(till, outgoing, &stamp).await;
        let answer = till.codec.decode_refund(ask, &reply, office.app.work.now()).answer;
        if matches!(answer, RefundAnswer::Queried(Queried::Done(_))) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("it is never done");
}

#[tokio::test]
async fn what_is_paid_is_unseen_until_its_till_has_it_on_record() {
    let office = Office::open("walks-away").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = office.shown(&till, 1).await;
    office.deliver(Office::paid(&order, 1234, &office.api_key)).await;
    assert_eq!(office.unseen().await, [order.out_trade_no.as_str()]);
    let row = office.row(&order).await;
    // Whether the answer arrives is not known.
    office.ask(&till, Ask::Query(&order)).await;
    assert_eq!(office.unseen().await, [order.out_trade_no.as_str()]);
    let stamp = office.stamp();
    let outgoing = till.codec.encode_seen(&order.out_trade_no, &stamp).unwrap();
    office.carried(&till, outgoing, &stamp).await;
    assert_eq!(office.unseen().await, Vec::<String>::new());
    let acknowledged = Acknowledged::Yes;
    assert_eq!(office.row(&order).await, PaymentRow { acknowledged, ..row });
}

#[tokio::test]
async fn a_payment_by_code_takes_the_gateway_s_word_too() {
    let office = Office::open("walks-away").await;
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = till.order(1);
    office.ask(&till, Ask::Submit(&order, &code())).await;
    let body = Office::paid(&order, 1234, &office.api_key);
    assert_eq!(office.deliver(body).await.status(), StatusCode::OK);
    assert_eq!(office.row(&order).await.state.status(), Status::Paid);
}
