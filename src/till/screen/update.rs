//! What each message does to the model, and what the till must do in return.
//!
//! Every rule for a key or a scan is here: a scan is charged only while a code is expected, a
//! question on the screen is answered before anything else, and a key meant for something that has
//! just left the screen does nothing. A command is only a request: a payment changes on the screen
//! when the till reports the change.

use super::dialog::{answered, close_outdated_dialog, reprint};
use super::guard::{drop_character, goes_on_being_dropped, is_of_a_scan, may_answer, take_back};
use super::keys::found;
use super::model::{
    CashierTask, Dialog, LastInput, Model, ShownAttempt, ShownNotice, SlipState, Sound, TypingRun,
};
use super::note::{Note, Scanned};
use super::steps::{ask_for_code, next_sale, warm_up};
use super::{AttemptView, Key, Link, Printing, SaleRef, ScreenCommand, ScreenMessage};
use crate::clean::clean;
use crate::clock::{Millis, Timestamp, Uptime};
use crate::language::Language;
use crate::money::{Money, NotAnAmount, narrow};
use crate::order::OutTradeNo;
use crate::payment::{Event, Status};
use crate::scan::{PAUSE, SCAN_LENGTH, Scan};

/// A text this long is not an amount in any currency; further keys are dropped.
const TYPED_MAX: usize = 16;
/// The same code scanned again within this time is a double read.
const STUTTER: Millis = Millis::seconds(3);
/// An Enter within this time of another is the same press, held or bouncing.
const BOUNCE: Millis = Millis(50);
/// How often the connection is warmed up again while the till waits for a code.
const WARM_FOR: Millis = Millis::seconds(20);
/// How many cells of an error's text are shown.
const FAULT_SHOWN: usize = 200;

/// Applies one message at a time on both clocks; returns what the till must do, in order.
pub fn update(
    model: &mut Model,
    message: ScreenMessage,
    now: Uptime,
    wall: Timestamp,
) -> Vec<ScreenCommand> {
    model.now = now;
    model.wall = wall;
    let asked = model.dialog.clone();
    let commands = handle(model, message);
    if model.dialog != asked {
        model.asked_at = now;
    }
    commands
}

fn handle(model: &mut Model, message: ScreenMessage) -> Vec<ScreenCommand> {
    match message {
        ScreenMessage::Key(key) => pressed(model, key, model.now),
        ScreenMessage::EarlierKey(key, at) => pressed(model, key, at),
        ScreenMessage::AmountEnds(at) => {
            model.last_input = LastInput { at: Some(at), key: Some(Key::Enter) };
            ask_about_the_amount(model);
            Vec::new()
        }
        ScreenMessage::Scanned(scan) => {
            model.last_input = LastInput { at: Some(model.now), key: None };
            scanned(model, scan, true)
        }
        ScreenMessage::KeyScan { scan, began, is_alone } => {
            let is_restored = take_back(model, began);
            let commands = scanned(model, scan, is_alone);
            if is_restored && let Some(why) = model.note.take() {
                note(model, Note::TakenBack(Box::new(why)));
            }
            commands
        }
        ScreenMessage::DroppedKeys { characters, began } => {
            let is_restored = take_back(model, began);
            if characters > 0 {
                let is_scan = characters >= SCAN_LENGTH;
                let why = if is_scan { Note::UnendedBurst } else { Note::TooFast };
                note(model, if is_restored { Note::TakenBack(Box::new(why)) } else { why });
                model.ring(Sound::NeedsYou);
            }
            Vec::new()
        }
        ScreenMessage::RealCode => {
            note(model, Note::RealCode);
            Vec::new()
        }
        ScreenMessage::Attempt(view, event) => moved(model, view, &event),
        ScreenMessage::NotBegun(refusal) => {
            if let CashierTask::Starting { sale } = model.task {
                model.task = CashierTask::Code { sale };
            }
            note(model, Note::NotBegun(refusal));
            model.ring(Sound::NeedsYou);
            Vec::new()
        }
        ScreenMessage::Gateway(link) => {
            model.gateway = link;
            Vec::new()
        }
        ScreenMessage::Scanner(link) => {
            model.scanner = link;
            Vec::new()
        }
        ScreenMessage::Printer(link) => {
            model.printer = link;
            Vec::new()
        }
        ScreenMessage::Display(link) => {
            model.display = link;
            Vec::new()
        }
        ScreenMessage::Printed { out_trade_no, how } => {
            printed(model, &out_trade_no, how);
            Vec::new()
        }
        ScreenMessage::Drawer(how) => {
            match how {
                Printing::Sent | Printing::Printed => note(model, Note::DrawerOpened),
                Printing::Failed(why) => {
                    note(model, Note::DrawerFailed(clean(&why, FAULT_SHOWN)));
                    model.ring(Sound::NeedsYou);
                }
            }
            Vec::new()
        }
        ScreenMessage::JournalFailed(why) => {
            model.stopped = Some(why.map(|why| clean(why, FAULT_SHOWN)));
            model.dialog = None;
            model.note = None;
            model.ring(Sound::NeedsYou);
            Vec::new()
        }
        ScreenMessage::Time => keep_warm(model),
    }
}

fn note(model: &mut Model, note: Note) {
    model.note = Some(note);
}

fn printed(model: &mut Model, order: &OutTradeNo, how: Printing) {
    if let Some(attempt) = model.attempt_mut(order) {
        attempt.paper =
            if matches!(how, Printing::Failed(_)) { SlipState::Missing } else { SlipState::Done };
    }
    match how {
        Printing::Sent => note(model, Note::SentToPrinter),
        Printing::Printed => note(model, Note::Printed),
        Printing::Failed(why) => {
            let order = order.tail().to_owned();
            note(model, Note::PrintFailed { order, why: clean(&why, FAULT_SHOWN) });
            model.ring(Sound::NeedsYou);
        }
    }
}

fn keep_warm(model: &mut Model) -> Vec<ScreenCommand> {
    let asks = matches!(model.task, CashierTask::Code { .. }) && model.stopped.is_none();
    if asks && model.now.since(model.warmed_at) >= WARM_FOR { warm_up(model) } else { Vec::new() }
}

fn pressed(model: &mut Model, key: Key, at: Uptime) -> Vec<ScreenCommand> {
    // A scan from elsewhere may have overtaken the key.
    let at_last = model.last_input.at.map_or(at, |last| last.max(at));
    let last = LastInput { at: Some(at_last), key: Some(key) };
    let before = std::mem::replace(&mut model.last_input, last);
    if key == Key::Enter {
        let last = model.last_enter.replace(at);
        if last.is_some_and(|last| at.since(last) < BOUNCE) {
            return Vec::new();
        }
    }
    if matches!(key, Key::Enter | Key::Esc) && model.is_overtaken() {
        return Vec::new();
    }
    // It has already asked.
    if model.is_asking() && key == Key::Enter && at < model.asked_at {
        return Vec::new();
    }
    // Only a key that changes something clears the note.
    let why = model.note.take();
    let (task, dialog, language) = (model.task.clone(), model.dialog.clone(), model.language);
    let notices = model.notices.len();
    let commands = if goes_on_being_dropped(model, key, at) {
        Vec::new()
    } else {
        obeyed(model, key, at, before)
    };
    let is_same = model.task == task && model.dialog == dialog && model.language == language;
    if is_same && model.notices.len() == notices && commands.is_empty() && model.note.is_none() {
        model.note = why;
    }
    commands
}

fn obeyed(model: &mut Model, key: Key, at: Uptime, before: LastInput) -> Vec<ScreenCommand> {
    match key {
        Key::Ctrl('l') if model.settings.draws_chinese => {
            model.language = match model.language {
                Language::Chinese => Language::English,
                Language::English => Language::Chinese,
            };
            return Vec::new();
        }
        Key::Ctrl('q') if !model.is_asking() => {
            if !model.is_anything_open() {
                return vec![ScreenCommand::Quit];
            }
            model.dialog = Some(Dialog::Quit);
            return Vec::new();
        }
        _ => {}
    }
    if let Some(dialog) = model.dialog.clone() {
        let asks = model.is_asking();
        let confirms = match dialog {
            Dialog::Quit => key == Key::Ctrl('q'),
            Dialog::Training { .. } => key == Key::Enter && is_of_a_scan(before),
            // Letters find a command, so only a scan may have pressed this Enter.
            Dialog::Commands { .. } => key == Key::Enter && before.key.is_none(),
            _ => key == Key::Enter && asks,
        };
        if confirms && !may_answer(model, at, before) {
            note(model, Note::AnswerAgain);
            return Vec::new();
        }
        if asks && matches!(key, Key::Char(_)) {
            drop_character(model, Note::TypedAhead, at);
        }
        if let (Dialog::Commands { typed, chosen }, Key::Enter) = (&dialog, key) {
            let command = found(model, typed).get(*chosen).map(|(command, ..)| *command);
            let Some(command) = command else { return Vec::new() };
            model.dialog = None;
            return obeyed(model, command, at, before);
        }
        return answered(model, dialog, key);
    }
    if key == Key::F(1) {
        model.dialog = Some(Dialog::Help);
        return Vec::new();
    }
    if key == Key::Ctrl('p') {
        model.dialog = Some(Dialog::Commands { typed: String::new(), chosen: 0 });
        return Vec::new();
    }
    if model.stopped.is_some() {
        return Vec::new();
    }
    if key == Key::Enter && model.enter_is_for_the_notice() {
        model.notices.pop_front();
        // The next notice has only just become visible.
        if let Some(next) = model.notices.front_mut() {
            next.since = model.now;
        }
        model.tidy();
        return Vec::new();
    }
    match key {
        Key::F(5) => {
            model.can_check_now().cloned().map(ScreenCommand::CheckNow).into_iter().collect()
        }
        Key::F(6) if model.settings.drawer => vec![ScreenCommand::OpenDrawer],
        Key::F(9) => {
            let Some(order) = model.can_reprint().cloned() else { return Vec::new() };
            if matches!(model.printer, Link::Failed(_)) {
                model.dialog = Some(Dialog::PrintAnyway(order));
                return Vec::new();
            }
            let commands = reprint(model, order);
            if commands.is_empty() || !model.printer_is_there() {
                note(model, Note::ReceiptWaits);
            }
            commands
        }
        Key::Ctrl('t') => {
            if model.can_train() {
                model.dialog = Some(Dialog::Training { chosen: 0 });
            } else if model.settings.training.is_some()
                && matches!(model.task, CashierTask::Amount { .. })
            {
                note(model, Note::AmountFirst);
            }
            Vec::new()
        }
        key => pressed_at_task(model, key, at),
    }
}

fn pressed_at_task(model: &mut Model, key: Key, at: Uptime) -> Vec<ScreenCommand> {
    match &model.task {
        CashierTask::Amount { typed } => {
            let typed = typed.clone();
            typing(model, typed, key, at)
        }
        CashierTask::Code { .. } => {
            match key {
                Key::Esc => next_sale(model),
                Key::Char(_) => drop_character(model, Note::EscFirst, at),
                Key::Backspace => note(model, Note::EscFirst),
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

fn typing(model: &mut Model, mut typed: String, key: Key, at: Uptime) -> Vec<ScreenCommand> {
    let settings = &model.settings;
    match key {
        Key::Char(character) => {
            match &mut model.typing {
                Some(run) if at.since(run.last_at) <= PAUSE => run.last_at = at,
                run => *run = Some(TypingRun { before: model.task.clone(), last_at: at }),
            }
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
                note(model, Note::NotAnAmount(why));
                Vec::new()
            }
        },
        _ => Vec::new(),
    }
}

/// Asks about a large amount before its Enter comes: whoever waits for the question need not wait
/// for both. A scan that the amount turns out to be a part of takes the question back.
fn ask_about_the_amount(model: &mut Model) {
    let CashierTask::Amount { typed } = &model.task else { return };
    let is_free = model.dialog.is_none() && model.stopped.is_none();
    let limit = model.settings.confirm_above.filter(|_| is_free && model.notices.is_empty());
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
pub(super) fn typed_amount(model: &Model, typed: &str) -> Option<Money> {
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
            Key::Esc if attempt.cancelled => note(model, Note::AlreadyReversing),
            Key::Esc => model.dialog = Some(Dialog::Cancel(order)),
            Key::Char(_) => drop_character(model, Note::TypedAhead, at),
            _ => {}
        },
        Status::Reversing | Status::Attention => match key {
            Key::Enter => model.dialog = Some(Dialog::Unsettled(order)),
            Key::Esc if attempt.view.state.status() == Status::Reversing => {
                note(model, Note::AlreadyReversing);
            }
            Key::Esc => note(model, Note::PressEnterForOptions),
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
        Status::Declined | Status::Reversed => match key {
            Key::Enter | Key::Esc => next_sale(model),
            Key::Char(_) => drop_character(model, Note::EnterFirst, at),
            _ => {}
        },
    }
    Vec::new()
}

fn scanned(model: &mut Model, scan: Scan, is_alone: bool) -> Vec<ScreenCommand> {
    let seen = Scanned::of(&scan);
    if let Scan::Payment(code) = scan {
        let hash = code.keyed_hash(b"stutter");
        let last = model.last_code.replace((hash, model.now));
        let stutters = last.is_some_and(|(last, at)| last == hash && model.now.since(at) < STUTTER);
        let sale = model.takes_codes().filter(|_| model.stopped.is_none());
        // A question comes before a scan; the help page and the training customers are not
        // questions.
        let sale = sale.filter(|_| {
            matches!(model.dialog, None | Some(Dialog::Help | Dialog::Training { .. }))
        });
        match sale {
            Some(_) if !stutters && !is_alone => {
                // It was not used: the next scan of it is no second one.
                model.last_code = last;
                note(model, Note::ScanAgain);
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
    note(model, Note::Refused(scanned, instead));
    model.ring(Sound::NeedsYou);
}

fn moved(model: &mut Model, view: AttemptView, event: &Event) -> Vec<ScreenCommand> {
    let order = view.out_trade_no.clone();
    let status = view.state.status();
    let (sale, recorded) = (view.sale, view.recorded);
    let before = model.attempt(&order).map(|attempt| attempt.view.state.status());
    let now = model.now;
    if model.attempt(&order).is_none() {
        model.attempts.push(ShownAttempt::new(view.clone()));
    }
    if let Some(attempt) = model.attempt_mut(&order) {
        attempt.story.add(event, before, &view);
        attempt.cancelled |= *event == Event::Cancel;
        if before != Some(status) && matches!(status, Status::Declined | Status::Reversed) {
            attempt.ended_at = Some(now);
        }
        attempt.view = view;
    }
    if *event == Event::Begun && matches!(model.task, CashierTask::Starting { .. }) {
        model.task = CashierTask::Payment(order.clone());
        model.note = None;
    }
    // The sale that was about to be charged again has been paid after all: it must not be.
    let asks_for = match &model.task {
        CashierTask::Code { sale: SaleRef::Again(sale, _) } => Some(*sale),
        CashierTask::Amount { .. }
        | CashierTask::Code { .. }
        | CashierTask::Starting { .. }
        | CashierTask::Payment(_) => None,
    };
    if status == Status::Paid && asks_for == Some(sale) {
        model.task = CashierTask::Payment(order.clone());
        model.note = None;
    }
    close_outdated_dialog(model, &order, status);

    let found_at_start = before.is_none() && matches!(event, Event::Restarted { .. });
    let mut commands = Vec::new();
    if before != Some(status) && status.is_final_for_cashier() && !found_at_start {
        model.ring(match status {
            Status::Paid => Sound::Paid,
            Status::Declined | Status::Reversed => Sound::NotPaid,
            Status::Created
            | Status::Sent
            | Status::Waiting
            | Status::Checking
            | Status::Reversing
            | Status::Attention => Sound::NeedsYou,
        });
        if model.is_at_hand(&order) {
            model.note = None;
        } else if !model.notices.iter().any(|notice| notice.order == order) {
            model.notices.push_back(ShownNotice { order: order.clone(), since: model.now });
        }
        let prints = model.settings.auto_print && model.settings.printer_configured && recorded;
        if let Some(attempt) = model.attempt_mut(&order)
            && prints
            && attempt.has_slip()
            && attempt.paper == SlipState::None
        {
            attempt.paper = SlipState::Asked;
            commands.push(ScreenCommand::Print { out_trade_no: order, copy: false });
            if !model.printer_is_there() {
                note(model, Note::ReceiptWaits);
            }
        }
    }
    model.tidy();
    commands
}
