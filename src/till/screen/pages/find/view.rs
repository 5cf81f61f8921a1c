//! The drawing of the page: the field and the list, or the order with its verdict and its story.

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::widgets::BorderType;

use super::{FindPage, Showing, ShownOrder, Subject};
use crate::clean::clean;
use crate::clock::Timestamp;
use crate::find::{OrderFile, Told};
use crate::gateway::Question;
use crate::payment::Status;
use crate::screen::model::{Model, ShownAttempt};
use crate::screen::palette::Tone;
use crate::screen::shapes::{self, Bitmap};
use crate::screen::view::Canvas;
use crate::screen::view::payment::{went_back, what_happened, word_of_what_went_back};
use crate::screen::view::sheet::{Meter, Sheet};
use crate::screen::wrap::wrap;
use crate::text::find::{FindWords, Verdict};
use crate::text::history;
use crate::text::screen::{FindPageWords, RefundWords};
use crate::text::story;

/// Cells of a number that is not ours, and of a fault's text.
const NUMBER: usize = 40;
const FAULT: usize = 120;
/// Rows of the story below the sheet, in a low window and in a high one.
const STORY: u16 = 6;
const HIGH_STORY: u16 = 14;
const HIGH: u16 = 32;
/// The least height of the sheet, in rows.
const SHEET_AT_LEAST: u16 = 9;
/// Where the columns of the list begin or end.
const AMOUNT_ENDS: u16 = 28;
const WORD_AT: u16 = 31;
const TAIL_AT: u16 = 53;
/// Cells before what happened.
const TIME: u16 = 10;

/// How many lines may be scrolled away.
pub(super) fn last_line(order: &ShownOrder) -> usize {
    let Subject::Ours(file, shown) = &order.subject else { return 0 };
    let lines = if order.in_full {
        file.entries.iter().map(|entry| 1 + fields(&entry.wire).len()).sum()
    } else {
        shown.story.lines().len()
    };
    lines.saturating_sub(1)
}

/// The fields that were sent or received. The journal has masked them.
fn fields(wire: &str) -> Vec<(String, String)> {
    let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(wire) else {
        return Vec::new();
    };
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    fields.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

impl Canvas<'_> {
    pub(in crate::screen) fn find_page(&mut self, area: Rect, page: &FindPage) {
        if let Some(form) = &page.form {
            return self.refund_form(area, form);
        }
        match &page.showing {
            Showing::Order(order) => self.order_page(area, page, order),
            Showing::Nothing | Showing::Reading | Showing::List | Showing::Failed(_) => {
                self.search_page(area, page);
            }
        }
    }

    fn search_page(&mut self, area: Rect, page: &FindPage) {
        let model = self.model;
        let words = FindPageWords::of(model.language);
        let refund = RefundWords::of(model.language);
        let title = if page.refunds { refund.which_order() } else { words.title() };
        let inner = self.overlay(area, title);
        let (base, quiet) = (self.palette.base(), self.palette.quiet());
        let mut y = 0;
        for prompt in [words.prompt(), words.prompt_typed()] {
            for line in wrap(prompt, usize::from(inner.width)) {
                self.put(inner, 0, y, &line, base);
                y += 1;
            }
        }
        self.field(Rect { y: inner.y + y + 1, height: 1, ..inner }, &page.typed);
        y += 3;
        let said = match &page.showing {
            Showing::Nothing => String::new(),
            Showing::Reading => words.reading().to_owned(),
            Showing::Failed(why) => {
                words.cannot_read(&clean(why.in_language(model.language), FAULT))
            }
            _ if page.rows.is_empty() && page.are_latest => words.none_yet().to_owned(),
            _ if page.rows.is_empty() => words.none().to_owned(),
            _ if page.are_latest => words.latest().to_owned(),
            _ => words.found(page.rows.len()),
        };
        for line in wrap(&said, usize::from(inner.width)) {
            self.put(inner, 0, y, &line, quiet);
            y += 1;
        }
        let list = Rect {
            y: inner.y + y.min(inner.height),
            height: inner.height.saturating_sub(y),
            ..inner
        };
        if matches!(page.showing, Showing::List) {
            self.orders(list, page);
        }
    }

    /// What is typed, with a mark that it goes on.
    fn field(&mut self, area: Rect, typed: &str) {
        let mark = self.palette.ink(Tone::Calm);
        let strong = self.palette.strong();
        self.put(area, 0, 0, "▌", mark);
        let used = self.put(area, 2, 0, typed, strong);
        self.put(area, 2 + used, 0, "_", mark);
    }

    fn orders(&mut self, area: Rect, page: &FindPage) {
        let model = self.model;
        let text = model.text();
        let rows = usize::from(area.height).max(1);
        let first = (page.chosen + 1).saturating_sub(rows);
        let (base, quiet) = (self.palette.base(), self.palette.quiet());
        for (y, (index, row)) in (0..area.height).zip(page.rows.iter().enumerate().skip(first)) {
            let is_chosen = index == page.chosen;
            let fill = self.palette.fill(Tone::Calm);
            // What has happened since it was read is known here.
            let shown = model.attempt(&row.out_trade_no);
            let state = shown.map_or(&row.state, |shown| &shown.view.state);
            let status = state.status();
            let of = |style| if is_chosen { fill } else { style };
            if is_chosen {
                let line = Rect { y: area.y + y, height: 1, ..area };
                self.buffer.set_style(line, fill);
                self.put(area, 0, y, ">", fill);
            }
            let time = row.created_at.local("%m-%d %H:%M", &model.settings.time_zone);
            self.put(area, 2, y, &time, of(quiet));
            let column = Rect { width: area.width.min(AMOUNT_ENDS), ..area };
            self.put_right(column, y, &model.money(row.amount), of(base));
            let went_back = word_of_what_went_back(model, row.amount, row.refunded);
            let tone = if went_back.is_some() { Tone::Back } else { Tone::of(status) };
            let word = went_back.unwrap_or_else(|| text.word_of(state));
            self.put(area, WORD_AT, y, word, of(self.palette.ink(tone)));
            self.put(area, TAIL_AT, y, &text.order(row.out_trade_no.tail()), of(quiet));
        }
        if first > 0 {
            self.put_right(area, 0, "↑", quiet);
        }
        if first + rows < page.rows.len() {
            self.put_right(area, area.height.saturating_sub(1), "↓", quiet);
        }
    }

    fn order_page(&mut self, area: Rect, page: &FindPage, order: &ShownOrder) {
        let words = FindPageWords::of(self.model.language);
        if let (Subject::Ours(file, _), true) = (&order.subject, order.in_full) {
            return self.all_entries(area, order, file);
        }
        let story = if area.height >= HIGH { HIGH_STORY } else { STORY };
        let story = match order.subject {
            Subject::Ours(..) => story.min(area.height.saturating_sub(1 + SHEET_AT_LEAST)),
            Subject::Stranger(_) => 0,
        };
        let [line, sheet, below] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(story),
        ])
        .areas(area);
        let line = Rect { x: line.x + 2, width: line.width.saturating_sub(4), ..line };
        if page.typed.is_empty() {
            let quiet = self.palette.quiet();
            self.put(line, 0, 0, words.another(), quiet);
        } else {
            self.field(line, &page.typed);
        }
        self.sheet(sheet, &order_sheet(self.model, order));
        if let Subject::Ours(_, shown) = &order.subject {
            self.order_story(below, shown, order.scrolled);
        }
    }

    /// Newest on top.
    fn order_story(&mut self, area: Rect, shown: &ShownAttempt, scrolled: usize) {
        let model = self.model;
        let words = FindPageWords::of(model.language);
        let area = self.title(area, words.story());
        let width = usize::from(area.width.saturating_sub(TIME + 2));
        let mut lines = Vec::new();
        for line in shown.story.lines().iter().rev().skip(scrolled) {
            let time = line.at.local("%H:%M:%S", &model.settings.time_zone);
            for (index, row) in
                wrap(&story::sentence(line, model.language), width).into_iter().enumerate()
            {
                lines.push((if index == 0 { time.clone() } else { String::new() }, row));
            }
        }
        self.scrolled_lines(area, &lines, scrolled);
    }

    fn all_entries(&mut self, area: Rect, order: &ShownOrder, file: &OrderFile) {
        let model = self.model;
        let words = FindPageWords::of(model.language);
        let number = clean(file.row.out_trade_no.as_str(), NUMBER);
        let inner = self.overlay(area, &format!("{}  {number}", words.entries()));
        let width = usize::from(inner.width.saturating_sub(TIME + 2));
        let mut lines = Vec::new();
        for entry in file.entries.iter().rev() {
            let time = entry.at.local("%H:%M:%S", &model.settings.time_zone);
            let event = history::entry(entry, model.language);
            let word = model.text().word_of(&entry.state);
            let said = clean(&format!("{word}  {event}"), 200);
            for (index, row) in wrap(&said, width).into_iter().enumerate() {
                lines.push((if index == 0 { time.clone() } else { String::new() }, row));
            }
            for (name, value) in fields(&entry.wire) {
                lines.push((String::new(), clean(&format!("  {name}: {value}"), 200)));
            }
        }
        let from = order.scrolled.min(lines.len());
        self.scrolled_lines(inner, &lines[from..], order.scrolled);
    }

    /// Lines with a time before them, and marks for those that do not fit.
    fn scrolled_lines(&mut self, area: Rect, lines: &[(String, String)], scrolled: usize) {
        let (quiet, base) = (self.palette.quiet(), self.palette.base());
        let text = Rect { width: area.width.saturating_sub(2), ..area };
        for (y, (time, row)) in (0..area.height).zip(lines) {
            self.put(text, 0, y, time, quiet);
            self.put(text, TIME, y, row, base);
        }
        if scrolled > 0 {
            self.put_right(area, 0, "↑", quiet);
        }
        if lines.len() > usize::from(area.height) {
            self.put_right(area, area.height.saturating_sub(1), "↓", quiet);
        }
    }

    /// The page in a window that is too small: returns the lines to draw, the most important first.
    pub(in crate::screen) fn find_in_few_lines(&self, page: &FindPage) -> Vec<(String, Modifier)> {
        let model = self.model;
        let words = FindPageWords::of(model.language);
        let mut lines = Vec::new();
        if let Some(form) = &page.form {
            let told = self.refund_in_few_lines(form).into_iter();
            return told.map(|line| (line, Modifier::BOLD)).collect();
        }
        if let Showing::Order(order) = &page.showing {
            let sheet = order_sheet(model, order);
            lines.push((sheet.word, Modifier::BOLD));
            lines.extend(Some((sheet.amount, Modifier::BOLD)).filter(|(text, _)| !text.is_empty()));
            lines.push((sheet.detail, Modifier::empty()));
            lines.extend(sheet.what.into_iter().map(|line| (line, Modifier::empty())));
        }
        if !page.typed.is_empty() {
            lines.push((page.typed.to_string(), Modifier::BOLD));
        } else if let Some(row) = page.chosen() {
            let went_back = word_of_what_went_back(model, row.amount, row.refunded);
            let word = went_back.unwrap_or_else(|| model.text().word_of(&row.state));
            let tail = row.out_trade_no.tail();
            let line = format!("> {} {word} {tail}", model.money(row.amount));
            lines.push((line, Modifier::BOLD));
        } else if lines.is_empty() {
            lines.push((words.prompt().to_owned(), Modifier::empty()));
        }
        lines
    }
}

fn order_sheet(model: &Model, order: &ShownOrder) -> Sheet {
    let words = FindPageWords::of(model.language);
    let sheet = match &order.subject {
        Subject::Ours(file, shown) => ours(model, file, shown),
        Subject::Stranger(question) => stranger(model, question),
    };
    if order.is_asking(model.now) {
        return Sheet {
            tone: Tone::Busy,
            is_filled: false,
            border: BorderType::Rounded,
            shape: shapes::of(Status::Checking),
            word: words.asking().to_owned(),
            what: vec![words.asking_what().to_owned()],
            next: String::new(),
            ..sheet
        };
    }
    let Some((told, at)) = &order.told else { return sheet };
    let (tone, border, shape) = look(told.verdict);
    let asked = at.local("%H:%M:%S", &model.settings.time_zone);
    let right = sheet.meter.map(|meter| meter.right).unwrap_or_default();
    Sheet {
        tone,
        border,
        is_filled: true,
        has_large_word: true,
        shape,
        word: FindWords::of(model.language).word(told.verdict).to_owned(),
        what: meaning(model, told),
        meter: Some(Meter { bar: None, left: words.asked_at(&asked), right }),
        next: words.ask_again().to_owned(),
        ..sheet
    }
}

/// Why it is not known, and what it means for the goods.
fn meaning(model: &Model, told: &Told) -> Vec<String> {
    let words = FindPageWords::of(model.language);
    let why = told.why.as_ref().map(|why| clean(&why.sentence(model.language), FAULT * 2));
    let then = match &told.why {
        Some(why) if why.needs_the_manager() => words.call_the_manager(),
        _ => words.meaning(told.verdict),
    };
    why.into_iter().chain([then.to_owned()]).collect()
}

const fn look(verdict: Verdict) -> (Tone, BorderType, &'static Bitmap) {
    match verdict {
        Verdict::Paid => (Tone::Good, BorderType::Double, &shapes::CHECK_MARK),
        Verdict::Unpaid => (Tone::Bad, BorderType::Thick, &shapes::CROSS),
        Verdict::Reversed => (Tone::Back, BorderType::Plain, &shapes::WENT_BACK),
        Verdict::Refunded => (Tone::Back, BorderType::Plain, &shapes::WENT_BACK),
        Verdict::Unknown => (Tone::Alarm, BorderType::Thick, &shapes::QUESTION),
        Verdict::Foreign => (Tone::Bad, BorderType::Thick, &shapes::NO_ENTRY),
    }
}

fn ours(model: &Model, file: &OrderFile, shown: &ShownAttempt) -> Sheet {
    let (text, words) = (model.text(), FindPageWords::of(model.language));
    let status = file.row.state.status();
    let sheet = Sheet {
        tone: Tone::of(status),
        border: BorderType::Rounded,
        is_filled: false,
        shape: shapes::of(status),
        word: text.word_of(&file.row.state).to_owned(),
        detail: text.order(file.row.out_trade_no.tail()),
        amount: model.money(file.row.amount),
        has_large_word: false,
        what: vec![what_happened(model, shown)],
        meter: Some(Meter {
            bar: None,
            left: words.by_journal().to_owned(),
            right: words.created(&day_and_time(model, file.row.created_at)),
        }),
        next: words.ask().to_owned(),
        also: String::new(),
    };
    let refunds = file.refunds.iter().map(|row| &row.state);
    match went_back(model, file.row.amount, file.given_back(), refunds) {
        Some((word, what)) => {
            Sheet { tone: Tone::Back, shape: &shapes::WENT_BACK, word, what, ..sheet }
        }
        None => sheet,
    }
}

fn stranger(model: &Model, question: &Question) -> Sheet {
    let words = FindPageWords::of(model.language);
    Sheet {
        tone: Tone::Wait,
        border: BorderType::Rounded,
        is_filled: false,
        shape: shapes::of(Status::Checking),
        word: words.not_here().to_owned(),
        detail: clean(question.number(), NUMBER),
        amount: String::new(),
        has_large_word: false,
        what: vec![words.not_here_what().to_owned()],
        meter: None,
        next: words.ask().to_owned(),
        also: String::new(),
    }
}

fn day_and_time(model: &Model, at: Timestamp) -> String {
    at.local("%Y-%m-%d %H:%M:%S", &model.settings.time_zone)
}
