//! All attempts of a till: which event goes to which, what is written before what is sent.
//!
//! The safety of the till is the order of its effects. An event leads to a state; the state is
//! written; only when it is on disk does memory follow, is anybody told, and does a call leave. If
//! the write fails nothing leaves. There is no I/O and no clock in here.

mod record;
#[cfg(test)]
mod tests;
mod turns;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::clock::{Millis, Timestamp, Uptime};
use crate::gateway::{Ask, Gateway};
use crate::money::{Currency, Money};
use crate::order::{AuthCode, Merchant, Order, OutTradeNo, TillId};
use crate::payment::{Answer, Call, CallKind, Event, Rules, State, Status};
pub use record::{Attempt, Begin, Entry, Past, SaleEntry, StoredAttempt};
use turns::Turns;

/// While money is open, a tick is wanted so often: the deadlines of a machine that was suspended have
/// passed when it wakes, but not its timers.
const LONGEST_PAUSE: Millis = Millis::seconds(1);
/// Where nothing was heard for so long all the same, the machine was suspended.
const SLEPT: Millis = Millis::seconds(3);

/// What every order of this till has in common.
#[derive(Clone, Debug)]
pub struct Identity {
    pub till: TillId,
    pub merchant: Merchant,
    pub currency: Currency,
    pub body: String,
    pub device_info: String,
}

/// Which sale is to be charged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SaleRef {
    /// A new one of this much, with a free note.
    New(Money, String),
    /// One that was tried before, by its number in the journal, for the same amount.
    Again(i64, Money),
}

/// What an attempt is begun with.
#[derive(Debug)]
pub struct Start {
    pub sale: SaleRef,
    pub code: AuthCode,
    pub code_hash: [u8; 16],
    /// The address of this machine towards the gateway.
    pub client_ip: String,
    /// Random.
    pub draw: [u8; 2],
}

/// Why an attempt was not begun. Nothing was written and nothing was sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The journal cannot be written.
    Stopped,
    /// The sale has an earlier attempt that may still take money.
    Unsettled(OutTradeNo),
    /// The sale is paid.
    AlreadyPaid,
    /// The payment code was used for this attempt, which is still open.
    CodeInUse(OutTradeNo),
}

/// What the shell must do, in this order.
#[derive(Debug)]
pub enum Effect {
    /// Write, and call [`Engine::written`] with what became of it.
    Write(Box<Entry>),
    /// Make a call, once, and hand its end back as [`Event::Answered`].
    Call { attempt: i64, order: Box<Order>, call: Call, code: Option<AuthCode> },
    /// Tell people: this attempt moved, by this event, from that status.
    Told { attempt: Box<Attempt>, event: Box<Event>, before: Option<Status> },
}

/// The attempts with work left, and the rules between them.
pub struct Engine {
    identity: Identity,
    rules: Rules,
    gateway: Arc<dyn Gateway>,
    boot: i64,
    tracks: BTreeMap<i64, Track>,
    last_attempt: i64,
    last_sale: i64,
    codes: VecDeque<([u8; 16], OutTradeNo)>,
    /// Sales charged lately, and whether they are paid.
    sales: VecDeque<(i64, bool)>,
    /// Calls for payments of the past, or that were slept over.
    turns: Turns,
    awake_at: Uptime,
    stopped: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Track {
    sale: i64,
    order: Order,
    /// Held from the scan to the answer, and not a moment longer.
    code: Option<AuthCode>,
    created_at: Timestamp,
    updated_at: Timestamp,
    sent_at: Uptime,
    /// `sent_at` is when it left, and not only when it might have.
    has_left: bool,
    state: State,
    /// Out at the disk: takes no further event until it is back.
    writing: Option<Writing>,
    waiting: VecDeque<(Event, Vec<(String, String)>)>,
    from_the_past: bool,
    /// Its next call waits for its turn.
    slept_over: bool,
    /// Made for another merchant: told, but never touched.
    foreign: bool,
}

struct Writing {
    event: Event,
    state: State,
    at: Timestamp,
    call: Option<Call>,
}

impl Engine {
    /// A till that goes on from its past. Every open attempt is asked about, the newest first: its
    /// customer may stand there. Attempts of another merchant cannot be, and are only told.
    pub fn new(
        identity: Identity,
        rules: Rules,
        gateway: Arc<dyn Gateway>,
        boot: i64,
        past: Past,
        now: Uptime,
        wall: Timestamp,
    ) -> (Self, Vec<Effect>) {
        let mut engine = Self {
            identity,
            rules,
            gateway,
            boot,
            tracks: BTreeMap::new(),
            last_attempt: past.last_attempt,
            last_sale: past.last_sale,
            codes: past.codes.into(),
            sales: past.paid_sales.into_iter().map(|sale| (sale, true)).collect(),
            turns: Turns::new(now),
            awake_at: now,
            stopped: false,
        };
        let mut effects = Vec::new();
        for stored in past.open.into_iter().rev() {
            engine.resume(stored, now, wall, &mut effects);
        }
        (engine, effects)
    }

    /// Begins an attempt: gives it a number, and has its intent written before anything is sent.
    pub fn begin(
        &mut self,
        start: Start,
        now: Uptime,
        wall: Timestamp,
    ) -> Result<(OutTradeNo, Vec<Effect>), Refusal> {
        let Start { sale, code, code_hash, client_ip, draw } = start;
        self.be_awake(now);
        self.may_begin(&sale, &code_hash)?;
        let (sale, amount) = self.sale(sale);
        self.last_attempt += 1;
        let attempt = self.last_attempt;
        let counter = u64::try_from(attempt).unwrap_or(0);
        let out_trade_no = OutTradeNo::new(&self.identity.till, wall, counter, draw[0]);
        let order = Order {
            out_trade_no: out_trade_no.clone(),
            amount,
            currency: self.identity.currency,
            merchant: self.identity.merchant.clone(),
            body: self.identity.body.clone(),
            device_info: self.identity.device_info.clone(),
            client_ip,
        };
        let (state, call) = State::begin(&self.rules, draw[1]);
        let entry = Entry {
            attempt,
            at: wall,
            age: Millis(0),
            sent_at: now,
            boot: self.boot,
            event: Event::Begun,
            state: state.clone(),
            wire: self.gateway.record(Ask::Submit(&order, &code)),
            begin: Some(Box::new(Begin {
                sale: sale.clone(),
                order: order.clone(),
                code_hash: Some(code_hash),
            })),
        };
        self.codes.push_back((code_hash, out_trade_no.clone()));
        if self.codes.len() > Past::CODES_REMEMBERED as usize {
            self.codes.pop_front();
        }
        self.remember_sale(sale.id, false);
        let track = Track {
            sale: sale.id,
            order,
            code: Some(code),
            created_at: wall,
            updated_at: wall,
            sent_at: now,
            has_left: false,
            state: state.clone(),
            writing: Some(Writing { event: Event::Begun, state, at: wall, call: Some(call) }),
            waiting: VecDeque::new(),
            from_the_past: false,
            slept_over: false,
            foreign: false,
        };
        self.tracks.insert(attempt, track);
        Ok((out_trade_no, vec![Effect::Write(Box::new(entry))]))
    }

    /// Something happened to an attempt; `wire` is what came over it.
    pub fn happen(
        &mut self,
        attempt: i64,
        event: Event,
        wire: Vec<(String, String)>,
        now: Uptime,
        wall: Timestamp,
    ) -> Vec<Effect> {
        self.be_awake(now);
        let mut effects = Vec::new();
        if let Some(track) = self.tracks.get_mut(&attempt).filter(|track| !track.foreign) {
            if let Event::Answered(Call { number: 0, .. }, _) = event {
                track.code = None;
                // Nothing more will leave.
                track.has_left = true;
            }
            track.waiting.push_back((event, wire));
            self.advance(attempt, now, wall, &mut effects);
        }
        effects
    }

    /// As [`Engine::happen`], by the order's number.
    pub fn happen_to(
        &mut self,
        out_trade_no: &OutTradeNo,
        event: Event,
        now: Uptime,
        wall: Timestamp,
    ) -> Vec<Effect> {
        let found = self.tracks.iter().find(|(_, track)| track.order.out_trade_no == *out_trade_no);
        match found.map(|(attempt, _)| *attempt) {
            Some(attempt) => self.happen(attempt, event, Vec::new(), now, wall),
            None => Vec::new(),
        }
    }

    /// The submission's first byte leaves now: a connection had to be made before it. All times of
    /// the payment count from here.
    pub fn left(&mut self, attempt: i64, now: Uptime) {
        if let Some(track) = self.tracks.get_mut(&attempt).filter(|track| !track.from_the_past) {
            track.sent_at = track.sent_at.max(now);
            track.has_left = true;
        }
    }

    /// An entry is on disk, or is not. After one failure nothing more is written or sent.
    pub fn written(
        &mut self,
        attempt: i64,
        on_disk: bool,
        now: Uptime,
        wall: Timestamp,
    ) -> Vec<Effect> {
        self.be_awake(now);
        let mut effects = Vec::new();
        if !on_disk && !std::mem::replace(&mut self.stopped, true) {
            // Nothing goes on with the others either.
            let others = |(id, track): &(&i64, &Track)| {
                **id != attempt
                    && !track.foreign
                    && track.writing.is_none()
                    && track.state.is_open()
            };
            effects.extend(
                self.tracks
                    .iter()
                    .filter(others)
                    .map(|(_, track)| track.told(Event::Tick, Some(track.state.status()), false)),
            );
        }
        let Some(track) = self.tracks.get_mut(&attempt) else { return effects };
        let Some(writing) = track.writing.take() else { return effects };
        let before = (writing.event != Event::Begun).then(|| track.state.status());
        // What was never sent is not told either: for all anybody knows it did not happen.
        if !on_disk && writing.event == Event::Begun {
            self.tracks.remove(&attempt);
            return effects;
        }
        if writing.event == Event::Begun {
            // It leaves now, and not when it was handed to the disk.
            track.sent_at = now;
        }
        // The customer may show that code again.
        let never_left = matches!(
            &writing.event,
            Event::Answered(Call { kind: CallKind::Submit, .. }, Answer::NotSent(_))
        );
        let out_trade_no = track.order.out_trade_no.clone();
        track.state = writing.state;
        track.updated_at = writing.at;
        effects.push(track.told(writing.event, before, on_disk));
        let (sale, status) = (track.sale, track.state.status());
        if let Some(call) = writing.call.filter(|_| on_disk) {
            self.dispatch(attempt, call, now, &mut effects);
        }
        if status == Status::Paid {
            self.remember_sale(sale, true);
        }
        if never_left {
            self.codes.retain(|(_, by)| *by != out_trade_no);
        }
        self.advance(attempt, now, wall, &mut effects);
        effects
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Uptime, wall: Timestamp) -> Vec<Effect> {
        self.be_awake(now);
        let mut effects = Vec::new();
        if self.stopped {
            return effects;
        }
        let due: Vec<i64> = self
            .tracks
            .iter()
            .rev()
            .filter(|(_, track)| track.wake_at(&self.rules).is_some_and(|at| at <= now))
            .map(|(attempt, _)| *attempt)
            .collect();
        for attempt in due {
            effects.extend(self.happen(attempt, Event::Tick, Vec::new(), now, wall));
        }
        while let Some((attempt, call)) = self.turns.next(now) {
            self.send(attempt, call, &mut effects);
        }
        effects
    }

    /// When [`Engine::tick`] is wanted next.
    pub fn wake_at(&self) -> Option<Uptime> {
        if self.stopped {
            return None;
        }
        let attempts = self.tracks.values().filter_map(|track| track.wake_at(&self.rules));
        let awake = self.busy().next().map(|_| self.awake_at.after(LONGEST_PAUSE));
        attempts.chain(self.turns.wake_at()).chain(awake).min()
    }

    /// The attempt for which a payment code was used before, by the code's hash.
    pub fn code_used_by(&self, code_hash: &[u8; 16]) -> Option<&OutTradeNo> {
        self.codes.iter().rev().find(|(hash, _)| hash == code_hash).map(|(_, by)| by)
    }

    /// Whether any attempt is open.
    pub fn is_open(&self) -> bool {
        self.tracks.values().any(|track| track.state.is_open() || track.writing.is_some())
    }

    /// The open attempts that this till can do something about.
    pub fn busy(&self) -> impl Iterator<Item = &OutTradeNo> {
        let busy = |track: &&Track| {
            !self.stopped && !track.foreign && (track.writing.is_some() || track.state.is_open())
        };
        self.tracks.values().filter(busy).map(|track| &track.order.out_trade_no)
    }

    fn may_begin(&self, sale: &SaleRef, code_hash: &[u8; 16]) -> Result<(), Refusal> {
        if self.stopped {
            return Err(Refusal::Stopped);
        }
        if let SaleRef::Again(sale, _) = sale {
            if self.sales.contains(&(*sale, true)) {
                return Err(Refusal::AlreadyPaid);
            }
            let unsettled = |track: &&Track| {
                let over = |state: &State| {
                    state.is_put_aside()
                        || matches!(state.status(), Status::Declined | Status::Reversed)
                };
                // What is at the disk is written before anything that is handed to it later.
                let state = track.writing.as_ref().map_or(&track.state, |writing| &writing.state);
                track.sale == *sale && !over(state)
            };
            if let Some(track) = self.tracks.values().find(unsettled) {
                return Err(Refusal::Unsettled(track.order.out_trade_no.clone()));
            }
        }
        let Some(by) = self.code_used_by(code_hash) else { return Ok(()) };
        let open = |track: &Track| track.order.out_trade_no == *by && !track.state.is_settled();
        if self.tracks.values().any(open) {
            return Err(Refusal::CodeInUse(by.clone()));
        }
        Ok(())
    }

    fn sale(&mut self, sale: SaleRef) -> (SaleEntry, Money) {
        match sale {
            SaleRef::New(due, note) => {
                self.last_sale += 1;
                (SaleEntry { id: self.last_sale, new: Some(note), due }, due)
            }
            SaleRef::Again(id, due) => (SaleEntry { id, new: None, due }, due),
        }
    }

    fn remember_sale(&mut self, sale: i64, paid: bool) {
        self.sales.retain(|(known, _)| *known != sale);
        self.sales.push_back((sale, paid));
        if self.sales.len() > Past::SALES_REMEMBERED as usize {
            self.sales.pop_front();
        }
    }

    fn resume(
        &mut self,
        stored: StoredAttempt,
        now: Uptime,
        wall: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        // Within one boot the time line goes on, once an entry after the first has said when the
        // request left. Otherwise what is certain is the age that was written down last: too young
        // means waiting longer before a reversal.
        let known = stored.age > Millis(0) && stored.sent_at <= now;
        let same_boot = self.boot != 0 && stored.boot == self.boot && known;
        let sent_at = if same_boot { stored.sent_at } else { now.before(stored.age) };
        let by_wall =
            wall.0.checked_sub(stored.created_at.0).and_then(|age| u64::try_from(age).ok());
        let oldest = match by_wall {
            _ if same_boot => now.since(sent_at),
            Some(age) => Millis(age).max(stored.age),
            // The clock went back: it may be of any age.
            None => Millis(u64::MAX),
        };
        let foreign = stored.order.merchant != self.identity.merchant;
        let track = Track {
            sale: stored.sale,
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
        let event = Event::Restarted { oldest };
        if foreign {
            let before = Some(track.state.status());
            effects.push(track.told(event.clone(), before, true));
        }
        self.tracks.insert(stored.id, track);
        effects.extend(self.happen(stored.id, event, Vec::new(), now, wall));
    }

    /// Takes the next waiting event, unless the disk has the attempt.
    fn advance(&mut self, attempt: i64, now: Uptime, wall: Timestamp, effects: &mut Vec<Effect>) {
        let Some(track) = self.tracks.get_mut(&attempt) else { return };
        while track.writing.is_none()
            && let Some((event, wire)) = track.waiting.pop_front()
        {
            let age = now.since(track.sent_at);
            let (state, call) = track.state.step(&event, age, &self.rules);
            // An answer is kept even where it changes nothing: it is evidence.
            if state == track.state && !matches!(event, Event::Answered(..)) {
                continue;
            }
            // Without a journal nothing is done any more; what still comes in is told.
            if self.stopped && !matches!(event, Event::Answered(..)) {
                continue;
            }
            if self.stopped {
                let before = Some(track.state.status());
                track.state = state;
                effects.push(track.told(event, before, false));
                continue;
            }
            let entry = Entry {
                attempt,
                at: wall,
                // Until it has left nothing is certain of its age.
                age: if track.has_left { age } else { Millis(0) },
                sent_at: track.sent_at,
                boot: self.boot,
                event: event.clone(),
                state: state.clone(),
                wire,
                begin: None,
            };
            track.writing = Some(Writing { event, state, at: wall, call });
            effects.push(Effect::Write(Box::new(entry)));
        }
        if track.writing.is_none() && !track.state.is_open() && !track.state.is_watched() {
            self.tracks.remove(&attempt);
        }
    }

    /// After a sleep, whatever is called for first for each attempt waits for its turn, as at a start.
    fn be_awake(&mut self, now: Uptime) {
        if now.since(self.awake_at) >= SLEPT {
            self.tracks.values_mut().for_each(|track| track.slept_over = true);
        }
        self.awake_at = self.awake_at.max(now);
    }

    fn dispatch(&mut self, attempt: i64, call: Call, now: Uptime, effects: &mut Vec<Effect>) {
        // A question that still waits for its turn is overtaken by the next.
        if self.turns.overtake(attempt, call) {
            return;
        }
        let Some(track) = self.tracks.get_mut(&attempt) else { return };
        let in_turn = call.kind != CallKind::Submit
            && (std::mem::take(&mut track.slept_over) || track.from_the_past);
        if !in_turn || self.turns.is_on(attempt, call, now) {
            self.send(attempt, call, effects);
        }
    }

    fn send(&self, attempt: i64, call: Call, effects: &mut Vec<Effect>) {
        let Some(track) = self.tracks.get(&attempt).filter(|_| !self.stopped) else { return };
        let code = track.code.clone().filter(|_| call.number == 0);
        effects.push(Effect::Call { attempt, order: Box::new(track.order.clone()), call, code });
    }
}

impl Track {
    fn wake_at(&self, rules: &Rules) -> Option<Uptime> {
        let wake = self.state.wake_at(rules).filter(|_| self.writing.is_none() && !self.foreign)?;
        Some(self.sent_at.after(wake))
    }

    fn told(&self, event: Event, before: Option<Status>, recorded: bool) -> Effect {
        let attempt = Attempt {
            out_trade_no: self.order.out_trade_no.clone(),
            sale: self.sale,
            amount: self.order.amount,
            currency: self.order.currency,
            created_at: self.created_at,
            updated_at: self.updated_at,
            sent_at: self.sent_at,
            state: self.state.clone(),
            recorded,
        };
        Effect::Told { attempt: Box::new(attempt), event: Box::new(event), before }
    }
}
