//! QR codes for people's phones: on a screen as half blocks, in a file as dots. Always dark on light,
//! level M, with the quiet zone that a phone needs.

use fast_qr::{ECL, QRBuilder};

use crate::picture::Picture;

/// Light modules around the code.
const QUIET: usize = 4;
/// So many are enough where there is no room for more.
const LEAST_QUIET: usize = 2;
/// Cells across a module, at most: from farther away nobody scans.
const LARGEST: usize = 4;

/// A code in modules, its quiet zone included.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QrCode {
    size: usize,
    dark: Vec<bool>,
}

impl QrCode {
    /// The code of a text; `None` if it is too long for one.
    pub fn of(text: &str) -> Option<Self> {
        let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
        let size = code.size + 2 * QUIET;
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < code.size);
        let modules = (0..size).flat_map(|y| (0..size).map(move |x| (x, y)));
        let dark = modules
            .map(|(x, y)| inside(x).zip(inside(y)).is_some_and(|(x, y)| code[y][x].value()))
            .collect();
        Some(Self { size, dark })
    }

    /// Modules, and so cells, across.
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Whether a module is dark; what lies outside is light.
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.size && self.dark.get(y * self.size + x).is_some_and(|dark| *dark)
    }

    /// Lines of half blocks, two modules in a cell: a block is light, what it leaves is dark. They are
    /// to be drawn in white on black, whatever the colours around them are.
    pub fn half_blocks(&self) -> Vec<String> {
        self.blocks(0, 1)
    }

    /// The same as large as so many cells have room for it; a small one with less of its quiet zone.
    pub fn half_blocks_in(&self, width: usize, height: usize) -> Option<Vec<String>> {
        let sizes = (1..=LARGEST).rev().map(|times| (0, times));
        let trimmed = (1..=QUIET - LEAST_QUIET).map(|trim| (trim, 1));
        let across = |trim: usize, times: usize| (self.size - 2 * trim) * times;
        let (trim, times) = sizes.chain(trimmed).find(|(trim, times)| {
            let across = across(*trim, *times);
            across <= width && across.div_ceil(2) <= height
        })?;
        Some(self.blocks(trim, times))
    }

    /// The least room that [`Self::half_blocks_in`] needs, in cells: across and down.
    pub const fn least_room(&self) -> (usize, usize) {
        let across = self.size - 2 * (QUIET - LEAST_QUIET);
        (across, across.div_ceil(2))
    }

    fn blocks(&self, trim: usize, times: usize) -> Vec<String> {
        let across = (self.size - 2 * trim) * times;
        let is_dark = |x: usize, y: usize| self.is_dark(x / times + trim, y / times + trim);
        let cell = |x: usize, y: usize| match (is_dark(x, y), is_dark(x, y + 1)) {
            (false, false) => '█',
            (false, true) => '▀',
            (true, false) => '▄',
            (true, true) => ' ',
        };
        let line = |y: usize| (0..across).map(|x| cell(x, y)).collect();
        (0..across).step_by(2).map(line).collect()
    }

    /// As a picture, each module a square of so many dots.
    pub fn picture(&self, dots: usize) -> Picture {
        let side = self.size * dots;
        let mut picture = Picture::white(side, side);
        for (x, y) in (0..side).flat_map(|y| (0..side).map(move |x| (x, y))) {
            if self.is_dark(x / dots, y / dots) {
                picture.blacken(x, y);
            }
        }
        picture
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: &str = "weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00";

    fn read(side: usize, is_dark: impl Fn(usize, usize) -> bool) -> String {
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
            if is_dark(x, y) { 0 } else { 255 }
        });
        picture.detect_grids()[0].decode().unwrap().1
    }

    #[test]
    fn a_code_drawn_in_half_blocks_is_read_back_at_any_size() {
        let longest = format!("weixin://{}", "a".repeat(crate::order::CodeUrl::LONGEST - 9));
        for text in [USUAL, "weixin://wxpay/bizpayurl?pr=1", &longest] {
            let code = QrCode::of(text).unwrap();
            let lines: Vec<Vec<char>> =
                code.half_blocks().iter().map(|line| line.chars().collect()).collect();
            assert!(lines.iter().all(|line| line.len() == code.size()));
            // A cell is twice as high as it is wide.
            for dots in [2, 3, 4, 7, 12] {
                let is_dark = |x: usize, y: usize| {
                    let cell = lines[y / dots / 2][x / dots];
                    let is_upper = (y / dots).is_multiple_of(2);
                    !(cell == '█' || cell == if is_upper { '▀' } else { '▄' })
                };
                assert_eq!(read(code.size() * dots, is_dark), text, "{dots} dots");
            }
        }
    }

    #[test]
    fn a_usual_code_fits_a_terminal_of_80_by_24_with_its_quiet_zone() {
        for length in [50, 64] {
            let text = format!("weixin://{}", "a".repeat(length - 9));
            let code = QrCode::of(&text).unwrap();
            assert!(code.size() <= 80 && code.half_blocks().len() <= 23, "{}", code.size());
            for at in 0..code.size() {
                for edge in 0..QUIET {
                    assert!(!code.is_dark(at, edge) && !code.is_dark(edge, at));
                }
            }
        }
    }

    #[test]
    fn a_code_in_a_file_is_read_back() {
        let code = QrCode::of(USUAL).unwrap();
        let picture = code.picture(8);
        let rows: Vec<Vec<u8>> = picture.rows().map(<[u8]>::to_vec).collect();
        let is_dark = |x: usize, y: usize| rows[y][x / 8] & (0x80 >> (x % 8)) != 0;
        assert_eq!(read(picture.width(), is_dark), USUAL);
        assert!(picture.to_png().unwrap().starts_with(b"\x89PNG"));
    }

    #[test]
    fn what_is_too_long_is_no_code() {
        assert_eq!(QrCode::of(&"a".repeat(5_000)), None);
    }
}
