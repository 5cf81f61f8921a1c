//! Receipts: whatever a slip contains, the printer is sent only our own commands and text.

use paytill::clock::{TimeZone, Timestamp};
use paytill::language::Language;
use paytill::order::OutTradeNo;
use paytill::receipt::{
    CashLines, Form, Goods, Paper, Profile, ReceiptOutcome, Slip, escpos, text,
};

use super::draw::Draw;
use super::paper::Printout;
use super::terminal;

pub fn check(data: &[u8]) {
    let mut draw = Draw(data);
    let paper = draw.one_of(&[Paper::Mm58, Paper::Mm80]);
    let language = draw.one_of(&[Language::Chinese, Language::English]);
    let outcome = match draw.byte() % 5 {
        0 => ReceiptOutcome::Paid,
        1 => ReceiptOutcome::Reversed { money_returned: true },
        2 => ReceiptOutcome::Reversed { money_returned: false },
        3 => ReceiptOutcome::Unconfirmed { charged: true },
        _ => ReceiptOutcome::Unconfirmed { charged: false },
    };
    let (is_copy, is_training) = (draw.bit(), draw.bit());
    let copy = if is_copy { u32::from(draw.byte()) + 1 } else { 0 };
    let time = Timestamp(draw.number()).local("%Y-%m-%d %H:%M:%S", &TimeZone::UTC);
    let mut lines = |most: u8| {
        let count = draw.byte() % most;
        (0..count).map(|_| draw.text()).collect::<Vec<_>>()
    };
    let (header, footer) = (lines(4), lines(4));
    let number = OutTradeNo::try_from(draw.text())
        .unwrap_or_else(|_| OutTradeNo::try_from("T01261122113000123456".to_owned()).unwrap());
    let slip = Slip {
        header,
        footer,
        store: draw.text(),
        till: draw.text(),
        out_trade_no: number,
        amount: draw.text(),
        symbol: draw.text(),
        currency: "CNY".into(),
        coupon: String::new(),
        goods: Goods::default(),
        outcome,
        // At the end of the draws, so that older ones stay what they were.
        cash: None,
        tenders: Vec::new(),
        transaction_id: draw.bit().then(|| draw.text()),
        time,
        note: draw.text(),
        copy,
        is_training,
    };
    let profile = draw.one_of(&Profile::ALL);
    let cash = draw.bit().then(|| CashLines {
        tendered: draw.text(),
        change: draw.text(),
        left: draw.text(),
    });
    let slip = Slip { cash, ..slip };
    holds(&slip, &Form { paper, profile, logo: None }, language);
}

/// What must hold for any slip.
pub fn holds(slip: &Slip, form: &Form, language: Language) -> Printout {
    let bytes = escpos::print(slip, form, language);
    let printed = Printout::read(&bytes).unwrap_or_else(|fault| panic!("{fault}: {slip:?}"));
    assert_eq!(printed.cuts(), usize::from(form.profile != Profile::NoCutter), "{slip:?}");
    let text = text(slip, form.paper, language);
    let read = terminal::read(text.as_bytes(), terminal::Place::Lines);
    read.unwrap_or_else(|fault| panic!("{fault}: {slip:?}"));
    printed
}
