//! The column at the side of a large window: the day's figures, and the last sales below them.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Canvas;
use crate::payment::Status;
use crate::screen::day::{Past, Sum};
use crate::screen::palette::Tone;

/// Rows of the figures, with their title and the blank row below.
const FIGURES: u16 = 6;
/// The least height of the column, in rows, for figures above the last sales.
const TALL: u16 = 12;
/// Where the counts end.
const COUNT_ENDS: u16 = 18;

impl Canvas<'_> {
    pub(in crate::screen) fn side(&mut self, area: Rect) {
        if area.height < TALL {
            return self.last_sales(area);
        }
        self.figures(Rect { height: FIGURES, ..area });
        let y = area.y + FIGURES;
        self.last_sales(Rect { y, height: area.height - FIGURES, ..area });
    }

    /// Always the same lines, at the same places, whatever is known.
    fn figures(&mut self, area: Rect) {
        let model = self.model;
        let text = model.text();
        let date = model.day.date().map_or_else(String::new, |date| format!("  {date}"));
        let area = self.title(area, &format!("{}{date}", text.today()));
        let figures = model.figures();
        let (base, strong, quiet) =
            (self.palette.base(), self.palette.strong(), self.palette.quiet());
        // Only what was paid is money of the shop; a payment that was not made has no sum.
        let lines = [
            (text.word(Status::Paid), Tone::of(Status::Paid), figures.paid, strong, true),
            (
                text.word(Status::Declined),
                Tone::of(Status::Declined),
                figures.not_paid,
                base,
                false,
            ),
            (
                text.word(Status::Reversed),
                Tone::of(Status::Reversed),
                figures.reversed,
                quiet,
                true,
            ),
            (text.open_now(), Tone::Wait, figures.open, base, true),
        ];
        for (y, (word, tone, sum, style, has_total)) in (0..area.height).zip(lines) {
            let ink = if sum.count > 0 { self.palette.ink(tone) } else { quiet };
            self.put(area, 0, y, word, ink);
            let is_open = y == 3;
            self.figure(
                area,
                y,
                sum,
                if sum.count > 0 { style } else { quiet },
                (has_total, is_open),
            );
        }
    }

    /// A count and a sum. The open payments are at hand; all others are in the journal, too.
    fn figure(&mut self, area: Rect, y: u16, sum: Sum, style: Style, kind: (bool, bool)) {
        let (has_total, is_open) = kind;
        let [count, total] = match self.model.day.past() {
            Past::Asked if !is_open => ["…".to_owned(), "…".to_owned()],
            Past::Unreadable if !is_open => ["?".to_owned(), "?".to_owned()],
            _ => [sum.count.to_string(), self.model.money(sum.total)],
        };
        let column = Rect { width: area.width.min(COUNT_ENDS), ..area };
        self.put_right(column, y, &count, style);
        if has_total {
            self.put_right(area, y, &total, style);
        }
    }
}
