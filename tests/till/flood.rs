//! A scanner that sends anything at all while a payment is open: keys still work, none of it
//! reaches the terminal unescaped, and the payment ends correctly.

use crate::fixture::tui_session::{CTRL_L, CTRL_Q, TuiSession};
use crate::fixture::{TestShop, code, in_lanes};

const LANES: usize = 6;
const MEBIBYTE: usize = 1 << 20;
/// Part of every flood, and must never come out.
const MARK: &str = "BREAKOUT";

fn floods() -> Vec<(&'static str, Vec<u8>)> {
    let mut random = fastrand::Rng::with_seed(3);
    let many = |unit: &[u8]| unit.repeat(MEBIBYTE / unit.len());
    let garbage = (0..MEBIBYTE).map(|_| random.u8(..)).collect();
    let sequences = [
        format!("\x1b]0;{MARK}\x07\r"),
        format!("\x1b[2J\x1b[H\x1b[31m{MARK}\x1b[0m\r"),
        format!("\x1b]52;c;{MARK}\x1b\\\r\n"),
        format!("\x1bP{MARK}\x1b\\\x1b_{MARK}\x1b\\\r"),
        format!("\u{9b}31m{MARK}\u{85}\u{90}{MARK}\u{9c}\r"),
        format!("\x1b[?1049l\x1bc{MARK}\r"),
        format!("{MARK}\x08\x08\x08\x7f\x00\x0e\x0f\x05\r"),
        format!("\u{202e}{MARK}\u{2066}\u{200b}\r"),
    ]
    .concat();
    // Codes that are cut off or run into each other, and complete ones, as fast as the line accepts
    // them.
    let lines = |codes: Vec<String>| codes.join("\r") + "\r";
    let halves = (0..3000).map(|serial| code("ok", serial)[..serial % 18].to_owned());
    let halves = lines(halves.collect());
    let joined: String = (0..3000).map(|serial| code("ok", serial)).collect();
    let whole = lines((100..1100).map(|serial| code("ok", serial)).collect());
    let goods = format!("{}\r", "6901234567892\r".repeat(2000));
    vec![
        ("random bytes", garbage),
        ("NUL", many(&[0])),
        ("0xFF", many(&[0xff])),
        ("carriage returns", many(b"\r")),
        ("no end mark", many(b"1")),
        ("escape", many(b"\x1b")),
        ("sequences", many(sequences.as_bytes())),
        ("half codes", halves.into_bytes()),
        ("joined codes", joined.into_bytes()),
        ("codes in bursts", whole.into_bytes()),
        ("goods", goods.into_bytes()),
    ]
}

/// Only letters, and what the screen is drawn with.
fn assert_tame(tape: &str, what: &str) {
    assert!(!tape.contains(MARK), "{what}: its words are on the terminal");
    let mut letters = tape.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            // The keypad in its usual mode.
            '\x1b' if letters.next_if_eq(&'>').is_some() => {}
            '\x1b' => {
                assert_eq!(letters.next(), Some('['), "{what}: only CSI is used");
                let parameters: String =
                    std::iter::from_fn(|| letters.next_if(|next| !next.is_ascii_alphabetic()))
                        .collect();
                let last = letters.next().unwrap_or('m');
                // Where the cursor is, once.
                let known = (parameters == "6" && last == 'n')
                    || "Hmhlu".contains(last)
                    || matches!(last, 'J' | 'K' | 'A' | 'B' | 'C' | 'D');
                assert!(known, "{what}: CSI {parameters}{last}");
            }
            '\x07' | '\r' | '\n' => {}
            _ => assert!(!letter.is_control(), "{what}: {letter:?}"),
        }
    }
}

#[test]
fn whatever_a_scanner_sends_during_a_payment_changes_nothing() {
    let floods = floods();
    in_lanes(LANES, &floods, |(what, bytes)| {
        let shop = TestShop::open(None, 5);
        let (mut session, mut scanner) = TuiSession::open_waiting(&shop, &code("password-29", 1));
        // During the flood, keys work.
        std::thread::scope(|scope| {
            let flooding = scope.spawn(|| scanner.babble(bytes));
            let mut presses = 0;
            while presses < 2 || (presses < 12 && !flooding.is_finished()) {
                session.press(CTRL_L);
                // On a slow machine the payment may have ended meanwhile.
                session.see_that("another language", |screen| {
                    screen.contains("等待顾客输入密码") || screen.contains("支付成功")
                });
                session.press(CTRL_L);
                session.see_that("the first language", |screen| {
                    screen.contains("WAITING FOR CUSTOMER") || screen.contains("PAID")
                });
                presses += 2;
            }
            session.watch_until(&format!("the end of {what}"), || flooding.is_finished());
        });
        session.see(&["PAID", "Payment received"]);
        let ledger = shop.ledger();
        assert_eq!(ledger.len(), 1, "{what}: only the one payment: {ledger:?}");
        assert_eq!(ledger[0].net().minor(), 1234, "{what}");
        // And the scanner works again once it behaves.
        session.press("\r");
        session.see(&["Enter the amount."]);
        scanner.scan("6901234567892");
        session.see(&["product barcode (6901234567892)"]);
        session.press("5\r");
        session.see(&["Scan the customer's payment code."]);
        scanner.scan(&code("password-1", 7));
        session.see(&["PAID", "Payment received"]);
        session.press(CTRL_Q);
        assert_eq!(session.wait_for_end().exit_code(), 0, "{what}");
        assert!(session.is_given_back(), "{what}");
        assert_tame(&session.tape(), what);
        assert_eq!(shop.recover().exit, 0, "{what}");
        shop.assert_books_agree(true);
    });
    let bytes: usize = floods.iter().map(|(_, bytes)| bytes.len()).sum();
    println!("flood: {} kinds with {bytes} bytes, {0} payments right", floods.len());
}
