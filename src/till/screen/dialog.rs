//! What the keys do while a question, the help page or the training customers are on the screen,
//! and when a question goes by itself.

use super::keys::found;
use super::model::{Dialog, Model, SlipState};
use super::steps::{ask_for_code, next_sale};
use super::{Key, SaleRef, ScreenCommand};
use crate::clean::clean;
use crate::order::OutTradeNo;
use crate::payment::Status;

/// No command's name is longer.
const SOUGHT_MAX: usize = 24;

pub(super) fn answered(model: &mut Model, dialog: Dialog, key: Key) -> Vec<ScreenCommand> {
    if key == Key::Esc {
        model.dialog = None;
        return Vec::new();
    }
    match dialog {
        Dialog::Help => {
            if matches!(key, Key::F(1) | Key::Enter) {
                model.dialog = None;
            }
            Vec::new()
        }
        Dialog::Training { chosen } => {
            let names = model.settings.training.as_ref().map_or(0, Vec::len);
            match key {
                Key::Up => {
                    let chosen = chosen.checked_sub(1).unwrap_or_else(|| names.saturating_sub(1));
                    model.dialog = Some(Dialog::Training { chosen });
                }
                Key::Down | Key::Tab => {
                    let chosen = if chosen + 1 < names { chosen + 1 } else { 0 };
                    model.dialog = Some(Dialog::Training { chosen });
                }
                Key::Enter => {
                    model.dialog = None;
                    return vec![ScreenCommand::Train(chosen)];
                }
                _ => {}
            }
            Vec::new()
        }
        Dialog::Commands { mut typed, mut chosen } => {
            let last = found(model, &typed).len().saturating_sub(1);
            match key {
                Key::Up => chosen = chosen.checked_sub(1).unwrap_or(last),
                Key::Down | Key::Tab => chosen = if chosen < last { chosen + 1 } else { 0 },
                Key::Backspace => {
                    typed.pop();
                    chosen = 0;
                }
                Key::Char(character) if typed.chars().count() < SOUGHT_MAX => {
                    typed.push_str(&clean(&character.to_string(), 2));
                    chosen = 0;
                }
                _ => {}
            }
            model.dialog = Some(Dialog::Commands { typed, chosen });
            Vec::new()
        }
        Dialog::LargeAmount(amount) => {
            if key != Key::Enter {
                return Vec::new();
            }
            model.dialog = None;
            ask_for_code(model, SaleRef::New(amount))
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
                next_sale(model);
            }
            Vec::new()
        }
        Dialog::PrintAnyway(order) => {
            if key != Key::Enter {
                return Vec::new();
            }
            model.dialog = None;
            let mut commands = reprint(model, order);
            commands.push(ScreenCommand::OverrulePrinter);
            commands
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
        Some(Dialog::Quit) => !model.is_anything_open(),
        Some(
            Dialog::Help
            | Dialog::Training { .. }
            | Dialog::Commands { .. }
            | Dialog::LargeAmount(_)
            | Dialog::PrintAnyway(_),
        )
        | None => false,
    };
    if outdated {
        model.dialog = None;
        model.overtaken_at = Some(model.now);
    }
}
