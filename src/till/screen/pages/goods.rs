//! The goods: a search for a product, the lines of the sale at the desk, and the list of the sales
//! that were put aside.

use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::widgets::{Block, BorderType, Widget};

use crate::clean::clean;
use crate::goods::Good;
use crate::language::Language;
use crate::money::Money;
use crate::sale::{Quantity, SoldLine};
use crate::screen::digits::Size;
use crate::screen::model::{Dialog, Model};
use crate::screen::note::Note;
use crate::screen::palette::Tone;
use crate::screen::ring_up::{self, GoodsCommand, is_marked};
use crate::screen::view::sheet::inside;
use crate::screen::view::{Canvas, cells, inset};
use crate::screen::{Key, ScreenCommand};
use crate::text::screen::{GoodsPageWords, ScreenWords};

/// No name is longer.
const SOUGHT_MAX: usize = 40;
/// Cells for what a line is called, and for a fault.
const NAME: usize = 60;
const FAULT: usize = 120;
/// Where the price of a product ends, and where the quantity of a line does, from the right.
const CODE_WIDTH: u16 = 16;
const PRICE_WIDTH: u16 = 14;
const COUNT_WIDTH: u16 = 24;

/// Opens the search.
pub(in crate::screen) fn open(model: &mut Model) -> Vec<ScreenCommand> {
    if !model.takes_goods() {
        model.note = Some(Note::SaleFirst);
        return Vec::new();
    }
    model.ring_up.listed = None;
    model.dialog = Some(Dialog::Goods { typed: String::new(), chosen: 0 });
    search(model, "")
}

fn search(model: &mut Model, typed: &str) -> Vec<ScreenCommand> {
    model.ring_up.serial += 1;
    let (serial, typed) = (model.ring_up.serial, typed.to_owned());
    vec![ScreenCommand::Goods(GoodsCommand::Search { serial, typed })]
}

fn listed(model: &Model) -> &[Good] {
    match &model.ring_up.listed {
        Some(Ok((goods, _))) => goods,
        Some(Err(_)) | None => &[],
    }
}

/// The product that Enter adds.
pub(in crate::screen) fn chosen_of(model: &Model, chosen: usize) -> Option<&Good> {
    listed(model).get(chosen)
}

/// What a key does in the search.
pub(in crate::screen) fn pressed(
    model: &mut Model,
    mut typed: String,
    mut chosen: usize,
    key: Key,
) -> Vec<ScreenCommand> {
    let last = listed(model).len().saturating_sub(1);
    let before = typed.clone();
    match key {
        Key::Up => chosen = chosen.checked_sub(1).unwrap_or(last),
        Key::Down | Key::Tab => chosen = if chosen < last { chosen + 1 } else { 0 },
        Key::Backspace => {
            typed.pop();
        }
        Key::Char(character) if typed.chars().count() < SOUGHT_MAX => {
            let shown =
                if character == ' ' { " ".into() } else { clean(&character.to_string(), 2) };
            typed.push_str(&shown);
        }
        Key::Enter => {
            if let Some(good) = chosen_of(model, chosen).cloned() {
                let times = ring_up::typed(model).strip_suffix('*').map(Quantity::read);
                let quantity = times.and_then(Result::ok).flatten().unwrap_or(Quantity::ONE);
                ring_up::add(model, good.line(quantity));
            }
            return Vec::new();
        }
        _ => {}
    }
    let is_new = typed != before;
    if is_new {
        chosen = 0;
    }
    let commands = if is_new { search(model, &typed) } else { Vec::new() };
    model.dialog = Some(Dialog::Goods { typed, chosen });
    commands
}

/// The keys of the lines at the desk.
pub(in crate::screen) fn keys(
    model: &Model,
    language: Language,
    show: &mut impl FnMut(&'static str, &'static str),
) -> bool {
    let (text, words) = (ScreenWords::of(language), GoodsPageWords::of(language));
    let typed = ring_up::typed(model);
    if model.ring_up.sale.lines.is_empty() {
        return false;
    }
    if typed.is_empty() {
        show("Enter", text.key_ask_for_code());
        show("Esc", words.key_discard());
    } else {
        show("Enter", if is_marked(typed) { text.key_do() } else { words.key_add() });
        show("Esc", text.key_clear());
    }
    show(text.arrows(), text.key_choose());
    true
}

/// How many at which price, and what is taken off.
fn count(model: &Model, line: &SoldLine) -> String {
    let price = model.settings.currency.group(line.price);
    let count = format!("{}{} x {price}", line.quantity.show(), line.unit);
    if line.discount == Money::default() {
        return count;
    }
    format!("{count} -{}", model.settings.currency.group(line.discount))
}

impl Canvas<'_> {
    /// The lines of the sale at the desk, what is typed about them, and the sum.
    pub(in crate::screen) fn rung_up(&mut self, area: Rect, typed: &str) {
        let model = self.model;
        let words = GoodsPageWords::of(model.language);
        let Some(sold) = model.rung_up() else { return };
        let outer = inset(area, 1, 0);
        let ink = self.palette.ink(Tone::Calm);
        Block::bordered()
            .border_type(BorderType::Rounded)
            .border_style(ink)
            .title(format!(" {} · {} ", words.sale(), words.items(sold.lines.len())))
            .render(outer, self.buffer);
        let inner = inside(area);
        let (base, quiet, strong) =
            (self.palette.base(), self.palette.quiet(), self.palette.strong());
        let sum = model.money(sold.due);
        let size = Size::fitting(&sum, inner.width, inner.height / 3, 1);
        let height = size.map_or(1, Size::height);
        let is_off = sold.discount > Money::default();
        let below = height + 2 + u16::from(is_off);
        let list = Rect { height: inner.height.saturating_sub(below), ..inner };
        let rows = usize::from(list.height).max(1);
        let count_of = sold.lines.len();
        let at = model.ring_up.chosen.unwrap_or_else(|| count_of.saturating_sub(1));
        let first = (at + 1).saturating_sub(rows);
        for (y, (index, line)) in (0..list.height).zip(sold.lines.iter().enumerate().skip(first)) {
            let is_chosen = model.ring_up.chosen == Some(index);
            let fill = self.palette.fill(Tone::Calm);
            let of = |style| if is_chosen { fill } else { style };
            if is_chosen {
                self.buffer.set_style(Rect { y: list.y + y, height: 1, ..list }, fill);
                self.put(list, 0, y, ">", fill);
            }
            let net = Money::from_minor(line.gross.minor() - line.discount.minor());
            self.put_right(list, y, &model.settings.currency.group(net), of(strong));
            let count = count(model, line);
            let places = Rect { width: list.width.saturating_sub(PRICE_WIDTH), ..list };
            self.put_right(places, y, &count, of(quiet));
            let room = places.width.saturating_sub(COUNT_WIDTH.max(cells(&count) + 2));
            let name = if line.name.is_empty() { words.item() } else { &line.name };
            self.put(Rect { width: room, ..list }, 2, y, &clean(name, NAME), of(base));
        }
        if first > 0 {
            self.put(list, 0, 0, "↑", quiet);
        }
        if first + rows < count_of {
            self.put(list, 0, list.height.saturating_sub(1), "↓", quiet);
        }
        let mut y = list.height;
        let whole = model.ring_up.chosen.is_none();
        if is_off {
            self.put(inner, 2, y, words.discount(), base);
            let off = format!("-{}", model.settings.currency.group(sold.discount));
            self.put_right(inner, y, &off, strong);
            y += 1;
        }
        let label = if whole {
            format!("> {}", words.whole_sale())
        } else {
            format!("  {}", words.total())
        };
        self.put(inner, 0, y, &label, if whole { strong } else { quiet });
        match size {
            Some(size) => {
                let width = size.width(&sum).unwrap_or(0).min(inner.width);
                let x = inner.x + inner.width - width;
                let place = Rect { x, y: inner.y + y, width, height };
                size.draw(&sum, place, strong, self.buffer);
            }
            None => self.put_right(inner, y, &sum, strong.add_modifier(Modifier::BOLD)),
        }
        if model.is_asking() {
            return;
        }
        let next = if model.ring_up.is_looking() {
            words.looking()
        } else if typed.is_empty() {
            words.scan_or_charge()
        } else if typed.ends_with('*') {
            words.scan_so_many()
        } else if is_marked(typed) && !typed.contains('*') {
            words.enter_changes()
        } else {
            words.enter_adds()
        };
        let y = inner.height.saturating_sub(1);
        self.put(inner, 0, y, "▌", ink);
        let mut x = 2;
        if !typed.is_empty() {
            let shown = format!("{}_  ", clean(typed, SOUGHT_MAX));
            x += self.put(inner, x, y, &shown, strong);
        }
        self.put(inner, x, y, next, if typed.is_empty() { strong } else { base });
    }

    /// The search.
    pub(in crate::screen) fn goods(&mut self, area: Rect, typed: &str, chosen: usize) {
        let model = self.model;
        let words = GoodsPageWords::of(model.language);
        let inner = self.overlay(area, words.title());
        let (base, quiet, strong) =
            (self.palette.base(), self.palette.quiet(), self.palette.strong());
        let sought = if typed.is_empty() { words.prompt().to_owned() } else { format!("{typed}_") };
        self.put(inner, 0, 0, &sought, if typed.is_empty() { base } else { strong });
        let said = match &model.ring_up.listed {
            None => String::new(),
            Some(Err(why)) => words.failed(&clean(why.in_language(model.language), FAULT)),
            Some(Ok((goods, _))) if goods.is_empty() && !model.ring_up.has_catalogue => {
                words.no_catalogue_yet().to_owned()
            }
            Some(Ok((goods, _))) if goods.is_empty() => words.none().to_owned(),
            Some(Ok((_, count))) => words.found(*count),
        };
        self.put(inner, 0, 1, &said, quiet);
        let list = Rect {
            y: inner.y + inner.height.min(3),
            height: inner.height.saturating_sub(3),
            ..inner
        };
        let first = (chosen + 1).saturating_sub(usize::from(list.height).max(1));
        let goods = listed(model).iter().enumerate().skip(first);
        for (y, (index, good)) in (0..list.height).zip(goods) {
            let is_chosen = index == chosen;
            let fill = self.palette.fill(Tone::Calm);
            let of = |style| if is_chosen { fill } else { style };
            if is_chosen {
                self.buffer.set_style(Rect { y: list.y + y, height: 1, ..list }, fill);
                self.put(list, 0, y, ">", fill);
            }
            self.put(list, 2, y, &good.code, of(quiet));
            let unit = if good.unit.is_empty() { String::new() } else { format!("/{}", good.unit) };
            let price = format!("{}{unit}", model.settings.currency.group(good.price));
            self.put_right(list, y, &price, of(strong));
            let width = list.width.saturating_sub(cells(&price) + 2);
            self.put(Rect { width, ..list }, 2 + CODE_WIDTH, y, &clean(&good.name, NAME), of(base));
        }
    }

    /// What was put aside, the oldest first.
    pub(in crate::screen) fn held_sales(&mut self, area: Rect, chosen: usize) {
        let model = self.model;
        let words = GoodsPageWords::of(model.language);
        let inner = self.overlay(area, words.held_title());
        let (base, quiet, strong) =
            (self.palette.base(), self.palette.quiet(), self.palette.strong());
        self.put(inner, 0, 0, words.held_what(), base);
        let list = Rect {
            y: inner.y + inner.height.min(2),
            height: inner.height.saturating_sub(2),
            ..inner
        };
        let first = (chosen + 1).saturating_sub(usize::from(list.height).max(1));
        let held = model.ring_up.held.iter().enumerate().skip(first);
        for (y, (index, held)) in (0..list.height).zip(held) {
            let is_chosen = index == chosen;
            let fill = self.palette.fill(Tone::Calm);
            let of = |style| if is_chosen { fill } else { style };
            if is_chosen {
                self.buffer.set_style(Rect { y: list.y + y, height: 1, ..list }, fill);
                self.put(list, 0, y, ">", fill);
            }
            let time = held.at.local("%m-%d %H:%M", &model.settings.time_zone);
            self.put(list, 2, y, &time, of(quiet));
            let sum =
                held.sale.total().map_or_else(|_| String::new(), |sold| model.money(sold.due));
            let column = Rect { width: list.width.min(30), ..list };
            self.put_right(column, y, &sum, of(strong));
            let names = held.sale.lines.iter().map(|line| line.name.as_str());
            let names: Vec<&str> = names.filter(|name| !name.is_empty()).take(3).collect();
            let count = words.items(held.sale.lines.len());
            let what = format!("{count}  {}", clean(&names.join(", "), NAME));
            self.put(list, 33, y, &what, of(base));
        }
    }
}
