//! What the gateway refuses.

use proptest::prelude::*;

use super::*;

fn refused(path: &str, change: impl FnOnce(&mut Fields)) -> Fields {
    let mut desk = Desk::new(1);
    let mut fields = submission("T01-000001", &Scenario::Pays.code(1));
    change(&mut fields);
    let answer = desk.ask(path, fields);
    assert!(desk.bank.ledger().all(|entry| entry.charged.minor() == 0));
    answer
}

#[test]
fn fields_of_a_submission_have_their_form() {
    let cases = [
        ("total_fee", "0", "PARAM_ERROR"),
        ("total_fee", "-1", "PARAM_ERROR"),
        ("total_fee", "12.30", "PARAM_ERROR"),
        ("total_fee", "01230", "PARAM_ERROR"),
        ("total_fee", "1e3", "PARAM_ERROR"),
        ("total_fee", "9999999999999", "PARAM_ERROR"),
        ("total_fee", "", "LACK_PARAMS"),
        ("body", "", "LACK_PARAMS"),
        ("body", &"店".repeat(43), "PARAM_ERROR"),
        ("body", " blank ", "PARAM_ERROR"),
        ("out_trade_no", "", "LACK_PARAMS"),
        ("out_trade_no", &"1".repeat(33), "PARAM_ERROR"),
        ("out_trade_no", "T01 000001", "PARAM_ERROR"),
        ("out_trade_no", "号000001", "PARAM_ERROR"),
        ("nonce_str", &"n".repeat(33), "PARAM_ERROR"),
        ("device_info", &"d".repeat(33), "PARAM_ERROR"),
        ("fee_type", "USD", "PARAM_ERROR"),
        ("spbill_create_ip", "localhost", "PARAM_ERROR"),
        ("spbill_create_ip", "", "LACK_PARAMS"),
        ("auth_code", "", "LACK_PARAMS"),
        ("auth_code", "284567890123456789", "AUTH_CODE_INVALID"),
        ("auth_code", "164567890123456789", "AUTH_CODE_INVALID"),
        ("auth_code", "13456789012345678", "AUTH_CODE_INVALID"),
        ("appid", "wx0000000000000000", "APPID_MCHID_NOT_MATCH"),
        ("sub_mch_id", "1900000110", "INVALID_REQUEST"),
    ];
    for (name, value, code) in cases {
        let answer = refused("/pay/micropay", |fields| fields.set(name, value));
        assert_eq!(answer.get("err_code"), Some(code), "{name}={value}");
    }
}

#[test]
fn the_configured_currency_is_taken_beside_cny() {
    let currency = Currency::from_code("HKD").unwrap();
    let mut desk = Desk::with(Script { currency, ..Script::default() }, 1);
    let mut fields = submission("T01-000001", &Scenario::Pays.code(1));
    fields.set("fee_type", "HKD");
    let answer = desk.ask("/pay/micropay", fields);
    assert_eq!(answer.get("fee_type"), Some("HKD"));
}

#[test]
fn a_query_needs_a_number_and_a_reversal_a_known_transaction() {
    let nothing = |fields: &mut Fields| fields.set("out_trade_no", "");
    for path in ["/pay/orderquery", "/secapi/pay/reverse"] {
        assert_eq!(refused(path, nothing).get("err_code"), Some("LACK_PARAMS"), "{path}");
    }
    let strange = |fields: &mut Fields| fields.set("transaction_id", "4200");
    assert_eq!(refused("/pay/orderquery", strange).get("err_code"), Some("ORDERNOTEXIST"));
    let answer = refused("/secapi/pay/reverse", strange);
    assert_eq!(answer.get("err_code"), Some("INVALID_TRANSACTIONID"));
}

#[test]
fn who_cannot_be_verified_gets_no_signature() {
    let code = Scenario::Pays.code(1);
    let right = || {
        let mut fields = submission("T01-000001", &code);
        fields.sign(SignType::Md5, KEY);
        fields
    };
    let with = |name: &str, value: &str| {
        let mut fields = right();
        fields.set(name, value);
        fields.to_xml().into_bytes()
    };
    let twice = right().to_xml().replace("<xml>", "<xml><body>other</body>");
    let entity = format!("<!DOCTYPE xml [<!ENTITY e \"x\">]>{}", right().to_xml());
    let bodies = [
        Vec::new(),
        b"{}".to_vec(),
        b"<xml></xml>".to_vec(),
        vec![0xFF; 40],
        twice.into_bytes(),
        entity.into_bytes(),
        with("sign", ""),
        with("sign", &"0".repeat(32)),
        with("sign_type", "HMAC-SHA256"),
        with("sign_type", "none"),
        with("mch_id", "1900000110"),
        with("nonce_str", ""),
        with("total_fee", "1"),
    ];
    for body in bodies {
        let mut desk = Desk::new(1);
        let reaction = desk.post("/pay/micropay", &body);
        let Action::Answer { status: 200, body: answer } = reaction.action else { panic!() };
        let answer = Fields::from_xml(&answer).unwrap();
        assert_eq!(answer.get("return_code"), Some("FAIL"));
        assert_eq!((answer.get("sign"), answer.get("result_code")), (None, None));
        assert_eq!(desk.bank.ledger().count(), 0);
    }
    let mut desk = Desk::new(1);
    let body = right().to_xml();
    let get = GatewayRequest {
        method: "GET",
        path: "/pay/micropay",
        body: body.as_bytes(),
        client_certificate: false,
    };
    assert!(matches!(desk.bank.handle(&get, Millis(0)).action, Action::Answer { .. }));
    assert_eq!(desk.bank.ledger().count(), 0);
}

#[test]
fn a_reversal_without_a_certificate_is_met_with_silence() {
    let mut desk = Desk::new(1);
    desk.submit("T01-000001", &Scenario::Pays.code(1));
    let mut fields = about("T01-000001");
    fields.sign(SignType::Md5, KEY);
    let body = fields.to_xml();
    let request = GatewayRequest {
        method: "POST",
        path: "/secapi/pay/reverse",
        body: body.as_bytes(),
        client_certificate: false,
    };
    assert_eq!(desk.bank.handle(&request, Millis::seconds(20)).action, Action::Close);
    assert_eq!(desk.bank.entry("T01-000001").unwrap().net().minor(), 1230);
}

#[test]
fn other_addresses_do_not_exist() {
    let mut desk = Desk::new(1);
    let status = |reaction: Reaction| match reaction.action {
        Action::Answer { status, .. } => status,
        _ => 0,
    };
    assert_eq!(status(desk.post("/", b"")), 200);
    assert_eq!(status(desk.post("/secapi/pay/refundv2", b"<xml/>")), 404);
}

/// A call from someone who may do anything in any order.
#[derive(Clone, Debug)]
struct Act {
    path: &'static str,
    number: u8,
    code: usize,
    wait: u64,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let paths =
        prop::sample::select(vec!["/pay/micropay", "/pay/orderquery", "/secapi/pay/reverse"]);
    let act = (paths, 0..4_u8, 0..400_usize, 0..20_000_u64)
        .prop_map(|(path, number, code, wait)| Act { path, number, code, wait });
    prop::collection::vec(act, 1..40)
}

fn play(seed: u64, acts: &[Act]) -> (Vec<Reaction>, Desk) {
    let all = Scenario::all();
    let mut desk = Desk::new(seed);
    let mut reactions = Vec::new();
    for (serial, act) in acts.iter().enumerate() {
        desk.now = desk.now.plus(Millis(act.wait));
        let number = format!("T01-00000{}", act.number);
        let fields = if act.path == "/pay/micropay" {
            let serial = u64::try_from(serial).unwrap();
            submission(&number, &all[act.code % all.len()].code(serial))
        } else {
            about(&number)
        };
        reactions.push(desk.send(act.path, fields));
    }
    desk.bank.advance(Millis::seconds(100_000));
    (reactions, desk)
}

proptest! {
    #[test]
    fn no_request_makes_it_panic(
        method in ".{0,8}",
        path in prop_oneof![Just("/pay/micropay".to_owned()), Just("/secapi/pay/reverse".to_owned()), ".{0,20}"],
        body in prop::collection::vec(any::<u8>(), 0..200),
        client_certificate: bool,
    ) {
        let request = GatewayRequest { method: &method, path: &path, body: &body, client_certificate };
        Desk::new(1).bank.handle(&request, Millis(0));
    }

    #[test]
    fn no_field_makes_it_panic(name in "[a-z_]{1,16}", value in ".{0,200}") {
        let mut fields = submission("T01-000001", &Scenario::Pays.code(1));
        fields.set(&name, value);
        Desk::new(1).send("/pay/micropay", fields);
    }

    #[test]
    fn nobody_is_charged_twice_or_given_back_more_than_was_taken(seed: u64, acts in acts()) {
        let (_, desk) = play(seed, &acts);
        for entry in desk.bank.ledger() {
            let (charged, returned) = (entry.charged.minor(), entry.returned.minor());
            prop_assert!(charged == 0 || charged == entry.amount.minor());
            prop_assert!((0..=charged).contains(&returned));
            let may_be_held = [OrderStatus::Paid, OrderStatus::Refunded].contains(&entry.status);
            prop_assert!(entry.net().minor() == 0 || may_be_held);
            prop_assert!(entry.status != OrderStatus::Paid || entry.net().minor() > 0);
        }
    }

    #[test]
    fn a_seed_tells_the_same_story_twice(seed: u64, acts in acts()) {
        prop_assert_eq!(play(seed, &acts).0, play(seed, &acts).0);
    }
}
