//! One sheet: shape, word, amount, what happened, the time ahead, and the next step.

use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::widgets::{Block, BorderType, Widget};

use super::{Canvas, cells, inset, rows_of};
use crate::screen::digits::Size;
use crate::screen::palette::Tone;
use crate::screen::shapes::{self, Bitmap, SHAPE_HEIGHT, SHAPE_WIDTH};
use crate::screen::wrap::wrap;

/// Cells between the border and the text.
const PADDING: u16 = 3;
const AFTER_SHAPE: u16 = 4;

/// What a sheet says.
pub(super) struct Sheet {
    pub(super) tone: Tone,
    pub(super) border: BorderType,
    /// The whole sheet is coloured: a result.
    pub(super) is_filled: bool,
    pub(super) shape: &'static Bitmap,
    pub(super) word: String,
    /// Beside the word, quietly.
    pub(super) detail: String,
    pub(super) amount: String,
    pub(super) what: Vec<String>,
    pub(super) meter: Option<Meter>,
    pub(super) next: String,
}

/// The time ahead.
pub(super) struct Meter {
    /// Milliseconds gone, and in all; no bar without.
    pub(super) bar: Option<(u64, u64)>,
    pub(super) left: String,
    pub(super) right: String,
}

impl Canvas<'_> {
    pub(super) fn sheet(&mut self, area: Rect, sheet: &Sheet) {
        let ground =
            if sheet.is_filled { self.palette.panel(sheet.tone) } else { self.palette.base() };
        let line = if sheet.is_filled { ground } else { self.palette.ink(sheet.tone) };
        let outer = inset(area, 1, 0);
        Block::bordered()
            .border_type(sheet.border)
            .border_style(line)
            .style(ground)
            .render(outer, self.buffer);
        let inner = inset(outer, 1 + PADDING, 1);
        self.sheet_text(inner, sheet);
    }

    fn sheet_text(&mut self, area: Rect, sheet: &Sheet) {
        let width = usize::from(area.width);
        let what: Vec<String> = sheet.what.iter().flat_map(|line| wrap(line, width)).collect();
        let next = wrap(&sheet.next, width.saturating_sub(2));
        let meter = sheet.meter.as_ref().map_or(0, |meter| 1 + u16::from(meter.bar.is_some()));
        let below = rows_of(&what) + meter + rows_of(&next);
        let head = if area.height >= below + SHAPE_HEIGHT + 1 { SHAPE_HEIGHT } else { 1 };
        let blocks = 1 + u16::from(!what.is_empty()) + u16::from(meter > 0) + 1;
        let spare = area.height.saturating_sub(head + below);
        // Air between the blocks first, then above them all.
        let gap = spare.checked_div(blocks).unwrap_or(0).min(1);
        let mut y = spare.saturating_sub(gap * (blocks - 1)).min(3) / 2;
        self.sheet_head(Rect { y: area.y + y, height: head.min(area.height), ..area }, sheet);
        y += head + gap;
        let text = if sheet.is_filled { self.palette.panel(sheet.tone) } else { self.palette.base() };
        for line in &what {
            self.put(area, 0, y, line, text);
            y += 1;
        }
        if !what.is_empty() {
            y += gap;
        }
        if let Some(meter) = &sheet.meter {
            y = self.meter(area, y, meter, sheet.tone) + gap;
        }
        let style = if sheet.is_filled {
            self.palette.panel(sheet.tone).add_modifier(Modifier::BOLD)
        } else {
            self.palette.strong()
        };
        let mark = if sheet.is_filled { style } else { self.palette.ink(sheet.tone) };
        for line in &next {
            self.put(area, 0, y, "▌", mark);
            self.put(area, 2, y, line, style);
            y += 1;
        }
    }

    fn sheet_head(&mut self, area: Rect, sheet: &Sheet) {
        let filled = self.palette.panel(sheet.tone).add_modifier(Modifier::BOLD);
        let strong = if sheet.is_filled { filled } else { self.palette.ink(sheet.tone) };
        let digits = if sheet.is_filled { filled } else { self.palette.strong() };
        let quiet =
            if sheet.is_filled { self.palette.panel(sheet.tone) } else { self.palette.quiet() };
        if area.height < SHAPE_HEIGHT {
            let used = self.put(area, 0, 0, &sheet.word, strong);
            self.put(area, used + 3, 0, &sheet.detail, quiet);
            self.put_right(area, 0, &sheet.amount, digits);
            return;
        }
        shapes::draw(sheet.shape, area, strong, self.buffer);
        let beside = SHAPE_WIDTH + AFTER_SHAPE;
        let text = Rect {
            x: area.x + beside.min(area.width),
            width: area.width.saturating_sub(beside),
            ..area
        };
        let used = self.put(text, 0, 0, &sheet.word, strong);
        if used + 3 + cells(&sheet.detail) <= text.width {
            self.put_right(text, 0, &sheet.detail, quiet);
        }
        match Size::fitting(&sheet.amount, text.width, 3) {
            Some(size) => {
                let place = Rect { y: text.y + 2, height: size.height(), ..text };
                size.draw(&sheet.amount, place, digits, self.buffer);
            }
            None => {
                self.put(text, 0, 3, &sheet.amount, digits);
            }
        }
    }

    fn meter(&mut self, area: Rect, mut y: u16, meter: &Meter, tone: Tone) -> u16 {
        if let Some((gone, all)) = meter.bar {
            let done = u64::from(area.width) * gone.min(all) / all.max(1);
            let done = u16::try_from(done).unwrap_or(area.width).min(area.width);
            let (full, rest) = (self.palette.ink(tone), self.palette.quiet());
            let line = |symbol: &str, count: u16| symbol.repeat(usize::from(count));
            self.put(area, 0, y, &line("━", done), full);
            self.put(area, done, y, &line("─", area.width - done), rest);
            y += 1;
        }
        let style = self.palette.base();
        self.put(area, 0, y, &meter.left, style);
        self.put_right(area, y, &meter.right, style);
        y + 1
    }
}
