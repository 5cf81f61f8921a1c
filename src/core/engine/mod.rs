//! All attempts of a till: which event goes to which, and what is written before anything is sent.
//!
//! The safety of the till lies in the order of its effects. An event leads to a state, and that
//! state is written; only once it is on disk does memory follow, a report go out and a call leave.
//! If the write fails, nothing is sent. There is no I/O and no clock in here.

mod asked;
mod cash;
mod draw;
mod effect;
mod in_flight;
mod intent;
mod pacer;
mod qr;
mod record;
mod refunds;
mod sales;
mod start;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::clock::{Millis, Timestamp, Uptime};
use crate::gateway::{Ask, Gateway};
use crate::money::Money;
use crate::order::{Order, OutTradeNo};
use crate::payment::{
    Answer, Call, CallKind, Event, Inconclusive, Rules, State, Status, Submitted,
};
use crate::sale::Sold;
use crate::sale::tender::Balance;
pub use draw::Draw;
pub use effect::{Effect, RefundReport, Report};
use in_flight::{InFlight, Waiting, Writing};
use intent::Intent;
use pacer::{Pacer, Turn};
pub use qr::QrStart;
pub use record::{
    Act, ActKind, Attempt, Begin, By, Entry, Recovered, RefundBegin, RefundEntry, RefundRecord,
    SaleEntry, SaleRef, StoredAttempt, StoredRefund, Subject,
};
use refunds::RefundInFlight;
use sales::Sales;
pub use start::{CashStart, OrderTemplate, RefundStart, Refusal, Start};

/// The longest time between ticks while money is open: a machine that wakes from suspension has
/// passed its deadlines, but its timers have not fired.
const LONGEST_PAUSE: Millis = Millis::seconds(1);
/// Silence of this length despite the ticks means that the machine was suspended.
const SLEPT: Millis = Millis::seconds(3);

/// The attempts with work left, and the rules between them.
///
/// An engine is driven by three kinds of calls. Each returns [`Effect`]s to carry out in order:
///
/// * Actions: [`begin`](Self::begin) starts a payment, [`begin_qr`](Self::begin_qr) one by our code,
///   [`take_cash`](Self::take_cash) takes one, [`handle_event_of`](Self::handle_event_of)
///   cancels or checks an order.
/// * Outcomes: [`written`](Self::written) once for every [`Effect::Write`], and
///   [`handle_event`](Self::handle_event) with [`Event::Answered`] once for every [`Effect::Call`].
///   A submission that leaves is noted with [`mark_sent`](Self::mark_sent) first; no other call is.
/// * Time: [`tick`](Self::tick), no later than [`wake_at`](Self::wake_at) says. That moment may
///   change with every other call.
///
/// Refunds have a pair of each: [`begin_refund`](Self::begin_refund),
/// [`handle_refund_event`](Self::handle_refund_event), [`refund_written`](Self::refund_written).
///
/// All other methods only read. The caller keeps no payment state of its own: it may die between
/// any two calls, and continues from [`Recovered`] with [`new`](Self::new).
pub struct Engine {
    template: OrderTemplate,
    rules: Rules,
    gateway: Arc<dyn Gateway>,
    boot: i64,
    attempts: BTreeMap<i64, InFlight>,
    refunds: BTreeMap<i64, RefundInFlight>,
    last_refund: i64,
    last_attempt: i64,
    last_sale: i64,
    codes: VecDeque<([u8; 16], OutTradeNo)>,
    sales: Sales,
    /// Calls for payments of an earlier run, or for those open during a suspension.
    pacer: Pacer,
    awake_at: Uptime,
    stopped: bool,
}

impl Engine {
    /// Continues from an earlier run. Every open attempt is queried, newest first: its customer may
    /// still be there. Attempts of another merchant cannot be queried and are only reported.
    pub fn new(
        template: OrderTemplate,
        rules: Rules,
        gateway: Arc<dyn Gateway>,
        boot: i64,
        past: Recovered,
        now: Uptime,
        wall: Timestamp,
    ) -> (Self, Vec<Effect>) {
        let mut engine = Self {
            template,
            rules,
            gateway,
            boot,
            attempts: BTreeMap::new(),
            refunds: BTreeMap::new(),
            last_refund: past.last_refund,
            last_attempt: past.last_attempt,
            last_sale: past.last_sale,
            codes: past.codes.into(),
            sales: Sales::new(past.sales),
            pacer: Pacer::new(now),
            awake_at: now,
            stopped: false,
        };
        let mut effects = Vec::new();
        for stored in past.open.into_iter().rev() {
            engine.resume(stored, now, wall, &mut effects);
        }
        for stored in past.refunds.into_iter().rev() {
            engine.resume_refund(stored, now, wall, &mut effects);
        }
        (engine, effects)
    }

    /// Begins an attempt: assigns its number, and has the intent written before anything is sent.
    pub fn begin(
        &mut self,
        start: Start,
        now: Uptime,
        wall: Timestamp,
    ) -> Result<(OutTradeNo, Vec<Effect>), Refusal> {
        let Start { sale, note, sold, code, code_hash, by, client_ip, draw } = start;
        self.note_wakeup(now);
        self.may_begin(&sale, &code_hash)?;
        let amount = sale.amount();
        let sale = self.sale(sale, note, sold);
        let (attempt, out_trade_no) = self.next_attempt(draw, wall);
        let order = self.order(&out_trade_no, amount, client_ip, draw);
        let state = State::begin(&self.rules, draw.jitter());
        let wire = self.gateway.record(Ask::Submit(&order, &code));
        self.codes.push_back((code_hash, out_trade_no.clone()));
        if self.codes.len() > Recovered::CODES_REMEMBERED as usize {
            self.codes.pop_front();
        }
        let (code, call) = (Some((code, code_hash)), Some(Call::SUBMISSION));
        let intent = Intent { sale, order, by, state, code, wire, call };
        Ok((out_trade_no, vec![self.enter(attempt, intent, now, wall)]))
    }

    /// Handles what happened to an attempt; `wire` holds the fields that came with it.
    pub fn handle_event(
        &mut self,
        attempt: i64,
        event: Event,
        wire: Vec<(String, String)>,
        now: Uptime,
        wall: Timestamp,
    ) -> Vec<Effect> {
        self.take(attempt, (event, wire, None), now, wall)
    }

    fn take(
        &mut self,
        attempt: i64,
        (event, wire, by): Waiting,
        now: Uptime,
        wall: Timestamp,
    ) -> Vec<Effect> {
        self.note_wakeup(now);
        let mut effects = Vec::new();
        if let Some(in_flight) =
            self.attempts.get_mut(&attempt).filter(|in_flight| in_flight.takes(&event))
        {
            if event.ends_submission() {
                in_flight.code = None;
                // From here on nothing more is sent.
                in_flight.has_left = true;
            }
            in_flight.waiting.push_back((event, wire, by));
            self.advance(attempt, now, wall, &mut effects);
        }
        effects
    }

    /// What a person does with an order, by its number.
    pub fn handle_event_of(
        &mut self,
        out_trade_no: &OutTradeNo,
        event: Event,
        by: Option<By>,
        now: Uptime,
        wall: Timestamp,
    ) -> Vec<Effect> {
        let found = self
            .attempts
            .iter()
            .find(|(_, in_flight)| in_flight.order.out_trade_no == *out_trade_no);
        match found.map(|(attempt, _)| *attempt) {
            Some(attempt) => self.take(attempt, (event, Vec::new(), by), now, wall),
            None => Vec::new(),
        }
    }

    /// The submission's first byte leaves now, after a connection had to be made. All times of the
    /// payment count from here.
    pub fn mark_sent(&mut self, attempt: i64, now: Uptime) {
        if let Some(in_flight) =
            self.attempts.get_mut(&attempt).filter(|in_flight| !in_flight.from_the_past)
        {
            in_flight.sent_at = in_flight.sent_at.max(now);
            in_flight.has_left = true;
        }
    }

    /// An entry is on disk, or failed to get there. After one failure nothing is written or sent.
    pub fn written(
        &mut self,
        attempt: i64,
        on_disk: bool,
        now: Uptime,
        wall: Timestamp,
    ) -> Vec<Effect> {
        self.note_wakeup(now);
        let mut effects = Vec::new();
        if !on_disk {
            self.stop(Subject::Attempt(attempt), &mut effects);
        }
        let Some(in_flight) = self.attempts.get_mut(&attempt) else { return effects };
        let Some(writing) = in_flight.writing.take() else { return effects };
        let before = (writing.event != Event::Begun).then(|| in_flight.state.clone());
        // Nothing was sent, so there is nothing to report.
        if !on_disk && writing.event == Event::Begun {
            self.attempts.remove(&attempt);
            return effects;
        }
        if writing.event == Event::Begun {
            // It leaves now, not when its entry was handed to the disk.
            in_flight.sent_at = now;
        }
        // The customer may present that code again.
        let never_left = matches!(
            &writing.event,
            Event::Answered(
                _,
                Answer::Submitted(Submitted::Inconclusive(Inconclusive::NotSent(_)))
            )
        );
        let out_trade_no = in_flight.order.out_trade_no.clone();
        in_flight.state = writing.state;
        in_flight.updated_at = writing.at;
        effects.push(in_flight.report(writing.event, before.as_ref(), on_disk));
        let (sale, amount) = (in_flight.sale, in_flight.order.amount);
        let is_paid = in_flight.state.status() == Status::Paid
            && before.is_none_or(|before| before.status() != Status::Paid);
        if let Some(call) = writing.call.filter(|_| on_disk) {
            self.dispatch(attempt, call, now, &mut effects);
        }
        if is_paid {
            self.sales.pay(sale, amount);
        }
        if never_left {
            self.codes.retain(|(_, by)| *by != out_trade_no);
        }
        self.advance(attempt, now, wall, &mut effects);
        effects
    }

    /// A write has failed: all others stop as well.
    fn stop(&mut self, failed: Subject, effects: &mut Vec<Effect>) {
        if std::mem::replace(&mut self.stopped, true) {
            return;
        }
        let others = |(id, in_flight): &(&i64, &InFlight)| {
            Subject::Attempt(**id) != failed
                && !in_flight.foreign
                && in_flight.writing.is_none()
                && in_flight.state.is_open()
        };
        effects.extend(
            self.attempts
                .iter()
                .filter(others)
                .map(|(_, in_flight)| in_flight.report(Event::Tick, Some(&in_flight.state), false)),
        );
    }

    /// Time has passed: does what is due.
    pub fn tick(&mut self, now: Uptime, wall: Timestamp) -> Vec<Effect> {
        self.note_wakeup(now);
        let mut effects = Vec::new();
        if self.stopped {
            return effects;
        }
        let due: Vec<i64> = self
            .attempts
            .iter()
            .rev()
            .filter(|(_, in_flight)| in_flight.wake_at(&self.rules).is_some_and(|at| at <= now))
            .map(|(attempt, _)| *attempt)
            .collect();
        for attempt in due {
            effects.extend(self.handle_event(attempt, Event::Tick, Vec::new(), now, wall));
        }
        self.tick_refunds(now, wall, &mut effects);
        while let Some(turn) = self.pacer.next(now) {
            match turn {
                Turn::Attempt(attempt, call) => self.send(attempt, call, &mut effects),
                Turn::Refund(refund, call) => self.send_refund(refund, call, &mut effects),
            }
        }
        effects
    }

    /// When [`Engine::tick`] must be called next.
    pub fn wake_at(&self) -> Option<Uptime> {
        if self.stopped {
            return None;
        }
        let attempts =
            self.attempts.values().filter_map(|in_flight| in_flight.wake_at(&self.rules));
        let awake = self.busy().next().map(|_| self.awake_at.after(LONGEST_PAUSE));
        let refunds = self.refunds.values().filter_map(|refund| refund.wake_at(&self.rules));
        attempts.chain(refunds).chain(self.pacer.wake_at()).chain(awake).min()
    }

    /// The attempt that used a payment code before, by the code's hash.
    fn code_used_by(&self, code_hash: &[u8; 16]) -> Option<&OutTradeNo> {
        self.codes.iter().rev().find(|(hash, _)| hash == code_hash).map(|(_, by)| by)
    }

    fn may_begin(&self, sale: &SaleRef, code_hash: &[u8; 16]) -> Result<(), Refusal> {
        self.may_charge(sale)?;
        match self.code_used_by(code_hash) {
            Some(by) => Err(Refusal::CodeUsed(by.clone())),
            None => Ok(()),
        }
    }

    /// Whether so much may be taken of a sale now, in whatever way.
    fn may_charge(&self, sale: &SaleRef) -> Result<(), Refusal> {
        if self.stopped {
            return Err(Refusal::Stopped);
        }
        if let SaleRef::Again(sale, amount) = sale {
            match self.sales.balance(*sale).map(Balance::left) {
                Some(left) if left == Money::default() => return Err(Refusal::AlreadyPaid),
                Some(left) if *amount > left => return Err(Refusal::MoreThanLeft(left)),
                Some(_) | None => {}
            }
            let unsettled = |in_flight: &&InFlight| {
                // What the disk has already is written before anything handed to it later.
                let state =
                    in_flight.writing.as_ref().map_or(&in_flight.state, |writing| &writing.state);
                in_flight.sale == *sale && !state.may_be_charged_again()
            };
            if let Some(in_flight) = self.attempts.values().find(unsettled) {
                return Err(Refusal::Unsettled(in_flight.order.out_trade_no.clone()));
            }
        }
        Ok(())
    }

    /// Lines that do not come to the amount are not what is sold for it.
    fn sale(&mut self, sale: SaleRef, note: String, sold: Arc<Sold>) -> SaleEntry {
        let is_whole = matches!(sale, SaleRef::Again(..)) || sold.due == sale.amount();
        let fits = sold.is_bare() || (is_whole && sold.is_consistent());
        let sold = if fits { sold } else { Arc::default() };
        let entry = match sale {
            SaleRef::New(due) => {
                self.last_sale += 1;
                SaleEntry { id: self.last_sale, new: Some(note), due, sold }
            }
            SaleRef::Again(id, due) => SaleEntry { id, new: None, due, sold },
        };
        let is_open = |sale| self.attempts.values().any(|in_flight| in_flight.sale == sale);
        self.sales.begin(entry.id, entry.due, is_open);
        entry
    }

    fn next_attempt(&mut self, draw: Draw, wall: Timestamp) -> (i64, OutTradeNo) {
        self.last_attempt += 1;
        let attempt = self.last_attempt;
        let counter = u64::try_from(attempt).unwrap_or(0);
        let OrderTemplate { till, time_zone, .. } = &self.template;
        (attempt, OutTradeNo::new(till, wall, time_zone, counter, draw.number()))
    }

    fn order(&self, number: &OutTradeNo, amount: Money, client_ip: String, draw: Draw) -> Order {
        Order {
            out_trade_no: number.clone(),
            amount,
            currency: self.template.currency,
            merchant: self.template.merchant.clone(),
            body: self.template.body.clone(),
            device_info: self.template.device_info.clone(),
            client_ip,
            mark: draw.mark(),
        }
    }

    fn resume(
        &mut self,
        stored: StoredAttempt,
        now: Uptime,
        wall: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        // Within one boot the time line continues, once an entry after the first has recorded when
        // the request left. Otherwise only the last recorded age is certain: too young an age means
        // a longer wait before a reversal.
        let known = stored.age > Millis(0) && stored.sent_at <= now;
        let same_boot = self.boot != 0 && stored.boot == self.boot && known;
        let sent_at = if same_boot { stored.sent_at } else { now.before(stored.age) };
        let by_wall =
            wall.0.checked_sub(stored.created_at.0).and_then(|age| u64::try_from(age).ok());
        let oldest = match by_wall {
            _ if same_boot => now.since(sent_at),
            Some(age) => Millis(age).max(stored.age),
            // The clock was set back: the attempt may be of any age.
            None => Millis(u64::MAX),
        };
        // The key belongs to the mch_id; with it, an order is asked about by its own ids.
        let foreign = stored.order.merchant.mch_id != self.template.merchant.mch_id;
        let in_flight = InFlight {
            sale: stored.sale,
            sold: stored.sold,
            order: stored.order,
            code: None,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
            sent_at,
            has_left: true,
            state: stored.state,
            writing: None,
            waiting: VecDeque::new(),
            from_the_past: true,
            slept_over: false,
            foreign,
        };
        let event = if foreign { Event::MerchantChanged } else { Event::Restarted { oldest } };
        let in_flight = InFlight { waiting: [(event, Vec::new(), None)].into(), ..in_flight };
        self.attempts.insert(stored.id, in_flight);
        self.advance(stored.id, now, wall, effects);
    }

    /// Takes the next waiting event, unless the attempt is being written.
    fn advance(&mut self, attempt: i64, now: Uptime, wall: Timestamp, effects: &mut Vec<Effect>) {
        let Some(in_flight) = self.attempts.get_mut(&attempt) else { return };
        while in_flight.writing.is_none()
            && let Some((event, wire, by)) = in_flight.waiting.pop_front()
        {
            let age = now.since(in_flight.sent_at);
            let mut state = in_flight.state.clone();
            let call = state.step(&event, age, &self.rules);
            if state == in_flight.state && !event.is_evidence() {
                // It is open all the same, and people must hear of it at every start.
                if event == Event::MerchantChanged {
                    effects.push(in_flight.report(event, Some(&state), true));
                }
                continue;
            }
            // Without a journal the till stops acting, but still reports the answers that come in.
            if self.stopped && !matches!(event, Event::Answered(..)) {
                continue;
            }
            if self.stopped {
                let before = std::mem::replace(&mut in_flight.state, state);
                effects.push(in_flight.report(event, Some(&before), false));
                continue;
            }
            let entry = Entry {
                attempt,
                at: wall,
                // Nothing about its age is certain until it has left.
                age: if in_flight.has_left { age } else { Millis(0) },
                sent_at: in_flight.sent_at,
                boot: self.boot,
                event: event.clone(),
                by,
                state: state.clone(),
                wire,
                begin: None,
            };
            in_flight.writing = Some(Writing { event, state, at: wall, call });
            effects.push(Effect::Write(Box::new(entry)));
        }
        if in_flight.writing.is_none()
            && !in_flight.state.is_open()
            && !in_flight.state.is_to_be_rechecked()
        {
            self.attempts.remove(&attempt);
        }
    }

    /// After a suspension the first call of each attempt waits for its turn, as at a start.
    fn note_wakeup(&mut self, now: Uptime) {
        if now.since(self.awake_at) >= SLEPT {
            self.attempts.values_mut().for_each(|in_flight| in_flight.slept_over = true);
        }
        self.awake_at = self.awake_at.max(now);
    }

    fn dispatch(&mut self, attempt: i64, call: Call, now: Uptime, effects: &mut Vec<Effect>) {
        // A query still waiting for its turn gives way to the next call.
        let turn = Turn::Attempt(attempt, call);
        if self.pacer.replace(turn) {
            return;
        }
        let Some(in_flight) = self.attempts.get_mut(&attempt) else { return };
        let in_turn = call.kind != CallKind::Submit
            && (std::mem::take(&mut in_flight.slept_over) || in_flight.from_the_past);
        if !in_turn || self.pacer.may_go(turn, now) {
            self.send(attempt, call, effects);
        }
    }

    fn send(&self, attempt: i64, call: Call, effects: &mut Vec<Effect>) {
        let Some(in_flight) = self.attempts.get(&attempt).filter(|_| !self.stopped) else { return };
        let code = in_flight.code.clone().filter(|_| call == Call::SUBMISSION);
        let may_wait =
            matches!(in_flight.state.status(), Status::Sent | Status::Waiting | Status::Checking);
        let order = Box::new(in_flight.order.clone());
        effects.push(Effect::Call { attempt, order, call, code, may_wait });
    }
}
