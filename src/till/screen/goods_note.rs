//! The notes about a sale with lines, the catalogue, and what was put aside.

use super::basket::MOST_HELD;
use crate::clean::clean;
use crate::language::{Language, Text};
use crate::sale::{MOST_LINES, NotASale, Rate};
use crate::text::screen::GoodsPageWords;

/// Cells of a code and of a fault's text.
const CODE: usize = 24;
const FAULT: usize = 160;

/// Why something about the sale did not happen, or that it did.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum GoodsNote {
    Unknown(String),
    Failed(Text),
    StillLooking,
    NothingDue,
    NotASale(NotASale),
    QuantitySuchAs,
    DiscountSuchAs,
    AboveLimit(Rate),
    LabelOnce,
    ScanAgain,
    Held(String),
    NothingHeld,
    /// At a start.
    HeldNotRead,
    TooManyHeld,
    NotKept(Text),
    HeldUnreadable(Text),
}

/// The words of a note.
pub(super) fn note_text(note: &GoodsNote, language: Language, largest: &str) -> String {
    let words = GoodsPageWords::of(language);
    let why = |text: &Text| clean(text.in_language(language), FAULT);
    match note {
        GoodsNote::Unknown(code) => words.unknown(&clean(code, CODE)),
        GoodsNote::Failed(fault) => words.failed(&why(fault)),
        GoodsNote::StillLooking => words.still_looking().into(),
        GoodsNote::NothingDue => words.nothing_due().into(),
        GoodsNote::NotASale(NotASale::TooManyLines) => words.too_many_lines(MOST_LINES),
        GoodsNote::NotASale(NotASale::TooLarge) => words.too_large(largest),
        GoodsNote::NotASale(NotASale::Negative) => words.more_than_there_is().into(),
        GoodsNote::QuantitySuchAs => words.quantity_such_as().into(),
        GoodsNote::DiscountSuchAs => words.discount_such_as().into(),
        GoodsNote::AboveLimit(limit) => words.above_limit(&limit.show()),
        GoodsNote::ScanAgain => words.scan_again().into(),
        GoodsNote::LabelOnce => words.label_once().into(),
        GoodsNote::Held(sum) => words.held(sum),
        GoodsNote::NothingHeld => words.nothing_held().into(),
        GoodsNote::HeldNotRead => words.held_not_read().into(),
        GoodsNote::TooManyHeld => words.too_many_held(MOST_HELD),
        GoodsNote::NotKept(fault) => words.not_kept(&why(fault)),
        GoodsNote::HeldUnreadable(fault) => words.held_unreadable(&why(fault)),
    }
}
