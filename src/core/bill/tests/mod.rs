//! Bills of every form, whole and broken.

mod against;
mod forms;
mod made;

use std::convert::Infallible;
use std::io::{Read, Write as _};

use proptest::prelude::*;

use super::*;
use crate::clean::is_unsafe;
use crate::money::{Currency, Money};
use crate::order::Merchant;
use made::{Bill, Form, MERCHANT, day, merchant, paid, refund};

fn expected() -> Expected {
    Expected { merchant: merchant(), day: day() }
}

/// What a row says, without its borrowed texts.
type Taken = (RowKind, String, i64, i64, String);

fn taken(row: &Row<'_>) -> Taken {
    (row.kind, row.order_no.to_string(), row.amount.minor(), row.refund.minor(), row.fee.show())
}

fn all_for(input: impl Read, expected: &Expected) -> Result<(Extent, Vec<Taken>), Fault> {
    let mut rows = Vec::new();
    let read = read(input, expected, |row| {
        rows.push(taken(row));
        Ok::<_, Infallible>(())
    });
    match read {
        Ok(extent) => Ok((extent, rows)),
        Err(Failure::Fault(fault)) => Err(fault),
        Err(Failure::Io(error)) => panic!("{error}"),
        Err(Failure::Stopped(never)) => match never {},
    }
}

fn all(bill: impl AsRef<[u8]>) -> Result<(Extent, Vec<Taken>), Fault> {
    all_for(bill.as_ref(), &expected())
}

/// Gives out a few bytes at a time.
struct Dripping<'a>(&'a [u8], usize);

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.1.min(self.0.len()).min(buffer.len());
        let (now, later) = self.0.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.0 = later;
        Ok(length)
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn two() -> Bill {
    Bill::new(vec![paid("T01112212030189345607", 1234), paid("T02112212040189345608", 500)])
}

#[test]
fn a_bill_is_read_whole_in_pieces_and_compressed() {
    let text = two().text(Form::All);
    let (extent, rows) = all(&text).unwrap();
    assert_eq!(extent, Extent { rows: 2, of_others: 0 });
    assert_eq!(rows[0], (RowKind::Paid, "T01112212030189345607".into(), 1234, 0, "0.07".into()));
    let zipped = gzip(text.as_bytes());
    assert_eq!(all(&zipped).unwrap().1, rows);
    for bytes in [text.as_bytes(), &zipped] {
        for piece in [1, 2, 7, 1000] {
            assert_eq!(all_for(Dripping(bytes, piece), &expected()).unwrap().1, rows);
        }
    }
}

#[test]
fn a_mark_at_the_beginning_line_ends_of_either_kind_and_blank_lines_say_nothing() {
    let plain = two().text(Form::All);
    let rows = all(&plain).unwrap();
    for changed in [
        format!("\u{feff}{plain}"),
        plain.replace('\n', "\r\n"),
        plain.replace('\n', "\r\n\r\n"),
        format!("\n\n{plain}\n\n \n"),
        plain.trim_end().to_owned(),
    ] {
        assert_eq!(all(&changed).unwrap(), rows, "{changed:?}");
    }
}

#[test]
fn names_may_hold_anything() {
    for name in
        ["tea, milk", "tea,`milk", "\"tea\"", "茶\n奶", "a`b", "=1+1", ",", "`", "总交易单数"]
    {
        let mut bill = two();
        bill.rows[0].name = name.to_owned();
        let rows = all(bill.text(Form::All));
        assert_eq!(rows, all(two().text(Form::All)), "{name:?}");
    }
}

#[test]
fn a_bill_that_is_cut_anywhere_is_not_taken() {
    let text = two().text(Form::All);
    let text = text.trim_end();
    for end in 1..text.len() {
        let Some(cut) = text.get(..end) else { continue };
        match all(cut) {
            // Zeros at the very end say nothing.
            Ok(read) => assert!(end > text.len() - 4 && Ok(read) == all(text), "{end}"),
            Err(Fault::Truncated { .. } | Fault::Row { .. }) => {}
            Err(fault) if end > text.len() - 10 || !cut.contains('\n') => drop(fault),
            Err(fault) => panic!("{end}: {fault:?}"),
        }
    }
    let zipped = gzip(text.as_bytes());
    for cut in 2..zipped.len() {
        let fault = all(&zipped[..cut]).err();
        assert!(matches!(fault, Some(Fault::Truncated { .. } | Fault::Empty)), "{cut}: {fault:?}");
    }
}

#[test]
fn compressed_bytes_that_were_changed_are_not_taken() {
    let text = two().text(Form::All);
    let zipped = gzip(text.as_bytes());
    // The head's time and system say nothing of the content.
    for at in 10..zipped.len() {
        let mut bytes = zipped.clone();
        bytes[at] ^= 0x10;
        let read = all(&bytes);
        assert!(read.is_err() || read == all(&text), "{at}: {read:?}");
    }
    let mut twice = gzip(text.as_bytes());
    twice.extend(b"and more");
    assert!(all(&twice).is_err());
}

#[test]
fn what_is_no_bill_is_named_for_what_it_is() {
    let page = "<!DOCTYPE html><html><title>Free Wi-Fi</title><p>Please log in</p></html>";
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend("交易时间".encode_utf16().flat_map(u16::to_le_bytes));
    let funds = "记账时间,微信支付业务单号,资金流水单号\n`2026-11-22 12:00:00,`1,`2\n";
    for (bytes, fault) in [
        (Vec::new(), Fault::Empty),
        (b" \n\r\n".to_vec(), Fault::Empty),
        (page.into(), Fault::Page("Free Wi-Fi Please log in".into())),
        (page.replace('>', ">\r\n").into(), Fault::Page("Free Wi-Fi Please log in".into())),
        (b"<xml><return_code>FAIL</return_code></xml>".to_vec(), Fault::Message),
        (b"PK\x03\x04rest".to_vec(), Fault::Archive),
        (utf16, Fault::NotUtf8 { line: 1 }),
        (b"\xbd\xbb\xd2\xd7,\xc9\xcc".to_vec(), Fault::NotUtf8 { line: 1 }),
        (funds.into(), Fault::FundFlow),
        (b"a\x1b[2J,b,c\n1,2,3".to_vec(), Fault::NotABill("a[2J,b,c".into())),
        ("交易时间,商户号\n".into(), Fault::MissingColumn("商户订单号")),
        (vec![b'x'; 100_000], Fault::TooLong { line: 1 }),
    ] {
        assert_eq!(all(&bytes).err(), Some(fault));
    }
}

#[test]
fn a_row_that_cannot_be_is_named_by_line_column_and_value() {
    let good = two().text(Form::All);
    for (from, to, column) in [
        ("`12.34,`0.00,`0", "`12.345,`0.00,`0", "应结订单金额"),
        ("`12.34,`0.00,`0", "`1O.00,`0.00,`0", "应结订单金额"),
        ("`SUCCESS", "`MAYBE\u{1b}[2J", "交易状态"),
        ("`CNY", "`ABC", "货币种类"),
        ("`2026-11-22 12:03:01", "`2026-11-32 12:03:01", "交易时间"),
        ("`2026-11-22 12:03:01", "`yesterday", "交易时间"),
        ("`T01112212030189345607", "`", "商户订单号"),
    ] {
        assert!(good.contains(from), "{from}");
        let fault = all(good.replacen(from, to, 1)).err();
        let Some(Fault::Row { line: 2, what: RowFault::Value { column: named, value } }) = fault
        else {
            panic!("{from} -> {to}: {fault:?}")
        };
        assert_eq!(named, column);
        assert!(!value.chars().any(is_unsafe), "{value:?}");
    }
    let short = good.replacen(",`CNY", "", 1);
    let short = short.replace("\n`2026-11-22 12:04:01", "\n\n`2026-11-22 12:04:01");
    let what = RowFault::Columns { found: 26, expected: 27 };
    assert_eq!(all(short).err(), Some(Fault::Row { line: 2, what }));
}

#[test]
fn totals_that_are_not_those_of_the_rows_are_named() {
    let text = two().text(Form::All);
    for (from, to, name) in [
        ("\n`2,`17.34", "\n`3,`17.34", "总交易单数"),
        ("\n`2,`17.34", "\n`2,`17.35", "应结订单总金额"),
        ("`17.34,`0.00\n", "`17.33,`0.00\n", "订单总金额"),
        ("`17.34,`0.00\n", "`17.34,`0.01\n", "申请退款总金额"),
        ("`0.10000,", "`0.11000,", "手续费总金额"),
    ] {
        assert!(text.contains(from), "{from} in {text}");
        let fault = all(text.replacen(from, to, 1)).err();
        let Some(Fault::Totals { name: named, .. }) = fault else { panic!("{to}: {fault:?}") };
        assert_eq!(named, name);
    }
    let lines: Vec<&str> = text.lines().collect();
    let doubled = [lines[0], lines[1], lines[1], lines[2], lines[3], lines[4]].join("\n");
    assert!(matches!(all(doubled).err(), Some(Fault::Totals { .. })));
    let missing = [lines[0], lines[2], lines[3], lines[4]].join("\n");
    assert!(matches!(all(missing).err(), Some(Fault::Totals { .. })));
    let more = format!("{text}{text}");
    assert_eq!(all(more).err(), Some(Fault::AfterTotals { line: 6 }));
}

#[test]
fn another_merchants_bill_and_another_days_are_named() {
    let text = two().text(Form::All);
    let theirs = text.replace(MERCHANT, "1900009999");
    let found = "1900009999".to_owned();
    assert_eq!(all(theirs).err(), Some(Fault::OtherMerchant { line: 2, found }));
    let theirs = text.replace("2026-11-22", "2026-11-21");
    let found = "2026-11-21".to_owned();
    assert_eq!(all(theirs).err(), Some(Fault::OtherDay { line: 2, found }));
    // One that the gateway has put on the other side of midnight is none.
    let late = text.replacen("2026-11-22 12:04:01", "2026-11-21 23:59:58", 1);
    assert_eq!(all(late), all(text));
}

#[test]
fn a_service_provider_sees_its_own_sub_merchant_alone() {
    let mut bill = two();
    bill.rows[0].sub_merchant = "1511458511".into();
    bill.rows[1].sub_merchant = "1511458512".into();
    let text = bill.text(Form::All);
    let merchant = Merchant { sub_mch_id: "1511458511".into(), ..merchant() };
    let expected = Expected { merchant, ..expected() };
    let (extent, rows) = all_for(text.as_bytes(), &expected).unwrap();
    assert_eq!((extent, rows.len()), (Extent { rows: 2, of_others: 1 }, 1));
    // A day on which it sold nothing is no other merchant's.
    let merchant = Merchant { sub_mch_id: "1511458599".into(), ..made::merchant() };
    let (extent, rows) = all_for(text.as_bytes(), &Expected { merchant, ..expected }).unwrap();
    assert_eq!((extent, rows.len()), (Extent { rows: 2, of_others: 2 }, 0));
    let merchant = Merchant { sub_mch_id: "1511458599".into(), ..made::merchant() };
    let expected = Expected { merchant, day: day() };
    let own = all_for(two().text(Form::All).as_bytes(), &expected);
    let found = String::new();
    assert_eq!(own.err(), Some(Fault::OtherMerchant { line: 2, found }));
    let found = "1511458511".to_owned();
    assert_eq!(all(text).err(), Some(Fault::OtherMerchant { line: 2, found }));
}

#[test]
fn an_empty_day_has_totals_too() {
    let text = Bill::new(Vec::new()).text(Form::All);
    assert_eq!(all(text).unwrap().0, Extent::default());
}

#[test]
fn what_inflates_without_end_is_stopped() {
    let line = vec![b'`'; 1 << 20];
    assert!(matches!(all(gzip(&line)).err(), Some(Fault::TooLong { .. })));
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        rows in prop::collection::vec(("[A-Za-z0-9_-]{6,32}", 1..=99_999_999_i64, "(?s).{0,12}", any::<bool>()), 0..20),
        crlf: bool,
        zipped: bool,
    ) {
        let rows = rows.into_iter().map(|(number, amount, name, back)| {
            let mut row = if back { refund(&number, "R1", amount) } else { paid(&number, amount) };
            // What a line begins with may be taken for a row.
            row.name = name.replace("\n`", " ").replace("\n总", " ");
            row
        });
        let bill = Bill::new(rows.collect());
        let wanted: Vec<(String, i64)> = bill.rows.iter().map(|row| (row.order_no.clone(), row.amount)).collect();
        let mut text = bill.text(Form::All);
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        let bytes = if zipped { gzip(text.as_bytes()) } else { text.into_bytes() };
        let (extent, rows) = all(&bytes).unwrap();
        prop_assert_eq!(extent.rows, wanted.len() as u64);
        let found: Vec<(String, i64)> = rows
            .into_iter()
            .map(|(kind, number, amount, refund, _)| {
                (number, if kind == RowKind::Paid { amount } else { refund })
            })
            .collect();
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = all(&bytes);
    }

    #[test]
    fn no_change_makes_it_panic_or_show_what_is_unsafe(at in 0..900_usize, new in any::<char>()) {
        let mut text: Vec<char> = two().text(Form::All).chars().collect();
        let at = at % text.len();
        text[at] = new;
        let text: String = text.into_iter().collect();
        if let Err(fault) = all(&text) {
            let said = match fault {
                Fault::Page(words) | Fault::NotABill(words) => words,
                Fault::Row { what: RowFault::Value { value, .. }, .. } => value,
                Fault::OtherMerchant { found, .. } | Fault::OtherDay { found, .. } => found,
                Fault::Totals { name, said, summed } => name + &said + &summed,
                _ => String::new(),
            };
            prop_assert!(!said.chars().any(is_unsafe), "{said:?}");
        }
    }
}
