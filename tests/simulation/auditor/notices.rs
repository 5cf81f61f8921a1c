//! What must be true of notifications, of what others are told, and of tills that wait for news.

use std::collections::BTreeSet;

use paytill::payment::{Funds, Status};
use paytill::refund::RefundStatus;
use paytill_backend::store::{PaymentRow, RefundRow};

use super::Auditor;
use crate::invariants::Invariant;

/// Another instance's news are heard of within so long.
const HEARD_WITHIN: u64 = 250;

/// What became of a notification at an instance.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Heard {
    /// Of a refund; else of a payment.
    pub is_refund: bool,
    /// The gateway has made it, and it is true.
    pub is_genuine: bool,
    /// The gateway has made it, true or not.
    pub is_ours: bool,
    /// What it was answered, unless its instance died.
    pub status: Option<u16>,
    /// The books have it.
    pub is_kept: bool,
    /// It came for the first time, as far as the books know.
    pub is_new: bool,
    /// How many things others are to be told because of it.
    pub has_told: usize,
}

/// A till whose question is held open.
pub struct Waiting {
    number: String,
    known: Option<i64>,
    found: Status,
    until: u64,
    /// Since when there is something new.
    news_at: Option<u64>,
}

impl Auditor {
    /// A notification was dealt with; the payment as it was and as it is.
    pub fn is_told(
        &mut self,
        number: &str,
        heard: &Heard,
        (before, after): (Option<&PaymentRow>, Option<&PaymentRow>),
    ) {
        let is_acknowledged = matches!(heard.status, Some(200 | 204));
        let has_moved = before.map(|row| &row.state) != after.map(|row| &row.state);
        let is_version = before.map(|row| row.version) == after.map(|row| row.version);
        self.check(!is_acknowledged || heard.is_kept, Invariant::NoticesProve, || {
            format!("what is told of {number} is acknowledged, and not in the books")
        });
        let is_unheard = !is_acknowledged && is_version && heard.has_told == 0 && !heard.is_kept;
        self.check(heard.is_ours || is_unheard, Invariant::NoticesProve, || {
            format!("what the gateway has not told of {number} is believed: {:?}", heard.status)
        });
        self.check(heard.is_genuine || !has_moved, Invariant::NoticesProve, || {
            format!("{number} moves by what is not true: {before:?} {after:?}")
        });
        self.check(!heard.is_ours || heard.status != Some(401), Invariant::NoticesProve, || {
            format!("what the gateway tells of {number} is not believed")
        });
        self.check(heard.is_new || has_moved || is_version, Invariant::NoticesProve, || {
            format!("what is told of {number} again is an event again")
        });
        let is_paid = after.is_none_or(|row| {
            let funds = row.state.money();
            row.state.proof().is_some() || matches!(funds, Funds::Held | Funds::Returned)
        });
        let is_news = heard.is_genuine && !heard.is_refund && is_acknowledged;
        self.check(!is_news || is_paid, Invariant::NoticesProve, || {
            format!("{number} was paid, that is acknowledged, and has no effect: {after:?}")
        });
    }

    /// What others are told when a payment comes from one state to another.
    pub(super) fn judge_told_to_others(
        &mut self,
        before: Option<&PaymentRow>,
        row: &PaymentRow,
        outbox: &[&'static str],
    ) {
        let (was, is) = (before.map(|row| row.state.status()), row.state.status());
        let has_come_to = |status| before.is_some() && is == status && was != Some(status);
        let ended = [
            (Status::Paid, "payment.paid"),
            (Status::Declined, "payment.declined"),
            (Status::Reversed, "payment.reversed"),
            (Status::Closed, "payment.closed"),
            (Status::Attention, "payment.attention"),
        ];
        let end = ended.into_iter().find(|(status, _)| has_come_to(*status)).map(|(_, kind)| kind);
        let said: Vec<&str> =
            outbox.iter().copied().filter(|kind| *kind != "payment.mismatch").collect();
        let is_late = said == ["payment.paid_late"];
        let has_come_late = is_late
            && (is == Status::Paid
                || row.state.money() == Funds::Held
                    && before.is_some_and(|row| row.state.money() != Funds::Held));
        let is_right = has_come_late || said == end.into_iter().collect::<Vec<_>>();
        self.check(is_right, Invariant::ToldOnce, || {
            let number = &row.key.out_trade_no;
            format!("{number} was {was:?} and is {is:?}, and others are told {outbox:?}")
        });
    }

    /// A refund's row was committed, beside all refunds of its payment, of so much.
    pub fn booked_refund(
        &mut self,
        before: Option<&RefundRow>,
        row: &RefundRow,
        outbox: &[&'static str],
        (rows, paid): (&[RefundRow], i64),
    ) {
        let number = row.key.out_refund_no.as_str();
        let given: i64 = rows
            .iter()
            .filter(|refund| refund.state.counts())
            .map(|refund| refund.amount.minor())
            .sum();
        let unclear = rows.iter().filter(|refund| refund.state.is_unclear()).count();
        self.check(given <= paid, Invariant::RefundedOnce, || {
            format!("{number}: the backend gives back {given} of {paid}")
        });
        self.check(unclear <= 1, Invariant::RefundedOnce, || {
            format!("{number}: begun while nobody knows what becomes of another")
        });
        let is_forward = match before {
            None => row.version == 1,
            Some(before) => {
                (&before.till, before.amount) == (&row.till, row.amount)
                    && (before.version..=before.version + 1).contains(&row.version)
            }
        };
        self.check(is_forward, Invariant::OnlyForward, || format!("{number}: {before:?} {row:?}"));
        let (was, is) = (before.map(|row| row.state.status()), row.state.status());
        let kind = match is {
            _ if before.is_none() || was == Some(is) => None,
            RefundStatus::Done => Some("refund.done"),
            RefundStatus::Refused => Some("refund.refused"),
            RefundStatus::Attention => Some("refund.attention"),
            RefundStatus::Accepted => Some("refund.accepted"),
            RefundStatus::Sent | RefundStatus::Checking => None,
        };
        let said: Vec<&str> =
            outbox.iter().copied().filter(|kind| *kind != "refund.mismatch").collect();
        let is_right = said == kind.into_iter().collect::<Vec<_>>();
        self.check(is_right, Invariant::ToldOnce, || {
            format!("{number} was {was:?} and is {is:?}, and others are told {outbox:?}")
        });
    }

    /// A till has made it written down: it must have the right to it.
    pub fn may(&mut self, may: bool, number: &str) {
        self.check(may, Invariant::WithinRights, || {
            format!("{number} is written down for a till that has no right to it")
        });
    }

    /// All has ended: others are told of each end, and of no other.
    pub fn close_outbox<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a PaymentRow>,
        outbox: &BTreeSet<(&'static str, String)>,
    ) {
        // One that was taken back before it came is nobody's news.
        for row in rows.filter(|row| !row.fingerprint.is_empty()) {
            let number = row.key.out_trade_no.to_string();
            let says = |kind| outbox.contains(&(kind, number.clone()));
            let is_told = match row.state.status() {
                Status::Paid => says("payment.paid") != says("payment.paid_late"),
                Status::Declined => says("payment.declined"),
                Status::Reversed => says("payment.reversed"),
                Status::Closed => says("payment.closed"),
                Status::Attention => says("payment.attention"),
                Status::Created
                | Status::Sent
                | Status::Waiting
                | Status::Checking
                | Status::Reversing => true,
            };
            self.check(is_told, Invariant::ToldOnce, || {
                format!("{number} is {:?}, and nobody is told", row.state.status())
            });
        }
    }

    /// A till's question is held open, at the latest until then: it knows this version of the payment, or
    /// has found this status.
    pub fn waits(
        &mut self,
        id: u64,
        number: &str,
        (known, found): (Option<i64>, Status),
        until: u64,
    ) {
        let waiting = Waiting { number: number.to_owned(), known, found, until, news_at: None };
        self.waiting.insert(id, waiting);
    }

    /// It is answered; its instance was stopped until then.
    pub fn waits_no_longer(&mut self, id: u64, stopped_until: u64) {
        let Some(waiting) = self.waiting.remove(&id) else { return };
        let now = self.now;
        let at_once = waiting.news_at.map_or(waiting.until, |at| at + HEARD_WITHIN);
        let is_in_time = now <= at_once.min(waiting.until).max(stopped_until);
        self.check(is_in_time, Invariant::HeardInTime, || {
            format!("{}: a till waits until {}, since {:?}", waiting.number, now, waiting.news_at)
        });
    }

    /// A payment has changed: whoever waits for that is to hear of it.
    pub(super) fn note_news(&mut self, row: &PaymentRow) {
        let (number, status, now) = (row.key.out_trade_no.as_str(), row.state.status(), self.now);
        for waiting in self.waiting.values_mut().filter(|waiting| waiting.number == number) {
            let is_news = match waiting.known {
                Some(known) => row.version != known,
                None => status != waiting.found,
            };
            // Who looks later may find it as it was.
            waiting.news_at = if is_news { waiting.news_at.or(Some(now)) } else { None };
        }
    }

    /// All has ended: nobody waits any longer.
    pub fn close_waiting(&mut self) {
        let forgotten = self.waiting.values().find(|waiting| waiting.until < self.now);
        let forgotten = forgotten.map(|waiting| (waiting.number.clone(), waiting.until));
        self.check(forgotten.is_none(), Invariant::HeardInTime, || {
            format!("a till was never answered: {forgotten:?}")
        });
    }
}
