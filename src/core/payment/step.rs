//! The transitions: what each event does in each stage.
//!
//! A transition changes its stage in place, and returns another one if the payment leaves it.

mod reversing;

use reversing::leave_to_a_person;

use super::answer::{
    Answer, Call, CallKind, Ending, Found, Inconclusive, Proof, Reason, Submitted, TillCause,
};
use super::event::Event;
use super::reversal::Pace;
use super::state::{Closed, Doubt, Held, Outcome, Pending, Phase, Reversing, Shown, Stage, State};
use super::status::Rules;
use crate::clock::Millis;

/// How long after the give-up time a payment found late still counts. After that the customer has
/// probably left without the goods, so the money is returned.
const LATE_PAYMENT: Millis = Millis::seconds(60);

impl State {
    /// Moves to the next state. The returned call must be made only once that state is on disk.
    /// `now` counts from the submission.
    #[must_use]
    pub fn step(&mut self, event: &Event, now: Millis, rules: &Rules) -> Option<Call> {
        if let Stage::Qr(qr) = &mut self.stage {
            return qr.step(event, now, rules);
        }
        if let Event::Answered(_, answer) = event {
            self.is_ours |= answer.shows_ours();
        }
        let mut step = Step::new(self, now, rules);
        let next = match &mut self.stage {
            Stage::Pending(pending) => step.pending(pending, event),
            Stage::Reversing(reversing) => step.reversing(reversing, event),
            Stage::Paid(_) | Stage::Cash(_) | Stage::Qr(_) => None,
            Stage::Closed(closed) => step.closed(closed, event),
        };
        if let Some(next) = next {
            self.stage = next;
        }
        (self.calls, self.is_ours) = (step.calls, step.is_ours);
        step.call
    }
}

impl State {
    /// Gives up a payment that is paid: its money goes back. `None` where that is not possible, as of
    /// an order that was paid by scanning our code: that one is refunded.
    ///
    /// Only for a merchant's backend whose till has never seen the payment as paid and reverses it.
    /// At a till nothing leaves PAID.
    #[must_use]
    pub fn take_back(&mut self, now: Millis, rules: &Rules) -> Option<Call> {
        let Stage::Paid(_) = self.stage else { return None };
        let mut step = Step::new(self, now, rules);
        let mut reversing =
            step.reversing_now(Shown::Reversing, TillCause::PaidAtLastMoment.into(), false);
        reversing.held = Held::Taken;
        step.poll(&mut reversing);
        (self.calls, self.stage) = (step.calls, Stage::Reversing(reversing));
        step.call
    }
}

impl State {
    /// The gateway tells unasked that it was paid, and proves it. That counts as the answer to a query
    /// does, and also where no query is awaited any more: of what has ended without the money, too.
    ///
    /// Only for a merchant's backend: a till hears no notifications.
    #[must_use]
    pub fn notified(&mut self, proof: &Proof, now: Millis, rules: &Rules) -> Option<Call> {
        match &mut self.stage {
            Stage::Qr(qr) => qr.notified(proof, now, rules),
            Stage::Closed(Closed { outcome: Outcome::Declined | Outcome::Reversed, .. }) => {
                let mut step = Step::new(self, now, rules);
                let reason = TillCause::DeliveredLate.into();
                let mut reversing = step.reversing_now(Shown::Reversing, reason, false);
                reversing.held = Held::Taken;
                // A notification may be hours old: only a query says what is true now.
                step.poll(&mut reversing);
                (self.calls, self.is_ours) = (step.calls, true);
                let call = step.call;
                self.stage = Stage::Reversing(reversing);
                call
            }
            // The money has gone back or is going back, and this tells of the time before.
            Stage::Closed(_) | Stage::Reversing(Reversing { held: Held::Refunded, .. }) => None,
            Stage::Pending(_) | Stage::Reversing(_) | Stage::Paid(_) | Stage::Cash(_) => {
                let answer = Answer::Found(Found::Paid(proof.clone()));
                self.step(&Event::Answered(Call::UNASKED, answer), now, rules)
            }
        }
    }
}

/// One step: what it may read, and the call it leads to.
struct Step<'a> {
    calls: u32,
    jitter: u8,
    is_ours: bool,
    now: Millis,
    rules: &'a Rules,
    call: Option<Call>,
}

impl<'a> Step<'a> {
    fn new(state: &State, now: Millis, rules: &'a Rules) -> Self {
        let State { calls, jitter, is_ours, .. } = *state;
        Self { calls, jitter, is_ours, now, rules, call: None }
    }

    fn pending(&mut self, pending: &mut Pending, event: &Event) -> Option<Stage> {
        match event {
            Event::MerchantChanged => {
                let reason = pending.reason.take().unwrap_or_else(|| TillCause::Restarted.into());
                let mut reversing = self.reversing_now(Shown::Reversing, reason, true);
                leave_to_a_person(&mut reversing);
                return Some(Stage::Reversing(reversing));
            }
            Event::Begun | Event::Settled(_) => {}
            Event::Answered(number, answer) => {
                return self.pending_answered(pending, *number, answer);
            }
            Event::Tick if self.now >= self.rules.give_up_after => {
                // What has been in the way says more than that time ran out.
                let reason = pending.reason.take().map_or_else(
                    || TillCause::Timeout.into(),
                    |reason| reason.at_the_end(TillCause::Timeout),
                );
                return Some(Stage::Reversing(self.start_reversal(reason, true)));
            }
            Event::Tick if self.now >= pending.poll_at => {
                pending.poll_at = self.next_on_grid();
                // One query at a time: a slow gateway is not queried faster than it answers.
                if pending.awaiting.is_none() {
                    self.query(pending);
                }
            }
            Event::Tick => {}
            // A key held down must not flood the gateway.
            Event::CheckNow | Event::Billed { .. }
                if pending.awaiting.is_none()
                    && self.now >= pending.polled_at.plus(self.shortest_pause()) =>
            {
                self.query_now(pending);
            }
            Event::CheckNow | Event::Billed { .. } => {}
            Event::Cancel => {
                let said = pending.reason.take().filter(Reason::is_of_the_customer);
                let reason = said.map_or_else(
                    || TillCause::Cancelled.into(),
                    |said| said.at_the_end(TillCause::Cancelled),
                );
                return Some(Stage::Reversing(self.start_reversal(reason, true)));
            }
            Event::Restarted { oldest } => {
                if pending.phase == Phase::Sent {
                    pending.phase = Phase::Checking;
                }
                if self.now.max(*oldest) >= self.rules.give_up_after {
                    let payable = *oldest <= self.latest_payment();
                    let reason = pending.reason.take();
                    let reason = reason.unwrap_or_else(|| TillCause::Restarted.into());
                    let mut reversing = self.reversing_now(Shown::Reversing, reason, payable);
                    self.poll(&mut reversing);
                    return Some(Stage::Reversing(reversing));
                }
                self.query_now(pending);
            }
        }
        None
    }

    fn pending_answered(
        &mut self,
        pending: &mut Pending,
        number: u32,
        answer: &Answer,
    ) -> Option<Stage> {
        // Proof counts whichever call it comes from: no reversal is on the wire yet.
        if let Some(proof) = answer.proof() {
            if self.now <= self.latest_payment() {
                return Some(Stage::Paid(proof.clone()));
            }
            // The machine was suspended meanwhile, and the customer is gone.
            let mut reversing =
                self.reversing_now(Shown::Reversing, TillCause::Timeout.into(), false);
            reversing.held = Held::Taken;
            self.poll(&mut reversing);
            return Some(Stage::Reversing(reversing));
        }
        match answer {
            Answer::Submitted(submitted) => self.submit_answered(pending, submitted),
            Answer::Found(Found::AnotherTills(reason)) => Some(anothers(reason)),
            Answer::Found(found) if pending.awaiting == Some(number) => {
                pending.awaiting = None;
                self.query_answered(pending, found)
            }
            // Overtaken by a later query, or not a call of a pending payment.
            Answer::Found(_)
            | Answer::Reversed(_)
            | Answer::Refunds(_)
            | Answer::Ordered(_)
            | Answer::Closed(_) => None,
        }
    }

    fn submit_answered(&mut self, pending: &mut Pending, answer: &Submitted) -> Option<Stage> {
        match answer {
            Submitted::Paid(_) => {}
            Submitted::Paying => pending.phase = Phase::Waiting,
            Submitted::Asked(reason) => {
                pending.phase = Phase::Waiting;
                pending.reason = Some(reason.clone());
            }
            Submitted::Declined(reason) => return Some(self.decline(reason.clone())),
            Submitted::Ambiguous(reason) => self.doubt(pending, Doubt::Echo, reason),
            Submitted::Inconclusive(Inconclusive::Unsigned(reason)) => {
                self.doubt(pending, Doubt::Unsigned, reason);
            }
            Submitted::Inconclusive(Inconclusive::NotSent(reason)) => {
                return Some(never_sent(reason));
            }
            // Two tills gave out one number, and this one came second.
            Submitted::Inconclusive(Inconclusive::Unknown(reason))
                if reason.is(TillCause::AnotherTill) =>
            {
                self.doubt(pending, Doubt::Echo, reason);
            }
            Submitted::Inconclusive(Inconclusive::Unknown(reason)) => {
                if pending.phase == Phase::Sent {
                    pending.phase = Phase::Checking;
                }
                pending.reason = Some(reason.clone());
            }
        }
        None
    }

    fn query_answered(&mut self, pending: &mut Pending, found: &Found) -> Option<Stage> {
        self.is_ours |= *found == Found::NotFound && self.is_visible(pending.polled_at, Millis(0));
        match (found, pending.doubt) {
            (Found::Paying, _) => {
                pending.phase = Phase::Waiting;
                pending.doubt = None;
                // What the gateway said when it asked the customer holds while it waits.
                pending.reason = pending.reason.take().filter(Reason::is_of_the_customer);
            }
            // Not yet: it arrived no later than it was refused.
            (Found::NotPaid | Found::NotFound, Some(_))
                if !self.is_visible(pending.polled_at, pending.doubted_at) => {}
            // What was refused may have been a copy of it, and the other one is still on its way.
            (Found::NotFound, Some(_)) if pending.polled_at < self.rules.reverse_not_before => {}
            (Found::NotPaid | Found::NotFound, Some(_)) => {
                let reason = pending.reason.take().unwrap_or_else(|| TillCause::Refused.into());
                // The query has already been made.
                let mut reversing = self.reversing_now(Shown::Declined, reason, false);
                self.reverse_or_wait(&mut reversing);
                return Some(Stage::Reversing(reversing));
            }
            // Not visible yet, or still in transit: nothing new.
            (Found::NotPaid | Found::NotFound, None) => {}
            (Found::Failed(reason), _) => {
                // The refusal itself says more than that the payment failed.
                let refused = pending.reason.take().filter(|_| pending.doubt == Some(Doubt::Echo));
                let reason = refused.as_ref().unwrap_or(reason);
                let mut reversing = self.reversing_now(Shown::Reversing, reason.clone(), true);
                self.reverse_or_wait(&mut reversing);
                return Some(Stage::Reversing(reversing));
            }
            (Found::Declined { reason, closed: true }, _) => {
                return Some(closed(Outcome::Declined, reason.clone()));
            }
            (Found::Declined { reason, closed: false }, _) => {
                let mut reversing = self.reversing_now(Shown::Declined, reason.clone(), false);
                self.reverse_or_wait(&mut reversing);
                return Some(Stage::Reversing(reversing));
            }
            (Found::Returning, _) => return Some(self.returning()),
            (Found::Ended(Ending::Returned), _) => return Some(returned()),
            (Found::Ended(Ending::Refunded), _) => return Some(self.refunded()),
            // Somebody has reversed it: a merchant's backend does, without being asked.
            (Found::Ended(ending @ Ending::Revoked), _) => {
                return Some(closed(Outcome::Reversed, Reason::gateway(ending.code(), "")));
            }
            (Found::Ended(ending @ Ending::Closed), _) => {
                return Some(closed(Outcome::Declined, Reason::gateway(ending.code(), "")));
            }
            // A rate limit looks the same, and passes: only time tells.
            (Found::Inconclusive(Inconclusive::Unsigned(said)), Some(Doubt::Unsigned))
                if pending.polled_at >= self.rules.reverse_not_before =>
            {
                let reason = Reason::quoting(TillCause::Configuration, said.text.clone());
                let mut reversing = self.reversing_now(Shown::Attention, reason, true);
                reversing.reversal.poll_at(self.next_poll(Shown::Attention));
                return Some(Stage::Reversing(reversing));
            }
            // A failed query changes nothing but the reason shown.
            (Found::Inconclusive(what), None) if pending.phase != Phase::Waiting => {
                pending.reason = Some(what.reason().clone());
            }
            (Found::Inconclusive(_) | Found::Paid(_) | Found::AnotherTills(_), _) => {}
        }
        None
    }

    fn closed(&mut self, closed: &mut Closed, event: &Event) -> Option<Stage> {
        let recheck = closed.recheck.as_mut()?;
        if let Event::Restarted { .. } = event {
            recheck.awaits(None);
        } else if recheck.is_due(event, self.now) {
            recheck.awaits(Some(self.make(CallKind::Query).number));
        }
        match recheck.answer(event)? {
            // Delivered after all, but after its reversal.
            found @ (Found::Paid(_)
            | Found::Returning
            | Found::Paying
            | Found::NotPaid
            | Found::Failed(_)) => {
                let reason = TillCause::DeliveredLate.into();
                let mut reversing = self.reversing_now(Shown::Reversing, reason, false);
                if matches!(found, Found::Paid(_) | Found::Returning) {
                    reversing.held = Held::Taken;
                }
                self.reverse_or_wait(&mut reversing);
                Some(Stage::Reversing(reversing))
            }
            Found::Ended(Ending::Refunded) => {
                let mut refunded = self.refunded();
                // Whatever is looked for once more was reversed before.
                if let Stage::Reversing(reversing) = &mut refunded {
                    reversing.reversal.has_tried_before();
                }
                Some(refunded)
            }
            found => {
                closed.recheck = recheck.next(found, self.now, self.pace().longest_wait());
                None
            }
        }
    }

    /// Whether a query of that time would have seen an order that had arrived by then: it becomes
    /// visible some time later (protocol 4.4).
    fn is_visible(&self, polled_at: Millis, arrived_at: Millis) -> bool {
        polled_at >= arrived_at.plus(self.rules.query_interval)
    }

    fn doubt(&mut self, pending: &mut Pending, doubt: Doubt, reason: &Reason) {
        (pending.doubt, pending.doubted_at) = (Some(doubt), self.now);
        pending.phase = Phase::Checking;
        pending.reason = Some(reason.clone());
        self.query(pending);
        // The first one that tells something.
        pending.poll_at = self.now.plus(self.rules.query_interval);
    }

    fn query_now(&mut self, pending: &mut Pending) {
        pending.poll_at = self.next_on_grid();
        self.query(pending);
    }

    fn query(&mut self, pending: &mut Pending) {
        pending.polled_at = self.now;
        pending.awaiting = Some(self.make(CallKind::Query).number);
    }

    fn make(&mut self, kind: CallKind) -> Call {
        let call = Call { kind, number: self.calls };
        self.calls = self.calls.saturating_add(1);
        self.call = Some(call);
        call
    }

    fn pace(&self) -> Pace {
        Pace { now: self.now, interval: self.rules.query_interval, jitter: self.jitter }
    }

    /// Queries stay on multiples of the interval, however long answers take.
    fn next_on_grid(&self) -> Millis {
        let interval = self.rules.query_interval.0.max(1);
        Millis((self.now.0 / interval + 1).saturating_mul(interval))
    }

    /// The least time between two queries that a person asks for.
    fn shortest_pause(&self) -> Millis {
        Millis(self.rules.query_interval.0 / 5)
    }

    fn latest_payment(&self) -> Millis {
        self.rules.give_up_after.plus(LATE_PAYMENT)
    }
}

fn closed(outcome: Outcome, reason: Reason) -> Stage {
    Stage::Closed(Closed { outcome, reason, recheck: None })
}

fn returned() -> Stage {
    closed(Outcome::Returned, TillCause::PaidAtLastMoment.into())
}

/// The number is another till's: the gateway refuses our submission of it, whenever it arrives.
fn anothers(reason: &Reason) -> Stage {
    closed(Outcome::Declined, reason.clone())
}

fn never_sent(reason: &Reason) -> Stage {
    closed(Outcome::Declined, reason.clone())
}
