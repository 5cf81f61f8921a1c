//! The calls of an instance to the bank, what the network makes of them, and how their answers are written.

use paytill::gateway::{Ask, RefundAsk, Reply, Stamp};
use paytill::payment::{Answer, CallKind, Event, Inconclusive, TillCause};
use paytill::refund::{RefundAnswer, RefundEvent};
use paytill_backend::work::decide;
use paytill_backend::work::decide_refund;
use paytill_backend::work::{WRITES, pause_after};
use paytill_host::transport::TransportFailure;

use super::books::Failure;
use super::{Calling, Due, Heard, OfficeDue, REQUEST_TIMEOUT, Said, Sent, Step, What, World};
use crate::plan::{HEALED, HELD_AT_MOST};

impl What {
    fn number(&self) -> &str {
        match self {
            Self::Payment { row, .. } => row.key.out_trade_no.as_str(),
            Self::Refund { row, .. } => row.key.out_refund_no.as_str(),
        }
    }

    fn order(&self) -> &str {
        match self {
            Self::Payment { row, .. } => row.key.out_trade_no.as_str(),
            Self::Refund { row, .. } => row.key.payment.out_trade_no.as_str(),
        }
    }

    fn is_submission(&self) -> bool {
        matches!(self, Self::Payment { call, .. } if call.kind == CallKind::Submit)
    }
}

impl World {
    /// What was decided is on disk; the call is made a moment later.
    pub(super) fn office_plans_call(&mut self, who: usize, what: What) {
        let mut rng = self.office_chance("before a call");
        if self.roll(&mut rng, self.climate.backend_deaths) {
            return self.office_dies(who);
        }
        let Some(office) = &mut self.office else { return };
        let id = office.number();
        office.calls.insert(id, Calling { who, what, stamp: None, answer: None });
        // One in many is stopped just here.
        let is_stopped = self.roll(&mut rng, 5 * self.climate.backend_pauses);
        let at = self.now + rng.u64(..20);
        self.plan_step(at, who, Step::Calls(id));
        if is_stopped {
            self.office_is_stopped(who, rng.u64(500..40_000));
        }
    }

    pub(super) fn office_calls(&mut self, who: usize, id: u64) {
        let (now, wall) = (self.office_clock(who), self.banks_clock());
        let mut rng = self.office_chance("bank call");
        let name = self.office_name(who);
        let Some(office) = &mut self.office else { return };
        let Some(calling) = office.calls.get_mut(&id) else { return };
        let lease = match &calling.what {
            What::Payment { row, .. } => row.lease.as_ref(),
            What::Refund { row, .. } => row.lease.as_ref(),
        };
        let number = calling.what.number().to_owned();
        if !decide::is_in_time(lease, now, REQUEST_TIMEOUT) {
            let late = format!("  {name} is too late for {number}");
            self.tell(|| late);
            let step = Step::Answered { call: id, reply: None, is_sent: false };
            return self.plan_step(self.now, who, step);
        }
        let stamp = Stamp { time: wall, nonce: format!("{id:032}") };
        let outgoing = match &calling.what {
            What::Payment { row, call, code } => Ask::of(call.kind, &row.order, code.as_ref())
                .map(|ask| office.line.codec.encode(ask, &stamp)),
            What::Refund { refund, call, .. } => {
                let ask = RefundAsk { kind: call.kind, refund };
                Some(office.line.codec.encode_refund(ask, &stamp))
            }
        };
        calling.stamp = Some(stamp);
        let Some(outgoing) = outgoing else {
            let step = Step::Answered { call: id, reply: None, is_sent: false };
            return self.plan_step(self.now, who, step);
        };
        let sent = Sent::of(&number, &outgoing);
        if calling.what.is_submission() {
            let key = calling.what.order().to_owned();
            let row = office.payments.get(&key);
            self.auditor.backend_submits(&number, row, &sent.body);
        }
        let is_submission = calling.what.is_submission();
        self.tell(|| format!("  {name} -> bank: {number}"));
        self.office_sends(who, id, &sent, is_submission, &mut rng);
    }

    /// The network between backend and bank.
    fn office_sends(
        &mut self,
        who: usize,
        id: u64,
        sent: &Sent,
        is_submission: bool,
        rng: &mut fastrand::Rng,
    ) {
        let Some(office) = &self.office else { return };
        let life = office.instances[who].life;
        if self.roll(rng, self.climate.no_connection) || self.is_cut_off() {
            self.counts.faults += 1;
            let step = Step::Answered { call: id, reply: None, is_sent: false };
            return self.plan_step(self.now + rng.u64(1..3_000), who, step);
        }
        let step = Step::Answered { call: id, reply: None, is_sent: true };
        self.plan_step(self.now + REQUEST_TIMEOUT.0, who, step);
        let is_lost = self.roll(rng, self.climate.lost_requests);
        let is_held = self.roll(rng, self.climate.held_requests);
        let is_twofold = self.roll(rng, self.climate.twofold_requests);
        let late = (self.now + rng.u64(1..HELD_AT_MOST)).min(HEALED.max(self.now));
        let soon = self.now + self.delay(rng);
        let on_time = (!is_lost).then_some(if is_held { late } else { soon });
        let arrivals: Vec<u64> = is_twofold.then_some(late).into_iter().chain(on_time).collect();
        self.counts.faults += u64::from(is_twofold || is_lost || is_held);
        if is_submission {
            let is_late = arrivals.iter().any(|at| *at > self.now + REQUEST_TIMEOUT.0);
            let count = u32::try_from(arrivals.len()).unwrap_or(0);
            self.auditor.left_the_backend(&sent.number, count, is_late);
        }
        for at in arrivals {
            let sent = sent.clone();
            self.plan_at(
                at,
                Due::Office(OfficeDue::AtBank { who, life, call: id, is_submission, sent }),
            );
        }
        if self.roll(rng, self.climate.backend_deaths) {
            self.office_dies(who);
        }
    }

    /// A request of the backend's reaches the bank.
    pub(super) fn office_at_bank(
        &mut self,
        (who, life): (usize, u32),
        call: u64,
        is_submission: bool,
        sent: &Sent,
    ) {
        self.bank.set_scenario(self.fate_of(&sent.number));
        let (after, said) = self.bank_takes(sent);
        self.bank.set_scenario(None);
        if is_submission {
            self.auditor.arrived_at_bank(&sent.number, &sent.body);
        }
        self.bank_tells();
        let mut rng = self.office_chance("bank answer");
        let Some(said) = self.comes_back_from_bank(&sent.number, said, &mut rng) else { return };
        let at = self.now + after.0 + self.delay(&mut rng);
        let step = Step::Answered { call, reply: Some(said), is_sent: true };
        self.plan_at(at, Due::Office(OfficeDue::Step { who, life, step }));
    }

    fn comes_back_from_bank(
        &mut self,
        number: &str,
        said: Option<Said>,
        rng: &mut fastrand::Rng,
    ) -> Option<Said> {
        let mut said = said?;
        if self.roll(rng, self.climate.lost_answers) || self.is_cut_off() {
            self.counts.faults += 1;
            return None;
        }
        if self.roll(rng, self.climate.altered_answers) {
            self.counts.faults += 1;
            self.alter(number, &mut said, rng);
        }
        Some(said)
    }

    pub(super) fn office_answered(
        &mut self,
        who: usize,
        id: u64,
        reply: Option<Said>,
        is_sent: bool,
    ) {
        let now = self.office_clock(who);
        let Some(office) = &mut self.office else { return };
        let codec = &office.line.codec;
        let Some(calling) = office.calls.get_mut(&id).filter(|calling| calling.answer.is_none())
        else {
            return;
        };
        let failure = if is_sent {
            TransportFailure::lost(TillCause::NoAnswer)
        } else {
            TransportFailure::not_sent(TillCause::NoConnection)
        };
        let reply = reply.map(|said| {
            let mut reply = Reply::from(said);
            if let Some(stamp) = &calling.stamp {
                codec.receive(stamp, &mut reply);
            }
            reply
        });
        let heard = match &calling.what {
            What::Payment { row, call, code } => {
                let ask = Ask::of(call.kind, &row.order, code.as_ref());
                if let Some((reply, ask)) = reply.zip(ask) {
                    let decoded = codec.decode(ask, &reply, now);
                    Heard::Payment(decoded.answer, decoded.record)
                } else {
                    let what = Inconclusive::from(failure);
                    Heard::Payment(Answer::inconclusive(call.kind, what), Vec::new())
                }
            }
            What::Refund { refund, call, .. } => {
                if let Some(reply) = reply {
                    let ask = RefundAsk { kind: call.kind, refund };
                    let decoded = codec.decode_refund(ask, &reply, now);
                    Heard::Refund(decoded.answer, decoded.record)
                } else {
                    let what = Inconclusive::from(failure);
                    Heard::Refund(RefundAnswer::inconclusive(call.kind, what), Vec::new())
                }
            }
        };
        calling.answer = Some((heard, 0));
        self.office_writes(who, id);
    }

    /// Writes the answer to a call; if that fails often, it is left to whoever takes over.
    pub(super) fn office_writes(&mut self, who: usize, id: u64) {
        let Some(office) = &mut self.office else { return };
        let Some(mut calling) = office.calls.remove(&id) else { return };
        let Some((heard, tries)) = calling.answer.clone() else { return };
        let order = calling.what.order().to_owned();
        let written = match (&calling.what, &heard) {
            (What::Payment { call, .. }, Heard::Payment(answer, wire)) => {
                let event = Event::Answered(call.number, answer.clone());
                self.books_change(who, &order, |row, now, _| {
                    decide::happened(row, &event, wire, now)
                })
                .map(|decided| {
                    if let Some(decided) = decided {
                        self.office_follows(who, *decided, None);
                    }
                })
            }
            (What::Refund { row, call, .. }, Heard::Refund(answer, wire)) => {
                let event = RefundEvent::Answered(call.number, answer.clone());
                let number = &row.key.out_refund_no;
                self.books_change_refund(who, &order, None, |books, now, _| {
                    decide_refund::happened(books, number, &event, wire, now)
                })
                .map(|decided| {
                    if let Some(decided) = decided {
                        self.office_follows_refund(who, *decided);
                    }
                })
            }
            _ => return,
        };
        if let Err(Failure::Store(_)) = written
            && tries + 1 < WRITES
        {
            calling.answer = Some((heard, tries + 1));
            if let Some(office) = &mut self.office {
                office.calls.insert(id, calling);
            }
            let pause = u64::try_from(pause_after(tries).as_millis()).unwrap_or(0);
            self.plan_step(self.now + pause, who, Step::Writes(id));
        }
    }

    /// Looks at everything whose time has come.
    pub(super) fn office_sweeps(&mut self, who: usize) {
        let now = self.office_clock(who);
        let Some(office) = &mut self.office else { return };
        office.instances[who].next_sweep = None;
        let is_due =
            |wake_at: Option<paytill::clock::Timestamp>| wake_at.is_some_and(|at| at <= now);
        let due: Vec<String> = office
            .payments
            .iter()
            .filter(|(_, row)| is_due(row.wake_at))
            .map(|(number, _)| number.clone())
            .collect();
        let refunds: Vec<_> = office
            .refunds
            .values()
            .flatten()
            .filter(|row| is_due(row.wake_at))
            .map(|row| row.key.clone())
            .collect();
        self.office_wakes(who, due, refunds);
        self.plan_sweeps(who);
    }

    pub(super) fn office_wakes(
        &mut self,
        who: usize,
        due: Vec<String>,
        refunds: Vec<paytill_backend::store::RefundKey>,
    ) {
        let life = |world: &Self| world.office.as_ref().map(|office| office.instances[who].life);
        let alive = life(self);
        for number in due {
            let woken = self.books_change(who, &number, |row, now, _| decide::woken(row, now));
            if let Ok(Some(decided)) = woken {
                self.office_follows(who, *decided, None);
            }
            if life(self) != alive {
                return;
            }
        }
        for key in refunds {
            let order = key.payment.out_trade_no.to_string();
            let woken = self.books_change_refund(who, &order, None, |books, now, _| {
                decide_refund::woken(books, &key.out_refund_no, now)
            });
            if let Ok(Some(decided)) = woken {
                self.office_follows_refund(who, *decided);
            }
            if life(self) != alive {
                return;
            }
        }
    }
}
