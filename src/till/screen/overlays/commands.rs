//! All commands: letters find one, arrows and Enter choose.

use ratatui::layout::Rect;

use crate::clean::clean;
use crate::language::Language;
use crate::screen::keys::{Command, commands};
use crate::screen::model::Dialog;
use crate::screen::palette::Tone;
use crate::screen::view::Canvas;
use crate::screen::{Key, Model};

/// No command's name is longer.
const SOUGHT_MAX: usize = 24;
const KEY_COLUMN: u16 = 10;

/// The commands whose name, in either language, or key has what was typed in it.
pub(in crate::screen) fn found(model: &Model, typed: &str) -> Vec<Command> {
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

pub(in crate::screen) fn pressed(
    model: &mut Model,
    mut typed: String,
    mut chosen: usize,
    key: Key,
) {
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
}

impl Canvas<'_> {
    pub(in crate::screen) fn commands(&mut self, area: Rect, typed: &str, chosen: usize) {
        let model = self.model;
        let words = model.text();
        let inner = self.overlay(area, words.commands_title());
        let (base, strong) = (self.palette.base(), self.palette.strong());
        let sought = if typed.is_empty() { words.commands_find() } else { typed };
        self.put(inner, 0, 0, sought, if typed.is_empty() { base } else { strong });
        let found = found(model, typed);
        if found.is_empty() {
            self.put(inner, 3, 2, words.commands_none(), base);
        }
        for (y, (index, (_, name, does))) in (2..inner.height).zip(found.into_iter().enumerate()) {
            let style = if index == chosen { self.palette.fill(Tone::Calm) } else { base };
            if index == chosen {
                let row = Rect { y: inner.y + y, height: 1, ..inner };
                self.buffer.set_style(row, style);
                self.put(inner, 1, y, ">", style);
            }
            self.put(inner, 3, y, name, style);
            self.put(inner, 3 + KEY_COLUMN, y, does, style);
        }
    }
}
