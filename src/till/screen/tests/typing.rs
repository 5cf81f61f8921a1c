//! Typing ahead, typing too fast, and what is heard.

use super::*;
use crate::language::Language;
use crate::says::{Says, reason};
use crate::screen::Sound;
use crate::screen::pages::checkout::CashierTask;

fn bench() -> ScreenBench {
    ScreenBench::new(settings())
}

fn says(bench: &ScreenBench, words: &str) -> bool {
    packed(&bench.drawn(80, 24)).contains(&packed(words))
}

fn amount(typed: &str) -> CashierTask {
    CashierTask::Amount { typed: typed.into() }
}

fn key_scan(bench: &mut ScreenBench, scan: Scan, is_alone: bool) -> Vec<ScreenCommand> {
    let began = Uptime(bench.now);
    bench.now += 80;
    bench.send(ScreenMessage::KeyScan { scan, text: raw(""), began, is_alone })
}

fn declined(bench: &mut ScreenBench) -> usize {
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Declined(reason("AUTHCODEEXPIRE")));
    bench.now += 3_000;
    index
}

#[test]
fn a_number_typed_across_the_moment_of_paid_is_dropped_as_a_whole() {
    for cut in 1..=6 {
        let mut bench = bench();
        let index = bench.charge("12.5", 1);
        let rings = bench.model.rings();
        let (ahead, after) = "128.50".split_at(cut);
        bench.type_text(ahead);
        assert_eq!(bench.model.rings(), rings + 1, "it is heard");
        assert!(says(&bench, "what you typed was not kept"));
        bench.answer(index, Says::Paid(proof()));
        bench.type_text(after);
        bench.key(Key::Enter);
        assert!(says(&bench, "Hand over the goods."), "{cut}");
        assert_eq!(bench.model.takes_codes(), None);
        // From its beginning it is taken.
        bench.now += 3_000;
        bench.type_text("128.50");
        assert_eq!(bench.model.task, amount("128.50"));
    }
}

#[test]
fn a_number_typed_at_a_question_that_goes_by_itself_is_dropped_too() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Paying);
    bench.key(Key::Esc);
    bench.type_text("12");
    bench.later(index, 5_000);
    bench.type_text("8");
    bench.answer(index, Says::Paid(proof()));
    bench.type_text(".50");
    assert!(says(&bench, "Hand over the goods."));
}

#[test]
fn a_refusal_wants_enter_escape_or_a_scan() {
    let mut bench = bench();
    declined(&mut bench);
    let rings = bench.model.rings();
    bench.type_text("7");
    assert!(says(&bench, "NOT PAID") && says(&bench, "Press Enter for the next sale, then"));
    assert_eq!(bench.model.rings(), rings + 1);
    bench.now += 1_000;
    bench.key(Key::Enter);
    bench.type_text("7");
    assert_eq!(bench.model.task, amount("7"));
}

#[test]
fn a_code_charges_a_refused_sale_again_for_a_minute_only() {
    for (wait, charges) in [(5_000, true), (55_000, true), (60_000, false), (900_000, false)] {
        let mut bench = bench();
        declined(&mut bench);
        bench.wait(wait);
        assert_eq!(bench.scan(2).len(), usize::from(charges), "{wait}");
        assert_eq!(says(&bench, "Press Enter for the next sale"), !charges);
    }
    let mut bench = bench();
    declined(&mut bench);
    bench.key(Key::Enter);
    assert_eq!(bench.scan(2), []);
}

#[test]
fn the_ends_sound_different() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Paid(proof()));
    assert_eq!(bench.model.sound(), Sound::Paid);
    bench.now += 3_000;
    let index = bench.charge("3", 2);
    bench.answer(index, Says::Declined(reason("NOTENOUGH")));
    assert_eq!(bench.model.sound(), Sound::NotPaid);
    bench.scan(2);
    assert_eq!(bench.model.sound(), Sound::NeedsYou, "a refused scan is no PAID");
    bench.key(Key::Enter);
    let index = bench.charge("4", 3);
    bench.until_attention(index);
    assert_eq!(bench.model.sound(), Sound::NeedsYou);
}

#[test]
fn what_a_cut_scan_left_in_the_amount_is_taken_back() {
    for (before, scan) in [("", Scan::Noise), ("5.00", Scan::Payment(code(1)))] {
        let mut bench = bench();
        bench.type_text(before);
        bench.wait(2_000);
        bench.type_text("1");
        bench.now += 80;
        assert_eq!(key_scan(&mut bench, scan, false), []);
        assert_eq!(bench.model.task, amount(before));
        assert!(says(&bench, "The amount was restored"));
    }
    // What was typed in one go is one number.
    let mut bench = bench();
    bench.type_text("12.5");
    bench.now += 30;
    let began = Uptime(bench.now);
    bench.send(ScreenMessage::DroppedKeys { characters: 2, began });
    assert_eq!(bench.model.task, amount(""));
    assert!(says(&bench, "too fast to have been typed"));
}

#[test]
fn a_piece_of_a_scan_does_not_wipe_a_result() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Paid(proof()));
    bench.now += 3_000;
    bench.type_text("1");
    assert_eq!(bench.model.task, amount("1"));
    bench.now += 500;
    key_scan(&mut bench, Scan::Noise, false);
    assert!(says(&bench, "Hand over the goods."));
}

#[test]
fn a_code_with_a_key_just_before_it_is_asked_for_again() {
    let mut bench = bench();
    bench.type_text("5");
    bench.key(Key::Enter);
    assert_eq!(key_scan(&mut bench, Scan::Payment(code(1)), false), []);
    assert!(says(&bench, "Scan the customer's code again") && says(&bench, "READY"));
    bench.now += 1_500;
    let begun = key_scan(&mut bench, Scan::Payment(code(1)), true);
    assert!(matches!(begun[..], [ScreenCommand::Begin { .. }]), "it was not used");
}

#[test]
fn a_question_takes_enter_after_half_a_second_of_silence() {
    let ask = |bench: &mut ScreenBench| {
        let index = bench.charge("12.5", 1);
        bench.answer(index, Says::Paying);
        bench.key(Key::Esc);
    };
    let press = |bench: &mut ScreenBench, wait: u64, key: Key| {
        bench.now += wait;
        bench.send(ScreenMessage::Key(key))
    };
    for (wait, answers) in [(0, 0), (100, 0), (499, 0), (500, 1)] {
        let mut bench = bench();
        ask(&mut bench);
        assert_eq!(press(&mut bench, wait, Key::Enter).len(), answers, "{wait}");
        assert_eq!(says(&bench, "Wait a second, then press once."), answers == 0);
    }
    for (key, wait, answers) in [
        (Key::Char('1'), 105, 0),
        (Key::Char('1'), 600, 0),
        (Key::Unknown, 105, 0),
        (Key::LineFeed, 600, 0),
        (Key::Down, 600, 0),
        (Key::Ctrl('l'), 499, 0),
        (Key::Ctrl('l'), 500, 1),
        (Key::Char('1'), 1_000, 1),
    ] {
        let mut bench = bench();
        ask(&mut bench);
        press(&mut bench, 3_000, key);
        assert_eq!(press(&mut bench, wait, Key::Enter).len(), answers, "{key:?} {wait}");
    }
    // A scanner on another line counts too.
    let mut bench = bench();
    ask(&mut bench);
    bench.now += 3_000;
    bench.send(ScreenMessage::Scanned(Scan::Noise));
    assert_eq!(press(&mut bench, 500, Key::Enter), []);
}

#[test]
fn all_commands_can_be_searched() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Paying);
    bench.key(Key::Ctrl('p'));
    assert!(says(&bench, "WAITING FOR CUSTOMER") && says(&bench, "Check now"));
    bench.type_text("chec");
    assert!(!says(&bench, "F1"));
    let order = bench.order(index);
    assert_eq!(bench.key(Key::Enter), [ScreenCommand::CheckNow(order)]);
    bench.key(Key::Ctrl('p'));
    bench.key(Key::Up);
    bench.key(Key::Enter);
    assert!(says(&bench, "A payment is still open. Quit anyway?"), "the last one, and it asks");
    bench.key(Key::Esc);
    for text in ["查询", "f5"] {
        bench.key(Key::Ctrl('p'));
        bench.type_text(text);
        assert!(says(&bench, "Check now"), "{text}");
        bench.key(Key::Esc);
    }
    bench.key(Key::Ctrl('p'));
    bench.type_text("130000");
    assert!(says(&bench, "No matching command."));
    assert_eq!(bench.key(Key::Enter), []);
    bench.key(Key::Esc);
    assert!(says(&bench, "WAITING FOR CUSTOMER"));
}

#[test]
fn a_scan_among_the_commands_is_refused() {
    let mut bench = bench();
    bench.type_text("12");
    bench.key(Key::Enter);
    bench.key(Key::Ctrl('p'));
    assert_eq!(bench.scan(1), []);
    assert!(says(&bench, "That was a WeChat payment code. Nothing was sent."));
    bench.now -= 500;
    assert_eq!(bench.key(Key::Enter), [], "nor does its Enter choose");
    assert!(says(&bench, "Commands"));
}

#[test]
fn a_note_stays_until_a_key_changes_something() {
    let mut bench = bench();
    bench.type_text("12");
    bench.send(ScreenMessage::Scanned(Scan::Noise));
    for key in [Key::Tab, Key::Up, Key::F(3), Key::Ctrl('x'), Key::Unknown, Key::LineFeed] {
        bench.key(key);
        assert!(says(&bench, "could not be read"), "{key:?}");
    }
    bench.key(Key::Backspace);
    assert!(!says(&bench, "could not be read"));
}

#[test]
fn a_sale_costs_its_digits_and_one_enter() {
    let mut bench = bench();
    let mut keys = 0;
    let sales = ["12.34", "8", "0.5", "199.99"];
    for (last, amount) in (1..).zip(sales) {
        for digit in amount.chars() {
            bench.key(Key::Char(digit));
            keys += 1;
        }
        bench.key(Key::Enter);
        keys += 1;
        let index = bench.begin(last);
        bench.answer(index, Says::Paid(proof()));
        assert!(says(&bench, "Then enter the next amount."));
    }
    assert_eq!(keys, sales.concat().len() + sales.len());
    assert_eq!(bench.count(), sales.len());
}

#[test]
fn every_command_is_found_by_what_it_does_in_both_languages_with_both_keys() {
    let mut bench = ScreenBench::new(Settings { drawer: true, ..settings() });
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Paid(proof()));
    for (words, name, keys) in [
        ("help", "Help", ["F1", "Esc 1"]),
        ("怎么", "Help", ["F1", "Esc 1"]),
        ("cash open", "Drawer", ["F6", "Esc 6"]),
        ("钱箱", "Drawer", ["F6", "Esc 6"]),
        ("SEARCH", "Find order", ["F7", "Esc 7"]),
        ("单号", "Find order", ["F7", "Esc 7"]),
        ("slip again", "Reprint", ["F9", "Esc 9"]),
        ("重打", "Reprint", ["F9", "Esc 9"]),
        ("leave", "Quit", ["Ctrl-Q", "Esc Q"]),
        ("语言", "中文", ["Ctrl-L", "Esc L"]),
        ("next sale", "Next sale", ["Enter", "Ctrl-M"]),
        ("下一笔", "Next sale", ["Enter", "Ctrl-M"]),
        // It is there, but not now.
        ("排队", "Next customer (not now)", ["Ctrl-N", "Esc N"]),
        ("query status", "Check now", ["", ""]),
    ] {
        bench.key(Key::Ctrl('p'));
        bench.type_text(words);
        let is_there = !keys[0].is_empty();
        assert_eq!(says(&bench, name), is_there, "{words}: {}", bench.drawn(80, 24));
        assert!(keys.iter().all(|key| says(&bench, key)), "{words}: {}", bench.drawn(80, 24));
        bench.key(Key::Esc);
    }
    // What does not work is not carried out.
    bench.key(Key::Ctrl('p'));
    bench.type_text("queue");
    assert_eq!(bench.key(Key::Enter), []);
    assert!(says(&bench, "Commands"));
}

#[test]
fn a_key_of_the_page_can_be_chosen_from_all_commands() {
    let mut bench = bench();
    let index = bench.charge("12.5", 1);
    bench.answer(index, Says::Paying);
    bench.key(Key::Ctrl('p'));
    bench.type_text("stop wait");
    bench.key(Key::Enter);
    assert!(says(&bench, "Cancel this payment?"), "{}", bench.drawn(80, 24));
}

#[test]
fn each_key_that_works_has_a_second_one() {
    for mut bench in [bench(), ScreenBench::new(Settings { drawer: true, ..settings() })] {
        let index = bench.charge("12.5", 1);
        bench.answer(index, Says::Paying);
        for (_, (key, name, _)) in keys::every(&bench.model, Language::English) {
            assert!(!keys::second(key).is_empty(), "{name}");
        }
    }
}

#[test]
fn esc_and_then_a_key_is_the_second_way_to_every_function() {
    use crate::screen::keyboard::Pressed;
    let second = |then: char| {
        let mut typist = Typist::new(crate::order::TillId::new("T01").unwrap());
        let target = crate::scan::KeyTarget { is_asking: false, amount: Some(0) };
        let mut keys = Vec::new();
        let mut take = |messages: Vec<ScreenMessage>| {
            keys.extend(messages.into_iter().map(|message| match message {
                ScreenMessage::EarlierKey(key, _) => key,
                other => panic!("{other:?}"),
            }));
        };
        for (key, at) in [(Key::Esc, 1_000), (Key::Char(then), 1_200)] {
            take(typist.press(Pressed::Key(key, Uptime(at)), target));
        }
        take(typist.tick(Uptime(2_000), target));
        keys
    };
    for (then, key) in [
        ('1', Key::F(1)),
        ('9', Key::F(9)),
        ('0', Key::F(10)),
        ('=', Key::F(12)),
        ('n', Key::Ctrl('n')),
        ('Q', Key::Ctrl('q')),
        ('k', Key::Ctrl('k')),
        ('p', Key::Ctrl('p')),
    ] {
        assert_eq!(second(then), [key], "{then}");
    }
    for other in ['.', 'x'] {
        assert_eq!(second(other), [Key::Esc, Key::Char(other)], "no command");
    }
}
