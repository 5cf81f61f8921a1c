//! Separates scans from typing when a scanner types into the terminal like a keyboard.
//!
//! Nobody presses two keys within 50 ms, so a run of keys that fast is a machine's: one scan as a
//! whole, with the Esc, Enter and control keys in it, or dropped as a whole. A run may also arrive
//! in pieces, with up to 600 ms between them: what came just before belongs to it, and so does what
//! trails behind. Everything else is typing, and is passed on key by key.

use zeroize::{Zeroize, Zeroizing};

use crate::clock::{Millis, Uptime};
use crate::order::AuthCode;

/// The longest gap inside a run of keys that no hand pressed.
const GAP: Millis = Millis(50);
/// Keys no further apart than this may be pieces of one scan, or of one key that a slow line cut.
pub const PAUSE: Millis = Millis(650);
/// Two Enters this close together are one press of a worn key.
const BOUNCE: Millis = Millis(20);
/// So many of the same key in one run are a key held down.
const HELD_DOWN: usize = 4;
/// Maximum bytes of one scan; anything longer is not a scan.
const LONGEST: usize = 4096;
/// Stands in a scan for a key that is no character: no code is named with one in it.
const NO_CHARACTER: char = '\u{1a}';

/// A key that was pressed. `O` is whatever the caller knows other keys by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BurstKey<O> {
    Char(char),
    End(EndKey),
    Esc,
    /// A key that is meant to be held down, such as Backspace.
    Repeatable(O),
    Other(O),
}

/// The keys that end a scan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndKey {
    Enter,
    Tab,
    LineFeed,
}

/// What the keys turned out to be.
#[derive(Debug, Eq, PartialEq)]
pub enum BurstOutcome<O> {
    /// A key that somebody pressed, and when.
    Key(BurstKey<O>, Uptime),
    /// A scan, without its end key. It may be a payment code.
    Scanned(BurstScan),
    /// Too fast to be typed, but without an end, and so dropped; the number of its characters. For
    /// a scanner the remedy is to set its suffix to Enter.
    Dropped { characters: usize, began: Uptime },
}

/// A scan that was typed into the terminal.
#[derive(Debug, Eq, PartialEq)]
pub struct BurstScan {
    pub text: Zeroizing<String>,
    pub began: Uptime,
    /// Whether no key came just before it: otherwise it may be the rest of something longer.
    pub is_alone: bool,
}

/// Separates the scans from the typing in one terminal.
pub struct KeyBurst<O> {
    run: Option<Run<O>>,
    /// A lone key that may yet turn out to belong to what follows.
    waiting: Option<(BurstKey<O>, Uptime)>,
    trail: Trail,
    /// A run was dropped, and what trails behind it belongs to it.
    is_dropping: bool,
    /// Whether a key held down is passed on as it repeats.
    is_repeating: bool,
    is_wary: bool,
    last_at: Uptime,
}

/// Keys with no gap between them that a hand could have left.
struct Run<O> {
    first: BurstKey<O>,
    first_at: Uptime,
    last: BurstKey<O>,
    count: usize,
    is_uniform: bool,
    widest: Millis,
}

/// Everything since the last pause or end, at whatever speed, for the scans that come in pieces.
struct Trail {
    /// Never outgrows its allocation, which is wiped.
    text: Zeroizing<String>,
    keys: usize,
    characters: usize,
    began: Uptime,
    is_alone: bool,
}

impl<O: Copy + PartialEq> KeyBurst<O> {
    pub fn new() -> Self {
        Self {
            run: None,
            waiting: None,
            trail: Trail {
                text: Zeroizing::new(String::with_capacity(LONGEST)),
                keys: 0,
                characters: 0,
                began: Uptime::default(),
                is_alone: true,
            },
            is_dropping: false,
            is_repeating: false,
            is_wary: false,
            last_at: Uptime::default(),
        }
    }

    /// While a question is on the screen, its answer is passed on only if nothing follows: a
    /// scanner may begin with Enter.
    pub const fn be_wary(&mut self, is_wary: bool) {
        self.is_wary = is_wary;
    }

    /// Takes a key and when it was pressed. Keys must come in order.
    pub fn push(&mut self, key: BurstKey<O>, at: Uptime) -> Vec<BurstOutcome<O>> {
        let mut outcomes = self.tick(at);
        let gap = at.since(self.last_at);
        self.last_at = at;
        self.trail.push(&key, at, gap);
        if let Some(run) = &mut self.run {
            run.push(key, gap);
        } else {
            self.is_repeating = false;
            self.run = Some(Run::new(key, at));
        }
        outcomes.extend(self.held_down(key, at));
        outcomes
    }

    /// The Esc that was just pushed was the beginning of another key, cut on its way.
    pub fn retract_escape(&mut self) {
        let is_last = match (&self.run, &self.waiting) {
            (Some(run), _) => run.count == 1 && run.first == BurstKey::Esc,
            (None, Some((key, _))) => *key == BurstKey::Esc,
            (None, None) => false,
        };
        if is_last {
            if self.run.take().is_none() {
                self.waiting = None;
            }
            self.trail.text.pop();
            self.trail.keys = self.trail.keys.saturating_sub(1);
        }
    }

    /// When to call [`KeyBurst::tick`] if no key comes before.
    pub fn wake_at(&self) -> Option<Uptime> {
        let after = |at: Uptime, wait: Millis| at.after(wait).after(Millis(1));
        if self.run.is_some() {
            return Some(after(self.last_at, GAP));
        }
        let waiting = self.waiting.as_ref().map(|(_, at)| after(*at, PAUSE));
        let forget = (self.trail.keys > 0 || self.is_dropping).then(|| after(self.last_at, PAUSE));
        waiting.into_iter().chain(forget).min()
    }

    /// Handles silence. Early and repeated ticks do nothing.
    pub fn tick(&mut self, now: Uptime) -> Vec<BurstOutcome<O>> {
        let silence = now.since(self.last_at);
        let mut outcomes = Vec::new();
        if silence > GAP
            && let Some(run) = self.run.take()
        {
            self.finish(&run, &mut outcomes);
        }
        if self.run.is_none()
            && let Some((key, at)) = self.waiting.take_if(|(_, at)| now.since(*at) > PAUSE)
        {
            outcomes.push(BurstOutcome::Key(key, at));
        }
        if silence > PAUSE {
            self.trail.clear();
            self.is_dropping = false;
        }
        outcomes
    }

    fn held_down(&mut self, key: BurstKey<O>, at: Uptime) -> Vec<BurstOutcome<O>> {
        let Some(run) = &self.run else { return Vec::new() };
        let is_held = run.is_uniform
            && run.count >= HELD_DOWN
            && matches!(key, BurstKey::Repeatable(_))
            && !self.is_dropping;
        if !is_held {
            return Vec::new();
        }
        let count = if std::mem::replace(&mut self.is_repeating, true) { 1 } else { run.count };
        std::iter::repeat_with(|| BurstOutcome::Key(key, at)).take(count).collect()
    }

    fn finish(&mut self, run: &Run<O>, outcomes: &mut Vec<BurstOutcome<O>>) {
        if self.is_repeating {
            self.is_repeating = false;
            if run.is_uniform {
                return self.trail.clear();
            }
        }
        let is_enter = run.first == BurstKey::End(EndKey::Enter);
        let is_bounce = run.count == 2 && is_enter && run.is_uniform && run.widest <= BOUNCE;
        if run.count == 1 || (is_bounce && self.trail.keys == 2) {
            return self.lone(run.first, run.first_at, outcomes);
        }
        let is_held = matches!(run.first, BurstKey::Repeatable(_)) && run.is_uniform;
        if is_held && !self.is_dropping {
            for _ in 0..run.count {
                outcomes.push(BurstOutcome::Key(run.first, run.first_at));
            }
            return;
        }
        // Whatever waited belongs to the run.
        self.waiting = None;
        let ends = matches!(run.last, BurstKey::End(_));
        if ends && self.trail.characters > 0 {
            return self.scanned(outcomes);
        }
        let characters = self.trail.characters;
        outcomes.push(BurstOutcome::Dropped { characters, began: run.first_at });
        self.is_dropping = !ends;
        if ends {
            self.trail.clear();
        }
    }

    fn lone(&mut self, key: BurstKey<O>, at: Uptime, outcomes: &mut Vec<BurstOutcome<O>>) {
        if matches!(key, BurstKey::End(_)) {
            let has_text = self.trail.characters > 0;
            // A payment code is one at any speed: it has too many digits for an amount.
            if has_text && (self.is_dropping || self.trail.is_payment_code()) {
                self.waiting = None;
                return self.scanned(outcomes);
            }
            self.trail.clear();
        }
        if self.is_dropping {
            self.is_dropping = !matches!(key, BurstKey::End(_));
            return;
        }
        // Nothing else is pressed after the answer to a question, but whoever leaves with Esc and
        // goes on means both.
        match self.waiting.take() {
            Some((BurstKey::Esc, at)) => outcomes.push(BurstOutcome::Key(BurstKey::Esc, at)),
            Some((_, began)) => outcomes.push(BurstOutcome::Dropped { characters: 0, began }),
            None => {}
        }
        let may_answer = matches!(key, BurstKey::End(EndKey::Enter) | BurstKey::Other(_));
        if key == BurstKey::Esc || (self.is_wary && may_answer) {
            self.waiting = Some((key, at));
        } else {
            outcomes.push(BurstOutcome::Key(key, at));
        }
    }

    fn scanned(&mut self, outcomes: &mut Vec<BurstOutcome<O>>) {
        let text = Zeroizing::new(self.trail.ended().to_owned());
        let (began, is_alone) = (self.trail.began, self.trail.is_alone);
        outcomes.push(BurstOutcome::Scanned(BurstScan { text, began, is_alone }));
        self.trail.clear();
        self.is_dropping = false;
    }
}

impl<O: Copy + PartialEq> Default for KeyBurst<O> {
    fn default() -> Self {
        Self::new()
    }
}

impl<O> std::fmt::Debug for KeyBurst<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyBurst({} held)", self.trail.keys)
    }
}

impl<O: Copy + PartialEq> Run<O> {
    const fn new(key: BurstKey<O>, at: Uptime) -> Self {
        let widest = Millis(0);
        Self { first: key, first_at: at, last: key, count: 1, is_uniform: true, widest }
    }

    fn push(&mut self, key: BurstKey<O>, gap: Millis) {
        self.is_uniform &= key == self.first;
        self.widest = self.widest.max(gap);
        self.last = key;
        self.count += 1;
    }
}

impl Trail {
    fn push<O>(&mut self, key: &BurstKey<O>, at: Uptime, gap: Millis) {
        if self.keys == 0 {
            self.began = at;
            self.is_alone = gap > PAUSE;
        }
        let character = match key {
            BurstKey::Char(character) => *character,
            BurstKey::End(EndKey::Enter) => '\r',
            BurstKey::End(EndKey::Tab) => '\t',
            BurstKey::End(EndKey::LineFeed) => '\n',
            BurstKey::Esc => '\u{1b}',
            BurstKey::Repeatable(_) | BurstKey::Other(_) => NO_CHARACTER,
        };
        self.keys += 1;
        self.characters += usize::from(matches!(key, BurstKey::Char(_)));
        if self.text.len() + character.len_utf8() <= LONGEST {
            self.text.push(character);
        }
    }

    /// The text without the end keys around it.
    fn ended(&self) -> &str {
        self.text.trim_matches(['\r', '\n', '\t'])
    }

    fn is_payment_code(&self) -> bool {
        AuthCode::new(self.ended()).is_some()
    }

    fn clear(&mut self) {
        self.text.zeroize();
        self.keys = 0;
        self.characters = 0;
    }
}

#[cfg(test)]
mod tests {
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
            BurstOutcome::Scanned(_) | BurstOutcome::Dropped { .. } => None,
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
        outcomes.extend(ticks(&mut burst, at + 52));
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
        assert_eq!(typed(&pieces(&mut Bench::new(), &[(0, "\u{1b}"), (200, "5")], 5)), "^5");
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
            burst.be_wary(true);
            burst
        };
        assert_eq!(typed(&pieces(&mut wary(), &[(0, "\r")], 5)), "!");
        assert_eq!(typed(&pieces(&mut wary(), &[(0, "\r"), (600, GOODS)], 5)), "");
        assert_eq!(typed(&pieces(&mut wary(), &[(0, "\r"), (105, "6"), (105, "9")], 5)), "69");
        let twice = pieces(&mut wary(), &[(0, "\r"), (300, "\r")], 5);
        assert_eq!(typed(&twice), "!", "the last one");
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
}
