//! Customers who pay in cash, or with cash first and a code for the rest, or who get the cash back
//! because the rest is not paid.

use paytill::engine::{Act, ActKind, CashStart, Draw, Refusal, SaleRef};
use paytill::money::Money;
use paytill::order::OutTradeNo;

use super::people::id_of;
use super::{CashBack, Due, Queued, World};
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
            self.counts.splits += 1;
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
        let (sold, draw) = (self.sold(sale), Draw(draw));
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
        self.counts.cash += 1;
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

    /// The rest of a sale is not paid, and the cashier gives the cash back; the till may refuse.
    pub(super) fn returns_cash(&mut self, sale: usize) {
        let Some(id) = self.sales[&sale].id else { return };
        let wall = self.wall();
        let Some(till) = self.till.as_mut().filter(|till| !till.disk_failed) else { return };
        let balance = match till.engine.give_up_sale(id) {
            Ok(balance) => balance,
            Err(refusal) => {
                return self.tell(|| format!("no cash of sale {sale} goes back: {refusal:?}"));
            }
        };
        let orders = self.auditor.cash_orders(sale);
        let all: i64 = orders.iter().map(|(_, amount)| amount).sum();
        if all != balance.taken().minor() {
            let what = format!("{all} were taken of sale {sale}, by the till {balance:?}");
            self.auditor.broken(Invariant::NeverAboveDue, what);
        }
        let act = |amount: i64| {
            let kind = ActKind::CashReturned { amount: Money::from_minor(amount) };
            Act { at: wall, kind, by: None }
        };
        let acts: Vec<(Act, OutTradeNo)> = orders
            .iter()
            .filter_map(|(number, amount)| {
                Some((act(*amount), OutTradeNo::try_from(number.clone()).ok()?))
            })
            .collect();
        self.auditor.goes_back(sale);
        self.queue(Queued::CashBack(CashBack { sale, orders, acts }));
    }

    /// The disk has it.
    pub(super) fn went_back(&mut self, CashBack { sale, orders, .. }: &CashBack) {
        self.tell(|| format!("the cash of sale {sale} goes back: {orders:?}"));
        self.counts.returns += 1;
        self.auditor.went_back(*sale, orders);
    }
}
