//! Draws text for printers without a Chinese font: ASCII and every two-byte character of GB18030.
//! See `assets/font/README.md` for the source of the glyphs.

use crate::encode::{columns, encode};
use crate::picture::Picture;

const ASCII: &[u8] = include_bytes!("../../../assets/font/ascii.bin");
const CHINESE: &[u8] = include_bytes!("../../../assets/font/gb18030.bin");
/// Dots across a column, and the height in dots of every character (devices 2.2).
pub(super) const COLUMN: usize = 12;
pub(super) const HEIGHT: usize = 24;
const ASCII_ROW: usize = 2;
const CHINESE_ROW: usize = 3;
/// Second bytes of a two-byte code: 40 to 7E and 80 to FE.
const TRAILS: usize = 190;
/// A box, for characters without a glyph.
const MISSING: [u8; 2] = [0xa1, 0xf5];

/// Draws a line of printable text, enlarged `scale` times. It is as wide as its columns.
pub(super) fn draw(text: &str, scale: usize) -> Picture {
    let mut picture = Picture::white(columns(text) * COLUMN * scale, HEIGHT * scale);
    let (bytes, mut left) = (encode(text), 0);
    let mut rest = bytes.as_slice();
    while let Some((first, more)) = rest.split_first() {
        let (glyph, row, width, next) = match more.split_first() {
            Some((second, more)) if *first >= 0x81 => {
                (chinese([*first, *second]), CHINESE_ROW, 2 * COLUMN, more)
            }
            _ => (ascii(*first), ASCII_ROW, COLUMN, more),
        };
        for (y, dots) in glyph.chunks_exact(row).enumerate() {
            for x in (0..width).filter(|x| dots[x / 8] & (0x80 >> (x % 8)) != 0) {
                for (right, down) in square(scale) {
                    picture.blacken((left + x) * scale + right, y * scale + down);
                }
            }
        }
        left += width;
        rest = next;
    }
    picture
}

/// The dots of one dot enlarged `scale` times.
pub(super) fn square(scale: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..scale).flat_map(move |right| (0..scale).map(move |down| (right, down)))
}

fn ascii(byte: u8) -> &'static [u8] {
    let size = ASCII_ROW * HEIGHT;
    let place = usize::from(byte.saturating_sub(b' ')) * size;
    ASCII.get(place..place + size).unwrap_or_default()
}

fn chinese(code: [u8; 2]) -> &'static [u8] {
    let known = place(code);
    if known.iter().any(|byte| *byte != 0) || code == [0xa1, 0xa1] { known } else { place(MISSING) }
}

fn place([lead, trail]: [u8; 2]) -> &'static [u8] {
    let size = CHINESE_ROW * HEIGHT;
    let trail = usize::from(trail.saturating_sub(0x40)) - usize::from(trail > 0x7f);
    let place = (usize::from(lead.saturating_sub(0x81)) * TRAILS + trail) * size;
    CHINESE.get(place..place + size).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let picture = draw(text, 1);
        let dots = |row: &[u8]| -> String {
            let bits = row.iter().map(|byte| format!("{byte:08b}"));
            bits.collect::<String>().replace('0', "·").replace('1', "█")
        };
        picture.rows().map(|row| dots(row) + "\n").collect()
    }

    #[test]
    fn the_files_hold_every_code() {
        assert_eq!(ASCII.len(), 95 * ASCII_ROW * HEIGHT);
        assert_eq!(CHINESE.len(), 126 * TRAILS * CHINESE_ROW * HEIGHT);
    }

    #[test]
    fn characters_are_where_they_should_be() {
        insta::assert_snapshot!(shown("7一￥"));
    }

    #[test]
    fn everything_that_receipts_say_has_a_picture() {
        let words = crate::text::receipt::ReceiptWords::all().concat();
        let missing = place(MISSING);
        for character in words.concat().chars().filter(|character| !character.is_ascii()) {
            let code = <[u8; 2]>::try_from(encode(&character.to_string()).as_slice()).unwrap();
            assert!(
                chinese(code) != missing && place(code).iter().any(|byte| *byte != 0),
                "{character}"
            );
        }
    }

    #[test]
    fn all_of_gb2312_has_a_picture() {
        let without: Vec<_> = (0xb0..=0xf7_u8)
            .flat_map(|lead| (0xa1..=0xfe).map(move |trail| [lead, trail]))
            .filter(|code| place(*code).iter().all(|byte| *byte == 0))
            .collect();
        // Row 55 ends five characters early.
        assert_eq!(without, [0xfa, 0xfb, 0xfc, 0xfd, 0xfe].map(|trail| [0xd7, trail]));
    }

    #[test]
    fn large_is_the_same_twice_as_large() {
        let (small, large) = (draw("A付", 1), draw("A付", 2));
        assert_eq!((large.width(), large.height()), (2 * small.width(), 2 * small.height()));
        let black = |picture: &Picture| -> u32 {
            picture.rows().flatten().map(|byte| byte.count_ones()).sum()
        };
        assert_eq!(black(&large), 4 * black(&small));
    }
}
