//! What each message does to the model, and what the till must do in return.
//!
//! Every rule for a key or a scan is here: a scan is charged only while a code is expected, a
//! question on the screen is answered before anything else, and a key meant for something that has
//! just left the screen does nothing. A command is only a request: a payment changes on the screen
//! when the till reports the change.

use super::model::{CashierTask, Dialog, Model, ShownAttempt, ShownNotice, SlipState};
use super::note::{Note, Scanned};
use super::{AttemptView, Key, Printing, SaleRef, ScreenCommand, ScreenMessage};
use crate::clean::clean;
use crate::clock::{Millis, Timestamp, Uptime};
use crate::language::Language;
use crate::money::{Money, NotAnAmount, narrow};
use crate::order::OutTradeNo;
use crate::payment::{Event, Status};
use crate::scan::Scan;

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
    match message {
        ScreenMessage::Key(key) => pressed(model, key),
        ScreenMessage::Scanned(scan) => scanned(model, scan),
        ScreenMessage::UnendedBurst => {
            note(model, Note::UnendedBurst);
            model.ring();
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
            model.ring();
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
                    model.ring();
                }
            }
            Vec::new()
        }
        ScreenMessage::JournalFailed(why) => {
            model.stopped = Some(why.map(|why| clean(why, FAULT_SHOWN)));
            model.dialog = None;
            model.note = None;
            model.ring();
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
            model.ring();
        }
    }
}

fn keep_warm(model: &mut Model) -> Vec<ScreenCommand> {
    let asks = matches!(model.task, CashierTask::Code { .. }) && model.stopped.is_none();
    if asks && model.now.since(model.warmed_at) >= WARM_FOR { warm_up(model) } else { Vec::new() }
}

fn warm_up(model: &mut Model) -> Vec<ScreenCommand> {
    model.warmed_at = model.now;
    vec![ScreenCommand::WarmUp]
}

fn pressed(model: &mut Model, key: Key) -> Vec<ScreenCommand> {
    if key == Key::Enter {
        let last = model.last_enter.replace(model.now);
        if last.is_some_and(|last| model.now.since(last) < BOUNCE) {
            return Vec::new();
        }
    }
    if let Key::Char(_) = key {
        model.last_character = Some(model.now);
    }
    if matches!(key, Key::Enter | Key::Esc) && model.is_overtaken() {
        return Vec::new();
    }
    match key {
        Key::Ctrl('l') => {
            model.language = match model.language {
                Language::Chinese => Language::English,
                Language::English => Language::Chinese,
            };
            return Vec::new();
        }
        Key::Ctrl('q') if model.dialog != Some(Dialog::Quit) => {
            if !model.is_anything_open() {
                return vec![ScreenCommand::Quit];
            }
            model.dialog = Some(Dialog::Quit);
            return Vec::new();
        }
        _ => {}
    }
    if let Some(dialog) = model.dialog.clone() {
        return answered(model, dialog, key);
    }
    if key == Key::F(1) {
        model.dialog = Some(Dialog::Help);
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
    model.note = None;
    match key {
        Key::F(5) => {
            model.can_check_now().cloned().map(ScreenCommand::CheckNow).into_iter().collect()
        }
        Key::F(6) if model.settings.drawer => vec![ScreenCommand::OpenDrawer],
        Key::F(9) => {
            let Some(order) = model.can_reprint().cloned() else { return Vec::new() };
            let before = model
                .attempt_mut(&order)
                .map(|attempt| std::mem::replace(&mut attempt.paper, SlipState::Asked));
            if before == Some(SlipState::Asked) || !model.printer_is_there() {
                note(model, Note::ReceiptWaits);
            }
            if before == Some(SlipState::Asked) {
                return Vec::new();
            }
            vec![ScreenCommand::Print { out_trade_no: order, copy: true }]
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
        key => pressed_at_task(model, key),
    }
}

fn pressed_at_task(model: &mut Model, key: Key) -> Vec<ScreenCommand> {
    match &model.task {
        CashierTask::Amount { typed } => {
            let typed = typed.clone();
            typing(model, typed, key)
        }
        CashierTask::Code { .. } => {
            match key {
                Key::Esc => next_sale(model),
                Key::Char(_) | Key::Backspace => note(model, Note::EscFirst),
                Key::Enter | Key::Tab | Key::Up | Key::Down | Key::F(_) | Key::Ctrl(_) => {}
            }
            Vec::new()
        }
        CashierTask::Starting { .. } => Vec::new(),
        CashierTask::Payment(order) => {
            let order = order.clone();
            pressed_at_payment(model, order, key)
        }
    }
}

fn typing(model: &mut Model, mut typed: String, key: Key) -> Vec<ScreenCommand> {
    let settings = &model.settings;
    match key {
        Key::Char(character) => {
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
                model.dialog = Some(Dialog::LargeAmount(amount));
                Vec::new()
            }
            Ok(amount) => ask_for_code(model, SaleRef::New(amount)),
            Err(why) => {
                note(model, Note::NotAnAmount(why));
                Vec::new()
            }
        },
        Key::Tab | Key::Up | Key::Down | Key::F(_) | Key::Ctrl(_) => Vec::new(),
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

fn ask_for_code(model: &mut Model, sale: SaleRef) -> Vec<ScreenCommand> {
    model.task = CashierTask::Code { sale };
    model.note = None;
    warm_up(model)
}

fn next_sale(model: &mut Model) {
    model.task = CashierTask::Amount { typed: String::new() };
    model.note = None;
    model.tidy();
}

fn pressed_at_payment(model: &mut Model, order: OutTradeNo, key: Key) -> Vec<ScreenCommand> {
    let Some(attempt) = model.attempt(&order) else {
        next_sale(model);
        return Vec::new();
    };
    match attempt.view.state.status() {
        Status::Created | Status::Sent | Status::Waiting | Status::Checking => {
            if key == Key::Esc {
                if attempt.cancelled {
                    note(model, Note::AlreadyReversing);
                } else {
                    model.dialog = Some(Dialog::Cancel(order));
                }
            }
        }
        Status::Reversing | Status::Attention => match key {
            Key::Enter => model.dialog = Some(Dialog::Unsettled(order)),
            Key::Esc if attempt.view.state.status() == Status::Reversing => {
                note(model, Note::AlreadyReversing);
            }
            Key::Esc | Key::Char(_) => note(model, Note::PressEnterForOptions),
            Key::Tab | Key::Backspace | Key::Up | Key::Down | Key::F(_) | Key::Ctrl(_) => {}
        },
        Status::Paid | Status::Declined | Status::Reversed => match key {
            Key::Enter | Key::Esc => next_sale(model),
            Key::Char(_) => {
                next_sale(model);
                return typing(model, String::new(), key);
            }
            Key::Tab | Key::Backspace | Key::Up | Key::Down | Key::F(_) | Key::Ctrl(_) => {}
        },
    }
    Vec::new()
}

fn answered(model: &mut Model, dialog: Dialog, key: Key) -> Vec<ScreenCommand> {
    if key == Key::Esc {
        model.dialog = None;
        return Vec::new();
    }
    // A scanner that types must not answer a question: its code was too short to be recognised as a
    // scan.
    let is_typed = model.last_character.is_some_and(|last| model.now.since(last) < BOUNCE);
    if key == Key::Enter && is_typed && model.is_asking() {
        return Vec::new();
    }
    match dialog {
        Dialog::Help => {
            if matches!(key, Key::F(1) | Key::Enter) {
                model.dialog = None;
            }
            Vec::new()
        }
        Dialog::Training { chosen } => {
            let names = model.settings.training.as_ref().map_or(0, Vec::len);
            match key {
                Key::Up => {
                    let chosen = chosen.checked_sub(1).unwrap_or_else(|| names.saturating_sub(1));
                    model.dialog = Some(Dialog::Training { chosen });
                }
                Key::Down | Key::Tab => {
                    let chosen = if chosen + 1 < names { chosen + 1 } else { 0 };
                    model.dialog = Some(Dialog::Training { chosen });
                }
                Key::Enter => {
                    model.dialog = None;
                    return vec![ScreenCommand::Train(chosen)];
                }
                Key::Char(_) | Key::Backspace | Key::Esc | Key::F(_) | Key::Ctrl(_) => {}
            }
            Vec::new()
        }
        Dialog::LargeAmount(amount) => {
            if key != Key::Enter {
                return Vec::new();
            }
            model.dialog = None;
            ask_for_code(model, SaleRef::New(amount))
        }
        Dialog::Cancel(order) => {
            if key != Key::Enter {
                return Vec::new();
            }
            model.dialog = None;
            if let Some(attempt) = model.attempt_mut(&order) {
                attempt.cancelled = true;
            }
            vec![ScreenCommand::Cancel(order)]
        }
        Dialog::Unsettled(_) => {
            if key == Key::Enter {
                model.dialog = None;
                next_sale(model);
            }
            Vec::new()
        }
        Dialog::Quit => {
            if key != Key::Enter {
                return Vec::new();
            }
            vec![ScreenCommand::Quit]
        }
    }
}

fn scanned(model: &mut Model, scan: Scan) -> Vec<ScreenCommand> {
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
    model.ring();
}

fn moved(model: &mut Model, view: AttemptView, event: &Event) -> Vec<ScreenCommand> {
    let order = view.out_trade_no.clone();
    let status = view.state.status();
    let (sale, recorded) = (view.sale, view.recorded);
    let before = model.attempt(&order).map(|attempt| attempt.view.state.status());
    if model.attempt(&order).is_none() {
        model.attempts.push(ShownAttempt::new(view.clone()));
    }
    if let Some(attempt) = model.attempt_mut(&order) {
        attempt.story.add(event, before, &view);
        attempt.cancelled |= *event == Event::Cancel;
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
        model.ring();
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

/// Closes a question about a payment once the payment itself has answered it.
fn close_outdated_dialog(model: &mut Model, order: &OutTradeNo, status: Status) {
    let outdated = match &model.dialog {
        Some(Dialog::Cancel(asked)) => {
            asked == order
                && !matches!(
                    status,
                    Status::Created | Status::Sent | Status::Waiting | Status::Checking
                )
        }
        Some(Dialog::Unsettled(asked)) => {
            asked == order && !matches!(status, Status::Reversing | Status::Attention)
        }
        Some(Dialog::Quit) => !model.is_anything_open(),
        Some(Dialog::Help | Dialog::Training { .. } | Dialog::LargeAmount(_)) | None => false,
    };
    if outdated {
        model.dialog = None;
        model.overtaken_at = Some(model.now);
    }
}
