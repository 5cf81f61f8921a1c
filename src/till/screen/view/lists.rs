//! The story of the payment at hand, the last sales, help, and the training customers.

use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Widget};

use super::{Canvas, cells, inset};
use crate::clean::clean;
use crate::payment::{Ending, Reason, Status};
use crate::screen::keys;
use crate::screen::model::{CashierTask, Model};
use crate::screen::palette::Tone;
use crate::screen::story::{Fact, StoryLine};
use crate::screen::wrap::wrap;
use crate::text::screen::{HelpWords, StoryWords};
use crate::text::{reason, training};

/// The width of a training customer's name, in cells.
const NAME: usize = 60;
const KEY_COLUMN: u16 = 10;

impl Canvas<'_> {
    pub(super) fn story(&mut self, area: Rect) {
        let model = self.model;
        let Some(attempt) = model.at_hand() else { return };
        let area = self.title(area, StoryWords::of(model.language).title());
        let width = usize::from(area.width).saturating_sub(10);
        let mut lines = Vec::new();
        for line in attempt.story.lines() {
            let sentence = sentence(model, line);
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
            let word = text.word(status);
            let style = self.palette.ink(Tone::of(status));
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

    pub(super) fn help(&mut self, area: Rect) {
        let model = self.model;
        let words = HelpWords::of(model.language);
        let inner = self.overlay(area, words.title());
        let base = self.palette.base();
        let mut y = 0;
        for line in help_for(model) {
            for row in wrap(line, usize::from(inner.width)) {
                self.put(inner, 0, y, &row, base);
                y += 1;
            }
        }
        y += 1;
        let (key, quiet) = (self.palette.strong(), self.palette.base());
        let settings = &model.settings;
        for (name, does, is_there) in [
            ("Enter", words.key_enter(), true),
            ("Esc", words.key_esc(), true),
            ("F1", words.key_help(), true),
            ("F5", words.key_check_now(), true),
            ("F6", words.key_drawer(), settings.drawer),
            ("F9", words.key_reprint(), settings.printer_configured),
            ("Ctrl-L", words.key_language(), settings.draws_chinese),
            ("Ctrl-T", words.key_training(), settings.training.is_some()),
            ("Ctrl-P", words.key_commands(), true),
            ("Ctrl-Q", words.key_quit(), true),
            ("Esc 1-0", words.key_function(), true),
        ] {
            if !is_there {
                continue;
            }
            self.put(inner, 0, y, name, key);
            self.put(inner, KEY_COLUMN, y, does, quiet);
            y += 1;
        }
    }

    pub(super) fn training(&mut self, area: Rect, chosen: usize) {
        let model = self.model;
        let words = model.text();
        let inner = self.overlay(area, words.training_title());
        let base = self.palette.base();
        self.put(inner, 0, 0, words.training_what(), base);
        let list = Rect {
            y: inner.y + inner.height.min(2),
            height: inner.height.saturating_sub(2),
            ..inner
        };
        let names = model.settings.training.as_deref().unwrap_or_default();
        let rows = usize::from(list.height).max(1);
        let first = (chosen + 1).saturating_sub(rows);
        for (y, (index, name)) in (0..list.height).zip(names.iter().enumerate().skip(first)) {
            let name = clean(training::customer(name, model.language), NAME);
            if index == chosen {
                let style = self.palette.fill(Tone::Calm);
                let row = Rect { y: list.y + y, height: 1, ..list };
                self.buffer.set_style(row, style);
                self.put(list, 1, y, ">", style);
                self.put(list, 3, y, &name, style);
            } else {
                self.put(list, 3, y, &name, base);
            }
        }
        // Marks for the entries that do not fit.
        let quiet = self.palette.quiet();
        if first > 0 {
            self.put_right(list, 0, "↑", quiet);
        }
        if first + rows < names.len() {
            self.put_right(list, list.height.saturating_sub(1), "↓", quiet);
        }
    }

    pub(super) fn commands(&mut self, area: Rect, typed: &str, chosen: usize) {
        let model = self.model;
        let words = model.text();
        let inner = self.overlay(area, words.commands_title());
        let (base, strong) = (self.palette.base(), self.palette.strong());
        let sought = if typed.is_empty() { words.commands_find() } else { typed };
        self.put(inner, 0, 0, sought, if typed.is_empty() { base } else { strong });
        let found = keys::found(model, typed);
        if found.is_empty() {
            self.put(inner, 3, 2, words.commands_none(), base);
        }
        for (y, (index, (_, name, does))) in (2..inner.height).zip(found.into_iter().enumerate()) {
            let style = if index == chosen { self.palette.fill(Tone::Calm) } else { base };
            if index == chosen {
                let row = Rect { y: inner.y + y, height: 1, ..inner };
                self.buffer.set_style(row, style);
                self.put(inner, 1, y, ">", style);
            }
            self.put(inner, 3, y, name, style);
            self.put(inner, 3 + KEY_COLUMN, y, does, style);
        }
    }

    fn overlay(&mut self, area: Rect, title: &str) -> Rect {
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
    fn title(&mut self, area: Rect, title: &str) -> Rect {
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

fn help_for(model: &Model) -> &'static [&'static str] {
    let words = HelpWords::of(model.language);
    match &model.task {
        CashierTask::Amount { .. } => words.amount(),
        CashierTask::Code { .. } => words.code(),
        CashierTask::Starting { .. } => words.waiting(),
        CashierTask::Payment(_) => match model.at_hand().map(|attempt| attempt.view.state.status())
        {
            Some(Status::Created | Status::Sent | Status::Waiting | Status::Checking) => {
                words.waiting()
            }
            Some(Status::Reversing | Status::Attention) => words.unsettled(),
            Some(Status::Paid | Status::Declined | Status::Reversed) | None => words.result(),
        },
    }
}

fn sentence(model: &Model, line: &StoryLine) -> String {
    let words = StoryWords::of(model.language);
    let sentence = fact(model, &line.fact);
    match (&line.fact, line.times) {
        (_, 1) => sentence,
        (Fact::Paying, times) => words.at_password_still(times),
        (_, times) => words.repeated(sentence.trim_end_matches(['.', '。']), times),
    }
}

fn fact(model: &Model, fact: &Fact) -> String {
    let words = StoryWords::of(model.language);
    let with = |start: &str, why: String| format!("{start}{}{why}", model.text().gap());
    let because =
        |start: &str, reason: &Reason| with(start, reason::cause_sentence(reason, model.language));
    match fact {
        Fact::Sent => words.sent().into(),
        Fact::Paying => words.at_password().into(),
        Fact::Asked(reason) => reason::cause_sentence(reason, model.language),
        Fact::NotPaidYet => words.not_paid_yet().into(),
        Fact::NotFoundYet => words.not_known_yet().into(),
        Fact::Unclear(reason) => because(words.unclear(), reason),
        Fact::Refused(reason) => because(words.refused(), reason),
        Fact::NeverSent(reason) => because(words.never_sent(), reason),
        Fact::Failed(reason) => reason::cause_sentence(reason, model.language),
        Fact::Paid => words.paid().into(),
        Fact::PaidLate => words.paid_late().into(),
        Fact::Cancelled => words.cancelled().into(),
        Fact::TimeUp => words.time_up().into(),
        Fact::Restarted => words.restarted().into(),
        Fact::ReversalAccepted => words.reversal_accepted().into(),
        Fact::ReversalRepeats(reason) => because(words.reversal_repeats(), reason),
        Fact::ReversalRefused(reason) => {
            with(words.reversal_refused(), reason::reversal_cause(reason, model.language))
        }
        Fact::Ended(Ending::Closed) => words.closed().into(),
        Fact::Ended(Ending::Revoked) => words.revoked().into(),
        Fact::Ended(Ending::Returned) | Fact::Returned => words.returned().into(),
        Fact::Ended(Ending::Refunded) => words.refunded().into(),
        Fact::PartlyReturned(reason) => reason::cause_sentence(reason, model.language),
        Fact::NotReturned => words.not_returned().into(),
        Fact::NoEnd => model.text().no_end().into(),
    }
}
