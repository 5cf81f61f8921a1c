//! The keys, and which of them work now. What the key bar shows is what [`super::update()`] acts on.

use super::model::{Dialog, Model};
use super::overlays::commands::found;
use super::pages::{checkout, find, lock};
use crate::language::Language;
use crate::text::screen::{FindPageWords, ScreenWords};

/// A key that the screen knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Key {
    Char(char),
    Enter,
    Tab,
    Backspace,
    Esc,
    Up,
    Down,
    F(u8),
    Ctrl(char),
    /// Ends a scan, and means nothing else.
    LineFeed,
    /// A key without a meaning here.
    Unknown,
}

/// The keys that work now and what they do, in the order of the key bar.
pub(super) fn working(model: &Model) -> Vec<(&'static str, &'static str)> {
    let text = model.text();
    let mut keys = Vec::new();
    let mut show = |name, does| keys.push((name, does));
    match &model.dialog {
        Some(Dialog::Help) => show("Esc", text.key_close()),
        Some(Dialog::Training { .. }) => {
            show(text.arrows(), text.key_choose());
            show("Enter", text.key_show_code());
            show("Esc", text.key_close());
        }
        Some(Dialog::Commands { typed, .. }) => {
            show(text.arrows(), text.key_choose());
            if !found(model, typed).is_empty() {
                show("Enter", text.key_do());
            }
            show("Esc", text.key_close());
        }
        Some(Dialog::Unsettled(_)) => {
            show("Enter", text.key_next_customer());
            show("Esc", text.key_back());
        }
        Some(Dialog::PrintAnyway(_)) => {
            show("Enter", text.key_print());
            show("Esc", text.key_back());
        }
        Some(Dialog::LargeAmount(_)) => {
            show("Enter", text.key_charge());
            show("Esc", text.key_back());
        }
        Some(Dialog::Cancel(_)) => {
            show("Enter", text.key_cancel_payment());
            show("Esc", text.key_keep_waiting());
        }
        Some(Dialog::Quit) => {
            show("Ctrl-Q", text.key_quit());
            show("Esc", text.key_cancel());
        }
        None if model.is_locked() => {
            lock::keys(model, &mut show);
            show("F1", text.key_help());
            if model.settings.draws_chinese {
                show("Ctrl-L", text.key_language());
            }
        }
        None => {
            match model.find {
                Some(_) => find::keys(model, &mut show),
                None => checkout::keys(model, &mut show),
            }
            for (_, name, does) in commands(model, model.language) {
                show(name, does);
            }
        }
    }
    keys
}

pub(super) type Command = (Key, &'static str, &'static str);

/// What works on every screen of this kind, whatever the task.
pub(super) fn commands(model: &Model, language: Language) -> Vec<Command> {
    let text = ScreenWords::of(language);
    let page = FindPageWords::of(language);
    let turned = if find::other_side(model) { page.key_entries() } else { page.key_story() };
    let has_drawer = model.settings.drawer && model.stopped.is_none();
    let all = [
        (model.can_go_on().is_some(), (Key::Ctrl('n'), "Ctrl-N", text.key_next_customer())),
        (model.can_come_back().is_some(), (Key::Tab, "Tab", text.key_tray())),
        (true, (Key::F(1), "F1", text.key_help())),
        (model.can_check_now().is_some(), (Key::F(5), "F5", text.key_check_now())),
        (model.can_ask(), (Key::F(5), "F5", page.key_ask())),
        (model.can_turn(), (Key::Ctrl('r'), "Ctrl-R", turned)),
        (has_drawer, (Key::F(6), "F6", text.key_drawer())),
        (model.can_find() && !model.is_finding(), (Key::F(7), "F7", page.key_find())),
        (model.can_reprint().is_some(), (Key::F(9), "F9", text.key_reprint())),
        (model.can_train(), (Key::Ctrl('t'), "Ctrl-T", text.key_training())),
        (model.settings.draws_chinese, (Key::Ctrl('l'), "Ctrl-L", text.key_language())),
        (model.can_lock(), (Key::F(12), "F12", text.key_lock())),
        (true, (Key::Ctrl('q'), "Ctrl-Q", text.key_quit())),
    ];
    all.into_iter().filter(|(works, _)| *works).map(|(_, command)| command).collect()
}
