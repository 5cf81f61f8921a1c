//! What a till sends, and what is kept of it.

use super::*;
use crate::gateway::backend::signed::Credentials;
use crate::refund::RefundCallKind;

fn lines(outgoing: &Outgoing) -> (String, String) {
    let request = &outgoing.request;
    let line = format!("{} {}", request.method(), request.uri());
    (line, String::from_utf8(request.body().to_vec()).unwrap())
}

#[test]
fn every_call_has_its_place_and_its_body() {
    let pair = Pair::new();
    let (order, code) = (order(), code());
    let at = format!("/v1/payments/{NUMBER}");
    let goods = "\"description\":\"Corner Coffee T01\",\"device\":\"S001\",\
        \"client_ip\":\"192.0.2.7\",\"mark\":\"00112233aabbccdd\",\"acknowledges\":true";
    let amount = "\"amount\":1234,\"currency\":\"CNY\"";
    let nothing = "{\"reason\":\"\"}".to_owned();
    for (kind, line, body) in [
        (
            CallKind::Submit,
            format!("PUT {at}"),
            format!("{{\"channel\":\"micropay\",{amount},\"auth_code\":\"{CODE}\",{goods}}}"),
        ),
        (
            CallKind::Order,
            format!("PUT {at}"),
            format!("{{\"channel\":\"native\",{amount},{goods}}}"),
        ),
        (CallKind::Query, format!("GET {at}"), String::new()),
        (CallKind::RefundQuery, format!("GET {at}"), String::new()),
        (CallKind::Reverse, format!("POST {at}/reversal"), nothing.clone()),
        (CallKind::Close, format!("POST {at}/close"), nothing),
    ] {
        let ask = Ask::of(kind, &order, Some(&code)).unwrap();
        assert_eq!(lines(&pair.codec.encode(ask, &stamp("1"))), (line, body));
    }
    let seen = pair.codec.encode_seen(&order.out_trade_no, &stamp("1")).unwrap();
    assert_eq!(lines(&seen), (format!("POST {at}/seen"), String::new()));
}

#[test]
fn only_a_query_that_waits_for_news_is_held_open_and_never_for_longer_than_is_allowed() {
    let order = order();
    let target = |codec: &Backend, kind| {
        let ask = Ask::of(kind, &order, None).unwrap();
        codec.encode_waiting(ask, &stamp("1")).request.uri().to_string()
    };
    let at = format!("/v1/payments/{NUMBER}");
    let codec = Pair::new().codec;
    assert_eq!(target(&codec, CallKind::Query), format!("{at}?wait_ms=4000"));
    assert_eq!(target(&codec, CallKind::Reverse), format!("{at}/reversal"));
    let codec = codec.waiting(Millis(100));
    assert_eq!(target(&codec, CallKind::Query), format!("{at}?wait_ms=100"));
    let codec = codec.waiting(Millis(60_000));
    assert_eq!(target(&codec, CallKind::Query), format!("{at}?wait_ms={LONGEST_WAIT}"));
}

#[test]
fn how_long_a_code_may_be_scanned_is_said_with_the_order_and_not_of_a_customers_code() {
    let codec = Pair::new().codec.lasting(Millis(60_000));
    let (order, code) = (order(), code());
    for (ask, is_said) in [(Ask::Order(&order), true), (Ask::Submit(&order, &code), false)] {
        let (_, body) = lines(&codec.encode(ask, &stamp("1")));
        assert_eq!(body.contains("\"lasts_ms\":60000"), is_said, "{body}");
    }
}

#[test]
fn a_request_is_signed_by_the_till_with_all_that_it_says() {
    let pair = Pair::new();
    let (order, code) = (order(), code());
    let outgoing = pair.codec.encode(Ask::Submit(&order, &code), &stamp("1"));
    let request = &outgoing.request;
    let target = request.uri().to_string();
    let credentials = Credentials::read(request.headers()).unwrap();
    assert_eq!((credentials.till.as_str(), credentials.time), ("T01", NOW));
    assert!(credentials.are_of_now(NOW));
    assert!(credentials.are_of(&pair.till, ("PUT", &target, request.body())));
    assert!(!credentials.are_of(&pair.backend.public(), ("PUT", &target, request.body())));
    assert!(!credentials.are_of(&pair.till, ("POST", &target, request.body())));
    assert!(!credentials.are_of(&pair.till, ("PUT", &format!("{target}0"), request.body())));
    let larger = String::from_utf8(request.body().to_vec()).unwrap().replace("1234,", "1235,");
    assert!(!credentials.are_of(&pair.till, ("PUT", &target, larger.as_bytes())));
    let other = pair.codec.encode(Ask::Submit(&order, &code), &stamp("2"));
    assert_ne!(other.request.headers()["authorization"], request.headers()["authorization"]);
}

#[test]
fn a_key_is_kept_as_pem() {
    let key = SigningKey::generate().unwrap();
    let public = SigningKey::from_pkcs8(&key).unwrap().public();
    let pem = SigningKey::pem(&key);
    assert_eq!(SigningKey::from_pem(pem.as_bytes()).unwrap().public(), public);
    let windows = pem.replace('\n', "\r\n");
    assert_eq!(SigningKey::from_pem(windows.as_bytes()).unwrap().public(), public);
    assert!(pem.lines().all(|line| line.len() <= 64));
    for wrong in ["", "-----BEGIN PRIVATE KEY-----", &pem.replace("PRIVATE", "PUBLIC"), &pem[..90]]
    {
        assert!(SigningKey::from_pem(wrong.as_bytes()).is_none());
    }
}

#[test]
fn no_record_holds_a_payment_code() {
    let codec = Pair::new().codec;
    let (order, code) = (order(), code());
    for kind in KINDS {
        let ask = Ask::of(kind, &order, Some(&code)).unwrap();
        let record = codec.record(ask);
        assert!(!format!("{record:?}").contains(CODE), "{record:?}");
        let is_masked = record.contains(&("auth_code".to_owned(), code.masked()));
        assert_eq!(is_masked, kind == CallKind::Submit);
    }
}

#[test]
fn a_refund_has_its_own_place_below_its_payment() {
    let codec = Pair::new().codec;
    let refund = refund();
    let all = format!("/v1/payments/{NUMBER}/refunds");
    let one = format!("{all}/{}", refund.out_refund_no);
    for (kind, line, body) in [
        (RefundCallKind::Look { offset: 0 }, format!("GET {all}"), ""),
        (RefundCallKind::Query, format!("GET {one}"), ""),
        (
            RefundCallKind::Refund,
            format!("PUT {one}"),
            "{\"amount\":234,\"reason\":\"one cup was cold\",\"approved_by\":\"Wang\"}",
        ),
    ] {
        let ask = RefundAsk { kind, refund: &refund };
        assert_eq!(lines(&codec.encode_refund(ask, &stamp("1"))), (line, body.to_owned()));
        assert!(!codec.record_refund(ask).is_empty());
    }
}

#[test]
fn a_transaction_is_looked_up_whatever_was_typed() {
    let pair = Pair::new();
    let merchant = order().merchant;
    let lookup = |id| Lookup { merchant: &merchant, transaction_id: id };
    let target = |id| pair.codec.encode_lookup(lookup(id), &stamp("1")).request.uri().to_string();
    assert_eq!(target(TRANSACTION), format!("/v1/payments?transaction_id={TRANSACTION}"));
    assert_eq!(target("1&till=T02 é"), "/v1/payments?transaction_id=1%26till%3DT02%20%C3%A9");
    let owner = |payments: Vec<Payment>| {
        let list = message::PaymentList { payments, next: None };
        let reply = pair.said(StatusCode::OK, &list, &stamp("1"));
        pair.codec.decode_lookup(lookup(TRANSACTION), &reply, NOW)
    };
    assert_eq!(owner(vec![payment("paid")]), Owner::Order(order().out_trade_no));
    assert_eq!(owner(vec![]), Owner::Nobody);
    for wrong in [vec![payment("waiting")], vec![payment("paid"), payment("paid")]] {
        assert!(matches!(owner(wrong), Owner::Inconclusive(_)));
    }
}
