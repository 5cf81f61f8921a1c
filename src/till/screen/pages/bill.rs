//! The gateway's bill of a day against the journal: in what they differ, and what the day comes to.
//! It is asked for and compared elsewhere, and the page only shows what came of it.

use ratatui::layout::Rect;

use super::MoneyPage;
use crate::bill::beijing;
use crate::bill::compare::{Difference, Sums};
use crate::clean::clean;
use crate::clock::Date;
use crate::language::{Language, Text};
use crate::reconcile::{Reconciled, may_be_asked};
use crate::screen::view::Canvas;
use crate::screen::wrap::wrap;
use crate::screen::{Key, Model, ScreenCommand};
use crate::text::reconcile::{ReconcileWords, sides};
use crate::text::screen::{BillPageWords, HelpWords, ScreenWords, ShiftPageWords};

/// Differences that are drawn: each frame draws all of them, and nobody reads more on a till.
const LISTED: usize = 100;
/// Cells of a text from elsewhere.
const TEXT: usize = 300;
/// Columns that a line may take, and cells of the page of the smallest window.
const WIDTH: u16 = 100;
const NARROW: usize = 68;

/// The page.
#[derive(Debug)]
pub(in crate::screen) struct BillPage {
    /// By Beijing's calendar.
    day: Date,
    showing: Showing,
    /// How many lines are scrolled away.
    scrolled: usize,
}

#[derive(Debug)]
enum Showing {
    Asking,
    Failed(Text),
    Compared(Box<Reconciled>),
}

/// A line of the page.
enum BillLine {
    Title(String),
    Pair(String, String),
    Text(String),
}

impl BillPage {
    pub(super) fn face(&self) -> (String, usize) {
        let showing = match self.showing {
            Showing::Asking => 0,
            Showing::Failed(_) => 1,
            Showing::Compared(_) => 2,
        };
        (self.day.to_string(), 10 * self.scrolled + showing)
    }
}

/// The last day of which there may be a bill.
fn yesterday(model: &Model) -> Date {
    let today = model.wall.day(&beijing());
    today.yesterday().unwrap_or(today)
}

/// What the page of the shift says that leads here; nothing in training, which has no merchant.
pub(super) fn offer(model: &Model) -> Option<String> {
    let words = BillPageWords::of(model.language);
    let is_training = model.settings.training.is_some();
    (!is_training).then(|| words.compare(&yesterday(model).to_string()))
}

/// Opens the page with the bill of yesterday.
pub(super) fn open(model: &mut Model) -> Vec<ScreenCommand> {
    let day = yesterday(model);
    show(model, day)
}

/// Asks for the bill of that day, unless another is still on its way: one at a time.
fn show(model: &mut Model, day: Date) -> Vec<ScreenCommand> {
    let showing = match may_be_asked(day, model.wall) {
        Ok(()) => Showing::Asking,
        Err(trouble) => Showing::Failed(trouble.text()),
    };
    let asks = matches!(showing, Showing::Asking) && model.bill_asked.is_none();
    model.money_page = Some(MoneyPage::Bill(BillPage { day, showing, scrolled: 0 }));
    model.asked_at = model.now;
    if asks {
        model.bill_asked = Some(day);
    }
    asks.then_some(ScreenCommand::ReadBill(day)).into_iter().collect()
}

/// What came of it.
pub(super) fn read(model: &mut Model, result: Result<Box<Reconciled>, Text>) -> Vec<ScreenCommand> {
    let asked = model.bill_asked.take();
    let Some(MoneyPage::Bill(page)) = &mut model.money_page else { return Vec::new() };
    if !matches!(page.showing, Showing::Asking) {
        return Vec::new();
    }
    if asked != Some(page.day) {
        let day = page.day;
        return show(model, day);
    }
    page.showing = match result {
        Ok(reconciled) => Showing::Compared(reconciled),
        Err(why) => Showing::Failed(why),
    };
    Vec::new()
}

pub(super) fn pressed(model: &mut Model, key: Key) -> Vec<ScreenCommand> {
    let last = lines(model, NARROW).len().saturating_sub(1);
    let Some(MoneyPage::Bill(page)) = &mut model.money_page else { return Vec::new() };
    let (day, is_asking) = (page.day, matches!(page.showing, Showing::Asking));
    match key {
        Key::Up => page.scrolled = page.scrolled.saturating_sub(1),
        Key::Down => page.scrolled = (page.scrolled + 1).min(last),
        Key::Tab if !is_asking => return show(model, day.yesterday().unwrap_or(day)),
        Key::Enter if matches!(page.showing, Showing::Failed(_)) => return show(model, day),
        _ => {}
    }
    Vec::new()
}

pub(super) fn keys(
    page: &BillPage,
    language: Language,
    show: &mut impl FnMut(&'static str, &'static str),
) {
    let (text, words) = (ScreenWords::of(language), BillPageWords::of(language));
    if matches!(page.showing, Showing::Failed(_)) {
        show("Enter", words.key_again());
    }
    if !matches!(page.showing, Showing::Asking) {
        show("Tab", words.key_day_before());
    }
    show("Esc", text.key_back());
}

pub(super) fn help(model: &Model) -> &'static [&'static str] {
    HelpWords::of(model.language).bill()
}

/// Everything that the page says, in lines of at most so many cells.
fn lines(model: &Model, width: usize) -> Vec<BillLine> {
    let Some(MoneyPage::Bill(page)) = &model.money_page else { return Vec::new() };
    let mut lines = Vec::new();
    let mut say = |text: &str| {
        lines.extend(wrap(&clean(text, TEXT), width).into_iter().map(BillLine::Text));
    };
    match &page.showing {
        Showing::Asking => say(BillPageWords::of(model.language).asking()),
        Showing::Failed(why) => say(&nothing_compared(model, why)),
        Showing::Compared(reconciled) => return compared(model, reconciled, width),
    }
    lines
}

fn nothing_compared(model: &Model, why: &Text) -> String {
    let why = clean(why.in_language(model.language), TEXT);
    // Some reasons are sentences by themselves.
    let why = why.trim_end_matches(['.', '。']);
    BillPageWords::of(model.language).nothing_compared(why)
}

/// What stands at the beginning of a line: elsewhere it is within one.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// In a sentence, whether they differ.
fn in_short(model: &Model, reconciled: &Reconciled) -> String {
    let words = ReconcileWords::of(model.language);
    let outcome = &reconciled.outcome;
    match outcome.differ() {
        0 => words.equal(outcome.matched),
        differ => words.differ(differ, outcome.matched),
    }
}

fn compared(model: &Model, reconciled: &Reconciled, width: usize) -> Vec<BillLine> {
    let words = ReconcileWords::of(model.language);
    let outcome = &reconciled.outcome;
    let mut lines = Vec::new();
    let text = |text: String| {
        wrap(&clean(&text, TEXT), width).into_iter().map(BillLine::Text).collect::<Vec<_>>()
    };
    if !reconciled.has_bill {
        lines.extend(text(words.no_bill(&reconciled.day.to_string())));
    }
    lines.push(BillLine::Title(in_short(model, reconciled)));
    for found in outcome.differences.iter().take(LISTED) {
        lines.push(BillLine::Text(String::new()));
        lines.extend(difference(model, found, width));
    }
    let hidden = outcome.differences.len().saturating_sub(LISTED);
    if hidden > 0 {
        let day = reconciled.day.to_string();
        let hidden = BillPageWords::of(model.language).hidden(hidden, &day);
        lines.extend(text(hidden));
    }
    if outcome.not_listed > 0 {
        lines.extend(text(words.not_listed(outcome.not_listed)));
    }
    let own = (words.this_till().to_owned(), &outcome.sums.own);
    let others = outcome.sums.others.iter().map(|(id, sums)| {
        let name = if id.is_empty() { words.no_till().to_owned() } else { words.other_till(id) };
        (name, sums)
    });
    let mut in_others = 0;
    for (name, sums) in std::iter::once(own).chain(others) {
        lines.push(BillLine::Text(String::new()));
        lines.push(BillLine::Title(capital(&clean(&name, TEXT))));
        lines.extend(of_a_till(model, sums));
        in_others += sums.in_other_currencies;
    }
    if in_others > 0 {
        lines.extend(text(words.other_currencies(in_others)));
    }
    if reconciled.extent.of_others > 0 {
        lines.extend(text(words.of_others(reconciled.extent.of_others)));
    }
    lines
}

/// What it is, what each side says, and what to do.
fn difference(model: &Model, found: &Difference, width: usize) -> Vec<BillLine> {
    let words = ReconcileWords::of(model.language);
    let time = found.at.map(|at| at.local("%m-%d %H:%M:%S", &model.settings.time_zone));
    let order = BillPageWords::of(model.language).order(&found.order_no);
    let refund = Some(&found.refund_no).filter(|number| !number.is_empty());
    let refund = refund.map(|number| capital(&words.refund_of(number)));
    let advice = words.advice_at_the_till(found.cause);
    let sides = capital(&sides(found, model.language));
    let rest = [Some(order), refund, Some(sides), Some(advice)].into_iter().flatten();
    let rest = rest.flat_map(|line| wrap(&clean(&line, TEXT), width.saturating_sub(2)));
    let first = BillLine::Pair(capital(&words.cause(found.cause)), time.unwrap_or_default());
    std::iter::once(first).chain(rest.map(|line| BillLine::Text(format!("  {line}")))).collect()
}

fn of_a_till(model: &Model, sums: &Sums) -> Vec<BillLine> {
    let words = ReconcileWords::of(model.language);
    let currency = model.settings.currency;
    let counted = |count: u64, sum| {
        let sum = currency.group(sum);
        BillPageWords::of(model.language).counted(count, &sum)
    };
    let pair = |name: &str, value| BillLine::Pair(capital(name), value);
    let money = |amount: crate::bill::Exact| amount.rounded(currency);
    vec![
        pair(words.payments(), counted(sums.payments, money(sums.paid))),
        pair(words.refunds(), counted(sums.refunds, money(sums.refunded))),
        pair(words.fees(), currency.group(money(sums.fees))),
        pair(words.net(), currency.group(money(sums.net()))),
    ]
}

impl Canvas<'_> {
    pub(super) fn bill_page(&mut self, area: Rect, page: &BillPage) {
        let model = self.model;
        let words = BillPageWords::of(model.language);
        let inner = self.overlay(area, &words.title(&page.day.to_string()));
        // The border has air around it, which a list can use.
        let inner = Rect { y: inner.y.saturating_sub(1), height: inner.height + 2, ..inner };
        let place = Rect { width: inner.width.min(WIDTH), ..inner };
        let lines = lines(model, usize::from(place.width));
        let rows = inner.height.saturating_sub(1);
        let most = lines.len().saturating_sub(usize::from(rows));
        let skip = page.scrolled.min(most);
        let (base, strong) = (self.palette.base(), self.palette.strong());
        for (y, line) in (0..rows).zip(&lines[skip..]) {
            match line {
                BillLine::Title(title) => {
                    self.put(place, 0, y, title, strong);
                }
                BillLine::Pair(name, value) => {
                    self.put(place, 0, y, &clean(name, TEXT), base);
                    self.put_right(place, y, &clean(value, TEXT), base);
                }
                BillLine::Text(text) => {
                    self.put(place, 0, y, text, base);
                }
            }
        }
        if most > 0 {
            let quiet = self.palette.quiet();
            self.put_right(inner, rows, ShiftPageWords::of(model.language).more(), quiet);
        }
    }

    /// The page in a window that is too small.
    pub(super) fn bill_in_few_lines(&self, page: &BillPage) -> Vec<String> {
        let model = self.model;
        let words = BillPageWords::of(model.language);
        let said = match &page.showing {
            Showing::Asking => words.asking().to_owned(),
            Showing::Failed(why) => nothing_compared(model, why),
            Showing::Compared(reconciled) => in_short(model, reconciled),
        };
        vec![words.title(&page.day.to_string()), said]
    }
}
