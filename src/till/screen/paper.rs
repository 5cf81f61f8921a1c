//! What comes of what was handed to the printer: receipts and slips, bills, the drawer.

use super::dialog::reprint;
use super::model::{Dialog, Model, SlipState};
use super::note::{Note, Which};
use super::pages::code;
use super::sound::Sound;
use super::{Link, Printing, ScreenCommand};
use crate::clean::clean;
use crate::order::OutTradeNo;

/// How many cells of an error's text are shown.
const FAULT_SHOWN: usize = 200;

/// Has the last receipt printed again, or the one that did not come out.
pub(super) fn printed_again(model: &mut Model) -> Vec<ScreenCommand> {
    if let Some(order) = code::can_print_bill(model) {
        return code::print_bill(model, order.clone());
    }
    let Some(order) = model.can_reprint().cloned() else { return Vec::new() };
    if matches!(model.printer, Link::Failed(_)) {
        model.dialog = Some(Dialog::PrintAnyway(order));
        return Vec::new();
    }
    let commands = reprint(model, order.clone());
    if commands.is_empty() || !model.printer_is_there() {
        let which = elsewhere(model, &order);
        note(model, Note::ReceiptWaits(which));
    }
    commands
}

pub(super) fn printed(model: &mut Model, order: &OutTradeNo, how: Printing) -> Vec<ScreenCommand> {
    if let Some(attempt) = model.attempt_mut(order) {
        attempt.paper =
            if matches!(how, Printing::Failed(_)) { SlipState::Missing } else { SlipState::Done };
    }
    let which = elsewhere(model, order);
    match how {
        Printing::Sent => tell_with_offer(model, Note::SentToPrinter(which)),
        Printing::Printed => tell_with_offer(model, Note::Printed(which)),
        Printing::Failed(why) => {
            let order = order.tail().to_owned();
            note(model, Note::PrintFailed { order, why: clean(&why, FAULT_SHOWN) });
            model.ring(Sound::NeedsYou);
        }
    }
    Vec::new()
}

/// An earlier run has left slips: to be printed now, or perhaps printed.
pub(super) fn slips_left(
    model: &mut Model,
    waiting: Vec<OutTradeNo>,
    perhaps: Vec<OutTradeNo>,
) -> Vec<ScreenCommand> {
    let states = [(waiting, SlipState::Asked), (perhaps, SlipState::Missing)];
    for (orders, state) in states {
        for order in orders {
            if let Some(attempt) = model.attempt_mut(&order) {
                attempt.paper = state;
            }
        }
    }
    let missing = model.missing_slips();
    if missing > 0 {
        note(model, Note::SlipsMissing(missing));
        model.ring(Sound::NeedsYou);
    }
    Vec::new()
}

pub(super) fn no_slip(model: &mut Model, order: &OutTradeNo) -> Vec<ScreenCommand> {
    if let Some(attempt) = model.attempt_mut(order) {
        attempt.paper = SlipState::None;
    }
    Vec::new()
}

/// Says it, and how many slips were perhaps not printed, if there are any.
fn tell_with_offer(model: &mut Model, told: Note) {
    let missing = model.missing_slips();
    note(model, if missing > 0 { Note::AndMissing(Box::new(told), missing) } else { told });
}

/// Which payment it is, unless it is the one at the desk.
pub(super) fn elsewhere(model: &Model, order: &OutTradeNo) -> Option<Which> {
    let at_desk = !model.has_page() && !model.is_locked() && model.is_at_hand(order);
    let attempt = model.attempt(order).filter(|_| !at_desk)?;
    Some(model.which(attempt))
}

pub(super) fn drawer(model: &mut Model, how: Printing) -> Vec<ScreenCommand> {
    match how {
        Printing::Sent | Printing::Printed => tell_with_offer(model, Note::DrawerOpened),
        Printing::Failed(why) => {
            note(model, Note::DrawerFailed(clean(&why, FAULT_SHOWN)));
            model.ring(Sound::NeedsYou);
        }
    }
    Vec::new()
}

fn note(model: &mut Model, note: Note) {
    model.note = Some(note);
}
