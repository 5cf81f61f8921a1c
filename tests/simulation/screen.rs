//! The cashier's screen: it gets the same messages as the real one, and what it shows, rings and
//! asks for is checked.

use std::collections::{BTreeMap, BTreeSet};

use paytill::clock::{TimeZone, Timestamp, Uptime};
use paytill::display::{SaleStage, View};
use paytill::engine::{Attempt, RefundRecord, Report};
use paytill::language::Language;
use paytill::money::{AmountEntry, Currency};
use paytill::payment::{Event, Rules, Status};
use paytill::screen::{Model, ScreenCommand, ScreenMessage, Settings, Sound, Theme, update, view};
use paytill::text::find::Verdict;
use paytill::text::screen::ScreenWords;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::Color;

use crate::auditor::Auditor;
use crate::invariants::Invariant;

/// It is drawn once in this many changes: drawing takes longer than all the rest.
const LOOKS: u32 = 32;
const WINDOW: Rect = Rect { x: 0, y: 0, width: 80, height: 24 };
const SMALL: Rect = Rect { x: 0, y: 0, width: 30, height: 8 };
/// Of an order number, as the screen shows it.
const TAIL: usize = 6;
/// The side of a code's module in the picture that a phone takes of it.
const DOTS: usize = 3;

pub struct Screen {
    model: Model,
    open: Vec<(String, Status)>,
    /// How each payment stood when the screen last heard of it.
    known: BTreeMap<String, Status>,
    /// Slips that it has asked for by itself.
    slips: BTreeSet<(String, &'static str)>,
    /// A code was taken, and the payment is not recorded yet.
    is_starting: bool,
    is_stopped: bool,
    changes: u32,
    /// The code that was at the desk when it was last checked.
    code: Option<String>,
}

/// What a cashier sees of the desk.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The sale at the desk.
    pub sale: View,
    /// The number of the payment there.
    pub payment: Option<String>,
    /// A question waits for its answer.
    pub asks: bool,
    /// "I have paid" is in front of the desk.
    pub is_finding: bool,
    pub is_stopped: bool,
    /// Ends that nobody has acknowledged, the one that is shown first.
    pub unread: Vec<String>,
}

impl Screen {
    /// The first frame of a till.
    pub fn new(recent: Vec<Attempt>, refunds: Vec<RefundRecord>) -> Self {
        let settings = Settings {
            store: "Corner Coffee".into(),
            till: "T01".into(),
            language: Language::English,
            currency: Currency::CNY,
            time_zone: TimeZone::UTC,
            entry: AmountEntry::Major,
            theme: Theme::Dark,
            confirm_above: None,
            bell: true,
            training: None,
            gateway_host: "gateway.invalid".into(),
            rules: Rules::default(),
            printer_configured: true,
            auto_print: true,
            drawer: false,
            operators: false,
            lock_after: None,
            drawer_by_manager: false,
            shift_required: false,
            discount_limit: paytill::sale::Rate::default(),
            refund_consent_above: None,
            draws_chinese: true,
        };
        let status = |one: &Attempt| (one.out_trade_no.to_string(), one.state.status());
        let open = recent.iter().filter(|attempt| is_unsettled(attempt)).map(status).collect();
        let known = recent.iter().map(status).collect();
        let mut model = Model::new(settings, recent);
        model.knows_refunds(refunds);
        Self {
            model,
            open,
            known,
            slips: BTreeSet::new(),
            is_starting: false,
            is_stopped: false,
            changes: 0,
            code: None,
        }
    }

    pub fn seen(&self) -> Seen {
        Seen {
            sale: self.model.desk(),
            payment: self.model.at_desk().map(ToString::to_string),
            asks: self.model.target().is_asking,
            is_finding: self.model.is_finding(),
            is_stopped: self.is_stopped,
            unread: self.model.unread().map(ToString::to_string).collect(),
        }
    }

    /// What the page in front of the desk says of an order.
    pub fn verdict(&self) -> Option<(String, Verdict)> {
        self.model.verdict().map(|(number, verdict)| (number.to_owned(), verdict))
    }

    /// Unsettled payments.
    pub fn open(&self) -> impl Iterator<Item = &str> {
        self.open.iter().map(|(number, _)| number.as_str())
    }

    /// Anything but the report of a payment.
    pub fn send(
        &mut self,
        message: ScreenMessage,
        now: Uptime,
        wall: Timestamp,
        auditor: &mut Auditor,
    ) -> Vec<ScreenCommand> {
        let before = self.seen();
        match &message {
            ScreenMessage::NotBegun(_) => self.is_starting = false,
            ScreenMessage::JournalFailed(_) => self.is_stopped = true,
            _ => {}
        }
        let commands = update(&mut self.model, message, now, wall);
        let begins = |one: &ScreenCommand| {
            matches!(one, ScreenCommand::Begin { .. } | ScreenCommand::OrderCode { .. })
        };
        self.is_starting |= commands.iter().any(begins);
        self.changes += 1;
        let after = self.seen();
        // The one that is shown was acknowledged, or the payment has come to the desk.
        let gone = before.unread.iter().enumerate().find(|(at, number)| {
            let is_read = *at == 0 || after.payment.as_ref() == Some(number);
            !is_read && !after.unread.contains(number)
        });
        if let Some((_, number)) = gone {
            let what = format!("{number} has ended, and nobody has read it");
            auditor.broken(Invariant::EndsAreHeard, what);
        }
        commands
    }

    pub fn reported(
        &mut self,
        report: &Report,
        now: Uptime,
        wall: Timestamp,
        auditor: &mut Auditor,
    ) -> Vec<ScreenCommand> {
        let attempt = &report.attempt;
        let number = attempt.out_trade_no.to_string();
        let status = attempt.state.status();
        self.open.retain(|(open, _)| *open != number);
        if is_unsettled(attempt) {
            self.open.push((number.clone(), status));
        }
        self.changes += 1;
        if !report.is_news() {
            return Vec::new();
        }
        let before = self.known.insert(number, status);
        let unread = self.seen().unread;
        let rings = self.model.rings();
        let message = ScreenMessage::Attempt(attempt.clone(), report.event.clone());
        let commands = update(&mut self.model, message, now, wall);
        self.is_starting &= report.event != Event::Begun;
        let found_at_start = before.is_none() && matches!(report.event, Event::Restarted { .. });
        let has_ended = before != Some(status) && status.is_final_for_cashier() && !found_at_start;
        if let Some(what) = self.misheard(report, has_ended, self.model.rings() > rings) {
            auditor.broken(Invariant::EndsAreHeard, what);
        }
        if let Some(number) = unread.iter().find(|number| !self.seen().unread.contains(number)) {
            let what = format!("{number} has ended, and nobody has read it");
            auditor.broken(Invariant::EndsAreHeard, what);
        }
        if let Some(what) = self.misprinted(attempt, has_ended, &commands) {
            auditor.broken(Invariant::EndsAreHeard, what);
        }
        commands
    }

    /// An end at the desk has a sound of its own; one elsewhere has another, and stays in sight.
    fn misheard(&self, report: &Report, has_ended: bool, rang: bool) -> Option<String> {
        let attempt = &report.attempt;
        let (number, status) = (&attempt.out_trade_no, attempt.state.status());
        // One that is only passed on the way through the tray is nobody's at the desk.
        let is_passed = self.model.for_the_customer() != self.model.desk();
        let at_desk = self.model.at_desk() == Some(number);
        // The rest of its sale is still to be paid.
        let is_part = attempt.state.cash().is_some_and(|cash| cash.left().minor() > 0);
        let has_ended = has_ended && !is_part;
        let sound = match status {
            _ if !has_ended => None,
            _ if !attempt.recorded => Some(Sound::NeedsYou),
            _ if !at_desk || is_passed => Some(Sound::NotAtTheDesk),
            Status::Paid => Some(Sound::Paid),
            Status::Declined | Status::Reversed | Status::Closed => Some(Sound::NotPaid),
            _ => Some(Sound::NeedsYou),
        };
        let heard = rang.then(|| self.model.sound());
        if heard != sound {
            return Some(format!("{number} is {status:?}, and what rings is {heard:?}"));
        }
        let is_told = (at_desk && !self.model.is_finding())
            || self.model.unread().any(|unread| unread == number);
        (has_ended && !is_told).then(|| format!("{number} has ended, and nothing says so"))
    }

    /// Whatever has a slip gets it, once, and nothing else does.
    fn misprinted(
        &mut self,
        attempt: &Attempt,
        has_ended: bool,
        commands: &[ScreenCommand],
    ) -> Option<String> {
        let (number, status) = (&attempt.out_trade_no, attempt.state.status());
        let is_due = has_ended
            && attempt.recorded
            && attempt.state.brings_slip()
            && self.slips.insert((number.to_string(), status.word()));
        let printed: Vec<_> = commands
            .iter()
            .filter_map(|command| match command {
                ScreenCommand::Print { out_trade_no, copy } => Some((out_trade_no, *copy)),
                _ => None,
            })
            .collect();
        let right = if is_due { vec![(number, false)] } else { Vec::new() };
        // A slip that came for an earlier end of the same kind may come again.
        let may_be = has_ended && attempt.state.brings_slip() && printed == [(number, false)];
        (printed != right && !may_be)
            .then(|| format!("{number} is {status:?}, and what is printed is {printed:?}"))
    }

    /// A code that comes to the desk is read from the screen, and the others are looked at.
    fn check_code(&mut self, auditor: &mut Auditor) {
        let Seen { sale, payment, asks, is_finding, is_stopped, .. } = self.seen();
        let at_desk = payment.filter(|_| matches!(sale, View::Sale { stage: SaleStage::Scan, .. }));
        let is_covered = asks || is_finding || is_stopped;
        let Some(number) = at_desk.filter(|_| !is_covered) else { return };
        if self.code.replace(number.clone()).as_ref() == Some(&number) {
            return;
        }
        let mut buffer = Buffer::empty(WINDOW);
        view(&self.model, &mut buffer);
        let read = scanned(&buffer).unwrap_or_default();
        auditor.code_drawn(Some(&number), &read);
    }

    /// Whether the model knows everything that is open and, now and then, whether that can be seen.
    pub fn check(&mut self, auditor: &mut Auditor) {
        let is_open = self.is_starting || !self.open.is_empty();
        if self.model.is_anything_open() != is_open {
            let what = format!("open: {:?}, the screen says otherwise", self.open);
            auditor.broken(Invariant::OpenIsVisible, what);
        }
        self.check_code(auditor);
        if !self.changes.is_multiple_of(LOOKS) {
            return;
        }
        let open: Vec<Status> = self.open.iter().map(|(_, status)| *status).collect();
        let is_large = (self.changes / LOOKS).is_multiple_of(2);
        let window = if is_large { WINDOW } else { SMALL };
        let mut buffer = Buffer::empty(window);
        view(&self.model, &mut buffer);
        if let Some(read) = scanned(&buffer) {
            auditor.code_drawn(self.seen().payment.as_deref(), &read);
        }
        let rows = buffer.content.chunks(usize::from(window.width));
        let lines = rows.map(|row| row.iter().map(Cell::symbol).collect::<String>());
        let shown = lines.collect::<Vec<_>>().join("\n");
        auditor.drawn(&shown, &open, |status| ScreenWords::of(Language::English).word(status));
        if let Some(number) = self.model.unread().next().filter(|_| is_large) {
            let number = number.as_str();
            let tail = &number[number.len().saturating_sub(TAIL)..];
            if !shown.contains(tail) {
                let what = format!("{number} has ended, and on the screen:\n{shown}");
                auditor.broken(Invariant::EndsAreHeard, what);
            }
        }
    }
}

/// What a phone reads from the screen, if there is a code on it; empty if it cannot be read.
fn scanned(buffer: &Buffer) -> Option<String> {
    let is_block = |cell: &Cell| cell.bg == Color::Indexed(16) && cell.fg == Color::Indexed(231);
    let area = buffer.area;
    let cells = (0..area.height).flat_map(|y| (0..area.width).map(move |x| (x, y)));
    let blocks: BTreeSet<(u16, u16)> = cells.filter(|at| is_block(&buffer[*at])).collect();
    let (left, top) =
        (blocks.iter().map(|(x, _)| *x).min()?, blocks.iter().map(|(_, y)| *y).min()?);
    let (right, bottom) =
        (blocks.iter().map(|(x, _)| *x).max()?, blocks.iter().map(|(_, y)| *y).max()?);
    let across = |from: u16, to: u16| usize::from(to - from + 1);
    let (width, height) = (across(left, right) * DOTS, 2 * across(top, bottom) * DOTS);
    let is_dark = |x: usize, y: usize| {
        let place = |from: u16, at: usize| from + u16::try_from(at).unwrap_or(0);
        let cell = &buffer[(place(left, x / DOTS), place(top, y / DOTS / 2))];
        match cell.symbol() {
            "█" => false,
            "▀" => !(y / DOTS).is_multiple_of(2),
            "▄" => (y / DOTS).is_multiple_of(2),
            _ => true,
        }
    };
    let shade = |x, y| if is_dark(x, y) { 0 } else { 255 };
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, shade);
    let read = picture.detect_grids().first().and_then(|grid| grid.decode().ok());
    Some(read.map_or_else(String::new, |(_, text)| text))
}

/// A number that only waits to be closed has no word on the screen.
fn is_unsettled(attempt: &Attempt) -> bool {
    attempt.state.is_open() && !attempt.state.is_settled()
}
