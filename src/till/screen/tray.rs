//! The tray: open payments that are not at the desk, with their state and countdown.
//!
//! A payment whose end takes time gives the desk to the next customer and goes on here. It can be
//! brought back, and it ends like any other: it rings, its receipt is printed, and a notice says
//! which it was. Whatever is open is at the desk or here, after a restart too.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::model::{Model, ShownAttempt};
use super::note::Note;
use super::pages::checkout::{CashierTask, next_sale};
use super::pages::shift;
use super::palette::Tone;
use super::view::payment::ahead;
use super::view::{Canvas, cells, inset};
use crate::engine::RefundRecord;
use crate::order::OutTradeNo;
use crate::payment::Status;
use crate::refund::RefundStatus;
use crate::text::screen::{RefundWords, ShiftPageWords};

/// Payments with a line of their own, by the height of the window; the others are counted.
const LINES: [(u16, usize); 3] = [(40, 10), (32, 6), (0, 3)];

impl Model {
    /// The unsettled attempts that the page does not show, the most urgent and then the oldest
    /// first. One that only waits for its number to be closed is over for the cashier, and its word
    /// would contradict the next customer's.
    pub(super) fn tray(&self) -> Vec<&ShownAttempt> {
        let mut tray: Vec<_> = self
            .attempts
            .iter()
            .filter(|attempt| attempt.is_in_tray())
            .filter(|attempt| !self.is_shown_as_task(&attempt.view.out_trade_no))
            .collect();
        tray.sort_by_key(|attempt| (urgency(attempt.view.state.status()), attempt.view.created_at));
        tray
    }

    /// The most urgent unsettled attempt, at hand or not.
    pub(super) fn most_urgent(&self) -> Option<&ShownAttempt> {
        self.attempts
            .iter()
            .filter(|attempt| attempt.is_unsettled())
            .min_by_key(|attempt| urgency(attempt.view.state.status()))
    }

    /// The order of importance in a window too small for everything: unsettled money, then the
    /// payment at hand.
    pub(super) fn by_urgency(&self) -> Vec<&ShownAttempt> {
        let mut attempts: Vec<_> = self
            .attempts
            .iter()
            .filter(|attempt| {
                let at_desk = !self.has_page() && self.is_at_hand(&attempt.view.out_trade_no);
                attempt.is_unsettled() || at_desk
            })
            .collect();
        attempts.sort_by_key(|attempt| {
            let at_hand = self.is_at_hand(&attempt.view.out_trade_no);
            (urgency(attempt.view.state.status()), !at_hand)
        });
        attempts
    }

    /// The payment at the desk that can go on in the tray.
    pub(super) fn can_go_on(&self) -> Option<&OutTradeNo> {
        let attempt = self.at_hand().filter(|attempt| self.is_at_desk() && attempt.is_slow())?;
        Some(&attempt.view.out_trade_no)
    }

    /// The payment that comes back to the desk next: each in turn, the oldest first. None leaves
    /// the tray while the desk is in use.
    pub(super) fn can_come_back(&self) -> Option<&OutTradeNo> {
        let idle = matches!(&self.task, CashierTask::Amount { typed } if typed.is_empty())
            && self.ring_up.is_empty();
        if !self.is_at_desk() || !(idle || self.can_go_on().is_some()) {
            return None;
        }
        self.next_in_turn()
    }

    /// Whether the desk is on the screen, and sells.
    fn is_at_desk(&self) -> bool {
        self.stopped.is_none() && !self.has_page()
    }

    fn next_in_turn(&self) -> Option<&OutTradeNo> {
        let age = |attempt: &&ShownAttempt| {
            (attempt.view.created_at, attempt.view.out_trade_no.as_str().to_owned())
        };
        let at_hand = self.at_hand().as_ref().map(age);
        let in_tray = self.attempts.iter().filter(|attempt| attempt.is_unsettled());
        let in_tray = in_tray.filter(|attempt| !self.is_at_hand(&attempt.view.out_trade_no));
        let next = in_tray.min_by_key(|attempt| (Some(age(attempt)) <= at_hand, age(attempt)))?;
        Some(&next.view.out_trade_no)
    }
}

impl ShownAttempt {
    /// Whether the next customer may be served before it ends.
    fn is_slow(&self) -> bool {
        match self.view.state.status() {
            Status::Waiting | Status::Checking | Status::Reversing | Status::Attention => true,
            Status::Created
            | Status::Sent
            | Status::Paid
            | Status::Declined
            | Status::Reversed
            | Status::Closed => false,
        }
    }
}

/// The payment at the desk goes on in the tray, and the desk is free. One that has just ended stays
/// to be read.
pub(super) fn go_on(model: &mut Model) {
    let Some(attempt) = model.at_hand() else { return };
    if attempt.is_slow() {
        let which = attempt.is_unsettled().then(|| model.which(attempt));
        next_sale(model);
        model.note = which.map(Note::GoesOn);
    } else if attempt.is_unsettled() {
        model.note = Some(Note::NotAnsweredYet);
    }
}

/// The next payment of the tray comes to the desk. What was there goes to the tray.
pub(super) fn come_back(model: &mut Model) {
    if let Some(order) = model.can_come_back().cloned() {
        model.typing = None;
        // It is read at the desk.
        model.notices.retain(|notice| notice.order != order);
        model.brought_back = Some((order.clone(), model.now));
        model.task = CashierTask::Payment(order);
        model.note = None;
    } else if model.next_in_turn().is_some() {
        model.note = match &model.task {
            CashierTask::Amount { .. } | CashierTask::Code { .. } => Some(Note::SaleFirst),
            CashierTask::Starting { .. } => Some(Note::NotAnsweredYet),
            CashierTask::Payment(_) => {
                let open = model.at_hand().is_some_and(ShownAttempt::is_unsettled);
                Some(if open { Note::NotAnsweredYet } else { Note::ReadFirst })
            }
        };
    }
}

/// Lower is more urgent.
fn urgency(status: Status) -> u8 {
    match status {
        Status::Attention => 0,
        Status::Reversing => 1,
        Status::Checking => 2,
        Status::Waiting => 3,
        Status::Sent => 4,
        Status::Created => 5,
        Status::Declined | Status::Paid | Status::Reversed | Status::Closed => 6,
    }
}

/// Whether somebody must look after a refund.
pub(super) fn needs_a_person(refund: &RefundRecord) -> bool {
    refund.state.status() == RefundStatus::Attention || !refund.recorded
}

/// A payment in one line.
pub(super) struct Pin {
    /// `None` for an order that only waits to be closed and needs no attention.
    tone: Option<Tone>,
    word: String,
    amount: String,
    /// Empty for what is no payment.
    tail: String,
    /// Not a refund, nor a report.
    is_payment: bool,
    ahead: String,
}

impl Canvas<'_> {
    pub(super) fn tray_lines(&self, area: Rect) -> Vec<Pin> {
        let open = self.model.tray();
        let refunds = self.model.refunds.iter().filter(|refund| needs_a_person(refund));
        let refunds: Vec<Pin> = refunds.map(|refund| self.refund_pin(refund)).collect();
        let most = LINES.iter().find(|(height, _)| area.height >= *height);
        let most = most.map_or(0, |(_, lines)| *lines);
        let left = open.len().saturating_sub(most);
        let mut pins: Vec<Pin> =
            open.into_iter().take(most).map(|attempt| self.pin(attempt)).collect();
        if left > 0
            && let Some(last) = pins.last_mut()
        {
            last.ahead = self.model.text().another_is_open(left);
        }
        pins.extend(refunds.into_iter().take(most.max(1)));
        // Without its own page, which offers it.
        let unprinted = shift::unprinted(self.model).filter(|_| self.model.money_page.is_none());
        pins.extend(unprinted.map(|word| Pin {
            tone: Some(Tone::of(Status::Attention)),
            word,
            amount: String::new(),
            tail: String::new(),
            is_payment: false,
            ahead: ShiftPageWords::of(self.model.language).press_f10().to_owned(),
        }));
        pins
    }

    fn refund_pin(&self, refund: &RefundRecord) -> Pin {
        let words = RefundWords::of(self.model.language);
        Pin {
            tone: Some(Tone::of(Status::Attention)),
            word: words.attention().to_owned(),
            amount: self.model.money(refund.amount),
            tail: refund.out_trade_no.tail().to_owned(),
            is_payment: false,
            ahead: words.press_f7().to_owned(),
        }
    }

    fn pin(&self, attempt: &ShownAttempt) -> Pin {
        let text = self.model.text();
        let status = attempt.view.state.status();
        let ahead = ahead(self.model, attempt).unwrap_or_default();
        Pin {
            tone: (!attempt.view.state.is_settled()).then(|| Tone::of(status)),
            word: text.word_of(&attempt.view.state).to_owned(),
            amount: self.model.money(attempt.view.amount),
            tail: attempt.view.out_trade_no.tail().to_owned(),
            is_payment: true,
            ahead,
        }
    }

    /// The same in a narrow column: each in a row, and how many more; returns how many rows.
    pub(super) fn narrow_tray(&mut self, area: Rect) -> u16 {
        let pins = self.tray_lines(self.buffer.area);
        let more = self
            .model
            .tray()
            .len()
            .saturating_sub(pins.iter().filter(|pin| pin.is_payment).count());
        for (y, pin) in (0..area.height).zip(&pins) {
            let row = Rect { y: area.y + y, height: 1, ..area };
            let style =
                pin.tone.map_or_else(|| self.palette.quiet(), |tone| self.palette.fill(tone));
            self.buffer.set_style(row, style);
            let used = self.put(row, 0, 0, &pin.word, style.add_modifier(Modifier::BOLD));
            if used + 1 + cells(&pin.amount) <= row.width {
                self.put_right(row, 0, &pin.amount, style);
            }
        }
        let rows = u16::try_from(pins.len()).unwrap_or(u16::MAX).min(area.height);
        if more == 0 || rows == area.height {
            return rows;
        }
        let quiet = self.palette.quiet();
        let more = self.model.text().another_is_open(more);
        self.put(area, 0, rows, &more, quiet);
        rows + 1
    }

    pub(super) fn tray(&mut self, area: Rect, pins: &[Pin]) {
        for (y, pin) in (0..area.height).zip(pins) {
            let row = Rect { y: area.y + y, height: 1, ..area };
            let style =
                pin.tone.map_or_else(|| self.palette.quiet(), |tone| self.palette.fill(tone));
            self.buffer.set_style(row, style);
            let line = inset(row, 2, 0);
            self.put(line, 0, 0, &pin.word, style.add_modifier(Modifier::BOLD));
            self.put_right(Rect { width: 34.min(line.width), ..line }, 0, &pin.amount, style);
            if pin.tail.is_empty() {
                self.put_right(line, 0, &pin.ahead, style);
                continue;
            }
            // The number alone, if its label would crowd out the countdown.
            let order = self.model.text().order(&pin.tail);
            let fits = 36 + cells(&order) + 2 + cells(&pin.ahead) <= line.width;
            self.put(line, 36, 0, if fits { &order } else { &pin.tail }, style);
            self.put_right(line, 0, &pin.ahead, style);
        }
    }
}
