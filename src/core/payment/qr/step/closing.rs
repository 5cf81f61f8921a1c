//! What each event does while a QR order is being closed, and after its end: query, close, query.

use super::Step;
use crate::clock::Millis;
use crate::payment::qr::state::{Closing, Ended, Outcome, Shown, Stage};
use crate::payment::recheck::Recheck;
use crate::payment::reversal::{NEVER, Reversal};
use crate::payment::{
    Answer, Call, CallKind, CloseSaid, Ending, Event, Found, Reason, Refunds, TillCause,
};

/// How long the till goes on; an order of this age has ended at the gateway (protocol 8).
const PURSUED_FOR: Millis = Millis::seconds(7 * 24 * 3600);

impl Step<'_> {
    pub(super) fn closing(&mut self, closing: &mut Closing, event: &Event) -> Option<Stage> {
        match event {
            // What nobody can pay can stay open without harm.
            Event::MerchantChanged if closing.shown != Shown::Declined => {
                closing.leave_to_a_person();
            }
            Event::Settled(how) if closing.shown == Shown::Attention => {
                let reason = Reason::quoting(TillCause::Settled, how.clone());
                return Some(Gone::new(Outcome::Settled, reason).into());
            }
            Event::Begun | Event::Cancel | Event::MerchantChanged | Event::Settled(_) => {}
            Event::Answered(number, answer) => {
                return self.closing_answered(closing, *number, answer);
            }
            Event::Tick => {
                if closing.shown == Shown::Closing
                    && self.now >= closing.since.plus(self.rules.attention_after)
                {
                    closing.shown = Shown::Attention;
                }
                if closing.reversal.is_due(self.now) {
                    if self.now > PURSUED_FOR {
                        return closing.too_old();
                    }
                    self.poll(closing);
                }
            }
            Event::CheckNow | Event::Billed { .. } => {
                if closing.reversal.may_poll(self.pace()) {
                    self.poll(closing);
                }
            }
            // The answer was lost with the process.
            Event::Restarted { .. } => self.poll(closing),
        }
        None
    }

    fn closing_answered(
        &mut self,
        closing: &mut Closing,
        number: u32,
        answer: &Answer,
    ) -> Option<Stage> {
        // Taken, not lost: whoever does not want it refunds it.
        if let Some(proof) = answer.proof() {
            let late = Some(TillCause::PaidAfterAll.into());
            return Some(Stage::Paid { proof: proof.clone(), late });
        }
        if let Answer::Found(Found::AnotherTills(reason)) = answer
            && !self.is_ours
        {
            return Some(Gone::new(Outcome::Declined, reason.clone()).into());
        }
        if !closing.reversal.take_answer(Call { kind: answer.kind(), number }) {
            return None;
        }
        match answer {
            Answer::Found(found) => self.polled(closing, found),
            Answer::Closed(said) => {
                self.close_answered(closing, said);
                None
            }
            Answer::Refunds(refunds) => self.refunds_answered(closing, refunds),
            Answer::Ordered(_) | Answer::Submitted(_) | Answer::Reversed(_) => None,
        }
    }

    /// A query was answered: either the end is confirmed, or it has to be closed.
    fn polled(&mut self, closing: &mut Closing, found: &Found) -> Option<Stage> {
        match found {
            Found::Ended(Ending::Refunded) => self.query_refunds(closing),
            Found::Ended(Ending::Closed | Ending::Revoked) if closing.is_refunded => {
                return Some(Gone::by(Ending::Returned, None).into());
            }
            Found::Ended(ending) => return Some(Gone::by(*ending, Some(closing)).into()),
            Found::NotFound => return self.not_found(closing),
            // A payment was seen: one of the two answers is wrong.
            Found::Declined { .. } if closing.is_refunded => {
                closing.reversal.poll_later(self.pace());
            }
            Found::Declined { closed: true, .. } => {
                return Some(Gone::by(Ending::Closed, Some(closing)).into());
            }
            Found::Returning => {
                closing.is_refunded = true;
                self.show_money_found(closing);
                closing.reversal.poll_later(self.pace());
            }
            Found::NotPaid | Found::Paying | Found::Failed(_) | Found::Declined { .. } => {
                // Somebody pays what was shown as not paid: that must not stay hidden.
                if *found == Found::Paying {
                    self.show_money_found(closing);
                }
                // The answer to the closing may have been untrue.
                let repeats = closing.reversal.contradicted(self.pace());
                if !repeats || closing.reversal.is_due(self.now) {
                    self.close_unless_paid(closing);
                }
            }
            // It was shown to be ours, so one of the two answers is wrong.
            Found::AnotherTills(_) => closing.reversal.poll_later(self.pace()),
            Found::Inconclusive(_) if closing.reversal.is_accepted() => {
                closing.reversal.poll_later(self.pace());
            }
            // It may be another till's, or somebody is returning the money.
            Found::Inconclusive(what) if !self.is_ours || closing.is_refunded => {
                closing.note(what.reason());
                closing.reversal.poll_later(self.pace());
            }
            Found::Inconclusive(_) => self.close_unless_paid(closing),
            Found::Paid(_) => {}
        }
        None
    }

    /// The gateway does not know the order. It may not be visible yet.
    fn not_found(&mut self, closing: &mut Closing) -> Option<Stage> {
        let is_visible =
            closing.reversal.polled_at() >= closing.since.plus(self.rules.query_interval);
        self.is_ours |= is_visible;
        // A payment does not vanish.
        if closing.is_refunded {
            closing.reversal.poll_later(self.pace());
            return None;
        }
        // A signed refusal, and nothing there: that is the end of it.
        if !closing.may_arrive && !closing.had_code {
            return Some(Gone::new(Outcome::Declined, closing.reason.clone()).into());
        }
        if closing.reversal.is_accepted() {
            if !closing.reversal.confirms_not_found(self.pace()) {
                return None;
            }
            let mut gone = Gone::by(Ending::Closed, Some(closing));
            if closing.may_arrive {
                gone.0.recheck = Some(Recheck::first(self.now, self.rules));
            }
            return Some(gone.into());
        }
        if self.is_ours {
            self.close_unless_paid(closing);
        } else {
            closing.reversal.poll_at(closing.since.plus(self.rules.query_interval));
        }
        None
    }

    fn close_answered(&mut self, closing: &mut Closing, said: &CloseSaid) {
        let reason = match said {
            CloseSaid::Accepted => {
                closing.reversal.accept(self.now);
                closing.obstacle = None;
                return self.poll(closing);
            }
            // A query shows it; at once the first time, and no storm if it never does.
            CloseSaid::Paid(_) => {
                closing.said_paid = true;
                let is_first = closing.reversal.is_first();
                closing.reversal.poll_later(self.pace());
                if is_first {
                    self.poll(closing);
                }
                return;
            }
            CloseSaid::Repeat(reason) | CloseSaid::Refused(reason) => reason,
            CloseSaid::Inconclusive(what) => what.reason(),
        };
        closing.refused = matches!(said, CloseSaid::Refused(_));
        closing.note(reason);
        closing.reversal.poll_later(self.pace());
    }

    /// The refunds say whether all of the money went back.
    fn refunds_answered(&mut self, closing: &mut Closing, refunds: &Refunds) -> Option<Stage> {
        match refunds {
            Refunds::Whole => return Some(Gone::by(Ending::Returned, None).into()),
            // Somebody is deciding about this money.
            Refunds::Part(reason) => {
                closing.shown = Shown::Attention;
                closing.obstacle = Some(reason.clone());
            }
            // The till never returns such an order: somebody else does, and it may be a part.
            Refunds::Untold => {
                closing.shown = Shown::Attention;
                closing.obstacle = Some(TillCause::RefundUntold.into());
            }
            Refunds::None => {}
            Refunds::Inconclusive(what) => closing.obstacle = Some(what.reason().clone()),
        }
        closing.reversal.poll_later(self.pace());
        None
    }

    /// After its end: an order that may have been held up is looked for, and closed if it is there.
    pub(super) fn ended(&mut self, ended: &mut Ended, event: &Event) -> Option<Stage> {
        let recheck = ended.recheck.as_mut()?;
        if let Event::Restarted { .. } = event {
            recheck.awaits(None);
        } else if recheck.is_due(event, self.now) {
            recheck.awaits(Some(self.make(CallKind::Query).number));
        }
        match recheck.answer(event)? {
            Found::Paid(proof) => {
                let late = Some(TillCause::PaidAfterAll.into());
                Some(Stage::Paid { proof: proof.clone(), late })
            }
            Found::Returning => Some(self.returning(false)),
            Found::NotPaid | Found::Paying | Found::Failed(_) => {
                let mut closing = self.closing_now(Shown::Declined, ended.reason.clone(), false);
                self.close(&mut closing);
                Some(Stage::Closing(closing))
            }
            found => {
                ended.recheck = recheck.next(found, self.now, self.pace().longest_wait());
                None
            }
        }
    }

    pub(super) const fn closing_now(
        &self,
        shown: Shown,
        reason: Reason,
        had_code: bool,
    ) -> Closing {
        Closing {
            shown,
            reason,
            obstacle: None,
            since: self.now,
            had_code,
            may_arrive: false,
            refused: false,
            is_refunded: false,
            said_paid: false,
            reversal: Reversal::new(self.now),
        }
    }

    /// There was a payment, and whoever reverses it for us is returning the money.
    pub(super) fn returning(&self, had_code: bool) -> Stage {
        let reason = TillCause::PaidAtLastMoment.into();
        let mut closing = self.closing_now(Shown::Closing, reason, had_code);
        closing.is_refunded = true;
        closing.reversal.poll_later(self.pace());
        Stage::Closing(closing)
    }

    /// What was shown as not paid holds money, which must not stay hidden.
    const fn show_money_found(&self, closing: &mut Closing) {
        if let Shown::Declined = closing.shown {
            (closing.shown, closing.since) = (Shown::Closing, self.now);
        }
    }

    /// Who was told that it is paid waits for the query that shows it, and does not close it at once.
    fn close_unless_paid(&mut self, closing: &mut Closing) {
        if !closing.said_paid || closing.reversal.is_due(self.now) {
            self.close(closing);
        }
    }

    pub(super) fn close(&mut self, closing: &mut Closing) {
        closing.said_paid = false;
        closing.reversal.act(self.make(CallKind::Close));
    }

    pub(super) fn query_refunds(&mut self, closing: &mut Closing) {
        closing.is_refunded = true;
        self.show_money_found(closing);
        let query = self.make(CallKind::RefundQuery);
        closing.reversal.poll(query, self.now);
    }
}

impl Closing {
    /// Nothing is asked until the till is started for the right merchant.
    pub(super) fn leave_to_a_person(&mut self) {
        self.shown = Shown::Attention;
        self.obstacle = Some(TillCause::MerchantChanged.into());
        self.reversal.poll_at(NEVER);
    }

    /// Nobody needs to hear what keeps an order open that nobody can pay.
    fn note(&mut self, reason: &Reason) {
        if self.shown != Shown::Declined {
            self.obstacle = Some(reason.clone());
            if self.refused {
                self.shown = Shown::Attention;
            }
        }
    }

    /// It has ended at the gateway by itself. What nobody could pay is over; the rest needs a person.
    fn too_old(&mut self) -> Option<Stage> {
        if self.shown == Shown::Declined {
            return Some(Gone::new(Outcome::Declined, self.reason.clone()).into());
        }
        self.shown = Shown::Attention;
        self.reversal.poll_at(NEVER);
        None
    }
}

/// An end without the money.
pub(super) struct Gone(Ended);

impl Gone {
    pub(super) const fn new(outcome: Outcome, reason: Reason) -> Self {
        Self(Ended { outcome, reason, recheck: None })
    }

    /// By the gateway's word; why, if the till had wanted it.
    pub(super) fn by(ending: Ending, closing: Option<&Closing>) -> Self {
        let outcome = match (ending, closing.map(|closing| closing.had_code)) {
            (Ending::Returned | Ending::Refunded, _) => {
                return Self::new(Outcome::Returned, TillCause::PaidAtLastMoment.into());
            }
            (Ending::Closed | Ending::Revoked, Some(false)) => Outcome::Declined,
            (Ending::Closed | Ending::Revoked, _) => Outcome::Closed,
        };
        let reason = closing.map(|closing| closing.reason.clone());
        Self::new(outcome, reason.unwrap_or_else(|| Reason::gateway(ending.code(), "")))
    }
}

impl From<Gone> for Stage {
    fn from(gone: Gone) -> Self {
        Self::Ended(gone.0)
    }
}
