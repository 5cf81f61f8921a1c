//! The receipt of a sale that is paid with more than one order.

use super::*;
use crate::clock::{Millis, Timestamp, Uptime};
use crate::config::Flags;
use crate::money::Currency;
use crate::order::CodeUrl;
use crate::payment::{Answer, Call, Event, Found, Ordered, Proof, QrState, Rules};
use crate::sale::tender::Cash;
use crate::says::Says;

#[test]
fn a_sale_that_is_paid_in_two_ways_has_one_receipt_with_both() {
    let fen = Money::from_minor;
    let number = |at: &str| OutTradeNo::try_from(format!("T01-0{at}")).unwrap();
    let cash = Cash::take(fen(8000), fen(5000)).unwrap();
    let mut paid = State::begin(&Rules::default(), 0);
    let proof = Proof { transaction_id: TRANSACTION.into(), paid_at: Timestamp(0), coupon: None };
    let answered = Says::Paid(proof.clone()).in_answer_to(Call::SUBMISSION);
    let _ = paid.step(&answered, Millis(200), &Rules::default());
    let attempt = |at: &str, minor, state| Attempt {
        out_trade_no: number(at),
        sale: 1,
        amount: fen(minor),
        currency: Currency::CNY,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
        sent_at: Uptime(0),
        state,
        sold: std::sync::Arc::default(),
        recorded: true,
    };
    let home = |name: &str| (name == "HOME").then(|| "/nonexistent".into());
    let config = Config::training(&Flags::default(), &home).unwrap();
    let slip_of = |attempt: &Attempt, tenders: &[Tender]| Slip {
        header: Vec::new(),
        footer: Vec::new(),
        store: String::new(),
        time: String::new(),
        is_training: false,
        ..Slip::of(attempt, &config, 0, tenders).unwrap()
    };
    let said = |attempt: &Attempt, tenders: &[Tender]| {
        text(&slip_of(attempt, tenders), Paper::Mm58, Language::English)
    };
    let tender =
        |at: &str, minor, cash| Tender { out_trade_no: number(at), amount: fen(minor), cash };
    let first = attempt("1", 5000, State::paid_in_cash(cash));
    let both = [tender("1", 5000, Some(cash)), tender("2", 3000, None)];
    let part = said(&first, &[]);
    assert!(
        part.contains("￥50.00") && part.contains("Left to pay              ￥30.00"),
        "{part}"
    );
    let whole = said(&attempt("2", 3000, paid), &both);
    let lines: Vec<&str> = whole.lines().map(str::trim).take(12).collect();
    let expected = [
        "RECEIPT",
        "--------------------------------",
        "￥80.00",
        "PAID",
        "--------------------------------",
        "Till                         T01",
        "Cash                     ￥50.00",
        "Order                     T01-01",
        "WeChat Pay               ￥30.00",
        "Given                    ￥50.00",
        "Change                    ￥0.00",
        "Order                     T01-02",
    ];
    assert_eq!(lines, expected);
    // By a code of ours it is the same.
    let mut scanned = State::begin_qr(Millis::seconds(7_200), 0);
    let code = CodeUrl::try_from("weixin://wxpay/bizpayurl/up?pr=NwY5Mz9".to_owned()).unwrap();
    let shown = Event::Answered(QrState::FIRST.number, Answer::Ordered(Ordered::Code(code)));
    for event in [shown, Event::Answered(1, Answer::Found(Found::Paid(proof)))] {
        let _ = scanned.step(&event, Millis(200), &Rules::default());
    }
    assert_eq!(said(&attempt("2", 3000, scanned), &both), whole);
    let copy = said(&first, &both);
    assert!(!copy.contains("Left to pay") && copy.contains("￥80.00"), "{copy}");
    // The rest is paid in cash, too: the change is that of the last.
    let rest = Cash::take(fen(3000), fen(10_000)).unwrap();
    let last = attempt("2", 3000, State::paid_in_cash(rest));
    let all = said(&last, &[both[0].clone(), tender("2", 3000, Some(rest))]);
    for line in ["Given                   ￥150.00", "Change                   ￥70.00"] {
        assert!(all.contains(line), "{all}");
    }
    // Who keeps the slip of a rest that is not known to be paid is told of the cash, too.
    let unclear = Slip {
        outcome: ReceiptOutcome::Unconfirmed { charged: false },
        tenders: TenderLine::of(&first, &both[..1]),
        ..english_slip()
    };
    assert!(
        text(&unclear, Paper::Mm58, Language::English).contains("Paid before              ￥50.00")
    );
}
