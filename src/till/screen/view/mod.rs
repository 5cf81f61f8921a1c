//! Draws the screen: a pure function of the model and the size of the frame.
//!
//! From top to bottom: the shop and the time, the training banner, the tray of open payments,
//! payments that ended in the background, the task, a note, the connections, the keys that work now. This file lays out the regions and draws the first two; the other files draw the rest
//! (see the map in [`crate::screen`]). Nothing is drawn outside the frame.

mod compact;
mod day;
mod links;
pub(super) mod lists;
pub(super) mod payment;
pub(super) mod sheet;
mod strips;

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use super::model::{Dialog, Model};
use super::palette::Palette;
use crate::clean::clean;
use sheet::Head;

/// The smallest window, in cells, that shows everything.
pub const SMALLEST_WIDTH: u16 = 80;
pub const SMALLEST_HEIGHT: u16 = 20;

/// From this width on, the last sales have a column of their own.
const TWO_COLUMNS: u16 = 110;
const SIDE_WIDTH: u16 = 40;
/// Rows below the sheet: at least, and where large words leave room for more.
const BELOW_HEIGHT: u16 = 6;
const STORY_HEIGHT: u16 = 12;
/// What stays of them where the strips around the page need room.
const BELOW_AT_LEAST: u16 = 4;
/// The least height of the sheet, in rows, before anything is shown below it.
const SHEET_AT_LEAST: u16 = 14;

/// Draws the model over a whole buffer.
pub fn view(model: &Model, buffer: &mut Buffer) {
    let area = buffer.area;
    let palette = Palette::of(model.settings.theme);
    let head = Head::of(area.width, area.height, 0);
    let mut canvas = Canvas { model, palette, buffer, head };
    canvas.buffer.set_style(area, palette.base());
    if area.width < SMALLEST_WIDTH || area.height < SMALLEST_HEIGHT {
        canvas.compact(area);
    } else {
        canvas.whole_screen(area);
    }
}

/// The model, and the buffer that it is drawn into.
pub(super) struct Canvas<'a> {
    pub(super) model: &'a Model,
    pub(super) palette: Palette,
    pub(super) buffer: &'a mut Buffer,
    /// Whether there is a story or a question below the sheet or not.
    pub(super) head: Head,
}

/// Rows of what comes and goes above the page and below it.
#[derive(Clone, Copy)]
struct Strips {
    above: u16,
    below: u16,
}

impl Canvas<'_> {
    fn whole_screen(&mut self, area: Rect) {
        if self.code_screen(area) {
            return;
        }
        let model = self.model;
        let training = u16::from(model.settings.training.is_some());
        let open = self.tray_lines(area);
        let notice = self.notice_lines(area.width);
        let note = self.note_lines(area.width);
        let rows = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
        let [header, banner, tray, news, body, said, links, keys] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(training),
            Constraint::Length(rows(open.len())),
            Constraint::Length(rows(notice.len())),
            Constraint::Fill(1),
            Constraint::Length(rows(note.len())),
            Constraint::Length(1),
            Constraint::Length(1),
        ])
        .areas(area);
        self.header(header);
        self.banner(banner);
        self.tray(tray, &open);
        self.notice(news, &notice);
        let strips = Strips { above: tray.height + news.height, below: said.height };
        self.body(body, strips);
        self.note(said, &note);
        self.links(links);
        self.key_bar(keys);
    }

    fn body(&mut self, area: Rect, strips: Strips) {
        match self.model.dialog {
            Some(Dialog::Help) => return self.help(area),
            Some(Dialog::Training { chosen }) => return self.training(area, chosen),
            Some(Dialog::Commands { ref typed, chosen }) => {
                return self.commands(area, typed, chosen);
            }
            Some(Dialog::Goods { ref typed, chosen }) => return self.goods(area, typed, chosen),
            Some(Dialog::Held { chosen }) => return self.held_sales(area, chosen),
            Some(
                Dialog::Discard
                | Dialog::LargeAmount(_)
                | Dialog::LargeCode(_)
                | Dialog::Cancel(_)
                | Dialog::Unsettled(_)
                | Dialog::PrintAnyway(_)
                | Dialog::MuchCash { .. }
                | Dialog::ReturnCash(_)
                | Dialog::CloseShift(_)
                | Dialog::Refund(_)
                | Dialog::Quit,
            )
            | None => {}
        }
        let wide = area.width >= TWO_COLUMNS;
        if let Some(page) = self.model.lock.as_ref().filter(|_| self.model.is_locked()) {
            return self.lock_page(area, page);
        }
        let (main, side) = if wide {
            let [main, side] =
                Layout::horizontal([Constraint::Fill(1), Constraint::Length(SIDE_WIDTH)])
                    .areas(area);
            (main, Some(side))
        } else {
            (area, None)
        };
        let has_story = model_has_story(self.model);
        let question = self.question_lines(main.width);
        let asked = if question.is_empty() { 0 } else { rows_of(&question).saturating_add(2) };
        let rest = main.height.saturating_sub(asked);
        // What comes and goes around the page takes its rows from what is below the sheet: the
        // amount stays where it is.
        let usual = main.height + strips.above + strips.below;
        let usually_below = if wide {
            let left = usual.saturating_sub(Head::with_large_words(main.width));
            left.clamp(BELOW_HEIGHT, STORY_HEIGHT)
        } else {
            BELOW_HEIGHT
        };
        // A question takes the place of the list below. With a column of last sales, only the story
        // needs that place.
        let below = match (asked > 0, wide, has_story) {
            (true, ..) | (false, true, false) => 0,
            // It has all the room.
            _ if self.model.has_page() => 0,
            (false, true, true) | (false, false, _) => {
                let left = usually_below.saturating_sub(strips.above + strips.below);
                left.max(BELOW_AT_LEAST)
            }
        };
        let sheet = rest.saturating_sub(below).max(SHEET_AT_LEAST).min(rest);
        let [top, middle, below] = Layout::vertical([
            Constraint::Length(sheet),
            Constraint::Length(asked),
            Constraint::Fill(1),
        ])
        .areas(main);
        let height = usual.saturating_sub(usually_below);
        self.head = Head::of(main.width, height, strips.above);
        match &self.model.find {
            Some(page) => self.find_page(top, page),
            None => match &self.model.money_page {
                Some(page) => self.money_page(top, page),
                None => self.checkout(top),
            },
        }
        self.question(middle, &question);
        if let Some(side) = side {
            self.side(side);
            if has_story {
                self.story(below);
            }
        } else if has_story {
            self.story(below);
        } else {
            self.last_sales(below);
        }
    }

    pub(super) fn header(&mut self, area: Rect) {
        let model = self.model;
        let store = clean(&model.settings.store, 40);
        let till = clean(&model.settings.till, 8);
        let style = self.palette.strong();
        let used = self.put(area, 2, 0, &store, style);
        let quiet = self.palette.quiet();
        let till = format!("{} {till}", model.text().till());
        let till = self.put(area, 2 + used + 3, 0, &till, quiet);
        if let Some(operator) = &model.operator {
            self.put(area, 2 + used + 3 + till + 3, 0, &operator.name, quiet);
        }
        if model.wall.0 > 0 {
            let time = model.wall.local("%H:%M", &model.settings.time_zone);
            self.put(area, area.width.saturating_sub(7), 0, &time, quiet);
        }
    }

    pub(super) fn banner(&mut self, area: Rect) {
        if area.height > 0 {
            let style = self.palette.fill(super::palette::Tone::Wait);
            self.buffer.set_style(area, style);
            self.put_centred(area, 0, self.model.text().training_banner(), style);
        }
    }

    /// Writes one line, clipped to the area; returns how many cells it took.
    pub(super) fn put(&mut self, area: Rect, x: u16, y: u16, text: &str, style: Style) -> u16 {
        put(self.buffer, area, x, y, text, style)
    }

    pub(super) fn put_centred(&mut self, area: Rect, y: u16, text: &str, style: Style) {
        put_centred(self.buffer, area, y, text, style);
    }

    pub(super) fn put_right(&mut self, area: Rect, y: u16, text: &str, style: Style) {
        self.put(area, area.width.saturating_sub(cells(text)), y, text, style);
    }
}

/// Writes one line, clipped to the area; how many cells it took.
fn put(buffer: &mut Buffer, area: Rect, x: u16, y: u16, text: &str, style: Style) -> u16 {
    let area = area.intersection(buffer.area);
    if x >= area.width || y >= area.height {
        return 0;
    }
    let start = area.x + x;
    let room = usize::from(area.width - x);
    let (end, _) = buffer.set_stringn(start, area.y + y, text, room, style);
    end.saturating_sub(start)
}

pub(super) fn put_centred(buffer: &mut Buffer, area: Rect, y: u16, text: &str, style: Style) {
    let x = area.width.saturating_sub(cells(text)) / 2;
    put(buffer, area, x, y, text, style);
}

fn model_has_story(model: &Model) -> bool {
    model.stopped.is_none()
        && !model.has_page()
        && model.at_hand().is_some_and(|attempt| !attempt.story.lines().is_empty())
}

pub(super) fn cells(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

fn rows_of<T>(lines: &[T]) -> u16 {
    u16::try_from(lines.len()).unwrap_or(u16::MAX)
}

/// The area without `x` cells at each side and `y` rows above and below.
pub(super) fn inset(area: Rect, x: u16, y: u16) -> Rect {
    let width = area.width.saturating_sub(x.saturating_mul(2));
    let height = area.height.saturating_sub(y.saturating_mul(2));
    Rect { x: area.x + x.min(area.width), y: area.y + y.min(area.height), width, height }
}
