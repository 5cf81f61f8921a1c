//! The cashier gives money back; disk and network treat that as everything else.

use paytill::clock::Millis;
use paytill::engine::{Draw, Effect, RefundEntry, RefundRecord, RefundReport, RefundStart};
use paytill::gateway::{RefundAsk, Stamp};
use paytill::journal::JournalError;
use paytill::money::Money;
use paytill::payment::TillCause;
use paytill::refund::{
    EarlierRefund, Refund, RefundAnswer, RefundCall, RefundCallKind, RefundEvent,
};
use paytill::screen::ScreenMessage;
use paytill_host::transport::TransportFailure;

use super::line::{Said, Sent};
use super::office::Asker;
use super::{Due, Queued, REQUEST_TIMEOUT, World};
use crate::invariants::Invariant;
use crate::plan::{HEALED, HELD_AT_MOST};

/// A call about a refund that awaits its answer.
pub(super) struct AwaitedRefund {
    what: Refund,
    call: RefundCall,
    stamp: Stamp,
}

impl World {
    /// The cashier gives the latest payment of a sale back, whole, in part, or more than there is.
    pub(super) fn refund(&mut self, sale: usize, nth: u64) {
        if self.till.is_none() {
            return;
        }
        let Some(number) = self.sales.get(&sale).and_then(|sale| sale.latest.clone()) else {
            return;
        };
        let mut rng = self.plan.chance("refund", sale as u64 * 10 + nth);
        let start = match self.read_for_refund(number.as_str()) {
            // Its entry is not on the disk yet.
            Ok(None) => return,
            // No gateway hears of cash.
            Ok(Some(start)) if start.payment.cash().is_some() => return,
            Ok(Some(start)) => start,
            Err(error) => return self.auditor.broken(Invariant::NothingLost, error.to_string()),
        };
        // Of a sale that is paid in part in cash it is less than the sale's due.
        let due = start.order.amount.minor();
        let amount = match rng.u8(..8) {
            0..3 => None,
            3 => Some(due + 1),
            _ => Some(rng.i64(1..=due)),
        };
        let mut draw = [0; 12];
        rng.fill(&mut draw);
        let start =
            RefundStart { amount: amount.map(Money::from_minor), draw: Draw(draw), ..start };
        let (now, wall) = (self.uptime(), self.wall());
        let Some(till) = &mut self.till else { return };
        match till.engine.begin_refund(start, now, wall) {
            Ok((refund, effects)) => {
                self.tell(|| format!("{refund} is begun: {amount:?} of sale {sale}"));
                self.counts.refunds += 1;
                for effect in &effects {
                    if let Effect::WriteRefund(entry) = effect {
                        self.auditor.refund_begun(entry, due);
                    }
                }
                self.perform(effects);
            }
            Err(refusal) => self.tell(|| format!("sale {sale} is not refunded: {refusal:?}")),
        }
    }

    fn read_for_refund(&self, number: &str) -> Result<Option<RefundStart>, JournalError> {
        let reader = self.reader()?;
        let Some(row) = reader.order(number)? else { return Ok(None) };
        let earlier: Vec<EarlierRefund> =
            reader.refunds(row.attempt)?.into_iter().map(Into::into).collect();
        Ok(Some(RefundStart {
            attempt: row.attempt,
            sale: row.sale,
            order: reader.request(row.attempt)?,
            payment: row.state,
            earlier,
            amount: None,
            reason: "cold".into(),
            by: None,
            draw: Draw::default(),
        }))
    }

    pub(super) fn write_refund(&mut self, entry: RefundEntry) {
        self.auditor.refund_handed(&entry);
        self.queue(Queued::Refund(Box::new(entry)));
    }

    pub(super) fn send_refund(&mut self, refund: i64, what: Refund, made: RefundCall) {
        let ask = RefundAsk { kind: made.kind, refund: &what };
        let stamp = self.stamp();
        let outgoing = self.line.codec.encode_refund(ask, &stamp);
        let sent = Sent::of(what.out_refund_no.as_str(), &outgoing);
        self.counts.calls += 1;
        self.auditor.refund_sent(&what, made, &sent.body);
        if self.till.as_ref().is_some_and(|till| till.disk_failed) {
            let what = format!("{}: a call without a journal", what.out_refund_no);
            self.auditor.broken(Invariant::IntentBeforeWire, what);
        }
        self.tell(|| format!("{} -> {:?}", what.out_refund_no, made.kind));
        let (process, call) = (self.process, (refund, made.number));
        let key = self.planned;
        let mut rng = self.plan.chance("refund call", key);
        self.awaited_refunds.insert(call, AwaitedRefund { what, call: made, stamp });
        if self.roll(&mut rng, self.climate.no_connection) || self.is_cut_off() {
            self.counts.faults += 1;
            let at = self.now + rng.u64(1..3_000);
            return self.plan_at(at, Due::RefundNotSent { process, call });
        }
        self.plan_at(
            self.now + REQUEST_TIMEOUT,
            Due::RefundAnswered { process, call, reply: None },
        );
        let is_twofold = self.roll(&mut rng, self.climate.twofold_requests);
        let is_lost = self.roll(&mut rng, self.climate.lost_requests);
        let is_held = self.roll(&mut rng, self.climate.held_requests);
        let late = (self.now + rng.u64(1..HELD_AT_MOST)).min(HEALED.max(self.now));
        let soon = self.now + self.delay(&mut rng);
        self.counts.faults += u64::from(is_twofold || is_lost || is_held);
        let on_time = (!is_lost).then_some(if is_held { late } else { soon });
        for at in is_twofold.then_some(late).into_iter().chain(on_time) {
            let sent = sent.clone();
            self.plan_at(at, Due::RefundArrives { process, call, sent });
        }
        if made.kind == RefundCallKind::Refund
            && self.roll(&mut rng, self.climate.death_at_the_wire)
        {
            let at = self.now + rng.u64(..500);
            self.plan_at(at, if rng.bool() { Due::Kill } else { Due::PowerCut });
        }
    }

    pub(super) fn refund_arrives(&mut self, process: u32, call: (i64, u32), sent: Sent) {
        if self.office.is_some() {
            return self.reaches_the_backend(Asker::Refund { process, call }, sent);
        }
        let (after, said) = self.bank_takes(&sent);
        let mut rng = self.plan.chance("refund answer", self.planned);
        let Some(said) = self.comes_back(sent.number, said, &mut rng) else { return };
        let at = self.now + after.0 + self.delay(&mut rng);
        self.plan_at(at, Due::RefundAnswered { process, call, reply: Some(said) });
    }

    pub(super) fn refund_answered(&mut self, call: (i64, u32), reply: Option<Said>) {
        let Some(AwaitedRefund { what, call: made, stamp }) = self.awaited_refunds.remove(&call)
        else {
            return;
        };
        let (answer, record) = match reply {
            None => {
                let lost = TransportFailure::lost(TillCause::NoAnswer).into();
                (RefundAnswer::inconclusive(made.kind, lost), Vec::new())
            }
            Some(said) => {
                let ask = RefundAsk { kind: made.kind, refund: &what };
                let decoded =
                    self.line.codec.decode_refund(ask, &self.received(said, &stamp), self.wall());
                (decoded.answer, decoded.record)
            }
        };
        self.looks_for_a_certificate();
        self.refund_event(call.0, RefundEvent::Answered(made.number, answer), record);
    }

    pub(super) fn refund_not_sent(&mut self, call: (i64, u32)) {
        let Some(AwaitedRefund { call: made, .. }) = self.awaited_refunds.remove(&call) else {
            return;
        };
        let never = TransportFailure::not_sent(TillCause::NoConnection).into();
        let answer = RefundAnswer::inconclusive(made.kind, never);
        self.refund_event(call.0, RefundEvent::Answered(made.number, answer), Vec::new());
    }

    fn refund_event(&mut self, refund: i64, event: RefundEvent, record: Vec<(String, String)>) {
        let (now, wall) = (self.uptime(), self.wall());
        if let Some(till) = &mut self.till {
            let effects = till.engine.handle_refund_event(refund, event, record, now, wall);
            self.perform(effects);
        }
    }

    /// Those of an earlier life that have work left.
    pub(super) fn shows_open_refunds(&mut self) {
        let Some(till) = &self.till else { return };
        let open: Vec<RefundRecord> = till.engine.open_refunds().collect();
        for refund in open {
            let before = Some(refund.state.status());
            self.show(ScreenMessage::Refund { refund: Box::new(refund), before }, None);
        }
    }

    pub(super) fn refund_reported(&mut self, report: &RefundReport) {
        let RefundReport { refund, event, before, .. } = report;
        self.tell(|| format!("{} {event:?}: {:?}", refund.out_refund_no, refund.state.status()));
        self.bank.advance(Millis(self.now));
        self.auditor.refund_told(refund, &self.bank);
        let refund = Box::new(refund.clone());
        self.show(ScreenMessage::Refund { refund, before: *before }, None);
    }
}
