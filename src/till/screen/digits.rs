//! Amounts in large digits; the largest ones that fit are used.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::shapes::{self, Bitmap};

/// As text it needs so many cells, with a blank behind it.
const SIGN: char = '￥';
const SIGN_WIDTH: u16 = 3;
/// Cells between two glyphs.
const GAP: u16 = 1;
/// The largest ones are so many times as high and wide as large ones.
pub(super) const MOST_TIMES: u16 = 4;

/// The height of the digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Size {
    /// So many times as high and wide as the large ones.
    Times(u16),
    Large,
    Small,
}

impl Size {
    /// In rows of cells.
    pub(super) const fn height(self) -> u16 {
        match self {
            Self::Times(times) => 5 * times,
            Self::Large => 5,
            Self::Small => 3,
        }
    }

    const fn times(self) -> u16 {
        match self {
            Self::Times(times) => times,
            Self::Large | Self::Small => 1,
        }
    }

    /// The largest size that fits where the amount is all that there is; `None` if none does, or if
    /// the text is not an amount.
    pub(super) fn filling(text: &str, width: u16, height: u16) -> Option<Self> {
        Self::fitting(text, width, height, MOST_TIMES)
    }

    /// The same beside other things, no larger than so many times the large digits.
    pub(super) fn fitting(text: &str, width: u16, height: u16, times: u16) -> Option<Self> {
        let larger = (2..=times).rev().map(Self::Times);
        larger.chain([Self::Large, Self::Small]).find(|size| size.fits(text, width, height))
    }

    fn fits(self, text: &str, width: u16, height: u16) -> bool {
        self.height() <= height && self.width(text).is_some_and(|needed| needed <= width)
    }

    /// The width in cells; `None` if the text is not an amount.
    pub(super) fn width(self, text: &str) -> Option<u16> {
        let mut width: u16 = 0;
        for character in text.chars() {
            let glyph = self.glyph(character)?;
            let cells = u16::try_from(glyph[0].len()).ok()?;
            width = width.checked_add(cells * self.times() + GAP * self.times())?;
        }
        width.checked_sub(GAP * self.times())
    }

    /// Draws the text from the area's upper left corner.
    pub(super) fn draw(self, text: &str, area: Rect, style: Style, buffer: &mut Buffer) {
        let mut rest = area;
        for glyph in text.chars().filter_map(|character| self.glyph(character)) {
            let width = u16::try_from(glyph[0].len()).unwrap_or(0) * self.times();
            let place = Rect { width: width.min(rest.width), ..rest };
            shapes::draw(glyph, self.times(), place, style, buffer);
            let step = (width + GAP * self.times()).min(rest.width);
            rest = Rect { x: rest.x + step, width: rest.width - step, ..rest };
        }
    }

    fn glyph(self, character: char) -> Option<&'static Bitmap> {
        let digit = character.to_digit(10).and_then(|digit| usize::try_from(digit).ok());
        match (self, character, digit) {
            (Self::Large | Self::Times(_), _, Some(digit)) => Some(&LARGE[digit]),
            (Self::Small, _, Some(digit)) => Some(&SMALL[digit]),
            (Self::Large | Self::Times(_), '.', _) => Some(&LARGE_POINT),
            (Self::Small, '.', _) => Some(&SMALL_POINT),
            (Self::Large | Self::Times(_), ',', _) => Some(&LARGE_COMMA),
            (Self::Small, ',', _) => Some(&SMALL_COMMA),
            (Self::Large | Self::Times(_), '￥', _) => Some(&LARGE_YUAN),
            (Self::Small, '￥', _) => Some(&SMALL_YUAN),
            (Self::Large | Self::Times(_), ' ', _) => Some(&LARGE_SPACE),
            (Self::Small, ' ', _) => Some(&SMALL_SPACE),
            _ => None,
        }
    }
}

/// An amount in a narrow place: where it must be, its sign stands as text before the digits.
#[derive(Clone, Copy)]
pub(super) struct Narrow<'a> {
    size: Size,
    text: &'a str,
    has_sign: bool,
}

impl<'a> Narrow<'a> {
    /// `None` if it does not fit either way, or the text is not an amount.
    pub(super) fn fitting(text: &'a str, width: u16, height: u16, times: u16) -> Option<Self> {
        if let Some(size) = Size::fitting(text, width, height, times) {
            return Some(Self { size, text, has_sign: false });
        }
        let digits = text.strip_prefix(SIGN)?;
        let size = Size::fitting(digits, width.checked_sub(SIGN_WIDTH)?, height, times)?;
        Some(Self { size, text: digits, has_sign: true })
    }

    pub(super) const fn height(self) -> u16 {
        self.size.height()
    }

    fn width(self) -> u16 {
        let digits = self.size.width(self.text).unwrap_or(0);
        if self.has_sign { SIGN_WIDTH + digits } else { digits }
    }

    /// From the area's upper left corner.
    pub(super) fn draw(self, mut area: Rect, style: Style, buffer: &mut Buffer) {
        if self.has_sign && area.height > 0 {
            buffer.set_stringn(
                area.x,
                area.y,
                SIGN.encode_utf8(&mut [0; 4]),
                area.width.into(),
                style,
            );
            area.x += SIGN_WIDTH.min(area.width);
            area.width = area.width.saturating_sub(SIGN_WIDTH);
        }
        let place = Rect { height: self.height().min(area.height), ..area };
        self.size.draw(self.text, place, style, buffer);
    }

    pub(super) fn draw_centred(self, area: Rect, style: Style, buffer: &mut Buffer) {
        let before = area.width.saturating_sub(self.width()) / 2;
        self.draw(Rect { x: area.x + before, width: area.width - before, ..area }, style, buffer);
    }
}

const LARGE: [[&str; 10]; 10] = [
    [
        ".####.", "##..##", "##..##", "##..##", "##..##", "##..##", "##..##", "##..##", "##..##",
        ".####.",
    ],
    [
        "..##..", ".###..", "####..", "..##..", "..##..", "..##..", "..##..", "..##..", "..##..",
        "######",
    ],
    [
        ".####.", "##..##", "....##", "....##", "...##.", "..##..", ".##...", "##....", "##....",
        "######",
    ],
    [
        ".####.", "##..##", "....##", "....##", "..###.", "....##", "....##", "....##", "##..##",
        ".####.",
    ],
    [
        "...##.", "..###.", "..###.", ".####.", ".#.##.", "##.##.", "######", "...##.", "...##.",
        "...##.",
    ],
    [
        "######", "##....", "##....", "##....", "#####.", "....##", "....##", "....##", "##..##",
        ".####.",
    ],
    [
        ".####.", "##..##", "##....", "##....", "#####.", "##..##", "##..##", "##..##", "##..##",
        ".####.",
    ],
    [
        "######", "....##", "....##", "...##.", "...##.", "..##..", "..##..", ".##...", ".##...",
        ".##...",
    ],
    [
        ".####.", "##..##", "##..##", "##..##", ".####.", "##..##", "##..##", "##..##", "##..##",
        ".####.",
    ],
    [
        ".####.", "##..##", "##..##", "##..##", "##..##", ".#####", "....##", "....##", "##..##",
        ".####.",
    ],
];
const LARGE_POINT: [&str; 10] = ["..", "..", "..", "..", "..", "..", "..", "..", "##", "##"];
const LARGE_COMMA: [&str; 10] = ["..", "..", "..", "..", "..", "..", "..", "##", ".#", "#."];
const LARGE_SPACE: [&str; 10] = [".."; 10];
const LARGE_YUAN: [&str; 10] = [
    "##..##", "##..##", ".####.", "..##..", "######", "..##..", "######", "..##..", "..##..",
    "..##..",
];
const SMALL: [[&str; 6]; 10] = [
    [".##.", "#..#", "#..#", "#..#", "#..#", ".##."],
    [".#..", "##..", ".#..", ".#..", ".#..", "###."],
    [".##.", "#..#", "...#", "..#.", ".#..", "####"],
    ["###.", "...#", ".##.", "...#", "...#", "###."],
    ["#..#", "#..#", "#..#", "####", "...#", "...#"],
    ["####", "#...", "###.", "...#", "...#", "###."],
    [".##.", "#...", "###.", "#..#", "#..#", ".##."],
    ["####", "...#", "..#.", "..#.", ".#..", ".#.."],
    [".##.", "#..#", ".##.", "#..#", "#..#", ".##."],
    [".##.", "#..#", "#..#", ".###", "...#", ".##."],
];
const SMALL_POINT: [&str; 6] = [".", ".", ".", ".", ".", "#"];
const SMALL_COMMA: [&str; 6] = ["..", "..", "..", "..", ".#", "#."];
const SMALL_SPACE: [&str; 6] = ["."; 6];
const SMALL_YUAN: [&str; 6] = ["#...#", ".#.#.", "#####", "..#..", "#####", "..#.."];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_glyph_is_a_full_rectangle_and_unlike_the_others() {
        for size in [Size::Large, Size::Small] {
            let glyphs: Vec<_> =
                "0123456789.,￥ ".chars().map(|glyph| size.glyph(glyph).unwrap()).collect();
            for (index, glyph) in glyphs.iter().enumerate() {
                assert_eq!(glyph.len(), usize::from(size.height()) * 2);
                assert!(glyph.iter().all(|row| row.len() == glyph[0].len()));
                assert!(!glyphs[..index].contains(glyph), "{index} {size:?}");
            }
        }
    }

    #[test]
    fn falls_back_to_what_fits() {
        assert_eq!(Size::fitting("￥12.50", 70, 5, 1), Some(Size::Large));
        assert_eq!(Size::fitting("￥9999999.99", 70, 5, 1), Some(Size::Small));
        assert_eq!(Size::fitting("￥12.50", 70, 4, 1), Some(Size::Small));
        assert_eq!(Size::fitting("￥9999999.99", 20, 5, 1), None);
        assert_eq!(Size::fitting("-1", 70, 5, 1), None);
        assert_eq!(Size::fitting("", 70, 5, 1), None);
    }
}
