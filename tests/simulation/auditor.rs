//! The auditor. It checks the invariants on everything that is sent, answered, recorded, reported,
//! printed and drawn, and on the bank's own ledger.

mod answers;
mod answers_behind;
mod answers_v3;
mod attempted;
mod behind;
mod books;
mod calls;
pub mod desk;
mod notices;
mod pace;
mod paper;
#[path = "../fixture/paper.rs"]
mod printout;
mod refunds;
mod requests;
pub mod shifts;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use paytill::clock::Timestamp;
use paytill::engine::Attempt;
use paytill::engine::Entry;
use paytill::order::Order;
use paytill::payment::{Call, CallKind, Event, Status};
use paytill::shift::Report;
use paytill::simulator::{Api, Bank};

use crate::invariants::{Invariant, Violation};
use crate::world::Said;
use attempted::Attempted;
pub use behind::Behind;
pub use notices::{Heard, Waiting};
use pace::Pace;
use paper::Says;

const CODE_DIGITS: usize = 18;

/// Which invariant is broken, and how.
type Wrong = (Invariant, &'static str);

/// Checks one story.
pub struct Auditor {
    api_key: String,
    attempts: BTreeMap<String, Attempted>,
    pub violation: Option<Violation>,
    pub now: u64,
    /// The version of the gateway's API that the till speaks.
    pub api: Api,
    pace: Pace,
    /// Numbers under which another till's customer pays.
    others: BTreeSet<String>,
    refunds: BTreeMap<String, refunds::Refunded>,
    /// The last call about a refund of this process.
    refund_call_at: Option<u64>,
    /// The Z reports, as they were read last.
    closed: Vec<Report>,
    pub drawer: shifts::Drawer,
    /// What is known of the merchant's backend, if the till speaks to one.
    pub behind: Option<Behind>,
    /// Tills whose questions it holds open.
    pub waiting: BTreeMap<u64, Waiting>,
}

impl Auditor {
    pub fn new(api_key: &str) -> Self {
        Self {
            api_key: api_key.to_owned(),
            attempts: BTreeMap::new(),
            violation: None,
            now: 0,
            api: Api::V2,
            pace: Pace::default(),
            others: BTreeSet::new(),
            refunds: BTreeMap::new(),
            refund_call_at: None,
            closed: Vec::new(),
            drawer: shifts::Drawer::default(),
            behind: None,
            waiting: BTreeMap::new(),
        }
    }

    pub fn broken(&mut self, invariant: Invariant, what: String) {
        self.violation.get_or_insert(Violation { invariant, what });
    }

    fn check(&mut self, holds: bool, invariant: Invariant, what: impl FnOnce() -> String) {
        if !holds {
            self.broken(invariant, what());
        }
    }

    /// An attempt was begun, for a sale of this amount and with this code.
    pub fn begun(&mut self, number: &str, sale: usize, due: i64, code: &str) {
        let attempted = Attempted {
            number: number.to_owned(),
            sale,
            due,
            code: code.to_owned(),
            ..Attempted::default()
        };
        let earlier = self.attempts.insert(number.to_owned(), attempted);
        // A number that never reached the disk was never seen by anybody.
        let was_seen = earlier.is_some_and(|earlier| !earlier.kept.is_empty());
        self.check(!was_seen, Invariant::OneSubmission, || format!("{number} was given twice"));
    }

    /// This number is paid by scanning a code, which may be shown for so long.
    pub fn is_scanned(&mut self, number: &str, lasts: u64) {
        let now = self.now;
        if let Some(attempted) = self.attempts.get_mut(number) {
            attempted.scanned = Some((now, lasts));
        }
    }

    /// The bank holds another till's order of this number.
    pub fn is_anothers(&mut self, number: &str) {
        self.others.insert(number.to_owned());
    }

    pub fn is_of_anothers(&self, number: &str) -> bool {
        self.others.contains(number)
    }

    /// An entry was handed to the disk.
    pub fn handed(&mut self, entry: &Entry) {
        let Some(attempted) = self.of_entry(entry) else { return };
        let is_clean = !entry.wire.iter().any(|(_, value)| value.contains(&attempted.code));
        attempted.has_moved = true;
        attempted.handed.push((entry.event.clone(), entry.state.clone()));
        let amount = entry.begin.as_ref().map(|begin| begin.order.amount.minor());
        let is_same = amount.is_none_or(|amount| amount == attempted.due);
        let number = attempted.number.clone();
        self.check(is_clean, Invariant::NoSecrets, || format!("{number}: a payment code"));
        self.check(is_same, Invariant::SameMoney, || format!("{number}: journal has {amount:?}"));
    }

    /// The disk has acknowledged an entry.
    pub fn kept(&mut self, entry: &Entry) {
        if let Some(attempted) = self.of_entry(entry)
            && !attempted.handed.is_empty()
        {
            let first = attempted.handed.remove(0);
            attempted.kept.push(first);
        }
    }

    /// Whether the disk has anything of it.
    pub fn is_kept(&self, number: &str) -> bool {
        self.attempts.get(number).is_some_and(|attempted| !attempted.kept.is_empty())
    }

    fn of_entry(&mut self, entry: &Entry) -> Option<&mut Attempted> {
        match &entry.begin {
            Some(begin) => {
                let attempted = self.attempts.get_mut(begin.order.out_trade_no.as_str())?;
                attempted.attempt = entry.attempt;
                Some(attempted)
            }
            None => self.attempts.values_mut().find(|attempted| attempted.attempt == entry.attempt),
        }
    }

    /// A call is made.
    pub fn sent(&mut self, order: &Order, call: Call, body: &[u8], is_of_the_past: bool) {
        let (number, now) = (order.out_trade_no.as_str(), self.now);
        let Some(attempted) = self.attempts.get_mut(number) else {
            return self.broken(Invariant::IntentBeforeWire, format!("{number} was never begun"));
        };
        let mut wrong = attempted.judge_call(call, now);
        wrong.extend(attempted.judge_order(body).filter(|_| call.kind == CallKind::Order));
        attempted.note_call(call, body, now);
        if call.kind != CallKind::Submit
            && let Some(storm) = self.pace.asked(number, now, is_of_the_past)
        {
            wrong.push((Invariant::NoStorm, storm));
        }
        for (invariant, what) in wrong {
            self.broken(invariant, format!("{number}: {what}"));
        }
    }

    /// The first byte of a submission leaves. It will reach the bank this many times.
    pub fn left(&mut self, number: &str, arrivals: u32, is_late: bool) {
        let now = self.now;
        if let Some(attempted) = self.attempts.get_mut(number) {
            attempted.left_at = Some(now);
            attempted.on_the_way = arrivals;
            attempted.is_late = is_late;
        }
    }

    /// A submission reaches the bank.
    pub fn arrived(&mut self, number: &str, body: &[u8]) {
        let Some(attempted) = self.attempts.get_mut(number) else { return };
        attempted.on_the_way -= 1;
        attempted.has_arrived = true;
        let due = attempted.due;
        let is_ours = requests::says(body, "out_trade_no", number);
        let is_same = requests::says(body, "total_fee", &due.to_string());
        let is_one = attempted.body == body;
        let is_kept = !attempted.kept.is_empty();
        self.check(is_kept && is_ours, Invariant::IntentBeforeWire, || number.to_owned());
        self.check(is_same, Invariant::SameMoney, || format!("{number}: not {due} on the wire"));
        self.check(is_one, Invariant::OneSubmission, || format!("{number}: another body"));
    }

    /// An answer reaches the till, or the call is known to be lost.
    pub fn answered(
        &mut self,
        order: &Order,
        kind: CallKind,
        reply: Option<&Said>,
        (wall, nonce): (Timestamp, &str),
    ) {
        let fields = reply.and_then(|said| match self.api {
            _ if self.behind.is_some() => answers_behind::believed(said, nonce, order, kind),
            Api::V2 => answers::signed(said.status, &said.body, &self.api_key),
            api => answers_v3::believed(api, said, order, kind, wall),
        });
        if let Some(attempted) = self.attempts.get_mut(order.out_trade_no.as_str())
            && let Some(fields) = fields
        {
            attempted.note_answer(order, kind, &fields, self.now);
        }
    }

    /// A call provably never left.
    pub fn not_sent(&mut self, number: &str, kind: CallKind) {
        if let Some(attempted) = self.attempts.get_mut(number)
            && kind == CallKind::Submit
        {
            attempted.refused = true;
            attempted.on_the_way = 0;
        }
    }

    /// The machine is suspended.
    pub fn sleeps(&mut self, wakes_at: u64) {
        let asleep = self.attempts.values().filter(|attempted| attempted.sent_at.is_some());
        self.pace.sleeps(self.now, wakes_at, asleep.map(|attempted| attempted.number.clone()));
    }

    /// The cashier asks for something.
    pub fn called_for(&mut self, number: &str, event: &Event) {
        if let Some(attempted) = self.attempts.get_mut(number) {
            attempted.note_wish(event);
        }
    }

    /// A status is reported to people.
    pub fn told(&mut self, attempt: &Attempt, event: &Event, bank: &Bank) {
        let number = attempt.out_trade_no.as_str();
        let Some(attempted) = self.attempts.get_mut(number) else {
            return self.broken(Invariant::NothingLost, format!("{number} comes from nowhere"));
        };
        let is_anothers = self.others.contains(number);
        let (before, entry) = (attempted.told, bank.entry(number).filter(|_| !is_anothers));
        let wrong = attempted.judge_told(attempt, event, entry, self.now);
        attempted.note_told(attempt, event);
        for (invariant, what) in wrong {
            let net = entry.map_or(0, |entry| entry.net().minor());
            self.broken(invariant, format!("{number}: {what} (from {before:?}, net {net})"));
        }
    }

    /// A receipt is printed.
    pub fn printed(&mut self, number: &str, bytes: &[u8]) {
        self.is_said(number, "receipt", paper::receipt(bytes).as_ref());
    }

    /// A status is reported to programs.
    pub fn reported(&mut self, number: &str, line: &str) {
        self.is_said(number, "report", paper::report(line).as_ref());
    }

    fn is_said(&mut self, number: &str, by: &str, says: Option<&Says>) {
        let due = self.attempts.get(number).map_or(0, |attempted| attempted.due);
        let right = Says { amount: due, number: number.to_owned() };
        self.check(says == Some(&right), Invariant::SameMoney, || {
            format!("{number}: {due} are due, and its {by} says {says:?}")
        });
    }

    /// The bytes on the disk contain no payment code.
    pub fn read_disk(&mut self, bytes: &[u8]) {
        let codes: BTreeSet<&[u8]> =
            self.attempts.values().map(|attempted| attempted.code.as_bytes()).collect();
        let found = bytes.windows(CODE_DIGITS).any(|digits| {
            digits.starts_with(b"1") && digits[1].is_ascii_digit() && codes.contains(digits)
        });
        self.check(!found, Invariant::NoSecrets, || "a payment code is on the disk".to_owned());
    }

    /// How each attempt ended.
    pub fn ends(&self) -> impl Iterator<Item = Status> {
        self.attempts.values().filter_map(|attempted| attempted.told)
    }

    /// The screen shows that something is open, and contains no payment code.
    pub fn drawn(&mut self, screen: &str, open: &[Status], words: impl Fn(Status) -> &'static str) {
        let is_told = open.is_empty() || open.iter().any(|status| screen.contains(words(*status)));
        self.check(is_told, Invariant::OpenIsVisible, || {
            format!("open: {open:?}, and on the screen:\n{screen}")
        });
        let code = self.attempts.values().find(|attempted| screen.contains(&attempted.code));
        let shown = code.map(|attempted| attempted.number.clone());
        self.check(shown.is_none(), Invariant::NoSecrets, || format!("the code of {shown:?}"));
    }
}
