//! Refund queries: how much of a payment went back.

use super::*;
use crate::payment::Refunds;

/// The answer about refunds of these amounts and statuses.
fn refunds(total: &str, refunds: &[(&str, &str)]) -> Says {
    let mut pairs = vec![
        ("result_code".to_owned(), "SUCCESS".to_owned()),
        ("out_trade_no".to_owned(), order().out_trade_no.as_str().to_owned()),
        ("total_fee".to_owned(), total.to_owned()),
        ("refund_count".to_owned(), refunds.len().to_string()),
    ];
    for (at, (fee, status)) in refunds.iter().enumerate() {
        pairs.push((format!("refund_fee_{at}"), (*fee).to_owned()));
        pairs.push((format!("refund_status_{at}"), (*status).to_owned()));
    }
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    decode(SignType::HmacSha256, CallKind::RefundQuery, signed(&pairs))
}

#[test]
fn refunds_that_make_up_the_payment_have_returned_all_of_it() {
    let total = order().amount.minor();
    let (all, most, rest) = (total.to_string(), (total - 1).to_string(), "1");
    for made in [
        vec![(all.as_str(), "SUCCESS")],
        vec![(all.as_str(), "PROCESSING")],
        vec![(most.as_str(), "SUCCESS"), (rest, "PROCESSING")],
        vec![(all.as_str(), "REFUNDCLOSE"), (all.as_str(), "SUCCESS")],
    ] {
        assert_eq!(refunds(&all, &made), Says::Refunds(Refunds::Whole), "{made:?}");
    }
}

#[test]
fn one_minor_unit_less_is_a_part_and_what_was_closed_or_is_stuck_does_not_count() {
    let total = order().amount.minor();
    let (all, most) = (total.to_string(), (total - 1).to_string());
    for made in [
        vec![(most.as_str(), "SUCCESS")],
        vec![(most.as_str(), "PROCESSING"), ("1", "REFUNDCLOSE")],
        vec![(most.as_str(), "SUCCESS"), ("1", "CHANGE")],
    ] {
        let says = refunds(&all, &made);
        let Says::Refunds(Refunds::Part(reason)) = &says else { panic!("{says:?}") };
        let shown = [total - 1, total].map(|minor| order().currency.show(Money::from_minor(minor)));
        assert_eq!((reason.code(), &reason.text), ("partly_refunded", &shown.join(" / ")));
    }
    for made in [vec![], vec![(all.as_str(), "REFUNDCLOSE")], vec![(all.as_str(), "CHANGE")]] {
        assert_eq!(refunds(&all, &made), Says::Refunds(Refunds::None), "{made:?}");
    }
}

#[test]
fn what_cannot_be_read_proves_nothing() {
    let all = order().amount.minor().to_string();
    for (total, made) in [
        ("1", vec![(all.as_str(), "SUCCESS")]),
        (all.as_str(), vec![("", "SUCCESS")]),
        (all.as_str(), vec![("-5", "SUCCESS")]),
        (all.as_str(), vec![("0.5", "SUCCESS")]),
        (all.as_str(), vec![(all.as_str(), "NEW")]),
        (all.as_str(), vec![(all.as_str(), "")]),
    ] {
        let says = refunds(total, &made);
        assert!(matches!(says, Says::Unknown(_)), "{made:?}: {says:?}");
    }
    for code in ["SYSTEMERROR", "SIGNERROR", "NEW"] {
        let body = signed(&[("result_code", "FAIL"), ("err_code", code)]);
        let says = decode(SignType::HmacSha256, CallKind::RefundQuery, body);
        assert!(matches!(says, Says::Unknown(_)), "{says:?}");
    }
    let none = signed(&[("result_code", "FAIL"), ("err_code", "REFUNDNOTEXIST")]);
    let says = decode(SignType::HmacSha256, CallKind::RefundQuery, none);
    assert_eq!(says, Says::Refunds(Refunds::None));
}
