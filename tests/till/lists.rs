//! What `orders` and `show` print for people, and the receipt of `pay`.

use unicode_width::UnicodeWidthStr;

use crate::fixture::{Ran, TestShop, code};
use crate::paper::Printout;

const PACE: u32 = 30;

fn said(shop: &TestShop, arguments: &[&str]) -> String {
    let ran = shop.run(arguments);
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn a_receipt_is_drawn_into_a_file_for_whoever_wants_none_on_paper() {
    let shop = TestShop::open(None, PACE);
    let paid = shop.pay("12.50", &code("ok", 1)).last()["order_no"].as_str().unwrap().to_owned();
    let declined = shop.pay("3.00", &code("notenough", 2));
    let declined = declined.last()["order_no"].as_str().unwrap();
    let file = shop.path().join("receipt.png");
    let name = file.to_str().unwrap();
    let made = shop.run(&["show", &paid, "--receipt", name]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let rights = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
    assert_eq!(rights & 0o777, 0o600);
    let png = std::fs::read(&file).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
    let mut dots = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut dots).unwrap();
    assert_eq!((info.width, info.bit_depth), (576 + 48, png::BitDepth::One));
    let black = dots.iter().map(|byte| byte.count_zeros()).sum::<u32>();
    assert!((20_000..120_000).contains(&black), "{black} of {} dots", dots.len() * 8);
    // Nothing is replaced, and of what has no slip none is drawn.
    let again = shop.run(&["show", &paid, "--receipt", name]);
    assert_eq!((again.status.code(), std::fs::read(&file).unwrap()), (Some(2), png), "{again:?}");
    let other = shop.path().join("other.png");
    let none = shop.run(&["show", declined, "--receipt", other.to_str().unwrap()]);
    assert_eq!((none.status.code(), other.exists()), (Some(2), false), "{none:?}");
    // A refund has a slip of its own, by its number.
    let refund = shop.run(&["refund", &paid, "2.50", "--reason", "cold", "--json"]);
    let refund = Ran::of(refund).last()["refund_no"].as_str().unwrap().to_owned();
    let slip = shop.run(&["show", &refund, "--receipt", other.to_str().unwrap()]);
    assert_eq!(slip.status.code(), Some(0), "{slip:?}");
    assert!(said(&shop, &["show", &refund]).contains(&paid));
    let unknown = shop.run(&["show", &format!("{paid}R090000"), "--receipt", "no.png"]);
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
    // The journal knows nothing of it, and paper counts by itself.
    assert_eq!(shop.run(&["show", &paid, "--receipt", name, "--json"]).status.code(), Some(2));
}

#[test]
fn orders_are_in_columns_and_are_counted_and_summed() {
    let shop = TestShop::open(None, PACE);
    assert_eq!(shop.pay("1234.50", &code("ok", 1)).exit, 0);
    assert_eq!(shop.pay("8", &code("notenough", 2)).exit, 10);
    assert_eq!(shop.pay(".5", &code("ok", 3)).exit, 0);
    for (language, sum) in [
        ("en", "3 orders: PAID 2, CNY 1,235.00; NOT PAID 1, CNY 8.00"),
        ("zh-CN", "共 3 笔：支付成功 2 笔，CNY 1,235.00；支付失败 1 笔，CNY 8.00"),
    ] {
        let shown = said(&shop, &["orders", "--lang", language, "--day", "today"]);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines.len(), 4, "{shown}");
        assert_eq!(lines[3], sum);
        let before_number = |line: &&str| line[..line.find("T01").unwrap()].width();
        let first = before_number(&lines[0]);
        assert!(lines[..3].iter().all(|line| before_number(line) == first), "{shown}");
    }
    let none = shop.run(&["orders", "--day", "yesterday"]);
    assert!(none.stdout.is_empty() && none.status.code() == Some(0), "{none:?}");
}

#[test]
fn an_order_is_found_by_the_digits_that_the_screen_shows() {
    let shop = TestShop::open(None, PACE);
    let numbers: Vec<String> = (1..=2)
        .map(|serial| {
            let paid = shop.pay("1", &code("ok", serial));
            paid.last()["order_no"].as_str().unwrap().to_owned()
        })
        .collect();
    let whole = said(&shop, &["show", &numbers[0]]);
    assert_eq!(said(&shop, &["show", &numbers[0][numbers[0].len() - 6..]]), whole);
    let transaction = shop.orders()[&numbers[0]]["transaction_id"].as_str().unwrap().to_owned();
    let tail = &transaction[transaction.len() - 8..];
    assert!(said(&shop, &["show", &transaction]).contains(&numbers[0]));
    let shown = shop.run(&["show", tail]);
    let shown = [shown.stdout, shown.stderr].concat();
    assert!(String::from_utf8(shown).unwrap().contains(&numbers[0]));
    for unknown in ["0000000000", "99", "%%%%", "____"] {
        assert_eq!(shop.run(&["show", unknown]).status.code(), Some(2), "{unknown}");
    }
}

#[test]
fn a_payment_without_the_screen_prints_where_receipts_print_by_themselves() {
    for (auto, receipts) in [("true", 1), ("false", 0)] {
        let shop = TestShop::open(None, PACE);
        shop.configure(&format!(
            "[printer]\nkind = \"escpos-file\"\nport = \"receipts.bin\"\nauto_print = {auto}\n"
        ));
        assert_eq!(shop.pay("12.34", &code("notenough", 1)).exit, 10);
        assert_eq!(shop.pay("12.34", &code("ok", 2)).exit, 0);
        let bytes = std::fs::read(shop.path().join("receipts.bin")).unwrap_or_default();
        assert_eq!(bytes.is_empty(), receipts == 0, "{auto}");
        if receipts > 0 {
            Printout::read(&bytes).unwrap();
        }
    }
}
