//! The transitions of a QR order until it is given up: what each event does while it is ordered, and
//! while its code is shown.

mod closing;

use closing::Gone;

use super::state::{Closing, Ended, Ordering, Outcome, QrState, Shown, Stage, Waiting};
use crate::clock::Millis;
use crate::payment::reversal::{NEVER, Pace};
use crate::payment::{
    Answer, Call, CallKind, Ending, Event, Found, Inconclusive, Ordered, Proof, Reason, Rules,
    TillCause,
};

/// How often a code is asked for.
const TRIES: u8 = 5;
/// How often is asked about an order, in fifths of the query interval: until this age, so far apart.
/// With 5 s: every 3 s for a minute, then slower.
pub(super) const POLLS: [(u64, u64); 4] = [(60, 3), (300, 5), (900, 10), (u64::MAX, 30)];

impl QrState {
    /// Moves to the next state. The returned call must be made only once that state is on disk.
    /// `now` counts from the order's beginning.
    #[must_use]
    pub fn step(&mut self, event: &Event, now: Millis, rules: &Rules) -> Option<Call> {
        if let Event::Answered(_, answer) = event {
            self.is_ours |= answer.shows_ours();
        }
        let Self { calls, jitter, is_ours, lasts, .. } = *self;
        let mut step = Step { calls, jitter, is_ours, lasts, now, rules, call: None };
        let next = match &mut self.stage {
            Stage::Ordering(ordering) => step.ordering(ordering, event),
            Stage::Waiting(waiting) => step.waiting(waiting, event),
            Stage::Closing(closing) => step.closing(closing, event),
            Stage::Paid { .. } => None,
            Stage::Ended(ended) => step.ended(ended, event),
        };
        if let Some(next) = next {
            self.stage = next;
        }
        (self.calls, self.is_ours) = (step.calls, step.is_ours);
        step.call
    }
}

impl QrState {
    /// As [`State::notified`](crate::payment::State::notified).
    pub(in crate::payment) fn notified(
        &mut self,
        proof: &Proof,
        now: Millis,
        rules: &Rules,
    ) -> Option<Call> {
        let late = match &self.stage {
            Stage::Waiting(_) | Stage::Closing(Closing { is_refunded: false, .. }) => {
                let answer = Answer::Found(Found::Paid(proof.clone()));
                return self.step(&Event::Answered(Call::UNASKED, answer), now, rules);
            }
            Stage::Ordering(_) => None,
            Stage::Ended(Ended { outcome: Outcome::Declined | Outcome::Closed, .. }) => {
                Some(TillCause::PaidAfterAll.into())
            }
            // The money has gone back or is going back, and this tells of the time before.
            Stage::Ended(_) | Stage::Closing(_) | Stage::Paid { .. } => return None,
        };
        self.is_ours = true;
        self.stage = Stage::Paid { proof: proof.clone(), late };
        None
    }
}

/// One step: what it may read, and the call it leads to.
pub(super) struct Step<'a> {
    calls: u32,
    jitter: u8,
    pub(super) is_ours: bool,
    lasts: Millis,
    pub(super) now: Millis,
    pub(super) rules: &'a Rules,
    call: Option<Call>,
}

impl Step<'_> {
    fn ordering(&mut self, ordering: &mut Ordering, event: &Event) -> Option<Stage> {
        match event {
            Event::Begun | Event::Settled(_) | Event::CheckNow | Event::Billed { .. } => {}
            Event::Answered(number, Answer::Ordered(ordered)) => {
                ordering.awaiting.take_if(|awaited| awaited == number)?;
                return self.ordered(ordering, ordered);
            }
            Event::Answered(..) => {}
            Event::Tick if self.now >= self.rules.give_up_after => {
                let reason = ordering.reason.take();
                let reason = reason.unwrap_or_else(|| TillCause::NoAnswer.into());
                return Some(self.no_code(ordering, reason));
            }
            Event::Tick if ordering.awaiting.is_none() && self.now >= ordering.next_at => {
                self.order(ordering);
            }
            Event::Tick => {}
            Event::Cancel => return Some(self.no_code(ordering, TillCause::Cancelled.into())),
            Event::Restarted { oldest } => {
                ordering.may_exist = true;
                if self.now.max(*oldest) >= self.rules.give_up_after || ordering.tries >= TRIES {
                    return Some(self.no_code(ordering, TillCause::Restarted.into()));
                }
                ordering.reason = Some(TillCause::Restarted.into());
                self.order(ordering);
            }
            Event::MerchantChanged => {
                let mut closing =
                    self.closing_now(Shown::Declined, TillCause::Restarted.into(), false);
                closing.may_arrive = true;
                closing.reversal.poll_at(NEVER);
                return Some(Stage::Closing(closing));
            }
        }
        None
    }

    fn ordered(&mut self, ordering: &mut Ordering, ordered: &Ordered) -> Option<Stage> {
        let reason = match ordered {
            Ordered::Code(code_url) => {
                return Some(Stage::Waiting(Waiting {
                    code_url: code_url.clone(),
                    is_checking: false,
                    poll_at: self.next_poll(),
                    polled_at: self.now,
                    awaiting: None,
                    reason: None,
                }));
            }
            Ordered::Refused(reason) => return Some(self.no_code(ordering, reason.clone())),
            // It may be an echo of an earlier delivery, and so ours: a query decides.
            Ordered::Ambiguous(reason) => {
                let mut closing = self.closing_now(Shown::Closing, reason.clone(), false);
                closing.may_arrive = ordering.may_exist;
                self.poll(&mut closing);
                return Some(Stage::Closing(closing));
            }
            Ordered::Inconclusive(Inconclusive::NotSent(reason)) if !ordering.may_exist => {
                return Some(Gone::new(Outcome::Declined, reason.clone()).into());
            }
            Ordered::Inconclusive(Inconclusive::NotSent(reason)) => reason,
            Ordered::Inconclusive(
                Inconclusive::Unsigned(reason) | Inconclusive::Unknown(reason),
            ) => {
                ordering.may_exist = true;
                reason
            }
        };
        if ordering.tries >= TRIES {
            return Some(self.no_code(ordering, reason.clone()));
        }
        ordering.reason = Some(reason.clone());
        let wait = self.unit().times(1 << (ordering.tries - 1).min(TRIES));
        ordering.next_at = self.now.plus(wait);
        None
    }

    /// The same order again: the gateway answers with its code, and makes no second one.
    fn order(&mut self, ordering: &mut Ordering) {
        ordering.tries = ordering.tries.saturating_add(1);
        ordering.awaiting = Some(self.make(CallKind::Order).number);
    }

    /// There will be no code, so nobody can pay. What may have arrived is closed.
    fn no_code(&mut self, ordering: &Ordering, reason: Reason) -> Stage {
        let mut closing = self.closing_now(Shown::Declined, reason, false);
        closing.may_arrive = ordering.may_exist || ordering.awaiting.is_some();
        self.poll(&mut closing);
        Stage::Closing(closing)
    }

    fn waiting(&mut self, waiting: &mut Waiting, event: &Event) -> Option<Stage> {
        match event {
            Event::Begun | Event::Settled(_) => {}
            Event::Answered(number, answer) => {
                // Proof counts, whichever query it comes from.
                if let Some(proof) = answer.proof() {
                    return Some(Stage::Paid { proof: proof.clone(), late: None });
                }
                let Answer::Found(found) = answer else { return None };
                waiting.awaiting.take_if(|awaited| awaited == number)?;
                return self.found(waiting, found);
            }
            Event::Tick if self.now >= self.lasts => {
                return Some(self.give_up(TillCause::CodeExpired));
            }
            Event::Tick if waiting.awaiting.is_none() && self.now >= waiting.poll_at => {
                self.query(waiting);
            }
            Event::Tick => {}
            // A key held down must not flood the gateway.
            Event::CheckNow | Event::Billed { .. }
                if waiting.awaiting.is_none()
                    && self.now >= waiting.polled_at.plus(self.unit()) =>
            {
                self.query(waiting);
            }
            Event::CheckNow | Event::Billed { .. } => {}
            Event::Cancel => return Some(self.give_up(TillCause::Cancelled)),
            Event::Restarted { oldest } if self.now.max(*oldest) >= self.lasts => {
                return Some(self.give_up(TillCause::CodeExpired));
            }
            Event::Restarted { .. } => {
                waiting.is_checking = true;
                self.query(waiting);
            }
            Event::MerchantChanged => {
                let mut closing =
                    self.closing_now(Shown::Closing, TillCause::Restarted.into(), true);
                closing.leave_to_a_person();
                return Some(Stage::Closing(closing));
            }
        }
        None
    }

    fn found(&mut self, waiting: &mut Waiting, found: &Found) -> Option<Stage> {
        match found {
            Found::Paid(_) => {}
            Found::Paying | Found::NotPaid | Found::NotFound => {
                waiting.is_checking = false;
                waiting.reason = None;
            }
            Found::Failed(reason) | Found::Declined { reason, .. } => {
                let mut closing = self.closing_now(Shown::Closing, reason.clone(), true);
                // The query has already been made.
                self.close(&mut closing);
                return Some(Stage::Closing(closing));
            }
            Found::Returning => return Some(self.returning(true)),
            Found::Ended(Ending::Refunded) => {
                let reason = TillCause::PaidAtLastMoment.into();
                let mut closing = self.closing_now(Shown::Closing, reason, true);
                self.query_refunds(&mut closing);
                return Some(Stage::Closing(closing));
            }
            Found::Ended(ending) => return Some(Gone::by(*ending, None).into()),
            // It was ordered as ours: one of the two answers is wrong.
            Found::AnotherTills(reason) => waiting.reason = Some(reason.clone()),
            Found::Inconclusive(what) => waiting.reason = Some(what.reason().clone()),
        }
        None
    }

    /// The code is shown no longer: one last query, then it is closed.
    fn give_up(&mut self, cause: TillCause) -> Stage {
        let mut closing = self.closing_now(Shown::Closing, cause.into(), true);
        self.poll(&mut closing);
        Stage::Closing(closing)
    }

    fn query(&mut self, waiting: &mut Waiting) {
        waiting.poll_at = self.next_poll();
        waiting.polled_at = self.now;
        waiting.awaiting = Some(self.make(CallKind::Query).number);
    }

    fn next_poll(&self) -> Millis {
        let at = |(until, _): &&(u64, u64)| self.now < self.unit().times(*until);
        let [(_, fastest), ..] = POLLS;
        let apart = POLLS.iter().find(at).map_or(fastest, |(_, apart)| *apart);
        let wait = self.unit().times(apart);
        let jitter = if apart == fastest { 0 } else { wait.0 / 1024 * u64::from(self.jitter) };
        self.now.plus(wait).plus(Millis(jitter))
    }

    /// A second, where queries are 5 s apart.
    fn unit(&self) -> Millis {
        Millis((self.rules.query_interval.0 / 5).max(1))
    }

    pub(super) fn make(&mut self, kind: CallKind) -> Call {
        let call = Call { kind, number: self.calls };
        self.calls = self.calls.saturating_add(1);
        self.call = Some(call);
        call
    }

    pub(super) fn pace(&self) -> Pace {
        Pace { now: self.now, interval: self.rules.query_interval, jitter: self.jitter }
    }

    pub(super) fn poll(&mut self, closing: &mut Closing) {
        let query = self.make(CallKind::Query);
        closing.reversal.poll(query, self.now);
    }
}
