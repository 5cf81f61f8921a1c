//! The refunds with work left. The order of effects is the attempts': written, then shown and sent;
//! and one write that fails stops them all.

use std::collections::VecDeque;

use super::pacer::Turn;
use super::{
    By, Effect, Engine, RefundBegin, RefundEntry, RefundRecord, RefundReport, RefundStart,
    StoredRefund, Subject,
};
use crate::clock::{Millis, Timestamp, Uptime};
use crate::gateway::RefundAsk;
use crate::payment::Rules;
use crate::refund::{
    EarlierRefund, OutRefundNo, Refund, RefundCall, RefundCallKind, RefundEvent, RefundLimits,
    RefundRefusal, RefundState,
};

/// One refund with work left.
pub(super) struct RefundInFlight {
    attempt: i64,
    refund: Refund,
    created_at: Timestamp,
    updated_at: Timestamp,
    begun_at: Uptime,
    state: RefundState,
    /// Being written: no further event is taken until the write is done.
    writing: Option<RefundWriting>,
    waiting: VecDeque<Waiting>,
    /// Of another merchant: reported, but nothing is asked about it.
    is_foreign: bool,
}

/// What happened, the fields that came with it, and who did it.
type Waiting = (RefundEvent, Vec<(String, String)>, Option<By>);

struct RefundWriting {
    event: RefundEvent,
    state: RefundState,
    at: Timestamp,
    call: Option<RefundCall>,
}

impl RefundInFlight {
    pub(super) fn wake_at(&self, rules: &Rules) -> Option<Uptime> {
        let is_idle = self.writing.is_none() && !self.is_foreign;
        self.state.wake_at(rules).filter(|_| is_idle).map(|at| self.begun_at.after(at))
    }

    #[cfg(test)]
    pub(super) fn awaits(&self) -> bool {
        self.newest().awaited().is_some()
    }

    /// Where it is, or is about to be.
    fn newest(&self) -> &RefundState {
        self.writing.as_ref().map_or(&self.state, |writing| &writing.state)
    }

    fn is_over(&self) -> bool {
        self.writing.is_none() && !self.state.is_open() && !self.state.is_to_be_rechecked()
    }

    fn record(&self, recorded: bool) -> RefundRecord {
        RefundRecord {
            out_refund_no: self.refund.out_refund_no.clone(),
            out_trade_no: self.refund.order.out_trade_no.clone(),
            attempt: self.attempt,
            amount: self.refund.amount,
            currency: self.refund.order.currency,
            reason: self.refund.reason.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
            state: self.state.clone(),
            recorded,
        }
    }

    fn report(&self, event: RefundEvent, before: Option<&RefundState>, recorded: bool) -> Effect {
        let before = before.map(RefundState::status);
        Effect::ReportRefund(Box::new(RefundReport {
            refund: self.record(recorded),
            event,
            before,
        }))
    }
}

impl Engine {
    /// Begins a refund if the rules allow it: assigns its number, and has the intent written before
    /// anything is sent. One of cash is done with that, and the drawer opened only then.
    pub fn begin_refund(
        &mut self,
        start: RefundStart,
        now: Uptime,
        wall: Timestamp,
    ) -> Result<(OutRefundNo, Vec<Effect>), RefundRefusal> {
        let RefundStart { attempt, sale, order, payment, earlier, amount, reason, by, draw } =
            start;
        self.note_wakeup(now);
        if self.stopped {
            return Err(RefundRefusal::Stopped);
        }
        let earlier = self.with_those_in_flight(attempt, earlier);
        let limits = RefundLimits {
            order: &order,
            payment: &payment,
            earlier: &earlier,
            merchant: &self.template.merchant,
            now: wall,
            rules: &self.rules,
        };
        let (amount, state, call) = if payment.cash().is_some() {
            self.may_refund_cash(sale)?;
            (limits.cash(amount)?, RefundState::given_in_cash(), None)
        } else {
            let plan = limits.plan(amount)?;
            let amount = plan.amount;
            (amount, RefundState::begin(plan, draw.jitter()), Some(RefundState::FIRST))
        };
        let approved_by = by.as_ref().map(By::approver).unwrap_or_default();
        let refund = limits.refund(amount, (reason, approved_by), draw.number());
        let ask = RefundAsk { kind: RefundCallKind::Refund, refund: &refund };
        let wire = call.map(|_| self.gateway.record_refund(ask)).unwrap_or_default();
        self.last_refund += 1;
        let id = self.last_refund;
        let number = refund.out_refund_no.clone();
        let entry = RefundEntry {
            refund: id,
            attempt,
            at: wall,
            age: Millis(0),
            begun_at: now,
            boot: self.boot,
            event: RefundEvent::Begun,
            by,
            state: state.clone(),
            wire,
            begin: Some(Box::new(RefundBegin {
                refund: refund.clone(),
                day: wall.day(&self.template.time_zone),
            })),
        };
        let in_flight = RefundInFlight {
            attempt,
            refund,
            created_at: wall,
            updated_at: wall,
            begun_at: now,
            state: state.clone(),
            writing: Some(RefundWriting { event: RefundEvent::Begun, state, at: wall, call }),
            waiting: VecDeque::new(),
            is_foreign: false,
        };
        self.refunds.insert(id, in_flight);
        Ok((number, vec![Effect::WriteRefund(Box::new(entry))]))
    }

    /// What is in memory is newer than what was read from the journal.
    fn with_those_in_flight(
        &self,
        attempt: i64,
        mut earlier: Vec<EarlierRefund>,
    ) -> Vec<EarlierRefund> {
        for in_flight in self.refunds.values().filter(|in_flight| in_flight.attempt == attempt) {
            let newest = EarlierRefund {
                number: in_flight.refund.out_refund_no.clone(),
                amount: in_flight.refund.amount,
                state: in_flight.newest().clone(),
                begun_at: in_flight.created_at,
            };
            match earlier.iter_mut().find(|known| known.number == newest.number) {
                Some(known) => *known = newest,
                None => earlier.push(newest),
            }
        }
        earlier
    }

    /// Handles what happened to a refund; `wire` holds the fields that came with it.
    pub fn handle_refund_event(
        &mut self,
        refund: i64,
        event: RefundEvent,
        wire: Vec<(String, String)>,
        now: Uptime,
        wall: Timestamp,
    ) -> Vec<Effect> {
        self.take_of_refund(refund, (event, wire, None), now, wall)
    }

    fn take_of_refund(
        &mut self,
        refund: i64,
        waiting: Waiting,
        now: Uptime,
        wall: Timestamp,
    ) -> Vec<Effect> {
        self.note_wakeup(now);
        let mut effects = Vec::new();
        let is_settled = matches!(waiting.0, RefundEvent::Settled(_));
        if let Some(in_flight) =
            self.refunds.get_mut(&refund).filter(|in_flight| !in_flight.is_foreign || is_settled)
        {
            in_flight.waiting.push_back(waiting);
            self.advance_refund(refund, now, wall, &mut effects);
        }
        effects
    }

    /// A person has settled a refund that needs one, and says how.
    pub fn settle_refund(
        &mut self,
        number: &OutRefundNo,
        how: String,
        by: Option<By>,
        now: Uptime,
        wall: Timestamp,
    ) -> Vec<Effect> {
        let mut refunds = self.refunds.iter();
        let found = refunds.find(|(_, in_flight)| in_flight.refund.out_refund_no == *number);
        match found.map(|(id, _)| *id) {
            Some(id) => {
                self.take_of_refund(id, (RefundEvent::Settled(how), Vec::new(), by), now, wall)
            }
            None => Vec::new(),
        }
    }

    /// A person wants the gateway asked now about the refunds of an order.
    pub fn check_refunds_of(
        &mut self,
        attempt: i64,
        by: Option<&By>,
        now: Uptime,
        wall: Timestamp,
    ) -> Vec<Effect> {
        let of = self.refunds.iter().filter(|(_, in_flight)| in_flight.attempt == attempt);
        let ids: Vec<i64> = of.map(|(id, _)| *id).collect();
        let check = |id| {
            let waiting = (RefundEvent::CheckNow, Vec::new(), by.cloned());
            self.take_of_refund(id, waiting, now, wall)
        };
        ids.into_iter().flat_map(check).collect()
    }

    /// An entry of a refund is on disk, or failed to get there: as [`Engine::written`].
    pub fn refund_written(
        &mut self,
        refund: i64,
        on_disk: bool,
        now: Uptime,
        wall: Timestamp,
    ) -> Vec<Effect> {
        self.note_wakeup(now);
        let mut effects = Vec::new();
        if !on_disk {
            self.stop(Subject::Refund(refund), &mut effects);
        }
        let Some(in_flight) = self.refunds.get_mut(&refund) else { return effects };
        let Some(writing) = in_flight.writing.take() else { return effects };
        let is_first = writing.event == RefundEvent::Begun;
        if !on_disk && is_first {
            // Nothing was sent, so there is nothing to report.
            self.refunds.remove(&refund);
            return effects;
        }
        let before = std::mem::replace(&mut in_flight.state, writing.state);
        in_flight.updated_at = writing.at;
        effects.push(in_flight.report(writing.event, (!is_first).then_some(&before), on_disk));
        if let Some(call) = writing.call.filter(|_| on_disk) {
            self.dispatch_refund(refund, call, now, &mut effects);
        }
        self.advance_refund(refund, now, wall, &mut effects);
        effects
    }

    /// The refunds with work left, oldest first.
    pub fn open_refunds(&self) -> impl Iterator<Item = RefundRecord> {
        let open = self.refunds.values().filter(|in_flight| !in_flight.is_over());
        open.map(|in_flight| in_flight.record(true))
    }

    /// Whether what becomes of a refund is not known, or a person must look after it.
    pub fn is_refund_unclear(&self) -> bool {
        let is_clear = |in_flight: &RefundInFlight| {
            let state = &in_flight.state;
            in_flight.writing.is_none() && (!state.is_open() || state.is_given())
        };
        !self.refunds.values().all(is_clear)
    }

    /// Whether something about a refund is to come within a moment: longer where nobody knows what
    /// becomes of it than where the gateway has it and only time is needed.
    pub fn is_refund_busy(&self, now: Uptime) -> bool {
        let is_busy = |in_flight: &RefundInFlight| {
            let moment = match (in_flight.state.is_open(), in_flight.state.is_unclear()) {
                (true, true) => self.rules.give_up_after,
                (true, false) => self.rules.query_interval.times(2),
                (false, _) => Millis(0),
            };
            let is_due = in_flight.wake_at(&self.rules).is_some_and(|at| at <= now.after(moment));
            let is_awaited = in_flight.state.awaited().is_some() && !in_flight.is_foreign;
            in_flight.writing.is_some() || is_awaited || is_due
        };
        !self.stopped && self.refunds.values().any(is_busy)
    }

    pub(super) fn resume_refund(
        &mut self,
        stored: StoredRefund,
        now: Uptime,
        wall: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let same_boot = self.boot != 0 && stored.boot == self.boot && stored.begun_at <= now;
        let begun_at = if same_boot { stored.begun_at } else { now.before(stored.age) };
        let by_wall =
            wall.0.checked_sub(stored.created_at.0).and_then(|age| u64::try_from(age).ok());
        let oldest = match by_wall {
            _ if same_boot => now.since(begun_at),
            Some(age) => Millis(age).max(stored.age),
            // The clock was set back: it may be of any age.
            None => Millis(u64::MAX),
        };
        let is_foreign = stored.refund.order.merchant.mch_id != self.template.merchant.mch_id;
        let event = if is_foreign {
            RefundEvent::MerchantChanged
        } else {
            RefundEvent::Restarted { oldest }
        };
        let in_flight = RefundInFlight {
            attempt: stored.attempt,
            refund: stored.refund,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
            begun_at,
            state: stored.state,
            writing: None,
            waiting: [(event, Vec::new(), None)].into(),
            is_foreign,
        };
        self.refunds.insert(stored.id, in_flight);
        self.advance_refund(stored.id, now, wall, effects);
    }

    pub(super) fn tick_refunds(&mut self, now: Uptime, wall: Timestamp, effects: &mut Vec<Effect>) {
        let is_due =
            |in_flight: &RefundInFlight| in_flight.wake_at(&self.rules).is_some_and(|at| at <= now);
        let due = self.refunds.iter().filter(|(_, in_flight)| is_due(in_flight));
        let due: Vec<i64> = due.map(|(id, _)| *id).collect();
        for id in due {
            effects.extend(self.handle_refund_event(id, RefundEvent::Tick, Vec::new(), now, wall));
        }
    }

    /// Takes the next waiting event, unless the refund is being written.
    fn advance_refund(
        &mut self,
        refund: i64,
        now: Uptime,
        wall: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(in_flight) = self.refunds.get_mut(&refund) else { return };
        while in_flight.writing.is_none()
            && let Some((event, wire, by)) = in_flight.waiting.pop_front()
        {
            let age = now.since(in_flight.begun_at);
            let mut state = in_flight.state.clone();
            let call = state.step(&event, age, &self.rules);
            let is_answer = matches!(event, RefundEvent::Answered(..));
            // An answer is recorded even if it changes nothing: it is evidence.
            if state == in_flight.state && !is_answer {
                // It is open all the same, and people must hear of it at every start.
                if event == RefundEvent::MerchantChanged {
                    effects.push(in_flight.report(event, Some(&state), true));
                }
                continue;
            }
            // Without a journal the till stops acting, but still reports the answers that come in.
            if self.stopped {
                if is_answer {
                    let before = std::mem::replace(&mut in_flight.state, state);
                    effects.push(in_flight.report(event, Some(&before), false));
                }
                continue;
            }
            let entry = RefundEntry {
                refund,
                attempt: in_flight.attempt,
                at: wall,
                age,
                begun_at: in_flight.begun_at,
                boot: self.boot,
                event: event.clone(),
                by,
                state: state.clone(),
                wire,
                begin: None,
            };
            in_flight.writing = Some(RefundWriting { event, state, at: wall, call });
            effects.push(Effect::WriteRefund(Box::new(entry)));
        }
        // One in cash is remembered: no gateway would see that its order, read before this was written,
        // is given back twice.
        if in_flight.is_over() && !in_flight.state.is_cash() {
            self.refunds.remove(&refund);
        }
    }

    /// Nobody waits for a refund as for a payment: all its calls take their turns.
    fn dispatch_refund(
        &mut self,
        refund: i64,
        call: RefundCall,
        now: Uptime,
        effects: &mut Vec<Effect>,
    ) {
        let turn = Turn::Refund(refund, call);
        if !self.pacer.replace(turn) && self.pacer.may_go(turn, now) {
            self.send_refund(refund, call, effects);
        }
    }

    pub(super) fn send_refund(&self, refund: i64, call: RefundCall, effects: &mut Vec<Effect>) {
        let in_flight = self.refunds.get(&refund).filter(|_| !self.stopped);
        effects.extend(in_flight.map(|in_flight| Effect::CallRefund {
            refund,
            what: Box::new(in_flight.refund.clone()),
            call,
        }));
    }
}
