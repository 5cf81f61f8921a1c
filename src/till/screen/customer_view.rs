//! The customer's own screen: the shop's name, the amount, what to do, the result; nothing else, and
//! in large letters, as far as the window has room for them. Both languages, since it may be either
//! that the customer reads.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::Theme;
use super::digits::{MOST_TIMES, Narrow, Size};
use super::letters::Lettering;
use super::model::with_symbol;
use super::palette::{Palette, Tone};
use super::qr;
use super::shapes::{self, Bitmap, SHAPE_HEIGHT, SHAPE_WIDTH};
use super::view::{cells, put_centred};
use super::wrap::wrap;
use crate::display::{SaleStage, Told, View};
use crate::language::Language;
use crate::money::{Currency, Money};
use crate::order::CodeUrl;
use crate::payment::Status;
use crate::qr::QrCode;
use crate::text::customer_view::CustomerViewWords;

/// Cells for the words beside a code, at least.
const BESIDE: u16 = 30;
/// From this height on, shapes are drawn twice as large.
const TALL: u16 = 36;

/// What does not change while the customer's screen is shown.
#[derive(Clone, Debug)]
pub struct CustomerViewSettings {
    pub store: String,
    pub currency: Currency,
    /// The one of the larger letters.
    pub language: Language,
    pub theme: Theme,
    /// Whether the terminal has Chinese characters.
    pub draws_chinese: bool,
    /// Whether it draws blocks as they are: without them there is no code to scan.
    pub draws_blocks: bool,
}

/// Draws what the till tells the customer, over a whole buffer; `None` while no till runs.
pub fn customer_view(settings: &CustomerViewSettings, told: Option<&Told>, buffer: &mut Buffer) {
    let area = buffer.area;
    let palette = Palette::of(settings.theme);
    let tone = told.map_or(Tone::Calm, |told| tone(told.view));
    let is_result = matches!(tone, Tone::Good | Tone::Bad | Tone::Back | Tone::Alarm);
    let (base, strong, quiet) = if is_result {
        let fill = palette.panel(tone);
        (palette.base().patch(fill), fill.add_modifier(Modifier::BOLD), fill)
    } else {
        (palette.base(), palette.strong(), palette.quiet())
    };
    buffer.set_style(area, base);
    let mut page = Page { settings, area, buffer };
    if told.is_some_and(|told| told.is_training) {
        page.banner(palette.fill(Tone::Wait));
    }
    if let Some(Told { view: View::Sale { amount, .. }, code: Some(code), is_training }) = told
        && page.code(code, &with_symbol(settings.currency, *amount), *is_training, [strong, quiet])
    {
        return;
    }
    let store = page.settings.store.clone();
    page.line(2.min(area.height / 6), &store, strong);
    let Some(told) = told else {
        return page.sentence(area.height / 2, CustomerViewWords::closed, [quiet, quiet]);
    };
    let mark = if is_result { strong } else { palette.ink(tone) };
    match told.view {
        View::Welcome => {
            page.sentence(area.height / 2, CustomerViewWords::welcome, [strong, quiet]);
        }
        View::Sale { amount, stage } => {
            let shown = match stage {
                SaleStage::Change { given, change } => {
                    page.given(amount, given, quiet);
                    change
                }
                SaleStage::Typing | SaleStage::Code | SaleStage::Scan | SaleStage::Payment(_) => {
                    amount
                }
            };
            let shown = with_symbol(settings.currency, shown);
            page.sale(&shown, stage, [mark, strong, quiet]);
        }
    }
}

fn tone(view: View) -> Tone {
    match view {
        View::Welcome => Tone::Calm,
        View::Sale { stage: SaleStage::Typing, .. } => Tone::Calm,
        View::Sale { stage: SaleStage::Code | SaleStage::Scan, .. } => Tone::Wait,
        View::Sale { stage: SaleStage::Payment(status), .. } => Tone::of(status),
        View::Sale { stage: SaleStage::Change { .. }, .. } => Tone::of(Status::Paid),
    }
}

struct Page<'a> {
    settings: &'a CustomerViewSettings,
    area: Rect,
    buffer: &'a mut Buffer,
}

impl Page<'_> {
    fn banner(&mut self, style: Style) {
        let row = Rect { height: 1.min(self.area.height), ..self.area };
        self.buffer.set_style(row, style);
        let words = self.in_both(CustomerViewWords::training).join("   ");
        self.line(0, &words, style);
    }

    /// The code as large as it fits, and the amount and what to do beside it; `false` if there is no
    /// room for it.
    fn code(
        &mut self,
        code: &CodeUrl,
        amount: &str,
        is_training: bool,
        [strong, quiet]: [Style; 2],
    ) -> bool {
        let area = self.area;
        let Some(code) = QrCode::of(code.as_str()).filter(|_| self.settings.draws_blocks) else {
            return false;
        };
        let banner = u16::from(is_training);
        let place = Rect { y: area.y + banner, height: area.height.saturating_sub(banner), ..area };
        let Some(room) = area.width.checked_sub(BESIDE) else { return false };
        let Some(lines) = code.half_blocks_in(room.into(), place.height.into()) else {
            return false;
        };
        let width = lines.first().map_or(0, |line| cells(line));
        qr::draw(&lines, Rect { width, ..place }, self.buffer);
        let x = place.x + width + 1;
        self.area = Rect { x, width: area.right().saturating_sub(x), ..place };
        let store = self.settings.store.clone();
        for (y, line) in (1..).zip(wrap(&store, self.area.width.into()).iter().take(2)) {
            self.line(y, line, strong);
        }
        let size = Narrow::fitting(amount, self.area.width, self.area.height / 4, MOST_TIMES);
        let height = size.map_or(1, Narrow::height);
        let top = (self.area.height / 3).saturating_sub(height / 2).max(4);
        match size {
            Some(size) => {
                let place = Rect { y: self.area.y + top, height, ..self.area };
                size.draw_centred(place, strong, self.buffer);
            }
            None => self.line(top, amount, strong),
        }
        self.sentence(top + height + 1, CustomerViewWords::scan, [strong, quiet]);
        true
    }

    /// What the change below was made of.
    fn given(&mut self, due: Money, given: Money, style: Style) {
        let [due, given] = [due, given].map(|money| with_symbol(self.settings.currency, money));
        let of = |language| CustomerViewWords::of(language).due_and_given(&due, &given);
        let first =
            if self.settings.draws_chinese { self.settings.language } else { Language::English };
        let line = of(first);
        self.line(3.min(self.area.height / 5), &line, style);
    }

    /// From top to bottom: the shape, the amount, the sentence; the amount stays at its place in
    /// every stage.
    fn sale(&mut self, amount: &str, stage: SaleStage, [mark, strong, quiet]: [Style; 3]) {
        let area = self.area;
        let size = Size::filling(amount, area.width.saturating_sub(4), area.height / 4);
        let height = size.map_or(1, Size::height);
        let middle = area.height / 2;
        let top = middle.saturating_sub(height / 2);
        match size {
            Some(size) => {
                let width = size.width(amount).unwrap_or(0).min(area.width);
                let x = area.x + (area.width - width) / 2;
                let place = Rect { x, y: area.y + top, width, height };
                size.draw(amount, place, strong, self.buffer);
            }
            // Cut off, it would be another amount.
            None if cells(amount) > area.width => self.line(top, "…", strong),
            None => self.line(top, amount, strong),
        }
        let times = if area.height >= TALL { 2 } else { 1 };
        let above = top.saturating_sub(4);
        if let Some(shape) = shape(stage)
            && above >= SHAPE_HEIGHT * times
        {
            let width = (SHAPE_WIDTH * times).min(area.width);
            let x = area.x + (area.width - width) / 2;
            let y = area.y + 4 + (above - SHAPE_HEIGHT * times) / 2;
            let place = Rect { x, y, width, height: SHAPE_HEIGHT * times };
            shapes::draw(shape, times, place, mark, self.buffer);
        }
        let styles = [mark.add_modifier(Modifier::BOLD), quiet];
        self.sentence(top + height + 1, |words| to_do(words, stage), styles);
    }

    /// The shop's language first, in large letters where all of it fits below that row.
    fn sentence(
        &mut self,
        y: u16,
        words: impl Fn(CustomerViewWords) -> &'static str,
        [first, second]: [Style; 2],
    ) {
        let sentences = self.in_both(words);
        let Some((large, small)) = sentences.split_first() else { return };
        let room = self.area.width.saturating_sub(2);
        let small: Vec<String> = small.iter().flat_map(|words| wrap(words, room.into())).collect();
        let left = self.area.height.saturating_sub(y);
        let rows = u16::try_from(small.len()).unwrap_or(u16::MAX);
        let lettering = Lettering::text(large, room, left.saturating_sub(rows + 1));
        let plain = wrap(large, room.into());
        let height = lettering.as_ref().map_or(0, Lettering::height);
        let height = height.max(u16::try_from(plain.len()).unwrap_or(u16::MAX));
        // A third of what is left stays above.
        let mut y = y + left.saturating_sub(height + 1 + rows) / 3;
        match lettering {
            Some(lettering) => {
                lettering.draw_centred(
                    Rect { y: self.area.y + y, height, ..self.area },
                    first,
                    self.buffer,
                );
                y += height + 1;
            }
            None => {
                for line in &plain {
                    self.line(y, line, first);
                    y += 1;
                }
            }
        }
        for line in &small {
            self.line(y, line, second);
            y += 1;
        }
    }

    fn in_both(&self, words: impl Fn(CustomerViewWords) -> &'static str) -> Vec<&'static str> {
        let of = |language| words(CustomerViewWords::of(language));
        match (self.settings.draws_chinese, self.settings.language) {
            (false, _) => vec![of(Language::English)],
            (true, Language::English) => vec![of(Language::English), of(Language::Chinese)],
            (true, Language::Chinese) => vec![of(Language::Chinese), of(Language::English)],
        }
    }

    fn line(&mut self, y: u16, text: &str, style: Style) {
        put_centred(self.buffer, self.area, y, text, style);
    }
}

const fn to_do(words: CustomerViewWords, stage: SaleStage) -> &'static str {
    match stage {
        SaleStage::Typing => words.amount(),
        SaleStage::Code => words.show_code(),
        SaleStage::Scan => words.scan_elsewhere(),
        SaleStage::Change { .. } => words.change(),
        SaleStage::Payment(status) => words.status(status),
    }
}

const fn shape(stage: SaleStage) -> Option<&'static Bitmap> {
    match stage {
        SaleStage::Typing => None,
        SaleStage::Code => Some(shapes::of(Status::Created)),
        SaleStage::Scan => Some(shapes::of(Status::Waiting)),
        SaleStage::Change { .. } => Some(shapes::of(Status::Paid)),
        SaleStage::Payment(status) => Some(shapes::of(status)),
    }
}
