//! What the journal must contain: after every kind of crash, and at the end in comparison with the
//! bank's ledger.

use std::collections::BTreeMap;

use paytill::clock::Millis;
use paytill::journal::{JournalError, JournalReader, OrderRow, StoredEvent};
use paytill::payment::{CallKind, Event, State, Status};
use paytill::simulator::{Bank, LedgerEntry, OrderStatus, Scenario};

use super::Auditor;
use super::attempted::Attempted;
use super::pace::Pace;
use crate::invariants::Invariant;

impl Auditor {
    /// The process is gone: entries that it had handed over may be on the disk or not.
    pub fn restarted(&mut self, reader: &JournalReader, rows: &[OrderRow]) {
        let compared = self.compare(reader, rows);
        if let Err(error) = compared.and_then(|()| self.compare_refunds(reader, rows)) {
            self.broken(Invariant::NothingLost, error.to_string());
        }
        self.pace = Pace::default();
    }

    fn compare(&mut self, reader: &JournalReader, rows: &[OrderRow]) -> Result<(), JournalError> {
        let by_number: BTreeMap<&str, _> =
            rows.iter().map(|row| (row.out_trade_no.as_str(), row)).collect();
        let (now, mut wrong) = (self.now, Vec::new());
        for attempted in self.attempts.values_mut() {
            let row = by_number.get(attempted.number.as_str()).copied();
            attempted.compare(reader, row, now, &mut wrong)?;
        }
        for row in rows {
            if !self.attempts.contains_key(row.out_trade_no.as_str()) {
                let what = format!("{} comes from nowhere", row.out_trade_no);
                wrong.push((Invariant::NothingLost, what));
            }
        }
        for (invariant, what) in wrong {
            self.broken(invariant, what);
        }
        Ok(())
    }

    /// The final check: the journal and the bank's ledger agree.
    /// Where no reversal ever succeeds, what is open may stay open; but no money that is held is
    /// taken for gone, and no sale is charged on top of it.
    pub fn close(&mut self, rows: &[OrderRow], bank: &mut Bank, is_hopeless: bool) {
        bank.advance(Millis(self.now));
        let mut nets: BTreeMap<i64, u32> = BTreeMap::new();
        let mut paid_by_sale: BTreeMap<usize, u32> = BTreeMap::new();
        for row in rows {
            let number = row.out_trade_no.as_str();
            let theirs = bank.entry(number).filter(|_| self.others.contains(number));
            let untouched =
                theirs.is_none_or(|entry| entry.times_of(CallKind::Reverse).next().is_none());
            self.check(untouched, Invariant::OnlyOurs, || {
                format!("{number} was reversed, and is another till's")
            });
            let ours = bank.entry(number).filter(|_| theirs.is_none());
            let net = ours.map_or(0, |entry| entry.net_of_payment().minor());
            let status = row.state.status();
            let is_by_code = row.state.cash().is_none();
            let right = if status == Status::Paid && is_by_code { row.amount.minor() } else { 0 };
            let over = matches!(
                status,
                Status::Paid | Status::Declined | Status::Reversed | Status::Closed
            );
            let may_stay = is_hopeless && row.state.is_open();
            let may_be_less =
                status == Status::Paid && ours.is_some_and(LedgerEntry::is_refunded_elsewhere);
            self.check(net == right || may_stay || may_be_less, Invariant::Converges, || {
                format!("{number} is {status:?}, and the bank holds {net}")
            });
            self.check(over || may_stay, Invariant::Converges, || {
                format!("{number} is still {status:?}")
            });
            // The gateway said for certain that nothing was charged, and it was: no till can know.
            let is_lied_to = bank.entry(number).is_some_and(|entry| {
                matches!(entry.scenario, Scenario::Refused { charged: true, .. })
            });
            if is_hopeless && is_lied_to {
                continue;
            }
            *nets.entry(row.sale).or_default() += u32::from(net > 0);
            let sale = self.attempts.get(number).map_or(usize::MAX, |attempted| attempted.sale);
            *paid_by_sale.entry(sale).or_default() += u32::from(net > 0);
        }
        let twice = nets.values().chain(paid_by_sale.values()).any(|charges| *charges > 1);
        self.check(!twice, Invariant::OneNetCharge, || "a sale was paid twice".to_owned());
        let has_begun = |entry: &&LedgerEntry| {
            entry.submissions() > 0 || entry.times_of(CallKind::Order).next().is_some()
        };
        for entry in bank.ledger().filter(has_begun) {
            let number = &entry.out_trade_no;
            let is_open = entry.code_url().is_some() && entry.status == OrderStatus::Open;
            self.check(!is_open || is_hopeless, Invariant::Converges, || {
                format!("{number} can still be paid at the bank")
            });
            if self.others.contains(number) {
                continue;
            }
            let is_known = rows.iter().any(|row| row.out_trade_no.as_str() == *number);
            self.check(is_known, Invariant::IntentBeforeWire, || {
                format!("the bank knows {number}, the journal does not")
            });
        }
    }
}

impl Attempted {
    /// Compares the journal with what is known, and continues from what it contains.
    fn compare(
        &mut self,
        reader: &JournalReader,
        row: Option<&OrderRow>,
        now: u64,
        wrong: &mut Vec<(Invariant, String)>,
    ) -> Result<(), JournalError> {
        let number = self.number.clone();
        let Some(row) = row else {
            if !self.kept.is_empty() {
                wrong.push((Invariant::NothingLost, format!("{number} is gone")));
            }
            // It never reached the disk, so nobody ever saw it.
            self.handed.clear();
            self.attempt = 0;
            return Ok(());
        };
        self.attempt = row.attempt;
        self.restarts += 1;
        self.is_told_here = false;
        self.sent_at.get_or_insert(now);
        let is_proven = match row.state.status() {
            Status::Paid => self.proof_at.is_some() || self.is_cash,
            Status::Reversed | Status::Closed => self.is_over(),
            _ => true,
        };
        if !is_proven {
            wrong.push((Invariant::PaidNeedsProof, format!("{number}: an end without proof")));
        }
        if !std::mem::take(&mut self.has_moved) {
            // Unchanged entries are protected by the journal's own hash chain.
            if self.kept.last().is_some_and(|(_, state)| *state != row.state) {
                wrong.push((Invariant::NothingLost, format!("{number} went back")));
            }
            return Ok(());
        }
        let entries = reader.entries(row.attempt)?;
        let found: Vec<(Event, State)> = entries
            .into_iter()
            .filter_map(|entry| match entry.event {
                StoredEvent::Payment(event) => Some((event, entry.state)),
                StoredEvent::Act(_) | StoredEvent::Refund(_) => None,
            })
            .collect();
        let mut expected = self.kept.clone();
        let kept = expected.len();
        expected.append(&mut self.handed);
        if found.len() < kept || !expected.starts_with(&found) {
            let what = format!("{number}: {} of {kept} entries", found.len());
            wrong.push((Invariant::NothingLost, what));
        }
        if row.amount.minor() != self.due {
            wrong.push((Invariant::SameMoney, format!("{number}: {}", row.amount.minor())));
        }
        self.kept = found;
        Ok(())
    }
}
