//! A thousand tills with the same id and new journals, at one gateway: many of them give out the same
//! order numbers. Nobody is told of another's payment, and nobody's money is returned.

use std::cmp::Reverse as Earliest;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

use paytill::clock::{Millis, TimeZone, Timestamp, Uptime};
use paytill::engine::{Draw, Effect, Engine, OrderTemplate, Recovered, SaleRef, Start};
use paytill::gateway::wechat::fields::SignType;
use paytill::gateway::wechat::v2::WechatV2;
use paytill::gateway::{Ask, Gateway, Reply, Stamp};
use paytill::money::{Currency, Money};
use paytill::order::{AuthCode, Merchant, Order, TillId};
use paytill::payment::{Answer, Call, CallKind, Event, Inconclusive, Rules, Status, TillCause};
use paytill::simulator::{Account, Action, Bank, GatewayRequest, Scenario, Script};

const TILLS: usize = 1_000;
/// All first customers come within this time.
const RUSH: u64 = 1_000;
const LOSSES_END: u64 = 25_000;
const END: u64 = 1_000_000;
const STARTED: i64 = 1_795_318_200_000;
const KEY: &str = "TESTONLYv2key0123456789ABCDEFGHI";

enum Due {
    Customer,
    Tick,
    Arrives(i64, Box<Order>, Call, Option<AuthCode>),
    Answered(i64, Event),
}

struct Till {
    engine: Engine,
    amount: Money,
    number: String,
    told: Option<Status>,
    transaction_id: Option<String>,
}

struct Street {
    now: u64,
    rng: fastrand::Rng,
    gateway: Arc<WechatV2>,
    bank: Bank,
    tills: Vec<Till>,
    agenda: BinaryHeap<Earliest<(u64, u64, usize)>>,
    dues: BTreeMap<u64, Due>,
    planned: u64,
    /// Whose submission the gateway accepted first, by number.
    owners: BTreeMap<String, usize>,
}

fn merchant() -> Merchant {
    Merchant {
        app_id: "wx8888888888888888".into(),
        mch_id: "1900000109".into(),
        sub_app_id: String::new(),
        sub_mch_id: String::new(),
    }
}

impl Street {
    fn new(seed: u64) -> Self {
        let gateway = Arc::new(WechatV2::new(SignType::HmacSha256, KEY.into()));
        let account = Account { merchant: merchant(), other_app_id: None, api_key: KEY.into() };
        let mut street = Self {
            now: 0,
            rng: fastrand::Rng::with_seed(seed),
            bank: Bank::new(account, Script::default(), seed, Timestamp(STARTED)),
            tills: Vec::new(),
            agenda: BinaryHeap::new(),
            dues: BTreeMap::new(),
            planned: 0,
            owners: BTreeMap::new(),
            gateway,
        };
        for till in 0..TILLS {
            let template = OrderTemplate {
                till: TillId::new("T01").unwrap(),
                merchant: merchant(),
                currency: Currency::CNY,
                body: "Corner Coffee".into(),
                device_info: "S001".into(),
                time_zone: TimeZone::UTC,
            };
            let gateway = Arc::clone(&street.gateway) as Arc<dyn Gateway>;
            let (now, wall) = (street.uptime(), street.wall());
            let past = Recovered::default();
            let (engine, _) = Engine::new(template, Rules::default(), gateway, 1, past, now, wall);
            // Few amounts: many tills of one number charge the same.
            let amount = Money::from_minor(street.rng.i64(1..=2) * 500);
            let number = String::new();
            street.tills.push(Till { engine, amount, number, told: None, transaction_id: None });
            let at = street.rng.u64(..RUSH);
            street.plan(at, till, Due::Customer);
        }
        street
    }

    fn run(&mut self) {
        while let Some(Earliest((at, key, till))) = self.agenda.pop()
            && at < END
        {
            self.now = at;
            let Some(due) = self.dues.remove(&key) else { continue };
            self.handle(till, due);
            let wake = self.tills[till].engine.wake_at();
            if let Some(wake) = wake {
                self.plan(self.now + wake.since(self.uptime()).0, till, Due::Tick);
            }
        }
        self.bank.advance(Millis(END));
    }

    fn handle(&mut self, till: usize, due: Due) {
        let (now, wall) = (self.uptime(), self.wall());
        let effects = match due {
            Due::Customer => self.begin(till),
            Due::Tick => self.tills[till].engine.tick(now, wall),
            Due::Answered(attempt, event) => {
                self.tills[till].engine.handle_event(attempt, event, Vec::new(), now, wall)
            }
            Due::Arrives(attempt, order, call, code) => {
                return self.arrives(till, attempt, &order, call, code.as_ref());
            }
        };
        self.perform(till, effects);
    }

    fn begin(&mut self, till: usize) -> Vec<Effect> {
        let scenarios = ["ok", "ok", "password-8", "walks-away", "notenough"];
        let scenario = Scenario::from_name(scenarios[till % scenarios.len()]).unwrap();
        let code = AuthCode::new(&scenario.code(till as u64)).unwrap();
        let mut draw = [0; 12];
        self.rng.fill(&mut draw);
        let (now, wall) = (self.uptime(), self.wall());
        let till = &mut self.tills[till];
        let start = Start {
            sale: SaleRef::New(till.amount),
            note: String::new(),
            sold: Arc::default(),
            by: None,
            code_hash: code.keyed_hash(b"tills"),
            code,
            client_ip: "203.0.113.7".into(),
            draw: Draw(draw),
        };
        let (number, effects) = till.engine.begin(start, now, wall).unwrap();
        till.number = number.to_string();
        effects
    }

    fn perform(&mut self, till: usize, effects: Vec<Effect>) {
        let (now, wall) = (self.uptime(), self.wall());
        for effect in effects {
            match effect {
                Effect::Write(entry) => {
                    let written = self.tills[till].engine.written(entry.attempt, true, now, wall);
                    self.perform(till, written);
                }
                Effect::Call { attempt, order, call, code, .. } => {
                    let at = self.now + self.rng.u64(5..2_000);
                    self.plan(at, till, Due::Arrives(attempt, order, call, code));
                }
                Effect::Report(report) => {
                    let state = &report.attempt.state;
                    let till = &mut self.tills[till];
                    till.told = Some(state.status());
                    till.transaction_id = state.proof().map(|proof| proof.transaction_id.clone());
                }
                Effect::WriteRefund(_) | Effect::CallRefund { .. } | Effect::ReportRefund(_) => {}
            }
        }
    }

    fn arrives(
        &mut self,
        till: usize,
        attempt: i64,
        order: &Order,
        call: Call,
        code: Option<&AuthCode>,
    ) {
        let ask = Ask::of(call.kind, order, code).unwrap();
        let stamp = Stamp { time: self.wall(), nonce: format!("{:032}", self.planned) };
        let request = self.gateway.encode(ask, &stamp).request;
        let request = GatewayRequest {
            method: "POST",
            path: request.uri().path(),
            body: request.body(),
            client_certificate: true,
        };
        if call.kind == CallKind::Submit {
            self.owners.entry(order.out_trade_no.to_string()).or_insert(till);
        }
        let reaction = self.bank.handle(&request, Millis(self.now));
        // One answer in four is lost, until the time that a customer has is over.
        let is_lost = self.rng.u8(..4) == 0 && self.now < LOSSES_END;
        let answer = match reaction.action {
            Action::Answer { status: 200, body } if !is_lost => {
                self.gateway.decode(ask, &Reply::new(body), self.wall()).answer
            }
            _ => Answer::inconclusive(call.kind, Inconclusive::Unknown(TillCause::NoAnswer.into())),
        };
        let at = self.now + if is_lost { 10_000 } else { self.rng.u64(5..2_000) };
        self.plan(at, till, Due::Answered(attempt, Event::Answered(call.number, answer)));
    }

    fn plan(&mut self, at: u64, till: usize, due: Due) {
        self.planned += 1;
        self.dues.insert(self.planned, due);
        self.agenda.push(Earliest((at, self.planned, till)));
    }

    fn uptime(&self) -> Uptime {
        Uptime(1_000_000_000 + self.now)
    }

    fn wall(&self) -> Timestamp {
        Timestamp(STARTED + i64::try_from(self.now).unwrap())
    }
}

#[test]
fn a_thousand_tills_with_one_id_leave_each_others_money_alone() {
    let mut collisions = 0;
    for seed in 1..=3 {
        let mut street = Street::new(seed);
        street.run();
        let numbers: BTreeSet<&str> =
            street.tills.iter().map(|till| till.number.as_str()).collect();
        collisions += TILLS - numbers.len();
        for (index, till) in street.tills.iter().enumerate() {
            let entry = street.bank.entry(&till.number).unwrap();
            let is_owner = street.owners.get(&till.number) == Some(&index);
            let held = if is_owner { entry.net().minor() } else { 0 };
            let due = if till.told == Some(Status::Paid) { till.amount.minor() } else { 0 };
            assert_eq!(held, due, "seed {seed}, {}: told {:?}", till.number, till.told);
            if till.told == Some(Status::Paid) {
                assert_eq!(till.transaction_id.as_ref(), Some(&entry.transaction_id));
            }
            let ended = [Status::Paid, Status::Declined, Status::Reversed].map(Some);
            assert!(ended.contains(&till.told), "{}: {:?}", till.number, till.told);
            // A customer who pays at once has paid, whatever other tills do.
            if is_owner && matches!(entry.scenario, Scenario::Pays) {
                assert_eq!(till.told, Some(Status::Paid), "{}", till.number);
            }
        }
    }
    assert!(collisions > 60, "{collisions} numbers were given out twice");
}
