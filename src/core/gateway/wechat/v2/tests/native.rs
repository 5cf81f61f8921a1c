//! unifiedorder and closeorder: what is sent, and what each code means.

use super::*;
use crate::gateway::wechat::native::NO_NOTIFY_URL;
use crate::order::CodeUrl;

const CODE_URL: &str = "weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00";

fn sent(gateway: &WechatV2, ask: Ask<'_>) -> (String, Fields) {
    let outgoing = gateway.encode(ask, &stamp("nonce"));
    assert!(!outgoing.certificate);
    let path = outgoing.request.uri().path().to_owned();
    (path, Fields::from_xml(outgoing.request.body()).unwrap())
}

#[test]
fn an_order_says_all_that_was_agreed_and_its_closing_only_the_number() {
    let mut order = order();
    order.mark = "0123456789abcdef".into();
    let gateway = gateway(SignType::HmacSha256);
    let common = [
        ("appid", "wx8888888888888888"),
        ("mch_id", "1900000109"),
        ("nonce_str", "nonce"),
        ("out_trade_no", "POS01202611220001"),
        ("sign_type", "HMAC-SHA256"),
    ];
    let ordered = [
        ("attach", "0123456789abcdef"),
        ("body", "测试门店-拿铁 & <可颂>"),
        ("device_info", "POS-01"),
        ("fee_type", "CNY"),
        ("notify_url", NO_NOTIFY_URL),
        ("product_id", "POS01202611220001"),
        ("spbill_create_ip", "203.0.113.7"),
        ("total_fee", "3150"),
        ("trade_type", "NATIVE"),
    ];
    for (ask, path, expected) in [
        (Ask::Order(&order), "/pay/unifiedorder", [&common[..], &ordered].concat()),
        (Ask::Close(&order), "/pay/closeorder", common.to_vec()),
    ] {
        let mut expected: Fields = expected.into_iter().collect();
        expected.sign(SignType::HmacSha256, KEY);
        assert_eq!(sent(&gateway, ask), (path.to_owned(), expected));
    }
    // An order that is sent again is the same but for nonce and signature.
    let again = gateway.encode(Ask::Order(&order), &stamp("another"));
    let again = Fields::from_xml(again.request.body()).unwrap();
    let (_, first) = sent(&gateway, Ask::Order(&order));
    let differs = first.iter().zip(again.iter()).filter(|(a, b)| a != b).map(|(a, _)| a.0);
    assert_eq!(differs.collect::<Vec<_>>(), ["nonce_str", "sign"]);
    let gateway = gateway.notifying("https://pay.example.com/notify".to_owned());
    let (_, fields) = sent(&gateway, Ask::Order(&order));
    assert_eq!(fields.get("notify_url"), Some("https://pay.example.com/notify"));
}

fn ordered(pairs: &[(&str, &str)]) -> Says {
    let base = [("result_code", "SUCCESS"), ("trade_type", "NATIVE"), ("prepay_id", "wx2026")];
    let base = base.into_iter().filter(|(name, _)| pairs.iter().all(|(known, _)| known != name));
    let pairs: Vec<_> = base.chain(pairs.iter().copied()).collect();
    decode(SignType::HmacSha256, CallKind::Order, signed(&pairs))
}

#[test]
fn a_code_is_shown_as_it_came_or_not_at_all() {
    for good in
        [CODE_URL, "weixin://wxpay/bizpayurl?pr=uEzPyAD", "weixin://wxpay/s/An4baqw", "weixin://x"]
    {
        let code = CodeUrl::try_from(good.to_owned()).unwrap();
        assert_eq!(code.as_str(), good);
        assert_eq!(ordered(&[("code_url", good)]), Says::Code(code));
    }
    let long = format!("weixin://{}", "a".repeat(CodeUrl::LONGEST - 8));
    assert!(CodeUrl::try_from(long[..CodeUrl::LONGEST].to_owned()).is_ok());
    for wrong in [
        "",
        "weixin://",
        "https://wxpay/bizpayurl?pr=1",
        "WEIXIN://wxpay/bizpayurl?pr=1",
        " weixin://wxpay/bizpayurl?pr=1",
        "weixin://wxpay/biz payurl",
        "weixin://wxpay/\u{202e}",
        "weixin://微信",
        "weixin://a\u{7f}",
        &long,
    ] {
        assert!(CodeUrl::try_from(wrong.to_owned()).is_err(), "{wrong:?}");
        assert_eq!(ordered(&[("code_url", wrong)]), Says::Unknown(reason("bad_answer")), "{wrong}");
    }
    assert_eq!(ordered(&[]), Says::Unknown(reason("bad_answer")), "no code");
    let of_another = ordered(&[("code_url", CODE_URL), ("trade_type", "JSAPI")]);
    assert_eq!(of_another, Says::Unknown(reason("bad_answer")));
    let foreign = ordered(&[("code_url", CODE_URL), ("out_trade_no", "POS01202611220002")]);
    assert_eq!(foreign, Says::Unknown(reason("wrong_number")));
    // The journal and its readers hold a code to the same rule.
    assert!(serde_json::from_str::<CodeUrl>("\"https://example.com\"").is_err());
    assert!(serde_json::from_str::<CodeUrl>(&format!("\"{CODE_URL}\"")).is_ok());
}

#[test]
fn a_forged_code_is_not_shown() {
    let pairs = [("result_code", "SUCCESS"), ("trade_type", "NATIVE"), ("code_url", CODE_URL)];
    let forged = signed_with(SignType::HmacSha256, "another key of 32 characters....", &pairs);
    let said = decode(SignType::HmacSha256, CallKind::Order, forged);
    assert_eq!(said, Says::Unknown(reason("bad_signature")));
}

#[test]
fn every_code_of_unifiedorder_and_closeorder_has_its_class() {
    const TABLE: [(CallKind, &str); 2] = [
        (
            CallKind::Order,
            "refused: ORDERCLOSED NOTENOUGH NOAUTH APPID_NOT_EXIST MCHID_NOT_EXIST
             APPID_MCHID_NOT_MATCH LACK_PARAMS SIGNERROR XML_FORMAT_ERROR REQUIRE_POST_METHOD
             POST_DATA_EMPTY NOT_UTF8 PARAM_ERROR
             ambiguous: ORDERPAID OUT_TRADE_NO_USED INVALID_REQUEST
             unknown: SYSTEMERROR FREQUENCY_LIMITED RATELIMIT_EXCEEDED UNHEARD_OF",
        ),
        (
            CallKind::Close,
            "accepted: ORDERCLOSED ORDERNOTEXIST
             paid: ORDERPAID
             repeat: SYSTEMERROR
             refused: SIGNERROR REQUIRE_POST_METHOD XML_FORMAT_ERROR PARAM_ERROR LACK_PARAMS NOAUTH
             APPID_NOT_EXIST MCHID_NOT_EXIST APPID_MCHID_NOT_MATCH
             unknown: USERPAYING INVALID_REQUEST FREQUENCY_LIMITED UNHEARD_OF",
        ),
    ];
    for (kind, table) in TABLE {
        let mut class = "";
        for word in table.split_whitespace() {
            if let Some(next) = word.strip_suffix(':') {
                class = next;
                continue;
            }
            let body = signed(&[("result_code", "FAIL"), ("err_code", word)]);
            let why = reason(word);
            let expected = match (class, kind) {
                ("accepted", _) => Says::Accepted,
                ("ambiguous", _) => Says::Ambiguous(why),
                ("paid", _) => Says::AlreadyPaid(why),
                ("refused", CallKind::Order) => Says::Declined(why),
                ("refused", _) => Says::ReversalRefused(why),
                ("repeat", _) => Says::Repeat(why),
                _ => Says::Unknown(why),
            };
            assert_eq!(decode(SignType::HmacSha256, kind, body), expected, "{kind:?} {word}");
        }
    }
    let closed = signed(&[("result_code", "SUCCESS"), ("result_msg", "OK")]);
    assert_eq!(decode(SignType::HmacSha256, CallKind::Close, closed), Says::Accepted);
    let unsigned = b"<xml><return_code>FAIL</return_code><return_msg>x</return_msg></xml>".to_vec();
    for kind in [CallKind::Order, CallKind::Close] {
        let said = decode(SignType::HmacSha256, kind, unsigned.clone());
        assert!(matches!(said, Says::Unsigned(_)), "{said:?}");
    }
}

#[test]
fn a_payment_by_scanning_is_proven_by_the_same_query() {
    let paid = paid_but("trade_type", "NATIVE");
    let fields = Fields::from_xml(&paid).unwrap();
    let mut fields: Fields = fields.iter().filter(|(name, _)| *name != "sign").collect();
    fields.set("trade_state", "SUCCESS");
    fields.sign(SignType::HmacSha256, KEY);
    let says = decode(SignType::HmacSha256, CallKind::Query, fields.to_xml().into_bytes());
    assert!(matches!(says, Says::Paid(_)), "{says:?}");
}
