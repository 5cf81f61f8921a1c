//! The checkout: an amount, the customer's payment code, and the payment to its end.
//!
//! Every rule for a key or a scan at the desk is here: a scan is charged only while a code is
//! expected, and an amount is read as it stands or refused.

use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::widgets::{Block, BorderType, Widget};

use crate::clean::clean;
use crate::clock::{Millis, Uptime};
use crate::language::Language;
use crate::money::{Money, NotAnAmount, grouped_thousands, narrow};
use crate::order::OutTradeNo;
use crate::payment::Status;
use crate::scan::{PAUSE, Scan};
use crate::screen::Sound;
use crate::screen::digits::Size;
use crate::screen::guard::drop_character;
use crate::screen::hold;
use crate::screen::model::{Dialog, Model, ShownAttempt, symbol_before};
use crate::screen::note::{Instead, Note, Scanned};
use crate::screen::pages::{cash, goods};
use crate::screen::palette::Tone;
use crate::screen::ring_up;
use crate::screen::shapes;
use crate::screen::view::payment::{payment, stopped};
use crate::screen::view::sheet::{Sheet, inside};
use crate::screen::view::{Canvas, inset};
use crate::screen::{Key, Link, SaleRef, ScreenCommand};
use crate::text::screen::{CashWords, HelpWords, ScreenWords};

/// A text this long is not an amount in any currency; further keys are dropped.
const TYPED_MAX: usize = 16;
/// The same code scanned again within this time is a double read.
const STUTTER: Millis = Millis::seconds(3);
/// How often the connection is warmed up again while the till waits for a code.
const WARM_FOR: Millis = Millis::seconds(20);
/// How long after NOT PAID or REVERSED a payment code charges the same sale again: later, whoever
/// shows one may be the next customer.
const CHARGED_AGAIN_WITHIN: Millis = Millis::seconds(60);
/// The room for the text of a scanner's fault, in cells.
const FAULT_CELLS: usize = 60;

/// What the cashier is doing.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::screen) enum CashierTask {
    Amount {
        typed: String,
    },
    /// Waiting for the customer's payment code.
    Code {
        sale: SaleRef,
    },
    /// The code was scanned; the till is recording the payment.
    Starting {
        sale: SaleRef,
    },
    Payment(OutTradeNo),
}

/// Characters that go into the amount one soon after the other.
#[derive(Debug)]
pub(in crate::screen) struct TypingRun {
    /// The task before the first of them.
    pub(in crate::screen) before: CashierTask,
    pub(in crate::screen) last_at: Uptime,
}

impl Model {
    /// The sale that a payment code scanned now would charge.
    pub(in crate::screen) fn takes_codes(&self) -> Option<SaleRef> {
        match &self.task {
            CashierTask::Code { sale } => Some(*sale),
            CashierTask::Payment(_) => {
                let attempt = self.at_hand()?;
                let state = &attempt.view.state;
                let again = state.status().is_over_unpaid() && state.may_be_charged_again();
                let ended_at = attempt.ended_at?;
                let is_soon = self.now.since(ended_at) < CHARGED_AGAIN_WITHIN;
                // Cash was taken of it: nobody else is at the counter.
                let again = again && (is_soon || self.part_paid(attempt.view.sale).is_some());
                again.then_some(SaleRef::Again(attempt.view.sale, attempt.view.amount))
            }
            CashierTask::Amount { .. } | CashierTask::Starting { .. } => None,
        }
    }

    /// What the cashier should do instead, after a scan that was not expected.
    pub(in crate::screen) fn instead(&self) -> Instead {
        if self.stopped.is_some() {
            return Instead::Restart;
        }
        if self.money_page.is_some() {
            return Instead::LeavePage;
        }
        match &self.task {
            CashierTask::Amount { typed } => {
                let settings = &self.settings;
                match settings.currency.read(typed, settings.entry) {
                    Ok(_) => Instead::PressEnter,
                    Err(_) => Instead::TypeAmount,
                }
            }
            CashierTask::Code { .. } => Instead::ScanPaymentCode,
            CashierTask::Starting { .. } => Instead::FinishThisOne,
            CashierTask::Payment(_) => {
                match self.at_hand().map(|attempt| attempt.view.state.status()) {
                    Some(Status::Declined | Status::Reversed | Status::Closed)
                        if self.takes_codes().is_none() =>
                    {
                        Instead::NextSale
                    }
                    Some(Status::Declined | Status::Reversed | Status::Closed) => {
                        Instead::ScanPaymentCode
                    }
                    Some(Status::Paid) | None => Instead::TypeAmount,
                    Some(
                        Status::Waiting | Status::Checking | Status::Reversing | Status::Attention,
                    ) => Instead::FinishOrGoOn,
                    Some(Status::Created | Status::Sent) => Instead::FinishThisOne,
                }
            }
        }
    }
}

fn warm_up(model: &mut Model) -> Vec<ScreenCommand> {
    model.warmed_at = model.now;
    vec![ScreenCommand::WarmUp]
}

pub(in crate::screen) fn ask_for_code(model: &mut Model, sale: SaleRef) -> Vec<ScreenCommand> {
    model.typing = None;
    let is_new = matches!(sale, SaleRef::New(_));
    if is_new && model.settings.shift_required && !model.shift_is_open {
        model.note = Some(Note::ShiftFirst);
        return Vec::new();
    }
    model.task = CashierTask::Code { sale };
    model.note = None;
    warm_up(model)
}

pub(in crate::screen) fn next_sale(model: &mut Model) {
    model.typing = None;
    model.task = CashierTask::Amount { typed: String::new() };
    model.note = None;
    model.tidy();
}

pub(in crate::screen) fn keep_warm(model: &mut Model) -> Vec<ScreenCommand> {
    let asks = matches!(model.task, CashierTask::Code { .. }) && model.stopped.is_none();
    if asks && model.now.since(model.warmed_at) >= WARM_FOR { warm_up(model) } else { Vec::new() }
}

/// What a key does at the desk.
pub(in crate::screen) fn pressed(model: &mut Model, key: Key, at: Uptime) -> Vec<ScreenCommand> {
    match key {
        Key::F(2) => return goods::open(model),
        Key::F(3) => return hold::hold_or_recall(model),
        _ => {}
    }
    match &model.task {
        CashierTask::Amount { typed } => {
            let typed = typed.clone();
            typing(model, typed, key, at)
        }
        CashierTask::Code { .. } => {
            match key {
                Key::Esc if cash::ask_to_return(model) => {}
                Key::Esc => next_sale(model),
                Key::Char(_) => drop_character(model, Note::EscFirst, at),
                Key::Backspace => model.note = Some(Note::EscFirst),
                _ => {}
            }
            Vec::new()
        }
        CashierTask::Starting { .. } => {
            if let Key::Char(_) = key {
                drop_character(model, Note::TypedAhead, at);
            }
            Vec::new()
        }
        CashierTask::Payment(order) => {
            let order = order.clone();
            pressed_at_payment(model, order, key, at)
        }
    }
}

/// A character goes into the amount.
pub(in crate::screen) fn note_typing(model: &mut Model, at: Uptime) {
    // The Enter behind it is the amount's.
    model.overtaken_at = None;
    match &mut model.typing {
        Some(run) if at.since(run.last_at) <= PAUSE => run.last_at = at,
        run => *run = Some(TypingRun { before: model.task.clone(), last_at: at }),
    }
}

fn typing(model: &mut Model, mut typed: String, key: Key, at: Uptime) -> Vec<ScreenCommand> {
    if let Some(commands) = ring_up::pressed(model, &typed, key, at) {
        return commands;
    }
    let settings = &model.settings;
    match key {
        Key::Char(character) => {
            note_typing(model, at);
            let first = typed.is_empty();
            if typed.chars().count() < TYPED_MAX {
                typed.push_str(&clean_key(character));
            }
            // An amount that can no longer become valid is reported at once, not on Enter.
            let certain = match read(model, &typed) {
                Err(NotAnAmount::Zero | NotAnAmount::Empty | NotAnAmount::NoDigits) | Ok(_) => None,
                Err(why) => Some(Note::NotAnAmount(why)),
            };
            model.note = certain;
            model.task = CashierTask::Amount { typed };
            if first { warm_up(model) } else { Vec::new() }
        }
        Key::Backspace => {
            model.typing = None;
            typed.pop();
            model.task = CashierTask::Amount { typed };
            Vec::new()
        }
        Key::Esc => {
            next_sale(model);
            Vec::new()
        }
        Key::Enter => match read(model, &typed) {
            Ok(amount) if settings.confirm_above.is_some_and(|limit| amount > limit) => {
                model.typing = None;
                model.dialog = Some(Dialog::LargeAmount(amount));
                Vec::new()
            }
            Ok(amount) => ask_for_code(model, SaleRef::New(amount)),
            Err(why) => {
                model.note = Some(Note::NotAnAmount(why));
                Vec::new()
            }
        },
        _ => Vec::new(),
    }
}

/// Asks about a large amount before its Enter comes: whoever waits for the question need not wait
/// for both. A scan that the amount turns out to be a part of takes the question back.
pub(in crate::screen) fn ask_about_the_amount(model: &mut Model) {
    let CashierTask::Amount { typed } = &model.task else { return };
    let is_free = model.dialog.is_none() && model.stopped.is_none();
    let limit = model.settings.confirm_above.filter(|_| is_free);
    if let (Some(limit), Ok(amount)) = (limit, read(model, typed))
        && amount > limit
    {
        model.note = None;
        model.dialog = Some(Dialog::LargeAmount(amount));
    }
}

/// What a key adds to the typed text. Invalid characters are kept, to be seen and refused, so that
/// `-1` never becomes 1.
fn clean_key(character: char) -> String {
    if character == ' ' { " ".into() } else { clean(&narrow(character).to_string(), 2) }
}

fn read(model: &Model, typed: &str) -> Result<Money, NotAnAmount> {
    if typed.chars().count() >= TYPED_MAX {
        return Err(NotAnAmount::TooLarge);
    }
    model.settings.currency.read(typed, model.settings.entry)
}

/// The amount that the typed text means so far; `None` if it is not an amount, or empty.
pub(in crate::screen) fn typed_amount(model: &Model, typed: &str) -> Option<Money> {
    match read(model, typed) {
        Ok(amount) => Some(amount),
        // More digits may follow.
        Err(NotAnAmount::Zero | NotAnAmount::NoDigits) => Some(Money::default()),
        Err(
            NotAnAmount::Empty
            | NotAnAmount::Stray(_)
            | NotAnAmount::TwoPoints
            | NotAnAmount::TooManyDecimals(_)
            | NotAnAmount::TooLarge,
        ) => None,
    }
}

fn pressed_at_payment(
    model: &mut Model,
    order: OutTradeNo,
    key: Key,
    at: Uptime,
) -> Vec<ScreenCommand> {
    let Some(attempt) = model.attempt(&order) else {
        next_sale(model);
        return Vec::new();
    };
    match attempt.view.state.status() {
        Status::Created | Status::Sent | Status::Waiting | Status::Checking => match key {
            Key::Esc if attempt.cancelled => model.note = Some(Note::AlreadyReversing),
            Key::Esc => model.dialog = Some(Dialog::Cancel(order)),
            Key::Char(_) => drop_character(model, Note::TypedAhead, at),
            _ => {}
        },
        Status::Reversing | Status::Attention => match key {
            Key::Enter => model.dialog = Some(Dialog::Unsettled(order)),
            Key::Esc if attempt.view.state.status() == Status::Reversing => {
                model.note = Some(Note::AlreadyReversing);
            }
            Key::Esc => model.note = Some(Note::PressEnterForOptions),
            Key::Char(_) => drop_character(model, Note::PressEnterForOptions, at),
            _ => {}
        },
        Status::Paid => match key {
            Key::Enter | Key::Esc => next_sale(model),
            Key::Char(_) => {
                let before = model.task.clone();
                next_sale(model);
                let commands = typing(model, String::new(), key, at);
                model.typing = Some(TypingRun { before, last_at: at });
                return commands;
            }
            _ => {}
        },
        // A digit would wipe away what somebody has yet to read.
        Status::Declined | Status::Reversed | Status::Closed => match key {
            Key::Enter | Key::Esc if cash::ask_to_return(model) => {}
            Key::Enter | Key::Esc => next_sale(model),
            Key::Char(_) => drop_character(model, Note::EnterFirst, at),
            _ => {}
        },
    }
    Vec::new()
}

pub(in crate::screen) fn scanned(
    model: &mut Model,
    scan: Scan,
    is_alone: bool,
) -> Vec<ScreenCommand> {
    if let Some(commands) = ring_up::scanned(model, &scan) {
        return commands;
    }
    let seen = Scanned::of(&scan);
    if let Scan::Payment(code) = scan {
        let hash = code.keyed_hash(b"stutter");
        let last = model.last_code.replace((hash, model.now));
        let stutters = last.is_some_and(|(last, at)| last == hash && model.now.since(at) < STUTTER);
        let sale = model.takes_codes();
        let sale = sale.filter(|_| model.stopped.is_none() && !model.has_page());
        // A question comes before a scan; the help page and the training customers are not
        // questions.
        let sale = sale.filter(|_| {
            matches!(model.dialog, None | Some(Dialog::Help | Dialog::Training { .. }))
        });
        match sale {
            Some(_) if !stutters && !is_alone => {
                // It was not used: the next scan of it is no second one.
                model.last_code = last;
                model.note = Some(Note::ScanAgain);
                model.ring(Sound::NeedsYou);
            }
            Some(sale) if !stutters => {
                model.task = CashierTask::Starting { sale };
                model.dialog = None;
                model.note = None;
                return vec![ScreenCommand::Begin { sale, code }];
            }
            Some(_) => refuse(model, Scanned::SameAgain),
            None if stutters
                && matches!(model.task, CashierTask::Starting { .. } | CashierTask::Payment(_)) =>
            {
                refuse(model, Scanned::SameAgain);
            }
            None => refuse(model, seen),
        }
    } else {
        refuse(model, seen);
    }
    Vec::new()
}

fn refuse(model: &mut Model, scanned: Scanned) {
    let instead = model.instead();
    model.note = Some(Note::Refused(scanned, instead));
    model.ring(Sound::NeedsYou);
}

/// A product's code where there is no catalogue.
pub(in crate::screen) fn refuse_goods(model: &mut Model, code: &str) {
    refuse(model, Scanned::of(&Scan::Goods(code.to_owned())));
}

/// The keys that belong to the sale at the desk.
pub(in crate::screen) fn keys(
    model: &Model,
    language: Language,
    show: &mut impl FnMut(&'static str, &'static str),
) {
    let text = ScreenWords::of(language);
    if model.stopped.is_some() {
        return;
    }
    if !model.notices.is_empty() && model.is_idle() {
        show("Enter", text.key_ok());
        return;
    }
    match &model.task {
        CashierTask::Amount { .. } if goods::keys(model, language, show) => {}
        CashierTask::Amount { typed } if typed.is_empty() => {}
        CashierTask::Amount { typed } => {
            if model.settings.currency.read(typed, model.settings.entry).is_ok() {
                show("Enter", text.key_ask_for_code());
            }
            show("Esc", text.key_clear());
        }
        CashierTask::Code { .. } => show("Esc", text.key_cancel()),
        CashierTask::Starting { .. } => {}
        CashierTask::Payment(_) => match model.at_hand().map(|attempt| attempt.view.state.status())
        {
            _ if model.at_hand().is_some_and(ShownAttempt::is_being_cancelled) => {}
            Some(Status::Created | Status::Sent | Status::Waiting | Status::Checking) => {
                show("Esc", text.key_stop_waiting());
            }
            Some(Status::Reversing | Status::Attention) => {}
            Some(Status::Paid | Status::Declined | Status::Reversed | Status::Closed) => {
                show("Enter", text.key_next_sale());
            }
            None => {}
        },
    }
}

/// What the help page says about it.
pub(in crate::screen) fn help(model: &Model) -> &'static [&'static str] {
    let words = HelpWords::of(model.language);
    match &model.task {
        CashierTask::Amount { .. } if !model.ring_up.is_empty() => words.goods(),
        CashierTask::Amount { .. } => words.amount(),
        CashierTask::Code { .. } => words.code(),
        CashierTask::Starting { .. } => words.waiting(),
        CashierTask::Payment(_) => {
            match model.at_hand().map(|attempt| attempt.view.state.status()) {
                _ if model.code_at_desk().is_some() => words.our_code(),
                Some(Status::Created | Status::Sent | Status::Waiting | Status::Checking) => {
                    words.waiting()
                }
                Some(Status::Reversing | Status::Attention) => words.unsettled(),
                Some(Status::Paid | Status::Declined | Status::Reversed | Status::Closed)
                | None => words.result(),
            }
        }
    }
}

impl Canvas<'_> {
    pub(in crate::screen) fn checkout(&mut self, area: Rect) {
        let model = self.model;
        if let Some(why) = &model.stopped {
            return self.sheet(area, &stopped(model, why.in_language(model.language())));
        }
        match &model.task {
            CashierTask::Amount { typed } if !model.ring_up.sale.lines.is_empty() => {
                self.rung_up(area, typed);
            }
            CashierTask::Amount { typed } => self.amount(area, typed),
            CashierTask::Code { sale } => self.sheet(area, &code(model, *sale)),
            CashierTask::Starting { sale } => self.sheet(area, &starting(model, *sale)),
            CashierTask::Payment(_) => {
                if let Some(attempt) = model.at_hand() {
                    self.sheet(area, &payment(model, attempt));
                }
            }
        }
    }

    fn amount(&mut self, area: Rect, typed: &str) {
        let model = self.model;
        let text = model.text();
        let outer = inset(area, 1, 0);
        let line = self.palette.ink(Tone::Calm);
        Block::bordered()
            .border_type(BorderType::Rounded)
            .border_style(line)
            .title(format!(" {} ", text.amount_due()))
            .render(outer, self.buffer);
        let inner = inside(area);
        let currency = model.settings.currency;
        let read = currency.read(typed, model.settings.entry);
        let entered_as_minor = read.is_ok() && !typed.contains('.') && is_minor(model);
        let shown = match read {
            Ok(amount) if entered_as_minor => currency.group(amount),
            // So far an amount: an extra digit is to be seen while it is typed.
            Ok(_) | Err(NotAnAmount::Zero) => grouped_thousands(typed),
            Err(_) if !typed.is_empty() => clean(typed, 40),
            Err(_) => currency.show(Money::default()),
        };
        let style = if typed.is_empty() { self.palette.quiet() } else { self.palette.strong() };
        let label = symbol_before(currency, &shown);
        // Where it stays until the result.
        let head = self.head;
        let place = head.amount(inner);
        // The line below says what to do, and comes first.
        let room = place.height.min((inner.bottom() - place.y).saturating_sub(1));
        match Size::fitting(&label, place.width, room, head.times) {
            Some(size) => size.draw(&label, place, style, self.buffer),
            None => {
                self.put(place, 0, place.height / 2, &label, style.add_modifier(Modifier::BOLD));
            }
        }
        if model.is_asking() {
            return;
        }
        let next = match read {
            Ok(_) => text.then_press_enter(),
            Err(_) if typed.is_empty() => text.enter_amount(),
            Err(NotAnAmount::Zero | NotAnAmount::NoDigits) => text.keep_typing(),
            Err(_) => text.correct_it(),
        };
        let y = (place.bottom() - inner.y + 2).min(inner.height.saturating_sub(1));
        self.put(inner, 0, y, "▌", line);
        let strong = self.palette.strong();
        self.put(inner, 2, y, next, strong);
    }
}

fn is_minor(model: &Model) -> bool {
    model.settings.entry == crate::money::AmountEntry::Minor
}

fn code(model: &Model, sale: SaleRef) -> Sheet {
    let text = model.text();
    let mut what = vec![text.where_the_code_is().to_owned()];
    let mut next = text.scan_the_code().to_owned();
    match sale {
        SaleRef::Again(id, left) if let Some(part) = model.part_paid(id) => {
            let words = CashWords::of(model.language);
            what.push(words.part_taken(&model.money(part.taken()), &model.money(part.due())));
            next = words.rest_by_code(&model.money(left));
        }
        SaleRef::Again(..) => what.push(text.charged_again().into()),
        SaleRef::New(_) => {}
    }
    let is_same = |attempt: &&&ShownAttempt| attempt.view.amount == sale.amount();
    if let SaleRef::New(_) = sale
        && let Some(same) = model.tray().iter().find(is_same)
    {
        what.push(text.same_amount_is_open(same.view.out_trade_no.tail()));
    }
    match &model.scanner {
        Link::Searching => what.push(text.scanner_is_missing().into()),
        Link::Failed(why) => what.push(text.scanner_failed(&clean(why, FAULT_CELLS))),
        _ => {}
    }
    Sheet { what, next, ..before_sending(model, sale) }
}

fn starting(model: &Model, sale: SaleRef) -> Sheet {
    let what = vec![model.text().being_saved().to_owned()];
    Sheet { tone: Tone::Busy, what, ..before_sending(model, sale) }
}

fn before_sending(model: &Model, sale: SaleRef) -> Sheet {
    Sheet {
        tone: Tone::Calm,
        border: BorderType::Rounded,
        is_filled: false,
        shape: shapes::of(Status::Created),
        word: model.text().word(Status::Created).into(),
        detail: String::new(),
        amount: model.money(sale.amount()),
        has_large_word: false,
        what: Vec::new(),
        meter: None,
        next: String::new(),
        also: String::new(),
    }
}
