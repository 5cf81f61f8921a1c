//! Separates scans from typing when a scanner types into the terminal like a keyboard.
//!
//! A run of ten or more characters with gaps of at most 50 ms, ended just as quickly by Enter or
//! Tab, is a scan. Everything else is typing, and is passed on unchanged once 50 ms have passed
//! without another key. A long run without a terminator is neither: it is dropped together with
//! what trails behind it, because the rest of a scan must not pass for an amount.

use zeroize::{Zeroize, Zeroizing};

use crate::clock::{Millis, Uptime};

/// Fewer characters than this are always typing.
const SCAN_LENGTH: usize = 10;
/// The longest gap inside a scan.
const GAP: Millis = Millis(50);
/// What trickles in within this time of a dropped run belongs to it, its terminator above all.
const AFTERMATH: Millis = Millis(300);
/// Maximum bytes of one scan; anything longer is not a scan.
const LONGEST: usize = 4096;

/// A key that was pressed.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum BurstKey {
    Char(char),
    End(EndKey),
    /// Any other key. It ends a run; the caller handles the key itself, after the outcomes.
    Other,
}

/// The keys that end a scan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndKey {
    Enter,
    Tab,
}

/// What the keys turned out to be.
#[derive(Debug, Eq, PartialEq)]
pub enum BurstOutcome {
    /// Characters that somebody typed, in order.
    Typed(Vec<char>),
    /// An end key that did not end a scan.
    End(EndKey),
    /// A scan, without its end key. It may be a payment code.
    Scanned(Zeroizing<String>),
    /// Too fast to be typed, but without a terminator, and so dropped. The remedy is to set the
    /// scanner's suffix to Enter.
    Unended,
}

/// Separates the scans from the typing in one terminal.
pub struct KeyBurst {
    mode: Mode,
    /// The run so far. It never outgrows its allocation, which is wiped.
    held: Zeroizing<String>,
    last_at: Uptime,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Mode {
    /// Keys are held back until it is clear what they are.
    Holding,
    /// One key is held down, which is typing however fast it repeats.
    Repeating(char),
    /// A run was dropped, and the rest of it will be too.
    Dropping { until: Uptime },
}

impl KeyBurst {
    pub fn new() -> Self {
        let held = Zeroizing::new(String::with_capacity(LONGEST));
        Self { mode: Mode::Holding, held, last_at: Uptime::default() }
    }

    /// Takes a key and when it was pressed. Keys must come in order.
    pub fn push(&mut self, key: BurstKey, at: Uptime) -> Vec<BurstOutcome> {
        let mut outcomes = self.tick(at);
        let is_fast = at.since(self.last_at) <= GAP;
        self.last_at = at;
        match (self.mode, key) {
            (Mode::Dropping { .. }, BurstKey::Char(_)) if is_fast => {
                self.mode = Mode::Dropping { until: at.after(AFTERMATH) };
            }
            (Mode::Dropping { .. }, BurstKey::Char(_)) => {}
            (Mode::Dropping { .. }, BurstKey::End(_)) => self.mode = Mode::Holding,
            (Mode::Repeating(repeated), BurstKey::Char(character)) if repeated == character => {
                outcomes.push(BurstOutcome::Typed(vec![character]));
            }
            (Mode::Holding | Mode::Repeating(_), BurstKey::Char(character)) => {
                self.mode = Mode::Holding;
                outcomes.extend(self.hold(character, at));
            }
            (Mode::Holding | Mode::Repeating(_), BurstKey::End(end)) => {
                self.mode = Mode::Holding;
                if self.is_long() {
                    outcomes.push(BurstOutcome::Scanned(self.held.clone()));
                    self.held.zeroize();
                } else {
                    outcomes.extend(self.release(at));
                    outcomes.push(BurstOutcome::End(end));
                }
            }
            (_, BurstKey::Other) => outcomes.extend(self.release(at)),
        }
        outcomes
    }

    /// When to call [`KeyBurst::tick`] if no key comes before.
    pub fn wake_at(&self) -> Option<Uptime> {
        (!self.held.is_empty()).then(|| self.last_at.after(GAP).after(Millis(1)))
    }

    /// Handles silence. Early and repeated ticks do nothing.
    pub fn tick(&mut self, now: Uptime) -> Vec<BurstOutcome> {
        if now.since(self.last_at) <= GAP {
            return Vec::new();
        }
        match self.mode {
            Mode::Repeating(_) => self.mode = Mode::Holding,
            Mode::Dropping { until } if now >= until => self.mode = Mode::Holding,
            Mode::Holding | Mode::Dropping { .. } => {}
        }
        self.release(now).into_iter().collect()
    }

    fn hold(&mut self, character: char, at: Uptime) -> Option<BurstOutcome> {
        self.held.push(character);
        if self.is_long() && self.held.chars().all(|held| held == character) {
            self.mode = Mode::Repeating(character);
            return Some(BurstOutcome::Typed(self.take()));
        }
        if self.held.len() + character.len_utf8() > LONGEST - 4 {
            return self.release(at);
        }
        None
    }

    /// Passes on what is held, or drops it if it is too long to have been typed.
    fn release(&mut self, now: Uptime) -> Option<BurstOutcome> {
        if self.is_long() {
            self.held.zeroize();
            self.mode = Mode::Dropping { until: now.after(AFTERMATH) };
            return Some(BurstOutcome::Unended);
        }
        (!self.held.is_empty()).then(|| BurstOutcome::Typed(self.take()))
    }

    fn is_long(&self) -> bool {
        self.held.chars().nth(SCAN_LENGTH - 1).is_some()
    }

    fn take(&mut self) -> Vec<char> {
        let characters = self.held.chars().collect();
        self.held.zeroize();
        characters
    }
}

impl Default for KeyBurst {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for KeyBurst {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyBurst({} held)", self.held.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CODE: &str = "134567890123456789";
    const ENTER: BurstKey = BurstKey::End(EndKey::Enter);

    /// Presses keys with this gap in milliseconds, ticking as the main loop would.
    fn press(burst: &mut KeyBurst, text: &str, gap: u64, from: u64) -> (Vec<BurstOutcome>, u64) {
        let (mut outcomes, mut at) = (Vec::new(), from);
        for character in text.chars() {
            let key = match character {
                '\r' => ENTER,
                '\t' => BurstKey::End(EndKey::Tab),
                other => BurstKey::Char(other),
            };
            if let Some(wake) = burst.wake_at().filter(|wake| *wake < Uptime(at)) {
                outcomes.extend(burst.tick(wake));
            }
            outcomes.extend(burst.push(key, Uptime(at)));
            at += gap;
        }
        (outcomes, at)
    }

    fn typed(outcomes: &[BurstOutcome]) -> String {
        let characters = outcomes.iter().flat_map(|outcome| match outcome {
            BurstOutcome::Typed(characters) => characters.clone(),
            BurstOutcome::End(_) | BurstOutcome::Scanned(_) | BurstOutcome::Unended => Vec::new(),
        });
        characters.collect()
    }

    fn scanned(code: &str) -> BurstOutcome {
        BurstOutcome::Scanned(Zeroizing::new(code.to_owned()))
    }

    #[test]
    fn a_burst_ended_by_enter_or_tab_is_a_scan() {
        for (end, gap) in [("\r", 0), ("\r", 5), ("\t", 50)] {
            let (outcomes, _) = press(&mut KeyBurst::new(), &format!("{CODE}{end}"), gap, 1000);
            assert_eq!(outcomes, [scanned(CODE)], "{gap}");
        }
    }

    #[test]
    fn a_typed_amount_is_typing_however_it_arrives() {
        for gap in [0, 20, 120] {
            let (outcomes, _) = press(&mut KeyBurst::new(), "12.50\r", gap, 1000);
            assert_eq!(typed(&outcomes), "12.50");
            assert_eq!(outcomes.last(), Some(&BurstOutcome::End(EndKey::Enter)));
        }
    }

    #[test]
    fn a_gap_of_51_milliseconds_makes_it_typing() {
        let (outcomes, _) = press(&mut KeyBurst::new(), &format!("{CODE}\r"), 51, 1000);
        assert_eq!(typed(&outcomes), CODE);
    }

    #[test]
    fn a_typed_key_waits_no_longer_than_a_gap() {
        let mut burst = KeyBurst::new();
        assert_eq!(burst.push(BurstKey::Char('7'), Uptime(100)), []);
        assert_eq!(burst.wake_at(), Some(Uptime(151)));
        assert_eq!(burst.tick(Uptime(150)), []);
        assert_eq!(burst.tick(Uptime(151)), [BurstOutcome::Typed(vec!['7'])]);
        assert_eq!(burst.wake_at(), None);
    }

    #[test]
    fn ten_characters_are_a_scan_and_nine_are_not() {
        assert_eq!(press(&mut KeyBurst::new(), "1234567890\r", 1, 100).0, [scanned("1234567890")]);
        let (outcomes, _) = press(&mut KeyBurst::new(), "123456789\r", 1, 100);
        assert_eq!(typed(&outcomes), "123456789");
    }

    #[test]
    fn a_key_held_down_is_typing() {
        let (outcomes, _) = press(&mut KeyBurst::new(), &format!("{}\r", "0".repeat(40)), 30, 100);
        assert_eq!(typed(&outcomes), "0".repeat(40));
        assert_eq!(outcomes.last(), Some(&BurstOutcome::End(EndKey::Enter)));
    }

    #[test]
    fn a_burst_without_an_end_is_dropped_with_its_stragglers() {
        let mut burst = KeyBurst::new();
        let (outcomes, at) = press(&mut burst, "1345678901", 5, 1000);
        assert_eq!(outcomes, []);
        let (outcomes, at) = press(&mut burst, "23456789\r", 5, at + 60);
        assert_eq!(outcomes, [BurstOutcome::Unended], "the machine was slow for a moment");
        let (outcomes, _) = press(&mut burst, "12\r", 100, at + 100);
        assert_eq!(typed(&outcomes), "12");
    }

    #[test]
    fn a_late_enter_after_a_dropped_burst_confirms_nothing() {
        let mut burst = KeyBurst::new();
        let (_, at) = press(&mut burst, CODE, 5, 1000);
        assert_eq!(burst.tick(Uptime(at + 60)), [BurstOutcome::Unended]);
        assert_eq!(burst.push(ENTER, Uptime(at + 100)), []);
        assert_eq!(burst.push(ENTER, Uptime(at + 110)), [BurstOutcome::End(EndKey::Enter)]);
    }

    #[test]
    fn typing_goes_on_soon_after_a_dropped_burst() {
        let mut burst = KeyBurst::new();
        let (_, at) = press(&mut burst, CODE, 5, 1000);
        assert_eq!(burst.tick(Uptime(at + 60)), [BurstOutcome::Unended]);
        let (mut outcomes, at) = press(&mut burst, "9", 0, at + 400);
        outcomes.extend(burst.tick(Uptime(at + 60)));
        assert_eq!(typed(&outcomes), "9");
    }

    #[test]
    fn another_key_comes_after_what_was_typed_before_it() {
        let mut burst = KeyBurst::new();
        press(&mut burst, "12", 5, 100);
        assert_eq!(burst.push(BurstKey::Other, Uptime(110)), [BurstOutcome::Typed(vec!['1', '2'])]);
    }

    #[test]
    fn an_endless_burst_is_bounded() {
        let mut burst = KeyBurst::new();
        let (outcomes, _) = press(&mut burst, &"12".repeat(10_000), 1, 100);
        assert_eq!(outcomes, [BurstOutcome::Unended]);
        assert!(burst.held.capacity() <= LONGEST);
    }

    proptest! {
        #[test]
        fn slow_typing_comes_out_as_it_went_in(text in "[0-9a-z.余]{0,40}") {
            let mut burst = KeyBurst::new();
            let (mut outcomes, at) = press(&mut burst, &text, 60, 100);
            outcomes.extend(burst.tick(Uptime(at)));
            prop_assert_eq!(typed(&outcomes), text);
        }

        #[test]
        fn a_fast_code_is_never_typed(gaps in prop::collection::vec(0_u64..50, 19)) {
            let (mut burst, mut at, mut outcomes) = (KeyBurst::new(), 1000, Vec::new());
            for (character, gap) in CODE.chars().zip(&gaps) {
                outcomes.extend(burst.push(BurstKey::Char(character), Uptime(at)));
                at += gap;
            }
            outcomes.extend(burst.push(ENTER, Uptime(at)));
            prop_assert_eq!(outcomes, [scanned(CODE)]);
        }
    }
}
