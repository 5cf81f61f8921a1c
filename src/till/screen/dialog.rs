//! What the keys do while a question, the help page or the training customers are on the screen,
//! and when a question goes by itself.

use super::model::{Dialog, Model, SlipState};
use super::overlays::{commands, help, training};
use super::pages::checkout::ask_for_code;
use super::pages::{cash, code, find, goods, shift};
use super::{Key, SaleRef, ScreenCommand, hold, ring_up, tray};
use crate::order::OutTradeNo;
use crate::payment::Status;

pub(super) fn answered(model: &mut Model, dialog: Dialog, key: Key) -> Vec<ScreenCommand> {
    if key == Key::Esc {
        model.dialog = None;
        return Vec::new();
    }
    match dialog {
        Dialog::Help => {
            help::pressed(model, key);
            Vec::new()
        }
        Dialog::Training { chosen } => training::pressed(model, chosen, key),
        Dialog::Commands { typed, chosen } => {
            commands::pressed(model, typed, chosen, key);
            Vec::new()
        }
        Dialog::Goods { typed, chosen } => goods::pressed(model, typed, chosen, key),
        Dialog::Held { chosen } => hold::pressed_in_held(model, chosen, key),
        Dialog::Discard => {
            if key == Key::Enter {
                ring_up::discard(model);
            }
            Vec::new()
        }
        Dialog::LargeAmount(amount) => {
            if key != Key::Enter {
                return Vec::new();
            }
            model.dialog = None;
            ask_for_code(model, SaleRef::New(amount))
        }
        Dialog::LargeCode(amount) => {
            if key != Key::Enter {
                return Vec::new();
            }
            model.dialog = None;
            code::order(model, SaleRef::New(amount))
        }
        Dialog::Cancel(order) => {
            if key != Key::Enter {
                return Vec::new();
            }
            model.dialog = None;
            if let Some(attempt) = model.attempt_mut(&order) {
                attempt.cancelled = true;
            }
            vec![ScreenCommand::Cancel(order)]
        }
        Dialog::Unsettled(_) => {
            if key == Key::Enter {
                model.dialog = None;
                tray::go_on(model);
            }
            Vec::new()
        }
        Dialog::PrintAnyway(order) => {
            if key != Key::Enter {
                return Vec::new();
            }
            model.dialog = None;
            let mut commands = reprint(model, order.clone());
            commands.push(ScreenCommand::OverrulePrinter(order));
            commands
        }
        Dialog::MuchCash { sale, given } => {
            if key != Key::Enter {
                return Vec::new();
            }
            model.dialog = None;
            cash::take(model, sale, given)
        }
        Dialog::ReturnCash(sale) => {
            if key != Key::Enter {
                return Vec::new();
            }
            model.dialog = None;
            cash::give_back(model, sale)
        }
        Dialog::CloseShift(counted) => {
            if key != Key::Enter {
                return Vec::new();
            }
            model.dialog = None;
            shift::close_shift(model, counted)
        }
        // No Enter: it may be a scanner's.
        Dialog::Refund(asked) => {
            if key == Key::F(8) {
                find::confirmed(model, *asked)
            } else {
                Vec::new()
            }
        }
        // No Enter: it may be a scanner's, and nobody would watch the payment.
        Dialog::Quit => {
            let confirms = key == Key::Ctrl('q');
            confirms.then_some(ScreenCommand::Quit).into_iter().collect()
        }
    }
}

/// Has the receipt of an order printed again, unless it waits for the printer already.
pub(super) fn reprint(model: &mut Model, order: OutTradeNo) -> Vec<ScreenCommand> {
    let before = model
        .attempt_mut(&order)
        .map(|attempt| std::mem::replace(&mut attempt.paper, SlipState::Asked));
    if before == Some(SlipState::Asked) {
        return Vec::new();
    }
    vec![ScreenCommand::Print { out_trade_no: order, copy: true }]
}

/// Closes a question about a payment once the payment itself has answered it.
pub(super) fn close_outdated_dialog(model: &mut Model, order: &OutTradeNo, status: Status) {
    let outdated = match &model.dialog {
        Some(Dialog::Cancel(asked)) => {
            asked == order
                && !matches!(
                    status,
                    Status::Created | Status::Sent | Status::Waiting | Status::Checking
                )
        }
        Some(Dialog::Unsettled(asked)) => {
            asked == order && !matches!(status, Status::Reversing | Status::Attention)
        }
        // Nothing is printed of where it is now.
        Some(Dialog::PrintAnyway(asked)) => asked == order && !status.has_slip(),
        Some(Dialog::Quit) => !model.is_anything_open(),
        Some(
            Dialog::Help
            | Dialog::Training { .. }
            | Dialog::Commands { .. }
            | Dialog::MuchCash { .. }
            | Dialog::ReturnCash(_)
            | Dialog::CloseShift(_)
            | Dialog::Goods { .. }
            | Dialog::Held { .. }
            | Dialog::Discard
            | Dialog::LargeAmount(_)
            | Dialog::LargeCode(_)
            | Dialog::Refund(_),
        )
        | None => false,
    };
    if outdated {
        model.dialog = None;
        model.overtaken_at = Some(model.now);
    }
}
