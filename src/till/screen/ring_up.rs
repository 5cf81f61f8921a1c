//! The sale that is being rung up: its lines, and what is typed about them.
//!
//! Without a line all of this is out of the way: an amount is a sale. With lines, Enter charges what
//! they come to, and what is typed is about them: an amount adds a line, `3*` is a quantity, `10%`
//! and `-2.50` are discounts. Every change is tried on a copy first: a sale that would be too large,
//! negative, or cheaper than a cashier may make it stays as it was.

use super::basket::Lookup;
use super::goods_note::GoodsNote;
use super::model::{Dialog, Model};
use super::note::Note;
use super::pages::checkout::{CashierTask, ask_for_code, next_sale, note_typing, refuse_goods};
use super::pages::lock;
use super::sound::Sound;
use super::{Key, SaleRef, ScreenCommand};
use crate::clock::{Millis, Uptime};
use crate::goods::Good;
use crate::language::Text;
use crate::money::{Money, narrow};
use crate::order::OutTradeNo;
use crate::payment::Status;
use crate::sale::{Discount, Held, Line, Quantity, Rate, Sale, Sold};
use crate::scan::Scan;

/// What was not found after this long is not looked up any more.
const LOOKED_UP_WITHIN: Millis = Millis::seconds(5);
/// A text this long means nothing here; further keys are dropped.
const TYPED_MAX: usize = 16;

/// What the screen wants of the goods.
#[derive(Clone, Debug, PartialEq)]
pub enum GoodsCommand {
    /// Find the product that was scanned.
    Find { serial: u64, code: String },
    /// Look for products.
    Search { serial: u64, typed: String },
    /// A manager may have agreed to a sale with these discounts.
    Change(Box<Sale>),
    /// What is put aside from now on.
    Keep(Vec<Held>),
}

/// What came of it.
#[derive(Debug)]
pub enum GoodsMessage {
    /// Whether there is a catalogue.
    Catalogue(bool),
    Found {
        serial: u64,
        found: Found,
    },
    Listed {
        serial: u64,
        listed: Result<(Vec<Good>, usize), Text>,
    },
    /// A sale as a manager has agreed to it.
    Changed(Box<Sale>),
    /// What an earlier run has put aside.
    Held(Result<Vec<Held>, Text>),
    /// What is put aside is on disk.
    Kept,
    /// What is put aside could not be written.
    NotKept(Text),
}

/// The product of a scan.
#[derive(Debug)]
pub enum Found {
    /// The code that was scanned.
    NoCatalogue(String),
    Nothing(String),
    /// As a line, and whether it is from a label of the scales.
    Line(Box<Line>, bool),
    Failed(Text),
}

/// What was typed about a sale.
enum Typed {
    Times(Option<Quantity>),
    Amounts(Quantity, Money),
    Off(Discount),
}

impl Model {
    /// What the lines at the desk come to.
    pub(super) fn rung_up(&self) -> Option<Sold> {
        let sale = &self.ring_up.sale;
        if sale.lines.is_empty() { None } else { sale.total().ok() }
    }

    /// What a payment that begins now sells.
    pub fn sold_for(&self, sale: SaleRef) -> Sold {
        let sold = matches!(sale, SaleRef::New(_)).then(|| self.rung_up()).flatten();
        sold.filter(|sold| sold.due == sale.amount()).unwrap_or_default()
    }

    /// Whether a product may be added now.
    pub(super) fn takes_goods(&self) -> bool {
        let is_here = match &self.task {
            CashierTask::Amount { typed } => typed.is_empty() || typed.contains('*'),
            CashierTask::Payment(_) => {
                self.at_hand().is_some_and(|at| at.view.state.status() == Status::Paid)
            }
            CashierTask::Code { .. } | CashierTask::Starting { .. } => false,
        };
        is_here && self.sells_goods()
    }

    pub(super) fn sells_goods(&self) -> bool {
        self.stopped.is_none() && !self.has_page() && !self.is_locked()
    }
}

pub(super) fn tell(model: &mut Model, note: GoodsNote) {
    model.note = Some(Note::Goods(note));
}

pub(super) fn refuse(model: &mut Model, note: GoodsNote) {
    tell(model, note);
    model.ring(Sound::NeedsYou);
}

/// A product was scanned: it is looked for, where one may be added. A question comes first.
pub(super) fn scanned(model: &mut Model, scan: &Scan) -> Option<Vec<ScreenCommand>> {
    let Scan::Goods(code) = scan else { return None };
    let is_free = matches!(model.dialog, None | Some(Dialog::Help | Dialog::Goods { .. }));
    if !is_free || !model.takes_goods() {
        return None;
    }
    let typed = typed(model).to_owned();
    let quantity = match typed.strip_suffix('*').map(Quantity::read) {
        None if typed.is_empty() => Quantity::ONE,
        Some(Ok(Some(quantity))) => quantity,
        None | Some(_) => {
            refuse(model, GoodsNote::QuantitySuchAs);
            return Some(Vec::new());
        }
    };
    model.ring_up.serial += 1;
    let serial = model.ring_up.serial;
    model.ring_up.looking.push(Lookup { serial, quantity, since: model.now });
    Some(vec![ScreenCommand::Goods(GoodsCommand::Find { serial, code: code.clone() })])
}

/// What is typed at the desk.
pub(super) fn typed(model: &Model) -> &str {
    match &model.task {
        CashierTask::Amount { typed } => typed,
        CashierTask::Code { .. } | CashierTask::Starting { .. } | CashierTask::Payment(_) => "",
    }
}

/// What the goods have answered.
pub(super) fn answered(model: &mut Model, message: GoodsMessage) -> Vec<ScreenCommand> {
    match message {
        GoodsMessage::Catalogue(is_there) => model.ring_up.has_catalogue = is_there,
        GoodsMessage::Found { serial, found } => return found_by_scan(model, serial, found),
        GoodsMessage::Listed { serial, listed } => {
            if serial == model.ring_up.serial && matches!(model.dialog, Some(Dialog::Goods { .. }))
            {
                model.ring_up.listed = Some(listed);
            }
        }
        GoodsMessage::Changed(sale) => {
            clear_typed(model);
            model.ring_up.sale = *sale;
        }
        GoodsMessage::Held(held) => {
            model.ring_up.held_is_read = true;
            match held {
                Ok(held) => model.ring_up.held = held,
                Err(why) => refuse(model, GoodsNote::HeldUnreadable(why)),
            }
        }
        GoodsMessage::Kept => {
            if let Some(sum) = model.ring_up.being_kept.take() {
                tell(model, GoodsNote::Held(sum));
            }
        }
        GoodsMessage::NotKept(why) => {
            model.ring_up.being_kept = None;
            refuse(model, GoodsNote::NotKept(why));
        }
    }
    Vec::new()
}

fn found_by_scan(model: &mut Model, serial: u64, found: Found) -> Vec<ScreenCommand> {
    let looking = &mut model.ring_up.looking;
    let Some(at) = looking.iter().position(|known| known.serial == serial) else {
        return Vec::new();
    };
    let Lookup { quantity, .. } = looking.remove(at);
    model.ring_up.has_catalogue = !matches!(found, Found::NoCatalogue(_));
    // What came between must be answered first, and the product is scanned again.
    let is_wanted = model.takes_goods();
    match found {
        Found::NoCatalogue(code) => refuse_goods(model, &code),
        Found::Nothing(code) => refuse(model, GoodsNote::Unknown(code)),
        Found::Failed(why) => refuse(model, GoodsNote::Failed(why)),
        Found::Line(_, true) if quantity != Quantity::ONE => refuse(model, GoodsNote::LabelOnce),
        Found::Line(..) if !is_wanted => refuse(model, GoodsNote::ScanAgain),
        Found::Line(line, true) => add(model, *line),
        Found::Line(line, false) => add(model, Line { quantity, ..*line }),
    }
    Vec::new()
}

/// Adds a line, or to the line of the same product.
pub(super) fn add(model: &mut Model, line: Line) {
    if let CashierTask::Payment(_) = model.task {
        next_sale(model);
    }
    let mut sale = model.ring_up.sale.clone();
    let is_alike = |known: &&mut Line| {
        let alike = Line { quantity: known.quantity, ..line.clone() };
        **known == alike && !line.code.is_empty() && line.label.is_none()
    };
    let is_whole = line.quantity.is_whole();
    let mut at = sale.lines.len();
    let known = sale.lines.iter_mut().enumerate().find(|(_, known)| is_alike(known));
    if let Some((index, known)) = known.filter(|_| is_whole)
        && let Some(sum) = known.quantity.plus(line.quantity)
    {
        known.quantity = sum;
        at = index;
    } else {
        sale.lines.push(line);
    }
    match sale.total() {
        Ok(_) => {
            clear_typed(model);
            model.ring_up.sale = sale;
            model.ring_up.chosen = Some(at);
            model.dialog = model
                .dialog
                .take_if(|dialog| !matches!(dialog, Dialog::Goods { .. } | Dialog::Help));
        }
        Err(why) => refuse(model, GoodsNote::NotASale(why)),
    }
}

pub(super) fn clear_typed(model: &mut Model) {
    if let CashierTask::Amount { typed } = &mut model.task {
        typed.clear();
        model.typing = None;
        model.note = None;
    }
}

/// What a key does while an amount may be typed, if it is about the lines.
pub(super) fn pressed(
    model: &mut Model,
    typed: &str,
    key: Key,
    at: Uptime,
) -> Option<Vec<ScreenCommand>> {
    let has_lines = !model.ring_up.is_empty();
    match key {
        Key::Char(character) if is_about_lines(typed, character, has_lines) => {
            let mut typed = typed.to_owned();
            if typed.chars().count() < TYPED_MAX {
                typed.push(sign(character));
            }
            note_typing(model, at);
            model.note = None;
            model.task = CashierTask::Amount { typed };
        }
        Key::Up | Key::Down if has_lines => choose(model, key == Key::Down),
        Key::Esc if has_lines && typed.is_empty() => model.dialog = Some(Dialog::Discard),
        Key::Enter if is_about(typed, has_lines) => return Some(enter(model, typed)),
        Key::Enter if has_lines && typed.is_empty() => return Some(charge(model)),
        Key::Enter if has_lines => {
            // Anything else than an amount is refused as it always is.
            let settings = &model.settings;
            let amount = settings.currency.read(typed, settings.entry).ok()?;
            add(model, Line::of_amount(amount, Quantity::ONE));
        }
        _ => return None,
    }
    Some(Vec::new())
}

/// The marks of a quantity and of a discount, whatever the input method.
fn sign(character: char) -> char {
    match character {
        '＊' | '×' => '*',
        '％' => '%',
        '－' | '−' => '-',
        other => narrow(other),
    }
}

fn is_about_lines(typed: &str, character: char, has_lines: bool) -> bool {
    let is_number = !typed.is_empty()
        && typed.chars().all(|mark| narrow(mark).is_ascii_digit() || narrow(mark) == '.');
    match sign(character) {
        '*' => is_number,
        '%' => is_number && has_lines,
        '-' => typed.is_empty() && has_lines,
        digit => is_about(typed, has_lines) && (digit.is_ascii_digit() || digit == '.'),
    }
}

/// Without lines a discount is nothing but a wrong amount.
fn is_about(typed: &str, has_lines: bool) -> bool {
    typed.contains('*') || (has_lines && is_marked(typed))
}

/// Whether what is typed is about lines.
pub(super) fn is_marked(typed: &str) -> bool {
    typed.contains(['*', '%']) || typed.starts_with('-')
}

fn choose(model: &mut Model, down: bool) {
    let count = model.ring_up.sale.lines.len();
    // The whole sale is below the last line.
    let at = model.ring_up.chosen.unwrap_or(count);
    let at = if down { at + 1 } else { at.saturating_sub(1) };
    model.ring_up.chosen = (at < count).then_some(at);
}

fn read(model: &Model, typed: &str) -> Result<Typed, GoodsNote> {
    let settings = &model.settings;
    let amount = |text: &str| settings.currency.read(text, settings.entry).ok();
    if let Some((times, of)) = typed.split_once('*') {
        let times = Quantity::read(times).map_err(|_| GoodsNote::QuantitySuchAs)?;
        return match (times, of) {
            (times, "") => Ok(Typed::Times(times)),
            (Some(times), of) => {
                let amount = amount(of).ok_or(GoodsNote::QuantitySuchAs)?;
                Ok(Typed::Amounts(times, amount))
            }
            (None, _) => Err(GoodsNote::QuantitySuchAs),
        };
    }
    let discount = match (typed.strip_suffix('%'), typed.strip_prefix('-')) {
        (Some(percent), None) => Rate::read(percent).map(Discount::Part),
        (None, Some(off)) => amount(off).map(Discount::Amount),
        _ => None,
    };
    discount.map(Typed::Off).ok_or(GoodsNote::DiscountSuchAs)
}

fn enter(model: &mut Model, typed: &str) -> Vec<ScreenCommand> {
    let mut sale = model.ring_up.sale.clone();
    let chosen = model.ring_up.chosen.filter(|at| *at < sale.lines.len());
    match (read(model, typed), chosen) {
        (Err(why), _) => tell(model, why),
        (Ok(Typed::Amounts(quantity, amount)), _) => add(model, Line::of_amount(amount, quantity)),
        (Ok(Typed::Times(_)), None) => tell(model, GoodsNote::QuantitySuchAs),
        (Ok(Typed::Times(None)), Some(at)) => {
            sale.lines.remove(at);
            return change(model, sale);
        }
        (Ok(Typed::Times(Some(_))), Some(at)) if sale.lines[at].label.is_some() => {
            tell(model, GoodsNote::LabelOnce);
        }
        (Ok(Typed::Times(Some(quantity))), Some(at)) => {
            sale.lines[at].quantity = quantity;
            return change(model, sale);
        }
        (Ok(Typed::Off(discount)), at) => {
            let nothing = [Discount::Part(Rate::default()), Discount::Amount(Money::default())];
            let discount = Some(discount).filter(|discount| !nothing.contains(discount));
            match at {
                Some(at) => sale.lines[at].discount = discount,
                None => sale.discount = discount,
            }
            return change(model, sale);
        }
    }
    Vec::new()
}

/// Changes the sale, if it stays one. More may be taken off only with a manager's consent.
fn change(model: &mut Model, mut sale: Sale) -> Vec<ScreenCommand> {
    if sale.lines.is_empty() {
        // Nothing is left that it could be taken off.
        (sale.discount, sale.consent) = (None, None);
    }
    let sold = match sale.total() {
        Ok(sold) => sold,
        Err(why) => {
            refuse(model, GoodsNote::NotASale(why));
            return Vec::new();
        }
    };
    let limit = model.settings.discount_limit;
    let before = model.rung_up().map_or(0, |sold| sold.deepest_discount());
    let deepest = sold.deepest_discount();
    if deepest > u32::from(limit.hundredths()) && deepest > before {
        if !model.settings.operators {
            refuse(model, GoodsNote::AboveLimit(limit));
            return Vec::new();
        }
        return lock::with_consent(
            model,
            ScreenCommand::Goods(GoodsCommand::Change(Box::new(sale))),
        );
    }
    clear_typed(model);
    let last = sale.lines.len().checked_sub(1);
    model.ring_up.sale = sale;
    model.ring_up.chosen = model.ring_up.chosen.min(last);
    Vec::new()
}

/// Why the sale is not complete yet. A product that cannot be found in time is scanned again.
pub(super) fn still_looking(model: &mut Model) -> Option<GoodsNote> {
    let (now, looking) = (model.now, &mut model.ring_up.looking);
    let since = looking.first()?.since;
    if now.since(since) < LOOKED_UP_WITHIN {
        return Some(GoodsNote::StillLooking);
    }
    looking.clear();
    Some(GoodsNote::ScanAgain)
}

/// Asks for the payment code of what the lines come to.
fn charge(model: &mut Model) -> Vec<ScreenCommand> {
    if let Some(why) = still_looking(model) {
        tell(model, why);
        return Vec::new();
    }
    let Some(sold) = model.rung_up() else { return Vec::new() };
    if sold.due == Money::default() {
        tell(model, GoodsNote::NothingDue);
        return Vec::new();
    }
    if model.settings.confirm_above.is_some_and(|limit| sold.due > limit) {
        model.dialog = Some(Dialog::LargeAmount(sold.due));
        return Vec::new();
    }
    ask_for_code(model, SaleRef::New(sold.due))
}

/// The payment of the sale at the desk has begun: its lines are in the journal.
pub(super) fn begun(model: &mut Model, order: &OutTradeNo) {
    if matches!(model.task, CashierTask::Starting { sale: SaleRef::New(_) }) {
        let sale = std::mem::take(&mut model.ring_up.sale);
        model.ring_up.chosen = None;
        model.ring_up.charged = (!sale.lines.is_empty()).then(|| (order.clone(), sale));
    }
}

/// The lines are discarded.
pub(super) fn discard(model: &mut Model) {
    model.dialog = None;
    model.ring_up.sale = Sale::default();
    model.ring_up.looking.clear();
    model.ring_up.chosen = None;
    next_sale(model);
}
