//! A catalogue from a table, and sales with lines on the screen: what is charged, written down and
//! printed is what was rung up, also after a kill.

use std::fs;
use std::process::Output;

use crate::fixture::tui_session::{CTRL_Q, DOWN, F2, F3, Socket, TuiSession};
use crate::fixture::{PACE, SERIAL_SCANNER, TestShop, code};

const COLA: &str = "6901234567892";
/// By 22CCCCCPPPPPK: product 123, 10.29.
const APPLES: &str = "2200123010292";

fn table(shop: &TestShop, bytes: &[u8]) -> Output {
    let file = shop.path().join("goods.csv");
    fs::write(&file, bytes).unwrap();
    shop.run(&["goods", "import", file.to_str().unwrap()])
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_table_is_taken_whole_or_every_bad_line_is_named() {
    let shop = TestShop::open(None, PACE);
    let good = "\u{feff}code,name,price,tax,unit\r\n6901234567892,=Cola,3.50,13%,\r\n";
    let ran = table(&shop, good.as_bytes());
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    assert!(words(&ran.stdout).contains("The catalogue has 1 products now."));
    let listed = || words(&shop.run(&["goods", "list", "--json"]).stdout);
    let before = listed();
    assert_eq!(
        before,
        "{\"code\":\"6901234567892\",\"name\":\"=Cola\",\"unit\":\"\",\"price\":350,\
         \"currency\":\"CNY\",\"rate\":1300}\n"
    );
    let bad = "code,name,price\n1,a,1\n1,again,1\n2,b,-1\n6901234567893,c,1\n3,\"d,1\n";
    let ran = table(&shop, bad.as_bytes());
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    let said = words(&ran.stderr);
    for reason in [
        "line 3: the code 1 is in line 2 already",
        "line 4: the price -1 is negative",
        "line 5: the check digit of 6901234567893 is wrong",
        "line 6: a quote is opened here and never closed",
        "nothing was imported: 4 lines are wrong",
    ] {
        assert!(said.contains(reason), "{reason}: {said}");
    }
    for other in [&b""[..], b"<html>", b"PK\x03\x04", b"code,name\n1,a\n", &[0x81; 9]] {
        assert_eq!(table(&shop, other).status.code(), Some(2));
    }
    assert_eq!(listed(), before, "nothing of them was taken");
    let doctor = words(&shop.run(&["doctor"]).stdout);
    assert!(doctor.contains("The catalogue has 1 products."), "{doctor}");
}

#[test]
fn what_is_rung_up_is_charged_written_down_and_printed() {
    let shop = TestShop::open(None, PACE);
    let more = "[printer]\nkind = \"escpos-file\"\nport = \"receipts.bin\"\n\
                [goods]\nin_store = [\"22CCCCCPPPPPK\"]\n";
    shop.configure(&format!("{SERIAL_SCANNER}{more}"));
    let mut scanner = Socket::new(&shop, "scanner").plug();
    let mut session = TuiSession::open(&shop);
    session.see(&["Enter the amount.", "Scanner ready"]);
    // Another code than the next one: the same again would be one that was left in view.
    scanner.scan("96385074");
    session.see(&["That was a product barcode (96385074)."]);
    // A till that runs sees an import at once.
    let goods = "条码,名称,价格,税率\n6901234567892,可口可乐,3.50,13\n123,苹果,12.80,9\n";
    assert_eq!(table(&shop, goods.as_bytes()).status.code(), Some(0));
    scanner.scan(COLA);
    session.see(&["可口可乐", "1 x 3.50", "lines: 1"]);
    scanner.scan("96385074");
    session.see(&["No product in the catalogue has the code 96385074."]);
    session.press("2*");
    session.see(&["2*_"]);
    scanner.scan(COLA);
    session.see(&["3 x 3.50", "10.50"]);
    scanner.scan(APPLES);
    session.see(&["苹果", "10.29", "lines: 2"]);
    session.press(F2);
    session.see(&["Type a part of the name", "2 found"]);
    session.press("kk");
    session.see(&["1 found"]);
    session.answer("\r");
    session.see(&["4 x 3.50", "14.00"]);
    // Another customer is served first, and the till is killed.
    session.press(F3);
    session.see(&["The sale of ￥24.29 is on hold."]);
    session.send(rustix::process::Signal::KILL);
    session.wait_for_end();
    let mut session = TuiSession::open(&shop);
    session.see(&["Enter the amount.", "Scanner ready"]);
    session.press(F3);
    // It is read beside the start.
    while session.look().contains("are still being read") {
        session.press(F3);
    }
    session.see(&["Sales on hold", "￥24.29", "lines: 2"]);
    session.answer("\r");
    session.see(&["4 x 3.50", "苹果"]);
    // A discount on the whole sale.
    session.press(DOWN);
    session.see(&["> Whole sale"]);
    session.press("-4.29");
    session.press("\r");
    session.see(&["-4.29"]);
    session.press("\r");
    session.see(&["READY", "Scan the customer's payment code."]);
    scanner.scan(&code("ok", 1));
    session.see(&["PAID"]);
    session.press(CTRL_Q);
    assert_eq!(session.wait_for_end().exit_code(), 0);

    let printed = fs::read(shop.path().join("receipts.bin")).unwrap();
    let (printed, ..) = encoding_rs::GB18030.decode(&printed);
    assert!(printed.contains("4 x 3.50") && printed.contains("可口可乐"), "{printed}");

    let number = shop.orders().into_keys().next().unwrap();
    let shown: serde_json::Value =
        serde_json::from_slice(&shop.run(&["show", &number, "--json"]).stdout).unwrap();
    let sale = &shown["sale"];
    assert_eq!(
        (&shown["amount"], &sale["due"], &sale["discount"]),
        (&2000.into(), &2000.into(), &429.into())
    );
    let of = |at: usize, field: &str| sale["lines"][at][field].clone();
    assert_eq!(
        (of(0, "name"), of(0, "quantity"), of(0, "gross")),
        ("可口可乐".into(), 4000.into(), 1400.into())
    );
    assert_eq!(
        (of(1, "code"), of(1, "price"), of(1, "rate")),
        ("123".into(), 1029.into(), 900.into())
    );
    let nets = of(0, "net").as_i64().unwrap() + of(1, "net").as_i64().unwrap();
    assert_eq!(nets, 2000);
    assert!(words(&shop.run(&["show", &number]).stdout).contains("可口可乐  4 x 3.50  14.00"));
    shop.assert_books_agree(true);
    // The shift tells them by rate of tax.
    let x: serde_json::Value =
        serde_json::from_slice(&shop.run(&["shift", "--json"]).stdout).unwrap();
    for (at, rate) in [(0, "13%"), (1, "9%")] {
        let told = &x["by_rate"][rate];
        assert_eq!((&told["sold"], &told["tax"]), (&of(at, "net"), &of(at, "tax")), "{x}");
    }
    assert_eq!((&x["discounts"]["amount"], &x["no_rate"]), (&429.into(), &0.into()));
    // The evidence holds them, and shows whether they were changed.
    let file = shop.path().join("evidence.json");
    let name = file.to_str().unwrap();
    assert_eq!(shop.run(&["evidence", &number, "--out", name]).status.code(), Some(0));
    assert_eq!(shop.run(&["evidence", "--verify", name]).status.code(), Some(0));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"goods\"") && text.contains("可口可乐"));
    fs::write(&file, text.replace("可口可乐", "百事可乐")).unwrap();
    assert_eq!(shop.run(&["evidence", "--verify", name]).status.code(), Some(5));
}
