//! From one task of the cashier to the next.

use super::model::{CashierTask, Model};
use super::{SaleRef, ScreenCommand};

pub(super) fn warm_up(model: &mut Model) -> Vec<ScreenCommand> {
    model.warmed_at = model.now;
    vec![ScreenCommand::WarmUp]
}

pub(super) fn ask_for_code(model: &mut Model, sale: SaleRef) -> Vec<ScreenCommand> {
    model.typing = None;
    model.task = CashierTask::Code { sale };
    model.note = None;
    warm_up(model)
}

pub(super) fn next_sale(model: &mut Model) {
    model.typing = None;
    model.task = CashierTask::Amount { typed: String::new() };
    model.note = None;
    model.tidy();
}
