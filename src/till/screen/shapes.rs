//! A shape for each status, recognisable from across the room and without colour. Drawn in half
//! blocks: two dots per cell, one above the other.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::payment::Status;

/// Rows of dots, all of one width; `#` is a dot.
pub(super) type Bitmap = [&'static str];

/// The size of a shape in cells.
pub(super) const SHAPE_WIDTH: u16 = 12;
pub(super) const SHAPE_HEIGHT: u16 = 5;

/// The shape of a status.
pub(super) fn of(status: Status) -> &'static Bitmap {
    match status {
        Status::Created => &VIEWFINDER,
        Status::Sent => &ARROW_UP,
        Status::Waiting => &PHONE,
        Status::Checking => &MAGNIFIER,
        Status::Reversing => &GOING_BACK,
        Status::Paid => &CHECK_MARK,
        Status::Declined => &CROSS,
        Status::Reversed => &WENT_BACK,
        Status::Attention => &WARNING,
    }
}

/// Draws the dots from the area's upper left corner, clipped to the area.
pub(super) fn draw(bitmap: &Bitmap, area: Rect, style: Style, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    for (y, rows) in (area.top()..area.bottom()).zip(bitmap.chunks(2)) {
        let lower = rows.get(1).copied().unwrap_or_default();
        let mut lower = lower.bytes();
        for (x, upper) in (area.left()..area.right()).zip(rows[0].bytes()) {
            let symbol = match (upper == b'#', lower.next() == Some(b'#')) {
                (true, true) => "█",
                (true, false) => "▀",
                (false, true) => "▄",
                (false, false) => continue,
            };
            buffer[(x, y)].set_symbol(symbol).set_style(style);
        }
    }
}

const VIEWFINDER: [&str; 10] = [
    "####....####",
    "##........##",
    "##........##",
    "............",
    ".##########.",
    ".##########.",
    "............",
    "##........##",
    "##........##",
    "####....####",
];
const ARROW_UP: [&str; 10] = [
    ".....##.....",
    "....####....",
    "...######...",
    "..########..",
    ".####..####.",
    ".....##.....",
    ".....##.....",
    ".....##.....",
    ".....##.....",
    ".....##.....",
];
const PHONE: [&str; 10] = [
    "..########..",
    ".##......##.",
    ".##......##.",
    ".##......##.",
    ".##.#..#.##.",
    ".##.#..#.##.",
    ".##......##.",
    ".##......##.",
    ".####..####.",
    "..########..",
];
const MAGNIFIER: [&str; 10] = [
    "..######....",
    ".##....##...",
    "##......##..",
    "##......##..",
    "##......##..",
    ".##....##...",
    "..########..",
    ".......####.",
    ".........###",
    "..........##",
];
const GOING_BACK: [&str; 10] = [
    "....##......",
    "..####......",
    "########.##.",
    "########.###",
    "..####....##",
    "....##......",
    "..........##",
    ".........###",
    "..##.###.##.",
    "..##.###....",
];
pub(super) const WENT_BACK: [&str; 10] = [
    "....##......",
    "..####......",
    "##########..",
    "###########.",
    "..####...###",
    "....##....##",
    "..........##",
    ".........###",
    "..#########.",
    "..########..",
];
pub(super) const CHECK_MARK: [&str; 10] = [
    "..........##",
    ".........###",
    "........###.",
    ".......###..",
    "##....###...",
    "###..###....",
    ".######.....",
    "..####......",
    "...##.......",
    "............",
];
pub(super) const CROSS: [&str; 10] = [
    ".##......##.",
    ".###....###.",
    "..###..###..",
    "...######...",
    "....####....",
    "....####....",
    "...######...",
    "..###..###..",
    ".###....###.",
    ".##......##.",
];
const WARNING: [&str; 10] = [
    ".....##.....",
    "....####....",
    "....####....",
    "...##..##...",
    "...##..##...",
    "..###..###..",
    "..###..###..",
    ".##########.",
    ".####..####.",
    "############",
];
pub(super) const NO_ENTRY: [&str; 10] = [
    "...######...",
    ".##########.",
    "############",
    "############",
    "##........##",
    "##........##",
    "############",
    "############",
    ".##########.",
    "...######...",
];

pub(super) const QUESTION: [&str; 10] = [
    "..########..",
    ".####..####.",
    ".###....###.",
    "........###.",
    "......####..",
    ".....###....",
    ".....###....",
    "............",
    ".....###....",
    ".....###....",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_shape_of_its_own_that_fits_its_cells() {
        let shapes: Vec<_> =
            Status::ALL.map(of).into_iter().chain([&NO_ENTRY[..], &QUESTION[..]]).collect();
        for (index, shape) in shapes.iter().enumerate() {
            assert_eq!(shape.len(), usize::from(SHAPE_HEIGHT) * 2);
            assert!(shape.iter().all(|row| row.len() == usize::from(SHAPE_WIDTH)));
            assert!(!shapes[..index].contains(shape), "{index}");
        }
    }
}
