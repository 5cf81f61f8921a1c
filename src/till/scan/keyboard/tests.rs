//! Scans from the keys of a keyboard, in each layout and in Alt and keypad mode.

use proptest::prelude::*;

use super::*;

const A: u16 = 30;
const GRAVE: u16 = 41;
const DIGITS: [u16; 10] = [11, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const KEYPAD: [u16; 10] = [82, 79, 80, 81, 75, 76, 77, 71, 72, 73];

/// Presses and releases keys one after another; a minus sign in front holds the key down, and a
/// plus sign releases it.
fn type_on(keyboard: &mut Keyboard, keys: &[(char, u16)]) -> String {
    let mut bytes = Vec::new();
    for (how, code) in keys {
        if *how != '+' {
            bytes.extend_from_slice(&keyboard.take(*code, Motion::Pressed));
        }
        if *how != '-' {
            bytes.extend_from_slice(&keyboard.take(*code, Motion::Released));
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn tap(codes: &[u16]) -> Vec<(char, u16)> {
    codes.iter().map(|code| (' ', *code)).collect()
}

fn with(held: u16, codes: &[u16]) -> Vec<(char, u16)> {
    [vec![('-', held)], tap(codes), vec![('+', held)]].concat()
}

fn layout(layout: Layout, keys: &[(char, u16)]) -> String {
    type_on(&mut Keyboard::new(layout), keys)
}

/// All keys that have a character, from first to last.
fn every_key() -> Vec<u16> {
    [
        (2..=13).collect::<Vec<_>>(),
        (16..=27).collect(),
        (30..=41).collect(),
        (43..=53).collect(),
        vec![86],
    ]
    .concat()
}

#[test]
fn a_scan_as_a_keyboard_sends_it() {
    // 6901Ab and Enter, with Shift as a key of its own (scans 2.4).
    let keys = [tap(&[7, 10, 11, 2]), with(LEFT_SHIFT, &[A]), tap(&[48, ENTER])].concat();
    assert_eq!(layout(Layout::Us, &keys), "6901Ab\r");
}

#[test]
fn every_key_of_the_us_layout() {
    assert_eq!(
        layout(Layout::Us, &tap(&every_key())),
        "1234567890-=qwertyuiop[]asdfghjkl;'`\\zxcvbnm,./<"
    );
    assert_eq!(
        layout(Layout::Us, &with(RIGHT_SHIFT, &every_key())),
        "!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:\"~|ZXCVBNM<>?>"
    );
}

#[test]
fn a_french_scanner_types_digits_with_shift() {
    assert_eq!(layout(Layout::French, &with(LEFT_SHIFT, &DIGITS)), "0123456789");
    assert_eq!(layout(Layout::French, &tap(&[16, 30, 44, 50, 39])), "aqw,m");
    assert_eq!(layout(Layout::French, &with(RIGHT_ALT, &[3, 11, 27])), "~@¤");
    assert_eq!(layout(Layout::French, &with(LEFT_SHIFT, &[GRAVE])), "");
}

#[test]
fn a_german_scanner_has_z_and_y_exchanged() {
    assert_eq!(layout(Layout::German, &tap(&[21, 44, 53])), "zy-");
    assert_eq!(layout(Layout::German, &with(LEFT_SHIFT, &[8, 52])), "/:");
    assert_eq!(layout(Layout::German, &with(RIGHT_ALT, &[8, 11, 16, 86])), "{}@|");
}

#[test]
fn both_enter_keys_and_tab_end_a_scan() {
    assert_eq!(layout(Layout::Us, &tap(&[ENTER, KEYPAD_ENTER, TAB])), "\r\r\t");
}

#[test]
fn a_keypad_types_the_same_everywhere() {
    for country in [Layout::Us, Layout::French, Layout::German] {
        assert_eq!(layout(country, &tap(&KEYPAD)), "0123456789");
        assert_eq!(layout(country, &tap(&[55, 98, 74, 78, 83])), "*/-+.");
    }
}

#[test]
fn a_key_that_repeats_is_no_new_key() {
    assert_eq!(Motion::of(2), None);
    assert_eq!((Motion::of(1), Motion::of(0)), (Some(Motion::Pressed), Some(Motion::Released)));
}

#[test]
fn characters_by_number_while_alt_is_held() {
    let by_number = |digits: &[u16]| {
        with(LEFT_ALT, &digits.iter().map(|digit| KEYPAD[usize::from(*digit)]).collect::<Vec<_>>())
    };
    let keys = [by_number(&[0, 8, 3]), by_number(&[4, 9]), by_number(&[1, 3])].concat();
    assert_eq!(layout(Layout::Us, &keys), "S1\r");
    // A Chinese character of two bytes in GBK: 0xB0A1.
    let mut keyboard = Keyboard::new(Layout::Us);
    let mut bytes = Vec::new();
    for (how, code) in by_number(&[4, 5, 2, 1, 7]) {
        let motion = if how == '+' { Motion::Released } else { Motion::Pressed };
        bytes.extend_from_slice(&keyboard.take(code, motion));
    }
    assert_eq!(bytes, [0xb0, 0xa1]);
    assert_eq!(layout(Layout::Us, &by_number(&[9, 9, 9, 9, 9])), "");
    assert_eq!(layout(Layout::Us, &with(LEFT_ALT, &[])), "");
}

#[test]
fn control_characters_are_typed_with_control() {
    assert_eq!(layout(Layout::Us, &with(LEFT_CONTROL, &[27, 30, 2])), "\u{1d}\u{1}");
}

#[test]
fn caps_lock_turns_letters_and_nothing_else_until_the_scan_ends() {
    let keys = [
        tap(&[CAPS_LOCK, A, 2]),
        with(LEFT_SHIFT, &[A]),
        tap(&[ENTER, A, CAPS_LOCK, A, CAPS_LOCK, A]),
    ];
    assert_eq!(layout(Layout::Us, &keys.concat()), "A1a\raAa");
    let mut keyboard = Keyboard::new(Layout::Us);
    type_on(&mut keyboard, &tap(&[A, CAPS_LOCK]));
    keyboard.end_scan();
    assert_eq!(type_on(&mut keyboard, &tap(&[A])), "a");
}

#[test]
fn one_shift_key_let_go_leaves_the_other() {
    let keys = [
        ('-', LEFT_SHIFT),
        ('-', RIGHT_SHIFT),
        ('+', LEFT_SHIFT),
        (' ', A),
        ('+', RIGHT_SHIFT),
        (' ', A),
    ];
    assert_eq!(layout(Layout::Us, &keys), "Aa");
}

proptest! {
    #[test]
    fn any_keys_are_taken(keys: Vec<(u16, bool)>, country in 0_usize..3) {
        let countries = [Layout::Us, Layout::French, Layout::German];
        let mut keyboard = Keyboard::new(countries[country]);
        for (code, is_down) in keys {
            let motion = if is_down { Motion::Pressed } else { Motion::Released };
            prop_assert!(keyboard.take(code % 128, motion).len() <= 4);
            prop_assert!(keyboard.take(code, motion).len() <= 4);
        }
        prop_assert!(keyboard.number.capacity() <= 8);
    }

    #[test]
    fn what_is_typed_on_the_us_layout_comes_back(text in "[ -~]{0,60}") {
        let mut keys = Vec::new();
        for letter in text.chars() {
            let code = every_key().into_iter().chain([57]).find(|code| {
                [Layout::Us.plain(*code), Layout::Us.shifted(*code)].contains(&Some(letter))
            });
            let code = code.unwrap();
            let shift = Layout::Us.plain(code) != Some(letter);
            keys.extend(if shift { with(LEFT_SHIFT, &[code]) } else { tap(&[code]) });
        }
        prop_assert_eq!(layout(Layout::Us, &keys), text);
    }
}
