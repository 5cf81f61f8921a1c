//! Keys from the raw reports of keyboards, usual and unusual.

use proptest::prelude::*;

use super::*;
use crate::scan::keyboard::{Keyboard, Layout};

/// A keyboard's (scans 2.4).
const KEYBOARD: &[u8] = b"\x05\x01\x09\x06\xa1\x01\x75\x01\x95\x08\x05\x07\x19\xe0\x29\xe7\x15\x00\
    \x25\x01\x81\x02\x95\x01\x75\x08\x81\x01\x95\x05\x75\x01\x05\x08\x19\x01\x29\x05\x91\x02\x95\x01\
    \x75\x03\x91\x01\x95\x06\x75\x08\x15\x00\x25\xff\x05\x07\x19\x00\x29\xff\x81\x00\xc0";
/// Report 1 with a bit for each modifier and each key, report 2 with volume keys.
const ALL_KEYS: &[u8] = b"\x05\x01\x09\x06\xa1\x01\x85\x01\x05\x07\x15\x00\x25\x01\x75\x01\x19\xe0\
    \x29\xe7\x95\x08\x81\x02\x19\x00\x29\x67\x95\x68\x81\x02\xc0\x05\x0c\x09\x01\xa1\x01\x85\x02\
    \x09\xe9\x09\xea\x95\x02\x81\x02\xc0";
/// Modifiers as a list of usages in another order, keys counted from 1.
const UNUSUAL: &[u8] = b"\x05\x01\x09\x06\xa1\x01\x05\x07\x15\x00\x25\x01\x75\x01\x09\xe1\x09\xe0\
    \x95\x02\x81\x02\x95\x06\x81\x01\x75\x08\x95\x02\x15\x01\x25\x65\x19\x04\x29\x68\x81\x00\xc0";
const MOUSE: &[u8] = b"\x05\x01\x09\x02\xa1\x01\x05\x09\x19\x01\x29\x03\x15\x00\x25\x01\x95\x03\
    \x75\x01\x81\x02\x95\x05\x81\x01\x05\x01\x09\x30\x09\x31\x75\x08\x95\x02\x81\x06\xc0";
const CODE: &str = "134567890123456789";
const SHIFT: u8 = 1 << 1;
const NONE: [u8; 8] = [0; 8];

/// The reports in which a keyboard types this: one key down at a time.
fn typed(text: &str) -> Vec<[u8; 8]> {
    let usages = |letter: char| match letter {
        '\r' => (0, 0x28),
        '0' => (0, 0x27),
        '1'..='9' => (0, 0x1d + letter as u8 - b'0'),
        'a'..='z' => (0, 0x04 + letter as u8 - b'a'),
        'A'..='Z' => (SHIFT, 0x04 + letter as u8 - b'A'),
        _ => panic!("no key for {letter}"),
    };
    let reports = text.chars().map(usages).map(|(shift, key)| [shift, 0, key, 0, 0, 0, 0, 0]);
    reports.flat_map(|report| [report, NONE]).collect()
}

fn read<R: AsRef<[u8]>>(descriptor: &[u8], sent: &[R]) -> String {
    let mut reports = KeyReports::parse(descriptor).unwrap();
    let mut keyboard = Keyboard::new(Layout::Us);
    let mut bytes = Vec::new();
    for report in sent {
        let hear = |code, motion| bytes.extend_from_slice(&keyboard.take(code, motion));
        reports.take(report.as_ref(), hear);
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_scan_in_the_reports_of_a_keyboard() {
    let line = format!("{CODE}\r");
    assert_eq!(read(KEYBOARD, &typed(&line)), line);
    assert_eq!(read(KEYBOARD, &typed("Ab1Z\r")), "Ab1Z\r");
}

#[test]
fn the_reports_of_a_payment_code_fit_into_what_the_kernel_keeps() {
    const KEPT: usize = 63;
    assert!(typed(&format!("{CODE}\r")).len() <= KEPT);
}

#[test]
fn shift_comes_before_the_key_that_it_shifts_and_goes_before_the_next() {
    let reports = [[SHIFT, 0, 4, 0, 0, 0, 0, 0], [0, 0, 5, 0, 0, 0, 0, 0], NONE];
    assert_eq!(read(KEYBOARD, &reports), "Ab");
}

#[test]
fn a_scanner_may_hold_keys_until_the_next_are_down() {
    // 1, then 1 and 2, then 2, then 3 and 4 at once.
    let reports = [
        [0, 0, 30, 0, 0, 0, 0, 0],
        [0, 0, 30, 31, 0, 0, 0, 0],
        [0, 0, 31, 0, 0, 0, 0, 0],
        [0, 0, 32, 33, 0, 0, 0, 0],
    ];
    assert_eq!(read(KEYBOARD, &reports), "1234");
}

#[test]
fn too_many_keys_at_once_change_nothing() {
    let roll_over = [0, 0, 1, 1, 1, 1, 1, 1];
    let one = [0, 0, 30, 0, 0, 0, 0, 0];
    assert_eq!(read(KEYBOARD, &[one, roll_over, one, NONE]), "1");
}

#[test]
fn a_bit_for_every_key() {
    let report = |key: usize| {
        let mut report = vec![1, 0];
        report.resize(15, 0);
        report[2 + key / 8] = 1 << (key % 8);
        report
    };
    let volume = vec![2, 1];
    let reports = [report(0x1e), volume.clone(), vec![1], report(0x1f), volume, report(0x28)];
    assert_eq!(read(ALL_KEYS, &reports), "12\r");
}

#[test]
fn usages_in_any_order_and_keys_that_count_from_one() {
    // The left Shift first, as declared; value 1 is the letter A.
    let reports = [[1, 1, 0], [0, 0, 0], [2, 0, 0], [0, 2, 0]];
    assert_eq!(read(UNUSUAL, &reports), "Ab");
}

#[test]
fn a_key_that_stands_in_two_fields_is_one_key() {
    // A byte for a key, followed by the bits of the first keys as well.
    let twice =
        [&KEYBOARD[..KEYBOARD.len() - 1], b"\x75\x01\x95\x30\x19\x00\x29\x2f\x81\x02"].concat();
    let mut both = vec![0; 14];
    (both[2], both[8 + 0x1e / 8]) = (0x1e, 1 << (0x1e % 8));
    assert_eq!(read(&twice, &[both, vec![0; 14]]), "1");
}

#[test]
fn what_was_down_when_reports_were_lost_is_not_down_any_more() {
    let mut reports = KeyReports::parse(KEYBOARD).unwrap();
    let one = [0, 0, 30, 0, 0, 0, 0, 0];
    let mut moved = Vec::new();
    for _ in 0..2 {
        reports.take(&one, |code, motion| moved.push((code, motion)));
        reports.forget();
    }
    assert_eq!(moved, [(2, Motion::Pressed), (2, Motion::Pressed)]);
}

#[test]
fn the_page_may_be_named_behind_the_usages() {
    let page_last = KEYBOARD.to_vec();
    let at = page_last.windows(6).position(|item| item == b"\x05\x07\x19\x00\x29\xff").unwrap();
    let mut page_last = page_last;
    page_last[at..at + 6].copy_from_slice(b"\x19\x00\x29\xff\x05\x07");
    assert_eq!(read(&page_last, &typed("12\r")), "12\r");
}

#[test]
fn values_beyond_the_last_are_no_keys() {
    // The keypad's 1 has no value in this one, and only a scanner gone mad sends it.
    let at = KEYBOARD.windows(2).rposition(|item| item == b"\x25\xff").unwrap();
    let mut short = KEYBOARD.to_vec();
    short[at + 1] = 0x57;
    assert_eq!(read(&short, &[[0, 0, 0x59, 0, 0, 0, 0, 0], NONE]), "");
    assert_eq!(read(KEYBOARD, &[[0, 0, 0x59, 0, 0, 0, 0, 0], NONE]), "1");
}

#[test]
fn what_is_not_completely_understood_is_not_read_at_all() {
    // Modifiers of two bits each; keys of two bytes; keys that begin within a byte; alternatives;
    // values from -1 on.
    for (piece, other) in [
        (&b"\x75\x01\x95\x08\x05\x07"[..], &b"\x75\x02\x95\x08\x05\x07"[..]),
        (b"\x95\x06\x75\x08\x15\x00", b"\x95\x06\x75\x10\x15\x00"),
        (b"\x95\x01\x75\x08\x81\x01", b"\x95\x01\x75\x07\x81\x01"),
        (b"\x95\x06\x75\x08\x15\x00", b"\x95\x06\x75\x08\xa9\x01"),
        (b"\x95\x06\x75\x08\x15\x00", b"\x95\x06\x75\x08\x15\xff"),
        // Without Enter.
        (b"\x19\x00\x29\xff\x81\x00", b"\x19\x00\x29\x27\x81\x00"),
    ] {
        let at = KEYBOARD.windows(6).position(|window| window == piece).unwrap();
        let mut descriptor = KEYBOARD.to_vec();
        descriptor[at..at + 6].copy_from_slice(other);
        assert_eq!(KeyReports::parse(&descriptor), None, "{other:x?}");
    }
}

#[test]
fn only_keyboards_have_keys_in_their_reports() {
    assert_eq!(KeyReports::parse(MOUSE), None);
    assert_eq!(KeyReports::parse(&[]), None);
}

#[test]
fn every_key_with_a_character_has_a_usage() {
    let with_character = |code: &u16| Layout::Us.plain(*code).is_some();
    let reached: Vec<u16> = (0..=255).filter_map(code).collect();
    let missing: Vec<u16> =
        (1..128).filter(with_character).filter(|code| !reached.contains(code)).collect();
    assert_eq!(missing, Vec::<u16>::new());
}

proptest! {
    #[test]
    fn whatever_is_typed_comes_back(text in "[a-zA-Z0-9]{0,40}\r") {
        prop_assert_eq!(read(KEYBOARD, &typed(&text)), text);
    }

    #[test]
    fn any_descriptor_and_any_report_are_taken(
        descriptor: Vec<u8>,
        sent in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..20),
        at in 0_usize..KEYBOARD.len(),
        byte: u8,
    ) {
        let mut damaged = KEYBOARD.to_vec();
        damaged[at] = byte;
        for descriptor in [descriptor, damaged] {
            let Some(mut reports) = KeyReports::parse(&descriptor) else { continue };
            for report in &sent {
                let mut count = 0;
                reports.take(report, |_, _| count += 1);
                prop_assert!(count <= 2 * FIELDS * KEYS);
            }
        }
    }
}
