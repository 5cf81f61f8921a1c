//! Bills out of the gateway's books.

use std::convert::Infallible;

use super::*;
use crate::Bills;
use paytill_core::bill::{Expected, Failure, Fault, RowKind, read};
use paytill_core::gateway::wechat::v2::bill::Refusal;

/// When the bill of the first day is ready: 10:00 on the next, having begun at 11:30.
const MORNING: u64 = 22 * 3600 + 1800;

fn ask(desk: &mut Desk, date: &str, gzip: bool) -> Vec<u8> {
    let mut fields = request();
    fields.set("bill_date", date);
    if gzip {
        fields.set("tar_type", "GZIP");
    }
    match desk.send("/pay/downloadbill", fields).action {
        Action::Answer { status: 200, body } => body,
        other => panic!("{other:?}"),
    }
}

/// A row's kind, number and amounts.
type Read = (RowKind, String, i64, i64, String);

fn rows(bytes: &[u8]) -> Result<Vec<Read>, Fault> {
    let day = "2026-11-22".parse().unwrap();
    let expected = Expected { merchant: identity::merchant(), day };
    let mut rows = Vec::new();
    let result = read(bytes, &expected, |row| {
        let (amount, back) = (row.amount.minor(), row.refund.minor());
        rows.push((row.kind, row.order_no.to_string(), amount, back, row.fee.show()));
        Ok::<_, Infallible>(())
    });
    match result {
        Ok(_) => Ok(rows),
        Err(Failure::Fault(fault)) => Err(fault),
        Err(other) => panic!("{other:?}"),
    }
}

fn with_sales(bills: Bills) -> Desk {
    let mut desk = Desk::with(Script { bills, ..Script::default() }, 1);
    desk.submit("T01-000001", &Scenario::Pays.code(1));
    desk.submit("T01-000002", &named("notenough").code(2));
    desk.submit("T01-000003", &Scenario::Pays.code(3));
    desk.at(20).reverse("T01-000003");
    desk
}

#[test]
fn a_bill_has_what_was_paid_and_what_was_reversed() {
    let mut desk = with_sales(Bills::AtOnce);
    for gzip in [false, true] {
        let bill = ask(&mut desk, "20261122", gzip);
        let row = |kind, number: &str, amount, back, fee: &str| {
            (kind, number.to_owned(), amount, back, fee.to_owned())
        };
        assert_eq!(
            rows(&bill).unwrap(),
            [
                row(RowKind::Paid, "T01-000001", 1230, 0, "0.07"),
                row(RowKind::Paid, "T01-000003", 1230, 0, "0.07"),
                row(RowKind::Revoked, "T01-000003", 0, 1230, "-0.07"),
            ]
        );
    }
    let none = ask(&mut desk, "20261121", false);
    assert_eq!(Refusal::read(&none), Some(Refusal::NoBill));
}

#[test]
fn a_strict_gateway_gives_a_bill_in_the_morning() {
    let mut desk = with_sales(Bills::NextMorning);
    for (seconds, ready) in [(30, false), (MORNING - 1, false), (MORNING, true)] {
        let bill = ask(desk.at(seconds), "20261122", true);
        assert_eq!(Refusal::read(&bill) == Some(Refusal::Creating), !ready, "{seconds}");
        assert_eq!(rows(&bill).is_ok(), ready);
    }
}

#[test]
fn a_question_for_a_bill_is_checked() {
    let mut desk = with_sales(Bills::AtOnce);
    for date in ["", "2026-11-22", "20261332", "1"] {
        let refused = ask(&mut desk, date, false);
        let words = Refusal::Refused("data format error".into());
        assert_eq!(Refusal::read(&refused), Some(words), "{date}");
    }
    let mut unsigned = request();
    unsigned.set("bill_date", "20261122");
    let reaction = desk.post("/pay/downloadbill", unsigned.to_xml().as_bytes());
    let Action::Answer { body, .. } = reaction.action else { panic!() };
    assert!(matches!(Refusal::read(&body), Some(Refusal::Refused(_))));
}

#[test]
fn bills_can_be_spoilt() {
    let mut desk = with_sales(Bills::AtOnce);
    for (bills, gzip) in [
        (Bills::OtherMerchant, true),
        (Bills::OtherDay, true),
        (Bills::Truncated, true),
        (Bills::Truncated, false),
        (Bills::Page, true),
        (Bills::Creating, true),
        (Bills::Missing, true),
    ] {
        desk.bank.set_bills(bills);
        let fault = rows(&ask(&mut desk, "20261122", gzip)).err();
        let expected = match bills {
            Bills::OtherMerchant => matches!(fault, Some(Fault::OtherMerchant { .. })),
            Bills::OtherDay => matches!(fault, Some(Fault::OtherDay { .. })),
            Bills::Truncated => matches!(fault, Some(Fault::Truncated { .. })),
            Bills::Page => matches!(fault, Some(Fault::Page(_))),
            _ => fault == Some(Fault::Message),
        };
        assert!(expected, "{bills:?}: {fault:?}");
    }
}
