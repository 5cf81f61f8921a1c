//! Scans and typing told apart.

use proptest::prelude::*;

use super::*;

const CODE: &str = "134567890123456789";
const GOODS: &str = "6901234567892";
const ENTER: BurstKey<char> = BurstKey::End(EndKey::Enter);

type Bench = KeyBurst<char>;
type Outcome = BurstOutcome<char>;

fn key(character: char) -> BurstKey<char> {
    match character {
        '\r' => ENTER,
        '\t' => BurstKey::End(EndKey::Tab),
        '\n' => BurstKey::End(EndKey::LineFeed),
        '\u{1b}' => BurstKey::Esc,
        '\u{8}' => BurstKey::Repeatable('B'),
        '\u{11}' => BurstKey::Other('Q'),
        other => BurstKey::Char(other),
    }
}

/// Presses keys, each this long after the last, ticking as the main loop would.
fn press(burst: &mut Bench, text: &str, gap: u64, at: &mut u64) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for character in text.chars() {
        *at += gap;
        outcomes.extend(ticks(burst, *at));
        outcomes.extend(burst.push(key(character), Uptime(*at)));
    }
    outcomes
}

fn ticks(burst: &mut Bench, until: u64) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    while let Some(wake) = burst.wake_at().filter(|wake| wake.0 < until) {
        outcomes.extend(burst.tick(wake));
    }
    outcomes
}

/// Pieces with pauses before them, all at a machine's speed, and then silence.
fn pieces(burst: &mut Bench, pieces: &[(u64, &str)], gap: u64) -> Vec<Outcome> {
    let (mut at, mut outcomes) = (10_000, Vec::new());
    for (pause, piece) in pieces {
        at += pause.saturating_sub(gap);
        outcomes.extend(press(burst, piece, gap, &mut at));
    }
    outcomes.extend(ticks(burst, at + 5_000));
    outcomes
}

fn typed(outcomes: &[Outcome]) -> String {
    let show = |outcome: &Outcome| match outcome {
        BurstOutcome::Key(BurstKey::Char(character), _) => Some(*character),
        BurstOutcome::Key(BurstKey::End(_), _) => Some('!'),
        BurstOutcome::Key(BurstKey::Esc, _) => Some('^'),
        BurstOutcome::Key(BurstKey::Repeatable(key) | BurstKey::Other(key), _) => Some(*key),
        BurstOutcome::EscThen(..) => Some('F'),
        BurstOutcome::AmountEnds(_) | BurstOutcome::Scanned(_) | BurstOutcome::Dropped { .. } => {
            None
        }
    };
    outcomes.iter().filter_map(show).collect()
}

fn scans(outcomes: &[Outcome]) -> Vec<&str> {
    let text = |outcome| match outcome {
        &BurstOutcome::Scanned(BurstScan { ref text, .. }) => Some(text.as_str()),
        _ => None,
    };
    outcomes.iter().filter_map(text).collect()
}

#[test]
fn a_burst_with_an_end_is_a_scan_whatever_its_length_and_end() {
    let code = format!("{CODE}\r");
    for (text, gap) in
        [("5\r", 1), ("96385074\n", 20), (&code, 50), ("\r6901\r\r", 5), ("12.50\t", 0)]
    {
        let outcomes = pieces(&mut Bench::new(), &[(0, text)], gap);
        assert_eq!(scans(&outcomes), [text.trim()], "{gap}");
        assert_eq!(typed(&outcomes), "");
    }
}

#[test]
fn a_burst_is_one_scan_with_all_its_keys() {
    for text in ["\u{1b}0.01\r134567890123456789\r", "\u{11}\r", "1\r2\r", "\u{1b}\r"] {
        let outcomes = pieces(&mut Bench::new(), &[(0, text)], 5);
        assert_eq!((typed(&outcomes).as_str(), outcomes.len()), ("", 1), "{text:?}");
        assert!(scans(&outcomes).iter().all(|scan| AuthCode::new(scan).is_none()));
    }
}

#[test]
fn typing_comes_out_key_by_key_with_its_times() {
    let (mut burst, mut at) = (Bench::new(), 1000);
    let mut outcomes = press(&mut burst, "12.50\r", 60, &mut at);
    outcomes.extend(ticks(&mut burst, at + 112));
    assert_eq!(typed(&outcomes), "12.50!");
    assert_eq!(outcomes[0], BurstOutcome::Key(BurstKey::Char('1'), Uptime(1060)));
    assert_eq!(burst.wake_at(), None);
}

#[test]
fn a_typed_key_waits_no_longer_than_a_gap() {
    let mut burst = Bench::new();
    assert_eq!(burst.push(key('7'), Uptime(1000)), []);
    assert_eq!(burst.wake_at(), Some(Uptime(1051)));
    assert_eq!(burst.tick(Uptime(1050)), []);
    assert_eq!(typed(&burst.tick(Uptime(1051))), "7");
}

#[test]
fn a_payment_code_is_one_in_pieces_and_at_any_speed() {
    for gap in [60, 105, 400, 600] {
        let outcomes = pieces(&mut Bench::new(), &[(0, &format!("{CODE}\n"))], gap);
        assert_eq!(scans(&outcomes), [CODE], "{gap}");
    }
    for cut in 1..18 {
        for pause in [60, 300, 600] {
            let rest = format!("{}\r", &CODE[cut..]);
            let outcomes = pieces(&mut Bench::new(), &[(0, &CODE[..cut]), (pause, &rest)], 5);
            assert_eq!(scans(&outcomes), [CODE], "{cut} {pause}");
        }
    }
    let outcomes = pieces(&mut Bench::new(), &[(0, CODE), (600, "\r")], 5);
    assert_eq!(scans(&outcomes), [CODE]);
}

#[test]
fn the_rest_of_a_longer_code_is_never_a_payment_code() {
    for before in ["2", "25", "\u{1b}", "284753", "0.01\r", "\r"] {
        for pause in [60, 300, 600] {
            let code = format!("{CODE}\r");
            let outcomes = pieces(&mut Bench::new(), &[(0, before), (pause, &code)], 5);
            for outcome in &outcomes {
                let BurstOutcome::Scanned(scan) = outcome else { continue };
                let is_code = AuthCode::new(&scan.text).is_some();
                assert!(!is_code || !scan.is_alone, "{before:?} {pause}");
            }
        }
    }
}

#[test]
fn what_trails_behind_a_dropped_burst_belongs_to_it() {
    let whole = "123456789012345712\r";
    let (first, rest) = whole.split_at(15);
    for pause in [60, 300, 600] {
        let outcomes = pieces(&mut Bench::new(), &[(0, first), (pause, rest)], 5);
        assert_eq!(typed(&outcomes), "", "{pause}");
        let outcomes = pieces(&mut Bench::new(), &[(0, first), (pause, "\r")], 5);
        assert_eq!(typed(&outcomes), "", "{pause}");
    }
    let outcomes = pieces(&mut Bench::new(), &[(0, first), (700, "9")], 5);
    assert_eq!(typed(&outcomes), "9", "typing goes on after a pause");
}

#[test]
fn an_escape_waits_for_what_it_may_belong_to() {
    let mut burst = Bench::new();
    assert_eq!(typed(&pieces(&mut burst, &[(0, "\u{1b}")], 5)), "^");
    assert_eq!(typed(&pieces(&mut Bench::new(), &[(0, "\u{1b}"), (200, ".")], 5)), "^.");
    for one in ["x", "1", "="] {
        assert_eq!(typed(&pieces(&mut Bench::new(), &[(0, "\u{1b}"), (200, one)], 5)), "F");
    }
    assert_eq!(
        typed(&pieces(&mut Bench::new(), &[(0, "\u{1b}"), (200, "x"), (400, "y")], 5)),
        "^xy"
    );
    let outcomes = pieces(&mut Bench::new(), &[(0, "\u{1b}"), (600, "0.01\r")], 5);
    assert_eq!(typed(&outcomes), "");
    let mut burst = Bench::new();
    let mut outcomes = burst.push(BurstKey::Esc, Uptime(1000));
    outcomes.extend(burst.tick(Uptime(1600)));
    burst.retract_escape();
    outcomes.extend(burst.push(BurstKey::Other('9'), Uptime(1600)));
    outcomes.extend(ticks(&mut burst, 9000));
    assert_eq!(typed(&outcomes), "9", "the key that was cut, and no Esc");
}

#[test]
fn an_answer_stands_alone() {
    let wary = || {
        let mut burst = Bench::new();
        burst.aim(KeyTarget { is_asking: true, amount: None });
        burst
    };
    assert_eq!(typed(&pieces(&mut wary(), &[(0, "\r")], 5)), "!");
    assert_eq!(typed(&pieces(&mut wary(), &[(0, "\r"), (600, GOODS)], 5)), "");
    assert_eq!(typed(&pieces(&mut wary(), &[(0, "\r"), (105, "6"), (105, "9")], 5)), "69");
    let twice = pieces(&mut wary(), &[(0, "\r"), (300, "\r")], 5);
    assert_eq!(typed(&twice), "!", "the last one");
}

fn at_the_amount() -> Bench {
    let mut burst = Bench::new();
    burst.aim(KeyTarget { is_asking: false, amount: Some(0) });
    burst
}

#[test]
fn an_amount_is_typed_at_any_speed_if_nothing_says_that_it_is_a_scan() {
    for (typing, comes) in [
        ("5\r", "5!"),
        ("12.50\r", "12.50!"),
        (".5\r", ".5!"),
        ("123456.78\r", "123456.78!"),
        ("12.50", "12.50"),
    ] {
        for gap in [0, 5, 50] {
            let outcomes = pieces(&mut at_the_amount(), &[(0, typing)], gap);
            assert_eq!(typed(&outcomes), comes, "{gap}");
        }
    }
    let in_two = pieces(&mut at_the_amount(), &[(0, "12.50"), (90, "\r")], 5);
    assert_eq!(typed(&in_two), "12.50!");
    let after_a_key = pieces(&mut at_the_amount(), &[(0, "\u{11}"), (200, "12.50\r")], 5);
    assert_eq!(typed(&after_a_key), "Q12.50!");
    let after_enter = pieces(&mut at_the_amount(), &[(0, "\r"), (60, "12.50\r")], 5);
    assert_eq!(typed(&after_enter), "!12.50!");
    let code = format!("{CODE}\r");
    let later = pieces(&mut at_the_amount(), &[(0, "5\r"), (700, &code)], 5);
    assert_eq!((typed(&later).as_str(), scans(&later)), ("5!", vec![CODE]));
    let whole = format!("{GOODS}\r");
    let after_goods = pieces(&mut at_the_amount(), &[(0, &whole), (700, "5\r")], 5);
    assert_eq!(typed(&after_goods), "5!");
}

/// Where a code was asked for, an Enter behind it leads to the next amount.
#[test]
fn an_enter_between_a_code_and_an_amount_parts_them_if_the_code_was_asked_for() {
    for (asked_for, comes) in [(None, "!0.01!"), (Some(0), "!")] {
        let (mut burst, mut at) = (Bench::new(), 10_000);
        burst.aim(KeyTarget { is_asking: false, amount: asked_for });
        let mut outcomes = press(&mut burst, &format!("{CODE}\r"), 5, &mut at);
        outcomes.extend(ticks(&mut burst, at + 200));
        burst.aim(KeyTarget { is_asking: false, amount: Some(0) });
        for (text, pause) in [("\r", 200), ("0.01\r", 5_000)] {
            at += 200;
            outcomes.extend(press(&mut burst, text, 5, &mut at));
            outcomes.extend(ticks(&mut burst, at + pause));
        }
        assert_eq!(typed(&outcomes), comes, "{asked_for:?}");
    }
}

/// A text may be cut exactly behind a code's own Enter.
#[test]
fn what_a_machine_types_right_behind_a_whole_code_is_no_amount_and_what_a_hand_types_is() {
    for code in [CODE, GOODS] {
        let whole = format!("{code}\r");
        for pause in [51, 60, 100, 300, 600] {
            for rest in ["0.01\r", "5\r", "0.01", "12", ".5\r"] {
                let outcomes = pieces(&mut at_the_amount(), &[(0, &whole), (pause, rest)], 5);
                assert_eq!(typed(&outcomes), "", "{rest:?} {pause}");
                assert_eq!(scans(&outcomes)[0], code);
            }
            for (first, key) in [(whole.as_str(), "\r"), (&whole, "\u{11}"), ("5x\r", "\r")] {
                let cut = [(0, first), (pause, key), (60, "0.01\r")];
                let outcomes = typed(&pieces(&mut at_the_amount(), &cut, 5));
                assert!(!outcomes.contains('0'), "{first:?} {key:?} {pause}: {outcomes}");
            }
            let mut burst = at_the_amount();
            let (mut at, mut outcomes) = (1000, Vec::new());
            for (text, gap, pause) in [(whole.as_str(), 5, pause), ("12.50\r", 90, 0)] {
                outcomes.extend(press(&mut burst, text, gap, &mut at));
                at += pause;
            }
            outcomes.extend(ticks(&mut burst, at + 5_000));
            assert_eq!(typed(&outcomes), "12.50!", "{pause}");
        }
    }
}

#[test]
fn what_could_be_an_amount_and_is_not_alone_is_a_scan() {
    for text in [
        "12345678\r",
        "1234567.89\r",
        "1.2.3\r",
        "5\r\r",
        "\r5\r",
        "1\r2\r",
        "12.50\t",
        "12.50\n",
        "\u{1b}5\r",
        "\u{11}5\r",
        "5a\r",
        "-5\r",
    ] {
        assert_eq!(typed(&pieces(&mut at_the_amount(), &[(0, text)], 5)), "", "{text:?}");
    }
    let mut elsewhere = Bench::new();
    assert_eq!(typed(&pieces(&mut elsewhere, &[(0, "12.50\r")], 5)), "", "no field");
    let mut begun = at_the_amount();
    begun.aim(KeyTarget { is_asking: false, amount: Some(4) });
    assert_eq!(typed(&pieces(&mut begun, &[(0, "5\r")], 5)), "", "behind an older number");
    for (scan, rest) in [("123456789012345", "712\r"), ("1\r2\r", "712\r"), ("5x\r", "7\r")] {
        for pause in [60, 500, 900] {
            let outcomes = pieces(&mut at_the_amount(), &[(0, scan), (pause, rest)], 5);
            assert_eq!(typed(&outcomes), "", "{scan:?} {pause}");
        }
    }
}

/// The digits are shown at once, and taken back when the rest shows what they were.
#[test]
fn an_amount_is_not_entered_before_it_is_clear_that_nothing_follows() {
    let code = format!("{CODE}\r");
    for (first, rest) in [("0.01\r", code.as_str()), ("1\r", "2\r"), ("5\r", "x")] {
        for pause in [60, 300, 600] {
            let outcomes = pieces(&mut at_the_amount(), &[(0, first), (pause, rest)], 5);
            assert!(!typed(&outcomes).contains('!'), "{first:?} {rest:?} {pause}");
            let is_code = |scan: &&str| AuthCode::new(scan).is_some();
            assert_eq!(scans(&outcomes).iter().find(|scan| is_code(scan)), None);
        }
    }
    let (mut burst, mut at) = (at_the_amount(), 1000);
    let mut outcomes = press(&mut burst, "5\r", 5, &mut at);
    outcomes.extend(ticks(&mut burst, at + 650));
    assert_eq!(typed(&outcomes), "5");
    outcomes.extend(ticks(&mut burst, at + 655));
    assert_eq!(typed(&outcomes), "5!");
    let impatient = pieces(&mut at_the_amount(), &[(0, "5\r"), (300, "\r")], 5);
    assert_eq!(typed(&impatient), "5!");
}

#[test]
fn a_code_right_behind_a_typed_amount_is_alone() {
    for (amount, slow, is_alone) in [("12.50\r", 90, true), ("5\r", 90, true), ("\r", 90, false)] {
        let (mut burst, mut at) = (Bench::new(), 10_000);
        let mut outcomes = press(&mut burst, amount, slow, &mut at);
        at += 80;
        outcomes.extend(press(&mut burst, &format!("{CODE}\r"), 5, &mut at));
        outcomes.extend(ticks(&mut burst, at + 5_000));
        let scan = outcomes.iter().find_map(|outcome| match outcome {
            BurstOutcome::Scanned(scan) => Some(scan.is_alone),
            _ => None,
        });
        assert_eq!(scan, Some(is_alone), "{amount:?}");
    }
}

#[test]
fn escape_and_a_digit_are_a_function_key_unless_more_follows() {
    for (text, gap, comes) in
        [("\u{1b}5", 100, "F"), ("\u{1b}5", 600, "F"), ("\u{1b}5.", 100, "^5."), ("\u{1b}5", 5, "")]
    {
        assert_eq!(typed(&pieces(&mut Bench::new(), &[(0, text)], gap)), comes, "{text:?} {gap}");
    }
    let text = "\u{1b}";
    assert_eq!(typed(&pieces(&mut Bench::new(), &[(0, text), (700, "5")], 5)), "^5");
}

#[test]
fn a_key_held_down_repeats_if_it_is_meant_to() {
    let held = "\u{8}".repeat(20);
    assert_eq!(typed(&pieces(&mut Bench::new(), &[(0, &held)], 30)), "B".repeat(20));
    assert_eq!(typed(&pieces(&mut Bench::new(), &[(0, "\u{8}\u{8}")], 30)), "BB");
    for held in ["\r".repeat(20), "0".repeat(20), "\u{11}".repeat(20)] {
        assert_eq!(typed(&pieces(&mut Bench::new(), &[(0, &held)], 30)), "", "{held:?}");
    }
    assert_eq!(typed(&pieces(&mut Bench::new(), &[(0, "\r\r")], 10)), "!", "a worn key");
    assert_eq!(typed(&pieces(&mut Bench::new(), &[(0, GOODS), (300, "\r\r")], 10)), "");
}

#[test]
fn an_endless_burst_is_bounded() {
    let mut burst = Bench::new();
    let outcomes = pieces(&mut burst, &[(0, &"12".repeat(10_000))], 1);
    assert_eq!(outcomes.len(), 1);
    assert!(matches!(outcomes[0], BurstOutcome::Dropped { characters: 20_000, .. }));
    assert!(burst.trail.text.capacity() <= LONGEST);
}

#[test]
fn nothing_is_kept_of_a_code() {
    let mut burst = Bench::new();
    pieces(&mut burst, &[(0, CODE)], 5);
    assert_eq!((burst.trail.text.as_str(), burst.wake_at()), ("", None));
}

proptest! {
    #[test]
    fn slow_typing_comes_out_as_it_went_in(text in "[0-9a-z.余]{0,17}") {
        let mut burst = Bench::new();
        prop_assert_eq!(typed(&pieces(&mut burst, &[(0, &text)], 60)), text);
    }

    #[test]
    fn nothing_is_typed_by_a_machine(gaps in prop::collection::vec(0_u64..=50, 2..60), text in "[0-9.\r\t\u{1b}\u{11}]{60}") {
        let (mut burst, mut at, mut outcomes) = (Bench::new(), 1000, Vec::new());
        for (character, gap) in text.chars().zip(&gaps) {
            outcomes.extend(burst.push(key(character), Uptime(at)));
            at += gap;
        }
        outcomes.extend(ticks(&mut burst, at + 9000));
        let is_bounce = text.starts_with("\r\r") && gaps.len() == 2;
        prop_assert!(typed(&outcomes).is_empty() || is_bounce);
    }
}
