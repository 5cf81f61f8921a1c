//! Every text for people, in each language: the screen, receipts, the customer's display and the
//! command line.
//!
//! A sentence is written once, with all its languages side by side, so that a missing translation
//! does not compile. One thing has one name in all texts. Texts say what happened to the money and
//! what to do, not how the till works inside. The tests check every catalogue against the rules of
//! writing.

pub mod amount;
pub mod cli;
pub mod copies;
pub mod customer_view;
pub mod device;
pub mod display;
pub mod doctor;
pub mod enroll;
pub mod evidence;
pub mod failure;
pub mod find;
pub mod goods;
pub mod history;
pub mod journal;
pub mod operators;
pub mod picture;
pub mod print_test;
pub mod qr;
pub mod receipt;
pub mod reconcile;
pub mod scenario;
pub mod screen;
pub mod shift;
#[cfg(test)]
mod tests;
pub mod training;
pub mod voice;

pub use paytill_core::text::{reason, refund, status, story, system};

/// Whether a character is a Chinese one.
#[cfg(test)]
pub(crate) fn is_chinese(character: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&character)
}
