//! The gateway as its callers see it.

mod bills;
mod embedded;
mod ends;
mod native;
mod notices;
mod refunds;
mod strictness;
mod v3;
mod wire;

use super::*;
use paytill_core::gateway::wechat::fields::SignType;
use paytill_core::money::Currency;

pub(super) const KEY: &str = "0123456789abcdef0123456789abcdef";
const STARTED: Timestamp = Timestamp(1_795_318_200_000);

/// A till's side of the wire, without a till.
pub(super) struct Desk {
    pub(super) bank: Bank,
    sign_type: SignType,
    now: Millis,
}

impl Desk {
    fn new(seed: u64) -> Self {
        Self::with(Script::default(), seed)
    }

    fn with(script: Script, seed: u64) -> Self {
        let merchant = identity::merchant();
        let account = Account { merchant, other_app_id: None, api_key: KEY.into() };
        let bank = Bank::new(account, script, seed, STARTED);
        Self { bank, sign_type: SignType::HmacSha256, now: Millis(0) }
    }

    fn at(&mut self, seconds: u64) -> &mut Self {
        self.now = Millis::seconds(seconds);
        self
    }

    fn submit(&mut self, number: &str, code: &str) -> Fields {
        self.ask("/pay/micropay", submission(number, code))
    }

    fn query(&mut self, number: &str) -> Fields {
        self.ask("/pay/orderquery", about(number))
    }

    fn reverse(&mut self, number: &str) -> Fields {
        self.ask("/secapi/pay/reverse", about(number))
    }

    /// The answer's fields, after its signature was checked.
    fn ask(&mut self, path: &str, fields: Fields) -> Fields {
        let reaction = self.send(path, fields);
        let Action::Answer { status: 200, body } = &reaction.action else {
            panic!("no answer: {reaction:?}");
        };
        let answer = Fields::from_xml(body).unwrap();
        assert!(answer.is_signed(self.sign_type, KEY), "{answer:?}");
        assert_eq!(answer.get("mch_id"), Some(identity::MCH_ID));
        assert_eq!(answer.get("appid"), Some(identity::APP_ID));
        assert_eq!(answer.get("nonce_str").map(str::len), Some(32));
        answer
    }

    fn send(&mut self, path: &str, mut fields: Fields) -> Reaction {
        if self.sign_type == SignType::HmacSha256 {
            fields.set("sign_type", "HMAC-SHA256");
        }
        fields.sign(self.sign_type, KEY);
        self.post(path, fields.to_xml().as_bytes())
    }

    fn post(&mut self, path: &str, body: &[u8]) -> Reaction {
        let request = GatewayRequest { method: "POST", path, body, client_certificate: true };
        self.bank.handle(&request, self.now)
    }
}

/// What every request contains.
fn request() -> Fields {
    Fields::from_iter([
        ("appid", identity::APP_ID),
        ("mch_id", identity::MCH_ID),
        ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
    ])
}

fn submission(number: &str, code: &str) -> Fields {
    let mut fields = request();
    fields.set("out_trade_no", number);
    fields.set("auth_code", code);
    fields.set("body", "角落咖啡 <T01> & more");
    fields.set("device_info", "S001");
    fields.set("total_fee", "1230");
    fields.set("spbill_create_ip", "192.0.2.7");
    fields
}

fn about(number: &str) -> Fields {
    let mut fields = request();
    fields.set("out_trade_no", number);
    fields
}

fn named(name: &str) -> Scenario {
    Scenario::from_name(name).unwrap_or_else(|| panic!("no scenario {name}"))
}

#[test]
fn where_only_practice_codes_choose_a_real_phones_code_pays_at_once() {
    let script = Script { practice_alone: true, ..Script::default() };
    let mut desk = Desk::with(script, 1);
    let real = desk.submit("T01-000001", "136789012345670200");
    assert_eq!(real.get("result_code"), Some("SUCCESS"));
    let trained = Scenario::WalksAway.code(7);
    assert!(Scenario::is_practice(&trained) && !Scenario::is_practice("136789012345670200"));
    let trained = desk.submit("T01-000002", &trained);
    assert_eq!(trained.get("err_code"), Some("USERPAYING"));
}

#[test]
fn a_customer_who_pays_at_once_is_charged_once() {
    let mut desk = Desk::new(1);
    let answer = desk.submit("T01-000001", &Scenario::Pays.code(1));
    assert_eq!(answer.get("result_code"), Some("SUCCESS"));
    assert_eq!(answer.get("total_fee"), Some("1230"));
    assert_eq!(answer.get("fee_type"), Some("CNY"));
    assert_eq!(answer.get("trade_type"), Some("MICROPAY"));
    assert_eq!(answer.get("device_info"), Some("S001"));
    let id = answer.get("transaction_id").unwrap().to_owned();
    assert!(id.len() == 28 && id.starts_with("4200"), "{id}");
    assert_eq!(answer.get("time_end"), Some(STARTED.to_beijing().as_str()));

    let again = desk.at(5).query("T01-000001");
    assert_eq!(again.get("trade_state"), Some("SUCCESS"));
    assert_eq!(again.get("transaction_id"), Some(id.as_str()));
    let mut by_id = request();
    by_id.set("transaction_id", id);
    assert_eq!(desk.ask("/pay/orderquery", by_id).get("out_trade_no"), Some("T01-000001"));

    let entry = desk.bank.entry("T01-000001").unwrap();
    assert_eq!((entry.charged.minor(), entry.net().minor(), entry.submissions()), (1230, 1230, 1));
    let queries: Vec<Millis> = entry.times_of(CallKind::Query).collect();
    assert_eq!(queries, [Millis::seconds(5), Millis::seconds(5)]);
}

#[test]
fn answers_are_signed_as_the_request_was() {
    let mut desk = Desk::new(1);
    desk.sign_type = SignType::Md5;
    desk.submit("T01-000001", &Scenario::Pays.code(1));
    desk.query("T01-000001");
}

#[test]
fn a_password_takes_its_time() {
    let mut desk = Desk::new(1);
    let answer = desk.submit("T01-000001", &named("password-20").code(1));
    assert_eq!(answer.get("err_code"), Some("USERPAYING"));
    let state = |desk: &mut Desk, seconds| {
        desk.at(seconds).query("T01-000001").get("trade_state").unwrap().to_owned()
    };
    assert_eq!(state(&mut desk, 19), "USERPAYING");
    assert_eq!(state(&mut desk, 20), "SUCCESS");
    assert_eq!(desk.bank.entry("T01-000001").unwrap().paid_at, Some(Millis::seconds(20)));
}

#[test]
fn an_order_that_nobody_pays_is_revoked_after_45_seconds() {
    let mut desk = Desk::new(1);
    desk.submit("T01-000001", &Scenario::WalksAway.code(1));
    assert_eq!(desk.at(44).query("T01-000001").get("trade_state"), Some("USERPAYING"));
    assert_eq!(desk.at(45).query("T01-000001").get("trade_state"), Some("REVOKED"));
}

#[test]
fn the_same_number_never_charges_again() {
    let mut desk = Desk::new(1);
    let code = Scenario::Pays.code(1);
    desk.submit("T01-000001", &code);
    let err_code = |answer: &Fields| answer.get("err_code").unwrap().to_owned();
    assert_eq!(err_code(&desk.submit("T01-000001", &code)), "ORDERPAID");
    let other = Scenario::Pays.code(2);
    assert_eq!(err_code(&desk.submit("T01-000001", &other)), "INVALID_REQUEST");
    desk.at(20).reverse("T01-000001");
    assert_eq!(err_code(&desk.submit("T01-000001", &code)), "ORDERREVERSED");
    let entry = desk.bank.entry("T01-000001").unwrap();
    assert_eq!((entry.charged.minor(), entry.net().minor(), entry.submissions()), (1230, 0, 4));
    // What the platform has given back in part is paid all the same.
    let code = Scenario::Odd(SpecialCase::PartlyRefunded).code(3);
    let _lost = desk.send("/pay/micropay", submission("T01-000002", &code));
    assert!(desk.bank.entry("T01-000002").unwrap().net().minor() > 0);
    assert_eq!(err_code(&desk.submit("T01-000002", &code)), "ORDERPAID");
}

#[test]
fn a_code_is_good_for_one_order() {
    let mut desk = Desk::new(1);
    let code = Scenario::Pays.code(1);
    desk.submit("T01-000001", &code);
    let answer = desk.submit("T01-000002", &code);
    assert!(answer.get("err_code").unwrap().starts_with("AUTH_CODE_"));
    assert_eq!(desk.bank.entry("T01-000002").unwrap().status, OrderStatus::NotFound);
}

#[test]
fn a_reversal_gives_everything_back_and_may_be_repeated() {
    let mut states = HashSet::new();
    for seed in 0..20 {
        let mut desk = Desk::new(seed);
        desk.submit("T01-000001", &Scenario::Pays.code(1));
        for _ in 0..2 {
            let answer = desk.at(16).reverse("T01-000001");
            assert_eq!(answer.get("result_code"), Some("SUCCESS"));
            assert_eq!(answer.get("recall"), Some("N"));
        }
        let answer = desk.query("T01-000001");
        assert!(answer.get("transaction_id").is_some());
        states.insert(answer.get("trade_state").unwrap().to_owned());
        let entry = desk.bank.entry("T01-000001").unwrap();
        assert_eq!((entry.status, entry.net().minor()), (OrderStatus::Refunded, 0));
    }
    assert_eq!(states, ["REFUND", "REVOKED"].map(str::to_owned).into());
}

#[test]
fn a_reversal_wins_over_a_customer_who_types() {
    let mut desk = Desk::new(1);
    desk.submit("T01-000001", &named("password-20").code(1));
    assert_eq!(desk.at(16).reverse("T01-000001").get("recall"), Some("N"));
    assert_eq!(desk.at(25).query("T01-000001").get("trade_state"), Some("REVOKED"));
    assert_eq!(desk.bank.entry("T01-000001").unwrap().charged.minor(), 0);
}

#[test]
fn a_reversal_must_come_neither_too_early_nor_too_late() {
    let mut desk = Desk::new(1);
    desk.submit("T01-000001", &Scenario::Pays.code(1));
    let early = desk.at(5).reverse("T01-000001");
    assert_eq!((early.get("err_code"), early.get("recall")), (Some("USERPAYING"), Some("Y")));
    let late = desk.at(7 * 24 * 3600 + 1).reverse("T01-000001");
    assert_eq!(late.get("err_code"), Some("REVERSE_EXPIRE"));
    assert_eq!(desk.bank.entry("T01-000001").unwrap().net().minor(), 1230);
}

#[test]
fn reversing_an_unknown_number_fences_it_only_if_the_script_says_so() {
    for fence_unknown in [false, true] {
        let mut desk = Desk::with(Script { fence_unknown, ..Script::default() }, 1);
        assert_eq!(desk.reverse("T01-000001").get("recall"), Some("N"));
        let code = desk.submit("T01-000001", &Scenario::Pays.code(1));
        assert_eq!(code.get("err_code") == Some("ORDERREVERSED"), fence_unknown);
    }
}

#[test]
fn a_submission_held_up_in_the_network_arrives_unless_it_was_fenced() {
    for fence_unknown in [false, true] {
        let mut desk = Desk::with(Script { fence_unknown, ..Script::default() }, 1);
        let fields = submission("T01-000001", &named("delivered-late").code(1));
        assert_eq!(desk.send("/pay/micropay", fields).action, Action::Close);
        assert_eq!(desk.at(30).query("T01-000001").get("err_code"), Some("ORDERNOTEXIST"));
        assert_eq!(desk.reverse("T01-000001").get("recall"), Some("N"));
        desk.bank.advance(Millis::seconds(70));
        assert_eq!(desk.bank.entry("T01-000001").unwrap().charged.minor() == 0, fence_unknown);
    }
}

#[test]
fn one_scenario_can_be_set_for_all_codes() {
    let script = Script { scenario: Some(named("notenough")), ..Script::default() };
    let mut desk = Desk::with(script, 1);
    let answer = desk.submit("T01-000001", &Scenario::Pays.code(1));
    assert_eq!(answer.get("err_code"), Some("NOTENOUGH"));
    desk.bank.set_scenario(None);
    let answer = desk.submit("T01-000002", &Scenario::Pays.code(2));
    assert_eq!(answer.get("result_code"), Some("SUCCESS"));
}

#[test]
fn the_story_masks_codes_and_cannot_command_a_terminal() {
    let mut desk = Desk::new(1);
    let code = Scenario::Pays.code(123_456);
    let reaction = desk.send("/pay/micropay", submission("T01-000001", &code));
    assert!(!reaction.story.contains(&code), "{}", reaction.story);
    assert!(reaction.story.contains("13************0000"), "{}", reaction.story);
    let reaction = desk.post("/\u{1b}[2J", b"");
    assert!(!reaction.story.contains('\u{1b}'));
}
