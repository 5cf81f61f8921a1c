//! The views as each kind of display receives them.

use proptest::prelude::*;

use super::*;
use crate::hardware::Parity;

fn display(kind: DisplayKind, text: DisplayText) -> DisplayConfig {
    DisplayConfig {
        kind,
        port: None,
        baud: 9600,
        parity: Parity::None,
        lights: Lights::Ascii,
        text,
        welcome: vec!["Corner Coffee".into(), "幸福超市".into()],
    }
}

fn shown(view: View, display: &DisplayConfig) -> Vec<u8> {
    show(view, display, Currency::CNY)
}

fn sale(minor: i64, stage: SaleStage) -> View {
    View::Sale { amount: Money::from_minor(minor), stage }
}

/// Every stage there is.
fn stages() -> impl Iterator<Item = SaleStage> {
    let (given, change) = (Money::from_minor(10_000), Money::from_minor(2000));
    [SaleStage::Typing, SaleStage::Code, SaleStage::Scan, SaleStage::Change { given, change }]
        .into_iter()
        .chain(Status::ALL.map(SaleStage::Payment))
}

#[test]
fn a_cd5220_display_gets_both_complete_lines() {
    let display = display(DisplayKind::Cd5220, DisplayText::Ascii);
    assert_eq!(start(&display), b"\r\r\x0c\x1b@\x1b_\x00");
    assert_eq!(
        shown(sale(1234, SaleStage::Code), &display),
        b"\x1bQASHOW PAYMENT CODE   \r\x1bQB           CNY 12.34\r"
    );
    assert_eq!(
        shown(sale(1234, SaleStage::Payment(Status::Paid)), &display),
        b"\x1bQAPAID                \r\x1bQB           CNY 12.34\r"
    );
    assert_eq!(
        shown(View::Welcome, &display),
        b"\x1bQA   Corner Coffee    \r\x1bQB        ????        \r"
    );
}

#[test]
fn change_is_shown_with_what_was_given() {
    let view = |given, change| {
        let [given, change] = [given, change].map(Money::from_minor);
        sale(8000, SaleStage::Change { given, change })
    };
    let ascii = display(DisplayKind::Cd5220, DisplayText::Ascii);
    assert_eq!(
        shown(view(10_000, 2000), &ascii),
        b"\x1bQAGIVEN     CNY 100.00\r\x1bQBCHANGE     CNY 20.00\r"
    );
    assert_eq!(
        shown(view(999_999_999, 999_999_998), &ascii),
        b"\x1bQAGIVEN   9,999,999.99\r\x1bQBCHANGE  9,999,999.98\r"
    );
    let led = display(DisplayKind::Led8, DisplayText::Ascii);
    assert_eq!(shown(view(10_000, 2000), &led), b"\x1bQA20.00\r\x1bs4");
}

#[test]
fn an_escpos_display_gets_each_line_at_its_place() {
    let display = display(DisplayKind::Escpos, DisplayText::Ascii);
    assert_eq!(start(&display), b"\r\r\x1b@\x0c\x1fC\x00\x1f\x01");
    assert_eq!(
        shown(sale(5, SaleStage::Payment(Status::Waiting)), &display),
        b"\x1f$\x01\x01ENTER PASSWORD      \x1f$\x01\x02            CNY 0.05"
    );
}

#[test]
fn chinese_is_shown_where_the_display_has_it() {
    let display = display(DisplayKind::Cd5220, DisplayText::Gb18030);
    // 支付成功, and ￥.
    assert_eq!(
        shown(sale(1234, SaleStage::Payment(Status::Paid)), &display),
        b"\x1bQA\xd6\xa7\xb8\xb6\xb3\xc9\xb9\xa6            \r\x1bQB             \xa3\xa412.34\r"
    );
    // 幸福超市.
    let welcome = shown(View::Welcome, &display);
    assert!(welcome.ends_with(b"\x1bQB      \xd0\xd2\xb8\xa3\xb3\xac\xca\xd0      \r"));
}

#[test]
fn a_display_of_digits_gets_the_number_first_and_then_the_light() {
    let ascii = display(DisplayKind::Led8, DisplayText::Ascii);
    assert_eq!(start(&ascii), b"\r\r\x1b@\x0c");
    let binary = DisplayConfig { lights: Lights::Binary, ..ascii.clone() };
    for (view, number, light) in [
        (View::Welcome, "0.00", 0),
        (sale(4590, SaleStage::Typing), "45.90", 1),
        (sale(4590, SaleStage::Code), "45.90", 2),
        (sale(4590, SaleStage::Payment(Status::Waiting)), "45.90", 2),
        (sale(4590, SaleStage::Payment(Status::Paid)), "45.90", 3),
        (sale(4590, SaleStage::Payment(Status::Declined)), "45.90", 2),
        (sale(4590, SaleStage::Payment(Status::Reversed)), "45.90", 0),
        (sale(4590, SaleStage::Payment(Status::Attention)), "45.90", 0),
        (sale(99_999_999, SaleStage::Code), "999999.99", 2),
        (sale(100_000_000, SaleStage::Code), "--------", 2),
    ] {
        let expected = |operand: u8| format!("\x1bQA{number}\r\x1bs{}", char::from(operand));
        assert_eq!(shown(view, &ascii), expected(b'0' + light).as_bytes(), "{view:?}");
        assert_eq!(shown(view, &binary), expected(light).as_bytes(), "{view:?}");
    }
}

#[test]
fn every_word_fits_and_is_what_the_display_can_show() {
    for stage in stages() {
        for (language, charset) in
            [(Language::English, DisplayText::Ascii), (Language::Chinese, DisplayText::Gb18030)]
        {
            let words = DisplayWords::of(language);
            let word = match stage {
                SaleStage::Typing => words.amount(),
                SaleStage::Code => words.show_code(),
                SaleStage::Scan => words.scan(),
                SaleStage::Payment(status) => words.status(status),
                SaleStage::Change { .. } => words.given(),
            };
            assert!(language == Language::Chinese || word.is_ascii(), "{word}");
            assert!(encode(word).len() <= COLUMNS, "{word}");
            assert_eq!(bytes_of(word, charset), encode(word), "{word}");
        }
    }
}

#[test]
fn without_a_display_there_is_nothing_to_send() {
    let display = display(DisplayKind::None, DisplayText::Ascii);
    assert!(start(&display).is_empty() && shown(sale(1, SaleStage::Typing), &display).is_empty());
}

fn any_view() -> impl Strategy<Value = View> {
    let stages: Vec<_> = stages().collect();
    let sale = (any::<i64>(), proptest::sample::select(stages))
        .prop_map(|(minor, stage)| sale(minor, stage));
    prop_oneof![Just(View::Welcome), sale]
}

fn any_currency() -> impl Strategy<Value = Currency> {
    proptest::sample::select(vec!["CNY", "HKD", "USD", "EUR", "JPY", "KWD"])
        .prop_map(|code| Currency::from_code(code).unwrap())
}

/// The contents of the lines or digits; only commands may surround them.
fn content(bytes: &[u8], kind: DisplayKind) -> Vec<Vec<u8>> {
    let between = |bytes: &[u8], before: &[u8], after: &[u8]| {
        let rest = bytes.strip_prefix(before).unwrap();
        rest.strip_suffix(after).unwrap().to_vec()
    };
    let halves = |length: usize| (bytes[..length].to_vec(), bytes[length..].to_vec());
    match kind {
        DisplayKind::Cd5220 => {
            let (upper, lower) = halves(24);
            vec![between(&upper, b"\x1bQA", b"\r"), between(&lower, b"\x1bQB", b"\r")]
        }
        DisplayKind::Escpos => {
            let (upper, lower) = halves(24);
            vec![between(&upper, b"\x1f$\x01\x01", b""), between(&lower, b"\x1f$\x01\x02", b"")]
        }
        DisplayKind::Led8 => {
            let (light, rest) = bytes.split_last().unwrap();
            assert!((b'0'..=b'4').contains(light));
            vec![between(rest, b"\x1bQA", b"\r\x1bs")]
        }
        DisplayKind::None => Vec::new(),
    }
}

proptest! {
    #[test]
    fn nothing_but_text_is_ever_between_the_commands(
        view in any_view(),
        currency in any_currency(),
        welcome in prop::collection::vec("\\PC*|.*", 0..4),
        kind in proptest::sample::select(
            vec![DisplayKind::Cd5220, DisplayKind::Escpos, DisplayKind::Led8],
        ),
        is_chinese in any::<bool>(),
    ) {
        let text = if is_chinese { DisplayText::Gb18030 } else { DisplayText::Ascii };
        let display = DisplayConfig { welcome, ..display(kind, text) };
        for line in content(&show(view, &display, currency), kind) {
            if kind == DisplayKind::Led8 {
                let places = line.iter().filter(|byte| **byte != b'.').count();
                prop_assert!(places <= DIGITS);
                let is_shown = |byte: &u8| byte.is_ascii_digit() || b".-".contains(byte);
                prop_assert!(line.iter().all(is_shown), "{line:?}");
                continue;
            }
            prop_assert_eq!(line.len(), COLUMNS);
            let mut rest = &line[..];
            while let [first, after @ ..] = rest {
                let is_pair = is_chinese && (0x81..=0xfe).contains(first);
                prop_assert!(is_pair || (b' '..=b'~').contains(first), "{line:?}");
                if is_pair {
                    prop_assert!(after.first().is_some_and(|trail| *trail >= 0x40));
                }
                rest = if is_pair { &after[1..] } else { after };
            }
        }
    }
}
