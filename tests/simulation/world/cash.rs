//! Customers who pay in cash, or with cash first and a code for the rest; and the shifts that are
//! closed meanwhile.

use paytill::clock::TimeZone;
use paytill::engine::{Act, ActKind, CashStart, Draw, Refusal, SaleRef};
use paytill::journal::{ShiftDone, ShiftWork};
use paytill::money::Money;
use paytill::shift::{Carry, Closing, NotNow};

use super::people::id_of;
use super::{Due, OPERATIONS_OF_AN_ENTRY, World};
use crate::invariants::Invariant;

/// How a customer pays.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pays {
    ByCode,
    /// With so much cash, which may be more than due.
    Cash(i64),
    /// With so much, and the rest by code.
    PartlyCash(i64),
}

impl Pays {
    fn given(self) -> Option<i64> {
        match self {
            Self::ByCode => None,
            Self::Cash(given) | Self::PartlyCash(given) => Some(given),
        }
    }
}

impl World {
    /// What a customer does, whatever the troubles of the seed are.
    fn pays(&self, sale: usize) -> Pays {
        let due = self.sales[&sale].customer.due;
        let mut rng = self.plan.chance("cash", sale as u64);
        match rng.u8(..10) {
            0 | 1 => Pays::Cash(due + [0, 1, 5000][rng.usize(..3)]),
            2..=4 if due > 1 => Pays::PartlyCash(rng.i64(1..due)),
            _ => Pays::ByCode,
        }
    }

    /// Takes the cash of a customer who has not given it yet; `false` if a code is to be charged now.
    pub(super) fn takes_cash(&mut self, sale: usize) -> bool {
        let Some(given) = self.pays(sale).given() else { return false };
        let (id, taken) = (self.sales[&sale].id, self.auditor.cash_of(sale));
        if taken > 0 {
            return false;
        }
        let due = Money::from_minor(self.sales[&sale].customer.due);
        let reference = id.map_or(SaleRef::New(due), |id| SaleRef::Again(id, due));
        if self.gives(sale, reference, given).is_ok()
            && matches!(self.pays(sale), Pays::PartlyCash(_))
        {
            let later = self.now + 1_500;
            self.plan_at(later, Due::Customer(sale));
        }
        true
    }

    /// The cashier takes cash for a sale that was charged before, or for its rest; the till may refuse.
    pub(super) fn pays_the_rest(&mut self, sale: usize) {
        let Some(id) = self.sales[&sale].id else { return };
        let due = self.sales[&sale].customer.due;
        let all = SaleRef::Again(id, Money::from_minor(due));
        if let Err(refusal) = self.gives(sale, all, due)
            && let Some(left) = self.left_of(sale, &refusal)
        {
            let _ = self.gives(sale, SaleRef::Again(id, left), due);
        }
    }

    fn gives(&mut self, sale: usize, reference: SaleRef, given: i64) -> Result<(), Refusal> {
        let mut rng = self.plan.chance("cash draw", sale as u64 * 100 + self.sales[&sale].attempts);
        let mut draw = [0; 12];
        rng.fill(&mut draw);
        let tendered = Money::from_minor(given);
        let note = String::new();
        let (sold, draw) = (std::sync::Arc::default(), Draw(draw));
        let start = CashStart { sale: reference, note, sold, tendered, by: None, draw };
        let (now, wall) = (self.uptime(), self.wall());
        let Some(till) = &mut self.till else { return Ok(()) };
        let taken = till.engine.take_cash(start, now, wall);
        if let Err(refusal) = &taken {
            let why = format!("no cash for sale {sale}: {refusal:?}");
            self.tell(|| why);
        }
        let (number, effects) = taken?;
        let taken = given.min(reference.amount().minor());
        self.tell(|| format!("{number}: sale {sale} is paid {given} in cash"));
        self.auditor.begun(number.as_str(), sale, taken, &format!("cash-{number}"));
        self.auditor.is_cash(number.as_str());
        self.counts.sales += 1;
        self.sale_of.insert(number.to_string(), sale);
        let id = id_of(&effects);
        if let Some(known) = self.sales.get_mut(&sale) {
            known.id = id;
            known.latest = Some(number);
            known.attempts += 1;
        }
        self.perform(effects);
        Ok(())
    }

    /// What a code is charged for: the whole sale, whatever is paid of it, and then what the till
    /// says is left.
    pub(super) fn left_of(&self, sale: usize, refusal: &Refusal) -> Option<Money> {
        let Refusal::MoreThanLeft(left) = refusal else { return None };
        let due = self.sales[&sale].customer.due;
        (left.minor() < due).then_some(*left)
    }

    /// Somebody counts the drawer and closes the shift, while the till sells.
    pub(super) fn closes_the_shift(&mut self, number: u64) {
        let mut rng = self.plan.chance("close", number);
        let counted = Some(Money::from_minor(rng.i64(0..1_000_000)));
        let carry = if rng.bool() { Carry::Yes(None) } else { Carry::No };
        self.draw_trouble(
            3 * self.climate.death_at_the_disk,
            self.climate.failing_disk,
            OPERATIONS_OF_AN_ENTRY,
        );
        let wall = self.wall();
        let may_carry = carry != Carry::No;
        let closing = Closing { at: wall, counted, operator: None, carry };
        let Some(till) = &mut self.till else { return };
        let moved = Act {
            at: wall,
            kind: ActKind::CashIn { amount: Money::from_minor(100), reason: "float".into() },
            by: None,
        };
        let work = ShiftWork::Close { closing, by: None };
        let done = till
            .journal
            .append_act(&moved)
            .and_then(|()| till.journal.do_shift(work, &TimeZone::UTC));
        if self.disk.is_dead() {
            return self.die("died within the close of a shift");
        }
        self.disk.disarm();
        match done {
            Ok(ShiftDone::Closed(report)) => {
                self.tell(|| format!("Z {:?}: {:?}", report.z, report.sales));
                self.auditor.closed_over(&report.unresolved, may_carry);
                self.reads_the_shifts();
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
                self.disk_failed(&error);
                let (now, wall) = (self.uptime(), self.wall());
                if let Some(till) = &mut self.till {
                    let effects = till.engine.written(0, false, now, wall);
                    self.perform(effects);
                }
            }
        }
    }

    /// All Z reports and what came after them, against the journal's orders.
    pub(super) fn reads_the_shifts(&mut self) {
        let now = self.wall();
        let read = self.reader().and_then(|reader| {
            let closed = reader.closed_shifts(|_| true)?;
            let open = reader.shift(now, &TimeZone::UTC)?;
            let rows = reader.orders(&paytill::journal::Filter::default())?;
            Ok((closed, open, rows))
        });
        let due: std::collections::BTreeMap<i64, i64> =
            self.sales.values().filter_map(|sale| Some((sale.id?, sale.customer.due))).collect();
        match read {
            Ok((closed, open, rows)) => self.auditor.shifts(closed, &open, &rows, &due),
            Err(error) => self.auditor.broken(Invariant::ShiftsAddUp, error.to_string()),
        }
    }
}
