//! Words in large letters, drawn in half blocks: two dots per cell, one above the other. The English
//! words of the states have letters of their own, like the digits; everything else is drawn as it
//! would be printed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::shapes::Bitmap;
use super::wrap::wrap;
use crate::receipt;

/// A word in dots.
pub(super) struct Lettering {
    rows: Vec<Vec<bool>>,
}

impl Lettering {
    /// The largest that fits, in cells.
    pub(super) fn fitting(word: &str, width: u16, height: u16) -> Option<Self> {
        let sizes = [Self::large(word), Self::small(word)];
        sizes.into_iter().find(|lettering| lettering.fits(width, height))
    }

    /// The same; a word that is too wide is broken in two before it is left out.
    pub(super) fn broken(word: &str, width: u16, height: u16) -> Option<Self> {
        Self::fitting(word, width, height).or_else(|| {
            let halves = halves(word).into_iter();
            let broken = halves
                .map(|(one, two)| Self::small(&one).trimmed().above(Self::small(&two).trimmed()));
            broken.filter(|word| word.fits(width, height)).min_by_key(Self::width)
        })
    }

    /// A text, broken into lines, as large as it fits: English in capitals.
    pub(super) fn text(text: &str, width: u16, height: u16) -> Option<Self> {
        let capitals = text.to_uppercase();
        let is_english = Self::own(&capitals).is_some();
        let text = if is_english { &capitals } else { text };
        let sizes: [fn(&str) -> Self; 2] = [Self::large, Self::small];
        sizes.into_iter().find_map(|size| {
            let lines = if is_english {
                broken_where(text, |line| size(line).width() <= width)
            } else {
                let column = size(" ").width().max(1);
                wrap(text, usize::from(width / column).max(1))
            };
            let lines: Vec<Self> = lines.iter().map(|line| size(line).trimmed()).collect();
            let widest = lines.iter().map(Self::width).max().unwrap_or(0);
            let lines = lines.into_iter().map(|line| line.centred(widest));
            lines.reduce(Self::above).filter(|text| text.fits(width, height))
        })
    }

    fn centred(mut self, width: u16) -> Self {
        let before = usize::from(width.saturating_sub(self.width()) / 2);
        for row in &mut self.rows {
            row.splice(..0, std::iter::repeat_n(false, before));
        }
        self
    }

    /// Draws it in the middle of an area.
    pub(super) fn draw_centred(&self, area: Rect, style: Style, buffer: &mut Buffer) {
        let left = area.width.saturating_sub(self.width()) / 2;
        self.draw(Rect { x: area.x + left, width: area.width - left, ..area }, style, buffer);
    }

    fn fits(&self, width: u16, height: u16) -> bool {
        self.width() <= width && self.height() <= height
    }

    /// In cells.
    pub(super) fn height(&self) -> u16 {
        u16::try_from(self.rows.len().div_ceil(2)).unwrap_or(u16::MAX)
    }

    /// In cells.
    pub(super) fn width(&self) -> u16 {
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

    fn large(word: &str) -> Self {
        Self::own(word).map_or_else(|| Self::printed(word), |own| own.doubled())
    }

    fn small(word: &str) -> Self {
        Self::own(word).unwrap_or_else(|| Self::printed(word).halved())
    }

    /// In letters of the screen, if there are some for all of it.
    fn own(word: &str) -> Option<Self> {
        let letters = word.chars().map(letter).collect::<Option<Vec<_>>>()?;
        let row = |y: usize| {
            let dots = letters.iter().map(|letter| letter[y]).collect::<Vec<_>>();
            dots.join(".").bytes().map(|dot| dot == b'#').collect()
        };
        Some(Self { rows: (0..10).map(row).collect() })
    }

    fn doubled(&self) -> Self {
        let wide =
            |row: &Vec<bool>| -> Vec<bool> { row.iter().flat_map(|dot| [*dot; 2]).collect() };
        Self { rows: self.rows.iter().map(wide).flat_map(|row| [row.clone(), row]).collect() }
    }

    /// One line above another, with air between them.
    fn above(mut self, below: Self) -> Self {
        self.rows.extend(std::iter::repeat_n(Vec::new(), 1 + (self.rows.len() + 1) % 2));
        self.rows.extend(below.rows);
        self
    }

    /// Without the blank rows above and below.
    fn trimmed(mut self) -> Self {
        let is_blank = |row: &Vec<bool>| !row.contains(&true);
        let first = self.rows.iter().position(|row| !is_blank(row)).unwrap_or(0);
        self.rows.drain(..first);
        while self.rows.last().is_some_and(is_blank) {
            self.rows.pop();
        }
        self
    }

    /// Half as wide and high. A dot stands for two or more of four, but for one that would fill a gap
    /// between others on all sides.
    fn halved(&self) -> Self {
        let (width, height) = (usize::from(self.width()) / 2, self.rows.len().div_ceil(2));
        let dark = |x: usize, y: usize| {
            let rows = self.rows.iter().skip(2 * y).take(2);
            rows.flat_map(|row| row.iter().skip(2 * x).take(2)).filter(|dot| **dot).count()
        };
        let dot = |x: usize, y: usize| match dark(x, y) {
            2 if x > 0 && y > 0 => [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)]
                .iter()
                .any(|(x, y)| dark(*x, *y) < 2),
            dots => dots >= 2,
        };
        let row = |y| (0..width).map(|x| dot(x, y)).collect();
        Self { rows: (0..height).map(row).collect() }
    }

    /// Draws it from the area's upper left corner, clipped to the area.
    pub(super) fn draw(&self, area: Rect, style: Style, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        for (y, rows) in (area.top()..area.bottom()).zip(self.rows.chunks(2)) {
            let width = rows.iter().map(Vec::len).max().unwrap_or(0);
            for (x, at) in (area.left()..area.right()).zip(0..width) {
                let dot = |y: usize| rows.get(y).and_then(|row| row.get(at)) == Some(&true);
                let symbol = match (dot(0), dot(1)) {
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

/// Lines of as many words as fit.
fn broken_where(text: &str, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match (lines.last_mut(), longer) {
            (Some(line), Some(longer)) if fits(&longer) => *line = longer,
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The ways to break a word in two: at a blank, or in the middle if it has none.
fn halves(word: &str) -> Vec<(String, String)> {
    if word.contains(' ') {
        let blanks = word.match_indices(' ');
        let at = |(at, _): (usize, &str)| (word[..at].to_owned(), word[at + 1..].to_owned());
        return blanks.map(at).collect();
    }
    let letters: Vec<char> = word.chars().collect();
    let (one, two) = letters.split_at(letters.len().div_ceil(2));
    vec![(one.iter().collect(), two.iter().collect())]
}

fn letter(letter: char) -> Option<&'static Bitmap> {
    Some(match letter {
        'A' => &A,
        'B' => &B,
        'C' => &C,
        'D' => &D,
        'E' => &E,
        'F' => &F,
        'G' => &G,
        'H' => &H,
        'I' => &I,
        'K' => &K,
        'L' => &L,
        'M' => &M,
        'N' => &N,
        'O' => &O,
        'P' => &P,
        'R' => &R,
        'S' => &S,
        'T' => &T,
        'U' => &U,
        'V' => &V,
        'W' => &W,
        'Y' => &Y,
        '-' => &DASH,
        '.' => &STOP,
        ',' => &COMMA,
        '!' => &MARK,
        ' ' => &SPACE,
        _ => return None,
    })
}

const A: [&str; 10] = [
    ".####.", "##..##", "##..##", "##..##", "##..##", "######", "##..##", "##..##", "##..##",
    "##..##",
];
const B: [&str; 10] = [
    "#####.", "##..##", "##..##", "##..##", "#####.", "##..##", "##..##", "##..##", "##..##",
    "#####.",
];
const C: [&str; 10] = [
    ".####.", "##..##", "##....", "##....", "##....", "##....", "##....", "##....", "##..##",
    ".####.",
];
const D: [&str; 10] = [
    "#####.", "##..##", "##..##", "##..##", "##..##", "##..##", "##..##", "##..##", "##..##",
    "#####.",
];
const E: [&str; 10] =
    ["#####", "##...", "##...", "##...", "####.", "##...", "##...", "##...", "##...", "#####"];
const F: [&str; 10] =
    ["#####", "##...", "##...", "##...", "####.", "##...", "##...", "##...", "##...", "##..."];
const G: [&str; 10] = [
    ".####.", "##..##", "##....", "##....", "##.###", "##..##", "##..##", "##..##", "##..##",
    ".####.",
];
const H: [&str; 10] = [
    "##..##", "##..##", "##..##", "##..##", "######", "##..##", "##..##", "##..##", "##..##",
    "##..##",
];
const I: [&str; 10] =
    ["####", ".##.", ".##.", ".##.", ".##.", ".##.", ".##.", ".##.", ".##.", "####"];
const K: [&str; 10] = [
    "##..##", "##..##", "##.##.", "##.##.", "####..", "####..", "##.##.", "##.##.", "##..##",
    "##..##",
];
const L: [&str; 10] =
    ["##...", "##...", "##...", "##...", "##...", "##...", "##...", "##...", "##...", "#####"];
const M: [&str; 10] = [
    "##....##", "###..###", "###..###", "########", "##.##.##", "##.##.##", "##....##", "##....##",
    "##....##", "##....##",
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
const Y: [&str; 10] = [
    "##..##", "##..##", "##..##", "##..##", ".####.", "..##..", "..##..", "..##..", "..##..",
    "..##..",
];
const DASH: [&str; 10] =
    ["....", "....", "....", "....", "####", "....", "....", "....", "....", "...."];
const STOP: [&str; 10] = ["..", "..", "..", "..", "..", "..", "..", "..", "##", "##"];
const COMMA: [&str; 10] = ["..", "..", "..", "..", "..", "..", "..", "##", ".#", "#."];
const MARK: [&str; 10] = ["##", "##", "##", "##", "##", "##", "##", "..", "##", "##"];
const SPACE: [&str; 10] = [".."; 10];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::payment::Status;
    use crate::text::find::{FindWords, Verdict};
    use crate::text::screen::ScreenWords;

    #[test]
    fn every_verdict_fits_beside_its_shape_or_at_least_without_it() {
        for language in Language::ALL {
            for verdict in Verdict::ALL {
                let word = FindWords::of(language).word(verdict);
                let lettering = Lettering::fitting(word, 70, 6).expect(word);
                assert!(lettering.width() <= 60, "{word}");
                assert_eq!(lettering.height(), language.pick(5, 6), "{word}");
                let large = Lettering::fitting(word, 130, 12).unwrap();
                assert_eq!(large.height(), language.pick(10, 12), "{word}");
                assert!(Lettering::fitting(word, 20, 6).is_none(), "{word}");
            }
        }
    }

    #[test]
    fn every_state_has_large_letters_in_a_large_window() {
        for language in Language::ALL {
            let words = ScreenWords::of(language);
            let all =
                Status::ALL.map(|status| words.word(status)).into_iter().chain([words.stop()]);
            for word in all {
                assert!(
                    Lettering::own(word).is_some() != (language == Language::Chinese),
                    "{word}"
                );
                // 120 by 40: in two lines if need be.
                let broken = Lettering::broken(word, 72, 12).expect(word);
                assert!(broken.height() >= 5, "{word}");
                // 200 by 60: in one.
                let one = Lettering::broken(word, 152, 12).expect(word);
                assert_eq!(one.width(), Lettering::fitting(word, 152, 12).unwrap().width());
            }
            for word in
                [Status::Paid, Status::Declined, Status::Reversed].map(|status| words.word(status))
            {
                let large = Lettering::broken(word, 152, 12).unwrap();
                assert_eq!(large.height(), language.pick(10, 12), "{word}");
            }
        }
    }

    #[test]
    fn every_letter_is_a_full_rectangle() {
        for name in "ABCDEFGHIKLMNOPRSTUVWY-.,! ".chars() {
            let rows = letter(name).unwrap();
            assert_eq!(rows.len(), 10, "{name}");
            assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{name}");
        }
    }
}
