//! A code in the cells of a terminal.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use unicode_width::UnicodeWidthStr as _;

/// White blocks on black, whatever the theme: what the blocks leave is dark. Any other colours, or
/// those of the terminal, may be the wrong way round for a phone.
const BLOCKS: Style = Style::new().fg(Color::Indexed(231)).bg(Color::Indexed(16));

/// Draws the lines of a code, centred in the area, and returns where.
pub(super) fn draw(lines: &[String], area: Rect, buffer: &mut Buffer) -> Rect {
    let size = |cells: usize| u16::try_from(cells).unwrap_or(u16::MAX);
    let width = size(lines.first().map_or(0, |line| line.width())).min(area.width);
    let height = size(lines.len()).min(area.height);
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    let place = Rect { x, y, width, height };
    for (row, line) in (place.top()..place.bottom()).zip(lines) {
        for (column, block) in (place.left()..place.right()).zip(line.chars()) {
            if let Some(cell) = buffer.cell_mut((column, row)) {
                cell.reset();
                cell.set_char(block).set_style(BLOCKS);
            }
        }
    }
    place
}
