//! The shift: what it has come to so far, its opening with a float, and its close with a blind count.

use ratatui::layout::Rect;
use ratatui::widgets::BorderType;

use super::field::Field;
use super::{MoneyPage, bill, lock};
use crate::clean::clean;
use crate::clock::{Timestamp, Uptime};
use crate::journal::ShiftDone;
use crate::language::{Language, Text};
use crate::money::{Money, NotAnAmount, grouped_thousands};
use crate::operators::Role;
use crate::payment::Status;
use crate::screen::Sound;
use crate::screen::guard::{is_of_a_scan, may_answer};
use crate::screen::model::{Dialog, LastInput, Model, symbol_before};
use crate::screen::note::Note;
use crate::screen::palette::Tone;
use crate::screen::shapes;
use crate::screen::view::Canvas;
use crate::screen::view::sheet::Sheet;
use crate::screen::{Key, ScreenCommand};
use crate::shift::{NotNow, Report};
use crate::text::screen::{HelpWords, ScreenWords, ShiftPageWords};
use crate::text::shift::{ShiftLine, ShiftWords, Writing};

const AMOUNT_MAX: usize = 16;
const FAULT: usize = 200;
/// Columns of a report: from there on its figures would be far from what they are of.
const WIDTH: u16 = 60;

/// The page.
#[derive(Debug)]
pub(in crate::screen) enum ShiftPage {
    Reading,
    Failed(Text),
    /// An X report, or the Z report that was just made.
    Shown {
        report: Box<Report>,
        chosen: usize,
        scrolled: usize,
    },
    Float(Field),
    Count(Field),
    /// The journal is to write it.
    Working {
        counted: Option<Money>,
    },
    /// What stands in the way of the close.
    Unresolved {
        numbers: Vec<String>,
        counted: Money,
    },
}

/// What can be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ShiftAct {
    /// The oldest report that did not come out.
    PrintAgain,
    /// It is not wanted any more.
    GiveUp,
    Open,
    Close,
    Print,
    Bill,
}

impl ShiftPage {
    pub(super) fn face(&self) -> (String, usize) {
        match self {
            Self::Reading => (String::new(), 0),
            Self::Failed(_) => (String::new(), 1),
            Self::Shown { chosen, scrolled, .. } => (String::new(), 100 + 1000 * scrolled + chosen),
            Self::Float(typed) => (typed.text().to_owned(), 2),
            Self::Count(typed) => (typed.text().to_owned(), 3),
            Self::Working { .. } => (String::new(), 4),
            Self::Unresolved { .. } => (String::new(), 5),
        }
    }

    pub(super) fn typed_characters(&self) -> Option<usize> {
        self.field().map(|field| field.text().chars().count())
    }

    pub(super) fn take_back(&mut self, began: Uptime) -> bool {
        if let Self::Float(field) | Self::Count(field) = self {
            return field.take_back(began);
        }
        false
    }

    const fn field(&self) -> Option<&Field> {
        if let Self::Float(field) | Self::Count(field) = self {
            return Some(field);
        }
        None
    }
}

fn acts(model: &Model, report: &Report) -> Vec<ShiftAct> {
    let open = report.z.is_none() && report.opened_at.is_none();
    let is_left = !model.unprinted.is_empty();
    [
        (is_left, ShiftAct::PrintAgain),
        (is_left, ShiftAct::GiveUp),
        (open, ShiftAct::Open),
        (report.z.is_none(), ShiftAct::Close),
        (model.settings.printer_configured, ShiftAct::Print),
        (bill::offer(model).is_some(), ShiftAct::Bill),
    ]
    .into_iter()
    .filter_map(|(can, act)| can.then_some(act))
    .collect()
}

/// A report that did not come out is offered until it does. The journal makes each Z report once, and
/// an X report as often as one is wanted.
pub(super) fn not_printed(model: &mut Model, report: Report) {
    has_printed(model, &report);
    model.unprinted.push(report);
}

/// It came out.
pub(super) fn has_printed(model: &mut Model, report: &Report) {
    model.unprinted.retain(|known| known.z != report.z);
}

/// Opens the page: what the shift has come to so far.
pub(in crate::screen) fn open(model: &mut Model) -> Vec<ScreenCommand> {
    if !model.can_find() {
        model.note = Some(Note::NotAnsweredYet);
        return Vec::new();
    }
    model.find = None;
    model.typing = None;
    model.dropped_at = None;
    model.note = None;
    model.overtaken_at = None;
    show(model, ShiftPage::Reading);
    vec![ScreenCommand::ReadShift]
}

fn show(model: &mut Model, page: ShiftPage) {
    model.money_page = Some(MoneyPage::Shift(page));
    model.asked_at = model.now;
}

/// Whether a shift is open at the start. One of another day was forgotten.
pub(super) fn is_open_since(model: &mut Model, since: Option<Timestamp>) {
    model.shift_is_open = since.is_some();
    let Some(day) = since.map(|since| since.day(&model.settings.time_zone)) else { return };
    if day != model.wall.day(&model.settings.time_zone) {
        model.note = Some(Note::ShiftForgotten(day.to_string()));
    }
}

/// What the journal has of the shift.
pub(super) fn read(model: &mut Model, result: Result<Box<Report>, Text>) {
    if let Ok(report) = &result {
        model.shift_is_open = report.opened_at.is_some();
    }
    if !matches!(model.money_page, Some(MoneyPage::Shift(ShiftPage::Reading))) {
        return;
    }
    let page = match result {
        Ok(report) => ShiftPage::Shown { report, chosen: 0, scrolled: 0 },
        Err(why) => ShiftPage::Failed(why),
    };
    show(model, page);
}

/// What came of the opening or the close.
pub(super) fn done(model: &mut Model, done: ShiftDone) -> Vec<ScreenCommand> {
    let counted = match &model.money_page {
        Some(MoneyPage::Shift(ShiftPage::Working { counted })) => Some(*counted),
        Some(MoneyPage::Shift(ShiftPage::Unresolved { counted, .. })) => Some(Some(*counted)),
        _ => None,
    };
    let mut commands = Vec::new();
    let page = match done {
        ShiftDone::Opened(report) => {
            model.shift_is_open = true;
            ShiftPage::Shown { report, chosen: 0, scrolled: 0 }
        }
        ShiftDone::Closed(report) => {
            model.shift_is_open = false;
            if model.settings.printer_configured && model.settings.auto_print {
                let report = report.clone();
                commands.push(ScreenCommand::PrintReport { report, is_copy: false });
            }
            // What differs is what whoever has counted looks for.
            let lines = writing(model).lines(&report);
            let drawer = ShiftLine::Title(ShiftWords::of(model.language).drawer().to_owned());
            let scrolled = lines.iter().position(|line| *line == drawer).unwrap_or(0);
            ShiftPage::Shown { report, chosen: 0, scrolled }
        }
        ShiftDone::Not(NotNow::IsOpen(since)) => {
            let since = since.local("%Y-%m-%d %H:%M", &model.settings.time_zone);
            model.note = Some(Note::ShiftIsOpen(since));
            commands.push(ScreenCommand::ReadShift);
            ShiftPage::Reading
        }
        ShiftDone::Not(NotNow::Unresolved(numbers)) => {
            model.ring(Sound::NeedsYou);
            let counted = counted.flatten().unwrap_or_default();
            ShiftPage::Unresolved { numbers, counted }
        }
    };
    if counted.is_some() {
        show(model, page);
    }
    commands
}

pub(super) fn pressed(
    model: &mut Model,
    key: Key,
    at: Uptime,
    before: LastInput,
) -> Vec<ScreenCommand> {
    let hurried = key == Key::Enter && is_of_a_scan(before) && !may_answer(model, at, before);
    let by_a_scan = key == Key::Enter && before.key.is_none() && !may_answer(model, at, before);
    let too_soon = !may_answer(model, at, before);
    let Some(MoneyPage::Shift(page)) = &mut model.money_page else { return Vec::new() };
    match page {
        ShiftPage::Reading | ShiftPage::Failed(_) => {
            if matches!(key, Key::Esc | Key::Enter) {
                super::close(model);
            }
        }
        // The journal answers in a moment.
        ShiftPage::Working { .. } => {}
        ShiftPage::Shown { chosen, report, .. } => {
            let (chosen, report) = (*chosen, report.clone());
            let acts = acts(model, &report);
            return shown(model, key, hurried, (chosen, &acts), &report);
        }
        ShiftPage::Float(field) | ShiftPage::Count(field) if key != Key::Enter => match key {
            Key::Esc if field.is_empty() => return open(model),
            Key::Esc => field.clear(),
            key => field.press(key, at, AMOUNT_MAX, true),
        },
        ShiftPage::Float(_) | ShiftPage::Count(_) if by_a_scan => {
            model.note = Some(Note::AnswerAgain);
        }
        ShiftPage::Float(field) => {
            let typed = field.text().to_owned();
            return match read_count(model, &typed, true) {
                Ok(float) => {
                    show(model, ShiftPage::Working { counted: None });
                    vec![ScreenCommand::OpenShift { float }]
                }
                Err(why) => refuse(model, why),
            };
        }
        ShiftPage::Count(field) => {
            let typed = field.text().to_owned();
            return match read_count(model, &typed, false) {
                Ok(counted) => {
                    model.dialog = Some(Dialog::CloseShift(counted));
                    Vec::new()
                }
                Err(why) => refuse(model, why),
            };
        }
        ShiftPage::Unresolved { counted, .. } => match key {
            Key::Enter if too_soon => model.note = Some(Note::AnswerAgain),
            Key::Enter => {
                let counted = *counted;
                let act = ScreenCommand::CloseShift { counted, carry: true };
                let commands = lock::with_consent(model, act);
                // Else a manager is asked, who may say no.
                if !commands.is_empty() {
                    show(model, ShiftPage::Working { counted: Some(counted) });
                }
                return commands;
            }
            Key::Esc => return open(model),
            _ => {}
        },
    }
    Vec::new()
}

/// The close was confirmed.
pub(in crate::screen) fn close_shift(model: &mut Model, counted: Money) -> Vec<ScreenCommand> {
    show(model, ShiftPage::Working { counted: Some(counted) });
    vec![ScreenCommand::CloseShift { counted, carry: false }]
}

fn refuse(model: &mut Model, why: NotAnAmount) -> Vec<ScreenCommand> {
    model.note = Some(Note::NotAnAmount(why));
    Vec::new()
}

/// A sum in the drawer, which may be nothing.
fn read_count(model: &Model, typed: &str, may_be_empty: bool) -> Result<Money, NotAnAmount> {
    match model.settings.currency.read(typed, model.settings.entry) {
        Err(NotAnAmount::Zero) => Ok(Money::default()),
        Err(NotAnAmount::Empty) if may_be_empty => Ok(Money::default()),
        read => read,
    }
}

fn shown(
    model: &mut Model,
    key: Key,
    hurried: bool,
    (at, acts): (usize, &[ShiftAct]),
    report: &Report,
) -> Vec<ScreenCommand> {
    let last = acts.len().saturating_sub(1);
    let lines = writing(model).lines(report).len();
    let Some(MoneyPage::Shift(ShiftPage::Shown { chosen, scrolled, .. })) = &mut model.money_page
    else {
        return Vec::new();
    };
    match key {
        Key::Up => *scrolled = scrolled.saturating_sub(1),
        Key::Down => *scrolled = (*scrolled + 1).min(lines.saturating_sub(1)),
        Key::Tab => *chosen = if at < last { at + 1 } else { 0 },
        Key::Enter if hurried => model.note = Some(Note::AnswerAgain),
        Key::Enter => match acts.get(at) {
            Some(ShiftAct::Open) => show(model, ShiftPage::Float(Field::default())),
            Some(ShiftAct::Close) => show(model, ShiftPage::Count(Field::default())),
            Some(ShiftAct::Print) => return vec![printed(report)],
            Some(ShiftAct::PrintAgain) => {
                return model.unprinted.first().map(printed).into_iter().collect();
            }
            Some(ShiftAct::GiveUp) => {
                model.unprinted.remove(0);
                show_from_the_top(model);
            }
            Some(ShiftAct::Bill) => return bill::open(model),
            None => super::close(model),
        },
        Key::Esc => super::close(model),
        _ => {}
    }
    Vec::new()
}

/// What was perhaps printed before comes as a copy.
fn printed(report: &Report) -> ScreenCommand {
    let (report, is_copy) = (Box::new(report.clone()), report.z.is_some());
    ScreenCommand::PrintReport { report, is_copy }
}

/// What can be done is another list.
fn show_from_the_top(model: &mut Model) {
    if let Some(MoneyPage::Shift(ShiftPage::Shown { chosen, .. })) = &mut model.money_page {
        *chosen = 0;
    }
}

/// Whoever is to count the drawer is not told what must be in it.
fn writing(model: &Model) -> Writing<'_> {
    let is_cashier = model.operator.as_ref().is_some_and(|operator| operator.role == Role::Cashier);
    let is_closed = matches!(&model.money_page,
        Some(MoneyPage::Shift(ShiftPage::Shown { report, .. })) if report.z.is_some());
    Writing {
        currency: model.settings.currency,
        zone: &model.settings.time_zone,
        language: model.language,
        tells_expected: is_closed || !is_cashier,
    }
}

pub(super) fn keys(
    page: &ShiftPage,
    language: Language,
    show: &mut impl FnMut(&'static str, &'static str),
) {
    let (text, words) = (ScreenWords::of(language), ShiftPageWords::of(language));
    match page {
        ShiftPage::Working { .. } => {}
        ShiftPage::Reading | ShiftPage::Failed(_) => show("Esc", text.key_back()),
        ShiftPage::Shown { .. } => {
            show("Tab", text.key_choose());
            show("Enter", text.key_do());
            show("Esc", text.key_back());
        }
        ShiftPage::Float(_) => {
            show("Enter", words.key_open());
            show("Esc", text.key_back());
        }
        ShiftPage::Count(_) => {
            show("Enter", words.key_close());
            show("Esc", text.key_back());
        }
        ShiftPage::Unresolved { .. } => {
            show("Enter", words.key_carry());
            show("Esc", text.key_back());
        }
    }
}

pub(super) fn help(model: &Model) -> &'static [&'static str] {
    HelpWords::of(model.language).shift()
}

fn sheet(model: &Model, word: &str, typed: &str, next: &str) -> Sheet {
    let settings = &model.settings;
    let shown = match settings.currency.read(typed, settings.entry) {
        Ok(amount) if !typed.contains('.') => settings.currency.group(amount),
        Err(_) if typed.is_empty() => settings.currency.show(Money::default()),
        Ok(_) | Err(NotAnAmount::Zero) => grouped_thousands(typed),
        Err(_) => typed.to_owned(),
    };
    Sheet {
        tone: Tone::Calm,
        border: BorderType::Rounded,
        is_filled: false,
        shape: shapes::of(Status::Created),
        word: word.to_owned(),
        detail: String::new(),
        amount: symbol_before(settings.currency, &shown),
        has_large_word: false,
        what: Vec::new(),
        meter: None,
        next: if model.is_asking() { String::new() } else { next.to_owned() },
        also: String::new(),
    }
}

impl ShiftAct {
    fn text(self, model: &Model) -> String {
        let words = ShiftPageWords::of(model.language);
        let title = || model.unprinted.first().map(|report| writing(model).title(report));
        match self {
            Self::PrintAgain => words.print_again(&title().unwrap_or_default()),
            Self::GiveUp => words.give_up(&title().unwrap_or_default()),
            Self::Open => words.open().to_owned(),
            Self::Close => words.close().to_owned(),
            Self::Print => words.print().to_owned(),
            Self::Bill => bill::offer(model).unwrap_or_default(),
        }
    }
}

/// The oldest report that did not come out, for the line that stays until it does.
pub(in crate::screen) fn unprinted(model: &Model) -> Option<String> {
    let report = model.unprinted.first()?;
    Some(ShiftPageWords::of(model.language).unprinted(&writing(model).title(report)))
}

/// What a page says that is not a form.
fn said(model: &Model, page: &ShiftPage) -> Vec<String> {
    let words = ShiftPageWords::of(model.language);
    match page {
        ShiftPage::Reading => vec![words.reading().to_owned()],
        ShiftPage::Working { .. } => vec![words.working().to_owned()],
        ShiftPage::Failed(why) => {
            vec![words.cannot_read(&clean(why.in_language(model.language), FAULT))]
        }
        ShiftPage::Unresolved { numbers, .. } => {
            let first = words.unresolved().to_owned();
            let numbers = numbers.iter().map(|number| format!("  {number}"));
            let then = [String::new(), words.carry().to_owned()];
            std::iter::once(first).chain(numbers).chain(then).collect()
        }
        ShiftPage::Shown { .. } | ShiftPage::Float(_) | ShiftPage::Count(_) => Vec::new(),
    }
}

fn form(model: &Model, page: &ShiftPage) -> Option<Sheet> {
    let words = ShiftPageWords::of(model.language);
    match page {
        ShiftPage::Float(typed) => {
            Some(sheet(model, words.opening(), typed.text(), words.type_float()))
        }
        ShiftPage::Count(typed) => {
            Some(sheet(model, words.closing(), typed.text(), words.type_count()))
        }
        ShiftPage::Reading
        | ShiftPage::Failed(_)
        | ShiftPage::Shown { .. }
        | ShiftPage::Working { .. }
        | ShiftPage::Unresolved { .. } => None,
    }
}

impl Canvas<'_> {
    pub(super) fn shift_page(&mut self, area: Rect, page: &ShiftPage) {
        let model = self.model;
        if let Some(form) = form(model, page) {
            return self.sheet(area, &form);
        }
        let words = ShiftPageWords::of(model.language);
        let base = self.palette.base();
        match page {
            ShiftPage::Shown { report, chosen, scrolled } => {
                let inner = self.overlay(area, &writing(model).title(report));
                self.report(inner, report, *chosen, *scrolled);
            }
            page => {
                let inner = self.overlay(area, words.title());
                let mut y = 0;
                for line in said(model, page) {
                    for row in crate::screen::wrap::wrap(&line, usize::from(inner.width)) {
                        self.put(inner, 0, y, &row, base);
                        y += 1;
                    }
                }
            }
        }
    }

    fn report(&mut self, area: Rect, report: &Report, chosen: usize, scrolled: usize) {
        let model = self.model;
        let words = ShiftPageWords::of(model.language);
        let acts = acts(model, report);
        let rows = u16::try_from(acts.len()).unwrap_or(u16::MAX);
        // The border has air around it, which a report can use.
        let area = Rect { y: area.y.saturating_sub(1), height: area.height + 2, ..area };
        let list = Rect { height: area.height.saturating_sub(rows + 1), ..area };
        let place = Rect { width: list.width.min(WIDTH), ..list };
        let (base, strong) = (self.palette.base(), self.palette.strong());
        let lines = writing(model).lines(report);
        let most = lines.len().saturating_sub(usize::from(list.height));
        let skip = scrolled.min(most);
        for (y, line) in (0..list.height).zip(&lines[skip..]) {
            match line {
                ShiftLine::Title(title) => {
                    self.put(place, 0, y, &clean(title, FAULT), strong);
                }
                ShiftLine::Pair(name, value) => {
                    self.put(place, 1, y, &clean(name, FAULT), base);
                    self.put_right(place, y, &clean(value, FAULT), base);
                }
            }
        }
        if most > 0 {
            let quiet = self.palette.quiet();
            self.put_right(area, list.height, words.more(), quiet);
        }
        let choices = Rect {
            y: area.y + area.height.saturating_sub(rows),
            height: rows.min(area.height),
            ..area
        };
        let texts: Vec<String> = acts.iter().map(|act| act.text(model)).collect();
        self.choices(choices, &texts, chosen);
    }

    pub(super) fn shift_in_few_lines(&self, page: &ShiftPage) -> Vec<String> {
        let model = self.model;
        if let Some(sheet) = form(model, page) {
            return vec![sheet.word, sheet.amount, sheet.next];
        }
        match page {
            ShiftPage::Shown { report, chosen, .. } => {
                let act = acts(model, report).get(*chosen).map(|act| act.text(model));
                let act = act.map(|act| format!("> {act}"));
                std::iter::once(writing(model).title(report)).chain(act).collect()
            }
            page => said(model, page),
        }
    }
}
