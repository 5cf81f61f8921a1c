//! Whether a product is what somebody types: a part of its name, the initials of its syllables, or
//! the beginning or end of its code.

use super::{Good, initials};
use crate::money::narrow;

/// What is looked for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sought {
    /// In lower case, without blanks at its ends.
    text: String,
}

impl Sought {
    pub fn new(typed: &str) -> Self {
        let text: String = typed.trim().chars().map(narrow).collect();
        Self { text: text.to_lowercase() }
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// How well it fits, the best first; `None` if it does not.
    pub fn rank(&self, good: &Good) -> Option<u8> {
        let text = self.text.as_str();
        if text.is_empty() {
            return Some(9);
        }
        let code = good.code.to_lowercase();
        if code == text {
            return Some(0);
        }
        let name = good.name.to_lowercase();
        if let Some(at) = name.find(text) {
            return Some(if at == 0 { 1 } else { 3 });
        }
        if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let all = initials(&good.name);
            if all.iter().any(|initials| initials.starts_with(text)) {
                return Some(2);
            }
            if all.iter().any(|initials| initials.contains(text)) {
                return Some(4);
            }
        }
        let is_part = text.len() >= 3 && (code.starts_with(text) || code.ends_with(text));
        is_part.then_some(5)
    }
}
