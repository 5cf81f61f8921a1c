//! What must be true of every report to people.

use paytill::engine::Attempt;
use paytill::payment::{Event, Status};
use paytill::simulator::{LedgerEntry, OrderStatus, Scenario};

use super::Wrong;
use super::attempted::Attempted;
use crate::invariants::Invariant;

/// A payment found later than this after its submission is returned, even if nobody cancelled it.
const COUNTS_FOR: u64 = 90_000;

impl Attempted {
    /// What is wrong with reporting this now, given the bank's entry for the order.
    pub fn judge_told(
        &self,
        attempt: &Attempt,
        event: &Event,
        bank: Option<&LedgerEntry>,
        now: u64,
    ) -> Vec<Wrong> {
        let (before, status) = (self.told, attempt.state.status());
        let net = bank.map_or(0, |entry| entry.net_of_payment().minor());
        let mut wrong = Vec::new();
        if attempt.amount.minor() != self.due {
            wrong.push((Invariant::SameMoney, "another amount is told"));
        }
        if attempt.recorded && self.is_duly_paid(event, now) && status != Status::Paid {
            wrong.push((Invariant::ReversalDiscipline, "duly paid, and not taken"));
        }
        let is_taken = attempt.state.cash().is_some() && !self.kept.is_empty() && net == 0;
        match status {
            // Paid with its entry, and nobody else has a word about it.
            Status::Paid if self.is_cash && is_taken => {}
            Status::Paid if self.is_cash => {
                wrong.push((Invariant::PaidNeedsProof, "cash without an entry"));
            }
            Status::Paid => {
                let is_there =
                    net == self.due || bank.is_some_and(LedgerEntry::is_refunded_elsewhere);
                if self.proof_at.is_none() || !is_there {
                    wrong.push((Invariant::PaidNeedsProof, "paid without proof"));
                }
                if !self.reversals.is_empty() {
                    wrong.push((Invariant::NeverPaidAfterReversal, "paid after a reversal"));
                }
            }
            // Nobody can have paid by a code that nobody has seen.
            Status::Declined if self.scanned.is_some() && before != Some(status) => {
                let can_be_paid = self.is_shown || self.can_hold_money(status, bank);
                let what = (Invariant::NoMoneyLeftBehind, "not paid, and its code was shown");
                wrong.extend(can_be_paid.then_some(what));
            }
            Status::Closed if before != Some(status) => {
                if !self.is_over() {
                    wrong.push((Invariant::ReversalDiscipline, "closed without proof"));
                }
                if self.can_hold_money(status, bank) {
                    wrong.push((Invariant::NoMoneyLeftBehind, "closed, and it can be paid"));
                }
            }
            Status::Declined if before != Some(status) => {
                if !(self.refused || self.ended || self.is_unpaid || self.is_anothers) {
                    wrong.push((Invariant::NoMoneyLeftBehind, "not paid, without a verified word"));
                }
                if self.can_hold_money(status, bank) {
                    wrong.push((Invariant::NoMoneyLeftBehind, "not paid, and it can be paid"));
                }
            }
            Status::Reversed if before != Some(status) => {
                if !self.is_over() {
                    wrong.push((Invariant::ReversalDiscipline, "reversed without proof"));
                }
                if self.can_hold_money(status, bank) {
                    wrong.push((Invariant::NoMoneyLeftBehind, "reversed, and it can be paid"));
                }
            }
            _ => {}
        }
        if !is_forward(before, status) {
            wrong.push((Invariant::OnlyForward, "it went back"));
        }
        wrong
    }

    /// What the till could not know because it was off is not held against it, and a payment
    /// reported as not paid is returned. Without a journal nothing counts: the next start
    /// determines it anew.
    fn is_duly_paid(&self, event: &Event, now: u64) -> bool {
        let is_proven = matches!(event, Event::Answered(_, answer) if answer.proof().is_some());
        // What is paid by a code of ours always counts.
        if self.scanned.is_some() {
            return is_proven;
        }
        is_proven
            && now < self.left_at.unwrap_or(0) + COUNTS_FOR
            && self.reversals.is_empty()
            && self.restarts == 0
            && !self.refused
            && self.told != Some(Status::Declined)
    }

    /// Whether the bank holds money, or may still receive some, in a way that could be foreseen.
    pub(super) fn can_hold_money(&self, status: Status, bank: Option<&LedgerEntry>) -> bool {
        let holds = bank.is_some_and(|entry| entry.net_of_payment().minor() != 0);
        // An order that has ended at the bank takes no more money, whenever the submission arrives;
        // nor does another till's take ours.
        let is_shut = self.is_anothers
            || bank.is_some_and(|entry| {
                matches!(
                    entry.status,
                    OrderStatus::Revoked | OrderStatus::Closed | OrderStatus::Refunded
                )
            });
        let may_pay = bank.is_some_and(LedgerEntry::is_going_to_pay)
            || self.on_the_way > 0 && !self.has_arrived && !is_shut
            // What was refused may be a copy of it: its number is closed in the background.
            || self.to_backend > 0 && !self.is_booked && !self.refused;
        // The gateway's answer was untrue, or the network held the request longer than any till
        // waits.
        let is_lied_to = self.refused
            && status == Status::Declined
            && bank.is_some_and(|entry| {
                matches!(entry.scenario, Scenario::Refused { charged: true, .. })
            });
        // Only an order that the bank has never known can arrive late and be charged.
        // Behind a backend that is its word on it: it looks again later, and gives the money back.
        let is_unknown = self.is_booked || !self.ended && !self.absent.is_empty();
        (holds || may_pay) && !(self.is_late && is_unknown || is_lied_to)
    }
}

fn is_forward(before: Option<Status>, now: Status) -> bool {
    use Status::{
        Attention, Checking, Closed, Created, Declined, Paid, Reversed, Reversing, Sent, Waiting,
    };
    match before {
        None | Some(Created | Sent) => true,
        Some(Waiting | Checking) => !matches!(now, Created | Sent),
        Some(Reversing | Attention) => !matches!(now, Created | Sent | Waiting | Checking),
        Some(Paid | Closed) => Some(now) == before,
        // Money was found after all.
        Some(Declined | Reversed) => {
            Some(now) == before || matches!(now, Reversing | Reversed | Attention)
        }
    }
}
