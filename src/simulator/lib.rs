//! A simulated gateway: API v2 on the wire, a ledger behind it, and customers who act.
//!
//! [`Bank`] holds all of its behaviour, as a pure function of its seed, the requests and their
//! times: no socket, clock, thread or shared randomness. [`server`] carries out its decisions over
//! HTTPS; a simulation on a virtual clock does so without sockets. It is as strict as the real
//! gateway, or stricter where the documents leave room. A [`Scenario`] decides what happens to each
//! order: what the customer does, and what goes wrong on the wire.

mod bill;
mod embedded;
pub mod fault;
mod front;
pub mod identity;
pub mod ledger;
mod native;
mod notice_case;
pub mod notices;
mod notifier;
mod refund_case;
mod refunds;
pub mod refusal;
mod reply;
mod request;
pub mod scenario;
mod script;
pub mod server;
mod status;
#[cfg(test)]
mod tests;
pub mod v3;

use std::collections::{BTreeMap, HashSet};

pub use bill::Bills;
pub use embedded::{Embedded, EmbeddedError};
pub use fault::Fault;
pub use identity::{Api, Identity, IdentityError};
pub use ledger::LedgerEntry;
pub use native::SCANNERS;
pub use notice_case::NoticeCase;
pub use notices::{BankNotice, NoticeStage};
pub use refund_case::{BankRefund, RefundCase, RefundStage};
pub use scenario::{Expected, Scenario, SpecialCase};
pub use script::{Account, Script};
pub use server::Server;
pub use status::OrderStatus;

use paytill_core::clean::clean;
use paytill_core::clock::{Millis, Timestamp};
use paytill_core::gateway::wechat::fields::Fields;
use paytill_core::payment::CallKind;
use reply::ReplyBuilder;
use request::{Incoming, Rejection, Submission};

/// Reversing an older order is refused (protocol 5.4).
const REVERSIBLE_FOR: Millis = Millis::seconds(7 * 24 * 3600);
/// How early a reversal may be, because its submission took longer in transit: at most this, and at
/// most a tenth of the time it had to wait.
const LATENCY_GRANTED: Millis = Millis::seconds(1);
/// Length of one line of the story, in cells.
const STORY_CELLS: usize = 160;
const BANK_TYPES: [&str; 4] = ["OTHERS", "CMC", "CCB_DEBIT", "ICBC_CREDIT"];

/// The parts of an HTTP request that the gateway looks at.
#[derive(Clone, Copy, Debug)]
pub struct GatewayRequest<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub body: &'a [u8],
    /// Whether the connection presented a certificate of our authority.
    pub client_certificate: bool,
}

/// How to react to a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reaction {
    /// How long after the request to act.
    pub after: Millis,
    pub action: Action,
    /// Request and answer in one line for people, with payment codes masked.
    pub story: String,
}

/// What goes over the wire.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// A well-formed HTTP answer; the connection stays open.
    Answer { status: u16, body: Vec<u8> },
    /// The same with headers, in JSON: API v3.
    Headed { status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8> },
    /// These bytes instead of an HTTP answer, then the connection is closed.
    Raw(Vec<u8>),
    /// These bytes one by one, `every` apart, then the connection is closed.
    Drip { bytes: Vec<u8>, every: Millis },
    /// The connection is closed.
    Close,
    /// The connection is reset.
    Reset,
    /// Nothing, until the client disconnects.
    Silence,
}

/// All of the gateway's decisions, and the ledger behind them.
pub struct Bank {
    account: Account,
    script: Script,
    rng: fastrand::Rng,
    started: Timestamp,
    entries: Vec<LedgerEntry>,
    by_number: BTreeMap<String, usize>,
    used_codes: HashSet<[u8; 32]>,
    /// Calls no longer suffer faults.
    is_well: bool,
    /// The keys of API v3, if it is spoken.
    v3: Option<v3::PlatformKeys>,
    /// Bills that API v3 has promised.
    files: Vec<Vec<u8>>,
    notices: Vec<BankNotice>,
}

impl Bank {
    /// An empty ledger. `started` is the wall time at which the simulation's own time is zero.
    pub fn new(account: Account, script: Script, seed: u64, started: Timestamp) -> Self {
        Self {
            account,
            script,
            rng: fastrand::Rng::with_seed(seed),
            started,
            entries: Vec::new(),
            by_number: BTreeMap::new(),
            used_codes: HashSet::new(),
            is_well: false,
            v3: None,
            files: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// All order numbers the gateway has received, in the order of their first call, as of their
    /// last call or [`Bank::advance`].
    pub fn ledger(&self) -> impl Iterator<Item = &LedgerEntry> {
        self.entries.iter()
    }

    /// The entry of one order number.
    pub fn entry(&self, out_trade_no: &str) -> Option<&LedgerEntry> {
        self.by_number.get(out_trade_no).and_then(|index| self.entries.get(*index))
    }

    /// Changes what happens to orders submitted from now on.
    pub fn set_scenario(&mut self, scenario: Option<Scenario>) {
        self.script.scenario = scenario;
    }

    /// From now on every call is carried out and answered correctly, whatever its order's scenario
    /// says. Customers act as before.
    pub fn heal(&mut self) {
        self.is_well = true;
    }

    /// Lets all customers do what is due by `now`.
    pub fn advance(&mut self, now: Millis) {
        for entry in &mut self.entries {
            entry.advance(now);
        }
    }

    /// Decides on one request. Any bytes are acceptable input.
    pub fn handle(&mut self, request: &GatewayRequest<'_>, now: Millis) -> Reaction {
        let silent =
            |action, story: &str| Reaction { after: Millis(0), action, story: story.into() };
        let mut reaction = match request::read(&self.account, request) {
            _ if request.path == bill::PATH => self.answer_bill(request, now),
            Ok(incoming) if incoming.is_refund => self.decide_refund(&incoming, now),
            Ok(incoming) => self.decide(&incoming, now),
            Err(Rejection::FrontDoor) => silent(reply::answer(200, Vec::new()), "200"),
            Err(Rejection::NoSuchPath) => silent(reply::answer(404, Vec::new()), "404"),
            Err(Rejection::NoCertificate) => silent(Action::Close, "closed: no client certificate"),
            Err(Rejection::Unsigned(text)) => silent(reply::unsigned(text), text),
            Err(Rejection::Signed(sign_type, code, text)) => {
                let reply = ReplyBuilder {
                    account: &self.account,
                    app_id: &self.account.merchant.app_id,
                    sign_type,
                    call: CallKind::Query,
                    out_trade_no: "",
                    fault: None,
                    after: Millis(0),
                };
                reply.say(reply::failure(code, &text), &mut self.rng)
            }
        };
        let story = format!("{} {}: {}", request.method, request.path, reaction.story);
        reaction.story = clean(&story, STORY_CELLS);
        reaction
    }

    fn decide(&mut self, incoming: &Incoming, now: Millis) -> Reaction {
        let done = self.carry_out(incoming, now);
        self.say(incoming, done)
    }

    /// Puts an answer into the form of API v2.
    fn say(&mut self, incoming: &Incoming, Done { number, said, story }: Done) -> Reaction {
        let mut rng = self.rng.fork();
        let reply = self.reply(incoming, &number, said.fault, said.after);
        let mut reaction = reply.say(said.fields, &mut rng);
        reaction.story.insert_str(0, &story);
        reaction
    }

    /// Does what a request asks for, whichever version of the API it came in.
    fn carry_out(&mut self, incoming: &Incoming, now: Millis) -> Done {
        let known = self.index(incoming);
        let known = known.and_then(|index| Some((index, self.entries.get(index)?.clone())));
        let Some((index, mut entry)) = known else {
            let code = match incoming.kind {
                CallKind::Reverse => "INVALID_TRANSACTIONID",
                CallKind::Submit | CallKind::Query | CallKind::Order | CallKind::Close => {
                    "ORDERNOTEXIST"
                }
                CallKind::RefundQuery => "REFUNDNOTEXIST",
            };
            let said = Said::new(reply::failure(code, "order not exist"));
            return Done { number: String::new(), said, story: String::new() };
        };
        entry.advance(now);
        let before = entry.times_of(incoming.kind).count();
        entry.calls.push((incoming.kind, now));
        entry.made_with(incoming);
        let said = match incoming.kind {
            CallKind::Submit => self.submit(&mut entry, incoming, before, now),
            CallKind::Query => self.query(&entry, before, now),
            CallKind::Reverse => self.reverse(&mut entry, before, now),
            CallKind::RefundQuery => self.refunds(&mut entry, incoming, now),
            CallKind::Order => self.order(&mut entry, incoming, before, now),
            CallKind::Close => self.close(&mut entry, before, now),
        };
        self.answered(index, entry, said)
    }

    /// The answer to a call is what was said to it; keeps the entry as it is now.
    fn answered(&mut self, index: usize, entry: LedgerEntry, said: Said) -> Done {
        let number = entry.out_trade_no.clone();
        let story = format!("{number} {}{}: ", said.note, entry.scenario.name());
        if let Some(kept) = self.entries.get_mut(index) {
            *kept = entry;
        }
        Done { number, said, story }
    }

    /// The order's index in the ledger. An unknown number is entered on its first call; a
    /// `transaction_id` must already be known.
    fn index(&mut self, incoming: &Incoming) -> Option<usize> {
        let fields = &incoming.fields;
        if incoming.kind != CallKind::Submit
            && let Some(id) = fields.get("transaction_id")
        {
            return self.entries.iter().position(|entry| entry.transaction_id == id);
        }
        if incoming.kind == CallKind::RefundQuery
            && !incoming.is_refund
            && let Some(number) = fields.get("out_refund_no")
        {
            let has =
                |entry: &LedgerEntry| entry.refunds.iter().any(|known| known.number == number);
            return self.entries.iter().position(has);
        }
        let number = fields.get("out_trade_no").unwrap_or_default();
        if let Some(index) = self.by_number.get(number) {
            return Some(*index);
        }
        self.entries.push(LedgerEntry::new(number));
        self.by_number.insert(number.to_owned(), self.entries.len() - 1);
        Some(self.entries.len() - 1)
    }

    fn reply<'a>(
        &'a self,
        incoming: &'a Incoming,
        out_trade_no: &'a str,
        fault: Option<Fault>,
        after: Millis,
    ) -> ReplyBuilder<'a> {
        let (sign_type, call) = (incoming.sign_type, incoming.kind);
        let (account, app_id) = (&self.account, incoming.fields.get("appid").unwrap_or_default());
        ReplyBuilder { account, sign_type, call, app_id, out_trade_no, fault, after }
    }

    fn submit(
        &mut self,
        entry: &mut LedgerEntry,
        incoming: &Incoming,
        before: usize,
        now: Millis,
    ) -> Said {
        let submission = match incoming.submission(&self.script) {
            Ok(submission) => submission,
            Err((code, text)) => return Said::new(reply::failure(code, &text)),
        };
        let note = format!(
            "{} {} {} ",
            self.script.currency.show(submission.amount),
            submission.currency,
            submission.code.masked()
        );
        let known = entry.details.fingerprint.is_some() || entry.status != OrderStatus::NotFound;
        let fields = if known {
            reply::repeated(entry, &submission)
        } else if self.used_codes.contains(&submission.code_print) {
            let code = if self.rng.bool() { "AUTH_CODE_INVALID" } else { "AUTH_CODE_ERROR" };
            reply::failure(code, "101 每个二维码仅限使用一次，请刷新再试")
        } else {
            let mut said = self.accept(entry, incoming, &submission, before, now);
            said.note = note;
            return said;
        };
        Said { note, ..Said::new(fields) }
    }

    /// A new order: what becomes of it is decided here, once.
    fn accept(
        &mut self,
        entry: &mut LedgerEntry,
        incoming: &Incoming,
        submission: &Submission,
        before: usize,
        now: Millis,
    ) -> Said {
        let drawn = match self.script.scenario {
            Some(scenario) => scenario,
            None if self.script.practice_alone
                && !Scenario::is_practice(submission.code.expose()) =>
            {
                Scenario::Pays
            }
            None => Scenario::of_code(submission.code.expose()),
        };
        let scenario = match drawn {
            Scenario::Random => self.draw(),
            // A submission that was lost or turned away goes through when it is sent again.
            Scenario::Corrupted { call: CallKind::Submit, .. } if before > 0 => Scenario::Pays,
            other => other,
        };
        let fault = scenario.fault(CallKind::Submit, before);
        entry.scenario = scenario;
        entry.amount = submission.amount;
        entry.currency.clone_from(&submission.currency);
        let processed = !matches!(fault, Some(Fault::RequestLost | Fault::ReturnFail))
            || scenario.course().ends == OrderStatus::Paid;
        if processed {
            self.open(entry, incoming, submission, scenario, now);
        }
        let after = match scenario {
            Scenario::Slow(seconds) | Scenario::AnswerLate(seconds) => {
                Millis::seconds(seconds.into())
            }
            _ => Millis(0),
        };
        let fields = match scenario {
            Scenario::Refused { refusal, .. } => reply::failure(refusal.code, refusal.text),
            // The answer claims a payment, whether there is one or not.
            Scenario::Corrupted { call: CallKind::Submit, .. } | Scenario::Slow(_) => {
                self.success(entry, now.plus(after))
            }
            _ if entry.status == OrderStatus::Paid => self.success(entry, now),
            _ => reply::failure("USERPAYING", "需要用户输入支付密码"),
        };
        Said { fault, after, ..Said::new(fields) }
    }

    fn open(
        &mut self,
        entry: &mut LedgerEntry,
        incoming: &Incoming,
        submission: &Submission,
        scenario: Scenario,
        now: Millis,
    ) {
        entry.transaction_id = self.transaction_id(now);
        self.used_codes.insert(submission.code_print);
        let text = |name| incoming.fields.get(name).unwrap_or_default().to_owned();
        let amount = submission.amount.minor();
        let details = &mut entry.details;
        details.fingerprint = Some(submission.fingerprint);
        details.device_info = text("device_info");
        details.attach = text("attach");
        details.bank_type = self.rng.choice(BANK_TYPES).unwrap_or("OTHERS");
        details.openid = format!("o{}", &reply::nonce(&mut self.rng)[..27]);
        details.coupon = if self.rng.u8(..8) == 0 { amount / 10 } else { 0 };
        details.refund_reads_revoked = self.rng.bool();
        details.reversal_is_refund = self.rng.bool();
        let course = scenario.course();
        if scenario.lapses() && course.begins != OrderStatus::NotFound {
            details.lapses_at = Some(now.plus(self.script.lapse_after));
        }
        if course.after == Millis(0) {
            entry.turn_into(course.ends, now);
        } else {
            details.turn = Some((now.plus(course.after), course.ends));
            entry.turn_into(course.begins, now);
        }
    }

    fn draw(&mut self) -> Scenario {
        let mut all = Scenario::all();
        all.retain(|scenario| *scenario != Scenario::Random);
        self.rng.choice(all).unwrap_or(Scenario::Pays)
    }

    fn query(&self, entry: &LedgerEntry, before: usize, now: Millis) -> Said {
        let fault = self.fault(entry, CallKind::Query, before);
        let age = entry.details.created.map(|created| now.minus(created));
        let trade_state = match (self.special_case(entry, before), fault) {
            _ if age.is_some_and(|age| age < self.script.visible_after) => None,
            (Some(SpecialCase::QueryFails), _) => {
                return Said::new(reply::failure("SYSTEMERROR", "系统错误"));
            }
            (Some(SpecialCase::QueryNotVisible), _) => None,
            (_, Some(Fault::Forged)) => Some(("SUCCESS", "支付成功")),
            _ => entry.trade_state(),
        };
        let Some((word, text)) = trade_state else {
            let fields = reply::failure("ORDERNOTEXIST", "order not exist");
            return Said { fault, ..Said::new(fields) };
        };
        let mut fields = match entry.status {
            OrderStatus::Paid | OrderStatus::Refunded => self.success(entry, now),
            _ if word == "SUCCESS" => self.success(entry, now),
            _ => Fields::from_iter([("result_code", "SUCCESS")]),
        };
        fields.set("out_trade_no", entry.out_trade_no.as_str());
        fields.set("trade_state", word);
        fields.set("trade_state_desc", text);
        fields.set("attach", entry.details.attach.as_str());
        Said { fault, ..Said::new(fields) }
    }

    fn reverse(&self, entry: &mut LedgerEntry, before: usize, now: Millis) -> Said {
        if !entry.details.code_url.is_empty() {
            return Said::new(reply::recall("INVALID_REQUEST", "此订单只能关单，不能撤销", "N"));
        }
        let fault = self.fault(entry, CallKind::Reverse, before);
        let special_case = self.special_case(entry, before);
        let is_moving =
            matches!(entry.status, OrderStatus::Open | OrderStatus::Paying | OrderStatus::Paid);
        let age = entry.details.created.map(|created| now.minus(created));
        if is_moving && age.is_some_and(|age| self.is_settling(entry, age)) {
            return Said::new(reply::recall("USERPAYING", "正在支付中不能发起撤销", "Y"));
        }
        if age.is_some_and(|age| age > REVERSIBLE_FOR) {
            return Said::new(reply::recall("REVERSE_EXPIRE", "订单无法撤销", "N"));
        }
        match special_case {
            Some(SpecialCase::Recall) => return Said::new(reply::accepted("Y")),
            Some(SpecialCase::ReverseSystemError) => {
                return Said::new(reply::recall("SYSTEMERROR", "系统超时", "Y"));
            }
            Some(SpecialCase::ReverseUserPaying) => {
                return Said::new(reply::recall("USERPAYING", "正在支付中不能发起撤销", "Y"));
            }
            Some(SpecialCase::ReverseRefused) => {
                if entry.status == OrderStatus::Paying {
                    entry.turn_into(OrderStatus::Paid, now);
                }
                return Said::new(reply::recall("TRADE_ERROR", "用户账户异常", "N"));
            }
            Some(SpecialCase::ReverseExpired) => {
                return Said::new(reply::recall("REVERSE_EXPIRE", "订单无法撤销", "N"));
            }
            Some(SpecialCase::ReverseLies) => return Said::new(reply::accepted("N")),
            Some(SpecialCase::PaysDuringReversal) if entry.status == OrderStatus::Paying => {
                entry.turn_into(OrderStatus::Paid, now);
            }
            _ => {}
        }
        if fault.is_none_or(Fault::is_processed) {
            if entry.status == OrderStatus::NotFound && self.script.fence_unknown {
                entry.details.turn = None;
                entry.turn_into(OrderStatus::Revoked, now);
            }
            entry.reverse(now);
        }
        Said { fault, ..Said::new(reply::accepted("N")) }
    }

    fn fault(&self, entry: &LedgerEntry, call: CallKind, before: usize) -> Option<Fault> {
        entry.scenario.fault(call, before).filter(|_| !self.is_well)
    }

    fn special_case(&self, entry: &LedgerEntry, before: usize) -> Option<SpecialCase> {
        entry.scenario.special_case(before).filter(|_| !self.is_well)
    }

    /// Whether the gateway itself does not know yet what becomes of the order.
    fn is_settling(&self, entry: &LedgerEntry, age: Millis) -> bool {
        let least = self.script.reverse_not_before;
        let granted = Millis(LATENCY_GRANTED.0.min(least.0 / 10));
        let trying = matches!(entry.scenario, Scenario::Slow(_));
        age < least.minus(granted) || trying && entry.status == OrderStatus::Paying
    }

    fn success(&self, entry: &LedgerEntry, now: Millis) -> Fields {
        let details = &entry.details;
        let amount = entry.amount.minor();
        let mut fields = Fields::from_iter([
            ("result_code", "SUCCESS"),
            ("openid", &details.openid),
            ("is_subscribe", "N"),
            ("trade_type", details.trade_type()),
            ("bank_type", details.bank_type),
            ("fee_type", &entry.currency),
            ("cash_fee_type", &entry.currency),
            ("transaction_id", &entry.transaction_id),
            ("out_trade_no", &entry.out_trade_no),
            ("device_info", &details.device_info),
            ("attach", &details.attach),
        ]);
        fields.set("total_fee", amount.to_string());
        fields.set("cash_fee", (amount - details.coupon).to_string());
        if details.coupon > 0 {
            fields.set("coupon_fee", details.coupon.to_string());
        }
        fields.set("time_end", self.wall(entry.paid_at.unwrap_or(now)).to_beijing());
        fields
    }

    fn wall(&self, now: Millis) -> Timestamp {
        Timestamp(self.started.0.saturating_add(i64::try_from(now.0).unwrap_or(i64::MAX)))
    }
}

/// What came of a request, and how the story begins that is told of it.
struct Done {
    /// Empty if there is no such order.
    number: String,
    said: Said,
    story: String,
}

/// What an answer says before it is signed and possibly corrupted.
struct Said {
    fields: Fields,
    fault: Option<Fault>,
    after: Millis,
    note: String,
}

impl Said {
    fn new(fields: Fields) -> Self {
        Self { fields, fault: None, after: Millis(0), note: String::new() }
    }
}
