//! The screen in ASCII, for terminals that draw lines and blocks two cells wide.

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr;

/// Replaces everything whose width is not the same in every terminal.
pub fn in_ascii(frame: &mut Buffer) {
    for cell in &mut frame.content {
        let symbol = cell.symbol();
        let is_drawing = symbol.starts_with(|mark| matches!(mark, '\u{2500}'..='\u{259f}'));
        if is_drawing || symbol.width() != symbol.width_cjk() {
            let plain = symbol.chars().next().map_or(' ', plain);
            cell.set_char(plain);
        }
    }
}

const fn plain(symbol: char) -> char {
    match symbol {
        '─' | '━' | '═' => '-',
        '│' | '┃' | '║' | '▌' | '▐' => '|',
        '┌'..='╬' | '╭'..='╰' => '+',
        '█' | '▇' | '▆' | '▅' | '■' => '#',
        '▀' => '"',
        '▄' | '▃' | '▂' | '▁' => '_',
        '●' | '◆' | '★' | '•' => '*',
        '…' | '·' | '░' | '▒' => '.',
        '→' | '▶' => '>',
        '←' => '<',
        '↑' => '^',
        '↓' => 'v',
        '“' | '”' => '"',
        '‘' | '’' => '\'',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn lines_blocks_and_quotes_have_one_width_everywhere_and_chinese_stays() {
        let mut frame = Buffer::empty(Rect::new(0, 0, 40, 1));
        frame.set_string(0, 0, "┌──┐│█▀▄│└━━┘ “付款码” ￥12.50 A…░", Style::default());
        in_ascii(&mut frame);
        let drawn: String = frame.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert!(drawn.starts_with("+--+|#\"_|+--+ \"付"), "{drawn}");
        assert!(drawn.contains("￥") && drawn.contains("12.50 A.."), "{drawn}");
        assert_eq!(drawn.width(), drawn.width_cjk());
    }
}
