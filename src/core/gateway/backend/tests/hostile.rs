//! No bytes and no bystander make a till believe what its backend did not say to it.

use proptest::prelude::*;

use super::*;
use crate::payment::{Found, Inconclusive, Submitted};
use crate::refund::{Queried, RefundCallKind};

/// Whether an answer, or nothing, came of it.
fn is_nothing(answer: &Answer) -> bool {
    matches!(answer.as_inconclusive(), Some(Inconclusive::Unknown(_)))
}

fn body() -> Vec<u8> {
    serde_json::to_vec(&payment("paid")).unwrap()
}

/// Decoded as the answer to a query with that stamp, after whatever else was done to the reply.
fn query(pair: &Pair, stamp: &Stamp, mut reply: Reply) -> Answer {
    pair.codec.receive(stamp, &mut reply);
    pair.codec.decode(Ask::Query(&order()), &reply, NOW).answer
}

#[test]
fn an_answer_is_believed_only_as_the_answer_to_its_own_request() {
    let pair = Pair::new();
    let (first, second) = (stamp("1"), stamp("2"));
    let reply = || pair.reply(StatusCode::OK, &body(), &first);
    assert!(query(&pair, &first, reply()).proof().is_some());
    let answer = query(&pair, &second, reply());
    assert!(is_nothing(&answer) && answer.reason().unwrap().is(TillCause::BadSignature));
    // Who takes a new nonce for the old one has not signed it.
    let mut renamed = reply();
    renamed.headers_mut().insert("paytill-nonce", second.nonce.parse().unwrap());
    assert!(is_nothing(&query(&pair, &second, renamed)));
    // What was found of an earlier request does not count for the next.
    let mut received = reply();
    pair.codec.receive(&first, &mut received);
    assert!(is_nothing(&query(&pair, &second, received)));
}

#[test]
fn an_answer_that_nobody_has_checked_is_not_believed() {
    let pair = Pair::new();
    let reply = pair.reply(StatusCode::OK, &body(), &stamp("1"));
    let answer = pair.codec.decode(Ask::Query(&order()), &reply, NOW).answer;
    assert!(is_nothing(&answer) && answer.reason().unwrap().is(TillCause::BadSignature));
    let refund = refund();
    let ask = RefundAsk { kind: RefundCallKind::Query, refund: &refund };
    let answer = pair.codec.decode_refund(ask, &reply, NOW).answer;
    assert!(answer.as_inconclusive().is_some());
    let merchant = order().merchant;
    let lookup = Lookup { merchant: &merchant, transaction_id: TRANSACTION };
    assert!(matches!(pair.codec.decode_lookup(lookup, &reply, NOW), Owner::Inconclusive(_)));
    assert!(pair.codec.decode_hello(&reply).is_err());
}

#[test]
fn only_the_backends_own_key_counts() {
    let (pair, other) = (Pair::new(), Pair::new());
    let stamp = stamp("1");
    assert!(is_nothing(&query(&pair, &stamp, other.reply(StatusCode::OK, &body(), &stamp))));
}

#[test]
fn nothing_that_was_changed_on_the_way_counts() {
    let pair = Pair::new();
    let stamp = stamp("1");
    let reply = || pair.reply(StatusCode::OK, &body(), &stamp);
    let mut other_status = reply();
    *other_status.status_mut() = StatusCode::ACCEPTED;
    let mut other_body = reply();
    other_body.body_mut().push(b' ');
    let mut other_time = reply();
    other_time.headers_mut().insert("paytill-timestamp", "1".parse().unwrap());
    for changed in [other_status, other_body, other_time] {
        assert!(is_nothing(&query(&pair, &stamp, changed)));
    }
    for name in ["paytill-nonce", "paytill-timestamp", "paytill-signature"] {
        let mut without = reply();
        without.headers_mut().remove(name);
        assert!(is_nothing(&query(&pair, &stamp, without)), "{name}");
    }
}

#[test]
fn a_page_of_something_in_between_says_what_it_is() {
    let pair = Pair::new();
    let mut reply = Reply::new(b"<html><title>502 Bad Gateway</title></html>".to_vec());
    *reply.status_mut() = StatusCode::BAD_GATEWAY;
    let answer = query(&pair, &stamp("1"), reply);
    let reason = answer.reason().unwrap();
    assert!(is_nothing(&answer) && reason.is(TillCause::HttpStatus));
    assert!(reason.text.contains("502"), "{}", reason.text);
}

#[test]
fn an_unsigned_refusal_is_no_refusal() {
    let pair = Pair::new();
    let (order, code) = (order(), code());
    for refused in Refused::ALL {
        let refusal = Refusal { code: refused.word().to_owned(), text: String::new() };
        let mut reply = Reply::new(serde_json::to_vec(&refusal).unwrap());
        *reply.status_mut() = refused.status();
        pair.codec.receive(&stamp("1"), &mut reply);
        let answer = pair.codec.decode(Ask::Submit(&order, &code), &reply, NOW).answer;
        assert!(is_nothing(&answer), "{refused:?}: {answer:?}");
    }
}

#[test]
fn a_payment_code_that_comes_back_is_kept_nowhere() {
    let pair = Pair::new();
    let (order, code, stamp) = (order(), code(), stamp("1"));
    let reason = message::Told { code: "ODD".to_owned(), text: format!("code {CODE}") };
    let told = Payment { reason: Some(reason), ..payment("declined") };
    let reply = pair.said(StatusCode::OK, &told, &stamp);
    let decoded = pair.codec.decode(Ask::Submit(&order, &code), &reply, NOW);
    assert!(matches!(decoded.answer, Answer::Submitted(Submitted::Declined(_))));
    assert!(!format!("{decoded:?}").contains(CODE), "{decoded:?}");
}

proptest! {
    /// Unsigned bytes never say anything, whatever they are.
    #[test]
    fn no_bytes_make_a_till_believe_anything(
        status in 100_u16..600,
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            Just(body()),
        ],
        headers in prop::collection::vec(("[a-z-]{1,20}", "[ -~]{0,60}"), 0..4),
    ) {
        let pair = Pair::new();
        let mut reply = Reply::new(bytes);
        *reply.status_mut() = StatusCode::from_u16(status).unwrap();
        let known = [("paytill-nonce", stamp("1").nonce), ("paytill-signature", "AA==".to_owned())];
        let known = known.map(|(name, value)| (name.to_owned(), value));
        for (name, value) in headers.into_iter().chain(known) {
            let name = http::HeaderName::try_from(name);
            if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
                reply.headers_mut().append(name, value);
            }
        }
        let (order, code) = (order(), code());
        pair.codec.receive(&stamp("1"), &mut reply);
        for kind in KINDS {
            let ask = Ask::of(kind, &order, Some(&code)).unwrap();
            prop_assert!(is_nothing(&pair.codec.decode(ask, &reply, NOW).answer));
        }
    }

    /// Signed nonsense is survived, and a payment is never proved by anything but its own proof.
    #[test]
    fn no_signed_bytes_are_taken_for_another_payments_proof(
        amount in prop_oneof![Just(1234_i64), any::<i64>()],
        number in prop_oneof![Just(NUMBER.to_owned()), "[A-Z0-9]{6,32}"],
        mark in prop_oneof![Just(order().mark), "[0-9a-f]{0,16}"],
        currency in prop_oneof![Just("CNY".to_owned()), "[A-Z]{3}"],
        transaction_id in prop_oneof![Just(Some(TRANSACTION.to_owned())), prop::option::of(".{0,40}")],
        state in prop_oneof![Just("paid".to_owned()), "[a-z]{0,9}"],
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let pair = Pair::new();
        let stamp = stamp("1");
        let told = Payment {
            amount,
            out_trade_no: number,
            mark,
            currency,
            transaction_id,
            ..payment(&state)
        };
        let mut bytes = serde_json::to_vec(&told).unwrap();
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let answer = query(&pair, &stamp, pair.reply(StatusCode::OK, &bytes, &stamp));
        let is_ours = told.out_trade_no == NUMBER
            && told.amount == 1234
            && told.mark == order().mark
            && told.currency == "CNY"
            && told.state == "paid"
            && !is_cut;
        let is_paid = matches!(answer, Answer::Found(Found::Paid(_)));
        prop_assert!(!is_paid || is_ours, "{:?}", answer);
        let refund = refund();
        let ask = RefundAsk { kind: RefundCallKind::Query, refund: &refund };
        let reply = pair.reply(StatusCode::OK, &bytes, &stamp);
        let answer = pair.codec.decode_refund(ask, &reply, NOW).answer;
        prop_assert!(!matches!(answer, RefundAnswer::Queried(Queried::Done(_))));
    }
}
