//! The amount stays where it is.

use super::*;

#[test]
fn the_amount_stands_still_from_typing_to_the_result() {
    for (width, height) in [(80, 24), (100, 30), (120, 40), (200, 60)] {
        let mut bench = bench();
        let all = |bench: &ScreenBench| -> Vec<(usize, String)> {
            let picture = bench.drawn(width, height);
            let rows = picture.lines().enumerate().skip(2);
            // Beside the shape, which is another for each state.
            let beside = if width == 200 { 32 } else { 20 };
            let blocks = |cell: &char| matches!(cell, '█' | '▀' | '▄' | ' ');
            let rows = rows.map(|(y, row)| {
                let row: String = row.chars().skip(beside).take_while(blocks).collect();
                (y, row.trim_end().to_owned())
            });
            rows.filter(|(_, row)| row.contains(['█', '▀'])).collect()
        };
        let digits = |bench: &ScreenBench| -> Vec<(usize, String)> {
            all(bench).into_iter().take(5).collect()
        };
        bench.type_text("12.50");
        let typed = digits(&bench);
        assert_eq!(typed.len(), 5);
        // A state has its word above them, perhaps in letters that are as large.
        let first = typed[0].0;
        let digits = |bench: &ScreenBench| {
            let mut rows = all(bench);
            rows.retain(|(y, _)| *y >= first);
            rows.truncate(5);
            rows
        };
        bench.key(Key::Enter);
        assert_eq!(digits(&bench), typed, "the code is asked for, {width}x{height}");
        let index = bench.begin(1);
        assert_eq!(digits(&bench), typed, "it is sent, {width}x{height}");
        bench.answer(index, Says::Paying);
        assert_eq!(digits(&bench), typed, "the customer is asked, {width}x{height}");
        bench.later(index, 5_000);
        bench.answer(index, Says::Paid(proof()));
        assert_eq!(digits(&bench), typed, "it is paid, {width}x{height}");
    }
}

#[test]
fn what_comes_above_the_page_does_not_move_the_amount_in_a_large_window() {
    let mut bench = ScreenBench::new(settings());
    bench.type_text("12.50");
    let row = |bench: &ScreenBench| {
        let picture = bench.drawn(200, 60);
        picture.lines().position(|line| line.contains("████    ████      ████")).unwrap()
    };
    let alone = row(&bench);
    bench.key(Key::Esc);
    let waits = bench.charge("3", 1);
    bench.answer(waits, Says::Paying);
    bench.key(Key::Ctrl('n'));
    bench.type_text("12.50");
    assert!(says(&bench, "WAITING FOR CUSTOMER"));
    assert_eq!(row(&bench), alone, "beside a tray");
    bench.later(waits, 5_000);
    bench.answer(waits, Says::Paid(proof()));
    assert!(says(&bench, "Enter: OK"));
    assert_eq!(row(&bench), alone, "below a notice");
}
