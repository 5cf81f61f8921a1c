//! The training customers: who shows a payment code.

use ratatui::layout::Rect;

use crate::clean::clean;
use crate::screen::model::Dialog;
use crate::screen::palette::Tone;
use crate::screen::view::Canvas;
use crate::screen::{Key, Model, ScreenCommand};
use crate::text::training;

/// The width of a training customer's name, in cells.
const NAME: usize = 60;

pub(in crate::screen) fn pressed(model: &mut Model, chosen: usize, key: Key) -> Vec<ScreenCommand> {
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

impl Canvas<'_> {
    pub(in crate::screen) fn training(&mut self, area: Rect, chosen: usize) {
        let model = self.model;
        let words = model.text();
        let inner = self.overlay(area, words.training_title());
        let base = self.palette.base();
        self.put(inner, 0, 0, words.training_what(), base);
        let list = Rect {
            y: inner.y + inner.height.min(2),
            height: inner.height.saturating_sub(2),
            ..inner
        };
        let names = model.settings.training.as_deref().unwrap_or_default();
        let rows = usize::from(list.height).max(1);
        let first = (chosen + 1).saturating_sub(rows);
        for (y, (index, name)) in (0..list.height).zip(names.iter().enumerate().skip(first)) {
            let name = clean(training::customer(name, model.language), NAME);
            if index == chosen {
                let style = self.palette.fill(Tone::Calm);
                let row = Rect { y: list.y + y, height: 1, ..list };
                self.buffer.set_style(row, style);
                self.put(list, 1, y, ">", style);
                self.put(list, 3, y, &name, style);
            } else {
                self.put(list, 3, y, &name, base);
            }
        }
        // Marks for the entries that do not fit.
        let quiet = self.palette.quiet();
        if first > 0 {
            self.put_right(list, 0, "↑", quiet);
        }
        if first + rows < names.len() {
            self.put_right(list, list.height.saturating_sub(1), "↓", quiet);
        }
    }
}
