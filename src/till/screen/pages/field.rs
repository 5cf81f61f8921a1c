//! A line that is typed on a page: an amount, or a few words.

use crate::clean::clean;
use crate::clock::Uptime;
use crate::money::narrow;
use crate::scan::PAUSE;
use crate::screen::Key;

/// What is typed, and what it was before the run of typing that goes on: a scan that turns out to be
/// behind it takes that back.
#[derive(Clone, Debug, Default)]
pub(in crate::screen) struct Field {
    text: String,
    run: Option<(String, Uptime)>,
}

impl Field {
    pub(in crate::screen) fn text(&self) -> &str {
        &self.text
    }

    pub(in crate::screen) fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Takes a character or a Backspace; at most so many are kept. Digits of an input method become
    /// ASCII only where an amount is typed.
    pub(in crate::screen) fn press(&mut self, key: Key, at: Uptime, most: usize, is_amount: bool) {
        match key {
            Key::Char(character) => {
                match &mut self.run {
                    Some((_, last)) if at.since(*last) <= PAUSE => *last = at,
                    run => *run = Some((self.text.clone(), at)),
                }
                if self.text.chars().count() < most {
                    let character = if is_amount { narrow(character) } else { character };
                    let is_blank = character == ' ';
                    self.text +=
                        &if is_blank { " ".to_owned() } else { clean(&character.to_string(), 2) };
                }
            }
            Key::Backspace => {
                self.run = None;
                self.text.pop();
            }
            _ => {}
        }
    }

    pub(in crate::screen) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Undoes what a scan has typed before it was known to be one; whether there was anything.
    pub(in crate::screen) fn take_back(&mut self, began: Uptime) -> bool {
        let Some((before, last)) = self.run.take() else { return false };
        if began.since(last) > PAUSE || before == self.text {
            return false;
        }
        self.text = before;
        true
    }
}
