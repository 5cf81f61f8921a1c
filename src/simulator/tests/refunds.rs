//! Refunds as their callers see them: one number one refund, and never more than was paid.

use super::*;

/// A till's desk after an order was paid in this scenario.
fn paid(name: &str) -> Desk {
    let mut desk = Desk::new(1);
    desk.at(1).submit("T01-000001", &named(name).code(1));
    assert_eq!(desk.bank.entry("T01-000001").unwrap().charged.minor(), 1230);
    desk
}

fn refund(number: &str, fee: &str) -> Fields {
    let mut fields = about("T01-000001");
    fields.set("out_refund_no", number);
    fields.set("total_fee", "1230");
    fields.set("refund_fee", fee);
    fields
}

fn by_number(number: &str) -> Fields {
    let mut fields = request();
    fields.set("out_refund_no", number);
    fields
}

impl Desk {
    fn refund(&mut self, number: &str, fee: &str) -> Fields {
        self.ask("/secapi/pay/refund", refund(number, fee))
    }

    fn status(&mut self, number: &str) -> String {
        let answer = self.ask("/pay/refundquery", by_number(number));
        let word = answer.get("refund_status_0").or_else(|| answer.get("err_code"));
        word.unwrap_or_default().to_owned()
    }

    fn returned(&self) -> i64 {
        self.bank.entry("T01-000001").unwrap().returned.minor()
    }
}

const ONE: &str = "T01-000001R010001";
const TWO: &str = "T01-000001R020002";

#[test]
fn a_number_is_refunded_once_and_all_of_them_never_above_what_was_paid() {
    let mut desk = paid("ok");
    for _ in 0..3 {
        let answer = desk.at(60).refund(ONE, "1000");
        assert_eq!(answer.get("result_code"), Some("SUCCESS"));
        assert_eq!(
            (answer.get("out_refund_no"), answer.get("refund_fee")),
            (Some(ONE), Some("1000"))
        );
    }
    assert_eq!(
        (desk.status(ONE).as_str(), desk.returned()),
        ("PROCESSING", 0),
        "accepted is not done"
    );
    desk.at(70);
    assert_eq!((desk.status(ONE).as_str(), desk.returned()), ("SUCCESS", 1000));
    assert_eq!(
        desk.refund(ONE, "999").get("err_code"),
        Some("ERROR"),
        "the same number, another sum"
    );
    assert_eq!(desk.refund(TWO, "231").get("err_code"), Some("ERROR"));
    assert_eq!(desk.status(TWO), "REFUNDNOTEXIST");
    desk.refund(TWO, "230");
    desk.at(80);
    assert_eq!((desk.status(TWO).as_str(), desk.returned()), ("SUCCESS", 1230));
    assert_eq!(desk.query("T01-000001").get("trade_state"), Some("REFUND"));
    let listed = desk.ask("/pay/refundquery", about("T01-000001"));
    assert_eq!((listed.get("refund_count"), listed.get("refund_fee_1")), (Some("2"), Some("230")));
    assert_eq!(desk.reverse("T01-000001").get("result_code"), Some("SUCCESS"));
    assert_eq!(desk.returned(), 1230, "nothing is left to be reversed");
}

#[test]
fn more_than_ten_refunds_come_in_pages() {
    let mut desk = paid("ok");
    for at in 0..12 {
        desk.refund(&format!("T01-000001R{at:02}0000"), "10");
    }
    let first = desk.ask("/pay/refundquery", about("T01-000001"));
    assert_eq!(
        (first.get("refund_count"), first.get("total_refund_count")),
        (Some("10"), Some("12"))
    );
    let mut rest = about("T01-000001");
    rest.set("offset", "10");
    let rest = desk.ask("/pay/refundquery", rest);
    assert_eq!((rest.get("refund_count"), rest.get("total_refund_count")), (Some("2"), Some("12")));
    assert_eq!(rest.get("out_refund_no_0"), Some("T01-000001R100000"));
}

#[test]
fn what_is_no_refund_is_refused_and_without_a_certificate_nobody_answers() {
    let mut desk = paid("ok");
    let mut body = refund(ONE, "1");
    body.set("sign_type", "HMAC-SHA256");
    body.sign(SignType::HmacSha256, KEY);
    let body = body.to_xml();
    let request = GatewayRequest {
        method: "POST",
        path: "/secapi/pay/refund",
        body: body.as_bytes(),
        client_certificate: false,
    };
    assert_eq!(desk.bank.handle(&request, Millis(0)).action, Action::Close);
    for (name, value, code) in [
        ("out_refund_no", "", "PARAM_ERROR"),
        ("out_refund_no", "a b", "PARAM_ERROR"),
        ("refund_fee", "0", "PARAM_ERROR"),
        ("refund_fee", "-1", "PARAM_ERROR"),
        ("total_fee", "1231", "ERROR"),
        ("refund_fee_type", "USD", "PARAM_ERROR"),
        ("out_trade_no", "T01-000002", "ORDERNOTEXIST"),
    ] {
        let mut fields = refund(ONE, "1");
        fields.set(name, value);
        let answer = desk.ask("/secapi/pay/refund", fields);
        assert_eq!(answer.get("err_code"), Some(code), "{name}={value}");
    }
    let year = 365 * 24 * 3600;
    assert_eq!(desk.at(year + 2).refund(ONE, "1").get("err_code"), Some("TRADE_OVERDUE"));
    let mut desk = Desk::new(1);
    desk.submit("T01-000001", &named("walks-away").code(1));
    assert_eq!(desk.refund(ONE, "1").get("err_code"), Some("ERROR"));
    assert_eq!(desk.returned(), 0);
}

#[test]
fn every_case_of_a_refund_plays_its_part_and_works_once_all_is_well() {
    for (name, answer, status, returned) in [
        ("refund-slow", "SUCCESS", "PROCESSING", 0),
        ("refund-notenough", "NOTENOUGH", "REFUNDNOTEXIST", 0),
        ("refund-closed", "SUCCESS", "REFUNDCLOSE", 0),
        ("refund-abnormal", "SUCCESS", "CHANGE", 0),
        ("refund-answer-lost", "", "SUCCESS", 600),
        ("refund-request-lost", "", "REFUNDNOTEXIST", 0),
        ("refund-forged", "", "REFUNDNOTEXIST", 0),
        ("refund-unsigned", "", "REFUNDNOTEXIST", 0),
        ("refund-systemerror", "SYSTEMERROR", "SUCCESS", 600),
    ] {
        let mut desk = paid(name);
        let said = if answer.is_empty() {
            desk.at(60).send("/secapi/pay/refund", refund(ONE, "600"));
            String::new()
        } else {
            let said = desk.at(60).refund(ONE, "600");
            said.get("err_code").or_else(|| said.get("result_code")).unwrap_or_default().to_owned()
        };
        assert_eq!(said, answer, "{name}");
        desk.at(120);
        assert_eq!((desk.status(ONE).as_str(), desk.returned()), (status, returned), "{name}");
        desk.bank.heal();
        let two = desk.refund(TWO, "600");
        assert_eq!(two.get("result_code"), Some("SUCCESS"), "{name}");
        desk.at(130);
        assert_eq!(desk.status(TWO), "SUCCESS", "{name}");
        assert_eq!(desk.returned(), returned + 600, "{name}");
    }
    let mut desk = paid("refund-elsewhere");
    let listed = desk.ask("/pay/refundquery", about("T01-000001"));
    assert_eq!((listed.get("refund_count"), listed.get("refund_fee_0")), (Some("1"), Some("615")));
    assert_eq!(desk.returned(), 615);
    assert_eq!(desk.refund(ONE, "616").get("err_code"), Some("ERROR"));
    let mut desk = paid("refund-query-fails");
    let words: Vec<String> = (0..3).map(|_| desk.status_of_order()).collect();
    assert_eq!(words, ["SYSTEMERROR", "SYSTEMERROR", "REFUNDNOTEXIST"]);
}

impl Desk {
    fn status_of_order(&mut self) -> String {
        let answer = self.ask("/pay/refundquery", about("T01-000001"));
        answer.get("err_code").unwrap_or_default().to_owned()
    }
}
