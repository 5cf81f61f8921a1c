//! Separates scans from typing when a scanner types into the terminal like a keyboard.
//!
//! A run of keys with no more than 50 ms between any two is a machine's: one scan as a whole, with
//! the Esc, Enter and control keys in it, or dropped as a whole. A run may also arrive in pieces,
//! with up to 600 ms between them: what came just before belongs to it, and so does what trails
//! behind.
//!
//! One kind of run is taken for typing all the same, since programs and quick hands type like that:
//! an amount of fewer than ten characters, with or without an Enter, into an empty field and with
//! no scan near it. Its Enter waits until nothing can follow any more that would make it a piece of
//! a scan. Everything else is typing, and is passed on key by key.

use zeroize::{Zeroize, Zeroizing};

use crate::clock::{Millis, Uptime};
use crate::order::AuthCode;

/// The longest gap inside a run of keys that no hand pressed.
const GAP: Millis = Millis(50);
/// Keys no further apart than this may be pieces of one scan, or of one key that a slow line cut.
pub const PAUSE: Millis = Millis(650);
/// A run this soon after a piece of a scan is the rest of it; behind a whole one it is [`PAUSE`].
const TAIL: Millis = Millis(1000);
/// A lone Enter or control key acts this long after it was pressed: whatever it asks is asked so
/// late that the pause in a scan is over before the answer counts.
const SETTLES: Millis = Millis(110);
/// Two Enters this close together are one press of a worn key.
const BOUNCE: Millis = Millis(20);
/// So many of the same key in one run are a key held down.
const HELD_DOWN: usize = 4;
/// So many fast characters are a scan, whatever they are.
pub const SCAN_LENGTH: usize = 10;
/// Digits of the largest amount before its point.
const AMOUNT_DIGITS: usize = 7;
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
    /// An amount that came at the speed of a machine ends here. Its Enter comes once it is clear
    /// that nothing belongs to it; a question about it may be asked before.
    AmountEnds(Uptime),
    /// Esc and then a digit, a letter or one of the two keys beside the digits, with nothing behind
    /// them.
    EscThen(char, Uptime),
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

/// What the keys would do now.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct KeyTarget {
    /// A question is on the screen: its answer is passed on only if nothing follows, since a
    /// scanner may begin with Enter.
    pub is_asking: bool,
    /// How many characters are in the amount's field, where one is typed.
    pub amount: Option<usize>,
}

/// Separates the scans from the typing in one terminal.
pub struct KeyBurst<O> {
    run: Option<Run<O>>,
    waiting: Option<Waiting<O>>,
    trail: Trail,
    /// A run was dropped, and what trails behind it belongs to it.
    is_dropping: bool,
    /// Whether a key held down is passed on as it repeats.
    is_repeating: bool,
    target: KeyTarget,
    last_at: Uptime,
    last: Last,
    scan: Option<LastScan>,
}

/// A scan, or a piece of one, that may go on.
#[derive(Clone, Copy)]
struct LastScan {
    /// Its last key.
    at: Uptime,
    /// How long a run behind it is its rest.
    tail: Millis,
    /// It came where an amount is asked for, so that a single Enter or control key behind it does
    /// nothing there that anybody waits for.
    is_at_amount: bool,
}

/// A lone key that may yet turn out to belong to what follows.
struct Waiting<O> {
    key: BurstKey<O>,
    at: Uptime,
    wait: Millis,
    why: Why,
    /// The character behind an Esc.
    then: Option<(char, Uptime)>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Why {
    Escape,
    /// It answers a question.
    Answer,
    /// It ends an amount that came at the speed of a machine.
    Amount,
    Settling,
}

/// What came before the trail.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Last {
    /// A key that no scan has in it.
    Command,
    /// Characters at the speed of a hand, and Enter.
    TypedEnter,
    Other,
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
    /// How many characters were passed on as typing.
    typed: usize,
    /// Whether a part of it came at the speed of a machine.
    is_fast: bool,
    began: Uptime,
    is_alone: bool,
    follows_typing: bool,
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
                typed: 0,
                is_fast: false,
                began: Uptime::default(),
                is_alone: true,
                follows_typing: false,
            },
            is_dropping: false,
            is_repeating: false,
            target: KeyTarget::default(),
            last_at: Uptime::default(),
            last: Last::Other,
            scan: None,
        }
    }

    /// What the next keys are pressed for.
    pub const fn aim(&mut self, target: KeyTarget) {
        self.target = target;
    }

    /// Takes a key and when it was pressed. Keys must come in order.
    pub fn push(&mut self, key: BurstKey<O>, at: Uptime) -> Vec<BurstOutcome<O>> {
        let mut outcomes = self.tick(at);
        let gap = at.since(self.last_at);
        self.last_at = at;
        if self.trail.keys == 0 {
            self.trail.began = at;
            self.trail.is_alone = gap > PAUSE || self.last == Last::Command;
            self.trail.follows_typing = self.last == Last::TypedEnter;
        }
        self.trail.push(&key);
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
            (None, Some(waiting)) => waiting.key == BurstKey::Esc && waiting.then.is_none(),
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
        let waiting = self.waiting.as_ref().map(|waiting| after(waiting.since(), waiting.wait));
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
            && let Some(waiting) = self.waiting.take_if(|held| now.since(held.since()) > held.wait)
        {
            outcomes.push(match waiting.then {
                Some((then, at)) => BurstOutcome::EscThen(then, at),
                None => BurstOutcome::Key(waiting.key, waiting.at),
            });
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
        self.trail.is_fast = true;
        if self.is_an_amount(run) {
            return self.typed(run, outcomes);
        }
        // Whatever waited belongs to the run.
        self.waiting = None;
        let ends = matches!(run.last, BurstKey::End(_));
        if ends && self.trail.characters > 0 {
            return self.scanned(run.count == self.trail.keys, outcomes);
        }
        self.dropped(run.first_at, ends, outcomes);
    }

    /// Whether a run and what came just before it are an amount, and nothing says that they are more.
    fn is_an_amount(&self, run: &Run<O>) -> bool {
        let is_tail = self.scan.is_some_and(|scan| run.first_at.since(scan.at) <= scan.tail);
        let ends_amount = self.waiting.as_ref().is_some_and(|waiting| waiting.why == Why::Amount);
        // What is in the field has come with these keys.
        let is_whole = self.target.amount == Some(self.trail.typed);
        is_whole && !is_tail && !ends_amount && !self.is_dropping && self.trail.is_amount()
    }

    fn typed(&mut self, run: &Run<O>, outcomes: &mut Vec<BurstOutcome<O>>) {
        let at = self.last_at;
        if let Some(waiting) = self.waiting.take() {
            outcomes.push(BurstOutcome::Key(waiting.key, waiting.at));
        }
        let fresh = self.trail.text.chars().skip(self.trail.typed).filter(|mark| *mark != '\r');
        outcomes.extend(fresh.map(|mark| BurstOutcome::Key(BurstKey::Char(mark), at)));
        self.trail.typed = self.trail.characters;
        self.last = Last::Other;
        if run.last == BurstKey::End(EndKey::Enter) {
            outcomes.push(BurstOutcome::AmountEnds(at));
            self.hold(run.last, at, PAUSE, Why::Amount);
        }
    }

    fn hold(&mut self, key: BurstKey<O>, at: Uptime, wait: Millis, why: Why) {
        self.waiting = Some(Waiting { key, at, wait, why, then: None });
    }

    fn lone(&mut self, key: BurstKey<O>, at: Uptime, outcomes: &mut Vec<BurstOutcome<O>>) {
        let is_end = matches!(key, BurstKey::End(_));
        let is_enter = key == BurstKey::End(EndKey::Enter);
        // A payment code is one at any speed: it has too many digits for an amount.
        if is_end && self.trail.characters > 0 && (self.is_dropping || self.trail.is_payment_code())
        {
            self.waiting = None;
            return self.scanned(false, outcomes);
        }
        if self.is_dropping {
            self.ends_scan(at, TAIL);
            self.is_dropping = !is_end;
            if is_end {
                self.trail.clear();
            }
            return;
        }
        let is_of_amount = self.trail.is_fast && self.trail.is_amount();
        match self.waiting.take() {
            Some(held) if held.why == Why::Amount => {
                // Impatience; anything else shows that it was no amount.
                if is_enter {
                    self.waiting = Some(held);
                } else {
                    self.dropped(self.trail.began, is_end, outcomes);
                }
                return;
            }
            // Nothing else is pressed after the answer to a question.
            Some(Waiting { at: began, why: Why::Answer, .. }) => {
                outcomes.push(BurstOutcome::Dropped { characters: 0, began });
            }
            Some(mut held) if held.why == Why::Escape && held.then.is_none() => match key {
                BurstKey::Char(then @ ('0'..='9' | '-' | '=' | 'a'..='z' | 'A'..='Z')) => {
                    held.then = Some((then, at));
                    self.waiting = Some(held);
                    return;
                }
                // Whoever leaves with Esc and goes on means both.
                _ => outcomes.push(BurstOutcome::Key(held.key, held.at)),
            },
            Some(held) => {
                outcomes.push(BurstOutcome::Key(held.key, held.at));
                if let Some((then, at)) = held.then {
                    self.pass(BurstKey::Char(then), at, outcomes);
                }
            }
            None => {}
        }
        let acts = is_enter || matches!(key, BurstKey::Other(_));
        if key == BurstKey::Esc {
            self.hold(key, at, PAUSE, Why::Escape);
        } else if acts && self.target.is_asking {
            self.hold(key, at, PAUSE, Why::Answer);
        } else if is_enter && is_of_amount {
            outcomes.push(BurstOutcome::AmountEnds(at));
            return self.hold(key, at, PAUSE, Why::Amount);
        } else if acts {
            self.hold(key, at, SETTLES, Why::Settling);
        } else {
            self.pass(key, at, outcomes);
        }
        self.last = match key {
            BurstKey::Other(_) => Last::Command,
            BurstKey::End(EndKey::Enter) if self.trail.is_typed() => Last::TypedEnter,
            _ => Last::Other,
        };
        if is_enter || matches!(key, BurstKey::Repeatable(_) | BurstKey::Other(_)) {
            let is_near = |scan: &LastScan| scan.is_at_amount && at.since(scan.at) <= PAUSE;
            self.scan = self.scan.filter(is_near).map(|scan| LastScan { at, ..scan });
        }
        if is_end || matches!(key, BurstKey::Repeatable(_) | BurstKey::Other(_)) {
            self.trail.clear();
        }
    }

    fn pass(&mut self, key: BurstKey<O>, at: Uptime, outcomes: &mut Vec<BurstOutcome<O>>) {
        self.trail.typed += usize::from(matches!(key, BurstKey::Char(_)));
        outcomes.push(BurstOutcome::Key(key, at));
    }

    fn dropped(&mut self, began: Uptime, ends: bool, outcomes: &mut Vec<BurstOutcome<O>>) {
        let characters = self.trail.characters;
        outcomes.push(BurstOutcome::Dropped { characters, began });
        self.is_dropping = !ends;
        self.last = Last::Other;
        self.ends_scan(self.last_at, TAIL);
        if ends {
            self.trail.clear();
        }
    }

    const fn ends_scan(&mut self, at: Uptime, tail: Millis) {
        self.scan = Some(LastScan { at, tail, is_at_amount: self.target.amount.is_some() });
    }

    /// `is_run`: whether it is all in one run.
    fn scanned(&mut self, is_run: bool, outcomes: &mut Vec<BurstOutcome<O>>) {
        let text = Zeroizing::new(self.trail.ended().to_owned());
        let began = self.trail.began;
        let is_alone = self.trail.is_alone || (is_run && self.trail.follows_typing);
        // A code with its end and nothing else is all there is, or the first line of a text.
        let is_clean = is_run && is_alone && self.trail.text.len() == text.len() + 1;
        let is_whole = is_clean && !text.contains(char::is_control) && super::is_complete(&text);
        self.ends_scan(self.last_at, if is_whole { PAUSE } else { TAIL });
        self.last = Last::Other;
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

impl<O> Waiting<O> {
    /// The last of its keys.
    fn since(&self) -> Uptime {
        self.then.map_or(self.at, |(_, at)| at)
    }
}

impl Trail {
    fn push<O>(&mut self, key: &BurstKey<O>) {
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

    /// Whether it could be an amount that somebody types, complete or not.
    fn is_amount(&self) -> bool {
        let text = self.text.strip_suffix('\r').unwrap_or(&self.text);
        let (major, minor) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        (1..SCAN_LENGTH).contains(&text.len())
            && major.len() <= AMOUNT_DIGITS
            && is_number(major)
            && is_number(minor)
    }

    /// Whether it is characters at the speed of a hand, and perhaps an end.
    fn is_typed(&self) -> bool {
        !self.is_fast && self.characters > 0 && self.typed == self.characters
    }

    fn is_payment_code(&self) -> bool {
        AuthCode::new(self.ended()).is_some()
    }

    fn clear(&mut self) {
        self.text.zeroize();
        self.keys = 0;
        self.characters = 0;
        self.typed = 0;
        self.is_fast = false;
    }
}

#[cfg(test)]
mod tests;
