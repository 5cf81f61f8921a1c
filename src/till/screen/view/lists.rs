//! The story of the payment at hand, and the last sales.

use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Widget};

use super::payment::word_of_what_went_back;
use super::{Canvas, cells, inset};
use crate::screen::palette::Tone;
use crate::screen::wrap::wrap;
use crate::text::story::{self, StoryWords};

impl Canvas<'_> {
    pub(in crate::screen) fn story(&mut self, area: Rect) {
        let model = self.model;
        let Some(attempt) = model.at_hand() else { return };
        let area = self.title(area, StoryWords::of(model.language).title());
        let width = usize::from(area.width).saturating_sub(10);
        let mut lines = Vec::new();
        for line in attempt.story.lines() {
            let sentence = story::sentence(line, model.language);
            let time = line.at.local("%H:%M:%S", &model.settings.time_zone);
            for (index, row) in wrap(&sentence, width).into_iter().enumerate() {
                lines.push((if index == 0 { time.clone() } else { String::new() }, row));
            }
        }
        let skip = lines.len().saturating_sub(usize::from(area.height));
        let (quiet, base) = (self.palette.quiet(), self.palette.base());
        for (y, (time, row)) in (0..area.height).zip(&lines[skip..]) {
            self.put(area, 0, y, time, quiet);
            self.put(area, 10, y, row, base);
        }
    }

    pub(super) fn last_sales(&mut self, area: Rect) {
        let model = self.model;
        let text = model.text();
        let area = self.title(area, text.last_sales());
        let quiet = self.palette.quiet();
        let elsewhere = |order| !model.is_shown_as_task(order);
        let known = model.attempts.iter().filter(|attempt| elsewhere(&attempt.view.out_trade_no));
        let mut y = 0;
        for attempt in known.take(usize::from(area.height)) {
            let view = &attempt.view;
            let status = view.state.status();
            let amount = model.money(view.amount);
            let back = word_of_what_went_back(model, view.amount, attempt.given_back());
            let word = back.unwrap_or_else(|| text.word_of(&view.state));
            let tone = if back.is_some() { Tone::Back } else { Tone::of(status) };
            let style = self.palette.ink(tone);
            // Two layouts: a full line, or a narrow column.
            let (amount_end, word_at) = if area.width >= 60 { (22, 26) } else { (16, 18) };
            // An amount in the millions needs the place of the time.
            if cells(&amount) + 6 <= amount_end {
                let time = view.created_at.local("%H:%M", &model.settings.time_zone);
                self.put(area, 0, y, &time, quiet);
            }
            let base = self.palette.base();
            let column = Rect { width: area.width.min(amount_end), ..area };
            self.put_right(column, y, &amount, base);
            self.put(area, word_at, y, word, style);
            if area.width >= 60 {
                self.put(area, 50, y, &text.order(view.out_trade_no.tail()), quiet);
            }
            y += 1;
        }
        if y == 0 && area.height > 0 {
            self.put(area, 0, 0, text.no_sales_yet(), quiet);
        }
    }

    pub(in crate::screen) fn overlay(&mut self, area: Rect, title: &str) -> Rect {
        let outer = inset(area, 1, 0);
        let line = self.palette.ink(Tone::Calm);
        Block::bordered()
            .border_type(BorderType::Rounded)
            .border_style(line)
            .title(format!(" {title} "))
            .render(outer, self.buffer);
        inset(outer, 4, 2)
    }

    /// Draws a title with a rule to its right; returns the area below it.
    pub(in crate::screen) fn title(&mut self, area: Rect, title: &str) -> Rect {
        let area = inset(area, 2, 0);
        if area.height == 0 {
            return area;
        }
        let quiet = self.palette.quiet();
        let used = self.put(area, 0, 0, title, quiet) + 1;
        let rest = area.width.saturating_sub(used);
        self.put(area, used, 0, &"─".repeat(usize::from(rest)), quiet);
        Rect { y: area.y + 1, height: area.height - 1, ..area }
    }
}
