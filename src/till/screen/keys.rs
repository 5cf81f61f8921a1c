//! The keys, and which of them work now. What the key bar shows is what [`super::update()`] acts on.

use super::model::{CashierTask, Dialog, Model, ShownAttempt};
use crate::language::Language;
use crate::payment::Status;
use crate::text::screen::ScreenWords;

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
        None => {
            task_keys(model, &mut show);
            for (_, name, does) in commands(model, model.language) {
                show(name, does);
            }
        }
    }
    keys
}

type Command = (Key, &'static str, &'static str);

/// What works on every screen of this kind, whatever the task.
fn commands(model: &Model, language: Language) -> Vec<Command> {
    let text = ScreenWords::of(language);
    let has_drawer = model.settings.drawer && model.stopped.is_none();
    let all = [
        (true, (Key::F(1), "F1", text.key_help())),
        (model.can_check_now().is_some(), (Key::F(5), "F5", text.key_check_now())),
        (has_drawer, (Key::F(6), "F6", text.key_drawer())),
        (model.can_reprint().is_some(), (Key::F(9), "F9", text.key_reprint())),
        (model.can_train(), (Key::Ctrl('t'), "Ctrl-T", text.key_training())),
        (model.settings.draws_chinese, (Key::Ctrl('l'), "Ctrl-L", text.key_language())),
        (true, (Key::Ctrl('q'), "Ctrl-Q", text.key_quit())),
    ];
    all.into_iter().filter(|(works, _)| *works).map(|(_, command)| command).collect()
}

/// The commands whose name, in either language, or key has what was typed in it.
pub(super) fn found(model: &Model, typed: &str) -> Vec<Command> {
    let sought = typed.trim().to_lowercase();
    let names = [Language::English, Language::Chinese].map(|language| commands(model, language));
    let has = |index: usize| {
        names.iter().any(|names| {
            let (_, key, name) = names[index];
            [key, name].iter().any(|text| text.to_lowercase().contains(&sought))
        })
    };
    let all = commands(model, model.language).into_iter().enumerate();
    all.filter(|(index, _)| has(*index)).map(|(_, command)| command).collect()
}

fn task_keys(model: &Model, show: &mut impl FnMut(&'static str, &'static str)) {
    let text = model.text();
    if model.stopped.is_some() {
        return;
    }
    if !model.notices.is_empty() && model.enter_is_for_the_notice() {
        show("Enter", text.key_ok());
        return;
    }
    match &model.task {
        CashierTask::Amount { typed } if typed.is_empty() => {}
        CashierTask::Amount { typed } => {
            if model.settings.currency.read(typed, model.settings.entry).is_ok() {
                show("Enter", text.key_ask_for_code());
            }
            show("Esc", text.key_clear());
        }
        CashierTask::Code { .. } => show("Esc", text.key_cancel()),
        CashierTask::Starting { .. } => {}
        CashierTask::Payment(_) => match model.at_hand().map(|attempt| attempt.view.state.status())
        {
            _ if model.at_hand().is_some_and(ShownAttempt::is_being_cancelled) => {}
            Some(Status::Created | Status::Sent | Status::Waiting | Status::Checking) => {
                show("Esc", text.key_stop_waiting());
            }
            Some(Status::Reversing | Status::Attention) => show("Enter", text.key_next_customer()),
            Some(Status::Paid | Status::Declined | Status::Reversed) => {
                show("Enter", text.key_next_sale());
            }
            None => {}
        },
    }
}
