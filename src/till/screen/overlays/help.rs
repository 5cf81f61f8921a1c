//! Help: what to do now on the page at hand, and the keys.

use ratatui::layout::Rect;

use crate::screen::pages::{self, checkout, find, lock};
use crate::screen::view::Canvas;
use crate::screen::wrap::wrap;
use crate::screen::{Key, Model};
use crate::text::screen::HelpWords;

const KEY_COLUMN: u16 = 10;

pub(in crate::screen) fn pressed(model: &mut Model, key: Key) {
    if matches!(key, Key::F(1) | Key::Enter) {
        model.dialog = None;
    }
}

impl Canvas<'_> {
    pub(in crate::screen) fn help(&mut self, area: Rect) {
        let model = self.model;
        let words = HelpWords::of(model.language);
        let inner = self.overlay(area, words.title());
        let base = self.palette.base();
        let mut y = 0;
        let help = if model.is_locked() {
            lock::help(model)
        } else if model.is_finding() {
            find::help(model)
        } else if model.money_page.is_some() {
            pages::help(model)
        } else {
            checkout::help(model)
        };
        for line in help {
            for row in wrap(line, usize::from(inner.width)) {
                self.put(inner, 0, y, &row, base);
                y += 1;
            }
        }
        y += 1;
        let (key, quiet) = (self.palette.strong(), self.palette.base());
        let settings = &model.settings;
        let all = [
            ("Enter", words.key_enter(), true),
            ("Esc", words.key_esc(), true),
            ("Ctrl-N", words.key_next_customer(), true),
            ("Tab", words.key_come_back(), true),
            ("F1", words.key_help(), true),
            ("F2", words.key_goods(), model.ring_up.has_catalogue),
            ("F3", words.key_hold(), model.ring_up.has_catalogue),
            ("F4", words.key_code(), true),
            ("F5", words.key_check_now(), true),
            ("F6", words.key_drawer(), true),
            ("F7", words.key_find(), true),
            ("F8", words.key_refund(), true),
            ("F9", words.key_reprint(), settings.printer_configured),
            ("F10", words.key_shift(), true),
            ("F12", words.key_lock(), settings.operators),
            ("Ctrl-L", words.key_language(), settings.draws_chinese),
            ("Ctrl-T", words.key_training(), settings.training.is_some()),
            ("Ctrl-P", words.key_commands(), true),
            ("Ctrl-Q", words.key_quit(), true),
            ("Esc 1-0", words.key_function(), !settings.operators),
            ("Esc 1-0", words.key_function_or_lock(), settings.operators),
            ("Esc A-Z", words.key_control(), true),
        ];
        let there = all.iter().filter(|(.., is_there)| *is_there);
        let rows = there.clone().count().div_ceil(2);
        // In two columns, so that they fit into the smallest window too.
        let half = inner.width / 2;
        for (index, (name, does, _)) in there.enumerate() {
            let row = y + u16::try_from(index % rows).unwrap_or(u16::MAX);
            let x = if index < rows { 0 } else { half };
            self.put(inner, x, row, name, key);
            let room = Rect { width: (x + half - 1).min(inner.width), ..inner };
            self.put(room, x + KEY_COLUMN, row, does, quiet);
        }
    }
}
