//! What must be true of the merchant's backend: of its books, of what it sends on, and at the end.

use std::collections::{BTreeMap, BTreeSet};

use paytill::journal::{JournalError, JournalReader, OrderRow};
use paytill::payment::Status;
use paytill::refund::RefundStatus;
use paytill::simulator::{Bank, LedgerEntry};
use paytill_backend::store::{PaymentRow, RefundRow};

use super::refunds::{agrees, of_bank};
use super::{Auditor, requests};
use crate::invariants::Invariant;

/// A submission leaves no later than this after it was decided: its lease is 15 s, it may be under way
/// for 10 s, and clocks are off by a second.
const LATEST: u64 = 7_000;

/// What is known of the backend.
#[derive(Default)]
pub struct Behind {
    /// Numbers that were taken back before they came.
    fenced: BTreeSet<String>,
    /// What was submitted to the bank.
    submitted: BTreeMap<String, Vec<u8>>,
    /// When each number was first in the books.
    booked: BTreeMap<String, u64>,
}

impl Auditor {
    /// A payment's row was committed.
    pub fn booked(
        &mut self,
        before: Option<&PaymentRow>,
        row: &PaymentRow,
        outbox: &[&'static str],
    ) {
        self.note_news(row);
        self.judge_told_to_others(before, row, outbox);
        let (number, now) = (row.key.out_trade_no.to_string(), self.now);
        let Some(behind) = &mut self.behind else { return };
        let is_forward = match before {
            None => {
                behind.booked.insert(number.clone(), now);
                if row.fingerprint.is_empty() {
                    behind.fenced.insert(number.clone());
                }
                row.version == 1
            }
            Some(before) => {
                let is_same = (&before.till, &before.fingerprint, &before.order)
                    == (&row.till, &row.fingerprint, &row.order);
                is_same && (before.version..=before.version + 1).contains(&row.version)
            }
        };
        if let Some(attempted) = self.attempts.get_mut(&number) {
            attempted.is_booked = true;
        }
        self.check(is_forward, Invariant::OnlyForward, || format!("{number}: {before:?} {row:?}"));
    }

    /// A submission leaves the till. It will reach the backend this many times.
    pub fn left_for_backend(&mut self, number: &str, arrivals: u32) {
        let now = self.now;
        if let Some(attempted) = self.attempts.get_mut(number) {
            attempted.left_at = Some(now);
            attempted.to_backend = arrivals;
        }
    }

    /// A submission has reached the backend, and was decided on, or died with whoever had it.
    pub fn reached_the_backend(&mut self, number: &str) {
        if let Some(attempted) = self.attempts.get_mut(number) {
            attempted.to_backend = attempted.to_backend.saturating_sub(1);
            let is_kept = !attempted.kept.is_empty();
            self.check(is_kept, Invariant::IntentBeforeWire, || number.to_owned());
        }
    }

    /// An instance submits a payment to the bank.
    pub fn backend_submits(&mut self, number: &str, row: Option<&PaymentRow>, body: &[u8]) {
        let now = self.now;
        let Some(behind) = &mut self.behind else { return };
        let is_fenced = behind.fenced.contains(number);
        let is_late = behind.booked.get(number).is_none_or(|at| now > at + LATEST);
        let is_first = behind.submitted.insert(number.to_owned(), body.to_vec()).is_none();
        let due = row.map_or(0, |row| row.order.amount.minor());
        let is_same = requests::says(body, "total_fee", &due.to_string());
        self.check(row.is_some(), Invariant::IntentBeforeWire, || {
            format!("{number} is submitted, and not in the backend's books")
        });
        self.check(!is_fenced, Invariant::Fenced, || {
            format!("{number} is submitted, and was taken back before it came")
        });
        self.check(!is_late || row.is_none(), Invariant::Fenced, || {
            format!("{number} is submitted when another instance may have taken over")
        });
        self.check(is_first, Invariant::OneSubmission, || format!("{number} is submitted again"));
        self.check(is_same, Invariant::SameMoney, || format!("{number}: not {due} on the wire"));
    }

    /// It will reach the bank this many times.
    pub fn left_the_backend(&mut self, number: &str, arrivals: u32, is_late: bool) {
        if let Some(attempted) = self.attempts.get_mut(number) {
            attempted.on_the_way = arrivals;
            attempted.is_late = is_late;
        }
    }

    /// A submission of the backend's reaches the bank.
    pub fn arrived_at_bank(&mut self, number: &str, body: &[u8]) {
        let Some(behind) = &self.behind else { return };
        let is_one = behind.submitted.get(number).is_some_and(|sent| sent == body);
        self.check(is_one, Invariant::OneSubmission, || format!("{number}: another body"));
        if let Some(attempted) = self.attempts.get_mut(number) {
            attempted.on_the_way -= 1;
            attempted.has_arrived = true;
            let due = attempted.due;
            let is_same = requests::says(body, "total_fee", &due.to_string());
            self.check(is_same, Invariant::SameMoney, || {
                format!("{number}: not {due} on the wire")
            });
        }
    }

    /// The final check: journal, the backend's books and the bank's ledger agree.
    pub fn close_backend<'a>(
        &mut self,
        rows: &[OrderRow],
        payments: impl Iterator<Item = &'a PaymentRow>,
        bank: &Bank,
    ) {
        let mut journal: BTreeMap<&str, &OrderRow> = BTreeMap::new();
        journal.extend(rows.iter().map(|row| (row.out_trade_no.as_str(), row)));
        let mut booked = BTreeSet::new();
        for row in payments {
            let number = row.key.out_trade_no.as_str();
            booked.insert(number.to_owned());
            let status = row.state.status();
            self.check(!row.state.is_open(), Invariant::BooksAgree, || {
                format!("{number} is still {status:?} at the backend")
            });
            let entry = bank.entry(number);
            let net = entry.map_or(0, |entry| entry.net_of_payment().minor());
            let due = if status == Status::Paid { row.order.amount.minor() } else { 0 };
            let is_less = entry.is_some_and(LedgerEntry::is_refunded_elsewhere);
            self.check(net == due || is_less, Invariant::BooksAgree, || {
                format!("{number} is {status:?} at the backend, and the bank holds {net}")
            });
            if self.others.contains(number) {
                continue;
            }
            let known = journal.get(number).map(|row| row.state.status());
            let is_agreed = (known == Some(Status::Paid)) == (status == Status::Paid);
            self.check(known.is_some() && is_agreed, Invariant::BooksAgree, || {
                format!("{number} is {status:?} at the backend, and {known:?} in the journal")
            });
        }
        for row in rows.iter().filter(|row| row.state.cash().is_none()) {
            let (number, status) = (row.out_trade_no.as_str(), row.state.status());
            let is_there = status != Status::Paid || booked.contains(number);
            self.check(is_there, Invariant::BooksAgree, || {
                format!("{number} is {status:?}, and the backend does not know it")
            });
        }
    }

    /// The same of refunds.
    pub fn close_backend_refunds<'a>(
        &mut self,
        reader: &JournalReader,
        rows: &[OrderRow],
        refunds: impl Iterator<Item = &'a RefundRow>,
        bank: &Bank,
    ) -> Result<(), JournalError> {
        let mut journal = BTreeMap::new();
        for order in rows.iter().filter(|row| row.state.proof().is_some()) {
            for refund in reader.refunds(order.attempt)? {
                journal.insert(refund.out_refund_no.to_string(), refund.state.status());
            }
        }
        for row in refunds {
            let (number, status) = (row.key.out_refund_no.as_str(), row.state.status());
            let order = row.key.payment.out_trade_no.as_str();
            let stage = of_bank(bank, order, number).map(|known| known.stage);
            let is_true = agrees(status, stage);
            self.check(is_true, Invariant::BooksAgree, || {
                format!("{number} is {status:?} at the backend, and the bank has {stage:?}")
            });
            if self.others.contains(order) {
                continue;
            }
            let known = journal.get(number).copied();
            // By its next question it may be done.
            let is_agreed = known == Some(status)
                || known == Some(RefundStatus::Accepted) && status == RefundStatus::Done;
            self.check(is_agreed, Invariant::BooksAgree, || {
                format!("{number} is {status:?} at the backend, and {known:?} in the journal")
            });
        }
        Ok(())
    }
}
