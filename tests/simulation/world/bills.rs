//! The gateway's bill of the day, read and held against the journal as `paytill reconcile` does.

use std::collections::BTreeSet;
use std::convert::Infallible;

use paytill::bill::compare::{Cause, Difference, Here, OwnOrder, OwnRefund};
use paytill::bill::{Comparison, Expected, beijing, read};
use paytill::clock::{Date, Timestamp};
use paytill::journal::{BegunRefund, JournalError, JournalReader, OrderRow};
use paytill::money::Currency;
use paytill::order::TillId;
use paytill::refund::RefundStatus;

use super::{END, STARTED, World, account};
use crate::invariants::Invariant;

/// Before and after all days of the story, wherever its clocks jump to.
const ALL_DAYS: [&str; 2] = ["0000-00-00", "9999-99-99"];

impl World {
    /// Once all has ended, the bill and the journal say the same, but for what the bank has done by
    /// itself. Where no reversal ever succeeds there is no such end.
    pub(super) fn reads_the_bills(&mut self, reader: &JournalReader, rows: &[OrderRow]) {
        if self.climate.no_reversals > 0 || self.auditor.violation.is_some() {
            return;
        }
        let refunds = match own_refunds(reader) {
            Ok(refunds) => refunds,
            Err(error) => return self.auditor.broken(Invariant::NothingLost, error.to_string()),
        };
        let end = STARTED + i64::try_from(END).unwrap_or(0);
        let days = [STARTED, end].map(|at| Timestamp(at).day(&beijing()));
        for day in BTreeSet::from(days) {
            if let Err(what) = self.reads_the_bill(day, rows, &refunds) {
                self.auditor.broken(Invariant::BillAgrees, what);
            }
        }
    }

    fn reads_the_bill(
        &mut self,
        day: Date,
        rows: &[OrderRow],
        refunds: &[OwnRefund],
    ) -> Result<(), String> {
        let till = TillId::new("T01").ok_or("no till")?;
        let mut comparison = Comparison::new(day, vec![till], Currency::CNY);
        // No bill has what was paid in cash.
        let by_code = rows.iter().filter(|row| row.state.cash().is_none());
        by_code.map(own_order).for_each(|order| comparison.expect(order));
        refunds.iter().cloned().for_each(|refund| comparison.expect_refund(refund));
        if let Some(bill) = self.bank.bill(day) {
            self.counts.bills += 1;
            let expected = Expected { merchant: account(&self.plan).merchant, day };
            let look_up = |_: &str| Ok::<_, Infallible>(None);
            read(bill.as_bytes(), &expected, |row| comparison.row(row, look_up))
                .map_err(|failure| format!("the bill of {day} cannot be read: {failure:?}"))?;
        }
        let outcome = comparison.finish();
        let differences = &outcome.differences;
        let unexplained = differences.iter().find(|found| !self.is_the_banks(found));
        if let Some(found) = unexplained {
            return Err(format!("the bill of {day}: {found:?}"));
        }
        let named: BTreeSet<&str> =
            differences.iter().map(|found| found.refund_no.as_str()).collect();
        match self.auditor.failed_refunds(&self.bank).find(|number| !named.contains(number)) {
            Some(number) => Err(format!("{number} has failed, and nobody says so")),
            None => Ok(()),
        }
    }

    /// Whether it is something that no till can have done or known: another till's payment under the
    /// same number, a refund at the merchant platform, a refund that failed.
    fn is_the_banks(&self, found: &Difference) -> bool {
        let (order, refund) = (found.order_no.as_str(), found.refund_no.as_str());
        let is_elsewhere = self.bank.entry(order).is_some_and(|entry| {
            let is_at_the_platform = entry.is_refunded_elsewhere() && refund.starts_with('M');
            let is_known = entry.refunds.iter().any(|known| known.number == refund);
            is_at_the_platform || is_known && !refund.starts_with(order)
        });
        self.auditor.is_of_anothers(order)
            || is_elsewhere && found.cause == Cause::RefundNotInJournal
            || found.cause == Cause::RefundFailed
                && self.auditor.failed_refunds(&self.bank).any(|number| number == refund)
    }
}

fn own_order(row: &OrderRow) -> OwnOrder {
    OwnOrder {
        number: row.out_trade_no.to_string(),
        amount: row.amount,
        currency: row.currency,
        created_at: row.created_at,
        updated_at: row.updated_at,
        status: row.state.status(),
        here: Here::of(&row.state),
    }
}

fn own_refunds(reader: &JournalReader) -> Result<Vec<OwnRefund>, JournalError> {
    let [from, to] = ALL_DAYS;
    let begun = reader.refunds_begun(from, to)?.into_iter();
    let own = begun.filter(|begun| begun.refund.state.status() != RefundStatus::Refused);
    let own = own.map(|BegunRefund { out_trade_no, refund, accepted_at }| OwnRefund {
        order_no: out_trade_no.to_string(),
        refund_no: refund.out_refund_no.to_string(),
        amount: refund.amount,
        accepted_at,
    });
    Ok(own.collect())
}
