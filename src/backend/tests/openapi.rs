//! The document says what the routes take and what the messages hold, no more and no less.

use std::collections::BTreeSet;

use axum::body::Body;
use http::{Request, StatusCode};
use paytill_core::gateway::backend::bills::{BillPage, BillRow, BillState};
use paytill_core::gateway::backend::message::{
    Channel, Enrolment, EnrolmentRequest, Hello, Payment, PaymentList, PaymentRequest, Refund,
    RefundList, RefundRequest, Refusal, Refused, ReversalRequest, Rights, Rules, Told,
};
use paytill_core::payment::Status;
use paytill_core::refund::RefundStatus;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Office, RIGHTS, code};
use crate::routes::openapi::DOCUMENT;

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// All its paths.
fn paths(document: &Value) -> BTreeSet<String> {
    document["paths"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_route_is_in_it_with_its_methods_and_no_others() {
    let code = include_str!("../routes/mod.rs").split("pub fn tills(").nth(1).unwrap();
    let code = code.split("\n}").next().unwrap();
    let (document, mut routes) = (document(), BTreeSet::new());
    for route in code.split(".route(\"").skip(1) {
        let (path, rest) = route.split_once('"').unwrap();
        routes.insert(path.to_owned());
        for method in ["get", "put", "post", "delete", "patch"] {
            let is_taken = [' ', '.'].iter().any(|gap| rest.contains(&format!("{gap}{method}(")));
            let is_named = document["paths"][path].get(method).is_some();
            assert_eq!(is_taken, is_named, "{method} {path}");
        }
    }
    assert!(routes.len() > 5, "routes are no longer read");
    assert_eq!(paths(&document), routes);
}

#[tokio::test]
async fn it_is_served_to_anybody() {
    let office = Office::open("ok").await;
    let request = Request::get("/v1/openapi.json").body(Body::empty()).unwrap();
    let reply = office.answer(request).await;
    assert_eq!(reply.status(), StatusCode::OK);
    assert_eq!(serde_json::from_slice::<Value>(reply.body()).unwrap(), document());
    // Nothing in it refers to what is not there.
    let document = document();
    for reference in DOCUMENT.split("\"$ref\": \"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

/// Holds a message with all its members against its schema.
fn check<T: Serialize + DeserializeOwned>(name: &str, whole: &T) {
    let schema = &document()["components"]["schemas"][name];
    let whole = serde_json::to_value(whole).unwrap();
    let names = |value: &Value| -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(names(&schema["properties"]), names(&whole), "{name}");
    let required: BTreeSet<String> = serde_json::from_value(schema["required"].clone()).unwrap();
    for member in names(&whole) {
        let mut partial = whole.clone();
        partial.as_object_mut().unwrap().remove(&member);
        let is_taken = serde_json::from_value::<T>(partial).is_ok();
        assert_eq!(is_taken, !required.contains(&member), "{name}.{member}");
    }
}

#[test]
fn every_message_is_as_described() {
    let text = String::new;
    let told = Told { code: text(), text: text() };
    let payment = Payment {
        out_trade_no: text(),
        version: 1,
        state: text(),
        closed: false,
        amount: 1,
        currency: text(),
        mark: text(),
        transaction_id: Some(text()),
        paid_at: Some(1),
        coupon: Some(1),
        money_held: false,
        money_returned: false,
        reason: Some(told.clone()),
        code_url: Some(text()),
        expires_at: Some(1),
        as_of: Some(1),
        now: 1,
    };
    check(
        "PaymentRequest",
        &PaymentRequest {
            channel: Channel::Micropay,
            amount: 1,
            currency: text(),
            auth_code: Some(code()),
            description: text(),
            device: text(),
            client_ip: text(),
            mark: text(),
            lasts_ms: Some(1),
            acknowledges: true,
        },
    );
    check("ReversalRequest", &ReversalRequest { reason: text() });
    check("Payment", &payment);
    check("PaymentList", &PaymentList { payments: vec![payment], next: Some(text()) });
    let request = RefundRequest { amount: 1, reason: text(), approved_by: text() };
    check("RefundRequest", &request);
    let refund = Refund {
        out_trade_no: text(),
        out_refund_no: text(),
        version: 1,
        state: text(),
        counts: true,
        amount: 1,
        total: 1,
        currency: text(),
        refund_id: Some(text()),
        done_at: Some(1),
        reason: Some(told.clone()),
        now: 1,
    };
    check("Refund", &refund);
    check("RefundList", &RefundList { refunds: vec![refund] });
    let rules = Rules::from(&paytill_core::payment::Rules::default());
    check("Rules", &rules);
    check("Rights", &RIGHTS);
    let rights: Rights = RIGHTS;
    check(
        "Hello",
        &Hello {
            now: 1,
            version: text(),
            merchant: text(),
            store: text(),
            till: text(),
            currency: text(),
            rules,
            rights,
        },
    );
    check(
        "EnrolmentRequest",
        &EnrolmentRequest {
            code: text(),
            public_key: text(),
            nonce: text(),
            version: text(),
            proof: text(),
        },
    );
    check(
        "Enrolment",
        &Enrolment {
            merchant: text(),
            store: text(),
            till: text(),
            currency: text(),
            public_key: text(),
            ca_pem: Some(text()),
            proof: text(),
        },
    );
    check("Told", &told);
    check("Refusal", &Refusal { code: text(), text: text() });
}

#[test]
fn a_bill_is_as_described() {
    let text = String::new;
    let row = BillRow {
        kind: text(),
        at: 1,
        out_trade_no: text(),
        transaction_id: text(),
        currency: text(),
        amount: 1,
        settled: 1,
        out_refund_no: text(),
        refund: 1,
        refund_settled: 1,
        refund_state: text(),
        fee: text(),
    };
    check("BillRow", &row);
    let page = BillPage {
        date: text(),
        state: text(),
        text: text(),
        rows: vec![row],
        total: 1,
        next: Some(text()),
    };
    check("BillPage", &page);
}

#[test]
fn every_word_is_in_it() {
    let document = document();
    let words = |pointer: &str| document["components"]["schemas"].pointer(pointer).cloned();
    let all = |words: Vec<&str>| Some(json!(words));
    let refused = Refused::ALL.map(Refused::word).to_vec();
    assert_eq!(words("/Refusal/properties/code/enum"), all(refused));
    let sorted = |pointer: &str| -> BTreeSet<String> {
        serde_json::from_value(words(pointer).unwrap()).unwrap()
    };
    let states = Status::ALL.map(|status| status.word().to_owned());
    assert_eq!(sorted("/Payment/properties/state/enum"), BTreeSet::from(states));
    let states = BillState::ALL.map(|state| state.word().to_owned());
    assert_eq!(sorted("/BillPage/properties/state/enum"), BTreeSet::from(states));
    let states = RefundStatus::ALL.map(|status| status.word().to_owned());
    assert_eq!(sorted("/Refund/properties/state/enum"), BTreeSet::from(states));
}
