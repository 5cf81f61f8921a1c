//! What becomes of a payment's row, decided purely: the state machine steps, and around it the rules that
//! hold between tills and the backend.

use paytill_core::clock::{Millis, Timestamp};
use paytill_core::gateway::backend::message::{Channel, Refused};
use paytill_core::payment::{Call, Event, Funds, Rules, State, Status};

use crate::store::{Acknowledged, Change, Lease, PaymentRow, StoreError, Write};

/// What a call's lease is longer than the call may take.
const MARGIN: Millis = Millis::seconds(5);

/// How long whoever makes a call that may take so long holds the payment.
pub const fn lease_for(request_timeout: Millis) -> Millis {
    Millis(request_timeout.0 + MARGIN.0)
}

/// Whether a call that may take so long may still be made: somebody else may have taken over while this
/// process was stopped.
pub fn is_in_time(lease: Option<&Lease>, now: Timestamp, request_timeout: Millis) -> bool {
    lease.is_some_and(|lease| now.after(request_timeout) <= lease.until)
}

/// What a till is told whose request could not be written down. It was not sent on, for certain, unless
/// it is not known whether it was written.
pub const fn unwritten(error: &StoreError) -> Refused {
    match error {
        // The commit itself may have arrived; or there is a row, from an earlier copy of the request.
        StoreError::Unsure(_) | StoreError::Spoilt(_) => Refused::Failed,
        StoreError::Unreachable(_)
        | StoreError::Failed(_)
        | StoreError::Text
        | StoreError::Full
        | StoreError::ReadOnly
        | StoreError::Busy
        | StoreError::Again
        | StoreError::Schema { .. }
        | StoreError::Held => Refused::NotSent,
    }
}

/// When and by whom it is decided.
#[derive(Clone, Copy, Debug)]
pub struct Deciding<'a> {
    pub at: Timestamp,
    pub rules: &'a Rules,
    /// The instance that will make the calls.
    pub instance: &'a str,
    /// How long a call may be under way.
    pub lease: Millis,
    /// No other instance works on this database: whoever held a lease is gone.
    pub is_alone: bool,
}

/// The row after a decision, and the call to make once it is on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    pub row: PaymentRow,
    pub call: Option<Call>,
}

/// A fact that a request to be paid meets.
#[derive(Clone, Debug, PartialEq)]
pub enum Begun {
    /// It is new, and written down.
    New(Box<Decided>),
    /// The same request came before.
    Known(Box<PaymentRow>),
    Refused(Refused),
}

impl Deciding<'_> {
    /// Whether whoever holds this lease is not expected back.
    pub(super) fn is_abandoned(self, lease: Option<&Lease>) -> bool {
        lease.is_some_and(|lease| {
            lease.until <= self.at || self.is_alone && lease.owner != self.instance
        })
    }

    /// The lease after a decision: a new one for a call, none once nobody is awaited.
    pub(super) fn lease_after(
        self,
        is_call: bool,
        is_awaited: bool,
        held: Option<Lease>,
    ) -> Option<Lease> {
        if is_call {
            let (owner, until) = (self.instance.to_owned(), self.at.after(self.lease));
            return Some(Lease { owner, until });
        }
        held.filter(|_| is_awaited)
    }

    /// What is due and has nothing to do is not due again at once.
    pub(super) fn not_at_once(self, wake_at: Option<Timestamp>) -> Option<Timestamp> {
        wake_at.map(|at| if at <= self.at { self.at.after(Millis::seconds(1)) } else { at })
    }

    /// The age of what began then.
    pub(super) fn since(self, began_at: Timestamp) -> Millis {
        Millis(u64::try_from(self.at.0.saturating_sub(began_at.0)).unwrap_or(0))
    }
}

/// When somebody must look next at what began then: when its state is due, or its lease ends.
pub(super) fn wake_at(
    began_at: Timestamp,
    due: Option<Millis>,
    lease: Option<&Lease>,
) -> Option<Timestamp> {
    let due = due.map(|at| began_at.after(at));
    due.into_iter().chain(lease.map(|lease| lease.until)).min()
}

type Decision = Change<Option<Box<Decided>>>;

/// A request to be paid: one number, one body. `new` is the row that it would make.
pub fn begin(row: Option<&PaymentRow>, new: &PaymentRow, now: Deciding<'_>) -> Change<Begun> {
    let Some(row) = row else {
        let call = match new.channel {
            Channel::Micropay => Call::SUBMISSION,
            Channel::Native => paytill_core::payment::QrState::FIRST,
        };
        let row = kept(new.clone(), Some(call), now);
        let write =
            Write { row: row.clone(), event: Some((Event::Begun, Vec::new())), outbox: Vec::new() };
        let decided = Box::new(Decided { row, call: Some(call) });
        return Change { write: Some(write), result: Begun::New(decided) };
    };
    let result = if row.till != new.till {
        Begun::Refused(Refused::NumberUsed)
    } else if row.fingerprint.is_empty() {
        // It was reversed before it came.
        Begun::Refused(Refused::Closed)
    } else if row.fingerprint == new.fingerprint {
        Begun::Known(Box::new(row.clone()))
    } else {
        Begun::Refused(Refused::NumberUsed)
    };
    Change::none(result)
}

/// Whether a till that waits is told of this at once: that is any version but the one that it knows. If
/// it names none, it is another status than the one that its question has found, or the end.
pub fn is_news(row: &PaymentRow, known: Option<i64>, found: Status) -> bool {
    let status = row.state.status();
    match known {
        Some(known) => row.version > known,
        None => status.is_final_for_cashier() || status != found,
    }
}

/// The till has been told of this version. That is a note, and no event.
pub fn seen(row: Option<&PaymentRow>, version: i64) -> Change<()> {
    let row = row.filter(|row| row.seen < version);
    let write = row.map(|row| Write::note(PaymentRow { seen: version, ..row.clone() }));
    Change { write, result: () }
}

/// The till has a payment on record as paid: `true` if it is its own. That is a note, too.
pub fn acknowledged(row: Option<&PaymentRow>, till: &str) -> Change<Option<PaymentRow>> {
    let Some(row) = row.filter(|row| row.till == till) else { return Change::none(None) };
    if row.state.status() != Status::Paid || row.acknowledged == Acknowledged::Yes {
        return Change::none(Some(row.clone()));
    }
    let row = PaymentRow { acknowledged: Acknowledged::Yes, ..row.clone() };
    Change { write: Some(Write::note(row.clone())), result: Some(row) }
}

/// An event of a payment, with the fields that came with it.
pub fn happened(
    row: Option<&PaymentRow>,
    event: &Event,
    wire: &[(String, String)],
    now: Deciding<'_>,
) -> Decision {
    let Some(row) = row else { return Change::none(None) };
    let mut state = row.state.clone();
    let call = state.step(event, now.since(row.began_at), now.rules);
    moved(row, state, call, (event, wire), now)
}

/// Somebody looks at a payment because its time has come, or because whoever had a call under way for
/// it has not come back.
pub fn woken(row: Option<&PaymentRow>, now: Deciding<'_>) -> Decision {
    let Some(row) = row else { return Change::none(None) };
    let is_abandoned = now.is_abandoned(row.lease.as_ref());
    let mut decision = if is_abandoned {
        let event = Event::Restarted { oldest: now.since(row.began_at) };
        let bare = PaymentRow { lease: None, ..row.clone() };
        happened(Some(&bare), &event, &[], now)
    } else {
        happened(Some(row), &Event::Tick, &[], now)
    };
    decision.write = rested(row, decision.write, is_abandoned, now);
    decision
}

/// As [`Deciding::not_at_once`]; and a lease that has ended is gone.
fn rested(
    row: &PaymentRow,
    write: Option<Write>,
    is_abandoned: bool,
    now: Deciding<'_>,
) -> Option<Write> {
    let mut write = write.unwrap_or_else(|| {
        let bare = || PaymentRow { lease: None, ..row.clone() };
        Write::note(if is_abandoned { kept(bare(), None, now) } else { row.clone() })
    });
    write.row.wake_at = now.not_at_once(write.row.wake_at);
    (write.event.is_some() || write.row != *row).then_some(write)
}

/// How long a till that has not said that it has seen it may take a paid payment back, such as after a night without
/// power. Later it takes a refund, and the right to one.
const TAKEN_BACK_FOR: Millis = Millis::seconds(24 * 3600);

/// The till takes a payment back: it is reversed, whatever it is, and a number that never came is kept
/// so that it is refused should it come. `unseen` is the row for that.
pub fn reversed(row: Option<&PaymentRow>, unseen: &PaymentRow, now: Deciding<'_>) -> Change<Begun> {
    let Some(row) = row else {
        let row = kept(unseen.clone(), None, now);
        let event = Some((Event::Cancel, Vec::new()));
        let write = Write { row: row.clone(), event, outbox: Vec::new() };
        let result = Begun::New(Box::new(Decided { row, call: None }));
        return Change { write: Some(write), result };
    };
    if row.till != unseen.till {
        return Change::none(Begun::Refused(Refused::NumberUsed));
    }
    let mut state = row.state.clone();
    let at = now.since(row.began_at);
    let call = match state.status() {
        Status::Paid
            if row.channel == Channel::Micropay
                && row.acknowledged != Acknowledged::Yes
                && at <= TAKEN_BACK_FOR =>
        {
            state.take_back(at, now.rules)
        }
        Status::Created
        | Status::Sent
        | Status::Waiting
        | Status::Checking
        | Status::Reversing
        | Status::Paid
        | Status::Declined
        | Status::Reversed
        | Status::Closed
        | Status::Attention => state.step(&Event::Cancel, at, now.rules),
    };
    let Change { write, result } = moved(row, state, call, (&Event::Cancel, &[]), now);
    let result = match result {
        Some(decided) => Begun::New(decided),
        None => Begun::Known(Box::new(row.clone())),
    };
    Change { write, result }
}

pub(super) fn moved(
    row: &PaymentRow,
    state: State,
    call: Option<Call>,
    (event, wire): (&Event, &[(String, String)]),
    now: Deciding<'_>,
) -> Decision {
    if state == row.state && call.is_none() && !event.is_evidence() {
        return Change::none(None);
    }
    let before = &row.state;
    let is_news = matches!(event, Event::Answered(_, answer) if answer.as_inconclusive().is_none());
    let after = PaymentRow {
        version: row.version + 1,
        updated_at: now.at.max(row.updated_at),
        as_of: if is_news { Some(now.at) } else { row.as_of },
        state,
        ..row.clone()
    };
    let outbox = told(before, &after.state);
    let row = kept(after, call, now);
    let write = Write { row: row.clone(), event: Some((event.clone(), wire.to_vec())), outbox };
    Change { write: Some(write), result: Some(Box::new(Decided { row, call })) }
}

/// What others are told when a payment comes from one state to another.
fn told(before: &State, after: &State) -> Vec<&'static str> {
    let was_over = match before.status() {
        Status::Declined | Status::Reversed | Status::Closed => true,
        Status::Created
        | Status::Sent
        | Status::Waiting
        | Status::Checking
        | Status::Reversing
        | Status::Paid
        | Status::Attention => false,
    };
    if was_over && before.money() != Funds::Held && after.money() == Funds::Held {
        return vec!["payment.paid_late"];
    }
    if before.status() == after.status() {
        return Vec::new();
    }
    match after.status() {
        Status::Paid if after.is_paid_late() => vec!["payment.paid_late"],
        Status::Paid => vec!["payment.paid"],
        Status::Declined => vec!["payment.declined"],
        Status::Reversed => vec!["payment.reversed"],
        Status::Closed => vec!["payment.closed"],
        Status::Attention => vec!["payment.attention"],
        Status::Created | Status::Sent | Status::Waiting | Status::Checking | Status::Reversing => {
            Vec::new()
        }
    }
}

/// The row with its lease and the time when somebody must look at it next.
fn kept(mut row: PaymentRow, call: Option<Call>, now: Deciding<'_>) -> PaymentRow {
    let is_awaited = row.state.awaited().is_some() || row.state.status() == Status::Sent;
    row.lease = now.lease_after(call.is_some(), is_awaited, row.lease.take());
    row.wake_at = wake_at(row.began_at, row.state.wake_at(now.rules), row.lease.as_ref());
    row
}
