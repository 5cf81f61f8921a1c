//! What each message does to the model, and what the till must do in return.
//!
//! The rules that hold on every page are here: a question on the screen is answered before anything
//! else, and a key meant for something that has just left the screen does nothing. What a key or a
//! scan does on a page is the page's. A command is only a request: a payment changes on the screen
//! when the till reports the change.

use super::dialog::{answered, close_outdated_dialog};
use super::guard::{drop_character, goes_on_being_dropped, is_of_a_scan, may_answer, take_back};
use super::model::{Dialog, LastInput, Model, ShownAttempt, ShownNotice, SlipState};
use super::note::{Note, Which};
use super::overlays::commands::chosen_of;
use super::pages::checkout::{self, CashierTask};
use super::pages::find::{self, FindPage};
use super::pages::{self, MoneyPage, cash, code, lock, shift};
use super::paper::{drawer, elsewhere, no_slip, printed, printed_again, slips_left};
use super::sound::Sound;
use super::tray::needs_a_person;
use super::{AttemptView, Key, Link, SaleRef, ScreenCommand, ScreenMessage, ring_up, tray};
use crate::clean::clean;
use crate::clock::{Millis, Timestamp, Uptime};
use crate::engine::RefundRecord;
use crate::language::Text;
use crate::money::Money;
use crate::payment::{Event, Status};
use crate::refund::RefundStatus;
use crate::sale::tender::Cash;
use crate::scan::SCAN_LENGTH;
use crate::text::story::{Happened, Means};

/// An Enter within this time of another is the same press, held or bouncing.
const BOUNCE: Millis = Millis(50);
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
    model.consent = None;
    model.find_what_was_brought_back();
    let asked = model.dialog.clone();
    let mut commands = if model.is_locked() {
        lock::takes(model, message).unwrap_or_else(|message| handle(model, *message))
    } else {
        handle(model, message)
    };
    commands.extend(turn_the_day(model));
    if model.dialog != asked {
        model.asked_at = now;
    }
    commands
}

/// A new day's orders are read, if one has begun.
fn turn_the_day(model: &mut Model) -> Option<ScreenCommand> {
    let Model { day, attempts, settings, wall, .. } = model;
    let today = wall.day(&settings.time_zone);
    if !day.turn(today) {
        return None;
    }
    for attempt in attempts {
        day.moved(&attempt.view, &settings.time_zone, settings.currency);
    }
    Some(ScreenCommand::ReadDay(today))
}

fn handle(model: &mut Model, message: ScreenMessage) -> Vec<ScreenCommand> {
    match message {
        ScreenMessage::Key(key) => pressed(model, key, model.now),
        ScreenMessage::EarlierKey(key, at) => pressed(model, key, at),
        ScreenMessage::AmountEnds(at) => {
            model.last_input = LastInput { at: Some(at), key: Some(Key::Enter) };
            if model.has_page() {
                return Vec::new();
            }
            checkout::ask_about_the_amount(model);
            Vec::new()
        }
        ScreenMessage::Scanned(scan) => {
            model.last_input = LastInput { at: Some(model.now), key: None };
            if is_for_the_page(model) {
                return find::scanned(model, &scan);
            }
            checkout::scanned(model, scan, true)
        }
        ScreenMessage::Sought(text) => sought(model, &text.0),
        ScreenMessage::Found { serial, result } => find::found(model, serial, result),
        ScreenMessage::DayRead { date, orders } => {
            model.day.read(date, orders);
            Vec::new()
        }
        ScreenMessage::Enquired { serial, enquired } => find::answered(model, serial, enquired),
        ScreenMessage::KeyScan { text, is_alone, .. } if is_for_the_page(model) => {
            model.last_input = LastInput { at: Some(model.now), key: None };
            find::sought(model, &text.0, is_alone)
        }
        ScreenMessage::KeyScan { scan, began, is_alone, .. } => {
            find::take_away(model);
            let is_restored = take_back(model, began);
            let commands = checkout::scanned(model, scan, is_alone);
            if is_restored && let Some(why) = model.note.take() {
                note(model, Note::TakenBack(Box::new(why)));
            }
            commands
        }
        ScreenMessage::DroppedKeys { characters, began } => {
            let is_restored = take_back(model, began);
            if characters > 0 {
                find::take_away(model);
                let is_scan = characters >= SCAN_LENGTH;
                let why = if is_scan { Note::UnendedBurst } else { Note::TooFast };
                note(model, if is_restored { Note::TakenBack(Box::new(why)) } else { why });
                model.ring(Sound::NeedsYou);
            }
            Vec::new()
        }
        ScreenMessage::SignedIn { serial, found } => lock::answered(model, serial, found),
        ScreenMessage::Operators(all) => {
            lock::lock_if_removed(model, &all);
            Vec::new()
        }
        ScreenMessage::RealCode => told(model, Note::RealCode),
        ScreenMessage::Attempt(view, event) => moved(model, view, &event),
        ScreenMessage::NotBegun(refusal) => {
            if let CashierTask::Starting { sale } = model.task {
                model.task = CashierTask::Code { sale };
            }
            note(model, Note::NotBegun(refusal));
            model.ring(Sound::NeedsYou);
            Vec::new()
        }
        ScreenMessage::Refund { refund, before } => refund_moved(model, *refund, before),
        ScreenMessage::NotRefunded(why) => {
            let why = Note::NotRefunded(why, model.settings.currency);
            not_refunded(model, why)
        }
        ScreenMessage::RefundNotRead(why) => {
            not_refunded(model, Note::RefundNotRead(why.map(|why| clean(why, FAULT_SHOWN))))
        }
        ScreenMessage::Gateway(link) => linked(&mut model.gateway, link),
        ScreenMessage::Scanner(link) => linked(&mut model.scanner, link),
        ScreenMessage::Printer(link) => linked(&mut model.printer, link),
        ScreenMessage::Display(link) => linked(&mut model.display, link),
        ScreenMessage::Printed { out_trade_no, how } => printed(model, &out_trade_no, how),
        ScreenMessage::BillPrinted { out_trade_no, how } => {
            code::bill_printed(model, &out_trade_no, how)
        }
        ScreenMessage::SlipsLeft { waiting, perhaps } => slips_left(model, waiting, perhaps),
        ScreenMessage::NoSlip(order) => no_slip(model, &order),
        ScreenMessage::Goods(message) => ring_up::answered(model, message),
        ScreenMessage::Drawer(how) => drawer(model, how),
        ScreenMessage::Money(news) => pages::told(model, news),
        ScreenMessage::JournalFailed(why) => {
            stop(model, &why);
            Vec::new()
        }
        ScreenMessage::Time => {
            lock::lock_if_left_alone(model);
            let mut commands = checkout::keep_warm(model);
            commands.extend(lock::read_operators(model));
            commands
        }
    }
}

/// A refund is kept while it has work left or needs a person, and while orders are looked at: the
/// page may be reading one, or asking about it. What became of it is said at once.
fn refund_moved(
    model: &mut Model,
    refund: RefundRecord,
    before: Option<RefundStatus>,
) -> Vec<ScreenCommand> {
    let status = refund.state.status();
    let is_looked_at = model.find.is_some();
    model.refunds.retain(|known| known.out_refund_no != refund.out_refund_no);
    model.refunds.push(refund.clone());
    model.refunds.retain(|known| is_looked_at || known.state.is_open() || needs_a_person(known));
    let commands = find::refund_moved(model, &refund);
    if before != Some(status) {
        let needs_you = matches!(status, RefundStatus::Refused | RefundStatus::Attention);
        if needs_you || !refund.recorded {
            model.ring(Sound::NeedsYou);
        }
        let amount = model.money(refund.amount);
        let which = Which { amount, tail: refund.out_trade_no.tail().to_owned() };
        note(model, Note::Refund(which, Box::new(refund)));
    }
    commands
}

fn not_refunded(model: &mut Model, why: Note) -> Vec<ScreenCommand> {
    model.ring(Sound::NeedsYou);
    told(model, why)
}

fn told(model: &mut Model, what: Note) -> Vec<ScreenCommand> {
    note(model, what);
    Vec::new()
}

fn linked(known: &mut Link, now: Link) -> Vec<ScreenCommand> {
    *known = now;
    Vec::new()
}

/// The journal has failed: nothing more is sold.
fn stop(model: &mut Model, why: &Text) {
    model.stopped = Some(why.map(|why| clean(why, FAULT_SHOWN)));
    model.dialog = None;
    model.find = None;
    model.money_page = None;
    model.note = None;
    model.ring(Sound::NeedsYou);
}

/// Whether a scan is a number to look for. A question comes before it.
fn is_for_the_page(model: &mut Model) -> bool {
    if model.find.is_some() && !model.is_asking() {
        model.dialog = None;
        return true;
    }
    false
}

fn sought(model: &mut Model, text: &str) -> Vec<ScreenCommand> {
    model.last_input = LastInput { at: Some(model.now), key: None };
    if is_for_the_page(model) {
        return find::sought(model, text, true);
    }
    // Something asks: what the page shows is no answer to this scan.
    find::take_away(model);
    model.ring(Sound::NeedsYou);
    Vec::new()
}

fn note(model: &mut Model, note: Note) {
    model.note = Some(note);
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
    let face = |model: &Model| {
        let money = model.money_page.as_ref().map(MoneyPage::face);
        let rung_up = (model.ring_up.sale.clone(), model.ring_up.chosen);
        (model.find.as_ref().map(FindPage::face), money, rung_up)
    };
    let page = face(model);
    let commands = if goes_on_being_dropped(model, key, at) {
        Vec::new()
    } else {
        obeyed(model, key, at, before)
    };
    let is_same = model.task == task && model.dialog == dialog && model.language == language;
    let is_same = is_same && !model.is_locked() && face(model) == page;
    if is_same && model.notices.len() == notices && commands.is_empty() && model.note.is_none() {
        model.note = why;
    }
    commands
}

fn obeyed(model: &mut Model, key: Key, at: Uptime, before: LastInput) -> Vec<ScreenCommand> {
    match key {
        Key::Ctrl('l') if model.settings.draws_chinese => {
            model.turn_language();
            return Vec::new();
        }
        Key::F(12) | Key::Ctrl('k') if model.can_lock() => {
            lock::lock(model);
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
            Dialog::Refund(_) => key == Key::F(8),
            Dialog::Training { .. } | Dialog::Held { .. } => {
                key == Key::Enter && is_of_a_scan(before)
            }
            // Letters find a command, so only a scan may have pressed this Enter.
            Dialog::Commands { .. } | Dialog::Goods { .. } => {
                key == Key::Enter && before.key.is_none()
            }
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
            let Some((command, ..)) = chosen_of(model, typed, *chosen) else {
                return Vec::new();
            };
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
        // The desk comes first: a notice that has been seen goes with the Enter that is for the sale.
        if model.is_idle() {
            return Vec::new();
        }
    }
    if let Some(commands) = on_a_page(model, key, at, before) {
        return commands;
    }
    if model.is_finding() && key != Key::F(9) {
        return find::pressed(model, key);
    }
    // Whatever is done at the desk is done about the payment that is there.
    if matches!(key, Key::F(5 | 9) | Key::Enter | Key::Esc) {
        model.brought_back = None;
    }
    match key {
        Key::F(5) => {
            model.can_check_now().cloned().map(ScreenCommand::CheckNow).into_iter().collect()
        }
        Key::Ctrl('n') => {
            tray::go_on(model);
            Vec::new()
        }
        Key::Tab => {
            tray::come_back(model);
            Vec::new()
        }
        Key::F(4) => code::open(model),
        Key::F(9) => printed_again(model),
        Key::Ctrl('t') => train(model),
        key => checkout::pressed(model, key, at),
    }
}

/// What opens a page, and what is for the page of cash or of the shift.
fn on_a_page(
    model: &mut Model,
    key: Key,
    at: Uptime,
    before: LastInput,
) -> Option<Vec<ScreenCommand>> {
    match key {
        Key::F(7) => {
            model.money_page = None;
            Some(find::open(model))
        }
        Key::F(8) => {
            model.money_page = None;
            Some(find::refund(model))
        }
        Key::F(6) if model.money_page.is_none() => Some(cash::open(model)),
        Key::F(10) if model.money_page.is_none() => Some(shift::open(model)),
        _ if model.money_page.is_some() => Some(pages::pressed(model, key, at, before)),
        _ => None,
    }
}

/// Offers the training customers, once there is an amount.
fn train(model: &mut Model) -> Vec<ScreenCommand> {
    if model.can_train() {
        model.dialog = Some(Dialog::Training { chosen: 0 });
    } else if model.settings.training.is_some() && matches!(model.task, CashierTask::Amount { .. })
    {
        note(model, Note::AmountFirst);
    }
    Vec::new()
}

fn moved(model: &mut Model, view: AttemptView, event: &Event) -> Vec<ScreenCommand> {
    let order = view.out_trade_no.clone();
    let status = view.state.status();
    let (sale, recorded) = (view.sale, view.recorded);
    let before = model.attempt(&order).map(|attempt| attempt.view.state.status());
    let now = model.now;
    model.day.moved(&view, &model.settings.time_zone, model.settings.currency);
    let (is_new, cash) = (*event == Event::Begun, view.state.cash().copied());
    model.note_part(&view, is_new);
    if model.attempt(&order).is_none() {
        model.attempts.push(ShownAttempt::new(view.clone()));
    }
    if let Some(attempt) = model.attempt_mut(&order) {
        attempt.story.add(Happened {
            event,
            before,
            status,
            means: Means::of(&view.state),
            at: view.updated_at,
            by: None,
        });
        attempt.cancelled |= *event == Event::Cancel;
        let has_ended = status.is_settled();
        if before != Some(status) && has_ended {
            attempt.ended_at = Some(now);
        }
        // A slip that waits, or is missing, says what is no longer so.
        if before != Some(status) && !status.has_slip() {
            attempt.paper = SlipState::None;
        }
        (attempt.view, attempt.is_heard_of) = (view, true);
    }
    let rest = cash.map(Cash::left).filter(|left| is_new && *left > Money::default());
    if is_new && matches!(model.task, CashierTask::Starting { .. }) {
        ring_up::begun(model, &order);
        model.task = match rest {
            Some(left) => CashierTask::Code { sale: SaleRef::Again(sale, left) },
            None => CashierTask::Payment(order.clone()),
        };
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
    if status == Status::Paid && rest.is_none() && asks_for == Some(sale) {
        model.task = CashierTask::Payment(order.clone());
        model.note = None;
    }
    close_outdated_dialog(model, &order, status);

    let read_again = find::attempt_moved(model, &order);

    let found_at_start = before.is_none() && matches!(event, Event::Restarted { .. });
    let mut commands = read_again;
    if before != Some(status) && status.is_final_for_cashier() && !found_at_start {
        let sound = match status {
            // The next start decides, and may return the money.
            _ if !recorded => Sound::NeedsYou,
            // Whoever only listens would hand these goods to the customer at the desk.
            _ if !model.is_at_hand(&order) || model.is_passing(&order) => Sound::NotAtTheDesk,
            Status::Paid => Sound::Paid,
            Status::Declined | Status::Reversed | Status::Closed => Sound::NotPaid,
            Status::Created
            | Status::Sent
            | Status::Waiting
            | Status::Checking
            | Status::Reversing
            | Status::Attention => Sound::NeedsYou,
        };
        if rest.is_some() {
            // The sale goes on.
        } else if recorded {
            model.ring_for(sound, &order);
        } else {
            model.ring(sound);
        }
        if model.is_at_hand(&order) && !model.has_page() && !model.is_locked() {
            model.note = None;
        } else if rest.is_none() && !model.notices.iter().any(|notice| notice.order == order) {
            model.notices.push_back(ShownNotice { order: order.clone(), since: model.now });
        }
        let prints = model.settings.auto_print && model.settings.printer_configured && recorded;
        if let Some(attempt) = model.attempt_mut(&order)
            && prints
            && attempt.view.state.brings_slip()
            && attempt.slip_of != Some((status, attempt.view.state.money()))
        {
            attempt.paper = SlipState::Asked;
            attempt.slip_of = Some((status, attempt.view.state.money()));
            if !model.printer_is_there() {
                let which = elsewhere(model, &order);
                note(model, Note::ReceiptWaits(which));
            }
            commands.push(ScreenCommand::Print { out_trade_no: order, copy: false });
        }
    }
    model.tidy();
    commands
}
