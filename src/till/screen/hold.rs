//! Sales that are put aside and come back: a customer has forgotten something, and the next one is
//! served. No money is in them. What a payment that was not made would have sold comes back the same
//! way.

use super::basket::MOST_HELD;
use super::goods_note::GoodsNote;
use super::model::{Dialog, Model};
use super::pages::checkout::{CashierTask, next_sale};
use super::ring_up::{GoodsCommand, clear_typed, refuse, still_looking, tell};
use super::{Key, SaleRef, ScreenCommand};
use crate::payment::Status;
use crate::sale::Held;

impl Model {
    /// Whether the sale at the desk can be put aside.
    pub(super) fn can_hold(&self) -> bool {
        let is_here = match &self.task {
            CashierTask::Amount { .. } | CashierTask::Code { sale: SaleRef::New(_) } => true,
            CashierTask::Code { .. } | CashierTask::Starting { .. } | CashierTask::Payment(_) => {
                false
            }
        };
        is_here
            && self.sells_goods()
            && self.ring_up.held_is_read
            && !self.ring_up.sale.lines.is_empty()
    }

    /// Whether one that was put aside can come back.
    pub(super) fn can_recall(&self) -> bool {
        self.takes_goods() && self.ring_up.is_empty() && !self.ring_up.held.is_empty()
    }

    /// Whether the lines of the payment at the desk, which was not made, can come back.
    pub(super) fn can_restore(&self) -> bool {
        let Some(attempt) = self.at_hand().filter(|_| self.sells_goods()) else { return false };
        let status = attempt.view.state.status();
        let charged = self.ring_up.charged.as_ref().map(|(order, _)| order);
        matches!(status, Status::Declined | Status::Reversed)
            && attempt.view.state.may_be_charged_again()
            && charged == Some(&attempt.view.out_trade_no)
    }
}

/// Puts the sale at the desk aside, or shows what was.
pub(super) fn hold_or_recall(model: &mut Model) -> Vec<ScreenCommand> {
    if model.can_restore() {
        if let Some((_, sale)) = model.ring_up.charged.take() {
            next_sale(model);
            model.ring_up.chosen = sale.lines.len().checked_sub(1);
            model.ring_up.sale = sale;
        }
        return Vec::new();
    }
    if model.can_hold() {
        return hold(model);
    }
    let has_goods = model.ring_up.has_catalogue || !model.ring_up.is_empty();
    if has_goods && !model.ring_up.held_is_read && model.sells_goods() {
        tell(model, GoodsNote::HeldNotRead);
        return Vec::new();
    }
    if model.can_recall() {
        let chosen = model.ring_up.held.len() - 1;
        model.dialog = Some(Dialog::Held { chosen });
    } else if model.ring_up.has_catalogue && model.takes_goods() && model.ring_up.is_empty() {
        tell(model, GoodsNote::NothingHeld);
    }
    Vec::new()
}

fn hold(model: &mut Model) -> Vec<ScreenCommand> {
    if let Some(why) = still_looking(model) {
        tell(model, why);
        return Vec::new();
    }
    if model.ring_up.held.len() >= MOST_HELD {
        refuse(model, GoodsNote::TooManyHeld);
        return Vec::new();
    }
    let sum = model.rung_up().map_or_else(String::new, |sold| model.money(sold.due));
    let sale = std::mem::take(&mut model.ring_up.sale);
    model.ring_up.chosen = None;
    model.ring_up.held.push(Held { at: model.wall, sale });
    next_sale(model);
    model.ring_up.being_kept = Some(sum);
    keep(model)
}

fn keep(model: &Model) -> Vec<ScreenCommand> {
    vec![ScreenCommand::Goods(GoodsCommand::Keep(model.ring_up.held.clone()))]
}

/// What a key does in the list of what was put aside.
pub(super) fn pressed_in_held(model: &mut Model, chosen: usize, key: Key) -> Vec<ScreenCommand> {
    let last = model.ring_up.held.len().saturating_sub(1);
    match key {
        Key::Up => {
            let chosen = chosen.checked_sub(1).unwrap_or(last);
            model.dialog = Some(Dialog::Held { chosen });
        }
        Key::Down => {
            let chosen = if chosen < last { chosen + 1 } else { 0 };
            model.dialog = Some(Dialog::Held { chosen });
        }
        Key::Enter if chosen <= last && model.can_recall() => {
            model.dialog = None;
            let held = model.ring_up.held.remove(chosen);
            if let CashierTask::Payment(_) = model.task {
                next_sale(model);
            }
            clear_typed(model);
            model.ring_up.chosen = held.sale.lines.len().checked_sub(1);
            model.ring_up.sale = held.sale;
            return keep(model);
        }
        _ => {}
    }
    Vec::new()
}
