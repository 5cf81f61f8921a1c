//! The codec against published examples, and against everything a reply can get wrong.

use super::*;
use crate::gateway::wechat::fields::NotAMessage;
use crate::money::{Currency, Money};
use crate::order::{AuthCode, OutTradeNo};
use crate::payment::CallKind;
use crate::payment::says::{Says, reason};

mod lookup;
mod native;
mod notices;
mod optional;
mod refund;
mod refunds;
mod requests;

const KEY: &str = "TESTONLYv2key0123456789ABCDEFGHI";
const NOW: Timestamp = Timestamp(1_795_318_200_000);

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/gateway/wechat/fixtures/{name}.xml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

fn merchant() -> Merchant {
    Merchant {
        app_id: "wx8888888888888888".into(),
        mch_id: "1900000109".into(),
        sub_app_id: String::new(),
        sub_mch_id: String::new(),
    }
}

fn order() -> Order {
    Order {
        out_trade_no: OutTradeNo::try_from("POS01202611220001".to_owned()).unwrap(),
        amount: Money::from_minor(3150),
        currency: Currency::CNY,
        merchant: merchant(),
        body: "测试门店-拿铁 & <可颂>".into(),
        device_info: "POS-01".into(),
        client_ip: "203.0.113.7".into(),
        mark: String::new(),
    }
}

fn code() -> AuthCode {
    AuthCode::new("134567890123456789").unwrap()
}

fn gateway(sign_type: SignType) -> WechatV2 {
    WechatV2::new(sign_type, KEY.into())
}

fn decode(sign_type: SignType, kind: CallKind, body: Vec<u8>) -> Says {
    let (order, code) = (order(), code());
    let ask = match kind {
        CallKind::Submit => Ask::Submit(&order, &code),
        CallKind::Query => Ask::Query(&order),
        CallKind::Reverse => Ask::Reverse(&order),
        CallKind::RefundQuery => Ask::RefundQuery(&order),
        CallKind::Order => Ask::Order(&order),
        CallKind::Close => Ask::Close(&order),
    };
    gateway(sign_type).decode(ask, &reply(200, body), NOW).answer.into()
}

fn reply(status: u16, body: Vec<u8>) -> Reply {
    http::Response::builder().status(status).body(body).unwrap()
}

fn stamp(nonce: &str) -> Stamp {
    Stamp { time: NOW, nonce: nonce.to_owned() }
}

/// A signed answer with these fields in addition to those every answer has.
fn signed(pairs: &[(&str, &str)]) -> Vec<u8> {
    signed_with(SignType::HmacSha256, KEY, pairs)
}

fn signed_with(sign_type: SignType, key: &str, pairs: &[(&str, &str)]) -> Vec<u8> {
    let base = [
        ("return_code", "SUCCESS"),
        ("return_msg", "OK"),
        ("appid", "wx8888888888888888"),
        ("mch_id", "1900000109"),
        ("nonce_str", "GOp3TRyMXzbMlkun"),
    ];
    let mut fields: Fields = base.into_iter().chain(pairs.iter().copied()).collect();
    fields.sign(sign_type, key);
    fields.to_xml().into_bytes()
}

const PAID: [(&str, &str); 8] = [
    ("result_code", "SUCCESS"),
    ("out_trade_no", "POS01202611220001"),
    ("transaction_id", "4200002026112200000000000001"),
    ("total_fee", "3150"),
    ("fee_type", "CNY"),
    ("trade_type", "MICROPAY"),
    ("time_end", "20261122120301"),
    ("x_future_field", "tolerate me"),
];

fn paid_but(name: &str, value: &str) -> Vec<u8> {
    let mut pairs = PAID.to_vec();
    pairs.retain(|(known, _)| *known != name);
    pairs.push((name, value));
    signed(&pairs)
}

fn code_of(answer: &Says) -> &str {
    match answer {
        Says::Unknown(reason)
        | Says::Declined(reason)
        | Says::Asked(reason)
        | Says::Ambiguous(reason)
        | Says::Unsigned(reason)
        | Says::Repeat(reason)
        | Says::ReversalRefused(reason)
        | Says::Expired(reason)
        | Says::Failed(reason) => reason.code(),
        _ => "",
    }
}

#[test]
fn signs_the_published_example() {
    let fields: Fields = [
        ("appid", "wxd930ea5d5a258f4f"),
        ("mch_id", "10000100"),
        ("device_info", "1000"),
        ("body", "test"),
        ("nonce_str", "ibuaiVcKdpRxkhJA"),
    ]
    .into_iter()
    .collect();
    for (sign_type, sign) in [
        (SignType::Md5, "9A0A8659F005D6984697E2CA0A9CF3B7"),
        (SignType::HmacSha256, "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6"),
    ] {
        let mut signed = fields.clone();
        signed.sign(sign_type, "192006250b4c09247ec02edce69f6a2d");
        assert_eq!(signed.get("sign"), Some(sign));
    }
}

#[test]
fn signs_chinese_json_and_skips_empty_fields_like_the_vectors() {
    let request = Fields::from_xml(&fixture("micropay_request_md5")).unwrap();
    assert!(request.is_signed(SignType::Md5, KEY));
    let mut request = request;
    request.set("sign_type", "HMAC-SHA256");
    request.sign(SignType::HmacSha256, KEY);
    let expected = "1FF223C780E0DEDD4931C3517E7DEEBFD3751993A9DF1E3B46B1936EA4E4B9F2";
    assert_eq!(request.get("sign"), Some(expected));
}

#[test]
fn reads_the_answers_of_the_vectors() {
    use CallKind::{Query, Reverse, Submit};
    let paid_at = Timestamp::from_beijing("20261122120301").unwrap();
    let transaction_id = "4200002026112200000000000001".to_owned();
    let proof =
        |coupon| Says::Paid(Proof { transaction_id: transaction_id.clone(), paid_at, coupon });
    let why = |code: &str, text: &str| Reason::gateway(code, text);
    for (name, kind, expected) in [
        ("paid_md5", Submit, proof(None)),
        ("userpaying_md5", Submit, Says::Paying),
        ("systemerror_md5", Submit, Says::Unknown(why("SYSTEMERROR", "系统超时"))),
        (
            "auth_code_invalid_md5",
            Submit,
            Says::Declined(why("AUTH_CODE_INVALID", "101 付款码无效，请重新扫码")),
        ),
        ("orderpaid_md5", Submit, Says::Unknown(why("ORDERPAID", "该订单已支付"))),
        ("query_userpaying_md5", Query, Says::Paying),
        ("query_payerror_md5", Query, Says::Failed(why("PAYERROR", "支付失败，请撤销订单"))),
        ("query_success_md5", Query, proof(Some(150))),
        ("query_absent_md5", Query, Says::NotFound),
        ("reverse_done_md5", Reverse, Says::Accepted),
        ("reverse_systemerror_md5", Reverse, Says::Repeat(why("SYSTEMERROR", "系统超时"))),
        (
            "reverse_userpaying_md5",
            Reverse,
            Says::Repeat(why("USERPAYING", "正在支付中不能发起撤销")),
        ),
        ("return_fail", Submit, Says::Unsigned(Reason::quoting(TillCause::Refused, "签名错误"))),
    ] {
        assert_eq!(decode(SignType::Md5, kind, fixture(name)), expected, "{name}");
    }
    assert_eq!(decode(SignType::HmacSha256, Submit, fixture("paid_hmac")), proof(None));
}

#[test]
fn only_the_algorithm_we_asked_for_counts() {
    let downgraded = signed_with(SignType::Md5, KEY, &PAID);
    let answer = decode(SignType::HmacSha256, CallKind::Submit, downgraded.clone());
    assert_eq!(code_of(&answer), "bad_signature");
    assert!(matches!(decode(SignType::Md5, CallKind::Submit, downgraded), Says::Paid(_)));
    let other = signed_with(SignType::HmacSha256, KEY, &PAID);
    assert_eq!(code_of(&decode(SignType::Md5, CallKind::Submit, other)), "bad_signature");
}

#[test]
fn forged_unsigned_and_tampered_answers_prove_nothing() {
    let right = String::from_utf8(signed(&PAID)).unwrap();
    let sign_at = right.find("<sign>").unwrap();
    let sign_end = right.find("</sign>").unwrap();
    let unsigned = format!("{}{}", &right[..sign_at], &right[sign_end + 7..]);
    let empty = format!("{}<sign></sign>{}", &right[..sign_at], &right[sign_end + 7..]);
    let lower =
        right.replace(&right[sign_at + 6..sign_end], &right[sign_at + 6..sign_end].to_lowercase());
    let added = right.replace("</xml>", "<zzz>1</zzz></xml>");
    let amount = right.replace("3150", "3151");
    let other_key = String::from_utf8(signed_with(SignType::HmacSha256, "another key", &PAID));
    for (what, body) in [
        ("unsigned", unsigned),
        ("empty signature", empty),
        ("lower case", lower),
        ("a field added", added),
        ("the amount changed", amount),
        ("another key", other_key.unwrap()),
    ] {
        let answer = decode(SignType::HmacSha256, CallKind::Submit, body.into_bytes());
        assert_eq!(code_of(&answer), "bad_signature", "{what}");
    }
    assert!(matches!(
        decode(SignType::HmacSha256, CallKind::Submit, right.into_bytes()),
        Says::Paid(_)
    ));
}

#[test]
fn an_empty_key_verifies_nothing() {
    let fields = Fields::from_xml(&signed_with(SignType::HmacSha256, "", &PAID)).unwrap();
    assert!(!fields.is_signed(SignType::HmacSha256, ""));
}

#[test]
fn a_payment_must_match_in_merchant_number_amount_and_currency() {
    for (name, value, code) in [
        ("total_fee", "3151", "wrong_amount"),
        ("total_fee", "03150", "wrong_amount"),
        ("total_fee", "3150.0", "wrong_amount"),
        ("total_fee", "+3150", "wrong_amount"),
        ("total_fee", "", "wrong_amount"),
        ("fee_type", "USD", "wrong_currency"),
        ("out_trade_no", "POS01202611220002", "wrong_number"),
        ("out_trade_no", "", "wrong_number"),
        ("appid", "wx0000000000000000", "wrong_merchant"),
        ("mch_id", "1900000100", "wrong_merchant"),
        ("mch_id", "", "wrong_merchant"),
        ("sub_mch_id", "1900000110", "wrong_merchant"),
        ("transaction_id", "", "bad_answer"),
        ("transaction_id", "\u{1b}[2J", "bad_answer"),
    ] {
        for (kind, state) in [(CallKind::Submit, ""), (CallKind::Query, "SUCCESS")] {
            let mut pairs = PAID.to_vec();
            pairs.retain(|(known, _)| *known != name);
            pairs.extend([("trade_state", state), (name, value)]);
            let answer = decode(SignType::HmacSha256, kind, signed(&pairs));
            // A character that XML forbids makes it no message at all.
            assert_eq!(code_of(&answer), code, "{name}={value:?} {kind:?}");
        }
    }
}

#[test]
fn the_currency_may_be_left_out_only_where_it_is_the_default() {
    assert!(matches!(
        decode(SignType::HmacSha256, CallKind::Submit, paid_but("fee_type", "")),
        Says::Paid(_)
    ));
}

#[test]
fn a_status_other_than_200_is_unknown_whatever_the_body_says() {
    let (order, code) = (order(), code());
    for status in [201, 301, 302, 401, 404, 429, 500, 502, 503] {
        let reply = reply(status, signed(&PAID));
        let decoded = gateway(SignType::HmacSha256).decode(Ask::Submit(&order, &code), &reply, NOW);
        assert_eq!(code_of(&decoded.answer.into()), "http_status");
    }
}

#[test]
fn what_is_no_message_is_quoted_and_recorded_but_never_with_the_code() {
    let (order, code) = (order(), code());
    let ask = Ask::Submit(&order, &code);
    let decode = |status: u16, body: &str| {
        let mut reply = reply(status, body.as_bytes().to_vec());
        let html = http::HeaderValue::from_static("text/html; charset=gbk");
        reply.headers_mut().insert(http::header::CONTENT_TYPE, html);
        gateway(SignType::HmacSha256).decode(ask, &reply, NOW)
    };
    let said = |decoded: &Decoded| decoded.answer.reason().unwrap().clone();
    let page = "<html><title>502 Bad Gateway</title><hr>nginx</html>";
    let decoded = decode(502, page);
    let line = "HTTP 502, text/html: 502 Bad Gateway nginx";
    assert_eq!(said(&decoded), Reason::quoting(TillCause::HttpStatus, line));
    let record = [
        ("http_status", "502"),
        ("content_type", "text/html"),
        ("first_words", "502 Bad Gateway nginx"),
    ];
    assert_eq!(decoded.record, record.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let decoded = decode(200, "<html>Please log in<br></html>");
    let line = "HTTP 200, text/html: Please log in";
    assert_eq!(said(&decoded), Reason::quoting(TillCause::BadAnswer, line));
    let decoded = decode(400, &format!("Bad request: {}", code.expose()));
    assert_eq!(said(&decoded).text, "HTTP 400");
    assert!(!format!("{decoded:?}").contains(code.expose()));
}

#[test]
fn a_refusal_is_quoted_whichever_name_its_words_have() {
    for name in ["return_msg", "retmsg", "error_msg"] {
        let body = format!("<xml><return_code>FAIL</return_code><{name}>no mch_id</{name}></xml>");
        let answer = decode(SignType::HmacSha256, CallKind::Query, body.into_bytes());
        assert_eq!(answer, Says::Unsigned(Reason::quoting(TillCause::Refused, "no mch_id")));
    }
    let body = b"<xml><retcode>1</retcode><retmsg>no mch_id</retmsg></xml>".to_vec();
    let answer = decode(SignType::HmacSha256, CallKind::Query, body);
    assert_eq!(answer, Says::Unknown(Reason::quoting(TillCause::BadAnswer, "no mch_id")));
}

#[test]
fn an_error_without_a_signature_proves_nothing_and_is_no_wrong_signature() {
    let failed = |code: &str, sign: &str| {
        format!(
            "<xml><return_code>SUCCESS</return_code><result_code>FAIL</result_code>\
             <err_code>{code}</err_code><err_code_des>busy</err_code_des>{sign}</xml>"
        )
    };
    for kind in [CallKind::Submit, CallKind::Query, CallKind::Reverse] {
        for code in ["SYSTEMERROR", "NOTENOUGH", "ORDERNOTEXIST", "REVERSE_EXPIRE"] {
            let answer = decode(SignType::HmacSha256, kind, failed(code, "").into_bytes());
            assert_eq!(answer, Says::Unknown(Reason::gateway(code, "busy")), "{kind:?}");
            let forged = failed(code, "<sign>00</sign>").into_bytes();
            let answer = decode(SignType::HmacSha256, kind, forged);
            assert_eq!(code_of(&answer), "bad_signature");
        }
    }
}

#[test]
fn every_micropay_code_has_its_class() {
    let class = |code: &str| {
        let pairs = [("result_code", "FAIL"), ("err_code", code), ("err_code_des", "…")];
        decode(SignType::HmacSha256, CallKind::Submit, signed(&pairs))
    };
    assert_eq!(class("USERPAYING"), Says::Paying);
    let said = |words: &'static str| {
        let pairs = [("result_code", "FAIL"), ("err_code", "USERPAYING"), ("err_code_des", words)];
        decode(SignType::HmacSha256, CallKind::Submit, signed(&pairs))
    };
    assert_eq!(said("需要用户输入支付密码"), Says::Paying);
    let twice = "一分钟内支付过相同金额，需要用户输入支付密码";
    assert_eq!(said(twice), Says::Asked(Reason::gateway("USERPAYING", twice)));
    for code in [
        "PARAM_ERROR",
        "NOAUTH",
        "AUTHCODEEXPIRE",
        "NOTENOUGH",
        "NOTSUPORTCARD",
        "ORDERCLOSED",
        "ORDERREVERSED",
        "AUTH_CODE_ERROR",
        "AUTH_CODE_INVALID",
        "TRADE_ERROR",
        "XML_FORMAT_ERROR",
        "REQUIRE_POST_METHOD",
        "SIGNERROR",
        "APPID_NOT_EXIST",
        "MCHID_NOT_EXIST",
        "APPID_MCHID_NOT_MATCH",
    ] {
        assert!(matches!(class(code), Says::Declined(_)), "{code}");
    }
    for code in
        ["BUYER_MISMATCH", "OUT_TRADE_NO_USED", "INVALID_REQUEST", "LACK_PARAMS", "NOT_UTF8"]
    {
        assert!(matches!(class(code), Says::Ambiguous(_)), "{code}");
    }
    for code in ["ORDERPAID", "SYSTEMERROR", "BANKERROR", "NEW_CODE_OF_2027", "", "notenough"] {
        assert!(matches!(class(code), Says::Unknown(_)), "{code}");
    }
}

#[test]
fn every_trade_state_has_its_class() {
    let class = |state: &str| {
        let pairs = [
            ("result_code", "SUCCESS"),
            ("out_trade_no", "POS01202611220001"),
            ("trade_state", state),
        ];
        decode(SignType::HmacSha256, CallKind::Query, signed(&pairs))
    };
    assert_eq!(class("USERPAYING"), Says::Paying);
    assert_eq!(class("ACCEPT"), Says::Paying);
    assert_eq!(class("NOTPAY"), Says::NotPaid);
    assert_eq!(class("CLOSED"), Says::Ended(Ending::Closed));
    assert_eq!(class("REVOKED"), Says::Ended(Ending::Revoked));
    assert_eq!(class("REFUND"), Says::Ended(Ending::Refunded));
    assert!(matches!(class("PAYERROR"), Says::Failed(_)));
    assert_eq!(code_of(&class("SUCCESS")), "wrong_amount");
    for unknown in ["", "PAID", "success"] {
        assert!(matches!(class(unknown), Says::Unknown(_)), "{unknown:?}");
    }
}

#[test]
fn a_query_that_names_no_order_ends_nothing() {
    for state in ["CLOSED", "REVOKED", "REFUND", "PAYERROR", "NOTPAY"] {
        let pairs = [("result_code", "SUCCESS"), ("trade_state", state)];
        let answer = decode(SignType::HmacSha256, CallKind::Query, signed(&pairs));
        assert_eq!(code_of(&answer), "wrong_number", "{state}");
    }
}

#[test]
fn a_failing_query_says_nothing_of_the_payment() {
    for code in ["SYSTEMERROR", "SIGNERROR", "PARAM_ERROR", "NEW"] {
        let pairs = [("result_code", "FAIL"), ("err_code", code)];
        let answer = decode(SignType::HmacSha256, CallKind::Query, signed(&pairs));
        assert!(matches!(answer, Says::Unknown(_)), "{code}");
    }
}

#[test]
fn a_reversal_is_done_only_when_the_gateway_says_so() {
    let class = |result: &str, code: &str, recall: &str| {
        let pairs = [("result_code", result), ("err_code", code), ("recall", recall)];
        decode(SignType::HmacSha256, CallKind::Reverse, signed(&pairs))
    };
    assert_eq!(class("SUCCESS", "", "N"), Says::Accepted);
    for (result, code, recall) in [
        ("SUCCESS", "", "Y"),
        ("SUCCESS", "", ""),
        ("SUCCESS", "", "n"),
        ("FAIL", "SYSTEMERROR", "Y"),
        ("FAIL", "SYSTEMERROR", "N"),
        ("FAIL", "USERPAYING", "N"),
        ("FAIL", "TRADE_ERROR", "Y"),
    ] {
        let answer = class(result, code, recall);
        assert!(matches!(answer, Says::Repeat(_)), "{result} {code} {recall}");
    }
    for code in ["INVALID_REQUEST", "TRADE_ERROR", "PARAM_ERROR", "INVALID_TRANSACTIONID"] {
        assert!(matches!(class("FAIL", code, "N"), Says::ReversalRefused(_)), "{code}");
    }
    assert!(matches!(class("FAIL", "REVERSE_EXPIRE", "N"), Says::Expired(_)));
    assert!(matches!(class("FAIL", "NEW", "N"), Says::Unknown(_)));
    assert!(matches!(class("", "", "N"), Says::Unknown(_)));
}

#[test]
fn there_is_one_reading_of_a_message_or_none() {
    let wrap = |inner: &str| format!("<xml>{inner}</xml>").into_bytes();
    for (what, bytes) in [
        ("a field twice", wrap("<a>1</a><a>2</a>")),
        ("an element within", wrap("<a>1<b>2</b></a>")),
        ("an attribute", wrap("<a x='1'>1</a>")),
        ("a namespace", wrap("<a xmlns='urn:x'>1</a>")),
        ("loose text", wrap("1<a>2</a>")),
        ("loose text that looks blank", wrap("\u{3000}<a>2</a>")),
        ("another root", b"<html><a>1</a></html>".to_vec()),
        ("an attribute on the root", b"<xml a='1'><b>1</b></xml>".to_vec()),
        ("a namespace on the root", b"<xml xmlns='urn:x'><b xmlns=''>1</b></xml>".to_vec()),
        ("a prefix on the root", b"<xml xmlns:q='urn:x'><b>1</b></xml>".to_vec()),
        ("a prefix declared within", wrap("<a xmlns:q='urn:x'>1</a>")),
    ] {
        assert_eq!(Fields::from_xml(&bytes), Err(NotAMessage::NotFlat), "{what}");
    }
    let many: Vec<String> = (0..1_000).map(|n| format!("<f{n}>1</f{n}>")).collect();
    let many = many.concat();
    for (what, bytes) in [
        ("a DTD", b"<!DOCTYPE xml [<!ENTITY a 'b'>]><xml><a>&a;</a></xml>".to_vec()),
        ("an empty DTD", b"<!DOCTYPE xml><xml><a>1</a></xml>".to_vec()),
        ("an unknown entity", wrap("<a>&x;</a>")),
        ("cut short", b"<xml><a>1</a>".to_vec()),
        ("nothing", Vec::new()),
        ("HTML", b"<html><body><p>502 Bad Gateway<br></body></html>".to_vec()),
        ("two documents", b"<xml></xml><xml></xml>".to_vec()),
        ("not UTF-8", b"<xml><a>\xff</a></xml>".to_vec()),
        ("NUL", b"<xml><a>\0</a></xml>".to_vec()),
        ("many nodes", wrap(&many)),
    ] {
        assert_eq!(Fields::from_xml(&bytes), Err(NotAMessage::NotXml), "{what}");
    }
    let large = wrap(&format!("<a>{}</a>", "x".repeat(70_000)));
    assert_eq!(Fields::from_xml(&large), Err(NotAMessage::TooLarge));
    let read =
        Fields::from_xml("\u{feff}<xml>\n <a><![CDATA[1&<2]]></a>\n <b/></xml>\n".as_bytes());
    assert_eq!(read.unwrap().get("a"), Some("1&<2"));
}

#[test]
fn what_was_read_can_be_written_and_read_again() {
    let fields = Fields::from_xml(b"<xml><a>1&#13;&#10;&amp;2</a></xml>").unwrap();
    assert_eq!(fields.get("a"), Some("1\r\n&2"));
    assert_eq!(Fields::from_xml(fields.to_xml().as_bytes()), Ok(fields));
}

#[test]
fn what_was_reversed_after_it_was_paid_had_taken_money() {
    let class = |pairs: &[(&str, &str)]| {
        let mut all = vec![("result_code", "SUCCESS"), ("out_trade_no", "POS01202611220001")];
        all.extend(pairs);
        decode(SignType::HmacSha256, CallKind::Query, signed(&all))
    };
    let revoked = ("trade_state", "REVOKED");
    assert_eq!(class(&[revoked]), Says::Ended(Ending::Revoked));
    let paid_before = [revoked, ("time_end", "20261122120301")];
    assert_eq!(class(&paid_before), Says::Ended(Ending::Returned));
}

#[test]
fn a_transaction_id_is_at_most_32_letters_and_digits() {
    let longest = "42000020261122000000000000000001";
    for (id, fits) in [
        (longest.to_owned(), true),
        (format!("{longest}0"), false),
        ("4200-1".to_owned(), false),
        (format!("{longest}-"), false),
    ] {
        let answer =
            decode(SignType::HmacSha256, CallKind::Submit, paid_but("transaction_id", &id));
        assert_eq!(matches!(answer, Says::Paid(_)), fits, "{id}: {answer:?}");
    }
}

#[test]
fn an_answer_for_another_shop_under_the_same_merchant_proves_nothing() {
    let shop = Merchant {
        sub_app_id: "wx2222222222222222".into(),
        sub_mch_id: "1900000110".into(),
        ..merchant()
    };
    let (order, code) = (Order { merchant: shop, ..order() }, code());
    let gateway = WechatV2::new(SignType::HmacSha256, KEY.into());
    for (sub_app_id, sub_mch_id, ours) in [
        ("wx2222222222222222", "1900000110", true),
        // The gateway omits it if it was not needed.
        ("", "1900000110", true),
        ("wx3333333333333333", "1900000110", false),
        ("wx2222222222222222", "1900000111", false),
        ("wx2222222222222222", "", false),
    ] {
        let mut pairs = PAID.to_vec();
        pairs.extend([("sub_appid", sub_app_id), ("sub_mch_id", sub_mch_id)]);
        let reply = reply(200, signed(&pairs));
        let answer = gateway.decode(Ask::Submit(&order, &code), &reply, NOW).answer.into();
        assert_eq!(matches!(answer, Says::Paid(_)), ours, "{sub_app_id} {sub_mch_id}");
        let expected = if ours { "" } else { "wrong_merchant" };
        assert_eq!(code_of(&answer), expected, "{sub_app_id} {sub_mch_id}");
    }
}

#[test]
fn a_message_of_64_kib_is_read_and_a_larger_one_is_not() {
    for (length, fits) in [(64 * 1024, true), (64 * 1024 + 1, false)] {
        let around = "<xml><a></a></xml>".len();
        let bytes = format!("<xml><a>{}</a></xml>", "x".repeat(length - around)).into_bytes();
        assert_eq!(bytes.len(), length);
        let expected = if fits { None } else { Some(NotAMessage::TooLarge) };
        assert_eq!(Fields::from_xml(&bytes).err(), expected, "{length}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic_or_pay(body: Vec<u8>, text in ".*") {
        for body in [body, text.clone().into_bytes(), format!("<xml><a>{text}</a></xml>").into_bytes()] {
            for kind in [CallKind::Submit, CallKind::Query, CallKind::Reverse] {
                let answer = decode(SignType::HmacSha256, kind, body.clone());
                let proves = matches!(answer, Says::Unknown(_) | Says::Unsigned(_));
                proptest::prop_assert!(proves);
            }
        }
    }

    #[test]
    fn what_is_written_is_read_back(values in proptest::collection::vec("[ -~\u{4e00}-\u{4eff}]{1,40}", 1..8)) {
        let mut fields = Fields::default();
        for (place, value) in values.iter().enumerate() {
            fields.set(&format!("f{place}"), value.as_str());
        }
        proptest::prop_assert_eq!(Fields::from_xml(fields.to_xml().as_bytes()), Ok(fields));
    }
}
