//! Orders whose code the customer scans: what is sent, and what the answers are believed to say.

use super::requests::{assert_signed, text};
use super::*;
use crate::order::CodeUrl;

const CODE: &str = "weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00";

fn answer(members: &str) -> String {
    format!("{{{members}}}")
}

#[test]
fn an_order_is_sent_and_signed_like_the_vector() {
    let order = Order {
        out_trade_no: OutTradeNo::try_from("POS01202611220002".to_owned()).unwrap(),
        device_info: String::new(),
        client_ip: String::new(),
        ..order()
    };
    let gateway = gateway().notifying("https://pay.example.com/wx/notify".to_owned());
    let sent = gateway.encode(Ask::Order(&order), &stamp());
    assert_eq!(sent.request.uri(), "/v3/pay/transactions/native");
    assert_eq!(text(&sent), line("native_request.json"));
    let header = sent.request.headers()["Authorization"].to_str().unwrap();
    let signature = line("native_request.sig");
    assert!(header.contains(&format!("signature=\"{signature}\"")), "{header}");
}

#[test]
fn an_order_says_all_that_was_agreed_and_its_closing_only_whose_it_is() {
    let order = Order { mark: "0123456789abcdef".into(), ..order() };
    let gateway = gateway();
    let ordered = gateway.encode(Ask::Order(&order), &stamp());
    assert_eq!(
        text(&ordered),
        r#"{"appid":"wx8888888888888888","mchid":"1900000109","description":"测试门店-拿铁咖啡","#
            .to_owned()
            + r#""out_trade_no":"POS01202611220001","attach":"0123456789abcdef","#
            + r#""notify_url":"https://notify.invalid/none","amount":{"total":3150,"currency":"CNY"},"#
            + r#""scene_info":{"payer_client_ip":"203.0.113.7","device_id":"A1111"}}"#
    );
    let closed = gateway.encode(Ask::Close(&order), &stamp());
    let number = "/v3/pay/transactions/out-trade-no/POS01202611220001";
    assert_eq!(closed.request.uri(), &*format!("{number}/close"));
    assert_eq!(text(&closed), r#"{"mchid":"1900000109"}"#);
    for outgoing in [ordered, closed] {
        assert_eq!(outgoing.request.method(), http::Method::POST);
        assert!(!outgoing.certificate);
        assert_signed(&outgoing);
    }
    // No address is worse than one that nobody can have.
    let silent = super::gateway().notifying(String::new());
    assert!(text(&silent.encode(Ask::Order(&order), &stamp())).contains("notify.invalid"));
}

#[test]
fn a_service_provider_orders_and_closes_for_its_sub_merchant() {
    let merchant = Merchant {
        sub_app_id: "wx2222222222222222".into(),
        sub_mch_id: "1900000110".into(),
        ..merchant()
    };
    let order = Order { merchant, ..order() };
    let ordered = gateway().encode(Ask::Order(&order), &stamp());
    assert_eq!(ordered.request.uri(), "/v3/pay/partner/transactions/native");
    let ids = r#""sp_appid":"wx8888888888888888","sp_mchid":"1900000109","sub_appid":"wx2222222222222222","sub_mchid":"1900000110""#;
    assert!(text(&ordered).starts_with(&format!("{{{ids},\"description\":")));
    let closed = gateway().encode(Ask::Close(&order), &stamp());
    let number = "/v3/pay/partner/transactions/out-trade-no/POS01202611220001";
    assert_eq!(closed.request.uri(), &*format!("{number}/close"));
    assert_eq!(text(&closed), r#"{"sp_mchid":"1900000109","sub_mchid":"1900000110"}"#);
}

#[test]
fn a_code_is_shown_as_it_came_or_not_at_all() {
    let order = |reply: &Reply| decode(CallKind::Order, reply);
    let good = answer(&format!("\"code_url\":\"{CODE}\""));
    let code = CodeUrl::try_from(CODE.to_owned()).unwrap();
    assert_eq!(order(&signed(200, &good)), Says::Code(code.clone()));
    let more = answer(&format!("\"code_url\":\"{CODE}\",\"x_future_member\":[1]"));
    assert_eq!(order(&signed(200, &more)), Says::Code(code));
    for (members, why) in [
        (String::new(), "bad_answer"),
        ("\"code_url\":\"\"".to_owned(), "bad_answer"),
        ("\"code_url\":7".to_owned(), "bad_answer"),
        ("\"code_url\":null".to_owned(), "bad_answer"),
        ("\"code_url\":\"https://example.com\"".to_owned(), "bad_answer"),
        (format!("\"code_url\":\"{CODE}\",\"code_url\":\"{CODE}\""), "bad_answer"),
        (format!("\"code_url\":\"{CODE}\",\"mchid\":\"1900000100\""), "wrong_merchant"),
        (format!("\"code_url\":\"{CODE}\",\"out_trade_no\":\"POS01202611220002\""), "wrong_number"),
    ] {
        let says = order(&signed(200, &answer(&members)));
        assert_eq!(reason(&says).code(), why, "{members}");
    }
    assert_eq!(reason(&order(&bare(200, &good))).code(), "bad_signature");
    let forged = Signed::of("merchant_key.pem", good.as_bytes()).on(200, good.as_bytes());
    assert_eq!(reason(&order(&forged)).code(), "bad_signature");
    for status in [201, 202, 204] {
        assert_eq!(reason(&order(&signed(status, &good))).code(), "http_status", "{status}");
    }
}

#[test]
fn a_closing_is_accepted_by_a_signed_word_only() {
    let close = |reply: &Reply| decode(CallKind::Close, reply);
    assert_eq!(close(&signed(204, "")), Says::Accepted);
    let ours = r#"{"mchid":"1900000109","out_trade_no":"POS01202611220001"}"#;
    assert_eq!(close(&signed(200, ours)), Says::Accepted);
    for (reply, why) in [
        (bare(204, ""), "bad_signature"),
        (bare(200, ours), "bad_signature"),
        (signed(202, ours), "http_status"),
        (signed(200, "{}"), "wrong_merchant"),
        (signed(200, &ours.replace("0001\"", "0002\"")), "wrong_number"),
    ] {
        assert_eq!(reason(&close(&reply)).code(), why);
    }
}

#[test]
fn the_record_has_what_was_ordered_and_no_address_of_ours() {
    let order = order();
    let sent = gateway().record(Ask::Order(&order));
    let names: Vec<&str> = sent.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "description",
        "out_trade_no",
        "notify_url",
        "amount.total",
        "amount.currency",
        "scene_info.device_id",
    ];
    assert_eq!(names, expected);
    let closed = gateway().record(Ask::Close(&order));
    assert_eq!(closed, [("out_trade_no".to_owned(), NUMBER.to_owned())]);
}
