//! The picture on the project's front page: a real frame, kept in `assets/screen.svg`.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::drawn::waiting;
use super::*;

/// Dots of a cell.
const ACROSS: usize = 10;
const DOWN: usize = 20;

#[test]
fn the_front_page_shows_the_screen_as_it_is() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/screen.svg");
    let (mut bench, _) = waiting();
    bench.model.settings.time_zone = TimeZone::fixed(jiff::tz::offset(8));
    let mut frame = Buffer::empty(Rect::new(0, 0, 80, 24));
    view(&bench.model, &mut frame);
    let now = svg(&frame);
    if std::env::var_os("PAYTILL_RENEW").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == now, "{path} is outdated; PAYTILL_RENEW=1 in the environment renews it");
}

fn svg(frame: &Buffer) -> String {
    let ground = frame[(0, 0)].bg;
    let fill = rgb(ground);
    let mut lines = vec![
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 -10 820 500""#.into(),
        r#" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace">"#.into(),
        "<title>The till waits for a customer to enter the password</title>".into(),
        format!(r#"<rect x="-10" y="-10" width="820" height="500" rx="8" fill="{fill}"/>"#),
    ];
    for (row, cells) in frame.content().chunks(frame.area.width.into()).enumerate() {
        let mut cells = cells.to_vec();
        for x in 1..cells.len() {
            if cells[x - 1].symbol().width() == 2 {
                cells[x] = cells[x - 1].clone();
                cells[x].set_symbol("");
            }
        }
        let (mut x, y) = (0, row * DOWN);
        for run in cells.chunk_by(|one, next| one.bg == next.bg && look(one) == look(next)) {
            let width = run.len() * ACROSS;
            let has_ground = run[0].bg != ground;
            lines.extend(has_ground.then(|| block(x, y, width, DOWN, &rgb(run[0].bg))));
            lines.extend(drawn(run, x, y));
            x += width;
        }
    }
    lines.join("\n") + "\n</svg>\n"
}

/// What neighbours must share to be drawn as one: letters of a width do, and equal shapes.
fn look(cell: &Cell) -> (Color, bool, &str) {
    let kind = match cell.symbol() {
        symbol if symbol == " " || is_shape(symbol) => symbol,
        letter => ["wide", "narrow"][usize::from(letter.width() == 1)],
    };
    (cell.fg, cell.modifier.contains(Modifier::BOLD), kind)
}

/// Lines and blocks: as text they would have gaps between them, in one font or another.
fn is_shape(symbol: &str) -> bool {
    symbol.starts_with(|first| ('\u{2500}'..='\u{259f}').contains(&first))
}

fn drawn(run: &[Cell], x: usize, y: usize) -> Option<String> {
    let (width, ink) = (run.len() * ACROSS, rgb(run[0].fg));
    let (middle, low) = (x + ACROSS / 2, y + DOWN / 2);
    let line = |strength, path| {
        format!(r#"<path d="M{path}" stroke="{ink}" stroke-width="{strength}" fill="none"/>"#)
    };
    Some(match run[0].symbol() {
        " " => return None,
        "█" => block(x, y, width, DOWN, &ink),
        "▀" => block(x, y, width, DOWN / 2, &ink),
        "▄" => block(x, low, width, DOWN / 2, &ink),
        "▌" => block(x, y, ACROSS / 2, DOWN, &ink),
        "─" => line(1, format!("{x} {low}h{width}")),
        "━" => line(3, format!("{x} {low}h{width}")),
        "│" => line(1, format!("{middle} {y}v20")),
        "╭" => line(1, format!("{middle} {}v-5q0-5 5-5", y + DOWN)),
        "╮" => line(1, format!("{x} {low}q5 0 5 5v5")),
        "╰" => line(1, format!("{middle} {y}v5q0 5 5 5")),
        "╯" => line(1, format!("{middle} {y}v5q0 5-5 5")),
        other if is_shape(other) => panic!("{other} has no shape yet"),
        _ => text(run, x, y + 15, width, &ink),
    })
}

/// Words, as wide as their cells in whatever font.
fn text(run: &[Cell], x: usize, y: usize, width: usize, ink: &str) -> String {
    let text: String = run.iter().map(Cell::symbol).collect();
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let bold = if look(&run[0]).1 { r#" font-weight="bold""# } else { "" };
    format!(r#"<text x="{x}" y="{y}" textLength="{width}" fill="{ink}"{bold}>{text}</text>"#)
}

fn block(x: usize, y: usize, width: usize, height: usize, ink: &str) -> String {
    let crisp = r#"shape-rendering="crispEdges""#;
    format!(r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{ink}" {crisp}/>"#)
}

/// The cube and the greys of the 256 colours, which are the same everywhere.
fn rgb(colour: Color) -> String {
    let Color::Indexed(index @ 16..) = colour else { panic!("no terminal agrees on {colour}") };
    let (cube, level) = (index - 16, |part: u8| part.min(1) * 55 + 40 * part);
    let [red, green, blue] = match index {
        232.. => [8 + 10 * (index - 232); 3],
        _ => [cube / 36, cube / 6 % 6, cube % 6].map(level),
    };
    format!("#{red:02x}{green:02x}{blue:02x}")
}
