//! What keeps a scanner from operating the till, and half a number from becoming an amount.
//!
//! Scans that come as fast as machines type are told apart before they get here. These rules are
//! for the rest: scans that are slow or cut, keys that stick, and people who type ahead.

use super::Key;
use super::model::{Dialog, LastInput, Model};
use super::note::Note;
use super::pages::checkout::CashierTask;
use super::sound::Sound;
use crate::clock::{Millis, Uptime};
use crate::scan::PAUSE;

/// A question is answered by a key with so much silence before it, and so long after it was asked.
const ANSWER_SETTLES: Millis = Millis(500);
/// The same after a scan: as long as one may pause, less the time in which it is told from typing.
const TAIL_SETTLES: Millis = Millis(560);
/// The same after keys that have no use at a question: longer than any scan pauses.
const SCAN_SETTLES: Millis = Millis(1000);
/// A character within this time of one that was dropped belongs to the same number.
const NUMBER_GOES_ON: Millis = Millis::seconds(2);
/// An Enter or a Tab within this time of a dropped character ends that number and nothing else.
const NUMBER_ENDS: Millis = Millis::seconds(1);

/// A number is dropped as a whole, also if it could be taken from some digit on.
pub(super) fn goes_on_being_dropped(model: &mut Model, key: Key, at: Uptime) -> bool {
    let Some(last) = model.dropped_at else { return false };
    match key {
        Key::Char(_) if at.since(last) < NUMBER_GOES_ON => {
            drop_character(model, Note::TypedAhead, at);
            true
        }
        Key::Enter | Key::Tab if at.since(last) < NUMBER_ENDS && !model.is_asking() => {
            model.dropped_at = None;
            true
        }
        Key::Char(_) | Key::Enter | Key::Esc => {
            model.dropped_at = None;
            false
        }
        _ => false,
    }
}

/// A character that cannot be taken, and why. One bell for a number, and another if it goes on
/// after the screen has changed.
pub(super) fn drop_character(model: &mut Model, why: Note, at: Uptime) {
    let is_news = model.dropped_at.is_none_or(|last| at.since(last) >= NUMBER_GOES_ON)
        || model.rung_for_typing != model.rings;
    model.dropped_at = Some(at);
    model.note = Some(why);
    if is_news {
        model.ring(Sound::NeedsYou);
        model.rung_for_typing = model.rings;
    }
}

/// Whether the last input was a scan, or a key that a scanner may have pressed.
pub(super) const fn is_of_a_scan(last: LastInput) -> bool {
    matches!(last.key, None | Some(Key::Char(_) | Key::LineFeed | Key::Unknown))
}

/// Whether a key answers the question on the screen: it came neither with others nor before the
/// question could be read.
pub(super) fn may_answer(model: &Model, at: Uptime, before: LastInput) -> bool {
    let quiet = match before.key {
        Some(Key::Enter | Key::Esc | Key::F(_) | Key::Ctrl(_)) => ANSWER_SETTLES,
        None => TAIL_SETTLES,
        Some(_) => SCAN_SETTLES,
    };
    at >= model.asked_at.after(ANSWER_SETTLES)
        && before.at.is_none_or(|last| at >= last.after(quiet))
}

/// Undoes what a scan has typed into the amount before it was known to be one.
pub(super) fn take_back(model: &mut Model, began: Uptime) -> bool {
    model.last_input = LastInput { at: Some(model.now), key: None };
    if let Some(page) = &mut model.money_page
        && page.take_back(began)
    {
        model
            .dialog
            .take_if(|asked| matches!(asked, Dialog::MuchCash { .. } | Dialog::CloseShift(_)));
        return true;
    }
    let Some(run) = model.typing.take_if(|run| began.since(run.last_at) <= PAUSE) else {
        return false;
    };
    if !matches!(model.task, CashierTask::Amount { .. }) || model.task == run.before {
        return false;
    }
    model.task = run.before;
    if matches!(model.dialog, Some(Dialog::LargeAmount(_) | Dialog::LargeCode(_))) {
        model.dialog = None;
    }
    true
}
