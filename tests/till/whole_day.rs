//! The money of one day with the real binary: from the float to the next day's bill.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::cash::{Desk, json, minor, without_drawer};
use crate::fixture::code;
use crate::fixture::fake_printer::FakePrinter;
use crate::fixture::tui_session::{ESC, F6, F10, TuiSession};
use crate::paper::Printout;
use crate::reconcile::{Shop, rows};
use crate::refund::{given, next_refund, recovered, refund};

/// What a printer emulator reads on the paper.
fn lines(printer: &FakePrinter) -> Vec<String> {
    let read = Printout::read(&without_drawer(&printer.paper()));
    read.map(|all| all.lines().map(str::to_owned).collect()).unwrap_or_default()
}

fn count(printer: &FakePrinter, words: &str) -> usize {
    lines(printer).iter().filter(|line| line.contains(words)).count()
}

/// The lines of each Z report on the paper, but for what marks a copy.
fn z_reports(printer: &FakePrinter) -> Vec<Vec<String>> {
    let all = lines(printer);
    let starts = all.iter().enumerate().filter(|(_, line)| line.contains("Z 报表 第 1 号"));
    let whole = |(at, _): (usize, &String)| {
        let end = all[at..].iter().position(|line| line.starts_with("长短款")).unwrap();
        let kept = all[at..=at + end].iter();
        kept.filter(|line| !line.contains("补打") && !line.contains("COPY")).cloned().collect()
    };
    starts.map(whole).collect()
}

/// Sends a refund, and is killed before its answer is there; its number. A minute lies between two.
fn killed_once_it_is_sent(desk: &Desk, order: &str) -> String {
    loop {
        let mut process = desk
            .shop
            .command(&["refund", order, "--reason", "cold", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let sent = lines.map_while(Result::ok).find(|line| line.contains("\"sent\""));
        process.kill().unwrap();
        process.wait().unwrap();
        if let Some(sent) = sent {
            let sent: Value = serde_json::from_str(&sent).unwrap();
            return sent["refund_no"].as_str().unwrap().to_owned();
        }
    }
}

/// The next day's bill, and the same with one line, that of this order, not as it was.
fn reconciled(books: &Shop, rest: &str) {
    let ran = books.json(&[]);
    assert_eq!((ran.exit, ran.lines.len()), (0, 1), "{ran:?}");
    for (name, value) in [("matched", 2), ("paid", 4234), ("refunds", 2), ("refunded", 1234)] {
        assert_eq!(ran.lines[0][name], value, "{name}: {ran:?}");
    }
    let good = rows(&books.bill());
    let at = good.iter().position(|row| row.contains(rest)).unwrap();
    let named = |kind: &str, number: &str| (13, vec![[kind.to_owned(), number.to_owned()]]);
    assert_eq!(books.of_rows(&good), (0, vec![]));
    let with = |row: String| [&good[..at], &[row], &good[at + 1..]].concat();
    let changed = with(good[at].replace("`30.00", "`30.01"));
    assert_eq!(books.of_rows(&changed), named("amount", rest));
    let missing = [&good[..at], &good[at + 1..]].concat();
    assert_eq!(books.of_rows(&missing), named("only_here", rest));
    let strange = format!("{}999999", &rest[..rest.len() - 6]);
    let added = [&good[..], &[good[at].replace(rest, &strange)]].concat();
    assert_eq!(books.of_rows(&added), named("only_in_bill", &strange));
    let doubled = [&good[..], &[good[at].clone()]].concat();
    assert_eq!(books.of_rows(&doubled), named("amount", rest));
}

#[test]
fn from_the_float_to_the_bill_everything_adds_up() {
    let Shop { shop, day } = Shop::open();
    let mut desk = Desk::of(shop, "zh-CN");
    desk.session.see(&["请输入金额。", "打印机 就绪", "扫码枪 就绪"]);
    // The shift is opened.
    desk.session.press(F10);
    desk.session.see(&["X 报表", "开班"]);
    desk.session.answer("\r");
    desk.session.see(&["请输入钱箱内备用金"]);
    desk.session.press("200");
    desk.session.answer("\r");
    desk.session.see(&["X 报表", "备用金", "200.00"]);
    desk.session.press(ESC);
    desk.session.see(&["请输入金额。"]);
    // A sale by code.
    desk.session.press("12.34");
    desk.session.press("\r");
    desk.session.see(&["请扫顾客的付款码。"]);
    desk.scanner.scan(&code("ok", 1));
    desk.session.see(&["支付成功", "已收款。"]);
    desk.session.watch_until("its receipt", || count(&desk.printer, "支付成功") == 1);
    desk.session.press("\r");
    // One in cash and by code: one receipt, of the whole.
    desk.session.press("80");
    desk.session.press(F6);
    desk.session.see(&["应收：￥80.00"]);
    desk.session.press("50");
    desk.session.answer("\r");
    desk.session.see(&["这笔 ￥80.00 中已收现金 ￥50.00。"]);
    desk.drawer_opens(1);
    desk.scanner.scan(&code("ok", 2));
    desk.session.see(&["支付成功", "已收款。"]);
    desk.session.watch_until("one receipt", || count(&desk.printer, "支付成功") == 2);
    let receipts = lines(&desk.printer);
    let tenders = |line: &&String| ["现金 ", "微信支付 "].iter().any(|of| line.starts_with(of));
    let tenders: Vec<String> = receipts
        .iter()
        .filter(tenders)
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(tenders, ["现金 ￥50.00", "微信支付 ￥30.00"], "{receipts:?}");
    assert!(receipts.contains(&"￥80.00".to_owned()), "{receipts:?}");
    assert!(!receipts.iter().any(|line| line.starts_with("余款待付")), "{receipts:?}");
    desk.leave();
    // The first goes back in two parts, and the till is killed as the second is under way.
    let orders = desk.shop.orders();
    let of = |amount: i64| {
        orders.iter().find(|(_, order)| order["amount"] == amount).unwrap().0.to_owned()
    };
    let (first, rest) = (of(1234), of(3000));
    assert_eq!(refund(&desk.shop, &[&first, "5"]).exit, 0);
    // The last digits will do, as everywhere.
    let more = next_refund(&desk.shop, &[&first[first.len() - 6..], "7.35"]);
    assert_eq!((more.exit, &more.last()["reason"]["code"]), (10, &"more_than_left".into()));
    let why = more.last()["reason"]["text"].as_str().unwrap();
    assert!(why.contains("CNY 7.34"), "{why}");
    assert_eq!(given(&desk.shop, &first), (500, 1));
    let number = killed_once_it_is_sent(&desk, &first);
    let shown = recovered(&desk.shop, &first);
    let refunds = shown["refunds"].as_array().unwrap();
    assert_eq!((refunds.len(), &refunds[1]["refund_no"]), (2, &number.into()), "{shown}");
    assert_eq!((&shown["refunded"], &shown["refund_state"]), (&1234.into(), &"fully".into()));
    assert_eq!(given(&desk.shop, &first), (1234, 2), "each once");
    // The drawer is counted blind, and the shift closed.
    desk.session = TuiSession::open(&desk.shop);
    desk.session.see(&["请输入金额。", "打印机 就绪"]);
    desk.session.press(F10);
    desk.session.see(&["X 报表", "交班"]);
    desk.session.answer("\r");
    desk.session.see(&["请清点钱箱并输入现金总额"]);
    assert!(!desk.session.look().contains("250.00"));
    desk.session.press("249.5");
    desk.session.press("\r");
    desk.session.see(&["实点现金 ￥249.50，确认交班？"]);
    desk.session.answer("\r");
    desk.session.see(&["Z 报表 第 1 号", "应有现金", "250.00", "长短款", "-0.50"]);
    desk.session.watch_until("the report on paper", || count(&desk.printer, "长短款") == 1);
    desk.leave();
    let z = json(&desk.shop, &["shift", "z", "1", "--json"]);
    for (path, value) in [
        ("/sales/count", 2),
        ("/sales/amount", 9234),
        ("/by_tender/cash/amount", 5000),
        ("/refunds/count", 2),
        ("/refunds/amount", 1234),
        ("/cash/expected", 25_000),
        ("/cash/difference", -50),
    ] {
        assert_eq!(minor(&z, path), value, "{path}: {z}");
    }
    assert_eq!(count(&desk.printer, "补打"), 0);
    let again = desk.shop.run(&["shift", "z", "1", "--print"]);
    assert!(again.status.success(), "{again:?}");
    assert!(count(&desk.printer, "补打") > 0 && count(&desk.printer, "COPY") > 0, "a copy");
    let printed = z_reports(&desk.printer);
    assert!(printed.len() == 2 && printed[0] == printed[1], "{printed:?}");
    reconciled(&Shop { shop: desk.shop, day }, &rest);
}
