//! What must be true of whatever the screen has the till do, given what the cashier saw.

use paytill::display::{SaleStage, View};
use paytill::engine::SaleRef;
use paytill::payment::Status;
use paytill::simulator::{Bank, LedgerEntry};
use paytill::text::find::Verdict;

use super::Auditor;
use super::attempted::Attempted;
use crate::invariants::Invariant;
use crate::screen::Seen;

/// A sale that people know of.
pub struct AtDesk {
    pub id: Option<i64>,
    pub due: i64,
}

impl Auditor {
    /// A code was scanned, and the till charges it: `serving` is the sale whose amount was typed,
    /// and `at_desk` that of the payment at the desk.
    pub fn charged(
        &mut self,
        seen: &Seen,
        scanned: Option<&str>,
        (sale, code): (SaleRef, &str),
        (serving, at_desk): (Option<&AtDesk>, Option<&AtDesk>),
    ) {
        let is_scanned = scanned == Some(code);
        self.check(is_scanned, Invariant::DeskAlone, || {
            "a code is charged that was not scanned now".to_owned()
        });
        let is_right = is_at_desk(seen, sale, &[SaleStage::Code], (serving, at_desk));
        self.check(is_right, Invariant::DeskAlone, || {
            format!("a scan charges {sale:?}, and at the desk is {seen:?}")
        });
    }

    /// A key orders a code of ours, for the same sales.
    pub fn ordered(
        &mut self,
        seen: &Seen,
        sale: SaleRef,
        (serving, at_desk): (Option<&AtDesk>, Option<&AtDesk>),
    ) {
        let new = [SaleStage::Typing, SaleStage::Code];
        let is_right = is_at_desk(seen, sale, &new, (serving, at_desk));
        self.check(is_right, Invariant::DeskAlone, || {
            format!("a code is ordered for {sale:?}, and at the desk is {seen:?}")
        });
    }

    /// What is on the screen is a code, as a phone reads it.
    pub fn code_drawn(&mut self, at_desk: Option<&str>, read: &str) {
        let right = at_desk.and_then(|number| self.code_of(number));
        let is_right = right.as_deref() == Some(read);
        self.check(is_right, Invariant::CodesAreKept, || {
            format!("{read} is on the screen, at the desk is {at_desk:?}, on disk is {right:?}")
        });
    }

    /// A code is to be scanned from paper.
    pub fn bill_printed(&mut self, number: &str) {
        let is_right = self.code_of(number).is_some();
        self.check(is_right, Invariant::CodesAreKept, || {
            format!("a bill of {number} is printed, and nobody may scan its code")
        });
    }

    /// The code of an order as the disk has it, if it can be scanned for all that this process knows.
    pub fn code_of(&self, number: &str) -> Option<String> {
        let attempted = self.attempts.get(number).filter(|attempted| attempted.is_told_here)?;
        let (_, state) = attempted.kept.last()?;
        let code = state.code_url().filter(|_| state.status() == Status::Waiting)?;
        Some(code.as_str().to_owned())
    }

    /// A key is for this payment.
    pub fn acted_on(&mut self, seen: &Seen, does: &str, number: &str) {
        // Where nothing is at the desk, F5 takes the most urgent.
        let is_right = match &seen.payment {
            Some(at_desk) => at_desk == number || does == "check" && self.is_over(at_desk),
            None => does == "check",
        };
        self.check(is_right && !seen.is_finding, Invariant::DeskAlone, || {
            format!("a key is to {does} {number}, and at the desk is {seen:?}")
        });
    }

    fn is_over(&self, number: &str) -> bool {
        self.attempts.get(number).and_then(Attempted::in_journal).is_none_or(Status::is_settled)
    }

    /// "I have paid": what is said of an order.
    pub fn said_of(&mut self, number: &str, verdict: Verdict, bank: &Bank) {
        let is_anothers = self.others.contains(number);
        let Some(attempted) = self.attempts.get(number) else { return };
        let entry = bank.entry(number).filter(|_| !is_anothers);
        let net = entry.map_or(0, |entry| entry.net().minor());
        let known = attempted.in_journal();
        let (invariant, is_right) = match verdict {
            Verdict::Paid => {
                let is_there =
                    net == attempted.due || entry.is_some_and(LedgerEntry::is_refunded_elsewhere);
                (Invariant::PaidNeedsProof, known == Some(Status::Paid) && is_there)
            }
            Verdict::Unpaid | Verdict::Reversed => {
                let status = known.unwrap_or(Status::Created);
                (Invariant::NoMoneyLeftBehind, !attempted.can_hold_money(status, entry))
            }
            Verdict::Foreign => (Invariant::OnlyOurs, is_anothers),
            Verdict::Refunded | Verdict::Unknown => return,
        };
        self.check(is_right, invariant, || {
            format!("{number} is said to be {}: {known:?}, net {net}", verdict.word())
        });
    }
}

/// Whether what begins is for the sale at the desk: a new one, at one of these stages, or another try.
fn is_at_desk(
    seen: &Seen,
    sale: SaleRef,
    new: &[SaleStage],
    (serving, at_desk): (Option<&AtDesk>, Option<&AtDesk>),
) -> bool {
    let (amount, stage) = match seen.sale {
        View::Sale { amount, stage } => (amount, stage),
        View::Welcome => (sale.amount(), SaleStage::Typing),
    };
    let is_right = match sale {
        SaleRef::New(due) => {
            new.contains(&stage) && serving.is_some_and(|sale| sale.due == due.minor())
        }
        SaleRef::Again(id, due) => {
            let may_be = matches!(
                stage,
                SaleStage::Payment(Status::Declined | Status::Reversed | Status::Closed)
                    | SaleStage::Code
            );
            may_be && at_desk.is_some_and(|sale| (sale.id, sale.due) == (Some(id), due.minor()))
        }
    };
    is_right && amount == sale.amount() && !seen.is_finding && !seen.asks
}
