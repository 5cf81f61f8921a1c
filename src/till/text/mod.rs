//! Everything people read, in each language. A missing sentence does not compile.

pub mod amount;
pub mod cli;
pub mod device;
pub mod display;
pub mod doctor;
pub mod failure;
pub mod history;
pub mod journal;
pub mod picture;
pub mod print_test;
pub mod receipt;
pub mod scenario;
pub mod screen;
#[cfg(test)]
mod tests;
pub mod training;

pub use paytill_core::text::{reason, system};

/// Whether a character is one of Chinese writing.
#[cfg(test)]
pub(crate) fn is_chinese(character: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&character)
}
