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
pub(super) const fn of(status: Status) -> &'static Bitmap {
    match status {
        Status::Created => &VIEWFINDER,
        Status::Sent => &ARROW_UP,
        Status::Waiting => &PHONE,
        Status::Checking => &MAGNIFIER,
        Status::Reversing => &GOING_BACK,
        Status::Paid => &CHECK_MARK,
        Status::Declined => &CROSS,
        Status::Closed => &CODE_GONE,
        Status::Reversed => &WENT_BACK,
        Status::Attention => &WARNING,
    }
}

/// Draws the dots from the area's upper left corner, clipped to the area: a square of `times` by
/// `times` for each.
pub(super) fn draw(bitmap: &Bitmap, times: u16, area: Rect, style: Style, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    let times = usize::from(times.max(1));
    let dot = |column: usize, row: usize| {
        bitmap.get(row / times)?.as_bytes().get(column / times).map(|dot| *dot == b'#')
    };
    for (row, y) in (area.top()..area.bottom()).enumerate() {
        for (column, x) in (area.left()..area.right()).enumerate() {
            let Some(upper) = dot(column, 2 * row) else { break };
            let symbol = match (upper, dot(column, 2 * row + 1) == Some(true)) {
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
    "..########..",
    "..#......#..",
    "..#......#..",
    "..#......#..",
    "..#......#..",
    "..#......#..",
    "..########..",
    "..###..###..",
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
/// Three corners of a QR code, and none inside.
const CODE_GONE: [&str; 10] = [
    "####....####",
    "#..#....#..#",
    "#..#....#..#",
    "####....####",
    "............",
    "............",
    "####........",
    "#..#........",
    "#..#........",
    "####........",
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

pub(super) const PADLOCK: [&str; 10] = [
    "....####....",
    "...##..##...",
    "..##....##..",
    "..##....##..",
    ".##########.",
    ".##########.",
    ".####..####.",
    ".####..####.",
    ".##########.",
    ".##########.",
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
        let shapes: Vec<_> = Status::ALL
            .map(of)
            .into_iter()
            .chain([&NO_ENTRY[..], &QUESTION[..], &PADLOCK[..]])
            .collect();
        for (index, shape) in shapes.iter().enumerate() {
            assert_eq!(shape.len(), usize::from(SHAPE_HEIGHT) * 2);
            assert!(shape.iter().all(|row| row.len() == usize::from(SHAPE_WIDTH)));
            assert!(!shapes[..index].contains(shape), "{index}");
        }
    }
}
