//! All commands: letters find one, arrows and Enter choose.

use ratatui::layout::Rect;

use crate::clean::clean;
use crate::language::Language;
use crate::screen::keys::{Command, every, second};
use crate::screen::model::Dialog;
use crate::screen::palette::Tone;
use crate::screen::view::Canvas;
use crate::screen::{Key, Model};
use crate::text::screen::CommandWords;

/// No command's name is longer.
const SOUGHT_MAX: usize = 24;
/// Where the second key and the name begin.
const SECOND_KEY: u16 = 10;
const NAME: u16 = 20;

/// The commands in whose name, key or other words, in either language, is each word of what was
/// typed; first those that work now, and whether each does.
fn found(model: &Model, typed: &str) -> Vec<(bool, Command)> {
    let typed = typed.to_lowercase();
    let named = Language::ALL.map(|language| every(model, language));
    let has = |index: usize| {
        let texts = named.iter().flat_map(|named| {
            let (_, (key, short, name)) = named[index];
            let others = Language::ALL.map(|language| other_words(key, language));
            [short, second(key), name].into_iter().chain(others)
        });
        let texts = texts.collect::<Vec<_>>().join(" ").to_lowercase();
        typed.split_whitespace().all(|word| texts.contains(word))
    };
    let all = every(model, model.language).into_iter().enumerate();
    let mut found: Vec<_> = all.filter(|(index, _)| has(*index)).map(|(_, one)| one).collect();
    found.sort_by_key(|(works, _)| !works);
    found
}

/// The command that Enter carries out; none if it does not work now.
pub(in crate::screen) fn chosen_of(model: &Model, typed: &str, chosen: usize) -> Option<Command> {
    found(model, typed).get(chosen).filter(|(works, _)| *works).map(|(_, command)| *command)
}

const fn other_words(key: Key, language: Language) -> &'static str {
    let words = CommandWords::of(language);
    match key {
        Key::Enter => words.enter(),
        Key::Esc => words.esc(),
        Key::Ctrl('n') => words.next_customer(),
        Key::Tab => words.come_back(),
        Key::F(1) => words.help(),
        Key::F(2) => words.goods(),
        Key::F(3) => words.hold(),
        Key::F(4) => words.code(),
        Key::F(5) => words.check_now(),
        Key::Ctrl('r') => words.entries(),
        Key::F(6) => words.drawer(),
        Key::F(7) => words.find(),
        Key::F(9) => words.reprint(),
        Key::F(10) => words.shift(),
        Key::Ctrl('t') => words.training(),
        Key::Ctrl('l') => words.language(),
        Key::F(8) => words.refund(),
        Key::F(12) => words.lock(),
        Key::Ctrl('q') => words.quit(),
        _ => "",
    }
}

pub(in crate::screen) fn pressed(
    model: &mut Model,
    mut typed: String,
    mut chosen: usize,
    key: Key,
) {
    let last = found(model, &typed).iter().filter(|(works, _)| *works).count().saturating_sub(1);
    match key {
        Key::Up => chosen = chosen.checked_sub(1).unwrap_or(last),
        Key::Down | Key::Tab => chosen = if chosen < last { chosen + 1 } else { 0 },
        Key::Backspace => {
            typed.pop();
            chosen = 0;
        }
        Key::Char(character) if typed.chars().count() < SOUGHT_MAX => {
            // A blank goes between two words.
            let shown =
                if character == ' ' { " ".into() } else { clean(&character.to_string(), 2) };
            typed.push_str(&shown);
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
        let quiet = self.palette.quiet();
        let sought = if typed.is_empty() { words.commands_find() } else { typed };
        self.put(inner, 0, 0, sought, if typed.is_empty() { base } else { strong });
        let found = found(model, typed);
        if found.is_empty() {
            self.put(inner, 3, 2, words.commands_none(), base);
        }
        let list = Rect {
            y: inner.y + inner.height.min(2),
            height: inner.height.saturating_sub(2),
            ..inner
        };
        let first = (chosen + 1).saturating_sub(usize::from(list.height).max(1));
        let shown = found.into_iter().enumerate().skip(first);
        for (y, (index, (works, (key, name, does)))) in (0..list.height).zip(shown) {
            let is_chosen = works && index == chosen;
            let fill = self.palette.fill(Tone::Calm);
            let of = |style| if is_chosen { fill } else { style };
            if is_chosen {
                let row = Rect { y: list.y + y, height: 1, ..list };
                self.buffer.set_style(row, fill);
                self.put(list, 1, y, ">", fill);
            }
            self.put(list, 3, y, name, of(if works { base } else { quiet }));
            self.put(list, 3 + SECOND_KEY, y, second(key), of(quiet));
            let end = self.put(list, 3 + NAME, y, does, of(if works { base } else { quiet }));
            if !works {
                self.put(list, 3 + NAME + end + 2, y, words.not_now(), of(quiet));
            }
        }
    }
}
