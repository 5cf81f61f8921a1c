//! The keys, and which of them work now. What the key bar shows is what [`super::update()`] acts on.

use super::model::{Dialog, Model};
use super::overlays::commands::chosen_of;
use super::pages::{self, checkout, code, find, goods, lock};
use crate::language::Language;
use crate::text::screen::{
    CashWords, CodeWords, FindPageWords, GoodsPageWords, RefundWords, ScreenWords, ShiftPageWords,
};

/// A key that the screen knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Key {
    Char(char),
    Enter,
    Tab,
    Backspace,
    Esc,
    Up,
    Down,
    F(u8),
    Ctrl(char),
    /// Ends a scan, and means nothing else.
    LineFeed,
    /// A key without a meaning here.
    Unknown,
}

/// The keys that work now and what they do, in the order of the key bar.
pub(super) fn working(model: &Model) -> Vec<(&'static str, &'static str)> {
    let text = model.text();
    let goods_words = GoodsPageWords::of(model.language);
    let mut keys = Vec::new();
    let mut show = |name, does| keys.push((name, does));
    match &model.dialog {
        Some(Dialog::Help) => show("Esc", text.key_close()),
        Some(Dialog::Training { .. }) => {
            show(text.arrows(), text.key_choose());
            show("Enter", text.key_show_code());
            show("Esc", text.key_close());
        }
        Some(Dialog::Commands { typed, chosen }) => {
            show(text.arrows(), text.key_choose());
            if chosen_of(model, typed, *chosen).is_some() {
                show("Enter", text.key_do());
            }
            show("Esc", text.key_close());
        }
        Some(Dialog::Goods { chosen, .. }) => {
            show(text.arrows(), text.key_choose());
            if goods::chosen_of(model, *chosen).is_some() {
                show("Enter", goods_words.key_add());
            }
            show("Esc", text.key_close());
        }
        Some(Dialog::Held { .. }) => {
            show(text.arrows(), text.key_choose());
            show("Enter", goods_words.key_take());
            show("Esc", text.key_close());
        }
        Some(Dialog::Discard) => {
            show("Enter", goods_words.key_discard());
            show("Esc", goods_words.key_keep());
        }
        Some(Dialog::Unsettled(_)) => {
            show("Enter", text.key_next_customer());
            show("Esc", text.key_back());
        }
        Some(Dialog::PrintAnyway(_)) => {
            show("Enter", text.key_print());
            show("Esc", text.key_back());
        }
        Some(Dialog::LargeAmount(_) | Dialog::LargeCode(_)) => {
            show("Enter", text.key_charge());
            show("Esc", text.key_back());
        }
        Some(Dialog::Cancel(order)) => {
            let [cancel, keep] = code::cancel_keys(model, order);
            show("Enter", cancel);
            show("Esc", keep);
        }
        Some(Dialog::MuchCash { .. }) => {
            show("Enter", CashWords::of(model.language).key_take());
            show("Esc", text.key_back());
        }
        Some(Dialog::ReturnCash(_)) => {
            show("Enter", CashWords::of(model.language).key_return());
            show("Esc", text.key_back());
        }
        Some(Dialog::CloseShift(_)) => {
            show("Enter", ShiftPageWords::of(model.language).key_close());
            show("Esc", text.key_back());
        }
        Some(Dialog::Refund(_)) => {
            show("F8", RefundWords::of(model.language).key_refund());
            show("Esc", text.key_back());
        }
        Some(Dialog::Quit) => {
            show("Ctrl-Q", text.key_quit());
            show("Esc", text.key_cancel());
        }
        None if model.is_locked() => {
            lock::keys(model, &mut show);
            show("F1", text.key_help());
            if model.settings.draws_chinese {
                show("Ctrl-L", text.key_language());
            }
        }
        None => {
            of_the_page(model, model.language, &mut show);
            for (key, name, does) in commands(model, model.language) {
                if key != Key::F(8) || model.may_be_refunded() {
                    show(name, does);
                }
            }
        }
    }
    keys
}

/// What Enter and Esc do on the page at hand.
fn of_the_page(
    model: &Model,
    language: Language,
    show: &mut impl FnMut(&'static str, &'static str),
) {
    match model.find {
        Some(_) => find::keys(model, language, show),
        None if model.money_page.is_some() => pages::keys(model, language, show),
        None => checkout::keys(model, language, show),
    }
}

/// Every command of this screen, and whether it works now: what the keys of the page do, and what
/// works everywhere. In the order of the key bar, in every language.
pub(super) fn every(model: &Model, language: Language) -> Vec<(bool, Command)> {
    let mut all = Vec::new();
    of_the_page(model, language, &mut |name, does| {
        let key = match name {
            "Enter" => Key::Enter,
            "Esc" => Key::Esc,
            _ => return,
        };
        all.push((true, (key, name, does)));
    });
    all.extend(whatever_the_task(model, language).into_iter().filter(|(works, (key, ..))| {
        *works
            || match key {
                Key::F(3 | 5 | 12) | Key::Ctrl('r') => false,
                Key::F(2) => model.ring_up.has_catalogue,
                Key::F(9) => model.settings.printer_configured,
                Key::Ctrl('l') => model.settings.draws_chinese,
                Key::Ctrl('t') => model.settings.training.is_some(),
                _ => true,
            }
    }));
    all
}

/// The second key of a key.
pub(super) const fn second(key: Key) -> &'static str {
    match key {
        Key::F(1) => "Esc 1",
        Key::F(2) => "Esc 2",
        Key::F(3) => "Esc 3",
        Key::F(4) => "Esc 4",
        Key::F(5) => "Esc 5",
        Key::F(6) => "Esc 6",
        Key::F(7) => "Esc 7",
        Key::F(8) => "Esc 8",
        Key::F(9) => "Esc 9",
        Key::F(10) => "Esc 0",
        Key::F(12) => "Ctrl-K",
        Key::Ctrl('l') => "Esc L",
        Key::Ctrl('n') => "Esc N",
        Key::Ctrl('q') => "Esc Q",
        Key::Ctrl('r') => "Esc R",
        Key::Ctrl('t') => "Esc T",
        Key::Enter => "Ctrl-M",
        Key::Tab => "Ctrl-I",
        Key::Esc => "Ctrl-[",
        _ => "",
    }
}

pub(super) type Command = (Key, &'static str, &'static str);

/// What works on every screen of this kind, whatever the task.
pub(super) fn commands(model: &Model, language: Language) -> Vec<Command> {
    let all = whatever_the_task(model, language);
    all.into_iter().filter(|(works, _)| *works).map(|(_, command)| command).collect()
}

fn whatever_the_task(model: &Model, language: Language) -> [(bool, Command); 21] {
    let text = ScreenWords::of(language);
    let page = FindPageWords::of(language);
    let goods = GoodsPageWords::of(language);
    let turned = if find::other_side(model) { page.key_entries() } else { page.key_story() };
    let cash = CashWords::of(language);
    let drawer = if model.can_take_cash() { cash.key_cash() } else { text.key_drawer() };
    let can_open = model.can_find() && model.money_page.is_none();
    let words = CodeWords::of(language);
    let has_bill = code::can_print_bill(model).is_some();
    [
        (model.can_go_on().is_some(), (Key::Ctrl('n'), "Ctrl-N", text.key_next_customer())),
        (model.can_come_back().is_some(), (Key::Tab, "Tab", text.key_tray())),
        (true, (Key::F(1), "F1", text.key_help())),
        (model.ring_up.has_catalogue && model.takes_goods(), (Key::F(2), "F2", goods.key_goods())),
        (model.can_hold(), (Key::F(3), "F3", goods.key_hold())),
        (model.can_recall(), (Key::F(3), "F3", goods.key_recall())),
        (model.can_restore(), (Key::F(3), "F3", goods.key_lines_back())),
        (code::can_order(model), (Key::F(4), "F4", words.key_code())),
        (model.can_check_now().is_some(), (Key::F(5), "F5", text.key_check_now())),
        (model.can_ask(), (Key::F(5), "F5", page.key_ask())),
        (model.can_turn(), (Key::Ctrl('r'), "Ctrl-R", turned)),
        (can_open, (Key::F(6), "F6", drawer)),
        (model.can_find() && !model.is_finding(), (Key::F(7), "F7", page.key_find())),
        (model.can_refund(), (Key::F(8), "F8", RefundWords::of(language).key_refund())),
        (has_bill, (Key::F(9), "F9", words.key_bill())),
        (!has_bill && model.can_reprint().is_some(), (Key::F(9), "F9", text.key_reprint())),
        (can_open, (Key::F(10), "F10", ShiftPageWords::of(language).key_shift())),
        (model.can_train(), (Key::Ctrl('t'), "Ctrl-T", text.key_training())),
        (model.settings.draws_chinese, (Key::Ctrl('l'), "Ctrl-L", text.key_language())),
        (model.can_lock(), (Key::F(12), "F12", text.key_lock())),
        (true, (Key::Ctrl('q'), "Ctrl-Q", text.key_quit())),
    ]
}
