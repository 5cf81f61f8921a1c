//! Pictures of black and white dots, as receipt printers draw them.

/// Maximum bytes of a file; anything larger was not meant for a receipt.
pub const LARGEST_FILE: usize = 512 * 1024;
/// 10 cm of paper at 203 dots per inch.
pub const HIGHEST: usize = 800;
/// Dots across the widest paper.
pub const WIDEST: usize = 576;

/// Dots in rows. Each row fills complete bytes; the highest bit is the leftmost dot, and 1 is
/// black.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Picture {
    width: usize,
    height: usize,
    dots: Vec<u8>,
}

/// Why a file is not a picture for a receipt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NotAPicture {
    /// Not in the portable bitmap format.
    NotPbm,
    /// It ends too early.
    Short,
    /// Width and height in dots: zero, or more than [`WIDEST`] and [`HIGHEST`].
    Size(usize, usize),
}

impl Picture {
    /// An all-white picture; sizes in dots.
    pub fn white(width: usize, height: usize) -> Self {
        Self { width, height, dots: vec![0; width.div_ceil(8) * height] }
    }

    /// Reads a portable bitmap, P1 (as text) or P4 (as bits). Fails unless its size suits a
    /// receipt.
    pub fn from_pbm(file: &[u8]) -> Result<Self, NotAPicture> {
        let (is_text, rest) = match file {
            [b'P', b'1', rest @ ..] => (true, rest),
            [b'P', b'4', rest @ ..] => (false, rest),
            _ => return Err(NotAPicture::NotPbm),
        };
        let (width, rest) = number(rest)?;
        let (height, rest) = number(rest)?;
        if !(1..=WIDEST).contains(&width) || !(1..=HIGHEST).contains(&height) {
            return Err(NotAPicture::Size(width, height));
        }
        let mut picture = Self::white(width, height);
        if is_text {
            let mut dots = rest.iter().filter(|byte| !byte.is_ascii_whitespace());
            for y in 0..height {
                for x in 0..width {
                    match dots.next().ok_or(NotAPicture::Short)? {
                        b'1' => picture.blacken(x, y),
                        b'0' => {}
                        _ => return Err(NotAPicture::NotPbm),
                    }
                }
            }
        } else {
            // One blank ends the header.
            let dots = rest.get(1..).and_then(|dots| dots.get(..picture.dots.len()));
            picture.dots.copy_from_slice(dots.ok_or(NotAPicture::Short)?);
            picture.clear_margin();
        }
        Ok(picture)
    }

    /// Width in dots.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in dots.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The rows from the top, each in the same number of bytes.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator {
        self.dots.chunks_exact(self.width.div_ceil(8).max(1))
    }

    /// Makes a dot black. One outside the picture is ignored.
    pub fn blacken(&mut self, x: usize, y: usize) {
        if x < self.width
            && let Some(byte) = self.dots.get_mut(y * self.width.div_ceil(8) + x / 8)
        {
            *byte |= 0x80 >> (x % 8);
        }
    }

    /// Draws another picture on this one, with its upper left corner there; what is black stays so.
    pub fn draw(&mut self, x: usize, y: usize, piece: &Self) {
        for (down, row) in piece.rows().enumerate() {
            for right in (0..piece.width).filter(|at| row[at / 8] & (0x80 >> (at % 8)) != 0) {
                self.blacken(x + right, y + down);
            }
        }
    }

    /// The picture as a PNG file of one bit per dot. Fails only for one without a dot.
    pub fn to_png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let side = |dots: usize| u32::try_from(dots).unwrap_or(u32::MAX);
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, side(self.width), side(self.height));
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let white: Vec<u8> = self.dots.iter().map(|dots| !dots).collect();
        encoder.write_header()?.write_image_data(&white)?;
        Ok(file)
    }

    /// Clears the bits after each row's last dot, which may be anything in a file.
    fn clear_margin(&mut self) {
        let spare = self.width.div_ceil(8) * 8 - self.width;
        let mask = 0xff_u8.checked_shl(u32::try_from(spare).unwrap_or(0)).unwrap_or(0);
        for row in self.dots.chunks_exact_mut(self.width.div_ceil(8)) {
            if let Some(last) = row.last_mut() {
                *last &= mask;
            }
        }
    }
}

/// The next number of a header. Comments run from # to the end of the line.
fn number(mut bytes: &[u8]) -> Result<(usize, &[u8]), NotAPicture> {
    loop {
        bytes = bytes.trim_ascii_start();
        let Some(comment) = bytes.strip_prefix(b"#") else { break };
        let end = comment.iter().position(|byte| *byte == b'\n').unwrap_or(comment.len());
        bytes = &comment[end..];
    }
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    let (digits, rest) = bytes.split_at(end);
    let digits = std::str::from_utf8(digits).map_err(|_| NotAPicture::NotPbm)?;
    let number = digits.parse::<u16>().map_err(|_| NotAPicture::NotPbm)?;
    Ok((usize::from(number), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(file: &[u8]) -> Vec<Vec<u8>> {
        Picture::from_pbm(file).unwrap().rows().map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn both_kinds_of_bitmap_are_read() {
        let expected = vec![vec![0b1010_0000, 0b0100_0000], vec![0b0000_0000, 0b1100_0000]];
        assert_eq!(rows(b"P1\n# a comment\n10 2\n1010000001\n0 0 0 0 0 0 0 0 1 1\n"), expected);
        assert_eq!(rows(b"P4 10\n# x\n2\n\xa0\x7f\x00\xff"), expected, "what is behind is cut off");
    }

    #[test]
    fn what_is_no_picture_for_a_receipt_is_said_to_be_so() {
        let refusal = |file: &[u8]| Picture::from_pbm(file).unwrap_err();
        for file in
            [&b""[..], b"\x89PNG\r\n", b"P5 1 1 255 \0", b"P1 x", b"P4 99999 1 ", b"P1 1 1 2"]
        {
            assert_eq!(refusal(file), NotAPicture::NotPbm, "{file:?}");
        }
        for file in [&b"P1 2 1 1"[..], b"P4 8 1", b"P4 8 2 \xff"] {
            assert_eq!(refusal(file), NotAPicture::Short, "{file:?}");
        }
        assert_eq!(refusal(b"P4 577 1 "), NotAPicture::Size(577, 1));
        assert_eq!(refusal(b"P1 1 0 "), NotAPicture::Size(1, 0));
        assert_eq!(refusal(b"P1 577 1 "), NotAPicture::Size(577, 1));
    }

    #[test]
    fn a_dot_outside_is_nowhere() {
        let mut picture = Picture::white(9, 2);
        for (x, y) in [(9, 0), (15, 1), (0, 2), (usize::MAX, 0)] {
            picture.blacken(x, y);
        }
        assert_eq!(picture, Picture::white(9, 2));
        picture.blacken(8, 1);
        assert_eq!(picture.rows().next_back(), Some(&[0, 0x80][..]));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            head in "P[14]( |#|\n|[0-9]{1,4}){0,8}",
            rest in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            if let Ok(picture) = Picture::from_pbm(&[head.as_bytes(), &rest].concat()) {
                prop_assert_eq!(picture.rows().len(), picture.height());
            }
        }
    }
}
