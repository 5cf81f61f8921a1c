//! The transitions: what each event does in each stage.
//!
//! A transition changes its stage in place, and returns another one if the refund leaves it.

use super::answer::{
    KnownRefund, Looked, Queried, RefundAnswer, RefundCall, RefundCallKind, RefundPage, RefundSaid,
};
use super::state::{
    Looking, NEVER, Pursuit, Recheck, RefundEvent, RefundPlan, RefundState, Shown, Stage,
};
use crate::clock::Millis;
use crate::money::Money;
use crate::payment::{Inconclusive, Reason, Rules, TillCause};

/// Waits between two calls while no end is in sight, in query intervals. With 5 s: 5, 10 and 30 s, 1,
/// 2, 5, 10 and 20 minutes, 1, 2 and 6 hours, a day.
const WAITS: [u64; 12] = [1, 2, 6, 12, 24, 60, 120, 240, 720, 1_440, 4_320, 17_280];
/// How long a gateway that was asked too often wants no more of it, in query intervals: a minute.
const BLOCKED: u64 = 12;
/// How long a request may be held up in the network, in give-up times.
const LATE: u64 = 4;

impl RefundState {
    /// Moves to the next state. The returned call must be made only once that state is on disk.
    /// `now` counts from the refund's beginning.
    #[must_use]
    pub fn step(&mut self, event: &RefundEvent, now: Millis, rules: &Rules) -> Option<RefundCall> {
        let mut step = Step {
            calls: self.calls,
            jitter: self.jitter,
            elsewhere: self.elsewhere,
            now,
            rules,
            call: None,
        };
        let next = match &mut self.stage {
            Stage::Looking(looking) => step.looking(looking, event),
            Stage::Pursued(pursuit) => step.pursued(pursuit, event),
            Stage::Refused { recheck, .. } => step.rechecked(recheck, event),
            Stage::Done(_) | Stage::Cash | Stage::Closed(_) | Stage::Settled => None,
        };
        if let Some(next) = next {
            self.stage = next;
        }
        (self.calls, self.elsewhere) = (step.calls, step.elsewhere);
        step.call
    }
}

impl RefundState {
    /// The gateway tells unasked what became of it, and has signed that. It counts as the answer to a
    /// query does, whether or not one is awaited.
    ///
    /// Only for a merchant's backend: a till hears no notifications.
    #[must_use]
    pub fn notified(
        &mut self,
        queried: &Queried,
        now: Millis,
        rules: &Rules,
    ) -> Option<RefundCall> {
        let Self { calls, jitter, elsewhere, .. } = *self;
        let mut step = Step { calls, jitter, elsewhere, now, rules, call: None };
        let next = match (&mut self.stage, queried) {
            (Stage::Pursued(pursuit), _) => step.queried(pursuit, queried),
            // What has left before the books were lost, or was held up.
            (
                Stage::Looking(_) | Stage::Refused { .. } | Stage::Closed(_),
                Queried::Done(proof),
            ) => Some(Stage::Done(proof.clone())),
            (Stage::Refused { .. }, Queried::Processing | Queried::Abnormal) => {
                Some(step.after_all(queried))
            }
            (
                Stage::Looking(_)
                | Stage::Refused { .. }
                | Stage::Closed(_)
                | Stage::Done(_)
                | Stage::Cash
                | Stage::Settled,
                _,
            ) => None,
        };
        if let Some(next) = next {
            self.stage = next;
        }
        self.calls = step.calls;
        step.call
    }
}

/// One step: what it may read, and the call it leads to.
struct Step<'a> {
    calls: u32,
    jitter: u8,
    elsewhere: Money,
    now: Millis,
    rules: &'a Rules,
    call: Option<RefundCall>,
}

impl Step<'_> {
    fn looking(&mut self, looking: &mut Looking, event: &RefundEvent) -> Option<Stage> {
        match event {
            RefundEvent::Begun | RefundEvent::Settled(_) => {}
            RefundEvent::MerchantChanged => {
                return Some(refused(TillCause::MerchantChanged.into()));
            }
            // Nothing has left, and whoever ordered it may have gone.
            RefundEvent::Tick if self.now >= self.rules.give_up_after => {
                let reason = looking.reason.take();
                return Some(refused(reason.unwrap_or_else(|| TillCause::NoAnswer.into())));
            }
            RefundEvent::Restarted { oldest }
                if self.now.max(*oldest) >= self.rules.give_up_after =>
            {
                return Some(refused(TillCause::Restarted.into()));
            }
            RefundEvent::Restarted { .. } => self.look(looking, 0),
            RefundEvent::Tick if looking.awaiting.is_none() && self.now >= looking.next_at => {
                self.look(looking, 0);
            }
            RefundEvent::CheckNow if looking.awaiting.is_none() => self.look(looking, 0),
            RefundEvent::Tick | RefundEvent::CheckNow => {}
            RefundEvent::Answered(number, RefundAnswer::Looked(looked)) => {
                looking.awaiting.take_if(|call| call.number == *number)?;
                return self.looked(looking, looked);
            }
            RefundEvent::Answered(..) => {}
        }
        None
    }

    fn looked(&mut self, looking: &mut Looking, looked: &Looked) -> Option<Stage> {
        let page = match looked {
            Looked::Page(page) if fits(looking, page) => page,
            Looked::Page(_) => {
                self.look_later(looking, TillCause::BadAnswer.into());
                return None;
            }
            Looked::Inconclusive(what) => {
                self.look_later(looking, what.reason().clone());
                return None;
            }
        };
        looking.total = page.total;
        looking.seen.extend(page.refunds.iter().cloned());
        let seen = u32::try_from(looking.seen.len()).unwrap_or(u32::MAX);
        if seen < looking.total {
            self.look(looking, seen);
            return None;
        }
        let plan = &looking.plan;
        self.elsewhere = elsewhere(plan, &looking.seen);
        let left = left(plan, &looking.seen);
        if plan.amount > left {
            let reason = TillCause::MoreThanLeft.into();
            return Some(Stage::Refused { reason, left: Some(left), recheck: None });
        }
        let mut pursuit = self.pursuit(Shown::Sent);
        pursuit.awaiting = Some(self.make(RefundCallKind::Refund));
        Some(Stage::Pursued(pursuit))
    }

    const fn pursuit(&self, shown: Shown) -> Pursuit {
        Pursuit {
            shown,
            next_at: NEVER,
            awaiting: None,
            polled_at: self.now,
            ended_at: self.now,
            has_left: false,
            late_until: Millis(0),
            refusal: None,
            waits: 0,
            reason: None,
            is_foreign: false,
        }
    }

    fn look(&mut self, looking: &mut Looking, offset: u32) {
        if offset == 0 {
            looking.seen.clear();
            looking.total = 0;
        }
        looking.awaiting = Some(self.make(RefundCallKind::Look { offset }));
    }

    fn look_later(&self, looking: &mut Looking, reason: Reason) {
        looking.reason = Some(reason);
        looking.next_at = self.now.plus(self.rules.query_interval);
    }

    fn pursued(&mut self, pursuit: &mut Pursuit, event: &RefundEvent) -> Option<Stage> {
        match event {
            // What may still end by itself is nobody's to settle.
            RefundEvent::Settled(_) if pursuit.is_foreign || pursuit.shown == Shown::Abnormal => {
                return Some(Stage::Settled);
            }
            RefundEvent::Begun | RefundEvent::Settled(_) => {}
            RefundEvent::MerchantChanged => {
                self.lose_answer(pursuit);
                pursuit.is_foreign = true;
            }
            RefundEvent::Restarted { .. } => {
                self.lose_answer(pursuit);
                pursuit.is_foreign = false;
                self.query(pursuit);
            }
            RefundEvent::Tick if pursuit.awaiting.is_none() && self.now >= pursuit.next_at => {
                self.query(pursuit);
            }
            RefundEvent::CheckNow
                if pursuit.awaiting.is_none()
                    && self.now >= pursuit.polled_at.plus(self.rules.query_interval) =>
            {
                self.query(pursuit);
            }
            RefundEvent::Tick | RefundEvent::CheckNow => {}
            RefundEvent::Answered(number, answer) => {
                let is_it =
                    |call: &mut RefundCall| call.number == *number && answer.answers(call.kind);
                pursuit.awaiting.take_if(is_it)?;
                return match answer {
                    RefundAnswer::Said(said) => self.said(pursuit, said),
                    RefundAnswer::Queried(queried) => self.queried(pursuit, queried),
                    RefundAnswer::Looked(_) => None,
                };
            }
        }
        None
    }

    /// The process has ended before an answer came.
    fn lose_answer(&self, pursuit: &mut Pursuit) {
        let lost = pursuit.awaiting.take();
        if lost.is_some_and(|call| call.kind == RefundCallKind::Refund) {
            self.may_arrive_late(pursuit);
            pursuit.reason = Some(TillCause::Restarted.into());
        }
        if pursuit.shown == Shown::Sent {
            pursuit.shown = Shown::Checking;
        }
    }

    /// A refund call has ended without a verified answer.
    fn may_arrive_late(&self, pursuit: &mut Pursuit) {
        pursuit.has_left = true;
        pursuit.ended_at = self.now;
        pursuit.late_until = self.now.plus(self.rules.give_up_after.times(LATE));
        pursuit.refusal = None;
    }

    /// The answer to the refund itself.
    fn said(&mut self, pursuit: &mut Pursuit, said: &RefundSaid) -> Option<Stage> {
        pursuit.ended_at = self.now;
        pursuit.refusal = None;
        pursuit.shown = Shown::Checking;
        match said {
            RefundSaid::Accepted => {
                pursuit.has_left = true;
                pursuit.shown = Shown::Accepted;
                pursuit.reason = None;
                pursuit.waits = 0;
                self.wait(pursuit);
            }
            RefundSaid::Refused(reason) => {
                pursuit.has_left = true;
                pursuit.refusal = Some(reason.clone());
                pursuit.reason = Some(reason.clone());
                pursuit.next_at = self.now.plus(self.rules.query_interval);
            }
            RefundSaid::Blocked(reason) => {
                pursuit.has_left = true;
                pursuit.reason = Some(reason.clone());
                pursuit.next_at = self.now.plus(self.rules.query_interval.times(BLOCKED));
            }
            RefundSaid::Inconclusive(Inconclusive::NotSent(reason)) if !pursuit.has_left => {
                return Some(refused(reason.clone()));
            }
            RefundSaid::Inconclusive(Inconclusive::NotSent(reason)) => {
                pursuit.reason = Some(reason.clone());
                self.wait(pursuit);
            }
            RefundSaid::Inconclusive(
                Inconclusive::Unsigned(reason) | Inconclusive::Unknown(reason),
            ) => {
                self.may_arrive_late(pursuit);
                pursuit.reason = Some(reason.clone());
                self.wait(pursuit);
            }
        }
        None
    }

    fn queried(&mut self, pursuit: &mut Pursuit, queried: &Queried) -> Option<Stage> {
        match queried {
            Queried::Done(proof) => return Some(Stage::Done(proof.clone())),
            Queried::Closed => return Some(Stage::Closed(Reason::gateway("REFUNDCLOSE", ""))),
            Queried::Processing => {
                if pursuit.shown != Shown::Accepted {
                    pursuit.waits = 0;
                }
                pursuit.shown = Shown::Accepted;
                pursuit.reason = None;
                self.wait(pursuit);
            }
            Queried::Abnormal => {
                pursuit.shown = Shown::Abnormal;
                pursuit.reason = Some(Reason::gateway("CHANGE", ""));
                self.wait(pursuit);
            }
            Queried::NotFound => return self.not_found(pursuit),
            Queried::Inconclusive(what) => {
                // What has kept the refund itself back says more.
                if pursuit.reason.is_none() {
                    pursuit.reason = Some(what.reason().clone());
                }
                self.wait(pursuit);
            }
        }
        None
    }

    /// The gateway does not know the number. That counts only if the refund has had the time to
    /// become visible.
    fn not_found(&mut self, pursuit: &mut Pursuit) -> Option<Stage> {
        let visible_at = match pursuit.shown {
            Shown::Sent | Shown::Checking => pursuit.ended_at.plus(self.rules.query_interval),
            // It has said that it has it: one of the two answers is wrong.
            Shown::Accepted | Shown::Abnormal => pursuit.ended_at.plus(self.rules.attention_after),
        };
        if pursuit.polled_at < visible_at {
            pursuit.next_at = visible_at.max(pursuit.polled_at.plus(self.rules.query_interval));
            return None;
        }
        match pursuit.refusal.take_if(|_| pursuit.polled_at >= pursuit.late_until) {
            Some(reason) => {
                let at = self.now.plus(self.rules.give_up_after.times(LATE));
                let recheck = Some(Recheck { at, awaiting: None });
                return Some(Stage::Refused { reason, left: None, recheck });
            }
            // An earlier one may still be in transit, and the gateway may take that one.
            None if pursuit.refusal.is_some() => pursuit.next_at = pursuit.late_until,
            // The same number and the same parameters: it is carried out once.
            None => {
                pursuit.shown = Shown::Checking;
                pursuit.awaiting = Some(self.make(RefundCallKind::Refund));
            }
        }
        None
    }

    /// It was refused, and is asked about once more: a query that finds it wins.
    fn rechecked(&mut self, due: &mut Option<Recheck>, event: &RefundEvent) -> Option<Stage> {
        let recheck = due.as_mut()?;
        match event {
            RefundEvent::Restarted { .. } | RefundEvent::MerchantChanged => {
                recheck.awaiting = None;
            }
            RefundEvent::Tick if recheck.awaiting.is_none() && self.now >= recheck.at => {
                recheck.awaiting = Some(self.make(RefundCallKind::Query));
            }
            RefundEvent::Answered(number, RefundAnswer::Queried(queried)) => {
                recheck.awaiting.take_if(|call| call.number == *number)?;
                match queried {
                    Queried::NotFound | Queried::Closed => *due = None,
                    Queried::Inconclusive(_) => {
                        recheck.at = self.now.plus(self.rules.query_interval.times(BLOCKED));
                    }
                    Queried::Done(_) | Queried::Processing | Queried::Abnormal => {
                        return Some(self.after_all(queried));
                    }
                }
            }
            RefundEvent::Begun
            | RefundEvent::Tick
            | RefundEvent::CheckNow
            | RefundEvent::Settled(_)
            | RefundEvent::Answered(..) => {}
        }
        None
    }

    /// The gateway has what was thought to be refused.
    fn after_all(&mut self, queried: &Queried) -> Stage {
        let mut pursuit = self.pursuit(Shown::Accepted);
        pursuit.has_left = true;
        self.queried(&mut pursuit, queried).unwrap_or(Stage::Pursued(pursuit))
    }

    fn query(&mut self, pursuit: &mut Pursuit) {
        pursuit.polled_at = self.now;
        pursuit.awaiting = Some(self.make(RefundCallKind::Query));
    }

    /// Waits longer each time.
    fn wait(&self, pursuit: &mut Pursuit) {
        let last = WAITS.len() - 1;
        let intervals = WAITS[usize::from(pursuit.waits).min(last)];
        let wait = self.rules.query_interval.times(intervals);
        // The first ones are short for the customer's sake.
        let jitter = if pursuit.waits < 2 { 0 } else { wait.0 / 1024 * u64::from(self.jitter) };
        pursuit.waits = pursuit.waits.saturating_add(1);
        pursuit.next_at = self.now.plus(wait).plus(Millis(jitter));
    }

    const fn make(&mut self, kind: RefundCallKind) -> RefundCall {
        let call = RefundCall { kind, number: self.calls };
        self.calls = self.calls.saturating_add(1);
        self.call = Some(call);
        call
    }
}

const fn refused(reason: Reason) -> Stage {
    Stage::Refused { reason, left: None, recheck: None }
}

/// Whether a page goes on where the last one ended, in the same list.
fn fits(looking: &Looking, page: &RefundPage) -> bool {
    let is_first = looking.seen.is_empty();
    let is_new =
        |refund: &KnownRefund| looking.seen.iter().all(|seen| seen.number != refund.number);
    (is_first || page.total == looking.total)
        && page.refunds.iter().all(is_new)
        && looking.seen.len() + page.refunds.len() <= usize::try_from(page.total).unwrap_or(0)
        && (!page.refunds.is_empty() || page.total == 0)
}

/// What is left of an order: what was paid, less what the gateway knows to be given back, less what
/// our books have and it does not know yet.
fn left(plan: &RefundPlan, seen: &[KnownRefund]) -> Money {
    let known = seen.iter().filter(|refund| refund.counts).map(|refund| refund.amount);
    let unknown = plan
        .earlier
        .iter()
        .filter(|booked| booked.counts && !seen.iter().any(|refund| refund.is(&booked.number)));
    let taken = known
        .chain(unknown.map(|booked| booked.amount))
        .fold(0_i64, |sum, amount| sum.saturating_add(amount.minor()));
    Money::from_minor(plan.paid.minor().saturating_sub(taken).max(0))
}

/// What is not in our books.
fn elsewhere(plan: &RefundPlan, seen: &[KnownRefund]) -> Money {
    let ours = |refund: &&KnownRefund| plan.earlier.iter().any(|booked| refund.is(&booked.number));
    let theirs = seen.iter().filter(|refund| refund.counts && !ours(refund));
    Money::from_minor(theirs.fold(0, |sum, refund| sum.saturating_add(refund.amount.minor())))
}
