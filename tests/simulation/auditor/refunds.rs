//! Refunds: one number with one body, never more than was paid, and nothing is said of them that the
//! bank's books do not say.

use std::collections::BTreeMap;

use paytill::engine::{RefundEntry, RefundRecord};
use paytill::journal::{JournalError, JournalReader, OrderRow, RefundRow, StoredEvent};
use paytill::refund::{Refund, RefundCall, RefundCallKind, RefundEvent, RefundState, RefundStatus};
use paytill::simulator::{Bank, BankRefund, RefundStage};

use super::{Auditor, requests};
use crate::invariants::Invariant;

/// The least time between two calls about refunds.
const APART: u64 = 200;

/// What is known of one refund.
#[derive(Default)]
pub struct Refunded {
    order: String,
    /// Its number in the journal; 0 if the disk lost it.
    id: i64,
    due: i64,
    amount: i64,
    handed: Vec<(RefundEvent, RefundState)>,
    kept: Vec<(RefundEvent, RefundState)>,
    /// What was sent first.
    body: Option<Vec<u8>>,
    told: Option<RefundStatus>,
}

impl Refunded {
    fn newest(&self) -> Option<&RefundState> {
        self.kept.last().map(|(_, state)| state)
    }
}

impl Auditor {
    /// A refund was begun, of an order of this amount.
    pub fn refund_begun(&mut self, entry: &RefundEntry, due: i64) {
        let Some(begin) = &entry.begin else { return };
        let number = begin.refund.out_refund_no.to_string();
        let refunded = Refunded {
            order: begin.refund.order.out_trade_no.to_string(),
            id: entry.refund,
            due,
            amount: begin.refund.amount.minor(),
            ..Refunded::default()
        };
        let earlier = self.refunds.insert(number.clone(), refunded);
        // A number that never reached the disk was never seen by anybody.
        let was_seen = earlier.is_some_and(|earlier| !earlier.kept.is_empty());
        self.check(!was_seen, Invariant::RefundedOnce, || format!("{number} was given twice"));
    }

    fn refund_of(&mut self, entry: &RefundEntry) -> Option<&mut Refunded> {
        self.refunds.values_mut().find(|refunded| refunded.id == entry.refund)
    }

    /// An entry was handed to the disk.
    pub fn refund_handed(&mut self, entry: &RefundEntry) {
        if let Some(refunded) = self.refund_of(entry) {
            refunded.handed.push((entry.event.clone(), entry.state.clone()));
        }
    }

    /// The disk has acknowledged an entry.
    pub fn refund_kept(&mut self, entry: &RefundEntry) {
        if let Some(refunded) = self.refund_of(entry)
            && !refunded.handed.is_empty()
        {
            let first = refunded.handed.remove(0);
            refunded.kept.push(first);
        }
    }

    /// A call is made.
    pub fn refund_sent(&mut self, what: &Refund, call: RefundCall, body: &[u8]) {
        let (number, now) = (what.out_refund_no.to_string(), self.now);
        let is_paced = self.refund_call_at.replace(now).is_none_or(|last| now >= last + APART);
        self.check(is_paced, Invariant::NoStorm, || format!("{number}: calls come too fast"));
        let Some(refunded) = self.refunds.get(&number) else {
            return self.broken(Invariant::IntentBeforeWire, format!("{number} was never begun"));
        };
        let is_kept = refunded.kept.iter().rev().any(|(_, state)| state.awaited() == Some(call));
        let order = refunded.order.clone();
        self.check(is_kept, Invariant::IntentBeforeWire, || {
            format!("{number}: sent before it was on the disk")
        });
        if call.kind == RefundCallKind::Refund {
            self.refund_leaves(&number, &order, body);
        }
    }

    fn refund_leaves(&mut self, number: &str, order: &str, body: &[u8]) {
        let of_order = || {
            let all = self.refunds.iter();
            all.filter(|(_, refunded)| refunded.order == order && refunded.id != 0)
        };
        let counts = |refunded: &Refunded| refunded.newest().is_some_and(RefundState::counts);
        let sum: i64 =
            of_order().filter(|(_, one)| counts(one)).map(|(_, refunded)| refunded.amount).sum();
        let other = of_order()
            .find(|(known, refunded)| {
                known.as_str() != number && refunded.newest().is_some_and(RefundState::is_unclear)
            })
            .map(|(known, _)| known.clone());
        let Some(refunded) = self.refunds.get_mut(number) else { return };
        let (due, amount) = (refunded.due, refunded.amount);
        let is_one = requests::is_one(refunded.body.get_or_insert_with(|| body.to_vec()), body);
        let is_right = requests::says(body, "refund_fee", &amount.to_string())
            && (self.behind.is_some() || requests::says(body, "total_fee", &due.to_string()));
        self.check(is_one, Invariant::RefundedOnce, || format!("{number}: another body"));
        self.check(is_right, Invariant::SameMoney, || format!("{number}: not {amount} of {due}"));
        self.check(sum <= due, Invariant::RefundedOnce, || {
            format!("{number}: {sum} of {due} are given back")
        });
        self.check(other.is_none(), Invariant::RefundedOnce, || {
            format!("{number} leaves while nobody knows what becomes of {other:?}")
        });
    }

    /// A status is reported to people.
    pub fn refund_told(&mut self, refund: &RefundRecord, bank: &Bank) {
        let number = refund.out_refund_no.to_string();
        let Some(refunded) = self.refunds.get_mut(&number) else {
            return self.broken(Invariant::NothingLost, format!("{number} comes from nowhere"));
        };
        let (before, status) = (refunded.told, refund.state.status());
        // What could not be written down is said to be so, and found out anew.
        refunded.told = if refund.recorded { Some(status) } else { before };
        let amount = refunded.amount;
        let known = of_bank(bank, refund.out_trade_no.as_str(), &number);
        let is_given = known.is_some_and(|known| {
            known.stage == RefundStage::Success && known.amount.minor() == amount
        });
        let may_be_given = known.is_some_and(|known| known.stage != RefundStage::Closed);
        self.check(
            before != Some(RefundStatus::Done) || status == RefundStatus::Done,
            Invariant::OnlyForward,
            || format!("{number} was done and is {status:?}"),
        );
        self.check(status != RefundStatus::Done || is_given, Invariant::RefundNeedsProof, || {
            format!("{number} is told as done, and the bank has {known:?}")
        });
        self.check(
            status != RefundStatus::Accepted || known.is_some(),
            Invariant::RefundNeedsProof,
            || format!("{number} is told as accepted, and is not"),
        );
        self.check(
            before == Some(status) || status != RefundStatus::Refused || !may_be_given,
            Invariant::RefundNeedsProof,
            || format!("{number} is told as refused: {known:?}"),
        );
    }

    /// The process is gone: what the journal has of each refund.
    pub(super) fn compare_refunds(
        &mut self,
        reader: &JournalReader,
        rows: &[OrderRow],
    ) -> Result<(), JournalError> {
        self.refund_call_at = None;
        let found = by_number(reader, rows)?;
        let mut wrong = Vec::new();
        for (number, refunded) in &mut self.refunds {
            let Some((order, row)) = found.get(number) else {
                if !refunded.kept.is_empty() {
                    wrong.push(format!("{number} is gone"));
                }
                refunded.handed.clear();
                refunded.id = 0;
                continue;
            };
            refunded.id = row.id;
            let entries = reader.entries(order.attempt)?.into_iter();
            let found: Vec<_> = entries
                .filter_map(|entry| match entry.event {
                    StoredEvent::Refund(told) if told.refund == row.id => {
                        Some((told.event, told.state))
                    }
                    _ => None,
                })
                .collect();
            let kept = refunded.kept.len();
            let mut expected = refunded.kept.clone();
            expected.append(&mut refunded.handed);
            if found.len() < kept || !expected.starts_with(&found) {
                wrong.push(format!("{number}: {} of {kept} entries", found.len()));
            }
            refunded.kept = found;
        }
        for number in found.keys().filter(|number| !self.refunds.contains_key(*number)) {
            wrong.push(format!("{number} comes from nowhere"));
        }
        for what in wrong {
            self.broken(Invariant::NothingLost, what);
        }
        Ok(())
    }

    /// The final check: the journal's refunds and the bank's are the same.
    pub fn close_refunds(
        &mut self,
        reader: &JournalReader,
        rows: &[OrderRow],
        bank: &Bank,
    ) -> Result<(), JournalError> {
        let found = by_number(reader, rows)?;
        for (number, (order, row)) in &found {
            let stage = of_bank(bank, order.out_trade_no.as_str(), number).map(|known| known.stage);
            let status = row.state.status();
            let agrees = agrees(status, stage);
            self.check(agrees, Invariant::Converges, || {
                format!("{number} is {status:?}, and the bank has {stage:?}")
            });
        }
        for entry in bank.ledger() {
            let number = &entry.out_trade_no;
            let is_bounded = entry.returned <= entry.charged && entry.refunded() <= entry.charged;
            self.check(is_bounded, Invariant::RefundedOnce, || format!("{number}: {entry:?}"));
            let is_anothers = self.others.contains(number);
            let is_ours = |number: &str, known: &str| !is_anothers && known.starts_with(number);
            let ours = entry.refunds.iter().filter(|known| is_ours(number, &known.number));
            for known in ours {
                let is_known = found.contains_key(&known.number);
                self.check(is_known, Invariant::IntentBeforeWire, || {
                    format!("the bank knows {}, the journal does not", known.number)
                });
            }
        }
        Ok(())
    }

    /// The refunds of ours that the bank could not make.
    pub fn failed_refunds<'a>(&'a self, bank: &'a Bank) -> impl Iterator<Item = &'a str> {
        let ours = bank.ledger().filter(|entry| !self.others.contains(&entry.out_trade_no));
        let refunds = ours.flat_map(|entry| &entry.refunds);
        let failed = refunds
            .filter(|refund| matches!(refund.stage, RefundStage::Closed | RefundStage::Abnormal));
        failed.map(|refund| refund.number.as_str())
    }
}

/// The journal's refunds with their orders.
fn by_number<'a>(
    reader: &JournalReader,
    rows: &'a [OrderRow],
) -> Result<BTreeMap<String, (&'a OrderRow, RefundRow)>, JournalError> {
    let mut found = BTreeMap::new();
    for order in rows.iter().filter(|row| row.state.proof().is_some()) {
        for refund in reader.refunds(order.attempt)? {
            let number = refund.out_refund_no.to_string();
            found.insert(number, (order, refund));
        }
    }
    Ok(found)
}

pub(super) fn of_bank<'a>(bank: &'a Bank, order: &str, number: &str) -> Option<&'a BankRefund> {
    bank.entry(order)?.refunds.iter().find(|known| known.number == number)
}

/// Whether a refund's end is what the bank has of it.
pub(super) fn agrees(status: RefundStatus, stage: Option<RefundStage>) -> bool {
    match status {
        RefundStatus::Done => stage == Some(RefundStage::Success),
        // By its next question it may be done.
        RefundStatus::Accepted => {
            matches!(stage, Some(RefundStage::Processing | RefundStage::Success))
        }
        RefundStatus::Refused => stage.is_none(),
        RefundStatus::Attention => {
            matches!(stage, Some(RefundStage::Closed | RefundStage::Abnormal))
        }
        RefundStatus::Sent | RefundStatus::Checking => false,
    }
}
