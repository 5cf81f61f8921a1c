//! Refunds of our own: what is sent, and what is believed.

use super::*;
use crate::gateway::RefundAsk;
use crate::payment::{Cause, Inconclusive, TillCause};
use crate::refund::{
    Looked, OutRefundNo, Queried, Refund, RefundAnswer, RefundCallKind, RefundPage, RefundSaid,
};

const LOOK: RefundCallKind = RefundCallKind::Look { offset: 0 };
const QUERY: RefundCallKind = RefundCallKind::Query;
const REFUND: RefundCallKind = RefundCallKind::Refund;
const NUMBER: &str = "POS01202611220001R011234";

fn refund() -> Refund {
    Refund {
        out_refund_no: OutRefundNo::try_from(NUMBER.to_owned()).unwrap(),
        order: order(),
        amount: Money::from_minor(150),
        reason: "退货：杯子破了".into(),
        approved_by: String::new(),
    }
}

fn answer(kind: RefundCallKind, body: Vec<u8>) -> RefundAnswer {
    let refund = refund();
    let ask = RefundAsk { kind, refund: &refund };
    gateway(SignType::HmacSha256).decode_refund(ask, &reply(200, body), NOW).answer
}

fn cause(answer: &RefundAnswer) -> TillCause {
    match answer.as_inconclusive() {
        Some(Inconclusive::Unknown(reason) | Inconclusive::Unsigned(reason)) => {
            match reason.cause {
                Cause::Till(cause) => cause,
                Cause::Gateway(_) => TillCause::NoErrorCode,
            }
        }
        _ => panic!("{answer:?}"),
    }
}

fn but(pairs: &[(&'static str, &'static str)], name: &str, value: &'static str) -> Vec<u8> {
    let mut pairs = pairs.to_vec();
    match pairs.iter_mut().find(|(known, _)| *known == name) {
        Some(pair) => pair.1 = value,
        None => panic!("{name}"),
    }
    signed(&pairs)
}

const ACCEPTED: [(&str, &str); 8] = [
    ("result_code", "SUCCESS"),
    ("out_trade_no", "POS01202611220001"),
    ("out_refund_no", NUMBER),
    ("refund_id", "50000000000000000000000000001"),
    ("refund_fee", "150"),
    ("total_fee", "3150"),
    ("fee_type", "CNY"),
    ("transaction_id", "4200002026112200000000000001"),
];

const FOUND: [(&str, &str); 9] = [
    ("result_code", "SUCCESS"),
    ("out_trade_no", "POS01202611220001"),
    ("total_fee", "3150"),
    ("fee_type", "CNY"),
    ("refund_count", "1"),
    ("out_refund_no_0", NUMBER),
    ("refund_id_0", "50000000000000000000000000001"),
    ("refund_fee_0", "150"),
    ("refund_status_0", "SUCCESS"),
];

#[test]
fn each_call_says_what_it_must_and_only_the_refund_shows_the_certificate() {
    let refund = refund();
    let gateway = gateway(SignType::HmacSha256);
    for (kind, path, certificate, fields) in [
        (LOOK, "/pay/refundquery", false, vec![("out_trade_no", "POS01202611220001")]),
        (
            RefundCallKind::Look { offset: 20 },
            "/pay/refundquery",
            false,
            vec![("offset", "20"), ("out_trade_no", "POS01202611220001")],
        ),
        (QUERY, "/pay/refundquery", false, vec![("out_refund_no", NUMBER)]),
        (
            REFUND,
            "/secapi/pay/refund",
            true,
            vec![
                ("out_refund_no", NUMBER),
                ("out_trade_no", "POS01202611220001"),
                ("refund_desc", "退货：杯子破了"),
                ("refund_fee", "150"),
                ("refund_fee_type", "CNY"),
                ("total_fee", "3150"),
            ],
        ),
    ] {
        let ask = RefundAsk { kind, refund: &refund };
        let outgoing = gateway.encode_refund(ask, &stamp("N"));
        assert_eq!((outgoing.request.uri().path(), outgoing.certificate), (path, certificate));
        let sent = Fields::from_xml(outgoing.request.body()).unwrap();
        assert!(sent.is_signed(SignType::HmacSha256, KEY));
        let common = ["appid", "mch_id", "nonce_str", "sign", "sign_type"];
        let own: Vec<_> = sent.iter().filter(|(name, _)| !common.contains(name)).collect();
        assert_eq!(own, fields);
        let recorded = gateway.record_refund(ask);
        assert!(recorded.iter().all(|(name, _)| name != "sign" && name != "mch_id"));
        assert_eq!(recorded.len(), fields.len() + 1, "with sign_type");
    }
}

#[test]
fn a_reason_is_cut_to_what_the_gateway_takes_at_a_whole_character() {
    for (reason, sent) in [
        ("退".repeat(40), "退".repeat(26)),
        (format!("{} b", "a".repeat(79)), "a".repeat(79)),
        (String::new(), String::new()),
    ] {
        let refund = Refund { reason, ..refund() };
        let fields = gateway(SignType::HmacSha256)
            .refund_fields(RefundAsk { kind: REFUND, refund: &refund });
        assert_eq!(fields.get("refund_desc").unwrap_or_default(), sent);
    }
}

#[test]
fn a_refund_is_accepted_only_if_it_matches_in_every_part() {
    assert_eq!(answer(REFUND, signed(&ACCEPTED)), RefundAnswer::Said(RefundSaid::Accepted));
    for (name, value, why) in [
        ("out_trade_no", "POS01202611220002", TillCause::WrongNumber),
        ("out_trade_no", "", TillCause::WrongNumber),
        ("out_refund_no", "POS01202611220001R021234", TillCause::WrongNumber),
        ("out_refund_no", "", TillCause::WrongNumber),
        ("refund_fee", "151", TillCause::WrongAmount),
        ("refund_fee", "", TillCause::WrongAmount),
        ("total_fee", "150", TillCause::WrongAmount),
        ("total_fee", "", TillCause::WrongAmount),
        ("fee_type", "USD", TillCause::WrongCurrency),
        ("result_code", "OK", TillCause::BadAnswer),
    ] {
        assert_eq!(cause(&answer(REFUND, but(&ACCEPTED, name, value))), why, "{name}={value}");
    }
    let mut pairs = ACCEPTED.to_vec();
    pairs.push(("mch_id", "1900009999"));
    assert_eq!(cause(&answer(REFUND, signed(&pairs))), TillCause::WrongMerchant);
    let forged = signed_with(SignType::HmacSha256, "another key", &ACCEPTED);
    assert_eq!(cause(&answer(REFUND, forged)), TillCause::BadSignature);
    let unsigned = b"<xml><return_code>FAIL</return_code><return_msg>no</return_msg></xml>";
    assert_eq!(cause(&answer(REFUND, unsigned.to_vec())), TillCause::Refused);
    let refund = refund();
    let ask = RefundAsk { kind: REFUND, refund: &refund };
    let gateway = gateway(SignType::HmacSha256);
    for (status, body, why) in [
        (500, signed(&ACCEPTED), TillCause::HttpStatus),
        (200, b"<html>log in</html>".to_vec(), TillCause::BadAnswer),
    ] {
        let decoded = gateway.decode_refund(ask, &reply(status, body), NOW);
        assert_eq!(cause(&decoded.answer), why);
        assert!(!decoded.record.is_empty());
    }
}

#[test]
fn every_code_of_a_refund_has_its_class() {
    for (codes, class) in [
        (
            "NOTENOUGH TRADE_OVERDUE USER_ACCOUNT_ABNORMAL ERROR INVALID_TRANSACTIONID \
             ORDERNOTEXIST PARAM_ERROR APPID_NOT_EXIST MCHID_NOT_EXIST REQUIRE_POST_METHOD \
             SIGNERROR XML_FORMAT_ERROR",
            "refused",
        ),
        ("INVALID_REQ_TOO_MUCH", "blocked"),
        ("SYSTEMERROR BIZERR_NEED_RETRY FREQUENCY_LIMITED UNHEARD_OF REFUNDNOTEXIST", "unclear"),
    ] {
        for code in codes.split_whitespace() {
            let body = signed(&[("result_code", "FAIL"), ("err_code", code)]);
            let is = match answer(REFUND, body) {
                RefundAnswer::Said(RefundSaid::Refused(why)) if why.code() == code => "refused",
                RefundAnswer::Said(RefundSaid::Blocked(why)) if why.code() == code => "blocked",
                RefundAnswer::Said(RefundSaid::Inconclusive(_)) => "unclear",
                other => panic!("{other:?}"),
            };
            assert_eq!(is, class, "{code}");
        }
    }
    let elses = signed(&[("result_code", "FAIL"), ("err_code", "ERROR"), ("out_refund_no", "X")]);
    assert_eq!(cause(&answer(REFUND, elses)), TillCause::WrongNumber);
}

#[test]
fn a_refund_is_done_only_by_a_query_that_matches_in_every_part() {
    let RefundAnswer::Queried(Queried::Done(proof)) = answer(QUERY, signed(&FOUND)) else {
        panic!()
    };
    assert_eq!((proof.refund_id.as_str(), proof.done_at), ("50000000000000000000000000001", NOW));
    let mut pairs = FOUND.to_vec();
    pairs.push(("refund_success_time_0", "2026-11-22 12:03:01"));
    let RefundAnswer::Queried(Queried::Done(proof)) = answer(QUERY, signed(&pairs)) else {
        panic!()
    };
    assert_eq!(proof.done_at, Timestamp::from_beijing("20261122120301").unwrap());
    for (word, is) in [
        ("PROCESSING", Queried::Processing),
        ("REFUNDCLOSE", Queried::Closed),
        ("CHANGE", Queried::Abnormal),
    ] {
        let body = but(&FOUND, "refund_status_0", word);
        assert_eq!(answer(QUERY, body), RefundAnswer::Queried(is));
    }
    for (name, value, why) in [
        ("out_trade_no", "POS01202611220002", TillCause::WrongNumber),
        ("out_trade_no", "", TillCause::WrongNumber),
        ("out_refund_no_0", "POS01202611220001R021234", TillCause::WrongNumber),
        ("refund_fee_0", "151", TillCause::WrongAmount),
        ("total_fee", "150", TillCause::WrongAmount),
        ("fee_type", "USD", TillCause::WrongCurrency),
        ("refund_count", "2", TillCause::BadAnswer),
        ("refund_count", "", TillCause::BadAnswer),
        ("refund_status_0", "NEW", TillCause::BadAnswer),
        ("refund_status_0", "", TillCause::BadAnswer),
    ] {
        assert_eq!(cause(&answer(QUERY, but(&FOUND, name, value))), why, "{name}={value}");
    }
    let none = signed(&[("result_code", "FAIL"), ("err_code", "REFUNDNOTEXIST")]);
    assert_eq!(answer(QUERY, none), RefundAnswer::Queried(Queried::NotFound));
    let failed = signed(&[("result_code", "FAIL"), ("err_code", "SYSTEMERROR")]);
    assert!(answer(QUERY, failed).as_inconclusive().is_some());
}

/// The list of an order's refunds.
fn listed(offset: u32, total: Option<&str>, refunds: &[(&str, &str, &str)]) -> RefundAnswer {
    let mut pairs = vec![
        ("result_code".to_owned(), "SUCCESS".to_owned()),
        ("out_trade_no".to_owned(), "POS01202611220001".to_owned()),
        ("total_fee".to_owned(), "3150".to_owned()),
        ("refund_count".to_owned(), refunds.len().to_string()),
    ];
    pairs.extend(total.map(|total| ("total_refund_count".to_owned(), total.to_owned())));
    for (at, (number, fee, status)) in refunds.iter().enumerate() {
        pairs.push((format!("out_refund_no_{at}"), (*number).to_owned()));
        pairs.push((format!("refund_fee_{at}"), (*fee).to_owned()));
        pairs.push((format!("refund_status_{at}"), (*status).to_owned()));
    }
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    answer(RefundCallKind::Look { offset }, signed(&pairs))
}

#[test]
fn a_look_lists_what_was_refunded_whoever_did_it() {
    let RefundAnswer::Looked(Looked::Page(page)) = listed(
        0,
        None,
        &[("P1", "100", "SUCCESS"), ("P2", "1", "PROCESSING"), ("P3", "9", "REFUNDCLOSE")],
    ) else {
        panic!()
    };
    assert_eq!(page.total, 3);
    let counted: Vec<(i64, bool)> =
        page.refunds.iter().map(|refund| (refund.amount.minor(), refund.counts)).collect();
    assert_eq!(counted, [(100, true), (1, true), (9, false)]);
    let RefundAnswer::Looked(Looked::Page(page)) =
        listed(10, Some("12"), &[("P11", "1", "CHANGE")])
    else {
        panic!()
    };
    assert_eq!((page.total, page.refunds[0].counts), (12, true));
    let none = signed(&[("result_code", "FAIL"), ("err_code", "REFUNDNOTEXIST")]);
    assert_eq!(answer(LOOK, none), RefundAnswer::Looked(Looked::Page(RefundPage::default())));
    for (total, refund) in [
        (None, ("", "100", "SUCCESS")),
        (None, ("P1", "", "SUCCESS")),
        (None, ("P1", "0", "SUCCESS")),
        (None, ("P1", "-1", "SUCCESS")),
        (None, ("P1", "0.5", "SUCCESS")),
        (None, ("P1", "1", "NEW")),
        (None, ("P1", "1", "")),
        (Some("0"), ("P1", "1", "SUCCESS")),
        (Some("51"), ("P1", "1", "SUCCESS")),
        (Some("x"), ("P1", "1", "SUCCESS")),
    ] {
        let answer = listed(0, total, &[refund]);
        assert_eq!(cause(&answer), TillCause::BadAnswer, "{total:?} {refund:?}");
    }
}

#[test]
fn no_byte_of_an_answer_can_be_changed_without_making_it_worthless() {
    for (kind, pairs) in [(REFUND, &ACCEPTED[..]), (QUERY, &FOUND[..])] {
        let body = signed(pairs);
        for at in 0..body.len() {
            for change in [1_u8, 0x20] {
                let mut changed = body.clone();
                changed[at] ^= change;
                let answer = answer(kind, changed.clone());
                let same = Fields::from_xml(&changed).ok() == Fields::from_xml(&body).ok();
                let text = String::from_utf8_lossy(&changed).into_owned();
                assert!(same || answer.as_inconclusive().is_some(), "{text}: {answer:?}");
            }
        }
        for end in 0..body.len() {
            assert!(answer(kind, body[..end].to_vec()).as_inconclusive().is_some());
        }
    }
}

#[test]
fn the_customers_card_is_not_recorded() {
    let mut pairs = FOUND.to_vec();
    pairs.push(("refund_recv_accout_0", "招商银行信用卡0403"));
    let refund = refund();
    let ask = RefundAsk { kind: QUERY, refund: &refund };
    let decoded =
        gateway(SignType::HmacSha256).decode_refund(ask, &reply(200, signed(&pairs)), NOW);
    assert!(matches!(decoded.answer, RefundAnswer::Queried(Queried::Done(_))));
    assert!(decoded.record.iter().any(|(name, _)| name == "refund_id_0"));
    assert!(!decoded.record.iter().any(|(_, value)| value.contains("0403")));
}
