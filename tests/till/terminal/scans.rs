//! Scans that are typed, queue up, or come in pieces: none operates the till.

use super::*;

#[test]
fn a_burst_of_keys_is_a_scan_and_everything_else_is_typed() {
    let shop = shop(PACE);
    let (mut session, _scanner) = open(&shop);
    session.press("55555");
    session.press("\r");
    session.see(&["Charge ￥55,555.00?"]);
    session.press(ESC);
    session.see_that("the question goes", |screen| !screen.contains("Charge ￥"));
    session.press(ESC);
    session.see(&["Enter the amount."]);
    session.burst("111111111111");
    session.see(&["did not end with Enter", "Enter the amount."]);
    session.type_scan("12.34");
    session.see(&["The scan could not be read.", "Enter the amount."]);
    session.type_scan(&code("ok", 1));
    session.see(&["That was a WeChat payment code.", "Enter the amount first"]);
    assert!(shop.ledger().is_empty() && shop.orders().is_empty());
    session.press("12.34\r");
    session.see(ASKS_FOR_CODE);
    session.type_scan(&code("password", 2));
    session.see(IS_PAID);
    close(&shop, session);
}

/// A machine that draws slowly must not take a pause in the middle of a scan for its end.
#[test]
fn bursts_that_queue_up_are_still_scans() {
    let shop = shop(PACE);
    let (mut session, _scanner) = open(&shop);
    for _ in 0..10 {
        session.burst("6901234567892\r");
        std::thread::sleep(BETWEEN_SCANS);
    }
    session.burst("4006381333931\r");
    session.see(&["product barcode (4006381333931)", "Enter the amount."]);
    let tape = session.tape();
    assert!(!tape.contains("did not end with Enter"), "a scan was torn");
    close(&shop, session);
}

/// What a typing scanner did to a till: it discarded a sale, charged another amount, and answered
/// questions.
#[test]
fn the_customers_code_does_not_operate_the_till() {
    let shop = shop(2);
    let (mut session, mut scanner) = open(&shop);
    let paying = code("ok", 1);
    let attack = format!("\x1b0.01\r{paying}");
    let scans = [attack.as_str(), "\r0.01\r", "6901234567892\r", "\x11\r", "712", "\x1bOq\x1bOM"];
    session.press("88\r");
    session.see(ASKS_FOR_CODE);
    for scan in scans {
        session.type_scan(scan);
        session.see_that("the sale stays", |screen| screen.contains("READY"));
    }
    session.see(&["READY", "Scan the customer's payment code."]);
    assert!(shop.ledger().is_empty() && shop.orders().is_empty());
    session.type_scan(&code("walks-away", 2));
    session.see(IS_WAITING);
    session.press(ESC);
    session.see(&["Cancel this payment?"]);
    for scan in scans {
        session.type_scan(scan);
    }
    session.see(&["WAITING FOR CUSTOMER", "Cancel this payment?"]);
    session.press(CTRL_Q);
    session.press(ESC);
    session.see_that("the question goes", |screen| !screen.contains("Cancel this payment?"));
    session.see(IS_REVERSED);
    for scan in scans {
        session.type_scan(scan);
    }
    session.see(&["REVERSED", "Nothing was sent."]);
    scanner.scan("6901234567892");
    session.see(&["REVERSED", "product barcode"]);
    let ledger = shop.ledger();
    assert_eq!((ledger.len(), ledger[0].amount.minor()), (1, 8800), "{ledger:?}");
    session.press("\r");
    session.see(&["Enter the amount."]);
    close(&shop, session);
}

/// As programs do it: an amount in one write, and the code as soon as the till asks for it.
#[test]
fn a_program_types_amounts_and_codes_in_one_go() {
    let shop = shop(PACE);
    let (mut session, _scanner) = open(&shop);
    session.burst("12.50\r");
    session.see(ASKS_FOR_CODE);
    session.burst(&format!("{}\r", code("ok", 1)));
    session.see(IS_PAID);
    session.burst("\r");
    session.see(&["Enter the amount."]);
    session.burst("2000\r");
    session.see(&["Charge ￥2,000.00?"]);
    session.answer("\r");
    session.see(ASKS_FOR_CODE);
    session.burst(&format!("{}\r", code("ok", 2)));
    session.see(IS_PAID);
    let net: Vec<_> = shop.ledger().iter().map(|entry| entry.net().minor()).collect();
    assert_eq!(net, [1250, 200_000]);
    close(&shop, session);
}

#[test]
fn a_scan_in_pieces_changes_no_amount_and_wipes_no_result() {
    let shop = shop(PACE);
    let (mut session, mut scanner) = open(&shop);
    session.press("5.00");
    session.type_scan_cut("1", BETWEEN_SCANS, "34567890123456789\r");
    session.see(&["The amount was restored", "That was a WeChat payment code."]);
    session.type_scan_cut("6", HELD_BACK, "901234567892\r");
    session.see(&["The amount was restored", "product barcode (6901234567892)"]);
    session.press("\r");
    session.see(ASKS_FOR_CODE);
    scanner.scan(&code("ok", 1));
    session.see(IS_PAID);
    session.type_scan_cut("123456789012345", HELD_BACK, "712\r");
    session.see(&["That was a WeChat payment code.", "Nothing was sent.", "PAID"]);
    // A payment code is one in pieces too.
    session.press("\r");
    session.see(&["Enter the amount."]);
    session.press("3\r");
    session.see(ASKS_FOR_CODE);
    let whole = code("ok", 2);
    session.type_scan_cut(&whole[..7], HELD_BACK, &format!("{}\r", &whole[7..]));
    session.see(IS_PAID);
    let ledger = shop.ledger();
    let net: Vec<_> = ledger.iter().map(|entry| entry.net().minor()).collect();
    assert_eq!(net, [500, 300], "{ledger:?}");
    close(&shop, session);
}

/// A slow line may cut a key anywhere, and somebody may have left the keypad in another mode.
#[test]
fn keys_that_are_cut_and_a_keypad_in_application_mode_work() {
    let shop = shop(PACE);
    let (mut session, _scanner) = open(&shop);
    for digit in ["\x1bOq", "\x1bOr", "\x1bOn", "\x1bOu"] {
        session.press(digit);
    }
    session.press("\x1bOM");
    session.see(ASKS_FOR_CODE);
    for key in [["\x1b", "[20~"], ["\x1b[", "15~"], ["\x1b", "OH"], ["\x1bO", "R"]] {
        session.press(key[0]);
        std::thread::sleep(HELD_BACK);
        session.burst(key[1]);
    }
    session.see(ASKS_FOR_CODE);
    session.press("\x1b");
    std::thread::sleep(HELD_BACK);
    session.burst("OP");
    session.see(&["Esc Close"]);
    session.press(ESC);
    session.see(ASKS_FOR_CODE);
    session.press(ESC);
    session.see(&["Enter the amount."]);
    close(&shop, session);
}
