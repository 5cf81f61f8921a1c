//! The pages of the screen. A page is a file: its state, its keys, its help and its drawing.
//!
//! The screen asks a page for five things: what a key does (`pressed`), what a scan does
//! (`scanned`), which keys the bar shows (`keys`), what the help page says (`help`), and to draw
//! itself into the middle of the window. Everything that all pages share is in the model.

mod bill;
pub(super) mod cash;
pub(super) mod checkout;
pub(super) mod code;
pub(super) mod field;
pub(super) mod find;
pub(super) mod goods;
pub(super) mod lock;
pub(super) mod shift;

use ratatui::layout::Rect;

use crate::clean::clean;
use crate::clock::Uptime;
use crate::language::Language;
use crate::screen::Sound;
use crate::screen::model::LastInput;
use crate::screen::note::Note;
use crate::screen::view::Canvas;
use crate::screen::{Key, Model, MoneyNews, Printing, ScreenCommand};
use bill::BillPage;
use cash::CashPage;
use shift::ShiftPage;

/// Cells of a printer's fault.
const FAULT: usize = 200;

/// The page of the drawer, of the shift or of a bill, in front of the desk. A scan is refused while it is there.
#[derive(Debug)]
pub(super) enum MoneyPage {
    Cash(CashPage),
    Shift(ShiftPage),
    Bill(BillPage),
}

impl MoneyPage {
    /// What a key has changed, if it differs before and after.
    pub(super) fn face(&self) -> (String, usize) {
        match self {
            Self::Cash(page) => page.face(),
            Self::Shift(page) => page.face(),
            Self::Bill(page) => page.face(),
        }
    }

    /// How much is typed, where something is.
    pub(super) fn typed_characters(&self) -> Option<usize> {
        match self {
            Self::Cash(page) => page.typed_characters(),
            Self::Shift(page) => page.typed_characters(),
            Self::Bill(_) => None,
        }
    }

    /// Undoes what a scan has typed.
    pub(super) fn take_back(&mut self, began: Uptime) -> bool {
        match self {
            Self::Cash(page) => page.take_back(began),
            Self::Shift(page) => page.take_back(began),
            Self::Bill(_) => false,
        }
    }
}

/// What a key does on the page.
pub(super) fn pressed(
    model: &mut Model,
    key: Key,
    at: Uptime,
    before: LastInput,
) -> Vec<ScreenCommand> {
    match &model.money_page {
        Some(MoneyPage::Cash(_)) => cash::pressed(model, key, at, before),
        Some(MoneyPage::Shift(_)) => shift::pressed(model, key, at, before),
        // The way back is the way that it was opened.
        Some(MoneyPage::Bill(_)) if key == Key::Esc => shift::open(model),
        Some(MoneyPage::Bill(_)) => bill::pressed(model, key),
        None => Vec::new(),
    }
}

/// What has happened to cash or to the shift, whatever page is open.
pub(super) fn told(model: &mut Model, news: MoneyNews) -> Vec<ScreenCommand> {
    match news {
        MoneyNews::CashReturned(sale) => return cash::returned(model, sale),
        MoneyNews::CashMoved => model.note = Some(Note::CashNoted),
        MoneyNews::PartPaid(part) => cash::found(model, part),
        MoneyNews::ShiftOpenSince(since) => shift::is_open_since(model, since),
        MoneyNews::ShiftRead(result) => shift::read(model, result),
        MoneyNews::ShiftDone(done) => return shift::done(model, done),
        MoneyNews::BillRead(result) => return bill::read(model, result),
        MoneyNews::ReportPrinted(report, Printing::Sent | Printing::Printed) => {
            shift::has_printed(model, &report);
            model.note = Some(Note::ReportSent);
        }
        MoneyNews::ReportPrinted(report, Printing::Failed(why)) => {
            shift::not_printed(model, *report);
            model.note = Some(Note::ReportFailed(clean(&why, FAULT)));
            model.ring(Sound::NeedsYou);
        }
    }
    Vec::new()
}

/// The keys that belong to the page.
pub(super) fn keys(
    model: &Model,
    language: Language,
    show: &mut impl FnMut(&'static str, &'static str),
) {
    match &model.money_page {
        Some(MoneyPage::Cash(page)) => cash::keys(model, page, language, show),
        Some(MoneyPage::Shift(page)) => shift::keys(page, language, show),
        Some(MoneyPage::Bill(page)) => bill::keys(page, language, show),
        None => {}
    }
}

/// What the help page says about it.
pub(super) fn help(model: &Model) -> &'static [&'static str] {
    match &model.money_page {
        Some(MoneyPage::Cash(_)) | None => cash::help(model),
        Some(MoneyPage::Shift(_)) => shift::help(model),
        Some(MoneyPage::Bill(_)) => bill::help(model),
    }
}

/// Leads back to the desk as it was left.
pub(super) fn close(model: &mut Model) {
    model.money_page = None;
    model.note = None;
    if let checkout::CashierTask::Payment(order) = &model.task {
        model.notices.retain(|notice| notice.order != *order);
    }
}

impl Canvas<'_> {
    pub(super) fn money_page(&mut self, area: Rect, page: &MoneyPage) {
        match page {
            MoneyPage::Cash(page) => self.cash_page(area, page),
            MoneyPage::Shift(page) => self.shift_page(area, page),
            MoneyPage::Bill(page) => self.bill_page(area, page),
        }
    }

    /// The page in a window that is too small.
    pub(super) fn money_in_few_lines(&self, page: &MoneyPage) -> Vec<String> {
        match page {
            MoneyPage::Cash(page) => self.cash_in_few_lines(page),
            MoneyPage::Shift(page) => self.shift_in_few_lines(page),
            MoneyPage::Bill(page) => self.bill_in_few_lines(page),
        }
    }

    /// A list of which one line is chosen.
    fn choices(&mut self, area: Rect, lines: &[String], chosen: usize) {
        let base = self.palette.base();
        let fill = self.palette.fill(crate::screen::palette::Tone::Calm);
        for (y, (index, line)) in (0..area.height).zip(lines.iter().enumerate()) {
            if index == chosen {
                let row = Rect { y: area.y + y, height: 1, ..area };
                self.buffer.set_style(row, fill);
                self.put(area, 1, y, ">", fill);
                self.put(area, 3, y, line, fill);
            } else {
                self.put(area, 3, y, line, base);
            }
        }
    }
}
