//! A till, its machine and its disk, the network, the bank and the people, on a virtual clock. The
//! engine, the payment machine, the codec, the journal with SQLite, the screen and the bank are the
//! real ones; the clock, the network, the disk and the people follow the seed.

mod bills;
mod cash;
mod counts;
mod crowd;
mod finding;
mod line;
mod lives;
mod machine;
mod office;
mod paper;
mod people;
mod qr;
mod refunds;
mod shifts;
mod till;
mod wire;

use std::cmp::Reverse as Earliest;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::fmt::Write as _;

pub use line::Said;
use line::{Line, Sent};
use paytill::clock::{Millis, Timestamp, Uptime};
use paytill::config::{Config, Flags};
use paytill::engine::{Act, Engine, Entry, RefundEntry};
use paytill::gateway::Stamp;
use paytill::journal::{FailStop, Filter};
use paytill::order::{AuthCode, Merchant, Order, OutTradeNo};
use paytill::payment::{Call, Status};
use paytill::simulator::{Account, Api, Bank, Scenario, Script, SpecialCase};
use paytill::text::find::Verdict;
use refunds::AwaitedRefund;
use simulated_disk::Disk;

use crate::auditor::Auditor;
use crate::invariants::{Invariant, Violation};
use crate::keys;
use crate::plan::{CashierAction, Climate, Customer, HEALED, Plan};
use crate::screen::Screen;
pub use counts::Counts;
use crowd::Counter;

/// Enough time for the rechecks of numbers that the gateway never knew.
const END: u64 = HEALED + 1_000_000;
/// How long the till waits for an answer.
const REQUEST_TIMEOUT: u64 = 10_000;
/// After this long without an entry, the journal's writer does the work that a sale should not wait
/// for.
const QUIET: u64 = 5_000;
const JOURNAL: &str = "journal.sqlite";
const STARTED: i64 = 1_795_318_200_000;
/// The uptime at which the first boot begins.
const BOOT: u64 = 1_000_000_000;
/// One disk in this many is searched byte by byte.
const DISKS_READ: u64 = 8;
/// More disk operations than one entry needs.
const OPERATIONS_OF_AN_ENTRY: u32 = 24;
/// Starting on an existing journal writes little; creating one takes more.
const OPERATIONS_OF_A_START: u32 = 4;
const OPERATIONS_OF_A_FIRST_START: u32 = 64;

/// The outcome of a story.
pub struct Told {
    pub violation: Option<Violation>,
    /// The story as text, if requested.
    pub story: String,
    /// How the attempts ended.
    pub ends: Vec<Status>,
    pub counts: Counts,
}

/// Plays a plan to its end, or to the first violation.
pub fn play(plan: &Plan, in_words: bool) -> Told {
    let mut world = World::new(plan.clone(), in_words);
    let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.run()));
    if let Err(panic) = played {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        world.auditor.broken(Invariant::NoPanic, text.unwrap_or_default());
    }
    Told {
        violation: world.auditor.violation.take(),
        story: std::mem::take(&mut world.story),
        ends: world.auditor.ends().collect(),
        counts: world.counts,
    }
}

#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Due {
    Customer(usize),
    CashierAction(usize, CashierAction),
    /// The cashier gives money of a sale back.
    Refund(usize, u64),
    /// The cashier gives the cash of a sale back that is paid in part.
    Return(usize),
    /// A request about a refund reaches the bank.
    RefundArrives {
        process: u32,
        call: (i64, u32),
        sent: Sent,
    },
    RefundAnswered {
        process: u32,
        call: (i64, u32),
        reply: Option<Said>,
    },
    RefundNotSent {
        process: u32,
        call: (i64, u32),
    },
    /// The disk has finished the first entry in the queue.
    Disk {
        process: u32,
    },
    /// Nothing has been written for a while.
    Quiet {
        process: u32,
        entries: u64,
    },
    /// A connection is established, and the submission leaves on it.
    Leaves {
        process: u32,
        call: (i64, u32),
        sent: Sent,
    },
    /// A request reaches the bank.
    Arrives {
        process: u32,
        call: (i64, u32),
        kind: u8,
        sent: Sent,
    },
    Answered {
        process: u32,
        call: (i64, u32),
        reply: Option<Said>,
    },
    NotSent {
        process: u32,
        call: (i64, u32),
    },
    /// The cashier of a crowd does something.
    Turn {
        process: u32,
    },
    /// The journal was read for the page in front of the desk.
    Found {
        process: u32,
        serial: u64,
    },
    /// The gateway's answer for it.
    Enquired {
        process: u32,
        serial: u64,
        reply: Option<Said>,
    },
    /// Platform certificates are asked for.
    Renewal {
        process: u32,
    },
    /// The till is moved to API v3.
    Moved {
        has_public_key: bool,
    },
    /// The bank signs with another platform certificate.
    Rotated,
    PowerCut,
    Kill,
    /// The owner closes the till properly.
    Closing,
    Start {
        process: u32,
    },
    ClockJump(u64),
    /// The shift is closed.
    Close(u64),
    /// One is opened.
    Open(u64),
    Suspension(u64),
    Healed,
    /// The merchant's backend does something.
    Office(office::OfficeDue),
    Judgement {
        process: u32,
        open: Vec<String>,
    },
    Tick,
    /// A customer scans the code of an order.
    Scan(String),
}

/// A running process.
struct Till {
    engine: Engine,
    journal: FailStop,
    queue: VecDeque<Queued>,
    screen: Screen,
    /// Attempts that it found in the journal.
    past: BTreeSet<i64>,
    entries: u64,
    disk_failed: bool,
}

/// An entry on its way to the disk.
enum Queued {
    Attempt(Box<Entry>),
    Refund(Box<RefundEntry>),
    CashBack(CashBack),
}

/// The cash of a sale that goes back once the disk has it.
struct CashBack {
    sale: usize,
    orders: Vec<(String, i64)>,
    acts: Vec<(Act, OutTradeNo)>,
}

/// A sale as people see it.
struct Sale {
    customer: Customer,
    /// Its id in the journal, once it is recorded.
    id: Option<i64>,
    latest: Option<OutTradeNo>,
    attempts: u64,
    last_code: Option<String>,
}

/// A call that awaits its answer.
struct Awaited {
    order: Order,
    call: Call,
    code: Option<AuthCode>,
    /// Identifies its random draws.
    key: u64,
    stamp: Stamp,
}

struct World {
    plan: Plan,
    climate: Climate,
    /// For the receipts.
    config: Config,
    now: u64,
    /// Counts processes. An event for an earlier one is dropped.
    process: u32,
    /// The machine's boot id, and when that boot began.
    machine: (i64, u64),
    wall_error: i64,
    suspended_until: u64,
    cut_off: Vec<(u64, u64)>,
    disk: Disk,
    disk_chance: fastrand::Rng,
    till: Option<Till>,
    /// The version of the gateway's API that the till is configured for.
    api: Api,
    line: Line,
    /// The merchant's backend, if it stands between till and bank.
    office: Option<office::Office>,
    bank: Bank,
    agenda: BinaryHeap<Earliest<(u64, u64, Due)>>,
    planned: u64,
    next_tick: Option<u64>,
    sales: BTreeMap<usize, Sale>,
    sale_of: BTreeMap<String, usize>,
    ordered: BTreeMap<String, qr::Ordered>,
    awaited: BTreeMap<(i64, u32), Awaited>,
    awaited_refunds: BTreeMap<(i64, u32), AwaitedRefund>,
    /// The last answer about each number, to be delivered for another one.
    answers: BTreeMap<String, Said>,
    /// The cashier, if she works at the screen.
    counter: Counter,
    /// What the page in front of the desk says.
    verdict: Option<(String, Verdict)>,
    auditor: Auditor,
    counts: Counts,
    in_words: bool,
    story: String,
}

/// One merchant in four is a service provider's. Its `app_id` may be corrected while orders are open.
fn account(plan: &Plan) -> Account {
    let is_a_providers = plan.chance("merchant", 0).u8(..4) == 0;
    let merchant = Merchant {
        app_id: "wx8888888888888888".into(),
        mch_id: "1900000109".into(),
        sub_app_id: String::new(),
        sub_mch_id: if is_a_providers { "1900000110".into() } else { String::new() },
    };
    let other_app_id = Some("wx7777777777777777".into());
    Account { merchant, other_app_id, api_key: "TESTONLYv2key0123456789ABCDEFGHI".into() }
}

/// All defaults.
#[expect(clippy::expect_used, reason = "defaults are always right")]
fn config() -> Config {
    let environment = |name: &str| (name == "HOME").then(|| "/till".into());
    Config::training(&Flags::default(), &environment).expect("a till needs no file in training")
}

/// Whether somebody gives money back at the merchant platform.
fn is_refunded_elsewhere(scenario: Scenario) -> bool {
    let cases = [SpecialCase::PartlyRefunded, SpecialCase::RefundedElsewhere];
    cases.map(Scenario::Odd).contains(&scenario)
}

impl World {
    fn new(plan: Plan, in_words: bool) -> Self {
        let account = account(&plan);
        let key = account.api_key.clone();
        // Whether the real gateway does this is not known (protocol 6).
        let fence_unknown = plan.chance("sync_point", 0).bool();
        let visible_after = Millis([0, 0, 4_000][plan.chance("visible", 0).usize(..3)]);
        let climate = plan.climate();
        let notices = climate.notice_case();
        let script = Script { fence_unknown, visible_after, notices, ..Script::default() };
        let script = Script { scans_by_word: true, ..script };
        let mut bank = Bank::new(account, script, plan.seed, Timestamp(STARTED));
        if climate.api_v3 > 0 {
            bank = bank.with_v3(keys::platform());
        }
        let mut world = Self {
            climate,
            config: config(),
            now: 0,
            process: 0,
            machine: (1, 0),
            wall_error: 0,
            suspended_until: 0,
            cut_off: Vec::new(),
            disk: Disk::new(),
            disk_chance: plan.chance("disk", 0),
            till: None,
            api: Api::V2,
            line: Line::new(Api::V2, &key),
            office: None,
            bank,
            agenda: BinaryHeap::new(),
            planned: 0,
            next_tick: None,
            sales: BTreeMap::new(),
            sale_of: BTreeMap::new(),
            ordered: BTreeMap::new(),
            awaited: BTreeMap::new(),
            awaited_refunds: BTreeMap::new(),
            answers: BTreeMap::new(),
            counter: Counter::default(),
            verdict: None,
            auditor: Auditor::new(&key),
            counts: Counts::default(),
            in_words,
            story: String::new(),
            plan,
        };
        world.opens_the_office();
        world.draw();
        world.draw_the_api();
        world.plan_at(0, Due::Start { process: 0 });
        world.plan_at(HEALED, Due::Healed);
        world
    }

    /// Schedules everything that the plan determines.
    fn draw(&mut self) {
        for (sale, mut customer) in self.plan.customers() {
            // No call of API v3 tells how much went back: that ends with a person.
            if self.climate.api_v3 > 0 && is_refunded_elsewhere(customer.scenario) {
                customer.scenario = Scenario::Pays;
            }
            self.plan_at(customer.at, Due::Customer(sale));
            for (after, action) in self.plan.actions(sale) {
                self.plan_at(
                    (customer.at + after).min(HEALED - 1),
                    Due::CashierAction(sale, action),
                );
            }
            for (nth, after) in (0..).zip(self.plan.refunds(sale)) {
                let at = (customer.at + after).min(HEALED - 1);
                self.plan_at(at, Due::Refund(sale, nth));
            }
            for after in self.plan.returns(sale) {
                self.plan_at((customer.at + after).min(HEALED - 1), Due::Return(sale));
            }
            let sale_of_it =
                Sale { customer, id: None, latest: None, attempts: 0, last_code: None };
            self.sales.insert(sale, sale_of_it);
        }
        let mut rng = self.plan.chance("troubles", 0);
        let mut moments =
            |count: u64| (0..count).map(|_| rng.u64(1..HEALED - 25_000)).collect::<Vec<_>>();
        let climate = self.climate.clone();
        for at in moments(climate.power_cuts) {
            self.plan_at(at, Due::PowerCut);
        }
        for at in moments(climate.kills) {
            self.plan_at(at, Due::Kill);
        }
        for at in moments(climate.closings) {
            self.plan_at(at, Due::Closing);
        }
        for (number, at) in (0..).zip(moments(climate.clock_jumps)) {
            self.plan_at(at, Due::ClockJump(number));
        }
        for (number, at) in (0..).zip(shifts::closes(&self.plan)) {
            self.plan_at(at, Due::Close(number));
        }
        for (number, at) in (0..).zip(moments(climate.suspensions)) {
            self.plan_at(at, Due::Suspension(number));
        }
        self.cut_off = moments(climate.partitions)
            .into_iter()
            .map(|at| (at, at + self.plan.chance("partition", at).u64(1_000..40_000)))
            .collect();
    }

    fn run(&mut self) {
        while self.auditor.violation.is_none()
            && let Some(Earliest((at, _, due))) = self.agenda.pop()
            && at <= END
        {
            // A suspended machine does nothing until it wakes; the bank and its customers go on.
            let is_outside = matches!(
                due,
                Due::Arrives { .. }
                    | Due::RefundArrives { .. }
                    | Due::Scan(_)
                    | Due::Rotated
                    | Due::Healed
                    | Due::Office(_)
                    | Due::PowerCut
            );
            if at < self.suspended_until && !is_outside {
                self.plan_at(self.suspended_until, due);
                continue;
            }
            self.now = self.now.max(at);
            self.auditor.now = self.now;
            self.handle(due);
            self.wake();
        }
        if self.auditor.violation.is_none() {
            self.now = END;
            self.auditor.now = END;
            self.close();
        }
    }

    /// Reads the journal as an outsider would, and audits it.
    fn close(&mut self) {
        self.reads_the_shifts();
        if self.plan.seed.is_multiple_of(DISKS_READ) {
            self.disk.look(|bytes| self.auditor.read_disk(bytes));
        }
        let reader = self.reader();
        let read = reader.and_then(|reader| Ok((reader.orders(&Filter::default())?, reader)));
        match read {
            Ok((rows, reader)) => {
                self.list(&rows);
                let is_hopeless = self.climate.no_reversals > 0;
                self.auditor.close(&rows, &mut self.bank, is_hopeless);
                self.closes_the_office(&reader, &rows);
                if let Err(error) = self.auditor.close_refunds(&reader, &rows, &self.bank) {
                    self.auditor.broken(Invariant::NothingLost, error.to_string());
                }
                self.reads_the_bills(&reader, &rows);
            }
            Err(error) => self.auditor.broken(Invariant::NothingLost, error.to_string()),
        }
    }

    fn handle(&mut self, due: Due) {
        match due {
            Due::Customer(sale) => self.customer(sale),
            Due::CashierAction(sale, action) => self.action(sale, action),
            Due::Disk { process } if process == self.process => self.disk(),
            Due::Quiet { process, entries } if process == self.process => self.quiet(entries),
            Due::Leaves { process, call, sent } if process == self.process => {
                self.leaves(call, &sent);
            }
            Due::Arrives { process, call, kind, sent } => {
                self.arrives(process, call, kind, sent);
            }
            Due::Answered { process, call, reply } if process == self.process => {
                self.answered(call, reply);
            }
            Due::NotSent { process, call } if process == self.process => self.not_sent(call),
            Due::Turn { process } if process == self.process => self.turn(),
            Due::Found { process, serial } if process == self.process => self.found(serial),
            Due::Enquired { process, serial, reply } if process == self.process => {
                self.enquired(serial, reply);
            }
            Due::Refund(sale, nth) => self.refund(sale, nth),
            Due::RefundArrives { process, call, sent } => {
                self.refund_arrives(process, call, sent);
            }
            Due::RefundAnswered { process, call, reply } if process == self.process => {
                self.refund_answered(call, reply);
            }
            Due::RefundNotSent { process, call } if process == self.process => {
                self.refund_not_sent(call);
            }
            Due::PowerCut => self.power_cut(),
            Due::Kill => self.kill("killed"),
            Due::Closing => self.closing(),
            Due::Start { process } if process == self.process && self.till.is_none() => {
                self.start();
            }
            Due::ClockJump(number) => self.clock_jump(number),
            Due::Close(number) => self.closes_the_shift(number),
            Due::Open(number) => self.opens_the_shift(number),
            Due::Return(sale) => self.returns_cash(sale),
            Due::Scan(number) => self.scans(&number),
            Due::Renewal { process } if process == self.process && self.till.is_some() => {
                self.renews_certificates();
            }
            Due::Moved { has_public_key } => self.moves(has_public_key),
            Due::Rotated => self.rotates(),
            Due::Suspension(number) => self.suspension(number),
            Due::Healed => self.heal(),
            Due::Office(due) => self.office_due(due),
            Due::Judgement { process, open } if process == self.process => self.judgement(&open),
            Due::Tick => {
                self.next_tick = None;
                let (now, wall) = (self.uptime(), self.wall());
                if let Some(till) = &mut self.till {
                    let effects = till.engine.tick(now, wall);
                    self.perform(effects);
                }
            }
            Due::Disk { .. }
            | Due::Quiet { .. }
            | Due::Leaves { .. }
            | Due::Answered { .. }
            | Due::NotSent { .. }
            | Due::Turn { .. }
            | Due::Found { .. }
            | Due::Enquired { .. }
            | Due::RefundAnswered { .. }
            | Due::RefundNotSent { .. }
            | Due::Start { .. }
            | Due::Renewal { .. }
            | Due::Judgement { .. } => {}
        }
    }

    fn wake(&mut self) {
        let wake = self.till.as_ref().and_then(|till| till.engine.wake_at());
        let Some(wake) = wake else { return };
        let at = self.now + wake.since(self.uptime()).0;
        if self.next_tick.is_none_or(|planned| at < planned) {
            self.next_tick = Some(at);
            self.plan_at(at, Due::Tick);
        }
    }

    fn uptime(&self) -> Uptime {
        Uptime(BOOT + self.now - self.machine.1)
    }

    fn wall(&self) -> Timestamp {
        Timestamp(self.banks_clock().0 + self.wall_error)
    }

    fn is_healed(&self) -> bool {
        self.now >= HEALED
    }

    fn is_cut_off(&self) -> bool {
        self.cut_off.iter().any(|(from, to)| (*from..*to).contains(&self.now)) && !self.is_healed()
    }

    fn delay(&self, rng: &mut fastrand::Rng) -> u64 {
        let slowest = if self.is_healed() { 50 } else { self.climate.slow_network };
        rng.u64(5..=slowest.max(5))
    }

    fn roll(&self, rng: &mut fastrand::Rng, share: u64) -> bool {
        // Always drawn, so that the later draws stay the same.
        rng.u64(..1000) < share && !self.is_healed()
    }

    fn plan_at(&mut self, at: u64, due: Due) {
        self.planned += 1;
        self.agenda.push(Earliest((at, self.planned, due)));
    }

    fn tell(&mut self, what: impl FnOnce() -> String) {
        if self.in_words {
            let (seconds, millis) = (self.now / 1000, self.now % 1000);
            let _ = writeln!(self.story, "{seconds:>5}.{millis:03} {}", what());
        }
    }
}
