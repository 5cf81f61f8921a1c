//! Windows that are too small: they say so, but only after the state of open money.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::{Canvas, SMALLEST_HEIGHT, SMALLEST_WIDTH, cells};
use crate::clean::clean;
use crate::money::{LARGEST, grouped_thousands};
use crate::payment::Status;
use crate::screen::keys;
use crate::screen::model::{Dialog, symbol_before};
use crate::screen::overlays::commands;
use crate::screen::pages::checkout::CashierTask;
use crate::screen::pages::code;
use crate::screen::palette::Tone;
use crate::screen::tray::needs_a_person;
use crate::screen::wrap::wrap;
use crate::text::screen::{GoodsPageWords, RefundWords};
use crate::text::training;

/// Cells of an amount as it is typed, and of a training customer's name.
const TYPED: usize = 40;
const NAME: usize = 60;

impl Canvas<'_> {
    pub(super) fn compact(&mut self, area: Rect) {
        let model = self.model;
        let text = model.text();
        let mut y = 0;
        let attempts = model.by_urgency();
        if let Some(attempt) = attempts.first() {
            let status = attempt.view.state.status();
            let style = self.palette.fill(Tone::of(status)).add_modifier(Modifier::BOLD);
            y = self.block(area, y, text.word_of(&attempt.view.state), style);
            let strong = self.palette.strong();
            y = self.lines(area, y, &model.money(attempt.view.amount), strong);
            let order = text.order(attempt.view.out_trade_no.tail());
            let quiet = self.palette.quiet();
            y = self.lines(area, y, &order, quiet);
            if let Some(ahead) = super::payment::ahead(model, attempt) {
                y = self.lines(area, y, &ahead, quiet);
            }
            if let Some(why) = code::not_drawn(model, attempt).filter(|_| !model.task_is_hidden()) {
                y = self.lines(area, y, &why, quiet);
            }
        }
        for refund in model.refunds.iter().filter(|refund| needs_a_person(refund)) {
            let style = self.palette.fill(Tone::of(Status::Attention));
            let words = RefundWords::of(model.language);
            y = self.block(area, y, words.attention(), style);
            let which = model.money(refund.amount);
            y = self.lines(area, y, &which, self.palette.strong());
        }
        y = self.page_in_few_lines(area, y);
        if let CashierTask::Code { sale } | CashierTask::Starting { sale } = &model.task
            && !model.has_page()
        {
            let style = self.palette.fill(Tone::Calm).add_modifier(Modifier::BOLD);
            y = self.block(area, y, text.word(Status::Created), style);
            let strong = self.palette.strong();
            y = self.lines(area, y, &model.money(sale.amount()), strong);
        }
        if let CashierTask::Amount { typed } = &model.task
            && !typed.is_empty()
            && !model.has_page()
        {
            let strong = self.palette.strong();
            let typed = clean(&grouped_thousands(typed), TYPED);
            let amount = symbol_before(model.settings.currency, &typed);
            y = self.lines(area, y, &amount, strong);
        }
        if let (CashierTask::Amount { .. }, Some(sold)) = (&model.task, model.rung_up())
            && !model.has_page()
        {
            let words = GoodsPageWords::of(model.language);
            let line = format!("{}  {}", words.items(sold.lines.len()), model.money(sold.due));
            let strong = self.palette.strong();
            y = self.lines(area, y, &line, strong);
        }
        // A question that Enter would answer is shown here too.
        let question = self.question_lines(area.width.max(40));
        for asked in &question {
            let strong = self.palette.strong();
            y = self.lines(area, y, &asked.text, strong);
        }
        if let Some(Dialog::Training { chosen }) = model.dialog
            && let Some(name) = model.settings.training.as_ref().and_then(|all| all.get(chosen))
        {
            let style = self.palette.fill(Tone::Calm);
            let name = clean(training::customer(name, model.language), NAME);
            y = self.block(area, y, &format!("> {name}"), style);
        }
        if let Some(Dialog::Commands { typed, chosen }) = &model.dialog
            && let Some((_, name, does)) = commands::chosen_of(model, typed, *chosen)
        {
            let style = self.palette.fill(Tone::Calm);
            y = self.block(area, y, &format!("> {name} {does}"), style);
        }
        if let Some(note) = &model.note {
            let style = self.palette.ink(if note.is_good_news() { Tone::Good } else { Tone::Wait });
            y = self.lines(area, y, &note.text(model.language, &model.money(LARGEST)), style);
        }
        if question.is_empty() {
            y = self.lines(area, y, &self.keys_in_a_line(), self.palette.base());
        }
        if model.stopped.is_some() {
            let style = self.palette.fill(Tone::Bad).add_modifier(Modifier::BOLD);
            y = self.block(area, y, text.stop(), style);
        }
        for attempt in attempts.iter().skip(1) {
            let word = text.word_of(&attempt.view.state);
            let line = format!("{word} {}", model.money(attempt.view.amount));
            let style = self.palette.base();
            y = self.lines(area, y, &line, style);
        }
        if model.settings.training.is_some() {
            let style = self.palette.fill(Tone::Wait);
            y = self.block(area, y, text.training_banner(), style);
        }
        let base = self.palette.base();
        let small = text.too_small(SMALLEST_WIDTH, SMALLEST_HEIGHT, area.width, area.height);
        self.lines(area, y, &small, base);
    }

    fn page_in_few_lines(&mut self, area: Rect, mut y: u16) -> u16 {
        let model = self.model;
        if let Some(page) = &model.find {
            for (line, weight) in self.find_in_few_lines(page) {
                let style = self.palette.base().add_modifier(weight);
                y = self.lines(area, y, &line, style);
            }
        }
        if let Some(page) = &model.money_page {
            for line in self.money_in_few_lines(page) {
                let strong = self.palette.strong();
                y = self.lines(area, y, &line, strong);
            }
        }
        if let Some(page) = model.lock.as_ref().filter(|_| model.is_locked()) {
            for line in self.lock_in_few_lines(page) {
                let strong = self.palette.strong();
                y = self.lines(area, y, &line, strong);
            }
        }
        y
    }

    /// The keys of the task and of a list; the help page names the others.
    fn keys_in_a_line(&self) -> String {
        let is_of_the_task =
            |name: &&str| *name == "Ctrl-N" || !(name.starts_with('F') || name.starts_with("Ctrl"));
        let keys = keys::working(self.model).into_iter();
        let keys: Vec<String> = keys
            .filter(|(name, _)| is_of_the_task(name))
            .map(|(name, does)| format!("{name} {does}"))
            .collect();
        keys.join("   ")
    }

    /// Lines on a coloured band across the window; returns the next free row.
    fn block(&mut self, area: Rect, y: u16, words: &str, style: Style) -> u16 {
        let mut end = y;
        for line in Self::fitted(area, y, words) {
            if end < area.height {
                self.buffer.set_style(Rect { y: area.y + end, height: 1, ..area }, style);
            }
            self.put(area, 0, end, &line, style);
            end = end.saturating_add(1);
        }
        end
    }

    fn lines(&mut self, area: Rect, y: u16, words: &str, style: Style) -> u16 {
        let mut end = y;
        for line in Self::fitted(area, y, words) {
            self.put(area, 0, end, &line, style);
            end = end.saturating_add(1);
        }
        end
    }

    /// Wrapped at words if there is room for that, otherwise anywhere.
    fn fitted(area: Rect, y: u16, words: &str) -> Vec<String> {
        let width = usize::from(area.width);
        let lines = wrap(words, width);
        let room = usize::from(area.height.saturating_sub(y));
        if lines.len() <= room || cells(words) <= area.width {
            return lines;
        }
        let mut packed = vec![String::new()];
        for character in words.chars() {
            let fits = |line: &String| {
                usize::from(cells(line) + cells(character.encode_utf8(&mut [0; 4]))) <= width
            };
            if !packed.last().is_some_and(fits) {
                packed.push(String::new());
            }
            if let Some(line) = packed.last_mut() {
                line.push(character);
            }
        }
        packed
    }
}
