//! The story of the payment at hand, and the last sales.

use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Widget};

use super::payment::word_of_what_went_back;
use super::{Canvas, cells, inset};
use crate::payment::{Ending, Reason};
use crate::screen::model::Model;
use crate::screen::palette::Tone;
use crate::screen::story::{Fact, StoryLine};
use crate::screen::wrap::wrap;
use crate::text::screen::StoryWords;
use crate::text::{history, reason};

impl Canvas<'_> {
    pub(in crate::screen) fn story(&mut self, area: Rect) {
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

pub(in crate::screen) fn sentence(model: &Model, line: &StoryLine) -> String {
    let words = StoryWords::of(model.language);
    let mut sentence = fact(model, &line.fact);
    if let Some(by) = &line.by {
        let end = sentence.trim_end_matches(['.', '。']).len();
        sentence.insert_str(end, &history::by(by, model.language));
    }
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
        Fact::CodeOrdered => words.code_ordered().into(),
        Fact::CodeReady => words.code_ready().into(),
        Fact::CodeExpired => words.code_expired().into(),
        Fact::ClosingAccepted => words.closing_accepted().into(),
        Fact::ClosingFailed(reason) => because(words.closing_failed(), reason),
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
        Fact::Cash => words.cash().into(),
        Fact::CashReturned => words.cash_returned().into(),
        Fact::Reprinted(copy) => words.reprinted(*copy),
        Fact::Refund(id, status) => {
            words.refund(*id, crate::text::refund::word(*status, model.language))
        }
        Fact::NoEnd => model.text().no_end().into(),
    }
}
