//! Pictures of the screens for people: real frames, kept in `assets/`, some of them on the project's
//! front page.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::drawn::{beside_others, waiting};
use super::find::shown_with_verdict;
use super::*;
use crate::display::{SaleStage, Told, View};
use crate::screen::{CustomerViewSettings, customer_view};

/// Dots of a cell.
const ACROSS: usize = 10;
const DOWN: usize = 20;

/// A day with many sales behind it.
fn busy_day() -> Vec<DayOrder> {
    let order = |tail: u32| {
        let status = match tail {
            7 | 31 | 52 => Status::Declined,
            18 => Status::Reversed,
            _ => Status::Paid,
        };
        let amount = Money::from_minor(i64::from(tail * 7919 % 4_200 + 350));
        DayOrder { out_trade_no: number(tail), status, is_open: false, amount }
    };
    (1..=64).map(order).collect()
}

fn of_the_till(mut bench: ScreenBench, language: Language, [width, height]: [u16; 2]) -> Buffer {
    bench.model.language = language;
    bench.model.settings.time_zone = TimeZone::fixed(jiff::tz::offset(8));
    let mut frame = Buffer::empty(Rect::new(0, 0, width, height));
    view(&bench.model, &mut frame);
    frame
}

fn of_the_customer(status: Option<Status>, language: Language) -> Buffer {
    let Settings { store, currency, theme, .. } = settings();
    let settings = CustomerViewSettings {
        store,
        currency,
        language,
        theme,
        draws_chinese: true,
        draws_blocks: true,
    };
    let stage = status.map_or(SaleStage::Code, SaleStage::Payment);
    let view = View::Sale { amount: Money::from_minor(12_880), stage };
    let mut frame = Buffer::empty(Rect::new(0, 0, 120, 40));
    customer_view(&settings, Some(&Told { view, ..Told::default() }), &mut frame);
    frame
}

fn typing() -> ScreenBench {
    let mut bench = beside_others();
    bench.key(Key::Esc);
    bench.type_text("1288.5");
    bench
}

/// In a large window, with the figures of the day.
fn paid() -> ScreenBench {
    let (mut bench, index) = waiting();
    let date = *bench.days.last().unwrap();
    bench.send(ScreenMessage::DayRead { date, orders: Some(busy_day()) });
    bench.later(index, 3_500);
    bench.answer(index, Says::Paid(proof()));
    bench.send(ScreenMessage::Printed { out_trade_no: bench.order(index), how: Printing::Printed });
    bench
}

fn waiting_beside_the_tray() -> ScreenBench {
    let mut bench = beside_others();
    bench.key(Key::Esc);
    let index = bench.charge("128.80", 11);
    bench.wait(900);
    bench.answer(index, Says::Paying);
    bench.later(index, 4_200);
    bench.answer(index, Says::Paying);
    bench.wait(1_500);
    bench
}

const SMALL: [u16; 2] = [80, 24];
const LARGE: [u16; 2] = [120, 40];

/// Each picture by its name.
fn pictures_of_all() -> Vec<(&'static str, &'static str, Buffer)> {
    use Language::{Chinese, English};
    let till = of_the_till;
    vec![
        (
            "screen",
            "The till waits for a customer to enter the password; others go on in the tray",
            till(waiting_beside_the_tray(), English, SMALL),
        ),
        (
            "screen.zh",
            "收银机等待顾客输入密码，其他未完成的支付留在上方",
            till(waiting_beside_the_tray(), Chinese, SMALL),
        ),
        (
            "code",
            "The customer scans the till's code; another payment goes on above",
            till(code::beside_a_payment(), English, SMALL),
        ),
        ("amount", "An amount is typed", till(typing(), English, SMALL)),
        ("paid", "A payment is paid; beside it the day", till(paid(), English, LARGE)),
        ("paid.zh", "支付成功，旁边是今日合计", till(paid(), Chinese, LARGE)),
        (
            "find",
            "An order that a customer asks about, with WeChat Pay's answer",
            till(shown_with_verdict(), English, SMALL),
        ),
        (
            "find.zh",
            "顾客询问的订单和微信支付的查询结果",
            till(shown_with_verdict(), Chinese, SMALL),
        ),
        (
            "customer-view",
            "The customer's screen asks for the payment code",
            of_the_customer(None, English),
        ),
        ("customer-view.zh", "顾客屏幕：请出示付款码", of_the_customer(None, Chinese)),
        (
            "customer-view-paid",
            "The customer's screen says that it is paid",
            of_the_customer(Some(Status::Paid), Chinese),
        ),
    ]
}

#[test]
fn the_pictures_show_the_screens_as_they_are() {
    let renews = std::env::var_os("PAYTILL_RENEW").is_some();
    for (name, title, frame) in pictures_of_all() {
        let path = format!("{}/assets/{name}.svg", env!("CARGO_MANIFEST_DIR"));
        let now = svg(&frame, title);
        if renews {
            std::fs::write(&path, &now).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == now, "{path} is outdated; PAYTILL_RENEW=1 in the environment renews it");
    }
}

fn svg(frame: &Buffer, title: &str) -> String {
    let ground = frame[(0, 0)].bg;
    let fill = rgb(ground);
    let width = usize::from(frame.area.width) * ACROSS + 20;
    let height = usize::from(frame.area.height) * DOWN + 20;
    let mut lines = vec![
        format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 -10 {width} {height}""#),
        r#" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace">"#.into(),
        format!("<title>{title}</title>"),
        format!(
            r#"<rect x="-10" y="-10" width="{width}" height="{height}" rx="8" fill="{fill}"/>"#
        ),
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
        "═" => line(1, format!("{x} {}h{width}m0 4h-{width}", low - 2)),
        "║" => line(1, format!("{} {y}v20m4 0v-20", middle - 2)),
        "╔" => {
            line(1, format!("{} {}v-12h7M{} {}v-8h3", middle - 2, y + DOWN, middle + 2, y + DOWN))
        }
        "╗" => line(1, format!("{x} {}h7v12M{x} {}h3v8", low - 2, low + 2)),
        "╚" => line(1, format!("{} {y}v12h7M{} {y}v8h3", middle - 2, middle + 2)),
        "╝" => line(1, format!("{x} {}h7v-12M{x} {}h3v-8", low + 2, low - 2)),
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
