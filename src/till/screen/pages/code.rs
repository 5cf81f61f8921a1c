//! A code of ours that the customer scans: ordered with F4, shown while it can be paid, put aside with
//! Ctrl-N, printed as a bill.
//!
//! It stands where the payment at the desk does. In a window that is not much larger than the code
//! everything else goes beside it.

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};

use crate::clean::clean;
use crate::clock::Millis;
use crate::engine::SaleRef;
use crate::order::{CodeUrl, OutTradeNo};
use crate::payment::Status;
use crate::qr::QrCode;
use crate::screen::digits::Narrow;
use crate::screen::model::{Dialog, Model, ShownAttempt};
use crate::screen::note::{BillNote, Note};
use crate::screen::pages::checkout::CashierTask;
use crate::screen::palette::Tone;
use crate::screen::view::Canvas;
use crate::screen::view::payment::{ahead, meter, what_happened};
use crate::screen::wrap::wrap;
use crate::screen::{Printing, ScreenCommand, Sound, qr};
use crate::text::screen::CodeWords;

/// Cells for the words beside a code, at least.
const BESIDE: u16 = 31;
/// Cells between them.
const GAP: u16 = 2;
/// From this width on, the day has a column of its own.
const THREE_COLUMNS: u16 = 120;
const SIDE_WIDTH: u16 = 40;
/// Rows for everything that usually stands above a code and below it.
const AROUND: u16 = 12;
/// Rows of a story below a code.
const STORY_AT_LEAST: u16 = 5;
/// Where the words of the keys begin.
const KEY_COLUMN: u16 = 8;
const FAULT: usize = 200;

impl Model {
    /// The code at the desk, if it is on the screen: on disk, not expired, not being taken away.
    pub(in crate::screen) fn shown_code(&self) -> Option<(&ShownAttempt, &CodeUrl)> {
        if self.task_is_hidden() {
            return None;
        }
        self.code_at_desk()
    }

    /// The code that the customer at the desk may scan.
    pub(in crate::screen) fn code_at_desk(&self) -> Option<(&ShownAttempt, &CodeUrl)> {
        let is_told = |attempt: &&ShownAttempt| !attempt.cancelled && attempt.is_heard_of;
        let attempt = self.at_hand().filter(is_told)?;
        Some((attempt, attempt.view.code_to_show()?))
    }
}

/// Whether a code can be ordered now.
pub(in crate::screen) fn can_order(model: &Model) -> bool {
    model.stopped.is_none() && !model.has_page() && model.cash_is_for().is_some()
}

/// Orders a code for the sale at the desk; a large amount is asked about first.
pub(in crate::screen) fn open(model: &mut Model) -> Vec<ScreenCommand> {
    let Some(sale) = model.cash_is_for() else {
        model.note = match model.task {
            CashierTask::Amount { .. } => Some(Note::AmountFirst),
            CashierTask::Starting { .. } => Some(Note::NotAnsweredYet),
            CashierTask::Code { .. } | CashierTask::Payment(_) => None,
        };
        return Vec::new();
    };
    let is_typed = matches!(model.task, CashierTask::Amount { .. });
    if is_typed && model.settings.shift_required && !model.shift_is_open {
        model.note = Some(Note::ShiftFirst);
        return Vec::new();
    }
    let limit = model.settings.confirm_above.filter(|_| is_typed);
    if limit.is_some_and(|limit| sale.amount() > limit) {
        model.typing = None;
        model.dialog = Some(Dialog::LargeCode(sale.amount()));
        return Vec::new();
    }
    order(model, sale)
}

/// The journal is to know of it first.
pub(in crate::screen) fn order(model: &mut Model, sale: SaleRef) -> Vec<ScreenCommand> {
    model.typing = None;
    model.note = None;
    model.task = CashierTask::Starting { sale };
    vec![ScreenCommand::OrderCode { sale }]
}

/// The order whose code F9 prints.
pub(in crate::screen) fn can_print_bill(model: &Model) -> Option<&OutTradeNo> {
    let (attempt, _) = model.shown_code().filter(|_| model.settings.printer_configured)?;
    Some(&attempt.view.out_trade_no)
}

pub(in crate::screen) fn print_bill(model: &mut Model, order: OutTradeNo) -> Vec<ScreenCommand> {
    if !model.printer_is_there() {
        tell(model, &order, BillNote::Waits);
    }
    vec![ScreenCommand::PrintBill(order)]
}

/// What came of it.
pub(in crate::screen) fn bill_printed(
    model: &mut Model,
    order: &OutTradeNo,
    how: Option<Printing>,
) -> Vec<ScreenCommand> {
    let what = match how {
        Some(Printing::Sent) => BillNote::Sent,
        Some(Printing::Printed) => BillNote::Printed,
        Some(Printing::Failed(why)) => BillNote::Failed(clean(&why, FAULT)),
        None => BillNote::TooLate,
    };
    if matches!(what, BillNote::Failed(_) | BillNote::TooLate) {
        model.ring(Sound::NeedsYou);
    }
    tell(model, order, what);
    Vec::new()
}

fn tell(model: &mut Model, order: &OutTradeNo, what: BillNote) {
    model.note = model.attempt(order).map(|attempt| Note::Bill(model.which(attempt), what));
}

fn is_code(model: &Model, order: &OutTradeNo) -> bool {
    model.attempt(order).is_some_and(|attempt| attempt.view.state.qr().is_some())
}

/// What is asked before an order is given up, and what that means: a payment is reversed, a code is
/// closed.
pub(in crate::screen) fn cancel_question(model: &Model, order: &OutTradeNo) -> [&'static str; 2] {
    let (text, words) = (model.text(), CodeWords::of(model.language));
    if is_code(model, order) {
        [words.ask_close(), words.ask_close_detail()]
    } else {
        [text.ask_cancel(), text.ask_cancel_detail()]
    }
}

/// What Enter and Esc do there.
pub(in crate::screen) fn cancel_keys(model: &Model, order: &OutTradeNo) -> [&'static str; 2] {
    let (text, words) = (model.text(), CodeWords::of(model.language));
    if is_code(model, order) {
        [words.key_close_order(), words.key_keep_showing()]
    } else {
        [text.key_cancel_payment(), text.key_keep_waiting()]
    }
}

/// What lies ahead of an order, where that is not what lies ahead of every payment.
pub(in crate::screen) fn ahead_of_code(model: &Model, attempt: &ShownAttempt) -> Option<String> {
    let state = &attempt.view.state;
    state.qr()?;
    let words = CodeWords::of(model.language);
    let elapsed = attempt.elapsed(model.now);
    let outlook = state.outlook(&model.settings.rules);
    match (state.status(), outlook.gives_up_at, outlook.checks_at) {
        (Status::Waiting | Status::Checking, Some(at), _) if at > elapsed => {
            Some(words.valid_for(&span(at.minus(elapsed))))
        }
        (Status::Waiting | Status::Checking, Some(_), _) => Some(words.expired().to_owned()),
        (Status::Sent | Status::Checking, None, Some(at)) if at > elapsed => {
            Some(words.ordered_again_in(at.minus(elapsed).seconds_up()))
        }
        (Status::Sent | Status::Checking, None, _) => Some(words.waits_for_answer().to_owned()),
        _ => None,
    }
}

/// A span of time as on a clock.
fn span(left: Millis) -> String {
    let seconds = left.seconds_up();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// Why the code that can be scanned is not on this screen.
pub(in crate::screen) fn not_drawn(model: &Model, attempt: &ShownAttempt) -> Option<String> {
    let (shown, url) = model.code_at_desk()?;
    if shown.view.out_trade_no != attempt.view.out_trade_no {
        return None;
    }
    let words = CodeWords::of(model.language);
    let why = match QrCode::of(url.as_str()) {
        Some(code) if model.draws_blocks => {
            let (width, height) = code.least_room();
            let least = |needed: usize, smallest: u16| needed.max(usize::from(smallest));
            let width = least(width + usize::from(BESIDE + GAP), crate::screen::SMALLEST_WIDTH);
            let height = least(height + 1, crate::screen::SMALLEST_HEIGHT);
            words.no_room(width, height)
        }
        Some(_) | None => words.cannot_draw().to_owned(),
    };
    let or =
        if model.settings.printer_configured { words.or_print() } else { words.or_their_screen() };
    Some(format!("{why}{}{or}", model.text().gap()))
}

/// A code as large as it fits, and where it goes.
struct Drawn {
    lines: Vec<String>,
    width: u16,
    height: u16,
}

impl Drawn {
    fn of(url: &CodeUrl, width: u16, height: u16) -> Option<Self> {
        let code = QrCode::of(url.as_str())?;
        let room = width.checked_sub(BESIDE + GAP)?;
        let lines = code.half_blocks_in(room.into(), height.into())?;
        let width = u16::try_from(lines.first()?.chars().count()).ok()?;
        let height = u16::try_from(lines.len()).ok()?;
        Some(Self { lines, width, height })
    }
}

impl Canvas<'_> {
    /// The whole screen around a code, or `false` if there is none, or no room for it.
    pub(in crate::screen) fn code_screen(&mut self, area: Rect) -> bool {
        let model = self.model;
        let Some((attempt, url)) = model.shown_code().filter(|_| model.draws_blocks) else {
            return false;
        };
        let [above, keys] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(area);
        let Some(drawn) = Drawn::of(url, above.width, above.height) else { return false };
        let usual = QrCode::of(url.as_str()).map_or(usize::MAX, |code| code.size().div_ceil(2));
        let is_roomy = usize::from(area.height) >= usual + usize::from(AROUND);
        if !is_roomy || !self.with_strips(above, attempt, url) {
            self.code_alone(above, attempt, &drawn);
        }
        self.key_bar(keys);
        true
    }

    /// With everything else at its usual place.
    fn with_strips(&mut self, area: Rect, attempt: &ShownAttempt, url: &CodeUrl) -> bool {
        let model = self.model;
        let rows = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
        let (open, notice) = (self.tray_lines(area), self.notice_lines(area.width));
        let note = self.note_lines(area.width);
        let [header, banner, tray, news, body, said, links] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(u16::from(model.settings.training.is_some())),
            Constraint::Length(rows(open.len())),
            Constraint::Length(rows(notice.len())),
            Constraint::Fill(1),
            Constraint::Length(rows(note.len())),
            Constraint::Length(1),
        ])
        .areas(area);
        let (main, side) = if area.width >= THREE_COLUMNS {
            let columns = [Constraint::Fill(1), Constraint::Length(SIDE_WIDTH)];
            let [main, side] = Layout::horizontal(columns).areas(body);
            (main, Some(side))
        } else {
            (body, None)
        };
        let Some(drawn) = Drawn::of(url, main.width - GAP, main.height) else { return false };
        self.header(header);
        self.banner(banner);
        self.tray(tray, &open);
        self.notice(news, &notice);
        let story = main.height.saturating_sub(drawn.height + 1);
        let story = if story >= STORY_AT_LEAST { story } else { 0 };
        let place =
            Rect { x: main.x + GAP, width: main.width - GAP, height: main.height - story, ..main };
        let code = Rect { width: drawn.width, ..place };
        qr::draw(&drawn.lines, code, self.buffer);
        self.beside(beside(place, &drawn), attempt, 0);
        if let Some(side) = side {
            self.side(side);
        }
        if story > 0 {
            self.story(Rect { y: main.bottom() - story, height: story, ..main });
        }
        self.note(said, &note);
        self.links(links);
        true
    }

    /// At the left from top to bottom, and everything else beside it.
    fn code_alone(&mut self, area: Rect, attempt: &ShownAttempt, drawn: &Drawn) {
        let model = self.model;
        let code = Rect { width: drawn.width, ..area };
        qr::draw(&drawn.lines, code, self.buffer);
        let column = beside(area, drawn);
        let mut y = 0;
        let banner = u16::from(model.settings.training.is_some());
        self.banner(Rect { height: banner, ..column });
        y += banner;
        let below =
            |y: u16| Rect { y: column.y + y, height: column.height.saturating_sub(y), ..column };
        y += self.narrow_tray(below(y));
        let notice = self.notice_lines(column.width + 4);
        let news = Rect {
            height: u16::try_from(notice.len()).unwrap_or(0).min(below(y).height),
            ..below(y)
        };
        if news.height > 0 {
            self.narrow_notice(news, &notice);
            y += news.height;
        }
        // What is wrong has the last row, and a note the ones above.
        let last = self.faults(Rect { y: column.bottom().saturating_sub(1), height: 1, ..column });
        let note = self.note_lines(column.width + 4);
        let said = u16::try_from(note.len()).unwrap_or(u16::MAX).min(column.height / 3);
        let place = Rect {
            y: column.bottom().saturating_sub(said + last),
            height: said,
            x: column.x.saturating_sub(2),
            width: column.width + 2,
        };
        self.note(place, &note);
        let rest = below(y);
        let rest = Rect { height: rest.height.saturating_sub(last + said), ..rest };
        self.beside(rest, attempt, u16::from(y > 0));
    }

    /// State, amount and countdown, and what to do: the most important where there is little room.
    fn beside(&mut self, area: Rect, attempt: &ShownAttempt, above: u16) {
        let model = self.model;
        let (text, words) = (model.text(), CodeWords::of(model.language));
        let width = usize::from(area.width);
        let status = attempt.view.state.status();
        let amount = model.money(attempt.view.amount);
        let is_asking = model.is_asking();
        let what = wrap(&what_happened(model, attempt), width);
        let asked = if is_asking { self.question_rows(area.width) } else { 0 };
        let keys = if is_asking { Vec::new() } else { keys_beside(model, words) };
        let rows = |lines: &[String]| u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let must = 3 + asked.max(rows(&what));
        let mut spare = area.height.saturating_sub(must);
        let mut take = |wanted: u16| {
            let given = if spare >= wanted { wanted } else { 0 };
            spare -= given;
            given
        };
        let size = [5, 3].into_iter().find_map(|height| {
            let size = Narrow::fitting(&amount, area.width, height, 1)?;
            (take(size.height() - 1) > 0).then_some(size)
        });
        let listed = take(u16::try_from(keys.len()).unwrap_or(0)) > 0;
        let has_order = take(1) > 0;
        let checks = meter(model, attempt).map(|meter| meter.left).filter(|_| take(1) > 0);
        // Air, the most wanted first.
        let [over_amount, over_time, over_what, over_keys, on_top] =
            [1, 1, 1, 1, above].map(&mut take);
        let (base, strong, quiet) =
            (self.palette.base(), self.palette.strong(), self.palette.quiet());
        let tone = self.palette.ink(Tone::of(status)).add_modifier(Modifier::BOLD);
        let mut y = on_top;
        self.put(area, 0, y, text.word_of(&attempt.view.state), tone);
        y += 1;
        if has_order {
            self.put(area, 0, y, &text.order(attempt.view.out_trade_no.tail()), quiet);
            y += 1;
        }
        y += over_amount;
        if let Some(size) = size {
            let place = Rect { y: area.y + y, height: size.height(), ..area };
            size.draw(place, strong, self.buffer);
        } else {
            self.put(area, 0, y, &amount, strong);
        }
        y += size.map_or(1, Narrow::height);
        y += over_time;
        self.put(area, 0, y, &ahead(model, attempt).unwrap_or_default(), base);
        y += 1;
        if let Some(checks) = checks {
            self.put(area, 0, y, &checks, quiet);
            y += 1;
        }
        y += over_what;
        let left = |y: u16| Rect {
            y: area.y + y.min(area.height),
            height: area.height.saturating_sub(y),
            ..area
        };
        if is_asking {
            self.bare_question(left(y));
            return;
        }
        for line in &what {
            self.put(area, 0, y, line, strong);
            y += 1;
        }
        y += over_keys;
        if listed {
            self.listed_keys(left(y), &keys, [strong, base]);
        }
    }

    fn listed_keys(&mut self, area: Rect, keys: &[(&str, &str)], [key, base]: [Style; 2]) {
        for (y, (name, does)) in (0..area.height).zip(keys) {
            self.put(area, 0, y, name, key);
            self.put(area, KEY_COLUMN, y, does, base);
        }
    }
}

/// The place beside a code.
fn beside(area: Rect, drawn: &Drawn) -> Rect {
    let used = (drawn.width + GAP).min(area.width);
    Rect { x: area.x + used, width: area.width - used, ..area }
}

/// What the keys do that are for the code alone.
fn keys_beside(model: &Model, words: CodeWords) -> Vec<(&'static str, &'static str)> {
    let all = [
        ("F9", words.bill(), can_print_bill(model).is_some()),
        ("Ctrl-N", words.aside(), model.can_go_on().is_some()),
        ("F5", words.check(), model.can_check_now().is_some()),
        ("Esc", words.give_up(), true),
        ("Enter", model.text().key_ok(), !model.notices.is_empty()),
    ];
    all.into_iter().filter(|(.., works)| *works).map(|(name, does, _)| (name, does)).collect()
}

/// What is said of an order that is on its way to having a code, or has one.
pub(in crate::screen) fn what_of_code(
    model: &Model,
    attempt: &ShownAttempt,
) -> Option<&'static str> {
    attempt.view.state.qr()?;
    let words = CodeWords::of(model.language);
    match attempt.view.state.status() {
        Status::Sent => Some(words.ordering()),
        Status::Waiting if attempt.view.recorded && attempt.is_heard_of => Some(words.to_scan()),
        Status::Reversing => Some(words.being_closed()),
        _ => None,
    }
}
