//! Which sale that is paid in part is at the desk, which waits, and what becomes of it.

use super::AttemptView;
use super::model::Model;
use super::pages::checkout::CashierTask;
use super::part_paid::PartPaid;
use crate::engine::SaleRef;
use crate::money::Money;
use crate::payment::Status;

impl Model {
    /// The sale of this number, if cash was taken of it and something is left.
    pub(super) fn part_paid(&self, sale: i64) -> Option<&PartPaid> {
        self.part_paid.iter().find(|part| part.sale == sale)
    }

    /// The one at the desk.
    pub(super) fn part_paid_at_desk(&self) -> Option<&PartPaid> {
        let sale = match &self.task {
            CashierTask::Code { sale: SaleRef::Again(sale, _) } => *sale,
            CashierTask::Payment(_) => {
                let view = &self.at_hand()?.view;
                let has_ended = matches!(view.state.status(), Status::Declined | Status::Reversed);
                Some(view.sale).filter(|_| has_ended && view.state.may_be_charged_again())?
            }
            CashierTask::Amount { .. }
            | CashierTask::Code { .. }
            | CashierTask::Starting { .. } => {
                return None;
            }
        };
        self.part_paid(sale)
    }

    /// The latest one that nothing is under way for.
    pub(super) fn part_paid_waiting(&self) -> Option<&PartPaid> {
        let is_under_way = |part: &PartPaid| {
            let of_it = self.attempts.iter().filter(|attempt| attempt.view.sale == part.sale);
            let mut open = of_it.filter(|attempt| !attempt.view.recorded || attempt.is_unsettled());
            open.next().is_some()
        };
        self.part_paid.iter().rev().find(|part| !is_under_way(part))
    }

    /// An order has moved: how much of its sale is left may be another. Returns what is left of it
    /// after cash was taken.
    pub(super) fn note_part(&mut self, view: &AttemptView, is_new: bool) {
        if view.state.status() != Status::Paid || !view.recorded {
            return;
        }
        let Some(cash) = view.state.cash().filter(|_| is_new) else {
            if view.state.cash().is_none() {
                // The rest, by code: never more than that is charged.
                self.part_paid.retain(|part| part.sale != view.sale);
            }
            return;
        };
        let known = self.part_paid.iter().position(|part| part.sale == view.sale);
        let mut part = known.map_or_else(
            || PartPaid { sale: view.sale, left: cash.due(), cash: Vec::new() },
            |at| self.part_paid.remove(at),
        );
        part.left = cash.left();
        part.cash.push((view.out_trade_no.clone(), cash.taken()));
        if part.left > Money::default() {
            self.part_paid.push(part);
        }
    }
}
