//! The till is locked: somebody signs in, and nothing else is done. The same page asks a manager to
//! agree to one act of a cashier.
//!
//! Open payments go on, ring and print. A PIN alone says who somebody is; a key does nothing but type
//! it, and a scan is refused by its name.

use ratatui::layout::Rect;
use ratatui::widgets::BorderType;

use crate::clean::clean;
use crate::clock::{Millis, Uptime};
use crate::operators::{NotAPin, Operator, Role};
use crate::screen::Sound;
use crate::screen::guard::may_answer;
use crate::screen::model::{Dialog, LastInput, Model, ShownAttempt, ShownNotice};
use crate::screen::note::{Instead, Note, Scanned};
use crate::screen::pages::checkout::{CashierTask, next_sale};
use crate::screen::palette::Tone;
use crate::screen::pin::{PinEntry, PinFault, PinWait, SignedIn};
use crate::screen::shapes::PADLOCK;
use crate::screen::view::Canvas;
use crate::screen::view::sheet::{Head, Sheet, inside};
use crate::screen::{Key, ScreenCommand, ScreenMessage};
use crate::text::screen::{HelpWords, LockWords};

/// How often it is looked whether whoever has signed in was removed, and with the next beat of the
/// screen, which may be a minute later.
const LOOKS_EVERY: Millis = Millis::seconds(30);
/// Cells of a fault's text.
const FAULT: usize = 200;

/// The page.
#[derive(Debug, Default)]
pub(in crate::screen) struct LockPage {
    pin: PinEntry,
    /// What a manager is asked to agree to: then somebody is signed in, and nothing is locked away.
    consent: Option<ScreenCommand>,
}

impl Model {
    /// Whether nothing is done but sign in, or agree to something. A till that has stopped has nothing to protect.
    pub fn is_locked(&self) -> bool {
        self.lock.is_some() && self.stopped.is_none()
    }

    /// Whether the till can be locked.
    pub(in crate::screen) fn can_lock(&self) -> bool {
        self.operator.is_some() && self.stopped.is_none()
    }

    /// Whether the page changes every second.
    pub(in crate::screen) fn counts_down_the_lock(&self) -> bool {
        let waits = self.is_locked() && self.pin_wait.left(self.now).is_some();
        waits || (self.settings.lock_after.is_some() && self.can_lock())
    }

    /// Whether nobody has been here for so long that the till locks itself; never beside an open
    /// payment.
    fn is_left_alone(&self) -> bool {
        let Some(after) = self.settings.lock_after.filter(|_| self.can_lock()) else {
            return false;
        };
        let is_idle = match self.task {
            CashierTask::Amount { .. } | CashierTask::Code { .. } => true,
            CashierTask::Starting { .. } => false,
            CashierTask::Payment(_) => !self.at_hand().is_some_and(ShownAttempt::is_in_tray),
        };
        // Whoever waits for the customer presses nothing, and reads the result.
        let ended_at = self.at_hand().and_then(|attempt| attempt.ended_at);
        let last = self.last_input.at.max(ended_at);
        is_idle && last.is_none_or(|at| self.now.since(at) >= after)
    }
}

/// Locks the till. What has not been sent is discarded; a payment at the desk stays there, and is
/// shown like the others that are open.
pub(in crate::screen) fn lock(model: &mut Model) {
    match &model.task {
        // Cash was taken of it.
        CashierTask::Code { .. } if model.part_paid_at_desk().is_some() => {}
        CashierTask::Amount { .. } | CashierTask::Code { .. } => next_sale(model),
        // It was only passed: nobody stays at it now, and the customer here is not its.
        CashierTask::Payment(order) if model.is_passing(order) => {
            let order = order.clone();
            if !model.at_hand().is_some_and(ShownAttempt::is_in_tray) {
                model.notices.push_back(ShownNotice { order, since: model.now });
            }
            next_sale(model);
        }
        CashierTask::Starting { .. } | CashierTask::Payment(_) => {}
    }
    model.find = None;
    model.money_page = None;
    model.dialog = None;
    model.note = None;
    model.typing = None;
    model.dropped_at = None;
    model.operator = None;
    model.lock = Some(LockPage::default());
}

/// Does something that a cashier may not do alone, or has a manager asked first.
pub(in crate::screen) fn with_consent(model: &mut Model, act: ScreenCommand) -> Vec<ScreenCommand> {
    match &model.operator {
        Some(operator) if operator.role == Role::Cashier => {
            model.note = None;
            model.lock = Some(LockPage { consent: Some(act), ..LockPage::default() });
            Vec::new()
        }
        Some(_) | None => vec![act],
    }
}

/// Locks the till if it is time to.
pub(in crate::screen) fn lock_if_left_alone(model: &mut Model) {
    if model.is_left_alone() {
        // A result at the desk is nothing for whoever signs in next.
        if model.part_paid_at_desk().is_none() {
            next_sale(model);
        }
        lock(model);
    }
}

/// Asks who is left, now and then.
pub(in crate::screen) fn read_operators(model: &mut Model) -> Option<ScreenCommand> {
    let is_due = model.now.since(model.operators_read_at) >= LOOKS_EVERY;
    if !is_due || !model.can_lock() {
        return None;
    }
    model.operators_read_at = model.now;
    Some(ScreenCommand::ReadOperators)
}

/// Locks the till if whoever has signed in is not in the list any more, or not as what they were.
/// Without anybody in it nobody could open it again.
pub(in crate::screen) fn lock_if_removed(model: &mut Model, all: &[Operator]) {
    let is_removed = |operator: &Operator| !all.is_empty() && !all.contains(operator);
    if model.operator.as_ref().is_some_and(is_removed) && model.can_lock() {
        lock(model);
    }
}

/// What a message does while the till is locked, or the message, if it is about something else than
/// whoever stands in front of it.
pub(in crate::screen) fn takes(
    model: &mut Model,
    message: ScreenMessage,
) -> Result<Vec<ScreenCommand>, Box<ScreenMessage>> {
    match message {
        ScreenMessage::Key(key) => Ok(pressed(model, key, model.now)),
        ScreenMessage::EarlierKey(key, at) => Ok(pressed(model, key, at)),
        ScreenMessage::AmountEnds(_) => Ok(Vec::new()),
        ScreenMessage::Scanned(scan) => {
            refuse(model, Note::Refused(Scanned::of(&scan), instead(model)));
            Ok(Vec::new())
        }
        ScreenMessage::KeyScan { scan, .. } => {
            refuse(model, Note::Refused(Scanned::of(&scan), instead(model)));
            Ok(Vec::new())
        }
        ScreenMessage::Sought(_) => {
            refuse(model, Note::Refused(Scanned::Noise, instead(model)));
            Ok(Vec::new())
        }
        ScreenMessage::DroppedKeys { characters, .. } => {
            if characters > 0 {
                refuse(model, Note::TooFast);
            }
            Ok(Vec::new())
        }
        other => Err(Box::new(other)),
    }
}

fn instead(model: &Model) -> Instead {
    let asks_a_manager = model.lock.as_ref().is_some_and(|page| page.consent.is_some());
    if asks_a_manager { Instead::Consent } else { Instead::SignIn }
}

/// A scan, or keys of a machine: no part of a PIN.
fn refuse(model: &mut Model, why: Note) {
    model.last_input = LastInput { at: Some(model.now), key: None };
    if let Some(page) = &mut model.lock {
        page.pin.clear();
    }
    model.note = Some(why);
    model.ring(Sound::NeedsYou);
}

fn pressed(model: &mut Model, key: Key, at: Uptime) -> Vec<ScreenCommand> {
    let last =
        LastInput { at: Some(model.last_input.at.map_or(at, |last| last.max(at))), key: Some(key) };
    let before = std::mem::replace(&mut model.last_input, last);
    match (key, &model.dialog) {
        (Key::Ctrl('l'), _) => model.turn_language(),
        (Key::Enter | Key::Esc | Key::F(1), Some(Dialog::Help)) => model.dialog = None,
        (Key::F(1), None) => model.dialog = Some(Dialog::Help),
        (_, Some(_)) => {}
        (Key::F(12) | Key::Ctrl('k'), None) if model.can_lock() => lock(model),
        (Key::Esc, None) if model.lock.as_ref().is_some_and(LockPage::can_be_left) => {
            leave(model);
        }
        // The Enter of a scan that came in pieces ends no PIN.
        (Key::Enter, None) if before.key.is_none() && !may_answer(model, at, before) => {}
        (key, None) => return typed(model, key),
    }
    Vec::new()
}

fn typed(model: &mut Model, key: Key) -> Vec<ScreenCommand> {
    if model.pin_wait.left(model.now).is_some() {
        return Vec::new();
    }
    let serial = model.pins + 1;
    let Some(page) = &mut model.lock else { return Vec::new() };
    let before = page.pin.count();
    let pin = page.pin.press(key, serial);
    if page.pin.count() != before {
        model.note = None;
    }
    let Some(pin) = pin else { return Vec::new() };
    model.pins = serial;
    vec![ScreenCommand::SignIn { serial, pin }]
}

/// Whose PIN it was.
pub(in crate::screen) fn answered(
    model: &mut Model,
    serial: u64,
    found: SignedIn,
) -> Vec<ScreenCommand> {
    let now = model.now;
    let Some(page) = &mut model.lock else { return Vec::new() };
    let was_asking = page.pin.is_asking();
    let Some(operator) = page.pin.answer(serial, found, now, &mut model.pin_wait) else {
        if was_asking && !page.pin.is_asking() {
            model.ring(Sound::NeedsYou);
        }
        return Vec::new();
    };
    let act = page.consent.take();
    if act.is_some() && operator.role == Role::Cashier {
        page.consent = act;
        page.pin.refuse(operator.name);
        model.ring(Sound::NeedsYou);
        return Vec::new();
    }
    // A cashier's own PIN would let them go on guessing a manager's.
    if operator.role == Role::Manager {
        model.pin_wait = PinWait::default();
    }
    leave(model);
    // Another Enter was for the PIN.
    model.overtaken_at = Some(now);
    if act.is_some() {
        model.consent = Some(operator.name);
    } else {
        model.operators_read_at = now;
        model.operator = Some(operator);
    }
    act.into_iter().collect()
}

/// The page goes, and the desk is as it was left.
fn leave(model: &mut Model) {
    model.lock = None;
    model.dialog = None;
    // What ended at the desk meanwhile is read there.
    if let CashierTask::Payment(order) = &model.task
        && !model.has_page()
    {
        model.notices.retain(|notice| notice.order != *order);
    }
    // The page has taken it away, and whoever comes now may not have read it.
    let missing = model.missing_slips();
    model.note = (missing > 0 && model.stopped.is_none()).then_some(Note::SlipsMissing(missing));
}

/// The keys that work.
pub(in crate::screen) fn keys(model: &Model, show: &mut impl FnMut(&'static str, &'static str)) {
    let (text, words) = (model.text(), LockWords::of(model.language));
    let Some(page) = &model.lock else { return };
    if page.pin.count() > 0 {
        let asks_a_manager = page.consent.is_some();
        show("Enter", if asks_a_manager { words.key_agree() } else { words.key_sign_in() });
        show("Esc", text.key_clear());
    } else if page.can_be_left() {
        show("Esc", text.key_back());
    }
}

/// What the help page says about it.
pub(in crate::screen) fn help(model: &Model) -> &'static [&'static str] {
    HelpWords::of(model.language).lock()
}

impl LockPage {
    /// Whether Esc leads back: nobody has to agree.
    fn can_be_left(&self) -> bool {
        self.consent.is_some() && self.pin.count() == 0 && !self.pin.is_asking()
    }
}

/// What is wrong, or to be done.
fn next(model: &Model, page: &LockPage) -> String {
    let (words, pin) = (LockWords::of(model.language), &page.pin);
    if pin.is_asking() {
        words.checking().to_owned()
    } else if let Some(left) = model.pin_wait.left(model.now) {
        words.wait(seconds(left))
    } else {
        let is_manager = page.consent.is_some();
        if is_manager { words.enter_manager_pin() } else { words.enter_pin() }.to_owned()
    }
}

/// Begun ones count.
const fn seconds(left: Millis) -> u64 {
    left.0.div_ceil(1000)
}

fn fault(model: &Model, why: &PinFault) -> String {
    let words = LockWords::of(model.language);
    match why {
        PinFault::NotAPin(NotAPin::Length | NotAPin::Obvious) => words.so_many_digits().to_owned(),
        PinFault::NotAPin(NotAPin::NotDigits) => words.digits_only().to_owned(),
        PinFault::Wrong => words.wrong().to_owned(),
        PinFault::NotAManager(name) => words.not_a_manager(name),
        PinFault::Unreadable(why) => {
            words.unreadable(&clean(why.in_language(model.language), FAULT))
        }
    }
}

fn what(model: &Model, page: &LockPage) -> Vec<String> {
    let words = LockWords::of(model.language);
    let open = match model.tray().len() {
        _ if page.consent == Some(ScreenCommand::OpenDrawer) => {
            words.consent_to_drawer().to_owned()
        }
        _ if page.consent.is_some() => words.consent_to_act().to_owned(),
        0 => words.nothing_open().to_owned(),
        1 => words.one_open().to_owned(),
        count => words.open(count),
    };
    std::iter::once(open).chain(page.pin.said().map(|why| fault(model, why))).collect()
}

const fn word(model: &Model, page: &LockPage) -> &'static str {
    let words = LockWords::of(model.language);
    if page.consent.is_some() { words.consent() } else { words.locked() }
}

impl Canvas<'_> {
    pub(in crate::screen) fn lock_page(&mut self, area: Rect, page: &LockPage) {
        let model = self.model;
        self.head = Head::of(area.width, area.height, 0);
        let is_wrong = page.pin.said().is_some() && page.pin.count() == 0;
        let sheet = Sheet {
            tone: if is_wrong { Tone::Bad } else { Tone::Calm },
            border: BorderType::Rounded,
            is_filled: false,
            shape: &PADLOCK,
            word: word(model, page).to_owned(),
            detail: String::new(),
            amount: String::new(),
            has_large_word: false,
            what: what(model, page),
            meter: None,
            next: next(model, page),
            also: String::new(),
        };
        self.sheet(area, &sheet);
        let place = self.head.amount(inside(area));
        let strong = self.palette.strong();
        self.put(place, 0, place.height / 2, &page.pin.stars(), strong);
    }

    /// The page in a window that is too small: the most important first.
    pub(in crate::screen) fn lock_in_few_lines(&self, page: &LockPage) -> Vec<String> {
        let model = self.model;
        let fault = page.pin.said().map(|why| fault(model, why));
        let stars = Some(page.pin.stars()).filter(|stars| !stars.is_empty());
        let word = Some(word(model, page).to_owned());
        word.into_iter().chain(fault).chain([next(model, page)]).chain(stars).collect()
    }
}
