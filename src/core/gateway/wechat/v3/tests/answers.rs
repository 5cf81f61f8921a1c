//! What answers mean.

use super::*;

/// A payment with one member changed: `name` may be within `amount`; `None` leaves it out.
fn payment(changes: &[(&str, Option<&str>)]) -> String {
    let mut members = vec![
        ("appid", r#""wx8888888888888888""#),
        ("mchid", r#""1900000109""#),
        ("out_trade_no", r#""POS01202611220001""#),
        ("transaction_id", r#""4200002026112200000000000001""#),
        ("trade_state", r#""SUCCESS""#),
        ("success_time", r#""2026-11-22T12:03:01+08:00""#),
        ("x_future_member", r#"{"tolerate":["me",1.5,null]}"#),
        ("total", "3150"),
        ("currency", r#""CNY""#),
    ];
    for (name, value) in changes {
        members.retain(|(known, _)| known != name);
        members.extend(value.map(|value| (*name, value)));
    }
    let of = |is_amount: bool| {
        let is_of_amount = |name: &str| {
            ["total", "currency", "payer_total", "payer_currency"].contains(&name) == is_amount
        };
        let members = members.iter().filter(|(name, _)| is_of_amount(name));
        members.map(|(name, value)| format!("\"{name}\":{value}")).collect::<Vec<_>>().join(",")
    };
    format!("{{{},\"amount\":{{{}}}}}", of(false), of(true))
}

#[test]
fn a_payment_must_match_in_merchant_number_amount_and_currency() {
    for (name, value, code) in [
        ("total", Some("3151"), "wrong_amount"),
        ("total", Some("-3150"), "wrong_amount"),
        ("total", Some("3150.0"), "bad_answer"),
        ("total", Some("3.15e3"), "bad_answer"),
        ("total", Some("\"3150\""), "bad_answer"),
        ("total", Some("99999999999999999999"), "bad_answer"),
        ("total", None, "wrong_amount"),
        ("currency", Some("\"USD\""), "wrong_currency"),
        ("currency", Some("156"), "bad_answer"),
        ("out_trade_no", Some("\"POS01202611220002\""), "wrong_number"),
        ("out_trade_no", None, "wrong_number"),
        ("appid", Some("\"wx0000000000000000\""), "wrong_merchant"),
        ("mchid", Some("\"1900000100\""), "wrong_merchant"),
        ("mchid", None, "wrong_merchant"),
        ("mchid", Some("1900000109"), "bad_answer"),
        ("sub_mchid", Some("\"1900000110\""), "wrong_merchant"),
        ("transaction_id", None, "bad_answer"),
        ("transaction_id", Some("\"4200-1\""), "bad_answer"),
        ("transaction_id", Some("\"420000202611220000000000000000001\""), "bad_answer"),
        ("trade_state", Some("\"PAID\""), "bad_answer"),
        ("trade_state", None, "bad_answer"),
        ("success_time", Some("1795320003"), "bad_answer"),
    ] {
        for kind in [CallKind::Submit, CallKind::Query] {
            let says = decode(kind, &signed(200, &payment(&[(name, value)])));
            assert_eq!(reason(&says).code(), code, "{name} {value:?} {kind:?}");
        }
    }
    for change in [("currency", None), ("appid", None), ("sub_appid", Some("\"wx1\""))] {
        let says = decode(CallKind::Query, &signed(200, &payment(&[change])));
        assert!(matches!(says, Says::Paid(_)), "{change:?}: {says:?}");
    }
}

#[test]
fn an_answer_for_another_shop_under_the_same_provider_proves_nothing() {
    let shop = Merchant {
        sub_app_id: "wx2222222222222222".into(),
        sub_mch_id: "1900000110".into(),
        ..merchant()
    };
    let order = Order { merchant: shop, ..order() };
    let provider = [
        ("appid", None),
        ("mchid", None),
        ("sp_appid", Some("\"wx8888888888888888\"")),
        ("sp_mchid", Some("\"1900000109\"")),
    ];
    for (sub_app_id, sub_mch_id, ours) in [
        (Some("\"wx2222222222222222\""), Some("\"1900000110\""), true),
        // The gateway omits it if it was not needed.
        (None, Some("\"1900000110\""), true),
        (Some("\"wx3333333333333333\""), Some("\"1900000110\""), false),
        (Some("\"wx2222222222222222\""), Some("\"1900000111\""), false),
        (None, None, false),
    ] {
        let mut changes = provider.to_vec();
        changes.extend([("sub_appid", sub_app_id), ("sub_mchid", sub_mch_id)]);
        let reply = signed(200, &payment(&changes));
        let says: Says = gateway().decode(Ask::Query(&order), &reply, NOW).answer.into();
        assert_eq!(matches!(says, Says::Paid(_)), ours, "{changes:?}: {says:?}");
    }
    // An answer to a direct merchant's question is none to a provider's.
    let says: Says =
        gateway().decode(Ask::Query(&order), &signed(200, &payment(&[])), NOW).answer.into();
    assert_eq!(reason(&says).code(), "wrong_merchant");
}

#[test]
fn what_coupons_paid_is_the_rest() {
    let coupon = |changes: &[(&str, Option<&str>)]| match decode(
        CallKind::Submit,
        &signed(200, &payment(changes)),
    ) {
        Says::Paid(proof) => proof.coupon,
        other => panic!("{other:?}"),
    };
    assert_eq!(coupon(&[]), None);
    assert_eq!(coupon(&[("payer_total", Some("3150"))]), None);
    assert_eq!(coupon(&[("payer_total", Some("3000"))]), Some(150));
    assert_eq!(coupon(&[("payer_total", Some("0"))]), Some(3150));
    let abroad = [("payer_total", Some("3000")), ("payer_currency", Some("\"HKD\""))];
    assert_eq!(coupon(&abroad), None);
}

#[test]
fn a_state_of_an_order_that_was_just_submitted_is_asked_about_first() {
    let says = |status: u16, state: &str| {
        let state = format!("\"{state}\"");
        decode(CallKind::Submit, &signed(status, &payment(&[("trade_state", Some(&state))])))
    };
    for state in ["NOTPAY", "PAYERROR", "CLOSED", "REVOKED", "REFUND"] {
        assert!(matches!(says(200, state), Says::Ambiguous(_)), "{state}");
    }
    for state in ["USERPAYING", "ACCEPT"] {
        assert_eq!(says(200, state), Says::Paying);
    }
    // Accepted and nothing more, whatever it says: a query decides.
    for state in ["USERPAYING", "SUCCESS", "NOTPAY"] {
        assert_eq!(says(202, state), Says::Paying, "{state}");
    }
    assert_eq!(reason(&says(204, "SUCCESS")).code(), "http_status");
    let error = r#"{"code":"USERPAYING","message":"需要用户输入支付密码"}"#;
    assert_eq!(decode(CallKind::Submit, &signed(202, error)), Says::Paying);
    let twice = r#"{"code":"USERPAYING","message":"一分钟内支付过相同金额，需要用户输入支付密码"}"#;
    let words = "一分钟内支付过相同金额，需要用户输入支付密码";
    let asked = Says::Asked(Reason::gateway("USERPAYING", words));
    assert_eq!(decode(CallKind::Submit, &signed(202, twice)), asked);
    assert_eq!(reason(&decode(CallKind::Submit, &bare(202, error))).code(), "bad_signature");
}

#[test]
fn every_trade_state_has_its_class() {
    let found = |state: &str, more: &[(&str, Option<&str>)]| {
        let state = format!("\"{state}\"");
        let mut changes = vec![("trade_state", Some(state.as_str())), ("success_time", None)];
        changes.extend(more);
        decode(CallKind::Query, &signed(200, &payment(&changes)))
    };
    assert_eq!(found("USERPAYING", &[]), Says::Paying);
    assert_eq!(found("ACCEPT", &[]), Says::Paying);
    assert_eq!(found("NOTPAY", &[]), Says::NotPaid);
    assert_eq!(found("CLOSED", &[]), Says::Ended(Ending::Closed));
    assert_eq!(found("REVOKED", &[]), Says::Ended(Ending::Revoked));
    let time = ("success_time", Some("\"2026-11-22T12:03:01+08:00\""));
    assert_eq!(found("REVOKED", &[time]), Says::Ended(Ending::Returned));
    assert_eq!(found("REFUND", &[]), Says::Ended(Ending::Refunded));
    assert!(matches!(found("PAYERROR", &[]), Says::Failed(_)));
    for state in ["CLOSED", "REVOKED", "REFUND", "PAYERROR", "NOTPAY", "SUCCESS"] {
        let nameless = found(state, &[("out_trade_no", None)]);
        assert_eq!(reason(&nameless).code(), "wrong_number", "{state}");
    }
    for unknown in ["", "PAID", "success"] {
        assert_eq!(reason(&found(unknown, &[])).code(), "bad_answer", "{unknown:?}");
    }
}

#[test]
fn an_order_with_another_mark_or_amount_is_another_tills() {
    const MARK: &str = "0123456789abcdef";
    let order = Order { mark: MARK.into(), ..order() };
    let found = |state: &str, more: &[(&str, Option<&str>)]| -> Says {
        let state = format!("\"{state}\"");
        let mut changes = vec![("trade_state", Some(state.as_str()))];
        changes.extend(more);
        gateway().decode(Ask::Query(&order), &signed(200, &payment(&changes)), NOW).answer.into()
    };
    let other = ("attach", Some("\"fedcba9876543210\""));
    let ours = ("attach", Some("\"0123456789abcdef\""));
    let none = ("attach", Some("\"member card 7\""));
    for state in ["SUCCESS", "USERPAYING", "NOTPAY", "PAYERROR", "CLOSED", "REVOKED", "REFUND"] {
        assert!(matches!(found(state, &[other]), Says::AnotherTills(_)), "{state}");
        for mark in [ours, none, ("attach", None)] {
            assert!(!matches!(found(state, &[mark]), Says::AnotherTills(_)), "{state} {mark:?}");
        }
        let unmarked = found(state, &[("total", Some("999"))]);
        assert!(matches!(unmarked, Says::AnotherTills(_)), "{state} {unmarked:?}");
    }
    let says = found("SUCCESS", &[("total", Some("999")), ours]);
    assert_eq!(reason(&says).code(), "wrong_amount");
    let code = code();
    let reply = signed(200, &payment(&[other]));
    let says: Says = gateway().decode(Ask::Submit(&order, &code), &reply, NOW).answer.into();
    assert_eq!(reason(&says).code(), "another_till");
}

#[test]
fn a_reversal_is_accepted_by_a_signed_word_only() {
    let done =
        r#"{"appid":"wx8888888888888888","mchid":"1900000109","out_trade_no":"POS01202611220001"}"#;
    let reverse = |reply: &Reply| decode(CallKind::Reverse, reply);
    assert_eq!(reverse(&signed(200, done)), Says::Accepted);
    assert_eq!(reverse(&signed(204, "")), Says::Accepted);
    assert!(matches!(reverse(&signed(202, done)), Says::Repeat(_)));
    for reply in [bare(200, done), bare(204, "")] {
        assert_eq!(reason(&reverse(&reply)).code(), "bad_signature");
    }
    let other = done.replace("0001\"", "0002\"");
    assert_eq!(reason(&reverse(&signed(200, &other))).code(), "wrong_number");
    let other = done.replace("1900000109", "1900000100");
    assert_eq!(reason(&reverse(&signed(200, &other))).code(), "wrong_merchant");
    assert_eq!(reason(&reverse(&signed(200, "{}"))).code(), "wrong_merchant");
}

#[test]
fn refunds_are_known_by_the_orders_state_alone() {
    let says = |state: &str| {
        let state = format!("\"{state}\"");
        let reply = signed(200, &payment(&[("trade_state", Some(&state))]));
        decode(CallKind::RefundQuery, &reply)
    };
    assert_eq!(says("REFUND"), Says::Refunds(Refunds::Untold));
    assert_eq!(says("REVOKED"), Says::Refunds(Refunds::Whole));
    assert_eq!(says("SUCCESS"), Says::Refunds(Refunds::None));
    for state in ["NOTPAY", "USERPAYING", "", "NEW"] {
        assert_eq!(reason(&says(state)).code(), "bad_answer", "{state}");
    }
}

#[test]
fn a_transaction_tells_its_order_or_that_there_is_none() {
    const TRANSACTION: &str = "4200002026112200000000000001";
    let merchant = merchant();
    let owner = |reply: &Reply| {
        let lookup = Lookup { merchant: &merchant, transaction_id: TRANSACTION };
        gateway().decode_lookup(lookup, reply, NOW)
    };
    let number = OutTradeNo::try_from(NUMBER.to_owned()).unwrap();
    assert_eq!(owner(&signed(200, &payment(&[]))), Owner::Order(number));
    let none = r#"{"code":"ORDER_NOT_EXIST","message":"订单不存在"}"#;
    assert_eq!(owner(&bare(404, none)), Owner::Nobody);
    let why = |reply: &Reply| match owner(reply) {
        Owner::Inconclusive(what) => what.reason().code().to_owned(),
        other => panic!("{other:?}"),
    };
    for (name, value) in [
        ("transaction_id", Some("\"4200002026112200000000000002\"")),
        ("transaction_id", None),
        ("out_trade_no", None),
        ("out_trade_no", Some("\"has space\"")),
    ] {
        assert_eq!(why(&signed(200, &payment(&[(name, value)]))), "wrong_number");
    }
    let foreign = payment(&[("mchid", Some("\"1900009999\""))]);
    assert_eq!(why(&signed(200, &foreign)), "wrong_merchant");
    assert_eq!(why(&bare(200, &payment(&[]))), "bad_signature");
    assert_eq!(why(&bare(400, none)), "ORDERNOTEXIST");
    assert_eq!(why(&bare(500, r#"{"code":"SYSTEM_ERROR"}"#)), "SYSTEMERROR");
    assert_eq!(why(&bare(404, "")), "http_status");
}
