//! Notifications, and what pretends to be one.

use super::*;
use crate::gateway::notice::{Delivery, Notice, RefundHint};
use crate::gateway::wechat::tests::{MUTATIONS, draws, mutated};
use crate::payment::Proof;

fn delivery(body: Vec<u8>) -> Delivery {
    http::Request::new(body)
}

fn notice(sign_type: SignType, body: Vec<u8>) -> Result<Notice, Reason> {
    gateway(sign_type).notice(&delivery(body), &merchant())
}

fn of_number(number: &str) -> Order {
    Order { out_trade_no: OutTradeNo::try_from(number.to_owned()).unwrap(), ..order() }
}

/// One that is right, but for what is changed.
fn changed(change: &[(&str, &str)]) -> Vec<u8> {
    let mut pairs = vec![
        ("out_trade_no", "POS01202611220001"),
        ("result_code", "SUCCESS"),
        ("total_fee", "3150"),
        ("transaction_id", "4200002026112200000000000001"),
        ("time_end", "20261122121500"),
    ];
    pairs.extend(change);
    signed(&pairs)
}

fn proof(body: Vec<u8>, order: &Order) -> Result<Proof, String> {
    match notice(SignType::HmacSha256, body).map_err(|why| why.code().to_owned())? {
        Notice::Paid(paid) => {
            paid.proof(order, NOW).map_err(|what| what.reason().code().to_owned())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_published_notification_proves_its_order_and_no_other() {
    let Ok(Notice::Paid(paid)) = notice(SignType::Md5, fixture("notice_md5")) else { panic!() };
    let proof = paid.proof(&of_number("POS01202611220002"), NOW).unwrap();
    let paid_at = Timestamp::from_beijing("20261122121500").unwrap();
    assert_eq!((proof.transaction_id.len(), proof.paid_at, proof.coupon), (28, paid_at, None));
    assert_eq!(paid.id, proof.transaction_id);
    assert!(paid.proof(&order(), NOW).is_err());
    // The algorithm is ours to choose.
    let refused = notice(SignType::HmacSha256, fixture("notice_md5")).unwrap_err();
    assert_eq!(refused.code(), "bad_signature");
}

#[test]
fn a_payment_is_proved_only_where_everything_matches() {
    assert!(proof(changed(&[]), &order()).is_ok());
    let coupon = proof(changed(&[("coupon_fee", "50")]), &order()).unwrap().coupon;
    assert_eq!(coupon, Some(50));
    for (change, code) in [
        (("out_trade_no", "POS01202611220009"), "wrong_number"),
        (("total_fee", "3151"), "wrong_amount"),
        (("total_fee", "03150"), "bad_answer"),
        (("total_fee", ""), "bad_answer"),
        (("fee_type", "HKD"), "wrong_currency"),
        (("mch_id", "1900009999"), "wrong_merchant"),
        (("appid", "wx1111111111111111"), "wrong_merchant"),
        (("sub_mch_id", "1900009999"), "wrong_merchant"),
        (("transaction_id", ""), "bad_answer"),
        (("transaction_id", "4200'; --"), "bad_answer"),
        (("time_end", ""), "bad_answer"),
        (("result_code", "FAIL"), "bad_answer"),
        // Answers that are signed in the same way.
        (("trade_state", "REFUND"), "bad_answer"),
        (("out_refund_no", "RF1"), "bad_answer"),
        (("refund_count", "1"), "bad_answer"),
    ] {
        assert_eq!(proof(changed(&[change]), &order()).unwrap_err(), code, "{change:?}");
    }
    let marked = Order { mark: "0123456789abcdef".into(), ..order() };
    assert!(proof(changed(&[]), &marked).is_ok());
    assert!(proof(changed(&[("attach", "0123456789abcdef")]), &marked).is_ok());
    let other = proof(changed(&[("attach", "fedcba9876543210")]), &marked);
    assert_eq!(other.unwrap_err(), "another_till");
}

#[test]
fn what_is_unsigned_or_no_message_says_nothing() {
    let right = String::from_utf8(changed(&[])).unwrap();
    let unsigned = right
        .split_once("<sign>")
        .map(|(head, rest)| format!("{head}{}", rest.split_once("</sign>").unwrap().1));
    let unsigned = unsigned.unwrap();
    let forged = signed_with(SignType::HmacSha256, "0", &[("result_code", "SUCCESS")]);
    for (body, code) in [
        (unsigned.clone().into_bytes(), "bad_signature"),
        (
            unsigned.replace("SUCCESS</result_code>", "FAIL</result_code>").into_bytes(),
            "bad_signature",
        ),
        (forged, "bad_signature"),
        (fixture("return_fail"), "refused"),
        (Vec::new(), "bad_answer"),
        (b"<html></html>".to_vec(), "bad_answer"),
        (format!("<!DOCTYPE xml>{right}").into_bytes(), "bad_answer"),
        (right.replace("<xml>", "<xml><total_fee>3150</total_fee>").into_bytes(), "bad_answer"),
        (vec![b' '; 64 * 1024 + 1], "bad_answer"),
    ] {
        let refused = notice(SignType::HmacSha256, body.clone()).unwrap_err();
        assert_eq!(refused.code(), code, "{}", String::from_utf8_lossy(&body));
    }
}

fn of_refund(sealed: &str, mch_id: &str) -> Vec<u8> {
    format!(
        "<xml><return_code>SUCCESS</return_code><appid>wx8888888888888888</appid>\
         <mch_id>{mch_id}</mch_id><nonce_str>abc</nonce_str><req_info>{sealed}</req_info></xml>"
    )
    .into_bytes()
}

fn sealed(name: &str) -> String {
    let path = format!("{}/gateway/wechat/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap().trim_end().to_owned()
}

#[test]
fn a_refunds_notification_is_no_more_than_a_hint() {
    let hint = |order: &str, refund: &str| {
        Notice::Hint(RefundHint { out_trade_no: order.into(), out_refund_no: refund.into() })
    };
    for (name, expected) in [
        ("refund_notice_short.req_info", hint("", "RF1")),
        ("refund_notice.req_info", hint("POS01202611220001", "RF202611220001")),
    ] {
        let body = of_refund(&sealed(name), "1900000109");
        assert_eq!(notice(SignType::Md5, body).unwrap(), expected);
    }
    let sealed = sealed("refund_notice.req_info");
    let refused = |body: Vec<u8>| notice(SignType::Md5, body).unwrap_err().code().to_owned();
    assert_eq!(refused(of_refund(&sealed, "1900009999")), "wrong_merchant");
    for (start, end) in [(0, sealed.len() - 4), (4, sealed.len())] {
        assert_eq!(refused(of_refund(&sealed[start..end], "1900000109")), "bad_answer");
    }
    for nothing in ["*", "AAAA", &"A".repeat(64)] {
        assert_eq!(refused(of_refund(nothing, "1900000109")), "bad_answer", "{nothing}");
    }
    // Beside a signed payment it is still only a hint.
    let both = changed(&[("req_info", &sealed)]);
    assert!(matches!(notice(SignType::HmacSha256, both), Ok(Notice::Hint(_))));
    let empty = WechatV2::new(SignType::Md5, String::new().into());
    assert!(empty.notice(&delivery(of_refund(&sealed, "1900000109")), &merchant()).is_err());
}

#[test]
fn no_mutated_notification_is_believed() {
    let right = changed(&[]);
    let mut draw = draws();
    for _ in 0..MUTATIONS {
        let bytes = mutated(&right, &mut draw);
        // Blanks between elements, or a value in another form, are no change.
        if Fields::from_xml(&bytes).ok() == Fields::from_xml(&right).ok() {
            continue;
        }
        let read = notice(SignType::HmacSha256, bytes);
        assert!(read.is_err(), "{read:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic_or_believe(
        body: Vec<u8>, text in ".*", sealed in "[A-Za-z0-9+/=]{0,200}",
    ) {
        let sealed = of_refund(&sealed, "1900000109");
        for body in [body, format!("<xml><sign>{text}</sign></xml>").into_bytes(), sealed] {
            proptest::prop_assert!(notice(SignType::Md5, body).is_err());
        }
    }
}
