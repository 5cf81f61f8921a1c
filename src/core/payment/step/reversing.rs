//! What each event does while a payment is being reversed, or a number that took nothing is closed.

use super::{Step, anothers, closed, never_sent, returned};
use crate::clock::Millis;
use crate::payment::answer::{
    Answer, Call, CallKind, Ending, Found, Inconclusive, Reason, Refunds, Reversed, Submitted,
    TillCause,
};
use crate::payment::event::Event;
use crate::payment::recheck::Recheck;
use crate::payment::reversal::{NEVER, Reversal};
use crate::payment::state::{Closed, Held, Outcome, Reversing, Shown, Stage};

/// The gateway refuses to reverse an older payment (protocol 5.4).
const REVERSIBLE_FOR: Millis = Millis::seconds(7 * 24 * 3600);

impl Step<'_> {
    pub(super) fn reversing(&mut self, reversing: &mut Reversing, event: &Event) -> Option<Stage> {
        match event {
            // A number that took nothing can stay open at the gateway without harm.
            Event::MerchantChanged if reversing.shown != Shown::Declined => {
                leave_to_a_person(reversing);
            }
            Event::MerchantChanged => {}
            Event::Settled(how) if reversing.shown == Shown::Attention => {
                let reason = Reason::quoting(TillCause::Settled, how.clone());
                return Some(closed(Outcome::Settled, reason));
            }
            Event::Settled(_) => {}
            Event::Begun | Event::Cancel => {}
            Event::Answered(number, answer) => {
                return self.reversing_answered(reversing, *number, answer);
            }
            Event::Tick => {
                if reversing.shown == Shown::Reversing
                    && self.now >= reversing.since.plus(self.rules.attention_after)
                {
                    reversing.shown = Shown::Attention;
                }
                if reversing.reversal.is_due(self.now) {
                    if self.now > REVERSIBLE_FOR {
                        return too_old(reversing);
                    }
                    self.poll(reversing);
                }
            }
            Event::CheckNow | Event::Billed { .. } => {
                if reversing.reversal.may_poll(self.pace()) {
                    self.poll(reversing);
                }
            }
            Event::Restarted { oldest } => {
                reversing.payable &= *oldest <= self.latest_payment();
                // The answer was lost with the process; what was accepted is queried again.
                self.poll(reversing);
            }
        }
        None
    }

    fn reversing_answered(
        &mut self,
        reversing: &mut Reversing,
        number: u32,
        answer: &Answer,
    ) -> Option<Stage> {
        if let Some(proof) = answer.proof() {
            if reversing.payable && self.now <= self.latest_payment() {
                return Some(Stage::Paid(proof.clone()));
            }
            reversing.held = Held::Taken;
            self.show_money_found(reversing);
        }
        if let Answer::Found(Found::AnotherTills(reason)) = answer
            && reversing.held == Held::Unseen
        {
            return Some(anothers(reason));
        }
        // No connection was ever made for it, so there is nothing to reverse.
        if let Answer::Submitted(Submitted::Inconclusive(Inconclusive::NotSent(reason))) = answer {
            return Some(never_sent(reason));
        }
        if !reversing.reversal.take_answer(Call { kind: answer.kind(), number }) {
            return None;
        }
        match answer {
            Answer::Submitted(_) | Answer::Ordered(_) | Answer::Closed(_) => None,
            Answer::Found(found) => self.polled(reversing, found),
            Answer::Refunds(refunds) => self.refunds_answered(reversing, refunds),
            Answer::Reversed(answer) => {
                self.reversal_answered(reversing, answer);
                None
            }
        }
    }

    /// A query was answered: either the reversal is confirmed, or another one is due.
    fn polled(&mut self, reversing: &mut Reversing, found: &Found) -> Option<Stage> {
        self.is_ours |=
            *found == Found::NotFound && self.is_visible(reversing.reversal.polled_at(), Millis(0));
        match found {
            // It was proved ours before: one of the two answers is wrong.
            Found::AnotherTills(_) => reversing.reversal.poll_later(self.pace()),
            // It was shown as not paid: the money is shown first, and queried once more.
            Found::Ended(Ending::Returned) if reversing.shown == Shown::Declined => {
                self.show_money_found(reversing);
                self.poll(reversing);
            }
            // It may be a part, returned by somebody else.
            Found::Ended(Ending::Refunded) => {
                self.show_money_found(reversing);
                self.query_refunds(reversing);
            }
            Found::Ended(ending) => {
                if *ending == Ending::Returned || reversing.held != Held::Unseen {
                    return Some(returned());
                }
                return Some(closed(reversing.outcome(), reversing.reason.clone()));
            }
            Found::NotFound if reversing.reversal.is_accepted() => {
                // A payment does not vanish: only an answer that it was returned proves it.
                if reversing.held != Held::Unseen {
                    reversing.reversal.poll_later(self.pace());
                } else if reversing.reversal.confirms_not_found(self.pace()) {
                    return Some(Stage::Closed(Closed {
                        outcome: reversing.outcome(),
                        reason: reversing.reason.clone(),
                        recheck: Some(Recheck::first(self.now, self.rules)),
                    }));
                }
            }
            // A payment was seen: one of the two answers is wrong.
            Found::Declined { .. } if reversing.held != Held::Unseen => {
                reversing.reversal.poll_later(self.pace());
            }
            Found::Declined { reason, closed: true } => {
                return Some(closed(Outcome::Declined, reason.clone()));
            }
            Found::Returning => {
                reversing.held = Held::Taken;
                reversing.payable = false;
                self.show_money_found(reversing);
                // What it is reversed by is at work; it is only asked about.
                if !reversing.reversal.contradicted(self.pace()) {
                    reversing.reversal.poll_later(self.pace());
                }
            }
            Found::Paid(_)
            | Found::NotPaid
            | Found::Paying
            | Found::Failed(_)
            | Found::Declined { closed: false, .. } => {
                if let Found::Declined { reason, .. } = found {
                    reversing.show_declined(reason);
                }
                if *found == Found::Paying {
                    self.show_money_found(reversing);
                }
                // The answer to the reversal may have been untrue.
                let repeats = reversing.reversal.contradicted(self.pace());
                if !repeats || reversing.reversal.is_due(self.now) {
                    self.reverse_or_wait(reversing);
                }
            }
            // Still unclear.
            Found::Inconclusive(_) if reversing.reversal.is_accepted() => {
                reversing.reversal.poll_later(self.pace());
            }
            // It may be another till's, or somebody else is returning the money.
            Found::Inconclusive(what) if !self.is_ours || reversing.held == Held::Refunded => {
                if reversing.shown != Shown::Declined {
                    reversing.obstacle = Some(what.reason().clone());
                }
                reversing.reversal.poll_later(self.pace());
            }
            Found::NotFound | Found::Inconclusive(_) => self.reverse_or_wait(reversing),
        }
        None
    }

    /// The refunds say whether all of the money went back.
    fn refunds_answered(&mut self, reversing: &mut Reversing, refunds: &Refunds) -> Option<Stage> {
        match refunds {
            Refunds::Whole => return Some(returned()),
            // A reversal may not count among the refunds (protocol 4.3).
            Refunds::None if reversing.reversal.is_accepted() => return Some(returned()),
            // A reversal returns everything, and this one was accepted.
            Refunds::Untold if reversing.reversal.is_accepted() => return Some(returned()),
            // Whether that one was carried out, repeating it tells.
            Refunds::Untold if reversing.reversal.has_acted() => self.reverse_or_wait(reversing),
            // As of a part: it may be one, and the rest is not ours to return.
            Refunds::Untold => {
                reversing.shown = Shown::Attention;
                reversing.obstacle = Some(TillCause::RefundUntold.into());
                reversing.reversal.poll_later(self.pace());
            }
            // Somebody is deciding about this money: returning the rest as well is up to them.
            Refunds::Part(reason) => {
                reversing.shown = Shown::Attention;
                reversing.obstacle = Some(reason.clone());
                reversing.reversal.poll_later(self.pace());
            }
            Refunds::None => {
                reversing.held = Held::Taken;
                self.reverse_or_wait(reversing);
            }
            Refunds::Inconclusive(what) => {
                reversing.obstacle = Some(what.reason().clone());
                reversing.reversal.poll_later(self.pace());
            }
        }
        None
    }

    fn reversal_answered(&mut self, reversing: &mut Reversing, answer: &Reversed) {
        let reason = match answer {
            Reversed::Accepted => {
                reversing.reversal.accept(self.now);
                reversing.obstacle = None;
                return self.poll(reversing);
            }
            Reversed::Refused(reason) | Reversed::Expired(reason) | Reversed::Repeat(reason) => {
                reason
            }
            Reversed::Inconclusive(what) => what.reason(),
        };
        reversing.refused = matches!(answer, Reversed::Refused(_) | Reversed::Expired(_));
        if matches!(answer, Reversed::Expired(_)) {
            reversing.reversal.expire();
        }
        // A number that took nothing can stay open at the gateway without harm.
        if reversing.shown != Shown::Declined {
            reversing.obstacle = Some(reason.clone());
            if reversing.refused {
                reversing.shown = Shown::Attention;
            }
        }
        reversing.reversal.poll_later(self.pace());
    }

    /// The wait is over: one last query, then the reversal.
    pub(super) fn start_reversal(&mut self, reason: Reason, payable: bool) -> Reversing {
        let mut reversing = self.reversing_now(Shown::Reversing, reason, payable);
        if self.now < self.rules.reverse_not_before && self.now < self.rules.give_up_after {
            reversing.reversal.poll_at(self.next_poll(Shown::Reversing));
        } else {
            self.poll(&mut reversing);
        }
        reversing
    }

    /// A certain failure: shown at once, confirmed by one query, and its number closed later.
    pub(super) fn decline(&mut self, reason: Reason) -> Stage {
        let mut reversing = self.reversing_now(Shown::Declined, reason, false);
        self.poll(&mut reversing);
        Stage::Reversing(reversing)
    }

    pub(super) fn reversing_now(&self, shown: Shown, reason: Reason, payable: bool) -> Reversing {
        Reversing {
            shown,
            reason,
            obstacle: None,
            since: self.now,
            payable,
            refused: false,
            held: Held::Unseen,
            reversal: Reversal::new(self.now),
        }
    }

    /// There was a payment, of which somebody else has returned at least a part.
    pub(super) fn refunded(&mut self) -> Stage {
        let reason = TillCause::PaidAtLastMoment.into();
        let mut reversing = self.reversing_now(Shown::Reversing, reason, false);
        self.query_refunds(&mut reversing);
        Stage::Reversing(reversing)
    }

    /// There was a payment, and whoever reverses it for us is returning the money.
    pub(super) fn returning(&mut self) -> Stage {
        let reason = TillCause::PaidAtLastMoment.into();
        let mut reversing = self.reversing_now(Shown::Reversing, reason, false);
        reversing.held = Held::Taken;
        reversing.reversal.poll_later(self.pace());
        Stage::Reversing(reversing)
    }

    fn query_refunds(&mut self, reversing: &mut Reversing) {
        reversing.held = Held::Refunded;
        let query = self.make(CallKind::RefundQuery);
        reversing.reversal.poll(query, self.now);
    }

    pub(super) fn poll(&mut self, reversing: &mut Reversing) {
        let query = self.make(CallKind::Query);
        reversing.reversal.poll(query, self.now);
    }

    /// The query has been answered; now reverses, unless it would be too soon.
    pub(super) fn reverse_or_wait(&mut self, reversing: &mut Reversing) {
        if reversing.reversal.has_expired() {
            reversing.reversal.poll_later(self.pace());
        } else if self.now < self.rules.reverse_not_before {
            reversing.reversal.poll_at(self.next_poll(reversing.shown));
        } else {
            reversing.payable = false;
            reversing.reversal.act(self.make(CallKind::Reverse));
        }
    }

    /// While a reversal is held back the customer may still pay, so polls go on as before. A number
    /// that took nothing can wait.
    pub(super) fn next_poll(&self, shown: Shown) -> Millis {
        let earliest = self.rules.reverse_not_before;
        let next = self.next_on_grid();
        match shown {
            Shown::Declined => earliest,
            Shown::Reversing | Shown::Attention if self.now < earliest => next.min(earliest),
            Shown::Reversing | Shown::Attention => next,
        }
    }

    /// A number shown as not paid may hold money after all, which must not stay hidden.
    fn show_money_found(&self, reversing: &mut Reversing) {
        if reversing.shown == Shown::Declined {
            reversing.shown = Shown::Reversing;
            reversing.since = self.now;
        }
    }
}

impl Reversing {
    /// Nobody was charged, for certain: the cashier need not wait until the number is closed.
    fn show_declined(&mut self, reason: &Reason) {
        (self.shown, self.payable) = (Shown::Declined, false);
        (self.reason, self.obstacle) = (reason.clone(), None);
    }

    /// How it ends once the gateway confirms it, if it was never seen paid.
    fn outcome(&self) -> Outcome {
        match self.shown {
            Shown::Declined => Outcome::Declined,
            Shown::Reversing | Shown::Attention => Outcome::Reversed,
        }
    }
}

/// Nothing is asked until the till is started for the right merchant.
pub(super) fn leave_to_a_person(reversing: &mut Reversing) {
    reversing.shown = Shown::Attention;
    reversing.obstacle = Some(TillCause::MerchantChanged.into());
    reversing.reversal.poll_at(NEVER);
}

/// No reversal is possible any more. What took nothing is closed as such; the rest needs a person.
fn too_old(reversing: &mut Reversing) -> Option<Stage> {
    if reversing.shown == Shown::Declined {
        return Some(closed(Outcome::Declined, reversing.reason.clone()));
    }
    reversing.shown = Shown::Attention;
    reversing.reversal.poll_at(NEVER);
    None
}
