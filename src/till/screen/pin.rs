//! A PIN as it is typed, and the wait after a wrong one. Whose it is is found out elsewhere: a hash
//! takes its time, and the screen does not wait for it.

use zeroize::Zeroizing;

use super::Key;
use crate::clock::{Millis, Uptime};
use crate::language::Text;
use crate::money::narrow;
use crate::operators::{NotAPin, Operator, Pin};

/// No PIN is longer; further digits are dropped.
const LONGEST: usize = 12;
/// After so long without a wrong PIN the next wait is a step shorter.
const FORGIVEN: Millis = Millis::seconds(10 * 60);
/// The waits after wrong PINs; the last one is that of all further ones.
const WAITS: [Millis; 6] = [
    Millis::seconds(1),
    Millis::seconds(2),
    Millis::seconds(4),
    Millis::seconds(8),
    Millis::seconds(16),
    Millis::seconds(30),
];

/// What a PIN was found to be.
pub type SignedIn = Result<Option<Operator>, Text>;

/// A PIN that is being typed.
#[derive(Debug, Default)]
pub(super) struct PinEntry {
    typed: Typed,
    /// The question that is out.
    asked: Option<u64>,
    said: Option<PinFault>,
}

/// How long nobody may try again, whichever page it is on. A manager's PIN ends it.
#[derive(Debug, Default)]
pub(super) struct PinWait {
    /// Which of the waits is next.
    step: u64,
    /// When a PIN was wrong last.
    wrong_at: Option<Uptime>,
    until: Option<Uptime>,
}

impl PinWait {
    /// How much longer nothing is taken.
    pub(super) fn left(&self, now: Uptime) -> Option<Millis> {
        self.until.map(|until| until.since(now)).filter(|left| left.0 > 0)
    }

    fn begin(&mut self, now: Uptime) {
        let forgiven = self.wrong_at.map_or(0, |at| now.since(at).0 / FORGIVEN.0);
        self.step = self.step.saturating_sub(forgiven);
        let at = usize::try_from(self.step).unwrap_or(WAITS.len());
        let wait = WAITS.get(at).or(WAITS.last()).copied().unwrap_or_default();
        self.step = (self.step + 1).min(WAITS.len() as u64 - 1);
        self.wrong_at = Some(now);
        self.until = Some(now.after(wait));
    }
}

/// Why a PIN was not taken.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum PinFault {
    NotAPin(NotAPin),
    Wrong,
    /// It is a cashier's, by this name.
    NotAManager(String),
    /// The list of operators cannot be read.
    Unreadable(Text),
}

#[derive(Default)]
struct Typed(Zeroizing<String>);

impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Typed(..)")
    }
}

impl PinEntry {
    /// Takes a key. Returns a PIN to be checked, as the question `serial`.
    pub(super) fn press(&mut self, key: Key, serial: u64) -> Option<Pin> {
        if self.asked.is_some() {
            return None;
        }
        match key {
            Key::Char(character) => {
                let digit = narrow(character);
                if !digit.is_ascii_digit() {
                    self.said = Some(PinFault::NotAPin(NotAPin::NotDigits));
                } else if self.count() < LONGEST {
                    // Allocated in full, so that growing leaves no copy behind.
                    if self.count() == 0 {
                        self.typed.0.reserve_exact(LONGEST);
                    }
                    self.typed.0.push(digit);
                    self.said = None;
                }
                None
            }
            Key::Backspace => {
                self.typed.0.pop();
                None
            }
            Key::Esc => {
                self.clear();
                None
            }
            Key::Enter if self.count() > 0 => {
                let pin = Pin::read(&std::mem::take(&mut self.typed).0);
                match pin {
                    Ok(pin) => {
                        (self.asked, self.said) = (Some(serial), None);
                        Some(pin)
                    }
                    Err(why) => {
                        self.said = Some(PinFault::NotAPin(why));
                        None
                    }
                }
            }
            _ => None,
        }
    }

    /// Whose it is, if that was asked here.
    pub(super) fn answer(
        &mut self,
        serial: u64,
        found: SignedIn,
        now: Uptime,
        wait: &mut PinWait,
    ) -> Option<Operator> {
        if self.asked != Some(serial) {
            return None;
        }
        self.asked = None;
        match found {
            Ok(Some(operator)) => return Some(operator),
            Ok(None) => {
                wait.begin(now);
                self.said = Some(PinFault::Wrong);
            }
            Err(why) => self.said = Some(PinFault::Unreadable(why)),
        }
        None
    }

    /// It was right, and a cashier's.
    pub(super) fn refuse(&mut self, name: String) {
        self.said = Some(PinFault::NotAManager(name));
    }

    /// What was typed is forgotten.
    pub(super) fn clear(&mut self) {
        self.typed = Typed::default();
        self.said = None;
    }

    pub(super) fn count(&self) -> usize {
        self.typed.0.len()
    }

    pub(super) const fn is_asking(&self) -> bool {
        self.asked.is_some()
    }

    pub(super) const fn said(&self) -> Option<&PinFault> {
        self.said.as_ref()
    }

    /// What is seen of it, to tell whether a key has changed anything.
    pub(super) fn stars(&self) -> String {
        vec!["*"; self.count()].join(" ")
    }
}
