//! The strips around the page: notices, questions, notes, connections, keys.

use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::widgets::{Block, BorderType, Widget};

use super::payment::what_happened;
use super::{Canvas, cells, inset, rows_of};
use crate::money::LARGEST;
use crate::screen::Link;
use crate::screen::keys;
use crate::screen::model::Dialog;
use crate::screen::pages::code;
use crate::screen::palette::Tone;
use crate::screen::part_paid::PartPaid;
use crate::screen::wrap::wrap;
use crate::text::screen::{CashWords, GoodsPageWords, RefundWords, ShiftPageWords};

/// The most lines of a notice.
const NOTICE_MAX: usize = 3;

/// One line of a question.
pub(super) struct DialogLine {
    pub(super) text: String,
    tone: DialogTone,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum DialogTone {
    Question,
    Detail,
    Keys,
}

impl Canvas<'_> {
    /// The notice in lines, its title first.
    pub(in crate::screen) fn notice_lines(&self, width: u16) -> Vec<String> {
        let text = self.model.text();
        let Some(notice) = self.model.notices.front() else { return Vec::new() };
        let Some(attempt) = self.model.attempt(&notice.order) else { return Vec::new() };
        let amount = self.model.money(attempt.view.amount);
        let order = text.order(attempt.view.out_trade_no.tail());
        let word = text.word_of(&attempt.view.state);
        let room = usize::from(width.saturating_sub(4));
        let whole = format!("{word}   {amount}   {order}");
        // Which payment it is must not be cut off.
        let mut lines = if usize::from(cells(&whole)) <= room {
            vec![whole]
        } else {
            [wrap(&format!("{word}   {amount}"), room), vec![order]].concat()
        };
        let title = lines.len();
        lines.extend(wrap(&what_happened(self.model, attempt), room));
        lines.truncate(title + NOTICE_MAX);
        lines
    }

    pub(in crate::screen) fn notice(&mut self, area: Rect, lines: &[String]) {
        let model = self.model;
        let text = model.text();
        let Some(notice) = model.notices.front() else { return };
        let Some(attempt) = model.attempt(&notice.order) else { return };
        let style = self.palette.fill(Tone::of(attempt.view.state.status()));
        let bold = style.add_modifier(Modifier::BOLD);
        self.buffer.set_style(area, style);
        let inner = inset(area, 2, 0);
        for (y, line) in (0..inner.height).zip(lines) {
            self.put(inner, 0, y, line, if y == 0 { bold } else { style });
        }
        let more = model.notices.len() - 1;
        let key = text.enter_does(text.key_ok());
        let counted =
            [text.notice_more(more), format!("+{more}")].map(|more| format!("{more}   {key}"));
        let said = counted.into_iter().filter(|_| more > 0).chain([key]);
        // It gives way to which payment has ended; the help page has the key, too.
        let room = inner.width.saturating_sub(lines.first().map_or(0, |line| cells(line) + 2));
        if let Some(said) = said.into_iter().find(|said| cells(said) <= room) {
            self.put_right(inner, 0, &said, bold);
        }
    }

    pub(super) fn question_lines(&self, width: u16) -> Vec<DialogLine> {
        let text = self.model.text();
        let room = usize::from(width.saturating_sub(10));
        let mut lines = Vec::new();
        let mut say = |words: &str, tone| {
            for line in wrap(words, room) {
                lines.push(DialogLine { text: line, tone });
            }
        };
        match &self.model.dialog {
            Some(Dialog::LargeAmount(amount) | Dialog::LargeCode(amount)) => {
                let amount = self.model.money(*amount);
                say(&text.ask_large_amount(&amount), DialogTone::Question);
                let keys = text.enter_or_esc(text.key_charge(), text.key_back());
                say(&keys, DialogTone::Keys);
            }
            Some(Dialog::Cancel(order)) => {
                let [question, detail] = code::cancel_question(self.model, order);
                say(question, DialogTone::Question);
                say(detail, DialogTone::Detail);
                let [cancel, keep] = code::cancel_keys(self.model, order);
                say(&text.enter_or_esc(cancel, keep), DialogTone::Keys);
            }
            Some(Dialog::Unsettled(_)) => {
                say(text.ask_next_customer(), DialogTone::Question);
                say(text.ask_next_customer_detail(), DialogTone::Detail);
                let keys = text.enter_or_esc(text.key_next_customer(), text.key_back());
                say(&keys, DialogTone::Keys);
            }
            Some(Dialog::PrintAnyway(_)) => {
                say(text.ask_print_anyway(), DialogTone::Question);
                if let Link::Failed(why) = &self.model.printer {
                    say(&text.ask_print_anyway_detail(why), DialogTone::Detail);
                }
                let keys = text.enter_or_esc(text.key_print(), text.key_back());
                say(&keys, DialogTone::Keys);
            }
            Some(Dialog::MuchCash { sale, given }) => {
                let words = CashWords::of(self.model.language);
                let [given, due] = [*given, sale.amount()].map(|sum| self.model.money(sum));
                say(&words.ask_much(&given, &due), DialogTone::Question);
                let keys = text.enter_or_esc(words.key_take(), text.key_back());
                say(&keys, DialogTone::Keys);
            }
            Some(Dialog::ReturnCash(sale)) => {
                let words = CashWords::of(self.model.language);
                let taken = self.model.part_paid(*sale).map(PartPaid::taken).unwrap_or_default();
                say(&words.ask_return(&self.model.money(taken)), DialogTone::Question);
                say(words.ask_return_detail(), DialogTone::Detail);
                let keys = text.enter_or_esc(words.key_return(), text.key_back());
                say(&keys, DialogTone::Keys);
            }
            Some(Dialog::CloseShift(counted)) => {
                let words = ShiftPageWords::of(self.model.language);
                say(&words.ask_close(&self.model.money(*counted)), DialogTone::Question);
                say(words.ask_close_detail(), DialogTone::Detail);
                let keys = text.enter_or_esc(words.key_close(), text.key_back());
                say(&keys, DialogTone::Keys);
            }
            Some(Dialog::Refund(asked)) => {
                for line in self.refund_question(asked, room) {
                    say(&line, DialogTone::Question);
                }
                let words = RefundWords::of(self.model.language);
                say(&words.f8_or_esc(words.key_refund(), text.key_back()), DialogTone::Keys);
            }
            Some(Dialog::Quit) => {
                say(text.ask_quit(), DialogTone::Question);
                say(text.ask_quit_detail(), DialogTone::Detail);
                let keys = text.ctrl_q_or_esc(text.key_quit(), text.key_cancel());
                say(&keys, DialogTone::Keys);
            }
            Some(Dialog::Discard) => {
                let words = GoodsPageWords::of(self.model.language);
                let count = self.model.ring_up.sale.lines.len();
                say(&words.ask_discard(count), DialogTone::Question);
                say(words.ask_discard_detail(), DialogTone::Detail);
                let keys = text.enter_or_esc(words.key_discard(), words.key_keep());
                say(&keys, DialogTone::Keys);
            }
            Some(
                Dialog::Help
                | Dialog::Training { .. }
                | Dialog::Commands { .. }
                | Dialog::Goods { .. }
                | Dialog::Held { .. },
            )
            | None => {}
        }
        lines
    }

    pub(super) fn question(&mut self, area: Rect, lines: &[DialogLine]) {
        if lines.is_empty() {
            return;
        }
        let outer = inset(area, 1, 0);
        let line = self.palette.ink(Tone::Wait);
        Block::bordered()
            .border_type(BorderType::Thick)
            .border_style(line)
            .render(outer, self.buffer);
        let inner = inset(outer, 4, 1);
        for (y, asked) in (0..inner.height).zip(lines) {
            match asked.tone {
                DialogTone::Question => {
                    let strong = self.palette.strong();
                    self.put(inner, 0, y, &asked.text, strong);
                }
                DialogTone::Detail => {
                    let base = self.palette.base();
                    self.put(inner, 0, y, &asked.text, base);
                }
                DialogTone::Keys => {
                    self.put(inner, 0, y, &asked.text, line);
                }
            }
        }
    }

    /// How many rows a question takes without its frame.
    pub(in crate::screen) fn question_rows(&self, width: u16) -> u16 {
        rows_of(&self.question_lines(width + 10))
    }

    /// The same without a frame.
    pub(in crate::screen) fn bare_question(&mut self, area: Rect) {
        // The lines leave room for a frame.
        let lines = self.question_lines(area.width + 10);
        for (y, asked) in (0..area.height).zip(&lines) {
            let style = match asked.tone {
                DialogTone::Question => self.palette.strong(),
                DialogTone::Detail => self.palette.base(),
                DialogTone::Keys => self.palette.ink(Tone::Wait),
            };
            self.put(area, 0, y, &asked.text, style);
        }
    }

    /// The payment that has ended elsewhere, in a narrow column; its key is the usual one.
    pub(in crate::screen) fn narrow_notice(&mut self, area: Rect, lines: &[String]) {
        let model = self.model;
        let Some(notice) = model.notices.front() else { return };
        let Some(attempt) = model.attempt(&notice.order) else { return };
        let style = self.palette.fill(Tone::of(attempt.view.state.status()));
        self.buffer.set_style(area, style);
        for (y, line) in (0..area.height).zip(lines) {
            let bold = if y == 0 { style.add_modifier(Modifier::BOLD) } else { style };
            self.put(area, 0, y, line, bold);
        }
    }

    pub(in crate::screen) fn note_lines(&self, width: u16) -> Vec<String> {
        let Some(note) = &self.model.note else { return Vec::new() };
        wrap(
            &note.text(self.model.language, &self.model.money(LARGEST)),
            usize::from(width.saturating_sub(6)),
        )
    }

    pub(in crate::screen) fn note(&mut self, area: Rect, lines: &[String]) {
        let good = self.model.note.as_ref().is_some_and(super::super::note::Note::is_good_news);
        let tone = if good { Tone::Good } else { Tone::Wait };
        let style = self.palette.ink(tone);
        for (y, line) in (0..area.height).zip(lines) {
            self.put(area, 2, y, "▌", style);
            self.put(area, 4, y, line, style);
        }
    }

    pub(in crate::screen) fn key_bar(&mut self, area: Rect) {
        let (key, base) = (self.palette.key(), self.palette.base());
        let mut keys = keys::working(self.model);
        let needed = |keys: &[(&str, &str)]| -> u16 {
            keys.iter().map(|(name, does)| cells(name) + cells(does) + 5).sum()
        };
        // Keys that are also on the help page go first.
        for dispensable in ["Ctrl-L", "F10", "F3", "F9", "F12", "Ctrl-Q", "F7", "F4", "F6", "F5"] {
            if needed(&keys) > area.width + 1 {
                keys.retain(|(name, _)| *name != dispensable);
            }
        }
        let mut x = 1;
        for (name, does) in keys {
            x += self.put(area, x, 0, &format!(" {name} "), key);
            x += self.put(area, x + 1, 0, does, base) + 3;
        }
    }
}
