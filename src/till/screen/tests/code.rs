//! A code of ours: how it comes to be, what is drawn and what an independent reader makes of it.

use ratatui::style::Color;

use super::*;
use crate::clock::Millis;
use crate::display::{SaleStage, View};
use crate::order::CodeUrl;
use crate::payment::Ending;
use crate::says::{Says, reason};
use crate::screen::Sound;
use crate::screen::model::Dialog;
use crate::text::screen::ScreenWords;

/// The cells of common terminal fonts, in dots.
pub(super) const CELLS: [(usize, usize); 3] = [(8, 16), (10, 20), (6, 13)];

pub(super) fn url() -> CodeUrl {
    of_length(49)
}

fn of_length(length: usize) -> CodeUrl {
    let usual = "weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00";
    let padded = usual.to_owned() + &"x".repeat(length.saturating_sub(usual.len()));
    CodeUrl::try_from(padded).unwrap()
}

/// How light a colour is. What is no fixed colour may be anything.
fn light(colour: Color) -> Option<u8> {
    match colour {
        Color::Indexed(index @ 232..) => Some(8 + 10 * (index - 232)),
        Color::Indexed(index @ 16..) => {
            let level = |part: u8| u32::from(part.min(1) * 55 + 40 * part);
            let index = index - 16;
            let [red, green, blue] = [index / 36, index / 6 % 6, index % 6].map(level);
            u8::try_from((299 * red + 587 * green + 114 * blue) / 1000).ok()
        }
        _ => None,
    }
}

/// The window as a picture in grey. Letters are half ink, half ground, in stripes.
fn picture(frame: &Buffer, (across, down): (usize, usize), unknown: u8) -> (usize, Vec<u8>) {
    let (width, height) = (usize::from(frame.area.width), usize::from(frame.area.height));
    let mut dots = vec![0; width * across * height * down];
    for (at, cell) in frame.content().iter().enumerate() {
        let [ink, ground] = [cell.fg, cell.bg].map(|colour| light(colour).unwrap_or(unknown));
        for (x, y) in (0..down).flat_map(|y| (0..across).map(move |x| (x, y))) {
            // With an odd height, the upper half has the smaller part.
            let is_upper = y < down / 2;
            let is_ink = match cell.symbol() {
                "█" => true,
                "▀" => is_upper,
                "▄" => !is_upper,
                " " => false,
                _ => x % 3 == 1 && y % 4 != 0,
            };
            let (column, row) = (at % width * across + x, at / width * down + y);
            dots[row * width * across + column] = if is_ink { ink } else { ground };
        }
    }
    (width * across, dots)
}

/// What a phone reads from the window.
pub(super) fn read(frame: &Buffer, cells: (usize, usize)) -> Option<String> {
    // A terminal's own colours are dark on light, or light on dark.
    let both = [0, 255].map(|unknown| {
        let (width, dots) = picture(frame, cells, unknown);
        let height = dots.len() / width;
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| dots[y * width + x]);
        let read = image.detect_grids().into_iter().find_map(|grid| grid.decode().ok());
        read.map(|(_, text)| text)
    });
    let [one, other] = both;
    (one == other).then_some(one)?
}

fn bench() -> ScreenBench {
    ScreenBench::new(settings())
}

fn frame(bench: &ScreenBench, width: u16, height: u16) -> Buffer {
    let mut frame = Buffer::empty(Rect::new(0, 0, width, height));
    view(&bench.model, &mut frame);
    frame
}

fn says(bench: &ScreenBench, words: &str) -> bool {
    packed(&bench.drawn(120, 40)).contains(&packed(words))
}

/// F4, and the till obeys.
fn order(bench: &mut ScreenBench) -> usize {
    let [ScreenCommand::OrderCode { sale }] = bench.key(Key::F(4))[..] else {
        panic!("no code was ordered:\n{}", bench.drawn(80, 24))
    };
    bench.obey_code(sale)
}

/// A code for this amount is shown.
fn showing(bench: &mut ScreenBench, amount: &str) -> usize {
    bench.type_text(amount);
    let index = order(bench);
    bench.wait(300);
    bench.answer(index, Says::Code(url()));
    index
}

fn shown() -> (ScreenBench, usize) {
    let mut bench = bench();
    let index = showing(&mut bench, "128.80");
    bench.wait(2_000);
    (bench, index)
}

/// The code at the desk, beside everything that can be in the way.
fn crowded() -> ScreenBench {
    let training = Some(vec!["Pays at once".to_owned()]);
    let mut bench = ScreenBench::new(Settings { training, ..settings() });
    for last in 1..5 {
        let index = bench.charge("12.5", last);
        bench.answer(index, Says::Paying);
        bench.key(Key::Ctrl('n'));
    }
    showing(&mut bench, "128.80");
    bench.later(0, 1_000);
    bench.answer(0, Says::Paid(proof()));
    bench.send(ScreenMessage::Scanned(Scan::OtherWallet(crate::scan::Wallet::Alipay)));
    bench
}

/// A customer scans while another one, at the password, waits.
pub(super) fn beside_a_payment() -> ScreenBench {
    let mut bench = bench();
    let index = bench.charge("12.5", 7);
    bench.answer(index, Says::Paying);
    bench.key(Key::Ctrl('n'));
    showing(&mut bench, "128.80");
    bench.wait(1_000);
    bench
}

#[test]
fn a_phone_reads_the_code_in_every_theme_window_and_font() {
    for (name, mut bench) in [("shown", shown().0), ("crowded", crowded())] {
        let check = |bench: &ScreenBench, (width, height), cells| {
            let frame = frame(bench, width, height);
            let read = read(&frame, cells);
            let text = as_text(&frame);
            let why = format!("{name} {width}x{height} {cells:?}\n{text}");
            assert_eq!(read.as_deref(), Some(url().as_str()), "{why}");
        };
        for theme in [Theme::Dark, Theme::Light, Theme::Contrast, Theme::Mono] {
            bench.model.settings.theme = theme;
            for (language, cells) in Language::ALL.into_iter().zip([CELLS[1], CELLS[2]]) {
                bench.model.language = language;
                check(&bench, (80, 24), CELLS[0]);
                check(&bench, (80, 24), cells);
            }
        }
        for size in [(80, 20), (100, 30), (120, 40), (200, 60)] {
            check(&bench, size, CELLS[2]);
        }
    }
}

#[test]
fn a_code_of_any_length_that_wechat_pay_documents_fits_80_by_24_whole() {
    for (length, fits) in
        [(49, true), (64, true), (84, true), (106, true), (107, false), (128, false)]
    {
        let mut bench = bench();
        bench.type_text("12.5");
        let index = order(&mut bench);
        bench.answer(index, Says::Code(of_length(length)));
        let read = read(&frame(&bench, 80, 24), CELLS[0]);
        assert_eq!(read, fits.then(|| of_length(length).as_str().to_owned()), "{length}");
        let picture = packed(&bench.drawn(80, 24));
        assert_eq!(picture.contains("Thecodedoesnotfit"), !fits, "{length}\n{picture}");
        assert!(picture.contains("WAITINGFORCUSTOMER") && picture.contains("validfor"));
        let needed = |width: usize, height: usize| format!("needsawindowof{width}x{height}");
        if length == 128 {
            assert!(picture.contains(&needed(86, 28)), "{picture}");
            let (width, height) = (86, 28);
            let read = self::read(&frame(&bench, width, height), CELLS[0]);
            assert_eq!(read.as_deref(), Some(of_length(length).as_str()), "as large as it says");
        }
    }
}

#[test]
fn a_terminal_that_cannot_draw_it_says_so_and_what_else_can_be_done() {
    let (mut bench, _) = shown();
    bench.model.draws_blocks(false);
    assert!(says(&bench, "This terminal cannot draw the code. Press F9 to print it"));
    bench.model.settings.printer_configured = false;
    assert!(says(&bench, "Let the customer scan it from their own screen."));
}

#[test]
fn nothing_is_shown_before_the_code_is_there_nor_after_it_was_given_up() {
    let mut bench = bench();
    bench.type_text("12.5");
    let index = order(&mut bench);
    let is_drawn = |bench: &ScreenBench| read(&frame(bench, 80, 24), CELLS[0]).is_some();
    assert!(!is_drawn(&bench) && says(&bench, "Ordering a code from WeChat Pay."));
    bench.answer(index, Says::Code(url()));
    assert!(is_drawn(&bench) && says(&bench, "code valid for 2:"));
    for covered in [Key::F(1), Key::Ctrl('p'), Key::F(7), Key::F(10)] {
        bench.key(covered);
        assert!(!is_drawn(&bench), "{covered:?}");
        assert!(says(&bench, "WAITING FOR CUSTOMER"));
        bench.key(Key::Esc);
    }
    bench.key(Key::Esc);
    assert!(is_drawn(&bench), "nothing has been decided");
    assert!(says(&bench, "Take this code away and close the order?"));
    assert!(says(&bench, "If the customer has paid by then, the payment counts."));
    bench.key(Key::Esc);
    bench.key(Key::Esc);
    assert_eq!(bench.key(Key::Enter), [ScreenCommand::Cancel(bench.order(index))]);
    // At once: the journal may take its time.
    assert!(!is_drawn(&bench));
    assert!(!matches!(bench.model.for_the_customer(), View::Sale { stage: SaleStage::Scan, .. }));
    bench.step(index, Event::Cancel);
    assert!(!is_drawn(&bench) && says(&bench, "The order is being closed."));
    for answer in [Says::NotPaid, Says::Accepted, Says::Ended(Ending::Closed)] {
        bench.answer(index, answer);
    }
    let picture = bench.drawn(80, 24);
    assert!(
        picture.contains("CLOSED") && says(&bench, "The customer was not charged."),
        "{picture}"
    );
    for wrong in ["REVERS", "revers", "returned"] {
        assert!(!picture.contains(wrong), "{picture}");
    }
    // The same sale may be charged again.
    assert!(bench.model.takes_codes().is_some());
    assert_eq!(bench.key(Key::F(4)).len(), 1);
}

#[test]
fn a_code_that_is_not_on_disk_is_not_shown() {
    let mut bench = bench();
    bench.type_text("12.5");
    let index = order(&mut bench);
    bench.unrecorded(index);
    bench.answer(index, Says::Code(url()));
    assert_eq!(read(&frame(&bench, 80, 24), CELLS[0]), None);
    assert!(!says(&bench, "Ask the customer to scan") && !says(&bench, "scans this code"));
    assert!(says(&bench, "Let nobody scan the code."));
    assert!(bench.model.code_for_the_customer().is_none());
}

#[test]
fn once_the_journal_has_failed_nobody_is_asked_to_scan() {
    let (mut bench, _) = shown();
    let amount = Money::from_minor(12_880);
    let sale = |stage| View::Sale { amount, stage };
    assert_eq!(bench.model.for_the_customer(), sale(SaleStage::Scan));
    bench.send(ScreenMessage::JournalFailed(crate::both!("no space", "磁盘已满")));
    assert_eq!(read(&frame(&bench, 80, 24), CELLS[0]), None);
    assert!(bench.model.code_for_the_customer().is_none());
    // They may have scanned it before.
    assert_eq!(bench.model.for_the_customer(), sale(SaleStage::Payment(Status::Attention)));
}

#[test]
fn f4_is_for_the_sale_at_the_desk_and_a_large_amount_is_asked_about() {
    let mut bench = bench();
    assert_eq!(bench.key(Key::F(4)), []);
    assert!(says(&bench, "Enter the amount first"));
    bench.type_text("2888");
    assert_eq!(bench.key(Key::F(4)), []);
    assert_eq!(bench.model.dialog, Some(Dialog::LargeCode(Money::from_minor(288_800))));
    let sale = SaleRef::New(Money::from_minor(288_800));
    assert_eq!(bench.key(Key::Enter), [ScreenCommand::OrderCode { sale }]);
    assert_eq!(bench.key(Key::F(4)), [], "it is being saved");
    let index = bench.obey_code(sale);
    assert_eq!(bench.key(Key::F(4)), []);
    bench.answer(index, Says::Code(url()));
    assert_eq!(bench.key(Key::F(4)), []);
    // While a payment code is asked for, too: nobody asks twice about the amount.
    bench.key(Key::Ctrl('n'));
    bench.type_text("2888");
    bench.key(Key::Enter);
    bench.key(Key::Enter);
    assert_eq!(bench.key(Key::F(4)), [ScreenCommand::OrderCode { sale }]);
    let mut bench = ScreenBench::new(Settings { shift_required: true, ..settings() });
    bench.type_text("8");
    assert_eq!(bench.key(Key::F(4)), []);
    assert!(says(&bench, "Open the shift first"));
}

#[test]
fn the_rest_of_a_sale_is_paid_by_our_code_and_no_more_than_that() {
    let mut bench = bench();
    let whole = SaleRef::New(Money::from_minor(8_000));
    bench.type_text("80");
    bench.key(Key::F(6));
    bench.type_text("50");
    bench.key(Key::Enter);
    bench.cash(whole, 5_000);
    let rest = SaleRef::Again(1, Money::from_minor(3_000));
    assert_eq!(bench.key(Key::F(4)), [ScreenCommand::OrderCode { sale: rest }]);
    let index = bench.obey_code(rest);
    bench.answer(index, Says::Code(url()));
    assert!(says(&bench, "WAITING FOR CUSTOMER") && bench.model.part_paid(1).is_some());
    bench.later(index, 4_000);
    bench.answer(index, Says::Paid(proof()));
    assert!(says(&bench, "PAID") && bench.model.part_paid.is_empty());
    assert_eq!(bench.model.figures().paid.total, Money::from_minor(8_000));
}

#[test]
fn no_scan_and_no_digit_does_anything_to_a_code() {
    let (mut bench, index) = shown();
    let count = bench.commands.len();
    assert_eq!(bench.scan(7), []);
    assert!(says(&bench, "press Ctrl-N for the next customer"));
    bench.type_text("134567890123456789");
    bench.key(Key::Enter);
    let scan = Scan::Payment(code(8));
    let began = Uptime(bench.now);
    bench.send(ScreenMessage::KeyScan { scan, text: raw(""), began, is_alone: true });
    assert_eq!((bench.commands.len(), bench.status(index)), (count, Status::Waiting));
    assert!(read(&frame(&bench, 80, 24), CELLS[0]).is_some());
}

#[test]
fn several_codes_and_a_payment_go_on_beside_each_other() {
    let mut bench = bench();
    let first = showing(&mut bench, "12");
    bench.key(Key::Ctrl('n'));
    let second = showing(&mut bench, "34");
    bench.key(Key::Ctrl('n'));
    let code = bench.charge("56", 3);
    bench.answer(code, Says::Paying);
    bench.key(Key::Ctrl('n'));
    let picture = bench.drawn(80, 24);
    for sum in ["￥12.00", "￥34.00", "￥56.00"] {
        let line = picture.lines().find(|line| line.contains(sum)).unwrap();
        assert!(line.contains("WAITING FOR CUSTOMER"), "{picture}");
        let ahead = if sum == "￥56.00" { "stops waiting in" } else { "code valid for 1:" };
        assert!(line.contains(ahead), "{picture}");
    }
    assert_eq!(bench.model.for_the_customer(), View::Welcome);
    bench.key(Key::Tab);
    assert!(bench.model.code_for_the_customer().is_none(), "it may only be passed");
    assert!(read(&frame(&bench, 80, 24), CELLS[0]).is_some(), "the oldest first");
    bench.key(Key::Tab);
    bench.wait(2_500);
    assert_eq!(bench.model.code_for_the_customer(), Some(&url()));
    let stage = SaleStage::Scan;
    let amount = Money::from_minor(3_400);
    assert_eq!(bench.model.for_the_customer(), View::Sale { amount, stage });
    // One of the tray is paid, then the one at the desk.
    bench.later(first, 3_000);
    bench.answer(first, Says::Paid(proof()));
    assert_eq!(bench.model.sound(), Sound::NotAtTheDesk);
    assert!(read(&frame(&bench, 80, 24), CELLS[0]).is_some());
    bench.later(second, 100);
    bench.answer(second, Says::Paid(proof()));
    assert_eq!(bench.model.sound(), Sound::Paid);
    let prints = |order: OutTradeNo| ScreenCommand::Print { out_trade_no: order, copy: false };
    for index in [first, second] {
        assert!(bench.commands.contains(&prints(bench.order(index))), "each has its receipt");
    }
    assert!(says(&bench, "PAID") && bench.model.code_for_the_customer().is_none());
}

#[test]
fn a_code_that_expires_is_closed_and_nothing_is_reversed() {
    let (mut bench, index) = shown();
    for _ in 0..400 {
        bench.later(index, 20_000);
        bench.answer_if_asked(index, Says::NotPaid);
        if bench.status(index) != Status::Waiting {
            break;
        }
    }
    assert!(says(&bench, "The code has expired; closing the order."));
    assert_eq!(read(&frame(&bench, 80, 24), CELLS[0]), None);
    for answer in [Says::Accepted, Says::Ended(Ending::Closed)] {
        bench.answer_if_asked(index, answer);
    }
    assert!(says(&bench, "Nobody paid before the code expired."), "{}", bench.drawn(120, 40));
    let sheet = bench.drawn(80, 24);
    assert!(sheet.contains("CLOSED") && !sheet.to_lowercase().contains("revers"), "{sheet}");
}

#[test]
fn a_payment_after_the_code_was_given_up_counts_and_says_so() {
    let (mut bench, index) = shown();
    bench.cancel(index);
    bench.answer(index, Says::NotPaid);
    bench.answer(index, Says::AlreadyPaid(reason("ORDERPAID")));
    for _ in 0..5 {
        bench.later(index, 5_000);
        bench.answer_if_asked(index, Says::Paid(proof()));
    }
    assert_eq!(bench.status(index), Status::Paid);
    assert!(says(&bench, "The customer paid after the code had been taken away."));
    assert!(says(&bench, "or refund the payment if nobody wants them any more."));
}

#[test]
fn a_bill_is_printed_while_its_code_can_be_scanned_and_is_no_receipt() {
    let (mut bench, index) = shown();
    let order = bench.order(index);
    assert_eq!(bench.key(Key::F(9)), [ScreenCommand::PrintBill(order.clone())]);
    let how = Some(Printing::Printed);
    bench.send(ScreenMessage::BillPrinted { out_trade_no: order.clone(), how });
    assert!(says(&bench, "The bill for ￥128.80 (order 345001) was printed."));
    assert_eq!(bench.model.missing_slips(), 0);
    bench.send(ScreenMessage::Printer(Link::Searching));
    bench.key(Key::F(9));
    assert!(says(&bench, "The bill for ￥128.80 (order 345001) is waiting for the printer."));
    let rings = bench.model.rings();
    bench.send(ScreenMessage::BillPrinted { out_trade_no: order, how: None });
    assert!(
        says(&bench, "is no longer valid: no bill was printed.") && bench.model.rings() > rings
    );
    bench.cancel(index);
    assert_eq!(bench.key(Key::F(9)), [], "neither a bill nor a receipt");
}

#[test]
fn after_a_restart_the_code_comes_back_with_tab_once_wechat_pay_has_answered() {
    let (bench, index) = shown();
    let mut view = bench.attempts[index].clone();
    let oldest = Millis::seconds(10);
    let _ = view.state.step(&Event::Restarted { oldest }, Millis::seconds(20), &Rules::default());
    let mut bench = self::bench();
    view.sent_at = Uptime(bench.now - 20_000);
    bench.attempts.push(view.clone());
    bench.calls.push(view.state.awaited());
    bench.send(ScreenMessage::Attempt(view, Event::Restarted { oldest }));
    assert!(says(&bench, "CHECKING"));
    bench.key(Key::Tab);
    assert_eq!(read(&frame(&bench, 80, 24), CELLS[0]), None);
    bench.later(0, 1_000);
    if bench.calls[0].is_none() {
        bench.calls[0] = bench.attempts[0].state.awaited();
    }
    bench.answer(0, Says::NotPaid);
    assert!(says(&bench, "WAITING FOR CUSTOMER"));
    assert!(read(&frame(&bench, 80, 24), CELLS[0]).is_some());
    bench.later(0, 3_000);
    bench.answer(0, Says::Paid(proof()));
    assert!(bench.commands.iter().any(|one| matches!(one, ScreenCommand::Print { .. })));
}

#[test]
fn a_code_in_the_journal_is_not_shown_before_it_has_been_asked_about() {
    let (bench, index) = shown();
    let view = bench.attempts[index].clone();
    let mut bench = self::bench();
    bench.model = Model::new(settings(), vec![view.clone()]);
    bench.key(Key::Tab);
    bench.wait(2_500);
    assert_eq!(read(&frame(&bench, 80, 24), CELLS[0]), None);
    assert_eq!(bench.model.code_for_the_customer(), None);
    bench.send(ScreenMessage::Attempt(view, Event::Tick));
    assert!(read(&frame(&bench, 80, 24), CELLS[0]).is_some());
}

#[test]
fn a_payment_that_ends_beside_a_code_is_named_whole() {
    let mut bench = ScreenBench::new(Settings { confirm_above: None, ..settings() });
    let index = bench.charge("9999999.99", 7);
    bench.answer(index, Says::Paying);
    bench.key(Key::Ctrl('n'));
    showing(&mut bench, "128.80");
    for answer in [Says::Failed(reason("NOTENOUGH")), Says::Accepted, Says::Ended(Ending::Revoked)]
    {
        bench.later(index, 6_000);
        bench.answer_if_asked(index, answer);
    }
    let tail = bench.order(index).tail().to_owned();
    let unread: Vec<_> = bench.model.unread().cloned().collect();
    assert_eq!(unread, [bench.order(index)], "{:?}", bench.status(index));
    for language in Language::ALL {
        bench.model.language = language;
        let words = ScreenWords::of(language);
        let word = words.word(bench.status(index));
        let picture = bench.drawn(80, 24);
        for part in [word, "￥9,999,999.99", &words.order(&tail)] {
            assert!(packed(&picture).contains(&packed(part)), "{part}\n{picture}");
        }
        assert!(read(&frame(&bench, 80, 24), CELLS[0]).is_some());
    }
}

#[test]
fn pictures_of_a_code() {
    let (mut bench, index) = shown();
    pictures("our_code", &mut bench);
    for (language, tag) in [(Language::English, "en"), (Language::Chinese, "zh")] {
        bench.model.language = language;
        for (width, height) in [(80, 20), (60, 20), (40, 10)] {
            let picture = bench.drawn(width, height);
            insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(format!("our_code_{tag}_{width}x{height}"), picture);
            });
        }
    }
    bench.key(Key::Esc);
    pictures("our_code_question", &mut bench);
    bench.key(Key::Enter);
    bench.step(index, Event::Cancel);
    pictures("our_code_closing", &mut bench);
    for answer in [Says::NotPaid, Says::Accepted, Says::Ended(Ending::Closed)] {
        bench.answer(index, answer);
    }
    pictures("our_code_closed", &mut bench);
    pictures("our_code_crowded", &mut crowded());
    let mut bench = self::bench();
    bench.type_text("12.5");
    order(&mut bench);
    pictures("our_code_ordered", &mut bench);
}
