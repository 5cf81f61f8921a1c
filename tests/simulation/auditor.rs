//! The auditor, who watches for what must be true: over everything that is sent, answered, written,
//! told and drawn, and over the bank's own books.

mod pace;

use std::collections::{BTreeMap, BTreeSet};

use paytill::clock::Millis;
use paytill::engine::Attempt;
use paytill::journal::{Entry, Filter, JournalError, OrderRow, Reader};
use paytill::order::Order;
use paytill::payment::{Answer, Call, CallKind, Event, Rules, State, Status};
use paytill::simulator::{Bank, Scenario, Standing};

use crate::invariants::{Invariant, Violation};
use crate::reading;
use pace::Pace;

const CODE_DIGITS: usize = 18;
/// A customer has so long, unless somebody says otherwise.
const GIVE_UP_AFTER: u64 = 30_000;
/// Reversals are repeated so far apart at last.
const LONGEST_WAIT: u64 = 30_000;
/// Refusals of a submission that say for certain that it took nothing (protocol 4.2).
const REFUSALS: [&str; 16] = [
    "APPID_MCHID_NOT_MATCH",
    "APPID_NOT_EXIST",
    "AUTHCODEEXPIRE",
    "AUTH_CODE_ERROR",
    "AUTH_CODE_INVALID",
    "MCHID_NOT_EXIST",
    "NOAUTH",
    "NOTENOUGH",
    "NOTSUPORTCARD",
    "ORDERCLOSED",
    "ORDERREVERSED",
    "PARAM_ERROR",
    "REQUIRE_POST_METHOD",
    "SIGNERROR",
    "TRADE_ERROR",
    "XML_FORMAT_ERROR",
];
/// A payment found later than this after its submission goes back, though nobody gave it up.
const COUNTS_FOR: u64 = 90_000;

/// All that is known of one attempt, from outside the till.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Attempted {
    number: String,
    sale: usize,
    attempt: i64,
    due: i64,
    code: String,
    /// Acknowledged by the disk, in order.
    kept: Vec<(Event, State)>,
    /// Since the journal was read last.
    has_moved: bool,
    /// Handed to the disk, and not acknowledged.
    handed: Vec<(Event, State)>,
    body: Vec<u8>,
    /// The submission was handed out, and left.
    sent_at: Option<u64>,
    left_at: Option<u64>,
    queries: Vec<u64>,
    reversals: Vec<u64>,
    /// Reversals until it was told as reversed: should it be found open after that, it begins anew.
    told_reversed: usize,
    /// Queries that something other than the interval calls for.
    calls_for: usize,
    /// Submissions that are on their way to the bank.
    on_the_way: u32,
    /// One has arrived: what comes after it is the same number again.
    has_arrived: bool,
    /// One of them is late.
    is_late: bool,
    /// When a verified and matching payment was read.
    proof_at: Option<u64>,
    left_behind: bool,
    /// A person gave up, or put it aside.
    given_up: bool,
    /// The gateway asks for the reversal, or refused the submission in a way that one query settles.
    failed: bool,
    /// A signed refusal of the submission, or the knowledge that it never left.
    refused: bool,
    /// A query said that it is over.
    ended: bool,
    /// A query said that nobody has paid, or that there is no such order.
    is_unpaid: bool,
    withdrawn: bool,
    absent: Vec<u64>,
    told: Option<Status>,
    restarts: usize,
    /// What people have done about it.
    asks: usize,
}

impl Attempted {
    /// The gateway has said that it is over, or twice that it does not know what it has reversed.
    fn is_over(&self) -> bool {
        let twice = matches!(self.absent[..], [first, .., last] if last >= first + 10_000);
        self.ended || self.withdrawn && twice
    }
}

/// Watches over one story.
pub struct Auditor {
    api_key: String,
    attempts: BTreeMap<String, Attempted>,
    pub violation: Option<Violation>,
    pub now: u64,
    rules: Rules,
    pace: Pace,
}

impl Auditor {
    pub fn new(api_key: &str) -> Self {
        Self {
            api_key: api_key.to_owned(),
            attempts: BTreeMap::new(),
            violation: None,
            now: 0,
            rules: Rules::default(),
            pace: Pace::default(),
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

    /// An attempt was begun: for a sale of this much, with this code.
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

    /// An entry goes to the disk.
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

    /// The disk has acknowledged it.
    pub fn kept(&mut self, entry: &Entry) {
        if let Some(attempted) = self.of_entry(entry)
            && !attempted.handed.is_empty()
        {
            let first = attempted.handed.remove(0);
            attempted.kept.push(first);
        }
    }

    fn of_entry(&mut self, entry: &Entry) -> Option<&mut Attempted> {
        match &entry.begin {
            Some(begin) => {
                let attempted = self.attempts.get_mut(begin.order.out_trade_no.as_str())?;
                attempted.attempt = entry.attempt;
                Some(attempted)
            }
            None => self.of_attempt(entry.attempt),
        }
    }

    fn of_attempt(&mut self, attempt: i64) -> Option<&mut Attempted> {
        self.attempts.values_mut().find(|attempted| attempted.attempt == attempt)
    }

    /// The process is gone: what it had handed over may be on the disk or not.
    pub fn restarted(&mut self, reader: &Reader, rows: &[OrderRow]) {
        match self.compare(reader, rows) {
            Ok(()) => {}
            Err(error) => self.broken(Invariant::NothingLost, error.to_string()),
        }
        self.pace = Pace::default();
    }

    fn compare(&mut self, reader: &Reader, rows: &[OrderRow]) -> Result<(), JournalError> {
        let by_number: BTreeMap<&str, _> =
            rows.iter().map(|row| (row.out_trade_no.as_str(), row)).collect();
        let (now, mut wrong) = (self.now, Vec::new());
        for attempted in self.attempts.values_mut() {
            let number = attempted.number.clone();
            let Some(row) = by_number.get(number.as_str()) else {
                if !attempted.kept.is_empty() {
                    wrong.push((Invariant::NothingLost, format!("{number} is gone")));
                }
                // It never reached the disk, so nobody ever saw it.
                attempted.handed.clear();
                attempted.attempt = 0;
                continue;
            };
            attempted.attempt = row.attempt;
            attempted.restarts += 1;
            attempted.sent_at.get_or_insert(now);
            let is_proven = match row.state.status() {
                Status::Paid => attempted.proof_at.is_some(),
                Status::Reversed => attempted.is_over(),
                _ => true,
            };
            if !is_proven {
                wrong.push((Invariant::PaidNeedsProof, format!("{number}: an end without proof")));
            }
            if !std::mem::take(&mut attempted.has_moved) {
                // The entries of what has not moved are under the journal's own chain.
                if attempted.kept.last().is_some_and(|(_, state)| *state != row.state) {
                    wrong.push((Invariant::NothingLost, format!("{number} went back")));
                }
                continue;
            }
            let entries = reader.entries(row.attempt)?;
            let found: Vec<(Event, State)> =
                entries.into_iter().map(|entry| (entry.event, entry.state)).collect();
            let mut expected = attempted.kept.clone();
            let kept = expected.len();
            expected.append(&mut attempted.handed);
            if found.len() < kept || !expected.starts_with(&found) {
                let what = format!("{number}: {} of {kept} entries", found.len());
                wrong.push((Invariant::NothingLost, what));
            }
            if row.amount.minor() != attempted.due {
                wrong.push((Invariant::SameMoney, format!("{number}: {}", row.amount.minor())));
            }
            attempted.kept = found;
        }
        for row in rows {
            if !self.attempts.contains_key(row.out_trade_no.as_str()) {
                let what = format!("{} comes from nowhere", row.out_trade_no);
                wrong.push((Invariant::NothingLost, what));
            }
        }
        for (invariant, what) in wrong {
            self.broken(invariant, what);
        }
        Ok(())
    }

    /// A call goes out.
    pub fn sent(&mut self, order: &Order, call: Call, body: &[u8], is_of_the_past: bool) {
        let (number, now) = (order.out_trade_no.as_str(), self.now);
        let Some(attempted) = self.attempts.get_mut(number) else {
            return self.broken(Invariant::IntentBeforeWire, format!("{number} was never begun"));
        };
        let mut wrong = Vec::new();
        // The first entry is the intent to submit; every other call stands in the state it comes from.
        let is_kept = match call.kind {
            CallKind::Submit => !attempted.kept.is_empty(),
            CallKind::Query | CallKind::Reverse => {
                attempted.kept.iter().rev().any(|(_, state)| state.awaited() == Some(call))
            }
        };
        if !is_kept {
            wrong.push((Invariant::IntentBeforeWire, "sent before it was on the disk"));
        }
        match call.kind {
            CallKind::Submit => {
                if !attempted.body.is_empty() {
                    wrong.push((Invariant::OneSubmission, "submitted again"));
                }
                attempted.body = body.to_vec();
                attempted.sent_at = Some(now);
            }
            CallKind::Query => attempted.queries.push(now),
            CallKind::Reverse => {
                let left = attempted.left_at.unwrap_or(0);
                if now < left + 15_000 {
                    wrong.push((Invariant::ReversalDiscipline, "reversed before 15 s"));
                }
                let is_called_for = attempted.given_up || attempted.failed || attempted.refused;
                if now < left + GIVE_UP_AFTER && !is_called_for && attempted.restarts == 0 {
                    wrong.push((Invariant::ReversalDiscipline, "reversed a customer who has time"));
                }
                let mut answers =
                    attempted.kept.iter().rev().filter_map(|(event, _)| match event {
                        Event::Answered(call, _) => Some(call.kind),
                        _ => None,
                    });
                if answers.next() != Some(CallKind::Query) {
                    wrong.push((Invariant::ReversalDiscipline, "reversed without a query"));
                }
                let in_a_row = &attempted.reversals[attempted.told_reversed..];
                if let Some(before) = in_a_row.last()
                    && attempted.asks + attempted.restarts == 0
                {
                    let doubled = 5_000_u64 << (in_a_row.len() - 1).min(8);
                    if now < before + doubled.min(LONGEST_WAIT) {
                        wrong.push((Invariant::NoStorm, "the waits between reversals do not grow"));
                    }
                }
                attempted.reversals.push(now);
            }
        }
        let age = now - attempted.sent_at.unwrap_or(now);
        let most = usize::try_from(age / self.rules.query_interval.0).unwrap_or(0)
            + 2
            + attempted.calls_for
            + 2 * attempted.restarts
            + 2 * attempted.reversals.len();
        if attempted.queries.len() > most {
            wrong.push((Invariant::NoStorm, "more queries than intervals"));
        }
        let number = attempted.number.clone();
        if call.kind != CallKind::Submit
            && let Some(storm) = self.pace.asked(&number, now, is_of_the_past)
        {
            wrong.push((Invariant::NoStorm, storm));
        }
        for (invariant, what) in wrong {
            self.broken(invariant, format!("{number}: {what}"));
        }
    }

    /// The first byte of a submission leaves; it reaches the bank so many times.
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
        let text = String::from_utf8_lossy(body);
        let amount = format!("<total_fee>{}</total_fee>", attempted.due);
        let is_ours = text.contains(&format!("<out_trade_no>{number}</out_trade_no>"));
        let (is_same, is_one) = (text.contains(&amount), attempted.body == body);
        let is_kept = !attempted.kept.is_empty();
        self.check(is_kept && is_ours, Invariant::IntentBeforeWire, || number.to_owned());
        self.check(is_same, Invariant::SameMoney, || format!("{number}: not {amount} on the wire"));
        self.check(is_one, Invariant::OneSubmission, || format!("{number}: another body"));
    }

    /// An answer reaches the till, or the knowledge that there is none.
    pub fn answered(&mut self, order: &Order, kind: CallKind, reply: Option<(u16, &[u8])>) {
        let now = self.now;
        let number = order.out_trade_no.as_str();
        let fields = reply.and_then(|(status, body)| reading::signed(status, body, &self.api_key));
        let Some(attempted) = self.attempts.get_mut(number) else { return };
        let Some(fields) = fields else { return };
        let says = |name: &str, value: &str| fields.get(name).is_some_and(|says| says == value);
        let is_ours = says("mch_id", &order.merchant.mch_id)
            && says("appid", &order.merchant.app_id)
            && fields.get("out_trade_no").is_none_or(|theirs| theirs == number);
        if !is_ours || !says("return_code", "SUCCESS") {
            return;
        }
        let is_success = says("result_code", "SUCCESS");
        let is_payment = match kind {
            CallKind::Submit => is_success,
            CallKind::Query => is_success && says("trade_state", "SUCCESS"),
            CallKind::Reverse => false,
        };
        let matches = says("total_fee", &attempted.due.to_string())
            && says("fee_type", "CNY")
            && says("out_trade_no", number);
        if is_payment && matches {
            attempted.proof_at.get_or_insert(now);
        }
        match kind {
            CallKind::Submit => {
                let is_certain = REFUSALS.iter().any(|code| says("err_code", code));
                attempted.refused |= says("result_code", "FAIL") && is_certain;
            }
            CallKind::Query => {
                let is_over =
                    ["REVOKED", "CLOSED", "REFUND"].iter().any(|word| says("trade_state", word));
                attempted.ended |= is_success && is_over;
                attempted.failed |= is_success && says("trade_state", "PAYERROR");
                attempted.is_unpaid |= is_success && says("trade_state", "NOTPAY");
                if says("err_code", "ORDERNOTEXIST") {
                    attempted.absent.push(now);
                    attempted.is_unpaid = true;
                }
            }
            CallKind::Reverse => {
                if is_success && says("recall", "N") {
                    attempted.withdrawn = true;
                    attempted.absent.clear();
                }
            }
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

    /// The machine falls asleep.
    pub fn sleeps(&mut self, wakes_at: u64) {
        let asleep = self.attempts.values().filter(|attempted| attempted.sent_at.is_some());
        self.pace.sleeps(self.now, wakes_at, asleep.map(|attempted| attempted.number.clone()));
    }

    /// Something calls for a query out of turn.
    pub fn called_for(&mut self, number: &str, event: &Event) {
        if let Some(attempted) = self.attempts.get_mut(number) {
            attempted.calls_for += 1;
            attempted.asks += 1;
            attempted.left_behind |= *event == Event::PutAside;
            attempted.given_up |= matches!(event, Event::PutAside | Event::Abandon);
        }
    }

    /// People are told of an attempt.
    pub fn told(&mut self, attempt: &Attempt, event: &Event, bank: &Bank) {
        let number = attempt.out_trade_no.as_str();
        let status = attempt.state.status();
        let Some(attempted) = self.attempts.get_mut(number) else {
            return self.broken(Invariant::NothingLost, format!("{number} comes from nowhere"));
        };
        if let Event::Answered(call, answer) = event {
            // A refusal is asked about at once, and so is what was refused and went back; a reversal
            // has its own two queries.
            let asks = match call.kind {
                CallKind::Submit => !matches!(answer, Answer::Unknown(_) | Answer::Paying),
                CallKind::Query => matches!(answer, Answer::Ended(_)),
                CallKind::Reverse => false,
            };
            attempted.calls_for += usize::from(asks);
            attempted.failed |= matches!(answer, Answer::Doubtful(_) | Answer::Refused(_));
        }
        let before = attempted.told.replace(status);
        // What it has not heard of, because it was off, is not held against it; what was told as not
        // paid goes back.
        let is_duly_paid = matches!(event, Event::Answered(_, Answer::Paid(_)))
            && self.now < attempted.left_at.unwrap_or(0) + COUNTS_FOR
            && attempted.reversals.is_empty()
            && attempted.restarts == 0
            && !attempted.left_behind
            && !attempted.refused
            && before != Some(Status::Declined);
        if !attempt.recorded {
            // Told as such; the next start finds out anew.
            attempted.told = None;
        }
        let entry = bank.entry(number);
        let net = entry.map_or(0, |entry| entry.net().minor());
        // A number that is over at the bank takes nothing, whenever it arrives.
        let is_shut = entry.is_some_and(|entry| {
            matches!(entry.standing, Standing::Revoked | Standing::Closed | Standing::Refunded)
        });
        let may_pay = entry.is_some_and(paytill::simulator::Entry::is_going_to_pay)
            || attempted.on_the_way > 0 && !attempted.has_arrived && !is_shut;
        // The gateway's own word was not true, or the network kept the request beyond all measure.
        let is_lied_to = attempted.refused
            && status == Status::Declined
            && entry.is_some_and(|entry| {
                matches!(entry.scenario, Scenario::Refused { charged: true, .. })
            });
        // Only what the bank has never known can come late and be taken.
        let is_unknown = !attempted.ended && !attempted.absent.is_empty();
        let excused = attempted.is_late && is_unknown || is_lied_to;
        let mut wrong = Vec::new();
        if attempt.amount.minor() != attempted.due {
            wrong.push((Invariant::SameMoney, "another amount is told"));
        }
        if is_duly_paid && status != Status::Paid {
            wrong.push((Invariant::ReversalDiscipline, "duly paid, and not taken"));
        }
        match status {
            Status::Paid => {
                if attempted.proof_at.is_none() || net != attempted.due {
                    wrong.push((Invariant::PaidNeedsProof, "paid without proof"));
                }
                if !attempted.reversals.is_empty() {
                    wrong.push((Invariant::NeverPaidAfterReversal, "paid after a reversal"));
                }
            }
            Status::Declined if before != Some(status) => {
                if !(attempted.refused || attempted.ended || attempted.is_unpaid) {
                    wrong.push((Invariant::NoMoneyLeftBehind, "not paid, without a verified word"));
                }
                if (net != 0 || may_pay) && !excused {
                    wrong.push((Invariant::NoMoneyLeftBehind, "not paid, and it can be paid"));
                }
            }
            Status::Reversed if before != Some(status) => {
                attempted.told_reversed = attempted.reversals.len();
                if !attempted.is_over() {
                    wrong.push((Invariant::ReversalDiscipline, "reversed without proof"));
                }
                if (net != 0 || may_pay) && !excused {
                    wrong.push((Invariant::NoMoneyLeftBehind, "reversed, and it can be paid"));
                }
            }
            _ => {}
        }
        if !is_forward(before, status) {
            wrong.push((Invariant::OnlyForward, "it went back"));
        }
        for (invariant, what) in wrong {
            self.broken(invariant, format!("{number}: {what} (from {before:?}, net {net})"));
        }
    }

    /// At the very end: the journal's books and the bank's are the same.
    pub fn close(&mut self, reader: &Reader, bank: &mut Bank) {
        bank.advance(Millis(self.now));
        let rows = match reader.orders(&Filter::default()) {
            Ok(rows) => rows,
            Err(error) => return self.broken(Invariant::NothingLost, error.to_string()),
        };
        let mut nets: BTreeMap<i64, u32> = BTreeMap::new();
        let mut paid_by_sale: BTreeMap<usize, u32> = BTreeMap::new();
        for row in &rows {
            let number = row.out_trade_no.as_str();
            let net = bank.entry(number).map_or(0, |entry| entry.net().minor());
            let status = row.state.status();
            let right = if status == Status::Paid { row.amount.minor() } else { 0 };
            self.check(net == right, Invariant::Converges, || {
                format!("{number} is {status:?}, and the bank holds {net}")
            });
            let over = matches!(status, Status::Paid | Status::Declined | Status::Reversed);
            self.check(over, Invariant::Converges, || format!("{number} is still {status:?}"));
            *nets.entry(row.sale).or_default() += u32::from(net > 0);
            let sale = self.attempts.get(number).map_or(usize::MAX, |attempted| attempted.sale);
            *paid_by_sale.entry(sale).or_default() += u32::from(net > 0);
        }
        let twice = nets.values().chain(paid_by_sale.values()).any(|charges| *charges > 1);
        self.check(!twice, Invariant::OneNetCharge, || "a sale was paid twice".to_owned());
        for entry in bank.ledger().filter(|entry| entry.submissions() > 0) {
            let number = &entry.out_trade_no;
            let is_known = rows.iter().any(|row| row.out_trade_no.as_str() == *number);
            self.check(is_known, Invariant::IntentBeforeWire, || {
                format!("the bank knows {number}, the journal does not")
            });
        }
    }

    /// No payment code is in what lies on the disk.
    pub fn read_disk(&mut self, bytes: &[u8]) {
        let codes: BTreeSet<&[u8]> =
            self.attempts.values().map(|attempted| attempted.code.as_bytes()).collect();
        let found = bytes.windows(CODE_DIGITS).any(|digits| {
            digits.starts_with(b"1") && digits[1].is_ascii_digit() && codes.contains(digits)
        });
        self.check(!found, Invariant::NoSecrets, || "a payment code is on the disk".to_owned());
    }

    /// How the attempts ended.
    pub fn ends(&self) -> impl Iterator<Item = Status> {
        self.attempts.values().filter_map(|attempted| attempted.told)
    }

    /// The code must be nowhere in what is drawn.
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

fn is_forward(before: Option<Status>, now: Status) -> bool {
    use Status::{
        Attention, Checking, Created, Declined, Paid, Reversed, Reversing, Sent, Waiting,
    };
    match before {
        None | Some(Created | Sent) => true,
        Some(Waiting | Checking) => !matches!(now, Created | Sent),
        Some(Reversing | Attention) => !matches!(now, Created | Sent | Waiting | Checking),
        Some(Paid) => now == Paid,
        // Money was found after all.
        Some(Declined | Reversed) => {
            Some(now) == before || matches!(now, Reversing | Reversed | Attention)
        }
    }
}
