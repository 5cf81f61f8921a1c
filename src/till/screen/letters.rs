//! A word in large letters, drawn in half blocks: two dots per cell, one above the other. English
//! has letters of its own; Chinese, and every word where there is plenty of room, is drawn as it
//! would be printed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::shapes::Bitmap;
use crate::receipt;

/// A word in dots.
pub(super) struct Lettering {
    rows: Vec<Vec<bool>>,
}

impl Lettering {
    /// The largest that fits, in cells.
    pub(super) fn fitting(word: &str, width: u16, height: u16) -> Option<Self> {
        let fits = |lettering: &Self| lettering.width() <= width && lettering.height() <= height;
        [Self::printed(word), Self::small(word)].into_iter().find(fits)
    }

    /// In cells.
    pub(super) fn height(&self) -> u16 {
        u16::try_from(self.rows.len().div_ceil(2)).unwrap_or(u16::MAX)
    }

    fn width(&self) -> u16 {
        let dots = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        u16::try_from(dots).unwrap_or(u16::MAX)
    }

    fn printed(word: &str) -> Self {
        let picture = receipt::in_dots(word);
        let width = picture.width();
        let row = |bytes: &[u8]| {
            let dot = |x: usize| bytes[x / 8] & (0x80 >> (x % 8)) != 0;
            (0..width).map(dot).collect()
        };
        Self { rows: picture.rows().map(row).collect() }
    }

    fn small(word: &str) -> Self {
        match word.chars().map(letter).collect::<Option<Vec<_>>>() {
            Some(letters) => {
                let row = |y: usize| {
                    let dots = letters.iter().map(|letter| letter[y]).collect::<Vec<_>>();
                    dots.join(".").bytes().map(|dot| dot == b'#').collect()
                };
                Self { rows: (0..10).map(row).collect() }
            }
            None => Self::printed(word).halved(),
        }
    }

    /// Half as wide and high: a dot stands for two or more of four.
    fn halved(&self) -> Self {
        let half = |pair: &[Vec<bool>]| {
            let dark = |x: usize| {
                let of = |row: &Vec<bool>| {
                    row.get(2 * x..2 * x + 2).unwrap_or_default().iter().filter(|dot| **dot).count()
                };
                pair.iter().map(of).sum::<usize>() >= 2
            };
            (0..usize::from(self.width()) / 2).map(dark).collect()
        };
        Self { rows: self.rows.chunks(2).map(half).collect() }
    }

    /// Draws it from the area's upper left corner, clipped to the area.
    pub(super) fn draw(&self, area: Rect, style: Style, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        for (y, rows) in (area.top()..area.bottom()).zip(self.rows.chunks(2)) {
            for (x, at) in (area.left()..area.right()).zip(0..rows[0].len()) {
                let lower = rows.get(1).is_some_and(|row| row[at]);
                let symbol = match (rows[0][at], lower) {
                    (true, true) => "█",
                    (true, false) => "▀",
                    (false, true) => "▄",
                    (false, false) => continue,
                };
                buffer[(x, y)].set_symbol(symbol).set_style(style);
            }
        }
    }
}

fn letter(letter: char) -> Option<&'static Bitmap> {
    Some(match letter {
        'A' => &A,
        'D' => &D,
        'E' => &E,
        'F' => &F,
        'I' => &I,
        'K' => &K,
        'N' => &N,
        'O' => &O,
        'P' => &P,
        'R' => &R,
        'S' => &S,
        'T' => &T,
        'U' => &U,
        'V' => &V,
        'W' => &W,
        ' ' => &SPACE,
        _ => return None,
    })
}

const A: [&str; 10] = [
    ".####.", "##..##", "##..##", "##..##", "##..##", "######", "##..##", "##..##", "##..##",
    "##..##",
];
const D: [&str; 10] = [
    "#####.", "##..##", "##..##", "##..##", "##..##", "##..##", "##..##", "##..##", "##..##",
    "#####.",
];
const E: [&str; 10] =
    ["#####", "##...", "##...", "##...", "####.", "##...", "##...", "##...", "##...", "#####"];
const F: [&str; 10] =
    ["#####", "##...", "##...", "##...", "####.", "##...", "##...", "##...", "##...", "##..."];
const I: [&str; 10] =
    ["####", ".##.", ".##.", ".##.", ".##.", ".##.", ".##.", ".##.", ".##.", "####"];
const K: [&str; 10] = [
    "##..##", "##..##", "##.##.", "##.##.", "####..", "####..", "##.##.", "##.##.", "##..##",
    "##..##",
];
const N: [&str; 10] = [
    "##...##", "###..##", "###..##", "####.##", "####.##", "##.####", "##.####", "##..###",
    "##..###", "##...##",
];
const O: [&str; 10] = [
    ".####.", "##..##", "##..##", "##..##", "##..##", "##..##", "##..##", "##..##", "##..##",
    ".####.",
];
const P: [&str; 10] = [
    "#####.", "##..##", "##..##", "##..##", "##..##", "#####.", "##....", "##....", "##....",
    "##....",
];
const R: [&str; 10] = [
    "#####.", "##..##", "##..##", "##..##", "##..##", "#####.", "####..", "##.##.", "##..##",
    "##..##",
];
const S: [&str; 10] = [
    ".####.", "##..##", "##....", "##....", ".####.", "....##", "....##", "....##", "##..##",
    ".####.",
];
const T: [&str; 10] = [
    "######", "..##..", "..##..", "..##..", "..##..", "..##..", "..##..", "..##..", "..##..",
    "..##..",
];
const U: [&str; 10] = [
    "##..##", "##..##", "##..##", "##..##", "##..##", "##..##", "##..##", "##..##", "##..##",
    ".####.",
];
const V: [&str; 10] = [
    "##..##", "##..##", "##..##", "##..##", "##..##", "##..##", "##..##", ".####.", ".####.",
    "..##..",
];
const W: [&str; 10] = [
    "##....##", "##....##", "##....##", "##.##.##", "##.##.##", "##.##.##", "########", "###..###",
    "###..###", "##....##",
];
const SPACE: [&str; 10] = [".."; 10];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::text::find::{FindWords, Verdict};

    #[test]
    fn every_verdict_fits_beside_its_shape_or_at_least_without_it() {
        for language in Language::ALL {
            for verdict in Verdict::ALL {
                let word = FindWords::of(language).word(verdict);
                let lettering = Lettering::fitting(word, 70, 6).expect(word);
                assert!(lettering.width() <= 60, "{word}");
                assert_eq!(lettering.height(), language.pick(5, 6), "{word}");
                let large = Lettering::fitting(word, 130, 12).unwrap();
                assert_eq!(large.height(), 12, "{word}");
                assert!(Lettering::fitting(word, 20, 6).is_none(), "{word}");
            }
        }
    }

    #[test]
    fn every_letter_is_a_full_rectangle() {
        for name in "ADEFIKNOPRSTUVW ".chars() {
            let rows = letter(name).unwrap();
            assert_eq!(rows.len(), 10, "{name}");
            assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{name}");
        }
    }
}
