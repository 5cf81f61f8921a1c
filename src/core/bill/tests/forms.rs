//! The column sets that were published, with values of the kind that stood in them.

use super::*;

fn on(day: &str, mch_id: &str) -> Expected {
    let merchant = Merchant { mch_id: mch_id.into(), ..merchant() };
    Expected { merchant, day: day.parse().unwrap() }
}

/// The sample of the oldest documentation: full-width marks in the names and times, and zeros with
/// any number of decimals.
#[test]
fn the_oldest_sample_is_read() {
    let text = "交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,\
        付款银行,货币种类,总金额,代金券或立减优惠金额,微信退款单号,商户退款单号,退款金额,\
        代金券或立减优惠退款金额，退款类型，退款状态,商品名称,商户数据包,手续费,费率\n\
        `2014-11-10 16：33：45,`wx2421b1c4370ec43b,`10000100,`0,`1000,`1001690740201411100005734289,\
        `1415640626,`085e9858e3ba5186aafcbaed1,`MICROPAY,`SUCCESS,`CFT,`CNY,`0.01,`0.0,`0,`0,`0,`0,`,`,\
        `被扫支付测试,`订单额外描述,`0,`0.60%\n\
        `2014-11-10 16：46：14,`wx2421b1c4370ec43b,`10000100,`0,`1000,`1002780740201411100005729794,\
        `1415635270,`085e9858e90ca40c0b5aee463,`MICROPAY,`SUCCESS,`CFT,`CNY,`0.01,`0.0,`0,`0,`0,`0,`,`,\
        `被扫支付测试,`订单额外描述,`0,`0.60%\n\
        总交易单数,总交易额,总退款金额,总代金券或立减优惠退款金额,手续费总金额\n\
        `2,`0.02,`0.0,`0.0,`0\n";
    let (extent, rows) = all_for(text.as_bytes(), &on("2014-11-10", "10000100")).unwrap();
    assert_eq!(extent.rows, 2);
    assert_eq!(rows[0], (RowKind::Paid, "1415640626".into(), 1, 0, "0.00".into()));
}

#[test]
fn every_form_gives_the_same_payments() {
    let bill = two();
    let rows = all(bill.text(Form::All)).unwrap().1;
    for form in [Form::Success, Form::OldAll] {
        assert_eq!(all(bill.text(form)).unwrap().1, rows, "{form:?}");
    }
}

#[test]
fn every_form_gives_the_same_refunds_and_their_own_day() {
    let bill = Bill::new(vec![refund("T01110212030189345607", "R01", 250)]);
    let rows = all(bill.text(Form::All)).unwrap().1;
    assert_eq!(rows, [(RowKind::Refund, "T01110212030189345607".into(), 0, 250, "-0.02".into())]);
    for form in [Form::Refund, Form::OldAll] {
        assert_eq!(all(bill.text(form)).unwrap().1, rows, "{form:?}");
    }
    let mut other = bill;
    other.rows[0].time = "2026-11-20 12:03:01".into();
    let fault = all(other.text(Form::Refund)).err();
    assert_eq!(fault, Some(Fault::OtherDay { line: 2, found: "2026-11-20".into() }));
}

#[test]
fn the_whole_amount_counts_and_not_what_is_settled_after_coupons() {
    let text = two().text(Form::All);
    let text = text.replacen("`12.34,`0.00,`0,", "`11.34,`1.00,`0,", 1);
    let text = text.replacen("\n`2,`17.34", "\n`2,`16.34", 1);
    assert_eq!(all(text).unwrap().1[0].2, 1234);
}

#[test]
fn what_goes_back_may_be_written_as_negative() {
    let bill = Bill::new(vec![refund("T01110212030189345607", "R01", 250)]);
    let text = bill.text(Form::All).replace("`2.50", "`-2.50");
    assert_eq!(all(text).unwrap().1[0].3, 250);
}

#[test]
fn columns_in_any_order_and_unknown_ones_are_read_by_name() {
    let text = "新列,商户订单号,交易状态,应结订单金额,微信订单号,商户号,交易时间\n\
                `?,`T01112212030189345607,`SUCCESS,`3,`4200,`1900000109,`2026-11-22 00:00:00\n\
                新合计,总交易单数\n`7,`1\n";
    let (_, rows) = all(text).unwrap();
    assert_eq!(rows, [(RowKind::Paid, "T01112212030189345607".into(), 300, 0, "0.00".into())]);
}

#[test]
fn a_row_has_all_that_the_comparison_needs() {
    let mut bill = Bill::new(vec![refund("T01110212030189345607", "R01", 250)]);
    bill.rows[0].refund_state = "CHANGE";
    let text = bill.text(Form::All);
    let mut seen = 0;
    let result = read(text.as_bytes(), &expected(), |row| {
        seen += 1;
        assert_eq!(row.line, 2);
        assert_eq!(row.refund_no, "R01");
        assert_eq!(row.refund_state, RefundState::Abnormal);
        assert_eq!(row.refund_settled, Money::from_minor(250));
        assert_eq!(row.transaction_id, "42T01110212030189345607");
        assert_eq!(row.sub_merchant, "");
        assert_eq!(row.currency, Currency::CNY);
        assert_eq!(row.at.timestamp().unwrap().to_beijing(), "20261122120301");
        assert_eq!(row.at.day(), Some(day()));
        Ok::<_, Infallible>(())
    });
    assert!(result.is_ok());
    assert_eq!(seen, 1);
}

#[test]
fn reversals_may_be_in_the_totals_or_not() {
    let number = "T01112212030189345607";
    let with = Bill::new(vec![paid(number, 1234), made::revoked(number, 1234)]);
    let without = Bill::new(vec![paid(number, 1234)]);
    let (with, without) = (with.text(Form::All), without.text(Form::All));
    assert_eq!(all(&with).unwrap().1.len(), 2);
    let lines: Vec<&str> = with.lines().collect();
    let totals: Vec<&str> = without.lines().skip(2).collect();
    let mixed = [&lines[..3], &totals[..]].concat().join("\n");
    assert_eq!(all(&mixed).unwrap().1.len(), 2);
    assert!(all(mixed.replace("\n`1,", "\n`3,")).is_err());
}

#[test]
fn a_bill_is_kept_for_three_months() {
    let day = |text: &str| text.parse::<Date>().unwrap();
    for (of, today, is_old) in [
        ("2026-08-30", "2026-11-30", false),
        ("2026-08-29", "2026-11-30", true),
        ("2026-02-28", "2026-05-31", false),
        ("2026-02-27", "2026-05-31", true),
        ("2025-11-30", "2026-11-30", true),
        ("2026-11-29", "2026-11-30", false),
    ] {
        assert_eq!(is_too_old(day(of), day(today)), is_old, "{of}");
    }
}

#[test]
fn a_row_is_told_to_a_till_and_read_there_as_it_was() {
    use crate::bill::{BeijingTime, Exact, RefundState, Row, RowKind};
    let row = Row {
        line: 7,
        kind: RowKind::Refund,
        at: BeijingTime::read("2026-11-22 12:03:01").unwrap(),
        sub_merchant: "".into(),
        transaction_id: "4200002345".into(),
        order_no: "T01112212030189345607".into(),
        currency: Currency::CNY,
        amount: Money::from_minor(1234),
        settled: Money::from_minor(1200),
        refund_no: "T01112212030189345607R1".into(),
        refund: Money::from_minor(500),
        refund_settled: Money::from_minor(480),
        refund_state: RefundState::Processing,
        fee: Exact::read("-0.03456").unwrap(),
    };
    let told = row.told();
    assert_eq!(Row::of_told(&told, 7), Some(row.clone()));
    for refund_state in [
        RefundState::None,
        RefundState::Done,
        RefundState::Failed,
        RefundState::Abnormal,
        RefundState::Unknown,
    ] {
        let row = Row { refund_state, ..row.clone() };
        assert_eq!(Row::of_told(&row.told(), 7), Some(row));
    }
    for kind in [RowKind::Paid, RowKind::Revoked] {
        let row = Row { kind, ..row.clone() };
        assert_eq!(Row::of_told(&row.told(), 7), Some(row));
    }
    let newer = |change: fn(&mut crate::gateway::backend::bills::BillRow)| {
        let mut told = told.clone();
        change(&mut told);
        Row::of_told(&told, 7).map(|row| row.refund_state)
    };
    assert_eq!(newer(|row| "frozen".clone_into(&mut row.refund_state)), Some(RefundState::Unknown));
    assert_eq!(newer(|row| "transferred".clone_into(&mut row.kind)), None);
    assert_eq!(newer(|row| "XXY".clone_into(&mut row.currency)), None);
    assert_eq!(newer(|row| row.out_trade_no.clear()), None);
    assert_eq!(newer(|row| "a lot".clone_into(&mut row.fee)), None);
}
