//! The keys of the terminal as messages to the screen: typing, or scans that were typed.

use super::keyboard::Pressed;
use super::{Key, RawScan, ScreenMessage};
use crate::clock::Uptime;
use crate::order::TillId;
use crate::scan::{BurstKey, BurstOutcome, EndKey, KeyBurst, KeyTarget, Scan};

/// Whoever or whatever presses the keys of this terminal.
#[derive(Debug)]
pub struct Typist {
    burst: KeyBurst<Key>,
    till: TillId,
}

impl Typist {
    pub fn new(till: TillId) -> Self {
        Self { burst: KeyBurst::new(), till }
    }

    /// Takes a key. `target`: what is on the screen ([`super::Model::target`]).
    pub fn press(&mut self, pressed: Pressed, target: KeyTarget) -> Vec<ScreenMessage> {
        match pressed {
            Pressed::Key(key, at) => {
                self.burst.aim(target);
                let outcomes = self.burst.push(kind(key), at);
                self.messages(outcomes)
            }
            Pressed::Cursor(_) => Vec::new(),
            Pressed::NoEscape => {
                self.burst.retract_escape();
                Vec::new()
            }
        }
    }

    /// When to call [`Typist::tick`] if no key comes before.
    pub fn wake_at(&self) -> Option<Uptime> {
        self.burst.wake_at()
    }

    /// Handles silence. Early and repeated ticks do nothing.
    pub fn tick(&mut self, now: Uptime, target: KeyTarget) -> Vec<ScreenMessage> {
        self.burst.aim(target);
        let outcomes = self.burst.tick(now);
        self.messages(outcomes)
    }

    fn messages(&self, outcomes: Vec<BurstOutcome<Key>>) -> Vec<ScreenMessage> {
        let message = |outcome| match outcome {
            BurstOutcome::Key(key, at) => vec![ScreenMessage::EarlierKey(key_of(key), at)],
            BurstOutcome::AmountEnds(at) => vec![ScreenMessage::AmountEnds(at)],
            BurstOutcome::EscThen(then, at) => {
                let both = || vec![Key::Esc, Key::Char(then)];
                let keys = second(then).map_or_else(both, |key| vec![key]);
                keys.into_iter().map(|key| ScreenMessage::EarlierKey(key, at)).collect()
            }
            BurstOutcome::Scanned(scan) => vec![ScreenMessage::KeyScan {
                scan: Scan::name(&scan.text, &self.till),
                text: RawScan(scan.text),
                began: scan.began,
                is_alone: scan.is_alone,
            }],
            BurstOutcome::Dropped { characters, began } => {
                vec![ScreenMessage::DroppedKeys { characters, began }]
            }
        };
        outcomes.into_iter().flat_map(message).collect()
    }
}

/// The letters that are commands with Ctrl.
const COMMANDS: &str = "klnpqrt";

/// What Esc and then this key stands for: the function keys where the digits are, and Ctrl.
fn second(then: char) -> Option<Key> {
    let letter = then.to_ascii_lowercase();
    Some(match then {
        '0' => Key::F(10),
        '-' => Key::F(11),
        '=' => Key::F(12),
        digit @ '1'..='9' => Key::F(u8::try_from(digit).map_or(0, |digit| digit - b'0')),
        _ if COMMANDS.contains(letter) => Key::Ctrl(letter),
        _ => return None,
    })
}

const fn kind(key: Key) -> BurstKey<Key> {
    match key {
        Key::Char(character) => BurstKey::Char(character),
        Key::Enter => BurstKey::End(EndKey::Enter),
        Key::Tab => BurstKey::End(EndKey::Tab),
        Key::LineFeed => BurstKey::End(EndKey::LineFeed),
        Key::Esc => BurstKey::Esc,
        Key::Backspace | Key::Up | Key::Down => BurstKey::Repeatable(key),
        Key::F(_) | Key::Ctrl(_) | Key::Unknown => BurstKey::Other(key),
    }
}

const fn key_of(key: BurstKey<Key>) -> Key {
    match key {
        BurstKey::Char(character) => Key::Char(character),
        BurstKey::End(EndKey::Enter) => Key::Enter,
        BurstKey::End(EndKey::Tab) => Key::Tab,
        BurstKey::End(EndKey::LineFeed) => Key::LineFeed,
        BurstKey::Esc => Key::Esc,
        BurstKey::Repeatable(key) | BurstKey::Other(key) => key,
    }
}
