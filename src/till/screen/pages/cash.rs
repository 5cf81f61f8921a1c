//! Cash: what a customer gives for a sale, and what goes into the drawer and out of it without one.
//!
//! Nothing here opens the drawer or counts as taken: that is what the journal's word does.

use ratatui::layout::Rect;
use ratatui::widgets::BorderType;

use super::MoneyPage;
use super::field::Field;
use crate::clock::Uptime;
use crate::engine::SaleRef;
use crate::language::Language;
use crate::money::{Money, NotAnAmount, grouped_thousands};
use crate::payment::Status;
use crate::sale::tender::Cash;
use crate::screen::guard::{is_of_a_scan, may_answer};
use crate::screen::model::{Dialog, LastInput, Model, symbol_before};
use crate::screen::note::Note;
use crate::screen::pages::checkout::{CashierTask, ask_for_code, next_sale};
use crate::screen::palette::Tone;
use crate::screen::part_paid::PartPaid;
use crate::screen::shapes;
use crate::screen::view::Canvas;
use crate::screen::view::sheet::Sheet;
use crate::screen::{Key, ScreenCommand};
use crate::text::screen::{CashWords, HelpWords, ScreenWords};

use super::lock;

/// A text this long is no amount in any currency.
const AMOUNT_MAX: usize = 16;
const REASON_MAX: usize = 40;
/// Nobody gives so much more than is due, in major units: the largest note in use is 100.
const ODD_CHANGE: i64 = 100;

/// The page.
#[derive(Debug)]
pub(in crate::screen) enum CashPage {
    /// What the customer gives.
    Tender { sale: SaleRef, given: Field },
    /// What to do with the drawer.
    Drawer { chosen: usize },
    /// Cash goes in or out; the reason is typed once the amount is.
    Move { is_out: bool, amount: Field, reason: Option<Field> },
}

/// What can be done with the drawer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum DrawerAct {
    /// Go on with a sale that was paid in part.
    Rest,
    NoSale,
    In,
    Out,
}

impl CashPage {
    pub(super) fn face(&self) -> (String, usize) {
        match self {
            Self::Tender { given, .. } => (given.text().to_owned(), 0),
            Self::Drawer { chosen } => (String::new(), 1 + chosen),
            Self::Move { amount, reason, .. } => {
                let reason = reason.as_ref().map(|reason| format!("\n{}", reason.text()));
                (amount.text().to_owned() + &reason.unwrap_or_default(), 9)
            }
        }
    }

    pub(super) fn typed_characters(&self) -> Option<usize> {
        match self {
            Self::Tender { given, .. } => Some(given.text().chars().count()),
            Self::Drawer { .. } => None,
            Self::Move { amount, reason, .. } => {
                Some(reason.as_ref().unwrap_or(amount).text().chars().count())
            }
        }
    }

    pub(super) fn take_back(&mut self, began: Uptime) -> bool {
        match self {
            Self::Tender { given, .. } => given.take_back(began),
            Self::Drawer { .. } => false,
            Self::Move { amount, reason, .. } => reason.as_mut().unwrap_or(amount).take_back(began),
        }
    }
}

impl Model {
    /// What cash would pay now, and a code of ours.
    pub(super) fn cash_is_for(&self) -> Option<SaleRef> {
        match &self.task {
            CashierTask::Amount { typed } if typed.is_empty() && !self.ring_up.is_looking() => {
                let rung_up = self.rung_up().filter(|sold| sold.due > Money::default());
                rung_up.map(|sold| SaleRef::New(sold.due))
            }
            CashierTask::Amount { .. } if !self.ring_up.is_empty() => None,
            CashierTask::Amount { typed } => {
                let settings = &self.settings;
                settings.currency.read(typed, settings.entry).ok().map(SaleRef::New)
            }
            CashierTask::Code { sale } => Some(*sale),
            CashierTask::Payment(_) => {
                let view = &self.at_hand()?.view;
                let has_ended = view.state.status().is_over_unpaid();
                let may = has_ended && view.state.may_be_charged_again();
                may.then_some(SaleRef::Again(view.sale, view.amount))
            }
            CashierTask::Starting { .. } => None,
        }
    }

    /// Whether F6 is for the sale at the desk, and not for the drawer.
    pub(in crate::screen) fn can_take_cash(&self) -> bool {
        self.stopped.is_none() && !self.has_page() && self.cash_is_for().is_some()
    }

    fn drawer_acts(&self) -> Vec<DrawerAct> {
        let is_idle = matches!(&self.task, CashierTask::Amount { typed } if typed.is_empty())
            && self.ring_up.is_empty();
        let rest = (is_idle && self.part_paid_waiting().is_some()).then_some(DrawerAct::Rest);
        let no_sale = self.settings.drawer.then_some(DrawerAct::NoSale);
        rest.into_iter().chain(no_sale).chain([DrawerAct::In, DrawerAct::Out]).collect()
    }
}

/// Opens the page: for the sale at the desk, if one can be paid now, else for the drawer.
pub(in crate::screen) fn open(model: &mut Model) -> Vec<ScreenCommand> {
    if !model.can_find() {
        model.note = Some(Note::NotAnsweredYet);
        return Vec::new();
    }
    let is_typed = matches!(&model.task, CashierTask::Amount { typed } if !typed.is_empty());
    let needs_shift = model.settings.shift_required && !model.shift_is_open;
    let page = match model.cash_is_for() {
        Some(SaleRef::New(_)) if needs_shift => {
            model.note = Some(Note::ShiftFirst);
            return Vec::new();
        }
        Some(sale) => CashPage::Tender { sale, given: Field::default() },
        None if is_typed => {
            model.note = Some(Note::AmountFirst);
            return Vec::new();
        }
        None => CashPage::Drawer { chosen: 0 },
    };
    show(model, page);
    Vec::new()
}

fn show(model: &mut Model, page: CashPage) {
    model.find = None;
    model.typing = None;
    model.dropped_at = None;
    model.note = None;
    model.money_page = Some(MoneyPage::Cash(page));
    // The Enter behind it is the page's.
    model.overtaken_at = None;
    // What was pressed before is no answer to what it asks.
    model.asked_at = model.now;
}

/// Takes cash: the journal is to know of it first.
pub(in crate::screen) fn take(
    model: &mut Model,
    sale: SaleRef,
    tendered: Money,
) -> Vec<ScreenCommand> {
    model.money_page = None;
    model.note = None;
    model.typing = None;
    model.task = CashierTask::Starting { sale };
    vec![ScreenCommand::TakeCash { sale, tendered }]
}

/// Gives back what was taken of the sale at the desk, once that is confirmed.
pub(in crate::screen) fn ask_to_return(model: &mut Model) -> bool {
    let Some(part) = model.part_paid_at_desk() else { return false };
    model.dialog = Some(Dialog::ReturnCash(part.sale));
    true
}

/// It was confirmed.
pub(in crate::screen) fn give_back(model: &mut Model, sale: i64) -> Vec<ScreenCommand> {
    let Some(part) = model.part_paid(sale) else { return Vec::new() };
    let act = ScreenCommand::ReturnCash { sale, cash: part.cash.clone() };
    if model.settings.drawer_by_manager { lock::with_consent(model, act) } else { vec![act] }
}

/// The cash of a sale goes back, and the sale has ended.
pub(super) fn returned(model: &mut Model, sale: i64) -> Vec<ScreenCommand> {
    let is_at_desk = model.part_paid_at_desk().is_some_and(|part| part.sale == sale);
    model.part_paid.retain(|part| part.sale != sale);
    if is_at_desk {
        next_sale(model);
    }
    model.note = Some(Note::CashReturned);
    Vec::new()
}

/// An earlier run has left a sale that is paid in part: its customer may still be there.
pub(super) fn found(model: &mut Model, part: PartPaid) {
    let [left, due] = [part.left, part.due()].map(|sum| model.money(sum));
    let rest = part.rest();
    model.part_paid.push(part);
    model.note = Some(Note::PartPaid { left, due });
    if matches!(&model.task, CashierTask::Amount { typed } if typed.is_empty())
        && model.ring_up.is_empty()
        && model.part_paid_waiting().is_some()
    {
        model.task = CashierTask::Code { sale: rest };
    }
}

pub(super) fn pressed(
    model: &mut Model,
    key: Key,
    at: Uptime,
    before: LastInput,
) -> Vec<ScreenCommand> {
    let acts = model.drawer_acts();
    let Some(MoneyPage::Cash(page)) = &mut model.money_page else { return Vec::new() };
    match page {
        CashPage::Tender { sale, given } => match key {
            Key::Enter => {
                let (sale, typed) = (*sale, given.text().to_owned());
                return enter_given(model, sale, &typed, at, before);
            }
            Key::Esc if given.is_empty() => super::close(model),
            Key::Esc => given.clear(),
            key => given.press(key, at, AMOUNT_MAX, true),
        },
        CashPage::Drawer { chosen } => {
            let last = acts.len().saturating_sub(1);
            match key {
                Key::Up => *chosen = chosen.checked_sub(1).unwrap_or(last),
                Key::Down | Key::Tab => *chosen = if *chosen < last { *chosen + 1 } else { 0 },
                Key::Enter => {
                    let act = acts.get(*chosen).copied();
                    if is_of_a_scan(before) && !may_answer(model, at, before) {
                        model.note = Some(Note::AnswerAgain);
                        return Vec::new();
                    }
                    return act.map(|act| choose(model, act)).unwrap_or_default();
                }
                Key::Esc => super::close(model),
                _ => {}
            }
        }
        CashPage::Move { amount, reason: Some(reason), .. } => match key {
            Key::Enter if reason.is_empty() => model.note = Some(Note::ReasonFirst),
            Key::Enter => return moved(model, at, before),
            Key::Esc if reason.is_empty() => {
                amount.clear();
                super::close(model);
            }
            Key::Esc => reason.clear(),
            key => reason.press(key, at, REASON_MAX, false),
        },
        CashPage::Move { amount, reason, .. } => match key {
            Key::Enter => {
                let settings = &model.settings;
                match settings.currency.read(amount.text(), settings.entry) {
                    Ok(_) => *reason = Some(Field::default()),
                    Err(why) => model.note = Some(Note::NotAnAmount(why)),
                }
            }
            Key::Esc if amount.is_empty() => super::close(model),
            Key::Esc => amount.clear(),
            key => amount.press(key, at, AMOUNT_MAX, true),
        },
    }
    Vec::new()
}

fn enter_given(
    model: &mut Model,
    sale: SaleRef,
    typed: &str,
    at: Uptime,
    before: LastInput,
) -> Vec<ScreenCommand> {
    let settings = &model.settings;
    let due = sale.amount();
    let given = match settings.currency.read(typed, settings.entry) {
        // Enter alone: exactly what is due.
        Err(NotAnAmount::Empty) => due,
        Ok(given) => given,
        Err(why) => {
            model.note = Some(Note::NotAnAmount(why));
            return Vec::new();
        }
    };
    // A scan ends with Enter, too.
    if (typed.is_empty() || before.key.is_none()) && !may_answer(model, at, before) {
        model.note = Some(Note::AnswerAgain);
        return Vec::new();
    }
    let unit = 10_i64.pow(u32::from(settings.currency.decimals()));
    if given.minor() - due.minor() >= ODD_CHANGE * unit {
        model.dialog = Some(Dialog::MuchCash { sale, given });
        return Vec::new();
    }
    take(model, sale, given)
}

fn choose(model: &mut Model, act: DrawerAct) -> Vec<ScreenCommand> {
    match act {
        DrawerAct::Rest => {
            let rest = model.part_paid_waiting().map(PartPaid::rest);
            super::close(model);
            rest.map(|rest| ask_for_code(model, rest)).unwrap_or_default()
        }
        DrawerAct::NoSale => {
            super::close(model);
            if model.settings.drawer_by_manager {
                return lock::with_consent(model, ScreenCommand::OpenDrawer);
            }
            vec![ScreenCommand::OpenDrawer]
        }
        DrawerAct::In | DrawerAct::Out => {
            let is_out = act == DrawerAct::Out;
            show(model, CashPage::Move { is_out, amount: Field::default(), reason: None });
            Vec::new()
        }
    }
}

/// Amount and reason are there.
fn moved(model: &mut Model, at: Uptime, before: LastInput) -> Vec<ScreenCommand> {
    if before.key.is_none() && !may_answer(model, at, before) {
        model.note = Some(Note::AnswerAgain);
        return Vec::new();
    }
    let Some(MoneyPage::Cash(CashPage::Move { is_out, amount, reason: Some(reason) })) =
        &model.money_page
    else {
        return Vec::new();
    };
    let settings = &model.settings;
    let Ok(amount) = settings.currency.read(amount.text(), settings.entry) else {
        return Vec::new();
    };
    let (is_out, reason) = (*is_out, reason.text().trim().to_owned());
    let act = ScreenCommand::MoveCash { is_out, amount, reason };
    super::close(model);
    if is_out && model.settings.drawer_by_manager {
        return lock::with_consent(model, act);
    }
    vec![act]
}

pub(super) fn keys(
    model: &Model,
    page: &CashPage,
    language: Language,
    show: &mut impl FnMut(&'static str, &'static str),
) {
    let (text, words) = (ScreenWords::of(language), CashWords::of(language));
    let settings = &model.settings;
    let is_read = |field: &Field| settings.currency.read(field.text(), settings.entry).is_ok();
    match page {
        CashPage::Tender { given, .. } if given.is_empty() => {
            show("Enter", words.key_exact());
            show("Esc", text.key_back());
        }
        CashPage::Tender { given, .. } => {
            if is_read(given) {
                show("Enter", words.key_take());
            }
            show("Esc", text.key_clear());
        }
        CashPage::Drawer { .. } => {
            show(text.arrows(), text.key_choose());
            show("Enter", text.key_do());
            show("Esc", text.key_back());
        }
        CashPage::Move { amount, reason, .. } => {
            let (field, does) = match reason {
                Some(reason) => (reason, words.key_record()),
                None => (amount, words.key_reason()),
            };
            if reason.as_ref().map_or_else(|| is_read(amount), |reason| !reason.is_empty()) {
                show("Enter", does);
            }
            show("Esc", if field.is_empty() { text.key_back() } else { text.key_clear() });
        }
    }
}

pub(super) fn help(model: &Model) -> &'static [&'static str] {
    HelpWords::of(model.language).cash()
}

/// What is typed, as an amount that may go on.
fn typed_amount(model: &Model, typed: &str) -> String {
    let settings = &model.settings;
    let shown = match settings.currency.read(typed, settings.entry) {
        Ok(amount) if !typed.contains('.') => settings.currency.group(amount),
        Ok(_) | Err(NotAnAmount::Zero) => grouped_thousands(typed),
        Err(_) if typed.is_empty() => settings.currency.show(Money::default()),
        Err(_) => typed.to_owned(),
    };
    symbol_before(settings.currency, &shown)
}

/// What a tender comes to: due, and what is given back or left.
fn tender(model: &Model, sale: SaleRef, given: &Field) -> Vec<String> {
    let words = CashWords::of(model.language);
    let settings = &model.settings;
    let due = sale.amount();
    let mut what = vec![words.due(&model.money(due))];
    if let SaleRef::Again(sale, _) = sale
        && let Some(part) = model.part_paid(sale)
    {
        what.push(words.part_taken(&model.money(part.taken()), &model.money(part.due())));
    }
    let given = settings.currency.read(given.text(), settings.entry).ok();
    if let Some(cash) = given.and_then(|given| Cash::take(due, given)) {
        what.push(if cash.left() > Money::default() {
            words.left(&model.money(cash.left()))
        } else {
            words.change(&model.money(cash.change()))
        });
    }
    what
}

fn sheet(model: &Model, word: &str, amount: String, what: Vec<String>, next: &str) -> Sheet {
    Sheet {
        tone: Tone::Calm,
        border: BorderType::Rounded,
        is_filled: false,
        shape: shapes::of(Status::Created),
        word: word.to_owned(),
        detail: String::new(),
        amount,
        has_large_word: false,
        what,
        meter: None,
        next: if model.is_asking() { String::new() } else { next.to_owned() },
        also: String::new(),
    }
}

fn tender_sheet(model: &Model, sale: SaleRef, given: &Field) -> Sheet {
    let words = CashWords::of(model.language);
    let amount = typed_amount(model, given.text());
    let next = if given.is_empty() { words.type_given() } else { words.then_take() };
    sheet(model, words.title(), amount, tender(model, sale, given), next)
}

fn move_sheet(model: &Model, is_out: bool, amount: &Field, reason: Option<&Field>) -> Sheet {
    let words = CashWords::of(model.language);
    let word = if is_out { words.cash_out() } else { words.cash_in() };
    let typed = typed_amount(model, amount.text());
    match reason {
        None => sheet(model, word, typed, Vec::new(), words.type_amount()),
        Some(reason) => {
            let what = vec![words.reason(reason.text())];
            sheet(model, word, typed, what, words.type_reason())
        }
    }
}

impl DrawerAct {
    fn text(self, model: &Model) -> String {
        let words = CashWords::of(model.language);
        match self {
            Self::Rest => {
                let part = model.part_paid_waiting();
                let sums = part.map(|part| [part.left, part.due()].map(|sum| model.money(sum)));
                sums.map(|[left, due]| words.go_on(&left, &due)).unwrap_or_default()
            }
            Self::NoSale => words.no_sale().to_owned(),
            Self::In => words.cash_in().to_owned(),
            Self::Out => words.cash_out().to_owned(),
        }
    }
}

impl Canvas<'_> {
    pub(super) fn cash_page(&mut self, area: Rect, page: &CashPage) {
        let model = self.model;
        match page {
            CashPage::Tender { sale, given } => {
                self.sheet(area, &tender_sheet(model, *sale, given));
            }
            CashPage::Move { is_out, amount, reason } => {
                self.sheet(area, &move_sheet(model, *is_out, amount, reason.as_ref()));
            }
            CashPage::Drawer { chosen } => {
                let inner = self.overlay(area, CashWords::of(model.language).drawer());
                let acts: Vec<String> =
                    model.drawer_acts().into_iter().map(|act| act.text(model)).collect();
                self.choices(inner, &acts, *chosen);
            }
        }
    }

    pub(super) fn cash_in_few_lines(&self, page: &CashPage) -> Vec<String> {
        let model = self.model;
        let of = |sheet: Sheet| -> Vec<String> {
            [sheet.word, sheet.amount].into_iter().chain(sheet.what).collect()
        };
        match page {
            CashPage::Tender { sale, given } => of(tender_sheet(model, *sale, given)),
            CashPage::Move { is_out, amount, reason } => {
                of(move_sheet(model, *is_out, amount, reason.as_ref()))
            }
            CashPage::Drawer { chosen } => {
                let act = model.drawer_acts().get(*chosen).map(|act| act.text(model));
                act.into_iter().map(|act| format!("> {act}")).collect()
            }
        }
    }
}
