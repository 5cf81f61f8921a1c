//! Money of an order is given back: how much, and why. Nothing leaves before a question that names
//! the amount and the order was answered by F8, which no scanner types.

use ratatui::layout::Rect;

use super::{FindPage, Showing, Subject, found_order, open as open_page, search};
use crate::clean::clean;
use crate::engine::RefundRecord;
use crate::find::{GivenBack, OrderFile, Wanted, Why};
use crate::journal::{RefundRow, is_cash_returned};
use crate::money::{Money, NotAnAmount, narrow};
use crate::order::OutTradeNo;
use crate::payment::Status;
use crate::refund::{RefundRefusal, left_of};
use crate::screen::model::{Dialog, Model};
use crate::screen::note::Note;
use crate::screen::pages::lock::with_consent;
use crate::screen::palette::Tone;
use crate::screen::tray::needs_a_person;
use crate::screen::view::Canvas;
use crate::screen::wrap::wrap;
use crate::screen::{Key, ScreenCommand};
use crate::text::find::Verdict;
use crate::text::screen::{RefundWords, ScreenWords};

/// Characters of an amount, and cells of a reason.
const TYPED_MAX: usize = 16;
const REASON_MAX: usize = 40;

/// What is asked for.
#[derive(Debug)]
pub(in crate::screen) struct RefundForm {
    out_trade_no: OutTradeNo,
    is_cash: bool,
    left: Money,
    typed: String,
    /// All that is left, as it was filled in: the first character begins anew.
    is_filled_in: bool,
    /// The amount, once it is one.
    amount: Option<Money>,
    chosen: usize,
    /// In the cashier's own words, instead of one of the usual ones.
    reason: String,
}

/// A refund that only awaits its confirmation.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::screen) struct AskedRefund {
    pub(in crate::screen) out_trade_no: OutTradeNo,
    pub(in crate::screen) amount: Money,
    pub(in crate::screen) is_cash: bool,
    pub(in crate::screen) reason: String,
}

impl RefundForm {
    /// What a key has changed, if it differs before and after.
    pub(super) fn face(&self) -> (String, Option<Money>, usize, String) {
        (self.typed.clone(), self.amount, self.chosen, self.reason.clone())
    }

    /// How much is typed.
    pub(super) fn typed_characters(&self) -> usize {
        if self.amount.is_some() { self.reason.chars().count() } else { self.typed.chars().count() }
    }

    fn reason(&self, words: RefundWords) -> String {
        if self.reason.trim().is_empty() {
            words.reasons().get(self.chosen).copied().unwrap_or_default().to_owned()
        } else {
            self.reason.trim().to_owned()
        }
    }
}

impl Model {
    /// Whether something can be given back, or an order looked for of which to do so.
    pub(in crate::screen) fn can_refund(&self) -> bool {
        self.can_find() && self.find.as_ref().is_none_or(|page| page.form.is_none())
    }

    /// Whether that is about an order in sight: else it works, and is no key of the bar.
    pub(in crate::screen) fn may_be_refunded(&self) -> bool {
        let at_hand = self.at_hand().map(|attempt| attempt.view.state.status());
        match &self.find {
            Some(page) => page.file().is_some_and(|file| form(file).is_ok()),
            None => at_hand == Some(Status::Paid),
        }
    }
}

/// F8: of the payment at the desk, or of the order that is found; else it asks which.
pub(in crate::screen) fn open(model: &mut Model) -> Vec<ScreenCommand> {
    if !model.can_refund() {
        return if model.stopped.is_none() && !model.is_finding() {
            open_page(model)
        } else {
            Vec::new()
        };
    }
    if let Some(page) = &mut model.find {
        page.refunds = true;
        if page.file().is_some() {
            begin(model);
            return Vec::new();
        }
        if page.typed.is_empty() && page.chosen().is_some() && !page.are_latest {
            return super::open_chosen(model, false);
        }
        return Vec::new();
    }
    let paid = model.at_hand().filter(|attempt| attempt.view.state.status() == Status::Paid);
    let number = paid.map(|attempt| attempt.view.out_trade_no.clone());
    let mut commands = open_page(model);
    if let Some(number) = number {
        commands = search(model, Wanted::of(number), false);
    }
    if let Some(page) = &mut model.find {
        page.refunds = true;
    }
    commands
}

/// What this till has given back of an order: the screen may know more than was read a moment ago.
pub(super) fn given_back(model: &Model, file: &OrderFile) -> GivenBack {
    let order = &file.row.out_trade_no;
    let at_the_desk = model.attempt(order).map_or(&[][..], |attempt| &attempt.refunds);
    let moved = model.refunds.iter().filter(|refund| refund.out_trade_no == *order);
    let known: Vec<_> = at_the_desk.iter().chain(moved).collect();
    let is_known = |row: &&RefundRow| known.iter().any(|it| it.out_refund_no == row.out_refund_no);
    let read = file.refunds.iter().filter(|row| !is_known(row)).map(|row| &row.state);
    GivenBack::by(known.iter().map(|refund| &refund.state).chain(read))
}

/// The order is there, with what went back of it: so is its line in the list behind it.
pub(super) fn found(model: &mut Model) {
    let Some(page) = &mut model.find else { return };
    if let Some((number, refunded)) =
        page.file().map(|file| (file.row.out_trade_no.clone(), file.given_back()))
    {
        if let Some(row) = page.rows.iter_mut().find(|row| row.out_trade_no == number) {
            row.refunded = refunded;
        }
        // What needs a person has one now.
        model.refunds.retain(|refund| {
            refund.out_trade_no != number || refund.state.is_open() || !needs_a_person(refund)
        });
    }
    begin(model);
}

/// The order is there: asks how much, if anything of it can be given back.
pub(super) fn begin(model: &mut Model) {
    let Some(page) = &mut model.find else { return };
    if !std::mem::take(&mut page.refunds) {
        return;
    }
    let Some(file) = page.file() else { return };
    match form(file) {
        Ok(left) => {
            let typed = model.settings.currency.show(left);
            page.form = Some(RefundForm {
                out_trade_no: file.row.out_trade_no.clone(),
                is_cash: file.row.state.cash().is_some(),
                left,
                typed,
                is_filled_in: true,
                amount: None,
                chosen: 0,
                reason: String::new(),
            });
            page.typed = zeroize::Zeroizing::default();
            model.note = None;
        }
        Err(why) => model.note = Some(Note::NotRefunded(why, model.settings.currency)),
    }
}

/// How much is left of an order, or why nothing of it is given back.
fn form(file: &OrderFile) -> Result<Money, RefundRefusal> {
    let row = &file.row;
    let is_cash = row.state.cash().is_some();
    if row.state.proof().is_none() && !is_cash {
        return Err(RefundRefusal::NotPaid(row.state.status()));
    }
    if is_cash && is_cash_returned(&file.entries) {
        return Err(RefundRefusal::NothingLeft);
    }
    let earlier: Vec<_> = file.refunds.iter().cloned().map(Into::into).collect();
    let left = left_of(row.amount, &earlier);
    if left == Money::default() { Err(RefundRefusal::NothingLeft) } else { Ok(left) }
}

/// What a key does while it is asked.
pub(super) fn pressed(model: &mut Model, key: Key) -> Vec<ScreenCommand> {
    let (currency, entry) = (model.settings.currency, model.settings.entry);
    let words = RefundWords::of(model.language);
    let Some(page) = &mut model.find else { return Vec::new() };
    let Some(form) = &mut page.form else { return Vec::new() };
    let Some(amount) = form.amount else {
        match key {
            Key::Char(character) => {
                if std::mem::take(&mut form.is_filled_in) {
                    form.typed.clear();
                }
                if form.typed.chars().count() < TYPED_MAX {
                    form.typed.push_str(&clean(&narrow(character).to_string(), 2));
                }
            }
            Key::Backspace => {
                form.is_filled_in = false;
                form.typed.pop();
            }
            Key::Enter => {
                // What was filled in is in major units, whatever is typed here.
                let filled_in = form.is_filled_in.then_some(form.left);
                match filled_in.map_or_else(|| currency.read(&form.typed, entry), Ok) {
                    Ok(amount) if amount > form.left => {
                        let why = RefundRefusal::MoreThanLeft(form.left);
                        model.note = Some(Note::NotRefunded(why, currency));
                    }
                    Ok(amount) => form.amount = Some(amount),
                    Err(why) => model.note = Some(not_an_amount(why)),
                }
            }
            Key::Esc => page.form = None,
            _ => {}
        }
        return Vec::new();
    };
    let last = words.reasons().len() - 1;
    match key {
        Key::Up => form.chosen = form.chosen.saturating_sub(1),
        Key::Down => form.chosen = (form.chosen + 1).min(last),
        Key::Char(character) if form.reason.chars().count() < REASON_MAX => {
            let shown =
                if character == ' ' { " ".into() } else { clean(&character.to_string(), 2) };
            form.reason.push_str(&shown);
        }
        Key::Backspace => {
            form.reason.pop();
        }
        Key::Enter => {
            let asked = AskedRefund {
                out_trade_no: form.out_trade_no.clone(),
                amount,
                is_cash: form.is_cash,
                reason: form.reason(words),
            };
            model.note = None;
            model.dialog = Some(Dialog::Refund(Box::new(asked)));
        }
        Key::Esc => form.amount = None,
        _ => {}
    }
    Vec::new()
}

const fn not_an_amount(why: NotAnAmount) -> Note {
    Note::NotAnAmount(why)
}

/// The question was answered.
pub(in crate::screen) fn confirmed(model: &mut Model, asked: AskedRefund) -> Vec<ScreenCommand> {
    model.dialog = None;
    if let Some(page) = &mut model.find {
        page.form = None;
    }
    let AskedRefund { out_trade_no, amount, reason, .. } = asked;
    let needs_consent = model.settings.refund_consent_above.is_some_and(|limit| amount > limit);
    let refund = ScreenCommand::Refund { out_trade_no, amount, reason };
    if needs_consent { with_consent(model, refund) } else { vec![refund] }
}

/// A scan, or keys of a machine, instead of an amount or a reason. A question stands: they are no
/// answer to it.
pub(super) fn give_up(model: &mut Model) {
    let asks = matches!(model.dialog, Some(Dialog::Refund(_)));
    if let Some(page) = model.find.as_mut().filter(|_| !asks) {
        page.form = None;
    }
}

/// A refund has moved: the order knows it, and is read again if it is on the page.
pub(in crate::screen) fn moved(model: &mut Model, refund: &RefundRecord) -> Vec<ScreenCommand> {
    let order = &refund.out_trade_no;
    if let Some(attempt) = model.attempt_mut(order) {
        attempt.refunds.retain(|known| known.out_refund_no != refund.out_refund_no);
        attempt.refunds.push(refund.clone());
    }
    let is_shown = found_order(model).is_some_and(|shown| shown == order);
    // Nobody is asked about cash, so nobody else says it.
    if is_shown
        && let Some(FindPage { showing: Showing::Order(shown), .. }) = &mut model.find
        && let Some((told, _)) = shown.told.as_mut().filter(|(told, _)| told.why == Some(Why::Cash))
    {
        told.verdict = Verdict::Refunded;
    }
    if is_shown { super::read(model, Wanted::of(order.clone())) } else { Vec::new() }
}

/// The order that the page shows.
pub(super) fn shown(page: &FindPage) -> Option<&OutTradeNo> {
    match &page.showing {
        Showing::Order(order) => match &order.subject {
            Subject::Ours(file, _) => Some(&file.row.out_trade_no),
            Subject::Stranger(_) => None,
        },
        Showing::Nothing | Showing::Reading | Showing::List | Showing::Failed(_) => None,
    }
}

/// The keys that work meanwhile.
pub(super) fn keys(
    form: &RefundForm,
    text: ScreenWords,
    words: RefundWords,
    show: &mut impl FnMut(&'static str, &'static str),
) {
    show("Enter", words.key_next());
    if form.amount.is_some() {
        show(text.arrows(), text.key_choose());
    }
    show("Esc", text.key_back());
}

impl Canvas<'_> {
    pub(super) fn refund_form(&mut self, area: Rect, form: &RefundForm) {
        let model = self.model;
        let words = RefundWords::of(model.language);
        let inner = self.overlay(area, words.title());
        let (base, quiet, strong) =
            (self.palette.base(), self.palette.quiet(), self.palette.strong());
        let order = model.text().order(form.out_trade_no.tail());
        self.put(inner, 0, 0, &format!("{order}   {}", words.left(&model.money(form.left))), base);
        self.put(inner, 0, 2, words.how_much(), quiet);
        let amount = form.amount.map_or_else(|| form.typed.clone(), |sum| model.money(sum));
        let cursor = if form.amount.is_none() { "_" } else { "" };
        self.put(inner, 0, 3, &format!("▌ {amount}{cursor}"), strong);
        if form.amount.is_none() {
            return;
        }
        self.put(inner, 0, 5, words.why(), quiet);
        let is_typed = !form.reason.is_empty();
        let mut y = 6;
        for (index, reason) in words.reasons().iter().enumerate() {
            let is_chosen = index == form.chosen && !is_typed;
            let style = if is_chosen { self.palette.fill(Tone::Calm) } else { base };
            if is_chosen {
                let row = Rect { y: inner.y + y, height: 1, ..inner };
                self.buffer.set_style(row.intersection(inner), style);
                self.put(inner, 0, y, ">", style);
            }
            self.put(inner, 2, y, reason, style);
            y += 1;
        }
        self.put(inner, 0, y + 1, words.own_words(), quiet);
        self.put(inner, 0, y + 2, &format!("▌ {}_", form.reason), strong);
    }

    /// The same in a window that is too small.
    pub(super) fn refund_in_few_lines(&self, form: &RefundForm) -> Vec<String> {
        let model = self.model;
        let words = RefundWords::of(model.language);
        let amount = form.amount.map_or_else(|| form.typed.clone(), |sum| model.money(sum));
        let asks = if form.amount.is_none() { words.how_much() } else { words.why() };
        let reason = form.amount.map(|_| form.reason(words));
        [words.title().to_owned(), amount, asks.to_owned()].into_iter().chain(reason).collect()
    }

    /// The question before it is given back.
    pub(in crate::screen) fn refund_question(
        &self,
        asked: &AskedRefund,
        room: usize,
    ) -> Vec<String> {
        let model = self.model;
        let words = RefundWords::of(model.language);
        let order = model.text().order(asked.out_trade_no.tail());
        let amount = model.money(asked.amount);
        let question = if asked.is_cash {
            words.ask_cash(&amount, &order)
        } else {
            words.ask(&amount, &order)
        };
        wrap(&question, room)
    }
}
