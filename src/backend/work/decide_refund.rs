//! What becomes of a refund's row, decided purely.

use paytill_core::gateway::backend::message::{Refused, Rights};
use paytill_core::money::Money;
use paytill_core::order::Merchant;
use paytill_core::refund::{
    OutRefundNo, RefundCall, RefundEvent, RefundLimits, RefundRefusal, RefundState, RefundStatus,
};

use super::decide::{Deciding, wake_at};
use crate::store::{PaymentRow, RefundBooks, RefundChange, RefundRow, RefundWrite};

/// A refund after a decision, its payment, and the call to make once both are on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct RefundDecided {
    pub row: RefundRow,
    pub payment: PaymentRow,
    pub call: Option<RefundCall>,
}

/// What a request to give money back meets.
#[derive(Clone, Debug, PartialEq)]
pub enum RefundBegun {
    New(Box<RefundDecided>),
    /// The same request came before.
    Known(Box<RefundRow>),
    Refused(Refused),
    /// The rules between a payment's refunds do not allow it.
    NotNow(RefundRefusal),
}

type Decision = RefundChange<Option<Box<RefundDecided>>>;

/// A request to give back money: one number, one body. `new` is the row that it would make, with any
/// state.
pub fn begin(
    books: &RefundBooks,
    new: &RefundRow,
    store: &str,
    (rights, merchant): (&Rights, &Merchant),
    jitter: u8,
    now: Deciding<'_>,
) -> RefundChange<RefundBegun> {
    let refused = |refused| RefundChange::none(RefundBegun::Refused(refused));
    let Some(payment) = books.payment.as_ref().filter(|payment| payment.store == store) else {
        return refused(Refused::NotFound);
    };
    if let Some(known) = books.refund(&new.key.out_refund_no) {
        let is_same = (known.till == new.till, known.amount, known.reason.as_str())
            == (true, new.amount, new.reason.as_str());
        return if is_same {
            RefundChange::none(RefundBegun::Known(Box::new(known.clone())))
        } else {
            refused(Refused::NumberUsed)
        };
    }
    let sum = books.given.minor().saturating_add(new.amount.minor());
    if new.amount > Money::from_minor(rights.refund_up_to) || sum > rights.refund_per_day {
        return refused(Refused::Limit);
    }
    let earlier: Vec<_> = books.refunds.iter().map(RefundRow::earlier).collect();
    let limits = RefundLimits {
        order: &payment.order,
        payment: &payment.state,
        earlier: &earlier,
        merchant,
        now: now.at,
        rules: now.rules,
    };
    let plan = match limits.plan(Some(new.amount)) {
        Ok(plan) => plan,
        Err(refusal) => return RefundChange::none(RefundBegun::NotNow(refusal)),
    };
    let call = Some(RefundState::FIRST);
    let row = RefundRow { state: RefundState::begin(plan, jitter), ..new.clone() };
    let row = kept(row, call, now);
    let write = RefundWrite {
        row: row.clone(),
        event: Some((RefundEvent::Begun, Vec::new())),
        outbox: Vec::new(),
    };
    let decided = RefundDecided { row, payment: payment.clone(), call };
    RefundChange { write: Some(write), result: RefundBegun::New(Box::new(decided)) }
}

/// An event of a refund, with the fields that came with it.
pub fn happened(
    books: &RefundBooks,
    number: &OutRefundNo,
    event: &RefundEvent,
    wire: &[(String, String)],
    now: Deciding<'_>,
) -> Decision {
    let (Some(payment), Some(row)) = (&books.payment, books.refund(number)) else {
        return RefundChange::none(None);
    };
    moved(payment, row, event, wire, now)
}

/// Somebody looks at a refund because its time has come, or because whoever had a call under way for it
/// has not come back.
pub fn woken(books: &RefundBooks, number: &OutRefundNo, now: Deciding<'_>) -> Decision {
    let (Some(payment), Some(row)) = (&books.payment, books.refund(number)) else {
        return RefundChange::none(None);
    };
    let is_abandoned = now.is_abandoned(row.lease.as_ref());
    let mut decision = if is_abandoned {
        let bare = RefundRow { lease: None, ..row.clone() };
        let event = RefundEvent::Restarted { oldest: now.since(row.began_at) };
        moved(payment, &bare, &event, &[], now)
    } else {
        moved(payment, row, &RefundEvent::Tick, &[], now)
    };
    decision.write = rested(row, decision.write, is_abandoned, now);
    decision
}

/// As of payments.
fn rested(
    row: &RefundRow,
    write: Option<RefundWrite>,
    is_abandoned: bool,
    now: Deciding<'_>,
) -> Option<RefundWrite> {
    let mut write = write.unwrap_or_else(|| {
        let bare = || RefundRow { lease: None, ..row.clone() };
        RefundWrite::note(if is_abandoned { kept(bare(), None, now) } else { row.clone() })
    });
    write.row.wake_at = now.not_at_once(write.row.wake_at);
    (write.event.is_some() || write.row != *row).then_some(write)
}

fn moved(
    payment: &PaymentRow,
    row: &RefundRow,
    event: &RefundEvent,
    wire: &[(String, String)],
    now: Deciding<'_>,
) -> Decision {
    let mut state = row.state.clone();
    let call = state.step(event, now.since(row.began_at), now.rules);
    stepped((payment, row), state, call, (event, wire), now)
}

/// A refund that has come to this state.
pub(super) fn stepped(
    (payment, row): (&PaymentRow, &RefundRow),
    state: RefundState,
    call: Option<RefundCall>,
    (event, wire): (&RefundEvent, &[(String, String)]),
    now: Deciding<'_>,
) -> Decision {
    let is_evidence = matches!(event, RefundEvent::Answered(..));
    if state == row.state && call.is_none() && !is_evidence {
        return RefundChange::none(None);
    }
    let before = row.state.status();
    let updated_at = now.at.max(row.updated_at);
    let after = RefundRow { version: row.version + 1, updated_at, state, ..row.clone() };
    let row = kept(after, call, now);
    let outbox = told(before, row.state.status());
    let event = Some((event.clone(), wire.to_vec()));
    let decided = RefundDecided { row: row.clone(), payment: payment.clone(), call };
    RefundChange {
        write: Some(RefundWrite { row, event, outbox }),
        result: Some(Box::new(decided)),
    }
}

/// What others are told when a refund comes to this.
fn told(before: RefundStatus, after: RefundStatus) -> Vec<&'static str> {
    if before == after {
        return Vec::new();
    }
    match after {
        RefundStatus::Done => vec!["refund.done"],
        RefundStatus::Refused => vec!["refund.refused"],
        RefundStatus::Attention => vec!["refund.attention"],
        RefundStatus::Accepted => vec!["refund.accepted"],
        RefundStatus::Sent | RefundStatus::Checking => Vec::new(),
    }
}

fn kept(mut row: RefundRow, call: Option<RefundCall>, now: Deciding<'_>) -> RefundRow {
    let is_awaited = row.state.awaited().is_some();
    row.lease = now.lease_after(call.is_some(), is_awaited, row.lease.take());
    row.wake_at = wake_at(row.began_at, row.state.wake_at(now.rules), row.lease.as_ref());
    row
}
