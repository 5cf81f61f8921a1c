//! One table of codes for both versions of the API: what each means, whichever of them says it.

use super::fields::{Fields, SignType};
use super::v2::WechatV2;
use super::v3::tests::{bare, code, decode, order};
use crate::clock::Timestamp;
use crate::gateway::{Ask, Gateway as _};
use crate::payment::CallKind::{self, Close, Order, Query, Reverse, Submit};
use crate::payment::says::Says;

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// How many mutations of a message are tried: of each of two, so that they make 100,000.
pub(super) const MUTATIONS: usize = 50_000;

/// Draws numbers below a limit, the same ones each time.
pub(super) fn draws() -> impl FnMut(usize) -> usize {
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    move |limit: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % u64::try_from(limit).unwrap()).unwrap()
    }
}

/// The bytes with one to three of them changed, removed or added.
pub(super) fn mutated(bytes: &[u8], draw: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=draw(3) {
        let place = draw(bytes.len());
        match draw(3) {
            0 => bytes[place] ^= 1 << draw(8),
            1 => drop(bytes.remove(place)),
            _ => bytes.insert(place, b' ' + u8::try_from(draw(95)).unwrap()),
        }
    }
    bytes
}

/// How much an answer says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Class {
    Paying,
    Declined,
    Ambiguous,
    Unknown,
    Unsigned,
    NotFound,
    Repeat,
    Refused,
    Expired,
    Accepted,
    AlreadyPaid,
}

fn class(says: &Says) -> Class {
    match says {
        Says::Paying => Class::Paying,
        Says::Declined(_) => Class::Declined,
        Says::Ambiguous(_) => Class::Ambiguous,
        Says::Unknown(_) => Class::Unknown,
        Says::Unsigned(_) => Class::Unsigned,
        Says::NotFound => Class::NotFound,
        Says::Repeat(_) => Class::Repeat,
        Says::ReversalRefused(_) => Class::Refused,
        Says::Expired(_) => Class::Expired,
        Says::Accepted => Class::Accepted,
        Says::AlreadyPaid(_) => Class::AlreadyPaid,
        other => panic!("{other:?}"),
    }
}

fn by_v2(kind: CallKind, err_code: &str) -> Says {
    let mut fields = Fields::from_iter([
        ("return_code", "SUCCESS"),
        ("appid", "wx8888888888888888"),
        ("mch_id", "1900000109"),
        ("result_code", "FAIL"),
        ("err_code", err_code),
    ]);
    fields.sign(SignType::HmacSha256, KEY);
    let (order, code) = (order(), code());
    let ask = Ask::of(kind, &order, Some(&code)).unwrap();
    let reply = http::Response::new(fields.to_xml().into_bytes());
    let codec = WechatV2::new(SignType::HmacSha256, KEY.into());
    codec.decode(ask, &reply, Timestamp(0)).answer.into()
}

fn by_v3(kind: CallKind, status: u16, code: &str) -> Says {
    decode(kind, &bare(status, &format!(r#"{{"code":"{code}","message":""}}"#)))
}

/// The call, the code of API v2, the status and code of API v3, and what each of the two says.
/// Codes that only one version has stand alone.
type Row = (CallKind, &'static str, u16, &'static str, Class);

const TABLE: &[Row] = &[
    (Submit, "AUTHCODEEXPIRE", 400, "AUTH_CODE_EXPIRE", Class::Declined),
    (Submit, "AUTHCODEEXPIRE", 403, "AUTHCODEEXPIRE", Class::Declined),
    (Submit, "AUTH_CODE_ERROR", 400, "AUTH_CODE_ERROR", Class::Declined),
    (Submit, "AUTH_CODE_INVALID", 400, "AUTH_CODE_INVALID", Class::Declined),
    (Submit, "NOTENOUGH", 403, "NOT_ENOUGH", Class::Declined),
    (Submit, "NOTSUPORTCARD", 403, "NOT_SUPORT_CARD", Class::Declined),
    (Submit, "NOTSUPORTCARD", 403, "NOT_SUPPORT_CARD", Class::Declined),
    (Submit, "ORDERCLOSED", 400, "ORDER_CLOSED", Class::Declined),
    (Submit, "ORDERREVERSED", 400, "ORDER_REVERSED", Class::Declined),
    (Submit, "TRADE_ERROR", 403, "TRADE_ERROR", Class::Declined),
    (Submit, "PARAM_ERROR", 400, "PARAM_ERROR", Class::Declined),
    (Submit, "NOAUTH", 403, "NO_AUTH", Class::Declined),
    (Submit, "APPID_NOT_EXIST", 400, "APPID_NOT_EXIST", Class::Declined),
    (Submit, "MCHID_NOT_EXIST", 404, "MCH_NOT_EXISTS", Class::Declined),
    (Submit, "APPID_MCHID_NOT_MATCH", 400, "APPID_MCHID_NOT_MATCH", Class::Declined),
    (Submit, "INVALID_REQUEST", 400, "INVALID_REQUEST", Class::Ambiguous),
    (Submit, "OUT_TRADE_NO_USED", 403, "OUT_TRADE_NO_USED", Class::Ambiguous),
    (Submit, "BUYER_MISMATCH", 400, "BUYER_MISMATCH", Class::Ambiguous),
    (Submit, "ORDERPAID", 400, "ORDER_PAID", Class::Unknown),
    (Submit, "SYSTEMERROR", 500, "SYSTEM_ERROR", Class::Unknown),
    (Submit, "BANKERROR", 500, "BANK_ERROR", Class::Unknown),
    (Query, "ORDERNOTEXIST", 404, "ORDER_NOT_EXIST", Class::NotFound),
    (Query, "SYSTEMERROR", 500, "SYSTEM_ERROR", Class::Unknown),
    (Query, "PARAM_ERROR", 400, "PARAM_ERROR", Class::Unknown),
    (Query, "TRADE_ERROR", 403, "TRADE_ERROR", Class::Unknown),
    (Reverse, "SYSTEMERROR", 500, "SYSTEM_ERROR", Class::Repeat),
    (Reverse, "USERPAYING", 400, "USER_PAYING", Class::Repeat),
    (Reverse, "REVERSE_EXPIRE", 400, "REVERSE_EXPIRE", Class::Expired),
    (Reverse, "INVALID_REQUEST", 400, "INVALID_REQUEST", Class::Refused),
    (Reverse, "TRADE_ERROR", 403, "TRADE_ERROR", Class::Refused),
    (Reverse, "PARAM_ERROR", 400, "PARAM_ERROR", Class::Refused),
    (Reverse, "UNHEARD_OF_CODE", 400, "UNHEARD_OF_CODE", Class::Unknown),
    (Order, "ORDERCLOSED", 400, "ORDER_CLOSED", Class::Declined),
    (Order, "NOTENOUGH", 403, "NOT_ENOUGH", Class::Declined),
    (Order, "NOAUTH", 403, "NO_AUTH", Class::Declined),
    (Order, "APPID_NOT_EXIST", 400, "APPID_NOT_EXIST", Class::Declined),
    (Order, "MCHID_NOT_EXIST", 400, "MCH_NOT_EXISTS", Class::Declined),
    (Order, "APPID_MCHID_NOT_MATCH", 400, "APPID_MCHID_NOT_MATCH", Class::Declined),
    (Order, "PARAM_ERROR", 400, "PARAM_ERROR", Class::Declined),
    (Order, "ORDERPAID", 400, "ORDER_PAID", Class::Ambiguous),
    (Order, "OUT_TRADE_NO_USED", 403, "OUT_TRADE_NO_USED", Class::Ambiguous),
    (Order, "INVALID_REQUEST", 400, "INVALID_REQUEST", Class::Ambiguous),
    (Order, "SYSTEMERROR", 500, "SYSTEM_ERROR", Class::Unknown),
    (Order, "UNHEARD_OF_CODE", 400, "UNHEARD_OF_CODE", Class::Unknown),
    (Close, "ORDERPAID", 400, "ORDER_PAID", Class::AlreadyPaid),
    (Close, "ORDERCLOSED", 400, "ORDER_CLOSED", Class::Accepted),
    (Close, "ORDERNOTEXIST", 404, "ORDER_NOT_EXIST", Class::Accepted),
    (Close, "SYSTEMERROR", 500, "SYSTEM_ERROR", Class::Repeat),
    (Close, "PARAM_ERROR", 400, "PARAM_ERROR", Class::Refused),
    (Close, "NOAUTH", 403, "NO_AUTH", Class::Refused),
    (Close, "MCHID_NOT_EXIST", 400, "MCH_NOT_EXISTS", Class::Refused),
    (Close, "APPID_MCHID_NOT_MATCH", 400, "APPID_MCHID_NOT_MATCH", Class::Refused),
    (Close, "UNHEARD_OF_CODE", 400, "UNHEARD_OF_CODE", Class::Unknown),
];

/// What API v3 says in its own way.
const OF_V3: &[(CallKind, u16, &str, Class)] = &[
    // A code that nobody knows: only a query tells.
    (Submit, 400, "UNHEARD_OF_CODE", Class::Ambiguous),
    (Submit, 403, "RULE_LIMIT", Class::Ambiguous),
    (Submit, 403, "ACCOUNT_ERROR", Class::Ambiguous),
    (Submit, 404, "ORDER_NOT_EXIST", Class::Ambiguous),
    (Submit, 400, "SYSTEM_ERROR", Class::Unknown),
    (Submit, 400, "USERPAYING", Class::Unknown),
    // A server in trouble proves nothing, whatever it says.
    (Submit, 500, "NOT_ENOUGH", Class::Unknown),
    (Submit, 503, "SERVICE_UNAVAILABLE", Class::Unknown),
    (Submit, 429, "FREQUENCY_LIMITED", Class::Unknown),
    (Submit, 429, "RATELIMIT_EXCEEDED", Class::Unknown),
    (Submit, 429, "NOT_ENOUGH", Class::Unknown),
    (Submit, 401, "SIGN_ERROR", Class::Unsigned),
    (Query, 401, "SIGN_ERROR", Class::Unsigned),
    (Reverse, 401, "SIGN_ERROR", Class::Unsigned),
    (Query, 400, "ORDER_NOT_EXIST", Class::Unknown),
    (Query, 404, "RESOURCE_NOT_EXISTS", Class::Unknown),
    (Query, 500, "ORDER_NOT_EXIST", Class::Unknown),
    (Query, 403, "RULE_LIMIT", Class::Unknown),
    (Query, 429, "RATELIMIT_EXCEEDED", Class::Unknown),
    (Reverse, 404, "NOT_FOUND", Class::Accepted),
    (Reverse, 404, "ORDER_NOT_EXIST", Class::Accepted),
    (Reverse, 400, "ORDER_CLOSED", Class::Repeat),
    (Reverse, 429, "FREQUENCY_LIMITED", Class::Repeat),
    (Reverse, 400, "ORDER_PAID", Class::Unknown),
    (Reverse, 500, "TRADE_ERROR", Class::Unknown),
    (Order, 403, "RULE_LIMIT", Class::Unknown),
    (Order, 403, "TRADE_ERROR", Class::Unknown),
    (Order, 404, "ORDER_NOT_EXIST", Class::Unknown),
    (Order, 429, "FREQUENCY_LIMITED", Class::Unknown),
    (Order, 429, "NO_AUTH", Class::Unknown),
    (Order, 500, "NO_AUTH", Class::Unknown),
    (Order, 401, "SIGN_ERROR", Class::Unsigned),
    (Close, 400, "INVALID_REQUEST", Class::Refused),
    (Close, 403, "TRADE_ERROR", Class::Refused),
    (Close, 403, "RULE_LIMIT", Class::Refused),
    (Close, 404, "NOT_FOUND", Class::Accepted),
    (Close, 500, "BANK_ERROR", Class::Repeat),
    (Close, 429, "RATELIMIT_EXCEEDED", Class::Repeat),
    (Close, 503, "SERVICE_UNAVAILABLE", Class::Repeat),
    (Close, 500, "ORDER_CLOSED", Class::Unknown),
    (Close, 500, "ORDER_PAID", Class::Unknown),
    (Close, 500, "RULE_LIMIT", Class::Unknown),
    (Close, 400, "USERPAYING", Class::Unknown),
    (Close, 401, "SIGN_ERROR", Class::Unsigned),
];

#[test]
fn every_code_means_the_same_in_both_versions() {
    for (kind, v2, status, v3, expected) in TABLE {
        assert_eq!(class(&by_v2(*kind, v2)), *expected, "{kind:?} {v2}");
        assert_eq!(class(&by_v3(*kind, *status, v3)), *expected, "{kind:?} {status} {v3}");
    }
    for (kind, status, code, expected) in OF_V3 {
        assert_eq!(class(&by_v3(*kind, *status, code)), *expected, "{kind:?} {status} {code}");
    }
}

#[test]
fn a_code_is_told_in_one_spelling() {
    for (kind, v2, status, v3, _) in TABLE {
        let said = |says: Says| match says {
            Says::Declined(reason)
            | Says::Ambiguous(reason)
            | Says::Unknown(reason)
            | Says::Repeat(reason)
            | Says::ReversalRefused(reason)
            | Says::AlreadyPaid(reason)
            | Says::Expired(reason) => reason.code().to_owned(),
            _ => String::new(),
        };
        assert_eq!(said(by_v3(*kind, *status, v3)), said(by_v2(*kind, v2)), "{v3}");
    }
}

#[test]
fn an_error_that_claims_a_signature_must_have_a_right_one() {
    let body = r#"{"code":"NOT_ENOUGH","message":"余额不足"}"#;
    let right = super::v3::tests::signed(403, body);
    assert_eq!(class(&decode(Submit, &right)), Class::Declined);
    let mut wrong = super::v3::tests::signed(403, body);
    *wrong.body_mut() = body.replace("NOT_ENOUGH", "TRADE_ERROR").into_bytes();
    assert_eq!(class(&decode(Submit, &wrong)), Class::Unknown);
    let mut probe = super::v3::tests::signed(404, r#"{"code":"ORDER_NOT_EXIST"}"#);
    let value = http::HeaderValue::from_static("WECHATPAY/SIGNTEST/abc");
    probe.headers_mut().insert("Wechatpay-Signature", value);
    assert_eq!(class(&decode(Query, &probe)), Class::Unknown);
}

proptest::proptest! {
    #[test]
    fn fields_are_those_that_were_set_last_and_all_but_the_signature_are_signed(
        sets in proptest::collection::vec(("[a-e_A]{1,3}|sign|sigm|sigo", "[ -~\u{4e00}]{0,12}"), 0..40),
    ) {
        let mut fields = Fields::default();
        let mut known = std::collections::BTreeMap::new();
        for (name, value) in &sets {
            fields.set(name, value.as_str());
            if value.is_empty() {
                known.remove(name.as_str());
            } else {
                known.insert(name.as_str(), value.as_str());
            }
        }
        let all: Vec<_> = known.iter().map(|(name, value)| (*name, *value)).collect();
        proptest::prop_assert_eq!(fields.iter().collect::<Vec<_>>(), all.clone());
        for (name, _) in &sets {
            proptest::prop_assert_eq!(fields.get(name), known.get(name.as_str()).copied());
        }
        let again = Fields::from_xml(fields.to_xml().as_bytes()).unwrap();
        proptest::prop_assert_eq!(&again, &fields);
        let signed = all.iter().filter(|(name, _)| *name != "sign");
        let pairs: Vec<_> = signed.map(|(name, value)| format!("{name}={value}&")).collect();
        let text = pairs.concat();
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, KEY.as_bytes());
        let tag = aws_lc_rs::hmac::sign(&key, format!("{text}key={KEY}").as_bytes());
        let digits: Vec<_> = tag.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        let digits = digits.concat();
        fields.sign(SignType::HmacSha256, KEY);
        proptest::prop_assert_eq!(fields.get("sign"), Some(digits.as_str()));
        proptest::prop_assert!(fields.is_signed(SignType::HmacSha256, KEY));
        fields.set("zz", "1");
        proptest::prop_assert!(!fields.is_signed(SignType::HmacSha256, KEY));
    }
}
