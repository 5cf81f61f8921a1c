//! The sheet of the task: shape, word, amount, what happened, the time ahead, and the next step.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{Block, BorderType, Widget};

use super::{Canvas, cells, inset, rows_of};
use crate::screen::digits::Size;
use crate::screen::letters::Lettering;
use crate::screen::palette::Tone;
use crate::screen::shapes::{self, Bitmap, SHAPE_HEIGHT, SHAPE_WIDTH};
use crate::screen::wrap::wrap;

/// Cells between the border and the text.
const PADDING: u16 = 3;
const AFTER_SHAPE: u16 = 4;
/// Rows above the amount: for the word in two lines of large letters, or in one line twice as
/// large; in one line of large letters; as text.
const LARGE_WORD: u16 = 13;
const WORD: u16 = 7;
const PLAIN_WORD: u16 = 2;
/// What most sheets have below the head, in rows, with air between.
const USUALLY_BELOW: u16 = 10;
/// From this width on, shape, amount and word may be twice as large.
const WIDE: u16 = 130;

/// Where the amount is, and how large: the same from its first digit to the result, since only the
/// window's size decides.
#[derive(Clone, Copy)]
pub(in crate::screen) struct Head {
    pub(in crate::screen) times: u16,
    /// Rows above the amount, for the word.
    above: u16,
    /// Rows above the head, where there is room for them.
    top: u16,
}

impl Head {
    /// For a sheet of this size, with its border, that begins so many rows below its usual place.
    pub(in crate::screen) fn of(width: u16, height: u16, lower: u16) -> Self {
        let sizes = [(WIDE, 2, LARGE_WORD), (0, 1, LARGE_WORD), (0, 1, WORD), (0, 1, PLAIN_WORD)];
        let needed = |times, above| above + SHAPE_HEIGHT * times + USUALLY_BELOW + 2;
        let fits = |(wide, times, above): &(u16, u16, u16)| {
            width >= *wide && height >= needed(*times, *above)
        };
        let (_, times, above) = sizes.into_iter().find(fits).unwrap_or((0, 1, PLAIN_WORD));
        let top = height.saturating_sub(needed(times, above)) / 3;
        // What has come above the sheet does not push the amount down.
        Self { times, above, top: top.saturating_sub(lower) }
    }

    /// The least height that a sheet needs in which the word of every state is large.
    pub(in crate::screen) const fn with_large_words(width: u16) -> u16 {
        let times = if width >= WIDE { 2 } else { 1 };
        LARGE_WORD + SHAPE_HEIGHT * times + USUALLY_BELOW + 2
    }

    pub(in crate::screen) const fn height(self) -> u16 {
        self.above + SHAPE_HEIGHT * self.times
    }

    /// Without large letters, where there is no room for them.
    const fn plain(self) -> Self {
        Self { above: PLAIN_WORD, times: 1, top: self.top }
    }

    const fn has_letters(self) -> bool {
        self.above > PLAIN_WORD
    }

    /// Where the amount is drawn, and what is beside the shape above it.
    pub(in crate::screen) fn amount(self, area: Rect) -> Rect {
        let beside = (SHAPE_WIDTH * self.times + AFTER_SHAPE).min(area.width);
        let top = (self.top + self.above).min(area.height);
        Rect {
            x: area.x + beside,
            y: area.y + top,
            width: area.width - beside,
            height: (SHAPE_HEIGHT * self.times).min(area.height - top),
        }
    }
}

/// The area inside a sheet's border.
pub(in crate::screen) fn inside(area: Rect) -> Rect {
    inset(inset(area, 1, 0), 1 + PADDING, 1)
}

/// The contents of a sheet.
pub(in crate::screen) struct Sheet {
    pub(in crate::screen) tone: Tone,
    pub(in crate::screen) border: BorderType,
    /// Whether the whole sheet is coloured, as for a result.
    pub(in crate::screen) is_filled: bool,
    pub(in crate::screen) shape: &'static Bitmap,
    pub(in crate::screen) word: String,
    /// Shown beside the word in quiet text.
    pub(in crate::screen) detail: String,
    pub(in crate::screen) amount: String,
    /// Whether the word is large and the amount is not.
    pub(in crate::screen) has_large_word: bool,
    pub(in crate::screen) what: Vec<String>,
    pub(in crate::screen) meter: Option<Meter>,
    pub(in crate::screen) next: String,
    /// What else can be done.
    pub(in crate::screen) also: String,
}

/// The time ahead.
pub(in crate::screen) struct Meter {
    /// Milliseconds elapsed and in total; `None`: no bar.
    pub(in crate::screen) bar: Option<(u64, u64)>,
    pub(in crate::screen) left: String,
    pub(in crate::screen) right: String,
}

/// The room beside the shape, in cells.
fn beside_shape(area: Rect) -> u16 {
    area.width.saturating_sub(SHAPE_WIDTH + AFTER_SHAPE)
}

impl Canvas<'_> {
    pub(in crate::screen) fn sheet(&mut self, area: Rect, sheet: &Sheet) {
        let ground =
            if sheet.is_filled { self.palette.panel(sheet.tone) } else { self.palette.base() };
        let line = if sheet.is_filled { ground } else { self.palette.ink(sheet.tone) };
        let outer = inset(area, 1, 0);
        Block::bordered()
            .border_type(sheet.border)
            .border_style(line)
            .style(ground)
            .render(outer, self.buffer);
        self.sheet_text(inside(area), sheet);
    }

    fn sheet_text(&mut self, area: Rect, sheet: &Sheet) {
        let width = usize::from(area.width);
        let asking = self.model.is_asking();
        let what: Vec<String> = sheet.what.iter().flat_map(|line| wrap(line, width)).collect();
        // While a question is shown, its answer is the only next step.
        let step = |words: &str| if asking { "" } else { words }.to_owned();
        let next = wrap(&step(&sheet.next), width.saturating_sub(2));
        let also = wrap(&step(&sheet.also), width.saturating_sub(2));
        let meter = sheet.meter.as_ref().map_or(0, |meter| 1 + u16::from(meter.bar.is_some()));
        let steps = rows_of(&next) + rows_of(&also);
        let below = rows_of(&what) + meter + steps;
        let gaps = u16::from(!what.is_empty()) + u16::from(meter > 0) + u16::from(steps > 0);
        let fits = |head: u16| area.height >= head + below;
        let place = self.head;
        // A verdict has no amount in digits below it: it is larger with much air around it.
        let tall = if sheet.has_large_word {
            let most = area.height.saturating_sub(below + 2 * gaps).saturating_sub(1);
            let tall = Lettering::fitting(&sheet.word, beside_shape(area), most);
            tall.map_or(0, |word| word.height() + 1).max(place.plain().height())
        } else {
            place.height()
        };
        let heads = [(tall, place), (place.plain().height(), place.plain())];
        let low = [(SHAPE_HEIGHT, place.plain())];
        let (head, place) = heads
            .into_iter()
            .chain(low)
            .find(|(head, _)| fits(*head))
            .unwrap_or_else(|| (1, place.plain()));
        let mut spare = area.height.saturating_sub(head + below);
        // Blank rows, in order of priority: above the head, so that it stays where it is; below it,
        // above the next step, above the meter; two each if there is plenty of room.
        let mut y = place.top.min(spare.saturating_sub(gaps));
        spare -= y;
        let each = if spare >= gaps * 4 { 2 } else { 1 };
        let mut air = |wanted: bool| {
            let given = if wanted { spare.min(each) } else { 0 };
            spare -= given;
            given
        };
        let under_head = air(!what.is_empty());
        let over_steps = air(steps > 0);
        let over_meter = air(meter > 0);
        let rows = Rect { y: area.y + y, height: head.min(area.height), ..area };
        let border = Rect { y: area.y.saturating_sub(1), height: 1, ..area };
        self.sheet_head(rows, border, sheet, place);
        y += head + under_head;
        let plain =
            if sheet.is_filled { self.palette.panel(sheet.tone) } else { self.palette.base() };
        for line in &what {
            self.put(area, 0, y, line, plain);
            y += 1;
        }
        if let Some(meter) = &sheet.meter {
            let tone = (!sheet.is_filled).then_some(sheet.tone);
            y = self.meter(area, y + over_meter, meter, tone, plain);
        }
        y += over_steps;
        let strong = if sheet.is_filled { plain } else { self.palette.strong() };
        let mark = if sheet.is_filled { plain } else { self.palette.ink(sheet.tone) };
        for line in &next {
            self.put(area, 0, y, "▌", mark);
            self.put(area, 2, y, line, strong.add_modifier(Modifier::BOLD));
            y += 1;
        }
        let quiet = if sheet.is_filled { plain } else { self.palette.quiet() };
        for line in &also {
            self.put(area, 2, y, line, quiet);
            y += 1;
        }
    }

    fn sheet_head(&mut self, area: Rect, border: Rect, sheet: &Sheet, place: Head) {
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
        if sheet.has_large_word {
            return self.large_word(area, sheet, strong, digits);
        }
        let times = place.times;
        let shape = Rect { y: area.y + area.height - SHAPE_HEIGHT * times, ..area };
        shapes::draw(sheet.shape, times, shape, strong, self.buffer);
        let beside = SHAPE_WIDTH * times + AFTER_SHAPE;
        let text = Rect {
            x: area.x + beside.min(area.width),
            width: area.width.saturating_sub(beside),
            ..area
        };
        let above = if area.height >= place.height() { place.above } else { PLAIN_WORD };
        if place.has_letters() {
            let room = Rect { height: above - 1, ..area };
            self.lettered_word(room, border, sheet, [strong, quiet]);
        } else {
            let used = self.put(text, 0, 0, &sheet.word, strong);
            if used + 3 + cells(&sheet.detail) <= text.width {
                self.put_right(text, 0, &sheet.detail, quiet);
            }
        }
        let room = area.height.saturating_sub(above);
        match Size::fitting(&sheet.amount, text.width, room, times) {
            Some(size) => {
                let place = Rect { y: text.y + above, height: size.height(), ..text };
                size.draw(&sheet.amount, place, digits, self.buffer);
            }
            None => {
                self.put(text, 0, above + 1, &sheet.amount, digits);
            }
        }
    }

    /// The word in large letters right above the amount, and once more on the border, for whoever
    /// reads letter by letter.
    fn lettered_word(
        &mut self,
        area: Rect,
        border: Rect,
        sheet: &Sheet,
        [word, quiet]: [Style; 2],
    ) {
        let lettering = Lettering::broken(&sheet.word, area.width, area.height);
        match lettering {
            Some(lettering) => {
                let height = lettering.height();
                let place = Rect { y: area.bottom().saturating_sub(height), height, ..area };
                lettering.draw(place, word, self.buffer);
                self.put(border, 0, 0, &format!(" {} ", sheet.word), word);
            }
            None => {
                self.put(area, 0, area.height.saturating_sub(1), &sheet.word, word);
            }
        }
        if !sheet.detail.is_empty() {
            self.put_right(border, 0, &format!(" {} ", sheet.detail), quiet);
        }
    }

    /// The word as large as it fits, beside its shape or else without it.
    fn large_word(&mut self, area: Rect, sheet: &Sheet, word: Style, amount: Style) {
        let room = area.height - 1;
        let beside = Lettering::fitting(&sheet.word, beside_shape(area), room);
        let alone = || Lettering::fitting(&sheet.word, area.width, room);
        let has_shape = beside.is_some() || alone().is_none();
        let left = if has_shape { SHAPE_WIDTH + AFTER_SHAPE } else { 0 }.min(area.width);
        let text = Rect { x: area.x + left, width: area.width - left, ..area };
        // For whoever reads letter by letter, too.
        let used = self.put(text, 0, 0, &sheet.word, word);
        self.put(text, used + 3, 0, &sheet.amount, amount);
        self.put_right(text, 0, &sheet.detail, amount);
        let lettering = beside.or_else(alone);
        // Both stand on one line.
        let height = lettering.as_ref().map_or(0, Lettering::height);
        if has_shape {
            let raised = height.saturating_sub(SHAPE_HEIGHT) / 2;
            let y = area.y + area.height - SHAPE_HEIGHT - raised;
            let shape = Rect { y, height: SHAPE_HEIGHT, ..area };
            shapes::draw(sheet.shape, 1, shape, word, self.buffer);
        }
        if let Some(lettering) = lettering {
            let place = Rect { y: area.y + area.height - height, height, ..text };
            lettering.draw(place, word, self.buffer);
        }
    }

    fn meter(
        &mut self,
        area: Rect,
        mut y: u16,
        meter: &Meter,
        tone: Option<Tone>,
        style: Style,
    ) -> u16 {
        if let Some((gone, all)) = meter.bar {
            let done = u64::from(area.width) * gone.min(all) / all.max(1);
            let done = u16::try_from(done).unwrap_or(area.width).min(area.width);
            let full = tone.map_or(style, |tone| self.palette.ink(tone));
            let rest = tone.map_or(style, |_| self.palette.quiet());
            let line = |symbol: &str, count: u16| symbol.repeat(usize::from(count));
            self.put(area, 0, y, &line("━", done), full);
            self.put(area, done, y, &line("─", area.width - done), rest);
            y += 1;
        }
        self.put(area, 0, y, &meter.left, style);
        self.put_right(area, y, &meter.right, style);
        y + 1
    }
}
