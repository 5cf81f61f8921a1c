//! The drawer and the shifts: opened with a float, closed while the till sells, and read by whoever
//! wants to know.

use std::collections::BTreeMap;

use paytill::clock::{Millis, TimeZone};
use paytill::engine::{Act, ActKind};
use paytill::journal::{Filter, JournalError, JournalReader, OrderRow, ShiftDone, ShiftWork};
use paytill::money::Money;
use paytill::refund::RefundStatus;
use paytill::shift::{Carry, Closing, NotNow};

use super::{Due, OPERATIONS_OF_AN_ENTRY, World};
use crate::auditor::shifts::{Books, Bought};
use crate::invariants::Invariant;
use crate::plan::{HEALED, Plan};

/// What is put into the drawer before a close.
const CHANGE: i64 = 100;

impl World {
    /// Somebody says what is in the drawer, and the shift is open.
    pub(super) fn opens_the_shift(&mut self, number: u64) {
        if !self.auditor.may_open() || !self.may_write_acts() {
            return;
        }
        let float = self.plan.chance("float", number).i64(0..100_000);
        self.draw_shift_trouble();
        let work = ShiftWork::Open { at: self.wall(), float: Money::from_minor(float), by: None };
        let Some(till) = &mut self.till else { return };
        let done = till.journal.do_shift(work, &TimeZone::UTC);
        if self.disk.is_dead() {
            self.auditor.drawer.floats.may_be(float);
            return self.die("died while a shift was opened");
        }
        self.disk.disarm();
        match done {
            Ok(ShiftDone::Opened(report)) => {
                self.tell(|| format!("a shift is opened with {float}"));
                self.auditor.opened(float, &report);
            }
            Ok(ShiftDone::Not(NotNow::IsOpen(_))) => {
                let is_so = self.auditor.drawer.is_open;
                if !is_so {
                    let what = "a shift that nobody has opened is in the way".to_owned();
                    self.auditor.broken(Invariant::ShiftsAddUp, what);
                }
            }
            Ok(other) => {
                let what = format!("an opening led to {other:?}");
                self.auditor.broken(Invariant::ShiftsAddUp, what);
            }
            Err(error) => {
                self.auditor.drawer.floats.may_be(float);
                self.journal_failed(&error);
            }
        }
    }

    /// Somebody counts the drawer and closes the shift, while the till sells.
    pub(super) fn closes_the_shift(&mut self, number: u64) {
        let mut rng = self.plan.chance("close", number);
        let counted = Some(Money::from_minor(rng.i64(0..1_000_000)));
        let carry = if rng.bool() { Carry::Yes(None) } else { Carry::No };
        let opens_again = rng.bool();
        if !self.puts_change_into_the_drawer() {
            return;
        }
        self.draw_shift_trouble();
        let may_carry = carry != Carry::No;
        let closing = Closing { at: self.wall(), counted, operator: None, carry };
        let work = ShiftWork::Close { closing, by: None };
        let Some(till) = &mut self.till else { return };
        let done = till.journal.do_shift(work, &TimeZone::UTC);
        if self.disk.is_dead() {
            self.auditor.drawer.is_in_doubt = true;
            return self.die("died within the close of a shift");
        }
        self.disk.disarm();
        match done {
            Ok(ShiftDone::Closed(report)) => {
                self.tell(|| format!("Z {:?}: {:?}", report.z, report.sales));
                self.counts.closes += 1;
                self.auditor.closed_over(&report.unresolved, may_carry);
                self.reads_the_shifts();
                if opens_again {
                    self.plan_at(self.now + 1_000, Due::Open(number));
                }
            }
            Ok(ShiftDone::Not(NotNow::Unresolved(numbers))) => {
                self.tell(|| format!("the shift is not closed: {numbers:?}"));
                let is_so = numbers.iter().all(|number| self.auditor.is_unsettled(number));
                if !is_so || numbers.is_empty() {
                    let what = format!("{numbers:?} stand in the way of a close");
                    self.auditor.broken(Invariant::ShiftsAddUp, what);
                }
            }
            Ok(other) => {
                let what = format!("a close led to {other:?}");
                self.auditor.broken(Invariant::ShiftsAddUp, what);
            }
            Err(error) => {
                self.auditor.drawer.is_in_doubt = true;
                self.journal_failed(&error);
            }
        }
    }

    /// `false` if that came to nothing.
    fn puts_change_into_the_drawer(&mut self) -> bool {
        if !self.may_write_acts() {
            return false;
        }
        self.draw_shift_trouble();
        let amount = Money::from_minor(CHANGE);
        let kind = ActKind::CashIn { amount, reason: "change".into() };
        let act = Act { at: self.wall(), kind, by: None };
        let Some(till) = &mut self.till else { return false };
        let done = till.journal.append_act(&act);
        if self.disk.is_dead() {
            self.auditor.drawer.put_in.may_be(CHANGE);
            self.die("died while cash was put in");
            return false;
        }
        self.disk.disarm();
        if let Err(error) = &done {
            self.auditor.drawer.put_in.may_be(CHANGE);
            self.journal_failed(error);
        } else {
            self.auditor.drawer.put_in.sure += CHANGE;
        }
        done.is_ok()
    }

    fn may_write_acts(&self) -> bool {
        self.till.as_ref().is_some_and(|till| !till.disk_failed)
    }

    fn draw_shift_trouble(&mut self) {
        self.draw_trouble(
            3 * self.climate.death_at_the_disk,
            self.climate.failing_disk,
            OPERATIONS_OF_AN_ENTRY,
        );
    }

    /// What was written beside the engine failed: it must write and send nothing more.
    pub(super) fn journal_failed(&mut self, error: &JournalError) {
        self.disk_failed(error);
        let (now, wall) = (self.uptime(), self.wall());
        if let Some(till) = &mut self.till {
            let effects = till.engine.written(0, false, now, wall);
            self.perform(effects);
        }
    }

    /// All Z reports and what came after them, against the journal's orders and the bank's ledger.
    pub(super) fn reads_the_shifts(&mut self) {
        self.bank.advance(Millis(self.now));
        let bought: BTreeMap<i64, Bought> = self
            .sales
            .iter()
            .filter_map(|(sale, known)| {
                let (due, sold) = (known.customer.due, self.sold(*sale));
                Some((known.id?, Bought { due, sold }))
            })
            .collect();
        let now = self.wall();
        let read = self.reader().and_then(|reader| {
            let closed = reader.closed_shifts(|_| true)?;
            let open = reader.shift(now, &TimeZone::UTC)?;
            let rows = reader.orders(&Filter::default())?;
            let refunds = refunds_done(&reader, &rows)?;
            let returned = self.auditor.read_returned(&reader, &rows)?;
            Ok((closed, open, Books { rows, refunds, returned }))
        });
        match read {
            Ok((closed, open, books)) => {
                self.auditor.shifts(closed, &open, &books, &bought);
                self.auditor.against_the_ledger(&books, &self.bank);
            }
            Err(error) => self.auditor.broken(Invariant::ShiftsAddUp, error.to_string()),
        }
    }
}

/// The refunds that are done: of which order, under which number, how much.
fn refunds_done(
    reader: &JournalReader,
    rows: &[OrderRow],
) -> Result<Vec<(String, String, i64)>, JournalError> {
    let mut done = Vec::new();
    for row in rows.iter().filter(|row| row.state.proof().is_some()) {
        for refund in reader.refunds(row.attempt)? {
            if refund.state.status() == RefundStatus::Done {
                let numbers = (row.out_trade_no.to_string(), refund.out_refund_no.to_string());
                done.push((numbers.0, numbers.1, refund.amount.minor()));
            }
        }
    }
    Ok(done)
}

/// When somebody closes the shift.
pub(super) fn closes(plan: &Plan) -> Vec<u64> {
    let mut rng = plan.chance("shifts", 0);
    (0..rng.u64(..5)).map(|_| rng.u64(1..HEALED - 25_000)).collect()
}
