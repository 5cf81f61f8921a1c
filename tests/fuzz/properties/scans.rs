//! Scans: whatever a scanner sends, in whatever pieces, a payment code is one that was sent
//! complete, and nothing of one scan gets into the next.

use std::collections::BTreeSet;

use paytill::clock::{Millis, Uptime};
use paytill::order::TillId;
use paytill::scan::hid_pos::{Joined, Joiner, ReportLayout};
use paytill::scan::keyboard::{KeyReports, Keyboard, Layout as Country, Motion};
use paytill::scan::{Assembler, BurstKey, BurstOutcome, EndKey, KeyBurst, Scan, ScanLine, Suffix};

use super::answers::CODE;
use super::draw::Draw;

const SUFFIXES: [Suffix; 6] =
    [Suffix::Auto, Suffix::Cr, Suffix::Lf, Suffix::CrLf, Suffix::Tab, Suffix::None];
/// Longer than any meaningful silence.
const LONG: u64 = 5000;
/// Numbered reports with a byte count, eight bytes of data, and whether more follow.
const DESCRIPTOR: &[u8] =
    b"\x05\x8c\x09\x02\xa1\x01\x85\x02\x75\x08\x95\x01\x05\x01\x09\x3b\x81\x02\
    \x05\x8c\x95\x08\x09\xfe\x81\x02\x95\x01\x09\xff\x81\x02\xc0";
/// The modifiers as bits, and two keys as bytes, each key once.
const KEYBOARD: &[u8] = b"\x05\x07\x75\x01\x95\x08\x19\xe0\x29\xe7\x81\x02\
    \x75\x08\x95\x02\x19\x00\x29\x31\x81\x00";
/// After a pause this long, keys have been lost.
const LOSS: u64 = 2000;
/// The longest scan, in bytes.
const LONGEST: usize = 4096;

pub fn check(data: &[u8]) {
    serial(data);
    typed(data);
    reported(data);
    keyed(data);
    pressed(data);
}

/// The pieces in which the data arrives: a pause, a length, and that many bytes.
fn pieces(data: &[u8]) -> Vec<(u64, &[u8])> {
    let mut draw = Draw(data);
    let mut pieces = Vec::new();
    while !draw.is_over() {
        let pause = u64::from(draw.byte()) * 8;
        pieces.push((pause, draw.bytes()));
    }
    pieces
}

fn serial(data: &[u8]) {
    let mut draw = Draw(data);
    let suffix = draw.one_of(&SUFFIXES);
    let pieces = pieces(draw.0);
    let all: Vec<u8> = pieces.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect();
    let mut scanner = Assembler::new(suffix);
    let (mut at, mut last_noise) = (Uptime(10_000), None);
    let mut hear = |lines: Vec<ScanLine>, at: Uptime| {
        for line in lines {
            match line {
                ScanLine::Text(text) => is_as_sent(&text, &all),
                ScanLine::Noise => {
                    let pause = last_noise.map(|last| at.since(last));
                    assert!(pause.is_none_or(|pause| pause >= Millis(1000)), "noise at {at:?}");
                    last_noise = Some(at);
                }
            }
        }
    };
    for (pause, bytes) in &pieces {
        let next = at.after(Millis(*pause));
        // Like a thread that waits for bytes no longer than the scanner asks.
        while let Some(silence) = scanner.silence_at().filter(|silence| *silence < next) {
            let silence = silence.max(at);
            hear(scanner.tick(silence), silence);
            let later = scanner.silence_at();
            assert!(later.is_none_or(|later| later > silence), "a tick that does nothing");
        }
        at = next;
        hear(scanner.push(bytes, at), at);
    }
    at = at.after(Millis(LONG));
    hear(scanner.tick(at), at);
    assert_eq!(scanner.silence_at().filter(|silence| *silence <= at), None, "nothing is left");
    assert!(!format!("{scanner:?}").contains(CODE));
    // Whatever came before, the next scan is complete and alone; much later, so it is no double
    // read.
    at = at.after(Millis(LONG));
    let end: &[u8] = match suffix {
        Suffix::Auto | Suffix::Cr => b"\r",
        Suffix::Lf => b"\n",
        Suffix::CrLf => b"\r\n",
        Suffix::Tab => b"\t",
        Suffix::None => b"",
    };
    let mut lines = scanner.push(&[CODE.as_bytes(), end].concat(), at);
    lines.extend(scanner.tick(at.after(Millis(LONG))));
    let texts: Vec<&str> = lines
        .iter()
        .filter_map(|line| match line {
            ScanLine::Text(text) => Some(text.as_str()),
            ScanLine::Noise => None,
        })
        .collect();
    assert_eq!(texts, [CODE]);
}

/// A line is part of what was sent, and so is any payment code recognised in it.
fn is_as_sent(text: &str, sent: &[u8]) {
    assert!(!text.is_empty() && text.len() <= LONGEST);
    assert!(sent.windows(text.len()).any(|piece| piece == text.as_bytes()), "{text:?}");
    named(text);
}

fn named(text: &str) {
    let scan = Scan::name(text, &TillId::new("T01").unwrap());
    if let Scan::Payment(code) = &scan {
        let narrow: String = text
            .chars()
            .map(|wide| match u32::from(wide) {
                code @ 0xff10..=0xff19 => char::from_u32(code - 0xff10 + 0x30).unwrap(),
                _ => wide,
            })
            .collect();
        assert_eq!(narrow.matches(code.expose()).count(), 1, "{text:?}");
        // Scanners put marks before the code, but never digits or letters after it.
        let (before, after) = narrow.split_once(code.expose()).unwrap();
        assert!(after.chars().all(|letter| letter == '\0' || letter.is_whitespace()), "{text:?}");
        assert!(before.chars().filter(|letter| !"\0 \t".contains(*letter)).count() <= 16);
        let shown = format!("{scan:?}");
        assert!(!shown.contains(|letter: char| letter.is_ascii_digit()), "{shown}");
    }
}

/// The same as keystrokes, each after its pause.
fn typed(data: &[u8]) {
    let (mut burst, mut at) = (KeyBurst::<char>::new(), Uptime(10_000));
    let (mut pressed, mut out) = (Vec::new(), Vec::new());
    for (pause, bytes) in pieces(data.get(1..).unwrap_or_default()) {
        at = at.after(Millis(pause));
        for letter in String::from_utf8_lossy(bytes).chars() {
            let key = match letter {
                '\r' => BurstKey::End(EndKey::Enter),
                '\t' => BurstKey::End(EndKey::Tab),
                '\n' => BurstKey::End(EndKey::LineFeed),
                '\u{1b}' => BurstKey::Esc,
                '\u{8}' => BurstKey::Repeatable('\u{8}'),
                '\0'..='\u{1f}' => BurstKey::Other(letter),
                other => BurstKey::Char(other),
            };
            pressed.push(letter);
            if let Some(wake) = burst.wake_at().filter(|wake| *wake < at) {
                out.extend(burst.tick(wake));
            }
            out.extend(burst.push(key, at));
            at = at.after(Millis(pause % 7));
        }
    }
    while let Some(wake) = burst.wake_at() {
        out.extend(burst.tick(wake));
        at = at.max(wake);
    }
    at = at.after(Millis(LONG));
    out.extend(burst.tick(at));
    assert_eq!(burst.wake_at(), None);
    came_out_in_order(&pressed, &out);
    // Whatever came before, what is typed now counts as typed.
    let mut amount = Vec::new();
    for letter in "12.5".chars() {
        at = at.after(Millis(200));
        amount.extend(burst.tick(at));
        amount.extend(burst.push(BurstKey::Char(letter), at));
    }
    amount.extend(burst.push(BurstKey::End(EndKey::Enter), at.after(Millis(200))));
    amount.extend(burst.tick(at.after(Millis(400))));
    let letters: String = amount
        .iter()
        .map(|outcome| match outcome {
            BurstOutcome::Key(BurstKey::Char(letter), _) => *letter,
            BurstOutcome::Key(BurstKey::End(EndKey::Enter), _) => '!',
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(letters, "12.5!");
}

/// The same as reports of a HID scanner, with a descriptor that may be anything too.
fn reported(data: &[u8]) {
    let mut draw = Draw(data);
    let drawn = ReportLayout::parse(draw.bytes());
    let layout = drawn.or_else(|| ReportLayout::parse(DESCRIPTOR)).unwrap();
    let (mut joiner, mut at, mut sent) = (Joiner::new(), Uptime(10_000), Vec::new());
    let hear = |ended: Joined, sent: &[u8]| {
        if let Joined::Scan(scan) = ended {
            assert!(!scan.data.is_empty() && scan.data.len() <= LONGEST);
            assert!(sent.windows(scan.data.len()).any(|piece| piece == &scan.data[..]));
        }
    };
    for (pause, report) in pieces(draw.0) {
        at = at.after(Millis(pause));
        let Some(part) = layout.read(report) else { continue };
        assert!(part.data.len() <= report.len());
        sent.extend_from_slice(part.data);
        if let Some(ended) = joiner.push(&part, at) {
            hear(ended, &sent);
        }
    }
    if let Some(ended) = joiner.tick(at.after(Millis(LONG))) {
        hear(ended, &sent);
    }
    assert_eq!(joiner.ends_at(), None, "nothing is left");
}

/// The same as key events of a keyboard scanner: no key adds more than a character.
fn keyed(data: &[u8]) {
    let mut draw = Draw(data);
    let country = draw.one_of(&[Country::Us, Country::French, Country::German]);
    let mut keyboard = Keyboard::new(country);
    while !draw.is_over() {
        let code = u16::from(draw.byte());
        let motion = if draw.bit() { Motion::Pressed } else { Motion::Released };
        assert!(keyboard.take(code, motion).len() <= 4);
    }
}

/// The same as reports of a keyboard scanner, with a descriptor that may be anything too: each key
/// goes down and up in turn.
fn pressed(data: &[u8]) {
    let mut draw = Draw(data);
    let drawn = KeyReports::parse(draw.bytes());
    for mut reports in [KeyReports::parse(KEYBOARD), drawn].into_iter().flatten() {
        let mut down = BTreeSet::new();
        for (pause, report) in pieces(draw.0) {
            reports.take(report, |code, motion| {
                let is_new = match motion {
                    Motion::Pressed => down.insert(code),
                    Motion::Released => down.remove(&code),
                };
                assert!(is_new, "{motion:?} twice: {code}");
            });
            if pause > LOSS {
                reports.forget();
                down.clear();
            }
        }
    }
}

/// The keys that came out were pressed in this order, and each scan is a piece of what was pressed.
/// A scan that came in pieces contains keys that had come out before it.
fn came_out_in_order(pressed: &[char], out: &[BurstOutcome<char>]) {
    const NO_CHARACTER: char = '\u{1a}';
    let shown: Vec<char> = pressed
        .iter()
        .map(|letter| match letter {
            '\r' | '\n' | '\t' | '\u{1b}' => *letter,
            '\0'..='\u{1f}' => NO_CHARACTER,
            other => *other,
        })
        .collect();
    let mut rest = pressed;
    for outcome in out {
        let letter = match outcome {
            BurstOutcome::Key(BurstKey::Char(letter), _) => *letter,
            BurstOutcome::EscThen(then, _) => *then,
            BurstOutcome::Key(BurstKey::End(EndKey::Enter), _) => '\r',
            BurstOutcome::Key(BurstKey::End(EndKey::Tab), _) => '\t',
            BurstOutcome::Key(BurstKey::End(EndKey::LineFeed), _) => '\n',
            BurstOutcome::Key(BurstKey::Esc, _) => '\u{1b}',
            BurstOutcome::Key(BurstKey::Repeatable(letter) | BurstKey::Other(letter), _) => *letter,
            BurstOutcome::Scanned(scan) => {
                assert!(!scan.text.is_empty() && scan.text.len() <= LONGEST, "{scan:?}");
                named(&scan.text);
                let run: Vec<char> = scan.text.chars().collect();
                assert!(shown.windows(run.len()).any(|window| window == run), "{outcome:?}");
                continue;
            }
            BurstOutcome::AmountEnds(_) | BurstOutcome::Dropped { .. } => continue,
        };
        let found = rest.iter().position(|pressed| *pressed == letter);
        let found = found.unwrap_or_else(|| panic!("{outcome:?} was not pressed"));
        rest = &rest[found + 1..];
    }
}
