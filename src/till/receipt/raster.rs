//! Pictures for an ESC/POS printer, sent by `GS v 0` in bands that fit the buffer of any printer
//! (devices 2.3).

use fast_qr::{ECL, QRBuilder};

use super::font::square;
use crate::picture::Picture;

/// Rows sent at once.
const BAND: usize = 24;
/// Bytes of the largest band on the widest paper, and so the most that a printer can still expect
/// of a picture that was cut off.
pub(super) const LARGEST_BAND: usize = BAND * 72;

/// Prints a picture with the current alignment. White rows above and below are fed, not sent.
pub(super) fn put(bytes: &mut Vec<u8>, picture: &Picture) {
    let is_white = |row: &&[u8]| row.iter().all(|byte| *byte == 0);
    let rows: Vec<&[u8]> = picture.rows().collect();
    let above = rows.iter().take_while(|row| is_white(row)).count();
    let below = rows[above..].iter().rev().take_while(|row| is_white(row)).count();
    feed(bytes, above);
    for band in rows[above..rows.len() - below].chunks(BAND) {
        put_band(bytes, band);
    }
    feed(bytes, below);
}

fn put_band(bytes: &mut Vec<u8>, rows: &[&[u8]]) {
    let across = rows.first().map_or(0, |row| row.len());
    let (Ok(across), Ok(down)) = (u16::try_from(across), u16::try_from(rows.len())) else { return };
    bytes.extend(b"\x1dv0\0");
    bytes.extend(across.to_le_bytes());
    bytes.extend(down.to_le_bytes());
    let start = bytes.len();
    bytes.extend(rows.concat());
    silence(&mut bytes[start..]);
}

/// Printers obey `DLE EOT`, `DLE ENQ` and `DLE DC4` anywhere, even inside a picture, so one white
/// dot turns black.
fn silence(data: &mut [u8]) {
    for at in 1..data.len() {
        if data[at - 1] == 0x10 && matches!(data[at], 0x04 | 0x05 | 0x14) {
            data[at - 1] |= 0x08;
        }
    }
}

/// Feeds this many white rows.
pub(super) fn feed(bytes: &mut Vec<u8>, mut rows: usize) {
    while rows > 0 {
        let now = u8::try_from(rows).unwrap_or(u8::MAX);
        bytes.extend([0x1b, b'J', now]);
        rows -= usize::from(now);
    }
}

/// A QR code of level M with `module` dots per module, without its margin: the paper is white
/// anyway.
pub(super) fn qr(content: &str, module: usize) -> Option<Picture> {
    let code = QRBuilder::new(content).ecl(ECL::M).build().ok()?;
    let mut picture = Picture::white(code.size * module, code.size * module);
    for (x, y) in square(code.size).filter(|(x, y)| code[*y][*x].value()) {
        for (right, down) in square(module) {
            picture.blacken(x * module + right, y * module + down);
        }
    }
    Some(picture)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::paper::{Printed, Printout};
    use super::*;

    /// The rows on paper, padded to `width` bytes.
    fn printed(bytes: &[u8], width: usize) -> Vec<Vec<u8>> {
        let printout = Printout::read(&[b"\x1b@", bytes].concat()).unwrap();
        let rows = printout.0.into_iter().flat_map(|printed| match printed {
            Printed::FeedRows(count) => vec![vec![0; width]; usize::from(count)],
            Printed::Rows { mut rows, .. } => {
                for row in &mut rows {
                    row.resize(width, 0);
                }
                rows
            }
            other => panic!("{other:?}"),
        });
        rows.collect()
    }

    fn picture(width: usize, rows: &[Vec<u8>]) -> Picture {
        let file = [format!("P4 {width} {} ", rows.len()).as_bytes(), &rows.concat()].concat();
        Picture::from_pbm(&file).unwrap()
    }

    #[test]
    fn white_is_fed_and_not_sent() {
        let mut bytes = Vec::new();
        let mut dot = Picture::white(16, 300);
        dot.blacken(9, 270);
        put(&mut bytes, &dot);
        assert_eq!(bytes, b"\x1bJ\xff\x1bJ\x0f\x1dv0\0\x02\0\x01\0\0\x40\x1bJ\x1d");
        bytes.clear();
        put(&mut bytes, &Picture::white(576, 40));
        assert_eq!(bytes, b"\x1bJ\x28");
    }

    #[test]
    fn a_command_in_a_picture_loses_its_meaning_by_one_dot() {
        for (sent, drawn) in [
            ([0x10, 0x04, 0x01], [0x18, 0x04, 0x01]),
            ([0x10, 0x05, 0x02], [0x18, 0x05, 0x02]),
            ([0x10, 0x14, 0x01], [0x18, 0x14, 0x01]),
            ([0x10, 0x10, 0x04], [0x10, 0x18, 0x04]),
            ([0x10, 0x03, 0x04], [0x10, 0x03, 0x04]),
        ] {
            let mut bytes = Vec::new();
            put(&mut bytes, &picture(24, &[sent.to_vec()]));
            assert_eq!(bytes[8..], drawn, "{sent:x?}");
        }
        // Even across the end of a row.
        let mut bytes = Vec::new();
        put(&mut bytes, &picture(8, &[vec![0x10], vec![0x14]]));
        assert_eq!(bytes[8..], [0x18, 0x14]);
    }

    proptest! {
        #[test]
        fn a_picture_comes_out_as_it_is(
            rows in prop::collection::vec(prop::collection::vec(0x20..=0xff_u8, 3), 1..80),
            above in 0..300_usize,
        ) {
            let mut all = vec![vec![0; 3]; above];
            all.extend(rows);
            let mut bytes = Vec::new();
            put(&mut bytes, &picture(24, &all));
            prop_assert_eq!(printed(&bytes, 3), all);
        }

        #[test]
        fn no_picture_commands_the_printer(
            rows in prop::collection::vec(
                prop::collection::vec(prop::sample::select(vec![0_u8, 1, 4, 5, 0x10, 0x14]), 4), 1..60),
        ) {
            let mut bytes = Vec::new();
            put(&mut bytes, &picture(32, &rows));
            let is_command = |two: &[u8]| two[0] == 0x10 && [4, 5, 0x14].contains(&two[1]);
            prop_assert!(!bytes.windows(2).any(is_command));
        }
    }
}
