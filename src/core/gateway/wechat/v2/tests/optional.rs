//! Fields that come unasked, stay away, or come in numbers: none of them turns a payment away.

use super::*;

fn with_ids(sub_app_id: &str, sub_mch_id: &str) -> (WechatV2, Order) {
    let merchant =
        Merchant { sub_app_id: sub_app_id.into(), sub_mch_id: sub_mch_id.into(), ..merchant() };
    let order = Order { merchant: merchant.clone(), ..order() };
    (WechatV2::new(SignType::HmacSha256, KEY.into()), order)
}

#[test]
fn a_sub_appid_that_we_leave_empty_may_be_anything() {
    for sub_mch_id in ["", "1900000110"] {
        for theirs in ["", "wx3333333333333333"] {
            let (gateway, order) = with_ids("", sub_mch_id);
            let mut pairs = PAID.to_vec();
            pairs.extend([("sub_appid", theirs), ("sub_mch_id", sub_mch_id)]);
            let decoded = gateway.decode(Ask::Query(&order), &query_of(&pairs), NOW);
            assert!(matches!(decoded.answer.into(), Says::Paid(_)), "{sub_mch_id} {theirs}");
        }
    }
}

#[test]
fn the_id_for_which_an_answer_is_refused_is_named() {
    let (gateway, order) = with_ids("", "1900000110");
    let mut pairs = PAID.to_vec();
    pairs.push(("sub_mch_id", "1900000111"));
    let says = gateway.decode(Ask::Query(&order), &query_of(&pairs), NOW).answer.into();
    let Says::Unknown(reason) = says else { panic!("{says:?}") };
    assert_eq!((reason.code(), reason.text.as_str()), ("wrong_merchant", "sub_mch_id 1900000111"));
}

#[test]
fn a_payment_with_any_number_of_coupons_is_read() {
    for coupons in [1, 28, 50, 80] {
        let mut pairs: Vec<(String, String)> =
            PAID.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        for number in 0..coupons {
            pairs.push((format!("coupon_id_{number}"), "2000000012345".into()));
            pairs.push((format!("coupon_type_{number}"), "NO_CASH".into()));
            pairs.push((format!("coupon_fee_{number}"), "1".into()));
        }
        let pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        // With blanks between the fields, as the gateway writes it.
        let text = String::from_utf8(signed(&pairs)).unwrap().replace("><", ">\n<");
        let text = text.replace(">\n</", "></");
        let says = decode(SignType::HmacSha256, CallKind::Submit, text.into_bytes());
        assert!(matches!(says, Says::Paid(_)), "{coupons} coupons: {says:?}");
    }
}

#[test]
fn a_message_has_at_most_300_fields() {
    let of = |count: usize| {
        let fields: Vec<_> = (0..count).map(|at| format!("<f{at}>1</f{at}>\n")).collect();
        let fields = fields.concat();
        Fields::from_xml(format!("<xml>\n{fields}</xml>").as_bytes()).map(|_| ())
    };
    assert_eq!(of(300), Ok(()));
    assert_eq!(of(301), Err(NotAMessage::TooLarge));
    assert!(of(5_000).is_err());
}

fn query_of(pairs: &[(&str, &str)]) -> Reply {
    let mut pairs = pairs.to_vec();
    pairs.push(("trade_state", "SUCCESS"));
    reply(200, signed(&pairs))
}

const MARK: &str = "0123456789abcdef";

fn marked() -> Order {
    Order { mark: MARK.into(), ..order() }
}

#[test]
fn the_mark_goes_out_with_the_submission() {
    let (order, code) = (marked(), code());
    let gateway = gateway(SignType::HmacSha256);
    let sent = |ask| Fields::from_xml(gateway.encode(ask, &stamp("nonce")).request.body()).unwrap();
    assert_eq!(sent(Ask::Submit(&order, &code)).get("attach"), Some(MARK));
    assert_eq!(sent(Ask::Query(&order)).get("attach"), None);
}

#[test]
fn an_order_with_another_mark_is_another_tills_whatever_has_become_of_it() {
    let order = marked();
    let gateway = gateway(SignType::HmacSha256);
    let found = |pairs: &[(&str, &str)]| -> Says {
        gateway.decode(Ask::Query(&order), &reply(200, signed(pairs)), NOW).answer.into()
    };
    for state in ["SUCCESS", "USERPAYING", "NOTPAY", "PAYERROR", "CLOSED", "REVOKED", "REFUND"] {
        let mut pairs = PAID.to_vec();
        pairs.extend([("trade_state", state), ("attach", "fedcba9876543210")]);
        let Says::AnotherTills(reason) = found(&pairs) else { panic!("{state}") };
        assert_eq!(reason.code(), "another_till");
        // With our own mark, or none, it is ours.
        for mark in [MARK, "", "member card 7", "\u{2067}0123456789abcde", "0123456789abcdef0"] {
            pairs.retain(|(name, _)| *name != "attach");
            pairs.push(("attach", mark));
            assert!(!matches!(found(&pairs), Says::AnotherTills(_)), "{state} {mark:?}");
        }
    }
}

#[test]
fn a_payment_of_another_amount_is_another_tills_unless_it_carries_our_mark() {
    let order = marked();
    let gateway = gateway(SignType::HmacSha256);
    let found = |mark: &str| -> Says {
        let mut pairs = PAID.to_vec();
        pairs.retain(|(name, _)| *name != "total_fee");
        pairs.extend([("total_fee", "999"), ("trade_state", "SUCCESS"), ("attach", mark)]);
        gateway.decode(Ask::Query(&order), &reply(200, signed(&pairs)), NOW).answer.into()
    };
    assert!(matches!(found(""), Says::AnotherTills(_)));
    assert_eq!(code_of(&found(MARK)), "wrong_amount");
}
