//! The transitions: what each event does to each stage.

use super::{
    Answer, Call, CallKind, Closed, Doubt, Ending, Event, LAST_MOMENT, Pending, Phase, Reason,
    Rules, Stage, Status, Told, Undoing, Watch,
};
use crate::clock::Millis;

/// A reversal is refused by the gateway when the payment is older (protocol 3.3).
const REVERSIBLE_FOR: Millis = Millis::seconds(7 * 24 * 3600);
/// How long a payment found late still counts: after that the customer has likely left, and the
/// goods stayed, so it is sent back.
const LATE_PAYMENT: Millis = Millis::seconds(60);
/// Waits between reversals double up to this many query intervals.
const LONGEST_WAIT_IN_INTERVALS: u64 = 6;
/// Two answers "no such order", so many intervals apart, confirm the reversal of a number the gateway
/// has never seen.
const ABSENT_APART: u64 = 2;
/// When, in give-up times after its end, such a number is looked at again: the request may have
/// been held up in the network and delivered late.
const LATER_LOOKS: [u64; 2] = [4, 20];

/// One step: what it may read, and the call it leads to.
pub(super) struct Step<'a> {
    calls: u32,
    spread: u8,
    now: Millis,
    rules: &'a Rules,
    call: Option<Call>,
}

impl<'a> Step<'a> {
    pub(super) fn new(calls: u32, spread: u8, now: Millis, rules: &'a Rules) -> Self {
        Self { calls, spread, now, rules, call: None }
    }

    /// The calls made so far, and the one this step leads to.
    pub(super) fn end(self) -> (u32, Option<Call>) {
        (self.calls, self.call)
    }

    pub(super) fn pending(&mut self, mut pending: Pending, event: &Event) -> Stage {
        match event {
            Event::Begun => Stage::Pending(pending),
            Event::Answered(call, answer) => self.pending_answered(pending, *call, answer),
            Event::Tick if self.now >= self.rules.give_up_after => {
                // What has been in the way all along says more than that time ran out.
                self.give_up(pending.reason.unwrap_or_else(|| Reason::new("timeout")), true)
            }
            Event::Tick if self.now >= pending.ask_at => {
                pending.ask_at = self.next_on_grid();
                // One query at a time: a slow gateway is not asked faster than it answers.
                if pending.awaiting.is_none() {
                    pending.asked_at = self.now;
                    pending.awaiting = Some(self.make(CallKind::Query).number);
                }
                Stage::Pending(pending)
            }
            Event::Tick => Stage::Pending(pending),
            // A key that is held down is no storm.
            Event::AskNow
                if pending.awaiting.is_none()
                    && self.now >= pending.asked_at.plus(self.shortest_pause()) =>
            {
                self.ask_now(pending)
            }
            Event::AskNow => Stage::Pending(pending),
            Event::Abandon => self.give_up(Reason::new("given_up"), true),
            Event::PutAside => match self.give_up(Reason::new("put_aside"), false) {
                Stage::Undoing(undoing) => Stage::Undoing(Undoing { put_aside: true, ..undoing }),
                other => other,
            },
            Event::Restarted { oldest } => {
                if pending.phase == Phase::Sent {
                    pending.phase = Phase::Checking;
                }
                if self.now.max(*oldest) >= self.rules.give_up_after {
                    let payable = *oldest <= self.latest_payment();
                    let reason = pending.reason.unwrap_or_else(|| Reason::new("restarted"));
                    let undoing = self.undoing_now(Told::Reversing, reason, payable);
                    return self.look(undoing);
                }
                self.ask_now(pending)
            }
        }
    }

    fn pending_answered(&mut self, mut pending: Pending, call: Call, answer: &Answer) -> Stage {
        // Proof is welcome from whichever call it comes: no reversal is on the wire yet.
        if let Answer::Paid(proof) = answer {
            if self.now <= self.latest_payment() {
                return Stage::Paid(proof.clone());
            }
            // The machine slept over it, and the customer is gone.
            let mut undoing = self.undoing_now(Told::Reversing, Reason::new("timeout"), false);
            undoing.held = Some(proof.clone());
            return self.look(undoing);
        }
        match call.kind {
            CallKind::Submit => self.submit_answered(pending, answer),
            CallKind::Query if pending.awaiting == Some(call.number) => {
                pending.awaiting = None;
                self.query_answered(pending, answer)
            }
            // Overtaken by a later question, or no call of a pending payment.
            CallKind::Query | CallKind::Reverse => Stage::Pending(pending),
        }
    }

    fn submit_answered(&mut self, mut pending: Pending, answer: &Answer) -> Stage {
        match answer {
            Answer::Paying => {
                pending.phase = Phase::Waiting;
                Stage::Pending(pending)
            }
            Answer::Declined(reason) => self.decline(reason.clone()),
            Answer::Doubtful(reason) => {
                pending.doubt = Some(Doubt::QueryFirst);
                self.check(pending, reason)
            }
            Answer::Refused(reason) => {
                pending.doubt = Some(Doubt::Unsigned);
                self.check(pending, reason)
            }
            Answer::NotSent(reason) => never_sent(reason),
            Answer::Unknown(reason) => {
                if pending.phase == Phase::Sent {
                    pending.phase = Phase::Checking;
                }
                pending.reason = Some(reason.clone());
                Stage::Pending(pending)
            }
            // Not answers to a submission: they prove nothing.
            Answer::Paid(_)
            | Answer::NotPaid
            | Answer::Failed(_)
            | Answer::Ended(_)
            | Answer::Absent
            | Answer::Withdrawn
            | Answer::NotYet(_)
            | Answer::Irreversible(_)
            | Answer::Expired(_) => {
                pending.phase = Phase::Checking;
                Stage::Pending(pending)
            }
        }
    }

    fn query_answered(&mut self, mut pending: Pending, answer: &Answer) -> Stage {
        match (answer, pending.doubt) {
            (Answer::Paying, _) => {
                pending.phase = Phase::Waiting;
                pending.doubt = None;
                pending.reason = None;
                Stage::Pending(pending)
            }
            (Answer::NotPaid | Answer::Absent, Some(_)) => {
                let reason = pending.reason.unwrap_or_else(|| Reason::new("refused"));
                self.close_declined(reason)
            }
            // Not visible yet, or on its way: nothing new.
            (Answer::NotPaid | Answer::Absent, None) => Stage::Pending(pending),
            (Answer::Failed(reason), _) => {
                let undoing = self.undoing_now(Told::Reversing, reason.clone(), true);
                self.reverse_or_wait(undoing)
            }
            (Answer::Ended(Ending::Refunded), _) => {
                Stage::Closed(closed(Status::Reversed, Some(Reason::new(LAST_MOMENT))))
            }
            (Answer::Ended(ending), _) => {
                Stage::Closed(closed(Status::Declined, Some(Reason::new(ending.code()))))
            }
            (Answer::Refused(reason), Some(Doubt::Unsigned)) => {
                let mut undoing = self.undoing_now(Told::Attention, reason.clone(), true);
                undoing.reason = Some(Reason { code: "configuration".into(), ..reason.clone() });
                undoing.next_at = self.next_look(&undoing);
                Stage::Undoing(undoing)
            }
            // A query that fails changes nothing but what is known of the trouble.
            (
                Answer::Refused(reason) | Answer::Unknown(reason) | Answer::NotSent(reason),
                Some(Doubt::QueryFirst) | None,
            ) => {
                if pending.doubt.is_none() && pending.phase != Phase::Waiting {
                    pending.reason = Some(reason.clone());
                }
                Stage::Pending(pending)
            }
            (
                Answer::Unknown(_)
                | Answer::NotSent(_)
                | Answer::Paid(_)
                | Answer::Declined(_)
                | Answer::Doubtful(_)
                | Answer::Withdrawn
                | Answer::NotYet(_)
                | Answer::Irreversible(_)
                | Answer::Expired(_),
                _,
            ) => Stage::Pending(pending),
        }
    }

    pub(super) fn undoing(&mut self, mut undoing: Undoing, event: &Event) -> Stage {
        match event {
            Event::Begun => Stage::Undoing(undoing),
            Event::Answered(call, answer) => self.undoing_answered(undoing, *call, answer),
            Event::Tick => {
                if undoing.told == Told::Reversing
                    && self.now >= undoing.since.plus(self.rules.attention_after)
                {
                    undoing.told = Told::Attention;
                }
                if undoing.awaiting.is_some() || self.now < undoing.next_at {
                    return Stage::Undoing(undoing);
                }
                if self.now > REVERSIBLE_FOR {
                    return too_old(undoing);
                }
                self.look(undoing)
            }
            // Each look may lead to a reversal: not faster than queries otherwise are.
            Event::AskNow
                if undoing.awaiting.is_none()
                    && self.now >= undoing.looked_at.plus(self.rules.query_interval) =>
            {
                self.look(undoing)
            }
            Event::AskNow | Event::Abandon => Stage::Undoing(undoing),
            Event::PutAside => {
                undoing.payable = false;
                undoing.put_aside = true;
                if undoing.told == Told::Reversing {
                    undoing.reason = Some(Reason::new("put_aside"));
                }
                Stage::Undoing(undoing)
            }
            Event::Restarted { oldest } => {
                undoing.payable &= *oldest <= self.latest_payment();
                // The answer went with the process; what was accepted is asked about again.
                self.look(undoing)
            }
        }
    }

    fn undoing_answered(&mut self, mut undoing: Undoing, call: Call, answer: &Answer) -> Stage {
        if let Answer::Paid(proof) = answer {
            if undoing.payable && self.now <= self.latest_payment() {
                return Stage::Paid(proof.clone());
            }
            undoing.held = Some(proof.clone());
            self.tell_money_found(&mut undoing);
        }
        // No connection was ever made for it, so there is nothing to undo.
        if let (CallKind::Submit, Answer::NotSent(reason)) = (call.kind, answer) {
            return never_sent(reason);
        }
        if undoing.awaiting != Some(call) {
            return Stage::Undoing(undoing);
        }
        undoing.awaiting = None;
        match call.kind {
            CallKind::Query => self.looked(undoing, answer),
            CallKind::Reverse => self.reversal_answered(undoing, answer),
            CallKind::Submit => Stage::Undoing(undoing),
        }
    }

    /// A query came back: undone at last, or a (further) reversal is due.
    fn looked(&mut self, mut undoing: Undoing, answer: &Answer) -> Stage {
        match answer {
            // It was shown as not paid: told first, and asked about once more.
            Answer::Ended(Ending::Refunded) if undoing.told == Told::Declined => {
                self.tell_money_found(&mut undoing);
                self.look(undoing)
            }
            Answer::Ended(ending) => {
                if *ending == Ending::Refunded || undoing.held.is_some() {
                    let reason = Some(Reason::new(LAST_MOMENT));
                    return Stage::Closed(closed(Status::Reversed, reason));
                }
                Stage::Closed(closed(undoing.ended_as(), undoing.reason))
            }
            // What was paid does not vanish: only the word that the money went back proves it.
            Answer::Absent if undoing.held.is_some() && undoing.accepted_at.is_some() => {
                self.again_later(undoing)
            }
            Answer::Absent if undoing.accepted_at.is_some() => {
                let first = *undoing.absent_since.get_or_insert(self.now);
                let second = first.plus(self.rules.query_interval.times(ABSENT_APART));
                if self.now < second {
                    undoing.next_at = second;
                    return Stage::Undoing(undoing);
                }
                let mut closed = closed(undoing.ended_as(), undoing.reason);
                let [first, second] =
                    LATER_LOOKS.map(|times| self.now.plus(self.rules.give_up_after.times(times)));
                closed.watch = Some(Watch { at: first, then: Some(second), awaiting: None });
                Stage::Closed(closed)
            }
            Answer::Paid(_) | Answer::NotPaid | Answer::Paying | Answer::Failed(_) => {
                if *answer == Answer::Paying {
                    self.tell_money_found(&mut undoing);
                }
                if let Some(since) = undoing.accepted_at.take() {
                    // The reversal's own word was not true.
                    return self.reverse_again(undoing, since);
                }
                self.reverse_or_wait(undoing)
            }
            Answer::Absent => self.reverse_or_wait(undoing),
            // The question stays open.
            Answer::Declined(_)
            | Answer::Doubtful(_)
            | Answer::Refused(_)
            | Answer::Withdrawn
            | Answer::NotYet(_)
            | Answer::Irreversible(_)
            | Answer::Expired(_)
            | Answer::NotSent(_)
            | Answer::Unknown(_) => {
                if undoing.accepted_at.is_some() {
                    return self.again_later(undoing);
                }
                self.reverse_or_wait(undoing)
            }
        }
    }

    fn reversal_answered(&mut self, mut undoing: Undoing, answer: &Answer) -> Stage {
        match answer {
            Answer::Withdrawn => {
                undoing.accepted_at = Some(self.now);
                undoing.absent_since = None;
                undoing.trouble = None;
                self.look(undoing)
            }
            Answer::Irreversible(reason) | Answer::Expired(reason) => {
                undoing.refused = true;
                undoing.expired |= matches!(answer, Answer::Expired(_));
                // A number that took nothing can stay open at the gateway without harm.
                if undoing.told != Told::Declined {
                    undoing.told = Told::Attention;
                    undoing.trouble = Some(reason.clone());
                }
                self.again_later(undoing)
            }
            Answer::NotYet(reason)
            | Answer::Refused(reason)
            | Answer::NotSent(reason)
            | Answer::Unknown(reason) => {
                undoing.refused = false;
                if undoing.told != Told::Declined {
                    undoing.trouble = Some(reason.clone());
                }
                self.again_later(undoing)
            }
            Answer::Paid(_)
            | Answer::Paying
            | Answer::NotPaid
            | Answer::Failed(_)
            | Answer::Ended(_)
            | Answer::Absent
            | Answer::Declined(_)
            | Answer::Doubtful(_) => self.again_later(undoing),
        }
    }

    pub(super) fn closed(&mut self, mut closed: Closed, event: &Event) -> Stage {
        let Some(watch) = closed.watch.as_mut() else { return Stage::Closed(closed) };
        match event {
            Event::Restarted { .. } => watch.awaiting = None,
            Event::Tick | Event::AskNow if watch.awaiting.is_none() => {
                if *event == Event::AskNow || self.now >= watch.at {
                    watch.awaiting = Some(self.make(CallKind::Query).number);
                }
            }
            Event::Answered(call, answer) if watch.awaiting == Some(call.number) => match answer {
                // Delivered after all, and after its reversal.
                Answer::Paid(_) | Answer::Paying | Answer::NotPaid | Answer::Failed(_) => {
                    let mut undoing =
                        self.undoing_now(Told::Reversing, Reason::new("delivered_late"), false);
                    if let Answer::Paid(proof) = answer {
                        undoing.held = Some(proof.clone());
                    }
                    return self.reverse_or_wait(undoing);
                }
                Answer::Absent | Answer::Ended(_) => {
                    closed.watch = watch.then.map(|at| Watch { at, then: None, awaiting: None });
                }
                Answer::Declined(_)
                | Answer::Doubtful(_)
                | Answer::Refused(_)
                | Answer::Withdrawn
                | Answer::NotYet(_)
                | Answer::Irreversible(_)
                | Answer::Expired(_)
                | Answer::NotSent(_)
                | Answer::Unknown(_) => {
                    watch.awaiting = None;
                    watch.at = self.now.plus(self.longest_wait());
                }
            },
            Event::Begun
            | Event::Answered(..)
            | Event::Tick
            | Event::AskNow
            | Event::Abandon
            | Event::PutAside => {}
        }
        Stage::Closed(closed)
    }

    fn check(&mut self, mut pending: Pending, reason: &Reason) -> Stage {
        pending.phase = Phase::Checking;
        pending.reason = Some(reason.clone());
        self.ask_now(pending)
    }

    fn ask_now(&mut self, mut pending: Pending) -> Stage {
        pending.ask_at = self.next_on_grid();
        pending.asked_at = self.now;
        pending.awaiting = Some(self.make(CallKind::Query).number);
        Stage::Pending(pending)
    }

    /// Nobody waits any longer: one last query, then the reversal.
    fn give_up(&mut self, reason: Reason, payable: bool) -> Stage {
        let mut undoing = self.undoing_now(Told::Reversing, reason, payable);
        if self.now < self.rules.reverse_not_before && self.now < self.rules.give_up_after {
            undoing.next_at = self.next_look(&undoing);
            return Stage::Undoing(undoing);
        }
        self.look(undoing)
    }

    /// A certain failure: told at once, confirmed by one query, its number closed later.
    fn decline(&mut self, reason: Reason) -> Stage {
        let undoing = self.undoing_now(Told::Declined, reason, false);
        self.look(undoing)
    }

    /// As [`Step::decline`], where the query has been made already.
    fn close_declined(&mut self, reason: Reason) -> Stage {
        let undoing = self.undoing_now(Told::Declined, reason, false);
        self.reverse_or_wait(undoing)
    }

    fn undoing_now(&self, told: Told, reason: Reason, payable: bool) -> Undoing {
        Undoing {
            told,
            reason: Some(reason),
            since: self.now,
            next_at: self.now,
            awaiting: None,
            looked_at: self.now,
            trouble: None,
            put_aside: false,
            payable,
            accepted_at: None,
            absent_since: None,
            tries: 0,
            refused: false,
            expired: false,
            held: None,
        }
    }

    fn look(&mut self, mut undoing: Undoing) -> Stage {
        undoing.looked_at = self.now;
        undoing.awaiting = Some(self.make(CallKind::Query));
        Stage::Undoing(undoing)
    }

    /// The query before it is answered; now the reversal, unless it would come too soon.
    fn reverse_or_wait(&mut self, mut undoing: Undoing) -> Stage {
        if undoing.expired {
            return self.again_later(undoing);
        }
        if self.now < self.rules.reverse_not_before {
            undoing.next_at = self.next_look(&undoing);
            return Stage::Undoing(undoing);
        }
        undoing.payable = false;
        undoing.awaiting = Some(self.make(CallKind::Reverse));
        Stage::Undoing(undoing)
    }

    /// A reversal did not do what its answer said: the next one, as long after that answer as two
    /// must be apart.
    fn reverse_again(&mut self, mut undoing: Undoing, answered: Millis) -> Stage {
        undoing.next_at = answered.plus(self.next_wait(&mut undoing));
        if self.now >= undoing.next_at {
            return self.reverse_or_wait(undoing);
        }
        Stage::Undoing(undoing)
    }

    /// While a reversal is held back, the customer may still pay: asked about as before. A number
    /// that took nothing can wait.
    fn next_look(&self, undoing: &Undoing) -> Millis {
        match undoing.told {
            Told::Declined => self.rules.reverse_not_before,
            Told::Reversing | Told::Attention => {
                let earliest = self.rules.reverse_not_before;
                let next = self.next_on_grid();
                if self.now < earliest { next.min(earliest) } else { next }
            }
        }
    }

    fn again_later(&mut self, mut undoing: Undoing) -> Stage {
        undoing.next_at = self.now.plus(self.next_wait(&mut undoing));
        Stage::Undoing(undoing)
    }

    /// Doubles with every reversal that did not help.
    fn next_wait(&self, undoing: &mut Undoing) -> Millis {
        undoing.tries = undoing.tries.saturating_add(1);
        let doubled = 1_u64 << (undoing.tries - 1).min(16);
        let wait = self.rules.query_interval.times(doubled).min(self.longest_wait());
        wait.plus(Millis(wait.0 / 1024 * u64::from(self.spread)))
    }

    /// A number shown as not paid may hold money after all: that must not stay hidden.
    fn tell_money_found(&self, undoing: &mut Undoing) {
        if undoing.told == Told::Declined {
            undoing.told = Told::Reversing;
            undoing.since = self.now;
        }
    }

    fn make(&mut self, kind: CallKind) -> Call {
        let call = Call { kind, number: self.calls };
        self.calls = self.calls.saturating_add(1);
        self.call = Some(call);
        call
    }

    /// Queries keep to multiples of the interval, however long answers take.
    fn next_on_grid(&self) -> Millis {
        let interval = self.rules.query_interval.0.max(1);
        Millis((self.now.0 / interval + 1).saturating_mul(interval))
    }

    /// Between two queries that a person wants.
    fn shortest_pause(&self) -> Millis {
        Millis(self.rules.query_interval.0 / 5)
    }

    fn longest_wait(&self) -> Millis {
        self.rules.query_interval.times(LONGEST_WAIT_IN_INTERVALS)
    }

    fn latest_payment(&self) -> Millis {
        self.rules.give_up_after.plus(LATE_PAYMENT)
    }
}

impl Undoing {
    fn ended_as(&self) -> Status {
        match self.told {
            Told::Declined => Status::Declined,
            Told::Reversing | Told::Attention => Status::Reversed,
        }
    }
}

fn closed(status: Status, reason: Option<Reason>) -> Closed {
    Closed { status, reason, watch: None }
}

fn never_sent(reason: &Reason) -> Stage {
    Stage::Closed(closed(Status::Declined, Some(reason.clone())))
}

/// No reversal helps any more. What took nothing stays that; the rest is a person's.
fn too_old(mut undoing: Undoing) -> Stage {
    if undoing.told == Told::Declined {
        return Stage::Closed(closed(Status::Declined, undoing.reason));
    }
    undoing.told = Told::Attention;
    undoing.next_at = Millis(u64::MAX);
    Stage::Undoing(undoing)
}
