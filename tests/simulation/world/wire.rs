//! The network between till and bank: it loses, holds back, duplicates, delays, alters and cuts
//! off.

use paytill::gateway::Ask;
use paytill::order::{AuthCode, Order};
use paytill::payment::{Answer, Call, CallKind, Event, TillCause};
use paytill_host::transport::TransportFailure;

use super::line::{Said, Sent};
use super::office::Asker;
use super::{Awaited, Due, REQUEST_TIMEOUT, World};
use crate::invariants::Invariant;
use crate::plan::{HEALED, HELD_AT_MOST};

impl World {
    pub(super) fn send(
        &mut self,
        attempt: i64,
        order: Order,
        (made, may_wait): (Call, bool),
        code: Option<AuthCode>,
    ) {
        let number = order.out_trade_no.to_string();
        let Some(till) = &self.till else { return };
        let is_of_the_past = till.past.contains(&attempt);
        let is_stopped = till.disk_failed;
        let Some(ask) = Ask::of(made.kind, &order, code.as_ref()) else {
            let what = format!("{number}: a submission without its code");
            return self.auditor.broken(Invariant::OneSubmission, what);
        };
        let stamp = self.stamp();
        let codec = &self.line.codec;
        let outgoing =
            if may_wait { codec.encode_waiting(ask, &stamp) } else { codec.encode(ask, &stamp) };
        let sent = Sent::of(&number, &outgoing);
        self.counts.calls += 1;
        self.auditor.sent(&order, made, &sent.body, is_of_the_past);
        if is_stopped {
            let what = format!("{number}: a call without a journal");
            self.auditor.broken(Invariant::IntentBeforeWire, what);
        }
        self.tell(|| format!("{number} -> {}", made.kind.word()));
        let (process, call) = (self.process, (attempt, made.number));
        let sale = self.sale_of.get(&number).copied().unwrap_or_default();
        let nth = self.sales.get(&sale).map_or(0, |sale| sale.attempts);
        let key = (sale as u64 * 100 + nth) * 1_000 + u64::from(made.number);
        let mut rng = self.plan.chance("call", key);
        self.awaited.insert(call, Awaited { order, call: made, code, key, stamp });
        let is_hopeless = made.kind.ends_an_order() && self.climate.no_reversals > 0;
        if self.roll(&mut rng, self.climate.no_connection) || self.is_cut_off() || is_hopeless {
            self.counts.faults += 1;
            let at = self.now + rng.u64(1..3_000);
            return self.plan_at(at, Due::NotSent { process, call });
        }
        self.plan_at(self.now + REQUEST_TIMEOUT, Due::Answered { process, call, reply: None });
        if made.kind == CallKind::Submit {
            // One host may be down, and the other slow.
            let dials = if rng.bool() && !self.is_healed() { rng.u64(..6_000) } else { 0 };
            return self.plan_at(self.now + dials, Due::Leaves { process, call, sent });
        }
        let is_twofold = self.roll(&mut rng, self.climate.twofold_requests);
        let is_lost = self.roll(&mut rng, self.climate.lost_requests);
        let is_held = self.roll(&mut rng, self.climate.held_requests);
        let kind = u8::from(made.kind == CallKind::Reverse) + 1;
        let late = (self.now + rng.u64(1..HELD_AT_MOST)).min(HEALED.max(self.now));
        let soon = self.now + self.delay(&mut rng);
        self.counts.faults += u64::from(is_twofold || is_lost || is_held);
        if is_twofold {
            let sent = sent.clone();
            self.plan_at(late, Due::Arrives { process, call, kind, sent });
        }
        if !is_lost {
            let at = if is_held { late } else { soon };
            self.plan_at(at, Due::Arrives { process, call, kind, sent });
        }
    }

    pub(super) fn leaves(&mut self, call: (i64, u32), sent: &Sent) {
        let Some(awaited) = self.awaited.get(&call) else { return };
        let number = awaited.order.out_trade_no.to_string();
        let mut rng = self.plan.chance("leaves", awaited.key);
        let now = self.uptime();
        if let Some(till) = &mut self.till {
            till.engine.mark_sent(call.0, now);
        }
        let mut arrivals = Vec::new();
        let is_held = self.roll(&mut rng, self.climate.held_requests);
        let is_lost = self.roll(&mut rng, self.climate.lost_requests) || self.is_cut_off();
        if is_held {
            arrivals.push((self.now + rng.u64(40_000..HELD_AT_MOST)).min(HEALED));
        } else if !is_lost {
            arrivals.push(self.now + self.delay(&mut rng));
        }
        if self.roll(&mut rng, self.climate.twofold_requests) {
            arrivals.push((self.now + rng.u64(1..HELD_AT_MOST)).min(HEALED));
        }
        self.counts.faults += u64::from(is_lost || arrivals.len() != 1 || is_held);
        let is_late = arrivals.iter().any(|at| *at > self.now + REQUEST_TIMEOUT);
        self.tell(|| format!("{number} leaves, and arrives at {arrivals:?}"));
        let count = u32::try_from(arrivals.len()).unwrap_or(0);
        if self.office.is_some() {
            self.auditor.left_for_backend(&number, count);
        } else {
            self.auditor.left(&number, count, is_late);
        }
        let process = self.process;
        for at in arrivals {
            let sent = sent.clone();
            self.plan_at(at, Due::Arrives { process, call, kind: 0, sent });
        }
        if self.roll(&mut rng, self.climate.death_at_the_wire) {
            let at = self.now + rng.u64(..500);
            self.plan_at(at, if rng.bool() { Due::Kill } else { Due::PowerCut });
        }
    }

    pub(super) fn arrives(&mut self, process: u32, call: (i64, u32), kind: u8, sent: Sent) {
        if self.office.is_some() {
            return self.reaches_the_backend(Asker::Payment { process, call }, sent);
        }
        // What becomes of other orders their codes say.
        self.bank.set_scenario(self.fate_of(&sent.number));
        let (after, said) = self.bank_takes(&sent);
        self.bank.set_scenario(None);
        let Sent { number, body, .. } = sent;
        if kind == 0 {
            self.auditor.arrived(&number, &body);
        }
        let mut rng = self.plan.chance("answer", self.planned);
        let Some(said) = self.comes_back(number, said, &mut rng) else { return };
        let at = self.now + after.0 + self.delay(&mut rng);
        self.plan_at(at, Due::Answered { process, call, reply: Some(said) });
    }

    /// What the network makes of an answer.
    pub(super) fn comes_back(
        &mut self,
        number: String,
        said: Option<Said>,
        rng: &mut fastrand::Rng,
    ) -> Option<Said> {
        let Some(mut said) = said else {
            self.counts.faults += 1;
            return None;
        };
        if self.roll(rng, self.climate.lost_answers) || self.is_cut_off() {
            self.counts.faults += 1;
            return None;
        }
        if self.roll(rng, self.climate.altered_answers) {
            self.counts.faults += 1;
            self.alter(&number, &mut said, rng);
        }
        self.answers.insert(number, said.clone());
        Some(said)
    }

    pub(super) fn answered(&mut self, call: (i64, u32), reply: Option<Said>) {
        let Some(Awaited { order, call: made, code, stamp, .. }) = self.awaited.remove(&call)
        else {
            return;
        };
        let wall = self.wall();
        self.auditor.answered(&order, made.kind, reply.as_ref(), (wall, &stamp.nonce));
        let (answer, record) = match reply {
            None => {
                let lost = TransportFailure::lost(TillCause::NoAnswer).into();
                (Answer::inconclusive(made.kind, lost), Vec::new())
            }
            Some(said) => {
                let Some(ask) = Ask::of(made.kind, &order, code.as_ref()) else { return };
                let decoded = self.line.codec.decode(ask, &self.received(said, &stamp), wall);
                (decoded.answer, decoded.record)
            }
        };
        self.looks_for_a_certificate();
        self.answers_a_question(call.0, &answer);
        self.event(call.0, Event::Answered(made.number, answer), record);
    }

    pub(super) fn not_sent(&mut self, call: (i64, u32)) {
        let Some(Awaited { order, call: made, .. }) = self.awaited.remove(&call) else { return };
        self.auditor.not_sent(order.out_trade_no.as_str(), made.kind);
        let never = TransportFailure::not_sent(TillCause::NoConnection).into();
        let answer = Answer::inconclusive(made.kind, never);
        self.answers_a_question(call.0, &answer);
        self.event(call.0, Event::Answered(made.number, answer), Vec::new());
    }

    pub(super) fn event(&mut self, attempt: i64, event: Event, record: Vec<(String, String)>) {
        let (now, wall) = (self.uptime(), self.wall());
        if let Some(till) = &mut self.till {
            let effects = till.engine.handle_event(attempt, event, record, now, wall);
            self.perform(effects);
        }
    }
}
