//! The merchant's backend in the simulation: one to three instances that share a database, between the
//! tills and the bank.
//!
//! What it decides is decided by the real code (`desk`, `admission`, `work::decide`); what is played here
//! is what the real one does around it, in its order: lock, decide, commit, then call. Instances die and
//! are stopped between any two of these steps, and the database refuses, or takes what it is given and
//! does not say so.

mod books;
mod calls;
mod lives;
mod notices;
mod routes;
mod visitor;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_lc_rs::hmac;
use paytill::clock::{Millis, Timestamp};
use paytill::gateway::Stamp;
use paytill::gateway::backend::message::Rights;
use paytill::gateway::backend::signed::SigningKey;
use paytill::gateway::backend::{APP_ID, Backend};
use paytill::journal::{JournalReader, OrderRow};
use paytill::money::Currency;
use paytill::order::{AuthCode, Merchant, TillId};
use paytill::payment::{Answer, Call, Rules, Status};
use paytill::refund::{Refund, RefundAnswer, RefundCall};
use paytill::simulator::Api;
use paytill_backend::admission::Nonces;
use paytill_backend::desk::Desk;
use paytill_backend::store::{PaymentRow, RefundRow, TillRow};
use paytill_host::gateway::NoticeReader;

use super::line::{Line, Said, Sent};
use super::{Due, World, account};
use crate::auditor::Behind;
use crate::invariants::Invariant;
use crate::keys::{BACKEND, signing_key};
use crate::plan::Plan;
use notices::Telling;

/// A till whose owner may give everything back.
const RIGHTS: Rights =
    Rights { charge: true, qr: true, refund_up_to: i64::MAX, refund_per_day: i64::MAX };
const STORE: &str = "S001";
/// The till that is played whole, and another one of the same merchant.
pub(super) const TILL: &str = "T01";
pub(super) const VISITOR: &str = "T02";
/// A till that was locked.
const LOCKED: &str = "T03";
/// What the other till may give back at once and in a day: less than it takes at times.
const LESS: Rights = Rights { refund_up_to: 30_000, refund_per_day: 60_000, ..RIGHTS };
/// No code of ours may be scanned for longer, whether its till still knows of it or not.
const QR_LASTS: Millis = Millis::seconds(60);
/// Where the backend is told of payments.
const DOOR: &str = "https://pay.example.com/notify";
/// How far the clock of an instance may be off.
const SKEW: i64 = 1_000;

/// The instances and their database.
pub(super) struct Office {
    desk: Desk,
    key: SigningKey,
    /// To the bank.
    line: Line,
    tills: BTreeMap<String, TillRow>,
    payments: BTreeMap<String, PaymentRow>,
    /// By order number, the oldest first.
    refunds: BTreeMap<String, Vec<RefundRow>>,
    instances: Vec<Instance>,
    /// What others are to be told: what it is, and the number that it is about.
    outbox: BTreeSet<(&'static str, String)>,
    /// What the gateway has told, and how often.
    notices: BTreeMap<String, u32>,
    /// Who verifies that.
    reader: NoticeReader,
    /// When the bank has something to tell next.
    next_telling: Option<u64>,
    calls: BTreeMap<u64, Calling>,
    waiters: BTreeMap<u64, Waiter>,
    /// Numbers whatever needs a number or draws of its own.
    serial: u64,
}

struct Instance {
    /// Counts its lives: each has another name.
    life: u32,
    is_up: bool,
    paused_until: u64,
    skew: i64,
    nonces: Nonces,
    next_sweep: Option<u64>,
}

/// A call that an instance makes. The payment code is here, and nowhere else.
struct Calling {
    who: usize,
    what: What,
    stamp: Option<Stamp>,
    /// Once there is one, until it is written.
    answer: Option<(Heard, u32)>,
}

/// What a call was answered, with the fields that came with it.
#[derive(Clone)]
enum Heard {
    Payment(Answer, Vec<(String, String)>),
    Refund(RefundAnswer, Vec<(String, String)>),
}

enum What {
    Payment { row: Box<PaymentRow>, call: Call, code: Option<AuthCode> },
    Refund { row: Box<RefundRow>, refund: Box<Refund>, call: RefundCall },
}

/// Who has asked.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Asker {
    Payment {
        process: u32,
        call: (i64, u32),
    },
    Refund {
        process: u32,
        call: (i64, u32),
    },
    /// The other till, and the amount that it wants to be paid.
    Visitor {
        wants: Option<i64>,
    },
}

/// A request whose answer is held back until there is something new.
struct Waiter {
    who: usize,
    asker: Asker,
    number: String,
    nonce: String,
    until: u64,
    news: News,
}

enum News {
    /// Of the payment, after this version; if there is none, of another status than was found.
    Payment(Option<i64>, Status),
    /// Of the refund, once it is no longer on its way.
    Refund(String),
}

/// What an instance does next, if it is still the one that was to do it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Step {
    Hears { asker: Asker, sent: Sent },
    IsTold(Telling),
    Calls(u64),
    Answered { call: u64, reply: Option<Said>, is_sent: bool },
    Writes(u64),
    Looks(u64),
    Sweeps,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum OfficeDue {
    Step {
        who: usize,
        life: u32,
        step: Step,
    },
    AtBank {
        who: usize,
        life: u32,
        call: u64,
        is_submission: bool,
        sent: Sent,
    },
    /// The bank may have something to tell.
    Tells,
    /// A notification arrives.
    Told(Telling),
    /// The bank hears what became of the n-th time that it told something, or that nobody says.
    Acknowledged {
        token: usize,
        nth: usize,
        answer: Option<(u16, &'static str)>,
    },
    /// A request of the other till's arrives.
    Comes {
        asker: Asker,
        sent: Sent,
    },
    Starts {
        who: usize,
        life: u32,
    },
    Crash(u64),
    Pause(u64),
    Visit(u64),
}

/// The codec of a till behind the backend.
pub(super) fn codec(till: &str) -> Arc<Backend> {
    with_key_of(till, till)
}

/// The codec of a till that says to be another one.
fn with_key_of(till: &str, speaker: &str) -> Arc<Backend> {
    let theirs = signing_key(BACKEND).public();
    let codec = Backend::new(signing_key(number_of(till)), TillId::new(speaker).unwrap(), theirs);
    Arc::new(codec.lasting(QR_LASTS))
}

/// Which of the tills it is, and so which key it has.
fn number_of(till: &str) -> u8 {
    till.as_bytes()[2] - b'0'
}

/// The merchant as the tills behind the backend know it.
pub(super) fn merchant_behind(plan: &Plan) -> Merchant {
    let Merchant { mch_id, .. } = account(plan).merchant;
    let (sub_app_id, sub_mch_id) = (String::new(), String::new());
    Merchant { app_id: APP_ID.into(), mch_id, sub_app_id, sub_mch_id }
}

impl Office {
    pub(super) fn new(plan: &Plan, instances: u64, api: Api) -> Self {
        let account = account(plan);
        let (line, reader) = Line::told_at(DOOR, api, account.clone());
        let mut rng = plan.chance("office", 0);
        let row = |till: &str| TillRow {
            till: till.to_owned(),
            store: STORE.to_owned(),
            rights: if till == TILL { RIGHTS } else { LESS },
            key: Some(signing_key(number_of(till)).public()),
            enrolled_at: None,
            revoked_at: (till == LOCKED).then_some(Timestamp(0)),
            last_seen_at: None,
            program: String::new(),
        };
        let tills = [TILL, VISITOR, LOCKED];
        let instance = |_| Instance {
            life: 0,
            is_up: true,
            paused_until: 0,
            skew: rng.i64(-SKEW..=SKEW),
            nonces: Nonces::default(),
            next_sweep: None,
        };
        Self {
            line,
            reader,
            desk: Desk {
                merchant: account.merchant,
                currency: Currency::CNY,
                rules: Rules::default(),
                qr_lasts: QR_LASTS,
                digest_key: hmac::Key::new(hmac::HMAC_SHA256, b"simulation"),
            },
            key: signing_key(BACKEND),
            tills: tills.into_iter().map(|till| (till.to_owned(), row(till))).collect(),
            payments: BTreeMap::new(),
            refunds: BTreeMap::new(),
            instances: (0..instances).map(instance).collect(),
            outbox: BTreeSet::new(),
            notices: BTreeMap::new(),
            next_telling: None,
            calls: BTreeMap::new(),
            waiters: BTreeMap::new(),
            serial: 0,
        }
    }

    fn number(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

impl World {
    /// Puts the backend between till and bank, if the plan has one.
    pub(super) fn opens_the_office(&mut self) {
        if self.climate.backend == 0 {
            return;
        }
        let api = if self.climate.api_v3 > 0 { Api::V3 } else { Api::V2 };
        self.office = Some(Office::new(&self.plan, self.climate.backend, api));
        self.auditor.behind = Some(Behind::default());
        self.draw_the_backend();
    }

    /// All has ended: three books say the same.
    pub(super) fn closes_the_office(&mut self, reader: &JournalReader, rows: &[OrderRow]) {
        let Some(office) = &self.office else { return };
        self.auditor.close_backend(rows, office.payments.values(), &self.bank);
        self.auditor.close_outbox(office.payments.values(), &office.outbox);
        self.auditor.close_waiting();
        let refunds = office.refunds.values().flatten();
        if let Err(error) = self.auditor.close_backend_refunds(reader, rows, refunds, &self.bank) {
            self.auditor.broken(Invariant::NothingLost, error.to_string());
        }
    }

    /// The random draws for one thing that the backend does.
    fn office_chance(&mut self, purpose: &str) -> fastrand::Rng {
        let number = self.office.as_mut().map_or(0, Office::number);
        self.plan.chance(purpose, number)
    }

    fn office_clock(&self, who: usize) -> Timestamp {
        let skew = self.office.as_ref().map_or(0, |office| office.instances[who].skew);
        Timestamp(self.banks_clock().0 + skew)
    }

    fn plan_step(&mut self, at: u64, who: usize, step: Step) {
        let Some(office) = &self.office else { return };
        let life = office.instances[who].life;
        self.plan_at(at, Due::Office(OfficeDue::Step { who, life, step }));
    }

    pub(super) fn office_due(&mut self, due: OfficeDue) {
        match due {
            OfficeDue::Step { who, life, step } => self.office_step(who, life, step),
            OfficeDue::AtBank { who, life, call, is_submission, sent } => {
                self.office_at_bank((who, life), call, is_submission, &sent);
            }
            OfficeDue::Tells => {
                if let Some(office) = &mut self.office {
                    office.next_telling = None;
                }
                self.bank_tells();
            }
            OfficeDue::Told(telling) => self.telling_comes(telling),
            OfficeDue::Acknowledged { token, nth, answer } => {
                self.telling_answered((token, nth), answer);
            }
            OfficeDue::Comes { asker, sent } => self.reaches_the_backend(asker, sent),
            OfficeDue::Starts { who, life } => self.office_starts(who, life),
            OfficeDue::Crash(number) => self.office_crashes(number),
            OfficeDue::Pause(number) => self.office_pauses(number),
            OfficeDue::Visit(visit) => self.visits(visit),
        }
    }

    fn office_step(&mut self, who: usize, life: u32, step: Step) {
        let Some(office) = &self.office else { return };
        let instance = &office.instances[who];
        if instance.life != life || !instance.is_up {
            return self.office_drops(step);
        }
        if self.now < instance.paused_until {
            let at = instance.paused_until;
            return self.plan_at(at, Due::Office(OfficeDue::Step { who, life, step }));
        }
        match step {
            Step::Hears { asker, sent } => self.office_hears(who, asker, &sent),
            Step::IsTold(telling) => self.office_is_told(who, &telling),
            Step::Calls(call) => self.office_calls(who, call),
            Step::Answered { call, reply, is_sent } => {
                self.office_answered(who, call, reply, is_sent);
            }
            Step::Writes(call) => self.office_writes(who, call),
            Step::Looks(waiter) => self.office_looks(who, waiter),
            Step::Sweeps => self.office_sweeps(who),
        }
    }

    /// A request that was in the hands of an instance that died.
    fn office_drops(&mut self, step: Step) {
        if let Step::Hears { asker, sent } = step {
            self.has_reached(asker, &sent);
        }
    }

    /// A submission of the till's is on its way no more.
    fn has_reached(&mut self, asker: Asker, sent: &Sent) {
        if matches!(asker, Asker::Payment { .. }) && sent.is_submission() {
            self.auditor.reached_the_backend(&sent.number);
        }
    }
}

/// For how long a payment is held by whoever has a call under way.
const REQUEST_TIMEOUT: Millis = Millis(super::REQUEST_TIMEOUT);
